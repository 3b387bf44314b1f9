//! The reading thread: texts to blocks, in order, never far ahead.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, SyncSender};

use super::Checkpoint;
use super::run::Event;
use crate::unpack::lines::{Block, Blocks, Position, Sizes};
use crate::unpack::{RawProgress, SourceFile, Start, Stop, TextName, TextOutcome, TextSink, Unread};

/// A block on its way to be parsed.
pub(super) struct Read {
    pub(super) seq: u64,
    pub(super) text: u32,
    pub(super) block: Block,
}

/// What the reading thread tells the deciding one directly, in its place among the blocks.
pub(super) enum Told {
    /// A text, or something that is not read, has this name.
    Name { text: u32, name: String },
    /// The blocks that follow are of this text, from there on.
    Begin { text: u32, from: Position },
    /// The text is over.
    End { outcome: TextOutcome },
    /// Something was not read, or not to its end.
    Unread { text: u32, why: Unread },
    /// A file has been read.
    Source(SourceRead),
}

/// A file of the leak that has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRead {
    /// Which.
    pub file: SourceFile,
    /// Of the file as it lies on disk, where that was asked for and the file could be read to its end.
    pub sha256: Option<[u8; 32]>,
    /// Its length in bytes.
    pub bytes: u64,
}

/// Bytes read so far, for whoever shows progress.
#[derive(Default)]
pub(super) struct Meter {
    pub(super) bytes: AtomicU64,
}

pub(super) struct Feeder<'a> {
    pub(super) resume: &'a Checkpoint,
    pub(super) sizes: Sizes,
    pub(super) text: u32,
    /// Bytes of the files before the one that is being read.
    pub(super) bytes_before: u64,
    pub(super) seq: u64,
    pub(super) blocks: Option<Blocks>,
    pub(super) to_parse: Sender<Read>,
    pub(super) to_decide: Sender<Event>,
    /// One token a block that is not yet decided.
    pub(super) window: SyncSender<()>,
    /// Raised when the responder wants to stop, or when the run has ended.
    pub(super) stop: [&'a AtomicBool; 2],
    pub(super) meter: &'a Meter,
}

impl Feeder<'_> {
    fn number(&mut self) -> u64 {
        self.seq += 1;
        self.seq - 1
    }

    fn tell(&mut self, told: Told) -> Result<(), Stop> {
        let seq = self.number();
        self.to_decide.send(Event::Told(seq, told)).map_err(|_| Stop)
    }
}

fn number(name: &TextName) -> u32 {
    u32::try_from(name.number).expect("the number of texts is limited far below that")
}

impl TextSink for Feeder<'_> {
    fn begin(&mut self, name: &TextName) -> Result<Start, Stop> {
        let text = number(name);
        self.text = text;
        self.tell(Told::Name {
            text,
            name: name.shown.clone(),
        })?;
        if text < self.resume.text {
            return Ok(Start::Skip);
        }
        let from = if text == self.resume.text {
            self.resume.position
        } else {
            Position::START
        };
        self.blocks = Some(Blocks::resume(from, self.sizes));
        self.tell(Told::Begin { text, from })?;
        Ok(Start::FromByte(from.byte))
    }

    fn chunk(&mut self, bytes: &[u8], progress: RawProgress) -> Result<(), Stop> {
        if self.stop.iter().any(|stop| stop.load(Ordering::Relaxed)) {
            return Err(Stop);
        }
        self.meter
            .bytes
            .store(self.bytes_before + progress.raw_read, Ordering::Relaxed);
        let Some(mut blocks) = self.blocks.take() else {
            return Ok(());
        };
        let fed = blocks.push(bytes, &mut |block| self.send(block));
        self.blocks = Some(blocks);
        fed
    }

    fn end(&mut self, outcome: &TextOutcome) -> Result<(), Stop> {
        if let Some(blocks) = self.blocks.take() {
            blocks.finish(&mut |block| self.send(block))?;
        }
        self.tell(Told::End {
            outcome: outcome.clone(),
        })
    }

    fn unread(&mut self, name: &TextName, why: &Unread) -> Result<(), Stop> {
        let text = number(name);
        self.tell(Told::Name {
            text,
            name: name.shown.clone(),
        })?;
        self.tell(Told::Unread { text, why: why.clone() })
    }

    fn source_end(&mut self, file: &SourceFile, sha256: Option<[u8; 32]>, bytes: u64) -> Result<(), Stop> {
        self.bytes_before += bytes;
        self.meter.bytes.store(self.bytes_before, Ordering::Relaxed);
        self.tell(Told::Source(SourceRead {
            file: file.clone(),
            sha256,
            bytes,
        }))
    }
}

impl Feeder<'_> {
    fn send(&mut self, block: Block) -> Result<(), Stop> {
        self.window.send(()).map_err(|_| Stop)?;
        let (seq, text) = (self.number(), self.text);
        self.to_parse.send(Read { seq, text, block }).map_err(|_| Stop)
    }
}
