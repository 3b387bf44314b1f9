use super::*;
use crate::server::BaseUrl;

fn public() -> TestServer {
    let mut public = settings();
    public.base_url = Some(BaseUrl::parse("https://id.example.com").unwrap());
    start(public)
}

fn check(server: &TestServer, target: &str, fields: &[&str], status: u16) {
    let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
    let replies = server.exchange(format!("GET {target} HTTP/1.1\r\nConnection: close\r\n{fields}\r\n"));
    assert_eq!((replies.len(), replies[0].status), (1, status), "{target} {fields}");
}

#[test]
fn a01_forged_hosts_reach_no_handler() {
    let server = public();
    check(&server, "/hello", &[], 400);
    check(&server, "/hello", &["Host: id.example.com", "Host: evil.test"], 400);
    check(
        &server,
        "/hello",
        &["Host: id.example.com", "Host: id.example.com"],
        400,
    );
    check(&server, "/hello", &["Host: evil.test@id.example.com"], 400);
    check(&server, "/hello", &["Host: id.example.com:443@evil.test"], 400);
    for host in [
        "evil.test",
        "id.example.com:444",
        "id.example.com.",
        "127.0.0.1",
        "localhost",
    ] {
        check(&server, "/hello", &[&format!("Host: {host}")], 421);
        check(&server, &format!("http://{host}/hello"), &["Host: id.example.com"], 421);
        let forwarded = [
            &format!("Host: {host}"),
            "X-Forwarded-Host: id.example.com",
            "Forwarded: host=id.example.com",
        ];
        check(&server, "/hello", &forwarded, 421);
    }
    assert_eq!(server.seen(), [""; 0]);
}

#[test]
fn a01_what_proxies_say_of_the_host_changes_nothing() {
    let server = public();
    let forged = [
        "Host: id.example.com",
        "X-Forwarded-Host: evil.test",
        "Forwarded: host=evil.test",
        "X-Host: evil.test",
    ];
    check(&server, "/hello", &forged, 200);
    check(
        &server,
        "https://id.example.com/hello",
        &["Host: ID.example.com:443"],
        200,
    );
}

#[test]
fn health_is_told_to_whoever_asks_by_address() {
    let server = public();
    check(&server, "/health/live", &["Host: 10.0.0.5:8080"], 200);
    check(&server, "/health/ready", &["Host: 10.0.0.5:8080"], 200);
    check(&server, "/health/live", &[], 400);
}
