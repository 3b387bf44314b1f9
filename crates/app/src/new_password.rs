//! The return: a new password after a hold, or when the old one was forgotten.
//!
//! A fresh code by mail, then the second factor where there is one, then a password that is not the old one, nor a variation
//! of it, nor known-leaked. Everything else ends in the transaction that sets it, and nobody is signed in by it.

use rightful_core::assurance::{Born, Method, Proofs};
use rightful_core::audit::AuditSubject;
use rightful_core::contact::{Reach, may_prove};
use rightful_core::flow::{self, MayChoose, Needs, Progress, Purpose, Step};
use rightful_core::password_rule::{
    AT_LEAST_ALONE, AT_LEAST_WITH_SECOND_FACTOR, AcceptedPassword, Context, MAX_BYTES, PasswordFault, check,
    normal_form, variations_of_new,
};
use rightful_core::{AccountNo, Timestamp};
use rightful_crypto::password::{Argon2Params, StoredHash, hash_new};
use rightful_crypto::pool::Priority;
use rightful_crypto::token::{Token, TokenKind};
use rightful_store::StoreError;
use rightful_store::account::Contact;
use rightful_store::flow::{Flow, NewFlow};
use rightful_store::password::{NewPassword, Origin, Replacement};
use zeroize::Zeroizing;

use crate::app::{App, Fault};
use crate::budgets::{Spending, Spent, Tried};
use crate::env::Env;
use crate::mail_code::Memory;
use crate::notices::{Notice, masked, queue_all};
use crate::second_factor::Changed;
use crate::sessions::{Owner, keep_only, locale_of, unless_ended, with_standing};
use crate::sign_in::{FactorVerdict, Marks, SignInView, floor_of, marks, sign_in_view, typed_forms, typed_key};
use crate::visitor::Visitor;

/// How many new passwords one conversation looks at: each may cost 17 hashes.
const MOST_TRIES: u32 = 10;

/// How a step of a return came out.
#[derive(Debug)]
pub enum ReturnOutcome {
    /// A code was asked for, if there is such an account; the token is that of the flow.
    Asked(Zeroizing<String>),
    /// The second factor is next.
    Factor(Zeroizing<String>),
    /// The new password is next.
    Choose(Zeroizing<String>),
    /// The new password is set.
    Done,
    /// The code was not right, or not any more.
    WrongCode,
    /// The new password will not do.
    Refused(Vec<Refusal>),
    /// Too many attempts; the next one may be made then.
    Wait(Timestamp),
    /// The conversation is over: begin again.
    StartAgain,
}

/// What is wrong with a new password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It breaks a rule for all passwords.
    Rule(PasswordFault),
    /// It is the old one.
    Same,
    /// It is a simple variation of the old one.
    Variation,
    /// The current password, asked for beside it, was not right.
    WrongCurrent,
}

impl App {
    /// The fewest characters of a new password.
    pub const fn least_characters(second_factor: bool) -> usize {
        if second_factor {
            AT_LEAST_WITH_SECOND_FACTOR
        } else {
            AT_LEAST_ALONE
        }
    }

    /// Begins a return for whoever types a name: a code goes to the address of its account, if there is one.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn ask_for_new_password(&self, typed: &str, visitor: &Visitor) -> Result<ReturnOutcome, Fault> {
        let mut env = self.env();
        let now = env.now();
        let key = typed_key(typed);
        let (wanted, nobody) = (key.clone(), self.nobody(&key));
        let (view, marks) = self
            .site
            .store
            .read(async move |tx| {
                let no = tx.account_by_key(&wanted).await?.unwrap_or(nobody);
                Ok((sign_in_view(tx, no).await?, marks(tx).await?))
            })
            .await?;
        let subject = view.as_ref().map_or(nobody, |view| view.account);
        let browser_id = self.recognised_id(visitor, subject).await?;
        if let Spending::Wait(until) = self
            .spend(subject, Tried::Mail, browser_id, &visitor.range, now)
            .await?
        {
            return Ok(ReturnOutcome::Wait(until));
        }
        let memory = Memory {
            name: key.clone(),
            given: typed.trim().chars().take(300).collect(),
            ..Memory::default()
        };
        Ok(ReturnOutcome::Asked(match view {
            Some(view) => self.write_return(&view, memory, visitor, marks, now, &mut env).await?,
            None => self.begin_hollow(&key, typed, marks, now, &mut env).await?,
        }))
    }

    /// Begins a return after a right password on an account that must choose a new one. The code is sent when it is asked for,
    /// so that whoever has the password cannot fill the mailbox. `None` when no contact may prove the owner.
    pub(crate) async fn begin_return(
        &self,
        view: &SignInView,
        marks: Marks,
        now: Timestamp,
        env: &mut Env,
    ) -> Result<Option<(Zeroizing<String>, String)>, Fault> {
        let Some(contact) = Self::proving_contact(view, now) else {
            return Ok(None);
        };
        let shown = masked(&contact.address);
        let memory = Memory {
            given: shown.clone(),
            ..Memory::default()
        };
        let progress = Progress {
            purpose: Purpose::Return,
            account: view.account,
            proofs: Proofs::NONE,
            born: Born {
                epoch: view.living.epoch,
                mark: marks.mark,
            },
        };
        let token = self
            .begin(Purpose::Return, &progress, &memory.text(), None, now, env)
            .await?;
        Ok(Some((token, shown)))
    }

    /// The contact that a code goes to: one that may prove the owner, the best reached first.
    fn proving_contact(view: &SignInView, now: Timestamp) -> Option<&Contact> {
        let proving = view.contacts.iter().filter(|contact| {
            contact.kind == "email"
                && may_prove(
                    &crate::notices::standing(contact, view.made_at),
                    view.needs,
                    view.made_at,
                    now,
                )
        });
        proving.min_by_key(|contact| (contact.reach == Reach::Dead, contact.reach, contact.contact_no))
    }

    async fn write_return(
        &self,
        view: &SignInView,
        mut memory: Memory,
        visitor: &Visitor,
        marks: Marks,
        now: Timestamp,
        env: &mut Env,
    ) -> Result<Zeroizing<String>, Fault> {
        let account = view.account;
        let token = Token::mint(TokenKind::Flow, account.block(), &self.site.tokens, &mut *env.chance);
        // Without an address that may prove the owner, the conversation goes on as every other one, and no code is right.
        let letter = Self::proving_contact(view, now).map(|contact| {
            let (asked, code) = self.ask_code(account.get(), token.hash(), Some(contact.contact_no), now, env);
            memory.code = Some(asked);
            self.code_letter(view, contact, code, visitor, now, env)
        });
        let new = NewFlow {
            home: account.block(),
            token_hash: token.hash(),
            purpose: Purpose::Return,
            account: Some(account),
            born: Born {
                epoch: view.living.epoch,
                mark: marks.mark,
            },
            proofs: Proofs::NONE,
            body: memory.text(),
            made_at: now,
            expires_at: now.plus_seconds(Purpose::Return.lasts()),
        };
        self.site
            .store
            .write(async move |tx| {
                // A newer request kills the older ones and their codes.
                tx.end_flows(account, Purpose::Return, now).await?;
                tx.cancel_notices(account.into(), "reset-code", now).await?;
                tx.begin_flow(&new).await?;
                match &letter {
                    Some(letter) => letter.queue(tx).await,
                    None => Ok(()),
                }
            })
            .await?;
        Ok(token.text())
    }

    fn code_letter(
        &self,
        view: &SignInView,
        contact: &Contact,
        code: rightful_notify::Code,
        visitor: &Visitor,
        now: Timestamp,
        env: &mut Env,
    ) -> crate::notices::Draft {
        let notice = Notice::ResetCode {
            code,
            asked_at: now,
            browser: visitor.browser.clone(),
            place: visitor.place.clone(),
        };
        let locale = locale_of(view.living.locale.as_deref(), visitor.locale);
        let (to, contact_no) = (view.account.into(), Some(contact.contact_no));
        self.draft(to, contact_no, &contact.address, locale, notice, now, env)
    }

    /// A conversation in which nothing typed is ever right: it looks like every other one.
    pub(crate) async fn begin_hollow(
        &self,
        key: &str,
        typed: &str,
        marks: Marks,
        now: Timestamp,
        env: &mut Env,
    ) -> Result<Zeroizing<String>, Fault> {
        let home = self.home_of_nobody(key);
        let token = Token::mint(TokenKind::Flow, home, &self.site.tokens, &mut *env.chance);
        let purpose = Purpose::Return;
        let memory = Memory {
            name: key.to_owned(),
            given: typed.trim().chars().take(300).collect(),
            hollow: true,
            ..Memory::default()
        };
        let new = NewFlow {
            home,
            token_hash: token.hash(),
            purpose,
            account: None,
            born: Born {
                epoch: 0,
                mark: marks.mark,
            },
            proofs: Proofs::NONE,
            body: memory.text(),
            made_at: now,
            expires_at: now.plus_seconds(purpose.lasts()),
        };
        self.site.store.write(async move |tx| tx.begin_flow(&new).await).await?;
        Ok(token.text())
    }

    /// Sends another code in a return; the one before is dead.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn new_password_code_again(&self, token: &str, visitor: &Visitor) -> Result<ReturnOutcome, Fault> {
        let mut env = self.env();
        let now = env.now();
        let Some((mut flow, _)) = self.flow_with_needs(token, Purpose::Return, now).await? else {
            return Ok(ReturnOutcome::StartAgain);
        };
        let Some(mut memory) = Memory::of(&flow) else {
            return Ok(ReturnOutcome::StartAgain);
        };
        let subject = flow.account.unwrap_or_else(|| self.nobody(&memory.name));
        let browser_id = self.recognised_id(visitor, subject).await?;
        if let Spending::Wait(until) = self
            .spend(subject, Tried::Mail, browser_id, &visitor.range, now)
            .await?
        {
            return Ok(ReturnOutcome::Wait(until));
        }
        let asked = || Ok(ReturnOutcome::Asked(Zeroizing::new(token.to_owned())));
        let Some(account) = flow.account else {
            return asked();
        };
        let view = self
            .site
            .store
            .read(async move |tx| sign_in_view(tx, account).await)
            .await?;
        let Some((view, contact)) = view.and_then(|view| {
            let contact = Self::proving_contact(&view, now)?.clone();
            Some((view, contact))
        }) else {
            return asked();
        };
        let (code, shown) = self.ask_code(account.get(), flow.token_hash, Some(contact.contact_no), now, &mut env);
        memory.code = Some(code);
        flow.body = memory.text();
        let letter = self.code_letter(&view, &contact, shown, visitor, now, &mut env);
        let written = self.site.store.write(async move |tx| {
            if !tx.advance_flow(&flow, flow.token_hash).await? {
                return Ok(false);
            }
            tx.cancel_notices(account.into(), "reset-code", now).await?;
            letter.queue(tx).await?;
            Ok(true)
        });
        if written.await? {
            asked()
        } else {
            Ok(ReturnOutcome::StartAgain)
        }
    }

    /// Takes the code by mail.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn new_password_code(&self, token: &str, typed: &str, visitor: &Visitor) -> Result<ReturnOutcome, Fault> {
        let mut env = self.env();
        let now = env.now();
        let Some((flow, needs)) = self.flow_with_needs(token, Purpose::Return, now).await? else {
            return Ok(ReturnOutcome::StartAgain);
        };
        let Some(mut memory) = Memory::of(&flow) else {
            return Ok(ReturnOutcome::StartAgain);
        };
        let subject = flow.account.unwrap_or_else(|| self.nobody(&memory.name));
        let browser_id = self.recognised_id(visitor, subject).await?;
        let spent = match self
            .spend(subject, Tried::MailCode, browser_id, &visitor.range, now)
            .await?
        {
            Spending::Spent(spent) => spent,
            Spending::Wait(until) => return Ok(ReturnOutcome::Wait(until)),
        };
        let asked = memory.code.take().filter(|_| !memory.hollow && flow.account.is_some());
        let right = asked
            .as_ref()
            .is_some_and(|asked| self.is_code(subject.get(), asked, typed, now));
        if !right {
            return Ok(ReturnOutcome::WrongCode);
        }
        let contact_no = asked.and_then(|asked| asked.contact_no);
        self.move_on(
            flow,
            needs,
            Method::MailCode,
            memory,
            (Some(spent), contact_no),
            now,
            &mut env,
        )
        .await
    }

    /// Takes the second factor of a return.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn new_password_factor(
        &self,
        token: &str,
        method: Method,
        typed: &str,
        visitor: &Visitor,
    ) -> Result<ReturnOutcome, Fault> {
        let mut env = self.env();
        let now = env.now();
        let Some((flow, needs)) = self.flow_with_needs(token, Purpose::Return, now).await? else {
            return Ok(ReturnOutcome::StartAgain);
        };
        let (Some(account), Some(memory)) = (flow.account, Memory::of(&flow)) else {
            return Ok(ReturnOutcome::StartAgain);
        };
        // The factor is asked for after the mailbox, never before: whoever has neither tries nothing.
        if !flow.proofs.has(Method::MailCode) {
            return Ok(ReturnOutcome::StartAgain);
        }
        let browser_id = self.recognised_id(visitor, account).await?;
        match self
            .try_factor(account, method, typed, browser_id, visitor, now, &mut env)
            .await?
        {
            FactorVerdict::Wait(until) => Ok(ReturnOutcome::Wait(until)),
            FactorVerdict::Wrong => Ok(ReturnOutcome::WrongCode),
            FactorVerdict::Right => {
                self.move_on(flow, needs, method, memory, (None, None), now, &mut env)
                    .await
            }
        }
    }

    /// Writes a proof into a conversation, under a new token, and says what is next.
    #[expect(
        clippy::too_many_arguments,
        reason = "a conversation, what was proved in it, and what is written with it"
    )]
    async fn move_on(
        &self,
        mut flow: Flow,
        needs: Needs,
        proved: Method,
        memory: Memory,
        (spent, proved_contact): (Option<Spent>, Option<i64>),
        now: Timestamp,
        env: &mut Env,
    ) -> Result<ReturnOutcome, Fault> {
        flow.proofs = flow.proofs.with(proved);
        flow.body = memory.text();
        let token = Token::mint(TokenKind::Flow, flow.home, &self.site.tokens, &mut *env.chance);
        let (seen, hash) = (flow.clone(), token.hash());
        let written = self
            .site
            .store
            .write(async move |tx| {
                if !tx.advance_flow(&seen, hash).await? {
                    return Ok(false);
                }
                if let Some(spent) = &spent {
                    spent.give_back(tx).await?;
                }
                if let (Some(account), Some(contact_no)) = (seen.account, proved_contact) {
                    tx.verify_contact(account, contact_no, now).await?;
                }
                Ok(true)
            })
            .await?;
        if !written {
            return Ok(ReturnOutcome::StartAgain);
        }
        Ok(match step_of(&flow, needs) {
            Some(Step::SecondFactor) => ReturnOutcome::Factor(token.text()),
            Some(Step::Choose(_)) => ReturnOutcome::Choose(token.text()),
            _ => ReturnOutcome::StartAgain,
        })
    }

    /// Where a return stands, for a page that is loaded again: `None` when it is over.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn new_password_step(&self, token: &str) -> Result<Option<ReturnStep>, Fault> {
        let now = self.now();
        let Some((flow, needs)) = self.flow_with_needs(token, Purpose::Return, now).await? else {
            return Ok(None);
        };
        Ok(Some(match step_of(&flow, needs) {
            Some(Step::SecondFactor) => ReturnStep::Factor,
            Some(Step::Choose(_)) => {
                let memory = Memory::of(&flow).unwrap_or_default();
                ReturnStep::Choose {
                    second_factor: needs.second_factor,
                    typed: (!memory.name.is_empty()).then_some(memory.given),
                }
            }
            _ => {
                let memory = Memory::of(&flow).unwrap_or_default();
                ReturnStep::Code {
                    // A return that began with a right password knows no name.
                    after_password: memory.name.is_empty(),
                    shown: memory.given,
                }
            }
        }))
    }

    /// Sets the new password of a return.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn choose_password(
        &self,
        token: &str,
        password: &Zeroizing<String>,
        visitor: &Visitor,
    ) -> Result<ReturnOutcome, Fault> {
        let mut env = self.env();
        let now = env.now();
        let Some((mut flow, needs)) = self.flow_with_needs(token, Purpose::Return, now).await? else {
            return Ok(ReturnOutcome::StartAgain);
        };
        let (Some(Step::Choose(may)), Some(mut memory)) = (step_of(&flow, needs), Memory::of(&flow)) else {
            return Ok(ReturnOutcome::StartAgain);
        };
        if memory.tries >= MOST_TRIES {
            return Ok(ReturnOutcome::StartAgain);
        }
        memory.tries += 1;
        flow.body = memory.text();
        // Counted before anything is computed, so that a race gets no more tries than one after the other would.
        let seen = flow.clone();
        let counted = self
            .site
            .store
            .write(async move |tx| tx.advance_flow(&seen, seen.token_hash).await);
        if !counted.await? {
            return Ok(ReturnOutcome::StartAgain);
        }
        flow.version += 1;
        let account = may.account();
        let Some(view) = self
            .site
            .store
            .read(async move |tx| sign_in_view(tx, account).await)
            .await?
        else {
            return Ok(ReturnOutcome::StartAgain);
        };
        let accepted = match self.accept(account, password, needs.second_factor, &view).await? {
            Ok(accepted) => accepted,
            Err(refusals) => return Ok(ReturnOutcome::Refused(refusals)),
        };
        let set = self
            .set_password(&may, &flow, &view, &accepted, visitor, now, &mut env)
            .await?;
        Ok(if set {
            ReturnOutcome::Done
        } else {
            ReturnOutcome::StartAgain
        })
    }

    /// Whether a password may be an account's new one. Tries it and its variations as the old one, in the pool.
    pub(crate) async fn accept(
        &self,
        account: AccountNo,
        password: &Zeroizing<String>,
        second_factor: bool,
        view: &SignInView,
    ) -> Result<Result<AcceptedPassword, Vec<Refusal>>, Fault> {
        let names = self.site.store.read(async move |tx| tx.names(&[account]).await).await?;
        let identifiers: Vec<&str> = names.iter().map(|name| name.given.as_str()).collect();
        let accepted = match self.follows_rules(password, &identifiers, second_factor) {
            Ok(accepted) => accepted,
            Err(faults) => return Ok(Err(faults.into_iter().map(Refusal::Rule).collect())),
        };
        let old = view.password.as_ref().and_then(|stored| {
            let opened = self.site.open_hash(stored.account, stored.password_no, &stored.sealed);
            opened.ok()
        });
        Ok(match self.compare_with_old(old, password, &accepted).await? {
            Some(refusal) => Err(vec![refusal]),
            None => Ok(accepted),
        })
    }

    /// The rules that hold for every new password.
    pub(crate) fn follows_rules(
        &self,
        password: &str,
        identifiers: &[&str],
        second_factor: bool,
    ) -> Result<AcceptedPassword, Vec<PasswordFault>> {
        let normal = normal_form(password).map_err(|fault| vec![fault])?;
        let context = Context {
            site_name: &self.policy.site_name,
            identifiers,
            second_factor,
            known_leaked: self.known_leaked.contains(normal.as_bytes()),
        };
        check(password, &context)
    }

    async fn compare_with_old(
        &self,
        old: Option<StoredHash>,
        password: &Zeroizing<String>,
        accepted: &AcceptedPassword,
    ) -> Result<Option<Refusal>, Fault> {
        let Some(old) = old else { return Ok(None) };
        let (forms, variations) = (typed_forms(password), variations_of_new(accepted));
        self.hash(Priority::SignIn, move |arena| {
            let mut is_old = |form: &[u8]| old.verify(form, arena).unwrap_or(false);
            if forms.iter().any(|form| is_old(form)) {
                Some(Refusal::Same)
            } else if variations.iter().any(|variation| is_old(variation)) {
                Some(Refusal::Variation)
            } else {
                None
            }
        })
        .await
    }

    /// A new hash of a password that passed, ready for its row.
    pub(crate) async fn seal_new_password(
        &self,
        account: AccountNo,
        password_no: i64,
        accepted: &AcceptedPassword,
        env: &mut Env,
    ) -> Result<NewPassword, Fault> {
        let salt: [u8; 16] = env.random();
        let bytes = Zeroizing::new(accepted.as_bytes().to_vec());
        let made = self
            .hash(Priority::SignIn, move |arena| {
                hash_new(&bytes, salt, Argon2Params::DEFAULT, arena)
            })
            .await?;
        let hash = made.map_err(|_| Fault::Busy)?;
        Ok(NewPassword {
            sealed: self.site.seal_hash(account, password_no, &hash, &mut *env.chance),
            kind: hash.kind().word().to_owned(),
            weak: false,
            origin: Origin::Set,
            alone: accepted.is_good_alone(),
        })
    }

    /// The change from the password that was seen to a new one.
    async fn replacement(
        &self,
        view: &SignInView,
        accepted: &AcceptedPassword,
        now: Timestamp,
        env: &mut Env,
    ) -> Result<Replacement, Fault> {
        let account = view.account;
        let seen = view.password.as_ref();
        let next_no = match seen {
            Some(seen) => seen.password_no + 1,
            None => {
                let last = self
                    .site
                    .store
                    .read(async move |tx| tx.passwords(&[account]).await)
                    .await?;
                last.last().map_or(1, |last| last.password_no + 1)
            }
        };
        let old = seen.and_then(|seen| self.site.open_hash(account, seen.password_no, &seen.sealed).ok());
        Ok(Replacement {
            account,
            seen: seen.map(|seen| seen.password_no),
            password: self.seal_new_password(account, next_no, accepted, env).await?,
            replaced_digest: old.map(|old| self.site.replaced_digest(account, &old).to_vec()),
            now,
        })
    }

    #[expect(clippy::too_many_arguments, reason = "what was proved, what was read, and who asks")]
    async fn set_password(
        &self,
        may: &MayChoose,
        flow: &Flow,
        view: &SignInView,
        accepted: &AcceptedPassword,
        visitor: &Visitor,
        now: Timestamp,
        env: &mut Env,
    ) -> Result<bool, Fault> {
        let account = may.account();
        let change = self.replacement(view, accepted, now, env).await?;
        let told = self.tell_of_password(view, visitor, now, env);
        let body = serde_json::json!({ "proved": may.proofs().words() }).to_string();
        let entry = self
            .site
            .entry(AuditSubject::Account(account), "password.set_at_return", body, now);
        let (born, flow) = (may.born(), flow.clone());
        let set = self.site.store.write(async move |tx| {
            // First of all, so that a hold that comes at the same moment either waits for this or ends it.
            tx.guard_epoch(account, born.epoch).await?;
            if born.mark < floor_of(tx, account).await? || !tx.spend_flow(&flow, now).await? {
                return Ok(false);
            }
            tx.replace_password(&change).await?;
            tx.lift_holds_at_return(account, now).await?;
            tx.end_sessions(account, now).await?;
            // Whoever needed this return may have signed in before: no browser of then is taken for the owner's.
            tx.end_browsers(account, now).await?;
            queue_all(tx, &told).await?;
            tx.audit(&entry).await?;
            Ok(true)
        });
        match set.await {
            Err(StoreError::Changed { .. }) => Ok(false),
            set => Ok(set?),
        }
    }

    fn tell_of_password(
        &self,
        view: &SignInView,
        visitor: &Visitor,
        now: Timestamp,
        env: &mut Env,
    ) -> Vec<crate::notices::Draft> {
        let notice = Notice::PasswordChanged {
            at: now,
            browser: visitor.browser.clone(),
            place: visitor.place.clone(),
        };
        let locale = locale_of(view.living.locale.as_deref(), visitor.locale);
        self.warn(
            view.account,
            &with_standing(&view.contacts, view.made_at),
            locale,
            &notice,
            now,
            env,
        )
    }

    /// Changes the password of whoever is signed in: the current one beside the new one, and where a second factor is enrolled
    /// a fresh proof of it. Everything else ends; this session goes on under a new token.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn change_password(
        &self,
        owner: &Owner,
        current: &Zeroizing<String>,
        password: &Zeroizing<String>,
        visitor: &Visitor,
    ) -> Result<Changed<PasswordChange>, Fault> {
        let mut env = self.env();
        let now = env.now();
        let account = owner.account();
        let Some(view) = self
            .site
            .store
            .read(async move |tx| sign_in_view(tx, account).await)
            .await?
        else {
            return Ok(Changed::SignedOut);
        };
        if view.needs.second_factor && !owner.is_fresh(now) {
            return Ok(Changed::StepUp);
        }
        let browser_id = owner.session.browser_id;
        let spent = match self
            .spend(account, Tried::Password, browser_id, &visitor.range, now)
            .await?
        {
            Spending::Spent(spent) => spent,
            Spending::Wait(until) => return Ok(Changed::Done(PasswordChange::Wait(until))),
        };
        if !self.is_current(&view, current).await? {
            return Ok(Changed::Done(PasswordChange::Refused(vec![Refusal::WrongCurrent])));
        }
        self.site.store.write(async move |tx| spent.give_back(tx).await).await?;
        let accepted = match self.accept(account, password, view.needs.second_factor, &view).await? {
            Ok(accepted) => accepted,
            Err(refusals) => return Ok(Changed::Done(PasswordChange::Refused(refusals))),
        };
        let change = self.replacement(&view, &accepted, now, &mut env).await?;
        let told = self.tell_of_password(&view, visitor, now, &mut env);
        let entry = self
            .site
            .entry(AuditSubject::Account(account), "password.changed", "{}".to_owned(), now);
        let token = self.next_session_token(owner, &mut env);
        let kept = owner.kept_as(&token);
        let changed = self.site.store.write(async move |tx| {
            kept.guard(tx).await?;
            tx.replace_password(&change).await?;
            keep_only(tx, kept, now).await?;
            queue_all(tx, &told).await?;
            tx.audit(&entry).await
        });
        Ok(match unless_ended(changed.await)? {
            Some(()) => Changed::Done(PasswordChange::Done(token.text())),
            None => Changed::SignedOut,
        })
    }

    /// Whether a text is the account's password now. Its budget was spent by the caller.
    pub(crate) async fn is_current(&self, view: &SignInView, typed: &Zeroizing<String>) -> Result<bool, Fault> {
        if typed.len() > MAX_BYTES {
            return Ok(false);
        }
        let stored = view.password.as_ref().and_then(|stored| {
            let opened = self.site.open_hash(stored.account, stored.password_no, &stored.sealed);
            opened.ok()
        });
        let Some(hash) = stored.filter(|_| !view.needs.held) else {
            return Ok(false);
        };
        let forms = typed_forms(typed);
        self.hash(Priority::SignIn, move |arena| {
            forms.iter().any(|form| hash.verify(form, arena).unwrap_or(false))
        })
        .await
    }
}

/// How a change of password by its owner came out.
pub enum PasswordChange {
    /// It is changed; the session goes on under this token.
    Done(Zeroizing<String>),
    /// It will not do.
    Refused(Vec<Refusal>),
    /// Too many attempts.
    Wait(Timestamp),
}

/// Where a return stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReturnStep {
    /// The code by mail.
    Code {
        /// Whether it began because a new password must be chosen, after the old one was right.
        after_password: bool,
        /// The name as it was typed, or the address, masked.
        shown: String,
    },
    /// The second factor.
    Factor,
    /// The new password.
    Choose {
        /// Whether the account has a second factor.
        second_factor: bool,
        /// The name as it was typed, where one was: password managers store the new password under it.
        typed: Option<String>,
    },
}

fn step_of(flow: &Flow, needs: Needs) -> Option<Step> {
    let progress = Progress {
        purpose: Purpose::Return,
        account: flow.account?,
        proofs: flow.proofs,
        born: flow.born,
    };
    Some(flow::next(&progress, needs))
}
