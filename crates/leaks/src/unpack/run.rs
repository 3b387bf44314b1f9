//! One run over the sources: names and numbers what is found, opens it by its kind, and pumps texts into the sink.

use super::decode::Utf16;
use super::kind::{self, Encoding, HEAD, Kind};
use super::meter::Meter;
use super::raw::Input;
use super::report::{self, Refusal, TextOutcome, Unread};
use super::{CHUNK, RawProgress, ReadFault, SourceFile, Start, Stop, TextName, TextSink, UnpackOptions};
use super::{seven, stream, tarball, zipped};
use std::io::{self, Read};
use std::rc::Rc;

/// Why an archive, or all, is left off in the middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Halt {
    /// The sink said so.
    Stop,
    /// A limit was reached, and it was told. [`Meter::is_over`] says whether the whole source file ends with it.
    Over,
}

impl From<Stop> for Halt {
    fn from(_: Stop) -> Self {
        Self::Stop
    }
}

impl From<Stop> for ReadFault {
    fn from(_: Stop) -> Self {
        Self::Stopped
    }
}

/// Where something was found.
#[derive(Clone)]
pub(super) struct Place<'p> {
    pub(super) file: &'p SourceFile,
    pub(super) meter: &'p Rc<Meter>,
    /// The path, and the names of the members on the way.
    pub(super) shown: String,
    /// How many archives and streams it lies in.
    depth: u32,
    /// It is all that a compressed stream holds.
    in_stream: bool,
    /// It was encrypted: damage may as well be a wrong password.
    encrypted: bool,
}

impl<'p> Place<'p> {
    /// A source file itself.
    pub(super) fn top(file: &'p SourceFile, meter: &'p Rc<Meter>) -> Self {
        Self {
            file,
            meter,
            shown: file.shown.clone(),
            depth: 0,
            in_stream: false,
            encrypted: false,
        }
    }

    /// A member of the archive that lies here.
    pub(super) fn member(&self, name: &str, encrypted: bool) -> Self {
        let shown = format!("{}!{}", self.shown, report::clean(name));
        Self {
            shown,
            depth: self.depth + 1,
            in_stream: false,
            encrypted: self.encrypted || encrypted,
            ..self.clone()
        }
    }

    /// What the compressed stream that lies here holds.
    pub(super) fn inside_stream(&self) -> Self {
        Self {
            depth: self.depth + 1,
            in_stream: true,
            ..self.clone()
        }
    }

    /// What the tar that lies here holds is one deeper, unless a compressed stream around it was counted already.
    pub(super) fn as_tar(&self) -> Self {
        Self {
            depth: self.depth - u32::from(self.in_stream),
            in_stream: false,
            ..self.clone()
        }
    }

    fn is_too_deep(&self, kind: Kind) -> bool {
        let opens = !matches!(kind, Kind::Text(_) | Kind::Binary(_) | Kind::Foreign { .. });
        let free = matches!(kind, Kind::Tar) && self.in_stream;
        opens && !free && self.depth >= self.meter.limits().depth
    }

    fn progress(&self) -> RawProgress {
        RawProgress {
            raw_read: self.meter.raw_read(),
            raw_total: self.meter.raw_total,
        }
    }

    /// What an error of a decoder means here.
    pub(super) fn why(&self, error: &dyn std::fmt::Display) -> String {
        let reason = report::reason(error);
        if self.encrypted {
            format!("the password is wrong, or it is damaged: {reason}")
        } else {
            reason
        }
    }
}

/// The first bytes of something, and how the reading of them went.
pub(super) struct Head {
    chunk: Vec<u8>,
    filled: usize,
    /// After these bytes the reading failed.
    failed: Option<io::Error>,
}

impl Head {
    /// Reads until there are enough bytes to tell what it is, or no more.
    fn read(mut chunk: Vec<u8>, input: &mut dyn Input) -> Self {
        chunk.resize(CHUNK, 0);
        let mut filled = 0;
        let mut failed = None;
        while filled < HEAD {
            match read_some(input, &mut chunk[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        Self { chunk, filled, failed }
    }

    fn bytes(&self) -> &[u8] {
        &self.chunk[..self.filled]
    }
}

fn read_some(input: &mut dyn Input, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// An input from its very start again: the head that was read from it, then the rest.
pub(super) struct Again<'a> {
    head: Head,
    given: usize,
    input: &'a mut dyn Input,
}

impl Read for Again<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = &self.head.bytes()[self.given..];
        if !left.is_empty() {
            let read = left.len().min(buffer.len());
            buffer[..read].copy_from_slice(&left[..read]);
            self.given += read;
            return Ok(read);
        }
        match self.head.failed.take() {
            Some(error) => Err(error),
            None => self.input.read(buffer),
        }
    }
}

/// The way of a text's bytes into the sink, from the byte that the sink asked for.
struct Delivery<'d> {
    sink: &'d mut dyn TextSink,
    /// Decoded bytes so far, given or not.
    at: u64,
    from: u64,
}

impl Delivery<'_> {
    fn give(&mut self, bytes: &[u8], progress: RawProgress) -> Result<(), Stop> {
        let skip = usize::try_from(self.from.saturating_sub(self.at))
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        self.at += bytes.len() as u64;
        self.sink.chunk(&bytes[skip..], progress)
    }
}

/// A run: the sink, the options, and what is counted and kept over all sources.
pub(super) struct Run<'r> {
    pub(super) options: &'r UnpackOptions,
    sink: &'r mut dyn TextSink,
    names: u64,
    chunks: Vec<Vec<u8>>,
}

impl<'r> Run<'r> {
    pub(super) fn new(options: &'r UnpackOptions, sink: &'r mut dyn TextSink) -> Self {
        Self {
            options,
            sink,
            names: 0,
            chunks: Vec::new(),
        }
    }

    pub(super) fn password(&self) -> Option<&'r str> {
        self.options.password.as_ref().map(super::ArchivePassword::expose)
    }

    fn name(&mut self, file: &SourceFile, shown: &str) -> TextName {
        let number = self.names;
        self.names += 1;
        TextName {
            source: file.source,
            number,
            shown: shown.to_owned(),
        }
    }

    /// Tells that what lies here is not read.
    pub(super) fn unread(&mut self, place: &Place<'_>, why: &Unread) -> Result<(), Stop> {
        let name = self.name(place.file, &place.shown);
        self.sink.unread(&name, why)
    }

    /// Tells that a file or folder is not read that no reading was begun for.
    pub(super) fn unread_path(&mut self, file: &SourceFile, why: &Unread) -> Result<(), Stop> {
        let name = self.name(file, &file.shown);
        self.sink.unread(&name, why)
    }

    /// Tells that the rest of what lies here is refused.
    pub(super) fn refuse(&mut self, place: &Place<'_>, why: Refusal) -> Halt {
        self.unread(place, &Unread::Refused(why))
            .map_or_else(Halt::from, |()| Halt::Over)
    }

    /// What the way in which a member ended means for its archive: a member that was refused for itself is passed over; with
    /// the source file refused, so is the rest of the archive, and that is told.
    pub(super) fn after_member(&mut self, place: &Place<'_>, done: Result<(), Halt>) -> Result<(), Halt> {
        match (done, place.meter.tripped()) {
            (Err(Halt::Over), Some(refusal)) if place.meter.is_over() => Err(self.refuse(place, refusal)),
            (Err(Halt::Over), _) => Ok(()),
            (done, _) => done,
        }
    }

    pub(super) fn source_end(&mut self, file: &SourceFile, sha256: Option<[u8; 32]>, bytes: u64) -> Result<(), Stop> {
        self.sink.source_end(file, sha256, bytes)
    }

    pub(super) fn head(&mut self, input: &mut dyn Input) -> Head {
        Head::read(self.chunks.pop().unwrap_or_default(), input)
    }

    pub(super) fn kind(head: &Head) -> Kind {
        kind::recognise(head.bytes())
    }

    /// Opens what lies here and reads all that is in it.
    pub(super) fn open(&mut self, place: &Place<'_>, input: &mut dyn Input) -> Result<(), Halt> {
        let head = self.head(input);
        self.open_after(place, head, input)
    }

    /// The same, where the head was read already.
    pub(super) fn open_after(&mut self, place: &Place<'_>, head: Head, input: &mut dyn Input) -> Result<(), Halt> {
        if head.filled == 0
            && let Some(error) = &head.failed
        {
            return self.failed_at_once(place, error);
        }
        let kind = Self::kind(&head);
        if place.is_too_deep(kind) {
            self.unread(place, &Unread::Refused(Refusal::TooDeep))?;
            self.chunks.push(head.chunk);
            return Ok(());
        }
        if let Kind::Text(encoding) = kind {
            return self.text(place, encoding, head, input);
        }
        let mut again = Again { head, given: 0, input };
        let done = match kind {
            Kind::Text(_) => Ok(()),
            Kind::Compressed(compression) => stream::open(self, place, compression, &mut again),
            Kind::Tar => tarball::open(self, &place.as_tar(), &mut again),
            Kind::Zip => zipped::open_row(self, place, &mut again),
            Kind::SevenZip => seven::open_row(self, place, &mut again),
            Kind::Binary(what) => self.unread(place, &Unread::Binary(what)).map_err(Halt::from),
            Kind::Foreign { name, way } => {
                let why = Unread::Foreign {
                    name: name.to_owned(),
                    way: way.to_owned(),
                };
                self.unread(place, &why).map_err(Halt::from)
            }
        };
        self.chunks.push(again.head.chunk);
        done
    }

    /// Not one byte could be read.
    fn failed_at_once(&mut self, place: &Place<'_>, error: &io::Error) -> Result<(), Halt> {
        let why = match refusal(place, error) {
            Some(refusal) => Unread::Refused(refusal),
            None if place.encrypted => Unread::Locked { tried: true },
            None => Unread::Failed(place.why(error)),
        };
        self.unread(place, &why)?;
        over(place)
    }

    fn text(
        &mut self,
        place: &Place<'_>,
        encoding: Encoding,
        mut head: Head,
        input: &mut dyn Input,
    ) -> Result<(), Halt> {
        let name = self.name(place.file, &place.shown);
        let done = match self.sink.begin(&name)? {
            Start::Skip => Ok(()),
            Start::FromByte(from) => {
                let mut delivery = Delivery {
                    sink: &mut *self.sink,
                    at: 0,
                    from,
                };
                let failed = pump(place, encoding, &mut head, input, &mut delivery)?;
                let (at, reached) = (delivery.at, delivery.at >= from);
                let outcome = match failed {
                    Some(error) => match refusal(place, &error) {
                        Some(why) => TextOutcome::Refused { at, why },
                        None => TextOutcome::CutShort {
                            at,
                            why: place.why(&error),
                        },
                    },
                    None if !reached => TextOutcome::CutShort {
                        at,
                        why: SHORTER.to_owned(),
                    },
                    None => TextOutcome::Whole,
                };
                self.sink.end(&outcome)?;
                over(place)
            }
        };
        self.chunks.push(head.chunk);
        done
    }

    /// Reads the rest of something that nobody wants, for readers that would do it unwatched. False when that failed.
    pub(super) fn drain(&mut self, reader: &mut dyn Read) -> bool {
        let mut chunk = self.chunks.pop().unwrap_or_default();
        chunk.resize(CHUNK, 0);
        let well = loop {
            match reader.read(&mut chunk) {
                Ok(0) => break true,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break false,
            }
        };
        self.chunks.push(chunk);
        well
    }
}

/// The limit that an error of reading stands for, if it does.
fn refusal(place: &Place<'_>, error: &io::Error) -> Option<Refusal> {
    place
        .meter
        .tripped()
        .or_else(|| error.get_ref()?.downcast_ref().copied())
}

/// Whether a limit ends more than what was just read.
fn over(place: &Place<'_>) -> Result<(), Halt> {
    if place.meter.tripped().is_some() {
        Err(Halt::Over)
    } else {
        Ok(())
    }
}

const SHORTER: &str = "it is shorter than the place where the reading was to go on";

/// Reads a text to its end; answers what it broke off with.
fn pump(
    place: &Place<'_>,
    encoding: Encoding,
    head: &mut Head,
    input: &mut dyn Input,
    delivery: &mut Delivery<'_>,
) -> Result<Option<io::Error>, Stop> {
    let (mark, mut decoder) = match encoding {
        Encoding::Bytes { mark } => (mark, None),
        Encoding::Utf16 { big_endian, mark } => (mark, Some(Utf16::new(big_endian))),
    };
    let mut decoded = Vec::new();
    let mut filled = head.filled;
    let mut failed = head.failed.take();
    let mut from = mark;
    let far = decoder.is_none() && failed.is_none() && delivery.from > (filled - mark) as u64;
    if far {
        match input.jump(delivery.from.saturating_add(mark as u64)) {
            Ok(true) => {
                delivery.at = delivery.from;
                (from, filled) = (0, 0);
            }
            Ok(false) => {}
            Err(error) => return Ok(Some(error)),
        }
    }
    loop {
        let bytes = &head.chunk[from..filled];
        match &mut decoder {
            _ if bytes.is_empty() => {}
            None => delivery.give(bytes, place.progress())?,
            Some(decoder) => {
                decoded.clear();
                decoder.push(bytes, &mut decoded);
                delivery.give(&decoded, place.progress())?;
            }
        }
        if failed.is_some() {
            break;
        }
        from = 0;
        filled = match read_some(input, &mut head.chunk) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) => {
                failed = Some(error);
                0
            }
        };
    }
    if let Some(decoder) = &mut decoder {
        decoded.clear();
        decoder.finish(&mut decoded);
        if !decoded.is_empty() {
            delivery.give(&decoded, place.progress())?;
        }
    }
    Ok(failed)
}
