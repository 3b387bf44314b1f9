//! What owners see of their own account.

use rightful_core::Timestamp;
pub use rightful_store::notice::{Notice, NoticeState};
pub use rightful_store::sign_in::SignInRecord;

use crate::addresses::current_address;
use crate::app::{App, Fault};
use crate::notices::KEPT_FOR;
use crate::sessions::{Owner, SIGN_INS_KEPT};
use crate::sign_in::sign_in_view;

/// The most lines of a list.
const MOST: i64 = 200;

/// An account at a glance.
#[derive(Clone, Debug)]
pub struct Glance {
    /// What is typed to sign in.
    pub identifier: String,
    /// Since when the password is as it is.
    pub password_set_at: Option<Timestamp>,
    /// Whether the password is known to be long enough to open the account by itself; so is none at all.
    pub password_alone: bool,
    /// Where we write to.
    pub address: Option<String>,
    /// Since when an app is enrolled.
    pub app_since: Option<Timestamp>,
    /// How many recovery codes are left.
    pub recovery_codes_left: u64,
    /// How many sessions there are.
    pub sessions: u64,
    /// How many messages we sent in 90 days.
    pub messages: u64,
    /// When somebody signed in last before this session opened.
    pub last_sign_in_at: Option<Timestamp>,
    /// When the account will be deleted.
    pub erase_at: Option<Timestamp>,
    /// Whether the role asks for a second factor that is not enrolled yet.
    pub must_enrol: bool,
}

impl App {
    /// The account of an owner at a glance; `None` when it is gone.
    ///
    /// # Errors
    /// What the database says.
    pub async fn glance(&self, owner: &Owner) -> Result<Option<Glance>, Fault> {
        let (account, made_at) = (owner.account(), owner.session.made_at);
        let since = self.now().plus_seconds(-KEPT_FOR);
        let sessions = self.sessions(owner).await?.len() as u64;
        let found = self.site.store.read(async move |tx| {
            let Some(view) = sign_in_view(tx, account).await? else {
                return Ok(None);
            };
            let names = tx.names(&[account]).await?;
            let app_since = tx.apps(account).await?.first().map(|app| app.made_at);
            let address = current_address(&view.contacts).map(|contact| contact.address.clone());
            let identifier = address.clone().or_else(|| names.first().map(|name| name.given.clone()));
            Ok(Some(Glance {
                identifier: identifier.unwrap_or_default(),
                password_set_at: view.password.as_ref().map(|password| password.set_at),
                password_alone: view.password.as_ref().is_none_or(|password| password.alone),
                address,
                app_since,
                recovery_codes_left: tx.count_recovery_codes(account).await?,
                sessions,
                messages: tx.notices(account.into(), since, MOST).await?.len() as u64,
                last_sign_in_at: tx.last_sign_in(account, made_at).await?,
                erase_at: view.living.erase_at,
                must_enrol: view.living.role != crate::sign_up::NO_ROLE && app_since.is_none(),
            }))
        });
        Ok(found.await?)
    }

    /// What we wrote to an owner in the last 90 days, newest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn messages(&self, owner: &Owner) -> Result<Vec<Notice>, Fault> {
        let (account, since) = (owner.account(), self.now().plus_seconds(-KEPT_FOR));
        let read = self
            .site
            .store
            .read(async move |tx| tx.notices(account.into(), since, MOST).await);
        Ok(read.await?)
    }

    /// Who signed in to an owner's account, or tried to, newest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn activity(&self, owner: &Owner) -> Result<Vec<SignInRecord>, Fault> {
        let (account, since) = (owner.account(), self.now().plus_seconds(-SIGN_INS_KEPT));
        let read = self
            .site
            .store
            .read(async move |tx| tx.sign_ins(account, since, MOST).await);
        Ok(read.await?)
    }
}
