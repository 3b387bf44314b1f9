//! Requests that another site made a browser send.
//!
//! A browser says of every request to an https site (and to this machine) from where it was made, in `Sec-Fetch-Site`;
//! older ones say it in `Origin`. Neither can be forged by a page. Programs send neither, and carry no cookie of an owner
//! whom somebody else could abuse. So a change of state passes when the browser says that we asked for it ourselves, and
//! no secret need be put into forms. Nothing else decides: no method in a field or header, no type of content.

use http::header::ORIGIN;
use http::{HeaderMap, HeaderName, Method, StatusCode};

use super::base_url::{BaseUrl, is_loopback_name, named_host};
use super::refusal::Refusal;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

const CROSS_SITE: Refusal = Refusal::new(StatusCode::FORBIDDEN, "another site asked for a change");

/// Refuses a change of state that another site asked for.
pub(super) fn check(method: &Method, headers: &HeaderMap, base_url: Option<&BaseUrl>) -> Result<(), Refusal> {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let is_ours = match (only(headers, &SEC_FETCH_SITE), only(headers, &ORIGIN)) {
        (Said::Once("same-origin" | "none"), _) => true,
        (Said::Nothing, Said::Once(origin)) => is_own_origin(origin, headers, base_url),
        (Said::Nothing, Said::Nothing) => true,
        _ => false,
    };
    if is_ours { Ok(()) } else { Err(CROSS_SITE) }
}

enum Said<'a> {
    Nothing,
    Once(&'a str),
    Garbled,
}

fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Said<'a> {
    let mut fields = headers.get_all(name).iter();
    match (fields.next().map(|field| field.to_str()), fields.next()) {
        (None, _) => Said::Nothing,
        (Some(Ok(text)), None) => Said::Once(text),
        _ => Said::Garbled,
    }
}

fn is_own_origin(origin: &str, headers: &HeaderMap, base_url: Option<&BaseUrl>) -> bool {
    if let Some(base_url) = base_url {
        return origin == base_url.origin();
    }
    // Without a base URL we are on this machine, and only by the name that the browser used.
    let host = named_host(headers).filter(|(host, _)| is_loopback_name(host));
    let own = BaseUrl::parse(origin).ok().filter(|own| own.origin() == origin);
    own.zip(host)
        .is_some_and(|(own, (host, port))| own.is_named_by(&host, port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn check_all(base_url: Option<&str>, fields: &[(&'static str, &str)], passes: bool) {
        let base_url = base_url.map(|text| BaseUrl::parse(text).unwrap());
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let got = check(&method, &headers, base_url.as_ref());
            assert_eq!(got.is_ok(), passes, "{method} {fields:?}");
        }
        assert_eq!(check(&Method::GET, &headers, base_url.as_ref()), Ok(()));
    }

    #[test]
    fn e02_what_the_browser_says_decides() {
        let site = Some("https://id.example.com");
        check_all(site, &[("sec-fetch-site", "same-origin")], true);
        check_all(site, &[("sec-fetch-site", "none")], true);
        // A page with `Referrer-Policy: no-referrer` sends this from our own forms.
        check_all(site, &[("sec-fetch-site", "same-origin"), ("origin", "null")], true);
        check_all(site, &[("origin", "https://id.example.com")], true);
        check_all(site, &[], true);
        for word in ["cross-site", "same-site", "", "SAME-ORIGIN", "same-origin, none", "x"] {
            check_all(site, &[("sec-fetch-site", word)], false);
            check_all(
                site,
                &[("sec-fetch-site", word), ("origin", "https://id.example.com")],
                false,
            );
        }
        check_all(
            site,
            &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "same-origin")],
            false,
        );
    }

    #[test]
    fn e02_other_origins_are_refused() {
        let site = Some("https://id.example.com");
        for origin in [
            "null",
            "",
            "http://id.example.com",
            "https://id.example.com:8443",
            "https://id.example.com.evil.test",
            "https://evil.test",
            "https://id.example.com https://evil.test",
            "https://example.com",
        ] {
            check_all(site, &[("origin", origin)], false);
        }
        check_all(
            site,
            &[
                ("origin", "https://id.example.com"),
                ("origin", "https://id.example.com"),
            ],
            false,
        );
    }

    #[test]
    fn e02_on_this_machine_the_origin_is_the_host_that_was_used() {
        let check_local = |host: &'static str, origin: &str, passes| {
            check_all(None, &[("host", host), ("origin", origin)], passes);
        };
        check_local("localhost:8080", "http://localhost:8080", true);
        check_local("127.0.0.1:8080", "http://127.0.0.1:8080", true);
        check_local("localhost:8080", "http://localhost:3000", false);
        check_local("localhost:8080", "http://127.0.0.1:8080", false);
        check_local("evil.test", "http://evil.test", false);
        check_local("localhost:8080", "null", false);
    }
}
