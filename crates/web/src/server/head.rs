//! The head of a request, read more strictly than any parser behind us reads it.
//!
//! Two servers in a row that disagree on where a request ends give the second half of one request to the next
//! (request smuggling). They can only disagree about what is unusual. So nothing unusual passes: a line ends in CR LF and
//! nothing else, a body has one length or is chunked, never both, and every field is what RFC 9112 writes it to be. What
//! passes here means the same to everybody; hyper, which accepts more, reads the same bytes after us.

use http::header::{HeaderName, HeaderValue};
use http::{StatusCode, Uri};

use super::refusal::Refusal;

/// How the body after a head is framed (RFC 9112, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// So many bytes; 0 where the head says nothing.
    Length(u64),
    /// Chunks, up to the empty one.
    Chunked,
}

const BARE_LINE_END: Refusal = Refusal::closing(StatusCode::BAD_REQUEST, "a line does not end in CR LF");
const REQUEST_LINE: Refusal = Refusal::closing(StatusCode::BAD_REQUEST, "the request line is malformed");
const VERSION: Refusal = Refusal::closing(
    StatusCode::HTTP_VERSION_NOT_SUPPORTED,
    "only HTTP/1.1 and HTTP/1.0 are spoken",
);
const METHOD: Refusal = Refusal::closing(StatusCode::METHOD_NOT_ALLOWED, "CONNECT is not allowed");
const FIELD: Refusal = Refusal::closing(StatusCode::BAD_REQUEST, "a header field is malformed");
const FOLDED: Refusal = Refusal::closing(StatusCode::BAD_REQUEST, "a header field is folded over lines");
const TOO_MANY_FIELDS: Refusal = Refusal::closing(
    StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
    "there are too many header fields",
);
const LENGTH: Refusal = Refusal::closing(StatusCode::BAD_REQUEST, "Content-Length is not one number");
const CODING: Refusal = Refusal::closing(
    StatusCode::BAD_REQUEST,
    "Transfer-Encoding is not `chunked`, once, in HTTP/1.1",
);
const BOTH: Refusal = Refusal::closing(
    StatusCode::BAD_REQUEST,
    "Content-Length and Transfer-Encoding stand in one request",
);

/// The longest Content-Length we read: more digits could overflow somebody's arithmetic.
const MOST_LENGTH_DIGITS: usize = 15;

/// Where the head ends: the length of it with its empty line, or `None` while it goes on. Bytes before `searched` were
/// looked at before; they are looked at again only as far as a line end may lie across that mark.
pub(super) fn end(bytes: &[u8], searched: usize) -> Result<Option<usize>, Refusal> {
    let mut at = searched.saturating_sub(3);
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'\r', b'\n', rest)) {
        at += found;
        match (bytes[at], bytes.get(at + 1)) {
            // The LF of a line end whose CR lies before the place where we began.
            (b'\n', _) if at > 0 && bytes[at - 1] == b'\r' => at += 1,
            (b'\r', Some(b'\n')) => {
                if bytes[at + 2..].starts_with(b"\r\n") {
                    return Ok(Some(at + 4));
                }
                at += 2;
            }
            (b'\r', None) => return Ok(None),
            _ => return Err(BARE_LINE_END),
        }
    }
    Ok(None)
}

/// Reads a whole head, as `end` has cut it, and says what follows it.
pub(super) fn read(head: &[u8], most_fields: usize) -> Result<Framing, Refusal> {
    // RFC 9112, section 2.2: one empty line before the request line is forgiven.
    let head = head.strip_prefix(b"\r\n").unwrap_or(head);
    let mut lines = memchr::memmem::find_iter(head, b"\r\n")
        .scan(0, |from, to| Some(&head[std::mem::replace(from, to + 2)..to]))
        .take_while(|line| !line.is_empty());
    let is_1_1 = request_line(lines.next().ok_or(REQUEST_LINE)?)?;
    let (mut length, mut chunked) = (None, false);
    for (count, line) in lines.enumerate() {
        if count == most_fields {
            return Err(TOO_MANY_FIELDS);
        }
        let (name, value) = field(line)?;
        if name.eq_ignore_ascii_case(b"content-length") {
            // Twice the same is refused too: a parser that joins them into a list reads another number.
            length = match length {
                None => Some(content_length(value)?),
                Some(_) => return Err(LENGTH),
            };
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if chunked || !is_1_1 || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(CODING);
            }
            chunked = true;
        }
    }
    match (length, chunked) {
        (Some(_), true) => Err(BOTH),
        (None, true) => Ok(Framing::Chunked),
        (length, false) => Ok(Framing::Length(length.unwrap_or(0))),
    }
}

/// Whether it says HTTP/1.1. `METHOD SP target SP version`, single blanks, nothing else.
fn request_line(line: &[u8]) -> Result<bool, Refusal> {
    let mut parts = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(REQUEST_LINE);
    };
    let method = http::Method::from_bytes(method).map_err(|_| REQUEST_LINE)?;
    if method == http::Method::CONNECT {
        return Err(METHOD);
    }
    // A fragment never leaves an honest client, and parsers differ on whether it belongs to the path.
    if target.iter().any(|byte| !byte.is_ascii_graphic() || *byte == b'#') {
        return Err(REQUEST_LINE);
    }
    Uri::try_from(target).map_err(|_| REQUEST_LINE)?;
    match version {
        b"HTTP/1.1" => Ok(true),
        b"HTTP/1.0" => Ok(false),
        version if version.starts_with(b"HTTP/") => Err(VERSION),
        _ => Err(REQUEST_LINE),
    }
}

/// Name and value. No blank stands before the colon, and the line is no continuation of another one.
fn field(line: &[u8]) -> Result<(&[u8], &[u8]), Refusal> {
    if matches!(line.first(), Some(b' ' | b'\t')) {
        return Err(FOLDED);
    }
    let colon = memchr::memchr(b':', line).ok_or(FIELD)?;
    let (name, value) = (&line[..colon], trim_blanks(&line[colon + 1..]));
    // `HeaderName` is exactly a token (RFC 9110, section 5.6.2), so a blank before the colon fails here.
    HeaderName::from_bytes(name).map_err(|_| FIELD)?;
    HeaderValue::from_bytes(value).map_err(|_| FIELD)?;
    Ok((name, value))
}

/// Without the blanks and tabs around it (RFC 9110, section 5.6.3); other white space is no blank.
fn trim_blanks(value: &[u8]) -> &[u8] {
    let is_text = |byte: &u8| !matches!(byte, b' ' | b'\t');
    let Some(first) = value.iter().position(is_text) else {
        return &[];
    };
    &value[first..=value.iter().rposition(is_text).unwrap_or(first)]
}

fn content_length(value: &[u8]) -> Result<u64, Refusal> {
    let is_number = !value.is_empty() && value.len() <= MOST_LENGTH_DIGITS && value.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(value).ok().filter(|_| is_number).ok_or(LENGTH)?;
    text.parse().map_err(|_| LENGTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(head: &str, expected: Result<Framing, Refusal>) {
        let got = match end(head.as_bytes(), 0) {
            Ok(Some(length)) => read(&head.as_bytes()[..length], 100),
            Ok(None) => panic!("{head:?} has no end"),
            Err(refusal) => Err(refusal),
        };
        assert_eq!(got, expected, "{head:?}");
    }

    #[test]
    fn ordinary_heads_say_how_long_their_body_is() {
        check("GET / HTTP/1.1\r\nHost: a\r\n\r\n", Ok(Framing::Length(0)));
        check("GET / HTTP/1.0\r\n\r\n", Ok(Framing::Length(0)));
        check("\r\nGET / HTTP/1.1\r\n\r\n", Ok(Framing::Length(0)));
        check(
            "POST /a?b=c HTTP/1.1\r\ncontent-length:  12 \r\n\r\n",
            Ok(Framing::Length(12)),
        );
        check(
            "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n",
            Ok(Framing::Chunked),
        );
        check("POST http://a/b HTTP/1.1\r\nX: \t\r\n\r\n", Ok(Framing::Length(0)));
    }

    #[test]
    fn what_two_parsers_could_read_differently_is_refused() {
        let fields = |fields: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n");
        for both in [
            "Content-Length: 5\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 0",
        ] {
            check(&fields(both), Err(BOTH));
        }
        for length in [
            "1, 1",
            "+1",
            "-1",
            "0x1",
            "1 1",
            "",
            "1\r\nContent-Length: 1",
            "9999999999999999",
        ] {
            check(&fields(&format!("Content-Length: {length}")), Err(LENGTH));
        }
        for coding in [
            "identity",
            "gzip, chunked",
            "chunked, chunked",
            "xchunked",
            "\"chunked\"",
            "chunked;q=1",
            "",
            "chunked\r\nTransfer-Encoding: chunked",
            "chunked\r\nTransfer-encoding: x",
        ] {
            check(&fields(&format!("Transfer-Encoding: {coding}")), Err(CODING));
        }
        check("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", Err(CODING));
        for folded in ["X: a\r\n b", "X: a\r\n\tTransfer-Encoding: chunked", " X: a"] {
            check(&fields(folded), Err(FOLDED));
        }
        for field in [
            "Transfer-Encoding : chunked",
            "Transfer-Encoding\t: chunked",
            "X Y: a",
            "no colon",
            ": empty",
            "X: a\0b",
            "X\u{b}: a",
            "X: \u{c}a",
            "Tränsfer: a",
        ] {
            check(&fields(field), Err(FIELD));
        }
        for bare in ["X: a\nY: b", "X: a\rY: b", "X: a\n", "X: a\n\n", "X: a\r\r"] {
            check(&fields(bare), Err(BARE_LINE_END));
        }
    }

    #[test]
    fn a_request_line_is_three_words_with_single_blanks() {
        for line in [
            "GET  / HTTP/1.1",
            "GET /",
            " GET / HTTP/1.1",
            "GET / HTTP/1.1 ",
            "GET /\u{e9} HTTP/1.1",
            "G(T / HTTP/1.1",
            "GET / x",
            "GET /a#b HTTP/1.1",
        ] {
            check(&format!("{line}\r\n\r\n"), Err(REQUEST_LINE));
        }
        for line in ["PRI * HTTP/2.0", "GET / HTTP/1.2", "GET / HTTP/11"] {
            check(&format!("{line}\r\n\r\n"), Err(VERSION));
        }
        check("CONNECT a:443 HTTP/1.1\r\n\r\n", Err(METHOD));
        check("\r\n\r\n", Err(REQUEST_LINE));
    }

    #[test]
    fn the_number_of_fields_is_capped() {
        let head = b"GET / HTTP/1.1\r\na: 1\r\nb: 2\r\nc: 3\r\n\r\n";
        assert_eq!(read(head, 3), Ok(Framing::Length(0)));
        assert_eq!(read(head, 2), Err(TOO_MANY_FIELDS));
    }

    #[test]
    fn the_end_is_found_however_the_bytes_arrive() {
        let head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nrest";
        for first in 0..head.len() - 4 {
            assert_eq!(end(&head[..first], 0), Ok(None), "{first} bytes");
            assert_eq!(
                end(head, first),
                Ok(Some(head.len() - 4)),
                "then the rest after {first}"
            );
        }
    }
}
