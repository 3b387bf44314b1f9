//! Names that look like somebody else's, and addresses in every spelling that their grammar allows.

use http::StatusCode;
use rightful_web::pages::paths;

use crate::support::{Engine, NEW_PASSWORD, PASSWORD, TestSite, on_both_engines};

on_both_engines!(f01_unicode_case_collision, f04_address_syntax_corpus);

async fn f01_unicode_case_collision(engine: Engine) {
    let site = TestSite::new(engine).await;
    let stored = "mike.kissinger@example.org";
    let hash = rightful_testkit::given::cheap_hash(PASSWORD);
    site.import(&format!("account,email,password\nmike,{stored},\"{hash}\"\n"))
        .await;
    let mike = site.account_of(stored).await;
    for alike in [
        "m\u{131}ke.kissinger@example.org",
        "M\u{130}KE.KISSINGER@example.org",
        "mi\u{212a}e.kissinger@example.org",
        "mike.ki\u{17f}\u{17f}inger@example.org",
        "mike.ki\u{df}inger@example.org",
        "mike.kissinger@e\u{445}ample.org",
        "mike.kissinger@example\u{3002}org",
        "mike.kissinger@\u{ff45}xample.org",
        "\u{ff4d}ike.kissinger@example.org",
        "mike.kissinger\u{200d}@example.org",
        "mike.kissinger@example.o\u{212b}rg",
    ] {
        let answer = site.browser().post(paths::NEW_PASSWORD, &[("identifier", alike)]).await;
        assert_eq!(answer.location(), Some(paths::NEW_PASSWORD_CODE), "neutral: {alike}");
        let mails = site.mails().await;
        assert!(mails.iter().all(|mail| mail.to == stored), "{alike}: {mails:?}");
        site.pass(10 * 60 * 4);
        let mut thief = site.browser();
        let answer = thief.post(paths::SIGN_UP, &[("address", alike)]).await;
        if answer.status == StatusCode::UNPROCESSABLE_ENTITY {
            continue;
        }
        // A distinct address becomes a distinct account; a spelling of the stored one gets nothing but a word to its owner.
        let mails = site.mails().await;
        let Some(code) = mails.iter().find_map(|mail| mail.code.clone()) else {
            assert!(
                mails
                    .iter()
                    .all(|mail| mail.to == stored && mail.kind == "sign-up-known"),
                "{mails:?}"
            );
            continue;
        };
        thief.post(paths::SIGN_UP_CODE, &[("code", &code)]).await;
        let answer = thief.post(paths::SIGN_UP_PASSWORD, &[("password", NEW_PASSWORD)]).await;
        assert_eq!(answer.location(), Some(paths::ACCOUNT), "{alike}");
        assert_eq!(site.account_of(stored).await, mike);
        let page = thief.get(paths::ACCOUNT).await;
        assert!(!page.body.contains(stored), "{alike}");
    }
    let answer = site.browser().sign_in(stored, PASSWORD).await;
    assert_eq!(answer.location(), Some(paths::ACCOUNT), "Mike's own still works");
}

async fn f04_address_syntax_corpus(engine: Engine) {
    let site = TestSite::new(engine).await;
    let long_local = format!("{}@example.org", "l".repeat(65));
    let long_domain = format!("a@{}example.org", "d.".repeat(130));
    let refused = [
        "",
        "anna",
        "@example.org",
        "anna@",
        "anna@localhost",
        "anna@example.org.",
        "anna@.example.org",
        "anna@example..org",
        ".anna@example.org",
        "anna.@example.org",
        "an..na@example.org",
        "\"anna\"@example.org",
        "\"anna smith\"@example.org",
        "anna@[192.0.2.1]",
        "anna@[IPv6:2001:db8::1]",
        "anna@192.0.2.1",
        "=?utf-8?q?anna?=@example.org",
        "anna(comment)@example.org",
        "anna@(comment)example.org",
        "Anna <anna@example.org>",
        "anna@example.org@example.net",
        "anna@exam_ple.org",
        "anna@-example.org",
        "anna@example.org, ben@example.org",
        "anna@example.org\r\nbcc: thief@evil.test",
        "an na@example.org",
        long_local.as_str(),
        long_domain.as_str(),
    ];
    for address in refused {
        let answer = site.browser().post(paths::SIGN_UP, &[("address", address)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{address:?}");
        let mut returning = site.browser();
        let answer = returning.post(paths::NEW_PASSWORD, &[("identifier", address)]).await;
        assert!(!answer.status.is_server_error(), "{address:?}");
    }
    assert_eq!(site.mails().await, []);
    // One canonical form: the domain in lower case, blanks around it left out; tags and dots make another address.
    for (typed, written_to) in [
        ("  anna@EXAMPLE.org ", "anna@example.org"),
        ("anna+tag@example.org", "anna+tag@example.org"),
        ("an.na@example.org", "an.na@example.org"),
        ("anna@b\u{fc}cher.example", "anna@xn--bcher-kva.example"),
    ] {
        let mut browser = site.browser();
        let answer = browser.post(paths::SIGN_UP, &[("address", typed)]).await;
        assert_eq!(answer.location(), Some(paths::SIGN_UP_CODE), "{typed}");
        let mails = site.mails().await;
        assert_eq!(mails.len(), 1, "{typed}");
        assert_eq!(mails[0].to.to_lowercase(), written_to);
    }
}
