//! Authenticator apps and recovery codes, tried by somebody who has the password.

use http::StatusCode;
use rightful_testkit::given::app_code;
use rightful_web::pages::paths;

use crate::support::{Browser, Engine, FLOW, KNOWN_BROWSER, STEP, TestSite, at_once, of_kind, on_both_engines};

on_both_engines!(
    d02_mfa_user_switch,
    d03_otp_bruteforce_across_flows,
    d03_codes_by_mail_have_one_budget_for_all_flows,
    d04_one_code_opens_one_session,
    d04_totp_window_and_replay,
    d08_recovery_code_reuse,
    d08_recovery_codes_are_throttled,
);

async fn d02_mfa_user_switch(engine: Engine) {
    let site = TestSite::new(engine).await;
    let (anna, ben) = (site.owner_with_app().await, site.owner_with_app().await);
    let at_anna = anna.at_factor(site.browser()).await;
    let at_ben = ben.at_factor(site.browser()).await;
    let own_code = ben.app_code(&site);
    // Ben types his own code in the conversation that is Anna's, with every cookie of his own beside it.
    let mut switched = at_anna.clone();
    for name in [KNOWN_BROWSER, "__Host-session"] {
        if let Some(value) = ben.browser.cookie(name) {
            switched.plant(name, value);
        }
    }
    let answer = switched.post(paths::SIGN_IN_CODE, &[("code", &own_code)]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    // Two tabs of one browser: what was proved first is gone with its cookie.
    let mut tabs = at_anna.clone();
    tabs.plant(FLOW, at_ben.cookie(FLOW).unwrap());
    let annas_code = anna.app_code(&site);
    let answer = tabs.post(paths::SIGN_IN_CODE, &[("code", &annas_code)]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let answer = tabs.post(paths::SIGN_IN_CODE, &[("code", &own_code)]).await;
    assert_eq!(answer.location(), Some(paths::ACCOUNT));
    let page = tabs.get(paths::ACCOUNT).await;
    assert!(page.body.contains(&ben.address) && !page.body.contains(&anna.address));
    // A conversation of another purpose is none of a sign-in, and the other way round.
    let returning = site.return_of(&anna).await;
    let answer = returning
        .clone()
        .post(paths::SIGN_IN_CODE, &[("code", &annas_code)])
        .await;
    assert_eq!(answer.location(), Some(paths::SIGN_IN));
    let mut signing_in = at_anna;
    for path in [paths::NEW_PASSWORD_FACTOR, paths::NEW_PASSWORD_CHOOSE] {
        let fields = [("code", annas_code.as_str()), ("password", "anything at all, long")];
        let answer = signing_in.clone().post(path, &fields).await;
        assert_eq!(answer.location(), Some(paths::SIGN_IN));
    }
    let answer = signing_in.post(paths::SIGN_IN_CODE, &[("code", &annas_code)]).await;
    assert_eq!(answer.location(), Some(paths::ACCOUNT), "her own works");
}

/// Browsers in which the password of an account was just right, half of them at another node.
async fn many_at_factor(site: &TestSite, owner: &crate::support::Owner, count: usize) -> Vec<Browser> {
    let other = site.another().await;
    let browsers = (0..count).map(|number| {
        let browser = site.browser();
        if number % 2 == 0 { browser } else { browser.at(&other) }
    });
    let browsers: Vec<Browser> = browsers.collect();
    let mut at_factor = Vec::with_capacity(count);
    // A password is spent before it is known to be right: no more at once than its budget has.
    for few in browsers.chunks(8) {
        let (address, password) = (owner.address.clone(), owner.password.clone());
        let answers = at_once(few.to_vec(), paths::SIGN_IN, |_| {
            vec![("identifier", address.clone()), ("password", password.clone())]
        });
        for (browser, answer) in answers.await {
            assert_eq!(
                answer.location(),
                Some(paths::SIGN_IN_CODE),
                "{} {}",
                answer.status,
                answer.body
            );
            at_factor.push(browser);
        }
    }
    at_factor
}

async fn d03_otp_bruteforce_across_flows(engine: Engine) {
    let site = TestSite::new(engine).await;
    let mut owner = site.owner_with_app().await;
    // Each with a conversation and an address range of its own; a right password makes none of them fresh.
    let thieves = many_at_factor(&site, &owner, 1000).await;
    let guesses = at_once(thieves.clone(), paths::SIGN_IN_CODE, |number| {
        vec![("code", format!("{:06}", 7 * number))]
    })
    .await;
    let count = |status| guesses.iter().filter(|(_, answer)| answer.status == status).count();
    assert_eq!(
        (count(StatusCode::FORBIDDEN), count(StatusCode::TOO_MANY_REQUESTS)),
        (10, 990)
    );
    let code = owner.app_code(&site);
    let mut thief = owner.at_factor(site.browser()).await;
    let answer = thief.post(paths::SIGN_IN_CODE, &[("code", &code)]).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "even the right one");
    let mails = site.mails().await;
    let told = of_kind(&mails, "too-many-guesses");
    assert_eq!(
        (told.len(), told[0].to.as_str()),
        (1, owner.address.as_str()),
        "told once"
    );
    let guessed = site.sign_ins(owner.account).await;
    assert_eq!(
        guessed.iter().filter(|(why, _)| why == "wrong-code").count(),
        10,
        "and shown to the owner"
    );

    // The owner's own ways stay open: his browser has a budget of its own, and so have his recovery codes.
    let mut at_home = site.browser();
    at_home.plant(KNOWN_BROWSER, owner.browser.cookie(KNOWN_BROWSER).unwrap());
    let mut at_home = owner.at_factor(at_home).await;
    let answer = at_home.post(paths::SIGN_IN_CODE, &[("code", &code)]).await;
    assert_eq!(answer.location(), Some(paths::ACCOUNT));
    let mut elsewhere = owner.at_factor(site.browser()).await;
    let answer = elsewhere
        .post(paths::SIGN_IN_RECOVERY_CODE, &[("code", &owner.codes[0])])
        .await;
    assert_eq!(answer.location(), Some(paths::ACCOUNT));

    // One more in six minutes, and only one; told again no sooner than a day later.
    site.pass(6 * 60);
    let thieves = many_at_factor(&site, &owner, 8).await;
    let guesses = at_once(thieves, paths::SIGN_IN_CODE, |_| vec![("code", "000000".to_owned())]).await;
    let tried = guesses
        .iter()
        .filter(|(_, answer)| answer.status == StatusCode::FORBIDDEN);
    assert_eq!(tried.count(), 1);
    assert_eq!(of_kind(&site.mails().await, "too-many-guesses").len(), 0);
    site.pass(24 * 60 * 60);
    let thieves = many_at_factor(&site, &owner, 16).await;
    at_once(thieves, paths::SIGN_IN_CODE, |_| vec![("code", "000000".to_owned())]).await;
    assert_eq!(of_kind(&site.mails().await, "too-many-guesses").len(), 1);
    owner.browser.get(paths::ACCOUNT_MESSAGES).await;
}

async fn d03_codes_by_mail_have_one_budget_for_all_flows(engine: Engine) {
    let site = TestSite::new(engine).await;
    let owner = site.owner().await;
    let mut tried = 0;
    // Three mails are all that there are for now: one for each conversation, and one more.
    for mails in [2, 1] {
        let mut thief = site.browser();
        thief.post(paths::NEW_PASSWORD, &[("identifier", &owner.address)]).await;
        for number in 0..8 {
            if mails == 2 && number == 4 {
                // A new code makes no guess fresh.
                let again = thief.post(paths::NEW_PASSWORD_CODE_AGAIN, &[]).await;
                assert_eq!(again.status, StatusCode::OK, "{}", again.body);
            }
            let code = format!("AAAA-{number:04}");
            let answer = thief.post(paths::NEW_PASSWORD_CODE, &[("code", &code)]).await;
            tried += usize::from(answer.status == StatusCode::FORBIDDEN);
        }
    }
    assert_eq!(tried, 10, "of 16");
    assert_eq!(of_kind(&site.mails().await, "too-many-guesses").len(), 1);
}

async fn d04_one_code_opens_one_session(engine: Engine) {
    let site = TestSite::new(engine).await;
    let owner = site.owner_with_app().await;
    let racers = many_at_factor(&site, &owner, 32).await;
    let code = owner.app_code(&site);
    // From the owner's own browser, whose budget the losers use up.
    let answers = at_once(racers, paths::SIGN_IN_CODE, |_| vec![("code", code.clone())]).await;
    let opened = answers
        .iter()
        .filter(|(_, answer)| answer.location() == Some(paths::ACCOUNT));
    assert_eq!(opened.count(), 1);
    assert!(answers.iter().all(|(browser, answer)| {
        answer.location() == Some(paths::ACCOUNT) || browser.cookie("__Host-session").is_none()
    }));
}

async fn d04_totp_window_and_replay(engine: Engine) {
    let site = TestSite::new(engine).await;
    let owner = site.owner_with_app().await;
    let at = async |seconds: i64| {
        let code = app_code(&owner.secret, site.now().plus_seconds(seconds));
        let mut browser = site.browser();
        // The owner's, so that each wrong code comes out of a budget that this test does not use up.
        browser.plant(KNOWN_BROWSER, owner.browser.cookie(KNOWN_BROWSER).unwrap());
        let mut browser = owner.at_factor(browser).await;
        let answer = browser.post(paths::SIGN_IN_CODE, &[("code", &code)]).await;
        assert_ne!(answer.status, StatusCode::TOO_MANY_REQUESTS);
        answer.location() == Some(paths::ACCOUNT)
    };
    for skew in [-600, -2 * STEP, 2 * STEP, 600] {
        assert!(!at(skew).await, "{skew} s away");
    }
    assert!(at(-STEP).await, "a clock that is slow by a step");
    assert!(!at(-STEP).await, "the same once more");
    assert!(at(STEP).await, "a clock that is fast by a step");
    assert!(!at(0).await, "a step before one that was taken");
    site.pass(STEP);
    assert!(!at(0).await, "the step that was taken ahead of its time");
    site.pass(STEP);
    assert!(at(0).await);
}

async fn d08_recovery_code_reuse(engine: Engine) {
    let site = TestSite::new(engine).await;
    let mut owner = site.owner_with_app().await;
    let racers = many_at_factor(&site, &owner, 32).await;
    let code = owner.codes[0].clone();
    let answers = at_once(racers, paths::SIGN_IN_RECOVERY_CODE, |_| vec![("code", code.clone())]).await;
    let opened = answers
        .iter()
        .filter(|(_, answer)| answer.location() == Some(paths::ACCOUNT));
    assert_eq!(opened.count(), 1);
    let mails = site.mails().await;
    assert_eq!(
        of_kind(&mails, "second-factor-changed").len(),
        1,
        "told of the one that was used"
    );
    let page = owner.browser.get(paths::ACCOUNT_RECOVERY_CODES).await;
    assert!(page.body.contains('9'), "nine are left: {}", page.body);

    // A new set kills the old one.
    site.pass(6 * 60 * 10);
    let app_code = owner.app_code(&site);
    let proof = [("code", app_code.as_str()), ("for", "recovery-codes")];
    owner.browser.post(paths::STEP_UP, &proof).await;
    let page = owner.browser.post(paths::ACCOUNT_RECOVERY_CODES, &[]).await;
    let made = page.listed_codes();
    assert_eq!(made.len(), 10);
    assert!(
        made.iter().all(|code| code.replace('-', "").len() == 13),
        "65 bits each"
    );
    for (code, opens) in [(&owner.codes[1], false), (&made[0], true), (&made[0], false)] {
        let mut browser = owner.at_factor(site.browser()).await;
        let answer = browser.post(paths::SIGN_IN_RECOVERY_CODE, &[("code", code)]).await;
        assert_eq!(answer.location() == Some(paths::ACCOUNT), opens);
    }
    let mails = site.mails().await;
    assert_eq!(
        of_kind(&mails, "second-factor-changed").len(),
        2,
        "made anew, and one used"
    );
}

async fn d08_recovery_codes_are_throttled(engine: Engine) {
    let site = TestSite::new(engine).await;
    let owner = site.owner_with_app().await;
    let thieves = many_at_factor(&site, &owner, 32).await;
    let answers = at_once(thieves, paths::SIGN_IN_RECOVERY_CODE, |number| {
        vec![("code", format!("AAAAA-AAAA-{number:04}"))]
    })
    .await;
    let tried = answers
        .iter()
        .filter(|(_, answer)| answer.status == StatusCode::FORBIDDEN);
    assert_eq!(tried.count(), 10);
    assert_eq!(of_kind(&site.mails().await, "too-many-guesses").len(), 1);
}
