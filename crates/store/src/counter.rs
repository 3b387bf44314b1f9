//! Numbers: taken from a row, never from a sequence, so that they stay dense on every engine.

use std::ops::Range;

use rightful_core::account::BLOCK_LEN;

use crate::StoreError;
use crate::adapter::Tx;
use crate::text::statements;

statements! {
    /// Adds to a counter, which begins at `$2`, and gives its new value.
    : TAKE = "INSERT INTO counter (name, next) VALUES ($1, CAST($2 AS BIGINT) + $3)
              ON CONFLICT (name) DO UPDATE SET next = counter.next + $3 RETURNING next";
    : PEEK = "SELECT next FROM counter WHERE name = $1";
}

impl Tx {
    /// The next number of a control table, from 1 upwards.
    pub(crate) async fn next_number(&mut self, counter: &'static str) -> Result<i64, StoreError> {
        self.take(counter, 1, 1).await.map(|taken| taken.start)
    }

    /// Takes a block of account numbers: nobody else gets any of them. Numbers that are not used are lost, which does no harm.
    pub async fn take_account_block(&mut self) -> Result<Range<i64>, StoreError> {
        let block = self.take("account", 0, BLOCK_LEN).await?;
        // Number 0 is never an account, so that it can mean "none" where a number is shown.
        Ok(block.start.max(1)..block.end)
    }

    /// How many blocks have been handed out: accounts lie in the blocks below this number.
    pub async fn blocks(&mut self) -> Result<i64, StoreError> {
        let next: Option<(i64,)> = self.sql(PEEK).bind("account").opt().await?;
        Ok(next.map_or(0, |(next,)| (next + BLOCK_LEN - 1) / BLOCK_LEN))
    }

    async fn take(&mut self, counter: &'static str, first: i64, count: i64) -> Result<Range<i64>, StoreError> {
        let (next,): (i64,) = self.sql(TAKE).bind(counter).bind(first).bind(count).one().await?;
        Ok(next - count..next)
    }
}
