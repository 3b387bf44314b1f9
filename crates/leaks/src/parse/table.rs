//! Tables whose columns have names: CSV and its kin, and PostgreSQL's `COPY`.

use rightful_core::exposure::Kind;
use serde::{Deserialize, Serialize};

use super::columns::{self, Role};
use super::free;
use super::reading::{Identifiers, MalformedReason, Readings};
use super::shape;
use super::text::{Piece, Scratch};

/// A layout is left after this many consecutive lines that do not fit it.
const MAX_MISFITS: u16 = 1000;

/// The most columns of a table.
pub(super) const MAX_COLUMNS: usize = 1024;

/// The longest header, in bytes.
const MAX_HEADER: usize = 16 << 10;

/// How a table writes its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Dialect {
    /// Values in double quotes where needed, a quote inside doubled.
    Csv,
    /// PostgreSQL's text format: backslash escapes, `\N` for nothing, ended by `\.`.
    Copy,
}

/// The columns of a table that say who and with what secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Columns {
    pub(super) count: usize,
    /// Columns with a role, by role.
    roles: Vec<(usize, Role)>,
    kind_by_url: bool,
}

impl Columns {
    /// The columns of these names.
    pub(super) fn named<'a>(names: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut columns = Self {
            count: 0,
            roles: Vec::new(),
            kind_by_url: false,
        };
        for name in names.take(MAX_COLUMNS) {
            if let Some(role) = columns::role(name).filter(|role| *role != Role::Note) {
                columns.roles.push((columns.count, role));
            }
            columns.count += 1;
        }
        // `name` is the name of the site in a browser's export and of a person in most tables.
        if columns.has(|role| role.is_identifier() && role != Role::Name) {
            columns.roles.retain(|(_, role)| *role != Role::Name);
        }
        columns.roles.sort_by_key(|(column, role)| (*role, *column));
        // A table of hashes with a URL column holds its members' home pages.
        columns.kind_by_url =
            columns.has(|role| role == Role::Url) && !columns.has(|role| matches!(role, Role::Hash | Role::Salt));
        columns
    }

    pub(super) fn has(&self, wanted: impl Fn(Role) -> bool) -> bool {
        self.roles.iter().any(|(_, role)| wanted(*role))
    }

    /// They tell who and with what secret.
    pub(super) fn is_useful(&self) -> bool {
        self.has(Role::is_identifier) && self.has(Role::is_secret)
    }

    fn with(&self, wanted: Role) -> impl Iterator<Item = usize> {
        self.roles
            .iter()
            .filter(move |(_, role)| *role == wanted)
            .map(|(column, _)| *column)
    }

    /// The readings of a row: every secret with all the identifiers. `value` gives the bytes of a column.
    pub(super) fn read<'a>(&self, value: impl Fn(usize) -> &'a [u8], sites: bool, readings: &mut Readings<'a>) {
        let mut names = Identifiers::default();
        let mut salt = None;
        let mut kind = Kind::Dump;
        for &(column, role) in &self.roles {
            let value = value(column);
            if value.is_empty() {
                continue;
            }
            match role {
                Role::Email | Role::Username | Role::Phone | Role::Name => names.add(value),
                Role::Salt => salt = salt.or(Some(value)),
                Role::Url if sites && self.kind_by_url && !shape::is_blank(value) => kind = Kind::Stealer,
                Role::Password | Role::Hash => {
                    if salt.is_some() {
                        readings.push_exact(names, value, salt, kind);
                    }
                    // Beside a salt, only what does not look like a hash may be a plaintext.
                    if salt.is_none() || !shape::is_hash(value) {
                        readings.push_exact(names, value, None, kind);
                    }
                }
                Role::Url | Role::Note => {}
            }
        }
        readings.lacks(if names.is_empty() {
            MalformedReason::NoIdentifier
        } else {
            MalformedReason::NoSecret
        });
    }
}

/// The layout of a table, in force from its header on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Layout {
    separator: u8,
    dialect: Dialect,
    columns: Columns,
    /// Consecutive lines that did not fit.
    misfits: u16,
}

/// What a line is under a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// A row: its fields are in the scratch.
    Row,
    /// The start of a row: a quotation goes on behind its end.
    Open,
    /// No row of this table.
    Misfit,
}

impl Layout {
    /// The layout of a PostgreSQL `COPY` with these columns.
    pub(super) fn copy(columns: Columns) -> Self {
        Self {
            separator: b'\t',
            dialect: Dialect::Copy,
            columns,
            misfits: 0,
        }
    }

    /// The layout that a header line announces. `fresh`: nothing came before it in this text.
    pub(super) fn announced(line: &[u8], fresh: bool, scratch: &mut Scratch) -> Option<Self> {
        let begins = shape::trim(line).first()?;
        if !(begins.is_ascii_alphabetic() || matches!(begins, b'"' | b'\'' | b'_' | b'`' | b'#') || *begins >= 0x80) {
            return None;
        }
        // Names of columns have few digits; a glance spares most other lines the look-ups.
        let digits = line.iter().filter(|byte| byte.is_ascii_digit()).count();
        let numbered = digits > 4 && digits * 6 > line.len();
        if numbered || line.len() > MAX_HEADER || !line.iter().all(|&byte| is_of_names(byte)) {
            return None;
        }
        let line = line.strip_prefix(b"#").unwrap_or(line);
        let separator = line[first_joint(line)?];
        Self::announced_by(line, separator, fresh, scratch)
    }

    fn announced_by(line: &[u8], separator: u8, fresh: bool, scratch: &mut Scratch) -> Option<Self> {
        scratch.clear();
        if split_quoted(line, separator, scratch) != Split::Closed || scratch.fields.len() > MAX_COLUMNS {
            return None;
        }
        let names = || scratch.fields.iter().map(|field| field.of(line, &scratch.decoded));
        if names().any(|name| name.len() > 64) {
            return None;
        }
        let columns = Columns::named(names());
        // A pair of two such words may be somebody's `username:password` just as well, and reads the same.
        let first = columns
            .roles
            .iter()
            .find(|(column, _)| *column == 0)
            .map(|(_, role)| *role);
        let pair = columns.count == 2 && matches!(first, Some(Role::Username | Role::Name));
        let bare = scratch.fields.iter().all(|field| !field.quoted);
        let wanted = columns.is_useful() && (fresh || !bare || !pair);
        wanted.then_some(Self {
            separator,
            dialect: Dialect::Csv,
            columns,
            misfits: 0,
        })
    }

    /// Whether this line ends the table.
    pub(super) fn is_end(&self, line: &[u8]) -> bool {
        self.dialect == Dialect::Copy && line == b"\\."
    }

    /// Notes whether a line fitted; true when the layout has to be left.
    pub(super) fn note(&mut self, fitted: bool) -> bool {
        self.misfits = if fitted { 0 } else { self.misfits + 1 };
        self.misfits >= MAX_MISFITS
    }

    /// Splits a line (or the lines of one record) into the fields of a row.
    pub(super) fn split(&self, text: &[u8], scratch: &mut Scratch) -> Fit {
        scratch.clear();
        match self.dialect {
            Dialect::Copy => split_copy(text, scratch),
            Dialect::Csv if memchr::memchr(b'"', text).is_none() => split_plain(text, self.separator, scratch),
            Dialect::Csv => match self.split_quotations(text, scratch) {
                Fit::Misfit => return self.split_raw(text, scratch),
                fit => return fit,
            },
        }
        self.fit(scratch)
    }

    /// Splits a text with quotations.
    pub(super) fn split_quotations(&self, text: &[u8], scratch: &mut Scratch) -> Fit {
        scratch.clear();
        match split_quoted(text, self.separator, scratch) {
            Split::Open if scratch.fields.len() < self.columns.count => Fit::Open,
            Split::Closed => self.fit(scratch),
            Split::Open | Split::Broken => Fit::Misfit,
        }
    }

    /// Splits at every separator, quoted or not: how a careless writer means it.
    pub(super) fn split_raw(&self, text: &[u8], scratch: &mut Scratch) -> Fit {
        scratch.clear();
        split_plain(text, self.separator, scratch);
        self.fit(scratch)
    }

    fn fit(&self, scratch: &Scratch) -> Fit {
        if scratch.fields.len() == self.columns.count {
            Fit::Row
        } else {
            Fit::Misfit
        }
    }

    /// The readings of a row that was split into the scratch. Where an identifier looks wrong, the line is read as a
    /// free one too.
    pub(super) fn read<'a>(&self, text: &'a [u8], scratch: &'a Scratch, readings: &mut Readings<'a>) {
        let value = |column: usize| scratch.fields[column].of(text, &scratch.decoded);
        self.columns.read(value, true, readings);
        if self.dialect == Dialect::Copy {
            return;
        }
        // Quotes that nothing required, beside fields without any, may be part of the value.
        let lone = scratch.fields.iter().any(|field| !field.quoted);
        for column in self.columns.with(Role::Password) {
            let field = scratch.fields[column];
            if lone && field.quoted && !field.decoded && !needs_quotes(field.of(text, b""), self.separator) {
                let names = readings
                    .as_slice()
                    .first()
                    .map(|reading| (reading.identifiers, reading.kind));
                if let Some((names, kind)) = names {
                    readings.push_exact(names, &text[field.start - 1..field.end + 1], None, kind);
                }
            }
        }
        let one_line = memchr::memchr(b'\n', text).is_none();
        if one_line && self.is_doubtful(text, scratch) {
            free::read(text, readings);
        }
    }

    /// Another separator stands in what should be an identifier, or an address is none.
    fn is_doubtful(&self, text: &[u8], scratch: &Scratch) -> bool {
        let identifiers = self.columns.roles.iter().take_while(|(_, role)| role.is_identifier());
        identifiers.into_iter().any(|(column, role)| {
            let value = scratch.fields[*column].of(text, &scratch.decoded);
            let address = *role == Role::Email && memchr::memchr(b'@', value).is_some();
            if address {
                !shape::is_email(shape::bare(value))
            } else {
                shape::first_separator(value).is_some()
            }
        })
    }

    /// Whether a row may be a header, as at the seam of two files: the name of a column stands for a person's name.
    pub(super) fn may_be_header(&self, text: &[u8], scratch: &Scratch) -> bool {
        let mut names = self
            .columns
            .roles
            .iter()
            .filter(|(_, role)| role.is_identifier() || role.is_secret());
        names.all(|(column, _)| columns::role(scratch.fields[*column].of(text, &scratch.decoded)).is_some())
    }
}

/// The first separator of a line behind its first quotation, if it begins with one.
fn first_joint(line: &[u8]) -> Option<usize> {
    let quoted = line
        .strip_prefix(b"\"")
        .and_then(|inner| memchr::memchr(b'"', inner))
        .map_or(0, |end| end + 2);
    shape::first_separator(&line[quoted..]).map(|place| quoted + place)
}

/// Whether a header may hold this byte: letters, digits, what joins or quotes them, separators.
fn is_of_names(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || byte >= 0x80
        || shape::is(byte, shape::SEPARATOR)
        || matches!(
            byte,
            b' ' | b'_' | b'-' | b'.' | b'"' | b'\'' | b'`' | b'[' | b']' | b'(' | b')' | b'/' | b'*' | b'#'
        )
}

fn needs_quotes(value: &[u8], separator: u8) -> bool {
    memchr::memchr3(separator, b'\n', b'"', value).is_some()
}

fn split_plain(text: &[u8], separator: u8, scratch: &mut Scratch) {
    let mut start = 0;
    for end in memchr::memchr_iter(separator, text)
        .chain([text.len()])
        .take(MAX_COLUMNS + 1)
    {
        scratch.fields.push(Piece {
            start,
            end,
            ..Piece::default()
        });
        start = end + 1;
    }
}

/// How a text with quotations ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Split {
    /// At the end of a field.
    Closed,
    /// Inside a quotation.
    Open,
    /// Something other than a separator follows a quotation: this is no CSV.
    Broken,
}

/// Splits at the separators outside quotations. A quotation begins only at the beginning of a field.
pub(super) fn split_quoted(text: &[u8], separator: u8, scratch: &mut Scratch) -> Split {
    let mut start = 0;
    loop {
        let end = if text.get(start) == Some(&b'"') {
            match quotation(text, start + 1, scratch) {
                Some(end) => end,
                None => return Split::Open,
            }
        } else {
            let end = memchr::memchr(separator, &text[start..]).map_or(text.len(), |place| start + place);
            scratch.fields.push(Piece {
                start,
                end,
                ..Piece::default()
            });
            end
        };
        match text.get(end) {
            None => return Split::Closed,
            Some(byte) if *byte == separator && scratch.fields.len() <= MAX_COLUMNS => start = end + 1,
            Some(_) => return Split::Broken,
        }
    }
}

/// Reads a quotation that begins at `start`, behind its quote; gives the place behind the closing one.
fn quotation(text: &[u8], start: usize, scratch: &mut Scratch) -> Option<usize> {
    let first = start + memchr::memchr(b'"', &text[start..])?;
    if text.get(first + 1) != Some(&b'"') {
        scratch.fields.push(Piece {
            start,
            end: first,
            decoded: false,
            quoted: true,
        });
        return Some(first + 1);
    }
    let from = scratch.decoded.len();
    let mut at = start;
    loop {
        let quote = at + memchr::memchr(b'"', &text[at..])?;
        scratch.decoded.extend_from_slice(&text[at..quote]);
        if text.get(quote + 1) != Some(&b'"') {
            scratch.fields.push(Piece {
                start: from,
                end: scratch.decoded.len(),
                decoded: true,
                quoted: true,
            });
            return Some(quote + 1);
        }
        scratch.decoded.push(b'"');
        at = quote + 2;
    }
}

/// Whether a line inside a quotation holds the quote that ends it.
pub(super) fn closes_quotation(line: &[u8]) -> bool {
    let mut quotes = memchr::memchr_iter(b'"', line).peekable();
    while let Some(quote) = quotes.next() {
        if quotes.next_if_eq(&(quote + 1)).is_none() {
            return true;
        }
    }
    false
}

/// Splits a line of PostgreSQL's text format.
fn split_copy(text: &[u8], scratch: &mut Scratch) {
    let mut start = 0;
    for end in memchr::memchr_iter(b'\t', text)
        .chain([text.len()])
        .take(MAX_COLUMNS + 1)
    {
        let field = &text[start..end];
        let piece = if field == b"\\N" {
            Piece {
                start,
                end: start,
                ..Piece::default()
            }
        } else if memchr::memchr(b'\\', field).is_some() {
            let from = scratch.decoded.len();
            unescape_copy(field, &mut scratch.decoded);
            Piece {
                start: from,
                end: scratch.decoded.len(),
                decoded: true,
                quoted: false,
            }
        } else {
            Piece {
                start,
                end,
                ..Piece::default()
            }
        };
        scratch.fields.push(piece);
        start = end + 1;
    }
}

/// Undoes the escapes of PostgreSQL's `COPY`: letters for control bytes, octal, hexadecimal, anything else as it is.
fn unescape_copy(field: &[u8], out: &mut Vec<u8>) {
    let mut bytes = field;
    while let [byte, rest @ ..] = bytes {
        bytes = rest;
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        let Some((&escaped, rest)) = bytes.split_first() else {
            out.push(b'\\');
            break;
        };
        bytes = rest;
        match escaped {
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'v' => out.push(11),
            b'x' if bytes.first().is_some_and(u8::is_ascii_hexdigit) => bytes = number(bytes, 16, 2, out),
            b'0'..=b'7' => bytes = number(&field[field.len() - bytes.len() - 1..], 8, 3, out),
            other => out.push(other),
        }
    }
}

/// Takes up to `digits` digits off the front and adds the byte that they write.
fn number<'a>(bytes: &'a [u8], radix: u32, digits: usize, out: &mut Vec<u8>) -> &'a [u8] {
    let length = bytes
        .iter()
        .take(digits)
        .take_while(|byte| char::from(**byte).is_digit(radix))
        .count();
    let value = bytes[..length].iter().fold(0, |value, &byte| {
        value * radix + char::from(byte).to_digit(radix).unwrap_or(0)
    });
    out.push((value & 0xff) as u8);
    &bytes[length..]
}
