//! Dependencies that no line of code names. A word search, as cargo-machete does it: cheap, and wrong only when a name
//! stands in a comment. A dependency that is there for its features alone is listed in the same place as for cargo-machete:
//! `[package.metadata.cargo-machete] ignored = ["name"]`.

use crate::{
    metadata::{Dependency, Metadata, Package},
    texts,
};
use anyhow::{Context as _, Result, bail};
use std::{
    collections::{BTreeSet, HashSet},
    fs,
    path::Path,
};

/// Checks every member of the workspace; returns how many dependencies were looked at.
pub(crate) fn check(root: &Path, metadata: &Metadata) -> Result<usize> {
    let mut unused = Vec::new();
    let mut seen = 0;
    for package in metadata.members() {
        let code = Code::read(package)?;
        seen += package.dependencies.len();
        unused.extend(
            package
                .dependencies
                .iter()
                .filter(|dependency| !is_ignored(package, dependency))
                .filter_map(|dependency| {
                    let missing = code.missing(&metadata.ident(dependency), dependency.kind.as_deref())?;
                    Some(format!(
                        "{}: `{}` is used nowhere in {missing}",
                        package.name, dependency.name
                    ))
                }),
        );
    }
    unused.extend(unused_in_workspace(root, metadata)?);
    if !unused.is_empty() {
        bail!("{}", unused.join("\n"));
    }
    Ok(seen)
}

/// The words of a package's code.
struct Code {
    product: HashSet<String>,
    tests: HashSet<String>,
    build: HashSet<String>,
}

impl Code {
    fn read(package: &Package) -> Result<Self> {
        let mut code = Self {
            product: HashSet::new(),
            tests: HashSet::new(),
            build: HashSet::new(),
        };
        for path in texts::files(package.folder(), &["rs"])? {
            let text = fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
            let within = path.strip_prefix(package.folder()).unwrap_or(&path);
            let place = if within.starts_with("src") {
                &mut code.product
            } else if within == Path::new("build.rs") {
                &mut code.build
            } else {
                &mut code.tests
            };
            place.extend(words(&text).map(str::to_owned));
        }
        Ok(code)
    }

    /// Where the dependency should be named and is not. Unit tests live in `src`, so a dev dependency may be named there.
    fn missing(&self, ident: &str, kind: Option<&str>) -> Option<&'static str> {
        let (places, missing): (&[&HashSet<String>], _) = match kind {
            Some("dev") => (&[&self.product, &self.tests], "its code or tests"),
            Some("build") => (&[&self.build], "build.rs"),
            _ => (&[&self.product], "src"),
        };
        (!places.iter().any(|words| words.contains(ident))).then_some(missing)
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}

fn is_ignored(package: &Package, dependency: &Dependency) -> bool {
    let ignored = package
        .metadata
        .as_ref()
        .and_then(|metadata| metadata.pointer("/cargo-machete/ignored")?.as_array());
    ignored.is_some_and(|names| names.iter().any(|name| name == dependency.name.as_str()))
}

/// Lines of `[workspace.dependencies]` that no member takes up.
fn unused_in_workspace(root: &Path, metadata: &Metadata) -> Result<Vec<String>> {
    let path = root.join("Cargo.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
    let manifest: toml::Table = text
        .parse()
        .with_context(|| format!("could not understand {}", path.display()))?;
    let listed = manifest
        .get("workspace")
        .and_then(|workspace| workspace.get("dependencies")?.as_table());
    let taken: BTreeSet<&str> = metadata
        .members()
        .flat_map(|package| &package.dependencies)
        .map(|dependency| dependency.name.as_str())
        .collect();
    let unused = listed
        .into_iter()
        .flat_map(toml::Table::keys)
        .filter(|name| !taken.contains(name.as_str()));
    Ok(unused
        .map(|name| format!("Cargo.toml: no member takes up the workspace's `{name}`"))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(product: &str, tests: &str) -> Code {
        let set = |text: &str| words(text).map(str::to_owned).collect();
        Code {
            product: set(product),
            tests: set(tests),
            build: HashSet::new(),
        }
    }

    #[test]
    fn a_dependency_is_looked_for_as_a_whole_word() {
        let code = code("use serde_json::Value; let md55 = 1;", "");
        assert_eq!(code.missing("serde_json", None), None);
        assert_eq!(code.missing("serde", None), Some("src"));
        assert_eq!(code.missing("md5", None), Some("src"));
    }

    #[test]
    fn what_only_tests_use_belongs_to_them() {
        let code = code("", "use proptest::prelude::*;");
        assert_eq!(code.missing("proptest", None), Some("src"));
        assert_eq!(code.missing("proptest", Some("dev")), None);
        assert_eq!(code.missing("proptest", Some("build")), Some("build.rs"));
    }
}
