//! Memory is measured in a process of its own: what one bench needed must not count for the next.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::leak_lines::LeakFile;
use crate::{clock, import, scan, scanning, session};

const SCAN: &str = "scan";
const IMPORT: &str = "import";
const HELLO: &str = "hello";

/// Does what another process of this program asked for, and prints the peak of its memory in bytes.
pub(crate) fn serve(order: &[String]) -> Result<()> {
    match order {
        [what, path, lines, times] if what == SCAN => {
            let leak = LeakFile {
                path: PathBuf::from(path),
                lines: lines.parse()?,
                bytes: 0,
            };
            let (table, pool) = (scanning::table(scan::ACCOUNTS), scanning::pool()?);
            scan::scan_strangers(&leak, times.parse()?, true, &table, &pool)?;
        }
        [what, accounts] if what == IMPORT => import::import_alone(accounts.parse()?)?,
        [what] if what == HELLO => return session::hello(),
        _ => bail!("a process of this program asked for what there is not: {order:?}"),
    }
    println!("{}", clock::peak_memory()?);
    Ok(())
}

/// The most memory in bytes that a scan of this leak takes, read so many times in a row.
pub(crate) fn scan_memory(leak: &LeakFile, times: usize) -> Result<u64> {
    ask(&[SCAN, text(&leak.path)?, &leak.lines.to_string(), &times.to_string()])
}

/// The most memory in bytes that the import of so many accounts takes.
pub(crate) fn import_memory(accounts: usize) -> Result<u64> {
    ask(&[IMPORT, &accounts.to_string()])
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("the folder for the data has a name beyond UTF-8")
}

fn ask(order: &[&str]) -> Result<u64> {
    let program = std::env::current_exe().context("this program cannot find itself")?;
    let output = Command::new(program)
        .arg("--child")
        .args(order)
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("a further process of this program cannot be started")?;
    ensure!(output.status.success(), "the process that did {order:?} failed");
    let answer = String::from_utf8_lossy(&output.stdout);
    answer
        .trim()
        .parse()
        .with_context(|| format!("the process that did {order:?} answered {answer:?}"))
}
