//! One block of lines against the table of names: pure, so that blocks can be worked on by several threads.

use rightful_core::Kind;
use rightful_core::identifier::MatchKey;

use crate::index::{AccountIndex, IdentifierTable};
use crate::parse::{Bin, LineParser, Record, RecordSink};
use crate::tally::Tally;
use crate::unpack::lines::Block;

/// A record that may name accounts.
pub(crate) struct Hit {
    pub(crate) line: u64,
    /// Its line was counted in this block as one that begins a record. Not so for the rows behind the first of a line that
    /// began in an earlier block, and for an object that begins on the last line of another.
    pub(crate) counted: bool,
    pub(crate) readings: Vec<HitReading>,
}

/// One reading of it.
pub(crate) struct HitReading {
    /// The secret; where the leak has a salt beside it, both with a colon between.
    pub(crate) secret: Box<[u8]>,
    pub(crate) kind: Kind,
    /// Which account each leaked name may name.
    pub(crate) names: Vec<(AccountIndex, Box<[u8]>)>,
}

/// What came of a block.
pub(crate) struct Probed {
    pub(crate) end: LineParser,
    /// Lines that begin no record. Whether the others name somebody is only known once the hits are confirmed.
    pub(crate) tally: Tally,
    /// Lines that begin a record.
    pub(crate) record_lines: u64,
    /// The last of these.
    pub(crate) last_record: Option<u64>,
    pub(crate) hits: Vec<Hit>,
}

impl Probed {
    /// Of what holds no lines.
    pub(crate) fn nothing() -> Self {
        Self {
            end: LineParser::new(),
            tally: Tally::default(),
            record_lines: 0,
            last_record: None,
            hits: Vec::new(),
        }
    }
}

/// Reads the block from the state in which the parser stood before it.
pub(crate) fn probe(block: &Block, mut parser: LineParser, table: &IdentifierTable) -> Probed {
    let mut probe = Probe::new(table);
    block.for_each_line(|line| {
        if line.over_long {
            parser.overlong(line.number, &mut probe);
        } else {
            parser.line(line.number, line.bytes, &mut probe);
        }
    });
    probe.done(parser)
}

/// Ends a text: what the parser still held becomes records or malformed lines.
pub(crate) fn probe_end(mut parser: LineParser, table: &IdentifierTable) -> Probed {
    let mut probe = Probe::new(table);
    parser.finish(&mut probe);
    probe.done(LineParser::new())
}

struct Probe<'t> {
    table: &'t IdentifierTable,
    tally: Tally,
    record_lines: u64,
    last_record: Option<u64>,
    hits: Vec<Hit>,
}

impl<'t> Probe<'t> {
    fn new(table: &'t IdentifierTable) -> Self {
        Self {
            table,
            tally: Tally::default(),
            record_lines: 0,
            last_record: None,
            hits: Vec::new(),
        }
    }

    fn done(self, end: LineParser) -> Probed {
        Probed {
            end,
            tally: self.tally,
            record_lines: self.record_lines,
            last_record: self.last_record,
            hits: self.hits,
        }
    }

    #[cold]
    fn hit(&mut self, record: &Record<'_>) {
        let mut readings = Vec::with_capacity(record.readings.len());
        for reading in record.readings {
            let mut names: Vec<(AccountIndex, Box<[u8]>)> = Vec::new();
            for name in reading.identifiers.iter() {
                let Some(key) = MatchKey::of(name) else { continue };
                for account in self.table.accounts(key.as_bytes()) {
                    names.push((account, Box::from(*name)));
                }
            }
            if names.is_empty() {
                continue;
            }
            let secret = match reading.salt {
                Some(salt) => [reading.secret, b":", salt].concat().into_boxed_slice(),
                None => Box::from(reading.secret),
            };
            readings.push(HitReading {
                secret,
                kind: reading.kind,
                names,
            });
        }
        self.hits.push(Hit {
            line: record.line,
            counted: self.last_record == Some(record.line),
            readings,
        });
    }
}

impl RecordSink for Probe<'_> {
    #[inline]
    fn record(&mut self, record: &Record<'_>) {
        if record.part == 0 {
            self.record_lines += 1;
            self.last_record = Some(record.line);
        }
        // Readings of one line mostly share their name: ask once.
        let mut last: &[&[u8]] = &[];
        for reading in record.readings {
            let names: &[&[u8]] = &reading.identifiers;
            if names == last {
                continue;
            }
            last = names;
            for name in names {
                let known = MatchKey::of(name).is_some_and(|key| self.table.accounts(key.as_bytes()).next().is_some());
                if known {
                    self.hit(record);
                    return;
                }
            }
        }
    }

    #[inline]
    fn count(&mut self, bin: Bin, lines: u64) {
        self.tally.count(bin, lines);
    }
}
