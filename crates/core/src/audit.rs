//! The audit log: who did what to which thing, chained so that a change to an old row shows.

use crate::{AccountNo, Timestamp};

/// What an audit row is about. Each subject has a chain of its own, so that no row is written by everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuditSubject {
    /// The site as a whole: set up, migrated, restored.
    Site,
    /// One run of the importer.
    Import(i64),
    /// One leak.
    Leak(i64),
    /// One incident.
    Incident(i64),
    /// One containment.
    Containment(i64),
    /// One account.
    Account(AccountNo),
}

impl AuditSubject {
    /// The block that the rows lie in: the account's, or a negative one for what has no account.
    pub const fn home(self) -> i64 {
        match self {
            Self::Site => -1,
            Self::Import(_) => -2,
            Self::Leak(_) => -3,
            Self::Incident(_) => -4,
            Self::Containment(_) => -5,
            Self::Account(no) => no.block(),
        }
    }

    /// The number within the home.
    pub const fn subject(self) -> i64 {
        match self {
            Self::Site => 0,
            Self::Import(no) | Self::Leak(no) | Self::Incident(no) | Self::Containment(no) => no,
            Self::Account(no) => no.get(),
        }
    }
}

/// One thing that happened, before it has its place in a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// About what.
    pub subject: AuditSubject,
    /// What happened, in the past tense with a dotted noun in front: `accounts.imported`, `leak.named`.
    pub event: &'static str,
    /// Who did it: `cli:<name of the operating system's user>` or a part of the server.
    pub actor: String,
    /// The particulars as JSON; never a secret.
    pub body: String,
    /// When.
    pub at: Timestamp,
}
