//! The return: a new password without the old one.

use axum::Json;
use rightful_app::new_password::ReturnOutcome;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::call::Anybody;
use super::problem::{Code, Refused};
use super::sign_in::filled_password;
use super::words::{ChosenPassword, Conversation, Factor, TypedCode, filled, password_refused};

/// Which account needs a new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPasswordFor {
    /// What names the account.
    identifier: String,
    /// The token of a recognised browser, `rb_…`, if there is one.
    browser: Option<String>,
}

/// A second factor of a return.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPasswordFactor {
    /// The token of the conversation, `rf_…`.
    flow: String,
    /// What the code is of.
    factor: Factor,
    /// The code, as it was typed.
    #[schema(value_type = String)]
    code: Zeroizing<String>,
}

/// Where a return stands.
#[derive(Serialize, ToSchema)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub(super) enum NewPasswordStep {
    /// A code was sent, if there is such an account: `/new-password/code`.
    Code {
        /// The token of the conversation, `rf_…`.
        #[schema(value_type = String)]
        flow: Zeroizing<String>,
    },
    /// The second factor is next: `/new-password/factor`.
    Factor {
        /// The token of the conversation, `rf_…`.
        #[schema(value_type = String)]
        flow: Zeroizing<String>,
    },
    /// The new password is next: `/new-password/choose`.
    Choose {
        /// The token of the conversation, `rf_…`.
        #[schema(value_type = String)]
        flow: Zeroizing<String>,
    },
    /// It is set. Everybody is signed out; sign in with it.
    Done,
}

/// `POST /new-password`.
pub(super) async fn ask(call: Anybody, asked: NewPasswordFor) -> Result<Json<NewPasswordStep>, Refused> {
    filled(&asked.identifier)?;
    let visitor = call.visitor_with(asked.browser);
    answer(call.app().ask_for_new_password(&asked.identifier, &visitor).await?)
}

/// `POST /new-password/code`.
pub(super) async fn code(call: Anybody, asked: TypedCode) -> Result<Json<NewPasswordStep>, Refused> {
    filled(&asked.code)?;
    let visitor = call.visitor();
    answer(call.app().new_password_code(&asked.flow, &asked.code, &visitor).await?)
}

/// `POST /new-password/code/again`.
pub(super) async fn code_again(call: Anybody, asked: Conversation) -> Result<Json<NewPasswordStep>, Refused> {
    answer(call.app().new_password_code_again(&asked.flow, &call.visitor()).await?)
}

/// `POST /new-password/factor`.
pub(super) async fn factor(call: Anybody, asked: NewPasswordFactor) -> Result<Json<NewPasswordStep>, Refused> {
    filled(&asked.code)?;
    let (method, visitor) = (asked.factor.method(), call.visitor());
    let outcome = call
        .app()
        .new_password_factor(&asked.flow, method, &asked.code, &visitor);
    answer(outcome.await?)
}

/// `POST /new-password/choose`.
pub(super) async fn choose(call: Anybody, asked: ChosenPassword) -> Result<Json<NewPasswordStep>, Refused> {
    filled_password(&asked.password)?;
    let visitor = call.visitor();
    answer(
        call.app()
            .choose_password(&asked.flow, &asked.password, &visitor)
            .await?,
    )
}

fn answer(outcome: ReturnOutcome) -> Result<Json<NewPasswordStep>, Refused> {
    Ok(Json(match outcome {
        ReturnOutcome::Asked(flow) => NewPasswordStep::Code { flow },
        ReturnOutcome::Factor(flow) => NewPasswordStep::Factor { flow },
        ReturnOutcome::Choose(flow) => NewPasswordStep::Choose { flow },
        ReturnOutcome::Done => NewPasswordStep::Done,
        ReturnOutcome::WrongCode => return Err(Code::WrongCode.into()),
        ReturnOutcome::Refused(refusals) => return Err(password_refused(&refusals)),
        ReturnOutcome::Wait(until) => return Err(Refused::Wait(until)),
        ReturnOutcome::StartAgain => return Err(Code::StartAgain.into()),
    }))
}
