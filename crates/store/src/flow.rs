//! Stored conversations. A flow may begin before its account is known; the use case gives it a new row, in the account's
//! block, when it is.

use rightful_core::assurance::{Born, Proofs};
use rightful_core::flow::Purpose;
use rightful_core::{AccountNo, Timestamp};

use crate::StoreError;
use crate::adapter::Tx;
use crate::text::statements;

statements! {
    hot: BEGIN = "INSERT INTO flow (home, token_hash, purpose, account_no, epoch, mark, methods, body, version, made_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $10)";
    hot: FIND = "SELECT purpose, account_no, epoch, mark, methods, body, version, made_at, expires_at FROM flow
        WHERE home = $1 AND token_hash = $2 AND spent_at IS NULL AND expires_at > $3";
    /// Writes what changed, under a new token where there is one. One row for exactly one of those who saw this version.
    hot: ADVANCE = "UPDATE flow SET methods = $4, body = $5, version = version + 1, token_hash = $6
        WHERE home = $1 AND token_hash = $2 AND version = $3 AND spent_at IS NULL";
    /// One row for exactly one caller, however many race.
    hot: SPEND = "UPDATE flow SET spent_at = $4 WHERE home = $1 AND token_hash = $2 AND version = $3 AND spent_at IS NULL";
    /// Ends the conversations of one purpose with an account: a newer request kills the older.
    hot: END_OF_PURPOSE = "UPDATE flow SET spent_at = $4
        WHERE home = $1 AND account_no = $2 AND purpose = $3 AND spent_at IS NULL";
    hot: DROP_EXPIRED = "DELETE FROM flow WHERE home = $1 AND expires_at < $2";
}

/// A conversation about to begin.
#[derive(Clone, Debug)]
pub struct NewFlow {
    /// The account's block, or one drawn for it while none is known.
    pub home: i64,
    /// The SHA-256 of its token.
    pub token_hash: [u8; 32],
    /// What it is for.
    pub purpose: Purpose,
    /// Whose account, when that is known.
    pub account: Option<AccountNo>,
    /// The epoch and mark from before its first proof.
    pub born: Born,
    /// What is proved already.
    pub proofs: Proofs,
    /// What the use case remembers, as JSON. No secret: codes are in it as keyed digests.
    pub body: String,
    /// When it begins.
    pub made_at: Timestamp,
    /// When its time is over.
    pub expires_at: Timestamp,
}

/// A conversation as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Where its row lies.
    pub home: i64,
    /// The SHA-256 of its token.
    pub token_hash: [u8; 32],
    /// What it is for.
    pub purpose: Purpose,
    /// Whose account.
    pub account: Option<AccountNo>,
    /// The epoch and mark that it carries.
    pub born: Born,
    /// What is proved.
    pub proofs: Proofs,
    /// What the use case remembers.
    pub body: String,
    /// Rises with every write; a writer that saw an older one decides again.
    pub version: i64,
    /// When it began.
    pub made_at: Timestamp,
    /// When its time is over.
    pub expires_at: Timestamp,
}

impl Tx {
    /// Begins a conversation. Of those with one account, other than sign-ins, one of each purpose lives at a time: end the
    /// older ones first, in the same transaction ([`Tx::end_flows`]).
    ///
    /// # Errors
    /// [`StoreError::Contention`] when another began meanwhile: the whole transaction decides again, and kills that one.
    pub async fn begin_flow(&mut self, new: &NewFlow) -> Result<(), StoreError> {
        let begin = self.sql(BEGIN).bind(new.home).bind(new.token_hash.to_vec());
        let begin = begin
            .bind(new.purpose.word())
            .bind(new.account.map(AccountNo::get))
            .bind(new.born.epoch)
            .bind(new.born.mark);
        let begin = begin.bind(new.proofs.words()).bind(new.body.clone());
        let begin = begin.bind(new.made_at.micros()).bind(new.expires_at.micros());
        match begin.run().await {
            Err(StoreError::AlreadyExists) => Err(StoreError::Contention {
                message: "two conversations of one purpose were begun with one account".to_owned(),
            }),
            begun => begun.map(drop),
        }
    }

    /// The conversation of a token, unless it is spent or its time is over.
    pub async fn flow(&mut self, home: i64, token_hash: [u8; 32], now: Timestamp) -> Result<Option<Flow>, StoreError> {
        type Row = (String, Option<i64>, i64, i64, String, String, i64, i64, i64);
        let find = self.sql(FIND).bind(home).bind(token_hash.to_vec());
        let Some(row): Option<Row> = find.bind(now.micros()).opt().await? else {
            return Ok(None);
        };
        let (purpose, account_no, epoch, mark, methods, body, version, made_at, expires_at) = row;
        let corrupt = |column| StoreError::Corrupt { table: "flow", column };
        Ok(Some(Flow {
            home,
            token_hash,
            purpose: Purpose::from_word(&purpose).ok_or(corrupt("purpose"))?,
            account: account_no.map(AccountNo::new),
            born: Born { epoch, mark },
            proofs: Proofs::from_words(&methods).ok_or(corrupt("methods"))?,
            body,
            version,
            made_at: Timestamp::from_micros(made_at),
            expires_at: Timestamp::from_micros(expires_at),
        }))
    }

    /// Writes proofs and body of a conversation as it was seen, under a new token (or the same). False when somebody wrote or
    /// spent it since.
    pub async fn advance_flow(&mut self, seen: &Flow, token_hash: [u8; 32]) -> Result<bool, StoreError> {
        let advance = self.sql(ADVANCE).bind(seen.home).bind(seen.token_hash.to_vec());
        let advance = advance.bind(seen.version).bind(seen.proofs.words());
        let advance = advance.bind(seen.body.clone()).bind(token_hash.to_vec());
        Ok(advance.run().await? == 1)
    }

    /// Spends a conversation as it was seen. True for exactly one caller, however many race.
    pub async fn spend_flow(&mut self, seen: &Flow, now: Timestamp) -> Result<bool, StoreError> {
        let spend = self.sql(SPEND).bind(seen.home).bind(seen.token_hash.to_vec());
        Ok(spend.bind(seen.version).bind(now.micros()).run().await? == 1)
    }

    /// Ends all conversations of one purpose with an account. How many.
    pub async fn end_flows(&mut self, account: AccountNo, purpose: Purpose, now: Timestamp) -> Result<u64, StoreError> {
        let end = self.sql(END_OF_PURPOSE).bind(account.block()).bind(account.get());
        end.bind(purpose.word()).bind(now.micros()).run().await
    }

    /// Drops the conversations of a home whose time was over before `before`. How many.
    pub async fn drop_expired_flows(&mut self, home: i64, before: Timestamp) -> Result<u64, StoreError> {
        self.sql(DROP_EXPIRED).bind(home).bind(before.micros()).run().await
    }
}
