//! The site as a browser sees it: routes, and what every handler works with.
//!
//! A handler turns a request into a call of a use case, and its outcome into a page. When a handler grows a second decision,
//! it belongs in `rightful-app`.

mod account;
mod agent;
mod check;
mod fault;
mod fixed;
mod login;
mod new_password;
mod setup;
mod sign_in;
mod sign_up;
mod step_up;
mod visit;

use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use http::header::{ACCEPT_LANGUAGE, CONTENT_TYPE};
use rightful_app::app::App;
use rightful_app::bounces::BounceSecret;
use rightful_core::Timestamp;

use crate::api;
use crate::pages::error::ErrorPage as Words;
use crate::pages::{Branding, Page as _, Shell, paths};
use crate::server::{ErrorPage, Failure};
use crate::words::Locale;

pub(crate) use fault::slow_down;
pub(crate) use visit::visitor;

/// Tells where an address is, coarsely: "Lisbon, Portugal".
pub type Places = Arc<dyn Fn(IpAddr) -> Option<String> + Send + Sync>;

/// A letter of the mailbox of a site without a mail server.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The name by which it is opened.
    pub name: String,
    /// From whom.
    pub from: String,
    /// To whom.
    pub to: String,
    /// What it is about.
    pub subject: String,
    /// When it was made.
    pub at: Timestamp,
    /// Its text.
    pub text: String,
}

/// The mailbox of a site without a mail server.
pub trait Mailbox: Send + Sync {
    /// Its letters, newest first.
    fn newest(&self) -> Vec<Letter>;
    /// One letter, by its name.
    fn read(&self, name: &str) -> Option<Letter>;
}

/// What handlers work with.
pub struct Parts {
    /// The use cases.
    pub app: Arc<App>,
    /// Name, colours, languages.
    pub branding: Arc<Branding>,
    /// Whether owners come over TLS: cookies are then marked so.
    pub secure: bool,
    /// Tells where an address is, where a file for that is configured.
    pub places: Option<Places>,
    /// The mailbox, where no mail server is configured.
    pub mailbox: Option<Arc<dyn Mailbox>>,
    /// Where people can write to for help, as it is shown.
    pub help_contact: Option<String>,
    /// The text of `/.well-known/security.txt`.
    pub security_txt: Option<String>,
    /// What posted bounces are signed with; without it none are taken.
    pub bounce_secret: Option<BounceSecret>,
}

/// The parts, shared by all requests.
pub type Site = Arc<Parts>;

/// The parts, as handlers hold them.
#[derive(Clone)]
pub(crate) struct Web(Site);

impl Deref for Web {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// Every route of the site.
pub fn router(parts: Parts) -> Router {
    let site: Site = Arc::new(parts);
    Router::new()
        .merge(signing_in())
        .merge(coming_back())
        .merge(owning())
        .merge(setting_up())
        .merge(fixed_places())
        .merge(api::router())
        .fallback(fixed::not_found)
        .with_state(site)
}

fn signing_in() -> Router<Site> {
    Router::new()
        .route(paths::START, get(sign_in::start))
        .route(paths::SIGN_IN, get(sign_in::show).post(sign_in::submit))
        .route(paths::SIGN_IN_CODE, get(sign_in::show_code).post(sign_in::submit_code))
        .route(
            paths::SIGN_IN_RECOVERY_CODE,
            get(sign_in::show_recovery_code).post(sign_in::submit_recovery_code),
        )
        .route(paths::PASSWORD_KNOWN_LEAKED, get(sign_in::known_leaked))
        .route(paths::SIGN_OUT, post(sign_in::sign_out))
        .route(paths::SIGN_UP, get(sign_up::show).post(sign_up::submit))
        .route(paths::SIGN_UP_CODE, get(sign_up::show_code).post(sign_up::submit_code))
        .route(paths::SIGN_UP_CODE_AGAIN, post(sign_up::code_again))
        .route(
            paths::SIGN_UP_PASSWORD,
            get(sign_up::show_password).post(sign_up::submit_password),
        )
}

fn coming_back() -> Router<Site> {
    Router::new()
        .route(paths::CHANGE_REQUIRED, post(new_password::change_required))
        .route(paths::NEW_PASSWORD, get(new_password::show).post(new_password::submit))
        .route(
            paths::NEW_PASSWORD_CODE,
            get(new_password::show_code).post(new_password::submit_code),
        )
        .route(paths::NEW_PASSWORD_CODE_AGAIN, post(new_password::code_again))
        .route(
            paths::NEW_PASSWORD_FACTOR,
            get(new_password::show_factor).post(new_password::submit_factor),
        )
        .route(
            paths::NEW_PASSWORD_RECOVERY_CODE,
            get(new_password::show_recovery_code).post(new_password::submit_recovery_code),
        )
        .route(
            paths::NEW_PASSWORD_CHOOSE,
            get(new_password::show_choose).post(new_password::submit_choose),
        )
        .route(paths::NEW_PASSWORD_DONE, get(new_password::done))
}

fn owning() -> Router<Site> {
    Router::new()
        .route(paths::ACCOUNT, get(account::show))
        .route(
            paths::ACCOUNT_PASSWORD,
            get(account::show_password).post(account::submit_password),
        )
        .route(
            paths::ACCOUNT_ADDRESS,
            get(account::show_address).post(account::submit_address),
        )
        .route(
            paths::ACCOUNT_ADDRESS_CODE,
            get(account::show_address_code).post(account::submit_address_code),
        )
        .route(paths::ACCOUNT_ADDRESS_CODE_AGAIN, post(account::address_code_again))
        .route(paths::ACCOUNT_APP, get(account::show_app).post(account::submit_app))
        .route(paths::ACCOUNT_APP_REMOVE, post(account::remove_app))
        .route(
            paths::ACCOUNT_RECOVERY_CODES,
            get(account::show_codes).post(account::make_codes),
        )
        .route(paths::ACCOUNT_SESSIONS, get(account::show_sessions))
        .route(paths::ACCOUNT_SESSIONS_END, post(account::end_session))
        .route(paths::ACCOUNT_SESSIONS_END_OTHERS, post(account::end_other_sessions))
        .route(paths::ACCOUNT_MESSAGES, get(account::show_messages))
        .route(paths::ACCOUNT_ACTIVITY, get(account::show_activity))
        .route(
            paths::ACCOUNT_DELETE,
            get(account::show_delete).post(account::plan_deletion),
        )
        .route(paths::ACCOUNT_DELETE_STOP, post(account::stop_deletion))
        .route(paths::STEP_UP, post(step_up::submit))
        .route(paths::LOGIN, get(login::show).post(login::submit))
}

fn setting_up() -> Router<Site> {
    Router::new()
        .route(paths::SETUP, get(setup::show).post(setup::submit))
        .route(
            paths::SETUP_ACCOUNT,
            get(setup::show_account).post(setup::submit_account),
        )
        .route(
            paths::SETUP_APP,
            get(account::show_setup_app).post(account::submit_setup_app),
        )
}

fn fixed_places() -> Router<Site> {
    Router::new()
        .route(paths::CHECK, get(check::show).post(check::submit))
        .route(paths::HELP, get(fixed::help))
        .route(paths::HELP_SAFE, get(fixed::help_safe))
        .route("/assets/{name}", get(fixed::asset))
        .route("/.well-known/change-password", get(fixed::change_password))
        .route("/.well-known/security.txt", get(fixed::security_txt))
        .route(paths::DEV_MAILBOX, get(fixed::mailbox))
        .route("/dev/mailbox/{name}", get(fixed::letter))
}

/// Pages for failures, and documents for those of the API, that no handler has words for: a request that cannot be read, from another site, too large, or that
/// went wrong.
pub fn error_page(branding: Arc<Branding>) -> ErrorPage {
    Arc::new(move |failure| failure_page(&branding, failure))
}

fn failure_page(branding: &Arc<Branding>, failure: &Failure<'_>) -> Response {
    if api::is_path(failure.path) {
        return api::failure(failure);
    }
    let words = match failure.status.as_u16() {
        403 => Words::CrossSite,
        404 => Words::NotFound,
        405 => Words::NotThisWay,
        503 => Words::TooBusy,
        status if status < 500 => Words::Unreadable,
        _ => Words::WentWrong {
            reference: failure.client.request_id.to_string(),
        },
    };
    let wanted = failure
        .headers
        .get(ACCEPT_LANGUAGE)
        .and_then(|wanted| wanted.to_str().ok());
    let shell = Shell {
        locale: Locale::choose(None, wanted, &branding.languages),
        branding: Arc::clone(branding),
        signed_in: false,
    };
    let html = words.render(&shell);
    (failure.status, [(CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response()
}
