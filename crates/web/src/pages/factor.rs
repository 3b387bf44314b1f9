//! The second factor: a code of the authenticator app, or a recovery code in its place.

use super::{
    Content, Shell, Trouble, page, paths,
    problem::{AppCodeProblem, RecoveryCodeProblem},
};

/// What the second factor is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedFor {
    /// To sign in.
    SignIn,
    /// To choose a new password.
    NewPassword,
}

impl AskedFor {
    /// What the button says.
    const fn submit(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in-submit",
            Self::NewPassword => "factor-go-on",
        }
    }

    const fn app_path(self) -> &'static str {
        match self {
            Self::SignIn => paths::SIGN_IN_CODE,
            Self::NewPassword => paths::NEW_PASSWORD_FACTOR,
        }
    }

    const fn recovery_code_path(self) -> &'static str {
        match self {
            Self::SignIn => paths::SIGN_IN_RECOVERY_CODE,
            Self::NewPassword => paths::NEW_PASSWORD_RECOVERY_CODE,
        }
    }

    /// Where someone starts over.
    const fn back_path(self) -> &'static str {
        match self {
            Self::SignIn => paths::SIGN_IN,
            Self::NewPassword => paths::NEW_PASSWORD,
        }
    }
}

/// A code of the authenticator app. Posts `code` to [`paths::SIGN_IN_CODE`] or [`paths::NEW_PASSWORD_FACTOR`].
pub struct AppCode {
    /// What it is asked for.
    pub asked_for: AskedFor,
    /// What is wrong with the last one.
    pub problem: Option<AppCodeProblem>,
}

impl Content for AppCode {
    fn title(&self, shell: &Shell) -> String {
        shell.t("app-code-title")
    }

    fn trouble(&self, shell: &Shell) -> Option<Trouble> {
        Trouble::of(self.problem.as_ref(), "code", shell)
    }
}

page!(AppCode, "app_code.html");

/// A recovery code in the place of the app. Posts `code` to [`paths::SIGN_IN_RECOVERY_CODE`] or
/// [`paths::NEW_PASSWORD_RECOVERY_CODE`].
pub struct RecoveryCode {
    /// What it is asked for.
    pub asked_for: AskedFor,
    /// What is wrong with the last one.
    pub problem: Option<RecoveryCodeProblem>,
}

impl Content for RecoveryCode {
    fn title(&self, shell: &Shell) -> String {
        shell.t("recovery-code-title")
    }

    fn trouble(&self, shell: &Shell) -> Option<Trouble> {
        Trouble::of(self.problem.as_ref(), "code", shell)
    }
}

page!(RecoveryCode, "recovery_code.html");
