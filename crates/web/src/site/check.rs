//! "Check a message". Never linked from a message.

use axum::Form;
use axum::response::Response;
use http::StatusCode;
use rightful_app::check_message::CheckAnswer as Answer;
use serde::Deserialize;

use super::fault::{WebFault, slow_down};
use super::visit::Visit;
use crate::pages::account::MessageKind;
use crate::pages::check::{Check, CheckAnswer, CheckProblem};

/// What is posted.
#[derive(Deserialize)]
pub(crate) struct CheckForm {
    #[serde(default)]
    address: String,
    #[serde(default)]
    number: String,
}

fn page(form: &CheckForm, problem: Option<CheckProblem>) -> Check {
    Check {
        address: form.address.clone(),
        number: form.number.clone(),
        problem,
    }
}

/// `GET /check`.
pub(crate) async fn show(visit: Visit) -> Response {
    visit.show(&Check {
        address: String::new(),
        number: String::new(),
        problem: None,
    })
}

/// `POST /check`.
pub(crate) async fn submit(visit: Visit, Form(form): Form<CheckForm>) -> Response {
    let missing = if form.address.trim().is_empty() {
        Some(CheckProblem::AddressMissing)
    } else if form.number.trim().is_empty() {
        Some(CheckProblem::NumberMissing)
    } else {
        None
    };
    if missing.is_some() {
        return visit.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page(&form, missing));
    }
    match visit
        .web
        .app
        .check_message(&form.address, &form.number, &visit.visitor())
        .await
    {
        Ok(Answer::Ours { kind, at }) => match MessageKind::from_word(&kind) {
            Some(kind) => visit.show(&CheckAnswer::Ours { kind, at }),
            None => visit.show(&CheckAnswer::NotOurs),
        },
        Ok(Answer::NotOurs) => visit.show(&CheckAnswer::NotOurs),
        Ok(Answer::Wait(until)) => {
            let problem = CheckProblem::SlowDown(slow_down(until, visit.web.app.now()));
            visit.show_as(StatusCode::TOO_MANY_REQUESTS, &page(&form, Some(problem)))
        }
        Err(fault) => WebFault::from(fault).answer(visit),
    }
}
