//! What the server needs when nobody asks anything: time to start, memory, room on the disk.

use std::time::Duration;

use anyhow::{Context, Result};
use rightful_crypto::password::Argon2Params;

use crate::crowd::{Crowd, names};
use crate::measure::{Measure, median, rounded};
use crate::server::{Premises, hash_of_all, program};
use crate::{Bench, Task};

const START: &str = "start";
const IDLE: &str = "idle-memory";
const SIZE: &str = "binary-size";

/// From the start to the first answer, memory when idle, size of the program.
pub(crate) const BENCH: Bench = Bench {
    measures: &[START, IDLE, SIZE],
    run: |task| crate::runtime()?.block_on(run(task)),
};

const MIB: f64 = 1024.0 * 1024.0;

/// How many sign-ins there were before it is idle.
const SIGN_INS: usize = 1000;

const CLIENTS: usize = 16;

/// After this long without work the hash pool has given its memory back: it does so after ten seconds.
const IDLE_AFTER: Duration = Duration::from_secs(13);

async fn run(task: &Task<'_>) -> Result<Vec<Measure>> {
    let premises = Premises::new()?;
    let hash = hash_of_all(Argon2Params::DEFAULT)?;
    let owners = || names("anna", 500);
    premises.import(owners().map(|name| (name, hash.as_str())))?;
    let mut took = Vec::new();
    for _ in 0..task.pick(5, 21) {
        took.push(premises.serve().await?.took.as_secs_f64() * 1e3);
    }
    let empty = Premises::new()?.serve().await?.took.as_secs_f64() * 1e3;
    let server = premises.serve().await?;
    let at_start = server.memory("VmRSS")? as f64 / MIB;
    let mut crowd = Crowd::new(server.address, owners(), CLIENTS);
    crowd.sign_in(SIGN_INS.div_ceil(CLIENTS)).await?;
    let busy = server.memory("VmRSS")? as f64 / MIB;
    tokio::time::sleep(IDLE_AFTER).await;
    let idle = server.memory("VmRSS")? as f64 / MIB;
    let size = program()?.metadata().context("the program has no size")?.len() as f64 / MIB;
    Ok(vec![
        Measure::of(START, rounded(median(took)), "ms")
            .at_most(100.0, "100 ms")
            .with("on_a_new_site_ms", rounded(empty)),
        Measure::of(IDLE, rounded(idle), "MiB")
            .at_most(40.0, "40 MiB")
            .with("sign_ins_before", SIGN_INS)
            .with("at_start_mib", rounded(at_start))
            .with("just_after_mib", rounded(busy)),
        Measure::of(SIZE, rounded(size), "MiB").at_most(40.0, "40 MiB"),
    ])
}
