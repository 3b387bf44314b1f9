//! How strongly a session was proved, and with what.

/// A way of proving that one is the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// The password.
    Password,
    /// A code of an authenticator app (RFC 6238).
    App,
    /// A recovery code, saved when it was made.
    RecoveryCode,
    /// A code by mail. It opens the way to a new password; it is no second factor and raises no assurance (NIST SP 800-63B-4 §3.1.3.1).
    MailCode,
}

impl Method {
    /// Every method.
    pub const ALL: [Self; 4] = [Self::Password, Self::App, Self::RecoveryCode, Self::MailCode];

    /// The word in tables. Those of `amr` are [`Proofs::amr`]'s.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::App => "app",
            Self::RecoveryCode => "recovery-code",
            Self::MailCode => "mail-code",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The methods that were proved in one conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proofs(u8);

impl Proofs {
    /// None yet.
    pub const NONE: Self = Self(0);

    /// These and one more.
    #[must_use]
    pub const fn with(self, method: Method) -> Self {
        Self(self.0 | method.bit())
    }

    /// Whether a method is among them.
    pub const fn has(self, method: Method) -> bool {
        self.0 & method.bit() != 0
    }

    /// Whether a second factor is among them.
    pub const fn has_second_factor(self) -> bool {
        self.has(Method::App) || self.has(Method::RecoveryCode)
    }

    /// How strong they are together.
    pub const fn acr(self) -> Acr {
        if self.has(Method::Password) && self.has_second_factor() {
            Acr::Two
        } else {
            Acr::One
        }
    }

    /// The words of the methods, as tables hold them, separated by blanks.
    pub fn words(self) -> String {
        let words = Method::ALL.into_iter().filter(|method| self.has(*method));
        words.map(Method::word).collect::<Vec<_>>().join(" ")
    }

    /// From the words of [`Proofs::words`]; `None` when one is not known.
    pub fn from_words(words: &str) -> Option<Self> {
        words.split_whitespace().try_fold(Self::NONE, |proofs, word| {
            let method = Method::ALL.into_iter().find(|method| method.word() == word)?;
            Some(proofs.with(method))
        })
    }

    /// The values of the claim `amr` (RFC 8176): what was really presented. A code by mail is not among them.
    pub fn amr(self) -> Vec<&'static str> {
        let mut amr = Vec::new();
        if self.has(Method::Password) {
            amr.push("pwd");
        }
        if self.has_second_factor() {
            amr.push("otp");
        }
        if self.acr() == Acr::Two {
            amr.push("mfa");
        }
        amr
    }
}

/// The level of a session (authenticator assurance levels of NIST SP 800-63B-4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Acr {
    /// One factor.
    One,
    /// Two factors.
    Two,
}

impl Acr {
    /// The word in tables and in the claim `acr`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::One => "aal1",
            Self::Two => "aal2",
        }
    }

    /// The level of a word; `None` for any other.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::One, Self::Two].into_iter().find(|acr| acr.word() == word)
    }
}

/// What was current before a first proof: whatever is born of that proof carries it, and is dead when it is too low.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Born {
    /// The account's epoch.
    pub epoch: i64,
    /// The site's mark.
    pub mark: i64,
}

impl Born {
    /// Whether what carries this may still be used: the account's epoch is the same, and the mark is not below the floor under
    /// which everything is dead (raised by a restore).
    pub const fn lives(self, epoch: i64, floor: i64) -> bool {
        self.epoch == epoch && self.mark >= floor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_factors_are_a_password_and_something_else_than_a_mail() {
        let check = |methods: &[Method], acr: Acr, amr: &[&str]| {
            let proofs = methods.iter().fold(Proofs::NONE, |proofs, method| proofs.with(*method));
            assert_eq!((proofs.acr(), proofs.amr().as_slice()), (acr, amr), "{methods:?}");
            assert_eq!(Proofs::from_words(&proofs.words()), Some(proofs));
        };
        check(&[], Acr::One, &[]);
        check(&[Method::Password], Acr::One, &["pwd"]);
        check(&[Method::Password, Method::MailCode], Acr::One, &["pwd"]);
        check(&[Method::MailCode, Method::App], Acr::One, &["otp"]);
        check(&[Method::Password, Method::App], Acr::Two, &["pwd", "otp", "mfa"]);
        check(
            &[Method::Password, Method::RecoveryCode],
            Acr::Two,
            &["pwd", "otp", "mfa"],
        );
        assert_eq!(Proofs::from_words("password face"), None);
    }

    #[test]
    fn what_was_born_before_a_change_is_dead() {
        let born = Born { epoch: 3, mark: 7 };
        assert!(born.lives(3, 7) && born.lives(3, 0));
        assert!(!born.lives(4, 0) && !born.lives(2, 0) && !born.lives(3, 8));
    }
}
