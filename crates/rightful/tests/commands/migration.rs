//! Making a database and bringing it up to date: from several processes at once, killed in the middle, by an older program.

use rightful_testkit::process::{Ended, Running};

use crate::site::{Engine, Site, on_both_engines, rounds};

on_both_engines!(
    m09_two_programs_open_a_new_database_at_once,
    m09_two_keys_for_a_new_database,
    m09_a_newer_or_another_schema_is_refused,
);

const LIST: &[&str] = &["accounts", "list"];

fn m09_two_programs_open_a_new_database_at_once(engine: Engine) {
    for _ in 0..rounds() {
        let site = Site::new(engine);
        let running: Vec<Running> = (0..4).map(|_| site.start(LIST)).collect();
        let ended: Vec<Ended> = running.into_iter().map(Running::wait).collect();
        for ended in &ended {
            assert_eq!(ended.status, Some(0), "{ended:?}");
        }
        let made = ended
            .iter()
            .filter(|ended| ended.stderr.contains("made a new key file"));
        assert_eq!(made.count(), 1, "one makes the key, the others use it");
        site.says(LIST);
        site.assert_audit_holds();
        assert_eq!(site.door().number("SELECT COUNT(*) FROM data_key"), Some(4));
    }
}

/// Two machines with a key file each: one of them makes the database and can use it, the other is told.
fn m09_two_keys_for_a_new_database(engine: Engine) {
    for _ in 0..rounds() {
        let site = Site::new(engine);
        let keys = ["one.key", "other.key"];
        let with = |key: &str| site.command(&[LIST, &["--key", key]].concat());
        let running: Vec<Running> = keys.iter().map(|key| Running::start(&mut with(key))).collect();
        let ended: Vec<Ended> = running.into_iter().map(Running::wait).collect();
        let again: Vec<Ended> = keys.iter().map(|key| Running::start(&mut with(key)).wait()).collect();
        let opens = again.iter().filter(|ended| ended.status == Some(0)).count();
        assert_eq!(
            opens, 1,
            "exactly one key opens the database: {ended:?}, then {again:?}"
        );
        let refused = again.iter().find(|ended| ended.status != Some(0)).expect("the other");
        assert_eq!(refused.status, Some(2), "{refused:?}");
        assert!(refused.stderr.contains("key file"), "{refused:?}");
    }
}

fn m09_a_newer_or_another_schema_is_refused(engine: Engine) {
    let site = Site::new(engine);
    site.write("accounts.csv", "account,email\n1,anna@example.org\n");
    site.says(LIST);
    let refused = |words: &str| {
        for arguments in [LIST, &["accounts", "import", "accounts.csv"], &["audit", "verify"]] {
            let ended = site.run(arguments);
            assert_eq!(ended.status, Some(2), "{arguments:?}: {ended:?}");
            assert!(ended.stderr.contains(words), "{arguments:?}: {ended:?}");
            assert_eq!(ended.stdout, "");
        }
        assert_eq!(site.door().number("SELECT COUNT(*) FROM account"), Some(0));
    };
    let door = site.door();
    door.run("INSERT INTO schema_migration (version, name, checksum, applied_at) VALUES (999, 'later', 'x', 1)");
    refused("use the newer Rightful");
    door.run("DELETE FROM schema_migration WHERE version = 999; UPDATE schema_migration SET checksum = 'another'");
    refused("is not the one that this Rightful has");
}
