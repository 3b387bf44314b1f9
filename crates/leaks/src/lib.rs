//! Leaked credentials: unpack, read, index, match.
//!
//! The way of a leak through this room: [`unpack`] turns files into texts and texts into blocks of lines, [`parse`] turns
//! lines into records, [`index`] tells which accounts a record may name, [`grade`](mod@grade) what its secret says about them, and
//! [`scan`] runs all of it. Knows nothing of databases: accounts and results are behind [`scan::Ledger`].

pub mod account;
pub mod grade;
pub mod index;
pub mod known;
pub mod parse;
pub mod sample;
pub mod scan;
pub mod tally;
pub mod unpack;
