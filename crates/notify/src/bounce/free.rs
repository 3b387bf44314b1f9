//! Bounces in words: those of qmail, Exim, Postfix, Exchange, and what is written like them.

use mail_parser::Message;

use super::{Failure, MOST, addresses};
use crate::reply::Class;

/// What is read of the text, in lines.
const MOST_LINES: usize = 400;

/// What a bounce without a report calls itself, in lower case.
const SUBJECTS: [&str; 11] = [
    "undeliver",
    "failure notice",
    "delivery failure",
    "delivery status notification (failure)",
    "mail delivery failed",
    "mail delivery system",
    "returned mail",
    "undelivered mail",
    "delivery has failed",
    "unzustellbar",
    "nicht zustellbar",
];

/// What says that it is not over yet, in lower case.
const NOT_OVER: [&str; 5] = [
    "this is a warning message only",
    "you do not need to resend",
    "has not yet been delivered",
    "delivery attempts will continue",
    "message delayed",
];

/// Where the original begins: what stands below was written by us.
const ORIGINAL: [&str; 6] = [
    "--- below this line is a copy of the message",
    "------ this is a copy of the message",
    "------ this is a copy of your message",
    "--- original message",
    "original message headers:",
    "----- original message -----",
];

/// Words for what bare codes and sentences mean, in lower case. The first that is found decides.
const WORDS: [(Class, &[&str]); 3] = [
    (
        Class::Soft,
        &[
            "mailbox full",
            "mailbox is full",
            "over quota",
            "quota exceeded",
            "exceeded storage",
            "too large",
            "timed out",
            "temporar",
            "try again",
            "too many",
            "connection refused",
        ],
    ),
    (
        Class::Hard,
        &[
            "user unknown",
            "unknown user",
            "no such user",
            "no such mailbox",
            "no mailbox here by that name",
            "does not exist",
            "doesn't exist",
            "unrouteable address",
            "unknown recipient",
            "recipient unknown",
            "recipnotfound",
            "recipientnotfound",
            "wasn't found",
            "couldn't be found",
            "could not be found",
            "invalid recipient",
            "address rejected: unknown",
            "account disabled",
            "account has been disabled",
            "mailbox unavailable",
            "host unknown",
            "couldn't find any host",
        ],
    ),
    (
        Class::Blocked,
        &[
            "spam",
            "blocked",
            "blacklist",
            "blocklist",
            "block list",
            "reputation",
            "policy",
            "relaying denied",
            "relay access denied",
            "not allowed to send",
            "denied by",
            "dmarc",
            "spf",
        ],
    ),
];

/// The class that words of a failure speak of.
pub(super) fn class_of_words(said: &str) -> Option<Class> {
    let said = said.to_lowercase();
    let found = WORDS
        .iter()
        .find(|(_, words)| words.iter().any(|word| said.contains(word)));
    found.map(|(class, _)| *class)
}

/// It comes from a mail system, not from a person: a null return path, or one of the usual names.
pub(super) fn is_from_mail_system(message: &Message<'_>) -> bool {
    let returns_to_nobody = message
        .header_raw("Return-Path")
        .is_some_and(|path| path.trim() == "<>");
    let sender = message
        .from()
        .and_then(|from| from.first())
        .and_then(|from| from.address());
    let local = sender
        .and_then(|sender| sender.split('@').next())
        .unwrap_or_default()
        .to_ascii_lowercase();
    let is_daemon = local == "mailer-daemon" || local == "postmaster" || local.starts_with("microsoftexchange");
    returns_to_nobody || is_daemon
}

/// The receivers that a bounce in words tells of; `None` when it is no such bounce.
pub(super) fn read(message: &Message<'_>) -> Option<Vec<Failure>> {
    let text = message.body_text(0)?;
    let lines = said_by_server(&text);
    let subject = message.subject().unwrap_or_default().to_lowercase();
    let is_named = SUBJECTS.iter().any(|phrase| subject.contains(phrase));
    let is_qmail = lines.first().is_some_and(|line| line.starts_with("Hi. This is the"));
    let failed = failed_header(message);
    if failed.is_empty() && !is_qmail && !(is_named && is_from_mail_system(message)) {
        return None;
    }
    let whole = lines.join("\n").to_lowercase();
    if NOT_OVER
        .iter()
        .any(|phrase| whole.contains(phrase) || subject.contains(phrase))
    {
        return Some(Vec::new());
    }
    let mut failures = by_paragraphs(&lines, &failed);
    if failures.is_empty() {
        failures.push(Failure {
            recipient: failed.into_iter().next().or_else(|| first_address(&lines)),
            status: None,
            said: lines.join(" "),
        });
    }
    Some(failures)
}

/// The lines above the original.
fn said_by_server(text: &str) -> Vec<&str> {
    let lines = text.lines().map(str::trim_end).take(MOST_LINES);
    let above = lines.take_while(|line| {
        let line = line.trim_start().to_lowercase();
        !ORIGINAL.iter().any(|sign| line.starts_with(sign))
    });
    above.skip_while(|line| line.is_empty()).collect()
}

/// Exim names the receivers in a field of its own.
fn failed_header(message: &Message<'_>) -> Vec<String> {
    let raw = message.header_raw("X-Failed-Recipients").unwrap_or_default();
    addresses(raw).take(MOST).map(str::to_owned).collect()
}

/// Each receiver that a paragraph begins with, and what is said until the next: `<anna@example.org>: …` as qmail and Postfix
/// write, or the bare address on a line of its own, indented or not, as Exim and Exchange do.
fn by_paragraphs(lines: &[&str], failed: &[String]) -> Vec<Failure> {
    let mut failures: Vec<Failure> = Vec::new();
    for line in lines {
        if let Some(recipient) = begins(line, failed) {
            if failures.len() == MOST {
                break;
            }
            failures.push(Failure {
                recipient: Some(recipient.to_owned()),
                status: None,
                said: after_address(line, recipient).to_owned(),
            });
        } else if let Some(failure) = failures.last_mut() {
            failure.said.push(' ');
            failure.said.push_str(line.trim());
        }
    }
    failures
}

fn begins<'a>(line: &'a str, failed: &[String]) -> Option<&'a str> {
    let line = line.trim();
    let address = addresses(line).next()?;
    let is_bracketed = line.starts_with('<') && line[1..].starts_with(address);
    let rest = line.trim_matches(['<', '>', '\'', '"', ':', '(', ')']).trim();
    let is_alone = rest == address || rest.starts_with(&format!("{address}<mailto:"));
    let is_named = failed.iter().any(|failed| failed == address) && line.starts_with(address);
    let is_exchange = line.starts_with('\'') && line[1..].starts_with(address);
    (is_bracketed || is_alone || is_named || is_exchange).then_some(address)
}

fn after_address<'a>(line: &'a str, address: &str) -> &'a str {
    line.split_once(address)
        .map_or("", |(_, rest)| rest.trim_start_matches(['>', ':', '\'', ' ']))
}

fn first_address(lines: &[&str]) -> Option<String> {
    lines.iter().find_map(|line| addresses(line).next()).map(str::to_owned)
}
