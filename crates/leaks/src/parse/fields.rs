//! Which of several fields is the secret.

use rightful_core::exposure::Kind;

use super::reading::{Identifiers, MalformedReason, Readings};
use super::shape::{self, HostLook};

/// How many fields of a line or a row are looked at for a hash.
const LOOKED_AT: usize = 24;

/// The readings of the text behind an identifier: the password with separators in it, one field of several, a hash with
/// or without its salt.
pub(super) fn behind<'a>(
    names: Identifiers<'a>,
    rest: &'a [u8],
    separator: u8,
    kind: Kind,
    readings: &mut Readings<'a>,
) {
    let Some(cut) = memchr::memchr(separator, rest) else {
        return readings.push(names, rest, kind);
    };
    if shape::is_hash(rest) {
        // PHC strings have commas.
        return readings.push_hash(names, rest, None, kind);
    }
    if hashed(names, rest, separator, kind, readings) {
        return;
    }
    let (first, tail) = (&rest[..cut], &rest[cut + 1..]);
    let last_cut = memchr::memrchr(separator, rest).unwrap_or(cut);
    let last = &rest[last_cut + 1..];
    // `identifier:password:host`
    if shape::host_look(last) == HostLook::Strong {
        readings.push(names, &rest[..last_cut], Kind::Stealer);
    }
    readings.push(names, rest, kind);
    // `identifier:password:country`, `identifier:password:`
    if !first.is_empty() {
        readings.push(names, first, kind);
    }
    if tail.is_empty() {
        return;
    }
    // `address:name:password`
    let mut both = names;
    if !shape::is_number(first) && !shape::is_ipv4(first) {
        both.add(first);
    }
    readings.push(both, tail, kind);
    if last_cut > cut {
        if !last.is_empty() {
            readings.push(names, last, kind);
        }
        readings.push(names, &rest[..last_cut], kind);
    }
}

/// The readings of a rest that holds a hash; false if it holds none.
fn hashed<'a>(names: Identifiers<'a>, rest: &'a [u8], separator: u8, kind: Kind, readings: &mut Readings<'a>) -> bool {
    let mut start = 0;
    let mut previous: Option<&[u8]> = None;
    for field in rest.split(|&byte| byte == separator).take(LOOKED_AT) {
        let end = start + field.len();
        if shape::is_hash(field) && !is_cut_off(field, separator) {
            let tail = rest.get(end + 1..).filter(|tail| !tail.is_empty());
            let next = tail.and_then(|tail| tail.split(|&byte| byte == separator).next());
            with_salt(names, field, previous, next, kind, readings);
            // Cracked lists have the plaintext beside the hash.
            if let Some(plaintext) = tail {
                readings.push(names, plaintext, kind);
            }
            if start > 0 {
                readings.push(names, &rest[..start - 1], kind);
                readings.push(names, rest, kind);
            }
            return true;
        }
        previous = Some(field);
        start = end + 1;
    }
    false
}

/// The beginning of a PHC string, whose parameters have commas between them.
fn is_cut_off(field: &[u8], separator: u8) -> bool {
    separator == b',' && memchr::memmem::find(field, b"$m=").is_some()
}

/// A hash alone and with each of its neighbours as its salt.
fn with_salt<'a>(
    names: Identifiers<'a>,
    hash: &'a [u8],
    previous: Option<&'a [u8]>,
    next: Option<&'a [u8]>,
    kind: Kind,
    readings: &mut Readings<'a>,
) {
    // A salt that is in the hash itself needs no neighbour.
    if !shape::bare(hash).starts_with(b"$") {
        for salt in [next, previous].into_iter().flatten() {
            if !salt.is_empty() && !shape::is_ipv4(salt) {
                readings.push_hash(names, hash, Some(salt), kind);
            }
        }
    }
    readings.push_hash(names, hash, None, kind);
}

/// The readings of a row of which only the values are known: whose it is and which are secrets is guessed from how they
/// look. Without a hash among them, plaintexts are guessed only if `guess`.
pub(super) fn row<'a>(shown: &[&'a [u8]], guess: bool, kind: Kind, readings: &mut Readings<'a>) {
    let Some(owner) = shown
        .iter()
        .position(|value| shape::is_email(shape::bare(value)))
        .or_else(|| first_name(shown))
    else {
        return readings.lacks(MalformedReason::NoIdentifier);
    };
    let mut names = Identifiers::of(&[shown[owner]]);
    if let Some(name) = owner.checked_sub(1).map(|before| shown[before])
        && !shape::is_number(name)
        && !shape::is_hash(name)
        && !shape::has_scheme(name)
    {
        names.add(name);
    }
    let hashes = || (0..shown.len()).filter(|&at| at != owner && shape::is_hash(shown[at]));
    for at in hashes().take(3) {
        let previous = at
            .checked_sub(1)
            .filter(|&before| before != owner)
            .map(|before| shown[before]);
        let next = shown.get(at + 1).copied().filter(|_| at + 1 != owner);
        with_salt(names, shown[at], previous, next, kind, readings);
    }
    if hashes().next().is_some() {
        return;
    }
    if !guess {
        return readings.lacks(MalformedReason::NoSecret);
    }
    let address = Identifiers::of(&[shown[owner]]);
    for value in shown.iter().skip(owner + 1).filter(|value| !value.is_empty()).take(3) {
        readings.push_exact(names, value, None, kind);
    }
    // The address may be the password of somebody else.
    if let Some(first) = first_name(shown).filter(|first| *first < owner) {
        readings.push_exact(Identifiers::of(&[shown[first]]), shown[first + 1], None, kind);
    }
    for value in shown[..owner]
        .iter()
        .rev()
        .filter(|value| !value.is_empty() && !shape::has_scheme(value))
        .take(2)
    {
        readings.push_exact(address, value, None, kind);
    }
    readings.lacks(MalformedReason::NoSecret);
}

/// The first value that may be a username: not a row's number, not a URL.
fn first_name(values: &[&[u8]]) -> Option<usize> {
    let named = |value: &[u8]| !shape::is_blank(value) && !shape::has_scheme(value);
    let first = values.iter().position(|value| named(value))?;
    match values.iter().skip(first + 1).position(|value| named(value)) {
        Some(next) if shape::is_number(values[first]) && values.len() > first + next + 2 => Some(first + 1 + next),
        _ => Some(first),
    }
}
