//! Compressed streams: gzip, zstd, xz, bzip2. All members, frames and streams of a file are read, one after the other.

use super::kind::{self, Compression, Kind};
use super::meter::Metered;
use super::raw::Row;
use super::report::{Refusal, Unread};
use super::run::{Again, Halt, Place, Run};
use std::io::{self, BufRead, BufReader, Read};

/// The largest window that zstd's own tool accepts without being asked to, and the smallest that is worth a try.
const ZSTD_WINDOW: u64 = 128 * 1024 * 1024;
/// The strongest preset of xz takes 65 MiB; more is rare.
const XZ_MEMORY: u64 = 192 * 1024 * 1024;

/// Opens a compressed stream and what it holds.
pub(super) fn open(
    run: &mut Run<'_>,
    place: &Place<'_>,
    compression: Compression,
    input: &mut Again<'_>,
) -> Result<(), Halt> {
    let most = match compression {
        Compression::Gzip | Compression::Bzip2 => 8 * 1024 * 1024,
        Compression::Zstd => ZSTD_WINDOW,
        Compression::Xz => XZ_MEMORY,
    };
    let held = place.meter.hold(most);
    let input = BufReader::with_capacity(256 * 1024, input);
    match decoder(compression, held.bytes(), input) {
        Ok(decoder) => {
            let decoder = Metered::new(Telling(decoder), place.meter);
            run.open(&place.inside_stream(), &mut Row(decoder))
        }
        Err(_) => Ok(run.unread(place, &Unread::Refused(Refusal::Memory))?),
    }
}

/// A file that is plain or one compressed stream, unpacked: for files of ours, such as accounts, not for leaks.
///
/// # Errors
/// When the file cannot be read; a damaged one shows while it is read.
pub fn decompressed<'a>(input: impl Read + Send + 'a) -> io::Result<Box<dyn Read + Send + 'a>> {
    let mut input = BufReader::with_capacity(256 * 1024, input);
    match kind::recognise(input.fill_buf()?) {
        Kind::Compressed(compression) => Ok(Box::new(decoder(compression, ZSTD_WINDOW.max(XZ_MEMORY), input)?)),
        _ => Ok(Box::new(input)),
    }
}

/// The decoder of one stream. Of a known type, so that it can move to another thread where its input can.
enum Decoder<R: BufRead> {
    Gzip(flate2::bufread::MultiGzDecoder<R>),
    Bzip2(bzip2::bufread::MultiBzDecoder<R>),
    Zstd(zstd::Decoder<'static, R>),
    Xz(liblzma::bufread::XzDecoder<R>),
}

impl<R: BufRead> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(decoder) => decoder.read(buffer),
            Self::Bzip2(decoder) => decoder.read(buffer),
            Self::Zstd(decoder) => decoder.read(buffer),
            Self::Xz(decoder) => decoder.read(buffer),
        }
    }
}

fn decoder<R: BufRead>(compression: Compression, memory: u64, input: R) -> io::Result<Decoder<R>> {
    Ok(match compression {
        Compression::Gzip => Decoder::Gzip(flate2::bufread::MultiGzDecoder::new(input)),
        Compression::Bzip2 => Decoder::Bzip2(bzip2::bufread::MultiBzDecoder::new(input)),
        Compression::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(input)?;
            // zstd knows no window below 2^10; what is left of the memory may be less.
            decoder.window_log_max(memory.max(1024).ilog2())?;
            Decoder::Zstd(decoder)
        }
        Compression::Xz => {
            let stream = liblzma::stream::Stream::new_stream_decoder(memory.max(1), liblzma::stream::CONCATENATED)?;
            Decoder::Xz(liblzma::bufread::XzDecoder::new_stream(input, stream))
        }
    })
}

/// Tells a decoder's wish for more memory from damage.
struct Telling<R>(R);

impl<R: Read> Read for Telling<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| {
            if wants_memory(&error) {
                io::Error::other(Refusal::Memory)
            } else {
                error
            }
        })
    }
}

fn wants_memory(error: &io::Error) -> bool {
    let xz = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<liblzma::stream::Error>());
    // zstd's errors come as their text alone.
    matches!(xz, Some(liblzma::stream::Error::MemLimit)) || error.to_string().contains("too much memory")
}
