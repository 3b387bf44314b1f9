//! Sealing at rest: what a thief of the database must not read, and digests that he must not be able to test guesses against.
//!
//! Envelope: the *key file* holds key-encryption keys and never lies with the database. Data keys are random, one a purpose,
//! stored beside the data wrapped under a key of the file, so that the key of the file can be changed without touching the
//! rows. AEAD is XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03): its 192-bit nonces may be drawn at random by every node.
//! The associated data names table, column, row and data key, so that no sealed value can be moved to another place.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A key of 256 bits. Wiped when dropped; its `Debug` shows nothing of it.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Key([u8; 32]);

impl Key {
    /// A new key from `chance`.
    pub fn mint(chance: &mut dyn CryptoRng) -> Self {
        let mut key = Self([0; 32]);
        chance.fill_bytes(&mut key.0);
        key
    }

    /// A key from its 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for writing a key where only its owner reads it.
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

/// The public name of a key of the key file: eight hexadecimal digits of its SHA-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyId(String);

impl KeyId {
    fn of(key: &Key) -> Self {
        let digest = Sha256::new()
            .chain_update(b"rightful key id")
            .chain_update(key.0)
            .finalize();
        Self(digest[..4].iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The eight digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The key file: one key a line, the first is used for new wrapping, all may unwrap.
#[derive(Debug)]
pub struct KeyFile {
    keys: Vec<(KeyId, Key)>,
}

const KEY_LINE: &str = "rightful-key-v1";

/// Why a key file could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileRefused {
    /// No line with a key.
    #[error("it holds no key")]
    Empty,
    /// The line with this number (from 1) is not a key.
    #[error("line {0} is not of the form \"rightful-key-v1 <id> <base64 of 32 bytes>\"")]
    Line(usize),
    /// The id on the line with this number is not that of the key beside it: the line was damaged or edited.
    #[error("the id on line {0} does not belong to the key beside it: the line was changed")]
    Id(usize),
}

impl KeyFile {
    /// A new file with one key.
    pub fn mint(chance: &mut dyn CryptoRng) -> Self {
        let key = Key::mint(chance);
        Self {
            keys: vec![(KeyId::of(&key), key)],
        }
    }

    /// Reads the text of a key file. Empty lines and lines that begin with `#` are passed over.
    ///
    /// # Errors
    /// Any line that is no key, or damaged, refuses the whole file.
    pub fn parse(text: &str) -> Result<Self, KeyFileRefused> {
        let mut keys = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let refused = KeyFileRefused::Line(at + 1);
            let [KEY_LINE, id, key] = line.split_whitespace().collect::<Vec<_>>()[..] else {
                return Err(refused);
            };
            let bytes = Zeroizing::new(BASE64.decode(key).map_err(|_| refused)?);
            let key = Key(bytes.as_slice().try_into().map_err(|_| refused)?);
            if KeyId::of(&key).as_str() != id {
                return Err(KeyFileRefused::Id(at + 1));
            }
            keys.push((KeyId(id.to_owned()), key));
        }
        if keys.is_empty() {
            Err(KeyFileRefused::Empty)
        } else {
            Ok(Self { keys })
        }
    }

    /// The text to write, with a warning for whoever opens it.
    pub fn text(&self) -> Zeroizing<String> {
        let mut text = String::from(
            "# Rightful key file. Without it the database cannot be used; with it and the database, guesses of passwords\n\
             # can be tested. Keep a copy apart from the backups of the database.\n",
        );
        for (id, key) in &self.keys {
            let encoded = Zeroizing::new(BASE64.encode(key.0));
            text.push_str(&format!("{KEY_LINE} {} {}\n", id.as_str(), encoded.as_str()));
        }
        Zeroizing::new(text)
    }

    /// The id of the key that wraps new data keys.
    pub fn current(&self) -> &KeyId {
        &self.keys[0].0
    }

    fn key(&self, id: &str) -> Option<&Key> {
        self.keys
            .iter()
            .find(|(known, _)| known.as_str() == id)
            .map(|(_, key)| key)
    }
}

/// What a data key is for. Keys never serve two purposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Sealing values.
    Seal,
    /// Digests by which a pair or a replaced hash is known again.
    Tag,
    /// The chain of the audit log.
    Audit,
    /// Masking the block in a bearer token.
    Token,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 4] = [Self::Seal, Self::Tag, Self::Audit, Self::Token];

    /// The word used in tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Seal => "seal",
            Self::Tag => "tag",
            Self::Audit => "audit",
            Self::Token => "token",
        }
    }
}

/// A data key as the database holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    /// Its number, from 1.
    pub key_no: u32,
    /// The id of the key of the key file that wraps it.
    pub kek_id: String,
    /// Nonce and sealed key.
    pub wrapped: Vec<u8>,
}

/// Why a sealed value did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealBroken {
    /// The key file does not hold the key that this database was sealed with.
    #[error("the key file does not hold the key that this database was sealed with")]
    WrongKey,
    /// Sealed under a data key that is not known here.
    #[error("sealed under a data key that the database does not hold")]
    UnknownDataKey,
    /// Changed, cut, or moved from another place.
    #[error("a sealed value was changed or moved")]
    Changed,
}

const NONCE: usize = 24;

fn wrap_associated(purpose: Purpose, key_no: u32) -> Vec<u8> {
    format!("rightful data key\0{}\0{key_no}", purpose.word()).into_bytes()
}

fn random_nonce(chance: &mut dyn CryptoRng) -> XNonce {
    let mut nonce = [0; NONCE];
    chance.fill_bytes(&mut nonce);
    nonce.into()
}

/// Makes a new data key and wraps it under the key file's current key.
pub fn mint_data_key(file: &KeyFile, purpose: Purpose, key_no: u32, chance: &mut dyn CryptoRng) -> WrappedKey {
    let (kek_id, kek) = &file.keys[0];
    let key = Key::mint(chance);
    let nonce = random_nonce(chance);
    let payload = Payload {
        msg: &key.0,
        aad: &wrap_associated(purpose, key_no),
    };
    let sealed = XChaCha20Poly1305::new(&kek.0.into())
        .encrypt(&nonce, payload)
        .expect("32 bytes can be sealed");
    WrappedKey {
        key_no,
        kek_id: kek_id.as_str().to_owned(),
        wrapped: [nonce.as_slice(), &sealed].concat(),
    }
}

/// Unwraps a data key.
///
/// # Errors
/// [`SealBroken::WrongKey`] when the file lacks the key, [`SealBroken::Changed`] when the wrapped bytes do not open.
pub fn open_data_key(file: &KeyFile, purpose: Purpose, wrapped: &WrappedKey) -> Result<Key, SealBroken> {
    let kek = file.key(&wrapped.kek_id).ok_or(SealBroken::WrongKey)?;
    let (nonce, sealed) = split_nonce(&wrapped.wrapped)?;
    let payload = Payload {
        msg: sealed,
        aad: &wrap_associated(purpose, wrapped.key_no),
    };
    let opened = XChaCha20Poly1305::new(&kek.0.into())
        .decrypt(&nonce, payload)
        .map_err(|_| SealBroken::Changed)?;
    let opened = Zeroizing::new(opened);
    Ok(Key(opened.as_slice().try_into().map_err(|_| SealBroken::Changed)?))
}

fn split_nonce(bytes: &[u8]) -> Result<(XNonce, &[u8]), SealBroken> {
    let (nonce, sealed) = bytes.split_first_chunk::<NONCE>().ok_or(SealBroken::Changed)?;
    Ok(((*nonce).into(), sealed))
}

/// Where a sealed value lies: it opens nowhere else.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Table and column, as `password.sealed`.
    pub column: &'static str,
    /// The account's number, or another number that names the row's owner (a leak's).
    pub owner: i64,
    /// The row among the owner's: a version, an ordinal; 0 where there is one.
    pub row: i64,
}

/// Seals and opens values under one data key.
#[derive(Clone)]
pub struct Sealer {
    key_no: u32,
    cipher: XChaCha20Poly1305,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealer(key {})", self.key_no)
    }
}

/// Format of a sealed value: this byte, the data key's number (4 bytes, little-endian), the nonce (24), the sealed text and
/// its tag (16).
const FORMAT: u8 = 1;

impl Sealer {
    /// A sealer under the data key with this number.
    pub fn new(key_no: u32, key: &Key) -> Self {
        Self {
            key_no,
            cipher: XChaCha20Poly1305::new(&key.0.into()),
        }
    }

    /// Seals `plain` for one place. Adds 45 bytes.
    pub fn seal(&self, place: Place, plain: &[u8], chance: &mut dyn CryptoRng) -> Vec<u8> {
        let nonce = random_nonce(chance);
        let payload = Payload {
            msg: plain,
            aad: &self.associated(place),
        };
        let sealed = self
            .cipher
            .encrypt(&nonce, payload)
            .expect("values of the database are far below the cipher's limit");
        [&[FORMAT][..], &self.key_no.to_le_bytes(), nonce.as_slice(), &sealed].concat()
    }

    /// Opens what was sealed for this very place.
    ///
    /// # Errors
    /// [`SealBroken::Changed`] for anything else, [`SealBroken::UnknownDataKey`] for another data key's.
    pub fn open(&self, place: Place, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealBroken> {
        let (&[format, k0, k1, k2, k3], rest) = sealed.split_first_chunk::<5>().ok_or(SealBroken::Changed)?;
        if format != FORMAT {
            return Err(SealBroken::Changed);
        }
        if u32::from_le_bytes([k0, k1, k2, k3]) != self.key_no {
            return Err(SealBroken::UnknownDataKey);
        }
        let (nonce, sealed) = split_nonce(rest)?;
        let payload = Payload {
            msg: sealed,
            aad: &self.associated(place),
        };
        self.cipher
            .decrypt(&nonce, payload)
            .map(Zeroizing::new)
            .map_err(|_| SealBroken::Changed)
    }

    fn associated(&self, place: Place) -> Vec<u8> {
        let mut associated = Vec::with_capacity(place.column.len() + 21);
        associated.extend_from_slice(place.column.as_bytes());
        associated.push(0);
        associated.extend_from_slice(&place.owner.to_le_bytes());
        associated.extend_from_slice(&place.row.to_le_bytes());
        associated.extend_from_slice(&self.key_no.to_le_bytes());
        associated
    }
}

/// The keyed digest by which a leaked secret of one account is known again: the first 16 bytes of HMAC-SHA256. It differs
/// between accounts, so equal secrets do not show; without the key no guess can be tested against it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretTag(pub [u8; 16]);

impl std::fmt::Debug for SecretTag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretTag(..)")
    }
}

/// What a typed code is good for. The digest of a code for one purpose is never that of a code for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodePurpose {
    /// Proves that a mailbox is read.
    Mail,
    /// Shows that a message is ours.
    Notice,
    /// Stands in for a lost second factor.
    Recovery,
    /// Makes the first administrator.
    SetUp,
}

impl CodePurpose {
    const fn word(self) -> &'static [u8] {
        match self {
            Self::Mail => b"mail code",
            Self::Notice => b"notice number",
            Self::Recovery => b"recovery code",
            Self::SetUp => b"set-up code",
        }
    }
}

/// What is drawn for an identifier that names no account, the same each time that it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draw {
    /// The block that its flow lies in.
    Block,
    /// The hash that is computed in place of the one it does not have.
    Decoy,
}

impl Draw {
    const fn word(self) -> &'static [u8] {
        match self {
            Self::Block => b"draw block",
            Self::Decoy => b"draw decoy",
        }
    }
}

/// Makes keyed digests.
#[derive(Clone)]
pub struct Tagger {
    mac: Hmac<Sha256>,
}

impl std::fmt::Debug for Tagger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tagger(..)")
    }
}

impl Tagger {
    /// A tagger under this key.
    pub fn new(key: &Key) -> Self {
        Self {
            mac: Hmac::new_from_slice(&key.0).expect("HMAC takes keys of any length"),
        }
    }

    /// The tag of a leaked secret that names this account.
    pub fn pair(&self, account: i64, secret: &[u8]) -> SecretTag {
        let digest = self.digest(b"pair", account, &[secret]);
        SecretTag(digest.first_chunk().copied().expect("32 bytes hold 16"))
    }

    /// The digest of a hash that was replaced: should a leak hold it, our own table is out.
    pub fn replaced_hash(&self, account: i64, hash: &[u8]) -> [u8; 32] {
        self.digest(b"replaced hash", account, &[hash])
    }

    /// The digest of a link of the audit chain; `account` is the number of its subject.
    pub fn audit_link(&self, subject: i64, row: &[u8]) -> [u8; 32] {
        self.digest(b"audit", subject, &[row])
    }

    /// The digest under which a typed code is stored and found: codes are too short for a bare hash. `owner` is the number of
    /// its account, 0 where there is none yet; `context` is what else it is bound to and may be empty. The codes of
    /// [`code`](crate::code) each have a `digest` that fills these in.
    pub fn code(&self, what: CodePurpose, owner: i64, context: &[u8], code: &[u8]) -> [u8; 32] {
        // The length goes first, so that no context can run into the code.
        let context_len = (context.len() as u64).to_le_bytes();
        self.digest(what.word(), owner, &[&context_len, context, code])
    }

    /// 32 bytes for the token of a return path; which, `part` says. Whoever lacks the key can neither make nor read a token.
    pub fn return_path(&self, subject: i64, part: &[u8]) -> [u8; 32] {
        self.digest(b"return path", subject, &[part])
    }

    /// 32 bytes that look drawn by chance and are always the same for the same `bytes`: what an unknown identifier is
    /// answered with must not change from one question to the next, and nobody without the key can tell it from the truth.
    pub fn prf(&self, what: Draw, bytes: &[u8]) -> [u8; 32] {
        self.digest(what.word(), 0, &[bytes])
    }

    /// `what` holds no zero byte, so no two purposes can be made to meet.
    fn digest(&self, what: &[u8], owner: i64, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.mac.clone();
        mac.update(what);
        mac.update(&[0]);
        mac.update(&owner.to_le_bytes());
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SeededChance;

    const PLACE: Place = Place {
        column: "password.sealed",
        owner: 7,
        row: 1,
    };

    fn chance() -> SeededChance {
        SeededChance::new(1)
    }

    #[test]
    fn a_sealed_value_opens_only_in_its_place_and_under_its_key() {
        let key = Key::mint(&mut chance());
        let sealer = Sealer::new(1, &key);
        let sealed = sealer.seal(PLACE, b"hash", &mut chance());
        assert_eq!(sealed.len(), 4 + 45);
        assert_eq!(sealer.open(PLACE, &sealed).expect("opens").as_slice(), b"hash");
        assert_eq!(
            sealer.open(Place { owner: 8, ..PLACE }, &sealed),
            Err(SealBroken::Changed)
        );
        assert_eq!(
            sealer.open(Place { row: 2, ..PLACE }, &sealed),
            Err(SealBroken::Changed)
        );
        assert_eq!(
            sealer.open(
                Place {
                    column: "untested.sealed",
                    ..PLACE
                },
                &sealed
            ),
            Err(SealBroken::Changed)
        );
        assert_eq!(
            Sealer::new(2, &key).open(PLACE, &sealed),
            Err(SealBroken::UnknownDataKey)
        );
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(sealer.open(PLACE, &changed).is_err(), "byte {at}");
            assert!(sealer.open(PLACE, &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn data_keys_open_only_with_the_key_file_that_wrapped_them() {
        let file = KeyFile::mint(&mut chance());
        let wrapped = mint_data_key(&file, Purpose::Seal, 1, &mut chance());
        let key = open_data_key(&file, Purpose::Seal, &wrapped).expect("opens");
        assert_eq!(
            open_data_key(&file, Purpose::Tag, &wrapped).err(),
            Some(SealBroken::Changed)
        );
        let other = KeyFile::mint(&mut SeededChance::new(2));
        assert_eq!(
            open_data_key(&other, Purpose::Seal, &wrapped).err(),
            Some(SealBroken::WrongKey)
        );
        let read = KeyFile::parse(&file.text()).expect("reads its own text");
        assert_eq!(
            open_data_key(&read, Purpose::Seal, &wrapped).expect("opens").expose(),
            key.expose()
        );
    }

    #[test]
    fn a_damaged_key_file_is_refused() {
        let text = KeyFile::mint(&mut chance()).text().to_string();
        assert_eq!(KeyFile::parse("# nothing\n\n").err(), Some(KeyFileRefused::Empty));
        assert_eq!(
            KeyFile::parse(&format!("{text}gibberish")).err(),
            Some(KeyFileRefused::Line(4))
        );
        let line = text.lines().last().expect("a line");
        let swapped = line.replacen("rightful-key-v1 ", "rightful-key-v1 0", 1);
        assert_eq!(KeyFile::parse(&swapped).err(), Some(KeyFileRefused::Id(1)));
    }

    #[test]
    fn secrets_never_show_in_debug_output() {
        let file = KeyFile::mint(&mut chance());
        let key = Key::mint(&mut chance());
        let shown = format!(
            "{file:?} {key:?} {:?} {:?} {:?}",
            Sealer::new(1, &key),
            Tagger::new(&key),
            Tagger::new(&key).pair(1, b"x")
        );
        let encoded = BASE64.encode(key.expose());
        assert!(
            !shown.contains(&encoded) && !shown.contains(&format!("{:?}", &key.expose()[..4])),
            "{shown}"
        );
    }

    #[test]
    fn the_same_secret_has_another_tag_for_another_account() {
        let tagger = Tagger::new(&Key::from_bytes([3; 32]));
        assert_eq!(tagger.pair(1, b"x"), tagger.pair(1, b"x"));
        assert_ne!(tagger.pair(1, b"x"), tagger.pair(2, b"x"));
        assert_ne!(tagger.pair(1, b"x"), tagger.pair(1, b"y"));
        assert_ne!(tagger.pair(1, b"x").0[..], tagger.replaced_hash(1, b"x")[..16]);
    }

    #[test]
    fn digests_of_before_are_still_known() {
        let tagger = Tagger::new(&Key::from_bytes([3; 32]));
        let shown = |digest: &[u8]| digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        // HMAC-SHA256 of "replaced hash", 0, the owner (8 bytes, little-endian) and the text, as databases in use hold it.
        assert_eq!(
            shown(&tagger.replaced_hash(1, b"x")),
            "d576f34af119c6fbf445e885e9fcc0a8b483ccc3ec2f8379ecf5b45f5b1bfddd"
        );
    }

    #[test]
    fn a_code_is_bound_to_purpose_owner_and_context() {
        let tagger = Tagger::new(&Key::from_bytes([3; 32]));
        let digests = [
            tagger.code(CodePurpose::Mail, 1, b"flow", b"CODE"),
            tagger.code(CodePurpose::Notice, 1, b"flow", b"CODE"),
            tagger.code(CodePurpose::Recovery, 1, b"flow", b"CODE"),
            tagger.code(CodePurpose::SetUp, 1, b"flow", b"CODE"),
            tagger.code(CodePurpose::Mail, 2, b"flow", b"CODE"),
            tagger.code(CodePurpose::Mail, 1, b"flo", b"wCODE"),
            tagger.code(CodePurpose::Mail, 1, b"flowC", b"ODE"),
            tagger.code(CodePurpose::Mail, 1, b"", b"flowCODE"),
            Tagger::new(&Key::from_bytes([4; 32])).code(CodePurpose::Mail, 1, b"flow", b"CODE"),
            tagger.prf(Draw::Block, b"CODE"),
            tagger.prf(Draw::Decoy, b"CODE"),
            tagger.audit_link(1, b"CODE"),
        ];
        let distinct: std::collections::BTreeSet<_> = digests.iter().collect();
        assert_eq!(distinct.len(), digests.len());
        assert_eq!(digests[0], tagger.code(CodePurpose::Mail, 1, b"flow", b"CODE"));
        assert_eq!(digests[9], tagger.prf(Draw::Block, b"CODE"));
    }

    #[test]
    fn no_two_purposes_share_a_word() {
        let words: std::collections::BTreeSet<_> = Purpose::ALL.iter().map(|purpose| purpose.word()).collect();
        assert_eq!(words.len(), Purpose::ALL.len());
    }
}
