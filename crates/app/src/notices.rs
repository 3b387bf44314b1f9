//! Queueing what owners are told, in the transaction of what it tells.

use rightful_core::contact::{Standing, gets_warnings};
use rightful_core::containment::ContainmentNo;
use rightful_core::identifier::Identifier;
pub use rightful_core::notice::KEPT_FOR;
use rightful_core::{AccountNo, Timestamp};
use rightful_crypto::code::NoticeNumber;
use rightful_crypto::seal::{Place, SealBroken};
pub use rightful_notify::{FactorChange, LeakSource, Locale, Notice};
use rightful_store::account::Contact;
use rightful_store::notice::{Leased, NewNotice, Subject};
use rightful_store::{StoreError, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::app::{App, random_id};
use crate::env::Env;
use crate::sign_in::without_nul;

/// What the outbox keeps of a notice until it is sent, sealed.
#[derive(Serialize, Deserialize)]
pub(crate) struct Letter {
    pub(crate) address: String,
    pub(crate) locale: String,
    /// The number, as it is shown.
    pub(crate) number: String,
    pub(crate) notice: Notice,
}

/// A notice that is ready to be queued: drawn outside of the transaction, because a transaction may run twice.
#[derive(Clone)]
pub(crate) struct Draft(NewNotice);

impl Draft {
    /// The same, as what a containment tells.
    pub(crate) fn of_containment(mut self, containment: ContainmentNo) -> Self {
        self.0.containment = Some(containment);
        self
    }

    pub(crate) async fn queue(&self, tx: &mut Tx) -> Result<(), StoreError> {
        tx.queue_notice(&self.0).await
    }
}

/// Queues several.
pub(crate) async fn queue_all(tx: &mut Tx, drafts: &[Draft]) -> Result<(), StoreError> {
    for draft in drafts {
        draft.queue(tx).await?;
    }
    Ok(())
}

/// The address with most of it left out: `a•••@e•••.org`.
pub fn masked(address: &str) -> String {
    let first = |part: &str| part.chars().next().map(String::from).unwrap_or_default();
    match address.rsplit_once('@') {
        None => "•••".to_owned(),
        Some((local, domain)) => {
            let ending = domain.rsplit_once('.').map(|(_, ending)| ending).unwrap_or_default();
            format!("{}•••@{}•••.{ending}", first(local), first(domain))
        }
    }
}

/// What is known of a contact where it is to be written to.
pub(crate) fn standing(contact: &Contact, made_at: Timestamp) -> Standing {
    Standing {
        verified_at: contact.verified_at,
        added_at: contact.added_at.unwrap_or(made_at),
        replaced_at: contact.replaced_at,
        reach: contact.reach,
    }
}

fn place(notice_id: Uuid, subject: i64) -> Place {
    let (high, low) = notice_id.as_u64_pair();
    Place {
        column: "outbox.sealed",
        owner: subject,
        row: (high ^ low).cast_signed(),
    }
}

impl App {
    /// To whom the notices to an address belong that no account has.
    pub(crate) fn stranger(&self, address_key: &str) -> Subject {
        let nobody = self.nobody(address_key);
        Subject {
            home: self.home_of_nobody(address_key),
            subject: nobody.get(),
        }
    }

    /// Draws a notice to one address.
    #[expect(
        clippy::too_many_arguments,
        reason = "to whom, where, in which language, what, and when"
    )]
    pub(crate) fn draft(
        &self,
        to: Subject,
        contact_no: Option<i64>,
        address: &str,
        locale: Locale,
        notice: Notice,
        now: Timestamp,
        env: &mut Env,
    ) -> Draft {
        let (notice_id, number) = (random_id(env), NoticeNumber::mint(&mut *env.chance));
        let digest = number.digest(&self.site.tagger, to.subject, &address_key(address));
        let kind = notice.kind();
        let letter = Letter {
            address: address.to_owned(),
            locale: locale.word().to_owned(),
            number: number.shown().to_string(),
            notice,
        };
        let text = serde_json::to_vec(&letter).expect("a letter is plain text");
        let sealed = self
            .site
            .sealer
            .seal(place(notice_id, to.subject), &text, &mut *env.chance);
        Draft(NewNotice {
            to,
            notice_id,
            kind,
            channel: "mail",
            contact_no,
            masked: masked(address),
            digest,
            sealed,
            made_at: now,
            due_at: now,
            containment: None,
        })
    }

    /// Draws a warning to every contact of an account that gets warnings.
    pub(crate) fn warn(
        &self,
        account: AccountNo,
        contacts: &[(Contact, Standing)],
        locale: Locale,
        notice: &Notice,
        now: Timestamp,
        env: &mut Env,
    ) -> Vec<Draft> {
        let told = contacts
            .iter()
            .filter(|(contact, standing)| contact.kind == "email" && gets_warnings(standing, now));
        told.map(|(contact, _)| {
            let (to, address) = (account.into(), &contact.address);
            self.draft(to, Some(contact.contact_no), address, locale, notice.clone(), now, env)
        })
        .collect()
    }

    /// Opens what was leased to be sent.
    pub(crate) fn open_letter(&self, leased: &Leased) -> Result<Letter, SealBroken> {
        let place = place(leased.notice_id, leased.to.subject);
        let text = self.site.sealer.open(place, &leased.sealed)?;
        serde_json::from_slice(&text).map_err(|_| SealBroken::Changed)
    }
}

/// The spelling of an address by which its notices are known again: its strict key, or where it has none, as it stands.
pub(crate) fn address_key(address: &str) -> String {
    match Identifier::email(address) {
        Ok(email) => email.sign_in_key().text().to_owned(),
        Err(_) => without_nul(address.trim()).take(300).collect::<String>().to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_address_shows_who_knows_it_which_it_is() {
        assert_eq!(masked("anna@example.org"), "a•••@e•••.org");
        assert_eq!(masked("ö@bücher.example"), "ö•••@b•••.example");
        assert_eq!(masked("nothing"), "•••");
    }

    #[test]
    fn an_address_is_one_however_it_is_typed() {
        assert_eq!(address_key(" Anna@Example.ORG"), "anna@example.org");
        assert_eq!(address_key("not an address"), "not an address");
    }
}
