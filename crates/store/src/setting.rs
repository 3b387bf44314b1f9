//! Settings of the site, among them its mark.

use crate::StoreError;
use crate::adapter::Tx;
use crate::text::statements;

statements! {
    : FIND = "SELECT body, version FROM setting WHERE name = $1";
    : ADD = "INSERT INTO setting (name, body, version) VALUES ($1, $2, 1) ON CONFLICT (name) DO NOTHING";
    : REPLACE = "UPDATE setting SET body = $2, version = version + 1 WHERE name = $1 AND version = $3";
    /// One statement, so that of many who raise it each does.
    : RAISE = "INSERT INTO setting (name, body, version) VALUES ($1, $2, 1)
               ON CONFLICT (name) DO UPDATE SET body = CAST(CAST(setting.body AS BIGINT) + $3 AS TEXT),
               version = setting.version + 1 RETURNING body";
}

/// A setting as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its text; usually JSON.
    pub body: String,
    /// Rises with every change; 0 where there is no row yet.
    pub version: i64,
}

const MARK: &str = "mark";
const FLOOR: &str = "mark.floor";

impl Tx {
    /// A setting by its name.
    pub async fn setting(&mut self, name: &str) -> Result<Option<Setting>, StoreError> {
        let row: Option<(String, i64)> = self.sql(FIND).bind(name.to_owned()).opt().await?;
        Ok(row.map(|(body, version)| Setting { body, version }))
    }

    /// Writes a setting that was read at `seen` (0: it was not there).
    ///
    /// # Errors
    /// [`StoreError::Changed`] when somebody wrote it since.
    pub async fn put_setting(&mut self, name: &str, body: &str, seen: i64) -> Result<(), StoreError> {
        let written = match seen {
            0 => self.sql(ADD).bind(name.to_owned()).bind(body.to_owned()).run().await?,
            _ => {
                self.sql(REPLACE)
                    .bind(name.to_owned())
                    .bind(body.to_owned())
                    .bind(seen)
                    .run()
                    .await?
            }
        };
        if written == 1 {
            Ok(())
        } else {
            Err(StoreError::Changed { what: "setting" })
        }
    }

    /// The site's mark: whatever was proved under a lower one is dead for the accounts of a wave.
    pub async fn mark(&mut self) -> Result<i64, StoreError> {
        match self.setting(MARK).await? {
            None => Ok(0),
            Some(setting) => read_mark(&setting.body),
        }
    }

    /// The mark under which everything is dead, for every account.
    pub async fn mark_floor(&mut self) -> Result<i64, StoreError> {
        match self.setting(FLOOR).await? {
            None => Ok(0),
            Some(setting) => read_mark(&setting.body),
        }
    }

    /// Raises the mark by `by` and puts the floor there: whatever was proved before is dead. After a restore.
    pub async fn raise_mark_floor(&mut self, by: i64) -> Result<i64, StoreError> {
        self.all_sessions_changed();
        let mark = self.raise_mark(by).await?;
        let seen = self.setting(FLOOR).await?.map_or(0, |setting| setting.version);
        self.put_setting(FLOOR, &mark.to_string(), seen).await?;
        Ok(mark)
    }

    /// Raises the mark by `by` and returns the new one. At a wave by one, after a restore by a jump.
    pub async fn raise_mark(&mut self, by: i64) -> Result<i64, StoreError> {
        let (body,): (String,) = self.sql(RAISE).bind(MARK).bind(by.to_string()).bind(by).one().await?;
        read_mark(&body)
    }
}

fn read_mark(body: &str) -> Result<i64, StoreError> {
    body.parse().map_err(|_| StoreError::Corrupt {
        table: "setting",
        column: "body",
    })
}
