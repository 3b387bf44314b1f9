//! A measure: what it is called, what we reached, what cannot be passed, and whether that is enough.

use std::io::Write;

use anyhow::Result;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::clock::{Spent, spent};

/// One line of the program, as `cargo xtask bench` reads it.
#[derive(Serialize)]
pub(crate) struct Measure {
    measure: &'static str,
    ours: f64,
    bound: Option<f64>,
    unit: &'static str,
    ratio: Option<f64>,
    target: Option<String>,
    met: bool,
    #[serde(flatten)]
    more: Map<String, Value>,
}

impl Measure {
    /// A figure that says something, and has no target.
    pub(crate) fn of(measure: &'static str, ours: f64, unit: &'static str) -> Self {
        Self {
            measure,
            ours,
            bound: None,
            unit,
            ratio: None,
            target: None,
            met: true,
            more: Map::new(),
        }
    }

    /// The same beside its bound, with their ratio.
    pub(crate) fn beside(self, bound: f64) -> Self {
        let ratio = self.ours / bound;
        self.in_rounds(bound, ratio)
    }

    /// The same beside its bound, with a ratio that was found in rounds.
    pub(crate) fn in_rounds(mut self, bound: f64, ratio: f64) -> Self {
        self.bound = Some(bound);
        self.ratio = Some(ratio);
        self
    }

    /// The ratio shall not be below this.
    pub(crate) fn ratio_at_least(mut self, least: f64) -> Self {
        self.target = Some(format!(">= {least}"));
        self.met = self.ratio.is_some_and(|ratio| ratio >= least);
        self
    }

    /// The ratio shall not be above this.
    pub(crate) fn ratio_at_most(mut self, most: f64) -> Self {
        self.target = Some(format!("<= {most}"));
        self.met = self.ratio.is_some_and(|ratio| ratio <= most);
        self
    }

    /// The figure itself shall not be below this.
    pub(crate) fn at_least(mut self, least: f64, in_words: &str) -> Self {
        self.target = Some(format!(">= {in_words}"));
        self.met = self.ours >= least;
        self
    }

    /// The figure itself shall not be above this.
    pub(crate) fn at_most(mut self, most: f64, in_words: &str) -> Self {
        self.target = Some(format!("<= {in_words}"));
        self.met = self.ours <= most;
        self
    }

    /// Something more that is worth keeping.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// What it is called.
    pub(crate) fn name(&self) -> &str {
        self.measure
    }

    /// Prints it; `others` is the part of the machine that others had meanwhile.
    pub(crate) fn print(&self, others: f64) -> Result<()> {
        let mut line = serde_json::to_value(self)?;
        if let Value::Object(line) = &mut line {
            line.insert("others".to_owned(), rounded(others).into());
        }
        let mut out = std::io::stdout().lock();
        writeln!(out, "{line}")?;
        Ok(out.flush()?)
    }
}

/// With as many digits as a measurement has.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// The middle one; of an even number the lower of the two in the middle.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len().saturating_sub(1) / 2;
    values.get(middle).copied().unwrap_or(f64::NAN)
}

/// Something to be timed.
pub(crate) type Work<'w> = &'w mut dyn FnMut() -> Result<()>;

/// What several pieces of work took in turn, round after round.
pub(crate) struct Rounds(Vec<Vec<Spent>>);

impl Rounds {
    /// Runs all of them so many times in turn, after one round that only warms up. Below, they go by their places here.
    pub(crate) fn run(rounds: usize, works: &mut [Work<'_>]) -> Result<Self> {
        let mut taken = vec![Vec::with_capacity(rounds); works.len()];
        for round in 0..=rounds {
            for (work, taken) in works.iter_mut().zip(&mut taken) {
                let (done, took) = spent(work);
                done?;
                if round > 0 {
                    taken.push(took);
                }
            }
        }
        Ok(Self(taken))
    }

    /// Seconds that a piece of work took.
    pub(crate) fn seconds(&self, work: usize, clock: fn(&Spent) -> f64) -> f64 {
        median(self.0[work].iter().map(clock).collect())
    }

    /// How fast one is in terms of another: 1 is as fast.
    pub(crate) fn ratio(&self, ours: usize, bound: usize, clock: fn(&Spent) -> f64) -> f64 {
        let rounds = self.0[ours].iter().zip(&self.0[bound]);
        median(rounds.map(|(ours, bound)| clock(bound) / clock(ours)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_not_moved_by_one_bad_round() {
        assert_eq!(median(vec![1.0, 900.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0]), 1.0);
    }

    #[test]
    fn a_target_is_met_or_not() {
        let measure = || Measure::of("m", 9.0, "per s").beside(10.0);
        assert!(measure().ratio_at_least(0.9).met);
        assert!(!measure().ratio_at_least(0.95).met);
        assert!(measure().ratio_at_most(1.0).met);
        assert!(!measure().at_least(9.5, "9.5").met);
        assert!(measure().at_most(9.0, "9").met);
        assert!(!measure().at_most(8.9, "8.9").met);
        assert!(measure().met);
    }
}
