use std::sync::mpsc::channel;

use super::*;

/// A route that says when it is entered and when it is done, and goes on when it is let.
fn gated(entered: std::sync::mpsc::Sender<&'static str>, go_on: Arc<Notify>) -> Router {
    let handler = async move || {
        entered.send("entered").unwrap();
        go_on.notified().await;
        entered.send("done").unwrap();
        "late but whole"
    };
    Router::new().route("/gated", get(handler))
}

#[test]
fn requests_under_way_are_answered_when_the_server_stops() {
    let (entered, told) = channel();
    let go_on = Arc::new(Notify::new());
    let mut server = start_with(settings(), gated(entered, Arc::clone(&go_on)));
    let (mut idle, mut busy) = (server.connect(), server.connect());
    idle.send("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(idle.reply().expect("a reply").status, 200);
    busy.send("GET /gated HTTP/1.1\r\nHost: localhost\r\n\r\nGET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(told.recv_timeout(PATIENCE), Ok("entered"));
    server.stop.cancel();
    assert!(idle.reply().is_none(), "idle connections end at once");
    let refused = (0..1000).any(|_| TcpStream::connect(server.address).is_err());
    assert!(refused, "nobody new is let in");
    go_on.notify_one();
    let reply = busy.reply().expect("a reply");
    assert_eq!(
        (reply.body.as_str(), reply.field("connection")),
        ("late but whole", Some("close"))
    );
    assert!(busy.reply().is_none(), "and nothing further is begun");
    server.thread.take().unwrap().join().expect("the server ends");
    server.thread = Some(std::thread::spawn(|| {}));
    assert_eq!(server.seen(), ["GET /hello "]);
}

#[test]
fn stopping_does_not_wait_for_ever() {
    let mut hurried = settings();
    hurried.timeouts.stop = Duration::from_millis(50);
    let (entered, told) = channel();
    let server = start_with(hurried, gated(entered, Arc::default()));
    let mut busy = server.connect();
    busy.send("GET /gated HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(told.recv_timeout(PATIENCE), Ok("entered"));
    drop(server);
    assert!(busy.reply().is_none());
}

#[test]
fn a_request_whose_client_has_gone_is_finished_all_the_same() {
    let (entered, told) = channel();
    let go_on = Arc::new(Notify::new());
    let server = start_with(settings(), gated(entered, Arc::clone(&go_on)));
    let mut wire = server.connect();
    wire.send("GET /gated HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(told.recv_timeout(PATIENCE), Ok("entered"));
    drop(wire);
    // Another connection's request is served after the end of the first was seen.
    assert_eq!(server.ask("GET /hello", &[], "").status, 200);
    go_on.notify_one();
    assert_eq!(told.recv_timeout(PATIENCE), Ok("done"));
}
