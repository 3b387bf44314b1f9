//! Files as leaks and stealers' logs look, with invented people: every record that a person would see is found, and
//! every other line is counted for what it is.
//!
//! Beside each `corpus/*.txt` lies an `.expected` of two kinds of lines, their fields parted by tabs: a bin with its
//! number of lines, and `@line kind name secret [salt]` for a reading that has to be among those of that line. A line
//! that must give a record but names nobody (a banner with a colon in it) is `@line any`. No other line may give a
//! record. In secrets, `\\`, `\t`, `\n` and `\xNN` stand for bytes.

mod parse_support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use parse_support::{Kept, OwnedReading, read};
use rightful_leaks::parse::Bin;

fn count(text: &str) -> u64 {
    text.parse().expect("a number of lines")
}

fn hex(digits: &[u8]) -> u8 {
    let digits = std::str::from_utf8(digits).expect("hex digits are ASCII");
    u8::from_str_radix(digits, 16).expect("two hex digits behind a backslash and an x")
}

/// Undoes the escapes of an expected value.
fn bytes_of(value: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = value.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        let (escaped, length) = match after[0] {
            b't' => (b'\t', 1),
            b'n' => (b'\n', 1),
            b'x' => (hex(&after[1..3]), 3),
            other => (other, 1),
        };
        out.push(escaped);
        rest = &after[length..];
    }
    out
}

fn is_expected(reading: &OwnedReading, fields: &[&str]) -> bool {
    let name = String::from_utf8_lossy(&bytes_of(fields[1])).into_owned();
    reading.stealer == (fields[0] == "stealer")
        && reading.names.contains(&name)
        && reading.secret == bytes_of(fields[2])
        && reading.salt == fields.get(3).map(|salt| bytes_of(salt))
}

fn check(name: &str, kept: &Kept, expected: &str) {
    let mut bins = BTreeMap::new();
    let mut lines = BTreeSet::new();
    for line in expected.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let Some(number) = fields[0].strip_prefix('@') else {
            bins.insert(fields[0].to_owned(), count(fields[1]));
            continue;
        };
        let number = count(number);
        lines.insert(number);
        let readings: Vec<_> = kept
            .records
            .iter()
            .filter(|record| record.line == number)
            .flat_map(|r| &r.readings)
            .collect();
        let found = fields[1] == "any" || readings.iter().any(|reading| is_expected(reading, &fields[1..]));
        assert!(found, "{name}: {line} is not among {readings:?}");
    }
    let found: BTreeSet<u64> = kept.records.iter().map(|record| record.line).collect();
    assert_eq!(found, lines, "{name}: lines with records");
    let counted = Bin::ALL.into_iter().filter(|bin| kept.bins[bin.index()] > 0);
    let counted: BTreeMap<_, _> = counted
        .map(|bin| (bin.word().to_owned(), kept.bins[bin.index()]))
        .collect();
    assert_eq!(counted, bins, "{name}: bins");
}

#[test]
fn every_file_of_the_corpus_gives_what_a_person_would_see() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let expected = std::fs::read_to_string(path.with_extension("expected")).unwrap();
            check(&name, &read(&std::fs::read(&path).unwrap()), &expected);
            files += 1;
        }
    }
    assert!(files >= 20, "{files} files in the corpus");
}
