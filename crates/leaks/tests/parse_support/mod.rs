//! What the tests of the parser share: a sink that keeps everything, and the reading of a whole text.

use rightful_core::Kind;
use rightful_leaks::parse::{Bin, LineParser, Record, RecordSink};

/// A reading, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnedReading {
    pub(crate) names: Vec<String>,
    pub(crate) secret: Vec<u8>,
    pub(crate) salt: Option<Vec<u8>>,
    pub(crate) stealer: bool,
}

/// A record, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnedRecord {
    pub(crate) line: u64,
    pub(crate) part: u32,
    pub(crate) readings: Vec<OwnedReading>,
}

/// Keeps all records and counts all lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) records: Vec<OwnedRecord>,
    pub(crate) bins: [u64; Bin::ALL.len()],
    pub(crate) record_lines: u64,
}

impl Kept {
    /// Lines counted so far.
    pub(crate) fn lines(&self) -> u64 {
        self.record_lines + self.bins.iter().sum::<u64>()
    }
}

impl RecordSink for Kept {
    fn record(&mut self, record: &Record<'_>) {
        self.record_lines += u64::from(record.part == 0);
        let readings = record.readings.iter().map(|reading| OwnedReading {
            names: reading
                .identifiers
                .iter()
                .map(|name| String::from_utf8_lossy(name).into_owned())
                .collect(),
            secret: reading.secret.to_vec(),
            salt: reading.salt.map(<[u8]>::to_vec),
            stealer: reading.kind == Kind::Stealer,
        });
        self.records.push(OwnedRecord {
            line: record.line,
            part: record.part,
            readings: readings.collect(),
        });
    }

    fn count(&mut self, bin: Bin, lines: u64) {
        self.bins[bin.index()] += lines;
    }
}

/// The lines of a text; one line end at its end begins no further line.
pub(crate) fn lines_of(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    text.split(|&byte| byte == b'\n')
}

/// Reads a text and checks after every line that the bins and the pending lines add up.
pub(crate) fn read(text: &[u8]) -> Kept {
    let mut kept = Kept::default();
    let mut parser = LineParser::new();
    let mut given = 0;
    for line in lines_of(text) {
        given += 1;
        parser.line(given, line, &mut kept);
        assert_eq!(kept.lines() + parser.pending_lines(), given, "after line {given}");
    }
    parser.finish(&mut kept);
    assert_eq!(kept.lines(), given, "at the end");
    assert_eq!(parser, LineParser::new(), "nothing is left of a text that has ended");
    kept
}
