//! The rules: accounts, identifiers, leaks, exposures and their grades.
//!
//! Pure by design: nothing here waits, reads a clock, draws chance, logs, or touches SQL, HTTP or a wire form.

#![warn(missing_docs)]

pub mod account;
pub mod assurance;
pub mod audit;
pub mod budget;
pub mod contact;
pub mod containment;
pub mod exposure;
pub mod flow;
pub mod identifier;
pub mod incident;
pub mod leak;
pub mod notice;
pub mod password_rule;
pub mod role;
pub mod text;
pub mod time;
pub mod variation;

pub use account::{AccountNo, AccountRef, PasswordVersion, PublicId};
pub use exposure::{Grade, Kind};
pub use time::Timestamp;
