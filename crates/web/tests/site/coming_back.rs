//! The return, by people who are not the owner.

use http::{Method, StatusCode};
use rightful_testkit::given::{HoldAction, HoldSource};
use rightful_web::pages::paths;

use crate::support::{
    Browser, CODE_DEAD, Engine, FLOW, KNOWN_BROWSER, NEW_PASSWORD, PASSWORD, SESSION, STEP, TestSite, WRONG, at_once,
    encoded, of_kind, on_both_engines,
};

on_both_engines!(
    a01_reset_host_poisoning,
    a02_reset_multi_recipient,
    a03_one_token_sets_one_password,
    a03_a_newer_request_kills_the_older,
    a06_reset_keeps_mfa,
    a07_reset_revokes_synchronously,
    a08_reset_token_leak_channels,
    a09_token_shapes_open_nothing,
    a12_codes_die_by_the_clock_of_the_server,
    a_double_click_ends_with_one_new_password,
);

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

async fn a01_reset_host_poisoning(engine: Engine) {
    let site = TestSite::new(engine).await;
    let poisons: [&[(&str, &str)]; 6] = [
        &[("host", "evil.test")],
        &[("host", "id.example.org"), ("host", "evil.test")],
        &[("x-forwarded-host", "evil.test"), ("x-forwarded-proto", "http")],
        &[("forwarded", "host=evil.test;proto=http")],
        &[("host", "id.example.org:evil.test@evil.test")],
        &[("origin", "https://evil.test"), ("referer", "https://evil.test/")],
    ];
    let mut asked = 0;
    for poison in poisons {
        let owner = site.owner().await;
        for path in ["", "http://evil.test"] {
            let headers = [&[FORM], poison].concat();
            let new = format!("new{asked}@example.net");
            let [to_return, to_sign_up] = [
                (paths::NEW_PASSWORD, "identifier", &owner.address),
                (paths::SIGN_UP, "address", &new),
            ];
            for (form, field, value) in [to_return, to_sign_up] {
                let body = encoded(&[(field, value)]).into_bytes();
                let answer = site
                    .browser()
                    .send(Method::POST, &format!("{path}{form}"), &headers, body)
                    .await;
                assert_eq!(answer.status, StatusCode::SEE_OTHER, "{poison:?}");
                assert!(!format!("{:?}", answer.headers).contains("evil"), "{poison:?}");
                asked += 1;
            }
            site.pass(1);
        }
    }
    let mails = site.mails().await;
    // A newer request for a return takes the place of the older one.
    assert_eq!(of_kind(&mails, "reset-code").len(), poisons.len());
    assert_eq!(of_kind(&mails, "sign-up-code").len(), 2 * poisons.len());
    for mail in mails {
        let all = format!("{}\n{}", mail.subject, mail.text).to_lowercase();
        for link in ["evil", "://", "http", "www.", "id.example.org"] {
            assert!(!all.contains(link), "{link} in {all}");
        }
    }
}

async fn a02_reset_multi_recipient(engine: Engine) {
    let site = TestSite::new(engine).await;
    let owner = site.owner().await;
    let victim = &owner.address;
    let typed = [
        format!("{victim},thief@evil.test"),
        format!("{victim};thief@evil.test"),
        format!("{victim} thief@evil.test"),
        format!("thief@evil.test, {victim}"),
        format!("{victim}\r\nbcc: thief@evil.test"),
        format!("{victim}\0thief@evil.test"),
        format!("{victim}%0athief@evil.test"),
        format!("\"thief@evil.test\"@example.org, {victim}"),
        format!("\"thief@evil.test,\"{victim}"),
        format!("Owner <{victim}>"),
        format!("<{victim}>"),
        format!("{victim}(thief@evil.test)"),
        format!("[\"{victim}\",\"thief@evil.test\"]"),
    ];
    for typed in &typed {
        let answer = site.browser().post(paths::NEW_PASSWORD, &[("identifier", typed)]).await;
        assert_eq!(answer.location(), Some(paths::NEW_PASSWORD_CODE), "neutral: {typed}");
        let answer = site.browser().post(paths::SIGN_UP, &[("address", typed)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{typed}");
    }
    let json = format!("{{\"identifier\":[\"{victim}\",\"thief@evil.test\"]}}");
    let bodies = [
        (FORM, format!("identifier={victim}&identifier=thief%40evil.test")),
        (FORM, format!("identifier[]={victim}&identifier[]=thief%40evil.test")),
        (FORM, format!("identifier%5B0%5D={victim}")),
        (("content-type", "application/json"), json.clone()),
        (("content-type", "text/plain"), json),
        (
            ("content-type", "multipart/form-data; boundary=x"),
            format!("--x\r\n\r\n{victim}\r\n--x--"),
        ),
    ];
    for (kind, body) in bodies {
        for path in [paths::NEW_PASSWORD, paths::SIGN_UP] {
            let answer = site
                .browser()
                .send(Method::POST, path, &[kind], body.clone().into_bytes())
                .await;
            assert!(answer.status.is_client_error(), "{} for {body}", answer.status);
        }
    }
    assert_eq!(site.mails().await, []);
    let answer = site
        .browser()
        .post(
            paths::NEW_PASSWORD,
            &[("identifier", &format!(" {} ", victim.to_uppercase()))],
        )
        .await;
    assert_eq!(answer.location(), Some(paths::NEW_PASSWORD_CODE));
    let mails = site.mails().await;
    assert_eq!(mails.len(), 1);
    assert_eq!(
        &mails[0].to, victim,
        "to the address as it is stored, never as it was typed"
    );
}

async fn a03_one_token_sets_one_password(engine: Engine) {
    let site = TestSite::new(engine).await;
    let (owner, other) = (site.owner().await, site.another().await);
    let browser = site.return_of(&owner).await;
    let browsers = (0..32)
        .map(|number| {
            if number % 2 == 0 {
                browser.clone()
            } else {
                browser.at(&other)
            }
        })
        .collect();
    let password = |number: usize| format!("the password of racer number {number:02}");
    let answers = at_once(browsers, paths::NEW_PASSWORD_CHOOSE, |number| {
        vec![("password", password(number))]
    })
    .await;
    let done = |number: &usize| answers[*number].1.location() == Some(paths::NEW_PASSWORD_DONE);
    let winners: Vec<usize> = (0..answers.len()).filter(done).collect();
    assert_eq!(winners.len(), 1, "one of {winners:?}");
    let signs_in = async |password: &str| {
        let answer = site.browser().sign_in(&owner.address, password).await;
        answer.location() == Some(paths::ACCOUNT)
    };
    assert!(signs_in(&password(winners[0])).await, "the winner's");
    assert!(!signs_in(PASSWORD).await && !signs_in(&password((winners[0] + 1) % 32)).await);
    let (mut late, _) = answers.into_iter().nth(winners[0]).unwrap();
    late.plant(FLOW, browser.cookie(FLOW).unwrap());
    let again = late
        .post(paths::NEW_PASSWORD_CHOOSE, &[("password", NEW_PASSWORD)])
        .await;
    assert_eq!(again.location(), Some(paths::SIGN_IN), "spent");
    assert!(!signs_in(NEW_PASSWORD).await);
    assert_eq!(of_kind(&site.mails().await, "password-changed").len(), 1);
}

async fn a03_a_newer_request_kills_the_older(engine: Engine) {
    let site = TestSite::new(engine).await;
    let owner = site.owner().await;
    let ask = [("identifier", owner.address.as_str())];
    let (mut older, mut newer) = (site.browser(), site.browser());
    older.post(paths::NEW_PASSWORD, &ask).await;
    let old_code = site.code_to(&owner.address).await;
    newer.post(paths::NEW_PASSWORD, &ask).await;
    let new_code = site.code_to(&owner.address).await;
    for code in [&old_code, &new_code] {
        let answer = older.clone().post(paths::NEW_PASSWORD_CODE, &[("code", code)]).await;
        assert_eq!(
            answer.location(),
            Some(paths::SIGN_IN),
            "the older conversation is over"
        );
    }
    let answer = newer.post(paths::NEW_PASSWORD_CODE, &[("code", &old_code)]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "the code of another conversation");
    site.pass(1);
    newer.post(paths::NEW_PASSWORD_CODE_AGAIN, &[]).await;
    let newest_code = site.code_to(&owner.address).await;
    let answer = newer.post(paths::NEW_PASSWORD_CODE, &[("code", &new_code)]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "a newer code was asked for");
    let before = newer.clone();
    let answer = newer.post(paths::NEW_PASSWORD_CODE, &[("code", &newest_code)]).await;
    assert_eq!(answer.location(), Some(paths::NEW_PASSWORD_CHOOSE));
    let answer = before
        .clone()
        .post(paths::NEW_PASSWORD_CODE, &[("code", &newest_code)])
        .await;
    assert_eq!(answer.location(), Some(paths::SIGN_IN), "a code works once");
}

async fn a06_reset_keeps_mfa(engine: Engine) {
    let site = TestSite::new(engine).await;
    let owner = site.owner_with_app().await;
    let mut browser = site.return_of(&owner).await;
    let page = browser.get(paths::NEW_PASSWORD_CHOOSE).await;
    assert_eq!(page.location(), Some(paths::NEW_PASSWORD_FACTOR), "the factor is next");
    let mut skipping = browser.clone();
    skipping
        .post(paths::NEW_PASSWORD_CHOOSE, &[("password", NEW_PASSWORD)])
        .await;
    let wrong = browser.post(paths::NEW_PASSWORD_FACTOR, &[("code", "000000")]).await;
    assert_eq!(wrong.status, StatusCode::FORBIDDEN);
    assert_eq!(
        site.browser().sign_in(&owner.address, NEW_PASSWORD).await.status,
        StatusCode::FORBIDDEN
    );
    let code = owner.app_code(&site);
    let right = browser.post(paths::NEW_PASSWORD_FACTOR, &[("code", &code)]).await;
    assert_eq!(right.location(), Some(paths::NEW_PASSWORD_CHOOSE));
    let done = browser
        .post(paths::NEW_PASSWORD_CHOOSE, &[("password", NEW_PASSWORD)])
        .await;
    assert_eq!(done.location(), Some(paths::NEW_PASSWORD_DONE), "{}", done.body);
    assert!(
        !browser.is_in().await && browser.cookie(SESSION).is_none(),
        "nobody is signed in by it"
    );
    let app = browser.get(paths::ACCOUNT_APP).await;
    assert_eq!(
        app.location(),
        Some(paths::SIGN_IN),
        "nothing can be enrolled or removed"
    );
    let answer = browser.sign_in(&owner.address, NEW_PASSWORD).await;
    assert_eq!(
        answer.location(),
        Some(paths::SIGN_IN_CODE),
        "the app is still asked for"
    );
    site.pass(STEP);
    let code = owner.app_code(&site);
    browser.post(paths::SIGN_IN_CODE, &[("code", &code)]).await;
    assert!(browser.is_in().await, "the same app");
}

async fn a07_reset_revokes_synchronously(engine: Engine) {
    let site = TestSite::new(engine).await;
    let mut owner = site.owner_with_app().await;
    let other = site.another().await;
    // Fresh, so that a change of address can begin.
    let code = owner.app_code(&site);
    let proof = [("code", code.as_str()), ("for", "address")];
    owner.browser.post(paths::STEP_UP, &proof).await;
    owner
        .browser
        .post(paths::ACCOUNT_ADDRESS, &[("address", "new@example.net")])
        .await;
    let address_code = site.code_to("new@example.net").await;
    let mut half_in = owner.at_factor(site.browser()).await;
    let mut known = site.browser();
    known.plant(KNOWN_BROWSER, owner.browser.cookie(KNOWN_BROWSER).unwrap());
    site.pass(STEP);

    let mut returning = site.return_of(&owner).await;
    let code = owner.app_code(&site);
    returning.post(paths::NEW_PASSWORD_FACTOR, &[("code", &code)]).await;
    let mut rival = returning.clone();
    let done = returning
        .post(paths::NEW_PASSWORD_CHOOSE, &[("password", NEW_PASSWORD)])
        .await;
    assert_eq!(done.location(), Some(paths::NEW_PASSWORD_DONE));

    // The very next requests, on another node.
    assert!(!owner.browser.at(&other).is_in().await, "the session");
    let mut changing = owner.browser.at(&other);
    let answer = changing
        .post(paths::ACCOUNT_ADDRESS_CODE, &[("code", &address_code)])
        .await;
    assert_eq!(answer.location(), Some(paths::SIGN_IN), "the change of address");
    site.pass(STEP);
    let code = owner.app_code(&site);
    let answer = half_in.at(&other).post(paths::SIGN_IN_CODE, &[("code", &code)]).await;
    assert_eq!(answer.location(), Some(paths::SIGN_IN), "the sign-in under way");
    assert!(!half_in.is_in().await);
    let answer = rival
        .at(&other)
        .post(paths::NEW_PASSWORD_CHOOSE, &[("password", WRONG)])
        .await;
    assert_eq!(answer.location(), Some(paths::SIGN_IN), "the return itself");
    assert!(rival.cookie(FLOW).is_some() && !rival.is_in().await);
    site.hold(owner.account, HoldSource::Containment, HoldAction::Hold)
        .await;
    let [of_known, of_stranger] = [
        known.at(&other).sign_in(&owner.address, WRONG).await,
        site.browser().sign_in(&owner.address, WRONG).await,
    ];
    assert_eq!(
        of_known.body, of_stranger.body,
        "no browser of before is taken for the owner's"
    );
}

async fn a08_reset_token_leak_channels(engine: Engine) {
    let site = TestSite::new(engine).await;
    let owner = site.owner().await;
    let mut browser = site.browser();
    browser
        .post(paths::NEW_PASSWORD, &[("identifier", &owner.address)])
        .await;
    let mail = site.mails().await.pop().unwrap();
    assert!(
        !mail.text.contains("://") && !mail.text.contains("rf_"),
        "nothing for a scanner to fetch"
    );
    let code = mail.code.unwrap();
    let pages = [
        paths::NEW_PASSWORD,
        paths::NEW_PASSWORD_CODE,
        paths::NEW_PASSWORD_CODE_AGAIN,
        paths::NEW_PASSWORD_FACTOR,
        paths::NEW_PASSWORD_CHOOSE,
        paths::NEW_PASSWORD_DONE,
        paths::CHANGE_REQUIRED,
    ];
    let fetch_all = async |browser: &Browser| {
        for path in pages {
            for method in [Method::GET, Method::HEAD] {
                let with_code = format!("{path}?code={code}&password=never");
                for uri in [path, &with_code] {
                    let mut scanner = browser.clone();
                    let answer = scanner.send(method.clone(), uri, &[], Vec::new()).await;
                    assert!(!answer.body.contains(&code), "shown again");
                    let set = answer.cookies();
                    assert!(
                        set.iter().all(|(name, value)| name != FLOW || value.is_empty()),
                        "{uri}: {set:?}"
                    );
                }
            }
        }
    };
    fetch_all(&browser).await;
    let answer = browser.post(paths::NEW_PASSWORD_CODE, &[("code", &code)]).await;
    assert_eq!(
        answer.location(),
        Some(paths::NEW_PASSWORD_CHOOSE),
        "nothing was used up"
    );
    fetch_all(&browser).await;
    let done = browser
        .post(paths::NEW_PASSWORD_CHOOSE, &[("password", NEW_PASSWORD)])
        .await;
    assert_eq!(done.location(), Some(paths::NEW_PASSWORD_DONE));
    let mails = site.mails().await;
    assert_eq!(
        (mails.len(), mails[0].kind.as_str()),
        (1, "password-changed"),
        "no fetch sent a mail"
    );
}

async fn a09_token_shapes_open_nothing(engine: Engine) {
    let site = TestSite::new(engine).await;
    let owner = site.owner_in().await;
    let returning = site.return_of(&owner).await;
    let (session, flow) = (owner.browser.cookie(SESSION).unwrap(), returning.cookie(FLOW).unwrap());
    assert_eq!(
        session.len(),
        "rs_".len() + 48,
        "36 bytes: 32 random and a masked block"
    );
    let shapes = |token: &str, prefix: &str| {
        let (cut, changed) = (&token[..token.len() - 1], if token.ends_with('A') { "B" } else { "A" });
        vec![
            String::new(),
            "null".to_owned(),
            "0".to_owned(),
            "true".to_owned(),
            "[]".to_owned(),
            "%00".to_owned(),
            prefix.to_owned(),
            format!("{prefix}{}", "A".repeat(48)),
            format!("{prefix}{}", "A".repeat(1 << 20)),
            cut.to_owned(),
            format!("{cut}{changed}"),
            format!("{token}A"),
            token[3..].to_owned(),
            token.to_uppercase(),
            token.replacen(prefix, "ra_", 1),
            token.replacen(prefix, "rb_", 1),
        ]
    };
    let crossed = [flow.to_owned(), flow.replacen("rf_", "rs_", 1)];
    for shape in shapes(session, "rs_").iter().chain(&crossed) {
        let mut browser = site.browser();
        browser.plant(SESSION, shape);
        assert!(!browser.is_in().await, "{shape:.60}");
    }
    let crossed = [session.to_owned(), session.replacen("rs_", "rf_", 1)];
    for shape in shapes(flow, "rf_").iter().chain(&crossed) {
        let mut browser = site.browser();
        browser.plant(FLOW, shape);
        for (path, field) in [
            (paths::NEW_PASSWORD_CODE, "code"),
            (paths::NEW_PASSWORD_CHOOSE, "password"),
            (paths::SIGN_UP_CODE, "code"),
            (paths::SIGN_IN_CODE, "code"),
            (paths::SETUP_ACCOUNT, "password"),
        ] {
            let answer = browser
                .clone()
                .post(path, &[(field, NEW_PASSWORD), ("address", "a@example.org")])
                .await;
            let back = [Some(paths::SIGN_IN), Some(paths::SETUP)];
            assert!(
                back.contains(&answer.location()),
                "{path} {:.60}: {}",
                shape,
                answer.body
            );
        }
    }
    let mut owner = owner;
    assert!(owner.browser.is_in().await, "nothing of this ended what was there");
}

async fn a12_codes_die_by_the_clock_of_the_server(engine: Engine) {
    let site = TestSite::new(engine).await;
    let owner = site.owner_with_app().await;
    let ask = [("identifier", owner.address.as_str())];
    let mut browser = site.browser();
    browser.post(paths::NEW_PASSWORD, &ask).await;
    let code = site.code_to(&owner.address).await;
    site.pass(CODE_DEAD);
    let answer = browser.post(paths::NEW_PASSWORD_CODE, &[("code", &code)]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "a dead code");
    browser.post(paths::NEW_PASSWORD_CODE_AGAIN, &[]).await;
    let code = site.code_to(&owner.address).await;
    site.pass(CODE_DEAD - 2);
    let answer = browser.post(paths::NEW_PASSWORD_CODE, &[("code", &code)]).await;
    assert_eq!(
        answer.location(),
        Some(paths::SIGN_IN),
        "the conversation lasts an hour, whatever its code"
    );
    browser.post(paths::NEW_PASSWORD, &ask).await;
    let code = site.code_to(&owner.address).await;
    site.pass(CODE_DEAD - 2);
    let answer = browser.post(paths::NEW_PASSWORD_CODE, &[("code", &code)]).await;
    assert_eq!(
        answer.location(),
        Some(paths::NEW_PASSWORD_FACTOR),
        "one code alone does not do"
    );
    let recovery = [("code", owner.codes[0].as_str())];
    let answer = browser.post(paths::NEW_PASSWORD_RECOVERY_CODE, &recovery).await;
    assert_eq!(
        answer.location(),
        Some(paths::NEW_PASSWORD_CHOOSE),
        "a code and a bound factor do"
    );
    browser
        .post(paths::NEW_PASSWORD_CHOOSE, &[("password", NEW_PASSWORD)])
        .await;
    let mails = site.mails().await;
    assert_eq!(of_kind(&mails, "password-changed").len(), 1);
    assert_eq!(
        of_kind(&mails, "second-factor-changed").len(),
        1,
        "a recovery code was used"
    );
}

/// The page is sent twice: the second answer is the one that a browser shows, and it is not "begin again".
async fn a_double_click_ends_with_one_new_password(engine: Engine) {
    let site = TestSite::new(engine).await;
    let owner = site.owner().await;
    let browser = site.return_of(&owner).await;
    let twice = vec![browser.clone(), browser];
    let answers = at_once(twice, paths::NEW_PASSWORD_CHOOSE, |_| {
        vec![("password", NEW_PASSWORD.to_owned())]
    })
    .await;
    let done = answers
        .iter()
        .filter(|(_, answer)| answer.location() == Some(paths::NEW_PASSWORD_DONE));
    assert_eq!(done.count(), 1);
    let answer = site.browser().sign_in(&owner.address, NEW_PASSWORD).await;
    assert_eq!(answer.location(), Some(paths::ACCOUNT));
}
