//! `leak match`: from a file of accounts and a leak to the exact list, without a database.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use rightful_core::{Grade, Kind};
use rightful_crypto::pool::HashPool;
use rightful_crypto::seal::{Key, SecretTag, Tagger};
use rightful_leaks::account::NamedAccount;
use rightful_leaks::grade::Verdict;
use rightful_leaks::index::{AccountIndex, ProbeKey};
use rightful_leaks::scan::{
    Batch, Exposure, Finished, Ledger, Plan, Progress, Recalled, Scan, ScanFault, SourceRead, Trouble,
};
use rightful_leaks::unpack::lines::Sizes;
use rightful_leaks::unpack::{LeakSource, ReadFault, UnpackOptions, fingerprint};

use crate::accounts_file::{AccountsFileFault, Rejected, RowHints};
use crate::env::Env;
use crate::export::csv_field;
use crate::files::make_private;
use crate::match_accounts::{AccountsSummary, MatchAccounts};
use crate::match_journal::{JournalFault, MatchJournal, RunIdentity};

/// What to match.
pub struct MatchRequest<'a> {
    /// The accounts, unpacked.
    pub accounts: Box<dyn Read + 'a>,
    /// What their file does not say of itself.
    pub hints: RowHints,
    /// Where the list goes.
    pub out: &'a Path,
    /// The leak.
    pub sources: &'a [LeakSource],
    /// How to unpack it.
    pub unpack: &'a UnpackOptions,
    /// What to do.
    pub plan: Plan,
    /// Make cells safe to open in a spreadsheet program, at the price of not being verbatim.
    pub spreadsheet: bool,
}

/// What a run tells while it goes.
pub enum MatchNews<'a> {
    /// This many accounts have been read.
    Accounts(u64),
    /// All have.
    Loaded(&'a AccountsSummary),
    /// An interrupted run is gone on with; so many pairs are known from it.
    Resumed(usize),
    /// A row of the accounts was refused.
    Rejected(&'a Rejected),
    /// How far the leak is.
    Scanning(&'a Progress),
}

/// What came of it.
pub struct MatchReport {
    /// The accounts.
    pub accounts: AccountsSummary,
    /// Totals.
    pub progress: Progress,
    /// Accounts by the best grade of their exposures, in the order of [`Grade::ALL`].
    pub accounts_by_grade: [u64; Grade::ALL.len()],
    /// Texts that were not read to their end.
    pub troubles: Vec<Trouble>,
    /// Told to stop before the end: the journal is there to go on with, no list was written.
    pub stopped: bool,
}

/// Why a match ended early.
#[derive(Debug, thiserror::Error)]
pub enum MatchFault {
    /// The accounts cannot be read.
    #[error("the file of accounts cannot be used")]
    Accounts(#[source] AccountsFileFault),
    /// The leak cannot be read.
    #[error("the leak cannot be read")]
    Leak(#[source] ReadFault),
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalFault),
    /// The run failed.
    #[error("matching stopped; what was done is kept, and the same command goes on from there")]
    Scan(#[source] ScanFault<LedgerFault>),
    /// The list cannot be written.
    #[error("the list cannot be written to {path}")]
    Output {
        /// Where.
        path: PathBuf,
        /// What the system said.
        #[source]
        error: std::io::Error,
    },
}

/// Why accounts or results could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum LedgerFault {
    /// The accounts.
    #[error("reading an account again failed")]
    Accounts(#[source] std::io::Error),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalFault),
}

/// Matches a leak with accounts, and writes the list: one row an account and distinct leaked secret, sorted.
///
/// # Errors
/// See [`MatchFault`]. Nothing is at `out` then that was not there before.
pub fn match_leak(
    request: MatchRequest<'_>,
    env: &mut Env,
    pool: &HashPool,
    stop: &AtomicBool,
    news: &mut dyn FnMut(MatchNews<'_>),
) -> Result<MatchReport, MatchFault> {
    let folder = folder_of(request.out);
    check_writable(request.out)?;
    let leaks = fingerprints(request.sources)?;
    let (accounts, summary) = load(request.accounts, request.hints, env, folder, news)?;
    news(MatchNews::Loaded(&summary));
    let run = identity(&summary, leaks.as_deref(), request.plan);
    let new_key = Key::mint(&mut *env.chance);
    // A stream cannot be read again, so there is nothing to go on with.
    let (mut journal, key, recalled) = if leaks.is_some() {
        let (journal, reopened) = MatchJournal::open(&journal_path(request.out), &run, new_key)?;
        if reopened.resumed {
            news(MatchNews::Resumed(reopened.recalled.verdicts.len()));
        }
        (Some(journal), reopened.key, reopened.recalled)
    } else {
        (None, new_key, Recalled::default())
    };
    let scan = Scan {
        sources: request.sources,
        unpack: request.unpack,
        sizes: Sizes::default(),
        table: accounts.table(),
        tagger: &Tagger::new(&key),
        pool,
        plan: request.plan,
        recalled,
        stop,
        clock: &*env.clock,
    };
    let mut ledger = MatchLedger {
        accounts: &accounts,
        journal: journal.as_mut(),
    };
    let finished = scan
        .run(&mut ledger, &mut |progress| news(MatchNews::Scanning(progress)))
        .map_err(MatchFault::Scan)?;
    let mut report = MatchReport {
        accounts: summary,
        progress: finished.progress.clone(),
        accounts_by_grade: accounts_by_grade(&finished.exposures),
        troubles: Vec::new(),
        stopped: finished.stopped,
    };
    if !finished.stopped {
        write_list(request.out, request.spreadsheet, &accounts, &finished).map_err(|error| MatchFault::Output {
            path: request.out.to_owned(),
            error,
        })?;
        if let Some(journal) = journal {
            journal.finish()?;
        }
    }
    report.troubles = finished.troubles;
    Ok(report)
}

/// The journal of a run lies beside its output.
pub fn journal_path(out: &Path) -> PathBuf {
    beside(out, ".journal")
}

fn beside(out: &Path, ending: &str) -> PathBuf {
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    out.with_file_name(name)
}

fn folder_of(out: &Path) -> &Path {
    out.parent()
        .filter(|folder| *folder != Path::new(""))
        .unwrap_or(Path::new("."))
}

/// Finds out now, not after hours, that the output cannot be written.
fn check_writable(out: &Path) -> Result<(), MatchFault> {
    let refused = |error| MatchFault::Output {
        path: out.to_owned(),
        error,
    };
    // A folder, a pipe, a device: putting a list in its place would take it away.
    if out
        .symlink_metadata()
        .is_ok_and(|there| !there.is_file() && !there.is_symlink())
    {
        let what = "it is there and no ordinary file; choose another name";
        return Err(refused(std::io::Error::new(std::io::ErrorKind::InvalidInput, what)));
    }
    tempfile::tempfile_in(folder_of(out)).map(drop).map_err(refused)
}

/// `None` where one of the sources is a stream.
fn fingerprints(sources: &[LeakSource]) -> Result<Option<Vec<String>>, MatchFault> {
    let mut all = Vec::with_capacity(sources.len());
    for source in sources {
        let Some(found) = fingerprint(source).map_err(MatchFault::Leak)? else {
            return Ok(None);
        };
        all.push(format!(
            "{} {} {} {}",
            source.shown(),
            found.files,
            found.bytes,
            hex(&found.digest)
        ));
    }
    Ok(Some(all))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn identity(accounts: &AccountsSummary, leaks: Option<&[String]>, plan: Plan) -> RunIdentity {
    let kind = plan.kind.map_or("as found", Kind::word);
    RunIdentity {
        accounts: hex(&accounts.digest),
        leaks: leaks.unwrap_or_default().to_vec(),
        plan: format!("kind {kind}, variations {}", plan.variations),
    }
}

fn load(
    source: Box<dyn Read + '_>,
    hints: RowHints,
    env: &mut Env,
    folder: &Path,
    news: &mut dyn FnMut(MatchNews<'_>),
) -> Result<(MatchAccounts, AccountsSummary), MatchFault> {
    let key = ProbeKey::from_bytes(env.random());
    let news = std::cell::RefCell::new(news);
    let mut reject = |rejected: Rejected| {
        (news.borrow_mut())(MatchNews::Rejected(&rejected));
        Ok(())
    };
    let mut progress = |accounts| (news.borrow_mut())(MatchNews::Accounts(accounts));
    MatchAccounts::load(source, hints, key, folder, &mut reject, &mut progress).map_err(MatchFault::Accounts)
}

struct MatchLedger<'a> {
    accounts: &'a MatchAccounts,
    journal: Option<&'a mut MatchJournal>,
}

impl Ledger for MatchLedger<'_> {
    type Error = LedgerFault;

    fn accounts(&mut self, wanted: &[AccountIndex]) -> Result<Vec<NamedAccount>, LedgerFault> {
        wanted
            .iter()
            .map(|&index| self.accounts.account(index).map_err(LedgerFault::Accounts))
            .collect()
    }

    fn known(&mut self, pairs: &[(AccountIndex, SecretTag)]) -> Result<Vec<Option<Verdict>>, LedgerFault> {
        Ok(vec![None; pairs.len()])
    }

    fn commit(&mut self, batch: &Batch<'_>) -> Result<(), LedgerFault> {
        match &mut self.journal {
            Some(journal) => Ok(journal.commit(batch)?),
            None => Ok(()),
        }
    }

    fn source_read(&mut self, _source: &SourceRead) -> Result<(), LedgerFault> {
        Ok(())
    }
}

fn accounts_by_grade(exposures: &[Exposure]) -> [u64; Grade::ALL.len()] {
    let mut best = std::collections::HashMap::new();
    for found in exposures {
        let grade = best.entry(found.account).or_insert(found.grade);
        *grade = found.grade.better(*grade);
    }
    let mut counts = [0; Grade::ALL.len()];
    for grade in best.values() {
        counts[*grade as usize] += 1;
    }
    counts
}

/// One row of the list.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    account: String,
    text: u32,
    line: u64,
    grade: Grade,
    kind: Kind,
    identifier: String,
}

/// Writes the list beside its place, whole and on disk, and then moves it there.
fn write_list(out: &Path, spreadsheet: bool, accounts: &MatchAccounts, finished: &Finished) -> std::io::Result<()> {
    let mut rows = Vec::with_capacity(finished.exposures.len());
    for found in &finished.exposures {
        let (account, mut names) = accounts.identity(found.account)?;
        let identifier = names.swap_remove(usize::from(found.name));
        let (text, line) = (found.place.text, found.place.line);
        rows.push(Row {
            account,
            text,
            line,
            grade: found.grade,
            kind: found.kind,
            identifier,
        });
    }
    rows.sort_unstable();
    let unfinished = beside(out, ".part");
    let file = make_private(&unfinished)?;
    let mut writer = BufWriter::with_capacity(1 << 18, file);
    writer.write_all(b"account,grade,kind,identifier,leak,line\n")?;
    for row in &rows {
        let leak = finished.texts.get(row.text as usize).map_or("", String::as_str);
        let cells = [
            csv_field(&row.account, spreadsheet),
            csv_field(&row.identifier, spreadsheet),
        ];
        let (grade, kind) = (row.grade.word(), row.kind.word());
        let leak = csv_field(leak, spreadsheet);
        writeln!(writer, "{},{grade},{kind},{},{leak},{}", cells[0], cells[1], row.line)?;
    }
    let file = writer.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, out)?;
    File::open(folder_of(out))?.sync_all()
}
