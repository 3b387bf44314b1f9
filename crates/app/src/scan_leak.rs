//! `leak scan`: a leak into the exposures of the accounts that it names, in the database.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::AtomicBool;

use rightful_core::audit::AuditSubject;
use rightful_core::identifier::{Identifier, IdentifierKind, MatchKey};
use rightful_core::leak::{LeakNo, LeakState};
use rightful_core::{AccountNo, Grade, Kind, PasswordVersion, Timestamp};
use rightful_crypto::pool::HashPool;
use rightful_crypto::seal::{Place as SealPlace, SecretTag};
use rightful_leaks::account::{KnownName, NamedAccount, Passwords};
use rightful_leaks::grade::Verdict;
use rightful_leaks::index::{AccountIndex, IdentifierTable, ProbeKey, TableBuilder};
use rightful_leaks::scan::{
    self as engine, Batch, Checkpoint, Finished, Ledger, Plan, Progress, Recalled, Scan, ScanFault, SourceRead, Trouble,
};
use rightful_leaks::tally::Tally;
use rightful_leaks::unpack::lines::Sizes;
use rightful_leaks::unpack::{LeakSource, ReadFault, UnpackOptions, fingerprint};
use rightful_store::StoreError;
use rightful_store::exposure::{Exposure, Pair, Untested};
use rightful_store::leak::{Leak, LeakBatch, LeakFile, NewLeak};
use rightful_store::match_view::MatchView;
use serde::{Deserialize, Serialize};

use crate::accounts::account_id;
use crate::env::Env;
use crate::leaks::drop_expired_hashes;
use crate::site::Site;
use crate::unreadable::Unreadable;

/// A leaked hash that nobody could be tested with is dropped this many seconds after it was found last: 180 days.
pub const UNTESTED_SECONDS: i64 = 180 * 24 * 60 * 60;

/// The most texts that were not read which the leak's row keeps; the report of the scan has more.
const TROUBLES_KEPT: usize = 100;

/// What to scan.
pub struct ScanRequest<'a> {
    /// The leak's name, by which it is known from then on.
    pub name: &'a str,
    /// Where it came from, in words.
    pub received_from: &'a str,
    /// When it was taken from its source, if that is known.
    pub leak_date: Option<Timestamp>,
    /// The leak.
    pub sources: &'a [LeakSource],
    /// How to unpack it; SHA-256 of its files is always computed.
    pub unpack: UnpackOptions,
    /// What to do.
    pub plan: Plan,
}

/// What a scan tells while it goes.
pub enum ScanNews<'a> {
    /// This leak is begun, or gone on with.
    Begun {
        /// Its number.
        leak: LeakNo,
        /// An interrupted scan of it is gone on with.
        resumed: bool,
        /// It was read before, to its end or from a stream that cannot be gone on with: now from its beginning.
        again: bool,
        /// Accounts' names in the table.
        names: u64,
    },
    /// How far it is.
    Scanning(&'a Progress),
}

/// What came of it.
#[derive(Debug)]
pub struct ScanReport {
    /// The leak's number.
    pub leak: LeakNo,
    /// Totals of this run and those that it went on from.
    pub progress: Progress,
    /// Exposures that the leak has now, in the order of [`Grade::ALL`]: those of earlier scans too.
    pub exposures_by_grade: [u64; Grade::ALL.len()],
    /// Accounts by the best grade of their exposures in this leak, in the order of [`Grade::ALL`].
    pub accounts_by_grade: [u64; Grade::ALL.len()],
    /// Leaked hashes that were left out because their account has 16 waiting already.
    pub untested_left_out: u64,
    /// Stored passwords of named accounts that do not open ([`crate::unreadable`]): nothing was tested against them.
    pub unreadable_passwords: u64,
    /// Texts that were not read to their end.
    pub troubles: Vec<Trouble>,
    /// Told to stop before the end.
    pub stopped: bool,
}

/// Why a scan ended early. What was committed stays, and the same command goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum ScanLeakFault {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The leak was begun with other files or in another way.
    #[error("the leak {name:?} was begun with {what}; finish that first, or choose another --name")]
    Differs {
        /// Its name.
        name: String,
        /// What differs.
        what: &'static str,
    },
    /// The leak was forgotten.
    #[error("the leak {0:?} was forgotten; choose another --name")]
    Forgotten(String),
    /// The leak cannot be read.
    #[error("the leak cannot be read")]
    Leak(#[source] ReadFault),
    /// Its stored position does not open.
    #[error("the place where the scan of {0:?} stopped cannot be read; forget the leak and scan it again")]
    Checkpoint(String),
    /// The run failed.
    #[error("scanning stopped; what was done is kept, and the same command goes on from there")]
    Scan(#[source] ScanFault<StoreError>),
    /// More accounts than the table can number.
    #[error("there are more than 4,294,967,295 accounts")]
    TooMany,
}

/// Where a scan stopped, as the leak's row has it, sealed.
#[derive(Serialize, Deserialize)]
struct Stopped {
    checkpoint: Checkpoint,
    /// Fingerprints of the sources; empty where one is a stream.
    sources: Vec<String>,
    plan: String,
    untested_left_out: u64,
}

/// Where an exposure stands in its leak, sealed in its row.
#[derive(Serialize, Deserialize)]
pub struct Position {
    /// The text, by number and as shown.
    pub text: u32,
    /// As shown: `file.zip!inner.txt`.
    pub name: String,
    /// The line, from 1.
    pub line: u64,
    /// Which of the account's names stands there.
    pub account_name: u8,
}

/// Scans a leak. Must be called on a runtime with several threads: it blocks the one that it is called on.
///
/// # Errors
/// See [`ScanLeakFault`].
pub async fn scan_leak(
    request: ScanRequest<'_>,
    site: &Site,
    env: &mut Env,
    pool: &HashPool,
    stop: &AtomicBool,
    news: &mut (dyn FnMut(ScanNews<'_>) + Send),
) -> Result<ScanReport, ScanLeakFault> {
    let sources = fingerprints(request.sources)?;
    let plan = format!("{:?} {}", request.plan.kind.map(Kind::word), request.plan.variations);
    drop_expired_hashes(site, env.now()).await?;
    let (leak, mut again) = begin(&request, site, env.now()).await?;
    let stopped = stopped_at(site, &leak)?;
    let mut resumed = false;
    let mut recalled = Recalled::default();
    let mut untested_left_out = 0;
    if let Some(stopped) = stopped {
        let differs = |what| ScanLeakFault::Differs {
            name: request.name.to_owned(),
            what,
        };
        if stopped.sources != sources {
            return Err(differs("other files"));
        }
        if stopped.plan != plan {
            return Err(differs("another --kind or --variants"));
        }
        // Nobody knows whether a stream brings the same again, so it is read from its beginning. What was found stays, and what
        // was tested is known.
        resumed = !sources.is_empty();
        again |= !resumed;
        if resumed {
            untested_left_out = stopped.untested_left_out;
            recalled = recall(site, leak.no, stopped.checkpoint).await?;
        }
    }
    let table = load_table(site, ProbeKey::from_bytes(env.random())).await?;
    let names = table.names() as u64;
    news(ScanNews::Begun {
        leak: leak.no,
        resumed,
        again,
        names,
    });
    let no = leak.no;
    let mut ledger = ScanLedger {
        site,
        clock: std::sync::Arc::clone(&env.clock),
        chance: &mut *env.chance,
        runtime: tokio::runtime::Handle::current(),
        versions: HashMap::new(),
        leak,
        variations: request.plan.variations,
        sources,
        plan,
        unreadable: Unreadable::default(),
        untested_left_out,
    };
    let unpack = UnpackOptions {
        sha256: true,
        ..request.unpack
    };
    let clock = std::sync::Arc::clone(&env.clock);
    let scan = Scan {
        sources: request.sources,
        unpack: &unpack,
        sizes: Sizes::default(),
        table: &table,
        tagger: &site.tagger,
        pool,
        plan: request.plan,
        recalled,
        stop,
        clock: &*clock,
    };
    let finished =
        tokio::task::block_in_place(|| scan.run(&mut ledger, &mut |progress| news(ScanNews::Scanning(progress))))
            .map_err(ScanLeakFault::Scan)?;
    let ScanLedger {
        leak,
        untested_left_out,
        unreadable,
        ..
    } = ledger;
    if !finished.stopped {
        finish(site, &leak, &finished, clock()).await?;
    }
    let (exposures_by_grade, accounts_by_grade) = figures(site, no).await?;
    Ok(ScanReport {
        leak: no,
        progress: finished.progress,
        exposures_by_grade,
        accounts_by_grade,
        untested_left_out,
        unreadable_passwords: unreadable.count(),
        troubles: finished.troubles,
        stopped: finished.stopped,
    })
}

type ByGrade = [u64; Grade::ALL.len()];

/// The exposures of a leak by grade, and its accounts by their best.
async fn figures(site: &Site, leak: LeakNo) -> Result<(ByGrade, ByGrade), StoreError> {
    let (counts, best) = site
        .store
        .read(async |tx| Ok((tx.exposure_counts(leak).await?, tx.accounts_by_best_grade(leak).await?)))
        .await?;
    let (mut exposures, mut accounts) = (ByGrade::default(), ByGrade::default());
    for count in counts {
        exposures[count.grade as usize] += count.exposures;
    }
    for (grade, count) in best {
        accounts[grade as usize] = count;
    }
    Ok((exposures, accounts))
}

/// Empty where one of the sources is a stream.
fn fingerprints(sources: &[LeakSource]) -> Result<Vec<String>, ScanLeakFault> {
    let mut all = Vec::with_capacity(sources.len());
    for source in sources {
        match fingerprint(source).map_err(ScanLeakFault::Leak)? {
            Some(found) => all.push(format!("{found:?}")),
            None => return Ok(Vec::new()),
        }
    }
    Ok(all)
}

/// The leak's row, made or taken up; and whether it had been read to its end before.
async fn begin(request: &ScanRequest<'_>, site: &Site, now: Timestamp) -> Result<(Leak, bool), ScanLeakFault> {
    let new = NewLeak {
        name: request.name.to_owned(),
        kind_override: request.plan.kind,
        received_from: request.received_from.to_owned(),
        leak_date: request.leak_date,
        received_at: now,
        variations: i64::try_from(request.plan.variations).unwrap_or(i64::MAX),
    };
    let begun = site
        .store
        .write(async |tx| {
            let leak = tx.leak_begin(&new).await?;
            let event = match (leak.state, leak.checkpoint.is_some(), leak.version) {
                (LeakState::Reading, false, 1) => "leak.scan_begun",
                (LeakState::Done, ..) => "leak.scan_begun_again",
                _ => "leak.scan_resumed",
            };
            if leak.state == LeakState::Forgotten {
                return Ok((leak, false));
            }
            let body = serde_json::json!({ "name": new.name, "received_from": new.received_from }).to_string();
            tx.audit(&site.entry(AuditSubject::Leak(leak.no.0), event, body, now))
                .await?;
            if leak.state == LeakState::Done {
                return Ok((tx.leak_reopen(&leak).await?, true));
            }
            Ok((leak, false))
        })
        .await?;
    if begun.0.state == LeakState::Forgotten {
        return Err(ScanLeakFault::Forgotten(request.name.to_owned()));
    }
    Ok(begun)
}

const fn checkpoint_place(leak: LeakNo) -> SealPlace {
    SealPlace {
        column: "leak.checkpoint",
        owner: leak.0,
        row: 0,
    }
}

fn stopped_at(site: &Site, leak: &Leak) -> Result<Option<Stopped>, ScanLeakFault> {
    let Some(sealed) = &leak.checkpoint else {
        return Ok(None);
    };
    let unreadable = || ScanLeakFault::Checkpoint(leak.noted.name.clone());
    let opened = site
        .sealer
        .open(checkpoint_place(leak.no), sealed)
        .map_err(|_| unreadable())?;
    serde_json::from_slice(&opened).map(Some).map_err(|_| unreadable())
}

/// What an interrupted scan had found, as far as it still holds: a password that has changed since is tested again.
async fn recall(site: &Site, leak: LeakNo, checkpoint: Checkpoint) -> Result<Recalled, ScanLeakFault> {
    let mut recalled = Recalled {
        checkpoint,
        ..Recalled::default()
    };
    let mut after = None;
    loop {
        let (page, passwords) = site
            .store
            .read(async |tx| {
                let page = tx.exposure_page(leak, after.as_ref(), 1000).await?;
                let accounts: Vec<AccountNo> = page.iter().map(|found| found.account).collect();
                let passwords = tx.passwords(&accounts).await?;
                Ok((page, passwords))
            })
            .await?;
        let Some(last) = page.last() else { return Ok(recalled) };
        after = Some(last.place());
        let current: HashMap<AccountNo, i64> = passwords
            .iter()
            .filter(|password| password.current)
            .map(|password| (password.account, password.password_no))
            .collect();
        for found in page {
            let holds = found.password_no == current.get(&found.account).copied();
            if let (true, Some(exposure)) = (holds, engine_exposure(site, leak, &found)) {
                recalled.exposures.push(exposure);
            }
        }
    }
}

fn engine_exposure(site: &Site, leak: LeakNo, found: &Exposure) -> Option<engine::Exposure> {
    let position = open_position(site, leak, found)?;
    Some(engine::Exposure {
        account: AccountIndex::try_from(found.account.get()).ok()?,
        tag: SecretTag(found.secret_tag.as_slice().try_into().ok()?),
        grade: found.grade,
        version: found.password_no.map(PasswordVersion),
        kind: found.kind,
        place: engine::Place {
            text: position.text,
            line: position.line,
        },
        name: position.account_name,
        loose: found.loose,
    })
}

const fn position_place(account: AccountNo, leak: LeakNo) -> SealPlace {
    SealPlace {
        column: "exposure.position",
        owner: account.get(),
        row: leak.0,
    }
}

/// Where an exposure stands in its leak; `None` where that does not open.
pub fn open_position(site: &Site, leak: LeakNo, found: &Exposure) -> Option<Position> {
    let opened = site
        .sealer
        .open(position_place(found.account, leak), &found.position)
        .ok()?;
    serde_json::from_slice(&opened).ok()
}

async fn load_table(site: &Site, key: ProbeKey) -> Result<IdentifierTable, ScanLeakFault> {
    let table = std::sync::Mutex::new((TableBuilder::new(key), true));
    site.store
        .read(async |tx| {
            // A transaction that is begun again begins with an empty table.
            *table.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = (TableBuilder::new(key), true);
            tx.each_match_key(|match_key, account| {
                let mut table = table.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                match AccountIndex::try_from(account.get()) {
                    Ok(index) => table.0.add(match_key, index),
                    Err(_) => table.1 = false,
                }
            })
            .await
        })
        .await?;
    let (builder, all_fit) = table.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    if all_fit {
        Ok(builder.build())
    } else {
        Err(ScanLeakFault::TooMany)
    }
}

async fn finish(site: &Site, leak: &Leak, finished: &Finished, now: Timestamp) -> Result<(), ScanLeakFault> {
    let Progress {
        tally,
        tests,
        known_before,
        ..
    } = &finished.progress;
    let tallies = tallies(tally, *tests, *known_before, &finished.troubles);
    let entry = site.entry(
        AuditSubject::Leak(leak.no.0),
        "leak.scan_finished",
        tallies.clone(),
        now,
    );
    site.store
        .write(async |tx| {
            tx.leak_finish(leak, &tallies, now).await?;
            tx.audit(&entry).await
        })
        .await?;
    Ok(())
}

/// What came of the lines, as the leak's row has it.
fn tallies(lines: &Tally, tests: u64, known_before: u64, troubles: &[Trouble]) -> String {
    let kept = &troubles[..troubles.len().min(TROUBLES_KEPT)];
    serde_json::json!({
        "lines": lines,
        "tests": tests,
        "known_before": known_before,
        "not_read": kept,
    })
    .to_string()
}

struct ScanLedger<'a> {
    site: &'a Site,
    clock: crate::env::Clock,
    chance: &'a mut (dyn rand_core::CryptoRng + Send),
    runtime: tokio::runtime::Handle,
    /// The current password version of every account that was named.
    versions: HashMap<AccountIndex, Option<PasswordVersion>>,
    leak: Leak,
    variations: usize,
    sources: Vec<String>,
    plan: String,
    unreadable: Unreadable,
    untested_left_out: u64,
}

/// The verdict of a pair, sealed in its row.
#[derive(Serialize, Deserialize)]
struct SealedVerdict {
    grade: String,
    ours: bool,
    version: Option<i64>,
    variations: usize,
}

const fn pair_place(account: AccountNo) -> SealPlace {
    SealPlace {
        column: "pair.sealed",
        owner: account.get(),
        row: 0,
    }
}

/// Where a leaked hash that waits for a sign-in is sealed.
pub const fn untested_place(account: AccountNo) -> SealPlace {
    SealPlace {
        column: "untested.sealed",
        owner: account.get(),
        row: 0,
    }
}

fn number(index: AccountIndex) -> AccountNo {
    AccountNo::new(i64::from(index))
}

impl Ledger for ScanLedger<'_> {
    type Error = StoreError;

    fn accounts(&mut self, wanted: &[AccountIndex]) -> Result<Vec<NamedAccount>, StoreError> {
        let numbers: Vec<AccountNo> = wanted.iter().copied().map(number).collect();
        let views = self
            .runtime
            .block_on(self.site.store.read(async |tx| tx.match_views(&numbers).await))?;
        let mut accounts = Vec::with_capacity(views.len());
        for view in views {
            let account = named_account(self.site, &view, &mut self.unreadable);
            self.versions.insert(account.index, account.passwords.version);
            accounts.push(account);
        }
        self.runtime.block_on(self.unreadable.tell(self.site, (self.clock)()))?;
        Ok(accounts)
    }

    fn known(&mut self, pairs: &[(AccountIndex, SecretTag)]) -> Result<Vec<Option<Verdict>>, StoreError> {
        let wanted: Vec<PairKey> = pairs
            .iter()
            .map(|(account, tag)| (number(*account), tag.0.to_vec()))
            .collect();
        let found = self
            .runtime
            .block_on(self.site.store.read(async |tx| tx.pairs(&wanted).await))?;
        let found: HashMap<PairKey, Vec<u8>> = found
            .into_iter()
            .map(|pair| ((pair.account, pair.secret_tag), pair.sealed))
            .collect();
        let mut answers: Vec<Option<Verdict>> = pairs
            .iter()
            .zip(&wanted)
            .map(|((index, _), key)| self.still_holds(*index, found.get(key)?))
            .collect();
        self.take_out_unkept(&wanted, &mut answers)?;
        Ok(answers)
    }

    fn commit(&mut self, batch: &Batch<'_>) -> Result<(), StoreError> {
        let now = (self.clock)();
        let rows = self.rows(batch, now);
        let body = serde_json::json!({ "exposures": rows.exposures.len(), "tested": rows.pairs.len() }).to_string();
        let entry = self
            .site
            .entry(AuditSubject::Leak(self.leak.no.0), "leak.read", body, now);
        let seen = &self.leak;
        let done = self.runtime.block_on(self.site.store.write(async |tx| {
            let done = tx.leak_commit_batch(seen, &rows).await?;
            tx.audit(&entry).await?;
            Ok(done)
        }))?;
        self.leak = done.leak;
        self.untested_left_out += done.untested_left_out;
        Ok(())
    }

    fn source_read(&mut self, source: &SourceRead) -> Result<(), StoreError> {
        let Some(sha256) = source.sha256 else { return Ok(()) };
        let file = LeakFile {
            name: source.file.shown.clone(),
            sha256,
            bytes: source.bytes,
        };
        let leak = self.leak.no;
        let body = serde_json::json!({ "name": file.name, "sha256": hex(&sha256), "bytes": file.bytes }).to_string();
        let now = (self.clock)();
        let entry = self.site.entry(AuditSubject::Leak(leak.0), "leak.file_read", body, now);
        self.runtime.block_on(self.site.store.write(async |tx| {
            if tx.add_leak_file(leak, &file).await? {
                tx.audit(&entry).await?;
            }
            Ok(())
        }))
    }
}

/// A pair as the store knows it.
type PairKey = (AccountNo, Vec<u8>);

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl ScanLedger<'_> {
    /// A pair that is `untested` is known only while its hash waits for a sign-in, for at least half of its time to come. The hash
    /// may have gone: its time was over, its leak forgotten, or its account had 16 others. Then this leak brings it back.
    fn take_out_unkept(&self, wanted: &[PairKey], answers: &mut [Option<Verdict>]) -> Result<(), StoreError> {
        let is_untested =
            |answer: &Option<Verdict>| matches!(answer, Some(verdict) if verdict.grade == Grade::Untested);
        let untested: Vec<PairKey> = wanted
            .iter()
            .zip(&*answers)
            .filter(|(_, answer)| is_untested(answer))
            .map(|(key, _)| key.clone())
            .collect();
        if untested.is_empty() {
            return Ok(());
        }
        let waiting = self
            .runtime
            .block_on(self.site.store.read(async |tx| tx.untested_waiting(&untested).await))?;
        let long_enough = (self.clock)().plus_seconds(UNTESTED_SECONDS / 2);
        let waiting: HashSet<PairKey> = waiting
            .into_iter()
            .filter(|(.., until)| *until >= long_enough)
            .map(|(account, tag, _)| (account, tag))
            .collect();
        for (key, answer) in wanted.iter().zip(answers) {
            if is_untested(answer) && !waiting.contains(key) {
                *answer = None;
            }
        }
        Ok(())
    }

    /// A verdict counts when it was reached against the password that is current, with at least as many variations.
    fn still_holds(&self, index: AccountIndex, sealed: &[u8]) -> Option<Verdict> {
        let opened = self.site.sealer.open(pair_place(number(index)), sealed).ok()?;
        let verdict: SealedVerdict = serde_json::from_slice(&opened).ok()?;
        let grade = Grade::from_word(&verdict.grade)?;
        let current = *self.versions.get(&index)?;
        let tried_enough = verdict.variations >= self.variations || grade == Grade::Exact;
        (verdict.version.map(PasswordVersion) == current && tried_enough).then_some(Verdict {
            grade,
            ours: verdict.ours,
            version: current,
        })
    }

    fn rows(&mut self, batch: &Batch<'_>, now: Timestamp) -> LeakBatch {
        let stopped = Stopped {
            checkpoint: batch.checkpoint.clone(),
            sources: self.sources.clone(),
            plan: self.plan.clone(),
            untested_left_out: self.untested_left_out,
        };
        let checkpoint = serde_json::to_vec(&stopped).expect("a checkpoint is JSON");
        LeakBatch {
            exposures: batch
                .exposures
                .iter()
                .map(|found| self.exposure_row(batch, found, now))
                .collect(),
            pairs: batch.decided.iter().map(|decided| self.pair_row(decided)).collect(),
            untested: batch
                .decided
                .iter()
                .filter_map(|decided| self.untested_row(decided, now))
                .collect(),
            checkpoint: Some(
                self.site
                    .sealer
                    .seal(checkpoint_place(self.leak.no), &checkpoint, &mut *self.chance),
            ),
            tallies: tallies(
                &batch.checkpoint.tally,
                batch.checkpoint.tests,
                batch.checkpoint.known_before,
                &batch.checkpoint.troubles,
            ),
        }
    }

    fn exposure_row(&mut self, batch: &Batch<'_>, found: &engine::Exposure, now: Timestamp) -> Exposure {
        let position = Position {
            text: found.place.text,
            name: batch.texts.get(found.place.text as usize).cloned().unwrap_or_default(),
            line: found.place.line,
            account_name: found.name,
        };
        let position = serde_json::to_vec(&position).expect("texts and numbers are JSON");
        let account = number(found.account);
        Exposure {
            account,
            secret_tag: found.tag.0.to_vec(),
            grade: found.grade,
            kind: found.kind,
            password_no: found.version.map(|version| version.0),
            loose: found.loose,
            position: self
                .site
                .sealer
                .seal(position_place(account, self.leak.no), &position, &mut *self.chance),
            found_at: now,
        }
    }

    fn pair_row(&mut self, decided: &engine::Decided) -> Pair {
        let account = number(decided.account);
        let verdict = SealedVerdict {
            grade: decided.verdict.grade.word().to_owned(),
            ours: decided.verdict.ours,
            version: decided.verdict.version.map(|version| version.0),
            variations: self.variations,
        };
        let verdict = serde_json::to_vec(&verdict).expect("texts and numbers are JSON");
        let sealed = self.site.sealer.seal(pair_place(account), &verdict, &mut *self.chance);
        Pair {
            account,
            secret_tag: decided.tag.0.to_vec(),
            sealed,
        }
    }

    fn untested_row(&mut self, decided: &engine::Decided, now: Timestamp) -> Option<Untested> {
        let account = number(decided.account);
        let hash = decided.leaked_hash.as_ref()?;
        Some(Untested {
            account,
            secret_tag: decided.tag.0.to_vec(),
            sealed: self.site.sealer.seal(untested_place(account), hash, &mut *self.chance),
            found_at: now,
            expires_at: now.plus_seconds(UNTESTED_SECONDS),
        })
    }
}

fn named_account(site: &Site, view: &MatchView, unreadable: &mut Unreadable) -> NamedAccount {
    let no = view.account.no;
    let mut passwords = Passwords {
        replaced: digests(view),
        ..Passwords::default()
    };
    for stored in view.passwords.iter().rev() {
        let Some(hash) = unreadable.open(site, stored) else {
            continue;
        };
        if stored.current {
            passwords.version = Some(PasswordVersion(stored.password_no));
            passwords.current = Some(hash);
        } else {
            passwords.former.push(hash);
        }
    }
    let mut names: Vec<KnownName> = view
        .names
        .iter()
        .map(|name| known_name(&name.kind, &name.key, &name.given))
        .collect();
    if names.is_empty() {
        names.push(KnownName::unruly(&account_id(&view.account)));
    }
    let index = AccountIndex::try_from(no.get()).expect("the table has refused larger numbers");
    NamedAccount {
        index,
        number: no.get(),
        names,
        passwords: std::sync::Arc::new(passwords),
    }
}

fn digests(view: &MatchView) -> Vec<[u8; 32]> {
    view.replaced
        .iter()
        .filter_map(|digest| digest.as_slice().try_into().ok())
        .collect()
}

fn known_name(kind: &str, key: &str, given: &str) -> KnownName {
    KnownName {
        given: given.to_owned(),
        strict: key.to_owned(),
        match_keys: match_keys_of_stored(kind, key),
    }
}

/// The match keys of a stored name come from its strict key, as they did when it was imported: how a telephone number was given
/// says nothing without the region that completed it.
pub(crate) fn match_keys_of_stored(kind: &str, key: &str) -> Vec<Vec<u8>> {
    if IdentifierKind::from_word(kind) == Some(IdentifierKind::Phone)
        && let Ok(phone) = Identifier::phone(key, None)
    {
        return phone.match_keys().to_vec();
    }
    let loose = MatchKey::of(key.as_bytes()).map(|key| key.as_bytes().to_vec());
    loose.into_iter().collect()
}
