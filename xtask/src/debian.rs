//! Programs that others make: found, or installed from Debian's packages where that is ours to do.

use crate::process;
use anyhow::{Context as _, Result, bail};
use std::{
    path::Path,
    process::{Command, Stdio},
};

/// Installs packages; as root on Debian only. Else, and when it fails, the error is the advice, which says what to install.
pub(crate) fn install(packages: &[&str], advice: &str) -> Result<()> {
    if !(is_root()? && Path::new("/etc/debian_version").exists() && process::on_path("apt-get")) {
        bail!(advice.to_owned());
    }
    println!("installing from Debian's packages: {}", packages.join(", "));
    let install = ["install", "--quiet", "--yes", "--no-install-recommends"];
    for arguments in [&["update", "--quiet"][..], &[&install[..], packages].concat()] {
        process::run(
            Command::new("apt-get")
                .args(arguments)
                .env("DEBIAN_FRONTEND", "noninteractive")
                .stdin(Stdio::null()),
        )
        .with_context(|| advice.to_owned())?;
    }
    Ok(())
}

/// Whether we may do everything on this machine.
pub(crate) fn is_root() -> Result<bool> {
    Ok(process::output(Command::new("id").arg("-u"))?.trim() == "0")
}
