//! Use cases, one file each.
//!
//! A use case loads, works outside transactions, lets the rules decide, and writes. It gets the time and chance from its
//! [`env::Env`], the rooms it uses as values, and knows neither pages nor the command line.

pub mod accounts;
pub mod accounts_file;
pub mod backup;
mod csv_records;
pub mod env;
pub mod export;
pub mod files;
pub mod import_accounts;
pub mod leaks;
pub mod match_accounts;
pub mod match_journal;
pub mod match_leak;
pub mod moment;
pub mod scan_leak;
pub mod site;
pub mod unreadable;
pub mod wrap_passwords;
