//! The schema and how it changes: forward only, one transaction per file.

use rightful_core::Timestamp;
use sha2::{Digest, Sha256};

use crate::adapter::Tx;
use crate::text::statements;
use crate::{Store, StoreError};

/// One change of the schema.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Its number, from 1 without holes.
    pub version: i64,
    /// Its name, as in the name of its file.
    pub name: &'static str,
    /// The text as PostgreSQL reads it.
    pub text: &'static str,
}

/// Every migration, in order.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "accounts",
        text: include_str!("../migrations/0001_accounts.sql"),
    },
    Migration {
        version: 2,
        name: "sign_in",
        text: include_str!("../migrations/0002_sign_in.sql"),
    },
    Migration {
        version: 3,
        name: "containment",
        text: include_str!("../migrations/0003_containment.sql"),
    },
    Migration {
        version: 4,
        name: "password_length",
        text: include_str!("../migrations/0004_password_length.sql"),
    },
];

/// The table that says which migrations were applied; the only one that is not made by one.
const BOOKKEEPING: &str = "CREATE TABLE IF NOT EXISTS schema_migration (
  version     BIGINT NOT NULL PRIMARY KEY,
  name        TEXT   NOT NULL,
  checksum    TEXT   NOT NULL,
  applied_at  BIGINT NOT NULL
) /*strict, clustered*/;";

statements! {
    // The engines list their tables in different places; these two are the same question.
    : HAS_BOOKKEEPING_SQLITE = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migration'";
    : HAS_BOOKKEEPING_POSTGRES = "SELECT CAST(1 AS BIGINT) FROM pg_catalog.pg_class
         WHERE relname = 'schema_migration' AND relkind = 'r' AND pg_catalog.pg_table_is_visible(oid)";
    : APPLIED = "SELECT version, checksum FROM schema_migration ORDER BY version";
    : RECORD = "INSERT INTO schema_migration (version, name, checksum, applied_at) VALUES ($1, $2, $3, $4)
                ON CONFLICT (version) DO NOTHING";
}

impl Migration {
    fn checksum(&self) -> String {
        let digest = Sha256::digest(self.text.as_bytes());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The highest migration that this binary knows.
pub(crate) fn newest() -> i64 {
    MIGRATIONS.last().map_or(0, |last| last.version)
}

/// The view of a schema text for an engine. Only types and what follows a table differ.
fn for_engine(text: &str, postgres: bool) -> String {
    if postgres {
        return text.to_owned();
    }
    // Strict tables refuse values of another type, as PostgreSQL does; clustered ones keep the rows in the order of the key.
    [
        ("BIGINT", "INTEGER"),
        ("BYTEA", "BLOB"),
        ("UUID", "BLOB"),
        ("/*strict, clustered*/", "STRICT, WITHOUT ROWID"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (ours, theirs)| text.replace(ours, theirs))
}

impl Store {
    /// Applies what is missing, one transaction each. Two nodes may do this at once: whoever records a migration first
    /// applies it, the other waits for that and goes on with the next.
    ///
    /// # Errors
    /// [`StoreError::SchemaNewer`] and [`StoreError::SchemaAltered`] without touching anything.
    pub async fn migrate(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut applied = self.applied().await?;
        if applied == 0 {
            self.write(async move |tx| tx.make_bookkeeping().await).await?;
        }
        while applied < newest() {
            let next = MIGRATIONS[usize::try_from(applied).unwrap_or(0)];
            self.write(async move |tx| tx.apply(next, now).await).await?;
            applied = self.applied().await?;
        }
        Ok(())
    }

    /// Checks that the schema is the one of this binary.
    pub(crate) async fn check_schema(&self) -> Result<(), StoreError> {
        match self.applied().await? {
            found if found < newest() => Err(StoreError::SchemaOlder { found, known: newest() }),
            _ => Ok(()),
        }
    }

    /// The highest migration that was applied; 0 for none. Refuses a schema that this binary does not know.
    async fn applied(&self) -> Result<i64, StoreError> {
        let rows = self.read(async move |tx| tx.applied_migrations().await).await?;
        let found = rows.last().map_or(0, |(version, _)| *version);
        if found > newest() {
            return Err(StoreError::SchemaNewer { found, known: newest() });
        }
        for ((version, checksum), ours) in rows.iter().zip(MIGRATIONS) {
            if *version != ours.version || *checksum != ours.checksum() {
                return Err(StoreError::SchemaAltered { version: *version });
            }
        }
        Ok(found)
    }
}

/// Whether somebody else made the same table at the same moment. PostgreSQL says so in three ways, by how far the other is: a
/// duplicate in its catalogue (unique_violation), the table's row type (duplicate_object), the table (duplicate_table).
fn is_duplicate(error: &StoreError) -> bool {
    match error {
        StoreError::AlreadyExists => true,
        StoreError::Backend { code: Some(code), .. } => ["42710", "42P07"].contains(&code.as_str()),
        _ => false,
    }
}

impl Tx {
    /// Number and checksum of each migration in the database.
    async fn applied_migrations(&mut self) -> Result<Vec<(i64, String)>, StoreError> {
        let question = if self.is_postgres() {
            HAS_BOOKKEEPING_POSTGRES
        } else {
            HAS_BOOKKEEPING_SQLITE
        };
        match self.sql(question).opt::<(i64,)>().await? {
            None => Ok(Vec::new()),
            Some(_) => self.sql(APPLIED).all().await,
        }
    }

    async fn make_bookkeeping(&mut self) -> Result<(), StoreError> {
        let text = for_engine(BOOKKEEPING, self.is_postgres());
        match self.script(&text).await {
            Err(error) if is_duplicate(&error) => Err(StoreError::Contention {
                message: "schema_migration is being made".into(),
            }),
            done => done,
        }
    }

    /// Records the migration, then applies it. The record comes first because its key makes a second node wait until this
    /// transaction has ended, and then tells it to leave the migration alone.
    async fn apply(&mut self, migration: Migration, now: Timestamp) -> Result<(), StoreError> {
        let record = self
            .sql(RECORD)
            .bind(migration.version)
            .bind(migration.name)
            .bind(migration.checksum());
        if record.bind(now.micros()).run().await? == 0 {
            return Ok(());
        }
        let text = for_engine(migration.text, self.is_postgres());
        self.script(&text).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_numbered_without_holes_and_every_file_is_listed() {
        let listed: Vec<String> = MIGRATIONS
            .iter()
            .map(|migration| format!("{:04}_{}.sql", migration.version, migration.name))
            .collect();
        assert!(
            MIGRATIONS
                .iter()
                .zip(1..)
                .all(|(migration, number)| migration.version == number)
        );
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .expect("the folder of migrations")
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .into_string()
                    .expect("a name in ASCII")
            })
            .collect();
        files.sort();
        assert_eq!(files, listed);
    }

    #[test]
    fn a_table_that_another_node_is_making_is_waited_for() {
        let backend = |code: &str| StoreError::Backend {
            code: Some(code.to_owned()),
            message: String::new(),
        };
        assert!(
            is_duplicate(&StoreError::AlreadyExists)
                && is_duplicate(&backend("42710"))
                && is_duplicate(&backend("42P07"))
        );
        assert!(!is_duplicate(&backend("42601")));
    }

    #[test]
    fn the_view_for_sqlite_has_no_type_of_postgresql_left() {
        for migration in MIGRATIONS {
            let code: String = for_engine(migration.text, false)
                .lines()
                .filter(|line| !line.starts_with("--"))
                .collect::<Vec<_>>()
                .join("\n");
            for word in ["BIGINT", "BYTEA", "UUID", "/*"] {
                assert!(!code.contains(word), "{word} in {}", migration.name);
            }
        }
    }
}
