//! `rightful leak …`

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use rightful_app::export::csv_field;
use rightful_app::files::make_private;
use rightful_app::leaks::{ExposureRow, LeakView, each_exposure, find_leak, forget_leak, list_leaks};
use rightful_app::match_leak::{MatchNews, MatchReport, MatchRequest, journal_path, match_leak};
use rightful_app::moment;
use rightful_app::scan_leak::{ScanNews, ScanReport, ScanRequest, scan_leak};
use rightful_core::{Grade, Kind};
use rightful_leaks::scan::{Plan, Progress, Trouble};
use rightful_leaks::tally::Tally;
use rightful_leaks::unpack::{ArchivePassword, LeakSource, UnpackOptions};
use serde_json::json;

use super::{hints, open, print_json, warn_unreadable};
use crate::cli::{HintArgs, ReadArgs, SiteArgs};
use crate::terminal::{self, Line, duration, number};
use crate::world::{self, Unusable};

pub(crate) struct MatchArgs {
    pub(crate) accounts: PathBuf,
    pub(crate) out: PathBuf,
    pub(crate) hints: HintArgs,
    pub(crate) read: ReadArgs,
    pub(crate) spreadsheet: bool,
    pub(crate) leaks: Vec<PathBuf>,
}

pub(crate) struct ScanArgs {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) name: String,
    pub(crate) received_from: String,
    pub(crate) leak_date: Option<String>,
    pub(crate) read: ReadArgs,
}

/// The most refused rows, and texts that were not read, that are listed on the terminal.
const SHOWN: usize = 10;

fn sources(paths: &[PathBuf]) -> Result<Vec<LeakSource>> {
    let sources: Vec<LeakSource> = paths
        .iter()
        .map(|path| LeakSource::from_argument(path.as_os_str()))
        .collect();
    if sources.iter().filter(|source| **source == LeakSource::Stdin).count() > 1 {
        anyhow::bail!(Unusable("`-` is standard input and can be named once".to_owned()));
    }
    Ok(sources)
}

fn unpack(args: &ReadArgs) -> Result<UnpackOptions> {
    let from_file = match &args.archive_password_file {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| Unusable(format!("--archive-password-file {}: {error}", path.display())))?;
            Some(text.trim_end_matches(['\r', '\n']).to_owned())
        }
    };
    let password = from_file
        .or_else(|| args.archive_password.clone())
        .map(ArchivePassword::new);
    Ok(UnpackOptions {
        password,
        ..UnpackOptions::default()
    })
}

fn plan(args: &ReadArgs) -> Plan {
    let readers = std::thread::available_parallelism().map_or(1, usize::from);
    Plan {
        kind: args.kind.map(Kind::from),
        variations: usize::from(args.variants),
        readers,
    }
}

pub(crate) async fn run_match(site: &SiteArgs, json: bool, args: MatchArgs) -> Result<ExitCode> {
    if args.accounts == Path::new("-") && args.leaks.iter().any(|leak| leak == Path::new("-")) {
        anyhow::bail!(Unusable(
            "the accounts and the leak cannot both come from standard input".to_owned()
        ));
    }
    let (sources, unpack) = (sources(&args.leaks)?, unpack(&args.read)?);
    let (mut env, pool, stop) = (world::env(), world::pool(site)?, world::stop_flag()?);
    let request = MatchRequest {
        accounts: open(&args.accounts)?,
        hints: hints(&args.hints)?,
        out: &args.out,
        sources: &sources,
        unpack: &unpack,
        plan: plan(&args.read),
        spreadsheet: args.spreadsheet,
    };
    let line = Line::new();
    let mut refused = 0;
    let mut news = |news: MatchNews<'_>| match news {
        MatchNews::Accounts(read) => line.say(format!("{} accounts read", number(read))),
        MatchNews::Loaded(_) => {}
        MatchNews::Resumed(pairs) => {
            line.keep(&format!(
                "going on from an interrupted run: {} pairs are tested already",
                number(pairs as u64)
            ));
        }
        MatchNews::Rejected(rejected) => {
            refused += 1;
            if refused <= SHOWN {
                let column = rejected.column.map(|column| format!(", {column}")).unwrap_or_default();
                line.keep(&format!(
                    "{}, line {}{column}: {}",
                    args.accounts.display(),
                    rejected.line,
                    rejected.reason
                ));
            }
        }
        MatchNews::Scanning(progress) => line.say(terminal::progress(progress, line.seconds())),
    };
    let outcome = tokio::task::block_in_place(|| match_leak(request, &mut env, &pool, &stop, &mut news));
    line.clear();
    let report = outcome?;
    let seconds = line.seconds();
    if json {
        print_json(&match_json(&args, &report, seconds))?;
    } else {
        print_match(&args, &report, seconds);
    }
    Ok(if report.stopped {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn match_json(args: &MatchArgs, report: &MatchReport, seconds: f64) -> serde_json::Value {
    json!({
        "finished": !report.stopped,
        "out": args.out.display().to_string(),
        "accounts": report.accounts,
        "exposures": terminal::grades_json(&report.progress.exposures.grades),
        "accounts_by_best_grade": terminal::grades_json(&report.accounts_by_grade),
        "ours": report.progress.exposures.ours,
        "lines": terminal::lines_json(&report.progress.tally),
        "tests": report.progress.tests,
        "not_read": troubles_json(&report.troubles),
        "seconds": seconds,
    })
}

fn troubles_json(troubles: &[Trouble]) -> serde_json::Value {
    troubles
        .iter()
        .map(|trouble| json!({ "text": trouble.text, "what": trouble.what }))
        .collect()
}

fn print_match(args: &MatchArgs, report: &MatchReport, seconds: f64) {
    let accounts = &report.accounts;
    if report.stopped {
        println!(
            "Stopped. The same command goes on from here ({}).",
            journal_path(&args.out).display()
        );
        return;
    }
    println!(
        "Matched {} accounts ({} names) in {}.\n",
        number(accounts.accounts),
        number(accounts.names),
        duration(seconds)
    );
    print!(
        "{}",
        terminal::grades(&report.progress.exposures.grades, &report.accounts_by_grade)
    );
    println!();
    print_notes(&report.progress, &report.troubles);
    if accounts.rejected > 0 {
        println!(
            "{} rows of the accounts were refused and not matched.",
            number(accounts.rejected)
        );
    }
    if accounts.without_password > 0 {
        println!(
            "{} accounts have no password hash: a leak can only name them.",
            number(accounts.without_password)
        );
    }
    if !accounts.ignored_columns.is_empty() {
        println!(
            "Columns that were passed over: {}.",
            accounts.ignored_columns.join(", ")
        );
    }
    println!("The list is in {}.", args.out.display());
}

fn print_notes(progress: &Progress, troubles: &[Trouble]) {
    println!("{}.", terminal::lines(&progress.tally));
    println!(
        "{} secrets were tested; {} were known from earlier leaks.",
        number(progress.tests),
        number(progress.known_before)
    );
    if progress.exposures.ours > 0 {
        println!(
            "\nALARM: {} of our own stored hashes are in this leak. Our own table may be out: treat it as a breach of this site.\n\
             (Unsalted hashes can be alike elsewhere: the same password, hashed the same way.)\n",
            number(progress.exposures.ours)
        );
    }
    print_troubles(troubles);
}

fn print_troubles(troubles: &[Trouble]) {
    for trouble in troubles.iter().take(SHOWN) {
        println!("Not read to its end: {}: {}", trouble.text, trouble.what);
    }
    if troubles.len() > SHOWN {
        println!("… and {} more; --json lists them.", troubles.len() - SHOWN);
    }
}

pub(crate) async fn scan(site_args: &SiteArgs, json: bool, args: ScanArgs) -> Result<ExitCode> {
    let sources = sources(&args.files)?;
    let leak_date = match &args.leak_date {
        None => None,
        Some(text) => {
            let unreadable = || Unusable(format!("--leak-date {text}: write it like {}", moment::FORMS));
            Some(moment::parse(text).ok_or_else(unreadable)?)
        }
    };
    let (mut env, pool, stop) = (world::env(), world::pool(site_args)?, world::stop_flag()?);
    let site = world::open_site(site_args, &mut env).await?;
    let request = ScanRequest {
        name: &args.name,
        received_from: &args.received_from,
        leak_date,
        sources: &sources,
        unpack: unpack(&args.read)?,
        plan: plan(&args.read),
    };
    let line = Line::new();
    let mut news = |news: ScanNews<'_>| match news {
        ScanNews::Begun {
            leak,
            resumed,
            again,
            names,
        } => {
            let how = match (resumed, again) {
                (true, _) => "going on with",
                (_, true) => "reading again",
                _ => "reading",
            };
            line.keep(&format!("{how} leak {} against {} names", leak.0, number(names)));
        }
        ScanNews::Scanning(progress) => line.say(terminal::progress(progress, line.seconds())),
    };
    let outcome = scan_leak(request, &site, &mut env, &pool, &stop, &mut news).await;
    line.clear();
    let report = outcome?;
    let seconds = line.seconds();
    if json {
        print_json(&scan_json(&args.name, &report, seconds))?;
    } else {
        print_scan(&args.name, &report, seconds);
    }
    Ok(if report.stopped {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn scan_json(name: &str, report: &ScanReport, seconds: f64) -> serde_json::Value {
    json!({
        "finished": !report.stopped,
        "leak": report.leak.0,
        "name": name,
        "exposures": terminal::grades_json(&report.exposures_by_grade),
        "accounts_by_best_grade": terminal::grades_json(&report.accounts_by_grade),
        "ours": report.progress.exposures.ours,
        "lines": terminal::lines_json(&report.progress.tally),
        "tests": report.progress.tests,
        "known_before": report.progress.known_before,
        "untested_left_out": report.untested_left_out,
        "unreadable_passwords": report.unreadable_passwords,
        "not_read": troubles_json(&report.troubles),
        "seconds": seconds,
    })
}

pub(crate) fn print_scan(name: &str, report: &ScanReport, seconds: f64) {
    if report.stopped {
        println!("Stopped. The same command goes on from here.");
        return;
    }
    println!(
        "Leak {} ({name}) is scanned, in {}.\n",
        report.leak.0,
        duration(seconds)
    );
    print!(
        "{}",
        terminal::grades(&report.exposures_by_grade, &report.accounts_by_grade)
    );
    println!();
    print_notes(&report.progress, &report.troubles);
    if report.untested_left_out > 0 {
        let left_out = number(report.untested_left_out);
        println!("{left_out} leaked hashes were not kept for a later sign-in: their accounts have 16 waiting already.");
    }
    warn_unreadable(report.unreadable_passwords);
}

pub(crate) async fn list(site_args: &SiteArgs, json: bool) -> Result<ExitCode> {
    let site = world::open_site(site_args, &mut world::env()).await?;
    let leaks = list_leaks(&site).await?;
    if json {
        print_json(&leaks.iter().map(leak_json).collect())?;
        return Ok(ExitCode::SUCCESS);
    }
    if leaks.is_empty() {
        println!("No leak has been scanned yet: rightful leak scan FILE --name NAME");
    }
    for view in leaks {
        let leak = &view.leak;
        let exact = accounts(&view, Grade::Exact);
        let received = moment::show(leak.noted.received_at);
        println!(
            "{:>4}  {:<9}  {received}  {exact:>9} exact  {}",
            leak.no.0,
            leak.state.word(),
            leak.noted.name
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn accounts(view: &LeakView, grade: Grade) -> u64 {
    view.accounts
        .iter()
        .find(|(found, _)| *found == grade)
        .map_or(0, |(_, accounts)| *accounts)
}

fn by_grade(view: &LeakView) -> ([u64; Grade::ALL.len()], [u64; Grade::ALL.len()]) {
    let (mut exposures, mut accounts) = ([0; Grade::ALL.len()], [0; Grade::ALL.len()]);
    for count in &view.counts {
        exposures[count.grade as usize] += count.exposures;
    }
    for (grade, count) in &view.accounts {
        accounts[*grade as usize] = *count;
    }
    (exposures, accounts)
}

fn leak_json(view: &LeakView) -> serde_json::Value {
    let leak = &view.leak;
    let (exposures, accounts) = by_grade(view);
    let files: Vec<_> = view
        .files
        .iter()
        .map(|file| json!({ "name": file.name, "sha256": hex(&file.sha256), "bytes": file.bytes }))
        .collect();
    let tallies: serde_json::Value = serde_json::from_str(&leak.tallies).unwrap_or_default();
    json!({
        "leak": leak.no.0,
        "name": leak.noted.name,
        "state": leak.state.word(),
        "kind": leak.noted.kind_override.map(Kind::word),
        "received_from": leak.noted.received_from,
        "leak_date": leak.noted.leak_date.map(moment::show),
        "received_at": moment::show(leak.noted.received_at),
        "done_at": leak.done_at.map(moment::show),
        "variants": leak.noted.variations,
        "exposures": terminal::grades_json(&exposures),
        "accounts_by_best_grade": terminal::grades_json(&accounts),
        "accounts_changed_since": view.changed_since,
        "lines": tally(&tallies).map(|tally| terminal::lines_json(&tally)),
        "tests": tallies["tests"],
        "known_before": tallies["known_before"],
        "not_read": tallies["not_read"],
        "files": files,
    })
}

/// Where the lines of a leak went; none where nothing was committed of it yet.
fn tally(tallies: &serde_json::Value) -> Option<Tally> {
    serde_json::from_value(tallies["lines"].clone()).ok()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn meant(site: &rightful_app::site::Site, leak: &str) -> Result<LeakView> {
    let unknown = || Unusable(format!("there is no leak {leak:?}; `rightful leak list` names them"));
    Ok(find_leak(site, leak).await?.ok_or_else(unknown)?)
}

pub(crate) async fn show(site_args: &SiteArgs, json: bool, leak: &str) -> Result<ExitCode> {
    let site = world::open_site(site_args, &mut world::env()).await?;
    let view = meant(&site, leak).await?;
    if json {
        print_json(&leak_json(&view))?;
        return Ok(ExitCode::SUCCESS);
    }
    let leak = &view.leak;
    println!("Leak {}: {} ({})", leak.no.0, leak.noted.name, leak.state.word());
    println!(
        "  received {}{}",
        moment::show(leak.noted.received_at),
        from(&leak.noted.received_from)
    );
    if let Some(at) = leak.noted.leak_date {
        println!("  taken from its source {}", moment::show(at));
    }
    for file in &view.files {
        println!(
            "  {}  {}  SHA-256 {}",
            file.name,
            terminal::bytes(file.bytes),
            hex(&file.sha256)
        );
    }
    let (exposures, accounts) = by_grade(&view);
    println!("\n{}", terminal::grades(&exposures, &accounts));
    let kinds: Vec<String> = Kind::ALL
        .into_iter()
        .map(|kind| {
            (
                kind,
                view.counts
                    .iter()
                    .filter(|count| count.kind == kind)
                    .map(|count| count.exposures)
                    .sum(),
            )
        })
        .filter(|(_, exposures): &(Kind, u64)| *exposures > 0)
        .map(|(kind, exposures)| format!("{} {}", number(exposures), kind.word()))
        .collect();
    if !kinds.is_empty() {
        println!("By kind: {}.", kinds.join(", "));
    }
    if view.changed_since > 0 {
        println!(
            "{} of these accounts have changed their password since it was tested.",
            number(view.changed_since)
        );
    }
    let tallies: serde_json::Value = serde_json::from_str(&leak.tallies).unwrap_or_default();
    if let Some(tally) = tally(&tallies) {
        println!("{}.", terminal::lines(&tally));
    }
    let troubles: Vec<Trouble> = serde_json::from_value(tallies["not_read"].clone()).unwrap_or_default();
    print_troubles(&troubles);
    Ok(ExitCode::SUCCESS)
}

fn from(received_from: &str) -> String {
    if received_from.is_empty() {
        String::new()
    } else {
        format!(" from {received_from}")
    }
}

pub(crate) async fn export(
    site_args: &SiteArgs,
    json: bool,
    leak: &str,
    out: Option<PathBuf>,
    spreadsheet: bool,
) -> Result<ExitCode> {
    let site = world::open_site(site_args, &mut world::env()).await?;
    let view = meant(&site, leak).await?;
    let mut writer = private_writer(out.as_deref())?;
    if !json {
        writer.write_all(b"account,grade,kind,identifier,leak,line,password_version,found_at\n")?;
    }
    each_exposure::<anyhow::Error>(&site, view.leak.no, &mut |row| {
        write_exposure(&mut writer, &row, json, spreadsheet)
    })
    .await?;
    writer.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn write_exposure(writer: &mut impl Write, row: &ExposureRow, json: bool, spreadsheet: bool) -> Result<()> {
    let (file, line) = row.place.clone().unwrap_or_default();
    let (grade, kind) = (row.exposure.grade.word(), row.exposure.kind.word());
    let found_at = moment::show(row.exposure.found_at);
    if json {
        let row = json!({
            "account": row.account_id(), "grade": grade, "kind": kind, "identifier": row.identifier, "leak": file,
            "line": line, "password_version": row.exposure.password_no, "found_at": found_at,
        });
        return Ok(writeln!(writer, "{row}")?);
    }
    let id = row.account_id();
    let cells = [&id, &row.identifier, &file].map(|cell| csv_field(cell, spreadsheet));
    let version = row
        .exposure
        .password_no
        .map(|version| version.to_string())
        .unwrap_or_default();
    Ok(writeln!(
        writer,
        "{},{grade},{kind},{},{},{line},{version},{found_at}",
        cells[0], cells[1], cells[2]
    )?)
}

/// Standard output, or a new file that only its owner may read.
pub(crate) fn private_writer(out: Option<&Path>) -> Result<Box<dyn Write + Send>> {
    let Some(path) = out else {
        return Ok(Box::new(BufWriter::new(std::io::stdout())));
    };
    let file = make_private(path);
    Ok(Box::new(BufWriter::new(
        file.with_context(|| format!("{} cannot be written", path.display()))?,
    )))
}

pub(crate) async fn forget(site_args: &SiteArgs, json: bool, leak: &str) -> Result<ExitCode> {
    let env = world::env();
    let site = world::open_site(site_args, &mut world::env()).await?;
    let view = meant(&site, leak).await?;
    let dropped = forget_leak(&site, &env, &view.leak).await?;
    if json {
        print_json(&json!({ "leak": view.leak.no.0, "dropped": dropped }))?;
    } else {
        println!(
            "Leak {} is forgotten: {} digests of tested pairs and untested hashes were dropped. Its exposures stay.",
            view.leak.no.0,
            number(dropped)
        );
    }
    Ok(ExitCode::SUCCESS)
}
