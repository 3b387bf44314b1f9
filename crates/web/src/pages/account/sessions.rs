//! Where the account is signed in.

use super::Device;
use crate::pages::{Content, Shell, page};
use rightful_core::Timestamp;

/// Where the account is signed in. Posts `session` to [`crate::pages::paths::ACCOUNT_SESSIONS_END`], or nothing to
/// [`crate::pages::paths::ACCOUNT_SESSIONS_END_OTHERS`].
pub struct Sessions {
    /// This browser first, then the last used first.
    pub sessions: Vec<SessionLine>,
    /// Whether one was just ended.
    pub one_ended: bool,
}

/// A session.
pub struct SessionLine {
    /// Names the session in the form; no secret.
    pub id: String,
    /// The browser, and from where.
    pub device: Device,
    /// When it was opened.
    pub signed_in_at: Timestamp,
    /// When it was last used.
    pub seen_at: Timestamp,
    /// Whether it is the one that looks at the page.
    pub current: bool,
}

impl Content for Sessions {
    fn title(&self, shell: &Shell) -> String {
        shell.t("sessions-title")
    }
}

impl Sessions {
    fn others(&self) -> bool {
        self.sessions.iter().any(|session| !session.current)
    }
}

page!(Sessions, "account_sessions.html");
