//! How fast lines become records, format by format: `cargo run --release -p rightful-leaks --example parse_speed`, with
//! the names of formats behind `--` for only these.
//!
//! Each figure is the best of several passes over the same text in memory, per line, with the splitting of the text at
//! its line ends beside it. Passwords are ordinary ones: one in a hundred holds a separator.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a bench reads the clock and prints"
)]

use std::hint::black_box;
use std::time::Instant;

use rightful_leaks::parse::{Bin, LineParser, Record, RecordSink};
use rightful_leaks::sample::{Dice, Format, invent_identifier, invent_url, write_record};

const RECORDS: usize = 20_000;
const PASSES: usize = 60;

/// Takes everything and keeps two sums, so that nothing is optimised away.
#[derive(Default)]
struct Sums {
    readings: usize,
    lines: u64,
}

impl RecordSink for Sums {
    #[inline]
    fn record(&mut self, record: &Record<'_>) {
        self.readings += record.readings.len();
        black_box(record.readings[0].secret.len());
    }

    #[inline]
    fn count(&mut self, _: Bin, lines: u64) {
        self.lines += lines;
    }
}

fn ordinary_password(dice: &mut Dice) -> Vec<u8> {
    let word = dice.pick(&["hunter", "Sommer", "dragon", "liverpool", "qwertz", "mypass"]);
    let joint = if dice.below(100) == 0 {
        dice.pick(&[":", ";", ",", "|"])
    } else {
        ""
    };
    format!("{word}{joint}{}", dice.below(100_000)).into_bytes()
}

fn text_of(format: Format) -> Vec<u8> {
    let mut dice = Dice::new(1);
    let mut text = format
        .header()
        .map(|header| format!("{header}\n").into_bytes())
        .unwrap_or_default();
    for _ in 0..RECORDS {
        let (identifier, password) = (invent_identifier(&mut dice), ordinary_password(&mut dice));
        if format.expresses(&identifier, &password) {
            text.extend(write_record(
                format,
                &identifier,
                &password,
                invent_url(&mut dice),
                &mut dice,
            ));
        }
    }
    text
}

/// The best time of a pass over a text of that many lines, in nanoseconds per line.
fn measure(lines: usize, mut pass: impl FnMut() -> usize) -> f64 {
    let times = (0..PASSES).map(|_| {
        let begun = Instant::now();
        black_box(pass());
        begun.elapsed().as_secs_f64()
    });
    times.fold(f64::INFINITY, f64::min) * 1e9 / lines as f64
}

fn parse(text: &[u8]) -> usize {
    let mut sums = Sums::default();
    let mut parser = LineParser::new();
    let mut number = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        number += 1;
        parser.line(number, &rest[..end], &mut sums);
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    parser.finish(&mut sums);
    sums.readings
}

fn split(text: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', text).fold(0, |sum, end| sum + black_box(end))
}

fn main() {
    println!(
        "{:14} {:>9} {:>9} {:>9} {:>10}",
        "format", "bytes/l", "split ns", "parse ns", "readings/l"
    );
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let is_wanted = |format: &Format| wanted.is_empty() || wanted.contains(&format!("{format:?}"));
    for format in Format::ALL.into_iter().filter(is_wanted) {
        let text = text_of(format);
        let lines = memchr::memchr_iter(b'\n', &text).count();
        let splitting = measure(lines, || split(&text));
        let parsing = measure(lines, || parse(&text));
        println!(
            "{:14} {:9.1} {splitting:9.1} {parsing:9.1} {:10.2}",
            format!("{format:?}"),
            text.len() as f64 / lines as f64,
            parse(&text) as f64 / lines as f64,
        );
    }
}
