//! A database of its own for each test, on each engine.
//!
//! SQLite is a file in a folder that goes away with the test. PostgreSQL is a schema of its own on the server that
//! `RIGHTFUL_TEST_POSTGRES` names. A test that finds no server fails: SQLite alone hides races.

use std::sync::atomic::{AtomicU64, Ordering};

use rightful_store::Address;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tempfile::TempDir;

/// The variable that names the PostgreSQL server for tests.
pub const POSTGRES_VARIABLE: &str = "RIGHTFUL_TEST_POSTGRES";

/// Which engine a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// A file.
    Sqlite,
    /// A schema on the server.
    Postgres,
}

/// An empty database that lives as long as this value.
pub struct TestDatabase {
    address: Address,
    // Kept for their drop.
    _folder: Option<TempDir>,
    _schema: Option<Schema>,
}

impl TestDatabase {
    /// Makes an empty database.
    ///
    /// # Panics
    /// When no server is named or it cannot be reached.
    pub async fn new(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => {
                let folder = TempDir::new().expect("a folder for the test");
                let address = Address::Sqlite(folder.path().join("rightful.db"));
                Self {
                    address,
                    _folder: Some(folder),
                    _schema: None,
                }
            }
            Engine::Postgres => {
                let schema = Schema::new(&postgres_url()).await;
                Self {
                    address: Address::Postgres(schema.url_within()),
                    _folder: None,
                    _schema: Some(schema),
                }
            }
        }
    }

    /// Where it is.
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// Its URL with a name for those who connect by it, so that they can be told from others; `None` for a file.
    pub fn url_for(&self, application: &str) -> Option<String> {
        match &self.address {
            Address::Sqlite(_) => None,
            Address::Postgres(url) => Some(format!("{url}&application_name={application}")),
        }
    }
}

/// The server for tests.
///
/// # Panics
/// When none is named.
pub fn postgres_url() -> String {
    std::env::var(POSTGRES_VARIABLE).unwrap_or_else(|_| {
        panic!("{POSTGRES_VARIABLE} names no PostgreSQL server; run `cargo xtask test`, which starts one for the tests")
    })
}

struct Schema {
    server: String,
    name: String,
}

impl Schema {
    async fn new(server: &str) -> Self {
        static MADE: AtomicU64 = AtomicU64::new(0);
        // The time too, because a process number comes back, and a killed test leaves its schema behind.
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |age| age.as_nanos());
        let name = format!("t{}_{now}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let schema = Self {
            server: server.to_owned(),
            name,
        };
        schema
            .run("CREATE SCHEMA")
            .await
            .expect("a schema on the PostgreSQL server for tests");
        schema
    }

    fn url_within(&self) -> String {
        let separator = if self.server.contains('?') { '&' } else { '?' };
        format!("{}{separator}options[search_path]={}", self.server, self.name)
    }

    async fn run(&self, verb: &str) -> Result<(), sqlx::Error> {
        let mut connection = PgConnection::connect(&self.server).await?;
        let cascade = if verb.starts_with("DROP") { " CASCADE" } else { "" };
        connection
            .execute(AssertSqlSafe(format!("{verb} {}{cascade}", self.name)))
            .await?;
        connection.close().await
    }
}

impl Drop for Schema {
    /// The runtime of the test may be ending, so the last statement gets a thread and a runtime of its own. A schema that
    /// cannot be dropped stays behind on a server that is thrown away anyway.
    fn drop(&mut self) {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
                    drop(runtime.block_on(self.run("DROP SCHEMA")));
                }
            });
        });
    }
}
