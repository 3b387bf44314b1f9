//! What bounces tell: that a notice did not arrive, and how well its contact is reached.
//!
//! Anybody can write a bounce, so only the token of the return path counts. It works once: the first bounce of a notice is
//! believed, later ones change nothing. Whatever a bounce says, it ends no session, turns off no password and starts no
//! message: it can only make us prefer another contact. A code that is typed from a mail makes the contact good again.

use hmac::{Hmac, KeyInit, Mac};
use rightful_core::audit::{AuditEntry, AuditSubject};
use rightful_core::contact::Reach;
use rightful_core::{AccountNo, Timestamp};
use rightful_notify::Class;
use rightful_notify::bounce::{self, BounceRefused};
use rightful_store::notice::Subject;
use rightful_store::{StoreError, Tx};
use sha2::Sha256;

use crate::app::{App, Fault};
use crate::return_token;
use crate::second_factor::unhex;
use crate::site::Site;

/// How far the time of a signature may be from ours, in seconds: 5 minutes. What is signed counts once anyhow, for a bounce
/// is taken once; the time keeps a signature that was overheard from being worth anything later.
const SIGNED_WITHIN: u64 = 5 * 60;

/// What whoever posts bounces signs them with.
#[derive(Clone)]
pub struct BounceSecret(Hmac<Sha256>);

impl std::fmt::Debug for BounceSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BounceSecret")
    }
}

impl BounceSecret {
    /// The fewest bytes of a secret: with a shorter one a single signature that is overheard could be enough to guess it.
    pub const LEAST_BYTES: usize = 32;

    /// A secret; `None` when it is too short.
    ///
    /// # Panics
    /// Never: HMAC takes keys of any length.
    pub fn new(secret: &str) -> Option<Self> {
        let long_enough = secret.len() >= Self::LEAST_BYTES;
        long_enough.then(|| Self(Hmac::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length")))
    }

    /// Whether a message was signed with it lately. `at` is the time of the signature in seconds since 1970, and `signature`
    /// is HMAC-SHA256 of `at`, a full stop and the message, in hexadecimal.
    pub fn signed(&self, at: &str, message: &[u8], signature: &str, now: Timestamp) -> bool {
        let (Some(signed_at), Some(signature)) = (seconds(at), unhex(signature)) else {
            return false;
        };
        if (now.micros() / 1_000_000).abs_diff(signed_at) > SIGNED_WITHIN {
            return false;
        }
        let mut mac = self.0.clone();
        mac.update(at.as_bytes());
        mac.update(b".");
        mac.update(message);
        // Compares in a time that does not depend on where they differ.
        mac.verify_slice(&signature).is_ok()
    }
}

/// Digits, and nothing that could be written in two ways.
fn seconds(text: &str) -> Option<i64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// What became of a bounce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BounceOutcome {
    /// The notice did not arrive.
    Taken {
        /// What is known of its contact from now on; `None` when it had none, or it says nothing about it.
        reach: Option<Reach>,
    },
    /// A bounce of this notice was taken before. Nothing was changed.
    Known,
    /// Its return path is none of ours, or the notice is gone. Nothing was changed.
    NotOurs,
    /// It tells only of a delay, or that the message arrived. Nothing was changed.
    NoFailure,
    /// It is not a bounce. Nothing was changed.
    NotBounce(BounceRefused),
}

impl BounceOutcome {
    /// What became of it, as a stable word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Taken { .. } => "taken",
            Self::Known => "known",
            Self::NotOurs => "not-ours",
            Self::NoFailure => "no-failure",
            Self::NotBounce(_) => "not-a-bounce",
        }
    }

    /// What is known of the contact from now on, as a stable word.
    pub fn reach_word(&self) -> Option<&'static str> {
        match self {
            Self::Taken { reach } => reach.map(Reach::word),
            _ => None,
        }
    }
}

impl App {
    /// Takes one message that came to a return path.
    ///
    /// # Errors
    /// What the database says; take it again later.
    pub async fn take_bounce(&self, message: &[u8]) -> Result<BounceOutcome, Fault> {
        Ok(take_bounce(&self.site, message, self.now()).await?)
    }
}

/// The same for a program that only has the site.
///
/// # Errors
/// What the database says; take it again later.
pub async fn take_bounce(site: &Site, message: &[u8], now: Timestamp) -> Result<BounceOutcome, StoreError> {
    // Our messages go to one receiver each, so the first failure is the only one.
    let bounce = match bounce::read(message) {
        Err(refused) => return Ok(BounceOutcome::NotBounce(refused)),
        Ok(bounces) => match bounces.into_iter().next() {
            None => return Ok(BounceOutcome::NoFailure),
            Some(bounce) => bounce,
        },
    };
    let token = bounce.token.as_deref();
    let Some((to, notice_id)) = token.and_then(|token| return_token::read(&site.tagger, token)) else {
        return Ok(BounceOutcome::NotOurs);
    };
    let Some(notice) = site.store.read(async move |tx| tx.notice(to, notice_id).await).await? else {
        return Ok(BounceOutcome::NotOurs);
    };
    let told = told_by(bounce.class).zip(notice.contact_no);
    let told = told.map(|(reach, contact_no)| Told::new(site, to, contact_no, reach, bounce.status.as_deref(), now));
    let take = async move |tx: &mut Tx| {
        if !tx.bounce_notice(to, notice_id, now).await? {
            return Ok(BounceOutcome::Known);
        }
        let reach = match &told {
            Some(told) => told.note(tx).await?,
            None => None,
        };
        Ok(BounceOutcome::Taken { reach })
    };
    site.store.write(take).await
}

/// What a failure says of the contact; `None` when it says nothing about the mailbox.
pub(crate) const fn told_by(class: Class) -> Option<Reach> {
    match class {
        Class::Hard => Some(Reach::Dead),
        Class::Soft => Some(Reach::Soft),
        Class::Blocked => None,
    }
}

/// What was told of a contact, ready to be noted.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    account: AccountNo,
    contact_no: i64,
    reach: Reach,
    entry: AuditEntry,
}

impl Told {
    /// `status` is the status or reply code that says so.
    pub(crate) fn new(
        site: &Site,
        to: Subject,
        contact_no: i64,
        reach: Reach,
        status: Option<&str>,
        now: Timestamp,
    ) -> Self {
        let account = AccountNo::new(to.subject);
        let body = serde_json::json!({ "contact": contact_no, "reach": reach.word(), "status": status }).to_string();
        Self {
            account,
            contact_no,
            reach,
            entry: site.entry(AuditSubject::Account(account), "contact.not_reached", body, now),
        }
    }

    /// Notes it where it is worse than what was known. What is known then; `None` when the contact is gone.
    pub(crate) async fn note(&self, tx: &mut Tx) -> Result<Option<Reach>, StoreError> {
        let contacts = tx.contacts(self.account).await?;
        let Some(contact) = contacts.iter().find(|contact| contact.contact_no == self.contact_no) else {
            return Ok(None);
        };
        if self.reach <= contact.reach {
            return Ok(Some(contact.reach));
        }
        tx.set_reach(self.account, self.contact_no, self.reach).await?;
        tx.audit(&self.entry).await?;
        Ok(Some(self.reach))
    }
}
