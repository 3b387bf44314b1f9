//! The one name of the site, and the requests that use another.

use std::fmt;

use http::header::HOST;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, StatusCode, Uri};

use super::refusal::Refusal;

const NO_HOST: Refusal = Refusal::new(StatusCode::BAD_REQUEST, "there is not exactly one well-formed Host");
const OTHER_HOST: Refusal = Refusal::new(StatusCode::MISDIRECTED_REQUEST, "the Host is not this site's");

/// Where owners find the site: `https://id.example.com`, perhaps with a port. No path, for cookies and passkeys belong to
/// the whole of a host.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl {
    is_https: bool,
    /// In lower case, IPv6 addresses in brackets.
    host: String,
    port: u16,
}

/// What is wrong with a base URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlFault {
    /// It is no URL of a host.
    #[error("is no URL like https://id.example.com")]
    Malformed,
    /// It has a path, a query, or a user.
    #[error("has more than scheme, host and port; take the rest away")]
    TooMuch,
    /// It is neither https nor on this machine.
    #[error(
        "is http: off this machine (localhost, 127.0.0.1, [::1]) it must be https, or passwords go over the network for all to read"
    )]
    Plain,
}

impl BaseUrl {
    /// Reads one. `http` is taken for names of this machine only.
    pub fn parse(text: &str) -> Result<Self, BaseUrlFault> {
        let uri: Uri = text.parse().map_err(|_| BaseUrlFault::Malformed)?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(BaseUrlFault::Malformed);
        };
        let is_https = *scheme == Scheme::HTTPS;
        if !is_https && *scheme != Scheme::HTTP {
            return Err(BaseUrlFault::Malformed);
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() || text.contains(['#', '@']) {
            return Err(BaseUrlFault::TooMuch);
        }
        let (host, port) = host_and_port(authority).ok_or(BaseUrlFault::Malformed)?;
        let port = port.unwrap_or(default_port(is_https));
        if !is_https && !is_loopback_name(&host) {
            return Err(BaseUrlFault::Plain);
        }
        Ok(Self { is_https, host, port })
    }

    /// Whether it is https.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// Whether it names this machine only.
    pub fn is_loopback(&self) -> bool {
        is_loopback_name(&self.host)
    }

    /// Its host, in lower case, without port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// As browsers write it in `Origin`: no port where it is the scheme's own.
    pub fn origin(&self) -> String {
        let scheme = if self.is_https { "https" } else { "http" };
        match self.port == default_port(self.is_https) {
            true => format!("{scheme}://{}", self.host),
            false => format!("{scheme}://{}:{}", self.host, self.port),
        }
    }

    pub(super) fn is_named_by(&self, host: &str, port: Option<u16>) -> bool {
        self.host == host && self.port == port.unwrap_or(default_port(self.is_https))
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin())
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin())
    }
}

const fn default_port(is_https: bool) -> u16 {
    if is_https { 443 } else { 80 }
}

/// Host in lower case, and port. Nothing where there is a user before the host or the port is no number.
fn host_and_port(authority: &Authority) -> Option<(String, Option<u16>)> {
    let (text, host) = (authority.as_str(), authority.host());
    let after = text.strip_prefix(host)?;
    let port = match after.strip_prefix(':') {
        None if after.is_empty() => None,
        None => return None,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
        Some(_) => return None,
    };
    (!host.is_empty()).then(|| (host.to_ascii_lowercase(), port))
}

/// Names that lead to this machine and nowhere else.
pub(super) fn is_loopback_name(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Which hosts a request may name.
#[derive(Clone, Copy)]
pub(super) enum Hosts<'a> {
    /// The site's, and where none is configured those of this machine.
    Site(Option<&'a BaseUrl>),
    /// Any, for health checks, which are sent to addresses.
    Any,
}

/// Refuses a request that does not name exactly one host, and the right one, in its Host and, if it names one there, in
/// its target. What proxies add (`X-Forwarded-Host`, `Forwarded`) is not read, here or anywhere.
pub(super) fn check_host(uri: &Uri, headers: &HeaderMap, hosts: Hosts<'_>) -> Result<(), Refusal> {
    let named = named_host(headers).ok_or(NO_HOST)?;
    let mut all = vec![named];
    if let Some(authority) = uri.authority() {
        all.push(host_and_port(authority).ok_or(NO_HOST)?);
    }
    let is_ours = |(host, port): &(String, Option<u16>)| match hosts {
        Hosts::Site(Some(base_url)) => base_url.is_named_by(host, *port),
        Hosts::Site(None) => is_loopback_name(host),
        Hosts::Any => true,
    };
    if all.iter().all(is_ours) {
        Ok(())
    } else {
        Err(OTHER_HOST)
    }
}

/// The host of the one Host field.
pub(super) fn named_host(headers: &HeaderMap) -> Option<(String, Option<u16>)> {
    let mut fields = headers.get_all(HOST).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else {
        return None;
    };
    host_and_port(&field.to_str().ok()?.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_base_url_is_scheme_host_and_port() {
        for (text, origin) in [
            ("https://id.example.com", "https://id.example.com"),
            ("https://ID.Example.com:443/", "https://id.example.com"),
            ("https://id.example.com:8443", "https://id.example.com:8443"),
            ("http://localhost:8080", "http://localhost:8080"),
            ("http://[::1]:80/", "http://[::1]"),
        ] {
            assert_eq!(BaseUrl::parse(text).unwrap().origin(), origin);
        }
        for (text, fault) in [
            ("", BaseUrlFault::Malformed),
            ("id.example.com", BaseUrlFault::Malformed),
            ("ftp://id.example.com", BaseUrlFault::Malformed),
            ("https://", BaseUrlFault::Malformed),
            ("https://id.example.com:99999", BaseUrlFault::Malformed),
            ("https://id.example.com/sso", BaseUrlFault::TooMuch),
            ("https://id.example.com/?a", BaseUrlFault::TooMuch),
            ("https://id.example.com/#a", BaseUrlFault::TooMuch),
            ("https://me@id.example.com", BaseUrlFault::TooMuch),
            ("http://id.example.com", BaseUrlFault::Plain),
            ("http://localhost.example.com", BaseUrlFault::Plain),
            ("http://192.168.0.1", BaseUrlFault::Plain),
        ] {
            assert_eq!(BaseUrl::parse(text), Err(fault), "{text}");
        }
    }

    fn check(base_url: Option<&str>, target: &str, hosts: &[&str], expected: Result<(), Refusal>) {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, HeaderValue::from_str(host).unwrap());
        }
        let base_url = base_url.map(|text| BaseUrl::parse(text).unwrap());
        let got = check_host(&target.parse().unwrap(), &headers, Hosts::Site(base_url.as_ref()));
        assert_eq!(got, expected, "{base_url:?} {target} {hosts:?}");
    }

    #[test]
    fn a01_only_the_configured_host_is_answered() {
        let site = Some("https://id.example.com");
        for host in ["id.example.com", "ID.example.com", "id.example.com:443"] {
            check(site, "/", &[host], Ok(()));
            check(site, "https://id.example.com/a", &[host], Ok(()));
        }
        for host in [
            "evil.test",
            "id.example.com.evil.test",
            "id.example.com.",
            "id.example.com:8443",
            "localhost",
            "127.0.0.1",
        ] {
            check(site, "/", &[host], Err(OTHER_HOST));
            check(site, &format!("http://{host}/"), &["id.example.com"], Err(OTHER_HOST));
            check(site, "https://id.example.com/", &[host], Err(OTHER_HOST));
        }
    }

    #[test]
    fn a01_no_host_two_hosts_and_malformed_ones_are_refused() {
        let site = Some("https://id.example.com");
        check(site, "/", &[], Err(NO_HOST));
        check(site, "/", &["id.example.com", "id.example.com"], Err(NO_HOST));
        for host in [
            "",
            "me@id.example.com",
            "id.example.com:x",
            "id.example.com:+443",
            "id.example.com/",
            "id.example.com, evil.test",
            "a b",
            "[::1",
            ":443",
        ] {
            check(site, "/", &[host], Err(NO_HOST));
        }
    }

    #[test]
    fn a01_without_a_base_url_only_this_machine_is_named() {
        for host in ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]:8080"] {
            check(None, "/", &[host], Ok(()));
        }
        for host in [
            "evil.test",
            "localhost.evil.test",
            "127.0.0.1.evil.test",
            "0.0.0.0",
            "192.0.2.1",
        ] {
            check(None, "/", &[host], Err(OTHER_HOST));
        }
    }
}
