//! yescrypt (`$y$`), the default of Debian, Fedora and others.

use super::arena::{VerifyFault, probe};
use super::encoding::{c_string, crypt_value, crypt64, to_crypt64};
use super::limits::{
    self, Cost, HashRefused, SCRYPT_MAX_LOG_N, YESCRYPT_MAX_N_R, YESCRYPT_MAX_P, YESCRYPT_MAX_R, YESCRYPT_MAX_T,
    at_most,
};
use subtle::ConstantTimeEq;
use yescrypt::{Mode, Params};

const MALFORMED: HashRefused = HashRefused::Malformed("yescrypt needs parameters, a salt and 43 digits");

/// A stored yescrypt hash.
#[derive(Clone)]
pub(super) struct Yescrypt {
    /// The parameters as they stand: their spelling is the only one there is for them.
    spelling: Box<str>,
    shape: Shape,
    salt: Box<[u8]>,
    digest: [u8; 32],
}

#[derive(Clone, Copy)]
struct Shape {
    flavour: u32,
    log_n: u32,
    r: u32,
    p: u32,
    t: u32,
}

impl Yescrypt {
    /// What follows `$y$`: `PARAMETERS$SALT$DIGEST`.
    pub(super) fn parse(rest: &str) -> Result<Self, HashRefused> {
        let fields: Vec<&str> = rest.split('$').collect();
        let [spelling, salt, digest] = fields[..] else {
            return Err(MALFORMED);
        };
        Ok(Self {
            spelling: spelling.into(),
            shape: Shape::parse(spelling)?,
            salt: limits::salt(crypt64(salt).ok_or(MALFORMED)?)?,
            digest: crypt64(digest).ok_or(MALFORMED)?.try_into().map_err(|_| MALFORMED)?,
        })
    }

    pub(super) fn text(&self) -> String {
        format!(
            "$y${}${}${}",
            self.spelling,
            to_crypt64(&self.salt),
            to_crypt64(&self.digest)
        )
    }

    pub(super) const fn cost(&self) -> Cost {
        let Shape { log_n, r, t, .. } = self.shape;
        let blocks = (r as u64) << log_n;
        Cost {
            memory_kib: (blocks / 8) as u32,
            work: blocks * (1 + t as u64) * 150,
        }
    }

    pub(super) fn verify(&self, password: &[u8]) -> Result<bool, VerifyFault> {
        probe((128 * self.shape.r as usize) << self.shape.log_n)?;
        let params = self.shape.params().ok_or(VerifyFault::Refused("yescrypt parameters"))?;
        let mut digest = [0; 32];
        yescrypt::yescrypt(c_string(password), &self.salt, &params, &mut digest)
            .map_err(|_| VerifyFault::Refused("yescrypt input"))?;
        Ok(digest.ct_eq(&self.digest).into())
    }
}

impl Shape {
    /// Flavour, log N, r; then, where a field of bits says so, p, t, g and the size of a ROM. Upgraded hashes (g) and ROMs
    /// exist in no password file that we know of, and the library has neither.
    fn parse(text: &str) -> Result<Self, HashRefused> {
        let digits = &mut text.bytes();
        let (flavour, log_n, r) = (number(digits, 0)?, number(digits, 1)?, number(digits, 1)?);
        let mut shape = Self {
            flavour,
            log_n,
            r,
            p: 1,
            t: 0,
        };
        if digits.len() > 0 {
            let present = number(digits, 1)?;
            if present & 1 != 0 {
                shape.p = number(digits, 2)?;
            }
            if present & 2 != 0 {
                shape.t = number(digits, 1)?;
            }
            if present & !3 != 0 {
                return Err(HashRefused::Malformed("yescrypt upgrades and ROMs are not supported"));
            }
        }
        if digits.len() > 0 {
            return Err(MALFORMED);
        }
        shape.capped()
    }

    fn capped(self) -> Result<Self, HashRefused> {
        at_most("binary logarithm of yescrypt N", self.log_n.into(), SCRYPT_MAX_LOG_N)?;
        at_most("yescrypt block size (r)", self.r.into(), YESCRYPT_MAX_R)?;
        at_most("yescrypt p", self.p.into(), YESCRYPT_MAX_P)?;
        at_most("yescrypt t", self.t.into(), YESCRYPT_MAX_T)?;
        let n_r = u64::from(self.r) << self.log_n;
        if n_r > YESCRYPT_MAX_N_R {
            return Err(HashRefused::CostTooHigh {
                what: "yescrypt N x r",
                got: n_r,
                cap: YESCRYPT_MAX_N_R,
            });
        }
        match self.params() {
            Some(_) => Ok(self),
            None => Err(HashRefused::Malformed("no such yescrypt parameters")),
        }
    }

    fn params(self) -> Option<Params> {
        let mode = Mode::try_from(self.flavour).ok()?;
        Params::new_with_all_params(mode, 1 << self.log_n, self.r, self.p, self.t, 0).ok()
    }
}

/// One number of yescrypt's variable width: the first digit tells how many follow, and longer spellings begin where the
/// shorter end, so that each number has one spelling.
fn number(digits: &mut std::str::Bytes<'_>, least: u32) -> Result<u32, HashRefused> {
    decode_number(digits, least).ok_or(MALFORMED)
}

fn decode_number(digits: &mut std::str::Bytes<'_>, least: u32) -> Option<u32> {
    let first = u32::from(crypt_value(digits.next()?)?);
    let (mut start, mut end, mut following) = (0_u32, 47_u32, 0_u32);
    let mut value = least;
    while first > end {
        value = value.checked_add((end + 1 - start).checked_shl(6 * following)?)?;
        start = end + 1;
        end = start + (62 - end) / 2;
        following += 1;
    }
    let mut tail = first - start;
    for _ in 0..following {
        tail = tail.checked_mul(64)? | u32::from(crypt_value(digits.next()?)?);
    }
    value.checked_add(tail)
}
