//! The one place where the clock is read, chance is drawn, and the site's files are opened.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime};

use anyhow::{Context, Result, bail};
use rand_core::UnwrapErr;
use rightful_app::env::{Env, Uptime};
use rightful_app::site::{KeySource, Site, SiteFault};
use rightful_core::Timestamp;
use rightful_crypto::pool::{HashPool, PoolSize};
use rightful_crypto::seal::KeyFile;
use rightful_store::Address;

use crate::cli::SiteArgs;

/// How many pieces of work may wait in the hash pool.
const QUEUE: usize = 1024;

/// A command line or a file that it names cannot be used: exit status 2.
#[derive(Debug)]
pub(crate) struct Unusable(pub(crate) String);

impl std::fmt::Display for Unusable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unusable {}

pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// How long this process has been running, by a clock that nobody sets.
pub(crate) fn uptime() -> Uptime {
    let began = Instant::now();
    Arc::new(move || began.elapsed())
}

/// The system's clock and chance.
pub(crate) fn env() -> Env {
    Env {
        clock: Arc::new(now),
        chance: Box::new(UnwrapErr(getrandom::SysRng)),
    }
}

/// The hash pool of this process: a worker a core.
pub(crate) fn pool(site: &SiteArgs) -> Result<HashPool> {
    let all = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = site.cores.map_or(all, usize::from);
    HashPool::start(PoolSize { workers, queue: QUEUE }, now)
        .context("the threads for password hashes cannot be started")
}

/// Raised by Ctrl-C or SIGTERM. A second one ends the process at once.
pub(crate) fn stop_flag() -> Result<Arc<AtomicBool>> {
    use tokio::signal::unix::{SignalKind, signal};
    let stop = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&stop);
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::spawn(async move {
        loop {
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            if raised.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
            eprintln!("\nstopping; what is done is kept (once more to end at once)");
        }
    });
    Ok(stop)
}

/// Who acts, for the audit log: the user of the operating system.
pub(crate) fn actor() -> String {
    let user = std::env::var("USER")
        .or_else(|_| std::env::var("LOGNAME"))
        .unwrap_or_else(|_| "unknown".to_owned());
    format!(
        "cli:{}",
        user.chars().filter(|c| !c.is_control()).take(64).collect::<String>()
    )
}

pub(crate) fn address(site: &SiteArgs) -> Result<Address> {
    match &site.database {
        Some(url) => Address::parse(url).map_err(|error| Unusable(format!("--database: {error}")).into()),
        None => Ok(Address::Sqlite(site.data.join("rightful.db"))),
    }
}

/// Opens the site, and makes it where nothing is yet.
pub(crate) async fn open_site(args: &SiteArgs, env: &mut Env) -> Result<Site> {
    check_key_place(args)?;
    loop {
        let (address, key) = (address(args)?, read_key(&args.key)?);
        let opened = try_open(args, &address, key, env).await;
        // Of two processes that set a site up at once, the second finds the key file that the first has just made.
        let other_was_first = matches!(&opened, Err(SiteFault::KeyMissing))
            || matches!(&opened, Err(SiteFault::NewKey(error)) if error.kind() == ErrorKind::AlreadyExists);
        if !(other_was_first && args.key.exists()) {
            return Ok(opened?);
        }
    }
}

async fn try_open(args: &SiteArgs, address: &Address, key: Option<KeyFile>, env: &mut Env) -> Result<Site, SiteFault> {
    let path = args.key.clone();
    let mut write = |file: &KeyFile| {
        write_key(&path, file)?;
        eprintln!(
            "made a new key file, {}: keep a copy of it apart from the data and its backups",
            path.display()
        );
        Ok(())
    };
    let key = match key {
        Some(file) => KeySource::File(file),
        None => KeySource::New(&mut write),
    };
    Site::open(address, key, &actor(), env).await
}

/// The key file, which must be there.
pub(crate) fn key_file(args: &SiteArgs) -> Result<KeyFile> {
    check_key_place(args)?;
    let missing = || {
        Unusable(format!(
            "there is no key file at {}; name it with --key",
            args.key.display()
        ))
    };
    Ok(read_key(&args.key)?.ok_or_else(missing)?)
}

/// The key must not lie where a copy of the data takes it along.
fn check_key_place(args: &SiteArgs) -> Result<()> {
    let folder = absolute(args.key.parent().unwrap_or(Path::new(".")));
    let data = match address(args)? {
        Address::Sqlite(file) => file.parent().unwrap_or(Path::new(".")).to_owned(),
        Address::Postgres(_) => args.data.clone(),
    };
    if folder.starts_with(absolute(&data)) {
        let (key, data) = (args.key.display(), data.display());
        bail!(Unusable(format!(
            "the key file {key} lies in the data folder {data}: whoever copies the folder has both. Move it, and name it with --key"
        )));
    }
    Ok(())
}

/// The path with its links followed as far as it exists, else with its dots taken out.
fn absolute(path: &Path) -> PathBuf {
    let path = if path == Path::new("") { Path::new(".") } else { path };
    if let Ok(real) = std::fs::canonicalize(path) {
        return real;
    }
    let mut plain = PathBuf::new();
    for part in std::path::absolute(path)
        .unwrap_or_else(|_| path.to_owned())
        .components()
    {
        match part {
            std::path::Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    std::fs::canonicalize(&plain).unwrap_or(plain)
}

fn read_key(path: &Path) -> Result<Option<KeyFile>> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file.with_context(|| format!("the key file {} cannot be opened", path.display()))?,
    };
    let mode = file.metadata()?.mode() & 0o777;
    if mode & 0o077 != 0 {
        let shown = path.display();
        bail!(Unusable(format!(
            "others may read the key file {shown} (mode {mode:03o}); do: chmod 600 {shown}"
        )));
    }
    let mut text = String::new();
    file.read_to_string(&mut text)
        .with_context(|| format!("the key file {} cannot be read", path.display()))?;
    let read = KeyFile::parse(&text);
    Ok(Some(read.map_err(|refused| {
        Unusable(format!("the key file {} cannot be used: {refused}", path.display()))
    })?))
}

/// Written whole or not at all, and never over one that is there.
fn write_key(path: &Path, key: &KeyFile) -> std::io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| *folder != Path::new(""))
        .unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(key.text().as_bytes())?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}
