//! A fresh proof of whoever is signed in, before a change that a thief of the session must not make.

use rightful_core::Timestamp;
use rightful_core::assurance::Method;
use zeroize::Zeroizing;

use crate::app::{App, Fault};
use crate::budgets::{Spending, Tried};
use crate::sessions::Owner;
use crate::sign_in::{FactorVerdict, sign_in_view};
use crate::visitor::Visitor;

/// How a fresh proof came out.
pub enum StepUpOutcome {
    /// It counts; the session goes on under this token.
    Proved(Zeroizing<String>),
    /// It was not right.
    Wrong,
    /// Too many attempts.
    Wait(Timestamp),
    /// The session ended meanwhile.
    SignedOut,
}

/// What a fresh proof is made with: the highest that the account has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofAsked {
    /// The password.
    Password,
    /// A code of the app.
    App,
}

impl App {
    /// What a fresh proof of an owner is made with.
    ///
    /// # Errors
    /// What the database says.
    pub async fn proof_asked(&self, owner: &Owner) -> Result<ProofAsked, Fault> {
        let account = owner.account();
        let apps = self.site.store.read(async move |tx| tx.apps(account).await).await?;
        Ok(if apps.is_empty() {
            ProofAsked::Password
        } else {
            ProofAsked::App
        })
    }

    /// Takes a fresh proof.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn step_up(
        &self,
        owner: &Owner,
        typed: &Zeroizing<String>,
        visitor: &Visitor,
    ) -> Result<StepUpOutcome, Fault> {
        let mut env = self.env();
        let now = env.now();
        let account = owner.account();
        let browser_id = owner.session.browser_id;
        let method = match self.proof_asked(owner).await? {
            ProofAsked::App => {
                match self
                    .try_factor(account, Method::App, typed, browser_id, visitor, now, &mut env)
                    .await?
                {
                    FactorVerdict::Right => Method::App,
                    FactorVerdict::Wrong => return Ok(StepUpOutcome::Wrong),
                    FactorVerdict::Wait(until) => return Ok(StepUpOutcome::Wait(until)),
                }
            }
            ProofAsked::Password => {
                let Some(view) = self
                    .site
                    .store
                    .read(async move |tx| sign_in_view(tx, account).await)
                    .await?
                else {
                    return Ok(StepUpOutcome::SignedOut);
                };
                let spent = match self
                    .spend(account, Tried::Password, browser_id, &visitor.range, now)
                    .await?
                {
                    Spending::Spent(spent) => spent,
                    Spending::Wait(until) => return Ok(StepUpOutcome::Wait(until)),
                };
                if !self.is_current(&view, typed).await? {
                    return Ok(StepUpOutcome::Wrong);
                }
                self.site.store.write(async move |tx| spent.give_back(tx).await).await?;
                Method::Password
            }
        };
        let proved = self.prove(owner, &[method], now, &mut env).await?;
        Ok(proved.map_or(StepUpOutcome::SignedOut, StepUpOutcome::Proved))
    }
}
