//! The kinds of values, each with one way to read it and one sentence for what it must be.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use rightful_web::server::{self, BaseUrl, log_subscriber};
use zeroize::Zeroizing;

/// A value as it was written.
#[derive(Clone, Copy)]
pub(super) enum Written<'a> {
    /// In the file.
    Toml(&'a toml::Value),
    /// In the environment, where all is text.
    Text(&'a str),
}

impl<'a> Written<'a> {
    fn text(self) -> Option<&'a str> {
        match self {
            Self::Toml(value) => value.as_str(),
            Self::Text(text) => Some(text),
        }
    }

    fn number(self) -> Option<u64> {
        match self {
            Self::Toml(value) => value.as_integer().and_then(|number| number.try_into().ok()),
            Self::Text(text) => text.parse().ok(),
        }
    }
}

/// A kind of value.
pub(super) trait Kind: Sized {
    /// What must stand there, in words: "must be …".
    const WANTED: &'static str;
    /// Whether the value is nobody else's business.
    const IS_SECRET: bool = false;

    /// Reads it; the fault never holds the value.
    fn read(written: Written<'_>) -> Result<Self, String>;

    /// What it is where nothing is written and there is no default.
    fn absent() -> Option<Self> {
        None
    }
}

fn wanted<T: Kind>(value: Option<T>) -> Result<T, String> {
    value.ok_or_else(|| format!("must be {}", T::WANTED))
}

/// Some letters without a line break or another control, at most 200 bytes.
fn is_line(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= 200 && !text.chars().any(char::is_control)
}

impl<T: Kind> Kind for Option<T> {
    const WANTED: &'static str = T::WANTED;
    const IS_SECRET: bool = T::IS_SECRET;

    fn read(written: Written<'_>) -> Result<Self, String> {
        T::read(written).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

/// What a list may hold: something that is text, and that commas part in the environment.
pub(super) trait Item: Sized {
    const WANTED: &'static str;
    fn parse(text: &str) -> Option<Self>;
}

impl<T: Item> Kind for Vec<T> {
    const WANTED: &'static str = T::WANTED;

    fn read(written: Written<'_>) -> Result<Self, String> {
        wanted(match written {
            Written::Toml(value) => value
                .as_array()
                .and_then(|items| items.iter().map(|item| item.as_str().and_then(T::parse)).collect()),
            Written::Text(text) => text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(T::parse)
                .collect(),
        })
    }
}

impl Item for IpNet {
    const WANTED: &'static str = "a list of networks or addresses, such as [\"10.0.0.0/8\", \"2001:db8::1\"]";

    fn parse(text: &str) -> Option<Self> {
        let address = || {
            text.parse::<IpAddr>()
                .ok()
                .map(|address| IpNet::from(address.to_canonical()))
        };
        text.parse().ok().or_else(address)
    }
}

/// A language that pages and messages are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// `en`.
    English,
    /// `de`.
    German,
}

impl Language {
    /// As in `lang` attributes and file names.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }
}

impl Item for Language {
    const WANTED: &'static str = "a list of `en` and `de`";

    fn parse(text: &str) -> Option<Self> {
        [Self::English, Self::German]
            .into_iter()
            .find(|language| language.code() == text)
    }
}

impl Kind for String {
    const WANTED: &'static str = "one line of text";

    fn read(written: Written<'_>) -> Result<Self, String> {
        wanted(written.text().filter(|text| is_line(text)).map(str::to_owned))
    }
}

impl Kind for bool {
    const WANTED: &'static str = "true or false";

    fn read(written: Written<'_>) -> Result<Self, String> {
        wanted(match written {
            Written::Toml(value) => value.as_bool(),
            Written::Text(text) => text.parse().ok(),
        })
    }
}

impl Kind for PathBuf {
    const WANTED: &'static str = "a path";

    fn read(written: Written<'_>) -> Result<Self, String> {
        wanted(
            written
                .text()
                .filter(|text| !text.is_empty() && !text.contains('\0'))
                .map(PathBuf::from),
        )
    }
}

impl Kind for SocketAddr {
    const WANTED: &'static str = "an IP address and a port, such as \"127.0.0.1:8080\" or \"[::]:443\"";

    fn read(written: Written<'_>) -> Result<Self, String> {
        wanted(written.text().and_then(|text| text.parse().ok()))
    }
}

impl Kind for BaseUrl {
    const WANTED: &'static str = "a URL without a path, such as \"https://id.example.com\"";

    fn read(written: Written<'_>) -> Result<Self, String> {
        let text = written.text().ok_or_else(|| format!("must be {}", Self::WANTED))?;
        Self::parse(text).map_err(|fault| fault.to_string())
    }
}

/// A colour: `#rrggbb`, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Accent(String);

impl Accent {
    /// As in a stylesheet.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Kind for Accent {
    const WANTED: &'static str = "a colour, such as \"#2f5d50\"";

    fn read(written: Written<'_>) -> Result<Self, String> {
        let is_colour = |text: &&str| {
            let digits = text.strip_prefix('#');
            digits.is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
        };
        wanted(
            written
                .text()
                .filter(is_colour)
                .map(|text| Self(text.to_ascii_lowercase())),
        )
    }
}

/// A time of 1 to 3,600 whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seconds(u64);

impl From<Seconds> for Duration {
    fn from(seconds: Seconds) -> Self {
        Self::from_secs(seconds.0)
    }
}

impl Kind for Seconds {
    const WANTED: &'static str = "a number of seconds from 1 to 3600";

    fn read(written: Written<'_>) -> Result<Self, String> {
        wanted(
            written
                .number()
                .filter(|seconds| (1..=3600).contains(seconds))
                .map(Self),
        )
    }
}

/// A number of 1 to 1,000,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count(u32);

impl From<Count> for usize {
    fn from(count: Count) -> Self {
        // Not lossy on any machine with 32 bits or more; `usize` has no `From<u32>`.
        Self::try_from(count.0).unwrap_or(Self::MAX)
    }
}

impl From<Count> for u32 {
    fn from(count: Count) -> Self {
        count.0
    }
}

impl Kind for Count {
    const WANTED: &'static str = "a number from 1 to 1000000";

    fn read(written: Written<'_>) -> Result<Self, String> {
        let number = written.number().filter(|number| (1..=1_000_000).contains(number));
        wanted(number.and_then(|number| number.try_into().ok()).map(Self))
    }
}

/// A TCP port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Port(u16);

impl From<Port> for u16 {
    fn from(port: Port) -> Self {
        port.0
    }
}

impl Kind for Port {
    const WANTED: &'static str = "a port from 1 to 65535";

    fn read(written: Written<'_>) -> Result<Self, String> {
        let number = written.number().and_then(|number| number.try_into().ok());
        wanted(number.filter(|port| *port > 0).map(Self))
    }
}

/// The name or address of a machine, or a domain, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host(String);

impl Host {
    /// As it is written.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        self.0 == "localhost"
            || self
                .0
                .parse::<IpAddr>()
                .is_ok_and(|address| address.to_canonical().is_loopback())
    }
}

impl Kind for Host {
    const WANTED: &'static str = "the name or address of a machine, such as \"mail.example.com\"";

    fn read(written: Written<'_>) -> Result<Self, String> {
        let is_host = |text: &&str| is_domain(text) || text.parse::<IpAddr>().is_ok();
        wanted(
            written
                .text()
                .filter(is_host)
                .map(|text| Self(text.to_ascii_lowercase())),
        )
    }
}

/// Labels of letters, digits and inner hyphens (RFC 1123, section 2.1), at most 253 bytes.
fn is_domain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=63).contains(&label.len()) && label.bytes().all(is_inside) && !label.starts_with('-') && !label.ends_with('-')
}

/// A DKIM selector (RFC 6376, section 3.1): labels of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selector(String);

impl Selector {
    /// As in the DNS.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Kind for Selector {
    const WANTED: &'static str = "letters, digits and hyphens, such as \"rightful\"";

    fn read(written: Written<'_>) -> Result<Self, String> {
        wanted(
            written
                .text()
                .filter(|text| is_domain(text))
                .map(|text| Self(text.to_ascii_lowercase())),
        )
    }
}

/// An e-mail address of the site's own: a plain local part and a domain. Nothing that a header could read in another way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MailAddress(String);

impl MailAddress {
    /// As it is written.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Kind for MailAddress {
    const WANTED: &'static str = "an e-mail address, such as \"accounts@example.com\"";

    fn read(written: Written<'_>) -> Result<Self, String> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_+".contains(&byte);
        let is_address = |text: &&str| {
            text.split_once('@').is_some_and(|(local, domain)| {
                (1..=64).contains(&local.len())
                    && local.bytes().all(is_plain)
                    && domain.contains('.')
                    && is_domain(domain)
            })
        };
        wanted(written.text().filter(is_address).map(|text| Self(text.to_owned())))
    }
}

/// How a mail server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MailSecurity {
    /// TLS from the first byte (port 465).
    Tls,
    /// TLS after STARTTLS, which must succeed (port 587).
    StartTls,
    /// None; for a server on this machine.
    Plain,
}

impl Kind for MailSecurity {
    const WANTED: &'static str = "`tls`, `starttls` or `plain`";

    fn read(written: Written<'_>) -> Result<Self, String> {
        wanted(match written.text() {
            Some("tls") => Some(Self::Tls),
            Some("starttls") => Some(Self::StartTls),
            Some("plain") => Some(Self::Plain),
            _ => None,
        })
    }
}

/// A level, or a list of them by target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogLevel(String);

impl LogLevel {
    /// As it is written.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Kind for LogLevel {
    const WANTED: &'static str = "`error`, `warn`, `info`, `debug`, `trace`, or a list such as \"info,access=off\"";

    fn read(written: Written<'_>) -> Result<Self, String> {
        let is_level =
            |text: &&str| is_line(text) && log_subscriber(text, server::LogForm::Text, std::io::sink).is_ok();
        wanted(written.text().filter(is_level).map(|text| Self(text.to_owned())))
    }
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogForm(pub(crate) server::LogForm);

impl Kind for LogForm {
    const WANTED: &'static str = "`json` or `text`";

    fn read(written: Written<'_>) -> Result<Self, String> {
        wanted(match written.text() {
            Some("json") => Some(Self(server::LogForm::Json)),
            Some("text") => Some(Self(server::LogForm::Text)),
            _ => None,
        })
    }
}

/// A secret: wiped when dropped, never shown.
#[derive(Clone)]
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    pub(super) fn new(text: &str) -> Option<Self> {
        let is_secret = !text.is_empty() && text.len() <= 4096 && !text.chars().any(char::is_control);
        is_secret.then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// The secret itself, for the one place that needs it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Kind for Secret {
    const WANTED: &'static str = "one line of text; a secret, which may stand in a file of its own";
    const IS_SECRET: bool = true;

    fn read(written: Written<'_>) -> Result<Self, String> {
        wanted(written.text().and_then(Self::new))
    }
}
