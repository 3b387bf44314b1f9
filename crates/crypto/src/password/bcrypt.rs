//! bcrypt, and the schemes that shorten the password before bcrypt cuts it.

use super::encoding::{BCRYPT, c_string, decimal, to_hex, to_padded_base64};
use super::limits::{BCRYPT_MAX_COST, Cost, HashRefused, at_most};
use base64::Engine;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha384};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// What becomes of the password before bcrypt sees it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Prehash {
    /// Nothing: bcrypt itself ends it at the first NUL and cuts it after 72 bytes.
    None,
    /// crypt_blowfish before 1.1, marked `$2x$`: bytes above 127 were sign-extended.
    SignExtended,
    /// Django's `bcrypt_sha256`: SHA-256 in hex.
    DjangoSha256,
    /// passlib's `bcrypt_sha256`, version 1: SHA-256 in base64.
    PasslibSha256,
    /// passlib's `bcrypt_sha256`, version 2: HMAC-SHA256 under the salt's text, in base64.
    PasslibHmac,
    /// WordPress from 6.8: HMAC-SHA384 under a fixed key, of the password without outer blanks, in base64.
    WordPress,
}

/// A stored bcrypt hash.
#[derive(Clone)]
pub(super) struct Bcrypt {
    prehash: Prehash,
    cost: u32,
    salt: [u8; 16],
    digest: [u8; 23],
}

impl Bcrypt {
    /// `$2b$12$` with 22 digits of salt and 31 of digest; also `$2a$`, `$2y$`, which are the same function, and `$2x$`.
    ///
    /// One exception is left out: crypt_blowfish changes the function under `$2a$` for the few passwords whose faulty and
    /// correct keys coincide (FF FF A3 is one). Their owners cannot sign in with such a hash and recover.
    pub(super) fn parse(text: &str) -> Result<Self, HashRefused> {
        const MALFORMED: HashRefused = HashRefused::Malformed("bcrypt is $2b$, two digits, $ and 53 characters");
        let prehash = match text.get(..4) {
            Some("$2a$" | "$2b$" | "$2y$") => Prehash::None,
            Some("$2x$") => Prehash::SignExtended,
            _ => return Err(MALFORMED),
        };
        let (cost, tail) = text.get(4..).and_then(|rest| rest.split_once('$')).ok_or(MALFORMED)?;
        let (salt, digest) = tail.split_at_checked(22).ok_or(MALFORMED)?;
        if cost.len() != 2 {
            return Err(MALFORMED);
        }
        Self::from_parts(prehash, cost, salt, digest)
    }

    /// What follows Django's `bcrypt_sha256$`.
    pub(super) fn parse_django_sha256(text: &str) -> Result<Self, HashRefused> {
        Self::parse(text)?.prehashed(Prehash::DjangoSha256)
    }

    /// What follows WordPress's `$wp`.
    pub(super) fn parse_wordpress(text: &str) -> Result<Self, HashRefused> {
        Self::parse(text)?.prehashed(Prehash::WordPress)
    }

    /// What follows `$bcrypt-sha256$`: `2b,12$SALT$DIGEST` or `v=2,t=2b,r=12$SALT$DIGEST`.
    pub(super) fn parse_passlib(rest: &str) -> Result<Self, HashRefused> {
        const MALFORMED: HashRefused =
            HashRefused::Malformed("bcrypt-sha256 needs a type, rounds, a salt and a digest");
        let fields: Vec<&str> = rest.split('$').collect();
        let [params, salt, digest] = fields[..] else {
            return Err(MALFORMED);
        };
        let (prehash, minor, cost) = match params.split(',').collect::<Vec<_>>()[..] {
            ["v=2", minor, cost] => (
                Prehash::PasslibHmac,
                minor.strip_prefix("t=").ok_or(MALFORMED)?,
                cost.strip_prefix("r=").ok_or(MALFORMED)?,
            ),
            [minor, cost] => (Prehash::PasslibSha256, minor, cost),
            _ => return Err(MALFORMED),
        };
        if !matches!(minor, "2a" | "2b" | "2y") {
            return Err(MALFORMED);
        }
        Self::from_parts(prehash, cost, salt, digest)
    }

    fn prehashed(self, prehash: Prehash) -> Result<Self, HashRefused> {
        match self.prehash {
            Prehash::None => Ok(Self { prehash, ..self }),
            _ => Err(HashRefused::Malformed("$2x$ is never used after another hash")),
        }
    }

    fn from_parts(prehash: Prehash, cost: &str, salt: &str, digest: &str) -> Result<Self, HashRefused> {
        let cost = decimal(cost).ok_or(HashRefused::Malformed("the bcrypt cost is not a number"))?;
        let cost = at_most("bcrypt cost", cost, BCRYPT_MAX_COST)?;
        if cost < 4 {
            return Err(HashRefused::Malformed("the bcrypt cost is below 4"));
        }
        Ok(Self {
            prehash,
            cost,
            salt: decode(salt).ok_or(HashRefused::Malformed("the bcrypt salt is not 22 bcrypt digits"))?,
            digest: decode(digest).ok_or(HashRefused::Malformed("the bcrypt digest is not 31 bcrypt digits"))?,
        })
    }

    pub(super) const fn prehash(&self) -> Prehash {
        self.prehash
    }

    pub(super) fn text(&self) -> String {
        let (cost, salt, digest) = (self.cost, BCRYPT.encode(self.salt), BCRYPT.encode(self.digest));
        match self.prehash {
            Prehash::None => format!("$2b${cost:02}${salt}{digest}"),
            Prehash::SignExtended => format!("$2x${cost:02}${salt}{digest}"),
            Prehash::DjangoSha256 => format!("bcrypt_sha256$$2b${cost:02}${salt}{digest}"),
            Prehash::PasslibSha256 => format!("$bcrypt-sha256$2b,{cost}${salt}${digest}"),
            Prehash::PasslibHmac => format!("$bcrypt-sha256$v=2,t=2b,r={cost}${salt}${digest}"),
            Prehash::WordPress => format!("$wp$2y${cost:02}${salt}{digest}"),
        }
    }

    pub(super) const fn cost(&self) -> Cost {
        Cost {
            memory_kib: 4,
            work: 55_000 << self.cost,
        }
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        let digest = match self.prehash {
            Prehash::None => self.compute(password),
            Prehash::SignExtended => bcrypt::bcrypt(self.cost, self.salt, &sign_extended_key(c_string(password))[..]),
            Prehash::DjangoSha256 => self.compute(to_hex(&Sha256::digest(password)).as_bytes()),
            Prehash::PasslibSha256 => self.compute(to_padded_base64(&Sha256::digest(password)).as_bytes()),
            Prehash::PasslibHmac => {
                let key = BCRYPT.encode(self.salt);
                self.compute(to_padded_base64(&mac::<Hmac<Sha256>>(key.as_bytes(), password)).as_bytes())
            }
            Prehash::WordPress => {
                let inner = mac::<Hmac<Sha384>>(b"wp-sha384", trim_as_php(password));
                self.compute(to_padded_base64(&inner).as_bytes())
            }
        };
        digest[..23].ct_eq(&self.digest).into()
    }

    /// bcrypt over the first 72 bytes of the C string, its NUL included when there is room for it.
    fn compute(&self, password: &[u8]) -> [u8; 24] {
        let password = c_string(password);
        let taken = password.len().min(72);
        let mut key = Zeroizing::new([0; 72]);
        key[..taken].copy_from_slice(&password[..taken]);
        bcrypt::bcrypt(self.cost, self.salt, &key[..(taken + 1).min(72)])
    }
}

/// Exactly `N` bytes of bcrypt digits.
fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    BCRYPT.decode(text).ok()?.try_into().ok()
}

fn mac<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mac = <M as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.chain_update(message).finalize().into_bytes().to_vec()
}

/// The 18 key words of crypt_blowfish before 1.1, spelled as the 72 bytes that a correct bcrypt reads them from.
///
/// Its fault: each byte was sign-extended before it was or-ed into the word, so one above 127 set all bits before it.
fn sign_extended_key(password: &[u8]) -> Zeroizing<[u8; 72]> {
    let mut cycle = password.iter().chain(&[0]).cycle();
    let mut key = Zeroizing::new([0; 72]);
    for word in key.as_chunks_mut::<4>().0 {
        let mut bits = 0_u32;
        for &byte in cycle.by_ref().take(4) {
            bits = bits << 8 | i32::from(byte.cast_signed()).cast_unsigned();
        }
        *word = bits.to_be_bytes();
    }
    key
}

/// PHP's `trim`: WordPress applies it before hashing and before checking.
fn trim_as_php(password: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0 | 0x0b);
    let start = password.iter().position(|byte| !blank(byte)).unwrap_or(password.len());
    let end = password
        .iter()
        .rposition(|byte| !blank(byte))
        .map_or(start, |last| last + 1);
    &password[start..end]
}
