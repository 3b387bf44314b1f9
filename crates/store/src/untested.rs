//! What becomes of a leaked hash that was tried at a sign-in.

use rightful_core::{AccountNo, Grade};

use crate::StoreError;
use crate::adapter::Tx;
use crate::text::statements;

statements! {
    /// The same secret may stand in several leaks.
    hot: REGRADE = "UPDATE exposure SET grade = $4, password_no = $5
        WHERE block = $1 AND account_no = $2 AND secret_tag = $3 AND grade = 'untested'";
    hot: DROP_TRIED = "DELETE FROM untested WHERE block = $1 AND account_no = $2 AND secret_tag = $3";
}

impl Tx {
    /// Drops a leaked hash that was tried, and gives its exposures the grade that came out, against the password version that
    /// it was tried with. False for whoever comes second, or after a new password: nothing was left to do.
    pub async fn settle_untested(
        &mut self,
        account: AccountNo,
        secret_tag: &[u8],
        grade: Grade,
        password_no: Option<i64>,
    ) -> Result<bool, StoreError> {
        let regrade = self.sql(REGRADE).bind(account.block()).bind(account.get());
        let regrade = regrade.bind(secret_tag.to_vec()).bind(grade.word()).bind(password_no);
        regrade.run().await?;
        let tried = self.sql(DROP_TRIED).bind(account.block()).bind(account.get());
        Ok(tried.bind(secret_tag.to_vec()).run().await? == 1)
    }
}
