//! The import of accounts against the same rows written by bare statements.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use rand_core::UnwrapErr;
use rightful_app::accounts_file::{Rejected, RowHints};
use rightful_app::env::Env;
use rightful_app::import_accounts::{ImportRequest, RejectList, import_accounts};
use rightful_app::site::{KeySource, Site};
use rightful_leaks::sample::Dice;
use rightful_store::Address;
use rightful_testkit::databases::{Engine, POSTGRES_VARIABLE, TestDatabase};

use crate::clock::now;
use crate::measure::{Measure, median, rounded};
use crate::people::account_addresses;
use crate::verify::nobodys_hash;
use crate::{Bench, Task, bare, child};

const INTO_SQLITE: &str = "import-sqlite";
const INTO_POSTGRES: &str = "import-postgres";
const MEMORY_GROWTH: &str = "import-memory-growth";

/// Into a file.
pub(crate) const SQLITE: Bench = Bench {
    measures: &[INTO_SQLITE],
    run: |task| Ok(vec![measure(task, INTO_SQLITE, Engine::Sqlite)?]),
};

/// Into the server that the variable for tests names; nothing where it names none.
pub(crate) const POSTGRES: Bench = Bench {
    measures: &[INTO_POSTGRES],
    run: |task| match std::env::var_os(POSTGRES_VARIABLE) {
        Some(_) => Ok(vec![measure(task, INTO_POSTGRES, Engine::Postgres)?]),
        None => {
            eprintln!("{INTO_POSTGRES} is left out: {POSTGRES_VARIABLE} names no server");
            Ok(Vec::new())
        }
    },
};

/// Whether memory grows with the number of accounts.
pub(crate) const MEMORY: Bench = Bench {
    measures: &[MEMORY_GROWTH],
    run: memory,
};

fn measure(task: &Task<'_>, name: &'static str, engine: Engine) -> Result<Measure> {
    let accounts = task.pick(100_000, 1_000_000);
    let file = accounts_file(task.folder, accounts)?;
    let runtime = tokio::runtime::Runtime::new().context("no runtime can be started")?;
    let (mut ours, mut bound, mut rows) = (Vec::new(), Vec::new(), 0);
    for _ in 0..3 {
        let round = runtime.block_on(round(&file, accounts, engine))?;
        ours.push(round.ours);
        bound.push(round.bound);
        rows = round.rows;
    }
    let ratio = median(ours.iter().zip(&bound).map(|(ours, bound)| bound / ours).collect());
    let per_second = |seconds| accounts as f64 / median(seconds);
    Ok(Measure::of(name, per_second(ours), "accounts/s")
        .in_rounds(per_second(bound), ratio)
        .ratio_at_least(0.5)
        .with("accounts", accounts)
        .with("rows_per_account", rounded(rows as f64 / accounts as f64)))
}

/// Seconds of one import and of its bound.
struct Round {
    ours: f64,
    bound: f64,
    rows: u64,
}

async fn round(file: &Path, accounts: usize, engine: Engine) -> Result<Round> {
    let (imported, copied) = (TestDatabase::new(engine).await, TestDatabase::new(engine).await);
    let ours = import(file, accounts, imported.address()).await?;
    // It makes the tables.
    open(copied.address(), &mut env()).await?.store.close().await;
    let (took, rows) = bare::copy(imported.address(), copied.address()).await?;
    ensure!(
        rows >= 6 * accounts as u64,
        "{accounts} accounts have more than {rows} rows"
    );
    Ok(Round {
        ours,
        bound: took.as_secs_f64(),
        rows,
    })
}

/// Imports the file into an empty database; answers how many seconds that took.
async fn import(file: &Path, accounts: usize, address: &Address) -> Result<f64> {
    let mut env = env();
    let site = open(address, &mut env).await?;
    let request = ImportRequest {
        source: Box::new(File::open(file)?),
        name: "accounts.csv",
        identity: [1; 32],
        hints: RowHints::default(),
    };
    let begun = Instant::now();
    let never = AtomicBool::new(false);
    let report = import_accounts(request, &site, &mut NoneRefused, &mut env, &never, &mut |_| {}).await?;
    let took = begun.elapsed().as_secs_f64();
    site.store.close().await;
    ensure!(
        report.tally.added == accounts as u64,
        "of {accounts} accounts {} were added",
        report.tally.added
    );
    Ok(took)
}

/// The system's clock and chance.
pub(crate) fn env() -> Env {
    Env {
        clock: Arc::new(now),
        chance: Box::new(UnwrapErr(getrandom::SysRng)),
    }
}

async fn open(address: &Address, env: &mut Env) -> Result<Site> {
    // The key is forgotten: nobody opens this database again.
    let site = Site::open(address, KeySource::New(&mut |_| Ok(())), "bench", env).await;
    site.context("the database of the bench cannot be opened")
}

/// Every row is good; one that is refused ends the bench.
struct NoneRefused;

impl RejectList for NoneRefused {
    fn go_on_at(&mut self, _: u64) -> std::io::Result<bool> {
        Ok(true)
    }

    fn add(&mut self, rejected: &Rejected) -> std::io::Result<u64> {
        Err(std::io::Error::other(format!(
            "line {} was refused: {}",
            rejected.line, rejected.reason
        )))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A CSV file of so many accounts, each with an address and an Argon2id hash; made where the folder has none yet.
fn accounts_file(folder: &Path, accounts: usize) -> Result<PathBuf> {
    let path = folder.join(format!("accounts-{accounts}.csv"));
    if path.exists() {
        return Ok(path);
    }
    let mut file = BufWriter::new(File::create(&path)?);
    let mut dice = Dice::new(0xca);
    writeln!(file, "account,email,password")?;
    for (number, name) in account_addresses(accounts).enumerate() {
        writeln!(file, "{},{name},\"{}\"", number + 1, nobodys_hash(&mut dice))?;
    }
    file.flush()?;
    Ok(path)
}

/// Imports so many accounts into a file that is thrown away: what a process does whose memory is measured.
pub(crate) fn import_alone(accounts: usize) -> Result<()> {
    let folder = tempfile::tempdir().context("there is no folder for the accounts")?;
    let file = accounts_file(folder.path(), accounts)?;
    let address = Address::Sqlite(folder.path().join("data").join("rightful.db"));
    let runtime = tokio::runtime::Runtime::new().context("no runtime can be started")?;
    runtime.block_on(import(&file, accounts, &address)).map(drop)
}

fn memory(task: &Task<'_>) -> Result<Vec<Measure>> {
    const MIB: f64 = 1024.0 * 1024.0;
    let (few, many) = task.pick((50_000, 100_000), (100_000, 1_000_000));
    let (short, long) = (child::import_memory(few)? as f64, child::import_memory(many)? as f64);
    Ok(vec![
        Measure::of(MEMORY_GROWTH, long / MIB, "MiB")
            .beside(short / MIB)
            .ratio_at_most(1.1)
            .with("accounts", many)
            .with("accounts_of_bound", few),
    ])
}
