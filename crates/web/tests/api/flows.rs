//! Every flow, once, through documents.

use serde_json::{Value, json};

use crate::support::{Engine, HoldAction, HoldSource, NEW_PASSWORD, PASSWORD, TestSite, app_code, on_both_engines};

on_both_engines!(
    a_new_account_is_made,
    an_owner_signs_in_with_a_second_factor_and_out,
    a_recovery_code_stands_in_for_the_app_once,
    a_new_password_is_got_with_code_and_second_factor,
    a_held_owner_comes_back,
    a_required_change_leads_to_a_return,
    the_password_is_changed,
    the_address_is_changed,
    the_app_is_removed,
    sessions_are_listed_and_ended,
    a_deletion_is_planned_and_taken_back,
    messages_and_sign_ins_are_listed_and_a_message_is_checked,
    an_administrator_adds_an_app_before_anything_else,
    too_many_attempts_are_told_to_wait,
);

const ANNA: &str = "anna@example.org";

fn sign_in(password: &str) -> Value {
    json!({ "identifier": ANNA, "password": password })
}

async fn a_new_account_is_made(engine: Engine) {
    let site = TestSite::new(engine).await;
    let mut program = site.program();
    let refused = program.post("/sign-up", &json!({ "address": "no address" })).await;
    refused.refused(422, "address-refused");
    let asked = program.post("/sign-up", &json!({ "address": ANNA })).await.ok();
    assert_eq!(asked["step"], "code");
    let first = site.code_to(ANNA).await;
    let again = program
        .post("/sign-up/code/again", &json!({ "flow": asked["flow"] }))
        .await
        .ok();
    let code = site.code_to(ANNA).await;
    let wrong = program
        .post("/sign-up/code", &json!({ "flow": again["flow"], "code": first }))
        .await;
    wrong.refused(403, "wrong-code");
    let typed = json!({ "flow": again["flow"], "code": code });
    let choose = program.post("/sign-up/code", &typed).await.ok();
    assert_eq!(choose["step"], "password");
    let short = json!({ "flow": choose["flow"], "password": "short" });
    let problem = program
        .post("/sign-up/password", &short)
        .await
        .refused(422, "password-refused");
    assert_eq!(problem["faults"][0]["fault"], "too-short", "{problem}");
    assert_eq!(problem["faults"][0]["at_least"], 15, "{problem}");
    let chosen = json!({ "flow": choose["flow"], "password": PASSWORD });
    let opened = program.post("/sign-up/password", &chosen).await.ok();
    assert_eq!(
        (&opened["step"], &opened["password_known_leaked"]),
        (&json!("session"), &json!(false))
    );
    program.take_token(&opened);
    let me = program.get("/me").await.ok();
    assert_eq!((&me["identifier"], &me["address"]), (&json!(ANNA), &json!(ANNA)));
    program
        .post("/sign-up/password", &chosen)
        .await
        .refused(409, "start-again");
}

async fn an_owner_signs_in_with_a_second_factor_and_out(engine: Engine) {
    let site = TestSite::new(engine).await;
    let (_, secret) = site.owner_with_app(ANNA).await;
    let mut program = site.program();
    let next = program.post("/sign-in", &sign_in(PASSWORD)).await.ok();
    assert_eq!(next["step"], "factor");
    let factor = |code: &str| json!({ "flow": next["flow"], "factor": "app", "code": code });
    let wrong = program.post("/sign-in/factor", &factor("000000")).await;
    wrong.refused(403, "wrong-code");
    let code = app_code(&secret, site.now());
    let opened = program.post("/sign-in/factor", &factor(&code)).await.ok();
    assert_eq!(opened["step"], "session");
    program.take_token(&opened);
    assert!(program.is_in().await);
    // The browser that was recognised is known again.
    let known = json!({ "identifier": ANNA, "password": PASSWORD, "browser": opened["browser"] });
    assert_eq!(program.post("/sign-in", &known).await.ok()["step"], "factor");
    program.post("/sign-out", &Value::Null).await.done();
    assert!(!program.is_in().await);
}

async fn a_recovery_code_stands_in_for_the_app_once(engine: Engine) {
    let site = TestSite::new(engine).await;
    let (mut owner, secret) = site.owner_with_app(ANNA).await;
    owner.prove(&app_code(&secret, site.now())).await;
    let made = owner.post("/me/recovery-codes", &Value::Null).await.ok();
    let program = site.program();
    for (wanted, status) in [("session", 200), ("", 403)] {
        let next = program.post("/sign-in", &sign_in(PASSWORD)).await.ok();
        let code = json!({ "flow": next["flow"], "factor": "recovery-code", "code": made["recovery_codes"][0] });
        let answer = program.post("/sign-in/factor", &code).await;
        assert_eq!(answer.status.as_u16(), status, "{answer:?}");
        if status == 200 {
            assert_eq!(answer.ok()["step"], wanted);
        }
    }
}

async fn a_new_password_is_got_with_code_and_second_factor(engine: Engine) {
    let site = TestSite::new(engine).await;
    let (owner, secret) = site.owner_with_app(ANNA).await;
    let program = site.program();
    let asked = program.post("/new-password", &json!({ "identifier": ANNA })).await.ok();
    assert_eq!(asked["step"], "code");
    let code = site.code_to(ANNA).await;
    let next = program
        .post("/new-password/code", &json!({ "flow": asked["flow"], "code": code }))
        .await
        .ok();
    assert_eq!(next["step"], "factor");
    let too_soon = json!({ "flow": next["flow"], "password": NEW_PASSWORD });
    program
        .post("/new-password/choose", &too_soon)
        .await
        .refused(409, "start-again");
    let code = app_code(&secret, site.now());
    let factor = json!({ "flow": next["flow"], "factor": "app", "code": code });
    let next = program.post("/new-password/factor", &factor).await.ok();
    assert_eq!(next["step"], "choose");
    for (password, fault) in [(PASSWORD, "same"), ("Kestrel above the harbour", "variation")] {
        let chosen = json!({ "flow": next["flow"], "password": password });
        let problem = program
            .post("/new-password/choose", &chosen)
            .await
            .refused(422, "password-refused");
        assert_eq!(problem["faults"], json!([{ "fault": fault }]));
    }
    let chosen = json!({ "flow": next["flow"], "password": NEW_PASSWORD });
    assert_eq!(
        program.post("/new-password/choose", &chosen).await.ok(),
        json!({ "step": "done" })
    );
    assert!(!owner.is_in().await, "all sessions ended");
    assert_eq!(
        program.post("/sign-in", &sign_in(NEW_PASSWORD)).await.ok()["step"],
        "factor"
    );
}

async fn a_held_owner_comes_back(engine: Engine) {
    let site = TestSite::new(engine).await;
    site.owner(ANNA).await;
    let mut program = site.program();
    let opened = program.post("/sign-in", &sign_in(PASSWORD)).await.ok();
    program.take_token(&opened);
    let account = site.account_of(ANNA).await;
    site.hold(account, HoldSource::Containment, HoldAction::Hold).await;
    assert!(!program.is_in().await);
    program.token = None;
    program
        .post("/sign-in", &sign_in(PASSWORD))
        .await
        .refused(403, "denied");
    let known = json!({ "identifier": ANNA, "password": PASSWORD, "browser": opened["browser"] });
    let told = program.post("/sign-in", &known).await.refused(403, "password-off");
    assert_eq!(told["off"]["since"], "2026-11-24T14:02:00Z");
    let asked = program.post("/new-password", &json!({ "identifier": ANNA })).await.ok();
    let code = site.code_to(ANNA).await;
    let next = program
        .post("/new-password/code", &json!({ "flow": asked["flow"], "code": code }))
        .await
        .ok();
    let chosen = json!({ "flow": next["flow"], "password": NEW_PASSWORD });
    assert_eq!(
        program.post("/new-password/choose", &chosen).await.ok(),
        json!({ "step": "done" })
    );
    assert_eq!(
        program.post("/sign-in", &sign_in(NEW_PASSWORD)).await.ok()["step"],
        "session"
    );
}

async fn a_required_change_leads_to_a_return(engine: Engine) {
    let site = TestSite::new(engine).await;
    site.owner(ANNA).await;
    let account = site.account_of(ANNA).await;
    site.hold(account, HoldSource::Containment, HoldAction::Change).await;
    let program = site.program();
    let next = program.post("/sign-in", &sign_in(PASSWORD)).await.ok();
    assert_eq!(
        (&next["step"], &next["address"]),
        (&json!("change-required"), &json!("a•••@e•••.org"))
    );
    assert!(site.mails().await.is_empty(), "nothing is sent before it is asked for");
    let asked = program
        .post("/new-password/code/again", &json!({ "flow": next["flow"] }))
        .await
        .ok();
    let code = site.code_to(ANNA).await;
    let next = program
        .post("/new-password/code", &json!({ "flow": asked["flow"], "code": code }))
        .await
        .ok();
    assert_eq!(next["step"], "choose");
    let chosen = json!({ "flow": next["flow"], "password": NEW_PASSWORD });
    assert_eq!(
        program.post("/new-password/choose", &chosen).await.ok(),
        json!({ "step": "done" })
    );
}

async fn the_password_is_changed(engine: Engine) {
    let site = TestSite::new(engine).await;
    let mut owner = site.owner_in(ANNA).await;
    let mut elsewhere = site.program();
    elsewhere.sign_in(ANNA).await;
    let change = |current: &str, password: &str| json!({ "current": current, "password": password });
    owner
        .post("/me/password", &change("no", NEW_PASSWORD))
        .await
        .refused(403, "wrong-proof");
    let problem = owner
        .post("/me/password", &change(PASSWORD, PASSWORD))
        .await
        .refused(422, "password-refused");
    assert_eq!(problem["faults"], json!([{ "fault": "same" }]));
    let before = owner.clone();
    let changed = owner.post("/me/password", &change(PASSWORD, NEW_PASSWORD)).await.ok();
    owner.take_token(&changed);
    assert!(owner.is_in().await && !before.is_in().await && !elsewhere.is_in().await);
    site.program()
        .post("/sign-in", &sign_in(PASSWORD))
        .await
        .refused(403, "denied");
}

async fn the_address_is_changed(engine: Engine) {
    let site = TestSite::new(engine).await;
    let mut owner = site.owner_in(ANNA).await;
    let new = json!({ "address": "new@example.net" });
    site.pass(11 * 60);
    owner.post("/me/address", &new).await.refused(403, "fresh-proof");
    assert_eq!(owner.get("/step-up").await.ok(), json!({ "proof": "password" }));
    owner
        .post("/step-up", &json!({ "proof": "no" }))
        .await
        .refused(403, "wrong-proof");
    owner.prove(PASSWORD).await;
    owner
        .post("/me/address", &json!({ "address": ANNA }))
        .await
        .refused(422, "same-address");
    owner
        .post("/me/address", &json!({ "address": "no" }))
        .await
        .refused(422, "address-refused");
    let asked = owner.post("/me/address", &new).await.ok();
    assert_eq!(asked["step"], "code");
    let again = owner
        .post("/me/address/code/again", &json!({ "flow": asked["flow"] }))
        .await
        .ok();
    let code = site.code_to("new@example.net").await;
    let stranger = site.owner_in("eve@example.org").await;
    let typed = json!({ "flow": again["flow"], "code": code });
    stranger
        .post("/me/address/code", &typed)
        .await
        .refused(409, "start-again");
    let changed = owner.post("/me/address/code", &typed).await.ok();
    assert_eq!(changed["step"], "done");
    owner.take_token(&changed);
    assert_eq!(owner.get("/me").await.ok()["address"], "new@example.net");
}

async fn the_app_is_removed(engine: Engine) {
    let site = TestSite::new(engine).await;
    let (mut owner, secret) = site.owner_with_app(ANNA).await;
    owner.post("/me/app", &Value::Null).await.refused(409, "has-app");
    site.pass(11 * 60);
    assert_eq!(owner.get("/step-up").await.ok(), json!({ "proof": "app" }));
    owner.delete("/me/app").await.refused(403, "fresh-proof");
    owner.prove(&app_code(&secret, site.now())).await;
    // As it stands of a password that nobody knows the length of.
    site.tamper("UPDATE password SET alone = 0").await;
    owner.delete("/me/app").await.refused(409, "longer-password");
    site.tamper("UPDATE password SET alone = 1").await;
    let removed = owner.delete("/me/app").await.ok();
    owner.take_token(&removed);
    owner.delete("/me/app").await.refused(409, "no-app");
    owner
        .post("/me/recovery-codes", &Value::Null)
        .await
        .refused(409, "no-app");
    let me = owner.get("/me").await.ok();
    assert_eq!(
        (&me["app_since"], &me["recovery_codes_left"]),
        (&Value::Null, &json!(0))
    );
}

async fn sessions_are_listed_and_ended(engine: Engine) {
    let site = TestSite::new(engine).await;
    let mut owner = site.owner_in(ANNA).await;
    let mut others = [site.program(), site.program()];
    for other in &mut others {
        site.pass(1);
        other.sign_in(ANNA).await;
    }
    let listed = owner.get("/me/sessions").await.ok();
    let current: Vec<_> = listed["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|session| &session["current"])
        .collect();
    assert_eq!(current, [false, false, true], "{listed}");
    let stranger = site.owner_in("eve@example.org").await;
    let newest = json!({ "session": listed["sessions"][0]["session"] });
    stranger
        .post("/me/sessions/end", &newest)
        .await
        .refused(404, "not-found");
    owner
        .post("/me/sessions/end", &json!({ "session": "no" }))
        .await
        .refused(404, "not-found");
    owner.post("/me/sessions/end", &newest).await.done();
    assert!(!others[1].is_in().await && others[0].is_in().await);
    let ended = owner.post("/me/sessions/end-others", &Value::Null).await.ok();
    owner.take_token(&ended);
    assert!(owner.is_in().await && !others[0].is_in().await && stranger.is_in().await);
}

async fn a_deletion_is_planned_and_taken_back(engine: Engine) {
    let site = TestSite::new(engine).await;
    let mut owner = site.owner_in(ANNA).await;
    site.pass(11 * 60);
    owner
        .post("/me/deletion", &Value::Null)
        .await
        .refused(403, "fresh-proof");
    owner.prove(PASSWORD).await;
    let planned = owner.post("/me/deletion", &Value::Null).await.ok();
    assert_eq!(planned, json!({ "deletion_at": "2026-12-08T14:13:00Z" }));
    assert_eq!(owner.get("/me").await.ok()["deletion_at"], planned["deletion_at"]);
    owner.delete("/me/deletion").await.done();
    assert_eq!(owner.get("/me").await.ok()["deletion_at"], Value::Null);
}

async fn messages_and_sign_ins_are_listed_and_a_message_is_checked(engine: Engine) {
    let site = TestSite::new(engine).await;
    let owner = site.owner_in(ANNA).await;
    let program = site.program();
    program.post("/sign-in", &sign_in("no")).await.refused(403, "denied");
    program.post("/new-password", &json!({ "identifier": ANNA })).await.ok();
    let sent = site.mails().await;
    let listed = owner.get("/me/messages").await.ok();
    let message =
        json!({ "kind": "reset-code", "at": "2026-11-24T14:02:00Z", "address": "a•••@e•••.org", "state": "sent" });
    assert_eq!(listed, json!({ "messages": [message] }));
    let activity = owner.get("/me/activity").await.ok();
    let mut refused: Vec<Value> = activity["activity"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["refused"].clone())
        .collect();
    refused.sort_by_key(Value::to_string);
    assert_eq!(refused, [json!("wrong-password"), Value::Null], "{activity}");
    let check = |address: &str| json!({ "address": address, "number": sent[0].number });
    let ours = program.post("/check", &check(ANNA)).await.ok();
    assert_eq!(
        ours,
        json!({ "answer": "ours", "kind": "reset-code", "at": "2026-11-24T14:02:00Z" })
    );
    let not = program.post("/check", &check("eve@example.org")).await.ok();
    assert_eq!(not, json!({ "answer": "not-ours" }));
}

async fn an_administrator_adds_an_app_before_anything_else(engine: Engine) {
    let site = TestSite::new(engine).await;
    site.owner(ANNA).await;
    site.give_role(site.account_of(ANNA).await, "administrator").await;
    let mut admin = site.program();
    admin.sign_in(ANNA).await;
    admin.get("/me").await.refused(403, "app-first");
    admin
        .post("/me/sessions/end-others", &Value::Null)
        .await
        .refused(403, "app-first");
    site.pass(11 * 60);
    admin.post("/me/app", &Value::Null).await.refused(403, "fresh-proof");
    admin.prove(PASSWORD).await;
    let begun = admin.post("/me/app", &Value::Null).await.ok();
    assert!(begun["uri"].as_str().unwrap().starts_with("otpauth://totp/"), "{begun}");
    let wrong = json!({ "flow": begun["flow"], "code": "000000" });
    admin.post("/me/app/finish", &wrong).await.refused(403, "wrong-code");
    let code = app_code(begun["secret"].as_str().unwrap(), site.now());
    let added = admin
        .post("/me/app/finish", &json!({ "flow": begun["flow"], "code": code }))
        .await
        .ok();
    admin.take_token(&added);
    assert!(admin.is_in().await);
}

async fn too_many_attempts_are_told_to_wait(engine: Engine) {
    let site = TestSite::new(engine).await;
    site.owner(ANNA).await;
    let program = site.program();
    for _ in 0..10 {
        program.post("/sign-in", &sign_in("no")).await.refused(403, "denied");
    }
    let problem = program
        .post("/sign-in", &sign_in(PASSWORD))
        .await
        .refused(429, "slow-down");
    let seconds = problem["retry_after"].as_i64().unwrap();
    assert!((300..=361).contains(&seconds), "{problem}");
    site.pass(seconds);
    assert_eq!(
        program.post("/sign-in", &sign_in(PASSWORD)).await.ok()["step"],
        "session"
    );
}
