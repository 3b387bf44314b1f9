//! `accounts import`: a file of accounts into the database, once however often it is run.
//!
//! A row is known by its `account` id, else by its first name. A new one is added; one that is there keeps what it has, gets
//! the names that are new, and a new password where the file has another than the current one. Never overwritten: the
//! password of an account with a role, one that the owner set here, and none by an earlier one of the same account. Of several
//! rows about one account the first counts, and the others are refused.

use std::collections::{HashMap, VecDeque};
use std::io::{Read, Write};

use rightful_core::audit::AuditSubject;
use rightful_core::identifier::{Identifier, IdentifierKind, MatchKey};
use rightful_core::{AccountNo, PublicId, Timestamp};
use rightful_crypto::password::StoredHash;
use rightful_store::account::{NewAccount, NewContact, NewName};
use rightful_store::identifier::{KnownKey, id_key, reference_key};
use rightful_store::import::Import;
use rightful_store::match_view::MatchView;
use rightful_store::password::{NewPassword, Origin, Replacement};
use rightful_store::{StoreError, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::accounts_file::{AccountRow, AccountsFile, AccountsFileFault, Rejected, RowHints, row_id};
use crate::env::Env;
use crate::sign_up::NO_ROLE;
use crate::site::Site;
use crate::unreadable::Unreadable;

/// Rows that are written together. SQLite takes rows in the order of several tables at once: larger batches touch each page less
/// often (measured: 26,000 accounts/s at 4,096, 47,000 at 16,384).
pub const BATCH: usize = 8192;

/// A batch ends early when its rows have this many bytes: a row may have a megabyte.
pub const BATCH_BYTES: u64 = 16 << 20;

/// How often a batch is decided again because somebody else wrote the same accounts meanwhile.
const ATTEMPTS: usize = 16;

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
    /// Accounts that were there, and whose groups, time of making or earlier passwords the row has otherwise: those are taken
    /// only with a new account.
    #[serde(default)]
    pub kept: u64,
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
    /// Stored passwords that do not open ([`crate::unreadable`]): they count as none.
    pub unreadable_passwords: u64,
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
}

/// Where refused rows go. An interrupted import may have listed rows that it did not get to write: they are cut off again.
pub trait RejectList {
    /// Cuts the list to its first `bytes` bytes and goes on there. False when it has fewer: it is not the list of the
    /// interrupted import.
    ///
    /// # Errors
    /// When the medium fails.
    fn go_on_at(&mut self, bytes: u64) -> std::io::Result<bool>;

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
    fn go_on_at(&mut self, bytes: u64) -> std::io::Result<bool> {
        use std::io::{Seek, SeekFrom};
        if self.0.metadata()?.len() < bytes {
            return Ok(false);
        }
        self.0.set_len(bytes)?;
        self.0.seek(SeekFrom::End(0))?;
        Ok(true)
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
    let import = begin(site, request.identity, request.name, env.now()).await?;
    let mut run = Run {
        site,
        region: request.hints.region,
        tally: serde_json::from_str(&import.tallies).unwrap_or_default(),
        import,
        numbers: VecDeque::new(),
        seen: Vec::new(),
        unreadable: Unreadable::default(),
    };
    run.find_place(&mut file, rejects).await?;
    let resumed_after = run.import.rows_done;
    let (mut ended, mut stopped) = (false, false);
    while !ended && !stopped {
        let rows = next_batch(&mut file)?;
        ended = rows.is_empty();
        run.batch(rows, rejects, env).await?;
        progress(&run.tally);
        stopped = !ended && stop.load(std::sync::atomic::Ordering::Relaxed);
    }
    if !stopped {
        finish(&run, env.now()).await?;
    }
    Ok(ImportReport {
        import_no: run.import.import_no,
        tally: run.tally,
        resumed_after,
        unreadable_passwords: run.unreadable.count(),
        ignored_columns,
        stopped,
    })
}

async fn begin(site: &Site, identity: [u8; 32], name: &str, now: Timestamp) -> Result<Import, StoreError> {
    site.store
        .write(async |tx| {
            let import = tx.import_begin(identity, name, now).await?;
            let event = match import.version {
                1 => "accounts.import_begun",
                _ => "accounts.import_resumed",
            };
            let body = serde_json::json!({ "name": name, "after_rows": import.rows_done }).to_string();
            tx.audit(&site.entry(AuditSubject::Import(import.import_no), event, body, now))
                .await?;
            Ok(import)
        })
        .await
}

async fn finish(run: &Run<'_>, now: Timestamp) -> Result<(), StoreError> {
    let (site, import) = (run.site, &run.import);
    let body = serde_json::to_string(&run.tally).expect("numbers are JSON");
    let subject = AuditSubject::Import(import.import_no);
    let entry = site.entry(subject, "accounts.import_finished", body, now);
    site.store
        .write(async |tx| {
            tx.import_finish(import, now).await?;
            tx.audit(&entry).await
        })
        .await
}

type ReadRow = Result<AccountRow, Rejected>;

/// The next rows that are written together; none at the end. Where a batch ends depends on nothing but where it begins, so an
/// interrupted run has the same batches.
fn next_batch<R: Read>(file: &mut AccountsFile<R>) -> Result<Vec<ReadRow>, ImportFault> {
    let (mut rows, begin) = (Vec::new(), file.bytes_read());
    while rows.len() < BATCH && file.bytes_read() - begin < BATCH_BYTES {
        match file.next_row().map_err(ImportFault::File)? {
            Some(row) => rows.push(row),
            None => break,
        }
    }
    Ok(rows)
}

struct Run<'a> {
    site: &'a Site,
    region: Option<rightful_core::identifier::DefaultRegion>,
    import: Import,
    tally: ImportTally,
    /// Account numbers that this run may give out.
    numbers: VecDeque<i64>,
    /// A bit for each account that a row of this file was about: a second row about it is refused whenever it comes.
    seen: Vec<u64>,
    unreadable: Unreadable,
}

/// A row whose names are identifiers, and the keys that it is about.
struct Candidate {
    row: AccountRow,
    names: Vec<Identifier>,
    /// The key by which its account is known.
    identity: String,
    /// Its id, where that is a UUID.
    uuid: Option<PublicId>,
    /// Its public id or foreign id as a key, where the row has one; all strict keys of its names.
    keys: Vec<String>,
}

/// What is to be done with the rows of a batch.
#[derive(Default)]
struct Decisions {
    new: Vec<NewAccount>,
    changes: Vec<Change>,
    unchanged: u64,
    kept: u64,
    rejected: Vec<Rejected>,
    /// Accounts that the rows were about, also those that were refused.
    about: Vec<AccountNo>,
}

/// What the database holds of the accounts that the rows of a batch name.
struct There {
    owners: HashMap<String, KnownKey>,
    views: HashMap<AccountNo, MatchView>,
}

impl There {
    /// The account that a row is about, if it is there. A name that an account gave up is not its own any more.
    fn account(&self, candidate: &Candidate) -> Option<&MatchView> {
        let key = self.owners.get(&candidate.identity).filter(|key| key.live)?;
        self.views.get(&key.account)
    }
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
    /// Goes to the row after the last that was dealt with, and remembers whom those before it were about: what comes of a row
    /// must not depend on whether the run was interrupted. Where the list of refused rows is not there any more, everything is
    /// dealt with again, which changes nothing but gives the whole list.
    async fn find_place<R: Read>(
        &mut self,
        file: &mut AccountsFile<R>,
        rejects: &mut dyn RejectList,
    ) -> Result<(), ImportFault> {
        if !rejects
            .go_on_at(self.tally.reject_bytes)
            .map_err(ImportFault::Rejects)?
        {
            (self.tally, self.import.rows_done) = (ImportTally::default(), 0);
            rejects.go_on_at(0).map_err(ImportFault::Rejects)?;
        }
        let mut skipped = 0;
        while skipped < self.import.rows_done {
            let rows = next_batch(file)?;
            if rows.is_empty() {
                break;
            }
            skipped += rows.len() as u64;
            let rows = rows.into_iter().filter_map(Result::ok);
            let candidates: Vec<Candidate> = rows.filter_map(|row| self.candidate(row).ok()).collect();
            let identities = candidates.into_iter().map(|candidate| candidate.identity).collect();
            let owners = self.owners(identities).await?;
            for key in owners.into_values().filter(|key| key.live) {
                self.see(key.account);
            }
        }
        Ok(())
    }

    async fn owners(&self, keys: Vec<String>) -> Result<HashMap<String, KnownKey>, StoreError> {
        let found = self
            .site
            .store
            .read(async |tx| tx.accounts_by_keys(&keys).await)
            .await?;
        Ok(found.into_iter().map(|key| (key.name_key.clone(), key)).collect())
    }

    async fn batch(
        &mut self,
        rows: Vec<ReadRow>,
        rejects: &mut dyn RejectList,
        env: &mut Env,
    ) -> Result<(), ImportFault> {
        let count = rows.len() as u64;
        if count == 0 {
            return Ok(());
        }
        let (mut candidates, mut rejected) = (Vec::with_capacity(rows.len()), Vec::new());
        for row in rows {
            match row.and_then(|row| self.candidate(row)) {
                Ok(candidate) => candidates.push(candidate),
                Err(refused) => rejected.push(refused),
            }
        }
        for attempt in 1.. {
            let now = env.now();
            let mut decisions = self.decide(&candidates, now, env).await?;
            self.unreadable.tell(self.site, now).await?;
            decisions.rejected.extend(rejected.iter().cloned());
            decisions.rejected.sort_by_key(|rejected| rejected.line);
            let tally = self.list_rejected(count, &decisions, rejects)?;
            match self.write(&decisions, tally, now).await {
                Ok(()) => {
                    self.numbers.drain(..decisions.new.len());
                    for account in decisions.about {
                        self.see(account);
                    }
                    return Ok(());
                }
                // Another import took a name, or changed a password, after it was looked at.
                Err(StoreError::AlreadyExists | StoreError::Changed { what: "password" }) if attempt < ATTEMPTS => {
                    let before = self.tally.reject_bytes;
                    rejects.go_on_at(before).map_err(ImportFault::Rejects)?;
                }
                Err(fault) => return Err(fault.into()),
            }
        }
        Ok(())
    }

    /// Lists the refused rows of a batch; the tally as it is with the batch.
    fn list_rejected(
        &self,
        count: u64,
        decisions: &Decisions,
        rejects: &mut dyn RejectList,
    ) -> Result<ImportTally, ImportFault> {
        let mut tally = self.tally.clone();
        for rejected in &decisions.rejected {
            tally.reject_bytes += rejects.add(rejected).map_err(ImportFault::Rejects)?;
        }
        if !decisions.rejected.is_empty() {
            rejects.flush().map_err(ImportFault::Rejects)?;
        }
        tally.rows += count;
        tally.added += decisions.new.len() as u64;
        tally.changed += decisions.changes.len() as u64;
        tally.unchanged += decisions.unchanged;
        tally.kept += decisions.kept;
        tally.rejected += decisions.rejected.len() as u64;
        Ok(tally)
    }

    /// Writes a batch with the run's place behind it, all or nothing.
    async fn write(&mut self, decisions: &Decisions, tally: ImportTally, now: Timestamp) -> Result<(), StoreError> {
        let (site, import) = (self.site, &self.import);
        let tallies = serde_json::to_string(&tally).expect("numbers are JSON");
        let subject = AuditSubject::Import(import.import_no);
        let entry = site.entry(subject, "accounts.imported", tallies.clone(), now);
        let import = site
            .store
            .write(async |tx| {
                // First, because it stops a second process that runs the same import.
                let import = tx.import_progress(import, tally.rows, &tallies).await?;
                tx.insert_accounts(&decisions.new).await?;
                for change in &decisions.changes {
                    apply(tx, site, import.import_no, change, now).await?;
                }
                tx.audit(&entry).await?;
                Ok(import)
            })
            .await?;
        (self.import, self.tally) = (import, tally);
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

    fn candidate(&self, row: AccountRow) -> Result<Candidate, Rejected> {
        let names = row.identifiers(self.region)?;
        let uuid = row
            .account
            .as_deref()
            .and_then(|id| Uuid::try_parse(id).ok())
            .map(PublicId);
        let own = match (&row.account, uuid) {
            (Some(_), Some(id)) => Some(id_key(id)),
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
            uuid,
            keys,
        })
    }

    /// What the database holds now of the accounts that these rows name; and numbers for those that it does not hold.
    async fn look(&mut self, candidates: &[Candidate]) -> Result<There, StoreError> {
        let keys = candidates
            .iter()
            .flat_map(|candidate| candidate.keys.iter().cloned())
            .collect();
        let owners = self.owners(keys).await?;
        let mut numbers: Vec<AccountNo> = owners.values().map(|key| key.account).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let views = self.site.store.read(async |tx| tx.match_views(&numbers).await).await?;
        let views = views.into_iter().map(|view| (view.account.no, view)).collect();
        let there = There { owners, views };
        let new = candidates
            .iter()
            .filter(|candidate| there.account(candidate).is_none())
            .count();
        while self.numbers.len() < new {
            let block = self.site.store.write(async |tx| tx.take_account_block().await).await?;
            self.numbers.extend(block);
        }
        Ok(there)
    }

    /// Decides what each row comes to, from what the database holds now. Writes nothing.
    async fn decide(
        &mut self,
        candidates: &[Candidate],
        now: Timestamp,
        env: &mut Env,
    ) -> Result<Decisions, StoreError> {
        let there = self.look(candidates).await?;
        let mut decisions = Decisions::default();
        // Keys that an earlier row of this batch takes.
        let mut taken: HashMap<&str, u64> = HashMap::new();
        for candidate in candidates {
            let decided = match there.account(candidate) {
                None => self
                    .add(candidate, &there, &taken, decisions.new.len(), now, env)
                    .map(|new| {
                        decisions.about.push(new.no);
                        decisions.new.push(new);
                    }),
                Some(view) => {
                    decisions.about.push(view.account.no);
                    let changed = self.change(candidate, view, &there, &taken, now, env);
                    // Refused or not: what comes after it about the same account is refused.
                    taken.entry(&candidate.identity).or_insert(candidate.row.line);
                    changed.map(|change| {
                        decisions.kept += u64::from(self.has_more(candidate, view));
                        match change {
                            Some(change) => decisions.changes.push(change),
                            None => decisions.unchanged += 1,
                        }
                    })
                }
            };
            match decided {
                Ok(()) => {
                    for key in &candidate.keys {
                        taken.entry(key).or_insert(candidate.row.line);
                    }
                }
                Err(rejected) => decisions.rejected.push(rejected),
            }
        }
        Ok(decisions)
    }

    /// A row about an account that is not there: it is added, the `nth` of its batch, or refused.
    fn add(
        &self,
        candidate: &Candidate,
        there: &There,
        taken: &HashMap<&str, u64>,
        nth: usize,
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
            if there.owners.contains_key(key) {
                return Err(refuse(
                    line,
                    None,
                    format!("{} belongs to another account", candidate.shown(at)),
                ));
            }
        }
        let no = AccountNo::new(self.numbers[nth]);
        let drawn = || PublicId(uuid::Builder::from_random_bytes(env.random()).into_uuid());
        let public_id = candidate.uuid.unwrap_or_else(drawn);
        let row = &candidate.row;
        let former = row.former.iter().enumerate().map(|(at, hash)| {
            let password_no = i64::try_from(at + 1).expect("a list of former passwords is short");
            self.password(no, password_no, hash, env)
        });
        let former: Vec<NewPassword> = former.collect();
        let current_no = i64::try_from(former.len() + 1).expect("a list of former passwords is short");
        let (names, contacts, match_keys) = rows_of_names(candidate.names.iter());
        Ok(NewAccount {
            no,
            public_id,
            reference: row.account.clone().filter(|_| candidate.uuid.is_none()),
            role: NO_ROLE.to_owned(),
            groups: serde_json::to_string(&row.groups).expect("texts are JSON"),
            names,
            match_keys: if candidate.names.is_empty() {
                match_key_of_id(row, candidate.uuid)
            } else {
                match_keys
            },
            contacts,
            password: row
                .password
                .as_ref()
                .map(|hash| self.password(no, current_no, hash, env)),
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
            // A hash does not tell. The first sign-in will.
            alone: false,
        }
    }

    /// What a row adds to the account that it is about: nothing, something, or it is refused.
    fn change(
        &mut self,
        candidate: &Candidate,
        view: &MatchView,
        there: &There,
        taken: &HashMap<&str, u64>,
        now: Timestamp,
        env: &mut Env,
    ) -> Result<Option<Change>, Rejected> {
        let line = candidate.row.line;
        let no = view.account.no;
        if let Some(earlier) = taken.get(candidate.identity.as_str()) {
            let reason = format!("{} stands on line {earlier} already", candidate.shown(0));
            return Err(refuse(line, None, reason));
        }
        if self.has_seen(no) {
            let reason = format!("{} stands on an earlier line already", candidate.shown(0));
            return Err(refuse(line, None, reason));
        }
        for (at, key) in candidate.keys.iter().enumerate() {
            if there.owners.get(key).is_some_and(|owner| owner.account != no) || taken.contains_key(key.as_str()) {
                let reason = format!("{} belongs to another account", candidate.shown(at));
                return Err(refuse(line, None, reason));
            }
        }
        let fresh = candidate
            .names
            .iter()
            .filter(|name| !there.owners.contains_key(name.sign_in_key().text()));
        let (names, contacts, match_keys) = rows_of_names(fresh);
        let password = self.replacement(candidate, view, now, env)?;
        if names.is_empty() && password.is_none() {
            return Ok(None);
        }
        if view.account.role != NO_ROLE {
            let reason = format!(
                "the account has the role {}: it is not changed by an import",
                view.account.role
            );
            return Err(refuse(line, None, reason));
        }
        Ok(Some(Change {
            account: no,
            names,
            contacts,
            match_keys,
            password,
        }))
    }

    /// The new password of an account that is there: none where the row has the current one, or one that was replaced before.
    fn replacement(
        &mut self,
        candidate: &Candidate,
        view: &MatchView,
        now: Timestamp,
        env: &mut Env,
    ) -> Result<Option<Replacement>, Rejected> {
        let (Some(hash), no) = (&candidate.row.password, view.account.no) else {
            return Ok(None);
        };
        let current = view.passwords.iter().find(|stored| stored.current);
        let opened = current.and_then(|stored| self.unreadable.open(self.site, stored));
        if opened.as_ref().is_some_and(|opened| opened.equal(hash)) || self.is_replaced(view, hash) {
            return Ok(None);
        }
        if current.is_some_and(|stored| stored.origin == Origin::Set) {
            let reason = "the owner has set a password here since".to_owned();
            return Err(refuse(candidate.row.line, Some("password"), reason));
        }
        let numbers = view.passwords.iter().map(|stored| stored.password_no);
        Ok(Some(Replacement {
            account: no,
            seen: current.map(|stored| stored.password_no),
            password: self.password(no, numbers.max().unwrap_or(0) + 1, hash, env),
            replaced_digest: opened.map(|old| self.site.replaced_digest(no, &old).to_vec()),
            now,
        }))
    }

    /// Whether the account had this hash before: a weak one that has been wrapped since, or one of an older export.
    fn is_replaced(&self, view: &MatchView, hash: &StoredHash) -> bool {
        let digest = self.site.replaced_digest(view.account.no, hash);
        view.replaced.iter().any(|known| known[..] == digest)
    }

    /// Whether a row has something of an account that is there which an import takes only with a new one.
    fn has_more(&mut self, candidate: &Candidate, view: &MatchView) -> bool {
        let (row, account) = (&candidate.row, &view.account);
        let groups = || serde_json::to_string(&row.groups).expect("texts are JSON");
        if row.created_at.is_some_and(|at| at != account.created_at)
            || !row.groups.is_empty() && groups() != account.groups
        {
            return true;
        }
        if row.former.is_empty() {
            return false;
        }
        let open = |stored| self.unreadable.open(self.site, stored);
        let known: Vec<StoredHash> = view.passwords.iter().filter_map(open).collect();
        let is_known = |hash: &StoredHash| known.iter().any(|known| known.equal(hash)) || self.is_replaced(view, hash);
        !row.former.iter().all(is_known)
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
fn match_key_of_id(row: &AccountRow, uuid: Option<PublicId>) -> Vec<Vec<u8>> {
    let id = uuid.map(|id| id.to_string()).or_else(|| row.account.clone());
    id.iter()
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

async fn apply(tx: &mut Tx, site: &Site, import_no: i64, change: &Change, now: Timestamp) -> Result<(), StoreError> {
    if !change.names.is_empty() {
        tx.extend_account(change.account, &change.names, &change.contacts, &change.match_keys, now)
            .await?;
    }
    let version = match &change.password {
        Some(password) => Some(tx.replace_password(password).await?),
        None => None,
    };
    let body =
        serde_json::json!({ "import": import_no, "names_added": change.names.len(), "password_version": version });
    let subject = AuditSubject::Account(change.account);
    tx.audit(&site.entry(subject, "account.changed_by_import", body.to_string(), now))
        .await
}
