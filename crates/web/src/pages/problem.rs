//! What may be wrong with what an owner typed: values that pages put into words.

use super::Shell;
use crate::words;

/// Something that is told to owners in their language.
pub trait Tell {
    /// The words: what happened and what to do. Plain text.
    fn tell(&self, shell: &Shell) -> String;
}

/// Templates hold references to what they tell.
impl<T: Tell> Tell for &T {
    fn tell(&self, shell: &Shell) -> String {
        T::tell(self, shell)
    }
}

/// Characters of a code that we send by mail, without the dash.
pub const MAILED_CODE_CHARACTERS: u64 = 8;

/// Minutes for which a code that we sent by mail can be used.
pub const MAILED_CODE_MINUTES: u64 = 30;

/// Too many wrong tries; told alike whether the account exists or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlowDown {
    /// Seconds until the next try is heard.
    pub seconds: u64,
}

impl Tell for SlowDown {
    fn tell(&self, shell: &Shell) -> String {
        shell.count("problem-slow-down", words::minutes_to_wait(self.seconds))
    }
}

/// Of a code that we mailed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailedCodeProblem {
    /// Nothing was typed.
    Missing,
    /// Wrong, used, too old, or replaced by a newer one: which of these is not told.
    Wrong,
    /// Too many wrong ones.
    SlowDown(SlowDown),
}

impl Tell for MailedCodeProblem {
    fn tell(&self, shell: &Shell) -> String {
        match self {
            Self::Missing => shell.t("problem-mailed-code-missing"),
            Self::Wrong => shell.text(
                "problem-mailed-code-wrong",
                [
                    ("characters", MAILED_CODE_CHARACTERS.into()),
                    ("minutes", MAILED_CODE_MINUTES.into()),
                ],
            ),
            Self::SlowDown(slow_down) => slow_down.tell(shell),
        }
    }
}

/// Of a code of the authenticator app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppCodeProblem {
    /// Nothing was typed.
    Missing,
    /// Not the code of this moment.
    Wrong,
    /// A code that was right once and works once.
    Used,
    /// Too many wrong ones.
    SlowDown(SlowDown),
}

impl Tell for AppCodeProblem {
    fn tell(&self, shell: &Shell) -> String {
        match self {
            Self::Missing => shell.t("problem-app-code-missing"),
            Self::Wrong => shell.t("problem-app-code-wrong"),
            Self::Used => shell.t("problem-app-code-used"),
            Self::SlowDown(slow_down) => slow_down.tell(shell),
        }
    }
}

/// Of a recovery code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecoveryCodeProblem {
    /// Nothing was typed.
    Missing,
    /// Wrong or used.
    Wrong,
    /// Too many wrong ones.
    SlowDown(SlowDown),
}

impl Tell for RecoveryCodeProblem {
    fn tell(&self, shell: &Shell) -> String {
        match self {
            Self::Missing => shell.t("problem-recovery-code-missing"),
            Self::Wrong => shell.t("problem-recovery-code-wrong"),
            Self::SlowDown(slow_down) => slow_down.tell(shell),
        }
    }
}

/// Of the current password, asked for again from someone who is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CurrentPasswordProblem {
    /// Nothing was typed.
    Missing,
    /// Not the password.
    Wrong,
    /// Too many wrong ones.
    SlowDown(SlowDown),
}

impl Tell for CurrentPasswordProblem {
    fn tell(&self, shell: &Shell) -> String {
        match self {
            Self::Missing => shell.t("problem-password-missing"),
            Self::Wrong => shell.t("problem-password-wrong"),
            Self::SlowDown(slow_down) => slow_down.tell(shell),
        }
    }
}

/// Of a password that is to be set: what is wrong with it, not how strong it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewPasswordProblem {
    /// Nothing was typed.
    Missing,
    /// Fewer characters (code points) than asked for.
    TooShort {
        /// How many it must have.
        least: u64,
    },
    /// More bytes of UTF-8 than we hash.
    TooLong {
        /// How many it may have.
        most: u64,
    },
    /// It holds a control character such as NUL or a line break.
    Untypable,
    /// It is in lists of stolen passwords.
    Leaked {
        /// In how many places, where the list counts them.
        times: Option<u64>,
    },
    /// Little more than the owner's name or address, or the name of the site.
    Guessable,
    /// It is the one that it is to replace.
    Same,
    /// A simple variation of the one that it is to replace.
    Variation,
}

impl Tell for NewPasswordProblem {
    fn tell(&self, shell: &Shell) -> String {
        match *self {
            Self::Missing => shell.t("problem-new-password-missing"),
            Self::TooShort { least } => shell.t1("problem-new-password-too-short", "least", least),
            Self::TooLong { most } => shell.count("problem-new-password-too-long", most),
            Self::Untypable => shell.t("problem-new-password-untypable"),
            Self::Leaked { times: None } => shell.t("problem-new-password-leaked"),
            Self::Leaked { times: Some(times) } => shell.count("problem-new-password-leaked-times", times),
            Self::Guessable => shell.t("problem-new-password-guessable"),
            Self::Same => shell.t("problem-new-password-same"),
            Self::Variation => shell.t("problem-new-password-variation"),
        }
    }
}

/// Of an e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressProblem {
    /// Nothing was typed.
    Missing,
    /// Not an e-mail address.
    NotAnAddress,
    /// The one that is already there.
    Same,
    /// Too many messages asked for.
    SlowDown(SlowDown),
}

impl Tell for AddressProblem {
    fn tell(&self, shell: &Shell) -> String {
        match self {
            Self::Missing => shell.t("problem-address-missing"),
            Self::NotAnAddress => shell.t("problem-address-not-one"),
            Self::Same => shell.t("problem-address-same"),
            Self::SlowDown(slow_down) => slow_down.tell(shell),
        }
    }
}

/// Of what names an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentifierProblem {
    /// Nothing was typed.
    Missing,
    /// Too many messages asked for.
    SlowDown(SlowDown),
}

impl Tell for IdentifierProblem {
    fn tell(&self, shell: &Shell) -> String {
        match self {
            Self::Missing => shell.t("problem-identifier-missing"),
            Self::SlowDown(slow_down) => slow_down.tell(shell),
        }
    }
}
