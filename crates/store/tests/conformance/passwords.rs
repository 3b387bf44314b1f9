use rightful_core::AccountNo;
use rightful_store::StoreError;
use rightful_store::account::NewAccount;
use rightful_store::exposure::Untested;
use rightful_store::leak::LeakBatch;
use rightful_store::password::{NewPassword, Replacement, StoredPassword, Wrapping};

use crate::support::{
    Engine, NOW, RUNNERS, TestStore, add_accounts, begin_leak, new_account, on_both_engines, password, race, winners,
};

on_both_engines!(
    a_new_password_leaves_a_former_one_and_its_digest,
    a_first_password_needs_none_before_it,
    of_many_who_change_a_password_one_does,
    leaked_hashes_wait_for_the_old_password_only,
    weak_hashes_are_wrapped_once,
    a_password_changed_meanwhile_is_not_wrapped,
    the_current_password_is_found,
    of_many_who_put_a_stronger_hash_one_does,
    a_password_changed_meanwhile_gets_no_stronger_hash,
    an_owner_is_told_once_for_each_password,
    of_each_password_it_is_noted_whether_it_is_known_to_be_long_enough,
);

const ACCOUNT: AccountNo = AccountNo::new(4097);

fn replacement(seen: Option<i64>, sealed: &str) -> Replacement {
    let replaced_digest = seen.map(|seen| format!("digest of {seen}").into_bytes());
    Replacement {
        account: ACCOUNT,
        seen,
        password: password(sealed),
        replaced_digest,
        now: NOW.plus_seconds(60),
    }
}

async fn a_new_password_leaves_a_former_one_and_its_digest(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [ACCOUNT.get()]).await;
    for seen in [1, 2] {
        let change = replacement(Some(seen), &format!("new {}", seen + 1));
        let version = store
            .write(async move |tx| tx.replace_password(&change).await)
            .await
            .expect("a new password");
        assert_eq!(version, seen + 1);
    }
    let view = store
        .read(async move |tx| tx.match_views(&[ACCOUNT]).await)
        .await
        .expect("a view")
        .remove(0);
    let seen: Vec<_> = view
        .passwords
        .iter()
        .map(|password| (password.password_no, password.current, &*password.sealed))
        .collect();
    assert_eq!(
        seen,
        [
            (1, false, &b"sealed 4097"[..]),
            (2, false, b"new 2"),
            (3, true, b"new 3")
        ]
    );
    assert_eq!(view.passwords[0].changed_at, NOW.plus_seconds(60));
    assert_eq!(view.account.epoch, 3);
    let mut digests = view.replaced;
    digests.sort();
    assert_eq!(digests, [b"digest of 1".to_vec(), b"digest of 2".to_vec()]);

    let stale = replacement(Some(2), "too late");
    let refused = store.write(async move |tx| tx.replace_password(&stale).await).await;
    assert!(
        matches!(refused, Err(StoreError::Changed { what: "password" })),
        "{refused:?}"
    );
    assert_eq!(store.number("SELECT epoch FROM account").await, 3);
}

async fn a_first_password_needs_none_before_it(engine: Engine) {
    let store = TestStore::new(engine).await;
    let mut without = new_account(ACCOUNT.get());
    without.password = None;
    store
        .write(async move |tx| tx.insert_accounts(&[without.clone()]).await)
        .await
        .expect("an account");
    for expected in [Ok(1), Err(())] {
        let change = replacement(None, "first");
        let outcome = store.write(async move |tx| tx.replace_password(&change).await).await;
        match expected {
            Ok(version) => assert_eq!(outcome.expect("a first password"), version),
            Err(()) => assert!(matches!(outcome, Err(StoreError::Changed { .. })), "{outcome:?}"),
        }
    }
}

async fn of_many_who_change_a_password_one_does(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [ACCOUNT.get()]).await;
    let outcomes = race(50, |number| {
        let store = store.store.clone();
        async move {
            let change = replacement(Some(1), &format!("from {number}"));
            store.write(async move |tx| tx.replace_password(&change).await).await
        }
    })
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, Ok(2) | Err(StoreError::Changed { .. }))),
        "{outcomes:?}"
    );
    assert_eq!(store.number("SELECT COUNT(*) FROM password").await, 2);
    assert_eq!(store.number("SELECT epoch FROM account").await, 2);
}

async fn leaked_hashes_wait_for_the_old_password_only(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [ACCOUNT.get()]).await;
    let leak = begin_leak(&store, "a leak").await;
    let waiting = Untested {
        account: ACCOUNT,
        secret_tag: vec![1],
        sealed: vec![2],
        found_at: NOW,
        expires_at: NOW.plus_seconds(3600),
    };
    let batch = LeakBatch {
        untested: vec![waiting.clone()],
        tallies: "{}".into(),
        ..LeakBatch::default()
    };
    store
        .write(async move |tx| tx.leak_commit_batch(&leak, &batch).await.map(drop))
        .await
        .expect("a batch");
    let there = store
        .read(async move |tx| tx.untested(ACCOUNT).await)
        .await
        .expect("untested hashes");
    assert!(there.len() == 1 && there[0].1 == waiting);
    let change = replacement(Some(1), "new");
    store
        .write(async move |tx| tx.replace_password(&change).await.map(drop))
        .await
        .expect("a new password");
    let left = store
        .read(async move |tx| tx.untested(ACCOUNT).await)
        .await
        .expect("untested hashes");
    assert!(left.is_empty());
}

/// Accounts 1 to 10 with weak hashes.
async fn weak_accounts(engine: Engine) -> TestStore {
    let store = TestStore::new(engine).await;
    let accounts: Vec<_> = (1..=10)
        .map(|no| {
            let mut account = new_account(no);
            account.password = Some(NewPassword {
                weak: true,
                kind: "md5".into(),
                ..password(&format!("weak {no}"))
            });
            account
        })
        .collect();
    store
        .write(async move |tx| tx.insert_accounts(&accounts).await)
        .await
        .expect("accounts");
    store
}

async fn weak_hashes_are_wrapped_once(engine: Engine) {
    let store = weak_accounts(engine).await;
    let change = Replacement {
        account: AccountNo::new(4),
        ..replacement(Some(1), "strong by now")
    };
    store
        .write(async move |tx| tx.replace_password(&change).await.map(drop))
        .await
        .expect("a new password");
    let mut after = (0, 0);
    let mut wrapped = 0;
    loop {
        let page = store
            .read(async move |tx| tx.weak_passwords(0, after, 3).await)
            .await
            .expect("weak hashes");
        let Some(last) = page.last() else { break };
        after = (last.account.get(), last.password_no);
        for seen in page {
            let wrapping = Wrapping {
                sealed: [b"wrapped ", &seen.sealed[..]].concat(),
                kind: "argon2id+md5".into(),
                replaced_digest: [b"digest ", &seen.sealed[..]].concat(),
                seen,
                now: NOW,
            };
            let again = wrapping.clone();
            assert!(
                store
                    .write(async move |tx| tx.wrap_password(&wrapping).await)
                    .await
                    .expect("wrapped")
            );
            assert!(
                !store
                    .write(async move |tx| tx.wrap_password(&again).await)
                    .await
                    .expect("done already")
            );
            wrapped += 1;
        }
    }
    assert_eq!(wrapped, 10, "the former password of account 4 too");
    assert_eq!(
        store
            .read(async move |tx| tx.count_weak_passwords().await)
            .await
            .expect("a count"),
        0
    );
    let view = store
        .read(async move |tx| tx.match_views(&[AccountNo::new(4)]).await)
        .await
        .expect("a view")
        .remove(0);
    assert_eq!(view.passwords[0].sealed, b"wrapped weak 4");
    assert!(!view.passwords[0].current && view.passwords[1].current);
    assert!(view.replaced.contains(&b"digest weak 4".to_vec()));
    let kinds = store
        .read(async move |tx| tx.password_kinds().await)
        .await
        .expect("kinds");
    assert_eq!(kinds, [("argon2id+md5".to_owned(), 9), ("bcrypt".to_owned(), 1)]);
}

async fn a_password_changed_meanwhile_is_not_wrapped(engine: Engine) {
    let store = weak_accounts(engine).await;
    let seen = store
        .read(async move |tx| tx.weak_passwords(0, (0, 0), 1).await)
        .await
        .expect("a weak hash")
        .remove(0);
    store
        .raw("UPDATE password SET weak = 0 WHERE account_no = 1")
        .await
        .expect("changed");
    let wrapping = Wrapping {
        sealed: b"w".to_vec(),
        kind: "k".into(),
        replaced_digest: b"d".to_vec(),
        seen,
        now: NOW,
    };
    assert!(
        !store
            .write(async move |tx| tx.wrap_password(&wrapping).await)
            .await
            .expect("an answer")
    );
    assert_eq!(store.number("SELECT COUNT(*) FROM replaced_hash").await, 0);
}

async fn the_current_password_is_found(engine: Engine) {
    let store = TestStore::new(engine).await;
    let without = NewAccount {
        password: None,
        ..new_account(1)
    };
    store
        .done(async move |tx| tx.insert_accounts(std::slice::from_ref(&without)).await)
        .await;
    add_accounts(&store, [ACCOUNT.get()]).await;
    let change = replacement(Some(1), "new 2");
    store.done(async move |tx| tx.replace_password(&change).await).await;
    let found = current(&store, ACCOUNT).await.expect("a password");
    assert_eq!((found.account, found.password_no, found.current), (ACCOUNT, 2, true));
    assert!(found.sealed == b"new 2");
    assert!(current(&store, AccountNo::new(1)).await.is_none());
}

async fn current(store: &TestStore, account: AccountNo) -> Option<StoredPassword> {
    store.asked(async move |tx| tx.current_password(account).await).await
}

/// A stronger hash of what is the password now.
async fn stronger(store: &TestStore, number: usize) -> Wrapping {
    Wrapping {
        sealed: format!("stronger {number}").into(),
        kind: "argon2id".into(),
        replaced_digest: b"digest of the weaker".to_vec(),
        seen: current(store, ACCOUNT).await.expect("a password"),
        now: NOW.plus_seconds(60),
    }
}

async fn of_many_who_put_a_stronger_hash_one_does(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [ACCOUNT.get()]).await;
    let wrapping = stronger(&store, 0).await;
    let put = race(RUNNERS, |number| {
        let store = store.store.clone();
        let wrapping = Wrapping {
            sealed: format!("stronger {number}").into(),
            ..wrapping.clone()
        };
        async move { store.write(async move |tx| tx.rehash_password(&wrapping).await).await }
    })
    .await;
    assert_eq!(winners(&put), 1);
    let winner = put.iter().position(|put| matches!(put, Ok(true))).expect("one");
    let found = current(&store, ACCOUNT).await.expect("a password");
    assert!(found.sealed == format!("stronger {winner}").into_bytes());
    assert_eq!(
        (found.password_no, found.kind.as_str()),
        (1, "argon2id"),
        "the same password"
    );
    let digests = store.asked(async move |tx| tx.replaced_digests(&[ACCOUNT]).await).await;
    assert_eq!(digests, [(ACCOUNT, b"digest of the weaker".to_vec())]);
}

async fn a_password_changed_meanwhile_gets_no_stronger_hash(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [ACCOUNT.get()]).await;
    let late = stronger(&store, 0).await;
    let change = replacement(Some(1), "new 2");
    store.done(async move |tx| tx.replace_password(&change).await).await;
    assert!(!store.done(async move |tx| tx.rehash_password(&late).await).await);
    let found = current(&store, ACCOUNT).await.expect("a password");
    assert!(found.sealed == b"new 2");
    let former = "SELECT COUNT(*) FROM password WHERE state = 'former' AND kind = 'bcrypt'";
    assert_eq!(store.number(former).await, 1);
}

async fn an_owner_is_told_once_for_each_password(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [ACCOUNT.get()]).await;
    for version in [1, 2] {
        let told = race(RUNNERS, |_| {
            let store = store.store.clone();
            async move {
                store
                    .write(async move |tx| tx.password_told(ACCOUNT, version, NOW).await)
                    .await
            }
        })
        .await;
        assert_eq!(winners(&told), 1, "version {version}");
        let change = replacement(Some(version), "the next");
        store.done(async move |tx| tx.replace_password(&change).await).await;
    }
    assert!(
        !store
            .done(async move |tx| tx.password_told(ACCOUNT, 9, NOW).await)
            .await,
        "there is none"
    );
}

async fn of_each_password_it_is_noted_whether_it_is_known_to_be_long_enough(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [ACCOUNT.get(), 1]).await;
    let alone = async |no| {
        let current = store.asked(async move |tx| tx.current_password(no).await).await;
        current.expect("a password").alone
    };
    assert!(!alone(ACCOUNT).await, "nobody knows");
    let learn = |no, version| async move |tx: &mut rightful_store::Tx| tx.password_alone(no, version).await;
    store.done(learn(ACCOUNT, 2)).await;
    assert!(!alone(ACCOUNT).await, "of another version");
    store.done(learn(ACCOUNT, 1)).await;
    assert!(alone(ACCOUNT).await);
    assert!(!alone(AccountNo::new(1)).await, "nobody else's");
    // Of a new one it is said anew.
    for (seen, known) in [(1, false), (2, true)] {
        let mut change = replacement(Some(seen), "another");
        change.password.alone = known;
        store
            .done(async move |tx| tx.replace_password(&change).await.map(drop))
            .await;
        assert_eq!(alone(ACCOUNT).await, known);
    }
}
