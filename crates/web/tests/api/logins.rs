//! A program on the command line gets a token from an administrator at a browser.

use http::header::{COOKIE, LOCATION};
use http::{HeaderMap, Method, StatusCode};
use rightful_web::pages::paths;
use serde_json::{Value, json};

use crate::support::{
    Answer, Engine, HoldAction, HoldSource, NEW_PASSWORD, PASSWORD, Program, TestSite, app_code, node, on_both_engines,
};

on_both_engines!(
    an_administrator_lets_a_program_act,
    one_answer_and_one_pick_up_count,
    only_a_proved_administrator_at_a_browser_lets_programs_act,
    a_program_that_nobody_lets_gets_nothing,
    what_ends_the_administrators_sessions_ends_the_programs,
    a_link_plants_nothing,
);

const ADMIN: &str = "admin@example.org";

/// An administrator with an authenticator app, as a browser with the cookie of his session.
struct Administrator {
    program: Program,
    secret: String,
    /// The cookie of the request, where a page set one.
    login: Option<String>,
}

impl Administrator {
    async fn new(site: &TestSite) -> Self {
        let (program, secret) = site.owner_with_app(ADMIN).await;
        site.give_role(site.account_of(ADMIN).await, "administrator").await;
        Self {
            program,
            secret,
            login: None,
        }
    }

    /// Sends a request with cookies, and keeps what the answer sets.
    async fn visit(&mut self, method: Method, uri: &str, fields: &str) -> Answer {
        let session = self.program.token.clone().unwrap_or_default();
        let login = self
            .login
            .clone()
            .map_or(String::new(), |login| format!("; __Host-login={login}"));
        let cookie = format!("__Host-session={session}{login}");
        let headers = [
            (COOKIE.as_str(), cookie.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let mut as_browser = self.program.clone();
        as_browser.token = None;
        let answer = as_browser.send(method, uri, &headers, fields.as_bytes().to_vec()).await;
        if let Some(login) = cookie_of(&answer.headers, "__Host-login") {
            self.login = Some(login).filter(|login| !login.is_empty());
        }
        if let Some(session) = cookie_of(&answer.headers, "__Host-session") {
            self.program.token = Some(session);
        }
        answer
    }

    /// Opens the link of a program, up to the page.
    async fn open(&mut self, path: &str) -> Answer {
        let first = self.visit(Method::GET, path, "").await;
        assert_eq!(location(&first), Some(paths::LOGIN), "{first:?}");
        self.visit(Method::GET, paths::LOGIN, "").await
    }

    async fn answer(&mut self, path: &str, answer: &str) -> Answer {
        let fields = format!("request={}&answer={answer}", request_of(path));
        self.visit(Method::POST, paths::LOGIN, &fields).await
    }

    async fn prove(&mut self, site: &TestSite) -> Answer {
        let fields = format!("code={}&for=login", app_code(&self.secret, site.now()));
        self.visit(Method::POST, paths::STEP_UP, &fields).await
    }
}

fn location(answer: &Answer) -> Option<&str> {
    answer.header(LOCATION.as_str())
}

fn cookie_of(headers: &HeaderMap, name: &str) -> Option<String> {
    let set = headers.get_all("set-cookie").iter().map(|set| set.to_str().unwrap());
    let mut pairs = set.map(|set| set.split(';').next().unwrap().split_once('=').unwrap());
    pairs
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value.to_owned())
}

fn request_of(path: &str) -> &str {
    path.strip_prefix("/login?request=").unwrap()
}

async fn begin(program: &Program) -> Value {
    program.post("/login", &Value::Null).await.ok()
}

async fn look(program: &Program, begun: &Value) -> Answer {
    program
        .post("/login/token", &json!({ "secret": begun["secret"] }))
        .await
}

async fn an_administrator_lets_a_program_act(engine: Engine) {
    let site = TestSite::new(engine).await;
    let mut admin = Administrator::new(&site).await;
    let mut program = site.program();
    let begun = begin(&program).await;
    let path = begun["path"].as_str().unwrap();
    assert!(!path.contains(begun["secret"].as_str().unwrap()) && begun["expires_at"].is_string());
    assert_eq!(look(&program, &begun).await.ok(), json!({ "state": "waiting" }));

    site.pass(11 * 60 - 60);
    let begun = begin(&program).await;
    let path = begun["path"].as_str().unwrap();
    let page = admin.open(path).await;
    assert!(
        page.body.contains("name=\"for\" value=\"login\""),
        "a fresh proof first: {}",
        page.body
    );
    let proved = admin.prove(&site).await;
    assert_eq!(location(&proved), Some(paths::LOGIN), "{proved:?}");
    let page = admin.visit(Method::GET, paths::LOGIN, "").await;
    assert!(page.body.contains(begun["code"].as_str().unwrap()), "{}", page.body);
    assert!(page.body.contains("8 hours"), "{}", page.body);
    assert_eq!(
        look(&program, &begun).await.ok(),
        json!({ "state": "waiting" }),
        "a look answers nothing"
    );

    let approved = admin.answer(path, "approve").await;
    assert_eq!(approved.status, StatusCode::OK, "{approved:?}");
    assert_eq!(admin.login, None);
    let picked = look(&program, &begun).await.ok();
    assert_eq!(
        (&picked["state"], &picked["expires_at"]),
        (&json!("approved"), &json!("2026-11-24T22:13:00Z"))
    );
    look(&program, &begun).await.refused(409, "start-again");

    program.take_token(&picked);
    assert!(program.token.as_ref().unwrap().starts_with("ra_"));
    assert_eq!(program.get("/me").await.ok()["identifier"], ADMIN);
    let listed = program.get("/me/sessions").await.ok();
    assert_eq!(listed["sessions"][0]["used_by"], "api", "{listed}");
    // It can look; what a thief of it would want first asks for a proof of its own.
    let change = json!({ "current": PASSWORD, "password": NEW_PASSWORD });
    program.post("/me/password", &change).await.refused(403, "fresh-proof");
    program.delete("/me/app").await.refused(403, "fresh-proof");
    let audited = site.audited(site.account_of(ADMIN).await).await;
    assert!(
        audited.ends_with(&["login.approved".to_owned(), "login.picked_up".to_owned()]),
        "{audited:?}"
    );

    site.pass(8 * 60 * 60 - 1);
    assert!(program.is_in().await);
    site.pass(1);
    assert!(!program.is_in().await, "after 8 hours it is over");
}

async fn one_answer_and_one_pick_up_count(engine: Engine) {
    let site = TestSite::new(engine).await;
    let mut admin = Administrator::new(&site).await;
    let now = app_code(&admin.secret, site.now());
    admin.program.prove(&now).await;
    let program = site.program();
    let other = Program {
        router: node(site.another_node().await),
        ..program.clone()
    };
    let begun = begin(&program).await;
    let fields = format!("request={}&answer=approve", request_of(begun["path"].as_str().unwrap()));
    let cookie = format!("__Host-session={}", admin.program.token.clone().unwrap());
    let answers = (0..32).map(|number| {
        let node = if number % 2 == 0 {
            program.clone()
        } else {
            other.clone()
        };
        let (cookie, fields) = (cookie.clone(), fields.clone().into_bytes());
        tokio::spawn(async move {
            let headers = [
                ("cookie", cookie.as_str()),
                ("content-type", "application/x-www-form-urlencoded"),
            ];
            node.send(Method::POST, paths::LOGIN, &headers, fields).await
        })
    });
    let answers: Vec<_> = answers.collect();
    let mut approved = 0;
    for answer in answers {
        let answer = answer.await.unwrap();
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        approved += usize::from(answer.body.contains("The program may go on"));
    }
    assert_eq!(approved, 1);
    let refused = admin.answer(begun["path"].as_str().unwrap(), "refuse").await;
    assert!(refused.body.contains("No program is waiting"), "{}", refused.body);

    let looks: Vec<_> = (0..32)
        .map(|number| {
            let (node, begun) = (
                if number % 2 == 0 {
                    program.clone()
                } else {
                    other.clone()
                },
                begun.clone(),
            );
            tokio::spawn(async move { look(&node, &begun).await })
        })
        .collect();
    let mut tokens = 0;
    for looked in looks {
        match looked.await.unwrap() {
            answer if answer.status == StatusCode::OK => {
                assert_eq!(answer.ok()["state"], "approved");
                tokens += 1;
            }
            answer => drop(answer.refused(409, "start-again")),
        }
    }
    assert_eq!(tokens, 1);
}

async fn only_a_proved_administrator_at_a_browser_lets_programs_act(engine: Engine) {
    let site = TestSite::new(engine).await;
    let mut admin = Administrator::new(&site).await;
    let code = app_code(&admin.secret, site.now());
    admin.program.prove(&code).await;
    let mut program = site.program();
    let begun = begin(&program).await;
    let path = begun["path"].as_str().unwrap();

    let mut nobody = Administrator {
        program: site.program(),
        secret: String::new(),
        login: None,
    };
    for answer in [nobody.open(path).await, nobody.answer(path, "approve").await] {
        assert_eq!(location(&answer), Some(paths::SIGN_IN), "{answer:?}");
    }
    assert!(nobody.login.is_some(), "kept over the sign-in");
    let mut owner = Administrator {
        program: site.owner_in("anna@example.org").await,
        secret: String::new(),
        login: None,
    };
    for answer in [owner.open(path).await, owner.answer(path, "approve").await] {
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(look(&program, &begun).await.ok(), json!({ "state": "waiting" }));

    admin.answer(path, "approve").await;
    program.take_token(&look(&program, &begun).await.ok());
    // A program with a token lets no other, not even with its token as a cookie and after a proof of its own.
    site.pass(60);
    program.prove(&app_code(&admin.secret, site.now())).await;
    let second = begin(&site.program()).await;
    let second_path = second["path"].as_str().unwrap();
    let mut as_browser = Administrator {
        program: program.clone(),
        secret: String::new(),
        login: None,
    };
    for answer in [
        as_browser.open(second_path).await,
        as_browser.answer(second_path, "approve").await,
    ] {
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{answer:?}");
    }
    site.pass(11 * 60);
    let third = begin(&site.program()).await;
    let page = admin.answer(third["path"].as_str().unwrap(), "approve").await;
    assert!(page.body.contains("name=\"for\" value=\"login\""), "{}", page.body);
    assert_eq!(look(&program, &third).await.ok(), json!({ "state": "waiting" }));
}

async fn a_program_that_nobody_lets_gets_nothing(engine: Engine) {
    let site = TestSite::new(engine).await;
    let mut admin = Administrator::new(&site).await;
    let program = site.program();
    let begun = begin(&program).await;
    // Refusing only takes away: it needs no proof.
    site.pass(9 * 60);
    let page = admin.answer(begun["path"].as_str().unwrap(), "anything but yes").await;
    assert!(page.body.contains("The program gets nothing"), "{}", page.body);
    for _ in 0..2 {
        look(&program, &begun).await.refused(403, "login-refused");
    }
    let late = begin(&program).await;
    let code = app_code(&admin.secret, site.now());
    admin.program.prove(&code).await;
    site.pass(10 * 60);
    let page = admin.open(late["path"].as_str().unwrap()).await;
    assert!(page.body.contains("No program is waiting"), "{}", page.body);
    look(&program, &late).await.refused(409, "start-again");
    for secret in [
        "",
        "rf_",
        "ra_",
        &format!("rf_{}", "A".repeat(48)),
        request_of(late["path"].as_str().unwrap()),
    ] {
        let looked = program.post("/login/token", &json!({ "secret": secret })).await;
        looked.refused(409, "start-again");
    }
}

async fn what_ends_the_administrators_sessions_ends_the_programs(engine: Engine) {
    let site = TestSite::new(engine).await;
    let mut admin = Administrator::new(&site).await;
    let code = app_code(&admin.secret, site.now());
    admin.program.prove(&code).await;
    let account = site.account_of(ADMIN).await;
    let mut program = site.program();
    let (picked, late) = (begin(&program).await, begin(&program).await);
    for begun in [&picked, &late] {
        admin.answer(begun["path"].as_str().unwrap(), "approve").await;
    }
    program.take_token(&look(&program, &picked).await.ok());
    assert!(program.is_in().await);
    let hold = site.hold(account, HoldSource::Administrator, HoldAction::Hold).await;
    assert!(!program.is_in().await);
    site.lift(account, hold).await;
    look(&program, &late).await.refused(409, "start-again");
    assert!(!program.is_in().await);
}

async fn a_link_plants_nothing(engine: Engine) {
    let site = TestSite::new(engine).await;
    let mut admin = Administrator::new(&site).await;
    for request in [
        "x",
        "",
        "..%2F",
        "%0d%0aSet-Cookie:%20a=b",
        "x;%20Domain=example.org",
        &"A".repeat(64),
        &"0".repeat(65),
    ] {
        let answer = admin.visit(Method::GET, &format!("/login?request={request}"), "").await;
        assert_eq!(location(&answer), Some(paths::LOGIN));
        assert_eq!(admin.login, None, "{request}");
    }
    let page = admin.visit(Method::GET, paths::LOGIN, "").await;
    assert!(page.body.contains("No program is waiting"), "{}", page.body);
}
