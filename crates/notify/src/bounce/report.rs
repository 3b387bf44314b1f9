//! Delivery status notifications (RFC 3464).

use mail_parser::{Message, MessageParser, MimeHeaders, PartType};

use super::{Failure, text_of};
use crate::reply::Status;

/// Groups of fields that are read of one report.
const MOST_GROUPS: usize = 64;

/// The receivers that a report says it failed for; `None` when the message is no report.
pub(super) fn read(message: &Message<'_>) -> Option<Vec<Failure>> {
    let status = message.parts.iter().find_map(|part| {
        let kind = part.content_type()?;
        let is_status = kind.ctype().eq_ignore_ascii_case("message")
            && kind.subtype().is_some_and(|kind| {
                kind.eq_ignore_ascii_case("delivery-status") || kind.eq_ignore_ascii_case("global-delivery-status")
            });
        is_status.then_some(&part.body)
    })?;
    let bytes = match status {
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => bytes.as_ref(),
        PartType::Text(text) | PartType::Html(text) => text.as_bytes(),
        PartType::Message(_) | PartType::Multipart(_) => return None,
    };
    // The first group speaks of the message and has no action; each other speaks of a receiver.
    Some(groups(bytes).iter().filter_map(|group| failure(group)).collect())
}

/// The groups of fields, which blank lines part.
fn groups(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut groups = Vec::new();
    let mut group = Vec::new();
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        if !line.trim_ascii().is_empty() {
            group.extend_from_slice(line);
        } else if !group.is_empty() {
            groups.push(std::mem::take(&mut group));
        }
        if groups.len() == MOST_GROUPS {
            break;
        }
    }
    if !group.is_empty() {
        groups.push(group);
    }
    groups
}

fn failure(group: &[u8]) -> Option<Failure> {
    let fields = MessageParser::default().parse_headers(group)?;
    let field = |name: &'static str| fields.header(name).and_then(text_of);
    if !field("Action")?.eq_ignore_ascii_case("failed") {
        return None;
    }
    let recipient = field("Original-Recipient").or_else(|| field("Final-Recipient"));
    Some(Failure {
        recipient: recipient.map(|recipient| after_type(recipient).trim_matches(['<', '>']).to_owned()),
        // Some put a comment behind it: "5.1.1 (bad destination mailbox address)".
        status: field("Status").and_then(|status| Status::parse(status.split([' ', '(']).next()?)),
        said: field("Diagnostic-Code").map(after_type).unwrap_or_default().to_owned(),
    })
}

/// What follows the type: `rfc822; anna@example.org`, `smtp; 550 5.1.1 no`.
fn after_type(value: &str) -> &str {
    value.split_once(';').map_or(value, |(_, value)| value).trim()
}
