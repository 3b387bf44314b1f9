//! What becomes of a leaked secret, rule by rule.

mod scan_support;

use std::collections::BTreeMap;
use std::sync::Arc;

use rightful_core::{Grade, Kind, PasswordVersion};
use rightful_leaks::account::Passwords;
use rightful_leaks::parse::{Bin, MalformedReason};
use rightful_leaks::scan::{Exposure, Finished};
use rightful_leaks::unpack::LeakSource;
use rightful_leaks::unpack::lines::Sizes;
use scan_support::{
    Member, MemoryLedger, Site, Way, md5_hex, ntlm_hex, run, sha1_salted_hex, sha256_hex, stored, tagger, wrapped,
};

/// An account whose passwords are stored as these texts.
fn member(index: u32, names: &[&str], current: Option<&str>, former: &[&str]) -> Member {
    let current = current.map(|text| match text.strip_prefix("wrap ") {
        Some(weak) => wrapped(weak),
        None => stored(text),
    });
    Member {
        index,
        number: i64::from(index) + 100,
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        passwords: Arc::new(Passwords {
            version: current.is_some().then_some(PasswordVersion(3)),
            current,
            former: former.iter().map(|text| stored(text)).collect(),
            replaced: Vec::new(),
        }),
        truth: BTreeMap::new(),
        gone: false,
    }
}

fn md5(password: &str) -> String {
    format!("{{md5}}{}", md5_hex(password.as_bytes()))
}

/// Anna, whose password is known.
fn anna(password: &str) -> Site {
    Site::of(vec![member(1, &["anna@example.org"], Some(&md5(password)), &[])])
}

fn scan(site: &Site, leak: impl AsRef<[u8]>, way: Way) -> Finished {
    scan_with(leak, way, site, &mut MemoryLedger::new(site))
}

fn scan_with(leak: impl AsRef<[u8]>, way: Way, site: &Site, ledger: &mut MemoryLedger<'_>) -> Finished {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("leak.txt");
    std::fs::write(&path, leak).expect("room for the leak");
    run(site, &[LeakSource::Path(path)], way, ledger)
}

/// Account, grade, kind and line of every exposure, by account and line.
fn found(finished: &Finished) -> Vec<(u32, Grade, Kind, u64)> {
    let told = |found: &Exposure| (found.account, found.grade, found.kind, found.place.line);
    let mut found: Vec<_> = finished.exposures.iter().map(told).collect();
    found.sort_by_key(|told| (told.0, told.3));
    found
}

#[track_caller]
fn finds(site: &Site, leak: impl AsRef<[u8]>, expected: &[(u32, Grade, Kind, u64)]) {
    assert_eq!(found(&scan(site, leak, Way::PLAIN)), expected);
}

/// What the only line of a leak says about the only account.
#[track_caller]
fn says(site: &Site, secret: &[u8], way: Way) -> Option<(Grade, Kind)> {
    let leak = [b"anna@example.org:", secret, b"\n"].concat();
    let finished = scan(site, leak, way);
    assert!(finished.exposures.len() <= 1, "one record makes one exposure");
    finished.exposures.first().map(|found| (found.grade, found.kind))
}

// Names.

#[test]
fn a_look_alike_is_listed_only_where_the_password_proves_it() {
    let site = Site::of(vec![member(
        1,
        &["anna.berg@gmail.com"],
        Some(&md5("hunter2")),
        &[&md5("old")],
    )]);
    for (secret, expected) in [
        ("hunter2", Some(Grade::Exact)),
        ("hunter1", Some(Grade::Variant)),
        ("old", Some(Grade::Former)),
        ("theirs", None),
    ] {
        let finished = scan(&site, format!("annaberg+shop@googlemail.com:{secret}\n"), Way::PLAIN);
        assert_eq!(
            finished.exposures.first().map(|found| found.grade),
            expected,
            "{secret}"
        );
        assert!(finished.exposures.iter().all(|found| found.loose));
        assert_eq!(finished.progress.tally.named, 1, "it is tested all the same");
    }
}

#[test]
fn the_very_name_further_on_lists_what_the_look_alike_did_not() {
    let site = Site::of(vec![member(1, &["anna.berg@gmail.com"], Some(&md5("hunter2")), &[])]);
    let finished = scan(
        &site,
        "annaberg@gmail.com:theirs\nannaberg@gmail.com:hunter2\nANNA.BERG@gmail.com:theirs\nAnna.Berg@gmail.com:hunter2\n",
        Way::PLAIN,
    );
    assert_eq!(
        found(&finished),
        [(1, Grade::Exact, Kind::Dump, 2), (1, Grade::Named, Kind::Dump, 3)]
    );
    assert!(finished.exposures.iter().all(|found| !found.loose));
    assert_eq!(finished.progress.tests, 2);
}

#[test]
fn a_line_tests_every_account_that_its_name_may_mean() {
    let site = Site::of(vec![
        member(4, &["pat@gmail.com"], Some(&md5("hunter2")), &[]),
        member(7, &["pat+a@gmail.com"], Some(&md5("hunter2")), &[]),
        member(9, &["p.a.t@googlemail.com"], Some(&md5("other")), &[&md5("hunter2")]),
        member(11, &["patty@gmail.com"], Some(&md5("hunter2")), &[]),
    ]);
    let finished = scan(&site, "PAT@googlemail.com:hunter2\n", Way::PLAIN);
    assert_eq!(
        found(&finished),
        [
            (4, Grade::Exact, Kind::Dump, 1),
            (7, Grade::Exact, Kind::Dump, 1),
            (9, Grade::Former, Kind::Dump, 1)
        ]
    );
    assert_eq!(finished.progress.tests, 3);
}

#[test]
fn an_account_is_found_by_each_of_its_names_and_told_which() {
    let names = ["anna@example.org", "second@example.com", "Anna_B", "+4915123456789"];
    let site = Site::of(vec![member(1, &names, Some(&md5("hunter2")), &[])]);
    for (spelled, name, strict) in [
        ("Anna@Example.org", 0, true),
        ("second+x@example.com", 1, false),
        ("ANNA_B", 2, true),
        ("@anna_b", 2, false),
        ("0049 151 23456789", 3, true),
        ("015123456789", 3, false),
    ] {
        let finished = scan(&site, format!("{spelled}:hunter2\n"), Way::PLAIN);
        let told: Vec<_> = finished
            .exposures
            .iter()
            .map(|found| (found.name, !found.loose))
            .collect();
        assert_eq!(told, [(name, strict)], "{spelled}");
    }
}

#[test]
fn a_record_that_names_an_account_twice_makes_one_exposure_under_the_very_name() {
    let site = Site::of(vec![member(
        1,
        &["anna.berg@gmail.com", "Anna_B"],
        Some(&md5("x1")),
        &[],
    )]);
    let finished = scan(
        &site,
        "username,email,password\nAnna_B,annaberg@gmail.com,hunter2\n",
        Way::PLAIN,
    );
    assert_eq!(found(&finished), [(1, Grade::Named, Kind::Dump, 2)]);
    assert_eq!((finished.exposures[0].name, finished.exposures[0].loose), (1, false));
    assert_eq!(finished.progress.tests, 1);
}

#[test]
fn an_account_that_is_gone_is_nobody() {
    let mut site = anna("hunter2");
    site.members[0].gone = true;
    let finished = scan(&site, "anna@example.org:hunter2\n", Way::PLAIN);
    let tally = &finished.progress.tally;
    assert_eq!((finished.exposures.len(), tally.named, tally.names_nobody), (0, 0, 1));
}

// Secrets.

#[test]
fn every_form_of_a_password_is_tried() {
    for (password, secret) in [
        ("pässword", "pa\u{308}ssword".as_bytes()),
        ("pässword", b"p\xe4ssword"),
        ("pässword", b" p\xe4ssword\t"),
        ("preis 5€", b"preis 5\x80"),
        ("pässword", " pa\u{308}ssword ".as_bytes()),
        ("hunter2", b"hunter2   "),
        (" hunter2 ", b" hunter2 "),
        ("hunter2", "\u{a0}hunter2".as_bytes()),
    ] {
        let verdict = says(&anna(password), secret, Way::PLAIN);
        assert_eq!(verdict, Some((Grade::Exact, Kind::Dump)), "{password} {secret:?}");
    }
    // No form takes anything away that stands within, or turns the case.
    for (password, secret) in [("hunter 2", "hunter2"), ("pässword", "passworD")] {
        assert_eq!(
            says(&anna(password), secret.as_bytes(), Way::PLAIN),
            Some((Grade::Named, Kind::Dump))
        );
    }
}

#[test]
fn as_many_variations_are_tried_as_were_asked_for() {
    // In the order of the list: the first letter turned, the number one higher, one lower.
    for (place, stored) in [(1, "Summer7"), (2, "summer8"), (3, "summer6")] {
        for (asked, grade) in [(place - 1, Grade::Named), (place, Grade::Variant)] {
            let way = Way {
                variations: asked,
                ..Way::PLAIN
            };
            let verdict = says(&anna(stored), b"summer7", way);
            assert_eq!(verdict, Some((grade, Kind::Dump)), "{stored} with {asked}");
        }
    }
}

#[test]
fn a_variation_is_made_of_the_form_that_was_typed() {
    assert_eq!(
        says(&anna("Pässword"), b" p\xe4ssword ", Way::PLAIN),
        Some((Grade::Variant, Kind::Dump))
    );
}

#[test]
fn hex_digits_are_read_as_every_hash_that_they_may_be_and_as_a_password() {
    let hex32 = md5_hex(b"anything");
    let hex40 = sha1_salted_hex(b"anything", "");
    let hex64 = sha256_hex(b"anything");
    for hex in [&hex32, &hex40, &hex64] {
        assert_eq!(
            says(&anna("hunter2"), hex.as_bytes(), Way::PLAIN),
            Some((Grade::Untested, Kind::Dump)),
            "some hash that waits"
        );
        assert_eq!(
            says(&anna(hex), hex.as_bytes(), Way::PLAIN),
            Some((Grade::Exact, Kind::Dump)),
            "the password itself"
        );
    }
    for (stored, leaked) in [
        (md5("hunter2"), md5_hex(b"hunter2")),
        (md5("hunter2"), md5_hex(b"hunter2").to_uppercase()),
        (format!("{{ntlm}}{}", ntlm_hex("hunter2")), ntlm_hex("hunter2")),
        (
            format!("{{sha1}}{}", sha1_salted_hex(b"hunter2", "")),
            sha1_salted_hex(b"hunter2", ""),
        ),
        (format!("{{sha256}}{}", sha256_hex(b"hunter2")), sha256_hex(b"hunter2")),
    ] {
        let site = Site::of(vec![member(1, &["anna@example.org"], Some(&stored), &[])]);
        let verdict = says(&site, leaked.as_bytes(), Way::PLAIN);
        assert_eq!(verdict, Some((Grade::Exact, Kind::Ours)), "{leaked}");
    }
}

#[test]
fn our_own_hash_is_known_wherever_it_is_or_was_stored() {
    let hash = md5_hex(b"hunter2");
    let current = anna("hunter2");
    let former = Site::of(vec![member(
        1,
        &["anna@example.org"],
        Some(&md5("new")),
        &[&md5("hunter2")],
    )]);
    let inner = format!("wrap {}", md5("hunter2"));
    let inside = Site::of(vec![member(1, &["anna@example.org"], Some(&inner), &[])]);
    let mut replaced = anna("new");
    let digest = tagger().replaced_hash(replaced.members[0].number, md5("hunter2").as_bytes());
    let passwords = Arc::get_mut(&mut replaced.members[0].passwords).expect("nobody else has it yet");
    passwords.replaced.push(digest);
    for (what, site) in [
        ("current", current),
        ("former", former),
        ("inside a wrapping", inside),
        ("replaced", replaced),
    ] {
        assert_eq!(
            says(&site, hash.as_bytes(), Way::PLAIN),
            Some((Grade::Exact, Kind::Ours)),
            "{what}"
        );
        let other = md5_hex(b"hunter3");
        assert_eq!(
            says(&site, other.as_bytes(), Way::PLAIN),
            Some((Grade::Untested, Kind::Dump)),
            "{what}, another hash"
        );
    }
}

#[test]
fn a_salt_is_taken_from_wherever_it_stands() {
    let digits = sha1_salted_hex(b"hunter2", "Pepper9");
    let stored = format!("{{sha1:salt-last}}Pepper9${digits}");
    let site = Site::of(vec![member(1, &["anna@example.org"], Some(&stored), &[])]);
    for leak in [
        format!("anna@example.org:{digits}:Pepper9\n"),
        format!("email;hash;salt\nanna@example.org;{digits};Pepper9\n"),
        format!("{{\"email\":\"anna@example.org\",\"hash\":\"{digits}\",\"salt\":\"Pepper9\"}}\n"),
    ] {
        let told: Vec<_> = found(&scan(&site, &leak, Way::PLAIN))
            .iter()
            .map(|told| (told.1, told.2))
            .collect();
        assert_eq!(told, [(Grade::Exact, Kind::Ours)], "{leak}");
    }
}

#[test]
fn an_account_without_a_password_can_only_be_named_or_wait() {
    let site = Site::of(vec![member(1, &["anna@example.org"], None, &[])]);
    assert_eq!(says(&site, b"hunter2", Way::PLAIN), Some((Grade::Named, Kind::Dump)));
    assert_eq!(
        says(&site, md5_hex(b"hunter2").as_bytes(), Way::PLAIN),
        Some((Grade::Untested, Kind::Dump))
    );
}

// Exposures.

#[test]
fn one_secret_makes_one_exposure_at_its_first_line_with_the_gravest_kind() {
    let leak = "anna@example.org:hunter2\nhttps://shop.example/login:anna@example.org:hunter2\nAnna@example.org;hunter2\n\
                anna@example.org:hunter3\n";
    let finished = scan(&anna("hunter2"), leak, Way::PLAIN);
    assert_eq!(
        found(&finished),
        [(1, Grade::Exact, Kind::Stealer, 1), (1, Grade::Variant, Kind::Dump, 4)]
    );
    assert_eq!(finished.progress.tests, 2, "a pair is tested once");
}

#[test]
fn what_the_responder_says_of_the_kind_stands_but_for_our_own_hash() {
    let leak = format!(
        "anna@example.org:hunter2\nhttps://shop.example/:anna@example.org:hunter3\nanna@example.org:{}\n",
        md5_hex(b"hunter2")
    );
    for kind in [Kind::Dump, Kind::Stealer] {
        let way = Way {
            kind: Some(kind),
            ..Way::PLAIN
        };
        assert_eq!(
            found(&scan(&anna("hunter2"), &leak, way)),
            [
                (1, Grade::Exact, kind, 1),
                (1, Grade::Variant, kind, 2),
                (1, Grade::Exact, Kind::Ours, 3)
            ]
        );
    }
}

#[test]
fn of_a_line_that_can_be_read_in_several_ways_the_best_counts() {
    // The password holds the separator: where it begins, only the hash knows.
    for password in ["x:y:z", "y:z", "z"] {
        finds(
            &anna(password),
            "anna@example.org:x:y:z\n",
            &[(1, Grade::Exact, Kind::Dump, 1)],
        );
    }
}

#[test]
fn a_password_with_a_line_break_is_one_record() {
    finds(
        &anna("two\nlines"),
        "email,password\n\"anna@example.org\",\"two\nlines\"\n",
        &[(1, Grade::Exact, Kind::Dump, 2)],
    );
}

#[test]
fn an_exposure_says_against_which_password_it_was_found() {
    let site = anna("hunter2");
    let mut ledger = MemoryLedger::new(&site);
    // The owner changes the password while the leak is read.
    ledger.later = Some(Arc::new(Passwords {
        current: Some(stored(&md5("correct horse"))),
        version: Some(PasswordVersion(4)),
        former: vec![stored(&md5("hunter2"))],
        replaced: Vec::new(),
    }));
    let strangers = "bob@example.org:a password of another site\n".repeat(8);
    let leak = format!("anna@example.org:hunter2\n{strangers}anna@example.org:correct horse\n");
    let way = Way {
        sizes: SMALL,
        ..Way::PLAIN
    };
    let finished = scan_with(leak, way, &site, &mut ledger);
    let mut told: Vec<_> = finished
        .exposures
        .iter()
        .map(|found| (found.place.line, found.grade, found.version))
        .collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            (1, Grade::Exact, Some(PasswordVersion(3))),
            (10, Grade::Exact, Some(PasswordVersion(4)))
        ]
    );
}

// Counting.

/// Blocks of a few lines.
const SMALL: Sizes = Sizes {
    block: 122,
    max_line: 120,
    decide: 64,
};

/// Bins and exposures are the same for every size of blocks.
#[track_caller]
fn counts(site: &Site, leak: &str, named: u64, nobody: u64) {
    let whole = scan(site, leak, Way::PLAIN);
    let tally = &whole.progress.tally;
    assert_eq!(tally.lines(), leak.lines().count() as u64);
    assert_eq!((tally.named, tally.names_nobody), (named, nobody), "{tally:?}");
    for block in SMALL.block..SMALL.block + 120 {
        let way = Way {
            sizes: Sizes { block, ..SMALL },
            readers: 2,
            ..Way::PLAIN
        };
        let cut = scan(site, leak, way);
        assert_eq!(cut.progress.tally, whole.progress.tally, "blocks of {block}");
        assert_eq!(found(&cut), found(&whole), "blocks of {block}");
    }
}

#[test]
fn the_line_between_two_objects_is_not_counted_again() {
    let object = |name: &str| format!("\"email\": \"{name}@example.org\",\n\"password\": \"hunter2\"\n");
    let (anna_s, bobs) = (object("anna"), object("bob"));
    let leak = format!("[\n{{\n{bobs}}}, {{\n{anna_s}}}, {{\n{anna_s}}}\n]\n{{\n{anna_s}}}, {{\n{anna_s}}}\n");
    // The first line of an object that begins where another ends is a further line of that one.
    counts(&anna("hunter2"), &leak, 1, 1);
}

#[test]
fn a_line_of_several_rows_names_somebody_when_one_of_them_does() {
    let insert = "INSERT INTO u (email, password) VALUES ";
    let remark = "as long as a few rows of it ".repeat(4);
    let bob = "('bob@example.org','1')";
    let anna_over_two_lines = "('anna@example.org','hunter2','\n')";
    for (rows, named, nobody) in [
        (format!("{bob},{bob}"), 0, 1),
        (format!("{bob},('anna@example.org','hunter2'),{bob}"), 1, 0),
        (format!("{bob},{anna_over_two_lines}"), 1, 0),
        (format!("('anna@example.org','x'),{anna_over_two_lines},{bob}"), 1, 0),
        (format!("{bob},{anna_over_two_lines},{anna_over_two_lines}"), 1, 0),
        (format!("{bob},('bob@example.org','1','\n\n\n')"), 0, 1),
    ] {
        counts(
            &anna("hunter2"),
            &format!("-- {remark}\n{insert}\n{rows};\n-- {remark}\n"),
            named,
            nobody,
        );
    }
}

#[test]
fn every_line_is_in_one_bin() {
    let long = "x".repeat(121);
    let leak = format!("anna@example.org:hunter2\nbob@example.org:x\n\nnothing here\nanna@example.org:\n{long}\n");
    let way = Way {
        sizes: SMALL,
        ..Way::PLAIN
    };
    let tally = scan(&anna("hunter2"), &leak, way).progress.tally;
    assert_eq!((tally.named, tally.names_nobody, tally.of(Bin::Blank)), (1, 1, 1));
    for reason in [
        MalformedReason::NoSeparator,
        MalformedReason::NoSecret,
        MalformedReason::TooLong,
    ] {
        assert_eq!(tally.of(Bin::Malformed(reason)), 1, "{reason:?}");
    }
    assert_eq!(tally.lines(), 6);
}
