//! A token for a program, which an administrator lets act in a browser (in the manner of RFC 8628). These documents are
//! public: the program on the command line reads them.

use axum::Json;
use rightful_app::login::{LoginAsked, LoginPicked};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::call::Anybody;
use super::problem::{Code, Refused};
pub use super::words::Moment;
use crate::pages::paths;

/// How long a program waits between two looks for its token, in seconds.
const LOOK_EVERY: u64 = 3;

/// A program asked to be let act.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct LoginBegun {
    /// With this the program picks its token up: `/login/token`. To be kept to itself.
    #[schema(value_type = String)]
    pub secret: Zeroizing<String>,
    /// To be compared with what the page shows.
    pub code: String,
    /// The page that the administrator opens, below the address of the site. No secret.
    pub path: String,
    /// Until when it can be answered.
    pub expires_at: Moment,
    /// How long to wait between two looks for the token, in seconds.
    pub look_every: u64,
}

/// A program comes for its token.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginSecret {
    /// The secret of its asking.
    #[schema(value_type = String)]
    pub secret: Zeroizing<String>,
}

/// What a program finds when it comes for its token.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum LoginState {
    /// Nobody answered yet: look again.
    Waiting,
    /// It may act.
    Approved {
        /// The token, `ra_…`. It is given once.
        #[schema(value_type = String)]
        token: Zeroizing<String>,
        /// Until when it works.
        expires_at: Moment,
    },
}

/// `POST /login`.
pub(super) async fn begin(call: Anybody) -> Result<Json<LoginBegun>, Refused> {
    match call.app().begin_login(&call.visitor()).await? {
        LoginAsked::Begun(begun) => Ok(Json(LoginBegun {
            secret: begun.secret,
            code: begun.code,
            path: format!("{}?request={}", paths::LOGIN, begun.request),
            expires_at: begun.expires_at.into(),
            look_every: LOOK_EVERY,
        })),
        LoginAsked::Wait(until) => Err(Refused::Wait(until)),
    }
}

/// `POST /login/token`.
pub(super) async fn pick_up(call: Anybody, asked: LoginSecret) -> Result<Json<LoginState>, Refused> {
    match call.app().pick_up_login(&asked.secret, &call.visitor()).await? {
        LoginPicked::Waiting => Ok(Json(LoginState::Waiting)),
        LoginPicked::Token { token, expires_at } => Ok(Json(LoginState::Approved {
            token,
            expires_at: expires_at.into(),
        })),
        LoginPicked::Refused => Err(Code::LoginRefused.into()),
        LoginPicked::Gone => Err(Code::StartAgain.into()),
    }
}
