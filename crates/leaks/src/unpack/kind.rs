//! What a file or a member of an archive is, told from its first bytes. Names are never asked.

/// How many of the first bytes are looked at.
pub(super) const HEAD: usize = 8 * 1024;

/// How the characters of a text are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Bytes that are passed on as they stand (UTF-8, Latin-1, anything), after this many bytes of byte order mark.
    Bytes { mark: usize },
    /// UTF-16, after this many bytes of byte order mark.
    Utf16 { big_endian: bool, mark: usize },
}

/// One compressed stream of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    Gzip,
    Zstd,
    Xz,
    Bzip2,
}

/// What the first bytes show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text(Encoding),
    Compressed(Compression),
    Tar,
    Zip,
    SevenZip,
    /// Packed in a way that we do not read: its name, and a command that unpacks it to standard output.
    Foreign {
        name: &'static str,
        way: &'static str,
    },
    /// Not a text: what it is.
    Binary(&'static str),
}

/// Magic numbers of packed forms that are refused, with the way round.
const FOREIGN: [(&[u8], &str, &str); 6] = [
    (
        b"Rar!\x1a\x07",
        "RAR",
        "unrar p -inul leak.rar | rightful leak scan -  (or unpack it with 7z x and scan the folder)",
    ),
    (b"\x04\x22\x4d\x18", "lz4", "lz4 -dc leak.lz4 | rightful leak scan -"),
    (b"LZIP\x01", "lzip", "lzip -dc leak.lz | rightful leak scan -"),
    (b"\x1f\x9d", "compress", "gzip -dc leak.Z | rightful leak scan -"),
    (b"MSCF\0\0\0\0", "cabinet", "unpack it with 7z x and scan the folder"),
    (
        b"\xff\xfe\0\0",
        "UTF-32",
        "iconv -f UTF-32 -t UTF-8 leak.txt | rightful leak scan -",
    ),
];

/// Magic numbers of files that hold no lines.
const BINARY: [(&[u8], &str); 17] = [
    (b"\x89PNG\r\n\x1a\n", "picture"),
    (b"\xff\xd8\xff", "picture"),
    (b"GIF87a", "picture"),
    (b"GIF89a", "picture"),
    (b"II*\0", "picture"),
    (b"MM\0*", "picture"),
    (b"SQLite format 3\0", "SQLite database"),
    (b"\x7fELF", "program"),
    (b"MZ\x90\0", "program"),
    (b"\xcf\xfa\xed\xfe", "program"),
    (b"\xca\xfe\xba\xbe", "program"),
    (b"%PDF-", "PDF"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Office document"),
    (b"OggS\0", "sound or film"),
    (b"ID3\x03", "sound or film"),
    (b"ID3\x04", "sound or film"),
    (b"\x1a\x45\xdf\xa3", "sound or film"),
];

/// Tells what begins with `head`: the first [`HEAD`] bytes, or all bytes there are.
pub(super) fn recognise(head: &[u8]) -> Kind {
    let head = &head[..head.len().min(HEAD)];
    if let Some(kind) = packed(head) {
        return kind;
    }
    if let Some((_, name, way)) = FOREIGN.iter().find(|(magic, ..)| head.starts_with(magic)) {
        return Kind::Foreign { name, way };
    }
    if let Some((_, what)) = BINARY.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Kind::Binary(what);
    }
    if head.starts_with(b"RIFF") && head.len() >= 12 && head[4..8].contains(&0) {
        return Kind::Binary("picture, sound or film");
    }
    if let Some(encoding) = encoding(head) {
        return Kind::Text(encoding);
    }
    if is_binary(head) {
        return Kind::Binary("not a text");
    }
    Kind::Text(Encoding::Bytes { mark: 0 })
}

fn packed(head: &[u8]) -> Option<Kind> {
    Some(match head {
        [0x1f, 0x8b, 0x08, ..] => Kind::Compressed(Compression::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Kind::Compressed(Compression::Zstd),
        [0xfd, b'7', b'z', b'X', b'Z', 0x00, ..] => Kind::Compressed(Compression::Xz),
        _ if is_bzip2(head) => Kind::Compressed(Compression::Bzip2),
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] | [b'P', b'K', 7, 8, b'P', b'K', 3, 4, ..] => Kind::Zip,
        [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => Kind::SevenZip,
        _ if is_tar(head) => Kind::Tar,
        _ => return None,
    })
}

/// "BZh", the level, and then the magic of a block or of the end; the first four bytes alone could begin a text.
fn is_bzip2(head: &[u8]) -> bool {
    const BLOCK: [u8; 6] = [0x31, 0x41, 0x59, 0x26, 0x53, 0x59];
    const END: [u8; 6] = [0x17, 0x72, 0x45, 0x38, 0x50, 0x90];
    matches!(head, [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..] if rest.starts_with(&BLOCK) || rest.starts_with(&END))
}

/// A tar header is told by its checksum: the sum of its 512 bytes, those of the checksum itself taken as blanks, in octal
/// at byte 148. That holds for every tar format, also those without a magic.
fn is_tar(head: &[u8]) -> bool {
    let Some(header) = head.get(..512) else { return false };
    let digits: Vec<u8> = header[148..156]
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b' ' | 0))
        .collect();
    let Some(stated) = std::str::from_utf8(&digits)
        .ok()
        .and_then(|digits| u64::from_str_radix(digits, 8).ok())
    else {
        return false;
    };
    let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
    let field: u64 = header[148..156].iter().map(|byte| u64::from(*byte)).sum();
    header[0] != 0 && stated == sum - field + 8 * u64::from(b' ')
}

/// The encoding, where a byte order mark or the pattern of NULs tells it.
fn encoding(head: &[u8]) -> Option<Encoding> {
    match head {
        [0xef, 0xbb, 0xbf, ..] => Some(Encoding::Bytes { mark: 3 }),
        [0xff, 0xfe, ..] => Some(Encoding::Utf16 {
            big_endian: false,
            mark: 2,
        }),
        [0xfe, 0xff, ..] => Some(Encoding::Utf16 {
            big_endian: true,
            mark: 2,
        }),
        _ => [false, true]
            .into_iter()
            .find(|big_endian| looks_like_utf16(head, *big_endian))
            .map(|big_endian| Encoding::Utf16 { big_endian, mark: 0 }),
    }
}

/// UTF-16 without a mark: at least one in five units is ASCII (whatever the language, addresses, digits, separators and
/// line ends are), and next to none is a control character or half a surrogate pair.
fn looks_like_utf16(head: &[u8], big_endian: bool) -> bool {
    let (pairs, _) = head.as_chunks::<2>();
    let units = pairs.iter().map(|pair| {
        if big_endian {
            u16::from_be_bytes(*pair)
        } else {
            u16::from_le_bytes(*pair)
        }
    });
    let ascii = units.clone().filter(|unit| (1..0x80).contains(unit)).count();
    if ascii < 2 || ascii * 5 < pairs.len() {
        return false;
    }
    let is_fine = |read: Result<char, _>| read.is_ok_and(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r'));
    // A pair that the end of the sample cuts in two counts as one fault; the share leaves room for it.
    let faults = char::decode_utf16(units).filter(|read| !is_fine(read.clone())).count();
    faults * 20 <= pairs.len()
}

/// Many NULs, or many control characters that no text and no export uses as a separator (Hive separates by 0x01, others
/// by 0x1c to 0x1f). Bytes above 0x7f tell nothing: whole languages are written with them.
fn is_binary(head: &[u8]) -> bool {
    const FEW: usize = 32;
    let nuls = head.iter().filter(|byte| **byte == 0).count();
    let controls = head
        .iter()
        .filter(|byte| matches!(**byte, 0x04..=0x08 | 0x0e..=0x19 | 0x7f))
        .count();
    (nuls >= FEW && nuls * 10 > head.len()) || (controls >= FEW && controls * 20 > head.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Kind = Kind::Text(Encoding::Bytes { mark: 0 });

    fn utf16(text: &str, big_endian: bool) -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|unit| {
                if big_endian {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                }
            })
            .collect()
    }

    #[test]
    fn k02_texts_in_any_bytes_are_texts() {
        let cases: [&[u8]; 9] = [
            b"",
            b"a",
            b"anna@example.org:secret\n",
            b"user\0name:pass\0word\nnext:one\n",
            b"anna@example.org\x01secret\nberta@example.org\x01word\n",
            b"BZh9 is how this line begins\n",
            b"7z, PK and Rar! are words\n",
            "anna:пароль\n".as_bytes(),
            b"\xc0\xf1\xed\xe0:\xef\xe0\xf0\xee\xeb\xfc\n",
        ];
        for case in cases {
            assert_eq!(recognise(case), PLAIN, "{case:?}");
        }
    }

    #[test]
    fn k02_byte_order_marks_tell_the_encoding() {
        assert_eq!(recognise(b"\xef\xbb\xbfa:b"), Kind::Text(Encoding::Bytes { mark: 3 }));
        assert_eq!(
            recognise(b"\xff\xfea\0"),
            Kind::Text(Encoding::Utf16 {
                big_endian: false,
                mark: 2
            })
        );
        assert_eq!(
            recognise(b"\xfe\xff\0a"),
            Kind::Text(Encoding::Utf16 {
                big_endian: true,
                mark: 2
            })
        );
    }

    #[test]
    fn k02_utf16_without_a_mark_is_told_by_its_nuls() {
        for text in [
            "anna@example.org:secret\n",
            "анна@пример.рф:пароль1\r\nберта@example.org:тайна\r\n",
            "a:b",
            "名前@example.jp:秘密123\n",
        ] {
            for big_endian in [false, true] {
                let expected = Kind::Text(Encoding::Utf16 { big_endian, mark: 0 });
                assert_eq!(recognise(&utf16(text, big_endian)), expected, "{text}");
            }
        }
        let pair_cut_at_the_sample = utf16(&format!("{}😀", "a".repeat(HEAD / 2 - 1)), false);
        assert_eq!(
            recognise(&pair_cut_at_the_sample),
            Kind::Text(Encoding::Utf16 {
                big_endian: false,
                mark: 0
            })
        );
    }

    #[test]
    fn binaries_are_told_from_texts() {
        assert_eq!(recognise(b"SQLite format 3\0\x10\0"), Kind::Binary("SQLite database"));
        assert_eq!(recognise(&[0; 600]), Kind::Binary("not a text"));
        // Noise from a linear congruential generator: what an encrypted or unknown packed file looks like.
        let mut state = 1u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        })
        .take(HEAD)
        .collect();
        assert_eq!(recognise(&noise), Kind::Binary("not a text"));
        let sound: Vec<u8> = (0..4000i16)
            .flat_map(|sample| (sample % 300 - 150).to_le_bytes())
            .collect();
        assert!(matches!(recognise(&sound), Kind::Binary(_)));
    }

    #[test]
    fn refused_forms_are_named() {
        assert!(
            matches!(recognise(b"Rar!\x1a\x07\x01\0"), Kind::Foreign { name: "RAR", way } if way.contains("unrar p"))
        );
        assert!(matches!(
            recognise(b"\xff\xfe\0\0a\0\0\0"),
            Kind::Foreign { name: "UTF-32", .. }
        ));
    }

    #[test]
    fn a_tar_is_told_by_its_checksum() {
        let mut header = tar::Header::new_old();
        header.set_path("leak.txt").unwrap();
        header.set_size(0);
        header.set_cksum();
        assert_eq!(recognise(header.as_bytes()), Kind::Tar);
        let mut damaged = *header.as_bytes();
        damaged[3] ^= 1;
        assert_ne!(recognise(&damaged), Kind::Tar);
    }
}
