//! Exposures, the verdicts of tested pairs, and the leaked hashes that wait for a sign-in.

use std::collections::{HashMap, HashSet};

use rightful_core::leak::LeakNo;
use rightful_core::{AccountNo, Grade, Kind, Timestamp};

use crate::StoreError;
use crate::account::by_block;
use crate::adapter::Tx;
use crate::text::{list, many, statements};

/// How many untested hashes an account may have: what a sign-in pays for at most. The schema refuses a higher number.
pub const UNTESTED_MAX: usize = 16;

/// The place of a grade in the order of [`Grade::ALL`], in SQL.
macro_rules! rank {
    ($grade:literal) => {
        concat!(
            "CASE ",
            $grade,
            " WHEN 'exact' THEN 0 WHEN 'variant' THEN 1 WHEN 'former' THEN 2 WHEN 'untested' THEN 3 ELSE 4 END"
        )
    };
}

many! {
    /// What is there stays where it is stronger: a leak that is read again after the owner has changed the password says less
    /// about the new one, and must not take back what it said about the old one. The moment at which it was found first stays.
    PUT = "INSERT INTO exposure (block, account_no, leak_no, secret_tag, grade, kind, password_no, loose, position, found_at)
        VALUES",
        "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        concat!("ON CONFLICT (block, account_no, leak_no, secret_tag) DO UPDATE SET grade = excluded.grade,
         kind = excluded.kind, password_no = excluded.password_no, loose = excluded.loose, position = excluded.position
         WHERE ", rank!("excluded.grade"), " <= ", rank!("exposure.grade"));
    PUT_PAIR = "INSERT INTO pair (block, account_no, secret_tag, leak_no, sealed) VALUES",
        "(?, ?, ?, ?, ?)",
        "ON CONFLICT (block, account_no, secret_tag) DO UPDATE SET leak_no = excluded.leak_no, sealed = excluded.sealed";
    FIND_PAIRS = "WITH wanted (account_no, secret_tag) AS (VALUES",
        "(?, ?)",
        ") SELECT pair.account_no, pair.secret_tag, pair.sealed FROM wanted CROSS JOIN pair
         WHERE pair.account_no = wanted.account_no AND pair.secret_tag = wanted.secret_tag AND pair.block = ?";
    WAITING = "WITH wanted (account_no, secret_tag) AS (VALUES",
        "(?, ?)",
        ") SELECT untested.account_no, untested.secret_tag, untested.expires_at FROM wanted CROSS JOIN untested
         WHERE untested.account_no = wanted.account_no AND untested.secret_tag = wanted.secret_tag AND untested.block = ?";
    FIND_EXPOSURES = "WITH wanted (account_no, leak_no, secret_tag) AS (VALUES",
        "(?, ?, ?)",
        ") SELECT exposure.account_no, exposure.secret_tag, grade, kind, password_no, loose, position, found_at
         FROM wanted CROSS JOIN exposure WHERE exposure.account_no = wanted.account_no
         AND exposure.leak_no = wanted.leak_no AND exposure.secret_tag = wanted.secret_tag AND exposure.block = ?";
    ADD_UNTESTED = "INSERT INTO untested (block, account_no, untested_no, secret_tag, leak_no, sealed, found_at, expires_at)
        VALUES",
        "(?, ?, ?, ?, ?, ?, ?, ?)",
        "";
}

statements! {
    hot: UNTESTED_IN_BLOCK = concat!("SELECT account_no, untested_no, secret_tag FROM untested
        WHERE block = $1 AND account_no IN (", list!(), ")");
    hot: UNTESTED_OF = "SELECT secret_tag, leak_no, sealed, found_at, expires_at FROM untested
        WHERE block = $1 AND account_no = $2 ORDER BY untested_no";
    hot: RENEW = "UPDATE untested SET expires_at = $4 WHERE block = $1 AND account_no = $2 AND secret_tag = $3 AND expires_at < $4";
    hot: DROP_EXPIRED = "DELETE FROM untested WHERE block = $1 AND expires_at <= $2";
    hot: OF_ACCOUNT = "SELECT account_no, leak_no, secret_tag, grade, kind, password_no, loose, position, found_at FROM exposure
        WHERE block = $1 AND account_no = $2 ORDER BY leak_no, secret_tag";
    /// A page of a leak, in the order of accounts, over all blocks: for lists and exports, by one reader at a time.
    hot: PAGE = "SELECT account_no, leak_no, secret_tag, grade, kind, password_no, loose, position, found_at FROM exposure
        WHERE leak_no = $1 AND (block, account_no, secret_tag) > ($2, $3, $4)
        ORDER BY block, account_no, secret_tag LIMIT $5";
    : COUNTS = "SELECT grade, kind, COUNT(*), COUNT(DISTINCT account_no) FROM exposure WHERE leak_no = $1
        GROUP BY grade, kind";
    /// Each account once, by its best grade; the numbers are the order of the grades.
    : BEST = concat!("SELECT best, COUNT(*) FROM (SELECT CAST(MIN(", rank!("grade"), ") AS BIGINT) AS best FROM exposure
        WHERE leak_no = $1 GROUP BY block, account_no) AS account_grade GROUP BY best ORDER BY best");
    : CHANGED_SINCE = "SELECT COUNT(DISTINCT exposure.account_no) FROM exposure
        JOIN password ON password.block = exposure.block AND password.account_no = exposure.account_no
        AND password.state = 'current' AND password.password_no > exposure.password_no
        WHERE exposure.leak_no = $1 AND exposure.grade <> 'named'";
}

/// Evidence about one account from one leaked secret of one leak.
#[derive(Clone, PartialEq, Eq)]
pub struct Exposure {
    /// The account.
    pub account: AccountNo,
    /// The keyed digest of the secret.
    pub secret_tag: Vec<u8>,
    /// How strong it is.
    pub grade: Grade,
    /// Where the secret comes from.
    pub kind: Kind,
    /// The password version that it was tested against; `None` where there was none to test.
    pub password_no: Option<i64>,
    /// Whether the leaked name is only loosely this account's.
    pub loose: bool,
    /// Where in the leak it stands, sealed.
    pub position: Vec<u8>,
    /// When it was found first.
    pub found_at: Timestamp,
}

/// The verdict of a pair that was tested.
#[derive(Clone, PartialEq, Eq)]
pub struct Pair {
    /// The account.
    pub account: AccountNo,
    /// The keyed digest of the secret.
    pub secret_tag: Vec<u8>,
    /// Verdict and password version, sealed.
    pub sealed: Vec<u8>,
}

/// A leaked hash that can only be tried at the next sign-in.
#[derive(Clone, PartialEq, Eq)]
pub struct Untested {
    /// The account.
    pub account: AccountNo,
    /// The keyed digest of the secret.
    pub secret_tag: Vec<u8>,
    /// The hash, sealed.
    pub sealed: Vec<u8>,
    /// When it was found.
    pub found_at: Timestamp,
    /// When it is dropped untried.
    pub expires_at: Timestamp,
}

macro_rules! debug_without_bytes {
    ($($name:ident),+) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({:?})"), self.account)
            }
        }
    )+};
}
debug_without_bytes!(Exposure, Pair, Untested);

/// How many exposures of a leak have a grade and a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExposureCount {
    /// The grade.
    pub grade: Grade,
    /// The kind.
    pub kind: Kind,
    /// How many exposures.
    pub exposures: u64,
    /// How many accounts they are about. An account may count under several grades.
    pub accounts: u64,
}

/// The place after an exposure in the list of a leak.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExposurePlace {
    account: AccountNo,
    secret_tag: Vec<u8>,
}

impl Exposure {
    /// Where the next page begins when this is the last of the page before.
    pub fn place(&self) -> ExposurePlace {
        ExposurePlace {
            account: self.account,
            secret_tag: self.secret_tag.clone(),
        }
    }
}

type ExposureRow = (i64, i64, Vec<u8>, String, String, Option<i64>, i64, Vec<u8>, i64);

fn exposure(row: ExposureRow) -> Result<(LeakNo, Exposure), StoreError> {
    let (no, leak_no, secret_tag, grade, kind, password_no, loose, position, found_at) = row;
    let exposure = Exposure {
        account: AccountNo::new(no),
        secret_tag,
        grade: read_grade(&grade)?,
        kind: read_kind(&kind)?,
        password_no,
        loose: loose == 1,
        position,
        found_at: Timestamp::from_micros(found_at),
    };
    Ok((LeakNo(leak_no), exposure))
}

fn read_grade(word: &str) -> Result<Grade, StoreError> {
    Grade::from_word(word).ok_or(StoreError::Corrupt {
        table: "exposure",
        column: "grade",
    })
}

fn read_kind(word: &str) -> Result<Kind, StoreError> {
    Kind::from_word(word).ok_or(StoreError::Corrupt {
        table: "exposure",
        column: "kind",
    })
}

/// In the order of the key: neighbouring rows share a page, and two scans that meet the same accounts cannot wait for each
/// other in a circle. Of two rows with one key the later stays, because one statement may not write a row twice.
fn in_key_order<T>(rows: &[T], key: impl Fn(&T) -> (AccountNo, &[u8])) -> Vec<&T> {
    let mut sorted: Vec<&T> = rows.iter().rev().collect();
    sorted.sort_by(|a, b| key(a).cmp(&key(b)));
    sorted.dedup_by(|later, earlier| key(later) == key(earlier));
    sorted
}

impl Tx {
    pub(crate) async fn put_exposures(&mut self, leak: LeakNo, exposures: &[Exposure]) -> Result<(), StoreError> {
        let rows = in_key_order(exposures, |row| (row.account, &row.secret_tag));
        self.insert(&PUT, &rows, |row, values| {
            values
                .add(row.account.block())
                .add(row.account.get())
                .add(leak.0)
                .add(row.secret_tag.clone());
            values
                .add(row.grade.word())
                .add(row.kind.word())
                .add(row.password_no)
                .add(i64::from(row.loose));
            values.add(row.position.clone()).add(row.found_at.micros());
        })
        .await
        .map(drop)
    }

    pub(crate) async fn put_pairs(&mut self, leak: LeakNo, pairs: &[Pair]) -> Result<(), StoreError> {
        let rows = in_key_order(pairs, |row| (row.account, &row.secret_tag));
        self.insert(&PUT_PAIR, &rows, |row, values| {
            values
                .add(row.account.block())
                .add(row.account.get())
                .add(row.secret_tag.clone())
                .add(leak.0);
            values.add(row.sealed.clone());
        })
        .await
        .map(drop)
    }

    /// Adds untested hashes as far as their accounts have room; those that are there already wait anew from now on. Returns how
    /// many had no room.
    pub(crate) async fn add_untested(&mut self, leak: LeakNo, untested: &[Untested]) -> Result<u64, StoreError> {
        let rows = in_key_order(untested, |row| (row.account, &row.secret_tag));
        let accounts: Vec<AccountNo> = rows.iter().map(|row| row.account).collect();
        let mut room = self.untested_room(&accounts).await?;
        let mut left_out = 0;
        let mut placed = Vec::with_capacity(rows.len());
        for row in rows {
            let room = room.entry(row.account).or_default();
            if room.tags.contains(&row.secret_tag) {
                let renew = self.sql(RENEW).bind(row.account.block()).bind(row.account.get());
                let renew = renew.bind(row.secret_tag.clone()).bind(row.expires_at.micros());
                renew.run().await?;
                continue;
            }
            match room.take_number() {
                Some(number) => placed.push((number, row)),
                None => left_out += 1,
            }
        }
        let added = self
            .insert(&ADD_UNTESTED, &placed, |(number, row), values| {
                values
                    .add(row.account.block())
                    .add(row.account.get())
                    .add(*number)
                    .add(row.secret_tag.clone());
                values
                    .add(leak.0)
                    .add(row.sealed.clone())
                    .add(row.found_at.micros())
                    .add(row.expires_at.micros());
            })
            .await;
        match added {
            // Another scan took the same place since the room was read: the whole transaction decides again.
            Err(StoreError::AlreadyExists) => Err(StoreError::Contention {
                message: "two scans found hashes of one account".to_owned(),
            }),
            added => added.map(|_| left_out),
        }
    }

    async fn untested_room(&mut self, accounts: &[AccountNo]) -> Result<HashMap<AccountNo, Room>, StoreError> {
        let mut room: HashMap<AccountNo, Room> = HashMap::new();
        for (block, numbers) in by_block(accounts) {
            let taken: Vec<(i64, i64, Vec<u8>)> = self.in_block(UNTESTED_IN_BLOCK, block, &numbers).await?;
            for (no, number, tag) in taken {
                let room = room.entry(AccountNo::new(no)).or_default();
                room.numbers.insert(number);
                room.tags.insert(tag);
            }
        }
        Ok(room)
    }

    /// The untested hashes of an account, oldest first, with the leak that each came from.
    pub async fn untested(&mut self, account: AccountNo) -> Result<Vec<(LeakNo, Untested)>, StoreError> {
        type Row = (Vec<u8>, i64, Vec<u8>, i64, i64);
        let rows: Vec<Row> = self
            .sql(UNTESTED_OF)
            .bind(account.block())
            .bind(account.get())
            .all()
            .await?;
        Ok(rows
            .into_iter()
            .map(|(secret_tag, leak_no, sealed, found_at, expires_at)| {
                let found_at = Timestamp::from_micros(found_at);
                let expires_at = Timestamp::from_micros(expires_at);
                (
                    LeakNo(leak_no),
                    Untested {
                        account,
                        secret_tag,
                        sealed,
                        found_at,
                        expires_at,
                    },
                )
            })
            .collect())
    }

    /// Until when those of the hashes (account, secret) wait that do.
    pub async fn untested_waiting(
        &mut self,
        wanted: &[(AccountNo, Vec<u8>)],
    ) -> Result<Vec<(AccountNo, Vec<u8>, Timestamp)>, StoreError> {
        self.plan_anew().await?;
        let mut found = Vec::new();
        for piece in pairs_by_block(wanted) {
            let rows: Vec<(i64, Vec<u8>, i64)> = self
                .select_in_block(&WAITING, piece[0].0.block(), &piece, |(account, tag), values| {
                    values.add(account.get()).add((*tag).clone());
                })
                .await?;
            found.extend(
                rows.into_iter()
                    .map(|(no, tag, expires_at)| (AccountNo::new(no), tag, Timestamp::from_micros(expires_at))),
            );
        }
        Ok(found)
    }

    /// Drops the untested hashes of a block whose time is over; how many.
    pub async fn drop_expired_untested(&mut self, block: i64, now: Timestamp) -> Result<u64, StoreError> {
        self.sql(DROP_EXPIRED).bind(block).bind(now.micros()).run().await
    }

    /// The verdicts of those of the pairs (account, secret) that were tested before, in any leak.
    pub async fn pairs(&mut self, wanted: &[(AccountNo, Vec<u8>)]) -> Result<Vec<Pair>, StoreError> {
        self.plan_anew().await?;
        let mut found = Vec::new();
        for piece in pairs_by_block(wanted) {
            let rows: Vec<(i64, Vec<u8>, Vec<u8>)> = self
                .select_in_block(&FIND_PAIRS, piece[0].0.block(), &piece, |(account, tag), values| {
                    values.add(account.get()).add((*tag).clone());
                })
                .await?;
            found.extend(rows.into_iter().map(|(no, secret_tag, sealed)| Pair {
                account: AccountNo::new(no),
                secret_tag,
                sealed,
            }));
        }
        Ok(found)
    }

    /// Those of the exposures (account, secret) of a leak that are there already.
    pub async fn exposures(
        &mut self,
        leak: LeakNo,
        wanted: &[(AccountNo, Vec<u8>)],
    ) -> Result<Vec<Exposure>, StoreError> {
        type Row = (i64, Vec<u8>, String, String, Option<i64>, i64, Vec<u8>, i64);
        self.plan_anew().await?;
        let mut found = Vec::new();
        for piece in pairs_by_block(wanted) {
            let rows: Vec<Row> = self
                .select_in_block(&FIND_EXPOSURES, piece[0].0.block(), &piece, |(account, tag), values| {
                    values.add(account.get()).add(leak.0).add((*tag).clone());
                })
                .await?;
            for (no, tag, grade, kind, password_no, loose, position, found_at) in rows {
                let row = (no, leak.0, tag, grade, kind, password_no, loose, position, found_at);
                found.push(exposure(row)?.1);
            }
        }
        Ok(found)
    }

    /// All exposures of an account, with the leak of each.
    pub async fn exposures_of_account(&mut self, account: AccountNo) -> Result<Vec<(LeakNo, Exposure)>, StoreError> {
        let rows: Vec<ExposureRow> = self
            .sql(OF_ACCOUNT)
            .bind(account.block())
            .bind(account.get())
            .all()
            .await?;
        rows.into_iter().map(exposure).collect()
    }

    /// A page of the exposures of a leak, in the order of accounts: those after a place (`None`: from the first).
    pub async fn exposure_page(
        &mut self,
        leak: LeakNo,
        after: Option<&ExposurePlace>,
        limit: i64,
    ) -> Result<Vec<Exposure>, StoreError> {
        let (block, no, tag) = match after {
            None => (-1, 0, Vec::new()),
            Some(place) => (place.account.block(), place.account.get(), place.secret_tag.clone()),
        };
        let page: Vec<ExposureRow> = self
            .sql(PAGE)
            .bind(leak.0)
            .bind(block)
            .bind(no)
            .bind(tag)
            .bind(limit)
            .all()
            .await?;
        page.into_iter().map(|row| Ok(exposure(row)?.1)).collect()
    }

    /// How many exposures and accounts a leak has by grade and kind, strongest grade and gravest kind first.
    pub async fn exposure_counts(&mut self, leak: LeakNo) -> Result<Vec<ExposureCount>, StoreError> {
        let rows: Vec<(String, String, i64, i64)> = self.sql(COUNTS).bind(leak.0).all().await?;
        let mut counts = rows
            .into_iter()
            .map(|(grade, kind, exposures, accounts)| {
                Ok(ExposureCount {
                    grade: read_grade(&grade)?,
                    kind: read_kind(&kind)?,
                    exposures: exposures.unsigned_abs(),
                    accounts: accounts.unsigned_abs(),
                })
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        counts.sort_unstable_by_key(|count| (count.grade, count.kind));
        Ok(counts)
    }

    /// How many accounts of a leak have another password by now than one that was tested; accounts that are only named do not
    /// count.
    pub async fn accounts_changed_since(&mut self, leak: LeakNo) -> Result<u64, StoreError> {
        let (count,): (i64,) = self.sql(CHANGED_SINCE).bind(leak.0).one().await?;
        Ok(count.unsigned_abs())
    }

    /// How many accounts of a leak have each grade as their best.
    pub async fn accounts_by_best_grade(&mut self, leak: LeakNo) -> Result<Vec<(Grade, u64)>, StoreError> {
        let rows: Vec<(i64, i64)> = self.sql(BEST).bind(leak.0).all().await?;
        Ok(rows
            .into_iter()
            .filter_map(|(best, count)| Some((*Grade::ALL.get(usize::try_from(best).ok()?)?, count.unsigned_abs())))
            .collect())
    }
}

/// The wanted pairs of each block, sorted and each once.
fn pairs_by_block(wanted: &[(AccountNo, Vec<u8>)]) -> Vec<Vec<(AccountNo, &Vec<u8>)>> {
    let mut sorted: Vec<(AccountNo, &Vec<u8>)> = wanted.iter().map(|(account, tag)| (*account, tag)).collect();
    sorted.sort_unstable();
    sorted.dedup();
    sorted
        .chunk_by(|a, b| a.0.block() == b.0.block())
        .map(<[_]>::to_vec)
        .collect()
}

/// Which numbers of an account's untested hashes are taken.
#[derive(Default)]
struct Room {
    numbers: HashSet<i64>,
    tags: HashSet<Vec<u8>>,
}

impl Room {
    fn take_number(&mut self) -> Option<i64> {
        (1..).take(UNTESTED_MAX).find(|number| self.numbers.insert(*number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(no: i64, tag: u8, sealed: u8) -> Pair {
        Pair {
            account: AccountNo::new(no),
            secret_tag: vec![tag],
            sealed: vec![sealed],
        }
    }

    #[test]
    fn rows_are_written_in_key_order_and_the_later_of_two_stays() {
        let rows = [pair(2, 1, 0), pair(1, 9, 1), pair(2, 1, 2), pair(1, 3, 3)];
        let sorted: Vec<u8> = in_key_order(&rows, |row| (row.account, &row.secret_tag))
            .iter()
            .map(|row| row.sealed[0])
            .collect();
        assert_eq!(sorted, [3, 1, 2]);
    }

    #[test]
    fn the_seventeenth_hash_has_no_room() {
        let mut room = Room::default();
        room.numbers.insert(3);
        let numbers: Vec<i64> = std::iter::from_fn(|| room.take_number()).collect();
        assert_eq!(numbers.len(), UNTESTED_MAX - 1);
        assert!(!numbers.contains(&3));
    }
}
