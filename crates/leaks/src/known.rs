//! Passwords that are known to be leaked: whichever account uses one, thieves try it first.

use std::io::{self, BufRead, BufReader};
use std::sync::OnceLock;

use sha1::{Digest, Sha1};

/// The 100,000 most used passwords of leaked collections (`data/README.md`), most used first, one a line, packed with zstd.
pub static COMMON_PASSWORDS: &[u8] = include_bytes!("../../../data/common-passwords-100k.txt.zst");

/// The first eight bytes of a password's SHA-1, as collections of leaked passwords are published (Pwned Passwords): larger
/// lists can take the place of the built-in one without being turned back into passwords, which nobody can do. That SHA-1 is
/// broken for signatures does not matter: whoever finds a password that collides with a listed one may not use it.
fn key_of(password: &[u8]) -> u64 {
    let digest: [u8; 20] = Sha1::digest(password).into();
    let (first, _) = digest.split_first_chunk().expect("20 bytes hold 8");
    u64::from_be_bytes(*first)
}

/// A table of known-leaked passwords: eight bytes for each, sorted. A password that is not listed is taken for one that is
/// once in 2^64 divided by the length of the list.
pub struct KnownLeaked {
    keys: Box<[u64]>,
}

impl KnownLeaked {
    /// The built-in list, [`COMMON_PASSWORDS`]: 800 kB, made at the first call.
    pub fn built_in() -> &'static Self {
        static BUILT_IN: OnceLock<KnownLeaked> = OnceLock::new();
        BUILT_IN.get_or_init(|| Self::from_list(COMMON_PASSWORDS).expect("the list is part of the program"))
    }

    /// A list of passwords of our own making: one a line, packed with zstd. Empty lines and the order do not matter.
    ///
    /// # Errors
    /// When it is no zstd stream, cut short, or damaged.
    pub fn from_list(packed: &[u8]) -> io::Result<Self> {
        let mut lines = BufReader::new(zstd::stream::read::Decoder::with_buffer(packed)?);
        let mut keys = Vec::new();
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 {
            let password = line.strip_suffix(b"\n").unwrap_or(&line);
            if !password.is_empty() {
                keys.push(key_of(password));
            }
            line.clear();
        }
        keys.sort_unstable();
        keys.dedup();
        Ok(Self {
            keys: keys.into_boxed_slice(),
        })
    }

    /// Whether this very password is in the list. Ask with the form that is hashed
    /// ([`normal_form`](rightful_core::password_rule::normal_form)), and with what was typed where a sign-in is judged.
    pub fn contains(&self, password: &[u8]) -> bool {
        self.keys.binary_search(&key_of(password)).is_ok()
    }

    /// How many passwords are listed.
    pub fn count(&self) -> usize {
        self.keys.len()
    }
}

impl std::fmt::Debug for KnownLeaked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KnownLeaked({} passwords)", self.count())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn packed(text: &[u8]) -> Vec<u8> {
        zstd::encode_all(text, 1).expect("packs")
    }

    #[test]
    fn c10_every_password_of_the_built_in_list_is_known() {
        let list = zstd::decode_all(COMMON_PASSWORDS).expect("a zstd stream");
        let list = list.strip_suffix(b"\n").expect("whole lines");
        let known = KnownLeaked::built_in();
        // The list as it was published repeats a few.
        let distinct: HashSet<&[u8]> = list.split(|&byte| byte == b'\n').collect();
        assert!(distinct.iter().all(|password| known.contains(password)));
        assert_eq!(known.count(), distinct.len());
        assert!(size_of_val(&*known.keys) < 1_000_000);
    }

    #[test]
    fn c10_what_is_not_listed_is_not_known() {
        let known = KnownLeaked::built_in();
        for password in [
            "",
            "password ",
            "Password\n",
            "correct horse battery staple",
            "qwerty\0",
            "пароль из букв",
        ] {
            assert!(!known.contains(password.as_bytes()), "{password:?}");
        }
        let made_up = |number: u32| format!("not in any list {number}");
        assert!((0..10_000).all(|number| !known.contains(made_up(number).as_bytes())));
    }

    #[test]
    fn keys_are_the_start_of_sha1_as_published() {
        // FIPS 180-4's example and the most famous line of Pwned Passwords.
        assert_eq!(key_of(b"abc"), 0xa999_3e36_4706_816a);
        assert_eq!(key_of(b"password"), 0x5baa_61e4_c9b9_3f3f);
    }

    #[test]
    fn a_list_is_read_line_by_line_whatever_is_on_the_lines() {
        let known = KnownLeaked::from_list(&packed(b"hunter2\n\n\xff\xfe\nhunter2\n spaced \nlast")).expect("a list");
        assert_eq!(known.count(), 4);
        for password in [&b"hunter2"[..], b"\xff\xfe", b" spaced ", b"last"] {
            assert!(known.contains(password), "{password:?}");
        }
        assert!(!known.contains(b"") && !known.contains(b"spaced"));
        assert_eq!(KnownLeaked::from_list(&packed(b"")).expect("an empty list").count(), 0);
        assert_eq!(format!("{known:?}"), "KnownLeaked(4 passwords)");
    }

    #[test]
    fn a_damaged_list_is_refused() {
        let whole = packed(b"hunter2\n");
        for damaged in [&whole[..whole.len() - 1], b"hunter2\n", b"\0"] {
            assert!(KnownLeaked::from_list(damaged).is_err(), "{damaged:?}");
        }
    }
}
