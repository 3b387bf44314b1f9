//! Mail that lies on this machine because no mail server is configured. Shown on loopback only.

use super::{Content, Shell, page};
use rightful_core::Timestamp;

/// All letters, the newest first.
pub struct DevMailbox {
    /// What lies there.
    pub letters: Vec<DevLetterLine>,
}

/// A letter in the list.
pub struct DevLetterLine {
    /// Names the letter in its path, below [`super::paths::DEV_MAILBOX`]: letters, digits, dots and dashes.
    pub name: String,
    /// Whom it is to.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// When it was laid there.
    pub at: Timestamp,
}

impl Content for DevMailbox {
    fn title(&self, shell: &Shell) -> String {
        shell.t("dev-mailbox-title")
    }
}

page!(DevMailbox, "dev_mailbox.html");

/// One letter, as text.
pub struct DevLetter {
    /// Whom it is from.
    pub from: String,
    /// Whom it is to.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// When it was laid there.
    pub at: Timestamp,
    /// Its plain text.
    pub text: String,
}

impl Content for DevLetter {
    fn title(&self, _shell: &Shell) -> String {
        self.subject.clone()
    }
}

page!(DevLetter, "dev_letter.html");
