//! A disk that fills up, and then has room again.
//!
//! As root it is a small file system in memory, and what does not fit fails with ENOSPC. Else no process may write a file longer
//! than that, which fails too, with other words (EFBIG). Either way nothing is skipped; [`SmallDisk::is_real`] says which it is.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// A folder with little room.
pub struct SmallDisk {
    folder: TempDir,
    real: bool,
    kilobytes: u64,
}

impl SmallDisk {
    /// A folder with so much room.
    ///
    /// # Panics
    /// When root cannot mount a file system in memory.
    pub fn new(kilobytes: u64) -> Self {
        let folder = TempDir::new().expect("a folder");
        let real = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
        let disk = Self {
            folder,
            real,
            kilobytes,
        };
        if real {
            disk.mount(&["-t", "tmpfs", "-o", &format!("size={kilobytes}k,mode=0700"), "tmpfs"]);
        }
        disk
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Whether it is a disk that is full, not only a bound on files.
    pub const fn is_real(&self) -> bool {
        self.real
    }

    /// Gives it so much room in all.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn resize(&mut self, kilobytes: u64) {
        self.kilobytes = kilobytes;
        if self.real {
            self.mount(&["-o", &format!("remount,size={kilobytes}k")]);
        }
    }

    /// The command as it has to be run to feel the bound: as it is on a real disk, else under a limit.
    pub fn bound(&self, command: &Command) -> Command {
        let mut bound = if self.real {
            Command::new(command.get_program())
        } else {
            // Whoever ignores the signal is told by an error, as with a full disk.
            let mut shell = Command::new("sh");
            let limit = self.kilobytes * 2;
            shell.args(["-c", &format!("trap '' XFSZ; ulimit -f {limit}; exec \"$@\""), "sh"]);
            shell.arg(command.get_program());
            shell
        };
        bound.args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => bound.env(name, value),
                None => bound.env_remove(name),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            bound.current_dir(folder);
        }
        bound
    }

    fn mount(&self, arguments: &[&str]) {
        let status = Command::new("mount").args(arguments).arg(self.path()).status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "root cannot mount a small file system on {}",
            self.path().display()
        );
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if self.real {
            // Lazily: a killed program's last files may still be on their way out.
            drop(Command::new("umount").arg("--lazy").arg(self.path()).status());
        }
    }
}
