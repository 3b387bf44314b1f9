//! From a request to its response: everything between the gate and the router, in the order in which it happens.

use std::any::Any;
use std::future::poll_fn;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::MatchedPath;
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use tokio::time::timeout;
use tower::ServiceExt;

use super::base_url::{Hosts, check_host, is_loopback_name, named_host};
use super::client::{self, Client, RequestIds};
use super::gate::RefusalCell;
use super::observe::{Done, Metrics};
use super::refusal::Refusal;
use super::{Clock, ErrorPage, Failure, Ready, ServerSettings, cross_site, headers};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const METHOD: Refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "the method is not allowed");
const LARGE_BODY: Refusal = Refusal::closing(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large");
const BROKEN_BODY: Refusal = Refusal::closing(StatusCode::BAD_REQUEST, "the body broke off");
const LATE_BODY: Refusal = Refusal::closing(StatusCode::REQUEST_TIMEOUT, "the body took too long");
const LATE_ANSWER: Refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "the answer took too long");
const PANICKED: Refusal = Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the handler panicked");
const NOT_FOUND: Refusal = Refusal::new(StatusCode::NOT_FOUND, "there is no such page");

/// What a listener is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Pages, and health checks.
    Site,
    /// Numbers and health checks only.
    Metrics,
}

/// Who is on the other side of a connection, and which of its heads was refused.
pub(super) struct Caller {
    pub(super) peer: IpAddr,
    pub(super) role: Role,
    pub(super) refusal: RefusalCell,
}

/// What all connections share.
pub(super) struct Answerer {
    pub(super) settings: ServerSettings,
    pub(super) router: Router,
    pub(super) clock: Clock,
    pub(super) request_ids: RequestIds,
    pub(super) ready: Ready,
    pub(super) error_page: ErrorPage,
    pub(super) metrics: Metrics,
}

impl Answerer {
    /// Answers one request. Nothing in it fails: every end is a response, a log line and a number.
    pub(super) async fn answer(&self, caller: &Caller, request: Request<Incoming>) -> Response {
        let started_at = (self.clock)();
        let (parts, body) = request.into_parts();
        let address = client::address(caller.peer, &parts.headers, &self.settings.trusted_proxies);
        let client = Client::new(address, self.request_ids.next());
        let asked = Asked::of(&parts);
        let answered = match caller.refusal.get() {
            Some(refusal) => Err(*refusal),
            None => self.respond(caller, &client, parts, body).await,
        };
        let refused = answered.as_ref().err().map(|refusal| refusal.why);
        let response = self.finish(answered, &client, &asked);
        Done {
            client: &client,
            method: &asked.method,
            route: response.extensions().get::<MatchedPath>(),
            status: response.status(),
            micros: (self.clock)().micros_since(started_at),
            refused,
        }
        .tell(&self.metrics);
        response
    }

    async fn respond(
        &self,
        caller: &Caller,
        client: &Client,
        parts: Parts,
        body: Incoming,
    ) -> Result<Response, Refusal> {
        check_method(&parts.method)?;
        if let Some(response) = self.operational(caller.role, client, &parts).await? {
            return Ok(response);
        }
        let settings = &self.settings;
        check_host(&parts.uri, &parts.headers, Hosts::Site(settings.base_url.as_ref()))?;
        if !settings.cross_site_paths.iter().any(|path| path == parts.uri.path()) {
            cross_site::check(&parts.method, &parts.headers, settings.base_url.as_ref())?;
        }
        self.call(caller, client, parts, body).await
    }

    /// What machines ask for: health and numbers. `None` where it is about something else.
    async fn operational(&self, role: Role, client: &Client, parts: &Parts) -> Result<Option<Response>, Refusal> {
        let path = parts.uri.path();
        if !matches!(path, "/health/live" | "/health/ready" | "/metrics") {
            return if role == Role::Site { Ok(None) } else { Err(NOT_FOUND) };
        }
        check_host(&parts.uri, &parts.headers, Hosts::Any)?;
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            return Err(METHOD);
        }
        Ok(Some(match path {
            "/health/live" => text(StatusCode::OK, "live\n"),
            "/health/ready" => self.readiness().await,
            _ if self.may_see_numbers(role, client, parts) => self.numbers(),
            _ => return Err(NOT_FOUND),
        }))
    }

    fn numbers(&self) -> Response {
        let kind = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
        (kind, self.metrics.text()).into_response()
    }

    async fn readiness(&self) -> Response {
        match (self.ready)().await {
            Ok(()) => text(StatusCode::OK, "ready\n"),
            Err(why) => {
                tracing::warn!(why, "not ready");
                text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
            }
        }
    }

    /// On the site's own listener only to who sits at this machine. A proxy here makes everybody look so: hence no hop
    /// may be told of, and the host must be this machine's name, which a page in a browser cannot make it.
    fn may_see_numbers(&self, role: Role, client: &Client, parts: &Parts) -> bool {
        let is_forwarded = || {
            ["x-forwarded-for", "forwarded", "via"]
                .iter()
                .any(|name| parts.headers.contains_key(*name))
        };
        let names_this_machine = || named_host(&parts.headers).is_some_and(|(host, _)| is_loopback_name(&host));
        match role {
            Role::Metrics => true,
            Role::Site if self.settings.metrics_address.is_some() => false,
            Role::Site => client.address.is_loopback() && !is_forwarded() && names_this_machine(),
        }
    }

    /// Reads the body, whole, and then asks the router: no handler, and nothing that one holds, waits for a slow client.
    async fn call(&self, caller: &Caller, client: &Client, parts: Parts, body: Incoming) -> Result<Response, Refusal> {
        let Parts {
            method,
            uri,
            headers,
            version,
            ..
        } = parts;
        let time = self.settings.timeouts.request;
        let limit = self.settings.body_limit(uri.path());
        if declared_length(&headers) > limit as u64 {
            return Err(LARGE_BODY);
        }
        let whole = timeout(time, Limited::new(body, limit).collect()).await;
        let bytes = match whole.map_err(|_| LATE_BODY)? {
            Ok(body) => body.to_bytes(),
            Err(fault) if fault.is::<LengthLimitError>() => return Err(LARGE_BODY),
            Err(_) => return Err(caller.refusal.get().copied().unwrap_or(BROKEN_BODY)),
        };
        let mut request = Request::new(Body::from(bytes));
        (*request.method_mut(), *request.uri_mut()) = (method, uri);
        (*request.headers_mut(), *request.version_mut()) = (headers, version);
        request.extensions_mut().insert(client.clone());
        call_router(self.router.clone(), request, time, client).await
    }

    /// Gives every response its headers, and those that have no words of their own a page.
    fn finish(&self, answered: Result<Response, Refusal>, client: &Client, asked: &Asked) -> Response {
        let ends_connection = matches!(&answered, Err(refusal) if refusal.ends_connection);
        let mut response = match answered {
            Ok(response) if is_wordless_failure(&response) => self.with_page(response, client, asked),
            Ok(response) => response,
            Err(refusal) => self.with_page(refusal_response(refusal), client, asked),
        };
        let id = HeaderValue::from_str(&client.request_id.to_string()).expect("letters and digits");
        let is_https = self.settings.base_url.as_ref().is_some_and(|url| url.is_https());
        headers::secure(response.headers_mut(), is_https);
        response.headers_mut().insert(X_REQUEST_ID, id);
        if ends_connection {
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    /// The page for a failure, with the headers that the failure came with (`Allow`, `Retry-After`).
    fn with_page(&self, failed: Response, client: &Client, asked: &Asked) -> Response {
        let failure = Failure {
            status: failed.status(),
            client,
            path: asked.uri.path(),
            headers: &asked.headers,
        };
        let mut page = (self.error_page)(&failure);
        *page.status_mut() = failed.status();
        let (parts, _) = failed.into_parts();
        for (name, value) in &parts.headers {
            if *name != CONTENT_LENGTH && *name != CONTENT_TYPE {
                page.headers_mut().append(name, value.clone());
            }
        }
        page.extensions_mut().extend(parts.extensions);
        page
    }
}

/// What of a request is needed after its handler took it.
struct Asked {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

impl Asked {
    fn of(parts: &Parts) -> Self {
        Self {
            method: parts.method.clone(),
            uri: parts.uri.clone(),
            headers: parts.headers.clone(),
        }
    }
}

/// A closed list. TRACE would send cookies back to who must not see them (ASVS V13.4.4); others mean nothing here.
fn check_method(method: &Method) -> Result<(), Refusal> {
    match *method {
        Method::GET | Method::HEAD | Method::POST | Method::PUT | Method::PATCH | Method::DELETE | Method::OPTIONS => {
            Ok(())
        }
        _ => Err(METHOD),
    }
}

fn declared_length(headers: &HeaderMap) -> u64 {
    // The gate has read the same field: there is one, and it is a number, or there is none.
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    length.and_then(|length| length.parse().ok()).unwrap_or(0)
}

async fn call_router(
    router: Router,
    request: Request<Body>,
    time: Duration,
    client: &Client,
) -> Result<Response, Refusal> {
    let mut answering = pin!(router.oneshot(request));
    // A handler that panicked is dropped with all it held; nothing of it is looked at again.
    let guarded = poll_fn(
        |cx| match catch_unwind(AssertUnwindSafe(|| answering.as_mut().poll(cx))) {
            Ok(polled) => polled.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        },
    );
    match timeout(time, guarded).await {
        Ok(Ok(Ok(response))) => Ok(response),
        Ok(Ok(Err(never))) => match never {},
        Ok(Err(panic)) => {
            // The panic's words are on standard error already; they may hold anything, and stay out of the log.
            drop::<Box<dyn Any + Send>>(panic);
            tracing::error!(request.id = %client.request_id, "a handler panicked");
            Err(PANICKED)
        }
        Err(_) => Err(LATE_ANSWER),
    }
}

/// Whether a response tells of a failure by its status only, as the router's own do.
fn is_wordless_failure(response: &Response) -> bool {
    let status = response.status();
    (status.is_client_error() || status.is_server_error()) && response.body().size_hint().exact() == Some(0)
}

fn refusal_response(refusal: Refusal) -> Response {
    let mut response = refusal.status.into_response();
    if refusal.status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(
            ALLOW,
            HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
        );
    }
    response
}

fn text(status: StatusCode, words: impl Into<Body>) -> Response {
    let kind = [(CONTENT_TYPE, "text/plain; charset=utf-8")];
    (status, kind, words.into()).into_response()
}

/// The page where the caller gives none: what happened, and the number to name when asking for help.
pub(super) fn plain_error_page() -> ErrorPage {
    Arc::new(|failure| {
        let (status, reference) = (failure.status, failure.client.request_id);
        text(status, format!("{status}\nReference: {reference}\n"))
    })
}
