//! Steps with names, run one after the other: what ran, how long it took, where it stopped.

use anyhow::{Result, bail};
use clap::Args;
use std::time::{Duration, Instant};

/// Which steps to run.
#[derive(Args, Default)]
pub(crate) struct Selection {
    /// Run this step alone; may be given several times.
    #[arg(long, value_name = "STEP")]
    pub(crate) only: Vec<String>,
    /// Leave this step out; may be given several times.
    #[arg(long, value_name = "STEP", conflicts_with = "only")]
    pub(crate) skip: Vec<String>,
    /// Go on after a failed step, to see everything that is wrong.
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// List the steps and run none.
    #[arg(long)]
    pub(crate) list: bool,
}

/// One step: what it is called, what it shows, what it does.
pub(crate) struct Step<C> {
    pub(crate) name: &'static str,
    pub(crate) shows: &'static str,
    pub(crate) run: fn(&mut C) -> Result<Outcome>,
}

/// How a step that did not fail came out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It held, and this is what was counted.
    Passed(String),
    /// It could not be looked at here, and this is why. Only for what the machine may lack without harm.
    Skipped(String),
}

struct Line {
    word: &'static str,
    name: &'static str,
    took: Duration,
    note: String,
}

/// Runs the selected steps in order and prints a table of them; an error names the ones that failed.
pub(crate) fn run<C>(steps: &[Step<C>], selection: &Selection, context: &mut C) -> Result<()> {
    let chosen = choose(steps, selection)?;
    if selection.list {
        for step in chosen {
            println!("{:<14} {}", step.name, step.shows);
        }
        return Ok(());
    }
    let mut lines: Vec<Line> = Vec::new();
    for step in chosen {
        println!("\n== {}: {}", step.name, step.shows);
        let line = run_one(step, context);
        println!("{} {} ({})  {}", line.word, line.name, seconds(line.took), line.note);
        let failed = line.word == FAILED;
        lines.push(line);
        if failed && !selection.keep_going {
            break;
        }
    }
    report(&lines)
}

const FAILED: &str = "FAILED ";

fn run_one<C>(step: &Step<C>, context: &mut C) -> Line {
    let start = Instant::now();
    let (word, note) = match (step.run)(context) {
        Ok(Outcome::Passed(note)) => ("ok     ", note),
        Ok(Outcome::Skipped(why)) => ("skipped", why),
        Err(error) => (FAILED, format!("{error:#}")),
    };
    Line {
        word,
        name: step.name,
        took: start.elapsed(),
        note,
    }
}

fn choose<'a, C>(steps: &'a [Step<C>], selection: &Selection) -> Result<Vec<&'a Step<C>>> {
    let names: Vec<&str> = steps.iter().map(|step| step.name).collect();
    for asked in selection.only.iter().chain(&selection.skip) {
        if !names.contains(&asked.as_str()) {
            bail!("there is no step `{asked}`; the steps are {}", names.join(", "));
        }
    }
    let wanted = |name: &str| {
        let in_only = selection.only.iter().any(|only| only == name);
        let in_skip = selection.skip.iter().any(|skip| skip == name);
        in_only || (selection.only.is_empty() && !in_skip)
    };
    Ok(steps.iter().filter(|step| wanted(step.name)).collect())
}

fn report(lines: &[Line]) -> Result<()> {
    println!();
    for Line { word, name, took, note } in lines {
        println!(
            "{word} {name:<14} {:>9}  {}",
            seconds(*took),
            note.lines().next().unwrap_or_default()
        );
    }
    println!(
        "{:<23}{:>9}",
        "in all",
        seconds(lines.iter().map(|line| line.took).sum())
    );
    let failed: Vec<&str> = lines
        .iter()
        .filter(|line| line.word == FAILED)
        .map(|line| line.name)
        .collect();
    match failed.as_slice() {
        [] => Ok(()),
        [one] => bail!("step `{one}` failed; run it alone with `--only {one}`"),
        many => bail!("{} steps failed: {}", many.len(), many.join(", ")),
    }
}

fn seconds(took: Duration) -> String {
    match took.as_secs() {
        0..60 => format!("{:.1} s", took.as_secs_f64()),
        whole => format!("{} min {:02} s", whole / 60, whole % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: &[Step<Vec<&'static str>>] = &[
        Step {
            name: "one",
            shows: "",
            run: |seen| note(seen, "one"),
        },
        Step {
            name: "two",
            shows: "",
            run: |_| bail!("two is wrong"),
        },
        Step {
            name: "three",
            shows: "",
            run: |seen| note(seen, "three"),
        },
    ];

    fn note(seen: &mut Vec<&'static str>, name: &'static str) -> Result<Outcome> {
        seen.push(name);
        Ok(Outcome::Passed(String::new()))
    }

    fn check(selection: &Selection, ran: &[&str], error: Option<&str>) {
        let mut seen = Vec::new();
        let result = run(STEPS, selection, &mut seen);
        assert_eq!(seen, ran);
        assert_eq!(result.err().map(|error| error.to_string()).as_deref(), error);
    }

    #[test]
    fn stops_at_the_first_failure_unless_told_to_go_on() {
        let failed = Some("step `two` failed; run it alone with `--only two`");
        check(&Selection::default(), &["one"], failed);
        check(
            &Selection {
                keep_going: true,
                ..Selection::default()
            },
            &["one", "three"],
            failed,
        );
    }

    #[test]
    fn runs_what_is_asked_for_in_the_order_of_the_list() {
        let only = vec!["three".to_owned(), "one".to_owned()];
        check(
            &Selection {
                only,
                ..Selection::default()
            },
            &["one", "three"],
            None,
        );
        check(
            &Selection {
                skip: vec!["two".to_owned()],
                ..Selection::default()
            },
            &["one", "three"],
            None,
        );
    }

    #[test]
    fn an_unknown_step_is_an_error_and_not_an_empty_success() {
        let only = vec!["fromat".to_owned()];
        let error = "there is no step `fromat`; the steps are one, two, three";
        check(
            &Selection {
                only,
                ..Selection::default()
            },
            &[],
            Some(error),
        );
    }
}
