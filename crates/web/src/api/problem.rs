//! What went otherwise than asked, as a document (RFC 9457, `application/problem+json`).

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use rightful_app::app::Fault;
use rightful_core::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::words::{NewPasswordFault, PasswordOff};
use crate::server::RequestId;

/// How long to wait when we are too busy, in seconds.
const BUSY_FOR: u64 = 2;

/// What went otherwise, as a stable word. Programs go by it; the texts are for people and may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(
    clippy::enum_variant_names,
    reason = "a code that was typed is wrong: the word is the problem's, not the type's"
)]
pub enum Code {
    /// The body is no JSON.
    Unreadable,
    /// The body is not sent as `application/json`.
    NotJson,
    /// The body is not sent as `message/rfc822`.
    NotMail,
    /// The body is larger than 64 KiB.
    TooLarge,
    /// The document is not as described: a member is missing, unknown, or of another type.
    NotAsDescribed,
    /// Something that must be typed is empty.
    Incomplete,
    /// No session with this token lives.
    SignedOut,
    /// Name or password are wrong, or the password is turned off: one answer for all.
    Denied,
    /// The password is turned off. Said only with the token of a recognised browser.
    PasswordOff,
    /// The code is not right, or not any more.
    WrongCode,
    /// The password or code that was to prove the owner is not right.
    WrongProof,
    /// A fresh proof is needed first: `POST /step-up`.
    FreshProof,
    /// The role asks for an authenticator app before anything else: `POST /me/app`.
    AppFirst,
    /// The role of the account does not go that far.
    NotAllowed,
    /// Who acts for the site needs a session with two factors.
    TwoFactors,
    /// It has no meaning now, or not like this; `detail` says why.
    NotNow,
    /// Somebody else must agree.
    NeedsApproval,
    /// The administrator refused.
    LoginRefused,
    /// The message is not signed as described, or was not signed lately.
    NotSigned,
    /// Another site asked for a change.
    CrossSite,
    /// There is no such thing.
    NotFound,
    /// The path does not take this method.
    NotThisWay,
    /// The conversation is over: begin again.
    StartAgain,
    /// There is an authenticator app already: remove it first.
    HasApp,
    /// There is no authenticator app.
    NoApp,
    /// The password is too short to be all that is left: `POST /me/password` with one of 15 characters or more.
    LongerPassword,
    /// The password will not do; `faults` says why.
    PasswordRefused,
    /// The address is none that we write to.
    AddressRefused,
    /// The address is the account's already.
    SameAddress,
    /// Too many attempts: try again after `retry_after` seconds.
    SlowDown,
    /// It went wrong here. `reference` names it in our log.
    WentWrong,
    /// Too much to do: try again after `retry_after` seconds.
    TooBusy,
}

impl Code {
    /// The status, and what people are told: what happened, and what to do.
    const fn told(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Unreadable => (StatusCode::BAD_REQUEST, "Not JSON", "The body cannot be read as JSON."),
            Self::NotJson => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Not sent as JSON",
                "Send the body with the header \"Content-Type: application/json\".",
            ),
            Self::NotMail => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Not sent as a message",
                "Send the body with the header \"Content-Type: message/rfc822\".",
            ),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Too large", "The body may have 64 KiB."),
            Self::NotAsDescribed => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "Not as described",
                "A member is missing, unknown, or of another type than /api/v1/openapi.json says.",
            ),
            Self::Incomplete => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "Something is missing",
                "A member that must be filled is empty.",
            ),
            Self::SignedOut => (
                StatusCode::UNAUTHORIZED,
                "Not signed in",
                "No session with this token lives. Sign in and send its token as \"Authorization: Bearer\".",
            ),
            Self::Denied => (
                StatusCode::FORBIDDEN,
                "That did not work",
                "Check what was typed, or get a new password. If a leak made us turn yours off, a new one lets you back in.",
            ),
            Self::PasswordOff => (
                StatusCode::FORBIDDEN,
                "The password is turned off",
                "Someone else may know it. A new password lets the owner back in.",
            ),
            Self::WrongCode => (
                StatusCode::FORBIDDEN,
                "That code is not right",
                "It was mistyped, used, replaced by a newer one, or its time is over.",
            ),
            Self::WrongProof => (
                StatusCode::FORBIDDEN,
                "That proof is not right",
                "The password or code that was to prove the owner is not right.",
            ),
            Self::FreshProof => (
                StatusCode::FORBIDDEN,
                "A fresh proof is needed",
                "Prove the owner once more at /api/v1/step-up and call again with the new token.",
            ),
            Self::AppFirst => (
                StatusCode::FORBIDDEN,
                "An authenticator app is needed",
                "This role needs a second factor before anything else. Add one at /api/v1/me/app.",
            ),
            Self::NotAllowed => (
                StatusCode::FORBIDDEN,
                "Not allowed",
                "The role of this account does not go that far.",
            ),
            Self::TwoFactors => (
                StatusCode::FORBIDDEN,
                "Two factors are needed",
                "Sign in with password and authenticator app.",
            ),
            Self::NotNow => (StatusCode::CONFLICT, "Not like this", "It has no meaning now."),
            Self::NeedsApproval => (
                StatusCode::CONFLICT,
                "Somebody else must agree",
                "One person may not decide this alone.",
            ),
            Self::LoginRefused => (
                StatusCode::FORBIDDEN,
                "The administrator refused",
                "The program gets no token.",
            ),
            Self::NotSigned => (
                StatusCode::FORBIDDEN,
                "Not signed",
                "The signature is missing, not made with our secret over this time and body, or its time is more than 5 minutes from ours.",
            ),
            Self::CrossSite => (
                StatusCode::FORBIDDEN,
                "Another site asked for this",
                "Browsers may not call this API from the pages of other sites.",
            ),
            Self::NotFound => (StatusCode::NOT_FOUND, "Not found", "There is no such thing."),
            Self::NotThisWay => (
                StatusCode::METHOD_NOT_ALLOWED,
                "Not this way",
                "This path does not take this method; see /api/v1/openapi.json.",
            ),
            Self::StartAgain => (
                StatusCode::CONFLICT,
                "The conversation is over",
                "It took too long, ended, or was overtaken by a change. Begin it again.",
            ),
            Self::HasApp => (
                StatusCode::CONFLICT,
                "There is an authenticator app already",
                "Remove it before adding another.",
            ),
            Self::NoApp => (
                StatusCode::CONFLICT,
                "There is no authenticator app",
                "Recovery codes stand in for an app. Add one first.",
            ),
            Self::LongerPassword => (
                StatusCode::CONFLICT,
                "A longer password is needed first",
                "Without the app the password must have at least 15 characters. Choose a longer one at /api/v1/me/password.",
            ),
            Self::PasswordRefused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "That password will not do",
                "See \"faults\" for what is wrong with it.",
            ),
            Self::AddressRefused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "No address",
                "That is not an e-mail address that we write to.",
            ),
            Self::SameAddress => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "The same address",
                "It is the address of the account already.",
            ),
            Self::SlowDown => (
                StatusCode::TOO_MANY_REQUESTS,
                "Too many attempts",
                "Wait for as many seconds as \"retry_after\" says.",
            ),
            Self::WentWrong => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something went wrong",
                "It is our fault. Name the reference when asking for help.",
            ),
            Self::TooBusy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Too busy",
                "Wait for as many seconds as \"retry_after\" says, and try again.",
            ),
        }
    }

    /// The code for a status that came without words.
    const fn of_status(status: StatusCode) -> Self {
        match status.as_u16() {
            403 => Self::CrossSite,
            404 => Self::NotFound,
            405 => Self::NotThisWay,
            413 => Self::TooLarge,
            415 => Self::NotJson,
            503 => Self::TooBusy,
            status if status < 500 => Self::Unreadable,
            _ => Self::WentWrong,
        }
    }

    fn word(self) -> String {
        // The words are serde's, so that there is one place for them.
        serde_json::to_string(&self)
            .unwrap_or_default()
            .trim_matches('"')
            .to_owned()
    }
}

/// What went otherwise than asked.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `urn:rightful:problem:` and the code.
    #[serde(rename = "type")]
    kind: String,
    /// What happened.
    title: &'static str,
    /// The status of the response.
    status: u16,
    /// What to do.
    detail: String,
    /// What happened, for programs.
    code: Code,
    /// Seconds to wait before trying again, with `slow-down` and `too-busy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    /// What is wrong with a new password, with `password-refused`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    faults: Vec<NewPasswordFault>,
    /// Why the password is turned off, with `password-off`.
    #[serde(skip_serializing_if = "Option::is_none")]
    off: Option<PasswordOff>,
    /// Names the request in our log, with `went-wrong` and `too-busy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
}

impl Problem {
    /// A problem that its code says all about.
    pub fn of(code: Code) -> Self {
        let (status, title, detail) = code.told();
        Self {
            kind: format!("urn:rightful:problem:{}", code.word()),
            title,
            status: status.as_u16(),
            detail: detail.to_owned(),
            code,
            retry_after: None,
            faults: Vec::new(),
            off: None,
            reference: None,
        }
    }

    /// A problem with the document that was sent. Tells where, and nothing of what stands there: it may be a secret.
    pub(super) fn at(code: Code, line: usize, column: usize) -> Self {
        let problem = Self::of(code);
        let detail = format!("{} Seen at line {line}, column {column}.", problem.detail);
        Self { detail, ..problem }
    }

    /// A problem of which more is known than its code says.
    pub(super) fn because(code: Code, detail: &str) -> Self {
        Self {
            detail: detail.to_owned(),
            ..Self::of(code)
        }
    }

    pub(super) fn password_refused(faults: Vec<NewPasswordFault>) -> Self {
        Self {
            faults,
            ..Self::of(Code::PasswordRefused)
        }
    }

    pub(super) fn password_off(off: PasswordOff) -> Self {
        Self {
            off: Some(off),
            ..Self::of(Code::PasswordOff)
        }
    }

    fn slow_down(until: Timestamp, now: Timestamp) -> Self {
        Self {
            retry_after: Some(crate::site::slow_down(until, now).seconds),
            ..Self::of(Code::SlowDown)
        }
    }

    /// The reason goes to the log, once; who asked gets its number.
    fn of_fault(fault: &Fault, request: RequestId) -> Self {
        let reference = request.to_string();
        if fault.passes() {
            tracing::warn!(request.id = %reference, error = %fault, "busy");
            return Self::too_busy(reference);
        }
        tracing::error!(request.id = %reference, error = %fault, "went wrong");
        Self {
            reference: Some(reference),
            ..Self::of(Code::WentWrong)
        }
    }

    fn too_busy(reference: String) -> Self {
        Self {
            retry_after: Some(BUSY_FOR),
            reference: Some(reference),
            ..Self::of(Code::TooBusy)
        }
    }

    /// For a status that came without words, from the server or the router.
    pub(super) fn of_failure(status: StatusCode, request: RequestId) -> Response {
        let problem = match Code::of_status(status) {
            Code::TooBusy => Self::too_busy(request.to_string()),
            code => Self {
                status: status.as_u16(),
                reference: status.is_server_error().then(|| request.to_string()),
                ..Self::of(code)
            },
        };
        problem.into_response()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (retry_after, code) = (self.retry_after, self.code);
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if code == Code::SignedOut {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Why a call gives no document of its own.
#[derive(Debug)]
pub(super) enum Refused {
    /// For a reason that is told.
    Because(Box<Problem>),
    /// Too many attempts; the next one may be made then.
    Wait(Timestamp),
    /// No decision was come to.
    Fault(Fault),
}

impl Refused {
    pub(super) fn problem(self, now: Timestamp, request: RequestId) -> Problem {
        match self {
            Self::Because(problem) => *problem,
            Self::Wait(until) => Problem::slow_down(until, now),
            Self::Fault(fault) => Problem::of_fault(&fault, request),
        }
    }
}

impl From<Code> for Refused {
    fn from(code: Code) -> Self {
        Problem::of(code).into()
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self::Because(Box::new(problem))
    }
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}
