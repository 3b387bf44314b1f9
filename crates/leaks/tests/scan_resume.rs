//! A run that is stopped, or that fails, is gone on with: the result is that of one that was never disturbed, no pair is
//! tested twice whose verdict was committed, and the place to go on is never within a record.

mod scan_support;

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;
use rightful_leaks::sample::Dice;
use rightful_leaks::scan::{Checkpoint, Finished, Recalled, ScanFault};
use rightful_leaks::unpack::lines::Sizes;
use scan_support::{
    Failed, Fails, Laid, Leak, MemoryLedger, Packing, Running, Site, Way, cases, difference, lay, run, run_with, sorted,
};

/// Where a run is broken off.
#[derive(Clone, Copy, Debug)]
enum Break {
    /// Somebody asks it to stop when progress has been shown this often.
    Stop(usize),
    /// The commit with this number fails.
    Commit(usize),
}

/// The place to go on is between two records, and every line before it is counted: no more, no fewer.
fn check(laid: &Laid, checkpoint: &Checkpoint) {
    assert!(checkpoint.parser.is_between_records());
    assert_eq!(checkpoint.parser.pending_lines(), 0);
    assert_eq!(
        checkpoint.tally.lines(),
        laid.lines_before(checkpoint),
        "{checkpoint:?}"
    );
}

/// One run, gone on with from what the ledger has kept. `None` where it was broken off.
fn go_on(site: &Site, laid: &Laid, way: Way, ledger: &mut MemoryLedger<'_>, end: Option<Break>) -> Option<Finished> {
    let stop = AtomicBool::new(false);
    ledger.commits = 0;
    ledger.fails = Fails::Never;
    let recalled = if ledger.verdicts.is_empty() && ledger.checkpoint() == Checkpoint::default() {
        Recalled::default()
    } else {
        ledger.recalled()
    };
    let mut shown = 0;
    let mut stop_at = usize::MAX;
    match end {
        Some(Break::Stop(at)) => stop_at = at,
        Some(Break::Commit(at)) => ledger.fails = Fails::Commit(at),
        None => {}
    }
    let running = Running {
        way,
        recalled,
        stop: &stop,
    };
    let outcome = run_with(site, &laid.sources, running, ledger, &mut |_| {
        shown += 1;
        if shown >= stop_at {
            stop.store(true, Ordering::Relaxed);
        }
    });
    match outcome {
        Ok(finished) if finished.stopped => {
            assert!(matches!(end, Some(Break::Stop(_))));
            None
        }
        Ok(finished) => Some(finished),
        Err(ScanFault::Ledger(Failed)) => {
            assert!(matches!(end, Some(Break::Commit(_))));
            None
        }
        Err(other) => panic!("{other}"),
    }
}

/// What was found in the end is what an undisturbed run finds.
#[track_caller]
fn same(site: &Site, leak: &Leak, laid: &Laid, ledger: &MemoryLedger<'_>, finished: &Finished, undisturbed: &Finished) {
    let found = sorted(finished.exposures.clone());
    let truth = sorted(undisturbed.exposures.clone());
    assert!(found == truth, "{}", difference(site, leak, laid, &found, &truth));
    assert_eq!(
        sorted(ledger.exposures.values().cloned().collect()),
        truth,
        "what was kept"
    );
    let (progress, before) = (&finished.progress, &undisturbed.progress);
    assert_eq!(progress.tally, before.tally);
    // Tests are counted when they are committed: one more here would be one that was made twice.
    assert_eq!(progress.tests, before.tests);
    assert_eq!(progress.exposures, before.exposures);
    assert_eq!(finished.texts, undisturbed.texts);
    assert_eq!(ledger.verdicts.len() as u64, before.tests);
    assert_eq!(ledger.checkpoint().tally, before.tally);
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn an_interrupted_run_comes_to_the_same(seed in any::<u64>(), size in 1usize..12, count in 1usize..200) {
        let mut dice = Dice::new(seed);
        let hostile = dice.below(2) == 0;
        let site = Site::invent(&mut dice, size, hostile);
        let leak = Leak::invent(&mut dice, &site, count, hostile);
        let laid = lay(&leak, 1 + dice.below(5), dice.pick(&Packing::ALL), dice.below(4) == 0);
        let undisturbed = run(&site, &laid.sources, Way::PLAIN, &mut MemoryLedger::new(&site));
        let mut ledger = MemoryLedger::new(&site);
        ledger.watch = Some(Box::new(|checkpoint| check(&laid, checkpoint)));
        let mut finished = None;
        for _ in 0..dice.below(6) {
            let end = match dice.below(2) {
                0 => Break::Stop(1 + dice.below(12)),
                _ => Break::Commit(1 + dice.below(8)),
            };
            finished = go_on(&site, &laid, Way::invent(&mut dice), &mut ledger, Some(end));
            if finished.is_some() {
                break;
            }
        }
        let finished = finished.or_else(|| go_on(&site, &laid, Way::invent(&mut dice), &mut ledger, None));
        same(&site, &leak, &laid, &ledger, &finished.expect("it runs to its end"), &undisturbed);
    }
}

/// So many records that reading them waits for room several times: there are blocks for at least three commits then.
const LONG: usize = 1500;

/// Commits whenever there is anything to commit, in blocks of a few lines.
const EAGER: Way = Way {
    readers: 2,
    workers: 2,
    sizes: Sizes {
        block: 702,
        max_line: 700,
        decide: 1 << 20,
    },
    tick: 2_000_000,
    ..Way::PLAIN
};

#[test]
fn a_run_goes_on_from_every_commit_whatever_the_leak_is_packed_in() {
    let mut dice = Dice::new(7);
    let site = Site::invent(&mut dice, 6, false);
    let leak = Leak::invent(&mut dice, &site, LONG, true);
    for packing in Packing::ALL {
        let laid = lay(&leak, 3, packing, false);
        let undisturbed = run(&site, &laid.sources, Way::PLAIN, &mut MemoryLedger::new(&site));
        assert!(undisturbed.progress.bytes > 0);
        let mut broken = 0;
        for at in [1, 2, 3, 6, 12, 24] {
            let mut ledger = MemoryLedger::new(&site);
            ledger.watch = Some(Box::new(|checkpoint| check(&laid, checkpoint)));
            let first = go_on(&site, &laid, EAGER, &mut ledger, Some(Break::Commit(at)));
            let Some(finished) = first.or_else(|| {
                broken += 1;
                assert!(
                    ledger.checkpoint() == Checkpoint::default() || at > 1,
                    "what failed is not kept"
                );
                go_on(&site, &laid, EAGER, &mut ledger, None)
            }) else {
                panic!("it runs to its end");
            };
            same(&site, &leak, &laid, &ledger, &finished, &undisturbed);
        }
        assert!(broken > 2, "{packing:?}: it was broken off {broken} times");
    }
}

#[test]
fn a_run_stopped_at_every_step_goes_on_to_the_end() {
    let mut dice = Dice::new(8);
    let site = Site::invent(&mut dice, 6, false);
    let leak = Leak::invent(&mut dice, &site, LONG, true);
    let laid = lay(&leak, 4, Packing::TarGz, false);
    let undisturbed = run(&site, &laid.sources, Way::PLAIN, &mut MemoryLedger::new(&site));
    let mut ledger = MemoryLedger::new(&site);
    let (mut finished, mut patience) = (None, 1);
    while finished.is_none() {
        finished = go_on(&site, &laid, EAGER, &mut ledger, Some(Break::Stop(patience)));
        // A run that is stopped too soon gets nowhere, and that is no fault.
        patience += 1;
    }
    same(
        &site,
        &leak,
        &laid,
        &ledger,
        &finished.expect("it just ended"),
        &undisturbed,
    );
    assert!(patience > 2);
}

#[test]
fn the_place_to_go_on_is_never_within_a_record() {
    // Nothing but blocks of labelled lines, so that nearly every block of bytes ends within one.
    let mut text = String::new();
    let mut records = Vec::new();
    for number in 0..120_u64 {
        records.push(number * 5 + 1);
        text.push_str(&format!(
            "SOFT: Chrome\nURL: https://shop{number}.example/\nUSER: ann@example.org\nPASS: secret{number}\n\n"
        ));
    }
    let secrets: Vec<String> = (0..120).map(|number| format!("secret{number}")).collect();
    let written: Vec<(u64, &str, &[u8], bool)> = records
        .iter()
        .zip(&secrets)
        .map(|(line, secret)| (*line, "ann@example.org", secret.as_bytes(), true))
        .collect();
    let leak = Leak::of(text.as_bytes(), &written);
    let site = Site::of_names(&["ann@example.org"]);
    let laid = lay(&leak, 1, Packing::Plain, false);
    let undisturbed = run(&site, &laid.sources, Way::PLAIN, &mut MemoryLedger::new(&site));
    for block in [98, 131, 300] {
        let way = Way {
            sizes: Sizes {
                block,
                max_line: 96,
                decide: 64,
            },
            ..EAGER
        };
        let within = Cell::new(0);
        let mut ledger = MemoryLedger::new(&site);
        ledger.watch = Some(Box::new(|checkpoint| {
            check(&laid, checkpoint);
            // Behind a blank line, behind the last line of a record at the earliest.
            within.set(within.get() + u64::from((checkpoint.position.line - 1) % 5 != 0));
        }));
        let mut finished = None;
        for at in 1..6 {
            finished = finished.or_else(|| go_on(&site, &laid, way, &mut ledger, Some(Break::Commit(1 + at))));
        }
        let finished = finished.or_else(|| go_on(&site, &laid, way, &mut ledger, None));
        same(&site, &leak, &laid, &ledger, &finished.expect("it ends"), &undisturbed);
        assert_eq!(within.get(), 0, "blocks of {block}");
    }
}

#[test]
fn what_was_not_read_is_told_once_however_often_a_run_is_broken_off() {
    let mut dice = Dice::new(9);
    let site = Site::invent(&mut dice, 6, false);
    let leak = Leak::invent(&mut dice, &site, 60, false);
    let laid = lay(&leak, 3, Packing::Folder, false);
    for (name, bytes) in [
        ("part000a.bin", b"\x7fELF\x02\x01\x01\0\0\0\0".as_slice()),
        ("part001a.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\x03cut"),
    ] {
        std::fs::write(laid.folder.path().join(name), bytes).expect("room");
    }
    let undisturbed = run(&site, &laid.sources, Way::PLAIN, &mut MemoryLedger::new(&site));
    assert_eq!(undisturbed.troubles.len(), 2, "{:?}", undisturbed.troubles);
    for at in 1.. {
        let mut ledger = MemoryLedger::new(&site);
        let first = go_on(&site, &laid, EAGER, &mut ledger, Some(Break::Commit(at)));
        let unbroken = first.is_some();
        let finished = first.or_else(|| go_on(&site, &laid, EAGER, &mut ledger, None));
        assert_eq!(
            finished.expect("it ends").troubles,
            undisturbed.troubles,
            "broken at {at}"
        );
        if unbroken {
            break;
        }
    }
}
