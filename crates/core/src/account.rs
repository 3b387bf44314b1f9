//! Accounts and how they are numbered.

use uuid::Uuid;

/// How many consecutive account numbers share a block. A block is what a statement names, what a sweep works through and
/// what a distributed database keeps on one shard.
pub const BLOCK_LEN: i64 = 4096;

/// The dense number of an account, from 1 upwards. Inside only: it tells how many accounts there are, so it is never shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountNo(i64);

impl AccountNo {
    /// From the number that the database holds.
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The block that the account lies in.
    pub const fn block(self) -> i64 {
        self.0.div_euclid(BLOCK_LEN)
    }
}

/// An account and its block: what every statement on an account's rows names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountRef {
    no: AccountNo,
}

impl AccountRef {
    /// The account's number.
    pub const fn no(self) -> AccountNo {
        self.no
    }

    /// The account's block.
    pub const fn block(self) -> i64 {
        self.no.block()
    }
}

impl From<AccountNo> for AccountRef {
    fn from(no: AccountNo) -> Self {
        Self { no }
    }
}

/// The id of an account that others see: a random UUID (version 4), or the UUID it was imported with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicId(pub Uuid);

impl std::fmt::Display for PublicId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// Which password of an account: 1 for the first, one more with each new one. An exposure says against which it was tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PasswordVersion(pub i64);
