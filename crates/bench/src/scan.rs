//! Lines that name nobody: what nearly every line of a leak is.

use std::fs::File;
use std::hint::black_box;
use std::io::Read;
use std::path::Path;

use anyhow::{Result, ensure};
use rightful_crypto::pool::HashPool;
use rightful_leaks::index::IdentifierTable;

use crate::clock::Spent;
use crate::leak_lines::{LeakFile, Packing, strangers};
use crate::measure::{Measure, Rounds, rounded};
use crate::scanning::{self, Memory};
use crate::{Bench, Task, child};

/// Accounts whose names are looked for.
pub(crate) const ACCOUNTS: usize = 1_000_000;

/// What a scan may take: 64 MiB and 24 bytes a name.
const MEMORY_ALLOWED: f64 = (64 * 1024 * 1024 + 24 * ACCOUNTS) as f64;

const MIB: f64 = 1024.0 * 1024.0;

const PLAIN: &str = "scan-plain";
const OF_SPLIT: &str = "scan-plain-of-split";
const WITH_SHA256: &str = "scan-plain-with-sha256";

/// How fast a plain file is read.
pub(crate) const SPEED: Bench = Bench {
    measures: &[PLAIN, OF_SPLIT, WITH_SHA256],
    run: speed,
};

const SHORT: &str = "scan-memory-short";
const LONG: &str = "scan-memory-long";
const GROWTH: &str = "scan-memory-growth";

/// How much memory that takes.
pub(crate) const MEMORY: Bench = Bench {
    measures: &[SHORT, LONG, GROWTH],
    run: memory,
};

/// Scans a file about strangers and makes sure that every line was seen and none named anybody.
pub(crate) fn scan_strangers(
    leak: &LeakFile,
    times: usize,
    sha256: bool,
    table: &IdentifierTable,
    pool: &HashPool,
) -> Result<()> {
    let found = scanning::scan(&leak.path, times, sha256, table, pool, &mut Memory::default())?;
    let tally = found.progress.tally;
    let lines = leak.lines * times as u64;
    ensure!(
        (tally.lines(), tally.named) == (lines, 0),
        "of {lines} lines about strangers {} were read and {} named somebody",
        tally.lines(),
        tally.named
    );
    ensure!(
        tally.names_nobody > lines / 10 * 9,
        "only {} of {lines} lines were read as records",
        tally.names_nobody
    );
    Ok(())
}

fn speed(task: &Task<'_>) -> Result<Vec<Measure>> {
    let leak = strangers(task.folder, task.pick(2_000_000, 10_000_000), Packing::Plain)?;
    let (table, pool) = (scanning::table(ACCOUNTS), scanning::pool()?);
    let lines = leak.lines as f64;
    let rounds = Rounds::run(
        7,
        &mut [
            &mut || scan_strangers(&leak, 1, false, &table, &pool),
            &mut || split(&leak.path, leak.lines),
            &mut || scan_strangers(&leak, 1, true, &table, &pool),
        ],
    )?;
    let per_second = |work, clock| lines / rounds.seconds(work, clock);
    let ours = per_second(0, Spent::cpu);
    let unit = "lines/s per core";
    Ok(vec![
        Measure::of(PLAIN, ours, unit)
            .at_least(4e6, "4 M/s")
            .with("next_target", 8e6)
            .with("ns_per_line", rounded(1e9 / ours))
            .with("wall_lines_per_s", per_second(0, Spent::wall).round())
            .with("bytes_per_line", rounded(leak.bytes as f64 / lines))
            .with("accounts", ACCOUNTS),
        Measure::of(OF_SPLIT, ours, unit)
            .in_rounds(per_second(1, Spent::cpu), rounds.ratio(0, 1, Spent::cpu))
            .ratio_at_least(0.1),
        Measure::of(WITH_SHA256, per_second(2, Spent::cpu), unit).in_rounds(ours, rounds.ratio(2, 0, Spent::cpu)),
    ])
}

/// Reads the file and finds the ends of its lines and the first separator in each, and does nothing with them.
fn split(path: &Path, lines: u64) -> Result<()> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1024 * 1024];
    let (mut kept, mut seen, mut separators) = (0, 0_u64, 0_u64);
    loop {
        let read = file.read(&mut buffer[kept..])?;
        if read == 0 {
            break;
        }
        let text = &buffer[..kept + read];
        let mut begin = 0;
        for end in memchr::memchr_iter(b'\n', text) {
            let line = &text[begin..end];
            separators += u64::from(memchr::memchr3(b':', b';', b'|', line).is_some());
            begin = end + 1;
            seen += 1;
        }
        let end = text.len();
        buffer.copy_within(begin..end, 0);
        kept = end - begin;
    }
    black_box(separators);
    ensure!(seen == lines, "{seen} lines were split, not {lines}");
    Ok(())
}

fn memory(task: &Task<'_>) -> Result<Vec<Measure>> {
    let leak = strangers(task.folder, task.pick(2_000_000, 10_000_000), Packing::Plain)?;
    let times = task.pick(10, 20);
    let taken = |times: usize| child::scan_memory(&leak, times);
    let (short, long) = (taken(1)?, taken(times)?);
    let within = |measure, peak: u64, times: usize| {
        Measure::of(measure, peak as f64 / MIB, "MiB")
            .beside(MEMORY_ALLOWED / MIB)
            .ratio_at_most(1.0)
            .with("lines", leak.lines * times as u64)
            .with("accounts", ACCOUNTS)
    };
    Ok(vec![
        within(SHORT, short, 1),
        within(LONG, long, times),
        Measure::of(GROWTH, long as f64 / MIB, "MiB")
            .beside(short as f64 / MIB)
            .ratio_at_most(1.1),
    ])
}
