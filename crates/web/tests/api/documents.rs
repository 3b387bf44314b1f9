//! What documents may be, and what the description says of them.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use http::{HeaderMap, Method, StatusCode};
use rightful_web::api::{MOST_BYTES, ROOT, calls, openapi};
use rightful_web::pages::Branding;
use rightful_web::server::{Client, Failure, RequestId};
use rightful_web::site::error_page;
use serde_json::{Value, json};

use crate::support::{Engine, TestSite, on_both_engines};

on_both_engines!(
    a_document_is_taken_as_described_or_not_at_all,
    what_is_not_there_is_told_in_documents,
    nothing_of_a_refused_document_is_quoted,
);

fn description() -> Value {
    serde_json::from_str(openapi()).unwrap()
}

/// The operation of a call, and the name and schema of the document that it takes.
fn described<'a>(all: &'a Value, method: &Method, path: &str) -> (&'a Value, Option<(&'a str, &'a Value)>) {
    let operation = &all["paths"][path][method.as_str().to_lowercase()];
    assert!(operation.is_object(), "{method} {path} is not described");
    let reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str();
    let takes = reference.map(|reference| {
        let name = reference.trim_start_matches("#/components/schemas/");
        (name, &all["components"]["schemas"][name])
    });
    (operation, takes)
}

#[test]
fn the_description_that_is_kept_is_the_one_that_is_served() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/openapi.json");
    if std::env::var_os("RIGHTFUL_WRITE_REFERENCE").is_some() {
        std::fs::write(&kept, openapi()).unwrap();
    }
    let text = std::fs::read_to_string(&kept).unwrap();
    assert!(
        text == openapi(),
        "docs/reference/openapi.json is not what the code serves: run this test with RIGHTFUL_WRITE_REFERENCE=1, and look at the change"
    );
}

#[test]
fn everything_is_described_and_no_name_means_two_things() {
    let all = description();
    assert!(all["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut operations = Vec::new();
    for call in calls() {
        let (operation, takes) = described(&all, &call.method, &call.path);
        assert_eq!(takes.is_some(), call.takes, "{}", call.path);
        assert_eq!(operation["security"].is_array(), call.signed_in, "{}", call.path);
        operations.push(operation["operationId"].as_str().unwrap().to_owned());
        if let Some((name, schema)) = takes {
            assert_eq!(
                schema["additionalProperties"], false,
                "{name} takes members that are not described"
            );
        }
    }
    let described: usize = all["paths"]
        .as_object()
        .unwrap()
        .values()
        .map(|path| path.as_object().unwrap().len())
        .sum();
    assert_eq!(described, operations.len());
    let text = all.to_string();
    for reference in text.split("\"$ref\":\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(
            all["components"]["schemas"][name].is_object(),
            "{name} is not described"
        );
    }
    operations.sort();
    operations.dedup();
    assert_eq!(operations.len(), calls().len());
}

async fn a_document_is_taken_as_described_or_not_at_all(engine: Engine) {
    let site = TestSite::new(engine).await;
    let all = description();
    // In an address range for each call, so that none waits for another.
    let token = site.owner_in("anna@example.org").await.token;
    for call in calls().into_iter().filter(|call| call.takes) {
        let mut program = site.program();
        program.token = token.clone();
        let send = |body: Vec<u8>| {
            let (program, call) = (program.clone(), call.clone());
            async move { program.send_json(call.method, &call.path, body).await }
        };
        let (_, takes) = described(&all, &call.method, &call.path);
        let schema = takes.unwrap().1;
        let filled = |(name, _): (&String, &Value)| {
            let value = if name == "factor" { "app" } else { "something" };
            (name.clone(), json!(value))
        };
        let whole: serde_json::Map<String, Value> =
            schema["properties"].as_object().unwrap().iter().map(filled).collect();
        let mut more = whole.clone();
        more.insert("admin".to_owned(), json!(true));
        send(Value::from(more).to_string().into_bytes())
            .await
            .refused(422, "not-as-described");
        for name in schema["required"].as_array().unwrap() {
            let name = name.as_str().unwrap();
            let mut less = whole.clone();
            less.remove(name);
            send(Value::from(less).to_string().into_bytes())
                .await
                .refused(422, "not-as-described");
            let is_number = schema["properties"][name]["type"] == "integer";
            let number = if is_number { json!("seven") } else { json!(7) };
            for wrong in [number, json!(null), json!([]), json!({}), json!(true)] {
                let mut other = whole.clone();
                other.insert(name.to_owned(), wrong);
                send(Value::from(other).to_string().into_bytes())
                    .await
                    .refused(422, "not-as-described");
            }
            let text = Value::from(whole.clone()).to_string();
            let twice = text.replacen('{', &format!("{{\"{name}\":\"app\","), 1);
            let answer = send(twice.into_bytes()).await;
            assert!([400, 422].contains(&answer.status.as_u16()), "{name} twice: {answer:?}");
        }
        for body in [&b""[..], b"{", b"nonsense", b"\xff\xfe", b"{} {}", b"{\"a\":\"\xff\"}"] {
            let answer = send(body.to_vec()).await;
            assert!([400, 422].contains(&answer.status.as_u16()), "{body:?}: {answer:?}");
            assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        }
        for body in [&b"[]"[..], b"null", b"7", b"\"text\""] {
            send(body.to_vec()).await.refused(422, "not-as-described");
        }
        let deep = [b"[".repeat(20_000), b"]".repeat(20_000)].concat();
        let deep = send(deep).await;
        assert!([400, 422].contains(&deep.status.as_u16()), "{deep:?}");
        send(vec![b' '; MOST_BYTES + 1]).await.refused(413, "too-large");
        let body = Value::from(whole).to_string().into_bytes();
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/jsonp",
            "",
        ] {
            let headers = [("content-type", kind)];
            let answer = program
                .send(call.method.clone(), &call.path, &headers, body.clone())
                .await;
            answer.refused(415, "not-json");
        }
        program
            .send(call.method.clone(), &call.path, &[], body.clone())
            .await
            .refused(415, "not-json");
        let headers = [("content-type", "Application/JSON; charset=utf-8")];
        let taken = program.send(call.method.clone(), &call.path, &headers, body).await;
        assert!(!taken.status.is_server_error() && taken.status != 415, "{taken:?}");
    }
}

async fn what_is_not_there_is_told_in_documents(engine: Engine) {
    let site = TestSite::new(engine).await;
    let program = site.program();
    for path in [
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v2/sign-in",
        "/api/v1/me/nothing",
        "/api/v1/sign-in/",
    ] {
        let answer = program.send(Method::POST, path, &[], Vec::new()).await;
        answer.refused(404, "not-found");
    }
    for call in calls() {
        let answer = program.send(Method::PUT, &call.path, &[], Vec::new()).await;
        answer.refused(405, "not-this-way");
    }
    let served = program.get("/openapi.json").await;
    assert_eq!((served.ok(), served.body.as_str()), (description(), openapi()));
    assert!(calls().iter().all(|call| call.path.starts_with(ROOT)));
}

/// What the server under the router refuses, or what broke, is told in documents too; pages stay pages.
#[test]
fn failures_without_words_are_told_in_documents() {
    let page = error_page(Arc::new(Branding::named("Example")));
    let client = Client::new(Ipv4Addr::LOCALHOST.into(), RequestId::from_number(7));
    let fail = |status: u16, path: &str| {
        let status = StatusCode::from_u16(status).unwrap();
        let headers = HeaderMap::new();
        let response = page(&Failure {
            status,
            client: &client,
            path,
            headers: &headers,
        });
        (
            response.status(),
            response.headers()["content-type"].to_str().unwrap().to_owned(),
        )
    };
    for status in [400, 403, 404, 405, 408, 413, 421, 431, 500, 503] {
        let (told, kind) = fail(status, "/api/v1/sign-in");
        assert_eq!((told.as_u16(), kind.as_str()), (status, "application/problem+json"));
        assert_eq!(fail(status, "/sign-in").1, "text/html; charset=utf-8");
    }
}

async fn nothing_of_a_refused_document_is_quoted(engine: Engine) {
    let site = TestSite::new(engine).await;
    let program = site.program();
    for body in [
        r#"{ "identifier": "anna", "password": 48151623 }"#,
        r#"{ "identifier": "anna", "canary-48151623": "x" }"#,
        r#"{ "identifier": "anna", "password": "canary-48151623" "#,
        r#"{ "flow": "x", "factor": "canary-48151623", "code": "1" }"#,
    ] {
        for path in ["/sign-in", "/sign-in/factor"] {
            let answer = program
                .send_json(Method::POST, &format!("{ROOT}{path}"), body.as_bytes().to_vec())
                .await;
            assert!(
                answer.status.is_client_error() && !answer.body.contains("48151623"),
                "{answer:?}"
            );
        }
    }
    let answer = program
        .send_json(Method::POST, "/api/v1/sign-in", b"{\n \"password\": 7 }".to_vec())
        .await;
    let problem = answer.refused(422, "not-as-described");
    assert!(problem["detail"].as_str().unwrap().contains("line 2"), "{problem}");
}
