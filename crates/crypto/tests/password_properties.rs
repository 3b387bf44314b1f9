//! Properties of the parser: no text makes it panic, and what it reads it writes back.

use proptest::prelude::*;
use rightful_crypto::password::{
    Arena, BareHex, FirebaseParameters, ParseHints, StoredHash, candidate_forms, leaked_readings, limits,
};

/// One text of each format, cheap to verify.
const SEEDS: &[&str] = &[
    "$argon2id$v=19$m=64,t=1,p=1$c2l4dGVlbmJ5dGVzc2E$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE",
    "argon2$argon2i$v=16$m=64,t=1,p=2$c2l4dGVlbmJ5dGVzc2E$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE",
    "$2a$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG",
    "bcrypt_sha256$$2b$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG",
    "$bcrypt-sha256$v=2,t=2b,r=4$abcdefghijklmnopqrstuu$7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG",
    "$bcrypt-sha256$2a,4$abcdefghijklmnopqrstuu$7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG",
    "$wp$2y$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG",
    "$scrypt$ln=4,r=8,p=1$c2FsdA$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE",
    "$7$26..../....salt$B04FBBRDXk58ETpdT8z8qw3MHSqtzMVUU/LgQdJIau0",
    "scrypt$16$salt$8$1$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "scrypt:16:8:1$salt$3031323334353637383930313233343536373839303132333435363738393031",
    "$pbkdf2-sha256$i=10,l=32$c2FsdA$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE",
    "$pbkdf2$10$c2FsdA$MDEyMzQ1Njc4OTAxMjM0NTY3ODk",
    "pbkdf2_sha256$10$salt$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "pbkdf2:sha512:10$salt$3031323334353637383930313233343536373839303132333435363738393031",
    "{PBKDF2-SHA512}10$c2FsdA$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE",
    "AQAAAAIAAAAyAAAAEOMwvh3+FZxqkdMBz2ekgGhwQ4B6pZWND6zgESBuWiHw",
    "AAABAgMEBQYHCAkKCwwNDg+ukCEMDf0yyQ29NYubggHIVY0sdEUfdyeM+E1LtH1uJg==",
    "$1$28772684$iEwNOgGugqO9.bIz5sk8k/",
    "$apr1$71850310$gh9m4xcAn3MGxogwX/ztb.",
    "$5$rounds=1000$GX7BopJZJxPc/KEK$le16UF8I2Anb.rOrn22AUPWvzUETDGefUmAV8AZkGcD",
    "$6$rounds=1001$52450745$k5ka2p8bFuSmoVT1tzOyyuaREkkKBcCNqoDKzYiJL9RaE8yMnPgh2XzzF0NDrUhgrcLwg78xs1w5pJiypEdFX/",
    "$y$j65$abcdefgh$T2ihUsY7who5GMgHxL0mW3y.VYLb5kJu4HUkZi3E6OA",
    "$y$/25.0$abcdefgh$T2ihUsY7who5GMgHxL0mW3y.VYLb5kJu4HUkZi3E6OA",
    "$P$584478476IagS59wHZvyQMArzfx58u.",
    "{SSHA}FLzWcQqyle6Mo7NvrwXCMAmRzXQxNjYxMTYzNw==",
    "{CRYPT}$1$28772684$iEwNOgGugqO9.bIz5sk8k/",
    "sha1$fe76b$02d5916550edf7fc8c886f044887f4b1abf9b013",
    "{md5:salt-first}a$b$0123456789abcdef0123456789abcdef",
    "{sha256:salt-last}s\u{e4}lt$0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "{ntlm}B4B9B02E6F09A9BD760F388B67351E2B",
    "{wrapped:md5:salt-last}salt$$argon2id$v=19$m=64,t=1,p=1$c2l4dGVlbmJ5dGVzc2E$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE",
    "{firebase}c2FsdA==$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "{firebase-scrypt:ln=4,r=8}MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE$Bw$c2FsdA$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE",
    "0123456789abcdef0123456789abcdef",
];

fn firebase() -> FirebaseParameters {
    FirebaseParameters::new("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE", "Bw==", 8, 4).expect("parameters")
}

/// Reads a text with all hints; what is read must write itself back, and cheap ones are also computed.
fn check(text: &str, arena: &mut Arena) -> Result<(), TestCaseError> {
    let firebase = firebase();
    let how = ParseHints {
        bare_hex: Some(BareHex::Md5),
        firebase: Some(&firebase),
    };
    let Ok(hash) = StoredHash::parse(text, &how) else {
        return Ok(());
    };
    let canonical = hash.text();
    prop_assert!(canonical.len() <= limits::MAX_TEXT_BYTES, "{}", canonical);
    let again = StoredHash::parse(&canonical, &ParseHints::default());
    let again = again.map_err(|refused| TestCaseError::fail(format!("{text:?}: {canonical:?}: {refused}")))?;
    prop_assert!(again.equal(&hash));
    prop_assert_eq!(again.text(), canonical);
    prop_assert_eq!(again.cost(), hash.cost());
    if hash.cost().work < 3_000_000 {
        for password in [&b"secret"[..], b"", b"\xff\0\xfe", &[b'a'; 200]] {
            prop_assert!(hash.verify(password, arena).is_ok(), "{}", again.text());
        }
    }
    Ok(())
}

#[test]
fn every_seed_is_read() {
    let mut arena = Arena::new();
    for seed in SEEDS {
        let firebase = firebase();
        let how = ParseHints {
            bare_hex: Some(BareHex::Md5),
            firebase: Some(&firebase),
        };
        assert!(StoredHash::parse(seed, &how).is_ok(), "{seed}");
        check(seed, &mut arena).unwrap_or_else(|failed| panic!("{seed}: {failed}"));
    }
}

/// How many inputs a property is tried on: a few by itself, or what `PROPTEST_CASES` asks for (256 is the library's own number).
fn cases(few: u32) -> u32 {
    let asked = ProptestConfig::default().cases;
    if asked == 256 { few } else { asked }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(4000), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn c09_arbitrary_text_never_panics(text in any::<String>()) {
        check(&text, &mut Arena::new())?;
    }

    #[test]
    fn c09_arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let readings = leaked_readings(&bytes);
        prop_assert!(readings.hashes.len() <= 2);
        let forms: Vec<_> = candidate_forms(&bytes).iter().map(<[u8]>::to_vec).collect();
        prop_assert_eq!(&forms[0], &bytes);
        let mut distinct = forms.clone();
        distinct.sort();
        distinct.dedup();
        prop_assert_eq!(distinct.len(), forms.len());
    }

    #[test]
    fn c09_mutated_hashes_never_panic(
        seed in proptest::sample::select(SEEDS),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), 0..4_u8, any::<char>(), 0..16_usize), 1..4),
    ) {
        const LIKELY: [char; 16] = ['$', ':', '}', '{', '=', ',', '.', '/', '0', '1', '9', 'z', 'A', ';', '|', ' '];
        let mut text: Vec<char> = seed.chars().collect();
        for (index, action, any, likely) in edits {
            let at = index.index(text.len().max(1));
            match action {
                _ if text.is_empty() => text.push(any),
                0 => text[at] = any,
                1 => text[at] = LIKELY[likely],
                2 => text.insert(at, LIKELY[likely]),
                _ => { text.remove(at); }
            }
        }
        let text: String = text.into_iter().collect();
        check(&text, &mut Arena::new())?;
        let _ = leaked_readings(text.as_bytes());
    }

    #[test]
    fn c09_spliced_hashes_never_panic(
        one in proptest::sample::select(SEEDS),
        other in proptest::sample::select(SEEDS),
        (cut, join) in any::<(prop::sample::Index, prop::sample::Index)>(),
    ) {
        let head: String = one.chars().take(cut.index(one.len())).collect();
        let tail: String = other.chars().skip(join.index(other.len())).collect();
        check(&(head + &tail), &mut Arena::new())?;
    }

    /// yescrypt's library is young: every shape that our parser lets through must be computed without a panic.
    #[test]
    fn c09_small_yescrypt_shapes_never_panic(
        flavour in proptest::sample::select(&['.', '/', 'j'][..]),
        log_n in 0..6_usize,
        r in 0..4_usize,
        tail in proptest::sample::select(&["", ".0", ".1", ".2", "/.", "/0", "/1", "00.", "010", "011", "/2"][..]),
    ) {
        const DIGITS: [char; 6] = ['.', '/', '0', '1', '2', '3'];
        let text = format!("$y${flavour}{}{}{tail}$abcdefgh$T2ihUsY7who5GMgHxL0mW3y.VYLb5kJu4HUkZi3E6OA", DIGITS[log_n], DIGITS[r]);
        if let Ok(hash) = StoredHash::parse(&text, &ParseHints::default()) {
            prop_assert!(hash.verify(b"secret", &mut Arena::new()).is_ok(), "{}", text);
        }
    }
}
