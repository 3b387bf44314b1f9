//! What hostile input may cost in memory: all of it, one after the other, in a process of its own, whose peak is then read.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod unpack_support;

use rightful_leaks::unpack::lines::{Block, Blocks};
use rightful_leaks::unpack::{
    LeakSource, RawProgress, Refusal, SourceFile, Start, Stop, TextName, TextOutcome, TextSink, Unread, read_sources,
    read_stream,
};
use std::io::{Cursor, Read, Write};
use std::path::Path;
use unpack_support::{options, repeated, tar_header, xz};

const MIB: u64 = 1024 * 1024;

/// Splits into lines as production does, keeps nothing but the last reports.
#[derive(Default)]
struct Splitter {
    blocks: Option<Blocks>,
    texts: u64,
    bytes: u64,
    lines: u64,
    outcome: Option<TextOutcome>,
    unread: Option<Unread>,
}

impl TextSink for Splitter {
    fn begin(&mut self, _: &TextName) -> Result<Start, Stop> {
        self.texts += 1;
        self.blocks = Some(Blocks::new());
        Ok(Start::FromByte(0))
    }

    fn chunk(&mut self, bytes: &[u8], _: RawProgress) -> Result<(), Stop> {
        self.bytes += bytes.len() as u64;
        let mut done = Vec::new();
        let blocks = self.blocks.as_mut().unwrap();
        blocks.push(bytes, &mut |block: Block| {
            self.lines += block.count();
            done.push(block.into_buffer());
            Ok(())
        })?;
        done.into_iter().for_each(|buffer| blocks.recycle(buffer));
        Ok(())
    }

    fn end(&mut self, outcome: &TextOutcome) -> Result<(), Stop> {
        self.outcome = Some(outcome.clone());
        self.blocks.take().unwrap().finish(&mut |block| {
            self.lines += block.count();
            Ok(())
        })
    }

    fn unread(&mut self, _: &TextName, why: &Unread) -> Result<(), Stop> {
        self.unread = Some(why.clone());
        Ok(())
    }

    fn source_end(&mut self, _: &SourceFile, _: Option<[u8; 32]>, _: u64) -> Result<(), Stop> {
        Ok(())
    }
}

fn piped(mut stream: impl Read) -> Splitter {
    let mut sink = Splitter::default();
    read_stream("-", &mut stream, &options(), &mut sink).unwrap();
    sink
}

fn from_disk(path: &Path) -> Splitter {
    let mut sink = Splitter::default();
    read_sources(&[LeakSource::Path(path.to_owned())], &options(), &mut sink).unwrap();
    sink
}

/// The most memory this process has had, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[test]
fn k01_k02_memory_stays_below_512_mib() {
    lines_without_end();
    windows_in_windows();
    dictionaries_beyond_measure();
    lists_that_lie();
    names_without_end();
    a_piped_zip_larger_than_memory();
    a_million_members_in_a_zip();
    let peak = peak();
    assert!(peak < 512, "{peak} MiB");
}

fn lines_without_end() {
    let sink = piped(std::io::repeat(b'x').take(512 * MIB));
    assert_eq!((sink.lines, sink.bytes), (1, 512 * MIB));
    let sink = piped(b"\xff\xfe".chain(Read::take(std::io::repeat(b'x'), 64 * MIB)));
    assert_eq!((sink.lines, sink.bytes), (1, 96 * MIB));
}

/// A zstd frame whose header asks for a window of 2^`log` bytes: `count` times 128 KiB of one byte, then `rest`.
fn zstd_frame(log: u8, count: u64, rest: &[u8]) -> Vec<u8> {
    let block = |last: u32, kind: u32, size: u32| (last | kind << 1 | size << 3).to_le_bytes()[..3].to_vec();
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, (log - 10) << 3];
    for _ in 0..count {
        frame.extend(block(0, 1, 128 * 1024));
        frame.push(b'a');
    }
    for piece in rest.chunks(100_000) {
        frame.extend(block(0, 0, piece.len() as u32));
        frame.extend(piece);
    }
    frame.extend(block(1, 0, 0));
    frame
}

/// zstd in zstd, with windows as large as allowed, each filled to the brim.
fn windows_in_windows() {
    let mut packed = zstd_frame(27, 2048, b"end\n");
    for _ in 0..3 {
        // A skippable frame fills the window of the layer around it, and does not count as content.
        let mut inside = vec![0x50, 0x2a, 0x4d, 0x18];
        let filler = 130 * 8 * 128 * 1024u32;
        inside.extend(filler.to_le_bytes());
        let mut layer = zstd_frame(27, 0, &inside);
        layer.truncate(layer.len() - 3);
        let tail = zstd_frame(27, u64::from(filler) / (128 * 1024), &packed);
        layer.extend(&tail[6..]);
        packed = layer;
    }
    let sink = piped(&packed[..]);
    let refused = matches!(sink.outcome, Some(TextOutcome::Refused { .. }))
        || matches!(sink.unread, Some(Unread::Refused(Refusal::Bomb | Refusal::Memory)));
    assert!(refused, "{:?} {:?}", sink.outcome, sink.unread);
    let single = piped(&zstd_frame(27, 1600, b"end\n")[..]);
    assert_eq!(
        (single.outcome, single.bytes),
        (Some(TextOutcome::Whole), 200 * MIB + 4)
    );
}

fn dictionaries_beyond_measure() {
    for log in [28, 31] {
        let sink = piped(&zstd_frame(log, 2048, b"")[..]);
        assert_eq!(
            sink.unread,
            Some(Unread::Refused(Refusal::Memory)),
            "zstd window 2^{log}"
        );
    }
    // The block header of an xz begins at 12: its size, flags, filter id, size of properties, dictionary, padding; CRC-32.
    let mut packed = xz(b"text\n");
    assert_eq!(packed[14..16], [0x21, 1]);
    packed[16] = 40;
    let end = 12 + (usize::from(packed[12]) + 1) * 4 - 4;
    let mut crc = flate2::Crc::new();
    crc.update(&packed[12..end]);
    packed[end..end + 4].copy_from_slice(&crc.sum().to_le_bytes());
    assert_eq!(
        piped(&packed[..]).unread,
        Some(Unread::Refused(Refusal::Memory)),
        "xz dictionary of 4 GiB"
    );
}

/// A 7z that has only a list of members: this many, in a list of this many bytes.
fn seven_list(members: u32, length: usize) -> Vec<u8> {
    let crc = |bytes: &[u8]| {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        crc.sum().to_le_bytes()
    };
    let mut list = vec![1, 5, 0xf0];
    list.extend(members.to_le_bytes());
    list.resize(length, 0);
    let mut start = 0u64.to_le_bytes().to_vec();
    start.extend((list.len() as u64).to_le_bytes());
    start.extend(crc(&list));
    let mut file = b"7z\xbc\xaf\x27\x1c\0\x04".to_vec();
    file.extend(crc(&start));
    file.extend(start);
    file.extend(list);
    file
}

fn lists_that_lie() {
    let sink = piped(&seven_list(10_000_000, 10_100_000)[..]);
    assert_eq!(sink.unread, Some(Unread::Refused(Refusal::TooManyMembers)));
    let sink = piped(&seven_list(900_000, 1_000_000)[..]);
    assert!(sink.unread.is_some() || sink.texts == 900_000);
    let sink = piped(&seven_list(10, 80_000_000)[..]);
    assert_eq!(sink.unread, Some(Unread::Refused(Refusal::Memory)));
}

fn names_without_end() {
    for kind in [
        tar::EntryType::GNULongName,
        tar::EntryType::GNULongLink,
        tar::EntryType::XHeader,
    ] {
        let header = tar_header(b"x", kind, 1 << 32);
        let sink = piped(header.as_bytes().chain(std::io::repeat(b'x').take(1 << 30)));
        assert!(sink.unread.is_some_and(|why| why.to_string().contains("too long")));
    }
}

/// The header in front of a member of a zip: stored, this long.
fn local_header(name: &[u8], size: u32) -> Vec<u8> {
    let mut header = b"PK\x03\x04\x0a\0\0\0\0\0\0\0\0\0".to_vec();
    header.extend([0; 4]);
    header.extend(size.to_le_bytes());
    header.extend(size.to_le_bytes());
    header.extend((name.len() as u16).to_le_bytes());
    header.extend([0, 0]);
    header.extend(name);
    header
}

fn a_piped_zip_larger_than_memory() {
    let size = 600 * MIB;
    let sink = piped(Cursor::new(local_header(b"a", size as u32)).chain(repeated(size)));
    assert_eq!(sink.bytes, size);
    assert!(
        matches!(sink.outcome, Some(TextOutcome::CutShort { .. })),
        "its checksum is 0, which is wrong"
    );
}

/// More members than are read, in a zip64, each an empty file.
fn a_million_members_in_a_zip() {
    const MEMBERS: u64 = 1_000_010;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crowd.zip");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    for _ in 0..MEMBERS {
        file.write_all(&local_header(b"a", 0)).unwrap();
    }
    let mut entry = b"PK\x01\x02\x0a\0".to_vec();
    entry.extend(&local_header(b"a", 0)[4..30]);
    entry.extend([0; 10]);
    for number in 0..MEMBERS {
        file.write_all(&entry).unwrap();
        file.write_all(&(number as u32 * 31).to_le_bytes()).unwrap();
        file.write_all(b"a").unwrap();
    }
    let (list, end) = (MEMBERS * 31, MEMBERS * (31 + 47));
    let mut tail = b"PK\x06\x06".to_vec();
    tail.extend(44u64.to_le_bytes());
    tail.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for number in [MEMBERS, MEMBERS, end - list, list] {
        tail.extend(number.to_le_bytes());
    }
    tail.extend(b"PK\x06\x07\0\0\0\0");
    tail.extend(end.to_le_bytes());
    tail.extend(1u32.to_le_bytes());
    tail.extend(b"PK\x05\x06\0\0\0\0");
    tail.extend([0xff; 12]);
    tail.extend([0, 0]);
    file.write_all(&tail).unwrap();
    file.flush().unwrap();
    let sink = from_disk(&path);
    assert_eq!(sink.texts, 1_000_000);
    assert_eq!(sink.unread, Some(Unread::Refused(Refusal::TooManyMembers)));
}
