//! Lines that name nobody, from a packed file: unpacking runs on one thread, so it is the bound once there are cores enough.

use std::fs::File;
use std::hint::black_box;
use std::io::{BufReader, Read};
use std::path::Path;

use anyhow::{Result, ensure};

use crate::clock::{Spent, cores};
use crate::leak_lines::{LeakFile, Packing, strangers};
use crate::measure::{Measure, Rounds, rounded};
use crate::scan::{ACCOUNTS, scan_strangers};
use crate::{Bench, Task, scanning};

const GZIP: &str = "scan-gzip";
const GZIP_OF_CORES: &str = "scan-gzip-of-cores";
const ZSTD: &str = "scan-zstd";
const ZSTD_OF_CORES: &str = "scan-zstd-of-cores";

/// How fast packed files are read.
pub(crate) const BENCH: Bench = Bench {
    measures: &[GZIP, GZIP_OF_CORES, ZSTD, ZSTD_OF_CORES],
    run,
};

/// Two bounds, both by the clock on the wall. The first is the decompressor alone, on its one thread. On few cores it cannot
/// be reached: unpacking and reading a line together cost more than the cores have. So the second is what all cores would do
/// if they were never idle and nothing but unpacking (as alone) and reading (as from a plain file) cost anything.
fn run(task: &Task<'_>) -> Result<Vec<Measure>> {
    let lines = task.pick(2_000_000, 10_000_000);
    let (table, pool) = (scanning::table(ACCOUNTS), scanning::pool()?);
    let plain = strangers(task.folder, lines, Packing::Plain)?;
    let mut measures = Vec::new();
    for (packing, alone, of_cores) in [
        (Packing::Gzip, GZIP, GZIP_OF_CORES),
        (Packing::Zstd, ZSTD, ZSTD_OF_CORES),
    ] {
        if !task.wants(alone) && !task.wants(of_cores) {
            continue;
        }
        let packed = strangers(task.folder, lines, packing)?;
        let rounds = Rounds::run(
            task.pick(5, 7),
            &mut [
                &mut || scan_strangers(&packed, 1, false, &table, &pool),
                &mut || decompress(&packed, packing),
                &mut || scan_strangers(&plain, 1, false, &table, &pool),
            ],
        )?;
        let (ours, alone_wall) = (rounds.seconds(0, Spent::wall), rounds.seconds(1, Spent::wall));
        let both = (rounds.seconds(1, Spent::cpu) + rounds.seconds(2, Spent::cpu)) / cores() as f64;
        let count = lines as f64;
        measures.push(
            Measure::of(alone, count / ours, "lines/s")
                .in_rounds(count / alone_wall, rounds.ratio(0, 1, Spent::wall))
                .ratio_at_least(0.8)
                .with("unpacked_gb_per_s", rounded(packed.bytes as f64 / ours / 1e9))
                .with("cores", cores())
                .with("bound_by", if alone_wall > both { "decompressor" } else { "cores" }),
        );
        measures.push(
            Measure::of(of_cores, count / ours, "lines/s")
                .beside(count / both.max(alone_wall))
                .ratio_at_least(0.8),
        );
    }
    Ok(measures)
}

/// The decompressor with the buffers that the product gives it, and nothing else.
pub(crate) fn decompress(packed: &LeakFile, packing: Packing) -> Result<()> {
    let bytes = match packing {
        Packing::Plain => drain(File::open(&packed.path)?)?,
        Packing::Gzip => drain(flate2::bufread::MultiGzDecoder::new(buffered(&packed.path)?))?,
        Packing::Zstd => drain(zstd::Decoder::with_buffer(buffered(&packed.path)?)?)?,
    };
    ensure!(
        bytes == packed.bytes,
        "{bytes} bytes were unpacked, not {}",
        packed.bytes
    );
    Ok(())
}

fn buffered(path: &Path) -> Result<BufReader<File>> {
    Ok(BufReader::with_capacity(256 * 1024, File::open(path)?))
}

fn drain(mut input: impl Read) -> Result<u64> {
    let mut chunk = vec![0; rightful_leaks::unpack::CHUNK];
    let mut bytes = 0;
    loop {
        match input.read(&mut chunk)? {
            0 => return Ok(bytes),
            read => bytes += black_box(&chunk[..read]).len() as u64,
        }
    }
}
