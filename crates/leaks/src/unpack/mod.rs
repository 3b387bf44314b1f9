//! Opens a leak, whatever it is packed in, and streams its texts.
//!
//! [`read_sources`] walks the sources (files, folders, standard input), unpacks what they hold and pushes the bytes of
//! every text into a [`TextSink`], decoded to UTF-8 or as they stand. What a thing is, its content tells, never its name:
//! plain text, gzip, zstd, xz, bzip2, tar, zip, 7z, nested as they come. [`lines`] turns the bytes into lines.
//!
//! Hostile input is expected. Nothing is ever written to disk; names of members are shown (cleaned) and otherwise
//! ignored; links and devices are not followed; memory, ratio, number and nesting are limited ([`Limits`]). What cannot be
//! read is named with its reason ([`Unread`], [`TextOutcome`]) and the reading goes on with the next.
//!
//! It runs on the calling thread and in a fixed order: the same sources and options give the same texts with the same
//! numbers and bytes, which is what going on after a crash rests on.

mod decode;
mod fingerprint;
mod kind;
pub mod lines;
mod list;
mod meter;
mod raw;
mod report;
mod run;
mod seven;
mod stream;
mod tarball;
mod walk;
mod zipped;

pub use fingerprint::{Fingerprint, fingerprint};
pub use meter::Limits;
pub use report::{Refusal, TextOutcome, Unread};
pub use stream::decompressed;
pub use walk::{Survey, survey};

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read};
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Bytes in the largest chunk that a sink is given.
pub const CHUNK: usize = 512 * 1024;

/// Where a leak lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeakSource {
    /// A file, a folder (all files in it), or anything else that can be opened and read, such as a named pipe.
    Path(PathBuf),
    /// Standard input.
    Stdin,
}

impl LeakSource {
    /// The source that a word on the command line names: `-` is standard input, anything else a path.
    pub fn from_argument(word: impl Into<OsString>) -> Self {
        let word = word.into();
        if word == "-" {
            Self::Stdin
        } else {
            Self::Path(word.into())
        }
    }

    /// The source as it was given, fit to be shown.
    pub fn shown(&self) -> String {
        match self {
            Self::Path(path) => report::clean(&path.to_string_lossy()),
            Self::Stdin => "-".to_owned(),
        }
    }
}

/// The password of encrypted archives. It is never shown and wiped when dropped.
#[derive(Clone)]
pub struct ArchivePassword(Zeroizing<String>);

impl ArchivePassword {
    /// Takes the password as it was typed.
    pub fn new(password: String) -> Self {
        Self(Zeroizing::new(password))
    }

    fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ArchivePassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ArchivePassword")
    }
}

/// How to unpack.
#[derive(Clone, Debug, Default)]
pub struct UnpackOptions {
    /// Tried on every encrypted archive and member.
    pub password: Option<ArchivePassword>,
    /// What a source file may cost.
    pub limits: Limits,
    /// Whether to compute the SHA-256 of every source file as it lies on disk. What is read once from start to end is
    /// hashed on the way; a file whose reading jumps (zip, 7z, going on in the middle) is read once more.
    pub sha256: bool,
}

/// One file on disk, or one stream, that texts are read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Which of the sources it belongs to, from 0.
    pub source: usize,
    /// Its path, fit to be shown; `-` for standard input.
    pub shown: String,
    /// Its path; `None` for a stream that has none.
    pub path: Option<PathBuf>,
}

/// The name of one text, or of something that is not read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TextName {
    /// Which of the sources it comes from, from 0.
    pub source: usize,
    /// Its number in this run, from 0. Everything that is named gets one, so the same sources and options give the same.
    pub number: u64,
    /// What to show: the path as given, then a `!` and the member's name for every archive on the way
    /// ("a.tar.gz!b.zip!c.txt"). Control characters are replaced. Names need not be unique; numbers are.
    pub shown: String,
}

/// How far the source file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawProgress {
    /// Bytes of the source file read, or where the reading stands in it.
    pub raw_read: u64,
    /// Length of the source file; `None` for a stream.
    pub raw_total: Option<u64>,
}

/// What a sink wants of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// The text from this byte of it, counted after unpacking and decoding; 0 is the whole text.
    FromByte(u64),
    /// Nothing. No chunk and no end follows.
    Skip,
}

/// A sink's wish to end the run. Why, it knows itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop;

/// Takes the texts.
pub trait TextSink {
    /// A text comes next.
    ///
    /// # Errors
    /// [`Stop`] ends the run.
    fn begin(&mut self, text: &TextName) -> Result<Start, Stop>;

    /// The next bytes of the text that was begun: at most [`CHUNK`], half as many again where it was UTF-16; none while the
    /// reading is still on its way to the byte that was asked for.
    ///
    /// # Errors
    /// [`Stop`] ends the run.
    fn chunk(&mut self, bytes: &[u8], progress: RawProgress) -> Result<(), Stop>;

    /// The text that was begun ends. All bytes that were given count, whatever the outcome.
    ///
    /// # Errors
    /// [`Stop`] ends the run.
    fn end(&mut self, outcome: &TextOutcome) -> Result<(), Stop>;

    /// Something is not read, or (an archive) not to its end. It was not begun, or its members were.
    ///
    /// # Errors
    /// [`Stop`] ends the run.
    fn unread(&mut self, name: &TextName, why: &Unread) -> Result<(), Stop>;

    /// A source file is done with. `sha256` is there when it was asked for and the file could be read to its end; `bytes`
    /// is its length, for a stream what was read of it.
    ///
    /// # Errors
    /// [`Stop`] ends the run.
    fn source_end(&mut self, file: &SourceFile, sha256: Option<[u8; 32]>, bytes: u64) -> Result<(), Stop>;
}

/// Why the reading of the sources ended early.
#[derive(Debug, thiserror::Error)]
pub enum ReadFault {
    /// A source that was named cannot be opened. This is found out before anything is read.
    #[error("cannot open {shown}; check the path and who may read it")]
    Open {
        /// The source as given.
        shown: String,
        /// What the system said.
        #[source]
        error: io::Error,
    },
    /// The sink asked to stop.
    #[error("the reading was stopped")]
    Stopped,
}

/// Reads all sources, in the order given, into the sink.
///
/// # Errors
/// [`ReadFault::Open`] before anything is read, [`ReadFault::Stopped`] when the sink says so. Everything else that can
/// go wrong is told to the sink and does not end the run.
pub fn read_sources(sources: &[LeakSource], options: &UnpackOptions, sink: &mut dyn TextSink) -> Result<(), ReadFault> {
    for source in sources {
        walk::check(source)?;
    }
    let mut run = run::Run::new(options, sink);
    for (index, source) in sources.iter().enumerate() {
        walk::read(&mut run, index, source)?;
    }
    Ok(())
}

/// Reads one stream as if it were standard input: what cannot be read twice or from its end.
///
/// # Errors
/// [`ReadFault::Stopped`] when the sink says so.
pub fn read_stream(
    shown: &str,
    stream: &mut dyn Read,
    options: &UnpackOptions,
    sink: &mut dyn TextSink,
) -> Result<(), ReadFault> {
    let file = SourceFile {
        source: 0,
        shown: report::clean(shown),
        path: None,
    };
    walk::read_stream(&mut run::Run::new(options, sink), &file, stream)
}
