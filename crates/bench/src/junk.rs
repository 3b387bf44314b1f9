//! Good sign-ins under a load of junk, twenty times as much: wrong passwords for names that nobody has, from many address
//! ranges, and bodies that are too big.
//!
//! The load is offered by the clock, whatever is answered, and a good sign-in is timed from the moment at which it should have
//! been sent. Good ones are a tenth of what the machine can hash, so the junk asks for more hashes than there can be.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, ensure};
use rightful_crypto::password::Argon2Params;
use serde_json::json;
use tokio::time::{Instant, sleep_until, timeout};

use crate::clock::cores;
use crate::crowd::{Crowd, Owner, address_in, names};
use crate::http::{Connection, post};
use crate::measure::{Measure, rounded};
use crate::server::{Premises, hash_of_all};
use crate::{Bench, Task};

const LATENCY: &str = "junk-good-sign-ins";
const MEMORY: &str = "junk-memory";

/// What junk does to those who are let in.
pub(crate) const BENCH: Bench = Bench {
    measures: &[LATENCY, MEMORY],
    run: |task| crate::runtime()?.block_on(run(task)),
};

/// Owners whose browsers are recognised.
const OWNERS: usize = 64;

/// Pieces of junk to one good sign-in, and how many of them are too big.
const JUNK: usize = 20;
const TOO_BIG: usize = 4;

/// The longest that anybody waits for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the server may take beside the memory of its hashes.
const ALLOWANCE: f64 = 64.0;

const MIB: f64 = 1024.0 * 1024.0;

async fn run(task: &Task<'_>) -> Result<Vec<Measure>> {
    let premises = Premises::new()?;
    let hash = hash_of_all(Argon2Params::DEFAULT)?;
    premises.import(names("good", OWNERS).map(|name| (name, hash.as_str())))?;
    let server = premises.serve().await?;
    let mut crowd = Crowd::new(server.address, names("good", OWNERS), 8);
    crowd.arrive().await?;
    let begun = Instant::now();
    crowd.arrive().await?;
    let capacity = OWNERS as f64 / begun.elapsed().as_secs_f64();
    let owners: Vec<Owner> = crowd.owners().cloned().collect();
    let good_rate = capacity / 10.0;
    let time = Duration::from_secs(task.pick(15, 60));
    let junk = tokio::spawn(throw(server.address, good_rate * JUNK as f64, time));
    let mut good = Vec::new();
    for (number, due) in ticks(good_rate, time).enumerate() {
        sleep_until(due).await;
        let (to, request) = (server.address, owners[number % OWNERS].request(server.address));
        good.push(tokio::spawn(async move {
            let answered = timeout(PATIENCE, ask(to, request)).await.unwrap_or(0);
            (answered, due.elapsed())
        }));
    }
    let (mut waited, mut turned_away) = (Vec::new(), 0);
    for one in good {
        let (status, took) = one.await?;
        // Who is not let in has waited for nothing.
        turned_away += usize::from(status != 200);
        waited.push(if status == 200 { took } else { PATIENCE }.as_secs_f64() * 1e3);
    }
    let thrown = junk.await??;
    waited.sort_by(f64::total_cmp);
    ensure!(!waited.is_empty(), "there was no good sign-in");
    let at = |part: f64| rounded(waited[((waited.len() - 1) as f64 * part).ceil() as usize]);
    let hashes = cores() as f64 * f64::from(Argon2Params::DEFAULT.m_kib()) / 1024.0;
    Ok(vec![
        Measure::of(LATENCY, at(0.99), "ms (p99)")
            .at_most(2000.0, "2000 ms")
            .with("median_ms", at(0.5))
            .with("good", waited.len())
            .with("good_turned_away", turned_away)
            .with("good_per_s", rounded(good_rate))
            .with("sign_ins_per_s_alone", rounded(capacity))
            .with("junk", thrown.all)
            .with("junk_refused", thrown.denied)
            .with("junk_too_many", thrown.too_many)
            .with("junk_too_big", thrown.too_big)
            .with("junk_busy", thrown.busy),
        Measure::of(MEMORY, rounded(server.memory("VmHWM")? as f64 / MIB), "MiB")
            .beside(hashes + ALLOWANCE)
            .ratio_at_most(1.0)
            .with("of_hashes_mib", hashes)
            .with("allowance_mib", ALLOWANCE),
    ])
}

/// The moments at which something is due that comes so many times a second.
fn ticks(per_second: f64, time: Duration) -> impl Iterator<Item = Instant> {
    let begun = Instant::now();
    let count = (time.as_secs_f64() * per_second) as usize;
    (0..count).map(move |number| begun + Duration::from_secs_f64(number as f64 / per_second))
}

/// The status of the answer; 0 where there was none.
async fn ask(to: SocketAddr, request: Vec<u8>) -> u16 {
    let Ok(mut connection) = Connection::open(to).await else {
        return 0;
    };
    connection.ask(&request).await.map_or(0, |answer| answer.status)
}

/// What became of the junk.
#[derive(Default)]
struct Thrown {
    all: usize,
    denied: usize,
    too_many: usize,
    too_big: usize,
    busy: usize,
}

/// Throws so many pieces of junk a second, each from an address range of its own.
async fn throw(to: SocketAddr, per_second: f64, time: Duration) -> Result<Thrown> {
    let mut thrown = Thrown::default();
    let mut under_way = Vec::new();
    for (number, due) in ticks(per_second, time).enumerate() {
        sleep_until(due).await;
        // Beyond the ranges of the owners.
        let from = address_in(OWNERS + number);
        under_way.push(tokio::spawn(async move {
            let request = junk(to, &from, number);
            timeout(PATIENCE, ask(to, request)).await.unwrap_or(0)
        }));
    }
    for one in under_way {
        let status = one.await?;
        thrown.all += 1;
        thrown.denied += usize::from(status == 403);
        thrown.too_many += usize::from(status == 429);
        thrown.too_big += usize::from(status == 413);
        thrown.busy += usize::from(status == 503);
    }
    Ok(thrown)
}

fn junk(to: SocketAddr, from: &str, number: usize) -> Vec<u8> {
    let password = if number % JUNK < TOO_BIG {
        "x".repeat(1024 * 1024)
    } else {
        format!("a guess, number {number}")
    };
    let document = json!({ "identifier": format!("nobody{number}@example.org"), "password": password });
    post(to, "/api/v1/sign-in", from, &document)
}
