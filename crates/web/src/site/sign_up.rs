//! Making an account: address, code, password.

use axum::Form;
use axum::response::Response;
use http::StatusCode;
use rightful_app::app::{App, Fault};
use rightful_app::new_password::Refusal;
use rightful_app::sign_up::SignUpOutcome;
use rightful_core::identifier::IdentifierRefused;
use rightful_core::password_rule::{MAX_BYTES, PasswordFault};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::fault::{WebFault, slow_down};
use super::sign_in::{CodeForm, start_again};
use super::visit::{Jar, Visit};
use crate::pages::error::ErrorPage;
use crate::pages::mailed_code::{MailedCode, MailedTo};
use crate::pages::new_password::{ChoosePassword, ChosenFor};
use crate::pages::paths;
use crate::pages::problem::{AddressProblem, MailedCodeProblem, NewPasswordProblem};
use crate::pages::sign_up::SignUp;

/// What is posted with an address.
#[derive(Deserialize)]
pub(crate) struct AddressForm {
    #[serde(default)]
    pub(crate) address: String,
}

/// What is posted with a new password.
#[derive(Deserialize)]
pub(crate) struct PasswordForm {
    #[serde(default)]
    pub(crate) password: Zeroizing<String>,
}

/// What is wrong with a new password, as the page says it.
pub(crate) const fn password_problem(refusal: Refusal) -> NewPasswordProblem {
    match refusal {
        Refusal::Rule(PasswordFault::TooShort { at_least }) => NewPasswordProblem::TooShort { least: at_least as u64 },
        Refusal::Rule(PasswordFault::TooLong) => NewPasswordProblem::TooLong { most: MAX_BYTES as u64 },
        Refusal::Rule(PasswordFault::Control) => NewPasswordProblem::Untypable,
        Refusal::Rule(PasswordFault::KnownLeaked) => NewPasswordProblem::Leaked { times: None },
        Refusal::Rule(PasswordFault::NamesOnly) => NewPasswordProblem::Guessable,
        Refusal::Same | Refusal::WrongCurrent => NewPasswordProblem::Same,
        Refusal::Variation => NewPasswordProblem::Variation,
    }
}

/// The first thing that is wrong with a new password.
pub(crate) fn first_problem(refusals: &[Refusal]) -> Option<NewPasswordProblem> {
    refusals.first().copied().map(password_problem)
}

/// What is wrong with an address, as the page says it.
pub(crate) const fn address_problem(refused: IdentifierRefused) -> AddressProblem {
    match refused {
        IdentifierRefused::Empty => AddressProblem::Missing,
        _ => AddressProblem::NotAnAddress,
    }
}

/// `GET /sign-up`.
pub(crate) async fn show(visit: Visit) -> Response {
    if !visit.web.app.policy.sign_up {
        return visit.show_as(StatusCode::NOT_FOUND, &ErrorPage::NotFound);
    }
    visit.show(&SignUp {
        address: String::new(),
        problem: None,
    })
}

/// `POST /sign-up`.
pub(crate) async fn submit(visit: Visit, Form(form): Form<AddressForm>) -> Response {
    let outcome = visit.web.app.sign_up(&form.address, &visit.visitor()).await;
    answer(visit, outcome, &form.address).await
}

/// `GET /sign-up/code`.
pub(crate) async fn show_code(visit: Visit) -> Response {
    code_page(visit, false, None, StatusCode::OK).await
}

/// `POST /sign-up/code`.
pub(crate) async fn submit_code(visit: Visit, Form(form): Form<CodeForm>) -> Response {
    if form.code.trim().is_empty() {
        let missing = Some(MailedCodeProblem::Missing);
        return code_page(visit, false, missing, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let outcome = visit
        .web
        .app
        .sign_up_code(&visit.flow(), &form.code, &visit.visitor())
        .await;
    answer(visit, outcome, "").await
}

/// `POST /sign-up/code/again`.
pub(crate) async fn code_again(visit: Visit) -> Response {
    match visit.web.app.sign_up_code_again(&visit.flow(), &visit.visitor()).await {
        Ok(SignUpOutcome::Asked(_)) => code_page(visit, true, None, StatusCode::OK).await,
        outcome => answer(visit, outcome, "").await,
    }
}

/// `GET /sign-up/password`.
pub(crate) async fn show_password(visit: Visit) -> Response {
    password_page(visit, None, StatusCode::OK).await
}

/// `POST /sign-up/password`.
pub(crate) async fn submit_password(visit: Visit, Form(form): Form<PasswordForm>) -> Response {
    if form.password.is_empty() {
        let missing = Some(NewPasswordProblem::Missing);
        return password_page(visit, missing, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let outcome = visit
        .web
        .app
        .sign_up_password(&visit.flow(), &form.password, &visit.visitor())
        .await;
    answer(visit, outcome, "").await
}

async fn answer(mut visit: Visit, outcome: Result<SignUpOutcome, Fault>, address: &str) -> Response {
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(fault) => return WebFault::from(fault).answer(visit),
    };
    match outcome {
        SignUpOutcome::Asked(flow) => {
            visit.keep(Jar::Flow, &flow);
            visit.go(paths::SIGN_UP_CODE)
        }
        SignUpOutcome::Choose(flow) => {
            visit.keep(Jar::Flow, &flow);
            visit.go(paths::SIGN_UP_PASSWORD)
        }
        SignUpOutcome::Open(opened) => {
            visit.keep_opened(&opened);
            visit.keep(Jar::Done, "account-made");
            visit.go(paths::ACCOUNT)
        }
        SignUpOutcome::NoAddress(refused) => {
            let page = SignUp {
                address: address.to_owned(),
                problem: Some(address_problem(refused)),
            };
            visit.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        SignUpOutcome::WrongCode => {
            code_page(visit, false, Some(MailedCodeProblem::Wrong), StatusCode::FORBIDDEN).await
        }
        SignUpOutcome::Refused(refusals) => {
            let problem = first_problem(&refusals);
            password_page(visit, problem, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        SignUpOutcome::Wait(until) => {
            let wait = slow_down(until, visit.web.app.now());
            visit.show_as(StatusCode::TOO_MANY_REQUESTS, &ErrorPage::SlowDown(wait))
        }
        SignUpOutcome::StartAgain => start_again(visit),
        SignUpOutcome::Closed => visit.show_as(StatusCode::NOT_FOUND, &ErrorPage::NotFound),
    }
}

async fn code_page(visit: Visit, sent_again: bool, problem: Option<MailedCodeProblem>, status: StatusCode) -> Response {
    match visit.web.app.sign_up_step(&visit.flow()).await {
        Ok(Some((address, false))) => {
            let page = MailedCode {
                to: MailedTo::SignUp { address },
                sent_again,
                problem,
            };
            visit.show_as(status, &page)
        }
        Ok(Some((_, true))) => visit.go(paths::SIGN_UP_PASSWORD),
        Ok(None) => start_again(visit),
        Err(fault) => WebFault::from(fault).answer(visit),
    }
}

async fn password_page(visit: Visit, problem: Option<NewPasswordProblem>, status: StatusCode) -> Response {
    match visit.web.app.sign_up_step(&visit.flow()).await {
        Ok(Some((address, true))) => {
            let page = ChoosePassword {
                chosen_for: ChosenFor::SignUp,
                identifier: address,
                least: App::least_characters(false) as u64,
                problem,
            };
            visit.show_as(status, &page)
        }
        Ok(Some((_, false))) => visit.go(paths::SIGN_UP_CODE),
        Ok(None) => start_again(visit),
        Err(fault) => WebFault::from(fault).answer(visit),
    }
}
