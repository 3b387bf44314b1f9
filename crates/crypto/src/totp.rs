//! Codes of an authenticator app: TOTP (RFC 6238) with HMAC-SHA-1, 30 seconds and 6 digits, which every app can do.
//!
//! Built on the `hmac` and `sha1` crates and not on `totp-rs` (6.0): that one ends at the first step that fits, so it tells by
//! its time which one did, and a code that fits two neighbouring steps is good twice; and it refuses names with a colon. What
//! is left to write is the truncation of RFC 4226, held to the vectors of both RFCs below. (SHA-1 is safe inside HMAC: RFC
//! 6194 §3.3.)

use hmac::{Hmac, KeyInit, Mac};
use rand_core::CryptoRng;
use rightful_core::Timestamp;
use sha1::Sha1;
use subtle::{ConditionallySelectable, ConstantTimeEq, ConstantTimeGreater};
use zeroize::Zeroizing;

/// Seconds that a code is shown for (RFC 6238 §5.2).
pub const STEP_SECONDS: i64 = 30;

/// How many steps before and after the present one are accepted, for clocks that are off and people who type slowly.
pub const DRIFT_STEPS: i64 = 1;

/// Digits of a code.
pub const DIGITS: usize = 6;

/// The longest text that is read as a code, in bytes.
const MAX_TYPED: usize = 32;

/// Bytes of a secret: the length of SHA-1's output, as RFC 4226 §4 recommends.
const SECRET: usize = 20;

/// The longest name in an `otpauth:` URI, in percent-encoded bytes: a QR code with more is hard to read for a camera.
const MAX_NAME: usize = 120;

/// The secret that an authenticator app shares with us. Wiped when dropped; its `Debug` shows nothing of it.
pub struct TotpSecret(Zeroizing<[u8; SECRET]>);

impl TotpSecret {
    /// A new secret of 160 bits.
    pub fn mint(chance: &mut dyn CryptoRng) -> Self {
        let mut secret = Zeroizing::new([0; SECRET]);
        chance.fill_bytes(&mut *secret);
        Self(secret)
    }

    /// A secret from its bytes, as they were sealed; `None` unless there are 20.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut secret = Zeroizing::new([0; SECRET]);
        if bytes.len() != SECRET {
            return None;
        }
        secret.copy_from_slice(bytes);
        Some(Self(secret))
    }

    /// The bytes, for sealing.
    pub fn expose(&self) -> &[u8; SECRET] {
        &self.0
    }

    /// The secret as an owner types it into an app: base32 (RFC 4648 §6), eight groups of four with a blank between.
    pub fn base32(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(40));
        for (at, symbol) in base32_symbols(&self.0).enumerate() {
            if at > 0 && at % 4 == 0 {
                text.push(' ');
            }
            text.push(symbol);
        }
        text
    }

    /// The text of the QR code (Key Uri Format of Google Authenticator): a `otpauth:` URI of at most about 500 ASCII bytes.
    ///
    /// The names are for the owner's eyes, so they may hold anything: all but unreserved characters (RFC 3986 §2.3) are
    /// percent-encoded, controls are left out, a colon becomes a blank (apps split the label at it, encoded or not), and
    /// what is too long is cut.
    pub fn otpauth_uri(&self, issuer: &str, account: &str) -> Zeroizing<String> {
        let (issuer, account) = (uri_name(issuer), uri_name(account));
        let mut uri = Zeroizing::new(String::with_capacity(3 * MAX_NAME + 160));
        for part in ["otpauth://totp/", &issuer, ":", &account, "?secret="] {
            uri.push_str(part);
        }
        uri.extend(base32_symbols(&self.0));
        uri.push_str("&issuer=");
        uri.push_str(&issuer);
        uri.push_str("&algorithm=SHA1&digits=6&period=30");
        uri
    }

    /// The step whose code was typed; `None` when there is none that may still be used. Write the step with the guard that
    /// it is greater than the one that was read: each is accepted once, and only forward (RFC 6238 §5.2).
    ///
    /// Steps from [`DRIFT_STEPS`] before `now` to as many after it count, if they come after `last_step`. Blanks and dashes
    /// in what was typed are passed over. Takes the same time whether or which step fits.
    pub fn matching_step(&self, typed: &str, now: Timestamp, last_step: Option<i64>) -> Option<i64> {
        const NONE: i64 = -1;
        let typed = read_digits(typed)?;
        let present = now.micros().div_euclid(STEP_SECONDS * 1_000_000);
        let last = last_step.unwrap_or(NONE).max(NONE);
        let mut found = NONE;
        for step in present - DRIFT_STEPS..=present + DRIFT_STEPS {
            let fits = self.code(step).ct_eq(&typed) & is_after(step, last);
            // The latest that fits wins. Once in a million steps two in a row have one code; were the earlier one taken, what
            // was typed would be good a second time.
            found.conditional_assign(&step, fits);
        }
        (found != NONE).then_some(found)
    }

    fn code(&self, step: i64) -> u32 {
        self.truncated(step) % 10_u32.pow(DIGITS as u32)
    }

    /// The 31 bits of RFC 4226 §5.3.
    fn truncated(&self, counter: i64) -> u32 {
        let mut mac = Hmac::<Sha1>::new_from_slice(&*self.0).expect("HMAC takes keys of any length");
        mac.update(&counter.to_be_bytes());
        let digest = mac.finalize().into_bytes();
        let at = usize::from(digest[19] & 0xf);
        u32::from_be_bytes([digest[at], digest[at + 1], digest[at + 2], digest[at + 3]]) & 0x7fff_ffff
    }
}

impl std::fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpSecret(..)")
    }
}

/// Whether a step comes after the last one used, told without a branch. Steps before 1970 come after nothing.
fn is_after(step: i64, last: i64) -> subtle::Choice {
    // One higher, so that -1 (none) is zero; what is still negative cannot be a step.
    let place = |step: i64| step.saturating_add(1).max(0) as u64;
    place(step).ct_gt(&place(last))
}

/// Six digits as a number, with blanks and dashes anywhere: apps show `123 456`.
fn read_digits(typed: &str) -> Option<u32> {
    if typed.len() > MAX_TYPED {
        return None;
    }
    let mut digits = 0;
    let mut number = 0;
    for typed in typed.chars().filter(|c| !c.is_whitespace() && *c != '-') {
        number = number * 10 + typed.to_digit(10)?;
        digits += 1;
        if digits > DIGITS {
            return None;
        }
    }
    (digits == DIGITS).then_some(number)
}

/// 32 symbols, five bits each, highest first.
fn base32_symbols(secret: &[u8; SECRET]) -> impl Iterator<Item = char> {
    const SYMBOLS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    secret.as_chunks::<5>().0.iter().flat_map(|chunk| {
        let bits = chunk.iter().fold(0_u64, |bits, &byte| bits << 8 | u64::from(byte));
        (0..8)
            .rev()
            .map(move |at| char::from(SYMBOLS[(bits >> (5 * at) & 31) as usize]))
    })
}

fn uri_name(name: &str) -> String {
    let mut encoded = String::new();
    for c in name.trim().chars().filter(|c| !c.is_control()) {
        let c = if c == ':' { ' ' } else { c };
        let before = encoded.len();
        for &byte in c.encode_utf8(&mut [0; 4]).as_bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                encoded.push(char::from(byte));
            } else {
                encoded.push_str(&format!("%{byte:02X}"));
            }
        }
        if encoded.len() > MAX_NAME {
            encoded.truncate(before);
            break;
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::SeededChance;

    /// The secret of both RFCs' vectors.
    fn rfc() -> TotpSecret {
        TotpSecret::from_bytes(b"12345678901234567890").expect("20 bytes")
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn shown(secret: &TotpSecret, step: i64) -> String {
        format!("{:06}", secret.code(step))
    }

    #[test]
    fn rfc_4226_appendix_d() {
        let truncated = [
            1_284_755_224,
            1_094_287_082,
            137_359_152,
            1_726_969_429,
            1_640_338_314,
            868_254_676,
            1_918_287_922,
            82_162_583,
            673_399_871,
            645_520_489,
        ];
        let codes = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489",
        ];
        for (counter, (truncated, code)) in (0..).zip(truncated.into_iter().zip(codes)) {
            assert_eq!(rfc().truncated(counter), truncated, "{counter}");
            assert_eq!(shown(&rfc(), counter), code, "{counter}");
        }
    }

    #[test]
    fn rfc_6238_appendix_b_sha1() {
        for (seconds, eight_digits) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            let step = seconds / STEP_SECONDS;
            assert_eq!(
                format!("{:08}", rfc().truncated(step) % 100_000_000),
                eight_digits,
                "{seconds}"
            );
            assert_eq!(
                rfc().matching_step(&eight_digits[2..], at(seconds), None),
                Some(step),
                "{seconds}"
            );
        }
    }

    #[test]
    fn d04_totp_window_and_replay() {
        const NOW: i64 = 1_000_000;
        let secret = rfc();
        let now = at(NOW * STEP_SECONDS + 7);
        // One step before and after is drift; two, and ten minutes, are not.
        for step in NOW - 20..=NOW + 20 {
            let expected = ((NOW - 1)..=(NOW + 1)).contains(&step).then_some(step);
            assert_eq!(
                secret.matching_step(&shown(&secret, step), now, None),
                expected,
                "{step}"
            );
        }
        // Once a step is used, neither it nor an earlier one is accepted again; a later one is.
        for last in NOW - 3..=NOW + 3 {
            for step in NOW - 1..=NOW + 1 {
                let expected = (step > last).then_some(step);
                let found = secret.matching_step(&shown(&secret, step), now, Some(last));
                assert_eq!(found, expected, "{step} after {last}");
            }
        }
        // Not even when the clock goes back.
        assert_eq!(
            secret.matching_step(&shown(&secret, NOW), at((NOW - 1) * STEP_SECONDS), Some(NOW)),
            None
        );
        // The edges of the step, to the microsecond.
        let (first, past) = (NOW * STEP_SECONDS * 1_000_000, (NOW + 1) * STEP_SECONDS * 1_000_000);
        let step_before = shown(&secret, NOW - 1);
        for (micros, expected) in [(first, Some(NOW - 1)), (past - 1, Some(NOW - 1)), (past, None)] {
            assert_eq!(
                secret.matching_step(&step_before, Timestamp::from_micros(micros), None),
                expected
            );
        }
    }

    #[test]
    fn d04_totp_a_code_that_fits_two_steps_is_good_once() {
        // Found by search: two neighbouring steps of this secret have one code.
        let secret = rfc();
        let step = (0..5_000_000)
            .find(|&step| secret.code(step) == secret.code(step + 1))
            .expect("one in a million");
        let (code, now) = (shown(&secret, step), at(step * STEP_SECONDS));
        assert_eq!(secret.matching_step(&code, now, None), Some(step + 1));
        assert_eq!(secret.matching_step(&code, now, Some(step + 1)), None);
        assert_eq!(secret.matching_step(&code, now, Some(step)), Some(step + 1));
    }

    #[test]
    fn typed_codes_are_read_with_blanks_and_nothing_else() {
        let read = |typed| rfc().matching_step(typed, at(59), None);
        for typed in ["287082", "287 082", " 287-082\n", "2 8 7 0 8 2", "287\u{a0}082"] {
            assert_eq!(read(typed), Some(1), "{typed:?}");
        }
        for typed in [
            "",
            "28708",
            "2870820",
            "+287082",
            "287082a",
            "0x287082",
            "\u{662}\u{668}\u{667}\u{660}\u{668}\u{662}",
            "287\u{0}082",
        ] {
            assert_eq!(read(typed), None, "{typed:?}");
        }
        assert_eq!(read(&format!("287082{}", " ".repeat(MAX_TYPED))), None);
    }

    #[test]
    fn no_time_makes_it_fail() {
        for micros in [i64::MIN, -1, 0, i64::MAX] {
            for last in [None, Some(i64::MIN), Some(-1), Some(i64::MAX)] {
                let step = rfc().matching_step("755224", Timestamp::from_micros(micros), last);
                let expected = ((-1..=0).contains(&micros) && last.is_none_or(|last| last < 0)).then_some(0);
                assert_eq!(step, expected, "{micros} after {last:?}");
            }
        }
        for step in -3..0 {
            let found = rfc().matching_step(&shown(&rfc(), step), at(step * STEP_SECONDS), None);
            assert_eq!(found, None, "there are no steps before 1970");
        }
    }

    #[test]
    fn the_secret_is_written_in_base32() {
        assert_eq!(*rfc().base32(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        assert_eq!(*TotpSecret(Zeroizing::new([0xff; 20])).base32(), ["7777"; 8].join(" "));
    }

    #[test]
    fn the_uri_is_as_apps_expect_it() {
        assert_eq!(
            *rfc().otpauth_uri("Example Forum", "anna@example.com"),
            "otpauth://totp/Example%20Forum:anna%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=Example%20Forum&algorithm=SHA1&digits=6&period=30"
        );
    }

    #[test]
    fn hostile_names_stay_names() {
        let hostile = rfc();
        let uri = hostile.otpauth_uri("Ex:ample&secret=AAAA#", "a/../b?digits=8\r\n\u{0}\"<é");
        assert_eq!(
            *uri,
            "otpauth://totp/Ex%20ample%26secret%3DAAAA%23:a%2F..%2Fb%3Fdigits%3D8%22%3C%C3%A9\
             ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Ex%20ample%26secret%3DAAAA%23&algorithm=SHA1&digits=6&period=30"
        );
    }

    proptest! {
        #[test]
        fn no_name_changes_the_shape_of_the_uri(issuer in any::<String>(), account in "\\PC{0,400}") {
            let uri = rfc().otpauth_uri(&issuer, &account);
            prop_assert!(uri.len() <= 500, "{}", uri.len());
            let plain = uri.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%:/?&=".contains(&byte));
            prop_assert!(plain, "{}", *uri);
            let count = |c| uri.matches(c).count();
            prop_assert_eq!((count('?'), count('&'), count(':'), count('/'), count('=')), (1, 4, 2, 3, 5));
        }

        #[test]
        fn a_step_is_found_only_by_its_code_and_within_the_window(
            seed: u64, step in 1_i64..1 << 36, drift in -3_i64..=3, last in -2_i64..=2,
        ) {
            let secret = TotpSecret::mint(&mut SeededChance::new(seed));
            let now = at((step + drift) * STEP_SECONDS);
            let found = secret.matching_step(&shown(&secret, step), now, Some(step + last));
            if let Some(found) = found {
                prop_assert_eq!(secret.code(found), secret.code(step));
                prop_assert!(found > step + last && (found - step - drift).abs() <= 1);
            } else {
                prop_assert!(drift.abs() > 1 || last >= 0);
            }
        }
    }

    #[test]
    fn secrets_are_not_shown_and_have_one_length() {
        let secret = TotpSecret::mint(&mut SeededChance::new(1));
        assert_eq!(format!("{secret:?}"), "TotpSecret(..)");
        let read = TotpSecret::from_bytes(secret.expose()).expect("20 bytes");
        assert_eq!(read.expose(), secret.expose());
        assert!(TotpSecret::from_bytes(&[0; 19]).is_none() && TotpSecret::from_bytes(&[0; 21]).is_none());
    }
}
