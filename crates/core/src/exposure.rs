//! Exposures: evidence about one account from one leaked secret.

/// How strong the evidence is, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// It is the current password.
    Exact,
    /// A listed simple variation of it is the current password.
    Variant,
    /// It was an earlier password.
    Former,
    /// A leaked hash that can only be tried at the next sign-in.
    Untested,
    /// It is not theirs: no evidence. Listed, never acted on.
    Named,
}

impl Grade {
    /// Every grade, strongest first.
    pub const ALL: [Self; 5] = [Self::Exact, Self::Variant, Self::Former, Self::Untested, Self::Named];

    /// The word used in tables, files and pages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Variant => "variant",
            Self::Former => "former",
            Self::Untested => "untested",
            Self::Named => "named",
        }
    }

    /// The grade of a word; `None` for any other.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grade| grade.word() == word)
    }

    /// The stronger of two.
    #[must_use]
    pub fn better(self, other: Self) -> Self {
        self.min(other)
    }
}

/// Where a leaked credential comes from, gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Our own table is out: the leak holds our very hash.
    Ours,
    /// An infected machine: everything typed there is known.
    Stealer,
    /// Another site's table.
    Dump,
}

impl Kind {
    /// Every kind, gravest first.
    pub const ALL: [Self; 3] = [Self::Ours, Self::Stealer, Self::Dump];

    /// The word used in tables, files and pages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Stealer => "stealer",
            Self::Dump => "dump",
        }
    }

    /// The kind of a word; `None` for any other.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The graver of two.
    #[must_use]
    pub fn graver(self, other: Self) -> Self {
        self.min(other)
    }
}
