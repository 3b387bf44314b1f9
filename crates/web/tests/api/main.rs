//! The JSON API as programs call it, on both engines, with a clock that is set.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod bounces;
mod calls;
mod documents;
mod flows;
mod incidents;
mod logins;
mod support;
