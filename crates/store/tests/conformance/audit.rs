use rightful_core::AccountNo;
use rightful_core::audit::{AuditEntry, AuditSubject};
use rightful_store::audit::{AuditBreak, AuditFault, AuditVerdict};

use crate::support::{Engine, NOW, TestStore, on_both_engines, race};

on_both_engines!(
    rows_of_a_subject_stand_in_order,
    of_many_who_append_to_one_chain_none_is_lost,
    a_row_of_a_failed_transaction_is_not_there,
    a_long_log_holds,
    every_change_behind_our_back_shows,
);

fn entry(subject: AuditSubject, body: &str) -> AuditEntry {
    AuditEntry {
        subject,
        event: "test.done",
        actor: "cli:tester".into(),
        body: body.into(),
        at: NOW,
    }
}

async fn append(store: &TestStore, subject: AuditSubject, bodies: std::ops::Range<i32>) {
    let entries: Vec<_> = bodies
        .map(|number| entry(subject, &format!(r#"{{"n":{number}}}"#)))
        .collect();
    store
        .write(async move |tx| {
            for entry in &entries {
                tx.audit(entry).await?;
            }
            Ok(())
        })
        .await
        .expect("appended");
}

async fn verify(store: &TestStore) -> AuditVerdict {
    store
        .read(async move |tx| tx.verify_audit().await)
        .await
        .expect("a verdict")
}

async fn rows_of_a_subject_stand_in_order(engine: Engine) {
    let store = TestStore::new(engine).await;
    let account = AuditSubject::Account(AccountNo::new(5000));
    append(&store, account, 0..3).await;
    append(&store, AuditSubject::Site, 7..8).await;
    let rows = store
        .read(async move |tx| tx.audit_rows(account).await)
        .await
        .expect("rows");
    assert_eq!(
        rows.iter()
            .map(|row| (row.home, row.subject, row.seq))
            .collect::<Vec<_>>(),
        [(1, 5000, 1), (1, 5000, 2), (1, 5000, 3)]
    );
    assert_eq!(rows[2].body, r#"{"n":2}"#);
    assert_eq!(
        (&*rows[0].event, &*rows[0].actor, rows[0].at),
        ("test.done", "cli:tester", NOW)
    );
    assert_eq!(
        verify(&store).await,
        AuditVerdict {
            chains: 2,
            rows: 4,
            broken: None
        }
    );
}

async fn of_many_who_append_to_one_chain_none_is_lost(engine: Engine) {
    let store = TestStore::new(engine).await;
    race(50, |number| {
        let store = store.store.clone();
        async move {
            let entry = entry(AuditSubject::Leak(1), &number.to_string());
            store
                .write(async move |tx| tx.audit(&entry).await)
                .await
                .expect("appended");
        }
    })
    .await;
    assert_eq!(
        verify(&store).await,
        AuditVerdict {
            chains: 1,
            rows: 50,
            broken: None
        }
    );
    assert_eq!(store.number("SELECT COUNT(DISTINCT body) FROM audit").await, 50);
}

async fn a_row_of_a_failed_transaction_is_not_there(engine: Engine) {
    let store = TestStore::new(engine).await;
    append(&store, AuditSubject::Site, 0..1).await;
    let failed: Result<(), _> = store
        .write(async move |tx| {
            tx.audit(&entry(AuditSubject::Site, "lost")).await?;
            Err(rightful_store::StoreError::Changed { what: "test" })
        })
        .await;
    assert!(failed.is_err());
    append(&store, AuditSubject::Site, 1..2).await;
    assert_eq!(
        verify(&store).await,
        AuditVerdict {
            chains: 1,
            rows: 2,
            broken: None
        }
    );
}

async fn a_long_log_holds(engine: Engine) {
    let store = TestStore::new(engine).await;
    // More than a page of rows in one chain, and more than a page of chains.
    append(&store, AuditSubject::Site, 0..1100).await;
    store
        .write(async move |tx| {
            for no in 1..=1100 {
                tx.audit(&entry(AuditSubject::Account(AccountNo::new(no * 7)), ""))
                    .await?;
            }
            Ok(())
        })
        .await
        .expect("appended");
    assert_eq!(
        verify(&store).await,
        AuditVerdict {
            chains: 1101,
            rows: 2200,
            broken: None
        }
    );
}

async fn every_change_behind_our_back_shows(engine: Engine) {
    let zero = if engine == Engine::Sqlite { "x'00'" } else { r"'\x00'" };
    let site = "home = -1 AND subject = 0";
    let broken = |seq, fault| {
        Some(AuditBreak {
            home: -1,
            subject: 0,
            seq,
            fault,
        })
    };
    let seed = format!("UPDATE audit SET at = at + 1 WHERE {site} AND seq = 2");
    let head_back =
        format!("UPDATE audit_head SET seq = 3, hash = (SELECT hash FROM audit WHERE {site} AND seq = 3) WHERE {site}");
    let cases = [
        (
            format!("UPDATE audit SET body = 'x' WHERE {site} AND seq = 1"),
            broken(1, AuditFault::Altered),
        ),
        (
            format!("UPDATE audit SET actor = 'x' WHERE {site} AND seq = 4"),
            broken(4, AuditFault::Altered),
        ),
        (seed, broken(2, AuditFault::Altered)),
        (
            format!("UPDATE audit SET hash = {zero} WHERE {site} AND seq = 3"),
            broken(3, AuditFault::Altered),
        ),
        (
            format!("DELETE FROM audit WHERE {site} AND seq = 1"),
            broken(2, AuditFault::Missing),
        ),
        (
            format!("DELETE FROM audit WHERE {site} AND seq = 3"),
            broken(4, AuditFault::Missing),
        ),
        (
            format!("DELETE FROM audit WHERE {site} AND seq = 4"),
            broken(3, AuditFault::Cut),
        ),
        (
            format!("DELETE FROM audit WHERE {site} AND seq = 4; {head_back}"),
            broken(3, AuditFault::Cut),
        ),
        (format!("DELETE FROM audit WHERE {site}"), broken(4, AuditFault::Cut)),
        (
            format!("DELETE FROM audit_head WHERE {site}"),
            broken(4, AuditFault::Headless),
        ),
        (
            format!(
                "INSERT INTO audit SELECT home, subject, 5, event, actor, body, hash, hash, at FROM audit WHERE {site} AND seq = 4"
            ),
            broken(5, AuditFault::Altered),
        ),
        ("UPDATE audit SET body = body".to_owned(), None),
    ];
    for (change, expected) in cases {
        let store = TestStore::new(engine).await;
        append(&store, AuditSubject::Import(1), 0..2).await;
        append(&store, AuditSubject::Site, 0..4).await;
        append(&store, AuditSubject::Account(AccountNo::new(9)), 0..2).await;
        store.raw(&change).await.expect("changed");
        assert_eq!(verify(&store).await.broken, expected, "{change}");
    }
}
