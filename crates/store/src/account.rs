//! Accounts: adding many at once, finding one, walking through all.

use rightful_core::contact::Reach;
use rightful_core::role::Role;
use rightful_core::{AccountNo, PublicId, Timestamp};
use uuid::Uuid;

use crate::StoreError;
use crate::adapter::Tx;
use crate::identifier::{NewKey, id_key, reference_key};
use crate::password::{CURRENT, FORMER, NewPassword};
use crate::text::{list, many, statements};

many! {
    ADD = "INSERT INTO account (block, account_no, public_id, reference, role, groups, state, epoch, version, import_no,
           created_at) VALUES",
        "(?, ?, ?, ?, ?, ?, 'open', 1, 1, ?, ?)",
        "";
    ADD_NAME = "INSERT INTO account_name (block, account_no, name_no, kind, name_key, given) VALUES",
        "(?, ?, ?, ?, ?, ?)",
        "";
    ADD_CONTACT = "INSERT INTO contact (block, account_no, contact_no, kind, address, verified_at, replaced_at) VALUES",
        "(?, ?, ?, ?, ?, ?, NULL)",
        "";
}

statements! {
    hot: FIND = "SELECT account_no, public_id, reference, role, groups, state, epoch, version, import_no, created_at FROM account
            WHERE block = $1 AND account_no = $2";
    hot: IN_BLOCK = concat!("SELECT account_no, public_id, reference, role, groups, state, epoch, version, import_no, created_at
            FROM account WHERE block = $1 AND account_no IN (", list!(), ")");
    /// A page of a block.
    hot: PAGE = "SELECT account_no, public_id, reference, role, groups, state, epoch, version, import_no, created_at FROM account
            WHERE block = $1 AND account_no > $2 ORDER BY account_no LIMIT $3";
    hot: NAMES_IN_BLOCK = concat!("SELECT account_no, kind, name_key, given FROM account_name
            WHERE block = $1 AND account_no IN (", list!(), ") ORDER BY account_no, name_no");
    hot: CONTACTS = "SELECT contact_no, kind, address, verified_at, replaced_at, added_at, reach FROM contact
            WHERE block = $1 AND account_no = $2 ORDER BY contact_no";
    hot: CONTACT_VERIFIED = "UPDATE contact SET verified_at = COALESCE(verified_at, $4), reach = 'good'
            WHERE block = $1 AND account_no = $2 AND contact_no = $3";
    hot: CONTACT_REPLACED = "UPDATE contact SET replaced_at = $4
            WHERE block = $1 AND account_no = $2 AND contact_no = $3 AND replaced_at IS NULL";
    hot: CONTACT_ADDED = "UPDATE contact SET added_at = $4 WHERE block = $1 AND account_no = $2 AND contact_no = $3";
    hot: CONTACT_REACH = "UPDATE contact SET reach = $4 WHERE block = $1 AND account_no = $2 AND contact_no = $3";
    hot: LIVES = "SELECT epoch, state, role, locale, erase_at FROM account WHERE block = $1 AND account_no = $2";
    hot: GUARD_EPOCH = "UPDATE account SET version = version + 1
            WHERE block = $1 AND account_no = $2 AND epoch = $3 AND state <> 'erased'";
    hot: SET_LOCALE = "UPDATE account SET locale = $3 WHERE block = $1 AND account_no = $2 AND state <> 'erased'";
    hot: SET_ROLE = "UPDATE account SET role = $3, version = version + 1
            WHERE block = $1 AND account_no = $2 AND state <> 'erased'";
    hot: SET_ERASE_AT = "UPDATE account SET erase_at = $3, version = version + 1
            WHERE block = $1 AND account_no = $2 AND state <> 'erased'";
    hot: LAST_NAME = "SELECT CAST(COALESCE(MAX(name_no), 0) AS BIGINT) FROM account_name WHERE block = $1 AND account_no = $2";
    hot: LAST_CONTACT = "SELECT CAST(COALESCE(MAX(contact_no), 0) AS BIGINT) FROM contact WHERE block = $1 AND account_no = $2";
    hot: TOUCH = "UPDATE account SET version = version + 1 WHERE block = $1 AND account_no = $2 AND state <> 'erased'";
    /// Changes nothing; whoever comes next waits at this row until COMMIT.
    hot: TAKE_TURN = "UPDATE account SET epoch = epoch WHERE block = $1 AND account_no = $2 AND state <> 'erased'";
    : COUNT_ROLES = "SELECT role, COUNT(*) FROM account WHERE state = 'open' AND role <> 'none' GROUP BY role";
    : COUNT = "SELECT COUNT(*) FROM account WHERE state <> 'erased'";
}

/// A name of an account about to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewName {
    /// `email`, `username` or `phone`.
    pub kind: String,
    /// The strict key, unique over all accounts.
    pub key: String,
    /// As it was given.
    pub given: String,
}

/// An address that we may write to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewContact {
    /// `email` or `phone`.
    pub kind: String,
    /// The address as it is written to.
    pub address: String,
    /// When its owner proved it, if ever.
    pub verified_at: Option<Timestamp>,
}

/// An account about to be added, with everything that belongs to it.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// Its number, out of [`Tx::take_account_block`].
    pub no: AccountNo,
    /// The id that others see.
    pub public_id: PublicId,
    /// The id that it had elsewhere, unless that was a UUID.
    pub reference: Option<String>,
    /// Its role.
    pub role: String,
    /// Its groups, a JSON list.
    pub groups: String,
    /// Its names, the first first.
    pub names: Vec<NewName>,
    /// The loose keys of its names and contacts.
    pub match_keys: Vec<Vec<u8>>,
    /// Where we may write to.
    pub contacts: Vec<NewContact>,
    /// Passwords that it had before, the earliest first: versions 1 and up.
    pub former: Vec<NewPassword>,
    /// Its password, if it has one: the version after those.
    pub password: Option<NewPassword>,
    /// The import that it came with.
    pub import_no: Option<i64>,
    /// When it was made, here or where it came from.
    pub created_at: Timestamp,
    /// When it is added here.
    pub added_at: Timestamp,
}

/// What an account may do at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountState {
    /// In use.
    Open,
    /// Under at least one hold.
    Held,
    /// Gone; the row keeps the number taken.
    Erased,
}

impl AccountState {
    /// The word in the table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Held => "held",
            Self::Erased => "erased",
        }
    }

    fn read(word: &str) -> Result<Self, StoreError> {
        [Self::Open, Self::Held, Self::Erased]
            .into_iter()
            .find(|state| state.word() == word)
            .ok_or(StoreError::Corrupt {
                table: "account",
                column: "state",
            })
    }
}

/// An account's own row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its number.
    pub no: AccountNo,
    /// The id that others see.
    pub public_id: PublicId,
    /// The id that it had elsewhere.
    pub reference: Option<String>,
    /// Its role.
    pub role: String,
    /// Its groups, a JSON list.
    pub groups: String,
    /// What it may do.
    pub state: AccountState,
    /// Whatever carries a lower epoch is dead.
    pub epoch: i64,
    /// Rises with every guarded write.
    pub version: i64,
    /// The import that it came with.
    pub import_no: Option<i64>,
    /// When it was made here.
    pub created_at: Timestamp,
}

/// A name of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// Whose.
    pub account: AccountNo,
    /// `email`, `username` or `phone`.
    pub kind: String,
    /// The strict key.
    pub key: String,
    /// As it was given.
    pub given: String,
}

/// An address that we may write to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Which of the account's.
    pub contact_no: i64,
    /// `email` or `phone`.
    pub kind: String,
    /// The address.
    pub address: String,
    /// When its owner proved it.
    pub verified_at: Option<Timestamp>,
    /// When another took its place.
    pub replaced_at: Option<Timestamp>,
    /// When it was put on the account; `None` for since the account was made.
    pub added_at: Option<Timestamp>,
    /// How well mail gets through to it.
    pub reach: Reach,
}

/// What of an account is looked at with every request that its owner makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Living {
    /// Whatever carries a lower epoch is dead.
    pub epoch: i64,
    /// What it may do.
    pub state: AccountState,
    /// Its role.
    pub role: String,
    /// The language of the last page that its owner used.
    pub locale: Option<String>,
    /// When a deletion that its owner asked for is carried out.
    pub erase_at: Option<Timestamp>,
}

type AccountRow = (
    i64,
    Uuid,
    Option<String>,
    String,
    String,
    String,
    i64,
    i64,
    Option<i64>,
    i64,
);

fn account(
    (no, public_id, reference, role, groups, state, epoch, version, import_no, created_at): AccountRow,
) -> Result<Account, StoreError> {
    Ok(Account {
        no: AccountNo::new(no),
        public_id: PublicId(public_id),
        reference,
        role,
        groups,
        state: AccountState::read(&state)?,
        epoch,
        version,
        import_no,
        created_at: Timestamp::from_micros(created_at),
    })
}

/// The numbers of a list by block, each block once, sorted; doubles are dropped.
pub(crate) fn by_block(accounts: &[AccountNo]) -> Vec<(i64, Vec<i64>)> {
    let mut sorted: Vec<i64> = accounts.iter().map(|no| no.get()).collect();
    sorted.sort_unstable();
    sorted.dedup();
    sorted
        .chunk_by(|a, b| AccountNo::new(*a).block() == AccountNo::new(*b).block())
        .map(|numbers| (AccountNo::new(numbers[0]).block(), numbers.to_vec()))
        .collect()
}

/// The passwords of a new account with their versions and states.
fn passwords_of(account: &NewAccount) -> impl Iterator<Item = (AccountNo, i64, &'static str, &NewPassword)> {
    let former = account.former.iter().map(|password| (FORMER, password));
    let current = account.password.iter().map(|password| (CURRENT, password));
    (1..)
        .zip(former.chain(current))
        .map(|(version, (state, password))| (account.no, version, state, password))
}

impl Tx {
    /// Adds accounts with all that belongs to them. The caller has checked that the keys are free, and writes the audit row.
    ///
    /// # Errors
    /// [`StoreError::AlreadyExists`] when a key or number was taken meanwhile: look the keys up again and decide again.
    pub async fn insert_accounts(&mut self, accounts: &[NewAccount]) -> Result<(), StoreError> {
        let Some(first) = accounts.first() else { return Ok(()) };
        self.insert(&ADD, accounts, |account, values| {
            values
                .add(account.no.block())
                .add(account.no.get())
                .add(account.public_id.0)
                .add(account.reference.clone());
            values.add(account.role.clone()).add(account.groups.clone());
            values.add(account.import_no).add(account.created_at.micros());
        })
        .await?;
        let names: Vec<_> = accounts
            .iter()
            .flat_map(|account| numbered(account.no, &account.names))
            .collect();
        self.insert_names(&names).await?;
        let contacts: Vec<_> = accounts
            .iter()
            .flat_map(|account| numbered(account.no, &account.contacts))
            .collect();
        self.insert_contacts(&contacts).await?;
        let passwords: Vec<_> = accounts.iter().flat_map(passwords_of).collect();
        self.insert_passwords(&passwords, first.added_at).await?;
        self.add_keys(
            &mut accounts.iter().flat_map(keys_of).collect::<Vec<_>>(),
            first.added_at,
        )
        .await?;
        let mut match_keys: Vec<_> = accounts
            .iter()
            .flat_map(|account| account.match_keys.iter().map(|key| (key.clone(), account.no)))
            .collect();
        self.add_match_keys(&mut match_keys).await
    }

    /// Gives an account more names, contacts and match keys than it has.
    ///
    /// # Errors
    /// [`StoreError::AlreadyExists`] when a name belongs to somebody; [`StoreError::Changed`] when the account was erased.
    pub async fn extend_account(
        &mut self,
        no: AccountNo,
        names: &[NewName],
        contacts: &[NewContact],
        match_keys: &[Vec<u8>],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (last_name,): (i64,) = self.sql(LAST_NAME).bind(no.block()).bind(no.get()).one().await?;
        let (last_contact,): (i64,) = self.sql(LAST_CONTACT).bind(no.block()).bind(no.get()).one().await?;
        let more = |(account, number, what), last| (account, number + last, what);
        let numbered_names: Vec<_> = numbered(no, names).map(|name| more(name, last_name)).collect();
        self.insert_names(&numbered_names).await?;
        let more = |(account, number, what), last| (account, number + last, what);
        let numbered_contacts: Vec<_> = numbered(no, contacts)
            .map(|contact| more(contact, last_contact))
            .collect();
        self.insert_contacts(&numbered_contacts).await?;
        let mut keys: Vec<_> = names.iter().map(|name| key_of_name(no, name)).collect();
        self.add_keys(&mut keys, now).await?;
        self.add_match_keys(&mut match_keys.iter().map(|key| (key.clone(), no)).collect::<Vec<_>>())
            .await?;
        match self.sql(TOUCH).bind(no.block()).bind(no.get()).run().await? {
            1 => Ok(()),
            _ => Err(StoreError::Changed { what: "account" }),
        }
    }

    /// Takes the account's turn: until COMMIT nobody else does. For what is decided by reading several of its rows: at READ
    /// COMMITTED two such decisions would each miss what the other is about to write. Every statement after this one sees
    /// what was committed before. Take it first, so that turns are taken in one order. False when there is no such account
    /// any more.
    pub async fn take_turn(&mut self, no: AccountNo) -> Result<bool, StoreError> {
        Ok(self.sql(TAKE_TURN).bind(no.block()).bind(no.get()).run().await? == 1)
    }

    async fn insert_names(&mut self, names: &[(AccountNo, i64, &NewName)]) -> Result<(), StoreError> {
        self.insert(&ADD_NAME, names, |(no, number, name), values| {
            values.add(no.block()).add(no.get()).add(*number);
            values
                .add(name.kind.clone())
                .add(name.key.clone())
                .add(name.given.clone());
        })
        .await
        .map(drop)
    }

    async fn insert_contacts(&mut self, contacts: &[(AccountNo, i64, &NewContact)]) -> Result<(), StoreError> {
        self.insert(&ADD_CONTACT, contacts, |(no, number, contact), values| {
            values
                .add(no.block())
                .add(no.get())
                .add(*number)
                .add(contact.kind.clone())
                .add(contact.address.clone());
            values.add(contact.verified_at.map(Timestamp::micros));
        })
        .await
        .map(drop)
    }

    /// One account.
    pub async fn account(&mut self, no: AccountNo) -> Result<Option<Account>, StoreError> {
        let row: Option<AccountRow> = self.sql(FIND).bind(no.block()).bind(no.get()).opt().await?;
        row.map(account).transpose()
    }

    /// Many accounts, in the order of their numbers; those that do not exist are left out.
    pub async fn accounts(&mut self, numbers: &[AccountNo]) -> Result<Vec<Account>, StoreError> {
        let mut found = Vec::with_capacity(numbers.len());
        for (block, numbers) in by_block(numbers) {
            let rows: Vec<AccountRow> = self.in_block(IN_BLOCK, block, &numbers).await?;
            found.extend(rows.into_iter().map(account).collect::<Result<Vec<_>, _>>()?);
        }
        found.sort_unstable_by_key(|account| account.no);
        Ok(found)
    }

    /// The names of many accounts, by account, in the order they were given.
    pub async fn names(&mut self, numbers: &[AccountNo]) -> Result<Vec<Name>, StoreError> {
        let mut found = Vec::with_capacity(numbers.len());
        for (block, numbers) in by_block(numbers) {
            let rows: Vec<(i64, String, String, String)> = self.in_block(NAMES_IN_BLOCK, block, &numbers).await?;
            found.extend(rows.into_iter().map(|(no, kind, key, given)| Name {
                account: AccountNo::new(no),
                kind,
                key,
                given,
            }));
        }
        Ok(found)
    }

    /// Where we may write to, for one account.
    pub async fn contacts(&mut self, no: AccountNo) -> Result<Vec<Contact>, StoreError> {
        type Row = (
            i64,
            String,
            String,
            Option<i64>,
            Option<i64>,
            Option<i64>,
            Option<String>,
        );
        let rows: Vec<Row> = self.sql(CONTACTS).bind(no.block()).bind(no.get()).all().await?;
        let contact = |(contact_no, kind, address, verified_at, replaced_at, added_at, reach): Row| {
            let reach = match reach {
                None => Reach::Good,
                Some(word) => Reach::from_word(&word).ok_or(StoreError::Corrupt {
                    table: "contact",
                    column: "reach",
                })?,
            };
            Ok(Contact {
                contact_no,
                kind,
                address,
                verified_at: verified_at.map(Timestamp::from_micros),
                replaced_at: replaced_at.map(Timestamp::from_micros),
                added_at: added_at.map(Timestamp::from_micros),
                reach,
            })
        };
        rows.into_iter().map(contact).collect()
    }

    /// What of an account is looked at with every request.
    pub async fn living(&mut self, no: AccountNo) -> Result<Option<Living>, StoreError> {
        type Row = (i64, String, String, Option<String>, Option<i64>);
        let row: Option<Row> = self.sql(LIVES).bind(no.block()).bind(no.get()).opt().await?;
        row.map(|(epoch, state, role, locale, erase_at)| {
            Ok(Living {
                epoch,
                state: AccountState::read(&state)?,
                role,
                locale,
                erase_at: erase_at.map(Timestamp::from_micros),
            })
        })
        .transpose()
    }

    /// Notes that the owner of a contact proved it, when nobody did before, and that mail gets through to it: what bounces said
    /// is over.
    pub async fn verify_contact(&mut self, no: AccountNo, contact_no: i64, now: Timestamp) -> Result<(), StoreError> {
        let verify = self.sql(CONTACT_VERIFIED).bind(no.block()).bind(no.get());
        verify.bind(contact_no).bind(now.micros()).run().await.map(drop)
    }

    /// Notes that another contact took the place of one. False when one did before.
    pub async fn replace_contact(
        &mut self,
        no: AccountNo,
        contact_no: i64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let replace = self.sql(CONTACT_REPLACED).bind(no.block()).bind(no.get());
        Ok(replace.bind(contact_no).bind(now.micros()).run().await? == 1)
    }

    /// Notes when a contact was put on an account that was there already.
    pub async fn date_contact(
        &mut self,
        no: AccountNo,
        contact_no: i64,
        added_at: Timestamp,
    ) -> Result<(), StoreError> {
        let date = self.sql(CONTACT_ADDED).bind(no.block()).bind(no.get());
        date.bind(contact_no).bind(added_at.micros()).run().await.map(drop)
    }

    /// Notes what a bounce told of a contact.
    pub async fn set_reach(&mut self, no: AccountNo, contact_no: i64, reach: Reach) -> Result<(), StoreError> {
        let set = self.sql(CONTACT_REACH).bind(no.block()).bind(no.get());
        set.bind(contact_no).bind(reach.word()).run().await.map(drop)
    }

    /// Begins a change that rests on what carries this epoch: no hold, and nothing else that raises it, comes in between.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when the epoch is another one, or the account is erased.
    pub async fn guard_epoch(&mut self, no: AccountNo, epoch: i64) -> Result<(), StoreError> {
        let guard = self.sql(GUARD_EPOCH).bind(no.block()).bind(no.get());
        match guard.bind(epoch).run().await? {
            0 => Err(StoreError::Changed { what: "account" }),
            _ => Ok(()),
        }
    }

    /// Notes the language that an owner reads. An erased account keeps none.
    pub async fn set_locale(&mut self, no: AccountNo, locale: &str) -> Result<(), StoreError> {
        let set = self.sql(SET_LOCALE).bind(no.block()).bind(no.get());
        set.bind(locale.to_owned()).run().await.map(drop)
    }

    /// Gives an account a role.
    pub async fn set_role(&mut self, no: AccountNo, role: &str) -> Result<(), StoreError> {
        self.sessions_changed(no);
        let set = self.sql(SET_ROLE).bind(no.block()).bind(no.get());
        set.bind(role.to_owned()).run().await.map(drop)
    }

    /// How many accounts have each role and may sign in.
    pub async fn count_roles(&mut self) -> Result<Vec<(Role, u64)>, StoreError> {
        let rows: Vec<(String, i64)> = self.sql(COUNT_ROLES).all().await?;
        Ok(rows
            .into_iter()
            .filter_map(|(role, count)| Some((Role::from_word(&role)?, count.unsigned_abs())))
            .collect())
    }

    /// Plans the deletion of an account, or takes it back.
    pub async fn set_erase_at(&mut self, no: AccountNo, at: Option<Timestamp>) -> Result<(), StoreError> {
        let set = self.sql(SET_ERASE_AT).bind(no.block()).bind(no.get());
        set.bind(at.map(Timestamp::micros)).run().await.map(drop)
    }

    /// The accounts that come after `after` (none: from the first), at most `limit`, block by block. Fewer than `limit` does not
    /// mean the end; an empty page does.
    pub async fn account_page(&mut self, after: Option<AccountNo>, limit: i64) -> Result<Vec<Account>, StoreError> {
        let after = after.unwrap_or(AccountNo::new(0));
        let blocks = self.blocks().await?;
        for block in after.block()..blocks {
            let page: Vec<AccountRow> = self.sql(PAGE).bind(block).bind(after.get()).bind(limit).all().await?;
            if !page.is_empty() {
                return page.into_iter().map(account).collect();
            }
        }
        Ok(Vec::new())
    }

    /// How many accounts there are.
    pub async fn count_accounts(&mut self) -> Result<u64, StoreError> {
        let (count,): (i64,) = self.sql(COUNT).one().await?;
        Ok(count.unsigned_abs())
    }
}

/// Numbers the names or contacts of one account from 1.
fn numbered<T>(no: AccountNo, things: &[T]) -> impl Iterator<Item = (AccountNo, i64, &T)> {
    things.iter().zip(1..).map(move |(thing, number)| (no, number, thing))
}

fn key_of_name(account: AccountNo, name: &NewName) -> NewKey {
    NewKey {
        name_key: name.key.clone(),
        kind: name.kind.clone(),
        account,
    }
}

/// Everything that must be unique about an account.
fn keys_of(new: &NewAccount) -> impl Iterator<Item = NewKey> {
    let key = |kind: &str, name_key| NewKey {
        name_key,
        kind: kind.to_owned(),
        account: new.no,
    };
    let id = key("id", id_key(new.public_id));
    let reference = new
        .reference
        .as_deref()
        .map(|reference| key("ref", reference_key(reference)));
    new.names
        .iter()
        .map(|name| key_of_name(new.no, name))
        .chain([id])
        .chain(reference)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_block_without_doubles() {
        let numbers: Vec<_> = [4096, 1, 5, 1, 4095].map(AccountNo::new).into();
        assert_eq!(by_block(&numbers), [(0, vec![1, 5, 4095]), (1, vec![4096])]);
    }
}
