//! A connection to PostgreSQL that can be cut exactly before or after a COMMIT.
//!
//! After it: the server has committed, and the client never hears of it. Before it: the server has not heard of the COMMIT.
//! The client cannot tell the two apart.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqlx::postgres::PgConnectOptions;

/// Where a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The COMMIT does not reach the server.
    BeforeCommit,
    /// The server has committed; its answer does not reach the client.
    AfterCommit,
}

/// The message that ends a transaction, as the client sends it: a simple query.
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";

#[derive(Default)]
struct Shared {
    /// COMMITs seen.
    commits: AtomicU64,
    /// Which COMMIT is cut, counted from the one that was last seen, and where.
    cut: Mutex<Option<(u64, Cut)>>,
    /// Connections that were cut.
    made: AtomicU64,
    /// The server is away.
    down: AtomicBool,
    /// Both ends of every connection so far.
    passing: Mutex<Vec<[TcpStream; 2]>>,
}

/// Stands between clients and a server for as long as the process lives.
pub struct Proxy {
    url: String,
    shared: Arc<Shared>,
}

impl Proxy {
    /// Listens on a port of its own and passes everything on to the server of this URL.
    ///
    /// # Panics
    /// When the URL has no host and port, or there is no port to listen on.
    pub fn new(url: &str) -> Self {
        let options = PgConnectOptions::from_str(url).expect("the URL of the tests' server");
        let server = format!("{}:{}", options.get_host(), options.get_port());
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let own = listener.local_addr().expect("a port").to_string();
        assert!(
            url.contains(&server),
            "the URL of the tests' server names host and port"
        );
        let shared = Arc::new(Shared::default());
        let passed = Self {
            url: url.replacen(&server, &own, 1),
            shared: Arc::clone(&shared),
        };
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if shared.down.load(Ordering::SeqCst) {
                    continue;
                }
                let server = TcpStream::connect(&server).expect("the tests' server");
                pass_on(&client, &server, &shared);
            }
        });
        passed
    }

    /// The URL that leads through here.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Cuts the connection at the `nth` COMMIT from now on, the next being the first.
    pub fn cut_at(&self, nth: u64, cut: Cut) {
        let at = self.shared.commits.load(Ordering::SeqCst) + nth;
        *self.shared.cut.lock().unwrap_or_else(PoisonError::into_inner) = Some((at, cut));
    }

    /// The server goes away, as when it is begun again: every connection ends, and there are no new ones.
    pub fn go_down(&self) {
        self.shared.down.store(true, Ordering::SeqCst);
        for [client, server] in self.shared.passing().drain(..) {
            end(&client, &server);
        }
    }

    /// The server is back.
    pub fn come_up(&self) {
        self.shared.down.store(false, Ordering::SeqCst);
    }

    /// COMMITs that were asked for until now.
    pub fn commits(&self) -> u64 {
        self.shared.commits.load(Ordering::SeqCst)
    }

    /// Connections that were cut until now.
    pub fn cuts(&self) -> u64 {
        self.shared.made.load(Ordering::SeqCst)
    }
}

impl Shared {
    fn passing(&self) -> MutexGuard<'_, Vec<[TcpStream; 2]>> {
        self.passing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a COMMIT; answers how it is to be cut.
    fn commit(&self) -> Option<Cut> {
        let number = self.commits.fetch_add(1, Ordering::SeqCst) + 1;
        let mut cut = self.cut.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, how) = cut.take_if(|(at, _)| *at == number)?;
        self.made.fetch_add(1, Ordering::SeqCst);
        Some(how)
    }
}

fn pass_on(client: &TcpStream, server: &TcpStream, shared: &Arc<Shared>) {
    let twice = |stream: &TcpStream| stream.try_clone().expect("a second handle");
    shared.passing().push([twice(client), twice(server)]);
    let swallow = Arc::new(AtomicBool::new(false));
    let (mut from_client, mut to_server) = (twice(client), twice(server));
    let (mut from_server, mut to_client) = (twice(server), twice(client));
    let (shared, swallowing) = (Arc::clone(shared), Arc::clone(&swallow));
    std::thread::spawn(move || {
        let mut bytes = vec![0; 1 << 16];
        while let Ok(read @ 1..) = from_client.read(&mut bytes) {
            let message = &bytes[..read];
            if message.windows(COMMIT.len()).any(|window| window == COMMIT) {
                match shared.commit() {
                    Some(Cut::BeforeCommit) => break,
                    Some(Cut::AfterCommit) => swallowing.store(true, Ordering::SeqCst),
                    None => {}
                }
            }
            if to_server.write_all(message).is_err() {
                break;
            }
        }
        if !swallowing.load(Ordering::SeqCst) {
            end(&from_client, &to_server);
        }
    });
    std::thread::spawn(move || {
        let mut bytes = vec![0; 1 << 16];
        while let Ok(read @ 1..) = from_server.read(&mut bytes) {
            // The first answer after the COMMIT says that it is done.
            if swallow.load(Ordering::SeqCst) || to_client.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        end(&to_client, &from_server);
    });
}

fn end(one: &TcpStream, other: &TcpStream) {
    // Whoever has closed it already is content.
    drop(one.shutdown(Shutdown::Both));
    drop(other.shutdown(Shutdown::Both));
}
