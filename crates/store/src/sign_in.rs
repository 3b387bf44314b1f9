//! The record of sign-ins: what was proved, from where, and what was refused why.

use rightful_core::assurance::Proofs;
use rightful_core::{AccountNo, Timestamp};
use uuid::Uuid;

use crate::StoreError;
use crate::adapter::Tx;
use crate::text::statements;

statements! {
    hot: RECORD = "INSERT INTO sign_in (block, account_no, at, sign_in_id, outcome, why, methods, address, agent, place, known,
        browser_id) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12
        WHERE EXISTS (SELECT 1 FROM account WHERE block = $1 AND account_no = $2)";
    hot: OF_ACCOUNT = "SELECT at, outcome, why, methods, address, agent, place, known FROM sign_in
        WHERE block = $1 AND account_no = $2 AND at >= $3 ORDER BY at DESC LIMIT $4";
    hot: LAST_OPEN = "SELECT CAST(COALESCE(MAX(at), 0) AS BIGINT) FROM sign_in
        WHERE block = $1 AND account_no = $2 AND outcome = 'open' AND at < $3";
    /// When each account of a block was used last, and whether somebody came in since a moment on a browser not seen before.
    hot: USE_IN_BLOCK = "SELECT account_no, CAST(MAX(at) AS BIGINT),
        CAST(MAX(CASE WHEN known = 0 AND at >= $2 THEN 1 ELSE 0 END) AS BIGINT) FROM sign_in
        WHERE block = $1 AND outcome = 'open' GROUP BY account_no";
    hot: DROP_OLD = "DELETE FROM sign_in WHERE block = $1 AND account_no = $2 AND at < $3";
}

/// One sign-in, or an attempt that its budget let through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInRecord {
    /// When.
    pub at: Timestamp,
    /// Whether it opened a session.
    pub opened: bool,
    /// Why not, as a stable word; empty when it opened.
    pub why: String,
    /// What was proved.
    pub proofs: Proofs,
    /// From which address.
    pub address: String,
    /// With which browser or program.
    pub agent: String,
    /// Where that address is, coarsely; empty where it is not known.
    pub place: String,
    /// Whether the browser was recognised.
    pub known: bool,
}

impl Tx {
    /// When each account of a block was used last, and whether somebody signed in since a moment from a browser not seen before.
    pub async fn use_in_block(
        &mut self,
        block: i64,
        since: Timestamp,
    ) -> Result<Vec<(AccountNo, Timestamp, bool)>, StoreError> {
        let rows: Vec<(i64, i64, i64)> = self.sql(USE_IN_BLOCK).bind(block).bind(since.micros()).all().await?;
        Ok(rows
            .into_iter()
            .map(|(no, at, strange)| (AccountNo::new(no), Timestamp::from_micros(at), strange == 1))
            .collect())
    }

    /// Records a sign-in. Of a name that nobody has, by the number that stands for it, nothing is kept; the same statement is run.
    pub async fn record_sign_in(
        &mut self,
        account: AccountNo,
        id: Uuid,
        browser_id: Option<Uuid>,
        record: &SignInRecord,
    ) -> Result<(), StoreError> {
        let outcome = if record.opened { "open" } else { "refused" };
        let new = self.sql(RECORD).bind(account.block()).bind(account.get());
        let new = new.bind(record.at.micros()).bind(id).bind(outcome);
        let new = new.bind(record.why.clone()).bind(record.proofs.words());
        let new = new
            .bind(record.address.clone())
            .bind(record.agent.clone())
            .bind(record.place.clone());
        new.bind(i64::from(record.known)).bind(browser_id).run().await.map(drop)
    }

    /// The sign-ins of an account since a moment, newest first, at most `limit`.
    pub async fn sign_ins(
        &mut self,
        account: AccountNo,
        since: Timestamp,
        limit: i64,
    ) -> Result<Vec<SignInRecord>, StoreError> {
        type Row = (i64, String, String, String, String, String, String, i64);
        let find = self.sql(OF_ACCOUNT).bind(account.block()).bind(account.get());
        let rows: Vec<Row> = find.bind(since.micros()).bind(limit).all().await?;
        rows.into_iter()
            .map(|(at, outcome, why, methods, address, agent, place, known)| {
                Ok(SignInRecord {
                    at: Timestamp::from_micros(at),
                    opened: outcome == "open",
                    why,
                    proofs: Proofs::from_words(&methods).ok_or(StoreError::Corrupt {
                        table: "sign_in",
                        column: "methods",
                    })?,
                    address,
                    agent,
                    place,
                    known: known == 1,
                })
            })
            .collect()
    }

    /// When an account was last signed in to before a moment; `None` for never.
    pub async fn last_sign_in(
        &mut self,
        account: AccountNo,
        before: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let find = self.sql(LAST_OPEN).bind(account.block()).bind(account.get());
        let (at,): (i64,) = find.bind(before.micros()).one().await?;
        Ok((at != 0).then(|| Timestamp::from_micros(at)))
    }

    /// Drops the records of an account from before a moment. How many.
    pub async fn drop_old_sign_ins(&mut self, account: AccountNo, before: Timestamp) -> Result<u64, StoreError> {
        let old = self.sql(DROP_OLD).bind(account.block()).bind(account.get());
        old.bind(before.micros()).run().await
    }
}
