//! One SQL text on two engines: transactions, statements, values.
//!
//! Every method of [`Tx`] in this crate is one or a few statements. Their texts are static, their values bound; what the two
//! drivers do differently ends in this file.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use futures_util::{Stream, StreamExt};
use rightful_core::AccountNo;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{
    Arguments, AssertSqlSafe, ColumnIndex, Decode, Encode, FromRow, PgConnection, Postgres, Row, SqlSafeStr, SqlStr,
    Sqlite, SqliteConnection, Transaction, Type,
};
use uuid::Uuid;

use crate::StoreError;
use crate::audit::ChainHash;
use crate::text::{LIST_LEN, Many, ROWS_AT_ONCE, placeholders};

/// A value that both engines can bind.
pub(crate) trait Value:
    for<'q> Encode<'q, Sqlite> + Type<Sqlite> + for<'q> Encode<'q, Postgres> + Type<Postgres> + Send + 'static
{
}
impl<T> Value for T where
    T: for<'q> Encode<'q, Sqlite> + Type<Sqlite> + for<'q> Encode<'q, Postgres> + Type<Postgres> + Send + 'static
{
}

/// A row that both engines can hand over. Tuples of plain values are, in the order of the columns.
pub(crate) trait Record:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin + 'static
{
}
impl<T> Record for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin + 'static {}

/// The texts of statements over many rows, made once per number of rows.
#[derive(Default)]
pub(crate) struct Texts(Mutex<HashMap<(&'static str, usize), Arc<str>>>);

impl Texts {
    fn of(&self, many: &Many, rows: usize, numbered: bool) -> Arc<str> {
        let mut texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(
            texts
                .entry((many.name, rows))
                .or_insert_with(|| many.text(rows, numbered).into()),
        )
    }
}

/// What a transaction takes along from its store.
pub(crate) struct Shared {
    pub(crate) texts: Texts,
    pub(crate) chain: ChainHash,
    pub(crate) watcher: OnceLock<Watcher>,
}

/// Whose sessions a transaction may have ended or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// Those of these accounts.
    Accounts(Vec<AccountNo>),
    /// Anybody's.
    Everybody,
}

/// Is told what a transaction changed, after it has ended and before whoever ran it goes on.
pub type Watcher = Box<dyn Fn(&Changed) + Send + Sync>;

pub(crate) enum Connection {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// A transaction. Handed to the closures of [`crate::Store::read`] and [`crate::Store::write`]; everything that the store can do is a
/// method of it.
pub struct Tx {
    connection: Connection,
    /// Whether a statement failed. PostgreSQL answers the COMMIT of a failed transaction with a quiet ROLLBACK, so a closure
    /// that swallowed the error would believe its rows were kept.
    failed: bool,
    changed: Changed,
    pub(crate) shared: Arc<Shared>,
}

impl Tx {
    pub(crate) const fn new(connection: Connection, shared: Arc<Shared>) -> Self {
        Self {
            connection,
            failed: false,
            changed: Changed::Accounts(Vec::new()),
            shared,
        }
    }

    /// Notes that the sessions of an account are no longer what somebody may remember of them.
    pub(crate) fn sessions_changed(&mut self, account: AccountNo) {
        if let Changed::Accounts(accounts) = &mut self.changed {
            accounts.push(account);
        }
    }

    /// Notes that nobody's session may be what somebody remembers of it.
    pub(crate) fn all_sessions_changed(&mut self) {
        self.changed = Changed::Everybody;
    }

    /// What tells the watcher of this transaction. Taken before COMMIT and called after it, however it went: also a COMMIT of which
    /// nobody knows may have changed something.
    pub(crate) fn telling(&mut self) -> impl FnOnce() + Send + 'static {
        let changed = std::mem::replace(&mut self.changed, Changed::Accounts(Vec::new()));
        let shared = Arc::clone(&self.shared);
        move || {
            if let Some(tell) = shared.watcher.get()
                && changed != Changed::Accounts(Vec::new())
            {
                tell(&changed);
            }
        }
    }

    pub(crate) const fn is_postgres(&self) -> bool {
        matches!(self.connection, Connection::Postgres(_))
    }

    /// Begins a statement. Every value of it must be bound.
    pub(crate) fn sql(&mut self, text: &'static str) -> Query<'_> {
        self.query(text.into_sql_str(), placeholders(text))
    }

    fn query(&mut self, text: SqlStr, wanted: usize) -> Query<'_> {
        let failed = &mut self.failed;
        let bound = match &mut self.connection {
            Connection::Sqlite(tx) => Bound::Sqlite(tx, SqliteArguments::default()),
            Connection::Postgres(tx) => Bound::Postgres(tx, PgArguments::default()),
        };
        Query {
            text,
            wanted,
            values: Values { bound, refused: None },
            failed,
        }
    }

    /// The statement for `rows` rows. The text is put together from static parts only, in [`Many::text`].
    fn many(&mut self, many: &Many, rows: usize) -> Query<'_> {
        let text = self.shared.texts.of(many, rows, self.is_postgres());
        self.query(AssertSqlSafe(text).into_sql_str(), many.values(rows))
    }

    /// Runs an insert for any number of rows, as few statements as [`ROWS_AT_ONCE`] allows. Returns how many rows were
    /// written.
    pub(crate) async fn insert<R>(
        &mut self,
        insert: &Many,
        rows: &[R],
        bind: impl Fn(&R, &mut Values<'_>),
    ) -> Result<u64, StoreError> {
        let mut written = 0;
        for rows in pieces(rows) {
            let mut query = self.many(insert, rows.len());
            rows.iter().for_each(|row| bind(row, &mut query.values));
            written += query.run().await?;
        }
        Ok(written)
    }

    /// Runs a look-up for any number of keys and returns the rows of all, in no particular order.
    pub(crate) async fn select<R, T: Record>(
        &mut self,
        select: &Many,
        keys: &[R],
        bind: impl Fn(&R, &mut Values<'_>),
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        for keys in pieces(keys) {
            let mut query = self.many(select, keys.len());
            keys.iter().for_each(|key| bind(key, &mut query.values));
            found.append(&mut query.all().await?);
        }
        Ok(found)
    }

    /// As [`Tx::select`], for keys of one block: the last value of the statement is the block.
    pub(crate) async fn select_in_block<R, T: Record>(
        &mut self,
        select: &Many,
        block: i64,
        keys: &[R],
        bind: impl Fn(&R, &mut Values<'_>),
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        for keys in pieces(keys) {
            let mut query = self.many(select, keys.len());
            keys.iter().for_each(|key| bind(key, &mut query.values));
            found.append(&mut query.bind(block).all().await?);
        }
        Ok(found)
    }

    /// Runs a statement of the form `… block = $1 AND x IN (list!())` for the numbers of one block, piece by piece.
    pub(crate) async fn in_block<T: Record>(
        &mut self,
        text: &'static str,
        block: i64,
        numbers: &[i64],
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        for piece in numbers.chunks(LIST_LEN) {
            let padding = std::iter::repeat_n(&piece[0], LIST_LEN - piece.len());
            let query = piece
                .iter()
                .chain(padding)
                .fold(self.sql(text).bind(block), |query, no| query.bind(*no));
            found.append(&mut query.all().await?);
        }
        Ok(found)
    }

    /// Has PostgreSQL plan every statement of this transaction anew. For bulk work: a plan made while a table was empty reads
    /// the whole table, and would be kept while a million rows come in. Nothing to do on SQLite.
    pub(crate) async fn plan_anew(&mut self) -> Result<(), StoreError> {
        match self.connection {
            Connection::Sqlite(_) => Ok(()),
            Connection::Postgres(_) => self.script("SET LOCAL plan_cache_mode = force_custom_plan").await,
        }
    }

    /// Runs a text of several statements without values: the migrations, and settings of the engine.
    pub(crate) async fn script(&mut self, text: &str) -> Result<(), StoreError> {
        let text = AssertSqlSafe(text);
        let done = match &mut self.connection {
            Connection::Sqlite(tx) => sqlx::raw_sql(text).execute(&mut **tx).await.map(drop),
            Connection::Postgres(tx) => sqlx::raw_sql(text).execute(&mut **tx).await.map(drop),
        };
        self.failed |= done.is_err();
        Ok(done?)
    }

    pub(crate) const fn has_failed(&self) -> bool {
        self.failed
    }

    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        let done = match self.connection {
            Connection::Sqlite(tx) => tx.commit().await,
            Connection::Postgres(tx) => tx.commit().await,
        };
        done.map_err(|error| StoreError::from(error).at_commit())
    }
}

/// Cuts a list into pieces of the lengths that texts are made for, longest first.
fn pieces<R>(mut rows: &[R]) -> impl Iterator<Item = &[R]> {
    std::iter::from_fn(move || {
        let len = ROWS_AT_ONCE.into_iter().find(|len| *len <= rows.len())?;
        let (piece, rest) = rows.split_at(len);
        rows = rest;
        Some(piece)
    })
}

enum Bound<'t> {
    Sqlite(&'t mut SqliteConnection, SqliteArguments),
    Postgres(&'t mut PgConnection, PgArguments),
}

/// The values of a statement, bound one after the other.
pub(crate) struct Values<'t> {
    bound: Bound<'t>,
    refused: Option<String>,
}

impl Values<'_> {
    /// Binds the next value.
    pub(crate) fn add<T: Value>(&mut self, value: T) -> &mut Self {
        let added = match &mut self.bound {
            Bound::Sqlite(_, values) => values.add(value),
            Bound::Postgres(_, values) => values.add(value),
        };
        if let Err(refused) = added {
            self.refused.get_or_insert_with(|| refused.to_string());
        }
        self
    }

    /// Binds a cell.
    pub(crate) fn add_cell(&mut self, cell: Cell) {
        match cell {
            Cell::Integer(value) => self.add(value),
            Cell::Text(value) => self.add(value),
            Cell::Bytes(value) => self.add(value),
            Cell::Uuid(value) => self.add(value),
        };
    }

    fn len(&self) -> usize {
        match &self.bound {
            Bound::Sqlite(_, values) => values.len(),
            Bound::Postgres(_, values) => values.len(),
        }
    }
}

/// One statement on its way.
#[must_use = "a statement does nothing until it is run"]
pub(crate) struct Query<'t> {
    text: SqlStr,
    wanted: usize,
    values: Values<'t>,
    failed: &'t mut bool,
}

impl<'t> Query<'t> {
    /// Binds the next value: the first becomes `$1`.
    pub(crate) fn bind<T: Value>(mut self, value: T) -> Self {
        self.values.add(value);
        self
    }

    /// SQLite's driver binds a forgotten value as NULL and reports success, so the count is checked here for both.
    fn checked(self) -> Result<(SqlStr, Bound<'t>, &'t mut bool), StoreError> {
        let Self {
            text,
            wanted,
            values,
            failed,
        } = self;
        let given = values.len();
        let error = match values.refused {
            Some(message) => StoreError::Backend { code: None, message },
            None if given != wanted => StoreError::Misbound {
                wanted,
                given,
                text: text.as_str().to_owned(),
            },
            None => return Ok((text, values.bound, failed)),
        };
        *failed = true;
        Err(error)
    }

    /// All rows.
    pub(crate) async fn all<T: Record>(self) -> Result<Vec<T>, StoreError> {
        let (text, bound, failed) = self.checked()?;
        let rows = match bound {
            Bound::Sqlite(on, values) => sqlx::query_as_with::<Sqlite, T, _>(text, values).fetch_all(on).await,
            Bound::Postgres(on, values) => sqlx::query_as_with::<Postgres, T, _>(text, values).fetch_all(on).await,
        };
        *failed |= rows.is_err();
        Ok(rows?)
    }

    /// The only row, if there is one. With RETURNING too: all rows are fetched, so the statement runs to its end.
    pub(crate) async fn opt<T: Record>(self) -> Result<Option<T>, StoreError> {
        Ok(self.all().await?.pop())
    }

    /// The only row of a statement that always has one.
    pub(crate) async fn one<T: Record>(self) -> Result<T, StoreError> {
        let text = self.text.clone();
        self.opt().await?.ok_or_else(|| StoreError::Backend {
            code: None,
            message: format!("no row came back from: {}", text.as_str()),
        })
    }

    /// Runs the statement; how many rows it wrote.
    pub(crate) async fn run(self) -> Result<u64, StoreError> {
        let (text, bound, failed) = self.checked()?;
        let done = match bound {
            Bound::Sqlite(on, values) => sqlx::query_with::<Sqlite, _>(text, values)
                .execute(on)
                .await
                .map(|done| done.rows_affected()),
            Bound::Postgres(on, values) => sqlx::query_with::<Postgres, _>(text, values)
                .execute(on)
                .await
                .map(|done| done.rows_affected()),
        };
        *failed |= done.is_err();
        Ok(done?)
    }

    /// Hands over one row after the other; memory does not grow with their number. Stops at the first error of `take`.
    pub(crate) async fn each<T: Record, E: From<StoreError>>(
        self,
        take: impl FnMut(T) -> Result<(), E> + Send,
    ) -> Result<(), E> {
        let (text, bound, failed) = self.checked()?;
        let done = match bound {
            Bound::Sqlite(on, values) => drain(sqlx::query_as_with::<Sqlite, T, _>(text, values).fetch(on), take).await,
            Bound::Postgres(on, values) => {
                drain(sqlx::query_as_with::<Postgres, T, _>(text, values).fetch(on), take).await
            }
        };
        *failed |= done.is_err();
        done
    }

    /// As [`Query::each`], for rows of any table: the types of the columns are given.
    pub(crate) async fn each_cells<E: From<StoreError>>(
        self,
        types: &[CellType],
        mut take: impl FnMut(Vec<Cell>) -> Result<(), E> + Send,
    ) -> Result<(), E> {
        let (text, bound, failed) = self.checked()?;
        let done = match bound {
            Bound::Sqlite(on, values) => {
                let rows = sqlx::query_with::<Sqlite, _>(text, values).fetch(on);
                drain(rows, |row: SqliteRow| take(cells(&row, types)?)).await
            }
            Bound::Postgres(on, values) => {
                let rows = sqlx::query_with::<Postgres, _>(text, values).fetch(on);
                drain(rows, |row: PgRow| take(cells(&row, types)?)).await
            }
        };
        *failed |= done.is_err();
        done
    }
}

async fn drain<T, E: From<StoreError>>(
    mut rows: impl Stream<Item = Result<T, sqlx::Error>> + Unpin,
    mut take: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E> {
    while let Some(row) = rows.next().await {
        take(row.map_err(StoreError::from)?)?;
    }
    Ok(())
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CellType {
    Integer,
    Text,
    Bytes,
    Uuid,
}

/// A value of a row whose table is known only at run time.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    Integer(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
    Uuid(Option<Uuid>),
}

fn cells<R>(row: &R, types: &[CellType]) -> Result<Vec<Cell>, StoreError>
where
    R: Row,
    usize: ColumnIndex<R>,
    for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> String: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> Vec<u8>: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> Uuid: Decode<'r, R::Database> + Type<R::Database>,
{
    let cell = |(place, cell_type): (usize, &CellType)| {
        Ok(match cell_type {
            CellType::Integer => Cell::Integer(row.try_get(place)?),
            CellType::Text => Cell::Text(row.try_get(place)?),
            CellType::Bytes => Cell::Bytes(row.try_get(place)?),
            CellType::Uuid => Cell::Uuid(row.try_get(place)?),
        })
    };
    types
        .iter()
        .enumerate()
        .map(cell)
        .collect::<Result<_, sqlx::Error>>()
        .map_err(StoreError::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_forgotten_value_is_refused_and_nothing_is_kept() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let address = crate::Address::Sqlite(folder.path().join("rightful.db"));
        let chain: ChainHash = Arc::new(|_, _| [0; 32]);
        let now = rightful_core::Timestamp::from_micros(0);
        let store = crate::Store::open_and_migrate(&address, chain, now)
            .await
            .expect("a store");
        const ADD: &str = "INSERT INTO setting (name, body, version) VALUES ($1, $2, $3)";
        for given in [0, 1, 2, 4] {
            let outcome = store
                .write(async move |tx| {
                    tx.put_setting("kept", "no", 0).await?;
                    let query = (0..given).fold(tx.sql(ADD), |query, number| query.bind(i64::from(number)));
                    // The error is swallowed, as a careless caller might.
                    assert!(
                        matches!(query.run().await, Err(StoreError::Misbound { wanted: 3, .. })),
                        "{given}"
                    );
                    Ok(())
                })
                .await;
            assert!(outcome.is_err(), "{given}");
        }
        let kept = store
            .read(async move |tx| tx.setting("kept").await)
            .await
            .expect("an answer");
        assert_eq!(kept, None);
    }

    #[test]
    fn a_list_is_cut_into_the_lengths_that_have_a_text() {
        let lengths = |n: usize| pieces(&vec![(); n]).map(<[()]>::len).collect::<Vec<_>>();
        assert_eq!(lengths(0), [0; 0]);
        assert_eq!(lengths(2), [1, 1]);
        assert_eq!(lengths(341), [256, 64, 16, 4, 1]);
        assert_eq!(lengths(514), [256, 256, 1, 1]);
    }
}
