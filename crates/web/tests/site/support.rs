//! A site, browsers that visit it, and owners of accounts on it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE, USER_AGENT};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use rightful_app::app::App;
use rightful_core::AccountNo;
pub(crate) use rightful_testkit::app::Mail;
use rightful_testkit::app::TestApp;
pub(crate) use rightful_testkit::databases::Engine;
use rightful_testkit::given::{app_code, cheap_hash};
use rightful_web::pages::{Branding, paths};
use rightful_web::server::{Client, RequestId};
use rightful_web::site::{Parts, router};
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

/// One that is nobody's.
pub(crate) const WRONG: &str = "certainly not the right one";

/// Longer than any code by mail lives, in seconds.
pub(crate) const CODE_DEAD: i64 = 30 * 60 + 1;

/// One step of an authenticator app, in seconds.
pub(crate) const STEP: i64 = 30;

/// A site in service. Derefs to its [`TestApp`].
pub(crate) struct TestSite {
    app: TestApp,
    router: Router,
    ranges: AtomicU32,
    owners: AtomicU32,
}

impl Deref for TestSite {
    type Target = TestApp;

    fn deref(&self) -> &TestApp {
        &self.app
    }
}

/// The pages of a node.
pub(crate) fn pages(app: Arc<App>) -> Router {
    branded(app, Branding::named("Example"))
}

/// The pages of a node with a look of their own.
pub(crate) fn branded(app: Arc<App>, branding: Branding) -> Router {
    router(Parts {
        app,
        branding: Arc::new(branding),
        secure: true,
        places: None,
        mailbox: None,
        help_contact: None,
        security_txt: None,
        bounce_secret: None,
    })
}

impl TestSite {
    pub(crate) async fn new(engine: Engine) -> Self {
        Self::with_app(TestApp::new(engine).await)
    }

    pub(crate) fn with_app(app: TestApp) -> Self {
        Self {
            router: pages(app.node()),
            app,
            ranges: AtomicU32::new(0),
            owners: AtomicU32::new(0),
        }
    }

    /// A browser that was never here, in an address range of its own.
    pub(crate) fn browser(&self) -> Browser {
        let range = self.ranges.fetch_add(1, Ordering::Relaxed);
        let address = Ipv4Addr::from_bits(u32::from_be_bytes([10, 0, 0, 7]) + (range << 8));
        Browser {
            router: self.router.clone(),
            address: address.into(),
            jar: BTreeMap::new(),
        }
    }

    /// The pages of another node on the same database.
    pub(crate) async fn another(&self) -> Router {
        pages(self.another_node().await)
    }

    fn new_address(&self) -> String {
        let number = self.owners.fetch_add(1, Ordering::Relaxed);
        format!("owner{number}@example.org")
    }

    /// Somebody who came with an import: address and password, the hash of which is quickly computed.
    pub(crate) async fn owner(&self) -> Owner {
        self.owner_with_password(PASSWORD).await
    }

    /// The same with a password of his own.
    pub(crate) async fn owner_with_password(&self, password: &str) -> Owner {
        let address = self.new_address();
        let hash = cheap_hash(password);
        self.import(&format!("account,email,password\n{address},{address},\"{hash}\"\n"))
            .await;
        let account = self.account_of(&address).await;
        Owner {
            browser: self.browser(),
            password: password.to_owned(),
            secret: String::new(),
            codes: Vec::new(),
            address,
            account,
        }
    }

    /// An owner who is signed in.
    pub(crate) async fn owner_in(&self) -> Owner {
        let mut owner = self.owner().await;
        owner.sign_in().await;
        owner
    }

    /// An owner who is signed in and has an authenticator app and recovery codes. His next code is good at once.
    pub(crate) async fn owner_with_app(&self) -> Owner {
        let mut owner = self.owner().await;
        owner.enrol(self).await;
        owner
    }

    /// The newest code that was mailed to an address, of what was not read before.
    pub(crate) async fn code_to(&self, address: &str) -> String {
        let mails = self.mails().await;
        let found = mails
            .iter()
            .rev()
            .find(|mail| mail.to == address && mail.code.is_some());
        let code = found.and_then(|mail| mail.code.clone());
        code.unwrap_or_else(|| panic!("no code to {address} in {mails:?}"))
    }

    /// Goes through a return up to the code by mail, the new password or second factor being next.
    pub(crate) async fn return_of(&self, owner: &Owner) -> Browser {
        let mut browser = self.browser();
        let asked = browser
            .post(paths::NEW_PASSWORD, &[("identifier", &owner.address)])
            .await;
        assert_eq!(asked.location(), Some(paths::NEW_PASSWORD_CODE), "{}", asked.body);
        let code = self.code_to(&owner.address).await;
        browser.post(paths::NEW_PASSWORD_CODE, &[("code", &code)]).await;
        browser
    }
}

/// Somebody with an account.
pub(crate) struct Owner {
    pub(crate) address: String,
    pub(crate) password: String,
    pub(crate) account: AccountNo,
    /// The secret of the app in base32; empty without one.
    pub(crate) secret: String,
    /// The recovery codes.
    pub(crate) codes: Vec<String>,
    /// The browser that he is at.
    pub(crate) browser: Browser,
}

impl Owner {
    /// The code that the app shows now.
    pub(crate) fn app_code(&self, site: &TestSite) -> String {
        app_code(&self.secret, site.now())
    }

    /// Signs in and adds an authenticator app.
    pub(crate) async fn enrol(&mut self, site: &TestSite) {
        self.browser.sign_in(&self.address, &self.password).await;
        let page = self.browser.get(paths::ACCOUNT_APP).await;
        let secret = page.between("<p class=\"secret\"><bdi>", "</bdi>");
        self.secret = without_tags(secret);
        let code = self.app_code(site);
        let page = self.browser.post(paths::ACCOUNT_APP, &[("code", &code)]).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        self.codes = page.listed_codes();
        assert_eq!(self.codes.len(), 10);
        site.mails().await;
        site.pass(2 * STEP);
    }

    /// Signs in with the password alone.
    pub(crate) async fn sign_in(&mut self) {
        let answer = self.browser.sign_in(&self.address, &self.password).await;
        assert_eq!(answer.location(), Some(paths::ACCOUNT), "{}", answer.body);
    }

    /// Another browser in which the password was right, the code of the app being next.
    pub(crate) async fn at_factor(&self, mut browser: Browser) -> Browser {
        let answer = browser.sign_in(&self.address, &self.password).await;
        assert_eq!(answer.location(), Some(paths::SIGN_IN_CODE), "{}", answer.body);
        browser
    }
}

/// A browser: keeps cookies, follows nothing by itself.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) router: Router,
    pub(crate) address: IpAddr,
    pub(crate) jar: BTreeMap<String, String>,
}

/// Names of cookies.
pub(crate) const SESSION: &str = "__Host-session";
pub(crate) const FLOW: &str = "__Host-flow";
pub(crate) const KNOWN_BROWSER: &str = "__Host-browser";

/// How tokens begin: of a session, a flow, a browser, a program.
const TOKENS: [&str; 4] = ["rs_", "rf_", "rb_", "ra_"];

impl Browser {
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Vec::new()).await
    }

    /// A file: status, type, for how long it may be kept, and bytes.
    pub(crate) async fn get_bytes(&mut self, path: &str) -> (StatusCode, String, String, Vec<u8>) {
        let mut request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let client = Client::new(self.address, RequestId::from_number(1));
        request.extensions_mut().insert(client);
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let header = |name| parts.headers[name].to_str().unwrap().to_owned();
        let (kind, kept) = (header(CONTENT_TYPE), header(CACHE_CONTROL));
        (
            parts.status,
            kind,
            kept,
            body.collect().await.unwrap().to_bytes().to_vec(),
        )
    }

    /// Posts a form.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_with(path, &[], fields).await
    }

    /// Posts a form with further headers.
    pub(crate) async fn post_with(&mut self, path: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Answer {
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let headers = [&form[..], headers].concat();
        self.send(Method::POST, path, &headers, encoded(fields).into_bytes())
            .await
    }

    /// Sends a request. Whatever the answer is, no token may stand in its `Location` or its body (A08).
    pub(crate) async fn send(&mut self, method: Method, uri: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        static REQUESTS: AtomicU64 = AtomicU64::new(1);
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .header(USER_AGENT, "Mozilla/5.0 (Windows) Firefox/144.0");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !self.jar.is_empty() {
            let pairs: Vec<String> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, pairs.join("; "));
        }
        let mut request = request.body(Body::from(body)).unwrap();
        let id = RequestId::from_number(REQUESTS.fetch_add(1, Ordering::Relaxed));
        request.extensions_mut().insert(Client::new(self.address, id));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let answer = Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        };
        for token in TOKENS {
            assert!(!answer.body.contains(token), "a token in the page of {uri}");
            let location = answer.location().unwrap_or_default();
            assert!(!location.contains(token) && !location.contains('?'), "{location}");
        }
        self.keep(&answer);
        answer
    }

    fn keep(&mut self, answer: &Answer) {
        for (name, value) in answer.cookies() {
            if value.is_empty() {
                self.jar.remove(&name);
            } else {
                self.jar.insert(name, value);
            }
        }
    }

    /// The value of a cookie.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.jar.get(name).map(String::as_str)
    }

    /// Puts a cookie into the jar, as somebody who plants or steals one.
    pub(crate) fn plant(&mut self, name: &str, value: &str) {
        self.jar.insert(name.to_owned(), value.to_owned());
    }

    /// The same cookies, and pages of another node.
    pub(crate) fn at(&self, node: &Router) -> Self {
        Self {
            router: node.clone(),
            ..self.clone()
        }
    }

    pub(crate) async fn sign_in(&mut self, name: &str, password: &str) -> Answer {
        self.post(paths::SIGN_IN, &[("identifier", name), ("password", password)])
            .await
    }

    /// Whether its session lives.
    pub(crate) async fn is_in(&mut self) -> bool {
        let answer = self.get(paths::ACCOUNT).await;
        match answer.status {
            StatusCode::OK => true,
            _ => {
                assert_eq!(answer.location(), Some(paths::SIGN_IN));
                false
            }
        }
    }
}

/// What a browser gets.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn location(&self) -> Option<&str> {
        self.headers.get(LOCATION).map(|location| location.to_str().unwrap())
    }

    /// The cookies that it sets, those that it takes away with an empty value.
    pub(crate) fn cookies(&self) -> Vec<(String, String)> {
        let set = self.headers.get_all(SET_COOKIE).iter().map(|set| set.to_str().unwrap());
        let pair = |set: &str| {
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        };
        set.map(pair).collect()
    }

    /// What stands between two marks.
    pub(crate) fn between(&self, from: &str, to: &str) -> &str {
        let after = self
            .body
            .split_once(from)
            .unwrap_or_else(|| panic!("no {from} in {}", self.body));
        after.1.split_once(to).unwrap().0
    }

    /// The recovery codes of a page that shows them.
    pub(crate) fn listed_codes(&self) -> Vec<String> {
        let list = self.between("<ol class=\"codes\">", "</ol>");
        let codes = list
            .split("<bdi>")
            .skip(1)
            .map(|code| code.split("</bdi>").next().unwrap());
        codes.map(str::to_owned).collect()
    }

    /// Everything by which one answer can be told from another: its status, its headers with the values of tokens left out,
    /// its page with the name that was typed left out.
    pub(crate) fn shape(&self, typed: &str) -> (StatusCode, Vec<String>, String) {
        let mut headers: Vec<String> = self
            .headers
            .iter()
            .map(|(name, value)| {
                let value = value.to_str().unwrap();
                let token = TOKENS.iter().find_map(|token| value.find(token));
                // Tokens of one kind are of one length.
                let value = token.map_or(value.to_owned(), |at| {
                    let end = value[at..].find(';').map_or(value.len(), |end| at + end);
                    format!("{}<{} bytes>{}", &value[..at], end - at, &value[end..])
                });
                format!("{name}: {value}")
            })
            .collect();
        headers.sort();
        (self.status, headers, self.body.replace(typed, "<name>"))
    }
}

fn without_tags(html: &str) -> String {
    let mut text = String::new();
    for piece in html.split('<') {
        text.push_str(piece.split_once('>').map_or(piece, |(_, text)| text));
    }
    text.split_whitespace().collect()
}

/// `application/x-www-form-urlencoded`.
pub(crate) fn encoded(fields: &[(&str, &str)]) -> String {
    let pairs = fields
        .iter()
        .map(|(name, value)| format!("{}={}", percent(name), percent(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn percent(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// Sends one request from each of these browsers at once; all answers, in their order, and the browsers after it.
pub(crate) async fn at_once(
    browsers: Vec<Browser>,
    path: &'static str,
    fields: impl Fn(usize) -> Vec<(&'static str, String)>,
) -> Vec<(Browser, Answer)> {
    let tasks: Vec<_> = browsers
        .into_iter()
        .enumerate()
        .map(|(number, mut browser)| {
            let fields = fields(number);
            tokio::spawn(async move {
                let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
                let answer = browser.post(path, &fields).await;
                (browser, answer)
            })
        })
        .collect();
    let mut answers = Vec::with_capacity(tasks.len());
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

/// The mails of one kind.
pub(crate) fn of_kind<'a>(mails: &'a [Mail], kind: &str) -> Vec<&'a Mail> {
    mails.iter().filter(|mail| mail.kind == kind).collect()
}
