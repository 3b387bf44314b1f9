//! "Check a message".

use axum::Json;
use rightful_app::check_message::CheckAnswer;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::call::Anybody;
use super::problem::Refused;
use super::words::{Moment, filled};
use crate::pages::account::MessageKind;

/// A message that somebody got.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MessageInDoubt {
    /// The address that it came to.
    address: String,
    /// The number in it.
    number: String,
}

/// Whether a message is ours.
#[derive(Serialize, ToSchema)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub(super) enum MessageIs {
    /// We sent it.
    Ours {
        /// Its kind, as a stable word.
        kind: String,
        /// When.
        at: Moment,
    },
    /// We did not send this number to this address.
    NotOurs,
}

/// `POST /check`.
pub(super) async fn check(call: Anybody, asked: MessageInDoubt) -> Result<Json<MessageIs>, Refused> {
    filled(&asked.address)?;
    filled(&asked.number)?;
    let visitor = call.visitor();
    match call
        .app()
        .check_message(&asked.address, &asked.number, &visitor)
        .await?
    {
        CheckAnswer::Ours { kind, at } if MessageKind::from_word(&kind).is_some() => {
            Ok(Json(MessageIs::Ours { kind, at: at.into() }))
        }
        CheckAnswer::Ours { .. } | CheckAnswer::NotOurs => Ok(Json(MessageIs::NotOurs)),
        CheckAnswer::Wait(until) => Err(Refused::Wait(until)),
    }
}
