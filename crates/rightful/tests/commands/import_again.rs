//! K05: importing again, twice at once, in other spellings, and over accounts that an import must not touch.

use rightful_testkit::process::Running;

use crate::made_up::{Size, email, quick_hash, weak_hash};
use crate::site::{Engine, Site, on_both_engines, read, rounds};

on_both_engines!(
    k05_the_same_file_twice,
    k05_the_same_file_twice_at_once,
    k05_other_spellings_are_the_same_account,
    k05_privileged_and_own_passwords_stay,
    k05_an_older_export_brings_no_password_back,
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
