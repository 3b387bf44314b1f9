//! What the DNS must say of a domain so that its mail is believed, and what it does say.

use std::net::SocketAddr;

use mail_auth::MessageAuthenticator;
use mail_auth::hickory_resolver::config::{NameServerConfig, ResolverConfig, ResolverOpts};
use mail_auth::hickory_resolver::net::NetError;
use mail_auth::hickory_resolver::proto::rr::{Name, RData};

use crate::dkim::{DkimKey, DnsRecord, KeyRefused};
use crate::plain;

/// Who may send for a domain, as long as nobody has said which servers do (RFC 7208).
const SPF: &str = "v=spf1 mx ~all";

/// What receivers shall do with mail that only says that it is ours (RFC 7489).
const DMARC: &str = "v=DMARC1; p=quarantine";

/// One of the three things that the DNS tells about mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// The key that signatures are verified with (RFC 6376).
    Dkim,
    /// The servers that may send (RFC 7208); it stands at the domain of the return path.
    Spf,
    /// What becomes of mail that is neither (RFC 7489).
    Dmarc,
}

impl Topic {
    /// Its usual name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dkim => "DKIM",
            Self::Spf => "SPF",
            Self::Dmarc => "DMARC",
        }
    }
}

/// The records that a domain should have: to be set as they are (DKIM), or to begin with (the others).
///
/// # Errors
/// When the library cannot give the public key.
pub fn wanted(
    key: &DkimKey,
    selector: &str,
    domain: &str,
    return_domain: &str,
) -> Result<[(Topic, DnsRecord); 3], KeyRefused> {
    let record = |name: String, value: &str| DnsRecord {
        name,
        value: value.to_owned(),
    };
    Ok([
        (Topic::Dkim, key.dns_record(selector, domain)?),
        (Topic::Spf, record(return_domain.to_owned(), SPF)),
        (Topic::Dmarc, record(format!("_dmarc.{domain}"), DMARC)),
    ])
}

/// What is found of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It is there and does what it shall.
    Good,
    /// It is there, and could do more.
    Weak(&'static str),
    /// There is none.
    Missing,
    /// It is there and does not do what it shall.
    Wrong(&'static str),
}

impl Finding {
    /// Whether mail is believed with it.
    pub const fn is_good(&self) -> bool {
        matches!(self, Self::Good | Self::Weak(_))
    }
}

/// Whether the texts at the name of a DKIM key publish this one.
pub fn check_dkim(key: &DkimKey, texts: &[String]) -> Finding {
    match texts {
        [] => Finding::Missing,
        [text] if key.is_published_by(text) => Finding::Good,
        [_] => Finding::Wrong("it publishes another key than the one in the key file, or takes the key back"),
        _ => Finding::Wrong("there are several texts at this name, and receivers may take any of them"),
    }
}

/// Whether the texts at a domain say who may send for it.
pub fn check_spf(texts: &[String]) -> Finding {
    let is_spf = |text: &&String| {
        let mut words = text.split(' ');
        words.next().is_some_and(|word| word.eq_ignore_ascii_case("v=spf1"))
    };
    let records: Vec<&String> = texts.iter().filter(is_spf).collect();
    let [record] = records[..] else {
        return match records.len() {
            0 => Finding::Missing,
            _ => Finding::Wrong("there are several, and receivers take none of them (RFC 7208, section 4.5)"),
        };
    };
    let mut terms = record.split(' ').map(str::to_ascii_lowercase);
    if terms.clone().any(|term| term == "all" || term == "+all") {
        return Finding::Wrong("`+all` lets everybody send");
    }
    if terms.any(|term| term.ends_with("all") && term.len() == 4 || term.starts_with("redirect=")) {
        Finding::Good
    } else {
        Finding::Weak("it does not end in `~all` or `-all`, so it says nothing of all other servers")
    }
}

/// Whether the texts at the `_dmarc` name of a domain say what becomes of mail that is not ours.
pub fn check_dmarc(texts: &[String]) -> Finding {
    let is_dmarc = |text: &&String| text.trim_start().starts_with("v=DMARC1");
    let records: Vec<&String> = texts.iter().filter(is_dmarc).collect();
    let [record] = records[..] else {
        return match records.len() {
            0 => Finding::Missing,
            _ => Finding::Wrong("there are several, and receivers take none of them (RFC 7489, section 6.6.3)"),
        };
    };
    let tags = record.split(';').filter_map(|tag| tag.split_once('='));
    let policy = tags
        .map(|(name, value)| (name.trim(), value.trim()))
        .find(|(name, _)| *name == "p");
    match policy.map(|(_, value)| value.to_ascii_lowercase()).as_deref() {
        Some("quarantine" | "reject") => Finding::Good,
        Some("none") => Finding::Weak("`p=none` only watches: forged mail is delivered all the same"),
        _ => Finding::Wrong("it has no `p=quarantine` or `p=reject`"),
    }
}

/// The names at which the DMARC record of a domain may stand: its own, and those of the domains above it but the topmost.
pub fn dmarc_names(domain: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = Some(domain);
    while let Some(at) = rest.filter(|at| at.contains('.') || *at == domain) {
        names.push(format!("_dmarc.{at}"));
        rest = at.split_once('.').map(|(_, above)| above);
    }
    names
}

/// The DNS could not be asked. One bounded line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsFault(String);

impl std::fmt::Display for DnsFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DnsFault {}

/// A way to ask the DNS.
pub struct Dns(MessageAuthenticator);

impl std::fmt::Debug for Dns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dns")
    }
}

impl Dns {
    /// By the servers that the system is set to.
    ///
    /// # Errors
    /// When the system names none.
    pub fn system() -> Result<Self, DnsFault> {
        let made = MessageAuthenticator::new_system_conf();
        made.map(Self)
            .map_err(|fault| fault_of("the system names no DNS server", &fault))
    }

    /// By this server, over UDP, and TCP for long answers.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn at(server: SocketAddr) -> Result<Self, DnsFault> {
        let mut config = NameServerConfig::udp_and_tcp(server.ip());
        for connection in &mut config.connections {
            connection.port = server.port();
        }
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![config]);
        let made = MessageAuthenticator::new(config, ResolverOpts::default());
        made.map(Self)
            .map_err(|fault| fault_of(&format!("the DNS server {server} cannot be asked"), &fault))
    }

    /// The texts (TXT records) at a name, each in one piece; none where there is no such name.
    ///
    /// # Errors
    /// When no server answers, or one answers that it cannot.
    pub async fn texts(&self, name: &str) -> Result<Vec<String>, DnsFault> {
        let failed = |fault: &NetError| fault_of(&format!("the DNS gives no answer about {name}"), fault);
        // With the dot at its end it is a whole name, to which no domain of this machine is put.
        let whole = Name::from_ascii(format!("{name}."))
            .map_err(|_| DnsFault(format!("`{}` is no name in the DNS", plain::one_line(name, 80))))?;
        let found = match self.0.resolver().txt_lookup(whole).await {
            Err(fault) if fault.is_no_records_found() => return Ok(Vec::new()),
            found => found.map_err(|fault| failed(&fault))?,
        };
        let texts = found.answers().iter().filter_map(|record| match &record.data {
            RData::TXT(text) => Some(String::from_utf8_lossy(&text.txt_data.concat()).into_owned()),
            _ => None,
        });
        Ok(texts.collect())
    }
}

fn fault_of(what: &str, fault: &NetError) -> DnsFault {
    DnsFault(format!(
        "{what}: {}",
        plain::one_line(&fault.to_string(), plain::LONGEST_REPLY)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn the_records_that_we_print_are_good() {
        let key = DkimKey::generate().unwrap();
        let records = wanted(&key, "rightful", "example.org", "bounces.example.org").unwrap();
        let names: Vec<&str> = records.iter().map(|(_, record)| record.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "rightful._domainkey.example.org",
                "bounces.example.org",
                "_dmarc.example.org"
            ]
        );
        let [dkim, spf, dmarc] = records.map(|(_, record)| vec![record.value]);
        assert_eq!(check_dkim(&key, &dkim), Finding::Good);
        assert_eq!(check_spf(&spf), Finding::Good);
        assert_eq!(check_dmarc(&dmarc), Finding::Good);
    }

    #[test]
    fn another_key_or_none_is_told_apart() {
        let key = DkimKey::generate().unwrap();
        let record = key.dns_record("rightful", "example.org").unwrap().value;
        assert_eq!(check_dkim(&key, &[]), Finding::Missing);
        for wrong in [&["v=DKIM1; p="][..], &["v=DKIM1; k=rsa; p=AAAA"], &[&record, &record]] {
            assert!(
                matches!(check_dkim(&key, &texts(wrong)), Finding::Wrong(_)),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn spf_records_are_read_as_receivers_do() {
        for (records, expected) in [
            (&["v=spf1 include:mail.example.net -all"][..], "good"),
            (&["v=SPF1 redirect=example.net", "other text"], "good"),
            (&["v=spf1 mx"], "weak"),
            (&["v=spf1 +all"], "wrong"),
            (&["v=spf1 mx all"], "wrong"),
            (&["v=spf1 -all", "v=spf1 mx -all"], "wrong"),
            (&["v=spf10 -all"], "missing"),
            (&[], "missing"),
        ] {
            assert_eq!(word(&check_spf(&texts(records))), expected, "{records:?}");
        }
    }

    #[test]
    fn dmarc_records_are_read_as_receivers_do() {
        for (records, expected) in [
            (&["v=DMARC1; p=reject; sp=none"][..], "good"),
            (&["v=DMARC1;p=Quarantine"], "good"),
            (&["v=DMARC1; p=none"], "weak"),
            (&["v=DMARC1; sp=reject"], "wrong"),
            (&["v=DMARC1; p=none", "v=DMARC1; p=reject"], "wrong"),
            (&["v=spf1 -all"], "missing"),
        ] {
            assert_eq!(word(&check_dmarc(&texts(records))), expected, "{records:?}");
        }
    }

    #[test]
    fn a_domain_without_a_policy_has_that_of_the_one_above_it() {
        let expected = ["_dmarc.id.example.org", "_dmarc.example.org"];
        assert_eq!(dmarc_names("id.example.org"), expected);
        assert_eq!(dmarc_names("localhost"), ["_dmarc.localhost"]);
    }

    fn word(finding: &Finding) -> &'static str {
        match finding {
            Finding::Good => "good",
            Finding::Weak(_) => "weak",
            Finding::Missing => "missing",
            Finding::Wrong(_) => "wrong",
        }
    }
}
