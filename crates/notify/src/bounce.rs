//! Bounces: mail that tells us that a message of ours was not delivered.
//!
//! They come as reports (RFC 3464) or as free text of which each mail server has its own. Anybody can write one: all of it is
//! hostile, and what it says counts only together with the token of the return path that it came to
//! ([`ReturnPath`](crate::ReturnPath)), which only we and the way of that one message know.

mod free;
mod report;

use mail_parser::{HeaderValue, Message, MessageParser, MimeHeaders, PartType};

use crate::plain;
use crate::reply::{About, Class, Meaning, Reply, Status};
use crate::return_path::token_of_local_part;

/// What is read of a bounce, in bytes. What it tells stands before the original, which may be long.
const READ: usize = 512 * 1024;

/// Receivers that one bounce may tell of. Ours go to one each.
const MOST: usize = 16;

/// Times a message may have been passed on before it counts as going round in circles (RFC 5321 §6.3).
const MOST_HOPS: usize = 50;

/// A message that was not delivered, for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounce {
    /// The token of the return path, in lower case; without it the bounce belongs to nothing.
    pub token: Option<String>,
    /// The receiver that it speaks of, as it spells it: one bounded line.
    pub recipient: Option<String>,
    /// How final it is.
    pub class: Class,
    /// The enhanced status code or the three digits that say so.
    pub status: Option<String>,
}

/// Why a message is no bounce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BounceRefused {
    /// No mail at all.
    NotMail,
    /// An answering machine, or a word that it was read: the message did arrive.
    AutoReply,
    /// It was passed on too often.
    Loop,
    /// Mail that tells of no failure.
    NotBounce,
}

impl std::fmt::Display for BounceRefused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotMail => "it is no mail: there is no header",
            Self::AutoReply => "it is an automatic answer or a receipt, not a bounce: the message arrived",
            Self::Loop => "it was passed on more than 50 times: mail is going round in circles",
            Self::NotBounce => "it is mail, but tells of no message that could not be delivered",
        })
    }
}

impl std::error::Error for BounceRefused {}

/// Reads a bounce. Empty when it tells only of what is delayed or was delivered.
///
/// Never fails on what is in it otherwise than by its answer, and reads at most 512 KiB.
///
/// # Errors
/// When it is not a bounce.
pub fn read(bytes: &[u8]) -> Result<Vec<Bounce>, BounceRefused> {
    let bytes = after_mbox_line(&bytes[..bytes.len().min(READ)]);
    let message = MessageParser::default().parse(bytes).ok_or(BounceRefused::NotMail)?;
    if message.headers().is_empty() {
        return Err(BounceRefused::NotMail);
    }
    if message
        .headers()
        .iter()
        .filter(|header| header.name.as_str() == "Received")
        .count()
        > MOST_HOPS
    {
        return Err(BounceRefused::Loop);
    }
    let failures = match report::read(&message) {
        Some(failures) => failures,
        None if is_auto_reply(&message) => return Err(BounceRefused::AutoReply),
        None => free::read(&message).ok_or(BounceRefused::NotBounce)?,
    };
    let token = token(&message);
    let bounces = failures
        .into_iter()
        .take(MOST)
        .map(|failure| failure.bounce(token.as_deref()));
    Ok(bounces.collect())
}

/// Delivery into a pipe puts a line "From …" of the mbox format in front.
fn after_mbox_line(bytes: &[u8]) -> &[u8] {
    match bytes.iter().position(|&byte| byte == b'\n') {
        Some(end) if bytes.starts_with(b"From ") => &bytes[end + 1..],
        _ => bytes,
    }
}

/// One receiver and what was said about it.
struct Failure {
    recipient: Option<String>,
    status: Option<Status>,
    /// A reply or sentence of the server that refused.
    said: String,
}

impl Failure {
    fn bounce(self, token: Option<&str>) -> Bounce {
        let (class, status) = self.class();
        Bounce {
            token: token.map(str::to_owned),
            recipient: self.recipient.map(|recipient| plain::one_line(&recipient, 254)),
            class,
            status,
        }
    }

    /// The status code says most, where it says anything; then a code in what was said; then the words.
    fn class(&self) -> (Class, Option<String>) {
        let said = statuses(&self.said).find(|status| status.meaning().is_some());
        let telling = self.status.filter(|status| status.meaning().is_some()).or(said);
        if let Some(status) = telling {
            let class = status.meaning().map_or(Class::Soft, class_of);
            return (class, Some(status.to_string()));
        }
        let code = reply_code(&self.said);
        let by_words = free::class_of_words(&self.said);
        let by_code = code.map(|code| class_of(Reply::new(code, "").meaning(crate::channel::Step::Recipient)));
        let status = self
            .status
            .map(|status| status.to_string())
            .or(code.map(|code| code.to_string()));
        // A failure that says nothing of its reason must not make an address dead.
        (by_words.or(by_code).unwrap_or(Class::Soft), status)
    }
}

/// A bounce about us says nothing about the mailbox; one about the message may go away.
const fn class_of(meaning: Meaning) -> Class {
    match (meaning.about, meaning.class) {
        (About::Ours, _) => Class::Blocked,
        (About::Message, Class::Hard) => Class::Soft,
        (_, class) => class,
    }
}

/// The enhanced status codes of failures in a text, in order.
fn statuses(text: &str) -> impl Iterator<Item = Status> + '_ {
    let words = text.split(|c: char| !(c.is_ascii_digit() || c == '.'));
    let statuses = words.filter_map(|word| Status::parse(word.trim_matches('.')));
    statuses.filter(|status| status.class != 2)
}

/// The first reply code of a failure in a text: three digits that begin with 4 or 5 and stand alone.
fn reply_code(text: &str) -> Option<u16> {
    let words = text
        .split(|c: char| c.is_whitespace() || matches!(c, '-' | ':' | ';' | '(' | ')' | '\'' | '"' | '<' | '>' | ','));
    let codes = words.filter(|word| word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_digit()));
    codes
        .filter_map(|word| word.parse().ok())
        .find(|code| (400..600).contains(code))
}

/// The token: of the address that the bounce came to, or else of the return path of the original that it carries.
fn token(message: &Message<'_>) -> Option<String> {
    let fields = ["Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To"];
    let own = fields
        .iter()
        .filter_map(|name| message.header_raw(*name))
        .find_map(token_in);
    own.or_else(|| message.parts.iter().find_map(token_of_original))
}

fn token_of_original(part: &mail_parser::MessagePart<'_>) -> Option<String> {
    let header = match &part.body {
        PartType::Message(original) => return original.header_raw("Return-Path").and_then(token_in),
        PartType::Text(text) | PartType::Html(text) => text.as_ref(),
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => std::str::from_utf8(bytes).ok()?,
        PartType::Multipart(_) => return None,
    };
    let mut lines = header.lines().map(str::trim);
    lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("Return-Path").then(|| token_in(value))?
    })
}

/// The first token in a text.
fn token_in(text: &str) -> Option<String> {
    addresses(text).find_map(|address| token_of_local_part(address.rsplit_once('@')?.0))
}

/// What looks like an address in a text: words around an "@".
fn addresses(text: &str) -> impl Iterator<Item = &str> {
    let is_end = |c: char| c.is_whitespace() || c.is_control() || "<>()[]\"',;:".contains(c);
    let words = text.split(is_end).map(|word| word.trim_matches('.'));
    words.filter(|word| {
        let parts = word.rsplit_once('@');
        word.len() <= 254 && parts.is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'))
    })
}

/// RFC 3834 §5, and what was usual before it and still is.
fn is_auto_reply(message: &Message<'_>) -> bool {
    let says = |name: &str, value: &str| {
        let raw = message.header_raw(name.to_owned());
        raw.is_some_and(|raw| raw.trim().to_ascii_lowercase().starts_with(value))
    };
    let is_receipt = message.content_type().is_some_and(|kind| {
        kind.attribute("report-type")
            .is_some_and(|kind| kind.eq_ignore_ascii_case("disposition-notification"))
    });
    let subject = message.subject().unwrap_or_default().to_lowercase();
    let is_absence = ABSENCE.iter().any(|phrase| subject.contains(phrase));
    let is_told = says("X-Autoreply", "") || says("X-Autorespond", "") || says("Precedence", "auto_reply");
    // Postfix and others mark their bounces as auto-replied too; those come from nobody.
    let is_vacation = says("Auto-Submitted", "auto-replied") && !free::is_from_mail_system(message);
    is_receipt || is_absence || is_told || is_vacation
}

/// Subjects of answering machines, in lower case.
const ABSENCE: [&str; 9] = [
    "out of office",
    "out of the office",
    "automatic reply",
    "autoreply",
    "auto-reply",
    "auto response",
    "abwesenheit",
    "automatische antwort",
    "vacation reply",
];

/// The value of a field as text, for fields that the parser knows as text or not at all.
fn text_of<'a>(value: &'a HeaderValue<'_>) -> Option<&'a str> {
    value.as_text().map(str::trim)
}
