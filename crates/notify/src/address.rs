//! Addresses that we write to and from.

use rightful_core::identifier::{Identifier, IdentifierRefused};

/// A mail address with one meaning: what [`Identifier::email`] takes, the local part as it was given (mailboxes may tell case
/// apart), the domain as A-label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(lettre::Address);

/// Why a text is no address that we would write to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressRefused {
    given: String,
    why: IdentifierRefused,
}

impl std::fmt::Display for AddressRefused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` is no mail address: {}", self.given, self.why)
    }
}

impl std::error::Error for AddressRefused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.why)
    }
}

impl Address {
    /// Reads an address without a name beside it.
    ///
    /// # Errors
    /// What could mean two addresses, or another than it looks like, is refused: lists, quoted local parts, comments, encoded
    /// words, literals, look-alikes, controls.
    pub fn parse(given: &str) -> Result<Self, AddressRefused> {
        let refused = |why| AddressRefused {
            given: crate::plain::one_line(given, 80),
            why,
        };
        let identifier = Identifier::email(given).map_err(refused)?;
        let (local, _) = identifier
            .given()
            .rsplit_once('@')
            .ok_or_else(|| refused(IdentifierRefused::Address))?;
        let key = identifier.sign_in_key().text();
        let (_, domain) = key
            .rsplit_once('@')
            .ok_or_else(|| refused(IdentifierRefused::Address))?;
        let address = lettre::Address::new(local, domain).map_err(|_| refused(IdentifierRefused::Address))?;
        Ok(Self(address))
    }

    /// The address, as it stands in a header and on the wire.
    pub fn as_str(&self) -> &str {
        self.0.as_ref()
    }

    /// The domain, as A-label in lower case.
    pub fn domain(&self) -> &str {
        self.0.domain()
    }

    pub(crate) fn to_lettre(&self) -> lettre::Address {
        self.0.clone()
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_its_spelling_and_levels_its_domain() {
        assert_eq!(
            Address::parse(" Anna.B+x@Example.ORG ").unwrap().as_str(),
            "Anna.B+x@example.org"
        );
        assert_eq!(
            Address::parse("anna@müller.example").unwrap().domain(),
            "xn--mller-kva.example"
        );
    }

    #[test]
    fn what_could_be_two_addresses_is_none() {
        for given in [
            "anna@example.org,thief@evil.example",
            "anna@example.org\r\nBcc: thief@evil.example",
            "\"e@attacker.example\"@victim.example",
            "Anna <anna@example.org>",
            "anna@[127.0.0.1]",
            "=?utf-8?q?x?=@example.org",
            "a\0@example.org",
            "",
        ] {
            let error = Address::parse(given).unwrap_err().to_string();
            assert!(!error.chars().any(char::is_control), "{error:?}");
        }
    }
}
