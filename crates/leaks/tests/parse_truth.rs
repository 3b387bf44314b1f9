//! Every pair that was written into a leak is found again: recall over all formats and hostile passwords.

use rightful_leaks::parse::{Bin, LineParser, Record, RecordSink};
use rightful_leaks::sample::{Dice, Format, invent_identifier, invent_password, invent_url, write_record};

type Reading = (Vec<Vec<u8>>, Vec<u8>, bool);

/// Keeps all records, and counts lines.
#[derive(Default)]
struct Kept {
    records: Vec<(u64, Vec<Reading>)>,
    lines: u64,
}

impl RecordSink for Kept {
    fn record(&mut self, record: &Record<'_>) {
        self.lines += u64::from(record.part == 0);
        let owned = |reading: &rightful_leaks::parse::Reading<'_>| {
            let names = reading.identifiers.iter().map(|name| name.to_vec()).collect();
            (
                names,
                reading.secret.to_vec(),
                reading.kind == rightful_core::Kind::Stealer,
            )
        };
        self.records
            .push((record.line, record.readings.iter().map(owned).collect()));
    }

    fn count(&mut self, _: Bin, lines: u64) {
        self.lines += lines;
    }
}

fn read(text: &[u8]) -> Kept {
    let mut kept = Kept::default();
    let mut parser = LineParser::new();
    let mut given = 0;
    for line in text.strip_suffix(b"\n").unwrap_or(text).split(|&byte| byte == b'\n') {
        parser.line(given, line, &mut kept);
        given += 1;
        assert_eq!(kept.lines + parser.pending_lines(), given, "after line {given}");
    }
    parser.finish(&mut kept);
    assert_eq!(kept.lines, given);
    kept
}

/// What the next room tries: the secret as it stands, then without outer blanks.
fn is_tried(secret: &[u8], password: &[u8]) -> bool {
    secret == password || secret.trim_ascii() == password
}

/// At the record's lines: where a block without a gap behind it is followed by one that begins with a note, the note may
/// be counted with the first.
fn finds(kept: &Kept, lines: std::ops::Range<u64>, identifier: &[u8], password: &[u8], stealer: Option<bool>) -> bool {
    kept.records
        .iter()
        .filter(|(at, _)| lines.contains(at))
        .flat_map(|(_, readings)| readings)
        .any(|(names, secret, url)| {
            names.iter().any(|name| name == identifier)
                && is_tried(secret, password)
                && stealer.is_none_or(|wanted| wanted == *url)
        })
}

fn lines_in(text: &[u8]) -> u64 {
    text.iter().filter(|&&byte| byte == b'\n').count() as u64
}

/// A line with the separator in the password can have just as many fields as the table whose header came before.
fn may_be_a_row(format: Format, password: &[u8]) -> bool {
    match format {
        Format::Comma => password.contains(&b','),
        Format::Semicolon => password.contains(&b';'),
        Format::Tab => password.contains(&b'\t'),
        _ => false,
    }
}

/// Writes `count` records of formats that `next` chooses, each with its header where there is one, and reads them all.
fn check(seed: u64, count: usize, mixed: bool, mut next: impl FnMut(&mut Dice) -> Format) {
    let mut dice = Dice::new(seed);
    let mut text = Vec::new();
    let mut truth = Vec::new();
    let mut last = None;
    for _ in 0..count {
        let format = next(&mut dice);
        let (identifier, password) = (invent_identifier(&mut dice), invent_password(&mut dice));
        if !format.expresses(&identifier, &password) || (mixed && may_be_a_row(format, &password)) {
            continue;
        }
        if last != Some(format) {
            if let Some(footer) = last.and_then(Format::footer) {
                text.extend_from_slice(footer.as_bytes());
                text.push(b'\n');
            }
            if let Some(header) = format.header() {
                text.extend_from_slice(header.as_bytes());
                text.push(b'\n');
            }
            last = Some(format);
        }
        let first = lines_in(&text);
        text.extend(write_record(
            format,
            &identifier,
            &password,
            invent_url(&mut dice),
            &mut dice,
        ));
        truth.push((format, first..lines_in(&text), identifier, password));
    }
    let kept = read(&text);
    let mut missed = Vec::new();
    for (format, lines, identifier, password) in &truth {
        if !finds(&kept, lines.clone(), identifier, password, Some(format.is_stealer())) {
            let written: Vec<&[u8]> = text
                .split(|&byte| byte == b'\n')
                .skip(lines.start as usize)
                .take(4)
                .collect();
            let found = kept.records.iter().find(|(at, _)| lines.contains(at));
            missed.push(format!(
                "{format:?} seed {seed} line {lines:?}: {:?} {:?}\n  text {:?}\n  found {:?}",
                String::from_utf8_lossy(identifier),
                String::from_utf8_lossy(password),
                String::from_utf8_lossy(&written.join(&b'\n')),
                found.map(|(_, readings)| readings
                    .iter()
                    .map(|(names, secret, url)| (
                        String::from_utf8_lossy(&names.join(&b' ')).into_owned(),
                        String::from_utf8_lossy(secret).into_owned(),
                        *url
                    ))
                    .collect::<Vec<_>>())
            ));
        }
    }
    assert!(!truth.is_empty());
    assert!(
        missed.is_empty(),
        "{} of {} missed\n{}",
        missed.len(),
        truth.len(),
        missed[..missed.len().min(12)].join("\n")
    );
}

#[test]
fn nothing_is_missed_in_a_file_of_one_format() {
    for format in Format::ALL {
        for seed in 0..6 {
            check(seed, 400, false, |_| format);
        }
    }
}

#[test]
fn nothing_is_missed_in_a_file_of_all_formats() {
    for seed in 100..112 {
        let mut run = (Format::Colon, 0);
        check(seed, 2000, true, |dice| {
            if run.1 == 0 {
                run = (dice.pick(&Format::ALL), 1 + dice.below(6));
            }
            run.1 -= 1;
            run.0
        });
    }
}
