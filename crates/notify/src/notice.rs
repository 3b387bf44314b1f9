//! What there is to tell an owner.

use rightful_core::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// One thing that one owner is told, with all that its words need.
///
/// The serialised form is what an outbox seals and drops once the message is sent: it holds codes. Times are microseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Notice {
    /// We turned the password off after a leak.
    TurnedOff {
        /// When.
        #[serde(with = "micros")]
        at: Timestamp,
        /// Where the password was found.
        source: LeakSource,
        /// The responder is sure that this site was not broken into. Never said where the source is [`LeakSource::Ours`].
        site_not_broken_into: bool,
    },
    /// A leak holds a variation of the password, or an earlier one: please choose another.
    PleaseChange {
        /// When we noticed.
        #[serde(with = "micros")]
        at: Timestamp,
        /// Where it was found.
        source: LeakSource,
    },
    /// We took it back: the password works again.
    TurnedOnAgain {
        /// When.
        #[serde(with = "micros")]
        at: Timestamp,
    },
    /// The code for a new password, as it was asked for.
    ResetCode {
        /// The code.
        code: Code,
        /// When it was asked for.
        #[serde(with = "micros")]
        asked_at: Timestamp,
        /// With which browser.
        browser: Browser,
        /// From where, coarsely ("Lisbon, Portugal").
        place: Option<String>,
    },
    /// The code that confirms the address of a new account.
    SignUpCode {
        /// The code.
        code: Code,
    },
    /// Somebody tried to sign up with an address that has an account.
    SignUpKnown,
    /// The code that confirms a new address of an account.
    AddressCode {
        /// The code.
        code: Code,
    },
    /// The password was changed.
    PasswordChanged {
        /// When.
        #[serde(with = "micros")]
        at: Timestamp,
        /// With which browser.
        browser: Browser,
        /// From where, coarsely.
        place: Option<String>,
    },
    /// The account has another address now; told to both.
    AddressChanged {
        /// When.
        #[serde(with = "micros")]
        at: Timestamp,
        /// The new address, masked by the caller ("a•••@e•••.org").
        masked_new: String,
        /// This message goes to the old address.
        to_old: bool,
    },
    /// A second factor came, went or was used up.
    SecondFactorChanged {
        /// When.
        #[serde(with = "micros")]
        at: Timestamp,
        /// What happened.
        change: FactorChange,
    },
    /// A sign-in from a browser that we had not seen before.
    NewBrowser {
        /// When.
        #[serde(with = "micros")]
        at: Timestamp,
        /// Which browser.
        browser: Browser,
        /// From where, coarsely.
        place: Option<String>,
    },
    /// So many wrong passwords that passwords pause for a while.
    TooManyGuesses {
        /// When the last one came.
        #[serde(with = "micros")]
        at: Timestamp,
    },
    /// The account will be deleted.
    DeletionPlanned {
        /// When that was asked for.
        #[serde(with = "micros")]
        at: Timestamp,
        /// When it will be done.
        #[serde(with = "micros")]
        on: Timestamp,
    },
    /// It will not be deleted after all.
    DeletionStopped {
        /// When that was decided.
        #[serde(with = "micros")]
        at: Timestamp,
    },
}

impl Notice {
    /// Every word of [`Notice::kind`], in the order of the enum.
    pub const KINDS: [&'static str; 14] = [
        "turned-off",
        "please-change",
        "turned-on-again",
        "reset-code",
        "sign-up-code",
        "sign-up-known",
        "address-code",
        "password-changed",
        "address-changed",
        "second-factor-changed",
        "new-browser",
        "too-many-guesses",
        "deletion-planned",
        "deletion-stopped",
    ];

    /// The word of the kind, as tables, pages and the serialised form have it. It never changes.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::TurnedOff { .. } => "turned-off",
            Self::PleaseChange { .. } => "please-change",
            Self::TurnedOnAgain { .. } => "turned-on-again",
            Self::ResetCode { .. } => "reset-code",
            Self::SignUpCode { .. } => "sign-up-code",
            Self::SignUpKnown => "sign-up-known",
            Self::AddressCode { .. } => "address-code",
            Self::PasswordChanged { .. } => "password-changed",
            Self::AddressChanged { .. } => "address-changed",
            Self::SecondFactorChanged { .. } => "second-factor-changed",
            Self::NewBrowser { .. } => "new-browser",
            Self::TooManyGuesses { .. } => "too-many-guesses",
            Self::DeletionPlanned { .. } => "deletion-planned",
            Self::DeletionStopped { .. } => "deletion-stopped",
        }
    }

    /// It carries a code: worth nothing once that has run out, so late is the same as never.
    pub const fn is_code(&self) -> bool {
        matches!(
            self,
            Self::ResetCode { .. } | Self::SignUpCode { .. } | Self::AddressCode { .. }
        )
    }

    /// It goes to an address of which nobody has proved yet that it is the account's. What was typed at sign-up (a name
    /// above all) must not reach a stranger's mailbox through us.
    pub const fn is_to_stranger(&self) -> bool {
        matches!(
            self,
            Self::SignUpCode { .. } | Self::SignUpKnown | Self::AddressCode { .. }
        )
    }
}

/// Where a leaked password comes from, as far as an owner is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeakSource {
    /// A dump of another site.
    Dump,
    /// Taken by software from an infected machine.
    Stealer,
    /// Our own table. Nobody else may be blamed.
    Ours,
}

/// What happened to a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FactorChange {
    /// An authenticator app was added.
    AppAdded,
    /// The authenticator app was removed.
    AppRemoved,
    /// New recovery codes were made; the old ones are dead.
    RecoveryCodesMade,
    /// A recovery code was used.
    RecoveryCodeUsed,
}

/// A browser as plainly as it can be named. Both may be unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Browser {
    /// "Firefox".
    pub name: Option<String>,
    /// "Windows".
    pub system: Option<String>,
}

/// A code as it is shown. Its `Debug` does not show it, and its memory is wiped.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub struct Code(String);

impl Code {
    /// From the text that is to be shown, with its dashes.
    pub fn new(shown: impl Into<String>) -> Self {
        Self(shown.into())
    }

    /// The text to show.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Code(hidden)")
    }
}

/// A [`Timestamp`] as its microseconds: `core` knows no wire form.
mod micros {
    use rightful_core::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(at.micros())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(deserializer).map(Timestamp::from_micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_shows_in_no_debug_text() {
        let notice = Notice::SignUpCode {
            code: Code::new("K7M4-QX2P"),
        };
        assert_eq!(format!("{notice:?}"), "SignUpCode { code: Code(hidden) }");
    }

    #[test]
    fn the_serialised_form_names_the_kind_and_refuses_what_it_does_not_know() {
        let notice = Notice::TurnedOff {
            at: Timestamp::from_micros(7),
            source: LeakSource::Dump,
            site_not_broken_into: true,
        };
        let text = serde_json::to_string(&notice).unwrap();
        assert_eq!(
            text,
            r#"{"kind":"turned-off","at":7,"source":"dump","site_not_broken_into":true}"#
        );
        assert_eq!(serde_json::from_str::<Notice>(&text).unwrap(), notice);
        let more = text.replace(r#""at":7"#, r#""at":7,"link":"x""#);
        assert!(serde_json::from_str::<Notice>(&more).is_err());
    }
}
