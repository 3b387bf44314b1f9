//! Every call of the table against whoever may not make it, and the answers by which nobody may be told from anybody.

use http::Method;
use rightful_web::api::{Call, calls};
use serde_json::json;

use crate::support::{Answer, Engine, HoldAction, HoldSource, PASSWORD, Program, TestSite, on_both_engines};

on_both_engines!(
    a_call_of_an_account_knows_nobody_who_is_signed_out,
    d01_the_token_of_a_conversation_is_no_session,
    f01_nothing_of_another_account_is_reached,
    b01_wrong_unknown_and_held_are_answered_alike,
    no_cookie_is_read,
);

fn signed_in() -> Vec<Call> {
    let calls: Vec<Call> = calls().into_iter().filter(|call| call.signed_in).collect();
    assert!(calls.len() >= 18, "{} calls", calls.len());
    calls
}

/// Makes a call with an empty document where it takes one: whoever may make it is told what is missing.
async fn make(program: &Program, call: &Call) -> Answer {
    let body = if call.takes { b"{}".to_vec() } else { Vec::new() };
    program.send_json(call.method.clone(), &call.path, body).await
}

async fn a_call_of_an_account_knows_nobody_who_is_signed_out(engine: Engine) {
    let site = TestSite::new(engine).await;
    let owner = site.owner_in("anna@example.org").await;
    let token = owner.token.clone().unwrap();
    let mut ended = site.program();
    ended.sign_in("anna@example.org").await;
    ended.post("/sign-out", &serde_json::Value::Null).await.done();
    let invented = format!("rs_{}", "A".repeat(48));
    let cut = &token[..token.len() - 1];
    let as_program = token.replacen("rs_", "ra_", 1);
    let tokens = [
        "",
        "rs_",
        "null",
        &invented,
        cut,
        &as_program,
        &format!("{token}A"),
        &format!("{token} {token}"),
    ];
    let mut strangers = vec![site.program(), ended];
    strangers.extend(tokens.iter().map(|token| Program {
        token: Some((*token).to_owned()),
        ..site.program()
    }));
    for call in signed_in() {
        for stranger in &strangers {
            make(stranger, &call).await.refused(401, "signed-out");
        }
    }
    let program = site.program();
    let with = |header: String| {
        let program = program.clone();
        async move {
            program
                .send(Method::GET, "/api/v1/me", &[("authorization", &header)], Vec::new())
                .await
        }
    };
    assert_eq!(
        with(format!("bearer {token}")).await.ok()["identifier"],
        "anna@example.org"
    );
    with(format!("Basic {token}")).await.refused(401, "signed-out");
    with(token.clone()).await.refused(401, "signed-out");
    let twice = format!("Bearer {token}");
    let twice = [("authorization", twice.as_str()), ("authorization", twice.as_str())];
    program
        .send(Method::GET, "/api/v1/me", &twice, Vec::new())
        .await
        .refused(401, "signed-out");
    let uri = format!("/api/v1/me?access_token={token}");
    program
        .send(Method::GET, &uri, &[], Vec::new())
        .await
        .refused(401, "signed-out");
}

async fn d01_the_token_of_a_conversation_is_no_session(engine: Engine) {
    let site = TestSite::new(engine).await;
    site.owner_with_app("anna@example.org").await;
    let mut half_in = site.program();
    let asked = json!({ "identifier": "anna@example.org", "password": PASSWORD });
    let next = half_in.post("/sign-in", &asked).await.ok();
    assert_eq!(next["step"], "factor");
    let flow = next["flow"].as_str().unwrap();
    for token in [
        flow.to_owned(),
        flow.replacen("rf_", "rs_", 1),
        flow.replacen("rf_", "ra_", 1),
    ] {
        half_in.token = Some(token);
        for call in signed_in() {
            make(&half_in, &call).await.refused(401, "signed-out");
        }
    }
}

async fn f01_nothing_of_another_account_is_reached(engine: Engine) {
    let site = TestSite::new(engine).await;
    let anna = site.owner_in("anna@example.org").await;
    let eve = site.owner_in("eve@example.org").await;
    let asked = anna
        .post("/me/address", &json!({ "address": "new@example.org" }))
        .await
        .ok();
    let app = anna.post("/me/app", &serde_json::Value::Null).await.ok();
    let code = site.code_to("new@example.org").await;
    let secret = app["secret"].as_str().unwrap();
    let app_code = crate::support::app_code(secret, site.now());
    for (path, document) in [
        ("/me/address/code", json!({ "flow": asked["flow"], "code": code })),
        ("/me/address/code/again", json!({ "flow": asked["flow"] })),
        ("/me/app/finish", json!({ "flow": app["flow"], "code": app_code })),
        // The token of one conversation in another.
        ("/me/address/code", json!({ "flow": app["flow"], "code": code })),
        ("/new-password/code", json!({ "flow": asked["flow"], "code": code })),
        (
            "/sign-in/factor",
            json!({ "flow": app["flow"], "factor": "app", "code": app_code }),
        ),
        ("/sign-up/code", json!({ "flow": asked["flow"], "code": code })),
        ("/login/token", json!({ "secret": asked["flow"] })),
    ] {
        eve.post(path, &document).await.refused(409, "start-again");
    }
    let sessions = anna.get("/me/sessions").await.ok();
    let hers = json!({ "session": sessions["sessions"][0]["session"] });
    eve.post("/me/sessions/end", &hers).await.refused(404, "not-found");
    for call in calls()
        .into_iter()
        .filter(|call| call.method == Method::GET && call.signed_in)
    {
        let seen = make(&eve, &call).await;
        assert!(!seen.body.contains("anna@"), "{} {}", call.path, seen.body);
    }
    assert!(anna.is_in().await);
    assert_eq!(anna.get("/me").await.ok()["address"], "anna@example.org");
}

/// Everything by which one answer can be told from another, with the values of tokens left out: they are of one length.
fn shape(answer: &Answer) -> String {
    let mut text = format!("{:?} {:?} {}", answer.status, answer.headers, answer.body);
    while let Some(at) = text.find("rf_") {
        text.replace_range(at..at + 51, "<flow>");
    }
    text
}

async fn b01_wrong_unknown_and_held_are_answered_alike(engine: Engine) {
    let site = TestSite::new(engine).await;
    let (plain, held, none) = ("plain@example.org", "heldx@example.org", "noone@example.org");
    site.owner(plain).await;
    site.owner(held).await;
    site.hold(site.account_of(held).await, HoldSource::Containment, HoldAction::Hold)
        .await;
    let attempts = [
        (plain, "not the right one"),
        (held, PASSWORD),
        (held, "not the right one"),
        (none, PASSWORD),
    ];
    let mut shapes = Vec::new();
    for (identifier, password) in attempts {
        let document = json!({ "identifier": identifier, "password": password });
        let answer = site.program().post("/sign-in", &document).await;
        answer.refused(403, "denied");
        shapes.push(shape(&answer));
    }
    shapes.dedup();
    assert_eq!(shapes.len(), 1, "{shapes:#?}");

    for (path, member) in [("/new-password", "identifier"), ("/sign-up", "address")] {
        let mut shapes = Vec::new();
        for identifier in [plain, held, none] {
            let program = site.program();
            let asked = program.post(path, &json!({ member: identifier })).await;
            let flow = asked.ok()["flow"].clone();
            let again = program
                .post(&format!("{path}/code/again"), &json!({ "flow": flow }))
                .await;
            let wrong = program
                .post(&format!("{path}/code"), &json!({ "flow": flow, "code": "AAAA-AAAA" }))
                .await;
            wrong.refused(403, "wrong-code");
            shapes.push([asked, again, wrong].map(|answer| shape(&answer)));
        }
        shapes.dedup();
        assert_eq!(shapes.len(), 1, "{path}: {shapes:#?}");
    }
}

async fn no_cookie_is_read(engine: Engine) {
    let site = TestSite::new(engine).await;
    let owner = site.owner_in("anna@example.org").await;
    let token = owner.token.unwrap();
    let cookie = format!("__Host-session={token}; session={token}");
    let program = site.program();
    for call in signed_in() {
        let headers = [("cookie", cookie.as_str()), ("content-type", "application/json")];
        let answer = program
            .send(call.method.clone(), &call.path, &headers, b"{}".to_vec())
            .await;
        answer.refused(401, "signed-out");
        assert!(!answer.headers.contains_key("set-cookie"));
    }
}
