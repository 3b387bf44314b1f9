//! Every container, read whole, in part, damaged, locked, piped and nested.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cases;
mod unpack_support;

use cases::cases;
use proptest::prelude::*;
use rightful_leaks::unpack::lines::Blocks;
use rightful_leaks::unpack::{
    LeakSource, Limits, ReadFault, Refusal, Start, TextOutcome, UnpackOptions, Unread, fingerprint, read_sources,
    survey,
};
use sevenz_rust2::{EncoderConfiguration, EncoderMethod};
use sha2::{Digest, Sha256};
use std::convert::Infallible;
use unpack_support::*;
use zip::unstable::write::FileOptionsExt;
use zip::write::SimpleFileOptions;
use zip::{AesMode, CompressionMethod};

const TEXT: &str = "anna@example.org:secret\nberta@example.org:word\n";

type Packer = fn(&[u8]) -> Vec<u8>;

const STREAMS: [(&str, Packer); 4] = [("gz", gzip), ("zst", zstd), ("xz", xz), ("bz2", bzip2)];

type Archiver = fn(&[(&str, &[u8])]) -> Vec<u8>;

fn archive(name: &str) -> Archiver {
    match name {
        "tar" => tar,
        "zip" => zip,
        "7z" => seven,
        _ => seven_solid,
    }
}

/// Enough lines that no buffer holds them all, none like the other.
fn many_lines(count: u32) -> String {
    (0..count)
        .map(|n| format!("user{n}@example.org:{:x}\n", n.wrapping_mul(2_654_435_761)))
        .collect()
}

#[test]
fn a_plain_text_is_read_as_it_stands() {
    let recorder = read_file("leak.txt", TEXT.as_bytes(), &options());
    recorder.is_exactly(&[("leak.txt", TEXT)]);
    read_piped(TEXT.as_bytes(), &options()).is_exactly(&[("-", TEXT)]);
    read_file("leak.txt", b"", &options()).is_exactly(&[("leak.txt", "")]);
}

#[test]
fn streams_are_known_by_content_whatever_their_name() {
    let long = many_lines(24_000);
    for (name, pack) in STREAMS {
        for text in ["", TEXT, &long] {
            let packed = pack(text.as_bytes());
            read_file("leak.txt", &packed, &options()).is_exactly(&[("leak.txt", text)]);
            read_piped(&packed, &options()).is_exactly(&[("-", text)]);
        }
        let twice = [pack(TEXT.as_bytes()), pack(b"more\n")].concat();
        read_file(name, &twice, &options()).is_exactly(&[(name, &format!("{TEXT}more\n"))]);
    }
}

#[test]
fn zstd_skippable_frames_are_skipped() {
    let note = [&[0x53, 0x2a, 0x4d, 0x18, 5, 0, 0, 0][..], b"hello"].concat();
    let packed = [&note[..], &zstd(TEXT.as_bytes()), &note, &zstd(b"more\n"), &note].concat();
    read_file("leak", &packed, &options()).is_exactly(&[("leak", &format!("{TEXT}more\n"))]);
}

#[test]
fn archives_are_opened_member_by_member() {
    let long = many_lines(24_000);
    let files = [("a.txt", TEXT.as_bytes()), ("sub/b.txt", b""), ("c", long.as_bytes())];
    for kind in ["tar", "zip", "7z", "7z solid"] {
        let packed = archive(kind)(&files);
        let expected = [("leak!a.txt", TEXT), ("leak!sub/b.txt", ""), ("leak!c", &long)];
        read_file("leak", &packed, &options()).is_exactly(&expected);
        let piped: Vec<_> = expected
            .iter()
            .map(|(name, text)| (name.replace("leak", "-"), *text))
            .collect();
        let piped: Vec<_> = piped.iter().map(|(name, text)| (name.as_str(), *text)).collect();
        read_piped(&packed, &options()).is_exactly(&piped);
    }
}

#[test]
fn zip_methods() {
    let long = many_lines(20_000);
    for method in [
        CompressionMethod::Stored,
        CompressionMethod::Deflated,
        CompressionMethod::Zstd,
        CompressionMethod::Bzip2,
    ] {
        let packed = zip_with(
            &[("a", long.as_bytes())],
            SimpleFileOptions::default().compression_method(method),
        );
        read_file("leak.zip", &packed, &options()).is_exactly(&[("leak.zip!a", &long)]);
    }
}

#[test]
fn seven_methods() {
    let long = many_lines(20_000);
    for method in [
        EncoderMethod::COPY,
        EncoderMethod::LZMA,
        EncoderMethod::LZMA2,
        EncoderMethod::PPMD,
        EncoderMethod::BZIP2,
        EncoderMethod::DEFLATE,
        EncoderMethod::ZSTD,
    ] {
        let packed = seven_with(
            &[("a", long.as_bytes())],
            vec![EncoderConfiguration::new(method)],
            false,
        );
        read_file("leak.7z", &packed, &options()).is_exactly(&[("leak.7z!a", &long)]);
    }
}

#[test]
fn nested_containers_are_opened_and_named() {
    let inner = zip(&[
        ("c.txt.gz", &gzip(TEXT.as_bytes())),
        ("d.7z", &seven(&[("e", b"seven\n")])),
    ]);
    let packed = gzip(&tar(&[("b.zip", &inner), ("z", b"plain\n")]));
    let expected = [
        ("a.tar.gz!b.zip!c.txt.gz", TEXT),
        ("a.tar.gz!b.zip!d.7z!e", "seven\n"),
        ("a.tar.gz!z", "plain\n"),
    ];
    read_file("a.tar.gz", &packed, &options()).is_exactly(&expected);
    let packed = zip(&[("b.tar", &tar(&[("c.zip", &zip(&[("d", TEXT.as_bytes())]))]))]);
    read_file("a.zip", &packed, &options()).is_exactly(&[("a.zip!b.tar!c.zip!d", TEXT)]);
}

#[test]
fn k01_nesting_ends_at_four() {
    let mut packed = TEXT.as_bytes().to_vec();
    for _ in 0..4 {
        packed = zip(&[("in", &packed)]);
    }
    read_file("a", &packed, &options()).is_exactly(&[("a!in!in!in!in", TEXT)]);
    let deeper = zip(&[("in", &packed), ("beside", b"still read\n")]);
    let recorder = read_file("a", &deeper, &options());
    assert_eq!(recorder.unread.len(), 1);
    assert_eq!(recorder.unread[0].1, Unread::Refused(Refusal::TooDeep));
    assert_eq!(recorder.found()[0].0, "a!beside");
    let mut stream = TEXT.as_bytes().to_vec();
    for _ in 0..5 {
        stream = gzip(&stream);
    }
    assert_eq!(
        read_file("a", &stream, &options()).unread[0].1,
        Unread::Refused(Refusal::TooDeep)
    );
}

#[test]
fn locked_zips_take_the_password() {
    let plain = SimpleFileOptions::default();
    let aes = plain.with_aes_encryption(AesMode::Aes256, "geheim");
    let old = plain.with_deprecated_encryption(b"geheim").unwrap();
    for locked in [aes, old] {
        let packed = zip_with(&[("a", TEXT.as_bytes()), ("b", b"b\n")], locked);
        read_file("l.zip", &packed, &with_password("geheim")).is_exactly(&[("l.zip!a", TEXT), ("l.zip!b", "b\n")]);
        let recorder = read_file("l.zip", &packed, &options());
        let locked = "locked: it is encrypted, give the password".to_owned();
        assert_eq!(
            recorder.passed_over(),
            [("l.zip!a".into(), locked.clone()), ("l.zip!b".into(), locked)]
        );
        let recorder = read_file("l.zip", &packed, &with_password("falsch"));
        assert_eq!(
            recorder
                .texts
                .iter()
                .filter(|text| text.outcome == Some(TextOutcome::Whole))
                .count(),
            0
        );
        assert!(
            recorder
                .unread
                .iter()
                .any(|(_, why)| *why == Unread::Locked { tried: true }),
            "{recorder:?}"
        );
    }
}

#[test]
fn locked_sevens_take_the_password() {
    let files = [("a", TEXT.as_bytes()), ("b", b"b\n")];
    for names_too in [false, true] {
        let packed = seven_locked(&files, "geheim", names_too);
        read_file("l.7z", &packed, &with_password("geheim")).is_exactly(&[("l.7z!a", TEXT), ("l.7z!b", "b\n")]);
        let recorder = read_file("l.7z", &packed, &options());
        assert!(!recorder.unread.is_empty() && recorder.texts.is_empty());
        assert!(
            recorder
                .unread
                .iter()
                .all(|(_, why)| *why == Unread::Locked { tried: false }),
            "{recorder:?}"
        );
        let recorder = read_file("l.7z", &packed, &with_password("falsch"));
        assert!(
            recorder
                .texts
                .iter()
                .all(|text| text.outcome != Some(TextOutcome::Whole)),
            "{recorder:?}"
        );
        assert!(
            recorder.passed_over().iter().any(|(_, why)| why.contains("password")),
            "{recorder:?}"
        );
    }
}

#[test]
fn the_password_is_in_no_debug_output() {
    assert!(!format!("{:?}", with_password("geheim")).contains("geheim"));
}

#[test]
fn truncated_streams_give_what_they_have() {
    let long = many_lines(60_000);
    for (name, pack) in STREAMS {
        let packed = pack(long.as_bytes());
        let recorder = read_file(name, &packed[..packed.len() * 3 / 4], &options());
        let text = &recorder.texts[0];
        assert!(
            text.bytes.len() > long.len() / 3,
            "{name}: {} of {}",
            text.bytes.len(),
            long.len()
        );
        assert!(long.as_bytes().starts_with(&text.bytes));
        let Some(TextOutcome::CutShort { at, why }) = &text.outcome else {
            panic!("{name}: {:?}", text.outcome)
        };
        assert_eq!(*at, text.bytes.len() as u64);
        assert!(!why.is_empty());
    }
}

#[test]
fn truncated_archives_give_what_they_have() {
    let long = many_lines(24_000);
    let files = [("a", TEXT.as_bytes()), ("b", long.as_bytes())];
    for kind in ["tar", "zip"] {
        let packed = archive(kind)(&files);
        for recorder in [
            read_file("leak", &packed[..packed.len() / 2], &options()),
            read_piped(&packed[..packed.len() / 2], &options()),
        ] {
            let found = &recorder.texts;
            assert_eq!(found.len(), 2, "{kind}");
            assert_eq!(
                (&found[0].bytes[..], &found[0].outcome),
                (TEXT.as_bytes(), &Some(TextOutcome::Whole))
            );
            assert!(!found[1].bytes.is_empty() && long.as_bytes().starts_with(&found[1].bytes));
            assert!(matches!(found[1].outcome, Some(TextOutcome::CutShort { .. })), "{kind}");
            assert!(!recorder.unread.is_empty(), "the archive itself is named too");
        }
    }
    let packed = seven(&files);
    let recorder = read_file("leak", &packed[..packed.len() / 2], &options());
    assert!(recorder.texts.is_empty() && matches!(recorder.unread[0].1, Unread::Failed(_)));
}

#[test]
fn a_damaged_member_does_not_end_the_archive() {
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut packed = zip_with(&[("a", b"first text\n"), ("b", b"second text\n")], stored);
    let place = packed.windows(5).position(|window| window == b"first").unwrap();
    packed[place] = b'F';
    let recorder = read_file("l", &packed, &options());
    assert!(matches!(
        recorder.texts[0].outcome,
        Some(TextOutcome::CutShort { at: 11, .. })
    ));
    assert_eq!(recorder.texts[1].outcome, Some(TextOutcome::Whole));
    let copy = vec![EncoderConfiguration::new(EncoderMethod::COPY)];
    let mut packed = seven_with(&[("a", b"first text\n"), ("b", b"second text\n")], copy, false);
    let place = packed.windows(5).position(|window| window == b"first").unwrap();
    packed[place] = b'F';
    let recorder = read_file("l", &packed, &options());
    assert!(matches!(
        recorder.texts[0].outcome,
        Some(TextOutcome::CutShort { at: 11, .. })
    ));
    assert_eq!(recorder.texts[1].outcome, Some(TextOutcome::Whole));
    let mut damaged = gzip(many_lines(2000).as_bytes());
    let middle = damaged.len() / 2;
    damaged[middle..middle + 64].fill(0xff);
    let recorder = read_file("l", &tar(&[("a.gz", &damaged), ("b", TEXT.as_bytes())]), &options());
    assert!(
        matches!(recorder.texts[0].outcome, Some(TextOutcome::CutShort { .. })),
        "{:?}",
        recorder.passed_over()
    );
    assert_eq!(recorder.texts[1].outcome, Some(TextOutcome::Whole));
}

#[test]
fn what_is_no_text_is_named_and_passed_over() {
    let picture = [&b"\x89PNG\r\n\x1a\n"[..], &[0; 3000]].concat();
    let files: [(&str, &[u8]); 3] = [
        ("a.png", &picture),
        ("b", TEXT.as_bytes()),
        ("c.db", b"SQLite format 3\0rest"),
    ];
    for kind in ["tar", "zip", "7z", "7z solid"] {
        let recorder = read_file("l", &archive(kind)(&files), &options());
        assert_eq!(
            recorder.found(),
            [("l!b".into(), TEXT.into(), "read to its end".into())],
            "{kind}"
        );
        let expected = [("l!a.png", "skipped: picture"), ("l!c.db", "skipped: SQLite database")];
        assert_eq!(
            recorder.passed_over(),
            expected.map(|(name, why)| (name.to_owned(), why.to_owned()))
        );
    }
}

#[test]
fn rar_is_refused_with_the_way_round() {
    for recorder in [
        read_file("leak.rar", b"Rar!\x1a\x07\x01\0rest", &options()),
        read_piped(b"Rar!\x1a\x07\0rest", &options()),
    ] {
        assert!(recorder.texts.is_empty());
        let why = recorder.unread[0].1.to_string();
        assert!(
            why.contains("unrar p -inul leak.rar | rightful leak scan -") && why.contains("7z x"),
            "{why}"
        );
    }
}

#[test]
fn a_large_archive_that_is_piped_asks_for_a_file() {
    let limits = Limits {
        buffer: 2000,
        ..Limits::default()
    };
    let small = UnpackOptions { limits, ..options() };
    let long = many_lines(2000);
    let recorder = read_piped(&seven(&[("a", long.as_bytes())]), &small);
    assert_eq!(recorder.unread[0].1, Unread::Refused(Refusal::NeedsFile));
    assert!(recorder.unread[0].1.to_string().contains("save it to a file"));
    let packed = zip(&[("a", long.as_bytes()), ("b", TEXT.as_bytes())]);
    read_piped(&packed, &small).is_exactly(&[("-!a", &long), ("-!b", TEXT)]);
}

#[test]
fn folders_are_read_in_the_order_of_their_paths() {
    let folder = folder(&[
        ("a/b", b"2\n"),
        ("a.txt", b"1\n"),
        ("a0", b"3\n"),
        ("z/y/x.gz", &gzip(b"5\n")),
        (".hidden", b"0\n"),
        ("b.zip", &zip(&[("in", b"4\n")])),
    ]);
    let recorder = read_path(folder.path(), &options());
    let texts: Vec<_> = recorder.found().into_iter().map(|(_, text, _)| text).collect();
    assert_eq!(texts, ["0\n", "1\n", "2\n", "3\n", "4\n", "5\n"]);
    let found = paths(&recorder);
    let mut sorted = found.clone();
    sorted.sort_by(|one, other| {
        one.as_os_str()
            .as_encoded_bytes()
            .cmp(other.as_os_str().as_encoded_bytes())
    });
    assert_eq!((found.len(), &found), (6, &sorted));
    let numbers: Vec<_> = recorder.texts.iter().map(|text| text.name.number).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5]);
}

#[cfg(unix)]
#[test]
fn k01_links_and_pipes_in_folders_are_not_followed() {
    let outside = folder(&[("secret", b"never\n")]);
    let folder = folder(&[("b", b"read\n")]);
    std::os::unix::fs::symlink(outside.path().join("secret"), folder.path().join("a")).unwrap();
    std::os::unix::fs::symlink(outside.path(), folder.path().join("c")).unwrap();
    std::os::unix::fs::symlink(folder.path(), folder.path().join("loop")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("d")).unwrap();
    let recorder = read_path(folder.path(), &options());
    assert_eq!(
        recorder.found(),
        [("b".into(), "read\n".into(), "read to its end".into())]
    );
    let why: Vec<_> = recorder
        .passed_over()
        .into_iter()
        .map(|(name, why)| format!("{name} {why}"))
        .collect();
    let link = "skipped: a link";
    assert_eq!(
        why,
        [
            format!("a {link}"),
            format!("c {link}"),
            "d skipped: a pipe, socket or device".into(),
            format!("loop {link}")
        ]
    );
    let named = read_path(&folder.path().join("a"), &options());
    assert_eq!(
        named.found()[0].1,
        "never\n",
        "a link that was named itself is followed"
    );
}

#[test]
fn a_source_that_is_not_there_ends_the_run_before_it_begins() {
    let folder = folder(&[("a", b"a\n")]);
    let sources = [
        LeakSource::Path(folder.path().join("a")),
        LeakSource::Path(folder.path().join("nothing")),
    ];
    let mut recorder = Recorder::default();
    let fault = read_sources(&sources, &options(), &mut recorder).unwrap_err();
    assert!(matches!(&fault, ReadFault::Open { shown, .. } if shown.ends_with("nothing")));
    assert!(recorder.texts.is_empty() && recorder.sources.is_empty());
}

#[test]
fn the_word_for_standard_input_is_a_dash() {
    assert_eq!(LeakSource::from_argument("-"), LeakSource::Stdin);
    assert_eq!(LeakSource::from_argument("./-"), LeakSource::Path("./-".into()));
}

#[test]
fn a_sink_can_stop_anywhere() {
    let long = many_lines(24_000);
    let files = [("a", long.as_bytes()), ("b", TEXT.as_bytes())];
    for kind in ["tar", "zip", "7z", "7z solid"] {
        let folder = folder(&[("l", &archive(kind)(&files))]);
        let mut recorder = Recorder {
            stop_after: Some(1),
            ..Recorder::default()
        };
        let fault = try_path(&folder.path().join("l"), &options(), &mut recorder).unwrap_err();
        assert!(matches!(fault, ReadFault::Stopped));
        assert_eq!((recorder.texts.len(), recorder.sources.len()), (1, 0), "{kind}");
    }
}

#[test]
fn reading_goes_on_from_any_byte() {
    let long = many_lines(24_000);
    let packed: Vec<(&str, Vec<u8>)> = STREAMS
        .iter()
        .map(|(name, pack)| (*name, pack(long.as_bytes())))
        .collect();
    let mut files: Vec<(&str, &[u8])> = packed.iter().map(|(name, bytes)| (*name, &bytes[..])).collect();
    let marked = [b"\xef\xbb\xbf", long.as_bytes()].concat();
    let wide: Vec<u8> = long.encode_utf16().flat_map(u16::to_le_bytes).collect();
    files.extend([("plain", long.as_bytes()), ("marked", &marked), ("wide", &wide)]);
    for (name, bytes) in files {
        let folder = folder(&[(name, bytes)]);
        let path = folder.path().join(name);
        for from in [0, 1, 9000, 524_288, 700_001, long.len() - 1, long.len()] {
            let mut recorder = Recorder::default();
            recorder
                .wanted
                .insert(path.display().to_string(), Start::FromByte(from as u64));
            let asked = UnpackOptions {
                sha256: true,
                ..options()
            };
            try_path(&path, &asked, &mut recorder).unwrap();
            assert!(recorder.texts[0].bytes == long.as_bytes()[from..], "{name} from {from}");
            assert_eq!(
                recorder.texts[0].outcome,
                Some(TextOutcome::Whole),
                "{name} from {from}"
            );
            assert_eq!(
                recorder.sources[0].1,
                Some(Sha256::digest(bytes).into()),
                "{name} from {from}"
            );
        }
        let mut recorder = Recorder::default();
        recorder
            .wanted
            .insert(path.display().to_string(), Start::FromByte(long.len() as u64 + 1));
        try_path(&path, &options(), &mut recorder).unwrap();
        let outcome = recorder.texts[0].outcome.as_ref().unwrap();
        assert!(
            matches!(outcome, TextOutcome::CutShort { at, .. } if *at == long.len() as u64),
            "{name} {outcome:?}"
        );
    }
}

#[test]
fn unwanted_members_are_not_given() {
    let long = many_lines(24_000);
    let files = [("a", long.as_bytes()), ("b", TEXT.as_bytes())];
    for kind in ["tar", "zip", "7z", "7z solid"] {
        let folder = folder(&[("l", &archive(kind)(&files))]);
        let path = folder.path().join("l");
        let mut recorder = Recorder::default();
        recorder.wanted.insert(format!("{}!a", path.display()), Start::Skip);
        try_path(&path, &options(), &mut recorder).unwrap();
        recorder.is_exactly(&[("l!b", TEXT)]);
        assert_eq!(
            recorder.texts[0].name.number, 1,
            "numbers do not depend on what is wanted"
        );
    }
}

#[test]
fn every_source_file_is_hashed_as_it_lies_on_disk() {
    let long = many_lines(24_000);
    let files: [(&str, Vec<u8>); 8] = [
        ("a", long.clone().into_bytes()),
        ("b", [gzip(TEXT.as_bytes()), b"trailing garbage".to_vec()].concat()),
        (
            "c",
            [tar(&[("x", TEXT.as_bytes())]), b"after the end".to_vec()].concat(),
        ),
        ("d", zip(&[("x", long.as_bytes())])),
        ("e", seven(&[("x", long.as_bytes())])),
        ("f", [&b"\x89PNG\r\n\x1a\n"[..], &[7; 700_000]].concat()),
        ("g", b"Rar!\x1a\x07\0rest".to_vec()),
        ("h", Vec::new()),
    ];
    let borrowed: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (*name, &bytes[..])).collect();
    let folder = folder(&borrowed);
    let asked = UnpackOptions {
        sha256: true,
        ..options()
    };
    let recorder = read_path(folder.path(), &asked);
    assert_eq!(recorder.sources.len(), files.len());
    for ((name, bytes), (file, sha256, length)) in files.iter().zip(&recorder.sources) {
        assert!(file.shown.ends_with(name));
        assert_eq!(
            (*sha256, *length),
            (Some(Sha256::digest(bytes).into()), bytes.len() as u64),
            "{name}"
        );
        let piped = read_piped(bytes, &asked);
        assert_eq!(piped.sources[0].1, *sha256, "{name} piped");
    }
    assert!(
        read_path(folder.path(), &options())
            .sources
            .iter()
            .all(|(_, sha256, _)| sha256.is_none())
    );
}

#[test]
fn progress_runs_to_the_end_of_the_file() {
    let long = many_lines(24_000);
    for bytes in [
        long.clone().into_bytes(),
        gzip(long.as_bytes()),
        zip(&[("a", long.as_bytes())]),
        seven(&[("a", long.as_bytes())]),
    ] {
        let recorder = read_file("l", &bytes, &options());
        let total = bytes.len() as u64;
        assert!(
            recorder
                .progress
                .iter()
                .all(|at| at.raw_total == Some(total) && at.raw_read <= total)
        );
        assert!(recorder.progress.is_sorted_by_key(|at| at.raw_read));
        assert!(recorder.progress.last().unwrap().raw_read * 10 >= total * 9);
    }
}

#[test]
fn a_survey_counts_without_reading() {
    let folder = folder(&[("a", b"123"), ("b/c", b"45678")]);
    let source = LeakSource::Path(folder.path().to_owned());
    let found = survey(std::slice::from_ref(&source)).unwrap();
    assert_eq!((found.files, found.bytes), (2, Some(8)));
    let found = survey(&[source, LeakSource::Stdin]).unwrap();
    assert_eq!((found.files, found.bytes), (3, None));
}

#[test]
fn a_fingerprint_changes_with_the_files() {
    let long = vec![b'x'; 300_000];
    let folder = folder(&[("a", &long), ("b/c", b"45678")]);
    let source = LeakSource::Path(folder.path().to_owned());
    let first = fingerprint(&source).unwrap().unwrap();
    assert_eq!((first.files, first.bytes), (2, 300_005));
    assert_eq!(fingerprint(&source).unwrap(), Some(first));
    let mut changed = long.clone();
    *changed.last_mut().unwrap() = b'y';
    std::fs::write(folder.path().join("a"), &changed).unwrap();
    let second = fingerprint(&source).unwrap().unwrap();
    assert_ne!(second, first);
    std::fs::rename(folder.path().join("b/c"), folder.path().join("b/d")).unwrap();
    assert_ne!(fingerprint(&source).unwrap().unwrap(), second);
    assert_eq!(fingerprint(&LeakSource::Stdin).unwrap(), None);
    assert!(fingerprint(&LeakSource::Path(folder.path().join("nothing"))).is_err());
}

#[test]
fn k02_byte_order_marks_go_and_utf16_becomes_utf8() {
    let text = "änne@example.org:pass😀\nb:c\n";
    let mut cases = vec![[b"\xef\xbb\xbf", text.as_bytes()].concat()];
    for mark in ["", "\u{feff}"] {
        let units: Vec<u16> = format!("{mark}{text}").encode_utf16().collect();
        cases.push(units.iter().flat_map(|unit| unit.to_le_bytes()).collect());
        cases.push(units.iter().flat_map(|unit| unit.to_be_bytes()).collect());
    }
    for case in cases {
        read_file("l", &case, &options()).is_exactly(&[("l", text)]);
        read_piped(&case, &options()).is_exactly(&[("-", text)]);
        read_file("l", &zip(&[("a", &gzip(&case))]), &options()).is_exactly(&[("l!a", text)]);
    }
    let odd = b"\xff\xfea\0\x3d\xd8b\0c";
    read_file("l", odd, &options()).is_exactly(&[("l", "a\u{fffd}b\u{fffd}")]);
}

#[test]
fn k02_bytes_that_are_no_utf8_pass_untouched() {
    let text = b"j\xf6rg:gr\xfc\xdfe\nnul\0in:the\0middle\n\xff\xc0\x80\n";
    let recorder = read_file("l", text, &options());
    assert_eq!(recorder.texts[0].bytes, text);
}

/// Numbers and contents of all lines of a source.
fn lines_of(recorder: &Recorder) -> Vec<(u64, Vec<u8>)> {
    let mut lines = Vec::new();
    let mut emit = |block: rightful_leaks::unpack::lines::Block| {
        block.for_each_line(|line| lines.push((line.number, line.bytes.to_vec())));
        Ok::<(), Infallible>(())
    };
    let mut blocks = Blocks::new();
    blocks.push(&recorder.texts[0].bytes, &mut emit).unwrap();
    blocks.finish(&mut emit).unwrap();
    lines
}

#[test]
fn k02_line_ends_of_every_kind() {
    for end in ["\n", "\r\n", "\r"] {
        let text = ["one", "two", "", "four"].map(|line| format!("{line}{end}")).concat();
        let lines = lines_of(&read_file("l", text.as_bytes(), &options()));
        let expected: [(u64, &[u8]); 4] = [(1, b"one"), (2, b"two"), (3, b""), (4, b"four")];
        assert_eq!(lines, expected.map(|(number, line)| (number, line.to_vec())), "{end:?}");
    }
}

proptest! {
    #![proptest_config(cases(48, 5000))]
    #[test]
    fn k02_the_same_lines_however_packed(text in "([a-z]{0,20}[:;\r\n]{1,3}){0,400}") {
        let plain = lines_of(&read_piped(text.as_bytes(), &options()));
        for (_, pack) in STREAMS {
            prop_assert_eq!(&lines_of(&read_piped(&pack(text.as_bytes()), &options())), &plain);
        }
        for kind in ["tar", "zip", "7z"] {
            let packed = archive(kind)(&[("a", text.as_bytes())]);
            prop_assert_eq!(&lines_of(&read_piped(&packed, &options())), &plain);
        }
        let wide: Vec<u8> = std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect();
        prop_assert_eq!(&lines_of(&read_piped(&wide, &options())), &plain);
    }
}
