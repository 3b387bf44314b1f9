use rightful_store::StoreError;
use rightful_store::data_key::DataKey;

use crate::support::{Engine, NOW, TestStore, on_both_engines, race};

on_both_engines!(
    a_setting_is_written_by_who_saw_it,
    the_mark_rises_once_for_each,
    the_first_data_key_wins
);

async fn a_setting_is_written_by_who_saw_it(engine: Engine) {
    let store = TestStore::new(engine).await;
    assert_eq!(
        store
            .read(async move |tx| tx.setting("site").await)
            .await
            .expect("an answer"),
        None
    );
    for (body, seen, kept) in [("a", 0, true), ("b", 0, false), ("c", 1, true), ("d", 1, false)] {
        let written = store
            .write(async move |tx| tx.put_setting("site", body, seen).await)
            .await;
        match kept {
            true => written.expect("written"),
            false => assert!(
                matches!(written, Err(StoreError::Changed { what: "setting" })),
                "{body}: {written:?}"
            ),
        }
    }
    let setting = store
        .read(async move |tx| tx.setting("site").await)
        .await
        .expect("an answer")
        .expect("a setting");
    assert_eq!((&*setting.body, setting.version), ("c", 2));
}

async fn the_mark_rises_once_for_each(engine: Engine) {
    let store = TestStore::new(engine).await;
    assert_eq!(store.read(async move |tx| tx.mark().await).await.expect("a mark"), 0);
    let mut marks = race(20, |_| {
        let store = store.store.clone();
        async move {
            store
                .write(async move |tx| tx.raise_mark(3).await)
                .await
                .expect("a mark")
        }
    })
    .await;
    marks.sort_unstable();
    assert_eq!(marks, (1..=20).map(|count| count * 3).collect::<Vec<i64>>());
}

async fn the_first_data_key_wins(engine: Engine) {
    let store = TestStore::new(engine).await;
    let added = race(20, |number| {
        let store = store.store.clone();
        async move {
            let wrapped = vec![u8::try_from(number).expect("a small number")];
            let key = DataKey {
                purpose: "password".into(),
                key_no: 1,
                wrapped,
                kek_id: "k1".into(),
                made_at: NOW,
            };
            store
                .write(async move |tx| tx.add_data_key(&key).await)
                .await
                .expect("an answer")
        }
    })
    .await;
    assert_eq!(added.iter().filter(|added| **added).count(), 1);
    let winner = u8::try_from(added.iter().position(|added| *added).expect("one")).expect("a small number");
    let keys = store
        .read(async move |tx| tx.data_keys("password").await)
        .await
        .expect("keys");
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0].wrapped, [winner]);
    assert!(
        store
            .read(async move |tx| tx.data_keys("audit").await)
            .await
            .expect("keys")
            .is_empty()
    );
}
