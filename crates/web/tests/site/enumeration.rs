//! Whether the answers tell who has an account.

use http::StatusCode;
use rightful_testkit::given::{HoldAction, HoldSource, cheap_hash};
use rightful_web::pages::paths;

use crate::support::{Answer, Engine, TestSite, WRONG, on_both_engines};

on_both_engines!(
    b01_enum_content_parity,
    b01_budgets_of_several_forms_tell_nothing,
    b01_check_tells_nothing,
    b01_a_refusal_writes_as_much_whoever_it_is,
);

/// Addresses that differ in nothing but in what is behind them; the last is nobody's. The second factor and the hold are real.
const KINDS: [&str; 8] = [
    "plain@example.org",
    "helds@example.org",
    "nopwd@example.org",
    "wiapp@example.org",
    "chang@example.org",
    "nocon@example.org",
    "erase@example.org",
    "noone@example.org",
];

/// A site with an account of each kind.
async fn site_of_all_kinds(engine: Engine) -> TestSite {
    let site = TestSite::new(engine).await;
    let with_app = site.owner_with_app().await;
    let hash = cheap_hash(crate::support::PASSWORD);
    let mut csv = "account,email,password\n".to_owned();
    for address in KINDS
        .iter()
        .filter(|address| !["noone", "wiapp"].contains(&&address[..5]))
    {
        let password = if address.starts_with("nopwd") { "" } else { &hash };
        csv.push_str(&format!("{address},{address},\"{password}\"\n"));
    }
    site.import(&csv).await;
    // The account with an app gets the name of its kind as a second one.
    let row = format!("account,username,email\n{0},wiapp,{1}\n", with_app.address, KINDS[3]);
    site.import(&row).await;
    let account = async |address| site.account_of(address).await;
    site.hold(account(KINDS[1]).await, HoldSource::Containment, HoldAction::Hold)
        .await;
    site.hold(account(KINDS[4]).await, HoldSource::Containment, HoldAction::Change)
        .await;
    site.forget_contacts(account(KINDS[5]).await).await;
    site.erase(account(KINDS[6]).await).await;
    site.mails().await;
    site
}

/// All answers must be one, but for what was typed.
#[track_caller]
fn assert_alike(what: &str, answers: &[(&str, Answer)]) {
    let (first_name, first) = &answers[0];
    for (name, answer) in answers {
        assert_eq!(
            answer.shape(name),
            first.shape(first_name),
            "{what}: {name} and {first_name}"
        );
    }
}

async fn b01_enum_content_parity(engine: Engine) {
    let site = site_of_all_kinds(engine).await;
    let mut signing_in = Vec::new();
    for address in KINDS {
        signing_in.push((address, site.browser().sign_in(address, WRONG).await));
    }
    assert_alike("a wrong password", &signing_in);
    assert_eq!(signing_in[0].1.status, StatusCode::FORBIDDEN);
    let right = site.browser().sign_in(KINDS[1], crate::support::PASSWORD).await;
    assert_eq!(
        right.shape(KINDS[1]),
        signing_in[0].1.shape(KINDS[0]),
        "the right password of a held account"
    );
    for (form, code, again, field) in [
        (
            paths::NEW_PASSWORD,
            paths::NEW_PASSWORD_CODE,
            paths::NEW_PASSWORD_CODE_AGAIN,
            "identifier",
        ),
        (
            paths::SIGN_UP,
            paths::SIGN_UP_CODE,
            paths::SIGN_UP_CODE_AGAIN,
            "address",
        ),
    ] {
        let mut steps: [Vec<(&str, Answer)>; 5] = Default::default();
        for address in KINDS {
            let mut browser = site.browser();
            let answers = [
                browser.post(form, &[(field, address)]).await,
                browser.get(code).await,
                browser.post(code, &[("code", "AAAA-AAAA")]).await,
                browser.post(code, &[("code", "")]).await,
                browser.post(again, &[]).await,
            ];
            for (step, answer) in steps.iter_mut().zip(answers) {
                step.push((address, answer));
            }
        }
        for (number, answers) in steps.iter().enumerate() {
            assert_alike(&format!("step {number} of {form}"), answers);
        }
        assert_eq!(steps[1][0].1.status, StatusCode::OK, "{}", steps[1][0].1.body);
        assert_eq!(steps[2][0].1.status, StatusCode::FORBIDDEN);
    }
}

/// What budgets let through, over several forms that spend from the same ones.
async fn b01_budgets_of_several_forms_tell_nothing(engine: Engine) {
    let site = site_of_all_kinds(engine).await;
    let mut told: Vec<(&str, Vec<StatusCode>)> = Vec::new();
    for address in KINDS {
        let mut statuses = Vec::new();
        let mut returning = site.browser();
        statuses.push(
            returning
                .post(paths::NEW_PASSWORD, &[("identifier", address)])
                .await
                .status,
        );
        for _ in 0..3 {
            statuses.push(returning.post(paths::NEW_PASSWORD_CODE_AGAIN, &[]).await.status);
        }
        statuses.push(
            site.browser()
                .post(paths::SIGN_UP, &[("address", address)])
                .await
                .status,
        );
        site.pass(10 * 60);
        let mut signing_up = site.browser();
        statuses.push(signing_up.post(paths::SIGN_UP, &[("address", address)]).await.status);
        statuses.push(signing_up.post(paths::SIGN_UP_CODE_AGAIN, &[]).await.status);
        for _ in 0..6 {
            statuses.push(
                returning
                    .post(paths::NEW_PASSWORD_CODE, &[("code", "AAAA-AAAA")])
                    .await
                    .status,
            );
            statuses.push(
                signing_up
                    .post(paths::SIGN_UP_CODE, &[("code", "AAAA-AAAA")])
                    .await
                    .status,
            );
        }
        for _ in 0..12 {
            statuses.push(site.browser().sign_in(address, WRONG).await.status);
        }
        told.push((address, statuses));
    }
    for (address, statuses) in &told {
        assert_eq!(statuses, &told[0].1, "{address}");
    }
    let refused = told[0]
        .1
        .iter()
        .filter(|status| **status == StatusCode::TOO_MANY_REQUESTS);
    assert!(
        refused.count() >= 4,
        "each kind of budget came to its end: {:?}",
        told[0].1
    );
}

async fn b01_check_tells_nothing(engine: Engine) {
    let site = site_of_all_kinds(engine).await;
    site.browser()
        .post(paths::NEW_PASSWORD, &[("identifier", KINDS[0])])
        .await;
    let number = site.mails().await.pop().unwrap().number;
    let check = async |address: &str, number: &str| {
        let fields = [("address", address), ("number", number)];
        site.browser().post(paths::CHECK, &fields).await
    };
    let genuine = check(KINDS[0], &number).await;
    let mut false_ones = Vec::new();
    for address in KINDS {
        false_ones.push((address, check(address, "AAAA-AAAA").await));
        if address != KINDS[0] {
            // The number of a message to somebody else.
            false_ones.push((address, check(address, &number).await));
        }
    }
    assert_alike("a number of no message to this address", &false_ones);
    assert_ne!(
        genuine.body, false_ones[0].1.body,
        "and a genuine one is told from them"
    );
}

async fn records(site: &TestSite) -> usize {
    site.texts("SELECT 'one' FROM sign_in").await.len()
}

/// What is written tells by its time. A name that nobody has can have no record of sign-ins; what it has in its place is written
/// by everybody, in the same transaction.
async fn b01_a_refusal_writes_as_much_whoever_it_is(engine: Engine) {
    let site = site_of_all_kinds(engine).await;
    let marks = async || {
        let marks = "SELECT CAST(full_at AS TEXT) FROM budget WHERE scope = 'refused' ORDER BY full_at";
        site.texts(marks).await
    };
    for address in KINDS {
        let (recorded, before) = (records(&site).await, marks().await);
        site.browser().sign_in(address, WRONG).await;
        let after = marks().await;
        assert_eq!(after.len(), before.len() + 1, "{address}");
        let recorded = records(&site).await - recorded;
        let is_account = !address.starts_with("erase") && !address.starts_with("noone");
        assert_eq!(recorded, usize::from(is_account), "{address}");
        // Again, and the mark moves: something is written each time.
        site.pass(1);
        site.browser().sign_in(address, WRONG).await;
        assert_eq!(marks().await.len(), after.len(), "{address}");
        assert_ne!(marks().await, after, "{address}");
    }
}
