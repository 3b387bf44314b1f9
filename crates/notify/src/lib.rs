//! A notice becomes a message that its owner can believe, and goes out through a channel.
//!
//! The way of a message: a [`Notice`] says what happened, [`render`] puts it into words, [`compose`] makes the bytes of a mail
//! of them, [`Signer::sign`] signs those, a [`Channel`] hands them over and says what became of them. What comes back later
//! is read by [`bounce::read`].
//!
//! This room decides nothing and remembers nothing: no SQL, no accounts, no clock, no schedule. Times, numbers, message ids
//! and tokens are given to it as values. No message has a link, and what others chose (names, browsers, places, replies of
//! servers, bounces) is hostile until it went through [`plain`].

#![warn(missing_docs)]

pub mod address;
pub mod bounce;
pub mod channel;
pub mod dkim;
pub mod dns;
mod folder;
pub mod letter;
pub mod locale;
pub mod message;
mod moment;
pub mod notice;
pub mod plain;
pub mod reply;
pub mod return_path;
mod smtp;
mod texts;
pub mod wire;

pub use address::{Address, AddressRefused};
pub use channel::{Channel, Delivery, Lost, Step, Trouble, Whose};
pub use dkim::{DkimKey, DnsRecord, KeyRefused, SignRefused, Signer};
pub use folder::{Folder, Kept};
pub use letter::{Letter, Names, render};
pub use locale::Locale;
pub use message::{Envelope, MessageId, Sender, compose};
pub use notice::{Browser, Code, FactorChange, LeakSource, Notice};
pub use reply::{Class, Meaning, Reply, Status};
pub use return_path::ReturnPath;
pub use smtp::{Credentials, Relay, RelayRefused, Security, Smtp, Timeouts, Trust};
pub use wire::{Wire, WireRefused};
