//! Bounces in the forms in which they come, and everything that looks like one.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::path::Path;

use proptest::prelude::*;
use rightful_notify::Class;
use rightful_notify::bounce::{Bounce, BounceRefused, read};

fn file(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bounces").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn bounce(token: &str, recipient: &str, class: Class, status: Option<&str>) -> Bounce {
    Bounce {
        token: Some(token.to_owned()),
        recipient: Some(recipient.to_owned()),
        class,
        status: status.map(str::to_owned),
    }
}

/// As it lies on disk, and with the line ends of the wire.
fn check(name: &str, expected: &Result<Vec<Bounce>, BounceRefused>) {
    let unix = file(name);
    let wire = String::from_utf8(unix.clone()).unwrap().replace('\n', "\r\n");
    assert_eq!(&read(&unix), expected, "{name}");
    assert_eq!(&read(wire.as_bytes()), expected, "{name} with CR LF");
}

#[test]
fn reports_are_read() {
    for (name, expected) in [
        (
            "postfix-unknown.eml",
            bounce("k7m4qx2p", "anna@owner.example", Class::Hard, Some("5.1.1")),
        ),
        (
            "gmail-full.eml",
            bounce("a2b3c4d5", "ben@owner.example", Class::Soft, Some("5.2.2")),
        ),
        (
            "microsoft-blocked.eml",
            bounce("z9y8x7w6", "cleo@outlook.example", Class::Blocked, Some("5.7.1")),
        ),
        // Time ran out: final for the message, not for the address. It came to another address; the original has the token.
        (
            "expired-timeout.eml",
            bounce("t1m30u7", "dora@slow.example", Class::Soft, Some("4.4.1")),
        ),
        // A status that says nothing, so what the server said counts.
        (
            "vague-status.eml",
            bounce("vagu3", "emil@owner.example", Class::Hard, Some("5.0.0")),
        ),
    ] {
        check(name, &Ok(vec![expected]));
    }
}

#[test]
fn free_forms_are_read() {
    let qmail = vec![
        bounce("qm41l", "fritz@old.example", Class::Hard, Some("5.1.1")),
        bounce("qm41l", "gerda@old.example", Class::Soft, Some("5.2.2")),
    ];
    check("qmail.eml", &Ok(qmail));
    for (name, expected) in [
        (
            "exim.eml",
            bounce("3x1m", "hans@exim.example", Class::Hard, Some("5.1.1")),
        ),
        (
            "postfix-text.eml",
            bounce("p0stf1x", "ida@plain.example", Class::Blocked, Some("5.7.1")),
        ),
        (
            "exchange.eml",
            bounce("3xch4ng3", "kurt@corp.example", Class::Hard, Some("5.1.1")),
        ),
        ("pipe-mbox.eml", bounce("mb0x", "mia@plain.example", Class::Hard, None)),
    ] {
        check(name, &Ok(vec![expected]));
    }
}

#[test]
fn a_bounce_that_gives_no_reason_makes_no_address_dead() {
    let expected = Bounce {
        token: Some("n0th1ng".to_owned()),
        recipient: None,
        class: Class::Soft,
        status: None,
    };
    check("nothing-known.eml", &Ok(vec![expected]));
}

#[test]
fn a_receiver_that_is_named_twice_is_told_of_twice_and_alike() {
    let bounces = read(&file("exchange-german.eml")).unwrap();
    assert!(!bounces.is_empty());
    assert!(bounces.iter().any(|bounce| bounce.status.as_deref() == Some("5.2.2")));
    for bounce in bounces {
        assert_eq!(bounce.recipient.as_deref(), Some("lena@firma.example"));
        assert_eq!((bounce.token.as_deref(), bounce.class), (Some("f1rm4"), Class::Soft));
    }
}

#[test]
fn what_is_only_delayed_has_not_failed() {
    check("delayed-report.eml", &Ok(vec![]));
    check("exim-warning.eml", &Ok(vec![]));
}

#[test]
fn answers_receipts_letters_and_loops_are_no_bounces() {
    for (name, refused) in [
        ("out-of-office.eml", BounceRefused::AutoReply),
        ("vacation.eml", BounceRefused::AutoReply),
        ("receipt.eml", BounceRefused::AutoReply),
        ("person.eml", BounceRefused::NotBounce),
        ("loop.eml", BounceRefused::Loop),
    ] {
        check(name, &Err(refused));
    }
    for nothing in [&b""[..], b"\n\n\n", b"hello", b"From x\n"] {
        assert!(read(nothing).is_err(), "{nothing:?}");
    }
}

#[test]
fn every_file_of_the_corpus_is_expected_somewhere() {
    let tests = include_str!("bounces.rs");
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bounces")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(tests.contains(&format!("\"{name}\"")), "nothing reads {name}");
    }
}

#[test]
fn a_huge_bounce_is_read_as_far_as_it_matters() {
    let mut huge = file("postfix-unknown.eml");
    huge.extend(b"x".repeat(20 << 20));
    assert_eq!(read(&huge).unwrap().len(), 1);
    let mut many = b"Return-Path: <>\r\nFrom: MAILER-DAEMON@x.example\r\nSubject: failure notice\r\n\r\n".to_vec();
    for n in 0..10_000 {
        many.extend(format!("<a{n}@x.example>: user unknown\r\n").into_bytes());
    }
    assert!(read(&many).unwrap().len() <= 16);
}

fn assert_bounded(result: &Result<Vec<Bounce>, BounceRefused>) {
    let Ok(bounces) = result else { return };
    assert!(bounces.len() <= 16);
    for bounce in bounces {
        assert!(bounce.token.as_ref().is_none_or(|token| token.len() <= 57));
        assert!(bounce.status.as_ref().is_none_or(|status| status.len() <= 9));
        let recipient = bounce.recipient.as_deref().unwrap_or_default();
        assert!(recipient.chars().count() <= 254 && !recipient.chars().any(char::is_control));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..4096)) {
        assert_bounded(&read(&bytes));
    }

    /// A true bounce with a piece of it replaced by anything.
    #[test]
    fn damaged_bounces_are_read_or_refused(
        name in prop::sample::select(vec!["postfix-unknown.eml", "qmail.eml", "exim.eml", "exchange.eml", "gmail-full.eml"]),
        at in any::<prop::sample::Index>(),
        gone in 0_usize..200,
        put in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut bytes = file(name);
        let at = at.index(bytes.len());
        let end = (at + gone).min(bytes.len());
        bytes.splice(at..end, put);
        assert_bounded(&read(&bytes));
    }

    /// Bounces made of the words that the reader looks for.
    #[test]
    fn bounces_of_known_words_are_read_or_refused(
        lines in prop::collection::vec(
            prop::sample::select(vec![
                "Return-Path: <>", "From: mailer-daemon@x", "Subject: failure notice", "", "<a@b.example>:", "'", "<", "@",
                "Content-Type: multipart/report; boundary=b", "--b", "--b--", "Content-Type: message/delivery-status",
                "Content-Type: message/rfc822", "Action: failed", "Status: 5.1.1", "Status: ", "Final-Recipient: rfc822;",
                "X-Failed-Recipients: a@b.c", "550 5.1.1", "é@é.é", "To: bounce+a@b.c", "Content-Transfer-Encoding: base64",
            ]),
            0..40,
        ),
    ) {
        assert_bounded(&read(lines.join("\n").as_bytes()));
    }
}
