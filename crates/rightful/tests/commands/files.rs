//! N05: what a first run makes, who may read it, and what is refused.

use std::path::Path;

use crate::made_up::quick_hash;
use crate::site::{Engine, Site, mode, on_both_engines, read, set_mode};

on_both_engines!(
    n05_a_new_site_has_no_accounts_and_a_key_of_its_own,
    n05_what_is_written_is_the_owners_alone,
);

const LIST: &[&str] = &["accounts", "list"];

fn n05_a_new_site_has_no_accounts_and_a_key_of_its_own(engine: Engine) {
    let (one, other) = (Site::new(engine), Site::new(engine));
    for site in [&one, &other] {
        assert_eq!(site.says(LIST), "", "nobody is there who was not imported");
        assert_eq!(site.door().number("SELECT COUNT(*) FROM identifier"), Some(0));
        assert_eq!(mode(&site.path("site.key")), 0o600);
        if engine == Engine::Sqlite {
            assert_eq!(mode(&site.data), 0o700);
        }
    }
    assert_ne!(read(&one.path("site.key")), read(&other.path("site.key")));
}

#[test]
fn n05_the_data_of_sqlite_is_the_owners_alone() {
    let site = Site::new(Engine::Sqlite);
    site.says(LIST);
    assert_eq!(mode(&site.data), 0o700);
    let file = site.data.join("rightful.db");
    assert_eq!(mode(&file), 0o600);
    for loose in [0o644, 0o640, 0o604, 0o660] {
        set_mode(&file, loose);
        let ended = site.run(LIST);
        assert_eq!(ended.status, Some(2), "{loose:o}: {ended:?}");
        assert!(ended.stderr.contains("chmod 600"), "{ended:?}");
        assert_eq!(mode(&file), loose, "it says what to do and does not do it");
    }
    set_mode(&file, 0o600);
    set_mode(&site.data, 0o777);
    let ended = site.run(LIST);
    assert_eq!(ended.status, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("chmod 700"), "{ended:?}");
    set_mode(&site.data, 0o700);
    site.says(LIST);
}

#[test]
fn n05_a_key_that_others_may_read_is_refused() {
    let site = Site::new(Engine::Sqlite);
    site.says(LIST);
    let key = site.path("site.key");
    for loose in [0o644, 0o640, 0o604, 0o620, 0o602, 0o660] {
        set_mode(&key, loose);
        for command in [LIST, &["backup", "site.backup"], &["audit", "verify"]] {
            let ended = site.run(command);
            assert_eq!(ended.status, Some(2), "{loose:o}: {ended:?}");
            assert!(ended.stderr.contains("chmod 600"), "{ended:?}");
        }
    }
    for strict in [0o600, 0o400] {
        set_mode(&key, strict);
        site.says(LIST);
    }
}

/// The folder of a database that is named by --database is a data folder too.
#[test]
fn n05_a_key_beside_a_named_database_is_refused() {
    let site = Site::new(Engine::Sqlite);
    std::fs::create_dir(site.path("elsewhere")).expect("a folder");
    set_mode(&site.path("elsewhere"), 0o700);
    let database = ["--database", "sqlite:elsewhere/site.db"];
    let ended = site.run(&[LIST, &database, &["--key", "elsewhere/site.key"]].concat());
    assert_eq!(ended.status, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("lies in the data folder"), "{ended:?}");
    site.says(&[LIST, &database].concat());
    assert_eq!(mode(&site.path("elsewhere/site.db")), 0o600);
}

fn n05_what_is_written_is_the_owners_alone(engine: Engine) {
    let site = Site::new(engine);
    let hash = quick_hash("password", "salt");
    site.write(
        "accounts.csv",
        format!("account,email,password\n1,anna@example.org,{hash}\n2,ben@example.org,broken\n"),
    );
    site.write("leak.txt", "anna@example.org:password\n");
    // What lies there from before, for others to read, is the owner's alone when something new is in it.
    let written = [
        "accounts.csv.rejects.csv",
        "exposures.csv",
        "accounts.export",
        "leak.export",
        "leak.json",
    ];
    for there_before in [false, true] {
        if there_before {
            for file in written {
                site.write(file, "something older");
                set_mode(&site.path(file), 0o644);
            }
        }
        site.says(&["accounts", "import", "accounts.csv"]);
        site.says(&["leak", "scan", "leak.txt", "--name", "leak"]);
        site.says(&[
            "leak",
            "match",
            "--accounts",
            "accounts.csv",
            "--out",
            "exposures.csv",
            "leak.txt",
        ]);
        site.says(&["accounts", "export", "--out", "accounts.export"]);
        site.says(&["leak", "export", "leak", "--out", "leak.export"]);
        site.says(&["leak", "export", "leak", "--json", "--out", "leak.json"]);
        for file in written {
            assert_eq!(mode(&site.path(file)), 0o600, "{file}, there before: {there_before}");
            assert!(!read(&site.path(file)).contains("something older"), "{file}");
        }
    }
    site.says(&["backup", "site.backup"]);
    assert_eq!(mode(&site.path("site.backup")), 0o600);
    assert_eq!(
        site.run(&["backup", "site.backup"]).status,
        Some(2),
        "a backup never overwrites"
    );
}

/// The journal, and the list while it is being written, are the owner's alone too, also where a file was prepared for them.
#[test]
fn n05_a_prepared_file_does_not_catch_the_list() {
    let site = Site::new(Engine::Sqlite);
    site.write("accounts.csv", "account,email\n1,anna@example.org\n");
    site.write("leak.txt", "anna@example.org:password\n");
    let prepared = site.write("prepared", "");
    for ending in [".part", ".journal"] {
        let trap = site.path(&format!("exposures.csv{ending}"));
        std::os::unix::fs::symlink(&prepared, &trap).expect("a link");
        let ended = site.run(&[
            "leak",
            "match",
            "--accounts",
            "accounts.csv",
            "--out",
            "exposures.csv",
            "leak.txt",
        ]);
        assert_eq!(read(&prepared), "", "{ending}: nothing is written through a link");
        drop(std::fs::remove_file(trap));
        assert!(matches!(ended.status, Some(0..=2)), "{ended:?}");
    }
    let list = site.path("exposures.csv");
    if list.exists() {
        assert_eq!(mode(&list), 0o600);
        assert!(!list.is_symlink());
    }
}

/// A list is never moved over something that is no file.
#[test]
fn n05_what_is_no_file_is_not_replaced() {
    let site = Site::new(Engine::Sqlite);
    site.write("accounts.csv", "account,email\n1,anna@example.org\n");
    site.write("leak.txt", "anna@example.org:password\n");
    let pipe = site.path("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.is_ok_and(|status| status.success()), "a pipe");
    let folder = site.path("folder");
    std::fs::create_dir(&folder).expect("a folder");
    for out in [&pipe, &folder] {
        let out = out.to_string_lossy();
        let ended = site.run(&["leak", "match", "--accounts", "accounts.csv", "--out", &out, "leak.txt"]);
        assert!(matches!(ended.status, Some(1 | 2)), "{out}: {ended:?}");
        assert!(!Path::new(&*out).is_file(), "{out}");
    }
    assert!(!site.path("pipe.journal").exists() && !site.path("folder.journal").exists());
}
