//! Stored passwords: the current one and those before it. What is stored is sealed before it comes here.

use rightful_core::{AccountNo, Timestamp};

use crate::StoreError;
use crate::account::by_block;
use crate::adapter::Tx;
use crate::text::{list, many, statements};

many! {
    ADD = "INSERT INTO password (block, account_no, password_no, state, sealed, kind, weak, origin, set_at, changed_at, alone) VALUES",
        "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        "";
}

statements! {
    hot: LAST = "SELECT CAST(COALESCE(MAX(password_no), 0) AS BIGINT) FROM password WHERE block = $1 AND account_no = $2";
    hot: IN_BLOCK = concat!("SELECT account_no, password_no, state, sealed, kind, weak, origin, set_at, changed_at, alone FROM password
        WHERE block = $1 AND account_no IN (", list!(), ") ORDER BY account_no, password_no");
    hot: DIGESTS_IN_BLOCK = concat!("SELECT account_no, digest FROM replaced_hash
        WHERE block = $1 AND account_no IN (", list!(), ")");
    hot: RETIRE = "UPDATE password SET state = 'former', changed_at = $4
        WHERE block = $1 AND account_no = $2 AND password_no = $3 AND state = 'current'";
    hot: REPLACED = "INSERT INTO replaced_hash (block, account_no, digest, replaced_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (block, account_no, digest) DO NOTHING";
    hot: NEW_EPOCH = "UPDATE account SET epoch = epoch + 1, version = version + 1 WHERE block = $1 AND account_no = $2";
    hot: DROP_UNTESTED = "DELETE FROM untested WHERE block = $1 AND account_no = $2";
    /// Those that wait to be wrapped; the partial index holds nothing else.
    hot: WEAK = "SELECT account_no, password_no, state, sealed, kind, weak, origin, set_at, changed_at, alone FROM password
        WHERE block = $1 AND weak = 1 AND (account_no, password_no) > ($2, $3) ORDER BY account_no, password_no LIMIT $4";
    hot: WRAP = "UPDATE password SET sealed = $5, kind = $6, weak = 0, changed_at = $7
        WHERE block = $1 AND account_no = $2 AND password_no = $3 AND weak = 1 AND sealed = $4";
    hot: REHASH = "UPDATE password SET sealed = $5, kind = $6, weak = 0, changed_at = $7
        WHERE block = $1 AND account_no = $2 AND password_no = $3 AND sealed = $4 AND state = 'current'";
    hot: TOLD = "UPDATE password SET told_at = $4
        WHERE block = $1 AND account_no = $2 AND password_no = $3 AND told_at IS NULL";
    hot: ALONE = "UPDATE password SET alone = 1
        WHERE block = $1 AND account_no = $2 AND password_no = $3 AND alone = 0";
    hot: CURRENT_OF = "SELECT account_no, password_no, state, sealed, kind, weak, origin, set_at, changed_at, alone FROM password
        WHERE block = $1 AND account_no = $2 AND state = 'current'";
    : COUNT_WEAK = "SELECT COUNT(*) FROM password WHERE weak = 1";
    : COUNT_KINDS = "SELECT kind, COUNT(*) FROM password WHERE state = 'current' GROUP BY kind ORDER BY kind";
}

/// Where a password came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// With an import.
    Imported,
    /// The owner chose it here.
    Set,
}

impl Origin {
    /// The word in the table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Imported => "imported",
            Self::Set => "set",
        }
    }

    fn read(word: &str) -> Result<Self, StoreError> {
        [Self::Imported, Self::Set]
            .into_iter()
            .find(|origin| origin.word() == word)
            .ok_or(StoreError::Corrupt {
                table: "password",
                column: "origin",
            })
    }
}

/// The states of a password.
pub(crate) const CURRENT: &str = "current";
pub(crate) const FORMER: &str = "former";

/// A password about to be stored.
#[derive(Clone, PartialEq, Eq)]
pub struct NewPassword {
    /// The hash, sealed.
    pub sealed: Vec<u8>,
    /// The word for the kind of hash.
    pub kind: String,
    /// Whether the hash is to be wrapped in a strong one.
    pub weak: bool,
    /// Where it came from.
    pub origin: Origin,
    /// Whether it is known to be long enough to open the account by itself.
    pub alone: bool,
}

/// A stored password.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredPassword {
    /// Whose.
    pub account: AccountNo,
    /// The password version.
    pub password_no: i64,
    /// Whether it is the one that opens the account; otherwise it was once.
    pub current: bool,
    /// The hash, sealed.
    pub sealed: Vec<u8>,
    /// The word for the kind of hash.
    pub kind: String,
    /// Whether the hash is still to be wrapped.
    pub weak: bool,
    /// Where it came from.
    pub origin: Origin,
    /// When it became the account's password here.
    pub set_at: Timestamp,
    /// When the row was last written.
    pub changed_at: Timestamp,
    /// Whether it is known to be long enough to open the account by itself.
    pub alone: bool,
}

impl std::fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewPassword({})", self.kind)
    }
}

impl std::fmt::Debug for StoredPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "StoredPassword({:?} {} {})",
            self.account, self.password_no, self.kind
        )
    }
}

/// A change of an account's password.
#[derive(Clone, Debug)]
pub struct Replacement {
    /// Whose.
    pub account: AccountNo,
    /// The version that was current when the decision was made; `None` when there was none.
    pub seen: Option<i64>,
    /// The new password.
    pub password: NewPassword,
    /// The keyed digest of the hash that is replaced; `None` when there was none.
    pub replaced_digest: Option<Vec<u8>>,
    /// When.
    pub now: Timestamp,
}

/// A weak hash that was wrapped in a strong one: the same password, so the same version.
#[derive(Clone)]
pub struct Wrapping {
    /// The password as it was read.
    pub seen: StoredPassword,
    /// The wrapped hash, sealed.
    pub sealed: Vec<u8>,
    /// The word for its kind.
    pub kind: String,
    /// The keyed digest of the weak hash.
    pub replaced_digest: Vec<u8>,
    /// When.
    pub now: Timestamp,
}

type PasswordRow = (i64, i64, String, Vec<u8>, String, i64, String, i64, i64, i64);

fn password(row: PasswordRow) -> Result<StoredPassword, StoreError> {
    let (no, password_no, state, sealed, kind, weak, origin, set_at, changed_at, alone) = row;
    Ok(StoredPassword {
        account: AccountNo::new(no),
        password_no,
        current: state == "current",
        sealed,
        kind,
        weak: weak == 1,
        origin: Origin::read(&origin)?,
        set_at: Timestamp::from_micros(set_at),
        changed_at: Timestamp::from_micros(changed_at),
        alone: alone == 1,
    })
}

impl Tx {
    /// Writes passwords with their version and state.
    pub(crate) async fn insert_passwords(
        &mut self,
        passwords: &[(AccountNo, i64, &'static str, &NewPassword)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.insert(&ADD, passwords, |(no, password_no, state, new), values| {
            values
                .add(no.block())
                .add(no.get())
                .add(*password_no)
                .add(*state)
                .add(new.sealed.clone())
                .add(new.kind.clone());
            values
                .add(i64::from(new.weak))
                .add(new.origin.word())
                .add(now.micros())
                .add(now.micros())
                .add(i64::from(new.alone));
        })
        .await
        .map(drop)
    }

    /// The current and former passwords of many accounts, by account and version.
    pub async fn passwords(&mut self, accounts: &[AccountNo]) -> Result<Vec<StoredPassword>, StoreError> {
        let mut found = Vec::with_capacity(accounts.len());
        for (block, numbers) in by_block(accounts) {
            let rows: Vec<PasswordRow> = self.in_block(IN_BLOCK, block, &numbers).await?;
            found.extend(rows.into_iter().map(password).collect::<Result<Vec<_>, _>>()?);
        }
        Ok(found)
    }

    /// The keyed digests of all hashes that many accounts had before.
    pub async fn replaced_digests(&mut self, accounts: &[AccountNo]) -> Result<Vec<(AccountNo, Vec<u8>)>, StoreError> {
        let mut found = Vec::new();
        for (block, numbers) in by_block(accounts) {
            let rows: Vec<(i64, Vec<u8>)> = self.in_block(DIGESTS_IN_BLOCK, block, &numbers).await?;
            found.extend(rows.into_iter().map(|(no, digest)| (AccountNo::new(no), digest)));
        }
        Ok(found)
    }

    /// Gives an account a new password: the version and the epoch rise, the old one becomes a former one, and leaked hashes that
    /// waited for it are dropped. Returns the new version.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when the password is no longer the one that was seen, or the account was erased.
    pub async fn replace_password(&mut self, change: &Replacement) -> Result<i64, StoreError> {
        let (block, no, now) = (change.account.block(), change.account.get(), change.now.micros());
        if !self.take_turn(change.account).await? {
            return Err(StoreError::Changed { what: "account" });
        }
        let version = match change.seen {
            None => {
                let (last,): (i64,) = self.sql(LAST).bind(block).bind(no).one().await?;
                last + 1
            }
            Some(seen) => {
                let retired = self.sql(RETIRE).bind(block).bind(no).bind(seen).bind(now).run().await?;
                if retired == 0 {
                    return Err(StoreError::Changed { what: "password" });
                }
                seen + 1
            }
        };
        let added = self
            .insert_passwords(&[(change.account, version, CURRENT, &change.password)], change.now)
            .await;
        added.map_err(|error| match error {
            StoreError::AlreadyExists => StoreError::Changed { what: "password" },
            other => other,
        })?;
        if let Some(digest) = &change.replaced_digest {
            self.sql(REPLACED)
                .bind(block)
                .bind(no)
                .bind(digest.clone())
                .bind(now)
                .run()
                .await?;
        }
        self.sql(DROP_UNTESTED).bind(block).bind(no).run().await?;
        self.sessions_changed(change.account);
        self.sql(NEW_EPOCH).bind(block).bind(no).run().await?;
        Ok(version)
    }

    /// The next weak hashes of a block, current and former, after a place (0, 0 at first).
    pub async fn weak_passwords(
        &mut self,
        block: i64,
        after: (i64, i64),
        limit: i64,
    ) -> Result<Vec<StoredPassword>, StoreError> {
        let rows: Vec<PasswordRow> = self
            .sql(WEAK)
            .bind(block)
            .bind(after.0)
            .bind(after.1)
            .bind(limit)
            .all()
            .await?;
        rows.into_iter().map(password).collect()
    }

    /// Puts a wrapped hash in the place of a weak one. False when the password is no longer what was read: then there is
    /// nothing to do.
    pub async fn wrap_password(&mut self, wrapping: &Wrapping) -> Result<bool, StoreError> {
        let seen = &wrapping.seen;
        let (block, no, now) = (seen.account.block(), seen.account.get(), wrapping.now.micros());
        let wrap = self
            .sql(WRAP)
            .bind(block)
            .bind(no)
            .bind(seen.password_no)
            .bind(seen.sealed.clone());
        if wrap
            .bind(wrapping.sealed.clone())
            .bind(wrapping.kind.clone())
            .bind(now)
            .run()
            .await?
            == 0
        {
            return Ok(false);
        }
        let replaced = self
            .sql(REPLACED)
            .bind(block)
            .bind(no)
            .bind(wrapping.replaced_digest.clone())
            .bind(now);
        replaced.run().await?;
        Ok(true)
    }

    /// Puts a stronger hash of the same password in the place of one: compare and set, so a password that changed meanwhile is
    /// left alone. False then.
    pub async fn rehash_password(&mut self, wrapping: &Wrapping) -> Result<bool, StoreError> {
        let seen = &wrapping.seen;
        let (block, no, now) = (seen.account.block(), seen.account.get(), wrapping.now.micros());
        let rehash = self.sql(REHASH).bind(block).bind(no).bind(seen.password_no);
        let rehash = rehash.bind(seen.sealed.clone()).bind(wrapping.sealed.clone());
        if rehash.bind(wrapping.kind.clone()).bind(now).run().await? == 0 {
            return Ok(false);
        }
        let replaced = self.sql(REPLACED).bind(block).bind(no);
        replaced.bind(wrapping.replaced_digest.clone()).bind(now).run().await?;
        Ok(true)
    }

    /// Notes that the owner of a password was told that it is in lists of stolen ones. True for the first time.
    pub async fn password_told(
        &mut self,
        account: AccountNo,
        password_no: i64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let told = self.sql(TOLD).bind(account.block()).bind(account.get());
        Ok(told.bind(password_no).bind(now.micros()).run().await? == 1)
    }

    /// Notes that a password is long enough to open its account by itself.
    pub async fn password_alone(&mut self, account: AccountNo, password_no: i64) -> Result<(), StoreError> {
        let alone = self.sql(ALONE).bind(account.block()).bind(account.get());
        alone.bind(password_no).run().await.map(drop)
    }

    /// The current password of one account.
    pub async fn current_password(&mut self, account: AccountNo) -> Result<Option<StoredPassword>, StoreError> {
        let find = self.sql(CURRENT_OF).bind(account.block()).bind(account.get());
        let row: Option<PasswordRow> = find.opt().await?;
        row.map(password).transpose()
    }

    /// How many weak hashes are still to be wrapped.
    pub async fn count_weak_passwords(&mut self) -> Result<u64, StoreError> {
        let (count,): (i64,) = self.sql(COUNT_WEAK).one().await?;
        Ok(count.unsigned_abs())
    }

    /// How many current passwords there are of each kind of hash.
    pub async fn password_kinds(&mut self) -> Result<Vec<(String, u64)>, StoreError> {
        let rows: Vec<(String, i64)> = self.sql(COUNT_KINDS).all().await?;
        Ok(rows
            .into_iter()
            .map(|(kind, count)| (kind, count.unsigned_abs()))
            .collect())
    }
}
