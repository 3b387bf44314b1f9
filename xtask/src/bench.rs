//! `cargo xtask bench`: measures against the bounds of the same run, as a table for people and as JSON for machines.
//!
//! The measuring itself is the package `rightful-bench`: a program that takes `--quick` and the names of measures, and
//! prints one JSON object per line. A target that is missed is a finding, not a failure: machines differ, and only a bench
//! that could not be run makes this end badly.

use crate::{
    metadata::Metadata,
    postgres::{Durability, Installation, Postgres},
    process,
};
use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
};

const PACKAGE: &str = "rightful-bench";

/// What some of it is measured with: the program itself, which lies beside the other then.
const PROGRAM: &str = "rightful";

/// What to measure.
#[derive(Args)]
pub(crate) struct Options {
    /// Fewer rounds and smaller inputs: all of it in about six minutes, after compiling.
    #[arg(long)]
    quick: bool,
    /// Only measures with one of these in their name. `races` runs only when it is named: without --quick it takes hours.
    names: Vec<String>,
}

/// One line of the program.
#[derive(Debug, Deserialize, Serialize)]
struct Measure {
    measure: String,
    ours: f64,
    bound: Option<f64>,
    unit: String,
    /// Ours in terms of the bound.
    ratio: Option<f64>,
    /// In words or as a number: `>= 0.95`.
    target: Value,
    met: bool,
    /// Whatever more the program has to say; kept in the JSON.
    #[serde(flatten)]
    more: serde_json::Map<String, Value>,
}

/// What bench.json holds.
#[derive(Serialize)]
struct Report {
    machine: Machine,
    quick: bool,
    measures: Vec<Measure>,
}

/// Where the figures come from: figures of different machines are not to be compared, their ratios are.
#[derive(Serialize)]
struct Machine {
    processor: String,
    cores: usize,
    memory_mib: Option<u64>,
    system: String,
    compiler: String,
    commit: String,
}

/// Builds, measures, prints, writes.
pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    let metadata = Metadata::load(root)?;
    if !metadata.members().any(|package| package.name == PACKAGE) {
        bail!("the workspace has no package `{PACKAGE}`; there is nothing to measure yet");
    }
    let build = [
        "build",
        "--release",
        "--locked",
        "--package",
        PACKAGE,
        "--package",
        PROGRAM,
    ];
    process::run(process::cargo(root).args(build))?;
    // With every guarantee on: what the tests may do without would flatter the figures here.
    let postgres = Postgres::start(&Installation::find_or_install()?, Durability::On)?;
    let mut program = Command::new(metadata.target_directory.join("release").join(PACKAGE));
    program.current_dir(root).env("RIGHTFUL_TEST_POSTGRES", postgres.url());
    program.args(options.quick.then_some("--quick")).args(&options.names);
    let measures = measure(&mut program)?;
    drop(postgres);

    print!("{}", table(&measures));
    let report = Report {
        machine: Machine::describe(root),
        quick: options.quick,
        measures,
    };
    let path = metadata.target_directory.join("bench.json");
    let text = serde_json::to_string_pretty(&report).context("could not write the measures as JSON")?;
    fs::write(&path, text + "\n").with_context(|| format!("could not write {}", path.display()))?;
    println!("\nwritten to {}", path.display());
    Ok(())
}

fn measure(program: &mut Command) -> Result<Vec<Measure>> {
    let mut child = program
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("could not start {PACKAGE}"))?;
    let mut measures = Vec::new();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line.with_context(|| format!("could not read from {PACKAGE}"))?;
            let measure: Measure =
                serde_json::from_str(&line).with_context(|| format!("{PACKAGE} printed what is no measure: {line}"))?;
            eprintln!("{}: {}", measure.measure, if measure.met { "met" } else { "not met" });
            measures.push(measure);
        }
    }
    let status = child.wait().with_context(|| format!("could not wait for {PACKAGE}"))?;
    if !status.success() {
        bail!("{PACKAGE} failed ({status})");
    }
    if measures.is_empty() {
        bail!("{PACKAGE} measured nothing; is a name misspelt?");
    }
    Ok(measures)
}

fn table(measures: &[Measure]) -> String {
    let head = ["measure", "ours", "bound", "unit", "ratio", "target", ""].map(str::to_owned);
    let rows: Vec<[String; 7]> = std::iter::once(head).chain(measures.iter().map(row)).collect();
    let widths: [usize; 7] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
    let mut text = String::from("\n");
    for row in &rows {
        let cells = row
            .iter()
            .zip(widths)
            .enumerate()
            .map(|(column, (cell, width))| match column {
                1 | 2 | 4 => format!("{cell:>width$}"),
                _ => format!("{cell:<width$}"),
            });
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text
}

fn row(measure: &Measure) -> [String; 7] {
    let target = measure
        .target
        .as_str()
        .map_or_else(|| measure.target.to_string(), str::to_owned);
    [
        measure.measure.clone(),
        number(measure.ours),
        measure.bound.map(number).unwrap_or_default(),
        measure.unit.clone(),
        measure.ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default(),
        target,
        if measure.met { "met" } else { "not met" }.to_owned(),
    ]
}

/// As many digits as mean something: 12,345,678 · 123.4 · 1.234.
fn number(value: f64) -> String {
    let decimals = match value.abs() {
        1000.0.. => 0,
        100.0.. => 1,
        10.0.. => 2,
        _ => 3,
    };
    let text = format!("{value:.decimals$}");
    let (sign, digits) = text
        .strip_prefix('-')
        .map_or(("", text.as_str()), |digits| ("-", digits));
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let grouped: Vec<&str> = whole
        .as_bytes()
        .rchunks(3)
        .rev()
        .filter_map(|group| std::str::from_utf8(group).ok())
        .collect();
    format!("{sign}{}{fraction}", grouped.join(","))
}

impl Machine {
    fn describe(root: &Path) -> Self {
        let told = |program: &str, arguments: &[&str]| {
            let text = process::output(Command::new(program).args(arguments).current_dir(root));
            text.map(|text| text.trim().to_owned())
                .unwrap_or_else(|_| "unknown".to_owned())
        };
        let processor = fs::read_to_string("/proc/cpuinfo")
            .ok()
            .and_then(|text| field(&text, "model name"));
        let memory = fs::read_to_string("/proc/meminfo")
            .ok()
            .and_then(|text| field(&text, "MemTotal"));
        let changed = if told("git", &["status", "--porcelain"]).is_empty() {
            ""
        } else {
            ", with changes"
        };
        Self {
            processor: processor.unwrap_or_else(|| told("uname", &["-m"])),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_mib: memory
                .and_then(|text| text.trim_end_matches(" kB").parse::<u64>().ok())
                .map(|kib| kib / 1024),
            system: told("uname", &["-sr"]),
            compiler: told("rustc", &["--version"]),
            commit: told("git", &["rev-parse", "HEAD"]) + changed,
        }
    }
}

/// The first `name : value` of a file below /proc.
fn field(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        (found.trim() == name).then(|| value.trim().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_mean_something() {
        let check = |value, text: &str| assert_eq!(number(value), text);
        check(12_345_678.4, "12,345,678");
        check(123.44, "123.4");
        check(12.345, "12.35");
        check(0.5, "0.500");
        check(-1234.0, "-1,234");
        check(999.96, "1,000.0");
    }

    #[test]
    fn what_the_program_prints_becomes_a_table_and_keeps_what_more_it_says() {
        let script = r#"echo '{"measure":"scan","ours":9e6,"bound":1e8,"unit":"lines/s","ratio":0.09,"target":">= 0.10","met":false,"cores":2}'
            echo '{"measure":"start","ours":31,"bound":null,"unit":"ms","ratio":null,"target":100,"met":true}'"#;
        let measures = measure(Command::new("sh").args(["-c", script])).unwrap();
        let expected = "\n\
            measure       ours        bound  unit     ratio  target\n\
            scan     9,000,000  100,000,000  lines/s   0.09  >= 0.10  not met\n\
            start        31.00               ms              100      met\n";
        assert_eq!(table(&measures), expected);
        assert_eq!(measures[0].more["cores"], 2);
    }

    #[test]
    fn a_program_that_fails_or_measures_nothing_is_an_error() {
        let error = |script: &str| {
            measure(Command::new("sh").args(["-c", script]))
                .unwrap_err()
                .to_string()
        };
        assert!(error("exit 7").contains("exit status: 7"));
        assert!(error("true").contains("measured nothing"));
        assert!(error("echo oops").contains("no measure: oops"));
    }
}
