//! One file a noun: from arguments to a use case, from its outcome to words.

pub(crate) mod accounts;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod bounce;
pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod dkim;
pub(crate) mod leak;
pub(crate) mod login;
pub(crate) mod respond;

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use anyhow::{Context, Result};
use rightful_app::accounts_file::RowHints;
use rightful_core::identifier::DefaultRegion;
use rightful_crypto::password::{BareHex, FirebaseParameters};
use rightful_leaks::unpack::decompressed;

use crate::cli::HintArgs;
use crate::terminal::number;
use crate::world::Unusable;

/// A file, or standard input for `-`, unpacked where it is packed.
fn open(path: &Path) -> Result<Box<dyn Read + Send>> {
    let read = |source: Box<dyn Read + Send>| {
        decompressed(source).with_context(|| format!("{} cannot be read", path.display()))
    };
    if path == Path::new("-") {
        return read(Box::new(std::io::stdin()));
    }
    let file = File::open(path).map_err(|error| Unusable(format!("{} cannot be opened: {error}", path.display())))?;
    if file.metadata()?.is_dir() {
        return Err(Unusable(format!("{} is a folder; name the file in it", path.display())).into());
    }
    read(Box::new(file))
}

/// What the arguments say that the file of accounts does not.
fn hints(args: &HintArgs) -> Result<RowHints> {
    let firebase = match &args.firebase {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| Unusable(format!("--firebase {}: {error}", path.display())))?;
            let read = FirebaseParameters::parse(&text);
            Some(read.map_err(|refused| Unusable(format!("--firebase {}: {refused}", path.display())))?)
        }
    };
    Ok(RowHints {
        bare_hex: args.hash.as_deref().and_then(BareHex::from_word),
        firebase,
        region: region(args.region.as_deref())?,
    })
}

fn region(code: Option<&str>) -> Result<Option<DefaultRegion>> {
    let Some(code) = code else { return Ok(None) };
    let unknown = || {
        Unusable(format!(
            "--region {code}: give the two letters of a country, such as DE"
        ))
    };
    Ok(Some(DefaultRegion::from_code(code).ok_or_else(unknown)?))
}

/// Says that stored passwords do not open: nobody gets in with them, and somebody may have been at the database.
fn warn_unreadable(passwords: u64) {
    if passwords > 0 {
        println!(
            "\nALARM: {} stored passwords do not open and count as none. Their rows are damaged, or somebody has changed them;\n\
             `rightful accounts history` of each account says which. Restore a backup, or import these accounts again.\n",
            number(passwords)
        );
    }
}

/// Prints JSON on standard output.
fn print_json(value: &serde_json::Value) -> Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, value)?;
    Ok(writeln!(out)?)
}
