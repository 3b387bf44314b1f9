//! All SQL: one text for SQLite and PostgreSQL.
//!
//! [`Store::open`] connects, [`Store::read`] and [`Store::write`] run a closure in a transaction, and everything that the store
//! can do is a method of [`Tx`], in the file of its noun. Nothing here decides: rules read rows, decide, and write with a guard
//! that says what they saw.
//!
//! `docs/design/store.md` tells of keys, guards and the format of a backup.

#![warn(missing_docs)]

pub mod account;
mod adapter;
pub mod audit;
pub mod authenticator;
pub mod backup;
pub mod budget;
pub mod cohort;
pub mod containment;
mod counter;
pub mod data_key;
pub mod erase;
mod error;
pub mod exposure;
pub mod flow;
pub mod hold;
pub mod identifier;
pub mod import;
pub mod incident;
pub mod leak;
pub mod match_view;
pub mod migrate;
pub mod notice;
pub mod password;
pub mod session;
pub mod setting;
pub mod sign_in;
mod store;
pub mod text;
pub mod untested;

pub use adapter::{Changed, Tx, Watcher};
pub use error::StoreError;
pub use store::{Address, Store};
