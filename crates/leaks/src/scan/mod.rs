//! The engine: from a leak to the exposures of the accounts that it names.
//!
//! One thread reads and unpacks, several read lines and probe the table of names, the caller's thread decides in order, and
//! the hash pool tests. The answer does not depend on how many threads there are or how the leak is cut or packed:
//!
//! * Blocks are parsed ahead from the state in which the parser is *predicted* to stand; where the prediction was wrong the
//!   block is parsed again from the right one.
//! * Decisions are made in the order of the leak; verdicts may come in any order ([`pairs`]).
//! * Reading stays at most [`WINDOW`] blocks ahead of what is decided, so a run that was interrupted reads little again,
//!   and memory does not grow with the leak.

pub mod pairs;
mod probe;
mod read;
mod run;

use rightful_core::Kind;
use rightful_crypto::seal::SecretTag;
use serde::{Deserialize, Serialize};

use crate::account::NamedAccount;
use crate::grade::Verdict;
use crate::index::AccountIndex;
use crate::parse::LineParser;
use crate::tally::Tally;
use crate::unpack::lines::Position;

pub use pairs::{Counts, Exposure, Place};
pub use read::SourceRead;
pub use run::{Scan, ScanFault};

/// How many blocks (of 2 MiB) may be read and not yet decided.
pub const WINDOW: usize = 24;

/// The most verdicts that a batch holds before it is committed.
pub const BATCH: usize = 4096;

/// How much of a text may be decided and not yet committed, in bytes, before the reading waits. With the window of what is not
/// yet decided it bounds what a run that was interrupted reads again: below 64 MiB.
pub const COMMIT_BYTES: u64 = 8 << 20;

/// How long verdicts may wait to be committed, in microseconds.
pub const COMMIT_EVERY: i64 = 1_000_000;

/// What a run is asked to do beyond reading.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The kind of every record, where the responder knows better than the lines tell.
    pub kind: Option<Kind>,
    /// How many variations of each secret are tried.
    pub variations: usize,
    /// Threads that read lines; at least 1.
    pub readers: usize,
}

/// Where a run can go on: everything before is decided and committed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The text to go on with, counted from 0 in the order of reading.
    pub text: u32,
    /// Where in it.
    pub position: Position,
    /// The state of the parser there; never in the middle of a record, so that no secret is in it.
    pub parser: LineParser,
    /// Where the lines before went.
    pub tally: Tally,
    /// Tests made so far, over all runs.
    pub tests: u64,
    /// Pairs whose verdict was known from an earlier leak.
    pub known_before: u64,
    /// Texts that were not read to their end.
    pub troubles: Vec<Trouble>,
}

impl Default for Checkpoint {
    fn default() -> Self {
        Self {
            text: 0,
            position: Position::START,
            parser: LineParser::new(),
            tally: Tally::default(),
            tests: 0,
            known_before: 0,
            troubles: Vec::new(),
        }
    }
}

/// A text that was not read, or not to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// As shown: `file.zip!inner.txt`.
    pub text: String,
    /// What happened.
    pub what: String,
}

/// The most troubles that are listed; a leak of a million broken files says it in its first ones.
pub const MAX_TROUBLES: usize = 1000;

/// A pair with its verdict.
#[derive(Clone, Debug)]
pub struct Decided {
    /// The account.
    pub account: AccountIndex,
    /// The secret.
    pub tag: SecretTag,
    /// What came of it.
    pub verdict: Verdict,
    /// The leaked hash, where the verdict is `untested`: what to try when the owner types the password.
    pub leaked_hash: Option<Box<[u8]>>,
}

/// What is new since the last commit. Committing it again changes nothing.
#[derive(Debug)]
pub struct Batch<'a> {
    /// Pairs that were decided.
    pub decided: &'a [Decided],
    /// Exposures that are new or have changed, whole.
    pub exposures: &'a [Exposure],
    /// Where to go on.
    pub checkpoint: &'a Checkpoint,
    /// Display names of the texts so far, by number.
    pub texts: &'a [String],
}

/// Who keeps accounts and results: a database, or a table in memory with a journal.
pub trait Ledger {
    /// What can go wrong with it.
    type Error;

    /// The accounts with these indexes (ascending, each once), in that order. One that is gone is left out.
    fn accounts(&mut self, wanted: &[AccountIndex]) -> Result<Vec<NamedAccount>, Self::Error>;

    /// The verdicts of pairs that earlier leaks brought, where they still hold: tested against the password that is now
    /// current. One answer for each pair asked.
    fn known(&mut self, pairs: &[(AccountIndex, SecretTag)]) -> Result<Vec<Option<Verdict>>, Self::Error>;

    /// Keeps a batch, whole or not at all.
    fn commit(&mut self, batch: &Batch<'_>) -> Result<(), Self::Error>;

    /// A file has been read to its end.
    fn source_read(&mut self, source: &SourceRead) -> Result<(), Self::Error>;
}

/// What an interrupted run had committed.
#[derive(Debug, Default)]
pub struct Recalled {
    /// Verdicts, also of pairs that made no exposure.
    pub verdicts: Vec<(AccountIndex, SecretTag, Verdict)>,
    /// Exposures.
    pub exposures: Vec<Exposure>,
    /// Where to go on.
    pub checkpoint: Checkpoint,
}

/// How far a run is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the leak read, as they lie on disk; and of how many, where that is known.
    pub bytes: u64,
    /// All bytes of the leak.
    pub total_bytes: Option<u64>,
    /// Everything has been read: the number of tests is now exact.
    pub reading_done: bool,
    /// Lines read and placed.
    pub tally: Tally,
    /// Tests made.
    pub tests: u64,
    /// Tests that wait.
    pub tests_waiting: u64,
    /// Pairs whose verdict was known from an earlier leak.
    pub known_before: u64,
    /// Exposures found.
    pub exposures: Counts,
}

impl Progress {
    /// How many tests there will be: exact once the reading is done, before that in proportion to what has been read.
    /// `None` where nothing can be said yet.
    pub fn tests_expected(&self) -> Option<u64> {
        let found = self.tests + self.tests_waiting;
        if self.reading_done {
            return Some(found);
        }
        let total = self.total_bytes?;
        (self.bytes > 0).then(|| {
            let expected = u128::from(found) * u128::from(total.max(self.bytes)) / u128::from(self.bytes);
            u64::try_from(expected).unwrap_or(u64::MAX)
        })
    }
}

/// What a run that came to its end found.
#[derive(Debug)]
pub struct Finished {
    /// Totals.
    pub progress: Progress,
    /// Every exposure, in no order.
    pub exposures: Vec<Exposure>,
    /// Display names of the texts, by number.
    pub texts: Vec<String>,
    /// Texts that were not read to their end.
    pub troubles: Vec<Trouble>,
    /// Whether the run was told to stop: committed up to there, and to be gone on with.
    pub stopped: bool,
}
