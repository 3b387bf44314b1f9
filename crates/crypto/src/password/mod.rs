//! Stored password hashes of every format we know: parsed once, capped, verified.
//!
//! A text becomes a [`StoredHash`] at the door or is refused with a [`HashRefused`]; inside, a hash is within the caps by
//! construction, so that a verification neither allocates nor computes more than [`limits`] allow. What a row or a leak asks
//! for is never obeyed unseen (security cases C08, C09).
//!
//! Formats, by what the text begins with:
//!
//! | text | who writes it |
//! |---|---|
//! | `$argon2id$` `$argon2i$` `$argon2d$` | PHC; `argon2$argon2id$` Django; `{ARGON2}` OpenLDAP |
//! | `$2a$` `$2b$` `$2x$` `$2y$` | bcrypt; `bcrypt$$2b$` Django |
//! | `bcrypt_sha256$$2b$`, `$bcrypt-sha256$` | Django, passlib (versions 1 and 2) |
//! | `$wp$2y$` | WordPress from 6.8 |
//! | `$scrypt$ln=`, `$7$`, `scrypt$N$`, `scrypt:N:r:p$` | PHC and passlib, crypt(3), Django, Werkzeug |
//! | `$pbkdf2-sha256$`, `{PBKDF2-SHA256}`, `pbkdf2_sha256$`, `pbkdf2:sha256:` | PHC and passlib, OpenLDAP, Django, Werkzeug (also SHA-1 and SHA-512) |
//! | base64 of 0 or 1 and a binary record | ASP.NET Identity versions 2 and 3 |
//! | `$1$` `$apr1$` `$5$` `$6$` `$y$` | crypt(3), Apache |
//! | `$P$` `$H$` | phpass |
//! | `{SSHA}` `{SHA}` `{SMD5}` `{MD5}`, both also with 256, 384, 512 | LDAP; `{CRYPT}` and the like hold one of the `$` forms |
//! | `md5$salt$` `sha1$salt$` | Django |
//! | `{md5}HEX` `{md5:salt-first}SALT$HEX` `{md5:salt-last}SALT$HEX` | ours; also sha1, sha256, sha384, sha512; `{ntlm}HEX` |
//! | `{firebase}SALT$HASH` with [`FirebaseParameters`] | ours for Firebase's export; `{firebase-scrypt:...}` has the parameters inside |
//! | `{wrapped:md5}$argon2id$` | ours: a weak digest inside Argon2id |

mod arena;
mod argon;
mod bcrypt;
mod crypt;
mod digest;
mod encoding;
mod forms;
mod kind;
mod leaked;
pub mod limits;
mod pbkdf2;
mod phpass;
mod scrypt;
mod yescrypt;

pub use arena::{Arena, VerifyFault};
pub use argon::Argon2Params;
pub use forms::{CandidateForms, candidate_forms};
pub use kind::HashKind;
pub use leaked::{LeakedReadings, leaked_readings, looks_hashed};
pub use limits::{Cost, HashRefused};
pub use scrypt::FirebaseParameters;

use ::argon2::Algorithm;
use argon::Argon2Hash;
use bcrypt::{Bcrypt, Prehash};
use crypt::{Crypt, CryptKind};
use digest::{DigestKind, SaltPlace, WeakHash, WrappedHash};
use encoding::{base64, is_hex};
use limits::{MAX_PASSWORD_BYTES, MAX_TEXT_BYTES};
use pbkdf2::{Pbkdf2, Prf};
use phpass::Phpass;
use scrypt::{FirebaseHash, Scrypt};
use subtle::ConstantTimeEq;
use yescrypt::Yescrypt;

/// What bare hex digits are, when the one who brings them says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BareHex {
    /// MD5.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// The NT hash.
    Ntlm,
}

impl BareHex {
    /// The hint of a word: `md5`, `sha1`, `sha256`, `ntlm`.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "md5" => Some(Self::Md5),
            "sha1" => Some(Self::Sha1),
            "sha256" => Some(Self::Sha256),
            "ntlm" => Some(Self::Ntlm),
            _ => None,
        }
    }

    const fn kind(self) -> DigestKind {
        match self {
            Self::Md5 => DigestKind::Md5,
            Self::Sha1 => DigestKind::Sha1,
            Self::Sha256 => DigestKind::Sha256,
            Self::Ntlm => DigestKind::Ntlm,
        }
    }
}

/// What a text does not say of itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct ParseHints<'a> {
    /// The kind of bare hex digits.
    pub bare_hex: Option<BareHex>,
    /// The parameters of the Firebase project that the hashes come from.
    pub firebase: Option<&'a FirebaseParameters>,
}

/// A stored password hash: parsed, within the caps. `Debug` prints its kind only.
#[derive(Clone)]
pub struct StoredHash(Form);

#[derive(Clone)]
enum Form {
    Argon2(Argon2Hash),
    Bcrypt(Bcrypt),
    Scrypt(Scrypt),
    Firebase(FirebaseHash),
    Pbkdf2(Pbkdf2),
    Crypt(Crypt),
    Yescrypt(Yescrypt),
    Phpass(Phpass),
    Weak(WeakHash),
    Wrapped(WrappedHash),
}

impl std::fmt::Debug for StoredHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StoredHash({})", self.kind().word())
    }
}

impl StoredHash {
    /// Reads a hash in any of the formats above; outer blanks are passed over. Nothing is computed, and nothing is allocated
    /// beyond the size of the text.
    pub fn parse(text: &str, how: &ParseHints<'_>) -> Result<Self, HashRefused> {
        let text = text.trim_ascii();
        if text.len() > MAX_TEXT_BYTES {
            return Err(HashRefused::TooLong);
        }
        match text.as_bytes().first() {
            None => Err(HashRefused::Empty),
            Some(b'$') => Form::parse_crypt_like(text),
            Some(b'{') => Form::parse_braced(text, how),
            Some(_) => Form::parse_unmarked(text, how),
        }
        .map(Self)
    }

    /// The canonical text, which parses back to an equal hash without hints. A Firebase hash has the signer key of its
    /// project inside, so seal the text where it is kept.
    pub fn text(&self) -> String {
        match &self.0 {
            Form::Argon2(hash) => hash.text(),
            Form::Bcrypt(hash) => hash.text(),
            Form::Scrypt(hash) => hash.text(),
            Form::Firebase(hash) => hash.text(),
            Form::Pbkdf2(hash) => hash.text(),
            Form::Crypt(hash) => hash.text(),
            Form::Yescrypt(hash) => hash.text(),
            Form::Phpass(hash) => hash.text(),
            Form::Weak(hash) => hash.text(),
            Form::Wrapped(hash) => hash.text(),
        }
    }

    /// The kind, for tables and for the mix of decoys.
    pub const fn kind(&self) -> HashKind {
        match &self.0 {
            Form::Argon2(hash) => match hash.algorithm() {
                Algorithm::Argon2d => HashKind::Argon2d,
                Algorithm::Argon2i => HashKind::Argon2i,
                Algorithm::Argon2id => HashKind::Argon2id,
            },
            Form::Bcrypt(hash) => match hash.prehash() {
                Prehash::None | Prehash::SignExtended => HashKind::Bcrypt,
                Prehash::DjangoSha256 | Prehash::PasslibSha256 | Prehash::PasslibHmac => HashKind::BcryptSha256,
                Prehash::WordPress => HashKind::WordPress,
            },
            Form::Scrypt(_) => HashKind::Scrypt,
            Form::Firebase(_) => HashKind::FirebaseScrypt,
            Form::Pbkdf2(hash) => match hash.prf() {
                Prf::Sha1 => HashKind::Pbkdf2Sha1,
                Prf::Sha256 => HashKind::Pbkdf2Sha256,
                Prf::Sha512 => HashKind::Pbkdf2Sha512,
            },
            Form::Crypt(hash) => match hash.kind() {
                CryptKind::Md5 => HashKind::Md5Crypt,
                CryptKind::Apr1 => HashKind::Apr1,
                CryptKind::Sha256 => HashKind::Sha256Crypt,
                CryptKind::Sha512 => HashKind::Sha512Crypt,
            },
            Form::Yescrypt(_) => HashKind::Yescrypt,
            Form::Phpass(_) => HashKind::Phpass,
            Form::Weak(hash) => match hash.kind() {
                DigestKind::Md5 => HashKind::Md5,
                DigestKind::Sha1 => HashKind::Sha1,
                DigestKind::Sha256 => HashKind::Sha256,
                DigestKind::Sha384 => HashKind::Sha384,
                DigestKind::Sha512 => HashKind::Sha512,
                DigestKind::Ntlm => HashKind::Ntlm,
            },
            Form::Wrapped(_) => HashKind::Wrapped,
        }
    }

    /// Whether this is a one-round digest, which is to be wrapped.
    pub const fn is_weak_fast(&self) -> bool {
        matches!(self.0, Form::Weak(_))
    }

    /// What one verification costs.
    pub const fn cost(&self) -> Cost {
        match &self.0 {
            Form::Argon2(hash) => hash.cost(),
            Form::Bcrypt(hash) => hash.cost(),
            Form::Scrypt(hash) => hash.cost(),
            Form::Firebase(hash) => hash.cost(),
            Form::Pbkdf2(hash) => hash.cost(),
            Form::Crypt(hash) => hash.cost(),
            Form::Yescrypt(hash) => hash.cost(),
            Form::Phpass(hash) => hash.cost(),
            Form::Weak(hash) => hash.cost(),
            Form::Wrapped(hash) => hash.cost(),
        }
    }

    /// Whether this is the hash of the password. Compared in constant time. Passwords above [`limits::MAX_PASSWORD_BYTES`]
    /// are those of no stored hash.
    ///
    /// What the originals do is done: bcrypt cuts after 72 bytes, and all functions of crypt(3) end at a NUL.
    pub fn verify(&self, password: &[u8], arena: &mut Arena) -> Result<bool, VerifyFault> {
        if password.len() > MAX_PASSWORD_BYTES {
            return Ok(false);
        }
        match &self.0 {
            Form::Argon2(hash) => hash.verify(password, arena),
            Form::Bcrypt(hash) => Ok(hash.verify(password)),
            Form::Scrypt(hash) => hash.verify(password),
            Form::Firebase(hash) => hash.verify(password),
            Form::Pbkdf2(hash) => Ok(hash.verify(password)),
            Form::Crypt(hash) => hash.verify(password),
            Form::Yescrypt(hash) => hash.verify(password),
            Form::Phpass(hash) => Ok(hash.verify(password)),
            Form::Weak(hash) => Ok(hash.verify(password)),
            Form::Wrapped(hash) => hash.verify(password, arena),
        }
    }

    /// Whether both are the same hash: same function, parameters, salt and digest, whoever wrote them down. In constant time
    /// for hashes of one kind and length.
    pub fn equal(&self, other: &Self) -> bool {
        // A hash has one canonical text only, so the texts decide.
        self.kind() == other.kind() && bool::from(self.text().as_bytes().ct_eq(other.text().as_bytes()))
    }

    /// A weak hash inside Argon2id with this salt; `None` when it is not weak.
    pub fn wrap(&self, salt: [u8; 16], params: Argon2Params, arena: &mut Arena) -> Result<Option<Self>, VerifyFault> {
        match &self.0 {
            Form::Weak(hash) => hash
                .wrap(salt, params, arena)
                .map(|hash| Some(Self(Form::Wrapped(hash)))),
            _ => Ok(None),
        }
    }

    /// Whether this is a wrapped hash and `inner` the weak one inside, as when our old table shows up in a leak. Costs an
    /// Argon2 only when kind and salt agree.
    pub fn matches_inner(&self, inner: &Self, arena: &mut Arena) -> Result<bool, VerifyFault> {
        match (&self.0, &inner.0) {
            (Form::Wrapped(wrapped), Form::Weak(inner)) => wrapped.matches_inner(inner, arena),
            _ => Ok(false),
        }
    }
}

/// A new Argon2id hash of a password that passed the site's rules, with 16 random bytes of salt.
pub fn hash_new(
    password: &[u8],
    salt: [u8; 16],
    params: Argon2Params,
    arena: &mut Arena,
) -> Result<StoredHash, VerifyFault> {
    Argon2Hash::new(password, salt, params, arena).map(|hash| StoredHash(Form::Argon2(hash)))
}

impl Form {
    /// Texts that begin with `$`.
    fn parse_crypt_like(text: &str) -> Result<Self, HashRefused> {
        let (id, rest) = text[1..].split_once('$').ok_or(HashRefused::UnknownFormat)?;
        match id {
            "argon2d" => Argon2Hash::parse(Algorithm::Argon2d, rest).map(Self::Argon2),
            "argon2i" => Argon2Hash::parse(Algorithm::Argon2i, rest).map(Self::Argon2),
            "argon2id" => Argon2Hash::parse(Algorithm::Argon2id, rest).map(Self::Argon2),
            "2a" | "2b" | "2x" | "2y" => Bcrypt::parse(text).map(Self::Bcrypt),
            "bcrypt-sha256" => Bcrypt::parse_passlib(rest).map(Self::Bcrypt),
            "wp" => Bcrypt::parse_wordpress(&text[3..]).map(Self::Bcrypt),
            "scrypt" => Scrypt::parse(rest).map(Self::Scrypt),
            "7" => Scrypt::parse_crypt(rest).map(Self::Scrypt),
            "pbkdf2" | "pbkdf2-sha1" => Pbkdf2::parse(Prf::Sha1, rest).map(Self::Pbkdf2),
            "pbkdf2-sha256" => Pbkdf2::parse(Prf::Sha256, rest).map(Self::Pbkdf2),
            "pbkdf2-sha512" => Pbkdf2::parse(Prf::Sha512, rest).map(Self::Pbkdf2),
            "1" => Crypt::parse(CryptKind::Md5, rest).map(Self::Crypt),
            "apr1" => Crypt::parse(CryptKind::Apr1, rest).map(Self::Crypt),
            "5" => Crypt::parse(CryptKind::Sha256, rest).map(Self::Crypt),
            "6" => Crypt::parse(CryptKind::Sha512, rest).map(Self::Crypt),
            "y" => Yescrypt::parse(rest).map(Self::Yescrypt),
            "P" | "H" => Phpass::parse(rest).map(Self::Phpass),
            _ => Err(HashRefused::UnknownFormat),
        }
    }

    /// Texts that begin with `{`: LDAP's, whose words are of either case, and ours.
    fn parse_braced(text: &str, how: &ParseHints<'_>) -> Result<Self, HashRefused> {
        let (words, rest) = text[1..].split_once('}').ok_or(HashRefused::UnknownFormat)?;
        let words = words.to_ascii_lowercase();
        match words.as_str() {
            "crypt" | "bcrypt" | "blf-crypt" | "md5-crypt" | "sha256-crypt" | "sha512-crypt" | "argon2" | "argon2i"
            | "argon2id" => match rest.starts_with('$') {
                true => Self::parse_crypt_like(rest),
                false => Err(HashRefused::UnknownFormat), // traditional DES, among others
            },
            "pbkdf2" | "pbkdf2-sha1" => Pbkdf2::parse(Prf::Sha1, rest).map(Self::Pbkdf2),
            "pbkdf2-sha256" => Pbkdf2::parse(Prf::Sha256, rest).map(Self::Pbkdf2),
            "pbkdf2-sha512" => Pbkdf2::parse(Prf::Sha512, rest).map(Self::Pbkdf2),
            "firebase" => match how.firebase {
                Some(parameters) => FirebaseHash::parse(rest, parameters).map(Self::Firebase),
                None => Err(HashRefused::Malformed(
                    "a Firebase hash needs the parameters of its project",
                )),
            },
            words => match (words.strip_prefix("wrapped:"), text.strip_prefix("{firebase-scrypt:")) {
                (Some(words), _) => WrappedHash::parse(words, rest).map(Self::Wrapped),
                (_, Some(own)) => FirebaseHash::parse_own(own).map(Self::Firebase),
                _ => WeakHash::parse_braced(words, rest).map(Self::Weak),
            },
        }
    }

    /// Texts without a mark: a word and `$` or `:`, hex digits, ASP.NET's base64, Firebase's when its parameters are there.
    fn parse_unmarked(text: &str, how: &ParseHints<'_>) -> Result<Self, HashRefused> {
        if let Some((word, rest)) = text.split_once('$') {
            match word {
                "argon2" if rest.starts_with("argon2") => return Self::parse_crypt_like(&text["argon2".len()..]),
                "bcrypt" => return Bcrypt::parse(rest).map(Self::Bcrypt),
                "bcrypt_sha256" => return Bcrypt::parse_django_sha256(rest).map(Self::Bcrypt),
                "scrypt" => return Scrypt::parse_django(rest).map(Self::Scrypt),
                "pbkdf2_sha1" => return Pbkdf2::parse_django(Prf::Sha1, rest).map(Self::Pbkdf2),
                "pbkdf2_sha256" => return Pbkdf2::parse_django(Prf::Sha256, rest).map(Self::Pbkdf2),
                "pbkdf2_sha512" => return Pbkdf2::parse_django(Prf::Sha512, rest).map(Self::Pbkdf2),
                "md5" => return WeakHash::parse_django(DigestKind::Md5, rest).map(Self::Weak),
                "sha1" => return WeakHash::parse_django(DigestKind::Sha1, rest).map(Self::Weak),
                _ => {}
            }
        }
        if let Some(rest) = text.strip_prefix("scrypt:") {
            return Scrypt::parse_werkzeug(rest).map(Self::Scrypt);
        }
        if let Some(rest) = text.strip_prefix("pbkdf2:") {
            return Pbkdf2::parse_werkzeug(rest).map(Self::Pbkdf2);
        }
        if matches!(text.len(), 32 | 40 | 64 | 96 | 128) && is_hex(text.as_bytes()) {
            let kind = how.bare_hex.ok_or(HashRefused::BareHex)?.kind();
            return WeakHash::from_hex(kind, SaltPlace::First, &[], text.as_bytes()).map(Self::Weak);
        }
        if let Some(parameters) = how.firebase
            && text.contains(['$', ':'])
        {
            return FirebaseHash::parse(text, parameters).map(Self::Firebase);
        }
        base64(text)
            .as_deref()
            .and_then(Pbkdf2::parse_aspnet)
            .unwrap_or(Err(HashRefused::UnknownFormat))
            .map(Self::Pbkdf2)
    }
}
