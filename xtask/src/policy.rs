//! Licences, bans and sources as `deny.toml` has them, looked at without cargo-deny, which would have to be compiled first
//! (two minutes on two cores). Who has it can run `cargo deny check` with the same file.

use crate::metadata::{Metadata, Package};
use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use std::{fs, path::Path};

/// The parts of `deny.toml` that we read.
#[derive(Deserialize)]
pub(crate) struct Policy {
    licenses: Licenses,
    bans: Bans,
    sources: Sources,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

/// A crate that nobody may use, or only the wrappers.
#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    #[serde(default)]
    wrappers: Vec<String>,
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: Vec<String>,
}

impl Policy {
    /// Reads `deny.toml` of the workspace.
    pub(crate) fn load(root: &Path) -> Result<Self> {
        let path = root.join("deny.toml");
        let text = fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("could not understand {}", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        Ok(toml::from_str(text)?)
    }

    /// Checks every package that takes part in a build; returns how many there are.
    pub(crate) fn check(&self, metadata: &Metadata) -> Result<usize> {
        let used = metadata.used();
        let wrong: Vec<String> = used
            .iter()
            .flat_map(|(package, users)| {
                let users: Vec<&str> = users.iter().map(|user| user.name.as_str()).collect();
                [
                    self.wrong_license(package),
                    self.wrong_source(package),
                    self.banned(package, &users),
                ]
            })
            .flatten()
            .collect();
        if !wrong.is_empty() {
            bail!("{}", wrong.join("\n"));
        }
        Ok(used.len())
    }

    fn wrong_license(&self, package: &Package) -> Option<String> {
        let Package {
            name, version, license, ..
        } = package;
        let Some(license) = license else {
            return Some(format!("{name} {version} states no licence"));
        };
        // Lax: some old packages still write "MIT/Apache-2.0".
        let Ok(expression) = spdx::Expression::parse_mode(license, spdx::ParseMode::LAX) else {
            return Some(format!(
                "{name} {version}: the licence `{license}` cannot be understood"
            ));
        };
        let allowed = expression.evaluate(|required| self.licenses.allow.contains(&required.to_string()));
        (!allowed)
            .then(|| format!("{name} {version}: the licence `{license}` is not among those that deny.toml allows"))
    }

    fn wrong_source(&self, package: &Package) -> Option<String> {
        let source = package.source.as_deref()?;
        let allowed = self
            .sources
            .allow_registry
            .iter()
            .any(|registry| source == format!("registry+{registry}"));
        let Package { name, version, .. } = package;
        (!allowed).then(|| format!("{name} {version} comes from {source}, which deny.toml does not allow"))
    }

    fn banned(&self, package: &Package, users: &[&str]) -> Option<String> {
        let ban = self.bans.deny.iter().find(|ban| ban.name == package.name)?;
        let stranger = users
            .iter()
            .find(|user| !ban.wrappers.iter().any(|wrapper| wrapper == *user))?;
        Some(format!(
            "{} is used by {stranger}, which deny.toml forbids: {}",
            package.name, ban.reason
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"
        [licenses]
        allow = ["MIT", "Apache-2.0", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"]
        [bans]
        deny = [{ crate = "ring", reason = "a second one" }, { crate = "sqlx", wrappers = ["store"], reason = "one room" }]
        [sources]
        allow-registry = ["https://example.org/index"]
    "#;

    fn package(name: &str, license: Option<&str>, source: Option<&str>) -> Package {
        Package {
            id: name.to_owned(),
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            license: license.map(str::to_owned),
            source: source.map(str::to_owned),
            ..Package::default()
        }
    }

    #[test]
    fn a_licence_passes_when_what_it_asks_for_is_allowed() {
        let policy = Policy::parse(POLICY).unwrap();
        let passes = |license| policy.wrong_license(&package("some", license, None)).is_none();
        assert!(passes(Some("MIT OR GPL-3.0")));
        assert!(passes(Some("MIT/Apache-2.0")));
        assert!(passes(Some("(MIT OR Apache-2.0) AND Unicode-3.0")));
        assert!(passes(Some("Apache-2.0 WITH LLVM-exception")));
        assert!(!passes(Some("MIT AND GPL-3.0")));
        assert!(!passes(Some("MPL-2.0")));
        assert!(!passes(Some("as you like")));
        assert!(!passes(None));
    }

    #[test]
    fn only_listed_registries_and_our_own_folders_are_sources() {
        let policy = Policy::parse(POLICY).unwrap();
        let passes = |source| policy.wrong_source(&package("some", None, source)).is_none();
        assert!(passes(None));
        assert!(passes(Some("registry+https://example.org/index")));
        assert!(!passes(Some("registry+https://example.org/index2")));
        assert!(!passes(Some("git+https://example.org/index#abc")));
    }

    #[test]
    fn a_ban_holds_for_everybody_but_its_wrappers() {
        let policy = Policy::parse(POLICY).unwrap();
        let passes = |name, users: &[&str]| policy.banned(&package(name, None, None), users).is_none();
        assert!(passes("sqlx", &["store"]));
        assert!(!passes("sqlx", &["store", "app"]));
        assert!(!passes("ring", &["rustls"]));
        assert!(passes("other", &["app"]));
    }
}
