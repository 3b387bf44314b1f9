//! Making an account: the address, a code by mail to it, a password.
//!
//! Nothing tells a stranger whether an address has an account. Where it has one, its owner is told of the attempt, and the
//! conversation goes on as every other one, in which no code is right.

use rightful_core::assurance::{Born, Method, Proofs};
use rightful_core::audit::AuditSubject;
use rightful_core::flow::{Purpose, SignedIn, after_making};
use rightful_core::identifier::{Identifier, IdentifierRefused};
use rightful_core::{AccountNo, PublicId, Timestamp};
use rightful_crypto::token::{Token, TokenKind};
use rightful_store::StoreError;
use rightful_store::account::{NewAccount, NewContact, NewName};
use rightful_store::flow::{Flow, NewFlow};
use rightful_store::notice::Subject;
use zeroize::Zeroizing;

use crate::app::{App, Fault, random_id};
use crate::budgets::{Spending, Tried};
use crate::env::Env;
use crate::mail_code::Memory;
use crate::new_password::Refusal;
use crate::notices::{Notice, address_key};
use crate::sessions::Opened;
use crate::set_up::use_up;
use crate::sign_in::{marks, sign_in_view};
use crate::visitor::Visitor;

/// The role of an ordinary account, as an import makes them too.
pub const NO_ROLE: &str = "none";

/// The role of an administrator.
pub const ADMINISTRATOR: &str = "administrator";

/// How a step of a sign-up came out.
#[derive(Debug)]
pub enum SignUpOutcome {
    /// A code is on its way; the token is that of the flow.
    Asked(Zeroizing<String>),
    /// The password is next.
    Choose(Zeroizing<String>),
    /// The account is made, and its owner is in.
    Open(Opened),
    /// The address is none that we write to.
    NoAddress(IdentifierRefused),
    /// The code was not right, or not any more.
    WrongCode,
    /// The password will not do.
    Refused(Vec<Refusal>),
    /// Too many attempts; the next one may be made then.
    Wait(Timestamp),
    /// The conversation is over: begin again.
    StartAgain,
    /// Strangers may not make accounts here.
    Closed,
}

/// An account about to be made, whose address is proved.
pub(crate) struct Making<'a> {
    pub(crate) given: &'a str,
    pub(crate) role: &'static str,
    pub(crate) verified: bool,
    /// The digest of the set-up code that is used up by it, for the first administrator.
    pub(crate) set_up_code: Option<String>,
}

impl App {
    /// Begins a sign-up.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn sign_up(&self, address: &str, visitor: &Visitor) -> Result<SignUpOutcome, Fault> {
        if !self.policy.sign_up {
            return Ok(SignUpOutcome::Closed);
        }
        let email = match Identifier::email(address) {
            Ok(email) => email,
            Err(refused) => return Ok(SignUpOutcome::NoAddress(refused)),
        };
        let mut env = self.env();
        let now = env.now();
        let key = email.sign_in_key().text().to_owned();
        let (wanted, nobody) = (key.clone(), self.nobody(&key));
        let (known, marks) = self
            .site
            .store
            .read(async move |tx| {
                let no = tx.account_by_key(&wanted).await?.unwrap_or(nobody);
                Ok((sign_in_view(tx, no).await?, marks(tx).await?))
            })
            .await?;
        // The budget that a return for this name spends from too: who counts the answers of both must not learn whether
        // there is an account.
        let subject = known.as_ref().map_or(nobody, |view| view.account);
        if let Spending::Wait(until) = self.spend(subject, Tried::Mail, None, &visitor.range, now).await? {
            return Ok(SignUpOutcome::Wait(until));
        }
        let home = self.home_of_nobody(&key);
        let token = Token::mint(TokenKind::Flow, home, &self.site.tokens, &mut *env.chance);
        let mut memory = Memory {
            name: key.clone(),
            given: email.given().to_owned(),
            hollow: known.is_some(),
            ..Memory::default()
        };
        let letter = match &known {
            None => {
                let (asked, code) = self.ask_code(0, token.hash(), None, now, &mut env);
                memory.code = Some(asked);
                let notice = Notice::SignUpCode { code };
                Some(self.draft(
                    self.stranger(&key),
                    None,
                    email.given(),
                    visitor.locale,
                    notice,
                    now,
                    &mut env,
                ))
            }
            // To the address as it is stored, never as it was typed.
            Some(view) => view
                .contacts
                .iter()
                .find(|contact| address_key(&contact.address) == key && contact.replaced_at.is_none())
                .map(|contact| {
                    let locale = crate::sessions::locale_of(view.living.locale.as_deref(), visitor.locale);
                    let (to, number) = (view.account.into(), Some(contact.contact_no));
                    self.draft(to, number, &contact.address, locale, Notice::SignUpKnown, now, &mut env)
                }),
        };
        let new = NewFlow {
            home,
            token_hash: token.hash(),
            purpose: Purpose::SignUp,
            account: None,
            born: Born {
                epoch: 1,
                mark: marks.mark,
            },
            proofs: Proofs::NONE,
            body: memory.text(),
            made_at: now,
            expires_at: now.plus_seconds(Purpose::SignUp.lasts()),
        };
        self.site
            .store
            .write(async move |tx| {
                tx.begin_flow(&new).await?;
                match &letter {
                    Some(letter) => letter.queue(tx).await,
                    None => Ok(()),
                }
            })
            .await?;
        Ok(SignUpOutcome::Asked(token.text()))
    }

    async fn sign_up_flow(&self, token: &str, now: Timestamp) -> Result<Option<(Flow, Memory)>, Fault> {
        let found = self.flow_with_needs(token, Purpose::SignUp, now).await?;
        Ok(found.and_then(|(flow, _)| {
            let memory = Memory::of(&flow)?;
            Some((flow, memory))
        }))
    }

    /// The address of a sign-up under way, and whether it is proved: for a page that is loaded again.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn sign_up_step(&self, token: &str) -> Result<Option<(String, bool)>, Fault> {
        let found = self.sign_up_flow(token, self.now()).await?;
        Ok(found.map(|(flow, memory)| (memory.given, flow.proofs.has(Method::MailCode))))
    }

    /// Sends another code of a sign-up; the one before is dead.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn sign_up_code_again(&self, token: &str, visitor: &Visitor) -> Result<SignUpOutcome, Fault> {
        let mut env = self.env();
        let now = env.now();
        let Some((mut flow, mut memory)) = self.sign_up_flow(token, now).await? else {
            return Ok(SignUpOutcome::StartAgain);
        };
        let subject = self.whose(&memory.name).await?;
        if let Spending::Wait(until) = self.spend(subject, Tried::Mail, None, &visitor.range, now).await? {
            return Ok(SignUpOutcome::Wait(until));
        }
        let asked = Ok(SignUpOutcome::Asked(Zeroizing::new(token.to_owned())));
        if memory.hollow {
            return asked;
        }
        let to: Subject = self.stranger(&memory.name);
        let (code, shown) = self.ask_code(0, flow.token_hash, None, now, &mut env);
        memory.code = Some(code);
        flow.body = memory.text();
        let notice = Notice::SignUpCode { code: shown };
        let letter = self.draft(to, None, &memory.given, visitor.locale, notice, now, &mut env);
        let written = self.site.store.write(async move |tx| {
            if !tx.advance_flow(&flow, flow.token_hash).await? {
                return Ok(false);
            }
            tx.cancel_notices(to, "sign-up-code", now).await?;
            letter.queue(tx).await?;
            Ok(true)
        });
        if written.await? {
            asked
        } else {
            Ok(SignUpOutcome::StartAgain)
        }
    }

    /// Takes the code of a sign-up.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn sign_up_code(&self, token: &str, typed: &str, visitor: &Visitor) -> Result<SignUpOutcome, Fault> {
        let mut env = self.env();
        let now = env.now();
        let Some((mut flow, mut memory)) = self.sign_up_flow(token, now).await? else {
            return Ok(SignUpOutcome::StartAgain);
        };
        let subject = self.whose(&memory.name).await?;
        let spent = match self.spend(subject, Tried::MailCode, None, &visitor.range, now).await? {
            Spending::Spent(spent) => spent,
            Spending::Wait(until) => return Ok(SignUpOutcome::Wait(until)),
        };
        let asked = memory.code.take().filter(|_| !memory.hollow);
        if !asked.is_some_and(|asked| self.is_code(0, &asked, typed, now)) {
            return Ok(SignUpOutcome::WrongCode);
        }
        flow.proofs = flow.proofs.with(Method::MailCode);
        flow.body = memory.text();
        let next = Token::mint(TokenKind::Flow, flow.home, &self.site.tokens, &mut *env.chance);
        let next_hash = next.hash();
        let moved = self.site.store.write(async move |tx| {
            let moved = tx.advance_flow(&flow, next_hash).await?;
            if moved {
                spent.give_back(tx).await?;
            }
            Ok(moved)
        });
        Ok(if moved.await? {
            SignUpOutcome::Choose(next.text())
        } else {
            SignUpOutcome::StartAgain
        })
    }

    /// Takes the password of a sign-up, makes the account and opens its first session.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn sign_up_password(
        &self,
        token: &str,
        password: &Zeroizing<String>,
        visitor: &Visitor,
    ) -> Result<SignUpOutcome, Fault> {
        let mut env = self.env();
        let now = env.now();
        let Some((flow, memory)) = self.sign_up_flow(token, now).await? else {
            return Ok(SignUpOutcome::StartAgain);
        };
        if !flow.proofs.has(Method::MailCode) {
            return Ok(SignUpOutcome::StartAgain);
        }
        let making = Making {
            given: &memory.given,
            role: NO_ROLE,
            verified: true,
            set_up_code: None,
        };
        self.make_account(&flow, &making, password, visitor, now, &mut env)
            .await
    }

    /// Makes an account and signs its owner in.
    pub(crate) async fn make_account(
        &self,
        flow: &Flow,
        making: &Making<'_>,
        password: &Zeroizing<String>,
        visitor: &Visitor,
        now: Timestamp,
        env: &mut Env,
    ) -> Result<SignUpOutcome, Fault> {
        let email = match Identifier::email(making.given) {
            Ok(email) => email,
            Err(refused) => return Ok(SignUpOutcome::NoAddress(refused)),
        };
        let accepted = match self.follows_rules(password, &[email.given()], false) {
            Ok(accepted) => accepted,
            Err(faults) => return Ok(SignUpOutcome::Refused(faults.into_iter().map(Refusal::Rule).collect())),
        };
        let no = self.new_account_no().await?;
        let new = NewAccount {
            no,
            public_id: PublicId(random_id(env)),
            reference: None,
            role: making.role.to_owned(),
            groups: "[]".to_owned(),
            names: vec![NewName {
                kind: "email".to_owned(),
                key: email.sign_in_key().text().to_owned(),
                given: email.given().to_owned(),
            }],
            match_keys: email.match_keys().to_vec(),
            contacts: vec![NewContact {
                kind: "email".to_owned(),
                address: email.given().to_owned(),
                verified_at: making.verified.then_some(now),
            }],
            former: Vec::new(),
            password: Some(self.seal_new_password(no, 1, &accepted, env).await?),
            import_no: None,
            created_at: now,
            added_at: now,
        };
        let body = serde_json::json!({ "role": making.role }).to_string();
        let entry = self.site.entry(AuditSubject::Account(no), "account.made", body, now);
        let key = email.sign_in_key().text().to_owned();
        let accounts = [new];
        let (spent, set_up_code) = (flow.clone(), making.set_up_code.clone());
        let made = self.site.store.write(async move |tx| {
            if !tx.spend_flow(&spent, now).await? {
                return Ok(false);
            }
            // Last of what may say no: what was written before a no is kept, and the code must not be.
            if let Some(code) = &set_up_code
                && !use_up(tx, code).await?
            {
                return Ok(false);
            }
            tx.drop_released_key(&key).await?;
            tx.insert_accounts(&accounts).await?;
            tx.audit(&entry).await?;
            Ok(true)
        });
        match made.await {
            Ok(true) => {}
            // Somebody else took the address, or the set-up code, meanwhile.
            Ok(false) | Err(StoreError::AlreadyExists | StoreError::Changed { .. }) => {
                return Ok(SignUpOutcome::StartAgain);
            }
            Err(error) => return Err(error.into()),
        }
        let signed_in = after_making(no, flow.proofs, flow.born);
        Ok(match self.first_session(no, &signed_in, visitor, now, env).await? {
            Some(opened) => SignUpOutcome::Open(opened),
            None => SignUpOutcome::StartAgain,
        })
    }

    async fn first_session(
        &self,
        no: AccountNo,
        signed_in: &SignedIn,
        visitor: &Visitor,
        now: Timestamp,
        env: &mut Env,
    ) -> Result<Option<Opened>, Fault> {
        let Some(view) = self.site.store.read(async move |tx| sign_in_view(tx, no).await).await? else {
            return Ok(None);
        };
        self.open(signed_in, &view, visitor, None, now, env).await
    }
}
