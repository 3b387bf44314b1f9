use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::layers::{Start, toml_value};
use super::table::SECTIONS;
use super::*;

fn env(variables: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
    let owned: Vec<_> = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    owned.into_iter()
}

fn parse_with(text: &str, variables: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    let layers = Layers::new(Some((Path::new(USUAL_FILE), text)), env(variables)).map_err(|fault| vec![fault.0])?;
    match Config::parse(&layers) {
        (Some(config), faults) if faults.is_empty() => Ok(config),
        (_, faults) => Err(faults),
    }
}

fn parse(text: &str) -> Config {
    parse_with(text, &[]).unwrap()
}

/// What is wrong, line by line.
fn faults(text: &str, variables: &[(&str, &str)]) -> Vec<String> {
    parse_with(text, variables).expect_err(text)
}

fn check_fault(text: &str, expected: &str) {
    let found = faults(text, &[]);
    assert!(
        found.iter().any(|fault| fault.contains(expected)),
        "{expected:?} in {found:?}"
    );
}

#[test]
fn without_anything_written_there_are_defaults() {
    let config = parse("");
    assert_eq!(config.site.name, "Rightful");
    assert_eq!(config.listen.address.to_string(), "127.0.0.1:8080");
    assert!(!config.site.sign_up);
    assert_eq!(
        config.database().unwrap(),
        Address::Sqlite("./rightful-data/rightful.db".into())
    );
    let (server, own) = (config.server(), ServerSettings::new(config.listen.address));
    assert_eq!(
        format!("{server:?}"),
        format!("{own:?}"),
        "the table's defaults are the server's"
    );
}

#[test]
fn the_environment_goes_before_the_file() {
    let text = "[site]\nname = \"File\"\nsign_up = false\n[listen]\nhead_seconds = 3\n";
    let variables = [
        ("RIGHTFUL_SITE__NAME", "Variable"),
        ("RIGHTFUL_SITE__SIGN_UP", "true"),
        ("RIGHTFUL_LISTEN__TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
        ("RIGHTFUL_MAIL__PORT", "25"),
        ("RIGHTFUL_KEY", "of the command line"),
        ("HOME", "/"),
    ];
    let config = parse_with(text, &variables).unwrap();
    assert_eq!(config.site.name, "Variable");
    assert!(config.site.sign_up);
    assert_eq!(config.listen.trusted_proxies.len(), 2);
    assert_eq!(u16::from(config.mail.port), 25);
    assert_eq!(config.server().timeouts.head.as_secs(), 3);
}

#[test]
fn names_that_mean_nothing_are_refused_with_those_that_do() {
    check_fault("[sight]\n", "there is no section [sight]; there are site, listen, data");
    check_fault(
        "[site]\nbase-url = \"\"\n",
        "rightful.toml: there is no key site.base-url; there are name, base_url",
    );
    check_fault("name = \"x\"\n", "there is no section [name]");
    check_fault("site = 1\n", "[site] is a section");
    let found = faults("", &[("RIGHTFUL_SITE__NAEM", "x"), ("RIGHTFUL_SITE___NAME", "x")]);
    assert_eq!(found.len(), 2);
    assert!(found[0].contains("RIGHTFUL_SITE__NAEM sets nothing"), "{found:?}");
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let text = "[site]\nname = 3\nlanguages = [\"fr\"]\n[listen]\naddress = \"localhost\"\nidle_seconds = 0\n[mail]\nport = 70000\n";
    let found = faults(text, &[("RIGHTFUL_LOG__FORMAT", "xml")]);
    assert_eq!(
        found,
        [
            "rightful.toml: site.name must be one line of text",
            "rightful.toml: site.languages must be a list of `en` and `de`",
            "rightful.toml: listen.address must be an IP address and a port, such as \"127.0.0.1:8080\" or \"[::]:443\"",
            "rightful.toml: listen.idle_seconds must be a number of seconds from 1 to 3600",
            "rightful.toml: mail.port must be a port from 1 to 65535",
            "RIGHTFUL_LOG__FORMAT must be `json` or `text`",
        ]
    );
}

#[test]
fn each_kind_takes_what_it_says_and_nothing_else() {
    let reads = |key: &str, value: &str| {
        let (section, key) = key.split_once('.').unwrap();
        parse_with(&format!("[{section}]\n{key} = {value}\n"), &[]).is_ok()
    };
    for (key, good, bad) in [
        (
            "site.base_url",
            vec!["\"https://a.example\""],
            vec!["\"http://a.example\"", "\"a.example\"", "\"https://a/b\"", "1"],
        ),
        (
            "site.accent",
            vec!["\"#ABCDEF\""],
            vec!["\"#abc\"", "\"abcdef\"", "\"#abcdeg\"", "\"#abcdef;\"", "255"],
        ),
        (
            "site.name",
            vec!["\"Ä & Ö\""],
            vec!["\"\"", "\" \"", "\"a\\nb\"", "\"a\\u001Bb\"", "true"],
        ),
        ("site.sign_up", vec!["true"], vec!["\"true\"", "1"]),
        ("site.languages", vec!["[\"de\"]"], vec!["\"de\"", "[\"DE\"]", "[1]"]),
        (
            "site.security_contact",
            vec!["\"a.b+c@example.com\""],
            vec![
                "\"a\"",
                "\"a@b\"",
                "\"A <a@example.com>\"",
                "\"a@example.com,b@example.com\"",
                "\"\\\"a\\\"@example.com\"",
            ],
        ),
        (
            "mail.return_domain",
            vec!["\"b.example.com\"", "\"192.0.2.1\""],
            vec![
                "\"-a.com\"",
                "\"a..com\"",
                "\"a_b.com\"",
                "\"a.com.\"",
                "\"a b\"",
                "\"\"",
            ],
        ),
        (
            "limits.cores",
            vec!["1", "64"],
            vec!["0", "-1", "1.5", "\"1\"", "1000001"],
        ),
        (
            "log.level",
            vec!["\"info\"", "\"info,access=off\""],
            vec!["\"info,=x=\"", "\"\"", "1"],
        ),
        ("data.folder", vec!["\"a\""], vec!["\"\"", "\"a\\u0000\"", "[]"]),
    ] {
        assert!(good.iter().all(|value| reads(key, value)), "{key} {good:?}");
        for value in bad {
            assert!(!reads(key, value), "{key} = {value}");
        }
    }
}

#[test]
fn what_does_not_go_together_is_refused() {
    let public = "[site]\nbase_url = \"https://id.example.com\"\n";
    check_fault("[listen]\naddress = \"0.0.0.0:80\"\n", "site.base_url: is needed");
    check_fault(
        &format!("{public}[listen]\naddress = \"0.0.0.0:80\"\n"),
        "nothing speaks TLS",
    );
    check_fault("[listen]\ntls_key = \"k\"\n", "set both or neither");
    check_fault(
        "[site]\nbase_url = \"http://localhost\"\n[listen]\ntls_key = \"k\"\ntls_certificate = \"c\"\n",
        "write https",
    );
    parse(&format!(
        "{public}[listen]\naddress = \"[::]:443\"\ntls_key = \"k\"\ntls_certificate = \"c\"\n"
    ));
    parse(&format!(
        "{public}[listen]\naddress = \"0.0.0.0:80\"\ntrusted_proxies = [\"10.0.0.0/8\"]\n"
    ));
    parse(public);

    let mail = "[mail]\nhost = \"smtp.example.com\"\nfrom = \"a@example.com\"\n";
    check_fault("[mail]\nhost = \"smtp.example.com\"\n", "mail.from: is needed");
    check_fault(&format!("{mail}security = \"plain\"\n"), "this machine only");
    check_fault(&format!("{mail}user = \"a\"\n"), "mail.password: is needed");
    check_fault(&format!("{mail}password = \"a\"\n"), "mail.user: is needed");
    check_fault(&format!("{mail}dkim_selector = \"a\"\n"), "set both or neither");
    parse(&format!("{mail}user = \"a\"\npassword = \"b\"\n"));
    parse("[mail]\nhost = \"127.0.0.1\"\nfrom = \"a@example.com\"\nsecurity = \"plain\"\n");
}

/// The secret of the tests below; it must be in no message.
const PLANTED: &str = "planted-secret";

#[test]
fn a_message_never_shows_a_value() {
    for text in [
        format!("[mail]\npassword = [\"{PLANTED}\"]\n"),
        format!("[mail]\npassword = \"{PLANTED}\n"),
        format!("[mail]\npassword = {PLANTED}\n"),
        format!("[mail]\npassword = \"{PLANTED}\\u0007\"\n"),
        format!("[mail]\nport = \"{PLANTED}\"\n"),
        format!("[mail]\npassword = \"a\"\npassword = \"{PLANTED}\"\n"),
        format!("[data]\ndatabase = \"mysql://{PLANTED}@x\"\n[mail]\nport = 0\n"),
    ] {
        let found = faults(&text, &[("RIGHTFUL_MAIL__SECURITY", PLANTED)]);
        assert!(found.iter().all(|fault| !fault.contains(PLANTED)), "{found:?}");
    }
    let config = parse(&format!("[mail]\nuser = \"a\"\npassword = \"{PLANTED}\"\n"));
    assert!(!format!("{config:?}").contains(PLANTED));
}

#[test]
fn the_line_that_is_no_toml_is_named() {
    check_fault(
        "[site]\nname = \"a\"\nsign_up = yes\n",
        "rightful.toml: line 3 is no TOML",
    );
}

fn write(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn load_fault(path: &Path) -> String {
    Config::load(Some(path), env(&[])).expect_err("refused").0
}

#[test]
fn n05_a_file_with_a_secret_that_others_may_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rightful.toml");
    for (text, mode, is_fine) in [
        ("[mail]\nuser = \"a\"\npassword = \"planted-secret\"\n", 0o600, true),
        ("[mail]\nuser = \"a\"\npassword = \"planted-secret\"\n", 0o640, false),
        ("[mail]\nuser = \"a\"\npassword = \"planted-secret\"\n", 0o604, false),
        (
            "[data]\ndatabase = \"postgres://a:planted-secret@db/a\"\n",
            0o644,
            false,
        ),
        ("[site]\nname = \"a\"\n", 0o644, true),
    ] {
        write(&file, text, mode);
        match Config::load(Some(&file), env(&[])) {
            Ok(_) => assert!(is_fine, "{text} {mode:o}"),
            Err(Unusable(fault)) => {
                assert!(
                    !is_fine && fault.contains("chmod 600") && !fault.contains(PLANTED),
                    "{fault}"
                );
            }
        }
    }
}

#[test]
fn n05_the_secret_of_bounces_is_long_and_nobody_elses() {
    let folder = tempfile::tempdir().unwrap();
    let (file, secret) = (folder.path().join("rightful.toml"), folder.path().join("secret"));
    let named = format!("[mail]\nbounce_secret_file = \"{}\"\n", secret.display());
    write(&file, &named, 0o644);
    let long = format!("{PLANTED}, and some more letters\n");
    write(&secret, &long, 0o644);
    assert!(load_fault(&file).contains("mail.bounce_secret_file: others may read"));
    write(&secret, &format!("{PLANTED}\n"), 0o600);
    let fault = load_fault(&file);
    assert!(
        fault.contains("mail.bounce_secret: is shorter than 32 letters") && !fault.contains(PLANTED),
        "{fault}"
    );
    write(&secret, &long, 0o600);
    assert!(Config::load(Some(&file), env(&[])).unwrap().bounce_secret().is_some());
    assert!(parse("").bounce_secret().is_none());
}

#[test]
fn a_secret_may_stand_in_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (file, secret) = (folder.path().join("rightful.toml"), folder.path().join("secret"));
    let named = format!("[mail]\nuser = \"a\"\npassword_file = \"{}\"\n", secret.display());
    write(&file, &named, 0o644);
    assert!(load_fault(&file).contains("mail.password_file: there is no file"));

    write(&secret, "planted-secret\n", 0o600);
    let config = Config::load(Some(&file), env(&[])).unwrap();
    assert_eq!(config.mail.password.unwrap().expose(), PLANTED);

    write(&secret, "planted-secret\n", 0o644);
    assert!(load_fault(&file).contains("mail.password_file: others may read"));
    write(&secret, "two\nlines\n", 0o600);
    assert!(load_fault(&file).contains("is not one line"));

    write(&secret, "planted-secret\n", 0o600);
    write(&file, &format!("{named}password = \"b\"\n"), 0o600);
    assert!(load_fault(&file).contains("mail.password and mail.password_file are both set"));
}

#[test]
fn files_that_are_named_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rightful.toml");
    assert!(load_fault(&file).contains("there is no file"));
    let (certificate, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
    let named = format!(
        "[listen]\ntls_certificate = \"{}\"\ntls_key = \"{}\"\n[places]\nfile = \"/nowhere.mmdb\"\n",
        certificate.display(),
        key.display()
    );
    write(&file, &named, 0o644);
    write(&key, "", 0o644);
    let fault = load_fault(&file);
    for expected in [
        "listen.tls_certificate: there is no file",
        "listen.tls_key: others may read",
        "places.file: there is no",
    ] {
        assert!(fault.contains(expected), "{expected} in {fault}");
    }
}

#[test]
fn j06_a_logo_is_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    let (file, logo) = (folder.path().join("rightful.toml"), folder.path().join("logo.svg"));
    write(&file, &format!("[site]\nlogo = \"{}\"\n", logo.display()), 0o644);
    assert!(load_fault(&file).contains("site.logo: there is no file"));
    write(&logo, "<html><script>alert(1)</script></html>", 0o644);
    assert!(load_fault(&file).contains("is neither PNG nor SVG"));
    write(&logo, "<svg xmlns=\"http://www.w3.org/2000/svg\"/>", 0o644);
    assert!(Config::load(Some(&file), env(&[])).unwrap().logo().unwrap().is_some());
    assert!(parse("").logo().unwrap().is_none());
}

#[test]
fn the_table_is_sound() {
    for section in SECTIONS {
        for key in section.keys {
            let name = format!("{}.{}", section.name, key.name);
            // What stands in the sample is a value of its kind, and the default is one by the test of defaults.
            toml_value(key.start.text());
            let text = format!("[{}]\n{} = {}\n", section.name, key.name, key.start.text());
            let table = Layers::new(Some((Path::new(""), &text)), env(&[])).unwrap();
            let mut faults = Vec::new();
            Config::read(&table, &mut faults);
            assert_eq!(faults, [""; 0], "{name}");
            assert!(key.about.trim_end().ends_with('.'), "{name} is described in sentences");
            if key.is_secret {
                let file = format!("{}_file", key.name);
                assert!(
                    section.keys.iter().any(|other| other.name == file),
                    "{name} may stand in a file"
                );
                assert!(matches!(key.start, Start::Absent { .. }), "{name} has no default");
            }
        }
    }
}

/// Fails when a generated document is not what the code writes; how to write it anew is in the message.
fn check_document(name: &str, generated: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/reference")
        .join(name);
    let there = fs::read_to_string(&path).unwrap_or_default();
    let command = if name.ends_with(".md") { "reference" } else { "sample" };
    assert!(
        there == generated,
        "docs/reference/{name} is not what the code says; do: cargo run -- config {command} > docs/reference/{name}"
    );
}

#[test]
fn the_reference_page_and_the_sample_are_what_the_code_says() {
    check_document("configuration.md", &reference());
    check_document("rightful.sample.toml", &sample());
}

#[test]
fn the_sample_with_everything_switched_on_is_read() {
    let switched_on: String = sample()
        .lines()
        .map(|line| {
            line.strip_prefix("# ")
                .filter(|rest| rest.contains(" = "))
                .unwrap_or(line)
        })
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(switched_on.contains("\nbase_url = "), "something was switched on");
    parse(&switched_on);
}
