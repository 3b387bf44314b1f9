//! `rightful config`: what can be set, and whether what is set can be used.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use crate::config::{Config, USUAL_FILE, environment, reference, sample};

/// Reads the configuration as the server would, and says that it is good. What is wrong is the error.
pub(crate) fn check(file: Option<&Path>, json: bool) -> Result<ExitCode> {
    let config = Config::load(file, environment())?;
    let usual = Path::new(USUAL_FILE);
    let file = file.or_else(|| usual.exists().then_some(usual));
    let address = config.listen.address.to_string();
    if json {
        let base_url = config.site.base_url.as_ref().map(ToString::to_string);
        super::print_json(&serde_json::json!({ "file": file, "address": address, "base_url": base_url }))?;
        return Ok(ExitCode::SUCCESS);
    }
    match file {
        Some(file) => println!("{} can be used", file.display()),
        None => println!("there is no {USUAL_FILE} here; the defaults and the environment can be used"),
    }
    match &config.site.base_url {
        Some(base_url) => println!("listens on {address}, for owners at {base_url}"),
        None => println!("listens on {address}, for this machine alone"),
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the commented sample.
pub(crate) fn print_sample() -> ExitCode {
    print!("{}", sample());
    ExitCode::SUCCESS
}

/// Prints the reference page.
pub(crate) fn print_reference() -> ExitCode {
    print!("{}", reference());
    ExitCode::SUCCESS
}
