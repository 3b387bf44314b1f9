//! What tests need from outside: Chromium with its driver, oathtool, another mail server and another reader of signatures; for
//! `screenshots` axe-core.

use crate::{debian, process};
use anyhow::{Context as _, Result, bail};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Programs, each with the Debian package that brings it.
const PROGRAMS: [(&str, &str); 5] = [
    ("chromium", "chromium"),
    ("chromedriver", "chromium-driver"),
    ("oathtool", "oathtool"),
    ("aiosmtpd", "python3-aiosmtpd"),
    ("dkimverify", "python3-dkim"),
];

/// What looks at pages for people who see, hear or move differently. One version, so that it finds the same everywhere.
const AXE: &str = "axe-core@4.14.1";

/// Finds the programs; on Debian, as root, installs those that are missing. In words, for a table.
pub(crate) fn find_or_install() -> Result<String> {
    let missing = || PROGRAMS.iter().filter(|(program, _)| !process::on_path(program));
    if missing().next().is_some() {
        let (programs, packages): (Vec<&str>, Vec<&str>) = missing().copied().unzip();
        let advice = format!(
            "the tests need {}: `apt-get install {}` on Debian; elsewhere, put programs of these names on PATH",
            programs.join(", "),
            packages.join(" ")
        );
        debian::install(&packages, &advice)?;
        if let Some((program, package)) = missing().next() {
            bail!("{advice}; Debian's package {package} did not bring {program}");
        }
    }
    let version = process::output(Command::new("chromium").arg("--version"))?;
    Ok(version.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
}

/// The script of axe-core, fetched with npm into a folder below the target folder when it is not there yet.
pub(crate) fn axe(target: &Path) -> Result<PathBuf> {
    let folder = target.join("axe");
    let script = folder.join("package").join("axe.min.js");
    if script.is_file() {
        return Ok(script);
    }
    fs::create_dir_all(&folder).with_context(|| format!("could not make {}", folder.display()))?;
    let advice = format!("could not fetch {AXE}: install npm, and let it reach its registry");
    let packed = process::output(Command::new("npm").args(["pack", "--silent", AXE]).current_dir(&folder));
    let archive = packed.context(advice)?;
    let archive = archive.trim().lines().last().unwrap_or_default().to_owned();
    process::run(Command::new("tar").args(["-xzf", &archive]).current_dir(&folder))?;
    if !script.is_file() {
        bail!("{AXE} did not bring {}", script.display());
    }
    Ok(script)
}
