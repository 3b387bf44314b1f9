//! Set-up, sign-up and sign-in.

use rightful_testkit::browser::{Browser, Key};
use rightful_testkit::served::code_in;

use crate::look::look;
use crate::people::{ANNA, ANOTHER, FIREFOX, PASSWORD, add_app, sign_in, sign_out, sign_up, site, try_to_sign_in};

const DENIED: &str = "That did not work. Check what you typed, or get a new password.";

#[test]
fn the_first_administrator_types_the_printed_code_and_must_add_an_app() {
    let (site, browser) = (site(), Browser::start());
    browser.open(&site.url("/setup"));
    browser.fill("Set-up code", "AAAA-AAAA-AAAA");
    browser.press("Go on");
    assert!(browser.text().contains("That is not the code"), "{}", browser.text());
    look(&browser, "setup-wrong-code");
    browser.fill("Set-up code", &site.set_up_code());
    browser.press("Go on");
    browser.fill("Your e-mail address", ANNA);
    browser.fill("Password", PASSWORD);
    browser.press("Make this account");
    assert_eq!(browser.path(), "/setup/app");
    // Nothing else opens before.
    browser.open(&site.url("/account"));
    assert_eq!(browser.path(), "/setup/app");
    look(&browser, "setup-app");
    add_app(&browser);
    browser.open(&site.url("/account"));
    assert!(browser.text().contains("All is well"), "{}", browser.text());
    look(&browser, "account-all-is-well");
    browser.open(&site.url("/setup"));
    assert_eq!(browser.heading(), "There is nothing here");
}

#[test]
fn an_account_is_made_with_a_code_by_mail() {
    let (site, browser) = (site(), Browser::start());
    browser.open(&site.url("/sign-up"));
    browser.fill("Your e-mail address", "anna at example");
    browser.press("Send me a code");
    assert!(browser.text().contains("This does not look like an e-mail address."));
    assert_eq!(browser.value("Your e-mail address"), "anna at example");
    browser.fill("Your e-mail address", ANNA);
    browser.press("Send me a code");
    let first = site.mail(ANNA, "Your code to sign up");
    browser.fill("Code from our message", "ZZZZ-ZZZZ");
    browser.press("Go on");
    assert!(browser.text().contains("That code is not right."), "{}", browser.text());
    look(&browser, "sign-up-wrong-code");
    browser.press("Send another code");
    assert!(browser.text().contains("We sent another code."), "{}", browser.text());
    let second = site.mail(ANNA, "Your code to sign up");
    browser.fill("Code from our message", code_in(&first));
    browser.press("Go on");
    assert!(
        browser.text().contains("only the newest one works"),
        "{}",
        browser.text()
    );
    browser.fill("Code from our message", code_in(&second));
    browser.press("Go on");
    browser.fill("New password", "short");
    browser.press("Make my account");
    assert!(browser.text().contains("This is too short."), "{}", browser.text());
    look(&browser, "sign-up-short-password");
    browser.fill("New password", PASSWORD);
    browser.press("Make my account");
    assert!(browser.text().contains("Your account is ready."), "{}", browser.text());
    look(&browser, "account-made");
}

#[test]
fn name_and_password_let_in_and_wrong_ones_do_not() {
    let (site, browser) = (site(), Browser::start());
    sign_up(&site, &browser, ANNA, PASSWORD);
    sign_out(&browser);
    try_to_sign_in(&site, &browser, ANNA, "not my password at all");
    assert!(browser.text().contains(DENIED), "{}", browser.text());
    assert_eq!(
        (browser.value("E-mail address or user name"), browser.value("Password")),
        (ANNA.to_owned(), String::new())
    );
    look(&browser, "sign-in-denied");
    let known = browser.text();
    try_to_sign_in(&site, &browser, "nobody@example.org", "not my password at all");
    assert_eq!(browser.text(), known);
    sign_in(&site, &browser, ANNA, PASSWORD);
}

#[test]
fn an_app_is_asked_for_its_code_and_a_wrong_one_lets_nobody_in() {
    let (site, browser) = (site(), Browser::start());
    sign_up(&site, &browser, ANNA, PASSWORD);
    browser.press("Add an app");
    let app = add_app(&browser);
    site.mail(ANNA, "An authenticator app was added");
    sign_out(&browser);
    try_to_sign_in(&site, &browser, ANNA, PASSWORD);
    assert_eq!(browser.heading(), "Enter the code from your app");
    look(&browser, "sign-in-code");
    browser.fill("Code from your app", &app.wrong_code());
    browser.press("Sign in");
    assert!(browser.text().contains("That code is not right."), "{}", browser.text());
    look(&browser, "sign-in-code-wrong");
    browser.open(&site.url("/account"));
    assert_eq!(browser.path(), "/sign-in", "the password alone opened a session");
    try_to_sign_in(&site, &browser, ANNA, PASSWORD);
    browser.fill("Code from your app", &app.next_code());
    browser.press("Sign in");
    assert_eq!(browser.path(), "/account", "{}", browser.text());
    browser.press("Sign-ins");
    assert!(
        browser.text().contains("right password, wrong code"),
        "{}",
        browser.text()
    );
    assert!(
        browser.text().contains("Signed in with password and app code"),
        "{}",
        browser.text()
    );
    look(&browser, "account-activity");
}

#[test]
fn a_recovery_code_stands_in_for_the_app_once() {
    let (site, browser) = (site(), Browser::start());
    sign_up(&site, &browser, ANNA, PASSWORD);
    browser.press("Add an app");
    let app = add_app(&browser);
    for (try_no, text) in ["used", "not right"].into_iter().enumerate() {
        let other = Browser::start_as(FIREFOX);
        try_to_sign_in(&site, &other, ANNA, PASSWORD);
        other.press("I cannot use the app");
        other.fill("Recovery code", &app.recovery_codes[3]);
        other.press("Sign in");
        if try_no == 0 {
            assert_eq!(other.path(), "/account", "{}", other.text());
            assert!(site.mail(ANNA, "A recovery code").text.contains(text));
        } else {
            assert!(other.text().contains(text), "{}", other.text());
        }
    }
    browser.open(&site.url("/account/recovery-codes"));
    assert!(
        browser.text().contains("You have 9 recovery codes left."),
        "{}",
        browser.text()
    );
    look(&browser, "account-recovery-codes");
}

#[test]
fn a_sign_in_needs_nothing_but_the_keyboard() {
    let (site, browser) = (site(), Browser::start());
    sign_up(&site, &browser, ANNA, PASSWORD);
    sign_out(&browser);
    browser.open(&site.url("/sign-in"));
    assert_eq!(browser.focused(), "E-mail address or user name");
    browser.type_keys(ANNA);
    browser.key(Key::Tab);
    assert_eq!(browser.focused(), "Password");
    browser.type_keys(ANOTHER);
    browser.key_to_page(Key::Enter);
    // What is wrong takes the focus, so that it is heard; the fields come next.
    assert!(browser.focused().contains("That did not work") || browser.text_at(":focus").contains("That did not work"));
    while browser.focused() != "Password" {
        browser.key(Key::Tab);
    }
    browser.type_keys(PASSWORD);
    browser.key_to_page(Key::Enter);
    assert_eq!(browser.path(), "/account", "{}", browser.text());
    browser.key(Key::Tab);
    assert_eq!(browser.focused(), "Skip to the content");
}
