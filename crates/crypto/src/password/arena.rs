//! Memory that one worker reuses from hash to hash.

use super::limits::ARGON2_MAX_M_KIB;
use argon2::Block;

/// A verification that could not be done, through no fault of the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyFault {
    /// The system gave no memory for it.
    #[error("no memory for a password hash of {kib} KiB: use fewer workers, or give the process more")]
    OutOfMemory {
        /// What was asked for, in KiB.
        kib: u64,
    },
    /// The library refused parameters that our own parser let through: a defect of ours.
    #[error("a parsed password hash was refused by the hash library: {0}")]
    Refused(&'static str),
}

/// Memory for Argon2, grown to what a hash asks for and kept for the next one.
///
/// One for each worker. It holds what was derived from the last password until it is used again or released. The blocks lie
/// in an ordinary vector: `argon2::Block` offers no safe view over mapped pages, so huge pages are the allocator's choice.
#[derive(Default)]
pub struct Arena {
    blocks: Vec<Block>,
}

impl std::fmt::Debug for Arena {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Arena({} KiB)", self.held_kib())
    }
}

impl Arena {
    /// An arena that holds nothing yet.
    pub const fn new() -> Self {
        Self { blocks: Vec::new() }
    }

    /// What it holds, in KiB.
    pub const fn held_kib(&self) -> usize {
        self.blocks.len()
    }

    /// Gives the memory back to the system; the next hash asks for it anew.
    pub fn release(&mut self) {
        self.blocks = Vec::new();
    }

    /// At least `count` blocks of 1 KiB, with whatever the last hash left in them. Never more than the cap of Argon2.
    pub(super) fn blocks(&mut self, count: usize) -> Result<&mut [Block], VerifyFault> {
        if count > ARGON2_MAX_M_KIB as usize {
            return Err(VerifyFault::Refused("memory above the cap"));
        }
        if self.blocks.len() < count {
            self.release(); // first, so that the old and the new are never held together
            self.blocks
                .try_reserve_exact(count)
                .map_err(|_| VerifyFault::OutOfMemory { kib: count as u64 })?;
            self.blocks.resize(count, Block::new());
        }
        Ok(&mut self.blocks[..count])
    }
}

/// Asks for memory and gives it back, before a library takes as much without a way to say no.
pub(super) fn probe(bytes: usize) -> Result<(), VerifyFault> {
    Vec::<u8>::new()
        .try_reserve_exact(bytes)
        .map_err(|_| VerifyFault::OutOfMemory {
            kib: (bytes / 1024) as u64,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_keeps_and_releases() {
        let mut arena = Arena::new();
        assert_eq!(arena.blocks(64).map(|blocks| blocks.len()), Ok(64));
        assert_eq!(arena.blocks(8).map(|blocks| blocks.len()), Ok(8));
        assert_eq!(arena.held_kib(), 64);
        arena.release();
        assert_eq!(arena.held_kib(), 0);
    }

    #[test]
    fn c08_never_grows_above_the_cap() {
        let mut arena = Arena::new();
        let asked = ARGON2_MAX_M_KIB as usize + 1;
        assert_eq!(
            arena.blocks(asked).map(|blocks| blocks.len()),
            Err(VerifyFault::Refused("memory above the cap"))
        );
        assert_eq!(arena.held_kib(), 0);
    }
}
