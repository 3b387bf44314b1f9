//! Setting up a new server: the code from its console, and the first administrator.

use super::{
    Content, Shell, Tell, Trouble, page,
    problem::{AddressProblem, NewPasswordProblem, SlowDown},
};

/// The set-up code. Posts `code` to [`super::paths::SETUP`].
pub struct Setup {
    /// What is wrong with the last one.
    pub problem: Option<SetupCodeProblem>,
}

/// Of a set-up code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetupCodeProblem {
    /// Nothing was typed.
    Missing,
    /// Not the code that the server printed last.
    Wrong,
    /// Too many wrong ones.
    SlowDown(SlowDown),
}

impl Tell for SetupCodeProblem {
    fn tell(&self, shell: &Shell) -> String {
        match self {
            Self::Missing => shell.t("setup-code-missing"),
            Self::Wrong => shell.t("setup-code-wrong"),
            Self::SlowDown(slow_down) => slow_down.tell(shell),
        }
    }
}

impl Content for Setup {
    fn title(&self, shell: &Shell) -> String {
        shell.t("setup-title")
    }

    fn trouble(&self, shell: &Shell) -> Option<Trouble> {
        Trouble::of(self.problem.as_ref(), "code", shell)
    }
}

page!(Setup, "setup.html");

/// Address and password of the first administrator. Posts `address` and `password` to [`super::paths::SETUP_ACCOUNT`].
pub struct SetupAccount {
    /// What was typed, to be shown again.
    pub address: String,
    /// The least number of characters (code points) of the password.
    pub least: u64,
    /// What is wrong.
    pub problem: Option<SetupAccountProblem>,
}

/// Of the first administrator's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetupAccountProblem {
    /// With the address.
    Address(AddressProblem),
    /// With the password.
    Password(NewPasswordProblem),
}

impl Content for SetupAccount {
    fn title(&self, shell: &Shell) -> String {
        shell.t("setup-account-title")
    }

    fn trouble(&self, shell: &Shell) -> Option<Trouble> {
        match self.problem.as_ref()? {
            SetupAccountProblem::Address(problem) => Trouble::of(Some(problem), "address", shell),
            SetupAccountProblem::Password(problem) => Trouble::of(Some(problem), "password", shell),
        }
    }
}

page!(SetupAccount, "setup_account.html");
