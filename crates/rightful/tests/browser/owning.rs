//! The account in its owner's hands.

use rightful_testkit::browser::Browser;
use rightful_testkit::served::code_in;

use crate::look::look;
use crate::people::{ANNA, ANOTHER, FIREFOX, PASSWORD, sign_in, sign_out, sign_up, site, try_to_sign_in};

const NEW_ADDRESS: &str = "anna@example.net";

#[test]
fn a_password_is_changed_with_the_one_before() {
    let (site, browser, other) = (site(), Browser::start(), Browser::start_as(FIREFOX));
    sign_up(&site, &browser, ANNA, PASSWORD);
    sign_in(&site, &other, ANNA, PASSWORD);
    browser.press("Password");
    browser.fill("Password you have now", "not my password at all");
    browser.fill("New password", ANOTHER);
    browser.press("Change my password");
    assert!(
        browser.text().contains("That is not your password."),
        "{}",
        browser.text()
    );
    browser.fill("Password you have now", PASSWORD);
    browser.fill("New password", ANOTHER);
    browser.press("Change my password");
    assert!(
        browser
            .text()
            .contains("Your password is changed, and every other browser is signed out.")
    );
    other.open(&site.url("/account"));
    assert_eq!(other.path(), "/sign-in");
    site.mail(ANNA, "Your Example password was changed");
}

#[test]
fn an_address_is_changed_with_a_code_to_the_new_one_and_both_are_told() {
    let (site, browser) = (site(), Browser::start());
    sign_up(&site, &browser, ANNA, PASSWORD);
    browser.press("E-mail address");
    look(&browser, "account-address");
    browser.fill("New e-mail address", NEW_ADDRESS);
    browser.press("Send me a code");
    let letter = site.mail(NEW_ADDRESS, "Your code to confirm this address");
    browser.fill("Code from our message", code_in(&letter));
    browser.press("Go on");
    assert!(
        browser.text().contains("We wrote to the old one and the new one."),
        "{}",
        browser.text()
    );
    assert!(browser.text().contains(NEW_ADDRESS));
    site.mail(ANNA, "The e-mail address of your Example account was changed");
    site.mail(NEW_ADDRESS, "Your Example account has this e-mail address now");
    sign_out(&browser);
    sign_in(&site, &browser, NEW_ADDRESS, PASSWORD);
}

#[test]
fn a_session_that_is_not_mine_is_ended() {
    let (site, browser, thief) = (site(), Browser::start(), Browser::start_as(FIREFOX));
    sign_up(&site, &browser, ANNA, PASSWORD);
    sign_in(&site, &thief, ANNA, PASSWORD);
    site.mail(ANNA, "opened in a new browser");
    browser.open(&site.url("/account"));
    browser.press("Where you are signed in");
    look(&browser, "account-sessions");
    browser.press("Sign out Firefox on Windows");
    assert!(
        browser.text().contains("That browser is signed out."),
        "{}",
        browser.text()
    );
    assert!(!browser.text().contains("Firefox"), "{}", browser.text());
    assert!(browser.offers("Change my password"), "{}", browser.text());
    thief.open(&site.url("/account"));
    assert_eq!(thief.path(), "/sign-in");
    browser.open(&site.url("/account"));
    assert_eq!(browser.path(), "/account");
}

#[test]
fn every_other_session_is_ended_at_once() {
    let (site, browser, other) = (site(), Browser::start(), Browser::start_as(FIREFOX));
    sign_up(&site, &browser, ANNA, PASSWORD);
    sign_in(&site, &other, ANNA, PASSWORD);
    browser.open(&site.url("/account/sessions"));
    browser.press("Sign out everywhere else");
    assert!(
        browser.text().contains("Every other browser is signed out."),
        "{}",
        browser.text()
    );
    other.open(&site.url("/account"));
    assert_eq!(other.path(), "/sign-in");
}

#[test]
fn messages_are_listed_without_what_they_said() {
    let (site, browser) = (site(), Browser::start());
    sign_up(&site, &browser, ANNA, PASSWORD);
    browser.press("Password");
    browser.fill("Password you have now", PASSWORD);
    browser.fill("New password", ANOTHER);
    browser.press("Change my password");
    site.mail(ANNA, "Your Example password was changed");
    browser.press("Messages we sent you");
    let text = browser.text();
    assert!(
        text.contains("Your password was changed") && text.contains("a•••@e•••.org"),
        "{text}"
    );
    look(&browser, "account-messages");
}

#[test]
fn a_deletion_waits_and_can_be_stopped() {
    let (site, browser) = (site(), Browser::start());
    sign_up(&site, &browser, ANNA, PASSWORD);
    browser.press("Delete my account");
    browser.press("Delete my account in 14 days");
    assert_eq!(browser.heading(), "Your account will be deleted");
    site.mail(ANNA, "Your Example account will be deleted");
    look(&browser, "account-delete-planned");
    // It stays planned until it is stopped, whatever else happens.
    sign_out(&browser);
    try_to_sign_in(&site, &browser, ANNA, PASSWORD);
    browser.press("Look at the deletion");
    browser.press("Keep my account");
    assert!(browser.text().contains("Your account stays."), "{}", browser.text());
    site.mail(ANNA, "Your Example account stays");
}
