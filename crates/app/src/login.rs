//! A token for a program on the command line, in the manner of RFC 8628: the program asks, an administrator lets it in a
//! browser, the program picks its token up.
//!
//! The program holds the secret of the conversation. The browser is shown its [request](LoginRequest), the hash of the
//! secret: with that it can be answered and not be picked up, so it may stand in an address. What the administrator compares is a code that both
//! show. One of all answers is written, by the version of the row; one of all who come for the token gets it, by spending
//! the row.

use rightful_core::assurance::{Acr, Born, Proofs};
use rightful_core::audit::AuditSubject;
use rightful_core::flow::Purpose;
use rightful_core::role::Role;
use rightful_core::{AccountNo, Timestamp};
use rightful_crypto::code::LoginCode;
use rightful_crypto::token::{Token, TokenKind};
use rightful_store::StoreError;
use rightful_store::account::{AccountState, Living};
use rightful_store::flow::{Flow, NewFlow};
use rightful_store::session::{NewSession, SessionUse};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::app::{App, Fault, random_id};
use crate::budgets::Spending;
use crate::decoy::sweep_before;
use crate::env::Env;
use crate::second_factor::{hex, unhex};
use crate::sessions::Owner;
use crate::sign_in::{floor_of, marks, record};
use crate::visitor::Visitor;

/// How long the token of a program works, in seconds: 8 hours. It is not renewed; a new one is let again.
pub const PROGRAM_LASTS: i64 = 8 * 60 * 60;

/// Where the rows lie. They are few and short-lived, nobody's until they are answered, and swept with the block.
const HOME: i64 = 0;

/// A program asked to be let in.
pub struct LoginBegun {
    /// With this it picks its token up.
    pub secret: Zeroizing<String>,
    /// To be compared with what the page shows.
    pub code: String,
    /// What the page is told. Opens nothing.
    pub request: LoginRequest,
    /// Until when it can be answered.
    pub expires_at: Timestamp,
}

/// How a program's asking came out.
pub enum LoginAsked {
    /// It waits for an administrator now.
    Begun(LoginBegun),
    /// Too many asked from there; the next one may ask then.
    Wait(Timestamp),
}

/// What the page may show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginShown {
    /// A program waits; this is its code.
    Waiting(String),
    /// None does: it gave up, or was answered.
    Gone,
    /// A fresh proof, with the second factor, is needed first.
    StepUp,
    /// Whoever asks may let no program act: there is no such page.
    NotAllowed,
}

/// What an administrator answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginAnswer {
    /// It may act.
    Approve,
    /// It gets nothing.
    Refuse,
}

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginAnswered {
    /// It counts.
    Done,
    /// No program waits: it gave up, or was answered.
    Gone,
    /// A fresh proof, with the second factor, is needed first.
    StepUp,
    /// Whoever answers may let no program act.
    NotAllowed,
}

/// What a program finds when it comes for its token.
#[derive(Debug)]
pub enum LoginPicked {
    /// Nobody answered yet.
    Waiting,
    /// It may act, with this token.
    Token {
        /// The token, shown once.
        token: Zeroizing<String>,
        /// Until when it works.
        expires_at: Timestamp,
    },
    /// It was refused.
    Refused,
    /// There is nothing to pick up: it took too long, it was picked up, or the account changed meanwhile.
    Gone,
}

/// What the conversation remembers.
#[derive(Serialize, Deserialize)]
struct Memory {
    code: String,
    answer: Answer,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Answer {
    Waiting,
    Refused,
    Approved(Approved),
}

/// For whom a program may act, with what the session that let it carried.
#[derive(Serialize, Deserialize)]
struct Approved {
    account: i64,
    epoch: i64,
    mark: i64,
    proofs: String,
}

impl Memory {
    fn of(flow: &Flow) -> Option<Self> {
        serde_json::from_str(&flow.body).ok()
    }

    fn text(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers are JSON")
    }
}

/// Names a conversation to the page: it can be answered by it, and not picked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginRequest([u8; 32]);

impl LoginRequest {
    /// Reads what [`Display`](std::fmt::Display) writes; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = unhex(text)?.try_into().ok()?;
        Some(Self(bytes)).filter(|request| request.to_string() == text)
    }
}

/// 64 characters of hexadecimal.
impl std::fmt::Display for LoginRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

fn is_officer(living: &Living) -> bool {
    living.state == AccountState::Open && Role::from_word(&living.role).is_some()
}

impl App {
    /// A program asks to be let in. Nobody is named in it: whoever lets it, it acts for.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn begin_login(&self, visitor: &Visitor) -> Result<LoginAsked, Fault> {
        let mut env = self.env();
        let now = env.now();
        if let Spending::Wait(until) = self.spend_of_range(&visitor.range, now).await? {
            return Ok(LoginAsked::Wait(until));
        }
        let marks = self.site.store.read(async move |tx| marks(tx).await).await?;
        let token = Token::mint(TokenKind::Flow, HOME, &self.site.tokens, &mut *env.chance);
        let code = LoginCode::mint(&mut *env.chance).shown().to_string();
        let expires_at = now.plus_seconds(Purpose::Login.lasts());
        let memory = Memory {
            code: code.clone(),
            answer: Answer::Waiting,
        };
        let new = NewFlow {
            home: HOME,
            token_hash: token.hash(),
            purpose: Purpose::Login,
            account: None,
            born: Born {
                epoch: 0,
                mark: marks.mark,
            },
            proofs: Proofs::NONE,
            body: memory.text(),
            made_at: now,
            expires_at,
        };
        let write = self.site.store.write(async move |tx| {
            tx.drop_expired_flows(HOME, sweep_before(now)).await?;
            tx.begin_flow(&new).await
        });
        write.await?;
        Ok(LoginAsked::Begun(LoginBegun {
            secret: token.text(),
            code,
            request: LoginRequest(token.hash()),
            expires_at,
        }))
    }

    /// What the page of a request may show to whoever is signed in.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn waiting_login(&self, owner: &Owner, request: LoginRequest) -> Result<LoginShown, Fault> {
        let now = self.now();
        if !self.may_let_programs_act(owner).await? {
            return Ok(LoginShown::NotAllowed);
        }
        if !is_proved(owner, now) {
            return Ok(LoginShown::StepUp);
        }
        let waiting = self.login_flow(request, now).await?;
        Ok(waiting.map_or(LoginShown::Gone, |(_, memory)| LoginShown::Waiting(memory.code)))
    }

    /// An administrator answers a program. Of all answers to one request the first counts.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn answer_login(
        &self,
        owner: &Owner,
        request: LoginRequest,
        answer: LoginAnswer,
    ) -> Result<LoginAnswered, Fault> {
        let now = self.now();
        if !self.may_let_programs_act(owner).await? {
            return Ok(LoginAnswered::NotAllowed);
        }
        // Refusing only takes away.
        if answer == LoginAnswer::Approve && !is_proved(owner, now) {
            return Ok(LoginAnswered::StepUp);
        }
        let Some((mut flow, mut memory)) = self.login_flow(request, now).await? else {
            return Ok(LoginAnswered::Gone);
        };
        let (account, born) = (owner.account(), owner.session.born);
        let (event, answer) = match answer {
            LoginAnswer::Approve => {
                let approved = Approved {
                    account: account.get(),
                    epoch: born.epoch,
                    mark: born.mark,
                    proofs: owner.session.proofs.words(),
                };
                ("login.approved", Answer::Approved(approved))
            }
            LoginAnswer::Refuse => ("login.refused", Answer::Refused),
        };
        memory.answer = answer;
        flow.body = memory.text();
        let body = serde_json::json!({ "session": owner.session_id().to_string() }).to_string();
        let entry = self.site.entry(AuditSubject::Account(account), event, body, now);
        let written = self.site.store.write(async move |tx| {
            let written = tx.advance_flow(&flow, flow.token_hash).await?;
            if written {
                tx.audit(&entry).await?;
            }
            Ok(written)
        });
        Ok(if written.await? {
            LoginAnswered::Done
        } else {
            LoginAnswered::Gone
        })
    }

    /// A program comes for its token. Exactly one of all who come with one secret gets it.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn pick_up_login(&self, secret: &str, visitor: &Visitor) -> Result<LoginPicked, Fault> {
        let mut env = self.env();
        let now = env.now();
        let Some((flow, _)) = self.flow_with_needs(secret, Purpose::Login, now).await? else {
            return Ok(LoginPicked::Gone);
        };
        match Memory::of(&flow).map(|memory| memory.answer) {
            Some(Answer::Waiting) => Ok(LoginPicked::Waiting),
            Some(Answer::Refused) => Ok(LoginPicked::Refused),
            Some(Answer::Approved(approved)) => self.open_for_program(flow, &approved, visitor, now, &mut env).await,
            None => Ok(LoginPicked::Gone),
        }
    }

    async fn open_for_program(
        &self,
        flow: Flow,
        approved: &Approved,
        visitor: &Visitor,
        now: Timestamp,
        env: &mut Env,
    ) -> Result<LoginPicked, Fault> {
        let Some(proofs) = Proofs::from_words(&approved.proofs) else {
            return Ok(LoginPicked::Gone);
        };
        let account = AccountNo::new(approved.account);
        let born = Born {
            epoch: approved.epoch,
            mark: approved.mark,
        };
        let token = Token::mint(TokenKind::Api, account.block(), &self.site.tokens, &mut *env.chance);
        let expires_at = now.plus_seconds(PROGRAM_LASTS);
        let new = NewSession {
            account,
            token_hash: token.hash(),
            session_id: random_id(env),
            used_by: SessionUse::Api,
            born,
            acr: proofs.acr(),
            proofs,
            agent: visitor.agent(),
            address: visitor.address.clone(),
            browser_id: None,
            // The program itself proved nothing: whoever talked an administrator into letting it must not be able to change
            // password, address or factors with it. It can prove itself as everybody does.
            proved_at: Timestamp::from_micros(0),
            made_at: now,
            expires_at,
        };
        let body = serde_json::json!({ "session": new.session_id.to_string(), "use": "api" }).to_string();
        let entry = self
            .site
            .entry(AuditSubject::Account(account), "login.picked_up", body, now);
        let (record, record_id) = (record(visitor, "", proofs, false, now), random_id(env));
        let opened = self.site.store.write(async move |tx| {
            let (living, floor) = (tx.living(account).await?, floor_of(tx, account).await?);
            let lives = living.is_some_and(|living| is_officer(&living) && born.lives(living.epoch, floor));
            if !lives || !tx.spend_flow(&flow, now).await? {
                return Ok(false);
            }
            tx.open_session(&new).await?;
            tx.record_sign_in(account, record_id, None, &record).await?;
            tx.audit(&entry).await?;
            Ok(true)
        });
        match opened.await {
            Ok(true) => Ok(LoginPicked::Token {
                token: token.text(),
                expires_at,
            }),
            Ok(false) | Err(StoreError::Changed { .. }) => Ok(LoginPicked::Gone),
            Err(error) => Err(error.into()),
        }
    }

    /// An administrator at a browser. A program lets no other program act, or its token would never end.
    async fn may_let_programs_act(&self, owner: &Owner) -> Result<bool, Fault> {
        let account = owner.account();
        let living = self.site.store.read(async move |tx| tx.living(account).await).await?;
        Ok(owner.used_by() == SessionUse::Browser && living.is_some_and(|living| is_officer(&living)))
    }

    /// The conversation of a request, while nobody answered it.
    async fn login_flow(&self, request: LoginRequest, now: Timestamp) -> Result<Option<(Flow, Memory)>, Fault> {
        let (flow, marks) = self
            .site
            .store
            .read(async move |tx| Ok((tx.flow(HOME, request.0, now).await?, marks(tx).await?)))
            .await?;
        let flow = flow.filter(|flow| flow.purpose == Purpose::Login && flow.born.mark >= marks.floor);
        Ok(flow.and_then(|flow| {
            let memory = Memory::of(&flow).filter(|memory| matches!(memory.answer, Answer::Waiting))?;
            Some((flow, memory))
        }))
    }
}

/// Whether a session was proved freshly, and with a second factor.
fn is_proved(owner: &Owner, now: Timestamp) -> bool {
    owner.is_fresh(now) && owner.acr() == Acr::Two
}
