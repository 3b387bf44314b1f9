//! Development tasks: `cargo xtask test`, `soak`, `bench`, `postgres`, `screenshots`.
//!
//! It compiles without the rooms, so that it can say what is wrong with them.

mod bench;
mod browser;
mod cases;
mod debian;
mod metadata;
mod picture;
mod policy;
mod postgres;
mod process;
mod rooms;
mod screenshots;
mod steps;
mod suite;
mod texts;
mod unused;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Development tasks of Rightful.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Everything that must pass before a change is handed in; what CI runs.
    Test(steps::Selection),
    /// The same tests for longer: more kills, more rounds, more generated inputs. Hours.
    Soak(steps::Selection),
    /// Measure against the bounds, in the same run on the same machine. Writes bench.json into the target folder.
    Bench(bench::Options),
    /// Start a PostgreSQL for tests run by hand; print its address; stop it at the end of standard input or on Ctrl-C.
    Postgres,
    /// Take pictures of every page, and let axe-core look at each. The key ones are kept in docs/pages.
    Screenshots,
}

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    let root = metadata::workspace_root()?;
    match task {
        Task::Test(selection) => steps::run(suite::TEST, &selection, &mut suite::Context::new(root)),
        Task::Soak(selection) => steps::run(suite::SOAK, &selection, &mut suite::Context::new(root)),
        Task::Bench(options) => bench::run(&root, &options),
        Task::Postgres => postgres::serve_until_end_of_input(),
        Task::Screenshots => screenshots::run(&root),
    }
}
