//! Tar archives, read in a row.

use super::meter::Metered;
use super::raw::Row;
use super::report::Unread;
use super::run::{Again, Halt, Place, Run};
use std::cell::Cell;
use std::io::{self, Read};
use tar::EntryType;

/// Bytes of names and extended headers that one member may have. The tar reader keeps them in memory, whatever length
/// they claim.
const NAMES: u64 = 1024 * 1024;

/// Counts what the tar reader reads, and stops it where it would read more than it may.
struct Guard<'g, R> {
    inner: R,
    read: &'g Cell<u64>,
    left: &'g Cell<u64>,
}

impl<R: Read> Read for Guard<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left.get() == 0 && !buffer.is_empty() {
            return Err(io::Error::other("a member's name or extended header is too long"));
        }
        let most = usize::try_from(self.left.get()).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.inner.read(&mut buffer[..most])?;
        self.left.set(self.left.get() - read as u64);
        self.read.set(self.read.get() + read as u64);
        Ok(read)
    }
}

/// Takes an end before the member's size is reached for the fault that it is; the tar reader itself does not.
struct Exactly<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Exactly<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if read == 0 && self.left > 0 && !buffer.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the archive ends in the middle of it",
            ));
        }
        self.left = self.left.saturating_sub(read as u64);
        Ok(read)
    }
}

/// Opens the members of a tar, one after the other.
pub(super) fn open(run: &mut Run<'_>, place: &Place<'_>, input: &mut Again<'_>) -> Result<(), Halt> {
    let (read, left) = (Cell::new(0), Cell::new(NAMES));
    let mut archive = tar::Archive::new(Guard {
        inner: input,
        read: &read,
        left: &left,
    });
    let entries = match archive.entries() {
        Ok(entries) => entries,
        Err(error) => return Ok(run.unread(place, &Unread::Failed(place.why(&error)))?),
    };
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => return broken(run, place, &error),
        };
        if let Err(refusal) = place.meter.entry() {
            return Err(run.refuse(place, refusal));
        }
        let kind = entry.header().entry_type();
        // What the member takes up in the archive; a sparse one is larger outside of it.
        let size = if kind.is_gnu_sparse() {
            entry.header().entry_size()
        } else {
            Ok(entry.size())
        };
        let size = size.unwrap_or(0);
        let inside = place.member(&String::from_utf8_lossy(&entry.path_bytes()), false);
        read.set(0);
        left.set(u64::MAX);
        let outer = place.meter.enter(size);
        let done = member(
            run,
            &inside,
            kind,
            Exactly {
                left: entry.size(),
                inner: entry,
            },
        );
        place.meter.leave(outer);
        run.after_member(place, done)?;
        left.set(size.saturating_sub(read.get()).saturating_add(NAMES));
    }
    Ok(())
}

fn member(run: &mut Run<'_>, place: &Place<'_>, kind: EntryType, entry: impl Read) -> Result<(), Halt> {
    let why = match kind {
        EntryType::Directory | EntryType::XGlobalHeader => return Ok(()),
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
            return run.open(place, &mut Row(Metered::new(entry, place.meter)));
        }
        EntryType::Link | EntryType::Symlink => Unread::Link,
        EntryType::Char | EntryType::Block => Unread::Special("a device"),
        EntryType::Fifo => Unread::Special("a pipe"),
        _ => Unread::Special("no file"),
    };
    Ok(run.unread(place, &why)?)
}

/// The rest of the archive cannot be read.
fn broken(run: &mut Run<'_>, place: &Place<'_>, error: &io::Error) -> Result<(), Halt> {
    match place.meter.tripped() {
        Some(refusal) => Err(run.refuse(place, refusal)),
        None => Ok(run.unread(place, &Unread::Failed(format!("from here on: {}", place.why(error))))?),
    }
}
