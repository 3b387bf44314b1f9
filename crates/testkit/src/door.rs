//! A door into a database past the product: to see what it holds and what is being done to it, to stop it at a known place,
//! to cut its connections.
//!
//! For tests that run the program itself, so nothing here waits on a runtime of the caller. On SQLite each look opens the file
//! anew, so that whoever opens it after a kill has to mend it alone, and closes it before the look is over: the last to close it
//! locks it for a moment, and the next look would find it locked. On PostgreSQL looks share a connection: making one takes so
//! long that whoever is looked at would stand still most of the time.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rightful_store::Address;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, Row, SqliteConnection};
use tokio::runtime::Runtime;

use crate::process::until;

/// A view that never comes to its end, and triggers whose names begin like this.
const STALL: &str = "stalled_by_a_test";

/// A way into a database.
pub struct Door {
    address: Address,
    /// By which the connections of the product are known on PostgreSQL.
    application: String,
    runtime: Runtime,
    /// Between two looks.
    kept: Mutex<Option<PgConnection>>,
}

enum Opened {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Door {
    /// A door into this database. `application` is the name that the product's connections have on PostgreSQL.
    ///
    /// # Panics
    /// When there is no runtime.
    pub fn new(address: &Address, application: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        Self {
            address: address.clone(),
            application: application.to_owned(),
            runtime,
            kept: Mutex::new(None),
        }
    }

    async fn open(&self, wait: Duration) -> Result<Opened, sqlx::Error> {
        Ok(match &self.address {
            Address::Sqlite(path) => {
                let options = SqliteConnectOptions::new()
                    .filename(path)
                    .foreign_keys(false)
                    .busy_timeout(wait);
                Opened::Sqlite(options.connect().await?)
            }
            Address::Postgres(url) => {
                let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some(mut on) = kept
                    && on.ping().await.is_ok()
                {
                    return Ok(Opened::Postgres(on));
                }
                Opened::Postgres(PgConnection::connect(url).await?)
            }
        })
    }

    fn keep(&self, on: PgConnection) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(on);
    }

    /// One number out of the database; `None` where that is not to be had now: no database yet, no such table, no row.
    pub fn number(&self, text: &str) -> Option<i64> {
        let text = AssertSqlSafe(text.to_owned());
        self.runtime.block_on(async {
            match self.open(Duration::from_millis(100)).await.ok()? {
                Opened::Sqlite(mut on) => {
                    let found = sqlx::query_scalar(text).fetch_one(&mut on).await.ok();
                    on.close().await.ok()?;
                    found
                }
                Opened::Postgres(mut on) => {
                    let found = sqlx::query_scalar(text).fetch_one(&mut on).await.ok();
                    self.keep(on);
                    found
                }
            }
        })
    }

    /// The first column, a text, of all rows.
    ///
    /// # Panics
    /// When the database refuses.
    pub fn texts(&self, text: &str) -> Vec<String> {
        let text = AssertSqlSafe(text.to_owned());
        let rows: Result<Vec<String>, sqlx::Error> = self.runtime.block_on(async {
            match self.open(Duration::from_secs(10)).await? {
                Opened::Sqlite(mut on) => {
                    let found = sqlx::query_scalar(text).fetch_all(&mut on).await?;
                    on.close().await?;
                    Ok(found)
                }
                Opened::Postgres(mut on) => sqlx::query_scalar(text).fetch_all(&mut on).await,
            }
        });
        rows.expect("the rows of a query of a test")
    }

    /// Runs statements as somebody who has got hold of the database.
    ///
    /// # Panics
    /// When the database refuses.
    pub fn run(&self, text: &str) {
        let text = AssertSqlSafe(text.to_owned());
        let done: Result<(), sqlx::Error> = self.runtime.block_on(async {
            match self.open(Duration::from_secs(10)).await? {
                Opened::Sqlite(mut on) => {
                    on.execute(sqlx::raw_sql(text)).await?;
                    on.close().await
                }
                Opened::Postgres(mut on) => {
                    on.execute(sqlx::raw_sql(text)).await?;
                    on.close().await
                }
            }
        });
        done.expect("a statement of a test");
    }

    /// Whether somebody is within a transaction that has written. `None` where that cannot be seen now.
    pub fn is_writing(&self) -> Option<bool> {
        self.runtime.block_on(async {
            match self.open(Duration::ZERO).await.ok()? {
                Opened::Sqlite(mut on) => {
                    let writing = match on.execute("BEGIN IMMEDIATE").await {
                        Ok(_) => on.execute("ROLLBACK").await.ok().map(|_| false),
                        // SQLITE_BUSY: the write lock is taken.
                        Err(sqlx::Error::Database(error)) if error.code().is_some_and(|code| code == "5") => Some(true),
                        Err(_) => None,
                    };
                    on.close().await.ok()?;
                    writing
                }
                Opened::Postgres(mut on) => {
                    let writing = sqlx::query_scalar(
                        "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = $1 AND backend_xid IS NOT NULL",
                    );
                    let writing = writing.bind(&self.application).fetch_one(&mut on).await.ok();
                    self.keep(on);
                    writing
                }
            }
        })
    }

    /// From now on a statement of this kind on rows for which `when` holds (`NEW` is the row) never comes to its end.
    ///
    /// # Panics
    /// When the database refuses.
    pub fn stall(&self, event: &str, table: &str, when: &str) {
        self.run(&match self.address {
            // The view counts without end. A trigger may not hold such a query itself.
            Address::Sqlite(_) => format!(
                "CREATE VIEW {STALL} AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n;
                 CREATE TRIGGER {STALL}_{table} BEFORE {event} ON {table} WHEN {when}
                 BEGIN SELECT count(*) FROM {STALL}; END;"
            ),
            Address::Postgres(_) => format!(
                "CREATE FUNCTION {STALL}() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN PERFORM pg_sleep(3600); RETURN NEW; END $$;
                 CREATE TRIGGER {STALL}_{table} BEFORE {event} ON {table} FOR EACH ROW WHEN ({when})
                 EXECUTE FUNCTION {STALL}();"
            ),
        });
    }

    /// Takes the stall away again. Whoever stands in it must have been killed.
    ///
    /// # Panics
    /// When the database refuses.
    pub fn unstall(&self, table: &str) {
        match self.address {
            Address::Sqlite(_) => self.run(&format!("DROP TRIGGER {STALL}_{table}; DROP VIEW {STALL};")),
            Address::Postgres(_) => {
                // A server notices only at the next answer that nobody is there any more.
                self.end_connections();
                self.run(&format!(
                    "DROP TRIGGER {STALL}_{table} ON {table}; DROP FUNCTION {STALL}();"
                ));
            }
        }
    }

    /// Has the server end every connection of the product, as a restart or a failing network does; how many there were.
    /// Nothing to do on SQLite.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn cut_connections(&self) -> usize {
        let Address::Postgres(_) = self.address else { return 0 };
        let cut: Result<Vec<bool>, sqlx::Error> = self.runtime.block_on(async {
            let Opened::Postgres(mut on) = self.open(Duration::ZERO).await? else {
                return Ok(Vec::new());
            };
            let cut = sqlx::query_scalar(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1",
            );
            cut.bind(&self.application).fetch_all(&mut on).await
        });
        cut.expect("the tests' account may end connections").len()
    }

    /// Ends every connection of the product and waits until they are gone, with the transactions and locks that they had.
    ///
    /// # Panics
    /// When they do not go.
    pub fn end_connections(&self) {
        until("the connections are gone", || {
            (self.cut_connections() == 0).then_some(())
        });
    }

    /// Every value of every row of every table, one after the other: what a thief of a dump has. Texts and numbers as they
    /// are written, bytes as they are.
    ///
    /// # Panics
    /// When the database refuses.
    pub fn everything(&self) -> Vec<u8> {
        let dumped = self.runtime.block_on(async {
            match self.open(Duration::from_secs(10)).await? {
                Opened::Sqlite(mut on) => {
                    let tables =
                        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
                    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut on).await?;
                    let mut all = Vec::new();
                    for table in tables {
                        let columns = format!("SELECT name FROM pragma_table_info('{table}')");
                        let columns: Vec<String> =
                            sqlx::query_scalar(AssertSqlSafe(columns)).fetch_all(&mut on).await?;
                        for column in columns {
                            let values = format!("SELECT CAST({column} AS BLOB) FROM {table} WHERE {column} IS NOT NULL");
                            for row in on.fetch_all(sqlx::raw_sql(AssertSqlSafe(values))).await? {
                                all.extend_from_slice(row.try_get(0)?);
                                all.push(b'\n');
                            }
                        }
                    }
                    Ok::<_, sqlx::Error>(all)
                }
                Opened::Postgres(mut on) => {
                    let columns = "SELECT table_name || ' ' || column_name || ' ' || data_type FROM information_schema.columns
                        WHERE table_schema = current_schema() ORDER BY 1";
                    let columns: Vec<String> = sqlx::query_scalar(columns).fetch_all(&mut on).await?;
                    let mut all = Vec::new();
                    for column in columns {
                        let mut words = column.splitn(3, ' ');
                        let mut word = || words.next().unwrap_or_default();
                        let (table, column, kind) = (word(), word(), word());
                        let value = match kind {
                            "bytea" => column.to_owned(),
                            _ => format!("convert_to({column}::text, 'UTF8')"),
                        };
                        let values = format!("SELECT {value} FROM {table} WHERE {column} IS NOT NULL");
                        let rows: Vec<Vec<u8>> =
                            sqlx::query_scalar(AssertSqlSafe(values)).fetch_all(&mut on).await?;
                        for value in rows {
                            all.extend_from_slice(&value);
                            all.push(b'\n');
                        }
                    }
                    Ok(all)
                }
            }
        });
        dumped.expect("a dump of the database")
    }

    /// How many rows each table has, as lines.
    ///
    /// # Panics
    /// When the database refuses.
    pub fn row_counts(&self) -> Vec<(String, i64)> {
        let tables = match self.address {
            Address::Sqlite(_) => {
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
            }
            Address::Postgres(_) => {
                "SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY 1"
            }
        };
        let count = |table: String| {
            let rows = self.number(&format!("SELECT COUNT(*) FROM {table}"));
            (table, rows.expect("a table can be counted"))
        };
        self.texts(tables).into_iter().map(count).collect()
    }
}
