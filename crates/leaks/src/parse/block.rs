//! Blocks of stealer logs: a few labelled lines (`URL: ..`, `Username: ..`, `Password: ..`) that make one record.

use rightful_core::exposure::Kind;
use serde::{Deserialize, Serialize};

use super::columns::{self, Role};
use super::reading::{Identifiers, Readings};
use super::shape;
use super::text::Lines;

/// The longest label, in bytes.
const MAX_LABEL: usize = 32;

/// A labelled line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) role: Role,
    /// Where the value begins, past at most one blank.
    pub(super) value: usize,
    /// No blank stands between the label and the value, so that it might be an `identifier:password` line too.
    pub(super) compact: bool,
}

/// The label with which a line begins, if it has one that a stealer would write.
pub(super) fn label(line: &[u8]) -> Option<Label> {
    let start = bullet(line);
    let head = &line[start..line.len().min(start + MAX_LABEL)];
    if !head
        .first()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80)
    {
        return None;
    }
    let mark = head.iter().position(|byte| matches!(byte, b':' | b'=' | b'\t'));
    let dash = head[..mark.unwrap_or(head.len())]
        .windows(3)
        .position(|three| three == b" - ");
    let (name, behind) = match (dash, mark) {
        (Some(dash), _) => (&head[..dash], dash + 2),
        (None, Some(mark)) => (&head[..mark], mark + 1),
        (None, None) => return None,
    };
    let role = columns::label(name)?;
    let mut value = start + behind;
    if line.get(value) == Some(&b'>') {
        value += 1;
    }
    let spaced = matches!(line.get(value), Some(b' ' | b'\t'));
    Some(Label {
        role,
        value: value + usize::from(spaced),
        compact: !spaced && value < line.len(),
    })
}

/// Whether a line with this label is rather a header, or `user:password` in a list: the value is the name of a column.
pub(super) fn is_header(line: &[u8], label: Label) -> bool {
    let value = &line[label.value..];
    let end = value
        .iter()
        .position(|&byte| shape::is(byte, shape::SEPARATOR))
        .unwrap_or(value.len());
    label.compact && columns::role(&value[..end]).is_some()
}

/// The length of the blanks and the mark before a label.
fn bullet(line: &[u8]) -> usize {
    let blanks = line.iter().take_while(|byte| shape::is(**byte, shape::BLANK)).count();
    let marks: [&[u8]; 7] = [b"- ", b"* ", b"> ", b"[+] ", b"[*] ", b"[-] ", b"| "];
    blanks
        + marks
            .iter()
            .find(|mark| line[blanks..].starts_with(mark))
            .map_or(0, |mark| mark.len())
}

/// Any other line of the form `Word: value`; it may stand inside a block.
pub(super) fn is_remark(line: &[u8]) -> bool {
    let line = shape::trim(line);
    let Some(colon) = memchr::memchr(b':', &line[..line.len().min(MAX_LABEL)]) else {
        return false;
    };
    let named = line[..colon]
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'_' | b'-' | b'(' | b')'));
    line[0].is_ascii_alphabetic() && named && line.get(colon + 1).is_none_or(|byte| matches!(byte, b' ' | b'\t'))
}

/// The labelled lines of one record, as far as they have come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Block {
    pub(super) lines: Lines,
    /// The roles seen, as bits.
    seen: u8,
}

const URL: u8 = 1;
const EMAIL: u8 = 2;
const USERNAME: u8 = 4;
const PHONE: u8 = 8;
const SECRET: u8 = 16;
const NOTE: u8 = 32;

fn bit(role: Role) -> u8 {
    match role {
        Role::Url => URL,
        Role::Email => EMAIL,
        Role::Username | Role::Name => USERNAME,
        Role::Phone => PHONE,
        Role::Password | Role::Hash | Role::Salt => SECRET,
        Role::Note => NOTE,
    }
}

impl Block {
    /// A block without lines, in the room of another.
    pub(super) fn within(mut room: Lines) -> Self {
        room.clear();
        Self { lines: room, seen: 0 }
    }

    /// Whether a line with this role belongs to this block: no role comes twice, save notes, and these only while the
    /// block lacks something or has had none.
    pub(super) fn takes(&self, role: Role) -> bool {
        match bit(role) {
            NOTE => !self.is_complete() || self.seen & NOTE == 0,
            bit => self.seen & bit == 0,
        }
    }

    /// Adds a labelled line; false if the block would become too large.
    pub(super) fn push(&mut self, number: u64, line: &[u8], role: Option<Role>) -> bool {
        self.seen |= role.map_or(0, bit);
        self.lines.push(number, line)
    }

    /// It has a label for whom and one for the secret.
    pub(super) fn is_complete(&self) -> bool {
        self.seen & SECRET != 0 && self.seen & (EMAIL | USERNAME | PHONE) != 0
    }

    /// The readings of a complete block.
    pub(super) fn read<'a>(&'a self, readings: &mut Readings<'a>) {
        let mut named: [&[u8]; 3] = [b""; 3];
        let mut secret: Option<(&[u8], Label)> = None;
        let mut compact = true;
        for (_, line) in self.lines.iter() {
            let Some(label) = label(line) else { continue };
            let value = &line[label.value..];
            match bit(label.role) {
                EMAIL => named[0] = value,
                USERNAME => named[1] = value,
                PHONE => named[2] = value,
                SECRET => secret = Some((line, label)),
                _ => {}
            }
            compact &= label.compact || bit(label.role) == SECRET;
        }
        let Some((line, label)) = secret else { return };
        // Where no other label is followed by a blank, the blank is the password's.
        let kept = compact && !label.compact && label.value < line.len();
        let value = &line[label.value - usize::from(kept)..];
        readings.push_exact(Identifiers::of(&named), value, None, Kind::Stealer);
        if compact && label.compact && self.seen & (URL | NOTE) == 0 {
            self.read_apart(readings);
        }
    }

    /// `user:123456` and `password:hunter2` may be two lines of a list just as well as a block.
    fn read_apart<'a>(&'a self, readings: &mut Readings<'a>) {
        for (_, line) in self.lines.iter() {
            if let Some(label) = label(line) {
                let name = Identifiers::of(&[&line[..label.value - 1]]);
                readings.push_exact(name, &line[label.value..], None, Kind::Dump);
            }
        }
    }
}

/// What becomes of a line of a block that was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leftover {
    /// It may be an `identifier:password` line: it is read as one.
    Alone,
    /// It is a labelled line and nothing else.
    Part,
}

/// What becomes of this line.
pub(super) fn leftover(line: &[u8]) -> Leftover {
    match label(line) {
        Some(label) if !label.compact || shape::has_scheme(&line[label.value..]) => Leftover::Part,
        _ => Leftover::Alone,
    }
}

/// Whether a labelled line holds a whole record.
pub(super) fn is_whole(line: &[u8], first: Label) -> bool {
    next_label(line, first.value).is_some() && in_one_line(line, first, &mut Readings::new())
}

/// The next label in a line behind `at`: where the blank or separator before it stands, and the label.
fn next_label(line: &[u8], at: usize) -> Option<(usize, Label)> {
    (at..line.len())
        .filter(|&at| shape::is(line[at], shape::BLANK | shape::SEPARATOR))
        .find_map(|at| {
            let label = label(&line[at + 1..])?;
            Some((
                at,
                Label {
                    value: at + 1 + label.value,
                    ..label
                },
            ))
        })
}

/// A whole record in one line: `URL: .. | Login: .. | Password: ..`, `Login: .. Password: ..`. False if it is none.
pub(super) fn in_one_line<'a>(line: &'a [u8], first: Label, readings: &mut Readings<'a>) -> bool {
    if bit(first.role) == SECRET {
        return false;
    }
    let mut names = Identifiers::default();
    let mut secret: &[u8] = b"";
    let (mut role, mut start, mut at) = (first.role, first.value, first.value);
    loop {
        let next = next_label(line, at);
        let end = next.map_or(line.len(), |(at, _)| at);
        let value = &line[start.min(end)..end];
        match bit(role) {
            EMAIL | USERNAME | PHONE => names.add(value.trim_ascii_end().strip_suffix(b"|").unwrap_or(value)),
            SECRET if secret.is_empty() => secret = if next.is_some() { without_joint(value) } else { value },
            _ => {}
        }
        let Some((_, label)) = next else { break };
        (role, start, at) = (label.role, label.value, label.value);
    }
    if names.is_empty() || secret.is_empty() {
        return false;
    }
    readings.push(names, secret, Kind::Stealer);
    true
}

/// Without the blanks and the one separator that part a value from the next label.
fn without_joint(value: &[u8]) -> &[u8] {
    let value = value.trim_ascii_end();
    match value {
        [inner @ .., b'|' | b',' | b';'] => inner.trim_ascii_end(),
        _ => value,
    }
}
