//! Bytes that are safe to hand to a mail server.

/// Longest line in bytes without its end (RFC 5321 §4.5.3.1.6, RFC 5322 §2.1.1).
const LONGEST_LINE: usize = 998;

/// Largest message in bytes that we send.
const LARGEST: usize = 256 * 1024;

/// A message whose every line ends in CR LF and nowhere else has either, whose lines are not too long, and that ends with a
/// line's end. On such bytes no two servers can differ about where the message ends (CVE-2023-51764 and its kin).
#[derive(Clone, PartialEq, Eq)]
pub struct Wire(String);

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Wire({} bytes)", self.0.len())
    }
}

/// Why bytes may not be sent. Positions are in bytes from the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireRefused {
    /// A CR without LF behind it.
    BareCr(usize),
    /// A LF without CR before it.
    BareLf(usize),
    /// A NUL.
    Nul(usize),
    /// A line that begins here is longer than 998 bytes.
    LongLine(usize),
    /// The last line has no end.
    NoEnd,
    /// Larger than 256 KiB.
    TooLarge,
    /// A byte over 127 that is not UTF-8, or stands below the header: bodies are encoded.
    NotAscii(usize),
}

impl std::fmt::Display for WireRefused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BareCr(at) => write!(f, "the message has a CR without LF at byte {at}"),
            Self::BareLf(at) => write!(f, "the message has a LF without CR at byte {at}"),
            Self::Nul(at) => write!(f, "the message has a NUL at byte {at}"),
            Self::LongLine(at) => write!(
                f,
                "the line at byte {at} of the message is longer than {LONGEST_LINE} bytes"
            ),
            Self::NoEnd => f.write_str("the last line of the message has no end"),
            Self::TooLarge => write!(f, "the message is larger than {LARGEST} bytes"),
            Self::NotAscii(at) => write!(f, "the message has a byte at {at} that is not ASCII where it must be"),
        }
    }
}

impl std::error::Error for WireRefused {}

impl Wire {
    /// Checks bytes.
    ///
    /// # Errors
    /// Says the first thing that is wrong.
    pub fn check(bytes: Vec<u8>) -> Result<Self, WireRefused> {
        if bytes.len() > LARGEST {
            return Err(WireRefused::TooLarge);
        }
        let mut start = 0;
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            check_line(line, start)?;
            start += line.len();
        }
        check_ascii(&bytes)?;
        let text = String::from_utf8(bytes).map_err(|error| WireRefused::NotAscii(error.utf8_error().valid_up_to()))?;
        Ok(Self(text))
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The bytes as text, which they are: ASCII, or UTF-8 within the header.
    pub(crate) const fn as_text(&self) -> &str {
        self.0.as_str()
    }

    /// The header has an address beyond ASCII: the server must take SMTPUTF8 (RFC 6531).
    pub fn needs_utf8(&self) -> bool {
        !self.0.is_ascii()
    }

    /// Another line of header in front, which is complete with its end.
    pub(crate) fn with_header(&self, header: &str) -> Result<Self, WireRefused> {
        Self::check([header.as_bytes(), self.as_bytes()].concat())
    }
}

fn check_line(line: &[u8], start: usize) -> Result<(), WireRefused> {
    if let Some(at) = line.iter().position(|&byte| byte == 0) {
        return Err(WireRefused::Nul(start + at));
    }
    let Some(content) = line.strip_suffix(b"\n") else {
        return Err(WireRefused::NoEnd);
    };
    let Some(content) = content.strip_suffix(b"\r") else {
        return Err(WireRefused::BareLf(start + content.len()));
    };
    if let Some(at) = content.iter().position(|&byte| byte == b'\r') {
        return Err(WireRefused::BareCr(start + at));
    }
    if content.len() > LONGEST_LINE {
        return Err(WireRefused::LongLine(start));
    }
    Ok(())
}

/// Bodies are encoded, so that only a header may hold more than ASCII.
fn check_ascii(bytes: &[u8]) -> Result<(), WireRefused> {
    let body = bytes
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap_or(bytes.len());
    match bytes[body..].iter().position(|byte| !byte.is_ascii()) {
        Some(at) => Err(WireRefused::NotAscii(body + at)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_short_lines_are_sent() {
        let long = [vec![b'a'; LONGEST_LINE], b"\r\n".to_vec()].concat();
        let too_long = [b"A: b\r\n\r\na".to_vec(), long.clone()].concat();
        for (bytes, expected) in [
            (b"A: b\r\n\r\nc\r\n".to_vec(), None),
            ("To: j\u{f8}rn@example.org\r\n\r\nc\r\n".into(), None),
            (long, None),
            (
                b"A: b\r\n\r\nc\n.\nMAIL FROM:<>\r\n".to_vec(),
                Some(WireRefused::BareLf(9)),
            ),
            (b"A: b\r\n\r\nc\r.\r\r\n".to_vec(), Some(WireRefused::BareCr(9))),
            (b"A: b\r\n\r\n\0\r\n".to_vec(), Some(WireRefused::Nul(8))),
            (b"A: b\r\n\r\nc".to_vec(), Some(WireRefused::NoEnd)),
            (b"A: b\r\n\r\nc\r".to_vec(), Some(WireRefused::NoEnd)),
            (b"A: \xFF\r\n\r\n".to_vec(), Some(WireRefused::NotAscii(3))),
            ("A: b\r\n\r\n\u{e9}\r\n".into(), Some(WireRefused::NotAscii(8))),
            (too_long, Some(WireRefused::LongLine(8))),
            (b"a\r\n".repeat(LARGEST), Some(WireRefused::TooLarge)),
        ] {
            assert_eq!(Wire::check(bytes.clone()).err(), expected, "{:?}", bytes.get(..40));
        }
    }
}
