//! PBKDF2 (RFC 8018) in the many spellings of its producers.

use super::encoding::{base64, decimal, hex, to_base64};
use super::limits::{self, Cost, HashRefused, PBKDF2_MAX_ROUNDS, at_most};
use hmac::Hmac;
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq;

const MALFORMED: HashRefused = HashRefused::Malformed("PBKDF2 needs iterations, a salt and a digest");

/// The hash under the HMAC.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Prf {
    Sha1,
    Sha256,
    Sha512,
}

impl Prf {
    /// `sha1`, `sha256`, `sha512`.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        match name {
            "sha1" => Some(Self::Sha1),
            "sha256" => Some(Self::Sha256),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }
}

/// A stored PBKDF2 hash.
#[derive(Clone)]
pub(super) struct Pbkdf2 {
    prf: Prf,
    rounds: u32,
    salt: Box<[u8]>,
    digest: Box<[u8]>,
}

impl Pbkdf2 {
    fn from_parts(prf: Prf, rounds: u64, salt: &[u8], digest: Option<Vec<u8>>) -> Result<Self, HashRefused> {
        let rounds = at_most("PBKDF2 iterations", rounds, PBKDF2_MAX_ROUNDS)?;
        if rounds == 0 {
            return Err(MALFORMED);
        }
        let digest = limits::digest(digest.ok_or(HashRefused::Malformed("the PBKDF2 digest cannot be decoded"))?)?;
        Ok(Self {
            prf,
            rounds,
            salt: limits::salt(salt)?,
            digest,
        })
    }

    /// What follows `$pbkdf2-sha256$` or `{PBKDF2-SHA256}`: `29000$SALT$DIGEST` (passlib, OpenLDAP) or
    /// `i=600000,l=32$SALT$DIGEST` (PHC).
    pub(super) fn parse(prf: Prf, rest: &str) -> Result<Self, HashRefused> {
        let fields: Vec<&str> = rest.split('$').collect();
        let [params, salt, digest] = fields[..] else {
            return Err(MALFORMED);
        };
        let (rounds, length) = match params.strip_prefix("i=") {
            None => (params, None),
            Some(params) => match params.split_once(",l=") {
                None => (params, None),
                Some((rounds, length)) => (rounds, Some(decimal(length).ok_or(MALFORMED)?)),
            },
        };
        let salt = base64(salt).ok_or(HashRefused::Malformed("the PBKDF2 salt is not base64"))?;
        let hash = Self::from_parts(prf, decimal(rounds).ok_or(MALFORMED)?, &salt, base64(digest))?;
        match length {
            Some(length) if length != hash.digest.len() as u64 => Err(MALFORMED),
            _ => Ok(hash),
        }
    }

    /// What follows Django's `pbkdf2_sha256$`: `260000$salt$DIGEST`; the salt is text.
    pub(super) fn parse_django(prf: Prf, rest: &str) -> Result<Self, HashRefused> {
        let fields: Vec<&str> = rest.split('$').collect();
        let [rounds, salt, digest] = fields[..] else {
            return Err(MALFORMED);
        };
        Self::from_parts(prf, decimal(rounds).ok_or(MALFORMED)?, salt.as_bytes(), base64(digest))
    }

    /// What follows Werkzeug's `pbkdf2:`: `sha256:600000$salt$HEX`; the salt is text.
    pub(super) fn parse_werkzeug(rest: &str) -> Result<Self, HashRefused> {
        let fields: Vec<&str> = rest.split('$').collect();
        let [method, salt, digest] = fields[..] else {
            return Err(MALFORMED);
        };
        let (prf, rounds) = method.split_once(':').ok_or(MALFORMED)?;
        let prf = Prf::from_name(prf).ok_or(MALFORMED)?;
        Self::from_parts(prf, decimal(rounds).ok_or(MALFORMED)?, salt.as_bytes(), hex(digest))
    }

    /// The bytes of an ASP.NET Identity hash; `None` when they are none.
    ///
    /// Version 2: 0, 16 bytes of salt, 32 of digest; HMAC-SHA1, 1,000 iterations. Version 3: 1, then big-endian the PRF,
    /// the iterations and the length of the salt, the salt, the digest.
    pub(super) fn parse_aspnet(bytes: &[u8]) -> Option<Result<Self, HashRefused>> {
        match bytes.split_first()? {
            (0, rest) if rest.len() == 48 => {
                Some(Self::from_parts(Prf::Sha1, 1000, &rest[..16], Some(rest[16..].into())))
            }
            (1, rest) => {
                let (&header, rest) = rest.split_first_chunk::<12>()?;
                let [prf, rounds, salt_length] = [0, 4, 8]
                    .map(|at| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]));
                let prf = *[Prf::Sha1, Prf::Sha256, Prf::Sha512].get(prf as usize)?;
                let (salt, digest) = rest.split_at_checked(salt_length as usize)?;
                Some(Self::from_parts(prf, rounds.into(), salt, Some(digest.into())))
            }
            _ => None,
        }
    }

    pub(super) const fn prf(&self) -> Prf {
        self.prf
    }

    pub(super) fn text(&self) -> String {
        let (salt, digest) = (to_base64(&self.salt), to_base64(&self.digest));
        format!("$pbkdf2-{}$i={}${salt}${digest}", self.prf.name(), self.rounds)
    }

    pub(super) const fn cost(&self) -> Cost {
        let (block, nanoseconds) = match self.prf {
            Prf::Sha1 => (20, 95),
            Prf::Sha256 => (32, 100),
            Prf::Sha512 => (64, 330),
        };
        Cost::of_work(self.rounds as u64 * nanoseconds * self.digest.len().div_ceil(block) as u64)
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        let mut digest = [0; 64];
        let digest = &mut digest[..self.digest.len()];
        match self.prf {
            Prf::Sha1 => pbkdf2::pbkdf2::<Hmac<Sha1>>(password, &self.salt, self.rounds, digest),
            Prf::Sha256 => pbkdf2::pbkdf2::<Hmac<Sha256>>(password, &self.salt, self.rounds, digest),
            Prf::Sha512 => pbkdf2::pbkdf2::<Hmac<Sha512>>(password, &self.salt, self.rounds, digest),
        }
        .expect("HMAC takes keys of any length");
        digest.ct_eq(&self.digest).into()
    }
}
