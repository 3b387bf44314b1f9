//! Fresh proof before a change.

use axum::Form;
use axum::response::Response;
use http::StatusCode;
use rightful_app::step_up::{ProofAsked, StepUpOutcome};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::account::signed_out;
use super::fault::{WebFault, slow_down};
use super::sign_in::FactorTrouble;
use super::visit::{Jar, SignedIn};
use crate::pages::paths;
use crate::pages::problem::CurrentPasswordProblem;
use crate::pages::step_up::{AskedProof, StepUp, StepUpFor};

/// What is posted.
#[derive(Deserialize)]
pub(crate) struct ProofForm {
    #[serde(default)]
    password: Zeroizing<String>,
    #[serde(default)]
    code: Zeroizing<String>,
    #[serde(default, rename = "for")]
    change: String,
}

/// Asks for a fresh proof before a change.
pub(crate) async fn ask(signed_in: SignedIn, change: StepUpFor) -> Response {
    page(signed_in, change, None, StatusCode::OK).await
}

async fn page(
    SignedIn { visit, owner }: SignedIn,
    change: StepUpFor,
    trouble: Option<FactorTrouble>,
    status: StatusCode,
) -> Response {
    let asked = match visit.web.app.proof_asked(&owner).await {
        Ok(asked) => asked,
        Err(fault) => return WebFault::from(fault).answer(visit),
    };
    let glance = match visit.web.app.glance(&owner).await {
        Ok(Some(glance)) => glance,
        Ok(None) => return signed_out(visit),
        Err(fault) => return WebFault::from(fault).answer(visit),
    };
    let now = visit.web.app.now();
    let asked = match asked {
        ProofAsked::App => AskedProof::AppCode(trouble.map(|trouble| trouble.of_app(now))),
        ProofAsked::Password => AskedProof::Password(trouble.map(|trouble| match trouble {
            FactorTrouble::Missing => CurrentPasswordProblem::Missing,
            FactorTrouble::Wrong => CurrentPasswordProblem::Wrong,
            FactorTrouble::Wait(until) => CurrentPasswordProblem::SlowDown(slow_down(until, now)),
        })),
    };
    let page = StepUp {
        asked,
        change,
        identifier: glance.identifier,
    };
    visit.show_as(status, &page)
}

/// Where a change is made once its owner has proved himself.
const fn path_of(change: StepUpFor) -> &'static str {
    match change {
        StepUpFor::Password => paths::ACCOUNT_PASSWORD,
        StepUpFor::Address => paths::ACCOUNT_ADDRESS,
        StepUpFor::App => paths::ACCOUNT_APP,
        StepUpFor::RecoveryCodes => paths::ACCOUNT_RECOVERY_CODES,
        StepUpFor::Delete => paths::ACCOUNT_DELETE,
        StepUpFor::Login => paths::LOGIN,
    }
}

/// `POST /step-up`.
pub(crate) async fn submit(SignedIn { mut visit, owner }: SignedIn, Form(form): Form<ProofForm>) -> Response {
    let change = StepUpFor::from_word(&form.change).unwrap_or(StepUpFor::App);
    let typed = if form.code.is_empty() { form.password } else { form.code };
    if typed.trim().is_empty() {
        let signed_in = SignedIn { visit, owner };
        return page(
            signed_in,
            change,
            Some(FactorTrouble::Missing),
            StatusCode::UNPROCESSABLE_ENTITY,
        )
        .await;
    }
    let (trouble, status) = match visit.web.app.step_up(&owner, &typed, &visit.visitor()).await {
        Ok(StepUpOutcome::Proved(session)) => {
            visit.keep(Jar::Session, &session);
            return visit.go(path_of(change));
        }
        Ok(StepUpOutcome::Wrong) => (FactorTrouble::Wrong, StatusCode::FORBIDDEN),
        Ok(StepUpOutcome::Wait(until)) => (FactorTrouble::Wait(until), StatusCode::TOO_MANY_REQUESTS),
        Ok(StepUpOutcome::SignedOut) => return signed_out(visit),
        Err(fault) => return WebFault::from(fault).answer(visit),
    };
    page(SignedIn { visit, owner }, change, Some(trouble), status).await
}
