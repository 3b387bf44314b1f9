//! An administrator lets a program on the command line act.

use axum::Form;
use axum::extract::Query;
use axum::response::Response;
use http::StatusCode;
use rightful_app::login::{LoginAnswer, LoginAnswered as Answered, LoginRequest, LoginShown, PROGRAM_LASTS};
use serde::Deserialize;

use super::fault::WebFault;
use super::step_up::ask;
use super::visit::{Jar, SignedIn, Visit};
use crate::pages::error::ErrorPage;
use crate::pages::login::{LoginAnswered, LoginApprove, Power};
use crate::pages::paths;
use crate::pages::step_up::StepUpFor;

/// What the link that the program shows says.
#[derive(Deserialize)]
pub(crate) struct Link {
    request: Option<String>,
}

/// What is posted.
#[derive(Deserialize)]
pub(crate) struct AnswerForm {
    #[serde(default)]
    request: String,
    #[serde(default)]
    answer: String,
}

/// `GET /login?request=…`. The request goes into a cookie first, so that it is not lost over a sign-in or a fresh proof.
pub(crate) async fn show(visit: Visit, Query(link): Query<Link>, signed_in: Result<SignedIn, Response>) -> Response {
    if let Some(text) = link.request {
        return keep_request(visit, LoginRequest::parse(&text));
    }
    match signed_in {
        Ok(signed_in) => approve_page(signed_in).await,
        Err(elsewhere) => elsewhere,
    }
}

fn keep_request(mut visit: Visit, request: Option<LoginRequest>) -> Response {
    match request {
        Some(request) => visit.keep(Jar::Login, &request.to_string()),
        None => visit.forget(Jar::Login),
    }
    visit.go(paths::LOGIN)
}

async fn approve_page(SignedIn { mut visit, owner }: SignedIn) -> Response {
    let request = visit.cookie(Jar::Login).and_then(|text| LoginRequest::parse(&text));
    let Some(request) = request else {
        return answered(visit, LoginAnswered::Gone);
    };
    match visit.web.app.waiting_login(&owner, request).await {
        Ok(LoginShown::Waiting(code)) => visit.show(&LoginApprove {
            request: request.to_string(),
            code,
            powers: vec![Power::See, Power::Act, Power::Configure],
            hours: PROGRAM_LASTS.unsigned_abs() / 3600,
        }),
        Ok(LoginShown::Gone) => answered(visit, LoginAnswered::Gone),
        Ok(LoginShown::StepUp) => ask(SignedIn { visit, owner }, StepUpFor::Login).await,
        Ok(LoginShown::NotAllowed) => {
            visit.forget(Jar::Login);
            visit.show_as(StatusCode::NOT_FOUND, &ErrorPage::NotFound)
        }
        Err(fault) => WebFault::from(fault).answer(visit),
    }
}

/// `POST /login`. Whatever is not a plain yes is a no.
pub(crate) async fn submit(SignedIn { mut visit, owner }: SignedIn, Form(form): Form<AnswerForm>) -> Response {
    let (answer, done) = if form.answer == "approve" {
        (LoginAnswer::Approve, LoginAnswered::Approved)
    } else {
        (LoginAnswer::Refuse, LoginAnswered::Refused)
    };
    let Some(request) = LoginRequest::parse(&form.request) else {
        return answered(visit, LoginAnswered::Gone);
    };
    match visit.web.app.answer_login(&owner, request, answer).await {
        Ok(Answered::Done) => answered(visit, done),
        Ok(Answered::Gone) => answered(visit, LoginAnswered::Gone),
        Ok(Answered::StepUp) => {
            visit.keep(Jar::Login, &request.to_string());
            ask(SignedIn { visit, owner }, StepUpFor::Login).await
        }
        Ok(Answered::NotAllowed) => {
            visit.forget(Jar::Login);
            visit.show_as(StatusCode::NOT_FOUND, &ErrorPage::NotFound)
        }
        Err(fault) => WebFault::from(fault).answer(visit),
    }
}

fn answered(mut visit: Visit, page: LoginAnswered) -> Response {
    visit.forget(Jar::Login);
    visit.show(&page)
}
