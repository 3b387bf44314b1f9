//! An account, for its owner.

use axum::Json;
use axum::response::NoContent;
use rightful_app::addresses::AddressOutcome;
use rightful_app::glance::{Glance, Notice, NoticeState, SignInRecord};
use rightful_app::new_password::PasswordChange;
use rightful_app::second_factor::{AppRemoval, Changed, EnrolOutcome, Enrolment};
use rightful_app::sessions::Owner;
use rightful_app::visitor::browser_of;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::call::{Anybody, Enrolling, SignedIn};
use super::problem::{Code, Refused};
use super::sign_in::filled_password;
use super::words::{Conversation, Moment, NewToken, TypedAddress, TypedCode, filled, password_refused, proved};
use crate::pages::account::MessageKind;

/// What came of a change that asks for a fresh proof.
fn done<T>(changed: Changed<T>) -> Result<T, Refused> {
    match changed {
        Changed::Done(done) => Ok(done),
        Changed::StepUp => Err(Code::FreshProof.into()),
        Changed::SignedOut => Err(Code::SignedOut.into()),
    }
}

async fn glance(call: &Anybody, owner: &Owner) -> Result<Glance, Refused> {
    let glance = call.app().glance(owner).await?;
    glance.ok_or_else(|| Code::SignedOut.into())
}

/// An account at a glance.
#[derive(Serialize, ToSchema)]
pub(super) struct Me {
    /// What is typed to sign in.
    identifier: String,
    /// Since when the password is as it is; null without one.
    password_set_at: Option<Moment>,
    /// Where we write to; null where we cannot.
    address: Option<String>,
    /// Since when an authenticator app is there; null without one.
    app_since: Option<Moment>,
    /// How many recovery codes are left.
    recovery_codes_left: u64,
    /// How many sessions there are.
    sessions: u64,
    /// How many messages we sent in 90 days.
    messages: u64,
    /// When somebody signed in last.
    last_sign_in_at: Option<Moment>,
    /// When the account will be deleted; null when that is not planned.
    deletion_at: Option<Moment>,
}

/// `GET /me`.
pub(super) async fn me(SignedIn { call, owner }: SignedIn) -> Result<Json<Me>, Refused> {
    let glance = glance(&call, &owner).await?;
    Ok(Json(Me {
        identifier: glance.identifier,
        password_set_at: glance.password_set_at.map(Moment::from),
        address: glance.address,
        app_since: glance.app_since.map(Moment::from),
        recovery_codes_left: glance.recovery_codes_left,
        sessions: glance.sessions,
        messages: glance.messages,
        last_sign_in_at: glance.last_sign_in_at.map(Moment::from),
        deletion_at: glance.erase_at.map(Moment::from),
    }))
}

// ---------------------------------------------------------------- password

/// A change of password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordChanged {
    /// The password as it is now.
    #[schema(value_type = String)]
    current: Zeroizing<String>,
    /// The new one.
    #[schema(value_type = String)]
    password: Zeroizing<String>,
}

/// `POST /me/password`.
pub(super) async fn password(
    SignedIn { call, owner }: SignedIn,
    asked: PasswordChanged,
) -> Result<Json<NewToken>, Refused> {
    filled_password(&asked.current)?;
    filled_password(&asked.password)?;
    let visitor = call.visitor();
    let changed = call
        .app()
        .change_password(&owner, &asked.current, &asked.password, &visitor);
    match done(changed.await?)? {
        PasswordChange::Done(token) => Ok(Json(NewToken { token })),
        PasswordChange::Refused(refusals) => Err(password_refused(&refusals)),
        PasswordChange::Wait(until) => Err(Refused::Wait(until)),
    }
}

// ---------------------------------------------------------------- address

/// Where a change of address stands.
#[derive(Serialize, ToSchema)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub(super) enum AddressStep {
    /// A code is on its way to the new address: `/me/address/code`.
    Code {
        /// The token of the conversation, `rf_…`.
        #[schema(value_type = String)]
        flow: Zeroizing<String>,
    },
    /// It is changed; the session goes on under another token.
    Done(NewToken),
}

/// `POST /me/address`.
pub(super) async fn address(
    SignedIn { call, owner }: SignedIn,
    asked: TypedAddress,
) -> Result<Json<AddressStep>, Refused> {
    filled(&asked.address)?;
    address_answer(
        call.app()
            .change_address(&owner, &asked.address, &call.visitor())
            .await?,
    )
}

/// `POST /me/address/code`.
pub(super) async fn address_code(
    SignedIn { call, owner }: SignedIn,
    asked: TypedCode,
) -> Result<Json<AddressStep>, Refused> {
    filled(&asked.code)?;
    let visitor = call.visitor();
    address_answer(
        call.app()
            .address_code(&owner, &asked.flow, &asked.code, &visitor)
            .await?,
    )
}

/// `POST /me/address/code/again`.
pub(super) async fn address_code_again(
    SignedIn { call, owner }: SignedIn,
    asked: Conversation,
) -> Result<Json<AddressStep>, Refused> {
    address_answer(
        call.app()
            .address_code_again(&owner, &asked.flow, &call.visitor())
            .await?,
    )
}

fn address_answer(outcome: AddressOutcome) -> Result<Json<AddressStep>, Refused> {
    Ok(Json(match outcome {
        AddressOutcome::Asked(flow) => AddressStep::Code { flow },
        AddressOutcome::Done(token) => AddressStep::Done(NewToken { token }),
        AddressOutcome::NoAddress(_) => return Err(Code::AddressRefused.into()),
        AddressOutcome::Same => return Err(Code::SameAddress.into()),
        AddressOutcome::WrongCode => return Err(Code::WrongCode.into()),
        AddressOutcome::Wait(until) => return Err(Refused::Wait(until)),
        AddressOutcome::StepUp => return Err(Code::FreshProof.into()),
        AddressOutcome::StartAgain => return Err(Code::StartAgain.into()),
    }))
}

// ---------------------------------------------------------------- app and recovery codes

/// An authenticator app about to be added.
#[derive(Serialize, ToSchema)]
pub(super) struct NewApp {
    /// The token of the conversation, `rf_…`.
    #[schema(value_type = String)]
    flow: Zeroizing<String>,
    /// The secret in base32, in groups, to be typed.
    #[schema(value_type = String)]
    secret: Zeroizing<String>,
    /// What a QR code for the app holds (`otpauth://…`).
    #[schema(value_type = String)]
    uri: Zeroizing<String>,
}

impl From<Enrolment> for NewApp {
    fn from(enrolment: Enrolment) -> Self {
        Self {
            flow: enrolment.flow,
            secret: enrolment.secret,
            uri: enrolment.uri,
        }
    }
}

/// An authenticator app was added; the session goes on under another token.
#[derive(Serialize, ToSchema)]
pub(super) struct AppAdded {
    /// The new token of the session.
    #[schema(value_type = String)]
    token: Zeroizing<String>,
    /// Recovery codes, shown once.
    #[schema(value_type = Vec<String>)]
    recovery_codes: Vec<Zeroizing<String>>,
}

/// Recovery codes, shown once. Those before are dead.
#[derive(Serialize, ToSchema)]
pub(super) struct NewRecoveryCodes {
    /// The codes.
    #[schema(value_type = Vec<String>)]
    recovery_codes: Vec<Zeroizing<String>>,
}

/// `POST /me/app`.
pub(super) async fn begin_app(Enrolling { call, owner }: Enrolling) -> Result<Json<NewApp>, Refused> {
    let glance = glance(&call, &owner).await?;
    if glance.app_since.is_some() {
        return Err(Code::HasApp.into());
    }
    let enrolment = done(call.app().begin_app(&owner, &glance.identifier).await?)?;
    Ok(Json(enrolment.into()))
}

/// `POST /me/app/finish`.
pub(super) async fn finish_app(
    Enrolling { call, owner }: Enrolling,
    asked: TypedCode,
) -> Result<Json<AppAdded>, Refused> {
    filled(&asked.code)?;
    let visitor = call.visitor();
    match call
        .app()
        .finish_app(&owner, &asked.flow, &asked.code, &visitor)
        .await?
    {
        EnrolOutcome::Enrolled { session, codes } => Ok(Json(AppAdded {
            token: session,
            recovery_codes: codes,
        })),
        EnrolOutcome::WrongCode => Err(Code::WrongCode.into()),
        EnrolOutcome::Wait(until) => Err(Refused::Wait(until)),
        EnrolOutcome::StepUp => Err(Code::FreshProof.into()),
        EnrolOutcome::StartAgain => Err(Code::StartAgain.into()),
    }
}

/// Whoever has no app has none to remove, and nothing for recovery codes to stand in for.
async fn has_app(call: &Anybody, owner: &Owner) -> Result<(), Refused> {
    if glance(call, owner).await?.app_since.is_none() {
        return Err(Code::NoApp.into());
    }
    Ok(())
}

/// `DELETE /me/app`.
pub(super) async fn remove_app(SignedIn { call, owner }: SignedIn) -> Result<Json<NewToken>, Refused> {
    has_app(&call, &owner).await?;
    match done(call.app().remove_app(&owner, &call.visitor()).await?)? {
        AppRemoval::Done(token) => Ok(Json(NewToken { token })),
        AppRemoval::LongerPassword => Err(Code::LongerPassword.into()),
    }
}

/// `POST /me/recovery-codes`.
pub(super) async fn recovery_codes(SignedIn { call, owner }: SignedIn) -> Result<Json<NewRecoveryCodes>, Refused> {
    has_app(&call, &owner).await?;
    let recovery_codes = done(call.app().make_recovery_codes(&owner, &call.visitor()).await?)?;
    Ok(Json(NewRecoveryCodes { recovery_codes }))
}

// ---------------------------------------------------------------- sessions

/// Where an account is signed in, the newest session first.
#[derive(Serialize, ToSchema)]
pub(super) struct SessionList {
    /// The sessions.
    sessions: Vec<ListedSession>,
}

/// A session.
#[derive(Serialize, ToSchema)]
pub(super) struct ListedSession {
    /// Names it, to end it.
    session: String,
    /// `browser`, or `api` for a program.
    used_by: &'static str,
    /// The browser or program, where it is known.
    browser: Option<String>,
    /// The system that it runs on, where that is known.
    system: Option<String>,
    /// When it opened.
    signed_in_at: Moment,
    /// When it was used last, to the minute.
    seen_at: Moment,
    /// When it ends by itself.
    expires_at: Moment,
    /// Whether it is the one that asks.
    current: bool,
}

/// A session to end.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SessionToEnd {
    /// The name of the session.
    session: String,
}

/// `GET /me/sessions`.
pub(super) async fn sessions(SignedIn { call, owner }: SignedIn) -> Result<Json<SessionList>, Refused> {
    let listed = call.app().sessions(&owner).await?;
    let sessions = listed.into_iter().rev().map(|session| {
        let browser = browser_of(&session.agent);
        ListedSession {
            session: session.session_id.to_string(),
            used_by: session.used_by.word(),
            browser: browser.name,
            system: browser.system,
            signed_in_at: session.made_at.into(),
            seen_at: session.seen_at.into(),
            expires_at: session.expires_at.into(),
            current: session.session_id == owner.session_id(),
        }
    });
    Ok(Json(SessionList {
        sessions: sessions.collect(),
    }))
}

/// `POST /me/sessions/end`.
pub(super) async fn end_session(SignedIn { call, owner }: SignedIn, asked: SessionToEnd) -> Result<NoContent, Refused> {
    let session = asked.session.parse().map_err(|_| Code::NotFound)?;
    if call.app().end_session(&owner, session).await? {
        Ok(NoContent)
    } else {
        Err(Code::NotFound.into())
    }
}

/// `POST /me/sessions/end-others`.
pub(super) async fn end_other_sessions(SignedIn { call, owner }: SignedIn) -> Result<Json<NewToken>, Refused> {
    match call.app().end_other_sessions(&owner).await? {
        Some(token) => Ok(Json(NewToken { token })),
        None => Err(Code::SignedOut.into()),
    }
}

// ---------------------------------------------------------------- what happened

/// Messages that we sent, the newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct MessageList {
    /// The messages.
    messages: Vec<SentMessage>,
}

/// A message that we sent.
#[derive(Serialize, ToSchema)]
pub(super) struct SentMessage {
    /// Its kind, as a stable word.
    kind: String,
    /// When it was made.
    at: Moment,
    /// Where it went, masked.
    address: String,
    /// What became of it.
    state: SentState,
}

/// What became of a message.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SentState {
    /// It waits.
    Queued,
    /// It is being handed over.
    Sending,
    /// It was handed over.
    Sent,
    /// It could not be handed over.
    Failed,
    /// We do not know.
    Unknown,
}

/// `GET /me/messages`.
pub(super) async fn messages(SignedIn { call, owner }: SignedIn) -> Result<Json<MessageList>, Refused> {
    let sent = call.app().messages(&owner).await?;
    let messages = sent.into_iter().filter_map(sent_message).collect();
    Ok(Json(MessageList { messages }))
}

/// What was never sent was no message.
fn sent_message(notice: Notice) -> Option<SentMessage> {
    MessageKind::from_word(&notice.kind)?;
    let state = match notice.state {
        NoticeState::Queued => SentState::Queued,
        NoticeState::Sending => SentState::Sending,
        NoticeState::Sent => SentState::Sent,
        NoticeState::Failed => SentState::Failed,
        NoticeState::Unknown => SentState::Unknown,
        NoticeState::Cancelled => return None,
    };
    Some(SentMessage {
        kind: notice.kind,
        at: notice.made_at.into(),
        address: notice.masked,
        state,
    })
}

/// Sign-ins, the newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct ActivityList {
    /// The sign-ins.
    activity: Vec<SignInLine>,
}

/// A sign-in, or an attempt.
#[derive(Serialize, ToSchema)]
pub(super) struct SignInLine {
    /// When.
    at: Moment,
    /// The browser or program, where it is known.
    browser: Option<String>,
    /// The system that it ran on, where that is known.
    system: Option<String>,
    /// Where it was, coarsely, where that is known.
    place: Option<String>,
    /// What was proved: `password`, `app`, `recovery-code`, `mail-code`.
    proved: Vec<&'static str>,
    /// Why it was refused; null when it opened a session.
    refused: Option<SignInRefused>,
}

/// Why a sign-in was refused.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SignInRefused {
    /// The password was wrong.
    WrongPassword,
    /// The code of the second factor was wrong.
    WrongCode,
    /// The password is turned off.
    PasswordOff,
    /// A new password had to be chosen.
    ChangeRequired,
}

/// `GET /me/activity`.
pub(super) async fn activity(SignedIn { call, owner }: SignedIn) -> Result<Json<ActivityList>, Refused> {
    let records = call.app().activity(&owner).await?;
    let activity = records.into_iter().map(sign_in_line).collect();
    Ok(Json(ActivityList { activity }))
}

fn sign_in_line(record: SignInRecord) -> SignInLine {
    let browser = browser_of(&record.agent);
    SignInLine {
        at: record.at.into(),
        browser: browser.name,
        system: browser.system,
        place: (!record.place.is_empty()).then_some(record.place),
        proved: proved(record.proofs),
        refused: match record.why.as_str() {
            "" => None,
            "held" => Some(SignInRefused::PasswordOff),
            "wrong-code" => Some(SignInRefused::WrongCode),
            "change-required" => Some(SignInRefused::ChangeRequired),
            _ => Some(SignInRefused::WrongPassword),
        },
    }
}

// ---------------------------------------------------------------- deletion

/// A deletion that is planned.
#[derive(Serialize, ToSchema)]
pub(super) struct DeletionPlanned {
    /// When the account will be deleted. Until then it can be taken back.
    deletion_at: Moment,
}

/// `POST /me/deletion`.
pub(super) async fn plan_deletion(SignedIn { call, owner }: SignedIn) -> Result<Json<DeletionPlanned>, Refused> {
    let on = done(call.app().plan_deletion(&owner, &call.visitor()).await?)?;
    Ok(Json(DeletionPlanned { deletion_at: on.into() }))
}

/// `DELETE /me/deletion`.
pub(super) async fn stop_deletion(SignedIn { call, owner }: SignedIn) -> Result<NoContent, Refused> {
    call.app().stop_deletion(&owner, &call.visitor()).await?;
    Ok(NoContent)
}
