//! The pages of an account, for its owner.

use axum::Form;
use axum::response::Response;
use http::StatusCode;
use rightful_app::addresses::AddressOutcome;
use rightful_app::app::{App, Fault};
use rightful_app::glance::{Glance, Notice, NoticeState, SignInRecord};
use rightful_app::new_password::{PasswordChange, Refusal as PasswordRefusal};
use rightful_app::second_factor::{AppRemoval, Changed, EnrolOutcome, Enrolment};
use rightful_app::visitor::browser_of;
use rightful_core::assurance::{Method, Proofs};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::fault::{WebFault, slow_down};
use super::sign_in::CodeForm;
use super::sign_up::{AddressForm, address_problem, first_problem};
use super::step_up::ask;
use super::visit::{Jar, SignedIn, Visit};
use crate::pages::account::{
    Account, Activity, ActivityLine, ChangeAddress, ChangePassword, ChangePasswordProblem, DeleteAccount, Device, Done,
    EnrolApp, EnrolFor, MessageKind, MessageLine, MessageState, Messages, NextThing, Outcome, Proof, Refusal,
    RemoveApp, SessionLine, Sessions,
};
use crate::pages::error::ErrorPage;
use crate::pages::mailed_code::{MailedCode, MailedTo};
use crate::pages::paths;
use crate::pages::problem::{
    AddressProblem, AppCodeProblem, CurrentPasswordProblem, MailedCodeProblem, NewPasswordProblem,
};
use crate::pages::qr::QrSvg;
use crate::pages::recovery_codes::{AfterCodes, RecoveryCodes, RecoveryCodesLeft};
use crate::pages::step_up::StepUpFor;

/// Fewer recovery codes than this are worth a word.
const FEW_CODES: u64 = 4;

/// Shows what went wrong, or goes on.
macro_rules! or_fault {
    ($visit:ident, $outcome:expr) => {
        match $outcome {
            Ok(outcome) => outcome,
            Err(fault) => return WebFault::from(fault).answer($visit),
        }
    };
}

fn next_thing(glance: &Glance) -> Option<NextThing> {
    if let Some(on) = glance.erase_at {
        return Some(NextThing::DeletionPlanned { on });
    }
    if glance.address.is_none() {
        return Some(NextThing::AddAddress);
    }
    if glance.app_since.is_none() {
        return Some(NextThing::AddApp);
    }
    (glance.recovery_codes_left < FEW_CODES).then_some(NextThing::MakeRecoveryCodes {
        left: glance.recovery_codes_left,
    })
}

fn done(word: &str) -> Option<Done> {
    Some(match word {
        "account-made" => Done::AccountMade,
        "password-changed" => Done::PasswordChanged,
        "address-changed" => Done::AddressChanged,
        "app-removed" => Done::AppRemoved,
        "others-signed-out" => Done::OthersSignedOut,
        "deletion-stopped" => Done::DeletionStopped,
        _ => return None,
    })
}

/// The session ended while its owner was at a page.
pub(crate) fn signed_out(mut visit: Visit) -> Response {
    visit.forget(Jar::Session);
    visit.go(paths::SIGN_IN)
}

/// `GET /account`.
pub(crate) async fn show(SignedIn { mut visit, owner }: SignedIn) -> Response {
    let Some(glance) = or_fault!(visit, visit.web.app.glance(&owner).await) else {
        return signed_out(visit);
    };
    let said = visit.cookie(Jar::Done).as_deref().and_then(done);
    visit.forget(Jar::Done);
    let next = next_thing(&glance);
    visit.show(&Account {
        identifier: glance.identifier,
        done: said,
        next,
        password_set_at: glance.password_set_at,
        address: glance.address,
        app_since: glance.app_since,
        recovery_codes_left: glance.recovery_codes_left,
        sessions: glance.sessions,
        messages: glance.messages,
        last_sign_in_at: glance.last_sign_in_at,
    })
}

// ---------------------------------------------------------------- password

/// What is posted to change a password.
#[derive(Deserialize)]
pub(crate) struct ChangePasswordForm {
    #[serde(default)]
    current: Zeroizing<String>,
    #[serde(default)]
    password: Zeroizing<String>,
}

async fn password_page(
    SignedIn { visit, owner }: SignedIn,
    problem: Option<ChangePasswordProblem>,
    status: StatusCode,
) -> Response {
    let Some(glance) = or_fault!(visit, visit.web.app.glance(&owner).await) else {
        return signed_out(visit);
    };
    let page = ChangePassword {
        identifier: glance.identifier,
        least: App::least_characters(glance.app_since.is_some()) as u64,
        problem,
    };
    visit.show_as(status, &page)
}

/// `GET /account/password`.
pub(crate) async fn show_password(signed_in: SignedIn) -> Response {
    password_page(signed_in, None, StatusCode::OK).await
}

/// `POST /account/password`.
pub(crate) async fn submit_password(signed_in: SignedIn, Form(form): Form<ChangePasswordForm>) -> Response {
    let missing = if form.current.is_empty() {
        Some(ChangePasswordProblem::Current(CurrentPasswordProblem::Missing))
    } else if form.password.is_empty() {
        Some(ChangePasswordProblem::New(NewPasswordProblem::Missing))
    } else {
        None
    };
    if missing.is_some() {
        return password_page(signed_in, missing, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let SignedIn { mut visit, owner } = signed_in;
    let visitor = visit.visitor();
    let changed = visit
        .web
        .app
        .change_password(&owner, &form.current, &form.password, &visitor)
        .await;
    match or_fault!(visit, changed) {
        Changed::Done(PasswordChange::Done(session)) => {
            visit.keep(Jar::Session, &session);
            visit.keep(Jar::Done, "password-changed");
            visit.go(paths::ACCOUNT)
        }
        Changed::Done(PasswordChange::Refused(refusals)) => {
            let problem = if refusals.contains(&PasswordRefusal::WrongCurrent) {
                Some(ChangePasswordProblem::Current(CurrentPasswordProblem::Wrong))
            } else {
                first_problem(&refusals).map(ChangePasswordProblem::New)
            };
            password_page(SignedIn { visit, owner }, problem, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Changed::Done(PasswordChange::Wait(until)) => {
            let wait = CurrentPasswordProblem::SlowDown(slow_down(until, visit.web.app.now()));
            let problem = Some(ChangePasswordProblem::Current(wait));
            password_page(SignedIn { visit, owner }, problem, StatusCode::TOO_MANY_REQUESTS).await
        }
        Changed::StepUp => ask(SignedIn { visit, owner }, StepUpFor::Password).await,
        Changed::SignedOut => signed_out(visit),
    }
}

// ---------------------------------------------------------------- address

async fn address_page(
    SignedIn { visit, owner }: SignedIn,
    address: &str,
    problem: Option<AddressProblem>,
    status: StatusCode,
) -> Response {
    let Some(glance) = or_fault!(visit, visit.web.app.glance(&owner).await) else {
        return signed_out(visit);
    };
    let page = ChangeAddress {
        current: glance.address,
        address: address.to_owned(),
        problem,
    };
    visit.show_as(status, &page)
}

/// `GET /account/address`.
pub(crate) async fn show_address(signed_in: SignedIn) -> Response {
    if !signed_in.owner.is_fresh(signed_in.visit.web.app.now()) {
        return ask(signed_in, StepUpFor::Address).await;
    }
    address_page(signed_in, "", None, StatusCode::OK).await
}

/// `POST /account/address`.
pub(crate) async fn submit_address(SignedIn { visit, owner }: SignedIn, Form(form): Form<AddressForm>) -> Response {
    let outcome = visit
        .web
        .app
        .change_address(&owner, &form.address, &visit.visitor())
        .await;
    address_answer(SignedIn { visit, owner }, outcome, &form.address).await
}

/// `GET /account/address/code`.
pub(crate) async fn show_address_code(signed_in: SignedIn) -> Response {
    address_code_page(signed_in, false, None, StatusCode::OK).await
}

/// `POST /account/address/code`.
pub(crate) async fn submit_address_code(signed_in: SignedIn, Form(form): Form<CodeForm>) -> Response {
    if form.code.trim().is_empty() {
        let missing = Some(MailedCodeProblem::Missing);
        return address_code_page(signed_in, false, missing, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let SignedIn { visit, owner } = signed_in;
    let outcome = visit
        .web
        .app
        .address_code(&owner, &visit.flow(), &form.code, &visit.visitor())
        .await;
    address_answer(SignedIn { visit, owner }, outcome, "").await
}

/// `POST /account/address/code/again`.
pub(crate) async fn address_code_again(SignedIn { visit, owner }: SignedIn) -> Response {
    match visit
        .web
        .app
        .address_code_again(&owner, &visit.flow(), &visit.visitor())
        .await
    {
        Ok(AddressOutcome::Asked(_)) => address_code_page(SignedIn { visit, owner }, true, None, StatusCode::OK).await,
        outcome => address_answer(SignedIn { visit, owner }, outcome, "").await,
    }
}

async fn address_answer(signed_in: SignedIn, outcome: Result<AddressOutcome, Fault>, address: &str) -> Response {
    let SignedIn { mut visit, owner } = signed_in;
    match or_fault!(visit, outcome) {
        AddressOutcome::Asked(flow) => {
            visit.keep(Jar::Flow, &flow);
            visit.go(paths::ACCOUNT_ADDRESS_CODE)
        }
        AddressOutcome::Done(session) => {
            visit.keep(Jar::Session, &session);
            visit.forget(Jar::Flow);
            visit.keep(Jar::Done, "address-changed");
            visit.go(paths::ACCOUNT)
        }
        AddressOutcome::NoAddress(refused) => {
            let problem = Some(address_problem(refused));
            address_page(
                SignedIn { visit, owner },
                address,
                problem,
                StatusCode::UNPROCESSABLE_ENTITY,
            )
            .await
        }
        AddressOutcome::Same => {
            let problem = Some(AddressProblem::Same);
            address_page(
                SignedIn { visit, owner },
                address,
                problem,
                StatusCode::UNPROCESSABLE_ENTITY,
            )
            .await
        }
        AddressOutcome::WrongCode => {
            let problem = Some(MailedCodeProblem::Wrong);
            address_code_page(SignedIn { visit, owner }, false, problem, StatusCode::FORBIDDEN).await
        }
        AddressOutcome::Wait(until) => {
            let wait = slow_down(until, visit.web.app.now());
            visit.show_as(StatusCode::TOO_MANY_REQUESTS, &ErrorPage::SlowDown(wait))
        }
        AddressOutcome::StepUp => ask(SignedIn { visit, owner }, StepUpFor::Address).await,
        AddressOutcome::StartAgain => {
            visit.forget(Jar::Flow);
            visit.go(paths::ACCOUNT_ADDRESS)
        }
    }
}

async fn address_code_page(
    SignedIn { visit, owner }: SignedIn,
    sent_again: bool,
    problem: Option<MailedCodeProblem>,
    status: StatusCode,
) -> Response {
    let Some(address) = or_fault!(visit, visit.web.app.new_address_of(&owner, &visit.flow()).await) else {
        return visit.go(paths::ACCOUNT_ADDRESS);
    };
    let page = MailedCode {
        to: MailedTo::NewAddress { address },
        sent_again,
        problem,
    };
    visit.show_as(status, &page)
}

// ---------------------------------------------------------------- app and recovery codes

fn enrol_page(enrolment: &Enrolment, enrol_for: EnrolFor, problem: Option<AppCodeProblem>) -> EnrolApp {
    EnrolApp {
        enrol_for,
        qr: QrSvg::of(&enrolment.uri),
        secret: enrolment.secret.replace(' ', ""),
        problem,
    }
}

/// `GET /account/app`: adds one, or shows the one that is there to be removed.
pub(crate) async fn show_app(signed_in: SignedIn) -> Response {
    let glance = signed_in.visit.web.app.glance(&signed_in.owner).await;
    let SignedIn { visit, owner } = signed_in;
    match or_fault!(visit, glance) {
        None => signed_out(visit),
        Some(Glance {
            app_since: Some(since),
            password_alone,
            ..
        }) => visit.show(&RemoveApp {
            since,
            longer_password: longer_password(password_alone),
        }),
        Some(_) => begin_enrolment(SignedIn { visit, owner }, EnrolFor::Account).await,
    }
}

/// `GET /setup/app`: the first administrator enrols before anything else.
pub(crate) async fn show_setup_app(signed_in: SignedIn) -> Response {
    begin_enrolment(signed_in, EnrolFor::Setup).await
}

async fn begin_enrolment(SignedIn { mut visit, owner }: SignedIn, enrol_for: EnrolFor) -> Response {
    let Some(glance) = or_fault!(visit, visit.web.app.glance(&owner).await) else {
        return signed_out(visit);
    };
    // A page that is loaded again shows the secret that was scanned already.
    let under_way = visit
        .web
        .app
        .enrolment_of(&owner, &visit.flow(), &glance.identifier)
        .await;
    if let Some(enrolment) = or_fault!(visit, under_way) {
        return visit.show(&enrol_page(&enrolment, enrol_for, None));
    }
    match or_fault!(visit, visit.web.app.begin_app(&owner, &glance.identifier).await) {
        Changed::Done(enrolment) => {
            visit.keep(Jar::Flow, &enrolment.flow);
            visit.show(&enrol_page(&enrolment, enrol_for, None))
        }
        Changed::StepUp => ask(SignedIn { visit, owner }, StepUpFor::App).await,
        Changed::SignedOut => signed_out(visit),
    }
}

/// `POST /account/app`.
pub(crate) async fn submit_app(signed_in: SignedIn, Form(form): Form<CodeForm>) -> Response {
    finish_enrolment(signed_in, EnrolFor::Account, &form.code).await
}

/// `POST /setup/app`.
pub(crate) async fn submit_setup_app(signed_in: SignedIn, Form(form): Form<CodeForm>) -> Response {
    finish_enrolment(signed_in, EnrolFor::Setup, &form.code).await
}

async fn finish_enrolment(SignedIn { mut visit, owner }: SignedIn, enrol_for: EnrolFor, typed: &str) -> Response {
    let flow = visit.flow();
    let outcome = if typed.trim().is_empty() {
        Err(AppCodeProblem::Missing)
    } else {
        Ok(or_fault!(
            visit,
            visit.web.app.finish_app(&owner, &flow, typed, &visit.visitor()).await
        ))
    };
    let (problem, status) = match outcome {
        Ok(EnrolOutcome::Enrolled { session, codes }) => {
            visit.keep(Jar::Session, &session);
            visit.forget(Jar::Flow);
            let after = match enrol_for {
                EnrolFor::Account => AfterCodes::Account,
                EnrolFor::Setup => AfterCodes::Start,
            };
            let codes = codes.iter().map(|code| code.to_string()).collect();
            return visit.show(&RecoveryCodes { codes, after });
        }
        Ok(EnrolOutcome::StepUp) => return ask(SignedIn { visit, owner }, StepUpFor::App).await,
        Ok(EnrolOutcome::StartAgain) => return visit.go(paths::ACCOUNT_APP),
        Ok(EnrolOutcome::WrongCode) => (AppCodeProblem::Wrong, StatusCode::FORBIDDEN),
        Ok(EnrolOutcome::Wait(until)) => {
            let wait = slow_down(until, visit.web.app.now());
            (AppCodeProblem::SlowDown(wait), StatusCode::TOO_MANY_REQUESTS)
        }
        Err(problem) => (problem, StatusCode::UNPROCESSABLE_ENTITY),
    };
    let Some(glance) = or_fault!(visit, visit.web.app.glance(&owner).await) else {
        return signed_out(visit);
    };
    let again = visit.web.app.enrolment_of(&owner, &flow, &glance.identifier).await;
    match or_fault!(visit, again) {
        Some(enrolment) => visit.show_as(status, &enrol_page(&enrolment, enrol_for, Some(problem))),
        None => visit.go(paths::ACCOUNT_APP),
    }
}

/// How long a password must be that is chosen before the app can go.
fn longer_password(password_alone: bool) -> Option<u64> {
    (!password_alone).then_some(App::least_characters(false) as u64)
}

/// `POST /account/app/remove`.
pub(crate) async fn remove_app(SignedIn { mut visit, owner }: SignedIn) -> Response {
    let removed = visit.web.app.remove_app(&owner, &visit.visitor()).await;
    match or_fault!(visit, removed) {
        Changed::Done(AppRemoval::Done(session)) => {
            visit.keep(Jar::Session, &session);
            visit.keep(Jar::Done, "app-removed");
            visit.go(paths::ACCOUNT)
        }
        // The page says why.
        Changed::Done(AppRemoval::LongerPassword) => visit.go(paths::ACCOUNT_APP),
        Changed::StepUp => ask(SignedIn { visit, owner }, StepUpFor::App).await,
        Changed::SignedOut => signed_out(visit),
    }
}

/// `GET /account/recovery-codes`: how many are left.
pub(crate) async fn show_codes(SignedIn { visit, owner }: SignedIn) -> Response {
    match or_fault!(visit, visit.web.app.glance(&owner).await) {
        None => signed_out(visit),
        // They stand in for an app: without one there is nothing to stand in for.
        Some(Glance { app_since: None, .. }) => visit.go(paths::ACCOUNT_APP),
        Some(glance) => {
            let left = glance.recovery_codes_left;
            visit.show(&RecoveryCodesLeft { left })
        }
    }
}

/// `POST /account/recovery-codes`: a new set, shown once.
pub(crate) async fn make_codes(SignedIn { visit, owner }: SignedIn) -> Response {
    let glance = visit.web.app.glance(&owner).await;
    if or_fault!(visit, glance).is_none_or(|glance| glance.app_since.is_none()) {
        return visit.go(paths::ACCOUNT_APP);
    }
    let made = visit.web.app.make_recovery_codes(&owner, &visit.visitor()).await;
    match or_fault!(visit, made) {
        Changed::Done(codes) => {
            let codes = codes.iter().map(|code| code.to_string()).collect();
            let after = AfterCodes::Account;
            visit.show(&RecoveryCodes { codes, after })
        }
        Changed::StepUp => ask(SignedIn { visit, owner }, StepUpFor::RecoveryCodes).await,
        Changed::SignedOut => signed_out(visit),
    }
}

// ---------------------------------------------------------------- sessions

fn device(agent: &str, place: &str) -> Device {
    let browser = browser_of(agent);
    Device {
        browser: browser.name,
        system: browser.system,
        place: (!place.is_empty()).then(|| place.to_owned()),
    }
}

/// `GET /account/sessions`.
pub(crate) async fn show_sessions(SignedIn { mut visit, owner }: SignedIn) -> Response {
    let listed = or_fault!(visit, visit.web.app.sessions(&owner).await);
    let lines = listed.into_iter().map(|session| SessionLine {
        id: session.session_id.to_string(),
        device: device(&session.agent, ""),
        signed_in_at: session.made_at,
        seen_at: session.seen_at,
        current: session.session_id == owner.session_id(),
    });
    let one_ended = visit.cookie(Jar::Done).as_deref() == Some("session-ended");
    visit.forget(Jar::Done);
    let mut sessions: Vec<SessionLine> = lines.collect();
    sessions.sort_by_key(|line| (!line.current, std::cmp::Reverse(line.seen_at)));
    visit.show(&Sessions { sessions, one_ended })
}

/// What is posted to end a session.
#[derive(Deserialize)]
pub(crate) struct SessionForm {
    #[serde(default)]
    session: String,
}

/// `POST /account/sessions/end`.
pub(crate) async fn end_session(SignedIn { mut visit, owner }: SignedIn, Form(form): Form<SessionForm>) -> Response {
    let Ok(id) = form.session.parse() else {
        return visit.go(paths::ACCOUNT_SESSIONS);
    };
    let ended = or_fault!(visit, visit.web.app.end_session(&owner, id).await);
    if ended && id == owner.session_id() {
        return signed_out(visit);
    }
    if ended {
        visit.keep(Jar::Done, "session-ended");
    }
    visit.go(paths::ACCOUNT_SESSIONS)
}

/// `POST /account/sessions/end-others`.
pub(crate) async fn end_other_sessions(SignedIn { mut visit, owner }: SignedIn) -> Response {
    match or_fault!(visit, visit.web.app.end_other_sessions(&owner).await) {
        Some(session) => {
            visit.keep(Jar::Session, &session);
            visit.keep(Jar::Done, "others-signed-out");
            visit.go(paths::ACCOUNT)
        }
        None => signed_out(visit),
    }
}

// ---------------------------------------------------------------- what happened

/// `GET /account/messages`.
pub(crate) async fn show_messages(SignedIn { visit, owner }: SignedIn) -> Response {
    let sent = or_fault!(visit, visit.web.app.messages(&owner).await);
    let line = |notice: Notice| {
        let state = match notice.state {
            NoticeState::Queued => MessageState::Queued,
            NoticeState::Sending => MessageState::Sending,
            NoticeState::Sent => MessageState::Sent,
            NoticeState::Failed => MessageState::Failed,
            NoticeState::Unknown => MessageState::Unknown,
            // Never sent: it was no message.
            NoticeState::Cancelled => return None,
        };
        Some(MessageLine {
            kind: MessageKind::from_word(&notice.kind)?,
            at: notice.made_at,
            masked_address: notice.masked,
            state,
        })
    };
    let lines = sent.into_iter().filter_map(line).collect();
    visit.show(&Messages { lines })
}

fn proofs(proved: Proofs) -> Vec<Proof> {
    let word = |method| match method {
        Method::Password => Proof::Password,
        Method::App => Proof::AppCode,
        Method::RecoveryCode => Proof::RecoveryCode,
        Method::MailCode => Proof::MailedCode,
    };
    let proved = Method::ALL.into_iter().filter(|method| proved.has(*method));
    proved.map(word).collect()
}

fn activity_line(record: &SignInRecord) -> ActivityLine {
    let outcome = match record.why.as_str() {
        "" => Outcome::SignedIn(proofs(record.proofs)),
        "held" => Outcome::Refused(Refusal::PasswordOff),
        "wrong-code" => Outcome::Refused(Refusal::WrongCode),
        "change-required" => Outcome::Refused(Refusal::ChangeRequired),
        _ => Outcome::Refused(Refusal::WrongPassword),
    };
    ActivityLine {
        at: record.at,
        device: device(&record.agent, &record.place),
        outcome,
    }
}

/// `GET /account/activity`.
pub(crate) async fn show_activity(SignedIn { visit, owner }: SignedIn) -> Response {
    let records = or_fault!(visit, visit.web.app.activity(&owner).await);
    let lines = records.iter().map(activity_line).collect();
    visit.show(&Activity { lines })
}

// ---------------------------------------------------------------- deletion

/// `GET /account/delete`.
pub(crate) async fn show_delete(SignedIn { visit, owner }: SignedIn) -> Response {
    match or_fault!(visit, visit.web.app.glance(&owner).await) {
        None => signed_out(visit),
        Some(Glance { erase_at: Some(on), .. }) => visit.show(&DeleteAccount::Planned { on }),
        Some(_) => visit.show(&DeleteAccount::NotPlanned),
    }
}

/// `POST /account/delete`.
pub(crate) async fn plan_deletion(SignedIn { visit, owner }: SignedIn) -> Response {
    let planned = visit.web.app.plan_deletion(&owner, &visit.visitor()).await;
    match or_fault!(visit, planned) {
        Changed::Done(on) => visit.show(&DeleteAccount::Planned { on }),
        Changed::StepUp => ask(SignedIn { visit, owner }, StepUpFor::Delete).await,
        Changed::SignedOut => signed_out(visit),
    }
}

/// `POST /account/delete/stop`.
pub(crate) async fn stop_deletion(SignedIn { mut visit, owner }: SignedIn) -> Response {
    let visitor = visit.visitor();
    or_fault!(visit, visit.web.app.stop_deletion(&owner, &visitor).await);
    visit.keep(Jar::Done, "deletion-stopped");
    visit.go(paths::ACCOUNT)
}
