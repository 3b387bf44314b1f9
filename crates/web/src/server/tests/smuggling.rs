use super::*;

const SMUGGLED: &str = "GET /hello?smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// One refusal that ends the connection, and nothing for any handler.
fn check_refused(server: &TestServer, request: &str) {
    let replies = server.exchange(format!("{request}{SMUGGLED}"));
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses, [400], "{request:?}");
    assert_eq!(replies[0].field("connection"), Some("close"), "{request:?}");
    assert_eq!(server.seen(), [""; 0], "{request:?}");
}

fn post(fields: &str, body: &str) -> String {
    format!("POST /hello HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n\r\n{body}")
}

#[test]
fn l01_two_ways_to_frame_a_body_are_refused() {
    let server = start(settings());
    for fields in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 5, 5",
        "Content-Length: +5",
        "Content-Length: 0x5",
    ] {
        check_refused(&server, &post(fields, "0\r\n\r\n"));
    }
}

#[test]
fn l01_transfer_codings_that_proxies_read_differently_are_refused() {
    let server = start(settings());
    for fields in [
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding:\x0bchunked",
        "X: y\nTransfer-Encoding: chunked",
        "X: y\r\n Transfer-Encoding: chunked",
        "Content-Length: 5\r\nTransfer-Encoding: \"chunked\"",
    ] {
        check_refused(&server, &post(fields, "0\r\n\r\n"));
    }
    check_refused(
        &server,
        "POST /hello HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    );
}

#[test]
fn l01_lines_that_end_in_less_than_cr_lf_are_refused() {
    let server = start(settings());
    for request in [
        "GET /hello HTTP/1.1\nHost: localhost\n\n",
        "GET /hello HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: localhost\r\n\n",
        "GET /hello HTTP/1.1\r\nHost: localhost\rX: y\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n",
        "GET /hello HTTP/1.1\r\n Host: localhost\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: localhost\r\nX: \0\r\n\r\n",
    ] {
        check_refused(&server, request);
    }
}

#[test]
fn l01_chunks_with_anything_unusual_are_refused() {
    let server = start(settings());
    for body in [
        "5;ext=1\r\nhello\r\n0\r\n\r\n",
        "5;\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        "5\nhello\n0\n\n",
        "5\r\nhelloXX0\r\n\r\n",
        "5\r\nhello\r\n0\r\nX: trailer\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "10000000000000005\r\nhello\r\n0\r\n\r\n",
    ] {
        check_refused(&server, &post("Transfer-Encoding: chunked", body));
    }
}

#[test]
fn l01_a_good_request_is_answered_and_what_hides_behind_it_is_not() {
    let server = start(settings());
    let good = post("Content-Length: 5", "first");
    let replies = server.exchange(format!("{good}GET /hello HTTP/1.1\nHost: localhost\n\n{SMUGGLED}"));
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses, [200, 400]);
    assert_eq!(server.seen(), ["POST /hello first"]);
}

#[test]
fn requests_in_a_row_are_answered_in_their_order() {
    let server = start(settings());
    let (sized, chunked) = (
        post("Content-Length: 3", "one"),
        post("Transfer-Encoding: chunked", "2\r\ntw\r\n1\r\no\r\n0\r\n\r\n"),
    );
    let last = "GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let all = format!("{sized}\r\n{chunked}{sized}{last}");
    for step in [1, 7, all.len()] {
        let mut wire = server.connect();
        all.as_bytes().chunks(step).for_each(|piece| wire.send(piece));
        let bodies: Vec<String> = wire.replies().into_iter().map(|reply| reply.body).collect();
        assert_eq!(bodies, ["one", "two", "one", ""], "in steps of {step}");
    }
}

#[test]
fn other_versions_of_http_are_refused() {
    let server = start(settings());
    for (request, status) in [
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        ("GET /hello HTTP/1.7\r\nHost: localhost\r\n\r\n", 505),
        ("GET /hello\r\n\r\n", 400),
        ("\x16\x03\x01\x02\x00\x01\x00\x01\x7c\x03\x03\r\n\r\n", 400),
    ] {
        assert_eq!(server.exchange(request)[0].status, status, "{request:?}");
    }
    assert_eq!(server.seen(), [""; 0]);
}
