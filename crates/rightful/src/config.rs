//! The configuration: `rightful.toml`, over it the environment (`RIGHTFUL_SECTION__KEY`).
//!
//! `table` is the one source of what can be set: the structs, the sample file and the reference page come from it. A value
//! is parsed once, here; what is wrong is told all at once, with where it stands, and never with the value, which may be
//! a password in the wrong line.

pub(crate) mod kinds;
mod layers;
mod paper;
mod table;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rightful_app::bounces::BounceSecret;
use rightful_store::Address;
use rightful_web::pages::Logo;
use rightful_web::server::{Caps, CertificateFiles, ServerSettings, Timeouts};
use zeroize::Zeroizing;

pub(crate) use self::paper::{reference, sample};
pub(crate) use self::table::Config;

pub(crate) use self::kinds::MailSecurity;
use self::kinds::Secret;
use self::layers::Layers;
use crate::world::Unusable;

/// Where the configuration lies when nobody says where.
pub(crate) const USUAL_FILE: &str = "rightful.toml";

/// The most that a file of configuration or with a secret may have, in bytes. More is another file.
const LARGEST: u64 = 1024 * 1024;

impl Config {
    /// Reads the file and the environment, and the files with secrets that they name. Without `path` the usual file is
    /// read if it is there.
    ///
    /// # Errors
    /// All that is wrong, a line each: what cannot be read or parsed, names that are unknown, settings that do not go
    /// together, secrets that others may read.
    pub(crate) fn load(path: Option<&Path>, env: impl Iterator<Item = (String, String)>) -> Result<Self, Unusable> {
        let usual = Path::new(USUAL_FILE);
        let path = path.or_else(|| usual.exists().then_some(usual));
        let opened = path
            .map(|path| read_file(path).map(|opened| (path, opened)))
            .transpose()?;
        let text = opened.as_ref().map(|(path, opened)| (*path, opened.text.as_str()));
        let layers = Layers::new(text, env)?;
        let (config, mut faults) = Self::parse(&layers);
        if let Some((path, opened)) = &opened
            && layers.file_holds_secret()
            && opened.mode & 0o077 != 0
        {
            faults.push(open_to_others(path, opened.mode, "it holds a secret"));
        }
        if let Some(mut config) = config {
            config.read_secrets(&mut faults);
            if config.mail.bounce_secret.is_some() && config.bounce_secret().is_none() {
                faults.push(format!(
                    "mail.bounce_secret: is shorter than {} letters; make one with: openssl rand -hex 32",
                    BounceSecret::LEAST_BYTES
                ));
            }
            config.check_files(&mut faults);
            if faults.is_empty() {
                return Ok(config);
            }
        }
        Err(Unusable(faults.join("\n")))
    }

    /// From what is written alone: no file is opened. What is wrong, a line each; with nothing wrong there is a
    /// configuration.
    fn parse(layers: &Layers<'_>) -> (Option<Self>, Vec<String>) {
        let mut faults = layers.unknown();
        let config = Self::read(layers, &mut faults);
        if let Some(config) = &config {
            let wrong = config.wrong_listening().into_iter().chain(config.wrong_mail());
            faults.extend(wrong.map(str::to_owned));
        }
        (config, faults)
    }

    /// Takes secrets out of the files that are named in their place.
    fn read_secrets(&mut self, faults: &mut Vec<String>) {
        let secrets = [
            ("data.database", &mut self.data.database, &self.data.database_file),
            ("mail.password", &mut self.mail.password, &self.mail.password_file),
            (
                "mail.bounce_secret",
                &mut self.mail.bounce_secret,
                &self.mail.bounce_secret_file,
            ),
        ];
        for (key, secret, file) in secrets {
            let Some(file) = file else { continue };
            if secret.is_some() {
                faults.push(format!("{key} and {key}_file are both set: take one away"));
                continue;
            }
            match read_secret(file) {
                Ok(read) => *secret = Some(read),
                Err(Unusable(fault)) => faults.push(format!("{key}_file: {fault}")),
            }
        }
    }

    /// Whether the files that it names can be used, as far as that shows from outside.
    fn check_files(&self, faults: &mut Vec<String>) {
        faults.extend(self.database().err().map(|Unusable(fault)| fault));
        faults.extend(self.logo().err().map(|Unusable(fault)| fault));
        let files = [
            ("listen.tls_certificate", &self.listen.tls_certificate),
            ("mail.dkim_key_file", &self.mail.dkim_key_file),
            ("places.file", &self.places.file),
        ];
        for (key, file) in files {
            let Some(path) = file else { continue };
            faults.extend(
                File::open(path)
                    .err()
                    .map(|fault| format!("{key}: {}", cannot_be_read(path, &fault))),
            );
        }
        // The group may read it: the system's other servers have theirs from the same place.
        if let Some(path) = &self.listen.tls_key
            && let Err(fault) = open_private(path, 0o027)
        {
            faults.push(format!("listen.tls_key: {fault}"));
        }
    }

    /// What can be set alone and not together; and the same for mail.
    fn wrong_listening(&self) -> Vec<&'static str> {
        let (site, listen) = (&self.site, &self.listen);
        let is_public = !listen.address.ip().to_canonical().is_loopback();
        let is_https = site.base_url.as_ref().is_some_and(|url| url.is_https());
        let speaks_tls = listen.tls_certificate.is_some();
        let wrong = [
            (
                is_public && site.base_url.is_none(),
                "site.base_url: is needed where listen.address is open to others: the one URL that owners type",
            ),
            (
                speaks_tls != listen.tls_key.is_some(),
                "listen.tls_certificate and listen.tls_key: set both or neither",
            ),
            (
                speaks_tls && site.base_url.is_some() && !is_https,
                "site.base_url: is http, though a certificate is set: write https",
            ),
            (
                is_public && !speaks_tls && listen.trusted_proxies.is_empty(),
                "listen.address: is open to others, and nothing speaks TLS: set listen.tls_certificate and listen.tls_key, \
                 or in listen.trusted_proxies the proxy that does",
            ),
        ];
        wrong
            .into_iter()
            .filter_map(|(is_wrong, fault)| is_wrong.then_some(fault))
            .collect()
    }

    fn wrong_mail(&self) -> Vec<&'static str> {
        let mail = &self.mail;
        let has_password = mail.password.is_some() || mail.password_file.is_some();
        let is_here = mail.host.as_ref().is_none_or(|host| host.is_loopback());
        let wrong = [
            (
                mail.host.is_some() && mail.from.is_none(),
                "mail.from: is needed where mail.host is set",
            ),
            (
                mail.security == MailSecurity::Plain && !is_here,
                "mail.security: `plain` is for a mail server on this machine only; write `tls` or `starttls`",
            ),
            (
                mail.user.is_some() && !has_password,
                "mail.password: is needed where mail.user is set (or mail.password_file)",
            ),
            (
                has_password && mail.user.is_none(),
                "mail.user: is needed where a password is set",
            ),
            (
                mail.dkim_selector.is_some() != mail.dkim_key_file.is_some(),
                "mail.dkim_selector and mail.dkim_key_file: set both or neither",
            ),
        ];
        wrong
            .into_iter()
            .filter_map(|(is_wrong, fault)| is_wrong.then_some(fault))
            .collect()
    }

    /// Where the rows are: what is configured, or a file in the data folder.
    pub(crate) fn database(&self) -> Result<Address, Unusable> {
        match &self.data.database {
            Some(url) => Address::parse(url.expose()).map_err(|fault| Unusable(format!("data.database: {fault}"))),
            None => Ok(Address::Sqlite(self.data.folder.join("rightful.db"))),
        }
    }

    /// The picture in the place of the name.
    pub(crate) fn logo(&self) -> Result<Option<Logo>, Unusable> {
        let Some(path) = &self.site.logo else {
            return Ok(None);
        };
        let most = u64::try_from(Logo::MOST_BYTES).unwrap_or(u64::MAX);
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes));
        read.map_err(|fault| Unusable(format!("site.logo: {}", cannot_be_read(path, &fault))))?;
        let unusable = || {
            let path = path.display();
            Unusable(format!(
                "site.logo: the file {path} is neither PNG nor SVG, or has more than 256 KiB"
            ))
        };
        Logo::read(bytes).map(Some).ok_or_else(unusable)
    }

    /// What posted bounces are signed with. One that is too short was refused when the configuration was read.
    pub(crate) fn bounce_secret(&self) -> Option<BounceSecret> {
        BounceSecret::new(self.mail.bounce_secret.as_ref()?.expose())
    }

    /// What the server needs of it.
    pub(crate) fn server(&self) -> ServerSettings {
        let listen = &self.listen;
        let files = listen.tls_certificate.clone().zip(listen.tls_key.clone());
        ServerSettings {
            metrics_address: listen.metrics_address,
            base_url: self.site.base_url.clone(),
            trusted_proxies: listen.trusted_proxies.clone(),
            certificate: files.map(|(certificate, key)| CertificateFiles { certificate, key }),
            timeouts: Timeouts {
                head: listen.head_seconds.into(),
                request: listen.request_seconds.into(),
                idle: listen.idle_seconds.into(),
                write: listen.write_seconds.into(),
                stop: listen.stop_seconds.into(),
                ..Timeouts::default()
            },
            caps: Caps {
                connections: listen.connections.into(),
                connections_per_range: listen.connections_per_range.into(),
                ..Caps::default()
            },
            ..ServerSettings::new(listen.address)
        }
    }
}

/// The variables of the environment. One that is not UTF-8 sets nothing of ours.
pub(crate) fn environment() -> impl Iterator<Item = (String, String)> {
    let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    std::env::vars_os().filter_map(text)
}

/// A file that was read, and who may read it.
struct Opened {
    text: Zeroizing<String>,
    mode: u32,
}

fn read_file(path: &Path) -> Result<Opened, Unusable> {
    let read = || {
        let file = File::open(path)?;
        let mode = file.metadata()?.mode() & 0o777;
        let mut text = Zeroizing::new(String::new());
        file.take(LARGEST + 1).read_to_string(&mut text)?;
        Ok(Opened { text, mode })
    };
    let opened = read().map_err(|fault| Unusable(cannot_be_read(path, &fault)))?;
    if opened.text.len() as u64 > LARGEST {
        return Err(Unusable(format!(
            "the file {} is larger than 1 MiB: name another",
            path.display()
        )));
    }
    Ok(opened)
}

/// The first line of a file that nobody else may read.
fn read_secret(path: &Path) -> Result<Secret, Unusable> {
    let opened = read_file(path)?;
    if opened.mode & 0o077 != 0 {
        return Err(Unusable(open_to_others(path, opened.mode, "it holds a secret")));
    }
    let secret = opened.text.trim_end_matches(['\r', '\n']);
    Secret::new(secret).ok_or_else(|| Unusable(format!("the file {} is not one line of text", path.display())))
}

fn open_private(path: &Path, forbidden: u32) -> Result<(), String> {
    let about = File::open(path).and_then(|file| file.metadata());
    let mode = about.map_err(|fault| cannot_be_read(path, &fault))?.mode() & 0o777;
    match mode & forbidden {
        0 => Ok(()),
        _ => Err(open_to_others(path, mode, "it holds a private key")),
    }
}

fn open_to_others(path: &Path, mode: u32, why: &str) -> String {
    let path = path.display();
    format!("others may read or change {path} (mode {mode:03o}), and {why}; do: chmod 600 {path}")
}

fn cannot_be_read(path: &Path, fault: &std::io::Error) -> String {
    let path = path.display();
    match fault.kind() {
        ErrorKind::NotFound => format!("there is no file {path}"),
        ErrorKind::InvalidData => format!("the file {path} is not text in UTF-8"),
        _ => format!("the file {path} cannot be read: {fault}"),
    }
}
