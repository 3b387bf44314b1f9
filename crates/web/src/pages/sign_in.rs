//! Signing in: name and password, and what is said before or after.

use super::{Content, Shell, Tell, Trouble, page, problem::SlowDown};
use rightful_core::Timestamp;

/// Name and password. Posts `identifier` and `password` to [`super::paths::SIGN_IN`].
pub struct SignIn {
    /// What was typed as the name, to be shown again; empty at first.
    pub identifier: String,
    /// Why the visitor is here, if there is a reason to say.
    pub note: Option<SignInNote>,
    /// Why the last try did not work.
    pub problem: Option<SignInProblem>,
    /// Whether the page offers to make an account.
    pub sign_up: bool,
}

/// Why someone sees the sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInNote {
    /// They signed out.
    SignedOut,
    /// Their session was ended or has run out.
    SessionEnded,
    /// They asked for something that needs a sign-in.
    SignInFirst,
    /// They took too long on the way, or the account changed meanwhile.
    StartAgain,
}

impl Tell for SignInNote {
    fn tell(&self, shell: &Shell) -> String {
        shell.t(match self {
            Self::SignedOut => "sign-in-signed-out",
            Self::SessionEnded => "sign-in-session-ended",
            Self::SignInFirst => "sign-in-first",
            Self::StartAgain => "sign-in-start-again",
        })
    }
}

/// Why a sign-in did not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInProblem {
    /// The name or the password was not typed.
    Incomplete,
    /// Wrong, unknown or held: one text for all.
    Denied,
    /// Too many tries for this name or from this place.
    SlowDown(SlowDown),
}

impl Tell for SignInProblem {
    fn tell(&self, shell: &Shell) -> String {
        match self {
            Self::Incomplete => shell.t("sign-in-incomplete"),
            Self::Denied => shell.t("sign-in-denied"),
            Self::SlowDown(slow_down) => slow_down.tell(shell),
        }
    }
}

impl Content for SignIn {
    fn title(&self, shell: &Shell) -> String {
        shell.t("sign-in-title")
    }

    fn trouble(&self, shell: &Shell) -> Option<Trouble> {
        // Of no field: the name and the password are never told apart.
        Trouble::of(self.problem.as_ref(), "", shell)
    }
}

page!(SignIn, "sign_in.html");

/// Where a leaked password came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeakSource {
    /// Another site.
    Dump,
    /// A computer or phone with harmful software on it.
    Stealer,
    /// Ourselves. Nothing that is said may blame another site.
    Ours,
}

/// The whole of it, for a browser that we recognise as the owner's: we turned off the password, why, and what to do. Posts
/// `identifier` to [`super::paths::NEW_PASSWORD`], so that nobody has to type it again.
pub struct PasswordTurnedOff {
    /// What was typed as the name.
    pub identifier: String,
    /// When we did.
    pub at: Timestamp,
    /// Where the password was found; `None` when an administrator turned it off by hand. A new one does not let back in then.
    pub source: Option<LeakSource>,
    /// Whether a responder has stated that the site itself was not broken into. Not said when the source is ourselves.
    pub site_not_broken_into: bool,
}

impl Content for PasswordTurnedOff {
    fn title(&self, shell: &Shell) -> String {
        shell.t("turned-off-title")
    }
}

impl PasswordTurnedOff {
    /// The message that says where it was found, if it was.
    fn why(&self) -> Option<&'static str> {
        self.source.map(why)
    }

    fn says_not_broken_into(&self) -> bool {
        self.site_not_broken_into && self.source != Some(LeakSource::Ours)
    }
}

/// The message that says where a password was found.
const fn why(source: LeakSource) -> &'static str {
    match source {
        LeakSource::Dump => "leak-source-dump",
        LeakSource::Stealer => "leak-source-stealer",
        LeakSource::Ours => "leak-source-ours",
    }
}

page!(PasswordTurnedOff, "password_turned_off.html");

/// The password was right, but a new one is needed before a session opens: it was found in a leak, or an administrator asks for it. Posts nothing but the wish to go
/// on to [`super::paths::CHANGE_REQUIRED`]; a code is mailed then.
pub struct ChangeRequired {
    /// Where the password was found; `None` when an administrator asked for a new one by hand.
    pub source: Option<LeakSource>,
    /// The address that the code goes to, masked; `None` when no address is old enough to be trusted with it.
    pub masked_address: Option<String>,
}

impl Content for ChangeRequired {
    fn title(&self, shell: &Shell) -> String {
        shell.t("change-required-title")
    }
}

impl ChangeRequired {
    fn why(&self) -> Option<&'static str> {
        self.source.map(why)
    }
}

page!(ChangeRequired, "change_required.html");

/// Said once, after a sign-in: the password is in lists of stolen ones. Leads to [`super::paths::ACCOUNT_PASSWORD`], or on.
pub struct PasswordKnownLeaked {
    /// In how many places, where the list counts them.
    pub times: Option<u64>,
    /// Where the owner was going: a path on this site.
    pub next: String,
}

impl Content for PasswordKnownLeaked {
    fn title(&self, shell: &Shell) -> String {
        shell.t("known-leaked-title")
    }
}

page!(PasswordKnownLeaked, "password_known_leaked.html");
