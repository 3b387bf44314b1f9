//! A message of every kind.

use rightful_core::Timestamp;
use rightful_notify::{Browser, Code, FactorChange, LeakSource, Notice};

/// The number of each.
pub(crate) const NUMBER: &str = "K7M4-QX2P";

/// The code in those that bring one.
pub(crate) const CODE: &str = "3F9T-7WZC";

/// 2026-11-24 14:02 UTC.
pub(crate) const AT: Timestamp = Timestamp::from_micros(1_795_528_920_000_000);

/// One of each, with a name for the file.
pub(crate) fn samples() -> Vec<(&'static str, Notice)> {
    let (at, browser, place) = (AT, browser(), Some("Lisbon, Portugal".to_owned()));
    let code = Code::new(CODE);
    let turned_off = |source, site_not_broken_into| Notice::TurnedOff {
        at,
        source,
        site_not_broken_into,
    };
    let factor = |change| Notice::SecondFactorChanged { at, change };
    let moved = |to_old| Notice::AddressChanged {
        at,
        masked_new: "a•••@e•••.org".to_owned(),
        to_old,
    };
    vec![
        ("turned-off-dump", turned_off(LeakSource::Dump, true)),
        ("turned-off-dump-unsure", turned_off(LeakSource::Dump, false)),
        ("turned-off-stealer", turned_off(LeakSource::Stealer, true)),
        ("turned-off-ours", turned_off(LeakSource::Ours, true)),
        (
            "please-change-dump",
            Notice::PleaseChange {
                at,
                source: LeakSource::Dump,
            },
        ),
        (
            "please-change-stealer",
            Notice::PleaseChange {
                at,
                source: LeakSource::Stealer,
            },
        ),
        (
            "please-change-ours",
            Notice::PleaseChange {
                at,
                source: LeakSource::Ours,
            },
        ),
        ("turned-on-again", Notice::TurnedOnAgain { at }),
        (
            "reset-code",
            Notice::ResetCode {
                code: code.clone(),
                asked_at: at,
                browser: browser.clone(),
                place: place.clone(),
            },
        ),
        ("sign-up-code", Notice::SignUpCode { code: code.clone() }),
        ("sign-up-known", Notice::SignUpKnown),
        ("address-code", Notice::AddressCode { code }),
        (
            "password-changed",
            Notice::PasswordChanged {
                at,
                browser: browser.clone(),
                place: place.clone(),
            },
        ),
        ("address-changed-old", moved(true)),
        ("address-changed-new", moved(false)),
        ("app-added", factor(FactorChange::AppAdded)),
        ("app-removed", factor(FactorChange::AppRemoved)),
        ("recovery-codes-made", factor(FactorChange::RecoveryCodesMade)),
        ("recovery-code-used", factor(FactorChange::RecoveryCodeUsed)),
        ("new-browser", Notice::NewBrowser { at, browser, place }),
        ("too-many-guesses", Notice::TooManyGuesses { at }),
        (
            "deletion-planned",
            Notice::DeletionPlanned {
                at,
                on: at.plus_seconds(14 * 86_400),
            },
        ),
        ("deletion-stopped", Notice::DeletionStopped { at }),
    ]
}

fn browser() -> Browser {
    Browser {
        name: Some("Firefox".to_owned()),
        system: Some("Windows".to_owned()),
    }
}
