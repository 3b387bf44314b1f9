//! What can go wrong between a statement and its rows.

use std::path::PathBuf;

/// Why the store could not do what it was asked. A missing row is no error: it is `None`.
///
/// No variant holds the driver's own error: PostgreSQL puts the values of the row into the details of some, and those must
/// reach neither a log nor a page.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A row with this key is there already.
    #[error("a row with this key is there already")]
    AlreadyExists,
    /// The schema forbids this row: a rule that is kept there too, whatever the code above does.
    #[error("the schema forbids it: {message}")]
    Refused {
        /// The engine's words; they name the rule, no value.
        message: String,
    },
    /// Somebody changed the row after it was read. Nothing was written; read it again and decide again.
    #[error("the {what} was changed by somebody else since it was read; try again")]
    Changed {
        /// The noun of the row, for instance `leak`.
        what: &'static str,
    },
    /// Others wrote the same rows at the same time, and still did so after the store had tried several times. Nothing was
    /// written; the same call may be made again.
    #[error("the database is busy with the same rows: {message}")]
    Contention {
        /// The engine's words.
        message: String,
    },
    /// The connection broke while the transaction was being committed: it may have been committed or not. Repeat the call with
    /// the same keys; every write of this crate is guarded so that repeating it has no second effect.
    #[error("the connection broke while committing, so the outcome is unknown; repeat the same call: {message}")]
    OutcomeUnknown {
        /// The driver's words.
        message: String,
    },
    /// The database cannot be reached. Nothing was written.
    #[error("the database cannot be reached: {message}")]
    Unreachable {
        /// The driver's words.
        message: String,
    },
    /// There is no room left on the disk. Nothing was written.
    #[error("the disk of the database is full: {message}")]
    Full {
        /// The engine's words.
        message: String,
    },
    /// A row holds a value that Rightful never writes.
    #[error("a value in table {table}, column {column} is not one that Rightful writes")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// The database was made by a newer Rightful.
    #[error("the database has schema {found}, this Rightful knows {known}; use the newer Rightful")]
    SchemaNewer {
        /// The highest migration in the database.
        found: i64,
        /// The highest migration of this binary.
        known: i64,
    },
    /// The database lacks migrations and was opened without applying them.
    #[error("the database has schema {found}, this Rightful needs {known}; it must be migrated first")]
    SchemaOlder {
        /// The highest migration in the database; 0 for none.
        found: i64,
        /// The highest migration of this binary.
        known: i64,
    },
    /// A migration in the database is not the one of the same number in this binary.
    #[error("migration {version} of the database is not the one that this Rightful has")]
    SchemaAltered {
        /// The number of the migration.
        version: i64,
    },
    /// The database does not tell what it is: the address is of no known form.
    #[error("{what}; give a path to an SQLite file or postgres://user@host/database")]
    Address {
        /// What is wrong with it. Never the address: it may hold a password.
        what: &'static str,
    },
    /// Others on the machine may read or change the data file.
    #[error("{} may be {what} by other users of this machine; run `chmod {wanted} {}`", path.display(), path.display())]
    UnsafeMode {
        /// The file or folder.
        path: PathBuf,
        /// `read` or `changed`.
        what: &'static str,
        /// The mode that it should have, in octal.
        wanted: &'static str,
    },
    /// A file of the store could not be made or read.
    #[error("{} could not be {what}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A mistake in this crate: a statement and its values do not fit.
    #[error("a statement takes {wanted} values but was given {given}: {text}")]
    Misbound {
        /// How many placeholders the text has.
        wanted: usize,
        /// How many values were bound.
        given: usize,
        /// The text of the statement; it holds no values.
        text: String,
    },
    /// Anything else that the engine or its driver says.
    #[error("the database refused: {message}")]
    Backend {
        /// The engine's code, if it gave one.
        code: Option<String>,
        /// The engine's words.
        message: String,
    },
}

impl StoreError {
    /// How often in all a transaction that ended like this may be begun: nothing of it was kept, and it may succeed later.
    pub(crate) const fn attempts(&self) -> u32 {
        match self {
            Self::Contention { .. } => 8,
            // Each may have waited for a connection; nobody is helped by minutes of that.
            Self::Unreachable { .. } => 3,
            _ => 1,
        }
    }

    /// What an error during COMMIT means: when the connection is gone nobody knows.
    pub(crate) fn at_commit(self) -> Self {
        match self {
            Self::Unreachable { message } => Self::OutcomeUnknown { message },
            other => other,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(refusal) => {
                let code = refusal.code().map(|code| code.into_owned());
                from_code(code, refusal.to_string())
            }
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unreachable {
                message: error.to_string(),
            },
            other => Self::Backend {
                code: None,
                message: other.to_string(),
            },
        }
    }
}

/// SQLite's codes are numbers of one to four digits (<https://sqlite.org/rescode.html>), PostgreSQL's have five characters
/// (<https://www.postgresql.org/docs/current/errcodes-appendix.html>), so one table serves both.
fn from_code(code: Option<String>, message: String) -> StoreError {
    match code.as_deref().unwrap_or_default() {
        // SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE; unique_violation.
        "1555" | "2067" | "23505" => StoreError::AlreadyExists,
        // SQLITE_CONSTRAINT_CHECK; check_violation.
        "275" | "23514" => StoreError::Refused { message },
        // SQLITE_BUSY with its kinds, SQLITE_LOCKED; serialization_failure, deadlock_detected, lock_not_available.
        "5" | "261" | "517" | "773" | "6" | "262" | "40001" | "40P01" | "55P03" => StoreError::Contention { message },
        // SQLITE_FULL, SQLITE_IOERR_SHMSIZE (the index of the log could not grow: "may be out of space"); disk_full.
        "13" | "4874" | "53100" => StoreError::Full { message },
        // admin_shutdown, crash_shutdown, cannot_connect_now, too_many_connections; class 08 is connection_exception.
        "57P01" | "57P02" | "57P03" | "53300" => StoreError::Unreachable { message },
        class08 if class08.len() == 5 && class08.starts_with("08") => StoreError::Unreachable { message },
        _ => StoreError::Backend { code, message },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(code: &str) -> &'static str {
        match from_code(Some(code.to_owned()), String::new()) {
            StoreError::AlreadyExists => "exists",
            StoreError::Refused { .. } => "refused",
            StoreError::Contention { .. } => "contention",
            StoreError::Full { .. } => "full",
            StoreError::Unreachable { .. } => "unreachable",
            StoreError::Backend { .. } => "backend",
            _ => "other",
        }
    }

    #[test]
    fn codes_of_both_engines_have_one_meaning() {
        for (code, meaning) in [
            ("1555", "exists"),
            ("2067", "exists"),
            ("23505", "exists"),
            ("275", "refused"),
            ("23514", "refused"),
            ("5", "contention"),
            ("517", "contention"),
            ("40001", "contention"),
            ("40P01", "contention"),
            ("55P03", "contention"),
            ("13", "full"),
            ("53100", "full"),
            ("4874", "full"),
            ("08006", "unreachable"),
            ("57P01", "unreachable"),
            ("787", "backend"),
            ("23503", "backend"),
            ("08", "backend"),
        ] {
            assert_eq!(kind(code), meaning, "{code}");
        }
    }

    #[test]
    fn a_connection_lost_at_commit_leaves_the_outcome_unknown() {
        let lost = StoreError::Unreachable { message: String::new() };
        assert!(matches!(lost.at_commit(), StoreError::OutcomeUnknown { .. }));
        assert!(matches!(
            StoreError::AlreadyExists.at_commit(),
            StoreError::AlreadyExists
        ));
    }
}
