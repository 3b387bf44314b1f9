//! Deleting one's account, with a wait in which it can be stopped.

use crate::pages::{Content, Shell, page};
use rightful_core::Timestamp;

/// Days between the wish and the deletion.
pub const WAIT_DAYS: u64 = 14;

/// Deletion. Posts nothing but the wish to [`crate::pages::paths::ACCOUNT_DELETE`] or [`crate::pages::paths::ACCOUNT_DELETE_STOP`];
/// fresh proof comes before.
pub enum DeleteAccount {
    /// It can be asked for.
    NotPlanned,
    /// It was asked for and can be stopped.
    Planned {
        /// When it will be.
        on: Timestamp,
    },
}

impl Content for DeleteAccount {
    fn title(&self, shell: &Shell) -> String {
        shell.t(match self {
            Self::NotPlanned => "delete-title",
            Self::Planned { .. } => "delete-planned-title",
        })
    }
}

impl DeleteAccount {
    fn wait_days(&self) -> u64 {
        WAIT_DAYS
    }
}

page!(DeleteAccount, "account_delete.html");
