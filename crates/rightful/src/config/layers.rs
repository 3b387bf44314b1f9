//! What was written where: the file, and over it the environment.

use std::collections::BTreeMap;
use std::path::Path;

use super::kinds::{Kind, Written};
use super::table::{SECTIONS, Section};
use crate::world::Unusable;

/// What a key is where nothing is written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Start {
    /// This, in TOML.
    Is(&'static str),
    /// Nothing; in the sample stands this, in TOML.
    Absent { example: &'static str },
}

impl Start {
    /// The value to show.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Is(text) | Self::Absent { example: text } => text,
        }
    }
}

/// The marks of a variable of ours: this before the section, and that between section and key.
const PREFIX: &str = "RIGHTFUL_";
const BETWEEN: &str = "__";

/// What was written.
pub(super) struct Layers<'a> {
    path: &'a Path,
    table: toml::Table,
    /// By variable, only those that name a section and a key.
    env: BTreeMap<String, String>,
}

impl<'a> Layers<'a> {
    /// From the text of a file, if there is one, and the variables of the environment. Those without `__`, such as
    /// `RIGHTFUL_KEY`, belong to the command line.
    pub(super) fn new(
        file: Option<(&'a Path, &str)>,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, Unusable> {
        let (path, text) = file.unwrap_or((Path::new(""), ""));
        let is_ours = |name: &str| name.strip_prefix(PREFIX).is_some_and(|rest| rest.contains(BETWEEN));
        Ok(Self {
            path,
            table: parse(path, text)?,
            env: env.filter(|(name, _)| is_ours(name)).collect(),
        })
    }

    /// One value: from the environment, else from the file, else from the start.
    pub(super) fn read<T: Kind>(&self, section: &str, key: &str, start: &Start, faults: &mut Vec<String>) -> Option<T> {
        let variable = variable(section, key);
        let (read, place) = if let Some(text) = self.env.get(&variable) {
            (T::read(Written::Text(text)), variable)
        } else if let Some(value) = self.in_file(section, key) {
            (
                T::read(Written::Toml(value)),
                format!("{}: {section}.{key}", self.path.display()),
            )
        } else {
            return match start {
                Start::Is(text) => Some(T::read(Written::Toml(&toml_value(text))).expect("defaults are tested")),
                Start::Absent { .. } => T::absent(),
            };
        };
        read.map_err(|fault| faults.push(format!("{place} {fault}"))).ok()
    }

    fn in_file(&self, section: &str, key: &str) -> Option<&toml::Value> {
        self.table.get(section)?.as_table()?.get(key)
    }

    /// Whether a secret stands in the file itself.
    pub(super) fn file_holds_secret(&self) -> bool {
        SECTIONS.iter().any(|section| {
            let mut secrets = section.keys.iter().filter(|key| key.is_secret);
            secrets.any(|key| self.in_file(section.name, key.name).is_some())
        })
    }

    /// A fault for every name that means nothing.
    pub(super) fn unknown(&self) -> Vec<String> {
        let sections = self
            .table
            .iter()
            .flat_map(|(name, value)| self.unknown_in_file(name, value));
        let variables = self.env.keys().filter(|name| !is_variable(name));
        let told = variables.map(|name| {
            let name = shown(name);
            format!("the variable {name} sets nothing: write {PREFIX}SECTION{BETWEEN}KEY, as in RIGHTFUL_SITE__NAME")
        });
        sections.chain(told).collect()
    }

    fn unknown_in_file(&self, name: &str, value: &toml::Value) -> Vec<String> {
        let path = self.path.display();
        let Some(section) = SECTIONS.iter().find(|section| section.name == name) else {
            let name = shown(name);
            return vec![format!(
                "{path}: there is no section [{name}]; there are {}",
                sections()
            )];
        };
        let Some(keys) = value.as_table() else {
            return vec![format!("{path}: [{name}] is a section: write its keys under it")];
        };
        let unknown = keys
            .keys()
            .filter(|key| section.keys.iter().all(|known| known.name != **key));
        let told = unknown.map(|key| {
            format!(
                "{path}: there is no key {name}.{}; there are {}",
                shown(key),
                section.names()
            )
        });
        told.collect()
    }
}

impl Section {
    fn names(&self) -> String {
        self.keys.iter().map(|key| key.name).collect::<Vec<_>>().join(", ")
    }
}

fn sections() -> String {
    SECTIONS
        .iter()
        .map(|section| section.name)
        .collect::<Vec<_>>()
        .join(", ")
}

fn is_variable(name: &str) -> bool {
    let of = |section: &Section| section.keys.iter().any(|key| variable(section.name, key.name) == name);
    SECTIONS.iter().any(of)
}

/// A name that somebody wrote: short, and without what would disturb a terminal.
fn shown(name: &str) -> String {
    name.escape_debug().take(60).collect()
}

/// The variable for a key: `RIGHTFUL_SITE__BASE_URL`.
fn variable(section: &str, key: &str) -> String {
    format!(
        "{PREFIX}{}{BETWEEN}{}",
        section.to_ascii_uppercase(),
        key.to_ascii_uppercase()
    )
}

/// A value of the table's own, in TOML.
pub(super) fn toml_value(text: &str) -> toml::Value {
    let mut table: toml::Table = format!("value = {text}")
        .parse()
        .expect("the table's values are tested");
    table.remove("value").expect("it was written just before")
}

/// The file's text. The parser's own message would show the line, and with it perhaps a password.
fn parse(path: &Path, text: &str) -> Result<toml::Table, Unusable> {
    text.parse().map_err(|fault: toml::de::Error| {
        let before = fault.span().and_then(|span| text.get(..span.start)).unwrap_or("");
        let line = before.matches('\n').count() + 1;
        Unusable(format!(
            "{}: line {line} is no TOML: {}",
            path.display(),
            fault.message()
        ))
    })
}
