//! Mail that stays here: each message a file, for a server that has no mail server yet.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use mail_parser::MessageParser;
use rightful_core::Timestamp;

use crate::channel::{Delivery, Lost, Step, Trouble};
use crate::message::Envelope;
use crate::plain;
use crate::reply::Reply;
use crate::wire::Wire;

/// Largest file that is read again, in bytes.
const LARGEST: u64 = 1 << 20;

/// A folder of messages, one file each, readable by its owner only: they hold codes.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

/// A message that lies in a folder. It may hold a code.
#[derive(Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its file's name: the date in microseconds, so that names sort, and the left part of its id.
    pub name: String,
    /// The date it bears.
    pub date: Timestamp,
    /// To whom it was to go.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Its plain text.
    pub text: String,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kept({})", self.name)
    }
}

impl Folder {
    /// The folder at this path; it is made when the first message comes.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Writes a message into the folder, whole or not at all. The same message twice is one file.
    pub async fn keep(&self, envelope: &Envelope, message: &Wire) -> Delivery {
        let folder = self.path.clone();
        let name = format!("{:020}-{}.eml", envelope.date.micros().max(0), envelope.id.left());
        // The way a delivered message bears its return path (RFC 5321 §4.4).
        let head = format!("Return-Path: <{}>\r\n", envelope.return_path.address());
        let bytes = [head.as_bytes(), message.as_bytes()].concat();
        let written = tokio::task::spawn_blocking(move || write_whole(&folder, &name, &bytes)).await;
        match written.unwrap_or_else(|lost| Err(std::io::Error::other(lost))) {
            Ok(()) => Delivery::Sent {
                reply: Reply::new(250, "2.0.0 kept in the folder"),
            },
            Err(error) => Delivery::Later {
                trouble: Trouble {
                    step: Step::Folder,
                    what: Lost::Connection(plain::one_line(
                        &format!("{} could not be written to: {error}", self.path.display()),
                        plain::LONGEST_REPLY,
                    )),
                },
            },
        }
    }

    /// The newest messages, the latest first, at most `limit`. Waits for the disk.
    ///
    /// # Errors
    /// Those of the file system; no folder is no error.
    pub fn newest(&self, limit: usize) -> std::io::Result<Vec<Kept>> {
        let mut names: Vec<String> = match std::fs::read_dir(&self.path) {
            Ok(entries) => entries
                .flatten()
                .filter_map(|entry| entry.file_name().into_string().ok())
                .collect(),
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        names.retain(|name| date_of(name).is_some());
        names.sort_unstable_by(|one, other| other.cmp(one));
        names.truncate(limit);
        let kept: Result<Vec<Option<Kept>>, _> = names.iter().map(|name| self.read(name)).collect();
        Ok(kept?.into_iter().flatten().collect())
    }

    /// One message by its file's name; `None` when there is none of that name. Waits for the disk.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn read(&self, name: &str) -> std::io::Result<Option<Kept>> {
        let Some(date) = date_of(name) else {
            return Ok(None);
        };
        let path = self.path.join(name);
        let bytes = match std::fs::metadata(&path) {
            Ok(about) if about.is_file() && about.len() <= LARGEST => std::fs::read(&path)?,
            Ok(_) => return Ok(None),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some(message) = MessageParser::default().parse(&bytes) else {
            return Ok(None);
        };
        let to = message.to().and_then(|to| to.first()).and_then(|to| to.address());
        Ok(Some(Kept {
            name: name.to_owned(),
            date,
            to: to.unwrap_or_default().to_owned(),
            subject: message.subject().unwrap_or_default().to_owned(),
            text: message.body_text(0).unwrap_or_default().replace("\r\n", "\n"),
        }))
    }
}

/// The date in the name of a file of ours; `None` for any other name, so that no name leads out of the folder.
fn date_of(name: &str) -> Option<Timestamp> {
    let (date, id) = name.strip_suffix(".eml")?.split_once('-')?;
    let is_ours = date.len() == 20
        && date.bytes().all(|byte| byte.is_ascii_digit())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_ours.then(|| date.parse().ok().map(Timestamp::from_micros))?
}

fn write_whole(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    make_folder(folder)?;
    let path = folder.join(name);
    if path.exists() {
        return Ok(());
    }
    let unfinished = folder.join(format!(".{name}.part"));
    let mut file = new_file(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, &path)
}

#[cfg(unix)]
fn make_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)
}

/// A file for its owner only. What an earlier crash left under this name is written over.
fn new_file(path: &Path) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}
