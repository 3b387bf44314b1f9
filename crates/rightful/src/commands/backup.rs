//! `rightful backup` and `rightful restore`.

use std::io::BufWriter;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use rightful_app::backup::{restore_backup, write_backup};
use rightful_app::files::make_private;
use serde_json::json;

use super::{open, print_json};
use crate::cli::SiteArgs;
use crate::terminal::{bytes, number};
use crate::world::{self, Unusable};

pub(crate) async fn backup(site_args: &SiteArgs, json: bool, path: &Path) -> Result<ExitCode> {
    if path.exists() {
        anyhow::bail!(Unusable(format!(
            "{} is there already; a backup never overwrites",
            path.display()
        )));
    }
    let key = world::key_file(site_args)?;
    let site = world::open_site(site_args, &mut world::env()).await?;
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".part");
    let unfinished = Path::new(&unfinished);
    let opened = make_private(unfinished);
    let file = opened.with_context(|| format!("{} cannot be written", unfinished.display()))?;
    let mut packed = zstd::Encoder::new(BufWriter::new(&file), 3)?;
    let written = write_backup(&site, &key, &mut packed).await;
    let summary = match written {
        Ok(summary) => summary,
        Err(fault) => {
            let _ = std::fs::remove_file(unfinished);
            return Err(fault.into());
        }
    };
    packed
        .finish()?
        .into_inner()
        .map_err(std::io::IntoInnerError::into_error)?;
    file.sync_all()?;
    std::fs::rename(unfinished, path)?;
    let size = file.metadata()?.len();
    if json {
        print_json(&json!({ "file": path.display().to_string(), "rows": summary.rows(), "bytes": size }))?;
    } else {
        println!(
            "{} rows are in {} ({}). The key file is not in it.",
            number(summary.rows()),
            path.display(),
            bytes(size)
        );
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn restore(site_args: &SiteArgs, json: bool, path: &Path) -> Result<ExitCode> {
    let key = world::key_file(site_args)?;
    let from = open(path)?;
    let address = world::address(site_args)?;
    let env = world::env();
    let summary = restore_backup(&address, &key, from, &world::actor(), &env).await?;
    if json {
        print_json(&json!({ "rows": summary.rows() }))?;
    } else {
        println!("{} rows are restored. Everybody is signed out.", number(summary.rows()));
    }
    Ok(ExitCode::SUCCESS)
}
