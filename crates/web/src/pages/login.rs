//! A command-line program asks to act for whoever is signed in.

use super::{Content, Shell, page};

/// What a program may do with the token that it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// See accounts, leaks and what was found.
    See,
    /// Act on accounts.
    Act,
    /// Change settings of the server.
    Configure,
}

impl Power {
    const fn text(self) -> &'static str {
        match self {
            Self::See => "login-may-see",
            Self::Act => "login-may-act",
            Self::Configure => "login-may-configure",
        }
    }
}

/// Approve or refuse. Posts `request` (an opaque name of the request, no secret) and `answer` (`approve` or `refuse`) to
/// [`super::paths::LOGIN`].
pub struct LoginApprove {
    /// Names the request in the form.
    pub request: String,
    /// The code that the program shows, for comparison.
    pub code: String,
    /// What the program may do.
    pub powers: Vec<Power>,
    /// Hours for which the token works.
    pub hours: u64,
}

impl Content for LoginApprove {
    fn title(&self, shell: &Shell) -> String {
        shell.t("login-title")
    }
}

page!(LoginApprove, "login_approve.html");

/// What became of the request; the rest happens at the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginAnswered {
    /// The program has its token.
    Approved,
    /// The program gets nothing.
    Refused,
    /// No program waits under that name: it gave up, or it was answered before.
    Gone,
}

impl Content for LoginAnswered {
    fn title(&self, shell: &Shell) -> String {
        shell.t(match self {
            Self::Approved => "login-approved-title",
            Self::Refused => "login-refused-title",
            Self::Gone => "login-gone-title",
        })
    }
}

impl LoginAnswered {
    const fn text(self) -> &'static str {
        match self {
            Self::Approved => "login-approved-text",
            Self::Refused => "login-refused-text",
            Self::Gone => "login-gone-text",
        }
    }
}

page!(LoginAnswered, "login_answered.html");
