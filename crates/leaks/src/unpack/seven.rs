//! 7z archives. They are read from their end, so one inside another archive, or piped, must fit in memory.

use super::list;
use super::meter::Metered;
use super::raw::Row;
use super::report::{self, Refusal, Unread};
use super::run::{Again, Halt, Place, Run};
use super::zipped::Kept;
use sevenz_rust2::{Archive, ArchiveEntry, Block, BlockDecoder, EncoderMethod, Error, Password};
use std::io::{Cursor, Read, Seek};

/// The dictionary that a block may ask for.
const DICTIONARY: u64 = 256 * 1024 * 1024;

/// The window that a zstd frame may ask for.
const ZSTD_WINDOW: u64 = 128 * 1024 * 1024;

/// What Unix tools write above the Windows attributes: that the upper half is a Unix mode, and its kind of file.
const UNIX_EXTENSION: u32 = 0x8000;
const KIND_OF_FILE: u32 = 0o170_000;

/// Opens a 7z that lies in a row of bytes.
pub(super) fn open_row(run: &mut Run<'_>, place: &Place<'_>, input: &mut Again<'_>) -> Result<(), Halt> {
    let kept = Kept::read(place.meter, input);
    if let Some(refusal) = place.meter.tripped() {
        return Err(run.refuse(place, refusal));
    }
    match kept.failed.0 {
        Some(error) => Ok(run.unread(place, &Unread::Failed(place.why(&error)))?),
        None if kept.whole => open(run, place, &mut Cursor::new(&kept.bytes)),
        None => Ok(run.unread(place, &Unread::Refused(Refusal::NeedsFile))?),
    }
}

/// Opens a 7z that can be read from its end.
pub(super) fn open<R: Read + Seek>(run: &mut Run<'_>, place: &Place<'_>, source: &mut R) -> Result<(), Halt> {
    let password = run.password().map_or_else(Password::empty, Password::from);
    let locked = !password.is_empty();
    let room = place.meter.hold(place.meter.limits().list);
    let cost = match list::cost(source, &password, room.bytes()) {
        Ok(cost) => cost,
        Err(error) => return Ok(run.unread(place, &unreadable(&error, locked))?),
    };
    if cost.members > place.meter.limits().entries {
        return Ok(run.unread(place, &Unread::Refused(Refusal::TooManyMembers))?);
    }
    let kept = place.meter.hold(cost.memory);
    if kept.bytes() < cost.memory {
        return Ok(run.unread(place, &Unread::Refused(Refusal::Memory))?);
    }
    let archive = match Archive::read_with_memory_limit(source, &password, kib(room.bytes())) {
        Ok(archive) => archive,
        Err(error) => return Ok(run.unread(place, &unreadable(&error, locked))?),
    };
    drop(room);
    for block in 0..archive.blocks.len() {
        let outer = place.meter.enter(packed_size(&archive, block));
        let done = open_block(run, place, &archive, block, &password, source);
        place.meter.leave(outer);
        run.after_member(place, done)?;
    }
    for (index, entry) in archive.files.iter().enumerate() {
        let in_block = archive
            .stream_map
            .file_block_index
            .get(index)
            .is_some_and(Option::is_some);
        if !in_block && !entry.is_directory {
            let done = member(run, place, entry, false, &mut std::io::empty());
            run.after_member(place, done)?;
        }
    }
    Ok(())
}

/// The packed size of a block, where the archive tells it plainly: one packed stream to a block.
fn packed_size(archive: &Archive, block: usize) -> u64 {
    let sizes = archive.pack_sizes();
    if sizes.len() == archive.blocks.len() {
        sizes[block]
    } else {
        u64::MAX
    }
}

/// Reads the members of a block. They are packed as one, so what follows a broken or refused one is lost with it.
fn open_block<R: Read + Seek>(
    run: &mut Run<'_>,
    place: &Place<'_>,
    archive: &Archive,
    block: usize,
    password: &Password,
    source: &mut R,
) -> Result<(), Halt> {
    let held = place.meter.hold(DICTIONARY);
    let share = share(&archive.blocks[block], held.bytes());
    let decoder = BlockDecoder::new_with_memory_limit(1, kib(share.unwrap_or(0)), block, archive, password, source);
    let first = archive.stream_map.block_first_file_index[block];
    let entries = &archive.files[first..first + decoder.entry_count()];
    let encrypted = archive.is_file_encrypted(first);
    let mut seen = 0;
    let mut halt = None;
    let mut each = |entry: &ArchiveEntry, reader: &mut dyn Read| {
        seen += 1;
        halt = member(run, place, entry, encrypted, reader).err();
        Ok(halt.is_none())
    };
    let result = match share {
        Some(_) => decoder.for_each_entries(&mut each),
        None => Err(Error::MaxMemLimited {
            max_kb: kib(held.bytes()),
            actaul_kb: usize::MAX,
        }),
    };
    let why = match (halt, result) {
        (Some(Halt::Stop), _) => return Err(Halt::Stop),
        (Some(Halt::Over), _) => Unread::Refused(place.meter.tripped().unwrap_or(Refusal::Bomb)),
        (None, Err(error)) => unreadable(&error, encrypted && !password.is_empty()),
        (None, Ok(_)) => return Ok(()),
    };
    for entry in entries[seen..].iter().filter(|entry| !entry.is_directory) {
        if place.meter.entry().is_err() {
            return Err(Halt::Over);
        }
        run.unread(&place.member(&entry.name, encrypted), &why)?;
    }
    halt.map_or(Ok(()), Err)
}

fn member(
    run: &mut Run<'_>,
    place: &Place<'_>,
    entry: &ArchiveEntry,
    encrypted: bool,
    reader: &mut dyn Read,
) -> Result<(), Halt> {
    if place.meter.entry().is_err() {
        return Err(Halt::Over);
    }
    let inside = place.member(&entry.name, encrypted);
    let mut input = Row(Metered::new(reader, place.meter));
    if entry.is_directory || entry.is_anti_item {
    } else if is_link(entry) {
        run.unread(&inside, &Unread::Link)?;
    } else {
        run.open(&inside, &mut input)?;
    }
    // The rest must be unpacked to get to the next member; unlike the 7z reader, we do that with an eye on the limits.
    if !run.drain(&mut input) && place.meter.tripped().is_some() {
        return Err(Halt::Over);
    }
    Ok(())
}

/// What each of a block's coders may have of this memory; `None` where that cannot be held to. The reader does not look at
/// the limit for zstd, nor for the small models of bzip2 and deflate: so these need what they may take, or be few.
fn share(block: &Block, memory: u64) -> Option<u64> {
    const MOST: u64 = 4;
    let hungry = list::hungry(block);
    let share = memory / hungry.max(1);
    let zstd = block
        .coders
        .iter()
        .any(|coder| coder.encoder_method_id() == EncoderMethod::ID_ZSTD);
    (hungry <= MOST && (!zstd || share >= ZSTD_WINDOW)).then_some(share)
}

fn is_link(entry: &ArchiveEntry) -> bool {
    const LINK: u32 = 0o120_000;
    let attributes = entry.windows_attributes;
    entry.has_windows_attributes && attributes & UNIX_EXTENSION != 0 && (attributes >> 16) & KIND_OF_FILE == LINK
}

fn kib(bytes: u64) -> usize {
    usize::try_from(bytes / 1024).unwrap_or(usize::MAX)
}

/// Why a block, or the archive, cannot be read.
fn unreadable(error: &Error, tried: bool) -> Unread {
    match error {
        Error::PasswordRequired => Unread::Locked { tried: false },
        Error::MaybeBadPassword(_) => Unread::Locked { tried: true },
        Error::MaxMemLimited { .. } => Unread::Refused(Refusal::Memory),
        Error::UnsupportedCompressionMethod(name) => Unread::Foreign {
            name: format!("7z method {}", report::clean(name)),
            way: "7z x leak.7z, and scan the folder".to_owned(),
        },
        error if tried => Unread::Failed(format!(
            "the password is wrong, or it is damaged: {}",
            report::reason(error)
        )),
        error => Unread::Failed(report::reason(error)),
    }
}
