//! What a new password must be (NIST SP 800-63B-4 §3.1.1.2).
//!
//! Long enough, not known-leaked, not little more than names that everybody knows. No rules on what it is made of, no
//! changes by the calendar. What passes is a value, [`AcceptedPassword`]: only it may be hashed for a new row.

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use zeroize::Zeroizing;

use crate::variation::variations;

/// The longest password in bytes, as it is typed. Beyond it no work is done at all, at sign-in neither.
pub const MAX_BYTES: usize = 512;

/// The fewest characters (code points in NFC) of a password that opens the account by itself.
pub const AT_LEAST_ALONE: usize = 15;

/// The fewest characters of a password beside an enrolled second factor.
pub const AT_LEAST_WITH_SECOND_FACTOR: usize = 8;

/// How many variations of a new password are tried as the old one.
pub const VARIATIONS_OF_NEW: usize = 16;

/// The shortest part of a name that counts as a name.
const SHORTEST_WORD: usize = 4;

/// A password that leaves less than this beside names that everybody knows is little more than those names.
const LITTLE_MORE: usize = AT_LEAST_WITH_SECOND_FACTOR;

/// What a password is chosen for.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The site's name, as owners read it.
    pub site_name: &'a str,
    /// What is typed to name the account, every spelling of it: addresses, user name, telephone number.
    pub identifiers: &'a [&'a str],
    /// Whether the account has a second factor enrolled.
    pub second_factor: bool,
    /// Whether the list of known-leaked passwords holds the password in its [`normal_form`].
    pub known_leaked: bool,
}

/// What is wrong with a password. Says nothing of the password itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PasswordFault {
    /// More than [`MAX_BYTES`]. Nothing else was looked at.
    TooLong,
    /// Too few characters.
    TooShort {
        /// How many it must have.
        at_least: usize,
    },
    /// It holds a control character. No form lets one be typed, so its owner would never get in again (RFC 8265 §4.2 forbids
    /// them too). Spaces and everything else that can be seen are welcome.
    Control,
    /// It is in lists of stolen passwords.
    KnownLeaked,
    /// It is little more than the site's name or what names the account.
    NamesOnly,
}

impl PasswordFault {
    /// The word in tables, message ids and the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::TooLong => "too-long",
            Self::TooShort { .. } => "too-short",
            Self::Control => "control",
            Self::KnownLeaked => "known-leaked",
            Self::NamesOnly => "names-only",
        }
    }
}

/// A password that may be set, in the form that is hashed. Wiped when dropped; its `Debug` shows nothing of it.
pub struct AcceptedPassword {
    normal: Zeroizing<String>,
}

impl AcceptedPassword {
    /// The bytes to hash: UTF-8 in NFC.
    pub fn as_bytes(&self) -> &[u8] {
        self.normal.as_bytes()
    }

    /// Whether it may open its account by itself: it may have been chosen beside a second factor that is removed later. How
    /// long it is, is kept nowhere, but this must be.
    pub fn is_good_alone(&self) -> bool {
        is_good_alone(&self.normal)
    }
}

/// Whether a password in its [`normal_form`] has the characters that it needs without a second factor.
pub fn is_good_alone(normal: &str) -> bool {
    normal.chars().count() >= AT_LEAST_ALONE
}

impl std::fmt::Debug for AcceptedPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AcceptedPassword(..)")
    }
}

/// The form in which a password is hashed and looked up in lists: NFC, so that it is the same from every keyboard.
///
/// # Errors
/// [`PasswordFault::TooLong`] for more than [`MAX_BYTES`], before any work.
pub fn normal_form(password: &str) -> Result<Zeroizing<String>, PasswordFault> {
    if password.len() > MAX_BYTES {
        return Err(PasswordFault::TooLong);
    }
    // All the room at once, for a text that grows leaves copies behind: in NFC, UTF-8 grows threefold at most (UAX #15).
    let mut normal = Zeroizing::new(String::with_capacity(3 * password.len()));
    if is_nfc_quick(password.chars()) == IsNormalized::Yes {
        normal.push_str(password);
    } else {
        normal.extend(password.nfc());
    }
    Ok(normal)
}

/// Whether a password may be set.
///
/// # Errors
/// Everything that is wrong with it, in the order of [`PasswordFault`]; never an empty list.
pub fn check(password: &str, context: &Context<'_>) -> Result<AcceptedPassword, Vec<PasswordFault>> {
    let normal = normal_form(password).map_err(|fault| vec![fault])?;
    let at_least = if context.second_factor {
        AT_LEAST_WITH_SECOND_FACTOR
    } else {
        AT_LEAST_ALONE
    };
    let faults: Vec<PasswordFault> = [
        (normal.chars().count() < at_least).then_some(PasswordFault::TooShort { at_least }),
        normal.chars().any(char::is_control).then_some(PasswordFault::Control),
        context.known_leaked.then_some(PasswordFault::KnownLeaked),
        is_names_only(&normal, context).then_some(PasswordFault::NamesOnly),
    ]
    .into_iter()
    .flatten()
    .collect();
    if faults.is_empty() {
        Ok(AcceptedPassword { normal })
    } else {
        Err(faults)
    }
}

/// What to try against the hash of the old password, so that the new one is not a simple variation of it: the first
/// [`VARIATIONS_OF_NEW`] of the new one. (A variation goes both ways often enough; the old one is known only as a hash.) The
/// new one itself is not among them.
pub fn variations_of_new(password: &AcceptedPassword) -> Zeroizing<Vec<Vec<u8>>> {
    Zeroizing::new(variations(password.as_bytes(), VARIATIONS_OF_NEW))
}

/// Whether fewer than [`LITTLE_MORE`] characters remain, blanks aside, once the names are taken out. Names are found across
/// blanks and signs (`+49 151 1234-5678`); signs count as what they are, something more.
fn is_names_only(password: &str, context: &Context<'_>) -> bool {
    let folded = fold(password);
    let signs = folded
        .chars()
        .filter(|c| !c.is_alphanumeric() && !c.is_whitespace())
        .count();
    let mut rest = Zeroizing::new(String::with_capacity(folded.len()));
    rest.extend(folded.chars().filter(|c| c.is_alphanumeric()));
    let whole_len = rest.len();
    for word in context_words(context) {
        let mut without = Zeroizing::new(String::with_capacity(whole_len));
        for part in rest.split(word.as_str()) {
            without.push_str(part);
            // In the place of the name, so that what stood around it does not make another by meeting.
            without.push(' ');
        }
        without.pop();
        rest = without;
    }
    let found = rest.len() < whole_len;
    found && signs + rest.chars().filter(|&c| c != ' ').count() < LITTLE_MORE
}

/// The names, folded, longest first: a short one is often part of a long one.
fn context_words(context: &Context<'_>) -> Vec<String> {
    let mut words: Vec<String> = [context.site_name]
        .iter()
        .chain(context.identifiers)
        .flat_map(|name| words_of(name))
        .collect();
    words.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    words.dedup();
    words
}

/// A name without what stands between its parts, its parts, and the runs of letters and of digits in them (`anna` and `1984`
/// of `anna1984`); those that are long enough, folded.
fn words_of(name: &str) -> Vec<String> {
    let parts = name.split(|c: char| !c.is_alphanumeric());
    let runs = parts
        .clone()
        .flat_map(|part| part.split(char::is_numeric).chain(part.split(char::is_alphabetic)));
    let whole: String = name.chars().filter(|c| c.is_alphanumeric()).collect();
    std::iter::once(whole.as_str())
        .chain(parts)
        .chain(runs)
        .filter(|word| word.chars().count() >= SHORTEST_WORD)
        .map(|word| fold(word).to_string())
        .collect()
}

/// In lower case and with the usual look-alikes undone (`3x@mple` is `example`), names and password alike.
fn fold(text: &str) -> Zeroizing<String> {
    let plain = |c: char| match c {
        '@' | '4' => 'a',
        '3' => 'e',
        '1' | '!' => 'i',
        '0' => 'o',
        '5' | '$' => 's',
        '7' => 't',
        _ => c,
    };
    // Lower case is at most half as long again in UTF-8 (U+0130 becomes three bytes from two).
    let mut folded = Zeroizing::new(String::with_capacity(2 * text.len()));
    folded.extend(text.chars().flat_map(char::to_lowercase).map(plain));
    folded
}

#[cfg(test)]
mod tests {
    use super::PasswordFault::{Control, KnownLeaked, NamesOnly, TooLong};
    use super::*;
    use proptest::prelude::*;

    const ALONE: PasswordFault = PasswordFault::TooShort {
        at_least: AT_LEAST_ALONE,
    };
    const WITH_SECOND_FACTOR: PasswordFault = PasswordFault::TooShort {
        at_least: AT_LEAST_WITH_SECOND_FACTOR,
    };

    const CONTEXT: Context<'_> = Context {
        site_name: "Example Forum",
        identifiers: &["anna.smith@mail.example.com", "kestrel1984", "+4915112345678"],
        second_factor: false,
        known_leaked: false,
    };

    #[track_caller]
    fn faults_of(password: &str, context: &Context<'_>) -> Vec<PasswordFault> {
        match check(password, context) {
            Ok(accepted) => {
                let normal: String = password.nfc().collect();
                assert_eq!(accepted.as_bytes(), normal.as_bytes(), "nothing is cut or changed");
                Vec::new()
            }
            Err(faults) => {
                assert!(!faults.is_empty());
                faults
            }
        }
    }

    #[test]
    fn c10_length_is_counted_in_code_points_after_nfc() {
        let with_second_factor = Context {
            second_factor: true,
            ..CONTEXT
        };
        for (password, alone, with_factor) in [
            ("", &[ALONE][..], &[WITH_SECOND_FACTOR][..]),
            ("sevench", &[ALONE], &[WITH_SECOND_FACTOR]),
            ("eight ch", &[ALONE], &[]),
            ("fourteen chars", &[ALONE], &[]),
            ("fifteen chars..", &[], &[]),
            ("aaaaaaaaaaaaaaa", &[], &[]),
            // 64 of four bytes each.
            (&"\u{1f600}".repeat(64), &[], &[]),
            ("\u{1f600}\u{1f600}\u{1f600}", &[ALONE], &[WITH_SECOND_FACTOR]),
            // 16 typed, 14 and 15 in NFC.
            ("u\u{308}ber-12345678a\u{308}", &[ALONE], &[]),
            ("u\u{308}ber-123456789a", &[], &[]),
            (&"\u{1112}\u{1161}\u{11ab}".repeat(8), &[ALONE], &[]),
        ] {
            assert_eq!(faults_of(password, &CONTEXT), alone, "{password:?}");
            assert_eq!(faults_of(password, &with_second_factor), with_factor, "{password:?}");
        }
    }

    #[test]
    fn c10_composed_and_decomposed_are_one_password() {
        let composed = check("M\u{fc}ller geht baden", &CONTEXT).expect("long enough");
        let decomposed = check("Mu\u{308}ller geht baden", &CONTEXT).expect("long enough");
        assert_eq!(composed.as_bytes(), decomposed.as_bytes());
    }

    #[test]
    fn c10_more_than_512_bytes_are_refused_and_nothing_is_cut() {
        assert_eq!(faults_of(&"x".repeat(MAX_BYTES), &CONTEXT), []);
        assert_eq!(faults_of(&"x".repeat(MAX_BYTES + 1), &CONTEXT), [TooLong]);
        assert_eq!(faults_of(&"\u{e9}".repeat(257), &CONTEXT), [TooLong]);
        let leaked = Context {
            known_leaked: true,
            ..CONTEXT
        };
        assert_eq!(faults_of(&"\0".repeat(1 << 20), &leaked), [TooLong]);
        // It may grow when it is put together: U+1D160 decomposes in NFC.
        let growing = check(&"\u{1d160}".repeat(128), &CONTEXT).expect("512 bytes");
        assert_eq!(growing.as_bytes().len(), 3 * MAX_BYTES);
    }

    #[test]
    fn c10_what_it_is_made_of_does_not_matter_but_for_controls() {
        for password in [
            "               ",
            "correct horse battery staple",
            "123456789012345",
            "пароль из букв",
            "合言葉合言葉合言葉合言葉合言葉",
            " blanks at the ends ",
            "\"';--<script>\\",
            "zero\u{200d}width\u{feff}joined",
        ] {
            let expected: &[_] = if password.chars().count() < AT_LEAST_ALONE {
                &[ALONE]
            } else {
                &[]
            };
            assert_eq!(faults_of(password, &CONTEXT), expected, "{password:?}");
        }
        for control in ["\0", "\r\n", "\t", "\u{7f}", "\u{85}", "\u{1b}"] {
            let password = format!("a long enough{control}password");
            assert_eq!(faults_of(&password, &CONTEXT), [Control], "{control:?}");
        }
    }

    #[test]
    fn c10_known_leaked_is_refused_at_any_length() {
        let leaked = Context {
            known_leaked: true,
            ..CONTEXT
        };
        assert_eq!(faults_of("correct horse battery staple", &leaked), [KnownLeaked]);
        assert_eq!(faults_of("password", &leaked), [ALONE, KnownLeaked]);
    }

    #[test]
    fn c10_little_more_than_names_is_refused() {
        for password in [
            "example forum 2026",
            "ExampleForum123",
            "3x@mpl3f0rum!!!",
            "Example-Example-Example",
            "annasmith1234567",
            "smith.anna.2026",
            "ANNA.SMITH@mail.example.com",
            "kestrel1984kestrel",
            "1984 anna 1984 anna",
            "+49 151 1234-5678",
            "4915112345678!!",
            "forumforumforumforum",
        ] {
            assert_eq!(faults_of(password, &CONTEXT), [NamesOnly], "{password:?}");
        }
        for password in [
            "anna likes to swim at night",
            "example: a stapled horse",
            "forum-quarter-lobster",
            "anna!#%&/()=?+*-",
            // Parts of three letters are no names.
            "com com com com com",
            // What stands around a name does not make one by meeting: "ke" and "strel" around "anna".
            "keannastrel-wide open",
        ] {
            assert_eq!(faults_of(password, &CONTEXT), [], "{password:?}");
        }
    }

    #[test]
    fn c10_a_short_name_does_not_hide_a_long_one() {
        let nested = Context {
            site_name: "Fore Forest",
            ..CONTEXT
        };
        assert_eq!(faults_of("forest forest forest forest", &nested), [NamesOnly]);
    }

    #[test]
    fn c10_no_names_no_complaint() {
        let nameless = Context {
            site_name: "",
            identifiers: &["", "@", "abc"],
            ..CONTEXT
        };
        assert_eq!(faults_of("abcabcabcabcabcabc", &nameless), []);
        assert_eq!(faults_of("", &nameless), [ALONE]);
    }

    #[test]
    fn variations_of_the_new_one_are_sixteen_without_itself() {
        let accepted = check("Winter in Leipzig 2026", &CONTEXT).expect("long enough");
        let tried = variations_of_new(&accepted);
        assert_eq!(tried.len(), VARIATIONS_OF_NEW);
        assert!(tried.contains(&b"Winter in Leipzig 2025".to_vec()));
        assert!(!tried.contains(&accepted.as_bytes().to_vec()));
    }

    #[test]
    fn an_accepted_password_is_not_shown() {
        let accepted = check("correct horse battery staple", &CONTEXT).expect("long enough");
        assert_eq!(format!("{accepted:?}"), "AcceptedPassword(..)");
    }

    proptest! {
        #[test]
        fn the_answer_is_the_same_in_every_normal_form(password in "\\PC{0,40}") {
            let decomposed: String = password.nfd().collect();
            prop_assume!(password.len() <= MAX_BYTES && decomposed.len() <= MAX_BYTES);
            let outcome = |password: &str| check(password, &CONTEXT).map(|accepted| accepted.as_bytes().to_vec());
            prop_assert_eq!(outcome(&password), outcome(&decomposed));
        }

        #[test]
        fn whatever_is_typed_is_judged_without_a_fault(password in any::<String>(), name in any::<String>()) {
            let context = Context { identifiers: &[&name], ..CONTEXT };
            if let Ok(accepted) = check(&password, &context) {
                let normal = std::str::from_utf8(accepted.as_bytes()).expect("NFC of a text");
                prop_assert!(normal.chars().count() >= AT_LEAST_ALONE && !normal.chars().any(char::is_control));
            }
        }
    }
}
