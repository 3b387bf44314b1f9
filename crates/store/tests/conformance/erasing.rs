use std::collections::BTreeMap;

use rightful_core::audit::{AuditEntry, AuditSubject};
use rightful_core::flow::Purpose;
use rightful_core::{AccountNo, PublicId};
use rightful_store::account::{AccountState, NewContact, NewName};
use rightful_store::hold::{HoldAction, HoldSource};
use rightful_store::password::Replacement;
use rightful_store::{Store, StoreError};
use sha2::Sha256;
use uuid::Uuid;

use crate::support::{
    Engine, NOW, ROUNDS, RUNNERS, TestStore, add_accounts, digest, fill_account, id, new_account, new_app, new_flow,
    new_hold, new_notice, new_session, on_both_engines, password, race, winners,
};

on_both_engines!(
    nothing_is_left_but_the_number_and_the_audit_log,
    no_word_that_it_was_known_by_is_left,
    an_erased_account_stays_as_it_is,
    what_it_was_called_is_free_again,
    a_name_that_another_took_over_stays_with_that_one,
    only_what_is_due_is_erased,
    what_slipped_in_is_swept_a_day_later,
    of_many_who_erase_an_account_one_does,
    nothing_that_races_with_the_erasure_is_left,
);

const ONE: AccountNo = AccountNo::new(1);
const DAY: i64 = 24 * 60 * 60;

/// How many rows of each table are about an account, by the columns that say so.
async fn rows_about(store: &TestStore, no: i64) -> BTreeMap<&'static str, i64> {
    let block = AccountNo::new(no).block();
    let mut rows = BTreeMap::new();
    for (table, columns) in rightful_store::backup::tables() {
        let about = if columns.contains(&"account_no") {
            format!("account_no = {no}")
        } else if columns.contains(&"subject") {
            format!("home = {block} AND subject = {no}")
        } else {
            continue;
        };
        let count = format!("SELECT COUNT(*) FROM {table} WHERE {about}");
        rows.insert(table, store.number(&count).await);
    }
    rows
}

/// The loose keys of an account of `new_account`.
fn match_keys(no: i64) -> Vec<Vec<u8>> {
    let mut keys = new_account(no).match_keys;
    keys.push(format!("second{no}@example.org").into_bytes());
    keys
}

async fn plan(store: &TestStore, no: i64) {
    let account = AccountNo::new(no);
    store
        .done(async move |tx| tx.set_erase_at(account, Some(NOW)).await)
        .await;
}

async fn erase_at(store: &TestStore, no: i64, seconds: i64) -> bool {
    let (keys, now) = (match_keys(no), NOW.plus_seconds(seconds));
    let entry = AuditEntry {
        subject: AuditSubject::Account(AccountNo::new(no)),
        event: "account.erased",
        actor: "cli:tester".into(),
        body: "{}".into(),
        at: now,
    };
    store
        .done(async move |tx| {
            let erased = tx.erase_account(AccountNo::new(no), &keys, now).await?;
            if erased {
                tx.audit(&entry).await?;
            }
            Ok(erased)
        })
        .await
}

/// Two accounts with rows in every table; the first one's deletion is due.
async fn two_accounts(engine: Engine) -> TestStore {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1, 2]).await;
    fill_account(&store, 1).await;
    fill_account(&store, 2).await;
    plan(&store, 1).await;
    store
}

async fn nothing_is_left_but_the_number_and_the_audit_log(engine: Engine) {
    let store = two_accounts(engine).await;
    let (before, others) = (rows_about(&store, 1).await, rows_about(&store, 2).await);
    assert!(before.len() > 20 && before.values().all(|rows| *rows > 0), "{before:?}");
    assert!(erase_at(&store, 1, 0).await);
    let mut left = rows_about(&store, 1).await;
    left.retain(|_, rows| *rows > 0);
    assert_eq!(left, BTreeMap::from([("account", 1), ("audit", 2), ("audit_head", 1)]));
    assert_eq!(rows_about(&store, 2).await, others, "nobody else lost anything");
    let verdict = store.asked(async move |tx| tx.verify_audit().await).await;
    assert_eq!((verdict.rows, verdict.broken), (3, None));
    let account = store.asked(async move |tx| tx.account(ONE).await).await;
    let account = account.expect("its row keeps the number taken");
    assert_eq!(
        (account.state, account.public_id, account.reference, account.import_no),
        (AccountState::Erased, PublicId(Uuid::nil()), None, None)
    );
    assert_eq!((account.role.as_str(), account.groups.as_str()), ("none", "[]"));
    let living = store
        .asked(async move |tx| tx.living(ONE).await)
        .await
        .expect("its row");
    assert_eq!(living.locale, None);
}

/// A table that the test above does not know would show here.
async fn no_word_that_it_was_known_by_is_left(engine: Engine) {
    let store = two_accounts(engine).await;
    let public_id = id(1).into_bytes().to_vec();
    let words: [&[u8]; 6] = [
        b"owner1@example.org",
        b"Owner1@example.org",
        b"ref: r1",
        b"second of 1",
        b"the letter 1",
        &public_id,
    ];
    let found = async || {
        let mut bytes = Vec::new();
        store.backup(&mut bytes, Sha256::default()).await.expect("a backup");
        words.map(|word| bytes.windows(word.len()).any(|window| window == word))
    };
    assert_eq!(found().await, [true; 6]);
    assert!(erase_at(&store, 1, 0).await);
    assert_eq!(found().await, [false; 6]);
}

async fn an_erased_account_stays_as_it_is(engine: Engine) {
    let store = two_accounts(engine).await;
    assert!(erase_at(&store, 1, 0).await);
    assert!(!erase_at(&store, 1, 1).await, "it is done");
    store
        .done(async move |tx| {
            tx.set_locale(ONE, "de").await?;
            tx.set_role(ONE, "administrator").await?;
            tx.set_erase_at(ONE, None).await
        })
        .await;
    let living = store
        .asked(async move |tx| tx.living(ONE).await)
        .await
        .expect("its row");
    assert_eq!((living.locale, living.role.as_str()), (None, "none"));
    assert!(living.erase_at.is_some(), "the second sweep is still to come");
    let refused: [Result<(), StoreError>; 2] = [
        store
            .write(async move |tx| {
                let change = Replacement {
                    account: ONE,
                    seen: None,
                    password: password("another"),
                    replaced_digest: None,
                    now: NOW,
                };
                tx.replace_password(&change).await.map(drop)
            })
            .await,
        store.write(async move |tx| extend(tx, 1).await).await,
    ];
    for refused in refused {
        assert!(
            matches!(refused, Err(StoreError::Changed { what: "account" })),
            "{refused:?}"
        );
    }
    let session = store.asked(async move |tx| tx.session(0, digest(1), NOW).await).await;
    assert_eq!(session, None);
    assert_eq!(store.asked(async move |tx| tx.count_accounts().await).await, 1);
}

/// Gives an account one more name and address.
async fn extend(tx: &mut rightful_store::Tx, no: i64) -> Result<(), StoreError> {
    let address = format!("second{no}@example.org");
    let names = [NewName {
        kind: "email".into(),
        key: address.clone(),
        given: address.clone(),
    }];
    let contacts = [NewContact {
        kind: "email".into(),
        address: address.clone(),
        verified_at: Some(NOW),
    }];
    tx.extend_account(AccountNo::new(no), &names, &contacts, &[address.into_bytes()], NOW)
        .await
}

async fn what_it_was_called_is_free_again(engine: Engine) {
    let store = two_accounts(engine).await;
    // A name that it gave up goes too.
    let released = store.done(async move |tx| tx.release_key(ONE, "owner1").await).await;
    assert!(released && erase_at(&store, 1, 0).await);
    let mut account = new_account(3);
    let old = new_account(1);
    account.names = old.names;
    account.reference = old.reference;
    account.public_id = old.public_id;
    store
        .done(async move |tx| tx.insert_accounts(std::slice::from_ref(&account)).await)
        .await;
    let named = store
        .asked(async move |tx| tx.account_by_key("owner1@example.org").await)
        .await;
    assert_eq!(named, Some(AccountNo::new(3)));
}

async fn a_name_that_another_took_over_stays_with_that_one(engine: Engine) {
    let store = two_accounts(engine).await;
    store
        .done(async move |tx| {
            tx.release_key(ONE, "owner1").await?;
            tx.drop_released_key("owner1").await?;
            let names = [NewName {
                kind: "username".into(),
                key: "owner1".into(),
                given: "owner1".into(),
            }];
            tx.extend_account(AccountNo::new(2), &names, &[], &[], NOW).await
        })
        .await;
    assert!(erase_at(&store, 1, 0).await);
    let named = store.asked(async move |tx| tx.account_by_key("owner1").await).await;
    assert_eq!(named, Some(AccountNo::new(2)));
}

async fn only_what_is_due_is_erased(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1, 2, 3, 5000]).await;
    for (no, seconds) in [(1, Some(10)), (2, Some(20)), (3, None), (5000, Some(10))] {
        let at = seconds.map(|seconds| NOW.plus_seconds(seconds));
        store
            .done(async move |tx| tx.set_erase_at(AccountNo::new(no), at).await)
            .await;
    }
    let due = async |seconds: i64| {
        store
            .asked(async move |tx| tx.accounts_to_erase(0, NOW.plus_seconds(seconds)).await)
            .await
    };
    assert_eq!(due(9).await, []);
    assert_eq!(due(10).await, [ONE]);
    for (no, seconds, erased) in [(1, 9, false), (2, 10, false), (3, 100_000, false), (4, 100_000, false)] {
        assert_eq!(erase_at(&store, no, seconds).await, erased, "account {no}");
    }
    // Taken back between the look at what is due and the erasure.
    store.done(async move |tx| tx.set_erase_at(ONE, None).await).await;
    assert!(!erase_at(&store, 1, 100).await);
    assert!(erase_at(&store, 2, 20).await);
    assert_eq!(due(100).await, []);
    assert_eq!(store.asked(async move |tx| tx.count_accounts().await).await, 3);
}

/// A transaction that began before the erasure may write its rows after it.
async fn what_slipped_in_is_swept_a_day_later(engine: Engine) {
    let store = two_accounts(engine).await;
    assert!(erase_at(&store, 1, 0).await);
    store
        .done(async move |tx| {
            tx.queue_notice(&new_notice(ONE.into(), 1)).await?;
            tx.begin_flow(&new_flow(1, 1, Purpose::Return)).await
        })
        .await;
    let due = async |seconds: i64| {
        let now = NOW.plus_seconds(seconds);
        store.asked(async move |tx| tx.accounts_to_erase(0, now).await).await
    };
    assert_eq!((due(DAY - 1).await, due(DAY).await), (vec![], vec![ONE]));
    assert!(!erase_at(&store, 1, DAY).await, "it is not told a second time");
    let mut left = rows_about(&store, 1).await;
    left.retain(|_, rows| *rows > 0);
    assert_eq!(left, BTreeMap::from([("account", 1), ("audit", 2), ("audit_head", 1)]));
    assert_eq!(due(100 * DAY).await, []);
}

async fn of_many_who_erase_an_account_one_does(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, 1..=ROUNDS).await;
    for no in 1..=ROUNDS {
        plan(&store, no).await;
        let erased = race(RUNNERS, |_| {
            let store = store.store.clone();
            async move {
                let keys = match_keys(no);
                store
                    .write(async move |tx| tx.erase_account(AccountNo::new(no), &keys, NOW).await)
                    .await
            }
        })
        .await;
        assert_eq!(winners(&erased), 1, "round {no}");
    }
}

/// One runner of the race below. What comes too late is refused; everything else must not show.
async fn run(store: Store, no: i64, number: usize) -> Result<(), StoreError> {
    let account = AccountNo::new(no);
    let work = async move |tx: &mut rightful_store::Tx| match number {
        0 => tx.erase_account(account, &match_keys(no), NOW).await.map(drop),
        1 => {
            let hold = new_hold(no, HoldAction::Hold, HoldSource::Containment);
            tx.place_hold(&hold).await.map(drop)
        }
        2 => tx.open_session(&new_session(no, no)).await,
        3 => tx.replace_recovery_codes(account, &[digest(no)], NOW).await,
        4 => {
            let change = Replacement {
                account,
                seen: Some(1),
                password: password("another"),
                replaced_digest: Some(vec![1]),
                now: NOW,
            };
            tx.replace_password(&change).await.map(drop)
        }
        5 => extend(tx, no).await,
        _ => tx.set_locale(account, "de").await,
    };
    match store.write(work).await {
        Err(StoreError::Changed { .. }) => Ok(()),
        outcome => outcome,
    }
}

async fn nothing_that_races_with_the_erasure_is_left(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, 1..=ROUNDS).await;
    for no in 1..=ROUNDS {
        plan(&store, no).await;
        store
            .done(async move |tx| tx.add_app(AccountNo::new(no), &new_app(1)).await)
            .await;
        let outcomes = race(7, |number| run(store.store.clone(), no, number)).await;
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        let mut left = rows_about(&store, no).await;
        left.retain(|_, rows| *rows > 0);
        assert_eq!(left, BTreeMap::from([("account", 1)]), "round {no}");
        let living = store
            .asked(async move |tx| tx.living(AccountNo::new(no)).await)
            .await
            .expect("its row");
        assert_eq!(
            (living.state, living.locale),
            (AccountState::Erased, None),
            "round {no}"
        );
    }
}
