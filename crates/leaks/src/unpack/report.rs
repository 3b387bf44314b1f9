//! What became of a text, in words for the responder.

use std::fmt;

/// A limit that was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// Far more comes out than any text would pack to.
    #[error("it unpacks to far more than a text would (a bomb)")]
    Bomb,
    /// More comes out than we are ready to read.
    #[error("it unpacks to more than is read from one file")]
    TooMuch,
    /// Too many members.
    #[error("it has too many members; unpack it and scan the folder")]
    TooManyMembers,
    /// Archives in archives in archives.
    #[error("it is nested too deep; unpack the outer archives and scan the folder")]
    TooDeep,
    /// Members that share the same packed bytes.
    #[error("its members overlap (a bomb)")]
    Overlap,
    /// A dictionary, a list of members or a name that takes too much memory.
    #[error("it needs more memory than is allowed; unpack it with its own tool and scan the folder")]
    Memory,
    /// An archive that must be read from its end, too large to be kept in memory.
    #[error(
        "it must be read from its end and is too large for memory: save it to a file of its own first, or unpack the \
         archive around it, and scan that"
    )]
    NeedsFile,
}

/// How a text that was begun ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextOutcome {
    /// Read to its end, and every checksum on the way was right.
    Whole,
    /// It broke off.
    CutShort {
        /// Bytes of the decoded text before the place.
        at: u64,
        /// What was found there.
        why: String,
    },
    /// A limit was reached.
    Refused {
        /// Bytes of the decoded text before the place.
        at: u64,
        /// Which limit.
        why: Refusal,
    },
}

impl fmt::Display for TextOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => f.write_str("read to its end"),
            Self::CutShort { at, why } => write!(f, "cut short after {at} bytes: {why}"),
            Self::Refused { at, why } => write!(f, "refused after {at} bytes: {why}"),
        }
    }
}

/// Why something was not read, or an archive not to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    /// Not a text; what it is.
    Binary(&'static str),
    /// A link, symbolic or hard. What it points to is read where it lies, or not at all.
    Link,
    /// A device, a pipe, a socket; what it is.
    Special(&'static str),
    /// Encrypted.
    Locked {
        /// Whether a password was given, and so is wrong.
        tried: bool,
    },
    /// Packed in a way that is not read here.
    Foreign {
        /// What that is.
        name: String,
        /// The way round.
        way: String,
    },
    /// A limit was reached.
    Refused(Refusal),
    /// Damaged, or cannot be opened.
    Failed(String),
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Binary(what) => write!(f, "skipped: {what}"),
            Self::Link => f.write_str("skipped: a link"),
            Self::Special(what) => write!(f, "skipped: {what}"),
            Self::Locked { tried: false } => f.write_str("locked: it is encrypted, give the password"),
            Self::Locked { tried: true } => f.write_str("locked: the password is wrong"),
            Self::Foreign { name, way } => write!(f, "not read: {name}. Do this instead: {way}"),
            Self::Refused(refusal) => write!(f, "refused: {refusal}"),
            Self::Failed(why) => write!(f, "not read: {why}"),
        }
    }
}

/// Longest name that is shown, in bytes.
const MAX_SHOWN: usize = 1024;

/// A name fit to be shown: control characters, and those that turn the direction of writing, are replaced; a very long
/// name is cut.
pub(super) fn clean(name: &str) -> String {
    let mut shown = String::with_capacity(name.len().min(MAX_SHOWN));
    for c in name.chars() {
        if shown.len() >= MAX_SHOWN {
            shown.push('…');
            break;
        }
        let steers =
            matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        shown.push(if c.is_control() || steers { '\u{fffd}' } else { c });
    }
    shown
}

/// What a decoder said, fit to be shown.
pub(super) fn reason(error: &dyn fmt::Display) -> String {
    clean(&error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k01_names_are_cleaned_before_they_are_shown() {
        assert_eq!(clean("../../etc/passwd"), "../../etc/passwd");
        assert_eq!(
            clean("a\x1b[2J\r\nb\u{202e}txt.exe"),
            "a\u{fffd}[2J\u{fffd}\u{fffd}b\u{fffd}txt.exe"
        );
        let long = clean(&"é".repeat(2000));
        assert!(long.len() <= MAX_SHOWN + 4 && long.ends_with('…'));
    }

    #[test]
    fn refusals_say_so() {
        assert!(Unread::Refused(Refusal::Bomb).to_string().starts_with("refused: "));
        assert!(
            TextOutcome::Refused {
                at: 7,
                why: Refusal::Bomb
            }
            .to_string()
            .starts_with("refused after 7 bytes: ")
        );
    }
}
