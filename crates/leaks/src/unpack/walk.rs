//! From sources to source files: folders are walked in a fixed order, everything else is opened as it is.

use super::kind::Kind;
use super::meter::Meter;
use super::raw::{Raw, RawFile, Row};
use super::report::{self, Unread};
use super::run::{Halt, Place, Run};
use super::{LeakSource, ReadFault, SourceFile, seven, zipped};
use std::ffi::OsString;
use std::fs::{self, File, FileType};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// What lies in front of the reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Source files, streams included.
    pub files: u64,
    /// Their bytes in all; `None` when one of them is a stream.
    pub bytes: Option<u64>,
}

/// Counts the source files and their bytes without reading them.
///
/// # Errors
/// [`ReadFault::Open`] when a source cannot be looked at.
pub fn survey(sources: &[LeakSource]) -> Result<Survey, ReadFault> {
    let mut found = Survey {
        files: 0,
        bytes: Some(0),
    };
    for source in sources {
        let LeakSource::Path(path) = source else {
            found = Survey {
                files: found.files + 1,
                bytes: None,
            };
            continue;
        };
        let open = |error| ReadFault::Open {
            shown: source.shown(),
            error,
        };
        for step in Walk::new(path).map_err(open)? {
            match step.found {
                Found::File(length) => {
                    found.files += 1;
                    found.bytes = found.bytes.map(|bytes| bytes + length);
                }
                Found::Stream => {
                    found = Survey {
                        files: found.files + 1,
                        bytes: None,
                    }
                }
                Found::Nothing(_) => {}
            }
        }
    }
    Ok(found)
}

/// Whether a source can be opened.
pub(super) fn check(source: &LeakSource) -> Result<(), ReadFault> {
    let LeakSource::Path(path) = source else { return Ok(()) };
    let open = |error| ReadFault::Open {
        shown: source.shown(),
        error,
    };
    let what = fs::metadata(path).map_err(open)?;
    if what.is_dir() {
        fs::read_dir(path).map(drop).map_err(open)
    } else if what.is_file() {
        File::open(path).map(drop).map_err(open)
    } else {
        // Opening a pipe twice would take its writer away.
        Ok(())
    }
}

/// Reads one source.
pub(super) fn read(run: &mut Run<'_>, source: usize, from: &LeakSource) -> Result<(), ReadFault> {
    let LeakSource::Path(path) = from else {
        let file = SourceFile {
            source,
            shown: from.shown(),
            path: None,
        };
        return read_stream(run, &file, &mut io::stdin().lock());
    };
    let steps = Walk::new(path).map_err(|error| ReadFault::Open {
        shown: from.shown(),
        error,
    })?;
    for step in steps {
        let shown = report::clean(&step.path.to_string_lossy());
        let file = SourceFile {
            source,
            shown,
            path: Some(step.path.clone()),
        };
        match step.found {
            Found::Nothing(why) => run.unread_path(&file, &why)?,
            Found::File(_) | Found::Stream => match File::open(&step.path) {
                Err(error) => run.unread_path(&file, &Unread::Failed(report::reason(&error)))?,
                Ok(mut open) if step.found == Found::Stream => read_stream(run, &file, &mut open)?,
                Ok(open) => read_file(run, &file, open)?,
            },
        }
    }
    Ok(())
}

/// Reads a stream.
pub(super) fn read_stream(run: &mut Run<'_>, file: &SourceFile, stream: &mut dyn Read) -> Result<(), ReadFault> {
    let meter = Rc::new(Meter::new(run.options.limits, None));
    let mut raw = Row(Raw::new(stream, &meter, run.options.sha256));
    if run.open(&Place::top(file, &meter), &mut raw) == Err(Halt::Stop) {
        return Err(ReadFault::Stopped);
    }
    let sha256 = raw.0.finish();
    Ok(run.source_end(file, sha256, meter.raw_read())?)
}

fn read_file(run: &mut Run<'_>, file: &SourceFile, open: File) -> Result<(), ReadFault> {
    let length = match open.metadata() {
        Ok(what) => what.len(),
        Err(error) => return Ok(run.unread_path(file, &Unread::Failed(report::reason(&error)))?),
    };
    let meter = Rc::new(Meter::new(run.options.limits, Some(length)));
    let mut raw = RawFile::new(open, &meter, run.options.sha256);
    let place = Place::top(file, &meter);
    let head = run.head(&mut raw);
    let done = match Run::kind(&head) {
        Kind::Zip => {
            meter.count_whole();
            let (list, bodies) = raw.views();
            zipped::open(run, &place, list, bodies, length)
        }
        Kind::SevenZip => {
            meter.count_whole();
            seven::open(run, &place, &mut raw.view())
        }
        _ => run.open_after(&place, head, &mut raw),
    };
    if done == Err(Halt::Stop) {
        return Err(ReadFault::Stopped);
    }
    Ok(run.source_end(file, raw.finish(), length)?)
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A regular file and its length in bytes.
    File(u64),
    /// Something else that was named itself and can be opened and read, such as a named pipe.
    Stream,
    /// Nothing that is read.
    Nothing(Unread),
}

/// One step of a walk.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) path: PathBuf,
    pub(super) found: Found,
}

/// A folder's entry: its name and what it is, where the system tells.
type Entry = (OsString, Option<FileType>);

/// Walks a source, files in the order of their path's bytes. Links are followed in what was named, never below it.
pub(super) struct Walk {
    /// What was named itself, before it is visited.
    named: Option<(PathBuf, FileType)>,
    /// The folders on the way down, with what is still to come in each.
    open: Vec<(PathBuf, std::vec::IntoIter<Entry>)>,
}

impl Walk {
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let what = fs::metadata(path)?;
        Ok(Self {
            named: Some((path.to_owned(), what.file_type())),
            open: Vec::new(),
        })
    }

    fn enter(&mut self, folder: PathBuf) -> Result<(), (PathBuf, io::Error)> {
        match entries(&folder) {
            Ok(entries) => {
                self.open.push((folder, entries.into_iter()));
                Ok(())
            }
            Err(error) => Err((folder, error)),
        }
    }
}

/// A folder's entries, in order. A subfolder sorts as if its name ended in a separator, which gives the order of the whole
/// paths.
fn entries(folder: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        entries.push((entry.file_name(), entry.file_type().ok()));
    }
    entries.sort_by(|one, other| sort_bytes(one).cmp(sort_bytes(other)));
    Ok(entries)
}

fn sort_bytes((name, kind): &Entry) -> impl Iterator<Item = u8> {
    let separator = kind.is_some_and(|kind| kind.is_dir()).then_some(b'/');
    name.as_encoded_bytes().iter().copied().chain(separator)
}

impl Iterator for Walk {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        loop {
            let (path, kind, named) = match self.named.take() {
                Some((path, kind)) => (path, Some(kind), true),
                None => {
                    let (folder, entries) = self.open.last_mut()?;
                    match entries.next() {
                        Some((name, kind)) => (folder.join(name), kind, false),
                        None => {
                            self.open.pop();
                            continue;
                        }
                    }
                }
            };
            if kind.is_some_and(|kind| kind.is_dir()) {
                match self.enter(path) {
                    Ok(()) => continue,
                    Err((path, error)) => {
                        return Some(Step {
                            path,
                            found: failed(&error),
                        });
                    }
                }
            }
            let found = what_lies_at(&path, kind, named);
            return Some(Step { path, found });
        }
    }
}

fn what_lies_at(path: &Path, kind: Option<FileType>, named: bool) -> Found {
    match kind {
        Some(kind) if kind.is_file() => {
            fs::metadata(path).map_or_else(|error| failed(&error), |what| Found::File(what.len()))
        }
        Some(kind) if kind.is_symlink() => Found::Nothing(Unread::Link),
        Some(_) if named => Found::Stream,
        _ => Found::Nothing(Unread::Special("a pipe, socket or device")),
    }
}

fn failed(error: &io::Error) -> Found {
    Found::Nothing(Unread::Failed(report::reason(error)))
}
