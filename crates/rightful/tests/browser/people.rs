//! What people do at a site, step by step, as one may have to do it before something else is tried.

use std::path::Path;

use rightful_testkit::browser::Browser;
use rightful_testkit::served::{Served, app_code, code_in};

pub(crate) const ANNA: &str = "anna@example.org";
pub(crate) const PASSWORD: &str = "correct horse 7 battery";
pub(crate) const ANOTHER: &str = "eleven quiet rivers";

/// Says of itself what Firefox on Windows says.
pub(crate) const FIREFOX: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// A new site that runs.
pub(crate) fn site() -> Served {
    Served::start(Path::new(env!("CARGO_BIN_EXE_rightful")))
}

/// Makes an account; its owner is signed in then.
#[track_caller]
pub(crate) fn sign_up(site: &Served, browser: &Browser, address: &str, password: &str) {
    browser.open(&site.url("/sign-in"));
    browser.press("Make an account");
    browser.fill("Your e-mail address", address);
    browser.press("Send me a code");
    assert_eq!(browser.heading(), "Enter the code we sent you");
    let letter = site.mail(address, "Your code to sign up at Example");
    browser.fill("Code from our message", code_in(&letter));
    browser.press("Go on");
    browser.fill("New password", password);
    browser.press("Make my account");
    assert_eq!(
        (browser.heading().as_str(), browser.path().as_str()),
        ("Your account", "/account")
    );
}

/// Types name and password and sends them; what comes then is for the test to see.
#[track_caller]
pub(crate) fn try_to_sign_in(site: &Served, browser: &Browser, address: &str, password: &str) {
    browser.open(&site.url("/sign-in"));
    browser.fill("E-mail address or user name", address);
    browser.fill("Password", password);
    browser.press("Sign in");
}

/// Signs in with a password alone.
#[track_caller]
pub(crate) fn sign_in(site: &Served, browser: &Browser, address: &str, password: &str) {
    try_to_sign_in(site, browser, address, password);
    assert_eq!(browser.path(), "/account", "{}", browser.text());
}

#[track_caller]
pub(crate) fn sign_out(browser: &Browser) {
    browser.press("Sign out");
    assert!(browser.text().contains("You are signed out."), "{}", browser.text());
}

/// An authenticator app and the codes that stand in for it.
pub(crate) struct App {
    pub(crate) secret: String,
    pub(crate) recovery_codes: Vec<String>,
}

impl App {
    /// The code that it shows at its next turn. Each counts once, the clock of the server is the real one, and the one before was
    /// used to add the app: so this is the code that works now without waiting.
    pub(crate) fn next_code(&self) -> String {
        app_code(&self.secret, 1)
    }

    /// Six digits that it does not show in these minutes.
    pub(crate) fn wrong_code(&self) -> String {
        let shown: Vec<String> = (0..4).map(|ahead| app_code(&self.secret, ahead)).collect();
        let wrong = (0..10)
            .map(|digit| digit.to_string().repeat(6))
            .find(|code| !shown.contains(code));
        wrong.expect("four codes leave six of ten")
    }
}

/// Goes through the page that adds an authenticator app.
#[track_caller]
pub(crate) fn add_app(browser: &Browser) -> App {
    assert_eq!(browser.heading(), "Add an authenticator app");
    let secret = browser.text_at(".secret");
    browser.fill("Code from your app", &app_code(&secret, 0));
    browser.press("Turn it on");
    let recovery_codes = browser.texts_at(".codes li");
    assert_eq!(recovery_codes.len(), 10, "{}", browser.text());
    browser.press("I have noted them");
    App { secret, recovery_codes }
}
