//! What a run of bytes looks like: cheap guesses that decide which readings of a doubtful line are tried, never whether
//! one is true.

/// Bits of [`CLASS`].
pub(super) const SEPARATOR: u8 = 1;
pub(super) const AT: u8 = 2;
/// Blanks, among them the tab, which is a separator too.
pub(super) const BLANK: u8 = 4;
/// Begins something that is not a plain `id:password` line: quotes, braces, slashes, the equals sign.
pub(super) const SPECIAL: u8 = 8;
/// Cannot be in an e-mail address: separators, blanks, quotes, brackets.
const ENDS_EMAIL: u8 = 16;
/// May be in the domain of an e-mail address.
const DOMAIN: u8 = 32;

/// The class of every byte. One look-up per byte is all that an ordinary line costs.
pub(super) const CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        class[byte] = match byte as u8 {
            b'\t' => SEPARATOR | BLANK | ENDS_EMAIL,
            b':' | b';' | b',' | b'|' => SEPARATOR | ENDS_EMAIL,
            b'@' => AT,
            b' ' | b'\r' | 0x0b | 0x0c | 0 => BLANK | ENDS_EMAIL,
            b'"' | b'`' | b'[' => SPECIAL | ENDS_EMAIL,
            b'<' | b'>' | b'(' | b')' | b']' => ENDS_EMAIL,
            b'{' | b'/' | b'=' => SPECIAL,
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | 0x80..=0xff => DOMAIN,
            _ => 0,
        };
        byte += 1;
    }
    class
};

#[inline]
pub(super) fn is(byte: u8, class: u8) -> bool {
    CLASS[usize::from(byte)] & class != 0
}

/// The place of the first separator.
pub(super) fn first_separator(text: &[u8]) -> Option<usize> {
    text.iter().position(|&byte| is(byte, SEPARATOR))
}

/// Without blanks (space, tab, NUL, vertical tab, form feed, carriage return) on both sides.
pub(super) fn trim(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text
        && is(*first, BLANK)
    {
        text = rest;
    }
    while let [rest @ .., last] = text
        && is(*last, BLANK)
    {
        text = rest;
    }
    text
}

/// What is inside a pair of equal quotes, if there is anything.
pub(super) fn unwrapped(text: &[u8]) -> Option<&[u8]> {
    match text {
        [open @ (b'"' | b'\'' | b'`'), inner @ .., close] if open == close && !inner.is_empty() => Some(inner),
        _ => None,
    }
}

/// Trimmed and without quotes around it, be they whole or halves that a cut left over.
pub(super) fn bare(text: &[u8]) -> &[u8] {
    let mut text = trim(text);
    if let Some(inner) = unwrapped(text) {
        return trim(inner);
    }
    if let [b'"' | b'`', rest @ ..] = text {
        text = rest;
    }
    if let [rest @ .., b'"' | b'`'] = text {
        text = rest;
    }
    trim(text)
}

/// Nothing but blanks.
pub(super) fn is_blank(text: &[u8]) -> bool {
    text.iter().all(|&byte| is(byte, BLANK))
}

/// A ruled line as logs have them between their blocks: at least three of the same mark, perhaps with blanks.
pub(super) fn is_rule(text: &[u8]) -> bool {
    let text = trim(text);
    let Some(&mark) = text.first() else { return false };
    text.len() >= 3
        && matches!(mark, b'=' | b'-' | b'_' | b'*' | b'#' | b'~' | b'+' | b'.')
        && text.iter().all(|&byte| byte == mark || byte == b' ')
}

/// The longest local part and the longest domain of an address that are looked at, in bytes.
const LOCAL: usize = 128;
const NAME: usize = 255;

/// Has the form of an e-mail address: one `@` with something before it and a dotted name behind it, no blank, slash,
/// separator or quote.
pub(super) fn is_email(text: &[u8]) -> bool {
    memchr::memchr(b'@', text).and_then(|at| email_at(text, at)) == Some((0, text.len()))
}

/// The e-mail address around the `@` at this place: where it begins and ends. `None` if it is none, or goes on with a
/// byte that no address has.
pub(super) fn email_at(text: &[u8], at: usize) -> Option<(usize, usize)> {
    let before = &text[at.saturating_sub(LOCAL + 1)..at];
    let local = before.iter().rev().take_while(|byte| !is(**byte, ENDS_EMAIL)).count();
    // An apostrophe is part of many an address, but not in front and not in the domain.
    let local = local - usize::from(local > 0 && text[at - local] == b'\'');
    let behind = &text[at + 1..];
    let domain = behind
        .iter()
        .take(NAME + 1)
        .take_while(|byte| is(**byte, DOMAIN))
        .count();
    let dot = memchr::memrchr(b'.', &behind[..domain])?;
    let ends = behind
        .get(domain)
        .is_none_or(|byte| is(*byte, ENDS_EMAIL) || *byte == b'\'');
    let formed = (1..=LOCAL).contains(&local) && domain <= NAME && dot > 0 && dot + 1 < domain;
    let slashed = || memchr::memchr3(b'/', b'\\', b'@', &text[at - local..at]).is_some();
    (formed && ends && !slashed()).then_some((at - local, at + 1 + domain))
}

/// Only ASCII digits, at least one.
pub(super) fn is_number(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

/// A TCP port: one to five digits.
pub(super) fn is_port(text: &[u8]) -> bool {
    text.len() <= 5 && is_number(text)
}

/// Four numbers with dots.
pub(super) fn is_ipv4(text: &[u8]) -> bool {
    let mut parts = 0;
    text.split(|&byte| byte == b'.').all(|part| {
        parts += 1;
        part.len() <= 3 && is_number(part)
    }) && parts == 4
}

/// Has the form of a password hash: hex of a digest's length, `$id$..`, `*` and 40 hex digits, `{SCHEME}..`,
/// `pbkdf2_sha256$..`.
pub(super) fn is_hash(text: &[u8]) -> bool {
    let text = bare(text);
    match text {
        [b'$', inner @ ..] => text.len() >= 20 && memchr::memchr(b'$', inner).is_some() && inner.iter().all(in_crypt),
        [b'*', hex @ ..] if hex.len() == 40 => is_hex(hex),
        [b'0', b'x' | b'X', hex @ ..] => is_digest_hex(hex),
        [b'{', inner @ ..] => memchr::memchr(b'}', inner).is_some_and(|end| {
            (3..=16).contains(&end)
                && inner.len() >= end + 17
                && inner[..end].iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
        }),
        _ => is_digest_hex(text) || is_named_scheme(text),
    }
}

/// A byte that `crypt` and PHC strings are made of.
fn in_crypt(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/' | b'$' | b'+' | b'=' | b',' | b'-' | b'_' | b'*')
}

fn is_hex(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_hexdigit)
}

fn is_digest_hex(text: &[u8]) -> bool {
    matches!(text.len(), 32 | 40 | 48 | 56 | 64 | 96 | 128) && is_hex(text)
}

/// `name$..$..` as Django and Werkzeug write them.
fn is_named_scheme(text: &[u8]) -> bool {
    let names: [&[u8]; 8] = [
        b"pbkdf2", b"bcrypt", b"argon2", b"scrypt", b"sha1$", b"sha256$", b"sha512$", b"md5$",
    ];
    text.len() >= 24 && names.iter().any(|name| text.starts_with(name)) && memchr::memchr(b'$', text).is_some()
}

/// A URL in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Url {
    /// Where its scheme begins.
    pub(super) start: usize,
    /// Behind its two slashes.
    pub(super) end: usize,
    /// Its scheme is one that browsers and apps have; another one may be a username before `://`.
    pub(super) known: bool,
}

/// The first `scheme://` with a known scheme; without one, the first with another.
pub(super) fn find_url(text: &[u8]) -> Option<Url> {
    const SCHEMES: [&str; 18] = [
        "https",
        "http",
        "android",
        "ftp",
        "ftps",
        "sftp",
        "ssh",
        "ios",
        "ws",
        "wss",
        "chrome",
        "chrome-extension",
        "moz-extension",
        "file",
        "smb",
        "ldap",
        "ldaps",
        "oauth2",
    ];
    let mut other = None;
    for colon in memchr::memchr_iter(b':', text) {
        if text.get(colon + 1..colon + 3) != Some(b"//") {
            continue;
        }
        let lettered = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        let start = colon - text[..colon].iter().rev().take_while(lettered).count();
        let scheme = &text[start..colon];
        let known = SCHEMES
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known.as_bytes()));
        let url = Url {
            start,
            end: colon + 3,
            known,
        };
        if known {
            return Some(url);
        }
        if scheme.len() >= 2 && scheme[0].is_ascii_alphabetic() {
            other.get_or_insert(url);
        }
    }
    other
}

/// Begins with a known `scheme://`.
pub(super) fn has_scheme(text: &[u8]) -> bool {
    find_url(text).is_some_and(|url| url.start == 0 && url.known)
}

/// How much a text looks like a host, perhaps with a path, but without a scheme.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum HostLook {
    /// A dotted name with a common ending or with a path behind it, an IPv4 address, `localhost`.
    Strong,
    /// Any other dotted name: `john.smith` may be a person.
    Weak,
    /// Not a host.
    None,
}

pub(super) fn host_look(text: &[u8]) -> HostLook {
    let text = bare(text);
    let (host, path) = text.split_at(memchr::memchr3(b'/', b'?', b'#', text).unwrap_or(text.len()));
    if host == b"localhost" || is_ipv4(host) {
        return HostLook::Strong;
    }
    let Some(dot) = memchr::memrchr(b'.', host) else {
        return HostLook::None;
    };
    let ending = &host[dot + 1..];
    let named = dot > 0 && ending.len() >= 2 && ending.iter().all(u8::is_ascii_alphabetic);
    let lettered = host
        .iter()
        .all(|&b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_') || b >= 0x80);
    match named && lettered {
        true if !path.is_empty() || is_common_ending(ending) => HostLook::Strong,
        true => HostLook::Weak,
        false => HostLook::None,
    }
}

/// Country codes in one string of pairs: two letters at an even place.
const COUNTRIES: &[u8] = b"acadaeafagaialamaoaqarasatauawaxazbabbbdbebfbgbhbibjbmbnbobrbsbtbwbybzcacccdcfcgchcickclcmcncocrcucvcwcxcyczdedjdkdmdodzeceeegereseteufifjfkfmfofrgagdgegfggghgiglgmgngpgqgrgsgtgugwgyhkhmhnhrhthuidieiliminioiqirisitjejmjojpkekgkhkikmknkpkrkwkykzlalblclilklrlsltlulvlymamcmdmemgmhmkmlmmmnmompmqmrmsmtmumvmwmxmymznancnenfngninlnonpnrnunzompapepfpgphpkplpmpnprpsptpwpyqarerorsrurwsasbscsdsesgshsisjskslsmsnsosrssstsusvsxsysztctdtftgthtjtktltmtntotrtttvtwtzuaugukusuyuzvavcvevgvivnvuwfwsyeytzazmzw";

fn is_common_ending(ending: &[u8]) -> bool {
    const NAMES: [&str; 32] = [
        "com", "net", "org", "edu", "gov", "mil", "int", "info", "biz", "name", "mobi", "asia", "app", "dev", "xyz",
        "online", "site", "store", "shop", "club", "top", "live", "cloud", "pro", "tech", "space", "website", "games",
        "bank", "example", "test", "local",
    ];
    let lower = ending.to_ascii_lowercase_in::<8>();
    match &lower {
        Some((bytes, 2)) => COUNTRIES.chunks_exact(2).any(|pair| pair == &bytes[..2]),
        Some((bytes, length)) => NAMES.iter().any(|name| name.as_bytes() == &bytes[..*length]),
        None => false,
    }
}

/// Lower-casing into a small array, so that look-ups of names allocate nothing.
pub(super) trait LowerIn {
    /// The lower-cased bytes and their number; `None` if they do not fit.
    fn to_ascii_lowercase_in<const N: usize>(&self) -> Option<([u8; N], usize)>;
}

impl LowerIn for [u8] {
    fn to_ascii_lowercase_in<const N: usize>(&self) -> Option<([u8; N], usize)> {
        let mut out = [0; N];
        out.get_mut(..self.len())?.copy_from_slice(self);
        out.make_ascii_lowercase();
        Some((out, self.len()))
    }
}

/// Whether `text` begins with `word` (given in lower case), whatever the case of its letters.
pub(super) fn starts_with_word(text: &[u8], word: &str) -> bool {
    text.get(..word.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()))
}
