//! Lines that carry a URL: `url:login:password`, `login:password:url` and what lies between.

use rightful_core::exposure::Kind;

use super::free;
use super::reading::{Identifiers, MalformedReason, Readings};
use super::shape::{self, BLANK, HostLook, SEPARATOR, Url};

/// How many separators behind a URL are looked at. What lies behind them belongs to the last field seen.
const LOOKED_AT: usize = 24;

/// How many fields behind a URL are tried as the login, nearest first.
const LOGINS_TRIED: usize = 4;

/// The readings of a line with this URL, its first. False if it is none of the line's fields: no separator stands before
/// it.
pub(super) fn read<'a>(line: &'a [u8], url: Url, readings: &mut Readings<'a>) -> bool {
    let before = &line[..url.start];
    if before
        .iter()
        .all(|&byte| shape::is(byte, BLANK) || matches!(byte, b'"' | b'\''))
    {
        after(line, url.end, readings);
        return true;
    }
    let unquoted = before.strip_suffix(b"\"").unwrap_or(before);
    let Some(last) = unquoted.iter().rposition(|&byte| byte != b' ') else {
        return false;
    };
    let joined = match unquoted[last] {
        separator if shape::is(separator, SEPARATOR) => &unquoted[..last],
        // `login:password https://..`
        _ if last + 1 < unquoted.len() => &unquoted[..=last],
        _ => return false,
    };
    later(line, joined, url.end, readings);
    true
}

/// The URL is not first. What stands before it is the login with the password, or the login alone with the password
/// behind the URL.
fn later<'a>(line: &'a [u8], before: &'a [u8], end: usize, readings: &mut Readings<'a>) {
    let cut = shape::first_separator(before);
    if cut.is_some() || memchr::memchr(b' ', before).is_some() {
        free::plain(before, Kind::Stealer, readings);
    }
    if cut.is_none() {
        let names = Identifiers::of(&[before]);
        let cuts = Cuts::behind(line, end, true);
        for place in cuts.as_slice().iter().take(LOGINS_TRIED).chain(cuts.as_slice().last()) {
            readings.push(names, &line[place + 1..], Kind::Stealer);
        }
    }
    // The URL may be (the end of) the password itself.
    match shape::first_separator(line) {
        Some(cut) if cut < before.len() && shape::host_look(&line[..cut]) != HostLook::Strong => {
            readings.push(Identifiers::of(&[&line[..cut]]), &line[cut + 1..], Kind::Dump);
        }
        _ => free::without_scheme(line, readings),
    }
}

/// The readings of `line` with a URL (or a host without a scheme) before the first separator behind `end` that is not
/// the URL's own: which one that is, is doubtful, because ports, paths and queries hold them too.
pub(super) fn after<'a>(line: &'a [u8], end: usize, readings: &mut Readings<'a>) {
    let cuts = Cuts::behind(line, end, true);
    let places = cuts.as_slice();
    let logins = places.len().saturating_sub(1);
    let login = |at: usize| shape::bare(&line[places[at] + 1..places[at + 1]]);
    let push = |at: usize, readings: &mut Readings<'a>| pair(line, places[at], places[at + 1], readings);
    let address = (0..logins).find(|&at| shape::is_email(login(at)));
    if let Some(at) = address {
        push(at, readings);
    }
    for separator in [b'|', b'\t'] {
        by_one_kind(line, end, separator, readings);
    }
    // A port is likelier than a login of one to five digits, but only if three fields follow.
    let port = usize::from(logins > 1 && shape::is_port(login(0)));
    let nearest = address.map_or(LOGINS_TRIED, |at| at.min(LOGINS_TRIED));
    for at in (port..nearest.min(logins)).chain(0..port.min(logins)) {
        if !(shape::is_port(login(at).split(|&byte| byte == b'/').next().unwrap_or_default())
            && login(at).contains(&b'/'))
        {
            push(at, readings);
        }
    }
    if address.is_none() && logins > LOGINS_TRIED {
        push(logins - 1, readings);
    }
    for separator in [b';', b','] {
        by_one_kind(line, end, separator, readings);
    }
    if places.iter().any(|&place| line[place] == b' ') {
        with_blanks(line, end, readings);
    }
    readings.lacks(if places.is_empty() {
        MalformedReason::NoSeparator
    } else {
        MalformedReason::NoSecret
    });
}

/// The login between two places, the password behind the second.
fn pair<'a>(line: &'a [u8], first: usize, second: usize, readings: &mut Readings<'a>) {
    readings.push(
        Identifiers::of(&[&line[first + 1..second]]),
        &line[second + 1..],
        Kind::Stealer,
    );
}

/// The login may have blanks in it, as a phone number has; then only one blank parts it from the URL, or none.
fn with_blanks<'a>(line: &'a [u8], end: usize, readings: &mut Readings<'a>) {
    let cuts = Cuts::behind(line, end, false);
    for two in cuts.as_slice().windows(2).take(LOGINS_TRIED) {
        pair(line, two[0], two[1], readings);
    }
    let blank = memchr::memchr(b' ', &line[end..]).map(|place| end + place);
    if let Some(blank) = blank
        && let Some(&cut) = cuts.as_slice().iter().find(|&&cut| cut > blank)
    {
        pair(line, blank, cut, readings);
    }
}

/// `url|login|password` with separators of one kind, whatever other kinds the fields hold.
fn by_one_kind<'a>(line: &'a [u8], end: usize, separator: u8, readings: &mut Readings<'a>) {
    let mut places = memchr::memchr_iter(separator, &line[end..]).map(|place| end + place);
    if let (Some(first), Some(second)) = (places.next(), places.next()) {
        readings.push(
            Identifiers::of(&[&line[first + 1..second]]),
            &line[second + 1..],
            Kind::Stealer,
        );
    }
}

/// The places behind a URL where a field may end.
struct Cuts {
    places: [usize; LOOKED_AT],
    len: usize,
}

impl Cuts {
    /// Separators and, if `blanks`, the blanks that do not stand beside a separator or another blank.
    fn behind(line: &[u8], end: usize, blanks: bool) -> Self {
        let mut cuts = Self {
            places: [0; LOOKED_AT],
            len: 0,
        };
        let splits = |at: usize| match line[at] {
            b' ' if blanks => {
                let beside = |near: Option<&u8>| near.is_some_and(|&byte| !shape::is(byte, SEPARATOR | BLANK));
                beside(at.checked_sub(1).and_then(|near| line.get(near))) && beside(line.get(at + 1))
            }
            byte => shape::is(byte, SEPARATOR),
        };
        for at in (end..line.len()).filter(|&at| splits(at)).take(LOOKED_AT) {
            cuts.places[cuts.len] = at;
            cuts.len += 1;
        }
        cuts
    }

    fn as_slice(&self) -> &[usize] {
        &self.places[..self.len]
    }
}
