//! A new password: for whom, the password itself, and what to do afterwards.

use super::{
    Content, Shell, Trouble, page, paths,
    problem::{IdentifierProblem, NewPasswordProblem},
};

/// Which account needs a new password. Posts `identifier` to [`paths::NEW_PASSWORD`].
pub struct NewPassword {
    /// What was typed, to be shown again; empty at first.
    pub identifier: String,
    /// What is wrong with it.
    pub problem: Option<IdentifierProblem>,
}

impl Content for NewPassword {
    fn title(&self, shell: &Shell) -> String {
        shell.t("new-password-title")
    }

    fn trouble(&self, shell: &Shell) -> Option<Trouble> {
        Trouble::of(self.problem.as_ref(), "identifier", shell)
    }
}

page!(NewPassword, "new_password.html");

/// For what a password is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChosenFor {
    /// A new account.
    SignUp,
    /// An account whose password was forgotten or turned off.
    NewPassword,
}

/// The password. Posts `password` to [`paths::SIGN_UP_PASSWORD`] or [`paths::NEW_PASSWORD_CHOOSE`]; `username` comes along for
/// password managers and is not to be believed.
pub struct ChoosePassword {
    /// For what.
    pub chosen_for: ChosenFor,
    /// What names the account, as it was typed.
    pub identifier: String,
    /// The least number of characters (code points).
    pub least: u64,
    /// What is wrong with the last one.
    pub problem: Option<NewPasswordProblem>,
}

impl Content for ChoosePassword {
    fn title(&self, shell: &Shell) -> String {
        shell.t(match self.chosen_for {
            ChosenFor::SignUp => "choose-password-title-sign-up",
            ChosenFor::NewPassword => "choose-password-title",
        })
    }

    fn trouble(&self, shell: &Shell) -> Option<Trouble> {
        Trouble::of(self.problem.as_ref(), "password", shell)
    }
}

impl ChoosePassword {
    fn path(&self) -> &'static str {
        match self.chosen_for {
            ChosenFor::SignUp => paths::SIGN_UP_PASSWORD,
            ChosenFor::NewPassword => paths::NEW_PASSWORD_CHOOSE,
        }
    }

    fn submit(&self) -> &'static str {
        match self.chosen_for {
            ChosenFor::SignUp => "choose-password-submit-sign-up",
            ChosenFor::NewPassword => "choose-password-submit",
        }
    }
}

page!(ChoosePassword, "choose_password.html");

/// The new password is set; where else to change it. Leads to [`paths::SIGN_IN`].
pub struct NewPasswordDone;

impl Content for NewPasswordDone {
    fn title(&self, shell: &Shell) -> String {
        shell.t("new-password-done-title")
    }
}

page!(NewPasswordDone, "new_password_done.html");
