//! phpass "portable" hashes: `$P$` (WordPress, Joomla, ...), `$H$` (phpBB 3).

use super::encoding::{crypt_digit, crypt_value, crypt64, to_crypt64};
use super::limits::{Cost, HashRefused, PHPASS_MAX_LOG_ROUNDS, at_most};
use md5::{Digest, Md5};
use subtle::ConstantTimeEq;

/// A stored phpass hash.
#[derive(Clone)]
pub(super) struct Phpass {
    log_rounds: u32,
    salt: [u8; 8],
    digest: [u8; 16],
}

impl Phpass {
    /// What follows the prefix: one digit for the binary logarithm of the rounds, 8 bytes of salt as they stand, 22 digits.
    pub(super) fn parse(rest: &str) -> Result<Self, HashRefused> {
        const MALFORMED: HashRefused = HashRefused::Malformed("phpass is $P$, a digit, 8 bytes of salt and 22 digits");
        let (&[rounds], rest) = rest.as_bytes().split_first_chunk().ok_or(MALFORMED)?;
        let (&salt, digest) = rest.split_first_chunk::<8>().ok_or(MALFORMED)?;
        let log_rounds = crypt_value(rounds).ok_or(MALFORMED)?;
        let log_rounds = at_most(
            "binary logarithm of phpass rounds",
            log_rounds.into(),
            PHPASS_MAX_LOG_ROUNDS,
        )?;
        if log_rounds < 7 || !salt.is_ascii() {
            return Err(MALFORMED); // phpass itself takes no fewer
        }
        let digest = std::str::from_utf8(digest).ok().and_then(crypt64).ok_or(MALFORMED)?;
        Ok(Self {
            log_rounds,
            salt,
            digest: digest.try_into().map_err(|_| MALFORMED)?,
        })
    }

    pub(super) fn text(&self) -> String {
        let rounds = char::from(crypt_digit(self.log_rounds));
        format!(
            "$P${rounds}{}{}",
            String::from_utf8_lossy(&self.salt),
            to_crypt64(&self.digest)
        )
    }

    pub(super) const fn cost(&self) -> Cost {
        Cost::of_work(110 << self.log_rounds)
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        let mut digest = Md5::new().chain_update(self.salt).chain_update(password).finalize();
        for _ in 0..1_u32 << self.log_rounds {
            digest = Md5::new().chain_update(digest).chain_update(password).finalize();
        }
        digest[..].ct_eq(&self.digest).into()
    }
}
