//! The JSON API: what the pages do, for programs. Under `/api/v1`, described by `/api/v1/openapi.json`.
//!
//! A call turns a document into a use case, and its outcome into a document; nothing is decided here. Whoever is signed in
//! shows the token of the session as `Authorization: Bearer`. No cookie is read, so another site cannot make a browser act:
//! it can send neither the header nor this type of content without our leave (CORS), and we give none. So these paths need
//! no exception from the check of cross-site requests either: programs send nothing for it to see. One call is made by no
//! account but by the way of mail, which signs what it posts.
//!
//! One table (`table`) makes the routes, the description and the list that tests go through. What a call takes and gives
//! is read off its handler, so that the description cannot say anything else.

mod account;
mod bounces;
mod call;
mod check;
pub mod incidents;
pub mod login;
mod new_password;
mod openapi;
mod problem;
pub mod roles;
mod route;
mod session;
mod sign_in;
mod sign_up;
mod step_up;
mod words;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::Response;
use axum::routing::{any, get};
use http::Method;

use crate::server::Failure;
use crate::site::Site;

pub use self::openapi::document as openapi;
pub use self::problem::{Code, Problem};
use self::route::Route;

/// What all paths begin with. A change that old callers cannot live with gets another one.
pub const ROOT: &str = "/api/v1";

/// The most bytes that a document may have.
pub const MOST_BYTES: usize = 64 * 1024;

/// One call of the API, for tests that go through all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The path, with [`ROOT`].
    pub path: String,
    /// Whether the token of a session must be shown.
    pub signed_in: bool,
    /// Whether it takes a document.
    pub takes: bool,
}

/// Every call.
pub fn calls() -> Vec<Call> {
    table().iter().map(Route::call).collect()
}

fn table() -> Vec<Route> {
    vec![
        Route::post("/sign-in", "Name and password.", sign_in::sign_in),
        Route::post("/sign-in/factor", "The second factor of a sign-in.", sign_in::factor),
        Route::post_bare("/sign-out", "Ends this session.", sign_in::sign_out),
        Route::post(
            "/sign-up",
            "Begins a new account: a code goes to its address.",
            sign_up::sign_up,
        ),
        Route::post("/sign-up/code", "The code that was mailed.", sign_up::code),
        Route::post(
            "/sign-up/code/again",
            "Sends another code; the one before is dead.",
            sign_up::code_again,
        ),
        Route::post(
            "/sign-up/password",
            "The password; makes the account and signs in.",
            sign_up::password,
        ),
        Route::post(
            "/new-password",
            "Asks for a new password: a code is mailed, if there is such an account.",
            new_password::ask,
        ),
        Route::post("/new-password/code", "The code that was mailed.", new_password::code),
        Route::post(
            "/new-password/code/again",
            "Sends another code, or after `change-required` the first; the one before is dead.",
            new_password::code_again,
        ),
        Route::post(
            "/new-password/factor",
            "The second factor, where there is one.",
            new_password::factor,
        ),
        Route::post(
            "/new-password/choose",
            "The new password. Signs out everywhere, and nobody in.",
            new_password::choose,
        ),
        Route::get(
            "/session",
            "Who is signed in, and how that was proved. Cheap: ask it with every request.",
            session::session,
        ),
        Route::get("/me", "The account at a glance.", account::me),
        Route::post(
            "/me/password",
            "Another password. Signs out everywhere else.",
            account::password,
        ),
        Route::post("/me/address", "Another address: a code goes to it.", account::address),
        Route::post(
            "/me/address/code",
            "The code that was mailed to the new address.",
            account::address_code,
        ),
        Route::post(
            "/me/address/code/again",
            "Sends another code; the one before is dead.",
            account::address_code_again,
        ),
        Route::post_bare("/me/app", "Begins to add an authenticator app.", account::begin_app),
        Route::post(
            "/me/app/finish",
            "A code of the app adds it; makes recovery codes and signs out everywhere else.",
            account::finish_app,
        ),
        Route::delete(
            "/me/app",
            "Removes the authenticator app and the recovery codes.",
            account::remove_app,
        ),
        Route::post_bare(
            "/me/recovery-codes",
            "New recovery codes; the old ones are dead.",
            account::recovery_codes,
        ),
        Route::get("/me/sessions", "Where the account is signed in.", account::sessions),
        Route::post("/me/sessions/end", "Ends one session.", account::end_session),
        Route::post_bare(
            "/me/sessions/end-others",
            "Signs out everywhere else.",
            account::end_other_sessions,
        ),
        Route::get(
            "/me/messages",
            "Messages that we sent in the last 90 days.",
            account::messages,
        ),
        Route::get(
            "/me/activity",
            "Sign-ins of the last 90 days, also refused ones.",
            account::activity,
        ),
        Route::post_bare(
            "/me/deletion",
            "Plans the deletion of the account.",
            account::plan_deletion,
        ),
        Route::delete("/me/deletion", "Takes a planned deletion back.", account::stop_deletion),
        Route::get("/step-up", "What a fresh proof is made with.", step_up::asked),
        Route::post("/step-up", "A fresh proof, before a change.", step_up::step_up),
        Route::post("/roles/give", "Gives an account a role, or takes it.", roles::give),
        Route::post("/incidents/open", "Opens an incident.", incidents::open),
        Route::get("/incidents", "All incidents.", incidents::list),
        Route::post(
            "/incidents/show",
            "An incident: its leaks, what was written, its containments.",
            incidents::show,
        ),
        Route::post(
            "/incidents/leaks/attach",
            "Attaches a leak to an incident.",
            incidents::attach_leak,
        ),
        Route::post(
            "/incidents/write",
            "Writes a note for colleagues, or an update for everybody.",
            incidents::write,
        ),
        Route::post("/incidents/close", "Closes an incident.", incidents::close),
        Route::post("/containments/draft", "Drafts a containment.", incidents::draft),
        Route::post(
            "/containments/plan",
            "Another plan, before anything was done.",
            incidents::replan,
        ),
        Route::post(
            "/containments/dry-run",
            "Orders the list of whom it is about. Nobody feels it.",
            incidents::dry_run,
        ),
        Route::post(
            "/containments/show",
            "A containment: how far it is, its waves, its members counted.",
            incidents::containment,
        ),
        Route::post("/containments/cohort", "A page of its cohort.", incidents::cohort),
        Route::post(
            "/containments/approve",
            "Agrees to a frozen cohort that somebody else drafted.",
            incidents::approve,
        ),
        Route::post("/containments/start", "Starts its first wave.", incidents::start),
        Route::post(
            "/containments/pause",
            "No further wave, no further message; what was done stays.",
            incidents::pause,
        ),
        Route::post("/containments/resume", "Goes on after a pause.", incidents::resume),
        Route::post(
            "/containments/undo",
            "Takes back what it did; the second of two people begins it.",
            incidents::undo,
        ),
        Route::post("/check", "Whether a message is ours.", check::check),
        Route::post_message(
            "/bounces",
            "A message that came back, where `mail.bounce_secret` is configured. Of a long one the first 64 KiB are enough.",
            bounces::take,
        ),
        Route::post_bare(
            "/login",
            "A program asks to act for an administrator (in the manner of RFC 8628).",
            login::begin,
        ),
        Route::post("/login/token", "The program comes for its token.", login::pick_up),
    ]
}

/// Every route of the API.
pub(crate) fn router() -> Router<Site> {
    let calls = table().into_iter().fold(Router::new(), |router, route| {
        let path = format!("{ROOT}{}", route.path);
        router.route(&path, route.handler)
    });
    calls
        .route(&format!("{ROOT}/openapi.json"), get(openapi::show))
        .method_not_allowed_fallback(async || Problem::of(Code::NotThisWay))
        .route("/api", any(async || Problem::of(Code::NotFound)))
        .route("/api/{*rest}", any(async || Problem::of(Code::NotFound)))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
}

/// Whether a path is one of the API, known or not.
pub(crate) fn is_path(path: &str) -> bool {
    path.starts_with("/api/")
}

/// The document for a failure that no handler has words for.
pub(crate) fn failure(failure: &Failure<'_>) -> Response {
    Problem::of_failure(failure.status, failure.client.request_id)
}
