//! What scans leave behind: that a later one takes nothing back, and that everything can be answered for.

use std::io::Write;
use std::process::Stdio;

use rightful_testkit::process::{Running, until};
use serde_json::Value;

use crate::made_up::quick_hash;
use crate::site::{Engine, Site, on_both_engines};

on_both_engines!(
    a_leaked_hash_waits_as_long_as_any_leak_needs_it,
    reading_a_leak_again_takes_no_evidence_back,
    more_files_under_one_name_are_all_noted,
    an_account_that_is_nothing_but_a_uuid_is_found,
    a_stream_that_was_cut_off_is_read_anew,
    a_leak_shows_where_its_lines_went,
    everything_that_changed_says_who_did_it,
    a_scan_lets_every_other_program_go_first,
);

const HASH: &str = "0123456789abcdef0123456789abcdef01234567";

fn import(site: &Site, password: &str) {
    let hash = quick_hash(password, "salt");
    site.write(
        "accounts.csv",
        format!("account,email,password\n1,anna@example.org,{hash}\n"),
    );
    site.says(&["accounts", "import", "accounts.csv"]);
}

fn scan(site: &Site, name: &str) -> Value {
    site.json(&["leak", "scan", "leak.txt", "--name", name])
}

/// Forgetting the leak that brought a hash first, or the end of its time, left the exposures of later leaks without a hash to try.
fn a_leaked_hash_waits_as_long_as_any_leak_needs_it(engine: Engine) {
    let site = Site::new(engine);
    import(&site, "password");
    site.write("leak.txt", format!("anna@example.org:{HASH}\n"));
    let waiting = || site.door().number("SELECT COUNT(*) FROM untested");
    assert_eq!(scan(&site, "first")["tests"], 1);
    assert_eq!(scan(&site, "second")["tests"], 0, "the pair is known");
    site.says(&["leak", "forget", "first"]);
    assert_eq!(waiting(), Some(1), "the second leak needs it");
    site.says(&["leak", "forget", "second"]);
    assert_eq!(waiting(), Some(0));
    scan(&site, "third");
    assert_eq!(waiting(), Some(1));
    // Its time is over, and then nearly over.
    for expires_at in ["1", "(SELECT MAX(at) FROM audit) + 86400000000"] {
        site.door()
            .run(&format!("UPDATE untested SET expires_at = {expires_at}"));
        let again = scan(&site, &format!("after {expires_at}"));
        assert_eq!(again["exposures"]["untested"], 1, "{again}");
        let months_left =
            "SELECT COUNT(*) FROM untested WHERE expires_at > (SELECT MAX(at) FROM audit) + 86400000000 * 100";
        assert_eq!(
            site.door().number(months_left),
            Some(1),
            "it waits its whole time again"
        );
    }
    site.assert_audit_holds();
}

fn reading_a_leak_again_takes_no_evidence_back(engine: Engine) {
    let site = Site::new(engine);
    import(&site, "leaked");
    site.write("leak.txt", "anna@example.org:leaked\nanna@example.org:later\n");
    assert_eq!(scan(&site, "leak")["exposures"]["exact"], 1);
    let export = || site.says(&["leak", "export", "leak"]);
    let before = export();
    // Found long ago, so that a second finding would show.
    site.door().run("UPDATE exposure SET found_at = 1000000");
    assert_eq!(scan(&site, "leak")["exposures"]["exact"], 1);
    let old = export();
    assert_eq!(
        old.lines()
            .filter(|line| line.ends_with("1970-01-01T00:00:01Z"))
            .count(),
        2,
        "{old}"
    );
    import(&site, "later");
    let again = scan(&site, "leak");
    assert_eq!(
        (&again["exposures"]["exact"], &again["tests"]),
        (&2.into(), &2.into()),
        "{again}"
    );
    let after = export();
    assert!(
        after.contains(",exact,dump,anna@example.org,leak.txt,1,1,1970"),
        "{after}"
    );
    assert!(
        after.contains(",exact,dump,anna@example.org,leak.txt,2,2,1970"),
        "{after}"
    );
    assert!(
        before.contains(",named,dump,anna@example.org,leak.txt,2,1,"),
        "{before}"
    );
    import(&site, "another");
    scan(&site, "leak");
    assert_eq!(export(), after, "nothing of it is said of the third password");
    assert_eq!(site.json(&["leak", "show", "leak"])["accounts_changed_since"], 1);
}

/// The files of a second scan under the same name took the places of the first's.
fn more_files_under_one_name_are_all_noted(engine: Engine) {
    let site = Site::new(engine);
    import(&site, "password");
    for file in ["a.txt", "b.txt"] {
        site.write(file, format!("anna@example.org:{file}\n"));
        site.says(&["leak", "scan", file, "--name", "leak"]);
    }
    site.says(&["leak", "scan", "a.txt", "b.txt", "--name", "leak"]);
    let shown = site.json(&["leak", "show", "leak"]);
    let names: Vec<&Value> = shown["files"]
        .as_array()
        .expect("files")
        .iter()
        .map(|file| &file["name"])
        .collect();
    assert_eq!(names, ["a.txt", "b.txt"], "{shown}");
    assert_ne!(shown["files"][0]["sha256"], shown["files"][1]["sha256"]);
}

fn an_account_that_is_nothing_but_a_uuid_is_found(engine: Engine) {
    let site = Site::new(engine);
    let id = "7D3F2A10-0000-4000-8000-00000000ABCD";
    let hash = quick_hash("password", "salt");
    site.write("accounts.csv", format!("account,password\n{id},{hash}\nr7,{hash}\n"));
    site.says(&["accounts", "import", "accounts.csv"]);
    site.write("leak.txt", format!("{};password\nr7;password\n", id.to_lowercase()));
    let found = scan(&site, "leak");
    assert_eq!(found["exposures"]["exact"], 2, "{found}");
    let export = site.says(&["leak", "export", "leak"]);
    let id = id.to_lowercase();
    assert!(
        export.contains(&format!("{id},exact,dump,{id},leak.txt,1,")),
        "{export}"
    );
    assert!(export.contains("r7,exact,dump,r7,leak.txt,2,"), "{export}");
}

/// An interrupted scan of standard input could neither be gone on with nor begun again.
fn a_stream_that_was_cut_off_is_read_anew(engine: Engine) {
    let site = Site::new(engine);
    import(&site, "password");
    let leak = "anna@example.org:other\nanna@example.org:password\n".repeat(5);
    let run = || {
        let mut command = site.command(&["leak", "scan", "-", "--name", "leak", "--json"]);
        let mut running = Running::start_with_input(&mut command, Stdio::piped());
        let input = running.input().expect("a pipe");
        (running, input)
    };
    let (running, mut input) = run();
    // More than a block, so that something is committed before the end.
    let stranger = "nobody@elsewhere.example:secret\n";
    let strangers = stranger.repeat(6_000_000 / stranger.len());
    input
        .write_all(format!("{leak}{strangers}").as_bytes())
        .expect("a pipe");
    let door = site.door();
    until("something is committed", || {
        (door.number("SELECT COUNT(*) FROM leak WHERE checkpoint IS NOT NULL") == Some(1)).then_some(())
    });
    running.kill();
    drop(input);
    let (running, mut input) = run();
    input.write_all(leak.as_bytes()).expect("a pipe");
    drop(input);
    let ended = running.wait();
    assert_eq!(ended.status, Some(0), "{ended:?}");
    let report: Value = serde_json::from_str(&ended.stdout).expect("a report");
    assert_eq!(
        (&report["tests"], &report["lines"]["lines"]),
        (&0.into(), &10.into()),
        "{report}"
    );
    assert_eq!(site.json(&["leak", "show", "leak"])["exposures"]["exact"], 1);
}

fn a_leak_shows_where_its_lines_went(engine: Engine) {
    let site = Site::new(engine);
    import(&site, "password");
    std::fs::create_dir(site.path("leak")).expect("a folder");
    site.write(
        "leak/a.txt",
        "anna@example.org:password\nnobody@example.org:x\n\nnonsense\n",
    );
    site.write("leak/b.rar", b"Rar!\x1a\x07\x01\x00 and so on");
    let scanned = site.json(&["leak", "scan", "leak", "--name", "leak"]);
    let shown = site.json(&["leak", "show", "leak"]);
    assert_eq!(shown["lines"], scanned["lines"]);
    assert_eq!(shown["lines"]["lines"], 4, "{shown}");
    assert_eq!(shown["not_read"], scanned["not_read"]);
    assert_eq!(shown["not_read"][0]["text"], "leak/b.rar", "{shown}");
    let text = site.says(&["leak", "show", "leak"]);
    assert!(
        text.contains("1 name an account") && text.contains("leak/b.rar"),
        "{text}"
    );
}

/// No change of an account, and no deletion, is without a row that says who made it.
fn everything_that_changed_says_who_did_it(engine: Engine) {
    let site = Site::new(engine);
    import(&site, "first");
    import(&site, "second");
    site.write("leak.txt", format!("anna@example.org:{HASH}\nanna@example.org:first\n"));
    scan(&site, "leak");
    site.door().run("UPDATE untested SET expires_at = 1");
    scan(&site, "leak");
    site.says(&["leak", "forget", "leak"]);
    let events = site
        .door()
        .texts("SELECT event || ' ' || actor FROM audit GROUP BY event, actor");
    for event in [
        "accounts.import_begun",
        "accounts.imported",
        "accounts.import_finished",
        "account.changed_by_import",
        "leak.scan_begun",
        "leak.file_read",
        "leak.scan_finished",
        "untested.expired",
        "leak.forgotten",
        "leak.digests_dropped",
    ] {
        assert!(events.contains(&format!("{event} cli:tester")), "{event}: {events:?}");
    }
    let history = site.says(&["accounts", "history", "anna@example.org"]);
    assert!(history.contains("account.changed_by_import by cli:tester"), "{history}");
    assert!(
        history.contains("imported from accounts.csv (import 1) by cli:tester"),
        "{history}"
    );
    site.assert_audit_holds();
}

/// Beside a server a scan had as much of the machine as the sign-ins together.
fn a_scan_lets_every_other_program_go_first(engine: Engine) {
    let site = Site::new(engine);
    import(&site, "password");
    let mut command = site.command(&["leak", "scan", "-", "--name", "leak"]);
    let mut running = Running::start_with_input(&mut command, Stdio::piped());
    let input = running.input().expect("a pipe");
    let door = site.door();
    until("the scan is at it", || {
        (door.number("SELECT COUNT(*) FROM leak") == Some(1)).then_some(())
    });
    let niceness = niceness_of_threads(running.id());
    assert!(niceness.len() > 2, "with its readers and its pool: {niceness:?}");
    assert!(niceness.iter().all(|nice| nice == "19"), "{niceness:?}");
    drop(input);
    assert_eq!(running.wait().status, Some(0));
}

/// Of each thread (proc_pid_stat(5): the 19th field).
fn niceness_of_threads(process: u32) -> Vec<String> {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).expect("a living process");
    let nice = |stat: String| {
        let (_, fields) = stat.rsplit_once(')').expect("a name in brackets");
        fields.split_ascii_whitespace().nth(16).expect("19 fields").to_owned()
    };
    // One may end meanwhile.
    let stats = threads
        .flatten()
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("stat")).ok());
    stats.map(nice).collect()
}
