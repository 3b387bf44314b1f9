//! Stored passwords that do not open: a row that was damaged, moved or put there by somebody, or that asks for more than our caps.
//!
//! Such a password counts as none: nothing is verified against it, and the work goes on with everybody else. It is told once in
//! the audit log of its account and counted in every report, because somebody may have been at the database.

use std::collections::BTreeSet;

use rightful_core::audit::{AuditEntry, AuditSubject};
use rightful_core::{AccountNo, Timestamp};
use rightful_crypto::password::StoredHash;
use rightful_store::StoreError;
use rightful_store::password::StoredPassword;

use crate::site::{HashBroken, Site};

const EVENT: &str = "password.unreadable";

/// The passwords that a run could not open.
#[derive(Debug, Default)]
pub struct Unreadable {
    met: BTreeSet<(AccountNo, i64)>,
    untold: Vec<(AccountNo, i64, HashBroken)>,
}

impl Unreadable {
    /// The hash of a stored password, or none where it does not open.
    pub fn open(&mut self, site: &Site, stored: &StoredPassword) -> Option<StoredHash> {
        match site.open_hash(stored.account, stored.password_no, &stored.sealed) {
            Ok(hash) => Some(hash),
            Err(broken) => {
                if self.met.insert((stored.account, stored.password_no)) {
                    self.untold.push((stored.account, stored.password_no, broken));
                }
                None
            }
        }
    }

    /// How many there were, each once.
    pub fn count(&self) -> u64 {
        self.met.len() as u64
    }

    /// Tells what was met since it was last told: a row in the audit log of each account, unless it says so already.
    ///
    /// # Errors
    /// What the database says.
    pub async fn tell(&mut self, site: &Site, now: Timestamp) -> Result<(), StoreError> {
        for (account, password_no, broken) in std::mem::take(&mut self.untold) {
            let body = serde_json::json!({ "password_version": password_no, "what": broken.to_string() }).to_string();
            let entry = site.entry(AuditSubject::Account(account), EVENT, body, now);
            site.store.write(async |tx| tell_once(tx, &entry).await).await?;
        }
        Ok(())
    }
}

async fn tell_once(tx: &mut rightful_store::Tx, entry: &AuditEntry) -> Result<(), StoreError> {
    let told = tx.audit_rows(entry.subject).await?;
    if told
        .iter()
        .any(|row| row.event == entry.event && row.body == entry.body)
    {
        return Ok(());
    }
    tx.audit(entry).await
}
