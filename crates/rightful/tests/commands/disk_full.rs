//! A disk that fills up during an import, a scan, a match, a backup, an export: it is named, nothing is broken, and when there
//! is room again the same command goes on.

use std::path::Path;
use std::process::Command;

use rightful_leaks::sample::Dice;
use rightful_testkit::disk::SmallDisk;
use rightful_testkit::process::{Ended, Running, run};

use crate::made_up::Size;
use crate::site::{Engine, Site, dice, program, read, tell};

const SMALL: Size = Size {
    accounts: 9_000,
    weak: 0,
    named: 12_000,
    strangers: 3_500,
};

/// A site with a file of accounts and a leak in its own folder, whose data folder is `data`.
fn site(engine: Engine, data: Option<&Path>) -> Site {
    let mut site = Site::new(engine);
    if let Some(data) = data {
        site.data = data.join("data");
    }
    site.write("accounts.csv", SMALL.accounts());
    SMALL.write_leak(&site.path("leak"));
    site
}

const IMPORT: &[&str] = &["accounts", "import", "accounts.csv"];
const SCAN: &[&str] = &["leak", "scan", "leak", "--name", "the leak"];

/// What the site comes to without any trouble.
fn undisturbed() -> &'static str {
    static STATE: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    STATE.get_or_init(|| {
        let site = site(Engine::Sqlite, None);
        site.says(IMPORT);
        site.says(SCAN);
        site.state(&["the leak"])
    })
}

/// It failed, and says that the disk is full.
fn assert_full(disk: &SmallDisk, ended: &Ended) {
    assert_eq!(ended.status, Some(1), "{ended:?}");
    assert!(!ended.stderr.contains("panicked"), "{ended:?}");
    let names = ["No space left on device", "disk is full"];
    if disk.is_real() {
        assert!(names.iter().any(|name| ended.stderr.contains(name)), "{ended:?}");
    }
}

/// The room that files take in a folder, in kilobytes.
fn used(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    entries
        .map(|entry| {
            let metadata = entry.metadata().expect("a file");
            if metadata.is_dir() {
                used(&entry.path())
            } else {
                metadata.blocks() / 2
            }
        })
        .sum()
}

/// Runs a command on a disk that has more room each time, until it is done; answers how often it was full.
fn grow_until_done(
    disk: &mut SmallDisk,
    kilobytes: u64,
    command: impl Fn() -> Command,
    after_failure: impl Fn(&SmallDisk),
    dice: &mut Dice,
) -> usize {
    let mut room = kilobytes;
    for failures in 0..60 {
        let ended = run(&mut disk.bound(&command()));
        if ended.status == Some(0) {
            return failures;
        }
        assert_full(disk, &ended);
        after_failure(disk);
        // From an eighth to a half more, so that the end of the room comes at another write each time.
        room += room / 8 + dice.below(usize::try_from(room / 3).unwrap_or(1)) as u64;
        disk.resize(room.max(used(disk.path()) + 64));
    }
    panic!("it never has enough room");
}

/// The audit log holds, or cannot be looked at because the disk is full.
fn assert_audit_holds_or_full(site: &Site, disk: &SmallDisk) {
    let ended = run(&mut disk.bound(&site.command(&["audit", "verify", "--json"])));
    if ended.status == Some(0) {
        assert!(ended.stdout.contains("\"holds\":true"), "{ended:?}");
    } else {
        assert_full(disk, &ended);
    }
}

#[test]
fn m04_disk_full_under_an_sqlite_file() {
    let mut dice = dice("disk full, SQLite");
    let mut disk = SmallDisk::new(40);
    let site = site(Engine::Sqlite, Some(disk.path()));
    let log_is_whole = |disk: &SmallDisk| assert_audit_holds_or_full(&site, disk);
    let rejects = disk.path().join("rejects.csv").to_string_lossy().into_owned();
    let import = || site.command(&[IMPORT, &["--rejects", &rejects]].concat());
    let imports = grow_until_done(&mut disk, 40, import, log_is_whole, &mut dice);
    let room = used(disk.path()) + 64;
    disk.resize(room);
    let scans = grow_until_done(&mut disk, room, || site.command(SCAN), log_is_whole, &mut dice);
    tell(&format!(
        "disk full, SQLite: {imports} imports and {scans} scans failed before they were done"
    ));
    assert!(imports >= 5 && scans >= 2, "{imports} imports, {scans} scans");
    assert_eq!(site.state(&["the leak"]), undisturbed());
    site.assert_audit_holds();
    writing_files_on_a_full_disk(&site);
}

/// The disk of the server fills up: what it says then is said by a trigger, at one table after the other.
#[test]
fn m04_disk_full_under_a_postgresql_server() {
    let site = site(Engine::Postgres, None);
    site.says(&["accounts", "list"]);
    let door = site.door();
    door.run(
        "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         RAISE EXCEPTION 'could not extend file \"base/16384/16385\": No space left on device' USING ERRCODE = '53100';
         END $$",
    );
    let fails_at = |arguments: &[&str], event: &str, table: &str| {
        door.run(&format!(
            "CREATE TRIGGER no_room BEFORE {event} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION no_room()"
        ));
        let ended = site.run(arguments);
        assert_eq!(ended.status, Some(1), "{table}: {ended:?}");
        assert!(
            ended.stderr.contains("the disk of the database is full"),
            "{table}: {ended:?}"
        );
        assert!(!ended.stderr.contains("panicked"), "{table}: {ended:?}");
        site.assert_audit_holds();
        door.run(&format!("DROP TRIGGER no_room ON {table}"));
    };
    let tables = [
        "import",
        "account",
        "identifier",
        "match_key",
        "password",
        "contact",
        "audit",
    ];
    for (event, table) in tables
        .map(|table| ("INSERT", table))
        .into_iter()
        .chain([("UPDATE", "import")])
    {
        fails_at(IMPORT, event, table);
    }
    site.says(IMPORT);
    let tables = ["leak", "leak_file", "exposure", "pair", "untested", "audit"];
    for (event, table) in tables
        .map(|table| ("INSERT", table))
        .into_iter()
        .chain([("UPDATE", "leak")])
    {
        fails_at(SCAN, event, table);
    }
    site.says(SCAN);
    assert_eq!(site.state(&["the leak"]), undisturbed());
    site.assert_audit_holds();
}

/// Backups and exports to a disk without room.
fn writing_files_on_a_full_disk(site: &Site) {
    let mut disk = SmallDisk::new(64);
    let path = |name: &str| disk.path().join(name).to_string_lossy().into_owned();
    let (backup, accounts, exposures) = (path("site.backup"), path("accounts.csv"), path("exposures.csv"));
    let commands: [&[&str]; 3] = [
        &["backup", &backup],
        &["accounts", "export", "--out", &accounts],
        &["leak", "export", "the leak", "--out", &exposures],
    ];
    for arguments in commands {
        let ended = run(&mut disk.bound(&site.command(arguments)));
        assert_full(&disk, &ended);
        assert!(!Path::new(&backup).exists(), "half a backup has no name");
        for left in std::fs::read_dir(disk.path()).expect("a folder").flatten() {
            std::fs::remove_file(left.path()).expect("a file");
        }
    }
    disk.resize(64_000);
    for arguments in commands {
        site.says(arguments);
    }
    assert_eq!(read(Path::new(&accounts)), site.says(&["accounts", "export"]));
}

#[test]
fn m04_disk_full_under_a_match() {
    let mut dice = dice("disk full, match");
    let plain = site(Engine::Sqlite, None);
    let matched = |out: &Path| {
        let mut command = program();
        command
            .args(["leak", "match", "--accounts"])
            .arg(plain.path("accounts.csv"));
        command.arg("--out").arg(out).arg(plain.path("leak"));
        command
    };
    let wanted = plain.path("exposures.csv");
    assert_eq!(Running::start(&mut matched(&wanted)).wait().status, Some(0));
    let mut disk = SmallDisk::new(40);
    let out = disk.path().join("exposures.csv");
    let unfinished = |_: &SmallDisk| assert!(!out.exists(), "no list before it is whole");
    let failures = grow_until_done(&mut disk, 40, || matched(&out), unfinished, &mut dice);
    tell(&format!("disk full, match: {failures} runs failed before it was done"));
    assert!(failures >= 4, "{failures}");
    assert_eq!(read(&out), read(&wanted));
}
