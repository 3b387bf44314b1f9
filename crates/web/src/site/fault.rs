//! What could not be done, as an answer: a page with a reference number; the reason goes to the log, once.

use axum::response::Response;
use http::StatusCode;
use http::header::RETRY_AFTER;
use rightful_app::app::Fault;
use rightful_core::Timestamp;

use super::visit::Visit;
use crate::pages::error::ErrorPage;
use crate::pages::problem::SlowDown;

/// A handler came to no answer of its own.
#[derive(Debug)]
pub(crate) struct WebFault(Fault);

impl From<Fault> for WebFault {
    fn from(fault: Fault) -> Self {
        Self(fault)
    }
}

impl WebFault {
    /// The page for it.
    pub(crate) fn answer(self, visit: Visit) -> Response {
        let reference = visit.client.request_id.to_string();
        if self.0.passes() {
            tracing::warn!(request.id = %reference, error = %self.0, "busy");
            let mut response = visit.show_as(StatusCode::SERVICE_UNAVAILABLE, &ErrorPage::TooBusy);
            response
                .headers_mut()
                .insert(RETRY_AFTER, http::HeaderValue::from_static("2"));
            return response;
        }
        tracing::error!(request.id = %reference, error = %self.0, "went wrong");
        visit.show_as(StatusCode::INTERNAL_SERVER_ERROR, &ErrorPage::WentWrong { reference })
    }
}

/// How long to wait, in whole seconds, at least one.
pub(crate) fn slow_down(until: Timestamp, now: Timestamp) -> SlowDown {
    let micros = until.micros_since(now).max(0);
    SlowDown {
        seconds: (micros / 1_000_000 + 1).unsigned_abs(),
    }
}
