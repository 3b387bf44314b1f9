//! Hostile containers: bombs, lies, crowds, names that steer.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cases;
mod unpack_support;

use cases::cases;
use proptest::prelude::*;
use rightful_leaks::unpack::lines::{Block, Blocks, MAX_LINE};
use rightful_leaks::unpack::{
    LeakSource, Limits, RawProgress, Refusal, SourceFile, Start, Stop, TextName, TextOutcome, TextSink, UnpackOptions,
    Unread, read_stream,
};
use std::io::{Cursor, Read, Write};
use unpack_support::*;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

const MIB: u64 = 1024 * 1024;
const TEXT: &str = "anna@example.org:secret\n";

/// Limits that a bomb of a few MiB passes, so that the tests are quick.
fn tight() -> UnpackOptions {
    UnpackOptions {
        limits: Limits {
            ratio: 10,
            free: MIB,
            ..Limits::default()
        },
        ..options()
    }
}

fn is_bomb(outcome: &Option<TextOutcome>) -> bool {
    matches!(outcome, Some(TextOutcome::Refused { why: Refusal::Bomb, at }) if *at < 8 * MIB)
}

#[test]
fn k01_stream_bombs_are_refused_and_the_next_file_is_read() {
    let bomb = || repeated(40 * MIB);
    let stacked = gzip(&gzip_from(repeated(200 * MIB)));
    let folder = folder(&[
        ("a.gz", &gzip_from(bomb())),
        ("b.zst", &zstd::encode_all(bomb(), 1).unwrap()),
        ("c.xz", &xz_from(bomb())),
        ("d.bz2", &bzip2_from(repeated(4 * MIB))),
        ("e.tar.gz", &gzip_from(tar_of_repeated(40 * MIB))),
        ("f.gz.gz", &stacked),
        ("z.txt", TEXT.as_bytes()),
    ]);
    let recorder = read_path(folder.path(), &tight());
    assert_eq!(recorder.texts.len(), 7);
    let (last, bombs) = recorder.texts.split_last().unwrap();
    assert!(
        bombs.iter().all(|text| is_bomb(&text.outcome)),
        "{:?}",
        outcomes(&recorder)
    );
    assert_eq!(
        (&last.bytes[..], &last.outcome),
        (TEXT.as_bytes(), &Some(TextOutcome::Whole))
    );
}

fn outcomes(recorder: &Recorder) -> Vec<(&str, Option<&TextOutcome>)> {
    recorder
        .texts
        .iter()
        .map(|text| (text.name.shown.as_str(), text.outcome.as_ref()))
        .collect()
}

fn tar_of_repeated(bytes: u64) -> impl Read {
    Cursor::new(tar_header(b"a", tar::EntryType::Regular, bytes).as_bytes().to_vec()).chain(repeated(bytes))
}

#[test]
fn k01_a_bomb_in_an_archive_does_not_take_the_others_with_it() {
    let bomb: Vec<u8> = {
        let mut bytes = Vec::new();
        repeated(20 * MIB).read_to_end(&mut bytes).unwrap();
        bytes
    };
    let files = [("a", TEXT.as_bytes()), ("b", &bomb[..]), ("c", TEXT.as_bytes())];
    let packed = gzip(&bomb);
    let inside = [("a", TEXT.as_bytes()), ("b", &packed[..]), ("c", TEXT.as_bytes())];
    for packed in [
        zip(&files),
        seven(&files),
        tar(&inside),
        zip(&[("in.zip", &zip(&files))]),
    ] {
        let recorder = read_file("l", &packed, &tight());
        assert_eq!(
            recorder.texts.len(),
            3,
            "{:?} {:?}",
            outcomes(&recorder),
            recorder.passed_over()
        );
        assert_eq!(recorder.texts[0].outcome, Some(TextOutcome::Whole));
        assert!(is_bomb(&recorder.texts[1].outcome), "{:?}", outcomes(&recorder));
        assert_eq!(
            (&recorder.texts[2].bytes[..], &recorder.texts[2].outcome),
            (TEXT.as_bytes(), &Some(TextOutcome::Whole))
        );
    }
    let recorder = read_file("l", &gzip(&tar(&files)), &tight());
    assert_eq!(recorder.texts.len(), 2, "{:?}", outcomes(&recorder));
    let told: Vec<_> = recorder.passed_over().into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        told,
        ["l"],
        "the rest of the archive is refused with it, and that is told"
    );
    let recorder = read_file("l", &seven_solid(&files), &tight());
    assert_eq!(recorder.texts.len(), 2, "what comes after it in the same block is lost");
    assert_eq!(recorder.unread[0].1, Unread::Refused(Refusal::Bomb));
}

#[test]
fn k01_what_nobody_wants_is_not_unpacked_without_end() {
    let zeros = vec![0u8; 20 * MIB as usize];
    let recorder = read_file("l.7z", &seven_solid(&[("a", &zeros), ("b", TEXT.as_bytes())]), &tight());
    assert_eq!(recorder.unread[0].1, Unread::Binary("not a text"));
    assert_eq!(
        recorder.unread[1].1,
        Unread::Refused(Refusal::Bomb),
        "b lies behind the zeros"
    );
}

#[test]
fn k01_ordinary_repetition_passes_with_the_limits_of_production() {
    let recorder = {
        let folder = folder(&[("l.gz", &gzip_from(repeated(200 * MIB)))]);
        let mut recorder = Recorder {
            count_only: true,
            ..Recorder::default()
        };
        try_path(&folder.path().join("l.gz"), &options(), &mut recorder).unwrap();
        recorder
    };
    assert_eq!(
        (recorder.counted, &recorder.texts[0].outcome),
        (200 * MIB, &Some(TextOutcome::Whole))
    );
}

#[test]
fn k01_the_limits_of_production_end_a_bomb() {
    let mut writer = zstd::Encoder::new(Vec::new(), 1).unwrap();
    std::io::copy(&mut repeated(1024 * MIB), &mut writer).unwrap();
    let folder = folder(&[("l.zst", &writer.finish().unwrap())]);
    let mut recorder = Recorder {
        count_only: true,
        ..Recorder::default()
    };
    try_path(&folder.path().join("l.zst"), &options(), &mut recorder).unwrap();
    assert!(matches!(
        recorder.texts[0].outcome,
        Some(TextOutcome::Refused { why: Refusal::Bomb, .. })
    ));
    assert!(recorder.counted <= 257 * MIB);
}

/// A zip whose list names one stored body many times.
fn overlapping(times: u16) -> Vec<u8> {
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let body = TEXT.repeat(1000);
    let single = zip_with(&[("a", body.as_bytes())], stored);
    let list = single.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
    let end = single.windows(4).rposition(|window| window == b"PK\x05\x06").unwrap();
    let entry = single[list..end].to_vec();
    let mut packed = single[..list].to_vec();
    for _ in 0..times {
        packed.extend(&entry);
    }
    let mut tail = single[end..].to_vec();
    tail[8..10].copy_from_slice(&times.to_le_bytes());
    tail[10..12].copy_from_slice(&times.to_le_bytes());
    tail[12..16].copy_from_slice(&(entry.len() as u32 * u32::from(times)).to_le_bytes());
    packed.extend(tail);
    packed
}

#[test]
fn k01_members_that_overlap_are_refused() {
    let recorder = read_file("l.zip", &overlapping(1), &options());
    assert_eq!(recorder.texts[0].outcome, Some(TextOutcome::Whole));
    let recorder = read_file("l.zip", &overlapping(400), &options());
    assert!(recorder.texts.len() <= 3, "{}", recorder.texts.len());
    assert_eq!(recorder.unread.last().unwrap().1, Unread::Refused(Refusal::Overlap));
}

#[test]
fn k01_zip_sizes_that_lie_are_found_out() {
    let text = TEXT.repeat(100);
    for large in [false, true] {
        let options = SimpleFileOptions::default().large_file(large);
        let honest = zip_with(&[("a", text.as_bytes()), ("b", b"b\n")], options);
        read_file("l.zip", &honest, &unpack_support::options()).is_exactly(&[("l.zip!a", &text), ("l.zip!b", "b\n")]);
        // In the list: the packed size at 20, the size at 24, the place of the member at 42; in the end record the numbers
        // of members at 8, the length of the list at 12 and its place at 16.
        let list = honest.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
        let end = honest.windows(4).rposition(|window| window == b"PK\x05\x06").unwrap();
        let places = [list + 20, list + 24, list + 42, end + 8, end + 12, end + 16];
        for (place, lie) in places
            .iter()
            .flat_map(|place| [0, 3, 0xffff_fffe, 0xffff_ffff].map(|lie: u32| (place, lie)))
        {
            let mut lying = honest.clone();
            lying[*place..place + 4].copy_from_slice(&lie.to_le_bytes());
            let recorder = read_file("l.zip", &lying, &tight());
            let (whole, cut): (Vec<_>, Vec<_>) = recorder
                .texts
                .iter()
                .partition(|found| found.outcome == Some(TextOutcome::Whole));
            for found in &whole {
                let expected = if found.name.shown.ends_with("!a") {
                    text.as_bytes()
                } else {
                    b"b\n"
                };
                assert_eq!(found.bytes, expected, "{place} {lie}");
            }
            let told = whole.len() == 2 || !cut.is_empty() || !recorder.unread.is_empty();
            assert!(told || lie == 0, "{place} {lie:x} {:?}", outcomes(&recorder));
        }
    }
}

/// The records at the end of a zip64 that claim this many members, in a list of this length at this place.
fn zip64_end(members: u64, length: u64, place: u64, at: u64) -> Vec<u8> {
    let mut end = b"PK\x06\x06".to_vec();
    end.extend(44u64.to_le_bytes());
    end.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for number in [members, members, length, place] {
        end.extend(number.to_le_bytes());
    }
    end.extend(b"PK\x06\x07\0\0\0\0");
    end.extend(at.to_le_bytes());
    end.extend(1u32.to_le_bytes());
    end.extend(b"PK\x05\x06\0\0\0\0");
    end.extend([0xff; 12]);
    end.extend([0, 0]);
    end
}

#[test]
fn k01_zip64_counts_that_lie_are_found_out() {
    let honest = zip(&[("a", TEXT.as_bytes())]);
    let list = honest.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    let end = honest.windows(4).rposition(|window| window == b"PK\x05\x06").unwrap();
    let with = |members, length, place| {
        let mut bytes = honest[..end].to_vec();
        bytes.extend(zip64_end(members, length, place, end as u64));
        read_file("l.zip", &bytes, &options())
    };
    let length = (end - list) as u64;
    with(1, length, list as u64).is_exactly(&[("l.zip!a", TEXT)]);
    for (members, length, place) in [
        (1 << 60, length, list as u64),
        (u64::MAX, u64::MAX, list as u64),
        (1 << 40, 1 << 50, 0),
        (1, length, u64::MAX - 3),
        (2, length, list as u64),
    ] {
        let recorder = with(members, length, place);
        assert!(!recorder.unread.is_empty(), "{members} {length} {place}");
        assert!(recorder.texts.len() <= 1);
    }
}

#[test]
fn k01_members_are_limited_in_number() {
    let few = UnpackOptions {
        limits: Limits {
            entries: 5,
            ..Limits::default()
        },
        ..options()
    };
    let names: Vec<String> = (0..8).map(|n| format!("m{n}")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), TEXT.as_bytes())).collect();
    let nested = tar(&[("in.zip", &zip(&files))]);
    for (packed, most) in [(tar(&files), 5), (zip(&files), 5), (nested, 4), (seven(&files), 0)] {
        let recorder = read_file("l", &packed, &few);
        assert_eq!(recorder.texts.len(), most);
        assert_eq!(recorder.unread[0].1, Unread::Refused(Refusal::TooManyMembers));
    }
}

/// Counts, keeps nothing.
#[derive(Default)]
struct Counter {
    texts: u64,
    bytes: u64,
    last_unread: Option<Unread>,
}

impl TextSink for Counter {
    fn begin(&mut self, _: &TextName) -> Result<Start, Stop> {
        self.texts += 1;
        Ok(Start::FromByte(0))
    }

    fn chunk(&mut self, bytes: &[u8], _: RawProgress) -> Result<(), Stop> {
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn end(&mut self, _: &TextOutcome) -> Result<(), Stop> {
        Ok(())
    }

    fn unread(&mut self, _: &TextName, why: &Unread) -> Result<(), Stop> {
        self.last_unread = Some(why.clone());
        Ok(())
    }

    fn source_end(&mut self, _: &SourceFile, _: Option<[u8; 32]>, _: u64) -> Result<(), Stop> {
        Ok(())
    }
}

#[test]
fn k01_a_crowd_of_tiny_members_is_read() {
    let names: Vec<String> = (0..70_000).map(|n| format!("m{n}")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"x\n"[..])).collect();
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for packed in [tar(&files), zip_with(&files, stored), seven_solid(&files)] {
        let mut counter = Counter::default();
        read_stream("-", &mut &packed[..], &options(), &mut counter).unwrap();
        assert_eq!(
            (counter.texts, counter.bytes, counter.last_unread),
            (70_000, 140_000, None)
        );
    }
}

#[test]
fn k01_a_million_members_are_the_most() {
    let header = *tar_header(b"a", tar::EntryType::Regular, 0).as_bytes();
    let mut crowd = Endless::new(&header).take(512 * 1_000_100);
    let mut counter = Counter::default();
    read_stream("-", &mut crowd, &options(), &mut counter).unwrap();
    assert_eq!(counter.texts, 1_000_000);
    assert_eq!(counter.last_unread, Some(Unread::Refused(Refusal::TooManyMembers)));
}

#[test]
fn k01_names_steer_nothing() {
    let folder = folder(&[("work/keep", b"")]);
    let before = std::fs::read_dir(folder.path()).unwrap().count();
    let mut packed = Vec::new();
    for name in [
        "../../escape",
        "/etc/passwd",
        "a/../../b",
        "C:\\windows\\x",
        "\x1b[2Jx",
        "..",
    ] {
        packed.extend(tar_header(name.as_bytes(), tar::EntryType::Regular, TEXT.len() as u64).as_bytes());
        packed.extend(TEXT.as_bytes());
        packed.resize(packed.len().next_multiple_of(512), 0);
    }
    let names = ["../../escape", "/etc/passwd", "a\\..\\b"];
    let files = names.map(|name| (name, TEXT.as_bytes()));
    for (packed, count) in [(packed, 6), (zip(&files), 3), (seven(&files), 3)] {
        let path = folder.path().join("work/l");
        std::fs::write(&path, packed).unwrap();
        let recorder = read_path(&path, &options());
        assert_eq!(recorder.texts.len(), count);
        assert!(recorder.texts.iter().all(|text| text.bytes == TEXT.as_bytes()));
        assert!(
            recorder
                .texts
                .iter()
                .all(|text| !text.name.shown.chars().any(char::is_control))
        );
        assert!(
            recorder
                .texts
                .iter()
                .any(|text| text.name.shown.ends_with("!../../escape"))
        );
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), before);
        assert_eq!(std::fs::read_dir(folder.path().join("work")).unwrap().count(), 2);
    }
}

#[test]
fn k01_links_and_devices_in_archives_are_passed_over() {
    let mut packed = Vec::new();
    for kind in [
        tar::EntryType::Symlink,
        tar::EntryType::Link,
        tar::EntryType::Char,
        tar::EntryType::Block,
        tar::EntryType::Fifo,
        tar::EntryType::Directory,
        tar::EntryType::new(b'Z'),
    ] {
        let mut header = tar_header(b"x", kind, 0);
        header.set_link_name("/etc/passwd").unwrap();
        header.set_cksum();
        packed.extend(header.as_bytes());
    }
    packed.extend(tar(&[("a", TEXT.as_bytes())]));
    let recorder = read_file("l", &packed, &options());
    let why: Vec<_> = recorder.unread.iter().map(|(_, why)| why.clone()).collect();
    let special = Unread::Special;
    let expected = [
        Unread::Link,
        Unread::Link,
        special("a device"),
        special("a device"),
        special("a pipe"),
        special("no file"),
    ];
    assert_eq!(why, expected);
    assert_eq!(recorder.texts.len(), 1);

    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    writer
        .add_symlink("link", "/etc/passwd", SimpleFileOptions::default())
        .unwrap();
    writer.add_directory("folder", SimpleFileOptions::default()).unwrap();
    writer.start_file("a", SimpleFileOptions::default()).unwrap();
    writer.write_all(TEXT.as_bytes()).unwrap();
    let recorder = read_file("l", &writer.finish().unwrap().into_inner(), &options());
    assert_eq!(
        recorder.passed_over(),
        [("l!link".to_owned(), "skipped: a link".to_owned())]
    );
    assert_eq!(recorder.texts.len(), 1);

    let mut link = sevenz_rust2::ArchiveEntry::new_file("link");
    link.has_windows_attributes = true;
    link.windows_attributes = 0o120_777 << 16 | 0x8000;
    let mut writer = sevenz_rust2::ArchiveWriter::new(Cursor::new(Vec::new())).unwrap();
    writer
        .push_archive_entry(link, Some(Cursor::new(b"/etc/passwd")))
        .unwrap();
    writer
        .push_archive_entry(sevenz_rust2::ArchiveEntry::new_directory("folder"), None::<&[u8]>)
        .unwrap();
    writer
        .push_archive_entry(sevenz_rust2::ArchiveEntry::new_file("empty"), None::<&[u8]>)
        .unwrap();
    let recorder = read_file("l", &writer.finish().unwrap().into_inner(), &options());
    assert_eq!(
        recorder.passed_over(),
        [("l!link".to_owned(), "skipped: a link".to_owned())]
    );
    assert_eq!(
        recorder.found(),
        [("l!empty".to_owned(), String::new(), "read to its end".to_owned())]
    );
}

#[test]
fn k01_tar_names_without_end_are_not_kept() {
    let long = tar_header(b"././@LongLink", tar::EntryType::GNULongName, 1 << 40);
    let packed = long.as_bytes().chain(std::io::repeat(b'x').take(64 * MIB));
    let mut recorder = Recorder::default();
    read_stream("-", &mut { packed }, &options(), &mut recorder).unwrap();
    assert!(recorder.texts.is_empty());
    assert!(
        recorder.passed_over()[0].1.contains("too long"),
        "{:?}",
        recorder.passed_over()
    );
}

#[test]
fn k01_an_archive_within_itself_comes_to_an_end() {
    // A gzip whose content is the same gzip again would go on for ever; 40 layers show that it need not be unpacked.
    let mut packed = TEXT.as_bytes().to_vec();
    for _ in 0..40 {
        packed = gzip(&packed);
    }
    let recorder = read_file("l", &packed, &options());
    assert_eq!(recorder.unread[0].1, Unread::Refused(Refusal::TooDeep));
}

#[test]
fn k01_sparse_members_are_no_way_round_the_limits() {
    let mut header = tar::Header::new_gnu();
    header.set_path("a").unwrap();
    header.set_entry_type(tar::EntryType::GNUSparse);
    header.set_mode(0o644);
    header.set_size(512);
    {
        let gnu = header.as_gnu_mut().unwrap();
        let octal = |field: &mut [u8; 12], value: u64| field.copy_from_slice(format!("{value:011o}\0").as_bytes());
        octal(&mut gnu.sparse[0].offset, 0);
        octal(&mut gnu.sparse[0].numbytes, 512);
        octal(&mut gnu.sparse[1].offset, 4 << 30);
        octal(&mut gnu.sparse[1].numbytes, 0);
        octal(&mut gnu.realsize, 4 << 30);
    }
    header.set_cksum();
    let mut packed = header.as_bytes().to_vec();
    packed.extend(TEXT.repeat(30).as_bytes()[..512].iter());
    packed.extend([0; 1024]);
    let folder = folder(&[("l", &packed)]);
    let mut recorder = Recorder {
        count_only: true,
        ..Recorder::default()
    };
    try_path(&folder.path().join("l"), &tight(), &mut recorder).unwrap();
    assert!(recorder.counted < 3 * MIB);
    assert!(
        is_bomb(&recorder.texts.first().and_then(|text| text.outcome.clone())) || recorder.texts.is_empty(),
        "{:?}",
        outcomes(&recorder)
    );
}

/// One line of a GB: counted, and cut, without being kept.
#[test]
fn k02_a_line_of_a_gigabyte_is_one_line() {
    struct Lines {
        blocks: Option<Blocks>,
        lines: Vec<(u64, usize, bool)>,
        largest: usize,
    }

    impl Lines {
        fn take(block: &Block, lines: &mut Vec<(u64, usize, bool)>, largest: &mut usize) {
            *largest = block.clone().into_buffer().len().max(*largest);
            block.for_each_line(|line| lines.push((line.number, line.bytes.len(), line.over_long)));
        }
    }

    impl TextSink for Lines {
        fn begin(&mut self, _: &TextName) -> Result<Start, Stop> {
            self.blocks = Some(Blocks::new());
            Ok(Start::FromByte(0))
        }

        fn chunk(&mut self, bytes: &[u8], _: RawProgress) -> Result<(), Stop> {
            let (lines, largest) = (&mut self.lines, &mut self.largest);
            self.blocks.as_mut().unwrap().push(bytes, &mut |block| {
                Self::take(&block, lines, largest);
                Ok(())
            })
        }

        fn end(&mut self, _: &TextOutcome) -> Result<(), Stop> {
            let (lines, largest) = (&mut self.lines, &mut self.largest);
            self.blocks.take().unwrap().finish(&mut |block| {
                Self::take(&block, lines, largest);
                Ok(())
            })
        }

        fn unread(&mut self, _: &TextName, _: &Unread) -> Result<(), Stop> {
            Err(Stop)
        }

        fn source_end(&mut self, _: &SourceFile, _: Option<[u8; 32]>, _: u64) -> Result<(), Stop> {
            Ok(())
        }
    }

    let line = std::io::repeat(b'x').take(1 << 30);
    let mut text = b"first\n".chain(line).chain(&b"\r\nlast"[..]);
    let mut sink = Lines {
        blocks: None,
        lines: Vec::new(),
        largest: 0,
    };
    read_stream("-", &mut text, &options(), &mut sink).unwrap();
    assert_eq!(sink.lines, [(1, 5, false), (2, MAX_LINE, true), (3, 4, false)]);
    assert!(sink.largest <= 2 * MIB as usize);
}

#[cfg(unix)]
#[test]
fn a_pipe_that_is_named_is_read_as_a_stream() {
    let packed = zip(&[("a", TEXT.as_bytes())]);
    let (reader, mut writer) = std::io::pipe().unwrap();
    let path = {
        use std::os::fd::AsRawFd;
        format!("/proc/self/fd/{}", reader.as_raw_fd())
    };
    if !std::path::Path::new(&path).exists() {
        return;
    }
    let feeder = std::thread::spawn(move || writer.write_all(&packed));
    let source = LeakSource::from_argument(path.clone());
    let mut recorder = Recorder::default();
    rightful_leaks::unpack::read_sources(&[source], &options(), &mut recorder).unwrap();
    feeder.join().unwrap().unwrap();
    assert_eq!(recorder.texts[0].name.shown, format!("{path}!a"));
    assert_eq!(recorder.texts[0].bytes, TEXT.as_bytes());
    assert_eq!(recorder.progress[0].raw_total, None);
}

#[test]
fn k01_coders_in_a_chain_share_the_memory() {
    use sevenz_rust2::encoder_options::Lzma2Options;
    let chain = |links| {
        seven_with(
            &[("a", TEXT.as_bytes())],
            vec![Lzma2Options::from_level(1).into(); links],
            false,
        )
    };
    read_file("l.7z", &chain(4), &options()).is_exactly(&[("l.7z!a", TEXT)]);
    let recorder = read_file("l.7z", &chain(5), &options());
    assert_eq!(
        (recorder.texts.len(), &recorder.unread[0].1),
        (0, &Unread::Refused(Refusal::Memory))
    );
    let small = UnpackOptions {
        limits: Limits {
            memory: MIB / 2,
            ..Limits::default()
        },
        ..options()
    };
    let recorder = read_file("l.7z", &chain(1), &small);
    assert_eq!(recorder.unread[0].1, Unread::Refused(Refusal::Memory));
}

/// Small containers of every kind, some nested.
fn every_kind() -> Vec<Vec<u8>> {
    let text = TEXT.repeat(20);
    let files = [("a", text.as_bytes()), ("b/c", &b"b\n"[..])];
    let mut kinds = vec![
        gzip(text.as_bytes()),
        zstd(text.as_bytes()),
        xz(text.as_bytes()),
        bzip2(text.as_bytes()),
    ];
    kinds.extend([
        tar(&files),
        zip(&files),
        seven(&files),
        seven_solid(&files),
        seven_locked(&files, "geheim", true),
    ]);
    let long = "n".repeat(300);
    kinds.push(tar(&[(&long, text.as_bytes())]));
    kinds.push(zip_with(
        &files,
        SimpleFileOptions::default().with_aes_encryption(zip::AesMode::Aes256, "geheim"),
    ));
    kinds.push(gzip(&tar(&[("in.zip", &zip(&files)), ("in.7z", &seven(&files))])));
    kinds
}

proptest! {
    #![proptest_config(cases(400, u32::MAX))]
    #[test]
    fn k01_damage_anywhere_ends_in_an_outcome(
        kind in 0usize..12,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        keep in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        static KINDS: std::sync::LazyLock<Vec<Vec<u8>>> = std::sync::LazyLock::new(every_kind);
        let mut bytes = KINDS[kind].clone();
        for (place, value) in damage {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if cut {
            bytes.truncate(keep.index(bytes.len()));
        }
        let options = UnpackOptions { limits: tight().limits, ..with_password("geheim") };
        for recorder in [read_file("l", &bytes, &options), read_piped(&bytes, &options)] {
            prop_assert!(recorder.texts.iter().all(|text| text.outcome.is_some()));
            prop_assert!(kind > 3 || recorder.texts.len() + recorder.unread.len() == 1, "a stream is one text");
            prop_assert_eq!(recorder.sources.len(), 1);
        }
    }
}
