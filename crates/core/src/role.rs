//! Roles: what an account may do for the site beyond its own affairs.

/// What somebody may do. Each is asked for by one name, where it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Power {
    /// See incidents, exposures, containments, and why an account is held.
    See,
    /// Read the audit log and verify it.
    Audit,
    /// Open incidents, attach leaks, draft containments, start, pause and undo them.
    Respond,
    /// Approve what somebody else drafted.
    Approve,
    /// Place holds by hand, make roles, change the site.
    Administer,
}

/// A role. An account has one at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Answers the owners who ask.
    Helper,
    /// Reads everything, changes nothing.
    Auditor,
    /// Answers leaks.
    Responder,
    /// Approves what responders draft.
    Approver,
    /// May do all of it.
    Administrator,
}

impl Role {
    /// Every role, the mightiest last.
    pub const ALL: [Self; 5] = [
        Self::Helper,
        Self::Auditor,
        Self::Responder,
        Self::Approver,
        Self::Administrator,
    ];

    /// The word in tables, files and pages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Helper => "helper",
            Self::Auditor => "auditor",
            Self::Responder => "responder",
            Self::Approver => "approver",
            Self::Administrator => "administrator",
        }
    }

    /// The role of a word; `None` for any other, and for the word of an account without one.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }

    /// Whether it may do this.
    pub const fn may(self, power: Power) -> bool {
        match power {
            Power::See => true,
            Power::Audit => matches!(self, Self::Auditor | Self::Administrator),
            Power::Respond => matches!(self, Self::Responder | Self::Administrator),
            Power::Approve => matches!(self, Self::Approver | Self::Administrator),
            Power::Administer => matches!(self, Self::Administrator),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_what_its_name_says() {
        use Power::{Administer, Approve, Audit, Respond, See};
        for (role, powers) in [
            (Role::Helper, &[See][..]),
            (Role::Auditor, &[See, Audit]),
            (Role::Responder, &[See, Respond]),
            (Role::Approver, &[See, Approve]),
            (Role::Administrator, &[See, Audit, Respond, Approve, Administer]),
        ] {
            for power in [See, Audit, Respond, Approve, Administer] {
                assert_eq!(role.may(power), powers.contains(&power), "{role:?} {power:?}");
            }
            assert_eq!(Role::from_word(role.word()), Some(role));
        }
        assert_eq!(Role::from_word("none"), None);
    }
}
