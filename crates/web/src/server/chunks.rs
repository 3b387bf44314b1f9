//! The frames of a chunked body (RFC 9112, section 7.1), without what nobody needs and attackers like: extensions,
//! trailers, blanks, line ends of another kind.

use http::StatusCode;

use super::refusal::Refusal;

const MALFORMED: Refusal = Refusal::closing(
    StatusCode::BAD_REQUEST,
    "a chunk is malformed, or has an extension or a trailer",
);

/// The most hex digits of a chunk's size: 4 GiB a chunk, which no honest client sends.
const MOST_SIZE_DIGITS: u8 = 8;

/// How far a chunked body has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunks(Place);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Size { size: u64, digits: u8 },
    SizeLf { size: u64 },
    Bytes { left: u64 },
    BytesCr,
    BytesLf,
    LastCr,
    LastLf,
    End,
}

impl Chunks {
    pub(super) const fn new() -> Self {
        Self(Place::Size { size: 0, digits: 0 })
    }

    /// Whether the body has been read to its end.
    pub(super) fn is_over(self) -> bool {
        self.0 == Place::End
    }

    /// How many of these bytes belong to the body; fewer than all when it ends among them.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<usize, Refusal> {
        let mut taken = 0;
        while taken < bytes.len() && !self.is_over() {
            if let Place::Bytes { left } = self.0 {
                let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len() - taken);
                let left = left - here as u64;
                self.0 = if left == 0 {
                    Place::BytesCr
                } else {
                    Place::Bytes { left }
                };
                taken += here;
            } else {
                self.0 = self.0.after(bytes[taken]).ok_or(MALFORMED)?;
                taken += 1;
            }
        }
        Ok(taken)
    }
}

impl Place {
    fn after(self, byte: u8) -> Option<Self> {
        match (self, byte) {
            (Self::Size { size, digits }, b'\r') if digits > 0 => Some(Self::SizeLf { size }),
            (Self::Size { size, digits }, byte) if digits < MOST_SIZE_DIGITS => Some(Self::Size {
                size: size * 16 + u64::from(char::from(byte).to_digit(16)?),
                digits: digits + 1,
            }),
            (Self::SizeLf { size: 0 }, b'\n') => Some(Self::LastCr),
            (Self::SizeLf { size }, b'\n') => Some(Self::Bytes { left: size }),
            (Self::BytesCr, b'\r') => Some(Self::BytesLf),
            (Self::BytesLf, b'\n') => Some(Self::Size { size: 0, digits: 0 }),
            (Self::LastCr, b'\r') => Some(Self::LastLf),
            (Self::LastLf, b'\n') => Some(Self::End),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take_all(body: &[u8], step: usize) -> Result<(usize, bool), Refusal> {
        let (mut chunks, mut taken) = (Chunks::new(), 0);
        while taken < body.len() && !chunks.is_over() {
            let piece = &body[taken..body.len().min(taken + step)];
            taken += chunks.take(piece)?;
        }
        Ok((taken, chunks.is_over()))
    }

    fn check(body: &str, expected: Result<(usize, bool), Refusal>) {
        for step in [1, 2, 3, 7, 1000] {
            assert_eq!(take_all(body.as_bytes(), step), expected, "{body:?} in steps of {step}");
        }
    }

    #[test]
    fn a_body_ends_with_its_empty_chunk() {
        check("0\r\n\r\n", Ok((5, true)));
        check("5\r\nhello\r\n0\r\n\r\nGET", Ok((15, true)));
        check("A\r\n0123456789\r\n00\r\n\r\n", Ok((21, true)));
        check("5\r\nhel", Ok((6, false)));
        check("5\r\nhello\r\n", Ok((10, false)));
    }

    #[test]
    fn extensions_trailers_and_odd_line_ends_are_refused() {
        for body in [
            "5;a=b\r\nhello\r\n0\r\n\r\n",
            "5 \r\nhello\r\n0\r\n\r\n",
            " 5\r\nhello\r\n0\r\n\r\n",
            "5\nhello\r\n0\r\n\r\n",
            "5\r\nhelloX\r\n0\r\n\r\n",
            "5\r\nhello\n0\r\n\r\n",
            "0\r\nX: a\r\n\r\n",
            "0\r\n\n",
            "\r\n",
            "0x5\r\nhello\r\n0\r\n\r\n",
            "-5\r\n",
            "000000005\r\nhello\r\n",
            "fffffffff\r\n",
        ] {
            check(body, Err(MALFORMED));
        }
    }
}
