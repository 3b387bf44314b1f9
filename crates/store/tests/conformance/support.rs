//! What every test here needs: an open store on a database of its own, and rows to fill it with.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;

use rightful_core::{AccountNo, PublicId, Timestamp};
use rightful_store::account::{NewAccount, NewContact, NewName};
use rightful_store::audit::{AuditRow, ChainHash};
use rightful_store::leak::{Leak, NewLeak};
use rightful_store::password::{NewPassword, Origin};
use rightful_store::{Address, Store};
pub(crate) use rightful_testkit::databases::Engine;
use rightful_testkit::databases::TestDatabase;
use sha2::{Digest, Sha256};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, Row, SqliteConnection};

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
