//! Stored conversations with an owner, and the one function that chooses their next step.
//!
//! A step never calls another: it proves something, and [`next`] says what that leads to. So a skipped factor is impossible
//! rather than unlikely, and the whole argument stands on this page. The two things that a flow may end in can be made only
//! here: [`SignedIn`], which alone opens a session, and [`MayChoose`], which alone sets a password without the old one.

use crate::AccountNo;
use crate::assurance::{Acr, Born, Method, Proofs};

/// What a conversation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Into the account, with the password.
    SignIn,
    /// A new account for an address.
    SignUp,
    /// Back into the account with a new password: after a hold, or when it was forgotten.
    Return,
    /// Another address for the account.
    NewAddress,
    /// An authenticator app is to be enrolled.
    EnrolApp,
    /// The first administrator of a new site.
    SetUp,
    /// A program asks to act for an administrator, who lets it in a browser.
    Login,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 7] = [
        Self::SignIn,
        Self::SignUp,
        Self::Return,
        Self::NewAddress,
        Self::EnrolApp,
        Self::SetUp,
        Self::Login,
    ];

    /// The word in tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::SignUp => "sign-up",
            Self::Return => "return",
            Self::NewAddress => "new-address",
            Self::EnrolApp => "enrol-app",
            Self::SetUp => "set-up",
            Self::Login => "login",
        }
    }

    /// The purpose of a word; `None` for any other.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.word() == word)
    }

    /// How long it may take from its first step to its last, in seconds.
    pub const fn lasts(self) -> i64 {
        match self {
            // Somebody sits before both screens.
            Self::Login => 10 * 60,
            Self::SignIn | Self::EnrolApp => 15 * 60,
            // A code by mail lives 30 minutes; a second one may be asked for.
            Self::SignUp | Self::Return | Self::NewAddress | Self::SetUp => 60 * 60,
        }
    }
}

/// What an account asks of whoever says to be its owner, read in the same moment as everything else that decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// A second factor is enrolled.
    pub second_factor: bool,
    /// At least one hold lies on it: its password proves nothing.
    pub held: bool,
    /// It must get a new password before anything opens.
    pub change_required: bool,
}

/// Where a conversation stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Name and password, or what was typed was not right.
    Password,
    /// A fresh code to the address.
    MailCode,
    /// A code of the app, or a recovery code.
    SecondFactor,
    /// The password was right, and a new one must be chosen: hand over to [`Purpose::Return`].
    ProveFirst,
    /// A new password.
    Choose(MayChoose),
    /// In.
    Open(SignedIn),
    /// Nothing that is proved here opens this account: say what is said of a wrong password.
    Denied,
}

/// Whoever holds this proved to be the owner. Opens a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    account: AccountNo,
    proofs: Proofs,
    born: Born,
}

impl SignedIn {
    /// Whose account.
    pub const fn account(&self) -> AccountNo {
        self.account
    }

    /// What was proved.
    pub const fn proofs(&self) -> Proofs {
        self.proofs
    }

    /// How strong that is.
    pub const fn acr(&self) -> Acr {
        self.proofs.acr()
    }

    /// The epoch and mark from before the first proof.
    pub const fn born(&self) -> Born {
        self.born
    }
}

/// Whoever holds this proved enough for a new password without the old one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MayChoose {
    account: AccountNo,
    proofs: Proofs,
    born: Born,
}

impl MayChoose {
    /// Whose account.
    pub const fn account(&self) -> AccountNo {
        self.account
    }

    /// What was proved.
    pub const fn proofs(&self) -> Proofs {
        self.proofs
    }

    /// The epoch and mark from before the first proof.
    pub const fn born(&self) -> Born {
        self.born
    }
}

/// A conversation with a known account, as far as it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What it is for: [`Purpose::SignIn`] or [`Purpose::Return`].
    pub purpose: Purpose,
    /// Whose account; fixed from the first proof on.
    pub account: AccountNo,
    /// What was proved in it.
    pub proofs: Proofs,
    /// The epoch and mark from before the first proof.
    pub born: Born,
}

/// The next step. The caller has checked that `progress.born` still lives.
///
/// A password that is right on a held account is denied like a wrong one: the thief has it too. Recovery never goes past an
/// enrolled second factor.
pub fn next(progress: &Progress, needs: Needs) -> Step {
    let Progress {
        purpose,
        account,
        proofs,
        born,
    } = *progress;
    match purpose {
        Purpose::SignIn if !proofs.has(Method::Password) => Step::Password,
        Purpose::SignIn if needs.held => Step::Denied,
        Purpose::SignIn if needs.change_required => Step::ProveFirst,
        Purpose::SignIn if needs.second_factor && !proofs.has_second_factor() => Step::SecondFactor,
        Purpose::SignIn => Step::Open(SignedIn { account, proofs, born }),
        Purpose::Return if !proofs.has(Method::MailCode) => Step::MailCode,
        Purpose::Return if needs.second_factor && !proofs.has_second_factor() => Step::SecondFactor,
        Purpose::Return => Step::Choose(MayChoose { account, proofs, born }),
        Purpose::SignUp | Purpose::NewAddress | Purpose::EnrolApp | Purpose::SetUp | Purpose::Login => Step::Denied,
    }
}

/// Whoever has just made an account by proving its address and choosing its password is in. The account is new: nobody else can
/// have proved anything about it.
pub const fn after_making(account: AccountNo, proofs: Proofs, born: Born) -> SignedIn {
    SignedIn {
        account,
        proofs: proofs.with(Method::Password),
        born,
    }
}

/// How long a fresh proof of a session counts, in seconds: changes of password, address and factors ask for one.
pub const FRESH_FOR: i64 = 10 * 60;

/// Whether a session must prove itself anew before a change. `proved_at` and `now` in microseconds of the site's clock.
pub const fn is_fresh(proved_at: crate::Timestamp, now: crate::Timestamp) -> bool {
    let age = now.micros_since(proved_at);
    // A clock that was put back does not make an old proof fresh for longer than it was.
    age >= 0 && age <= FRESH_FOR * 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;
    use proptest::prelude::*;

    const ACCOUNT: AccountNo = AccountNo::new(7);
    const BORN: Born = Born { epoch: 1, mark: 0 };

    fn proofs(methods: &[Method]) -> Proofs {
        methods.iter().fold(Proofs::NONE, |proofs, method| proofs.with(*method))
    }

    /// The name of the next step.
    fn step(purpose: Purpose, methods: &[Method], needs: Needs) -> &'static str {
        let progress = Progress {
            purpose,
            account: ACCOUNT,
            proofs: proofs(methods),
            born: BORN,
        };
        match next(&progress, needs) {
            Step::Password => "password",
            Step::MailCode => "mail code",
            Step::SecondFactor => "second factor",
            Step::ProveFirst => "prove first",
            Step::Choose(_) => "choose",
            Step::Open(_) => "open",
            Step::Denied => "denied",
        }
    }

    #[test]
    fn each_proof_leads_to_the_next_step() {
        use Method::{App, MailCode, Password, RecoveryCode};
        use Purpose::{Return, SignIn};
        let (plain, second) = (
            Needs::default(),
            Needs {
                second_factor: true,
                ..Needs::default()
            },
        );
        let held = Needs { held: true, ..second };
        let change = Needs {
            change_required: true,
            ..second
        };
        for (purpose, methods, needs, wanted) in [
            (SignIn, &[][..], plain, "password"),
            (SignIn, &[Password], plain, "open"),
            (SignIn, &[Password], second, "second factor"),
            (SignIn, &[Password, App], second, "open"),
            (SignIn, &[Password, RecoveryCode], second, "open"),
            (SignIn, &[App], second, "password"),
            (SignIn, &[MailCode, App], second, "password"),
            (SignIn, &[Password, MailCode], second, "second factor"),
            (SignIn, &[Password, App], held, "denied"),
            (SignIn, &[Password], change, "prove first"),
            (SignIn, &[Password, App], change, "prove first"),
            (Return, &[], second, "mail code"),
            (Return, &[Password], second, "mail code"),
            (Return, &[MailCode], plain, "choose"),
            (Return, &[MailCode], second, "second factor"),
            (Return, &[MailCode, Password], second, "second factor"),
            (Return, &[MailCode, App], held, "choose"),
        ] {
            assert_eq!(
                step(purpose, methods, needs),
                wanted,
                "{purpose:?} {methods:?} {needs:?}"
            );
        }
    }

    #[test]
    fn a_fresh_proof_ages_and_a_clock_put_back_does_not_help_it() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        assert!(is_fresh(at(100), at(100)) && is_fresh(at(100), at(700)));
        assert!(!is_fresh(at(100), at(701)) && !is_fresh(at(100), at(99)));
    }

    fn any_needs() -> impl Strategy<Value = Needs> {
        (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(second_factor, held, change_required)| Needs {
            second_factor,
            held,
            change_required,
        })
    }

    proptest! {
        /// Whatever is proved in whatever order, and whatever happens to the account meanwhile: a session never opens above
        /// what was proved, and a password is never chosen with the mailbox alone where a second factor is enrolled.
        #[test]
        fn no_sequence_of_events_opens_more_than_was_proved(
            purpose in prop_oneof![Just(Purpose::SignIn), Just(Purpose::Return)],
            events in proptest::collection::vec((0usize..4, any_needs()), 0..12),
        ) {
            let mut proved = Proofs::NONE;
            for (method, needs) in events {
                proved = proved.with(Method::ALL[method]);
                let progress = Progress { purpose, account: ACCOUNT, proofs: proved, born: BORN };
                match next(&progress, needs) {
                    Step::Open(signed_in) => {
                        prop_assert_eq!(purpose, Purpose::SignIn);
                        prop_assert!(proved.has(Method::Password) && !needs.held && !needs.change_required);
                        prop_assert!(!needs.second_factor || proved.has_second_factor());
                        prop_assert!(signed_in.acr() == Acr::One || proved.has_second_factor());
                        prop_assert_eq!(signed_in.born(), BORN);
                    }
                    Step::Choose(_) => {
                        prop_assert_eq!(purpose, Purpose::Return);
                        prop_assert!(proved.has(Method::MailCode));
                        prop_assert!(!needs.second_factor || proved.has_second_factor());
                    }
                    _ => {}
                }
            }
        }
    }
}
