use rightful_core::AccountNo;
use rightful_core::PublicId;
use rightful_core::assurance::{Acr, Born, Method, Proofs};
use rightful_store::StoreError;
use rightful_store::session::{Browser, ListedSession, NewSession, Session, SessionUse};

use crate::support::{
    BORN, Engine, NOW, ROUNDS, RUNNERS, TestStore, add_accounts, digest, id, new_session, on_both_engines, race,
    winners,
};

on_both_engines!(
    a_session_comes_back_as_it_was_opened,
    a_session_is_found_by_its_token_in_its_block_and_time,
    a_fresh_proof_raises_what_a_session_may,
    a_session_that_moved_is_found_by_its_new_token_alone,
    an_owner_ends_one_the_others_or_all,
    use_is_noted_forwards_only,
    old_sessions_make_room,
    no_session_opens_on_an_account_that_is_gone,
    a_browser_is_recognised_until_that_ends,
    of_many_who_move_a_session_one_does,
    of_many_who_end_a_session_one_does,
    epochs_raised_at_once_are_all_raised,
);

const ONE: AccountNo = AccountNo::new(1);

async fn open(store: &TestStore, new: NewSession) {
    store.done(async move |tx| tx.open_session(&new).await).await;
}

async fn find(store: &TestStore, number: i64) -> Option<Session> {
    store
        .asked(async move |tx| tx.session(0, digest(number), NOW).await)
        .await
}

async fn listed(store: &TestStore, no: i64) -> Vec<ListedSession> {
    store
        .asked(async move |tx| tx.sessions(AccountNo::new(no), NOW).await)
        .await
}

async fn a_session_comes_back_as_it_was_opened(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1]).await;
    let (api, browser) = (
        NewSession {
            used_by: SessionUse::Api,
            born: Born { epoch: 1, mark: 7 },
            acr: Acr::Two,
            proofs: Proofs::NONE.with(Method::Password).with(Method::RecoveryCode),
            browser_id: Some(id(9)),
            proved_at: NOW.plus_seconds(-5),
            made_at: NOW.plus_seconds(-1),
            ..new_session(1, 2)
        },
        new_session(1, 1),
    );
    for new in [browser, api.clone()] {
        open(&store, new).await;
    }
    let session = find(&store, 2).await.expect("the session");
    let expected = Session {
        account: ONE,
        session_id: id(2),
        used_by: api.used_by,
        born: api.born,
        acr: api.acr,
        proofs: api.proofs,
        proved_at: api.proved_at,
        made_at: api.made_at,
        seen_at: api.made_at,
        expires_at: api.expires_at,
        browser_id: Some(id(9)),
        account_epoch: 1,
        account_open: true,
        public_id: PublicId(id(1)),
        role: None,
    };
    assert_eq!(session, expected);
    let list = listed(&store, 1).await;
    let ids: Vec<_> = list.iter().map(|session| session.session_id).collect();
    assert_eq!(ids, [id(2), id(1)], "the oldest first");
    let first = ListedSession {
        session_id: id(2),
        used_by: api.used_by,
        born: api.born,
        acr: api.acr,
        proofs: api.proofs,
        agent: api.agent,
        address: api.address,
        made_at: api.made_at,
        seen_at: api.made_at,
        expires_at: api.expires_at,
    };
    assert_eq!(list[0], first);
}

async fn a_session_is_found_by_its_token_in_its_block_and_time(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1, 5000]).await;
    open(&store, new_session(5000, 1)).await;
    let end = NOW.plus_seconds(3600);
    for (block, token, now, there) in [
        (1, digest(1), NOW, true),
        (1, digest(1), NOW.plus_seconds(3599), true),
        (1, digest(1), end, false),
        (0, digest(1), NOW, false),
        (1, digest(2), NOW, false),
        (1, [0; 32], NOW, false),
    ] {
        let found = store.asked(async move |tx| tx.session(block, token, now).await).await;
        assert_eq!(found.is_some(), there, "block {block}, {now:?}");
    }
    let later = store
        .asked(async move |tx| tx.sessions(AccountNo::new(5000), end).await)
        .await;
    assert_eq!(later, []);
}

async fn a_fresh_proof_raises_what_a_session_may(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1]).await;
    open(&store, new_session(1, 1)).await;
    let (later, both) = (NOW.plus_seconds(9), new_session(1, 1).proofs.with(Method::App));
    let prove = async || {
        store
            .done(async move |tx| tx.session_proved(ONE, digest(1), both, later).await)
            .await
    };
    assert!(prove().await);
    let session = find(&store, 1).await.expect("the session");
    assert_eq!(
        (session.acr, session.proofs, session.proved_at),
        (Acr::Two, both, later)
    );
    store
        .done(async move |tx| tx.end_session(ONE, digest(1), NOW).await)
        .await;
    assert!(!prove().await, "it was ended");
}

async fn a_session_that_moved_is_found_by_its_new_token_alone(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1]).await;
    open(&store, new_session(1, 1)).await;
    let step = async |from: i64, to: i64| {
        store
            .done(async move |tx| {
                let epoch = tx.raise_epoch(ONE).await?;
                tx.move_session(ONE, digest(from), digest(to), epoch).await
            })
            .await
    };
    assert!(step(1, 2).await);
    assert_eq!(find(&store, 1).await, None);
    let session = find(&store, 2).await.expect("the session");
    assert!(session.born.lives(session.account_epoch, 0));
    assert_eq!((session.session_id, session.account_epoch), (id(1), 2));
    assert!(!step(1, 3).await, "the old token is dead");
    store
        .done(async move |tx| tx.end_session(ONE, digest(2), NOW).await)
        .await;
    assert!(!step(2, 4).await, "it was ended");
}

async fn an_owner_ends_one_the_others_or_all(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1, 2]).await;
    for number in 1..=5 {
        open(&store, new_session(1, number)).await;
        open(&store, new_session(2, 10 + number)).await;
    }
    let end_one = async |number: i64| {
        store
            .done(async move |tx| tx.end_one_session(ONE, id(number), NOW).await)
            .await
    };
    assert!(end_one(1).await);
    assert!(!end_one(1).await, "it was ended before");
    assert!(!end_one(11).await, "it is another's");
    let ended = store
        .done(async move |tx| tx.end_other_sessions(ONE, digest(3), NOW).await)
        .await;
    assert_eq!((ended, listed(&store, 1).await.len()), (3, 1));
    assert!(find(&store, 3).await.is_some());
    open(&store, new_session(1, 6)).await;
    let ended = store.done(async move |tx| tx.end_sessions(ONE, NOW).await).await;
    assert_eq!((ended, listed(&store, 1).await), (2, vec![]));
    assert_eq!(listed(&store, 2).await.len(), 5, "nobody else's");
}

async fn use_is_noted_forwards_only(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1]).await;
    open(&store, new_session(1, 1)).await;
    for (seconds, seen) in [(60, 60), (30, 60), (90, 90)] {
        store
            .done(async move |tx| tx.session_seen(0, digest(1), NOW.plus_seconds(seconds)).await)
            .await;
        let session = find(&store, 1).await.expect("the session");
        assert_eq!(session.seen_at, NOW.plus_seconds(seen));
    }
}

async fn old_sessions_make_room(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1, 2]).await;
    for (no, number, made, lasts) in [(1, 1, -100, 10), (1, 2, -100, 500), (1, 3, -5, 10), (2, 4, -100, 10)] {
        let new = NewSession {
            made_at: NOW.plus_seconds(made),
            expires_at: NOW.plus_seconds(made + lasts),
            ..new_session(no, number)
        };
        open(&store, new).await;
    }
    let dropped = store
        .done(async move |tx| tx.drop_old_sessions(ONE, NOW.plus_seconds(-50)).await)
        .await;
    assert_eq!(dropped, 1);
    assert_eq!(store.number("SELECT COUNT(*) FROM session").await, 3);
}

async fn no_session_opens_on_an_account_that_is_gone(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1]).await;
    store
        .done(async move |tx| {
            tx.set_erase_at(ONE, Some(NOW)).await?;
            tx.erase_account(ONE, &[], NOW).await
        })
        .await;
    for no in [1, 2] {
        let refused = store
            .write(async move |tx| tx.open_session(&new_session(no, no)).await)
            .await;
        assert!(
            matches!(refused, Err(StoreError::Changed { what: "account" })),
            "{refused:?}"
        );
        let refused = store
            .write(async move |tx| tx.raise_epoch(AccountNo::new(no)).await)
            .await;
        assert!(
            matches!(refused, Err(StoreError::Changed { what: "account" })),
            "{refused:?}"
        );
    }
}

async fn a_browser_is_recognised_until_that_ends(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1, 2]).await;
    let browser = |no: i64| Browser {
        account: AccountNo::new(no),
        browser_id: id(no),
        mark: 3,
        made_at: NOW,
    };
    let has = async |no: i64| {
        store
            .asked(async move |tx| tx.has_browser(AccountNo::new(no)).await)
            .await
    };
    let find = async |no: i64| store.asked(async move |tx| tx.browser(0, digest(no)).await).await;
    assert!(!has(1).await);
    store
        .done(async move |tx| {
            for no in [1, 2] {
                tx.recognise_browser(&browser(no), digest(no), "Firefox on Linux")
                    .await?;
            }
            tx.browser_seen(0, digest(1), "Firefox on Windows", NOW.plus_seconds(9))
                .await
        })
        .await;
    assert_eq!((find(1).await, find(2).await), (Some(browser(1)), Some(browser(2))));
    let elsewhere = store.asked(async move |tx| tx.browser(1, digest(1)).await).await;
    assert_eq!(elsewhere, None);
    let seen = "SELECT COUNT(*) FROM browser WHERE agent = 'Firefox on Windows' AND seen_at > made_at";
    assert_eq!(store.number(seen).await, 1);
    let ended = store.done(async move |tx| tx.end_browsers(ONE, NOW).await).await;
    assert_eq!((ended, find(1).await), (1, None));
    assert!(has(1).await, "they did sign in on one");
    assert!(find(2).await.is_some(), "nobody else's");
}

async fn of_many_who_move_a_session_one_does(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, 1..=ROUNDS).await;
    for no in 1..=ROUNDS {
        open(&store, new_session(no, no)).await;
        let moved = race(RUNNERS, |number| {
            let (store, to) = (store.store.clone(), digest(1_000_000 + number));
            async move {
                store
                    .write(async move |tx| tx.move_session(AccountNo::new(no), digest(no), to, BORN.epoch).await)
                    .await
            }
        })
        .await;
        assert_eq!(winners(&moved), 1, "round {no}");
        store
            .done(async move |tx| tx.end_sessions(AccountNo::new(no), NOW).await)
            .await;
        store.raw("DELETE FROM session").await.expect("room for the next");
    }
}

async fn of_many_who_end_a_session_one_does(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, 1..=ROUNDS).await;
    for no in 1..=ROUNDS {
        open(&store, new_session(no, no)).await;
        let ended = race(RUNNERS, |_| {
            let store = store.store.clone();
            async move {
                store
                    .write(async move |tx| tx.end_one_session(AccountNo::new(no), id(no), NOW).await)
                    .await
            }
        })
        .await;
        assert_eq!(winners(&ended), 1, "round {no}");
    }
}

async fn epochs_raised_at_once_are_all_raised(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1]).await;
    let raised = race(RUNNERS, |_| {
        let store = store.store.clone();
        async move { store.write(async move |tx| tx.raise_epoch(ONE).await).await }
    })
    .await;
    let mut epochs: Vec<i64> = raised.into_iter().map(|epoch| epoch.expect("raised")).collect();
    epochs.sort_unstable();
    let expected: Vec<i64> = (2..).take(RUNNERS).collect();
    assert_eq!(epochs, expected);
}
