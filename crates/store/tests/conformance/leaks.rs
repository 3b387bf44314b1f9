use rightful_core::leak::{LeakNo, LeakState};
use rightful_core::{AccountNo, Grade, Kind};
use rightful_store::StoreError;
use rightful_store::exposure::{Exposure, ExposureCount, Pair, UNTESTED_MAX, Untested};
use rightful_store::leak::{LeakBatch, LeakFile};
use rightful_store::password::Replacement;

use crate::support::{Engine, NOW, TestStore, add_accounts, begin_leak, new_leak, on_both_engines, password, race};

on_both_engines!(
    evidence_against_an_earlier_password_stays,
    a_hash_that_another_leak_holds_too_goes_on_waiting,
    a_hash_that_is_found_again_waits_anew,
    a_leak_comes_back_as_it_was_noted,
    of_many_who_begin_a_leak_all_get_the_same,
    a_batch_counts_once_however_often_it_is_written,
    of_two_who_read_a_leak_one_goes_on,
    a_batch_that_fails_leaves_the_place_where_it_was,
    an_exposure_is_replaced_by_a_better_one,
    a_pair_is_found_again_in_another_leak,
    an_account_never_has_more_than_sixteen_untested_hashes,
    two_scans_share_the_sixteen_places,
    forgetting_drops_pairs_and_untested_hashes_but_no_reasons,
    pages_of_exposures_show_each_once,
    each_account_counts_once_by_its_best_grade,
);

fn exposure(no: i64, tag: u8, grade: Grade) -> Exposure {
    Exposure {
        account: AccountNo::new(no),
        secret_tag: vec![tag; 16],
        grade,
        kind: Kind::Dump,
        password_no: Some(1),
        loose: false,
        position: vec![tag, 9],
        found_at: NOW,
    }
}

fn pair(no: i64, tag: u8, sealed: u8) -> Pair {
    Pair {
        account: AccountNo::new(no),
        secret_tag: vec![tag; 16],
        sealed: vec![sealed],
    }
}

fn untested(no: i64, tag: u8) -> Untested {
    Untested {
        account: AccountNo::new(no),
        secret_tag: vec![tag; 16],
        sealed: vec![tag],
        found_at: NOW,
        expires_at: NOW.plus_seconds(i64::from(tag)),
    }
}

fn batch(exposures: Vec<Exposure>, pairs: Vec<Pair>, untested: Vec<Untested>) -> LeakBatch {
    LeakBatch {
        exposures,
        pairs,
        untested,
        checkpoint: Some(b"place".to_vec()),
        tallies: r#"{"lines":1}"#.into(),
    }
}

async fn a_leak_comes_back_as_it_was_noted(engine: Engine) {
    let store = TestStore::new(engine).await;
    let mut new = new_leak("Example 2026");
    new.kind_override = Some(Kind::Stealer);
    new.variations = 0;
    let noted = new.clone();
    let leak = store
        .write(async move |tx| tx.leak_begin(&noted).await)
        .await
        .expect("a leak");
    assert_eq!(
        (leak.no, &leak.noted, leak.state, leak.version),
        (LeakNo(1), &new, LeakState::Reading, 1)
    );
    let file = |name: &str, byte: u8| LeakFile {
        name: name.into(),
        sha256: [byte; 32],
        bytes: 1 << 40,
    };
    // Read, read again after a crash, and more of it read under the same name later: what was noted first stays.
    let files = [file("b.txt.zst", 3), file("a.txt", 4), file("b.txt.zst", 5)];
    for (read, new) in [(0, true), (0, false), (1, true), (2, true), (1, false)] {
        let file = files[read].clone();
        let added = store
            .write(async move |tx| tx.add_leak_file(LeakNo(1), &file).await)
            .await;
        assert_eq!(added.expect("a file"), new);
    }
    assert_eq!(
        store
            .read(async move |tx| tx.leak_files(LeakNo(1)).await)
            .await
            .expect("files"),
        files
    );
    let seen = leak.clone();
    store
        .write(async move |tx| tx.leak_finish(&seen, "{}", NOW).await)
        .await
        .expect("done");
    let done = store
        .read(async move |tx| tx.leak_by_name("Example 2026").await)
        .await
        .expect("an answer")
        .expect("it");
    assert_eq!(
        (done.state, done.done_at, done.version),
        (LeakState::Done, Some(NOW), 2)
    );
    assert_eq!(
        store.read(async move |tx| tx.leaks().await).await.expect("leaks"),
        std::slice::from_ref(&done)
    );
    let reopened = store
        .write(async move |tx| tx.leak_reopen(&done).await)
        .await
        .expect("open again");
    assert_eq!(
        (reopened.state, reopened.done_at, reopened.version),
        (LeakState::Reading, None, 3)
    );
    let refused = store
        .write(async move |tx| tx.leak_finish(&leak, "{}", NOW).await)
        .await;
    assert!(
        matches!(refused, Err(StoreError::Changed { what: "leak" })),
        "{refused:?}"
    );
}

async fn of_many_who_begin_a_leak_all_get_the_same(engine: Engine) {
    let store = TestStore::new(engine).await;
    let begun = race(50, |_| {
        let store = store.store.clone();
        async move { begin_leak(&store, "one").await }
    })
    .await;
    assert!(begun.iter().all(|leak| leak.no == begun[0].no));
    assert_eq!(store.number("SELECT COUNT(*) FROM leak").await, 1);
}

async fn a_batch_counts_once_however_often_it_is_written(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, 1..=300).await;
    let leak = begin_leak(&store, "one").await;
    let all = batch(
        (1..=300).map(|no| exposure(no, 1, Grade::Exact)).collect(),
        (1..=300).map(|no| pair(no, 1, 5)).collect(),
        (1..=300).map(|no| untested(no, 2)).collect(),
    );
    // As after a crash between COMMIT and its answer: the caller reads the leak again and repeats the batch.
    for expected_version in 2..=4 {
        let all = all.clone();
        let again = begin_leak(&store, "one").await;
        let done = store
            .write(async move |tx| tx.leak_commit_batch(&again, &all).await)
            .await
            .expect("a batch");
        assert_eq!((done.leak.version, done.untested_left_out), (expected_version, 0));
    }
    for table in ["exposure", "pair", "untested"] {
        assert_eq!(
            store.number(&format!("SELECT COUNT(*) FROM {table}")).await,
            300,
            "{table}"
        );
    }
    let there = store
        .read(async move |tx| tx.leak(leak.no).await)
        .await
        .expect("an answer")
        .expect("the leak");
    assert_eq!(there.checkpoint.as_deref(), Some(&b"place"[..]));
    assert_eq!(there.tallies, r#"{"lines":1}"#);
}

async fn of_two_who_read_a_leak_one_goes_on(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1]).await;
    let leak = begin_leak(&store, "one").await;
    let outcomes = race(20, |number| {
        let (store, leak) = (store.store.clone(), leak.clone());
        async move {
            let tag = u8::try_from(number).expect("a small number");
            let one = batch(vec![exposure(1, tag, Grade::Exact)], vec![pair(1, tag, 0)], vec![]);
            store
                .write(async move |tx| tx.leak_commit_batch(&leak, &one).await.map(drop))
                .await
        }
    })
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, Ok(()) | Err(StoreError::Changed { what: "leak" })))
    );
    assert_eq!(store.number("SELECT COUNT(*) FROM exposure").await, 1);
    assert_eq!(store.number("SELECT COUNT(*) FROM pair").await, 1);
}

async fn a_batch_that_fails_leaves_the_place_where_it_was(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1]).await;
    let leak = begin_leak(&store, "one").await;
    // Account 2 does not exist, so the pair is refused after the exposure and the place were written.
    let bad = batch(vec![exposure(1, 1, Grade::Exact)], vec![pair(2, 1, 0)], vec![]);
    let seen = leak.clone();
    let failed = store
        .write(async move |tx| tx.leak_commit_batch(&seen, &bad).await.map(drop))
        .await;
    assert!(matches!(failed, Err(StoreError::Backend { .. })), "{failed:?}");
    assert_eq!(begin_leak(&store, "one").await, leak);
    assert_eq!(store.number("SELECT COUNT(*) FROM exposure").await, 0);
}

async fn an_exposure_is_replaced_by_a_better_one(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1, 5000]).await;
    let mut leak = begin_leak(&store, "one").await;
    for grade in [Grade::Untested, Grade::Exact] {
        let one = batch(
            vec![
                exposure(1, 1, Grade::Named),
                exposure(5000, 1, grade),
                exposure(1, 1, grade),
            ],
            vec![],
            vec![],
        );
        leak = store
            .write(async move |tx| tx.leak_commit_batch(&leak.clone(), &one).await)
            .await
            .expect("a batch")
            .leak;
    }
    let no = leak.no;
    let wanted = [1, 2, 5000].map(|no| (AccountNo::new(no), vec![1; 16]));
    let there = store
        .read(async move |tx| tx.exposures(no, &wanted).await)
        .await
        .expect("exposures");
    assert!(there == [exposure(1, 1, Grade::Exact), exposure(5000, 1, Grade::Exact)]);
    let of_account = store
        .read(async move |tx| tx.exposures_of_account(AccountNo::new(1)).await)
        .await
        .expect("them");
    assert!(of_account == [(no, exposure(1, 1, Grade::Exact))]);
    let elsewhere = [(AccountNo::new(1), vec![1; 16])];
    assert!(
        store
            .read(async move |tx| tx.exposures(LeakNo(77), &elsewhere).await)
            .await
            .expect("none")
            .is_empty()
    );
}

/// A leak read again after a change of the password found the earlier one: what it had said of the one before was gone.
async fn evidence_against_an_earlier_password_stays(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1, 2, 3]).await;
    let mut leak = begin_leak(&store, "one").await;
    let found = |no: i64, grade: Grade, password_no: i64, days: i64| Exposure {
        password_no: Some(password_no),
        found_at: NOW.plus_seconds(days * 86_400),
        ..exposure(no, 1, grade)
    };
    let first = vec![
        found(1, Grade::Exact, 1, 0),
        found(2, Grade::Untested, 1, 0),
        found(3, Grade::Named, 1, 0),
    ];
    let again = vec![
        found(1, Grade::Former, 2, 9),
        found(2, Grade::Untested, 2, 9),
        found(3, Grade::Exact, 2, 9),
    ];
    for exposures in [first, again] {
        let one = batch(exposures, vec![], vec![]);
        leak = store
            .write(async move |tx| tx.leak_commit_batch(&leak.clone(), &one).await)
            .await
            .expect("a batch")
            .leak;
    }
    let no = leak.no;
    let there = store
        .read(async move |tx| tx.exposure_page(no, None, 10).await)
        .await
        .expect("exposures");
    let stronger_stays = [
        found(1, Grade::Exact, 1, 0),
        found(2, Grade::Untested, 2, 0),
        found(3, Grade::Exact, 2, 0),
    ];
    assert!(there == stronger_stays, "{there:?}");
    store
        .write(async move |tx| {
            for (no, seen) in [(1, 1), (3, 1)] {
                let change = Replacement {
                    account: AccountNo::new(no),
                    seen: Some(seen),
                    password: password("new"),
                    replaced_digest: None,
                    now: NOW,
                };
                tx.replace_password(&change).await?;
            }
            Ok(())
        })
        .await
        .expect("new passwords");
    let changed = store.read(async move |tx| tx.accounts_changed_since(no).await).await;
    assert_eq!(
        changed.expect("a number"),
        1,
        "account 3 was tested against the new one"
    );
}

async fn a_pair_is_found_again_in_another_leak(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, (1..=100).chain(5000..=5100)).await;
    let first = begin_leak(&store, "first").await;
    let pairs = (1..=100).chain(5000..=5100).map(|no| pair(no, 1, 1)).collect();
    let one = batch(vec![], pairs, vec![]);
    store
        .write(async move |tx| tx.leak_commit_batch(&first, &one).await.map(drop))
        .await
        .expect("a batch");
    let second = begin_leak(&store, "second").await;
    let two = batch(vec![], vec![pair(1, 1, 2)], vec![]);
    store
        .write(async move |tx| tx.leak_commit_batch(&second, &two).await.map(drop))
        .await
        .expect("a batch");
    let wanted: Vec<_> = (50..=5050)
        .flat_map(|no| [1, 2].map(|tag| (AccountNo::new(no), vec![tag; 16])))
        .collect();
    let found = store
        .read(async move |tx| tx.pairs(&wanted).await)
        .await
        .expect("pairs");
    let mut numbers: Vec<i64> = found.iter().map(|pair| pair.account.get()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (50..=100).chain(5000..=5050).collect::<Vec<_>>());
    let again = store
        .read(async move |tx| tx.pairs(&[(AccountNo::new(1), vec![1; 16])]).await)
        .await
        .expect("a pair");
    assert!(again == [pair(1, 1, 2)]);
}

async fn an_account_never_has_more_than_sixteen_untested_hashes(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1, 2]).await;
    let mut leak = begin_leak(&store, "one").await;
    let mut left_out = 0;
    for tags in [1..=10, 5..=30] {
        let some = batch(
            vec![],
            vec![],
            tags.map(|tag| untested(1, tag)).chain([untested(2, 1)]).collect(),
        );
        let done = store
            .write(async move |tx| tx.leak_commit_batch(&leak.clone(), &some).await)
            .await
            .expect("a batch");
        left_out += done.untested_left_out;
        leak = done.leak;
    }
    assert_eq!(left_out, 14);
    let there = store
        .read(async move |tx| tx.untested(AccountNo::new(1)).await)
        .await
        .expect("untested hashes");
    assert_eq!(
        there.iter().map(|(_, hash)| hash.sealed[0]).collect::<Vec<_>>(),
        (1..=16).collect::<Vec<u8>>()
    );
    let dropped = store
        .write(async move |tx| tx.drop_expired_untested(0, NOW.plus_seconds(4)).await)
        .await;
    assert_eq!(dropped.expect("dropped"), 5, "four of account 1, one of account 2");
    let room = batch(vec![], vec![], (40..=50).map(|tag| untested(1, tag)).collect());
    let done = store
        .write(async move |tx| tx.leak_commit_batch(&leak.clone(), &room).await)
        .await
        .expect("a batch");
    assert_eq!(done.untested_left_out, 7);
}

/// Two leaks hold the same hash: forgetting the first took the hash that the exposure of the second waits with.
async fn a_hash_that_another_leak_holds_too_goes_on_waiting(engine: Engine) {
    let store = TestStore::new(engine).await;
    store
        .write(async move |tx| tx.take_account_block().await)
        .await
        .expect("numbers");
    add_accounts(&store, [1]).await;
    for name in ["first", "second", "third"] {
        let leak = begin_leak(&store, name).await;
        let mut hashes = vec![untested(1, 1)];
        if name == "first" {
            hashes.push(untested(1, 2));
        }
        let exposures = hashes
            .iter()
            .map(|hash| exposure(1, hash.secret_tag[0], Grade::Untested));
        let some = batch(exposures.collect(), vec![], hashes);
        store
            .write(async move |tx| tx.leak_commit_batch(&leak, &some).await.map(drop))
            .await
            .expect("a batch");
    }
    for (forgotten, left) in [("first", vec![(2, 1)]), ("second", vec![(3, 1)]), ("third", vec![])] {
        let leak = begin_leak(&store, forgotten).await;
        store
            .write(async move |tx| {
                tx.leak_forget(&leak).await?;
                tx.leak_forget_block(leak.no, 0).await
            })
            .await
            .expect("forgotten");
        let waiting = store
            .read(async move |tx| tx.untested(AccountNo::new(1)).await)
            .await
            .expect("untested hashes");
        let waiting: Vec<(i64, u8)> = waiting
            .iter()
            .map(|(leak, hash)| (leak.0, hash.secret_tag[0]))
            .collect();
        assert_eq!(waiting, left, "after {forgotten}");
    }
}

/// A hash that is found again waits its full time again.
async fn a_hash_that_is_found_again_waits_anew(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1]).await;
    let mut leak = begin_leak(&store, "one").await;
    for days in [180, 300, 200] {
        let hash = Untested {
            expires_at: NOW.plus_seconds(days * 86_400),
            ..untested(1, 1)
        };
        leak = store
            .write(async move |tx| {
                tx.leak_commit_batch(&leak.clone(), &batch(vec![], vec![], vec![hash.clone()]))
                    .await
            })
            .await
            .expect("a batch")
            .leak;
    }
    let wanted = [(AccountNo::new(1), vec![1; 16]), (AccountNo::new(1), vec![2; 16])];
    let waiting = store
        .read(async move |tx| tx.untested_waiting(&wanted).await)
        .await
        .expect("an answer");
    assert_eq!(
        waiting,
        [(AccountNo::new(1), vec![1; 16], NOW.plus_seconds(300 * 86_400))]
    );
}

async fn two_scans_share_the_sixteen_places(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1]).await;
    let scans: Vec<u64> = race(4, |number| {
        let store = store.store.clone();
        async move {
            let leak = begin_leak(&store, &format!("leak {number}")).await;
            let first = u8::try_from(number).expect("a small number") * 10;
            let some = batch(
                vec![],
                vec![],
                (first..first + 10).map(|tag| untested(1, tag)).collect(),
            );
            let done = store
                .write(async move |tx| tx.leak_commit_batch(&leak, &some).await)
                .await
                .expect("a batch");
            done.untested_left_out
        }
    })
    .await;
    assert_eq!(scans.iter().sum::<u64>(), 40 - UNTESTED_MAX as u64);
    assert_eq!(store.number("SELECT COUNT(*) FROM untested").await, 16);
    assert_eq!(
        store.number("SELECT COUNT(DISTINCT secret_tag) FROM untested").await,
        16
    );
}

async fn forgetting_drops_pairs_and_untested_hashes_but_no_reasons(engine: Engine) {
    let store = TestStore::new(engine).await;
    for _ in 0..2 {
        store
            .write(async move |tx| tx.take_account_block().await)
            .await
            .expect("numbers");
    }
    add_accounts(&store, [1, 5000]).await;
    let numbers = [1, 5000];
    for name in ["kept", "forgotten"] {
        let leak = begin_leak(&store, name).await;
        let tag = u8::try_from(leak.no.0).expect("a small number");
        let some = batch(
            numbers.map(|no| exposure(no, tag, Grade::Exact)).to_vec(),
            numbers.map(|no| pair(no, tag, 0)).to_vec(),
            numbers.map(|no| untested(no, tag)).to_vec(),
        );
        store
            .write(async move |tx| tx.leak_commit_batch(&leak, &some).await.map(drop))
            .await
            .expect("a batch");
    }
    let leak = begin_leak(&store, "forgotten").await;
    let (seen, scanning) = (leak.clone(), leak.clone());
    store
        .write(async move |tx| tx.leak_forget(&seen).await)
        .await
        .expect("marked");
    let late = store
        .write(async move |tx| tx.leak_commit_batch(&scanning, &LeakBatch::default()).await.map(drop))
        .await;
    assert!(
        matches!(late, Err(StoreError::Changed { .. })),
        "a scan goes on reading what is forgotten: {late:?}"
    );
    for expected in [2, 0] {
        for block in 0..store.read(async move |tx| tx.blocks().await).await.expect("blocks") {
            let dropped = store
                .write(async move |tx| tx.leak_forget_block(leak.no, block).await)
                .await
                .expect("dropped");
            assert_eq!(dropped, expected, "block {block}");
        }
    }
    assert_eq!(store.number("SELECT COUNT(*) FROM exposure").await, 4);
    for table in ["pair", "untested"] {
        assert_eq!(
            store
                .number(&format!("SELECT COUNT(*) FROM {table} WHERE leak_no = 1"))
                .await,
            2,
            "{table}"
        );
        assert_eq!(
            store
                .number(&format!("SELECT COUNT(*) FROM {table} WHERE leak_no = 2"))
                .await,
            0,
            "{table}"
        );
    }
    let there = begin_leak(&store, "forgotten").await;
    assert_eq!((there.state, there.checkpoint), (LeakState::Forgotten, None));
}

async fn pages_of_exposures_show_each_once(engine: Engine) {
    let store = TestStore::new(engine).await;
    let numbers: Vec<i64> = (1..=40).chain(5000..=5040).collect();
    add_accounts(&store, numbers.clone()).await;
    let mut wanted: Vec<(i64, u8)> = numbers.iter().flat_map(|no| [(*no, 3), (*no, 7)]).collect();
    for name in ["other", "one"] {
        let leak = begin_leak(&store, name).await;
        let some = batch(
            wanted
                .iter()
                .map(|(no, tag)| exposure(*no, *tag, Grade::Named))
                .collect(),
            vec![],
            vec![],
        );
        store
            .write(async move |tx| tx.leak_commit_batch(&leak, &some).await.map(drop))
            .await
            .expect("a batch");
    }
    let mut seen: Vec<Exposure> = Vec::new();
    loop {
        let after = seen.last().map(Exposure::place);
        let page = store
            .read(async move |tx| tx.exposure_page(LeakNo(2), after.as_ref(), 7).await)
            .await
            .expect("a page");
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    wanted.sort_unstable();
    assert_eq!(
        seen.iter()
            .map(|row| (row.account.get(), row.secret_tag[0]))
            .collect::<Vec<_>>(),
        wanted
    );
}

async fn each_account_counts_once_by_its_best_grade(engine: Engine) {
    let store = TestStore::new(engine).await;
    add_accounts(&store, [1, 2, 3]).await;
    let leak = begin_leak(&store, "one").await;
    let no = leak.no;
    let mut stealer = exposure(2, 4, Grade::Exact);
    stealer.kind = Kind::Stealer;
    let rows = vec![
        exposure(1, 1, Grade::Named),
        exposure(1, 2, Grade::Exact),
        exposure(1, 3, Grade::Exact),
        stealer,
        exposure(3, 1, Grade::Former),
    ];
    let some = batch(rows, vec![], vec![]);
    store
        .write(async move |tx| tx.leak_commit_batch(&leak, &some).await.map(drop))
        .await
        .expect("a batch");
    let counts = store
        .read(async move |tx| tx.exposure_counts(no).await)
        .await
        .expect("counts");
    let count = |grade, kind, exposures, accounts| ExposureCount {
        grade,
        kind,
        exposures,
        accounts,
    };
    assert_eq!(
        counts,
        [
            count(Grade::Exact, Kind::Stealer, 1, 1),
            count(Grade::Exact, Kind::Dump, 2, 1),
            count(Grade::Former, Kind::Dump, 1, 1),
            count(Grade::Named, Kind::Dump, 1, 1),
        ]
    );
    let best = store
        .read(async move |tx| tx.accounts_by_best_grade(no).await)
        .await
        .expect("counts");
    assert_eq!(best, [(Grade::Exact, 2), (Grade::Former, 1)]);
}
