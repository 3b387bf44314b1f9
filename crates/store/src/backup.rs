//! Backup and restore: one format for both engines, so that a backup of an SQLite file restores into PostgreSQL.
//!
//! The format, all numbers big-endian:
//!
//! | part | bytes |
//! |---|---|
//! | magic | `RIGHTFUL BACKUP\n`, then the format (u16) and the schema version (i64) |
//! | table | `T`, its name, number of columns (u16), their names; each name u16 length and text |
//! | row | `R`, then each value: `-` for NULL, `i` i64, `t` and `b` u32 length and bytes, `u` 16 bytes |
//! | end of table | `E`, number of its rows (u64) |
//! | end | `Z`, then 32 bytes: the seal over all bytes before them |
//!
//! Rows come in the order of their keys from one snapshot, tables in the order in which they can be written.

use std::io::{Read, Write};

use rightful_core::audit::AuditEntry;
use uuid::Uuid;

use crate::adapter::{Cell, CellType, Tx};
use crate::text::{Many, Statement};
use crate::{Store, StoreError, migrate};

const MAGIC: &[u8; 16] = b"RIGHTFUL BACKUP\n";
const FORMAT: u16 = 1;

/// Longest value that a backup may hold, in bytes. The longest that Rightful writes is far below; a longer one in a file
/// means that the file is damaged, and is refused before memory is taken for it.
const MAX_VALUE: usize = 16 << 20;

/// Rows that are read from a backup before they are written together.
const ROWS_TOGETHER: usize = 1024;

/// Computes the seal over a backup. With a key (an HMAC) a backup that somebody changed is refused; with a plain digest only
/// one that was damaged.
pub trait Seal: Send {
    /// Takes the next bytes.
    fn update(&mut self, bytes: &[u8]);
    /// The seal over all bytes.
    fn finish(self) -> [u8; 32];
}

impl Seal for sha2::Sha256 {
    fn update(&mut self, bytes: &[u8]) {
        sha2::Digest::update(self, bytes);
    }

    fn finish(self) -> [u8; 32] {
        sha2::Digest::finalize(self).into()
    }
}

/// Why a backup could not be made or restored. In every case the database is as it was.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file could not be written or read.
    #[error("the backup could not be written or read")]
    Io(#[from] std::io::Error),
    /// The file is something else.
    #[error("this file is no backup of Rightful")]
    NotABackup,
    /// A newer Rightful made it.
    #[error("the backup has format {found}, this Rightful knows {FORMAT}; use the newer Rightful")]
    Format {
        /// The format of the file.
        found: u16,
    },
    /// It holds another schema than this binary's.
    #[error(
        "the backup holds schema {found}, this Rightful has {known}; restore it with the Rightful that made it and upgrade"
    )]
    Schema {
        /// The schema of the backup.
        found: i64,
        /// The schema of this binary.
        known: i64,
    },
    /// It ends early.
    #[error("the backup ends before its end; it was cut off")]
    CutOff,
    /// Its bytes are not those that were written.
    #[error("the backup is damaged or was changed: {what}")]
    Altered {
        /// What does not fit.
        what: &'static str,
    },
    /// A database with rows is never restored into.
    #[error("the database already holds rows in table {table}; restore into an empty one")]
    NotEmpty {
        /// The first table with rows.
        table: &'static str,
    },
    /// What the database says.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was written or read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupSummary {
    /// The schema of the rows.
    pub schema: i64,
    /// Each table with its rows.
    pub tables: Vec<(&'static str, u64)>,
}

impl BackupSummary {
    /// How many rows in all.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|(_, rows)| rows).sum()
    }
}

/// A table as a backup knows it.
pub(crate) struct Table {
    name: &'static str,
    columns: &'static [&'static str],
    types: &'static [CellType],
    select: &'static str,
    any: &'static str,
    insert: Many,
}

/// A place for each column after the first.
macro_rules! place {
    ($column:ident) => {
        ", ?"
    };
}

/// Declares the tables of a backup: the columns of the key first, a semicolon, the others.
macro_rules! tables {
    ($($table:ident ($key:ident $key_type:ident $(, $more:ident $more_type:ident)* ; $($column:ident $column_type:ident),*))+) => {
        const TABLES: &[Table] = &[$(Table {
            name: stringify!($table),
            columns: &[stringify!($key) $(, stringify!($more))* $(, stringify!($column))*],
            types: &[CellType::$key_type $(, CellType::$more_type)* $(, CellType::$column_type)*],
            select: concat!("SELECT ", stringify!($key) $(, ", ", stringify!($more))* $(, ", ", stringify!($column))*,
                " FROM ", stringify!($table), " ORDER BY ", stringify!($key) $(, ", ", stringify!($more))*),
            any: concat!("SELECT ", stringify!($key), " FROM ", stringify!($table), " LIMIT 1"),
            insert: Many {
                name: concat!("backup::", stringify!($table)),
                before: concat!("INSERT INTO ", stringify!($table),
                    " (", stringify!($key) $(, ", ", stringify!($more))* $(, ", ", stringify!($column))*, ") VALUES"),
                row: concat!("(?" $(, place!($more))* $(, place!($column))*, ")"),
                after: "",
            },
        }),+];
    };
}

// Each table after those that it refers to.
tables! {
    counter (name Text; next Integer)
    setting (name Text; body Text, version Integer)
    data_key (purpose Text, key_no Integer; wrapped Bytes, kek_id Text, made_at Integer)
    import (import_no Integer; sha256 Bytes, name Text, state Text, version Integer, rows_done Integer, tallies Text,
        started_at Integer, done_at Integer)
    leak (leak_no Integer; name Text, kind_override Text, received_from Text, leak_date Integer, received_at Integer,
        variations Integer, state Text, version Integer, checkpoint Bytes, tallies Text, done_at Integer)
    leak_file (leak_no Integer, file_no Integer; name Text, sha256 Bytes, bytes Integer)
    account (block Integer, account_no Integer; public_id Uuid, reference Text, role Text, groups Text, state Text,
        epoch Integer, version Integer, import_no Integer, created_at Integer, erase_at Integer, locale Text)
    account_name (block Integer, account_no Integer, name_no Integer; kind Text, name_key Text, given Text)
    contact (block Integer, account_no Integer, contact_no Integer; kind Text, address Text, verified_at Integer,
        replaced_at Integer, added_at Integer, reach Text)
    password (block Integer, account_no Integer, password_no Integer; state Text, sealed Bytes, kind Text, weak Integer,
        origin Text, set_at Integer, changed_at Integer, told_at Integer, alone Integer)
    replaced_hash (block Integer, account_no Integer, digest Bytes; replaced_at Integer)
    exposure (block Integer, account_no Integer, leak_no Integer, secret_tag Bytes; grade Text, kind Text,
        password_no Integer, loose Integer, position Bytes, found_at Integer)
    pair (block Integer, account_no Integer, secret_tag Bytes; leak_no Integer, sealed Bytes)
    untested (block Integer, account_no Integer, untested_no Integer; secret_tag Bytes, leak_no Integer, sealed Bytes,
        found_at Integer, expires_at Integer)
    hold (block Integer, account_no Integer, hold_no Integer; action Text, source Text, kind Text, leak_no Integer,
        placed_at Integer, placed_by Text, lifted_at Integer, lifted_by Text, containment_no Integer)
    incident (incident_no Integer; slug Text, title Text, state Text, version Integer, owner_no Integer, opened_at Integer,
        closed_at Integer, published_at Integer)
    incident_leak (incident_no Integer, leak_no Integer; attached_at Integer)
    incident_entry (incident_no Integer, entry_no Integer; kind Text, author_no Integer, body Text, at Integer)
    containment (containment_no Integer; incident_no Integer, state Text, version Integer, plan Text, author_no Integer,
        approver_no Integer, alone Integer, members Integer, takes Integer, digest Bytes, undo_author_no Integer,
        undo_approver_no Integer, undo_alone Integer, undo_asked_at Integer, made_at Integer, frozen_at Integer,
        approved_at Integer, started_at Integer, ended_at Integer)
    wave (containment_no Integer, wave_no Integer; members Integer, state Text, due_at Integer, mark Integer,
        started_at Integer, done_at Integer, told_at Integer)
    cohort (block Integer, account_no Integer, containment_no Integer; wave_no Integer, action Text, grade Text, kind Text,
        leak_no Integer, password_no Integer, attacked Integer, state Text, told_at Integer, changed_at Integer)
    authenticator (block Integer, account_no Integer, authenticator_no Integer; kind Text, name Text, sealed Bytes,
        step Integer, made_at Integer, used_at Integer, ended_at Integer)
    recovery_code (block Integer, account_no Integer, digest Bytes; made_at Integer, spent_at Integer)
    session (block Integer, token_hash Bytes; account_no Integer, session_id Uuid, use Text, epoch Integer, mark Integer,
        acr Text, methods Text, agent Text, address Text, browser_id Uuid, proved_at Integer, made_at Integer,
        seen_at Integer, expires_at Integer, ended_at Integer)
    browser (block Integer, token_hash Bytes; account_no Integer, browser_id Uuid, agent Text, mark Integer, made_at Integer,
        seen_at Integer, ended_at Integer)
    flow (home Integer, token_hash Bytes; purpose Text, account_no Integer, epoch Integer, mark Integer, methods Text,
        body Text, version Integer, made_at Integer, expires_at Integer, spent_at Integer)
    budget (home Integer, subject Integer, scope Text; full_at Integer)
    sign_in (block Integer, account_no Integer, at Integer, sign_in_id Uuid; outcome Text, why Text, methods Text,
        address Text, agent Text, place Text, known Integer, browser_id Uuid)
    notice (home Integer, subject Integer, notice_id Uuid; kind Text, channel Text, contact_no Integer, masked Text,
        digest Bytes, state Text, made_at Integer, changed_at Integer, containment_no Integer)
    outbox (home Integer, subject Integer, notice_id Uuid; sealed Bytes, due_at Integer, attempts Integer, lease Uuid,
        leased_until Integer)
    identifier (slot Integer, name_key Text; kind Text, account_no Integer, state Text, made_at Integer)
    match_key (slot Integer, match_key Bytes, account_no Integer;)
    audit (home Integer, subject Integer, seq Integer; event Text, actor Text, body Text, prev_hash Bytes, hash Bytes,
        at Integer)
    audit_head (home Integer, subject Integer; seq Integer, hash Bytes, seal Bytes)
}

/// The statements of this file, for the tests.
pub(crate) fn statements() -> Vec<Statement> {
    let statement = |text| Statement {
        name: "backup",
        text,
        hot: false,
    };
    TABLES
        .iter()
        .flat_map(|table| [table.select, table.any])
        .map(statement)
        .collect()
}

/// The inserts of this file, for the tests.
pub(crate) fn statements_over_many() -> Vec<Many> {
    TABLES.iter().map(|table| table.insert).collect()
}

/// The tables of a backup with their columns, for the test that compares them with the schema.
pub fn tables() -> Vec<(&'static str, &'static [&'static str])> {
    TABLES.iter().map(|table| (table.name, table.columns)).collect()
}

impl Store {
    /// Writes all rows to `to`, from one snapshot, while others go on working. Memory does not grow with the rows. Writing
    /// happens on the calling task; compress and sync in `to`.
    ///
    /// # Errors
    /// [`BackupError::Io`] or what the database says; then `to` holds no whole backup.
    pub async fn backup<W: Write + Send, S: Seal>(&self, to: W, seal: S) -> Result<BackupSummary, BackupError> {
        let mut tx = self.begin_read().await?;
        let mut out = Sealing { inner: to, seal };
        out.put(MAGIC)?;
        out.put(&FORMAT.to_be_bytes())?;
        out.put(&migrate::newest().to_be_bytes())?;
        let mut tables = Vec::with_capacity(TABLES.len());
        for table in TABLES {
            tables.push((table.name, tx.write_table(table, &mut out).await?));
        }
        out.put(b"Z")?;
        let Sealing { mut inner, seal } = out;
        inner.write_all(&seal.finish())?;
        inner.flush()?;
        Ok(BackupSummary {
            schema: migrate::newest(),
            tables,
        })
    }

    /// Reads a backup into this database, which must be empty, in one transaction. In the same transaction the site's mark
    /// jumps by `mark_jump`, so that whatever was proved before is dead, and `entry` (`site.restored`) is written.
    ///
    /// # Errors
    /// Every [`BackupError`]; nothing is kept then.
    pub async fn restore<R: Read + Send, S: Seal>(
        &self,
        from: R,
        seal: S,
        entry: &AuditEntry,
        mark_jump: i64,
    ) -> Result<BackupSummary, BackupError> {
        let mut input = Sealing { inner: from, seal };
        let schema = input.header()?;
        let mut tx = self.begin_write().await?;
        for table in TABLES {
            if tx.has_rows(table).await? {
                return Err(BackupError::NotEmpty { table: table.name });
            }
        }
        let mut tables = Vec::with_capacity(TABLES.len());
        for table in TABLES {
            tables.push((table.name, tx.read_table(table, &mut input).await?));
        }
        input.end()?;
        tx.raise_mark_floor(mark_jump).await?;
        tx.audit(entry).await?;
        tx.commit().await?;
        Ok(BackupSummary { schema, tables })
    }
}

impl Tx {
    async fn has_rows(&mut self, table: &Table) -> Result<bool, StoreError> {
        let mut any = false;
        let query = self.sql(table.any);
        query
            .each_cells(&table.types[..1], |_| {
                any = true;
                Ok::<(), StoreError>(())
            })
            .await?;
        Ok(any)
    }

    async fn write_table<W: Write + Send, S: Seal>(
        &mut self,
        table: &Table,
        out: &mut Sealing<W, S>,
    ) -> Result<u64, BackupError> {
        out.put(b"T")?;
        out.put_name(table.name)?;
        out.put(&length(table.columns.len(), 2)?)?;
        for column in table.columns {
            out.put_name(column)?;
        }
        let mut rows = 0_u64;
        let mut line = Vec::with_capacity(512);
        self.sql(table.select)
            .each_cells(table.types, |cells| {
                line.clear();
                line.push(b'R');
                for cell in &cells {
                    encode(cell, &mut line)?;
                }
                rows += 1;
                out.put(&line)
            })
            .await?;
        out.put(b"E")?;
        out.put(&rows.to_be_bytes())?;
        Ok(rows)
    }

    async fn read_table<R: Read, S: Seal>(
        &mut self,
        table: &Table,
        input: &mut Sealing<R, S>,
    ) -> Result<u64, BackupError> {
        input.table(table)?;
        let mut rows = 0_u64;
        let mut waiting = Vec::with_capacity(ROWS_TOGETHER);
        loop {
            let more = input.row(table)?;
            let at_end = more.is_none();
            waiting.extend(more);
            if waiting.len() == ROWS_TOGETHER || at_end {
                rows += waiting.len() as u64;
                self.insert_cells(table, &mut waiting).await?;
            }
            if at_end {
                break;
            }
        }
        if input.number()? != rows {
            return Err(BackupError::Altered {
                what: "a table has another number of rows than its end says",
            });
        }
        Ok(rows)
    }

    async fn insert_cells(&mut self, table: &Table, rows: &mut Vec<Vec<Cell>>) -> Result<(), BackupError> {
        let inserted = self
            .insert(&table.insert, rows, |row, values| {
                row.iter().cloned().for_each(|cell| values.add_cell(cell));
            })
            .await;
        rows.clear();
        match inserted {
            // Rows that contradict each other were never written by a backup.
            Err(StoreError::AlreadyExists) => Err(BackupError::Altered {
                what: "a row comes twice",
            }),
            inserted => Ok(inserted.map(drop)?),
        }
    }
}

/// A length in `bytes` bytes.
fn length(length: usize, bytes: usize) -> Result<Vec<u8>, BackupError> {
    let fits = length <= MAX_VALUE && (bytes == 4 || u16::try_from(length).is_ok());
    if !fits {
        return Err(BackupError::Altered {
            what: "a value is longer than any that Rightful writes",
        });
    }
    Ok(length.to_be_bytes()[size_of::<usize>() - bytes..].to_vec())
}

fn encode(cell: &Cell, line: &mut Vec<u8>) -> Result<(), BackupError> {
    match cell {
        Cell::Integer(Some(number)) => {
            line.push(b'i');
            line.extend(number.to_be_bytes());
        }
        Cell::Text(Some(text)) => {
            line.push(b't');
            line.extend(length(text.len(), 4)?);
            line.extend(text.as_bytes());
        }
        Cell::Bytes(Some(bytes)) => {
            line.push(b'b');
            line.extend(length(bytes.len(), 4)?);
            line.extend(bytes);
        }
        Cell::Uuid(Some(uuid)) => {
            line.push(b'u');
            line.extend(uuid.as_bytes());
        }
        Cell::Integer(None) | Cell::Text(None) | Cell::Bytes(None) | Cell::Uuid(None) => line.push(b'-'),
    }
    Ok(())
}

/// Bytes on their way to or from a backup; all of them go into the seal.
struct Sealing<T, S> {
    inner: T,
    seal: S,
}

impl<W: Write, S: Seal> Sealing<W, S> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        self.seal.update(bytes);
        Ok(self.inner.write_all(bytes)?)
    }

    fn put_name(&mut self, name: &str) -> Result<(), BackupError> {
        self.put(&length(name.len(), 2)?)?;
        self.put(name.as_bytes())
    }
}

impl<R: Read, S: Seal> Sealing<R, S> {
    fn header(&mut self) -> Result<i64, BackupError> {
        let magic: [u8; MAGIC.len()] = self.array().map_err(|error| match error {
            BackupError::CutOff => BackupError::NotABackup,
            other => other,
        })?;
        if magic != *MAGIC {
            return Err(BackupError::NotABackup);
        }
        let found = u16::from_be_bytes(self.array()?);
        if found != FORMAT {
            return Err(BackupError::Format { found });
        }
        let found = i64::from_be_bytes(self.array()?);
        if found != migrate::newest() {
            return Err(BackupError::Schema {
                found,
                known: migrate::newest(),
            });
        }
        Ok(found)
    }

    fn table(&mut self, table: &Table) -> Result<(), BackupError> {
        let other = || BackupError::Altered {
            what: "a table is not the one that should come here",
        };
        if self.array()? != *b"T" || self.name()? != table.name.as_bytes() {
            return Err(other());
        }
        if usize::from(u16::from_be_bytes(self.array()?)) != table.columns.len() {
            return Err(other());
        }
        for column in table.columns {
            if self.name()? != column.as_bytes() {
                return Err(other());
            }
        }
        Ok(())
    }

    fn name(&mut self) -> Result<Vec<u8>, BackupError> {
        let name_len = usize::from(u16::from_be_bytes(self.array()?));
        self.bytes(name_len)
    }

    /// The next row of a table; `None` at its end.
    fn row(&mut self, table: &Table) -> Result<Option<Vec<Cell>>, BackupError> {
        match self.array()? {
            [b'R'] => table
                .types
                .iter()
                .map(|cell_type| self.cell(*cell_type))
                .collect::<Result<_, _>>()
                .map(Some),
            [b'E'] => Ok(None),
            _ => Err(BackupError::Altered {
                what: "there is something between two rows",
            }),
        }
    }

    fn cell(&mut self, cell_type: CellType) -> Result<Cell, BackupError> {
        let [tag] = self.array()?;
        Ok(match (cell_type, tag) {
            (CellType::Integer, b'-') => Cell::Integer(None),
            (CellType::Text, b'-') => Cell::Text(None),
            (CellType::Bytes, b'-') => Cell::Bytes(None),
            (CellType::Uuid, b'-') => Cell::Uuid(None),
            (CellType::Integer, b'i') => Cell::Integer(Some(i64::from_be_bytes(self.array()?))),
            (CellType::Text, b't') => {
                let text = String::from_utf8(self.value()?);
                Cell::Text(Some(text.map_err(|_| BackupError::Altered {
                    what: "a text is not UTF-8",
                })?))
            }
            (CellType::Bytes, b'b') => Cell::Bytes(Some(self.value()?)),
            (CellType::Uuid, b'u') => Cell::Uuid(Some(Uuid::from_bytes(self.array()?))),
            _ => {
                return Err(BackupError::Altered {
                    what: "a value has another type than its column",
                });
            }
        })
    }

    fn value(&mut self) -> Result<Vec<u8>, BackupError> {
        let value_len = u32::from_be_bytes(self.array()?) as usize;
        if value_len > MAX_VALUE {
            return Err(BackupError::Altered {
                what: "a value is longer than any that Rightful writes",
            });
        }
        self.bytes(value_len)
    }

    fn number(&mut self) -> Result<u64, BackupError> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BackupError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn bytes(&mut self, count: usize) -> Result<Vec<u8>, BackupError> {
        let mut bytes = vec![0; count];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), BackupError> {
        read_exactly(&mut self.inner, bytes)?;
        self.seal.update(bytes);
        Ok(())
    }

    /// The end: its mark, the seal, and nothing more.
    fn end(mut self) -> Result<(), BackupError> {
        if self.array()? != *b"Z" {
            return Err(BackupError::Altered {
                what: "the end is not where it should be",
            });
        }
        let Self { mut inner, seal } = self;
        let mut written = [0; 32];
        read_exactly(&mut inner, &mut written)?;
        if seal.finish() != written {
            return Err(BackupError::Altered {
                what: "the seal does not fit",
            });
        }
        match inner.read(&mut [0])? {
            0 => Ok(()),
            _ => Err(BackupError::Altered {
                what: "there are bytes after the end",
            }),
        }
    }
}

fn read_exactly(from: &mut impl Read, bytes: &mut [u8]) -> Result<(), BackupError> {
    from.read_exact(bytes).map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => BackupError::CutOff,
        _ => BackupError::Io(error),
    })
}
