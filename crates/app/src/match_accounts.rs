//! The accounts of a matching run without a database: names in a table in memory, everything else in a nameless file.
//!
//! A million accounts take 18 MB of memory for the table and 8 for the places of the rows, however long their hashes are.
//! The file has no name (it is gone when the process is), holds what the accounts file holds, and is read only for accounts
//! that a leak names.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use rightful_core::PasswordVersion;
use rightful_core::identifier::DefaultRegion;
use rightful_crypto::password::{ParseHints, StoredHash};
use rightful_leaks::account::{KnownName, NamedAccount, Passwords};
use rightful_leaks::index::{AccountIndex, IdentifierTable, ProbeKey, TableBuilder};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::accounts_file::{AccountRow, AccountsFile, AccountsFileFault, Rejected, RowHints, row_id};

/// The accounts that leaks are matched with.
pub struct MatchAccounts {
    table: IdentifierTable,
    rows: File,
    /// Where each row begins; one more for the end.
    places: Vec<u64>,
}

/// What is in a file of accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AccountsSummary {
    /// Accounts taken.
    pub accounts: u64,
    /// Of them without a password hash: a leak can only name them.
    pub without_password: u64,
    /// Names by which leaks are matched.
    pub names: u64,
    /// Rows that were refused.
    pub rejected: u64,
    /// Columns that were passed over.
    pub ignored_columns: Vec<String>,
    /// SHA-256 of the rows as they were understood.
    #[serde(skip)]
    pub digest: [u8; 32],
}

/// A row as the nameless file keeps it.
#[derive(Serialize, Deserialize)]
struct Kept {
    id: String,
    names: Vec<(String, String, Vec<Vec<u8>>)>,
    password: Option<String>,
    former: Vec<String>,
}

impl MatchAccounts {
    /// Reads all accounts of a file. Refused rows go to `reject`; they are not matched. The nameless file is made in `folder`.
    ///
    /// # Errors
    /// When the file is none of accounts, or a medium fails.
    pub fn load(
        source: impl Read,
        hints: RowHints,
        key: ProbeKey,
        folder: &Path,
        reject: &mut dyn FnMut(Rejected) -> std::io::Result<()>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(Self, AccountsSummary), AccountsFileFault> {
        let region = hints.region;
        let mut file = AccountsFile::open(source, hints)?;
        let kept = tempfile::tempfile_in(folder).map_err(AccountsFileFault::Read)?;
        let mut writer = BufWriter::with_capacity(1 << 18, kept);
        let mut table = TableBuilder::new(key);
        let mut summary = AccountsSummary {
            ignored_columns: file.ignored_columns().to_vec(),
            ..Default::default()
        };
        let (mut places, mut place, mut digest) = (vec![0], 0, Sha256::new());
        let mut met = HashSet::new();
        while let Some(row) = file.next_row()? {
            let row = match row.and_then(|row| first_of_its_account(&mut met, row, region)) {
                Ok(row) => row,
                Err(rejected) => {
                    summary.rejected += 1;
                    reject(rejected).map_err(AccountsFileFault::Read)?;
                    continue;
                }
            };
            let index = AccountIndex::try_from(places.len() - 1).map_err(|_| too_many())?;
            let row = keep(&row, region);
            for match_key in row.names.iter().flat_map(|(_, _, keys)| keys) {
                table.add(match_key, index);
                summary.names += 1;
            }
            summary.accounts += 1;
            summary.without_password += u64::from(row.password.is_none());
            let bytes = serde_json::to_vec(&row).map_err(|error| AccountsFileFault::Read(error.into()))?;
            digest.update(&bytes);
            writer.write_all(&bytes).map_err(AccountsFileFault::Read)?;
            place += bytes.len() as u64;
            places.push(place);
            if summary.accounts.is_multiple_of(10_000) {
                progress(summary.accounts);
            }
        }
        places.shrink_to_fit();
        let rows = writer
            .into_inner()
            .map_err(|error| AccountsFileFault::Read(error.into_error()))?;
        summary.digest = digest.finalize().into();
        Ok((
            Self {
                table: table.build(),
                rows,
                places,
            },
            summary,
        ))
    }

    /// The names to probe a leak with.
    pub fn table(&self) -> &IdentifierTable {
        &self.table
    }

    /// The id of an account, and its names as the site spells them.
    ///
    /// # Errors
    /// When the nameless file cannot be read.
    pub fn identity(&self, index: AccountIndex) -> std::io::Result<(String, Vec<String>)> {
        let kept = self.kept(index)?;
        Ok((kept.id, kept.names.into_iter().map(|(given, _, _)| given).collect()))
    }

    /// What the matcher needs of an account.
    ///
    /// # Errors
    /// When the nameless file cannot be read.
    pub fn account(&self, index: AccountIndex) -> std::io::Result<NamedAccount> {
        let kept = self.kept(index)?;
        let read = |text: &String| {
            StoredHash::parse(text, &ParseHints::default())
                .map_err(|refused| std::io::Error::other(refused.to_string()))
        };
        let passwords = Passwords {
            current: kept.password.as_ref().map(read).transpose()?,
            version: kept.password.is_some().then_some(PasswordVersion(1)),
            former: kept.former.iter().map(read).collect::<Result<_, _>>()?,
            replaced: Vec::new(),
        };
        let names = kept
            .names
            .into_iter()
            .map(|(given, strict, match_keys)| KnownName {
                given,
                strict,
                match_keys,
            })
            .collect();
        Ok(NamedAccount {
            index,
            number: i64::from(index),
            names,
            passwords: Arc::new(passwords),
        })
    }

    fn kept(&self, index: AccountIndex) -> std::io::Result<Kept> {
        let at = index as usize;
        let (from, to) = (self.places[at], self.places[at + 1]);
        let length = usize::try_from(to - from).map_err(std::io::Error::other)?;
        let mut bytes = vec![0; length];
        self.rows.read_exact_at(&mut bytes, from)?;
        Ok(serde_json::from_slice(&bytes)?)
    }
}

/// The row, if it is the first about its account: an account has one line for each secret in the list, as the importer has one
/// row for each account. What was met is known by 16 bytes of a digest.
fn first_of_its_account(
    met: &mut HashSet<[u8; 16]>,
    row: AccountRow,
    region: Option<DefaultRegion>,
) -> Result<AccountRow, Rejected> {
    let id = match &row.account {
        Some(id) => Uuid::try_parse(id).map_or_else(|_| id.clone(), |id| id.to_string()),
        None => row.known_names(region).swap_remove(0).strict,
    };
    let digest = Sha256::digest([&[u8::from(row.account.is_some())], id.as_bytes()].concat());
    let mut known = [0; 16];
    known.copy_from_slice(&digest[..16]);
    if met.insert(known) {
        return Ok(row);
    }
    Err(Rejected {
        line: row.line,
        column: None,
        reason: format!("the account {} stands on an earlier line already", row_id(&row)),
    })
}

fn too_many() -> AccountsFileFault {
    AccountsFileFault::Read(std::io::Error::other("there are more than 4,294,967,295 accounts"))
}

fn keep(row: &AccountRow, region: Option<DefaultRegion>) -> Kept {
    let mut names: Vec<KnownName> = row.known_names(region);
    // A site whose accounts are known by nothing but their id signs people in by it.
    if let (true, Some(id)) = (names.is_empty(), &row.account) {
        names.push(KnownName::unruly(id));
    }
    Kept {
        id: row_id(row).to_owned(),
        names: names
            .into_iter()
            .map(|name| (name.given, name.strict, name.match_keys))
            .collect(),
        password: row.password.as_ref().map(StoredHash::text),
        former: row.former.iter().map(StoredHash::text).collect(),
    }
}
