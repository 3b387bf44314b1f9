//! Looking at leaks, exporting what they came to, and forgetting them.

use rightful_core::audit::{AuditEntry, AuditSubject};
use rightful_core::leak::{LeakNo, LeakState};
use rightful_core::{AccountNo, Grade, Timestamp};
use rightful_store::account::{Account, Name};
use rightful_store::exposure::{Exposure, ExposureCount};
use rightful_store::leak::{Leak, LeakFile};
use rightful_store::{StoreError, Tx};

use crate::accounts::{account_id, name_in_leak};
use crate::env::Env;
use crate::scan_leak::open_position;
use crate::site::Site;

/// A leak with its files and what it came to.
#[derive(Clone, Debug)]
pub struct LeakView {
    /// Its row.
    pub leak: Leak,
    /// Its files, with SHA-256 and length.
    pub files: Vec<LeakFile>,
    /// Exposures by grade and kind.
    pub counts: Vec<ExposureCount>,
    /// Accounts by their best grade.
    pub accounts: Vec<(Grade, u64)>,
    /// Accounts whose password is another by now than the one that was tested.
    pub changed_since: u64,
}

/// All leaks, in the order in which they were named.
///
/// # Errors
/// What the database says.
pub async fn list_leaks(site: &Site) -> Result<Vec<LeakView>, StoreError> {
    let leaks = site.store.read(async |tx| tx.leaks().await).await?;
    let mut views = Vec::with_capacity(leaks.len());
    for leak in leaks {
        views.push(view(site, leak).await?);
    }
    Ok(views)
}

/// The leak that a person means, by its number or its name.
///
/// # Errors
/// What the database says.
pub async fn find_leak(site: &Site, meant: &str) -> Result<Option<LeakView>, StoreError> {
    let number = meant.trim_start_matches('#').parse().ok().map(LeakNo);
    let found = site
        .store
        .read(async |tx| {
            if let Some(leak) = tx.leak_by_name(meant).await? {
                return Ok(Some(leak));
            }
            match number {
                Some(number) => tx.leak(number).await,
                None => Ok(None),
            }
        })
        .await?;
    match found {
        Some(leak) => view(site, leak).await.map(Some),
        None => Ok(None),
    }
}

async fn view(site: &Site, leak: Leak) -> Result<LeakView, StoreError> {
    let no = leak.no;
    let (files, counts, accounts, changed_since) = site
        .store
        .read(async |tx| {
            Ok((
                tx.leak_files(no).await?,
                tx.exposure_counts(no).await?,
                tx.accounts_by_best_grade(no).await?,
                tx.accounts_changed_since(no).await?,
            ))
        })
        .await?;
    Ok(LeakView {
        leak,
        files,
        counts,
        accounts,
        changed_since,
    })
}

/// One exposure with the account that it is about, as lists show it.
#[derive(Clone, Debug)]
pub struct ExposureRow {
    /// The account.
    pub account: Account,
    /// The name of it that stands in the leak.
    pub identifier: String,
    /// The evidence.
    pub exposure: Exposure,
    /// File and line in the leak.
    pub place: Option<(String, u64)>,
}

impl ExposureRow {
    /// The id under which the site knows the account: the one it was imported with, else its public id.
    pub fn account_id(&self) -> String {
        account_id(&self.account)
    }
}

/// Hands every exposure of a leak to `each`, in the order of the accounts. Memory does not grow with their number.
///
/// # Errors
/// What the database says, and what `each` answers.
pub async fn each_exposure<E: From<StoreError>>(
    site: &Site,
    leak: LeakNo,
    each: &mut dyn FnMut(ExposureRow) -> Result<(), E>,
) -> Result<(), E> {
    let mut after = None;
    loop {
        let (page, accounts, names) = site
            .store
            .read(async |tx| {
                let page = tx.exposure_page(leak, after.as_ref(), 500).await?;
                let numbers: Vec<AccountNo> = page.iter().map(|found| found.account).collect();
                let accounts = tx.accounts(&numbers).await?;
                let names = tx.names(&numbers).await?;
                Ok((page, accounts, names))
            })
            .await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.place());
        for exposure in page {
            if let Some(row) = row(site, leak, exposure, &accounts, &names) {
                each(row)?;
            }
        }
    }
}

fn row(site: &Site, leak: LeakNo, exposure: Exposure, accounts: &[Account], names: &[Name]) -> Option<ExposureRow> {
    let account = accounts.iter().find(|account| account.no == exposure.account)?.clone();
    let position = open_position(site, leak, &exposure);
    let own: Vec<Name> = names
        .iter()
        .filter(|name| name.account == account.no)
        .cloned()
        .collect();
    let number = position.as_ref().map_or(0, |position| position.account_name);
    let identifier = name_in_leak(&account, &own, number);
    let place = position.map(|position| (position.name, position.line));
    Some(ExposureRow {
        account,
        identifier,
        exposure,
        place,
    })
}

/// Drops what was kept to know pairs of this leak again, and its untested hashes. The exposures and their reasons stay.
/// Answers how many rows went.
///
/// # Errors
/// What the database says; run again, it goes on.
pub async fn forget_leak(site: &Site, env: &Env, leak: &Leak) -> Result<u64, StoreError> {
    let now: Timestamp = env.now();
    if leak.state != LeakState::Forgotten {
        let entry = site.entry(AuditSubject::Leak(leak.no.0), "leak.forgotten", "{}".to_owned(), now);
        site.store
            .write(async |tx| {
                tx.leak_forget(leak).await?;
                tx.audit(&entry).await
            })
            .await?;
    }
    let blocks = site.store.read(async |tx| tx.blocks().await).await?;
    let mut dropped = 0;
    let entry = site.entry(
        AuditSubject::Leak(leak.no.0),
        "leak.digests_dropped",
        String::new(),
        now,
    );
    for block in 0..blocks {
        dropped += site
            .store
            .write(async |tx| {
                let dropped = tx.leak_forget_block(leak.no, block).await?;
                told(tx, &entry, block, dropped).await
            })
            .await?;
    }
    Ok(dropped)
}

/// Drops the leaked hashes whose time is over: whoever has not signed in for 180 days is not tested with them any more. Answers
/// how many. A scan does it, and the server from time to time, block by block.
///
/// # Errors
/// What the database says; run again, it goes on.
pub async fn drop_expired_hashes(site: &Site, now: Timestamp) -> Result<u64, StoreError> {
    let blocks = site.store.read(async |tx| tx.blocks().await).await?;
    let mut all = 0;
    for block in 0..blocks {
        all += drop_expired_in(site, block, now).await?;
    }
    Ok(all)
}

/// The same for one block.
pub(crate) async fn drop_expired_in(site: &Site, block: i64, now: Timestamp) -> Result<u64, StoreError> {
    let entry = site.entry(AuditSubject::Site, "untested.expired", String::new(), now);
    let drop = async move |tx: &mut Tx| {
        let dropped = tx.drop_expired_untested(block, now).await?;
        told(tx, &entry, block, dropped).await
    };
    site.store.write(drop).await
}

/// Notes in the audit log that rows of a block were dropped, if any were; answers how many.
async fn told(tx: &mut Tx, entry: &AuditEntry, block: i64, dropped: u64) -> Result<u64, StoreError> {
    if dropped > 0 {
        let body = serde_json::json!({ "block": block, "rows": dropped }).to_string();
        tx.audit(&AuditEntry { body, ..entry.clone() }).await?;
    }
    Ok(dropped)
}
