//! `rightful demo`: the main job on a site and a leak that are made up for it.
//!
//! Only the making up is of its own; everything else is what the other commands run.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::channel;

use anyhow::{Context, Result};
use rightful_app::accounts::{find_account, in_words, why};
use rightful_app::accounts_file::RowHints;
use rightful_app::env::Env;
use rightful_app::import_accounts::{ImportRequest, RejectFile, import_accounts};
use rightful_app::scan_leak::{ScanNews, ScanRequest, scan_leak};
use rightful_app::site::Site;
use rightful_core::Grade;
use rightful_core::variation::variations;
use rightful_crypto::password::{Argon2Params, hash_new};
use rightful_crypto::pool::{HashPool, Priority, Turn};
use rightful_leaks::sample::{Dice, Format, invent_identifier, invent_password, invent_url, write_record};
use rightful_leaks::scan::Plan;
use rightful_leaks::unpack::{LeakSource, UnpackOptions};

use super::leak::print_scan;
use crate::cli::{DemoArgs, SiteArgs};
use crate::terminal::{self, Line, bytes, duration, number};
use crate::world::{self, Unusable};

/// Accounts of the made-up site.
const ACCOUNTS: usize = 2000;
/// Lines of the made-up leak.
const LINES: usize = 1_000_000;
/// Variations that the scan tries.
const VARIATIONS: usize = 3;

/// The 100,000 most used passwords of leaked collections (data/README.md), most used first.
const COMMON: &[u8] = include_bytes!("../../../../data/common-passwords-100k.txt.zst");

/// How many owners appear in the leak with what. Each line names the account truly; what the secret is differs.
const THEIR_PASSWORD: usize = 260;
const A_VARIATION: usize = 60;
const AN_EARLIER_ONE: usize = 40;
const A_HASH: usize = 60;
const ANOTHERS: usize = 180;

pub(crate) async fn run(args: &DemoArgs, json: bool, site_args: &SiteArgs) -> Result<ExitCode> {
    if json {
        anyhow::bail!(Unusable("the demo is for people: it has no --json".to_owned()));
    }
    let temporary = match &args.keep {
        Some(_) => None,
        None => Some(tempfile::tempdir().context("no folder for the demo can be made")?),
    };
    let folder = match (&args.keep, &temporary) {
        (Some(kept), _) => kept.as_path(),
        (None, Some(temporary)) => temporary.path(),
        (None, None) => Path::new("."),
    };
    make_folder(folder)?;
    let outcome = Demo::new(folder, site_args)?.run().await;
    if args.keep.is_some() && outcome.is_ok() {
        let shown = folder.display();
        println!("\nKept in {shown}: accounts.csv, leak.txt.zst, rightful-data and rightful.key. Try:");
        println!("  rightful --data {shown}/rightful-data --key {shown}/rightful.key leak show 1");
        println!(
            "  rightful leak match --accounts {shown}/accounts.csv --out {shown}/exposures.csv {shown}/leak.txt.zst"
        );
    }
    outcome.map(|()| ExitCode::SUCCESS)
}

fn make_folder(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    if std::fs::read_dir(folder)?.next().is_some() {
        anyhow::bail!(Unusable(format!(
            "{} is not empty; the demo begins with an empty folder",
            folder.display()
        )));
    }
    Ok(())
}

/// An owner of the made-up site.
struct Owner {
    id: String,
    email: String,
    password: String,
    former: Option<String>,
}

struct Demo<'a> {
    folder: &'a Path,
    args: SiteArgs,
    pool: HashPool,
    env: Env,
    dice: Dice,
    common: Vec<String>,
    begun: Line,
}

impl<'a> Demo<'a> {
    fn new(folder: &'a Path, site_args: &SiteArgs) -> Result<Self> {
        let unpacked = zstd::decode_all(COMMON).context("the list of common passwords is damaged")?;
        let common = String::from_utf8(unpacked).context("the list of common passwords is damaged")?;
        let args = SiteArgs {
            data: folder.join("rightful-data"),
            key: folder.join("rightful.key"),
            database: None,
            cores: site_args.cores,
        };
        Ok(Self {
            folder,
            pool: world::pool(&args)?,
            args,
            env: world::env(),
            dice: Dice::new(2012),
            common: common.lines().map(str::to_owned).collect(),
            begun: Line::new(),
        })
    }

    async fn run(mut self) -> Result<()> {
        println!(
            "A site with {} accounts, Argon2id (19 MiB, 2 passes) on {} cores.",
            number(ACCOUNTS as u64),
            self.pool.workers()
        );
        let owners = self.owners();
        let rate = self.write_accounts(&owners)?;
        println!("  made up and hashed: {rate:.0} hashes/s, the most that this machine does now");
        let site = world::open_site(&self.args, &mut self.env).await?;
        self.import(&site).await?;
        let leak = self.write_leak(&owners)?;
        println!(
            "\nA leak arrives: {} lines in mixed formats, {} packed.",
            number(LINES as u64),
            bytes(leak)
        );
        self.scan(&site, rate).await?;
        self.explain(&site, &owners).await?;
        println!("\nAll in {}.", duration(self.begun.seconds()));
        Ok(())
    }

    /// Owners with passwords as people have them: the frequency falls as rank to the power -0.7.
    fn owners(&mut self) -> Vec<Owner> {
        const FIRST: [&str; 20] = [
            "anna", "ben", "carla", "david", "elif", "farid", "greta", "hugo", "ines", "jonas", "kim", "lena", "milan",
            "nora", "omar", "paula", "quentin", "rosa", "samir", "tilda",
        ];
        const LAST: [&str; 16] = [
            "berg", "costa", "dahl", "evans", "fischer", "garcia", "haas", "ito", "jansen", "klein", "lopez", "moreau",
            "novak", "olsen", "petrov", "rossi",
        ];
        let owner = |at: usize, demo: &mut Self| Owner {
            id: (10_001 + at).to_string(),
            email: format!("{}.{}{at}@mail.example", demo.dice.pick(&FIRST), demo.dice.pick(&LAST)),
            password: demo.common_password(),
            former: (at % 20 == 7).then(|| demo.common_password()),
        };
        (0..ACCOUNTS).map(|at| owner(at, self)).collect()
    }

    fn common_password(&mut self) -> String {
        let chance = (self.dice.number() >> 11) as f64 / (1_u64 << 53) as f64;
        let rank = (chance.powf(1.0 / 0.3) * self.common.len() as f64) as usize;
        self.common[rank.min(self.common.len() - 1)].clone()
    }

    /// Writes the accounts with their hashes; answers hashes a second, which is the bound for the tests later.
    fn write_accounts(&mut self, owners: &[Owner]) -> Result<f64> {
        let line = Line::new();
        let passwords: Vec<&str> = owners
            .iter()
            .flat_map(|owner| [Some(owner.password.as_str()), owner.former.as_deref()])
            .flatten()
            .collect();
        let (sender, hashes) = channel();
        let mut done: Vec<Option<String>> = vec![None; passwords.len()];
        std::thread::scope(|scope| {
            let (pool, env) = (&self.pool, &mut self.env);
            let handing = passwords
                .iter()
                .map(|password| ((*password).to_owned(), env.random()))
                .collect::<Vec<_>>();
            scope.spawn(move || {
                for (at, (password, salt)) in handing.into_iter().enumerate() {
                    let sender = sender.clone();
                    pool.submit_when_room(Priority::LeakTest, move |turn| {
                        if let Turn::Begin(arena) = turn {
                            let hash = hash_new(password.as_bytes(), salt, Argon2Params::DEFAULT, arena);
                            // The demo has ended when nobody listens.
                            let _ = sender.send((at, hash));
                        }
                    });
                }
            });
            for (count, (at, hash)) in hashes.iter().enumerate() {
                done[at] = Some(hash?.text());
                line.say(format!(
                    "hashing {} of {}",
                    number(count as u64 + 1),
                    number(passwords.len() as u64)
                ));
            }
            anyhow::Ok(())
        })?;
        let rate = passwords.len() as f64 / line.seconds();
        line.clear();
        let mut hashes = done.into_iter().map(|hash| hash.context("a hash is missing"));
        let mut file = BufWriter::new(File::create(self.folder.join("accounts.csv"))?);
        writeln!(file, "account,email,password,former_passwords")?;
        for owner in owners {
            let password = hashes.next().context("a hash is missing")??;
            let former = match owner.former {
                Some(_) => format!("[\"\"{}\"\"]", hashes.next().context("a hash is missing")??),
                None => String::new(),
            };
            writeln!(file, "{},{},\"{password}\",\"{former}\"", owner.id, owner.email)?;
        }
        file.flush()?;
        Ok(rate)
    }

    async fn import(&mut self, site: &Site) -> Result<()> {
        let line = Line::new();
        let path = self.folder.join("accounts.csv");
        let rejects = File::options()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            .open(self.folder.join("rejects.csv"))?;
        let request = ImportRequest {
            source: super::open(&path)?,
            name: "accounts.csv",
            identity: self.env.random(),
            hints: RowHints::default(),
        };
        let stop = AtomicBool::new(false);
        let mut rejects = RejectFile(rejects);
        let report = import_accounts(request, site, &mut rejects, &mut self.env, &stop, &mut |_| ()).await?;
        std::fs::remove_file(self.folder.join("rejects.csv"))?;
        println!(
            "  imported: {} accounts in {}",
            number(report.tally.added),
            duration(line.seconds())
        );
        Ok(())
    }

    /// Writes the leak; answers how long the packed file is.
    fn write_leak(&mut self, owners: &[Owner]) -> Result<u64> {
        let path = self.folder.join("leak.txt.zst");
        let mut named = self.named(owners);
        let total = named.len();
        let every = LINES / (total + 10);
        let mut writer = zstd::Encoder::new(BufWriter::new(File::create(&path)?), 1)?;
        let mut lines = 0;
        while lines < LINES {
            let record = match named.last() {
                // The last ones get in at the end whatever the lengths of the records before.
                Some(_) if lines / every >= total - named.len() => named.pop().unwrap_or_default(),
                _ => self.stranger(),
            };
            let length = record.iter().filter(|&&byte| byte == b'\n').count();
            if lines + length <= LINES {
                writer.write_all(&record)?;
                lines += length;
            }
        }
        writer.finish()?.flush()?;
        Ok(std::fs::metadata(&path)?.len())
    }

    /// Records that name owners, in a mixed order.
    fn named(&mut self, owners: &[Owner]) -> Vec<Vec<u8>> {
        let mut records = Vec::new();
        let mut owners = owners.iter();
        for owner in owners.by_ref().take(THEIR_PASSWORD) {
            records.push((owner, owner.password.clone().into_bytes()));
        }
        for owner in owners.by_ref().take(A_VARIATION) {
            // The site's password is a variation of the leaked one when the leaked one is the site's, varied back.
            let leaked = before(owner.password.as_bytes(), &mut self.dice);
            records.push((owner, leaked));
        }
        for owner in owners
            .by_ref()
            .filter(|owner| owner.former.is_some())
            .take(AN_EARLIER_ONE)
        {
            records.push((owner, owner.former.clone().unwrap_or_default().into_bytes()));
        }
        for owner in owners.by_ref().take(A_HASH) {
            let digest: String = (0..40)
                .map(|_| char::from(self.dice.pick(b"0123456789abcdef")))
                .collect();
            records.push((owner, digest.into_bytes()));
        }
        for owner in owners.by_ref().take(ANOTHERS) {
            records.push((
                owner,
                format!("{}-{}", self.common_password(), self.dice.below(1000)).into_bytes(),
            ));
        }
        let formats = [
            Format::Colon,
            Format::Semicolon,
            Format::Tab,
            Format::Pipe,
            Format::UrlFirst,
            Format::UrlLast,
            Format::JsonLine,
            Format::RedLine,
        ];
        let mut written: Vec<Vec<u8>> = records
            .iter()
            .map(|(owner, secret)| {
                let format = self.dice.pick(&formats);
                write_record(
                    format,
                    owner.email.as_bytes(),
                    secret,
                    invent_url(&mut self.dice),
                    &mut self.dice,
                )
            })
            .collect();
        for at in (1..written.len()).rev() {
            written.swap(at, self.dice.below(at + 1));
        }
        written
    }

    /// A line about somebody who has no account here.
    fn stranger(&mut self) -> Vec<u8> {
        let formats = [
            Format::Colon,
            Format::Colon,
            Format::Colon,
            Format::Semicolon,
            Format::Comma,
            Format::Tab,
            Format::UrlFirst,
            Format::JsonLine,
        ];
        let format = if self.dice.below(50) == 0 {
            Format::StealC
        } else {
            self.dice.pick(&formats)
        };
        let password = if self.dice.below(500) == 0 {
            invent_password(&mut self.dice)
        } else {
            self.common_password().into_bytes()
        };
        let name = if self.dice.below(100) == 0 {
            invent_identifier(&mut self.dice)
        } else {
            format!("user{}@elsewhere.example", self.dice.below(50_000_000)).into_bytes()
        };
        write_record(format, &name, &password, invent_url(&mut self.dice), &mut self.dice)
    }

    async fn scan(&mut self, site: &Site, bound: f64) -> Result<()> {
        let sources = [LeakSource::from_argument(
            self.folder.join("leak.txt.zst").into_os_string(),
        )];
        let readers = std::thread::available_parallelism().map_or(1, usize::from);
        let request = ScanRequest {
            name: "demo",
            received_from: "rightful demo",
            leak_date: None,
            sources: &sources,
            unpack: UnpackOptions::default(),
            plan: Plan {
                kind: None,
                variations: VARIATIONS,
                readers,
            },
        };
        let line = Line::new();
        let mut news = |news: ScanNews<'_>| {
            if let ScanNews::Scanning(progress) = news {
                line.say(terminal::progress(progress, line.seconds()));
            }
        };
        let stop = AtomicBool::new(false);
        let report = scan_leak(request, site, &mut self.env, &self.pool, &stop, &mut news).await?;
        line.clear();
        let seconds = line.seconds();
        println!();
        print_scan("demo", &report, seconds);
        let grades = report.progress.exposures.grades;
        // One hash each for what is the password; the variations, and earlier passwords, too where it is not.
        let exact = grades[Grade::Exact as usize];
        let hashes = exact + (report.progress.tests - exact) * (1 + VARIATIONS as u64);
        println!(
            "About {} hashes in {}: {:.0} a second, {:.0} % of the most that this machine does.",
            number(hashes),
            duration(seconds),
            hashes as f64 / seconds,
            100.0 * hashes as f64 / seconds / bound
        );
        Ok(())
    }

    async fn explain(&self, site: &Site, owners: &[Owner]) -> Result<()> {
        println!("\nWhy me? One account of each grade:");
        let mut shown = Vec::new();
        for owner in owners {
            let Some(no) = find_account(site, &owner.email, None).await? else {
                continue;
            };
            for reason in why(site, no).await? {
                if !shown.contains(&reason.grade) {
                    println!("  {}\n    {}", owner.email, in_words(&reason));
                    shown.push(reason.grade);
                }
            }
            if shown.len() == Grade::ALL.len() {
                break;
            }
        }
        Ok(())
    }
}

/// A password of which `password` is one of the first variations, if one is easily found; else one that it resembles.
fn before(password: &[u8], dice: &mut Dice) -> Vec<u8> {
    let candidates = variations(password, 8);
    let leads_back = |candidate: &&Vec<u8>| {
        variations(candidate, VARIATIONS)
            .iter()
            .any(|varied| varied == password)
    };
    let back: Vec<&Vec<u8>> = candidates.iter().filter(leads_back).collect();
    match back.len() {
        0 => candidates.first().cloned().unwrap_or_default(),
        many => back[dice.below(many)].clone(),
    }
}
