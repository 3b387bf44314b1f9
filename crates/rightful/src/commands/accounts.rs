//! `rightful accounts …`

use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use rightful_app::accounts::{
    AccountView, account_page, find_account, history as happenings, in_words, view_account, why,
};
use rightful_app::env::Env;
use rightful_app::export::csv_field;
use rightful_app::files::open_private;
use rightful_app::holds::{
    Hold, HoldAction, HoldOrder, HoldSource, lift_administrators_holds, lying_holds, place_hold,
};
use rightful_app::import_accounts::{ImportReport, ImportRequest, RejectFile, import_accounts};
use rightful_app::moment;
use rightful_app::site::Site;
use rightful_app::wrap_passwords::{WrapReport, wrap_passwords};
use rightful_core::AccountNo;
use rightful_store::account::{Account, Name};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::leak::private_writer;
use super::{hints, open, print_json, region, warn_unreadable};
use crate::cli::{HintArgs, SiteArgs};
use crate::terminal::{Line, duration, number};
use crate::world::{self, Unusable};

/// Accounts that are read together.
const PAGE: i64 = 500;

pub(crate) async fn import(
    site_args: &SiteArgs,
    json: bool,
    file: &Path,
    hint_args: &HintArgs,
    rejects: Option<PathBuf>,
    no_wrap: bool,
) -> Result<ExitCode> {
    let (mut env, stop) = (world::env(), world::stop_flag()?);
    let hints = hints(hint_args)?;
    let source = open(file)?;
    let site = world::open_site(site_args, &mut env).await?;
    let line = Line::new();
    let identity = identity(file, hint_args, &mut env)?;
    let reject_path = rejects.unwrap_or_else(|| reject_path(file));
    let mut reject_file = RejectFile(open_rejects(&reject_path)?);
    let name = file.display().to_string();
    let request = ImportRequest {
        source,
        name: &name,
        identity,
        hints,
    };
    let mut progress = |tally: &rightful_app::import_accounts::ImportTally| {
        let rate = tally.rows as f64 / line.seconds().max(0.001);
        line.say(format!(
            "{} rows, {} added, {} refused · {} rows/s",
            number(tally.rows),
            number(tally.added),
            number(tally.rejected),
            number(rate as u64)
        ));
    };
    let outcome = import_accounts(request, &site, &mut reject_file, &mut env, &stop, &mut progress).await;
    line.clear();
    let report = outcome?;
    if report.tally.rejected == 0 {
        // An empty list of refused rows is no use to anybody.
        let _ = std::fs::remove_file(&reject_path);
    }
    let seconds = line.seconds();
    let wrapped = if no_wrap || report.stopped {
        WrapReport::default()
    } else {
        wrap_weak(site_args, &site, &mut env, &stop).await?
    };
    let finished = !report.stopped && !wrapped.stopped;
    if json {
        print_json(&json!({
            "finished": finished, "import": report.import_no, "rows": report.tally.rows, "added": report.tally.added,
            "changed": report.tally.changed, "unchanged": report.tally.unchanged, "kept": report.tally.kept,
            "rejected": report.tally.rejected,
            "rejects": (report.tally.rejected > 0).then(|| reject_path.display().to_string()),
            "ignored_columns": report.ignored_columns, "wrapped": wrapped.wrapped,
            "unreadable_passwords": report.unreadable_passwords.max(wrapped.unreadable), "seconds": seconds,
        }))?;
    } else {
        print_import(&report, &reject_path, seconds);
        print_wrapped(&wrapped);
        warn_unreadable(report.unreadable_passwords.max(wrapped.unreadable));
    }
    Ok(if finished { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print_import(report: &ImportReport, rejects: &Path, seconds: f64) {
    let tally = &report.tally;
    if report.stopped {
        println!(
            "Stopped after {} rows. The same command goes on from here.",
            number(tally.rows)
        );
        return;
    }
    println!(
        "{} rows in {}: {} accounts added, {} changed, {} as they were, {} rows refused.",
        number(tally.rows),
        duration(seconds),
        number(tally.added),
        number(tally.changed),
        number(tally.unchanged),
        number(tally.rejected)
    );
    if report.resumed_after > 0 {
        println!(
            "(An interrupted import had dealt with the first {}.)",
            number(report.resumed_after)
        );
    }
    if tally.rejected > 0 {
        println!("Refused rows, with line and reason, are in {}.", rejects.display());
    }
    if tally.kept > 0 {
        println!(
            "{} accounts that were there keep their groups, time of making and earlier passwords: a file brings those only with a new one.",
            number(tally.kept)
        );
    }
    if !report.ignored_columns.is_empty() {
        println!("Columns that were passed over: {}.", report.ignored_columns.join(", "));
    }
}

/// Opens the list of refused rows for this import alone: another one that writes it would cut off what this one has listed.
fn open_rejects(path: &Path) -> Result<File> {
    let file = open_private(path).with_context(|| format!("{} cannot be written", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => anyhow::bail!(
            "another import is writing {}; wait for it, or choose another --rejects",
            path.display()
        ),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("{} cannot be locked", path.display())),
    }
}

fn print_wrapped(wrapped: &WrapReport) {
    if wrapped.wrapped > 0 {
        println!("{} weak hashes were wrapped in Argon2id.", number(wrapped.wrapped));
    }
    if wrapped.stopped {
        println!("Stopped before all were wrapped. `rightful accounts wrap` goes on from here.");
    }
}

fn reject_path(file: &Path) -> PathBuf {
    if file == Path::new("-") {
        return PathBuf::from("accounts.rejects.csv");
    }
    let mut name = file.as_os_str().to_owned();
    name.push(".rejects.csv");
    PathBuf::from(name)
}

/// By which an interrupted import of the same file is known: what is in it, and how it is read. A stream is never known again.
fn identity(file: &Path, hints: &HintArgs, env: &mut Env) -> Result<[u8; 32]> {
    if file == Path::new("-") || !file.metadata()?.is_file() {
        return Ok(env.random());
    }
    let mut hash = Sha256::new();
    let mut source = File::open(file)?;
    let mut buffer = vec![0; 1 << 18];
    loop {
        match source.read(&mut buffer)? {
            0 => break,
            read => hash.update(&buffer[..read]),
        }
    }
    hash.update(format!("{:?} {:?}", hints.hash, hints.region));
    if let Some(path) = &hints.firebase {
        hash.update(std::fs::read(path)?);
    }
    Ok(hash.finalize().into())
}

async fn wrap_weak(site_args: &SiteArgs, site: &Site, env: &mut Env, stop: &AtomicBool) -> Result<WrapReport> {
    let pool = world::pool(site_args)?;
    let line = Line::new();
    let mut progress = |wrapped, weak| line.say(format!("{} of {} weak hashes wrapped", number(wrapped), number(weak)));
    let wrapped = wrap_passwords(site, env, &pool, stop, &mut progress).await;
    line.clear();
    Ok(wrapped?)
}

pub(crate) async fn wrap(site_args: &SiteArgs, json: bool) -> Result<ExitCode> {
    let (mut env, stop) = (world::env(), world::stop_flag()?);
    let site = world::open_site(site_args, &mut env).await?;
    let wrapped = wrap_weak(site_args, &site, &mut env, &stop).await?;
    if json {
        print_json(&json!({
            "finished": !wrapped.stopped, "wrapped": wrapped.wrapped, "unreadable_passwords": wrapped.unreadable,
        }))?;
    } else {
        if wrapped.wrapped == 0 && !wrapped.stopped {
            println!("No weak hash was left to wrap.");
        }
        print_wrapped(&wrapped);
        warn_unreadable(wrapped.unreadable);
    }
    Ok(if wrapped.stopped {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

async fn meant(site: &Site, account: &str, code: Option<&str>) -> Result<AccountNo> {
    let unknown = || {
        Unusable(format!(
            "there is no account {account:?} (by public id, imported id, e-mail address, user name or telephone number)"
        ))
    };
    Ok(find_account(site, account, region(code)?).await?.ok_or_else(unknown)?)
}

pub(crate) async fn show(site_args: &SiteArgs, json: bool, account: &str, region: Option<&str>) -> Result<ExitCode> {
    let site = world::open_site(site_args, &mut world::env()).await?;
    let no = meant(&site, account, region).await?;
    let view = view_account(&site, no)
        .await?
        .context("the account was removed meanwhile")?;
    let reasons = why(&site, no).await?;
    let holds = lying_holds(&site, no).await?;
    if json {
        let mut shown = account_json(&view.account, &view.names);
        shown["contacts"] = view
            .contacts
            .iter()
            .map(|contact| json!({ "kind": contact.kind, "address": contact.address }))
            .collect();
        shown["passwords"] = passwords_json(&view);
        shown["holds"] = holds.iter().map(hold_json).collect();
        shown["exposures"] = reasons
            .iter()
            .map(|reason| json!({ "leak": reason.leak.0.0, "grade": reason.grade.word(), "kind": reason.kind.word(), "password_version": reason.password_no, "found_at": moment::show(reason.found_at) }))
            .collect();
        print_json(&shown)?;
        return Ok(ExitCode::SUCCESS);
    }
    let account = &view.account;
    println!(
        "Account {}{}",
        account.public_id,
        account
            .reference
            .as_ref()
            .map(|id| format!(" (imported as {id})"))
            .unwrap_or_default()
    );
    println!("  {}, made {}", account.state.word(), moment::show(account.created_at));
    for name in &view.names {
        println!("  {:<9} {}", name.kind, name.given);
    }
    for password in &view.passwords {
        let state = if password.current { "current" } else { "former" };
        println!(
            "  password  version {} ({state}, {})",
            password.password_no, password.kind
        );
    }
    for hold in &holds {
        println!("  {}", hold_in_words(hold));
    }
    if reasons.is_empty() {
        println!("  no leak is known to hold anything of it");
    }
    for reason in &reasons {
        println!("  {}", in_words(reason));
    }
    Ok(ExitCode::SUCCESS)
}

fn hold_json(hold: &Hold) -> serde_json::Value {
    json!({
        "hold": hold.hold_no, "action": hold.action.word(), "source": hold.source.word(),
        "placed_at": moment::show(hold.placed_at), "placed_by": hold.placed_by,
    })
}

fn hold_in_words(hold: &Hold) -> String {
    let what = match hold.action {
        HoldAction::Hold => "its password is turned off",
        HoldAction::Change => "its next sign-in must choose a new password",
    };
    let by = match hold.source {
        HoldSource::Containment => "a containment",
        HoldSource::Administrator => hold.placed_by.as_str(),
        HoldSource::SignIn => "a leaked hash that matched at a sign-in",
    };
    format!("{what} since {}, by {by}", moment::show(hold.placed_at))
}

/// `accounts hold`: an administrator's, which only administrators lift.
pub(crate) async fn hold(
    site_args: &SiteArgs,
    json: bool,
    account: &str,
    region: Option<&str>,
    change: bool,
    reason: String,
) -> Result<ExitCode> {
    let site = world::open_site(site_args, &mut world::env()).await?;
    let order = HoldOrder {
        account: meant(&site, account, region).await?,
        action: if change { HoldAction::Change } else { HoldAction::Hold },
        source: HoldSource::Administrator,
        kind: None,
        reason,
    };
    let hold_no = place_hold(&site, &order, world::now()).await?;
    if json {
        print_json(&json!({ "hold": hold_no, "action": order.action.word() }))?;
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "{} Everything that was signed in is signed out. `accounts lift` takes it back.",
        match order.action {
            HoldAction::Hold => "The password is turned off.",
            HoldAction::Change => "The next sign-in must choose a new password.",
        }
    );
    Ok(ExitCode::SUCCESS)
}

/// `accounts lift`.
pub(crate) async fn lift(site_args: &SiteArgs, json: bool, account: &str, region: Option<&str>) -> Result<ExitCode> {
    let site = world::open_site(site_args, &mut world::env()).await?;
    let no = meant(&site, account, region).await?;
    let lifted = lift_administrators_holds(&site, no, world::now()).await?;
    let left = lying_holds(&site, no).await?;
    if json {
        print_json(&json!({ "lifted": lifted, "left": left.iter().map(hold_json).collect::<Vec<_>>() }))?;
        return Ok(ExitCode::SUCCESS);
    }
    match lifted.len() {
        0 => println!("No administrator's hold lies on this account."),
        count => println!("Lifted: {count}."),
    }
    for hold in &left {
        println!("Still there: {}", hold_in_words(hold));
    }
    Ok(ExitCode::SUCCESS)
}

fn passwords_json(view: &AccountView) -> serde_json::Value {
    view.passwords
        .iter()
        .map(|password| {
            json!({ "version": password.password_no, "current": password.current, "kind": password.kind, "origin": password.origin.word(), "set_at": moment::show(password.set_at) })
        })
        .collect()
}

fn account_json(account: &Account, names: &[Name]) -> serde_json::Value {
    json!({
        "account": account.reference.clone().unwrap_or_else(|| account.public_id.to_string()),
        "public_id": account.public_id.to_string(),
        "state": account.state.word(),
        "groups": serde_json::from_str::<serde_json::Value>(&account.groups).unwrap_or_default(),
        "created_at": moment::show(account.created_at),
        "names": names.iter().map(|name| json!({ "kind": name.kind, "name": name.given })).collect::<Vec<_>>(),
    })
}

pub(crate) async fn list(site_args: &SiteArgs, json: bool, limit: usize, after: Option<&str>) -> Result<ExitCode> {
    let site = world::open_site(site_args, &mut world::env()).await?;
    let after = match after {
        Some(account) => Some(meant(&site, account, None).await?),
        None => None,
    };
    let mut left = limit;
    each_account(&site, after, &mut |account, names| {
        if left == 0 {
            return Ok(false);
        }
        left -= 1;
        if json {
            print_json(&account_json(account, names))?;
        } else {
            let names: Vec<&str> = names.iter().map(|name| name.given.as_str()).collect();
            let id = account
                .reference
                .clone()
                .unwrap_or_else(|| account.public_id.to_string());
            println!("{id}  {}  {}", account.state.word(), names.join(", "));
        }
        Ok(true)
    })
    .await?;
    Ok(ExitCode::SUCCESS)
}

/// Hands over accounts in the order in which they came, until `each` has had enough.
async fn each_account(
    site: &Site,
    mut after: Option<AccountNo>,
    each: &mut dyn FnMut(&Account, &[Name]) -> Result<bool>,
) -> Result<()> {
    loop {
        let page = account_page(site, after, PAGE).await?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = Some(last.no);
        for (account, names) in &page {
            if !each(account, names)? {
                return Ok(());
            }
        }
    }
}

pub(crate) async fn export(
    site_args: &SiteArgs,
    json: bool,
    out: Option<PathBuf>,
    spreadsheet: bool,
) -> Result<ExitCode> {
    let site = world::open_site(site_args, &mut world::env()).await?;
    let mut writer = private_writer(out.as_deref())?;
    if !json {
        writer.write_all(b"account,public_id,state,email,username,phone,groups,created_at\n")?;
    }
    each_account(&site, None, &mut |account, names| {
        if json {
            writeln!(writer, "{}", account_json(account, names))?;
            return Ok(true);
        }
        let of = |kind: &str| {
            let given: Vec<&str> = names
                .iter()
                .filter(|name| name.kind == kind)
                .map(|name| name.given.as_str())
                .collect();
            if given.len() > 1 {
                serde_json::to_string(&given).unwrap_or_default()
            } else {
                given.concat()
            }
        };
        let id = account
            .reference
            .clone()
            .unwrap_or_else(|| account.public_id.to_string());
        let cells = [
            id,
            account.public_id.to_string(),
            account.state.word().to_owned(),
            of("email"),
            of("username"),
            of("phone"),
            account.groups.clone(),
            moment::show(account.created_at),
        ];
        let cells: Vec<_> = cells.iter().map(|cell| csv_field(cell, spreadsheet)).collect();
        writeln!(writer, "{}", cells.join(","))?;
        Ok(true)
    })
    .await?;
    writer.flush()?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn history(site_args: &SiteArgs, json: bool, account: &str, region: Option<&str>) -> Result<ExitCode> {
    let site = world::open_site(site_args, &mut world::env()).await?;
    let no = meant(&site, account, region).await?;
    let happenings = happenings(&site, no).await?;
    if json {
        print_json(
            &happenings
                .iter()
                .map(|happening| json!({ "at": moment::show(happening.at), "what": happening.what }))
                .collect(),
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    for happening in happenings {
        println!("{}  {}", moment::show(happening.at), happening.what);
    }
    Ok(ExitCode::SUCCESS)
}
