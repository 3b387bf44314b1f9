use std::collections::BTreeMap;

use rightful_core::{AccountNo, Timestamp};
use rightful_store::notice::{Leased, NewNotice, Notice, NoticeState, Subject};
use rightful_store::{Store, StoreError};
use uuid::Uuid;

use crate::support::{
    Engine, NOW, ROUNDS, RUNNERS, TestStore, add_accounts, digest, id, new_notice, on_both_engines, race, winners,
};

on_both_engines!(
    a_notice_comes_back_as_it_was_queued,
    a_notice_goes_with_the_change_that_it_tells,
    notices_are_listed_newest_first_and_to_their_subject_alone,
    what_is_due_is_leased_to_one,
    a_lease_that_is_over_is_given_to_the_next,
    a_notice_is_sent_and_leaves_the_outbox,
    a_dead_workers_notice_is_unknown_and_never_sent_again,
    a_slow_worker_that_is_taken_for_dead_may_say_how_it_ended,
    a_notice_that_failed_for_now_comes_back_when_it_is_due,
    a_late_word_does_not_disturb_the_next_attempt,
    a_notice_that_was_taken_back_is_not_sent,
    a_bounce_counts_once,
    old_notices_go_but_for_those_still_to_be_sent,
    a_notice_is_never_shown,
    four_claimers_lease_each_notice_once,
    of_many_who_begin_to_send_one_does,
    a_notice_is_taken_back_or_sent_and_never_both,
);

const ONE: Subject = Subject { home: 0, subject: 1 };

fn later(seconds: i64) -> Timestamp {
    NOW.plus_seconds(seconds)
}

async fn queue(store: &TestStore, new: NewNotice) {
    store.done(async move |tx| tx.queue_notice(&new).await).await;
}

/// Leases for a minute.
async fn lease(store: &Store, number: i64, now: Timestamp, limit: i64) -> Vec<Leased> {
    let until = now.plus_seconds(60);
    store
        .write(async move |tx| tx.lease_notices(0, id(number), now, until, limit).await)
        .await
        .expect("leased")
}

/// Queues one and leases it.
async fn leased(store: &TestStore, number: i64) -> Leased {
    queue(store, new_notice(ONE, number)).await;
    let mut leased = lease(store, number, NOW, 10).await;
    assert_eq!(leased.len(), 1);
    leased.remove(0)
}

async fn begin(store: &TestStore, leased: &Leased, now: Timestamp) -> bool {
    let leased = leased.clone();
    store.done(async move |tx| tx.begin_sending(&leased, now).await).await
}

async fn end(store: &TestStore, leased: &Leased, state: NoticeState) {
    let leased = leased.clone();
    store
        .done(async move |tx| tx.end_sending(&leased, state, NOW).await)
        .await;
}

async fn again(store: &TestStore, leased: &Leased, due_at: Timestamp) {
    let leased = leased.clone();
    store
        .done(async move |tx| tx.send_again_at(&leased, due_at, NOW).await)
        .await;
}

async fn state(store: &TestStore, number: i64) -> Option<NoticeState> {
    store
        .asked(async move |tx| tx.notice_state(ONE, id(number)).await)
        .await
}

async fn queued(store: &TestStore) -> u64 {
    store.asked(async move |tx| tx.count_queued_notices().await).await
}

async fn a_notice_comes_back_as_it_was_queued(engine: Engine) {
    let store = TestStore::new(engine).await;
    let bare = NewNotice {
        contact_no: None,
        ..new_notice(ONE, 1)
    };
    queue(&store, bare).await;
    let expected = Notice {
        notice_id: id(1),
        kind: "password-changed".into(),
        channel: "mail".into(),
        contact_no: None,
        masked: "o•••@e•••.org".into(),
        state: NoticeState::Queued,
        made_at: NOW,
        changed_at: NOW,
    };
    let (listed, by_id, by_digest) = store
        .asked(async move |tx| {
            let listed = tx.notices(ONE, NOW, 10).await?;
            let by_id = tx.notice(ONE, id(1)).await?;
            Ok((listed, by_id, tx.notice_by_digest(ONE, digest(1)).await?))
        })
        .await;
    assert_eq!(
        (listed, by_id, by_digest),
        (vec![expected.clone()], Some(expected.clone()), Some(expected))
    );
    let letter = lease(&store, 1, NOW, 10).await.remove(0);
    assert_eq!((letter.to, letter.notice_id, letter.attempts), (ONE, id(1), 0));
    assert!(letter.sealed == b"the letter 1");
}

async fn a_notice_goes_with_the_change_that_it_tells(engine: Engine) {
    let store = TestStore::new(engine).await;
    let refused: Result<(), _> = store
        .write(async move |tx| {
            tx.queue_notice(&new_notice(ONE, 1)).await?;
            Err(StoreError::Changed { what: "password" })
        })
        .await;
    assert!(refused.is_err());
    assert_eq!((state(&store, 1).await, queued(&store).await), (None, 0));
}

async fn notices_are_listed_newest_first_and_to_their_subject_alone(engine: Engine) {
    let store = TestStore::new(engine).await;
    let stranger = Subject { home: 0, subject: -1 };
    for number in 1..=4 {
        let at = |to, number: i64| NewNotice {
            made_at: later(number),
            ..new_notice(to, number)
        };
        queue(&store, at(ONE, number)).await;
        queue(&store, at(stranger, 10 + number)).await;
    }
    let listed = async |since: i64, limit: i64| {
        let listed = store
            .asked(async move |tx| tx.notices(ONE, later(since), limit).await)
            .await;
        listed.iter().map(|notice| notice.notice_id).collect::<Vec<Uuid>>()
    };
    assert_eq!(listed(0, 10).await, [id(4), id(3), id(2), id(1)]);
    assert_eq!(listed(3, 10).await, [id(4), id(3)]);
    assert_eq!(listed(0, 1).await, [id(4)]);
    for (to, number, known) in [
        (ONE, 1, true),
        (ONE, 11, false),
        (stranger, 11, true),
        (stranger, 1, false),
        (Subject { home: 1, ..ONE }, 1, false),
        (ONE, 99, false),
    ] {
        let found = store
            .asked(async move |tx| tx.notice_by_digest(to, digest(number)).await)
            .await;
        assert_eq!(found.is_some(), known, "{to:?} {number}");
    }
}

async fn what_is_due_is_leased_to_one(engine: Engine) {
    let store = TestStore::new(engine).await;
    let homes = async || store.asked(async move |tx| tx.homes_with_due_notices(NOW).await).await;
    assert_eq!(homes().await, [0_i64; 0]);
    for (number, due) in [(1, -2), (2, -3), (3, 0), (4, 1)] {
        let new = NewNotice {
            due_at: later(due),
            ..new_notice(ONE, number)
        };
        queue(&store, new).await;
    }
    queue(&store, new_notice(Subject { home: 5, subject: 9 }, 9)).await;
    let mut due = homes().await;
    due.sort_unstable();
    assert_eq!(due, [0, 5]);
    let ids = |leased: Vec<Leased>| leased.iter().map(|leased| leased.notice_id).collect::<Vec<_>>();
    assert_eq!(
        ids(lease(&store, 1, NOW, 2).await),
        [id(1), id(2)],
        "the longest due first"
    );
    assert_eq!(ids(lease(&store, 2, NOW, 10).await), [id(3)]);
    assert_eq!(ids(lease(&store, 3, NOW, 10).await), [] as [Uuid; 0]);
    assert_eq!(homes().await, [5]);
}

async fn a_lease_that_is_over_is_given_to_the_next(engine: Engine) {
    let store = TestStore::new(engine).await;
    let first = leased(&store, 1).await;
    assert!(lease(&store, 2, later(59), 10).await.is_empty());
    let second = lease(&store, 3, later(60), 10).await.remove(0);
    assert!(!begin(&store, &first, later(60)).await, "it is another's by now");
    assert!(begin(&store, &second, later(61)).await);
    store
        .done(async move |tx| tx.extend_lease(&second, later(500)).await)
        .await;
    assert!(lease(&store, 4, later(499), 10).await.is_empty(), "it is held longer");
}

async fn a_notice_is_sent_and_leaves_the_outbox(engine: Engine) {
    let store = TestStore::new(engine).await;
    for (number, state_at_end) in [
        (1, NoticeState::Sent),
        (2, NoticeState::Failed),
        (3, NoticeState::Unknown),
    ] {
        let letter = leased(&store, number).await;
        assert!(begin(&store, &letter, NOW).await);
        assert_eq!(state(&store, number).await, Some(NoticeState::Sending));
        // Written twice, as by a caller that did not learn of the first time.
        end(&store, &letter, state_at_end).await;
        end(&store, &letter, state_at_end).await;
        assert_eq!(state(&store, number).await, Some(state_at_end));
        assert_eq!(queued(&store).await, 0);
        assert!(!begin(&store, &letter, NOW).await);
    }
}

async fn a_dead_workers_notice_is_unknown_and_never_sent_again(engine: Engine) {
    let store = TestStore::new(engine).await;
    let letter = leased(&store, 1).await;
    assert!(begin(&store, &letter, NOW).await);
    // It dies. Until its lease is over nobody can know.
    assert!(lease(&store, 2, later(59), 10).await.is_empty());
    assert_eq!(state(&store, 1).await, Some(NoticeState::Sending));
    queue(&store, new_notice(ONE, 2)).await;
    let next = lease(&store, 3, later(60), 10).await;
    assert_eq!(next.len(), 1, "the other one is sent");
    assert_eq!(next[0].notice_id, id(2));
    assert_eq!(state(&store, 1).await, Some(NoticeState::Unknown));
    assert_eq!(queued(&store).await, 1);
    assert!(!begin(&store, &letter, later(60)).await);
    assert!(lease(&store, 4, later(100_000), 10).await.len() == 1);
}

async fn a_slow_worker_that_is_taken_for_dead_may_say_how_it_ended(engine: Engine) {
    let store = TestStore::new(engine).await;
    let letter = leased(&store, 1).await;
    assert!(begin(&store, &letter, NOW).await);
    assert!(lease(&store, 2, later(60), 10).await.is_empty());
    // Not by itself: that it may be tried again is only true of what is still its own.
    again(&store, &letter, NOW).await;
    assert_eq!(state(&store, 1).await, Some(NoticeState::Unknown));
    assert_eq!(queued(&store).await, 0);
    end(&store, &letter, NoticeState::Sent).await;
    assert_eq!(state(&store, 1).await, Some(NoticeState::Sent));
}

async fn a_notice_that_failed_for_now_comes_back_when_it_is_due(engine: Engine) {
    let store = TestStore::new(engine).await;
    let letter = leased(&store, 1).await;
    assert!(begin(&store, &letter, NOW).await);
    again(&store, &letter, later(300)).await;
    assert_eq!(state(&store, 1).await, Some(NoticeState::Queued));
    assert!(!begin(&store, &letter, NOW).await, "the lease was given back");
    assert!(lease(&store, 2, later(299), 10).await.is_empty());
    let next = lease(&store, 3, later(300), 10).await.remove(0);
    assert_eq!(next.attempts, 1);
    assert!(begin(&store, &next, later(300)).await);
}

/// The word that a notice is to be tried again was written twice, the second time while another was handing it over: it was
/// queued once more and sent twice.
async fn a_late_word_does_not_disturb_the_next_attempt(engine: Engine) {
    let store = TestStore::new(engine).await;
    let first = leased(&store, 1).await;
    assert!(begin(&store, &first, NOW).await);
    again(&store, &first, NOW).await;
    let second = lease(&store, 2, NOW, 10).await.remove(0);
    assert!(begin(&store, &second, NOW).await);
    again(&store, &first, NOW).await;
    assert_eq!(state(&store, 1).await, Some(NoticeState::Sending));
    assert!(lease(&store, 3, NOW, 10).await.is_empty());
    end(&store, &second, NoticeState::Sent).await;
    assert_eq!(
        (state(&store, 1).await, queued(&store).await),
        (Some(NoticeState::Sent), 0)
    );
}

async fn a_notice_that_was_taken_back_is_not_sent(engine: Engine) {
    let store = TestStore::new(engine).await;
    let sending = leased(&store, 1).await;
    assert!(begin(&store, &sending, NOW).await);
    let only_leased = leased(&store, 2).await;
    queue(&store, new_notice(ONE, 3)).await;
    let other_kind = NewNotice {
        kind: "new-browser",
        ..new_notice(ONE, 4)
    };
    queue(&store, other_kind).await;
    queue(&store, new_notice(Subject { home: 0, subject: 2 }, 5)).await;
    let cancel = async || {
        store
            .done(async move |tx| tx.cancel_notices(ONE, "password-changed", NOW).await)
            .await
    };
    assert_eq!((cancel().await, cancel().await), (2, 0));
    let states = [
        (1, NoticeState::Sending),
        (2, NoticeState::Cancelled),
        (3, NoticeState::Cancelled),
        (4, NoticeState::Queued),
    ];
    for (number, expected) in states {
        assert_eq!(state(&store, number).await, Some(expected), "{number}");
    }
    assert!(!begin(&store, &only_leased, NOW).await);
    assert_eq!(
        queued(&store).await,
        3,
        "what is being sent, of another kind, or another's"
    );
}

async fn a_bounce_counts_once(engine: Engine) {
    let store = TestStore::new(engine).await;
    let bounce = async |number: i64| {
        store
            .done(async move |tx| tx.bounce_notice(ONE, id(number), NOW).await)
            .await
    };
    let letter = leased(&store, 1).await;
    assert!(!bounce(1).await, "it was not sent");
    assert!(begin(&store, &letter, NOW).await);
    assert!(bounce(1).await);
    assert!(!bounce(1).await);
    end(&store, &letter, NoticeState::Sent).await;
    assert_eq!(
        state(&store, 1).await,
        Some(NoticeState::Failed),
        "the bounce knew better"
    );
    assert_eq!(queued(&store).await, 0);
    assert!(!bounce(2).await, "there is none");
}

async fn old_notices_go_but_for_those_still_to_be_sent(engine: Engine) {
    let store = TestStore::new(engine).await;
    let sent = leased(&store, 1).await;
    assert!(begin(&store, &sent, NOW).await);
    end(&store, &sent, NoticeState::Sent).await;
    let sending = leased(&store, 2).await;
    assert!(begin(&store, &sending, NOW).await);
    queue(&store, new_notice(ONE, 3)).await;
    let drop_before = async |seconds: i64| {
        store
            .done(async move |tx| tx.drop_old_notices(0, later(seconds)).await)
            .await
    };
    assert_eq!((drop_before(0).await, drop_before(1).await), (0, 1));
    assert_eq!(state(&store, 1).await, None);
    assert_eq!(queued(&store).await, 2);
}

async fn a_notice_is_never_shown(engine: Engine) {
    let store = TestStore::new(engine).await;
    let shown = format!("{:?}", leased(&store, 1).await);
    assert!(shown.starts_with("Leased(") && !shown.contains("116"), "{shown}");
}

async fn four_claimers_lease_each_notice_once(engine: Engine) {
    let store = TestStore::new(engine).await;
    let nodes = [store.store.clone(), store.second_node().await];
    for round in 0..ROUNDS {
        let first = 1 + 1000 * round;
        store
            .done(async move |tx| {
                for number in first..first + 12 {
                    tx.queue_notice(&new_notice(ONE, number)).await?;
                }
                Ok(())
            })
            .await;
        let claimed = race(4, |number| {
            let store = nodes[number % 2].clone();
            let claimer = first + 100 * i64::try_from(number).expect("a small number");
            async move {
                let mut claimed = Vec::new();
                for lease_no in claimer.. {
                    let some = lease(&store, lease_no, NOW, 2).await;
                    if some.is_empty() {
                        break;
                    }
                    claimed.extend(some);
                }
                claimed
            }
        })
        .await;
        let mut times: BTreeMap<Uuid, u32> = BTreeMap::new();
        for leased in claimed.into_iter().flatten() {
            *times.entry(leased.notice_id).or_default() += 1;
        }
        // One that was claimed by another may hide those behind it from a claimer that then stops: the next round finds them.
        let rest = lease(&store, first + 999, NOW, 100).await;
        for leased in &rest {
            *times.entry(leased.notice_id).or_default() += 1;
        }
        assert_eq!(times.len(), 12, "round {round}");
        assert!(times.values().all(|times| *times == 1), "round {round}: {times:?}");
    }
}

async fn of_many_who_begin_to_send_one_does(engine: Engine) {
    let store = TestStore::new(engine).await;
    let nodes = [store.store.clone(), store.second_node().await];
    for number in 1..=ROUNDS {
        let letter = leased(&store, number).await;
        let begun = race(RUNNERS, |runner| {
            let (store, letter) = (nodes[runner % 2].clone(), letter.clone());
            async move { store.write(async move |tx| tx.begin_sending(&letter, NOW).await).await }
        })
        .await;
        assert_eq!(winners(&begun), 1, "round {number}");
        assert_eq!(state(&store, number).await, Some(NoticeState::Sending));
        end(&store, &letter, NoticeState::Sent).await;
        assert_eq!(state(&store, number).await, Some(NoticeState::Sent));
    }
}

async fn a_notice_is_taken_back_or_sent_and_never_both(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, 1..=ROUNDS).await;
    for no in 1..=ROUNDS {
        let to = Subject::from(AccountNo::new(no));
        queue(&store, new_notice(to, no)).await;
        let letter = lease(&store, no, NOW, 10).await.remove(0);
        let outcomes = race(8, |runner| {
            let (store, letter) = (store.store.clone(), letter.clone());
            async move {
                store
                    .write(async move |tx| match runner % 2 {
                        0 => tx.begin_sending(&letter, NOW).await,
                        _ => Ok(tx.cancel_notices(to, "password-changed", NOW).await? == 1),
                    })
                    .await
            }
        })
        .await;
        assert_eq!(winners(&outcomes), 1, "round {no}");
        let begun = outcomes.iter().step_by(2).any(|outcome| matches!(outcome, Ok(true)));
        let state = store
            .asked(async move |tx| tx.notice_state(to, id(no)).await)
            .await
            .expect("the notice");
        let expected = if begun {
            NoticeState::Sending
        } else {
            NoticeState::Cancelled
        };
        assert_eq!(
            (state, queued(&store).await),
            (expected, u64::from(begun)),
            "round {no}"
        );
        end(&store, &letter, NoticeState::Sent).await;
    }
}
