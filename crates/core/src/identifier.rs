//! Identifiers: what is typed to name an account, and the two keys that each of them has.
//!
//! The *sign-in key* is strict: one spelling, unique over all accounts and kinds. Sign-in, registration and throttling know
//! only this one. The *match key* is loose: leaks spell names in many ways, so case, width, IDNA, sub-address and the dots of
//! Gmail are levelled, and one match key may name several accounts. The two never meet: a look-alike found through a match
//! key must still prove itself by its password.

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use precis_profiles::UsernameCaseMapped;
use precis_profiles::precis_core::profile::PrecisFastInvocation;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, Region};
use unicode_normalization::UnicodeNormalization;

use crate::text::from_unknown_encoding;

/// Longest identifier in bytes, as typed. RFC 5321 §4.5.3.1.3 allows 254 for an address.
pub const MAX_IDENTIFIER: usize = 254;

/// Longest local part of an e-mail address in bytes (RFC 5321 §4.5.3.1.1).
const MAX_LOCAL_PART: usize = 64;

/// Which kind of name an identifier is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentifierKind {
    /// An e-mail address.
    Email,
    /// A name that is neither an address nor a number.
    Username,
    /// A telephone number.
    Phone,
}

impl IdentifierKind {
    /// The word used in tables, files and pages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Username => "username",
            Self::Phone => "phone",
        }
    }

    /// The kind of a word; `None` for any other.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Email, Self::Username, Self::Phone]
            .into_iter()
            .find(|kind| kind.word() == word)
    }
}

/// Why a text is no identifier of the kind it was given as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentifierRefused {
    /// Nothing there.
    Empty,
    /// Longer than [`MAX_IDENTIFIER`] bytes, or a local part over 64.
    TooLong,
    /// An address without one "@" between two parts, or with a form that we refuse: quoted, commented, encoded, a literal.
    Address,
    /// The domain is no host name with at least two labels.
    Domain,
    /// Compatibility characters (NFKC changes it): it would look like another address.
    Confusable,
    /// A user name that PRECIS UsernameCaseMapped refuses (RFC 8265 §3.3): blanks, controls, mixed directions, ...
    Username,
    /// A user name with an "@" would look like an address.
    UsernameIsAddress,
    /// A user name of digits alone would look like a telephone number.
    UsernameIsNumber,
    /// No telephone number.
    Phone,
    /// A telephone number without "+" where no default region is set.
    PhoneRegion,
}

impl std::fmt::Display for IdentifierRefused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Empty => "it is empty",
            Self::TooLong => "it is too long (254 bytes, 64 before the \"@\")",
            Self::Address => "it is not a plain address of the form name@example.org",
            Self::Domain => "what follows the \"@\" is not a domain name",
            Self::Confusable => "it holds characters that look like others (NFKC changes it)",
            Self::Username => "it holds characters that a user name may not have (RFC 8265 UsernameCaseMapped)",
            Self::UsernameIsAddress => "a user name may not hold \"@\": put it in the email column",
            Self::UsernameIsNumber => "a user name may not be all digits",
            Self::Phone => "it is not a telephone number",
            Self::PhoneRegion => "a telephone number without \"+\" needs a default region",
        })
    }
}

impl std::error::Error for IdentifierRefused {}

/// A country or region whose dialling rules complete a telephone number without "+": an ISO 3166 code such as `DE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefaultRegion(Region);

impl DefaultRegion {
    /// From a two-letter ISO 3166 code, in either case; `None` for one that has no telephone numbers of its own.
    pub fn from_code(code: &str) -> Option<Self> {
        if code.len() != 2 {
            return None;
        }
        let region = Region::try_from(code.to_ascii_uppercase().as_str()).ok()?;
        (PHONE_NUMBER_UTIL.get_country_code_for_region(region).is_some()).then_some(Self(region))
    }
}

/// The strict key of an identifier.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignInKey {
    kind: IdentifierKind,
    text: String,
}

impl SignInKey {
    /// Which kind of identifier this is the key of.
    pub const fn kind(&self) -> IdentifierKind {
        self.kind
    }

    /// The key. An address holds "@", a telephone number begins with "+", a user name does neither: unique over all kinds.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// An identifier as it was given, with its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identifier {
    given: String,
    key: SignInKey,
    match_keys: Vec<Vec<u8>>,
}

impl Identifier {
    /// An e-mail address: refused where NFKC changes it; lower-cased; its domain as A-label (RFC 5890).
    ///
    /// # Errors
    /// Addresses whose spelling would surprise are refused: quoted or commented ones, literals, a trailing dot, one label.
    pub fn email(given: &str) -> Result<Self, IdentifierRefused> {
        let given = given.trim();
        let text = email_key(given)?;
        Ok(Self::new(given, IdentifierKind::Email, text))
    }

    /// A user name under PRECIS UsernameCaseMapped (RFC 8265 §3.3); never with "@", never all digits.
    ///
    /// # Errors
    /// Says which of these rules it breaks.
    pub fn username(given: &str) -> Result<Self, IdentifierRefused> {
        let given = given.trim();
        let text = username_key(given)?;
        Ok(Self::new(given, IdentifierKind::Username, text))
    }

    /// A telephone number, completed by `region` where it has no "+". The key is E.164.
    ///
    /// # Errors
    /// Refuses what is no possible number, and one without "+" where there is no region.
    pub fn phone(given: &str, region: Option<DefaultRegion>) -> Result<Self, IdentifierRefused> {
        let given = given.trim();
        let number = phone_number(given, region)?;
        let e164 = number.format_as(PhoneNumberFormat::E164).into_owned();
        let mut identifier = Self::new(given, IdentifierKind::Phone, e164);
        // Leaks of national sites write numbers as people there dial them.
        let national: Vec<u8> = number
            .format_as(PhoneNumberFormat::National)
            .bytes()
            .filter(u8::is_ascii_digit)
            .collect();
        if !identifier.match_keys.contains(&national) {
            identifier.match_keys.push(national);
        }
        Ok(identifier)
    }

    fn new(given: &str, kind: IdentifierKind, text: String) -> Self {
        let mut match_keys = Vec::with_capacity(1);
        match_keys.extend(MatchKey::of(text.as_bytes()).map(|key| key.as_bytes().to_vec()));
        Self {
            given: given.to_owned(),
            key: SignInKey { kind, text },
            match_keys,
        }
    }

    /// As it was given, without outer blanks: what is written to, never the key.
    pub fn given(&self) -> &str {
        &self.given
    }

    /// The strict key.
    pub const fn sign_in_key(&self) -> &SignInKey {
        &self.key
    }

    /// The loose keys: one, or two for a telephone number (international and as dialled within its region).
    pub fn match_keys(&self) -> &[Vec<u8>] {
        &self.match_keys
    }
}

fn email_key(given: &str) -> Result<String, IdentifierRefused> {
    check_length(given)?;
    if !given.is_ascii() && !given.nfkc().eq(given.chars()) {
        return Err(IdentifierRefused::Confusable);
    }
    let (local, domain) = given.rsplit_once('@').ok_or(IdentifierRefused::Address)?;
    if local.len() > MAX_LOCAL_PART {
        return Err(IdentifierRefused::TooLong);
    }
    if !is_plain_local_part(local) {
        return Err(IdentifierRefused::Address);
    }
    let domain = Uts46::new()
        .to_ascii(
            domain.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
            DnsLength::Verify,
        )
        .map_err(|_| IdentifierRefused::Domain)?;
    let last_label = domain.rsplit('.').next().unwrap_or_default();
    if !domain.contains('.') || last_label.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(IdentifierRefused::Domain);
    }
    Ok(format!("{}@{domain}", local.to_lowercase()))
}

/// The dot-atom of RFC 5322 §3.2.3 and, beyond ASCII, letters, marks and digits (RFC 6531), but no encoded-word (RFC 2047).
fn is_plain_local_part(local: &str) -> bool {
    let allowed = |c: char| match c {
        '.' => true,
        _ if c.is_ascii() => c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c),
        _ => c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c),
    };
    !local.is_empty()
        && local.chars().all(allowed)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && !local.starts_with("=?")
}

fn username_key(given: &str) -> Result<String, IdentifierRefused> {
    check_length(given)?;
    if given.contains('@') {
        return Err(IdentifierRefused::UsernameIsAddress);
    }
    let key = UsernameCaseMapped::enforce(given).map_err(|_| IdentifierRefused::Username)?;
    if key.contains('@') {
        return Err(IdentifierRefused::UsernameIsAddress);
    }
    // "+" in front is the mark of a telephone number's key.
    if key.strip_prefix('+').unwrap_or(&key).chars().all(|c| c.is_numeric()) {
        return Err(IdentifierRefused::UsernameIsNumber);
    }
    Ok(key.into_owned())
}

fn phone_number(given: &str, region: Option<DefaultRegion>) -> Result<PhoneNumber, IdentifierRefused> {
    check_length(given)?;
    if !given.starts_with('+') && region.is_none() {
        return Err(IdentifierRefused::PhoneRegion);
    }
    let number = PhoneNumber::parse(given, region.map(|region| region.0)).map_err(|_| IdentifierRefused::Phone)?;
    if number.is_valid() {
        Ok(number)
    } else {
        Err(IdentifierRefused::Phone)
    }
}

fn check_length(given: &str) -> Result<(), IdentifierRefused> {
    match given.len() {
        0 => Err(IdentifierRefused::Empty),
        1..=MAX_IDENTIFIER => Ok(()),
        _ => Err(IdentifierRefused::TooLong),
    }
}

/// The loose key of a name, held on the stack: a leak has a thousand million of them.
pub struct MatchKey {
    bytes: [u8; MatchKey::MAX],
    len: usize,
}

impl MatchKey {
    /// Longest match key in bytes; longer names have none. (Folding can make a name longer than it was typed.)
    pub const MAX: usize = 384;

    /// The match key of a name as a leak or an account spells it, whatever kind it is; `None` for none or far too long.
    ///
    /// The kind shows in the text: an "@" within makes it an address, digits with blanks and `+-()./` a telephone number,
    /// all else a user name. Bytes that are not UTF-8 are read as Windows-1252.
    pub fn of(name: &[u8]) -> Option<Self> {
        let name = name.trim_ascii();
        if name.is_empty() || name.len() > Self::MAX {
            return None;
        }
        let mut key = Self {
            bytes: [0; Self::MAX],
            len: 0,
        };
        if name.is_ascii() {
            key.fill(name)?;
        } else {
            key.fill(level(&from_unknown_encoding(name)).as_bytes())?;
        }
        Some(key)
    }

    /// The key.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn fill(&mut self, name: &[u8]) -> Option<()> {
        // A handle is often written with "@" in front.
        let name = name.strip_prefix(b"@").unwrap_or(name);
        match name.iter().rposition(|&byte| byte == b'@') {
            Some(at) if at > 0 && at + 1 < name.len() => self.fill_email(&name[..at], &name[at + 1..])?,
            _ if is_phone_like(name) => self.fill_phone(name),
            _ => self.push_lower(name)?,
        }
        (self.len > 0).then_some(())
    }

    fn fill_email(&mut self, local: &[u8], domain: &[u8]) -> Option<()> {
        let local = local
            .strip_prefix(b"\"")
            .and_then(|inner| inner.strip_suffix(b"\""))
            .unwrap_or(local);
        let local = match local.iter().position(|&byte| byte == b'+') {
            Some(plus) if plus > 0 => &local[..plus],
            _ => local,
        };
        let domain = domain.strip_suffix(b".").unwrap_or(domain);
        let gmail = matches!(domain.len(), 9 | 14)
            && (domain.eq_ignore_ascii_case(b"gmail.com") || domain.eq_ignore_ascii_case(b"googlemail.com"));
        if gmail {
            for &byte in local.iter().filter(|&&byte| byte != b'.') {
                self.push_lower(&[byte])?;
            }
            return self.push_lower(b"@gmail.com");
        }
        self.push_lower(local)?;
        self.push_lower(b"@")?;
        self.push_lower(domain)
    }

    fn fill_phone(&mut self, name: &[u8]) {
        for &byte in name.iter().filter(|byte| byte.is_ascii_digit()) {
            self.bytes[self.len] = byte;
            self.len += 1;
        }
        // "00" is how most of the world dials "+".
        if name[0] != b'+' && self.bytes[..self.len].starts_with(b"00") {
            self.bytes.copy_within(2..self.len, 0);
            self.len -= 2;
        }
    }

    fn push_lower(&mut self, bytes: &[u8]) -> Option<()> {
        let target = self.bytes.get_mut(self.len..self.len + bytes.len())?;
        target.copy_from_slice(bytes);
        target.make_ascii_lowercase();
        self.len += bytes.len();
        Some(())
    }
}

/// Digits, perhaps written with blanks and `+-()./`, at least seven of them.
fn is_phone_like(name: &[u8]) -> bool {
    let (&first, rest) = match name.split_first() {
        Some((first, rest)) if first.is_ascii_digit() || matches!(first, b'+' | b'(') => (first, rest),
        _ => return false,
    };
    let mut digits = usize::from(first.is_ascii_digit());
    for &byte in rest {
        match byte {
            b'0'..=b'9' => digits += 1,
            b' ' | b'-' | b'(' | b')' | b'.' | b'/' => {}
            _ => return false,
        }
    }
    digits >= 7
}

/// Levels what people and software spell differently: width and compatibility (NFKC), case, and the domain as A-label.
fn level(name: &str) -> String {
    let levelled: String = name
        .nfkc()
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .nfkc()
        .collect();
    let Some((local, domain)) = levelled.rsplit_once('@') else {
        return levelled;
    };
    match Uts46::new().to_ascii(
        domain.as_bytes(),
        AsciiDenyList::EMPTY,
        Hyphens::Allow,
        DnsLength::Ignore,
    ) {
        Ok(domain) => format!("{local}@{domain}"),
        Err(_) => levelled,
    }
}

/// The sign-in key that a leaked name would have, to tell whether it names an account strictly or only loosely; `None` when
/// it would have none. A telephone number counts as whole with "+", with "00", or with its country code alone.
pub fn sign_in_key_of_leaked(name: &[u8]) -> Option<String> {
    let name = from_unknown_encoding(name.trim_ascii());
    if name.contains('@') {
        return email_key(&name).ok();
    }
    if is_phone_like(name.as_bytes()) {
        let digits: String = name.chars().filter(char::is_ascii_digit).collect();
        let whole = format!(
            "+{}",
            if name.starts_with('+') {
                &digits
            } else {
                digits.strip_prefix("00").unwrap_or(&digits)
            }
        );
        let number = phone_number(&whole, None).ok()?;
        return Some(number.format_as(PhoneNumberFormat::E164).into_owned());
    }
    username_key(&name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(given: &str) -> Result<String, IdentifierRefused> {
        Identifier::email(given).map(|identifier| identifier.sign_in_key().text().to_owned())
    }

    fn loose(name: &[u8]) -> String {
        String::from_utf8(MatchKey::of(name).expect("a key").as_bytes().to_vec()).expect("UTF-8")
    }

    #[test]
    fn an_address_has_one_strict_spelling() {
        assert_eq!(
            email(" Anna.Berg+news@Example.ORG ").as_deref(),
            Ok("anna.berg+news@example.org")
        );
        assert_eq!(
            email("jörg@bücher.example").as_deref(),
            Ok("jörg@xn--bcher-kva.example")
        );
    }

    #[test]
    fn f01_unicode_case_collision() {
        // Kelvin sign and long s are compatibility characters: refused. The Turkish i's stay apart from "i", as does "ß" from "ss".
        assert_eq!(email("\u{212A}arl@example.org"), Err(IdentifierRefused::Confusable));
        assert_eq!(email("ma\u{17F}@example.org"), Err(IdentifierRefused::Confusable));
        assert_ne!(email("j\u{131}m@example.org"), email("jim@example.org"));
        assert_ne!(email("J\u{130}M@example.org"), email("jim@example.org"));
        assert_ne!(email("stra\u{DF}e@example.org"), email("strasse@example.org"));
        let username = |given: &str| Identifier::username(given).map(|found| found.sign_in_key().text().to_owned());
        assert_ne!(username("j\u{131}m"), username("jim"));
        assert_ne!(username("J\u{130}M"), username("jim"));
        assert_ne!(
            username("\u{212A}arl"),
            username("karl"),
            "refused by PRECIS: {:?}",
            username("\u{212A}arl")
        );
    }

    #[test]
    fn f04_address_syntax_corpus() {
        let long_local = format!("{}@example.org", "a".repeat(65));
        let long = format!("a@{}.example.org", "a".repeat(250));
        for (given, why) in [
            ("a@example.org.", IdentifierRefused::Domain),
            ("a@localhost", IdentifierRefused::Domain),
            ("a@[127.0.0.1]", IdentifierRefused::Domain),
            ("a@127.0.0.1", IdentifierRefused::Domain),
            ("a@ex ample.org", IdentifierRefused::Domain),
            ("a@-example.org", IdentifierRefused::Domain),
            ("\"e@attacker.example\"@victim.example", IdentifierRefused::Address),
            ("=?utf-8?q?a?=@example.org", IdentifierRefused::Address),
            ("a(comment)@example.org", IdentifierRefused::Address),
            ("a..b@example.org", IdentifierRefused::Address),
            (".a@example.org", IdentifierRefused::Address),
            ("a,b@example.org", IdentifierRefused::Address),
            ("a\r\nb@example.org", IdentifierRefused::Address),
            ("a\0@example.org", IdentifierRefused::Address),
            ("@example.org", IdentifierRefused::Address),
            ("example.org", IdentifierRefused::Address),
            ("", IdentifierRefused::Empty),
            (&long_local, IdentifierRefused::TooLong),
            (&long, IdentifierRefused::TooLong),
        ] {
            assert_eq!(email(given), Err(why), "{given:?}");
        }
    }

    #[test]
    fn user_names_never_look_like_other_kinds() {
        let username = |given| Identifier::username(given).map(|found| found.sign_in_key().text().to_owned());
        assert_eq!(username("Anna_B").as_deref(), Ok("anna_b"));
        assert_eq!(username("a@b"), Err(IdentifierRefused::UsernameIsAddress));
        assert_eq!(username("a\u{FF20}b"), Err(IdentifierRefused::UsernameIsAddress));
        assert_eq!(username("12345"), Err(IdentifierRefused::UsernameIsNumber));
        assert_eq!(username("+12345"), Err(IdentifierRefused::UsernameIsNumber));
        assert_eq!(username("two words"), Err(IdentifierRefused::Username));
    }

    #[test]
    fn a_telephone_number_is_whole_or_has_a_region() {
        let germany = DefaultRegion::from_code("de");
        assert!(germany.is_some() && DefaultRegion::from_code("xx").is_none());
        let phone = Identifier::phone("0151 23456789", germany).expect("a number");
        assert_eq!(phone.sign_in_key().text(), "+4915123456789");
        assert_eq!(
            phone.match_keys(),
            [b"4915123456789".to_vec(), b"015123456789".to_vec()]
        );
        assert_eq!(
            Identifier::phone("0151 23456789", None),
            Err(IdentifierRefused::PhoneRegion)
        );
        assert_eq!(Identifier::phone("+49 12", None), Err(IdentifierRefused::Phone));
    }

    #[test]
    fn leaks_spell_names_in_many_ways() {
        for name in [
            "anna@example.org",
            " ANNA@Example.Org ",
            "anna+shop@example.org",
            "\"anna\"@example.org",
            "anna@example.org.",
        ] {
            assert_eq!(loose(name.as_bytes()), "anna@example.org", "{name}");
        }
        for name in ["a.n.n.a@gmail.com", "Anna+x@googlemail.com", "anna@GMAIL.com"] {
            assert_eq!(loose(name.as_bytes()), "anna@gmail.com", "{name}");
        }
        for name in ["+49 151 2345-6789", "0049 (151) 23456789", "4915123456789"] {
            assert_eq!(loose(name.as_bytes()), "4915123456789", "{name}");
        }
        assert_eq!(loose(b"@Anna_B"), "anna_b");
        assert_eq!(loose("ＡＮＮＡ＠example.org".as_bytes()), "anna@example.org");
        assert_eq!(
            loose("jörg@bücher.example".as_bytes()),
            loose("JO\u{308}RG@XN--BCHER-KVA.example".as_bytes())
        );
        assert_eq!(loose(b"j\xF6rg@example.org"), loose("jörg@example.org".as_bytes()));
        assert!(MatchKey::of(b"  ").is_none() && MatchKey::of(&[b'a'; 400]).is_none());
    }

    #[test]
    fn a_leaked_name_is_strict_only_when_it_is_the_very_identifier() {
        let key = |name: &[u8]| sign_in_key_of_leaked(name);
        assert_eq!(key(b"Anna@Example.org").as_deref(), Some("anna@example.org"));
        assert_ne!(key(b"anna+x@example.org").as_deref(), Some("anna@example.org"));
        assert_eq!(key(b"0049 151 23456789").as_deref(), Some("+4915123456789"));
        assert_eq!(key(b"0151 23456789"), None);
        assert_eq!(key(b"Anna_B").as_deref(), Some("anna_b"));
    }

    proptest::proptest! {
        #[test]
        fn the_match_key_of_a_strict_key_is_that_of_the_name(name in "[a-zA-Z][a-zA-Z0-9.+_-]{0,20}@[a-z]{1,10}\\.(org|com)") {
            if let Ok(found) = Identifier::email(&name) {
                let key = MatchKey::of(name.as_bytes()).expect("a key");
                proptest::prop_assert_eq!(found.match_keys()[0].as_slice(), key.as_bytes());
            }
        }

        #[test]
        fn no_bytes_break_the_keys(name in proptest::collection::vec(proptest::num::u8::ANY, 0..450)) {
            let _ = MatchKey::of(&name);
            let _ = sign_in_key_of_leaked(&name);
        }
    }
}
