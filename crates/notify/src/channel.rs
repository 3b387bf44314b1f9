//! The ways out, and what became of a message.

use crate::folder::Folder;
use crate::message::Envelope;
use crate::reply::{Class, Reply};
use crate::smtp::Smtp;
use crate::wire::Wire;

pub use crate::reply::About as Whose;

/// A way out.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a process has one, for as long as it lives")]
pub enum Channel {
    /// To a mail server.
    Smtp(Smtp),
    /// Into a folder, where no mail server is set up.
    Folder(Folder),
}

impl Channel {
    /// Hands one message over. Waits for the answer as long as the channel's limits let it; never tries twice what may have
    /// arrived.
    pub async fn send(&self, envelope: &Envelope, message: &Wire) -> Delivery {
        match self {
            Self::Smtp(smtp) => smtp.send(envelope, message).await,
            Self::Folder(folder) => folder.keep(envelope, message).await,
        }
    }
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The other side has it now.
    Sent {
        /// What it said.
        reply: Reply,
    },
    /// It surely does not have it; try again later.
    Later {
        /// Why.
        trouble: Trouble,
    },
    /// It refused for good.
    Never {
        /// Why.
        trouble: Trouble,
        /// What the refusal is about.
        whose: Whose,
        /// How final it is for the address.
        class: Class,
    },
    /// The connection was lost after the message was sent and before the answer: it may have arrived. Never send it again
    /// without being asked.
    Unknown {
        /// How it was lost.
        trouble: Trouble,
    },
}

/// Where and how something went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// In which step.
    pub step: Step,
    /// How.
    pub what: Lost,
}

impl Trouble {
    /// Somebody must look at it, for trying again will not help: TLS that does not hold what we ask, credentials that are
    /// refused. It may also be somebody between us and the server.
    pub const fn is_alarming(&self) -> bool {
        match self.step {
            Step::Tls => matches!(self.what, Lost::Refused(_) | Lost::Answered(_)),
            Step::SignIn => matches!(&self.what, Lost::Refused(_) | Lost::Answered(Reply { code: 500.., .. })),
            _ => false,
        }
    }

    /// The reply, where there was one.
    pub const fn reply(&self) -> Option<&Reply> {
        match &self.what {
            Lost::Answered(reply) => Some(reply),
            _ => None,
        }
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let step = self.step.word();
        match &self.what {
            Lost::Answered(reply) => write!(f, "the mail server answered `{reply}` to {step}"),
            Lost::Connection(why) => write!(f, "the connection was lost at {step}: {why}"),
            Lost::TimedOut => write!(f, "there was no answer in time at {step}"),
            Lost::Refused(why) => write!(f, "{why} (at {step})"),
        }
    }
}

/// A step on the way of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The connection, the greeting, EHLO.
    Connect,
    /// STARTTLS and the handshake.
    Tls,
    /// AUTH.
    SignIn,
    /// MAIL.
    Sender,
    /// RCPT.
    Recipient,
    /// DATA, before any of the message.
    Data,
    /// The message itself.
    Message,
    /// Writing into the folder.
    Folder,
}

impl Step {
    /// As it is named in logs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::SignIn => "auth",
            Self::Sender => "mail",
            Self::Recipient => "rcpt",
            Self::Data => "data",
            Self::Message => "message",
            Self::Folder => "folder",
        }
    }
}

/// How a step failed. Texts are one bounded line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The server said no, or something that does not belong there.
    Answered(Reply),
    /// The connection, or the disk, failed.
    Connection(String),
    /// It took too long.
    TimedOut,
    /// We did not go on.
    Refused(String),
}
