//! Signing in and out.

use axum::Json;
use axum::response::NoContent;
use rightful_app::sessions::Opened;
use rightful_app::sign_in::{Attempt, SignInOutcome};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::call::{Anybody, Enrolling};
use super::problem::{Code, Problem, Refused};
use super::words::{Factor, LeakKind, filled};

/// Name and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignIn {
    /// What names the account.
    identifier: String,
    /// The password.
    #[schema(value_type = String)]
    password: Zeroizing<String>,
    /// The token of a recognised browser, `rb_…`, if there is one.
    browser: Option<String>,
}

/// A second factor of a sign-in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignInFactor {
    /// The token of the conversation, `rf_…`.
    flow: String,
    /// What the code is of.
    factor: Factor,
    /// The code, as it was typed.
    #[schema(value_type = String)]
    code: Zeroizing<String>,
    /// The token of a recognised browser, `rb_…`, if there is one.
    browser: Option<String>,
}

/// A session that was opened.
#[derive(Serialize, ToSchema)]
pub(super) struct OpenedSession {
    /// The token of the session, `rs_…`.
    #[schema(value_type = String)]
    token: Zeroizing<String>,
    /// The token of the browser or program, when it is recognised from now on: send it with the next sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    browser: Option<Zeroizing<String>>,
    /// Whether to say, once, that the password is in lists of stolen ones.
    password_known_leaked: bool,
}

impl From<Opened> for OpenedSession {
    fn from(opened: Opened) -> Self {
        Self {
            token: opened.session,
            browser: opened.browser,
            password_known_leaked: opened.known_leaked,
        }
    }
}

/// Where a sign-in stands.
#[derive(Serialize, ToSchema)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub(super) enum SignInStep {
    /// In.
    Session(OpenedSession),
    /// The second factor is next: `/sign-in/factor`.
    Factor {
        /// The token of the conversation, `rf_…`.
        #[schema(value_type = String)]
        flow: Zeroizing<String>,
    },
    /// The password was right, and a new one must be chosen: `/new-password/code/again` sends a code.
    ChangeRequired {
        /// The token of the conversation, `rf_…`; absent when no address can prove the owner and only the support desk helps.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>)]
        flow: Option<Zeroizing<String>>,
        /// Where the code will go, masked.
        #[serde(skip_serializing_if = "Option::is_none")]
        address: Option<String>,
        /// What kind of leak it answers, where that is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        leak: Option<LeakKind>,
    },
}

/// `POST /sign-in`.
pub(super) async fn sign_in(call: Anybody, asked: SignIn) -> Result<Json<SignInStep>, Refused> {
    filled(&asked.identifier)?;
    filled_password(&asked.password)?;
    let attempt = Attempt {
        identifier: asked.identifier.trim().to_owned(),
        password: asked.password,
    };
    let outcome = call.app().sign_in(attempt, &call.visitor_with(asked.browser)).await?;
    answer(outcome, Code::Denied)
}

/// A password may be of blanks alone; it may not be empty.
pub(super) fn filled_password(password: &str) -> Result<(), Refused> {
    if password.is_empty() {
        return Err(Code::Incomplete.into());
    }
    Ok(())
}

/// `POST /sign-in/factor`.
pub(super) async fn factor(call: Anybody, asked: SignInFactor) -> Result<Json<SignInStep>, Refused> {
    filled(&asked.code)?;
    let (method, visitor) = (asked.factor.method(), call.visitor_with(asked.browser));
    let outcome = call
        .app()
        .sign_in_factor(&asked.flow, method, &asked.code, &visitor)
        .await?;
    answer(outcome, Code::StartAgain)
}

/// `denied` is what a denial is called at this step.
fn answer(outcome: SignInOutcome, denied: Code) -> Result<Json<SignInStep>, Refused> {
    let step = match outcome {
        SignInOutcome::Open(opened) => SignInStep::Session(opened.into()),
        SignInOutcome::Factor(flow) => SignInStep::Factor { flow },
        SignInOutcome::ChangeRequired(change) => {
            let (flow, address) = change.way_back.unzip();
            let leak = change.leak.map(LeakKind::from);
            SignInStep::ChangeRequired { flow, address, leak }
        }
        SignInOutcome::Held(why) => return Err(Problem::password_off(why.into()).into()),
        SignInOutcome::WrongCode => return Err(Code::WrongCode.into()),
        SignInOutcome::Wait(until) => return Err(Refused::Wait(until)),
        SignInOutcome::Denied | SignInOutcome::StartAgain => return Err(denied.into()),
    };
    Ok(Json(step))
}

/// `POST /sign-out`.
pub(super) async fn sign_out(Enrolling { call, owner }: Enrolling) -> Result<NoContent, Refused> {
    call.app().sign_out(&owner).await?;
    Ok(NoContent)
}
