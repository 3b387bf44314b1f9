use std::sync::{Arc, Mutex};

use rightful_core::containment::{Action, Approval, Approved, ContainmentNo, ContainmentState, approve};
use rightful_core::{AccountNo, Grade};
use rightful_store::account::AccountState;
use rightful_store::cohort::{MemberPlace, MemberState, NewMember};
use rightful_store::hold::{HoldAction, HoldSource, NewHold};
use rightful_store::password::Replacement;
use rightful_store::{Changed, StoreError};

use crate::support::{
    BORN, Engine, NOW, ROUNDS, TestStore, add_accounts, digest, id, new_member as member, new_session, on_both_engines,
    password, race,
};

on_both_engines!(
    an_incident_is_found_by_its_slug_and_only_one_has_it,
    a_containment_goes_the_way_of_its_states,
    j04_nobody_approves_what_he_drafted,
    a_wave_counts_from_its_start_and_its_rows_follow,
    a_password_that_was_changed_since_is_left_alone,
    a_return_lifts_what_is_written_and_what_is_not,
    an_undoing_lifts_what_it_placed_and_leaves_a_required_change,
    an_undoing_revives_no_session,
    a_return_and_a_wave_at_once_leave_one_state,
    a_pause_comes_before_a_wave_or_after_it,
    whatever_ends_a_session_tells_the_watcher,
);

const ONE: AccountNo = AccountNo::new(1);
const OFFICER: AccountNo = AccountNo::new(90);
const OTHER: AccountNo = AccountNo::new(91);

/// An approval by somebody else.
fn approved() -> Approved {
    let approval = Approval {
        by_author: false,
        approvers: 2,
        since: NOW,
    };
    approve(approval, NOW).expect("somebody else may")
}

/// A containment that runs, with these members; the waves have not started.
async fn running(store: &TestStore, members: Vec<NewMember>) -> ContainmentNo {
    add_accounts(store, (1..=9).chain([90, 91])).await;
    let waves = members.iter().map(|member| member.wave_no).max().unwrap_or(1);
    let sizes: Vec<u64> = (1..=waves)
        .map(|wave| members.iter().filter(|member| member.wave_no == wave).count() as u64)
        .collect();
    store
        .done(async move |tx| {
            let incident = tx.open_incident("an-incident", "An incident", OFFICER, NOW).await?;
            let no = tx.draft_containment(incident, "{}", OFFICER, NOW).await?;
            let found = async |tx: &mut rightful_store::Tx| Ok::<_, StoreError>(tx.containment(no).await?.expect("it"));
            let seen = found(tx).await?;
            tx.begin_freeze(&seen).await?;
            tx.add_members(no, &members, NOW).await?;
            let seen = found(tx).await?;
            tx.end_freeze(&seen, &sizes, members.len() as u64, [7; 32], NOW).await?;
            let seen = found(tx).await?;
            tx.approve_containment(&seen, OTHER, approved(), NOW).await?;
            let seen = found(tx).await?;
            tx.start_containment(&seen, NOW).await?;
            Ok(no)
        })
        .await
}

async fn start_wave(store: &TestStore, no: ContainmentNo, wave_no: i64) -> i64 {
    let started = store.done(async move |tx| tx.start_wave(no, wave_no, NOW).await).await;
    started.expect("the wave starts")
}

async fn act(store: &TestStore, no: ContainmentNo, wave_no: i64) -> (u64, u64) {
    let done = store
        .done(async move |tx| tx.act_in_block(no, wave_no, 0, "containment:1", NOW).await)
        .await;
    (done.done, done.changed)
}

async fn undo(store: &TestStore, no: ContainmentNo) -> Vec<AccountNo> {
    store
        .done(async move |tx| tx.undo_in_block(no, 0, "undo:1", NOW).await)
        .await
}

async fn state_of(store: &TestStore, no: i64) -> (AccountState, i64) {
    let living = store.asked(async move |tx| tx.living(AccountNo::new(no)).await).await;
    living.map(|living| (living.state, living.epoch)).expect("the account")
}

/// The actions that lie on an account.
async fn lying(store: &TestStore, no: i64) -> Vec<HoldAction> {
    let holds = store.asked(async move |tx| tx.holds(AccountNo::new(no)).await).await;
    let lying = holds.into_iter().filter(|hold| hold.lifted_at.is_none());
    lying.map(|hold| hold.action).collect()
}

async fn members(store: &TestStore, no: ContainmentNo) -> Vec<(i64, MemberState)> {
    let members = store
        .asked(async move |tx| tx.members(no, MemberPlace::default(), 100).await)
        .await;
    let row = |member: &rightful_store::cohort::Member| (member.account.get(), member.state);
    members.iter().map(row).collect()
}

async fn pending(store: &TestStore, no: i64) -> Vec<i64> {
    let pending = store.asked(async move |tx| tx.pending(AccountNo::new(no)).await).await;
    pending.iter().map(|pending| pending.mark).collect()
}

fn replacement(no: i64, version: i64) -> Replacement {
    Replacement {
        account: AccountNo::new(no),
        seen: Some(version - 1),
        password: password("a new one"),
        replaced_digest: None,
        now: NOW,
    }
}

async fn an_incident_is_found_by_its_slug_and_only_one_has_it(engine: Engine) {
    let store = TestStore::new(engine).await;
    let open = async |slug: &'static str| {
        store
            .write(async move |tx| tx.open_incident(slug, "Title", OFFICER, NOW).await)
            .await
    };
    let first = open("one").await.expect("opened");
    assert!(matches!(open("one").await, Err(StoreError::AlreadyExists)));
    let second = open("two").await.expect("opened");
    assert_ne!(first, second);
    let found = store.asked(async |tx| tx.incident_by_slug("two").await).await;
    let found = found.expect("it");
    assert_eq!((found.no, found.is_open, found.owner), (second, true, OFFICER));
    store.done(async |tx| tx.close_incident(&found, NOW).await).await;
    let again = store.write(async |tx| tx.close_incident(&found, NOW).await).await;
    assert!(matches!(again, Err(StoreError::Changed { .. })), "{again:?}");
    assert_eq!(store.asked(async |tx| tx.incidents().await).await.len(), 2);
}

async fn a_containment_goes_the_way_of_its_states(engine: Engine) {
    let store = TestStore::new(engine).await;
    let no = running(&store, vec![member(1, 1, Action::Hold, Grade::Exact)]).await;
    let found = store.asked(async move |tx| tx.containment(no).await).await.expect("it");
    assert_eq!((found.state, found.approver), (ContainmentState::Running, Some(OTHER)));
    assert_eq!((found.members, found.takes, found.digest), (1, 1, Some([7; 32])));
    for refused in [
        store.write(async |tx| tx.begin_freeze(&found).await).await,
        store
            .write(async |tx| tx.replan_containment(&found, "{}", OFFICER).await)
            .await,
        store.write(async |tx| tx.start_containment(&found, NOW).await).await,
        store
            .write(async |tx| tx.begin_undo(&found, OTHER, approved()).await)
            .await,
    ] {
        assert!(matches!(refused, Err(StoreError::Changed { .. })), "{refused:?}");
    }
    assert_eq!(store.asked(async |tx| tx.taken_since(NOW).await).await, 1);
    let later = NOW.plus_seconds(1);
    assert_eq!(store.asked(async move |tx| tx.taken_since(later).await).await, 0);
}

async fn j04_nobody_approves_what_he_drafted(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [90, 91]).await;
    let no = store
        .done(async |tx| {
            let incident = tx.open_incident("an-incident", "An incident", OFFICER, NOW).await?;
            let no = tx.draft_containment(incident, "{}", OFFICER, NOW).await?;
            let seen = tx.containment(no).await?.expect("it");
            tx.begin_freeze(&seen).await?;
            let seen = tx.containment(no).await?.expect("it");
            tx.end_freeze(&seen, &[1], 1, [7; 32], NOW).await?;
            Ok(no)
        })
        .await;
    let seen = store.asked(async move |tx| tx.containment(no).await).await.expect("it");
    // Whatever the code above decides: the schema says no.
    let by_author = store
        .write(async |tx| tx.approve_containment(&seen, OFFICER, approved(), NOW).await)
        .await;
    assert!(matches!(by_author, Err(StoreError::Refused { .. })), "{by_author:?}");
    store
        .done(async |tx| tx.approve_containment(&seen, OTHER, approved(), NOW).await)
        .await;
    // The same of undoing it.
    let seen = store.asked(async move |tx| tx.containment(no).await).await.expect("it");
    store.done(async |tx| tx.start_containment(&seen, NOW).await).await;
    let seen = store.asked(async move |tx| tx.containment(no).await).await.expect("it");
    store.done(async |tx| tx.ask_undo(&seen, OTHER, NOW).await).await;
    let seen = store.asked(async move |tx| tx.containment(no).await).await.expect("it");
    let by_who_asked = store
        .write(async |tx| tx.begin_undo(&seen, OTHER, approved()).await)
        .await;
    assert!(
        matches!(by_who_asked, Err(StoreError::Refused { .. })),
        "{by_who_asked:?}"
    );
    store
        .done(async |tx| tx.begin_undo(&seen, OFFICER, approved()).await)
        .await;
}

async fn a_wave_counts_from_its_start_and_its_rows_follow(engine: Engine) {
    let store = TestStore::new(engine).await;
    let cohort = vec![
        member(1, 1, Action::Hold, Grade::Exact),
        member(2, 1, Action::Change, Grade::Variant),
        member(3, 1, Action::Notice, Grade::Former),
        member(4, 2, Action::Hold, Grade::Exact),
    ];
    let no = running(&store, cohort).await;
    for account in 1..=4 {
        store
            .done(async move |tx| tx.open_session(&new_session(account, account)).await)
            .await;
    }
    let mark = start_wave(&store, no, 1).await;
    assert!(mark > BORN.mark);
    assert_eq!(
        (pending(&store, 1).await, pending(&store, 2).await),
        (vec![mark], vec![mark])
    );
    assert_eq!(
        (
            pending(&store, 3).await,
            pending(&store, 4).await,
            pending(&store, 5).await
        ),
        (vec![], vec![], vec![]),
        "a notice takes nothing away, the second wave has not started, and who is no member is none"
    );
    assert_eq!(act(&store, no, 1).await, (3, 0));
    assert_eq!(act(&store, no, 1).await, (0, 0), "once");
    assert_eq!(pending(&store, 1).await, [0; 0]);
    assert_eq!(state_of(&store, 1).await, (AccountState::Held, 2));
    assert_eq!(state_of(&store, 2).await, (AccountState::Open, 2));
    assert_eq!(state_of(&store, 3).await, (AccountState::Open, 1));
    assert_eq!(state_of(&store, 4).await, (AccountState::Open, 1));
    assert_eq!(lying(&store, 1).await, [HoldAction::Hold]);
    assert_eq!(lying(&store, 2).await, [HoldAction::Change]);
    assert_eq!(lying(&store, 3).await, []);
    for (account, lives) in [(1, false), (2, false), (3, true), (4, true)] {
        let found = store
            .asked(async move |tx| tx.session(0, digest(account), NOW).await)
            .await;
        assert_eq!(found.is_some(), lives, "account {account}");
    }
    let states = members(&store, no).await;
    assert_eq!(
        states,
        [
            (1, MemberState::Done),
            (2, MemberState::Done),
            (3, MemberState::Done),
            (4, MemberState::Frozen)
        ]
    );
    let ended = store.done(async move |tx| tx.end_wave(no, 1, NOW).await).await;
    assert!(ended && store.asked(async move |tx| tx.unfinished_waves(no).await).await == 1);
}

async fn a_password_that_was_changed_since_is_left_alone(engine: Engine) {
    let store = TestStore::new(engine).await;
    let cohort = vec![
        member(1, 1, Action::Hold, Grade::Exact),
        member(2, 1, Action::Hold, Grade::Exact),
    ];
    let no = running(&store, cohort).await;
    start_wave(&store, no, 1).await;
    store
        .done(async |tx| tx.replace_password(&replacement(1, 2)).await.map(drop))
        .await;
    assert_eq!(
        pending(&store, 1).await,
        [0; 0],
        "it counts from the change on, not from the rows"
    );
    let epoch = state_of(&store, 1).await.1;
    assert_eq!(act(&store, no, 1).await, (1, 1));
    assert_eq!(state_of(&store, 1).await, (AccountState::Open, epoch));
    assert_eq!(lying(&store, 1).await, []);
    assert_eq!(
        members(&store, no).await,
        [(1, MemberState::Changed), (2, MemberState::Done)]
    );
}

async fn a_return_lifts_what_is_written_and_what_is_not(engine: Engine) {
    let store = TestStore::new(engine).await;
    let cohort = (1..=4)
        .map(|no| member(no, if no < 4 { 1 } else { 2 }, Action::Hold, Grade::Exact))
        .collect();
    let no = running(&store, cohort).await;
    start_wave(&store, no, 1).await;
    let come_back = async |account: i64| {
        let lifted = async move |tx: &mut rightful_store::Tx| {
            tx.replace_password(&replacement(account, 2)).await?;
            tx.lift_holds_at_return(AccountNo::new(account), NOW).await
        };
        store.done(lifted).await
    };
    assert_eq!(come_back(1).await, 0, "there is no row yet");
    assert_eq!(act(&store, no, 1).await, (2, 0));
    assert_eq!(come_back(2).await, 1);
    assert_eq!(
        come_back(4).await,
        0,
        "its wave has not started: it stays what it is, and the change will show"
    );
    assert_eq!(
        members(&store, no).await,
        [
            (1, MemberState::Returned),
            (2, MemberState::Returned),
            (3, MemberState::Done),
            (4, MemberState::Frozen)
        ]
    );
    for (account, state) in [
        (1, AccountState::Open),
        (2, AccountState::Open),
        (3, AccountState::Held),
    ] {
        assert_eq!(state_of(&store, account).await.0, state, "account {account}");
    }
}

async fn an_undoing_lifts_what_it_placed_and_leaves_a_required_change(engine: Engine) {
    let store = TestStore::new(engine).await;
    let cohort = vec![
        member(1, 1, Action::Hold, Grade::Exact),
        member(2, 1, Action::Change, Grade::Variant),
        member(3, 1, Action::Hold, Grade::Former),
        member(4, 1, Action::Hold, Grade::Exact),
        member(5, 1, Action::Hold, Grade::Exact),
        member(6, 2, Action::Hold, Grade::Exact),
    ];
    let no = running(&store, cohort).await;
    start_wave(&store, no, 1).await;
    act(&store, no, 1).await;
    // Somebody else's hold on one, a return of another, and a notice to a third.
    store
        .done(async |tx| {
            let hold = NewHold {
                account: AccountNo::new(4),
                action: HoldAction::Hold,
                source: HoldSource::Administrator,
                kind: None,
                leak: None,
                placed_by: "a tester".into(),
                placed_at: NOW,
            };
            tx.place_hold(&hold).await?;
            tx.replace_password(&replacement(5, 2)).await?;
            tx.lift_holds_at_return(AccountNo::new(5), NOW).await?;
            assert!(tx.member_told(no, ONE, NOW).await?);
            assert!(!tx.member_told(no, ONE, NOW).await?, "once");
            Ok(())
        })
        .await;
    assert_eq!(undo(&store, no).await, [ONE]);
    assert_eq!(undo(&store, no).await, [], "once");
    for (account, state, left) in [
        (1, AccountState::Open, &[HoldAction::Change][..]),
        (2, AccountState::Open, &[HoldAction::Change]),
        (3, AccountState::Open, &[]),
        (4, AccountState::Held, &[HoldAction::Hold, HoldAction::Change]),
        (5, AccountState::Open, &[]),
        (6, AccountState::Open, &[]),
    ] {
        assert_eq!(state_of(&store, account).await.0, state, "account {account}");
        assert_eq!(lying(&store, account).await, left, "account {account}");
    }
    let states: Vec<_> = members(&store, no).await.into_iter().map(|(_, state)| state).collect();
    use MemberState::{Returned, Undone};
    assert_eq!(states, [Undone, Undone, Undone, Undone, Returned, Undone]);
    assert_eq!(store.asked(async move |tx| tx.members_left_to_undo(no).await).await, 0);
}

/// The rows of a wave were not written yet when it was undone: what was dead from its start stays dead.
async fn an_undoing_revives_no_session(engine: Engine) {
    let store = TestStore::new(engine).await;
    let no = running(&store, vec![member(1, 1, Action::Hold, Grade::Exact)]).await;
    store.done(async |tx| tx.open_session(&new_session(1, 1)).await).await;
    start_wave(&store, no, 1).await;
    undo(&store, no).await;
    let session = store.asked(async |tx| tx.session(0, digest(1), NOW).await).await;
    assert_eq!(session, None);
    assert_eq!(
        state_of(&store, 1).await,
        (AccountState::Open, 2),
        "and whatever carries the old epoch is dead"
    );
    assert_eq!(lying(&store, 1).await, [HoldAction::Change]);
}

/// Whoever comes first: either the return is seen and nothing is done, or what was done is lifted by it.
async fn a_return_and_a_wave_at_once_leave_one_state(engine: Engine) {
    for _ in 0..ROUNDS / 10 {
        let store = TestStore::new(engine).await;
        let cohort = (1..=9).map(|no| member(no, 1, Action::Hold, Grade::Exact)).collect();
        let no = running(&store, cohort).await;
        start_wave(&store, no, 1).await;
        let outcomes = race(10, |number| {
            let store = store.store.clone();
            async move {
                if number == 4 {
                    let act = store.write(async move |tx| tx.act_in_block(no, 1, 0, "containment:1", NOW).await);
                    return act.await.map(drop);
                }
                let account = i64::try_from(number).expect("small").min(8) + 1;
                let come_back = store.write(async move |tx| {
                    tx.replace_password(&replacement(account, 2)).await?;
                    tx.lift_holds_at_return(AccountNo::new(account), NOW).await.map(drop)
                });
                come_back.await
            }
        })
        .await;
        // Two run for the ninth account: one of them finds the password changed.
        assert!(
            outcomes.iter().filter(|outcome| outcome.is_err()).count() <= 1,
            "{outcomes:?}"
        );
        for (account, state) in members(&store, no).await {
            let (standing, lying) = (state_of(&store, account).await.0, lying(&store, account).await);
            if account == 5 {
                assert_eq!((state, standing), (MemberState::Done, AccountState::Held));
            } else {
                assert_eq!(
                    (state, standing),
                    (MemberState::Returned, AccountState::Open),
                    "account {account}"
                );
                assert_eq!(lying, [], "account {account}");
            }
        }
    }
}

async fn a_pause_comes_before_a_wave_or_after_it(engine: Engine) {
    let store = TestStore::new(engine).await;
    let no = running(&store, vec![member(1, 1, Action::Hold, Grade::Exact)]).await;
    let seen = store.asked(async move |tx| tx.containment(no).await).await.expect("it");
    store
        .done(async |tx| tx.move_containment(&seen, ContainmentState::Paused).await)
        .await;
    assert_eq!(store.done(async move |tx| tx.start_wave(no, 1, NOW).await).await, None);
    assert!(!store.done(async move |tx| tx.may_tell(no).await).await);
    assert_eq!(store.asked(async |tx| tx.running_waves().await).await, []);
}

/// Everything that may end a session, or what it rests on, says whose: the memory of sessions lives by it.
async fn whatever_ends_a_session_tells_the_watcher(engine: Engine) {
    let store = TestStore::new(engine).await;
    // The second is there so that something is left to act on once the first has another password.
    let cohort = vec![
        member(1, 1, Action::Hold, Grade::Exact),
        member(2, 1, Action::Hold, Grade::Exact),
    ];
    let no = running(&store, cohort).await;
    let told: Arc<Mutex<Vec<Changed>>> = Arc::default();
    let tell = Arc::clone(&told);
    store.watch(Box::new(move |changed| {
        tell.lock().expect("no panic").push(changed.clone());
    }));
    let said = async |work: &str| {
        let said = std::mem::take(&mut *told.lock().expect("no panic"));
        assert!(!said.is_empty(), "{work} told nobody");
        said.into_iter().all(|changed| match changed {
            Changed::Accounts(accounts) => accounts.contains(&ONE),
            Changed::Everybody => true,
        })
    };
    macro_rules! tells {
        ($($work:expr),+ $(,)?) => {$(
            let _ = store.write($work).await;
            assert!(said(stringify!($work)).await, "{} told of somebody else", stringify!($work));
        )+};
    }
    store.done(async |tx| tx.open_session(&new_session(1, 1)).await).await;
    assert!(told.lock().expect("no panic").is_empty(), "a new session ends none");
    let proofs = new_session(1, 1).proofs;
    tells!(
        async |tx| tx.session_proved(ONE, digest(1), proofs, NOW).await,
        async |tx| tx.move_session(ONE, digest(1), digest(2), 1).await,
        async |tx| tx.end_session(ONE, digest(2), NOW).await,
        async |tx| tx.end_one_session(ONE, id(1), NOW).await,
        async |tx| tx.end_other_sessions(ONE, digest(1), NOW).await,
        async |tx| tx.end_sessions(ONE, NOW).await,
        async |tx| tx.raise_epoch(ONE).await,
        async |tx| tx.replace_password(&replacement(1, 2)).await,
        async |tx| tx.set_role(ONE, "none").await,
        async |tx| tx.erase_account(ONE, &[], NOW).await,
        async |tx| tx.raise_mark_floor(1).await,
        async move |tx| tx.start_wave(no, 1, NOW).await,
        async move |tx| tx.act_in_block(no, 1, 0, "containment:1", NOW).await,
        async move |tx| tx.undo_in_block(no, 0, "undo:1", NOW).await,
    );
    let refused: Result<(), StoreError> = store
        .write(async |tx| {
            tx.raise_epoch(ONE).await?;
            Err(StoreError::Changed { what: "account" })
        })
        .await;
    assert!(
        refused.is_err() && told.lock().expect("no panic").is_empty(),
        "nothing was kept"
    );
}
