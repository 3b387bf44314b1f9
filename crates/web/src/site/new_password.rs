//! The return: name, code by mail, second factor, new password.

use axum::Form;
use axum::response::Response;
use http::StatusCode;
use rightful_app::app::{App, Fault};
use rightful_app::new_password::{ReturnOutcome, ReturnStep};
use rightful_core::assurance::Method;
use serde::Deserialize;

use super::fault::{WebFault, slow_down};
use super::sign_in::{CodeForm, FactorTrouble, start_again};
use super::sign_up::{PasswordForm, first_problem};
use super::visit::{Jar, Visit};
use crate::pages::error::ErrorPage;
use crate::pages::factor::{AppCode, AskedFor, RecoveryCode};
use crate::pages::mailed_code::{MailedCode, MailedTo};
use crate::pages::new_password::{ChoosePassword, ChosenFor, NewPassword, NewPasswordDone};
use crate::pages::paths;
use crate::pages::problem::{IdentifierProblem, MailedCodeProblem, NewPasswordProblem};

/// What is posted with a name.
#[derive(Deserialize)]
pub(crate) struct NameForm {
    #[serde(default)]
    identifier: String,
}

/// `GET /new-password`.
pub(crate) async fn show(visit: Visit) -> Response {
    visit.show(&NewPassword {
        identifier: String::new(),
        problem: None,
    })
}

/// `POST /new-password`.
pub(crate) async fn submit(visit: Visit, Form(form): Form<NameForm>) -> Response {
    if form.identifier.trim().is_empty() {
        let page = NewPassword {
            identifier: String::new(),
            problem: Some(IdentifierProblem::Missing),
        };
        return visit.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let outcome = visit
        .web
        .app
        .ask_for_new_password(&form.identifier, &visit.visitor())
        .await;
    answer(visit, outcome).await
}

/// `POST /sign-in/change`: the code of a return that began because a new password must be chosen.
pub(crate) async fn change_required(visit: Visit) -> Response {
    let outcome = visit
        .web
        .app
        .new_password_code_again(&visit.flow(), &visit.visitor())
        .await;
    answer(visit, outcome).await
}

/// `GET /new-password/code`.
pub(crate) async fn show_code(visit: Visit) -> Response {
    step_page(visit, Shown::default()).await
}

/// `POST /new-password/code`.
pub(crate) async fn submit_code(visit: Visit, Form(form): Form<CodeForm>) -> Response {
    if form.code.trim().is_empty() {
        return step_page(
            visit,
            Shown::wrong(MailedCodeProblem::Missing, StatusCode::UNPROCESSABLE_ENTITY),
        )
        .await;
    }
    let outcome = visit
        .web
        .app
        .new_password_code(&visit.flow(), &form.code, &visit.visitor())
        .await;
    match outcome {
        Ok(ReturnOutcome::WrongCode) => {
            step_page(visit, Shown::wrong(MailedCodeProblem::Wrong, StatusCode::FORBIDDEN)).await
        }
        outcome => answer(visit, outcome).await,
    }
}

/// `POST /new-password/code/again`.
pub(crate) async fn code_again(visit: Visit) -> Response {
    match visit
        .web
        .app
        .new_password_code_again(&visit.flow(), &visit.visitor())
        .await
    {
        Ok(ReturnOutcome::Asked(_)) => {
            let again = Shown {
                sent_again: true,
                ..Shown::default()
            };
            step_page(visit, again).await
        }
        outcome => answer(visit, outcome).await,
    }
}

/// `GET /new-password/factor`.
pub(crate) async fn show_factor(visit: Visit) -> Response {
    visit.show(&AppCode {
        asked_for: AskedFor::NewPassword,
        problem: None,
    })
}

/// `GET /new-password/recovery-code`.
pub(crate) async fn show_recovery_code(visit: Visit) -> Response {
    visit.show(&RecoveryCode {
        asked_for: AskedFor::NewPassword,
        problem: None,
    })
}

/// `POST /new-password/factor`.
pub(crate) async fn submit_factor(visit: Visit, Form(form): Form<CodeForm>) -> Response {
    factor(visit, Method::App, &form.code).await
}

/// `POST /new-password/recovery-code`.
pub(crate) async fn submit_recovery_code(visit: Visit, Form(form): Form<CodeForm>) -> Response {
    factor(visit, Method::RecoveryCode, &form.code).await
}

async fn factor(visit: Visit, method: Method, typed: &str) -> Response {
    if typed.trim().is_empty() {
        return factor_page(visit, method, FactorTrouble::Missing, StatusCode::UNPROCESSABLE_ENTITY);
    }
    match visit
        .web
        .app
        .new_password_factor(&visit.flow(), method, typed, &visit.visitor())
        .await
    {
        Ok(ReturnOutcome::WrongCode) => factor_page(visit, method, FactorTrouble::Wrong, StatusCode::FORBIDDEN),
        Ok(ReturnOutcome::Wait(until)) => {
            factor_page(visit, method, FactorTrouble::Wait(until), StatusCode::TOO_MANY_REQUESTS)
        }
        outcome => answer(visit, outcome).await,
    }
}

fn factor_page(visit: Visit, method: Method, trouble: FactorTrouble, status: StatusCode) -> Response {
    let now = visit.web.app.now();
    let asked_for = AskedFor::NewPassword;
    if method == Method::App {
        let problem = Some(trouble.of_app(now));
        visit.show_as(status, &AppCode { asked_for, problem })
    } else {
        let problem = Some(trouble.of_recovery_code(now));
        visit.show_as(status, &RecoveryCode { asked_for, problem })
    }
}

/// `GET /new-password/choose`.
pub(crate) async fn show_choose(visit: Visit) -> Response {
    choose_page(visit, None, StatusCode::OK).await
}

/// `POST /new-password/choose`.
pub(crate) async fn submit_choose(visit: Visit, Form(form): Form<PasswordForm>) -> Response {
    if form.password.is_empty() {
        let missing = Some(NewPasswordProblem::Missing);
        return choose_page(visit, missing, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    match visit
        .web
        .app
        .choose_password(&visit.flow(), &form.password, &visit.visitor())
        .await
    {
        Ok(ReturnOutcome::Refused(refusals)) => {
            let problem = first_problem(&refusals);
            choose_page(visit, problem, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        outcome => answer(visit, outcome).await,
    }
}

/// `GET /new-password/done`.
pub(crate) async fn done(visit: Visit) -> Response {
    visit.show(&NewPasswordDone)
}

async fn answer(mut visit: Visit, outcome: Result<ReturnOutcome, Fault>) -> Response {
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(fault) => return WebFault::from(fault).answer(visit),
    };
    match outcome {
        ReturnOutcome::Asked(flow) => {
            visit.keep(Jar::Flow, &flow);
            visit.go(paths::NEW_PASSWORD_CODE)
        }
        ReturnOutcome::Factor(flow) => {
            visit.keep(Jar::Flow, &flow);
            visit.go(paths::NEW_PASSWORD_FACTOR)
        }
        ReturnOutcome::Choose(flow) => {
            visit.keep(Jar::Flow, &flow);
            visit.go(paths::NEW_PASSWORD_CHOOSE)
        }
        ReturnOutcome::Done => {
            visit.forget(Jar::Flow);
            visit.forget(Jar::Session);
            visit.go(paths::NEW_PASSWORD_DONE)
        }
        ReturnOutcome::Wait(until) => {
            let wait = slow_down(until, visit.web.app.now());
            visit.show_as(StatusCode::TOO_MANY_REQUESTS, &ErrorPage::SlowDown(wait))
        }
        ReturnOutcome::WrongCode | ReturnOutcome::Refused(_) | ReturnOutcome::StartAgain => start_again(visit),
    }
}

/// How the page of the code is shown.
#[derive(Default)]
struct Shown {
    sent_again: bool,
    problem: Option<MailedCodeProblem>,
    status: StatusCode,
}

impl Shown {
    fn wrong(problem: MailedCodeProblem, status: StatusCode) -> Self {
        Self {
            problem: Some(problem),
            status,
            sent_again: false,
        }
    }
}

async fn step_page(visit: Visit, shown: Shown) -> Response {
    match visit.web.app.new_password_step(&visit.flow()).await {
        Ok(Some(ReturnStep::Code {
            after_password,
            shown: name,
        })) => {
            let to = if after_password {
                MailedTo::ChangeRequired { masked_address: name }
            } else {
                MailedTo::NewPassword { identifier: name }
            };
            let page = MailedCode {
                to,
                sent_again: shown.sent_again,
                problem: shown.problem,
            };
            visit.show_as(shown.status, &page)
        }
        Ok(Some(ReturnStep::Factor)) => visit.go(paths::NEW_PASSWORD_FACTOR),
        Ok(Some(ReturnStep::Choose { .. })) => visit.go(paths::NEW_PASSWORD_CHOOSE),
        Ok(None) => start_again(visit),
        Err(fault) => WebFault::from(fault).answer(visit),
    }
}

async fn choose_page(visit: Visit, problem: Option<NewPasswordProblem>, status: StatusCode) -> Response {
    match visit.web.app.new_password_step(&visit.flow()).await {
        Ok(Some(ReturnStep::Choose { second_factor, typed })) => {
            let page = ChoosePassword {
                chosen_for: ChosenFor::NewPassword,
                identifier: typed.unwrap_or_default(),
                least: App::least_characters(second_factor) as u64,
                problem,
            };
            visit.show_as(status, &page)
        }
        Ok(Some(ReturnStep::Factor)) => visit.go(paths::NEW_PASSWORD_FACTOR),
        Ok(Some(ReturnStep::Code { .. })) => visit.go(paths::NEW_PASSWORD_CODE),
        Ok(None) => start_again(visit),
        Err(fault) => WebFault::from(fault).answer(visit),
    }
}
