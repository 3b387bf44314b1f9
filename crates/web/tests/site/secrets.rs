//! Secrets where they must not be: in logs, in the database, on error pages.

use std::io::{self, Write};
use std::sync::{Mutex, OnceLock, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use rightful_testkit::door::Door;
use rightful_web::pages::paths;
use sha2::{Digest as _, Sha256};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{Browser, Engine, NEW_PASSWORD, PASSWORD, STEP, TestSite, WRONG, on_both_engines};

on_both_engines!(n01_canary_secrets, n02_a_stolen_database_opens_nothing);

/// Everything that was logged in this process, at every level.
#[derive(Clone, Copy)]
struct Captured;

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

impl Write for Captured {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        LOG.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Captured {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

fn capture() {
    static BEGUN: OnceLock<()> = OnceLock::new();
    BEGUN.get_or_init(|| {
        tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(Captured)
            .init();
    });
}

/// The whole database, as a thief has it.
async fn stolen(site: &TestSite) -> Vec<u8> {
    let address = site.database().address().clone();
    let dump = tokio::task::spawn_blocking(move || Door::new(&address, "").everything());
    dump.await.unwrap()
}

/// Runs statements past the product.
async fn meddle(site: &TestSite, text: &'static str) {
    let address = site.database().address().clone();
    let run = tokio::task::spawn_blocking(move || Door::new(&address, "").run(text));
    run.await.unwrap();
}

fn contains(all: &[u8], part: &[u8]) -> bool {
    assert!(part.len() > 6, "too short to mean anything");
    memchr::memmem::find(all, part).is_some()
}

/// The secrets of one walk through everything, by what they are.
#[derive(Default)]
struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    fn add(&mut self, what: &'static str, secret: &str) {
        self.0.push((what, secret.to_owned()));
        self.0.push((what, secret.replace(['-', ' '], "")));
    }

    fn add_tokens(&mut self, browser: &Browser) {
        for (name, value) in &browser.jar {
            if name.ends_with("session") || name.ends_with("flow") || name.ends_with("browser") {
                self.add("a token", value);
            }
        }
    }

    #[track_caller]
    fn assert_none_in(&self, place: &str, all: &[u8]) {
        for (what, secret) in &self.0 {
            assert!(!contains(all, secret.as_bytes()), "{what} ({secret}) in {place}");
        }
    }
}

/// Goes through every flow, and collects the secrets and the pages, those that show a secret on purpose left out.
async fn walk(site: &TestSite) -> (Secrets, String) {
    let (mut secrets, mut pages) = (Secrets::default(), String::new());
    for (what, password) in [
        ("a password", PASSWORD),
        ("a new password", NEW_PASSWORD),
        ("a wrong password", WRONG),
    ] {
        secrets.add(what, password);
    }
    let set_up = site.new_set_up_code().await.unwrap().unwrap();
    secrets.add("a set-up code", &set_up);
    let mut first = site.browser();
    pages.push_str(&first.post(paths::SETUP, &[("code", &set_up)]).await.body);
    secrets.add_tokens(&first);
    let fields = [("address", "first@example.org"), ("password", PASSWORD)];
    pages.push_str(&first.post(paths::SETUP_ACCOUNT, &fields).await.body);
    secrets.add_tokens(&first);

    let name = "canary@example.org";
    let mut browser = site.browser();
    pages.push_str(&browser.post(paths::SIGN_UP, &[("address", name)]).await.body);
    secrets.add_tokens(&browser);
    let code = site.code_to(name).await;
    secrets.add("a code by mail", &code);
    pages.push_str(&browser.post(paths::SIGN_UP_CODE, &[("code", "AAAA-AAAA")]).await.body);
    pages.push_str(&browser.post(paths::SIGN_UP_CODE, &[("code", &code)]).await.body);
    secrets.add_tokens(&browser);
    pages.push_str(
        &browser
            .post(paths::SIGN_UP_PASSWORD, &[("password", "too short")])
            .await
            .body,
    );
    pages.push_str(
        &browser
            .post(paths::SIGN_UP_PASSWORD, &[("password", PASSWORD)])
            .await
            .body,
    );
    secrets.add_tokens(&browser);

    let enrol = browser.get(paths::ACCOUNT_APP).await;
    secrets.add_tokens(&browser);
    let secret: String = enrol
        .between("<p class=\"secret\"><bdi>", "</bdi>")
        .split(['<', '>'])
        .filter(|part| part.len() == 4 && *part != "span")
        .collect();
    secrets.add("the secret of an app", &secret);
    let app_code = || rightful_testkit::given::app_code(&secret, site.now());
    let codes = browser
        .post(paths::ACCOUNT_APP, &[("code", &app_code())])
        .await
        .listed_codes();
    for code in &codes {
        secrets.add("a recovery code", code);
    }
    secrets.add_tokens(&browser);
    site.pass(STEP);
    pages.push_str(
        &browser
            .post(paths::STEP_UP, &[("code", &app_code()), ("for", "app")])
            .await
            .body,
    );
    secrets.add_tokens(&browser);

    pages.push_str(&site.browser().sign_in(name, WRONG).await.body);
    let mut other = site.browser();
    pages.push_str(&other.sign_in(name, PASSWORD).await.body);
    secrets.add_tokens(&other);
    pages.push_str(
        &other
            .post(paths::SIGN_IN_RECOVERY_CODE, &[("code", &codes[1])])
            .await
            .body,
    );
    pages.push_str(
        &other
            .post(paths::SIGN_IN_RECOVERY_CODE, &[("code", &codes[0])])
            .await
            .body,
    );
    secrets.add_tokens(&other);

    site.pass(10 * 60);
    let mut returning = site.browser();
    pages.push_str(&returning.post(paths::NEW_PASSWORD, &[("identifier", name)]).await.body);
    secrets.add_tokens(&returning);
    let code = site.code_to(name).await;
    secrets.add("a code of a return", &code);
    pages.push_str(&returning.post(paths::NEW_PASSWORD_CODE, &[("code", &code)]).await.body);
    secrets.add_tokens(&returning);
    pages.push_str(
        &returning
            .post(paths::NEW_PASSWORD_FACTOR, &[("code", &app_code())])
            .await
            .body,
    );
    secrets.add_tokens(&returning);
    pages.push_str(
        &returning
            .post(paths::NEW_PASSWORD_CHOOSE, &[("password", NEW_PASSWORD)])
            .await
            .body,
    );
    site.mails().await;

    // Left open, with a code under way.
    let mut waiting = site.browser();
    waiting.post(paths::NEW_PASSWORD, &[("identifier", name)]).await;
    secrets.add_tokens(&waiting);
    let code = site.code_to(name).await;
    secrets.add("a code that still works", &code);
    let mut half_in = site.browser();
    half_in.sign_in(name, NEW_PASSWORD).await;
    secrets.add_tokens(&half_in);
    (secrets, pages)
}

async fn n01_canary_secrets(engine: Engine) {
    capture();
    let site = TestSite::new(engine).await;
    let (mut secrets, mut pages) = walk(&site).await;
    // The database breaks while a password, a code and a token are in hand.
    meddle(
        &site,
        "ALTER TABLE flow RENAME TO flow_put_away; ALTER TABLE session RENAME TO session_put_away",
    )
    .await;
    let mut browser = site.browser();
    browser.plant("__Host-session", &format!("rs_{}", "A".repeat(48)));
    for (path, fields) in [
        (paths::NEW_PASSWORD, vec![("identifier", "canary@example.org")]),
        (
            paths::SIGN_IN,
            vec![("identifier", "canary@example.org"), ("password", NEW_PASSWORD)],
        ),
        (paths::SIGN_UP, vec![("address", "canary2@example.org")]),
    ] {
        let answer = browser.post(path, &fields).await;
        assert!(answer.status.is_server_error(), "{path}: {}", answer.status);
        pages.push_str(&answer.body);
    }
    meddle(
        &site,
        "ALTER TABLE flow_put_away RENAME TO flow; ALTER TABLE session_put_away RENAME TO session",
    )
    .await;
    secrets.assert_none_in("the database", &stolen(&site).await);
    let log = LOG.lock().unwrap().clone();
    assert!(
        contains(&log, b"went wrong") && contains(&log, b"sqlx::query"),
        "it is captured"
    );
    secrets.assert_none_in("the log", &log);
    // A page may show what was typed into it as a name, never a secret.
    secrets.0.retain(|(what, _)| *what != "a token");
    secrets.assert_none_in("a page", pages.as_bytes());
}

async fn n02_a_stolen_database_opens_nothing(engine: Engine) {
    let site = TestSite::new(engine).await;
    let (secrets, _) = walk(&site).await;
    let dump = stolen(&site).await;
    secrets.assert_none_in("the database", &dump);
    let digest = |bytes: &[u8]| Sha256::digest(bytes).to_vec();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut living = 0;
    for (what, secret) in &secrets.0 {
        let token = secret
            .split_once('_')
            .and_then(|(_, rest)| URL_SAFE_NO_PAD.decode(rest).ok());
        if let Some(token) = token.filter(|token| token.len() == 36) {
            assert!(!contains(&dump, &token), "a token in bytes");
            // That is what it is found by: nothing leads back from it.
            living += usize::from(contains(&dump, &digest(&token)));
        } else {
            // Codes are short: whoever has the rows would try them all, were the digest not under a key.
            for of in [secret.as_bytes(), secret.to_lowercase().as_bytes()] {
                let digest = digest(of);
                assert!(
                    !contains(&dump, &digest) && !contains(&dump, hex(&digest).as_bytes()),
                    "{what}"
                );
            }
        }
    }
    assert!(living >= 3, "sessions and conversations are in the dump: {living}");
    let (_, secret) = secrets
        .0
        .iter()
        .find(|(what, _)| *what == "the secret of an app")
        .unwrap();
    let seed = base32(secret);
    assert_eq!(seed.len(), 20);
    assert!(!contains(&dump, &seed) && !contains(&dump, hex(&seed).as_bytes()));
    // A digest is no token.
    for name in ["rs_", "rf_", "rb_"] {
        for (_, secret) in secrets.0.iter().filter(|(_, secret)| secret.starts_with(name)) {
            let Ok(token) = URL_SAFE_NO_PAD.decode(&secret[3..]) else {
                continue;
            };
            let mut forged = digest(&token);
            forged.extend_from_slice(&token[32..]);
            let mut browser = site.browser();
            let forged = format!("{name}{}", URL_SAFE_NO_PAD.encode(&forged));
            browser.plant("__Host-session", &forged);
            browser.plant("__Host-flow", &forged);
            assert!(!browser.is_in().await);
            let answer = browser.get(paths::NEW_PASSWORD_CODE).await;
            assert_eq!(
                (answer.status, answer.location()),
                (StatusCode::SEE_OTHER, Some(paths::SIGN_IN))
            );
        }
    }
}

fn base32(text: &str) -> Vec<u8> {
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for symbol in text.bytes() {
        let value = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
            .iter()
            .position(|known| *known == symbol)
            .unwrap();
        (held, bits) = ((held << 5 | u32::try_from(value).unwrap()) & 0xffff, bits + 5);
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 0xff).unwrap());
        }
    }
    bytes
}
