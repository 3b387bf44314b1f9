//! The server over real sockets on the loopback, spoken to by hand: an HTTP library would mend what is to be tested.

mod boundaries;
mod browsers;
mod hosts;
mod logs;
mod sizes;
mod slow;
mod smuggling;
mod stopping;
mod tls;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::extract::Request;
use axum::routing::{get, post};
use axum::{Json, Router};
use http_body_util::BodyExt;
use rightful_core::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{Client, Metrics, Server, ServerParts, ServerSettings};

/// How long a test waits for what must come, before it fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// `METHOD path body`, for every request that a handler saw.
type Seen = Arc<Mutex<Vec<String>>>;

struct TestServer {
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    seen: Seen,
    stop: CancellationToken,
    tick: Arc<Notify>,
    thread: Option<JoinHandle<()>>,
}

fn settings() -> ServerSettings {
    let mut settings = ServerSettings::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    settings.timeouts.close = Duration::from_millis(200);
    settings
}

/// A server with routes for every test; `more` adds to them.
fn start_with(settings: ServerSettings, more: Router) -> TestServer {
    static SERVERS: AtomicU8 = AtomicU8::new(0);
    logs::capture();
    let (seen, stop, tick) = (Seen::default(), CancellationToken::new(), Arc::new(Notify::new()));
    let parts = ServerParts {
        clock: Arc::new(|| Timestamp::from_micros(0)),
        // Each server names its requests in its own way, so that its lines are found in the log that all tests write.
        request_key: [SERVERS.fetch_add(1, Ordering::Relaxed); 16],
        ready: Arc::new(|| Box::pin(async { Ok(()) })),
        error_page: None,
        metrics: Metrics::new(),
        tick: Arc::clone(&tick),
    };
    let router = routes(Arc::clone(&seen)).merge(more);
    let (told, addresses) = std::sync::mpsc::channel();
    let stopped = stop.clone();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let server = Server::bind(settings, parts).await.unwrap();
            told.send((server.address().unwrap(), server.metrics_address()))
                .unwrap();
            server.serve(router, stopped).await;
        });
    });
    let (address, metrics_address) = addresses.recv_timeout(PATIENCE).expect("the server starts");
    TestServer {
        address,
        metrics_address,
        seen,
        stop,
        tick,
        thread: Some(thread),
    }
}

fn start(settings: ServerSettings) -> TestServer {
    start_with(settings, Router::new())
}

fn routes(seen: Seen) -> Router {
    let note = move |request: Request| {
        let seen = Arc::clone(&seen);
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let body = String::from_utf8_lossy(&body).into_owned();
            seen.lock()
                .unwrap()
                .push(format!("{} {} {body}", parts.method, parts.uri));
            body
        }
    };
    Router::new()
        .route("/hello", get(note.clone()).post(note.clone()))
        .route("/person/{name}", get(note))
        .route(
            "/who",
            get(async |client: Client| format!("{} {}", client.address, client.range)),
        )
        .route(
            "/kept",
            get(async || ([("cache-control", "public, max-age=60")], "kept")),
        )
        .route("/json", post(async |Json(_): Json<serde_json::Value>| "taken"))
        .route("/panic", get(panicking))
}

async fn panicking() -> &'static str {
    panic!("this panic is part of a test")
}

impl TestServer {
    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    fn connect(&self) -> Wire {
        Wire::to(self.address)
    }

    /// Sends bytes on a connection of their own and reads until the server closes it.
    fn exchange(&self, bytes: impl AsRef<[u8]>) -> Vec<Reply> {
        let mut wire = self.connect();
        wire.send(bytes);
        wire.replies()
    }

    /// One request with `Host: localhost`, further header lines, and a body; its one reply.
    fn ask(&self, line: &str, fields: &[&str], body: &str) -> Reply {
        let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
        let length = body.len();
        let mut replies = self.exchange(format!(
            "{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n{fields}\r\n{body}"
        ));
        assert_eq!(replies.len(), 1, "{line}");
        replies.remove(0)
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stop.cancel();
        let ended = self.thread.take().expect("dropped once").join();
        if !std::thread::panicking() {
            ended.expect("the server ends");
        }
    }
}

/// A client's end of a connection.
struct Wire {
    stream: TcpStream,
    /// What was received and not yet read as a reply.
    received: Vec<u8>,
}

impl Wire {
    fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self {
            stream,
            received: Vec::new(),
        }
    }

    /// Sends, as far as the server takes it: it may have closed already, and what it said then is what counts.
    fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref());
    }

    /// The next reply, or `None` at the end of the connection.
    fn reply(&mut self) -> Option<Reply> {
        loop {
            if let Some((reply, length)) = Reply::parse(&self.received) {
                self.received.drain(..length);
                return Some(reply);
            }
            let mut buffer = [0; 16 * 1024];
            match self.stream.read(&mut buffer) {
                Ok(read) if read > 0 => self.received.extend_from_slice(&buffer[..read]),
                Ok(_) => {
                    assert_eq!(String::from_utf8_lossy(&self.received), "", "the rest of a connection");
                    return None;
                }
                Err(fault) if fault.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(fault) => panic!("no reply: {fault}"),
            }
        }
    }

    fn replies(mut self) -> Vec<Reply> {
        std::iter::from_fn(|| self.reply()).collect()
    }
}

#[derive(Debug)]
struct Reply {
    status: u16,
    fields: Vec<(String, String)>,
    body: String,
}

impl Reply {
    /// A whole reply at the beginning of these bytes, and its length.
    fn parse(bytes: &[u8]) -> Option<(Self, usize)> {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let (head, rest) = text.split_once("\r\n\r\n")?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().expect("a status");
        let fields: Vec<(String, String)> = lines
            .map(|line| line.split_once(": ").expect("a field"))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let mut reply = Self {
            status,
            fields,
            body: String::new(),
        };
        let length = reply
            .field("content-length")
            .map_or(0, |length| length.parse().unwrap());
        reply.body = rest.get(..length)?.to_owned();
        Some((reply, head.len() + 4 + length))
    }

    fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(of, _)| of == name);
        found.map(|(_, value)| value.as_str())
    }
}
