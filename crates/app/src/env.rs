//! What a use case gets from the world: the time and chance.

use std::sync::Arc;
use std::time::Duration;

use rand_core::CryptoRng;
use rightful_core::Timestamp;

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Tells how long something has been running. Nobody sets it, so it alone says how old a memory is.
pub type Uptime = Arc<dyn Fn() -> Duration + Send + Sync>;

/// The clock and the source of chance. Only the binary and the tests make one.
pub struct Env {
    /// Now.
    pub clock: Clock,
    /// Keys, salts, nonces, ids.
    pub chance: Box<dyn CryptoRng + Send>,
}

impl Env {
    /// Now.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// That many random bytes.
    pub fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.chance.fill_bytes(&mut bytes);
        bytes
    }
}
