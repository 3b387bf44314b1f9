//! What finds an account: strict keys of identifiers, public ids and references, and the loose match keys.

use rightful_core::{AccountNo, PublicId, Timestamp};

use crate::StoreError;
use crate::adapter::Tx;
use crate::text::{many, statements};

statements! {
    hot: FIND = "SELECT account_no, state FROM identifier WHERE slot = $1 AND name_key = $2";
    hot: RELEASE = "UPDATE identifier SET state = 'released' WHERE slot = $1 AND name_key = $2 AND account_no = $3 AND state = 'live'";
    /// Forgets a name that its account gave up.
    hot: DROP_RELEASED = "DELETE FROM identifier WHERE slot = $1 AND name_key = $2 AND state = 'released'";
    : COUNT_MATCH_KEYS = "SELECT COUNT(*) FROM match_key";
    /// All of them, for the table that a scan probes. One leader reads this once per scan.
    : ALL_MATCH_KEYS = "SELECT match_key, account_no FROM match_key";
}

many! {
    /// Names that belong to somebody, of many at once.
    FIND_MANY = "WITH wanted (slot, name_key) AS (VALUES",
        "(?, ?)",
        // The order of a CROSS JOIN is kept by SQLite, so it looks up each wanted key and never goes through the table.
        ") SELECT identifier.name_key, identifier.account_no, identifier.state FROM wanted CROSS JOIN identifier
         WHERE identifier.slot = wanted.slot AND identifier.name_key = wanted.name_key";
    ADD = "INSERT INTO identifier (slot, name_key, kind, account_no, state, made_at) VALUES",
        "(?, ?, ?, ?, 'live', ?)",
        "";
    ADD_MATCH_KEY = "INSERT INTO match_key (slot, match_key, account_no) VALUES",
        "(?, ?, ?)",
        "ON CONFLICT (slot, match_key, account_no) DO NOTHING";
}

/// The slot of a key: FNV-1a (64 bit, <http://www.isthe.com/chongo/tech/comp/fnv/>) folded to 16 bits. It spreads rows over
/// shards and must never change; it is no secret and guards nothing.
pub(crate) fn slot(key: &[u8]) -> i64 {
    let hash = key.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let folded = hash ^ (hash >> 32);
    i64::try_from((folded ^ (folded >> 16)) & 0xffff).expect("16 bits fit")
}

/// The key under which a public id is found. The blank keeps it apart from every user name and address.
pub fn id_key(id: PublicId) -> String {
    format!("id: {id}")
}

/// The key under which the id of another system is found.
pub fn reference_key(reference: &str) -> String {
    format!("ref: {reference}")
}

/// Whose a name is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownKey {
    /// The strict key.
    pub name_key: String,
    /// The account that has it, or had it last.
    pub account: AccountNo,
    /// `false` when the account gave it up; then it may not be claimed by another without a rule that says so.
    pub live: bool,
}

/// A row of `identifier` about to be written.
pub(crate) struct NewKey {
    pub(crate) name_key: String,
    pub(crate) kind: String,
    pub(crate) account: AccountNo,
}

impl Tx {
    /// The account that a strict key names: what is typed at sign-in, or [`id_key`], or [`reference_key`].
    pub async fn account_by_key(&mut self, name_key: &str) -> Result<Option<AccountNo>, StoreError> {
        let found = self.sql(FIND).bind(slot(name_key.as_bytes())).bind(name_key.to_owned());
        let row: Option<(i64, String)> = found.opt().await?;
        Ok(row
            .filter(|(_, state)| state == "live")
            .map(|(no, _)| AccountNo::new(no)))
    }

    /// Gives up a name: it no longer names the account at sign-in, and another may take it over.
    pub async fn release_key(&mut self, account: AccountNo, name_key: &str) -> Result<bool, StoreError> {
        let release = self
            .sql(RELEASE)
            .bind(slot(name_key.as_bytes()))
            .bind(name_key.to_owned());
        Ok(release.bind(account.get()).run().await? == 1)
    }

    /// Forgets that a name was given up, so that another account may have it.
    pub async fn drop_released_key(&mut self, name_key: &str) -> Result<(), StoreError> {
        let gone = self
            .sql(DROP_RELEASED)
            .bind(slot(name_key.as_bytes()))
            .bind(name_key.to_owned());
        gone.run().await.map(drop)
    }

    /// Whose each of many strict keys is. Keys that nobody has are left out; the order is any.
    pub async fn accounts_by_keys(&mut self, name_keys: &[String]) -> Result<Vec<KnownKey>, StoreError> {
        self.plan_anew().await?;
        let rows: Vec<(String, i64, String)> = self
            .select(&FIND_MANY, name_keys, |key, values| {
                values.add(slot(key.as_bytes())).add(key.clone());
            })
            .await?;
        Ok(rows
            .into_iter()
            .map(|(name_key, no, state)| KnownKey {
                name_key,
                account: AccountNo::new(no),
                live: state == "live",
            })
            .collect())
    }

    /// Writes strict keys.
    ///
    /// # Errors
    /// [`StoreError::AlreadyExists`] when one of them belongs to somebody.
    pub(crate) async fn add_keys(&mut self, keys: &mut [NewKey], now: Timestamp) -> Result<(), StoreError> {
        // In the order of the table: neighbouring rows share a page, and two writers cannot wait for each other in a circle.
        keys.sort_by_cached_key(|key| (slot(key.name_key.as_bytes()), key.name_key.clone()));
        self.insert(&ADD, keys, |key, values| {
            values
                .add(slot(key.name_key.as_bytes()))
                .add(key.name_key.clone())
                .add(key.kind.clone());
            values.add(key.account.get()).add(now.micros());
        })
        .await
        .map(drop)
    }

    /// Writes match keys; those that are there already stay.
    pub(crate) async fn add_match_keys(&mut self, keys: &mut [(Vec<u8>, AccountNo)]) -> Result<(), StoreError> {
        keys.sort_by_cached_key(|(key, account)| (slot(key), key.clone(), *account));
        self.insert(&ADD_MATCH_KEY, keys, |(key, account), values| {
            values.add(slot(key)).add(key.clone()).add(account.get());
        })
        .await
        .map(drop)
    }

    /// How many match keys there are, so that the table of a scan can be made in one piece.
    pub async fn count_match_keys(&mut self) -> Result<u64, StoreError> {
        let (count,): (i64,) = self.sql(COUNT_MATCH_KEYS).one().await?;
        Ok(count.unsigned_abs())
    }

    /// Hands over every match key with its account, in no particular order. Memory does not grow with their number.
    pub async fn each_match_key(&mut self, mut take: impl FnMut(&[u8], AccountNo) + Send) -> Result<(), StoreError> {
        self.sql(ALL_MATCH_KEYS)
            .each(move |(key, no): (Vec<u8>, i64)| {
                take(&key, AccountNo::new(no));
                Ok::<(), StoreError>(())
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slot_of_a_key_never_changes() {
        // FNV-1a (64 bit) of "" is cbf29ce484222325 and of "a" af63dc4c8601ec8c (test vectors of the FNV page), folded.
        let fold = |hash: u64| {
            let half = hash ^ (hash >> 32);
            i64::try_from((half ^ (half >> 16)) & 0xffff).expect("16 bits")
        };
        assert_eq!(slot(b""), fold(0xcbf2_9ce4_8422_2325));
        assert_eq!(slot(b"a"), fold(0xaf63_dc4c_8601_ec8c));
    }

    #[test]
    fn ids_and_references_are_no_user_names_or_addresses() {
        assert!(id_key(PublicId(uuid::Uuid::nil())).contains(' '));
        assert!(reference_key("a@b").contains(' '));
    }
}
