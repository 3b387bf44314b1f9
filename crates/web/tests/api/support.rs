//! A site, and programs that call its API.

use std::net::Ipv4Addr;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use rightful_app::app::App;
use rightful_app::bounces::BounceSecret;
use rightful_testkit::app::TestApp;
pub(crate) use rightful_testkit::databases::Engine;
pub(crate) use rightful_testkit::given::{HoldAction, HoldSource, app_code, cheap_hash};
use rightful_web::api::ROOT;
use rightful_web::pages::Branding;
use rightful_web::server::{Client, RequestId};
use rightful_web::site::{Parts, router};
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// Declares each test for both engines.
macro_rules! on_both_engines {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $name() {
                super::$name(crate::support::Engine::Sqlite).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $name() {
                super::$name(crate::support::Engine::Postgres).await;
            })+
        }
    };
}
pub(crate) use on_both_engines;

/// The password of every owner here, until he changes it.
pub(crate) const PASSWORD: &str = "kestrel above the harbour";

/// Another one that may be chosen.
pub(crate) const NEW_PASSWORD: &str = "seven grey lanterns, one red";

/// What bounces that are posted are signed with.
pub(crate) const BOUNCE_SECRET: &str = "a secret of the mail server and us";

/// A site in service. Derefs to its [`TestApp`].
pub(crate) struct TestSite {
    app: TestApp,
    router: Router,
    ranges: AtomicU32,
}

impl Deref for TestSite {
    type Target = TestApp;

    fn deref(&self) -> &TestApp {
        &self.app
    }
}

/// The pages and the API of a node.
pub(crate) fn node(app: Arc<App>) -> Router {
    node_with(app, BounceSecret::new(BOUNCE_SECRET))
}

/// The same where nobody posts bounces.
pub(crate) fn node_without_bounces(app: Arc<App>) -> Router {
    node_with(app, None)
}

fn node_with(app: Arc<App>, bounce_secret: Option<BounceSecret>) -> Router {
    router(Parts {
        app,
        branding: Arc::new(Branding::named("Example")),
        secure: true,
        places: None,
        mailbox: None,
        help_contact: None,
        security_txt: None,
        bounce_secret,
    })
}

impl TestSite {
    pub(crate) async fn new(engine: Engine) -> Self {
        let app = TestApp::new(engine).await;
        Self {
            router: node(app.node()),
            app,
            ranges: AtomicU32::new(0),
        }
    }

    /// A program in an address range of its own.
    pub(crate) fn program(&self) -> Program {
        let range = self.ranges.fetch_add(1, Ordering::Relaxed);
        Program {
            router: self.router.clone(),
            address: Ipv4Addr::from_bits(u32::from_be_bytes([10, 0, 0, 7]) + (range << 8)),
            token: None,
        }
    }

    /// Makes an account that has the password of all.
    pub(crate) async fn owner(&self, address: &str) {
        let hash = cheap_hash(PASSWORD);
        self.import(&format!("account,email,password\n{address},{address},\"{hash}\"\n"))
            .await;
    }

    /// Makes an account and signs in to it.
    pub(crate) async fn owner_in(&self, address: &str) -> Program {
        self.owner(address).await;
        let mut program = self.program();
        program.sign_in(address).await;
        program
    }

    /// Makes an account and signs in to it, and adds an authenticator app: its secret. The next code is good at once.
    pub(crate) async fn owner_with_app(&self, address: &str) -> (Program, String) {
        let mut program = self.owner_in(address).await;
        let begun = program.post("/me/app", &Value::Null).await.ok();
        let secret = begun["secret"].as_str().unwrap().to_owned();
        let code = app_code(&secret, self.now());
        let added = program
            .post("/me/app/finish", &json!({ "flow": begun["flow"], "code": code }))
            .await
            .ok();
        program.take_token(&added);
        assert_eq!(added["recovery_codes"].as_array().unwrap().len(), 10);
        self.mails().await;
        self.pass(60);
        (program, secret)
    }

    /// The newest code that was mailed to an address, of what was not read before.
    pub(crate) async fn code_to(&self, address: &str) -> String {
        let mails = self.mails().await;
        let found = mails
            .iter()
            .rev()
            .find(|mail| mail.to == address && mail.code.is_some());
        found
            .and_then(|mail| mail.code.clone())
            .unwrap_or_else(|| panic!("no code to {address}: {mails:?}"))
    }
}

/// A program: keeps the token of its session, and no cookie.
#[derive(Clone)]
pub(crate) struct Program {
    pub(crate) router: Router,
    pub(crate) address: Ipv4Addr,
    pub(crate) token: Option<String>,
}

impl Program {
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, &format!("{ROOT}{path}"), &[], Vec::new()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, &format!("{ROOT}{path}"), &[], Vec::new())
            .await
    }

    /// Posts a document; nothing where it is null.
    pub(crate) async fn post(&self, path: &str, document: &Value) -> Answer {
        let path = format!("{ROOT}{path}");
        match document {
            Value::Null => self.send(Method::POST, &path, &[], Vec::new()).await,
            document => {
                self.send_json(Method::POST, &path, document.to_string().into_bytes())
                    .await
            }
        }
    }

    pub(crate) async fn send_json(&self, method: Method, path: &str, body: Vec<u8>) -> Answer {
        self.send(method, path, &[(CONTENT_TYPE.as_str(), "application/json")], body)
            .await
    }

    /// Sends a request, with the token if there is one.
    pub(crate) async fn send(&self, method: Method, uri: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        static REQUESTS: AtomicU64 = AtomicU64::new(1);
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let mut request = request.body(Body::from(body)).unwrap();
        let id = RequestId::from_number(REQUESTS.fetch_add(1, Ordering::Relaxed));
        request.extensions_mut().insert(Client::new(self.address.into(), id));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    pub(crate) async fn sign_in(&mut self, name: &str) {
        let opened = self
            .post("/sign-in", &json!({ "identifier": name, "password": PASSWORD }))
            .await
            .ok();
        assert_eq!(opened["step"], "session", "{opened}");
        self.take_token(&opened);
    }

    /// Goes on under the token that an answer brings.
    pub(crate) fn take_token(&mut self, answer: &Value) {
        self.token = Some(
            answer["token"]
                .as_str()
                .unwrap_or_else(|| panic!("no token in {answer}"))
                .to_owned(),
        );
    }

    /// Makes a fresh proof.
    pub(crate) async fn prove(&mut self, proof: &str) {
        let proved = self.post("/step-up", &json!({ "proof": proof })).await.ok();
        self.take_token(&proved);
    }

    /// Whether its session lives.
    pub(crate) async fn is_in(&self) -> bool {
        match self.get("/me").await {
            Answer {
                status: StatusCode::OK, ..
            } => true,
            answer => {
                answer.refused(401, "signed-out");
                false
            }
        }
    }
}

/// What a program gets.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The document of a call that went well.
    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(
            (self.status, self.header("content-type")),
            (StatusCode::OK, Some("application/json")),
            "{self:?}"
        );
        self.json()
    }

    /// Checks that a call went well and gave nothing.
    #[track_caller]
    pub(crate) fn done(&self) {
        assert_eq!(
            (self.status, self.body.as_str()),
            (StatusCode::NO_CONTENT, ""),
            "{self:?}"
        );
    }

    /// The problem of a call that did not go well.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) -> Value {
        let problem = self.json();
        assert_eq!(
            (self.status.as_u16(), problem["code"].as_str()),
            (status, Some(code)),
            "{self:?}"
        );
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(problem["type"], format!("urn:rightful:problem:{code}"));
        assert_eq!(problem["status"], status);
        assert!(
            problem["title"].is_string() && problem["detail"].is_string(),
            "{self:?}"
        );
        let after = problem["retry_after"].as_u64();
        assert_eq!(
            self.header("retry-after").map(|after| after.parse().unwrap()),
            after,
            "{self:?}"
        );
        assert_eq!(matches!(status, 429 | 503), after.is_some(), "{self:?}");
        assert_eq!(self.headers.contains_key("www-authenticate"), status == 401);
        problem
    }
}
