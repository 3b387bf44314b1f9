//! Hashes in place of passwords: what a leaked field can be read as.

use super::digest::{DigestKind, SaltPlace, WeakHash};
use super::encoding::is_hex;
use super::{Form, HashRefused, ParseHints, StoredHash};

/// The hashes that one leaked field can be read as; none for an ordinary plaintext.
#[derive(Debug, Default)]
pub struct LeakedReadings {
    /// At most two: hex digits alone may be MD5 or NTLM, a salt may stand on either side.
    pub hashes: Vec<StoredHash>,
    /// The field is a hash, but one that asks for more than the caps allow.
    pub refused: Option<HashRefused>,
}

impl LeakedReadings {
    /// Whether the field is a hash of some kind, readable or over the caps.
    pub const fn is_hash(&self) -> bool {
        !self.hashes.is_empty() || self.refused.is_some()
    }
}

/// Reads a leaked field as the hashes that it may be.
///
/// - 32 hex digits: MD5 and NTLM. 40: SHA-1. 64: SHA-256. 128: SHA-512. Either case.
/// - The same with a salt, `HEX:SALT` or `SALT:HEX` (also `$` `;` `|`): the salt first and the salt last.
/// - All that [`StoredHash::parse`] takes without hints. What it finds too costly is told as refused; what it finds malformed
///   is a plaintext.
///
/// The field may still be somebody's real password: the caller tries both. Allocates nothing for ordinary plaintexts.
pub fn leaked_readings(secret: &[u8]) -> LeakedReadings {
    let secret = secret.trim_ascii();
    if !may_be_hash(secret) {
        return LeakedReadings::default();
    }
    let parsed = str::from_utf8(secret).map(|text| StoredHash::parse(text, &ParseHints::default()));
    match parsed {
        Ok(Ok(hash)) => LeakedReadings {
            hashes: vec![hash],
            refused: None,
        },
        Ok(Err(refused @ HashRefused::CostTooHigh { .. })) => LeakedReadings {
            hashes: vec![],
            refused: Some(refused),
        },
        _ => LeakedReadings {
            hashes: hex_readings(secret),
            refused: None,
        },
    }
}

/// Whether [`leaked_readings`] finds a hash in it.
pub fn looks_hashed(secret: &[u8]) -> bool {
    leaked_readings(secret).is_hash()
}

/// The shortest text that any format has: `$1$$` and 22 digits.
const SHORTEST: usize = 26;

/// A look at the length and a few bytes, which an ordinary plaintext does not pass.
fn may_be_hash(secret: &[u8]) -> bool {
    if secret.len() < SHORTEST || secret.len() > super::limits::MAX_TEXT_BYTES {
        return false;
    }
    match secret[0] {
        b'$' | b'{' => true,
        // Django's and Werkzeug's begin with a word, ASP.NET's with the base64 of a 0 or 1.
        b'a' | b'b' | b'm' | b'p' | b's' if secret.iter().take(16).any(|byte| matches!(byte, b'$' | b':')) => true,
        b'A' if secret.len() >= 48 => true,
        _ => split_hex(secret).is_some(),
    }
}

/// Hex digits of the length of a digest, and the salt beside them.
fn split_hex(secret: &[u8]) -> Option<(&[u8], &[u8])> {
    const LENGTHS: [usize; 4] = [32, 40, 64, 128];
    let separator = |byte: u8| matches!(byte, b':' | b'$' | b';' | b'|');
    for length in LENGTHS.into_iter().filter(|&length| length <= secret.len()) {
        let (head, tail) = secret.split_at(length);
        match tail {
            [] if is_hex(head) => return Some((head, &[])),
            [first, salt @ ..] if separator(*first) && is_hex(head) => return Some((head, salt)),
            _ => {}
        }
        let (head, tail) = secret.split_at(secret.len() - length);
        match head {
            [salt @ .., last] if separator(*last) && is_hex(tail) => return Some((tail, salt)),
            _ => {}
        }
    }
    None
}

fn hex_readings(secret: &[u8]) -> Vec<StoredHash> {
    let Some((digits, salt)) = split_hex(secret) else {
        return vec![];
    };
    let Some(kind) = DigestKind::of_length(digits.len() / 2) else {
        return vec![];
    };
    let readings: &[(DigestKind, SaltPlace)] = match (kind, salt) {
        (DigestKind::Md5, []) => &[(kind, SaltPlace::First), (DigestKind::Ntlm, SaltPlace::First)],
        (_, []) => &[(kind, SaltPlace::First)],
        _ => &[(kind, SaltPlace::First), (kind, SaltPlace::Last)],
    };
    let read = |&(kind, place)| WeakHash::from_hex(kind, place, salt, digits).ok();
    readings
        .iter()
        .filter_map(read)
        .map(|hash| StoredHash(Form::Weak(hash)))
        .collect()
}
