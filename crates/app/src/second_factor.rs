//! The authenticator app and the recovery codes: trying one, enrolling, making anew, removing.

use rightful_core::assurance::{Method, Proofs};
use rightful_core::audit::AuditSubject;
use rightful_core::flow::Purpose;
use rightful_core::{AccountNo, Timestamp};
use rightful_crypto::code::RecoveryCode;
use rightful_crypto::seal::Place;
use rightful_crypto::token::{Token, TokenKind};
use rightful_crypto::totp::TotpSecret;
use rightful_store::StoreError;
use rightful_store::authenticator::App as AppRow;
use rightful_store::flow::NewFlow;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::app::{App, Fault};
use crate::budgets::{Spending, Tried};
use crate::env::Env;
use crate::notices::{FactorChange, Locale, Notice, queue_all};
use crate::sessions::{Owner, keep_only, locale_of, unless_ended, with_standing};
use crate::sign_in::FactorVerdict;
use crate::visitor::Visitor;

/// How many recovery codes a set has.
pub const RECOVERY_CODES: usize = 10;

/// The name of an app that its owner gave none.
const APP_NAME: &str = "app";

fn app_place(account: AccountNo, authenticator_no: i64) -> Place {
    Place {
        column: "authenticator.sealed",
        owner: account.get(),
        row: authenticator_no,
    }
}

/// An enrolment under way: what its page shows.
pub struct Enrolment {
    /// The token of the flow.
    pub flow: Zeroizing<String>,
    /// The secret in base32, in groups.
    pub secret: Zeroizing<String>,
    /// What the QR code holds (`otpauth://`).
    pub uri: Zeroizing<String>,
}

/// How the end of an enrolment came out.
pub enum EnrolOutcome {
    /// Enrolled. The recovery codes are shown once; the session goes on under this token.
    Enrolled {
        /// The new token of the session.
        session: Zeroizing<String>,
        /// Ten codes.
        codes: Vec<Zeroizing<String>>,
    },
    /// The code was not right.
    WrongCode,
    /// Too many attempts.
    Wait(Timestamp),
    /// A fresh proof is needed first.
    StepUp,
    /// The conversation is over: begin again.
    StartAgain,
}

/// How a change of the account that needs a fresh proof came out.
pub enum Changed<T> {
    /// It is done.
    Done(T),
    /// A fresh proof is needed first.
    StepUp,
    /// The session ended meanwhile.
    SignedOut,
}

/// How the removal of the apps came out.
pub enum AppRemoval {
    /// They are gone; the session goes on under this token.
    Done(Zeroizing<String>),
    /// The password is too short to be all that is left, or nobody knows how long it is: a longer one must be chosen first.
    LongerPassword,
}

impl App {
    /// Tries a code of an app or a recovery code.
    #[expect(clippy::too_many_arguments, reason = "who, what, from where, when")]
    pub(crate) async fn try_factor(
        &self,
        account: AccountNo,
        method: Method,
        typed: &str,
        browser: Option<Uuid>,
        visitor: &Visitor,
        now: Timestamp,
        env: &mut Env,
    ) -> Result<FactorVerdict, Fault> {
        let tried = match method {
            Method::App => Tried::App,
            _ => Tried::RecoveryCode,
        };
        let spent = match self.spend(account, tried, browser, &visitor.range, now).await? {
            Spending::Spent(spent) => spent,
            Spending::Wait(until) => return Ok(FactorVerdict::Wait(until)),
        };
        let right = match method {
            Method::App => self.take_app_code(account, typed, now).await?,
            Method::RecoveryCode => {
                self.take_recovery_code(account, typed, visitor.locale, now, env)
                    .await?
            }
            Method::Password | Method::MailCode => false,
        };
        if right {
            self.site.store.write(async move |tx| spent.give_back(tx).await).await?;
            Ok(FactorVerdict::Right)
        } else {
            Ok(FactorVerdict::Wrong)
        }
    }

    async fn take_app_code(&self, account: AccountNo, typed: &str, now: Timestamp) -> Result<bool, Fault> {
        let apps = self.site.store.read(async move |tx| tx.apps(account).await).await?;
        for app in apps {
            let Some(secret) = self.app_secret(account, &app) else {
                continue;
            };
            if let Some(step) = secret.matching_step(typed, now, Some(app.step)) {
                let number = app.authenticator_no;
                let take = self
                    .site
                    .store
                    .write(async move |tx| tx.take_app_step(account, number, step, now).await);
                return Ok(take.await?);
            }
        }
        Ok(false)
    }

    fn app_secret(&self, account: AccountNo, app: &AppRow) -> Option<TotpSecret> {
        let opened = self
            .site
            .sealer
            .open(app_place(account, app.authenticator_no), &app.sealed)
            .ok()?;
        TotpSecret::from_bytes(&opened)
    }

    async fn take_recovery_code(
        &self,
        account: AccountNo,
        typed: &str,
        locale: Locale,
        now: Timestamp,
        env: &mut Env,
    ) -> Result<bool, Fault> {
        let Some(code) = RecoveryCode::parse(typed) else {
            return Ok(false);
        };
        let digest = code.digest(&self.site.tagger, account.get());
        let told = self
            .tell_of_factor(account, FactorChange::RecoveryCodeUsed, locale, now, env)
            .await?;
        let entry = self.site.entry(
            AuditSubject::Account(account),
            "recovery_code.used",
            "{}".to_owned(),
            now,
        );
        let spent = self.site.store.write(async move |tx| {
            let spent = tx.spend_recovery_code(account, digest, now).await?;
            if spent {
                queue_all(tx, &told).await?;
                tx.audit(&entry).await?;
            }
            Ok(spent)
        });
        Ok(spent.await?)
    }

    /// Draws the notice of a change of second factors to every contact.
    pub(crate) async fn tell_of_factor(
        &self,
        account: AccountNo,
        change: FactorChange,
        locale: Locale,
        now: Timestamp,
        env: &mut Env,
    ) -> Result<Vec<crate::notices::Draft>, Fault> {
        let notice = Notice::SecondFactorChanged { at: now, change };
        self.tell_all(account, &notice, locale, now, env).await
    }

    /// Draws a notice to every contact of an account that gets warnings, in its owner's language.
    pub(crate) async fn tell_all(
        &self,
        account: AccountNo,
        notice: &Notice,
        otherwise: Locale,
        now: Timestamp,
        env: &mut Env,
    ) -> Result<Vec<crate::notices::Draft>, Fault> {
        let (contacts, made_at, locale) = self
            .site
            .store
            .read(async move |tx| {
                let made_at = tx.account(account).await?.map_or(now, |account| account.created_at);
                let locale = tx.living(account).await?.and_then(|living| living.locale);
                Ok((tx.contacts(account).await?, made_at, locale))
            })
            .await?;
        let locale = locale_of(locale.as_deref(), otherwise);
        Ok(self.warn(account, &with_standing(&contacts, made_at), locale, notice, now, env))
    }

    /// Begins the enrolment of an app: a secret that counts for nothing until a code of it is typed.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn begin_app(&self, owner: &Owner, shown_as: &str) -> Result<Changed<Enrolment>, Fault> {
        let mut env = self.env();
        let now = env.now();
        if !owner.is_fresh(now) {
            return Ok(Changed::StepUp);
        }
        let account = owner.account();
        let secret = TotpSecret::mint(&mut *env.chance);
        let token = Token::mint(TokenKind::Flow, account.block(), &self.site.tokens, &mut *env.chance);
        let sealed = self
            .site
            .sealer
            .seal(enrolment_place(account), secret.expose(), &mut *env.chance);
        let new = NewFlow {
            home: account.block(),
            token_hash: token.hash(),
            purpose: Purpose::EnrolApp,
            account: Some(account),
            born: owner.session.born,
            proofs: Proofs::NONE,
            body: serde_json::json!({ "secret": hex(&sealed) }).to_string(),
            made_at: now,
            expires_at: now.plus_seconds(Purpose::EnrolApp.lasts()),
        };
        self.site
            .store
            .write(async move |tx| {
                tx.end_flows(account, Purpose::EnrolApp, now).await?;
                tx.begin_flow(&new).await
            })
            .await?;
        Ok(Changed::Done(self.enrolment(token.text(), &secret, shown_as)))
    }

    fn enrolment(&self, flow: Zeroizing<String>, secret: &TotpSecret, shown_as: &str) -> Enrolment {
        Enrolment {
            flow,
            secret: secret.base32(),
            uri: secret.otpauth_uri(&self.policy.site_name, shown_as),
        }
    }

    /// The enrolment of a flow, to be shown again after a wrong code.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn enrolment_of(&self, owner: &Owner, flow: &str, shown_as: &str) -> Result<Option<Enrolment>, Fault> {
        let now = self.now();
        // Whoever is shown the secret has the factor once it is enrolled.
        if !owner.is_fresh(now) {
            return Ok(None);
        }
        let Some((row, _)) = self.flow_with_needs(flow, Purpose::EnrolApp, now).await? else {
            return Ok(None);
        };
        let secret = self
            .enrolled_secret(owner.account(), &row.body)
            .filter(|_| row.account == Some(owner.account()));
        Ok(secret.map(|secret| self.enrolment(Zeroizing::new(flow.to_owned()), &secret, shown_as)))
    }

    fn enrolled_secret(&self, account: AccountNo, body: &str) -> Option<TotpSecret> {
        let body: serde_json::Value = serde_json::from_str(body).ok()?;
        let sealed = unhex(body.get("secret")?.as_str()?)?;
        let opened = self.site.sealer.open(enrolment_place(account), &sealed).ok()?;
        TotpSecret::from_bytes(&opened)
    }

    /// Ends the enrolment of an app with a code of it. All other sessions end, the owner is told, ten recovery codes are made.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn finish_app(
        &self,
        owner: &Owner,
        flow: &str,
        typed: &str,
        visitor: &Visitor,
    ) -> Result<EnrolOutcome, Fault> {
        let mut env = self.env();
        let now = env.now();
        if !owner.is_fresh(now) {
            return Ok(EnrolOutcome::StepUp);
        }
        let account = owner.account();
        let Some((row, _)) = self.flow_with_needs(flow, Purpose::EnrolApp, now).await? else {
            return Ok(EnrolOutcome::StartAgain);
        };
        let secret = self
            .enrolled_secret(account, &row.body)
            .filter(|_| row.account == Some(account));
        let Some(secret) = secret else {
            return Ok(EnrolOutcome::StartAgain);
        };
        let spent = match self.spend(account, Tried::App, None, &visitor.range, now).await? {
            Spending::Spent(spent) => spent,
            Spending::Wait(until) => return Ok(EnrolOutcome::Wait(until)),
        };
        let Some(step) = secret.matching_step(typed, now, None) else {
            return Ok(EnrolOutcome::WrongCode);
        };
        let codes = mint_codes(&mut env);
        let digests = self.digests(account, &codes);
        let told = self
            .tell_of_factor(account, FactorChange::AppAdded, visitor.locale, now, &mut env)
            .await?;
        let entry = self
            .site
            .entry(AuditSubject::Account(account), "app.enrolled", "{}".to_owned(), now);
        let token = self.next_session_token(owner, &mut env);
        let number = self
            .site
            .store
            .read(async move |tx| tx.next_authenticator_no(account).await)
            .await?;
        let app = AppRow {
            authenticator_no: number,
            name: APP_NAME.to_owned(),
            sealed: self
                .site
                .sealer
                .seal(app_place(account, number), secret.expose(), &mut *env.chance),
            step,
            made_at: now,
            used_at: Some(now),
        };
        // The session has just shown a second factor.
        let proofs = owner.session.proofs.with(Method::App);
        let (kept, session_hash) = (owner.kept_as(&token), owner.token_hash);
        let enrolled = self.site.store.write(async move |tx| {
            kept.guard(tx).await?;
            if !tx.spend_flow(&row, now).await? {
                return Ok(false);
            }
            spent.give_back(tx).await?;
            tx.add_app(account, &app).await?;
            tx.replace_recovery_codes(account, &digests, now).await?;
            tx.session_proved(account, session_hash, proofs, now).await?;
            keep_only(tx, kept, now).await?;
            queue_all(tx, &told).await?;
            tx.audit(&entry).await?;
            Ok(true)
        });
        match enrolled.await {
            Ok(true) => Ok(EnrolOutcome::Enrolled {
                session: token.text(),
                codes: codes.iter().map(RecoveryCode::shown).collect(),
            }),
            Ok(false) | Err(StoreError::Changed { .. }) => Ok(EnrolOutcome::StartAgain),
            Err(error) => Err(error.into()),
        }
    }

    fn digests(&self, account: AccountNo, codes: &[RecoveryCode]) -> Vec<[u8; 32]> {
        let digest = |code: &RecoveryCode| code.digest(&self.site.tagger, account.get());
        codes.iter().map(digest).collect()
    }

    /// Makes a new set of recovery codes; the old ones are dead.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn make_recovery_codes(
        &self,
        owner: &Owner,
        visitor: &Visitor,
    ) -> Result<Changed<Vec<Zeroizing<String>>>, Fault> {
        let mut env = self.env();
        let now = env.now();
        if !owner.is_fresh(now) {
            return Ok(Changed::StepUp);
        }
        let account = owner.account();
        let codes = mint_codes(&mut env);
        let digests = self.digests(account, &codes);
        let (change, epoch) = (FactorChange::RecoveryCodesMade, owner.session.account_epoch);
        let told = self
            .tell_of_factor(account, change, visitor.locale, now, &mut env)
            .await?;
        let entry = self.site.entry(
            AuditSubject::Account(account),
            "recovery_codes.made",
            "{}".to_owned(),
            now,
        );
        let written = self.site.store.write(async move |tx| {
            tx.guard_epoch(account, epoch).await?;
            tx.replace_recovery_codes(account, &digests, now).await?;
            queue_all(tx, &told).await?;
            tx.audit(&entry).await
        });
        Ok(match unless_ended(written.await)? {
            Some(()) => Changed::Done(codes.iter().map(RecoveryCode::shown).collect()),
            None => Changed::SignedOut,
        })
    }

    /// Removes the apps of an owner, and the recovery codes with them: they stand in for an app. Everything else ends.
    ///
    /// Beside a second factor a password of 8 characters will do, alone it needs 15 (NIST SP 800-63B-4 §3.1.1.2). So the factor
    /// goes only when the password is known to have them.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn remove_app(&self, owner: &Owner, visitor: &Visitor) -> Result<Changed<AppRemoval>, Fault> {
        let mut env = self.env();
        let now = env.now();
        if !owner.is_fresh(now) {
            return Ok(Changed::StepUp);
        }
        let account = owner.account();
        let told = self
            .tell_of_factor(account, FactorChange::AppRemoved, visitor.locale, now, &mut env)
            .await?;
        let entry = self
            .site
            .entry(AuditSubject::Account(account), "app.removed", "{}".to_owned(), now);
        let token = self.next_session_token(owner, &mut env);
        let kept = owner.kept_as(&token);
        let written = self.site.store.write(async move |tx| {
            kept.guard(tx).await?;
            // Read after the guard, so that no shorter one is set meanwhile.
            if tx
                .current_password(account)
                .await?
                .is_some_and(|current| !current.alone)
            {
                return Ok(false);
            }
            for app in tx.apps(account).await? {
                tx.end_app(account, app.authenticator_no, now).await?;
            }
            tx.replace_recovery_codes(account, &[], now).await?;
            keep_only(tx, kept, now).await?;
            queue_all(tx, &told).await?;
            tx.audit(&entry).await?;
            Ok(true)
        });
        Ok(match unless_ended(written.await)? {
            Some(true) => Changed::Done(AppRemoval::Done(token.text())),
            Some(false) => Changed::Done(AppRemoval::LongerPassword),
            None => Changed::SignedOut,
        })
    }
}

fn enrolment_place(account: AccountNo) -> Place {
    Place {
        column: "flow.body",
        owner: account.get(),
        row: 0,
    }
}

fn mint_codes(env: &mut Env) -> Vec<RecoveryCode> {
    (0..RECOVERY_CODES)
        .map(|_| RecoveryCode::mint(&mut *env.chance))
        .collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    (digits.len().is_multiple_of(2)).then(|| digits.chunks(2).map(byte).collect())?
}
