//! The way back: a password that was forgotten, one that was turned off, one that must be changed.

use rightful_app::accounts::find_account;
use rightful_app::holds::{HoldAction, HoldOrder, HoldSource, place_hold};
use rightful_core::{Kind, Timestamp};
use rightful_testkit::browser::Browser;
use rightful_testkit::process::until;
use rightful_testkit::served::{Served, code_in};

use crate::look::look;
use crate::people::{ANNA, ANOTHER, FIREFOX, PASSWORD, add_app, sign_in, sign_out, sign_up, site, try_to_sign_in};

/// From the sign-in page to the page that asks for a new password.
fn prove_the_mailbox(site: &Served, browser: &Browser) {
    browser.open(&site.url("/sign-in"));
    browser.press("I need a new password");
    browser.fill("E-mail address or user name", ANNA);
    browser.press("Send me a code");
    type_mailed_code(site, browser);
}

fn type_mailed_code(site: &Served, browser: &Browser) {
    let letter = site.mail(ANNA, "Your code for a new Example password");
    browser.fill("Code from our message", code_in(&letter));
    browser.press("Go on");
}

fn choose(browser: &Browser, password: &str) {
    browser.fill("New password", password);
    browser.press("Use this password");
}

/// What a containment does to one account after a leak of another site.
fn contain(site: &Served, action: HoldAction) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let now = now();
        let open = site.site(now).await;
        let account = find_account(&open, ANNA, None)
            .await
            .expect("the database answers")
            .expect("the account is there");
        let order = HoldOrder {
            account,
            action,
            source: HoldSource::Containment,
            kind: Some(Kind::Dump),
            reason: "her password was in a leak".to_owned(),
        };
        place_hold(&open, &order, now).await.expect("the hold is placed");
        open.store.close().await;
    });
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a clock that is set");
    Timestamp::from_micros(i64::try_from(since.as_micros()).expect("a time within reach"))
}

#[test]
fn a_forgotten_password_is_replaced_by_one_that_is_unlike_it() {
    let (site, browser) = (site(), Browser::start());
    sign_up(&site, &browser, ANNA, PASSWORD);
    sign_out(&browser);
    prove_the_mailbox(&site, &browser);
    assert_eq!(browser.heading(), "Choose a new password");
    choose(&browser, PASSWORD);
    assert!(
        browser.text().contains("This is the password that you have now."),
        "{}",
        browser.text()
    );
    choose(&browser, &format!("{PASSWORD}1"));
    assert!(
        browser
            .text()
            .contains("This is too close to the password that you have now"),
        "{}",
        browser.text()
    );
    look(&browser, "new-password-too-close");
    choose(&browser, ANOTHER);
    assert_eq!(browser.heading(), "Your new password works");
    assert!(
        browser
            .text()
            .contains("Your e-mail. Whoever reads it can get into most other things.")
    );
    look(&browser, "new-password-done");
    browser.open(&site.url("/account"));
    assert_eq!(browser.path(), "/sign-in", "a return opens no session");
    sign_in(&site, &browser, ANNA, ANOTHER);
    site.mail(ANNA, "Your Example password was changed");
}

/// Looks at the account until the hold is seen that another process placed: within a second.
fn until_signed_out(site: &Served, browser: &Browser) {
    until("a hold ends sessions", || {
        browser.open(&site.url("/account"));
        (browser.path() == "/sign-in").then_some(())
    });
}

#[test]
fn a_password_that_was_turned_off_is_told_of_where_the_owner_is_known_and_replaced() {
    let (site, browser) = (site(), Browser::start());
    sign_up(&site, &browser, ANNA, PASSWORD);
    contain(&site, HoldAction::Hold);
    until_signed_out(&site, &browser);
    assert!(browser.text().contains("You were signed out."), "{}", browser.text());
    try_to_sign_in(&site, &browser, ANNA, PASSWORD);
    assert_eq!(browser.heading(), "We turned off your password");
    look(&browser, "password-turned-off");
    // To a browser that nobody knows, wrong and turned off look the same.
    let stranger = Browser::start_as(FIREFOX);
    try_to_sign_in(&site, &stranger, ANNA, PASSWORD);
    let turned_off = stranger.text();
    try_to_sign_in(&site, &stranger, ANNA, "not my password at all");
    assert_eq!(stranger.text(), turned_off);
    assert!(turned_off.contains("That did not work."), "{turned_off}");

    // Nobody has to say again who he is.
    browser.press("Send me a code");
    assert!(browser.text().contains(ANNA), "{}", browser.text());
    look(&browser, "new-password-code");
    type_mailed_code(&site, &browser);
    choose(&browser, ANOTHER);
    sign_in(&site, &browser, ANNA, ANOTHER);
}

#[test]
fn a_mailbox_alone_does_not_replace_an_app() {
    let (site, browser) = (site(), Browser::start());
    sign_up(&site, &browser, ANNA, PASSWORD);
    browser.press("Add an app");
    let app = add_app(&browser);
    contain(&site, HoldAction::Hold);
    prove_the_mailbox(&site, &browser);
    assert_eq!(browser.heading(), "Enter the code from your app");
    browser.open(&site.url("/new-password/choose"));
    assert_eq!(browser.heading(), "Enter the code from your app");
    look(&browser, "new-password-factor");
    browser.fill("Code from your app", &app.next_code());
    browser.press("Go on");
    choose(&browser, ANOTHER);
    assert_eq!(browser.heading(), "Your new password works");
    try_to_sign_in(&site, &browser, ANNA, ANOTHER);
    browser.press("I cannot use the app");
    browser.fill("Recovery code", &app.recovery_codes[0]);
    browser.press("Sign in");
    assert_eq!(browser.path(), "/account", "{}", browser.text());
}

#[test]
fn a_required_change_comes_before_the_session() {
    let (site, browser) = (site(), Browser::start());
    sign_up(&site, &browser, ANNA, PASSWORD);
    contain(&site, HoldAction::Change);
    try_to_sign_in(&site, &browser, ANNA, PASSWORD);
    assert_eq!(browser.heading(), "Your password needs changing");
    look(&browser, "change-required");
    browser.press("Send me a code");
    type_mailed_code(&site, &browser);
    choose(&browser, ANOTHER);
    sign_in(&site, &browser, ANNA, ANOTHER);
}

#[test]
fn what_an_administrator_turned_off_only_he_turns_on_again() {
    let (site, browser) = (site(), Browser::start());
    sign_up(&site, &browser, ANNA, PASSWORD);
    let held = site.command(&["accounts", "hold", ANNA, "--reason", "asked for by telephone"]);
    assert_eq!(held.status, Some(0), "{}", held.stderr);
    assert!(
        site.command(&["accounts", "show", ANNA])
            .stdout
            .contains("its password is turned off since")
    );
    assert!(
        site.command(&["accounts", "history", ANNA])
            .stdout
            .contains("asked for by telephone")
    );
    until_signed_out(&site, &browser);
    try_to_sign_in(&site, &browser, ANNA, PASSWORD);
    assert_eq!(browser.heading(), "We turned off your password");
    assert!(!browser.text().contains("stolen"), "{}", browser.text());
    look(&browser, "password-turned-off-by-hand");
    let lifted = site.command(&["--json", "accounts", "lift", ANNA]);
    assert_eq!(lifted.stdout.trim(), r#"{"left":[],"lifted":[1]}"#, "{}", lifted.stderr);
    sign_in(&site, &browser, ANNA, PASSWORD);
    assert_eq!(site.command(&["audit", "verify"]).status, Some(0));
}

#[test]
fn a_change_that_an_administrator_asked_for_is_asked_for_once() {
    let (site, browser) = (site(), Browser::start());
    sign_up(&site, &browser, ANNA, PASSWORD);
    assert_eq!(site.command(&["accounts", "hold", "--change", ANNA]).status, Some(0));
    try_to_sign_in(&site, &browser, ANNA, PASSWORD);
    assert!(!browser.text().contains("stolen"), "{}", browser.text());
    browser.press("Send me a code");
    type_mailed_code(&site, &browser);
    choose(&browser, ANOTHER);
    sign_in(&site, &browser, ANNA, ANOTHER);
}
