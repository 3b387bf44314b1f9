//! Incidents and containments through documents, and who may call what.

use rightful_core::role::{Power, Role};
use rightful_web::api::calls;
use serde_json::{Value, json};

use crate::support::{Engine, PASSWORD, Program, TestSite, cheap_hash, on_both_engines};

on_both_engines!(
    a_leak_is_answered_from_the_incident_to_the_undoing,
    j01_each_role_makes_the_calls_of_its_powers_and_no_other,
    what_touches_many_asks_for_a_fresh_proof,
    j03_no_document_says_who_somebody_is,
    a_cohort_is_read_page_by_page,
    a_role_is_given_by_somebody_else,
);

/// What each call needs. A call that is not here fails the test below: it is to be thought about.
const POWERS: &[(&str, Power)] = &[
    ("/roles/give", Power::Administer),
    ("/incidents", Power::See),
    ("/incidents/open", Power::Respond),
    ("/incidents/show", Power::See),
    ("/incidents/leaks/attach", Power::Respond),
    ("/incidents/write", Power::Respond),
    ("/incidents/close", Power::Respond),
    ("/containments/draft", Power::Respond),
    ("/containments/plan", Power::Respond),
    ("/containments/dry-run", Power::Respond),
    ("/containments/show", Power::See),
    ("/containments/cohort", Power::See),
    ("/containments/approve", Power::Approve),
    ("/containments/start", Power::Respond),
    ("/containments/pause", Power::Respond),
    ("/containments/resume", Power::Respond),
    // Asked for by one who responds, agreed to by one who approves; nobody else may.
    ("/containments/undo", Power::See),
];

fn document(path: &str) -> Value {
    match path {
        "/roles/give" => json!({ "account": "nobody@example.org", "role": "helper" }),
        "/incidents/open" => json!({ "title": "One more" }),
        "/incidents/show" | "/incidents/close" => json!({ "incident": "none" }),
        "/incidents/leaks/attach" => json!({ "incident": "none", "leak": "none" }),
        "/incidents/write" => json!({ "incident": "none", "to": "colleagues", "text": "hello" }),
        "/containments/draft" => json!({ "incident": "none" }),
        "/incidents" => Value::Null,
        _ => json!({ "containment": 999 }),
    }
}

async fn officer(site: &TestSite, name: &str, role: &'static str) -> Program {
    let token = site.officer_session(name, role).await;
    Program {
        token: Some(token),
        ..site.program()
    }
}

async fn call(program: &Program, path: &str, document: &Value) -> crate::support::Answer {
    match path {
        "/incidents" => program.get(path).await,
        path => program.post(path, document).await,
    }
}

async fn j01_each_role_makes_the_calls_of_its_powers_and_no_other(engine: Engine) {
    let site = TestSite::new(engine).await;
    let root = rightful_web::api::ROOT;
    let for_officers: Vec<String> = calls()
        .iter()
        .map(|call| call.path.trim_start_matches(root).to_owned())
        .filter(|path| !path.starts_with("/me") && !path.starts_with("/sign") && !path.starts_with("/new-password"))
        .filter(|path| {
            !["/session", "/step-up", "/check", "/login", "/login/token", "/bounces"].contains(&path.as_str())
        })
        .collect();
    for path in &for_officers {
        let declared = POWERS.iter().any(|(known, _)| known == path);
        assert!(declared, "{path}: say in this test which power it needs");
    }
    assert_eq!(for_officers.len(), POWERS.len(), "{for_officers:?}");
    let plain = site.owner_in("plain@example.org").await;
    for (path, _) in POWERS {
        call(&plain, path, &document(path)).await.refused(403, "not-allowed");
    }
    for role in Role::ALL {
        let program = officer(&site, &format!("{}@example.org", role.word()), role.word()).await;
        for (path, power) in POWERS {
            let answer = call(&program, path, &document(path)).await;
            let both = *path == "/containments/undo" && !role.may(Power::Respond) && !role.may(Power::Approve);
            if role.may(*power) && !both {
                assert_ne!(answer.status, 403, "{role:?} {path}: {answer:?}");
            } else {
                answer.refused(403, "not-allowed");
            }
        }
    }
}

/// An incident with a leak that holds the passwords of these owners, and its two officers.
async fn incident(site: &TestSite, owners: usize) -> (Program, Program) {
    let responder = officer(site, "responder@example.org", "administrator").await;
    let approver = officer(site, "approver@example.org", "approver").await;
    let hash = cheap_hash(PASSWORD);
    let (mut accounts, mut leak) = (String::from("account,email,password\n"), String::new());
    for number in 0..owners {
        accounts.push_str(&format!("a{number},owner{number}@example.org,\"{hash}\"\n"));
        leak.push_str(&format!("owner{number}@example.org:{PASSWORD}\n"));
    }
    site.import(&accounts).await;
    site.scan("a forum", &leak).await;
    let opened = responder
        .post("/incidents/open", &json!({ "title": "The forum's passwords" }))
        .await
        .ok();
    assert_eq!(opened["incident"], "the-forum-s-passwords");
    let attach = json!({ "incident": "the-forum-s-passwords", "leak": "a forum" });
    responder.post("/incidents/leaks/attach", &attach).await.done();
    (responder, approver)
}

/// A containment of it whose cohort is frozen: the document that names it.
async fn frozen(site: &TestSite, responder: &Program, plan: Value) -> Value {
    let draft = json!({ "incident": "the-forum-s-passwords", "plan": plan });
    let named = responder.post("/containments/draft", &draft).await.ok();
    responder.post("/containments/dry-run", &named).await.done();
    site.run_all_containments().await;
    named
}

async fn a_leak_is_answered_from_the_incident_to_the_undoing(engine: Engine) {
    let site = TestSite::new(engine).await;
    let (responder, approver) = incident(&site, 4).await;
    let mut owner = site.program();
    owner.sign_in("owner0@example.org").await;
    let plan = json!({ "waves": "1,rest", "spacing_minutes": 5, "language": "de" });
    let named = frozen(&site, &responder, plan).await;
    let shown = responder.post("/containments/show", &named).await.ok();
    assert_eq!(
        (&shown["state"], &shown["members"], &shown["takes"]),
        (&json!("dry-run"), &json!(4), &json!(4))
    );
    assert!(owner.is_in().await, "a dry run touches nobody");
    responder
        .post("/containments/start", &named)
        .await
        .refused(409, "needs-approval");
    approver.post("/containments/approve", &named).await.done();
    responder.post("/containments/start", &named).await.done();
    site.run_all_containments().await;
    site.pass(5 * 60);
    site.run_all_containments().await;
    assert!(!owner.is_in().await);
    let shown = responder.post("/containments/show", &named).await.ok();
    assert_eq!(
        (&shown["state"], shown["waves"].as_array().unwrap().len()),
        (&json!("done"), 2)
    );
    let told = site.mails().await;
    assert_eq!(told.iter().filter(|mail| mail.kind == "turned-off").count(), 4);
    let list = responder.get("/incidents").await.ok();
    assert_eq!(list["incidents"][0]["incident"], "the-forum-s-passwords");
    let shown = responder
        .post("/incidents/show", &json!({ "incident": "the-forum-s-passwords" }))
        .await
        .ok();
    assert_eq!(
        shown["leaks"][0]["counts"],
        json!([{ "grade": "exact", "kind": "dump", "accounts": 4 }])
    );
    let first = responder.post("/containments/undo", &named).await.ok();
    assert_eq!(first["begun"], false);
    responder
        .post("/containments/undo", &named)
        .await
        .refused(409, "needs-approval");
    let second = approver.post("/containments/undo", &named).await.ok();
    assert_eq!(second["begun"], true);
    site.run_all_containments().await;
    let shown = responder.post("/containments/show", &named).await.ok();
    assert_eq!(shown["state"], "undone");
    responder
        .post("/containments/start", &named)
        .await
        .refused(409, "not-now");
}

async fn what_touches_many_asks_for_a_fresh_proof(engine: Engine) {
    let site = TestSite::new(engine).await;
    let (responder, approver) = incident(&site, 2).await;
    let named = frozen(&site, &responder, json!({})).await;
    site.pass(11 * 60);
    for (program, path) in [
        (&approver, "/containments/approve"),
        (&responder, "/containments/start"),
        (&responder, "/containments/undo"),
        (&responder, "/containments/resume"),
    ] {
        program.post(path, &named).await.refused(403, "fresh-proof");
    }
    responder
        .post("/roles/give", &document("/roles/give"))
        .await
        .refused(403, "fresh-proof");
    // To stop something needs none.
    responder
        .post("/containments/pause", &named)
        .await
        .refused(409, "not-now");
    responder.post("/containments/show", &named).await.ok();
}

async fn j03_no_document_says_who_somebody_is(engine: Engine) {
    let site = TestSite::new(engine).await;
    let responder = officer(&site, "responder@example.org", "responder").await;
    for (path, document) in [
        ("/incidents/open", json!({ "title": "t", "owner": "somebody" })),
        (
            "/incidents/write",
            json!({ "incident": "i", "to": "colleagues", "text": "t", "author": 1 }),
        ),
        ("/containments/draft", json!({ "incident": "i", "author": 1 })),
        (
            "/containments/draft",
            json!({ "incident": "i", "plan": { "approved": true } }),
        ),
        ("/containments/start", json!({ "containment": 1, "approver": 2 })),
    ] {
        responder.post(path, &document).await.refused(422, "not-as-described");
    }
    let chosen = |grade: &str, action: &str| json!({ "incident": "i", "plan": { "choices": [{ "grade": grade, "kind": "dump", "action": action }] } });
    responder
        .post("/containments/draft", &chosen("named", "hold"))
        .await
        .refused(409, "not-now");
    responder
        .post("/containments/draft", &chosen("untested", "hold"))
        .await
        .refused(409, "not-now");
    responder
        .post("/containments/draft", &chosen("everybody", "hold"))
        .await
        .refused(422, "not-as-described");
}

async fn a_cohort_is_read_page_by_page(engine: Engine) {
    let site = TestSite::new(engine).await;
    let (responder, _) = incident(&site, 1001).await;
    let named = frozen(&site, &responder, json!({ "waves": "3,rest" })).await;
    let first = responder.post("/containments/cohort", &named).await.ok();
    let after = first["after"].as_str().unwrap().to_owned();
    assert_eq!(first["members"].as_array().unwrap().len(), 1000);
    assert_eq!(first["members"][0]["leak"], "a forum");
    let mut next = named.clone();
    next["after"] = json!(after);
    let second = responder.post("/containments/cohort", &next).await.ok();
    assert_eq!(
        (second["members"].as_array().unwrap().len(), &second["after"]),
        (1, &Value::Null)
    );
    let mut accounts: Vec<&str> = [&first, &second]
        .iter()
        .flat_map(|page| page["members"].as_array().unwrap())
        .map(|member| member["account"].as_str().unwrap())
        .collect();
    accounts.sort_unstable();
    accounts.dedup();
    assert_eq!(accounts.len(), 1001, "each once");
    for nonsense in ["", "1", "x.y", "1.nobody", "-1.a0\u{0}"] {
        next["after"] = json!(nonsense);
        responder
            .post("/containments/cohort", &next)
            .await
            .refused(422, "not-as-described");
    }
}

async fn a_role_is_given_by_somebody_else(engine: Engine) {
    let site = TestSite::new(engine).await;
    let administrator = officer(&site, "first@example.org", "administrator").await;
    let owner = site.owner_in("anna@example.org").await;
    let give = async |account: &str, role: &str| {
        administrator
            .post("/roles/give", &json!({ "account": account, "role": role }))
            .await
    };
    give("anna@example.org", "king").await.refused(422, "not-as-described");
    give("nobody@example.org", "helper").await.refused(404, "not-found");
    give("first@example.org", "none").await.refused(409, "not-now");
    give("anna@example.org", "auditor").await.done();
    assert!(!owner.is_in().await, "what was opened without the role does not get it");
    let mut again = site.program();
    again.sign_in("anna@example.org").await;
    again.get("/incidents").await.refused(403, "app-first");
    give("anna@example.org", "none").await.done();
    let mut plain = site.program();
    plain.sign_in("anna@example.org").await;
    plain.get("/incidents").await.refused(403, "not-allowed");
}
