//! A letter as the bytes of a mail (RFC 5322, MIME).

use std::time::{Duration, SystemTime};

use lettre::Message;
use lettre::message::header::{
    ContentTransferEncoding, ContentType, HeaderName, HeaderValue, MessageId as MessageIdHeader,
};
use lettre::message::{Mailbox, MultiPart, MultiPartKind, SinglePart};
use rightful_core::Timestamp;

use crate::address::Address;
use crate::letter::Letter;
use crate::plain;
use crate::return_path::ReturnPath;
use crate::wire::{Wire, WireRefused};

/// Between the parts. `=_` stands in no body that is quoted-printable (RFC 2045 §6.7), so one that never changes is safe, and
/// the same letter gives the same bytes.
const BOUNDARY: &str = "=_part";

/// The last second of the year 9999, the last one that a `Date` field can hold.
const LAST_DATE: u64 = 253_402_300_799;

/// Who a message is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The name to show, usually the site's. Shown on one line without controls.
    pub name: String,
    /// The address.
    pub address: Address,
}

/// The id of a message: never used twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageId {
    left: String,
    domain: String,
}

impl MessageId {
    /// `<left@domain of the address>`; `left` is drawn by the caller. Only its letters and digits are used.
    pub fn new(left: &str, at: &Address) -> Self {
        Self {
            left: left.chars().filter(char::is_ascii_alphanumeric).take(64).collect(),
            domain: at.domain().to_owned(),
        }
    }

    /// What stands before the "@".
    pub fn left(&self) -> &str {
        &self.left
    }
}

impl std::fmt::Display for MessageId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<{}@{}>", self.left, self.domain)
    }
}

/// Everything about a message but its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Who it is from.
    pub from: Sender,
    /// Who it goes to, alone.
    pub to: Address,
    /// Where bounces go.
    pub return_path: ReturnPath,
    /// The date it bears; also orders what lies in a [`Folder`](crate::Folder).
    pub date: Timestamp,
    /// Its id.
    pub id: MessageId,
}

/// Makes the mail. The same letter and envelope give the same bytes.
///
/// # Errors
/// When the bytes would not be safe on the wire, which no [`Letter`] from [`render`](crate::render) is.
pub fn compose(letter: &Letter, envelope: &Envelope) -> Result<Wire, WireRefused> {
    let name = plain::one_line(&envelope.from.name, 64);
    let from = Mailbox::new((!name.is_empty()).then_some(name), envelope.from.address.to_lettre());
    let body = MultiPart::builder()
        .kind(MultiPartKind::Alternative)
        .boundary(BOUNDARY)
        .singlepart(part(ContentType::TEXT_PLAIN, &letter.text))
        .singlepart(part(ContentType::TEXT_HTML, &letter.html));
    let message = Message::builder()
        .date(date(envelope.date))
        .from(from)
        .to(Mailbox::new(None, envelope.to.to_lettre()))
        .subject(plain::one_line(&letter.subject, 200))
        .header(MessageIdHeader::from(envelope.id.to_string()))
        // No answering machine shall answer: RFC 3834 §5, and what Exchange heeds.
        .raw_header(field("Auto-Submitted", "auto-generated"))
        .raw_header(field("X-Auto-Response-Suppress", "All"))
        .multipart(body)
        .expect("a message with From and To has all that the builder asks for");
    Wire::check(message.formatted())
}

fn part(kind: ContentType, text: &str) -> SinglePart {
    SinglePart::builder()
        .header(kind)
        // Said, not left to the builder: in a 7bit body it would let a bare CR pass.
        .header(ContentTransferEncoding::QuotedPrintable)
        .body(text.to_owned())
}

fn field(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// A date from 1970 to 9999; what lies outside is moved to the end of that, for the builder would panic on it.
fn date(at: Timestamp) -> SystemTime {
    let seconds = u64::try_from(at.micros() / 1_000_000).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.min(LAST_DATE))
}
