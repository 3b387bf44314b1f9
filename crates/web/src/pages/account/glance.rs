//! Safety at a glance, and the one next thing.

use crate::pages::{Content, Shell, Tell, page, paths};
use rightful_core::Timestamp;

/// The account at a glance. Every row leads to its page.
pub struct Account {
    /// What names the account.
    pub identifier: String,
    /// What was just done, to be said once.
    pub done: Option<Done>,
    /// The one thing to do; `None` says that all is well.
    pub next: Option<NextThing>,
    /// When the password was set; `None` when it was imported and we do not know.
    pub password_set_at: Option<Timestamp>,
    /// The address that we write to; `None` when there is none.
    pub address: Option<String>,
    /// Since when there is an authenticator app; `None` without one.
    pub app_since: Option<Timestamp>,
    /// Recovery codes left; only shown with an app.
    pub recovery_codes_left: u64,
    /// Where the account is signed in, this browser included.
    pub sessions: u64,
    /// Messages that we sent in the last 90 days.
    pub messages: u64,
    /// The sign-in before this one; `None` when this is the first that we know of.
    pub last_sign_in_at: Option<Timestamp>,
}

/// What an owner should do next, gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextThing {
    /// Decide about a planned deletion.
    DeletionPlanned {
        /// When the account will be deleted.
        on: Timestamp,
    },
    /// Choose another password: this one is in lists of stolen ones.
    ChangeLeakedPassword,
    /// Give an address that we may write to.
    AddAddress,
    /// Add an authenticator app.
    AddApp,
    /// Make new recovery codes.
    MakeRecoveryCodes {
        /// How many are left.
        left: u64,
    },
}

impl NextThing {
    const fn path(self) -> &'static str {
        match self {
            Self::DeletionPlanned { .. } => paths::ACCOUNT_DELETE,
            Self::ChangeLeakedPassword => paths::ACCOUNT_PASSWORD,
            Self::AddAddress => paths::ACCOUNT_ADDRESS,
            Self::AddApp => paths::ACCOUNT_APP,
            Self::MakeRecoveryCodes { .. } => paths::ACCOUNT_RECOVERY_CODES,
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::DeletionPlanned { .. } => "next-deletion-title",
            Self::ChangeLeakedPassword => "next-password-title",
            Self::AddAddress => "next-address-title",
            Self::AddApp => "next-app-title",
            Self::MakeRecoveryCodes { .. } => "next-codes-title",
        }
    }

    const fn button(self) -> &'static str {
        match self {
            Self::DeletionPlanned { .. } => "next-deletion-button",
            Self::ChangeLeakedPassword => "next-password-button",
            Self::AddAddress => "next-address-button",
            Self::AddApp => "next-app-button",
            Self::MakeRecoveryCodes { .. } => "next-codes-button",
        }
    }
}

impl Tell for NextThing {
    fn tell(&self, shell: &Shell) -> String {
        match *self {
            Self::DeletionPlanned { on } => shell.t1("next-deletion-text", "day", shell.day(on)),
            Self::ChangeLeakedPassword => shell.t("next-password-text"),
            Self::AddAddress => shell.t("next-address-text"),
            Self::AddApp => shell.t("next-app-text"),
            Self::MakeRecoveryCodes { left } => shell.count("next-codes-text", left),
        }
    }
}

/// What was just done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// The account was made.
    AccountMade,
    /// The password was changed, and every other session ended.
    PasswordChanged,
    /// The address was changed.
    AddressChanged,
    /// The authenticator app was removed.
    AppRemoved,
    /// Every other session was ended.
    OthersSignedOut,
    /// The planned deletion was stopped.
    DeletionStopped,
}

impl Tell for Done {
    fn tell(&self, shell: &Shell) -> String {
        shell.t(match self {
            Self::AccountMade => "done-account-made",
            Self::PasswordChanged => "done-password-changed",
            Self::AddressChanged => "done-address-changed",
            Self::AppRemoved => "done-app-removed",
            Self::OthersSignedOut => "done-others-signed-out",
            Self::DeletionStopped => "done-deletion-stopped",
        })
    }
}

impl Content for Account {
    fn title(&self, shell: &Shell) -> String {
        shell.t("account-title")
    }
}

page!(Account, "account.html");
