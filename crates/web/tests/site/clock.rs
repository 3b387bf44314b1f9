//! Clocks that jump.

use http::StatusCode;
use rightful_web::pages::paths;

use crate::support::{Engine, FLOW, NEW_PASSWORD, PASSWORD, STEP, TestSite, on_both_engines};

on_both_engines!(m08_clock_jumps);

const TWO_YEARS: i64 = 2 * 365 * 24 * 60 * 60;

async fn m08_clock_jumps(engine: Engine) {
    let site = TestSite::new(engine).await;
    let owner = site.owner_with_app().await;
    let begun_at = site.now();
    // Everything that can be used, used.
    let mut signed_out = owner.at_factor(site.browser()).await;
    let used_flow = signed_out.clone();
    let used_code = owner.app_code(&site);
    signed_out.post(paths::SIGN_IN_CODE, &[("code", &used_code)]).await;
    let ended = signed_out.clone();
    signed_out.post(paths::SIGN_OUT, &[]).await;
    let mut recovering = owner.at_factor(site.browser()).await;
    recovering
        .post(paths::SIGN_IN_RECOVERY_CODE, &[("code", &owner.codes[0])])
        .await;
    assert!(recovering.is_in().await);
    let waiting = site.return_of(&owner).await;
    let lives = owner.browser.clone();

    site.pass(TWO_YEARS);
    let revived = async |when: &str| {
        assert!(!ended.clone().is_in().await, "{when}: a session that was ended");
        let answer = used_flow
            .clone()
            .post(paths::SIGN_IN_CODE, &[("code", &used_code)])
            .await;
        assert_eq!(
            answer.location(),
            Some(paths::SIGN_IN),
            "{when}: a conversation that was used"
        );
    };
    let codes_revived = async |when: &str| {
        let mut again = owner.at_factor(site.browser()).await;
        let answer = again.post(paths::SIGN_IN_CODE, &[("code", &used_code)]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{when}: a code of the app");
        let answer = again
            .post(paths::SIGN_IN_RECOVERY_CODE, &[("code", &owner.codes[0])])
            .await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{when}: a recovery code");
    };
    revived("two years on").await;
    codes_revived("two years on").await;
    assert!(!lives.clone().is_in().await, "no session lasts two years");
    let code = owner.app_code(&site);
    let answer = waiting
        .clone()
        .post(paths::NEW_PASSWORD_FACTOR, &[("code", &code)])
        .await;
    assert_eq!(answer.location(), Some(paths::SIGN_IN), "nor does a return");

    site.pass(-10 * 60);
    revived("ten minutes back").await;
    codes_revived("ten minutes back").await;
    // The owner gets in, in either direction of the clock, at most one budget later.
    let mut back = owner.at_factor(site.browser()).await;
    let code = owner.app_code(&site);
    let answer = back.post(paths::SIGN_IN_CODE, &[("code", &code)]).await;
    assert_eq!(answer.location(), Some(paths::ACCOUNT));
    let proved_ahead = back;
    site.pass(-10 * 60);
    let page = proved_ahead.clone().post(paths::ACCOUNT_APP_REMOVE, &[]).await;
    assert_eq!(page.status, StatusCode::OK, "a proof from the future is not fresh");
    assert!(page.body.contains(paths::STEP_UP));

    // The clock was wrong for a while, and is put right.
    site.set_now(begun_at.plus_seconds(STEP));
    revived("back where it was").await;
    let answer = site.browser().sign_in(&owner.address, PASSWORD).await;
    assert_eq!(
        answer.status,
        StatusCode::TOO_MANY_REQUESTS,
        "what was spent ahead of time is spent"
    );
    // One attempt of the slowest budget (50 in 30 days) is what it costs with each thing to prove, not two years.
    site.pass(15 * 60 * 60);
    let mut waits = owner.at_factor(site.browser()).await;
    let code = owner.app_code(&site);
    for (path, code) in [
        (paths::SIGN_IN_CODE, &code),
        (paths::SIGN_IN_RECOVERY_CODE, &owner.codes[1]),
    ] {
        let answer = waits.post(path, &[("code", code)]).await;
        assert_eq!(
            answer.status,
            StatusCode::TOO_MANY_REQUESTS,
            "{path} was spent ahead too"
        );
    }
    site.pass(15 * 60 * 60);
    codes_revived("back where it was").await;
    site.pass(15 * 60 * 60);
    let mut at_home = owner.at_factor(site.browser()).await;
    let answer = at_home
        .post(paths::SIGN_IN_RECOVERY_CODE, &[("code", &owner.codes[1])])
        .await;
    assert_eq!(
        answer.location(),
        Some(paths::ACCOUNT),
        "no budget waits for two years: {}",
        answer.body
    );
    site.pass(15 * 60 * 60);
    let mut returning = site.browser();
    let answer = returning
        .post(paths::NEW_PASSWORD, &[("identifier", &owner.address)])
        .await;
    assert_eq!(answer.location(), Some(paths::NEW_PASSWORD_CODE));
    let code = site.code_to(&owner.address).await;
    returning.post(paths::NEW_PASSWORD_CODE, &[("code", &code)]).await;
    returning
        .post(paths::NEW_PASSWORD_RECOVERY_CODE, &[("code", &owner.codes[2])])
        .await;
    assert!(returning.cookie(FLOW).is_some());
    let answer = returning
        .post(paths::NEW_PASSWORD_CHOOSE, &[("password", NEW_PASSWORD)])
        .await;
    assert_eq!(answer.location(), Some(paths::NEW_PASSWORD_DONE));
    let answer = site.browser().sign_in(&owner.address, PASSWORD).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}
