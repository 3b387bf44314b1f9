//! From the server back.

use rightful_app::bounces::BounceOutcome;
use rightful_app::new_password::ReturnOutcome;
use rightful_core::AccountNo;
use rightful_core::audit::AuditSubject;
use rightful_core::contact::Reach;
use rightful_notify::bounce::BounceRefused;
use rightful_store::Tx;
use rightful_store::notice::NoticeState;
use rightful_testkit::app::{TestApp, post, to_sink, visitor};
use rightful_testkit::databases::Engine;
use rightful_testkit::smtp::Sink;

use crate::{assert_audit_holds, letters, on_both_engines, reach, state, waiting, write_to};

on_both_engines!(
    a_bounce_is_taken_once_and_says_how_the_contact_is_reached,
    a_bounce_that_blames_us_says_nothing_of_the_contact,
    a_forged_or_foreign_bounce_changes_nothing,
    a_bounce_resets_nothing_and_writes_to_nobody,
    a_bounce_that_comes_before_the_record_of_sending_counts,
    a_dead_contact_gives_way_to_the_second_and_a_code_makes_it_good_again,
    a_bounce_of_a_sign_up_has_no_contact_to_speak_of,
);

/// A letter to an owner through a sink; the return path that it was sent with.
async fn send_to(app: &TestApp, address: &str) -> String {
    let sink = Sink::plain();
    write_to(app, address).await;
    app.send_all(&post(to_sink(&sink, 1))).await;
    sink.messages().remove(0).from
}

/// A report (RFC 3464) that came to a return path.
fn report(return_path: &str, status: &str) -> Vec<u8> {
    let report = format!(
        "Return-Path: <>\n\
         To: {return_path}\n\
         From: MAILER-DAEMON@mx.example.net\n\
         Subject: Undelivered Mail Returned to Sender\n\
         MIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\
         \n\
         --b\n\
         Content-Type: text/plain\n\
         \n\
         It could not be delivered.\n\
         --b\n\
         Content-Type: message/delivery-status\n\
         \n\
         Reporting-MTA: dns; mx.example.net\n\
         \n\
         Final-Recipient: rfc822; anna@example.org\n\
         Action: failed\n\
         Status: {status}\n\
         \n\
         --b--\n"
    );
    report.replace('\n', "\r\n").into_bytes()
}

async fn audited(app: &TestApp, account: AccountNo) -> Vec<String> {
    let rows = async move |tx: &mut Tx| tx.audit_rows(AuditSubject::Account(account)).await;
    let rows = app.site.store.read(rows).await.unwrap();
    let bounces = rows.into_iter().filter(|row| row.event == "contact.not_reached");
    bounces.map(|row| row.body).collect()
}

async fn a_bounce_is_taken_once_and_says_how_the_contact_is_reached(engine: Engine) {
    let app = TestApp::new(engine).await;
    let anna = app.add_owner(&["anna@example.org"]).await;
    for (status, expected) in [("5.2.2", Reach::Soft), ("5.1.1", Reach::Dead), ("5.2.2", Reach::Dead)] {
        let path = send_to(&app, "anna@example.org").await;
        let taken = app.take_bounce(&report(&path, status)).await.unwrap();
        assert_eq!(taken, BounceOutcome::Taken { reach: Some(expected) });
        assert_eq!(
            (state(&app, anna).await, reach(&app, anna).await),
            (NoticeState::Failed, vec![expected])
        );
        let again = app.take_bounce(&report(&path, "5.1.1")).await.unwrap();
        assert_eq!(again, BounceOutcome::Known);
        assert_eq!(reach(&app, anna).await, [expected]);
        app.pass(3600);
    }
    let expected = [
        r#"{"contact":1,"reach":"soft","status":"5.2.2"}"#,
        r#"{"contact":1,"reach":"dead","status":"5.1.1"}"#,
    ];
    assert_eq!(audited(&app, anna).await, expected);
    assert_audit_holds(&app).await;
}

async fn a_bounce_that_blames_us_says_nothing_of_the_contact(engine: Engine) {
    let app = TestApp::new(engine).await;
    let anna = app.add_owner(&["anna@example.org"]).await;
    let path = send_to(&app, "anna@example.org").await;
    let taken = app.take_bounce(&report(&path, "5.7.1")).await.unwrap();
    assert_eq!(taken, BounceOutcome::Taken { reach: None });
    assert_eq!(
        (state(&app, anna).await, reach(&app, anna).await),
        (NoticeState::Failed, vec![Reach::Good])
    );
    assert_eq!(audited(&app, anna).await, [""; 0]);
}

async fn a_forged_or_foreign_bounce_changes_nothing(engine: Engine) {
    let app = TestApp::new(engine).await;
    let anna = app.add_owner(&["anna@example.org"]).await;
    let path = send_to(&app, "anna@example.org").await;
    let (token, domain) = path.trim_start_matches("bounce+").split_once('@').unwrap();
    let changed = if token.ends_with('a') { "b" } else { "a" };
    let forged = format!("bounce+{}{changed}@{domain}", &token[..token.len() - 1]);
    for foreign in [
        forged.as_str(),
        "bounce+k7m4qx2p@bounces.example.org",
        "anna@example.org",
    ] {
        let taken = app.take_bounce(&report(foreign, "5.1.1")).await.unwrap();
        assert_eq!(taken, BounceOutcome::NotOurs, "{foreign}");
    }
    let answer = format!("To: {path}\r\nSubject: Out of office\r\nAuto-Submitted: auto-replied\r\n\r\nI am away.\r\n");
    let taken = app.take_bounce(answer.as_bytes()).await.unwrap();
    assert_eq!(taken, BounceOutcome::NotBounce(BounceRefused::AutoReply));
    let delayed = String::from_utf8(report(&path, "4.4.1"))
        .unwrap()
        .replace("Action: failed", "Action: delayed");
    assert_eq!(
        app.take_bounce(delayed.as_bytes()).await.unwrap(),
        BounceOutcome::NoFailure
    );
    assert_eq!(
        (state(&app, anna).await, reach(&app, anna).await),
        (NoticeState::Sent, vec![Reach::Good])
    );
    assert_eq!(audited(&app, anna).await, [""; 0]);
}

async fn a_bounce_resets_nothing_and_writes_to_nobody(engine: Engine) {
    let app = TestApp::new(engine).await;
    let anna = app.add_owner(&["anna@example.org"]).await;
    let path = send_to(&app, "anna@example.org").await;
    let read = async move |tx: &mut Tx| {
        Ok((
            tx.account(anna).await?,
            tx.living(anna).await?,
            tx.passwords(&[anna]).await?.len(),
        ))
    };
    let before = app.site.store.read(read).await.unwrap();
    app.take_bounce(&report(&path, "5.1.1")).await.unwrap();
    assert_eq!(app.site.store.read(read).await.unwrap(), before);
    assert_eq!((waiting(&app).await, letters(&app, anna).await.len()), (0, 1));
}

async fn a_bounce_that_comes_before_the_record_of_sending_counts(engine: Engine) {
    let app = TestApp::new(engine).await;
    let anna = app.add_owner(&["anna@example.org"]).await;
    let path = send_to(&app, "anna@example.org").await;
    // As it stands between the handing over and the record.
    app.tamper("UPDATE notice SET state = 'sending'").await;
    app.take_bounce(&report(&path, "5.1.1")).await.unwrap();
    assert_eq!(state(&app, anna).await, NoticeState::Failed);
}

async fn a_dead_contact_gives_way_to_the_second_and_a_code_makes_it_good_again(engine: Engine) {
    let app = TestApp::new(engine).await;
    let anna = app.add_owner(&["anna@example.org", "anna@example.net"]).await;
    let path = send_to(&app, "anna@example.org").await;
    app.take_bounce(&report(&path, "5.1.1")).await.unwrap();
    assert_eq!(reach(&app, anna).await, [Reach::Dead, Reach::Good]);

    app.ask_for_new_password("anna@example.org", &visitor()).await.unwrap();
    assert_eq!(app.mails().await[0].to, "anna@example.net");

    // With both dead a code goes out all the same, and whoever types it shows that it came.
    app.tamper("UPDATE contact SET reach = 'dead'").await;
    let asked = app.ask_for_new_password("anna@example.org", &visitor()).await.unwrap();
    let ReturnOutcome::Asked(token) = asked else {
        panic!("{asked:?}")
    };
    let mail = app.mails().await.remove(0);
    assert_eq!(mail.to, "anna@example.org");
    let moved = app
        .new_password_code(&token, &mail.code.unwrap(), &visitor())
        .await
        .unwrap();
    assert!(matches!(moved, ReturnOutcome::Choose(_)), "{moved:?}");
    assert_eq!(reach(&app, anna).await, [Reach::Good, Reach::Dead]);
}

async fn a_bounce_of_a_sign_up_has_no_contact_to_speak_of(engine: Engine) {
    let app = TestApp::new(engine).await;
    let path = send_to(&app, "nobody@example.org").await;
    let taken = app.take_bounce(&report(&path, "5.1.1")).await.unwrap();
    assert_eq!(taken, BounceOutcome::Taken { reach: None });
    assert_eq!(app.texts("SELECT state FROM notice").await, ["failed"]);
}
