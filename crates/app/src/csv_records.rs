//! Records of a CSV file (RFC 4180), each within a bound.
//!
//! One quotation mark that is never closed makes the rest of a file one record. Here a record that is too long ends the reading
//! of it, and one that makes no sense can be given up: in both cases the reading goes on with the line after its first.

use std::io::{ErrorKind, Read, Result};

use csv_core::ReadRecordResult;

/// Read at once.
const CHUNK: usize = 1 << 18;

/// Reads records one by one. Memory is bounded by the longest record that may be.
pub(crate) struct CsvRecords<R> {
    source: R,
    delimiter: u8,
    longest: usize,
    parser: csv_core::Reader,
    /// What was read; the current record begins at `begin` and has `length` bytes.
    buffer: Vec<u8>,
    begin: usize,
    length: usize,
    at_end: bool,
    /// The line on which the current record begins, and what lies before it in the file.
    line: u64,
    passed: u64,
    fields: Vec<u8>,
    ends: Vec<usize>,
    count: usize,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A record; [`CsvRecords::field`] has its fields.
    Record,
    /// One that is too long. Its first line is passed over.
    TooLong,
    /// The file is over.
    End,
}

impl<R: Read> CsvRecords<R> {
    /// Reads `source`; records of more than `longest` bytes are given up.
    pub(crate) fn new(source: R, delimiter: u8, longest: usize) -> Self {
        Self {
            source,
            delimiter,
            longest,
            parser: parser(delimiter),
            buffer: Vec::new(),
            begin: 0,
            length: 0,
            at_end: false,
            line: 1,
            passed: 0,
            fields: vec![0; 1024],
            ends: vec![0; 32],
            count: 0,
        }
    }

    /// The line on which the current record begins, from 1.
    pub(crate) const fn line(&self) -> u64 {
        self.line
    }

    /// Bytes up to the end of the current record.
    pub(crate) const fn bytes(&self) -> u64 {
        self.passed + self.length as u64
    }

    /// How many fields the current record has.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    /// A field of the current record, from 0.
    pub(crate) fn field(&self, at: usize) -> &[u8] {
        let begin = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.fields[begin..self.ends[at]]
    }

    /// Goes to the next record.
    pub(crate) fn next(&mut self) -> Result<Found> {
        self.pass(self.length);
        self.pass_blank_lines()?;
        let mut written = 0;
        self.count = 0;
        loop {
            if self.begin + self.length == self.buffer.len() && !self.at_end {
                self.fill()?;
            }
            let (result, read, wrote, ended) = self.parser.read_record(
                &self.buffer[self.begin + self.length..],
                &mut self.fields[written..],
                &mut self.ends[self.count..],
            );
            self.length += read;
            written += wrote;
            self.count += ended;
            if self.length > self.longest {
                self.give_up()?;
                return Ok(Found::TooLong);
            }
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.fields.resize(2 * self.fields.len(), 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
                ReadRecordResult::Record => return Ok(Found::Record),
                ReadRecordResult::End => return Ok(Found::End),
            }
        }
    }

    /// Whether the current record has several lines.
    pub(crate) fn is_of_several_lines(&self) -> bool {
        self.first_line().is_some_and(|first| first < self.length)
    }

    /// Whether the current record runs to the end of the file within a quotation.
    pub(crate) fn is_unclosed(&self) -> bool {
        let record = &self.buffer[self.begin..self.begin + self.length];
        let quotes = || record.iter().filter(|&&byte| byte == b'"').count();
        let runs_to_the_end = self.at_end && self.begin + self.length == self.buffer.len();
        runs_to_the_end && self.is_of_several_lines() && !quotes().is_multiple_of(2)
    }

    /// Gives the current record up but for its first line: the next one begins on the line after that.
    pub(crate) fn give_up(&mut self) -> Result<()> {
        self.parser = parser(self.delimiter);
        loop {
            if let Some(first) = self.first_line() {
                self.length = first;
                return Ok(());
            }
            self.length = self.buffer.len() - self.begin;
            if self.at_end {
                return Ok(());
            }
            // A line without end: nothing of it is needed any more.
            self.pass(self.length);
            self.fill()?;
        }
    }

    /// The length of the first line from here, if it has an end.
    fn first_line(&self) -> Option<usize> {
        self.buffer[self.begin..]
            .iter()
            .position(|&byte| byte == b'\n')
            .map(|end| end + 1)
    }

    fn pass_blank_lines(&mut self) -> Result<()> {
        loop {
            let rest = self.buffer[self.begin..].iter();
            let blank = rest.take_while(|&&byte| matches!(byte, b'\r' | b'\n')).count();
            self.pass(blank);
            if self.begin < self.buffer.len() || self.at_end {
                return Ok(());
            }
            self.fill()?;
        }
    }

    /// Leaves these bytes behind.
    fn pass(&mut self, bytes: usize) {
        let passed = &self.buffer[self.begin..self.begin + bytes];
        self.line += passed.iter().filter(|&&byte| byte == b'\n').count() as u64;
        self.passed += bytes as u64;
        self.begin += bytes;
        self.length = 0;
    }

    fn fill(&mut self) -> Result<()> {
        self.buffer.drain(..self.begin);
        self.begin = 0;
        let there = self.buffer.len();
        self.buffer.resize(there + CHUNK, 0);
        let read = loop {
            match self.source.read(&mut self.buffer[there..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.buffer.truncate(there + *read.as_ref().unwrap_or(&0));
        self.at_end = read? == 0;
        Ok(())
    }
}

fn parser(delimiter: u8) -> csv_core::Reader {
    csv_core::ReaderBuilder::new().delimiter(delimiter).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8], longest: usize) -> Vec<(u64, Found, Vec<String>)> {
        let mut records = CsvRecords::new(text, b',', longest);
        let mut all = Vec::new();
        loop {
            let found = records.next().expect("memory does not fail");
            if found == Found::End {
                assert_eq!(records.bytes(), text.len() as u64);
                return all;
            }
            let fields = (0..records.count()).map(|at| String::from_utf8_lossy(records.field(at)).into_owned());
            let fields = if found == Found::Record {
                fields.collect()
            } else {
                Vec::new()
            };
            all.push((records.line(), found, fields));
        }
    }

    #[test]
    fn records_come_with_their_line_whatever_ends_lines() {
        for (end, text) in [("\n", ""), ("\r\n", ""), ("\n\n", ""), ("\n", "\n")] {
            let file = format!("a,b{end}\"c\nd\",\"e\"\"f\"{end}g,{text}h");
            let lines = end.matches('\n').count() as u64;
            let last = if text.is_empty() { ["g", "h"] } else { ["g", ""] };
            let found = read(file.as_bytes(), 100);
            assert_eq!(found[0], (1, Found::Record, vec!["a".into(), "b".into()]), "{file:?}");
            let quoted = vec!["c\nd".to_owned(), "e\"f".to_owned()];
            assert_eq!(found[1], (1 + lines, Found::Record, quoted), "{file:?}");
            assert_eq!(
                (found[2].0, &found[2].2[..]),
                (2 + 2 * lines, &last.map(str::to_owned)[..]),
                "{file:?}"
            );
        }
    }

    #[test]
    fn what_is_too_long_costs_its_first_line_and_no_more() {
        let long = "x".repeat(CHUNK + 7);
        let many = "x,y\n".repeat(100);
        let file = format!("a,b\n\"c,d\n{many}{long}\ne,f\n{long}");
        let found = read(file.as_bytes(), 64);
        assert_eq!(found[1], (2, Found::TooLong, vec![]));
        assert_eq!(found[2], (3, Found::Record, vec!["x".into(), "y".into()]));
        assert_eq!(found[102], (103, Found::TooLong, vec![]));
        assert_eq!(found[103], (104, Found::Record, vec!["e".into(), "f".into()]));
        assert_eq!((found[104].0, found.len()), (105, 105));
    }
}
