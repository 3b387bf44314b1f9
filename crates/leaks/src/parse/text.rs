//! Text that the parser keeps: values whose escapes are undone, and the lines of a record that is not complete yet.

use serde::{Deserialize, Serialize};

use super::columns::Role;

/// The most lines that a record may span.
pub(super) const MAX_LINES: usize = 64;

/// The most bytes that a record of several lines may have, line ends included.
pub(super) const MAX_BYTES: usize = 64 << 10;

/// A value of a record: a range of its text or, where escapes had to be undone, of [`Scratch::decoded`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Piece {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) decoded: bool,
    pub(super) quoted: bool,
}

impl Piece {
    /// The bytes themselves.
    #[inline]
    pub(super) fn of<'a>(self, text: &'a [u8], decoded: &'a [u8]) -> &'a [u8] {
        let from = if self.decoded { decoded } else { text };
        &from[self.start..self.end]
    }
}

/// Room that is used again from line to line; it carries nothing over, so it is no part of the parser's state.
#[derive(Default)]
pub(super) struct Scratch {
    /// Values with their escapes undone.
    pub(super) decoded: Vec<u8>,
    /// The fields of a row, in order.
    pub(super) fields: Vec<Piece>,
    /// The values of an object whose keys have a role.
    pub(super) named: Vec<(Role, Piece)>,
    /// The room of the last block.
    pub(super) spare: Lines,
}

impl Scratch {
    /// Empties it for the next row or object.
    pub(super) fn clear(&mut self) {
        self.decoded.clear();
        self.fields.clear();
        self.named.clear();
    }
}

impl Clone for Scratch {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Scratch {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// Consecutive lines that are one record, or may become one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lines {
    /// The lines, each but the last with a line end.
    text: Vec<u8>,
    /// The number of each line and where it begins in the text.
    starts: Vec<(u64, usize)>,
    /// They began with a line that was read again.
    again: bool,
}

impl Lines {
    /// No lines yet. `again`: the first of them was pending before.
    pub(super) fn begun(again: bool) -> Self {
        Self {
            again,
            ..Self::default()
        }
    }

    /// Whether the first of them was pending before.
    pub(super) fn again(&self) -> bool {
        self.again
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// The number of the first line.
    pub(super) fn first(&self) -> u64 {
        self.starts.first().map_or(0, |(number, _)| *number)
    }

    /// Adds a line; false, and nothing is added, if the record would become too large.
    pub(super) fn push(&mut self, number: u64, line: &[u8]) -> bool {
        if self.starts.len() >= MAX_LINES || self.text.len() + line.len() + 1 > MAX_BYTES {
            return false;
        }
        if !self.starts.is_empty() {
            self.text.push(b'\n');
        }
        self.starts.push((number, self.text.len()));
        self.text.extend_from_slice(line);
        true
    }

    /// The number and the bytes of every line.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.starts.iter().enumerate().map(|(at, &(number, start))| {
            let end = self.starts.get(at + 1).map_or(self.text.len(), |&(_, next)| next - 1);
            (number, &self.text[start..end])
        })
    }

    /// Empties it, keeping its room.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.starts.clear();
    }
}
