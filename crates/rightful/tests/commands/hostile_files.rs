//! Files made to harm, imported and scanned by the program itself on both engines: what is kept of them, and what is refused.

use rightful_testkit::process::until;

use crate::made_up::{quick_hash, weak_hash};
use crate::site::{Engine, Site, on_both_engines, pretty_equal, read};

on_both_engines!(
    c08_hashes_that_ask_for_too_much_are_refused_row_by_row,
    f01_look_alikes_are_refused_or_accounts_of_their_own,
    f04_surprising_addresses_never_become_names,
    k02_a_scan_of_hostile_lines_is_gone_on_with,
);

const IMPORT: &[&str] = &["accounts", "import", "accounts.csv"];

/// Imports rows of `account,email,password,created_at`; the lines that were refused.
fn import(site: &Site, rows: &[(String, String)]) -> Vec<usize> {
    let cell = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let line =
        |(at, (email, hash)): (usize, &(String, String))| format!("{at},{},{},2020-01-02\n", cell(email), cell(hash));
    let lines: String = rows.iter().enumerate().map(line).collect();
    site.write("accounts.csv", format!("account,email,password,created_at\n{lines}"));
    let report = site.json(IMPORT);
    if report["rejected"] == 0 {
        return Vec::new();
    }
    let rejects = read(&site.path("accounts.csv.rejects.csv"));
    let first = |line: &str| line.split(',').next().and_then(|line| line.parse().ok());
    rejects.lines().filter_map(first).collect()
}

fn c08_hashes_that_ask_for_too_much_are_refused_row_by_row(engine: Engine) {
    let site = Site::new(engine);
    let bombs = [
        "$argon2id$v=19$m=4194304,t=2,p=1$c2FsdHNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ",
        "$argon2id$v=19$m=19456,t=1048576,p=1$c2FsdHNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ",
        "$2b$31$abcdefghijklmnopqrstuuVDVbkkWQqjWFBGXg45fYAhWGDiTkgZO",
        "$pbkdf2-sha256$1000000000$c2FsdHNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ",
    ];
    let row = |(at, hash): (usize, String)| (format!("owner{at}@example.org"), hash);
    let hashes = bombs
        .map(str::to_owned)
        .into_iter()
        .chain([quick_hash("password", "salt")]);
    let rows: Vec<_> = hashes.enumerate().map(row).collect();
    assert_eq!(import(&site, &rows), [2, 3, 4, 5]);
    assert_eq!(site.door().number("SELECT COUNT(*) FROM account"), Some(1));
    site.write("leak.txt", "owner4@example.org:password\nowner0@example.org:password\n");
    let found = site.json(&["leak", "scan", "leak.txt", "--name", "leak"]);
    assert_eq!(
        (&found["exposures"]["exact"], &found["tests"]),
        (&1.into(), &1.into()),
        "{found}"
    );
}

fn f01_look_alikes_are_refused_or_accounts_of_their_own(engine: Engine) {
    let site = Site::new(engine);
    let names = [
        "jim@example.org",
        "j\u{131}m@example.org",
        "JIM@EXAMPLE.ORG",
        "karl@example.org",
        "\u{212A}arl@example.org",
        "ma\u{17F}@example.org",
        "stra\u{DF}e@example.org",
        "strasse@example.org",
    ];
    let row = |(at, name): (usize, &str)| (name.to_owned(), weak_hash(&format!("password-{at}")));
    let rows: Vec<_> = names.into_iter().enumerate().map(row).collect();
    assert_eq!(
        import(&site, &rows),
        [4, 6, 7],
        "another's own, and what only looks like one"
    );
    let door = site.door();
    let names_of = |key: &str| door.number(&format!("SELECT COUNT(*) FROM identifier WHERE name_key = '{key}'"));
    assert_eq!(names_of("jim@example.org"), Some(1));
    assert_eq!(site.json(&["accounts", "show", "JIM@example.org"])["account"], "0");
    assert_eq!(
        site.json(&["accounts", "show", "j\u{131}m@example.org"])["account"],
        "1"
    );
    // A leak that names the one with the password of the other: only the other is exposed, because it is the right one.
    site.write("leak.txt", "jim@example.org:password-1\n");
    let found = site.json(&["leak", "scan", "leak.txt", "--name", "leak"]);
    assert_eq!(
        (&found["exposures"]["exact"], &found["exposures"]["named"]),
        (&1.into(), &1.into()),
        "{found}"
    );
    let export = site.says(&["leak", "export", "leak"]);
    assert!(
        export.contains("\n0,named,dump,jim@example.org,leak.txt,1,"),
        "{export}"
    );
    assert!(
        export.contains("\n1,exact,dump,j\u{131}m@example.org,leak.txt,1,"),
        "{export}"
    );
}

fn f04_surprising_addresses_never_become_names(engine: Engine) {
    let site = Site::new(engine);
    let refused = [
        "a@example.org.".to_owned(),
        "a@localhost".to_owned(),
        "a@[127.0.0.1]".to_owned(),
        "\"e@attacker.example\"@victim.example".to_owned(),
        "=?utf-8?q?a?=@example.org".to_owned(),
        "a(comment)@example.org".to_owned(),
        "a,b@example.org".to_owned(),
        format!("a@{}.example.org", "a".repeat(250)),
    ];
    let taken = ["anna@example.org", "anna+tag@example.org", "Ben@B\u{FC}cher.example"];
    let all = refused.iter().cloned().chain(taken.map(str::to_owned));
    let rows: Vec<_> = all.map(|name| (name, quick_hash("password", "salt"))).collect();
    assert_eq!(import(&site, &rows), (2..2 + refused.len()).collect::<Vec<_>>());
    for name in &refused {
        assert_eq!(site.run(&["accounts", "show", name]).status, Some(2), "{name}");
    }
    let keys = site
        .door()
        .texts("SELECT name_key FROM identifier WHERE kind = 'email' ORDER BY name_key");
    let wanted = ["anna+tag@example.org", "anna@example.org", "ben@xn--bcher-kva.example"];
    assert_eq!(keys, wanted, "one form of each, and an account for each");
}

/// Lines without end, of nothing, in no encoding: killed among them, the scan goes on and comes to the same.
fn k02_a_scan_of_hostile_lines_is_gone_on_with(engine: Engine) {
    let mut leak: Vec<u8> = b"owner@example.org:first\n".to_vec();
    let hostile: [&[u8]; 6] = [
        b"\0\0\0\n",
        b"\xff\xfe\xfd:\x80\n",
        b"\"unclosed,\"\n",
        b"{\"email\":\n",
        b"::::\r\r\n",
        b"\n\n",
    ];
    for round in 0..400 {
        leak.extend_from_slice(hostile[round % hostile.len()]);
        leak.extend(std::iter::repeat_n(b'x', round * 100));
        leak.push(b'\n');
    }
    leak.extend(std::iter::repeat_n(b'y', 12 << 20));
    leak.extend_from_slice(b"\nowner@example.org:second\nowner@example.org:third");
    let site = || {
        let site = Site::new(engine);
        let row = ("owner@example.org".to_owned(), quick_hash("third", "salt"));
        assert!(import(&site, &[row]).is_empty());
        site.write("leak.txt", &leak);
        site
    };
    let scan = ["leak", "scan", "leak.txt", "--name", "leak"];
    let undisturbed = site();
    let wanted = undisturbed.json(&scan);
    assert_eq!(
        (&wanted["exposures"]["exact"], &wanted["exposures"]["named"]),
        (&1.into(), &2.into()),
        "{wanted}"
    );
    let killed = site();
    let door = killed.door();
    door.stall("INSERT", "exposure", "NEW.grade = 'exact'");
    let mut running = killed.start(&scan);
    until("it writes what it found", || {
        assert!(!running.has_ended(), "it came to its end");
        (door.number("SELECT COUNT(*) FROM leak") == Some(1) && door.is_writing() == Some(true)).then_some(())
    });
    running.kill();
    door.unstall("exposure");
    let resumed = killed.json(&scan);
    assert_eq!(resumed["lines"], wanted["lines"]);
    pretty_equal(&killed.state(&["leak"]), &undisturbed.state(&["leak"]));
}
