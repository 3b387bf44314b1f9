//! The alphabets that stored hashes are written in.

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Reads padded and unpadded text, and last digits with stray low bits, which several producers write.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_encode_padding(false)
    .with_decode_allow_trailing_bits(true)
    .with_decode_padding_mode(DecodePaddingMode::Indifferent);

const STANDARD: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, LENIENT);

/// bcrypt's own alphabet and order of bits.
pub(super) const BCRYPT: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::BCRYPT, LENIENT);

/// Bytes of base64 in any of its common spellings: standard, URL-safe, passlib's "ab64" (`.` for `+`), padded or not.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    let plain: Vec<u8> = text
        .bytes()
        .map(|byte| match byte {
            b'.' | b'-' => b'+',
            b'_' => b'/',
            other => other,
        })
        .collect();
    STANDARD.decode(plain).ok()
}

/// Standard base64 without padding, as PHC strings have it.
pub(super) fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Standard base64 with padding, for the schemes that hash such a text.
pub(super) fn to_padded_base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// The value of one hex digit.
const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Whether all bytes are hex digits (of either case).
pub(super) fn is_hex(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_hexdigit)
}

/// Fills `out` from exactly twice as many hex digits; `None` leaves it half written.
pub(super) fn hex_into(text: &[u8], out: &mut [u8]) -> Option<()> {
    if text.len() != out.len() * 2 {
        return None;
    }
    for (pair, byte) in text.as_chunks::<2>().0.iter().zip(out) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(())
}

/// Bytes of hex digits of either case.
pub(super) fn hex(text: &str) -> Option<Vec<u8>> {
    let mut bytes = vec![0; text.len() / 2];
    hex_into(text.as_bytes(), &mut bytes)?;
    Some(bytes)
}

/// Lower-case hex digits.
pub(super) fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

/// The digits of crypt(3), phpass and yescrypt.
const CRYPT_DIGITS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The value of one crypt digit.
pub(super) const fn crypt_value(digit: u8) -> Option<u8> {
    match digit {
        b'.' | b'/' => Some(digit - b'.'),
        b'0'..=b'9' => Some(digit - b'0' + 2),
        b'A'..=b'Z' => Some(digit - b'A' + 12),
        b'a'..=b'z' => Some(digit - b'a' + 38),
        _ => None,
    }
}

/// The crypt digit of the low six bits.
pub(super) const fn crypt_digit(value: u32) -> u8 {
    CRYPT_DIGITS[(value & 63) as usize]
}

/// Bytes of crypt digits, low bits first, three bytes in four digits. Stray bits are refused: crypt compares text, so a
/// text that has them was never written by it.
pub(super) fn crypt64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for digits in text.as_bytes().chunks(4) {
        let mut group = 0_u32;
        for (place, &digit) in digits.iter().enumerate() {
            group |= u32::from(crypt_value(digit)?) << (6 * place);
        }
        let count = digits.len() * 6 / 8;
        if count == 0 || group >> (8 * count) != 0 {
            return None;
        }
        bytes.extend_from_slice(&group.to_le_bytes()[..count]);
    }
    Some(bytes)
}

/// Crypt digits of bytes, the inverse of [`crypt64`].
pub(super) fn to_crypt64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group
            .iter()
            .rev()
            .fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte));
        for place in 0..(group.len() * 8).div_ceil(6) {
            text.push(char::from(crypt_digit(bits >> (6 * place))));
        }
    }
    text
}

/// A number of decimal digits alone; what exceeds `u64` is read as its maximum, so that a cap refuses it by name.
pub(super) fn decimal(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u64::MAX))
}

/// What the C originals hash: the bytes before the first NUL.
pub(super) fn c_string(password: &[u8]) -> &[u8] {
    password.split(|&byte| byte == 0).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_alphabet_reads_what_it_writes(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            prop_assert_eq!(base64(&to_base64(&bytes)), Some(bytes.clone()));
            prop_assert_eq!(base64(&to_padded_base64(&bytes)), Some(bytes.clone()));
            prop_assert_eq!(hex(&to_hex(&bytes)), Some(bytes.clone()));
            prop_assert_eq!(hex(&to_hex(&bytes).to_uppercase()), Some(bytes.clone()));
            prop_assert_eq!(crypt64(&to_crypt64(&bytes)), Some(bytes));
        }
    }

    #[test]
    fn stray_bits_of_crypt_digits_are_refused() {
        assert_eq!(crypt64("z1"), Some(vec![0xff]));
        assert_eq!(crypt64("zz"), None);
        assert_eq!(crypt64("z"), None);
    }

    #[test]
    fn numbers_are_digits_alone() {
        assert_eq!(decimal("0012"), Some(12));
        assert_eq!(decimal("99999999999999999999999"), Some(u64::MAX));
        for text in ["", "+1", "-1", "1 ", "1e3", "\u{0661}"] {
            assert_eq!(decimal(text), None, "{text:?}");
        }
    }
}
