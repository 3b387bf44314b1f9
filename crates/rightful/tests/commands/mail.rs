//! `rightful dkim` and `rightful bounce`, as an administrator and a mail server run them.

use std::io::Write;
use std::process::{Command, Stdio};

use rightful_testkit::dns::Dns;
use rightful_testkit::process::{Ended, Running, run};
use serde_json::Value;
use tempfile::TempDir;

use crate::site::{Engine, Site, mode, on_both_engines, program, read, set_mode};

on_both_engines!(a_bounce_that_is_not_ours_changes_nothing_and_ends_well);

fn rightful(folder: &TempDir, arguments: &[&str]) -> Ended {
    run(program().current_dir(folder.path()).args(arguments))
}

fn folder() -> TempDir {
    TempDir::new().expect("a folder")
}

/// A key for example.org; the records to set for it, as names and values.
fn key(folder: &TempDir) -> Vec<(String, String)> {
    let made = rightful(folder, &["dkim", "init", "--domain", "example.org", "--json"]);
    assert_eq!(made.status, Some(0), "{made:?}");
    let made: Value = serde_json::from_str(&made.stdout).expect("JSON");
    let records = made["records"].as_array().expect("records");
    let text = |record: &Value, key: &str| record[key].as_str().expect("a text").to_owned();
    let pairs = records
        .iter()
        .map(|record| (text(record, "name"), text(record, "value")));
    pairs.collect()
}

fn check(folder: &TempDir, texts: &[(&str, &str)], more: &[&str]) -> Ended {
    let dns = Dns::new(texts).address().to_string();
    let arguments = [
        &[
            "dkim",
            "check",
            "--domain",
            "example.org",
            "--selector",
            "rightful",
            "--key-file",
            "rightful-dkim.pem",
        ],
        &["--dns", &dns][..],
        more,
    ];
    rightful(folder, &arguments.concat())
}

#[test]
fn a_key_is_made_for_its_owner_alone_and_never_over_another() {
    let folder = folder();
    let path = folder.path().join("rightful-dkim.pem");
    let made = rightful(
        &folder,
        &[
            "dkim",
            "init",
            "--domain",
            "Example.ORG",
            "--return-domain",
            "bounces.example.org",
        ],
    );
    assert_eq!(made.status, Some(0), "{made:?}");
    for said in [
        "rightful._domainkey.example.org. IN TXT \"v=DKIM1; k=rsa; p=",
        "bounces.example.org. IN TXT \"v=spf1 ",
        "_dmarc.example.org. IN TXT \"v=DMARC1; p=quarantine\"",
        "dkim_selector = \"rightful\"",
    ] {
        assert!(made.stdout.contains(said), "{said}: {made:?}");
    }
    let key = read(&path);
    assert!(
        key.starts_with("-----BEGIN PRIVATE KEY-----") && !made.stdout.contains("PRIVATE"),
        "{made:?}"
    );
    assert_eq!(mode(&path), 0o600);

    let again = rightful(&folder, &["dkim", "init", "--domain", "example.org"]);
    assert_eq!(again.status, Some(2), "{again:?}");
    assert!(again.stderr.contains("never written over"), "{again:?}");
    assert_eq!(read(&path), key);

    for wrong in [
        ["--domain", "exa mple.org"],
        ["--domain", "-example.org"],
        ["--domain", "example.org\n"],
    ] {
        let refused = rightful(
            &folder,
            &["dkim", "init", wrong[0], wrong[1], "--key-file", "other.pem"],
        );
        assert_eq!(refused.status, Some(2), "{wrong:?}: {refused:?}");
    }
    assert!(!folder.path().join("other.pem").exists());
}

#[test]
fn the_dns_is_asked_for_what_a_domain_needs() {
    let folder = folder();
    let records = key(&folder);
    let set: Vec<(&str, &str)> = records
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let all = check(&folder, &set, &[]);
    assert_eq!(
        (all.status, all.stdout.as_str()),
        (Some(0), "DKIM: good\nSPF: good\nDMARC: good\n"),
        "{all:?}"
    );

    let none = check(&folder, &[], &[]);
    assert_eq!(none.status, Some(1), "{none:?}");
    for topic in ["DKIM", "SPF", "DMARC"] {
        assert!(none.stdout.contains(&format!("{topic}: MISSING")), "{none:?}");
    }

    let other = [
        (set[0].0, "v=DKIM1; k=rsa; p=AAAA"),
        set[1],
        ("_dmarc.example.org", "v=DMARC1; p=none"),
    ];
    let other = check(&folder, &other, &["--json"]);
    assert_eq!(other.status, Some(1), "{other:?}");
    let other: Value = serde_json::from_str(&other.stdout).expect("JSON");
    let findings: Vec<&Value> = other["records"]
        .as_array()
        .expect("records")
        .iter()
        .map(|record| &record["finding"])
        .collect();
    assert_eq!(findings, ["wrong", "good", "weak"]);
    assert_eq!(other["good"], false);
}

#[test]
fn a_check_says_what_it_lacks() {
    let folder = folder();
    let unsaid = rightful(&folder, &["dkim", "check"]);
    assert_eq!(unsaid.status, Some(2), "{unsaid:?}");
    assert!(unsaid.stderr.contains("--domain, or set mail.from"), "{unsaid:?}");
    key(&folder);
    set_mode(&folder.path().join("rightful-dkim.pem"), 0o644);
    let open = check(&folder, &[], &[]);
    assert_eq!(open.status, Some(2), "{open:?}");
    assert!(open.stderr.contains("chmod 600"), "{open:?}");
}

fn bounce(command: &mut Command, message: &str) -> Ended {
    let mut running = Running::start_with_input(command, Stdio::piped());
    let mut input = running.input().expect("its input");
    // It may have ended before it read anything.
    drop(input.write_all(message.as_bytes()));
    drop(input);
    running.wait()
}

fn a_bounce_that_is_not_ours_changes_nothing_and_ends_well(engine: Engine) {
    let site = Site::new(engine);
    let forged = "From: MAILER-DAEMON@mx.example.net\nTo: bounce+k7m4qx2p@example.org\nSubject: Undelivered Mail Returned to Sender\n\
                  \n<anna@example.org>: host mx.example.net said: 550 5.1.1 User unknown\n";
    let without = bounce(&mut site.command(&["bounce"]), forged);
    assert_eq!(without.status, Some(2), "no site is made for a bounce: {without:?}");
    assert!(!site.path("site.key").exists());

    site.says(&["accounts", "list"]);
    let state = site.state(&[]);
    for (message, outcome) in [
        (forged, "not-ours"),
        ("Subject: hello\n\nhow are you?\n", "not-a-bounce"),
        ("", "not-a-bounce"),
    ] {
        let ended = bounce(&mut site.command(&["bounce", "--json"]), message);
        assert_eq!(ended.status, Some(0), "{ended:?}");
        let told: Value = serde_json::from_str(&ended.stdout).expect("JSON");
        assert_eq!(told["outcome"], outcome, "{ended:?}");
    }
    assert_eq!(site.state(&[]), state);
}

#[test]
fn a_bounce_that_cannot_be_taken_now_is_to_be_tried_again() {
    let site = Site::new(Engine::Sqlite);
    site.says(&["accounts", "list"]);
    let mut command = site.command(&["bounce"]);
    command.env("RIGHTFUL_DATABASE", "postgres://nobody@127.0.0.1:1/nowhere");
    let ended = bounce(&mut command, "Subject: x\n\nx\n");
    assert_eq!(ended.status, Some(75), "{ended:?}");
    assert!(ended.stderr.contains("try again later"), "{ended:?}");
}
