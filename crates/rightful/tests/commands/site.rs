//! A site of a test: a folder and a database of its own, and the program run on it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rand_core::UnwrapErr;
use rightful_app::env::Env;
use rightful_app::site::{KeySource, Site as OpenSite};
use rightful_core::Timestamp;
use rightful_crypto::seal::{KeyFile, Place};
use rightful_leaks::sample::Dice;
use rightful_store::Address;
pub(crate) use rightful_testkit::databases::Engine;
use rightful_testkit::databases::TestDatabase;
use rightful_testkit::door::Door;
use rightful_testkit::process::{Ended, Running, run};
use serde_json::Value;
use tempfile::TempDir;

/// Declares each test for both engines.
macro_rules! on_both_engines {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test] fn $name() {
                super::$name($crate::site::Engine::Sqlite);
            })+
        }
        mod postgres {
            $(#[test] fn $name() {
                super::$name($crate::site::Engine::Postgres);
            })+
        }
    };
}
pub(crate) use on_both_engines;

/// The program.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rightful"));
    // Nothing of whoever runs the tests.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("RIGHTFUL_") {
            command.env_remove(name);
        }
    }
    command.env("USER", "tester").env_remove("RUST_BACKTRACE");
    command
}

/// A folder with a data folder, a key file and a database of its own, all made when the program is first run.
pub(crate) struct Site {
    pub(crate) folder: TempDir,
    /// Its data folder.
    pub(crate) data: PathBuf,
    /// The URL of its database; none for SQLite.
    pub(crate) url: Option<String>,
    /// None for SQLite, whose file is in the data folder.
    database: Option<TestDatabase>,
    application: String,
}

impl Site {
    pub(crate) fn new(engine: Engine) -> Self {
        let folder = TempDir::new().expect("a folder");
        let database = (engine == Engine::Postgres).then(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(TestDatabase::new(engine))
        });
        let name = folder.path().file_name().unwrap_or_default().to_string_lossy();
        let application = format!("test{}", name.replace(|c: char| !c.is_ascii_alphanumeric(), ""));
        Self {
            data: folder.path().join("data"),
            url: database.as_ref().and_then(|database| database.url_for(&application)),
            folder,
            database,
            application,
        }
    }

    /// A file in its folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn address(&self) -> Address {
        match &self.database {
            None => Address::Sqlite(self.data.join("rightful.db")),
            Some(database) => database.address().clone(),
        }
    }

    /// A name of its own, by which its connections are known.
    pub(crate) fn application(&self) -> &str {
        &self.application
    }

    pub(crate) fn door(&self) -> Door {
        Door::new(&self.address(), &self.application)
    }

    /// The program with these arguments, on this site.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command
            .current_dir(self.folder.path())
            .env("RIGHTFUL_DATA", &self.data)
            .env("RIGHTFUL_KEY", "site.key");
        if let Some(url) = &self.url {
            command.env("RIGHTFUL_DATABASE", url);
        }
        command.args(arguments);
        command
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        Running::start(&mut self.command(arguments))
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        run(&mut self.command(arguments))
    }

    /// What it says when all goes well.
    pub(crate) fn says(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.status, Some(0), "{arguments:?}: {ended:?}");
        ended.stdout
    }

    /// The same as JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let said = self.says(&[arguments, &["--json"]].concat());
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {said}"))
    }

    /// Writes a file into its folder.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("a file of the test");
        path
    }

    /// Something sealed under the site's key for a place, as only the program itself can make it.
    pub(crate) fn sealed(&self, place: Place, secret: &[u8]) -> Vec<u8> {
        let key = KeyFile::parse(&read(&self.path("site.key"))).expect("a key file");
        let mut env = Env {
            clock: Arc::new(|| Timestamp::from_micros(0)),
            chance: Box::new(UnwrapErr(getrandom::SysRng)),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let opened = runtime.expect("a runtime").block_on(OpenSite::open(
            &self.address(),
            KeySource::File(key),
            "test",
            &mut env,
        ));
        let opened = opened.expect("the site opens");
        opened.sealer.seal(place, secret, &mut *env.chance)
    }

    /// The audit log holds.
    pub(crate) fn assert_audit_holds(&self) {
        let verdict = self.json(&["audit", "verify"]);
        assert_eq!(verdict["holds"], true, "{verdict}");
    }

    /// What the site holds, without what is drawn by chance or depends on the hour: the same for the same accounts and leaks,
    /// whatever happened on the way and whatever the engine is.
    pub(crate) fn state(&self, leaks: &[&str]) -> String {
        let mut state = accounts(&self.says(&["accounts", "export"]));
        for leak in leaks {
            let shown = self.json(&["leak", "show", leak]);
            for part in [
                "state",
                "exposures",
                "accounts_by_best_grade",
                "lines",
                "not_read",
                "files",
                "variants",
            ] {
                state.push_str(&format!("{leak} {part}: {}\n", shown[part]));
            }
            state.push_str(&exposures(&self.says(&["leak", "export", leak])));
        }
        // Runs leave a row each in these, and keys are as many as there are purposes.
        let by_the_way = ["audit", "audit_head", "import", "counter"];
        for (table, rows) in self.door().row_counts() {
            if !by_the_way.contains(&table.as_str()) {
                state.push_str(&format!("{table}: {rows} rows\n"));
            }
        }
        let kinds =
            "SELECT kind || ' ' || state || ' ' || CAST(weak AS TEXT) || ' ' || origin || ' ' || CAST(COUNT(*) AS TEXT)
            FROM password GROUP BY kind, state, weak, origin ORDER BY 1";
        state.push_str(&self.door().texts(kinds).join("\n"));
        state
    }
}

/// An export of accounts without the public ids that were drawn.
fn accounts(export: &str) -> String {
    let mut lines = String::new();
    for line in export.lines() {
        let cells: Vec<&str> = line.splitn(3, ',').collect();
        let [id, public_id, rest] = cells[..] else {
            panic!("no account: {line}")
        };
        let public_id = if id == public_id { "the same" } else { "drawn" };
        lines.push_str(&format!("{id},{public_id},{rest}\n"));
    }
    lines
}

/// An export of exposures, sorted, without the hour at which each was found.
fn exposures(export: &str) -> String {
    let mut lines: Vec<&str> = export
        .lines()
        .map(|line| line.rsplit_once(',').expect("a last column").0)
        .collect();
    lines.sort_unstable();
    lines.join("\n") + "\n"
}

/// Two texts are equal; if not, the first lines that differ are shown, not thousands.
pub(crate) fn pretty_equal(found: &str, wanted: &str) {
    if found == wanted {
        return;
    }
    let (found, wanted): (Vec<&str>, Vec<&str>) = (found.lines().collect(), wanted.lines().collect());
    let missing: Vec<&&str> = wanted.iter().filter(|line| !found.contains(line)).take(10).collect();
    let unexpected: Vec<&&str> = found.iter().filter(|line| !wanted.contains(line)).take(10).collect();
    panic!(
        "not as undisturbed ({} lines, {} wanted). Missing: {missing:#?}. Unexpected: {unexpected:#?}",
        found.len(),
        wanted.len()
    );
}

/// Seeded chance of a test. The seed is printed past libtest's capture, so that every run can be played again.
pub(crate) fn dice(test: &str) -> Dice {
    let seed = match std::env::var("RIGHTFUL_TEST_SEED") {
        Ok(seed) => seed.parse().expect("RIGHTFUL_TEST_SEED is a number"),
        Err(_) => std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |age| u64::from(age.subsec_nanos())),
    };
    tell(&format!("{test}: RIGHTFUL_TEST_SEED={seed}"));
    Dice::new(seed)
}

/// How often each phase is hit.
pub(crate) fn rounds() -> usize {
    if std::env::var_os("RIGHTFUL_SOAK").is_some() {
        50
    } else {
        5
    }
}

/// Says something to whoever watches the tests, also when they pass.
pub(crate) fn tell(text: &str) {
    use std::io::Write;
    // Nobody may be watching.
    drop(writeln!(std::io::stderr(), "    {text}"));
}

pub(crate) fn read(path: &Path) -> String {
    String::from_utf8_lossy(&read_bytes(path)).into_owned()
}

pub(crate) fn read_bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The permissions of a file or folder.
pub(crate) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    let metadata = std::fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    metadata.permissions().mode() & 0o7777
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
}
