//! Time, memory and the neighbours: what the system tells about this process.

use std::fs::read_to_string;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result};
use rightful_core::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// What a piece of work took: by the clock on the wall, and of processor time in all threads of this process.
#[derive(Clone, Copy)]
pub(crate) struct Spent {
    wall: f64,
    cpu: f64,
}

impl Spent {
    /// Seconds by the clock on the wall.
    pub(crate) fn wall(&self) -> f64 {
        self.wall
    }

    /// Seconds of processor time.
    pub(crate) fn cpu(&self) -> f64 {
        self.cpu
    }
}

/// Does the work; answers what it answers, and what it took.
pub(crate) fn spent<T>(work: impl FnOnce() -> T) -> (T, Spent) {
    let (begun, cpu) = (Instant::now(), cpu());
    let outcome = work();
    let wall = begun.elapsed().as_secs_f64();
    (
        outcome,
        Spent {
            wall,
            cpu: self::cpu() - cpu,
        },
    )
}

/// Seconds of processor time that this process has had.
pub(crate) fn cpu() -> f64 {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(spent.tv_sec.unsigned_abs(), u32::try_from(spent.tv_nsec).unwrap_or(0)).as_secs_f64()
}

/// Seconds of processor time that processes of ours have had which have ended (proc_pid_stat(5): the 16th and 17th field, in
/// hundredths).
fn cpu_of_children() -> f64 {
    let stat = read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program stands in brackets and may hold anything.
    let fields = stat.rsplit_once(')').map(|(_, fields)| fields).unwrap_or_default();
    let ticks = fields.split_ascii_whitespace().skip(13).take(2);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Now, for the rooms that ask.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// How many threads can run at once.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The memory of this process at its highest, in bytes.
pub(crate) fn peak_memory() -> Result<u64> {
    let status = read_to_string("/proc/self/status").context("the system does not tell how much memory is used")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|text| text.trim().trim_end_matches(" kB").parse::<u64>().ok());
    Ok(kib.context("/proc/self/status has no VmHWM")? * 1024)
}

/// The whole machine at a moment, to see later how busy others kept it.
pub(crate) struct Machine {
    busy: f64,
    all: f64,
    own: f64,
}

impl Machine {
    /// Looks at the machine.
    pub(crate) fn look() -> Result<Self> {
        let text = read_to_string("/proc/stat").context("the system does not tell how busy it is")?;
        // cpu user nice system idle iowait irq softirq steal (proc_stat(5)), in hundredths of a second.
        let ticks: Vec<f64> = text
            .lines()
            .next()
            .unwrap_or_default()
            .split_ascii_whitespace()
            .skip(1)
            .take(8)
            .map(|ticks| ticks.parse().unwrap_or(0.0) / 100.0)
            .collect();
        let all: f64 = ticks.iter().sum();
        let idle: f64 = ticks.iter().skip(3).take(2).sum();
        Ok(Self {
            busy: all - idle,
            all,
            own: cpu() + cpu_of_children(),
        })
    }

    /// Which part of the machine's processor time since then went to others than this process and those that it started: 0 to
    /// 1. The PostgreSQL server of an import is another too.
    pub(crate) fn others(&self) -> Result<f64> {
        let now = Self::look()?;
        let others = (now.busy - self.busy) - (now.own - self.own);
        Ok((others / (now.all - self.all).max(0.01)).clamp(0.0, 1.0))
    }
}
