//! The server under the pages: sockets, HTTP/1.1, and what every request meets before its handler.
//!
//! A request passes, in this order: the caps on connections (`listener`), TLS (`tls`), the gate with its strict reading of
//! heads and its time limits (`gate`, `head`, `chunks`), hyper, and then one function (`answer`): whose address it is,
//! whether it names our host, whether another site asked for it, its body read whole, the router, the headers of the
//! response, the log line. Handlers find a [`Client`] among their arguments.
//!
//! Nothing here reads a clock or draws chance: [`ServerParts`] brings both.

mod answer;
mod base_url;
mod chunks;
mod client;
mod cross_site;
mod gate;
mod head;
mod headers;
mod listener;
mod log;
mod observe;
mod refusal;
#[cfg(test)]
mod tests;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use ipnet::IpNet;
use rightful_core::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::base_url::{BaseUrl, BaseUrlFault};
pub use self::client::{AddressRange, Client, RequestId};
pub use self::log::{LogFault, LogForm, log_subscriber};
pub use self::observe::Metrics;
pub use self::tls::{CertificateFault, CertificateFiles};

use self::answer::{Answerer, Role, plain_error_page};
use self::client::RequestIds;
use self::gate::GateLimits;
use self::listener::{House, Slots, accept};
use self::observe::with_routes;
use self::tls::Certificates;

/// Reads the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Tells whether the site can do its work now; if not, why (for the log alone).
pub type Ready = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;

/// Makes the page for a failure that has no words of its own.
pub type ErrorPage = Arc<dyn Fn(&Failure<'_>) -> Response + Send + Sync>;

/// A failure that needs a page, or a problem document (RFC 9457) where the client asks for JSON.
pub struct Failure<'a> {
    /// The status that the response will have, whatever the page says.
    pub status: StatusCode,
    /// Who asked; its request id is the reference number to show.
    pub client: &'a Client,
    /// The path that was asked for. Written by a stranger.
    pub path: &'a str,
    /// The fields of the request, for the language and the form of the answer. Written by a stranger.
    pub headers: &'a HeaderMap,
}

/// How the server is set up. The defaults are those of the configuration reference.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// Where to listen. Port 0 lets the system choose.
    pub address: SocketAddr,
    /// Where to show numbers, in plain HTTP. Without it they are shown at `/metrics` to clients on this machine.
    pub metrics_address: Option<SocketAddr>,
    /// The site's one name. Without it, only names of this machine are answered.
    pub base_url: Option<BaseUrl>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// For TLS here, rather than in a proxy.
    pub certificate: Option<CertificateFiles>,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// How much there may be.
    pub caps: Caps,
    /// Paths that take larger bodies than `caps.body_bytes`, with how many bytes.
    pub body_limits: Vec<(String, usize)>,
    /// Exact paths where changes may be asked for by other sites, because they prove themselves in another way than by a
    /// cookie: token endpoints, incoming events. Reviewed one by one.
    pub cross_site_paths: Vec<String>,
}

impl ServerSettings {
    /// The settings of a server on one address, without a base URL.
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            metrics_address: None,
            base_url: None,
            trusted_proxies: Vec::new(),
            certificate: None,
            timeouts: Timeouts::default(),
            caps: Caps::default(),
            body_limits: Vec::new(),
            cross_site_paths: Vec::new(),
        }
    }

    fn body_limit(&self, path: &str) -> usize {
        let own = self.body_limits.iter().find(|(of, _)| of == path);
        own.map_or(self.caps.body_bytes, |(_, limit)| *limit)
    }
}

/// How long things may take.
#[derive(Clone, Debug)]
pub struct Timeouts {
    /// From the first byte of a request, or from the connection, to the end of its head. Also for a TLS handshake.
    pub head: Duration,
    /// For the body, and again for the handler.
    pub request: Duration,
    /// Between two requests of a connection.
    pub idle: Duration,
    /// For the client to take what was written, from when it first keeps us waiting until all is out.
    pub write: Duration,
    /// For the client to take note that we have closed.
    pub close: Duration,
    /// For requests under way when the server is told to stop.
    pub stop: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            request: Duration::from_secs(30),
            idle: Duration::from_secs(60),
            write: Duration::from_secs(15),
            close: Duration::from_secs(2),
            stop: Duration::from_secs(20),
        }
    }
}

/// How much there may be.
#[derive(Clone, Debug)]
pub struct Caps {
    /// Connections at once.
    pub connections: usize,
    /// Connections at once from one address range (/24, /64); trusted proxies are not counted.
    pub connections_per_range: usize,
    /// Bytes of a request's head.
    pub head_bytes: usize,
    /// Fields of a request's head.
    pub head_fields: usize,
    /// Bytes of a request's body. It is read whole before its handler is asked.
    pub body_bytes: usize,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            connections: 4096,
            connections_per_range: 512,
            head_bytes: 16 * 1024,
            head_fields: 64,
            body_bytes: 64 * 1024,
        }
    }
}

/// What the server is given by who starts it.
pub struct ServerParts {
    /// The clock, for durations.
    pub clock: Clock,
    /// Random bytes, drawn at the start, from which request ids are made.
    pub request_key: [u8; 16],
    /// What `/health/ready` asks.
    pub ready: Ready,
    /// Pages for failures; plain text where there is none.
    pub error_page: Option<ErrorPage>,
    /// The numbers.
    pub metrics: Metrics,
    /// Notified every some seconds: changed certificates are read, measured durations summed up.
    pub tick: Arc<Notify>,
}

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ServerFault {
    /// The address is taken, or not ours.
    #[error("cannot listen on {address}: {fault}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the system says.
        fault: io::Error,
    },
    /// The certificate cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateFault),
}

/// A server that listens and does not answer yet.
pub struct Server {
    site: TcpListener,
    numbers: Option<TcpListener>,
    certificates: Option<Arc<Certificates>>,
    settings: ServerSettings,
    parts: ServerParts,
}

impl Server {
    /// Takes the addresses and reads the certificate. Clients that come are kept waiting until [`Server::serve`].
    pub async fn bind(settings: ServerSettings, parts: ServerParts) -> Result<Self, ServerFault> {
        let certificates = settings.certificate.clone().map(Certificates::load).transpose()?;
        let numbers = match settings.metrics_address {
            Some(address) => Some(listen(address).await?),
            None => None,
        };
        Ok(Self {
            site: listen(settings.address).await?,
            numbers,
            certificates: certificates.map(Arc::new),
            settings,
            parts,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.site.local_addr()
    }

    /// Where it shows numbers, if on an address of their own.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.numbers.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// Answers until `stop` is raised. Then it takes no more connections, ends the idle ones, and gives requests under way
    /// the time of `timeouts.stop`.
    pub async fn serve(self, router: Router, stop: CancellationToken) {
        let Self {
            site,
            numbers,
            certificates,
            settings,
            parts,
        } = self;
        let (tick, metrics) = (parts.tick, parts.metrics.clone());
        let patience = settings.timeouts.stop;
        let house = Arc::new(House {
            limits: Arc::new(gate_limits(&settings)),
            slots: Arc::new(Slots::new(
                settings.caps.connections,
                settings.caps.connections_per_range,
            )),
            certificates,
            answerer: Answerer {
                router: with_routes(router),
                clock: parts.clock,
                request_ids: RequestIds::new(parts.request_key),
                ready: parts.ready,
                error_page: parts.error_page.unwrap_or_else(plain_error_page),
                metrics: parts.metrics,
                settings,
            },
            stop: stop.clone(),
            abort: CancellationToken::new(),
            connections: TaskTracker::new(),
        });
        let show_numbers = async {
            if let Some(listener) = numbers {
                accept(Arc::clone(&house), listener, Role::Metrics).await;
            }
        };
        let upkeep = stop.run_until_cancelled(keep_up(&tick, &metrics, house.certificates.as_deref()));
        tokio::join!(accept(Arc::clone(&house), site, Role::Site), show_numbers, upkeep);
        house.connections.close();
        if timeout(patience, house.connections.wait()).await.is_err() {
            tracing::warn!("requests were still under way when the time for stopping was over; they were cut off");
            house.abort.cancel();
            house.connections.wait().await;
        }
    }
}

/// What is due at every tick, for ever.
async fn keep_up(tick: &Notify, metrics: &Metrics, certificates: Option<&Certificates>) {
    loop {
        tick.notified().await;
        metrics.sum_up();
        if let Some(certificates) = certificates {
            certificates.follow();
        }
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, ServerFault> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|fault| ServerFault::Listen { address, fault })
}

fn gate_limits(settings: &ServerSettings) -> GateLimits {
    GateLimits {
        head_bytes: settings.caps.head_bytes,
        head_fields: settings.caps.head_fields,
        head_time: settings.timeouts.head,
        idle_time: settings.timeouts.idle,
        write_time: settings.timeouts.write,
        drain_time: settings.timeouts.close,
    }
}
