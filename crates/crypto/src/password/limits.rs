//! What a stored hash may ask of us, and why a text is refused as one.
//!
//! The caps are ours: the libraries obey whatever a row says (Argon2 up to 4 TiB, bcrypt up to 45 hours), and rows come
//! from imports and from leaks. They are checked while parsing, before anything is computed or allocated.

/// The longest text that is read as a stored hash, in bytes.
pub const MAX_TEXT_BYTES: usize = 1024;
/// The longest salt, in bytes.
pub const MAX_SALT_BYTES: usize = 128;
/// The longest password that is hashed, in bytes; Django, passlib and phpass draw their line here too. Longer ones match
/// no stored hash: sha-crypt's work grows with the square of the length.
pub const MAX_PASSWORD_BYTES: usize = 4096;

/// Argon2: memory in KiB (256 MiB).
pub const ARGON2_MAX_M_KIB: u32 = 256 * 1024;
/// Argon2: passes.
pub const ARGON2_MAX_T: u32 = 10;
/// Argon2: lanes.
pub const ARGON2_MAX_P: u32 = 16;
/// bcrypt: binary logarithm of the rounds.
pub const BCRYPT_MAX_COST: u32 = 14;
/// scrypt, yescrypt: binary logarithm of N.
pub const SCRYPT_MAX_LOG_N: u32 = 18;
/// scrypt: block size r.
pub const SCRYPT_MAX_R: u32 = 16;
/// scrypt: p. Django's default is 5 with N = 2^14, so the bound lies on the work, N x r x p.
pub const SCRYPT_MAX_P: u32 = 16;
/// scrypt: N x r x p, what N = 2^18, r = 16 and p = 4 come to.
pub const SCRYPT_MAX_WORK: u64 = (1 << SCRYPT_MAX_LOG_N) * SCRYPT_MAX_R as u64 * 4;
/// yescrypt: p.
pub const YESCRYPT_MAX_P: u32 = 4;
/// yescrypt: block size r. Debian's own default is N = 2^12 with r = 32, so the bound of scrypt lies on the memory, N x r.
pub const YESCRYPT_MAX_R: u32 = 64;
/// yescrypt: N x r, what scrypt's own caps come to (512 MiB).
pub const YESCRYPT_MAX_N_R: u64 = (1 << SCRYPT_MAX_LOG_N) * SCRYPT_MAX_R as u64;
/// yescrypt: the time parameter t, which multiplies the passes as Argon2's does.
pub const YESCRYPT_MAX_T: u32 = 10;
/// PBKDF2: iterations.
pub const PBKDF2_MAX_ROUNDS: u32 = 2_000_000;
/// sha256-crypt, sha512-crypt: rounds.
pub const SHA_CRYPT_MAX_ROUNDS: u32 = 1_000_000;
/// phpass: binary logarithm of the rounds.
pub const PHPASS_MAX_LOG_ROUNDS: u32 = 18;

/// Why a text is refused as a stored hash. Never holds any of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashRefused {
    /// Nothing, or only blanks.
    #[error("the stored hash is empty")]
    Empty,
    /// Longer than any hash we know.
    #[error("the stored hash is longer than {MAX_TEXT_BYTES} bytes")]
    TooLong,
    /// No format of ours begins like this.
    #[error("the format of the stored hash is not known")]
    UnknownFormat,
    /// Hex digits that could be several kinds.
    #[error("bare hex digits do not tell their kind: name it (md5, sha1, sha256 or ntlm), or write {{md5}}HEX")]
    BareHex,
    /// The format is known, but this is not one of it.
    #[error("the stored hash is malformed: {0}")]
    Malformed(&'static str),
    /// It would cost more than we are willing to spend on one verification.
    #[error("the stored hash asks for too much: {what} is {got}, at most {cap} is accepted")]
    CostTooHigh {
        /// The parameter, with its unit.
        what: &'static str,
        /// What the text asks for.
        got: u64,
        /// The most that is accepted.
        cap: u64,
    },
}

/// `got` when it does not exceed `cap`.
pub(super) fn at_most(what: &'static str, got: u64, cap: u32) -> Result<u32, HashRefused> {
    match u32::try_from(got) {
        Ok(value) if value <= cap => Ok(value),
        _ => Err(HashRefused::CostTooHigh {
            what,
            got,
            cap: cap.into(),
        }),
    }
}

/// The salt, when it is not longer than [`MAX_SALT_BYTES`].
pub(super) fn salt(bytes: impl Into<Box<[u8]>>) -> Result<Box<[u8]>, HashRefused> {
    let bytes = bytes.into();
    if bytes.len() > MAX_SALT_BYTES {
        return Err(HashRefused::Malformed("the salt is longer than 128 bytes"));
    }
    Ok(bytes)
}

/// The digest of a slow hash: 10 to 64 bytes, as the PHC string format has it. A shorter one would be met by chance, a
/// longer one multiplies the work of PBKDF2.
pub(super) fn digest(bytes: impl Into<Box<[u8]>>) -> Result<Box<[u8]>, HashRefused> {
    let bytes = bytes.into();
    if !(10..=64).contains(&bytes.len()) {
        return Err(HashRefused::Malformed("the digest is not 10 to 64 bytes long"));
    }
    Ok(bytes)
}

/// What one verification costs, for scheduling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory that is touched, in KiB; 0 when it is negligible.
    pub memory_kib: u32,
    /// Rough time on one core of 2024, in nanoseconds: right within a factor of two or three.
    pub work: u64,
}

impl Cost {
    pub(super) const fn of_work(work: u64) -> Self {
        Self { memory_kib: 0, work }
    }
}
