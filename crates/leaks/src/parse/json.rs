//! JSON objects: one on a line, several in a line, or one over several lines.
//!
//! A scanner of our own, because leaks hold bytes that are not UTF-8 and objects that are cut off, and because only a
//! few values of an object matter.

use rightful_core::exposure::Kind;
use serde::{Deserialize, Serialize};

use super::columns::{self, Role};
use super::reading::{Identifiers, MalformedReason, Readings};
use super::shape;
use super::text::{Piece, Scratch};

/// Values deeper than this are passed over.
const MAX_DEPTH: usize = 8;

/// What nests deeper than this is not read as JSON: the reader calls itself.
const MAX_NESTING: usize = 64;

/// The most values with a role that one object gives.
const MAX_VALUES: usize = 16;

/// How far the brackets of a text are closed; carried from line to line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Depth {
    open: u32,
}

/// What the brackets of a line say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Brackets {
    /// All are closed.
    Closed,
    /// Some are open, and the line ends outside a string.
    Open,
    /// No JSON: a string is open at the end of the line, or more is closed than was open.
    Broken,
}

impl Depth {
    /// Reads on over a line.
    pub(super) fn feed(&mut self, line: &[u8]) -> Brackets {
        let mut at = 0;
        while let Some(&byte) = line.get(at) {
            at += 1;
            match byte {
                b'{' | b'[' => self.open += 1,
                b'}' | b']' => match self.open.checked_sub(1) {
                    Some(open) => self.open = open,
                    None => return Brackets::Broken,
                },
                b'"' => match string_end(line, at) {
                    Some(end) => at = end + 1,
                    None => return Brackets::Broken,
                },
                _ => {}
            }
        }
        if self.open == 0 {
            Brackets::Closed
        } else {
            Brackets::Open
        }
    }
}

/// The place of the quote that ends a string whose inside begins at `start`.
fn string_end(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        let place = at + memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[place] == b'"' {
            return Some(place);
        }
        at = place + 2;
    }
}

/// Whether a line may begin with an object or be the frame of one.
pub(super) fn may_begin(line: &[u8]) -> bool {
    match shape::trim(line) {
        [b'{', ..] => true,
        [b'[', rest @ ..] => matches!(shape::trim(rest).first(), None | Some(b'{')),
        text @ [b']' | b'}' | b'"', ..] => is_frame(text),
        _ => false,
    }
}

/// Whether a line begins with an object, not with an array.
pub(super) fn begins_object(line: &[u8]) -> bool {
    shape::trim(line).starts_with(b"{")
}

/// `}, {`: an object ends and the next one begins.
pub(super) fn is_seam(line: &[u8]) -> bool {
    matches!(shape::trim(line), [b'}', between @ .., b'{'] if shape::trim(between) == b"," || shape::is_blank(between))
}

/// A line that only opens or closes: brackets and commas, or a key with an opening bracket.
pub(super) fn is_frame(line: &[u8]) -> bool {
    let line = shape::trim(line);
    if line
        .iter()
        .all(|byte| matches!(byte, b'[' | b']' | b'{' | b'}' | b',' | b' '))
    {
        return true;
    }
    let key = match line {
        [b'"', key @ .., b'[' | b'{'] => shape::trim(key).strip_suffix(b":").map(shape::trim),
        _ => None,
    };
    key.and_then(|key| key.strip_suffix(b"\""))
        .is_some_and(|key| memchr::memchr(b'"', key).is_none())
}

/// Reads the object that begins at or behind `at`, its values into the scratch, and gives the place behind it. `None` if
/// there is none or it is not well-formed.
pub(super) fn next_object(text: &[u8], at: usize, scratch: &mut Scratch) -> Option<usize> {
    scratch.clear();
    let skipped = text
        .get(at..)?
        .iter()
        .position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b'['))?;
    if text[at + skipped] != b'{' {
        return None;
    }
    let mut reader = Reader {
        text,
        at: at + skipped,
        scratch,
    };
    reader.value(None, 0)?;
    Some(reader.at)
}

/// The readings of the object in the scratch: every secret with all the identifiers.
pub(super) fn read<'a>(text: &'a [u8], scratch: &'a Scratch, readings: &mut Readings<'a>) {
    let with = |wanted: Role| {
        let wanted = scratch.named.iter().filter(move |(role, _)| *role == wanted);
        wanted.map(|(_, piece)| piece.of(text, &scratch.decoded))
    };
    let mut names = Identifiers::default();
    for role in [Role::Email, Role::Username, Role::Phone] {
        with(role).for_each(|name| names.add(name));
    }
    if names.is_empty() {
        with(Role::Name).for_each(|name| names.add(name));
    }
    let salt = with(Role::Salt).next();
    // An object with hashes is a member's, and its URL a home page.
    let site = with(Role::Url).any(|url| !shape::is_blank(url)) && salt.is_none() && with(Role::Hash).next().is_none();
    let kind = if site { Kind::Stealer } else { Kind::Dump };
    for secret in with(Role::Password).chain(with(Role::Hash)) {
        if salt.is_some() {
            readings.push_exact(names, secret, salt, kind);
        }
        if salt.is_none() || !shape::is_hash(secret) {
            readings.push_exact(names, secret, None, kind);
        }
    }
    readings.lacks(if names.is_empty() {
        MalformedReason::NoIdentifier
    } else {
        MalformedReason::NoSecret
    });
}

/// A recursive reader of values; every step gives `None` where the text is not JSON.
struct Reader<'t> {
    text: &'t [u8],
    at: usize,
    scratch: &'t mut Scratch,
}

impl Reader<'_> {
    /// Reads any value; `role` is that of the key above it.
    fn value(&mut self, role: Option<Role>, depth: usize) -> Option<()> {
        self.blanks();
        if depth > MAX_NESTING {
            return None;
        }
        match *self.text.get(self.at)? {
            b'{' => self.members(role, depth),
            b'[' => self.elements(role, depth),
            b'"' => {
                let piece = self.string(role.is_some())?;
                self.keep(role, piece);
                Some(())
            }
            _ => self.word(role, depth),
        }
    }

    fn members(&mut self, above: Option<Role>, depth: usize) -> Option<()> {
        self.at += 1;
        loop {
            self.blanks();
            match *self.text.get(self.at)? {
                b'}' => {
                    self.at += 1;
                    return Some(());
                }
                b',' => self.at += 1,
                b'"' => {
                    let key = self.string(true)?;
                    let role = self.role_of(key, above, depth);
                    self.blanks();
                    self.expect(b':')?;
                    self.value(role.filter(|_| depth < MAX_DEPTH), depth + 1)?;
                }
                _ => return None,
            }
        }
    }

    /// The role of a key. Inside a value with a role, an unknown key says what form it has: `"password": {"bcrypt": ..}`.
    fn role_of(&self, key: Piece, above: Option<Role>, depth: usize) -> Option<Role> {
        let known = columns::role(key.of(self.text, &self.scratch.decoded));
        match (known, above) {
            (Some(Role::Name), _) if depth > 0 => above,
            (Some(role), _) => Some(role),
            (None, above) => above,
        }
    }

    fn elements(&mut self, role: Option<Role>, depth: usize) -> Option<()> {
        self.at += 1;
        loop {
            self.blanks();
            match *self.text.get(self.at)? {
                b']' => {
                    self.at += 1;
                    return Some(());
                }
                b',' => self.at += 1,
                _ => self.value(role.filter(|_| depth < MAX_DEPTH), depth + 1)?,
            }
        }
    }

    /// A number counts as its digits; `true`, `false` and `null` say nothing.
    fn word(&mut self, role: Option<Role>, depth: usize) -> Option<()> {
        let start = self.at;
        let length = self.text[start..]
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
            .count();
        self.at += length;
        let word = &self.text[start..self.at];
        if word.first()?.is_ascii_digit() || word[0] == b'-' {
            self.keep(
                role,
                Piece {
                    start,
                    end: self.at,
                    ..Piece::default()
                },
            );
            return Some(());
        }
        if self.text.get(self.at) == Some(&b'(') {
            return self.call(role, depth);
        }
        matches!(word, b"true" | b"false" | b"null" | b"undefined" | b"NaN").then_some(())
    }

    /// `ObjectId("..")` and `NumberLong(..)` as the mongo shell prints them.
    fn call(&mut self, role: Option<Role>, depth: usize) -> Option<()> {
        self.at += 1;
        if self.text.get(self.at) != Some(&b')') {
            self.value(role, depth + 1)?;
        }
        self.expect(b')')
    }

    fn keep(&mut self, role: Option<Role>, piece: Piece) {
        if let Some(role) = role.filter(|role| *role != Role::Note)
            && piece.start < piece.end
            && self.scratch.named.len() < MAX_VALUES
        {
            self.scratch.named.push((role, piece));
        }
    }

    /// Reads a string; its escapes are undone only if somebody `wanted` the value.
    fn string(&mut self, wanted: bool) -> Option<Piece> {
        let start = self.at + 1;
        let end = string_end(self.text, start)?;
        self.at = end + 1;
        if !wanted || memchr::memchr(b'\\', &self.text[start..end]).is_none() {
            return Some(Piece {
                start,
                end,
                decoded: false,
                quoted: true,
            });
        }
        let from = self.scratch.decoded.len();
        unescape(&self.text[start..end], &mut self.scratch.decoded);
        Some(Piece {
            start: from,
            end: self.scratch.decoded.len(),
            decoded: true,
            quoted: true,
        })
    }

    fn blanks(&mut self) {
        while self
            .text
            .get(self.at)
            .is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
        {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.text.get(self.at) == Some(&byte)).then(|| self.at += 1)
    }
}

/// Undoes the escapes of a JSON string. What is no escape stays as it is.
fn unescape(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        rest = after;
        let [escaped, after @ ..] = rest else {
            out.push(*byte);
            break;
        };
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        rest = after;
        match escaped {
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => match unicode(rest) {
                Some((letter, length)) => {
                    out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                    rest = &rest[length..];
                }
                None => out.extend_from_slice(b"\\u"),
            },
            b'"' | b'\\' | b'/' => out.push(*escaped),
            other => out.extend_from_slice(&[b'\\', *other]),
        }
    }
}

/// The letter that four hex digits write, or two such escapes together, and how many bytes that takes.
fn unicode(text: &[u8]) -> Option<(char, usize)> {
    let first = hex4(text)?;
    if let Some(letter) = char::from_u32(first) {
        return Some((letter, 4));
    }
    let second = hex4(text.get(4..)?.strip_prefix(b"\\u")?)?;
    let joined = 0x10000 + ((first.wrapping_sub(0xd800)) << 10) + second.checked_sub(0xdc00)?;
    char::from_u32(joined)
        .filter(|_| first < 0xdc00 && second < 0xe000)
        .map(|letter| (letter, 10))
}

fn hex4(text: &[u8]) -> Option<u32> {
    text.get(..4)?
        .iter()
        .try_fold(0, |value, &byte| Some(value * 16 + char::from(byte).to_digit(16)?))
}
