//! What a server tidies up by itself.

use rightful_core::audit::AuditSubject;
use rightful_store::Tx;
use rightful_testkit::app::TestApp;
use rightful_testkit::databases::Engine;
use rightful_testkit::given::cheap_hash;

use crate::on_both_engines;

on_both_engines!(leaked_hashes_are_kept_for_180_days_and_no_longer);

const DAY: i64 = 24 * 60 * 60;

/// A password by bcrypt of cost 4: none that Anna has.
const LEAKED: &str = "$2b$04$abcdefghijklmnopqrstuue6reexm1Nd2DqYX6g8pFR94B4r9DDy.";

async fn waiting(app: &TestApp) -> usize {
    app.texts("SELECT 'one' FROM untested").await.len()
}

async fn told(app: &TestApp) -> Vec<String> {
    let rows = async move |tx: &mut Tx| tx.audit_rows(AuditSubject::Site).await;
    let rows = app.site.store.read(rows).await.unwrap();
    let expired = rows.into_iter().filter(|row| row.event == "untested.expired");
    expired.map(|row| row.body).collect()
}

async fn leaked_hashes_are_kept_for_180_days_and_no_longer(engine: Engine) {
    let app = TestApp::new(engine).await;
    let hash = cheap_hash("anna knows something else");
    app.import(&format!("account,email,password\nanna,anna@example.org,\"{hash}\"\n"))
        .await;
    app.scan("Forum", &format!("anna@example.org:{LEAKED}\n")).await;
    app.pass(180 * DAY - 1);
    app.sweep(|| false).await.unwrap();
    assert_eq!((waiting(&app).await, told(&app).await), (1, vec![]));
    app.pass(2);
    app.sweep(|| true).await.unwrap();
    assert_eq!(waiting(&app).await, 1, "a server that stops sweeps nothing");
    app.sweep(|| false).await.unwrap();
    let expected = vec![r#"{"block":0,"rows":1}"#.to_owned()];
    assert_eq!((waiting(&app).await, told(&app).await), (0, expected.clone()));
    app.sweep(|| false).await.unwrap();
    assert_eq!(told(&app).await, expected, "nothing to tell");
    let verify = async |tx: &mut Tx| tx.verify_audit().await;
    assert!(app.site.store.read(verify).await.unwrap().broken.is_none());
}
