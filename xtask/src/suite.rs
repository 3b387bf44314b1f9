//! The steps of `cargo xtask test` and `cargo xtask soak`.

use crate::{
    browser, cases,
    metadata::Metadata,
    policy::Policy,
    postgres::{Durability, Installation, Postgres},
    process, rooms,
    steps::{Outcome, Step},
    texts, unused,
};
use anyhow::{Context as _, Result, bail};
use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
};

/// What must pass before a change is handed in, the quick first.
pub(crate) const TEST: &[Step<Context>] = &[
    Step {
        name: "tools",
        shows: "rustfmt, clippy, PostgreSQL, Chromium, oathtool, aiosmtpd and dkimpy are here, or can be installed",
        run: tools,
    },
    Step {
        name: "format",
        shows: "the code stands as rustfmt writes it",
        run: format,
    },
    Step {
        name: "texts",
        shows: "spelling; what documents and code point at is there",
        run: texts,
    },
    Step {
        name: "cases",
        shows: "each security case has its test, each such test its case",
        run: cases,
    },
    Step {
        name: "rooms",
        shows: "the arrows between the rooms",
        run: rooms,
    },
    Step {
        name: "dependencies",
        shows: "licences, bans, sources; none unused; Cargo.lock up to date",
        run: dependencies,
    },
    Step {
        name: "advisories",
        shows: "known holes in what we rest on, where their database is at hand",
        run: advisories,
    },
    Step {
        name: "lints",
        shows: "clippy, with warnings as errors",
        run: lints,
    },
    Step {
        name: "docs",
        shows: "the documentation builds without a warning",
        run: docs,
    },
    Step {
        name: "build",
        shows: "compile everything that the tests need",
        run: build,
    },
    Step {
        name: "tests",
        shows: "unit, property, both database engines, crash, in a browser",
        run: tests,
    },
];

/// The same tests with more of everything.
pub(crate) const SOAK: &[Step<Context>] = &[
    Step {
        name: "tools",
        shows: "PostgreSQL, Chromium, oathtool, aiosmtpd and dkimpy are here, or can be installed",
        run: tools,
    },
    Step {
        name: "build",
        shows: "compile everything that the tests need",
        run: build,
    },
    Step {
        name: "soak-parsers",
        shows: "100,000 generated inputs for each property of the rules, the hash formats and the readers",
        run: soak_parsers,
    },
    Step {
        name: "soak-tests",
        shows: "50 kills per phase, every test and race of the store 50 times",
        run: soak_tests,
    },
];

/// What the steps share.
pub(crate) struct Context {
    root: PathBuf,
    metadata: Option<Metadata>,
    postgres: Option<Postgres>,
}

impl Context {
    /// For the workspace in this folder.
    pub(crate) fn new(root: PathBuf) -> Self {
        Self {
            root,
            metadata: None,
            postgres: None,
        }
    }

    fn cargo(&self) -> Command {
        process::cargo(&self.root)
    }

    fn metadata(&mut self) -> Result<&Metadata> {
        if self.metadata.is_none() {
            self.metadata = Some(Metadata::load(&self.root)?);
        }
        self.metadata.as_ref().context("just loaded")
    }

    /// The address of our PostgreSQL, started when first asked for.
    fn postgres_url(&mut self) -> Result<&str> {
        if self.postgres.is_none() {
            self.postgres = Some(Postgres::start(&Installation::find_or_install()?, Durability::Off)?);
        }
        self.postgres.as_ref().map(Postgres::url).context("just started")
    }
}

fn passed(note: impl Into<String>) -> Result<Outcome> {
    Ok(Outcome::Passed(note.into()))
}

fn tools(context: &mut Context) -> Result<Outcome> {
    for (subcommand, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        if process::works(context.cargo().args([subcommand, "--version"])) {
            continue;
        }
        let advice = format!("`cargo {subcommand}` is missing; install it with `rustup component add {component}`");
        process::run(Command::new("rustup").args(["component", "add", component])).context(advice)?;
    }
    let postgres = Installation::find_or_install()?.describe();
    passed(format!("{postgres}, {}", browser::find_or_install()?))
}

fn format(context: &mut Context) -> Result<Outcome> {
    process::run(context.cargo().args(["fmt", "--all", "--check"])).context("run `cargo fmt --all`")?;
    passed("")
}

fn texts(context: &mut Context) -> Result<Outcome> {
    passed(format!("{} files", texts::check(&context.root)?))
}

fn cases(context: &mut Context) -> Result<Outcome> {
    passed(format!("{} cases", cases::check(&context.root)?))
}

fn rooms(context: &mut Context) -> Result<Outcome> {
    passed(format!("{} arrows", rooms::check(context.metadata()?)?))
}

fn dependencies(context: &mut Context) -> Result<Outcome> {
    let policy = Policy::load(&context.root)?;
    let root = context.root.clone();
    let metadata = context.metadata()?;
    passed(match (policy.check(metadata), unused::check(&root, metadata)) {
        (Ok(packages), Ok(used)) => format!("{packages} packages may be here, {used} dependencies are used"),
        (Err(forbidden), Err(unused)) => bail!("{forbidden}\n{unused}"),
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => return Err(error),
    })
}

/// cargo-deny reads them from a clone of the advisory database. Neither is downloaded here: tests do without the network.
fn advisories(context: &mut Context) -> Result<Outcome> {
    if !process::on_path("cargo-deny") {
        return Ok(Outcome::Skipped(
            "cargo-deny is not installed (`cargo install cargo-deny`)".to_owned(),
        ));
    }
    let cargo_home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = std::env::home_dir().map(|home| home.join(".cargo"));
    let databases = cargo_home.or(home).map(|folder| folder.join("advisory-dbs"));
    if !databases.is_some_and(|folder| folder.is_dir()) {
        return Ok(Outcome::Skipped(
            "no advisory database at hand (`cargo deny fetch` brings one)".to_owned(),
        ));
    }
    process::run(context.cargo().args(["deny", "--offline", "check", "advisories"]))?;
    passed("")
}

fn lints(context: &mut Context) -> Result<Outcome> {
    process::run(context.cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "--deny=warnings",
    ]))?;
    passed("")
}

fn docs(context: &mut Context) -> Result<Outcome> {
    let mut command = context.cargo();
    command.args([
        "doc",
        "--workspace",
        "--no-deps",
        "--document-private-items",
        "--locked",
    ]);
    process::run(command.env("RUSTDOCFLAGS", "--deny=warnings"))?;
    passed("")
}

fn build(context: &mut Context) -> Result<Outcome> {
    process::run(context.cargo().args(["test", "--workspace", "--locked", "--no-run"]))?;
    passed("")
}

fn tests(context: &mut Context) -> Result<Outcome> {
    run_tests(context, &["--workspace"], &[])
}

fn soak_parsers(context: &mut Context) -> Result<Outcome> {
    run_tests(
        context,
        &[
            "--package=rightful-core",
            "--package=rightful-crypto",
            "--package=rightful-leaks",
        ],
        &[("PROPTEST_CASES", "100000")],
    )
}

fn soak_tests(context: &mut Context) -> Result<Outcome> {
    run_tests(context, &["--workspace"], &[("RIGHTFUL_SOAK", "1")])
}

fn run_tests(context: &mut Context, packages: &[&str], environment: &[(&str, &str)]) -> Result<Outcome> {
    let url = context.postgres_url()?.to_owned();
    let mut command = context.cargo();
    command.arg("test").args(packages).args(["--locked", "--no-fail-fast"]);
    command
        .env("RIGHTFUL_TEST_POSTGRES", url)
        .envs(environment.iter().copied());
    let (well, counts) = count_tests(&mut command)?;
    if !well || counts.failed > 0 {
        bail!("{counts}; the failures are above");
    }
    if counts.ignored > 0 {
        bail!("{counts}: a test that never runs is no test; mend it or remove it");
    }
    if counts.passed == 0 {
        bail!("no test ran");
    }
    passed(counts.to_string())
}

/// What the test programs counted.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Counts {
    /// Adds a line such as `test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; …`.
    fn add(&mut self, line: &str) {
        let Some(result) = line.trim().strip_prefix("test result: ") else {
            return;
        };
        for part in result.split(['.', ';']) {
            let mut words = part.split_whitespace();
            let (number, what) = (words.next().and_then(|word| word.parse::<u64>().ok()), words.next());
            match (number, what) {
                (Some(number), Some("passed")) => self.passed += number,
                (Some(number), Some("failed")) => self.failed += number,
                (Some(number), Some("ignored")) => self.ignored += number,
                _ => {}
            }
        }
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} tests passed, {} failed, {} ignored",
            self.passed, self.failed, self.ignored
        )
    }
}

/// Runs the tests, passing on what they write; returns whether cargo ended well, and the counts.
fn count_tests(command: &mut Command) -> Result<(bool, Counts)> {
    let shown = process::shown(command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("could not start `{shown}`"))?;
    let mut counts = Counts::default();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).split(b'\n') {
            let line = line.with_context(|| format!("could not read from `{shown}`"))?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            counts.add(&line);
        }
    }
    let status = child.wait().with_context(|| format!("could not wait for `{shown}`"))?;
    Ok((status.success(), counts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_summed_over_test_programs() {
        let mut counts = Counts::default();
        counts.add("running 3 tests");
        counts.add("test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s");
        counts
            .add("test result: FAILED. 10 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.20s");
        assert_eq!(
            counts,
            Counts {
                passed: 13,
                failed: 2,
                ignored: 1
            }
        );
    }

    #[test]
    fn the_names_of_the_steps_are_unique() {
        for steps in [TEST, SOAK] {
            let names: std::collections::BTreeSet<_> = steps.iter().map(|step| step.name).collect();
            assert_eq!(names.len(), steps.len());
        }
    }
}
