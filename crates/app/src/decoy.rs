//! What is computed in place of a hash that is not there.
//!
//! Somebody who asks for a name that no account has, or an account without a password, or a held one, must wait as long as for
//! a wrong password. Hashes of imports take very different times, so the decoy is one of the site's own hashes, drawn by a
//! keyed hash of the name: the same name always waits the same, and the names together wait like the site's accounts.

use std::sync::PoisonError;

use rand_core::Rng as _;
use rightful_core::account::BLOCK_LEN;
use rightful_core::{AccountNo, Timestamp};
use rightful_crypto::password::{Argon2Params, StoredHash, hash_new};
use rightful_crypto::pool::Priority;
use rightful_crypto::seal::Draw;

use crate::app::{App, Fault};

/// How many of the site's hashes are drawn as decoys.
const DRAWN: usize = 256;

/// Accounts that are looked at for them, at most, in as many pages.
const LOOKED_AT: usize = 1024;

impl App {
    /// Draws the decoys anew: at start, and from time to time, because hashes are upgraded as owners sign in.
    ///
    /// # Errors
    /// What the database says.
    pub async fn draw_decoys(&self) -> Result<(), Fault> {
        let mut env = self.env();
        let blocks = self.site.store.read(async move |tx| tx.blocks().await).await?;
        let limit = u64::try_from(blocks.max(1) * BLOCK_LEN).unwrap_or(1);
        // Small sites are looked at from their beginning; of large ones a random choice of numbers.
        let numbers: Vec<AccountNo> = if limit <= LOOKED_AT as u64 * 4 {
            (1..i64::try_from(limit).unwrap_or(1))
                .take(LOOKED_AT * 4)
                .map(AccountNo::new)
                .collect()
        } else {
            let draw = |_| AccountNo::new(i64::try_from(env.chance.next_u64() % limit).unwrap_or(0));
            (0..LOOKED_AT).map(draw).collect()
        };
        let stored = self
            .site
            .store
            .read(async move |tx| {
                let mut found = Vec::new();
                for piece in numbers.chunks(256) {
                    found.extend(
                        tx.passwords(piece)
                            .await?
                            .into_iter()
                            .filter(|password| password.current),
                    );
                    if found.len() >= LOOKED_AT {
                        break;
                    }
                }
                Ok(found)
            })
            .await?;
        // Every n-th, so that the choice is spread over what was looked at.
        let step = stored.len().div_ceil(DRAWN).max(1);
        let mut decoys: Vec<StoredHash> = stored
            .iter()
            .step_by(step)
            .filter_map(|password| {
                let opened = self
                    .site
                    .open_hash(password.account, password.password_no, &password.sealed);
                opened.ok()
            })
            .collect();
        if decoys.is_empty() {
            let (salt, secret): ([u8; 16], [u8; 32]) = (env.random(), env.random());
            let made = self
                .hash(Priority::SignIn, move |arena| {
                    hash_new(&secret, salt, Argon2Params::DEFAULT, arena)
                })
                .await?;
            decoys.push(made.map_err(|_| Fault::Busy)?);
        }
        *self.decoys.write().unwrap_or_else(PoisonError::into_inner) = decoys;
        Ok(())
    }

    /// The decoy of a name.
    pub(crate) fn decoy(&self, name_key: &str) -> StoredHash {
        let drawn = self.site.tagger.prf(Draw::Decoy, name_key.as_bytes());
        let number = u64::from_le_bytes(*drawn.first_chunk().expect("32 bytes hold 8"));
        let decoys = self.decoys.read().unwrap_or_else(PoisonError::into_inner);
        let count = decoys.len() as u64;
        let place = usize::try_from(number % count).expect("an index into a list");
        decoys[place].clone()
    }

    /// The number under which the rows of a name that no account has are looked for and its budgets are kept: negative, so
    /// that no account ever has it.
    pub(crate) fn nobody(&self, name_key: &str) -> AccountNo {
        let drawn = self.site.tagger.prf(Draw::Block, name_key.as_bytes());
        let number = i64::from_le_bytes(*drawn.first_chunk().expect("32 bytes hold 8"));
        AccountNo::new(-1 - (number & (i64::MAX >> 1)))
    }

    /// Whose budgets a name spends from: its account's, or those that are kept for the name itself.
    pub(crate) async fn whose(&self, name_key: &str) -> Result<AccountNo, Fault> {
        let wanted = name_key.to_owned();
        let found = self.site.store.read(async move |tx| tx.account_by_key(&wanted).await);
        Ok(found.await?.unwrap_or_else(|| self.nobody(name_key)))
    }

    /// The home of rows of a name that no account has, where a token must name it.
    pub(crate) fn home_of_nobody(&self, name_key: &str) -> i64 {
        let drawn = self.site.tagger.prf(Draw::Block, name_key.as_bytes());
        i64::from(drawn[8]) % HOMES_OF_NOBODY
    }
}

/// The homes that rows of no account are spread over: few enough to be swept one by one.
pub(crate) const HOMES_OF_NOBODY: i64 = 128;

/// How old rows of conversations may get before they are swept: an hour after their end.
pub(crate) const fn sweep_before(now: Timestamp) -> Timestamp {
    now.plus_seconds(-3600)
}
