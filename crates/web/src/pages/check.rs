//! "Check a message": did we send this number to this address.

use super::{Content, Shell, Tell, Trouble, account::MessageKind, page, problem::SlowDown};
use rightful_core::Timestamp;

/// The question. Posts `address` and `number` to [`super::paths::CHECK`].
pub struct Check {
    /// What was typed, to be shown again.
    pub address: String,
    /// What was typed, to be shown again.
    pub number: String,
    /// What is wrong with it.
    pub problem: Option<CheckProblem>,
}

/// Why a question was not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckProblem {
    /// No address was typed.
    AddressMissing,
    /// No number was typed.
    NumberMissing,
    /// Too many questions.
    SlowDown(SlowDown),
}

impl Tell for CheckProblem {
    fn tell(&self, shell: &Shell) -> String {
        match self {
            Self::AddressMissing => shell.t("check-address-missing"),
            Self::NumberMissing => shell.t("check-number-missing"),
            Self::SlowDown(slow_down) => slow_down.tell(shell),
        }
    }
}

impl Content for Check {
    fn title(&self, shell: &Shell) -> String {
        shell.t("check-title")
    }

    fn trouble(&self, shell: &Shell) -> Option<Trouble> {
        let field = match self.problem? {
            CheckProblem::AddressMissing => "address",
            CheckProblem::NumberMissing => "number",
            CheckProblem::SlowDown(_) => "",
        };
        Trouble::of(self.problem.as_ref(), field, shell)
    }
}

page!(Check, "check.html");

/// The answer, which holds for this number and this address alone.
pub enum CheckAnswer {
    /// We sent it.
    Ours {
        /// What the message was about.
        kind: MessageKind,
        /// When it was handed over to be sent.
        at: Timestamp,
    },
    /// We did not: unknown and wrong alike.
    NotOurs,
}

impl Content for CheckAnswer {
    fn title(&self, shell: &Shell) -> String {
        shell.t(match self {
            Self::Ours { .. } => "check-yes-title",
            Self::NotOurs => "check-no-title",
        })
    }
}

page!(CheckAnswer, "check_answer.html");
