//! What the store promises, on both engines.

mod accounts;
mod audit;
mod backup;
mod files;
mod imports;
mod leaks;
mod passwords;
mod schema;
mod settings;
mod statements;
mod support;
mod transactions;
