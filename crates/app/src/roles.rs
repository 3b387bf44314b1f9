//! Who may act for the site: an administrator gives roles and takes them.

use rightful_core::audit::AuditSubject;
use rightful_core::role::Role;

use crate::accounts::find_account;
use crate::app::{App, Fault};
use crate::officer::Officer;
use crate::sign_up::NO_ROLE;

/// How giving a role came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleGiven {
    /// It is given; whoever was signed in to the account signs in again.
    Done,
    /// There is no such account.
    Unknown,
    /// Nobody changes his own role: so an administrator is always left.
    Own,
}

impl App {
    /// Gives an account a role, or takes the one it has (`None`). The account is named by its id or any of its names.
    ///
    /// # Errors
    /// What the database says.
    pub async fn give_role(&self, officer: &Officer, account: &str, role: Option<Role>) -> Result<RoleGiven, Fault> {
        let Some(account) = find_account(&self.site, account, None).await? else {
            return Ok(RoleGiven::Unknown);
        };
        if account == officer.account() {
            return Ok(RoleGiven::Own);
        }
        let now = self.now();
        let entry = officer.entry(
            AuditSubject::Account(account),
            "role.given",
            serde_json::json!({ "role": role.map_or(NO_ROLE, Role::word) }).to_string(),
            now,
        );
        let given = self.site.store.write(async move |tx| {
            // What was opened with less is not to do more, and what was opened with more ends.
            tx.end_sessions(account, now).await?;
            tx.raise_epoch(account).await?;
            tx.set_role(account, role.map_or(NO_ROLE, Role::word)).await?;
            tx.audit(&entry).await
        });
        given.await?;
        Ok(RoleGiven::Done)
    }
}
