//! Opening files that only their owner may read, where others may have put something first.
//!
//! A list of exposures may be written into a folder that others can write too. A link that waits there under its name must
//! not lead the write to another file, nor may a file that is left open to all keep its mode.

use std::fs::{File, Permissions};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Opens a file for reading and writing, made where it is not there, with mode 0600. What is in it stays.
///
/// # Errors
/// Refuses links and whatever is no ordinary file, and says so.
pub fn open_private(path: &Path) -> Result<File> {
    let there = match path.symlink_metadata() {
        Ok(there) => there,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return match create(path) {
                // Somebody made one since it was looked for.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => open_private(path),
                made => made,
            };
        }
        Err(error) => return Err(error),
    };
    if !there.is_file() {
        return Err(Error::new(
            ErrorKind::InvalidInput,
            "it is a link, or no ordinary file: remove it, or choose another name",
        ));
    }
    let file = File::options().read(true).write(true).open(path)?;
    let opened = file.metadata()?;
    if (opened.dev(), opened.ino()) != (there.dev(), there.ino()) {
        return Err(Error::new(
            ErrorKind::InvalidInput,
            "it was replaced while it was opened",
        ));
    }
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(file)
}

/// Makes a file of this name anew with mode 0600, in place of one (or a link) that a run left behind.
///
/// # Errors
/// When it cannot be removed or made, also because somebody put another one there in between.
pub fn make_private(path: &Path) -> Result<File> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    create(path)
}

fn create(path: &Path) -> Result<File> {
    File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn a_link_under_the_name_is_never_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let (victim, name) = (folder.path().join("victim"), folder.path().join("out.journal"));
        std::fs::write(&victim, "precious").expect("written");
        std::os::unix::fs::symlink(&victim, &name).expect("a link");
        assert_eq!(
            open_private(&name).err().map(|error| error.kind()),
            Some(ErrorKind::InvalidInput)
        );
        make_private(&name)
            .expect("made in its place")
            .write_all(b"secret")
            .expect("written");
        assert_eq!(std::fs::read_to_string(&victim).expect("read"), "precious");
        assert!(open_private(&folder.path().join("no/where")).is_err());
    }

    #[test]
    fn of_many_who_open_a_file_at_once_all_get_it() {
        let folder = tempfile::tempdir().expect("a folder");
        for round in 0..50 {
            let name = folder.path().join(round.to_string());
            std::thread::scope(|scope| {
                let opening: Vec<_> = (0..4).map(|_| scope.spawn(|| open_private(&name))).collect();
                for opened in opening {
                    opened.join().expect("no panic").expect("opened");
                }
            });
        }
    }

    #[test]
    fn a_file_that_was_open_to_all_is_closed_and_keeps_what_it_held() {
        let folder = tempfile::tempdir().expect("a folder");
        let name = folder.path().join("rejects.csv");
        std::fs::write(&name, "1,email,why\n").expect("written");
        std::fs::set_permissions(&name, Permissions::from_mode(0o644)).expect("a mode");
        let mut file = open_private(&name).expect("opens");
        let mut text = String::new();
        file.read_to_string(&mut text).expect("read");
        assert_eq!(
            (text.as_str(), file.metadata().expect("there").mode() & 0o777),
            ("1,email,why\n", 0o600)
        );
    }
}
