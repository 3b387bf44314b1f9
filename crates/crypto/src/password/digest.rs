//! One-round digests, salted or not, and what they are wrapped in so that the weak form is stored nowhere.

use super::arena::{Arena, VerifyFault};
use super::argon::{Argon2Hash, Argon2Params};
use super::encoding::{base64, hex, hex_into, to_hex};
use super::limits::{self, Cost, HashRefused};
use argon2::Algorithm;
use md4::Md4;
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;

/// Which digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DigestKind {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
    /// Windows: MD4 of the UTF-16 text.
    Ntlm,
}

impl DigestKind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
            Self::Ntlm => "ntlm",
        }
    }

    /// The kind of a lower-case name; LDAP says `sha` for `sha1`.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        match name {
            "md5" => Some(Self::Md5),
            "sha" | "sha1" => Some(Self::Sha1),
            "sha256" => Some(Self::Sha256),
            "sha384" => Some(Self::Sha384),
            "sha512" => Some(Self::Sha512),
            "ntlm" => Some(Self::Ntlm),
            _ => None,
        }
    }

    /// The kind of a salted digest with so many bytes.
    pub(super) const fn of_length(bytes: usize) -> Option<Self> {
        match bytes {
            16 => Some(Self::Md5),
            20 => Some(Self::Sha1),
            32 => Some(Self::Sha256),
            64 => Some(Self::Sha512),
            _ => None,
        }
    }

    pub(super) const fn length(self) -> usize {
        match self {
            Self::Md5 | Self::Ntlm => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// On which side of the password the salt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SaltPlace {
    First,
    Last,
}

impl SaltPlace {
    const fn name(self) -> &'static str {
        match self {
            Self::First => "salt-first",
            Self::Last => "salt-last",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::First, Self::Last].into_iter().find(|place| place.name() == name)
    }
}

/// The bytes of a digest, in place.
#[derive(Clone, Copy)]
pub(super) struct DigestBytes {
    bytes: [u8; 64],
    length: u8,
}

impl DigestBytes {
    fn of(digest: &[u8]) -> Self {
        let mut bytes = [0; 64];
        bytes[..digest.len()].copy_from_slice(digest);
        Self {
            bytes,
            length: digest.len() as u8,
        } // at most 64, or the line above had failed
    }

    fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

/// How a one-round digest is made of a password.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Recipe {
    kind: DigestKind,
    /// Never empty.
    salt: Option<(SaltPlace, Box<[u8]>)>,
}

impl Recipe {
    /// An empty salt is none. NTLM takes none.
    fn new(kind: DigestKind, place: SaltPlace, salt: impl Into<Box<[u8]>>) -> Result<Self, HashRefused> {
        let salt = limits::salt(salt)?;
        if salt.is_empty() {
            return Ok(Self { kind, salt: None });
        }
        if kind == DigestKind::Ntlm {
            return Err(HashRefused::Malformed("NTLM has no salt"));
        }
        Ok(Self {
            kind,
            salt: Some((place, salt)),
        })
    }

    /// The words of our own text between `{` and `}`, and the salt with its `$` that stands behind it.
    fn words(&self) -> (String, String) {
        let name = self.kind.name();
        match &self.salt {
            None => (name.into(), String::new()),
            Some((place, salt)) => match std::str::from_utf8(salt) {
                // Control characters would not survive an export line by line.
                Ok(text) if !text.contains(char::is_control) => {
                    (format!("{name}:{}", place.name()), format!("{text}$"))
                }
                _ => (format!("{name}:{}:hex", place.name()), format!("{}$", to_hex(salt))),
            },
        }
    }

    /// The inverse of [`Self::words`]; the `$` is not part of the salt here.
    fn from_words(words: &str, salt: Option<&str>) -> Result<Self, HashRefused> {
        const MALFORMED: HashRefused = HashRefused::Malformed("a digest is {md5}HEX or {md5:salt-first}SALT$HEX");
        let mut words = words.split(':');
        let kind = words
            .next()
            .and_then(DigestKind::from_name)
            .ok_or(HashRefused::UnknownFormat)?;
        match (words.next(), words.next(), words.next(), salt) {
            (None, None, None, None) => Ok(Self { kind, salt: None }),
            (Some(place), form, None, Some(salt)) => {
                let place = SaltPlace::from_name(place).ok_or(MALFORMED)?;
                match form {
                    None => Self::new(kind, place, salt.as_bytes()),
                    Some("hex") => Self::new(kind, place, hex(salt).ok_or(MALFORMED)?),
                    Some(_) => Err(MALFORMED),
                }
            }
            _ => Err(MALFORMED),
        }
    }

    /// The digest of a password; `None` when there is none: NTLM hashes text, and this is not UTF-8. Allocates nothing.
    fn digest(&self, password: &[u8]) -> Option<DigestBytes> {
        Some(match self.kind {
            DigestKind::Md5 => self.hash::<Md5>(password),
            DigestKind::Sha1 => self.hash::<Sha1>(password),
            DigestKind::Sha256 => self.hash::<Sha256>(password),
            DigestKind::Sha384 => self.hash::<Sha384>(password),
            DigestKind::Sha512 => self.hash::<Sha512>(password),
            DigestKind::Ntlm => nt_hash(std::str::from_utf8(password).ok()?),
        })
    }

    fn hash<D: Digest>(&self, password: &[u8]) -> DigestBytes {
        let hash = match &self.salt {
            None => D::new().chain_update(password),
            Some((SaltPlace::First, salt)) => D::new().chain_update(salt).chain_update(password),
            Some((SaltPlace::Last, salt)) => D::new().chain_update(password).chain_update(salt),
        };
        DigestBytes::of(&hash.finalize())
    }
}

/// MD4 of the UTF-16 little-endian text.
fn nt_hash(password: &str) -> DigestBytes {
    let mut hash = Md4::new();
    let mut block = [0; 64];
    let mut filled = 0;
    for unit in password.encode_utf16() {
        block[filled..filled + 2].copy_from_slice(&unit.to_le_bytes());
        filled += 2;
        if filled == block.len() {
            hash.update(block);
            filled = 0;
        }
    }
    DigestBytes::of(&hash.chain_update(&block[..filled]).finalize())
}

/// A stored one-round digest.
#[derive(Clone)]
pub(super) struct WeakHash {
    recipe: Recipe,
    digest: DigestBytes,
}

impl WeakHash {
    /// From hex digits (of either case) and a salt that may be empty.
    pub(super) fn from_hex(
        kind: DigestKind,
        place: SaltPlace,
        salt: &[u8],
        digits: &[u8],
    ) -> Result<Self, HashRefused> {
        let mut bytes = [0; 64];
        hex_into(digits, &mut bytes[..kind.length()]).ok_or(HashRefused::Malformed(
            "the digest has not as many hex digits as its kind",
        ))?;
        Ok(Self {
            recipe: Recipe::new(kind, place, salt)?,
            digest: DigestBytes::of(&bytes[..kind.length()]),
        })
    }

    /// What follows Django's `md5$` or `sha1$`: `salt$HEX`, the salt first.
    pub(super) fn parse_django(kind: DigestKind, rest: &str) -> Result<Self, HashRefused> {
        let (salt, digits) = rest
            .rsplit_once('$')
            .ok_or(HashRefused::Malformed("a salt and a digest are needed"))?;
        Self::from_hex(kind, SaltPlace::First, salt.as_bytes(), digits.as_bytes())
    }

    /// `words` is what stands in the braces, in lower case. LDAP: `{SSHA}` and the like hold base64 of digest and salt,
    /// `{SHA}` of the digest alone. Ours: `{sha1}HEX`, `{sha1:salt-last}SALT$HEX`, where the salt ends at the last `$`.
    pub(super) fn parse_braced(words: &str, rest: &str) -> Result<Self, HashRefused> {
        if let Some(kind) = words.strip_prefix('s').and_then(DigestKind::from_name)
            && kind != DigestKind::Ntlm
        {
            return Self::parse_ldap(kind, rest, true);
        }
        if let Some(kind) = DigestKind::from_name(words) {
            return match rest.len() == 2 * kind.length() {
                true => Self::from_hex(kind, SaltPlace::First, &[], rest.as_bytes()),
                false => Self::parse_ldap(kind, rest, false),
            };
        }
        let (salt, digits) = rest
            .rsplit_once('$')
            .map_or((None, rest), |(salt, digits)| (Some(salt), digits));
        let recipe = Recipe::from_words(words, salt)?;
        let bare = Self::from_hex(recipe.kind, SaltPlace::First, &[], digits.as_bytes())?;
        Ok(Self { recipe, ..bare })
    }

    fn parse_ldap(kind: DigestKind, rest: &str, salted: bool) -> Result<Self, HashRefused> {
        let bytes = base64(rest).ok_or(HashRefused::Malformed("the digest is neither hex nor base64"))?;
        let (digest, salt) = bytes
            .split_at_checked(kind.length())
            .filter(|(_, salt)| salt.is_empty() != salted)
            .ok_or(HashRefused::Malformed(
                "digest and salt have not the length of their kind",
            ))?;
        Ok(Self {
            recipe: Recipe::new(kind, SaltPlace::Last, salt)?,
            digest: DigestBytes::of(digest),
        })
    }

    pub(super) const fn kind(&self) -> DigestKind {
        self.recipe.kind
    }

    pub(super) fn text(&self) -> String {
        let (words, salt) = self.recipe.words();
        format!("{{{words}}}{salt}{}", to_hex(self.digest.as_slice()))
    }

    pub(super) const fn cost(&self) -> Cost {
        Cost::of_work(150)
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        self.recipe
            .digest(password)
            .is_some_and(|digest| digest.as_slice().ct_eq(self.digest.as_slice()).into())
    }

    /// The same hash inside Argon2id, so that the digest itself need not be kept.
    pub(super) fn wrap(
        &self,
        salt: [u8; 16],
        params: Argon2Params,
        arena: &mut Arena,
    ) -> Result<WrappedHash, VerifyFault> {
        let outer = Argon2Hash::new(self.digest.as_slice(), salt, params, arena)?;
        Ok(WrappedHash {
            recipe: self.recipe.clone(),
            outer,
        })
    }
}

/// A one-round digest inside Argon2.
#[derive(Clone)]
pub(super) struct WrappedHash {
    recipe: Recipe,
    outer: Argon2Hash,
}

impl WrappedHash {
    const MALFORMED: HashRefused =
        HashRefused::Malformed("a wrapped hash is {wrapped:md5:salt-last}SALT$$argon2id$...");

    /// `words` is what stands in the braces behind `wrapped:`. The salt ends before the last `$$argon2id$`.
    pub(super) fn parse(words: &str, rest: &str) -> Result<Self, HashRefused> {
        const OUTER: &str = "$argon2id$";
        let at = rest.rfind(OUTER).ok_or(Self::MALFORMED)?;
        let (head, outer) = (&rest[..at], &rest[at + OUTER.len()..]);
        let salt = match head {
            "" => None,
            salt => Some(salt.strip_suffix('$').ok_or(Self::MALFORMED)?),
        };
        Ok(Self {
            recipe: Recipe::from_words(words, salt)?,
            outer: Argon2Hash::parse(Algorithm::Argon2id, outer)?,
        })
    }

    pub(super) fn text(&self) -> String {
        let (words, salt) = self.recipe.words();
        format!("{{wrapped:{words}}}{salt}{}", self.outer.text())
    }

    pub(super) const fn cost(&self) -> Cost {
        self.outer.cost()
    }

    pub(super) fn verify(&self, password: &[u8], arena: &mut Arena) -> Result<bool, VerifyFault> {
        match self.recipe.digest(password) {
            None => Ok(false),
            Some(digest) => self.outer.verify(digest.as_slice(), arena),
        }
    }

    /// Whether this digest is the one inside. False without work when kind or salt differ.
    pub(super) fn matches_inner(&self, inner: &WeakHash, arena: &mut Arena) -> Result<bool, VerifyFault> {
        if self.recipe != inner.recipe {
            return Ok(false);
        }
        self.outer.verify(inner.digest.as_slice(), arena)
    }
}
