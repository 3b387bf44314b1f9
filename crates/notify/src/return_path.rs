//! Return paths of which each is known by one message (VERP): a bounce comes back to the path, so the path tells what it is
//! about, whatever the bounce says.

use crate::address::{Address, AddressRefused};

/// What the local part begins with. Servers that take mail for one mailbox with "+" behind it need no set-up.
const BEFORE_TOKEN: &str = "bounce+";

/// Longest token, so that the local part stays within 64 bytes (RFC 5321 §4.5.3.1.1).
const LONGEST_TOKEN: usize = 64 - BEFORE_TOKEN.len();

/// The return path of one message: `bounce+TOKEN@domain`.
///
/// The token is made by the caller, who can tell that it made it (a keyed digest): anybody may write to a return path, so a
/// bounce proves nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnPath(Address);

impl ReturnPath {
    /// The return path for a token of base32 text at a domain of ours. Case carries no meaning: servers on the way may change
    /// it, so the token is written in lower case.
    ///
    /// # Errors
    /// When the domain is none, or the token has other than letters and digits of ASCII, or is empty, or is longer than 57.
    pub fn make(token: &str, domain: &str) -> Result<Self, AddressRefused> {
        let local = if is_token(token) {
            token.to_ascii_lowercase()
        } else {
            String::from("(no token)")
        };
        Address::parse(&format!("{BEFORE_TOKEN}{local}@{domain}")).map(Self)
    }

    /// The path as an address.
    pub const fn address(&self) -> &Address {
        &self.0
    }

    /// The token of an address that is such a path at this domain, in lower case; `None` for every other address.
    pub fn token_of(address: &str, domain: &str) -> Option<String> {
        let (local, at) = address.trim().trim_matches(['<', '>']).rsplit_once('@')?;
        at.eq_ignore_ascii_case(domain).then(|| token_of_local_part(local))?
    }
}

/// The token of a local part.
pub(crate) fn token_of_local_part(local: &str) -> Option<String> {
    let (before, token) = local.split_at_checked(BEFORE_TOKEN.len())?;
    (before.eq_ignore_ascii_case(BEFORE_TOKEN) && is_token(token)).then(|| token.to_ascii_lowercase())
}

fn is_token(text: &str) -> bool {
    (1..=LONGEST_TOKEN).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_gives_its_token_back_whatever_happened_to_its_case() {
        let path = ReturnPath::make("K7M4QX2P", "mail.example.org").unwrap();
        assert_eq!(path.address().as_str(), "bounce+k7m4qx2p@mail.example.org");
        for (address, token) in [
            ("bounce+k7m4qx2p@mail.example.org", Some("k7m4qx2p")),
            ("<BOUNCE+K7M4QX2P@MAIL.example.org>", Some("k7m4qx2p")),
            ("bounce+k7m4qx2p@other.example.org", None),
            ("bounce@mail.example.org", None),
            ("bounce+@mail.example.org", None),
            ("bounce+a=b@mail.example.org", None),
            ("bounc\u{e9}+a@mail.example.org", None),
            ("", None),
        ] {
            assert_eq!(
                ReturnPath::token_of(address, "mail.example.org").as_deref(),
                token,
                "{address}"
            );
        }
    }

    #[test]
    fn a_token_that_is_none_makes_no_path() {
        let long = "a".repeat(LONGEST_TOKEN);
        assert!(ReturnPath::make(&long, "example.org").is_ok());
        for token in ["", "a b", "a@b", "a\r\nx", &format!("{long}a")] {
            assert!(ReturnPath::make(token, "example.org").is_err(), "{token:?}");
        }
    }
}
