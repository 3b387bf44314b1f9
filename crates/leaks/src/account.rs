//! What the matcher knows of an account that a leak names.

use std::sync::Arc;

use rightful_core::PasswordVersion;
use rightful_core::identifier::{Identifier, MatchKey, sign_in_key_of_leaked};
use rightful_crypto::password::StoredHash;

use crate::index::AccountIndex;

/// The stored passwords of one account.
#[derive(Debug, Default)]
pub struct Passwords {
    /// The one that signs in; none where the account has none.
    pub current: Option<StoredHash>,
    /// Which one that is.
    pub version: Option<PasswordVersion>,
    /// Earlier ones, latest first.
    pub former: Vec<StoredHash>,
    /// Keyed digests of hashes that were replaced ([`rightful_crypto::seal::Tagger::replaced_hash`]).
    pub replaced: Vec<[u8; 32]>,
}

/// One name of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownName {
    /// As the site spells it.
    pub given: String,
    /// The strict key, or the trimmed lower-case text where the site allows what we would refuse as an identifier.
    pub strict: String,
    /// The loose keys.
    pub match_keys: Vec<Vec<u8>>,
}

impl From<&Identifier> for KnownName {
    fn from(identifier: &Identifier) -> Self {
        Self {
            given: identifier.given().to_owned(),
            strict: identifier.sign_in_key().text().to_owned(),
            match_keys: identifier.match_keys().to_vec(),
        }
    }
}

impl KnownName {
    /// A name that is no identifier by our rules, as some sites have: it can still be found in a leak.
    pub fn unruly(given: &str) -> Self {
        let given = given.trim();
        let match_keys = MatchKey::of(given.as_bytes())
            .map(|key| key.as_bytes().to_vec())
            .into_iter()
            .collect();
        Self {
            given: given.to_owned(),
            strict: given.to_lowercase(),
            match_keys,
        }
    }
}

/// How a leaked name names an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Naming {
    /// Which of the account's names.
    pub name: u8,
    /// It is the very identifier; else only a look-alike, which makes no exposure unless the password proves it.
    pub strict: bool,
}

/// One account.
#[derive(Clone, Debug)]
pub struct NamedAccount {
    /// Its index in the run.
    pub index: AccountIndex,
    /// The number under which its secrets are tagged.
    pub number: i64,
    /// Its names, in the site's order.
    pub names: Vec<KnownName>,
    /// Its passwords.
    pub passwords: Arc<Passwords>,
}

impl NamedAccount {
    /// Whether and how `leaked` names this account: strictly by the first name that it is, else loosely by the first that it
    /// resembles.
    pub fn naming(&self, leaked: &[u8]) -> Option<Naming> {
        let key = MatchKey::of(leaked)?;
        let strict = sign_in_key_of_leaked(leaked)
            .unwrap_or_else(|| String::from_utf8_lossy(leaked.trim_ascii()).to_lowercase());
        let mut loose = None;
        for (name, known) in (0..=u8::MAX).zip(&self.names) {
            if !known.match_keys.iter().any(|own| own == key.as_bytes()) {
                continue;
            }
            if known.strict == strict {
                return Some(Naming { name, strict: true });
            }
            loose.get_or_insert(Naming { name, strict: false });
        }
        loose
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_alike_is_only_loosely_named() {
        let names = ["Anna.Berg@gmail.com", "anna@example.org"];
        let names = names
            .map(|given| KnownName::from(&Identifier::email(given).expect("an address")))
            .to_vec();
        let account = NamedAccount {
            index: 0,
            number: 1,
            names,
            passwords: Arc::default(),
        };
        assert_eq!(
            account.naming(b"ANNA@example.org"),
            Some(Naming { name: 1, strict: true })
        );
        assert_eq!(
            account.naming(b"anna.berg@gmail.com"),
            Some(Naming { name: 0, strict: true })
        );
        assert_eq!(
            account.naming(b"annaberg+x@googlemail.com"),
            Some(Naming { name: 0, strict: false })
        );
        assert_eq!(account.naming(b"bob@example.org"), None);
    }

    #[test]
    fn a_name_against_the_rules_is_still_found() {
        let names = vec![KnownName::unruly(" 12345678 "), KnownName::unruly("Two Words")];
        let account = NamedAccount {
            index: 0,
            number: 1,
            names,
            passwords: Arc::default(),
        };
        assert_eq!(account.naming(b"12345678"), Some(Naming { name: 0, strict: true }));
        assert_eq!(account.naming(b"two words"), Some(Naming { name: 1, strict: true }));
    }
}
