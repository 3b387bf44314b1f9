//! What holds for every text, however broken: it is read to its end, every line is counted once, and it does not matter
//! where the reading was interrupted.

mod cases;
mod parse_support;

use cases::cases;
use parse_support::{Kept, lines_of, read};
use proptest::prelude::*;
use rightful_leaks::parse::{Bin, LineParser, MAX_READINGS, MalformedReason};

/// Bits of which leaks are made, so that chance meets every format.
fn bits() -> impl Strategy<Value = Vec<u8>> {
    let bit = prop_oneof![
        3 => prop::sample::select(vec![
            "\n", "\n", "\n", "\n", ":", ";", ",", "|", "\t", " ", "\"", "'", "\"\"", "\\", "{", "}", "[", "]", "(", ")", "=", "/", "\r",
            "},", "}, {", "{\"email\":\"", "\"password\":\"", "{\n", "\"a\": {", "-----", "#", "\0", "\u{feff}",
        ]).prop_map(str::to_owned),
        3 => prop::sample::select(vec![
            "ann@example.com", "bob", "12", "hunter2", "https://a.example/", "a.example:8080", "x.example/p", "+4915112345678",
            "5f4dcc3b5aa765d61d8327deb882cf99", "$2y$10$abcdefghijklmnopqrstuv", "URL: ", "Username: ", "Password: ", "USER:", "PASS:",
            "Login - ", "SOFT: x", "email,password,note", "id;\"login\";pass", "username\tpassword\turl", "email:hash:salt",
            "INSERT INTO `u` (`email`,`pass`) VALUES ", "('a@b.example','x'),", "(1,'x", "');", "CREATE TABLE u (", " `email` text,",
            ") ENGINE=x;", "COPY u (email, pw) FROM stdin;", "\\.", "-- x", "NULL", "N'a'", "0x6162",
        ]).prop_map(str::to_owned),
        1 => "\\PC{0,6}".prop_map(|text| text),
    ];
    prop::collection::vec(bit, 0..60).prop_map(|bits| bits.concat().into_bytes())
}

/// Reads lines into `kept` from a state.
fn go_on<'l>(parser: &mut LineParser, first: u64, lines: impl Iterator<Item = &'l [u8]>, kept: &mut Kept) {
    for (number, line) in (first..).zip(lines) {
        parser.line(number, line, kept);
    }
}

proptest! {
    #![proptest_config(cases(1000, u32::MAX))]

    #[test]
    fn every_line_is_counted_once(text in bits()) {
        let kept = read(&text);
        for record in &kept.records {
            prop_assert!((1..=MAX_READINGS).contains(&record.readings.len()));
            for reading in &record.readings {
                prop_assert!(!reading.secret.is_empty());
                prop_assert!(!reading.names.is_empty() && reading.names.iter().all(|name| !name.is_empty()));
            }
        }
    }

    #[test]
    fn every_line_of_any_bytes_is_counted_once(text in prop::collection::vec(any::<u8>(), 0..400)) {
        read(&text);
    }

    #[test]
    fn an_interruption_changes_nothing(text in bits(), cut in any::<prop::sample::Index>()) {
        let whole = read(&text);
        let lines: Vec<&[u8]> = lines_of(&text).collect();
        let cut = cut.index(lines.len() + 1);
        let mut kept = Kept::default();
        let mut parser = LineParser::new();
        go_on(&mut parser, 1, lines[..cut].iter().copied(), &mut kept);
        let stored = serde_json::to_string(&parser).unwrap();
        let mut again: LineParser = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(&again, &parser);
        go_on(&mut again, cut as u64 + 1, lines[cut..].iter().copied(), &mut kept);
        go_on(&mut parser, cut as u64 + 1, lines[cut..].iter().copied(), &mut Kept::default());
        prop_assert_eq!(&again, &parser);
        again.finish(&mut kept);
        prop_assert_eq!(kept, whole);
    }

    #[test]
    fn an_over_long_line_ends_what_is_pending(text in bits(), rest in bits()) {
        let mut kept = Kept::default();
        let mut parser = LineParser::new();
        let lines = lines_of(&text).count() as u64;
        go_on(&mut parser, 1, lines_of(&text), &mut kept);
        parser.overlong(lines + 1, &mut kept);
        prop_assert!(parser.is_between_records());
        prop_assert_eq!(kept.lines(), lines + 1);
        prop_assert_eq!(kept.bins[Bin::Malformed(MalformedReason::TooLong).index()], 1);
        go_on(&mut parser, lines + 2, lines_of(&rest), &mut kept);
        prop_assert_eq!(kept.lines() + parser.pending_lines(), lines + 1 + lines_of(&rest).count() as u64);
    }
}

/// A text that nothing closes.
fn check_bounded(opening: &str, line: &str) {
    let mut parser = LineParser::new();
    let mut kept = Kept::default();
    let mut given = 0;
    for line in opening.lines().chain(std::iter::repeat_n(line, 5000)) {
        given += 1;
        parser.line(given, line.as_bytes(), &mut kept);
        assert!(parser.pending_lines() <= 64, "{opening:?}");
        assert_eq!(kept.lines() + parser.pending_lines(), given);
    }
    let stored = serde_json::to_vec(&parser).expect("a state is plain data").len();
    assert!(stored < 1 << 20, "{stored} bytes of state after {opening:?}");
}

#[test]
fn what_is_never_closed_is_given_up() {
    let long = "x".repeat(3000);
    for line in [
        "",
        "x",
        "ann@example.com:hunter2",
        &long,
        "{",
        "\"",
        "(1,'x",
        "Note: x",
        "Password: x",
    ] {
        check_bounded("email,password\nann@example.com,\"", line);
        check_bounded("{", line);
        check_bounded("INSERT INTO u VALUES\n(1,'x", line);
        check_bounded("URL: https://a.example/", line);
        check_bounded("CREATE TABLE u (", line);
    }
}

#[test]
fn what_follows_a_quotation_that_is_never_closed_is_read() {
    let mut text = b"email,password\nann@example.com,\"open\n".to_vec();
    for number in 0..500 {
        text.extend(format!("user{number}@example.com,pass{number}\n").into_bytes());
    }
    let kept = read(&text);
    assert_eq!(kept.record_lines, 501);
    for (number, record) in kept.records.iter().skip(1).enumerate() {
        assert_eq!(record.readings[0].names, [format!("user{number}@example.com")]);
        assert_eq!(record.readings[0].secret, format!("pass{number}").into_bytes());
    }
}

#[test]
fn deep_nesting_is_no_json() {
    let text = format!(
        "{}{}\nann@example.com:x\n",
        "{\"a\":".repeat(30_000),
        "[".repeat(30_000)
    );
    let kept = read(text.as_bytes());
    assert_eq!(
        kept.records.last().map(|record| record.readings[0].secret.clone()),
        Some(b"x".to_vec())
    );
}

#[test]
fn the_state_between_records_is_the_predicted_one() {
    let check = |text: &str| {
        let mut parser = LineParser::new();
        let mut predicted = None;
        for (number, line) in (1..).zip(text.lines()) {
            parser.line(number, line.as_bytes(), &mut Kept::default());
            if number == 2 {
                predicted = Some(parser.settled());
            }
        }
        assert!(parser.is_between_records());
        assert_eq!(Some(parser), predicted, "{text}");
    };
    check("ann@example.com:a\nbob@example.com:b\ncarla@example.com:c\n");
    check("email,password\nann@example.com,a\nbob@example.com,b\n\ncarla@example.com:c\ndora@example.com,\"d\ne\"\n");
    check(
        "URL: https://a.example/\nUsername: ann\nPassword: a\n\nURL: https://b.example/\nUsername: bob\nPassword: b\n\n",
    );
}
