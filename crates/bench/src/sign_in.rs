//! Sign-ins over HTTP against the raw rate of the same hash on the same cores, alone and with a leak scan behind them.
//!
//! What a sign-in costs beside its hash (the load generator, the request, its reads and writes) is measured as the same
//! sign-ins with a hash that is next to none, and set aside; but never more than the process really spent outside of its
//! threads for hashes, for many cheap sign-ins get in each other's way as few dear ones do not. What is left of the machine's
//! time should be hashing.

use std::fs;
use std::time::Instant;

use anyhow::{Result, anyhow, ensure};
use rightful_crypto::password::{Arena, Argon2Params, ParseHints, StoredHash};
use rightful_testkit::process::{Running, until};

use crate::clock::{cores, cpu};
use crate::crowd::{Crowd, names};
use crate::leak_lines::LeakLines;
use crate::measure::{Measure, median, rounded};
use crate::server::{PASSWORD, Premises, Server, cpu_of, hash_of_all, null_cost};
use crate::{Bench, Task};

const ALONE: &str = "sign-in";
const BEFORE_A_SCAN: &str = "sign-in-with-scan";

/// How much of the machine goes into the hashes of sign-ins.
pub(crate) const BENCH: Bench = Bench {
    measures: &[ALONE, BEFORE_A_SCAN],
    run: |task| crate::runtime()?.block_on(run(task)),
};

/// Clients at once, each with its own owners.
const CLIENTS: usize = 16;

/// Owners of each kind.
const OWNERS: usize = 320;

/// Lines of the leak that name an owner, among ten times as many that name nobody: more than are tested meanwhile.
const NAMED: usize = 40_000;

/// What so many sign-ins took.
#[derive(Clone, Copy)]
struct Took {
    count: f64,
    wall: f64,
    /// Processor time of the server and of this process, which generates the load.
    cpu: f64,
    /// The part of it that threads for hashes had.
    hashes: f64,
}

impl Took {
    /// Processor time of a sign-in beside its hash.
    fn beside(&self) -> f64 {
        (self.cpu - self.hashes) / self.count
    }
}

/// The same number of hashes, alone.
#[derive(Clone, Copy)]
struct Raw {
    per_second: f64,
    per_cpu_second: f64,
}

async fn run(task: &Task<'_>) -> Result<Vec<Measure>> {
    let premises = Premises::new()?;
    let (real, null) = (hash_of_all(Argon2Params::DEFAULT)?, hash_of_all(null_cost()?)?);
    let real_owners = names("real", OWNERS).map(|name| (name, real.as_str()));
    premises.import(real_owners.chain(names("null", OWNERS).map(|name| (name, null.as_str()))))?;
    let server = premises.serve().await?;
    let mut real_crowd = Crowd::new(server.address, names("real", OWNERS), CLIENTS);
    let mut null_crowd = Crowd::new(server.address, names("null", OWNERS), CLIENTS);
    real_crowd.arrive().await?;
    null_crowd.arrive().await?;
    let hash = StoredHash::parse(&real, &ParseHints::default()).map_err(|refused| anyhow!("{refused}"))?;
    let mut arenas: Vec<Arena> = (0..cores()).map(|_| Arena::new()).collect();
    let times = task.pick(20, 80);
    let (mut alone, mut beside) = (Rounds::default(), Vec::new());
    for _ in 0..task.pick(3, 7) {
        let raw = raw(&mut arenas, &hash, times * CLIENTS)?;
        let null = sign_ins(&server, &mut null_crowd, times * 10).await?;
        let real = sign_ins(&server, &mut real_crowd, times).await?;
        beside.push(null.cpu / null.count);
        alone.add(raw, real, null.cpu / null.count);
    }
    let beside = median(beside);
    let mut scan = start_scan(&premises)?;
    let (mut with_scan, mut scan_cpu) = (Rounds::default(), Vec::new());
    for _ in 0..task.pick(3, 7) {
        // The bound is without the scan.
        ensure!(scan.freeze(), "the scan ended: {}", scan.stderr());
        let raw = raw(&mut arenas, &hash, times * CLIENTS)?;
        scan.thaw();
        let begun = cpu_of(&scan)?;
        let real = sign_ins(&server, &mut real_crowd, times).await?;
        scan_cpu.push((cpu_of(&scan)? - begun) / (real.wall * cores() as f64));
        with_scan.add(raw, real, beside);
    }
    ensure!(!scan.has_ended(), "the scan ended too early: {}", scan.stderr());
    Ok(vec![
        alone.measure(ALONE, beside),
        with_scan
            .measure(BEFORE_A_SCAN, beside)
            .with("share_of_the_scan", rounded(median(scan_cpu))),
    ])
}

/// What came out, round after round.
#[derive(Default)]
struct Rounds {
    ours: Vec<f64>,
    bound: Vec<f64>,
    ratio: Vec<f64>,
    ratio_of_cpu: Vec<f64>,
    per_second: Vec<f64>,
    set_aside: Vec<f64>,
}

impl Rounds {
    fn add(&mut self, raw: Raw, real: Took, null: f64) {
        let beside = real.beside().min(null);
        self.set_aside.push(beside * 1e6);
        let machine = real.wall * cores() as f64;
        let ours = real.count / (machine - real.count * beside) * cores() as f64;
        self.ours.push(ours);
        self.bound.push(raw.per_second);
        self.ratio.push(ours / raw.per_second);
        let of_cpu = real.count / (real.cpu - real.count * beside);
        self.ratio_of_cpu.push(of_cpu / raw.per_cpu_second);
        self.per_second.push(real.count / real.wall);
    }

    fn measure(self, name: &'static str, null: f64) -> Measure {
        Measure::of(name, rounded(median(self.ours)), "hashes/s")
            .in_rounds(rounded(median(self.bound)), median(self.ratio))
            .ratio_at_least(0.95)
            .with("sign_ins_per_s", rounded(median(self.per_second)))
            .with("ratio_of_cpu", rounded(median(self.ratio_of_cpu)))
            .with("set_aside_us_per_sign_in", rounded(median(self.set_aside)))
            .with("with_null_hash_us", rounded(null * 1e6))
            .with("clients", CLIENTS)
            .with("cores", cores())
    }
}

async fn sign_ins(server: &Server, crowd: &mut Crowd, times: usize) -> Result<Took> {
    let (begun, own, theirs, hashes) = (Instant::now(), cpu(), server.cpu()?, server.cpu_of_hashes()?);
    crowd.sign_in(times).await?;
    Ok(Took {
        count: (times * CLIENTS) as f64,
        wall: begun.elapsed().as_secs_f64(),
        cpu: cpu() - own + server.cpu()? - theirs,
        hashes: server.cpu_of_hashes()? - hashes,
    })
}

/// So many of the same hashes on a thread a core, as the pool has them, and nothing else.
fn raw(arenas: &mut [Arena], hash: &StoredHash, count: usize) -> Result<Raw> {
    let (begun, own, each) = (Instant::now(), cpu(), count.div_ceil(arenas.len()));
    let work = |arena: &mut Arena| (0..each).all(|_| hash.verify(PASSWORD.as_bytes(), arena).unwrap_or(false));
    let work = &work;
    let all_right = std::thread::scope(|scope| {
        let threads: Vec<_> = arenas
            .iter_mut()
            .map(|arena| scope.spawn(move || work(arena)))
            .collect();
        threads.into_iter().all(|thread| thread.join().unwrap_or(false))
    });
    ensure!(all_right, "the hash of the bench is not that of its password");
    let count = (each * arenas.len()) as f64;
    Ok(Raw {
        per_second: count / begun.elapsed().as_secs_f64(),
        per_cpu_second: count / (cpu() - own),
    })
}

/// The real `leak scan` in the same data folder. It is at it when this returns, and for longer than anybody waits for it.
fn start_scan(premises: &Premises) -> Result<Running> {
    let mut strangers = LeakLines::new(0x5ca2)?;
    let mut leak = Vec::new();
    let owners: Vec<String> = names("real", OWNERS).collect();
    for (number, name) in owners.iter().cycle().take(NAMED).enumerate() {
        for _ in 0..10 {
            strangers.next(&mut leak);
        }
        leak.extend_from_slice(format!("{name}:not the password {number}\n").as_bytes());
    }
    fs::write(premises.folder().join("leak.txt"), leak)?;
    let scan = Running::start(&mut premises.command(&["leak", "scan", "leak.txt", "--name", "bench"]));
    until("the scan is at it", || {
        cpu_of(&scan).is_ok_and(|cpu| cpu > 0.5).then_some(())
    });
    Ok(scan)
}
