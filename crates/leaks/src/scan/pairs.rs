//! The pairs of account and secret that a run has met, and what became of each.
//!
//! A pair is tested once however often it is met. A line that can be read in several ways names an account with several
//! secrets; it makes one exposure, of the reading with the best grade. Nothing here depends on the order in which tests end:
//! the position of an exposure is the smallest, its kind the gravest.

use std::collections::HashMap;

use rightful_core::{Grade, Kind, PasswordVersion};
use rightful_crypto::seal::SecretTag;

use crate::account::Naming;
use crate::grade::Verdict;
use crate::index::AccountIndex;

/// Where in the leak: the text by its place in the order of reading, then the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The text: files in the order given, members in the order packed.
    pub text: u32,
    /// The line, from 1; of a record of several lines the first.
    pub line: u64,
}

/// A line at which an account was named with a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// Where.
    pub place: Place,
    /// By which name, and whether it is the very identifier.
    pub naming: Naming,
    /// The kind of the record.
    pub kind: Kind,
}

/// An exposure that the run has found: one account, one secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// The account.
    pub account: AccountIndex,
    /// The secret, as it can be known again.
    pub tag: SecretTag,
    /// The evidence.
    pub grade: Grade,
    /// Against which password it was reached; none where the account had none.
    pub version: Option<PasswordVersion>,
    /// The gravest kind of all lines that make this exposure; `Ours` where the hash is ours.
    pub kind: Kind,
    /// The first line that makes this exposure.
    pub place: Place,
    /// Which of the account's names stands there.
    pub name: u8,
    /// No line named the account strictly: it was found by a look-alike, and proven by the password.
    pub loose: bool,
}

/// Index of a pair within the run.
pub(crate) type PairNo = u32;
/// Index of an open record.
type RecordNo = u32;

struct Pair {
    account: AccountIndex,
    tag: SecretTag,
    verdict: Option<Verdict>,
    /// All lines that chose this pair, and those of them that name the account strictly.
    all: Lines,
    strict: Lines,
    changed: bool,
}

/// What counts of some lines: where the first of them is and which name stands there, and the gravest kind.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Lines {
    first: Option<(Place, u8)>,
    kind: Kind,
}

impl Lines {
    const NONE: Self = Self {
        first: None,
        kind: Kind::Dump,
    };

    fn add(&mut self, occurrence: Occurrence) {
        let here = (occurrence.place, occurrence.naming.name);
        self.first = Some(self.first.map_or(here, |first| first.min(here)));
        self.kind = self.kind.graver(occurrence.kind);
    }
}

struct OpenRecord {
    block: u64,
    untested: u32,
    pairs: Vec<PairNo>,
    occurrence: Vec<Occurrence>,
}

/// All pairs of a run.
#[derive(Default)]
pub(crate) struct Pairs {
    pairs: Vec<Pair>,
    by_tag: HashMap<SecretTag, PairNo>,
    open: HashMap<RecordNo, OpenRecord>,
    next_record: RecordNo,
    waiting: HashMap<PairNo, Vec<RecordNo>>,
    changed: Vec<PairNo>,
    counts: Counts,
}

/// Exposures by grade, in the order of [`Grade::ALL`], and how many of them are of our own hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// By grade.
    pub grades: [u64; Grade::ALL.len()],
    /// Our own hashes.
    pub ours: u64,
}

impl Pairs {
    /// The pair with this tag, made where it is new; and whether it is. (The tag of a secret differs between accounts.)
    pub(crate) fn meet(&mut self, account: AccountIndex, tag: SecretTag) -> (PairNo, bool) {
        let next = PairNo::try_from(self.pairs.len()).expect("fewer than 4,000 million named pairs fit in memory");
        let pair = *self.by_tag.entry(tag).or_insert(next);
        if pair == next {
            self.pairs.push(Pair {
                account,
                tag,
                verdict: None,
                all: Lines::NONE,
                strict: Lines::NONE,
                changed: false,
            });
        }
        (pair, pair == next)
    }

    /// Whether the pair has its verdict.
    pub(crate) fn is_decided(&self, pair: PairNo) -> bool {
        self.pairs[pair as usize].verdict.is_some()
    }

    /// The account and tag of a pair.
    pub(crate) fn key(&self, pair: PairNo) -> (AccountIndex, SecretTag) {
        let pair = &self.pairs[pair as usize];
        (pair.account, pair.tag)
    }

    /// Takes up a verdict that an interrupted run had reached.
    pub(crate) fn recall_verdict(&mut self, account: AccountIndex, tag: SecretTag, verdict: Verdict) {
        let (pair, _) = self.meet(account, tag);
        self.pairs[pair as usize].verdict = Some(verdict);
    }

    /// Takes up an exposure that an interrupted run had found.
    pub(crate) fn recall(&mut self, exposure: &Exposure) {
        let (no, _) = self.meet(exposure.account, exposure.tag);
        let before = self.pairs[no as usize].counted();
        let pair = &mut self.pairs[no as usize];
        pair.verdict = Some(Verdict {
            grade: exposure.grade,
            ours: exposure.kind == Kind::Ours,
            version: exposure.version,
        });
        pair.all = Lines {
            first: Some((exposure.place, exposure.name)),
            kind: exposure.kind,
        };
        // The lines that named the account strictly are not kept apart; that there are some is what matters.
        pair.strict = if exposure.loose { Lines::NONE } else { pair.all };
        self.count(before, no);
    }

    /// A record of `block` names an account with these pairs, the likeliest reading first. Answers whether it is settled
    /// at once: all of them were decided before.
    pub(crate) fn record(&mut self, block: u64, pairs: Vec<(PairNo, Occurrence)>) -> bool {
        let (pairs, occurrence): (Vec<PairNo>, Vec<Occurrence>) = pairs.into_iter().unzip();
        let undecided: Vec<PairNo> = pairs.iter().copied().filter(|&pair| !self.is_decided(pair)).collect();
        if undecided.is_empty() {
            self.settle(&pairs, &occurrence);
            return true;
        }
        let no = self.next_record;
        self.next_record = self.next_record.wrapping_add(1);
        for &pair in &undecided {
            self.waiting.entry(pair).or_default().push(no);
        }
        self.open.insert(
            no,
            OpenRecord {
                block,
                untested: undecided.len() as u32,
                pairs,
                occurrence,
            },
        );
        false
    }

    /// A pair got its verdict. Answers the blocks of the records that are settled by it, one entry a record.
    pub(crate) fn decide(&mut self, pair: PairNo, verdict: Verdict) -> Vec<u64> {
        self.pairs[pair as usize].verdict = Some(verdict);
        let mut settled = Vec::new();
        for no in self.waiting.remove(&pair).unwrap_or_default() {
            let Some(record) = self.open.get_mut(&no) else { continue };
            record.untested -= 1;
            if record.untested == 0 {
                let record = self.open.remove(&no).expect("it was just looked at");
                self.settle(&record.pairs, &record.occurrence);
                settled.push(record.block);
            }
        }
        settled
    }

    /// Gives the record to the pair with the best grade, the likeliest reading where they are alike.
    fn settle(&mut self, pairs: &[PairNo], occurrences: &[Occurrence]) {
        let grade = |pair: PairNo| {
            self.pairs[pair as usize]
                .verdict
                .as_ref()
                .map_or(Grade::Named, |verdict| verdict.grade)
        };
        let chosen = (0..pairs.len()).min_by_key(|&at| (grade(pairs[at]), at));
        let Some(chosen) = chosen else { return };
        let (no, occurrence) = (pairs[chosen], occurrences[chosen]);
        let pair = &mut self.pairs[no as usize];
        let (before, counted) = (pair.exposure(), pair.counted());
        pair.all.add(occurrence);
        if occurrence.naming.strict {
            pair.strict.add(occurrence);
        }
        // An exposure of an interrupted run may stand in a text that this run has not come to: only a line that moves it
        // here, and nothing else, makes it worth writing again.
        if before != pair.exposure() && !pair.changed {
            pair.changed = true;
            self.changed.push(no);
        }
        self.count(counted, no);
    }

    fn count(&mut self, before: Option<(Grade, bool)>, no: PairNo) {
        if let Some((grade, ours)) = before {
            self.counts.grades[grade as usize] -= 1;
            self.counts.ours -= u64::from(ours);
        }
        if let Some((grade, ours)) = self.pairs[no as usize].counted() {
            self.counts.grades[grade as usize] += 1;
            self.counts.ours += u64::from(ours);
        }
    }

    /// How many exposures there are.
    pub(crate) const fn counts(&self) -> Counts {
        self.counts
    }

    /// The exposures that are new or have changed since this was last asked.
    pub(crate) fn take_changed(&mut self) -> Vec<Exposure> {
        let changed = std::mem::take(&mut self.changed);
        for &no in &changed {
            self.pairs[no as usize].changed = false;
        }
        changed
            .iter()
            .filter_map(|&no| self.pairs[no as usize].exposure())
            .collect()
    }

    /// Every exposure found so far.
    pub(crate) fn exposures(&self) -> impl Iterator<Item = Exposure> + '_ {
        self.pairs.iter().filter_map(Pair::exposure)
    }
}

impl Pair {
    /// The lines that make its exposure with this verdict. What is not theirs, a look-alike's line says nothing about.
    fn evidence(&self, verdict: &Verdict) -> Lines {
        if verdict.grade == Grade::Named {
            self.strict
        } else {
            self.all
        }
    }

    /// How its exposure counts, if it makes one.
    fn counted(&self) -> Option<(Grade, bool)> {
        let verdict = self.verdict.as_ref()?;
        self.evidence(verdict).first.map(|_| (verdict.grade, verdict.ours))
    }

    /// None while it is undecided, and none where a look-alike's secret is not the account's.
    fn exposure(&self) -> Option<Exposure> {
        let verdict = self.verdict.as_ref()?;
        let lines = self.evidence(verdict);
        let (place, name) = lines.first?;
        Some(Exposure {
            account: self.account,
            tag: self.tag,
            grade: verdict.grade,
            version: verdict.version,
            kind: if verdict.ours { Kind::Ours } else { lines.kind },
            place,
            name,
            loose: self.strict.first.is_none(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(line: u64, strict: bool, kind: Kind) -> Occurrence {
        Occurrence {
            place: Place { text: 0, line },
            naming: Naming { name: 0, strict },
            kind,
        }
    }

    const fn verdict(grade: Grade) -> Verdict {
        Verdict {
            grade,
            ours: false,
            version: None,
        }
    }

    fn tag(byte: u8) -> SecretTag {
        SecretTag([byte; 16])
    }

    #[test]
    fn one_exposure_at_the_first_line_with_the_gravest_kind_whatever_the_order() {
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let lines = [
                seen(5, true, Kind::Dump),
                seen(9, true, Kind::Stealer),
                seen(7, false, Kind::Dump),
            ];
            let mut pairs = Pairs::default();
            let (pair, new) = pairs.meet(1, tag(1));
            assert!(new && !pairs.meet(1, tag(1)).1);
            for at in order {
                assert!(!pairs.record(0, vec![(pair, lines[at])]));
            }
            assert_eq!(pairs.decide(pair, verdict(Grade::Exact)), [0, 0, 0]);
            let found: Vec<Exposure> = pairs.exposures().collect();
            assert_eq!(found, pairs.take_changed());
            assert_eq!((found.len(), found[0].place.line, found[0].kind), (1, 5, Kind::Stealer));
            assert!(pairs.take_changed().is_empty());
        }
    }

    #[test]
    fn a_look_alike_that_is_not_theirs_makes_no_exposure_until_it_is_named_strictly() {
        let mut pairs = Pairs::default();
        let (pair, _) = pairs.meet(1, tag(1));
        pairs.decide(pair, verdict(Grade::Named));
        assert!(pairs.record(0, vec![(pair, seen(3, false, Kind::Dump))]));
        assert_eq!(pairs.exposures().count(), 0);
        assert!(pairs.record(0, vec![(pair, seen(5, false, Kind::Stealer))]));
        assert!(pairs.record(0, vec![(pair, seen(8, true, Kind::Dump))]));
        let found: Vec<_> = pairs.exposures().map(|found| (found.place.line, found.kind)).collect();
        assert_eq!(found, [(8, Kind::Dump)], "nor do the look-alike's lines count then");
    }

    #[test]
    fn of_several_readings_the_best_grade_makes_the_exposure() {
        let mut pairs = Pairs::default();
        let (likely, _) = pairs.meet(1, tag(1));
        let (unlikely, _) = pairs.meet(1, tag(2));
        let line = seen(4, true, Kind::Stealer);
        assert!(!pairs.record(6, vec![(likely, line), (unlikely, line)]));
        assert!(pairs.decide(likely, verdict(Grade::Named)).is_empty());
        assert_eq!(pairs.decide(unlikely, verdict(Grade::Exact)), [6]);
        let found: Vec<Exposure> = pairs.exposures().collect();
        assert_eq!((found.len(), found[0].tag, found[0].grade), (1, tag(2), Grade::Exact));
    }

    #[test]
    fn what_an_interrupted_run_found_further_on_is_written_again_only_where_it_changes() {
        let mut pairs = Pairs::default();
        let later = Exposure {
            account: 1,
            tag: tag(1),
            grade: Grade::Named,
            version: None,
            kind: Kind::Dump,
            place: Place { text: 7, line: 3 },
            name: 0,
            loose: false,
        };
        pairs.recall(&later);
        let (pair, _) = pairs.meet(1, tag(1));
        assert!(pairs.record(0, vec![(pair, seen(1, false, Kind::Stealer))]));
        assert!(pairs.take_changed().is_empty());
        assert!(pairs.record(0, vec![(pair, seen(2, true, Kind::Dump))]));
        let moved: Vec<Place> = pairs.take_changed().iter().map(|found| found.place).collect();
        assert_eq!(moved, [Place { text: 0, line: 2 }]);
    }

    #[test]
    fn an_interrupted_run_goes_on_as_if_it_had_not_been() {
        let mut before = Pairs::default();
        let (pair, _) = before.meet(1, tag(1));
        before.record(0, vec![(pair, seen(3, true, Kind::Dump))]);
        before.decide(pair, verdict(Grade::Former));
        let found: Vec<Exposure> = before.exposures().collect();
        let mut after = Pairs::default();
        after.recall(&found[0]);
        assert_eq!(after.counts(), before.counts());
        assert!(after.is_decided(after.by_tag[&tag(1)]));
        assert_eq!(after.exposures().collect::<Vec<_>>(), found);
        assert!(after.take_changed().is_empty());
    }
}
