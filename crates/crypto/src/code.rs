//! Codes that people type: from a mail, from a sheet of paper, from a terminal.
//!
//! Crockford's base32 (crockford.com/base32): ten digits and the letters without I, L, O and U. Reading forgives what people
//! do: either case, blanks and dashes anywhere, O for 0, I and L for 1. Codes are too short to be stored as a bare hash, so
//! the database holds keyed digests ([`Tagger::code`]), and whoever asks for one spends from a budget first.

use std::marker::PhantomData;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::seal::{CodePurpose, Tagger};

/// The longest text that is read as a code, in bytes; all else is refused unread.
pub const MAX_TYPED: usize = 64;

/// The longest code, in characters.
const LONGEST: usize = 16;

const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

mod sealed {
    /// The lengths of the groups that a code is shown in, and its name in `Debug`.
    pub trait Form {
        const GROUPS: &'static [usize];
        const NAME: &'static str;
        const LEN: usize = {
            let (mut sum, mut at) = (0, 0);
            while at < Self::GROUPS.len() {
                sum += Self::GROUPS[at];
                at += 1;
            }
            assert!(sum <= super::LONGEST);
            sum
        };
    }
}

/// Marks the codes of [`MailCode`].
#[derive(Clone, Copy, Debug)]
pub enum Mail {}
/// Marks the numbers of [`NoticeNumber`].
#[derive(Clone, Copy, Debug)]
pub enum Notice {}
/// Marks the codes of [`RecoveryCode`].
#[derive(Clone, Copy, Debug)]
pub enum Recovery {}
/// Marks the codes of [`SetUpCode`].
#[derive(Clone, Copy, Debug)]
pub enum SetUp {}
/// Marks the codes of [`LoginCode`].
#[derive(Clone, Copy, Debug)]
pub enum Login {}

impl sealed::Form for Mail {
    const GROUPS: &'static [usize] = &[4, 4];
    const NAME: &'static str = "MailCode";
}
impl sealed::Form for Notice {
    const GROUPS: &'static [usize] = &[4, 4];
    const NAME: &'static str = "NoticeNumber";
}
impl sealed::Form for Recovery {
    const GROUPS: &'static [usize] = &[5, 4, 4];
    const NAME: &'static str = "RecoveryCode";
}
impl sealed::Form for SetUp {
    const GROUPS: &'static [usize] = &[4, 4, 4, 4];
    const NAME: &'static str = "SetUpCode";
}
impl sealed::Form for Login {
    const GROUPS: &'static [usize] = &[4, 4];
    const NAME: &'static str = "LoginCode";
}

/// Proves that a mailbox is read: 8 characters, 40 bits, shown as `XXXX-XXXX`. Good for one flow.
pub type MailCode = Code<Mail>;

/// The number of a notice: 8 characters, 40 bits, shown as `XXXX-XXXX`. It opens and starts nothing.
pub type NoticeNumber = Code<Notice>;

/// Stands in for a lost second factor: 13 characters, 65 bits (NIST SP 800-63B-4 §4.2.1.1 wants 64 of those that are kept
/// for years), shown as `XXXXX-XXXX-XXXX`.
pub type RecoveryCode = Code<Recovery>;

/// Makes the first administrator: 16 characters, 80 bits, shown as `XXXX-XXXX-XXXX-XXXX`.
pub type SetUpCode = Code<SetUp>;

/// Shown by a program and by the page that lets it act, for people to compare: 8 characters, 40 bits, as `XXXX-XXXX`. It is
/// never typed and opens nothing.
pub type LoginCode = Code<Login>;

/// A code that is typed. Wiped when dropped; its `Debug` shows its name and nothing else.
pub struct Code<F> {
    /// Symbols in ASCII, as many as its form has; the rest is zero.
    symbols: Zeroizing<[u8; LONGEST]>,
    form: PhantomData<F>,
}

impl<F: sealed::Form> Code<F> {
    /// A new code. Every symbol is equally likely: 32 of them, five bits each.
    pub fn mint(chance: &mut dyn CryptoRng) -> Self {
        let mut code = Self::blank();
        let symbols = &mut code.symbols[..F::LEN];
        chance.fill_bytes(symbols);
        for symbol in symbols {
            *symbol = SYMBOLS[usize::from(*symbol % 32)];
        }
        code
    }

    /// Reads what was typed; `None` when that cannot be such a code: another length, a character that no code has, or more
    /// than [`MAX_TYPED`] bytes.
    pub fn parse(typed: &str) -> Option<Self> {
        if typed.len() > MAX_TYPED {
            return None;
        }
        let mut code = Self::blank();
        let mut read = 0;
        for typed in typed.chars().filter(|&c| !is_filler(c)) {
            *code.symbols[..F::LEN].get_mut(read)? = symbol(typed)?;
            read += 1;
        }
        (read == F::LEN).then_some(code)
    }

    /// The code as it is shown, once: upper case, in groups with dashes between.
    pub fn shown(&self) -> Zeroizing<String> {
        // All the room at once: a text that grows leaves copies behind.
        let mut shown = Zeroizing::new(String::with_capacity(F::LEN + F::GROUPS.len()));
        let mut rest = self.bytes();
        for &group in F::GROUPS {
            if !shown.is_empty() {
                shown.push('-');
            }
            let (group, after) = rest.split_at(group);
            shown.extend(group.iter().map(|&symbol| char::from(symbol)));
            rest = after;
        }
        shown
    }

    /// The symbols alone, upper case, in ASCII: what a digest is made of.
    pub fn bytes(&self) -> &[u8] {
        &self.symbols[..F::LEN]
    }

    fn blank() -> Self {
        Self {
            symbols: Zeroizing::new([0; LONGEST]),
            form: PhantomData,
        }
    }
}

impl MailCode {
    /// The digest to store and to find it by. `account` is 0 where no account is known yet; `flow` is the hash that names the
    /// flow's row: the code of one flow is worth nothing in another.
    pub fn digest(&self, tagger: &Tagger, account: i64, flow: &[u8; 32]) -> [u8; 32] {
        tagger.code(CodePurpose::Mail, account, flow, self.bytes())
    }
}

impl NoticeNumber {
    /// The digest to store and to find it by. `address` is the one written to, as its sign-in key, so that the number is true
    /// for that address only and a copy of it in another's mail is not.
    pub fn digest(&self, tagger: &Tagger, account: i64, address: &str) -> [u8; 32] {
        tagger.code(CodePurpose::Notice, account, address.as_bytes(), self.bytes())
    }
}

impl RecoveryCode {
    /// The digest to store and to find it by, bound to its account.
    pub fn digest(&self, tagger: &Tagger, account: i64) -> [u8; 32] {
        tagger.code(CodePurpose::Recovery, account, b"", self.bytes())
    }
}

impl SetUpCode {
    /// The digest to store and to find it by. It belongs to the site: there is no account yet.
    pub fn digest(&self, tagger: &Tagger) -> [u8; 32] {
        tagger.code(CodePurpose::SetUp, 0, b"", self.bytes())
    }
}

impl<F: sealed::Form> std::fmt::Debug for Code<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}(..)", F::NAME)
    }
}

/// What may stand between symbols: any blank, and the dashes that mail programs make of a plain one.
fn is_filler(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '\u{ad}' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

fn symbol(typed: char) -> Option<u8> {
    let upper = u8::try_from(typed).ok()?.to_ascii_uppercase();
    let meant = match upper {
        b'O' => b'0',
        b'I' | b'L' => b'1',
        other => other,
    };
    SYMBOLS.contains(&meant).then_some(meant)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::seal::Key;
    use crate::testing::SeededChance;

    #[track_caller]
    fn check(typed: &str, shown: Option<&str>) {
        let code = MailCode::parse(typed);
        assert_eq!(
            code.as_ref().map(|code| code.shown().to_string()).as_deref(),
            shown,
            "{typed:?}"
        );
    }

    #[test]
    fn reading_forgives_what_people_type() {
        for typed in [
            "K7M4-QX2P",
            "k7m4qx2p",
            "  K7M4 QX2P \n",
            "K-7-M-4-Q-X-2-P",
            "K7M4\u{2013}QX2P",
            "K7M4\u{a0}QX2P",
            "\tk7m4\u{2011}qx2p\r\n",
        ] {
            check(typed, Some("K7M4-QX2P"));
        }
        check("oOiIlL10", Some("0011-1110"));
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for typed in [
            "",
            "K7M4-QX2",
            "K7M4-QX2PP",
            "K7M4-QX2U",
            "K7M4-QX2!",
            "K7M4_QX2P",
            "K7M4-QX2\u{ff30}",
            "K7M4-QX2\u{17f}",
            "K7M4-QX2\0",
        ] {
            check(typed, None);
        }
    }

    #[test]
    fn what_is_too_long_is_refused_unread() {
        check(&format!("K7M4QX2P{}", " ".repeat(MAX_TYPED - 8)), Some("K7M4-QX2P"));
        check(&format!("K7M4QX2P{}", " ".repeat(MAX_TYPED - 7)), None);
    }

    fn check_form<F: sealed::Form>(name: &str, form: &str) {
        let code = Code::<F>::mint(&mut SeededChance::new(1));
        let shown = code.shown();
        let like: String = shown.chars().map(|c| if c == '-' { '-' } else { 'X' }).collect();
        assert_eq!(like, form);
        assert_eq!(format!("{code:?}"), format!("{name}(..)"));
        assert_eq!(Code::<F>::parse(&shown).expect("its own text").bytes(), code.bytes());
    }

    #[test]
    fn each_is_shown_in_its_form_and_hidden_in_debug() {
        check_form::<Mail>("MailCode", "XXXX-XXXX");
        check_form::<Notice>("NoticeNumber", "XXXX-XXXX");
        check_form::<Recovery>("RecoveryCode", "XXXXX-XXXX-XXXX");
        check_form::<SetUp>("SetUpCode", "XXXX-XXXX-XXXX-XXXX");
    }

    #[test]
    fn every_symbol_is_as_likely_as_every_other() {
        let mut chance = SeededChance::new(1);
        let mut counts = [[0_u32; 32]; 8];
        for _ in 0..8000 {
            for (at, symbol) in MailCode::mint(&mut chance).bytes().iter().enumerate() {
                let symbol = SYMBOLS.iter().position(|known| known == symbol).expect("a symbol");
                counts[at][symbol] += 1;
            }
        }
        // 250 expected, standard deviation 15.6.
        for count in counts.as_flattened() {
            assert!((160..340).contains(count), "{count}");
        }
    }

    #[test]
    fn a_digest_is_worth_something_in_its_own_place_only() {
        let tagger = Tagger::new(&Key::from_bytes([3; 32]));
        let mail = MailCode::parse("K7M4QX2P").expect("a code");
        let number = NoticeNumber::parse("K7M4QX2P").expect("a number");
        let digests = [
            mail.digest(&tagger, 1, &[1; 32]),
            mail.digest(&tagger, 1, &[2; 32]),
            mail.digest(&tagger, 2, &[1; 32]),
            number.digest(&tagger, 1, "anna@example.com"),
            number.digest(&tagger, 1, "anna@example.org"),
            number.digest(&tagger, 2, "anna@example.com"),
        ];
        for (at, digest) in digests.iter().enumerate() {
            assert!(!digests[..at].contains(digest), "{at}");
        }
        let recovery = RecoveryCode::parse("00000-0000-0000").expect("a code");
        assert_ne!(recovery.digest(&tagger, 1), recovery.digest(&tagger, 2));
        let set_up = SetUpCode::parse("0000 0000 0000 0000").expect("a code");
        let other = Tagger::new(&Key::from_bytes([4; 32]));
        assert_ne!(set_up.digest(&tagger), set_up.digest(&other));
    }

    proptest! {
        #[test]
        fn a_code_is_read_as_it_was_shown_however_it_is_written(seed: u64, dashes in "[ -]{0,20}", lower: bool) {
            let code = RecoveryCode::mint(&mut SeededChance::new(seed));
            let shown = code.shown();
            let typed = if lower { shown.to_lowercase() } else { shown.to_string() };
            let typed: String = typed.chars().flat_map(|c| [c].into_iter().chain(dashes.chars().take(1))).collect();
            let read = RecoveryCode::parse(&typed).expect("the same code");
            prop_assert_eq!(read.bytes(), code.bytes());
        }

        #[test]
        fn whatever_is_typed_is_read_without_a_fault(typed in ".{0,80}") {
            if let Some(code) = SetUpCode::parse(&typed) {
                let again = SetUpCode::parse(&code.shown()).expect("its own text");
                prop_assert_eq!(again.bytes(), code.bytes());
            }
        }
    }
}
