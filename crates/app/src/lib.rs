//! Use cases, one file each.
//!
//! A use case loads, works outside transactions, lets the rules decide, and writes. It gets the time and chance from its
//! [`env::Env`], the rooms it uses as values, and knows neither pages nor the command line.

pub mod accounts;
pub mod accounts_file;
pub mod addresses;
pub mod app;
pub mod backup;
pub mod bounces;
mod budgets;
pub mod check_message;
pub mod containments;
mod csv_records;
pub mod decoy;
pub mod env;
pub mod erase_account;
pub mod export;
pub mod files;
pub mod glance;
pub mod holds;
pub mod import_accounts;
pub mod incidents;
pub mod leaks;
pub mod login;
mod mail_code;
pub mod match_accounts;
pub mod match_journal;
pub mod match_leak;
pub mod moment;
pub mod new_password;
pub mod notices;
pub mod officer;
pub mod outbox;
pub mod plan;
mod return_token;
pub mod roles;
pub mod run_containments;
pub mod scan_leak;
pub mod second_factor;
mod session_view;
pub mod sessions;
pub mod set_up;
pub mod sign_in;
pub mod sign_up;
pub mod site;
pub mod step_up;
pub mod sweep;
pub mod unreadable;
pub mod visitor;
pub mod wrap_passwords;
