use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rightful_core::AccountNo;
use rightful_store::{Address, Store, StoreError};
use rightful_testkit::databases::TestDatabase;
use tokio::sync::Barrier;

use crate::support::{Engine, NOW, Raw, TestStore, add_accounts, chain, new_account, on_both_engines, race};

on_both_engines!(
    what_a_closure_refuses_is_not_kept,
    an_error_that_was_swallowed_keeps_nothing,
    a_task_that_is_dropped_keeps_nothing,
    a_reader_sees_one_state,
    a_reader_cannot_write,
);

async fn what_a_closure_refuses_is_not_kept(engine: Engine) {
    let store = TestStore::new(engine).await;
    let runs = AtomicU32::new(0);
    let refused: Result<(), _> = store
        .write(async |tx| {
            runs.fetch_add(1, Ordering::Relaxed);
            tx.put_setting("a", "b", 0).await?;
            Err(StoreError::Changed { what: "test" })
        })
        .await;
    assert!(matches!(refused, Err(StoreError::Changed { what: "test" })));
    assert_eq!(runs.into_inner(), 1, "a decision is not run again");
    assert_eq!(store.number("SELECT COUNT(*) FROM setting").await, 0);
}

async fn an_error_that_was_swallowed_keeps_nothing(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1]).await;
    let outcome = store
        .write(async move |tx| {
            tx.put_setting("a", "b", 0).await?;
            drop(tx.insert_accounts(&[new_account(1)]).await);
            Ok(())
        })
        .await;
    assert!(matches!(outcome, Err(StoreError::Backend { .. })), "{outcome:?}");
    assert_eq!(store.number("SELECT COUNT(*) FROM setting").await, 0);
}

async fn a_task_that_is_dropped_keeps_nothing(engine: Engine) {
    let store = TestStore::new(engine).await;
    let (written, is_written) = tokio::sync::oneshot::channel();
    let written = Arc::new(std::sync::Mutex::new(Some(written)));
    let inner = store.store.clone();
    let task = tokio::spawn(async move {
        inner
            .write(async move |tx| {
                tx.put_setting("a", "b", 0).await?;
                if let Some(written) = written.lock().expect("no panic").take() {
                    written.send(()).expect("somebody waits");
                }
                std::future::pending().await
            })
            .await
    });
    is_written.await.expect("it wrote");
    task.abort();
    let ended: Result<Result<(), StoreError>, _> = task.await;
    assert!(ended.is_err());
    // The connection is free again and holds nothing of it.
    store
        .write(async move |tx| tx.put_setting("a", "c", 0).await)
        .await
        .expect("written");
    let setting = store
        .read(async move |tx| tx.setting("a").await)
        .await
        .expect("an answer")
        .expect("a setting");
    assert_eq!(setting.body, "c");
}

async fn a_reader_sees_one_state(engine: Engine) {
    let store = TestStore::new(engine).await;
    let other = store.store.clone();
    let counts = store
        .read(async move |tx| {
            let before = tx.count_accounts().await?;
            add_accounts(&other, [1]).await;
            Ok((before, tx.count_accounts().await?))
        })
        .await
        .expect("counts");
    assert_eq!(counts, (0, 0));
    assert_eq!(
        store
            .read(async move |tx| tx.count_accounts().await)
            .await
            .expect("a count"),
        1
    );
}

async fn a_reader_cannot_write(engine: Engine) {
    let store = TestStore::new(engine).await;
    let refused = store.read(async move |tx| tx.put_setting("a", "b", 0).await).await;
    assert!(matches!(refused, Err(StoreError::Backend { .. })), "{refused:?}");
}

/// A store whose connections can be told from all others on the server.
async fn named_store(name: &str) -> (TestDatabase, Store) {
    let database = TestDatabase::new(Engine::Postgres).await;
    let Address::Postgres(url) = database.address() else {
        unreachable!("it was asked for")
    };
    let address = Address::Postgres(format!("{url}&application_name={name}"));
    let store = Store::open_and_migrate(&address, chain(), NOW).await.expect("a store");
    (database, store)
}

/// Ends the connections of that name, as a restart of the server or a broken network does.
async fn cut(database: &TestDatabase, name: &str) {
    let ended = format!(
        "SELECT COUNT(*) FROM (SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
         WHERE application_name = '{name}' AND state = 'idle in transaction') AS ended"
    );
    let mut raw = Raw::connect(database.address()).await;
    assert_eq!(raw.number(&ended).await, 1, "one transaction was open");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_lost_before_commit_is_tried_again() {
    let (database, store) = named_store("lost_before_commit").await;
    let attempts = AtomicU32::new(0);
    store
        .write(async |tx| {
            tx.put_setting("a", "b", 0).await?;
            if attempts.fetch_add(1, Ordering::Relaxed) == 0 {
                cut(&database, "lost_before_commit").await;
            }
            tx.put_setting("c", "d", 0).await
        })
        .await
        .expect("the second attempt");
    assert_eq!(attempts.into_inner(), 2);
    let versions = store
        .read(async move |tx| {
            Ok([tx.setting("a").await?, tx.setting("c").await?].map(|setting| setting.map(|s| s.version)))
        })
        .await
        .expect("settings");
    assert_eq!(versions, [Some(1), Some(1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_lost_at_commit_is_told_and_repeating_does_no_harm() {
    let (database, store) = named_store("lost_at_commit").await;
    let batch = [new_account(1)];
    let seen = store
        .write(async move |tx| tx.import_begin([1; 32], "a", NOW).await)
        .await
        .expect("an import");
    let attempts = AtomicU32::new(0);
    let (accounts, import) = (batch.clone(), seen.clone());
    let outcome = store
        .write(async |tx| {
            attempts.fetch_add(1, Ordering::Relaxed);
            tx.insert_accounts(&accounts).await?;
            let moved = tx.import_progress(&import, 1, "{}").await?;
            cut(&database, "lost_at_commit").await;
            Ok(moved)
        })
        .await;
    assert!(matches!(outcome, Err(StoreError::OutcomeUnknown { .. })), "{outcome:?}");
    assert_eq!(
        attempts.into_inner(),
        1,
        "what may have been committed is not run again by the store"
    );
    // The caller repeats it: reads how far it is and goes on from there, as after a crash.
    let again = store
        .write(async move |tx| tx.import_begin([1; 32], "a", NOW).await)
        .await
        .expect("the import");
    if again.rows_done == 0 {
        store
            .write(async move |tx| {
                tx.insert_accounts(&batch).await?;
                tx.import_progress(&again, 1, "{}").await
            })
            .await
            .expect("the same again");
    }
    assert_eq!(
        store
            .read(async move |tx| tx.count_accounts().await)
            .await
            .expect("a count"),
        1
    );
    assert!(
        store
            .read(async move |tx| tx.account(AccountNo::new(1)).await)
            .await
            .expect("an answer")
            .is_some()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_that_were_cut_do_no_harm() {
    let (database, store) = named_store("cut_while_idle").await;
    // Several connections, all idle by then.
    race(8, |_| {
        let store = store.clone();
        async move {
            store
                .read(async move |tx| tx.count_accounts().await)
                .await
                .expect("a count")
        }
    })
    .await;
    let ended = "SELECT COUNT(*) FROM (SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
         WHERE application_name = 'cut_while_idle') AS ended";
    assert!(Raw::connect(database.address()).await.number(ended).await >= 1);
    store
        .write(async move |tx| tx.put_setting("a", "b", 0).await)
        .await
        .expect("on a new connection");
}

/// Writes two settings one after the other; waits in between, the first time, until another transaction holds one too.
async fn write_both(store: Store, names: [&'static str; 2], both_hold_one: Arc<Barrier>) -> u32 {
    let attempts = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&attempts);
    store
        .write(async move |tx| {
            let seen = tx.setting(names[0]).await?.expect("it is there").version;
            tx.put_setting(names[0], "1", seen).await?;
            if counted.fetch_add(1, Ordering::Relaxed) == 0 {
                both_hold_one.wait().await;
            }
            let seen = tx.setting(names[1]).await?.expect("it is there").version;
            tx.put_setting(names[1], "1", seen).await
        })
        .await
        .expect("both end well");
    attempts.load(Ordering::Relaxed)
}

/// Two transactions that lock two rows in opposite order: PostgreSQL ends one of them, and the store runs it again.
#[tokio::test(flavor = "multi_thread")]
async fn a_deadlock_is_resolved_by_running_one_again() {
    let store = TestStore::new(Engine::Postgres).await;
    for name in ["a", "b"] {
        store
            .write(async move |tx| tx.put_setting(name, "0", 0).await)
            .await
            .expect("a setting");
    }
    let both_hold_one = Arc::new(Barrier::new(2));
    let first = write_both(store.store.clone(), ["a", "b"], Arc::clone(&both_hold_one));
    let second = write_both(store.store.clone(), ["b", "a"], both_hold_one);
    let (first, second) = tokio::join!(first, second);
    assert_eq!(first + second, 3, "one of the two ran twice");
    assert_eq!(
        store.number("SELECT CAST(SUM(version) AS BIGINT) FROM setting").await,
        6
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_at_once() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("its address").port();
    drop(listener);
    let address = Address::Postgres(format!("postgres://nobody:correct-horse@127.0.0.1:{port}/none"));
    let refused = Store::open(&address, chain()).await.expect_err("nobody listens");
    assert!(matches!(refused, StoreError::Unreachable { .. }), "{refused:?}");
    assert!(!format!("{refused} {refused:?}").contains("correct-horse"));
}
