use std::collections::HashSet;

use rightful_core::{AccountNo, PublicId};
use rightful_store::StoreError;
use rightful_store::account::{NewContact, NewName};
use rightful_store::identifier::{id_key, reference_key};

use crate::support::{Engine, NOW, TestStore, add_accounts, new_account, on_both_engines, race};

on_both_engines!(
    accounts_come_back_as_they_were_added,
    a_name_that_is_taken_refuses_the_whole_batch,
    a_key_names_its_account_until_nobody_has_it,
    many_keys_are_looked_up_at_once,
    an_account_is_given_more_names,
    the_names_of_one_batch_may_not_clash,
    pages_show_every_account_once,
    match_keys_name_every_account_that_shares_them,
    blocks_of_numbers_are_handed_out_once,
    of_many_who_register_one_name_one_gets_it,
);

async fn accounts_come_back_as_they_were_added(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1, 2, 4095, 4096, 9000]).await;
    let numbers: Vec<_> = [9000, 4096, 1, 7].map(AccountNo::new).into();
    let views = store
        .read(async move |tx| tx.match_views(&numbers).await)
        .await
        .expect("views");
    assert_eq!(
        views.iter().map(|view| view.account.no.get()).collect::<Vec<_>>(),
        [1, 4096, 9000]
    );
    for view in views {
        let was = new_account(view.account.no.get());
        assert_eq!(view.account.public_id, was.public_id);
        assert_eq!(view.account.reference, was.reference);
        assert_eq!((view.account.epoch, view.account.version), (1, 1));
        let given = |name: &NewName| name.given.clone();
        assert_eq!(
            view.names.iter().map(|name| name.given.clone()).collect::<Vec<_>>(),
            was.names.iter().map(given).collect::<Vec<_>>()
        );
        assert_eq!(view.passwords.len(), 1);
        assert_eq!(view.passwords[0].sealed, was.password.expect("it has one").sealed);
        assert!(view.passwords[0].current && view.passwords[0].password_no == 1);
        let no = view.account.no;
        let contacts = store
            .read(async move |tx| tx.contacts(no).await)
            .await
            .expect("contacts");
        assert_eq!(contacts.len(), 1);
        assert_eq!(contacts[0].address, was.contacts[0].address);
        assert_eq!(contacts[0].verified_at, Some(NOW));
    }
}

async fn a_name_that_is_taken_refuses_the_whole_batch(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1]).await;
    let mut second = new_account(2);
    second.names[0].key = new_account(1).names[0].key.clone();
    let batch = [new_account(3), second];
    let refused = store.write(async move |tx| tx.insert_accounts(&batch).await).await;
    assert!(matches!(refused, Err(StoreError::AlreadyExists)), "{refused:?}");
    let left = store
        .read(async move |tx| tx.count_accounts().await)
        .await
        .expect("a count");
    assert_eq!(left, 1);
}

async fn a_key_names_its_account_until_nobody_has_it(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [5]).await;
    let new = new_account(5);
    let keys = [
        (new.names[0].key.clone(), Some(5)),
        (new.names[1].key.clone(), Some(5)),
        (id_key(new.public_id), Some(5)),
        (reference_key("r5"), Some(5)),
        (id_key(PublicId(uuid::Uuid::from_u128(6))), None),
        ("r5".to_owned(), None),
    ];
    for (key, account) in keys {
        let asked = key.clone();
        let found = store
            .read(async move |tx| tx.account_by_key(&asked).await)
            .await
            .expect("an answer");
        assert_eq!(found, account.map(AccountNo::new), "{key}");
    }
    store
        .raw("UPDATE identifier SET state = 'released' WHERE name_key = 'owner5'")
        .await
        .expect("released");
    let found = store
        .read(async move |tx| tx.account_by_key("owner5").await)
        .await
        .expect("an answer");
    assert_eq!(found, None);
}

async fn many_keys_are_looked_up_at_once(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, 1..=400).await;
    let keys: Vec<String> = (1..=700).map(|no| format!("owner{no}@example.org")).collect();
    let found = store
        .read(async move |tx| tx.accounts_by_keys(&keys).await)
        .await
        .expect("an answer");
    assert_eq!(found.len(), 400);
    for known in found {
        assert_eq!(known.name_key, format!("owner{}@example.org", known.account.get()));
        assert!(known.live);
    }
    let none = store
        .read(async move |tx| tx.accounts_by_keys(&[]).await)
        .await
        .expect("an answer");
    assert!(none.is_empty());
}

async fn an_account_is_given_more_names(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1, 2]).await;
    let names = [NewName {
        kind: "phone".into(),
        key: "+4930123456".into(),
        given: "030 123456".into(),
    }];
    let contacts = [NewContact {
        kind: "phone".into(),
        address: "+4930123456".into(),
        verified_at: None,
    }];
    let keys = [b"+4930123456".to_vec()];
    let (more, contact) = (names.clone(), contacts.clone());
    store
        .write(async move |tx| tx.extend_account(AccountNo::new(1), &more, &contact, &keys, NOW).await)
        .await
        .expect("more names");
    let view = store
        .read(async move |tx| tx.match_views(&[AccountNo::new(1)]).await)
        .await
        .expect("a view")
        .remove(0);
    assert_eq!(
        view.names.iter().map(|name| &*name.given).collect::<Vec<_>>(),
        ["Owner1@example.org", "owner1", "030 123456"]
    );
    assert_eq!(view.account.version, 2);
    let contacts = store
        .read(async move |tx| tx.contacts(AccountNo::new(1)).await)
        .await
        .expect("contacts");
    assert_eq!(
        contacts.iter().map(|contact| contact.contact_no).collect::<Vec<_>>(),
        [1, 2]
    );
    let refused = store
        .write(async move |tx| tx.extend_account(AccountNo::new(2), &names, &[], &[], NOW).await)
        .await;
    assert!(matches!(refused, Err(StoreError::AlreadyExists)), "{refused:?}");
}

async fn the_names_of_one_batch_may_not_clash(engine: Engine) {
    let store = TestStore::new(engine).await;
    let mut second = new_account(2);
    second.names[1].key = "owner1".into();
    let batch = [new_account(1), second];
    let refused = store.write(async move |tx| tx.insert_accounts(&batch).await).await;
    assert!(matches!(refused, Err(StoreError::AlreadyExists)), "{refused:?}");
}

async fn pages_show_every_account_once(engine: Engine) {
    let store = TestStore::new(engine).await;
    for _ in 0..3 {
        store
            .write(async move |tx| tx.take_account_block().await)
            .await
            .expect("numbers");
    }
    // Nothing lies in the second block.
    let numbers = [1, 2, 3, 4, 5, 4095, 8192, 8200, 12287];
    add_accounts(&store, numbers).await;
    let mut seen = Vec::new();
    loop {
        let after = seen.last().copied();
        let page = store
            .read(async move |tx| tx.account_page(after, 2).await)
            .await
            .expect("a page");
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 2);
        seen.extend(page.iter().map(|account| account.no));
    }
    assert_eq!(seen, numbers.map(AccountNo::new));
}

async fn match_keys_name_every_account_that_shares_them(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1, 2, 3]).await;
    let keys = store
        .read(async move |tx| {
            let mut keys = Vec::new();
            tx.each_match_key(|key, account| keys.push((key.to_vec(), account.get())))
                .await?;
            let counted = tx.count_match_keys().await?;
            Ok((keys, counted))
        })
        .await
        .expect("the keys");
    let (mut keys, counted) = keys;
    assert_eq!(counted, keys.len() as u64);
    keys.sort();
    let own = |no: i64| (format!("owner{no}@example.org").into_bytes(), no);
    let shared = |no: i64| (b"shared".to_vec(), no);
    assert_eq!(keys, [own(1), own(2), own(3), shared(1), shared(2), shared(3)]);
}

async fn blocks_of_numbers_are_handed_out_once(engine: Engine) {
    let store = TestStore::new(engine).await;
    let taken = race(50, |_| {
        let store = store.store.clone();
        async move {
            store
                .write(async move |tx| tx.take_account_block().await)
                .await
                .expect("a block")
        }
    })
    .await;
    let starts: HashSet<i64> = taken.iter().map(|numbers| numbers.start).collect();
    assert_eq!(starts.len(), 50);
    for numbers in &taken {
        let first = if numbers.start == 1 { 0 } else { numbers.start };
        assert_eq!(
            (first % 4096, numbers.end),
            (0, first + 4096),
            "a block is aligned and whole"
        );
    }
    assert!(starts.contains(&1), "numbers begin at 1");
    assert_eq!(
        store.read(async move |tx| tx.blocks().await).await.expect("a number"),
        50
    );
}

async fn of_many_who_register_one_name_one_gets_it(engine: Engine) {
    let store = TestStore::new(engine).await;
    let outcomes = race(50, |number| {
        let store = store.store.clone();
        async move {
            let mut account = new_account(1 + i64::try_from(number).expect("a small number"));
            account.names[0].key = "wanted@example.org".into();
            let batch = [account];
            store.write(async move |tx| tx.insert_accounts(&batch).await).await
        }
    })
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, Ok(()) | Err(StoreError::AlreadyExists))),
        "{outcomes:?}"
    );
    assert_eq!(store.number("SELECT COUNT(*) FROM account").await, 1);
    assert_eq!(store.number("SELECT COUNT(*) FROM identifier").await, 4);
}
