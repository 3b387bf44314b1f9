//! "Check a message": whether a number belongs to a message of ours to an address.
//!
//! The number has no authority: it opens and starts nothing. Unknown and wrong are answered alike, after the same look-ups.

use rightful_core::Timestamp;
use rightful_crypto::code::NoticeNumber;
use rightful_store::notice::Notice;

use crate::app::{App, Fault};
use crate::budgets::{Spending, Tried};
use crate::notices::{KEPT_FOR, address_key};
use crate::visitor::Visitor;

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckAnswer {
    /// We sent it.
    Ours {
        /// Its kind, as a stable word.
        kind: String,
        /// When.
        at: Timestamp,
    },
    /// We did not send this number to this address.
    NotOurs,
    /// Too many questions; the next one may be asked then.
    Wait(Timestamp),
}

impl App {
    /// Answers a question.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn check_message(&self, address: &str, number: &str, visitor: &Visitor) -> Result<CheckAnswer, Fault> {
        let now = self.now();
        let key = address_key(address);
        let nobody = self.nobody(&key);
        if let Spending::Wait(until) = self.spend(nobody, Tried::Check, None, &visitor.range, now).await? {
            return Ok(CheckAnswer::Wait(until));
        }
        let Some(number) = NoticeNumber::parse(number) else {
            return Ok(CheckAnswer::NotOurs);
        };
        let stranger = self.stranger(&key);
        let (wanted, as_stranger) = (key.clone(), number.digest(&self.site.tagger, stranger.subject, &key));
        let account = self
            .site
            .store
            .read(async move |tx| tx.account_by_key(&wanted).await)
            .await?;
        let account = account.unwrap_or(nobody);
        let as_owner = number.digest(&self.site.tagger, account.get(), &key);
        let found = self
            .site
            .store
            .read(async move |tx| {
                let to_owner = tx.notice_by_digest(account.into(), as_owner).await?;
                let to_stranger = tx.notice_by_digest(stranger, as_stranger).await?;
                Ok(to_owner.or(to_stranger))
            })
            .await?;
        let since = now.plus_seconds(-KEPT_FOR);
        Ok(match found.filter(|notice| notice.made_at >= since) {
            Some(Notice { kind, made_at, .. }) => CheckAnswer::Ours { kind, at: made_at },
            None => CheckAnswer::NotOurs,
        })
    }
}
