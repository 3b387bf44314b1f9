//! What a line says: records, their readings, and the bins in which every line is counted.

use std::fmt;
use std::ops::Deref;

use rightful_core::exposure::Kind;

use super::shape;

/// The most identifiers that one reading carries; further ones are left out.
pub const MAX_IDENTIFIERS: usize = 4;

/// The most readings that one record carries; the likelier ones come first, further ones are left out.
pub const MAX_READINGS: usize = 14;

/// The identifiers of one record (e-mail address, username, phone), trimmed and without quotes, never empty ones.
/// They all name the same person; a slice in all but name.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Identifiers<'a> {
    items: [&'a [u8]; MAX_IDENTIFIERS],
    len: usize,
}

impl<'a> Identifiers<'a> {
    /// The one identifier, as it stands.
    #[inline]
    pub(super) fn one(identifier: &'a [u8]) -> Self {
        let mut items: [&[u8]; MAX_IDENTIFIERS] = [b""; MAX_IDENTIFIERS];
        items[0] = identifier;
        Self { items, len: 1 }
    }

    /// Adds one, trimmed and without its quotes, unless that leaves nothing or it is here already.
    pub(super) fn add(&mut self, identifier: &'a [u8]) {
        let identifier = shape::bare(identifier);
        if !identifier.is_empty() && self.len < MAX_IDENTIFIERS && !self.iter().any(|known| is_same(known, identifier))
        {
            self.items[self.len] = identifier;
            self.len += 1;
        }
    }

    /// Those of `list` that are left after trimming.
    pub(super) fn of(list: &[&'a [u8]]) -> Self {
        let mut all = Self::default();
        for identifier in list {
            all.add(identifier);
        }
        all
    }
}

impl<'a> Deref for Identifiers<'a> {
    type Target = [&'a [u8]];

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.items[..self.len]
    }
}

/// One way to read a record: who, and with which secret.
///
/// The secret is a password or a hash, byte for byte as the leak has it (escapes of CSV, JSON and SQL undone, blanks
/// kept); which of the two it is, is for the hash room to say. It has no `Debug` that shows a byte of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Reading<'a> {
    /// Whom it names.
    pub identifiers: Identifiers<'a>,
    /// The password or its hash. Never empty.
    pub secret: &'a [u8],
    /// The salt that stands beside a hash, where this reading takes a field for it.
    pub salt: Option<&'a [u8]>,
    /// [`Kind::Stealer`] when this reading sees a URL or comes from a stealer's block, else [`Kind::Dump`].
    pub kind: Kind,
}

impl fmt::Debug for Reading<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading")
            .field("identifiers", &self.identifiers.len())
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// One record of a leak.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The number of its (first) line, as it was given to the parser.
    pub line: u64,
    /// Which record of that line it is. The first, 0, counts the line; further ones (the rows of an `INSERT`, the
    /// objects of a one-line JSON array) count no line.
    pub part: u32,
    /// The ways to read it, likeliest first; at least one. All are to be tried.
    pub readings: &'a [Reading<'a>],
}

/// Takes what the parser finds. Every line given to the parser is counted exactly once: by [`RecordSink::record`] with
/// part 0, or by [`RecordSink::count`].
pub trait RecordSink {
    /// Takes a record; its first line is hereby counted if its part is 0.
    fn record(&mut self, record: &Record<'_>);

    /// Counts `lines` lines in a bin.
    fn count(&mut self, bin: Bin, lines: u64);
}

/// Where a line is counted that is not (the first line of) a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bin {
    /// Nothing but blanks, or a ruled line (`=======`).
    Blank,
    /// The frame of a file: names of columns, SQL that is not rows, the brackets of a JSON array.
    Header,
    /// A further line of a record or of a malformed record that was counted at its first line.
    Continuation,
    /// A line from which no identifier with a secret can be read.
    Malformed(MalformedReason),
}

/// Why a line is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MalformedReason {
    /// There is nothing that parts an identifier from a secret.
    NoSeparator,
    /// There is a secret and nobody to whom it belongs.
    NoIdentifier,
    /// There is an identifier and no secret, or an empty one.
    NoSecret,
    /// A stealer's block that ends before it has both.
    IncompleteRecord,
    /// A comment or a statement that holds no rows.
    Comment,
    /// Longer than the splitter hands on.
    TooLong,
}

impl Bin {
    /// Every bin, in the order in which reports list them.
    pub const ALL: [Self; 9] = [
        Self::Blank,
        Self::Header,
        Self::Continuation,
        Self::Malformed(MalformedReason::NoSeparator),
        Self::Malformed(MalformedReason::NoIdentifier),
        Self::Malformed(MalformedReason::NoSecret),
        Self::Malformed(MalformedReason::IncompleteRecord),
        Self::Malformed(MalformedReason::Comment),
        Self::Malformed(MalformedReason::TooLong),
    ];

    /// The word used in reports and tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Blank => "blank",
            Self::Header => "header",
            Self::Continuation => "continuation",
            Self::Malformed(reason) => reason.word(),
        }
    }

    /// Its place in [`Bin::ALL`], for tables of counts.
    pub const fn index(self) -> usize {
        match self {
            Self::Blank => 0,
            Self::Header => 1,
            Self::Continuation => 2,
            Self::Malformed(MalformedReason::NoSeparator) => 3,
            Self::Malformed(MalformedReason::NoIdentifier) => 4,
            Self::Malformed(MalformedReason::NoSecret) => 5,
            Self::Malformed(MalformedReason::IncompleteRecord) => 6,
            Self::Malformed(MalformedReason::Comment) => 7,
            Self::Malformed(MalformedReason::TooLong) => 8,
        }
    }
}

impl MalformedReason {
    /// The words used in reports and tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NoSeparator => "no separator",
            Self::NoIdentifier => "no identifier",
            Self::NoSecret => "no secret",
            Self::IncompleteRecord => "incomplete record",
            Self::Comment => "comment",
            Self::TooLong => "too long",
        }
    }
}

/// The readings of one record while they are found: a short list on the stack, without doubles.
pub(super) struct Readings<'a> {
    list: [Reading<'a>; MAX_READINGS],
    len: usize,
    fault: Option<MalformedReason>,
}

impl<'a> Readings<'a> {
    pub(super) fn new() -> Self {
        let none = Reading {
            identifiers: Identifiers::default(),
            secret: b"",
            salt: None,
            kind: Kind::Dump,
        };
        Self {
            list: [none; MAX_READINGS],
            len: 0,
            fault: None,
        }
    }

    pub(super) fn as_slice(&self) -> &[Reading<'a>] {
        &self.list[..self.len]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Why there is no reading: what the likeliest one lacked.
    pub(super) fn fault(&self) -> MalformedReason {
        self.fault.unwrap_or(MalformedReason::NoSeparator)
    }

    /// Notes what an attempt lacked; the first note stands.
    pub(super) fn lacks(&mut self, reason: MalformedReason) {
        self.fault.get_or_insert(reason);
    }

    /// Adds a reading of the secret as it stands and, where it is wrapped in quotes, one without them.
    pub(super) fn push(&mut self, identifiers: Identifiers<'a>, secret: &'a [u8], kind: Kind) {
        self.push_exact(identifiers, secret, None, kind);
        if let Some(inner) = shape::unwrapped(secret) {
            self.push_exact(identifiers, inner, None, kind);
        }
    }

    /// Adds a reading of a hash (trimmed, without quotes) with the salt beside it.
    pub(super) fn push_hash(
        &mut self,
        identifiers: Identifiers<'a>,
        hash: &'a [u8],
        salt: Option<&'a [u8]>,
        kind: Kind,
    ) {
        let salt = salt
            .map(|salt| shape::unwrapped(salt).unwrap_or(salt))
            .filter(|salt| !salt.is_empty());
        self.push_exact(identifiers, shape::bare(hash), salt, kind);
    }

    /// Adds a reading with the very bytes given, unless it lacks something, is here already, or the list is full.
    pub(super) fn push_exact(
        &mut self,
        identifiers: Identifiers<'a>,
        secret: &'a [u8],
        salt: Option<&'a [u8]>,
        kind: Kind,
    ) {
        if identifiers.is_empty() {
            return self.lacks(MalformedReason::NoIdentifier);
        }
        if secret.is_empty() {
            return self.lacks(MalformedReason::NoSecret);
        }
        let same_names = |old: &Identifiers<'_>| {
            old.len() == identifiers.len() && old.iter().zip(identifiers.iter()).all(|(old, new)| is_same(old, new))
        };
        let same = |old: &Reading<'_>| {
            is_same(old.secret, secret)
                && is_same(old.salt.unwrap_or_default(), salt.unwrap_or_default())
                && same_names(&old.identifiers)
        };
        if self.len < MAX_READINGS && !self.as_slice().iter().any(same) {
            self.list[self.len] = Reading {
                identifiers,
                secret,
                salt,
                kind,
            };
            self.len += 1;
        }
    }
}

/// Whether two runs of bytes are the same. Mostly they are the very same place of the line, which needs no look at the
/// bytes.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && (std::ptr::eq(one, other) || one == other)
}
