//! The security cases of stored hashes: C06 (bcrypt's 72 bytes), C08 (parameter bombs), C09 (malformed hashes).

use rightful_crypto::password::{
    Arena, Argon2Params, BareHex, FirebaseParameters, HashKind, HashRefused, ParseHints, StoredHash, candidate_forms,
    hash_new, limits,
};
use unicode_normalization::UnicodeNormalization;

fn parse(text: &str) -> Result<StoredHash, HashRefused> {
    StoredHash::parse(text, &ParseHints::default())
}

fn verify(hash: &StoredHash, password: &[u8]) -> bool {
    hash.verify(password, &mut Arena::new()).expect("memory")
}

/// Base64 of 16 and of 32 bytes.
const SALT: &str = "c2l4dGVlbmJ5dGVzc2E";
const DIGEST: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE";
const BCRYPT_TAIL: &str = "abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG";

#[test]
fn c06_native_hashes_see_every_byte() {
    let params = Argon2Params::new(64, 1, 1).expect("within the caps");
    let long = [b'a'; 80];
    let mut other = long;
    other[79] = b'b';
    let hash = hash_new(&long, [1; 16], params, &mut Arena::new()).expect("memory");
    assert_eq!(hash.kind(), HashKind::Argon2id);
    assert!(verify(&hash, &long));
    assert!(!verify(&hash, &other));
    assert!(!verify(&hash, &long[..72]));
    assert!(!verify(&hash, b""));
}

#[test]
fn c06_imported_bcrypt_verifies_as_its_original_did() {
    // libxcrypt of "0123456789" eight times, which is cut after 72 bytes.
    let hash = parse("$2b$04$ABCDEFGHIJKLMNOPQRSTUuoMGuR/E7iEi.2TlMr3SfsIzFagVGs32").expect("bcrypt");
    let long = "0123456789".repeat(8);
    assert!(verify(&hash, long.as_bytes()));
    assert!(verify(&hash, &long.as_bytes()[..72]));
    assert!(!verify(&hash, &long.as_bytes()[..71]));
    assert_eq!(
        hash.kind(),
        HashKind::Bcrypt,
        "the kind by which the caller knows to re-hash it in full"
    );
}

#[test]
fn c06_schemes_that_shorten_before_bcrypt_see_every_byte() {
    for text in [
        "$bcrypt-sha256$v=2,t=2b,r=12$n79VH.0Q2TMWmt3Oqt9uku$Kq4Noyk3094Y2QlB8NdRT8SvGiI4ft2", // passlib's manual: "password"
        "$bcrypt-sha256$2a,12$LrmaIX5x4TRtAwEfwJZa1.$2ehnw6LvuIUTM0iz4iz9hTxv21B6KFO", // passlib's manual, version 1
    ] {
        let hash = parse(text).expect(text);
        assert!(verify(&hash, b"password"), "{text}");
        assert!(!verify(&hash, b"password\0"), "{text}");
        assert!(
            !verify(&hash, &[b"password".as_slice(), &[b'x'; 80]].concat()),
            "{text}"
        );
    }
}

#[test]
fn functions_of_crypt_end_at_a_nul_and_the_others_do_not() {
    let bcrypt = parse("$2a$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG").expect("bcrypt");
    assert!(verify(&bcrypt, b"correct horse battery staple"));
    assert!(verify(&bcrypt, b"correct horse battery staple\0more"));
    assert!(!verify(&bcrypt, b"correct\0horse battery staple"));
    let md5 = parse("{md5}9cc2ae8a1ba7a93da39b46fc1019c481").expect("md5 of the same");
    assert!(verify(&md5, b"correct horse battery staple"));
    assert!(!verify(&md5, b"correct horse battery staple\0more"));
}

/// Texts that ask for one more than each cap allows, and those that ask for just what it allows.
fn bombs() -> Vec<(String, &'static str, Option<String>)> {
    let argon = |m: u64, t: u64, p: u64| format!("$argon2id$v=19$m={m},t={t},p={p}${SALT}${DIGEST}");
    let scrypt = |ln: u32, r: u32, p: u32| format!("$scrypt$ln={ln},r={r},p={p}${SALT}${DIGEST}");
    let pbkdf2 = |prf: &str, rounds: u64| format!("$pbkdf2-{prf}${rounds}${SALT}${DIGEST}");
    let bcrypt = |cost: u32| format!("$2b${cost}${BCRYPT_TAIL}");
    let django = |n: u64| format!("scrypt${n}$salt$8$1${DIGEST}");
    let werkzeug = |n: u64| format!("scrypt:{n}:8:1$salt${}", "ab".repeat(32));
    let sha = |id: u32, rounds: u64| {
        format!(
            "${id}$rounds={rounds}$salt${}",
            if id == 5 { ".".repeat(43) } else { ".".repeat(86) }
        )
    };
    let phpass = |digit: char| format!("$P${digit}saltsalt{}", ".".repeat(22));
    let yescrypt = |params: &str| format!("$y${params}$saltsalt${}", ".".repeat(43));
    let passlib_bcrypt = |cost: u32| {
        format!(
            "$bcrypt-sha256$v=2,t=2b,r={cost}${}${}",
            &BCRYPT_TAIL[..22],
            &BCRYPT_TAIL[22..]
        )
    };
    vec![
        (
            argon(262_145, 2, 1),
            "Argon2 memory in KiB (m)",
            Some(argon(262_144, 2, 1)),
        ),
        (argon(4_194_304, 1, 1), "Argon2 memory in KiB (m)", None),
        (argon(4096, 11, 1), "Argon2 passes (t)", Some(argon(4096, 10, 1))),
        (argon(4096, 1 << 20, 1), "Argon2 passes (t)", None),
        (argon(4096, 1, 17), "Argon2 lanes (p)", Some(argon(4096, 1, 16))),
        (argon(99_999_999_999, 1, 1), "Argon2 memory in KiB (m)", None),
        (argon(4096, u64::MAX, 1), "Argon2 passes (t)", None),
        (
            format!("argon2{}", argon(262_145, 2, 1)),
            "Argon2 memory in KiB (m)",
            Some(format!("argon2{}", argon(8, 1, 1))),
        ),
        (
            format!("{{ARGON2}}{}", argon(262_145, 2, 1)),
            "Argon2 memory in KiB (m)",
            None,
        ),
        (
            format!("{{wrapped:md5}}{}", argon(262_145, 2, 1)),
            "Argon2 memory in KiB (m)",
            None,
        ),
        (bcrypt(15), "bcrypt cost", Some(bcrypt(14))),
        (bcrypt(31), "bcrypt cost", None),
        (bcrypt(99), "bcrypt cost", None),
        (
            format!("$wp{}", bcrypt(15)),
            "bcrypt cost",
            Some(format!("$wp{}", bcrypt(14))),
        ),
        (
            format!("bcrypt_sha256${}", bcrypt(15)),
            "bcrypt cost",
            Some(format!("bcrypt_sha256${}", bcrypt(14))),
        ),
        (format!("{{CRYPT}}{}", bcrypt(31)), "bcrypt cost", None),
        (passlib_bcrypt(15), "bcrypt cost", Some(passlib_bcrypt(14))),
        (scrypt(19, 8, 1), "binary logarithm of scrypt N", Some(scrypt(18, 8, 1))),
        (scrypt(30, 8, 1), "binary logarithm of scrypt N", None),
        (scrypt(14, 17, 1), "scrypt block size (r)", Some(scrypt(14, 16, 1))),
        (scrypt(14, 8, 17), "scrypt p", Some(scrypt(14, 8, 5))),
        (scrypt(18, 16, 5), "scrypt N x r x p", Some(scrypt(18, 16, 4))),
        (django(1 << 19), "scrypt N", Some(django(1 << 18))),
        (django(1 << 30), "scrypt N", None),
        (werkzeug(1 << 19), "scrypt N", Some(werkzeug(1 << 18))),
        (
            format!("$7$H6..../....salt${}", ".".repeat(43)),
            "binary logarithm of scrypt N",
            None,
        ),
        (
            format!("$7$5zzzzz/....salt${}", ".".repeat(43)),
            "scrypt block size (r)",
            None,
        ),
        (
            pbkdf2("sha1", 2_000_001),
            "PBKDF2 iterations",
            Some(pbkdf2("sha1", 2_000_000)),
        ),
        (
            pbkdf2("sha256", 1_000_000_000),
            "PBKDF2 iterations",
            Some(pbkdf2("sha256", 2_000_000)),
        ),
        (
            pbkdf2("sha512", u64::from(u32::MAX) + 2),
            "PBKDF2 iterations",
            Some(pbkdf2("sha512", 2_000_000)),
        ),
        (
            format!("pbkdf2_sha256$1000000000$salt${DIGEST}"),
            "PBKDF2 iterations",
            None,
        ),
        (
            format!("pbkdf2:sha256:1000000000$salt${}", "ab".repeat(32)),
            "PBKDF2 iterations",
            None,
        ),
        (
            format!("{{PBKDF2-SHA512}}1000000000${SALT}${DIGEST}"),
            "PBKDF2 iterations",
            None,
        ),
        // ASP.NET version 3: SHA-256, 0x7fffffff iterations, 16 bytes of salt.
        (
            format!("AQAAAAF/////AAAAEA{}", "A".repeat(66)),
            "PBKDF2 iterations",
            None,
        ),
        (sha(5, 1_000_001), "sha-crypt rounds", Some(sha(5, 1_000_000))),
        (sha(6, 999_999_999), "sha-crypt rounds", Some(sha(6, 1_000_000))),
        (phpass('H'), "binary logarithm of phpass rounds", Some(phpass('G'))),
        (phpass('S'), "binary logarithm of phpass rounds", None),
        (yescrypt("jH5"), "binary logarithm of yescrypt N", Some(yescrypt("jF5"))),
        (yescrypt("j9kE"), "yescrypt block size (r)", Some(yescrypt("j9kD"))),
        (yescrypt("jFT"), "yescrypt N x r", None),
        (yescrypt("j95.1"), "yescrypt p", Some(yescrypt("j95.0"))),
        (yescrypt("j95/8"), "yescrypt t", Some(yescrypt("j95/7"))),
    ]
}

#[test]
fn c08_parameter_bombs_are_refused_by_name_where_the_text_comes_in() {
    for (text, named, allowed) in bombs() {
        match parse(&text) {
            Err(HashRefused::CostTooHigh { what, got, cap }) => {
                assert_eq!(what, named, "{text}");
                assert!(got > cap, "{text}: {got} against {cap}");
            }
            other => panic!("{text}: {other:?}"),
        }
        if let Some(text) = allowed {
            let hash = parse(&text).unwrap_or_else(|refused| panic!("{text}: {refused}"));
            assert!(hash.cost().memory_kib <= 512 * 1024, "{text}");
        }
    }
}

#[test]
fn c08_a_row_that_turned_into_a_bomb_is_refused_where_it_is_verified() {
    // What the store has is text, and every verification goes through the same parser: no path computes an unparsed text.
    let mut arena = Arena::new();
    let stored = hash_new(b"secret", [3; 16], Argon2Params::DEFAULT, &mut arena)
        .expect("memory")
        .text();
    let tampered = stored.replace("m=19456", "m=4194304");
    assert_ne!(stored, tampered);
    let held = arena.held_kib();
    let verdict = parse(&tampered).map(|hash| hash.verify(b"secret", &mut arena));
    assert_eq!(
        verdict.expect_err("over the cap"),
        HashRefused::CostTooHigh {
            what: "Argon2 memory in KiB (m)",
            got: 4_194_304,
            cap: 262_144
        }
    );
    assert_eq!(arena.held_kib(), held);
    assert!(verify(&parse(&stored).expect("ours"), b"secret"));
}

#[test]
fn c08_our_own_parameters_and_firebase_s_are_capped_too() {
    assert!(Argon2Params::new(262_144, 10, 16).is_ok());
    for (m_kib, t, p) in [
        (262_145, 2, 1),
        (19_456, 11, 1),
        (19_456, 2, 17),
        (19_456, 0, 1),
        (19_456, 2, 0),
        (15, 1, 2),
    ] {
        assert!(Argon2Params::new(m_kib, t, p).is_err(), "{m_kib} {t} {p}");
    }
    let key = "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==";
    assert!(FirebaseParameters::new(key, "Bw==", 16, 18).is_ok());
    assert!(matches!(
        FirebaseParameters::new(key, "Bw==", 8, 30),
        Err(HashRefused::CostTooHigh { .. })
    ));
    assert!(matches!(
        FirebaseParameters::new(key, "Bw==", 17, 14),
        Err(HashRefused::CostTooHigh { .. })
    ));
    let own = format!("{{firebase-scrypt:ln=30,r=8}}{key}$Bw$c2FsdA${key}");
    assert!(matches!(parse(&own), Err(HashRefused::CostTooHigh { .. })));
}

#[test]
fn c08_texts_and_passwords_have_a_longest() {
    let long = format!(
        "$argon2id$v=19$m=64,t=1,p=1${}${DIGEST}",
        "A".repeat(limits::MAX_TEXT_BYTES)
    );
    assert_eq!(parse(&long).expect_err("long"), HashRefused::TooLong);
    let hash = parse(&format!("$6$salt${}", ".".repeat(86))).expect("sha512-crypt");
    assert!(!verify(&hash, &vec![b'a'; limits::MAX_PASSWORD_BYTES + 1]));
}

/// A text and why it is refused.
fn malformed() -> Vec<(String, &'static str)> {
    let known = "known format, malformed";
    let unknown = "unknown format";
    let mut cases = vec![
        // 60 bytes that begin like bcrypt, with characters of several bytes where the library once cut through them.
        (format!("$2b$12${}", "\u{e9}".repeat(26)) + "a", known),
        (format!("$2b$1\u{e9}${}", "a".repeat(52)), known),
        (format!("$2b$12${}\u{20ac}{}", "a".repeat(20), "a".repeat(30)), known),
        (format!("$2\u{e9}$12{}", "a".repeat(53)), unknown),
        ("\u{20ac}".repeat(20), unknown),
        (format!("$2b$12${}", "a".repeat(52)), known),
        (format!("$2b$12${}", "a".repeat(54)), known),
        (format!("$2b$+4${BCRYPT_TAIL}"), known),
        (format!("$2b$03${BCRYPT_TAIL}"), known),
        (format!("$2b$4${BCRYPT_TAIL}"), known),
        (format!("$2b$012${BCRYPT_TAIL}"), known),
        (format!("$2$12${BCRYPT_TAIL}"), unknown),
        (format!("$wp$2x$12${BCRYPT_TAIL}"), known),
        (
            format!(
                "$bcrypt-sha256$v=3,t=2b,r=12${}${}",
                &BCRYPT_TAIL[..22],
                &BCRYPT_TAIL[22..]
            ),
            known,
        ),
        // Truncated PHC strings are made below. Parameters that are missing, doubled, strange or zero:
        (format!("$argon2id$v=19$m=64,t=1${SALT}${DIGEST}"), known),
        (format!("$argon2id$v=19$m=64,m=64,t=1,p=1${SALT}${DIGEST}"), known),
        (format!("$argon2id$v=19$m=64,t=1,p=1,keyid=AA${SALT}${DIGEST}"), known),
        (format!("$argon2id$v=18$m=64,t=1,p=1${SALT}${DIGEST}"), known),
        (format!("$argon2id$v=19$m=64,t=0,p=1${SALT}${DIGEST}"), known),
        (format!("$argon2id$v=19$m=64,t=1,p=0${SALT}${DIGEST}"), known),
        (format!("$argon2id$v=19$m=15,t=1,p=2${SALT}${DIGEST}"), known),
        (format!("$argon2id$v=19$m=-1,t=1,p=1${SALT}${DIGEST}"), known),
        (format!("$argon2id$v=19$m=64,t=1,p=1${SALT}${DIGEST}$more"), known),
        (format!("$argon2$v=19$m=64,t=1,p=1${SALT}${DIGEST}"), unknown),
        (format!("$scrypt$ln=0,r=8,p=1${SALT}${DIGEST}"), known),
        (format!("$scrypt$ln=4,r=0,p=1${SALT}${DIGEST}"), known),
        (format!("$scrypt$r=8,ln=4,p=1${SALT}${DIGEST}"), known),
        (format!("scrypt$1000$salt$8$1${DIGEST}"), known),
        (format!("scrypt$0$salt$8$1${DIGEST}"), known),
        (format!("$pbkdf2-sha256$0${SALT}${DIGEST}"), known),
        (format!("$pbkdf2-sha256$i=1000,l=31${SALT}${DIGEST}"), known),
        (format!("$pbkdf2-md5$1000${SALT}${DIGEST}"), unknown),
        (format!("pbkdf2:sha256$salt${}", "ab".repeat(32)), known),
        (format!("pbkdf2:md5:1$salt${}", "ab".repeat(32)), known),
        (format!("$5$rounds=999$salt${}", ".".repeat(43)), known),
        (format!("$5$rounds=x$salt${}", ".".repeat(43)), known),
        (format!("$5$rounds=1000${}", ".".repeat(43)), known),
        (format!("$5$seventeenbytesalt${}", ".".repeat(43)), known),
        (format!("$1$ninebytes${}", ".".repeat(22)), known),
        (format!("$5$salt${}z", ".".repeat(42)), known),
        (format!("$y$j9T$saltsalt${}", ".".repeat(42)), known),
        (format!("$y$j9T{}$saltsalt${}", '\u{e9}', ".".repeat(43)), known),
        (format!("$y$j953/2$saltsalt${}", ".".repeat(43)), known),
        (format!("$y$$saltsalt${}", ".".repeat(43)), known),
        (format!("$gy$j9T$saltsalt${}", ".".repeat(43)), unknown),
        (format!("$P$Bsaltsal\u{e9}{}", ".".repeat(22)), known),
        (format!("$P$4saltsalt{}", ".".repeat(22)), known),
        (format!("$P$Bsaltsalt{}", ".".repeat(21)), known),
        ("{md5}".into(), known),
        ("{md5}0123456789abcdef0123456789abcdeg".into(), known),
        ("{md5:salt-middle}salt$0123456789abcdef0123456789abcdef".into(), known),
        ("{md5:salt-first}0123456789abcdef0123456789abcdef".into(), known),
        ("{ntlm:salt-first}salt$0123456789abcdef0123456789abcdef".into(), known),
        ("{sha256}0123456789abcdef0123456789abcdef".into(), known),
        ("{SSHA}uJ6qx+YUFzQbcQtyd2gpTQ5qJ3s=".into(), known), // no salt
        ("{SHA}FLzWcQqyle6Mo7NvrwXCMAmRzXQxNjYxMTYzNw==".into(), known), // a salt
        ("{CLEARTEXT}secret".into(), unknown),
        ("{CRYPT}rl0uE3vSm9Zl6".into(), unknown), // DES
        ("{}".into(), unknown),
        ("{".into(), unknown),
        ("$".into(), unknown),
        ("$$".into(), unknown),
        ("{wrapped:md5}".into(), known),
        (
            format!("{{wrapped:md5}}$argon2i$v=19$m=64,t=1,p=1${SALT}${DIGEST}"),
            known,
        ),
        (
            format!("{{wrapped:md5:salt-last}}$argon2id$v=19$m=64,t=1,p=1${SALT}${DIGEST}"),
            known,
        ),
        (
            format!("{{wrapped:sha3}}$argon2id$v=19$m=64,t=1,p=1${SALT}${DIGEST}"),
            unknown,
        ),
        ("{firebase}c2FsdA==$aGFzaA==".into(), known), // no parameters
        ("{firebase-scrypt:ln=14,r=8}".into(), known),
        ("hunter2".into(), unknown),
        ("*".into(), unknown),
        ("!".into(), unknown),
        // ASP.NET: too short, too long, no such PRF.
        ("AAABAgMEBQYHCAkKCwwNDg+ukCEMDf0yyQ29NYubggE=".into(), unknown),
        (
            "AAABAgMEBQYHCAkKCwwNDg+ukCEMDf0yyQ29NYubggHIVY0sdEUfdyeM+E1LtH1uJgAAAAAAAAAAAAA=".into(),
            unknown,
        ),
        (
            "AQAAAAMAAAAyAAAAEOMwvh3+FZxqkdMBz2ekgGhwQ4B6pZWND6zgESBuWiHw".into(),
            unknown,
        ),
        ("AQAAAAIAAAAyAAAAEOMwvh3+FZxqkdMBz2ekgGhwQ4A=".into(), known),
        ("AQAAAAIAAAAy/////+MwvhEOMwvh3+FZxqkdMBz2ekgGhwQ4A=".into(), unknown),
    ];
    for digest in [
        "",
        "AAAA",
        "====",
        "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}",
        &"A".repeat(200),
    ] {
        cases.push((format!("$argon2id$v=19$m=64,t=1,p=1${SALT}${digest}"), known));
        cases.push((format!("$scrypt$ln=4,r=8,p=1${SALT}${digest}"), known));
        cases.push((format!("$pbkdf2-sha256$1000${SALT}${digest}"), known));
        cases.push((format!("scrypt$16$salt$8$1${digest}"), known));
        cases.push((format!("$6$salt${digest}"), known));
    }
    let huge = "A".repeat(4 * limits::MAX_SALT_BYTES / 3 + 4);
    for salt in ["AAAA", "!!!!!!!!!!!!!!!!", &huge] {
        cases.push((format!("$argon2id$v=19$m=64,t=1,p=1${salt}${DIGEST}"), known));
    }
    cases.push((format!("$scrypt$ln=4,r=8,p=1${huge}${DIGEST}"), known));
    cases.push((format!("$pbkdf2-sha256$1000${huge}${DIGEST}"), known));
    cases.push((format!("pbkdf2_sha256$1000${huge}${DIGEST}"), known));
    cases.push((
        format!("{{md5:salt-first}}{huge}$0123456789abcdef0123456789abcdef"),
        known,
    ));
    cases
}

#[test]
fn c09_malformed_hashes_are_refused_in_words() {
    for (text, expected) in malformed() {
        let found = match parse(&text) {
            Err(HashRefused::Malformed(why)) if !why.is_empty() => "known format, malformed",
            Err(HashRefused::UnknownFormat) => "unknown format",
            other => panic!("{text:?}: {other:?}"),
        };
        assert_eq!(found, expected, "{text:?}");
    }
}

#[test]
fn c09_empty_hashes_are_refused() {
    for text in ["", " ", "\t\r\n"] {
        assert_eq!(parse(text).expect_err("empty"), HashRefused::Empty);
    }
}

#[test]
fn c09_every_truncation_of_a_hash_is_refused_or_another_hash() {
    let whole = [
        format!("$argon2id$v=19$m=64,t=1,p=1${SALT}${DIGEST}"),
        format!("$2b$04${BCRYPT_TAIL}"),
        format!("$wp$2y$04${BCRYPT_TAIL}"),
        format!("$scrypt$ln=4,r=8,p=1${SALT}${DIGEST}"),
        format!("$pbkdf2-sha256$1000${SALT}${DIGEST}"),
        format!("$5$rounds=1000$salt${}", ".".repeat(43)),
        format!("$y$j75$saltsalt${}", ".".repeat(43)),
        format!("$P$7saltsalt{}", ".".repeat(22)),
        "{md5:salt-first}salt$0123456789abcdef0123456789abcdef".into(),
        format!("{{wrapped:md5:salt-last}}salt$$argon2id$v=19$m=64,t=1,p=1${SALT}${DIGEST}"),
        "AQAAAAIAAAAyAAAAEOMwvh3+FZxqkdMBz2ekgGhwQ4B6pZWND6zgESBuWiHw".into(),
    ];
    for text in whole {
        let hash = parse(&text).unwrap_or_else(|refused| panic!("{text}: {refused}"));
        for end in 0..text.len() {
            // A digest of variable length may lose its last digits and still be one; never the same one.
            if let Ok(shorter) = parse(&text[..end]) {
                assert!(!shorter.equal(&hash), "{}", &text[..end]);
                assert!(!verify(&shorter, b"secret"), "{}", &text[..end]);
            }
        }
    }
}

#[test]
fn bare_hex_needs_its_kind() {
    let digits = "9CC2AE8A1BA7A93DA39B46FC1019C481"; // MD5 of the password below
    assert_eq!(parse(digits).expect_err("bare"), HashRefused::BareHex);
    assert_eq!(parse(&digits.repeat(2)).expect_err("bare"), HashRefused::BareHex);
    let hinted = |word, text: &str| {
        let how = ParseHints {
            bare_hex: BareHex::from_word(word),
            firebase: None,
        };
        StoredHash::parse(text, &how)
    };
    let md5 = hinted("md5", digits).expect("md5");
    assert_eq!(md5.text(), "{md5}9cc2ae8a1ba7a93da39b46fc1019c481");
    assert!(verify(&md5, b"correct horse battery staple"));
    assert_eq!(hinted("ntlm", digits).expect("ntlm").kind(), HashKind::Ntlm);
    assert!(matches!(hinted("sha1", digits), Err(HashRefused::Malformed(_))));
    assert_eq!(
        hinted("sha256", &digits.repeat(2)).expect("sha256").kind(),
        HashKind::Sha256
    );
    // What says its kind itself is not overruled.
    assert_eq!(
        hinted("md5", "{sha1}b89eaac7e61417341b710b727768294d0e6a277b")
            .expect("sha1")
            .kind(),
        HashKind::Sha1
    );
    assert_eq!(BareHex::from_word("sha512"), None);
}

#[test]
fn a_salt_ends_at_the_last_dollar() {
    let text = "{md5:salt-first}a$b$$0123456789abcdef0123456789abcdef";
    assert_eq!(parse(text).expect("md5").text(), text);
    let empty = parse("{md5:salt-last}$0123456789abcdef0123456789abcdef").expect("md5");
    assert_eq!(empty.text(), "{md5}0123456789abcdef0123456789abcdef");
    // A salt that is no text, as LDAP has them, is kept in hex.
    let binary = parse("{SSHA}uJ6qx+YUFzQbcQtyd2gpTQ5qJ3v/AIA=").expect("sha1");
    assert_eq!(
        binary.text(),
        "{sha1:salt-last:hex}ff0080$b89eaac7e61417341b710b727768294d0e6a277b"
    );
    assert!(parse(&binary.text()).expect("ours").equal(&binary));
}

#[test]
fn one_hash_in_several_spellings_is_equal() {
    for (one, other) in [
        (
            "{SHA}uJ6qx+YUFzQbcQtyd2gpTQ5qJ3s=",
            "{sha1}B89EAAC7E61417341B710B727768294D0E6A277B",
        ),
        (
            "{SSHA}FLzWcQqyle6Mo7NvrwXCMAmRzXQxNjYxMTYzNw==",
            "{sha1:salt-last}16611637$14bcd6710ab295ee8ca3b36faf05c2300991cd74",
        ),
        (
            "sha1$fe76b$02d5916550edf7fc8c886f044887f4b1abf9b013",
            "{sha1:salt-first}fe76b$02d5916550edf7fc8c886f044887f4b1abf9b013",
        ),
        (
            "$2a$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG",
            "$2y$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG",
        ),
        (
            "$P$984478476IagS59wHZvyQMArzfx58u.",
            "$H$984478476IagS59wHZvyQMArzfx58u.",
        ),
        (
            "$5$GX7BopJZJxPc/KEK$le16UF8I2Anb.rOrn22AUPWvzUETDGefUmAV8AZkGcD",
            "$5$rounds=5000$GX7BopJZJxPc/KEK$le16UF8I2Anb.rOrn22AUPWvzUETDGefUmAV8AZkGcD",
        ),
        (
            "pbkdf2_sha256$1000$salt$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
            "$pbkdf2-sha256$1000$c2FsdA$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE",
        ),
    ] {
        let (one, other) = (parse(one).expect(one), parse(other).expect(other));
        assert!(
            one.equal(&other) && other.equal(&one),
            "{} and {}",
            one.text(),
            other.text()
        );
    }
}

#[test]
fn hashes_that_differ_in_anything_are_not_equal() {
    let texts = [
        "{md5}0123456789abcdef0123456789abcdef",
        "{md5}0123456789abcdef0123456789abcdee",
        "{ntlm}0123456789abcdef0123456789abcdef",
        "{md5:salt-first}a$0123456789abcdef0123456789abcdef",
        "{md5:salt-last}a$0123456789abcdef0123456789abcdef",
        "{md5:salt-last}b$0123456789abcdef0123456789abcdef",
        "$2b$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG",
        "$2x$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG",
        "$2b$05$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG",
        "bcrypt_sha256$$2b$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG",
        "$wp$2y$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG",
        "$1$28772684$iEwNOgGugqO9.bIz5sk8k/",
        "$apr1$28772684$iEwNOgGugqO9.bIz5sk8k/",
    ];
    for one in texts {
        for other in texts {
            assert_eq!(
                parse(one).expect(one).equal(&parse(other).expect(other)),
                one == other,
                "{one} and {other}"
            );
        }
    }
}

#[test]
fn a_wrapped_hash_knows_its_inner_one_and_no_other() {
    let params = Argon2Params::new(64, 1, 1).expect("within the caps");
    let mut arena = Arena::new();
    let texts = [
        "{md5}0123456789abcdef0123456789abcdef",
        "{md5}0123456789abcdef0123456789abcdee",
        "{ntlm}0123456789abcdef0123456789abcdef",
        "{md5:salt-first}a$0123456789abcdef0123456789abcdef",
        "{md5:salt-last}a$0123456789abcdef0123456789abcdef",
        "{md5:salt-last}a$$argon2id$b$0123456789abcdef0123456789abcdef",
    ];
    for one in texts {
        let weak = parse(one).expect(one);
        let wrapped = weak.wrap([9; 16], params, &mut arena).expect("memory").expect("weak");
        assert!(!wrapped.is_weak_fast() && !wrapped.equal(&weak), "{one}");
        assert!(!wrapped.text().contains("0123456789abcde"), "the weak digest is gone");
        assert!(parse(&wrapped.text()).expect(one).equal(&wrapped));
        assert_eq!(
            wrapped
                .wrap([9; 16], params, &mut arena)
                .expect("memory")
                .map(|hash| hash.kind()),
            None
        );
        for other in texts {
            let inner = parse(other).expect(other);
            assert_eq!(
                wrapped.matches_inner(&inner, &mut arena),
                Ok(one == other),
                "{one} and {other}"
            );
        }
        assert_eq!(weak.matches_inner(&wrapped, &mut arena), Ok(false));
    }
}

#[test]
fn debug_and_errors_tell_no_digest_and_no_key() {
    let parameters = FirebaseParameters::new("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMQ==", "Bw==", 8, 14).expect("parameters");
    let hash = parse("{md5:salt-first}pepper$0123456789abcdef0123456789abcdef").expect("md5");
    assert_eq!(format!("{hash:?}"), "StoredHash(md5)");
    assert_eq!(format!("{parameters:?}"), "FirebaseParameters");
    for (text, _) in malformed() {
        let refused = parse(&text).expect_err(&text);
        let said = format!("{refused} {refused:?}");
        assert!(!said.contains(DIGEST) && !said.contains("0123456789abcdef"), "{said}");
    }
}

#[test]
fn every_kind_has_its_word() {
    for kind in HashKind::ALL {
        assert_eq!(HashKind::from_word(kind.word()), Some(kind));
    }
    assert_eq!(HashKind::from_word("des"), None);
}

/// As far as passwords are tested and not yet set: what is one password to its owner is tried as one, and nothing else is.
#[test]
fn c10_password_charset_forms_are_tried_and_nothing_is_cut() {
    let opens = |hash: &StoredHash, typed: &[u8]| candidate_forms(typed).iter().any(|form| verify(hash, form));
    let native = |password: &[u8]| {
        let params = Argon2Params::new(64, 1, 1).expect("within the caps");
        hash_new(password, [7; 16], params, &mut Arena::new()).expect("64 KiB are there")
    };
    let composed = native("Zo\u{eb}\u{212b}".nfc().collect::<String>().as_bytes());
    assert!(
        opens(&composed, "Zoe\u{308}A\u{30a}".as_bytes()),
        "NFD typed, NFC stored"
    );
    assert!(opens(&composed, b"Zo\xeb\xc5"), "Latin-1 leaked, UTF-8 stored");
    assert!(
        opens(&composed, "  Zo\u{eb}\u{c5}\t".as_bytes()),
        "outer blanks of a leak"
    );
    for (stored, other) in [
        ("a\0b".as_bytes(), "a".as_bytes()),
        (b"a\r\nb", b"a"),
        (b"two words", b"twowords"),
        (b"Case", b"case"),
    ] {
        assert!(
            opens(&native(stored), stored) && !opens(&native(stored), other),
            "{stored:?}"
        );
    }
    let emoji = "\u{1f511}".repeat(64);
    let nearly = format!("{}\u{1f512}", "\u{1f511}".repeat(63));
    assert!(opens(&native(emoji.as_bytes()), emoji.as_bytes()) && !opens(&native(emoji.as_bytes()), nearly.as_bytes()));
}
