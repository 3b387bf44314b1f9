//! What a mail server answers, and what its codes mean for an address.

use crate::channel::Step;
use crate::plain;

/// A reply of a mail server (RFC 5321 §4.2). The text is as the server chose it, but one bounded line without controls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Three digits.
    pub code: u16,
    /// The enhanced status code (RFC 3463), if it gave one.
    pub status: Option<Status>,
    /// What it said, at most [`plain::LONGEST_REPLY`] characters.
    pub text: String,
}

impl Reply {
    /// A reply from its code and its raw text.
    pub fn new(code: u16, text: &str) -> Self {
        let text = plain::one_line(text, plain::LONGEST_REPLY);
        let status = text.split(' ').next().and_then(Status::parse);
        Self {
            code,
            // RFC 2034 §4: the class agrees with the code, or it is no status but part of the text.
            status: status.filter(|status| u16::from(status.class) == code / 100),
            text,
        }
    }

    /// What a permanent refusal in this step says: about which thing, and how final.
    pub fn meaning(&self, step: Step) -> Meaning {
        let by_status = self.status.and_then(Status::meaning);
        by_status.unwrap_or_else(|| Meaning::of_code(self.code, step))
    }
}

impl std::fmt::Display for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.code, self.text)
    }
}

/// An enhanced status code (RFC 3463 §2): class, subject, detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// 2 done, 4 not now, 5 never.
    pub class: u8,
    /// What it is about, 0 to 999.
    pub subject: u16,
    /// More exactly, 0 to 999.
    pub detail: u16,
}

impl Status {
    /// Reads `5.1.1`; `None` for everything else.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (class, subject, detail) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        Some(Self {
            class: match class {
                "2" => 2,
                "4" => 4,
                "5" => 5,
                _ => return None,
            },
            subject: number(subject)?,
            detail: number(detail)?,
        })
    }

    /// What the status says; `None` where it says nothing but "failed". The table is that of RFC 3463 §3 and the IANA
    /// registry of enhanced status codes.
    pub const fn meaning(self) -> Option<Meaning> {
        use About::{Address, Message, Ours};
        use Class::{Blocked, Hard, Soft};
        let (about, class) = match (self.subject, self.detail) {
            // Addresses. A sender that is refused (1.7, 1.8) or a return path that cannot take mail (7.29) is our fault.
            (1, 7 | 8) => (Ours, Blocked),
            (1, 0..=3 | 6 | 9..) => (Address, Hard),
            (1, _) => (Address, Soft),
            // Mailboxes: disabled, too full, message too large, a list that does not expand.
            (2, 1) => (Address, Hard),
            (2, 3) => (Message, Soft),
            (2, _) => (Address, Soft),
            // Their system: full, not accepting, lacking what we asked for, too large a message.
            (3, 4) => (Message, Soft),
            (3, _) => (Address, Soft),
            // The way there: no host, loops, congestion, time ran out. 4.4.4 (no route) may end, 5.4.4 does not.
            (4, 4) if self.class == 5 => (Address, Hard),
            (4, _) => (Address, Soft),
            // The dialogue: we said something wrong. Too many recipients (5.3) cannot be, we send to one.
            (5, _) => (Ours, Soft),
            // The contents: conversion, media.
            (6, _) => (Message, Soft),
            // A mailbox that is closed (7.13, 7.17, 7.18) is none; the rest is policy, reputation, authentication.
            (7, 13 | 17 | 18) => (Address, Hard),
            (7, _) => (Ours, Blocked),
            _ => return None,
        };
        // What is temporary by its class never says that an address is dead.
        let class = match (self.class, class) {
            (4, Hard) => Soft,
            _ => class,
        };
        Some(Meaning { about, class })
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

fn number(digits: &str) -> Option<u16> {
    let is_number = (1..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok())?
}

/// How final a failure is for an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// There is no such mailbox.
    Hard,
    /// It may work another time.
    Soft,
    /// We are not let in; it says nothing about the mailbox.
    Blocked,
}

/// What a failure is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The receiver's address.
    Address,
    /// This message: its size, its contents.
    Message,
    /// Us: our address, our reputation, our set-up.
    Ours,
}

/// What a permanent failure says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// About which thing.
    pub about: About,
    /// How final.
    pub class: Class,
}

impl Meaning {
    /// What a bare reply code says, by the step in which it came (RFC 5321 §4.2.3).
    const fn of_code(code: u16, step: Step) -> Self {
        let (about, class) = match (step, code) {
            (Step::Recipient, 550 | 551 | 553 | 556) => (About::Address, Class::Hard),
            (Step::Recipient, _) => (About::Address, Class::Soft),
            (Step::Message | Step::Data, 552 | 554) => (About::Message, Class::Blocked),
            (Step::Message | Step::Data, _) => (About::Message, Class::Soft),
            _ => (About::Ours, Class::Blocked),
        };
        Self { about, class }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_read_and_nothing_else_is() {
        for (text, expected) in [
            ("5.1.1", Some((5, 1, 1))),
            ("4.7.650", Some((4, 7, 650))),
            ("3.1.1", None),
            ("5.1", None),
            ("5.1.1.1", None),
            ("5.1.1000", None),
            ("5.-1.1", None),
            ("5.1.1:", None),
            ("", None),
        ] {
            let status = Status::parse(text).map(|status| (status.class, status.subject, status.detail));
            assert_eq!(status, expected, "{text}");
        }
        // A version number in the text of a 250 is no status.
        assert_eq!(Reply::new(250, "5.1.1 ready").status, None);
        assert_eq!(Reply::new(550, "5.1.1\r\n no").text, "5.1.1 no");
    }

    #[test]
    fn statuses_mean_what_rfc_3463_says() {
        use About::{Address, Message, Ours};
        use Class::{Blocked, Hard, Soft};
        for (text, about, class) in [
            ("5.1.1", Address, Hard),
            ("5.1.2", Address, Hard),
            ("5.1.8", Ours, Blocked),
            ("5.1.10", Address, Hard),
            ("4.1.1", Address, Soft),
            ("5.2.1", Address, Hard),
            ("5.2.2", Address, Soft),
            ("5.2.3", Message, Soft),
            ("5.3.4", Message, Soft),
            ("5.4.4", Address, Hard),
            ("4.4.4", Address, Soft),
            ("4.4.7", Address, Soft),
            ("5.4.7", Address, Soft),
            ("5.5.2", Ours, Soft),
            ("5.6.1", Message, Soft),
            ("5.7.1", Ours, Blocked),
            ("5.7.13", Address, Hard),
            ("5.7.26", Ours, Blocked),
        ] {
            let meaning = Status::parse(text).and_then(Status::meaning);
            assert_eq!(meaning, Some(Meaning { about, class }), "{text}");
        }
        assert_eq!(Status::parse("5.0.0").and_then(Status::meaning), None);
    }
}
