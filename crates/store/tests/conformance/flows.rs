use rightful_core::AccountNo;
use rightful_core::assurance::{Born, Method, Proofs};
use rightful_core::flow::Purpose;
use rightful_store::StoreError;
use rightful_store::flow::{Flow, NewFlow};

use crate::support::{
    Engine, NOW, ROUNDS, RUNNERS, TestStore, add_accounts, digest, new_flow, on_both_engines, race, winners,
};

on_both_engines!(
    a_conversation_comes_back_as_it_began,
    a_conversation_is_found_by_its_token_in_its_home_and_time,
    a_step_changes_token_and_version,
    what_was_seen_before_another_step_writes_nothing,
    a_newer_request_kills_the_older,
    sign_ins_stand_side_by_side,
    expired_conversations_make_room,
    of_many_who_spend_a_conversation_one_does,
    of_many_who_take_a_step_one_does,
    of_those_who_spend_and_those_who_step_one_comes_first,
    of_many_requests_at_once_one_lives,
);

const ONE: AccountNo = AccountNo::new(1);

async fn begin(store: &TestStore, new: NewFlow) {
    store.done(async move |tx| tx.begin_flow(&new).await).await;
}

async fn find(store: &TestStore, number: i64) -> Option<Flow> {
    store.asked(async move |tx| tx.flow(0, digest(number), NOW).await).await
}

async fn begun(store: &TestStore, number: i64) -> Flow {
    begin(store, new_flow(1, number, Purpose::SignIn)).await;
    find(store, number).await.expect("the conversation")
}

async fn a_conversation_comes_back_as_it_began(engine: Engine) {
    let store = TestStore::new(engine).await;
    for (number, purpose) in (1..).zip(Purpose::ALL) {
        let new = NewFlow {
            born: Born { epoch: 4, mark: 2 },
            proofs: Proofs::NONE.with(Method::MailCode).with(Method::App),
            body: "{\"name\":\"ä\u{1F511}\"}".into(),
            ..new_flow(1, number, purpose)
        };
        begin(&store, new.clone()).await;
        let expected = Flow {
            home: 0,
            token_hash: digest(number),
            purpose,
            account: Some(ONE),
            born: new.born,
            proofs: new.proofs,
            body: new.body,
            version: 1,
            made_at: NOW,
            expires_at: new.expires_at,
        };
        assert_eq!(find(&store, number).await, Some(expected));
    }
}

async fn a_conversation_is_found_by_its_token_in_its_home_and_time(engine: Engine) {
    let store = TestStore::new(engine).await;
    let of_nobody = NewFlow {
        home: -77,
        account: None,
        ..new_flow(1, 1, Purpose::Return)
    };
    begin(&store, of_nobody).await;
    for (home, token, seconds, there) in [
        (-77, digest(1), 0, true),
        (-77, digest(1), 899, true),
        (-77, digest(1), 900, false),
        (0, digest(1), 0, false),
        (-77, digest(2), 0, false),
    ] {
        let now = NOW.plus_seconds(seconds);
        let found = store.asked(async move |tx| tx.flow(home, token, now).await).await;
        assert_eq!(found.is_some(), there, "home {home}, after {seconds} s");
        assert!(found.is_none_or(|flow| flow.account.is_none()));
    }
}

async fn a_step_changes_token_and_version(engine: Engine) {
    let store = TestStore::new(engine).await;
    let seen = begun(&store, 1).await;
    let next = Flow {
        proofs: Proofs::NONE.with(Method::Password),
        body: "{\"step\":2}".into(),
        ..seen.clone()
    };
    let (written, expected) = (next.clone(), next.clone());
    assert!(
        store
            .done(async move |tx| tx.advance_flow(&written, digest(2)).await)
            .await
    );
    assert_eq!(find(&store, 1).await, None, "the old token is dead");
    let found = find(&store, 2).await.expect("the conversation");
    let expected = Flow {
        token_hash: digest(2),
        version: 2,
        ..expected
    };
    assert_eq!(found, expected);
    assert!(
        store
            .done(async move |tx| tx.advance_flow(&found, digest(2)).await)
            .await
    );
    assert_eq!(find(&store, 2).await.expect("under the same token").version, 3);
}

async fn what_was_seen_before_another_step_writes_nothing(engine: Engine) {
    let store = TestStore::new(engine).await;
    let seen = begun(&store, 1).await;
    let first = seen.clone();
    assert!(
        store
            .done(async move |tx| tx.advance_flow(&first, digest(1)).await)
            .await
    );
    let late = Flow {
        body: "{\"late\":true}".into(),
        ..seen
    };
    let stale = late.clone();
    let written = store
        .done(async move |tx| {
            Ok([
                tx.advance_flow(&stale, digest(3)).await?,
                tx.spend_flow(&stale, NOW).await?,
            ])
        })
        .await;
    assert_eq!(written, [false, false]);
    let now = find(&store, 1).await.expect("the conversation");
    assert_eq!((now.version, now.body.as_str()), (2, "{}"));
    let spent = store
        .done(async move |tx| {
            Ok([
                tx.spend_flow(&now, NOW).await?,
                tx.spend_flow(&now, NOW).await?,
                tx.advance_flow(&now, digest(4)).await?,
            ])
        })
        .await;
    assert_eq!(spent, [true, false, false]);
    assert_eq!(find(&store, 1).await, None);
}

async fn a_newer_request_kills_the_older(engine: Engine) {
    let store = TestStore::new(engine).await;
    for (no, number, purpose) in [
        (1, 1, Purpose::Return),
        (1, 2, Purpose::NewAddress),
        (2, 3, Purpose::Return),
    ] {
        begin(&store, new_flow(no, number, purpose)).await;
    }
    let refused = store
        .write(async move |tx| tx.begin_flow(&new_flow(1, 4, Purpose::Return)).await)
        .await;
    assert!(matches!(refused, Err(StoreError::Contention { .. })), "{refused:?}");
    let ended = store
        .done(async move |tx| {
            let ended = tx.end_flows(ONE, Purpose::Return, NOW).await?;
            tx.begin_flow(&new_flow(1, 5, Purpose::Return)).await?;
            Ok(ended)
        })
        .await;
    assert_eq!(ended, 1);
    for (number, lives) in [(1, false), (2, true), (3, true), (4, false), (5, true)] {
        assert_eq!(find(&store, number).await.is_some(), lives, "{number}");
    }
}

async fn sign_ins_stand_side_by_side(engine: Engine) {
    let store = TestStore::new(engine).await;
    for number in 1..=3 {
        begun(&store, number).await;
        let of_nobody = NewFlow {
            account: None,
            ..new_flow(1, 10 + number, Purpose::Return)
        };
        begin(&store, of_nobody).await;
    }
    assert_eq!(
        store.number("SELECT COUNT(*) FROM flow WHERE spent_at IS NULL").await,
        6
    );
}

async fn expired_conversations_make_room(engine: Engine) {
    let store = TestStore::new(engine).await;
    begun(&store, 1).await;
    begin(&store, new_flow(5000, 2, Purpose::SignIn)).await;
    let drop_before = async |seconds: i64| {
        store
            .done(async move |tx| tx.drop_expired_flows(0, NOW.plus_seconds(seconds)).await)
            .await
    };
    assert_eq!(drop_before(900).await, 0);
    assert_eq!(drop_before(901).await, 1);
    assert_eq!(
        store.number("SELECT COUNT(*) FROM flow").await,
        1,
        "those of another home stay"
    );
}

async fn of_many_who_spend_a_conversation_one_does(engine: Engine) {
    let store = TestStore::new(engine).await;
    let nodes = [store.store.clone(), store.second_node().await];
    for round in 1..=ROUNDS {
        let seen = begun(&store, round).await;
        let spent = race(50, |number| {
            let (store, seen) = (nodes[number % 2].clone(), seen.clone());
            async move { store.write(async move |tx| tx.spend_flow(&seen, NOW).await).await }
        })
        .await;
        assert_eq!(winners(&spent), 1, "round {round}");
    }
}

async fn of_many_who_take_a_step_one_does(engine: Engine) {
    let store = TestStore::new(engine).await;
    for round in 1..=ROUNDS {
        let seen = begun(&store, round).await;
        // Half of them under new tokens, as after a proof; half under the same.
        let stepped = race(50, |number| {
            let (store, seen) = (store.store.clone(), seen.clone());
            let to = if number % 2 == 0 {
                seen.token_hash
            } else {
                digest(1_000_000 + number)
            };
            async move { store.write(async move |tx| tx.advance_flow(&seen, to).await).await }
        })
        .await;
        assert_eq!(winners(&stepped), 1, "round {round}");
        assert_eq!(store.number("SELECT CAST(SUM(version) AS BIGINT) FROM flow").await, 2);
        store.raw("DELETE FROM flow").await.expect("room for the next");
    }
}

async fn of_those_who_spend_and_those_who_step_one_comes_first(engine: Engine) {
    let store = TestStore::new(engine).await;
    for round in 1..=ROUNDS {
        let seen = begun(&store, round).await;
        let written = race(RUNNERS, |number| {
            let (store, seen) = (store.store.clone(), seen.clone());
            async move {
                store
                    .write(async move |tx| match number % 2 {
                        0 => tx.spend_flow(&seen, NOW).await,
                        _ => tx.advance_flow(&seen, seen.token_hash).await,
                    })
                    .await
            }
        })
        .await;
        assert_eq!(winners(&written), 1, "round {round}");
    }
}

/// Two requests for a code at the same moment each ended what they saw, which was not yet the other: two codes lived.
async fn of_many_requests_at_once_one_lives(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, 1..=ROUNDS).await;
    for no in 1..=ROUNDS {
        let begun = race(8, |number| {
            let store = store.store.clone();
            async move {
                let number = 100 * no + i64::try_from(number).expect("a small number");
                store
                    .write(async move |tx| {
                        tx.end_flows(AccountNo::new(no), Purpose::Return, NOW).await?;
                        tx.begin_flow(&new_flow(no, number, Purpose::Return)).await
                    })
                    .await
            }
        })
        .await;
        assert!(
            begun
                .iter()
                .all(|begun| matches!(begun, Ok(()) | Err(StoreError::Contention { .. }))),
            "{begun:?}"
        );
        let live = format!("SELECT COUNT(*) FROM flow WHERE account_no = {no} AND spent_at IS NULL");
        assert_eq!(store.number(&live).await, 1, "round {no}");
    }
}
