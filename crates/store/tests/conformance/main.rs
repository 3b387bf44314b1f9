//! What the store promises, on both engines.

mod accounts;
mod audit;
mod authenticators;
mod backup;
mod budgets;
mod containments;
mod erasing;
mod files;
mod flows;
mod holds;
mod imports;
mod leaks;
mod notices;
mod passwords;
mod schema;
mod sessions;
mod settings;
mod sign_ins;
mod statements;
mod support;
mod transactions;
