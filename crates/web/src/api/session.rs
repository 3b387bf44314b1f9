//! The check of a session, for whatever stands behind the sign-in.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::call::SignedIn;
use super::problem::Refused;
use super::words::Moment;

/// Who is signed in.
#[derive(Serialize, ToSchema)]
pub(super) struct Session {
    /// The id of the account. It never changes.
    account: String,
    /// The name of the session, as in the list of sessions.
    session: String,
    /// How strongly it was proved: `aal1` or `aal2` (NIST SP 800-63B-4).
    acr: &'static str,
    /// What was presented (RFC 8176).
    amr: Vec<&'static str>,
    /// When the last fresh proof was.
    auth_time: Moment,
    /// When it ends by itself.
    expires_at: Moment,
}

/// `GET /session`.
pub(super) async fn session(SignedIn { owner, .. }: SignedIn) -> Result<Json<Session>, Refused> {
    Ok(Json(Session {
        account: owner.account_id().to_string(),
        session: owner.session_id().to_string(),
        acr: owner.acr().word(),
        amr: owner.proofs().amr(),
        auth_time: owner.proved_at().into(),
        expires_at: owner.expires_at().into(),
    }))
}
