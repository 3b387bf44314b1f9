//! Hashes in place of passwords: which a leaked field can be read as.

use rightful_crypto::password::{Arena, HashRefused, leaked_readings, looks_hashed};

/// The canonical texts of the readings.
fn texts(secret: &[u8]) -> Vec<String> {
    leaked_readings(secret).hashes.iter().map(|hash| hash.text()).collect()
}

fn check(secret: &str, expected: &[&str]) {
    assert_eq!(texts(secret.as_bytes()), expected, "{secret}");
    assert_eq!(looks_hashed(secret.as_bytes()), !expected.is_empty(), "{secret}");
}

const MD5: &str = "0123456789abcdef0123456789abcdef";
const SHA1: &str = "0123456789abcdef0123456789abcdef01234567";

#[test]
fn hex_digits_are_read_as_every_kind_of_their_length() {
    check(MD5, &[&format!("{{md5}}{MD5}"), &format!("{{ntlm}}{MD5}")]);
    check(
        &MD5.to_uppercase(),
        &[&format!("{{md5}}{MD5}"), &format!("{{ntlm}}{MD5}")],
    );
    check(
        &format!(" {MD5}\r"),
        &[&format!("{{md5}}{MD5}"), &format!("{{ntlm}}{MD5}")],
    );
    check(SHA1, &[&format!("{{sha1}}{SHA1}")]);
    check(&MD5.repeat(2), &[&format!("{{sha256}}{}", MD5.repeat(2))]);
    check(&MD5.repeat(4), &[&format!("{{sha512}}{}", MD5.repeat(4))]);
}

#[test]
fn a_salt_is_tried_on_both_sides() {
    for text in [
        format!("{MD5}:pepper"),
        format!("{MD5}$pepper"),
        format!("pepper:{MD5}"),
        format!("pepper|{MD5}"),
    ] {
        check(
            &text,
            &[
                &format!("{{md5:salt-first}}pepper${MD5}"),
                &format!("{{md5:salt-last}}pepper${MD5}"),
            ],
        );
    }
    check(
        &format!("{SHA1}:a:b$c"),
        &[
            &format!("{{sha1:salt-first}}a:b$c${SHA1}"),
            &format!("{{sha1:salt-last}}a:b$c${SHA1}"),
        ],
    );
    // The salt of this one is not UTF-8, and has the length of a digest.
    let mut secret = SHA1.as_bytes().to_vec();
    secret.extend(b":\xff\xfe");
    assert_eq!(
        texts(&secret),
        [
            format!("{{sha1:salt-first:hex}}fffe${SHA1}"),
            format!("{{sha1:salt-last:hex}}fffe${SHA1}")
        ]
    );
    let joomla = "b78f863f2c67410c41e617f724e22f34:89384528665349271307465505333378"; // hashcat, mode 11: "hashcat"
    let mut arena = Arena::new();
    let verified: Vec<_> = leaked_readings(joomla.as_bytes())
        .hashes
        .iter()
        .map(|hash| hash.verify(b"hashcat", &mut arena))
        .collect();
    assert_eq!(verified, [Ok(false), Ok(true)]);
}

#[test]
fn an_empty_salt_is_one_reading() {
    check(&format!("{SHA1}:"), &[&format!("{{sha1}}{SHA1}")]);
}

#[test]
fn formats_that_say_what_they_are_have_one_reading() {
    for text in [
        "$2a$05$LhayLxezLhK1LhWvKxCyLOj0j1u.Kj0jZ0pEmm134uzrQlFvQJLF6",
        "$1$28772684$iEwNOgGugqO9.bIz5sk8k/",
        "$1$$1RZ8OOWd5dGzkFDZIRSoP0",
        "$apr1$71850310$gh9m4xcAn3MGxogwX/ztb.",
        "$P$984478476IagS59wHZvyQMArzfx58u.",
        "$5$rounds=5000$GX7BopJZJxPc/KEK$le16UF8I2Anb.rOrn22AUPWvzUETDGefUmAV8AZkGcD",
        "$argon2id$v=19$m=64,t=1,p=1$c2l4dGVlbmJ5dGVzc2E$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE",
        "argon2$argon2id$v=19$m=64,t=1,p=1$c2l4dGVlbmJ5dGVzc2E$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE",
        "pbkdf2_sha256$1000$salt$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        "pbkdf2:sha256:1000$salt$3031323334353637383930313233343536373839303132333435363738393031",
        "scrypt:256:8:1$salt$3031323334353637383930313233343536373839303132333435363738393031",
        "bcrypt$$2b$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG",
        "md5$salt$0123456789abcdef0123456789abcdef",
        "sha1$$0123456789abcdef0123456789abcdef01234567",
        "{SSHA}FLzWcQqyle6Mo7NvrwXCMAmRzXQxNjYxMTYzNw==",
        "{MD5}ISMvKXpXpadDiUoOSoAfww==",
        "{ntlm}b4b9b02e6f09a9bd760f388b67351e2b",
        "AAABAgMEBQYHCAkKCwwNDg+ukCEMDf0yyQ29NYubggHIVY0sdEUfdyeM+E1LtH1uJg==",
        "AQAAAAIAAAAyAAAAEOMwvh3+FZxqkdMBz2ekgGhwQ4B6pZWND6zgESBuWiHw",
    ] {
        let readings = leaked_readings(text.as_bytes());
        assert_eq!((readings.hashes.len(), readings.refused), (1, None), "{text}");
    }
}

#[test]
fn c08_costly_leaked_hashes_are_told_as_refused() {
    for text in [
        "$2b$31$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG",
        "$argon2id$v=19$m=4194304,t=1,p=1$c2l4dGVlbmJ5dGVzc2E$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE",
        "pbkdf2_sha256$1000000000$salt$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    ] {
        let readings = leaked_readings(text.as_bytes());
        assert!(readings.hashes.is_empty(), "{text}");
        assert!(
            matches!(readings.refused, Some(HashRefused::CostTooHigh { .. })),
            "{text}"
        );
        assert!(looks_hashed(text.as_bytes()), "{text}");
    }
}

#[test]
fn plaintexts_are_no_hashes() {
    let almost = format!("{}g", &MD5[..31]);
    let long = "correct horse battery staple ".repeat(50);
    for text in [
        "",
        "hunter2",
        "correct horse battery staple",
        "a passphrase with $ and : in it, rather long",
        "$2b$ is how bcrypt begins, and this is not it",
        "{not} a hash: a very long plaintext in braces",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
        "scrypt: my favourite function since the year 2009",
        "md5$ is weak, as everybody has known for a long time",
        &almost,
        &MD5[..31],
        &format!("{MD5}x"),
        &format!("{MD5}#salt"),
        &long,
    ] {
        check(text, &[]);
    }
    assert!(!looks_hashed(&[0xff; 64]));
    assert!(!looks_hashed("p\u{e4}ssw\u{f6}rt".repeat(8).as_bytes()));
}
