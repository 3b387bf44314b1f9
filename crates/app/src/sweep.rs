//! Tidying up, block by block: rows whose time is over, accounts whose deletion is due, decoys.

use crate::app::{App, Fault};
use crate::budgets::homes_without_accounts;
use crate::decoy::{HOMES_OF_NOBODY, sweep_before};
use crate::leaks::drop_expired_in;
use crate::notices::KEPT_FOR;

/// How long a budget must have been full before its row says nothing any more. Longer than any clock is put back.
const FULL_FOR: i64 = 24 * 60 * 60;

impl App {
    /// Whether the site can do its work now.
    ///
    /// # Errors
    /// What the database says.
    pub async fn is_ready(&self) -> Result<(), Fault> {
        self.site.store.read(async move |tx| tx.mark().await.map(drop)).await?;
        Ok(())
    }

    /// Sweeps all blocks once, and draws the decoys anew. Ends early when told to.
    ///
    /// # Errors
    /// What the database says; what was swept stays swept.
    pub async fn sweep(&self, stopped: impl Fn() -> bool) -> Result<(), Fault> {
        let now = self.now();
        let blocks = self.site.store.read(async move |tx| tx.blocks().await).await?;
        for block in 0..blocks.max(HOMES_OF_NOBODY) {
            if stopped() {
                return Ok(());
            }
            self.erase_due(block).await?;
            self.site
                .store
                .write(async move |tx| {
                    tx.drop_expired_flows(block, sweep_before(now)).await?;
                    tx.drop_full_budgets(block, now.plus_seconds(-FULL_FOR)).await?;
                    tx.drop_old_notices(block, now.plus_seconds(-KEPT_FOR)).await
                })
                .await?;
            drop_expired_in(&self.site, block, now).await?;
        }
        let homes: Vec<i64> = homes_without_accounts().collect();
        self.site
            .store
            .write(async move |tx| {
                for home in &homes {
                    tx.drop_full_budgets(*home, now.plus_seconds(-FULL_FOR)).await?;
                }
                Ok(())
            })
            .await?;
        self.draw_decoys().await
    }
}
