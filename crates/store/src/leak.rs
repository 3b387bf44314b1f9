//! Leaks: what was received, how far it is read, what came of it.

use rightful_core::leak::{LeakNo, LeakState};
use rightful_core::{Kind, Timestamp};

use crate::StoreError;
use crate::adapter::Tx;
use crate::exposure::{Exposure, Pair, Untested};
use crate::text::statements;

statements! {
    : BY_NAME = "SELECT leak_no, name, kind_override, received_from, leak_date, received_at, variations, state, version,
        checkpoint, tallies, done_at FROM leak WHERE name = $1";
    : FIND = "SELECT leak_no, name, kind_override, received_from, leak_date, received_at, variations, state, version,
        checkpoint, tallies, done_at FROM leak WHERE leak_no = $1";
    : ALL = "SELECT leak_no, name, kind_override, received_from, leak_date, received_at, variations, state, version,
        checkpoint, tallies, done_at FROM leak ORDER BY leak_no";
    : BEGIN = "INSERT INTO leak (leak_no, name, kind_override, received_from, leak_date, received_at, variations, state, version,
        checkpoint, tallies, done_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 'reading', 1, NULL, '{}', NULL)";
    : PROGRESS = "UPDATE leak SET checkpoint = $3, tallies = $4, version = version + 1
        WHERE leak_no = $1 AND version = $2 AND state = 'reading'";
    : FINISH = "UPDATE leak SET state = 'done', checkpoint = NULL, tallies = $3, done_at = $4, version = version + 1
        WHERE leak_no = $1 AND version = $2 AND state = 'reading'";
    : REOPEN = "UPDATE leak SET state = 'reading', checkpoint = NULL, done_at = NULL, version = version + 1
        WHERE leak_no = $1 AND version = $2 AND state = 'done'";
    : FORGET = "UPDATE leak SET state = 'forgotten', checkpoint = NULL, version = version + 1
        WHERE leak_no = $1 AND version = $2";
    hot: FORGET_PAIRS = "DELETE FROM pair WHERE block = $1 AND leak_no = $2";
    /// A hash that another leak holds too goes on waiting for that one: its exposure there has no other.
    hot: HAND_OVER_UNTESTED = "UPDATE untested SET leak_no = (SELECT MIN(exposure.leak_no) FROM exposure
            WHERE exposure.block = $1 AND exposure.account_no = untested.account_no AND exposure.secret_tag = untested.secret_tag
            AND exposure.grade = 'untested' AND EXISTS (SELECT 1 FROM leak
            WHERE leak.leak_no = exposure.leak_no AND leak.state <> 'forgotten'))
        WHERE block = $1 AND leak_no = $2 AND EXISTS (SELECT 1 FROM exposure
            WHERE exposure.block = $1 AND exposure.account_no = untested.account_no AND exposure.secret_tag = untested.secret_tag
            AND exposure.grade = 'untested' AND EXISTS (SELECT 1 FROM leak
            WHERE leak.leak_no = exposure.leak_no AND leak.state <> 'forgotten'))";
    hot: FORGET_UNTESTED = "DELETE FROM untested WHERE block = $1 AND leak_no = $2";
    : SAME_FILES = "SELECT COUNT(*) FROM leak_file WHERE leak_no = $1 AND sha256 = $2 AND name = $3";
    : LAST_FILE = "SELECT CAST(COALESCE(MAX(file_no), 0) AS BIGINT) FROM leak_file WHERE leak_no = $1";
    : ADD_FILE = "INSERT INTO leak_file (leak_no, file_no, name, sha256, bytes) VALUES ($1, $2, $3, $4, $5)";
    : FILES = "SELECT name, sha256, bytes FROM leak_file WHERE leak_no = $1 ORDER BY file_no";
}

/// A leak about to be noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLeak {
    /// Its name, unique.
    pub name: String,
    /// The kind of all its records, whatever they look like.
    pub kind_override: Option<Kind>,
    /// Where it came from, in words.
    pub received_from: String,
    /// When it was taken from its source, if that is known.
    pub leak_date: Option<Timestamp>,
    /// When we got it.
    pub received_at: Timestamp,
    /// How many simple variations of each secret are tested.
    pub variations: i64,
}

/// A leak.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak {
    /// Its number.
    pub no: LeakNo,
    /// What it was noted with.
    pub noted: NewLeak,
    /// How far the reading is.
    pub state: LeakState,
    /// Rises with every write; the next write names the one it saw.
    pub version: i64,
    /// Where the reading goes on, sealed.
    pub checkpoint: Option<Vec<u8>>,
    /// What came of the lines, as JSON.
    pub tallies: String,
    /// When it was read to its end.
    pub done_at: Option<Timestamp>,
}

/// A file of a leak.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeakFile {
    /// Its name.
    pub name: String,
    /// SHA-256 of its bytes as received.
    pub sha256: [u8; 32],
    /// Its length.
    pub bytes: u64,
}

/// What one batch of lines came to: written together or not at all.
#[derive(Clone, Debug, Default)]
pub struct LeakBatch {
    /// Evidence, at most one row per account and secret; it replaces what is there for the same, unless that is stronger.
    pub exposures: Vec<Exposure>,
    /// Verdicts of tested pairs, at most one per account and secret; they replace what is there.
    pub pairs: Vec<Pair>,
    /// Hashes that wait for the next sign-in.
    pub untested: Vec<Untested>,
    /// Where the reading goes on after this batch, sealed.
    pub checkpoint: Option<Vec<u8>>,
    /// What came of all lines until now, as JSON.
    pub tallies: String,
}

/// What became of a batch.
#[derive(Clone, Debug)]
pub struct BatchDone {
    /// The leak as it stands now, for the next batch.
    pub leak: Leak,
    /// How many untested hashes were left out because their account has 16 already.
    pub untested_left_out: u64,
}

type LeakRow = (
    i64,
    String,
    Option<String>,
    String,
    Option<i64>,
    i64,
    i64,
    String,
    i64,
    Option<Vec<u8>>,
    String,
    Option<i64>,
);

fn leak(row: LeakRow) -> Result<Leak, StoreError> {
    let (
        no,
        name,
        kind,
        received_from,
        leak_date,
        received_at,
        variations,
        state,
        version,
        checkpoint,
        tallies,
        done_at,
    ) = row;
    let corrupt = |column| StoreError::Corrupt { table: "leak", column };
    let kind_override = match kind {
        None => None,
        Some(word) => Some(Kind::from_word(&word).ok_or_else(|| corrupt("kind_override"))?),
    };
    Ok(Leak {
        no: LeakNo(no),
        noted: NewLeak {
            name,
            kind_override,
            received_from,
            leak_date: leak_date.map(Timestamp::from_micros),
            received_at: Timestamp::from_micros(received_at),
            variations,
        },
        state: LeakState::from_word(&state).ok_or_else(|| corrupt("state"))?,
        version,
        checkpoint,
        tallies,
        done_at: done_at.map(Timestamp::from_micros),
    })
}

impl Tx {
    /// The leak of this name, or a new one in state `reading`. Of several that begin at once one makes it.
    pub async fn leak_begin(&mut self, new: &NewLeak) -> Result<Leak, StoreError> {
        if let Some(there) = self.leak_by_name(&new.name).await? {
            return Ok(there);
        }
        let no = self.next_number("leak").await?;
        let begin = self
            .sql(BEGIN)
            .bind(no)
            .bind(new.name.clone())
            .bind(new.kind_override.map(Kind::word));
        let begin = begin
            .bind(new.received_from.clone())
            .bind(new.leak_date.map(Timestamp::micros));
        let begun = begin.bind(new.received_at.micros()).bind(new.variations).run().await;
        begun.map_err(|error| match error {
            StoreError::AlreadyExists => StoreError::Contention {
                message: "the same leak was begun meanwhile".to_owned(),
            },
            other => other,
        })?;
        self.leak(LeakNo(no)).await?.ok_or(StoreError::Corrupt {
            table: "leak",
            column: "leak_no",
        })
    }

    /// A leak by its name.
    pub async fn leak_by_name(&mut self, name: &str) -> Result<Option<Leak>, StoreError> {
        self.sql(BY_NAME)
            .bind(name.to_owned())
            .opt()
            .await?
            .map(leak)
            .transpose()
    }

    /// A leak by its number.
    pub async fn leak(&mut self, no: LeakNo) -> Result<Option<Leak>, StoreError> {
        self.sql(FIND).bind(no.0).opt().await?.map(leak).transpose()
    }

    /// All leaks, in the order they were named.
    pub async fn leaks(&mut self) -> Result<Vec<Leak>, StoreError> {
        self.sql(ALL).all().await?.into_iter().map(leak).collect()
    }

    /// Writes what a batch of lines came to, together with the place where the reading goes on: so a line counts once,
    /// whatever happens.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when another process reads the same leak, or it is no longer being read.
    pub async fn leak_commit_batch(&mut self, seen: &Leak, batch: &LeakBatch) -> Result<BatchDone, StoreError> {
        // First, because it locks the row: of two processes that read the same leak, the second waits here and then stops.
        let progress = self
            .sql(PROGRESS)
            .bind(seen.no.0)
            .bind(seen.version)
            .bind(batch.checkpoint.clone());
        guarded(progress.bind(batch.tallies.clone()).run().await?)?;
        self.put_exposures(seen.no, &batch.exposures).await?;
        self.put_pairs(seen.no, &batch.pairs).await?;
        let untested_left_out = self.add_untested(seen.no, &batch.untested).await?;
        let leak = Leak {
            version: seen.version + 1,
            checkpoint: batch.checkpoint.clone(),
            tallies: batch.tallies.clone(),
            ..seen.clone()
        };
        Ok(BatchDone {
            leak,
            untested_left_out,
        })
    }

    /// Notes a file of a leak behind those that were read before; false when the same bytes are there under the same name,
    /// because the file was read again.
    pub async fn add_leak_file(&mut self, leak: LeakNo, file: &LeakFile) -> Result<bool, StoreError> {
        let same = self.sql(SAME_FILES).bind(leak.0).bind(file.sha256.to_vec());
        let (same,): (i64,) = same.bind(file.name.clone()).one().await?;
        if same > 0 {
            return Ok(false);
        }
        let (last,): (i64,) = self.sql(LAST_FILE).bind(leak.0).one().await?;
        let bytes = i64::try_from(file.bytes).unwrap_or(i64::MAX);
        let add = self.sql(ADD_FILE).bind(leak.0).bind(last + 1).bind(file.name.clone());
        let added = add.bind(file.sha256.to_vec()).bind(bytes).run().await;
        added.map(|_| true).map_err(|error| match error {
            StoreError::AlreadyExists => StoreError::Contention {
                message: "another file of the same leak was noted meanwhile".to_owned(),
            },
            other => other,
        })
    }

    /// The files of a leak, in the order of reading.
    pub async fn leak_files(&mut self, leak: LeakNo) -> Result<Vec<LeakFile>, StoreError> {
        let rows: Vec<(String, Vec<u8>, i64)> = self.sql(FILES).bind(leak.0).all().await?;
        rows.into_iter()
            .map(|(name, sha256, bytes)| {
                let sha256 = sha256.try_into().map_err(|_| StoreError::Corrupt {
                    table: "leak_file",
                    column: "sha256",
                })?;
                Ok(LeakFile {
                    name,
                    sha256,
                    bytes: bytes.unsigned_abs(),
                })
            })
            .collect()
    }

    /// Ends the reading of a leak.
    ///
    /// # Errors
    /// [`StoreError::Changed`] as for [`Tx::leak_commit_batch`].
    pub async fn leak_finish(&mut self, seen: &Leak, tallies: &str, now: Timestamp) -> Result<(), StoreError> {
        let finish = self
            .sql(FINISH)
            .bind(seen.no.0)
            .bind(seen.version)
            .bind(tallies.to_owned())
            .bind(now.micros());
        guarded(finish.run().await?)
    }

    /// Begins the reading of a leak again that was read to its end: for more files under the same name, or new accounts.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when it is not done, or somebody wrote it since.
    pub async fn leak_reopen(&mut self, seen: &Leak) -> Result<Leak, StoreError> {
        guarded(self.sql(REOPEN).bind(seen.no.0).bind(seen.version).run().await?)?;
        self.leak(seen.no).await?.ok_or(StoreError::Corrupt {
            table: "leak",
            column: "leak_no",
        })
    }

    /// Marks a leak as forgotten, so that nobody goes on reading it. Its pairs and untested hashes then go block by block with
    /// [`Tx::leak_forget_block`]; both may be repeated after a crash.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when somebody wrote it since it was read.
    pub async fn leak_forget(&mut self, seen: &Leak) -> Result<(), StoreError> {
        guarded(self.sql(FORGET).bind(seen.no.0).bind(seen.version).run().await?)
    }

    /// Drops the pairs and untested hashes of a leak that was marked as forgotten, in one block; how many. Hashes that another
    /// leak holds too stay as that one's. The exposures and their reasons stay.
    pub async fn leak_forget_block(&mut self, leak: LeakNo, block: i64) -> Result<u64, StoreError> {
        self.sql(HAND_OVER_UNTESTED).bind(block).bind(leak.0).run().await?;
        let pairs = self.sql(FORGET_PAIRS).bind(block).bind(leak.0).run().await?;
        let untested = self.sql(FORGET_UNTESTED).bind(block).bind(leak.0).run().await?;
        Ok(pairs + untested)
    }
}

/// A guarded write of a leak that wrote nothing: somebody else did.
const fn guarded(written: u64) -> Result<(), StoreError> {
    if written == 0 {
        Err(StoreError::Changed { what: "leak" })
    } else {
        Ok(())
    }
}
