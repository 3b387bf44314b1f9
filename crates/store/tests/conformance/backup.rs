use std::io::{Read, Write};

use rightful_core::audit::{AuditEntry, AuditSubject};
use rightful_core::{AccountNo, Grade, Kind};
use rightful_store::backup::{BackupError, BackupSummary, Seal};
use rightful_store::data_key::DataKey;
use rightful_store::exposure::{Exposure, Pair, Untested};
use rightful_store::incident::{Entry, EntryKind};
use rightful_store::leak::{LeakBatch, LeakFile};
use rightful_store::password::Replacement;
use sha2::{Digest, Sha256};

use crate::support::{
    Engine, NOW, TestStore, add_accounts, begin_leak, digest, fill_account, on_both_engines, password,
};

on_both_engines!(
    a_backup_restores_on_either_engine,
    what_was_proved_before_a_restore_is_dead,
    a_backup_that_was_cut_off_is_refused,
    a_backup_that_was_changed_is_refused,
    a_backup_under_another_key_is_refused,
    a_database_with_rows_is_not_restored_into,
    a_writer_that_fails_is_told,
    a_backup_sees_one_state,
);

/// A seal under a key.
struct Keyed(Sha256);

impl Keyed {
    fn new(key: &str) -> Self {
        Self(Sha256::new_with_prefix(key))
    }
}

impl Seal for Keyed {
    fn update(&mut self, bytes: &[u8]) {
        Digest::update(&mut self.0, bytes);
    }

    fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

fn restored() -> AuditEntry {
    AuditEntry {
        subject: AuditSubject::Site,
        event: "site.restored",
        actor: "cli:tester".into(),
        body: "{}".into(),
        at: NOW,
    }
}

/// At least one row in every table, among them every kind of value that may be missing.
async fn full_store(engine: Engine) -> TestStore {
    let store = TestStore::new(engine).await;
    add_accounts(&store, (1..=300).chain([5000])).await;
    let leak = begin_leak(&store, "a leak").await;
    begin_leak(&store, "without a batch").await;
    let account = AccountNo::new(5000);
    let batch = LeakBatch {
        exposures: vec![Exposure {
            account,
            secret_tag: vec![0, 255, 10, 13],
            grade: Grade::Named,
            kind: Kind::Ours,
            password_no: None,
            loose: true,
            position: vec![],
            found_at: NOW,
        }],
        pairs: vec![Pair {
            account,
            secret_tag: vec![1],
            sealed: vec![2],
        }],
        untested: vec![Untested {
            account,
            secret_tag: vec![1],
            sealed: vec![2],
            found_at: NOW,
            expires_at: NOW,
        }],
        checkpoint: Some(vec![3]),
        tallies: "{\"a\":\"ä\u{1F511}\"}".into(),
    };
    store
        .write(async move |tx| {
            tx.take_account_block().await?;
            let import = tx.import_begin([9; 32], "users.csv", NOW).await?;
            tx.import_finish(&import, NOW).await?;
            let change = Replacement {
                account: AccountNo::new(7),
                seen: Some(1),
                password: password("second"),
                replaced_digest: Some(b"digest".to_vec()),
                now: NOW,
            };
            tx.replace_password(&change).await?;
            tx.leak_commit_batch(&leak, &batch).await?;
            let file = LeakFile {
                name: "a".into(),
                sha256: [1; 32],
                bytes: 5,
            };
            tx.add_leak_file(leak.no, &file).await?;
            let key = DataKey {
                purpose: "p".into(),
                key_no: 1,
                wrapped: vec![1],
                kek_id: "k".into(),
                made_at: NOW,
            };
            tx.add_data_key(&key).await?;
            tx.raise_mark(5).await?;
            let incident = tx.open_incident("an-incident", "An incident", account, NOW).await?;
            tx.attach_leak(incident, leak.no, NOW).await?;
            let entry = Entry {
                kind: EntryKind::Note,
                author: account,
                body: "a note".into(),
                at: NOW,
            };
            tx.add_incident_entry(incident, &entry).await?;
            let containment = tx.draft_containment(incident, "{}", account, NOW).await?;
            let seen = tx.containment(containment).await?.expect("it");
            tx.begin_freeze(&seen).await?;
            let seen = tx.containment(containment).await?.expect("it");
            tx.end_freeze(&seen, &[1], 1, [7; 32], NOW).await?;
            tx.audit(&AuditEntry {
                event: "test.done",
                ..restored()
            })
            .await
        })
        .await
        .expect("rows everywhere");
    fill_account(&store, 9).await;
    store
}

async fn backup(store: &TestStore) -> (Vec<u8>, BackupSummary) {
    let mut bytes = Vec::new();
    let summary = store.backup(&mut bytes, Keyed::new("key")).await.expect("a backup");
    assert!(
        summary.tables.iter().all(|(_, rows)| *rows > 0),
        "every table has a row: {summary:?}"
    );
    (bytes, summary)
}

async fn restore(store: &TestStore, bytes: &[u8]) -> Result<BackupSummary, BackupError> {
    store.restore(bytes, Keyed::new("key"), &restored(), 1000).await
}

async fn is_empty(store: &TestStore) -> bool {
    let mut rows = 0;
    for (table, _) in rightful_store::backup::tables() {
        rows += store.number(&format!("SELECT COUNT(*) FROM {table}")).await;
    }
    rows == 0
}

async fn a_backup_restores_on_either_engine(engine: Engine) {
    let store = full_store(engine).await;
    let (bytes, written) = backup(&store).await;
    for target in [Engine::Sqlite, Engine::Postgres] {
        let copy = TestStore::new(target).await;
        let read = restore(&copy, &bytes).await.expect("restored");
        assert_eq!(read, written);
        assert_eq!(copy.read(async move |tx| tx.mark().await).await.expect("a mark"), 1005);
        let verdict = copy
            .read(async move |tx| tx.verify_audit().await)
            .await
            .expect("a verdict");
        assert_eq!((verdict.rows, verdict.broken), (3, None));
        let rows = copy
            .read(async move |tx| tx.audit_rows(AuditSubject::Site).await)
            .await
            .expect("rows");
        assert_eq!(rows[1].event, "site.restored");
        // Without what the restore itself wrote, the copy gives the very same bytes up to the audit tables.
        for text in [
            "UPDATE setting SET body = '5', version = 1 WHERE name = 'mark'",
            "DELETE FROM setting WHERE name = 'mark.floor'",
        ] {
            copy.raw(text).await.expect("the old mark");
        }
        let (again, _) = backup(&copy).await;
        let table = b"T\x00\x05audit";
        let audit = bytes
            .windows(table.len())
            .position(|window| window == table)
            .expect("the table of audit rows");
        assert!(again[..audit] == bytes[..audit], "{engine:?} to {target:?}");
    }
}

/// Whoever was signed out, or held, after the backup was made, would be signed in again by restoring it.
async fn what_was_proved_before_a_restore_is_dead(engine: Engine) {
    let store = full_store(engine).await;
    let (bytes, _) = backup(&store).await;
    let copy = TestStore::new(engine).await;
    restore(&copy, &bytes).await.expect("restored");
    let (session, flow, browser, mark, floor) = copy
        .asked(async move |tx| {
            let session = tx.session(0, digest(9), NOW).await?.expect("the session");
            let flow = tx.flow(0, digest(9), NOW).await?.expect("the conversation");
            let browser = tx.browser(0, digest(9)).await?.expect("the browser");
            Ok((session, flow, browser, tx.mark().await?, tx.mark_floor().await?))
        })
        .await;
    assert_eq!((mark, floor), (1005, 1005));
    for born in [session.born, flow.born] {
        assert!(born.lives(born.epoch, 0), "but for the floor it would live");
        assert!(!born.lives(born.epoch, floor));
    }
    assert!(browser.mark < floor);
    let again = TestStore::new(engine).await;
    let (bytes, _) = backup(&copy).await;
    restore(&again, &bytes).await.expect("restored again");
    let floor = again.asked(async move |tx| tx.mark_floor().await).await;
    assert_eq!(floor, 2005, "each restore raises it");
}

async fn a_backup_that_was_cut_off_is_refused(engine: Engine) {
    let store = full_store(engine).await;
    let (bytes, _) = backup(&store).await;
    let copy = TestStore::new(engine).await;
    let step = bytes.len() / 25;
    for end in (0..bytes.len())
        .step_by(step)
        .chain([bytes.len() - 33, bytes.len() - 1])
    {
        let refused = restore(&copy, &bytes[..end]).await.expect_err("it lacks its end");
        let right = matches!(refused, BackupError::CutOff) || (end < 16 && matches!(refused, BackupError::NotABackup));
        assert!(right, "cut at {end}: {refused:?}");
    }
    assert!(is_empty(&copy).await);
    restore(&copy, &bytes).await.expect("the whole one");
}

async fn a_backup_that_was_changed_is_refused(engine: Engine) {
    let store = full_store(engine).await;
    let (bytes, _) = backup(&store).await;
    let copy = TestStore::new(engine).await;
    let step = bytes.len() / 40;
    for place in (0..bytes.len()).step_by(step).chain([bytes.len() - 1]) {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        assert!(
            restore(&copy, &changed).await.is_err(),
            "byte {place} of {}",
            bytes.len()
        );
    }
    let refused = restore(&copy, &[&bytes[..], b"!"].concat()).await;
    assert!(matches!(refused, Err(BackupError::Altered { .. })), "{refused:?}");
    let refused = restore(&copy, b"PK\x03\x04 something else altogether").await;
    assert!(matches!(refused, Err(BackupError::NotABackup)), "{refused:?}");
    assert!(is_empty(&copy).await);
}

async fn a_backup_under_another_key_is_refused(engine: Engine) {
    let store = full_store(engine).await;
    let (bytes, _) = backup(&store).await;
    let copy = TestStore::new(engine).await;
    let refused = copy.restore(&bytes[..], Keyed::new("another"), &restored(), 1).await;
    assert!(
        matches!(
            refused,
            Err(BackupError::Altered {
                what: "the seal does not fit"
            })
        ),
        "{refused:?}"
    );
    assert!(is_empty(&copy).await);
}

async fn a_database_with_rows_is_not_restored_into(engine: Engine) {
    let store = full_store(engine).await;
    let (bytes, _) = backup(&store).await;
    let other = TestStore::new(engine).await;
    other
        .write(async move |tx| tx.take_account_block().await)
        .await
        .expect("numbers");
    for target in [&store, &other] {
        let refused = restore(target, &bytes).await;
        assert!(
            matches!(refused, Err(BackupError::NotEmpty { table: "counter" })),
            "{refused:?}"
        );
    }
}

/// A disk that is full after so many bytes.
struct FullAfter(usize);

impl Write for FullAfter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A disk that breaks after so many bytes.
struct BrokenAfter<'a>(&'a [u8]);

impl Read for BrokenAfter<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(into)? {
            0 => Err(std::io::ErrorKind::ConnectionReset.into()),
            read => Ok(read),
        }
    }
}

async fn a_writer_that_fails_is_told(engine: Engine) {
    let store = full_store(engine).await;
    let (bytes, _) = backup(&store).await;
    for room in [0, 20, bytes.len() / 2, bytes.len() - 1] {
        let refused = store.backup(FullAfter(room), Keyed::new("key")).await;
        assert!(matches!(refused, Err(BackupError::Io(_))), "{room}: {refused:?}");
    }
    let copy = TestStore::new(engine).await;
    let broken = BrokenAfter(&bytes[..bytes.len() / 2]);
    let refused = copy.restore(broken, Keyed::new("key"), &restored(), 1).await;
    assert!(matches!(refused, Err(BackupError::Io(_))), "{refused:?}");
    assert!(is_empty(&copy).await);
    restore(&copy, &bytes).await.expect("the store is as usable as before");
}

/// Adds an account while the backup is under way, after its first bytes were written.
struct AddsAnAccount {
    store: Option<rightful_store::Store>,
    bytes: Vec<u8>,
}

impl Write for AddsAnAccount {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.bytes.len() > 100
            && let Some(store) = self.store.take()
        {
            let handle = tokio::runtime::Handle::current();
            tokio::task::block_in_place(|| handle.block_on(add_accounts(&store, [400])));
        }
        self.bytes.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn a_backup_sees_one_state(engine: Engine) {
    let store = full_store(engine).await;
    let (before, _) = backup(&store).await;
    let mut writer = AddsAnAccount {
        store: Some(store.store.clone()),
        bytes: Vec::new(),
    };
    store.backup(&mut writer, Keyed::new("key")).await.expect("a backup");
    assert!(writer.store.is_none(), "the account was added meanwhile");
    assert!(writer.bytes == before);
    assert_eq!(
        store
            .read(async move |tx| tx.count_accounts().await)
            .await
            .expect("a count"),
        302
    );
}
