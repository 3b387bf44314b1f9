//! K05: importing again, twice at once, in other spellings, and over accounts that an import must not touch.

use rightful_testkit::process::{Running, until};

use crate::made_up::{Size, email, quick_hash, weak_hash};
use crate::site::{Engine, Site, on_both_engines, pretty_equal, read, rounds};

on_both_engines!(
    k05_the_same_file_twice,
    k05_the_same_file_twice_at_once,
    k05_other_spellings_are_the_same_account,
    k05_privileged_and_own_passwords_stay,
    k05_an_older_export_brings_no_password_back,
    k05_two_overlapping_files_at_once,
    k05_what_comes_of_a_row_does_not_depend_on_interruptions,
    k05_a_list_of_refused_rows_that_is_gone_is_made_again,
    what_an_import_leaves_alone_is_told,
    an_import_that_is_stopped_while_it_wraps_says_so,
);

/// More than two batches, so that rows about one account stand in several.
const SITE: Size = Size {
    accounts: 18_000,
    weak: 40,
    named: 0,
    strangers: 0,
};

const IMPORT: &[&str] = &["accounts", "import", "accounts.csv"];

fn site(engine: Engine, accounts: &str) -> Site {
    let site = Site::new(engine);
    site.write("accounts.csv", accounts);
    site
}

/// The stored passwords as they lie there.
fn stored(site: &Site) -> Vec<String> {
    site.door().texts(match site.url {
        None => "SELECT account_no || ' ' || password_no || ' ' || state || ' ' || hex(sealed) FROM password ORDER BY 1",
        Some(_) => {
            "SELECT account_no || ' ' || password_no || ' ' || state || ' ' || encode(sealed, 'hex') FROM password ORDER BY 1"
        }
    })
}

fn k05_the_same_file_twice(engine: Engine) {
    let site = site(engine, &SITE.accounts());
    let first = site.json(IMPORT);
    let (state, passwords) = (site.state(&[]), stored(&site));
    let rejects = read(&site.path("accounts.csv.rejects.csv"));
    assert!(first["rejected"].as_u64() >= Some(6), "{first}");
    for _ in 0..2 {
        let again = site.json(IMPORT);
        for part in ["added", "changed", "wrapped"] {
            assert_eq!(again[part], 0, "{again}");
        }
        assert_eq!(again["unchanged"], first["added"]);
        assert_eq!(again["rejected"], first["rejected"]);
        assert_eq!(site.state(&[]), state);
        assert!(stored(&site) == passwords, "no stored password was touched");
        assert_eq!(read(&site.path("accounts.csv.rejects.csv")), rejects);
    }
    site.assert_audit_holds();
}

fn k05_the_same_file_twice_at_once(engine: Engine) {
    let quiet = site(engine, &SITE.accounts());
    quiet.says(IMPORT);
    let (state, rejects) = (quiet.state(&[]), read(&quiet.path("accounts.csv.rejects.csv")));
    for _ in 0..rounds().min(10) {
        let site = site(engine, &SITE.accounts());
        let both = [site.start(IMPORT), site.start(IMPORT)];
        let ended = both.map(Running::wait);
        let done = ended.iter().filter(|ended| ended.status == Some(0)).count();
        assert!(done >= 1, "one of them comes to its end: {ended:?}");
        for refused in ended.iter().filter(|ended| ended.status != Some(0)) {
            assert_eq!(refused.status, Some(1), "{refused:?}");
            let told = ["somebody else", "another run", "another import"];
            assert!(told.iter().any(|words| refused.stderr.contains(words)), "{refused:?}");
        }
        assert_eq!(read(&site.path("accounts.csv.rejects.csv")), rejects, "{ended:?}");
        site.says(IMPORT);
        assert_eq!(site.state(&[]), state);
        site.assert_audit_holds();
    }
}

fn k05_other_spellings_are_the_same_account(engine: Engine) {
    let site = site(
        engine,
        "email,username\nAnna@Example.org,Anna\nANNA@EXAMPLE.ORG,\n,ANNA\nanna@example.org,other\n",
    );
    let first = site.json(IMPORT);
    assert_eq!((&first["added"], &first["rejected"]), (&1.into(), &3.into()), "{first}");
    for spelling in ["ANNA@example.ORG", "anna@EXAMPLE.org"] {
        site.write(
            "accounts.csv",
            format!("email,password\n{spelling},{}\n", quick_hash("p", "s")),
        );
        site.json(IMPORT);
    }
    let count = |table: &str| site.door().number(&format!("SELECT COUNT(*) FROM {table}"));
    assert_eq!(count("account"), Some(1));
    assert_eq!(
        count("password"),
        Some(1),
        "the same password in another spelling of the name is the same password"
    );
    assert_eq!(
        site.json(&["accounts", "show", "aNNa@eXample.org"])["names"][0]["name"],
        "Anna@Example.org"
    );
}

fn k05_privileged_and_own_passwords_stay(engine: Engine) {
    let rows = |password: &str| {
        let row = |owner: usize| format!("r{owner},{},{}\n", email(owner), quick_hash(password, "salt"));
        "account,email,password\n".to_owned() + &(0..3).map(row).collect::<String>()
    };
    let site = site(engine, &rows("first"));
    site.says(IMPORT);
    let door = site.door();
    let no = |id: &str| {
        door.number(&format!("SELECT account_no FROM account WHERE reference = '{id}'"))
            .expect("it is there")
    };
    let (administrator, own, ordinary) = (no("r0"), no("r1"), no("r2"));
    door.run(&format!(
        "UPDATE account SET role = 'administrator' WHERE account_no = {administrator}"
    ));
    door.run(&format!("UPDATE password SET origin = 'set' WHERE account_no = {own}"));
    let before = stored(&site);
    site.write("accounts.csv", rows("second"));
    let second = site.json(IMPORT);
    assert_eq!(
        (&second["changed"], &second["rejected"]),
        (&1.into(), &2.into()),
        "{second}"
    );
    let rejects = read(&site.path("accounts.csv.rejects.csv"));
    assert!(rejects.contains("the account has the role administrator"), "{rejects}");
    assert!(rejects.contains("the owner has set a password here"), "{rejects}");
    let after = stored(&site);
    let untouched = |no: i64| {
        let of = |stored: &[String]| -> Vec<String> {
            stored
                .iter()
                .filter(|row| row.starts_with(&format!("{no} ")))
                .cloned()
                .collect()
        };
        of(&before) == of(&after)
    };
    assert!(untouched(administrator) && untouched(own) && !untouched(ordinary));
    // Nor does an administrator get further names: a name is a way in.
    site.write("accounts.csv", "account,email\nr0,thief@example.org\n");
    assert_eq!(site.json(IMPORT)["rejected"], 1);
    assert_eq!(site.run(&["accounts", "show", "thief@example.org"]).status, Some(2));
    site.assert_audit_holds();
}

/// A weak hash is wrapped after its import, and a password changes with a newer export. The older exports change nothing any more.
fn k05_an_older_export_brings_no_password_back(engine: Engine) {
    let export = |hash: &str| format!("account,email,password\n1,anna@example.org,{hash}\n");
    let [older, newer] = ["older", "newer"].map(|password| export(&weak_hash(password)));
    let site = site(engine, &older);
    assert_eq!(site.json(IMPORT)["wrapped"], 1);
    assert_eq!(
        site.json(IMPORT)["unchanged"],
        1,
        "its weak hash is known although it was wrapped"
    );
    site.write("accounts.csv", &newer);
    assert_eq!(site.json(IMPORT)["changed"], 1);
    site.write("accounts.csv", &older);
    assert_eq!(site.json(IMPORT)["unchanged"], 1);
    site.write("leak.txt", "anna@example.org:newer\nanna@example.org:older\n");
    let scanned = site.json(&["leak", "scan", "leak.txt", "--name", "leak"]);
    assert_eq!(scanned["exposures"]["exact"], 1, "{scanned}");
    assert_eq!(scanned["exposures"]["former"], 1, "{scanned}");
}

/// Of two imports that met, one ended with "a row of this key is there already".
fn k05_two_overlapping_files_at_once(engine: Engine) {
    let files = [0..12_000, 6_000..18_000].map(|owners| {
        let row = |owner: usize| format!("r{owner},{},{}\n", email(owner), quick_hash("password", "salt"));
        "account,email,password\n".to_owned() + &owners.map(row).collect::<String>()
    });
    for _ in 0..rounds().min(10) {
        let site = Site::new(engine);
        site.says(&["accounts", "list"]);
        let imports = ["one.csv", "other.csv"].map(|name| {
            site.write(name, &files[usize::from(name == "other.csv")]);
            site.start(&["accounts", "import", name, "--json"])
        });
        let mut added = 0;
        for ended in imports.map(Running::wait) {
            assert_eq!(ended.status, Some(0), "{ended:?}");
            let report: serde_json::Value = serde_json::from_str(&ended.stdout).expect("a report");
            assert_eq!(report["rejected"], 0, "{report}");
            added += report["added"].as_i64().expect("a number");
        }
        assert_eq!(added, 18_000);
        for table in ["account", "password"] {
            let rows = site.door().number(&format!("SELECT COUNT(*) FROM {table}"));
            assert_eq!(rows, Some(18_000), "{table}");
        }
        site.assert_audit_holds();
    }
}

/// A file of two batches and a bit, over accounts that are there: an early row gives one a new password, and a late row another.
/// Among the early rows are some that are refused.
fn contradicting() -> String {
    let row = |owner: usize, password: &str| contradicting_row(owner, owner, password);
    let mut rows: Vec<String> = (10..17_000).map(|owner| row(owner, "password")).collect();
    rows[5] = row(1, "early");
    rows[6] = row(2, "older");
    rows[7] = format!("r3,{},broken,\n", email(3));
    rows[8] = contradicting_row(4, 1, "early");
    for (at, owner) in [(16_500, 1), (16_501, 2), (16_502, 3), (16_503, 4)] {
        rows[at] = row(owner, "late");
    }
    HEADER.to_owned() + &rows.concat()
}

const HEADER: &str = "account,email,password,created_at\n";

fn contradicting_row(owner: usize, named: usize, password: &str) -> String {
    let (name, hash) = (email(named), quick_hash(password, "salt"));
    format!("r{owner},{name},{hash},2020-01-02\n")
}

/// A site with four accounts, and the file.
fn contradicted(engine: Engine) -> Site {
    let site = Site::new(engine);
    let rows: String = (1..5).map(|owner| contradicting_row(owner, owner, "older")).collect();
    site.write("older.csv", HEADER.to_owned() + &rows);
    site.says(&["accounts", "import", "older.csv"]);
    site.write("accounts.csv", contradicting());
    site
}

/// Kills the import of the file after its first batch.
fn kill_after_the_first_batch(site: &Site, arguments: &[&str]) {
    let door = site.door();
    door.stall("UPDATE", "import", "NEW.rows_done > 8192");
    let mut running = site.start(arguments);
    until("the second batch is being written", || {
        assert!(!running.has_ended(), "it came to its end");
        let done = door.number("SELECT rows_done FROM import ORDER BY import_no DESC LIMIT 1");
        (done == Some(8192) && door.is_writing() == Some(true)).then_some(())
    });
    running.kill();
    door.unstall("import");
}

/// Whom the rows before an interruption were about was forgotten with it, so a later row overruled an earlier one.
fn k05_what_comes_of_a_row_does_not_depend_on_interruptions(engine: Engine) {
    let undisturbed = contradicted(engine);
    let wanted = undisturbed.json(IMPORT);
    assert_eq!(
        (&wanted["rejected"], &wanted["changed"]),
        (&5.into(), &2.into()),
        "{wanted}"
    );
    let interrupted = contradicted(engine);
    kill_after_the_first_batch(&interrupted, IMPORT);
    let resumed = interrupted.json(IMPORT);
    for part in ["rows", "added", "changed", "unchanged", "rejected"] {
        assert_eq!(resumed[part], wanted[part], "{part}: {resumed}");
    }
    pretty_equal(&interrupted.state(&[]), &undisturbed.state(&[]));
    let rejects = |site: &Site| read(&site.path("accounts.csv.rejects.csv"));
    assert_eq!(rejects(&interrupted), rejects(&undisturbed));
    let leak: String = (1..5)
        .map(|owner| format!("{0}:early\n{0}:late\n", email(owner)))
        .collect();
    for site in [&undisturbed, &interrupted] {
        site.write("leak.txt", &leak);
        let found = site.json(&["leak", "scan", "leak.txt", "--name", "leak"]);
        assert_eq!(
            found["exposures"]["exact"], 2,
            "early for the first, late for the third: {found}"
        );
    }
}

/// The rest of a list of refused rows went to a file that began with nothing but zeros.
fn k05_a_list_of_refused_rows_that_is_gone_is_made_again(engine: Engine) {
    let undisturbed = contradicted(engine);
    undisturbed.says(IMPORT);
    let wanted = read(&undisturbed.path("accounts.csv.rejects.csv"));
    let site = contradicted(engine);
    kill_after_the_first_batch(&site, IMPORT);
    let elsewhere = site.json(&[IMPORT, &["--rejects", "elsewhere.csv"]].concat());
    assert_eq!(read(&site.path("elsewhere.csv")), wanted, "{elsewhere}");
    assert_eq!(elsewhere["rows"], 16_990, "{elsewhere}");
    pretty_equal(&site.state(&[]), &undisturbed.state(&[]));
}

fn what_an_import_leaves_alone_is_told(engine: Engine) {
    let header = "account,email,password,former_passwords,created_at,groups\n";
    let (current, former) = (quick_hash("current", "salt"), quick_hash("former", "salt"));
    let row = |former: &str, at: &str, groups: &str| format!("1,anna@example.org,{current},{former},{at},{groups}\n");
    let list = format!("\"[\"\"{former}\"\"]\"");
    let site = site(engine, &format!("{header}{}", row(&list, "2020-01-02", "staff")));
    assert_eq!(site.json(IMPORT)["kept"], 0);
    assert_eq!(site.json(IMPORT)["kept"], 0, "the same again");
    let other = format!("\"[\"\"{}\"\"]\"", quick_hash("other", "salt"));
    for (former, at, groups) in [(&*other, "", ""), ("", "2021-01-02", ""), ("", "", "staff;admin")] {
        site.write("accounts.csv", format!("{header}{}", row(former, at, groups)));
        let report = site.json(IMPORT);
        assert_eq!(
            (&report["kept"], &report["unchanged"]),
            (&1.into(), &1.into()),
            "{report}"
        );
    }
    assert!(
        site.says(IMPORT)
            .contains("1 accounts that were there keep their groups")
    );
}

/// Ctrl-C in the middle of the wrapping ended with success, and weak hashes left.
fn an_import_that_is_stopped_while_it_wraps_says_so(engine: Engine) {
    let row = |owner: usize| format!("r{owner},{},{}\n", email(owner), weak_hash("password"));
    let rows: String = (0..400).map(row).collect();
    let site = site(engine, &format!("account,email,password\n{rows}"));
    let running = site.start(&[IMPORT, &["--json", "--cores", "1"]].concat());
    let door = site.door();
    until("some are wrapped", || {
        let weak = door.number("SELECT COUNT(*) FROM password WHERE weak = 1")?;
        let all = door.number("SELECT COUNT(*) FROM password")?;
        (weak > 0 && weak < all).then_some(())
    });
    running.interrupt();
    let ended = running.wait();
    assert_eq!(ended.status, Some(1), "{ended:?}");
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).expect("a report");
    assert_eq!(
        (&report["finished"], &report["added"]),
        (&false.into(), &400.into()),
        "{report}"
    );
    let left = 400 - report["wrapped"].as_i64().expect("a number");
    assert!(left > 0, "{report}");
    assert_eq!(site.json(&["accounts", "wrap"])["wrapped"], left);
}
