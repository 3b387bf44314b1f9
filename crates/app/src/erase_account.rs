//! Deleting one's account: planned, with a wait in which it can be taken back, then done.

use rightful_core::audit::AuditSubject;
use rightful_core::identifier::MatchKey;
use rightful_core::{AccountNo, Timestamp};
use rightful_store::{StoreError, Tx};

use crate::accounts::account_id;
use crate::app::{App, Fault};
use crate::notices::{Notice, queue_all};
use crate::scan_leak::match_keys_of_stored;
use crate::second_factor::Changed;
use crate::sessions::{Owner, unless_ended};
use crate::visitor::Visitor;

/// How long a deletion waits, in seconds: 14 days.
pub const ERASED_AFTER: i64 = 14 * 24 * 60 * 60;

impl App {
    /// Plans the deletion of an account.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn plan_deletion(&self, owner: &Owner, visitor: &Visitor) -> Result<Changed<Timestamp>, Fault> {
        let mut env = self.env();
        let (now, account) = (env.now(), owner.account());
        if !owner.is_fresh(now) {
            return Ok(Changed::StepUp);
        }
        let (on, epoch) = (now.plus_seconds(ERASED_AFTER), owner.session.account_epoch);
        let notice = Notice::DeletionPlanned { at: now, on };
        let told = self.tell_all(account, &notice, visitor.locale, now, &mut env).await?;
        let entry = self
            .site
            .entry(AuditSubject::Account(account), "deletion.planned", "{}".to_owned(), now);
        let written = self.site.store.write(async move |tx| {
            tx.guard_epoch(account, epoch).await?;
            tx.set_erase_at(account, Some(on)).await?;
            queue_all(tx, &told).await?;
            tx.audit(&entry).await
        });
        Ok(match unless_ended(written.await)? {
            Some(()) => Changed::Done(on),
            None => Changed::SignedOut,
        })
    }

    /// Takes a planned deletion back.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn stop_deletion(&self, owner: &Owner, visitor: &Visitor) -> Result<(), Fault> {
        let mut env = self.env();
        let (now, account) = (env.now(), owner.account());
        let notice = Notice::DeletionStopped { at: now };
        let told = self.tell_all(account, &notice, visitor.locale, now, &mut env).await?;
        let entry = self
            .site
            .entry(AuditSubject::Account(account), "deletion.stopped", "{}".to_owned(), now);
        self.site
            .store
            .write(async move |tx| {
                tx.set_erase_at(account, None).await?;
                queue_all(tx, &told).await?;
                tx.audit(&entry).await
            })
            .await?;
        Ok(())
    }

    /// Deletes the accounts of a block whose wait is over. How many.
    ///
    /// # Errors
    /// What the database says.
    pub async fn erase_due(&self, block: i64) -> Result<usize, Fault> {
        let now = self.now();
        let due = self
            .site
            .store
            .read(async move |tx| tx.accounts_to_erase(block, now).await)
            .await?;
        for account in due.iter().copied() {
            let entry = self
                .site
                .entry(AuditSubject::Account(account), "account.erased", "{}".to_owned(), now);
            self.site
                .store
                .write(async move |tx| {
                    // A name that is added meanwhile is either among these or refused.
                    tx.take_turn(account).await?;
                    let keys = loose_keys(tx, account).await?;
                    if tx.erase_account(account, &keys, now).await? {
                        tx.audit(&entry).await?;
                    }
                    Ok(())
                })
                .await?;
        }
        Ok(due.len())
    }
}

/// Every loose key that an account may be found by: those of its names and addresses, also of former ones, and of its id, by
/// which a site without names signs people in.
async fn loose_keys(tx: &mut Tx, account: AccountNo) -> Result<Vec<Vec<u8>>, StoreError> {
    let names = tx.names(&[account]).await?.into_iter();
    let contacts = tx.contacts(account).await?.into_iter();
    let known = names
        .map(|name| (name.kind, name.key))
        .chain(contacts.map(|contact| (contact.kind, contact.address)));
    let mut keys: Vec<Vec<u8>> = known
        .flat_map(|(kind, text)| match_keys_of_stored(&kind, &text))
        .collect();
    let id = tx.account(account).await?.map(|account| account_id(&account));
    let key = id.and_then(|id| MatchKey::of(id.as_bytes()));
    keys.extend(key.map(|key| key.as_bytes().to_vec()));
    Ok(keys)
}
