//! The program itself as a server, on a free loopback port, on a site in a folder of its own.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rightful_app::env::Env;
use rightful_app::site::{KeySource, Site};
use rightful_crypto::password::{Arena, Argon2Params, hash_new};
use rightful_crypto::seal::KeyFile;
use rightful_store::Address;
use rightful_testkit::process::{Running, pause, run};
use tempfile::TempDir;

use crate::http::Connection;
use crate::import;

/// How long a server may take to serve; a minute means that it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// The password of every owner of a bench.
pub(crate) const PASSWORD: &str = "kestrel above the harbour";

/// The least that Argon2 can cost: a hash that is next to none.
pub(crate) fn null_cost() -> Result<Argon2Params> {
    Argon2Params::new(8, 1, 1).context("the least cost is not within the caps")
}

/// The hash of [`PASSWORD`] at a cost. Accounts may share it: what is measured does not look for that.
pub(crate) fn hash_of_all(cost: Argon2Params) -> Result<String> {
    let hash = hash_new(PASSWORD.as_bytes(), *b"salt of a bench.", cost, &mut Arena::new());
    Ok(hash.context("the password of the bench cannot be hashed")?.text())
}

/// The program, built beside this one.
pub(crate) fn program() -> Result<PathBuf> {
    let own = std::env::current_exe().context("this program cannot find itself")?;
    let program = own.with_file_name("rightful");
    ensure!(
        program.exists(),
        "there is no {}: do `cargo build --release --package rightful`, or run all of it by `cargo xtask bench`",
        program.display()
    );
    Ok(program)
}

/// A site that nobody serves yet: a folder, with the program in it.
pub(crate) struct Premises {
    program: PathBuf,
    folder: TempDir,
}

impl Premises {
    /// An empty folder.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            program: program()?,
            folder: TempDir::with_prefix("rightful-bench-").context("there is no folder for the site")?,
        })
    }

    /// Where files for the program can lie.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The program in that folder, with nothing of our own environment that would change what it does.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("RIGHTFUL_") {
                command.env_remove(name);
            }
        }
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("USER", "bench");
        command
    }

    /// Imports accounts: names, each with a hash or none.
    pub(crate) fn import<'a>(&self, accounts: impl Iterator<Item = (String, &'a str)>) -> Result<()> {
        let mut csv = String::from("account,email,password\n");
        for (name, hash) in accounts {
            csv += &format!("{name},{name},\"{hash}\"\n");
        }
        fs::write(self.folder().join("accounts.csv"), csv)?;
        let ended = run(&mut self.command(&["accounts", "import", "accounts.csv", "--no-wrap"]));
        ensure!(ended.status == Some(0), "the import failed: {}", ended.stderr);
        Ok(())
    }

    /// The site, opened beside the server, for what no command does in bulk.
    pub(crate) async fn site(&self) -> Result<Site> {
        let key = fs::read_to_string(self.folder().join("rightful.key"))?;
        let key = KeyFile::parse(&key).context("the key file of the bench is none")?;
        let address = Address::Sqlite(self.folder().join("rightful-data/rightful.db"));
        let mut env: Env = import::env();
        let site = Site::open(&address, KeySource::File(key), "bench", &mut env).await;
        site.context("the site of the bench cannot be opened")
    }

    /// Starts the server, and waits until it answers that it is ready.
    pub(crate) async fn serve(&self) -> Result<Server> {
        let port = {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
            listener.local_addr()?.port()
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut command = self.command(&["serve"]);
        command.envs([
            ("RIGHTFUL_LISTEN__ADDRESS", address.to_string().as_str()),
            // So that requests can come from many addresses.
            ("RIGHTFUL_LISTEN__TRUSTED_PROXIES", "127.0.0.1/32"),
        ]);
        let begun = Instant::now();
        let mut server = Server {
            running: Running::start(&mut command),
            address,
            took: Duration::ZERO,
        };
        while !server.is_ready().await {
            ensure!(
                !server.running.has_ended() && begun.elapsed() < PATIENCE,
                "the server does not serve: {}",
                server.running.stderr()
            );
            pause();
        }
        server.took = begun.elapsed();
        Ok(server)
    }
}

/// A server that serves. Killed when dropped.
pub(crate) struct Server {
    running: Running,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// From its start to its first answer.
    pub(crate) took: Duration,
}

impl Server {
    async fn is_ready(&self) -> bool {
        let Ok(mut connection) = Connection::open(self.address).await else {
            return false;
        };
        let request = format!("GET /health/ready HTTP/1.1\r\nhost: {}\r\n\r\n", self.address);
        let answer = connection.ask(request.as_bytes()).await;
        answer.is_ok_and(|answer| answer.status == 200)
    }

    /// Seconds of processor time that it has had.
    pub(crate) fn cpu(&self) -> Result<f64> {
        cpu_of(&self.running)
    }

    /// Seconds of processor time that its threads for password hashes have had (proc(5): the first figure of `schedstat`, in
    /// nanoseconds).
    pub(crate) fn cpu_of_hashes(&self) -> Result<f64> {
        let threads = fs::read_dir(format!("/proc/{}/task", self.running.id())).context("the server has ended")?;
        let read = |path: &Path, what| fs::read_to_string(path.join(what)).unwrap_or_default();
        let of_pool = threads
            .flatten()
            .filter(|thread| read(&thread.path(), "comm").starts_with("hash-"))
            .map(|thread| read(&thread.path(), "schedstat"));
        let nanoseconds = of_pool.filter_map(|stat| stat.split(' ').next()?.parse::<f64>().ok());
        let seconds = nanoseconds.sum::<f64>() / 1e9;
        ensure!(seconds > 0.0, "the server has no threads for password hashes");
        Ok(seconds)
    }

    /// A line of what the system says of its memory, in bytes: `VmRSS` (now), `VmHWM` (at most).
    pub(crate) fn memory(&self, line: &str) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.running.id()));
        let status = status.context("the server has ended")?;
        let value = status
            .lines()
            .find_map(|text| text.strip_prefix(line)?.strip_prefix(':'));
        let kib = value.and_then(|text| text.trim().trim_end_matches(" kB").parse::<u64>().ok());
        Ok(kib.with_context(|| format!("the system does not tell {line}"))? * 1024)
    }
}

/// Seconds of processor time of a process, in hundredths (proc_pid_stat(5): the 14th and 15th field).
pub(crate) fn cpu_of(process: &Running) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.id())).context("the process has ended")?;
    // The name of the program stands in brackets and may hold anything.
    let fields = stat.rsplit_once(')').map(|(_, fields)| fields).unwrap_or_default();
    let ticks = fields.split_ascii_whitespace().skip(11).take(2);
    Ok(ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0)
}
