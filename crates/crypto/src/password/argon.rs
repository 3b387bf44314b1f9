//! Argon2 (RFC 9106): imported ones of all three variants, and our own.

use super::arena::{Arena, VerifyFault};
use super::encoding::{base64, decimal, to_base64};
use super::limits::{self, ARGON2_MAX_M_KIB, ARGON2_MAX_P, ARGON2_MAX_T, Cost, HashRefused, at_most};
use argon2::{Algorithm, Argon2, Params, Version};
use subtle::ConstantTimeEq;

/// The parameters of a new Argon2id hash, within floor and cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argon2Params {
    m_kib: u32,
    t: u32,
    p: u32,
}

impl Argon2Params {
    /// 19 MiB, two passes, one lane: the least that OWASP's text of 2026 names.
    pub const DEFAULT: Self = Self {
        m_kib: 19_456,
        t: 2,
        p: 1,
    };

    /// Memory in KiB, passes, lanes. Refuses what exceeds our caps and what Argon2 has no meaning for (no pass, no lane,
    /// fewer than 8 KiB for a lane).
    pub fn new(m_kib: u32, t: u32, p: u32) -> Result<Self, HashRefused> {
        let m_kib = at_most("Argon2 memory in KiB (m)", m_kib.into(), ARGON2_MAX_M_KIB)?;
        let t = at_most("Argon2 passes (t)", t.into(), ARGON2_MAX_T)?;
        let p = at_most("Argon2 lanes (p)", p.into(), ARGON2_MAX_P)?;
        if t == 0 || p == 0 || m_kib < 8 * p {
            return Err(HashRefused::Malformed("Argon2 needs t >= 1, p >= 1 and m >= 8 p"));
        }
        Ok(Self { m_kib, t, p })
    }

    /// Memory in KiB.
    pub const fn m_kib(self) -> u32 {
        self.m_kib
    }

    /// Passes.
    pub const fn t(self) -> u32 {
        self.t
    }

    /// Lanes.
    pub const fn p(self) -> u32 {
        self.p
    }

    /// What one hash costs.
    pub const fn cost(self) -> Cost {
        Cost {
            memory_kib: self.m_kib,
            work: self.m_kib as u64 * self.t as u64 * 400,
        }
    }
}

/// A stored Argon2 hash.
#[derive(Clone)]
pub(super) struct Argon2Hash {
    algorithm: Algorithm,
    version: Version,
    params: Argon2Params,
    salt: Box<[u8]>,
    digest: Box<[u8]>,
}

impl Argon2Hash {
    /// What follows `$argon2id$` (or `d`, `i`): `v=19$m=19456,t=2,p=1$SALT$DIGEST`; without `v` it is version 1.0.
    pub(super) fn parse(algorithm: Algorithm, rest: &str) -> Result<Self, HashRefused> {
        let (version, rest) = match rest.strip_prefix("v=") {
            None => (Version::V0x10, rest),
            Some(rest) => match rest.split_once('$') {
                Some(("16", rest)) => (Version::V0x10, rest),
                Some(("19", rest)) => (Version::V0x13, rest),
                _ => return Err(HashRefused::Malformed("Argon2 has versions 16 and 19")),
            },
        };
        let fields: Vec<&str> = rest.split('$').collect();
        let [params, salt, digest] = fields[..] else {
            return Err(HashRefused::Malformed("Argon2 needs parameters, a salt and a digest"));
        };
        let params = parse_params(params)?;
        let salt = limits::salt(base64(salt).ok_or(HashRefused::Malformed("the Argon2 salt is not base64"))?)?;
        if salt.len() < argon2::MIN_SALT_LEN {
            return Err(HashRefused::Malformed("the Argon2 salt is shorter than 8 bytes"));
        }
        let digest = limits::digest(base64(digest).ok_or(HashRefused::Malformed("the Argon2 digest is not base64"))?)?;
        Ok(Self {
            algorithm,
            version,
            params,
            salt,
            digest,
        })
    }

    /// Our own: Argon2id 1.3 with 32 bytes.
    pub(super) fn new(
        secret: &[u8],
        salt: [u8; 16],
        params: Argon2Params,
        arena: &mut Arena,
    ) -> Result<Self, VerifyFault> {
        let mut hash = Self {
            algorithm: Algorithm::Argon2id,
            version: Version::V0x13,
            params,
            salt: Box::new(salt),
            digest: Box::new([0; 32]),
        };
        let mut digest = [0; 64];
        hash.digest.copy_from_slice(hash.compute(secret, &mut digest, arena)?);
        Ok(hash)
    }

    pub(super) const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(super) fn text(&self) -> String {
        let Argon2Params { m_kib, t, p } = self.params;
        format!(
            "${}$v={}$m={m_kib},t={t},p={p}${}${}",
            self.algorithm,
            u32::from(self.version),
            to_base64(&self.salt),
            to_base64(&self.digest)
        )
    }

    pub(super) const fn cost(&self) -> Cost {
        self.params.cost()
    }

    pub(super) fn verify(&self, secret: &[u8], arena: &mut Arena) -> Result<bool, VerifyFault> {
        let mut digest = [0; 64];
        Ok(self.compute(secret, &mut digest, arena)?.ct_eq(&self.digest).into())
    }

    fn compute<'a>(&self, secret: &[u8], out: &'a mut [u8; 64], arena: &mut Arena) -> Result<&'a [u8], VerifyFault> {
        let Argon2Params { m_kib, t, p } = self.params;
        let out = &mut out[..self.digest.len()];
        let params =
            Params::new(m_kib, t, p, Some(out.len())).map_err(|_| VerifyFault::Refused("Argon2 parameters"))?;
        let blocks = arena.blocks(params.block_count())?;
        Argon2::new(self.algorithm, self.version, params)
            .hash_password_into_with_memory(secret, &self.salt, out, blocks)
            .map_err(|_| VerifyFault::Refused("Argon2 input"))?;
        Ok(out)
    }
}

/// `m=19456,t=2,p=1`, in any order, each exactly once, and nothing else: a key id or associated data means that a secret is
/// missing here.
fn parse_params(text: &str) -> Result<Argon2Params, HashRefused> {
    const MALFORMED: HashRefused = HashRefused::Malformed("Argon2 parameters are m, t and p, once each");
    let (mut m, mut t, mut p) = (None, None, None);
    for field in text.split(',') {
        let (name, value) = field.split_once('=').ok_or(MALFORMED)?;
        let place = match name {
            "m" => &mut m,
            "t" => &mut t,
            "p" => &mut p,
            _ => return Err(MALFORMED),
        };
        if place.replace(decimal(value).ok_or(MALFORMED)?).is_some() {
            return Err(MALFORMED);
        }
    }
    let narrow = |value: Option<u64>| {
        value
            .map(|value| u32::try_from(value).unwrap_or(u32::MAX))
            .ok_or(MALFORMED)
    };
    Argon2Params::new(narrow(m)?, narrow(t)?, narrow(p)?)
}
