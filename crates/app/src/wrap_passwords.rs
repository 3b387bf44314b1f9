//! Wrapping of weak fast hashes in Argon2id, so that a thief of the database and the key still has to work for each guess.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;

use rightful_core::AccountNo;
use rightful_core::audit::AuditSubject;
use rightful_crypto::password::{Argon2Params, StoredHash, VerifyFault};
use rightful_crypto::pool::{HashPool, Priority, Turn};
use rightful_store::StoreError;
use rightful_store::password::{StoredPassword, Wrapping};

use crate::env::Env;
use crate::site::Site;
use crate::unreadable::Unreadable;

/// Hashes that are wrapped and written together.
const BATCH: i64 = 64;

/// Why wrapping ended early; what was wrapped stays.
#[derive(Debug, thiserror::Error)]
pub enum WrapFault {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A hash could not be computed.
    #[error("a password hash could not be computed")]
    Hash(#[source] VerifyFault),
    /// The pool is closing.
    #[error("the hash pool ended")]
    Pool,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WrapReport {
    /// Hashes that were wrapped.
    pub wrapped: u64,
    /// Weak hashes that do not open and were left alone ([`crate::unreadable`]).
    pub unreadable: u64,
    /// Whether it was told to stop before the end.
    pub stopped: bool,
}

/// Wraps every weak hash that there is, block by block, behind everything else that the pool has to do. A password that changes
/// meanwhile is left alone.
///
/// # Errors
/// See [`WrapFault`]; run again, it goes on.
pub async fn wrap_passwords(
    site: &Site,
    env: &mut Env,
    pool: &HashPool,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<WrapReport, WrapFault> {
    let (blocks, weak) = site
        .store
        .read(async |tx| Ok((tx.blocks().await?, tx.count_weak_passwords().await?)))
        .await?;
    let (mut report, mut unreadable) = (WrapReport::default(), Unreadable::default());
    for block in 0..blocks {
        let mut after = (0, 0);
        loop {
            let batch = site
                .store
                .read(async |tx| tx.weak_passwords(block, after, BATCH).await)
                .await?;
            let Some(last) = batch.last() else { break };
            if stop.load(Ordering::Relaxed) {
                report.stopped = true;
                return Ok(report);
            }
            after = (last.account.get(), last.password_no);
            report.wrapped += wrap_batch(site, env, pool, batch, &mut unreadable).await?;
            unreadable.tell(site, env.now()).await?;
            report.unreadable = unreadable.count();
            progress(report.wrapped, weak);
        }
    }
    Ok(report)
}

async fn wrap_batch(
    site: &Site,
    env: &mut Env,
    pool: &HashPool,
    batch: Vec<StoredPassword>,
    unreadable: &mut Unreadable,
) -> Result<u64, WrapFault> {
    let open = |stored: StoredPassword| unreadable.open(site, &stored).map(|hash| (stored, hash));
    let weak: Vec<(StoredPassword, StoredHash)> = batch.into_iter().filter_map(open).collect();
    let (answers, answered) = channel();
    for (at, (_, hash)) in weak.iter().enumerate() {
        let (salt, answers, inner) = (env.random(), answers.clone(), hash.clone());
        pool.submit_when_room(Priority::Background, move |turn| {
            if let Turn::Begin(arena) = turn {
                // Whoever asked is gone when the process is ending.
                let _ = answers.send((at, inner.wrap(salt, Argon2Params::DEFAULT, arena)));
            }
        });
    }
    drop(answers);
    let mut results: Vec<Option<StoredHash>> = vec![None; weak.len()];
    for (at, result) in answered {
        results[at] = result.map_err(WrapFault::Hash)?;
    }
    let now = env.now();
    let mut wrappings = Vec::with_capacity(weak.len());
    for ((seen, weak), wrapped) in weak.into_iter().zip(results) {
        let wrapped = wrapped.ok_or(WrapFault::Pool)?;
        let account: AccountNo = seen.account;
        wrappings.push(Wrapping {
            sealed: site.seal_hash(account, seen.password_no, &wrapped, &mut *env.chance),
            kind: wrapped.kind().word().to_owned(),
            replaced_digest: site.replaced_digest(account, &weak).to_vec(),
            seen,
            now,
        });
    }
    let wrappings = &wrappings;
    let done = site
        .store
        .write(async |tx| {
            let mut done = 0;
            for wrapping in wrappings {
                done += u64::from(tx.wrap_password(wrapping).await?);
            }
            let body = serde_json::json!({ "wrapped": done }).to_string();
            tx.audit(&site.entry(AuditSubject::Site, "passwords.wrapped", body, now))
                .await?;
            Ok(done)
        })
        .await?;
    Ok(done)
}
