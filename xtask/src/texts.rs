//! What people read: spelling, and that what we point at is there.

use anyhow::{Context as _, Result, bail};
use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

/// Misspellings that are never meant, each with the word that is.
const TYPOS: &str = include_str!("typos.txt");

/// Kinds of files that people write by hand.
const WRITTEN: [&str; 5] = ["md", "rs", "toml", "sql", "sh"];

/// Checks spelling and links; returns how many files were read.
pub(crate) fn check(root: &Path) -> Result<usize> {
    let typos: HashMap<&str, &str> = TYPOS.lines().filter_map(|line| line.split_once(' ')).collect();
    let files = files(root, &WRITTEN)?;
    let mut wrong = Vec::new();
    for path in &files {
        let text = fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
        let name = path.strip_prefix(root).unwrap_or(path).display();
        for (number, line) in (1..).zip(text.lines()) {
            wrong.extend(
                misspelt(line, &typos).map(|(typo, word)| format!("{name}:{number}: `{typo}` is spelt {word}")),
            );
            wrong.extend(
                missing_documents(line, root).map(|document| format!("{name}:{number}: {document} is not there")),
            );
            if path.extension().is_some_and(|extension| extension == "md") {
                wrong.extend(dead_links(line, path).map(|link| format!("{name}:{number}: {link} is not there")));
            }
        }
    }
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    Ok(files.len())
}

/// Every file below the folder with one of these extensions, in order; hidden folders and build output aside.
pub(crate) fn files(folder: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).with_context(|| format!("could not list {}", folder.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("could not list {}", folder.display()))?;
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            if path.is_dir() {
                let built = name.starts_with("target") && path.join("CACHEDIR.TAG").exists();
                if !(name.starts_with('.') || built) {
                    folders.push(path);
                }
            } else if path
                .extension()
                .is_some_and(|extension| extensions.iter().any(|wanted| extension == *wanted))
            {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn misspelt<'a>(line: &'a str, typos: &HashMap<&str, &'a str>) -> impl Iterator<Item = (String, &'a str)> {
    words(line).into_iter().filter_map(|word| {
        let right = typos.get(word.as_str())?;
        Some((word, *right))
    })
}

/// The words of a line in lower case, also those that a name is made of: `fooBar_baz` has three.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for name in line.split(|c: char| !c.is_alphabetic()) {
        let mut word = String::new();
        let mut after_small = false;
        for c in name.chars() {
            if c.is_uppercase() && after_small {
                words.push(std::mem::take(&mut word));
            }
            after_small = c.is_lowercase();
            word.extend(c.to_lowercase());
        }
        if !word.is_empty() {
            words.push(word);
        }
    }
    words
}

/// Documents of ours that are spoken of by their path, in code too, and do not exist.
fn missing_documents<'a>(line: &'a str, root: &Path) -> impl Iterator<Item = &'a str> {
    let words = line.split(|c: char| !(c.is_ascii_alphanumeric() || "/._-".contains(c)));
    let paths = words
        .map(|word| word.trim_end_matches('.'))
        .filter(|word| word.starts_with("docs/") && word.ends_with(".md"));
    paths.filter(|path| !root.join(path).exists())
}

/// The targets of `[text](target)` that are files of ours and do not exist.
fn dead_links<'a>(line: &'a str, document: &Path) -> impl Iterator<Item = &'a str> {
    let folder = document.parent().unwrap_or(document).to_path_buf();
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target)
        .filter(move |target| {
            let path = target.split('#').next().unwrap_or_default();
            let elsewhere = path.is_empty() || path.contains("://") || path.starts_with("mailto:");
            !elsewhere && !folder.join(path).exists()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_inside_names() {
        assert_eq!(
            words("fn readTheFile(max_len: u8) // HTTP"),
            ["fn", "read", "the", "file", "max", "len", "u", "http"]
        );
    }

    #[test]
    fn a_misspelling_is_found_and_named() {
        let typos = HashMap::from([("levae", "leave")]);
        let found: Vec<_> = misspelt("fn on_levae() {}", &typos).collect();
        assert_eq!(found, [("levae".to_owned(), "leave")]);
        assert_eq!(misspelt("fn on_leave() {}", &typos).count(), 0);
    }

    #[test]
    fn the_list_has_pairs_and_no_right_word_among_the_wrong_ones() {
        let pairs: Vec<_> = TYPOS.lines().map(|line| line.split_once(' ').unwrap()).collect();
        assert!(
            pairs
                .iter()
                .all(|(typo, _)| pairs.iter().all(|(_, right)| typo != right))
        );
    }

    #[test]
    fn documents_that_code_speaks_of_must_exist() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        let absent = concat!("docs/", "none.md");
        let line = format!("//! See `{absent}`, `docs/security-cases.md` and docs/decisions.");
        assert_eq!(missing_documents(&line, root).collect::<Vec<_>>(), [absent]);
    }

    #[test]
    fn links_to_files_must_lead_to_one() {
        let here = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"));
        let line = "[a](src/main.rs) [b](src/none.rs) [c](https://example.org) [d](#part) [e](src/main.rs#part)";
        assert_eq!(dead_links(line, here).collect::<Vec<_>>(), ["src/none.rs"]);
    }
}
