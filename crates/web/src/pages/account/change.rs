//! Another password, another address.

use crate::pages::{
    Content, Shell, Trouble, page,
    problem::{AddressProblem, CurrentPasswordProblem, NewPasswordProblem},
};

/// Another password. Posts `current` and `password` to [`crate::pages::paths::ACCOUNT_PASSWORD`]; `username` comes along for password
/// managers and is not to be believed.
pub struct ChangePassword {
    /// What names the account, for password managers.
    pub identifier: String,
    /// The least number of characters (code points).
    pub least: u64,
    /// What is wrong.
    pub problem: Option<ChangePasswordProblem>,
}

/// Of the two passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangePasswordProblem {
    /// With the current one.
    Current(CurrentPasswordProblem),
    /// With the new one.
    New(NewPasswordProblem),
}

impl Content for ChangePassword {
    fn title(&self, shell: &Shell) -> String {
        shell.t("change-password-title")
    }

    fn trouble(&self, shell: &Shell) -> Option<Trouble> {
        match self.problem.as_ref()? {
            ChangePasswordProblem::Current(problem) => Trouble::of(Some(problem), "current", shell),
            ChangePasswordProblem::New(problem) => Trouble::of(Some(problem), "password", shell),
        }
    }
}

page!(ChangePassword, "account_password.html");

/// Another e-mail address. Posts `address` to [`crate::pages::paths::ACCOUNT_ADDRESS`].
pub struct ChangeAddress {
    /// The address now; `None` when there is none.
    pub current: Option<String>,
    /// What was typed, to be shown again.
    pub address: String,
    /// What is wrong with it.
    pub problem: Option<AddressProblem>,
}

impl Content for ChangeAddress {
    fn title(&self, shell: &Shell) -> String {
        shell.t("change-address-title")
    }

    fn trouble(&self, shell: &Shell) -> Option<Trouble> {
        Trouble::of(self.problem.as_ref(), "address", shell)
    }
}

page!(ChangeAddress, "account_address.html");
