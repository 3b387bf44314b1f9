//! What `cargo xtask bench` runs: Rightful's speed against the bounds that it cannot pass, in the same run on the same
//! machine.
//!
//! Every measure is one line of JSON on standard output ([`measure::Measure`]). Names given as arguments choose: a measure
//! runs when one of them is part of its name. `--quick` takes less of everything, about six minutes in all. The data is
//! made up from seeds, in a folder that goes away; nothing is fetched.
//!
//! Ours and the bound run in turn, round after round, and a ratio is the median of the rounds' ratios: what else the machine
//! does meets both alike. How much that was is told with every measure (`others`).

mod bare;
mod child;
mod clock;
mod crowd;
mod http;
mod import;
mod junk;
mod leak_lines;
mod measure;
mod notices;
mod packed;
mod people;
mod pieces;
mod races;
mod scan;
mod scanning;
mod server;
mod session;
mod sign_in;
mod start;
mod timing;
mod verify;

use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::Parser;

use crate::measure::Measure;

#[derive(Parser)]
#[command(about = "Measures Rightful against the bounds of the same run; one line of JSON a measure")]
struct Args {
    /// Less of everything: all together in about six minutes.
    #[arg(long)]
    quick: bool,
    /// Only measures with one of these in their name. `races` runs only when it is named: without --quick it takes hours.
    names: Vec<String>,
    /// What this process does for another one that measures its memory.
    #[arg(long, hide = true, num_args = 1..)]
    child: Vec<String>,
}

/// What a bench has to work with.
struct Task<'a> {
    quick: bool,
    /// A folder for files, kept until the end: benches share the leaks in it.
    folder: &'a Path,
    asked: &'a [String],
}

impl Task<'_> {
    /// The first where it must be quick, else the second.
    fn pick<T>(&self, quick: T, full: T) -> T {
        if self.quick { quick } else { full }
    }

    /// Whether somebody wants to know.
    fn wants(&self, measure: &str) -> bool {
        self.asked.is_empty() || self.asked.iter().any(|name| measure.contains(name.as_str()))
    }
}

/// Measures that are taken together.
struct Bench {
    measures: &'static [&'static str],
    run: fn(&Task<'_>) -> Result<Vec<Measure>>,
}

const BENCHES: &[Bench] = &[
    verify::BENCH,
    scan::SPEED,
    scan::MEMORY,
    packed::BENCH,
    import::SQLITE,
    import::POSTGRES,
    import::MEMORY,
    pieces::BENCH,
    start::BENCH,
    session::BENCH,
    sign_in::BENCH,
    junk::BENCH,
    timing::BENCH,
    notices::BENCH,
];

/// Those that take so long that they run only when they are named.
const LONG: &[Bench] = &[races::SQLITE, races::POSTGRES];

/// Threads for clients, apart from those of the program that is measured.
fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Runtime::new().context("no runtime can be started")
}

fn main() -> Result<()> {
    let args = Args::parse();
    if !args.child.is_empty() {
        return child::serve(&args.child);
    }
    let folder = tempfile::tempdir().context("there is no folder for the data of the benches")?;
    let task = Task {
        quick: args.quick,
        folder: folder.path(),
        asked: &args.names,
    };
    let long: &[Bench] = if args.names.is_empty() { &[] } else { LONG };
    let benches = || BENCHES.iter().chain(long);
    let known = || benches().flat_map(|bench| bench.measures);
    if !known().any(|measure| task.wants(measure)) {
        let all: Vec<&str> = known().copied().collect();
        bail!("no measure has such a name; there are {}", all.join(", "));
    }
    for bench in benches() {
        if !bench.measures.iter().any(|measure| task.wants(measure)) {
            continue;
        }
        let machine = clock::Machine::look()?;
        let measures = (bench.run)(&task)?;
        let others = machine.others()?;
        for measure in measures.iter().filter(|measure| task.wants(measure.name())) {
            measure.print(others)?;
        }
    }
    Ok(())
}
