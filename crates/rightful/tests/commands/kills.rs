//! SIGKILL from outside in every phase of an import, a scan and a match. The same command goes on, again and again, and what
//! comes of it is what an undisturbed run comes to: nothing lost, nothing twice.
//!
//! A program is frozen at random moments until it stands in the wanted phase, as the database, the journal and its open files
//! tell, and is killed there. Phases that last no time are made to last: a statement meets a trigger that never ends.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rightful_leaks::sample::Dice;
use rightful_testkit::door::Door;
use rightful_testkit::process::{Ended, Running};
use serde_json::Value;
use tempfile::TempDir;

use crate::made_up::{self, Size};
use crate::site::{Engine, Site, dice, on_both_engines, pretty_equal, program, read, rounds, tell};

/// A phase of a run in which it is to be killed.
pub(crate) struct Phase {
    pub(crate) name: &'static str,
    /// Between which shares of the work. Where exactly is left to chance.
    pub(crate) within: (f64, f64),
    /// A statement that must not come to its end, so that the phase lasts: event, table, condition on the row.
    stall: Option<(&'static str, &'static str, &'static str)>,
}

pub(crate) const fn phase(name: &'static str) -> Phase {
    between(name, 0.0, 1.0)
}

pub(crate) const fn between(name: &'static str, from: f64, to: f64) -> Phase {
    Phase {
        name,
        within: (from, to),
        stall: None,
    }
}

const fn stalled(name: &'static str, event: &'static str, table: &'static str, when: &'static str) -> Phase {
    Phase {
        name,
        within: (0.0, 1.0),
        stall: Some((event, table, when)),
    }
}

/// A command that is killed and run again until it is done.
pub(crate) trait Victim {
    fn start(&self) -> Running;

    fn door(&self) -> Option<&Door>;

    /// Where the frozen program stands, if that is the phase, and at least so much of the work is done.
    fn stands_in(&self, phase: &Phase, share: f64, running: &Running) -> Option<String>;

    /// What came of it is what comes of an undisturbed run.
    fn check(&self, ended: &Ended);
}

enum Outcome {
    Killed(String),
    /// It came to its end before it was seen in the phase.
    Missed(Ended),
}

/// Runs the command and kills it in a phase, at a random moment of it.
fn kill_in(victim: &dyn Victim, phase: &Phase, dice: &mut Dice) -> Outcome {
    if let (Some(door), Some((event, table, when))) = (victim.door(), phase.stall) {
        door.stall(event, table, when);
    }
    let (from, to) = phase.within;
    // Not to its very end, which may be over before it is seen.
    let share = from + (to - from) * 0.7 * dice.below(1000) as f64 / 1000.0;
    let (mut running, begun) = (victim.start(), Instant::now());
    // It runs for at least as long as it stood still before: its own time limits are not to be used up by looking at it.
    let mut stood_still = Duration::ZERO;
    let outcome = loop {
        std::thread::sleep(stood_still + Duration::from_micros(dice.below(6000) as u64));
        let look = Instant::now();
        if !running.freeze() {
            let ended = running.wait();
            // Its own time limits ran out: while it stood still to be looked at, or behind a statement that never ends. The same
            // command goes on, as whoever is told so would run it again.
            if ended.stderr.contains("pool timed out") {
                running = victim.start();
                continue;
            }
            break Outcome::Missed(ended);
        }
        if let Some(found) = victim.stands_in(phase, share, &running) {
            running.kill();
            break Outcome::Killed(found);
        }
        assert!(begun.elapsed().as_secs() < 200, "{} was never reached", phase.name);
        running.thaw();
        stood_still = look.elapsed();
    };
    if let (Some(door), Some((_, table, _))) = (victim.door(), phase.stall) {
        door.unstall(table);
    }
    outcome
}

/// Kills a command in one phase after the other, and checks what comes of it in the end. When it came to its end before it was
/// seen in a phase, the rest of the phases is hit on a new one.
fn kill_in_each(phases: &[Phase], fresh: impl Fn() -> Box<dyn Victim>, dice: &mut Dice) -> Vec<String> {
    let mut hits: Vec<String> = Vec::new();
    for _ in 0..40 {
        let victim = fresh();
        let mut missed = None;
        while let (None, Some(phase)) = (&missed, phases.get(hits.len())) {
            match kill_in(&*victim, phase, dice) {
                Outcome::Killed(found) => hits.push(format!("{} ({found})", phase.name)),
                Outcome::Missed(ended) => missed = Some(ended),
            }
        }
        let ended = missed.unwrap_or_else(|| victim.start().wait());
        assert_eq!(ended.status, Some(0), "after kills in {hits:?}: {ended:?}");
        victim.check(&ended);
        if hits.len() == phases.len() {
            return hits;
        }
    }
    panic!("a phase was never hit: {}; before it {hits:?}", phases[hits.len()].name);
}

/// Kills in all phases, as often as the run of the tests asks for, and says where it did.
fn kill_again_and_again(test: &str, phases: &[Phase], fresh: impl Fn() -> Box<dyn Victim>) {
    let mut dice = dice(test);
    for round in 1..=rounds() {
        let hits = kill_in_each(phases, &fresh, &mut dice);
        tell(&format!("{test}, round {round}, killed in: {}", hits.join("; ")));
    }
}

on_both_engines!(m04_an_import_goes_on_after_kills, m04_a_scan_goes_on_after_kills,);

fn m04_an_import_goes_on_after_kills(engine: Engine) {
    let test = format!("import on {}", word(engine));
    kill_again_and_again(&test, IMPORT_PHASES, || Box::new(Import::new(engine)));
}

fn m04_a_scan_goes_on_after_kills(engine: Engine) {
    let test = format!("scan on {}", word(engine));
    kill_again_and_again(&test, SCAN_PHASES, || Box::new(Scan::new(engine)));
}

fn word(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "SQLite",
        Engine::Postgres => "PostgreSQL",
    }
}

// ---------------------------------------------------------------- import

const IMPORTED: Size = Size {
    accounts: 41_000,
    // Two batches of those that are wrapped together; each costs an Argon2id in every round.
    weak: 96,
    named: 0,
    strangers: 0,
};

const IMPORT_PHASES: &[Phase] = &[
    phase("making the schema"),
    phase("setting the site up"),
    phase("reading the first rows"),
    between("writing early", 0.0, 0.3),
    between("reading on", 0.1, 0.6),
    between("writing in the middle", 0.3, 0.7),
    between("writing late", 0.7, 1.0),
    stalled("finishing", "UPDATE", "import", "NEW.state = 'done'"),
    between("wrapping", 0.1, 0.6),
];

/// Accounts of which a leak holds the right password, to see after an import that each hash is whose it was: all weak ones, and
/// many others.
fn check_leak() -> String {
    let known = |owner: &usize| owner.is_multiple_of(50) || IMPORTED.is_weak(*owner);
    let line = |owner| format!("{}:{}\n", made_up::email(owner), made_up::password(owner));
    (0..IMPORTED.accounts).filter(known).map(line).collect()
}

pub(crate) struct Import {
    pub(crate) site: Site,
    door: Door,
    rows: i64,
}

/// The file of accounts, written once.
fn imported() -> &'static str {
    static FILE: OnceLock<String> = OnceLock::new();
    FILE.get_or_init(|| IMPORTED.accounts())
}

impl Import {
    pub(crate) fn new(engine: Engine) -> Self {
        let site = Site::new(engine);
        site.write("accounts.csv", imported());
        site.write("check.txt", check_leak());
        let door = site.door();
        Self {
            door,
            site,
            rows: imported().lines().count() as i64 - 1,
        }
    }

    /// What came of it, to be compared.
    fn result(&self) -> String {
        self.site.assert_audit_holds();
        self.site.says(&["leak", "scan", "check.txt", "--name", "check"]);
        let rejects = read(&self.site.path("accounts.csv.rejects.csv"));
        format!("{}\n{rejects}", self.site.state(&["check"]))
    }

    fn undisturbed() -> &'static str {
        static RESULT: OnceLock<String> = OnceLock::new();
        RESULT.get_or_init(|| {
            let import = Self::new(Engine::Sqlite);
            assert_eq!(import.start().wait().status, Some(0));
            import.result()
        })
    }
}

impl Victim for Import {
    fn start(&self) -> Running {
        self.site.start(&["accounts", "import", "accounts.csv"])
    }

    fn door(&self) -> Option<&Door> {
        Some(&self.door)
    }

    fn stands_in(&self, phase: &Phase, share: f64, _running: &Running) -> Option<String> {
        let is_writing = self.door.is_writing();
        let runs = self.door.number("SELECT COUNT(*) FROM import");
        match phase.name {
            "making the schema" => return (runs.is_none() && is_writing?).then(|| "no table is there yet".to_owned()),
            "setting the site up" => {
                let keys = self.door.number("SELECT COUNT(*) FROM data_key")?;
                return (runs == Some(0)).then(|| format!("{keys} keys are there"));
            }
            _ => {}
        }
        let done = self
            .door
            .number("SELECT rows_done FROM import ORDER BY import_no DESC LIMIT 1")?;
        let running = self
            .door
            .number("SELECT COUNT(*) FROM import WHERE state = 'running'")?
            == 1;
        let weak = self.door.number("SELECT COUNT(*) FROM password WHERE weak = 1")?;
        let (share_done, of_weak) = (done as f64 / self.rows as f64, 1.0 - weak as f64 / IMPORTED.weak as f64);
        let there = share_done >= share && share_done < phase.within.1;
        let stands = match phase.name {
            "reading the first rows" => running && done == 0 && !is_writing?,
            "reading on" => running && there && !is_writing?,
            "finishing" => running && done == self.rows && is_writing?,
            "wrapping" => !running && weak > 0 && of_weak >= share,
            _ => running && there && is_writing?,
        };
        stands.then(|| match phase.name {
            "wrapping" => format!("{weak} left"),
            _ => format!("row {done}"),
        })
    }

    fn check(&self, _ended: &Ended) {
        pretty_equal(&self.result(), Self::undisturbed());
    }
}

// ---------------------------------------------------------------- scan

const SCANNED: Size = Size {
    accounts: 8_000,
    weak: 0,
    named: 40_000,
    strangers: 60_000,
};

const SCAN_PHASES: &[Phase] = &[
    stalled("beginning", "INSERT", "leak", "NEW.leak_no > 0"),
    phase("reading, before anything is committed"),
    between("committing early", 0.0, 0.33),
    between("reading and testing early", 0.0, 0.33),
    between("committing in the middle", 0.33, 0.66),
    between("reading and testing in the middle", 0.33, 0.66),
    between("committing late", 0.66, 1.0),
    between("reading and testing late", 0.66, 1.0),
    stalled("finishing", "UPDATE", "leak", "NEW.state = 'done'"),
];

/// The accounts and the leak of the scans and matches, written once.
fn scanned() -> &'static (TempDir, PathBuf, PathBuf) {
    static FILES: OnceLock<(TempDir, PathBuf, PathBuf)> = OnceLock::new();
    FILES.get_or_init(|| {
        let folder = TempDir::new().expect("a folder");
        let (accounts, leak) = (folder.path().join("accounts.csv"), folder.path().join("leak"));
        std::fs::write(&accounts, SCANNED.accounts()).expect("a file of accounts");
        SCANNED.write_leak(&leak);
        (folder, accounts, leak)
    })
}

pub(crate) struct Scan {
    pub(crate) site: Site,
    door: Door,
}

impl Scan {
    pub(crate) fn new(engine: Engine) -> Self {
        let site = Site::new(engine);
        let accounts = scanned().1.to_string_lossy();
        site.says(&["accounts", "import", &accounts, "--rejects", "rejects.csv"]);
        Self {
            door: site.door(),
            site,
        }
    }

    /// What came of it, to be compared: state and tests.
    fn result(&self, ended: &Ended) -> (String, Value) {
        self.site.assert_audit_holds();
        let report: Value = serde_json::from_str(&ended.stdout).expect("a report in JSON");
        assert_eq!(report["finished"], true, "{report}");
        let counted = serde_json::json!({ "tests": report["tests"], "lines": report["lines"] });
        (self.site.state(&["the leak"]), counted)
    }

    fn undisturbed() -> &'static (String, Value) {
        static RESULT: OnceLock<(String, Value)> = OnceLock::new();
        RESULT.get_or_init(|| {
            let scan = Self::new(Engine::Sqlite);
            let ended = scan.start().wait();
            assert_eq!(ended.status, Some(0), "{ended:?}");
            scan.result(&ended)
        })
    }
}

impl Victim for Scan {
    fn start(&self) -> Running {
        let leak = scanned().2.to_string_lossy();
        self.site
            .start(&["leak", "scan", &leak, "--name", "the leak", "--json"])
    }

    fn door(&self) -> Option<&Door> {
        Some(&self.door)
    }

    fn stands_in(&self, phase: &Phase, share: f64, _running: &Running) -> Option<String> {
        let is_writing = self.door.is_writing()?;
        let leaks = self.door.number("SELECT COUNT(*) FROM leak")?;
        if phase.name == "beginning" {
            return (is_writing && leaks == 0).then(|| "not yet noted".to_owned());
        }
        let reading = self.door.number("SELECT COUNT(*) FROM leak WHERE state = 'reading'")? == 1;
        let tallies: Value = serde_json::from_str(self.door.texts("SELECT tallies FROM leak").first()?).ok()?;
        let tests = tallies["tests"].as_u64().unwrap_or(0);
        let all = Self::undisturbed().1["tests"].as_u64().expect("a number of tests");
        let share_done = tests as f64 / all as f64;
        let there = share_done >= share && share_done < phase.within.1;
        let stands = reading
            && match phase.name {
                "reading, before anything is committed" => tests == 0 && !is_writing,
                "finishing" => tests == all && is_writing,
                name if name.starts_with("committing") => there && is_writing,
                _ => there && !is_writing,
            };
        stands.then(|| format!("{tests} of {all} tests"))
    }

    fn check(&self, ended: &Ended) {
        let (undisturbed, counted) = Self::undisturbed();
        let (state, counts) = self.result(ended);
        pretty_equal(&state, undisturbed);
        assert_eq!(&counts, counted);
        // Once more when it is done: nothing is tested again, and nothing changes.
        let again = self.start().wait();
        let (state, counts) = self.result(&again);
        pretty_equal(&state, undisturbed);
        assert_eq!(counts["tests"], 0, "what was tested is known");
        assert_eq!(counts["lines"], counted["lines"]);
    }
}

// ---------------------------------------------------------------- match

const MATCH_PHASES: &[Phase] = &[
    phase("loading the accounts"),
    phase("scanning, before anything is in the journal"),
    between("scanning early", 0.0, 0.33),
    between("scanning in the middle", 0.33, 0.66),
    between("scanning late", 0.66, 1.0),
    phase("writing the list"),
    phase("loading the accounts again"),
];

pub(crate) struct Match {
    folder: TempDir,
}

impl Match {
    pub(crate) fn new() -> Self {
        Self {
            folder: TempDir::new().expect("a folder"),
        }
    }

    /// The list, or what lies beside it.
    pub(crate) fn path(&self, ending: &str) -> PathBuf {
        self.folder.path().join(format!("exposures.csv{ending}"))
    }

    /// The journal's lines that are whole.
    fn entries(&self) -> Vec<Value> {
        entries(&self.path(".journal"))
    }

    fn undisturbed() -> &'static (String, Value) {
        static RESULT: OnceLock<(String, Value)> = OnceLock::new();
        RESULT.get_or_init(|| {
            let run = Self::new();
            let ended = run.start().wait();
            assert_eq!(ended.status, Some(0), "{ended:?}");
            (read(&run.path("")), report(&ended))
        })
    }
}

/// The whole lines of a journal, without their checksums.
fn entries(journal: &Path) -> Vec<Value> {
    let Ok(text) = std::fs::read_to_string(journal) else {
        return Vec::new();
    };
    text.split_inclusive('\n')
        .filter_map(|line| serde_json::from_str(line.strip_suffix('\n')?.get(13..)?).ok())
        .collect()
}

/// What a match reports, without what depends on the run.
fn report(ended: &Ended) -> Value {
    let mut report: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
    for dependent in ["seconds", "out"] {
        report.as_object_mut().expect("an object").remove(dependent);
    }
    report
}

impl Victim for Match {
    fn start(&self) -> Running {
        let (_, accounts, leak) = scanned();
        let mut command = program();
        command.args(["leak", "match", "--json", "--accounts"]).arg(accounts);
        command.arg("--out").arg(self.path("")).arg(leak);
        Running::start(&mut command)
    }

    fn door(&self) -> Option<&Door> {
        None
    }

    fn stands_in(&self, phase: &Phase, share: f64, running: &Running) -> Option<String> {
        let journal = self.path(".journal");
        let has_journal = running.has_open(&journal);
        if phase.name.starts_with("loading") {
            let again = phase.name.ends_with("again");
            let loading = running.has_open(&scanned().1) && !has_journal && journal.exists() == again;
            return loading.then(|| "its journal is not open".to_owned());
        }
        if phase.name == "writing the list" {
            let part = std::fs::metadata(self.path(".part")).ok()?;
            return Some(format!("{} bytes written", part.len()));
        }
        let entries = self.entries();
        let tests = entries.last()?["checkpoint"]["tests"].as_u64();
        let all = Self::undisturbed().1["tests"].as_u64().expect("a number of tests");
        let share_done = tests.unwrap_or(0) as f64 / all as f64;
        let stands = has_journal
            && match phase.name {
                "scanning, before anything is in the journal" => tests.is_none(),
                _ => tests.is_some() && share_done >= share && share_done < phase.within.1,
            };
        stands.then(|| format!("{} of {all} tests", tests.unwrap_or(0)))
    }

    fn check(&self, ended: &Ended) {
        let (list, counted) = Self::undisturbed();
        pretty_equal(&read(&self.path("")), list);
        assert_eq!(&report(ended), counted);
        let left = std::fs::read_dir(self.folder.path()).expect("the folder").count();
        assert_eq!(left, 1, "nothing is left beside the list");
    }
}

#[test]
fn m04_a_match_goes_on_after_kills() {
    kill_again_and_again("match", MATCH_PHASES, || Box::new(Match::new()));
}

/// A crash between the moment at which the list is in its place and the end of the journal: the whole journal is there, and the
/// list too. And journals whose last line was cut, as a power cut leaves them.
#[test]
fn m04_a_match_goes_on_from_what_a_crash_leaves_of_its_journal() {
    let mut dice = dice("torn journal");
    // Where it was over before it was seen late in its work, a new one is tried.
    let killed_late = (0..40).find_map(|_| {
        let run = Match::new();
        let killed = kill_in(&run, &between("scanning late", 0.8, 1.0), &mut dice);
        matches!(killed, Outcome::Killed(_)).then_some(run)
    });
    let run = killed_late.expect("one of forty runs is seen late in its work");
    let journal = std::fs::read(run.path(".journal")).expect("a journal");
    for round in 0..rounds() {
        let torn = match round {
            0 => journal.len(),
            _ => dice.below(journal.len()),
        };
        let mut left = journal[..torn].to_vec();
        if round % 2 == 1 {
            // What a file system shows of a block that was never written.
            left.extend_from_slice(&[0; 100]);
        }
        std::fs::write(run.path(".journal"), left).expect("a journal");
        std::fs::write(run.path(".part"), "account,gra").expect("an unfinished list");
        let ended = run.start().wait();
        assert_eq!(ended.status, Some(0), "cut at {torn} of {}: {ended:?}", journal.len());
        run.check(&ended);
    }
}

/// How much a match that was killed reads and tests again: at most 64 MiB and one batch.
#[test]
fn m04_a_killed_match_repeats_little() {
    let folder = TempDir::new().expect("a folder");
    let (accounts, leak) = (folder.path().join("accounts.csv"), folder.path().join("leak.txt"));
    let run = Size {
        accounts: 200,
        weak: 0,
        named: 0,
        strangers: 0,
    };
    // An owner whose hash takes its time, so that the reading gets as far ahead as it ever does.
    let slow = "slow,slow@example.org,owner_slow,$2b$10$abcdefghijklmnopqrstuuVDVbkkWQqjWFBGXg45fYAhWGDiTkgZO,,\n";
    std::fs::write(&accounts, run.accounts() + slow).expect("a file of accounts");
    write_long_leak(&leak);
    let journal = folder.path().join("exposures.csv.journal");
    let start = || {
        let mut command = program();
        command.args(["leak", "match", "--json", "--accounts"]).arg(&accounts);
        command.arg("--out").arg(folder.path().join("exposures.csv")).arg(&leak);
        Running::start(&mut command)
    };
    let (read, entries) = read_ahead_and_kill(start(), &journal);
    let committed = entries
        .last()
        .map_or(0, |entry| entry["checkpoint"]["position"]["byte"].as_u64().unwrap_or(0));
    tell(&format!("a match had read {read} bytes and committed {committed}"));
    assert!(committed > 80 << 20, "nearly all before the slow owner: {committed}");
    assert!(read > committed + (40 << 20), "it had read far ahead: {read}");
    let (again, _) = read_ahead_and_kill(start(), &journal);
    tell(&format!(
        "gone on with, it read {again} bytes until it stood there again"
    ));
    assert!(again > 40 << 20, "it stands where it stood: {again}");
    assert!(again <= 64 << 20, "{again} bytes are read again");
    let most = entries
        .iter()
        .filter_map(|entry| entry["decided"].as_array())
        .map(Vec::len)
        .max();
    assert!(most <= Some(2 * 4096), "verdicts are committed in batches: {most:?}");
}

/// Lets a match run until it does not get any further ahead: what it has read stays the same. How much that is, and its journal.
fn read_ahead_and_kill(mut running: Running, journal: &Path) -> (u64, Vec<Value>) {
    let (mut before, mut the_same) = (0, 0);
    rightful_testkit::process::until("it has read as far ahead as it may", || {
        assert!(!running.has_ended(), "it was over before it was looked at");
        std::thread::sleep(Duration::from_millis(150));
        let read = running.bytes_read();
        the_same = if read == before { the_same + 1 } else { 0 };
        before = read;
        // Three times in a row, for a machine that has other things to do.
        (the_same >= 3 && read > 20 << 20 && !entries(journal).is_empty()).then_some(())
    });
    assert!(running.freeze(), "it was over before it was looked at");
    let found = (running.bytes_read(), entries(journal));
    running.kill();
    found
}

/// 200 MB, mostly of strangers; in the middle an owner whose tests take a long time.
fn write_long_leak(leak: &Path) {
    use std::io::Write;
    let mut file = std::io::BufWriter::new(std::fs::File::create(leak).expect("a leak"));
    let stranger = |at: usize| format!("nobody{at}@elsewhere.example:secret-{at}\n");
    let many: String = (0..30_000).map(stranger).collect();
    let strangers = |file: &mut dyn Write| {
        for _ in 0..(100 << 20) / many.len() {
            file.write_all(many.as_bytes()).expect("a leak");
        }
    };
    strangers(&mut file);
    for at in 0..3000 {
        writeln!(file, "slow@example.org:guess-{at}").expect("a leak");
    }
    strangers(&mut file);
    file.flush().expect("a leak");
}
