//! Holds that somebody places on one account by hand, and lifts again: `accounts hold`, `accounts lift`.

use rightful_core::audit::AuditSubject;
use rightful_core::{AccountNo, Kind, Timestamp};
use rightful_store::StoreError;
use rightful_store::hold::NewHold;
pub use rightful_store::hold::{Hold, HoldAction, HoldSource};

use crate::site::Site;

/// A hold that is to be placed.
#[derive(Clone, Debug)]
pub struct HoldOrder {
    /// On which account.
    pub account: AccountNo,
    /// What it does.
    pub action: HoldAction,
    /// Who orders it. It decides what lifts it: a return, or administrators alone.
    pub source: HoldSource,
    /// What kind of leak it answers; owners are told no other reason than this.
    pub kind: Option<Kind>,
    /// Why, in the words of whoever orders it, for the audit log. Owners never see it.
    pub reason: String,
}

/// Places a hold: sessions end at once, and all that was begun before is dead. Returns its number among the account's.
///
/// # Errors
/// [`StoreError::Changed`] when the account is gone; else what the database says.
pub async fn place_hold(site: &Site, order: &HoldOrder, now: Timestamp) -> Result<i64, StoreError> {
    let new = NewHold {
        account: order.account,
        action: order.action,
        source: order.source,
        kind: order.kind,
        leak: None,
        placed_by: site.actor.clone(),
        placed_at: now,
    };
    site.store
        .write(async |tx| {
            let hold_no = tx.place_hold(&new).await?;
            let body = serde_json::json!({
                "hold": hold_no, "action": order.action.word(), "source": order.source.word(), "reason": order.reason,
            });
            let subject = AuditSubject::Account(order.account);
            tx.audit(&site.entry(subject, "hold.placed", body.to_string(), now))
                .await?;
            Ok(hold_no)
        })
        .await
}

/// Lifts every hold and required change that administrators placed on an account, and no other: a containment's is lifted by the
/// owner's return or by undoing it. Returns their numbers.
///
/// # Errors
/// What the database says.
pub async fn lift_administrators_holds(
    site: &Site,
    account: AccountNo,
    now: Timestamp,
) -> Result<Vec<i64>, StoreError> {
    site.store
        .write(async |tx| {
            let mut lifted = Vec::new();
            for hold in tx.holds(account).await? {
                let lies = hold.lifted_at.is_none() && hold.source == HoldSource::Administrator;
                if lies && tx.lift_hold(account, hold.hold_no, &site.actor, now).await? {
                    lifted.push(hold.hold_no);
                }
            }
            for hold_no in &lifted {
                let body = serde_json::json!({ "hold": hold_no }).to_string();
                tx.audit(&site.entry(AuditSubject::Account(account), "hold.lifted", body, now))
                    .await?;
            }
            Ok(lifted)
        })
        .await
}

/// The holds and required changes that lie on an account, the oldest first.
///
/// # Errors
/// What the database says.
pub async fn lying_holds(site: &Site, account: AccountNo) -> Result<Vec<Hold>, StoreError> {
    let mut holds = site.store.read(async |tx| tx.holds(account).await).await?;
    holds.retain(|hold| hold.lifted_at.is_none());
    Ok(holds)
}
