//! A cheap identity of a source, to see whether it is still the same when the reading goes on.

use super::walk::{Found, Walk};
use super::{LeakSource, ReadFault};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// How much of each end of a file is hashed.
const END: u64 = 64 * 1024;

/// Number, length and ends of the files of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    /// How many files.
    pub files: u64,
    /// Their bytes in all.
    pub bytes: u64,
    /// SHA-256 over every file's path within the source, length, first and last 64 KiB.
    pub digest: [u8; 32],
}

/// The fingerprint of a file, or of a folder with all files in it; `None` for a stream, which cannot be read again.
///
/// It changes when a file is added, removed, renamed, grows, or changes near its ends; a change in the middle of a file
/// that keeps its length goes unseen.
///
/// # Errors
/// [`ReadFault::Open`] when the source cannot be looked at.
pub fn fingerprint(source: &LeakSource) -> Result<Option<Fingerprint>, ReadFault> {
    let LeakSource::Path(path) = source else {
        return Ok(None);
    };
    of_path(path).map_err(|error| ReadFault::Open {
        shown: source.shown(),
        error,
    })
}

fn of_path(root: &Path) -> io::Result<Option<Fingerprint>> {
    let (mut files, mut bytes, mut hash) = (0, 0, Sha256::new());
    for step in Walk::new(root)? {
        let length = match step.found {
            Found::File(length) => length,
            Found::Stream => return Ok(None),
            Found::Nothing(_) => continue,
        };
        files += 1;
        bytes += length;
        let within = step
            .path
            .strip_prefix(root)
            .unwrap_or(&step.path)
            .as_os_str()
            .as_encoded_bytes();
        hash.update((within.len() as u64).to_le_bytes());
        hash.update(within);
        hash.update(length.to_le_bytes());
        // A file that cannot be read now was not read then either, or it shows.
        hash.update(ends(&step.path, length).unwrap_or_default());
    }
    Ok(Some(Fingerprint {
        files,
        bytes,
        digest: hash.finalize().into(),
    }))
}

fn ends(path: &Path, length: u64) -> io::Result<[u8; 32]> {
    let mut file = File::open(path)?;
    let mut read = Vec::new();
    (&mut file).take(END).read_to_end(&mut read)?;
    if length > END {
        file.seek(SeekFrom::Start(length.saturating_sub(END).max(END)))?;
        file.take(END).read_to_end(&mut read)?;
    }
    Ok(Sha256::digest(&read).into())
}
