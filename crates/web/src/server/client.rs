//! Who asks: the address we believe, its range, and a name for the request.

use std::fmt;
use std::hash::Hasher;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, HeaderName, StatusCode};
use ipnet::IpNet;
use siphasher::sip::SipHasher13;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Who asks. The server puts it into every request; handlers take it as an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// The address, as far as it can be believed: the peer's, or what a configured proxy says. Mapped addresses
    /// (`::ffff:192.0.2.1`) are IPv4.
    pub address: IpAddr,
    /// What budgets count by.
    pub range: AddressRange,
    /// Names the request in logs and on error pages.
    pub request_id: RequestId,
}

impl Client {
    /// A client at an address.
    pub fn new(address: IpAddr, request_id: RequestId) -> Self {
        let address = address.to_canonical();
        Self {
            address,
            range: AddressRange::of(address),
            request_id,
        }
    }
}

/// Fails, with 500, only where a router is called without the server under it.
impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        let client = parts.extensions.get::<Self>().cloned();
        client.ok_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// What one subscriber commonly holds: an IPv4 /24, an IPv6 /64. Shown as `192.0.2.0/24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressRange(IpAddr);

impl AddressRange {
    /// The range that an address lies in.
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => Ipv4Addr::from_bits(address.to_bits() & !0xff).into(),
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        })
    }

    /// A key for tables and budgets: 4 or 6, then the network's bytes, then zeros. Different for different ranges.
    pub fn bytes(self) -> [u8; 9] {
        let mut bytes = [0; 9];
        match self.0 {
            IpAddr::V4(network) => {
                bytes[0] = 4;
                bytes[1..5].copy_from_slice(&network.octets());
            }
            IpAddr::V6(network) => {
                bytes[0] = 6;
                bytes[1..].copy_from_slice(&network.octets()[..8]);
            }
        }
        bytes
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = if self.0.is_ipv4() { 24 } else { 64 };
        write!(f, "{}/{length}", self.0)
    }
}

/// Names one request: 12 letters and digits that people can read out. Given back as `x-request-id`, never taken from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(u64);

impl RequestId {
    /// The id with a given number, for tests of handlers. Of the number 60 bits count.
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }
}

/// Crockford's base 32, in lower case: no i, l, o, u.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = |place: u32| char::from(LETTERS[(self.0 >> (5 * place) & 31) as usize]);
        (0..12)
            .rev()
            .try_for_each(|place| fmt::Write::write_char(f, letter(place)))
    }
}

/// Makes request ids: a keyed hash of a counter, so that they tell nobody how many requests there are.
pub(super) struct RequestIds {
    key: [u8; 16],
    next: AtomicU64,
}

impl RequestIds {
    /// The key is drawn anew at each start; it need not be secret for anything but the number of requests.
    pub(super) const fn new(key: [u8; 16]) -> Self {
        Self {
            key,
            next: AtomicU64::new(0),
        }
    }

    pub(super) fn next(&self) -> RequestId {
        let mut hash = SipHasher13::new_with_key(&self.key);
        hash.write_u64(self.next.fetch_add(1, Ordering::Relaxed));
        RequestId(hash.finish())
    }
}

/// The address to believe. `X-Forwarded-For` counts only from a configured proxy, and of it only the rightmost hop that
/// is none of ours: everything left of that was written by the client. A malformed hop on the way there means that
/// something is not as configured, so the header is not believed at all. `Forwarded` and all others are not read.
pub(super) fn address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let peer = peer.to_canonical();
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    if !is_trusted(&peer) {
        return peer;
    }
    let mut last = peer;
    for line in headers.get_all(X_FORWARDED_FOR).iter().rev() {
        let Ok(line) = line.to_str() else { return peer };
        for hop in line.rsplit(',') {
            let Some(hop) = hop_address(hop.trim()) else {
                return peer;
            };
            if !is_trusted(&hop) {
                return hop;
            }
            last = hop;
        }
    }
    last
}

/// `192.0.2.1`, `2001:db8::1`, or either with the port that some proxies add.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let address = hop.parse().ok();
    let with_port = || hop.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    address.or_else(with_port).map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn check(peer: &str, lines: &[&str], expected: &str) {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_str(line).unwrap());
        }
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        assert_eq!(address(ip(peer), &headers, &trusted), ip(expected), "{peer} {lines:?}");
    }

    #[test]
    fn c04_only_configured_proxies_are_believed() {
        check("198.51.100.9", &[], "198.51.100.9");
        check("198.51.100.9", &["203.0.113.7"], "198.51.100.9");
        check("10.1.2.3", &[], "10.1.2.3");
        check("10.1.2.3", &["203.0.113.7"], "203.0.113.7");
        check("::ffff:10.1.2.3", &["203.0.113.7"], "203.0.113.7");
        check("fd00::1", &["2001:db8::7"], "2001:db8::7");
    }

    #[test]
    fn c04_the_rightmost_hop_that_is_not_ours_counts() {
        check("10.1.2.3", &["1.1.1.1, 203.0.113.7"], "203.0.113.7");
        check("10.1.2.3", &["1.1.1.1, 203.0.113.7, 10.9.9.9"], "203.0.113.7");
        check("10.1.2.3", &["1.1.1.1", "203.0.113.7, 10.9.9.9"], "203.0.113.7");
        check("10.1.2.3", &["garbage, 203.0.113.7"], "203.0.113.7");
        check("10.1.2.3", &["10.5.5.5, 10.6.6.6"], "10.5.5.5");
        check("10.1.2.3", &["203.0.113.7:4711"], "203.0.113.7");
        check("10.1.2.3", &["[2001:db8::7]:4711"], "2001:db8::7");
        check("10.1.2.3", &["::ffff:203.0.113.7"], "203.0.113.7");
    }

    #[test]
    fn c04_a_malformed_header_is_no_header() {
        for line in [
            "a",
            "",
            " ",
            ",",
            "203.0.113.7,",
            "203.0.113.7 203.0.113.8",
            "203.0.113",
            "unknown",
            "_hidden",
            "0x7f.1",
            "010.0.0.1",
        ] {
            check("10.1.2.3", &[line], "10.1.2.3");
        }
        let mut headers = HeaderMap::new();
        headers.append(X_FORWARDED_FOR, HeaderValue::from_bytes(b"\xff").unwrap());
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        assert_eq!(address(ip("10.1.2.3"), &headers, &trusted), ip("10.1.2.3"));
    }

    #[test]
    fn ranges_are_a_24_or_a_64() {
        for (address, shown) in [
            ("203.0.113.77", "203.0.113.0/24"),
            ("::ffff:203.0.113.77", "203.0.113.0/24"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("::1", "::/64"),
        ] {
            assert_eq!(AddressRange::of(ip(address)).to_string(), shown);
        }
        assert_eq!(
            AddressRange::of(ip("203.0.113.77")).bytes(),
            [4, 203, 0, 113, 0, 0, 0, 0, 0]
        );
        assert_eq!(
            AddressRange::of(ip("2001:db8:1:2::9")).bytes(),
            [6, 0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 2]
        );
    }

    #[test]
    fn request_ids_differ_and_do_not_count() {
        let ids = RequestIds::new([7; 16]);
        let shown: Vec<String> = (0..1000).map(|_| ids.next().to_string()).collect();
        let different: std::collections::HashSet<&String> = shown.iter().collect();
        assert_eq!(different.len(), shown.len());
        assert!(
            shown
                .iter()
                .all(|id| id.len() == 12 && id.bytes().all(|letter| LETTERS.contains(&letter)))
        );
        assert_ne!(shown[0][..6], shown[1][..6]);
    }
}
