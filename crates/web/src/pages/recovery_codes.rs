//! Recovery codes: shown once, printed, counted.

use super::{Content, Shell, page, paths};

/// Where someone goes after noting the codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterCodes {
    /// To the account.
    Account,
    /// To the end of setting up a server.
    Start,
}

/// Fresh codes, shown this once. Leads to [`paths::ACCOUNT`] or [`paths::START`].
pub struct RecoveryCodes {
    /// The codes as they are to be noted, grouped with dashes.
    pub codes: Vec<String>,
    /// What comes next.
    pub after: AfterCodes,
}

impl Content for RecoveryCodes {
    fn title(&self, shell: &Shell) -> String {
        shell.t("recovery-codes-title")
    }
}

impl RecoveryCodes {
    fn next_path(&self) -> &'static str {
        match self.after {
            AfterCodes::Account => paths::ACCOUNT,
            AfterCodes::Start => paths::START,
        }
    }

    fn how_many(&self) -> u64 {
        u64::try_from(self.codes.len()).unwrap_or(u64::MAX)
    }
}

page!(RecoveryCodes, "recovery_codes.html");

/// How many codes are left; posts the wish for new ones to [`paths::ACCOUNT_RECOVERY_CODES`].
pub struct RecoveryCodesLeft {
    /// Codes that were not used yet.
    pub left: u64,
}

impl Content for RecoveryCodesLeft {
    fn title(&self, shell: &Shell) -> String {
        shell.t("recovery-codes-left-title")
    }
}

page!(RecoveryCodesLeft, "recovery_codes_left.html");
