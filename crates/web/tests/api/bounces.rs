//! Messages that came back and are posted, signed.

use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use rightful_testkit::app::{post, to_sink};
use rightful_testkit::smtp::Sink;
use rightful_web::api::MOST_BYTES;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{Answer, BOUNCE_SECRET, Engine, Program, TestSite, node_without_bounces, on_both_engines};

on_both_engines!(
    a_bounce_that_is_posted_counts_once,
    n05_a_bounce_that_is_not_signed_lately_with_our_secret_is_not_read,
    l03_a_bounce_that_is_too_long_is_not_read,
    without_a_secret_there_is_no_such_path,
);

const PATH: &str = "/api/v1/bounces";

/// HMAC-SHA256 over time, full stop and body, in hexadecimal.
fn signature(secret: &str, at: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(at.as_bytes());
    mac.update(b".");
    mac.update(body);
    let digest = mac.finalize().into_bytes();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn send(program: &Program, at: &str, signature: &str, body: &[u8]) -> Answer {
    let headers = [
        ("content-type", "message/rfc822"),
        ("rightful-time", at),
        ("rightful-signature", signature),
    ];
    program.send(Method::POST, PATH, &headers, body.to_vec()).await
}

/// Posts a bounce, signed now.
async fn bounce(site: &TestSite, body: &[u8]) -> Answer {
    let at = (site.now().micros() / 1_000_000).to_string();
    send(&site.program(), &at, &signature(BOUNCE_SECRET, &at, body), body).await
}

/// The report of a server that a letter to an owner could not be delivered.
async fn report(site: &TestSite, address: &str) -> Vec<u8> {
    let sink = Sink::plain();
    let asked = json!({ "identifier": address });
    site.program().post("/new-password", &asked).await.ok();
    site.send_all(&post(to_sink(&sink, 1))).await;
    let path = sink.messages().remove(0).from;
    let report = format!(
        "Return-Path: <>\n\
         To: {path}\n\
         From: MAILER-DAEMON@mx.example.net\n\
         Subject: Undelivered Mail Returned to Sender\n\
         MIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\
         \n\
         --b\n\
         Content-Type: message/delivery-status\n\
         \n\
         Reporting-MTA: dns; mx.example.net\n\
         \n\
         Final-Recipient: rfc822; {address}\n\
         Action: failed\n\
         Status: 5.1.1\n\
         \n\
         --b--\n"
    );
    report.replace('\n', "\r\n").into_bytes()
}

async fn reached(site: &TestSite) -> Vec<String> {
    site.texts("SELECT COALESCE(reach, 'good') FROM contact").await
}

async fn a_bounce_that_is_posted_counts_once(engine: Engine) {
    let site = TestSite::new(engine).await;
    site.owner("anna@example.org").await;
    let report = report(&site, "anna@example.org").await;
    let taken = bounce(&site, &report).await.ok();
    assert_eq!(taken, json!({ "outcome": "taken", "reach": "dead" }));
    assert_eq!(reached(&site).await, ["dead"]);
    assert_eq!(bounce(&site, &report).await.ok(), json!({ "outcome": "known" }));
    let other = b"To: anna@example.org\r\nSubject: Lunch\r\n\r\nAt noon?\r\n";
    assert_eq!(bounce(&site, other).await.ok(), json!({ "outcome": "not-a-bounce" }));
    assert_eq!(bounce(&site, b"").await.ok(), json!({ "outcome": "not-a-bounce" }));
}

async fn n05_a_bounce_that_is_not_signed_lately_with_our_secret_is_not_read(engine: Engine) {
    let site = TestSite::new(engine).await;
    site.owner("anna@example.org").await;
    let report = report(&site, "anna@example.org").await;
    let (program, now) = (site.program(), site.now().micros() / 1_000_000);
    let at = now.to_string();
    let signed = signature(BOUNCE_SECRET, &at, &report);
    let of_other = signature("another secret that is as long as ours", &at, &report);
    let of_other_body = signature(BOUNCE_SECRET, &at, b"another body");
    let longer = format!("{signed}00");
    let later = (now + 1).to_string();
    let padded = format!("0{at}");
    for (at, signature) in [
        (at.as_str(), ""),
        (&at, "nonsense"),
        (&at, &signed[..62]),
        (&at, &longer),
        (&at, &of_other),
        (&at, &of_other_body),
        (&later, &signed),
        (&padded, &signed),
        ("", &signed),
    ] {
        send(&program, at, signature, &report).await.refused(403, "not-signed");
    }
    for off in [-301, 301, -now, i64::MAX - now] {
        let at = (now + off).to_string();
        let signed = signature(BOUNCE_SECRET, &at, &report);
        send(&program, &at, &signed, &report).await.refused(403, "not-signed");
    }
    let kind = ("content-type", "message/rfc822");
    let (time, mark) = (("rightful-time", at.as_str()), ("rightful-signature", signed.as_str()));
    for headers in [&[kind][..], &[kind, time], &[kind, mark], &[kind, time, mark, mark]] {
        let answer = program.send(Method::POST, PATH, headers, report.clone()).await;
        answer.refused(403, "not-signed");
    }
    for kind in ["text/plain", "application/json", "multipart/form-data"] {
        let headers = [("content-type", kind), time, mark];
        let answer = program.send(Method::POST, PATH, &headers, report.clone()).await;
        answer.refused(415, "not-mail");
    }
    assert_eq!(reached(&site).await, ["good"]);
    let early = (now - 300).to_string();
    let signed = signature(BOUNCE_SECRET, &early, &report);
    let taken = send(&program, &early, &signed, &report).await.ok();
    assert_eq!(taken["outcome"], "taken");
}

async fn l03_a_bounce_that_is_too_long_is_not_read(engine: Engine) {
    let site = TestSite::new(engine).await;
    site.owner("anna@example.org").await;
    let report = report(&site, "anna@example.org").await;
    let padded = |bytes: usize| [report.clone(), vec![b' '; bytes - report.len()]].concat();
    bounce(&site, &padded(MOST_BYTES + 1)).await.refused(413, "too-large");
    assert_eq!(reached(&site).await, ["good"]);
    assert_eq!(bounce(&site, &padded(MOST_BYTES)).await.ok()["outcome"], "taken");
}

async fn without_a_secret_there_is_no_such_path(engine: Engine) {
    let site = TestSite::new(engine).await;
    let program = Program {
        router: node_without_bounces(site.node()),
        ..site.program()
    };
    let at = (site.now().micros() / 1_000_000).to_string();
    let signed = signature(BOUNCE_SECRET, &at, b"x");
    send(&program, &at, &signed, b"x").await.refused(404, "not-found");
    program.post("/bounces", &Value::Null).await.refused(404, "not-found");
}
