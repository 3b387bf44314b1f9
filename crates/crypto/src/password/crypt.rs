//! The iterated digests of crypt(3): md5-crypt (`$1$`, Apache's `$apr1$`), sha256-crypt (`$5$`), sha512-crypt (`$6$`).

use super::encoding::{c_string, crypt64, decimal, to_crypt64};
use super::limits::{Cost, HashRefused, SHA_CRYPT_MAX_ROUNDS, at_most};
use md5::{Digest, Md5};
use subtle::ConstantTimeEq;

/// Which of the functions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum CryptKind {
    Md5,
    Apr1,
    Sha256,
    Sha512,
}

impl CryptKind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Md5 => "$1$",
            Self::Apr1 => "$apr1$",
            Self::Sha256 => "$5$",
            Self::Sha512 => "$6$",
        }
    }

    const fn digest_bytes(self) -> usize {
        match self {
            Self::Md5 | Self::Apr1 => 16,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    const fn max_salt(self) -> usize {
        match self {
            Self::Md5 | Self::Apr1 => 8,
            Self::Sha256 | Self::Sha512 => 16,
        }
    }
}

/// The rounds of sha-crypt when the text names none.
const DEFAULT_ROUNDS: u32 = 5000;

/// A stored hash of one of these functions.
#[derive(Clone)]
pub(super) struct Crypt {
    kind: CryptKind,
    /// Of sha-crypt; md5-crypt always has 1,000.
    rounds: u32,
    salt: Box<[u8]>,
    /// In the order in which the text has the bytes.
    digest: Box<[u8]>,
}

impl Crypt {
    /// What follows the prefix: `SALT$DIGEST`, for sha-crypt also `rounds=N$SALT$DIGEST`.
    pub(super) fn parse(kind: CryptKind, rest: &str) -> Result<Self, HashRefused> {
        let (rounds, rest) = parse_rounds(kind, rest)?;
        let (salt, digest) = rest
            .split_once('$')
            .ok_or(HashRefused::Malformed("crypt needs a salt and a digest"))?;
        if salt.len() > kind.max_salt() {
            return Err(HashRefused::Malformed("the crypt salt is longer than crypt takes"));
        }
        let digest = crypt64(digest).ok_or(HashRefused::Malformed("the crypt digest is not of its digits"))?;
        if digest.len() != kind.digest_bytes() {
            return Err(HashRefused::Malformed("the crypt digest has the wrong length"));
        }
        Ok(Self {
            kind,
            rounds,
            salt: salt.as_bytes().into(),
            digest: digest.into(),
        })
    }

    pub(super) const fn kind(&self) -> CryptKind {
        self.kind
    }

    pub(super) fn text(&self) -> String {
        let rounds = match self.rounds {
            DEFAULT_ROUNDS => String::new(),
            rounds => format!("rounds={rounds}$"),
        };
        // The salt was cut out of a text between two `$`, so it is text.
        let salt = String::from_utf8_lossy(&self.salt);
        format!("{}{rounds}{salt}${}", self.kind.prefix(), to_crypt64(&self.digest))
    }

    pub(super) const fn cost(&self) -> Cost {
        Cost::of_work(match self.kind {
            CryptKind::Md5 | CryptKind::Apr1 => 115_000,
            CryptKind::Sha256 => self.rounds as u64 * 115,
            CryptKind::Sha512 => self.rounds as u64 * 185,
        })
    }

    pub(super) fn verify(&self, password: &[u8]) -> Result<bool, super::VerifyFault> {
        let password = c_string(password);
        let params =
            || sha_crypt::Params::new(self.rounds).map_err(|_| super::VerifyFault::Refused("sha-crypt rounds"));
        let digest = match self.kind {
            CryptKind::Md5 | CryptKind::Apr1 => in_text_order(&md5_crypt(self.kind.prefix(), password, &self.salt)),
            CryptKind::Sha256 => in_text_order(&sha_crypt::sha256_crypt(password, &self.salt, params()?)),
            CryptKind::Sha512 => in_text_order(&sha_crypt::sha512_crypt(password, &self.salt, params()?)),
        };
        Ok(digest[..self.digest.len()].ct_eq(&self.digest).into())
    }
}

/// The rounds of sha-crypt and the text behind them.
fn parse_rounds(kind: CryptKind, rest: &str) -> Result<(u32, &str), HashRefused> {
    const MALFORMED: HashRefused = HashRefused::Malformed("sha-crypt rounds are a number of at least 1000");
    let named = match kind {
        CryptKind::Md5 | CryptKind::Apr1 => None,
        CryptKind::Sha256 | CryptKind::Sha512 => rest.strip_prefix("rounds="),
    };
    let Some(rest) = named else {
        return Ok((DEFAULT_ROUNDS, rest));
    };
    let (rounds, rest) = rest.split_once('$').ok_or(MALFORMED)?;
    let rounds = at_most(
        "sha-crypt rounds",
        decimal(rounds).ok_or(MALFORMED)?,
        SHA_CRYPT_MAX_ROUNDS,
    )?;
    // crypt itself raises fewer to 1000 and writes that, so a text with fewer was not made by it.
    if rounds < 1000 {
        Err(MALFORMED)
    } else {
        Ok((rounds, rest))
    }
}

/// A digest in the order in which crypt writes it: threes of bytes that stand a third apart, turned by one place from three
/// to three (md5-crypt: not turned), last byte first; what is left over goes to the end as it stands.
fn in_text_order(digest: &[u8]) -> [u8; 64] {
    let mut out = [0; 64];
    match digest.len() {
        16 => {
            for k in 0..5 {
                let last = if k == 4 { 5 } else { k + 12 };
                out[3 * k..][..3].copy_from_slice(&[digest[last], digest[k + 6], digest[k]]);
            }
            out[15] = digest[11];
        }
        length => {
            let third = length / 3;
            for k in 0..third {
                let mut three = [digest[k], digest[k + third], digest[k + 2 * third]];
                // SHA-256 turns to the right, SHA-512 to the left.
                if length == 32 {
                    three.rotate_right(k % 3);
                } else {
                    three.rotate_left(k % 3);
                }
                three.reverse();
                out[3 * k..][..3].copy_from_slice(&three);
            }
            out[3 * third..length].copy_from_slice(&digest[3 * third..]);
        }
    }
    out
}

/// Poul-Henning Kamp's md5-crypt; Apache's differs by the magic prefix alone.
fn md5_crypt(magic: &str, password: &[u8], salt: &[u8]) -> [u8; 16] {
    let alternate = Md5::new()
        .chain_update(password)
        .chain_update(salt)
        .chain_update(password)
        .finalize();
    let mut start = Md5::new().chain_update(password).chain_update(magic).chain_update(salt);
    for left in (1..=password.len()).rev().step_by(16) {
        start.update(&alternate[..left.min(16)]);
    }
    let mut bits = password.len();
    while bits != 0 {
        // Where the bit is set the original adds a byte of a buffer that it has just cleared.
        start.update(if bits & 1 == 1 { &[0][..] } else { &password[..1] });
        bits >>= 1;
    }
    let mut digest: [u8; 16] = start.finalize().into();
    for round in 0..1000 {
        let odd = round % 2 == 1;
        let mut hash = Md5::new().chain_update(if odd { password } else { &digest[..] });
        if round % 3 != 0 {
            hash.update(salt);
        }
        if round % 7 != 0 {
            hash.update(password);
        }
        hash.update(if odd { &digest[..] } else { password });
        digest = hash.finalize().into();
    }
    digest
}
