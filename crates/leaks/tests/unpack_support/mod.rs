//! A sink that writes down everything, and writers for every container.
#![expect(dead_code, reason = "each test binary uses a part of it")]

use rightful_leaks::unpack::{
    ArchivePassword, LeakSource, RawProgress, ReadFault, SourceFile, Start, Stop, TextName, TextOutcome, TextSink,
    UnpackOptions, Unread, read_sources, read_stream,
};
use sevenz_rust2::encoder_options::{AesEncoderOptions, Lzma2Options};
use sevenz_rust2::{ArchiveEntry, ArchiveWriter, EncoderConfiguration, SourceReader};
use std::collections::HashMap;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use zip::write::SimpleFileOptions;

/// A text that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) name: TextName,
    pub(crate) bytes: Vec<u8>,
    pub(crate) outcome: Option<TextOutcome>,
}

/// Writes down all that a sink is told.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    pub(crate) texts: Vec<Text>,
    pub(crate) unread: Vec<(TextName, Unread)>,
    pub(crate) sources: Vec<(SourceFile, Option<[u8; 32]>, u64)>,
    pub(crate) progress: Vec<RawProgress>,
    /// What to want of texts, by their shown name; the whole of all others.
    pub(crate) wanted: HashMap<String, Start>,
    /// Count the bytes, do not keep them.
    pub(crate) count_only: bool,
    pub(crate) counted: u64,
    pub(crate) largest_chunk: usize,
    /// Stop at this many chunks.
    pub(crate) stop_after: Option<u64>,
    pub(crate) chunks: u64,
    pub(crate) open: bool,
}

impl TextSink for Recorder {
    fn begin(&mut self, text: &TextName) -> Result<Start, Stop> {
        assert!(!self.open, "a text begins within another");
        let start = self.wanted.get(&text.shown).copied().unwrap_or(Start::FromByte(0));
        if start != Start::Skip {
            self.open = true;
            self.texts.push(Text {
                name: text.clone(),
                bytes: Vec::new(),
                outcome: None,
            });
        }
        Ok(start)
    }

    fn chunk(&mut self, bytes: &[u8], progress: RawProgress) -> Result<(), Stop> {
        assert!(self.open, "bytes outside of a text");
        self.chunks += 1;
        if self.stop_after.is_some_and(|most| self.chunks > most) {
            return Err(Stop);
        }
        self.largest_chunk = self.largest_chunk.max(bytes.len());
        self.counted += bytes.len() as u64;
        self.progress.push(progress);
        if !self.count_only {
            self.texts.last_mut().unwrap().bytes.extend_from_slice(bytes);
        }
        Ok(())
    }

    fn end(&mut self, outcome: &TextOutcome) -> Result<(), Stop> {
        assert!(std::mem::take(&mut self.open), "an end without a begin");
        self.texts.last_mut().unwrap().outcome = Some(outcome.clone());
        Ok(())
    }

    fn unread(&mut self, name: &TextName, why: &Unread) -> Result<(), Stop> {
        assert!(!self.open, "something unread within a text");
        self.unread.push((name.clone(), why.clone()));
        Ok(())
    }

    fn source_end(&mut self, file: &SourceFile, sha256: Option<[u8; 32]>, bytes: u64) -> Result<(), Stop> {
        assert!(!self.open, "a source ends within a text");
        self.sources.push((file.clone(), sha256, bytes));
        Ok(())
    }
}

impl Recorder {
    /// Name (after the last path separator of the source), bytes and outcome of every text.
    pub(crate) fn found(&self) -> Vec<(String, String, String)> {
        self.texts
            .iter()
            .map(|text| {
                let outcome = text.outcome.as_ref().map_or("none".to_owned(), ToString::to_string);
                (
                    short(&text.name.shown),
                    String::from_utf8_lossy(&text.bytes).into_owned(),
                    outcome,
                )
            })
            .collect()
    }

    /// Name and reason of everything unread.
    pub(crate) fn passed_over(&self) -> Vec<(String, String)> {
        self.unread
            .iter()
            .map(|(name, why)| (short(&name.shown), why.to_string()))
            .collect()
    }

    /// The texts are these, all read to their end, and nothing is unread.
    #[track_caller]
    pub(crate) fn is_exactly(&self, expected: &[(&str, &str)]) {
        assert_eq!(self.passed_over(), [], "nothing is passed over");
        let found = self.found();
        let names: Vec<_> = found.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(names, expected.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        for ((name, text, outcome), (_, wanted)) in found.iter().zip(expected) {
            assert_eq!(outcome, "read to its end", "{name}");
            // Not assert_eq: the texts are long.
            assert!(
                text == wanted,
                "{name}: {} bytes, not these {}",
                text.len(),
                wanted.len()
            );
        }
    }
}

fn short(shown: &str) -> String {
    let (path, members) = shown
        .split_once('!')
        .map_or((shown, ""), |(path, members)| (path, members));
    let name = path.rsplit('/').next().unwrap_or(path);
    if members.is_empty() {
        name.to_owned()
    } else {
        format!("{name}!{members}")
    }
}

pub(crate) fn options() -> UnpackOptions {
    UnpackOptions::default()
}

pub(crate) fn with_password(password: &str) -> UnpackOptions {
    UnpackOptions {
        password: Some(ArchivePassword::new(password.to_owned())),
        ..options()
    }
}

/// A folder with these files in it.
pub(crate) fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    folder
}

pub(crate) fn try_path(path: &Path, options: &UnpackOptions, recorder: &mut Recorder) -> Result<(), ReadFault> {
    read_sources(&[LeakSource::Path(path.to_owned())], options, recorder)
}

pub(crate) fn read_path(path: &Path, options: &UnpackOptions) -> Recorder {
    let mut recorder = Recorder::default();
    try_path(path, options, &mut recorder).unwrap();
    recorder
}

/// Reads these bytes as a file of this name.
pub(crate) fn read_file(name: &str, bytes: &[u8], options: &UnpackOptions) -> Recorder {
    let folder = folder(&[(name, bytes)]);
    read_path(&folder.path().join(name), options)
}

/// Reads these bytes as if they came from standard input, in pieces of every size.
pub(crate) fn read_piped(bytes: &[u8], options: &UnpackOptions) -> Recorder {
    let mut recorder = Recorder::default();
    read_stream("-", &mut Dribble { bytes, next: 1 }, options, &mut recorder).unwrap();
    recorder
}

/// Gives its bytes in pieces of ever different sizes, like a pipe.
pub(crate) struct Dribble<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) next: usize,
}

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.next = self.next * 7 % 65_521 + 1;
        let size = self.next.min(buffer.len()).min(self.bytes.len());
        buffer[..size].copy_from_slice(&self.bytes[..size]);
        self.bytes = &self.bytes[size..];
        Ok(size)
    }
}

/// A pattern over and over, made as it is read.
pub(crate) struct Endless {
    turns: Vec<u8>,
    pattern: usize,
    at: usize,
}

impl Endless {
    pub(crate) fn new(pattern: &[u8]) -> Self {
        Self {
            turns: pattern.repeat(1 + 65_536 / pattern.len()),
            pattern: pattern.len(),
            at: 0,
        }
    }
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = &self.turns[self.at..];
        let size = left.len().min(buffer.len());
        buffer[..size].copy_from_slice(&left[..size]);
        self.at = (self.at + size) % self.pattern;
        Ok(size)
    }
}

/// `bytes` bytes of a line, over and over.
pub(crate) fn repeated(bytes: u64) -> impl Read {
    Endless::new(b"anna@example.org:secret\n").take(bytes)
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    gzip_from(bytes)
}

pub(crate) fn gzip_from(mut from: impl Read) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    std::io::copy(&mut from, &mut writer).unwrap();
    writer.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

pub(crate) fn xz(bytes: &[u8]) -> Vec<u8> {
    xz_from(bytes)
}

pub(crate) fn xz_from(mut from: impl Read) -> Vec<u8> {
    let mut writer = liblzma::write::XzEncoder::new(Vec::new(), 1);
    std::io::copy(&mut from, &mut writer).unwrap();
    writer.finish().unwrap()
}

pub(crate) fn bzip2(bytes: &[u8]) -> Vec<u8> {
    bzip2_from(bytes)
}

pub(crate) fn bzip2_from(mut from: impl Read) -> Vec<u8> {
    let mut writer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    std::io::copy(&mut from, &mut writer).unwrap();
    writer.finish().unwrap()
}

pub(crate) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        writer.append_data(&mut header, name, *bytes).unwrap();
    }
    writer.into_inner().unwrap()
}

/// A tar member with a name that the tar crate itself would refuse to write.
pub(crate) fn tar_header(name: &[u8], kind: tar::EntryType, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name);
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    header
}

pub(crate) fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    zip_with(files, SimpleFileOptions::default())
}

pub(crate) fn zip_with(files: &[(&str, &[u8])], options: SimpleFileOptions) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

pub(crate) fn seven(files: &[(&str, &[u8])]) -> Vec<u8> {
    seven_with(files, vec![Lzma2Options::from_level(1).into()], false)
}

pub(crate) fn seven_locked(files: &[(&str, &[u8])], password: &str, names_too: bool) -> Vec<u8> {
    let methods = vec![
        AesEncoderOptions::new(password.into()).into(),
        Lzma2Options::from_level(1).into(),
    ];
    seven_with(files, methods, names_too)
}

pub(crate) fn seven_with(files: &[(&str, &[u8])], methods: Vec<EncoderConfiguration>, names_too: bool) -> Vec<u8> {
    let mut writer = ArchiveWriter::new(Cursor::new(Vec::new())).unwrap();
    writer.set_content_methods(methods);
    writer.set_encrypt_header(names_too);
    for (name, bytes) in files {
        let entry = ArchiveEntry::new_file(name);
        writer.push_archive_entry(entry, Some(Cursor::new(*bytes))).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// All files packed as one.
pub(crate) fn seven_solid(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ArchiveWriter::new(Cursor::new(Vec::new())).unwrap();
    writer.set_content_methods(vec![Lzma2Options::from_level(1).into()]);
    let entries = files.iter().map(|(name, _)| ArchiveEntry::new_file(name)).collect();
    let readers = files
        .iter()
        .map(|(_, bytes)| SourceReader::new(Cursor::new(bytes.to_vec())))
        .collect();
    writer.push_archive_entries(entries, readers).unwrap();
    writer.finish().unwrap().into_inner()
}

pub(crate) fn paths(recorder: &Recorder) -> Vec<PathBuf> {
    recorder
        .sources
        .iter()
        .filter_map(|(file, ..)| file.path.clone())
        .collect()
}
