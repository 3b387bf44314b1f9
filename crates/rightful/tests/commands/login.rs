//! `rightful login`, against a server that says what the test says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::thread::JoinHandle;

use rightful_testkit::process::{Ended, run};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::site::{mode, program, read, set_mode};

/// A request as the server got it: its first line, and its document.
type Asked = (String, Value);

/// Answers so many requests, one a connection, and gives back what was asked.
fn server(answers: Vec<(u16, Value)>) -> (String, JoinHandle<Vec<Asked>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    let answering = std::thread::spawn(move || {
        let answer = |(status, document)| {
            let (stream, _) = listener.accept().expect("a connection");
            answer_one(stream, status, &document)
        };
        answers.into_iter().map(answer).collect()
    });
    (format!("http://{address}"), answering)
}

fn answer_one(mut stream: TcpStream, status: u16, document: &Value) -> Asked {
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).expect("a request");
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a field");
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().expect("a number");
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("the body");
    let text = document.to_string();
    let length = text.len();
    write!(
        stream,
        "HTTP/1.1 {status} Said\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}"
    )
    .expect("sent");
    (
        first.trim().to_owned(),
        serde_json::from_slice(&body).unwrap_or(Value::Null),
    )
}

const SECRET: &str = "rf_the-secret-of-this-asking";
const TOKEN: &str = "ra_the-token-of-the-program";

fn begun() -> (u16, Value) {
    let begun = json!({
        "secret": SECRET, "code": "K7M4-QX2P", "path": "/login?request=00ff", "expires_at": "2026-11-24T14:12:00Z", "look_every": 0,
    });
    (200, begun)
}

fn waiting() -> (u16, Value) {
    (200, json!({ "state": "waiting" }))
}

fn approved() -> (u16, Value) {
    (
        200,
        json!({ "state": "approved", "token": TOKEN, "expires_at": "2026-11-24T22:02:00Z" }),
    )
}

fn problem(status: u16, code: &str, retry_after: Option<u64>) -> (u16, Value) {
    let problem = json!({ "type": "x", "title": "Told", "status": status, "detail": "Do.", "code": code, "retry_after": retry_after });
    (status, problem)
}

fn login(home: &TempDir, server: &str, more: &[&str]) -> Ended {
    let mut command = program();
    command
        .current_dir(home.path())
        .env("HOME", home.path())
        .env_remove("XDG_CONFIG_HOME");
    run(command.args(["login", "--server", server]).args(more))
}

fn home() -> TempDir {
    TempDir::new().expect("a folder")
}

#[test]
fn a_program_waits_for_its_token_and_keeps_it_for_its_owner_alone() {
    let (home, busy) = (home(), problem(503, "too-busy", Some(0)));
    let (at, server) = server(vec![begun(), waiting(), busy, waiting(), approved()]);
    let ended = login(&home, &at, &[]);
    assert_eq!(ended.status, Some(0), "{ended:?}");
    assert!(ended.stderr.contains(&format!("{at}/login?request=00ff")), "{ended:?}");
    assert!(
        ended.stderr.contains("K7M4-QX2P") && ended.stdout.contains("2026-11-24T22:02:00Z"),
        "{ended:?}"
    );

    let file = home.path().join(".config/rightful/token");
    assert_eq!(read(&file), format!("{TOKEN}\n"));
    assert_eq!((mode(&file), mode(file.parent().expect("a folder"))), (0o600, 0o700));
    for said in [&ended.stdout, &ended.stderr] {
        assert!(!said.contains(TOKEN) && !said.contains(SECRET), "{ended:?}");
    }
    let asked = server.join().expect("the server");
    assert_eq!(asked[0], ("POST /api/v1/login HTTP/1.1".to_owned(), Value::Null));
    for looked in &asked[1..] {
        assert_eq!(looked.0, "POST /api/v1/login/token HTTP/1.1");
        assert_eq!(looked.1, json!({ "secret": SECRET }));
    }
}

#[test]
fn a_token_is_written_over_the_one_before_and_for_its_owner_alone() {
    let home = home();
    let file = home.path().join("mine");
    std::fs::write(&file, "an old one").expect("a file");
    set_mode(&file, 0o644);
    let (at, _) = server(vec![begun(), approved()]);
    let ended = login(&home, &at, &["--token-file", "mine", "--json"]);
    let told: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(
        told,
        json!({ "token_file": "mine", "expires_at": "2026-11-24T22:02:00Z" })
    );
    assert_eq!((read(&file), mode(&file)), (format!("{TOKEN}\n"), 0o600));
}

#[track_caller]
fn check_nothing(answers: Vec<(u16, Value)>, said: &str) {
    let home = home();
    let (at, _) = server(answers);
    let ended = login(&home, &at, &["--token-file", "mine"]);
    assert_eq!(ended.status, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains(said) && !ended.stderr.contains(SECRET),
        "{ended:?}"
    );
    assert!(!Path::new(&home.path().join("mine")).exists());
}

#[test]
fn no_token_is_kept_where_none_was_given() {
    check_nothing(
        vec![begun(), waiting(), problem(403, "login-refused", None)],
        "Told. Do.",
    );
    check_nothing(
        vec![begun(), problem(409, "start-again", None)],
        "nobody let this program act in time",
    );
    check_nothing(
        vec![(200, json!({ "hello": "world" }))],
        "is a Rightful server of this version there?",
    );
    check_nothing(
        vec![begun(), (200, json!({ "state": "approved", "token": 7 }))],
        "cannot be read",
    );
}

#[test]
fn secrets_go_over_no_network_in_the_clear() {
    for (server, said) in [
        ("http://id.example.com", "must be https"),
        ("ftp://127.0.0.1", "no URL"),
        ("https://id.example.com/sso", "more than scheme"),
    ] {
        let ended = login(&home(), server, &[]);
        assert_eq!(ended.status, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(said), "{ended:?}");
    }
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let port = TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr()
        .expect("its address");
    let ended = login(&home(), &format!("http://{port}"), &[]);
    assert_eq!(ended.status, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains(&format!("http://{port} cannot be asked")),
        "{ended:?}"
    );
}
