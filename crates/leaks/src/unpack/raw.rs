//! The raw bytes of a source file: counted, hashed on the way, and read from several places at once.

use super::CHUNK;
use super::meter::Meter;
use sha2::{Digest, Sha256};
use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;

/// What can be unpacked: bytes in a row, and for some a jump ahead.
pub(super) trait Input: Read {
    /// Goes on at this byte, counted from the start, where that costs nothing; false where it must be read through.
    fn jump(&mut self, _to: u64) -> io::Result<bool> {
        Ok(false)
    }
}

/// Bytes that can only be read in a row.
pub(super) struct Row<R>(pub(super) R);

impl<R: Read> Read for Row<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<R: Read> Input for Row<R> {}

/// A source file or stream, read from its start, counted, and hashed if asked.
pub(super) struct Raw<R> {
    inner: R,
    meter: Rc<Meter>,
    hash: Option<Sha256>,
}

impl<R: Read> Raw<R> {
    pub(super) fn new(inner: R, meter: &Rc<Meter>, sha256: bool) -> Self {
        Self {
            inner,
            meter: Rc::clone(meter),
            hash: sha256.then(Sha256::new),
        }
    }

    pub(super) const fn get_ref(&self) -> &R {
        &self.inner
    }

    /// The hash of everything, once the rest was read. `None` when none was asked for or the file cannot be read.
    pub(super) fn finish(mut self) -> Option<[u8; 32]> {
        let hash = self.hash.take()?;
        hash_rest(&mut self, hash)
    }
}

/// The hash with the rest of the reader added; `None` when it cannot be read.
fn hash_rest(reader: &mut dyn Read, mut hash: Sha256) -> Option<[u8; 32]> {
    let mut chunk = vec![0; CHUNK];
    loop {
        match reader.read(&mut chunk) {
            Ok(0) => return Some(hash.finalize().into()),
            Ok(read) => hash.update(&chunk[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}

impl<R: Read> Read for Raw<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.meter.raw(read as u64);
        if let Some(hash) = &mut self.hash {
            hash.update(&buffer[..read]);
        }
        Ok(read)
    }
}

/// A source file that can jump. After a jump the hash, if asked for, takes another reading.
pub(super) struct RawFile {
    raw: Raw<File>,
    jumped: bool,
    sha256: bool,
}

impl RawFile {
    pub(super) fn new(file: File, meter: &Rc<Meter>, sha256: bool) -> Self {
        Self {
            raw: Raw::new(file, meter, sha256),
            jumped: false,
            sha256,
        }
    }

    /// A view of the whole file for readers that jump about.
    pub(super) fn view(&mut self) -> View<'_> {
        self.forget_hash();
        View {
            file: self.raw.get_ref(),
            position: 0,
            length: self.raw.meter.raw_total.unwrap_or(0),
            meter: None,
        }
    }

    /// Two views: one for the list of members, one for their bytes, whose reading counts as progress.
    pub(super) fn views(&mut self) -> (View<'_>, View<'_>) {
        self.forget_hash();
        self.raw.meter.raw_at(0);
        let length = self.raw.meter.raw_total.unwrap_or(0);
        let view = |meter| View {
            file: self.raw.get_ref(),
            position: 0,
            length,
            meter,
        };
        (view(None), view(Some(&*self.raw.meter)))
    }

    fn forget_hash(&mut self) {
        self.jumped = true;
        self.raw.hash = None;
    }

    /// The hash of the whole file, if it was asked for and the file can be read.
    pub(super) fn finish(self) -> Option<[u8; 32]> {
        if !self.sha256 {
            return None;
        }
        if !self.jumped {
            return self.raw.finish();
        }
        let mut file = self.raw.inner;
        file.seek(SeekFrom::Start(0)).ok()?;
        hash_rest(&mut file, Sha256::new())
    }
}

impl Read for RawFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.raw.read(buffer)
    }
}

impl Input for RawFile {
    fn jump(&mut self, to: u64) -> io::Result<bool> {
        if self.raw.meter.raw_total.is_none_or(|total| to > total) {
            return Ok(false);
        }
        self.raw.inner.seek(SeekFrom::Start(to))?;
        self.raw.meter.raw_at(to);
        self.forget_hash();
        Ok(true)
    }
}

/// A place in a file, independent of other views of the same file.
pub(super) struct View<'f> {
    file: &'f File,
    position: u64,
    length: u64,
    meter: Option<&'f Meter>,
}

impl Read for View<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut file = self.file;
        file.seek(SeekFrom::Start(self.position))?;
        let read = file.read(buffer)?;
        self.position += read as u64;
        if let Some(meter) = self.meter {
            meter.raw_at(self.position);
        }
        Ok(read)
    }
}

impl Seek for View<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = place(to, self.position, self.length)?;
        Ok(self.position)
    }
}

fn place(to: SeekFrom, position: u64, length: u64) -> io::Result<u64> {
    match to {
        SeekFrom::Start(place) => Some(place),
        SeekFrom::End(by) => length.checked_add_signed(by),
        SeekFrom::Current(by) => position.checked_add_signed(by),
    }
    .ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            "a place before the start or beyond all sizes",
        )
    })
}

/// A buffered reader that keeps what it has read when it jumps to a place nearby: archives are read from header to header,
/// each a short jump ahead.
pub(super) struct Window<R> {
    inner: R,
    buffer: Vec<u8>,
    /// Where `buffer` begins.
    start: u64,
    /// How much of `buffer` is filled.
    filled: usize,
    position: u64,
    shut: Rc<Cell<bool>>,
}

impl<R: Read + Seek> Window<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner,
            buffer: vec![0; 64 * 1024],
            start: 0,
            filled: 0,
            position: 0,
            shut: Rc::new(Cell::new(false)),
        }
    }

    /// While the answer is true, nothing can be read: for readers that insist on reading what nobody wants.
    pub(super) fn shutter(&self) -> Rc<Cell<bool>> {
        Rc::clone(&self.shut)
    }
}

impl<R: Read + Seek> Read for Window<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.shut.get() {
            return Ok(0);
        }
        let end = self.start + self.filled as u64;
        if !(self.start..end).contains(&self.position) {
            self.inner.seek(SeekFrom::Start(self.position))?;
            self.filled = 0;
            if buffer.len() >= self.buffer.len() {
                let read = self.inner.read(buffer)?;
                self.position += read as u64;
                return Ok(read);
            }
            self.start = self.position;
            self.filled = self.inner.read(&mut self.buffer)?;
        }
        // The place lies within the buffer or at its very end, so the difference fits.
        let from = (self.position - self.start) as usize;
        let read = buffer.len().min(self.filled - from);
        buffer[..read].copy_from_slice(&self.buffer[from..from + read]);
        self.position += read as u64;
        Ok(read)
    }
}

impl<R: Read + Seek> Seek for Window<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = match to {
            SeekFrom::End(_) => self.inner.seek(to)?,
            _ => place(to, self.position, 0)?,
        };
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    proptest! {
        #[test]
        fn a_window_reads_what_lies_there(jumps in prop::collection::vec((0u64..200_100, 0usize..70_000), 1..30)) {
            let bytes: Vec<u8> = (0..200_000u32).map(|n| (n % 251) as u8).collect();
            let mut window = Window::new(Cursor::new(&bytes));
            for (to, length) in jumps {
                window.seek(SeekFrom::Start(to)).unwrap();
                let mut got = Vec::new();
                (&mut window).take(length as u64).read_to_end(&mut got).unwrap();
                let from = bytes.len().min(to as usize);
                prop_assert_eq!(&got[..], &bytes[from..bytes.len().min(from + length)]);
            }
        }
    }
}
