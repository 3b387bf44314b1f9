//! Another address for an account: a fresh proof, a code to the new one, a notice to both.

use rightful_core::assurance::Proofs;
use rightful_core::audit::AuditSubject;
use rightful_core::flow::Purpose;
use rightful_core::identifier::{Identifier, IdentifierRefused};
use rightful_core::{AccountNo, Timestamp};
use rightful_crypto::token::{Token, TokenKind};
use rightful_store::StoreError;
use rightful_store::account::{Contact, NewContact, NewName};
use rightful_store::flow::NewFlow;
use zeroize::Zeroizing;

use crate::app::{App, Fault};
use crate::budgets::{Spending, Tried};
use crate::env::Env;
use crate::mail_code::Memory;
use crate::notices::{Draft, Locale, Notice, masked, queue_all};
use crate::sessions::{Owner, keep_only, locale_of};
use crate::sign_in::sign_in_view;
use crate::visitor::Visitor;

/// How a step of a change of address came out.
pub enum AddressOutcome {
    /// A code is on its way; the token is that of the flow.
    Asked(Zeroizing<String>),
    /// The address is changed; the session goes on under this token.
    Done(Zeroizing<String>),
    /// It is none that we write to.
    NoAddress(IdentifierRefused),
    /// It is the account's already.
    Same,
    /// The code was not right, or not any more.
    WrongCode,
    /// Too many attempts.
    Wait(Timestamp),
    /// A fresh proof is needed first.
    StepUp,
    /// The conversation is over: begin again.
    StartAgain,
}

/// The address that an account is written to now.
pub(crate) fn current_address(contacts: &[Contact]) -> Option<&Contact> {
    let current = |contact: &&Contact| contact.kind == "email" && contact.replaced_at.is_none();
    contacts.iter().find(current)
}

impl App {
    /// Begins a change of address.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn change_address(
        &self,
        owner: &Owner,
        address: &str,
        visitor: &Visitor,
    ) -> Result<AddressOutcome, Fault> {
        let mut env = self.env();
        let now = env.now();
        if !owner.is_fresh(now) {
            return Ok(AddressOutcome::StepUp);
        }
        let email = match Identifier::email(address) {
            Ok(email) => email,
            Err(refused) => return Ok(AddressOutcome::NoAddress(refused)),
        };
        let (account, key) = (owner.account(), email.sign_in_key().text().to_owned());
        let wanted = key.clone();
        let holder = self
            .site
            .store
            .read(async move |tx| tx.account_by_key(&wanted).await)
            .await?;
        if holder == Some(account) {
            return Ok(AddressOutcome::Same);
        }
        let subject = holder.unwrap_or_else(|| self.nobody(&key));
        if let Spending::Wait(until) = self.spend(subject, Tried::Mail, None, &visitor.range, now).await? {
            return Ok(AddressOutcome::Wait(until));
        }
        let token = Token::mint(TokenKind::Flow, account.block(), &self.site.tokens, &mut *env.chance);
        let mut memory = Memory {
            name: key,
            given: email.given().to_owned(),
            // Somebody else's: nothing is sent, and no code is right. The page says what it always says.
            hollow: holder.is_some(),
            ..Memory::default()
        };
        let letter = (!memory.hollow).then(|| {
            let (asked, code) = self.ask_code(account.get(), token.hash(), None, now, &mut env);
            memory.code = Some(asked);
            let notice = Notice::AddressCode { code };
            self.draft(
                account.into(),
                None,
                email.given(),
                visitor.locale,
                notice,
                now,
                &mut env,
            )
        });
        let new = NewFlow {
            home: account.block(),
            token_hash: token.hash(),
            purpose: Purpose::NewAddress,
            account: Some(account),
            born: owner.session.born,
            proofs: Proofs::NONE,
            body: memory.text(),
            made_at: now,
            expires_at: now.plus_seconds(Purpose::NewAddress.lasts()),
        };
        self.site
            .store
            .write(async move |tx| {
                tx.end_flows(account, Purpose::NewAddress, now).await?;
                tx.begin_flow(&new).await?;
                match &letter {
                    Some(letter) => letter.queue(tx).await,
                    None => Ok(()),
                }
            })
            .await?;
        Ok(AddressOutcome::Asked(token.text()))
    }

    /// The new address of a change under way, for a page that is loaded again.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn new_address_of(&self, owner: &Owner, flow: &str) -> Result<Option<String>, Fault> {
        let found = self.flow_with_needs(flow, Purpose::NewAddress, self.now()).await?;
        Ok(found
            .filter(|(flow, _)| flow.account == Some(owner.account()))
            .and_then(|(flow, _)| Memory::of(&flow))
            .map(|memory| memory.given))
    }

    /// Sends another code to the new address; the one before is dead.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn address_code_again(
        &self,
        owner: &Owner,
        token: &str,
        visitor: &Visitor,
    ) -> Result<AddressOutcome, Fault> {
        let mut env = self.env();
        let (now, account) = (env.now(), owner.account());
        let found = self.flow_with_needs(token, Purpose::NewAddress, now).await?;
        let Some((mut flow, _)) = found.filter(|(flow, _)| flow.account == Some(account)) else {
            return Ok(AddressOutcome::StartAgain);
        };
        let Some(mut memory) = Memory::of(&flow) else {
            return Ok(AddressOutcome::StartAgain);
        };
        let subject = self.whose(&memory.name).await?;
        if let Spending::Wait(until) = self.spend(subject, Tried::Mail, None, &visitor.range, now).await? {
            return Ok(AddressOutcome::Wait(until));
        }
        let asked = Ok(AddressOutcome::Asked(Zeroizing::new(token.to_owned())));
        if memory.hollow {
            return asked;
        }
        let (code, shown) = self.ask_code(account.get(), flow.token_hash, None, now, &mut env);
        memory.code = Some(code);
        flow.body = memory.text();
        let notice = Notice::AddressCode { code: shown };
        let letter = self.draft(
            account.into(),
            None,
            &memory.given,
            visitor.locale,
            notice,
            now,
            &mut env,
        );
        let written = self.site.store.write(async move |tx| {
            if !tx.advance_flow(&flow, flow.token_hash).await? {
                return Ok(false);
            }
            tx.cancel_notices(account.into(), "address-code", now).await?;
            letter.queue(tx).await?;
            Ok(true)
        });
        if written.await? {
            asked
        } else {
            Ok(AddressOutcome::StartAgain)
        }
    }

    /// Takes the code to the new address and puts it in the place of the old one.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn address_code(
        &self,
        owner: &Owner,
        token: &str,
        typed: &str,
        visitor: &Visitor,
    ) -> Result<AddressOutcome, Fault> {
        let mut env = self.env();
        let (now, account) = (env.now(), owner.account());
        let found = self.flow_with_needs(token, Purpose::NewAddress, now).await?;
        let Some((flow, _)) = found.filter(|(flow, _)| flow.account == Some(account)) else {
            return Ok(AddressOutcome::StartAgain);
        };
        let Some(mut memory) = Memory::of(&flow) else {
            return Ok(AddressOutcome::StartAgain);
        };
        let spent = match self.spend(account, Tried::MailCode, None, &visitor.range, now).await? {
            Spending::Spent(spent) => spent,
            Spending::Wait(until) => return Ok(AddressOutcome::Wait(until)),
        };
        let asked = memory.code.take().filter(|_| !memory.hollow);
        if !asked.is_some_and(|asked| self.is_code(account.get(), &asked, typed, now)) {
            return Ok(AddressOutcome::WrongCode);
        }
        let Some(view) = self
            .site
            .store
            .read(async move |tx| sign_in_view(tx, account).await)
            .await?
        else {
            return Ok(AddressOutcome::StartAgain);
        };
        let Ok(email) = Identifier::email(&memory.given) else {
            return Ok(AddressOutcome::StartAgain);
        };
        let old = current_address(&view.contacts).cloned();
        let locale = locale_of(view.living.locale.as_deref(), visitor.locale);
        let told = self.tell_of_address(account, old.as_ref(), &email, locale, now, &mut env);
        let entry = self
            .site
            .entry(AuditSubject::Account(account), "address.changed", "{}".to_owned(), now);
        let next = self.next_session_token(owner, &mut env);
        let kept = owner.kept_as(&next);
        let match_keys = email.match_keys().to_vec();
        let name = NewName {
            kind: "email".to_owned(),
            key: email.sign_in_key().text().to_owned(),
            given: email.given().to_owned(),
        };
        let contact = NewContact {
            kind: "email".to_owned(),
            address: email.given().to_owned(),
            verified_at: Some(now),
        };
        let written = self.site.store.write(async move |tx| {
            kept.guard(tx).await?;
            if !tx.spend_flow(&flow, now).await? {
                return Ok(false);
            }
            spent.give_back(tx).await?;
            tx.drop_released_key(&name.key).await?;
            let (names, contacts) = ([name.clone()], [contact.clone()]);
            tx.extend_account(account, &names, &contacts, &match_keys, now).await?;
            if let Some(added) = tx.contacts(account).await?.last() {
                tx.date_contact(account, added.contact_no, now).await?;
            }
            if let Some(old) = &old {
                tx.replace_contact(account, old.contact_no, now).await?;
                tx.release_key(account, &crate::notices::address_key(&old.address))
                    .await?;
            }
            keep_only(tx, kept, now).await?;
            queue_all(tx, &told).await?;
            tx.audit(&entry).await?;
            Ok(true)
        });
        match written.await {
            Ok(true) => Ok(AddressOutcome::Done(next.text())),
            // Somebody else took the address meanwhile, or the session was ended.
            Ok(false) | Err(StoreError::AlreadyExists | StoreError::Changed { .. }) => Ok(AddressOutcome::StartAgain),
            Err(error) => Err(error.into()),
        }
    }

    fn tell_of_address(
        &self,
        account: AccountNo,
        old: Option<&Contact>,
        new: &Identifier,
        locale: Locale,
        now: Timestamp,
        env: &mut Env,
    ) -> Vec<Draft> {
        let notice = |to_old| Notice::AddressChanged {
            at: now,
            masked_new: masked(new.given()),
            to_old,
        };
        let mut told = vec![self.draft(account.into(), None, new.given(), locale, notice(false), now, env)];
        if let Some(old) = old {
            let number = Some(old.contact_no);
            told.push(self.draft(account.into(), number, &old.address, locale, notice(true), now, env));
        }
        told
    }
}
