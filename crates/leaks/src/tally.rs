//! Where every line of a leak went.

use serde::{Deserialize, Serialize};

use crate::parse::Bin;

/// Lines by bin. Every line read is in exactly one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// By [`Bin::index`]: lines that begin no record.
    bins: [u64; Bin::ALL.len()],
    /// Lines with a record that names none of the accounts.
    pub names_nobody: u64,
    /// Lines with a record that names at least one account.
    pub named: u64,
}

impl Tally {
    /// Counts `lines` into a bin of the parser.
    pub fn count(&mut self, bin: Bin, lines: u64) {
        self.bins[bin.index()] += lines;
    }

    /// Lines in a bin of the parser.
    pub fn of(&self, bin: Bin) -> u64 {
        self.bins[bin.index()]
    }

    /// Lines that no record could be read from.
    pub fn malformed(&self) -> u64 {
        Bin::ALL
            .into_iter()
            .filter(|bin| matches!(bin, Bin::Malformed(_)))
            .map(|bin| self.of(bin))
            .sum()
    }

    /// All lines.
    pub fn lines(&self) -> u64 {
        self.bins.iter().sum::<u64>() + self.names_nobody + self.named
    }

    /// Adds another tally to this.
    pub fn add(&mut self, other: &Self) {
        for (bin, lines) in self.bins.iter_mut().zip(other.bins) {
            *bin += lines;
        }
        self.names_nobody += other.names_nobody;
        self.named += other.named;
    }
}
