//! The kinds of stored hashes, by name.

/// The kind of a stored hash: the function, not who wrote it down (Django's, passlib's and ASP.NET's PBKDF2 are one).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashKind {
    /// Argon2d.
    Argon2d,
    /// Argon2i.
    Argon2i,
    /// Argon2id, the kind of new hashes.
    Argon2id,
    /// bcrypt of the password itself: legacy, cuts after 72 bytes.
    Bcrypt,
    /// bcrypt of a SHA-256 (Django, passlib).
    BcryptSha256,
    /// bcrypt of an HMAC-SHA384 (WordPress from 6.8).
    WordPress,
    /// scrypt.
    Scrypt,
    /// Firebase's scrypt with a signer key.
    FirebaseScrypt,
    /// PBKDF2 with HMAC-SHA1.
    Pbkdf2Sha1,
    /// PBKDF2 with HMAC-SHA256.
    Pbkdf2Sha256,
    /// PBKDF2 with HMAC-SHA512.
    Pbkdf2Sha512,
    /// md5-crypt, `$1$`.
    Md5Crypt,
    /// Apache's md5-crypt, `$apr1$`.
    Apr1,
    /// sha256-crypt, `$5$`.
    Sha256Crypt,
    /// sha512-crypt, `$6$`.
    Sha512Crypt,
    /// yescrypt, `$y$`.
    Yescrypt,
    /// phpass, `$P$` and `$H$`.
    Phpass,
    /// One round of MD5. Weak.
    Md5,
    /// One round of SHA-1. Weak.
    Sha1,
    /// One round of SHA-256. Weak.
    Sha256,
    /// One round of SHA-384. Weak.
    Sha384,
    /// One round of SHA-512. Weak.
    Sha512,
    /// The NT hash of Windows. Weak.
    Ntlm,
    /// A weak one inside Argon2id.
    Wrapped,
}

impl HashKind {
    /// All kinds, in the order above.
    pub const ALL: [Self; 24] = [
        Self::Argon2d,
        Self::Argon2i,
        Self::Argon2id,
        Self::Bcrypt,
        Self::BcryptSha256,
        Self::WordPress,
        Self::Scrypt,
        Self::FirebaseScrypt,
        Self::Pbkdf2Sha1,
        Self::Pbkdf2Sha256,
        Self::Pbkdf2Sha512,
        Self::Md5Crypt,
        Self::Apr1,
        Self::Sha256Crypt,
        Self::Sha512Crypt,
        Self::Yescrypt,
        Self::Phpass,
        Self::Md5,
        Self::Sha1,
        Self::Sha256,
        Self::Sha384,
        Self::Sha512,
        Self::Ntlm,
        Self::Wrapped,
    ];

    /// The word used in tables and output.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Argon2d => "argon2d",
            Self::Argon2i => "argon2i",
            Self::Argon2id => "argon2id",
            Self::Bcrypt => "bcrypt",
            Self::BcryptSha256 => "bcrypt-sha256",
            Self::WordPress => "wordpress",
            Self::Scrypt => "scrypt",
            Self::FirebaseScrypt => "firebase-scrypt",
            Self::Pbkdf2Sha1 => "pbkdf2-sha1",
            Self::Pbkdf2Sha256 => "pbkdf2-sha256",
            Self::Pbkdf2Sha512 => "pbkdf2-sha512",
            Self::Md5Crypt => "md5-crypt",
            Self::Apr1 => "apr1",
            Self::Sha256Crypt => "sha256-crypt",
            Self::Sha512Crypt => "sha512-crypt",
            Self::Yescrypt => "yescrypt",
            Self::Phpass => "phpass",
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
            Self::Ntlm => "ntlm",
            Self::Wrapped => "wrapped",
        }
    }

    /// The kind of a word; `None` for any other.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}
