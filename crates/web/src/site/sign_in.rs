//! Signing in: name and password, the second factor, and what is said once afterwards.

use axum::Form;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use rightful_app::notices::LeakSource as Source;
use rightful_app::sessions::Opened;
use rightful_app::sign_in::{Attempt, HeldWhy, SignInOutcome};
use rightful_core::Timestamp;
use rightful_core::assurance::Method;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::Site;
use super::fault::{WebFault, slow_down};
use super::visit::{Jar, Visit};
use crate::pages::factor::{AppCode, AskedFor, RecoveryCode};
use crate::pages::paths;
use crate::pages::problem::{AppCodeProblem, RecoveryCodeProblem};
use crate::pages::sign_in::{
    ChangeRequired, LeakSource, PasswordKnownLeaked, PasswordTurnedOff, SignIn, SignInNote, SignInProblem,
};

/// What is posted with name and password.
#[derive(Deserialize)]
pub(crate) struct SignInForm {
    #[serde(default)]
    identifier: String,
    #[serde(default)]
    password: Zeroizing<String>,
}

/// What is posted with a code.
#[derive(Deserialize)]
pub(crate) struct CodeForm {
    #[serde(default)]
    pub(crate) code: Zeroizing<String>,
}

pub(crate) const fn leak_source(source: Source) -> LeakSource {
    match source {
        Source::Dump => LeakSource::Dump,
        Source::Stealer => LeakSource::Stealer,
        Source::Ours => LeakSource::Ours,
    }
}

fn page(visit: &Visit, identifier: &str, note: Option<SignInNote>, problem: Option<SignInProblem>) -> SignIn {
    SignIn {
        identifier: identifier.to_owned(),
        note,
        problem,
        sign_up: visit.web.app.policy.sign_up,
    }
}

/// `GET /`: into the account, or to the sign-in.
pub(crate) async fn start(mut visit: Visit) -> Response {
    match visit.owner().await {
        Ok(Some(_)) => visit.go(paths::ACCOUNT),
        Ok(None) => visit.go(paths::SIGN_IN),
        Err(fault) => WebFault::from(fault).answer(visit),
    }
}

/// `GET /sign-in`.
pub(crate) async fn show(mut visit: Visit) -> Response {
    let note = match visit.cookie(Jar::Done).as_deref() {
        Some("signed-out") => Some(SignInNote::SignedOut),
        Some("start-again") => Some(SignInNote::StartAgain),
        Some("session-over") => Some(SignInNote::SessionEnded),
        _ => None,
    };
    visit.forget(Jar::Done);
    let page = page(&visit, "", note, None);
    visit.show(&page)
}

/// `POST /sign-in`.
pub(crate) async fn submit(mut visit: Visit, Form(form): Form<SignInForm>) -> Response {
    let identifier = form.identifier.trim().to_owned();
    if identifier.is_empty() || form.password.is_empty() {
        let page = page(&visit, &identifier, None, Some(SignInProblem::Incomplete));
        return visit.show_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let attempt = Attempt {
        identifier: identifier.clone(),
        password: form.password,
    };
    let outcome = match visit.web.app.sign_in(attempt, &visit.visitor()).await {
        Ok(outcome) => outcome,
        Err(fault) => return WebFault::from(fault).answer(visit),
    };
    match outcome {
        SignInOutcome::Open(opened) => go_in(visit, &opened),
        SignInOutcome::Factor(flow) => {
            visit.keep(Jar::Flow, &flow);
            visit.go(paths::SIGN_IN_CODE)
        }
        SignInOutcome::ChangeRequired(change) => {
            let masked_address = change.way_back.map(|(flow, masked)| {
                visit.keep(Jar::Flow, &flow);
                masked
            });
            let source = change.leak.map(leak_source);
            visit.show(&ChangeRequired { source, masked_address })
        }
        SignInOutcome::Held(why) => {
            let page = turned_off(&why, identifier);
            visit.show_as(StatusCode::FORBIDDEN, &page)
        }
        SignInOutcome::Wait(until) => {
            let problem = SignInProblem::SlowDown(slow_down(until, visit.web.app.now()));
            let page = page(&visit, &identifier, None, Some(problem));
            visit.show_as(StatusCode::TOO_MANY_REQUESTS, &page)
        }
        SignInOutcome::Denied | SignInOutcome::WrongCode | SignInOutcome::StartAgain => {
            let page = page(&visit, &identifier, None, Some(SignInProblem::Denied));
            visit.show_as(StatusCode::FORBIDDEN, &page)
        }
    }
}

fn turned_off(why: &HeldWhy, identifier: String) -> PasswordTurnedOff {
    PasswordTurnedOff {
        identifier,
        at: why.since,
        source: why.leak.map(leak_source),
        site_not_broken_into: false,
    }
}

/// `GET /sign-in/code`.
pub(crate) async fn show_code(visit: Visit) -> Response {
    visit.show(&AppCode {
        asked_for: AskedFor::SignIn,
        problem: None,
    })
}

/// `GET /sign-in/recovery-code`.
pub(crate) async fn show_recovery_code(visit: Visit) -> Response {
    visit.show(&RecoveryCode {
        asked_for: AskedFor::SignIn,
        problem: None,
    })
}

/// `POST /sign-in/code`.
pub(crate) async fn submit_code(visit: Visit, Form(form): Form<CodeForm>) -> Response {
    factor(visit, Method::App, &form.code).await
}

/// `POST /sign-in/recovery-code`.
pub(crate) async fn submit_recovery_code(visit: Visit, Form(form): Form<CodeForm>) -> Response {
    factor(visit, Method::RecoveryCode, &form.code).await
}

async fn factor(visit: Visit, method: Method, typed: &str) -> Response {
    if typed.trim().is_empty() {
        return show_factor(visit, method, FactorTrouble::Missing, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let (flow, visitor) = (visit.flow(), visit.visitor());
    match visit.web.app.sign_in_factor(&flow, method, typed, &visitor).await {
        Ok(SignInOutcome::Open(opened)) => go_in(visit, &opened),
        Ok(SignInOutcome::WrongCode) => show_factor(visit, method, FactorTrouble::Wrong, StatusCode::FORBIDDEN),
        Ok(SignInOutcome::Wait(until)) => {
            show_factor(visit, method, FactorTrouble::Wait(until), StatusCode::TOO_MANY_REQUESTS)
        }
        Ok(_) => start_again(visit),
        Err(fault) => WebFault::from(fault).answer(visit),
    }
}

/// In, with a word on the password where there is one to be said.
fn go_in(mut visit: Visit, opened: &Opened) -> Response {
    visit.keep_opened(opened);
    let next = after(&visit);
    visit.go(if opened.known_leaked {
        paths::PASSWORD_KNOWN_LEAKED
    } else {
        next
    })
}

/// Where a sign-in leads: to the program that waits to be let act, if the owner came for that, else into the account.
fn after(visit: &Visit) -> &'static str {
    match visit.cookie(Jar::Login) {
        Some(_) => paths::LOGIN,
        None => paths::ACCOUNT,
    }
}

/// What is wrong with a code of a second factor.
#[derive(Clone, Copy)]
pub(crate) enum FactorTrouble {
    Missing,
    Wrong,
    Wait(Timestamp),
}

impl FactorTrouble {
    pub(crate) fn of_app(self, now: Timestamp) -> AppCodeProblem {
        match self {
            Self::Missing => AppCodeProblem::Missing,
            Self::Wrong => AppCodeProblem::Wrong,
            Self::Wait(until) => AppCodeProblem::SlowDown(slow_down(until, now)),
        }
    }

    pub(crate) fn of_recovery_code(self, now: Timestamp) -> RecoveryCodeProblem {
        match self {
            Self::Missing => RecoveryCodeProblem::Missing,
            Self::Wrong => RecoveryCodeProblem::Wrong,
            Self::Wait(until) => RecoveryCodeProblem::SlowDown(slow_down(until, now)),
        }
    }
}

fn show_factor(visit: Visit, method: Method, trouble: FactorTrouble, status: StatusCode) -> Response {
    let now = visit.web.app.now();
    let asked_for = AskedFor::SignIn;
    if method == Method::App {
        let problem = Some(trouble.of_app(now));
        visit.show_as(status, &AppCode { asked_for, problem })
    } else {
        let problem = Some(trouble.of_recovery_code(now));
        visit.show_as(status, &RecoveryCode { asked_for, problem })
    }
}

/// The conversation is over: back to its beginning, with a word on why.
pub(crate) fn start_again(mut visit: Visit) -> Response {
    visit.forget(Jar::Flow);
    visit.keep(Jar::Done, "start-again");
    visit.go(paths::SIGN_IN)
}

/// `GET /sign-in/known-password`: said once.
pub(crate) async fn known_leaked(visit: Visit) -> Response {
    visit.show(&PasswordKnownLeaked {
        times: None,
        next: paths::ACCOUNT.to_owned(),
    })
}

/// `POST /sign-out`.
pub(crate) async fn sign_out(State(_): State<Site>, mut visit: Visit) -> Response {
    match visit.owner().await {
        Ok(Some(owner)) => {
            if let Err(fault) = visit.web.app.sign_out(&owner).await {
                return WebFault::from(fault).answer(visit);
            }
        }
        Ok(None) => {}
        Err(fault) => return WebFault::from(fault).answer(visit),
    }
    visit.forget(Jar::Session);
    visit.forget(Jar::Flow);
    visit.keep(Jar::Done, "signed-out");
    visit.go(paths::SIGN_IN)
}
