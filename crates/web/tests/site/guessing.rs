//! Guessing passwords, and wearing the site out with it.

use http::StatusCode;
use rightful_app::app::Policy;
use rightful_testkit::app::TestApp;
use rightful_testkit::given::sessions_in_epoch;
use rightful_web::pages::paths;

use crate::support::{
    Browser, Engine, KNOWN_BROWSER, NEW_PASSWORD, PASSWORD, TestSite, WRONG, at_once, of_kind, on_both_engines,
};

on_both_engines!(
    c01_lockout_counter_race,
    c01_a_right_password_resets_nothing,
    c04_a_range_of_addresses_has_one_budget,
    c07_big_password_flood,
    d11_message_bombing,
    d11_the_site_sends_so_many_codes_in_an_hour_and_no_more,
);

async fn c01_lockout_counter_race(engine: Engine) {
    let site = TestSite::new(engine).await;
    let (mut owner, other) = (site.owner_in().await, site.another().await);
    let thieves = (0..500).map(|number| {
        let browser = site.browser();
        if number % 2 == 0 { browser } else { browser.at(&other) }
    });
    let address = owner.address.clone();
    let answers = at_once(thieves.collect(), paths::SIGN_IN, |number| {
        vec![
            ("identifier", address.clone()),
            ("password", format!("guess number {number}, wrong")),
        ]
    })
    .await;
    let count = |status| answers.iter().filter(|(_, answer)| answer.status == status).count();
    assert_eq!(
        (count(StatusCode::FORBIDDEN), count(StatusCode::TOO_MANY_REQUESTS)),
        (10, 490)
    );
    let records = site.sign_ins(owner.account).await;
    let failures = records.iter().filter(|(why, _)| why == "wrong-password").count();
    assert_eq!(failures, 10, "as many as were made");
    assert_eq!(of_kind(&site.mails().await, "too-many-guesses").len(), 1);

    // Nobody is locked out: the browser that the owner uses, and the way back.
    let elsewhere = site.browser().sign_in(&owner.address, PASSWORD).await;
    assert_eq!(elsewhere.status, StatusCode::TOO_MANY_REQUESTS);
    owner.browser.post(paths::SIGN_OUT, &[]).await;
    owner.sign_in().await;
    let mut returning = site.return_of(&owner).await;
    let done = returning
        .post(paths::NEW_PASSWORD_CHOOSE, &[("password", NEW_PASSWORD)])
        .await;
    assert_eq!(done.location(), Some(paths::NEW_PASSWORD_DONE));
    assert!(sessions_in_epoch(&site, owner.account).await.is_empty());
    let still = site.browser().sign_in(&owner.address, NEW_PASSWORD).await;
    assert_eq!(
        still.status,
        StatusCode::TOO_MANY_REQUESTS,
        "not even a new password resets it"
    );
    site.pass(6 * 60);
    let after = site.browser().sign_in(&owner.address, NEW_PASSWORD).await;
    assert_eq!(after.location(), Some(paths::ACCOUNT));
}

async fn c01_a_right_password_resets_nothing(engine: Engine) {
    let site = TestSite::new(engine).await;
    let owner = site.owner().await;
    let mut wrong = 0;
    for _ in 0..6 {
        for _ in 0..2 {
            let answer = site.browser().sign_in(&owner.address, WRONG).await;
            wrong += usize::from(answer.status == StatusCode::FORBIDDEN);
        }
        // Spent like every other attempt, and given back.
        site.browser().sign_in(&owner.address, PASSWORD).await;
    }
    assert_eq!(wrong, 10, "of 12");
}

async fn c04_a_range_of_addresses_has_one_budget(engine: Engine) {
    let site = TestSite::new(engine).await;
    // Names that nobody has, each once: the budget of no name is used up.
    let attempt = async |address: String, number: usize, headers: &[(&str, &str)]| {
        let mut browser = Browser {
            address: address.parse().unwrap(),
            ..site.browser()
        };
        let name = format!("nobody{number}.{}", address.replace([':', '.'], "x"));
        let fields = [("identifier", name.as_str())];
        browser.post_with(paths::NEW_PASSWORD, headers, &fields).await.status
    };
    let through = StatusCode::SEE_OTHER;
    for number in 0..60 {
        // A /64 that is walked through, and a /24 whose addresses come in both spellings.
        assert_eq!(attempt(format!("2001:db8:1:2::{number:x}"), number, &[]).await, through);
        let mapped = if number % 2 == 0 { "::ffff:" } else { "" };
        assert_eq!(
            attempt(format!("{mapped}203.0.113.{number}"), number, &[]).await,
            through
        );
    }
    let elsewhere = [
        ("x-forwarded-for", "198.51.100.1"),
        ("x-forwarded-for", "a"),
        ("forwarded", "for=198.51.100.2"),
        ("x-real-ip", "198.51.100.3"),
        ("client-ip", "198.51.100.4"),
    ];
    for headers in [&[][..], &elsewhere] {
        for address in ["2001:db8:1:2:ffff::1", "203.0.113.200", "::ffff:203.0.113.201"] {
            assert_eq!(
                attempt(address.to_owned(), 99, headers).await,
                StatusCode::TOO_MANY_REQUESTS
            );
        }
    }
    for address in ["2001:db8:1:3::1", "203.0.112.1"] {
        assert_eq!(attempt(address.to_owned(), 0, &[]).await, through, "a neighbour");
    }
    // One more a second.
    site.pass(1);
    assert_eq!(attempt("203.0.113.9".to_owned(), 100, &[]).await, through);
    assert_eq!(
        attempt("203.0.113.9".to_owned(), 101, &[]).await,
        StatusCode::TOO_MANY_REQUESTS
    );
}

async fn c07_big_password_flood(engine: Engine) {
    let site = TestSite::new(engine).await;
    // PBKDF2 of Django, where a long password costs more; and our own kind.
    let salted = "pbkdf2_sha256$1000$salt$n7tiFm8A/g8DgwNQ2vraZbe/Oz/1gHQcHjn10hqB/Q4=";
    site.import(&format!("account,email,password\nlegacy,legacy@example.org,{salted}\n"))
        .await;
    let mut owner = site.owner_in().await;
    let small = site
        .browser()
        .sign_in(&owner.address, WRONG)
        .await
        .shape(&owner.address);
    for length in [513, 1 << 20] {
        let big = "p".repeat(length);
        for name in [&owner.address, "legacy@example.org", "nobody@example.org"] {
            for _ in 0..12 {
                let answer = site.browser().sign_in(name, &big).await;
                assert_eq!(answer.shape(name), small, "as any wrong password");
            }
        }
        // Where somebody is signed in: at a fresh proof, and beside a new password.
        let fields = [("password", big.as_str()), ("for", "password")];
        let answer = owner.browser.clone().post(paths::STEP_UP, &fields).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        let fields = [("current", big.as_str()), ("password", NEW_PASSWORD)];
        let answer = owner.browser.post(paths::ACCOUNT_PASSWORD, &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        // Where a new one is chosen.
        let fields = [("current", PASSWORD), ("password", big.as_str())];
        let answer = owner.browser.post(paths::ACCOUNT_PASSWORD, &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let records = site.sign_ins(owner.account).await;
    assert_eq!(
        records.iter().filter(|(why, _)| !why.is_empty()).count(),
        1,
        "none of them was computed"
    );
    assert_eq!(site.sign_ins(site.account_of("legacy@example.org").await).await, []);
    let answer = site.browser().sign_in(&owner.address, PASSWORD).await;
    assert_eq!(
        answer.location(),
        Some(paths::ACCOUNT),
        "and no budget of the owner's was spent"
    );
}

async fn d11_message_bombing(engine: Engine) {
    let site = TestSite::new(engine).await;
    let owner = site.owner_in().await;
    let bomb = async |count: usize| {
        let address = owner.address.clone();
        let bombers = (0..count).map(|_| site.browser()).collect();
        let [returns, sign_ups] = [(paths::NEW_PASSWORD, "identifier"), (paths::SIGN_UP, "address")];
        for (form, field) in [returns, sign_ups] {
            let bombers: &Vec<Browser> = &bombers;
            for (_, answer) in at_once(bombers.clone(), form, |_| vec![(field, address.clone())]).await {
                let neutral = [StatusCode::SEE_OTHER, StatusCode::TOO_MANY_REQUESTS];
                assert!(neutral.contains(&answer.status), "{}", answer.status);
            }
        }
        site.mails().await.len()
    };
    assert!(bomb(100).await <= 3, "at once");
    let mut sent = 3;
    for _ in 0..24 * 2 {
        site.pass(30 * 60);
        sent += bomb(4).await;
    }
    assert!((10..=20).contains(&sent), "{sent} in a day");
    let mut at_home = site.browser();
    at_home.plant(KNOWN_BROWSER, owner.browser.cookie(KNOWN_BROWSER).unwrap());
    let answer = at_home
        .post(paths::NEW_PASSWORD, &[("identifier", &owner.address)])
        .await;
    assert_eq!(
        answer.location(),
        Some(paths::NEW_PASSWORD_CODE),
        "the owner's browser has its own"
    );
    let answer = site.browser().sign_in(&owner.address, PASSWORD).await;
    assert_eq!(answer.location(), Some(paths::ACCOUNT), "nothing is locked");
}

/// Many addresses, each of which is within its own budget: known ones, unknown ones, new ones, all alike.
async fn d11_the_site_sends_so_many_codes_in_an_hour_and_no_more(engine: Engine) {
    let policy = Policy {
        site_name: "Example".to_owned(),
        sign_up: true,
        attempts_per_range: 60,
        codes_per_hour: 20,
    };
    let site = TestSite::with_app(TestApp::with_policy(engine, policy).await);
    let mut owner = site.owner_in().await;
    let mut known = Vec::new();
    for _ in 0..10 {
        known.push(site.owner().await.address);
    }
    let bomb = async |round: usize| {
        let nobody = (0..10).map(|number| {
            (
                paths::NEW_PASSWORD,
                "identifier",
                format!("nobody{round}x{number}@example.org"),
            )
        });
        let new = (0..10).map(|number| (paths::SIGN_UP, "address", format!("new{round}x{number}@example.org")));
        let known = known
            .iter()
            .map(|address| (paths::NEW_PASSWORD, "identifier", address.clone()));
        let mut taken = 0;
        for (form, field, address) in known.zip(nobody).zip(new).flat_map(|((a, b), c)| [a, b, c]) {
            let answer = site.browser().post(form, &[(field, &address)]).await;
            match answer.status {
                StatusCode::SEE_OTHER => taken += 1,
                StatusCode::TOO_MANY_REQUESTS => {}
                status => panic!("{status}"),
            }
        }
        (taken, site.mails().await.len())
    };
    let (mut taken, mut sent) = bomb(0).await;
    assert_eq!(taken, 10, "half of an hour's at once");
    for round in 1..12 {
        site.pass(5 * 60);
        let more = bomb(round).await;
        (taken, sent) = (taken + more.0, sent + more.1);
    }
    assert!((18..=20).contains(&taken), "{taken} in the hour");
    assert!((1..=taken).contains(&sent), "{sent} letters, for some are nobody's");

    // Whoever waits is told so, the owner at home is not kept waiting, and nothing else is held back.
    let answer = site
        .browser()
        .post(paths::NEW_PASSWORD, &[("identifier", &owner.address)])
        .await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    let mut at_home = site.browser();
    at_home.plant(KNOWN_BROWSER, owner.browser.cookie(KNOWN_BROWSER).unwrap());
    let answer = at_home
        .post(paths::NEW_PASSWORD, &[("identifier", &owner.address)])
        .await;
    assert_eq!(answer.location(), Some(paths::NEW_PASSWORD_CODE));
    let fields = [("current", PASSWORD), ("password", NEW_PASSWORD)];
    owner.browser.sign_in(&owner.address, PASSWORD).await;
    let answer = owner.browser.post(paths::ACCOUNT_PASSWORD, &fields).await;
    assert_eq!(answer.location(), Some(paths::ACCOUNT), "{}", answer.body);
    let told = site.mails().await;
    assert_eq!(of_kind(&told, "password-changed").len(), 1, "{told:?}");
}
