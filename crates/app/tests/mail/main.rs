//! Mail from the outbox to a mail server and back: what becomes of each letter, whatever the server answers and whoever dies.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod bouncing;
mod sending;

use rightful_app::outbox::SentCount;
use rightful_core::contact::Reach;
use rightful_core::{AccountNo, Timestamp};
use rightful_store::Tx;
use rightful_store::notice::{Notice, NoticeState};
use rightful_testkit::app::{TestApp, visitor};

/// Declares each test for both engines.
macro_rules! on_both_engines {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")] async fn $name() {
                super::$name(rightful_testkit::databases::Engine::Sqlite).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")] async fn $name() {
                super::$name(rightful_testkit::databases::Engine::Postgres).await;
            })+
        }
    };
}
use on_both_engines;

/// Somebody tries to sign up with this address: where it has an account, its owner gets a letter without a code.
async fn write_to(app: &TestApp, address: &str) {
    let mut from = visitor();
    // Each from elsewhere, so that no budget runs out.
    from.range = format!("range of {address}");
    app.sign_up(address, &from).await.unwrap();
}

/// The letters to an account, the newest first.
async fn letters(app: &TestApp, account: AccountNo) -> Vec<Notice> {
    let find = async move |tx: &mut Tx| tx.notices(account.into(), Timestamp::from_micros(0), 100).await;
    app.site.store.read(find).await.unwrap()
}

/// What became of the newest letter to an account.
async fn state(app: &TestApp, account: AccountNo) -> NoticeState {
    letters(app, account).await.first().unwrap().state
}

/// How the contacts of an account are reached.
async fn reach(app: &TestApp, account: AccountNo) -> Vec<Reach> {
    let find = async move |tx: &mut Tx| tx.contacts(account).await;
    let contacts = app.site.store.read(find).await.unwrap();
    contacts.into_iter().map(|contact| contact.reach).collect()
}

async fn waiting(app: &TestApp) -> u64 {
    let count = async |tx: &mut Tx| tx.count_queued_notices().await;
    app.site.store.read(count).await.unwrap()
}

async fn assert_audit_holds(app: &TestApp) {
    let verify = async |tx: &mut Tx| tx.verify_audit().await;
    assert!(app.site.store.read(verify).await.unwrap().broken.is_none());
}

fn sent(count: u64) -> SentCount {
    SentCount {
        sent: count,
        ..SentCount::default()
    }
}
