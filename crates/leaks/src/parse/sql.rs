//! SQL dumps: the rows of `INSERT` statements, the columns of `CREATE TABLE`, PostgreSQL's `COPY`.

use rightful_core::exposure::Kind;
use serde::{Deserialize, Serialize};

use super::fields;
use super::reading::Readings;
use super::shape::{self, starts_with_word};
use super::table::{Columns, MAX_COLUMNS};
use super::text::{Piece, Scratch};

/// A table definition of more lines is given up.
const MAX_DEFINITION_LINES: u16 = 600;

/// The most values of a row that are looked at when its columns are not known.
const LOOKED_AT: usize = 96;

/// The statement that is going on, and the columns of the table last defined or written to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sql {
    table: Vec<u8>,
    columns: Option<Columns>,
    phase: Phase,
}

/// Which part of a dump the lines belong to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    /// Between statements.
    Known,
    /// In a `CREATE TABLE`: the names of its columns so far, and how many lines it has.
    Creating { names: Vec<Vec<u8>>, lines: u16 },
    /// Behind `INSERT INTO .. VALUES`: rows follow.
    Inserting,
}

/// What a line of SQL is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Statement {
    /// An `INSERT`; rows may begin at this place.
    Insert(Sql, usize),
    /// The beginning of a table's definition.
    Create(Sql),
    /// `COPY .. FROM stdin` with its columns: rows follow in lines of their own.
    Copy(Columns),
    /// A comment, or a statement without rows.
    Comment,
}

/// Recognises a line that begins a statement or is a comment. `known`: the table seen last.
pub(super) fn statement(line: &[u8], known: Option<&Sql>) -> Option<Statement> {
    let text = shape::trim(line);
    match text.first()?.to_ascii_lowercase() {
        b'i' | b'r' => insert(line, known),
        b'c' if starts_with_word(text, "copy ") => copy(text),
        b'c' if starts_with_word(text, "create table ") => create(text),
        b'-' | b'#' | b'/' | b'*' => is_comment(text).then_some(Statement::Comment),
        b's' | b'd' | b'l' | b'u' | b'a' | b'b' | b'c' | b'g' | b'p' => is_other(text).then_some(Statement::Comment),
        _ => None,
    }
}

fn is_comment(text: &[u8]) -> bool {
    let marks: [&[u8]; 5] = [b"-- ", b"# ", b"/*", b"*/", b"// "];
    text == b"--" || text == b"#" || marks.iter().any(|mark| text.starts_with(mark))
}

/// A statement that we know and that holds no rows. It ends with a semicolon and has no address in it, so that no
/// ordinary line of a leak is taken for one.
fn is_other(text: &[u8]) -> bool {
    const BEGINNINGS: [&str; 15] = [
        "set ",
        "drop ",
        "delete from ",
        "lock tables ",
        "unlock tables",
        "use ",
        "alter table ",
        "begin;",
        "begin transaction",
        "commit;",
        "create ",
        "start transaction",
        "select ",
        "pragma ",
        "delimiter ",
    ];
    text.ends_with(b";")
        && memchr::memchr2(b'@', b':', text).is_none()
        && BEGINNINGS.iter().any(|word| starts_with_word(text, word))
}

/// A reader of words and names.
struct Words<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Words<'a> {
    fn blanks(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    /// Takes a keyword if it is next.
    fn word(&mut self, word: &str) -> bool {
        self.blanks();
        let next = &self.text[self.at..];
        let ends = next
            .get(word.len())
            .is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
        let found = ends && starts_with_word(next, word);
        if found {
            self.at += word.len();
        }
        found
    }

    /// Takes a name, quoted or not, without its schema; its bytes as they stand inside the quotes.
    fn name(&mut self) -> Option<&'a [u8]> {
        loop {
            self.blanks();
            let rest = &self.text[self.at..];
            let close = match rest.first()? {
                b'`' => b'`',
                b'"' => b'"',
                b'\'' => b'\'',
                b'[' => b']',
                _ => 0,
            };
            let (name, length) = if close == 0 {
                let length = rest
                    .iter()
                    .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || **byte >= 0x80)
                    .count();
                (&rest[..length], length)
            } else {
                let length = memchr::memchr(close, &rest[1..])?;
                (&rest[1..=length], length + 2)
            };
            if name.is_empty() {
                return None;
            }
            self.at += length;
            if self.text.get(self.at) != Some(&b'.') {
                return Some(name);
            }
            self.at += 1;
        }
    }

    /// Takes a list of names in brackets, if that is what comes next.
    fn names(&mut self) -> Option<Columns> {
        self.blanks();
        let start = self.at;
        let inner = self.text[start..].strip_prefix(b"(")?;
        let mut list = Words { text: inner, at: 0 };
        let mut names = Vec::new();
        while names.len() < MAX_COLUMNS {
            names.push(list.name()?);
            list.blanks();
            list.at += 1;
            match inner.get(list.at - 1)? {
                b',' => {}
                b')' => {
                    self.at = start + 1 + list.at;
                    return Some(Columns::named(names.into_iter()));
                }
                _ => return None,
            }
        }
        None
    }
}

fn insert(line: &[u8], known: Option<&Sql>) -> Option<Statement> {
    let mut words = Words { text: line, at: 0 };
    if !words.word("insert") && !words.word("replace") {
        return None;
    }
    let begun = words.at;
    for option in [
        "low_priority",
        "delayed",
        "high_priority",
        "ignore",
        "or",
        "ignore",
        "replace",
        "into",
    ] {
        words.word(option);
    }
    if words.at == begun && line.get(begun) != Some(&b' ') {
        return None;
    }
    let table = words.name()?;
    let columns = words.names();
    words.word("overriding");
    words.word("system");
    words.word("value");
    words.blanks();
    let has_values = words.word("values") || words.word("value");
    words.blanks();
    // Without `VALUES` the line has to end here, or it is no statement at all.
    if !has_values && (words.at < line.len() || columns.is_none()) {
        return None;
    }
    let columns = columns.or_else(|| {
        known
            .filter(|sql| sql.table == table)
            .and_then(|sql| sql.columns.clone())
    });
    Some(Statement::Insert(
        Sql {
            table: table.to_vec(),
            columns,
            phase: Phase::Inserting,
        },
        words.at,
    ))
}

fn copy(text: &[u8]) -> Option<Statement> {
    let mut words = Words {
        text,
        at: "copy ".len(),
    };
    words.name()?;
    let columns = words.names()?;
    (words.word("from") && words.word("stdin")).then_some(Statement::Copy(columns))
}

fn create(text: &[u8]) -> Option<Statement> {
    let mut words = Words {
        text,
        at: "create table ".len(),
    };
    let _ = words.word("if") && words.word("not") && words.word("exists");
    let table = words.name()?.to_vec();
    words.blanks();
    if words.at < text.len() && text[words.at] != b'(' {
        return None;
    }
    let definitions = text.get(words.at + 1..).unwrap_or_default();
    let mut names = Vec::new();
    definitions_of(definitions, &mut names);
    let phase = if text.ends_with(b";") {
        Phase::Known
    } else {
        Phase::Creating {
            names: names.clone(),
            lines: 0,
        }
    };
    let columns = (phase == Phase::Known).then(|| Columns::named(names.iter().map(Vec::as_slice)));
    Some(Statement::Create(Sql { table, columns, phase }))
}

/// The names of the columns defined in a text, at the commas outside brackets and quotes.
fn definitions_of(text: &[u8], names: &mut Vec<Vec<u8>>) {
    const NO_COLUMN: [&str; 10] = [
        "primary",
        "key",
        "unique",
        "constraint",
        "index",
        "fulltext",
        "foreign",
        "check",
        "spatial",
        "exclude",
    ];
    let mut depth = 0_u32;
    let mut quote = 0;
    let definitions = text.split(|&byte| {
        match byte {
            _ if quote != 0 => quote = if byte == quote { 0 } else { quote },
            b'\'' | b'"' | b'`' => quote = byte,
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        byte == b',' && depth == 0 && quote == 0
    });
    for definition in definitions {
        let mut words = Words {
            text: definition,
            at: 0,
        };
        if names.len() < MAX_COLUMNS
            && !NO_COLUMN.iter().any(|word| words.word(word))
            && let Some(name) = words.name()
        {
            names.push(name.to_vec());
        }
    }
}

impl Sql {
    /// Where the rows begin in a line behind `INSERT INTO ..`; `None` ends the statement.
    pub(super) fn rows_at(&mut self, line: &[u8]) -> Option<usize> {
        if self.phase != Phase::Inserting {
            return None;
        }
        let blanks = line.len() - line.trim_ascii_start().len();
        let text = &line[blanks..];
        if starts_with_word(text, "values") {
            return Some(blanks + "values".len());
        }
        if text.starts_with(b"(") || text.starts_with(b";") {
            return Some(blanks);
        }
        self.end_statement();
        None
    }

    /// The statement is over.
    pub(super) fn end_statement(&mut self) {
        self.phase = Phase::Known;
    }

    /// Takes a line of a table's definition; false if there is none going on or the line is none.
    pub(super) fn define(&mut self, line: &[u8]) -> bool {
        let Phase::Creating { names, lines } = &mut self.phase else {
            return false;
        };
        let text = shape::trim(line);
        *lines += 1;
        let looks_right = text.starts_with(b"(") || text.starts_with(b")") || {
            let mut words = Words { text, at: 0 };
            words.name().is_some()
                && text
                    .get(words.at)
                    .is_none_or(|byte| matches!(byte, b' ' | b'(' | b'\t' | b','))
        };
        if *lines > MAX_DEFINITION_LINES || !looks_right || memchr::memchr(b'@', text).is_some() {
            self.phase = Phase::Known;
            return false;
        }
        if text.starts_with(b")") {
            self.columns = Some(Columns::named(names.iter().map(Vec::as_slice)));
            self.phase = Phase::Known;
            return true;
        }
        definitions_of(text.strip_prefix(b"(").unwrap_or(text), names);
        if text.ends_with(b";") {
            self.columns = Some(Columns::named(names.iter().map(Vec::as_slice)));
            self.phase = Phase::Known;
        }
        true
    }

    /// The readings of a row in the scratch, whose first `count` fields are one way to undo its escapes and the others,
    /// if any, another.
    pub(super) fn read<'a>(&self, text: &'a [u8], count: usize, scratch: &'a Scratch, readings: &mut Readings<'a>) {
        let (first, second) = scratch.fields.split_at(count);
        for fields in [first, second] {
            if fields.is_empty() {
                continue;
            }
            let value = |at: usize| fields[at].of(text, &scratch.decoded);
            match &self.columns {
                Some(columns) if columns.count == fields.len() && columns.is_useful() => {
                    columns.read(value, false, readings);
                }
                columns => {
                    let mut values: [&[u8]; LOOKED_AT] = [b""; LOOKED_AT];
                    let shown = fields.len().min(LOOKED_AT);
                    (0..shown).for_each(|at| values[at] = value(at));
                    let guess = columns.as_ref().is_none_or(|columns| columns.count != fields.len());
                    fields::row(&values[..shown], guess, Kind::Dump, readings);
                }
            }
        }
    }
}

/// What stands at a place behind `VALUES`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tuple {
    /// A row; its fields are in the scratch: how many by the first way to read escapes, and the place behind it.
    Row { count: usize, end: usize },
    /// A row that begins at this place and goes on in the next line.
    Open(usize),
    /// The semicolon that ends the statement.
    End,
    /// Nothing more in this line.
    Nothing,
    /// No row.
    Broken,
}

/// Reads the next row of an `INSERT` at or behind `at`. MySQL's escapes are tried first; where a backslash stands in
/// the row, the standard's way (a backslash is a backslash) is a second one.
pub(super) fn next_tuple(text: &[u8], at: usize, scratch: &mut Scratch) -> Tuple {
    scratch.clear();
    let behind = &text[at..];
    let Some(skipped) = behind
        .iter()
        .position(|byte| !(byte.is_ascii_whitespace() || *byte == b','))
    else {
        return Tuple::Nothing;
    };
    let start = at + skipped;
    match text[start] {
        b'(' => {}
        b';' => return Tuple::End,
        _ => return Tuple::Broken,
    }
    let by_mysql = values(text, start + 1, true, scratch);
    if let Ok(end) = by_mysql {
        let count = scratch.fields.len();
        if memchr::memchr(b'\\', &text[start..end]).is_some() && values(text, start + 1, false, scratch) != Ok(end) {
            scratch.fields.truncate(count);
        }
        return Tuple::Row { count, end };
    }
    scratch.clear();
    match (by_mysql, values(text, start + 1, false, scratch)) {
        (_, Ok(end)) => Tuple::Row {
            count: scratch.fields.len(),
            end,
        },
        (Err(Ending::Broken), Err(Ending::Broken)) => Tuple::Broken,
        _ => Tuple::Open(start),
    }
}

/// Whether a line inside an open string, or inside a row, may hold the end of the row.
pub(super) fn may_close(line: &[u8]) -> bool {
    memchr::memchr3(b'\'', b'"', b')', line).is_some()
}

/// Why no row could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// The text ends inside it.
    Open,
    /// It is none.
    Broken,
}

/// Reads the values of a row up to its closing bracket; gives the place behind that.
fn values(text: &[u8], start: usize, backslashes: bool, scratch: &mut Scratch) -> Result<usize, Ending> {
    let mut at = start;
    loop {
        at = value(text, at, backslashes, scratch)?;
        while text.get(at).is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        }
        match text.get(at).ok_or(Ending::Open)? {
            b',' => at += 1,
            b')' => return Ok(at + 1),
            _ => return Err(Ending::Broken),
        }
        if scratch.fields.len() >= 2 * MAX_COLUMNS {
            return Err(Ending::Broken);
        }
    }
}

/// Reads one value: a string (perhaps with a letter or a character set before it), a number, `NULL`, a call.
fn value(text: &[u8], start: usize, backslashes: bool, scratch: &mut Scratch) -> Result<usize, Ending> {
    let skipped = text[start..]
        .iter()
        .position(|byte| !byte.is_ascii_whitespace())
        .ok_or(Ending::Open)?;
    let start = start + skipped;
    let word = text[start..]
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'&'))
        .count();
    let quote_at = start + word + text[start + word..].iter().take_while(|byte| **byte == b' ').count();
    match text.get(quote_at) {
        Some(&quote @ (b'\'' | b'"')) if word <= 12 => string(text, quote_at, quote, backslashes, scratch),
        _ => bare(text, start, scratch),
    }
}

/// Reads a string whose opening quote is at `open`.
fn string(text: &[u8], open: usize, quote: u8, backslashes: bool, scratch: &mut Scratch) -> Result<usize, Ending> {
    let from = scratch.decoded.len();
    let mut at = open + 1;
    let mut plain = true;
    loop {
        let rest = text.get(at..).ok_or(Ending::Open)?;
        let found = if backslashes {
            memchr::memchr2(quote, b'\\', rest)
        } else {
            memchr::memchr(quote, rest)
        };
        let place = at + found.ok_or(Ending::Open)?;
        let next = text.get(place + 1).copied();
        let escaped = if text[place] == b'\\' {
            Some(next.ok_or(Ending::Open)?)
        } else {
            next.filter(|next| *next == quote)
        };
        let Some(escaped) = escaped else {
            let piece = if plain {
                Piece {
                    start: open + 1,
                    end: place,
                    decoded: false,
                    quoted: true,
                }
            } else {
                scratch.decoded.extend_from_slice(&text[at..place]);
                Piece {
                    start: from,
                    end: scratch.decoded.len(),
                    decoded: true,
                    quoted: true,
                }
            };
            scratch.fields.push(piece);
            return Ok(place + 1);
        };
        plain = false;
        scratch.decoded.extend_from_slice(&text[at..place]);
        unescape(text[place], escaped, &mut scratch.decoded);
        at = place + 2;
    }
}

/// MySQL's escapes; a doubled quote is one quote.
fn unescape(mark: u8, escaped: u8, out: &mut Vec<u8>) {
    match (mark, escaped) {
        (b'\\', b'0') => out.push(0),
        (b'\\', b'b') => out.push(8),
        (b'\\', b'n') => out.push(b'\n'),
        (b'\\', b'r') => out.push(b'\r'),
        (b'\\', b't') => out.push(b'\t'),
        (b'\\', b'Z') => out.push(26),
        (b'\\', b'%' | b'_') => out.extend_from_slice(&[mark, escaped]),
        _ => out.push(escaped),
    }
}

/// Reads a value without quotes up to the comma or bracket that ends it, past the brackets and strings of a call.
fn bare(text: &[u8], start: usize, scratch: &mut Scratch) -> Result<usize, Ending> {
    let mut depth = 0_u32;
    let mut at = start;
    loop {
        match text.get(at).ok_or(Ending::Open)? {
            b',' if depth == 0 => break,
            b')' if depth == 0 => break,
            b'(' => depth += 1,
            b')' => depth -= 1,
            b'\'' => at += 1 + memchr::memchr(b'\'', &text[at + 1..]).ok_or(Ending::Open)?,
            _ => {}
        }
        at += 1;
    }
    let value = shape::trim(&text[start..at]);
    let piece = if value.eq_ignore_ascii_case(b"null") {
        Piece {
            start,
            end: start,
            ..Piece::default()
        }
    } else {
        hexadecimal(value, start, scratch).unwrap_or(Piece {
            start,
            end: start + value.len(),
            ..Piece::default()
        })
    };
    scratch.fields.push(piece);
    Ok(at)
}

/// `0x..`: text that was written in hex if it is printable, else the digits, as a hash has them.
fn hexadecimal(value: &[u8], start: usize, scratch: &mut Scratch) -> Option<Piece> {
    let digits = value
        .strip_prefix(b"0x")
        .or_else(|| value.strip_prefix(b"0X"))
        .filter(|digits| !digits.is_empty())?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let from = scratch.decoded.len();
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or(0);
    scratch.decoded.extend(
        digits
            .chunks_exact(2)
            .map(|pair| (digit(pair[0]) * 16 + digit(pair[1])) as u8),
    );
    let printable = digits.len() % 2 == 0 && scratch.decoded[from..].iter().all(|byte| (0x20..0x7f).contains(byte));
    Some(if printable {
        Piece {
            start: from,
            end: scratch.decoded.len(),
            decoded: true,
            quoted: false,
        }
    } else {
        scratch.decoded.truncate(from);
        Piece {
            start: start + 2,
            end: start + value.len(),
            decoded: false,
            quoted: false,
        }
    })
}
