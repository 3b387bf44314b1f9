use rightful_core::assurance::{Method, Proofs};
use rightful_core::{AccountNo, Grade, Timestamp};
use rightful_store::StoreError;
use rightful_store::exposure::{Exposure, Untested};
use rightful_store::leak::LeakBatch;
use rightful_store::sign_in::SignInRecord;

use crate::support::{
    Engine, NOW, RUNNERS, TestStore, add_accounts, begin_leak, id, on_both_engines, race, sign_in_record,
};

on_both_engines!(
    a_sign_in_comes_back_as_it_was_recorded,
    sign_ins_are_listed_newest_first,
    the_last_sign_in_is_one_that_opened_before,
    old_sign_ins_make_room,
    of_a_name_that_nobody_has_nothing_is_recorded,
    a_leaked_hash_that_was_tried_waits_no_longer,
    a_verdict_is_given_once,
);

const ONE: AccountNo = AccountNo::new(1);

async fn record(store: &TestStore, no: i64, number: i64, record: SignInRecord) {
    store
        .done(async move |tx| tx.record_sign_in(AccountNo::new(no), id(number), None, &record).await)
        .await;
}

async fn since(store: &TestStore, since: Timestamp, limit: i64) -> Vec<SignInRecord> {
    store.asked(async move |tx| tx.sign_ins(ONE, since, limit).await).await
}

fn at(seconds: i64, opened: bool) -> SignInRecord {
    SignInRecord {
        at: NOW.plus_seconds(seconds),
        ..sign_in_record(opened)
    }
}

async fn a_sign_in_comes_back_as_it_was_recorded(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1]).await;
    let opened = SignInRecord {
        proofs: Proofs::NONE.with(Method::Password).with(Method::App),
        place: String::new(),
        known: true,
        ..at(1, true)
    };
    let refused = at(2, false);
    record(&store, 1, 1, opened.clone()).await;
    record(&store, 1, 2, refused.clone()).await;
    assert_eq!(since(&store, NOW, 10).await, [refused, opened.clone()]);
    let again = store
        .write(async move |tx| tx.record_sign_in(ONE, id(1), Some(id(7)), &opened).await)
        .await;
    assert!(matches!(again, Err(StoreError::AlreadyExists)), "{again:?}");
}

async fn sign_ins_are_listed_newest_first(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1, 2]).await;
    for number in 1..=5 {
        record(&store, 1, number, at(number, number % 2 == 0)).await;
        record(&store, 2, 10 + number, at(number, true)).await;
    }
    let seconds = |records: Vec<SignInRecord>| -> Vec<i64> {
        let since = |record: SignInRecord| record.at.micros_since(NOW) / 1_000_000;
        records.into_iter().map(since).collect()
    };
    assert_eq!(seconds(since(&store, NOW, 10).await), [5, 4, 3, 2, 1]);
    assert_eq!(seconds(since(&store, NOW.plus_seconds(4), 10).await), [5, 4]);
    assert_eq!(seconds(since(&store, NOW, 2).await), [5, 4]);
}

async fn the_last_sign_in_is_one_that_opened_before(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1, 2]).await;
    let before = async |moment| store.asked(async move |tx| tx.last_sign_in(ONE, moment).await).await;
    let last = async || before(NOW.plus_seconds(60)).await;
    record(&store, 1, 1, at(9, false)).await;
    record(&store, 2, 2, at(9, true)).await;
    assert_eq!(last().await, None);
    record(&store, 1, 3, at(3, true)).await;
    record(&store, 1, 4, at(5, true)).await;
    assert_eq!(last().await, Some(NOW.plus_seconds(5)));
    assert_eq!(before(NOW.plus_seconds(5)).await, Some(NOW.plus_seconds(3)));
}

async fn old_sign_ins_make_room(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1, 2]).await;
    for number in 1..=4 {
        record(&store, 1, number, at(number, true)).await;
        record(&store, 2, 10 + number, at(number, true)).await;
    }
    let dropped = store
        .done(async move |tx| tx.drop_old_sign_ins(ONE, NOW.plus_seconds(3)).await)
        .await;
    assert_eq!(dropped, 2);
    assert_eq!(since(&store, NOW, 10).await.len(), 2);
    assert_eq!(store.number("SELECT COUNT(*) FROM sign_in").await, 6);
}

/// Leaks of these names hold the hashes of these tags about the account; all of them wait.
async fn leak_untested(store: &TestStore, leaks: &[(&str, &[u8])]) {
    for (name, tags) in leaks {
        let leak = begin_leak(store, name).await;
        let exposure = |tag: &u8| Exposure {
            account: ONE,
            secret_tag: vec![*tag],
            grade: Grade::Untested,
            kind: rightful_core::Kind::Dump,
            password_no: None,
            loose: false,
            position: vec![],
            found_at: NOW,
        };
        let untested = |tag: &u8| Untested {
            account: ONE,
            secret_tag: vec![*tag],
            sealed: vec![*tag],
            found_at: NOW,
            expires_at: NOW.plus_seconds(60),
        };
        let batch = LeakBatch {
            exposures: tags.iter().map(exposure).collect(),
            pairs: vec![],
            untested: tags.iter().map(untested).collect(),
            checkpoint: None,
            tallies: "{}".into(),
        };
        store
            .done(async move |tx| tx.leak_commit_batch(&leak, &batch).await.map(drop))
            .await;
    }
}

async fn graded(store: &TestStore, grade: &str) -> i64 {
    let count = format!("SELECT COUNT(*) FROM exposure WHERE grade = '{grade}'");
    store.number(&count).await
}

async fn a_leaked_hash_that_was_tried_waits_no_longer(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1]).await;
    leak_untested(&store, &[("one", &[1, 2]), ("two", &[1, 3])]).await;
    store
        .done(async move |tx| {
            tx.settle_untested(ONE, &[1], Grade::Exact, Some(1)).await?;
            tx.settle_untested(ONE, &[2], Grade::Named, Some(1)).await
        })
        .await;
    // The first stands in both leaks.
    let grades = (
        graded(&store, "exact").await,
        graded(&store, "named").await,
        graded(&store, "untested").await,
    );
    assert_eq!(grades, (2, 1, 1));
    let against = "SELECT COUNT(*) FROM exposure WHERE password_no = 1";
    assert_eq!(store.number(against).await, 3);
    let waiting = store.asked(async move |tx| tx.untested(ONE).await).await;
    assert_eq!(waiting.len(), 1);
}

async fn a_verdict_is_given_once(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1]).await;
    leak_untested(&store, &[("one", &[1])]).await;
    // Sign-ins at the same moment, some of which tried another password version.
    race(RUNNERS, |number| {
        let store = store.store.clone();
        async move {
            let version = 1 + i64::try_from(number).expect("a small number");
            store
                .write(async move |tx| tx.settle_untested(ONE, &[1], Grade::Exact, Some(version)).await)
                .await
                .expect("settled");
        }
    })
    .await;
    let first = store.number("SELECT password_no FROM exposure").await;
    let settled = store
        .done(async move |tx| tx.settle_untested(ONE, &[1], Grade::Named, Some(99)).await)
        .await;
    assert!(!settled, "nothing was left to do");
    assert_eq!(store.number("SELECT password_no FROM exposure").await, first);
    assert_eq!(graded(&store, "exact").await, 1, "a later word does not take it back");
}

async fn of_a_name_that_nobody_has_nothing_is_recorded(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1]).await;
    for no in [-7, 2] {
        record(&store, no, 1, at(1, false)).await;
        assert_eq!(store.number("SELECT COUNT(*) FROM sign_in").await, 0, "{no}");
    }
    record(&store, 1, 1, at(1, false)).await;
    assert_eq!(store.number("SELECT COUNT(*) FROM sign_in").await, 1);
}
