//! Passwords where they are set, and hashes that came with an import where they are used.

use http::StatusCode;
use rightful_testkit::given::cheap_hash;
use rightful_web::pages::paths;

use crate::support::{Answer, Browser, Engine, Owner, PASSWORD, STEP, TestSite, at_once, on_both_engines};

on_both_engines!(
    c10_rules_hold_wherever_a_password_is_set,
    c10_one_password_in_every_normal_form,
    c10_eight_characters_beside_a_second_factor,
    c10_a_short_password_is_never_left_alone,
    c10_the_length_of_an_imported_password_is_learnt_when_it_is_typed,
    a_known_leaked_password_is_said_after_the_second_factor_too,
    a_known_leaked_password_is_said_once_and_blocks_nothing,
    an_imported_hash_is_replaced_once_it_was_used,
    a_set_up_that_makes_nobody_leaves_its_code,
);

/// Passwords that will not do, and those that will.
fn refused(name: &str) -> Vec<String> {
    let local = name.split('@').next().unwrap();
    vec![
        "fourteen chars".to_owned(),
        "x".repeat(513),
        "a long enough\u{0}password".to_owned(),
        "a long enough\r\npassword".to_owned(),
        "a long enough\u{1b}[2Jpassword".to_owned(),
        "123456789987654321".to_owned(),
        "example example example".to_owned(),
        format!("{local}{local}{local}"),
        name.to_owned(),
    ]
}

/// Tries all of them at one form, and then one that is taken.
async fn try_all(what: &str, name: &str, mut post: impl AsyncFnMut(&str) -> Answer) -> Answer {
    for password in refused(name) {
        let answer = post(&password).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{what}: {password:?}");
        assert!(
            password == name || !answer.body.contains(&password),
            "{what} shows it again"
        );
    }
    post(&"\u{1f600}".repeat(64)).await
}

async fn c10_rules_hold_wherever_a_password_is_set(engine: Engine) {
    let site = TestSite::new(engine).await;
    let code = site.new_set_up_code().await.unwrap().unwrap();

    let mut setting_up = site.browser();
    setting_up.post(paths::SETUP, &[("code", &code)]).await;
    let name = "first@example.org";
    let answer = try_all("the set-up", name, async |password| {
        let fields = [("address", name), ("password", password)];
        setting_up.post(paths::SETUP_ACCOUNT, &fields).await
    })
    .await;
    assert_eq!(answer.location(), Some(paths::SETUP_APP));

    let name = "somebody@example.org";
    let mut signing_up = site.browser();
    signing_up.post(paths::SIGN_UP, &[("address", name)]).await;
    let code = site.code_to(name).await;
    signing_up.post(paths::SIGN_UP_CODE, &[("code", &code)]).await;
    let answer = try_all("a sign-up", name, async |password| {
        signing_up
            .post(paths::SIGN_UP_PASSWORD, &[("password", password)])
            .await
    })
    .await;
    assert_eq!(answer.location(), Some(paths::ACCOUNT));

    let owner = site.owner().await;
    let mut returning = site.return_of(&owner).await;
    let answer = try_all("a return", &owner.address, async |password| {
        returning
            .post(paths::NEW_PASSWORD_CHOOSE, &[("password", password)])
            .await
    })
    .await;
    assert_eq!(answer.location(), Some(paths::NEW_PASSWORD_DONE), "{}", answer.body);

    let owner = site.owner_in().await;
    let mut changing = owner.browser.clone();
    let answer = try_all("a change", &owner.address, async |password| {
        let fields = [("current", PASSWORD), ("password", password)];
        changing.post(paths::ACCOUNT_PASSWORD, &fields).await
    })
    .await;
    assert_eq!(answer.location(), Some(paths::ACCOUNT));

    // The old one, and simple variations of it.
    let owner = site.owner().await;
    let mut returning = site.return_of(&owner).await;
    for near in [
        PASSWORD,
        "kestrel above the harbour1",
        "Kestrel above the harbour",
        "kestrel above the harbour!",
    ] {
        let answer = returning.post(paths::NEW_PASSWORD_CHOOSE, &[("password", near)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{near}");
    }
}

async fn c10_one_password_in_every_normal_form(engine: Engine) {
    let site = TestSite::new(engine).await;
    let owner = site.owner().await;
    let mut returning = site.return_of(&owner).await;
    let decomposed = "Mu\u{308}ller geht im Ha\u{308}uschen";
    let answer = returning
        .post(paths::NEW_PASSWORD_CHOOSE, &[("password", decomposed)])
        .await;
    assert_eq!(answer.location(), Some(paths::NEW_PASSWORD_DONE));
    for (typed, right) in [
        ("M\u{fc}ller geht im H\u{e4}uschen", true),
        (decomposed, true),
        ("Muller geht im Hauschen", false),
        ("M\u{fc}ller geht im H\u{e4}usche", false),
    ] {
        let answer = site.browser().sign_in(&owner.address, typed).await;
        assert_eq!(answer.location() == Some(paths::ACCOUNT), right, "{typed}");
    }
}

async fn c10_eight_characters_beside_a_second_factor(engine: Engine) {
    let site = TestSite::new(engine).await;
    let mut owner = site.owner_with_app().await;
    let code = owner.app_code(&site);
    owner
        .browser
        .post(paths::STEP_UP, &[("code", &code), ("for", "password")])
        .await;
    for (password, status) in [
        ("7 chars", StatusCode::UNPROCESSABLE_ENTITY),
        ("password", StatusCode::UNPROCESSABLE_ENTITY),
        ("8 char ~", StatusCode::SEE_OTHER),
    ] {
        let fields = [("current", PASSWORD), ("password", password)];
        let answer = owner.browser.post(paths::ACCOUNT_PASSWORD, &fields).await;
        assert_eq!(answer.status, status, "{password}");
    }
}

/// Removes the app after a fresh proof; the page that comes of it.
async fn remove_app(site: &TestSite, owner: &mut Owner) -> Answer {
    site.pass(STEP);
    let code = owner.app_code(site);
    owner
        .browser
        .post(paths::STEP_UP, &[("code", &code), ("for", "app")])
        .await;
    owner.browser.post(paths::ACCOUNT_APP_REMOVE, &[]).await
}

async fn c10_a_short_password_is_never_left_alone(engine: Engine) {
    let site = TestSite::new(engine).await;
    let mut owner = site.owner_with_app().await;
    let (short, long) = ("8 char ~", "fifteen of them");
    assert_eq!((short.chars().count(), long.chars().count()), (8, 15));
    for password in [short, "fourteen of th", long] {
        site.pass(STEP);
        let code = owner.app_code(&site);
        owner
            .browser
            .post(paths::STEP_UP, &[("code", &code), ("for", "password")])
            .await;
        let fields = [("current", owner.password.as_str()), ("password", password)];
        let answer = owner.browser.post(paths::ACCOUNT_PASSWORD, &fields).await;
        assert_eq!(answer.location(), Some(paths::ACCOUNT), "{}", answer.body);
        owner.password = password.to_owned();
        // To sign in with it makes it no longer than it is.
        site.pass(STEP);
        let mut again = owner.at_factor(site.browser()).await;
        let code = owner.app_code(&site);
        again.post(paths::SIGN_IN_CODE, &[("code", &code)]).await;
        assert!(again.is_in().await);
        let answer = remove_app(&site, &mut owner).await;
        if password == long {
            assert_eq!(answer.location(), Some(paths::ACCOUNT), "{}", answer.body);
        } else {
            assert_eq!(answer.location(), Some(paths::ACCOUNT_APP), "{}", answer.body);
            let page = owner.browser.get(paths::ACCOUNT_APP).await;
            assert!(page.body.contains(paths::ACCOUNT_PASSWORD), "{}", page.body);
            assert!(!page.body.contains(paths::ACCOUNT_APP_REMOVE), "{}", page.body);
        }
    }
    let answer = site.browser().sign_in(&owner.address, long).await;
    assert_eq!(answer.location(), Some(paths::ACCOUNT), "the app is gone");
}

/// Nobody knows how long the password of an import is until it is typed; a short one is then known to be short.
async fn c10_the_length_of_an_imported_password_is_learnt_when_it_is_typed(engine: Engine) {
    let site = TestSite::new(engine).await;
    let mut short = site.owner_with_password("8 char ~").await;
    let mut long = site.owner_with_password(PASSWORD).await;
    for (owner, may) in [(&mut short, false), (&mut long, true)] {
        owner.enrol(&site).await;
        let answer = remove_app(&site, owner).await;
        assert_eq!(answer.location() == Some(paths::ACCOUNT), may, "{}", answer.body);
    }
    // As after an upgrade from before it was noted.
    let mut owner = site.owner_with_app().await;
    site.tamper("UPDATE password SET alone = 0").await;
    let answer = remove_app(&site, &mut owner).await;
    assert_eq!(answer.location(), Some(paths::ACCOUNT_APP), "the safe side");
    site.pass(STEP);
    let code = owner.app_code(&site);
    owner.browser = owner.at_factor(site.browser()).await;
    owner.browser.post(paths::SIGN_IN_CODE, &[("code", &code)]).await;
    let answer = remove_app(&site, &mut owner).await;
    assert_eq!(answer.location(), Some(paths::ACCOUNT), "{}", answer.body);
}

async fn a_known_leaked_password_is_said_after_the_second_factor_too(engine: Engine) {
    let site = TestSite::new(engine).await;
    let mut owner = site.owner_with_password("iloveyou").await;
    owner.enrol(&site).await;
    // It was said when he signed in without an app.
    site.tamper("UPDATE password SET told_at = NULL").await;
    let mut thief = owner.at_factor(site.browser()).await;
    thief.post(paths::SIGN_IN_CODE, &[("code", "000000")]).await;
    for expected in [paths::PASSWORD_KNOWN_LEAKED, paths::ACCOUNT] {
        site.pass(STEP);
        let mut browser = owner.at_factor(site.browser()).await;
        let code = owner.app_code(&site);
        let answer = browser.post(paths::SIGN_IN_CODE, &[("code", &code)]).await;
        assert_eq!(answer.location(), Some(expected), "said once, to whoever got in");
        assert!(browser.is_in().await);
    }
}

async fn a_known_leaked_password_is_said_once_and_blocks_nothing(engine: Engine) {
    let site = TestSite::new(engine).await;
    let hash = cheap_hash("iloveyou");
    let csv = format!("account,email,password\nanna,anna@example.org,\"{hash}\"\n");
    site.import(&csv).await;
    let mut browser = site.browser();
    let answer = browser.sign_in("anna@example.org", "iloveyou").await;
    assert_eq!(answer.location(), Some(paths::PASSWORD_KNOWN_LEAKED));
    assert!(browser.is_in().await);
    let answer = site.browser().sign_in("anna@example.org", "iloveyou").await;
    assert_eq!(answer.location(), Some(paths::ACCOUNT), "said once");
}

/// Hashes of imports: bcrypt, and MD5 that was wrapped. At the first sign-in each becomes one of ours, of the whole password;
/// a race of sign-ins writes it once.
async fn an_imported_hash_is_replaced_once_it_was_used(engine: Engine) {
    let site = TestSite::new(engine).await;
    // Of `PASSWORD`.
    let rows = [
        (
            "bcrypt@example.org",
            "$2b$04$abcdefghijklmnopqrstuuw3FcqpY/Pe/21dn7J.z1mUlfERUFFPG",
        ),
        ("md5@example.org", "{md5}f3315fd8fdff59332d925588c127e001"),
    ];
    let mut csv = "account,email,password\n".to_owned();
    for (address, hash) in &rows {
        csv.push_str(&format!("{address},{address},\"{hash}\"\n"));
    }
    site.import(&csv).await;
    site.wrap().await;
    for (address, _) in &rows {
        let account = site.account_of(address).await;
        let (before, version) = site.password_kind(account).await;
        assert_ne!(before, "argon2id", "{address}");
        assert_eq!(
            site.browser().sign_in(address, "kestrel above").await.status,
            StatusCode::FORBIDDEN
        );
        let browsers: Vec<Browser> = (0..6).map(|_| site.browser()).collect();
        let answers = at_once(browsers, paths::SIGN_IN, |_| {
            vec![("identifier", (*address).to_owned()), ("password", PASSWORD.to_owned())]
        })
        .await;
        for (_, answer) in answers {
            assert_eq!(answer.location(), Some(paths::ACCOUNT), "{address}: {}", answer.body);
        }
        assert_eq!(
            site.password_kind(account).await,
            ("argon2id".to_owned(), version),
            "{address}"
        );
        let mut after = site.browser();
        assert_eq!(after.sign_in(address, PASSWORD).await.location(), Some(paths::ACCOUNT));
        assert!(after.is_in().await);
    }
}

/// The code was used up before the account was made: where none could be, the site had no administrator and no way to one.
async fn a_set_up_that_makes_nobody_leaves_its_code(engine: Engine) {
    let site = TestSite::new(engine).await;
    let (owner, code) = (site.owner().await, site.new_set_up_code().await.unwrap().unwrap());
    for (address, is_made) in [(owner.address.as_str(), false), ("first@example.org", true)] {
        let mut browser = site.browser();
        browser.post(paths::SETUP, &[("code", &code)]).await;
        let fields = [("address", address), ("password", "seven grey lanterns, one red")];
        let answer = browser.post(paths::SETUP_ACCOUNT, &fields).await;
        assert_eq!(answer.location() == Some(paths::SETUP_APP), is_made, "{address}");
        assert_eq!(site.wants_set_up().await.unwrap(), !is_made, "{address}");
    }
}
