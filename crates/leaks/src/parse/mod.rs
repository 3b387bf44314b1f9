//! From the lines of a leak to records: who, and with which secret.
//!
//! A leak has no declared format, and one file may mix several. So every line is looked at for itself, in this order:
//!
//! 1. what an earlier line began: a quotation or an object that is still open, a stealer's block, the rows of an
//!    `INSERT`, a table whose header named its columns;
//! 2. what it begins itself: an object of JSON, a labelled line of a stealer's block, a statement of SQL, a header;
//! 3. else it is a free line: an identifier, a separator, a secret, perhaps with a URL.
//!
//! **Readings.** The aim is that no true pair is missed. Where a line can be read in more than one way, the record has
//! several readings, likeliest first, and all of them are to be tried. A false reading costs a look-up, and a hash only
//! when it happens to name an account. Secrets are never trimmed here; identifiers are, and lose their quotes.
//!
//! **Counting.** Every line ends in exactly one bin: a record is counted at its first line, its other lines are
//! [`Bin::Continuation`]. Lines that may become part of a record are *pending*; at any time the counted lines and
//! [`LineParser::pending_lines`] add up to the lines given, and after [`LineParser::finish`] nothing is pending. What was
//! pending and did not become a record is given up: a quotation, object or row that never closed is read again, its first
//! line by itself, the others as if they came now; of a block without an identifier or a secret, the lines that might be
//! `identifier:password` lines are read as such, the first other one is malformed (incomplete record), the rest
//! continuation.
//!
//! **State.** All that a line's meaning owes to earlier lines is in the [`LineParser`], which can be cloned, compared and
//! stored: reading `b` after `a` from a state gives the same as reading `b` from the state that `a` left. Between the
//! records of a plain list it is always the same, so that the blocks of a file can be read in parallel from a predicted
//! state ([`LineParser::settled`]) and compared.
//!
//! **Bounds.** A record over several lines has at most 64 lines and 64 KiB, and no line is read more than three times; a
//! line has as many bytes as the splitter hands on (a line of an SQL dump is often 1 MiB long).

mod block;
mod columns;
mod fields;
mod free;
mod json;
mod reading;
mod shape;
mod sql;
mod steps;
mod table;
mod text;
mod url;

use rightful_core::exposure::Kind;
use serde::{Deserialize, Serialize};

use block::Block;
use json::Depth;
pub use reading::{Bin, Identifiers, MAX_IDENTIFIERS, MAX_READINGS, MalformedReason, Reading, Record, RecordSink};
use sql::Sql;
use steps::{Desk, Given, Mode};
use table::Layout;
use text::{Lines, Scratch};

/// Reads the lines of one text (a file, a member of an archive) one by one; see the [module](self).
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LineParser {
    state: State,
    #[serde(skip)]
    scratch: Scratch,
}

/// What earlier lines mean for the next one.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
struct State {
    /// A line that is not blank has been read.
    started: bool,
    /// The columns in force since a header.
    layout: Option<Layout>,
    /// The SQL statement or table last seen.
    sql: Option<Sql>,
    pending: Pending,
}

/// Lines of a record that is not complete.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
enum Pending {
    #[default]
    Nothing,
    /// A stealer's block.
    Block(Block),
    /// A table's row with an open quotation.
    Row(Lines),
    /// An object with open brackets; it will be record number `part` of its first line. That line is counted already if
    /// the number is not 0.
    Object { lines: Lines, depth: Depth, part: u32 },
    /// A row of an `INSERT` with an open string; `part` as above.
    Tuple { lines: Lines, part: u32 },
}

impl std::fmt::Debug for LineParser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Pending lines hold secrets.
        f.debug_struct("LineParser")
            .field("layout", &self.state.layout.is_some())
            .field("pending_lines", &self.pending_lines())
            .finish_non_exhaustive()
    }
}

impl LineParser {
    /// A parser at the beginning of a text.
    pub fn new() -> Self {
        Self::default()
    }

    /// The state in which this parser most likely is again between two records further on: with the same layout, with
    /// nothing pending. Reading from it may turn out wrong; compare with the state that was reached.
    #[must_use]
    pub fn settled(&self) -> Self {
        let mut settled = self.clone();
        settled.state.started = true;
        settled.state.pending = Pending::Nothing;
        if let Some(layout) = &mut settled.state.layout {
            layout.note(true);
        }
        settled
    }

    /// Nothing is pending: the next line begins a record or is none.
    pub fn is_between_records(&self) -> bool {
        self.state.pending == Pending::Nothing
    }

    /// How many of the lines given are in no bin yet.
    pub fn pending_lines(&self) -> u64 {
        let lines = match &self.state.pending {
            Pending::Nothing => 0,
            Pending::Block(block) => block.lines.len(),
            Pending::Row(lines) => lines.len(),
            Pending::Object { lines, part, .. } | Pending::Tuple { lines, part } => {
                lines.len() - usize::from(*part > 0)
            }
        };
        lines as u64
    }

    /// Reads one line, without its line end (a carriage return at its end is taken for part of that). `number` is
    /// handed back with the record; numbers rise.
    #[inline]
    pub fn line(&mut self, number: u64, line: &[u8], sink: &mut impl RecordSink) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let state = &self.state;
        let plain =
            state.started && state.layout.is_none() && state.sql.is_none() && matches!(state.pending, Pending::Nothing);
        if plain {
            if let Some((identifier, secret)) = free::fast(line) {
                let identifiers = Identifiers::one(identifier);
                let reading = Reading {
                    identifiers,
                    secret,
                    salt: None,
                    kind: Kind::Dump,
                };
                return sink.record(&Record {
                    line: number,
                    part: 0,
                    readings: &[reading],
                });
            }
            if let Some(host) = free::leading_url(line) {
                return steps::url_line(number, line, host, sink);
            }
        }
        self.closely(number, line, sink);
    }

    /// Counts a line, number `_number`, that the splitter found too long to hand on. It ends whatever is pending.
    pub fn overlong(&mut self, _number: u64, sink: &mut impl RecordSink) {
        self.with_desk(sink, Self::settle);
        self.state.started = true;
        sink.count(Bin::Malformed(MalformedReason::TooLong), 1);
    }

    /// Ends the text: what is pending is completed or given up, and the parser is as new.
    pub fn finish(&mut self, sink: &mut impl RecordSink) {
        self.with_desk(sink, Self::settle);
        self.state = State::default();
    }

    #[inline(never)]
    fn closely(&mut self, number: u64, line: &[u8], sink: &mut impl RecordSink) {
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        let given = Given {
            number,
            line,
            mode: Mode::Ordinary,
        };
        self.with_desk(sink, |parser, desk| parser.examine(given, desk));
    }

    /// Lends the scratch out beside the sink, because records borrow from it while the state changes.
    fn with_desk<S: RecordSink>(&mut self, sink: &mut S, work: impl FnOnce(&mut Self, &mut Desk<'_, S>)) {
        let mut scratch = std::mem::take(&mut self.scratch);
        work(
            self,
            &mut Desk {
                scratch: &mut scratch,
                sink,
            },
        );
        self.scratch = scratch;
    }
}
