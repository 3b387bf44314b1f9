//! Officers: accounts that act for the site, by their role, in a session with two factors.

use rightful_core::AccountNo;
use rightful_core::assurance::Acr;
use rightful_core::audit::{AuditEntry, AuditSubject};
use rightful_core::role::{Power, Role};
use rightful_core::{PublicId, Timestamp};

use crate::sessions::Owner;

/// Whoever holds this may do what he asked for. Made by [`officer`] alone.
#[derive(Clone, Debug)]
pub struct Officer {
    account: AccountNo,
    id: PublicId,
    role: Role,
    fresh: bool,
}

/// Why somebody may not act for the site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAllowed {
    /// His role does not go that far, or he has none.
    Role,
    /// It needs a session with two factors.
    TwoFactors,
    /// It needs a fresh proof first.
    StepUp,
}

/// Whoever is signed in, as somebody who may do this for the site.
///
/// # Errors
/// [`NotAllowed`].
pub fn officer(owner: &Owner, power: Power, now: Timestamp) -> Result<Officer, NotAllowed> {
    let role = owner.role().filter(|role| role.may(power)).ok_or(NotAllowed::Role)?;
    if owner.acr() != Acr::Two {
        return Err(NotAllowed::TwoFactors);
    }
    Ok(Officer {
        account: owner.account(),
        id: owner.account_id(),
        role,
        fresh: owner.is_fresh(now),
    })
}

impl Officer {
    /// Whose account.
    pub const fn account(&self) -> AccountNo {
        self.account
    }

    /// Its role.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// What is done to many, or to what many rest on, needs a fresh proof.
    ///
    /// # Errors
    /// [`NotAllowed::StepUp`].
    pub const fn freshly(&self) -> Result<(), NotAllowed> {
        if self.fresh { Ok(()) } else { Err(NotAllowed::StepUp) }
    }

    /// Who it is, as the audit log and holds name him.
    pub fn name(&self) -> String {
        format!("account:{}", self.id)
    }

    /// A row for the audit log.
    pub(crate) fn entry(&self, subject: AuditSubject, event: &'static str, body: String, at: Timestamp) -> AuditEntry {
        AuditEntry {
            subject,
            event,
            actor: self.name(),
            body,
            at,
        }
    }
}
