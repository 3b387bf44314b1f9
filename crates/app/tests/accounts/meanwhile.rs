//! A session that its owner ends elsewhere while a change is made in it: nothing of the change is kept.

use rightful_app::addresses::AddressOutcome;
use rightful_app::second_factor::{Changed, EnrolOutcome};
use rightful_app::sessions::Owner;
use rightful_app::sign_in::{Attempt, SignInOutcome};
use rightful_core::AccountNo;
use rightful_store::Tx;
use rightful_testkit::app::{TestApp, visitor};
use rightful_testkit::databases::Engine;
use rightful_testkit::given::{app_code, cheap_hash};
use zeroize::Zeroizing;

use crate::on_both_engines;

on_both_engines!(
    e05_a_change_in_a_session_that_was_ended_meanwhile_keeps_nothing,
    e05_an_app_is_removed_or_its_codes_made_anew_by_nobody_who_is_signed_out,
);

const ANNA: &str = "anna@example.org";
const PASSWORD: &str = "kestrel above the harbour";
const NEW_PASSWORD: &str = "seven grey lanterns, one red";

fn secret(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

/// Anna, signed in: the session that changes, and another one of hers.
async fn anna(app: &TestApp) -> (AccountNo, Owner) {
    let hash = cheap_hash(PASSWORD);
    app.import(&format!("account,email,password\nanna,{ANNA},\"{hash}\"\n"))
        .await;
    (app.account_of(ANNA).await, sign_in(app).await)
}

async fn sign_in(app: &TestApp) -> Owner {
    let attempt = Attempt {
        identifier: ANNA.to_owned(),
        password: secret(PASSWORD),
    };
    match app.sign_in(attempt, &visitor()).await.unwrap() {
        SignInOutcome::Open(opened) => app.owner(&opened.session).await.unwrap().unwrap(),
        other => panic!("{other:?}"),
    }
}

/// Adds an app; the session that goes on.
async fn enrol(app: &TestApp, owner: &Owner) -> Owner {
    let Changed::Done(enrolment) = app.begin_app(owner, ANNA).await.unwrap() else {
        panic!("a fresh sign-in may add an app")
    };
    let code = app_code(&enrolment.secret, app.now());
    match app.finish_app(owner, &enrolment.flow, &code, &visitor()).await.unwrap() {
        EnrolOutcome::Enrolled { session, .. } => app.owner(&session).await.unwrap().unwrap(),
        _ => panic!("the code is right"),
    }
}

/// Ends the session by another node, as its owner does who does not know it again.
async fn end(app: &TestApp, owner: &Owner) {
    let node = app.another_node().await;
    assert!(node.end_session(owner, owner.session_id()).await.unwrap());
}

/// Everything that a change would change, with what the audit log says of it.
async fn state(app: &TestApp, account: AccountNo) -> String {
    let read = async move |tx: &mut Tx| {
        Ok((
            tx.living(account).await?,
            tx.passwords(&[account]).await?,
            tx.names(&[account]).await?,
            tx.contacts(account).await?,
            tx.apps(account).await?.len(),
            tx.count_recovery_codes(account).await?,
            tx.notices(account.into(), rightful_core::Timestamp::from_micros(0), 100)
                .await?
                .len(),
        ))
    };
    let rows = app.site.store.read(read).await.unwrap();
    let codes = app.texts("SELECT 'one' FROM recovery_code").await.len();
    format!("{rows:?} {codes} {:?}", app.audited(account).await)
}

async fn e05_a_change_in_a_session_that_was_ended_meanwhile_keeps_nothing(engine: Engine) {
    let app = TestApp::new(engine).await;
    let (account, owner) = anna(&app).await;
    let mut from = visitor();
    from.range = "198.51.100.0/24".to_owned();

    let Changed::Done(enrolment) = app.begin_app(&owner, ANNA).await.unwrap() else {
        panic!("a fresh sign-in may add an app")
    };
    let asked = app.change_address(&owner, "new@example.org", &from).await.unwrap();
    let AddressOutcome::Asked(flow) = asked else {
        panic!("a code to the new address is next")
    };
    let mails = app.mails().await;
    let code = mails.iter().find_map(|mail| mail.code.clone()).unwrap();
    end(&app, &owner).await;
    let before = state(&app, account).await;

    let (current, new) = (secret(PASSWORD), secret(NEW_PASSWORD));
    let changed = app.change_password(&owner, &current, &new, &from).await.unwrap();
    assert!(matches!(changed, Changed::SignedOut), "the password");
    let changed = app.address_code(&owner, &flow, &code, &from).await.unwrap();
    assert!(matches!(changed, AddressOutcome::StartAgain), "the address");
    let typed = app_code(&enrolment.secret, app.now());
    let changed = app.finish_app(&owner, &enrolment.flow, &typed, &from).await.unwrap();
    assert!(matches!(changed, EnrolOutcome::StartAgain), "the app");
    assert!(app.end_other_sessions(&owner).await.unwrap().is_none(), "the sessions");
    assert_eq!(state(&app, account).await, before);
    assert_eq!(app.mails().await, [], "and nobody is told of what did not happen");

    // The very same in a session that lives.
    let owner = sign_in(&app).await;
    let changed = app.change_password(&owner, &current, &new, &from).await.unwrap();
    assert!(matches!(changed, Changed::Done(_)));
    assert_ne!(state(&app, account).await, before);
}

async fn e05_an_app_is_removed_or_its_codes_made_anew_by_nobody_who_is_signed_out(engine: Engine) {
    let app = TestApp::new(engine).await;
    let (account, owner) = anna(&app).await;
    let owner = enrol(&app, &owner).await;
    app.mails().await;
    end(&app, &owner).await;
    let before = state(&app, account).await;
    let changed = app.remove_app(&owner, &visitor()).await.unwrap();
    assert!(matches!(changed, Changed::SignedOut));
    assert_eq!(state(&app, account).await, before);

    // An epoch that rose, as by a hold, ends what only reads it too.
    let raise = async move |tx: &mut Tx| tx.raise_epoch(account).await.map(drop);
    app.site.store.write(raise).await.unwrap();
    let before = state(&app, account).await;
    let made = app.make_recovery_codes(&owner, &visitor()).await.unwrap();
    assert!(matches!(made, Changed::SignedOut), "recovery codes");
    let planned = app.plan_deletion(&owner, &visitor()).await.unwrap();
    assert!(matches!(planned, Changed::SignedOut), "the deletion");
    assert_eq!(state(&app, account).await, before);
}
