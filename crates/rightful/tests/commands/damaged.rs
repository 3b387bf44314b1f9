//! C09: rows of the database that do not hold what they should. Nobody gets in by them, everybody is told, and the work goes on.

use rightful_core::AccountNo;
use rightful_crypto::seal::Place;
use serde_json::Value;

use crate::made_up::{quick_hash, weak_hash};
use crate::site::{Engine, Site, on_both_engines};

on_both_engines!(c09_a_stored_hash_that_does_not_open_stops_nobody);

const OWNERS: i64 = 5;

fn file(password: impl Fn(i64) -> String) -> String {
    let row = |owner: i64| format!("{owner},owner{owner}@example.org,{}\n", password(owner));
    "account,email,password\n".to_owned() + &(0..OWNERS).map(row).collect::<String>()
}

/// Three of five passwords are broken: one damaged, one moved from another account, one that asks for more than the caps.
fn broken(engine: Engine) -> Site {
    let site = Site::new(engine);
    let weak = |owner: i64| weak_hash(&format!("password-{owner}"));
    site.write("accounts.csv", file(weak));
    site.says(&["accounts", "import", "accounts.csv", "--no-wrap"]);
    let door = site.door();
    let no = |owner: i64| {
        door.number(&format!("SELECT account_no FROM account WHERE reference = '{owner}'"))
            .expect("it is there")
    };
    let set = |owner: i64, sealed: &str| {
        door.run(&format!(
            "UPDATE password SET sealed = {sealed} WHERE account_no = {}",
            no(owner)
        ));
    };
    let bytes = |bytes: &[u8]| {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match engine {
            Engine::Sqlite => format!("x'{hex}'"),
            Engine::Postgres => format!("'\\x{hex}'"),
        }
    };
    set(0, &bytes(b"damaged"));
    set(
        1,
        &format!("(SELECT sealed FROM password WHERE account_no = {})", no(4)),
    );
    let greedy = "$argon2id$v=19$m=4194304,t=10,p=1$c2FsdHNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ";
    let sealed = site.sealed(
        Place {
            column: "password.sealed",
            owner: AccountNo::new(no(2)).get(),
            row: 1,
        },
        greedy.as_bytes(),
    );
    set(2, &bytes(&sealed));
    site
}

fn c09_a_stored_hash_that_does_not_open_stops_nobody(engine: Engine) {
    let site = broken(engine);
    let lines = |owner: i64| format!("owner{owner}@example.org:password-{owner}\n");
    site.write("leak.txt", (0..OWNERS).map(lines).collect::<String>());
    let told = || {
        let rows = "SELECT COUNT(*) FROM audit WHERE event = 'password.unreadable'";
        site.door().number(rows)
    };
    let expect = |report: &Value, exact: i64, named: i64| {
        assert_eq!(report["unreadable_passwords"], 3, "{report}");
        assert_eq!(report["exposures"]["exact"], exact, "{report}");
        assert_eq!(report["exposures"]["named"], named, "{report}");
    };
    expect(&site.json(&["leak", "scan", "leak.txt", "--name", "leak"]), 2, 3);
    expect(&site.json(&["leak", "scan", "leak.txt", "--name", "again"]), 2, 3);
    assert_eq!(told(), Some(3), "once for each");
    let wrapped = site.json(&["accounts", "wrap"]);
    assert_eq!(
        (&wrapped["wrapped"], &wrapped["unreadable_passwords"]),
        (&2.into(), &3.into())
    );
    let history = site.says(&["accounts", "history", "owner2@example.org"]);
    assert!(history.contains("password.unreadable by cli:tester"), "{history}");
    let alarm = site.says(&["accounts", "wrap"]);
    assert!(alarm.contains("ALARM: 3 stored passwords do not open"), "{alarm}");
    // A newer file of accounts mends them.
    site.write(
        "accounts.csv",
        file(|owner| quick_hash(&format!("password-{owner}"), "salt")),
    );
    let mended = site.json(&["accounts", "import", "accounts.csv"]);
    assert_eq!(
        (&mended["changed"], &mended["rejected"]),
        (&5.into(), &0.into()),
        "{mended}"
    );
    let scanned = site.json(&["leak", "scan", "leak.txt", "--name", "mended"]);
    assert_eq!(scanned["exposures"]["exact"], OWNERS, "{scanned}");
    site.assert_audit_holds();
}
