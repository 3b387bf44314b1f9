//! What happened: sign-ins, and messages that we sent.

use crate::pages::{Content, Shell, Tell, page};
use rightful_core::Timestamp;

/// A browser, as far as it told us, and from where.
pub struct Device {
    /// The browser's name ("Firefox"); `None` when it did not say.
    pub browser: Option<String>,
    /// The system that it runs on ("Windows"); `None` when it did not say.
    pub system: Option<String>,
    /// City and country; `None` when we do not know.
    pub place: Option<String>,
}

impl Device {
    /// Browser, system and place, as far as they are known.
    pub(super) fn text(&self, shell: &Shell) -> String {
        let browser = self.browser.clone().unwrap_or_else(|| shell.t("device-unknown"));
        let device = match &self.system {
            Some(system) => shell.text(
                "device-on",
                [("browser", browser.into()), ("system", system.as_str().into())],
            ),
            None => browser,
        };
        match &self.place {
            Some(place) => shell.text(
                "device-at-place",
                [("device", device.into()), ("place", place.as_str().into())],
            ),
            None => device,
        }
    }
}

/// What an owner or visitor showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The password.
    Password,
    /// A code of the authenticator app.
    AppCode,
    /// A recovery code.
    RecoveryCode,
    /// A code that we mailed.
    MailedCode,
}

impl Tell for Proof {
    fn tell(&self, shell: &Shell) -> String {
        shell.t(match self {
            Self::Password => "proof-password",
            Self::AppCode => "proof-app-code",
            Self::RecoveryCode => "proof-recovery-code",
            Self::MailedCode => "proof-mailed-code",
        })
    }
}

/// Why a sign-in did not end in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The password was wrong.
    WrongPassword,
    /// The password had been turned off.
    PasswordOff,
    /// The password was right, the code was not.
    WrongCode,
    /// There had been too many tries.
    TooMany,
    /// A new password was asked for first.
    ChangeRequired,
    /// The password was right, and nothing came after it.
    GivenUp,
}

impl Refusal {
    /// Whether whoever it was knew the password.
    const fn knew_the_password(self) -> bool {
        matches!(self, Self::WrongCode | Self::ChangeRequired | Self::GivenUp)
    }
}

impl Tell for Refusal {
    fn tell(&self, shell: &Shell) -> String {
        shell.t(match self {
            Self::WrongPassword => "refused-wrong-password",
            Self::PasswordOff => "refused-password-off",
            Self::WrongCode => "refused-wrong-code",
            Self::TooMany => "refused-too-many",
            Self::ChangeRequired => "refused-change-required",
            Self::GivenUp => "refused-given-up",
        })
    }
}

/// How a sign-in ended.
pub enum Outcome {
    /// In a session, after these proofs.
    SignedIn(Vec<Proof>),
    /// In none.
    Refused(Refusal),
}

/// A sign-in.
pub struct ActivityLine {
    /// When.
    pub at: Timestamp,
    /// From which browser, and where.
    pub device: Device,
    /// How it ended.
    pub outcome: Outcome,
}

impl ActivityLine {
    fn outcome_text(&self, shell: &Shell) -> String {
        match &self.outcome {
            Outcome::SignedIn(proofs) => {
                let proofs: Vec<String> = proofs.iter().map(|proof| proof.tell(shell)).collect();
                shell.t1("activity-signed-in", "proofs", proofs.join(&shell.t("activity-and")))
            }
            Outcome::Refused(refusal) => refusal.tell(shell),
        }
    }

    /// Whether the owner should look twice if it was not them.
    fn is_grave(&self) -> bool {
        matches!(self.outcome, Outcome::Refused(refusal) if refusal.knew_the_password())
    }
}

/// Sign-ins, also refused ones, the newest first.
pub struct Activity {
    /// The sign-ins.
    pub lines: Vec<ActivityLine>,
}

impl Content for Activity {
    fn title(&self, shell: &Shell) -> String {
        shell.t("activity-title")
    }
}

page!(Activity, "account_activity.html");

/// What a message was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// We turned off the password after a leak.
    TurnedOff,
    /// We ask for a new password after a leak.
    PleaseChange,
    /// We turned the password on again.
    TurnedOnAgain,
    /// A code for a new password.
    ResetCode,
    /// A code for a new account.
    SignUpCode,
    /// Somebody tried to make an account with an address that has one.
    SignUpKnown,
    /// A code for a new address.
    AddressCode,
    /// The password was changed.
    PasswordChanged,
    /// The address was changed.
    AddressChanged,
    /// The authenticator app or the recovery codes were changed.
    SecondFactorChanged,
    /// A sign-in from a browser that we had not seen.
    NewBrowser,
    /// Many wrong passwords or codes.
    TooManyGuesses,
    /// The account will be deleted.
    DeletionPlanned,
    /// The account will not be deleted.
    DeletionStopped,
}

impl MessageKind {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::TurnedOff,
        Self::PleaseChange,
        Self::TurnedOnAgain,
        Self::ResetCode,
        Self::SignUpCode,
        Self::SignUpKnown,
        Self::AddressCode,
        Self::PasswordChanged,
        Self::AddressChanged,
        Self::SecondFactorChanged,
        Self::NewBrowser,
        Self::TooManyGuesses,
        Self::DeletionPlanned,
        Self::DeletionStopped,
    ];

    /// The word of the kind, as notices are stored with.
    pub const fn word(self) -> &'static str {
        match self {
            Self::TurnedOff => "turned-off",
            Self::PleaseChange => "please-change",
            Self::TurnedOnAgain => "turned-on-again",
            Self::ResetCode => "reset-code",
            Self::SignUpCode => "sign-up-code",
            Self::SignUpKnown => "sign-up-known",
            Self::AddressCode => "address-code",
            Self::PasswordChanged => "password-changed",
            Self::AddressChanged => "address-changed",
            Self::SecondFactorChanged => "second-factor-changed",
            Self::NewBrowser => "new-browser",
            Self::TooManyGuesses => "too-many-guesses",
            Self::DeletionPlanned => "deletion-planned",
            Self::DeletionStopped => "deletion-stopped",
        }
    }

    /// The kind of a word; `None` for any other.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl Tell for MessageKind {
    fn tell(&self, shell: &Shell) -> String {
        shell.t(match self {
            Self::TurnedOff => "message-turned-off",
            Self::PleaseChange => "message-please-change",
            Self::TurnedOnAgain => "message-turned-on-again",
            Self::ResetCode => "message-reset-code",
            Self::SignUpCode => "message-sign-up-code",
            Self::SignUpKnown => "message-sign-up-known",
            Self::AddressCode => "message-address-code",
            Self::PasswordChanged => "message-password-changed",
            Self::AddressChanged => "message-address-changed",
            Self::SecondFactorChanged => "message-second-factor-changed",
            Self::NewBrowser => "message-new-browser",
            Self::TooManyGuesses => "message-too-many-guesses",
            Self::DeletionPlanned => "message-deletion-planned",
            Self::DeletionStopped => "message-deletion-stopped",
        })
    }
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageState {
    /// Waits to be sent.
    Queued,
    /// Is being handed over.
    Sending,
    /// The mail server took it.
    Sent,
    /// It could not be delivered.
    Failed,
    /// We do not know whether it was delivered.
    Unknown,
}

impl Tell for MessageState {
    fn tell(&self, shell: &Shell) -> String {
        shell.t(match self {
            Self::Queued => "message-state-queued",
            Self::Sending => "message-state-sending",
            Self::Sent => "message-state-sent",
            Self::Failed => "message-state-failed",
            Self::Unknown => "message-state-unknown",
        })
    }
}

/// A message.
pub struct MessageLine {
    /// What it was about.
    pub kind: MessageKind,
    /// When it was written.
    pub at: Timestamp,
    /// Whom it went to, masked.
    pub masked_address: String,
    /// What became of it.
    pub state: MessageState,
}

/// Messages that we sent to the owner in the last 90 days, the newest first.
pub struct Messages {
    /// The messages.
    pub lines: Vec<MessageLine>,
}

impl Content for Messages {
    fn title(&self, shell: &Shell) -> String {
        shell.t("messages-title")
    }
}

page!(Messages, "account_messages.html");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_word() {
        for kind in MessageKind::ALL {
            assert_eq!(MessageKind::from_word(kind.word()), Some(kind));
        }
        assert_eq!(MessageKind::from_word("lottery"), None);
    }
}
