//! To a mail server (RFC 5321): one message, one receiver at a time, over connections that are kept for the next one.
//!
//! The dialogue is lettre's, step by step instead of in one call, for what a failure means depends on the step: until the
//! message itself is sent nothing can have arrived, and after that nothing may be sent again.

mod guard;
mod talk;

use std::error::Error as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters};
use tokio::sync::Semaphore;

use crate::channel::{Delivery, Lost, Step, Trouble, Whose};
use crate::message::Envelope;
use crate::plain;
use crate::reply::{Class, Reply};
use crate::wire::Wire;
use talk::Talk;

/// Messages after which a connection is given up: some servers count them and then hang up without a word.
const MESSAGES_PER_CONNECTION: u32 = 100;

/// How the way to the server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (RFC 8314), usually port 465.
    Tls,
    /// STARTTLS, required, usually port 587. Nothing is said before it, and nothing heard before it is believed.
    StartTls,
    /// None. Only to this machine itself.
    PlainToLoopback,
}

/// Whom we believe that a server is the one it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// The authorities that the system trusts.
    #[default]
    System,
    /// These authorities alone (PEM), for a relay of one's own.
    Only(String),
}

/// What we sign in to the server with. Its `Debug` shows the name alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    name: String,
    password: zeroize::Zeroizing<String>,
}

impl Credentials {
    /// A name and its password.
    pub fn new(name: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            password: zeroize::Zeroizing::new(password.into()),
        }
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({}, hidden)", self.name)
    }
}

/// How long we wait. The defaults are those of RFC 5321 §4.5.3.2; a shorter one makes duplicates, for what the server took
/// after we left is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the connection with its greeting, TLS and signing in, all together. 60 seconds.
    pub connect: Duration,
    /// For the answer to each command. 5 minutes.
    pub command: Duration,
    /// For taking the message and the answer to it. 10 minutes.
    pub message: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(60),
            command: Duration::from_secs(5 * 60),
            message: Duration::from_secs(10 * 60),
        }
    }
}

/// A mail server that sends for us.
#[derive(Clone, Debug)]
pub struct Relay {
    /// Its host name, which its certificate must bear.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way there is protected.
    pub security: Security,
    /// Whom we believe about its name.
    pub trust: Trust,
    /// What we sign in with; `None` where it knows us by our address.
    pub credentials: Option<Credentials>,
    /// What we call ourselves (EHLO): a host name of ours.
    pub hello: String,
    /// How long we wait.
    pub timeouts: Timeouts,
    /// Connections at once, at least 1.
    pub connections: usize,
}

/// Why a [`Relay`] cannot be used as it is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RelayRefused {
    /// The host name, or our own, is none.
    Host(String),
    /// The authorities to trust are no PEM certificates, or the system has none.
    Trust(String),
}

impl std::fmt::Display for RelayRefused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Host(name) => write!(f, "`{name}` is no host name of a mail server"),
            Self::Trust(why) => write!(f, "there are no certificates to trust the mail server by: {why}"),
        }
    }
}

impl std::error::Error for RelayRefused {}

/// A way to a mail server, with the connections to it.
pub struct Smtp {
    relay: Relay,
    tls: Option<TlsParameters>,
    slots: Semaphore,
    idle: Mutex<Vec<Talk>>,
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Smtp")
            .field("relay", &self.relay)
            .finish_non_exhaustive()
    }
}

impl Smtp {
    /// The way to this server. Connects nowhere yet.
    ///
    /// # Errors
    /// When a name is no host name, or there is nothing to trust the server by.
    pub fn new(relay: Relay) -> Result<Self, RelayRefused> {
        for name in [&relay.host, &relay.hello] {
            let is_name = !name.is_empty()
                && name.len() <= 253
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte));
            if !is_name {
                return Err(RelayRefused::Host(plain::one_line(name, 80)));
            }
        }
        let tls = match relay.security {
            Security::PlainToLoopback => None,
            Security::Tls | Security::StartTls => Some(tls(&relay)?),
        };
        Ok(Self {
            slots: Semaphore::new(relay.connections.max(1)),
            idle: Mutex::new(Vec::new()),
            relay,
            tls,
        })
    }

    /// Hands one message over.
    pub(crate) async fn send(&self, envelope: &Envelope, message: &Wire) -> Delivery {
        let _slot = self.slots.acquire().await.expect("the semaphore is never closed");
        match self.attempt(envelope, message).await {
            Ok(reply) => Delivery::Sent { reply },
            Err(trouble) => verdict(trouble),
        }
    }

    async fn attempt(&self, envelope: &Envelope, message: &Wire) -> Result<Reply, Trouble> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(talk) = idle {
            match self.hand_over(talk, envelope, message).await {
                // Servers hang up on who is silent for long. Nothing of the message was said yet, so a new connection may.
                Err(trouble) if is_hung_up(&trouble) => {}
                answered => return answered,
            }
        }
        let talk = Talk::open(&self.relay, self.tls.as_ref()).await?;
        self.hand_over(talk, envelope, message).await
    }

    /// One message over this connection, which is kept where it is still good.
    async fn hand_over(&self, mut talk: Talk, envelope: &Envelope, message: &Wire) -> Result<Reply, Trouble> {
        let answered = talk.send(envelope, message, &self.relay.timeouts).await;
        let is_good = match &answered {
            Ok(_) => talk.sent < MESSAGES_PER_CONNECTION,
            Err(trouble) => leaves_connection(trouble) && talk.reset(&self.relay.timeouts).await,
        };
        if is_good {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(talk);
        } else if answered.is_ok() {
            talk.close(&self.relay.timeouts).await;
        }
        answered
    }

    /// Takes leave of the server on every connection that is idle.
    pub async fn close(&self) {
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        for talk in idle {
            talk.close(&self.relay.timeouts).await;
        }
    }
}

fn tls(relay: &Relay) -> Result<TlsParameters, RelayRefused> {
    let refused = |error: lettre::transport::smtp::Error| RelayRefused::Trust(short(&error));
    let builder = TlsParameters::builder(relay.host.clone());
    let builder = match &relay.trust {
        Trust::System => builder,
        Trust::Only(pem) => {
            let authority = Certificate::from_pem(pem.as_bytes()).map_err(refused)?;
            builder
                .certificate_store(CertificateStore::None)
                .add_root_certificate(authority)
        }
    };
    builder.build().map_err(refused)
}

/// What a failure means for the message.
fn verdict(trouble: Trouble) -> Delivery {
    match (trouble.step, &trouble.what) {
        (Step::Sender | Step::Recipient | Step::Data | Step::Message, Lost::Answered(reply)) if reply.code >= 500 => {
            let meaning = reply.meaning(trouble.step);
            Delivery::Never {
                whose: meaning.about,
                class: meaning.class,
                trouble,
            }
        }
        (Step::Message, Lost::Answered(reply)) if reply.code >= 400 => Delivery::Later { trouble },
        (Step::Message, _) => Delivery::Unknown { trouble },
        (Step::Recipient, Lost::Refused(_)) => Delivery::Never {
            whose: Whose::Address,
            class: Class::Soft,
            trouble,
        },
        _ => Delivery::Later { trouble },
    }
}

/// The server hung up while nobody spoke; what it said as it did so (421) may only be read now.
fn is_hung_up(trouble: &Trouble) -> bool {
    trouble.step == Step::Sender
        && match &trouble.what {
            Lost::Connection(_) => true,
            Lost::Answered(reply) => reply.code == 421,
            Lost::TimedOut | Lost::Refused(_) => false,
        }
}

/// After this failure the connection can go on with another message.
const fn leaves_connection(trouble: &Trouble) -> bool {
    match &trouble.what {
        // 421 means: I am closing the connection. A 2xx or 3xx that does not belong means: we do not understand each other.
        Lost::Answered(reply) => reply.code >= 400 && reply.code != 421,
        Lost::Refused(_) => matches!(trouble.step, Step::Recipient),
        Lost::Connection(_) | Lost::TimedOut => false,
    }
}

/// An error and its causes on one short line.
fn short(error: &lettre::transport::smtp::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source().and_then(std::error::Error::source);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    plain::one_line(&text, plain::LONGEST_REPLY)
}
