//! Whether the time of a refused sign-in tells why it was refused: Welch's t between a wrong password, a name that nobody has, a
//! held account and one without a password.
//!
//! The hashes of the site cost next to nothing, so that nothing hides what differs around them. One connection asks one after
//! the other, in blocks that hold each class once, in an order drawn anew for each block. What takes longer than 95 of 100 of
//! *all* requests is cropped, by one bar for all classes: those are the machine's pauses, not the program's.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use rightful_app::holds::{HoldAction, HoldOrder, HoldSource, place_hold};
use rightful_core::Kind;
use rightful_core::identifier::Identifier;
use rightful_leaks::sample::Dice;
use serde_json::json;

use crate::clock::now;
use crate::crowd::{address_in, names};
use crate::http::{Connection, post};
use crate::measure::{Measure, median, rounded};
use crate::server::{Premises, hash_of_all, null_cost};
use crate::{Bench, Task};

const MEASURE: &str = "timing";

/// Whether timing tells who has an account.
pub(crate) const BENCH: Bench = Bench {
    measures: &[MEASURE],
    run: |task| crate::runtime()?.block_on(run(task)),
};

/// The classes, as the names of their accounts begin: all equally long.
const CLASSES: [&str; 4] = ["wrong", "nobod", "helds", "empty"];

/// How they are called in the figures.
const CALLED: [&str; 4] = ["wrong", "unknown", "held", "without"];

/// Attempts on a name: its budget has ten.
const ATTEMPTS: usize = 8;

/// How many of a hundred requests count.
const KEPT: usize = 95;

async fn run(task: &Task<'_>) -> Result<Vec<Measure>> {
    let each: usize = task.pick(2_000, 10_000);
    let owners = each.div_ceil(ATTEMPTS);
    let premises = Premises::new()?;
    prepare(&premises, owners).await?;
    let server = premises.serve().await?;
    let mut connection = Connection::open(server.address).await?;
    let mut dice = Dice::new(0x71_3e);
    let mut taken: [Vec<f64>; 4] = Default::default();
    for number in 0..each {
        for class in shuffled(&mut dice) {
            let name = format!("{}{:05}@example.org", CLASSES[class], number % owners);
            let document = json!({ "identifier": name, "password": "certainly not the right one" });
            let from = address_in(number);
            let request = post(server.address, "/api/v1/sign-in", &from, &document);
            let begun = Instant::now();
            let answer = connection.ask(&request).await?;
            let took = begun.elapsed().as_secs_f64() * 1e6;
            ensure!(answer.status == 403, "{name} was answered {}", answer.status);
            // The first block only warms up.
            if number > 0 {
                taken[class].push(took);
            }
        }
    }
    let bar = bar(&taken);
    let kept = taken.map(|times| times.into_iter().filter(|time| *time <= bar).collect::<Vec<f64>>());
    let largest = pairs().map(|(one, other)| welch(&kept[one], &kept[other]).abs());
    let measure = Measure::of(MEASURE, rounded(largest.fold(0.0, f64::max)), "|t|")
        .at_most(4.5, "4.5")
        .with("requests_per_class", each)
        .with("kept_below_us", rounded(bar));
    let measure = CALLED.iter().zip(&kept).fold(measure, |measure, (called, times)| {
        measure
            .with(&format!("{called}_mean_us"), rounded(moments(times).0))
            .with(&format!("{called}_median_us"), rounded(median(times.clone())))
            .with(&format!("{called}_kept"), times.len())
    });
    let with_t = |measure: Measure, (one, other): (usize, usize)| {
        let name = format!("t_{}_{}", CALLED[one], CALLED[other]);
        measure.with(&name, rounded(welch(&kept[one], &kept[other])))
    };
    Ok(vec![pairs().fold(measure, with_t)])
}

/// Accounts of all classes but that which has none.
async fn prepare(premises: &Premises, owners: usize) -> Result<()> {
    let hash = hash_of_all(null_cost()?)?;
    let accounts = [
        (CLASSES[0], hash.as_str()),
        (CLASSES[2], hash.as_str()),
        (CLASSES[3], ""),
    ];
    premises.import(
        accounts
            .into_iter()
            .flat_map(|(class, hash)| names(class, owners).map(move |name| (name, hash))),
    )?;
    let site = premises.site().await?;
    for name in names(CLASSES[2], owners) {
        let identifier = Identifier::email(&name).context("a name of the bench is no address")?;
        let key = identifier.sign_in_key().text().to_owned();
        let found = site.store.read(async move |tx| tx.account_by_key(&key).await).await?;
        let order = HoldOrder {
            account: found.context("an account of the bench is missing")?,
            action: HoldAction::Hold,
            source: HoldSource::Containment,
            kind: Some(Kind::Dump),
            reason: "a bench".to_owned(),
        };
        place_hold(&site, &order, now()).await?;
    }
    site.store.close().await;
    Ok(())
}

fn shuffled(dice: &mut Dice) -> [usize; 4] {
    let mut order = [0, 1, 2, 3];
    for at in (1..order.len()).rev() {
        let other = usize::try_from(dice.number() % (at as u64 + 1)).unwrap_or(0);
        order.swap(at, other);
    }
    order
}

/// The time below which [`KEPT`] of a hundred of all requests lie.
fn bar(taken: &[Vec<f64>; 4]) -> f64 {
    let mut all: Vec<f64> = taken.iter().flatten().copied().collect();
    all.sort_by(f64::total_cmp);
    all[all.len() * KEPT / 100]
}

fn pairs() -> impl Iterator<Item = (usize, usize)> {
    (0..4).flat_map(|one| (one + 1..4).map(move |other| (one, other)))
}

/// Mean and variance.
fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, squares / (count - 1.0))
}

/// Welch's t of two samples.
fn welch(one: &[f64], other: &[f64]) -> f64 {
    let ((mean, variance), (other_mean, other_variance)) = (moments(one), moments(other));
    (mean - other_mean) / (variance / one.len() as f64 + other_variance / other.len() as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn welchs_t_is_that_of_a_worked_example() {
        // Means 3 and 6, variances 2.5 and 10, five of each: -3 / sqrt(0.5 + 2).
        let t = welch(&[1.0, 2.0, 3.0, 4.0, 5.0], &[2.0, 4.0, 6.0, 8.0, 10.0]);
        assert!((t - -3.0 / 2.5_f64.sqrt()).abs() < 1e-9, "{t}");
    }

    #[test]
    fn a_class_that_takes_a_little_longer_is_seen() {
        let mut dice = Dice::new(1);
        let mut sample = |more: f64| -> Vec<f64> {
            (0..10_000)
                .map(|_| 1000.0 + more + (dice.number() % 200) as f64)
                .collect()
        };
        let (one, same, longer) = (sample(0.0), sample(0.0), sample(5.0));
        assert!(welch(&one, &same).abs() < 4.5);
        assert!(welch(&one, &longer).abs() > 4.5);
    }

    #[test]
    fn every_order_comes() {
        let mut dice = Dice::new(2);
        let seen: std::collections::BTreeSet<[usize; 4]> = (0..1000).map(|_| shuffled(&mut dice)).collect();
        assert_eq!(seen.len(), 24);
    }
}
