//! The first administrator.

use axum::Form;
use axum::response::Response;
use http::StatusCode;
use rightful_app::app::App;
use rightful_app::set_up::SetUpOutcome;
use rightful_app::sign_up::SignUpOutcome;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::fault::{WebFault, slow_down};
use super::sign_in::CodeForm;
use super::sign_up::{address_problem, first_problem};
use super::visit::{Jar, Visit};
use crate::pages::error::ErrorPage;
use crate::pages::paths;
use crate::pages::problem::{AddressProblem, NewPasswordProblem};
use crate::pages::setup::{Setup, SetupAccount, SetupAccountProblem, SetupCodeProblem};

/// What is posted with address and password.
#[derive(Deserialize)]
pub(crate) struct AccountForm {
    #[serde(default)]
    address: String,
    #[serde(default)]
    password: Zeroizing<String>,
}

/// `GET /setup`. Not there once there is an administrator.
pub(crate) async fn show(visit: Visit) -> Response {
    match visit.web.app.wants_set_up().await {
        Ok(true) => visit.show(&Setup { problem: None }),
        Ok(false) => visit.show_as(StatusCode::NOT_FOUND, &ErrorPage::NotFound),
        Err(fault) => WebFault::from(fault).answer(visit),
    }
}

/// `POST /setup`.
pub(crate) async fn submit(mut visit: Visit, Form(form): Form<CodeForm>) -> Response {
    if form.code.trim().is_empty() {
        let problem = Some(SetupCodeProblem::Missing);
        return visit.show_as(StatusCode::UNPROCESSABLE_ENTITY, &Setup { problem });
    }
    match visit.web.app.set_up_code(&form.code, &visit.visitor()).await {
        Ok(SetUpOutcome::Account(flow)) => {
            visit.keep(Jar::Flow, &flow);
            visit.go(paths::SETUP_ACCOUNT)
        }
        Ok(SetUpOutcome::WrongCode) => {
            let problem = Some(SetupCodeProblem::Wrong);
            visit.show_as(StatusCode::FORBIDDEN, &Setup { problem })
        }
        Ok(SetUpOutcome::Wait(until)) => {
            let wait = slow_down(until, visit.web.app.now());
            let problem = Some(SetupCodeProblem::SlowDown(wait));
            visit.show_as(StatusCode::TOO_MANY_REQUESTS, &Setup { problem })
        }
        Ok(SetUpOutcome::Done) => visit.show_as(StatusCode::NOT_FOUND, &ErrorPage::NotFound),
        Err(fault) => WebFault::from(fault).answer(visit),
    }
}

fn account_page(address: &str, problem: Option<SetupAccountProblem>) -> SetupAccount {
    SetupAccount {
        address: address.to_owned(),
        least: App::least_characters(false) as u64,
        problem,
    }
}

/// `GET /setup/account`.
pub(crate) async fn show_account(visit: Visit) -> Response {
    visit.show(&account_page("", None))
}

/// `POST /setup/account`.
pub(crate) async fn submit_account(mut visit: Visit, Form(form): Form<AccountForm>) -> Response {
    let missing = if form.address.trim().is_empty() {
        Some(SetupAccountProblem::Address(AddressProblem::Missing))
    } else if form.password.is_empty() {
        Some(SetupAccountProblem::Password(NewPasswordProblem::Missing))
    } else {
        None
    };
    if missing.is_some() {
        return visit.show_as(StatusCode::UNPROCESSABLE_ENTITY, &account_page(&form.address, missing));
    }
    let (flow, visitor) = (visit.flow(), visit.visitor());
    let problem = match visit
        .web
        .app
        .set_up_account(&flow, &form.address, &form.password, &visitor)
        .await
    {
        Ok(SignUpOutcome::Open(opened)) => {
            visit.keep_opened(&opened);
            return visit.go(paths::SETUP_APP);
        }
        Ok(SignUpOutcome::NoAddress(refused)) => Some(SetupAccountProblem::Address(address_problem(refused))),
        Ok(SignUpOutcome::Refused(refusals)) => first_problem(&refusals).map(SetupAccountProblem::Password),
        Ok(_) => {
            visit.forget(Jar::Flow);
            return visit.go(paths::SETUP);
        }
        Err(fault) => return WebFault::from(fault).answer(visit),
    };
    visit.show_as(StatusCode::UNPROCESSABLE_ENTITY, &account_page(&form.address, problem))
}
