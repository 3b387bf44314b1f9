//! Budgets of attempts: one number each, spent in one statement.
//!
//! The number is the theoretical arrival time of the generic cell rate algorithm (ITU-T I.371): the moment at which the budget
//! is full again. Spending moves it by the time that one attempt takes to come back, and is refused where that would be
//! further ahead than the budget is large. The rule itself is `rightful_core::budget`.

use rightful_core::Timestamp;

use crate::StoreError;
use crate::adapter::Tx;
use crate::text::statements;

statements! {
    hot: SPEND = "INSERT INTO budget (home, subject, scope, full_at) VALUES ($1, $2, $3, CAST($4 AS BIGINT) + $5)
        ON CONFLICT (home, subject, scope) DO UPDATE
        SET full_at = (CASE WHEN budget.full_at > $4 THEN budget.full_at ELSE $4 END) + $5
        WHERE (CASE WHEN budget.full_at > $4 THEN budget.full_at ELSE $4 END) + $5 <= $6
        RETURNING full_at";
    /// A number further ahead than any spending puts it comes from a clock that went back since: it is cut to what it may be.
    hot: SETTLE = "UPDATE budget SET full_at = $4 WHERE home = $1 AND subject = $2 AND scope = $3 AND full_at > $4";
    hot: FIND = "SELECT full_at FROM budget WHERE home = $1 AND subject = $2 AND scope = $3";
    hot: GIVE_BACK = "UPDATE budget SET full_at = full_at - $4 WHERE home = $1 AND subject = $2 AND scope = $3";
    hot: DROP_FULL = "DELETE FROM budget WHERE home = $1 AND full_at < $2";
}

/// Which budget: whose attempts, with what.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BudgetKey {
    /// The account's block; what a name that nobody has, or a range of addresses, is spread by.
    pub home: i64,
    /// The account's number, or a number made from the name or range.
    pub subject: i64,
    /// What is tried: `password`, `app`, `password@<browser>`, ….
    pub scope: String,
}

/// How large a budget is and how fast it comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetSize {
    /// Attempts at once, at least 1.
    pub burst: i64,
    /// Microseconds until one attempt has come back.
    pub every: i64,
}

impl Tx {
    /// Spends one attempt. `None` when it was there; else the moment at which the next one is.
    pub async fn spend_budget(
        &mut self,
        key: &BudgetKey,
        size: BudgetSize,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let now = now.micros();
        let ahead = size.burst.saturating_mul(size.every);
        let spend = self.sql(SPEND).bind(key.home).bind(key.subject).bind(key.scope.clone());
        let spend = spend.bind(now).bind(size.every).bind(now.saturating_add(ahead));
        if spend.opt::<(i64,)>().await?.is_some() {
            return Ok(None);
        }
        self.settle_budget(key, size, Timestamp::from_micros(now)).await?;
        let find = self.sql(FIND).bind(key.home).bind(key.subject).bind(key.scope.clone());
        let full_at = find.opt::<(i64,)>().await?.map_or(now, |(full_at,)| full_at);
        Ok(Some(Timestamp::from_micros(full_at + size.every - ahead)))
    }

    /// Cuts a budget that lies further ahead than any spending could put it: the clock went back since.
    pub async fn settle_budget(&mut self, key: &BudgetKey, size: BudgetSize, now: Timestamp) -> Result<(), StoreError> {
        let ahead = size.burst.saturating_mul(size.every);
        let settle = self
            .sql(SETTLE)
            .bind(key.home)
            .bind(key.subject)
            .bind(key.scope.clone());
        settle.bind(now.micros().saturating_add(ahead)).run().await.map(drop)
    }

    /// Gives one attempt back: it was right.
    pub async fn give_back_budget(&mut self, key: &BudgetKey, size: BudgetSize) -> Result<(), StoreError> {
        let give = self
            .sql(GIVE_BACK)
            .bind(key.home)
            .bind(key.subject)
            .bind(key.scope.clone());
        give.bind(size.every).run().await.map(drop)
    }

    /// Drops the budgets of a home that were full again before `before`: they say nothing. How many.
    pub async fn drop_full_budgets(&mut self, home: i64, before: Timestamp) -> Result<u64, StoreError> {
        self.sql(DROP_FULL).bind(home).bind(before.micros()).run().await
    }
}
