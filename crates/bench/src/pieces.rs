//! The pieces that a scan is made of, each alone. They have no targets: they say where the time goes.

use std::hint::black_box;
use std::sync::mpsc::channel;

use anyhow::{Result, anyhow, ensure};
use rightful_core::identifier::MatchKey;
use rightful_crypto::pool::Priority;
use rightful_leaks::parse::{Bin, LineParser, Record, RecordSink};
use rightful_leaks::sample::Dice;
use rightful_leaks::unpack::{
    LeakSource, RawProgress, SourceFile, Start, Stop, TextName, TextOutcome, TextSink, UnpackOptions, Unread,
    read_sources,
};

use crate::clock::Spent;
use crate::leak_lines::{LeakFile, LeakLines, Packing, strangers};
use crate::measure::{Measure, Rounds};
use crate::packed::decompress;
use crate::people::{Crowd, address};
use crate::scan::ACCOUNTS;
use crate::{Bench, Task, scanning};

const HAND_OVER: &str = "hash-pool-hand-over";
const PARSE: &str = "parse-line";
const KEY: &str = "match-key";
const PROBE: &str = "probe-name";
const UNPACK_PLAIN: &str = "unpack-plain";
const UNPACK_GZIP: &str = "unpack-gzip";
const UNPACK_ZSTD: &str = "unpack-zstd";

/// All of them.
pub(crate) const BENCH: Bench = Bench {
    measures: &[HAND_OVER, PARSE, KEY, PROBE, UNPACK_PLAIN, UNPACK_GZIP, UNPACK_ZSTD],
    run,
};

const ROUNDS: usize = 5;

fn run(task: &Task<'_>) -> Result<Vec<Measure>> {
    let mut measures = Vec::new();
    if task.wants(HAND_OVER) {
        measures.push(hand_over()?);
    }
    if task.wants(PARSE) {
        measures.push(parse()?);
    }
    if task.wants(KEY) || task.wants(PROBE) {
        measures.extend(probe()?);
    }
    for (name, packing) in [
        (UNPACK_PLAIN, Packing::Plain),
        (UNPACK_GZIP, Packing::Gzip),
        (UNPACK_ZSTD, Packing::Zstd),
    ] {
        if task.wants(name) {
            let leak = strangers(task.folder, task.pick(2_000_000, 10_000_000), packing)?;
            measures.push(unpack(name, &leak, packing)?);
        }
    }
    Ok(measures)
}

/// Work that does nothing, handed to the pool and back.
fn hand_over() -> Result<Measure> {
    const PIECES: usize = 100_000;
    let pool = scanning::pool()?;
    let mut work = || {
        let (done, answers) = channel();
        for _ in 0..PIECES {
            let done = done.clone();
            // Whoever counts below is there until the last answer.
            pool.submit_when_room(Priority::LeakTest, move |_| done.send(()).unwrap_or_default());
        }
        drop(done);
        let answered = answers.iter().count();
        ensure!(answered == PIECES, "{answered} of {PIECES} pieces were answered");
        Ok(())
    };
    let rounds = Rounds::run(ROUNDS, &mut [&mut work])?;
    Ok(Measure::of(
        HAND_OVER,
        rounds.seconds(0, Spent::wall) * 1e9 / PIECES as f64,
        "ns",
    ))
}

/// Counts what the parser finds.
#[derive(Default)]
struct Count {
    records: u64,
    others: u64,
}

impl RecordSink for Count {
    fn record(&mut self, record: &Record<'_>) {
        self.records += black_box(record.readings.len() as u64).min(1);
    }

    fn count(&mut self, _: Bin, lines: u64) {
        self.others += lines;
    }
}

fn parse() -> Result<Measure> {
    const LINES: usize = 200_000;
    let (mut source, mut text) = (LeakLines::new(1)?, Vec::new());
    (0..LINES).for_each(|_| source.next(&mut text));
    let mut lines = || {
        let (mut parser, mut count, mut begin) = (LineParser::new(), Count::default(), 0);
        for (end, number) in memchr::memchr_iter(b'\n', &text).zip(1..) {
            parser.line(number, &text[begin..end], &mut count);
            begin = end + 1;
        }
        parser.finish(&mut count);
        let all = count.records + count.others;
        ensure!(all == LINES as u64, "{all} of {LINES} lines were counted");
        Ok(())
    };
    let mut ends = || {
        black_box(memchr::memchr_iter(b'\n', &text).count());
        Ok(())
    };
    let rounds = Rounds::run(5 * ROUNDS, &mut [&mut lines, &mut ends])?;
    let ns = |work| rounds.seconds(work, Spent::cpu) * 1e9 / LINES as f64;
    Ok(Measure::of(PARSE, ns(0), "ns").with("finding_line_ends", ns(1)))
}

/// A name to its key, and the key looked up among a million others.
fn probe() -> Result<[Measure; 2]> {
    const NAMES: usize = 200_000;
    let table = scanning::table(ACCOUNTS);
    let mut dice = Dice::new(5);
    let names: Vec<Vec<u8>> = (0..NAMES)
        .map(|_| {
            let mut name = Vec::new();
            address(&mut dice, Crowd::Strangers, &mut name);
            name
        })
        .collect();
    let mut keys = || {
        for name in &names {
            black_box(MatchKey::of(name).map(|key| key.as_bytes().len()));
        }
        Ok(())
    };
    let mut probes = || {
        let found: usize = names
            .iter()
            .filter_map(|name| MatchKey::of(name))
            .map(|key| table.accounts(key.as_bytes()).count())
            .sum();
        ensure!(found == 0, "{found} strangers were found among the accounts");
        Ok(())
    };
    let rounds = Rounds::run(5 * ROUNDS, &mut [&mut keys, &mut probes])?;
    let ns = |work| rounds.seconds(work, Spent::cpu) * 1e9 / NAMES as f64;
    Ok([
        Measure::of(KEY, ns(0), "ns"),
        Measure::of(PROBE, ns(1) - ns(0), "ns").with("accounts", ACCOUNTS),
    ])
}

/// Takes every byte and keeps none.
#[derive(Default)]
struct Drain {
    bytes: u64,
}

impl TextSink for Drain {
    fn begin(&mut self, _: &TextName) -> Result<Start, Stop> {
        Ok(Start::FromByte(0))
    }

    fn chunk(&mut self, bytes: &[u8], _: RawProgress) -> Result<(), Stop> {
        self.bytes += black_box(bytes).len() as u64;
        Ok(())
    }

    fn end(&mut self, _: &TextOutcome) -> Result<(), Stop> {
        Ok(())
    }

    fn unread(&mut self, _: &TextName, _: &Unread) -> Result<(), Stop> {
        Err(Stop)
    }

    fn source_end(&mut self, _: &SourceFile, _: Option<[u8; 32]>, _: u64) -> Result<(), Stop> {
        Ok(())
    }
}

/// The unpacking room against the decompressor alone.
fn unpack(name: &'static str, leak: &LeakFile, packing: Packing) -> Result<Measure> {
    let sources = [LeakSource::Path(leak.path.clone())];
    let mut ours = || {
        let mut drain = Drain::default();
        read_sources(&sources, &UnpackOptions::default(), &mut drain).map_err(|fault| anyhow!("{fault}"))?;
        ensure!(drain.bytes == leak.bytes, "{} bytes came out", drain.bytes);
        Ok(())
    };
    let rounds = Rounds::run(ROUNDS, &mut [&mut ours, &mut || decompress(leak, packing)])?;
    let rate = |work| leak.bytes as f64 / rounds.seconds(work, Spent::cpu) / 1e9;
    Ok(Measure::of(name, rate(0), "GB/s").in_rounds(rate(1), rounds.ratio(0, 1, Spent::cpu)))
}
