//! What is the same for everybody: help, stylesheets, well-known places, and the mailbox of a site without a mail server.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use super::visit::Visit;
use super::{Site, Web};
use crate::pages::dev_mailbox::{DevLetter, DevLetterLine, DevMailbox};
use crate::pages::error::ErrorPage;
use crate::pages::help::{Help, HelpSafe};
use crate::pages::{assets, paths};

/// `GET /help`.
pub(crate) async fn help(visit: Visit) -> Response {
    let help = Help {
        contact: visit.web.help_contact.clone(),
        sign_up: visit.web.app.policy.sign_up,
    };
    visit.show(&help)
}

/// `GET /help/safe`.
pub(crate) async fn help_safe(visit: Visit) -> Response {
    visit.show(&HelpSafe)
}

/// Anything that is not there.
pub(crate) async fn not_found(visit: Visit) -> Response {
    visit.show_as(StatusCode::NOT_FOUND, &ErrorPage::NotFound)
}

/// `GET /assets/…`: each file at a path that changes with its content, so it may be kept for ever.
pub(crate) async fn asset(State(site): State<Site>, Path(name): Path<String>) -> Response {
    let path = format!("{}/{name}", paths::ASSETS);
    let web = Web(site);
    let (kind, body) = if path == assets::stylesheet_path() {
        ("text/css; charset=utf-8", assets::STYLESHEET.as_bytes().to_vec())
    } else if path == web.branding.stylesheet_path() {
        ("text/css; charset=utf-8", web.branding.stylesheet().into_bytes())
    } else if path == web.branding.icon_path() {
        ("image/svg+xml", web.branding.icon().into_bytes())
    } else if let Some(logo) = web.branding.logo.as_ref().filter(|logo| path == logo.path()) {
        (logo.content_type(), logo.bytes().to_vec())
    } else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, body).into_response()
}

/// `GET /.well-known/change-password` (W3C "A Well-Known URL for Changing Passwords").
pub(crate) async fn change_password(visit: Visit) -> Response {
    visit.go(paths::ACCOUNT_PASSWORD)
}

/// `GET /.well-known/security.txt` (RFC 9116), where the operator named a contact.
pub(crate) async fn security_txt(State(site): State<Site>) -> Response {
    match &site.security_txt {
        Some(text) => ([(CONTENT_TYPE, "text/plain; charset=utf-8")], text.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// `GET /dev/mailbox`: mail that lies on this machine because no mail server is configured. On loopback alone.
pub(crate) async fn mailbox(visit: Visit) -> Response {
    let Some(mailbox) = visit.web.mailbox.clone().filter(|_| visit.client.address.is_loopback()) else {
        return visit.show_as(StatusCode::NOT_FOUND, &ErrorPage::NotFound);
    };
    let letters = mailbox.newest().into_iter().map(|letter| DevLetterLine {
        name: letter.name,
        to: letter.to,
        subject: letter.subject,
        at: letter.at,
    });
    let letters = letters.collect();
    visit.show(&DevMailbox { letters })
}

/// `GET /dev/mailbox/{name}`.
pub(crate) async fn letter(visit: Visit, Path(name): Path<String>) -> Response {
    let mailbox = visit.web.mailbox.clone().filter(|_| visit.client.address.is_loopback());
    match mailbox.and_then(|mailbox| mailbox.read(&name)) {
        Some(letter) => visit.show(&DevLetter {
            from: letter.from,
            to: letter.to,
            subject: letter.subject,
            at: letter.at,
            text: letter.text,
        }),
        None => visit.show_as(StatusCode::NOT_FOUND, &ErrorPage::NotFound),
    }
}
