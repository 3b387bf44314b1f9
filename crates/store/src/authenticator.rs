//! Second factors: authenticator apps and recovery codes.

use rightful_core::{AccountNo, Timestamp};

use crate::StoreError;
use crate::adapter::Tx;
use crate::text::{many, statements};

statements! {
    hot: LAST = "SELECT CAST(COALESCE(MAX(authenticator_no), 0) AS BIGINT) FROM authenticator
        WHERE block = $1 AND account_no = $2";
    hot: ADD = "INSERT INTO authenticator (block, account_no, authenticator_no, kind, name, sealed, step, made_at)
        VALUES ($1, $2, $3, 'app', $4, $5, $6, $7)";
    hot: OF_ACCOUNT = "SELECT authenticator_no, name, sealed, step, made_at, used_at FROM authenticator
        WHERE block = $1 AND account_no = $2 AND ended_at IS NULL ORDER BY authenticator_no";
    /// A step is taken once, forward only, by one of however many race for it.
    hot: TAKE_STEP = "UPDATE authenticator SET step = $4, used_at = $5
        WHERE block = $1 AND account_no = $2 AND authenticator_no = $3 AND step < $4 AND ended_at IS NULL";
    /// The secret goes with it.
    hot: END = "UPDATE authenticator SET ended_at = $4, sealed = $5
        WHERE block = $1 AND account_no = $2 AND authenticator_no = $3 AND ended_at IS NULL";
    hot: DROP_CODES = "DELETE FROM recovery_code WHERE block = $1 AND account_no = $2";
    hot: COUNT_CODES = "SELECT COUNT(*) FROM recovery_code WHERE block = $1 AND account_no = $2 AND spent_at IS NULL";
    /// Spends a code. One row for exactly one caller, however many race.
    hot: SPEND_CODE = "UPDATE recovery_code SET spent_at = $4
        WHERE block = $1 AND account_no = $2 AND digest = $3 AND spent_at IS NULL";
}

many! {
    ADD_CODES = "INSERT INTO recovery_code (block, account_no, digest, made_at) VALUES",
        "(?, ?, ?, ?)",
        "";
}

/// An authenticator app.
#[derive(Clone, PartialEq, Eq)]
pub struct App {
    /// Which of the account's, from 1.
    pub authenticator_no: i64,
    /// The name that its owner gave it.
    pub name: String,
    /// Its secret, sealed.
    pub sealed: Vec<u8>,
    /// The last time step of which a code was accepted.
    pub step: i64,
    /// When it was enrolled.
    pub made_at: Timestamp,
    /// When a code of it was accepted last.
    pub used_at: Option<Timestamp>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "App({})", self.authenticator_no)
    }
}

impl Tx {
    /// The number that the next authenticator of an account gets: its secret is sealed for that place.
    pub async fn next_authenticator_no(&mut self, account: AccountNo) -> Result<i64, StoreError> {
        let (last,): (i64,) = self.sql(LAST).bind(account.block()).bind(account.get()).one().await?;
        Ok(last + 1)
    }

    /// Enrols an app of which a code was accepted at its `step`.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when its number was taken meanwhile: ask for the next and seal again.
    pub async fn add_app(&mut self, account: AccountNo, app: &App) -> Result<(), StoreError> {
        self.sessions_changed(account);
        let add = self.sql(ADD).bind(account.block()).bind(account.get());
        let add = add
            .bind(app.authenticator_no)
            .bind(app.name.clone())
            .bind(app.sealed.clone());
        match add.bind(app.step).bind(app.made_at.micros()).run().await {
            Err(StoreError::AlreadyExists) => Err(StoreError::Changed { what: "authenticator" }),
            added => added.map(drop),
        }
    }

    /// The apps that are enrolled, oldest first.
    pub async fn apps(&mut self, account: AccountNo) -> Result<Vec<App>, StoreError> {
        type Row = (i64, String, Vec<u8>, i64, i64, Option<i64>);
        let find = self.sql(OF_ACCOUNT).bind(account.block()).bind(account.get());
        let rows: Vec<Row> = find.all().await?;
        Ok(rows
            .into_iter()
            .map(|(authenticator_no, name, sealed, step, made_at, used_at)| App {
                authenticator_no,
                name,
                sealed,
                step,
                made_at: Timestamp::from_micros(made_at),
                used_at: used_at.map(Timestamp::from_micros),
            })
            .collect())
    }

    /// Takes a time step of an app. True for exactly one caller per step, and only forward (RFC 6238 §5.2).
    pub async fn take_app_step(
        &mut self,
        account: AccountNo,
        authenticator_no: i64,
        step: i64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let take = self.sql(TAKE_STEP).bind(account.block()).bind(account.get());
        let taken = take.bind(authenticator_no).bind(step).bind(now.micros()).run().await?;
        Ok(taken == 1)
    }

    /// Ends an app and forgets its secret. False when it was ended before.
    pub async fn end_app(
        &mut self,
        account: AccountNo,
        authenticator_no: i64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.sessions_changed(account);
        let end = self.sql(END).bind(account.block()).bind(account.get());
        let end = end.bind(authenticator_no).bind(now.micros()).bind(Vec::<u8>::new());
        Ok(end.run().await? == 1)
    }

    /// Replaces the whole set of recovery codes; none leaves the account without. The old ones are dead, also those of a set
    /// that is written at the same time: one whole set is left.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when there is no such account any more.
    pub async fn replace_recovery_codes(
        &mut self,
        account: AccountNo,
        digests: &[[u8; 32]],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if !self.take_turn(account).await? {
            return Err(StoreError::Changed { what: "account" });
        }
        let drop_all = self.sql(DROP_CODES).bind(account.block()).bind(account.get());
        drop_all.run().await?;
        self.insert(&ADD_CODES, digests, |digest, values| {
            values.add(account.block()).add(account.get());
            values.add(digest.to_vec()).add(now.micros());
        })
        .await
        .map(drop)
    }

    /// How many recovery codes are left.
    pub async fn count_recovery_codes(&mut self, account: AccountNo) -> Result<u64, StoreError> {
        let count = self.sql(COUNT_CODES).bind(account.block()).bind(account.get());
        let (count,): (i64,) = count.one().await?;
        Ok(count.unsigned_abs())
    }

    /// Spends a recovery code. True for exactly one caller, however many race.
    pub async fn spend_recovery_code(
        &mut self,
        account: AccountNo,
        digest: [u8; 32],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let spend = self.sql(SPEND_CODE).bind(account.block()).bind(account.get());
        Ok(spend.bind(digest.to_vec()).bind(now.micros()).run().await? == 1)
    }
}
