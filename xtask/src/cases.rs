//! The security cases and their tests laid side by side: each case of `docs/security-cases.md` has a test named after it,
//! and each test named like a case has its case.

use crate::texts;
use anyhow::{Context as _, Result, bail};
use std::{collections::BTreeSet, fs, path::Path};

/// Where the cases stand.
const LIST: &str = "docs/security-cases.md";

/// Checks both directions; returns how many cases there are.
pub(crate) fn check(root: &Path) -> Result<usize> {
    let document = fs::read_to_string(root.join(LIST)).with_context(|| format!("could not read {LIST}"))?;
    let listed = listed(&document);
    let mut tested = BTreeSet::new();
    for path in texts::files(&root.join("crates"), &["rs"])? {
        tested.extend(tested_in(
            &fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?,
        ));
    }
    let untested = listed
        .difference(&tested)
        .map(|id| format!("case {id} has no test `fn {}_…`", id.to_lowercase()));
    let unlisted = tested
        .difference(&listed)
        .map(|id| format!("a test is named after {id}, which {LIST} does not list"));
    let wrong: Vec<String> = untested.chain(unlisted).collect();
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    Ok(listed.len())
}

/// The ids in the first column of the tables.
fn listed(document: &str) -> BTreeSet<String> {
    let first_cells = document
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    first_cells.filter(|cell| is_id(cell)).map(str::to_owned).collect()
}

/// The ids that functions are named after: `fn k01_archive_bombs` answers K01.
fn tested_in(code: &str) -> impl Iterator<Item = String> {
    code.split("fn ").skip(1).filter_map(|name| {
        let (id, rest) = (name.get(..3)?.to_uppercase(), name.get(3..)?);
        (is_id(&id) && rest.starts_with('_')).then_some(id)
    })
}

fn is_id(text: &str) -> bool {
    matches!(text.as_bytes(), [b'A'..=b'O', tens, ones] if tens.is_ascii_digit() && ones.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_from_the_first_column_only() {
        let document = "| ID | Test |\n|---|---|\n| K01 | archive-bombs | like A01 |\n| N02 | db-theft |\ntext K05\n";
        assert_eq!(listed(document), BTreeSet::from(["K01".to_owned(), "N02".to_owned()]));
    }

    #[test]
    fn tests_answer_a_case_by_their_name() {
        let code = "#[test]\nfn k01_archive_bombs() {}\nasync fn n02_db_theft() {}\nfn k015_no() {}\nfn m04() {}\nfn tab_x() {}";
        assert_eq!(tested_in(code).collect::<Vec<_>>(), ["K01", "N02"]);
    }
}
