//! What the server refuses before, or instead of, asking a handler.

use http::StatusCode;

/// A request that no handler sees. The reason is for the log: constant words, never a part of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// What the client is answered.
    pub(super) status: StatusCode,
    /// Why, in words.
    pub(super) why: &'static str,
    /// Whether the connection ends with the answer, because nobody can know where the next request begins.
    pub(super) ends_connection: bool,
}

impl Refusal {
    pub(super) const fn new(status: StatusCode, why: &'static str) -> Self {
        Self {
            status,
            why,
            ends_connection: false,
        }
    }

    pub(super) const fn closing(status: StatusCode, why: &'static str) -> Self {
        Self {
            status,
            why,
            ends_connection: true,
        }
    }
}
