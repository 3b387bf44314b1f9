//! Password hashes, the pool that computes them, sealing at rest.
//!
//! Takes randomness as an argument and asks no clock; opens no file and no connection.

#![warn(missing_docs)]

pub mod code;
pub mod password;
pub mod pool;
pub mod seal;
pub mod testing;
pub mod token;
pub mod totp;
