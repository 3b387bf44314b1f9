use rightful_core::Timestamp;
use rightful_core::budget::{self, Rate};
use rightful_store::budget::{BudgetKey, BudgetSize};

use crate::support::{Engine, NOW, ROUNDS, TestStore, on_both_engines, race};

on_both_engines!(
    a_budget_is_spent_as_the_rule_says,
    a_clock_that_was_put_back_locks_nobody_out,
    budgets_are_apart,
    what_is_given_back_can_be_spent_once_more,
    full_budgets_make_room,
    no_race_gets_more_than_the_budget,
    no_race_of_right_and_wrong_makes_room,
    a_race_at_a_spent_budget_gets_nothing,
);

const RATE: Rate = Rate {
    burst: 3,
    every_seconds: 10,
};

const SIZE: BudgetSize = size(RATE);

const fn size(rate: Rate) -> BudgetSize {
    BudgetSize {
        burst: rate.burst as i64,
        every: rate.interval_micros(),
    }
}

fn key(subject: i64) -> BudgetKey {
    BudgetKey {
        home: 0,
        subject,
        scope: "password#0".into(),
    }
}

async fn spend(store: &TestStore, key: BudgetKey, seconds: i64) -> Option<Timestamp> {
    let now = NOW.plus_seconds(seconds);
    store.done(async move |tx| tx.spend_budget(&key, SIZE, now).await).await
}

/// Runs a script of moments, in seconds, through the store and through the rule; both must say the same.
async fn check_script(store: &TestStore, subject: i64, script: &[i64]) -> Vec<bool> {
    let mut stored = None;
    let mut spent = Vec::with_capacity(script.len());
    for seconds in script {
        let now = NOW.plus_seconds(*seconds);
        let by_rule = match budget::spend(stored, now, RATE) {
            Ok(next) => {
                stored = Some(next);
                None
            }
            Err(wait) => {
                stored = wait.settled.or(stored);
                Some(wait.until)
            }
        };
        assert_eq!(
            spend(store, key(subject), *seconds).await,
            by_rule,
            "after {seconds} s of {script:?}"
        );
        spent.push(by_rule.is_none());
    }
    spent
}

async fn a_budget_is_spent_as_the_rule_says(engine: Engine) {
    let store = TestStore::new(engine).await;
    let script = [0, 0, 0, 0, 9, 10, 10, 25, 25, 1000, 1000, 1000, 1000, 1009, 1010];
    let spent = check_script(&store, 1, &script).await;
    let expected = [
        true, true, true, false, false, true, false, true, false, true, true, true, false, false, true,
    ];
    assert_eq!(spent, expected);
}

async fn a_clock_that_was_put_back_locks_nobody_out(engine: Engine) {
    const YEARS: i64 = 2 * 365 * 24 * 60 * 60;
    let store = TestStore::new(engine).await;
    // Spent while the clock was two years ahead; then it is right again.
    let spent = check_script(&store, 1, &[YEARS, 0, 9, 10, 10, 20, 20]).await;
    assert_eq!(spent, [true, false, false, true, false, true, false]);
    // A step back within the time that the budget takes to fill: the way forward again is what frees one.
    let spent = check_script(&store, 2, &[100, 100, 100, 90, 99, 100, 100, 109, 110]).await;
    assert_eq!(spent, [true, true, true, false, false, true, false, false, true]);
    // Put back again and again while somebody guesses: the way back frees nothing.
    let spent = check_script(&store, 3, &[50, 50, 50, 40, 30, 20, 10, 0, -100, -1000]).await;
    assert_eq!(spent.iter().filter(|spent| **spent).count(), 3);
}

async fn budgets_are_apart(engine: Engine) {
    let store = TestStore::new(engine).await;
    for _ in 0..3 {
        assert_eq!(spend(&store, key(1), 0).await, None);
    }
    assert_eq!(spend(&store, key(1), 0).await, Some(NOW.plus_seconds(10)));
    let others = [
        BudgetKey { home: 1, ..key(1) },
        key(2),
        key(-1),
        BudgetKey {
            scope: "app#0".into(),
            ..key(1)
        },
    ];
    for other in others {
        assert_eq!(spend(&store, other, 0).await, None);
    }
    assert!(spend(&store, key(1), 0).await.is_some());
}

async fn what_is_given_back_can_be_spent_once_more(engine: Engine) {
    let store = TestStore::new(engine).await;
    let give_back = async |subject: i64| {
        store
            .done(async move |tx| tx.give_back_budget(&key(subject), SIZE).await)
            .await;
    };
    for _ in 0..3 {
        assert_eq!(spend(&store, key(1), 0).await, None);
    }
    give_back(1).await;
    assert_eq!(spend(&store, key(1), 0).await, None);
    assert!(spend(&store, key(1), 0).await.is_some());
    // More than there was does no good: what is full is full.
    for _ in 0..9 {
        give_back(1).await;
    }
    let spent = [0; 5].map(|seconds| spend(&store, key(1), seconds));
    let mut refused = Vec::new();
    for one in spent {
        refused.push(one.await.is_some());
    }
    assert_eq!(refused, [false, false, false, true, true]);
    give_back(2).await;
    assert_eq!(store.number("SELECT COUNT(*) FROM budget").await, 1);
}

async fn full_budgets_make_room(engine: Engine) {
    let store = TestStore::new(engine).await;
    spend(&store, key(1), 0).await;
    spend(&store, key(2), 5).await;
    spend(&store, BudgetKey { home: 1, ..key(3) }, 0).await;
    let drop_before = async |seconds: i64| {
        store
            .done(async move |tx| tx.drop_full_budgets(0, NOW.plus_seconds(seconds)).await)
            .await
    };
    assert_eq!(drop_before(10).await, 0);
    assert_eq!(drop_before(11).await, 1);
    assert_eq!(drop_before(16).await, 1);
    assert_eq!(store.number("SELECT COUNT(*) FROM budget").await, 1);
}

const TEN: Rate = Rate {
    burst: 10,
    every_seconds: 360,
};

async fn no_race_gets_more_than_the_budget(engine: Engine) {
    let store = TestStore::new(engine).await;
    let nodes = [store.store.clone(), store.second_node().await];
    for subject in 1..=ROUNDS {
        let waits = race(50, |number| {
            let store = nodes[number % 2].clone();
            async move {
                store
                    .write(async move |tx| tx.spend_budget(&key(subject), size(TEN), NOW).await)
                    .await
                    .expect("an answer")
            }
        })
        .await;
        let (waits, spent): (Vec<_>, Vec<_>) = waits.into_iter().partition(Option::is_some);
        assert_eq!(spent.len(), 10, "round {subject}");
        assert!(waits.iter().all(|until| *until == Some(NOW.plus_seconds(360))));
    }
}

async fn no_race_of_right_and_wrong_makes_room(engine: Engine) {
    let store = TestStore::new(engine).await;
    for subject in 1..=ROUNDS {
        // Every other one is right and gives back what it spent, in a transaction of its own.
        let wrong = race(40, |number| {
            let store = store.store.clone();
            async move {
                let spent = store
                    .write(async move |tx| tx.spend_budget(&key(subject), size(TEN), NOW).await)
                    .await
                    .expect("an answer")
                    .is_none();
                if spent && number % 2 == 0 {
                    store
                        .write(async move |tx| tx.give_back_budget(&key(subject), size(TEN)).await)
                        .await
                        .expect("given back");
                }
                spent && number % 2 == 1
            }
        })
        .await;
        let wrong = wrong.into_iter().filter(|wrong| *wrong).count();
        assert!(wrong <= 10, "round {subject}: {wrong}");
        let left = (i64::try_from(wrong).expect("a small number") * TEN.interval_micros()) + NOW.micros();
        let full_at = format!("SELECT full_at FROM budget WHERE subject = {subject}");
        assert_eq!(
            store.number(&full_at).await,
            left,
            "round {subject}: the wrong ones count, all of them"
        );
    }
}

async fn a_race_at_a_spent_budget_gets_nothing(engine: Engine) {
    let store = TestStore::new(engine).await;
    let nodes = [store.store.clone(), store.second_node().await];
    for subject in 1..=ROUNDS {
        // Spent under a clock that is a day ahead of all that come after.
        let ahead = NOW.plus_seconds(86_400);
        store
            .done(async move |tx| tx.spend_budget(&key(subject), size(TEN), ahead).await)
            .await;
        let spent = race(16, |number| {
            let store = nodes[number % 2].clone();
            async move {
                store
                    .write(async move |tx| tx.spend_budget(&key(subject), size(TEN), NOW).await)
                    .await
                    .expect("an answer")
            }
        })
        .await;
        let wait = Some(NOW.plus_seconds(360));
        assert!(spent.iter().all(|until| *until == wait), "round {subject}: {spent:?}");
    }
}
