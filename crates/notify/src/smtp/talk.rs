//! One conversation with a mail server.

use std::error::Error as _;
use std::fmt::Display;
use std::io;
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::guard::Guard;
use super::{Relay, Security, Timeouts, short};
use crate::channel::{Lost, Step, Trouble};
use crate::message::Envelope;
use crate::plain;
use crate::reply::Reply;
use crate::wire::Wire;

/// An open connection, signed in where that was asked for.
pub(super) struct Talk {
    connection: AsyncSmtpConnection,
    /// Messages that were handed over by it.
    pub(super) sent: u32,
}

impl std::fmt::Debug for Talk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Talk({} sent)", self.sent)
    }
}

impl Talk {
    /// Connects, protects the connection as asked, signs in. Without the protection nothing more is said.
    pub(super) async fn open(relay: &Relay, tls: Option<&TlsParameters>) -> Result<Self, Trouble> {
        let open = async {
            let mut connection = match (relay.security, tls) {
                (Security::Tls, Some(tls)) => open_tls(relay, tls).await?,
                (Security::StartTls, Some(tls)) => open_starttls(relay, tls).await?,
                (Security::PlainToLoopback, _) => open_plain(relay).await?,
                (Security::Tls | Security::StartTls, None) => {
                    unreachable!("`Smtp::new` makes the parameters of TLS wherever it is asked for")
                }
            };
            sign_in(relay, &mut connection).await?;
            Ok(Self { connection, sent: 0 })
        };
        let late = Trouble {
            step: Step::Connect,
            what: Lost::TimedOut,
        };
        timeout(relay.timeouts.connect, open).await.unwrap_or(Err(late))
    }

    /// Hands one message over. One receiver each, so that a refused one stops no other.
    pub(super) async fn send(
        &mut self,
        envelope: &Envelope,
        message: &Wire,
        timeouts: &Timeouts,
    ) -> Result<Reply, Trouble> {
        let parameters = self.parameters(envelope, message)?;
        let mail = Mail::new(Some(envelope.return_path.address().to_lettre()), parameters);
        self.ask(Step::Sender, mail, &[250], timeouts.command).await?;
        let rcpt = Rcpt::new(envelope.to.to_lettre(), Vec::new());
        self.ask(Step::Recipient, rcpt, &[250, 251, 252], timeouts.command)
            .await?;
        self.ask(Step::Data, Data, &[354], timeouts.command).await?;
        let answer = timeout(timeouts.message, self.connection.command(Content(message))).await;
        let reply = understand(Step::Message, answer, |code| (200..300).contains(&code))?;
        self.sent += 1;
        Ok(reply)
    }

    /// What MAIL must say so that an address beyond ASCII may follow (RFC 6531 §3.4).
    fn parameters(&self, envelope: &Envelope, message: &Wire) -> Result<Vec<MailParameter>, Trouble> {
        if envelope.to.as_str().is_ascii() && !message.needs_utf8() {
            return Ok(Vec::new());
        }
        if !self.connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Err(Trouble {
                step: Step::Recipient,
                what: Lost::Refused(
                    "the mail server takes no addresses beyond ASCII (it offers no SMTPUTF8)".to_owned(),
                ),
            });
        }
        Ok(vec![
            MailParameter::SmtpUtfEight,
            MailParameter::Body(MailBodyParameter::EightBitMime),
        ])
    }

    /// Forgets a message that was refused. True when the connection can go on.
    pub(super) async fn reset(&mut self, timeouts: &Timeouts) -> bool {
        self.ask(Step::Sender, Rset, &[250], timeouts.command).await.is_ok()
    }

    /// Takes leave.
    pub(super) async fn close(mut self, timeouts: &Timeouts) {
        // Whatever it answers, the connection ends here.
        let _ = timeout(timeouts.connect, self.connection.quit()).await;
    }

    async fn ask(
        &mut self,
        step: Step,
        command: impl Display,
        wanted: &[u16],
        wait: Duration,
    ) -> Result<Reply, Trouble> {
        let answer = timeout(wait, self.connection.command(command)).await;
        understand(step, answer, |code| wanted.contains(&code))
    }
}

/// A message as it follows DATA, with its end.
///
/// lettre's own way writes the message and its end apart, and the end then waits until the message is acknowledged, which the
/// other side puts off: 40 ms for nothing (Nagle's algorithm and delayed acknowledgements).
struct Content<'a>(&'a Wire);

impl Display for Content<'_> {
    /// A dot at the beginning of a line is doubled (RFC 5321 §4.5.2). A [`Wire`] has no line that ends otherwise.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for line in self.0.as_text().split_inclusive("\r\n") {
            if line.starts_with('.') {
                f.write_str(".")?;
            }
            f.write_str(line)?;
        }
        f.write_str(".\r\n")
    }
}

async fn open_tls(relay: &Relay, tls: &TlsParameters) -> Result<AsyncSmtpConnection, Trouble> {
    let server = (relay.host.as_str(), relay.port);
    AsyncSmtpConnection::connect_tokio1(server, None, &hello(relay), Some(tls.clone()), None)
        .await
        .map_err(|error| {
            let step = if is_handshake(&error) { Step::Tls } else { Step::Connect };
            trouble(step, &error)
        })
}

async fn open_starttls(relay: &Relay, tls: &TlsParameters) -> Result<AsyncSmtpConnection, Trouble> {
    let stream = TcpStream::connect((relay.host.as_str(), relay.port))
        .await
        .map_err(|error| lost(&error))?;
    stream.set_nodelay(true).map_err(|error| lost(&error))?;
    let mut connection = AsyncSmtpConnection::connect_with_transport(Box::new(Guard::new(stream)), &hello(relay))
        .await
        .map_err(|error| trouble(Step::Connect, &error))?;
    connection
        .starttls(tls.clone(), &hello(relay))
        .await
        .map_err(|error| trouble(Step::Tls, &error))?;
    Ok(connection)
}

async fn open_plain(relay: &Relay) -> Result<AsyncSmtpConnection, Trouble> {
    let addresses = lookup_host((relay.host.as_str(), relay.port))
        .await
        .map_err(|error| lost(&error))?;
    let local: Vec<_> = addresses.filter(|address| address.ip().is_loopback()).collect();
    if local.is_empty() {
        return Err(Trouble {
            step: Step::Tls,
            what: Lost::Refused(format!(
                "{} is not this machine, so the way there needs TLS",
                relay.host
            )),
        });
    }
    let stream = TcpStream::connect(local.as_slice())
        .await
        .map_err(|error| lost(&error))?;
    AsyncSmtpConnection::connect_with_transport(Box::new(Guard::new(stream)), &hello(relay))
        .await
        .map_err(|error| trouble(Step::Connect, &error))
}

async fn sign_in(relay: &Relay, connection: &mut AsyncSmtpConnection) -> Result<(), Trouble> {
    let Some(credentials) = &relay.credentials else {
        return Ok(());
    };
    let credentials = Credentials::new(credentials.name.clone(), credentials.password.as_str().to_owned());
    let answer = connection.auth(DEFAULT_MECHANISMS, &credentials).await;
    understand(Step::SignIn, Ok(answer), |code| code == 235).map(drop)
}

fn hello(relay: &Relay) -> ClientId {
    ClientId::Domain(relay.hello.clone())
}

fn understand(
    step: Step,
    answer: Result<Result<Response, Error>, tokio::time::error::Elapsed>,
    is_wanted: impl Fn(u16) -> bool,
) -> Result<Reply, Trouble> {
    let response = match answer {
        Err(_) => {
            return Err(Trouble {
                step,
                what: Lost::TimedOut,
            });
        }
        Ok(Err(error)) => return Err(trouble(step, &error)),
        Ok(Ok(response)) => response,
    };
    let lines: Vec<&str> = response.message().collect();
    let reply = Reply::new(u16::from(response.code()), &lines.join(" "));
    if is_wanted(reply.code) {
        return Ok(reply);
    }
    Err(Trouble {
        step,
        what: Lost::Answered(reply),
    })
}

fn trouble(step: Step, error: &Error) -> Trouble {
    let what = if let Some(code) = error.status() {
        let text = error.source().map(ToString::to_string).unwrap_or_default();
        Lost::Answered(Reply::new(u16::from(code), &text))
    } else if is_before_mail(step) && (error.is_client() || is_handshake(error)) {
        Lost::Refused(short(error))
    } else {
        Lost::Connection(short(error))
    };
    Trouble { step, what }
}

/// In these steps it may be us who does not go on. Later what lettre itself refuses is an answer that it cannot read.
const fn is_before_mail(step: Step) -> bool {
    matches!(step, Step::Connect | Step::Tls | Step::SignIn)
}

fn lost(error: &io::Error) -> Trouble {
    Trouble {
        step: Step::Connect,
        what: Lost::Connection(plain::one_line(&error.to_string(), plain::LONGEST_REPLY)),
    }
}

/// TLS itself said no: a certificate that does not hold, or what was no TLS. Its errors are wrapped as invalid data; a
/// connection that just failed has an error of the system.
fn is_handshake(error: &Error) -> bool {
    let mut source = error.source();
    while let Some(cause) = source {
        let is_invalid = cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::InvalidData && error.get_ref().is_some());
        if is_invalid {
            return true;
        }
        source = cause.source();
    }
    false
}
