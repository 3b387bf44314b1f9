//! From a stream of bytes to blocks of whole lines.
//!
//! [`Blocks`] takes chunks of any size and gives blocks that end at a line end, each with its place in the text, so that
//! blocks can be worked on by several threads and the reading can go on from the end of any of them. Lines, their numbers
//! and the blocks themselves depend on the text alone, never on how it was cut into chunks.
//!
//! LF ends a line and one CR just before it is dropped. A text whose first [`Sizes::decide`] bytes hold a CR but no LF is
//! in CR mode for its whole length: there CR, LF and CR LF each end a line. The last line needs no end; a line end at the
//! very end of the text begins no further line.
//!
//! A line of more than [`Sizes::max_line`] bytes is cut to that and marked over-long. Its remainder is skipped, not kept:
//! memory stays at about two blocks whatever comes.

use memchr::{memchr, memchr_iter, memchr2, memrchr};

/// How long a line may be, in bytes without its end, before it is cut. A line of credentials takes a few hundred; the `INSERT`
/// of an SQL dump packs as many rows into one line as fit into about 1 MiB (mysqldump's net_buffer_length).
pub const MAX_LINE: usize = 3 << 19;

/// Bytes in a block.
pub const BLOCK: usize = 2 << 20;

/// Within how many bytes of a text an LF must come for LF to be its line end.
pub const DECIDE: usize = 1024 * 1024;

/// What ends the lines of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum LineEnd {
    /// LF, with or without a CR before it.
    Lf,
    /// CR, LF or CR LF: the text began with CR only.
    Cr,
}

/// A place between two lines of a text: where a block begins, or where the reading goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Position {
    /// Bytes of the decoded text before this place.
    pub byte: u64,
    /// Number of the line that begins here, from 1.
    pub line: u64,
    /// What ends the lines; `None` only at the start, before that is decided.
    pub ends: Option<LineEnd>,
}

impl Position {
    /// The start of a text.
    pub const START: Self = Self {
        byte: 0,
        line: 1,
        ends: None,
    };
}

/// The sizes that a splitter works with, in bytes. The default is what production uses; tests take small ones.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Bytes in a block; at least `max_line` + 2.
    pub block: usize,
    /// Longest line that is kept whole, without its end.
    pub max_line: usize,
    /// Within how many bytes an LF must come, else the text may be in CR mode.
    pub decide: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            block: BLOCK,
            max_line: MAX_LINE,
            decide: DECIDE,
        }
    }
}

/// One line of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Number of the line in its text, from 1.
    pub number: u64,
    /// The line without its end; of an over-long line only the beginning.
    pub bytes: &'a [u8],
    /// Whether the line went on and its remainder was skipped.
    pub over_long: bool,
}

/// Whole lines, in a row.
#[derive(Clone, Debug)]
pub struct Block {
    bytes: Vec<u8>,
    start: Position,
    next: Position,
    max_line: usize,
}

impl Block {
    /// Where the block begins.
    pub const fn start(&self) -> Position {
        self.start
    }

    /// Where the next block begins: the reading can go on from here ([`Blocks::resume`]).
    pub const fn next(&self) -> Position {
        self.next
    }

    /// How many lines the block holds.
    pub const fn count(&self) -> u64 {
        self.next.line - self.start.line
    }

    /// How many bytes of the text the block stands for, skipped remainders of over-long lines included.
    pub const fn span(&self) -> u64 {
        self.next.byte - self.start.byte
    }

    /// The lines, in order.
    pub fn lines(&self) -> Lines<'_> {
        Lines {
            rest: &self.bytes,
            number: self.start.line,
            max_line: self.max_line,
        }
    }

    /// Calls `each` for every line, in order.
    pub fn for_each_line(&self, each: impl FnMut(Line<'_>)) {
        self.lines().for_each(each);
    }

    /// Gives back the memory of the block, for [`Blocks::recycle`].
    pub fn into_buffer(self) -> Vec<u8> {
        self.bytes
    }
}

/// The lines of a [`Block`], in order.
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    rest: &'a [u8],
    number: u64,
    max_line: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    #[inline]
    fn next(&mut self) -> Option<Line<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let (line, rest) = match memchr(b'\n', self.rest) {
            Some(end) => (&self.rest[..end], &self.rest[end + 1..]),
            None => (self.rest, &self.rest[..0]),
        };
        self.rest = rest;
        let number = self.number;
        self.number += 1;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let over_long = line.len() > self.max_line;
        Some(Line {
            number,
            bytes: if over_long { &line[..self.max_line] } else { line },
            over_long,
        })
    }
}

/// Turns the chunks of one text into blocks of whole lines.
#[derive(Debug)]
pub struct Blocks {
    sizes: Sizes,
    /// Where `buffer` begins in the text.
    at: Position,
    /// Bytes of the text taken so far, the held ones not counted.
    taken: u64,
    /// Taken, not yet given: whole lines and the beginning of one. In CR mode every line end in it is an LF.
    buffer: Vec<u8>,
    /// The first bytes of a text that has shown no LF yet.
    held: Vec<u8>,
    /// CR mode: the last byte taken was a CR, so an LF that follows belongs to it.
    after_cr: bool,
    /// The last line in `buffer` is over-long and complete there; what comes until the next line end is dropped.
    skipping: bool,
    /// `buffer` ends at a line end and goes out before another byte is taken.
    full: bool,
    spare: Vec<Vec<u8>>,
}

impl Blocks {
    /// A splitter for a text from its start.
    pub fn new() -> Self {
        Self::resume(Position::START, Sizes::default())
    }

    /// A splitter that goes on where a block of the same text began or ended.
    ///
    /// # Panics
    /// When a block of these sizes could not hold the longest line; a mistake in the calling code.
    pub fn resume(at: Position, sizes: Sizes) -> Self {
        assert!(
            sizes.block >= sizes.max_line + 2 && sizes.decide > 0,
            "a block holds the longest line and its end"
        );
        Self {
            sizes,
            at,
            taken: at.byte,
            buffer: Vec::new(),
            held: Vec::new(),
            after_cr: false,
            skipping: false,
            full: false,
            spare: Vec::new(),
        }
    }

    /// Takes the next bytes of the text and gives every block that they complete.
    ///
    /// # Errors
    /// Only what `emit` answers; the splitter must not be used after that.
    pub fn push<E>(&mut self, chunk: &[u8], emit: &mut impl FnMut(Block) -> Result<(), E>) -> Result<(), E> {
        let ends = match self.at.ends {
            Some(ends) => ends,
            None => match self.decide(chunk) {
                Some(ends) => {
                    self.take_held(ends, emit)?;
                    ends
                }
                None => return Ok(()),
            },
        };
        self.feed(ends, chunk, emit)
    }

    /// Ends the text and gives what is left of it.
    ///
    /// # Errors
    /// Only what `emit` answers.
    pub fn finish<E>(mut self, emit: &mut impl FnMut(Block) -> Result<(), E>) -> Result<(), E> {
        if self.at.ends.is_none() {
            let ends = if memchr(b'\r', &self.held).is_some() {
                LineEnd::Cr
            } else {
                LineEnd::Lf
            };
            self.take_held(ends, emit)?;
        }
        let end = self.taken;
        self.give(end, Vec::new(), emit)
    }

    /// Takes back the memory of a block that is done with, to be used again.
    pub fn recycle(&mut self, mut buffer: Vec<u8>) {
        if self.spare.len() < 4 {
            buffer.clear();
            self.spare.push(buffer);
        }
    }

    /// What ends the lines, once `chunk` tells; until then the chunk is held.
    fn decide(&mut self, chunk: &[u8]) -> Option<LineEnd> {
        let look = &chunk[..chunk.len().min(self.sizes.decide - self.held.len())];
        if memchr(b'\n', look).is_some() {
            return Some(LineEnd::Lf);
        }
        if self.held.len() + look.len() == self.sizes.decide {
            let cr = memchr(b'\r', &self.held).or_else(|| memchr(b'\r', look)).is_some();
            return Some(if cr { LineEnd::Cr } else { LineEnd::Lf });
        }
        self.held.extend_from_slice(chunk);
        None
    }

    fn take_held<E>(&mut self, ends: LineEnd, emit: &mut impl FnMut(Block) -> Result<(), E>) -> Result<(), E> {
        self.at.ends = Some(ends);
        let held = std::mem::take(&mut self.held);
        self.feed(ends, &held, emit)
    }

    fn feed<E>(
        &mut self,
        ends: LineEnd,
        mut chunk: &[u8],
        emit: &mut impl FnMut(Block) -> Result<(), E>,
    ) -> Result<(), E> {
        while let Some(&first) = chunk.first() {
            if std::mem::take(&mut self.after_cr) && first == b'\n' {
                self.taken += 1;
                chunk = &chunk[1..];
                continue;
            }
            if self.full {
                let end = self.taken;
                let fresh = self.fresh();
                self.give(end, fresh, emit)?;
            }
            let used = if self.skipping {
                self.skip(ends, chunk)
            } else if self.buffer.len() >= self.sizes.block {
                self.cut(emit)?;
                0
            } else {
                self.take(ends, chunk)
            };
            self.taken += used as u64;
            chunk = &chunk[used..];
        }
        Ok(())
    }

    /// Copies as much of the chunk as the block has room for, in CR mode at most to the next CR; answers how much.
    fn take(&mut self, ends: LineEnd, chunk: &[u8]) -> usize {
        if self.buffer.capacity() == 0 {
            self.buffer = self.fresh();
        }
        let piece = &chunk[..chunk.len().min(self.sizes.block - self.buffer.len())];
        let cr = if ends == LineEnd::Cr {
            memchr(b'\r', piece)
        } else {
            None
        };
        match cr {
            Some(cr) => {
                self.buffer.extend_from_slice(&piece[..cr]);
                self.buffer.push(b'\n');
                self.after_cr = true;
                cr + 1
            }
            None => {
                self.buffer.extend_from_slice(piece);
                piece.len()
            }
        }
    }

    /// Drops the remainder of an over-long line; answers how many bytes of the chunk belong to it.
    fn skip(&mut self, ends: LineEnd, chunk: &[u8]) -> usize {
        let end = match ends {
            LineEnd::Lf => memchr(b'\n', chunk),
            LineEnd::Cr => memchr2(b'\r', b'\n', chunk),
        };
        let Some(end) = end else { return chunk.len() };
        self.skipping = false;
        self.full = true;
        self.after_cr = ends == LineEnd::Cr && chunk[end] == b'\r';
        end + 1
    }

    /// Gives the whole lines of a full buffer; where the line after them is already over-long, keeps its beginning with
    /// them and skips the rest of it first.
    fn cut<E>(&mut self, emit: &mut impl FnMut(Block) -> Result<(), E>) -> Result<(), E> {
        let whole = memrchr(b'\n', &self.buffer).map_or(0, |end| end + 1);
        let tail = self.buffer.len() - whole;
        // Two bytes more than a line may have: one may be a CR that is dropped, the other still shows that it is too long.
        let telling = self.sizes.max_line + 2;
        if tail >= telling {
            self.buffer.truncate(whole + telling);
            self.buffer.push(b'\n');
            self.skipping = true;
            return Ok(());
        }
        let mut rest = self.fresh();
        rest.extend_from_slice(&self.buffer[whole..]);
        self.buffer.truncate(whole);
        let end = self.taken - tail as u64;
        self.give(end, rest, emit)
    }

    /// Gives the buffer as a block that ends before byte `end` of the text, and goes on with `rest`.
    fn give<E>(&mut self, end: u64, rest: Vec<u8>, emit: &mut impl FnMut(Block) -> Result<(), E>) -> Result<(), E> {
        self.full = false;
        let bytes = std::mem::replace(&mut self.buffer, rest);
        let Some(&last) = bytes.last() else { return Ok(()) };
        let lines = memchr_iter(b'\n', &bytes).count() as u64 + u64::from(last != b'\n');
        let start = self.at;
        self.at = Position {
            byte: end,
            line: start.line + lines,
            ends: start.ends,
        };
        emit(Block {
            bytes,
            start,
            next: self.at,
            max_line: self.sizes.max_line,
        })
    }

    fn fresh(&mut self) -> Vec<u8> {
        // One byte over: the line end that closes a cut line may come on top of a full block.
        self.spare
            .pop()
            .unwrap_or_else(|| Vec::with_capacity(self.sizes.block + 1))
    }
}

impl Default for Blocks {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::convert::Infallible;

    const SMALL: Sizes = Sizes {
        block: 14,
        max_line: 6,
        decide: 20,
    };

    type Owned = (u64, Vec<u8>, bool);

    fn owned(block: &Block) -> Vec<Owned> {
        block
            .lines()
            .map(|line| (line.number, line.bytes.to_vec(), line.over_long))
            .collect()
    }

    fn blocks(text: &[u8], chunks: impl Iterator<Item = usize>, from: Position, sizes: Sizes) -> Vec<Block> {
        let mut found = Vec::new();
        let mut emit = |block: Block| {
            found.push(block);
            Ok::<(), Infallible>(())
        };
        let mut splitter = Blocks::resume(from, sizes);
        let mut rest = &text[usize::try_from(from.byte).unwrap()..];
        for size in chunks {
            let (chunk, after) = rest.split_at(size.min(rest.len()));
            splitter.push(chunk, &mut emit).unwrap();
            rest = after;
        }
        splitter.push(rest, &mut emit).unwrap();
        splitter.finish(&mut emit).unwrap();
        found
    }

    fn split(text: &[u8], chunk: usize, sizes: Sizes) -> Vec<Owned> {
        let chunks = std::iter::repeat_n(chunk, text.len() / chunk);
        blocks(text, chunks, Position::START, sizes)
            .iter()
            .flat_map(owned)
            .collect()
    }

    /// The rule in its simplest form, over the whole text at once.
    fn reference(text: &[u8], sizes: Sizes) -> Vec<Owned> {
        let head = &text[..text.len().min(sizes.decide)];
        let unified: Vec<u8> = if head.contains(&b'\r') && !head.contains(&b'\n') {
            let text = String::from_utf8(text.to_vec()).unwrap();
            text.replace("\r\n", "\n").replace('\r', "\n").into_bytes()
        } else {
            text.to_vec()
        };
        let mut lines: Vec<&[u8]> = unified.split(|byte| *byte == b'\n').collect();
        if lines.last().is_some_and(|last| last.is_empty()) {
            lines.pop();
        }
        lines
            .into_iter()
            .zip(1..)
            .map(|(line, number)| {
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                (
                    number,
                    line[..line.len().min(sizes.max_line)].to_vec(),
                    line.len() > sizes.max_line,
                )
            })
            .collect()
    }

    fn line(number: u64, text: &str) -> Owned {
        (number, text.as_bytes().to_vec(), false)
    }

    #[test]
    fn k02_an_empty_text_has_no_lines_and_a_last_line_needs_no_end() {
        assert_eq!(split(b"", 1, SMALL), []);
        assert_eq!(split(b"\n", 1, SMALL), [line(1, "")]);
        assert_eq!(split(b"a", 1, SMALL), [line(1, "a")]);
        assert_eq!(split(b"a\n", 1, SMALL), [line(1, "a")]);
        assert_eq!(split(b"a\n\nb", 1, SMALL), [line(1, "a"), line(2, ""), line(3, "b")]);
    }

    #[test]
    fn k02_one_cr_before_lf_is_dropped() {
        assert_eq!(
            split(b"a\r\nb\r\r\nc\rd\n", 1, SMALL),
            [line(1, "a"), line(2, "b\r"), line(3, "c\rd")]
        );
    }

    #[test]
    fn k02_cr_only_text_is_split_at_cr_for_its_whole_length() {
        let text = b"aa\rbb\r\rcc\rdd\ree\rff\rgg\r\nhh\nii\r";
        let expected = ["aa", "bb", "", "cc", "dd", "ee", "ff", "gg", "hh", "ii"];
        let expected: Vec<Owned> = expected
            .iter()
            .zip(1..)
            .map(|(text, number)| line(number, text))
            .collect();
        for chunk in 1..=text.len() {
            assert_eq!(split(text, chunk, SMALL), expected, "chunks of {chunk}");
        }
    }

    #[test]
    fn k02_an_lf_within_the_deciding_bytes_keeps_cr_in_lines() {
        let text = b"aa\rbb\rcc\rdd\ree\rff\n";
        assert_eq!(text.len(), 18);
        let lines = split(
            text,
            1,
            Sizes {
                max_line: 30,
                block: 32,
                decide: 20,
            },
        );
        assert_eq!(lines, [line(1, "aa\rbb\rcc\rdd\ree\rff")]);
    }

    #[test]
    fn k02_over_long_lines_are_cut_and_counted_once() {
        for size in 4..40 {
            for end in ["\n", "\r\n", ""] {
                let text = format!("a\n{}{end}{}", "x".repeat(size), if end.is_empty() { "" } else { "b" });
                let lines = split(text.as_bytes(), 3, SMALL);
                assert_eq!(lines, reference(text.as_bytes(), SMALL), "{text:?}");
                assert_eq!(lines[1].2, size > SMALL.max_line);
                assert_eq!(lines[1].1.len(), size.min(SMALL.max_line));
            }
        }
    }

    #[test]
    fn k02_blocks_tile_the_text() {
        let text = b"one\ntwo\nthree is longer than six\nfour\nfive\n";
        let blocks = blocks(text, std::iter::repeat_n(5, 9), Position::START, SMALL);
        assert!(blocks.len() > 2);
        let mut at = Position::START;
        for block in &blocks {
            assert_eq!((block.start().byte, block.start().line), (at.byte, at.line));
            assert_eq!(block.count(), block.lines().count() as u64);
            at = block.next();
        }
        assert_eq!(at.byte, text.len() as u64);
    }

    #[test]
    fn a_recycled_buffer_is_used_again() {
        let mut splitter = Blocks::resume(Position::START, SMALL);
        let mut emit = |_: Block| Ok::<(), Infallible>(());
        let buffer = Vec::with_capacity(77);
        let place = buffer.as_ptr();
        splitter.recycle(buffer);
        splitter.push(b"a\n", &mut emit).unwrap();
        assert_eq!(splitter.buffer.as_ptr(), place);
    }

    proptest! {
        #[test]
        fn k02_lines_do_not_depend_on_chunks(
            text in "[ab\r\n]{0,120}",
            chunks in prop::collection::vec(0usize..17, 0..40),
        ) {
            let expected = reference(text.as_bytes(), SMALL);
            let found = blocks(text.as_bytes(), chunks.iter().copied(), Position::START, SMALL);
            prop_assert_eq!(found.iter().flat_map(owned).collect::<Vec<_>>(), expected);
            let whole = blocks(text.as_bytes(), std::iter::empty(), Position::START, SMALL);
            let places = |blocks: &[Block]| blocks.iter().map(|block| (block.start(), block.next())).collect::<Vec<_>>();
            prop_assert_eq!(places(&found), places(&whole));
        }

        #[test]
        fn k02_reading_goes_on_from_the_end_of_any_block(
            text in "[ab\r\n]{0,120}",
            chunks in prop::collection::vec(0usize..17, 0..40),
        ) {
            let whole = blocks(text.as_bytes(), std::iter::empty(), Position::START, SMALL);
            for (done, block) in whole.iter().enumerate() {
                let rest = blocks(text.as_bytes(), chunks.iter().copied(), block.next(), SMALL);
                let expected: Vec<Owned> = whole[done + 1..].iter().flat_map(owned).collect();
                prop_assert_eq!(rest.iter().flat_map(owned).collect::<Vec<_>>(), expected);
            }
        }
    }
}
