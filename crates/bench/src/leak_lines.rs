//! Made-up leaks: files of `email:password` lines as large collections of credentials have them.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rightful_leaks::sample::Dice;

use crate::people::{Crowd, address, username};

/// The 100,000 most used passwords of leaked collections (data/README.md), most used first.
const COMMON: &[u8] = include_bytes!("../../../data/common-passwords-100k.txt.zst");

/// Writes line after line about strangers. Of a thousand lines
///
/// * 945 are an address, a separator (a colon in nine of ten) and a password without one,
/// * 20 the same with a user name,
/// * 20 the same with an MD5 hash,
/// * 10 hold a separator in the password,
/// * 5 are nothing: blank, or without a password.
///
/// Every twelfth name has capitals, every two-hundredth a part after "+"; one password in a hundred goes beyond ASCII.
pub(crate) struct LeakLines {
    dice: Dice,
    common: Vec<Vec<u8>>,
    name: Vec<u8>,
    password: Vec<u8>,
}

impl LeakLines {
    /// The lines of this seed.
    pub(crate) fn new(seed: u64) -> Result<Self> {
        let common = zstd::decode_all(COMMON).context("the list of common passwords is damaged")?;
        Ok(Self {
            dice: Dice::new(seed),
            common: common.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect(),
            name: Vec::new(),
            password: Vec::new(),
        })
    }

    /// Appends the next line with its end.
    pub(crate) fn next(&mut self, out: &mut Vec<u8>) {
        let fate = self.dice.below(1000);
        self.name.clear();
        match fate {
            5..25 => username(&mut self.dice, Crowd::Strangers, &mut self.name),
            _ => address(&mut self.dice, Crowd::Strangers, &mut self.name),
        }
        self.spell();
        self.invent_password(fate);
        match fate {
            0 | 1 => {}
            2..5 => out.extend_from_slice(&self.name),
            _ => {
                out.extend_from_slice(&self.name);
                out.push(self.dice.pick(b":::::::::::::::::::;;|"));
                out.extend_from_slice(&self.password);
            }
        }
        out.push(b'\n');
    }

    /// Spells the name as its owner once did.
    fn spell(&mut self) {
        match self.dice.below(200) {
            0 => {
                if let Some(at) = self.name.iter().position(|byte| *byte == b'@') {
                    self.name.splice(at..at, *b"+shop");
                }
            }
            1..14 => self.name[..1].make_ascii_uppercase(),
            14..17 => self.name.make_ascii_uppercase(),
            _ => {}
        }
    }

    fn invent_password(&mut self, fate: usize) {
        let Self {
            dice, common, password, ..
        } = self;
        password.clear();
        // Two throws, the lower counts twice over: the most used passwords are most of a leak.
        let place = dice.below(common.len()).min(dice.below(common.len())) / (1 + dice.below(40));
        match dice.below(20) {
            _ if (25..45).contains(&fate) => {
                let digest = u128::from(dice.number()) << 64 | u128::from(dice.number());
                password.extend_from_slice(format!("{digest:032x}").as_bytes());
            }
            0..9 => password.extend_from_slice(&common[place]),
            9..16 => {
                password.extend_from_slice(&common[place]);
                password.extend_from_slice(dice.below(10_000).to_string().as_bytes());
            }
            _ => {
                const LETTERS: &[u8] = b"abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789!#%&*+-.?_$";
                let length = 8 + dice.below(7);
                password.extend((0..length).map(|_| dice.pick(LETTERS)));
            }
        }
        if password.is_empty() {
            password.extend_from_slice(b"123456");
        }
        match fate {
            45..55 => password.insert(password.len() / 2, dice.pick(b":;,|")),
            55..65 => password.extend_from_slice("ß1é".as_bytes()),
            _ => {}
        }
    }
}

/// A leak in a file.
pub(crate) struct LeakFile {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its lines.
    pub(crate) lines: u64,
    /// Its bytes before packing.
    pub(crate) bytes: u64,
}

/// How a leak is packed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    /// Not at all.
    Plain,
    /// gzip at its usual level, 6.
    Gzip,
    /// zstd at its usual level, 3.
    Zstd,
}

impl Packing {
    const fn ending(self) -> &'static str {
        match self {
            Self::Plain => "txt",
            Self::Gzip => "txt.gz",
            Self::Zstd => "txt.zst",
        }
    }
}

/// A file of so many lines about strangers, made where the folder has none yet.
pub(crate) fn strangers(folder: &Path, lines: u64, packing: Packing) -> Result<LeakFile> {
    let path = folder.join(format!("strangers-{lines}.{}", packing.ending()));
    let plain = folder.join(format!("strangers-{lines}.txt"));
    if !plain.exists() {
        write_lines(&plain, lines).with_context(|| format!("{} cannot be written", plain.display()))?;
    }
    if !path.exists() {
        pack(&plain, &path, packing).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    let bytes = plain.metadata()?.len();
    Ok(LeakFile { path, lines, bytes })
}

fn write_lines(path: &Path, lines: u64) -> Result<()> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let (mut source, mut line) = (LeakLines::new(0x1eaf)?, Vec::new());
    for _ in 0..lines {
        line.clear();
        source.next(&mut line);
        file.write_all(&line)?;
    }
    Ok(file.flush()?)
}

fn pack(plain: &Path, path: &Path, packing: Packing) -> Result<()> {
    let (mut plain, packed) = (File::open(plain)?, File::create(path)?);
    match packing {
        Packing::Plain => {}
        Packing::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(packed, flate2::Compression::default());
            std::io::copy(&mut plain, &mut encoder)?;
            encoder.finish()?;
        }
        Packing::Zstd => zstd::stream::copy_encode(plain, packed, 3)?,
    }
    Ok(())
}
