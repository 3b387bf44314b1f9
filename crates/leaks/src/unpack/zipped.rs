//! Zip archives: by their list of members where they can be read from the end, else by the headers in front of each.

use super::meter::{Held, Meter, Metered};
use super::raw::{Row, Window};
use super::report::{Refusal, Unread};
use super::run::{Again, Halt, Place, Run};
use std::io::{Cursor, Read, Seek};
use std::rc::Rc;

use zip::read::{Config, ZipFile, ZipFileEntry, read_zipfile_from_stream_with_options};
use zip::result::ZipError;
// Not promised to stay; the version is pinned. Only this reader keeps entries out of memory and all entries of a name.
use zip::unstable::read::ZipIterable;
use zip::{CompressionMethod, ZipReadOptions};

/// The dictionary that a zstd member may ask for.
const ZSTD_WINDOW: u64 = 128 * 1024 * 1024;

/// Opens a zip that lies in a row of bytes: kept in memory where it is small enough, else member by member.
pub(super) fn open_row(run: &mut Run<'_>, place: &Place<'_>, input: &mut Again<'_>) -> Result<(), Halt> {
    let kept = Kept::read(place.meter, input);
    if kept.whole {
        let bytes = &kept.bytes[..];
        open(run, place, Cursor::new(bytes), Cursor::new(bytes), bytes.len() as u64)
    } else {
        by_headers(
            run,
            place,
            &mut Cursor::new(&kept.bytes).chain(kept.failed).chain(input),
        )
    }
}

/// Bytes of an archive kept in memory.
pub(super) struct Kept {
    pub(super) bytes: Vec<u8>,
    /// Whether that is all of it.
    pub(super) whole: bool,
    /// What the reading broke off with, after these bytes.
    pub(super) failed: Failure,
    _held: Held,
}

impl Kept {
    pub(super) fn read(meter: &Rc<Meter>, input: &mut dyn Read) -> Self {
        let mut held = meter.hold(meter.limits().buffer);
        let mut bytes = Vec::new();
        let failed = Failure(input.take(held.bytes()).read_to_end(&mut bytes).err());
        let whole = failed.0.is_none() && (bytes.len() as u64) < held.bytes();
        held.shrink(bytes.len() as u64);
        Self {
            bytes,
            whole,
            failed,
            _held: held,
        }
    }
}

/// Reads as the error that it holds, once.
pub(super) struct Failure(pub(super) Option<std::io::Error>);

impl Read for Failure {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// Opens a zip by its list of members. `list` and `bodies` are two views of it, `length` its bytes.
pub(super) fn open<R: Read + Seek>(
    run: &mut Run<'_>,
    place: &Place<'_>,
    list: R,
    bodies: R,
    length: u64,
) -> Result<(), Halt> {
    let mut bodies = Window::new(bodies);
    let mut archive = match ZipIterable::try_new(Window::new(list), Config::default()) {
        Ok(archive) => archive,
        Err(error) => return without_list(run, place, &mut bodies, &error),
    };
    let entries = match archive.files() {
        Ok(entries) => entries,
        Err(error) => return without_list(run, place, &mut bodies, &error),
    };
    let mut packed: u64 = 0;
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let why = format!("from here on: the list of members is damaged: {}", place.why(&error));
                return Ok(run.unread(place, &Unread::Failed(why))?);
            }
        };
        if let Err(refusal) = place.meter.entry() {
            return Err(run.refuse(place, refusal));
        }
        if entry.is_dir() {
            continue;
        }
        let inside = place.member(&entry.name().unwrap_or_default(), entry.encrypted());
        if entry.is_symlink() {
            run.unread(&inside, &Unread::Link)?;
            continue;
        }
        // Members lie one after the other, so all together cannot be longer than the archive.
        packed = packed.saturating_add(entry.compressed_size());
        if packed > length {
            return Err(run.refuse(place, place.meter.trip(Refusal::Overlap)));
        }
        let outer = place.meter.enter(entry.compressed_size());
        let done = member(run, &inside, entry, &mut bodies);
        place.meter.leave(outer);
        run.after_member(place, done)?;
    }
    Ok(())
}

fn member<R: Read + Seek>(
    run: &mut Run<'_>,
    place: &Place<'_>,
    entry: ZipFileEntry<'_>,
    bodies: &mut Window<R>,
) -> Result<(), Halt> {
    let password = run.password();
    let options = ZipReadOptions::new().password(password.map(str::as_bytes));
    let held = place.meter.hold(memory(entry.compression()));
    if held.bytes() < memory(entry.compression()) {
        return Ok(run.unread(place, &Unread::Refused(Refusal::Memory))?);
    }
    let shut = bodies.shutter();
    match entry.with_reader(bodies, options) {
        Ok(file) => {
            let done = body(run, place, file, &shut);
            shut.set(false);
            done
        }
        Err(error) => run
            .unread(place, &unreadable(&error, password.is_some()))
            .map_err(Halt::from),
    }
}

/// Reads a member. Dropped, it would read what is left of it, which here nobody needs: so the bytes are shut off first.
fn body<R: Read>(
    run: &mut Run<'_>,
    place: &Place<'_>,
    file: ZipFile<'_, R>,
    shut: &Rc<std::cell::Cell<bool>>,
) -> Result<(), Halt> {
    let mut input = Row(Metered::new(file, place.meter));
    let done = run.open(place, &mut input);
    shut.set(true);
    done
}

/// The list of members cannot be read, as in an archive that is cut short: its members may still be, from the start.
fn without_list<R: Read + Seek>(
    run: &mut Run<'_>,
    place: &Place<'_>,
    bodies: &mut Window<R>,
    error: &ZipError,
) -> Result<(), Halt> {
    let why = format!(
        "its list of members ({}). It is read member by member instead",
        place.why(error)
    );
    run.unread(place, &Unread::Failed(why))?;
    by_headers(run, place, bodies)
}

/// Opens a zip by the headers in front of each member.
fn by_headers(run: &mut Run<'_>, place: &Place<'_>, mut input: &mut dyn Read) -> Result<(), Halt> {
    let password = run.password();
    loop {
        let options = ZipReadOptions::new().password(password.map(str::as_bytes));
        let file = match read_zipfile_from_stream_with_options(&mut input, options) {
            Ok(Some(file)) => file,
            Ok(None) => return Ok(()),
            Err(error) => {
                return match place.meter.tripped() {
                    Some(refusal) => Err(run.refuse(place, refusal)),
                    None => Ok(run.unread(place, &unreadable(&error, password.is_some()))?),
                };
            }
        };
        if let Err(refusal) = place.meter.entry() {
            return Err(run.refuse(place, refusal));
        }
        if file.is_dir() {
            continue;
        }
        let inside = place.member(&file.name().unwrap_or_default(), file.encrypted());
        let held = place.meter.hold(memory(file.compression()));
        if held.bytes() < memory(file.compression()) {
            run.unread(&inside, &Unread::Refused(Refusal::Memory))?;
            continue;
        }
        let outer = place.meter.enter(file.compressed_size());
        let done = run.open(&inside, &mut Row(Metered::new(file, place.meter)));
        place.meter.leave(outer);
        run.after_member(place, done)?;
    }
}

fn memory(method: CompressionMethod) -> u64 {
    if method == CompressionMethod::Zstd {
        ZSTD_WINDOW
    } else {
        0
    }
}

/// Why a member, or the archive from here on, cannot be read.
fn unreadable(error: &ZipError, tried: bool) -> Unread {
    match error {
        ZipError::InvalidPassword => Unread::Locked { tried },
        ZipError::UnsupportedArchive(text) if *text == ZipError::PASSWORD_REQUIRED => Unread::Locked { tried: false },
        ZipError::UnsupportedArchive(text) if text.contains("length is not available") => {
            Unread::Refused(Refusal::NeedsFile)
        }
        ZipError::CompressionMethodNotSupported(number) => Unread::Foreign {
            name: format!("zip method {number}"),
            way: "7z x leak.zip, and scan the folder".to_owned(),
        },
        error => Unread::Failed(super::report::reason(error)),
    }
}
