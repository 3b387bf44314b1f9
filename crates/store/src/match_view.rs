//! What the matcher needs to know of an account before it tests a leaked secret.

use std::collections::HashMap;

use rightful_core::AccountNo;

use crate::StoreError;
use crate::account::{Account, Name};
use crate::adapter::Tx;
use crate::password::StoredPassword;

/// An account as the matcher sees it.
#[derive(Clone, Debug)]
pub struct MatchView {
    /// Its own row.
    pub account: Account,
    /// Its names, the first first.
    pub names: Vec<Name>,
    /// Its current and former passwords, by version.
    pub passwords: Vec<StoredPassword>,
    /// The keyed digests of hashes that it had before.
    pub replaced: Vec<Vec<u8>>,
}

impl Tx {
    /// Many accounts as the matcher sees them, in the order of their numbers; those that do not exist are left out. Four
    /// statements for up to 32 accounts of a block.
    pub async fn match_views(&mut self, numbers: &[AccountNo]) -> Result<Vec<MatchView>, StoreError> {
        let accounts = self.accounts(numbers).await?;
        let mut names = grouped(self.names(numbers).await?, |name| name.account);
        let mut passwords = grouped(self.passwords(numbers).await?, |password| password.account);
        let mut replaced = grouped(self.replaced_digests(numbers).await?, |(account, _)| *account);
        Ok(accounts
            .into_iter()
            .map(|account| MatchView {
                names: names.remove(&account.no).unwrap_or_default(),
                passwords: passwords.remove(&account.no).unwrap_or_default(),
                replaced: replaced
                    .remove(&account.no)
                    .unwrap_or_default()
                    .into_iter()
                    .map(|(_, digest)| digest)
                    .collect(),
                account,
            })
            .collect())
    }
}

/// The rows of each account, in the order in which they came.
fn grouped<T>(rows: Vec<T>, account: impl Fn(&T) -> AccountNo) -> HashMap<AccountNo, Vec<T>> {
    let mut groups: HashMap<AccountNo, Vec<T>> = HashMap::new();
    for row in rows {
        groups.entry(account(&row)).or_default().push(row);
    }
    groups
}
