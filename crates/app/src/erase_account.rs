//! Deleting one's account: planned, with a wait in which it can be taken back, then done.

use rightful_core::Timestamp;
use rightful_core::audit::AuditSubject;
use rightful_core::identifier::{Identifier, IdentifierKind};

use crate::app::{App, Fault};
use crate::notices::{Notice, queue_all};
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
            let names = self.site.store.read(async move |tx| tx.names(&[account]).await).await?;
            let keys: Vec<Vec<u8>> = names
                .iter()
                .filter_map(|name| read_name(&name.kind, &name.given))
                .flat_map(|identifier| identifier.match_keys().to_vec())
                .collect();
            self.site
                .store
                .write(async move |tx| {
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

/// A name of an account as the identifier that it is.
fn read_name(kind: &str, given: &str) -> Option<Identifier> {
    let read = match IdentifierKind::from_word(kind)? {
        IdentifierKind::Email => Identifier::email(given),
        IdentifierKind::Username => Identifier::username(given),
        IdentifierKind::Phone => Identifier::phone(given, None),
    };
    read.ok()
}
