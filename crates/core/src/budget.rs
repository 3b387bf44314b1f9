//! Budgets: how often something may be tried.
//!
//! A budget is one number, the *theoretical arrival time* of GCRA (ITU-T I.371 Annex A; Brandur Leach's "Rate limiting, cells,
//! and GCRA" tells it well): the moment at which everything spent so far would be paid for. Spending moves it one interval
//! ahead and is refused when it would lie further ahead than the burst allows. No counters, no windows that begin anew, and
//! nothing to do when nothing happens: a number in the past is a full budget, and so is none at all.
//!
//! Failures are what is counted, but a guess is spent *before* it is tried and given back when it was right; so a race of any
//! width gets no more tries than the budget has. Nothing resets a budget: not a right password, not a new code.

use crate::Timestamp;

/// How fast a budget may be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many at once; at least 1.
    pub burst: u32,
    /// Seconds until one more is there.
    pub every_seconds: u32,
}

/// There is nothing left to spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// When one may be spent again, if nothing is spent or given back until then.
    pub until: Timestamp,
    /// What to store in place of the number that was read. `Some` only when that one lies further ahead than any spending
    /// could put it, because the clock went back since: unless this is stored, the wait lasts until the clock is where it
    /// was.
    pub settled: Option<Timestamp>,
}

impl Rate {
    /// Microseconds that one try is worth.
    pub const fn interval_micros(self) -> i64 {
        self.every_seconds as i64 * 1_000_000
    }

    /// The latest number that still has room for one more at `now`: the guard of a statement that spends.
    pub const fn last_room(self, now: Timestamp) -> Timestamp {
        back(self.horizon(now), self.interval_micros())
    }

    /// The number of a budget that is wholly spent at `now`. None is ever set beyond it.
    pub const fn horizon(self, now: Timestamp) -> Timestamp {
        let burst = if self.burst == 0 { 1 } else { self.burst };
        Timestamp::from_micros(
            now.micros()
                .saturating_add(self.interval_micros().saturating_mul(burst as i64)),
        )
    }
}

/// Spends one. `tat` is the stored number, `None` where none is stored yet. The number to store comes back; write it with the
/// guard that the stored one is still the one that was read, and decide again when it is not.
///
/// Within any time at most `burst + time / every` are spent, whatever the clock does: going back it only makes the wait longer,
/// by no more than the whole budget takes to fill.
///
/// # Errors
/// [`Wait`] when there is nothing left.
pub fn spend(tat: Option<Timestamp>, now: Timestamp, rate: Rate) -> Result<Timestamp, Wait> {
    let horizon = rate.horizon(now);
    let stored = tat.unwrap_or(now);
    let held = stored.min(horizon);
    if held <= rate.last_room(now) {
        return Ok(forth(held.max(now), rate.interval_micros()));
    }
    // Room for one is there when as much as one is worth of `held` lies within the burst again.
    let ahead = held.micros_since(rate.last_room(now));
    Err(Wait {
        until: forth(now, ahead),
        settled: (stored > horizon).then_some(horizon),
    })
}

/// Gives back one that was spent, as soon as it is known that it does not count: within seconds, for what is long paid for
/// would be given twice. `tat` is the number as it is stored now; the number to store comes back.
pub const fn give_back(tat: Timestamp, rate: Rate) -> Timestamp {
    back(tat, rate.interval_micros())
}

const fn forth(from: Timestamp, micros: i64) -> Timestamp {
    Timestamp::from_micros(from.micros().saturating_add(micros))
}

const fn back(from: Timestamp, micros: i64) -> Timestamp {
    Timestamp::from_micros(from.micros().saturating_sub(micros))
}

/// What is throttled together. Each of its rates is a budget with a number of its own; a try spends from all of them or from
/// none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The word in tables.
    pub word: &'static str,
    /// The rates, the fastest first.
    pub rates: &'static [Rate],
}

/// Ten at once and one more every six minutes, and never more than 100 in any 30 days (50 at once and 50 more in that time):
/// NIST SP 800-63B-4 §3.2.2 allows 100 wrong tries in a row.
const GUESSES: &[Rate] = &[
    Rate {
        burst: 10,
        every_seconds: 6 * 60,
    },
    Rate {
        burst: 50,
        every_seconds: 30 * 24 * 60 * 60 / 50,
    },
];

impl Policy {
    /// Tries of one authenticator of one account (its password, its app, its recovery codes), from wherever.
    pub const AUTHENTICATOR: Self = Self {
        word: "authenticator",
        rates: GUESSES,
    };

    /// Tries of one account from one browser that it recognises. A budget of its own, so that no stranger can use up the
    /// owner's.
    pub const BROWSER: Self = Self {
        word: "browser",
        rates: GUESSES,
    };

    /// Tries of any account from one address range (/24 of IPv4, /64 of IPv6): 60 at once, one more a second.
    pub const ADDRESS_RANGE: Self = Self {
        word: "address-range",
        rates: &[Rate {
            burst: 60,
            every_seconds: 1,
        }],
    };

    /// Codes mailed to one address: three at once, one more every ten minutes, and never more than 20 in any 24 hours (ten at
    /// once and ten more in that time).
    pub const MAIL_CODE: Self = Self {
        word: "mail-code",
        rates: &[
            Rate {
                burst: 3,
                every_seconds: 10 * 60,
            },
            Rate {
                burst: 10,
                every_seconds: 24 * 60 * 60 / 10,
            },
        ],
    };

    /// Every policy.
    pub const ALL: [Self; 4] = [Self::AUTHENTICATOR, Self::BROWSER, Self::ADDRESS_RANGE, Self::MAIL_CODE];
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RATE: Rate = Rate {
        burst: 3,
        every_seconds: 10,
    };

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    /// A budget in a world whose clock somebody turns.
    struct Purse {
        rate: Rate,
        tat: Option<Timestamp>,
        now: i64,
    }

    impl Purse {
        fn spend(&mut self) -> Result<(), Wait> {
            let outcome = spend(self.tat, at(self.now), self.rate);
            match outcome {
                Ok(tat) => self.tat = Some(tat),
                Err(wait) => self.tat = wait.settled.or(self.tat),
            }
            outcome.map(drop)
        }

        fn give_back(&mut self) {
            self.tat = self.tat.map(|tat| give_back(tat, self.rate));
        }
    }

    #[test]
    fn a_burst_then_one_at_a_time() {
        let mut purse = Purse {
            rate: RATE,
            tat: None,
            now: 1000,
        };
        for (now, expected) in [
            (1000, Ok(())),
            (1000, Ok(())),
            (1000, Ok(())),
            (1000, Err(1010)),
            (1009, Err(1010)),
            (1010, Ok(())),
            (1010, Err(1020)),
            (1025, Ok(())),
            (1025, Err(1030)),
            // All of it is back after burst times every, and no more than that after a year.
            (32_000_000, Ok(())),
            (32_000_000, Ok(())),
            (32_000_000, Ok(())),
            (32_000_000, Err(32_000_010)),
        ] {
            purse.now = now;
            assert_eq!(
                purse.spend().map_err(|wait| wait.until),
                expected.map_err(at),
                "at {now}"
            );
        }
    }

    #[test]
    fn what_is_given_back_can_be_spent_once_more() {
        let mut purse = Purse {
            rate: RATE,
            tat: None,
            now: 0,
        };
        for _ in 0..3 {
            purse.spend().expect("room");
        }
        purse.spend().expect_err("nothing left");
        purse.give_back();
        purse.spend().expect("given back");
        purse.spend().expect_err("nothing left");
    }

    #[test]
    fn a_guarded_statement_may_decide_by_the_last_room() {
        for held in 0..50 {
            let room = at(held) <= RATE.last_room(at(5));
            assert_eq!(spend(Some(at(held)), at(5), RATE).is_ok(), room, "{held}");
        }
    }

    #[test]
    fn a_clock_that_was_wrong_for_a_while_locks_nobody_out() {
        const TWO_YEARS: i64 = 2 * 365 * 24 * 60 * 60;
        let mut purse = Purse {
            rate: RATE,
            tat: None,
            now: TWO_YEARS,
        };
        purse.spend().expect("room");
        purse.now = 0;
        let wait = purse.spend().expect_err("as if all were spent");
        assert_eq!(
            wait,
            Wait {
                until: at(10),
                settled: Some(at(30))
            }
        );
        purse.now = 10;
        purse.spend().expect("the wait is over");
        purse.spend().expect_err("one every ten seconds");
    }

    #[test]
    fn no_number_makes_it_fail() {
        let ends = [
            Timestamp::from_micros(i64::MIN),
            at(0),
            Timestamp::from_micros(i64::MAX),
        ];
        let rates = [
            RATE,
            Rate {
                burst: 0,
                every_seconds: 0,
            },
            Rate {
                burst: u32::MAX,
                every_seconds: u32::MAX,
            },
        ];
        for (tat, now, rate) in ends
            .iter()
            .flat_map(|tat| ends.iter().flat_map(move |now| rates.map(|rate| (*tat, *now, rate))))
        {
            let _ = spend(Some(tat), now, rate);
            let _ = give_back(tat, rate);
        }
        let lone = Rate {
            burst: 0,
            every_seconds: 10,
        };
        assert_eq!(spend(None, at(0), lone), Ok(at(10)));
        assert!(spend(Some(at(10)), at(0), lone).is_err());
    }

    /// The most that a rate lets through within a time that begins and ends with a try.
    const fn most(rate: Rate, seconds: u32) -> u32 {
        rate.burst + seconds / rate.every_seconds
    }

    #[test]
    fn the_policies_hold_what_the_design_promises() {
        const DAY: u32 = 24 * 60 * 60;
        for policy in [Policy::AUTHENTICATOR, Policy::BROWSER] {
            let [short, month] = policy.rates else {
                panic!("two rates")
            };
            assert_eq!((short.burst, short.every_seconds), (10, 360));
            assert!(most(*month, 30 * DAY) <= 100);
        }
        let [range] = Policy::ADDRESS_RANGE.rates else {
            panic!("one rate")
        };
        assert_eq!((range.burst, range.every_seconds), (60, 1));
        let [short, day] = Policy::MAIL_CODE.rates else {
            panic!("two rates")
        };
        assert_eq!((short.burst, short.every_seconds), (3, 600));
        assert!(most(*day, DAY) <= 20);
        for (at, policy) in Policy::ALL.iter().enumerate() {
            assert!(Policy::ALL[..at].iter().all(|other| other.word != policy.word));
            assert!(policy.rates.iter().all(|rate| rate.burst > 0 && rate.every_seconds > 0));
        }
    }

    fn any_rate() -> impl Strategy<Value = Rate> {
        (1_u32..6, 1_u32..20).prop_map(|(burst, every_seconds)| Rate { burst, every_seconds })
    }

    /// Seconds that pass before each try.
    fn any_pauses() -> impl Strategy<Value = Vec<i64>> {
        prop::collection::vec(prop_oneof![3 => Just(0_i64), 3 => 0_i64..5, 1 => 0_i64..200], 1..120)
    }

    proptest! {
        #[test]
        fn no_window_holds_more_than_burst_and_what_time_gives(rate in any_rate(), pauses in any_pauses()) {
            let mut purse = Purse { rate, tat: None, now: 0 };
            let mut spent: Vec<i64> = Vec::new();
            for pause in pauses {
                purse.now += pause;
                match purse.spend() {
                    Ok(()) => spent.push(purse.now),
                    Err(wait) => {
                        prop_assert_eq!(wait.settled, None);
                        // Not a microsecond too early, and not refused without need.
                        let until = wait.until.micros();
                        prop_assert!(until > at(purse.now).micros());
                        prop_assert!(spend(purse.tat, Timestamp::from_micros(until - 1), rate).is_err());
                        prop_assert!(spend(purse.tat, wait.until, rate).is_ok());
                    }
                }
            }
            for (first, begin) in spent.iter().enumerate() {
                for (last, end) in spent.iter().enumerate().skip(first) {
                    let seconds = u32::try_from(end - begin).expect("forward, and short");
                    prop_assert!(last - first < most(rate, seconds) as usize);
                }
            }
        }

        #[test]
        fn giving_back_leaves_no_more_than_there_was_before(rate in any_rate(), held in -100_i64..100, now in -50_i64..50) {
            if let Ok(tat) = spend(Some(at(held)), at(now), rate) {
                let before = at(held).max(at(now));
                prop_assert_eq!(give_back(tat, rate).max(at(now)), before);
            }
        }

        /// `true` tries and fails, `false` tries and is right: spent, and given back a moment later.
        #[test]
        fn right_tries_never_make_room_for_wrong_ones(rate in any_rate(), tries in prop::collection::vec((any::<bool>(), 0_i64..8), 1..120)) {
            let mut purse = Purse { rate, tat: None, now: 0 };
            let mut wrong: Vec<i64> = Vec::new();
            for (is_wrong, pause) in tries {
                purse.now += pause;
                match (purse.spend(), is_wrong) {
                    (Ok(()), true) => wrong.push(purse.now),
                    (Ok(()), false) => purse.give_back(),
                    (Err(_), _) => {}
                }
            }
            for (first, begin) in wrong.iter().enumerate() {
                for (last, end) in wrong.iter().enumerate().skip(first) {
                    let seconds = u32::try_from(end - begin).expect("forward, and short");
                    prop_assert!(last - first < most(rate, seconds) as usize);
                }
            }
        }

        /// Whatever the clock does, only its way forward frees anything.
        #[test]
        fn a_clock_that_goes_back_frees_nothing(rate in any_rate(), moves in prop::collection::vec(prop_oneof![Just(0_i64), -400_i64..60], 1..120)) {
            let mut purse = Purse { rate, tat: None, now: 0 };
            let mut forward = vec![0_i64];
            let mut spent: Vec<usize> = Vec::new();
            for (at, moved) in moves.iter().enumerate() {
                purse.now += moved;
                forward.push(forward[at] + moved.max(&0));
                if purse.spend().is_ok() {
                    spent.push(at + 1);
                }
            }
            for (first, begin) in spent.iter().enumerate() {
                for (last, end) in spent.iter().enumerate().skip(first) {
                    let seconds = u32::try_from(forward[*end] - forward[*begin]).expect("forward, and short");
                    prop_assert!(last - first < most(rate, seconds) as usize);
                }
            }
        }

        #[test]
        fn whoever_waits_as_told_is_let_in(rate in any_rate(), held in -1000_i64..1_000_000, now in -50_i64..50) {
            if let Err(wait) = spend(Some(at(held)), at(now), rate) {
                let tat = wait.settled.unwrap_or(at(held));
                prop_assert!(spend(Some(tat), wait.until, rate).is_ok());
                let longest = i64::from(rate.every_seconds);
                prop_assert!(wait.until <= at(now + longest));
            }
        }
    }
}
