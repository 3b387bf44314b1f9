//! Whose address counts, and who sees the numbers.

use super::*;

fn behind_proxy() -> TestServer {
    let mut proxied = settings();
    proxied.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    start(proxied)
}

#[test]
fn c04_forwarded_addresses_count_from_configured_proxies_only() {
    let who = |server: &TestServer, fields: &[&str]| server.ask("GET /who", fields, "").body;
    let (direct, proxied) = (start(settings()), behind_proxy());
    let forged = [
        "X-Forwarded-For: 203.0.113.7",
        "Forwarded: for=203.0.113.8",
        "X-Real-IP: 203.0.113.9",
    ];
    assert_eq!(who(&direct, &forged), "127.0.0.1 127.0.0.0/24");
    assert_eq!(who(&proxied, &forged), "203.0.113.7 203.0.113.0/24");
    assert_eq!(
        who(&proxied, &["X-Forwarded-For: 1.1.1.1, 203.0.113.7"]),
        "203.0.113.7 203.0.113.0/24"
    );
    assert_eq!(
        who(&proxied, &["X-Forwarded-For: 203.0.113.7", "X-Forwarded-For: a"]),
        "127.0.0.1 127.0.0.0/24"
    );
    assert_eq!(
        who(&proxied, &["X-Forwarded-For: 2001:db8:1:2:3:4:5:6"]),
        "2001:db8:1:2:3:4:5:6 2001:db8:1:2::/64"
    );
}

#[test]
fn c04_numbers_are_for_this_machine_alone() {
    let server = start(settings());
    let reply = server.ask("GET /metrics", &[], "");
    assert_eq!(reply.status, 200);
    assert_eq!(
        server.ask("GET /metrics", &["X-Forwarded-For: 203.0.113.7"], "").status,
        404
    );
    assert_eq!(server.ask("GET /metrics", &["Via: 1.1 proxy"], "").status, 404);
    let from_a_page = "GET /metrics HTTP/1.1\r\nHost: rebound.evil.test\r\nConnection: close\r\n\r\n";
    assert_eq!(server.exchange(from_a_page)[0].status, 404);
    assert_eq!(
        behind_proxy()
            .ask("GET /metrics", &["X-Forwarded-For: 127.0.0.1"], "")
            .status,
        404
    );
}

#[test]
fn numbers_may_have_an_address_of_their_own() {
    let mut apart = settings();
    apart.metrics_address = Some(apart.address);
    let server = start(apart);
    assert_eq!(server.ask("GET /metrics", &[], "").status, 404);
    let numbers = server.metrics_address.expect("another address");
    let ask = |path: &str| {
        let mut wire = Wire::to(numbers);
        wire.send(format!(
            "GET {path} HTTP/1.1\r\nHost: inside:9000\r\nConnection: close\r\n\r\n"
        ));
        wire.replies().remove(0)
    };
    assert_eq!(ask("/hello").status, 404);
    assert_eq!(ask("/health/ready").status, 200);
    let reply = ask("/metrics");
    assert_eq!(reply.status, 200);
    let expected = "rightful_http_requests_total{method=\"GET\",route=\"none\",status=\"404\"}";
    assert!(reply.body.contains(expected), "{}", reply.body);
}

#[test]
fn numbers_are_by_route_and_never_by_path() {
    let server = start(settings());
    server.ask("GET /person/anna@example.com?token=1", &[], "");
    server.ask("GET /anna@example.com", &[], "");
    let numbers = server.ask("GET /metrics", &[], "").body;
    assert!(
        numbers.contains("route=\"/person/{name}\",status=\"200\"} 1"),
        "{numbers}"
    );
    assert!(numbers.contains("route=\"none\",status=\"404\"} 1"), "{numbers}");
    assert!(numbers.contains("rightful_http_request_seconds_bucket"), "{numbers}");
    assert!(!numbers.contains("anna"), "{numbers}");
}
