//! Accounts at risk: held, to be changed, or with a leaked hash that waits for its owner.

use http::StatusCode;
use rightful_testkit::given::{HoldAction, HoldSource};
use rightful_web::pages::paths;

use crate::support::{
    Browser, Engine, FLOW, KNOWN_BROWSER, NEW_PASSWORD, Owner, PASSWORD, SESSION, TestSite, WRONG, at_once,
    on_both_engines,
};

on_both_engines!(
    a_leaked_hash_that_fits_opens_no_session,
    a_leaked_hash_of_another_password_changes_nothing,
    a_hold_is_told_to_the_owners_browser_alone,
    a_return_lifts_a_containments_hold_and_no_administrators,
    a_required_change_trusts_no_address_that_is_new,
);

/// `PASSWORD` by bcrypt of cost 4.
const LEAKED: &str = "$2b$04$abcdefghijklmnopqrstuuw3FcqpY/Pe/21dn7J.z1mUlfERUFFPG";

/// Another password by the same.
const LEAKED_OTHER: &str = "$2b$04$abcdefghijklmnopqrstuue6reexm1Nd2DqYX6g8pFR94B4r9DDy.";

async fn a_leaked_hash_that_fits_opens_no_session(engine: Engine) {
    let site = TestSite::new(engine).await;
    for with_app in [false, true] {
        let owner = if with_app {
            site.owner_with_app().await
        } else {
            site.owner_in().await
        };
        site.scan(&format!("Forum {with_app}"), &format!("{}:{LEAKED}\n", owner.address))
            .await;
        assert_eq!(site.grades(owner.account).await, ["untested"]);
        let answer = site.browser().sign_in(&owner.address, WRONG).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert_eq!(
            site.grades(owner.account).await,
            ["untested"],
            "a wrong password tests nothing"
        );
        assert!(owner.browser.clone().is_in().await);

        let other = site.another().await;
        let racers = (0..8).map(|number| {
            let browser = site.browser();
            if number % 2 == 0 { browser } else { browser.at(&other) }
        });
        let answers = at_once(racers.collect(), paths::SIGN_IN, |_| {
            vec![("identifier", owner.address.clone()), ("password", PASSWORD.to_owned())]
        })
        .await;
        for (browser, answer) in &answers {
            assert_eq!(browser.cookie(SESSION), None, "{}", answer.body);
            assert_eq!(
                answer.status,
                StatusCode::OK,
                "a new password must be chosen: {}",
                answer.body
            );
        }
        assert_eq!(site.grades(owner.account).await, ["exact"]);
        assert!(site.holds_on(owner.account).await > 0);
        // Either node may have been the one that asked for it.
        site.let_nodes_see();
        assert!(!owner.browser.clone().is_in().await, "a thief may have been in already");
        assert_eq!(site.mails().await, [], "the code is sent when it is asked for");

        // The way back that was offered leads through, at the very first attempt.
        let mut browser = site.browser();
        browser.sign_in(&owner.address, PASSWORD).await;
        change_password(&site, &owner, &mut browser, with_app).await;
        let answer = site.browser().sign_in(&owner.address, NEW_PASSWORD).await;
        assert!(answer.status == StatusCode::SEE_OTHER, "{}", answer.body);
        assert_eq!(site.holds_on(owner.account).await, 0);
    }
    // The one who is the first to type it is not sent in a circle.
    let owner = site.owner().await;
    site.scan("Another forum", &format!("{}:{LEAKED}\n", owner.address))
        .await;
    let mut browser = site.browser();
    let answer = browser.sign_in(&owner.address, PASSWORD).await;
    assert_eq!(answer.status, StatusCode::OK);
    change_password(&site, &owner, &mut browser, false).await;
}

/// From the page that asks for a new password to its end.
async fn change_password(site: &TestSite, owner: &Owner, browser: &mut Browser, with_app: bool) {
    let answer = browser.post(paths::CHANGE_REQUIRED, &[]).await;
    assert_eq!(answer.location(), Some(paths::NEW_PASSWORD_CODE), "{}", answer.body);
    let code = site.code_to(&owner.address).await;
    browser.post(paths::NEW_PASSWORD_CODE, &[("code", &code)]).await;
    if with_app {
        let code = owner.app_code(site);
        browser.post(paths::NEW_PASSWORD_FACTOR, &[("code", &code)]).await;
    }
    let answer = browser
        .post(paths::NEW_PASSWORD_CHOOSE, &[("password", PASSWORD)])
        .await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "the leaked one again");
    let answer = browser
        .post(paths::NEW_PASSWORD_CHOOSE, &[("password", NEW_PASSWORD)])
        .await;
    assert_eq!(answer.location(), Some(paths::NEW_PASSWORD_DONE), "{}", answer.body);
    site.mails().await;
}

async fn a_leaked_hash_of_another_password_changes_nothing(engine: Engine) {
    let site = TestSite::new(engine).await;
    let mut owner = site.owner().await;
    site.scan("Forum", &format!("{}:{LEAKED_OTHER}\n", owner.address)).await;
    owner.sign_in().await;
    assert_eq!(site.grades(owner.account).await, ["named"]);
    assert_eq!(site.holds_on(owner.account).await, 0);
    assert!(owner.browser.is_in().await);
}

async fn a_hold_is_told_to_the_owners_browser_alone(engine: Engine) {
    let site = TestSite::new(engine).await;
    let (owner, stranger) = (site.owner_in().await, site.owner_in().await);
    let denied = site.browser().sign_in("nobody@example.org", PASSWORD).await;
    site.hold(owner.account, HoldSource::Containment, HoldAction::Hold)
        .await;
    let [from_anywhere, from_a_strangers] = [site.browser(), stranger.browser.clone()].map(|mut browser| {
        let address = owner.address.clone();
        async move { browser.sign_in(&address, PASSWORD).await }
    });
    for answer in [from_anywhere.await, from_a_strangers.await] {
        assert_eq!(answer.shape(&owner.address), denied.shape("nobody@example.org"));
    }
    let mut forged = site.browser();
    forged.plant(KNOWN_BROWSER, stranger.browser.cookie(KNOWN_BROWSER).unwrap());
    assert_eq!(
        forged.sign_in(&owner.address, PASSWORD).await.shape(&owner.address),
        denied.shape("nobody@example.org")
    );
    for password in [PASSWORD, WRONG] {
        let mut at_home = owner.browser.clone();
        let answer = at_home.sign_in(&owner.address, password).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(
            answer.body.contains(paths::NEW_PASSWORD),
            "says what to do: {}",
            answer.body
        );
        assert_ne!(answer.body, denied.body);
        assert!(!at_home.is_in().await);
    }
    let records = site.sign_ins(owner.account).await;
    assert_eq!(
        records.iter().filter(|(why, _)| why == "held").count(),
        5,
        "{records:?}"
    );
}

async fn a_return_lifts_a_containments_hold_and_no_administrators(engine: Engine) {
    let site = TestSite::new(engine).await;
    for (source, lifted) in [(HoldSource::Containment, true), (HoldSource::Administrator, false)] {
        let owner = site.owner_with_app().await;
        site.hold(owner.account, source, HoldAction::Hold).await;
        let mut returning = site.return_of(&owner).await;
        let code = owner.app_code(&site);
        returning.post(paths::NEW_PASSWORD_FACTOR, &[("code", &code)]).await;
        let answer = returning
            .post(paths::NEW_PASSWORD_CHOOSE, &[("password", NEW_PASSWORD)])
            .await;
        assert_eq!(answer.location(), Some(paths::NEW_PASSWORD_DONE));
        assert_eq!(site.holds_on(owner.account).await == 0, lifted, "{source:?}");
        let answer = site.browser().sign_in(&owner.address, NEW_PASSWORD).await;
        assert_eq!(
            answer.location() == Some(paths::SIGN_IN_CODE),
            lifted,
            "{source:?}: {}",
            answer.body
        );
        let answer = site.browser().sign_in(&owner.address, PASSWORD).await;
        assert_eq!(
            answer.status,
            StatusCode::FORBIDDEN,
            "the old one is gone in either case"
        );
    }
    // Both on one account: the administrator's stays.
    let owner = site.owner().await;
    site.hold(owner.account, HoldSource::Administrator, HoldAction::Hold)
        .await;
    site.hold(owner.account, HoldSource::Containment, HoldAction::Hold)
        .await;
    let mut returning = site.return_of(&owner).await;
    returning
        .post(paths::NEW_PASSWORD_CHOOSE, &[("password", NEW_PASSWORD)])
        .await;
    assert_eq!(site.holds_on(owner.account).await, 1);
    let answer = site.browser().sign_in(&owner.address, NEW_PASSWORD).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

async fn a_required_change_trusts_no_address_that_is_new(engine: Engine) {
    let site = TestSite::new(engine).await;
    for action in [HoldAction::Change, HoldAction::Hold] {
        let mut owner = site.owner().await;
        site.pass(60);
        owner.sign_in().await;
        // Whoever got in with the leaked password put an address of his own there.
        let new = format!("thief-{}@example.net", action.word());
        owner.browser.post(paths::ACCOUNT_ADDRESS, &[("address", &new)]).await;
        let code = site.code_to(&new).await;
        let answer = owner
            .browser
            .post(paths::ACCOUNT_ADDRESS_CODE, &[("code", &code)])
            .await;
        assert_eq!(answer.location(), Some(paths::ACCOUNT), "{}", answer.body);
        site.mails().await;
        site.hold(owner.account, HoldSource::Containment, action).await;
        let ask = async |name: &str| {
            let mut browser = site.browser();
            let answer = browser.post(paths::NEW_PASSWORD, &[("identifier", name)]).await;
            assert_eq!(answer.location(), Some(paths::NEW_PASSWORD_CODE), "neutral");
            let again = browser.post(paths::NEW_PASSWORD_CODE_AGAIN, &[]).await;
            assert_eq!(again.status, StatusCode::OK);
            site.mails().await
        };
        if action == HoldAction::Change {
            let mut browser = site.browser();
            let answer = browser.sign_in(&new, PASSWORD).await;
            assert_eq!((answer.status, browser.cookie(SESSION)), (StatusCode::OK, None));
            assert_eq!(browser.cookie(FLOW), None, "only the support desk helps");
            assert!(
                !answer.body.contains(&format!("action=\"{}\"", paths::CHANGE_REQUIRED)),
                "{}",
                answer.body
            );
        }
        assert_eq!(ask(&new).await, [], "no code to an address of yesterday");
        assert_eq!(ask(&owner.address).await, [], "nor to one that was given up");
        site.pass(30 * 24 * 60 * 60 - 60);
        assert_eq!(ask(&new).await, [], "nor in 30 days, less a minute");
        site.pass(60 + 10 * 60);
        let mails = ask(&new).await;
        assert!(mails.iter().all(|mail| mail.to == new) && !mails.is_empty());
    }
}
