//! scrypt (RFC 7914), and Firebase's use of it.

use super::arena::{VerifyFault, probe};
use super::encoding::{base64, crypt_value, crypt64, decimal, hex, to_base64};
use super::limits::{self, Cost, HashRefused, SCRYPT_MAX_LOG_N, SCRYPT_MAX_P, SCRYPT_MAX_R, SCRYPT_MAX_WORK, at_most};
use aes::Aes256;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use subtle::ConstantTimeEq;

const MALFORMED: HashRefused = HashRefused::Malformed("scrypt needs N, r, p, a salt and a digest");

/// N, r and p within the caps.
#[derive(Clone, Copy)]
struct Shape {
    log_n: u32,
    r: u32,
    p: u32,
}

impl Shape {
    fn new(log_n: u64, r: u64, p: u64) -> Result<Self, HashRefused> {
        let log_n = at_most("binary logarithm of scrypt N", log_n, SCRYPT_MAX_LOG_N)?;
        let r = at_most("scrypt block size (r)", r, SCRYPT_MAX_R)?;
        let p = at_most("scrypt p", p, SCRYPT_MAX_P)?;
        if log_n == 0 || r == 0 || p == 0 {
            return Err(HashRefused::Malformed("scrypt needs N >= 2, r >= 1 and p >= 1"));
        }
        let work = (u64::from(r) * u64::from(p)) << log_n;
        if work > SCRYPT_MAX_WORK {
            return Err(HashRefused::CostTooHigh {
                what: "scrypt N x r x p",
                got: work,
                cap: SCRYPT_MAX_WORK,
            });
        }
        Ok(Self { log_n, r, p })
    }

    /// From N itself, a power of two.
    fn of_n(n: u64, r: u64, p: u64) -> Result<Self, HashRefused> {
        let cap = 1_u64 << SCRYPT_MAX_LOG_N;
        if n > cap {
            return Err(HashRefused::CostTooHigh {
                what: "scrypt N",
                got: n,
                cap,
            });
        }
        if !n.is_power_of_two() {
            return Err(HashRefused::Malformed("scrypt N is not a power of two"));
        }
        Self::new(n.ilog2().into(), r, p)
    }

    const fn cost(self) -> Cost {
        let blocks = (self.r as u64) << self.log_n;
        Cost {
            memory_kib: (blocks / 8) as u32,
            work: blocks * self.p as u64 * 330,
        }
    }

    fn compute(self, password: &[u8], salt: &[u8], out: &mut [u8]) -> Result<(), VerifyFault> {
        probe((128 * self.r as usize) << self.log_n)?;
        // Within the caps log_n is at most 18, so the narrowing keeps its value.
        let params = scrypt::Params::new(self.log_n as u8, self.r, self.p)
            .map_err(|_| VerifyFault::Refused("scrypt parameters"))?;
        scrypt::scrypt(password, salt, &params, out).map_err(|_| VerifyFault::Refused("scrypt output length"))
    }
}

/// A stored scrypt hash.
#[derive(Clone)]
pub(super) struct Scrypt {
    shape: Shape,
    salt: Box<[u8]>,
    digest: Box<[u8]>,
}

impl Scrypt {
    fn from_parts(shape: Shape, salt: &[u8], digest: Option<Vec<u8>>) -> Result<Self, HashRefused> {
        let digest = digest.ok_or(HashRefused::Malformed("the scrypt digest cannot be decoded"))?;
        Ok(Self {
            shape,
            salt: limits::salt(salt)?,
            digest: limits::digest(digest)?,
        })
    }

    /// What follows `$scrypt$`: `ln=16,r=8,p=1$SALT$DIGEST` (PHC, passlib).
    pub(super) fn parse(rest: &str) -> Result<Self, HashRefused> {
        let fields: Vec<&str> = rest.split('$').collect();
        let [params, salt, digest] = fields[..] else {
            return Err(MALFORMED);
        };
        let [log_n, r, p] = params.split(',').collect::<Vec<_>>()[..] else {
            return Err(MALFORMED);
        };
        let number = |field: &str, name| field.strip_prefix(name).and_then(decimal).ok_or(MALFORMED);
        let shape = Shape::new(number(log_n, "ln=")?, number(r, "r=")?, number(p, "p=")?)?;
        let salt = base64(salt).ok_or(HashRefused::Malformed("the scrypt salt is not base64"))?;
        Self::from_parts(shape, &salt, base64(digest))
    }

    /// What follows crypt's `$7$`: one digit for log N, five each for r and p, then `SALT$DIGEST`; the salt is text.
    pub(super) fn parse_crypt(rest: &str) -> Result<Self, HashRefused> {
        let (head, digest) = rest.rsplit_once('$').ok_or(MALFORMED)?;
        let (params, salt) = head.split_at_checked(11).ok_or(MALFORMED)?;
        let number = |digits: &str| {
            digits
                .bytes()
                .rev()
                .try_fold(0_u64, |sum, digit| Some(sum << 6 | u64::from(crypt_value(digit)?)))
        };
        let [log_n, r, p] = [(0, 1), (1, 6), (6, 11)].map(|(from, to)| params.get(from..to).and_then(number));
        let shape = Shape::new(log_n.ok_or(MALFORMED)?, r.ok_or(MALFORMED)?, p.ok_or(MALFORMED)?)?;
        Self::from_parts(shape, salt.as_bytes(), crypt64(digest))
    }

    /// What follows Django's `scrypt$`: `16384$salt$8$1$DIGEST`; the salt is text.
    pub(super) fn parse_django(rest: &str) -> Result<Self, HashRefused> {
        let fields: Vec<&str> = rest.split('$').collect();
        let [n, salt, r, p, digest] = fields[..] else {
            return Err(MALFORMED);
        };
        let [n, r, p] = [n, r, p].map(decimal);
        let shape = Shape::of_n(n.ok_or(MALFORMED)?, r.ok_or(MALFORMED)?, p.ok_or(MALFORMED)?)?;
        Self::from_parts(shape, salt.as_bytes(), base64(digest))
    }

    /// What follows Werkzeug's `scrypt:`: `32768:8:1$salt$HEX`; the salt is text.
    pub(super) fn parse_werkzeug(rest: &str) -> Result<Self, HashRefused> {
        let fields: Vec<&str> = rest.split('$').collect();
        let [params, salt, digest] = fields[..] else {
            return Err(MALFORMED);
        };
        let [n, r, p] = params.split(':').map(decimal).collect::<Vec<_>>()[..] else {
            return Err(MALFORMED);
        };
        let shape = Shape::of_n(n.ok_or(MALFORMED)?, r.ok_or(MALFORMED)?, p.ok_or(MALFORMED)?)?;
        Self::from_parts(shape, salt.as_bytes(), hex(digest))
    }

    pub(super) fn text(&self) -> String {
        let Shape { log_n, r, p } = self.shape;
        format!(
            "$scrypt$ln={log_n},r={r},p={p}${}${}",
            to_base64(&self.salt),
            to_base64(&self.digest)
        )
    }

    pub(super) const fn cost(&self) -> Cost {
        self.shape.cost()
    }

    pub(super) fn verify(&self, password: &[u8]) -> Result<bool, VerifyFault> {
        let mut digest = [0; 64];
        let digest = &mut digest[..self.digest.len()];
        self.shape.compute(password, &self.salt, digest)?;
        Ok(digest.ct_eq(&self.digest).into())
    }
}

/// What a Firebase project adds to all its hashes. The signer key is a secret of the site.
#[derive(Clone)]
pub struct FirebaseParameters {
    shape: Shape,
    signer_key: Box<[u8]>,
    salt_separator: Box<[u8]>,
}

impl std::fmt::Debug for FirebaseParameters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FirebaseParameters")
    }
}

impl FirebaseParameters {
    /// `signer_key` and `salt_separator` in base64, `rounds` (scrypt's r) and `mem_cost` (scrypt's log N).
    pub fn new(signer_key: &str, salt_separator: &str, rounds: u32, mem_cost: u32) -> Result<Self, HashRefused> {
        let signer_key = base64(signer_key).ok_or(HashRefused::Malformed("the Firebase signer key is not base64"))?;
        let separator = base64(salt_separator).ok_or(HashRefused::Malformed("the Firebase separator is not base64"))?;
        if !(10..=128).contains(&signer_key.len()) {
            return Err(HashRefused::Malformed(
                "the Firebase signer key is not 10 to 128 bytes long",
            ));
        }
        Ok(Self {
            shape: Shape::new(mem_cost.into(), rounds.into(), 1)?,
            signer_key: signer_key.into(),
            salt_separator: limits::salt(separator)?,
        })
    }

    /// The file of parameters as the Firebase console shows them (or as JSON): `base64_signer_key`, `base64_salt_separator`,
    /// `rounds`, `mem_cost`, each once, whatever the braces, quotes and commas around them. Other names are passed over.
    pub fn parse(file: &str) -> Result<Self, HashRefused> {
        let lookup = |wanted: &str| {
            let mut words = file
                .split(|c: char| c.is_whitespace() || "{}[]\"',:".contains(c))
                .filter(|word| !word.is_empty());
            words.find(|word| *word == wanted)?;
            words.next()
        };
        let number = |name| {
            lookup(name)
                .and_then(decimal)
                .map(|value| u32::try_from(value).unwrap_or(u32::MAX))
        };
        Self::new(
            lookup("base64_signer_key").ok_or(HashRefused::Malformed("base64_signer_key is missing"))?,
            lookup("base64_salt_separator").ok_or(HashRefused::Malformed("base64_salt_separator is missing"))?,
            number("rounds").ok_or(HashRefused::Malformed("rounds is missing or no number"))?,
            number("mem_cost").ok_or(HashRefused::Malformed("mem_cost is missing or no number"))?,
        )
    }
}

/// A stored Firebase hash: scrypt gives an AES-256 key, and the signer key encrypted under it (CTR from zero) is the digest.
#[derive(Clone)]
pub(super) struct FirebaseHash {
    parameters: FirebaseParameters,
    salt: Box<[u8]>,
    digest: Box<[u8]>,
}

impl FirebaseHash {
    const MALFORMED: HashRefused = HashRefused::Malformed("a Firebase hash is SALT$HASH, both in base64");

    /// `SALT$HASH` or `HASH:SALT`, both in base64, told apart by the length that the signer key gives the hash.
    pub(super) fn parse(text: &str, parameters: &FirebaseParameters) -> Result<Self, HashRefused> {
        let (left, right) = text.split_once(['$', ':']).ok_or(Self::MALFORMED)?;
        let left = base64(left).ok_or(Self::MALFORMED)?;
        let right = base64(right).ok_or(Self::MALFORMED)?;
        let length = parameters.signer_key.len();
        let (salt, digest) = if right.len() == length {
            (left, right)
        } else {
            (right, left)
        };
        if digest.len() != length {
            return Err(HashRefused::Malformed(
                "the Firebase hash has another length than the signer key",
            ));
        }
        Ok(Self {
            parameters: parameters.clone(),
            salt: limits::salt(salt)?,
            digest: digest.into(),
        })
    }

    /// Our own text, with the parameters inside: what follows `{firebase-scrypt:`, thus `ln=14,r=8}SIGNER$SEPARATOR$SALT$HASH`.
    pub(super) fn parse_own(rest: &str) -> Result<Self, HashRefused> {
        let (params, rest) = rest.split_once('}').ok_or(Self::MALFORMED)?;
        let (log_n, r) = params
            .strip_prefix("ln=")
            .and_then(|params| params.split_once(",r="))
            .ok_or(Self::MALFORMED)?;
        let number = |text| {
            decimal(text)
                .map(|value| u32::try_from(value).unwrap_or(u32::MAX))
                .ok_or(Self::MALFORMED)
        };
        let fields: Vec<&str> = rest.splitn(3, '$').collect();
        let [signer_key, separator, hash] = fields[..] else {
            return Err(Self::MALFORMED);
        };
        Self::parse(
            hash,
            &FirebaseParameters::new(signer_key, separator, number(r)?, number(log_n)?)?,
        )
    }

    pub(super) fn text(&self) -> String {
        let FirebaseParameters {
            shape,
            signer_key,
            salt_separator,
        } = &self.parameters;
        let [signer_key, separator, salt, digest] =
            [signer_key, salt_separator, &self.salt, &self.digest].map(|bytes| to_base64(bytes));
        format!(
            "{{firebase-scrypt:ln={},r={}}}{signer_key}${separator}${salt}${digest}",
            shape.log_n, shape.r
        )
    }

    pub(super) const fn cost(&self) -> Cost {
        self.parameters.shape.cost()
    }

    pub(super) fn verify(&self, password: &[u8]) -> Result<bool, VerifyFault> {
        let salt = [&self.salt[..], &self.parameters.salt_separator].concat();
        let mut key = [0; 32]; // the first half of Firebase's 64 bytes; PBKDF2's blocks do not depend on each other
        self.parameters.shape.compute(password, &salt, &mut key)?;
        let cipher = Aes256::new(&Array::from(key));
        let mut digest = self.parameters.signer_key.to_vec();
        for (counter, chunk) in (0_u128..).zip(digest.chunks_mut(16)) {
            let mut block = Array::from(counter.to_be_bytes());
            cipher.encrypt_block(&mut block);
            chunk.iter_mut().zip(block).for_each(|(byte, pad)| *byte ^= pad);
        }
        Ok(digest.ct_eq(&self.digest).into())
    }
}
