//! Sessions: planted, kept after they should be dead, and sent astray.

use http::{Method, StatusCode};
use rightful_testkit::given::{HoldAction, HoldSource};
use rightful_web::pages::paths;

use crate::support::{Engine, FLOW, KNOWN_BROWSER, NEW_PASSWORD, PASSWORD, SESSION, STEP, TestSite, on_both_engines};

on_both_engines!(
    e01_session_fixation,
    e03_open_redirect_corpus,
    e05_disabled_user_dies_now,
    sessions_are_ended_one_by_one_and_all_but_this,
);

async fn e01_session_fixation(engine: Engine) {
    let site = TestSite::new(engine).await;
    let (thief, owner) = (site.owner_in().await, site.owner_with_app().await);
    let planted: Vec<(String, String)> = thief.browser.jar.clone().into_iter().collect();
    let thiefs_flow = thief.browser.clone().at_new_flow(&thief.address).await;
    let mut victim = site.browser();
    for (name, value) in &planted {
        victim.plant(name, value);
    }
    victim.plant(FLOW, &thiefs_flow);
    let mut victim = owner.at_factor(victim).await;
    let flow = victim.cookie(FLOW).unwrap().to_owned();
    assert_ne!(flow, thiefs_flow);
    let code = owner.app_code(&site);
    victim.post(paths::SIGN_IN_CODE, &[("code", &code)]).await;
    let page = victim.get(paths::ACCOUNT).await;
    assert!(page.body.contains(&owner.address));
    for (name, value) in &planted {
        assert_ne!(victim.cookie(name), Some(value.as_str()), "{name} is a new one");
    }
    assert_eq!(victim.cookie(FLOW), None);
    // What the thief planted opens nothing of the victim's.
    let mut at_thief = thief.browser.clone();
    let page = at_thief.get(paths::ACCOUNT).await;
    assert!(!page.body.contains(&owner.address));
    let mut spent = site.browser();
    spent.plant(FLOW, &flow);
    site.pass(STEP);
    let code = owner.app_code(&site);
    let answer = spent.post(paths::SIGN_IN_CODE, &[("code", &code)]).await;
    assert_eq!(
        answer.location(),
        Some(paths::SIGN_IN),
        "a conversation that ended in a session"
    );
    // A fresh proof, and every change that ends other sessions: a new token, and the old one is dead.
    let old = victim.clone();
    site.pass(STEP);
    let code = owner.app_code(&site);
    victim
        .post(paths::STEP_UP, &[("code", &code), ("for", "password")])
        .await;
    assert_ne!(victim.cookie(SESSION), old.cookie(SESSION));
    assert!(!old.clone().is_in().await && victim.is_in().await);
    let old = victim.clone();
    let fields = [("current", PASSWORD), ("password", NEW_PASSWORD)];
    victim.post(paths::ACCOUNT_PASSWORD, &fields).await;
    assert!(!old.clone().is_in().await && victim.is_in().await);
    let old = victim.clone();
    victim.post(paths::ACCOUNT_SESSIONS_END_OTHERS, &[]).await;
    assert!(!old.clone().is_in().await && victim.is_in().await);
    // A return changes its token with every proof.
    let mut returning = site.browser();
    returning
        .post(paths::NEW_PASSWORD, &[("identifier", &owner.address)])
        .await;
    let mut tokens = vec![returning.cookie(FLOW).unwrap().to_owned()];
    let code = site.code_to(&owner.address).await;
    returning.post(paths::NEW_PASSWORD_CODE, &[("code", &code)]).await;
    tokens.push(returning.cookie(FLOW).unwrap().to_owned());
    site.pass(STEP);
    let code = owner.app_code(&site);
    returning.post(paths::NEW_PASSWORD_FACTOR, &[("code", &code)]).await;
    for token in tokens {
        assert_ne!(returning.cookie(FLOW), Some(token.as_str()));
        let mut fixed = site.browser();
        fixed.plant(FLOW, &token);
        let answer = fixed.get(paths::NEW_PASSWORD_CHOOSE).await;
        assert_eq!(answer.location(), Some(paths::SIGN_IN), "a token from before a proof");
    }
}

async fn e03_open_redirect_corpus(engine: Engine) {
    let site = TestSite::new(engine).await;
    let mut owner = site.owner_in().await;
    let targets = [
        "//evil.test",
        "/%2f%2fevil.test",
        "/%5cevil.test",
        "/%5C%5Cevil.test/",
        "/..//evil.test",
        "/.//evil.test",
        "///evil.test",
        "//evil.test/%2e%2e",
        "//evil.test:80@id.example.org/",
        "/@evil.test",
        "/:80@evil.test",
        "/javascript:alert(1)",
        "/x%0d%0aset-cookie:a=b",
        "/x%0d%0a%0d%0a%3Cscript%3E",
        "//id.example.org.evil.test",
        "//xn--80ak6aa92e.test/",
        "/sign-in//evil.test",
    ];
    for target in targets {
        for query in [
            "?lang=de",
            "?next=//evil.test&lang=de",
            "?lang=de&return_to=https://evil.test",
        ] {
            let uri = format!("{target}{query}");
            let answer = site.browser().send(Method::GET, &uri, &[], Vec::new()).await;
            let Some(location) = answer.location() else { continue };
            let is_ours = location.starts_with('/') && !location.starts_with("//") && !location.contains('\\');
            assert!(is_ours, "{uri} leads to {location}");
            assert!(!location.contains(['\r', '\n']), "{location}");
        }
    }
    // Nothing that is sent along chooses where a browser goes.
    let elsewhere = [
        ("next", "https://evil.test/"),
        ("return_to", "//evil.test"),
        ("redirect_uri", "javascript:alert(1)"),
        ("for", "https://evil.test/"),
        ("lang", "//evil.test"),
    ];
    let query = crate::support::encoded(&elsewhere);
    let credentials = [("identifier", owner.address.as_str()), ("password", PASSWORD)];
    let fields = [&credentials[..], &elsewhere].concat();
    let answer = site.browser().post(paths::SIGN_IN, &fields).await;
    assert_eq!(
        (answer.status, answer.location()),
        (StatusCode::SEE_OTHER, Some(paths::ACCOUNT))
    );
    let answer = site
        .browser()
        .post(&format!("{}?{query}", paths::SIGN_IN), &credentials)
        .await;
    assert_eq!(
        (answer.status, answer.location()),
        (StatusCode::SEE_OTHER, Some(paths::ACCOUNT))
    );
    let fields = [&[("password", PASSWORD)], &elsewhere[..]].concat();
    let answer = owner.browser.post(paths::STEP_UP, &fields).await;
    assert_eq!(
        (answer.status, answer.location()),
        (StatusCode::SEE_OTHER, Some(paths::ACCOUNT_APP))
    );
    for path in [
        paths::PASSWORD_KNOWN_LEAKED,
        paths::START,
        "/.well-known/change-password",
        paths::SIGN_IN,
    ] {
        let uri = format!("{path}?{query}");
        let answer = owner.browser.send(Method::GET, &uri, &[], Vec::new()).await;
        assert!(!answer.body.contains("evil.test"), "{path}");
        assert!(!answer.location().unwrap_or_default().contains("evil"), "{path}");
    }
    let answer = owner
        .browser
        .post(&format!("{}?{query}", paths::SIGN_OUT), &elsewhere)
        .await;
    assert_eq!(
        (answer.status, answer.location()),
        (StatusCode::SEE_OTHER, Some(paths::SIGN_IN))
    );
}

async fn e05_disabled_user_dies_now(engine: Engine) {
    let site = TestSite::new(engine).await;
    let other = site.another().await;
    for source in [HoldSource::Containment, HoldSource::Administrator] {
        for action in [HoldAction::Hold, HoldAction::Change] {
            let owner = site.owner_with_app().await;
            let mut half_in = owner.at_factor(site.browser()).await;
            let returning = site.return_of(&owner).await;
            assert!(owner.browser.at(&other).is_in().await);
            let hold = site.hold(owner.account, source, action).await;
            site.let_nodes_see();
            assert!(
                !owner.browser.at(&other).is_in().await,
                "{action:?}: on another node within a second"
            );
            let code = owner.app_code(&site);
            for mut under_way in [half_in.at(&other), half_in.clone()] {
                let answer = under_way.post(paths::SIGN_IN_CODE, &[("code", &code)]).await;
                assert_eq!(answer.location(), Some(paths::SIGN_IN));
            }
            let answer = returning
                .at(&other)
                .post(paths::NEW_PASSWORD_FACTOR, &[("code", &code)])
                .await;
            assert_eq!(answer.location(), Some(paths::SIGN_IN));
            // What was dead stays dead when it is lifted.
            site.lift(owner.account, hold).await;
            assert!(!owner.browser.at(&other).is_in().await && !half_in.is_in().await);
            site.pass(10 * 60);
        }
    }
    let owner = site.owner_in().await;
    let returning = site.return_of(&owner).await;
    site.erase(owner.account).await;
    assert!(!owner.browser.at(&other).is_in().await, "erased");
    let answer = returning
        .at(&other)
        .post(paths::NEW_PASSWORD_CHOOSE, &[("password", NEW_PASSWORD)])
        .await;
    assert_eq!(answer.location(), Some(paths::SIGN_IN));
    let answer = site.browser().sign_in(&owner.address, PASSWORD).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    // The address is free, and what comes of it is another account.
    site.mails().await;
    let mut signing_up = site.browser();
    signing_up.post(paths::SIGN_UP, &[("address", &owner.address)]).await;
    let code = site.code_to(&owner.address).await;
    signing_up.post(paths::SIGN_UP_CODE, &[("code", &code)]).await;
    let answer = signing_up
        .post(paths::SIGN_UP_PASSWORD, &[("password", NEW_PASSWORD)])
        .await;
    assert_eq!(answer.location(), Some(paths::ACCOUNT));
    assert_ne!(site.account_of(&owner.address).await, owner.account);
    assert!(!owner.browser.at(&other).is_in().await);
}

async fn sessions_are_ended_one_by_one_and_all_but_this(engine: Engine) {
    let site = TestSite::new(engine).await;
    let (mut owner, stranger) = (site.owner_in().await, site.owner_in().await);
    let mut others = Vec::new();
    for _ in 0..3 {
        let mut browser = site.browser();
        browser.sign_in(&owner.address, PASSWORD).await;
        others.push(browser);
    }
    let page = owner.browser.get(paths::ACCOUNT_SESSIONS).await;
    let ids: Vec<String> = page
        .body
        .split("name=\"session\" value=\"")
        .skip(1)
        .map(|id| id[..36].to_owned())
        .collect();
    assert_eq!(ids.len(), 3);
    // Somebody else who knows what a session is named by.
    for id in &ids {
        stranger
            .browser
            .clone()
            .post(paths::ACCOUNT_SESSIONS_END, &[("session", id)])
            .await;
    }
    let alive = async |browsers: &mut [crate::support::Browser]| {
        let mut alive = 0;
        for browser in browsers {
            alive += usize::from(browser.is_in().await);
        }
        alive
    };
    assert_eq!(alive(&mut others).await, 3);
    owner
        .browser
        .post(paths::ACCOUNT_SESSIONS_END, &[("session", &ids[1])])
        .await;
    assert_eq!(alive(&mut others).await, 2);
    owner.browser.post(paths::ACCOUNT_SESSIONS_END_OTHERS, &[]).await;
    assert_eq!(alive(&mut others).await, 0);
    assert!(owner.browser.is_in().await);
    assert!(owner.browser.cookie(KNOWN_BROWSER).is_some());
}

impl crate::support::Browser {
    /// The token of a conversation that was just begun.
    async fn at_new_flow(mut self, address: &str) -> String {
        self.post(paths::NEW_PASSWORD, &[("identifier", address)]).await;
        self.cookie(FLOW).unwrap().to_owned()
    }
}
