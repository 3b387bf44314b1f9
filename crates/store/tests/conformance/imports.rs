use rightful_store::StoreError;

use crate::support::{Engine, NOW, TestStore, new_account, on_both_engines, race};

on_both_engines!(
    of_many_who_begin_an_import_all_get_the_same,
    an_import_goes_on_where_it_was,
    two_processes_cannot_run_one_import,
    a_file_is_imported_again_after_it_was_done,
);

async fn of_many_who_begin_an_import_all_get_the_same(engine: Engine) {
    let store = TestStore::new(engine).await;
    let begun = race(50, |_| {
        let store = store.store.clone();
        async move {
            store
                .write(async move |tx| tx.import_begin([7; 32], "users.csv", NOW).await)
                .await
                .expect("an import")
        }
    })
    .await;
    assert!(begun.iter().all(|import| *import == begun[0]));
    assert_eq!(begun[0].import_no, 1);
    assert_eq!(store.number("SELECT COUNT(*) FROM import").await, 1);
}

async fn an_import_goes_on_where_it_was(engine: Engine) {
    let store = TestStore::new(engine).await;
    let begun = store
        .write(async move |tx| tx.import_begin([7; 32], "users.csv", NOW).await)
        .await
        .expect("an import");
    let batch = [new_account(1), new_account(2)];
    let seen = begun.clone();
    let moved = store
        .write(async move |tx| {
            tx.insert_accounts(&batch).await?;
            tx.import_progress(&seen, 2, r#"{"added":2}"#).await
        })
        .await
        .expect("progress");
    // The next batch fails on its way: neither its rows nor its progress stay.
    let (seen, batch) = (moved.clone(), [new_account(3), new_account(1)]);
    let failed = store
        .write(async move |tx| {
            tx.import_progress(&seen, 4, "{}").await?;
            tx.insert_accounts(&batch).await
        })
        .await;
    assert!(matches!(failed, Err(StoreError::AlreadyExists)), "{failed:?}");
    let again = store
        .write(async move |tx| tx.import_begin([7; 32], "users.csv", NOW).await)
        .await
        .expect("the import");
    assert_eq!(again, moved);
    assert_eq!((again.rows_done, &*again.tallies), (2, r#"{"added":2}"#));
    assert_eq!(
        store
            .read(async move |tx| tx.count_accounts().await)
            .await
            .expect("a count"),
        2
    );
}

async fn two_processes_cannot_run_one_import(engine: Engine) {
    let store = TestStore::new(engine).await;
    let begun = store
        .write(async move |tx| tx.import_begin([7; 32], "users.csv", NOW).await)
        .await
        .expect("an import");
    let outcomes = race(20, |_| {
        let (store, seen) = (store.store.clone(), begun.clone());
        async move {
            store
                .write(async move |tx| tx.import_progress(&seen, 10, "{}").await)
                .await
        }
    })
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, Ok(_) | Err(StoreError::Changed { what: "import" })))
    );
}

async fn a_file_is_imported_again_after_it_was_done(engine: Engine) {
    let store = TestStore::new(engine).await;
    for expected in [1, 2] {
        let begun = store
            .write(async move |tx| tx.import_begin([7; 32], "users.csv", NOW).await)
            .await
            .expect("an import");
        assert_eq!(begun.import_no, expected);
        let seen = begun.clone();
        store
            .write(async move |tx| tx.import_finish(&seen, NOW).await)
            .await
            .expect("done");
        let refused = store
            .write(async move |tx| tx.import_progress(&begun, 1, "{}").await)
            .await;
        assert!(matches!(refused, Err(StoreError::Changed { .. })), "{refused:?}");
    }
    let all = store.read(async move |tx| tx.imports().await).await.expect("imports");
    assert!(all.len() == 2 && all.iter().all(|import| import.done && import.done_at == Some(NOW)));
}
