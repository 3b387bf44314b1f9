//! The real engine, as the benches run it: accounts and results in memory, everything else as in production.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use rightful_core::identifier::MatchKey;
use rightful_crypto::pool::{HashPool, PoolSize};
use rightful_crypto::seal::{Key, SecretTag, Tagger};
use rightful_leaks::account::NamedAccount;
use rightful_leaks::grade::Verdict;
use rightful_leaks::index::{AccountIndex, IdentifierTable, ProbeKey, TableBuilder};
use rightful_leaks::scan::{Batch, Finished, Ledger, Plan, Recalled, Scan, SourceRead};
use rightful_leaks::unpack::lines::Sizes;
use rightful_leaks::unpack::{LeakSource, UnpackOptions};

use crate::clock::{cores, now};
use crate::people::account_addresses;

/// Accounts in memory; keeps the last state of every exposure's account.
#[derive(Default)]
pub(crate) struct Memory {
    /// By index, without gaps. A leak that names an account which is not here names nobody.
    pub(crate) accounts: Vec<NamedAccount>,
    /// How many verdicts were committed.
    pub(crate) decided: u64,
    /// Whose secrets proved to be theirs.
    pub(crate) exact: BTreeSet<AccountIndex>,
}

impl Ledger for Memory {
    type Error = Infallible;

    fn accounts(&mut self, wanted: &[AccountIndex]) -> Result<Vec<NamedAccount>, Infallible> {
        Ok(wanted
            .iter()
            .filter_map(|index| self.accounts.get(*index as usize).cloned())
            .collect())
    }

    fn known(&mut self, pairs: &[(AccountIndex, SecretTag)]) -> Result<Vec<Option<Verdict>>, Infallible> {
        Ok(vec![None; pairs.len()])
    }

    fn commit(&mut self, batch: &Batch<'_>) -> Result<(), Infallible> {
        self.decided += batch.decided.len() as u64;
        let exact = batch
            .decided
            .iter()
            .filter(|decided| decided.verdict.grade == rightful_core::Grade::Exact);
        self.exact.extend(exact.map(|decided| decided.account));
        Ok(())
    }

    fn source_read(&mut self, _: &SourceRead) -> Result<(), Infallible> {
        Ok(())
    }
}

/// The table of the names of so many accounts.
pub(crate) fn table(accounts: usize) -> IdentifierTable {
    let mut builder = TableBuilder::new(ProbeKey::from_bytes(*b"a key of a bench"));
    for (index, name) in (0..).zip(account_addresses(accounts)) {
        if let Some(key) = MatchKey::of(name.as_bytes()) {
            builder.add(key.as_bytes(), index);
        }
    }
    builder.build()
}

/// A worker a core.
pub(crate) fn pool() -> Result<HashPool> {
    let size = PoolSize {
        workers: cores(),
        queue: 1024,
    };
    HashPool::start(size, now).context("the threads for password hashes cannot be started")
}

/// One run over a file, so many times over; `sha256` as a scan into a database has it.
pub(crate) fn scan(
    path: &Path,
    times: usize,
    sha256: bool,
    table: &IdentifierTable,
    pool: &HashPool,
    ledger: &mut Memory,
) -> Result<Finished> {
    let sources = vec![LeakSource::Path(path.to_owned()); times];
    let unpack = UnpackOptions {
        sha256,
        ..UnpackOptions::default()
    };
    let run = Scan {
        sources: &sources,
        unpack: &unpack,
        sizes: Sizes::default(),
        table,
        tagger: &Tagger::new(&Key::from_bytes([7; 32])),
        pool,
        plan: Plan {
            kind: None,
            variations: 0,
            readers: cores(),
        },
        recalled: Recalled::default(),
        stop: &AtomicBool::new(false),
        clock: &now,
    };
    run.run(ledger, &mut |_| {}).context("the scan ended early")
}
