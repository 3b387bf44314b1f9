//! The bound of an import: the very rows that an import has written, written again by statements alone.
//!
//! Rows are read from the imported database a batch at a time (which is not timed) and inserted into another one with the
//! same tables: many rows a statement, statements prepared once, as many accounts a transaction as the import takes, the
//! engine set up as the store sets it up. Nothing is parsed, sealed, looked up or decided.

use std::path::Path;
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use rightful_app::import_accounts::BATCH;
use rightful_store::Address;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{Arguments, AssertSqlSafe, ConnectOptions, Pool, Postgres, Row, SqlSafeStr, SqlStr, Sqlite, Transaction};
use uuid::Uuid;

/// Rows a statement: past the point where the cost of a statement shows.
const ROWS_AT_ONCE: usize = 250;

/// A table that an import writes to.
struct Table {
    name: &'static str,
    columns: &'static [(&'static str, Type)],
    /// How its rows of some accounts are found quickly; the tables that find an account have no key that begins with it.
    by_block: bool,
    order: &'static str,
}

#[derive(Clone, Copy)]
enum Type {
    Integer,
    Text,
    Bytes,
    Uuid,
}

/// A value on its way from one database to the other.
enum Cell {
    Integer(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
    Uuid(Option<Uuid>),
}

use Type::{Bytes, Integer, Text};

/// Every table that holds rows of accounts, in the order in which the import fills them. One row of `import` and two of the
/// audit log for each thousand accounts are left out.
const TABLES: [Table; 6] = [
    Table {
        name: "account",
        columns: &[
            ("block", Integer),
            ("account_no", Integer),
            ("public_id", Type::Uuid),
            ("reference", Text),
            ("role", Text),
            ("groups", Text),
            ("state", Text),
            ("epoch", Integer),
            ("version", Integer),
            ("import_no", Integer),
            ("created_at", Integer),
        ],
        by_block: true,
        order: "block, account_no",
    },
    Table {
        name: "account_name",
        columns: &[
            ("block", Integer),
            ("account_no", Integer),
            ("name_no", Integer),
            ("kind", Text),
            ("name_key", Text),
            ("given", Text),
        ],
        by_block: true,
        order: "block, account_no, name_no",
    },
    Table {
        name: "contact",
        columns: &[
            ("block", Integer),
            ("account_no", Integer),
            ("contact_no", Integer),
            ("kind", Text),
            ("address", Text),
            ("verified_at", Integer),
            ("replaced_at", Integer),
        ],
        by_block: true,
        order: "block, account_no, contact_no",
    },
    Table {
        name: "password",
        columns: &[
            ("block", Integer),
            ("account_no", Integer),
            ("password_no", Integer),
            ("state", Text),
            ("sealed", Bytes),
            ("kind", Text),
            ("weak", Integer),
            ("origin", Text),
            ("set_at", Integer),
            ("changed_at", Integer),
        ],
        by_block: true,
        order: "block, account_no, password_no",
    },
    Table {
        name: "identifier",
        columns: &[
            ("slot", Integer),
            ("name_key", Text),
            ("kind", Text),
            ("account_no", Integer),
            ("state", Text),
            ("made_at", Integer),
        ],
        by_block: false,
        order: "slot, name_key",
    },
    Table {
        name: "match_key",
        columns: &[("slot", Integer), ("match_key", Bytes), ("account_no", Integer)],
        by_block: false,
        order: "slot, match_key, account_no",
    },
];

impl Table {
    fn names(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        names.join(", ")
    }

    /// The rows of accounts from $1 to before $2.
    fn select(&self) -> String {
        let (names, table, order) = (self.names(), self.name, self.order);
        let block = if self.by_block {
            " AND block >= $1 / 4096 AND block <= $2 / 4096"
        } else {
            ""
        };
        format!("SELECT {names} FROM {table} WHERE account_no >= $1 AND account_no < $2{block} ORDER BY {order}")
    }

    /// The statement for so many rows. SQLite goes through all names to find a numbered value, so there they are not.
    fn insert(&self, rows: usize, numbered: bool) -> SqlStr {
        let width = self.columns.len();
        let place = |at: usize| {
            if numbered {
                format!("${}", at + 1)
            } else {
                "?".to_owned()
            }
        };
        let row = |row: usize| {
            let places: Vec<String> = (row * width..(row + 1) * width).map(place).collect();
            format!("({})", places.join(", "))
        };
        let rows: Vec<String> = (0..rows).map(row).collect();
        let text = format!(
            "INSERT INTO {} ({}) VALUES {}",
            self.name,
            self.names(),
            rows.join(", ")
        );
        AssertSqlSafe(text).into_sql_str()
    }
}

/// Writes all rows of accounts of one database into another, which has the tables and nothing in them; answers how long the
/// writing took, and how many rows were written.
pub(crate) async fn copy(from: &Address, into: &Address) -> Result<(Duration, u64)> {
    match (from, into) {
        (Address::Sqlite(from), Address::Sqlite(into)) => {
            sqlite::copy(&open_sqlite(from).await?, &open_sqlite(into).await?).await
        }
        (Address::Postgres(from), Address::Postgres(into)) => {
            postgres::copy(&open_postgres(from).await?, &open_postgres(into).await?).await
        }
        _ => bail!("rows are compared between databases of one kind"),
    }
}

async fn open_sqlite(path: &Path) -> Result<SqlitePool> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("cache_size", "-32768")
        .pragma("wal_autocheckpoint", "8192")
        .disable_statement_logging();
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await;
    pool.with_context(|| format!("{} cannot be opened", path.display()))
}

async fn open_postgres(url: &str) -> Result<PgPool> {
    let options = PgConnectOptions::from_str(url)?.disable_statement_logging();
    let pool = PgPoolOptions::new().max_connections(1).connect_with(options).await;
    pool.context("the PostgreSQL server cannot be reached")
}

/// The same words for both engines; what differs is the types of their drivers.
macro_rules! engine {
    ($engine:ident, $database:ty, $arguments:ty, $row:ty, $numbered:expr) => {
        mod $engine {
            use super::*;

            pub(super) async fn copy(from: &Pool<$database>, into: &Pool<$database>) -> Result<(Duration, u64)> {
                index_by_account(from).await?;
                let full = TABLES.map(|table| table.insert(ROWS_AT_ONCE, $numbered));
                let (last,): (i64,) =
                    sqlx::query_as("SELECT CAST(COALESCE(MAX(account_no), -1) AS BIGINT) FROM account")
                        .fetch_one(from)
                        .await?;
                let (mut took, mut written) = (Duration::ZERO, 0);
                for first in (0..=last).step_by(BATCH) {
                    let mut batch = Vec::new();
                    for table in &TABLES {
                        batch.push(read(from, table, first).await?);
                    }
                    let begun = Instant::now();
                    let mut tx = into.begin().await?;
                    for ((table, full), rows) in TABLES.iter().zip(&full).zip(batch) {
                        written += rows.len() as u64;
                        write(&mut tx, table, full, rows).await?;
                    }
                    tx.commit().await?;
                    took += begun.elapsed();
                }
                from.close().await;
                into.close().await;
                Ok((took, written))
            }

            /// So that the reading of a batch is quick. The import that is measured is over by now.
            async fn index_by_account(from: &Pool<$database>) -> Result<()> {
                for name in TABLES
                    .iter()
                    .filter(|table| !table.by_block)
                    .map(|table| table.name)
                {
                    let text = format!("CREATE INDEX IF NOT EXISTS bench_{name} ON {name} (account_no)");
                    sqlx::query(AssertSqlSafe(text)).execute(from).await?;
                }
                Ok(())
            }

            /// The rows of a table that belong to the accounts of a batch, in the table's order.
            async fn read(from: &Pool<$database>, table: &Table, first: i64) -> Result<Vec<Vec<Cell>>> {
                let end = first + BATCH as i64;
                let query = sqlx::query(AssertSqlSafe(table.select())).bind(first).bind(end);
                let rows: Vec<$row> = query.fetch_all(from).await?;
                rows.iter().map(|row| cells(row, table)).collect()
            }

            fn cells(row: &$row, table: &Table) -> Result<Vec<Cell>> {
                let cell = |(at, (_, kind)): (usize, &(&str, Type))| {
                    Ok(match kind {
                        Type::Integer => Cell::Integer(row.try_get(at)?),
                        Type::Text => Cell::Text(row.try_get(at)?),
                        Type::Bytes => Cell::Bytes(row.try_get(at)?),
                        Type::Uuid => Cell::Uuid(row.try_get(at)?),
                    })
                };
                table.columns.iter().enumerate().map(cell).collect()
            }

            async fn write(
                tx: &mut Transaction<'static, $database>,
                table: &Table,
                full: &SqlStr,
                rows: Vec<Vec<Cell>>,
            ) -> Result<()> {
                let mut rows = rows.into_iter();
                while rows.len() > 0 {
                    let count = rows.len().min(ROWS_AT_ONCE);
                    let mut values = <$arguments>::default();
                    for cell in rows.by_ref().take(count).flatten() {
                        let added = match cell {
                            Cell::Integer(value) => values.add(value),
                            Cell::Text(value) => values.add(value),
                            Cell::Bytes(value) => values.add(value),
                            Cell::Uuid(value) => values.add(value),
                        };
                        added.map_err(|refused| anyhow!("a value cannot be bound: {refused}"))?;
                    }
                    let text = if count == ROWS_AT_ONCE {
                        full.clone()
                    } else {
                        table.insert(count, $numbered)
                    };
                    let done = sqlx::query_with(text, values).execute(&mut **tx).await?;
                    ensure!(
                        done.rows_affected() == count as u64,
                        "rows of {} were not written",
                        table.name
                    );
                }
                Ok(())
            }
        }
    };
}

engine!(sqlite, Sqlite, SqliteArguments, SqliteRow, false);
engine!(postgres, Postgres, PgArguments, PgRow, true);
