//! Fresh proof before a change.

use axum::Json;
use rightful_app::step_up::{ProofAsked, StepUpOutcome};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::call::Enrolling;
use super::problem::{Code, Refused};
use super::sign_in::filled_password;
use super::words::NewToken;

/// What a fresh proof is made with.
#[derive(Serialize, ToSchema)]
#[serde(tag = "proof", rename_all = "kebab-case")]
pub(super) enum ProofWanted {
    /// The password.
    Password,
    /// A code of the authenticator app.
    App,
}

/// A fresh proof.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FreshProof {
    /// The password, or a code of the authenticator app where there is one.
    #[schema(value_type = String)]
    proof: Zeroizing<String>,
}

/// `GET /step-up`.
pub(super) async fn asked(Enrolling { call, owner }: Enrolling) -> Result<Json<ProofWanted>, Refused> {
    Ok(Json(match call.app().proof_asked(&owner).await? {
        ProofAsked::Password => ProofWanted::Password,
        ProofAsked::App => ProofWanted::App,
    }))
}

/// `POST /step-up`.
pub(super) async fn step_up(
    Enrolling { call, owner }: Enrolling,
    asked: FreshProof,
) -> Result<Json<NewToken>, Refused> {
    filled_password(&asked.proof)?;
    match call.app().step_up(&owner, &asked.proof, &call.visitor()).await? {
        StepUpOutcome::Proved(token) => Ok(Json(NewToken { token })),
        StepUpOutcome::Wrong => Err(Code::WrongProof.into()),
        StepUpOutcome::Wait(until) => Err(Refused::Wait(until)),
        StepUpOutcome::SignedOut => Err(Code::SignedOut.into()),
    }
}
