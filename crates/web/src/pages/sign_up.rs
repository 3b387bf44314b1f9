//! Making an account: the address; the code comes next, then the password.

use super::{Content, Shell, Trouble, page, problem::AddressProblem};

/// The address of a new account. Posts `address` to [`super::paths::SIGN_UP`].
pub struct SignUp {
    /// What was typed, to be shown again; empty at first.
    pub address: String,
    /// What is wrong with it.
    pub problem: Option<AddressProblem>,
}

impl Content for SignUp {
    fn title(&self, shell: &Shell) -> String {
        shell.t("sign-up-title")
    }

    fn trouble(&self, shell: &Shell) -> Option<Trouble> {
        Trouble::of(self.problem.as_ref(), "address", shell)
    }
}

page!(SignUp, "sign_up.html");
