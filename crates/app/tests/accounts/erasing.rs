//! Nothing that names an erased account is left.

use rightful_core::identifier::{DefaultRegion, Identifier, MatchKey};
use rightful_core::{AccountNo, PublicId};
use rightful_store::Tx;
use rightful_store::account::{NewAccount, NewContact, NewName};
use rightful_testkit::app::TestApp;
use rightful_testkit::databases::Engine;
use uuid::Uuid;

use crate::on_both_engines;

on_both_engines!(
    no_key_of_an_erased_account_is_left,
    a_name_that_comes_while_an_account_is_erased_leaves_no_key,
);

/// The rows that find an account, by its number.
async fn keys(app: &TestApp, account: AccountNo) -> usize {
    let mut found = 0;
    for table in ["identifier", "match_key"] {
        let rows = format!("SELECT 'one' FROM {table} WHERE account_no = {}", account.get());
        found += app.texts(&rows).await.len();
    }
    found
}

fn name(identifier: &Identifier) -> NewName {
    NewName {
        kind: identifier.sign_in_key().kind().word().to_owned(),
        key: identifier.sign_in_key().text().to_owned(),
        given: identifier.given().to_owned(),
    }
}

fn contact(address: &str) -> NewContact {
    NewContact {
        kind: "email".to_owned(),
        address: address.to_owned(),
        verified_at: None,
    }
}

/// An account as an import adds it, under these names, or where there are none by its id alone.
async fn add(app: &TestApp, no: i64, names: &[Identifier], reference: &str) -> AccountNo {
    let account = AccountNo::new(no);
    let mut match_keys: Vec<Vec<u8>> = names.iter().flat_map(|name| name.match_keys().to_vec()).collect();
    if names.is_empty() {
        match_keys.extend(MatchKey::of(reference.as_bytes()).map(|key| key.as_bytes().to_vec()));
    }
    let new = NewAccount {
        no: account,
        public_id: PublicId(Uuid::from_u128(no.unsigned_abs().into())),
        reference: Some(reference.to_owned()),
        role: "none".to_owned(),
        groups: "[]".to_owned(),
        names: names.iter().map(name).collect(),
        match_keys,
        contacts: Vec::new(),
        former: Vec::new(),
        password: None,
        import_no: None,
        created_at: app.now(),
        added_at: app.now(),
    };
    let insert = async move |tx: &mut Tx| tx.insert_accounts(std::slice::from_ref(&new)).await;
    app.site.store.write(insert).await.unwrap();
    account
}

async fn no_key_of_an_erased_account_is_left(engine: Engine) {
    let app = TestApp::new(engine).await;
    app.site
        .store
        .write(async |tx| tx.take_account_block().await)
        .await
        .unwrap();
    let germany = DefaultRegion::from_code("DE");
    let [email, username] = [
        Identifier::email("Änna.B+shop@Bücher.example").unwrap(),
        Identifier::username("Änna_B").unwrap(),
    ];
    let dialled = Identifier::phone("030 123456", germany).unwrap();
    assert_eq!(dialled.match_keys().len(), 2, "as it is dialled there, and from abroad");
    let anna = add(&app, 1, &[email, username, dialled], "r1").await;
    let by_id = add(&app, 2, &[], "Member-0815").await;
    let bystander = add(&app, 3, &[Identifier::email("ben@example.org").unwrap()], "r3").await;

    // A name that was given up since, and an address that is no name of hers.
    let (old, other) = (Identifier::email("old@example.org").unwrap(), "Other@Example.net");
    let other_key = Identifier::email(other).unwrap().match_keys()[0].clone();
    let now = app.now();
    let extend = async move |tx: &mut Tx| {
        let match_keys = [old.match_keys()[0].clone(), other_key.clone()];
        tx.extend_account(anna, &[name(&old)], &[contact(other)], &match_keys, now)
            .await?;
        tx.release_key(anna, old.sign_in_key().text()).await.map(drop)
    };
    app.site.store.write(extend).await.unwrap();
    let before = keys(&app, bystander).await;
    assert_eq!((keys(&app, anna).await, keys(&app, by_id).await, before), (12, 3, 4));
    for account in [anna, by_id] {
        app.erase(account).await;
        assert_eq!(keys(&app, account).await, 0, "{account:?}");
    }
    assert_eq!(keys(&app, bystander).await, before);
}

/// Whoever comes first: the name goes with the account, or is refused.
async fn a_name_that_comes_while_an_account_is_erased_leaves_no_key(engine: Engine) {
    let app = TestApp::new(engine).await;
    let other = app.another_node().await;
    let now = app.now();
    for round in 0..16 {
        let account = app.add_owner(&[&format!("owner{round}@example.org")]).await;
        let plan = async move |tx: &mut Tx| tx.set_erase_at(account, Some(now)).await;
        app.site.store.write(plan).await.unwrap();
        let added = Identifier::email(&format!("another{round}@example.org")).unwrap();
        let extend = async move |tx: &mut Tx| {
            let names = [name(&added)];
            tx.extend_account(account, &names, &[], added.match_keys(), now).await
        };
        let (erased, _) = tokio::join!(other.erase_due(account.block()), app.site.store.write(extend));
        erased.unwrap();
        assert_eq!(keys(&app, account).await, 0, "round {round}");
    }
}
