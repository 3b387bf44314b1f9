//! Where log lines go.

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::{MakeWriter, fmt};

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogForm {
    /// One JSON object a line, for programs.
    Json,
    /// For people.
    Text,
}

/// Why logs cannot be written as wished.
#[derive(Debug, thiserror::Error)]
#[error("the log level `{0}` is none: write error, warn, info, debug, trace, or a list such as info,access=off")]
pub struct LogFault(String);

/// Writes log lines, escaped, each one line however hostile its fields (J06). The caller makes it the process's own.
///
/// `level` is a word (`info`) or a list of targets (`info,access=off`).
pub fn log_subscriber<W>(level: &str, form: LogForm, writer: W) -> Result<Box<dyn Subscriber + Send + Sync>, LogFault>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::builder()
        .parse(level)
        .map_err(|_| LogFault(level.to_owned()))?;
    let base = fmt().with_env_filter(filter).with_writer(writer).with_ansi(false);
    Ok(match form {
        LogForm::Json => Box::new(base.json().flatten_event(true).with_current_span(false).finish()),
        LogForm::Text => Box::new(base.finish()),
    })
}
