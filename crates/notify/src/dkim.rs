//! Signatures on mail (DKIM, RFC 6376): what shows a receiver's server that a message is from our domain and unchanged.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::KeyPair;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use mail_auth::common::crypto::{RsaKey, Sha256};
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::{DkimSigner, Done};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use zeroize::Zeroizing;

use crate::wire::{Wire, WireRefused};

/// Smallest modulus in bytes that is taken: 2048 bits (RFC 8301 §3.2).
const SMALLEST_MODULUS: usize = 256;

/// Characters of base64 in a line of PEM (RFC 7468 §2).
const PEM_LINE: usize = 64;

/// Longest string in a TXT record, in bytes (RFC 1035 §3.3.14).
const TXT_STRING: usize = 255;

/// The fields that are signed. `From`, `To` and `Subject` stand twice, `Reply-To` though we have none: one that is added
/// later breaks the signature (RFC 6376 §8.15), so nobody can show another sender above our words.
const SIGNED: [&str; 12] = [
    "From",
    "From",
    "To",
    "To",
    "Subject",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Auto-Submitted",
    "Reply-To",
];

/// A private key for signing mail: RSA of 2048 bits or more, which every receiver can verify.
pub struct DkimKey {
    pair: RsaKeyPair,
}

impl std::fmt::Debug for DkimKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DkimKey(hidden)")
    }
}

/// Why a text is no key that we sign with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRefused {
    /// There is no private key in the text.
    NotPem,
    /// The key is not RSA, or broken.
    NotRsa,
    /// Its modulus has fewer than 2048 bits.
    TooSmall,
    /// The system could not make a key.
    NotMade,
}

impl std::fmt::Display for KeyRefused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotPem => "it holds no private key as PEM (PKCS#8 or PKCS#1)",
            Self::NotRsa => "the private key in it is not an RSA key, or is broken",
            Self::TooSmall => "the RSA key in it has fewer than 2048 bits; receivers refuse what it signs",
            Self::NotMade => "the key could not be made",
        })
    }
}

impl std::error::Error for KeyRefused {}

impl DkimKey {
    /// Makes a key of 2048 bits. The randomness is that of aws-lc, which asks the system itself: it offers no key from a
    /// generator that is handed in. This is a thing for set-up; nothing else here draws chance.
    ///
    /// # Errors
    /// [`KeyRefused::NotMade`] when the library fails.
    pub fn generate() -> Result<Self, KeyRefused> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyRefused::NotMade)?;
        Ok(Self { pair })
    }

    /// Reads a key: PEM of PKCS#8 (`BEGIN PRIVATE KEY`) or PKCS#1 (`BEGIN RSA PRIVATE KEY`).
    ///
    /// # Errors
    /// Says what is wrong with it, and nothing of what it holds.
    pub fn from_pem(pem: &str) -> Result<Self, KeyRefused> {
        let pair = match PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| KeyRefused::NotPem)? {
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            _ => return Err(KeyRefused::NotRsa),
        };
        let pair = pair.map_err(|_| KeyRefused::NotRsa)?;
        if pair.public_modulus_len() < SMALLEST_MODULUS {
            return Err(KeyRefused::TooSmall);
        }
        Ok(Self { pair })
    }

    /// The key as PEM of PKCS#8, to be kept in a file that only the server reads.
    ///
    /// # Errors
    /// [`KeyRefused::NotMade`] when the library fails.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, KeyRefused> {
        let der: Pkcs8V1Der<'_> = self.pair.as_der().map_err(|_| KeyRefused::NotMade)?;
        let text = Zeroizing::new(BASE64.encode(der.as_ref()));
        let mut pem = Zeroizing::new(String::with_capacity(text.len() + text.len() / PEM_LINE + 64));
        pem.push_str("-----BEGIN PRIVATE KEY-----\n");
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (line, more) = rest.split_at(rest.len().min(PEM_LINE));
            pem.push_str(line);
            pem.push('\n');
            rest = more;
        }
        pem.push_str("-----END PRIVATE KEY-----\n");
        Ok(pem)
    }

    /// The record that the domain must have, so that receivers find the public key.
    ///
    /// # Errors
    /// [`KeyRefused::NotMade`] when the library fails.
    pub fn dns_record(&self, selector: &str, domain: &str) -> Result<DnsRecord, KeyRefused> {
        Ok(DnsRecord {
            name: format!("{selector}._domainkey.{domain}"),
            value: format!("v=DKIM1; k=rsa; p={}", self.public_text()?),
        })
    }

    /// Whether the text of a TXT record, its strings joined, publishes this key for mail.
    pub fn is_published_by(&self, record: &str) -> bool {
        let tags = record.split(';').filter_map(|tag| tag.split_once('='));
        let published = tags.filter(|(name, _)| name.trim() == "p").map(|(_, value)| {
            let text: String = value.chars().filter(|c| !c.is_whitespace()).collect();
            text
        });
        let published: Vec<String> = published.collect();
        self.public_text().is_ok_and(|ours| published == [ours])
    }

    /// The public key as in a record: SubjectPublicKeyInfo, base64 (RFC 6376 §3.6.1).
    fn public_text(&self) -> Result<String, KeyRefused> {
        let der: PublicKeyX509Der<'_> = self.pair.public_key().as_der().map_err(|_| KeyRefused::NotMade)?;
        Ok(BASE64.encode(der.as_ref()))
    }
}

/// A TXT record to be set in the DNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsRecord {
    /// Its name, without a dot at the end.
    pub name: String,
    /// Its text, in one piece.
    pub value: String,
}

impl DnsRecord {
    /// The value as a line of a zone file: strings of at most 255 bytes, each in quotes.
    pub fn zone_value(&self) -> String {
        let strings: Vec<String> = self
            .value
            .as_bytes()
            .chunks(TXT_STRING)
            .map(|chunk| format!("\"{}\"", String::from_utf8_lossy(chunk)))
            .collect();
        strings.join(" ")
    }
}

/// Signs messages for a domain.
pub struct Signer {
    inner: DkimSigner<RsaKey<Sha256>, Done>,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(hidden)")
    }
}

/// Why a message could not be signed.
#[derive(Debug)]
pub enum SignRefused {
    /// The library failed.
    Failed(mail_auth::Error),
    /// What came out is not safe on the wire.
    Wire(WireRefused),
}

impl std::fmt::Display for SignRefused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the message could not be signed (DKIM)")
    }
}

impl std::error::Error for SignRefused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Failed(error) => Some(error),
            Self::Wire(error) => Some(error),
        }
    }
}

impl Signer {
    /// A signer with this key, published under `selector` at `domain`, which must be the domain of the sender's address or
    /// one above it (DMARC alignment, RFC 7489 §3.1.1).
    ///
    /// # Errors
    /// When the library refuses the key.
    pub fn new(key: &DkimKey, selector: &str, domain: &str) -> Result<Self, KeyRefused> {
        let der: Pkcs8V1Der<'_> = key.pair.as_der().map_err(|_| KeyRefused::NotMade)?;
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(der.as_ref()));
        let key = RsaKey::<Sha256>::from_key_der(der).map_err(|_| KeyRefused::NotRsa)?;
        let inner = DkimSigner::from_key(key)
            .domain(domain)
            .selector(selector)
            .headers(SIGNED);
        Ok(Self { inner })
    }

    /// The message with its signature in front. One signature only: some relays refuse mail that has two.
    ///
    /// The library puts the time of signing (`t=`) into it, by the system's clock.
    ///
    /// # Errors
    /// When the library fails, or what it made is not safe on the wire.
    pub fn sign(&self, message: &Wire) -> Result<Wire, SignRefused> {
        let signature = self.inner.sign(message.as_bytes()).map_err(SignRefused::Failed)?;
        message.with_header(&signature.to_header()).map_err(SignRefused::Wire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An elliptic key, in the same wrapping as an RSA one.
    const NOT_RSA: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
                           -----END PRIVATE KEY-----\n";

    #[test]
    fn a_key_survives_its_file() {
        let key = DkimKey::generate().unwrap();
        let pem = key.to_pem().unwrap();
        assert!(pem.lines().all(|line| line.len() <= PEM_LINE));
        let again = DkimKey::from_pem(&pem).unwrap();
        assert_eq!(again.to_pem().unwrap(), pem);
        assert_eq!(again.dns_record("s", "example.org"), key.dns_record("s", "example.org"));
        assert_eq!(format!("{key:?}"), "DkimKey(hidden)");
    }

    #[test]
    fn what_is_no_key_of_ours_is_refused() {
        assert_eq!(DkimKey::from_pem("").err(), Some(KeyRefused::NotPem));
        assert_eq!(DkimKey::from_pem(NOT_RSA).err(), Some(KeyRefused::NotRsa));
    }

    #[test]
    fn the_record_is_found_again_in_the_dns() {
        let key = DkimKey::generate().unwrap();
        let record = key.dns_record("rightful", "example.org").unwrap();
        assert_eq!(record.name, "rightful._domainkey.example.org");
        assert!(key.is_published_by(&record.value));
        assert!(key.is_published_by(&record.value.replace("p=", " p = ")));
        assert!(!key.is_published_by("v=DKIM1; k=rsa; p="));
        assert!(!DkimKey::generate().unwrap().is_published_by(&record.value));
        let strings = record.zone_value();
        assert!(strings.split('"').all(|string| string.len() <= TXT_STRING));
        assert_eq!(strings.replace("\" \"", "").trim_matches('"'), record.value);
    }
}
