//! `leak match`: the list itself, to the byte, and a demo of all of it.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use rightful_testkit::process::{Ended, Running};
use serde_json::Value;
use zip::write::{SimpleFileOptions, ZipWriter};

use crate::made_up::quick_hash;
use crate::site::{Engine, Site, read};

const LIST: &str = "\
account,grade,kind,identifier,leak,line
7,exact,dump,anna@example.org,packed.zip!inner.txt,2
7,former,dump,anna@home.example,packed.zip!inner.txt,4
=cmd,untested,dump,carla,folder/sub/b.txt,2
Dora@Example.org,variant,dump,Dora@Example.org,-,2
\"b,\"\"en\",named,dump,ben@example.org,packed.zip!more/deep.txt,1
\"b,\"\"en\",exact,stealer,ben@example.org,folder/a.txt,1
";

fn site() -> Site {
    let site = Site::new(Engine::Sqlite);
    let [one, two, three, four, old] =
        ["one", "two", "three", "four", "old"].map(|password| quick_hash(password, "salt"));
    site.write(
        "accounts.ndjson",
        format!(
            "{{\"account\":7,\"email\":[\"anna@example.org\",\"anna@home.example\"],\"password\":\"{one}\",\"former_passwords\":[\"{old}\"]}}
{{\"account\":\"b,\\\"en\",\"email\":\"ben@example.org\",\"password\":\"{two}\"}}
{{\"account\":\"=cmd\",\"username\":\"carla\",\"password\":\"{three}\"}}
{{\"email\":\"Dora@Example.org\",\"password\":\"{four}\"}}
{{\"account\":\"7\",\"email\":\"anna@example.org\",\"password\":\"{one}\"}}
{{\"email\":\"dora@example.org\",\"password\":\"{one}\"}}
"
        ),
    );
    let mut packed = ZipWriter::new(File::create(site.path("packed.zip")).expect("a file"));
    let members = [
        (
            "inner.txt",
            "nobody@example.org:x\nanna@example.org:one\nANNA@example.org:one\nanna@home.example:old\n",
        ),
        ("more/deep.txt", "ben@example.org:other\n"),
    ];
    for (name, text) in members {
        packed.start_file(name, SimpleFileOptions::default()).expect("a member");
        packed.write_all(text.as_bytes()).expect("its text");
    }
    packed.finish().expect("a zip");
    std::fs::create_dir_all(site.path("folder/sub")).expect("folders");
    site.write(
        "folder/a.txt",
        "URL: https://shop.example/\nUsername: ben@example.org\nPassword: two\n\n",
    );
    site.write("folder/sub/b.txt", "\ncarla;0123456789abcdef0123456789abcdef01234567\n");
    site.write("stream.txt", "anna@example.org:one\ndora@example.org:four1\n");
    site
}

fn matched(site: &Site, more: &[&str]) -> Ended {
    let arguments = [
        "leak",
        "match",
        "--accounts",
        "accounts.ndjson",
        "--out",
        "list.csv",
        "--variants",
        "20",
    ];
    let leaks = ["packed.zip", "folder", "-"];
    let mut command = site.command(&[&arguments[..], more, &leaks].concat());
    let stream = File::open(site.path("stream.txt")).expect("a file");
    let ended = Running::start_with_input(&mut command, stream).wait();
    assert_eq!(ended.status, Some(0), "{ended:?}");
    ended
}

#[test]
fn the_list_is_sorted_quoted_and_names_where_each_secret_stands_first() {
    let site = site();
    let said = matched(&site, &[]);
    assert_eq!(read(&site.path("list.csv")), LIST);
    assert!(said.stdout.contains("2 rows of the accounts were refused"), "{said:?}");
    assert!(
        said.stderr
            .contains("line 5: the account 7 stands on an earlier line already"),
        "{said:?}"
    );
    assert!(
        said.stderr
            .contains("line 6: the account dora@example.org stands on an earlier"),
        "{said:?}"
    );
    let report: Value = serde_json::from_str(&matched(&site, &["--json"]).stdout).expect("JSON and nothing else");
    assert_eq!(report["finished"], true, "{report}");
    assert_eq!(
        (&report["accounts"]["accounts"], &report["accounts"]["rejected"]),
        (&4.into(), &2.into())
    );
    for (grade, exposures) in [
        ("exact", 2),
        ("variant", 1),
        ("former", 1),
        ("untested", 1),
        ("named", 1),
    ] {
        assert_eq!(report["exposures"][grade], exposures, "{grade}: {report}");
    }
    assert_eq!(
        (&report["lines"]["lines"], &report["not_read"]),
        (&13.into(), &Value::Array(vec![])),
        "{report}"
    );
}

#[test]
fn j06_a_list_for_a_spreadsheet_holds_no_formulas() {
    let site = site();
    matched(&site, &["--spreadsheet"]);
    // The stream's name begins as a formula may, too.
    let safe = LIST.replace("=cmd", "'=cmd").replace(",-,", ",'-,");
    assert_eq!(read(&site.path("list.csv")), safe);
}

#[test]
fn the_demo_shows_every_grade_and_leaves_what_it_says() {
    let site = Site::new(Engine::Sqlite);
    let refused = site.run(&["demo", "--json"]);
    assert_eq!(refused.status, Some(2), "{refused:?}");
    let said = site.says(&["demo", "--keep", "kept"]);
    for grade in ["exact", "variant", "former", "untested", "named"] {
        assert!(
            said.contains(&format!("    {grade}: the leak \"demo\"")),
            "{grade}: {said}"
        );
    }
    assert!(said.contains("% of the most that this machine does"), "{said}");
    let kept = |name: &str| Path::new("kept").join(name).to_string_lossy().into_owned();
    let there = ["--data", &kept("rightful-data"), "--key", &kept("rightful.key")];
    let shown = site.json(&[&["leak", "show", "1"][..], &there].concat());
    assert_eq!(
        (&shown["state"], &shown["lines"]["lines"]),
        (&"done".into(), &1_000_000.into()),
        "{shown}"
    );
    assert_eq!(
        site.run(&["demo", "--keep", "kept"]).status,
        Some(2),
        "never over what is there"
    );
}
