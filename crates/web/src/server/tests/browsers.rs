use super::*;
use crate::server::BaseUrl;

#[test]
fn e02_changes_that_another_site_asks_for_are_refused() {
    let server = start(settings());
    let json = "{\"password\":\"a\"}";
    for fields in [
        vec!["Sec-Fetch-Site: cross-site", "Origin: https://evil.test"],
        vec!["Sec-Fetch-Site: same-site"],
        vec!["Origin: null", "Content-Type: text/plain"],
        vec!["Origin: https://evil.test", "Content-Type: text/plain"],
        vec!["Origin: http://localhost.evil.test"],
        vec!["Sec-Fetch-Site: cross-site", "X-HTTP-Method-Override: GET"],
        vec!["Sec-Fetch-Site: cross-site", "X-Requested-With: XMLHttpRequest"],
    ] {
        let reply = server.ask("POST /hello?_method=GET", &fields, json);
        assert_eq!(reply.status, 403, "{fields:?}");
        assert_eq!(server.ask("DELETE /hello", &fields, "").status, 403, "{fields:?}");
    }
    assert_eq!(server.seen(), [""; 0]);
}

#[test]
fn e02_our_own_forms_and_programs_pass() {
    let server = start(settings());
    for fields in [
        vec!["Sec-Fetch-Site: same-origin", "Origin: null"],
        vec!["Origin: http://localhost"],
        vec![],
    ] {
        assert_eq!(server.ask("POST /hello", &fields, "a").status, 200, "{fields:?}");
    }
    assert_eq!(
        server.ask("POST /json", &["Content-Type: text/plain"], "{}").status,
        415
    );
}

#[test]
fn e02_a_method_in_a_header_or_field_is_not_read() {
    let server = start(settings());
    for header in [
        "X-HTTP-Method-Override: POST",
        "X-HTTP-Method: POST",
        "X-Method-Override: POST",
    ] {
        let reply = server.ask("GET /hello?_method=POST", &["Sec-Fetch-Site: cross-site", header], "");
        assert_eq!(reply.status, 200);
    }
    assert_eq!(server.seen(), ["GET /hello?_method=POST "; 3]);
}

#[test]
fn e02_only_listed_paths_are_exempt() {
    let mut exempt = settings();
    exempt.cross_site_paths = vec!["/json".to_owned()];
    let server = start(exempt);
    let fields = ["Sec-Fetch-Site: cross-site", "Content-Type: application/json"];
    assert_eq!(server.ask("POST /json", &fields, "{}").status, 200);
    for path in ["/json/", "//json", "/json/x", "/hello"] {
        assert_eq!(server.ask(&format!("POST {path}"), &fields, "{}").status, 403, "{path}");
    }
}

const ALWAYS: [(&str, &str); 8] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("strict-transport-security", "max-age=63072000"),
    ("cache-control", "no-store"),
];

#[test]
fn e04_every_response_has_the_headers_that_browsers_heed() {
    let mut public = settings();
    public.base_url = Some(BaseUrl::parse("https://id.example.com").unwrap());
    let server = start(public);
    let head = "Host: id.example.com\r\nConnection: close\r\nOrigin: https://evil.test\r\n";
    for (request, status) in [
        (format!("GET /hello HTTP/1.1\r\n{head}\r\n"), 200),
        (format!("GET /nowhere HTTP/1.1\r\n{head}\r\n"), 404),
        (
            format!("DELETE /hello HTTP/1.1\r\nSec-Fetch-Site: none\r\n{head}\r\n"),
            405,
        ),
        (format!("TRACE /hello HTTP/1.1\r\n{head}Cookie: secret=1\r\n\r\n"), 405),
        (format!("BREW /hello HTTP/1.1\r\n{head}\r\n"), 405),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), 405),
        (format!("GET /panic HTTP/1.1\r\n{head}\r\n"), 500),
        (
            format!("POST /hello HTTP/1.1\r\nContent-Length: 9999999\r\nSec-Fetch-Site: none\r\n{head}\r\n"),
            413,
        ),
        (format!("POST /hello HTTP/1.1\r\n{head}\r\n"), 403),
        (
            "GET /hello HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n".to_owned(),
            421,
        ),
        ("GET /hello HTTP/1.1\nHost: id.example.com\n\n".to_owned(), 400),
        (format!("GET /health/live HTTP/1.1\r\n{head}\r\n"), 200),
    ] {
        let replies = server.exchange(&request);
        let [reply] = replies.as_slice() else {
            panic!("{request}: {replies:?}")
        };
        assert_eq!(reply.status, status, "{request}");
        for (name, value) in ALWAYS {
            assert_eq!(reply.field(name), Some(value), "{name} of {request}");
        }
        assert!(
            reply
                .field("permissions-policy")
                .is_some_and(|policy| policy.contains("camera=()"))
        );
        for (name, _) in &reply.fields {
            assert!(
                !name.starts_with("access-control-") && name != "server",
                "{name} of {request}"
            );
        }
        assert!(!reply.body.contains("secret"), "nothing is echoed");
    }
}

#[test]
fn e04_a_handler_may_say_how_long_to_keep() {
    let server = start(settings());
    let reply = server.ask("GET /kept", &[], "");
    assert_eq!(reply.field("cache-control"), Some("public, max-age=60"));
    assert_eq!(reply.field("strict-transport-security"), None, "there is no https here");
}

#[test]
fn e04_a_failure_names_its_reference_and_what_is_allowed() {
    let server = start(settings());
    let reply = server.ask("PUT /hello", &["X-Request-Id: forged"], "");
    assert_eq!((reply.status, reply.field("allow")), (405, Some("GET,HEAD,POST")));
    let id = reply.field("x-request-id").expect("an id");
    assert_eq!(reply.body, format!("405 Method Not Allowed\nReference: {id}\n"));
    let other = server.ask("PUT /hello", &[], "");
    assert_ne!(other.field("x-request-id"), Some(id));
}

#[test]
fn a_panic_is_one_failed_request() {
    let server = start(settings());
    let mut wire = server.connect();
    wire.send("GET /panic HTTP/1.1\r\nHost: localhost\r\n\r\nGET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let reply = wire.reply().expect("a reply");
    assert_eq!(reply.status, 500);
    assert!(!reply.body.contains("part of a test"), "{}", reply.body);
    assert_eq!(wire.reply().expect("a reply").status, 200);
}
