//! Lines that stand for themselves: an identifier, separators, a secret.

use rightful_core::exposure::Kind;

use super::fields;
use super::reading::{Identifiers, MalformedReason, Readings};
use super::shape::{self, AT, BLANK, HostLook, SEPARATOR, SPECIAL};
use super::{columns, url};

/// How many `@` of a line are looked at.
const LOOKED_AT: usize = 32;

/// Reads the ordinary line `identifier separator secret` in one pass over its bytes: no other separator in it, no blank
/// in the identifier, nothing that could be a URL, a label, a quotation or another form. `None`: look more closely.
///
/// This is where nearly all the lines of a large leak end, so it does nothing but look up every byte once.
#[inline]
pub(super) fn fast(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut before = 0;
    let cut = line.iter().position(|&byte| {
        let class = shape::CLASS[usize::from(byte)];
        let found = class & SEPARATOR != 0;
        before |= if found { 0 } else { class };
        found
    })?;
    let (identifier, secret) = (&line[..cut], &line[cut + 1..]);
    let begins = *identifier.first()?;
    if before & (SPECIAL | BLANK) != 0 || begins == b'\'' || begins >= 0xef {
        return None;
    }
    let after = secret
        .iter()
        .fold(0, |seen, &byte| seen | shape::CLASS[usize::from(byte)]);
    let begins = *secret.first()?;
    if after & SEPARATOR != 0 || shape::is(begins, SPECIAL) || begins == b'\'' {
        return None;
    }
    // Without "@" on the left, it may be a label, and an address on the right may be whom it names.
    if before & AT == 0 && (after & AT != 0 || columns::label(identifier).is_some()) {
        return None;
    }
    Some((identifier, secret))
}

/// Where the host begins in a line that begins with a common scheme and has no quotes: nothing but a free line with a URL
/// begins so.
pub(super) fn leading_url(line: &[u8]) -> Option<usize> {
    let host = match line.first()? {
        b'h' if line.starts_with(b"https://") => b"https://".len(),
        b'h' if line.starts_with(b"http://") => b"http://".len(),
        b'a' if line.starts_with(b"android://") => b"android://".len(),
        _ => return None,
    };
    memchr::memchr(b'"', line).is_none().then_some(host)
}

/// All ways to read a line that belongs to no table, object, statement or block.
pub(super) fn read<'a>(line: &'a [u8], readings: &mut Readings<'a>) {
    match shape::find_url(line) {
        Some(found) if found.known && url::read(line, found, readings) => {}
        Some(found) => {
            without_scheme(line, readings);
            url::read(line, found, readings);
        }
        None => without_scheme(line, readings),
    }
}

/// All ways to read a line without a (known) scheme: the first field may be a host, or a name that looks like one.
pub(super) fn without_scheme<'a>(line: &'a [u8], readings: &mut Readings<'a>) {
    let Some(cut) = shape::first_separator(line) else {
        return plain(line, Kind::Dump, readings);
    };
    let look = shape::host_look(&line[..cut]);
    let three = shape::first_separator(&line[cut + 1..]).is_some();
    match look {
        HostLook::Strong if three => {
            url::after(line, 0, readings);
            readings.push(Identifiers::of(&[&line[..cut]]), &line[cut + 1..], Kind::Dump);
        }
        HostLook::Weak if three && memchr::memchr(b'@', line).is_none() => {
            plain(line, Kind::Dump, readings);
            url::after(line, 0, readings);
        }
        _ => plain(line, Kind::Dump, readings),
    }
}

/// A text without a URL before it: `identifier separator secret` with whatever stands around them.
pub(super) fn plain<'a>(text: &'a [u8], kind: Kind, readings: &mut Readings<'a>) {
    let first = shape::first_separator(text);
    let mut addresses = emails(text);
    let Some(address) = addresses.next() else {
        return match first {
            Some(cut) => by_head(text, cut, kind, readings),
            None => readings.lacks(MalformedReason::NoSeparator),
        };
    };
    let leads = first.is_none_or(|cut| address.start <= cut);
    if leads {
        around(text, &address, kind, readings);
    } else if address.rest.is_none_or(<[u8]>::is_empty) {
        // `user:password:address`, `password:address`, or a password that looks like an address.
        before_only(text, &address, kind, readings);
    } else {
        around(text, &address, kind, readings);
        if let Some(cut) = first {
            let (names, rest) = (Identifiers::of(&[&text[..cut]]), &text[cut + 1..]);
            readings.push(names, rest, kind);
            // `name:password:remark` with a password that looks like an address.
            if let Some(next) = memchr::memchr(text[cut], rest) {
                readings.push(names, &rest[..next], kind);
            }
        }
        before_too(text, &address, kind, readings);
    }
    // A second address: another way to name the owner, or part of the password.
    if let Some(second) = addresses.next()
        && let Some(rest) = second.rest
    {
        readings.push(Identifiers::of(&[second.of(text), address.of(text)]), rest, kind);
    }
}

/// An e-mail address in a text.
struct Address<'a> {
    start: usize,
    end: usize,
    /// What parts it from the rest, and the rest.
    separator: u8,
    rest: Option<&'a [u8]>,
}

impl Address<'_> {
    fn of<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        &text[self.start..self.end]
    }
}

/// The whole fields of a text that are e-mail addresses, among those around its first few `@`.
fn emails(text: &[u8]) -> impl Iterator<Item = Address<'_>> {
    memchr::memchr_iter(b'@', text).take(LOOKED_AT).filter_map(move |at| {
        let (start, end) = shape::email_at(text, at)?;
        let (separator, rest) = rest_after(text, end);
        Some(Address {
            start,
            end,
            separator,
            rest,
        })
    })
}

/// What follows a field that ends at `end`: past a closing quote or bracket and past blanks up to a separator; where
/// there is no separator, past one blank.
fn rest_after(text: &[u8], end: usize) -> (u8, Option<&[u8]>) {
    let tail = &text[end..];
    let closed = tail
        .iter()
        .position(|byte| !matches!(byte, b'"' | b'\'' | b'`' | b'>' | b')' | b']'))
        .unwrap_or(tail.len());
    let tail = &tail[closed..];
    let blanks = tail.iter().position(|byte| *byte != b' ').unwrap_or(tail.len());
    match tail.get(blanks) {
        Some(&separator) if shape::is(separator, SEPARATOR) => (separator, Some(&tail[blanks + 1..])),
        Some(_) if blanks > 0 => (b' ', Some(spelled_out(&tail[1..]))),
        _ => (0, None),
    }
}

/// Leaves out a dash or an arrow that stands alone between blanks: `address - secret`.
fn spelled_out(text: &[u8]) -> &[u8] {
    let marks: [&[u8]; 4] = [b"- ", b"-> ", b"=> ", b"/ "];
    marks.iter().find_map(|mark| text.strip_prefix(*mark)).unwrap_or(text)
}

/// The readings with the address as the first identifier and the secret behind it.
fn around<'a>(text: &'a [u8], address: &Address<'a>, kind: Kind, readings: &mut Readings<'a>) {
    let Some(rest) = address.rest else {
        return readings.lacks(MalformedReason::NoSeparator);
    };
    let mut names = Identifiers::of(&[address.of(text)]);
    if let Some(name) =
        field_before(text, address.start).filter(|name| !shape::is_number(name) && !shape::is_ipv4(name))
    {
        names.add(name);
    }
    fields::behind(names, rest, address.separator, kind, readings);
    if address.separator == b' '
        && let Some(cut) = shape::first_separator(rest)
    {
        // `address (remark):password`
        readings.push(names, &rest[cut + 1..], kind);
    }
    if let Some(bar) = memchr::memmem::find(rest, b" | ") {
        readings.push(names, &rest[..bar], kind);
    }
}

/// The last field before `end`, without blanks and quotes.
fn field_before(text: &[u8], end: usize) -> Option<&[u8]> {
    let before = text[..end].iter().rposition(|&byte| shape::is(byte, SEPARATOR))?;
    let start = text[..before]
        .iter()
        .rposition(|&byte| shape::is(byte, SEPARATOR))
        .map_or(0, |place| place + 1);
    Some(shape::bare(&text[start..before])).filter(|field| !field.is_empty())
}

/// The address ends the line: the secret stands before it.
fn before_only<'a>(text: &'a [u8], address: &Address<'a>, kind: Kind, readings: &mut Readings<'a>) {
    let Some(last) = text[..address.start]
        .iter()
        .rposition(|&byte| shape::is(byte, SEPARATOR))
    else {
        return;
    };
    let before = &text[..last];
    let email = Identifiers::of(&[address.of(text)]);
    if let Some(cut) = shape::first_separator(before) {
        let mut names = email;
        names.add(&before[..cut]);
        fields::behind(names, &before[cut + 1..], before[cut], kind, readings);
    }
    if let Some(cut) = shape::first_separator(text) {
        readings.push(Identifiers::of(&[&text[..cut]]), &text[cut + 1..], kind);
    }
    readings.push(email, before, kind);
}

/// The address has something behind it, but the secret may stand before it all the same.
fn before_too<'a>(text: &'a [u8], address: &Address<'a>, kind: Kind, readings: &mut Readings<'a>) {
    let hashed = address
        .rest
        .is_some_and(|rest| rest.split(|&byte| byte == address.separator).any(shape::is_hash));
    let Some(field) = field_before(text, address.start) else {
        return;
    };
    if !hashed && !shape::is_number(field) {
        readings.push(Identifiers::of(&[address.of(text)]), field, kind);
    }
}

/// No address anywhere: the first field names somebody.
fn by_head<'a>(text: &'a [u8], cut: usize, kind: Kind, readings: &mut Readings<'a>) {
    let (head, rest, separator) = (&text[..cut], &text[cut + 1..], text[cut]);
    let names = Identifiers::of(&[head]);
    if names.is_empty() {
        readings.lacks(MalformedReason::NoIdentifier);
    }
    fields::behind(names, rest, separator, kind, readings);
    // `number:username:secret`: the number is a row's, unless it is a phone's.
    if shape::is_number(shape::bare(head))
        && let Some(next) = memchr::memchr(separator, rest)
    {
        fields::behind(
            Identifiers::of(&[&rest[..next]]),
            &rest[next + 1..],
            separator,
            kind,
            readings,
        );
    }
    other_separators(text, cut, kind, readings);
}

/// A username may hold one kind of separator where another kind parts it from the password.
fn other_separators<'a>(text: &'a [u8], cut: usize, kind: Kind, readings: &mut Readings<'a>) {
    for separator in [b':', b';', b',', b'|', b'\t'] {
        if separator != text[cut]
            && let Some(place) = memchr::memchr(separator, text)
        {
            readings.push(Identifiers::of(&[&text[..place]]), &text[place + 1..], kind);
        }
    }
}
