//! A call as handlers see it: who asks, in which language, and who is signed in.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use rightful_app::app::App;
use rightful_app::sessions::Owner;
use rightful_app::visitor::Visitor;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::problem::{Code, Problem, Refused};
use crate::server::{Client, RequestId};
use crate::site::{Site, visitor};
use crate::words::Locale;

/// A call by anybody.
pub(super) struct Anybody {
    site: Site,
    client: Client,
    headers: HeaderMap,
}

impl Anybody {
    /// The use cases.
    pub(super) fn app(&self) -> &App {
        &self.site.app
    }

    /// The sender, as use cases know him.
    pub(super) fn visitor(&self) -> Visitor {
        self.visitor_with(None)
    }

    /// The sender, with the token of a recognised browser if he has one.
    pub(super) fn visitor_with(&self, browser: Option<String>) -> Visitor {
        let wanted = self
            .headers
            .get(ACCEPT_LANGUAGE)
            .and_then(|wanted| wanted.to_str().ok());
        let locale = Locale::choose(None, wanted, &self.site.branding.languages);
        visitor(&self.site, &self.client, &self.headers, locale, browser)
    }

    fn problem(&self, refused: Refused) -> Response {
        refused
            .problem(self.app().now(), self.client.request_id)
            .into_response()
    }

    /// Whoever the token of the call signs in.
    async fn owner(&self) -> Result<Owner, Refused> {
        let token = bearer(&self.headers).ok_or(Code::SignedOut)?;
        let owner = self.app().owner(token).await?;
        owner.ok_or_else(|| Code::SignedOut.into())
    }
}

/// The token of a call: the one header, with one token (RFC 6750 section 2.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else {
        return None;
    };
    let (scheme, token) = field.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_matches(' '))
}

/// A call by whoever is signed in.
pub(super) struct SignedIn {
    pub(super) call: Anybody,
    pub(super) owner: Owner,
}

/// A call by whoever is signed in, also when the role asks for an authenticator app that is not there yet: what may be done
/// before that.
pub(super) struct Enrolling {
    pub(super) call: Anybody,
    pub(super) owner: Owner,
}

/// Who may make a call.
pub(super) trait Caller: FromRequestParts<Site, Rejection = Response> + Send + 'static {
    /// Whether the token of a session must be shown.
    const SIGNED_IN: bool;

    /// What is needed to answer once the handler has taken the caller.
    fn answerer(&self) -> Answerer;
}

/// Turns what a handler gives into a response.
pub(super) struct Answerer {
    app: Arc<App>,
    request: RequestId,
}

impl Answerer {
    pub(super) fn answer<A: IntoResponse>(&self, given: Result<A, Refused>) -> Response {
        match given {
            Ok(given) => given.into_response(),
            Err(refused) => refused.problem(self.app.now(), self.request).into_response(),
        }
    }
}

impl Caller for Anybody {
    const SIGNED_IN: bool = false;

    fn answerer(&self) -> Answerer {
        Answerer {
            app: Arc::clone(&self.site.app),
            request: self.client.request_id,
        }
    }
}

impl Caller for SignedIn {
    const SIGNED_IN: bool = true;

    fn answerer(&self) -> Answerer {
        self.call.answerer()
    }
}

impl Caller for Enrolling {
    const SIGNED_IN: bool = true;

    fn answerer(&self) -> Answerer {
        self.call.answerer()
    }
}

impl FromRequestParts<Site> for Anybody {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &Site) -> Result<Self, Response> {
        let client = Client::from_request_parts(parts, state).await;
        Ok(Self {
            client: client.map_err(IntoResponse::into_response)?,
            site: Arc::clone(state),
            headers: parts.headers.clone(),
        })
    }
}

impl FromRequestParts<Site> for Enrolling {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &Site) -> Result<Self, Response> {
        let call = Anybody::from_request_parts(parts, state).await?;
        match call.owner().await {
            Ok(owner) => Ok(Self { call, owner }),
            Err(refused) => Err(call.problem(refused)),
        }
    }
}

impl FromRequestParts<Site> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &Site) -> Result<Self, Response> {
        let Enrolling { call, owner } = Enrolling::from_request_parts(parts, state).await?;
        if owner.must_enrol() {
            return Err(call.problem(Code::AppFirst.into()));
        }
        Ok(Self { call, owner })
    }
}

/// The document of a call.
pub(super) struct Document<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Site> for Document<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &Site) -> Result<Self, Problem> {
        if !is_sent_as("application/json", request.headers()) {
            return Err(Problem::of(Code::NotJson));
        }
        let bytes = body(request, state).await?;
        // What serde says of a document may quote from it, so it is told where, and not what.
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            // Where a word of a list is expected, serde_json calls a number or an object a fault of syntax.
            let is_json = || serde_json::from_slice::<IgnoredAny>(&bytes).is_ok();
            let code = if error.is_data() || is_json() {
                Code::NotAsDescribed
            } else {
                Code::Unreadable
            };
            Problem::at(code, error.line(), error.column())
        })
    }
}

/// The body of a call, whole.
pub(super) async fn body(request: Request, state: &Site) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|rejected| {
        Problem::of(match rejected.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge,
            _ => Code::Unreadable,
        })
    })
}

/// Whether the body says to be of a kind, with parameters or without.
pub(super) fn is_sent_as(wanted: &str, headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
    kind.trim().eq_ignore_ascii_case(wanted)
}
