//! What several documents are made of. The words are those of the pages and tables.

use rightful_app::moment;
use rightful_app::new_password::Refusal;
use rightful_app::notices::LeakSource;
use rightful_app::sign_in::HeldWhy;
use rightful_core::Timestamp;
use rightful_core::assurance::{Method, Proofs};
use rightful_core::password_rule::{MAX_BYTES, PasswordFault};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::problem::{Code, Problem, Refused};

/// A point in time: RFC 3339, in UTC, to the second.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub struct Moment(pub String);

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        Self(moment::show(at))
    }
}

/// What kind of leak a password was found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum LeakKind {
    /// Another site's.
    Dump,
    /// Taken by software from an infected machine.
    Stealer,
    /// This site's own table.
    Ours,
}

impl From<LeakSource> for LeakKind {
    fn from(source: LeakSource) -> Self {
        match source {
            LeakSource::Dump => Self::Dump,
            LeakSource::Stealer => Self::Stealer,
            LeakSource::Ours => Self::Ours,
        }
    }
}

/// Why a password is turned off.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PasswordOff {
    /// Since when.
    since: Moment,
    /// The kind of leak that it answers; absent when an administrator did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    leak: Option<LeakKind>,
}

impl From<HeldWhy> for PasswordOff {
    fn from(why: HeldWhy) -> Self {
        Self {
            since: why.since.into(),
            leak: why.leak.map(LeakKind::from),
        }
    }
}

/// What is wrong with a new password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "fault", rename_all = "kebab-case")]
pub(super) enum NewPasswordFault {
    /// It has too few characters.
    TooShort {
        /// How many it must have.
        at_least: usize,
    },
    /// It has too many bytes.
    TooLong {
        /// How many it may have.
        at_most: usize,
    },
    /// A character in it cannot be typed.
    Untypable,
    /// It is in lists of stolen passwords.
    KnownLeaked,
    /// It is made of the names of the account and the site.
    Guessable,
    /// It is the old one.
    Same,
    /// It is a simple variation of the old one.
    Variation,
}

/// What is wrong with a new password, or with the current one that was asked for beside it.
pub(super) fn password_refused(refusals: &[Refusal]) -> Refused {
    if refusals.contains(&Refusal::WrongCurrent) {
        return Code::WrongProof.into();
    }
    let fault = |refusal: &Refusal| {
        Some(match refusal {
            Refusal::Rule(PasswordFault::TooShort { at_least }) => NewPasswordFault::TooShort { at_least: *at_least },
            Refusal::Rule(PasswordFault::TooLong) => NewPasswordFault::TooLong { at_most: MAX_BYTES },
            Refusal::Rule(PasswordFault::Control) => NewPasswordFault::Untypable,
            Refusal::Rule(PasswordFault::KnownLeaked) => NewPasswordFault::KnownLeaked,
            Refusal::Rule(PasswordFault::NamesOnly) => NewPasswordFault::Guessable,
            Refusal::Same => NewPasswordFault::Same,
            Refusal::Variation => NewPasswordFault::Variation,
            Refusal::WrongCurrent => return None,
        })
    };
    Problem::password_refused(refusals.iter().filter_map(fault).collect()).into()
}

/// A second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Factor {
    /// A code of the authenticator app.
    App,
    /// A recovery code.
    RecoveryCode,
}

impl Factor {
    pub(super) const fn method(self) -> Method {
        match self {
            Self::App => Method::App,
            Self::RecoveryCode => Method::RecoveryCode,
        }
    }
}

/// What was proved at a sign-in.
pub(super) fn proved(proofs: Proofs) -> Vec<&'static str> {
    let proved = Method::ALL.into_iter().filter(|method| proofs.has(*method));
    proved.map(Method::word).collect()
}

/// The token of a conversation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Conversation {
    /// The token of the conversation, `rf_…`.
    pub(super) flow: String,
}

/// A code in a conversation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TypedCode {
    /// The token of the conversation, `rf_…`.
    pub(super) flow: String,
    /// The code, as it was typed.
    #[schema(value_type = String)]
    pub(super) code: Zeroizing<String>,
}

/// A new password in a conversation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChosenPassword {
    /// The token of the conversation, `rf_…`.
    pub(super) flow: String,
    /// The new password.
    #[schema(value_type = String)]
    pub(super) password: Zeroizing<String>,
}

/// An address.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TypedAddress {
    /// An e-mail address.
    pub(super) address: String,
}

/// The session goes on under this token; the one before is dead.
#[derive(Serialize, ToSchema)]
pub(super) struct NewToken {
    /// The new token of the session.
    #[schema(value_type = String)]
    pub(super) token: Zeroizing<String>,
}

/// Refuses what must be typed and was not.
pub(super) fn filled(typed: &str) -> Result<(), Refused> {
    if typed.trim().is_empty() {
        return Err(Code::Incomplete.into());
    }
    Ok(())
}
