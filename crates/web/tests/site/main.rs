//! The site against those who attack it: requests as browsers send them, on both engines, with a clock that is set.
//!
//! A test that is named after a security case answers that case (`docs/security-cases.md`).

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod changes;
mod clock;
mod coming_back;
mod enumeration;
mod guessing;
mod model;
mod names;
mod passwords;
mod risk;
mod routes;
mod second_factors;
mod secrets;
mod sessions;
mod support;
