use std::pin::Pin;
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use http_body::Frame;

use super::*;

/// Sends byte by byte until the server says something; the socket is waited for between two bytes.
fn drip(wire: &mut Wire, bytes: impl Iterator<Item = u8>) -> Reply {
    wire.stream.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
    for byte in bytes {
        wire.send([byte]);
        let mut buffer = [0; 16 * 1024];
        if let Ok(read) = wire.stream.read(&mut buffer) {
            wire.received.extend_from_slice(&buffer[..read]);
            break;
        }
    }
    wire.stream.set_read_timeout(Some(PATIENCE)).unwrap();
    wire.reply().expect("a reply")
}

fn endless() -> impl Iterator<Item = u8> {
    std::iter::repeat_n(b'a', 100_000)
}

#[test]
fn l02_a_head_must_come_in_time() {
    let mut hurried = settings();
    hurried.timeouts.head = Duration::from_millis(80);
    let server = start(hurried);
    let mut half = server.connect();
    half.send("GET /hello HTTP/1.1\r\nHost: loc");
    let reply = half.reply().expect("a reply");
    assert_eq!((reply.status, reply.field("connection")), (408, Some("close")));
    assert!(half.reply().is_none());

    let mut dripping = server.connect();
    let head = b"GET /hello HTTP/1.1\r\nX: ".iter().copied();
    assert_eq!(drip(&mut dripping, head.chain(endless())).status, 408);

    // Who says nothing at all is told nothing.
    assert!(server.connect().reply().is_none());
    assert_eq!(server.seen(), [""; 0]);
}

#[test]
fn l02_a_second_head_must_come_in_time_too() {
    let mut hurried = settings();
    hurried.timeouts.head = Duration::from_millis(80);
    let server = start(hurried);
    let mut wire = server.connect();
    wire.send("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\nGET /hel");
    assert_eq!(wire.reply().expect("a reply").status, 200);
    assert_eq!(wire.reply().expect("a reply").status, 408);
    assert!(wire.reply().is_none());
}

#[test]
fn l02_a_body_must_come_in_time() {
    let mut hurried = settings();
    hurried.timeouts.request = Duration::from_millis(80);
    let server = start(hurried);
    for framing in ["Content-Length: 60000", "Transfer-Encoding: chunked"] {
        let mut wire = server.connect();
        wire.send(format!("POST /hello HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n"));
        let body = if framing.starts_with('C') { "" } else { "ea60\r\n" };
        let reply = drip(&mut wire, body.bytes().chain(endless()));
        assert_eq!(
            (reply.status, reply.field("connection")),
            (408, Some("close")),
            "{framing}"
        );
    }
    assert_eq!(server.seen(), [""; 0], "no handler waits for a slow body");
}

#[test]
fn l02_idle_connections_end() {
    let mut hurried = settings();
    hurried.timeouts.idle = Duration::from_millis(80);
    let server = start(hurried);
    let mut wire = server.connect();
    wire.send("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(wire.reply().expect("a reply").status, 200);
    assert!(wire.reply().is_none(), "closed without a word");
}

/// A body that never ends, and tells when it is given up.
struct Endless(Sender<()>);

impl http_body::Body for Endless {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; 16 * 1024])))))
    }
}

impl Drop for Endless {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

#[test]
fn l02_responses_must_be_read() {
    let mut hurried = settings();
    hurried.timeouts.write = Duration::from_millis(80);
    hurried.timeouts.close = Duration::from_millis(80);
    let (given_up, told) = channel();
    let long = get(async move || Body::new(Endless(given_up.clone())));
    let server = start_with(hurried, Router::new().route("/long", long));
    let mut deaf = server.connect();
    deaf.send("GET /long HTTP/1.1\r\nHost: localhost\r\n\r\n");
    told.recv_timeout(PATIENCE).expect("the response is given up");
    assert_eq!(server.ask("GET /hello", &[], "").status, 200, "others are served");
}

#[test]
fn l02_slow_clients_do_not_keep_others_out() {
    let server = start(settings());
    let half_open: Vec<Wire> = (0..200)
        .map(|_| {
            let mut wire = server.connect();
            wire.send("POST /hello HTTP/1.1\r\nHost: loc");
            wire
        })
        .collect();
    for _ in 0..20 {
        assert_eq!(server.ask("GET /hello", &[], "").status, 200);
    }
    drop(half_open);
}

#[test]
fn l02_connections_of_one_range_are_capped() {
    let mut few = settings();
    few.caps.connections_per_range = 3;
    let server = start(few);
    let mut taken: Vec<Wire> = (0..3).map(|_| server.connect()).collect();
    for wire in &mut taken {
        wire.send("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_eq!(wire.reply().expect("a reply").status, 200);
    }
    let mut fourth = server.connect();
    fourth.send("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(fourth.reply().is_none());
    // One leaves. Its slot is free once the server has seen that, which it shows by closing its own side.
    let mut leaving = taken.pop().expect("three");
    leaving.stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert!(leaving.reply().is_none());
    let served = (0..1000).any(|_| {
        let mut wire = server.connect();
        wire.send("GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        wire.reply().is_some()
    });
    assert!(served, "a slot that is given back can be taken");
}

#[test]
fn a_handler_must_answer_in_time() {
    let mut hurried = settings();
    hurried.timeouts.request = Duration::from_millis(80);
    let never = get(async || std::future::pending::<&'static str>().await);
    let server = start_with(hurried, Router::new().route("/never", never));
    assert_eq!(server.ask("GET /never", &[], "").status, 503);
}
