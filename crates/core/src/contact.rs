//! Contacts: addresses that we may write to, and which of them may prove something.

use crate::Timestamp;
use crate::flow::Needs;

/// How long a contact must have stood unchanged before a code to it proves anything on an account at risk: whoever got in with
/// a leaked password may have put an own address there. 30 days, in seconds.
pub const SETTLED_AFTER: i64 = 30 * 24 * 60 * 60;

/// How well mail gets through to a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// Nothing came back.
    Good,
    /// Something came back that may pass: a full mailbox, a busy server.
    Soft,
    /// There is no such mailbox.
    Dead,
}

impl Reach {
    /// The word in tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Soft => "soft",
            Self::Dead => "dead",
        }
    }

    /// The state of a word; `None` for any other.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Good, Self::Soft, Self::Dead]
            .into_iter()
            .find(|reach| reach.word() == word)
    }
}

/// What is known of a contact where it is to be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// When its owner proved it; `None` when it came with an import and was never proved.
    pub verified_at: Option<Timestamp>,
    /// When it was put on the account.
    pub added_at: Timestamp,
    /// When another took its place.
    pub replaced_at: Option<Timestamp>,
    /// Whether mail gets through.
    pub reach: Reach,
}

/// Whether a code to this contact may prove the owner of an account made at `made_at`.
///
/// On an account at risk (held, or with a change required) the contact must have stood for [`SETTLED_AFTER`], or since the
/// account was made.
pub fn may_prove(standing: &Standing, needs: Needs, made_at: Timestamp, now: Timestamp) -> bool {
    let at_risk = needs.held || needs.change_required;
    let settled = standing.added_at <= made_at || now.micros_since(standing.added_at) >= SETTLED_AFTER * 1_000_000;
    standing.replaced_at.is_none() && (!at_risk || settled)
}

/// How long a replaced contact still gets the warnings about its account: 7 days, in seconds.
pub const WARNED_AFTER_REPLACED: i64 = 7 * 24 * 60 * 60;

/// Whether a warning goes to this contact too.
pub fn gets_warnings(standing: &Standing, now: Timestamp) -> bool {
    let recently = |at: Timestamp| now.micros_since(at) < WARNED_AFTER_REPLACED * 1_000_000;
    standing.reach != Reach::Dead && standing.replaced_at.is_none_or(recently)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 60 * 60;
    const MADE: Timestamp = Timestamp::from_micros(0);

    fn day(days: i64) -> Timestamp {
        MADE.plus_seconds(days * DAY)
    }

    fn added(at: Timestamp) -> Standing {
        Standing {
            verified_at: Some(at),
            added_at: at,
            replaced_at: None,
            reach: Reach::Good,
        }
    }

    #[test]
    fn an_account_at_risk_trusts_only_addresses_that_have_stood() {
        let held = Needs {
            held: true,
            ..Needs::default()
        };
        let change = Needs {
            change_required: true,
            ..Needs::default()
        };
        for needs in [held, change] {
            assert!(
                may_prove(&added(MADE), needs, MADE, day(1)),
                "there since the account was made"
            );
            assert!(!may_prove(&added(day(100)), needs, MADE, day(129)));
            assert!(may_prove(&added(day(100)), needs, MADE, day(130)));
        }
        assert!(may_prove(&added(day(100)), Needs::default(), MADE, day(101)));
        let replaced = Standing {
            replaced_at: Some(day(5)),
            ..added(MADE)
        };
        assert!(!may_prove(&replaced, Needs::default(), MADE, day(6)));
    }

    #[test]
    fn a_replaced_address_is_warned_for_a_week_and_a_dead_one_never() {
        let replaced = Standing {
            replaced_at: Some(day(5)),
            ..added(MADE)
        };
        assert!(gets_warnings(&replaced, day(11)) && !gets_warnings(&replaced, day(12)));
        let dead = Standing {
            reach: Reach::Dead,
            ..added(MADE)
        };
        assert!(!gets_warnings(&dead, day(1)));
    }
}
