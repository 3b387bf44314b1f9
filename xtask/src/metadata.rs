//! What cargo knows about the workspace: `cargo metadata`, the parts that we read.

use crate::process;
use anyhow::{Context as _, Result};
use serde::Deserialize;
use std::{
    collections::{BTreeSet, HashMap},
    path::{Path, PathBuf},
};

/// Every package of the workspace and all that they rest on, for every platform.
#[derive(Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    pub(crate) workspace_members: Vec<String>,
    pub(crate) target_directory: PathBuf,
    resolve: Resolve,
}

/// One version of one package.
#[derive(Deserialize)]
#[cfg_attr(test, derive(Default))]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) license: Option<String>,
    /// Where it comes from; nothing for a folder of this workspace.
    pub(crate) source: Option<String>,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
    /// Each feature with what it turns on.
    #[serde(default)]
    pub(crate) features: HashMap<String, Vec<String>>,
    #[serde(default)]
    pub(crate) targets: Vec<Target>,
    #[serde(default)]
    pub(crate) metadata: Option<serde_json::Value>,
}

/// Something that a package builds.
#[derive(Deserialize)]
pub(crate) struct Target {
    name: String,
    kind: Vec<String>,
}

/// A line of a `[dependencies]` table.
#[derive(Deserialize)]
#[cfg_attr(test, derive(Default))]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) rename: Option<String>,
    /// Nothing for an ordinary dependency, else `dev` or `build`.
    pub(crate) kind: Option<String>,
    #[serde(default)]
    pub(crate) optional: bool,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    dependencies: Vec<String>,
    features: Vec<String>,
}

impl Package {
    /// The folder that its manifest lies in.
    pub(crate) fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(&self.manifest_path)
    }

    /// Whether the dependency is there at all with these features: an ordinary one always is, an optional one when a feature
    /// names it without a question mark.
    fn turns_on(&self, dependency: &str, features: &[String]) -> bool {
        self.dependencies
            .iter()
            .filter(|declared| declared.name == dependency)
            .any(|declared| {
                let name = declared.rename.as_deref().unwrap_or(&declared.name);
                let named = |effect: &String| {
                    effect.strip_prefix("dep:") == Some(name)
                        || effect.split_once('/').is_some_and(|(of, _)| of == name)
                };
                let by_feature =
                    |feature: &String| feature == name || self.features.get(feature).into_iter().flatten().any(named);
                !declared.optional || features.iter().any(by_feature)
            })
    }
}

impl Dependency {
    /// Whether it is there for tests alone.
    pub(crate) fn is_dev(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}

impl Metadata {
    /// Asks cargo. Fails when `Cargo.lock` is not up to date, which is how a forgotten lock file is found.
    pub(crate) fn load(root: &Path) -> Result<Self> {
        let text = process::output(process::cargo(root).args(["metadata", "--format-version=1", "--locked"]))?;
        Self::parse(&text)
    }

    /// Reads what `cargo metadata` printed.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        serde_json::from_str(text).context("could not read what `cargo metadata` printed")
    }

    /// The packages of this workspace.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages
            .iter()
            .filter(|package| self.workspace_members.contains(&package.id))
    }

    /// The name that code knows a dependency by: what it is renamed to, else what its library is called (`md-5` is `md5`).
    pub(crate) fn ident(&self, dependency: &Dependency) -> String {
        let package = self.packages.iter().find(|package| package.name == dependency.name);
        let is_library = |target: &&Target| {
            target
                .kind
                .iter()
                .any(|kind| kind.contains("lib") || kind == "proc-macro")
        };
        let library = package
            .and_then(|package| package.targets.iter().find(is_library))
            .map(|target| &target.name);
        dependency
            .rename
            .as_ref()
            .or(library)
            .unwrap_or(&dependency.name)
            .replace('-', "_")
    }

    /// The packages that take part in any build, each with those that use it directly.
    ///
    /// Cargo also lists packages that only a weak feature (`ring?/alloc`) names and that nothing turns on; those take no part.
    pub(crate) fn used(&self) -> Vec<(&Package, Vec<&Package>)> {
        let packages: HashMap<&str, &Package> = self
            .packages
            .iter()
            .map(|package| (package.id.as_str(), package))
            .collect();
        let nodes: HashMap<&str, &Node> = self.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
        let mut users: HashMap<&str, Vec<&Package>> = HashMap::new();
        let mut waiting: Vec<&str> = self.workspace_members.iter().map(String::as_str).collect();
        let mut seen: BTreeSet<&str> = waiting.iter().copied().collect();
        while let Some((package, node)) = waiting.pop().and_then(|id| Some((*packages.get(id)?, *nodes.get(id)?))) {
            for id in &node.dependencies {
                let Some(used) = packages
                    .get(id.as_str())
                    .filter(|used| package.turns_on(&used.name, &node.features))
                else {
                    continue;
                };
                users.entry(&used.id).or_default().push(package);
                if seen.insert(&used.id) {
                    waiting.push(&used.id);
                }
            }
        }
        let used = seen.into_iter().filter_map(|id| packages.get(id));
        used.map(|package| (*package, users.remove(package.id.as_str()).unwrap_or_default()))
            .collect()
    }
}

/// The folder of the workspace that we were built from, or of the one that we stand in when that has moved.
pub(crate) fn workspace_root() -> Result<PathBuf> {
    let folder =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    let root = folder.parent().context("the folder of xtask has no parent")?;
    root.canonicalize()
        .with_context(|| format!("there is no workspace at {}", root.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An application that uses `tls`, which may use `one` or `two`; the features given are those of `tls`.
    fn used(features: &str) -> Vec<(String, Vec<String>)> {
        let optional = |name: &str| format!(r#"{{"name":"{name}","rename":null,"kind":null,"optional":true}}"#);
        let package = |name: &str, dependencies: &str, features: &str| {
            format!(
                r#"{{"id":"{name}","name":"{name}","version":"1.0.0","license":null,"source":null,"manifest_path":"Cargo.toml",
                    "dependencies":[{dependencies}],"features":{features}}}"#
            )
        };
        let text = format!(
            r#"{{"packages":[{},{},{},{}],"workspace_members":["app"],"target_directory":"target","resolve":{{"nodes":[
                {{"id":"app","dependencies":["tls"],"features":[]}},
                {{"id":"tls","dependencies":["one","two"],"features":[{features}]}},
                {{"id":"one","dependencies":[],"features":[]}},
                {{"id":"two","dependencies":[],"features":[]}}]}}}}"#,
            package("app", r#"{"name":"tls","rename":null,"kind":null}"#, "{}"),
            package(
                "tls",
                &[optional("one"), optional("two")].join(","),
                r#"{"alloc":["one?/alloc"],"first":["dep:one"],"second":["two/std"]}"#
            ),
            package("one", "", "{}"),
            package("two", "", "{}"),
        );
        let metadata = Metadata::parse(&text).unwrap();
        let names = |users: Vec<&Package>| users.iter().map(|user| user.name.clone()).collect();
        metadata
            .used()
            .into_iter()
            .map(|(package, users)| (package.name.clone(), names(users)))
            .collect()
    }

    #[test]
    fn a_weak_feature_turns_nothing_on() {
        let pair =
            |name: &str, users: &[&str]| (name.to_owned(), users.iter().map(|user| (*user).to_owned()).collect());
        assert_eq!(used(r#""alloc""#), [pair("app", &[]), pair("tls", &["app"])]);
        assert_eq!(
            used(r#""first""#),
            [pair("app", &[]), pair("one", &["tls"]), pair("tls", &["app"])]
        );
        assert_eq!(
            used(r#""second""#),
            [pair("app", &[]), pair("tls", &["app"]), pair("two", &["tls"])]
        );
    }
}
