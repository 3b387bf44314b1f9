use std::collections::HashSet;

use rightful_core::contact::Reach;
use rightful_core::{AccountNo, PublicId};
use rightful_store::StoreError;
use rightful_store::account::{AccountState, Contact, Living, NewContact, NewName};
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
    what_is_known_of_a_contact_is_kept,
    what_is_looked_at_with_every_request_is_kept,
    a_name_that_was_given_up_names_nobody_and_is_free_when_it_is_forgotten,
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

async fn what_is_known_of_a_contact_is_kept(engine: Engine) {
    const ONE: AccountNo = AccountNo::new(1);
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1, 2]).await;
    let unproved = [NewContact {
        kind: "email".into(),
        address: "second@example.org".into(),
        verified_at: None,
    }];
    let (proved, dated, replaced) = (NOW.plus_seconds(1), NOW.plus_seconds(2), NOW.plus_seconds(3));
    let first_time = store
        .done(async move |tx| {
            tx.extend_account(ONE, &[], &unproved, &[], NOW).await?;
            for contact_no in [1, 2] {
                tx.verify_contact(ONE, contact_no, proved).await?;
            }
            tx.date_contact(ONE, 2, dated).await?;
            tx.set_reach(ONE, 1, Reach::Dead).await?;
            Ok([
                tx.replace_contact(ONE, 1, replaced).await?,
                tx.replace_contact(ONE, 1, NOW).await?,
                tx.replace_contact(ONE, 3, NOW).await?,
            ])
        })
        .await;
    assert_eq!(first_time, [true, false, false]);
    let first = Contact {
        contact_no: 1,
        kind: "email".into(),
        address: "owner1@example.org".into(),
        // It was proved before, which still counts.
        verified_at: Some(NOW),
        replaced_at: Some(replaced),
        added_at: None,
        reach: Reach::Dead,
    };
    let second = Contact {
        contact_no: 2,
        address: "second@example.org".into(),
        verified_at: Some(proved),
        replaced_at: None,
        added_at: Some(dated),
        reach: Reach::Good,
        ..first.clone()
    };
    let contacts = store.asked(async move |tx| tx.contacts(ONE).await).await;
    assert_eq!(contacts, [first, second]);
    let others = store.asked(async move |tx| tx.contacts(AccountNo::new(2)).await).await;
    assert_eq!((others.len(), others[0].reach), (1, Reach::Good));
}

async fn what_is_looked_at_with_every_request_is_kept(engine: Engine) {
    const ONE: AccountNo = AccountNo::new(1);
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1, 2]).await;
    let living = async |no: i64| store.asked(async move |tx| tx.living(AccountNo::new(no)).await).await;
    let mut expected = Living {
        epoch: 1,
        state: AccountState::Open,
        role: "owner".into(),
        locale: None,
        erase_at: None,
    };
    assert_eq!(living(1).await.as_ref(), Some(&expected));
    store
        .done(async move |tx| {
            tx.set_locale(ONE, "de").await?;
            tx.set_role(ONE, "administrator").await?;
            tx.set_erase_at(ONE, Some(NOW)).await?;
            tx.raise_epoch(ONE).await.map(drop)
        })
        .await;
    assert_eq!(living(2).await, Some(expected.clone()));
    assert_eq!(living(3).await, None);
    expected = Living {
        epoch: 2,
        role: "administrator".into(),
        locale: Some("de".into()),
        erase_at: Some(NOW),
        ..expected
    };
    assert_eq!(living(1).await, Some(expected));
    let account = store.asked(async move |tx| tx.account(ONE).await).await;
    assert_eq!(
        account.expect("the account").version,
        4,
        "whoever decided before decides again"
    );
}

async fn a_name_that_was_given_up_names_nobody_and_is_free_when_it_is_forgotten(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1, 2]).await;
    let release = async |no: i64| {
        store
            .done(async move |tx| tx.release_key(AccountNo::new(no), "owner1").await)
            .await
    };
    let claim = async || {
        let names = [NewName {
            kind: "username".into(),
            key: "owner1".into(),
            given: "owner1".into(),
        }];
        store
            .write(async move |tx| tx.extend_account(AccountNo::new(2), &names, &[], &[], NOW).await)
            .await
    };
    let named = async || store.asked(async move |tx| tx.account_by_key("owner1").await).await;
    let forget = async || {
        store.done(async move |tx| tx.drop_released_key("owner1").await).await;
    };
    assert!(!release(2).await, "it is not theirs");
    forget().await;
    assert_eq!(named().await, Some(AccountNo::new(1)), "it was not given up");
    assert!(release(1).await && !release(1).await);
    assert_eq!(named().await, None);
    assert!(matches!(claim().await, Err(StoreError::AlreadyExists)));
    forget().await;
    claim().await.expect("it is free");
    assert_eq!(named().await, Some(AccountNo::new(2)));
}
