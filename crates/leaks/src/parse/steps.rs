//! What the parser does with a line, format by format: which records it gives, what it leaves pending.

use rightful_core::exposure::Kind;

use super::block::{self, Block, Leftover};
use super::fields;
use super::free;
use super::json::{self, Brackets, Depth};
use super::reading::{Bin, MalformedReason, Readings, Record, RecordSink};
use super::shape;
use super::sql::{self, Statement, Tuple};
use super::table::{self, Fit, Layout, Split};
use super::text::{Lines, Scratch};
use super::url;
use super::{LineParser, Pending};

/// The most fields of a quoted line without a header that are looked at.
const LOOKED_AT: usize = 32;

/// Room to work in, and where the results go.
pub(super) struct Desk<'d, S> {
    pub(super) scratch: &'d mut Scratch,
    pub(super) sink: &'d mut S,
}

/// A line to be read.
#[derive(Clone, Copy)]
pub(super) struct Given<'l> {
    pub(super) number: u64,
    pub(super) line: &'l [u8],
    pub(super) mode: Mode,
}

/// How a line is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// As it comes.
    Ordinary,
    /// Again, after it was pending; what it begins may be pending once more.
    Again,
    /// By itself: it begins no quotation, object or row that goes on.
    Alone,
}

impl<S: RecordSink> Desk<'_, S> {
    fn count(&mut self, bin: Bin) {
        self.sink.count(bin, 1);
    }

    /// Counts the lines of a record behind its first.
    fn continued(&mut self, lines: &Lines) {
        let more = lines.len() as u64 - 1;
        if more > 0 {
            self.sink.count(Bin::Continuation, more);
        }
    }
}

/// Hands a record over, or counts its line as malformed.
fn emit(line: u64, readings: &Readings<'_>, sink: &mut impl RecordSink) {
    if readings.is_empty() {
        sink.count(Bin::Malformed(readings.fault()), 1);
    } else {
        sink.record(&Record {
            line,
            part: 0,
            readings: readings.as_slice(),
        });
    }
}

/// The records of a line that may hold many.
struct Found {
    line: u64,
    /// The number of the next one; the line is counted if it is not 0.
    part: u32,
    /// What the first row or object lacked that gave no record.
    fault: Option<MalformedReason>,
}

impl Found {
    fn add(&mut self, readings: &Readings<'_>, sink: &mut impl RecordSink) {
        if readings.is_empty() {
            self.lacks(readings.fault());
        } else {
            sink.record(&Record {
                line: self.line,
                part: self.part,
                readings: readings.as_slice(),
            });
            self.part += 1;
        }
    }

    fn lacks(&mut self, reason: MalformedReason) {
        self.fault.get_or_insert(reason);
    }

    /// Counts the line if no record did; gives the number of the next record of this line.
    fn end(self, sink: &mut impl RecordSink) -> u32 {
        if self.part == 0 {
            sink.count(self.fault.map_or(Bin::Header, Bin::Malformed), 1);
        }
        self.part.max(1)
    }
}

impl LineParser {
    /// Completes or gives up what is pending.
    pub(super) fn settle<S: RecordSink>(&mut self, desk: &mut Desk<'_, S>) {
        // Lines that are read again may be pending once more, but not a third time.
        loop {
            match std::mem::take(&mut self.state.pending) {
                Pending::Nothing => break,
                Pending::Block(block) => end_block(block, desk),
                Pending::Row(lines) => self.give_up(&lines, 0, desk),
                Pending::Object { lines, part, .. } | Pending::Tuple { lines, part } => {
                    self.give_up(&lines, part, desk);
                }
            }
        }
    }

    /// Reads a line in the light of what is pending.
    pub(super) fn examine<S: RecordSink>(&mut self, given: Given<'_>, desk: &mut Desk<'_, S>) {
        match std::mem::take(&mut self.state.pending) {
            Pending::Nothing => {}
            Pending::Row(lines) => return self.more_row(lines, given, desk),
            Pending::Object { lines, depth, part } => return self.more_object(lines, depth, part, given, desk),
            Pending::Tuple { lines, part } => return self.more_tuple(lines, part, given, desk),
            Pending::Block(block) => {
                if self.more_block(block, given, desk) {
                    return;
                }
            }
        }
        if shape::is_blank(given.line) || shape::is_rule(given.line) {
            return desk.count(Bin::Blank);
        }
        self.single(given, desk);
        self.state.started = true;
    }

    /// Reads a line to which nothing pending belongs.
    fn single<S: RecordSink>(&mut self, given: Given<'_>, desk: &mut Desk<'_, S>) {
        // Statements and objects have separators too, and may have as many as the table whose header came before.
        let statement = sql::statement(given.line, self.state.sql.as_ref());
        let comment = statement == Some(Statement::Comment);
        match statement {
            Some(Statement::Insert(sql, rows)) => {
                self.state.sql = Some(sql);
                return self.tuples(rows, 0, given, desk);
            }
            Some(Statement::Create(sql)) => {
                self.state.sql = Some(sql);
                return desk.count(Bin::Header);
            }
            Some(Statement::Copy(columns)) => {
                self.state.layout = Some(Layout::copy(columns));
                return desk.count(Bin::Header);
            }
            Some(Statement::Comment) | None => {}
        }
        let whole_object = json::begins_object(given.line) && objects(given.line, given.number, 0, desk);
        if whole_object
            || self.table_row(given, desk)
            || self.sql_line(given, desk)
            || self.object(given, desk)
            || self.labelled(given, desk)
        {
            return;
        }
        if let Some(layout) = Layout::announced(given.line, !self.state.started, desk.scratch) {
            self.state.layout = Some(layout);
            return desk.count(Bin::Header);
        }
        if comment {
            return desk.count(Bin::Malformed(MalformedReason::Comment));
        }
        free_line(given.number, given.line, desk);
    }

    /// Gives up a record: its first line is read by itself (unless it gave records already), the others as if they came
    /// now. Where some of the lines were read again before, all are read by themselves: so every line is read three
    /// times at most, whatever the text.
    fn give_up<S: RecordSink>(&mut self, lines: &Lines, part: u32, desk: &mut Desk<'_, S>) {
        let mode = if lines.again() { Mode::Alone } else { Mode::Again };
        self.read_again(lines, part, mode, desk);
    }

    fn read_again<S: RecordSink>(&mut self, lines: &Lines, part: u32, mode: Mode, desk: &mut Desk<'_, S>) {
        for (at, (number, line)) in lines.iter().enumerate().skip(usize::from(part > 0)) {
            let mode = if at == 0 { Mode::Alone } else { mode };
            self.examine(Given { number, line, mode }, desk);
        }
    }

    // Tables.

    fn table_row<S: RecordSink>(&mut self, given: Given<'_>, desk: &mut Desk<'_, S>) -> bool {
        let Some(layout) = &mut self.state.layout else {
            return false;
        };
        if layout.is_end(given.line) {
            self.state.layout = None;
            desk.count(Bin::Header);
            return true;
        }
        let mut fit = layout.split(given.line, desk.scratch);
        if fit == Fit::Open {
            let mut lines = Lines::begun(given.mode == Mode::Again);
            if given.mode != Mode::Alone && lines.push(given.number, given.line) {
                self.state.pending = Pending::Row(lines);
                return true;
            }
            fit = layout.split_raw(given.line, desk.scratch);
        }
        let fits = fit == Fit::Row;
        if fits
            && layout.may_be_header(given.line, desk.scratch)
            && let Some(next) = Layout::announced(given.line, false, &mut Scratch::default())
        {
            self.state.layout = Some(next);
            desk.count(Bin::Header);
            return true;
        }
        if fits {
            let mut readings = Readings::new();
            layout.read(given.line, desk.scratch, &mut readings);
            emit(given.number, &readings, desk.sink);
        }
        if layout.note(fits) {
            self.state.layout = None;
        }
        fits
    }

    /// Reads a line behind an open quotation.
    fn more_row<S: RecordSink>(&mut self, mut lines: Lines, given: Given<'_>, desk: &mut Desk<'_, S>) {
        if !lines.push(given.number, given.line) {
            self.give_up(&lines, 0, desk);
            return self.examine(given, desk);
        }
        let Some(layout) = self
            .state
            .layout
            .as_mut()
            .filter(|_| table::closes_quotation(given.line))
        else {
            self.state.pending = Pending::Row(lines);
            return;
        };
        // A careless writer's lone quotes: every line is a row by itself.
        let apart = lines
            .iter()
            .all(|(_, line)| layout.split_raw(line, desk.scratch) == Fit::Row);
        match layout.split_quotations(lines.text(), desk.scratch) {
            Fit::Row if !apart => {
                layout.note(true);
                let doubtful = joins_records(&lines);
                let mut readings = Readings::new();
                layout.read(lines.text(), desk.scratch, &mut readings);
                if doubtful {
                    lines
                        .iter()
                        .take(1)
                        .for_each(|(_, first)| free::read(first, &mut readings));
                }
                emit(lines.first(), &readings, desk.sink);
                if doubtful {
                    // The first line is counted; the others are read as what they may be besides.
                    self.read_again(&lines, 1, Mode::Alone, desk);
                } else {
                    desk.continued(&lines);
                }
            }
            Fit::Open if !apart => self.state.pending = Pending::Row(lines),
            _ => self.give_up(&lines, 0, desk),
        }
    }

    // Objects.

    fn object<S: RecordSink>(&mut self, given: Given<'_>, desk: &mut Desk<'_, S>) -> bool {
        if !json::may_begin(given.line) {
            return false;
        }
        if objects(given.line, given.number, 0, desk) {
            return true;
        }
        let mut depth = Depth::default();
        let mut lines = Lines::begun(given.mode == Mode::Again);
        let open =
            given.mode != Mode::Alone && json::begins_object(given.line) && depth.feed(given.line) == Brackets::Open;
        if open && lines.push(given.number, given.line) {
            self.state.pending = Pending::Object { lines, depth, part: 0 };
            return true;
        }
        let frame = json::is_frame(given.line);
        if frame {
            desk.count(Bin::Header);
        }
        frame
    }

    /// Reads a line inside an open object.
    fn more_object<S: RecordSink>(
        &mut self,
        mut lines: Lines,
        mut depth: Depth,
        part: u32,
        given: Given<'_>,
        desk: &mut Desk<'_, S>,
    ) {
        if !lines.push(given.number, given.line) {
            self.give_up(&lines, part, desk);
            return self.examine(given, desk);
        }
        // `}, {`: one object ends and the next begins.
        let seam = json::is_seam(given.line);
        let brackets = depth.feed(given.line);
        match brackets {
            Brackets::Open if !seam => self.state.pending = Pending::Object { lines, depth, part },
            Brackets::Open | Brackets::Closed if objects(lines.text(), lines.first(), part, desk) => {
                desk.continued(&lines);
                let mut next = Lines::begun(lines.again());
                if brackets == Brackets::Open && next.push(given.number, b"{") {
                    self.state.pending = Pending::Object {
                        lines: next,
                        depth,
                        part: 1,
                    };
                }
            }
            _ => self.give_up(&lines, part, desk),
        }
    }

    // SQL.

    fn sql_line<S: RecordSink>(&mut self, given: Given<'_>, desk: &mut Desk<'_, S>) -> bool {
        let Some(sql) = &mut self.state.sql else { return false };
        if sql.define(given.line) {
            desk.count(Bin::Header);
            return true;
        }
        let Some(rows) = sql.rows_at(given.line) else {
            return false;
        };
        self.tuples(rows, 0, given, desk);
        true
    }

    /// Reads the rows of an `INSERT` from the place `at` of a line on, of which the first is record number `part`.
    fn tuples<S: RecordSink>(&mut self, mut at: usize, part: u32, given: Given<'_>, desk: &mut Desk<'_, S>) {
        let Some(sql) = &mut self.state.sql else { return };
        let mut found = Found {
            line: given.number,
            part,
            fault: None,
        };
        loop {
            match sql::next_tuple(given.line, at, desk.scratch) {
                Tuple::Row { count, end } => {
                    let mut readings = Readings::new();
                    sql.read(given.line, count, desk.scratch, &mut readings);
                    found.add(&readings, desk.sink);
                    at = end;
                }
                Tuple::Open(start) => {
                    let mut lines = Lines::begun(given.mode == Mode::Again);
                    if given.mode != Mode::Alone && lines.push(given.number, &given.line[start..]) {
                        // If this row is all that the line holds, the line waits to be counted with it.
                        let waits = found.part == 0 && found.fault.is_none();
                        let part = if waits { 0 } else { found.end(desk.sink) };
                        self.state.pending = Pending::Tuple { lines, part };
                        return;
                    }
                    found.lacks(MalformedReason::IncompleteRecord);
                    break;
                }
                Tuple::End => {
                    sql.end_statement();
                    break;
                }
                Tuple::Nothing => break,
                Tuple::Broken => {
                    found.lacks(MalformedReason::IncompleteRecord);
                    break;
                }
            }
        }
        found.end(desk.sink);
    }

    /// Reads a line behind an open string of a row.
    fn more_tuple<S: RecordSink>(&mut self, mut lines: Lines, part: u32, given: Given<'_>, desk: &mut Desk<'_, S>) {
        if !lines.push(given.number, given.line) {
            self.give_up(&lines, part, desk);
            return self.examine(given, desk);
        }
        if !sql::may_close(given.line) {
            self.state.pending = Pending::Tuple { lines, part };
            return;
        }
        match (sql::next_tuple(lines.text(), 0, desk.scratch), &self.state.sql) {
            (Tuple::Row { count, end }, Some(sql)) => {
                let mut found = Found {
                    line: lines.first(),
                    part,
                    fault: None,
                };
                let mut readings = Readings::new();
                sql.read(lines.text(), count, desk.scratch, &mut readings);
                found.add(&readings, desk.sink);
                found.end(desk.sink);
                desk.continued(&lines);
                // What follows in the last line, which is counted with that.
                let given = Given {
                    line: &lines.text()[end..],
                    ..given
                };
                self.tuples(0, 1, given, desk);
            }
            (Tuple::Open(_), _) => self.state.pending = Pending::Tuple { lines, part },
            _ => self.give_up(&lines, part, desk),
        }
    }

    // Blocks.

    /// Reads a labelled line: a whole record, or the beginning of a block.
    fn labelled<S: RecordSink>(&mut self, given: Given<'_>, desk: &mut Desk<'_, S>) -> bool {
        let Some(label) = block::label(given.line).filter(|label| !block::is_header(given.line, *label)) else {
            return false;
        };
        if block::is_whole(given.line, label) {
            let mut readings = Readings::new();
            block::in_one_line(given.line, label, &mut readings);
            emit(given.number, &readings, desk.sink);
            return true;
        }
        let mut block = Block::within(std::mem::take(&mut desk.scratch.spare));
        let taken = block.push(given.number, given.line, Some(label.role));
        if taken {
            self.state.pending = Pending::Block(block);
        }
        taken
    }

    /// Reads a line behind those of a block; false if it does not belong to it: then the block has ended.
    fn more_block<S: RecordSink>(&mut self, mut block: Block, given: Given<'_>, desk: &mut Desk<'_, S>) -> bool {
        // Logs whose line ends were doubled have a blank line behind every line.
        if shape::is_blank(given.line) && !block.is_complete() {
            desk.count(Bin::Blank);
            self.state.pending = Pending::Block(block);
            return true;
        }
        let label = block::label(given.line);
        let belongs = match label {
            Some(label) => block.takes(label.role) && !block::is_whole(given.line, label),
            None => !block.is_complete() && block::is_remark(given.line),
        };
        if belongs && block.push(given.number, given.line, label.map(|label| label.role)) {
            self.state.pending = Pending::Block(block);
            return true;
        }
        end_block(block, desk);
        false
    }
}

/// Whether one of the lines that a quotation joined looks like a record by itself: then the quote that began it may be
/// a lone one at the beginning of a password.
fn joins_records(lines: &Lines) -> bool {
    lines.iter().enumerate().skip(1).any(|(at, (_, line))| {
        let pair =
            |cut: usize| cut > 0 && !line[..cut].contains(&b' ') && line.get(cut + 1).is_some_and(|&byte| byte != b' ');
        memchr::memchr(b'@', line).is_some()
            || shape::find_url(line).is_some()
            || block::label(line).is_some()
            || (at + 1 < lines.len() && shape::first_separator(line).is_some_and(pair))
    })
}

/// Reads all the objects of a text, the first of which is record number `part` of its line; false if it begins with
/// none.
fn objects<S: RecordSink>(text: &[u8], line: u64, part: u32, desk: &mut Desk<'_, S>) -> bool {
    let mut found = Found {
        line,
        part,
        fault: None,
    };
    let Some(mut at) = json::next_object(text, 0, desk.scratch) else {
        return false;
    };
    loop {
        let mut readings = Readings::new();
        json::read(text, desk.scratch, &mut readings);
        found.add(&readings, desk.sink);
        match json::next_object(text, at, desk.scratch) {
            Some(end) => at = end,
            None => break,
        }
    }
    found.end(desk.sink);
    true
}

/// Hands a complete block over; of another one, reads the lines that may stand alone and counts the rest.
fn end_block<S: RecordSink>(block: Block, desk: &mut Desk<'_, S>) {
    if block.is_complete() {
        let mut readings = Readings::new();
        block.read(&mut readings);
        emit(block.lines.first(), &readings, desk.sink);
        desk.continued(&block.lines);
    } else {
        give_up_block(&block, desk);
    }
    desk.scratch.spare = block.lines;
}

fn give_up_block<S: RecordSink>(block: &Block, desk: &mut Desk<'_, S>) {
    let mut counted = false;
    for (number, line) in block.lines.iter() {
        match block::leftover(line) {
            Leftover::Alone => free_line(number, line, desk),
            Leftover::Part if counted => desk.count(Bin::Continuation),
            Leftover::Part => {
                desk.count(Bin::Malformed(MalformedReason::IncompleteRecord));
                counted = true;
            }
        }
    }
}

/// Reads a line that begins with a URL whose host begins at `host`.
pub(super) fn url_line(number: u64, line: &[u8], host: usize, sink: &mut impl RecordSink) {
    let mut readings = Readings::new();
    url::after(line, host, &mut readings);
    emit(number, &readings, sink);
}

/// Reads a line by itself; where it has quotes, as a list of quoted fields first.
fn free_line<S: RecordSink>(number: u64, line: &[u8], desk: &mut Desk<'_, S>) {
    let quoted = quoted_fields(line, desk.scratch);
    let mut readings = Readings::new();
    if quoted {
        let mut values: [&[u8]; LOOKED_AT] = [b""; LOOKED_AT];
        let mut count = 0;
        for (value, field) in values.iter_mut().zip(&desk.scratch.fields) {
            *value = field.of(line, &desk.scratch.decoded);
            count += 1;
        }
        let values = &values[..count];
        let kind = if values.iter().any(|value| shape::has_scheme(value)) {
            Kind::Stealer
        } else {
            Kind::Dump
        };
        fields::row(values, true, kind, &mut readings);
    }
    // Where every field is quoted, nothing is in doubt.
    if !quoted || readings.is_empty() || desk.scratch.fields.iter().any(|field| !field.quoted) {
        free::read(line, &mut readings);
    }
    emit(number, &readings, desk.sink);
}

/// Splits a line with quotations into fields; false if it has none or is no such list.
fn quoted_fields(line: &[u8], scratch: &mut Scratch) -> bool {
    if memchr::memchr(b'"', line).is_none() {
        return false;
    }
    let line_separator = match line.strip_prefix(b"\"").and_then(|inner| memchr::memchr(b'"', inner)) {
        Some(close) => line
            .get(close + 2)
            .copied()
            .filter(|byte| shape::is(*byte, shape::SEPARATOR)),
        None => shape::first_separator(line).map(|place| line[place]),
    };
    let Some(separator) = line_separator else { return false };
    scratch.clear();
    table::split_quoted(line, separator, scratch) == Split::Closed
        && scratch.fields.len() > 1
        && scratch.fields.iter().any(|field| field.quoted)
}
