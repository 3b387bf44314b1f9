//! `accounts import`: a file of accounts into the database, once however often it is run.
//!
//! A row is known by its `account` id, else by its first name. A new one is added; one that is there keeps what it has, gets
//! the names that are new, and a new password where the file has another than the current one. Never overwritten: the
//! password of an account with a role, one that the owner set here, and none by an earlier one of the same account.

use std::collections::HashMap;
use std::io::{Read, Write};

use rightful_core::audit::AuditSubject;
use rightful_core::identifier::{Identifier, IdentifierKind, MatchKey};
use rightful_core::{AccountNo, PublicId, Timestamp};
use rightful_crypto::password::StoredHash;
use rightful_store::account::{NewAccount, NewContact, NewName};
use rightful_store::identifier::{id_key, reference_key};
use rightful_store::import::Import;
use rightful_store::match_view::MatchView;
use rightful_store::password::{NewPassword, Origin, Replacement};
use rightful_store::{StoreError, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::accounts_file::{AccountRow, AccountsFile, AccountsFileFault, Rejected, RowHints, row_id};
use crate::env::Env;
use crate::site::{HashBroken, Site};

/// Rows that are written together. SQLite takes rows in the order of several tables at once: larger batches touch each page less
/// often (measured: 26,000 accounts/s at 4,096, 47,000 at 16,384).
pub const BATCH: usize = 8192;

/// What to import.
pub struct ImportRequest<'a> {
    /// The rows, unpacked.
    pub source: Box<dyn Read + 'a>,
    /// What it is called, for lists.
    pub name: &'a str,
    /// By which an interrupted import of the same file is known: SHA-256 of the file and of what it does not say of itself.
    pub identity: [u8; 32],
    /// What the file does not say of itself.
    pub hints: RowHints,
}

/// What became of the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportTally {
    /// Rows dealt with.
    pub rows: u64,
    /// Accounts added.
    pub added: u64,
    /// Accounts that got a new password or further names.
    pub changed: u64,
    /// Accounts that were there as the row has them.
    pub unchanged: u64,
    /// Rows that were refused.
    pub rejected: u64,
    /// Bytes of the list of refused rows that belong to these rows.
    pub reject_bytes: u64,
}

/// What came of an import.
#[derive(Debug)]
pub struct ImportReport {
    /// Its number.
    pub import_no: i64,
    /// The rows.
    pub tally: ImportTally,
    /// Rows that an interrupted run had dealt with.
    pub resumed_after: u64,
    /// Columns that were passed over.
    pub ignored_columns: Vec<String>,
    /// Whether it was told to stop before the end.
    pub stopped: bool,
}

/// Why an import ended early. What was written stays, and the same command goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum ImportFault {
    /// The file.
    #[error("the file of accounts cannot be used")]
    File(#[source] AccountsFileFault),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The list of refused rows.
    #[error("the list of refused rows cannot be written")]
    Rejects(#[source] std::io::Error),
    /// A stored hash.
    #[error("account {account} cannot be compared")]
    Stored {
        /// Its public id.
        account: String,
        /// What is wrong with it.
        #[source]
        broken: HashBroken,
    },
}

/// Where refused rows go. An interrupted import may have listed rows that it did not get to write: they are cut off again.
pub trait RejectList {
    /// Cuts the list to its first `bytes` bytes and goes on there.
    ///
    /// # Errors
    /// When the medium fails.
    fn go_on_at(&mut self, bytes: u64) -> std::io::Result<()>;

    /// Adds a row; answers how many bytes that took.
    ///
    /// # Errors
    /// When the medium fails.
    fn add(&mut self, rejected: &Rejected) -> std::io::Result<u64>;

    /// Sees to it that the list is on disk.
    ///
    /// # Errors
    /// When the medium fails.
    fn flush(&mut self) -> std::io::Result<()>;
}

/// A list of refused rows in a file: `line,column,reason`.
pub struct RejectFile(pub std::fs::File);

impl RejectList for RejectFile {
    fn go_on_at(&mut self, bytes: u64) -> std::io::Result<()> {
        use std::io::{Seek, SeekFrom};
        self.0.set_len(bytes)?;
        self.0.seek(SeekFrom::End(0)).map(drop)
    }

    fn add(&mut self, rejected: &Rejected) -> std::io::Result<u64> {
        use crate::export::csv_field;
        let (column, reason) = (rejected.column.unwrap_or(""), csv_field(&rejected.reason, false));
        let line = format!("{},{column},{reason}\n", rejected.line);
        self.0.write_all(line.as_bytes())?;
        Ok(line.len() as u64)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.sync_data()
    }
}

/// Imports a file.
///
/// # Errors
/// See [`ImportFault`]; a row that is wrong is no error but refused.
pub async fn import_accounts(
    request: ImportRequest<'_>,
    site: &Site,
    rejects: &mut dyn RejectList,
    env: &mut Env,
    stop: &std::sync::atomic::AtomicBool,
    progress: &mut dyn FnMut(&ImportTally),
) -> Result<ImportReport, ImportFault> {
    let mut file = AccountsFile::open(request.source, request.hints.clone()).map_err(ImportFault::File)?;
    let ignored_columns = file.ignored_columns().to_vec();
    let now = env.now();
    let import = site
        .store
        .write(async |tx| tx.import_begin(request.identity, request.name, now).await)
        .await?;
    let tally: ImportTally = serde_json::from_str(&import.tallies).unwrap_or_default();
    let mut run = Run {
        site,
        region: request.hints.region,
        import,
        tally,
        numbers: 0..0,
        seen: Vec::new(),
    };
    let resumed_after = run.import.rows_done;
    rejects.go_on_at(run.tally.reject_bytes).map_err(ImportFault::Rejects)?;
    for _ in 0..resumed_after {
        if file.next_row().map_err(ImportFault::File)?.is_none() {
            break;
        }
    }
    let mut ended = false;
    let mut stopped = false;
    while !ended && !stopped {
        let mut batch = Vec::with_capacity(BATCH);
        while batch.len() < BATCH {
            match file.next_row().map_err(ImportFault::File)? {
                Some(row) => batch.push(row),
                None => {
                    ended = true;
                    break;
                }
            }
        }
        run.batch(batch, rejects, env).await?;
        progress(&run.tally);
        stopped = !ended && stop.load(std::sync::atomic::Ordering::Relaxed);
    }
    if !stopped {
        let now = env.now();
        let body = serde_json::to_string(&run.tally).expect("numbers are JSON");
        let entry = site.entry(
            AuditSubject::Import(run.import.import_no),
            "accounts.import_finished",
            body,
            now,
        );
        let import = run.import.clone();
        site.store
            .write(async |tx| {
                tx.import_finish(&import, now).await?;
                tx.audit(&entry).await
            })
            .await?;
    }
    Ok(ImportReport {
        import_no: run.import.import_no,
        tally: run.tally,
        resumed_after,
        ignored_columns,
        stopped,
    })
}

struct Run<'a> {
    site: &'a Site,
    region: Option<rightful_core::identifier::DefaultRegion>,
    import: Import,
    tally: ImportTally,
    /// Account numbers that this run may give out.
    numbers: std::ops::Range<i64>,
    /// A bit for each account that a row of this run was about: a second, different one is refused whenever it comes.
    seen: Vec<u64>,
}

/// A row whose names are identifiers, and the keys that it is about.
struct Candidate {
    row: AccountRow,
    names: Vec<Identifier>,
    /// The key by which its account is known.
    identity: String,
    /// Prepared in case it is new.
    no: AccountNo,
    public_id: PublicId,
    /// Its public id or foreign id as a key, where the row has one; all strict keys of its names.
    keys: Vec<String>,
}

/// What is to be done with the rows of a batch.
#[derive(Default)]
struct Decisions {
    new: Vec<NewAccount>,
    changes: Vec<Change>,
    unchanged: u64,
    rejected: Vec<Rejected>,
    /// Accounts that the rows were about.
    about: Vec<AccountNo>,
}

/// What a row adds to an account that is there.
struct Change {
    account: AccountNo,
    names: Vec<NewName>,
    contacts: Vec<NewContact>,
    match_keys: Vec<Vec<u8>>,
    password: Option<Replacement>,
}

impl Run<'_> {
    async fn batch(
        &mut self,
        rows: Vec<Result<AccountRow, Rejected>>,
        rejects: &mut dyn RejectList,
        env: &mut Env,
    ) -> Result<(), ImportFault> {
        let count = rows.len() as u64;
        if count == 0 {
            return Ok(());
        }
        let now = env.now();
        let (mut candidates, mut rejected) = (Vec::with_capacity(rows.len()), Vec::new());
        for row in rows {
            let no = self.next_number().await?;
            let drawn = PublicId(uuid::Builder::from_random_bytes(env.random()).into_uuid());
            match row.and_then(|row| self.candidate(row, no, drawn)) {
                Ok(candidate) => candidates.push(candidate),
                Err(refused) => rejected.push(refused),
            }
        }
        let mut decisions = self.decide(&candidates, now, env).await?;
        for account in std::mem::take(&mut decisions.about) {
            self.see(account);
        }
        decisions.rejected.append(&mut rejected);
        decisions.rejected.sort_by_key(|rejected| rejected.line);
        for rejected in &decisions.rejected {
            self.tally.reject_bytes += rejects.add(rejected).map_err(ImportFault::Rejects)?;
        }
        if !decisions.rejected.is_empty() {
            rejects.flush().map_err(ImportFault::Rejects)?;
        }
        self.tally.rows += count;
        self.tally.added += decisions.new.len() as u64;
        self.tally.changed += decisions.changes.len() as u64;
        self.tally.unchanged += decisions.unchanged;
        self.tally.rejected += decisions.rejected.len() as u64;
        let tallies = serde_json::to_string(&self.tally).expect("numbers are JSON");
        let subject = AuditSubject::Import(self.import.import_no);
        let entry = self.site.entry(subject, "accounts.imported", tallies.clone(), now);
        let (import, rows_done) = (&self.import, self.import.rows_done + count);
        let (new, changes) = (&decisions.new, &decisions.changes);
        self.import = self
            .site
            .store
            .write(async |tx| {
                // First, because it stops a second process that runs the same import.
                let import = tx.import_progress(import, rows_done, &tallies).await?;
                tx.insert_accounts(new).await?;
                for change in changes {
                    apply(tx, change, now).await?;
                }
                tx.audit(&entry).await?;
                Ok(import)
            })
            .await?;
        Ok(())
    }

    fn has_seen(&self, account: AccountNo) -> bool {
        let (word, bit) = place_in_bits(account);
        self.seen.get(word).is_some_and(|bits| bits >> bit & 1 == 1)
    }

    fn see(&mut self, account: AccountNo) {
        let (word, bit) = place_in_bits(account);
        if self.seen.len() <= word {
            self.seen.resize(word + 1, 0);
        }
        self.seen[word] |= 1 << bit;
    }

    async fn next_number(&mut self) -> Result<AccountNo, ImportFault> {
        if self.numbers.is_empty() {
            self.numbers = self.site.store.write(async |tx| tx.take_account_block().await).await?;
        }
        let next = self.numbers.next().expect("a block of numbers is never empty");
        Ok(AccountNo::new(next))
    }

    fn candidate(&self, row: AccountRow, no: AccountNo, drawn: PublicId) -> Result<Candidate, Rejected> {
        let names = row.identifiers(self.region)?;
        let uuid = row.account.as_deref().and_then(|id| Uuid::try_parse(id).ok());
        let public_id = uuid.map_or(drawn, PublicId);
        let own = match (&row.account, uuid) {
            (Some(_), Some(_)) => Some(id_key(public_id)),
            (Some(reference), None) => Some(reference_key(reference)),
            (None, _) => None,
        };
        let mut keys: Vec<String> = own.iter().cloned().collect();
        keys.extend(names.iter().map(|name| name.sign_in_key().text().to_owned()));
        let identity = keys.first().cloned().unwrap_or_default();
        Ok(Candidate {
            row,
            names,
            identity,
            no,
            public_id,
            keys,
        })
    }

    /// Decides what each row comes to, from what the database holds now. Writes nothing.
    async fn decide(&self, candidates: &[Candidate], now: Timestamp, env: &mut Env) -> Result<Decisions, ImportFault> {
        let asked: Vec<String> = candidates
            .iter()
            .flat_map(|candidate| candidate.keys.iter().cloned())
            .collect();
        let (owners, there) = self
            .site
            .store
            .read(async |tx| {
                let owners: HashMap<String, AccountNo> = tx
                    .accounts_by_keys(&asked)
                    .await?
                    .into_iter()
                    .map(|key| (key.name_key, key.account))
                    .collect();
                let mut numbers: Vec<AccountNo> = owners.values().copied().collect();
                numbers.sort_unstable();
                numbers.dedup();
                let views = tx.match_views(&numbers).await?;
                let there: HashMap<AccountNo, MatchView> =
                    views.into_iter().map(|view| (view.account.no, view)).collect();
                Ok((owners, there))
            })
            .await?;
        let mut decisions = Decisions::default();
        // Keys that an earlier row of this batch takes.
        let mut taken: HashMap<&str, u64> = HashMap::new();
        for candidate in candidates {
            let decided = match owners.get(&candidate.identity).and_then(|no| there.get(no)) {
                None => self
                    .add(candidate, &owners, &taken, now, env)
                    .map(|new| decisions.new.push(new)),
                Some(view) => match self.change(candidate, view, &owners, &taken, now, env)? {
                    Ok(Some(change)) => {
                        decisions.changes.push(change);
                        Ok(())
                    }
                    Ok(None) => {
                        decisions.unchanged += 1;
                        Ok(())
                    }
                    Err(rejected) => Err(rejected),
                },
            };
            match decided {
                Ok(()) => {
                    let owner = owners.get(&candidate.identity).filter(|no| there.contains_key(no));
                    decisions.about.push(owner.copied().unwrap_or(candidate.no));
                    for key in &candidate.keys {
                        taken.entry(key).or_insert(candidate.row.line);
                    }
                }
                Err(rejected) => decisions.rejected.push(rejected),
            }
        }
        Ok(decisions)
    }

    fn add(
        &self,
        candidate: &Candidate,
        owners: &HashMap<String, AccountNo>,
        taken: &HashMap<&str, u64>,
        now: Timestamp,
        env: &mut Env,
    ) -> Result<NewAccount, Rejected> {
        let line = candidate.row.line;
        for (at, key) in candidate.keys.iter().enumerate() {
            if let Some(earlier) = taken.get(key.as_str()) {
                return Err(refuse(
                    line,
                    None,
                    format!("{} stands on line {earlier} already", candidate.shown(at)),
                ));
            }
            if owners.contains_key(key) {
                return Err(refuse(
                    line,
                    None,
                    format!("{} belongs to another account", candidate.shown(at)),
                ));
            }
        }
        let row = &candidate.row;
        let former = row.former.iter().enumerate().map(|(at, hash)| {
            let password_no = i64::try_from(at + 1).expect("a list of former passwords is short");
            self.password(candidate.no, password_no, hash, env)
        });
        let former: Vec<NewPassword> = former.collect();
        let current_no = i64::try_from(former.len() + 1).expect("a list of former passwords is short");
        let (names, contacts, match_keys) = rows_of_names(candidate.names.iter());
        Ok(NewAccount {
            no: candidate.no,
            public_id: candidate.public_id,
            reference: row.account.clone().filter(|id| Uuid::try_parse(id).is_err()),
            role: "none".to_owned(),
            groups: serde_json::to_string(&row.groups).expect("texts are JSON"),
            names,
            match_keys: if candidate.names.is_empty() {
                match_key_of_id(row)
            } else {
                match_keys
            },
            contacts,
            password: row
                .password
                .as_ref()
                .map(|hash| self.password(candidate.no, current_no, hash, env)),
            former,
            import_no: Some(self.import.import_no),
            created_at: row.created_at.unwrap_or(now),
            added_at: now,
        })
    }

    fn password(&self, no: AccountNo, password_no: i64, hash: &StoredHash, env: &mut Env) -> NewPassword {
        NewPassword {
            sealed: self.site.seal_hash(no, password_no, hash, &mut *env.chance),
            kind: hash.kind().word().to_owned(),
            weak: hash.is_weak_fast(),
            origin: Origin::Imported,
        }
    }

    /// What a row adds to the account that it is about: nothing, something, or it is refused.
    fn change(
        &self,
        candidate: &Candidate,
        view: &MatchView,
        owners: &HashMap<String, AccountNo>,
        taken: &HashMap<&str, u64>,
        now: Timestamp,
        env: &mut Env,
    ) -> Result<Result<Option<Change>, Rejected>, ImportFault> {
        let line = candidate.row.line;
        let no = view.account.no;
        if let Some(earlier) = taken.get(candidate.identity.as_str()) {
            return Ok(Err(refuse(
                line,
                None,
                format!("{} stands on line {earlier} already", candidate.shown(0)),
            )));
        }
        for (at, key) in candidate.keys.iter().enumerate() {
            if owners.get(key).is_some_and(|owner| *owner != no) || taken.contains_key(key.as_str()) {
                return Ok(Err(refuse(
                    line,
                    None,
                    format!("{} belongs to another account", candidate.shown(at)),
                )));
            }
        }
        let fresh = candidate
            .names
            .iter()
            .filter(|name| !owners.contains_key(name.sign_in_key().text()));
        let (names, contacts, match_keys) = rows_of_names(fresh);
        let password = match self.replacement(candidate, view, now, env)? {
            Ok(password) => password,
            Err(rejected) => return Ok(Err(rejected)),
        };
        if names.is_empty() && password.is_none() {
            return Ok(Ok(None));
        }
        if view.account.role != "none" {
            let reason = format!(
                "the account has the role {}: it is not changed by an import",
                view.account.role
            );
            return Ok(Err(refuse(line, None, reason)));
        }
        Ok(Ok(Some(Change {
            account: no,
            names,
            contacts,
            match_keys,
            password,
        })))
    }

    fn replacement(
        &self,
        candidate: &Candidate,
        view: &MatchView,
        now: Timestamp,
        env: &mut Env,
    ) -> Result<Result<Option<Replacement>, Rejected>, ImportFault> {
        let (Some(hash), no) = (&candidate.row.password, view.account.no) else {
            return Ok(Ok(None));
        };
        let digest = self.site.replaced_digest(no, hash);
        let mut seen = None;
        for stored in &view.passwords {
            let opened = self.site.open_hash(no, stored.password_no, &stored.sealed);
            let opened = opened.map_err(|broken| ImportFault::Stored {
                account: view.account.public_id.to_string(),
                broken,
            })?;
            if stored.current {
                if opened.equal(hash) {
                    return Ok(Ok(None));
                }
                seen = Some((stored, opened));
            }
        }
        if view.replaced.iter().any(|known| known[..] == digest) {
            // A weak hash that has been wrapped since, or an older export.
            return Ok(Ok(None));
        }
        let line = candidate.row.line;
        if let Some((stored, _)) = &seen {
            if stored.origin == Origin::Set {
                return Ok(Err(refuse(
                    line,
                    Some("password"),
                    "the owner has set a password here since".to_owned(),
                )));
            }
            if view.account.import_no == Some(self.import.import_no) || self.has_seen(no) {
                let reason = "it differs from an earlier row of this file about the same account".to_owned();
                return Ok(Err(refuse(line, Some("password"), reason)));
            }
        }
        let last = view
            .passwords
            .iter()
            .map(|stored| stored.password_no)
            .max()
            .unwrap_or(0);
        Ok(Ok(Some(Replacement {
            account: no,
            seen: seen.as_ref().map(|(stored, _)| stored.password_no),
            password: self.password(no, last + 1, hash, env),
            replaced_digest: seen
                .as_ref()
                .map(|(_, old)| self.site.replaced_digest(no, old).to_vec()),
            now,
        })))
    }
}

impl Candidate {
    /// A key of the row as a person knows it. The keys are those of the names, with that of the id in front where there is one.
    fn shown(&self, at: usize) -> String {
        let ids = self.keys.len() - self.names.len();
        match at.checked_sub(ids).and_then(|at| self.names.get(at)) {
            Some(name) => format!("the {} {}", name.sign_in_key().kind().word(), name.given()),
            None => format!("the account {}", row_id(&self.row)),
        }
    }
}

/// Account numbers are dense, so a bit each is little.
fn place_in_bits(account: AccountNo) -> (usize, u32) {
    let number = account.get().unsigned_abs();
    ((number / 64) as usize, (number % 64) as u32)
}

fn refuse(line: u64, column: Option<&'static str>, reason: String) -> Rejected {
    Rejected { line, column, reason }
}

/// A site whose accounts are known by nothing but their id signs people in by it, so a leak may hold it.
fn match_key_of_id(row: &AccountRow) -> Vec<Vec<u8>> {
    row.account
        .iter()
        .filter_map(|id| MatchKey::of(id.as_bytes()))
        .map(|key| key.as_bytes().to_vec())
        .collect()
}

fn rows_of_names<'a>(names: impl Iterator<Item = &'a Identifier>) -> (Vec<NewName>, Vec<NewContact>, Vec<Vec<u8>>) {
    let (mut rows, mut contacts, mut match_keys) = (Vec::new(), Vec::new(), Vec::new());
    for name in names {
        let kind = name.sign_in_key().kind();
        let (word, given) = (kind.word().to_owned(), name.given().to_owned());
        rows.push(NewName {
            kind: word.clone(),
            key: name.sign_in_key().text().to_owned(),
            given: given.clone(),
        });
        // A telephone number is written to as E.164, an address as its owner spelled it.
        let address = if kind == IdentifierKind::Phone {
            name.sign_in_key().text().to_owned()
        } else {
            given
        };
        if kind != IdentifierKind::Username {
            contacts.push(NewContact {
                kind: word,
                address,
                verified_at: None,
            });
        }
        for key in name.match_keys() {
            if !match_keys.contains(key) {
                match_keys.push(key.clone());
            }
        }
    }
    (rows, contacts, match_keys)
}

async fn apply(tx: &mut Tx, change: &Change, now: Timestamp) -> Result<(), StoreError> {
    if !change.names.is_empty() {
        tx.extend_account(change.account, &change.names, &change.contacts, &change.match_keys, now)
            .await?;
    }
    if let Some(password) = &change.password {
        tx.replace_password(password).await?;
    }
    Ok(())
}
