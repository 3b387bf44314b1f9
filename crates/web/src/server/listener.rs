//! Sockets: accepted within caps, spoken to in HTTP/1.1, closed in time.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use http::header::CONNECTION;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::answer::{Answerer, Caller, Role};
use super::client::AddressRange;
use super::gate::{Gate, GateLimits};
use super::tls::Certificates;

/// How long accepting rests when the system has no more sockets to give.
const REST: Duration = Duration::from_millis(50);

/// How many more fields hyper may see than the gate: the gate answers first.
const FIELDS_TO_SPARE: usize = 8;

/// What all listeners share.
pub(super) struct House {
    pub(super) answerer: Answerer,
    pub(super) limits: Arc<GateLimits>,
    pub(super) certificates: Option<Arc<Certificates>>,
    pub(super) slots: Arc<Slots>,
    /// Raised to stop: no new connections, and those that are idle end.
    pub(super) stop: CancellationToken,
    /// Raised when stopping has taken long enough: all connections end.
    pub(super) abort: CancellationToken,
    pub(super) connections: TaskTracker,
}

/// Accepts until it is told to stop.
pub(super) async fn accept(house: Arc<House>, listener: TcpListener, role: Role) {
    while let Some(accepted) = house.stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((socket, peer)) => welcome(&house, socket, peer, role),
            // A client that was gone before we came to it is no news; a system without sockets needs a moment.
            Err(fault) if is_about_one_client(&fault) => {}
            Err(fault) => {
                tracing::warn!(%fault, "no connection can be accepted for a moment");
                let _ = timeout(REST, house.stop.cancelled()).await;
            }
        }
    }
}

fn is_about_one_client(fault: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        fault.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}

fn welcome(house: &Arc<House>, socket: TcpStream, peer: SocketAddr, role: Role) {
    let peer = peer.ip().to_canonical();
    let is_proxy = house
        .answerer
        .settings
        .trusted_proxies
        .iter()
        .any(|net| net.contains(&peer));
    let slot = match house.slots.take((!is_proxy).then(|| AddressRange::of(peer))) {
        Ok(slot) => slot,
        Err(cap) => return house.answerer.metrics.turned_away(cap).increment(1),
    };
    let served = Arc::clone(house);
    house.connections.spawn(async move {
        let abort = served.abort.clone();
        let gauge = served.answerer.metrics.connections();
        gauge.increment(1.0);
        // Small answers go out at once. A socket that refuses is a socket that is gone.
        let _ = socket.set_nodelay(true);
        abort.run_until_cancelled(greet(&served, socket, peer, role)).await;
        gauge.decrement(1.0);
        drop(slot);
    });
}

async fn greet(house: &House, socket: TcpStream, peer: IpAddr, role: Role) {
    // Numbers are read from inside, in plain.
    let Some(certificates) = house.certificates.as_ref().filter(|_| role == Role::Site) else {
        return converse(house, socket, peer, role).await;
    };
    let shaking_hands = certificates.acceptor().accept(socket);
    let in_time = timeout(house.limits.head_time, shaking_hands);
    // Who fails at TLS is a scanner or has the wrong port; there is nobody to tell.
    if let Some(Ok(Ok(stream))) = house.stop.run_until_cancelled(in_time).await {
        converse(house, stream, peer, role).await;
    }
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin>(house: &House, io: S, peer: IpAddr, role: Role) {
    let refusal = Arc::new(OnceLock::new());
    let mut gate = Gate::new(io, Arc::clone(&house.limits), Arc::clone(&refusal));
    let caller = Caller { peer, role, refusal };
    {
        let service = service_fn(async |request| {
            let mut answer = house.answerer.answer(&caller, request).await;
            // Stopping may be seen here before it is seen below: nothing further is begun all the same.
            if house.stop.is_cancelled() {
                answer
                    .headers_mut()
                    .insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, std::convert::Infallible>(answer)
        });
        let mut talk = pin!(
            http1::Builder::new()
                // Requests run to their end though the client has gone: what was begun is not left half done.
                .half_close(true)
                .header_read_timeout(None)
                .max_headers(house.limits.head_fields + FIELDS_TO_SPARE)
                .serve_connection(TokioIo::new(&mut gate), service)
        );
        let done = house.stop.run_until_cancelled(talk.as_mut()).await;
        if done.is_none() {
            talk.as_mut().graceful_shutdown();
            // How a connection ends is the client's business; what matters was logged with its requests.
            let _ = talk.await;
        }
    }
    gate.close().await;
}

/// How many connections there are, and from where.
pub(super) struct Slots {
    most: usize,
    most_per_range: usize,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    all: usize,
    by_range: HashMap<AddressRange, usize>,
}

impl Slots {
    pub(super) fn new(most: usize, most_per_range: usize) -> Self {
        Self {
            most,
            most_per_range,
            open: Mutex::default(),
        }
    }

    /// A place for one more connection, or which cap forbids it. A proxy of ours has no range.
    fn take(self: &Arc<Self>, range: Option<AddressRange>) -> Result<Slot, &'static str> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.all >= self.most {
            return Err("all");
        }
        if let Some(range) = range {
            let of_range = open.by_range.entry(range).or_insert(0);
            if *of_range >= self.most_per_range {
                return Err("range");
            }
            *of_range += 1;
        }
        open.all += 1;
        Ok(Slot {
            slots: Arc::clone(self),
            range,
        })
    }
}

/// A connection's place, given back when it is dropped.
struct Slot {
    slots: Arc<Slots>,
    range: Option<AddressRange>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.slots.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all -= 1;
        let Some(range) = self.range else { return };
        if let Some(of_range) = open.by_range.get_mut(&range) {
            *of_range -= 1;
            if *of_range == 0 {
                open.by_range.remove(&range);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> Option<AddressRange> {
        Some(AddressRange::of(text.parse().unwrap()))
    }

    #[test]
    fn slots_are_capped_over_all_and_by_range() {
        let slots = Arc::new(Slots::new(4, 2));
        let (a, b) = (range("192.0.2.1"), range("2001:db8::1"));
        let (first, _second) = (slots.take(a).unwrap(), slots.take(range("192.0.2.200")).unwrap());
        assert_eq!(slots.take(a).err(), Some("range"));
        let _third = slots.take(b).unwrap();
        let proxy = slots.take(None).unwrap();
        assert_eq!(slots.take(None).err(), Some("all"));
        drop((first, proxy));
        let _again = slots.take(a).unwrap();
        assert_eq!(slots.take(a).err(), Some("range"));
    }

    #[test]
    fn ranges_without_connections_are_forgotten() {
        let slots = Arc::new(Slots::new(4, 2));
        drop(slots.take(range("192.0.2.1")).unwrap());
        assert!(slots.open.lock().unwrap().by_range.is_empty());
    }
}
