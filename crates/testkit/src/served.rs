//! The program itself as a server, in a folder of its own, on a port of its own, with its mail in a folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use rightful_app::env::Env;
use rightful_app::site::{KeySource, Site};
use rightful_core::Timestamp;
use rightful_crypto::seal::KeyFile;
use rightful_crypto::testing::SeededChance;
use rightful_notify::Folder;
pub use rightful_notify::Kept;
use rightful_store::Address;
use tempfile::TempDir;

use crate::process::{Ended, Running, run, until};

/// Letters that are read at once; more than any test brings about.
const MOST: usize = 1000;

/// `rightful serve`, running. Killed when dropped.
pub struct Served {
    program: PathBuf,
    folder: TempDir,
    server: Running,
    url: String,
    read: Mutex<BTreeSet<String>>,
}

impl Served {
    /// Starts the program on a new site called "Example" that takes sign-ups, and waits until it serves.
    ///
    /// # Panics
    /// When it does not.
    pub fn start(program: &Path) -> Self {
        let folder = TempDir::with_prefix("rightful-served-").expect("a folder for the site");
        let mut command = bare(program);
        command.arg("serve").current_dir(folder.path());
        command.envs([
            ("RIGHTFUL_LISTEN__ADDRESS", "127.0.0.1:0"),
            ("RIGHTFUL_SITE__NAME", "Example"),
            ("RIGHTFUL_SITE__SIGN_UP", "true"),
        ]);
        let mut server = Running::start(&mut command);
        let url = until("the server serves", || {
            let (said, ended) = (server.stderr(), server.has_ended());
            assert!(!ended, "the server ended: {said}");
            let (_, after) = said.split_once("serving Example on ")?;
            // Whatever it says of the set-up comes after this, and with it the end of the line.
            said.contains("/setup and type this code: ").then_some(())?;
            after.split_whitespace().next().map(str::to_owned)
        });
        Self {
            program: program.to_owned(),
            folder,
            server,
            url,
            read: Mutex::default(),
        }
    }

    /// The address of one of its pages.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// The code that makes the first administrator, as the server printed it.
    ///
    /// # Panics
    /// When it printed none.
    pub fn set_up_code(&self) -> String {
        until("the set-up code is printed", || {
            let said = self.server.stderr();
            let (_, after) = said.split_once("type this code: ")?;
            after.split_once('\n').map(|(code, _)| code.trim().to_owned())
        })
    }

    /// Runs another command of the program on the same site.
    ///
    /// # Panics
    /// When it hangs.
    pub fn command(&self, arguments: &[&str]) -> Ended {
        run(bare(&self.program).args(arguments).current_dir(self.folder.path()))
    }

    /// The next letter to this address that was not returned yet, with this in its subject or text.
    ///
    /// # Panics
    /// When none comes.
    pub fn mail(&self, to: &str, with: &str) -> Kept {
        let folder = Folder::new(self.folder.path().join("rightful-data/mailbox"));
        let mut read = self.read.lock().expect("no test fails in here");
        until(&format!("a letter to {to} with {with:?} comes"), || {
            let mut letters = folder.newest(MOST).expect("the mailbox can be read");
            letters.reverse();
            let is_meant = |letter: &Kept| {
                letter.to.contains(to)
                    && (letter.subject.contains(with) || letter.text.contains(with))
                    && !read.contains(&letter.name)
            };
            let found = letters.into_iter().find(is_meant)?;
            read.insert(found.name.clone());
            Some(found)
        })
    }

    /// The site of the server, opened beside it, to do what it has no command for yet.
    ///
    /// # Panics
    /// When it cannot be opened.
    pub async fn site(&self, now: Timestamp) -> Site {
        let key = std::fs::read_to_string(self.folder.path().join("rightful.key")).expect("the key file");
        let key = KeySource::File(KeyFile::parse(&key).expect("the program writes what it reads"));
        let address = Address::Sqlite(self.folder.path().join("rightful-data/rightful.db"));
        let mut env = Env {
            clock: std::sync::Arc::new(move || now),
            chance: Box::new(SeededChance::new(now.micros().unsigned_abs())),
        };
        Site::open(&address, key, "test", &mut env)
            .await
            .expect("the site opens")
    }

    /// Tells the server to stop and waits until it has.
    ///
    /// # Panics
    /// When it does not.
    pub fn stop(self) -> Ended {
        self.server.terminate();
        self.server.wait()
    }
}

/// The code that a letter brings: it stands on a line of its own.
///
/// # Panics
/// When it brings none.
pub fn code_in(letter: &Kept) -> &str {
    let code = letter.text.lines().find_map(|line| line.strip_prefix("    "));
    code.unwrap_or_else(|| panic!("no code in {:?}", letter.text)).trim()
}

/// The number by which a letter can be checked.
///
/// # Panics
/// When it has none.
pub fn number_in(letter: &Kept) -> &str {
    let is_group =
        |group: &str| group.len() == 4 && group.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    let is_number = |word: &&str| {
        word.split_once('-')
            .is_some_and(|(one, other)| is_group(one) && is_group(other))
    };
    let mut words = letter.text.split(|c: char| c.is_whitespace() || ",.;:".contains(c));
    // A code may look like a number, but stands alone on its line, deeper in.
    let code = letter
        .text
        .lines()
        .find_map(|line| line.strip_prefix("    "))
        .map(str::trim);
    let number = words.find(|word| is_number(word) && Some(*word) != code);
    number.unwrap_or_else(|| panic!("no number in {:?}", letter.text))
}

/// The code that an authenticator app shows, by oathtool: now, or so many steps of 30 seconds later.
///
/// # Panics
/// When oathtool is not there or does not understand the secret.
pub fn app_code(secret: &str, steps_ahead: usize) -> String {
    let secret: String = secret.split_whitespace().collect();
    let window = steps_ahead.to_string();
    let told = Command::new("oathtool")
        .args(["--totp", "--base32", "--window", &window, &secret])
        .output()
        .unwrap_or_else(|error| panic!("oathtool (Debian's package oathtool) cannot be started: {error}"));
    let codes = String::from_utf8_lossy(&told.stdout);
    let code = codes.lines().nth(steps_ahead);
    code.unwrap_or_else(|| panic!("oathtool: {}", String::from_utf8_lossy(&told.stderr)))
        .to_owned()
}

/// The program with nothing of our own environment that would change what it does.
fn bare(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("RIGHTFUL_") {
            command.env_remove(name);
        }
    }
    command.env("USER", "tester").env_remove("RUST_BACKTRACE");
    command
}
