//! The authenticator app: added, removed.

use crate::pages::{Content, Shell, Trouble, page, paths, problem::AppCodeProblem, qr::QrSvg};
use rightful_core::Timestamp;

/// Who adds an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnrolFor {
    /// An owner. Posts to [`paths::ACCOUNT_APP`].
    Account,
    /// The first administrator, who cannot go on without. Posts to [`paths::SETUP_APP`].
    Setup,
}

/// Adds an authenticator app. Posts `code`; the secret stays on the server.
pub struct EnrolApp {
    /// Who adds it.
    pub enrol_for: EnrolFor,
    /// The `otpauth:` address, drawn; `None` when it is too long for a drawing, so that it must be typed.
    pub qr: Option<QrSvg>,
    /// The secret in base32, to be typed where nothing can be scanned.
    pub secret: String,
    /// What is wrong with the last code.
    pub problem: Option<AppCodeProblem>,
}

impl Content for EnrolApp {
    fn title(&self, shell: &Shell) -> String {
        shell.t("enrol-app-title")
    }

    fn trouble(&self, shell: &Shell) -> Option<Trouble> {
        Trouble::of(self.problem.as_ref(), "code", shell)
    }
}

/// Characters of a secret in one group: what people carry from one screen to another at a time.
const GROUP: usize = 4;

impl EnrolApp {
    fn path(&self) -> &'static str {
        match self.enrol_for {
            EnrolFor::Account => paths::ACCOUNT_APP,
            EnrolFor::Setup => paths::SETUP_APP,
        }
    }

    /// Whether there is a way back: an owner may leave it, the first administrator may not.
    fn may_be_left(&self) -> bool {
        self.enrol_for == EnrolFor::Account
    }

    /// The secret in groups of four.
    fn groups(&self) -> Vec<String> {
        let letters: Vec<char> = self.secret.chars().collect();
        letters.chunks(GROUP).map(|group| group.iter().collect()).collect()
    }
}

page!(EnrolApp, "enrol_app.html");

/// Removes the authenticator app. Posts nothing but the wish to [`paths::ACCOUNT_APP_REMOVE`]; fresh proof comes before.
pub struct RemoveApp {
    /// Since when it is there.
    pub since: Timestamp,
    /// How many characters a password must have that is chosen before; `None` when the one there is will do.
    pub longer_password: Option<u64>,
}

impl Content for RemoveApp {
    fn title(&self, shell: &Shell) -> String {
        shell.t("remove-app-title")
    }
}

page!(RemoveApp, "account_app_remove.html");
