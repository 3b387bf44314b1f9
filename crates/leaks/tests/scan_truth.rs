//! The same answer whatever the threads, blocks, files and packing, and the true one: precision 1 and recall 1 over generated
//! sites and leaks.

mod scan_support;

use proptest::prelude::*;
use rightful_core::Grade;
use rightful_leaks::sample::Dice;
use rightful_leaks::scan::{Exposure, Finished};
use scan_support::{Laid, Leak, MemoryLedger, Packing, Site, Way, cases, difference, expected, lay, run, sorted};

/// Everything that a run says, held against the truth.
#[track_caller]
fn holds(site: &Site, leak: &Leak, laid: &Laid, finished: &Finished) {
    let (truth, named) = expected(site, leak, laid);
    let found = sorted(finished.exposures.clone());
    assert!(found == truth, "{}", difference(site, leak, laid, &found, &truth));
    let tally = &finished.progress.tally;
    assert_eq!(tally.lines(), leak.lines(), "every line is in one bin");
    assert_eq!(tally.named, named);
    for grade in Grade::ALL {
        let count = truth.iter().filter(|one| one.grade == grade).count() as u64;
        assert_eq!(finished.progress.exposures.grades[grade as usize], count, "{grade:?}");
    }
    assert!(finished.troubles.is_empty());
    assert_eq!(finished.progress.tests_waiting, 0);
    assert_eq!(finished.progress.tests_expected(), Some(finished.progress.tests));
}

/// Only what the password proves, without what is merely listed.
fn proven(exposures: Vec<Exposure>) -> Vec<Exposure> {
    let mut exposures = sorted(exposures);
    exposures.retain(|found| found.grade < Grade::Untested);
    exposures
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn the_answer_is_the_true_one_however_the_leak_is_read(seed in any::<u64>(), size in 0usize..14, count in 0usize..160) {
        let mut dice = Dice::new(seed);
        let site = Site::invent(&mut dice, size, false);
        let leak = Leak::invent(&mut dice, &site, count, false);
        let laid = lay(&leak, 1, Packing::Plain, false);
        let mut ledger = MemoryLedger::new(&site);
        let first = run(&site, &laid.sources, Way::PLAIN, &mut ledger);
        holds(&site, &leak, &laid, &first);
        prop_assert_eq!(first.progress.tests, ledger.verdicts.len() as u64);
        prop_assert_eq!(sorted(ledger.exposures.values().cloned().collect()), sorted(first.exposures));
        let known = ledger.verdicts;
        for _ in 0..5 {
            let (texts, packing, way) = (1 + dice.below(6), dice.pick(&Packing::ALL), Way::invent(&mut dice));
            let laid = lay(&leak, texts, packing, dice.below(4) == 0);
            let mut ledger = MemoryLedger::new(&site);
            let finished = run(&site, &laid.sources, way, &mut ledger);
            holds(&site, &leak, &laid, &finished);
            prop_assert_eq!(&finished.progress.tally, &first.progress.tally, "{:?} {:?}", packing, way);
            prop_assert_eq!(&ledger.verdicts, &known);
            // Once more, with what is known from the first time: not one hash.
            let mut ledger = MemoryLedger::new(&site);
            ledger.known = known.iter().map(|(pair, (verdict, _))| (*pair, verdict.clone())).collect();
            let again = run(&site, &laid.sources, Way::invent(&mut dice), &mut ledger);
            holds(&site, &leak, &laid, &again);
            prop_assert_eq!((again.progress.tests, again.progress.known_before), (0, known.len() as u64));
        }
    }

    #[test]
    fn passwords_that_are_hard_to_read_are_proven_all_and_no_others(seed in any::<u64>(), size in 1usize..14, count in 1usize..160) {
        let mut dice = Dice::new(seed);
        let site = Site::invent(&mut dice, size, true);
        let leak = Leak::invent(&mut dice, &site, count, true);
        for _ in 0..2 {
            let laid = lay(&leak, 1 + dice.below(3), dice.pick(&Packing::ALL), false);
            let finished = run(&site, &laid.sources, Way::invent(&mut dice), &mut MemoryLedger::new(&site));
            let (found, truth) = (proven(finished.exposures), proven(expected(&site, &leak, &laid).0));
            prop_assert!(found == truth, "{}", difference(&site, &leak, &laid, &found, &truth));
            prop_assert_eq!(finished.progress.tally.lines(), leak.lines());
        }
    }
}
