//! Leaks: sources of exposed credentials.

/// The number of a leak, from 1 upwards in the order they were named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeakNo(pub i64);

/// How far the reading of a leak is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeakState {
    /// Being read, or stopped on the way: the same command goes on from there.
    Reading,
    /// Read to its end.
    Done,
    /// Its pair digests and untested hashes were dropped; the exposures and their reasons stay.
    Forgotten,
}

impl LeakState {
    /// The word used in tables and output.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Done => "done",
            Self::Forgotten => "forgotten",
        }
    }

    /// The state of a word; `None` for any other.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Reading, Self::Done, Self::Forgotten]
            .into_iter()
            .find(|state| state.word() == word)
    }
}
