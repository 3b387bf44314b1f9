//! Making an account.

use axum::Json;
use rightful_app::sign_up::SignUpOutcome;
use serde::Serialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::call::Anybody;
use super::problem::{Code, Refused};
use super::sign_in::{OpenedSession, filled_password};
use super::words::{ChosenPassword, Conversation, TypedAddress, TypedCode, filled, password_refused};

/// Where a sign-up stands.
#[derive(Serialize, ToSchema)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub(super) enum SignUpStep {
    /// A code is on its way: `/sign-up/code`.
    Code {
        /// The token of the conversation, `rf_…`.
        #[schema(value_type = String)]
        flow: Zeroizing<String>,
    },
    /// The password is next: `/sign-up/password`.
    Password {
        /// The token of the conversation, `rf_…`.
        #[schema(value_type = String)]
        flow: Zeroizing<String>,
    },
    /// The account is made, and its owner is in.
    Session(OpenedSession),
}

/// `POST /sign-up`.
pub(super) async fn sign_up(call: Anybody, asked: TypedAddress) -> Result<Json<SignUpStep>, Refused> {
    filled(&asked.address)?;
    answer(call.app().sign_up(&asked.address, &call.visitor()).await?)
}

/// `POST /sign-up/code`.
pub(super) async fn code(call: Anybody, asked: TypedCode) -> Result<Json<SignUpStep>, Refused> {
    filled(&asked.code)?;
    answer(
        call.app()
            .sign_up_code(&asked.flow, &asked.code, &call.visitor())
            .await?,
    )
}

/// `POST /sign-up/code/again`.
pub(super) async fn code_again(call: Anybody, asked: Conversation) -> Result<Json<SignUpStep>, Refused> {
    answer(call.app().sign_up_code_again(&asked.flow, &call.visitor()).await?)
}

/// `POST /sign-up/password`.
pub(super) async fn password(call: Anybody, asked: ChosenPassword) -> Result<Json<SignUpStep>, Refused> {
    filled_password(&asked.password)?;
    let visitor = call.visitor();
    answer(
        call.app()
            .sign_up_password(&asked.flow, &asked.password, &visitor)
            .await?,
    )
}

fn answer(outcome: SignUpOutcome) -> Result<Json<SignUpStep>, Refused> {
    Ok(Json(match outcome {
        SignUpOutcome::Asked(flow) => SignUpStep::Code { flow },
        SignUpOutcome::Choose(flow) => SignUpStep::Password { flow },
        SignUpOutcome::Open(opened) => SignUpStep::Session(opened.into()),
        SignUpOutcome::NoAddress(_) => return Err(Code::AddressRefused.into()),
        SignUpOutcome::WrongCode => return Err(Code::WrongCode.into()),
        SignUpOutcome::Refused(refusals) => return Err(password_refused(&refusals)),
        SignUpOutcome::Wait(until) => return Err(Refused::Wait(until)),
        SignUpOutcome::StartAgain => return Err(Code::StartAgain.into()),
        SignUpOutcome::Closed => return Err(Code::NotFound.into()),
    }))
}
