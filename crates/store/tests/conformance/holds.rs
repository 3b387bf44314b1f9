use rightful_core::leak::LeakNo;
use rightful_core::{AccountNo, Kind};
use rightful_store::account::AccountState;
use rightful_store::hold::{Hold, HoldAction, HoldSource, NewHold};
use rightful_store::{Store, StoreError};

use crate::support::{
    Engine, NOW, ROUNDS, RUNNERS, TestStore, add_accounts, digest, id, new_hold, new_session, on_both_engines, race,
};

on_both_engines!(
    a_hold_comes_back_as_it_was_placed,
    each_hold_is_lifted_for_itself,
    a_required_change_turns_nothing_off,
    a_return_lifts_all_but_an_administrators,
    nothing_is_held_that_is_not_there,
    a_hold_ends_what_was_open_and_so_does_its_end,
    a_session_on_its_way_to_the_next_epoch_does_not_outlive_a_hold,
    two_holds_lifted_at_once_leave_the_account_open,
    whatever_comes_first_the_state_is_what_the_holds_say,
    a_session_that_moves_while_a_hold_comes_is_ended,
);

const ONE: AccountNo = AccountNo::new(1);

/// State and epoch of an account.
async fn standing(store: &TestStore, no: AccountNo) -> (AccountState, i64) {
    let living = store.asked(async move |tx| tx.living(no).await).await;
    let living = living.expect("the account");
    (living.state, living.epoch)
}

async fn place(store: &TestStore, new: NewHold) -> i64 {
    store.done(async move |tx| tx.place_hold(&new).await).await
}

async fn lift(store: &TestStore, hold_no: i64) -> bool {
    let later = NOW.plus_seconds(60);
    store
        .done(async move |tx| tx.lift_hold(ONE, hold_no, "another tester", later).await)
        .await
}

async fn a_hold_comes_back_as_it_was_placed(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1, 2]).await;
    let full = NewHold {
        kind: Some(Kind::Stealer),
        leak: Some(LeakNo(7)),
        ..new_hold(1, HoldAction::Hold, HoldSource::Containment)
    };
    let bare = new_hold(1, HoldAction::Change, HoldSource::SignIn);
    assert_eq!(place(&store, full).await, 1);
    assert_eq!(place(&store, bare).await, 2);
    assert!(lift(&store, 2).await);
    let holds = store.asked(async move |tx| tx.holds(ONE).await).await;
    let first = Hold {
        hold_no: 1,
        action: HoldAction::Hold,
        source: HoldSource::Containment,
        kind: Some(Kind::Stealer),
        leak: Some(LeakNo(7)),
        placed_at: NOW,
        placed_by: "a tester".into(),
        lifted_at: None,
    };
    let second = Hold {
        hold_no: 2,
        action: HoldAction::Change,
        source: HoldSource::SignIn,
        kind: None,
        leak: None,
        lifted_at: Some(NOW.plus_seconds(60)),
        ..first.clone()
    };
    assert_eq!(holds, [first, second]);
    let others = store.asked(async move |tx| tx.holds(AccountNo::new(2)).await).await;
    assert_eq!(others, []);
    assert_eq!(standing(&store, AccountNo::new(2)).await, (AccountState::Open, 1));
}

async fn each_hold_is_lifted_for_itself(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1]).await;
    for source in [HoldSource::Containment, HoldSource::Administrator] {
        place(&store, new_hold(1, HoldAction::Hold, source)).await;
    }
    assert_eq!(standing(&store, ONE).await, (AccountState::Held, 3));
    assert!(lift(&store, 1).await);
    assert_eq!(standing(&store, ONE).await, (AccountState::Held, 4));
    assert!(!lift(&store, 1).await, "it was lifted before");
    assert!(!lift(&store, 3).await, "there is none");
    assert_eq!(standing(&store, ONE).await, (AccountState::Held, 4));
    assert!(lift(&store, 2).await);
    assert_eq!(standing(&store, ONE).await, (AccountState::Open, 5));
}

async fn a_required_change_turns_nothing_off(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1]).await;
    place(&store, new_hold(1, HoldAction::Change, HoldSource::SignIn)).await;
    assert_eq!(standing(&store, ONE).await, (AccountState::Open, 2));
    place(&store, new_hold(1, HoldAction::Hold, HoldSource::Containment)).await;
    assert!(lift(&store, 1).await);
    assert_eq!(standing(&store, ONE).await, (AccountState::Held, 4));
}

async fn a_return_lifts_all_but_an_administrators(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1]).await;
    let all = [HoldSource::Containment, HoldSource::Administrator, HoldSource::SignIn];
    for source in all {
        place(&store, new_hold(1, HoldAction::Hold, source)).await;
    }
    let returned = async || {
        store
            .done(async move |tx| tx.lift_holds_at_return(ONE, NOW).await)
            .await
    };
    assert_eq!(returned().await, 2);
    assert_eq!(standing(&store, ONE).await, (AccountState::Held, 5));
    assert_eq!(returned().await, 0);
    assert_eq!(standing(&store, ONE).await, (AccountState::Held, 5));
    let holds = store.asked(async move |tx| tx.holds(ONE).await).await;
    let left: Vec<HoldSource> = holds
        .iter()
        .filter(|hold| hold.lifted_at.is_none())
        .map(|hold| hold.source)
        .collect();
    assert_eq!(left, [HoldSource::Administrator]);
    assert!(lift(&store, 2).await);
    assert_eq!(standing(&store, ONE).await.0, AccountState::Open);
}

async fn nothing_is_held_that_is_not_there(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1, 2]).await;
    store
        .done(async move |tx| {
            tx.set_erase_at(ONE, Some(NOW)).await?;
            tx.erase_account(ONE, &[], NOW).await
        })
        .await;
    for no in [1, 3] {
        let hold = new_hold(no, HoldAction::Hold, HoldSource::Administrator);
        let refused = store.write(async move |tx| tx.place_hold(&hold).await).await;
        assert!(
            matches!(refused, Err(StoreError::Changed { what: "account" })),
            "{no}: {refused:?}"
        );
    }
    assert!(!lift(&store, 1).await);
    assert_eq!(store.number("SELECT COUNT(*) FROM hold").await, 0);
    assert_eq!(standing(&store, ONE).await.0, AccountState::Erased);
}

async fn a_hold_ends_what_was_open_and_so_does_its_end(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1, 2]).await;
    let open = async |number: i64| {
        store
            .done(async move |tx| {
                tx.open_session(&new_session(1, number)).await?;
                tx.open_session(&new_session(2, 100 + number)).await
            })
            .await;
    };
    open(1).await;
    place(&store, new_hold(1, HoldAction::Hold, HoldSource::Containment)).await;
    open(2).await;
    assert!(lift(&store, 1).await);
    for (number, lives) in [(1, false), (2, false), (101, true), (102, true)] {
        let found = store
            .asked(async move |tx| tx.session(0, digest(number), NOW).await)
            .await;
        assert_eq!(found.is_some(), lives, "session {number}");
    }
}

/// The request of a thief who is signed in: it was let in before the hold came, and changes something after it. Its session
/// would have gone on in the new epoch.
async fn a_session_on_its_way_to_the_next_epoch_does_not_outlive_a_hold(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1]).await;
    store
        .done(async move |tx| tx.open_session(&new_session(1, 1)).await)
        .await;
    place(&store, new_hold(1, HoldAction::Change, HoldSource::Administrator)).await;
    assert!(!store.done(async move |tx| move_on(tx, ONE, 1, 2).await).await);
    assert_eq!(
        store
            .number("SELECT COUNT(*) FROM session WHERE ended_at IS NULL")
            .await,
        0
    );
}

/// What a change by the owner does to sessions: ends all others and takes its own along.
async fn move_on(tx: &mut rightful_store::Tx, account: AccountNo, from: i64, to: i64) -> Result<bool, StoreError> {
    tx.end_other_sessions(account, digest(from), NOW).await?;
    let epoch = tx.raise_epoch(account).await?;
    tx.move_session(account, digest(from), digest(to), epoch).await
}

/// Each of the two saw the other's hold still on the account, and left it held for good.
async fn two_holds_lifted_at_once_leave_the_account_open(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, 1..=ROUNDS).await;
    for no in 1..=ROUNDS {
        store
            .done(async move |tx| {
                for source in [HoldSource::Administrator, HoldSource::Administrator] {
                    tx.place_hold(&new_hold(no, HoldAction::Hold, source)).await?;
                }
                Ok(())
            })
            .await;
        let lifted = race(2, |number| {
            let (store, hold_no) = (store.store.clone(), if number == 0 { 1 } else { 2 });
            async move {
                store
                    .write(async move |tx| tx.lift_hold(AccountNo::new(no), hold_no, "a tester", NOW).await)
                    .await
            }
        })
        .await;
        assert!(lifted.iter().all(|lifted| matches!(lifted, Ok(true))), "{lifted:?}");
        assert_eq!(
            standing(&store, AccountNo::new(no)).await,
            (AccountState::Open, 5),
            "round {no}"
        );
    }
}

/// One runner of the race below; how often it raised the epoch.
async fn hold_or_lift(store: Store, no: i64, number: usize) -> Result<i64, StoreError> {
    let account = AccountNo::new(no);
    let hold_no = 1 + i64::try_from(number % 8).expect("a small number");
    store
        .write(async move |tx| match number % 4 {
            0 => {
                let hold = new_hold(no, HoldAction::Hold, HoldSource::Administrator);
                tx.place_hold(&hold).await.map(|_| 1)
            }
            1 => {
                let hold = new_hold(no, HoldAction::Change, HoldSource::Containment);
                tx.place_hold(&hold).await.map(|_| 1)
            }
            2 => Ok(tx.lift_holds_at_return(account, NOW).await?.min(1).cast_signed()),
            _ => tx.lift_hold(account, hold_no, "a tester", NOW).await.map(i64::from),
        })
        .await
}

async fn whatever_comes_first_the_state_is_what_the_holds_say(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, 1..=ROUNDS).await;
    for no in 1..=ROUNDS {
        let account = AccountNo::new(no);
        let raised = race(RUNNERS, |number| hold_or_lift(store.store.clone(), no, number)).await;
        let raised: i64 = raised.into_iter().map(|raised| raised.expect("written")).sum();
        let holds = store.asked(async move |tx| tx.holds(account).await).await;
        let numbers: Vec<i64> = holds.iter().map(|hold| hold.hold_no).collect();
        assert_eq!(numbers, (1..=16).collect::<Vec<_>>(), "each has a number of its own");
        let held = holds
            .iter()
            .any(|hold| hold.action == HoldAction::Hold && hold.lifted_at.is_none());
        let state = if held { AccountState::Held } else { AccountState::Open };
        assert_eq!(
            standing(&store, account).await,
            (state, 1 + raised),
            "round {no}: {holds:?}"
        );
    }
}

async fn a_session_that_moves_while_a_hold_comes_is_ended(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, 1..=ROUNDS).await;
    for no in 1..=ROUNDS {
        store
            .done(async move |tx| tx.open_session(&new_session(no, no)).await)
            .await;
        let moved = race(2, |number| {
            let store = store.store.clone();
            async move {
                let account = AccountNo::new(no);
                if number == 0 {
                    let hold = new_hold(no, HoldAction::Change, HoldSource::Containment);
                    store.write(async move |tx| tx.place_hold(&hold).await.map(drop)).await
                } else {
                    let moved = async move |tx: &mut rightful_store::Tx| move_on(tx, account, no, 10_000 + no).await;
                    store.write(moved).await.map(drop)
                }
            }
        })
        .await;
        assert!(moved.iter().all(Result::is_ok), "{moved:?}");
        let open = format!("SELECT COUNT(*) FROM session WHERE account_no = {no} AND ended_at IS NULL");
        assert_eq!(store.number(&open).await, 0, "round {no}: {:?}", id(no));
    }
}
