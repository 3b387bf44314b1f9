//! Notices on their way: when one that could not be handed over is tried again, and when it is given up.

use crate::Timestamp;

/// How long a code by mail works, in seconds: 30 minutes. A message that brings it later brings nothing.
pub const CODE_LASTS: i64 = 30 * 60;

/// How long an owner sees what we sent, and "check a message" knows it: 90 days, in seconds.
pub const KEPT_FOR: i64 = 90 * 24 * 60 * 60;

/// How long we go on with what the other side puts off, in seconds: a day.
const PUT_OFF_FOR: i64 = 24 * 60 * 60;

/// How often it is tried at least: after an outage of ours a notice may be days old when it is first put off.
const PUT_OFF_ATTEMPTS: i64 = 8;

/// Seconds until the next attempt, after the first, the second, …; the last one goes on.
const DELAYS: [i64; 5] = [60, 5 * 60, 30 * 60, 2 * 60 * 60, 6 * 60 * 60];

/// A code is worth little after ten minutes, so its attempts are never further apart than this, in seconds.
const CODE_DELAY: i64 = 5 * 60;

/// When the way is down, everything waits for it: nobody should wait for hours after it is mended. In seconds.
const WAY_DELAY: i64 = 30 * 60;

/// A notice that could not be handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// It brings a code.
    pub is_code: bool,
    /// When it was made.
    pub made_at: Timestamp,
    /// How often it was tried, this attempt with it; from 1.
    pub attempts: i64,
}

/// Why it was not handed over this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// The other side put off this message: a full mailbox, greylisting, a busy server.
    PutOff,
    /// The way itself is down: there is no server, no connection, no TLS that holds. It says nothing of any message.
    WayDown,
    /// We are refused, whoever it is for: our sender, our reputation, our signature.
    Ours,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Another attempt then.
    Again(Timestamp),
    /// None.
    GiveUp,
}

/// Whether it is too late to send a notice at all: the code in it works no more, or "check a message" would deny it.
pub const fn is_too_late(is_code: bool, made_at: Timestamp, now: Timestamp) -> bool {
    let lasts = if is_code { CODE_LASTS } else { KEPT_FOR };
    now.micros() >= made_at.plus_seconds(lasts).micros()
}

/// What comes after an attempt that failed at `now`.
///
/// What the other side puts off is given up after a day. What we are at fault for is never given up as long as it means
/// anything: somebody mends it, and then it goes out.
pub fn after_hindrance(waiting: Waiting, why: Hindrance, now: Timestamp) -> Next {
    let tried = usize::try_from(waiting.attempts.max(1) - 1).unwrap_or(usize::MAX);
    let delay = DELAYS[tried.min(DELAYS.len() - 1)];
    let longest = match (waiting.is_code, why) {
        (true, _) => CODE_DELAY,
        (false, Hindrance::WayDown) => WAY_DELAY,
        (false, Hindrance::PutOff | Hindrance::Ours) => i64::MAX,
    };
    let at = now.plus_seconds(delay.min(longest));
    let is_old = at > waiting.made_at.plus_seconds(PUT_OFF_FOR) && waiting.attempts >= PUT_OFF_ATTEMPTS;
    let is_over = why == Hindrance::PutOff && is_old;
    if is_over || is_too_late(waiting.is_code, waiting.made_at, at) {
        Next::GiveUp
    } else {
        Next::Again(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MADE: Timestamp = Timestamp::from_micros(1_000_000);

    /// The seconds after its making at which a notice is tried, when every attempt fails like this; at most `most`.
    fn attempts(is_code: bool, why: Hindrance, most: usize) -> Vec<i64> {
        let (mut now, mut tried) = (MADE, Vec::new());
        for attempts in 1.. {
            tried.push(now.micros_since(MADE) / 1_000_000);
            let waiting = Waiting {
                is_code,
                made_at: MADE,
                attempts,
            };
            match after_hindrance(waiting, why, now) {
                Next::Again(at) if tried.len() < most => now = at,
                _ => break,
            }
        }
        tried
    }

    #[test]
    fn what_is_put_off_is_tried_less_and_less_often_for_a_day() {
        let hours = |hours: i64| hours * 3600;
        let late = [2, 8, 14, 20].map(|after| 2160 + hours(after));
        let expected = [&[0, 60, 360, 2160], &late[..]].concat();
        assert_eq!(attempts(false, Hindrance::PutOff, 99), expected);
    }

    #[test]
    fn an_old_notice_that_was_not_tried_yet_is_not_given_up() {
        let now = MADE.plus_seconds(3 * PUT_OFF_FOR);
        let waiting = Waiting {
            is_code: false,
            made_at: MADE,
            attempts: 1,
        };
        let next = after_hindrance(waiting, Hindrance::PutOff, now);
        assert_eq!(next, Next::Again(now.plus_seconds(60)));
    }

    #[test]
    fn a_code_is_tried_often_and_only_while_it_works() {
        for why in [Hindrance::PutOff, Hindrance::WayDown, Hindrance::Ours] {
            assert_eq!(attempts(true, why, 99), [0, 60, 360, 660, 960, 1260, 1560], "{why:?}");
        }
        assert!(!is_too_late(true, MADE, MADE.plus_seconds(CODE_LASTS - 1)));
        assert!(is_too_late(true, MADE, MADE.plus_seconds(CODE_LASTS)));
    }

    #[test]
    fn nothing_is_given_up_for_our_own_fault_while_it_means_anything() {
        let down = attempts(false, Hindrance::WayDown, 10_000);
        assert_eq!(down[..5], [0, 60, 360, 2160, 3960]);
        let ours = attempts(false, Hindrance::Ours, 10_000);
        for tried in [down, ours] {
            let last = *tried.last().unwrap();
            assert!(last < KEPT_FOR && last > KEPT_FOR - 7 * 3600, "{last}");
        }
        assert!(is_too_late(false, MADE, MADE.plus_seconds(KEPT_FOR)));
    }
}
