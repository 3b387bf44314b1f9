//! A PostgreSQL of our own for the tests: found or installed, started on a free port as somebody other than root, and gone
//! when we are gone.

use crate::{
    debian::{self, is_root},
    process,
};
use anyhow::{Context as _, Result, bail};
use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    os::unix::{
        fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// The oldest version that we promise to run on.
const OLDEST: u32 = 15;

/// Where the packages of Debian, Red Hat, Homebrew and a build from source put the server programs.
const USUAL_FOLDERS: [(&str, &str); 5] = [
    ("/usr/lib/postgresql", "bin"),
    ("/usr", "bin"),
    ("/opt/homebrew/opt", "bin"),
    ("/usr/local/opt", "bin"),
    ("/usr/local", "bin"),
];

/// Our folders in the temporary folder begin so.
const PREFIX: &str = "rightful-postgres-";

/// Starts the server and holds it until its input ends, which it does however we end: the kernel closes our end of the pipe.
/// Arguments: folder of the programs, our folder, options of the server.
const HOLD: &str = r#"
if ! "$1/pg_ctl" start --silent --wait --timeout=60 --pgdata="$2/data" --log="$2/server.log" -o "$3" >&2; then
    tail -n 20 "$2/server.log" >&2
    exit 1
fi
echo ready
cat >/dev/null
"$1/pg_ctl" stop --silent --mode=immediate --pgdata="$2/data"
cd / && rm -rf "$2"
"#;

/// Removes what a killed run left behind, and its server if that still runs. The number in `postmaster.pid` may belong to
/// somebody else by now, so its command line has to name our folder.
const CLEAN: &str = r#"
if pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) && [ -n "$pid" ]; then
    arguments=$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" || ps -o args= -p "$pid")
    case "$arguments" in *"$1/data"*) kill -QUIT "$pid" ;; esac
fi
rm -rf "$1"
"#;

/// The server programs on this machine.
pub(crate) struct Installation {
    bin: PathBuf,
    version: u32,
}

impl Installation {
    /// Finds PostgreSQL; on Debian, as root, installs it when there is none. Else the error says what to install.
    pub(crate) fn find_or_install() -> Result<Self> {
        if let Some(found) = Self::find()? {
            return Ok(found);
        }
        let advice = format!(
            "PostgreSQL {OLDEST} or newer was not found (its programs initdb, postgres and pg_ctl). Install it: \
             `apt-get install postgresql` on Debian and Ubuntu, `dnf install postgresql-server` on Fedora, \
             `brew install postgresql` on macOS; or put the folder of its programs on PATH"
        );
        println!("PostgreSQL was not found");
        // The package may make and start a cluster of its own. It does not matter: ours lies elsewhere, on another port.
        debian::install(&["postgresql"], &advice)?;
        Self::find()?.with_context(|| format!("{advice}; Debian's package did not bring it"))
    }

    /// The newest of those that are new enough.
    fn find() -> Result<Option<Self>> {
        let mut found: Vec<Self> = candidate_folders()
            .into_iter()
            .filter_map(|bin| Self::at(&bin))
            .collect();
        found.sort_by_key(|installation| installation.version);
        match found.pop() {
            Some(newest) if newest.version < OLDEST => {
                println!(
                    "PostgreSQL {} in {} is older than {OLDEST}",
                    newest.version,
                    newest.bin.display()
                );
                Ok(None)
            }
            other => Ok(other),
        }
    }

    fn at(bin: &Path) -> Option<Self> {
        if !["initdb", "postgres", "pg_ctl"]
            .iter()
            .all(|program| bin.join(program).is_file())
        {
            return None;
        }
        // The real folder: initdb looks for its files beside itself, and a link may stand somewhere else.
        let postgres = bin.join("postgres").canonicalize().ok()?;
        let version = major_version(&process::output(Command::new(&postgres).arg("--version")).ok()?)?;
        Some(Self {
            bin: postgres.parent()?.to_path_buf(),
            version,
        })
    }

    /// In words, for a table.
    pub(crate) fn describe(&self) -> String {
        format!("PostgreSQL {}", self.version)
    }
}

/// Whether what is written survives a crash of the machine. Tests do without, benches must not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    Off,
    On,
}

/// A running server; stopped and removed when dropped.
pub(crate) struct Postgres {
    holder: Child,
    url: String,
    folder: PathBuf,
    /// Held for as long as the folder is in use, so that others can tell a living one from a stale one.
    _lock: File,
}

impl Postgres {
    /// Starts a new, empty server on a free port of the loopback address.
    pub(crate) fn start(installation: &Installation, durability: Durability) -> Result<Self> {
        let account = Account::to_run_as()?;
        remove_stale(&account)?;
        let (folder, lock) = make_folder(&account)?;
        let started = initialise(installation, &account, &folder)
            .and_then(|password| hold_on_free_port(installation, &account, &folder, durability, &password));
        match started {
            Ok((holder, url)) => Ok(Self {
                holder,
                url,
                folder,
                _lock: lock,
            }),
            Err(error) => {
                clean(&account, &folder)?;
                Err(error.context(format!("could not start {}", installation.describe())))
            }
        }
    }

    /// Where it answers, with the name and password of its superuser.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        if let Err(error) = self.holder.wait() {
            eprintln!("PostgreSQL in {} may not have stopped: {error}", self.folder.display());
        }
    }
}

/// `cargo xtask postgres`.
pub(crate) fn serve_until_end_of_input() -> Result<()> {
    let postgres = Postgres::start(&Installation::find_or_install()?, Durability::Off)?;
    println!("RIGHTFUL_TEST_POSTGRES={}", postgres.url());
    std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink()).context("could not read standard input")?;
    Ok(())
}

/// Who the server runs as. PostgreSQL refuses root.
struct Account {
    uid: u32,
    /// Set when it is not ourselves.
    other: Option<u32>,
}

impl Account {
    fn to_run_as() -> Result<Self> {
        if !is_root()? {
            return Ok(Self {
                uid: own_uid()?,
                other: None,
            });
        }
        let name = ["postgres", "nobody"]
            .into_iter()
            .find(|name| process::works(Command::new("id").args(["-u", name])));
        let name = name.context(
            "PostgreSQL refuses to run as root, and there is no account `postgres` or `nobody` to run it as",
        )?;
        Ok(Self {
            uid: id(&["-u", name])?,
            other: Some(id(&["-g", name])?),
        })
    }

    /// A command that runs as this account, in a folder that it may enter.
    fn command(&self, program: impl AsRef<Path>, folder: &Path) -> Command {
        let mut command = Command::new(program.as_ref());
        command.current_dir(folder).env("HOME", folder).env("LC_ALL", "C");
        if let Some(gid) = self.other {
            command.uid(self.uid).gid(gid);
        }
        command
    }

    /// Root's own temporary folder may be closed to the account; `/tmp` is open to all.
    fn temporary_folder(&self) -> PathBuf {
        if self.other.is_some() {
            PathBuf::from("/tmp")
        } else {
            std::env::temp_dir()
        }
    }

    fn give(&self, path: &Path) -> Result<()> {
        match self.other {
            None => Ok(()),
            Some(gid) => chown(path, Some(self.uid), Some(gid))
                .with_context(|| format!("could not give away {}", path.display())),
        }
    }
}

/// A new folder that only the account may enter, with a lock that we hold.
fn make_folder(account: &Account) -> Result<(PathBuf, File)> {
    let folder = account.temporary_folder().join(format!("{PREFIX}{}", random_hex(8)?));
    let failed = || format!("could not make {}", folder.display());
    DirBuilder::new().mode(0o700).create(&folder).with_context(failed)?;
    let lock = File::create(folder.join("lock")).with_context(failed)?;
    lock.try_lock().with_context(failed)?;
    account.give(&folder)?;
    Ok((folder, lock))
}

/// Makes the data folder; returns the password of the superuser `rightful`.
fn initialise(installation: &Installation, account: &Account, folder: &Path) -> Result<String> {
    let password = random_hex(32)?;
    let file = folder.join("password");
    let mut handle = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&file)
        .context("could not write a password file")?;
    handle
        .write_all(password.as_bytes())
        .context("could not write a password file")?;
    account.give(&file)?;
    process::output(account.command(installation.bin.join("initdb"), folder).args([
        "--pgdata=data",
        "--username=rightful",
        "--pwfile=password",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
    ]))?;
    Ok(password)
}

/// A free port may be taken between looking and starting, so a failure is tried again on another one.
fn hold_on_free_port(
    installation: &Installation,
    account: &Account,
    folder: &Path,
    durability: Durability,
    password: &str,
) -> Result<(Child, String)> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let port = free_port()?;
        match hold(installation, account, folder, &options(port, durability)) {
            Ok(holder) => {
                return Ok((
                    holder,
                    format!("postgres://rightful:{password}@127.0.0.1:{port}/postgres"),
                ));
            }
            Err(error) if attempts == 3 => return Err(error),
            Err(_) => {}
        }
    }
}

fn hold(installation: &Installation, account: &Account, folder: &Path, options: &str) -> Result<Child> {
    let mut command = account.command("/bin/sh", folder);
    command
        .args(["-c", HOLD, "sh"])
        .arg(&installation.bin)
        .arg(folder)
        .arg(options);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // A group of its own: Ctrl-C is meant for us, and the holder must outlive us by the moment that cleaning up takes.
    command.process_group(0);
    let mut holder = command.spawn().context("could not start /bin/sh")?;
    let mut said = String::new();
    if let Some(output) = holder.stdout.take() {
        BufReader::new(output)
            .read_line(&mut said)
            .context("could not listen to pg_ctl")?;
    }
    if said.trim() == "ready" {
        return Ok(holder);
    }
    let output = holder.wait_with_output().context("could not wait for pg_ctl")?;
    bail!("pg_ctl failed: {}", String::from_utf8_lossy(&output.stderr).trim())
}

fn options(port: u16, durability: Durability) -> String {
    let fast = match durability {
        Durability::Off => " -c fsync=off -c synchronous_commit=off -c full_page_writes=off",
        Durability::On => "",
    };
    format!("-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='' -c max_connections=200{fast}")
}

/// Folders of runs that ended without cleaning up: nobody holds their lock.
fn remove_stale(account: &Account) -> Result<()> {
    let parent = account.temporary_folder();
    let entries = fs::read_dir(&parent).with_context(|| format!("could not list {}", parent.display()))?;
    for entry in entries.flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX)
            && entry
                .metadata()
                .is_ok_and(|found| found.is_dir() && found.uid() == account.uid);
        if ours && is_unlocked(&entry.path().join("lock")) {
            clean(account, &entry.path())?;
        }
    }
    Ok(())
}

fn is_unlocked(lock: &Path) -> bool {
    let Ok(lock) = File::open(lock) else { return false };
    !matches!(lock.try_lock(), Err(TryLockError::WouldBlock))
}

/// Runs as the account, so that whatever stands in the folder can do no more than the account itself.
fn clean(account: &Account, folder: &Path) -> Result<()> {
    process::output(
        account
            .command("/bin/sh", &account.temporary_folder())
            .args(["-c", CLEAN, "sh"])
            .arg(folder),
    )?;
    Ok(())
}

fn candidate_folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect())
        .unwrap_or_default();
    if let Ok(told) = process::output(Command::new("pg_config").arg("--bindir")) {
        folders.push(told.trim().into());
    }
    for (parent, bin) in USUAL_FOLDERS {
        let versions = fs::read_dir(parent).into_iter().flatten().flatten();
        folders.extend(versions.map(|version| version.path().join(bin)));
    }
    folders
}

/// The first number in `postgres (PostgreSQL) 15.18 (Debian …)`.
fn major_version(text: &str) -> Option<u32> {
    let (_, after) = text.split_once("(PostgreSQL) ")?;
    let digits = after
        .find(|c: char| !c.is_ascii_digit())
        .map_or(after, |end| &after[..end]);
    digits.parse().ok()
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("could not find a free port on 127.0.0.1")?;
    Ok(listener
        .local_addr()
        .context("could not find a free port on 127.0.0.1")?
        .port())
}

fn random_hex(digits: usize) -> Result<String> {
    let mut bytes = vec![0; digits / 2];
    File::open("/dev/urandom")
        .and_then(|mut chance| chance.read_exact(&mut bytes))
        .context("could not read /dev/urandom")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn own_uid() -> Result<u32> {
    id(&["-u"])
}

fn id(arguments: &[&str]) -> Result<u32> {
    let text = process::output(Command::new("id").args(arguments))?;
    text.trim()
        .parse()
        .with_context(|| format!("`id` printed {text:?}, not a number"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    #[test]
    fn reads_the_version_of_releases_and_of_what_comes_before_them() {
        assert_eq!(
            major_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"),
            Some(15)
        );
        assert_eq!(major_version("postgres (PostgreSQL) 19devel"), Some(19));
        assert_eq!(major_version("something else 9"), None);
    }

    #[test]
    fn a_server_answers_while_held_and_leaves_nothing_behind() {
        let postgres = Postgres::start(&Installation::find_or_install().unwrap(), Durability::Off).unwrap();
        let (address, folder) = (address_of(&postgres), postgres.folder.clone());
        TcpStream::connect(&address).unwrap();
        assert!(!is_unlocked(&folder.join("lock")));

        drop(postgres);
        assert!(TcpStream::connect(&address).is_err());
        assert!(!folder.exists());
    }

    #[test]
    fn a_server_whose_holder_was_killed_is_removed_by_the_next() {
        let installation = Installation::find_or_install().unwrap();
        let mut lost = Postgres::start(&installation, Durability::Off).unwrap();
        let (address, folder) = (address_of(&lost), lost.folder.clone());
        lost.holder.kill().unwrap();
        lost.holder.wait().unwrap();
        TcpStream::connect(&address).unwrap();
        drop(lost);

        drop(Postgres::start(&installation, Durability::Off).unwrap());
        assert!(!folder.exists());
    }

    fn address_of(postgres: &Postgres) -> String {
        postgres
            .url()
            .split_once('@')
            .unwrap()
            .1
            .trim_end_matches("/postgres")
            .to_owned()
    }
}
