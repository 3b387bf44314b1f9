//! Runs of the importer: which file, how far, with what result. A run that was stopped goes on where it was.

use rightful_core::Timestamp;

use crate::StoreError;
use crate::adapter::Tx;
use crate::text::statements;

statements! {
    : RUNNING = "SELECT import_no, name, state, version, rows_done, tallies, started_at, done_at FROM import
        WHERE sha256 = $1 AND state = 'running'";
    : FIND = "SELECT import_no, name, state, version, rows_done, tallies, started_at, done_at FROM import WHERE import_no = $1";
    : BEGIN = "INSERT INTO import (import_no, sha256, name, state, version, rows_done, tallies, started_at, done_at)
        VALUES ($1, $2, $3, 'running', 1, 0, '{}', $4, NULL)";
    : PROGRESS = "UPDATE import SET rows_done = $3, tallies = $4, version = version + 1
        WHERE import_no = $1 AND version = $2 AND state = 'running'";
    : FINISH = "UPDATE import SET state = 'done', done_at = $3, version = version + 1
        WHERE import_no = $1 AND version = $2 AND state = 'running'";
    : ALL = "SELECT import_no, name, state, version, rows_done, tallies, started_at, done_at FROM import ORDER BY import_no";
}

/// One run of the importer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Its number.
    pub import_no: i64,
    /// The name of the file.
    pub name: String,
    /// Whether it came to its end.
    pub done: bool,
    /// Rises with every write; the next write names the one it saw.
    pub version: i64,
    /// How many rows of the file have been dealt with.
    pub rows_done: u64,
    /// What became of them, as JSON.
    pub tallies: String,
    /// When it was begun.
    pub started_at: Timestamp,
    /// When it came to its end.
    pub done_at: Option<Timestamp>,
}

type ImportRow = (i64, String, String, i64, i64, String, i64, Option<i64>);

fn import((import_no, name, state, version, rows_done, tallies, started_at, done_at): ImportRow) -> Import {
    Import {
        import_no,
        name,
        done: state == "done",
        version,
        rows_done: rows_done.unsigned_abs(),
        tallies,
        started_at: Timestamp::from_micros(started_at),
        done_at: done_at.map(Timestamp::from_micros),
    }
}

impl Tx {
    /// The run of a file with this SHA-256 that has not come to its end, or a new one. Of several that begin at once one makes
    /// it and the others get the same.
    pub async fn import_begin(&mut self, sha256: [u8; 32], name: &str, now: Timestamp) -> Result<Import, StoreError> {
        let running: Option<ImportRow> = self.sql(RUNNING).bind(sha256.to_vec()).opt().await?;
        if let Some(row) = running {
            return Ok(import(row));
        }
        let import_no = self.next_number("import").await?;
        let begin = self
            .sql(BEGIN)
            .bind(import_no)
            .bind(sha256.to_vec())
            .bind(name.to_owned())
            .bind(now.micros());
        begin.run().await.map_err(|error| match error {
            StoreError::AlreadyExists => StoreError::Contention {
                message: "the same import was begun meanwhile".to_owned(),
            },
            other => other,
        })?;
        self.import(import_no).await?.ok_or(StoreError::Corrupt {
            table: "import",
            column: "import_no",
        })
    }

    /// One run by its number.
    pub async fn import(&mut self, import_no: i64) -> Result<Option<Import>, StoreError> {
        let row: Option<ImportRow> = self.sql(FIND).bind(import_no).opt().await?;
        Ok(row.map(import))
    }

    /// All runs, oldest first.
    pub async fn imports(&mut self) -> Result<Vec<Import>, StoreError> {
        Ok(self.sql(ALL).all().await?.into_iter().map(import).collect())
    }

    /// Notes how far a run is, in the transaction that writes its rows: so a row is dealt with once, whatever happens.
    /// Returns the run as it stands then, for the next batch.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when another process runs the same import.
    pub async fn import_progress(
        &mut self,
        seen: &Import,
        rows_done: u64,
        tallies: &str,
    ) -> Result<Import, StoreError> {
        let rows = i64::try_from(rows_done).unwrap_or(i64::MAX);
        let progress = self
            .sql(PROGRESS)
            .bind(seen.import_no)
            .bind(seen.version)
            .bind(rows)
            .bind(tallies.to_owned());
        if progress.run().await? == 0 {
            return Err(StoreError::Changed { what: "import" });
        }
        Ok(Import {
            version: seen.version + 1,
            rows_done,
            tallies: tallies.to_owned(),
            ..seen.clone()
        })
    }

    /// Ends a run.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when another process runs the same import.
    pub async fn import_finish(&mut self, seen: &Import, now: Timestamp) -> Result<(), StoreError> {
        let finish = self
            .sql(FINISH)
            .bind(seen.import_no)
            .bind(seen.version)
            .bind(now.micros());
        if finish.run().await? == 0 {
            Err(StoreError::Changed { what: "import" })
        } else {
            Ok(())
        }
    }
}
