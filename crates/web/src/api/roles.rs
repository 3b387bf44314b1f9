//! Who may act for the site.

use axum::response::NoContent;
use rightful_app::officer::officer;
use rightful_app::roles::RoleGiven;
use rightful_core::role::{Power, Role};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::call::SignedIn;
use super::problem::{Code, Problem, Refused};

/// A role to give.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleToGive {
    /// The account, by its id or any of its names.
    pub account: String,
    /// `administrator`, `responder`, `approver`, `auditor`, `helper`, or `none`.
    pub role: String,
}

/// `POST /roles/give`.
pub(super) async fn give(SignedIn { call, owner }: SignedIn, asked: RoleToGive) -> Result<NoContent, Refused> {
    let officer = officer(&owner, Power::Administer, call.app().now())?;
    officer.freshly()?;
    let role = match asked.role.as_str() {
        "none" => None,
        word => Some(Role::from_word(word).ok_or(Code::NotAsDescribed)?),
    };
    match call.app().give_role(&officer, &asked.account, role).await? {
        RoleGiven::Done => Ok(NoContent),
        RoleGiven::Unknown => Err(Code::NotFound.into()),
        RoleGiven::Own => Err(Refused::Because(Box::new(Problem::because(
            Code::NotNow,
            "Nobody changes his own role; another administrator can.",
        )))),
    }
}
