use std::collections::BTreeSet;

use rightful_core::AccountNo;
use rightful_store::StoreError;
use rightful_store::authenticator::App;

use crate::support::{
    Engine, NOW, ROUNDS, RUNNERS, TestStore, add_accounts, digest, new_app, on_both_engines, race, winners,
};

on_both_engines!(
    an_app_comes_back_as_it_was_enrolled,
    an_app_that_ended_leaves_nothing_to_steal,
    steps_go_forward_only,
    a_code_is_spent_once,
    a_new_set_of_codes_kills_the_old,
    of_many_who_take_one_step_one_does,
    steps_that_race_are_each_taken_once_at_most,
    of_many_who_spend_a_code_one_does,
    of_many_who_write_a_set_of_codes_one_whole_set_is_left,
    a_code_of_a_set_that_goes_is_spent_before_or_never,
    apps_that_are_enrolled_at_once_have_numbers_of_their_own,
);

const ONE: AccountNo = AccountNo::new(1);
const TWO: AccountNo = AccountNo::new(2);

async fn enrol(store: &TestStore, account: AccountNo, app: App) {
    store.done(async move |tx| tx.add_app(account, &app).await).await;
}

async fn apps(store: &TestStore, account: AccountNo) -> Vec<App> {
    store.asked(async move |tx| tx.apps(account).await).await
}

async fn take(store: &TestStore, account: AccountNo, app: i64, step: i64) -> bool {
    let now = NOW.plus_seconds(step);
    store
        .done(async move |tx| tx.take_app_step(account, app, step, now).await)
        .await
}

async fn write_codes(store: &TestStore, account: AccountNo, numbers: std::ops::Range<i64>) {
    let digests: Vec<[u8; 32]> = numbers.map(digest).collect();
    store
        .done(async move |tx| tx.replace_recovery_codes(account, &digests, NOW).await)
        .await;
}

async fn spend(store: &TestStore, account: AccountNo, number: i64) -> bool {
    store
        .done(async move |tx| tx.spend_recovery_code(account, digest(number), NOW).await)
        .await
}

async fn left(store: &TestStore, account: AccountNo) -> u64 {
    store
        .asked(async move |tx| tx.count_recovery_codes(account).await)
        .await
}

async fn an_app_comes_back_as_it_was_enrolled(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1, 2]).await;
    let next = async |account| {
        store
            .asked(async move |tx| tx.next_authenticator_no(account).await)
            .await
    };
    assert_eq!(next(ONE).await, 1);
    for number in [1, 2] {
        enrol(&store, ONE, new_app(number)).await;
    }
    assert_eq!((next(ONE).await, next(TWO).await), (3, 1));
    assert!(apps(&store, ONE).await == [new_app(1), new_app(2)]);
    assert!(apps(&store, TWO).await.is_empty());
    let refused = store.write(async move |tx| tx.add_app(ONE, &new_app(2)).await).await;
    assert!(
        matches!(refused, Err(StoreError::Changed { what: "authenticator" })),
        "{refused:?}"
    );
    assert_eq!(format!("{:?}", new_app(1)), "App(1)", "its secret is not shown");
}

async fn an_app_that_ended_leaves_nothing_to_steal(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1, 2]).await;
    for account in [ONE, TWO] {
        enrol(&store, account, new_app(1)).await;
    }
    let end = async || store.done(async move |tx| tx.end_app(ONE, 1, NOW).await).await;
    assert!(end().await);
    assert!(!end().await, "it was ended before");
    assert!(apps(&store, ONE).await.is_empty());
    assert!(!take(&store, ONE, 1, 200).await, "its codes open nothing");
    let next = store.asked(async move |tx| tx.next_authenticator_no(ONE).await).await;
    assert_eq!(next, 2, "a secret is sealed for its number, so no number is used twice");
    let seeds = "SELECT COUNT(*) FROM authenticator WHERE LENGTH(sealed) > 0";
    assert_eq!(store.number(seeds).await, 1, "the other account's");
    assert_eq!(apps(&store, TWO).await.len(), 1);
}

async fn steps_go_forward_only(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1, 2]).await;
    enrol(&store, ONE, new_app(1)).await;
    enrol(&store, ONE, new_app(2)).await;
    for (account, app, step, taken) in [
        (ONE, 1, 100, false),
        (ONE, 1, 101, true),
        (ONE, 1, 101, false),
        (ONE, 1, 100, false),
        (ONE, 1, 105, true),
        (ONE, 1, 104, false),
        (ONE, 2, 101, true),
        (ONE, 3, 200, false),
        (TWO, 1, 200, false),
    ] {
        assert_eq!(
            take(&store, account, app, step).await,
            taken,
            "{account:?} {app} {step}"
        );
    }
    let app = apps(&store, ONE).await.swap_remove(0);
    assert_eq!((app.step, app.used_at), (105, Some(NOW.plus_seconds(105))));
}

async fn a_code_is_spent_once(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1, 2]).await;
    write_codes(&store, ONE, 0..10).await;
    assert_eq!((left(&store, ONE).await, left(&store, TWO).await), (10, 0));
    for (account, number, spent) in [
        (ONE, 3, true),
        (ONE, 3, false),
        (ONE, 10, false),
        (TWO, 4, false),
        (ONE, 4, true),
    ] {
        assert_eq!(spend(&store, account, number).await, spent, "{account:?} {number}");
    }
    assert_eq!(left(&store, ONE).await, 8);
}

async fn a_new_set_of_codes_kills_the_old(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1, 2]).await;
    write_codes(&store, ONE, 0..10).await;
    write_codes(&store, TWO, 0..10).await;
    write_codes(&store, ONE, 10..18).await;
    assert_eq!((left(&store, ONE).await, left(&store, TWO).await), (8, 10));
    assert!(!spend(&store, ONE, 3).await);
    assert!(spend(&store, ONE, 13).await && spend(&store, TWO, 3).await);
    write_codes(&store, ONE, 0..0).await;
    assert_eq!((left(&store, ONE).await, left(&store, TWO).await), (0, 9));
    let refused = store
        .write(async move |tx| tx.replace_recovery_codes(AccountNo::new(3), &[digest(1)], NOW).await)
        .await;
    assert!(
        matches!(refused, Err(StoreError::Changed { what: "account" })),
        "{refused:?}"
    );
}

async fn of_many_who_take_one_step_one_does(engine: Engine) {
    let store = TestStore::new(engine).await;
    let nodes = [store.store.clone(), store.second_node().await];
    add_accounts(&store, [1]).await;
    enrol(&store, ONE, new_app(1)).await;
    for step in (101..).take(usize::try_from(ROUNDS).expect("a small number")) {
        let taken = race(50, |number| {
            let store = nodes[number % 2].clone();
            async move {
                store
                    .write(async move |tx| tx.take_app_step(ONE, 1, step, NOW).await)
                    .await
            }
        })
        .await;
        assert_eq!(winners(&taken), 1, "step {step}");
    }
}

async fn steps_that_race_are_each_taken_once_at_most(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1]).await;
    enrol(&store, ONE, new_app(1)).await;
    for round in 1..=ROUNDS {
        // The three steps of the window, many times each.
        let first = 1000 * round;
        let taken = race(RUNNERS, |number| {
            let store = store.store.clone();
            let step = first + i64::try_from(number % 3).expect("a small number");
            async move {
                let taken = store
                    .write(async move |tx| tx.take_app_step(ONE, 1, step, NOW).await)
                    .await;
                taken.expect("an answer").then_some(step)
            }
        })
        .await;
        let taken: Vec<i64> = taken.into_iter().flatten().collect();
        let different: BTreeSet<i64> = taken.iter().copied().collect();
        assert_eq!(different.len(), taken.len(), "round {round}: {taken:?}");
        assert_eq!(different.last(), Some(&(first + 2)), "the last one is always taken");
    }
}

async fn of_many_who_spend_a_code_one_does(engine: Engine) {
    let store = TestStore::new(engine).await;
    let nodes = [store.store.clone(), store.second_node().await];
    add_accounts(&store, [1]).await;
    write_codes(&store, ONE, 0..ROUNDS).await;
    for code in 0..ROUNDS {
        let spent = race(50, |number| {
            let store = nodes[number % 2].clone();
            async move {
                store
                    .write(async move |tx| tx.spend_recovery_code(ONE, digest(code), NOW).await)
                    .await
            }
        })
        .await;
        assert_eq!(winners(&spent), 1, "code {code}");
    }
    assert_eq!(left(&store, ONE).await, 0);
}

/// Two who write a set at the same time each dropped what they saw, which was not yet the other's: both sets opened.
async fn of_many_who_write_a_set_of_codes_one_whole_set_is_left(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1]).await;
    write_codes(&store, ONE, 0..8).await;
    for round in 1..=ROUNDS {
        let written = race(8, |number| {
            let store = store.store.clone();
            let first = 1000 * round + 10 * i64::try_from(number).expect("a small number");
            async move {
                let digests: Vec<[u8; 32]> = (first..first + 8).map(digest).collect();
                store
                    .write(async move |tx| tx.replace_recovery_codes(ONE, &digests, NOW).await)
                    .await
                    .expect("written");
                first
            }
        })
        .await;
        assert_eq!(left(&store, ONE).await, 8, "round {round}");
        let mut opening = 0;
        for first in written {
            if spend(&store, ONE, first).await {
                opening += 1;
            }
        }
        assert_eq!(opening, 1, "round {round}");
    }
}

async fn a_code_of_a_set_that_goes_is_spent_before_or_never(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1]).await;
    for round in 1..=ROUNDS {
        let (old, new) = (1000 * round, 1000 * round + 500);
        write_codes(&store, ONE, old..old + 2).await;
        let spent = race(9, |number| {
            let store = store.store.clone();
            async move {
                store
                    .write(async move |tx| {
                        if number == 4 {
                            let digests = [digest(new)];
                            return tx.replace_recovery_codes(ONE, &digests, NOW).await.map(|()| false);
                        }
                        tx.spend_recovery_code(ONE, digest(old), NOW).await
                    })
                    .await
            }
        })
        .await;
        assert!(winners(&spent) <= 1, "round {round}");
        assert_eq!(left(&store, ONE).await, 1);
        assert!(!spend(&store, ONE, old).await && !spend(&store, ONE, old + 1).await);
    }
}

async fn apps_that_are_enrolled_at_once_have_numbers_of_their_own(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1]).await;
    let enrolled = race(RUNNERS, |_| {
        let store = store.store.clone();
        async move {
            store
                .write(async move |tx| {
                    let number = tx.next_authenticator_no(ONE).await?;
                    tx.add_app(ONE, &new_app(number)).await
                })
                .await
        }
    })
    .await;
    let added = enrolled.iter().filter(|enrolled| enrolled.is_ok()).count();
    assert!(
        enrolled
            .iter()
            .all(|enrolled| matches!(enrolled, Ok(()) | Err(StoreError::Changed { .. }))),
        "{enrolled:?}"
    );
    let apps = apps(&store, ONE).await;
    assert!(added > 0);
    assert_eq!(apps.len(), added);
    for app in &apps {
        assert!(
            *app == new_app(app.authenticator_no),
            "the seed lies where it was sealed for"
        );
    }
}
