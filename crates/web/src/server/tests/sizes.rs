use super::*;

#[test]
fn l03_large_bodies_are_refused() {
    let server = start(settings());
    let large = "[1]".repeat(10_000_000 / 3);
    let json = &["Content-Type: application/json"];
    let reply = server.ask("POST /json", json, &large);
    assert_eq!((reply.status, reply.field("connection")), (413, Some("close")));
    let chunks = format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
    let replies = server.exchange(format!(
        "POST /hello HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"
    ));
    assert_eq!((replies.len(), replies[0].status), (1, 413));
    assert_eq!(server.seen(), [""; 0]);
}

#[test]
fn l03_the_limit_is_exact_and_a_path_may_have_its_own() {
    let mut roomy = settings();
    roomy.caps.body_bytes = 100;
    roomy.body_limits = vec![("/json".to_owned(), 1000)];
    let server = start(roomy);
    let body = |length: usize| "1".repeat(length);
    assert_eq!(server.ask("POST /hello", &[], &body(100)).status, 200);
    assert_eq!(server.ask("POST /hello", &[], &body(101)).status, 413);
    let json = &["Content-Type: application/json"];
    assert_eq!(server.ask("POST /json", json, &body(101)).status, 200);
    assert_eq!(server.ask("POST /json", json, &body(1001)).status, 413);
}

#[test]
fn l03_deep_json_is_refused() {
    let server = start(settings());
    let deep = "[".repeat(60_000);
    let reply = server.ask("POST /json", &["Content-Type: application/json"], &deep);
    assert_eq!(reply.status, 400);
}

#[test]
fn l03_many_fields_and_long_heads_are_refused() {
    let server = start(settings());
    let many = "a: b\r\n".repeat(10_000);
    let some = "a: b\r\n".repeat(100);
    let long = format!("a: {}\r\n", "b".repeat(100_000));
    for fields in [many, some, long] {
        let replies = server.exchange(format!("GET /hello HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n"));
        assert_eq!((replies.len(), replies[0].status), (1, 431));
    }
    let path = "a".repeat(100_000);
    let replies = server.exchange(format!("GET /{path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    assert_eq!((replies.len(), replies[0].status), (1, 431));
    assert_eq!(server.seen(), [""; 0]);
}

#[test]
fn l03_the_rest_of_a_refused_body_is_taken_so_that_the_answer_arrives() {
    let mut patient = settings();
    patient.timeouts.close = PATIENCE;
    let server = start(patient);
    let mut wire = server.connect();
    let large = "a".repeat(4_000_000);
    let length = large.len();
    let head = format!("POST /hello HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n");
    wire.stream.write_all(head.as_bytes()).unwrap();
    assert_eq!(wire.reply().expect("a reply").status, 413);
    wire.stream.write_all(large.as_bytes()).expect("the server still reads");
    wire.stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(wire.stream.read(&mut [0]).expect("an end, not a reset"), 0);
}
