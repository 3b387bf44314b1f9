//! Opening a database, and the two ways to work with it: [`Store::read`] and [`Store::write`].

use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rightful_core::Timestamp;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection as _, Executor, Pool, Postgres, Sqlite};

use crate::StoreError;
use crate::adapter::{Connection, Shared, Texts, Tx, Watcher};
use crate::audit::ChainHash;

/// How long a statement waits for a lock that another process holds, and a transaction for a free connection.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// Connections to PostgreSQL at most, and readers of an SQLite file.
const CONNECTIONS: u32 = 16;
const READERS: u32 = 4;

/// Prepared statements kept per connection: all of ours with room to spare.
const STATEMENTS_KEPT: usize = 512;

/// Where the rows are.
#[derive(Clone, PartialEq, Eq)]
pub enum Address {
    /// An SQLite file, made when it is not there.
    Sqlite(PathBuf),
    /// A PostgreSQL database. Its URL may hold a password, so it is never shown; `?sslmode=verify-full` asks for TLS.
    Postgres(String),
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Postgres(_) => f.write_str("Postgres(..)"),
        }
    }
}

impl Address {
    /// From what an operator writes: `postgres://…`, `postgresql://…`, `sqlite:path` or a path.
    ///
    /// # Errors
    /// [`StoreError::Address`] for nothing, and for any other URL.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        let path = text.strip_prefix("sqlite:").unwrap_or(text);
        let path = path.strip_prefix("//").unwrap_or(path);
        match path {
            "" => Err(StoreError::Address {
                what: "the address of the database is empty",
            }),
            url if url.contains("://") => Err(StoreError::Address {
                what: "this kind of database is not known",
            }),
            path => Ok(Self::Sqlite(PathBuf::from(path))),
        }
    }
}

#[derive(Clone)]
enum Pools {
    Sqlite {
        readers: Pool<Sqlite>,
        writer: Pool<Sqlite>,
    },
    Postgres(Pool<Postgres>),
}

/// A database that is open. Clones share its connections.
#[derive(Clone)]
pub struct Store {
    pools: Pools,
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.pools {
            Pools::Sqlite { .. } => "Store(SQLite)",
            Pools::Postgres(_) => "Store(PostgreSQL)",
        })
    }
}

impl Store {
    /// Connects and checks that the schema is the one that this binary knows. `chain` computes the hash that links the rows of
    /// the audit log; the key for it is the caller's.
    ///
    /// # Errors
    /// [`StoreError::SchemaOlder`], [`StoreError::SchemaNewer`] or [`StoreError::SchemaAltered`] when it is another one;
    /// [`StoreError::UnsafeMode`] when others may read the data file; [`StoreError::Unreachable`] and the like.
    pub async fn open(address: &Address, chain: ChainHash) -> Result<Self, StoreError> {
        let store = Self::connect(address, chain).await?;
        store.check_schema().await?;
        Ok(store)
    }

    /// Connects and applies the migrations that are missing. Safe to call from several nodes at once.
    ///
    /// # Errors
    /// As for [`Store::open`], except that an older schema is brought up to date.
    pub async fn open_and_migrate(address: &Address, chain: ChainHash, now: Timestamp) -> Result<Self, StoreError> {
        let store = Self::connect(address, chain).await?;
        store.migrate(now).await?;
        Ok(store)
    }

    /// Connects and looks at nothing. For the tests of migrations.
    pub(crate) async fn connect(address: &Address, chain: ChainHash) -> Result<Self, StoreError> {
        let mut attempt = 1;
        let pools = loop {
            let opened = match address {
                Address::Sqlite(path) => open_sqlite(path).await,
                Address::Postgres(url) => open_postgres(url).await,
            };
            match opened {
                // Several processes that open a new SQLite file at once all switch it to its write-ahead log, and SQLite refuses
                // all but one of them on the spot, whatever the busy timeout.
                Err(error @ StoreError::Contention { .. }) if attempt < error.attempts() => attempt += 1,
                opened => break opened?,
            }
            back_off(attempt).await;
        };
        Ok(Self {
            pools,
            shared: Arc::new(Shared {
                texts: Texts::default(),
                chain,
                watcher: OnceLock::new(),
            }),
        })
    }

    /// Whether this is PostgreSQL: for messages and tests. No rule may depend on it.
    pub const fn is_postgres(&self) -> bool {
        matches!(self.pools, Pools::Postgres(_))
    }

    /// Runs `work` in a transaction that sees one state of the database and writes nothing.
    ///
    /// # Errors
    /// What `work` returns, or what the database says.
    pub async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: AsyncFn(&mut Tx) -> Result<T, StoreError>,
    {
        let mut attempt = 1;
        loop {
            match self.read_once(&work).await {
                Err(error) if attempt < error.attempts() => attempt += 1,
                outcome => return outcome,
            }
            back_off(attempt).await;
        }
    }

    async fn read_once<T, F>(&self, work: &F) -> Result<T, StoreError>
    where
        F: AsyncFn(&mut Tx) -> Result<T, StoreError>,
    {
        work(&mut self.begin_read().await?).await
    }

    /// A transaction that sees one state of the database.
    pub(crate) async fn begin_read(&self) -> Result<Tx, StoreError> {
        let connection = match &self.pools {
            Pools::Sqlite { readers, .. } => Connection::Sqlite(readers.begin().await?),
            Pools::Postgres(pool) => Connection::Postgres(
                pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                    .await?,
            ),
        };
        Ok(Tx::new(connection, Arc::clone(&self.shared)))
    }

    /// Runs `work` in a transaction and commits it when `work` returns `Ok`; otherwise nothing of it is kept.
    ///
    /// `work` is run again from its beginning when the database says that others were in the way, or that the connection broke
    /// before COMMIT. So it does nothing outside of the transaction, and it owns what it captures (`async move`).
    ///
    /// # Errors
    /// What `work` returns, or what the database says. [`StoreError::OutcomeUnknown`] when the connection broke during
    /// COMMIT: repeat the call with the same keys.
    pub async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: AsyncFn(&mut Tx) -> Result<T, StoreError>,
    {
        let mut attempt = 1;
        loop {
            match self.write_once(&work).await {
                Err(error) if attempt < error.attempts() => attempt += 1,
                outcome => return outcome,
            }
            back_off(attempt).await;
        }
    }

    async fn write_once<T, F>(&self, work: &F) -> Result<T, StoreError>
    where
        F: AsyncFn(&mut Tx) -> Result<T, StoreError>,
    {
        let mut tx = self.begin_write().await?;
        let value = work(&mut tx).await?;
        if tx.has_failed() {
            return Err(StoreError::Backend {
                code: None,
                message: "a statement of the transaction had failed, so nothing was kept".to_owned(),
            });
        }
        let tell = tx.telling();
        let committed = tx.commit().await;
        tell();
        committed.map(|()| value)
    }

    /// Has `watcher` told, after each transaction of this process, whose sessions it may have ended or changed. For a memory of
    /// sessions, which is never older than what this process itself committed. Only the first watcher is told.
    pub fn watch(&self, watcher: Watcher) {
        // A second one would be a second memory of the same thing.
        let _ = self.shared.watcher.set(watcher);
    }

    /// A transaction that may write; kept only by its `commit`.
    pub(crate) async fn begin_write(&self) -> Result<Tx, StoreError> {
        let connection = match &self.pools {
            // IMMEDIATE takes the write lock at once. A transaction that began by reading and wants to write later is refused
            // whenever somebody else wrote in between, and waiting does not help it.
            Pools::Sqlite { writer, .. } => Connection::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?),
            Pools::Postgres(pool) => {
                Connection::Postgres(pool.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await?)
            }
        };
        Ok(Tx::new(connection, Arc::clone(&self.shared)))
    }

    /// Closes all connections. On SQLite the write-ahead log is folded into the file.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { readers, writer } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

/// Waits before the next attempt: 5, 10, 20 … ms, a second at most.
#[expect(
    clippy::disallowed_methods,
    reason = "giving way to a competing transaction is the store's own business"
)]
async fn back_off(attempt: u32) {
    tokio::time::sleep(Duration::from_millis((5 << attempt.min(8)).min(1000) / 2)).await;
}

async fn open_sqlite(path: &Path) -> Result<Pools, StoreError> {
    let path = private_file(path)?;
    let options = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        // FULL, not NORMAL: with NORMAL a power cut takes back transactions that were acknowledged, among them a hold that
        // somebody was told of and its line in the audit log. Imports and scans commit thousands of rows at a time, so one
        // flush per commit does not show there.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(LOCK_WAIT)
        .statement_cache_capacity(STATEMENTS_KEPT)
        .row_buffer_size(1024)
        // A batch of an import dirties more pages than SQLite's 2 MB hold; what does not fit is written twice.
        .pragma("cache_size", "-32768")
        .pragma("wal_autocheckpoint", "8192")
        .pragma("journal_size_limit", "67108864")
        .disable_statement_logging();
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(LOCK_WAIT)
        .connect_with(options.clone())
        .await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(LOCK_WAIT)
        .connect_lazy_with(options.read_only(true).pragma("cache_size", "-8192"));
    Ok(Pools::Sqlite { readers, writer })
}

/// Makes the data file with mode 0600 (in a folder with mode 0700, when that is not there) before SQLite would make it with
/// whatever the umask leaves. SQLite gives the write-ahead log the mode of the file.
fn private_file(path: &Path) -> Result<PathBuf, StoreError> {
    let failed = |what| {
        move |source| StoreError::File {
            path: path.to_owned(),
            what,
            source,
        }
    };
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(failed("made"))?;
    let mode = |permissions: Permissions| permissions.mode();
    let folder_mode = mode(folder.metadata().map_err(failed("read"))?.permissions());
    let (sticky, others_write) = (0o1000, 0o022);
    if folder_mode & others_write != 0 && folder_mode & sticky == 0 {
        return Err(StoreError::UnsafeMode {
            path: folder.to_owned(),
            what: "changed",
            wanted: "700",
        });
    }
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path);
    let file = file.map_err(failed("opened"))?;
    if mode(file.metadata().map_err(failed("read"))?.permissions()) & 0o077 != 0 {
        return Err(StoreError::UnsafeMode {
            path: path.to_owned(),
            what: "read",
            wanted: "600",
        });
    }
    Ok(path.to_owned())
}

async fn open_postgres(url: &str) -> Result<Pools, StoreError> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| StoreError::Address {
            what: "the address of the PostgreSQL database is not a URL that we understand",
        })?
        .statement_cache_capacity(STATEMENTS_KEPT)
        .disable_statement_logging();
    // What `pg_stat_activity` shows; the URL may say something else, to tell nodes apart.
    let named = options.get_application_name().is_some();
    let options = if named {
        options
    } else {
        options.application_name("rightful")
    };
    // Once without the pool, which tries again until its time is over and then only says that it is.
    options.connect().await?.close().await?;
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(LOCK_WAIT)
        .after_connect(|connection, _| {
            Box::pin(async move {
                connection
                    .execute("SET lock_timeout = '10s'; SET client_min_messages = warning")
                    .await?;
                Ok(())
            })
        })
        .connect_with(options)
        .await?;
    Ok(Pools::Postgres(pool))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_url_or_a_path() {
        let sqlite = |path: &str| Some(Address::Sqlite(PathBuf::from(path)));
        for (text, address) in [
            ("data/rightful.db", sqlite("data/rightful.db")),
            ("sqlite:data/rightful.db", sqlite("data/rightful.db")),
            ("sqlite:///var/lib/rightful.db", sqlite("/var/lib/rightful.db")),
            ("postgres://h/d", Some(Address::Postgres("postgres://h/d".to_owned()))),
            (
                "postgresql://h/d",
                Some(Address::Postgres("postgresql://h/d".to_owned())),
            ),
            ("mysql://h/d", None),
            ("", None),
        ] {
            assert_eq!(Address::parse(text).ok(), address, "{text}");
        }
    }

    #[test]
    fn the_password_in_a_url_is_not_shown() {
        let address = Address::parse("postgres://rightful:correct-horse@host/db").expect("a URL");
        assert!(!format!("{address:?}").contains("correct-horse"));
    }
}
