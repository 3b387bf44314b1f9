//! How much memory a 7z's list of members would take, found out before the 7z reader builds it.
//!
//! That reader takes the number of members from the list and makes room for all of them at once, about 150 bytes for what
//! may be less than one byte of list. A few hundred KiB could so ask for gigabytes. Here the list is walked without
//! keeping any of it. Whether it is right is for the reader to say; what cannot be walked is left to it, as it then finds
//! the same fault.
//!
//! The layout is that of `7zFormat.txt` in the LZMA SDK.

use sevenz_rust2::{Archive, Block, BlockDecoder, EncoderMethod, Error, Password};
use std::io::{self, Read, Seek, SeekFrom};

/// Dictionary that the packing of a list may ask for: 7-Zip's own asks for 1 MiB, others for up to 16.
const DICTIONARY_KIB: usize = 32 * 1024;

const SIGNATURE: usize = 32;
const HEADER: u8 = 0x01;
const ARCHIVE_PROPERTIES: u8 = 0x02;
const MAIN_STREAMS: u8 = 0x04;
const FILES: u8 = 0x05;
const PACK: u8 = 0x06;
const UNPACK: u8 = 0x07;
const SUB_STREAMS: u8 = 0x08;
const SIZES: u8 = 0x09;
const CRCS: u8 = 0x0a;
const FOLDERS: u8 = 0x0b;
const UNPACK_SIZES: u8 = 0x0c;
const COUNTS: u8 = 0x0d;
const PACKED_HEADER: u8 = 0x17;
const END: u8 = 0x00;

/// What a list would take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    /// Members.
    pub(super) members: u64,
    /// Bytes of memory, about.
    pub(super) memory: u64,
}

/// What the list of this 7z would take. `most` bytes of list are looked at.
pub(super) fn cost<R: Read + Seek>(source: &mut R, password: &Password, most: u64) -> Result<Cost, Error> {
    let list = unpacked(source, password, most)?;
    let mut walk = Walk {
        rest: &list,
        ..Walk::default()
    };
    // A list that breaks off has at most shown what it shows until there; the reader breaks off at the same place.
    let _ = walk.header();
    Ok(walk.cost(list.len() as u64))
}

/// The list as the reader will see it, unpacked if need be.
fn unpacked<R: Read + Seek>(source: &mut R, password: &Password, most: u64) -> Result<Vec<u8>, Error> {
    let mut signature = [0; SIGNATURE];
    source.seek(SeekFrom::Start(0))?;
    source.read_exact(&mut signature)?;
    let number = |from: usize| u64::from_le_bytes(std::array::from_fn(|index| signature[from + index]));
    let (offset, size) = (number(12), number(20));
    if size > most {
        return Err(too_large(size, most));
    }
    source.seek(SeekFrom::Start(offset.saturating_add(SIGNATURE as u64)))?;
    let mut list = Vec::new();
    source.take(size).read_to_end(&mut list)?;
    match list.split_first() {
        Some((&PACKED_HEADER, streams)) => unpack(source, streams, password, most),
        _ => Ok(list),
    }
}

/// Unpacks a packed list: it is described as the streams of an archive are, so an archive of one nameless file with
/// these streams is that list.
fn unpack<R: Read + Seek>(source: &mut R, streams: &[u8], password: &Password, most: u64) -> Result<Vec<u8>, Error> {
    let one_file = [FILES, 1, END, END];
    let header = [&[HEADER, MAIN_STREAMS], streams, &one_file].concat();
    let mut file = b"7z\xbc\xaf\x27\x1c\0\x04".to_vec();
    let mut start = 0u64.to_le_bytes().to_vec();
    start.extend((header.len() as u64).to_le_bytes());
    start.extend(crc32(&header).to_le_bytes());
    file.extend(crc32(&start).to_le_bytes());
    file.extend(start);
    file.extend(header);
    let archive = Archive::read_with_memory_limit(&mut io::Cursor::new(file), password, DICTIONARY_KIB)?;
    if archive.blocks.iter().any(|block| hungry(block) > 1) {
        return Err(too_large(u64::MAX, most));
    }
    let mut list = Vec::new();
    let mut result = Ok(0);
    BlockDecoder::new_with_memory_limit(1, DICTIONARY_KIB, 0, &archive, password, source).for_each_entries(
        &mut |_, reader| {
            result = reader.take(most + 1).read_to_end(&mut list);
            Ok(false)
        },
    )?;
    match result {
        Err(error) if !password.is_empty() => Err(Error::MaybeBadPassword(error)),
        Err(error) => Err(error.into()),
        Ok(_) if list.len() as u64 > most => Err(too_large(list.len() as u64, most)),
        Ok(_) => Ok(list),
    }
}

/// How many of a block's coders keep a dictionary or a model. The reader's memory limit is for each of them, and up to 64
/// may be chained.
pub(super) fn hungry(block: &Block) -> u64 {
    const MODEST: [&[u8]; 12] = [
        EncoderMethod::ID_COPY,
        EncoderMethod::ID_DELTA,
        EncoderMethod::ID_BCJ_X86,
        EncoderMethod::ID_BCJ2,
        EncoderMethod::ID_BCJ_PPC,
        EncoderMethod::ID_BCJ_IA64,
        EncoderMethod::ID_BCJ_ARM,
        EncoderMethod::ID_BCJ_ARM64,
        EncoderMethod::ID_BCJ_ARM_THUMB,
        EncoderMethod::ID_BCJ_SPARC,
        EncoderMethod::ID_BCJ_RISCV,
        EncoderMethod::ID_AES256_SHA256,
    ];
    block
        .coders
        .iter()
        .filter(|coder| !MODEST.contains(&coder.encoder_method_id()))
        .count() as u64
}

fn too_large(size: u64, most: u64) -> Error {
    let kib = |bytes: u64| usize::try_from(bytes / 1024).unwrap_or(usize::MAX);
    Error::MaxMemLimited {
        max_kb: kib(most),
        actaul_kb: kib(size),
    }
}

/// CRC-32 as in IEEE 802.3, of a few bytes.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// A walk over a list.
#[derive(Default)]
struct Walk<'l> {
    rest: &'l [u8],
    members: u64,
    folders: Vec<Folder>,
    coders: u64,
    packed: u64,
}

/// Streams that come out of a folder, and whether its checksum is known.
#[derive(Clone, Copy)]
struct Folder {
    outputs: u64,
    has_crc: bool,
}

/// The list ends too early or has something in it that the reader refuses too.
struct Broken;

impl Walk<'_> {
    /// The reader's structures, their allocations rounded up; and the list itself, its names once more as UTF-8.
    fn cost(&self, length: u64) -> Cost {
        let folders = self.folders.len() as u64;
        let memory = self.members * 240 + folders * 480 + self.coders * 120 + self.packed * 32 + length * 3;
        Cost {
            members: self.members,
            memory,
        }
    }

    fn header(&mut self) -> Result<(), Broken> {
        if self.byte()? != HEADER {
            return Err(Broken);
        }
        let mut id = self.byte()?;
        if id == ARCHIVE_PROPERTIES {
            while self.byte()? != END {
                let size = self.number()?;
                self.skip(size)?;
            }
            id = self.byte()?;
        }
        if id == MAIN_STREAMS {
            self.streams()?;
            id = self.byte()?;
        }
        if id == FILES {
            self.members = self.number()?.min(self.rest.len() as u64 + 16);
        }
        Ok(())
    }

    fn streams(&mut self) -> Result<(), Broken> {
        let mut id = self.byte()?;
        if id == PACK {
            self.pack()?;
            id = self.byte()?;
        }
        if id == UNPACK {
            self.unpack()?;
            id = self.byte()?;
        }
        if id == SUB_STREAMS {
            self.sub_streams()?;
            id = self.byte()?;
        }
        if id == END { Ok(()) } else { Err(Broken) }
    }

    fn pack(&mut self) -> Result<(), Broken> {
        self.number()?;
        self.packed = self.number()?;
        let mut id = self.byte()?;
        if id == SIZES {
            self.numbers(self.packed)?;
            id = self.byte()?;
        }
        if id == CRCS {
            self.crcs(self.packed)?;
            id = self.byte()?;
        }
        if id == END { Ok(()) } else { Err(Broken) }
    }

    fn unpack(&mut self) -> Result<(), Broken> {
        if self.byte()? != FOLDERS {
            return Err(Broken);
        }
        let count = self.number()?;
        if self.byte()? != 0 {
            return Err(Broken);
        }
        for _ in 0..count {
            let folder = self.folder()?;
            self.folders.push(folder);
        }
        if self.byte()? != UNPACK_SIZES {
            return Err(Broken);
        }
        let outputs = self
            .folders
            .iter()
            .fold(0u64, |sum, folder| sum.saturating_add(folder.outputs));
        self.numbers(outputs)?;
        let mut id = self.byte()?;
        if id == CRCS {
            let known = self.crcs(count)?;
            for (folder, has_crc) in self.folders.iter_mut().zip(known) {
                folder.has_crc = has_crc;
            }
            id = self.byte()?;
        }
        if id == END { Ok(()) } else { Err(Broken) }
    }

    fn folder(&mut self) -> Result<Folder, Broken> {
        let coders = self.number()?;
        let (mut inputs, mut outputs) = (0u64, 0u64);
        for _ in 0..coders {
            let flags = self.byte()?;
            self.skip(u64::from(flags & 0x0f))?;
            let (ins, outs) = if flags & 0x10 == 0 {
                (1, 1)
            } else {
                (self.number()?, self.number()?)
            };
            inputs = inputs.saturating_add(ins);
            outputs = outputs.saturating_add(outs);
            if flags & 0x20 != 0 {
                let size = self.number()?;
                self.skip(size)?;
            }
            self.coders += 1;
        }
        let pairs = outputs.saturating_sub(1);
        self.numbers(pairs.saturating_mul(2))?;
        let packed = inputs.saturating_sub(pairs);
        if packed > 1 {
            self.numbers(packed)?;
        }
        Ok(Folder {
            outputs,
            has_crc: false,
        })
    }

    fn sub_streams(&mut self) -> Result<(), Broken> {
        let mut id = self.byte()?;
        let mut counts = vec![1; self.folders.len()];
        if id == COUNTS {
            for count in &mut counts {
                *count = self.number()?;
            }
            id = self.byte()?;
        }
        if id == SIZES {
            for count in &counts {
                self.numbers(count.saturating_sub(1))?;
            }
            id = self.byte()?;
        }
        if id == CRCS {
            let unknown = counts
                .iter()
                .zip(&self.folders)
                .filter(|(count, folder)| **count != 1 || !folder.has_crc);
            let unknown = unknown.fold(0u64, |sum, (count, _)| sum.saturating_add(*count));
            self.crcs(unknown)?;
            id = self.byte()?;
        }
        if id == END { Ok(()) } else { Err(Broken) }
    }

    /// Skips checksums; answers which are there.
    fn crcs(&mut self, count: u64) -> Result<Vec<bool>, Broken> {
        let all = self.byte()? != 0;
        // Each is at least a bit of the list.
        if count / 8 > self.rest.len() as u64 {
            return Err(Broken);
        }
        let mut known = vec![all; usize::try_from(count).map_err(|_| Broken)?];
        if !all {
            for eight in known.chunks_mut(8) {
                let bits = self.byte()?;
                for (index, known) in eight.iter_mut().enumerate() {
                    *known = bits & (0x80 >> index) != 0;
                }
            }
        }
        self.skip(known.iter().filter(|known| **known).count() as u64 * 4)?;
        Ok(known)
    }

    fn byte(&mut self) -> Result<u8, Broken> {
        let (&byte, rest) = self.rest.split_first().ok_or(Broken)?;
        self.rest = rest;
        Ok(byte)
    }

    fn skip(&mut self, bytes: u64) -> Result<(), Broken> {
        let bytes = usize::try_from(bytes).map_err(|_| Broken)?;
        self.rest = self.rest.get(bytes..).ok_or(Broken)?;
        Ok(())
    }

    /// A number of one to nine bytes: the leading ones of the first byte tell how many follow, lowest first; its other
    /// bits are the highest of the number.
    fn number(&mut self) -> Result<u64, Broken> {
        let first = self.byte()?;
        let follow = first.leading_ones();
        let mut value = 0;
        for index in 0..follow {
            value |= u64::from(self.byte()?) << (8 * index);
        }
        if follow < 7 {
            value |= u64::from(first & (0x7f >> follow)) << (8 * follow);
        }
        Ok(value)
    }

    fn numbers(&mut self, count: u64) -> Result<(), Broken> {
        for _ in 0..count {
            self.number()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sevenz_rust2::{ArchiveEntry, ArchiveWriter, EncoderConfiguration, EncoderMethod};
    use std::io::Cursor;

    #[test]
    fn numbers_are_read_as_the_format_writes_them() {
        let cases: [(&[u8], u64); 6] = [
            (&[0x7f], 0x7f),
            (&[0x80, 0x80], 0x80),
            (&[0xbf, 0xff], 0x3fff),
            (&[0xc1, 0x02, 0x03], 0x1_0302),
            (&[0xfe, 1, 2, 3, 4, 5, 6, 7], 0x07_0605_0403_0201),
            (&[0xff, 1, 2, 3, 4, 5, 6, 7, 8], 0x0807_0605_0403_0201),
        ];
        for (bytes, expected) in cases {
            let mut walk = Walk {
                rest: bytes,
                ..Walk::default()
            };
            assert_eq!(walk.number().ok(), Some(expected), "{bytes:02x?}");
            assert!(walk.rest.is_empty());
        }
    }

    fn archive(files: usize, solid: bool, password: Option<&str>) -> Vec<u8> {
        let mut writer = ArchiveWriter::new(Cursor::new(Vec::new())).unwrap();
        let mut methods = vec![EncoderConfiguration::new(EncoderMethod::LZMA2)];
        if let Some(password) = password {
            methods.insert(
                0,
                sevenz_rust2::encoder_options::AesEncoderOptions::new(password.into()).into(),
            );
        }
        writer.set_content_methods(methods);
        let entry = |n: usize| ArchiveEntry::new_file(&format!("file {n}"));
        let text = |n: usize| Cursor::new(format!("text {n}").into_bytes());
        if solid {
            let readers = (0..files).map(|n| sevenz_rust2::SourceReader::new(text(n))).collect();
            writer
                .push_archive_entries((0..files).map(entry).collect(), readers)
                .unwrap();
        } else {
            for n in 0..files {
                writer.push_archive_entry(entry(n), Some(text(n))).unwrap();
            }
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn k01_members_are_counted_before_the_list_is_built() {
        for (files, solid) in [(0, false), (1, false), (40, true), (5, false)] {
            for password in [None, Some("geheim")] {
                if files == 0 && password.is_some() {
                    continue;
                }
                let bytes = archive(files, solid, password);
                let password = password.map_or_else(Password::empty, Password::from);
                let cost = cost(&mut Cursor::new(&bytes), &password, 1 << 20).unwrap();
                assert_eq!(cost.members, files as u64, "{files} {solid}");
                assert!(cost.memory >= files as u64 * size_of::<ArchiveEntry>() as u64);
            }
        }
    }

    #[test]
    fn k01_a_list_that_lies_about_its_members_is_found_out() {
        let list = [&[HEADER, FILES, 0xe0, 0xff, 0xff, 0xff][..], &vec![0; 4_000_000]].concat();
        let mut walk = Walk {
            rest: &list,
            ..Walk::default()
        };
        assert!(walk.header().is_ok());
        assert_eq!(walk.cost(list.len() as u64).members, 4_000_016);
        assert!(walk.cost(0).memory > 900_000_000);
    }
}
