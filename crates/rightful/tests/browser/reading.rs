//! What everybody may read: is a message ours, help, other languages.

use rightful_testkit::browser::Browser;
use rightful_testkit::served::number_in;

use crate::look::look;
use crate::people::{ANNA, ANOTHER, PASSWORD, sign_out, sign_up, site};

/// From the sign-in page, where people are when they doubt a message.
fn check(browser: &Browser, address: &str, number: &str) -> String {
    browser.press("Check a message");
    browser.fill("Your e-mail address", address);
    browser.fill("Number in the message", number);
    browser.press("Is it from you?");
    browser.heading()
}

#[test]
fn a_genuine_message_is_told_from_a_fake() {
    let (site, browser) = (site(), Browser::start());
    sign_up(&site, &browser, ANNA, PASSWORD);
    browser.press("Password");
    browser.fill("Password you have now", PASSWORD);
    browser.fill("New password", ANOTHER);
    browser.press("Change my password");
    let letter = site.mail(ANNA, "Your Example password was changed");
    sign_out(&browser);
    let number = number_in(&letter);
    assert_eq!(check(&browser, ANNA, number), "Yes, this is from us");
    assert!(
        browser.text().contains("Your password was changed"),
        "{}",
        browser.text()
    );
    look(&browser, "check-yes");
    // Typed as people type it.
    assert_eq!(
        check(&browser, &ANNA.to_uppercase(), &number.to_lowercase().replace('-', " ")),
        "Yes, this is from us"
    );
    // The same number in a message to somebody else was copied; another number was made up.
    assert_eq!(check(&browser, "ben@example.org", number), "No, this is not from us");
    let copied = browser.text();
    assert_eq!(check(&browser, ANNA, "K7M4-QX2P"), "No, this is not from us");
    assert_eq!(browser.text(), copied);
    look(&browser, "check-no");
}

#[test]
fn pages_speak_the_language_of_the_browser_or_the_chosen_one() {
    let (site, browser) = (site(), Browser::start_in("de"));
    browser.open(&site.url("/sign-in"));
    assert_eq!(
        (browser.attribute("html", "lang").as_deref(), browser.heading().as_str()),
        (Some("de"), "Anmelden")
    );
    browser.press("English");
    assert_eq!(
        (browser.path().as_str(), browser.heading().as_str()),
        ("/sign-in", "Sign in")
    );
    browser.open(&site.url("/help"));
    assert_eq!(browser.heading(), "Help");
    browser.press("Deutsch");
    assert_eq!(browser.attribute("html", "lang").as_deref(), Some("de"));
}

#[test]
fn help_leads_to_what_it_speaks_of() {
    let (site, browser) = (site(), Browser::start());
    for page in ["/help", "/help/safe", "/check", "/new-password", "/nothing-here"] {
        browser.open(&site.url(page));
        assert!(browser.title().ends_with("Example"), "{}", browser.title());
        look(&browser, &format!("page{}", page.replace('/', "-")));
    }
    browser.open(&site.url("/.well-known/change-password"));
    assert_eq!(browser.path(), "/sign-in");
    browser.press("Help");
    assert_eq!(browser.path(), "/help");
}
