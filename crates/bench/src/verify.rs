//! Testing a leak: a file in which every line names an account whose password is an Argon2id hash.

use std::collections::BTreeSet;
use std::fs;
use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, anyhow, ensure};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rightful_core::PasswordVersion;
use rightful_core::identifier::Identifier;
use rightful_crypto::password::{Arena, Argon2Params, ParseHints, StoredHash, hash_new};
use rightful_crypto::pool::HashPool;
use rightful_leaks::account::{KnownName, NamedAccount, Passwords};
use rightful_leaks::index::{AccountIndex, IdentifierTable, ProbeKey, TableBuilder};
use rightful_leaks::sample::Dice;

use crate::clock::{Spent, cores};
use crate::measure::{Measure, Rounds, rounded};
use crate::people::account_addresses;
use crate::scanning::{self, Memory};
use crate::{Bench, Task};

const MEASURE: &str = "leak-verification";

/// How fast the secrets of a leak are tested.
pub(crate) const BENCH: Bench = Bench {
    measures: &[MEASURE],
    run,
};

/// One account in so many has the password that the leak says; testing a right one costs what testing a wrong one does.
const ONE_IN: usize = 32;

fn run(task: &Task<'_>) -> Result<Vec<Measure>> {
    let count = task.pick(256, 1024);
    let site = Site::new(task, count)?;
    let pool = scanning::pool()?;
    let mut lanes: Vec<Lane> = (0..cores()).map(|_| Lane::new()).collect::<Result<_>>()?;
    let rounds = Rounds::run(
        task.pick(5, 7),
        &mut [&mut || site.scan(&pool), &mut || raw(&mut lanes, count)],
    )?;
    let per_second = |work, clock| count as f64 / rounds.seconds(work, clock);
    Ok(vec![
        Measure::of(MEASURE, per_second(0, Spent::wall), "hashes/s")
            .in_rounds(per_second(1, Spent::wall), rounds.ratio(0, 1, Spent::wall))
            .ratio_at_least(0.95)
            .with("per_cpu_second", rounded(per_second(0, Spent::cpu)))
            .with("bound_per_cpu_second", rounded(per_second(1, Spent::cpu)))
            .with("ratio_of_cpu", rounded(rounds.ratio(0, 1, Spent::cpu)))
            .with("cores", cores()),
    ])
}

/// Accounts, and a leak that names each of them once.
struct Site {
    accounts: Vec<NamedAccount>,
    table: IdentifierTable,
    leak: PathBuf,
    /// Those whose password the leak holds.
    known: BTreeSet<AccountIndex>,
}

impl Site {
    fn new(task: &Task<'_>, count: usize) -> Result<Self> {
        let (mut dice, mut arena) = (Dice::new(0xa290), Arena::new());
        let mut table = TableBuilder::new(ProbeKey::from_bytes(*b"a key of a bench"));
        let (mut accounts, mut known, mut leak) = (Vec::new(), BTreeSet::new(), String::new());
        for (number, name) in account_addresses(count).enumerate() {
            let index = AccountIndex::try_from(number)?;
            let password = format!("sommer{number}");
            let stored = if number % ONE_IN == 0 {
                known.insert(index);
                hash_new(password.as_bytes(), salt(&mut dice), Argon2Params::DEFAULT, &mut arena)?
            } else {
                StoredHash::parse(&nobodys_hash(&mut dice), &ParseHints::default())
                    .map_err(|refused| anyhow!("{refused}"))?
            };
            let identifier = Identifier::email(&name).map_err(|refused| anyhow!("{name}: {refused}"))?;
            for key in identifier.match_keys() {
                table.add(key, index);
            }
            accounts.push(NamedAccount {
                index,
                number: i64::from(index),
                names: vec![KnownName::from(&identifier)],
                passwords: Arc::new(Passwords {
                    current: Some(stored),
                    version: Some(PasswordVersion(1)),
                    ..Passwords::default()
                }),
            });
            leak += &format!("{name}:{password}\n");
        }
        let path = task.folder.join("all-named.txt");
        fs::write(&path, leak).with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(Self {
            accounts,
            table: table.build(),
            leak: path,
            known,
        })
    }

    /// One whole run; it must find what is there to be found.
    fn scan(&self, pool: &HashPool) -> Result<()> {
        let mut ledger = Memory {
            accounts: self.accounts.clone(),
            ..Memory::default()
        };
        let found = scanning::scan(&self.leak, 1, false, &self.table, pool, &mut ledger)?;
        ensure!(
            (found.progress.tests, ledger.decided) == (self.accounts.len() as u64, self.accounts.len() as u64),
            "of {} secrets {} were tested",
            self.accounts.len(),
            found.progress.tests
        );
        ensure!(
            ledger.exact == self.known,
            "the scan found other accounts than it should"
        );
        Ok(())
    }
}

fn salt(dice: &mut Dice) -> [u8; 16] {
    (u128::from(dice.number()) << 64 | u128::from(dice.number())).to_le_bytes()
}

/// An Argon2id hash at the default cost of a password that nobody knows: testing it is real work that comes to nothing.
pub(crate) fn nobodys_hash(dice: &mut Dice) -> String {
    let digest = [salt(dice), salt(dice)].concat();
    let (m, t, p) = {
        let params = Argon2Params::DEFAULT;
        (params.m_kib(), params.t(), params.p())
    };
    let (salt, digest) = (STANDARD_NO_PAD.encode(salt(dice)), STANDARD_NO_PAD.encode(digest));
    format!("$argon2id$v=19$m={m},t={t},p={p}${salt}${digest}")
}

/// The bound's thread: the library alone in memory that is used again.
struct Lane {
    argon: Argon2<'static>,
    blocks: Vec<Block>,
}

impl Lane {
    fn new() -> Result<Self> {
        let params = Argon2Params::DEFAULT;
        let params = Params::new(params.m_kib(), params.t(), params.p(), Some(32))
            .map_err(|error| anyhow!("Argon2 refuses its own parameters: {error}"))?;
        let blocks = vec![Block::new(); params.block_count()];
        Ok(Self {
            argon: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            blocks,
        })
    }

    fn hash(&mut self, number: usize) -> Result<()> {
        let mut out = [0; 32];
        self.argon
            .hash_password_into_with_memory(&number.to_le_bytes(), b"sixteen of bytes", &mut out, &mut self.blocks)
            .map_err(|error| anyhow!("Argon2 refuses: {error}"))?;
        black_box(out);
        Ok(())
    }
}

/// So many hashes on all cores, each thread taking the next when it is done with one.
fn raw(lanes: &mut [Lane], count: usize) -> Result<()> {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let threads: Vec<_> = lanes
            .iter_mut()
            .map(|lane| {
                let next = &next;
                scope.spawn(move || {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= count {
                            return Ok(());
                        }
                        lane.hash(number)?;
                    }
                })
            })
            .collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().map_err(|_| anyhow!("a thread of the bound ended"))?)
    })
}
