//! `rightful dkim`: the key that mail is signed with, and what the DNS must say of it.

use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use rightful_notify::dns::{Dns, DnsFault, Finding, Topic, check_dkim, check_dmarc, check_spf, dmarc_names, wanted};
use rightful_notify::{DkimKey, DnsRecord};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::print_json;
use crate::config::{Config, environment};
use crate::world::Unusable;

/// Makes a key and prints its records.
pub(crate) fn init(
    json: bool,
    domain: &str,
    selector: &str,
    file: &Path,
    return_domain: Option<&str>,
) -> Result<ExitCode> {
    let domain = name("--domain", domain)?;
    let selector = name("--selector", selector)?;
    let return_domain = match return_domain {
        Some(given) => name("--return-domain", given)?,
        None => domain.clone(),
    };
    let key = DkimKey::generate()?;
    let records = wanted(&key, &selector, &domain, &return_domain)?;
    write_key(file, &key)?;
    if json {
        let records: Vec<Value> = records.iter().map(|(topic, record)| in_json(*topic, record)).collect();
        print_json(&json!({ "key_file": file, "selector": selector, "domain": domain, "records": records }))?;
        return Ok(ExitCode::SUCCESS);
    }
    println!("made {}: keep it where only the server reads it", file.display());
    println!("\nSet these records in the DNS:");
    for (topic, record) in &records {
        print_record(*topic, record);
        println!("    {}", advice(*topic));
    }
    println!("\nThen name the key in rightful.toml, and ask whether all is there with `rightful dkim check`:");
    println!(
        "\n  [mail]\n  dkim_selector = \"{selector}\"\n  dkim_key_file = \"{}\"",
        file.display()
    );
    Ok(ExitCode::SUCCESS)
}

/// What `check` is told.
pub(crate) struct CheckArgs {
    pub(crate) config: Option<PathBuf>,
    pub(crate) domain: Option<String>,
    pub(crate) selector: Option<String>,
    pub(crate) key_file: Option<PathBuf>,
    pub(crate) return_domain: Option<String>,
    pub(crate) dns: Option<SocketAddr>,
}

/// Looks the records up.
pub(crate) async fn check(json: bool, args: CheckArgs) -> Result<ExitCode> {
    let dns = match args.dns {
        Some(server) => Dns::at(server),
        None => Dns::system(),
    };
    let asked = Asked::new(args)?;
    let key = read_key(&asked.key_file)?;
    let wanted = wanted(&key, &asked.selector, &asked.domain, &asked.return_domain)?;
    let dns = dns?;
    let mut found = Vec::new();
    for (topic, record) in wanted {
        let finding = match topic {
            Topic::Dkim => check_dkim(&key, &dns.texts(&record.name).await?),
            Topic::Spf => check_spf(&dns.texts(&record.name).await?),
            Topic::Dmarc => dmarc(&dns, &asked.domain).await?,
        };
        found.push((topic, record, finding));
    }
    let is_good = found.iter().all(|(.., finding)| finding.is_good());
    if json {
        let records: Vec<Value> = found.iter().map(finding_in_json).collect();
        print_json(&json!({ "good": is_good, "records": records }))?;
    } else {
        for (topic, record, finding) in &found {
            print_finding(*topic, record, finding);
        }
    }
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is asked for: said on the command line, or configured.
struct Asked {
    domain: String,
    selector: String,
    key_file: PathBuf,
    return_domain: String,
}

impl Asked {
    fn new(args: CheckArgs) -> Result<Self, Unusable> {
        let is_said = args.domain.is_some() && args.selector.is_some() && args.key_file.is_some();
        let mail = if is_said {
            None
        } else {
            Some(Config::load(args.config.as_deref(), environment())?.mail)
        };
        let mail = mail.as_ref();
        let from = mail.and_then(|mail| {
            mail.from
                .as_ref()?
                .as_str()
                .rsplit_once('@')
                .map(|(_, domain)| domain.to_owned())
        });
        let selector = mail.and_then(|mail| Some(mail.dkim_selector.as_ref()?.as_str().to_owned()));
        let file = mail.and_then(|mail| mail.dkim_key_file.clone());
        let returns = mail.and_then(|mail| Some(mail.return_domain.as_ref()?.as_str().to_owned()));
        let missing = |option: &str, key: &str| Unusable(format!("which {option}? Say --{option}, or set mail.{key}"));
        let domain = args.domain.or(from).ok_or_else(|| missing("domain", "from"))?;
        let domain = name("--domain", &domain)?;
        let selector = args.selector.or(selector);
        let returns = args.return_domain.or(returns);
        Ok(Self {
            selector: name(
                "--selector",
                &selector.ok_or_else(|| missing("selector", "dkim_selector"))?,
            )?,
            key_file: args
                .key_file
                .or(file)
                .ok_or_else(|| missing("key-file", "dkim_key_file"))?,
            return_domain: match returns {
                Some(given) => name("--return-domain", &given)?,
                None => domain.clone(),
            },
            domain,
        })
    }
}

/// The policy of a domain is its own, or that of the nearest one above it that has any.
async fn dmarc(dns: &Dns, domain: &str) -> Result<Finding, DnsFault> {
    for name in dmarc_names(domain) {
        match check_dmarc(&dns.texts(&name).await?) {
            Finding::Missing => {}
            finding => return Ok(finding),
        }
    }
    Ok(Finding::Missing)
}

/// A name in the DNS, in lower case: labels of letters, digits and inner hyphens.
fn name(option: &str, given: &str) -> Result<String, Unusable> {
    let is_label = |label: &str| {
        let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(is_inside)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if given.len() <= 200 && given.split('.').all(is_label) {
        Ok(given.to_ascii_lowercase())
    } else {
        Err(Unusable(format!(
            "{option} {given:?} is no name in the DNS: labels of letters, digits and hyphens, with dots between"
        )))
    }
}

/// Into a file that is not there yet and that only its owner may read.
fn write_key(path: &Path, key: &DkimKey) -> Result<()> {
    let shown = path.display();
    let opened = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let mut file = match opened {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(Unusable(format!(
                "{shown} is there, and a key is never written over: what it signed could not be verified any more. Name \
                 another file with --key-file, and another --selector for it"
            ))
            .into());
        }
        opened => opened.with_context(|| format!("{shown} cannot be written"))?,
    };
    let written = file.write_all(key.to_pem()?.as_bytes()).and_then(|()| file.sync_all());
    if let Err(error) = written {
        // Half a key is none, and would be in the way of the next attempt.
        drop(std::fs::remove_file(path));
        return Err(error).with_context(|| format!("{shown} cannot be written"));
    }
    Ok(())
}

/// Reads the key that mail is signed with, which nobody else may read.
pub(crate) fn read_key(path: &Path) -> Result<DkimKey, Unusable> {
    let shown = path.display();
    let cannot = |error: std::io::Error| Unusable(format!("the key file {shown} cannot be read: {error}"));
    let mode = std::fs::metadata(path).map_err(cannot)?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(Unusable(format!(
            "others may read the key file {shown} (mode {mode:03o}); do: chmod 600 {shown}"
        )));
    }
    let pem = Zeroizing::new(std::fs::read_to_string(path).map_err(cannot)?);
    DkimKey::from_pem(&pem).map_err(|refused| Unusable(format!("the key file {shown} cannot be used: {refused}")))
}

fn print_record(topic: Topic, record: &DnsRecord) {
    println!("\n{}:\n  {}. IN TXT {}", topic.word(), record.name, record.zone_value());
}

const fn advice(topic: Topic) -> &'static str {
    match topic {
        Topic::Dkim => {
            "As it stands. A form that asks for the value alone takes the strings in one piece, without quotes."
        }
        Topic::Spf => {
            "To begin with: put the servers that send your mail in it, as their operator says. One record a domain."
        }
        Topic::Dmarc => {
            "Begin with p=none where other mail of this domain is not signed yet; p=reject once all of it is."
        }
    }
}

fn print_finding(topic: Topic, record: &DnsRecord, finding: &Finding) {
    let word = topic.word();
    match finding {
        Finding::Good => println!("{word}: good"),
        Finding::Weak(why) => println!("{word}: good, though {why}"),
        Finding::Missing => {
            println!("{word}: MISSING. Set this record:");
            print_record(topic, record);
            println!("    {}", advice(topic));
        }
        Finding::Wrong(why) => {
            println!("{word}: WRONG: {why}. It should be like this:");
            print_record(topic, record);
        }
    }
}

fn in_json(topic: Topic, record: &DnsRecord) -> Value {
    json!({ "topic": topic.word(), "name": record.name, "value": record.value })
}

fn finding_in_json((topic, record, finding): &(Topic, DnsRecord, Finding)) -> Value {
    let (word, why) = match finding {
        Finding::Good => ("good", None),
        Finding::Weak(why) => ("weak", Some(why)),
        Finding::Missing => ("missing", None),
        Finding::Wrong(why) => ("wrong", Some(why)),
    };
    let mut shown = in_json(*topic, record);
    shown["finding"] = json!(word);
    shown["why"] = json!(why);
    shown
}
