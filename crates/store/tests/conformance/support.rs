//! What every test here needs: an open store on a database of its own, and rows to fill it with.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;

use rightful_core::assurance::{Acr, Born, Method, Proofs};
use rightful_core::audit::{AuditEntry, AuditSubject};
use rightful_core::containment::{Action, ContainmentNo, Decided, Evidence};
use rightful_core::flow::Purpose;
use rightful_core::leak::LeakNo;
use rightful_core::{AccountNo, Grade, Kind, PasswordVersion, PublicId, Timestamp};
use rightful_store::account::{NewAccount, NewContact, NewName};
use rightful_store::audit::{AuditRow, ChainHash};
use rightful_store::authenticator::App;
use rightful_store::budget::{BudgetKey, BudgetSize};
use rightful_store::cohort::NewMember;
use rightful_store::exposure::{Exposure, Pair, Untested};
use rightful_store::flow::NewFlow;
use rightful_store::hold::{HoldAction, HoldSource, NewHold};
use rightful_store::leak::{Leak, LeakBatch, NewLeak};
use rightful_store::notice::{NewNotice, Subject};
use rightful_store::password::{NewPassword, Origin, Replacement};
use rightful_store::session::{Browser, NewSession, SessionUse};
use rightful_store::sign_in::SignInRecord;
use rightful_store::{Address, Store, StoreError, Tx};
pub(crate) use rightful_testkit::databases::Engine;
use rightful_testkit::databases::TestDatabase;
use sha2::{Digest, Sha256};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, Row, SqliteConnection};
use uuid::Uuid;

/// Declares each test for both engines. `RIGHTFUL_SOAK` has each run fifty times: chance decides races.
macro_rules! on_both_engines {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")] async fn $name() {
                for _ in 0..$crate::support::rounds() {
                    super::$name(super::Engine::Sqlite).await;
                }
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")] async fn $name() {
                for _ in 0..$crate::support::rounds() {
                    super::$name(super::Engine::Postgres).await;
                }
            })+
        }
    };
}
pub(crate) use on_both_engines;

/// How often each test runs.
pub(crate) fn rounds() -> usize {
    if std::env::var_os("RIGHTFUL_SOAK").is_some() {
        50
    } else {
        1
    }
}

/// The moment at which the tests play.
pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_764_000_000_000_000);

/// A store on a database that goes away with it.
pub(crate) struct TestStore {
    pub(crate) store: Store,
    pub(crate) database: TestDatabase,
}

impl std::ops::Deref for TestStore {
    type Target = Store;
    fn deref(&self) -> &Store {
        &self.store
    }
}

impl TestStore {
    pub(crate) async fn new(engine: Engine) -> Self {
        let database = TestDatabase::new(engine).await;
        let store = Store::open_and_migrate(database.address(), chain(), NOW)
            .await
            .expect("a new database");
        Self { store, database }
    }

    pub(crate) fn address(&self) -> &Address {
        self.database.address()
    }

    /// The same database as another node opens it.
    pub(crate) async fn second_node(&self) -> Store {
        Store::open(self.address(), chain()).await.expect("a second node")
    }

    /// What was asked.
    pub(crate) async fn asked<T>(&self, work: impl AsyncFn(&mut Tx) -> Result<T, StoreError>) -> T {
        self.read(work).await.expect("an answer")
    }

    /// Writes what must go well.
    pub(crate) async fn done<T>(&self, work: impl AsyncFn(&mut Tx) -> Result<T, StoreError>) -> T {
        self.write(work).await.expect("written")
    }
}

/// A keyed chain, as the real one is.
pub(crate) fn chain() -> ChainHash {
    Arc::new(|before: &[u8; 32], row: &AuditRow| {
        let mut hash = Sha256::new_with_prefix(b"a key for the tests");
        hash.update(before);
        for number in [row.home, row.subject, row.seq, row.at.micros()] {
            hash.update(number.to_be_bytes());
        }
        for text in [&row.event, &row.actor, &row.body] {
            hash.update(text.len().to_be_bytes());
            hash.update(text.as_bytes());
        }
        hash.finalize().into()
    })
}

pub(crate) fn password(sealed: &str) -> NewPassword {
    NewPassword {
        sealed: sealed.into(),
        kind: "bcrypt".into(),
        weak: false,
        origin: Origin::Imported,
        alone: false,
    }
}

/// An account with two names, a contact and a password, all made from its number.
pub(crate) fn new_account(no: i64) -> NewAccount {
    let address = format!("owner{no}@example.org");
    NewAccount {
        no: AccountNo::new(no),
        public_id: PublicId(uuid::Uuid::from_u128(no.unsigned_abs().into())),
        reference: Some(format!("r{no}")),
        role: "owner".into(),
        groups: "[]".into(),
        names: vec![
            NewName {
                kind: "email".into(),
                key: address.clone(),
                given: format!("Owner{no}@example.org"),
            },
            NewName {
                kind: "username".into(),
                key: format!("owner{no}"),
                given: format!("owner{no}"),
            },
        ],
        match_keys: vec![address.clone().into_bytes(), b"shared".to_vec()],
        contacts: vec![NewContact {
            kind: "email".into(),
            address,
            verified_at: Some(NOW),
        }],
        former: vec![],
        password: Some(password(&format!("sealed {no}"))),
        import_no: None,
        created_at: NOW.plus_seconds(-3600),
        added_at: NOW,
    }
}

/// Adds the accounts of these numbers.
pub(crate) async fn add_accounts(store: &Store, numbers: impl IntoIterator<Item = i64>) {
    let accounts: Vec<NewAccount> = numbers.into_iter().map(new_account).collect();
    store
        .write(async move |tx| tx.insert_accounts(&accounts).await)
        .await
        .expect("accounts are added");
}

impl TestStore {
    /// Runs statements as somebody who has got hold of the database, or asks what the store does not answer.
    pub(crate) async fn raw(&self, text: &str) -> Result<u64, sqlx::Error> {
        Raw::connect(self.address()).await.run(text).await
    }

    /// One number out of the database.
    pub(crate) async fn number(&self, text: &str) -> i64 {
        Raw::connect(self.address()).await.number(text).await
    }
}

/// A connection past the store.
pub(crate) enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Raw {
    pub(crate) async fn connect(address: &Address) -> Self {
        match address {
            Address::Sqlite(path) => {
                // With the mode that the store asks for, where the test comes before the store.
                let file = OpenOptions::new()
                    .write(true)
                    .create(true)
                    .truncate(false)
                    .mode(0o600)
                    .open(path);
                drop(file.expect("the test's file"));
                let options = SqliteConnectOptions::new().filename(path).foreign_keys(false);
                Self::Sqlite(options.connect().await.expect("the test's file"))
            }
            Address::Postgres(url) => Self::Postgres(PgConnection::connect(url).await.expect("the test's server")),
        }
    }

    pub(crate) async fn run(&mut self, text: &str) -> Result<u64, sqlx::Error> {
        let text = AssertSqlSafe(text.to_owned());
        match self {
            Self::Sqlite(connection) => connection
                .execute(sqlx::raw_sql(text))
                .await
                .map(|done| done.rows_affected()),
            Self::Postgres(connection) => connection
                .execute(sqlx::raw_sql(text))
                .await
                .map(|done| done.rows_affected()),
        }
    }

    pub(crate) async fn number(&mut self, text: &str) -> i64 {
        let text = AssertSqlSafe(text.to_owned());
        match self {
            Self::Sqlite(connection) => sqlx::query_scalar(text).fetch_one(connection).await,
            Self::Postgres(connection) => sqlx::query_scalar(text).fetch_one(connection).await,
        }
        .expect("one number")
    }

    /// The first column of all rows.
    pub(crate) async fn texts(&mut self, text: &str, column: usize) -> Vec<String> {
        let text = AssertSqlSafe(text.to_owned());
        match self {
            Self::Sqlite(connection) => {
                let rows = sqlx::raw_sql(text).fetch_all(connection).await.expect("rows");
                rows.iter().map(|row| row.get(column)).collect()
            }
            Self::Postgres(connection) => {
                let rows = sqlx::raw_sql(text).fetch_all(connection).await.expect("rows");
                rows.iter().map(|row| row.get(column)).collect()
            }
        }
    }
}

/// Runs the same thing at the same time, as often as `times` says, each on a task of its own.
pub(crate) async fn race<T, F, Fut>(times: usize, one: F) -> Vec<T>
where
    T: Send + 'static,
    F: Fn(usize) -> Fut,
    Fut: Future<Output = T> + Send + 'static,
{
    let running: Vec<_> = (0..times).map(|number| tokio::spawn(one(number))).collect();
    let mut results = Vec::with_capacity(times);
    for task in running {
        results.push(task.await.expect("no task panics"));
    }
    results
}

/// How often a race for something that is there once is run within its test.
pub(crate) const ROUNDS: i64 = 50;

/// How many run in a race.
pub(crate) const RUNNERS: usize = 32;

/// How many of a race came first.
pub(crate) fn winners(outcomes: &[Result<bool, StoreError>]) -> usize {
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    outcomes.iter().filter(|outcome| matches!(outcome, Ok(true))).count()
}

/// A hash of a token, or a keyed digest, that no other number has.
pub(crate) fn digest(number: impl TryInto<u64>) -> [u8; 32] {
    let number = number.try_into().ok().expect("a number from 0");
    Sha256::digest(number.to_be_bytes()).into()
}

/// An id that no other number has.
pub(crate) fn id(number: impl TryInto<u64>) -> Uuid {
    Uuid::from_u128(number.try_into().ok().expect("a number from 0").into())
}

pub(crate) const BORN: Born = Born { epoch: 1, mark: 0 };

pub(crate) fn new_hold(no: i64, action: HoldAction, source: HoldSource) -> NewHold {
    NewHold {
        account: AccountNo::new(no),
        action,
        source,
        kind: None,
        leak: None,
        placed_by: "a tester".into(),
        placed_at: NOW,
    }
}

/// A session for an hour.
pub(crate) fn new_session(no: i64, number: i64) -> NewSession {
    NewSession {
        account: AccountNo::new(no),
        token_hash: digest(number),
        session_id: id(number),
        used_by: SessionUse::Browser,
        born: BORN,
        acr: Acr::One,
        proofs: Proofs::NONE.with(Method::Password),
        agent: "Firefox on Linux".into(),
        address: "192.0.2.1".into(),
        browser_id: None,
        proved_at: NOW,
        made_at: NOW,
        expires_at: NOW.plus_seconds(3600),
    }
}

/// A conversation for a quarter of an hour.
pub(crate) fn new_flow(no: i64, number: i64, purpose: Purpose) -> NewFlow {
    NewFlow {
        home: AccountNo::new(no).block(),
        token_hash: digest(number),
        purpose,
        account: Some(AccountNo::new(no)),
        born: BORN,
        proofs: Proofs::NONE,
        body: "{}".into(),
        made_at: NOW,
        expires_at: NOW.plus_seconds(900),
    }
}

pub(crate) fn new_app(number: i64) -> App {
    App {
        authenticator_no: number,
        name: "a phone".into(),
        sealed: format!("the seed {number}").into(),
        step: 100,
        made_at: NOW,
        used_at: None,
    }
}

/// A notice that is due at once.
pub(crate) fn new_notice(to: Subject, number: i64) -> NewNotice {
    NewNotice {
        to,
        notice_id: id(number),
        kind: "password-changed",
        channel: "mail",
        contact_no: Some(1),
        masked: "o•••@e•••.org".into(),
        digest: digest(number),
        sealed: format!("the letter {number}").into(),
        made_at: NOW,
        due_at: NOW,
        containment: None,
    }
}

pub(crate) fn sign_in_record(opened: bool) -> SignInRecord {
    SignInRecord {
        at: NOW,
        opened,
        why: if opened { "" } else { "wrong" }.into(),
        proofs: Proofs::NONE.with(Method::Password),
        address: "192.0.2.1".into(),
        agent: "Firefox on Linux".into(),
        place: "Bern".into(),
        known: false,
    }
}

/// What a leak holds about one account: one of everything.
fn batch_about(account: AccountNo) -> LeakBatch {
    let secret_tag = vec![0, 255, 10, 13];
    LeakBatch {
        exposures: vec![Exposure {
            account,
            secret_tag: secret_tag.clone(),
            grade: Grade::Untested,
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
            secret_tag,
            sealed: vec![2],
            found_at: NOW,
            expires_at: NOW,
        }],
        checkpoint: Some(vec![3]),
        tallies: "{}".into(),
    }
}

/// At least one row about an account, which has its first password, in every table that holds some.
pub(crate) async fn fill_account(store: &Store, no: i64) {
    let account = AccountNo::new(no);
    let leak = begin_leak(store, &format!("about {no}")).await;
    let change = Replacement {
        account,
        seen: Some(1),
        password: password(&format!("second of {no}")),
        replaced_digest: Some(b"digest".to_vec()),
        now: NOW,
    };
    let browser = Browser {
        account,
        browser_id: id(no),
        mark: 0,
        made_at: NOW,
    };
    let key = BudgetKey {
        home: account.block(),
        subject: no,
        scope: "password#0".into(),
    };
    let entry = AuditEntry {
        subject: AuditSubject::Account(account),
        event: "test.filled",
        actor: "cli:tester".into(),
        body: "{}".into(),
        at: NOW,
    };
    store
        .write(async move |tx| {
            tx.replace_password(&change).await?;
            tx.leak_commit_batch(&leak, &batch_about(account)).await?;
            tx.place_hold(&new_hold(no, HoldAction::Change, HoldSource::SignIn))
                .await?;
            tx.add_app(account, &new_app(1)).await?;
            tx.replace_recovery_codes(account, &[digest(1)], NOW).await?;
            tx.open_session(&new_session(no, no)).await?;
            tx.recognise_browser(&browser, digest(no), "Firefox on Linux").await?;
            tx.begin_flow(&new_flow(no, no, Purpose::Return)).await?;
            tx.spend_budget(&key, BudgetSize { burst: 1, every: 1 }, NOW).await?;
            tx.record_sign_in(account, id(no), None, &sign_in_record(true)).await?;
            tx.queue_notice(&new_notice(account.into(), no)).await?;
            tx.set_locale(account, "de").await?;
            tx.add_members(ContainmentNo(1), &[new_member(no, 1, Action::Hold, Grade::Exact)], NOW)
                .await?;
            tx.audit(&entry).await
        })
        .await
        .expect("rows everywhere");
}

/// A member of a cohort whose password of version 1 was found in a dump.
pub(crate) fn new_member(no: i64, wave_no: i64, action: Action, grade: Grade) -> NewMember {
    NewMember {
        account: AccountNo::new(no),
        wave_no,
        decided: Decided {
            action,
            because: Evidence {
                grade,
                kind: Kind::Dump,
                leak: LeakNo(1),
                password: Some(PasswordVersion(1)),
            },
            changed_since: false,
        },
        attacked: false,
    }
}

/// Adds one leak and returns it.
pub(crate) async fn begin_leak(store: &Store, name: &str) -> Leak {
    let new = new_leak(name);
    store
        .write(async move |tx| tx.leak_begin(&new).await)
        .await
        .expect("a leak")
}

pub(crate) fn new_leak(name: &str) -> NewLeak {
    NewLeak {
        name: name.into(),
        kind_override: None,
        received_from: "a colleague".into(),
        leak_date: Some(NOW.plus_seconds(-86_400)),
        received_at: NOW,
        variations: 8,
    }
}

impl Raw {
    /// Ends the connection as a kill does: what was not committed is gone.
    pub(crate) async fn end(self) {
        match self {
            Self::Sqlite(connection) => connection.close().await,
            Self::Postgres(connection) => connection.close().await,
        }
        .expect("closed");
    }
}
