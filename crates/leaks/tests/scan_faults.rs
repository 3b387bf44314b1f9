//! Whatever fails, a run ends with that fault: it neither hangs nor answers half.

mod scan_support;

use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use rightful_crypto::password::VerifyFault;
use rightful_leaks::sample::Dice;
use rightful_leaks::scan::{Finished, Recalled, ScanFault};
use rightful_leaks::unpack::lines::Sizes;
use rightful_leaks::unpack::{LeakSource, ReadFault};
use scan_support::{Failed, Fails, Leak, Member, MemoryLedger, Packing, Running, Site, Way, lay, run_with, stored};

/// Runs `work`, which ends by itself unless it hangs.
fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, outcome) = channel();
    let worker = std::thread::spawn(move || done.send(work()));
    match outcome.recv_timeout(Duration::from_secs(120)) {
        Ok(outcome) => outcome,
        Err(RecvTimeoutError::Timeout) => panic!("it hangs"),
        Err(RecvTimeoutError::Disconnected) => {
            std::panic::resume_unwind(worker.join().expect_err("it ended without an answer"))
        }
    }
}

/// Small blocks: many more than may wait to be decided, so that the reading thread is held up when the run ends.
const SMALL: Way = Way {
    readers: 2,
    workers: 2,
    queue: 1,
    sizes: Sizes {
        block: 702,
        max_line: 700,
        decide: 1 << 20,
    },
    tick: 2_000_000,
    ..Way::PLAIN
};

/// A run over a long leak with a ledger that fails.
fn fails(fails: Fails) -> (Result<Finished, ScanFault<Failed>>, usize) {
    in_time(move || {
        let mut dice = Dice::new(3);
        let site = Site::invent(&mut dice, 8, false);
        let leak = Leak::invent(&mut dice, &site, 2000, false);
        let laid = lay(&leak, 2, Packing::Gzip, false);
        let mut ledger = MemoryLedger::new(&site);
        ledger.fails = fails;
        let stop = AtomicBool::new(false);
        let running = Running {
            way: SMALL,
            recalled: Recalled::default(),
            stop: &stop,
        };
        let outcome = run_with(&site, &laid.sources, running, &mut ledger, &mut |_| ());
        (outcome, ledger.commits)
    })
}

#[test]
fn a_ledger_that_fails_ends_the_run_with_its_own_fault() {
    for what in [
        Fails::Accounts,
        Fails::Known,
        Fails::SourceRead,
        Fails::Commit(1),
        Fails::Commit(2),
    ] {
        let (outcome, commits) = fails(what);
        assert!(matches!(outcome, Err(ScanFault::Ledger(Failed))), "{what:?}");
        if let Fails::Commit(at) = what {
            assert_eq!(commits, at, "nothing is committed after that");
        }
    }
    assert!(fails(Fails::Never).0.is_ok());
}

#[test]
fn a_source_that_is_not_there_is_told_before_anything_is_read() {
    let outcome = in_time(|| {
        let site = Site::of_names(&["ann@example.org"]);
        let mut ledger = MemoryLedger::new(&site);
        let stop = AtomicBool::new(false);
        let running = Running {
            way: SMALL,
            recalled: Recalled::default(),
            stop: &stop,
        };
        let sources = [LeakSource::Path("/nowhere/at/all.txt".into())];
        let outcome = run_with(&site, &sources, running, &mut ledger, &mut |_| ()).map(drop);
        assert_eq!(ledger.commits, 0);
        outcome
    });
    assert!(
        matches!(outcome, Err(ScanFault::Read(ReadFault::Open { .. }))),
        "{outcome:?}"
    );
}

#[test]
fn a_run_that_is_told_to_stop_before_it_begins_stops() {
    let finished = in_time(|| {
        let mut dice = Dice::new(3);
        let site = Site::invent(&mut dice, 8, false);
        let leak = Leak::invent(&mut dice, &site, 2000, false);
        let laid = lay(&leak, 2, Packing::Plain, false);
        let stop = AtomicBool::new(true);
        let running = Running {
            way: SMALL,
            recalled: Recalled::default(),
            stop: &stop,
        };
        run_with(
            &site,
            &laid.sources,
            running,
            &mut MemoryLedger::new(&site),
            &mut |_| (),
        )
        .expect("a stop is no fault")
    });
    assert!(finished.stopped && !finished.progress.reading_done);
    assert_eq!(finished.progress.tests, 0);
}

#[test]
fn a_panic_in_the_reading_thread_ends_the_run() {
    let outcome = in_time(|| {
        let site = Site::of_names(&["ann@example.org"]);
        let leak = Leak::of(b"ann@example.org:hunter2\n", &[]);
        let laid = lay(&leak, 1, Packing::Plain, false);
        let stop = AtomicBool::new(false);
        let running = Running {
            // No block could hold the longest line, which the splitter refuses with a panic.
            way: Way {
                sizes: Sizes {
                    block: 10,
                    ..SMALL.sizes
                },
                ..SMALL
            },
            recalled: Recalled::default(),
            stop: &stop,
        };
        run_with(
            &site,
            &laid.sources,
            running,
            &mut MemoryLedger::new(&site),
            &mut |_| (),
        )
        .map(drop)
    });
    assert!(matches!(outcome, Err(ScanFault::Worker)), "{outcome:?}");
}

/// Asks for 256 MiB, the most that is accepted.
const LARGE: &str = "$argon2id$v=19$m=262144,t=1,p=1$c29tZXNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI";

/// Set for the process that has too little memory.
const CHILD: &str = "RIGHTFUL_TEST_LITTLE_MEMORY";

#[test]
fn a_hash_that_cannot_be_computed_ends_the_run() {
    if std::env::vars().any(|(name, _)| name == CHILD) {
        return with_little_memory();
    }
    // In a process of its own with 200 MiB, which are plenty for all but the hash.
    let test = std::env::current_exe().expect("this program has a path");
    let child = Command::new("sh")
        .args([
            "-c",
            "ulimit -v 204800 && exec \"$0\" --exact a_hash_that_cannot_be_computed_ends_the_run",
        ])
        .arg(test)
        .env(CHILD, "1")
        .output()
        .expect("a shell");
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
}

fn with_little_memory() {
    let outcome = in_time(|| {
        let mut site = Site::of_names(&["ann@example.org"]);
        let member: &mut Member = &mut site.members[0];
        member.passwords = std::sync::Arc::new(rightful_leaks::account::Passwords {
            current: Some(stored(LARGE)),
            ..Default::default()
        });
        let leak = Leak::of("ann@example.org:hunter2\n".repeat(200).as_bytes(), &[]);
        let laid = lay(&leak, 1, Packing::Plain, false);
        let stop = AtomicBool::new(false);
        let running = Running {
            way: Way {
                workers: 1,
                readers: 1,
                ..SMALL
            },
            recalled: Recalled::default(),
            stop: &stop,
        };
        let mut ledger = MemoryLedger::new(&site);
        let outcome = run_with(&site, &laid.sources, running, &mut ledger, &mut |_| ()).map(drop);
        assert!(ledger.verdicts.is_empty(), "what could not be computed has no verdict");
        outcome
    });
    assert!(
        matches!(
            outcome,
            Err(ScanFault::Verify(VerifyFault::OutOfMemory { kib: 262_144 }))
        ),
        "{outcome:?}"
    );
}
