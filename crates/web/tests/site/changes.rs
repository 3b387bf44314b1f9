//! Changes of an account by somebody who has a session but is not its owner.

use http::StatusCode;
use rightful_testkit::given::app_code;
use rightful_web::pages::paths;

use crate::support::{
    Browser, Engine, NEW_PASSWORD, PASSWORD, SESSION, STEP, TestSite, WRONG, of_kind, on_both_engines,
};

on_both_engines!(
    d12_factor_change_needs_reauth,
    d12_old_and_new_addresses_are_told,
    d12_a_stolen_session_cannot_prove_itself,
    an_administrator_without_app_gets_nowhere_else,
    an_administrator_whose_proof_is_stale_proves_himself_and_enrols,
);

/// Longer than a fresh proof counts.
const STALE: i64 = 10 * 60 + 1;

/// The form of a fresh proof, which stands in the place of what was asked for.
fn asks_for_proof(body: &str) -> bool {
    body.contains(&format!("action=\"{}\"", paths::STEP_UP))
}

async fn d12_factor_change_needs_reauth(engine: Engine) {
    let site = TestSite::new(engine).await;
    for with_app in [false, true] {
        let mut owner = if with_app {
            site.owner_with_app().await
        } else {
            site.owner_in().await
        };
        // An enrolment that began while the proof was fresh.
        let begun = owner.browser.get(paths::SETUP_APP).await;
        let secret = begun.between("<p class=\"secret\"><bdi>", "</bdi>").to_owned();
        let secret: String = secret
            .split(['<', '>'])
            .filter(|part| part.len() == 4 && *part != "span")
            .collect();
        site.pass(STALE);
        let audited = site.audited(owner.account).await;
        let mut thief = owner.browser.clone();
        let code = app_code(&secret, site.now());
        for (path, fields) in [
            (paths::ACCOUNT_ADDRESS, vec![("address", "thief@example.net")]),
            (paths::ACCOUNT_APP, vec![("code", code.as_str())]),
            (paths::SETUP_APP, vec![("code", code.as_str())]),
            (paths::ACCOUNT_APP_REMOVE, vec![]),
            (paths::ACCOUNT_DELETE, vec![]),
        ] {
            let page = thief.post(path, &fields).await;
            assert!(asks_for_proof(&page.body), "{path} {}: {}", page.status, page.body);
        }
        for path in [paths::ACCOUNT_ADDRESS, paths::SETUP_APP] {
            assert!(asks_for_proof(&thief.get(path).await.body), "{path}");
        }
        let page = thief.post(paths::ACCOUNT_RECOVERY_CODES, &[]).await;
        assert_eq!(asks_for_proof(&page.body), with_app, "without an app there are none");
        let fields = [("current", PASSWORD), ("password", NEW_PASSWORD)];
        if with_app {
            // The password is what is stolen most; beside a second factor it does not do.
            let page = thief.post(paths::ACCOUNT_PASSWORD, &fields).await;
            assert!(asks_for_proof(&page.body));
        }
        let fields = [("current", WRONG), fields[1]];
        let page = thief.post(paths::ACCOUNT_PASSWORD, &fields).await;
        assert!(asks_for_proof(&page.body) || page.status == StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(site.audited(owner.account).await, audited, "nothing happened");
        assert_eq!(site.mails().await, []);
        assert!(owner.browser.is_in().await);
    }
}

async fn d12_a_stolen_session_cannot_prove_itself(engine: Engine) {
    let site = TestSite::new(engine).await;
    let mut owner = site.owner_with_app().await;
    site.pass(STALE);
    let mut thief = owner.browser.clone();
    // The password is no proof beside an app, and neither is a recovery code.
    for typed in [PASSWORD, "000000", owner.codes[0].as_str()] {
        for field in ["password", "code"] {
            let answer = thief.post(paths::STEP_UP, &[(field, typed), ("for", "app")]).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{field}");
        }
    }
    // A proof of one session is none of another.
    let mut other = site.browser();
    other.sign_in(&owner.address, PASSWORD).await;
    let code = owner.app_code(&site);
    other.post(paths::SIGN_IN_CODE, &[("code", &code)]).await;
    let page = thief.post(paths::ACCOUNT_APP_REMOVE, &[]).await;
    assert!(asks_for_proof(&page.body));
    site.pass(STEP);
    let code = owner.app_code(&site);
    let answer = owner
        .browser
        .post(paths::STEP_UP, &[("code", &code), ("for", "app")])
        .await;
    assert_eq!(answer.location(), Some(paths::ACCOUNT_APP));
    // The session goes on under another token: what was stolen before it is dead.
    assert!(!thief.is_in().await);
    assert_ne!(thief.cookie(SESSION), owner.browser.cookie(SESSION));
    let answer = owner.browser.post(paths::ACCOUNT_APP_REMOVE, &[]).await;
    assert_eq!(answer.location(), Some(paths::ACCOUNT));
    assert!(!other.is_in().await, "everything else ends");
    assert_eq!(of_kind(&site.mails().await, "second-factor-changed").len(), 1);
}

async fn d12_old_and_new_addresses_are_told(engine: Engine) {
    let site = TestSite::new(engine).await;
    let mut owner = site.owner_in().await;
    let elsewhere = site.browser().sign_in(&owner.address, PASSWORD).await;
    assert_eq!(elsewhere.location(), Some(paths::ACCOUNT));
    let new = "moved@example.net";
    owner.browser.post(paths::ACCOUNT_ADDRESS, &[("address", new)]).await;
    let code = site.code_to(new).await;
    let wrong = owner
        .browser
        .post(paths::ACCOUNT_ADDRESS_CODE, &[("code", "AAAA-AAAA")])
        .await;
    assert_eq!(wrong.status, StatusCode::FORBIDDEN);
    let answer = owner
        .browser
        .post(paths::ACCOUNT_ADDRESS_CODE, &[("code", &code)])
        .await;
    assert_eq!(answer.location(), Some(paths::ACCOUNT), "{}", answer.body);
    let mails = site.mails().await;
    let mut told: Vec<&str> = of_kind(&mails, "address-changed")
        .iter()
        .map(|mail| mail.to.as_str())
        .collect();
    told.sort_unstable();
    assert_eq!(told, [new, owner.address.as_str()]);
    // The old one proves nothing any more, and is still warned for a week.
    let answer = site
        .browser()
        .post(paths::NEW_PASSWORD, &[("identifier", &owner.address)])
        .await;
    assert_eq!(answer.location(), Some(paths::NEW_PASSWORD_CODE), "neutral");
    assert_eq!(site.mails().await, []);
    for (days, warned) in [(1, 2), (7, 1)] {
        site.pass(days * 24 * 60 * 60);
        owner.browser.sign_in(new, &owner.password).await;
        let password = format!("another one, after {days} days more");
        let fields = [("current", owner.password.as_str()), ("password", password.as_str())];
        let answer = owner.browser.post(paths::ACCOUNT_PASSWORD, &fields).await;
        assert_eq!(answer.location(), Some(paths::ACCOUNT), "{}", answer.body);
        assert_eq!(of_kind(&site.mails().await, "password-changed").len(), warned, "{days}");
        owner.password = password;
    }
}

async fn an_administrator_without_app_gets_nowhere_else(engine: Engine) {
    let site = TestSite::new(engine).await;
    let mut owner = site.owner_with_app().await;
    site.give_role(owner.account, "administrator").await;
    assert!(owner.browser.is_in().await);
    let code = owner.app_code(&site);
    owner
        .browser
        .post(paths::STEP_UP, &[("code", &code), ("for", "app")])
        .await;
    owner.browser.post(paths::ACCOUNT_APP_REMOVE, &[]).await;
    for path in [paths::ACCOUNT, paths::ACCOUNT_SESSIONS, paths::ACCOUNT_PASSWORD] {
        let answer = owner.browser.get(path).await;
        assert_eq!(answer.location(), Some(paths::SETUP_APP), "{path}");
    }
    assert_eq!(owner.browser.get(paths::SETUP_APP).await.status, StatusCode::OK);
}

async fn an_administrator_whose_proof_is_stale_proves_himself_and_enrols(engine: Engine) {
    let site = TestSite::new(engine).await;
    let mut owner = site.owner_in().await;
    site.give_role(owner.account, "administrator").await;
    site.pass(STALE);
    let page = owner.browser.get(paths::ACCOUNT).await;
    assert_eq!(page.location(), Some(paths::SETUP_APP));
    assert!(asks_for_proof(&owner.browser.get(paths::SETUP_APP).await.body));
    let proof = async |browser: &mut Browser, password: &str| {
        let fields = [("password", password), ("for", "app")];
        browser.post(paths::STEP_UP, &fields).await
    };
    let answer = proof(&mut owner.browser, WRONG).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(asks_for_proof(&answer.body), "{}", answer.body);
    assert!(asks_for_proof(&owner.browser.get(paths::SETUP_APP).await.body));
    let answer = proof(&mut owner.browser, PASSWORD).await;
    assert_eq!(answer.location(), Some(paths::ACCOUNT_APP), "{}", answer.body);
    let answer = owner.browser.get(paths::ACCOUNT_APP).await;
    assert_eq!(answer.location(), Some(paths::SETUP_APP));
    let page = owner.browser.get(paths::SETUP_APP).await;
    let secret = page.between("<p class=\"secret\"><bdi>", "</bdi>").to_owned();
    let secret: String = secret
        .split(['<', '>'])
        .filter(|part| part.len() == 4 && *part != "span")
        .collect();
    let code = app_code(&secret, site.now());
    let page = owner.browser.post(paths::SETUP_APP, &[("code", &code)]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert!(owner.browser.is_in().await);
}
