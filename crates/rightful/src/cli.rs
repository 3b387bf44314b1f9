//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use rightful_core::Kind;

/// Keeps accounts with their rightful owners: finds exactly whose password is in a leak.
#[derive(Parser)]
#[command(version, after_help = EXAMPLES, propagate_version = true, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) site: SiteArgs,
    /// Print for programs: JSON on standard output.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  rightful demo
      See it work on a site and a leak that are made up for it.
  rightful leak match --accounts accounts.csv --out exposures.csv breach.txt.zst
      Whose password is in this leak? Without a database.
  rightful accounts import accounts.csv
  rightful leak scan breach.txt.zst --name \"Example forum, 2026\"
      The same with a database that remembers what was tested.

Exit status: 0 done; 1 it failed, or was stopped and can be gone on with; 2 the command or the files it names cannot be used.";

const SERVE_EXAMPLES: &str = "\
Examples:
  rightful serve
      On http://127.0.0.1:8080, with data in ./rightful-data and no mail server: messages are shown at /dev/mailbox.
  rightful config sample > rightful.toml
  rightful serve --config rightful.toml
      As configured. `rightful config check` says first whether it can be used.";

const LOGIN_EXAMPLES: &str = "\
Examples:
  rightful login --server https://id.example.com
      Prints a page to open and a code to compare. Allow it there, and the token lies in ~/.config/rightful/token for 8 hours:
      curl -H \"Authorization: Bearer $(cat ~/.config/rightful/token)\" https://id.example.com/api/v1/me";

const INCIDENT_EXAMPLES: &str = "\
Examples:
  rightful login
      First: whoever you are at the server acts, by his role.
  rightful incident open \"The forum's passwords are out\"
  rightful incident attach the-forum-s-passwords-are-out \"Example forum, 2026\"
  rightful incident show the-forum-s-passwords-are-out";

const CONTAINMENT_EXAMPLES: &str = "\
Examples:
  rightful containment draft the-forum-s-passwords-are-out
  rightful containment dry-run 1 --out cohort.csv
      Whom it is about, and why. Nobody feels it.
  rightful containment approve 1
      By somebody else, where it takes from more accounts than one person may decide about.
  rightful containment start 1
  rightful containment status 1
  rightful containment undo 1";

/// The server that is asked, and as whom.
#[derive(Args, Clone)]
pub(crate) struct ServerArgs {
    /// Where the server is: https, or http on this machine.
    #[arg(
        long,
        value_name = "URL",
        env = "RIGHTFUL_SERVER",
        default_value = "http://127.0.0.1:8080"
    )]
    pub(crate) server: String,
    /// Where the token of `rightful login` is kept [default: rightful/token in $XDG_CONFIG_HOME or ~/.config]
    #[arg(long, value_name = "FILE", env = "RIGHTFUL_TOKEN_FILE")]
    pub(crate) token_file: Option<PathBuf>,
}

#[derive(Subcommand)]
pub(crate) enum IncidentCommand {
    /// Open one.
    Open {
        /// What people call it.
        title: String,
        /// What addresses and commands name it by [default: made of the title]
        #[arg(long)]
        slug: Option<String>,
    },
    /// All of them.
    List,
    /// Its leaks, what was written, its containments.
    Show {
        /// Its slug.
        incident: String,
    },
    /// Attach a leak that was scanned.
    Attach {
        /// The slug of the incident.
        incident: String,
        /// The name of the leak.
        leak: String,
    },
    /// Write a note for colleagues.
    Note {
        /// The slug of the incident.
        incident: String,
        /// What.
        text: String,
    },
    /// Write an update for the public page.
    Update {
        /// The slug of the incident.
        incident: String,
        /// What.
        text: String,
    },
    /// Close one of which nothing is at work any more.
    Close {
        /// Its slug.
        incident: String,
    },
}

/// What a containment is to do.
#[derive(Args, Clone)]
pub(crate) struct PlanArgs {
    /// Another action for a grade and kind than the usual one, as in variant/dump=notice; may be repeated.
    #[arg(long, value_name = "GRADE/KIND=ACTION")]
    pub(crate) action: Vec<String>,
    /// Sizes of the waves, the canary first [default: 50,10%,rest]
    #[arg(long, value_name = "SIZES")]
    pub(crate) waves: Option<String>,
    /// Minutes from one wave to the next [default: 30]
    #[arg(long, value_name = "MINUTES")]
    pub(crate) spacing: Option<u32>,
    /// Tell nobody.
    #[arg(long)]
    pub(crate) no_notices: bool,
    /// The language for owners of whom none is known [default: en]
    #[arg(long, value_name = "TAG")]
    pub(crate) language: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum ContainmentCommand {
    /// Draft one for an incident.
    Draft {
        /// The slug of the incident.
        incident: String,
        #[command(flatten)]
        plan: PlanArgs,
    },
    /// Another plan, before anything was done; the list is to be made anew.
    Plan {
        /// Its number.
        containment: i64,
        #[command(flatten)]
        plan: PlanArgs,
    },
    /// List whom it is about, and why. Nobody feels it.
    DryRun {
        /// Its number.
        containment: i64,
        /// Write the whole list there, as CSV.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Write the whole cohort as CSV, with what became of each.
    Export {
        /// Its number.
        containment: i64,
        /// The file.
        out: PathBuf,
    },
    /// Agree to what somebody else drafted.
    Approve {
        /// Its number.
        containment: i64,
    },
    /// Start its first wave.
    Start {
        /// Its number.
        containment: i64,
    },
    /// No further wave, no further message; what was done stays.
    Pause {
        /// Its number.
        containment: i64,
    },
    /// Go on after a pause.
    Resume {
        /// Its number.
        containment: i64,
    },
    /// Take back what it did.
    Undo {
        /// Its number.
        containment: i64,
    },
    /// How far it is.
    Status {
        /// Its number.
        containment: i64,
    },
}

/// Where the site is.
#[derive(Args, Clone)]
pub(crate) struct SiteArgs {
    /// Folder of the site's data.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "RIGHTFUL_DATA",
        default_value = "./rightful-data"
    )]
    pub(crate) data: PathBuf,
    /// Key file under which the data is sealed. Never inside the data folder.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "RIGHTFUL_KEY",
        default_value = "./rightful.key"
    )]
    pub(crate) key: PathBuf,
    /// Database, instead of an SQLite file in the data folder: postgres://…
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "RIGHTFUL_DATABASE",
        hide_env_values = true
    )]
    pub(crate) database: Option<String>,
    /// Cores to compute password hashes on; all by default.
    #[arg(long, global = true, value_name = "N", env = "RIGHTFUL_CORES")]
    pub(crate) cores: Option<std::num::NonZeroUsize>,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make up a site and a leak, and find who is at risk.
    Demo(DemoArgs),
    /// Put the site into service: sign-in, messages, the way back.
    #[command(after_help = SERVE_EXAMPLES)]
    Serve {
        /// File of configuration; `rightful config sample` prints one. Without it, ./rightful.toml if it is there.
        #[arg(long, value_name = "FILE", env = "RIGHTFUL_CONFIG")]
        config: Option<PathBuf>,
    },
    /// Get a token for an administrator, who lets this program act in a browser.
    #[command(after_help = LOGIN_EXAMPLES)]
    Login {
        /// Where the server is: https, or http on this machine.
        #[arg(
            long,
            value_name = "URL",
            env = "RIGHTFUL_SERVER",
            default_value = "http://127.0.0.1:8080"
        )]
        server: String,
        /// Where the token is kept, for its owner alone [default: rightful/token in $XDG_CONFIG_HOME or ~/.config]
        #[arg(long, value_name = "FILE", env = "RIGHTFUL_TOKEN_FILE")]
        token_file: Option<PathBuf>,
    },
    /// Incidents: what is known of a leak, over the API of a running server.
    #[command(after_help = INCIDENT_EXAMPLES)]
    Incident {
        #[command(flatten)]
        server: ServerArgs,
        #[command(subcommand)]
        command: IncidentCommand,
    },
    /// Containments: hold exactly those, tell them, undo; over the API of a running server.
    #[command(after_help = CONTAINMENT_EXAMPLES)]
    Containment {
        #[command(flatten)]
        server: ServerArgs,
        #[command(subcommand)]
        command: ContainmentCommand,
    },
    /// Give an account a role, or take it: administrator, responder, approver, auditor, helper, none.
    Role {
        #[command(flatten)]
        server: ServerArgs,
        /// The account, by its id or any of its names.
        account: String,
        /// The role.
        role: String,
    },
    /// Import accounts and look at them.
    #[command(subcommand)]
    Accounts(AccountsCommand),
    /// Match leaks with accounts.
    #[command(subcommand)]
    Leak(LeakCommand),
    /// Write all data to one file, while others go on working. The key file is not in it.
    Backup {
        /// The file to write; it must not be there yet.
        file: PathBuf,
    },
    /// Read a backup into an empty database, of either kind.
    Restore {
        /// The backup.
        file: PathBuf,
    },
    /// The log of who did what.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// What the server is set to.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Sign mail, so that receivers can tell it from forged mail.
    #[command(subcommand)]
    Dkim(DkimCommand),
    /// Take a bounce from standard input: a message that came back to one of our return paths.
    #[command(after_help = BOUNCE_EXAMPLES)]
    Bounce,
}

const BOUNCE_EXAMPLES: &str = "\
Examples:
  rightful bounce < message.eml
  /etc/aliases, for return paths bounce+…@example.com:
      bounce: \"|/usr/local/bin/rightful --data /var/lib/rightful --key /etc/rightful.key bounce\"

Only a bounce whose return path was made here counts, and once. It ends no session and turns off no password: it says that the
notice did not arrive, and which of an owner's addresses is better.

Exit status: 0 it was dealt with, whatever it was; 2 the site cannot be used; 75 try again later (mail servers do so).";

#[derive(Args)]
pub(crate) struct DemoArgs {
    /// Keep the made-up files and the database in this folder, to play with.
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
}

#[derive(Subcommand)]
pub(crate) enum AccountsCommand {
    /// Import a file of accounts; again with a newer one, to bring passwords up to date.
    #[command(after_help = "\
Examples:
  rightful accounts import accounts.csv
  rightful accounts import users.ndjson.gz --hash sha1 --region DE
  pg_dump-like-tool | rightful accounts import -

Columns: account,email,username,phone,password,former_passwords,created_at,groups. Any may be absent but one that names the
account; email may be repeated or hold a JSON array; former_passwords is a JSON array of hashes. `password` is the stored hash in
its own format. A file with the same rows may be imported again: nothing is doubled.")]
    Import {
        /// CSV with a header, or one JSON object a line; also packed with gzip, zstd, xz or bzip2; `-` is standard input.
        file: PathBuf,
        #[command(flatten)]
        hints: HintArgs,
        /// Where refused rows are listed, with line and reason [default: FILE.rejects.csv]
        #[arg(long, value_name = "FILE")]
        rejects: Option<PathBuf>,
        /// Leave weak fast hashes as they are for now; `accounts wrap` wraps them later.
        #[arg(long)]
        no_wrap: bool,
    },
    /// Show one account.
    Show {
        /// Public id, imported id, e-mail address, user name or telephone number.
        account: String,
        /// Region of a telephone number without "+", such as DE.
        #[arg(long)]
        region: Option<String>,
    },
    /// List accounts, one a line.
    List {
        /// How many at most.
        #[arg(long, default_value_t = 50)]
        limit: usize,
        /// Begin after this account.
        #[arg(long, value_name = "ACCOUNT")]
        after: Option<String>,
    },
    /// Write all accounts as CSV (without hashes), or as JSON lines with --json.
    Export {
        /// The file to write; standard output by default.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Make cells safe to open in a spreadsheet program.
        #[arg(long)]
        spreadsheet: bool,
    },
    /// What happened to an account, and why it is at risk.
    History {
        /// Public id, imported id, e-mail address, user name or telephone number.
        account: String,
        /// Region of a telephone number without "+", such as DE.
        #[arg(long)]
        region: Option<String>,
    },
    /// Turn off an account's password until it is lifted again; everything that is signed in ends at once.
    Hold {
        /// Public id, imported id, e-mail address, user name or telephone number.
        account: String,
        /// Leave the password on, but ask for a new one at the next sign-in, after a fresh code to its address.
        #[arg(long)]
        change: bool,
        /// Why, for the audit log. Its owner does not see it.
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
        /// Region of a telephone number without "+", such as DE.
        #[arg(long)]
        region: Option<String>,
    },
    /// Lift what `accounts hold` put on an account. Holds of containments stay.
    Lift {
        /// Public id, imported id, e-mail address, user name or telephone number.
        account: String,
        /// Region of a telephone number without "+", such as DE.
        #[arg(long)]
        region: Option<String>,
    },
    /// Wrap weak fast hashes (MD5, SHA, NTLM) in Argon2id.
    Wrap,
}

/// What a file of accounts does not say of itself.
#[derive(Args, Clone)]
pub(crate) struct HintArgs {
    /// What bare hex digits in `password` are.
    #[arg(long, value_name = "KIND", value_parser = ["md5", "sha1", "sha256", "ntlm"])]
    pub(crate) hash: Option<String>,
    /// Parameters of the Firebase project that hashes come from: its hash_config, as the console shows it, or JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) firebase: Option<PathBuf>,
    /// Region of telephone numbers without "+", such as DE.
    #[arg(long, value_name = "CODE")]
    pub(crate) region: Option<String>,
}

/// What kind a whole leak is.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum KindArg {
    /// Another site's table.
    Dump,
    /// From infected machines.
    Stealer,
}

impl From<KindArg> for Kind {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::Dump => Self::Dump,
            KindArg::Stealer => Self::Stealer,
        }
    }
}

/// How a leak is read and tested.
#[derive(Args)]
pub(crate) struct ReadArgs {
    /// Kind of all records; by default each tells itself (`stealer` where it carries a URL).
    #[arg(long)]
    pub(crate) kind: Option<KindArg>,
    /// Also try the first N variations of each secret (docs/reference/variations.md); each costs one more hash.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=128))]
    pub(crate) variants: u16,
    /// File with the password of encrypted archives.
    #[arg(long, value_name = "FILE", conflicts_with = "archive_password")]
    pub(crate) archive_password_file: Option<PathBuf>,
    /// Password of encrypted archives. Others on this machine may see it; better put it in a file.
    #[arg(
        long,
        value_name = "PASSWORD",
        env = "RIGHTFUL_ARCHIVE_PASSWORD",
        hide_env_values = true
    )]
    pub(crate) archive_password: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum LeakCommand {
    /// From a file of accounts and a leak to the exact list, without a database.
    #[command(after_help = "\
Examples:
  rightful leak match --accounts accounts.csv --out exposures.csv breach.txt.zst
  rightful leak match --accounts users.ndjson --hash md5 --out list.csv --variants 20 logs/ combo.7z
  unrar p -inul leak.rar | rightful leak match --accounts accounts.csv --out list.csv -

The list: account,grade,kind,identifier,leak,line; one row an account and distinct leaked secret, at its first line; no secret in
it. Stopped, the same command goes on from where it was.")]
    Match {
        /// The accounts, as for `accounts import`.
        #[arg(long, value_name = "FILE")]
        accounts: PathBuf,
        /// The list to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        hints: HintArgs,
        #[command(flatten)]
        read: ReadArgs,
        /// Make cells of the list safe to open in a spreadsheet program.
        #[arg(long)]
        spreadsheet: bool,
        /// Files, folders, or `-` for standard input; packed in any usual way.
        #[arg(required = true, value_name = "LEAK")]
        leaks: Vec<PathBuf>,
    },
    /// Scan a leak into the database.
    #[command(after_help = "\
Examples:
  rightful leak scan breach.txt.zst --name \"Example forum, 2026\" --leak-date 2026-10-02
  rightful leak scan logs/ --name \"logs of 3 November\" --kind stealer --received-from \"CERT\"

Stopped, the same command goes on from where it was. Run again when it is done, it tests new accounts and new passwords.")]
    Scan {
        /// Files, folders, or `-` for standard input; packed in any usual way.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// What to call the leak.
        #[arg(long)]
        name: String,
        /// Where it came from.
        #[arg(long, value_name = "TEXT", default_value = "")]
        received_from: String,
        /// When it was taken from its source.
        #[arg(long, value_name = "DATE")]
        leak_date: Option<String>,
        #[command(flatten)]
        read: ReadArgs,
    },
    /// List leaks.
    List,
    /// Show a leak and what it came to.
    Show {
        /// Its number or name.
        leak: String,
    },
    /// Write the exposures of a leak as CSV, or as JSON lines with --json.
    Export {
        /// Its number or name.
        leak: String,
        /// The file to write; standard output by default.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Make cells safe to open in a spreadsheet program.
        #[arg(long)]
        spreadsheet: bool,
    },
    /// Drop what is kept to know tested pairs again, and untested hashes. The exposures and their reasons stay.
    Forget {
        /// Its number or name.
        leak: String,
    },
}

#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// Check that no row of the log was changed, added or taken away.
    Verify,
}

#[derive(Subcommand)]
pub(crate) enum ConfigCommand {
    /// Say what is wrong with the configuration; all of it at once.
    Check {
        /// The file [default: rightful.toml, if it is there]
        #[arg(value_name = "FILE", env = "RIGHTFUL_CONFIG")]
        file: Option<PathBuf>,
    },
    /// Print a commented file to begin with.
    Sample,
    /// Print docs/reference/configuration.md.
    #[command(hide = true)]
    Reference,
}

#[derive(Subcommand)]
pub(crate) enum DkimCommand {
    /// Make a key, and print the records to set in the DNS.
    #[command(after_help = "\
Examples:
  rightful dkim init --domain example.com
  rightful dkim init --domain example.com --selector mail2 --key-file /etc/rightful/dkim-mail2.pem

The key is RSA of 2048 bits, in a file that only its owner may read; one that is there is never written over. To change keys,
make one under another selector, set its record, wait a day, and then name it in the configuration.")]
    Init {
        /// The domain of the address that messages come from.
        #[arg(long)]
        domain: String,
        /// The name of the key in the DNS.
        #[arg(long, default_value = "rightful")]
        selector: String,
        /// The file to write.
        #[arg(long, value_name = "FILE", default_value = "./rightful-dkim.pem")]
        key_file: PathBuf,
        /// The domain of return paths, where that is another.
        #[arg(long, value_name = "DOMAIN")]
        return_domain: Option<String>,
    },
    /// Look up in the DNS whether the records are there, and say what is missing.
    #[command(after_help = "\
Examples:
  rightful dkim check
      As the configuration says.
  rightful dkim check --domain example.com --selector rightful --key-file rightful-dkim.pem

Exit status: 0 all is there; 1 something is missing or wrong, or the DNS does not answer; 2 the command cannot be used.")]
    Check {
        /// File of configuration. Without it, ./rightful.toml if it is there. Not read when all else is said here.
        #[arg(long, value_name = "FILE", env = "RIGHTFUL_CONFIG")]
        config: Option<PathBuf>,
        /// The domain of the address that messages come from [default: as configured]
        #[arg(long)]
        domain: Option<String>,
        /// The name of the key in the DNS [default: as configured]
        #[arg(long)]
        selector: Option<String>,
        /// The key file [default: as configured]
        #[arg(long, value_name = "FILE")]
        key_file: Option<PathBuf>,
        /// The domain of return paths [default: as configured, else the domain]
        #[arg(long, value_name = "DOMAIN")]
        return_domain: Option<String>,
        /// Ask this DNS server instead of the system's.
        #[arg(long, value_name = "ADDRESS:PORT")]
        dns: Option<std::net::SocketAddr>,
    },
}
