//! The arrows between the rooms, exactly: who may rest on whom, and what a room must never know.

use crate::metadata::{Metadata, Package};
use anyhow::{Result, bail};

/// One room: what it may use in the product, what more in its tests, and what it must never name.
struct Room {
    name: &'static str,
    uses: &'static [&'static str],
    tests_use: &'static [&'static str],
    never: &'static [&'static str],
}

/// Waiting, the clock, chance, SQL, HTTP, logs: what a pure room has no business with.
const PURE: &[&str] = &[
    "tokio",
    "sqlx",
    "serde",
    "serde_json",
    "jiff",
    "rand",
    "getrandom",
    "tracing",
    "log",
    "anyhow",
];

/// The rooms. A new folder under `crates/` needs a line here: that is where its arrows are decided.
const ROOMS: &[Room] = &[
    Room {
        name: "rightful-core",
        uses: &[],
        tests_use: &["rightful-testkit"],
        never: PURE,
    },
    Room {
        name: "rightful-crypto",
        uses: &["rightful-core"],
        tests_use: &["rightful-testkit"],
        never: &["tokio", "sqlx", "jiff", "rand", "getrandom", "anyhow"],
    },
    Room {
        name: "rightful-leaks",
        uses: &["rightful-core", "rightful-crypto"],
        tests_use: &["rightful-testkit"],
        never: &["tokio", "sqlx", "jiff", "rand", "getrandom", "anyhow"],
    },
    Room {
        name: "rightful-store",
        uses: &["rightful-core"],
        tests_use: &["rightful-testkit"],
        never: &["jiff", "rand", "getrandom", "anyhow"],
    },
    Room {
        name: "rightful-notify",
        uses: &["rightful-core"],
        tests_use: &["rightful-testkit"],
        never: &["sqlx", "axum", "rand", "getrandom", "anyhow"],
    },
    Room {
        name: "rightful-app",
        uses: &[
            "rightful-core",
            "rightful-crypto",
            "rightful-leaks",
            "rightful-store",
            "rightful-notify",
        ],
        tests_use: &["rightful-testkit"],
        never: &["sqlx", "axum", "clap", "rand", "getrandom", "anyhow"],
    },
    Room {
        name: "rightful-web",
        uses: &["rightful-core", "rightful-app"],
        tests_use: &["rightful-testkit"],
        never: &["sqlx", "clap", "rand", "getrandom", "anyhow"],
    },
    Room {
        name: "rightful",
        uses: &[
            "rightful-core",
            "rightful-crypto",
            "rightful-leaks",
            "rightful-store",
            "rightful-notify",
            "rightful-app",
            "rightful-web",
        ],
        tests_use: &["rightful-testkit"],
        never: &["sqlx"],
    },
    Room {
        name: "rightful-testkit",
        uses: &[
            "rightful-core",
            "rightful-crypto",
            "rightful-leaks",
            "rightful-store",
            "rightful-notify",
            "rightful-app",
        ],
        tests_use: &[],
        never: &[],
    },
    Room {
        name: "rightful-bench",
        uses: &[
            "rightful-core",
            "rightful-crypto",
            "rightful-leaks",
            "rightful-store",
            "rightful-notify",
            "rightful-app",
            "rightful-testkit",
        ],
        tests_use: &[],
        never: &[],
    },
    Room {
        name: "xtask",
        uses: &[],
        tests_use: &[],
        never: &["tokio", "sqlx"],
    },
];

/// Checks every arrow; returns how many there are.
pub(crate) fn check(metadata: &Metadata) -> Result<usize> {
    let members: Vec<&Package> = metadata.members().collect();
    let names: Vec<&str> = members.iter().map(|package| package.name.as_str()).collect();
    let wrong: Vec<String> = members
        .iter()
        .flat_map(|package| wrong_arrows(package, &names))
        .collect();
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    let arrows = members.iter().flat_map(|package| &package.dependencies);
    Ok(arrows
        .filter(|dependency| names.contains(&dependency.name.as_str()))
        .count())
}

fn wrong_arrows(package: &Package, members: &[&str]) -> Vec<String> {
    let Some(room) = ROOMS.iter().find(|room| room.name == package.name) else {
        return vec![format!(
            "`{}` is no room that xtask/src/rooms.rs knows; decide there what it may use",
            package.name
        )];
    };
    let mut wrong = Vec::new();
    for dependency in &package.dependencies {
        let name = dependency.name.as_str();
        let allowed = room.uses.contains(&name) || (dependency.is_dev() && room.tests_use.contains(&name));
        if members.contains(&name) && !allowed {
            let place = if dependency.is_dev() { " even in its tests" } else { "" };
            wrong.push(format!("`{}` must not use the room `{name}`{place}", room.name));
        }
        if room.never.contains(&name) && !dependency.is_dev() {
            wrong.push(format!("`{}` must not know `{name}`", room.name));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Dependency;

    fn package(name: &str, dependencies: &[(&str, Option<&str>)]) -> Package {
        let dependencies = dependencies.iter().map(|(name, kind)| Dependency {
            name: (*name).to_owned(),
            kind: kind.map(str::to_owned),
            ..Dependency::default()
        });
        Package {
            id: name.to_owned(),
            name: name.to_owned(),
            dependencies: dependencies.collect(),
            ..Package::default()
        }
    }

    fn check(name: &str, dependencies: &[(&str, Option<&str>)], wrong: &[&str]) {
        let members: Vec<&str> = ROOMS.iter().map(|room| room.name).collect();
        assert_eq!(wrong_arrows(&package(name, dependencies), &members), wrong);
    }

    #[test]
    fn arrows_that_are_drawn_pass() {
        check(
            "rightful-leaks",
            &[("rightful-core", None), ("rightful-crypto", None), ("zip", None)],
            &[],
        );
        check(
            "rightful-store",
            &[
                ("rightful-core", None),
                ("rightful-testkit", Some("dev")),
                ("sqlx", None),
            ],
            &[],
        );
    }

    #[test]
    fn arrows_that_are_not_drawn_fail() {
        check(
            "rightful-core",
            &[("rightful-store", None)],
            &["`rightful-core` must not use the room `rightful-store`"],
        );
        check(
            "rightful-app",
            &[("rightful-testkit", None)],
            &["`rightful-app` must not use the room `rightful-testkit`"],
        );
        check(
            "rightful-core",
            &[("rightful-app", Some("dev"))],
            &["`rightful-core` must not use the room `rightful-app` even in its tests"],
        );
    }

    #[test]
    fn what_a_room_must_not_know_fails_outside_its_tests() {
        check(
            "rightful-core",
            &[("tokio", None)],
            &["`rightful-core` must not know `tokio`"],
        );
        check("rightful-core", &[("serde_json", Some("dev"))], &[]);
    }

    #[test]
    fn a_room_that_is_not_in_the_table_fails() {
        let wrong = "`rightful-cellar` is no room that xtask/src/rooms.rs knows; decide there what it may use";
        check("rightful-cellar", &[], &[wrong]);
    }
}
