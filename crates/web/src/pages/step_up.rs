//! Fresh proof: who is signed in shows once more that they are the owner, before a change.

use super::{
    Content, Shell, Trouble, page,
    problem::{AppCodeProblem, CurrentPasswordProblem},
};

/// What is asked for, and what was wrong with the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedProof {
    /// The password: posts `password`.
    Password(Option<CurrentPasswordProblem>),
    /// A code of the authenticator app: posts `code`.
    AppCode(Option<AppCodeProblem>),
}

/// The change that needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepUpFor {
    /// Another password.
    Password,
    /// Another e-mail address.
    Address,
    /// Adding or removing the authenticator app.
    App,
    /// Fresh recovery codes.
    RecoveryCodes,
    /// Deleting the account.
    Delete,
    /// Letting a command-line program act.
    Login,
}

impl StepUpFor {
    const ALL: [Self; 6] = [
        Self::Password,
        Self::Address,
        Self::App,
        Self::RecoveryCodes,
        Self::Delete,
        Self::Login,
    ];

    /// The word in the hidden field `for`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Address => "address",
            Self::App => "app",
            Self::RecoveryCodes => "recovery-codes",
            Self::Delete => "delete",
            Self::Login => "login",
        }
    }

    /// The change of a word; `None` for any other. The form names the change by a word and not by a path, so it leads nowhere else.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|change| change.word() == word)
    }

    const fn reason(self) -> &'static str {
        match self {
            Self::Password => "step-up-for-password",
            Self::Address => "step-up-for-address",
            Self::App => "step-up-for-app",
            Self::RecoveryCodes => "step-up-for-recovery-codes",
            Self::Delete => "step-up-for-delete",
            Self::Login => "step-up-for-login",
        }
    }
}

/// Fresh proof. Posts `password` or `code`, and `for` (a [`StepUpFor::word`]), to [`super::paths::STEP_UP`]; with the password,
/// `username` comes along for password managers and is not to be believed.
pub struct StepUp {
    /// What is asked for.
    pub asked: AskedProof,
    /// What for.
    pub change: StepUpFor,
    /// What names the account, for password managers.
    pub identifier: String,
}

impl Content for StepUp {
    fn title(&self, shell: &Shell) -> String {
        shell.t("step-up-title")
    }

    fn trouble(&self, shell: &Shell) -> Option<Trouble> {
        match &self.asked {
            AskedProof::Password(problem) => Trouble::of(problem.as_ref(), "password", shell),
            AskedProof::AppCode(problem) => Trouble::of(problem.as_ref(), "code", shell),
        }
    }
}

impl StepUp {
    fn by_password(&self) -> bool {
        matches!(self.asked, AskedProof::Password(_))
    }
}

page!(StepUp, "step_up.html");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_is_found_by_its_word() {
        for change in StepUpFor::ALL {
            assert_eq!(StepUpFor::from_word(change.word()), Some(change));
        }
        assert_eq!(StepUpFor::from_word("//evil.example"), None);
    }
}
