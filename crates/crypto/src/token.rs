//! Bearer tokens: what a browser or a program shows to go on where it was.
//!
//! A token is 32 bytes of chance and the block of its account, masked: `block XOR first 4 bytes of HMAC-SHA256(token key, the
//! 32 bytes)`. 36 bytes make 48 characters of base64url (RFC 4648 §5), with a prefix that tells its kind. The database holds
//! the block and SHA-256 of the 36 bytes. So a token is found by one look-up on one shard, no secret is ever compared, a
//! thief of the database has nothing to show, and a token tells nothing about its account: not even that two of them belong
//! to the same one.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::seal::Key;

const RANDOM: usize = 32;
const BYTES: usize = RANDOM + 4;
/// 36 bytes are 48 characters exactly: no padding, no bits left over, so each token has one spelling.
const CHARACTERS: usize = BYTES / 3 * 4;
const PREFIX: usize = 3;

/// What a token is good for. One of another kind does not parse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A signed-in browser.
    Session,
    /// A flow under way.
    Flow,
    /// A recognised browser.
    Browser,
    /// A program that calls the API.
    Api,
}

impl TokenKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Session, Self::Flow, Self::Browser, Self::Api];

    /// What the text of such a token begins with, so that scanners of logs and repositories know it.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Session => "rs_",
            Self::Flow => "rf_",
            Self::Browser => "rb_",
            Self::Api => "ra_",
        }
    }
}

/// The key that masks the block in a token. Who has it can tell the block of a token, and nothing more: it opens no door.
#[derive(Clone)]
pub struct TokenKey(Hmac<Sha256>);

impl TokenKey {
    /// From the data key of [`Purpose::Token`](crate::seal::Purpose::Token).
    pub fn new(key: &Key) -> Self {
        Self(Hmac::new_from_slice(key.expose()).expect("HMAC takes keys of any length"))
    }

    fn mask(&self, random: &[u8]) -> u32 {
        let mut mac = self.0.clone();
        mac.update(random);
        let digest = mac.finalize().into_bytes();
        u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
    }
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenKey(..)")
    }
}

/// A bearer token. Wiped when dropped; its `Debug` shows its kind and nothing else.
pub struct Token {
    kind: TokenKind,
    block: u32,
    bytes: Zeroizing<[u8; BYTES]>,
}

impl Token {
    /// A new token for a row in `block`.
    ///
    /// # Panics
    /// When `block` is not between 0 and 4,294,967,295. At 4,096 accounts a block that is room for 17 million million
    /// accounts, so a larger one means that the number is something else.
    pub fn mint(kind: TokenKind, block: i64, key: &TokenKey, chance: &mut dyn CryptoRng) -> Self {
        let block = u32::try_from(block).expect("the block of an account is between 0 and 2^32 - 1");
        let mut bytes = Zeroizing::new([0; BYTES]);
        let (random, masked) = bytes.split_at_mut(RANDOM);
        chance.fill_bytes(random);
        masked.copy_from_slice(&(block ^ key.mask(random)).to_be_bytes());
        Self { kind, block, bytes }
    }

    /// Reads a token of this kind; `None` for anything that is none by its form. Whether it is one of ours, only the look-up
    /// by [`block`](Self::block) and [`hash`](Self::hash) tells: an invented token names a block by chance.
    pub fn parse(kind: TokenKind, text: &str, key: &TokenKey) -> Option<Self> {
        let encoded = text.strip_prefix(kind.prefix())?;
        if encoded.len() != CHARACTERS {
            return None;
        }
        let mut bytes = Zeroizing::new([0; BYTES]);
        URL_SAFE_NO_PAD.decode_slice(encoded, &mut *bytes).ok()?;
        let (random, masked) = bytes.split_at(RANDOM);
        let masked = u32::from_be_bytes(masked.try_into().ok()?);
        let block = masked ^ key.mask(random);
        Some(Self { kind, block, bytes })
    }

    /// What it is good for.
    pub const fn kind(&self) -> TokenKind {
        self.kind
    }

    /// The block of its row, 0 to 4,294,967,295.
    pub const fn block(&self) -> i64 {
        // Not `from`: that is not const yet.
        self.block as i64
    }

    /// The name of its row in the block: SHA-256 of the 36 bytes. They hold 256 bits of chance, so no key is needed.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(*self.bytes).into()
    }

    /// The text to hand out, once: 51 ASCII characters that need no quoting in a cookie, a header or a form.
    pub fn text(&self) -> Zeroizing<String> {
        let mut encoded = Zeroizing::new([0; CHARACTERS]);
        URL_SAFE_NO_PAD
            .encode_slice(*self.bytes, &mut *encoded)
            .expect("36 bytes are 48 characters");
        // All the room at once: a text that grows leaves copies behind.
        let mut text = Zeroizing::new(String::with_capacity(PREFIX + CHARACTERS));
        text.push_str(self.kind.prefix());
        text.extend(encoded.iter().map(|&byte| char::from(byte)));
        text
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Token({:?})", self.kind)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::testing::SeededChance;

    fn key() -> TokenKey {
        TokenKey::new(&Key::from_bytes([7; 32]))
    }

    fn minted(kind: TokenKind, block: i64, seed: u64) -> Token {
        Token::mint(kind, block, &key(), &mut SeededChance::new(seed))
    }

    fn any_kind() -> impl Strategy<Value = TokenKind> {
        prop::sample::select(&TokenKind::ALL[..])
    }

    fn any_block() -> impl Strategy<Value = i64> {
        prop_oneof![Just(0), Just(i64::from(u32::MAX)), 0..=i64::from(u32::MAX)]
    }

    proptest! {
        #[test]
        fn a_token_is_read_as_it_was_minted(kind in any_kind(), block in any_block(), seed: u64) {
            let token = minted(kind, block, seed);
            let read = Token::parse(kind, &token.text(), &key()).expect("its own text");
            prop_assert_eq!((read.kind(), read.block(), read.hash()), (kind, block, token.hash()));
        }

        #[test]
        fn a_changed_character_finds_nothing(
            block in any_block(), seed: u64, at in 0..PREFIX + CHARACTERS, put in prop_oneof!["[A-Za-z0-9_-]", "."],
        ) {
            let token = minted(TokenKind::Session, block, seed);
            let text = token.text();
            let changed = format!("{}{put}{}", &text[..at], &text[at + 1..]);
            prop_assume!(changed != *text);
            if let Some(read) = Token::parse(TokenKind::Session, &changed, &key()) {
                prop_assert_ne!(read.hash(), token.hash());
            }
        }

        #[test]
        fn a_cut_or_lengthened_token_does_not_parse(seed: u64, at in 0..PREFIX + CHARACTERS, put in "[A-Za-z0-9_=. -]") {
            let text = minted(TokenKind::Flow, 1, seed).text();
            prop_assert!(Token::parse(TokenKind::Flow, &text[..at], &key()).is_none());
            let longer = format!("{}{put}{}", &text[..at], &text[at..]);
            prop_assert!(Token::parse(TokenKind::Flow, &longer, &key()).is_none());
            let longer = format!("{}{put}", *text);
            prop_assert!(Token::parse(TokenKind::Flow, &longer, &key()).is_none());
        }

        #[test]
        fn a_token_of_another_kind_does_not_parse(kind in any_kind(), other in any_kind(), seed: u64) {
            let text = minted(kind, 1, seed).text();
            prop_assert_eq!(Token::parse(other, &text, &key()).is_some(), kind == other);
        }

        #[test]
        fn whatever_is_typed_is_read_without_a_fault(kind in any_kind(), text in "(r[sfba]_)?.{0,60}") {
            let _ = Token::parse(kind, &text, &key());
        }
    }

    #[test]
    fn the_form_is_as_documented() {
        let token = minted(TokenKind::Api, 5, 1);
        let text = token.text();
        assert_eq!(text.len(), 51);
        let bytes = URL_SAFE_NO_PAD.decode(&text[3..]).expect("base64url");
        let (random, masked) = bytes.split_at(32);
        let mut mac = Hmac::<Sha256>::new_from_slice(&[7; 32]).expect("any length");
        mac.update(random);
        let mask = mac.finalize().into_bytes();
        let block: Vec<u8> = masked.iter().zip(mask).map(|(masked, mask)| masked ^ mask).collect();
        assert_eq!((block, token.block()), (vec![0, 0, 0, 5], 5));
        assert_eq!(token.hash()[..], Sha256::digest(&bytes)[..]);
    }

    #[test]
    fn tokens_of_one_block_look_unrelated() {
        let texts: Vec<_> = (0..1000)
            .map(|seed| minted(TokenKind::Session, 3, seed).text())
            .collect();
        // The last six characters hold the masked block and a little chance.
        for part in [3..45, 46..51] {
            let distinct: BTreeSet<&str> = texts.iter().map(|text| &text[part.clone()]).collect();
            assert!(distinct.len() >= 999, "characters {part:?}: {}", distinct.len());
        }
        for at in 3..51 {
            let distinct: BTreeSet<&str> = texts.iter().map(|text| &text[at..=at]).collect();
            assert_eq!(distinct.len(), 64, "character {at}");
        }
    }

    #[test]
    fn another_key_reads_another_block_but_the_same_row_name() {
        let token = minted(TokenKind::Session, 3, 1);
        let other = TokenKey::new(&Key::from_bytes([8; 32]));
        let read = Token::parse(TokenKind::Session, &token.text(), &other).expect("its form is right");
        assert_ne!(read.block(), token.block());
        assert_eq!(read.hash(), token.hash());
    }

    #[test]
    fn nothing_but_the_kind_is_shown() {
        assert_eq!(
            format!("{:?} {:?}", minted(TokenKind::Browser, 3, 1), key()),
            "Token(Browser) TokenKey(..)"
        );
    }

    #[test]
    #[should_panic(expected = "between 0 and 2^32 - 1")]
    fn a_block_beyond_32_bits_is_a_bug() {
        minted(TokenKind::Session, 1 << 32, 1);
    }
}
