use std::io;
use std::sync::OnceLock;

use tracing_subscriber::fmt::MakeWriter;

use super::*;
use crate::server::{LogForm, log_subscriber};

#[derive(Clone, Default)]
pub(super) struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What all servers of all tests log. One subscriber for the whole process, set before the first line: `tracing` may forget
/// a line's place for ever when it is met first while another subscriber comes or goes.
pub(super) fn capture() -> &'static Captured {
    static LOG: OnceLock<Captured> = OnceLock::new();
    LOG.get_or_init(|| {
        let captured = Captured::default();
        let subscriber = log_subscriber("info", LogForm::Json, captured.clone()).unwrap();
        tracing::subscriber::set_global_default(subscriber).unwrap();
        captured
    })
}

/// The lines about the requests that were answered so.
fn lines_of(replies: &[Reply]) -> Vec<serde_json::Value> {
    let ids: Vec<&str> = replies
        .iter()
        .map(|reply| reply.field("x-request-id").expect("an id"))
        .collect();
    let text = String::from_utf8(capture().0.lock().unwrap().clone()).unwrap();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"));
    lines
        .filter(|line: &serde_json::Value| line["request.id"].as_str().is_some_and(|id| ids.contains(&id)))
        .collect()
}

#[test]
fn each_request_is_one_line_without_what_was_typed() {
    let server = start(settings());
    let typed = &["Cookie: typed=secret", "User-Agent: typed"];
    let mut replies = vec![
        server.ask("GET /person/typed-name?typed=secret", typed, ""),
        server.ask("POST /typed", &[], "password=typed-secret"),
        server.ask("POST /hello", &["Sec-Fetch-Site: cross-site"], "password=typed-secret"),
    ];
    replies.extend(server.exchange("TYPED /hello HTTP/1.1\nHost: typed\n\n"));
    let lines = lines_of(&replies);
    assert_eq!(lines.len(), 4, "{lines:#?}");
    let first = &lines[0];
    assert_eq!(first["target"], "access");
    assert_eq!(first["level"], "INFO");
    assert_eq!(first["http.method"], "GET");
    assert_eq!(first["http.route"], "/person/{name}");
    assert_eq!(first["http.status"], 200);
    assert_eq!(first["client.range"], "127.0.0.0/24");
    assert_eq!(lines[1]["http.route"], "none");
    assert_eq!(lines[2]["refused"], "another site asked for a change");
    assert_eq!(lines[3]["refused"], "a line does not end in CR LF");
    let all = format!("{lines:?}");
    for private in ["typed", "TYPED", "secret", "127.0.0.1"] {
        assert!(!all.contains(private), "{private} in {all}");
    }
}

#[test]
fn a_panic_is_logged_without_its_words() {
    let server = start(settings());
    let lines = lines_of(&[server.ask("GET /panic", &[], "")]);
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert_eq!(lines[0]["message"], "a handler panicked");
    assert_eq!(lines[1]["http.status"], 500);
    assert!(!format!("{lines:?}").contains("part of a test"));
}

#[test]
fn a_level_that_is_none_is_refused_with_the_choice() {
    let refused = log_subscriber("info,=x=", LogForm::Text, io::sink)
        .err()
        .expect("refused");
    assert!(refused.to_string().contains("error, warn, info"), "{refused}");
}
