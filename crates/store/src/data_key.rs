//! Data keys: random keys that seal columns, themselves wrapped under the key file's key.

use rightful_core::Timestamp;

use crate::StoreError;
use crate::adapter::Tx;
use crate::text::statements;

statements! {
    : OF_PURPOSE = "SELECT purpose, key_no, wrapped, kek_id, made_at FROM data_key WHERE purpose = $1 ORDER BY key_no";
    : ADD = "INSERT INTO data_key (purpose, key_no, wrapped, kek_id, made_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (purpose, key_no) DO NOTHING";
}

/// A wrapped data key.
#[derive(Clone, PartialEq, Eq)]
pub struct DataKey {
    /// What it seals.
    pub purpose: String,
    /// Which of its purpose, from 1.
    pub key_no: i64,
    /// The key, encrypted under the key file's key.
    pub wrapped: Vec<u8>,
    /// Which key of the key file wraps it.
    pub kek_id: String,
    /// When it was made.
    pub made_at: Timestamp,
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DataKey({} {})", self.purpose, self.key_no)
    }
}

impl Tx {
    /// The keys of a purpose, oldest first.
    pub async fn data_keys(&mut self, purpose: &str) -> Result<Vec<DataKey>, StoreError> {
        let rows: Vec<(String, i64, Vec<u8>, String, i64)> =
            self.sql(OF_PURPOSE).bind(purpose.to_owned()).all().await?;
        Ok(rows
            .into_iter()
            .map(|(purpose, key_no, wrapped, kek_id, made_at)| DataKey {
                purpose,
                key_no,
                wrapped,
                kek_id,
                made_at: Timestamp::from_micros(made_at),
            })
            .collect())
    }

    /// Adds a key unless its purpose and number are taken: of several nodes that start at once, the first wins. Returns
    /// whether it was this one; if not, read again and use theirs.
    pub async fn add_data_key(&mut self, key: &DataKey) -> Result<bool, StoreError> {
        let add = self
            .sql(ADD)
            .bind(key.purpose.clone())
            .bind(key.key_no)
            .bind(key.wrapped.clone());
        Ok(add.bind(key.kek_id.clone()).bind(key.made_at.micros()).run().await? == 1)
    }
}
