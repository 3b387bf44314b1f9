//! Signing in: name and password, then the second factor where there is one.
//!
//! Load, hash outside of any transaction, let the rules decide, write with a guard. A name that nobody has walks the same
//! path: the same reads, the same budgets, a hash that takes as long.

use rightful_core::assurance::{Born, Method, Proofs};
use rightful_core::audit::AuditSubject;
use rightful_core::containment::{self, Action, Pending};
use rightful_core::flow::{self, Needs, Progress, Purpose, SignedIn, Step};
use rightful_core::identifier::{DefaultRegion, Identifier};
use rightful_core::leak::LeakNo;
use rightful_core::password_rule::{MAX_BYTES, is_good_alone, normal_form};
use rightful_core::{AccountNo, Grade, Kind, Timestamp};
use rightful_crypto::password::{Arena, Argon2Params, HashKind, StoredHash, hash_new, leaked_readings};
use rightful_crypto::pool::Priority;
use rightful_crypto::token::{Token, TokenKind};
use rightful_store::account::{AccountState, Contact, Living};
use rightful_store::exposure::Untested;
use rightful_store::flow::{Flow, NewFlow};
use rightful_store::hold::{Hold, HoldAction, HoldSource, NewHold};
use rightful_store::password::{StoredPassword, Wrapping};
use rightful_store::sign_in::SignInRecord;
use rightful_store::{StoreError, Tx};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::app::{App, Fault, random_id};
use crate::budgets::{Spending, Spent, Tried, note_refusal};
use crate::env::Env;
use crate::notices::LeakSource;
use crate::scan_leak::untested_place;
use crate::sessions::Opened;
use crate::visitor::Visitor;

/// Name and password, as they were typed.
pub struct Attempt {
    /// The name.
    pub identifier: String,
    /// The password.
    pub password: Zeroizing<String>,
}

/// How a step of a sign-in came out.
#[derive(Debug)]
pub enum SignInOutcome {
    /// In.
    Open(Opened),
    /// The second factor is next; the token is that of the flow.
    Factor(Zeroizing<String>),
    /// The password was right, and a new one must be chosen.
    ChangeRequired(ChangeRequired),
    /// Wrong, unknown or held: one answer for all.
    Denied,
    /// As [`SignInOutcome::Denied`], on a browser that is recognised as the owner's: the whole of it may be said.
    Held(HeldWhy),
    /// The code was not right, or not any more.
    WrongCode,
    /// Too many attempts; the next one may be made then.
    Wait(Timestamp),
    /// The conversation is over: begin again.
    StartAgain,
}

/// A return that begins because a new password must be chosen. Its code is sent when it is asked for.
pub struct ChangeRequired {
    /// The token of its flow, and the address that the code goes to, masked; `None` when no contact may prove the owner: then
    /// only the support desk helps.
    pub way_back: Option<(Zeroizing<String>, String)>,
    /// What kind of leak it answers, where that is known.
    pub leak: Option<LeakSource>,
}

impl std::fmt::Debug for ChangeRequired {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChangeRequired(..)")
    }
}

/// Why an account is held, for its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldWhy {
    /// Since when.
    pub since: Timestamp,
    /// What kind of leak it answers; `None` for an administrator's hold.
    pub leak: Option<LeakSource>,
}

/// What is read of an account before its password is tried. Everything that decides was read in one moment.
pub(crate) struct SignInView {
    pub(crate) account: AccountNo,
    pub(crate) living: Living,
    pub(crate) password: Option<StoredPassword>,
    pub(crate) needs: Needs,
    pub(crate) held: Option<HeldWhy>,
    /// The kind of leak for which a new password must be chosen.
    pub(crate) change_kind: Option<Kind>,
    pub(crate) untested: Vec<(LeakNo, Untested)>,
    pub(crate) contacts: Vec<Contact>,
    pub(crate) made_at: Timestamp,
}

/// What of the site is read in the same moment.
#[derive(Clone, Copy)]
pub(crate) struct Marks {
    pub(crate) mark: i64,
    pub(crate) floor: i64,
}

pub(crate) async fn marks(tx: &mut Tx) -> Result<Marks, StoreError> {
    Ok(Marks {
        mark: tx.mark().await?,
        floor: tx.mark_floor().await?,
    })
}

/// The source of a hold, in the words of messages.
pub(crate) const fn leak_source(kind: Kind) -> LeakSource {
    match kind {
        Kind::Ours => LeakSource::Ours,
        Kind::Stealer => LeakSource::Stealer,
        Kind::Dump => LeakSource::Dump,
    }
}

/// What an account asks of its owner.
pub(crate) async fn needs(tx: &mut Tx, account: AccountNo) -> Result<Asked, StoreError> {
    let mut holds = tx.holds(account).await?;
    // What a wave that has started is about to write counts from its start.
    holds.extend(tx.pending(account).await?.into_iter().filter_map(hold_to_be));
    let lying = || holds.iter().filter(|hold| hold.lifted_at.is_none());
    let held = lying()
        .find(|hold| hold.action == HoldAction::Hold)
        .map(|hold| HeldWhy {
            since: hold.placed_at,
            leak: hold.kind.map(leak_source),
        });
    let needs = Needs {
        second_factor: !tx.apps(account).await?.is_empty(),
        held: held.is_some(),
        change_required: lying().any(|hold| hold.action == HoldAction::Change),
    };
    let change_kind = lying()
        .filter(|hold| hold.action == HoldAction::Change)
        .find_map(|hold| hold.kind);
    Ok(Asked {
        needs,
        held,
        change_kind,
    })
}

/// The hold that a wave is about to write.
fn hold_to_be(pending: Pending) -> Option<Hold> {
    let action = match pending.action {
        Action::Hold => HoldAction::Hold,
        Action::Change => HoldAction::Change,
        Action::Notice | Action::Nothing => return None,
    };
    Some(Hold {
        hold_no: 0,
        action,
        source: HoldSource::Containment,
        kind: Some(pending.kind),
        leak: Some(pending.leak),
        placed_at: pending.started_at,
        placed_by: String::new(),
        lifted_at: None,
    })
}

/// The mark under which everything of an account is dead.
pub(crate) async fn floor_of(tx: &mut Tx, account: AccountNo) -> Result<i64, StoreError> {
    Ok(containment::floor(tx.mark_floor().await?, &tx.pending(account).await?))
}

/// What an account asks of its owner, and why.
pub(crate) struct Asked {
    pub(crate) needs: Needs,
    pub(crate) held: Option<HeldWhy>,
    change_kind: Option<Kind>,
}

/// Reads what decides about a sign-in. The same statements are run for an account that is not there.
pub(crate) async fn sign_in_view(tx: &mut Tx, no: AccountNo) -> Result<Option<SignInView>, StoreError> {
    let account = tx.account(no).await?;
    let living = tx.living(no).await?;
    let password = tx.current_password(no).await?;
    let asked = needs(tx, no).await?;
    let untested = tx.untested(no).await?;
    let contacts = tx.contacts(no).await?;
    let (Some(account), Some(living)) = (account, living) else {
        return Ok(None);
    };
    if living.state == AccountState::Erased {
        return Ok(None);
    }
    Ok(Some(SignInView {
        account: no,
        living,
        password,
        needs: asked.needs,
        held: asked.held,
        change_kind: asked.change_kind,
        untested,
        contacts,
        made_at: account.created_at,
    }))
}

/// The strict key of what was typed, or where it is no identifier, the text itself: it names nobody.
pub(crate) fn typed_key(typed: &str) -> String {
    let typed = typed.trim();
    let region: Option<DefaultRegion> = None;
    let read = if typed.contains('@') {
        Identifier::email(typed)
    } else if typed.starts_with('+') || typed.bytes().all(|byte| byte.is_ascii_digit()) {
        Identifier::phone(typed, region)
    } else {
        Identifier::username(typed)
    };
    match read {
        Ok(identifier) => identifier.sign_in_key().text().to_owned(),
        Err(_) => format!(" {}", without_nul(typed).take(300).collect::<String>()),
    }
}

/// A text as both engines take it: PostgreSQL has no NUL in its texts.
pub(crate) fn without_nul(text: &str) -> impl Iterator<Item = char> {
    text.chars().map(|c| if c == '\0' { '\u{fffd}' } else { c })
}

/// What a sign-in remembers from the password to the second factor.
#[derive(Default, Serialize, Deserialize)]
struct Memory {
    /// Whether the password is in lists of stolen ones.
    #[serde(default)]
    known_leaked: bool,
}

impl Memory {
    fn of(flow: &Flow) -> Self {
        serde_json::from_str(&flow.body).unwrap_or_default()
    }

    fn text(&self) -> String {
        serde_json::to_string(self).expect("a truth value is JSON")
    }
}

/// What the pool finds out about a typed password.
struct Verdict {
    right: bool,
    /// The same password in our own kind of hash, where the stored one is of another.
    rehash: bool,
}

/// The bytes that were typed, and their NFC form where that differs: native hashes are of the latter, imported ones of either.
pub(crate) fn typed_forms(password: &str) -> Vec<Zeroizing<Vec<u8>>> {
    let mut forms = vec![Zeroizing::new(password.as_bytes().to_vec())];
    if let Ok(normal) = normal_form(password)
        && normal.as_bytes() != password.as_bytes()
    {
        forms.push(Zeroizing::new(normal.as_bytes().to_vec()));
    }
    forms
}

fn verify(hash: &StoredHash, forms: &[Zeroizing<Vec<u8>>], arena: &mut Arena) -> bool {
    // Every form is tried, whatever the first came out as. A hash that cannot be computed is not that of any password: the
    // account fails closed.
    let tried: Vec<bool> = forms
        .iter()
        .map(|form| hash.verify(form, arena).unwrap_or(false))
        .collect();
    tried.contains(&true)
}

impl App {
    /// Takes name and password.
    ///
    /// # Errors
    /// See [`Fault`]; nothing was recorded but what was spent.
    pub async fn sign_in(&self, attempt: Attempt, visitor: &Visitor) -> Result<SignInOutcome, Fault> {
        let mut env = self.env();
        let now = env.now();
        if attempt.password.len() > MAX_BYTES {
            return Ok(SignInOutcome::Denied);
        }
        let key = typed_key(&attempt.identifier);
        let (wanted, nobody) = (key.clone(), self.nobody(&key));
        let (found, marks) = self
            .site
            .store
            .read(async move |tx| {
                let no = tx.account_by_key(&wanted).await?.unwrap_or(nobody);
                Ok((sign_in_view(tx, no).await?, marks(tx).await?))
            })
            .await?;
        let subject = found.as_ref().map_or(nobody, |view| view.account);
        let browser_id = self.recognised_id(visitor, subject).await?;
        let spending = self
            .spend(subject, Tried::Password, browser_id, &visitor.range, now)
            .await?;
        let Spending::Spent(spent) = spending else {
            let Spending::Wait(until) = spending else {
                unreachable!("two cases")
            };
            return Ok(SignInOutcome::Wait(until));
        };
        // However many strangers wait, an owner at his own browser does not wait behind them.
        let priority = match browser_id {
            Some(_) => Priority::KnownBrowser,
            None => Priority::SignIn,
        };
        let verdict = self
            .try_password(found.as_ref(), &key, &attempt.password, priority)
            .await?;
        let held = found.as_ref().and_then(|view| view.held);
        let Some(view) = found.filter(|_| verdict.right) else {
            let why = if held.is_some() { "held" } else { "wrong-password" };
            // Also of a name that nobody has: whoever counts the time must find the same work done.
            self.record_refusal(subject, visitor, browser_id, why, Proofs::NONE, now, &mut env)
                .await?;
            return Ok(match (held, browser_id) {
                (Some(held), Some(_)) => SignInOutcome::Held(held),
                _ => SignInOutcome::Denied,
            });
        };
        self.after_right_password(view, marks, verdict, attempt, visitor, &spent, now, &mut env)
            .await
    }

    async fn try_password(
        &self,
        view: Option<&SignInView>,
        key: &str,
        password: &Zeroizing<String>,
        priority: Priority,
    ) -> Result<Verdict, Fault> {
        let usable = view.filter(|view| !view.needs.held && view.living.state == AccountState::Open);
        let stored = usable.and_then(|view| view.password.as_ref()).and_then(|stored| {
            let opened = self.site.open_hash(stored.account, stored.password_no, &stored.sealed);
            opened.ok()
        });
        let (hash, real) = match stored {
            Some(hash) => (hash, true),
            None => (self.decoy(key), false),
        };
        let forms = typed_forms(password);
        let kind = hash.kind();
        let right = self.hash(priority, move |arena| verify(&hash, &forms, arena)).await?;
        Ok(Verdict {
            right: right && real,
            rehash: kind != HashKind::Argon2id,
        })
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "everything that decides, as it was read in one moment"
    )]
    async fn after_right_password(
        &self,
        view: SignInView,
        marks: Marks,
        verdict: Verdict,
        attempt: Attempt,
        visitor: &Visitor,
        spent: &Spent,
        now: Timestamp,
        env: &mut Env,
    ) -> Result<SignInOutcome, Fault> {
        let mut needs = view.needs;
        // Leaked hashes that waited for this very moment are tried before anything opens.
        let hits = self.try_untested(&view, &attempt.password, now).await?;
        needs.change_required |= hits;
        let progress = Progress {
            purpose: Purpose::SignIn,
            account: view.account,
            proofs: Proofs::NONE.with(Method::Password),
            born: Born {
                epoch: view.living.epoch,
                mark: marks.mark,
            },
        };
        let outcome = match flow::next(&progress, needs) {
            Step::Open(signed_in) => {
                let opened = self.open(&signed_in, &view, visitor, Some(spent), now, env).await?;
                match opened {
                    Some(opened) => {
                        let listed = self.is_known_leaked(&attempt);
                        SignInOutcome::Open(self.say_known_leaked(opened, &view, listed, now).await?)
                    }
                    None => SignInOutcome::StartAgain,
                }
            }
            Step::SecondFactor => {
                // Said to whoever gets in, and not before: a thief who has the password alone must not use up the one time.
                let memory = Memory {
                    known_leaked: self.is_known_leaked(&attempt),
                };
                let token = self
                    .begin(Purpose::SignIn, &progress, &memory.text(), Some(spent), now, env)
                    .await?;
                SignInOutcome::Factor(token)
            }
            Step::ProveFirst => {
                let why = "change-required";
                self.record_refusal(view.account, visitor, None, why, progress.proofs, now, env)
                    .await?;
                // What a hit has just asked for raised the epoch. The way back proves nothing yet, so it begins in the new one.
                let account = view.account;
                let now_is = self.site.store.read(async move |tx| sign_in_view(tx, account).await);
                let Some(view) = now_is.await? else {
                    return Ok(SignInOutcome::StartAgain);
                };
                // It was right, whatever comes of it.
                let right = spent.clone();
                self.site.store.write(async move |tx| right.give_back(tx).await).await?;
                let way_back = self.begin_return(&view, marks, now, env).await?;
                SignInOutcome::ChangeRequired(ChangeRequired {
                    way_back,
                    leak: view.change_kind.map(leak_source),
                })
            }
            Step::Password | Step::MailCode | Step::Choose(_) | Step::Denied => SignInOutcome::Denied,
        };
        if matches!(outcome, SignInOutcome::Open(_) | SignInOutcome::Factor(_)) {
            self.note_length(&view, &attempt.password).await?;
            if verdict.rehash {
                self.upgrade(&view, &attempt.password, now, env).await?;
            }
        }
        Ok(outcome)
    }

    /// The conversation with a second factor as its next step.
    pub(crate) async fn begin(
        &self,
        purpose: Purpose,
        progress: &Progress,
        body: &str,
        spent: Option<&Spent>,
        now: Timestamp,
        env: &mut Env,
    ) -> Result<Zeroizing<String>, Fault> {
        let home = progress.account.block();
        let token = Token::mint(TokenKind::Flow, home, &self.site.tokens, &mut *env.chance);
        let new = NewFlow {
            home,
            token_hash: token.hash(),
            purpose,
            account: Some(progress.account),
            born: progress.born,
            proofs: progress.proofs,
            body: body.to_owned(),
            made_at: now,
            expires_at: now.plus_seconds(purpose.lasts()),
        };
        let spent = spent.cloned();
        self.site
            .store
            .write(async move |tx| {
                tx.drop_expired_flows(home, crate::decoy::sweep_before(now)).await?;
                if let Some(account) = new.account.filter(|_| new.purpose != Purpose::SignIn) {
                    // Of the other purposes one conversation lives at a time: the newer one.
                    tx.end_flows(account, new.purpose, now).await?;
                }
                tx.begin_flow(&new).await?;
                match &spent {
                    Some(spent) => spent.give_back(tx).await,
                    None => Ok(()),
                }
            })
            .await?;
        Ok(token.text())
    }

    /// The flow of a token with its account as it is now; `None` when the conversation is over.
    pub(crate) async fn flow_with_needs(
        &self,
        token: &str,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<Option<(Flow, Needs)>, Fault> {
        let Some(token) = Token::parse(TokenKind::Flow, token, &self.site.tokens) else {
            return Ok(None);
        };
        let (home, hash) = (token.block(), token.hash());
        let found = self
            .site
            .store
            .read(async move |tx| {
                let Some(flow) = tx.flow(home, hash, now).await?.filter(|flow| flow.purpose == purpose) else {
                    return Ok(None);
                };
                let floor = marks(tx).await?.floor;
                let Some(account) = flow.account else {
                    // Nobody's: it walks the same way, and nothing it does is right.
                    return Ok((flow.born.mark >= floor).then_some((flow, Needs::default())));
                };
                let living = tx
                    .living(account)
                    .await?
                    .filter(|living| living.state != AccountState::Erased);
                let floor = containment::floor(floor, &tx.pending(account).await?);
                let lives = living.is_some_and(|living| flow.born.lives(living.epoch, floor));
                let asked = needs(tx, account).await?;
                Ok(lives.then_some((flow, asked.needs)))
            })
            .await?;
        Ok(found)
    }

    /// Takes a code of the app, or a recovery code, as the second factor of a sign-in.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn sign_in_factor(
        &self,
        token: &str,
        method: Method,
        typed: &str,
        visitor: &Visitor,
    ) -> Result<SignInOutcome, Fault> {
        let mut env = self.env();
        let now = env.now();
        let Some((flow, needs)) = self.flow_with_needs(token, Purpose::SignIn, now).await? else {
            return Ok(SignInOutcome::StartAgain);
        };
        let Some(account) = flow.account else {
            return Ok(SignInOutcome::StartAgain);
        };
        let view = self
            .site
            .store
            .read(async move |tx| sign_in_view(tx, account).await)
            .await?;
        let Some(view) = view else {
            return Ok(SignInOutcome::StartAgain);
        };
        let browser_id = self.recognised_id(visitor, account).await?;
        match self
            .try_factor(account, method, typed, browser_id, visitor, now, &mut env)
            .await?
        {
            FactorVerdict::Wait(until) => Ok(SignInOutcome::Wait(until)),
            FactorVerdict::Wrong => {
                let why = "wrong-code";
                self.record_refusal(view.account, visitor, browser_id, why, flow.proofs, now, &mut env)
                    .await?;
                Ok(SignInOutcome::WrongCode)
            }
            FactorVerdict::Right => {
                let progress = Progress {
                    purpose: Purpose::SignIn,
                    account,
                    proofs: flow.proofs.with(method),
                    born: flow.born,
                };
                let Step::Open(signed_in) = flow::next(&progress, needs) else {
                    return Ok(SignInOutcome::StartAgain);
                };
                if !self.spend_flow(&flow, now).await? {
                    return Ok(SignInOutcome::StartAgain);
                }
                let opened = self.open(&signed_in, &view, visitor, None, now, &mut env).await?;
                let Some(opened) = opened else {
                    return Ok(SignInOutcome::StartAgain);
                };
                let listed = Memory::of(&flow).known_leaked;
                Ok(SignInOutcome::Open(
                    self.say_known_leaked(opened, &view, listed, now).await?,
                ))
            }
        }
    }

    pub(crate) async fn spend_flow(&self, flow: &Flow, now: Timestamp) -> Result<bool, Fault> {
        let flow = flow.clone();
        Ok(self
            .site
            .store
            .write(async move |tx| tx.spend_flow(&flow, now).await)
            .await?)
    }

    /// Records an attempt that its budget let through and that opened nothing, on an account or on a name that nobody has.
    #[expect(clippy::too_many_arguments, reason = "the columns of one record")]
    pub(crate) async fn record_refusal(
        &self,
        account: AccountNo,
        visitor: &Visitor,
        browser_id: Option<uuid::Uuid>,
        why: &str,
        proofs: Proofs,
        now: Timestamp,
        env: &mut Env,
    ) -> Result<(), Fault> {
        let id = random_id(env);
        let record = record(visitor, why, proofs, browser_id.is_some(), now);
        self.site
            .store
            .write(async move |tx| {
                note_refusal(tx, account, now).await?;
                tx.record_sign_in(account, id, browser_id, &record).await
            })
            .await?;
        Ok(())
    }

    /// Tries the leaked hashes that waited for this sign-in. A hit is an exposure of grade `exact`, and asks for a new password
    /// from now on; what was tried is dropped.
    async fn try_untested(
        &self,
        view: &SignInView,
        password: &Zeroizing<String>,
        now: Timestamp,
    ) -> Result<bool, Fault> {
        if view.untested.is_empty() {
            return Ok(false);
        }
        let waiting: Vec<(LeakNo, Untested)> = view
            .untested
            .iter()
            .filter(|(_, untested)| untested.expires_at > now)
            .cloned()
            .collect();
        let readings: Vec<Vec<StoredHash>> = waiting
            .iter()
            .map(|(_, untested)| self.open_untested(untested))
            .collect();
        let forms = typed_forms(password);
        let hits: Vec<bool> = self
            .hash(Priority::SignIn, move |arena| {
                let hit = |readings: &Vec<StoredHash>| readings.iter().any(|hash| verify(hash, &forms, arena));
                readings.iter().map(hit).collect()
            })
            .await?;
        let account = view.account;
        let password_no = view.password.as_ref().map(|password| password.password_no);
        let first_hit = waiting
            .iter()
            .zip(&hits)
            .find(|(_, hit)| **hit)
            .map(|((leak, _), _)| *leak);
        let hold = first_hit.map(|leak| NewHold {
            account,
            action: HoldAction::Change,
            source: HoldSource::SignIn,
            kind: None,
            leak: Some(leak),
            placed_by: "server".to_owned(),
            placed_at: now,
        });
        let tested: Vec<(Vec<u8>, Grade)> = waiting
            .iter()
            .zip(&hits)
            .map(|((_, untested), hit)| {
                let grade = if *hit { Grade::Exact } else { Grade::Named };
                (untested.secret_tag.clone(), grade)
            })
            .collect();
        let audit = self.site.entry(
            AuditSubject::Account(account),
            "exposure.tested_at_sign_in",
            serde_json::json!({ "tested": hits.len(), "exact": hits.iter().filter(|hit| **hit).count() }).to_string(),
            now,
        );
        self.site
            .store
            .write(async move |tx| {
                let mut hit = false;
                for (tag, grade) in &tested {
                    let settled = tx.settle_untested(account, tag, *grade, password_no).await?;
                    hit |= settled && *grade == Grade::Exact;
                }
                // Whoever settled it asks for the new password: once, and not of one that was chosen since.
                if let Some(hold) = hold.as_ref().filter(|_| hit) {
                    tx.place_hold(hold).await?;
                }
                tx.audit(&audit).await
            })
            .await?;
        Ok(first_hit.is_some())
    }

    /// The hashes that an untested secret may be; none when it does not open any more.
    fn open_untested(&self, untested: &Untested) -> Vec<StoredHash> {
        let opened = self
            .site
            .sealer
            .open(untested_place(untested.account), &untested.sealed);
        opened.map_or_else(|_| Vec::new(), |text| leaked_readings(&text).hashes)
    }

    fn is_known_leaked(&self, attempt: &Attempt) -> bool {
        self.known_leaked.contains(attempt.password.as_bytes())
    }

    /// Says once that a password is in lists of stolen ones, where it is.
    async fn say_known_leaked(
        &self,
        mut opened: Opened,
        view: &SignInView,
        listed: bool,
        now: Timestamp,
    ) -> Result<Opened, Fault> {
        let Some(password) = view.password.as_ref().filter(|_| listed) else {
            return Ok(opened);
        };
        let (account, password_no) = (view.account, password.password_no);
        let write = self
            .site
            .store
            .write(async move |tx| tx.password_told(account, password_no, now).await);
        opened.known_leaked = write.await?;
        Ok(opened)
    }

    /// Notes of a password whose length nobody knew that it is long enough to open the account by itself.
    async fn note_length(&self, view: &SignInView, password: &Zeroizing<String>) -> Result<(), Fault> {
        let Some(seen) = view.password.as_ref().filter(|seen| !seen.alone) else {
            return Ok(());
        };
        if !normal_form(password).is_ok_and(|normal| is_good_alone(&normal)) {
            return Ok(());
        }
        let (account, password_no) = (seen.account, seen.password_no);
        let note = self
            .site
            .store
            .write(async move |tx| tx.password_alone(account, password_no).await);
        Ok(note.await?)
    }

    /// Puts our own kind of hash in the place of an imported one, once its password was typed.
    async fn upgrade(
        &self,
        view: &SignInView,
        password: &Zeroizing<String>,
        now: Timestamp,
        env: &mut Env,
    ) -> Result<(), Fault> {
        let Some(seen) = view.password.clone() else {
            return Ok(());
        };
        let Ok(old) = self.site.open_hash(seen.account, seen.password_no, &seen.sealed) else {
            return Ok(());
        };
        let Ok(normal) = normal_form(password) else {
            return Ok(());
        };
        let salt: [u8; 16] = env.random();
        let made = self
            .hash(Priority::SignIn, move |arena| {
                hash_new(normal.as_bytes(), salt, Argon2Params::DEFAULT, arena)
            })
            .await;
        // The sign-in is good without it; the next one tries again.
        let Ok(Ok(hash)) = made else { return Ok(()) };
        let wrapping = Wrapping {
            sealed: self
                .site
                .seal_hash(seen.account, seen.password_no, &hash, &mut *env.chance),
            kind: hash.kind().word().to_owned(),
            replaced_digest: self.site.replaced_digest(seen.account, &old).to_vec(),
            seen,
            now,
        };
        self.site
            .store
            .write(async move |tx| tx.rehash_password(&wrapping).await.map(drop))
            .await?;
        Ok(())
    }

    /// Opens a session for whoever is signed in. `None` when the account changed since the first proof.
    pub(crate) async fn open(
        &self,
        signed_in: &SignedIn,
        view: &SignInView,
        visitor: &Visitor,
        spent: Option<&Spent>,
        now: Timestamp,
        env: &mut Env,
    ) -> Result<Option<Opened>, Fault> {
        let made = self.make_session(signed_in, view, visitor, now, env).await?;
        let (account, born, spent, rows) = (signed_in.account(), signed_in.born(), spent.cloned(), made.rows());
        let opened = self
            .site
            .store
            .write(async move |tx| {
                let living = tx.living(account).await?;
                let floor = floor_of(tx, account).await?;
                let lives =
                    living.is_some_and(|living| living.state == AccountState::Open && born.lives(living.epoch, floor));
                if !lives {
                    return Ok(false);
                }
                rows.write(tx).await?;
                if let Some(spent) = &spent {
                    spent.give_back(tx).await?;
                }
                Ok(true)
            })
            .await?;
        Ok(opened.then(|| made.opened()))
    }
}

/// What a code came out as.
pub(crate) enum FactorVerdict {
    Right,
    Wrong,
    Wait(Timestamp),
}

/// A record of an attempt that did not open.
pub(crate) fn record(visitor: &Visitor, why: &str, proofs: Proofs, known: bool, now: Timestamp) -> SignInRecord {
    SignInRecord {
        at: now,
        opened: why.is_empty(),
        why: why.to_owned(),
        proofs,
        address: visitor.address.clone(),
        agent: visitor.agent(),
        place: visitor.place.clone().unwrap_or_default(),
        known,
    }
}
