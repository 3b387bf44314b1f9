//! The journal of a matching run: what an interrupted run had found, so that it can be gone on with.
//!
//! Lines of JSON beside the output, mode 0600, each with a checksum in front; a line that was cut by a crash is dropped. The
//! first line says to which run the journal belongs. No secret is in it: a pair is known by a keyed digest, whose key was
//! drawn for this run and is in the first line. Whoever reads the journal could test guesses against these digests, as he
//! can against the leak that lies beside it; the journal is deleted when the run ends.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use rightful_core::{Grade, Kind, PasswordVersion};
use rightful_crypto::seal::{Key, SecretTag};
use rightful_leaks::grade::Verdict;
use rightful_leaks::scan::{Batch, Checkpoint, Exposure, Place, Recalled};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::files::open_private;

const FORMAT: &str = "rightful match journal 1";

/// A file of accounts knows one password of each, so a journal need not say against which a verdict was reached.
const VERSION: Option<PasswordVersion> = None;

/// Longer than the first line of any journal, in bytes.
const LONGEST_HEAD: u64 = 1 << 20;

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalFault {
    /// The medium failed.
    #[error("the journal {path} cannot be {doing}")]
    Io {
        /// Where.
        path: PathBuf,
        /// Doing what.
        doing: &'static str,
        /// What the system said.
        #[source]
        error: std::io::Error,
    },
    /// Another process is at it.
    #[error("another run is writing to the same output (its journal is {0})")]
    InUse(PathBuf),
    /// It belongs to a run with other inputs.
    #[error(
        "{path} is the journal of an unfinished run with another {what}. Delete it to begin anew, or choose another --out"
    )]
    OtherRun {
        /// Where.
        path: PathBuf,
        /// What differs.
        what: &'static str,
    },
}

/// Which run a journal belongs to. Everything that the answer depends on is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunIdentity {
    /// SHA-256 of the accounts as understood.
    pub accounts: String,
    /// Fingerprints of the leaks, in order.
    pub leaks: Vec<String>,
    /// Kind and number of variations.
    pub plan: String,
}

#[derive(Serialize, Deserialize)]
struct Head {
    format: String,
    run: RunIdentity,
    key: String,
}

/// Account, tag, grade, kind, text, line, name, loose.
type JournalledExposure = (u32, String, String, String, u32, u64, u8, bool);

#[derive(Serialize, Deserialize)]
struct Entry {
    decided: Vec<(u32, String, String, bool)>,
    exposures: Vec<JournalledExposure>,
    checkpoint: Checkpoint,
}

/// A journal that is open and locked.
pub struct MatchJournal {
    path: PathBuf,
    file: File,
}

/// What was in it.
pub struct Reopened {
    /// The key of the digests.
    pub key: Key,
    /// What the interrupted run had found; empty for a new journal.
    pub recalled: Recalled,
    /// Whether there was one.
    pub resumed: bool,
}

impl MatchJournal {
    /// Opens the journal of this run, or begins one with `new_key`.
    ///
    /// # Errors
    /// When it belongs to another run, is in use, or the medium fails.
    pub fn open(path: &Path, run: &RunIdentity, new_key: Key) -> Result<(Self, Reopened), JournalFault> {
        let io = |doing| {
            move |error| JournalFault::Io {
                path: path.to_owned(),
                doing,
                error,
            }
        };
        let file = open_private(path).map_err(io("opened"))?;
        file.try_lock().map_err(|_| JournalFault::InUse(path.to_owned()))?;
        let mut journal = Self {
            path: path.to_owned(),
            file,
        };
        match journal.read(run)? {
            Some(reopened) => Ok((journal, reopened)),
            None => {
                journal
                    .file
                    .set_len(0)
                    .and_then(|()| journal.file.rewind())
                    .map_err(io("written"))?;
                let key = Zeroizing::new(BASE64.encode(new_key.expose()));
                journal.append(&Head {
                    format: FORMAT.to_owned(),
                    run: run.clone(),
                    key: key.to_string(),
                })?;
                Ok((
                    journal,
                    Reopened {
                        key: new_key,
                        recalled: Recalled::default(),
                        resumed: false,
                    },
                ))
            }
        }
    }

    /// Everything up to the last whole line; `None` where not even the first is whole.
    fn read(&mut self, run: &RunIdentity) -> Result<Option<Reopened>, JournalFault> {
        let path = self.path.clone();
        let io = |error| JournalFault::Io {
            path: path.clone(),
            doing: "read",
            error,
        };
        let mut reader = BufReader::new(&self.file);
        let (mut line, mut whole) = (Vec::new(), 0);
        let Some(head) = next::<Head>(&mut reader, &mut line, &mut whole).map_err(io)? else {
            // A first line that a crash cut off has no end; anything else is somebody's file.
            return if line.ends_with(b"\n") || self.file.metadata().map_err(io)?.len() > LONGEST_HEAD {
                Err(self.other_run("format (it is no journal of this program)"))
            } else {
                Ok(None)
            };
        };
        if head.format != FORMAT {
            return Err(self.other_run("format"));
        }
        let differs = [
            (head.run.accounts != run.accounts, "file of accounts"),
            (head.run.leaks != run.leaks, "leak"),
            (head.run.plan != run.plan, "--kind or --variants"),
        ];
        if let Some((_, what)) = differs.iter().find(|(differs, _)| *differs) {
            return Err(self.other_run(what));
        }
        let key = Zeroizing::new(BASE64.decode(&head.key).unwrap_or_default());
        let Ok(key) = <[u8; 32]>::try_from(key.as_slice()) else {
            return Ok(None);
        };
        let mut recalled = Recalled::default();
        while let Some(entry) = next::<Entry>(&mut reader, &mut line, &mut whole).map_err(io)? {
            recall(&mut recalled, entry);
        }
        self.file
            .set_len(whole)
            .and_then(|()| self.file.seek(SeekFrom::End(0)).map(drop))
            .map_err(io)?;
        Ok(Some(Reopened {
            key: Key::from_bytes(key),
            recalled,
            resumed: true,
        }))
    }

    fn other_run(&self, what: &'static str) -> JournalFault {
        JournalFault::OtherRun {
            path: self.path.clone(),
            what,
        }
    }

    /// Appends a batch and waits until it is on disk.
    ///
    /// # Errors
    /// When the medium fails; the batch then counts as not written.
    pub fn commit(&mut self, batch: &Batch<'_>) -> Result<(), JournalFault> {
        let decided = batch.decided.iter().map(|decided| {
            let Verdict { grade, ours, .. } = decided.verdict;
            (
                decided.account,
                BASE64.encode(decided.tag.0),
                grade.word().to_owned(),
                ours,
            )
        });
        let exposures = batch.exposures.iter().map(|found| {
            let (grade, kind) = (found.grade.word().to_owned(), found.kind.word().to_owned());
            (
                found.account,
                BASE64.encode(found.tag.0),
                grade,
                kind,
                found.place.text,
                found.place.line,
                found.name,
                found.loose,
            )
        });
        let entry = Entry {
            decided: decided.collect(),
            exposures: exposures.collect(),
            checkpoint: batch.checkpoint.clone(),
        };
        self.append(&entry)
    }

    fn append(&mut self, entry: &impl Serialize) -> Result<(), JournalFault> {
        let json = serde_json::to_vec(entry).expect("numbers and texts are JSON");
        let checksum = Sha256::digest(&json);
        let mut line = BASE64.encode(&checksum[..9]).into_bytes();
        line.push(b' ');
        line.extend_from_slice(&json);
        line.push(b'\n');
        self.file
            .write_all(&line)
            .and_then(|()| self.file.sync_data())
            .map_err(|error| JournalFault::Io {
                path: self.path.clone(),
                doing: "written",
                error,
            })
    }

    /// Deletes the journal: the run is over and its output in place.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn finish(self) -> Result<(), JournalFault> {
        std::fs::remove_file(&self.path).map_err(|error| JournalFault::Io {
            path: self.path.clone(),
            doing: "deleted",
            error,
        })
    }
}

/// The next line if it is whole; `whole` then counts it.
fn next<T: for<'de> Deserialize<'de>>(
    reader: &mut impl BufRead,
    line: &mut Vec<u8>,
    whole: &mut u64,
) -> std::io::Result<Option<T>> {
    line.clear();
    reader.read_until(b'\n', line)?;
    let Some((checksum, json)) = line.strip_suffix(b"\n").and_then(|line| line.split_at_checked(13)) else {
        return Ok(None);
    };
    let Some(json) = json_of(checksum, json) else {
        return Ok(None);
    };
    let entry = serde_json::from_slice(json).ok();
    if entry.is_some() {
        *whole += line.len() as u64;
    }
    Ok(entry)
}

fn json_of<'a>(checksum: &[u8], json: &'a [u8]) -> Option<&'a [u8]> {
    let expected = BASE64.encode(&Sha256::digest(json)[..9]);
    (checksum == [expected.as_bytes(), b" "].concat()).then_some(json)
}

fn recall(recalled: &mut Recalled, entry: Entry) {
    for (account, tag, grade, ours) in entry.decided {
        if let (Some(tag), Some(grade)) = (tag_of(&tag), Grade::from_word(&grade)) {
            let verdict = Verdict {
                grade,
                ours,
                version: VERSION,
            };
            recalled.verdicts.push((account, tag, verdict));
        }
    }
    for (account, tag, grade, kind, text, line, name, loose) in entry.exposures {
        if let (Some(tag), Some(grade), Some(kind)) = (tag_of(&tag), Grade::from_word(&grade), Kind::from_word(&kind)) {
            recalled.exposures.push(Exposure {
                account,
                tag,
                grade,
                version: VERSION,
                kind,
                place: Place { text, line },
                name,
                loose,
            });
        }
    }
    recalled.checkpoint = entry.checkpoint;
}

fn tag_of(text: &str) -> Option<SecretTag> {
    let bytes = BASE64.decode(text).ok()?;
    bytes.try_into().ok().map(SecretTag)
}
