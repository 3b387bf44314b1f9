//! Answers to what people ask, and how to keep an account safe.

use super::{Content, Shell, page};

/// Answers to what people ask.
pub struct Help {
    /// Where people can write to, as it is to be shown (an e-mail address or a telephone number); `None` says nothing of it.
    pub contact: Option<String>,
    /// Whether accounts can be made here.
    pub sign_up: bool,
}

impl Content for Help {
    fn title(&self, shell: &Shell) -> String {
        shell.t("help-title")
    }
}

page!(Help, "help.html");

/// How to keep an account safe, in plain words.
pub struct HelpSafe;

impl Content for HelpSafe {
    fn title(&self, shell: &Shell) -> String {
        shell.t("safe-title")
    }
}

page!(HelpSafe, "help_safe.html");
