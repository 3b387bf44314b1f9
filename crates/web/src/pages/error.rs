//! Pages for what could not be done.

use super::{Content, Shell, page, paths, problem::SlowDown};
use crate::words;

/// Why something could not be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorPage {
    /// Nothing is there, or nothing that this visitor may know of (404).
    NotFound,
    /// The request came from another site (403).
    CrossSite,
    /// The path is there, but not for this method (405).
    NotThisWay,
    /// What the browser sent cannot be read, or is too large (400, 413).
    Unreadable,
    /// Too many requests from this visitor (429).
    SlowDown(SlowDown),
    /// We have too much to do, or are not ready yet (503).
    TooBusy,
    /// Our own fault (500).
    WentWrong {
        /// Finds the log lines of this request.
        reference: String,
    },
}

impl ErrorPage {
    /// The HTTP status that goes with it.
    pub const fn status(&self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::CrossSite => 403,
            Self::NotThisWay => 405,
            Self::Unreadable => 400,
            Self::SlowDown(_) => 429,
            Self::TooBusy => 503,
            Self::WentWrong { .. } => 500,
        }
    }

    const fn title_id(&self) -> &'static str {
        match self {
            Self::NotFound => "error-not-found-title",
            Self::CrossSite => "error-cross-site-title",
            Self::NotThisWay => "error-not-this-way-title",
            Self::Unreadable => "error-unreadable-title",
            Self::SlowDown(_) => "error-slow-down-title",
            Self::TooBusy => "error-too-busy-title",
            Self::WentWrong { .. } => "error-went-wrong-title",
        }
    }

    fn text(&self, shell: &Shell) -> String {
        match self {
            Self::NotFound => shell.t("error-not-found-text"),
            Self::CrossSite => shell.t("error-cross-site-text"),
            Self::NotThisWay => shell.t("error-not-this-way-text"),
            Self::Unreadable => shell.t("error-unreadable-text"),
            Self::SlowDown(slow_down) => shell.count("error-slow-down-text", words::minutes_to_wait(slow_down.seconds)),
            Self::TooBusy => shell.t("error-too-busy-text"),
            Self::WentWrong { .. } => shell.t("error-went-wrong-text"),
        }
    }

    fn reference(&self) -> Option<&str> {
        match self {
            Self::WentWrong { reference } => Some(reference),
            _ => None,
        }
    }

    /// Where to go from here; nowhere when the thing to do is to wait.
    const fn way_on(&self) -> Option<&'static str> {
        match self {
            Self::SlowDown(_) | Self::TooBusy => None,
            _ => Some(paths::START),
        }
    }
}

impl Content for ErrorPage {
    fn title(&self, shell: &Shell) -> String {
        shell.t(self.title_id())
    }
}

page!(ErrorPage, "error.html");
