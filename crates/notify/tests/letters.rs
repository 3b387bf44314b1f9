//! Every message, in every language, as it is sent.
//!
//! The expected texts lie in `tests/letters/`. After a change of words: `REGENERATE=1 cargo test -p rightful-notify --test
//! letters`, then read the difference as its receivers would.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod samples;

use std::path::Path;

use rightful_notify::{Browser, Code, LeakSource, Letter, Locale, Names, Notice, render};

use crate::samples::{AT, CODE, NUMBER, samples};

fn names(owner: Option<&str>) -> Names<'_> {
    Names { site: "Example", owner }
}

/// Calls `look` with every message, its name and its language.
fn for_each(look: impl Fn(&str, Locale, &Notice, &Letter)) {
    for (name, notice) in samples() {
        for locale in Locale::ALL {
            let letter = render(&notice, NUMBER, locale, &names(Some("Anna")));
            look(name, locale, &notice, &letter);
        }
    }
}

fn expect(file: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/letters").join(file);
    if std::env::var_os("REGENERATE").is_some() {
        std::fs::write(&path, actual).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        actual, expected,
        "{file} is not as expected (REGENERATE=1 writes it anew)"
    );
}

#[test]
fn every_message_reads_as_it_was_last_read_by_a_person() {
    for_each(|name, locale, _, letter| {
        let word = locale.word();
        expect(
            &format!("{name}.{word}.txt"),
            &format!("{}\n\n{}", letter.subject, letter.text),
        );
        expect(&format!("{name}.{word}.html"), &letter.html);
    });
}

#[test]
fn there_is_a_sample_of_every_kind() {
    let samples = samples();
    for kind in Notice::KINDS {
        assert!(
            samples.iter().any(|(_, notice)| notice.kind() == kind),
            "no sample of {kind}"
        );
    }
    for (name, notice) in samples {
        let sealed = serde_json::to_value(&notice).unwrap();
        assert_eq!(sealed["kind"], notice.kind(), "{name}");
        assert_eq!(serde_json::from_value::<Notice>(sealed).unwrap(), notice, "{name}");
    }
}

#[test]
fn every_message_carries_its_number_and_how_to_check_it_and_no_link() {
    for_each(|name, _, _, letter| {
        for body in [&letter.text, &letter.html] {
            assert_eq!(body.matches(NUMBER).count(), 1, "{name}");
            assert!(
                body.contains("Check a message") || body.contains("Nachricht prüfen"),
                "{name}"
            );
            let lower = body.to_lowercase();
            for sign in [
                "http", "://", "www.", "mailto:", "<a", "href", "src=", "url(", "<img", "<script",
            ] {
                assert!(!lower.contains(sign), "{name} holds {sign}");
            }
        }
    });
}

#[test]
fn no_message_shouts_or_alarms() {
    for_each(|name, _, _, letter| {
        let html = letter.html.replace("<!doctype", "<doctype");
        for text in [&letter.subject, &letter.text, &html] {
            let lower = text.to_lowercase();
            for word in [
                "!",
                "urgent",
                "immediately",
                "suspended",
                "closed",
                "verify",
                "dringend",
                "sofort",
                "gesperrt",
                "umgehend",
            ] {
                assert!(!lower.contains(word), "{name} says {word}");
            }
        }
    });
}

#[test]
fn a_subject_is_short_and_holds_no_code_and_no_number() {
    for_each(|name, _, _, letter| {
        assert!(letter.subject.chars().count() <= 78, "{name}: {}", letter.subject);
        assert!(
            !letter.subject.contains(CODE) && !letter.subject.contains(NUMBER),
            "{name}"
        );
        assert!(letter.subject.contains("Example"), "{name}");
    });
}

#[test]
fn codes_stand_in_code_messages_only() {
    for_each(|name, _, notice, letter| {
        assert_eq!(letter.text.contains(CODE), notice.is_code(), "{name}");
        assert_eq!(letter.html.contains(CODE), notice.is_code(), "{name}");
        assert_eq!(format!("{letter:?}"), "Letter(hidden)");
    });
}

#[test]
fn when_our_own_table_leaked_no_other_site_is_named() {
    for not_broken_into in [true, false] {
        for locale in Locale::ALL {
            let notice = Notice::TurnedOff {
                at: AT,
                source: LeakSource::Ours,
                site_not_broken_into: not_broken_into,
            };
            let text = render(&notice, NUMBER, locale, &names(None)).text;
            for blame in ["another", "not broken", "anderen Website", "nicht eingebrochen"] {
                assert!(!text.contains(blame), "{text}");
            }
        }
    }
}

#[test]
fn text_and_html_say_the_same() {
    for_each(|name, _, _, letter| {
        let body = letter.html.split("<body").nth(1).unwrap();
        let said = |text: &str| text.split_whitespace().collect::<String>();
        let mut bare = String::new();
        let mut inside_tag = true;
        for c in body
            .replace("&#39;", "'")
            .replace("&quot;", "\"")
            .replace("&amp;", "&")
            .chars()
        {
            match c {
                '<' => inside_tag = true,
                '>' => inside_tag = false,
                _ if !inside_tag => bare.push(c),
                _ => {}
            }
        }
        assert_eq!(said(&bare), said(&letter.text), "{name}");
    });
}

#[test]
fn a_stranger_is_not_greeted_by_a_name_that_another_chose() {
    for notice in samples()
        .into_iter()
        .map(|(_, notice)| notice)
        .filter(Notice::is_to_stranger)
    {
        let letter = render(&notice, NUMBER, Locale::En, &names(Some("You won")));
        assert!(
            !letter.text.contains("won") && !letter.html.contains("won"),
            "{}",
            notice.kind()
        );
    }
}

/// I01, the words: names, browsers, places, addresses and the site's name may hold anything; what stands in a message is
/// inert. `tests/mail.rs` has the headers.
#[test]
fn i01_hostile_names_are_inert_in_text_and_html() {
    let long = "x".repeat(10_240);
    let hostile = [
        "Anna\r\nBcc: thief@evil.example\r\n\r\nhello",
        "a\0b\u{1b}[31m",
        "{{7*7}} ${7*7} { $number } <%= 7*7 %>",
        "<script>alert(1)</script><a href=x>y</a><img src=x>",
        "https://evil.example/login",
        "www.evil.example",
        "evil.example",
        "call +1 (800) 555-0199",
        "mailto:thief@evil.example",
        "\u{202E}gnp.exe\u{2066}",
        "a\u{3002}evil\u{FF0E}example\u{FF61}com",
        "\"><svg onload=x>",
        &long,
    ];
    for value in hostile {
        let browser = Browser {
            name: Some(value.to_owned()),
            system: Some(value.to_owned()),
        };
        let place = Some(value.to_owned());
        let notices = [
            Notice::NewBrowser { at: AT, browser, place },
            Notice::AddressChanged {
                at: AT,
                masked_new: value.to_owned(),
                to_old: true,
            },
            Notice::SignUpCode { code: Code::new(value) },
        ];
        for (notice, locale) in notices
            .iter()
            .flat_map(|notice| Locale::ALL.map(|locale| (notice, locale)))
        {
            let names = Names {
                site: value,
                owner: Some(value),
            };
            let letter = render(notice, value, locale, &names);
            assert!(
                !letter.subject.chars().any(char::is_control),
                "{value:?}: {}",
                letter.subject
            );
            for body in [&letter.text, &letter.html] {
                assert_inert(value, body);
            }
            let tags = letter.html.matches('<').count();
            let honest = render(notice, NUMBER, locale, &self::names(Some("Anna"))).html;
            // A number that is not one has no tag of its own around it.
            assert!(tags <= honest.matches('<').count(), "{value:?} made a tag");
            assert!(letter.html.len() < honest.len() + 4_096, "{value:?} made it long");
        }
    }
}

fn assert_inert(value: &str, body: &str) {
    assert!(!body.chars().any(|c| c.is_control() && c != '\n'), "{value:?}");
    assert!(!body.contains(['\u{202E}', '\u{2066}']), "{value:?}");
    for sign in [
        "49",
        "://",
        "www.",
        "evil.example",
        "@evil",
        "mailto:",
        "<a ",
        "<svg",
        "<img",
        "<script",
        "Bcc: ",
    ] {
        assert!(!body.contains(sign), "{value:?} left {sign} in {body}");
    }
}
