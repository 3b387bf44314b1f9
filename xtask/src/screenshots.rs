//! `cargo xtask screenshots`: pictures of every page, and axe-core on each.
//!
//! The tests in a browser take them where they look at a page. All land below the target folder; those of the pages that matter
//! most go, shrunk, into `docs/pages`.

use crate::{browser, metadata::Metadata, picture, process};
use anyhow::{Context as _, Result, bail};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where the pictures of the repository lie.
const KEPT: &str = "docs/pages";

/// All that the repository holds of pictures, in bytes.
const MOST: u64 = 6 << 20;

/// The sample pages whose pictures are kept in the repository, in every language, width and theme.
const KEY_PAGES: [&str; 10] = [
    "sign-in",
    "sign-in-denied",
    "sign-in-code-wrong",
    "password-turned-off",
    "new-password-choose-variation",
    "new-password-done",
    "account",
    "account-sessions",
    "check",
    "check-no",
];

/// Takes the pictures, lets axe-core look, and keeps those that matter.
pub(crate) fn run(root: &Path) -> Result<()> {
    println!("{}", browser::find_or_install()?);
    let target = Metadata::load(root)?.target_directory;
    let (axe, pictures) = (browser::axe(&target)?, target.join("pages"));
    if pictures.exists() {
        fs::remove_dir_all(&pictures).with_context(|| format!("could not remove {}", pictures.display()))?;
    }
    let mut tests = process::cargo(root);
    tests.args([
        "test",
        "--package=rightful",
        "--test=browser",
        "--locked",
        "--no-fail-fast",
    ]);
    process::run(
        tests
            .env("RIGHTFUL_TEST_AXE", axe)
            .env("RIGHTFUL_TEST_PICTURES", &pictures),
    )?;
    let kept = keep(&pictures, &root.join(KEPT))?;
    println!("all pictures are in {}; {kept} are kept in {KEPT}", pictures.display());
    Ok(())
}

/// Shrinks the pictures of the key pages into the folder, in the place of those that are there.
fn keep(pictures: &Path, folder: &Path) -> Result<usize> {
    fs::create_dir_all(folder).with_context(|| format!("could not make {}", folder.display()))?;
    for old in listed(folder)? {
        fs::remove_file(&old).with_context(|| format!("could not remove {}", old.display()))?;
    }
    let (mut count, mut bytes) = (0, 0);
    for picture in listed(pictures)?.into_iter().filter(|path| is_key(path)) {
        let failed = || format!("could not shrink {}", picture.display());
        let small = picture::shrink(&fs::read(&picture).with_context(failed)?).with_context(failed)?;
        let name = picture.file_name().with_context(failed)?;
        fs::write(folder.join(name), &small).with_context(failed)?;
        count += 1;
        bytes += small.len() as u64;
    }
    if bytes > MOST {
        bail!("the pictures in {KEPT} are {bytes} bytes, more than {MOST}: keep fewer pages");
    }
    if count == 0 {
        bail!("no picture was taken of any page that is kept");
    }
    Ok(count)
}

fn listed(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("could not list {}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "png"));
    paths.sort();
    Ok(paths)
}

/// Whether a picture shows a page that is kept: `account-de-360-dark.png`.
fn is_key(path: &Path) -> bool {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let mut parts = stem.rsplitn(4, '-').skip(2);
    let (language, page) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    language.len() == 2 && KEY_PAGES.contains(&page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_kept_by_their_page_whatever_language_width_and_theme() {
        let kept = |name: &str| is_key(Path::new(name));
        assert!(kept("account-de-360-dark.png") && kept("sign-in-denied-en-1280-light.png"));
        assert!(!kept("account-360-dark.png") && !kept("account-something-de-360-dark.png"));
    }
}
