//! How mail leaves, as configured; without a mail server it lies in a folder and is shown on this machine.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use rightful_app::outbox::Post;
use rightful_notify::{
    Address, Channel, Credentials, DkimKey, Folder, Kept, Relay, Security, Sender, Signer, Smtp, Timeouts, Trust,
};
use rightful_web::site::{Letter, Mailbox};

use crate::config::{Config, MailSecurity};
use crate::world::Unusable;

/// Connections to the mail server at once.
const CONNECTIONS: usize = 4;

/// Letters that are listed.
const LISTED: usize = 200;

/// Where letters come from when nobody says.
const NOBODY: &str = "accounts@localhost.invalid";

/// How mail leaves, and where it can be read instead.
pub(crate) struct Mail {
    pub(crate) post: Post,
    pub(crate) mailbox: Option<Arc<dyn Mailbox>>,
}

/// What is configured.
pub(crate) fn mail(config: &Config) -> Result<Mail> {
    let mail = &config.mail;
    let from = mail.from.as_ref().map_or(NOBODY, |from| from.as_str());
    let sender = Sender {
        name: mail.from_name.clone().unwrap_or_else(|| config.site.name.clone()),
        address: Address::parse(from).map_err(|refused| Unusable(format!("mail.from: {refused}")))?,
    };
    let return_domain = mail.return_domain.as_ref().map(|domain| domain.as_str());
    let (channel, mailbox) = match &mail.host {
        Some(host) => (Channel::Smtp(relay(config, host.as_str(), &sender)?), None),
        None => {
            let path = config.data.folder.join("mailbox");
            let mailbox: Arc<dyn Mailbox> = Arc::new(Letters(Folder::new(path.clone())));
            (Channel::Folder(Folder::new(path)), Some(mailbox))
        }
    };
    let signer = signer(config, sender.address.domain())?;
    let post = Post::new(channel, sender, signer, return_domain);
    Ok(Mail {
        post: post.map_err(|refused| Unusable(format!("mail.return_domain: {refused}")))?,
        mailbox,
    })
}

fn relay(config: &Config, host: &str, sender: &Sender) -> Result<Smtp> {
    let mail = &config.mail;
    let credentials = mail.user.as_ref().zip(mail.password.as_ref());
    let relay = Relay {
        host: host.to_owned(),
        port: mail.port.into(),
        security: match mail.security {
            MailSecurity::Tls => Security::Tls,
            MailSecurity::StartTls => Security::StartTls,
            MailSecurity::Plain => Security::PlainToLoopback,
        },
        trust: Trust::System,
        credentials: credentials.map(|(user, password)| Credentials::new(user, password.expose())),
        hello: config
            .site
            .base_url
            .as_ref()
            .map_or_else(|| sender.address.domain().to_owned(), |url| url.host().to_owned()),
        timeouts: Timeouts::default(),
        connections: CONNECTIONS,
    };
    Ok(Smtp::new(relay).map_err(|refused| Unusable(format!("mail.host: {refused}")))?)
}

fn signer(config: &Config, domain: &str) -> Result<Option<Signer>> {
    let Some((selector, file)) = config
        .mail
        .dkim_selector
        .as_ref()
        .zip(config.mail.dkim_key_file.as_ref())
    else {
        return Ok(None);
    };
    let unusable = |why: String| Unusable(format!("mail.dkim_key_file: {}: {why}", file.display()));
    let pem = zeroize::Zeroizing::new(
        std::fs::read_to_string(file).with_context(|| format!("mail.dkim_key_file: {}", file.display()))?,
    );
    let key = DkimKey::from_pem(&pem).map_err(|refused| unusable(refused.to_string()))?;
    let signer = Signer::new(&key, selector.as_str(), domain).map_err(|refused| unusable(refused.to_string()))?;
    Ok(Some(signer))
}

/// The folder of letters, as a page shows it.
struct Letters(Folder);

fn letter(kept: Kept) -> Letter {
    Letter {
        name: kept.name,
        from: String::new(),
        to: kept.to,
        subject: kept.subject,
        at: kept.date,
        text: kept.text,
    }
}

impl Mailbox for Letters {
    fn newest(&self) -> Vec<Letter> {
        self.0
            .newest(LISTED)
            .unwrap_or_default()
            .into_iter()
            .map(letter)
            .collect()
    }

    fn read(&self, name: &str) -> Option<Letter> {
        self.0.read(name).ok().flatten().map(letter)
    }
}
