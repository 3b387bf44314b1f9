//! A mail server that keeps what it gets, and fails as it is told.
//!
//! It runs on threads of its own and on loopback alone, so that tests with and without a runtime may ask it. It speaks enough
//! of RFC 5321 for one client after another and for many at once: EHLO, HELO, STARTTLS, AUTH (PLAIN, LOGIN), MAIL, RCPT, DATA,
//! RSET, NOOP, QUIT. At each of them it can be told to answer something else, hang up, or say nothing at all.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// How long [`Sink::wait_for`] waits before it gives the test up.
const PATIENCE: Duration = Duration::from_secs(30);

/// The step at which a fault happens: the answer to what the client says there, or to its connecting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// The client has connected.
    Greeting,
    /// EHLO or HELO.
    Ehlo,
    /// STARTTLS.
    StartTls,
    /// AUTH, before any challenge.
    Auth,
    /// MAIL.
    Mail,
    /// RCPT.
    Rcpt,
    /// DATA, before the message.
    Data,
    /// The message with its end.
    Message,
    /// RSET.
    Rset,
    /// NOOP.
    Noop,
    /// QUIT.
    Quit,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This answer, with its line's end put behind, and nothing is done.
    Reply(String),
    /// No answer; the connection ends.
    HangUp,
    /// The usual answer, which is meant; then the connection ends.
    AnswerThenHangUp,
    /// These bytes and no more; then the connection ends.
    Partial(Vec<u8>),
    /// No answer until the client leaves.
    Silence,
    /// At [`Verb::Message`]: the connection ends within the message, after so many bytes.
    CutWithin(usize),
    /// At [`Verb::StartTls`]: the usual answer, with these bytes behind it in the same packet; then TLS.
    Inject(Vec<u8>),
    /// At [`Verb::StartTls`]: the usual answer, then bytes that are no TLS.
    NoTls,
}

/// How a connection is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protection {
    /// Not at all.
    #[default]
    None,
    /// STARTTLS is offered.
    StartTls,
    /// TLS from the first byte.
    Tls,
}

/// How a [`Sink`] is to be.
#[derive(Clone, Debug)]
pub struct Setup {
    /// How connections are protected.
    pub protection: Protection,
    /// The name in the certificate. What the client connects to is always `127.0.0.1`.
    pub name: String,
    /// The certificate ran out in 2020.
    pub is_expired: bool,
    /// A name and a password without which it takes no mail.
    pub user: Option<(String, String)>,
    /// A bare LF and a bare CR end a line too, as with servers that can be smuggled through.
    pub is_lenient: bool,
    /// It offers SMTPUTF8.
    pub takes_utf8: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            protection: Protection::None,
            name: "127.0.0.1".to_owned(),
            is_expired: false,
            user: None,
            is_lenient: false,
            takes_utf8: false,
        }
    }
}

/// A message that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The return path, without its brackets.
    pub from: String,
    /// The receivers, without brackets.
    pub to: Vec<String>,
    /// The message, dots at the beginning of lines taken off as RFC 5321 §4.5.2 says, line ends as they came.
    pub data: Vec<u8>,
    /// Bytes as they came, with the end.
    pub raw: Vec<u8>,
    /// It came under TLS.
    pub under_tls: bool,
    /// Who had signed in.
    pub user: Option<String>,
}

#[derive(Default)]
struct State {
    messages: Vec<Received>,
    /// Command lines, as they came.
    heard: Vec<String>,
    connections: usize,
    /// Faults that happen once, in their order, and those that happen every time.
    once: VecDeque<(Verb, Fault)>,
    always: Vec<(Verb, Fault)>,
}

struct Shared {
    setup: Setup,
    tls: Arc<ServerConfig>,
    state: Mutex<State>,
    grown: Condvar,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fault for this step, if one is due.
    fn fault(&self, verb: Verb) -> Option<Fault> {
        let mut state = self.state();
        if let Some(at) = state.once.iter().position(|(at, _)| *at == verb) {
            return state.once.remove(at).map(|(_, fault)| fault);
        }
        let always = state.always.iter().find(|(at, _)| *at == verb);
        always.map(|(_, fault)| fault.clone())
    }
}

/// A mail server for tests, for as long as the process lives.
pub struct Sink {
    port: u16,
    authority: String,
    shared: Arc<Shared>,
}

impl Sink {
    /// A server without protection and without faults.
    pub fn plain() -> Self {
        Self::new(Setup::default())
    }

    /// A server that offers STARTTLS.
    pub fn starttls() -> Self {
        Self::new(Setup {
            protection: Protection::StartTls,
            ..Setup::default()
        })
    }

    /// A server that speaks TLS from the first byte.
    pub fn tls() -> Self {
        Self::new(Setup {
            protection: Protection::Tls,
            ..Setup::default()
        })
    }

    /// A server that is set up like this. Each has an authority and a certificate of its own.
    ///
    /// # Panics
    /// When there is no port to listen on, or no certificate can be made for the name.
    pub fn new(setup: Setup) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("a port").port();
        let (tls, authority) = certificate(&setup);
        let shared = Arc::new(Shared {
            setup,
            tls: Arc::new(tls),
            state: Mutex::default(),
            grown: Condvar::new(),
        });
        let sink = Self {
            port,
            authority,
            shared: Arc::clone(&shared),
        };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                shared.state().connections += 1;
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || {
                    // A client that leaves, or does not like the certificate, is what many tests are about.
                    drop(Session::run(&shared, stream));
                });
            }
        });
        sink
    }

    /// The port at `127.0.0.1`.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The certificate of the authority to trust, as PEM.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Makes this go wrong once, the next time. Several for one step happen one after another.
    pub fn fail(&self, verb: Verb, fault: Fault) {
        self.shared.state().once.push_back((verb, fault));
    }

    /// Makes this go wrong every time.
    pub fn fail_always(&self, verb: Verb, fault: Fault) {
        self.shared.state().always.push((verb, fault));
    }

    /// Takes all faults back.
    pub fn mend(&self) {
        let mut state = self.shared.state();
        state.once.clear();
        state.always.clear();
    }

    /// What was taken until now.
    pub fn messages(&self) -> Vec<Received> {
        self.shared.state().messages.clone()
    }

    /// Waits until so many messages were taken; returns all of them.
    ///
    /// # Panics
    /// When they do not come within half a minute.
    pub fn wait_for(&self, count: usize) -> Vec<Received> {
        let state = self.shared.state();
        let (state, late) = self
            .shared
            .grown
            .wait_timeout_while(state, PATIENCE, |state| state.messages.len() < count)
            .unwrap_or_else(PoisonError::into_inner);
        assert!(!late.timed_out(), "{} of {count} messages came", state.messages.len());
        state.messages.clone()
    }

    /// The lines of commands that were heard, before and under TLS.
    pub fn heard(&self) -> Vec<String> {
        self.shared.state().heard.clone()
    }

    /// How often a client has connected.
    pub fn connections(&self) -> usize {
        self.shared.state().connections
    }
}

fn certificate(setup: &Setup) -> (ServerConfig, String) {
    let mut params = CertificateParams::new(Vec::new()).expect("no names are no wrong names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let authority = CertifiedIssuer::self_signed(params, key).expect("an authority");
    let mut params = CertificateParams::new(vec![setup.name.clone()]).expect("a host name");
    if setup.is_expired {
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
    }
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, &authority).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the versions that the provider has")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("a key that fits its certificate");
    (config, authority.pem())
}

enum Wire {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
    /// Between the two.
    None,
}

impl Wire {
    fn stream(&mut self) -> io::Result<&mut dyn ReadWrite> {
        match self {
            Self::Plain(stream) => Ok(stream),
            Self::Tls(stream) => Ok(stream.as_mut()),
            Self::None => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

trait ReadWrite: Read + Write {}
impl<S: Read + Write> ReadWrite for S {}

/// The conversation goes on, or is over.
enum Next {
    On,
    Over,
}

struct Session<'a> {
    shared: &'a Shared,
    wire: Wire,
    /// A second handle, to hang up by.
    socket: TcpStream,
    /// Read and not used yet.
    ahead: VecDeque<u8>,
    under_tls: bool,
    user: Option<String>,
    from: Option<String>,
    to: Vec<String>,
}

impl<'a> Session<'a> {
    fn run(shared: &'a Shared, stream: TcpStream) -> io::Result<()> {
        // Small answers would wait for acknowledgements of what went before.
        stream.set_nodelay(true)?;
        let mut session = Self {
            shared,
            socket: stream.try_clone()?,
            wire: Wire::Plain(stream),
            ahead: VecDeque::new(),
            under_tls: false,
            user: None,
            from: None,
            to: Vec::new(),
        };
        if shared.setup.protection == Protection::Tls {
            session.begin_tls()?;
        }
        let over = session.talk();
        // Whoever has closed it already is content.
        drop(session.socket.shutdown(Shutdown::Both));
        over
    }

    fn talk(&mut self) -> io::Result<()> {
        let mut next = self.answer(Verb::Greeting, "220 sink.example ESMTP")?;
        while let Next::On = next {
            let Some((line, _)) = self.line()? else {
                return Ok(());
            };
            let line = String::from_utf8_lossy(&line).into_owned();
            self.shared.state().heard.push(line.clone());
            next = self.command(&line)?;
        }
        Ok(())
    }

    fn command(&mut self, line: &str) -> io::Result<Next> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => {
                let offers = self.offers();
                self.answer(Verb::Ehlo, &offers)
            }
            "HELO" => self.answer(Verb::Ehlo, "250 sink.example"),
            "STARTTLS" => self.starttls(),
            "AUTH" => self.auth(rest),
            "MAIL" => self.mail(rest),
            "RCPT" => self.rcpt(rest),
            "DATA" => self.data(),
            "RSET" => {
                (self.from, self.to) = (None, Vec::new());
                self.answer(Verb::Rset, "250 2.0.0 forgotten")
            }
            "NOOP" => self.answer(Verb::Noop, "250 2.0.0 still here"),
            "QUIT" => {
                self.answer(Verb::Quit, "221 2.0.0 bye")?;
                Ok(Next::Over)
            }
            _ => self.say("500 5.5.2 what?"),
        }
    }

    fn offers(&self) -> String {
        let setup = &self.shared.setup;
        let mut offers = vec!["sink.example", "8BITMIME", "ENHANCEDSTATUSCODES", "SIZE 1000000"];
        if setup.protection == Protection::StartTls && !self.under_tls {
            offers.push("STARTTLS");
        }
        if setup.user.is_some() {
            offers.push("AUTH PLAIN LOGIN");
        }
        if setup.takes_utf8 {
            offers.push("SMTPUTF8");
        }
        let last = offers.len() - 1;
        let lines = offers
            .iter()
            .enumerate()
            .map(|(at, offer)| format!("250{}{offer}", if at == last { ' ' } else { '-' }));
        lines.collect::<Vec<_>>().join("\r\n")
    }

    fn starttls(&mut self) -> io::Result<Next> {
        if self.shared.setup.protection != Protection::StartTls || self.under_tls {
            return self.answer(Verb::StartTls, "502 5.5.1 not here");
        }
        match self.shared.fault(Verb::StartTls) {
            Some(Fault::Inject(bytes)) => self.write(&[b"220 2.0.0 go\r\n", bytes.as_slice()].concat())?,
            Some(Fault::NoTls) => {
                self.write(b"220 2.0.0 go\r\n")?;
                self.write(b"500 what?\r\n500 what?\r\n")?;
                return self.silence();
            }
            Some(fault) => {
                if let Next::Over = self.fail(fault, "220 2.0.0 go")? {
                    return Ok(Next::Over);
                }
                return Ok(Next::On);
            }
            None => self.write(b"220 2.0.0 go\r\n")?,
        }
        // What came before TLS is forgotten (RFC 3207 §4.2).
        self.ahead.clear();
        (self.user, self.from, self.to) = (None, None, Vec::new());
        self.begin_tls()?;
        Ok(Next::On)
    }

    fn begin_tls(&mut self) -> io::Result<()> {
        let Wire::Plain(stream) = std::mem::replace(&mut self.wire, Wire::None) else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let connection = ServerConnection::new(Arc::clone(&self.shared.tls)).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(connection, stream);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        self.wire = Wire::Tls(Box::new(stream));
        self.under_tls = true;
        Ok(())
    }

    fn auth(&mut self, rest: &str) -> io::Result<Next> {
        if let Some(fault) = self.shared.fault(Verb::Auth) {
            return self.fail(fault, "235 2.7.0 welcome");
        }
        let (mechanism, first) = rest.split_once(' ').unwrap_or((rest, ""));
        let given = match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => {
                let text = if first.is_empty() {
                    self.challenge("")?
                } else {
                    decode(first)
                };
                let mut parts = text.split('\0').skip(1);
                (
                    parts.next().unwrap_or_default().to_owned(),
                    parts.next().unwrap_or_default().to_owned(),
                )
            }
            "LOGIN" => (self.challenge("Username:")?, self.challenge("Password:")?),
            _ => return self.say("504 5.5.4 no such mechanism"),
        };
        if self.shared.setup.user.as_ref() != Some(&given) {
            return self.say("535 5.7.8 wrong");
        }
        self.user = Some(given.0);
        self.say("235 2.7.0 welcome")
    }

    fn challenge(&mut self, text: &str) -> io::Result<String> {
        self.write(format!("334 {}\r\n", BASE64.encode(text)).as_bytes())?;
        let (line, _) = self.line()?.ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(decode(&String::from_utf8_lossy(&line)))
    }

    fn mail(&mut self, rest: &str) -> io::Result<Next> {
        if let Some(fault) = self.shared.fault(Verb::Mail) {
            return self.fail(fault, "250 2.1.0 go on");
        }
        if self.shared.setup.user.is_some() && self.user.is_none() {
            return self.say("530 5.7.0 sign in first");
        }
        self.from = Some(path(rest));
        self.to.clear();
        self.say("250 2.1.0 go on")
    }

    fn rcpt(&mut self, rest: &str) -> io::Result<Next> {
        if let Some(fault) = self.shared.fault(Verb::Rcpt) {
            return self.fail(fault, "250 2.1.5 go on");
        }
        if self.from.is_none() {
            return self.say("503 5.5.1 MAIL first");
        }
        self.to.push(path(rest));
        self.say("250 2.1.5 go on")
    }

    fn data(&mut self) -> io::Result<Next> {
        if let Some(fault) = self.shared.fault(Verb::Data) {
            return self.fail(fault, "354 go on");
        }
        if self.to.is_empty() {
            return self.say("503 5.5.1 RCPT first");
        }
        self.write(b"354 go on\r\n")?;
        let fault = self.shared.fault(Verb::Message);
        if let Some(Fault::CutWithin(bytes)) = fault {
            for _ in 0..bytes {
                self.byte()?;
            }
            return Ok(Next::Over);
        }
        let Some(message) = self.message()? else {
            return Ok(Next::Over);
        };
        match fault {
            Some(Fault::AnswerThenHangUp) => {
                self.keep(message);
                self.say("250 2.0.0 taken")?;
                Ok(Next::Over)
            }
            // It has the message; the client does not hear of it.
            Some(Fault::HangUp) => {
                self.keep(message);
                Ok(Next::Over)
            }
            Some(fault) => self.fail(fault, "250 2.0.0 taken"),
            None => {
                self.keep(message);
                self.say("250 2.0.0 taken")
            }
        }
    }

    /// Reads a message to its end; `None` when the client leaves before it.
    fn message(&mut self) -> io::Result<Option<Received>> {
        let (mut data, mut raw) = (Vec::new(), Vec::new());
        loop {
            let Some((line, end)) = self.line()? else {
                return Ok(None);
            };
            raw.extend_from_slice(&line);
            raw.extend_from_slice(&end);
            if line == b"." {
                break;
            }
            data.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            data.extend_from_slice(&end);
        }
        Ok(Some(Received {
            from: self.from.take().unwrap_or_default(),
            to: std::mem::take(&mut self.to),
            data,
            raw,
            under_tls: self.under_tls,
            user: self.user.clone(),
        }))
    }

    fn keep(&self, message: Received) {
        self.shared.state().messages.push(message);
        self.shared.grown.notify_all();
    }

    /// The usual answer, or the fault that is due.
    fn answer(&mut self, verb: Verb, usual: &str) -> io::Result<Next> {
        match self.shared.fault(verb) {
            Some(fault) => self.fail(fault, usual),
            None => self.say(usual),
        }
    }

    fn fail(&mut self, fault: Fault, usual: &str) -> io::Result<Next> {
        match fault {
            Fault::Reply(reply) => self.say(&reply),
            Fault::HangUp | Fault::CutWithin(_) => Ok(Next::Over),
            Fault::AnswerThenHangUp => {
                self.say(usual)?;
                Ok(Next::Over)
            }
            Fault::Partial(bytes) => {
                self.write(&bytes)?;
                Ok(Next::Over)
            }
            Fault::Silence => self.silence(),
            Fault::Inject(_) | Fault::NoTls => panic!("{fault:?} belongs to STARTTLS"),
        }
    }

    /// Hears the client out without a word.
    fn silence(&mut self) -> io::Result<Next> {
        while self.byte()?.is_some() {}
        Ok(Next::Over)
    }

    fn say(&mut self, reply: &str) -> io::Result<Next> {
        self.write(format!("{reply}\r\n").as_bytes())?;
        Ok(Next::On)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let stream = self.wire.stream()?;
        stream.write_all(bytes)?;
        stream.flush()
    }

    /// A line and its end; `None` when the client left.
    fn line(&mut self) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
        let mut line = Vec::new();
        while let Some(byte) = self.byte()? {
            match byte {
                b'\n' if line.last() == Some(&b'\r') => {
                    line.pop();
                    return Ok(Some((line, b"\r\n".to_vec())));
                }
                b'\n' if self.shared.setup.is_lenient => return Ok(Some((line, b"\n".to_vec()))),
                _ if self.shared.setup.is_lenient && line.last() == Some(&b'\r') => {
                    self.ahead.push_front(byte);
                    line.pop();
                    return Ok(Some((line, b"\r".to_vec())));
                }
                _ => line.push(byte),
            }
        }
        Ok(None)
    }

    fn byte(&mut self) -> io::Result<Option<u8>> {
        if self.ahead.is_empty() {
            let mut bytes = [0; 4096];
            let read = match self.wire.stream()?.read(&mut bytes) {
                Ok(read) => read,
                // A client that leaves without taking leave of TLS.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
                Err(error) => return Err(error),
            };
            self.ahead.extend(&bytes[..read]);
        }
        Ok(self.ahead.pop_front())
    }
}

/// The address between the brackets of `FROM:<…>` or `TO:<…>`.
fn path(rest: &str) -> String {
    let inner = rest.split_once('<').and_then(|(_, after)| after.split_once('>'));
    inner.map_or_else(String::new, |(address, _)| address.to_owned())
}

fn decode(text: &str) -> String {
    let bytes = BASE64.decode(text.trim()).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
