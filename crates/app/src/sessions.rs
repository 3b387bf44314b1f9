//! Sessions: opening one, knowing one again, ending them.

use rightful_core::assurance::{Acr, Method, Proofs};
use rightful_core::audit::AuditSubject;
use rightful_core::contact::Standing;
use rightful_core::flow::{SignedIn, is_fresh};
use rightful_core::role::Role;
use rightful_core::{AccountNo, PublicId, Timestamp};
use rightful_crypto::token::{Token, TokenKind};
use rightful_store::account::Contact;
use rightful_store::session::{Browser, ListedSession, NewSession, Session, SessionUse};
use rightful_store::{StoreError, Tx};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::app::{App, Fault, random_id};
use crate::env::Env;
use crate::notices::{Draft, Locale, Notice, queue_all, standing};
use crate::session_view::Known;
use crate::sign_in::{SignInView, floor_of, record};
use crate::visitor::Visitor;

/// How long a session lasts, in seconds: 14 days.
pub const SESSION_LASTS: i64 = 14 * 24 * 60 * 60;

/// How long the record of sign-ins is kept, in seconds: 90 days.
pub const SIGN_INS_KEPT: i64 = 90 * 24 * 60 * 60;

/// A session was opened.
pub struct Opened {
    /// The token of the session, shown once.
    pub session: Zeroizing<String>,
    /// The token of the browser, when it is recognised from now on.
    pub browser: Option<Zeroizing<String>>,
    /// Whether to say, once, that the password is in lists of stolen ones.
    pub known_leaked: bool,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Opened(..)")
    }
}

/// Whoever is signed in: a session that was looked up and lives.
#[derive(Clone, Debug)]
pub struct Owner {
    pub(crate) session: Session,
    second_factor: bool,
    pub(crate) token_hash: [u8; 32],
}

impl Owner {
    /// Whose account.
    pub const fn account(&self) -> AccountNo {
        self.session.account
    }

    /// The id of the account that others see.
    pub const fn account_id(&self) -> PublicId {
        self.session.public_id
    }

    /// What the account may do for the site.
    pub const fn role(&self) -> Option<Role> {
        self.session.role
    }

    /// What was proved.
    pub const fn proofs(&self) -> Proofs {
        self.session.proofs
    }

    /// When the last fresh proof was.
    pub const fn proved_at(&self) -> Timestamp {
        self.session.proved_at
    }

    /// When the session ends by itself.
    pub const fn expires_at(&self) -> Timestamp {
        self.session.expires_at
    }

    /// Whether the account must enrol a second factor before anything else: its role asks for one.
    pub const fn must_enrol(&self) -> bool {
        self.session.role.is_some() && !self.second_factor
    }

    /// What the session is named by.
    pub const fn session_id(&self) -> Uuid {
        self.session.session_id
    }

    /// How strong the session is.
    pub const fn acr(&self) -> Acr {
        self.session.acr
    }

    /// What uses the session.
    pub const fn used_by(&self) -> SessionUse {
        self.session.used_by
    }

    /// Whether its last fresh proof still counts.
    pub const fn is_fresh(&self, now: Timestamp) -> bool {
        is_fresh(self.session.proved_at, now)
    }
}

/// A session about to open: its tokens, and what is written.
pub(crate) struct MadeSession {
    session: Token,
    browser: Option<Token>,
    rows: SessionRows,
}

/// Everything that is written when a session opens.
#[derive(Clone)]
pub(crate) struct SessionRows {
    new: NewSession,
    browser: Option<([u8; 32], Browser)>,
    seen: Option<[u8; 32]>,
    agent: String,
    record: rightful_store::sign_in::SignInRecord,
    record_id: Uuid,
    notices: Vec<Draft>,
    locale: &'static str,
}

impl SessionRows {
    pub(crate) async fn write(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let (account, now) = (self.new.account, self.new.made_at);
        tx.drop_old_sessions(account, now.plus_seconds(-SESSION_LASTS)).await?;
        tx.drop_old_sign_ins(account, now.plus_seconds(-SIGN_INS_KEPT)).await?;
        tx.open_session(&self.new).await?;
        match (&self.browser, self.seen) {
            (Some((hash, browser)), _) => {
                // The first browser of an account is no news to its owner.
                let tell = tx.has_browser(account).await?;
                tx.recognise_browser(browser, *hash, &self.agent).await?;
                if tell {
                    queue_all(tx, &self.notices).await?;
                }
            }
            (None, Some(hash)) => tx.browser_seen(account.block(), hash, &self.agent, now).await?,
            (None, None) => {}
        }
        tx.set_locale(account, self.locale).await?;
        tx.record_sign_in(account, self.record_id, self.new.browser_id, &self.record)
            .await
    }
}

impl MadeSession {
    pub(crate) fn rows(&self) -> SessionRows {
        self.rows.clone()
    }

    pub(crate) fn opened(&self) -> Opened {
        Opened {
            session: self.session.text(),
            browser: self.browser.as_ref().map(Token::text),
            known_leaked: false,
        }
    }
}

/// The contacts of an account with what is known of each.
pub(crate) fn with_standing(contacts: &[Contact], made_at: Timestamp) -> Vec<(Contact, Standing)> {
    let known = contacts
        .iter()
        .map(|contact| (contact.clone(), standing(contact, made_at)));
    known.collect()
}

impl App {
    /// The recognised browser that a request brought, if it is one of this account's.
    pub(crate) async fn recognised(
        &self,
        visitor: &Visitor,
        account: AccountNo,
    ) -> Result<Option<(Browser, [u8; 32])>, Fault> {
        let parse = |text: &String| Token::parse(TokenKind::Browser, text, &self.site.tokens);
        let Some(token) = visitor.browser_token.as_ref().and_then(parse) else {
            return Ok(None);
        };
        let (block, hash) = (token.block(), token.hash());
        let (found, floor) = self
            .site
            .store
            .read(async move |tx| Ok((tx.browser(block, hash).await?, tx.mark_floor().await?)))
            .await?;
        Ok(found
            .filter(|browser| browser.account == account && browser.mark >= floor)
            .map(|browser| (browser, hash)))
    }

    /// What the budgets of a request name its browser by, when it is a recognised one of this account's.
    pub(crate) async fn recognised_id(&self, visitor: &Visitor, account: AccountNo) -> Result<Option<Uuid>, Fault> {
        let found = self.recognised(visitor, account).await?;
        Ok(found.map(|(browser, _)| browser.browser_id))
    }

    /// Draws everything that is written when a session opens.
    pub(crate) async fn make_session(
        &self,
        signed_in: &SignedIn,
        view: &SignInView,
        visitor: &Visitor,
        now: Timestamp,
        env: &mut Env,
    ) -> Result<MadeSession, Fault> {
        let account = signed_in.account();
        let recognised = self.recognised(visitor, account).await?;
        let agent = visitor.agent();
        let (browser, seen, browser_id) = match recognised {
            Some((browser, hash)) => (None, Some(hash), browser.browser_id),
            None => {
                let token = Token::mint(TokenKind::Browser, account.block(), &self.site.tokens, &mut *env.chance);
                let browser_id = random_id(env);
                let browser = Browser {
                    account,
                    browser_id,
                    mark: signed_in.born().mark,
                    made_at: now,
                };
                (Some((token, browser)), None, browser_id)
            }
        };
        let session = Token::mint(TokenKind::Session, account.block(), &self.site.tokens, &mut *env.chance);
        let new = NewSession {
            account,
            token_hash: session.hash(),
            session_id: random_id(env),
            used_by: SessionUse::Browser,
            born: signed_in.born(),
            acr: signed_in.acr(),
            proofs: signed_in.proofs(),
            agent: agent.clone(),
            address: visitor.address.clone(),
            browser_id: Some(browser_id),
            proved_at: now,
            made_at: now,
            expires_at: now.plus_seconds(SESSION_LASTS),
        };
        let news = Notice::NewBrowser {
            at: now,
            browser: visitor.browser.clone(),
            place: visitor.place.clone(),
        };
        let contacts = with_standing(&view.contacts, view.made_at);
        let notices = self.warn(account, &contacts, visitor.locale, &news, now, env);
        let (browser_token, browser) = browser.unzip();
        let rows = SessionRows {
            record: record(visitor, "", signed_in.proofs(), seen.is_some(), now),
            record_id: random_id(env),
            new,
            browser: browser_token.as_ref().map(Token::hash).zip(browser),
            seen,
            agent,
            notices,
            locale: visitor.locale.word(),
        };
        Ok(MadeSession {
            session,
            browser: browser_token,
            rows,
        })
    }

    /// Whoever a token of a session signs in; `None` when it lives no more.
    ///
    /// # Errors
    /// What the database says.
    pub async fn owner(&self, token: &str) -> Result<Option<Owner>, Fault> {
        let read = |kind| Token::parse(kind, token, &self.site.tokens).map(|token| (kind, token));
        let Some((kind, token)) = read(TokenKind::Session).or_else(|| read(TokenKind::Api)) else {
            return Ok(None);
        };
        let now = self.now();
        let Some(Known {
            session,
            floor,
            second_factor,
        }) = self.known_session(&token, now).await?
        else {
            return Ok(None);
        };
        let fits = (kind == TokenKind::Api) == (session.used_by == SessionUse::Api);
        let lives =
            session.expires_at > now && session.account_open && session.born.lives(session.account_epoch, floor);
        Ok((fits && lives).then(|| Owner {
            session,
            second_factor,
            token_hash: token.hash(),
        }))
    }

    /// The session of a token as it was a moment ago, or as it is; `None` when there is none. Notes that it is in use.
    async fn known_session(&self, token: &Token, now: Timestamp) -> Result<Option<Known>, Fault> {
        let (block, hash) = (token.block(), token.hash());
        if let Some(known) = self.sessions.known(&hash) {
            return Ok(Some(known));
        }
        let read = self.sessions.moment();
        let found = self
            .site
            .store
            .read(async move |tx| {
                let Some(session) = tx.session(block, hash, now).await? else {
                    return Ok(None);
                };
                let account = session.account;
                Ok(Some(Known {
                    session,
                    floor: floor_of(tx, account).await?,
                    second_factor: !tx.apps(account).await?.is_empty(),
                }))
            })
            .await?;
        let Some(known) = found else {
            return Ok(None);
        };
        let session = &known.session;
        if now.micros_since(session.seen_at) > 60_000_000 {
            self.site
                .store
                .write(async move |tx| tx.session_seen(block, hash, now).await)
                .await?;
        }
        self.sessions.remember(hash, known.clone(), read);
        Ok(Some(known))
    }

    /// Ends the session of a request.
    ///
    /// # Errors
    /// What the database says.
    pub async fn sign_out(&self, owner: &Owner) -> Result<(), Fault> {
        let (account, hash, now) = (owner.account(), owner.token_hash, self.now());
        Ok(self
            .site
            .store
            .write(async move |tx| tx.end_session(account, hash, now).await)
            .await?)
    }

    /// The living sessions of an owner, oldest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn sessions(&self, owner: &Owner) -> Result<Vec<ListedSession>, Fault> {
        let (account, now) = (owner.account(), self.now());
        let (sessions, floor) = self
            .site
            .store
            .read(async move |tx| Ok((tx.sessions(account, now).await?, floor_of(tx, account).await?)))
            .await?;
        let epoch = owner.session.account_epoch;
        Ok(sessions
            .into_iter()
            .filter(|session| session.born.lives(epoch, floor))
            .collect())
    }

    /// Ends one session of an owner. False when there is none of this name. Needs no fresh proof: it only takes away.
    ///
    /// # Errors
    /// What the database says.
    pub async fn end_session(&self, owner: &Owner, session_id: Uuid) -> Result<bool, Fault> {
        let (account, now) = (owner.account(), self.now());
        let entry = self.site.entry(
            AuditSubject::Account(account),
            "session.ended",
            serde_json::json!({ "session": session_id.to_string() }).to_string(),
            now,
        );
        let ended = self.site.store.write(async move |tx| {
            let ended = tx.end_one_session(account, session_id, now).await?;
            if ended {
                tx.audit(&entry).await?;
            }
            Ok(ended)
        });
        Ok(ended.await?)
    }

    /// Signs an owner out everywhere but here: the epoch rises, and this session gets a new token under it. `None` when it was
    /// ended meanwhile: nothing is changed then.
    ///
    /// # Errors
    /// What the database says.
    pub async fn end_other_sessions(&self, owner: &Owner) -> Result<Option<Zeroizing<String>>, Fault> {
        let mut env = self.env();
        let now = env.now();
        let entry = self.site.entry(
            AuditSubject::Account(owner.account()),
            "sessions.ended",
            "{}".to_owned(),
            now,
        );
        let token = self.next_session_token(owner, &mut env);
        let kept = owner.kept_as(&token);
        let written = self.site.store.write(async move |tx| {
            kept.guard(tx).await?;
            keep_only(tx, kept, now).await?;
            tx.audit(&entry).await
        });
        Ok(unless_ended(written.await)?.map(|()| token.text()))
    }

    /// A new token for the session of a request.
    pub(crate) fn next_session_token(&self, owner: &Owner, env: &mut Env) -> Token {
        let kind = match owner.used_by() {
            SessionUse::Browser => TokenKind::Session,
            SessionUse::Api => TokenKind::Api,
        };
        Token::mint(kind, owner.account().block(), &self.site.tokens, &mut *env.chance)
    }

    /// Notes a fresh proof by the methods given.
    pub(crate) async fn prove(
        &self,
        owner: &Owner,
        methods: &[Method],
        now: Timestamp,
        env: &mut Env,
    ) -> Result<Option<Zeroizing<String>>, Fault> {
        let proofs = methods
            .iter()
            .fold(owner.session.proofs, |proofs, method| proofs.with(*method));
        let token = self.next_session_token(owner, env);
        let (account, from, to) = (owner.account(), owner.token_hash, token.hash());
        let epoch = owner.session.born.epoch;
        let proved = self.site.store.write(async move |tx| {
            Ok(tx.session_proved(account, from, proofs, now).await?
                && tx.move_session(account, from, to, epoch).await?)
        });
        Ok(proved.await?.then(|| token.text()))
    }
}

/// Raises the epoch and ends every session but that of the owner, which goes on under a new token.
///
/// [`Kept::guard`] comes first in the transaction.
///
/// # Errors
/// [`StoreError::Changed`] when that session was ended meanwhile, by its owner in another browser perhaps, who took it for a
/// thief's. Nothing of the change is kept then: who has no session changes nothing.
pub(crate) async fn keep_only(tx: &mut Tx, kept: Kept, now: Timestamp) -> Result<(), StoreError> {
    tx.end_other_sessions(kept.account, kept.from, now).await?;
    let epoch = tx.raise_epoch(kept.account).await?;
    match tx.move_session(kept.account, kept.from, kept.to, epoch).await? {
        true => Ok(()),
        false => Err(StoreError::Changed { what: "session" }),
    }
}

/// What a change came to that its owner made in a session. That the session died since the request came is no fault but an
/// outcome: `None`.
pub(crate) fn unless_ended<T>(written: Result<T, StoreError>) -> Result<Option<T>, Fault> {
    match written {
        Ok(done) => Ok(Some(done)),
        Err(StoreError::Changed { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A session that outlives a change that its owner makes in it, and its next token.
#[derive(Clone, Copy)]
pub(crate) struct Kept {
    account: AccountNo,
    epoch: i64,
    mark: i64,
    from: [u8; 32],
    to: [u8; 32],
}

impl Kept {
    /// Begins the change: refused when the session died since the request came, by a hold above all.
    pub(crate) async fn guard(self, tx: &mut Tx) -> Result<(), StoreError> {
        tx.guard_epoch(self.account, self.epoch).await?;
        // A wave that started since has not raised the epoch yet.
        match floor_of(tx, self.account).await? > self.mark {
            true => Err(StoreError::Changed { what: "account" }),
            false => Ok(()),
        }
    }
}

impl Owner {
    /// This session, to go on under another token.
    pub(crate) fn kept_as(&self, next: &Token) -> Kept {
        Kept {
            account: self.account(),
            epoch: self.session.account_epoch,
            mark: self.session.born.mark,
            from: self.token_hash,
            to: next.hash(),
        }
    }
}

/// The language that an owner reads, where it is known.
pub(crate) fn locale_of(word: Option<&str>, otherwise: Locale) -> Locale {
    word.and_then(Locale::from_tag).unwrap_or(otherwise)
}
