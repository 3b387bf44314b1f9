//! Messages that came back, from a mail server or a provider that posts them.
//!
//! Whoever posts shows no session but signs: [`BounceSecret::signed`] says what. Where no secret is configured there is no
//! such path. A bounce is believed for the token in its return path, not for its signature; the signature keeps strangers from
//! making us read mail.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use http::{HeaderMap, HeaderName};
use rightful_app::bounces::{BounceOutcome, BounceSecret};
use serde::Serialize;
use utoipa::ToSchema;

use super::call::{Anybody, body, is_sent_as};
use super::problem::{Code, Problem, Refused};
use crate::site::Site;

/// The header with the time of the signature.
pub(super) const TIME: HeaderName = HeaderName::from_static("rightful-time");

/// The header with the signature.
pub(super) const SIGNATURE: HeaderName = HeaderName::from_static("rightful-signature");

/// What the message is sent as.
pub(super) const MESSAGE: &str = "message/rfc822";

/// A message that was signed.
pub(super) struct SignedMessage(Bytes);

impl FromRequest<Site> for SignedMessage {
    type Rejection = Problem;

    async fn from_request(request: Request, site: &Site) -> Result<Self, Problem> {
        let Some(secret) = &site.bounce_secret else {
            return Err(Problem::of(Code::NotFound));
        };
        if !is_sent_as(MESSAGE, request.headers()) {
            return Err(Problem::of(Code::NotMail));
        }
        let headers = request.headers().clone();
        let message = body(request, site).await?;
        if !is_signed(secret, &headers, &message, site) {
            return Err(Problem::of(Code::NotSigned));
        }
        Ok(Self(message))
    }
}

/// Missing, wrong and too old are one answer.
fn is_signed(secret: &BounceSecret, headers: &HeaderMap, message: &[u8], site: &Site) -> bool {
    let only = |name| {
        let mut fields = headers.get_all(name).iter();
        let field = fields.next()?.to_str().ok()?;
        fields.next().is_none().then_some(field)
    };
    let (at, signature) = (only(TIME), only(SIGNATURE));
    at.zip(signature)
        .is_some_and(|(at, signature)| secret.signed(at, message, signature, site.app.now()))
}

/// What became of a message that came back. All of them are done with: none need be posted again.
#[derive(Serialize, ToSchema)]
pub(super) struct BounceTaken {
    /// `taken`: the notice did not arrive. `known`: that was told before. `not-ours`: its return path is none of ours.
    /// `no-failure`: it tells of a delay, or that the message arrived. `not-a-bounce`: it is other mail.
    outcome: &'static str,
    /// How well the notice's contact is reached from now on, with `taken`: `soft` or `dead`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reach: Option<&'static str>,
}

impl From<BounceOutcome> for BounceTaken {
    fn from(outcome: BounceOutcome) -> Self {
        Self {
            outcome: outcome.word(),
            reach: outcome.reach_word(),
        }
    }
}

/// `POST /bounces`.
pub(super) async fn take(call: Anybody, message: SignedMessage) -> Result<Json<BounceTaken>, Refused> {
    Ok(Json(call.app().take_bounce(&message.0).await?.into()))
}
