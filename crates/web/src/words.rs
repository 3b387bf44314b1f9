//! What pages say: Fluent messages per language, the choice of the language, and numbers and times as people write them.
//!
//! The texts are part of the binary, so a page never fails for want of a file. English is the source: what another
//! language lacks is said in English, and a test fails on it.

use fluent_bundle::{FluentArgs, FluentResource, concurrent::FluentBundle};
use fluent_langneg::{LanguageIdentifier, NegotiationStrategy, negotiate_languages};
use jiff::tz::TimeZone;
use rightful_core::Timestamp;
use std::sync::LazyLock;

/// A language that pages are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Locale {
    /// English, the source of all texts.
    En,
    /// German.
    De,
}

impl Locale {
    /// Every language, the source first.
    pub const ALL: [Self; 2] = [Self::En, Self::De];

    /// The language tag (BCP 47), as in `<html lang>`, in the `lang` cookie and in `?lang=`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
        }
    }

    /// The language's own name for itself, for the links that change it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::De => "Deutsch",
        }
    }

    /// The language of a tag exactly as [`Locale::tag`] writes it; `None` for any other.
    pub fn from_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|locale| locale.tag() == tag)
    }

    /// The language for a visitor. What was chosen on a page (`chosen`, the value of the `lang` cookie) wins; then the browser's wishes
    /// (`wanted`, the value of `Accept-Language`, RFC 9110 section 12.5.4); then the first that is offered.
    ///
    /// Only languages in `offered` are given, English when that is empty. Values that make no sense are passed over.
    pub fn choose(chosen: Option<&str>, wanted: Option<&str>, offered: &[Self]) -> Self {
        let first = offered.first().copied().unwrap_or(Self::En);
        chosen
            .and_then(Self::from_tag)
            .filter(|locale| offered.contains(locale))
            .or_else(|| negotiate(wanted?, offered))
            .unwrap_or(first)
    }
}

/// Wishes read from one `Accept-Language`; browsers send a handful, and nobody reads all of a thousand.
const MOST_WISHES: usize = 20;

/// The offered language that fits the wishes best, if one does.
fn negotiate(wanted: &str, offered: &[Locale]) -> Option<Locale> {
    let wishes = wishes(wanted);
    let available: Vec<LanguageIdentifier> = offered.iter().filter_map(|locale| locale.tag().parse().ok()).collect();
    let best = *negotiate_languages(&wishes, &available, None, NegotiationStrategy::Lookup).first()?;
    let index = available.iter().position(|language| language == best)?;
    offered.get(index).copied()
}

/// The languages of an `Accept-Language`, most wanted first; without those that are refused (`q=0`).
fn wishes(wanted: &str) -> Vec<LanguageIdentifier> {
    let mut weighed: Vec<(u16, LanguageIdentifier)> = wanted.split(',').take(MOST_WISHES).filter_map(wish).collect();
    weighed.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    weighed.into_iter().map(|(_, language)| language).collect()
}

/// One wish with its weight in thousandths. `*` is none: it says nothing that the fallback does not do.
fn wish(item: &str) -> Option<(u16, LanguageIdentifier)> {
    let mut parts = item.split(';').map(str::trim);
    let language = parts.next()?.parse().ok()?;
    let weight = match parts.next() {
        None => 1000,
        Some(parameter) => thousandths(parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="))?)?,
    };
    (weight > 0).then_some((weight, language))
}

/// A weight from 0 to 1 with at most three decimals, in thousandths.
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, decimals) = weight.split_once('.').unwrap_or((weight, ""));
    let whole: u16 = whole.parse().ok().filter(|whole| *whole <= 1)?;
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let decimals: u16 = format!("{decimals:0<3}").parse().ok()?;
    Some((whole * 1000 + decimals).min(1000))
}

type Bundle = FluentBundle<FluentResource>;

static ENGLISH: LazyLock<Bundle> = LazyLock::new(|| bundle(Locale::En));
static GERMAN: LazyLock<Bundle> = LazyLock::new(|| bundle(Locale::De));

/// The texts of a language as they are written, for the tests that compare languages.
pub(crate) const fn source(locale: Locale) -> &'static str {
    match locale {
        Locale::En => include_str!("../../../locales/en/pages.ftl"),
        Locale::De => include_str!("../../../locales/de/pages.ftl"),
    }
}

fn bundle(locale: Locale) -> Bundle {
    let language = locale.tag().parse().expect("every Locale::tag is a language tag");
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // The marks around arguments would end up in titles and in what people copy; both languages run left to right.
    bundle.set_use_isolating(false);
    // A message that does not parse is skipped; the tests know every message and find it missing.
    let resource = FluentResource::try_new(source(locale).to_owned()).unwrap_or_else(|(read, _)| read);
    bundle.add_resource_overriding(resource);
    bundle
}

fn texts(locale: Locale) -> &'static Bundle {
    match locale {
        Locale::En => &ENGLISH,
        Locale::De => &GERMAN,
    }
}

/// Marks the place of a message that no language has; never seen while the tests pass.
pub(crate) const MISSING: &str = "⟦";

/// The message with this id, in the language or else in English. Plain text, to be escaped like any other.
///
/// An unknown id gives the id in `⟦⟧`: a page with a hole is better than none.
pub fn text(locale: Locale, id: &str, args: &FluentArgs<'_>) -> String {
    [locale, Locale::En]
        .into_iter()
        .find_map(|locale| message(texts(locale), id, args))
        .unwrap_or_else(|| format!("{MISSING}{id}⟧"))
}

fn message(bundle: &Bundle, id: &str, args: &FluentArgs<'_>) -> Option<String> {
    let pattern = bundle.get_message(id)?.value()?;
    let mut errors = Vec::new();
    Some(bundle.format_pattern(pattern, Some(args), &mut errors).into_owned())
}

/// A whole number as people write it: `37,000`, `37.000`.
pub fn number(locale: Locale, value: u64) -> String {
    let separator = match locale {
        Locale::En => ',',
        Locale::De => '.',
    };
    let digits = value.to_string();
    let mut written = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            written.push(separator);
        }
        written.push(digit);
    }
    written
}

const ENGLISH_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const GERMAN_MONTHS: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];

/// The day of a moment, in UTC: `3 June 2026`, `3. Juni 2026`.
pub fn day(locale: Locale, at: Timestamp) -> String {
    let date = civil(at).date();
    let month = usize::from(date.month().unsigned_abs()) - 1;
    match locale {
        Locale::En => format!("{} {} {}", date.day(), ENGLISH_MONTHS[month], date.year()),
        Locale::De => format!("{}. {} {}", date.day(), GERMAN_MONTHS[month], date.year()),
    }
}

/// A moment to the minute with its zone: `3 June 2026, 14:02 UTC`. We do not know the zone of who reads it.
pub fn moment(locale: Locale, at: Timestamp) -> String {
    let time = civil(at).time();
    format!("{}, {:02}:{:02} UTC", day(locale, at), time.hour(), time.minute())
}

/// A moment for machines (`<time datetime>`), to the minute, in UTC: `2026-06-03T14:02Z`.
pub fn machine_moment(at: Timestamp) -> String {
    civil(at).strftime("%Y-%m-%dT%H:%MZ").to_string()
}

/// The calendar's view of a moment, in UTC. What lies beyond the calendar (years -9999 to 9999) is moved to its ends.
fn civil(at: Timestamp) -> jiff::civil::DateTime {
    let end = if at.micros() < 0 {
        jiff::Timestamp::MIN
    } else {
        jiff::Timestamp::MAX
    };
    let moment = jiff::Timestamp::from_microsecond(at.micros()).unwrap_or(end);
    TimeZone::UTC.to_datetime(moment)
}

/// Whole minutes that cover a number of seconds, at least one: what to tell someone who must wait.
pub const fn minutes_to_wait(seconds: u64) -> u64 {
    let minutes = seconds.div_ceil(60);
    if minutes == 0 { 1 } else { minutes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn chosen(cookie: Option<&str>, header: Option<&str>, expected: Locale) {
        assert_eq!(Locale::choose(cookie, header, &Locale::ALL), expected);
    }

    #[test]
    fn what_was_chosen_wins_over_what_the_browser_wishes() {
        chosen(Some("de"), Some("en"), Locale::De);
        chosen(Some("en"), Some("de"), Locale::En);
    }

    #[test]
    fn the_browser_wishes_by_weight_and_not_by_order() {
        chosen(None, Some("en;q=0.5, de-AT"), Locale::De);
        chosen(None, Some("de;q=0.8,en;q=0.9"), Locale::En);
        chosen(None, Some("fr, nl;q=0.9, de;q=0.1"), Locale::De);
        chosen(None, Some("de;q=0, en;q=0.1"), Locale::En);
    }

    #[test]
    fn nonsense_is_passed_over() {
        for header in [
            "",
            "*",
            ";;;,,,q=",
            "de;q=2.5",
            "de;q=0.99999",
            "xx-invalid-tag-that-is-long",
        ] {
            chosen(None, Some(header), Locale::En);
        }
        chosen(Some("DE'; --"), Some("de"), Locale::De);
        chosen(Some("fr"), None, Locale::En);
    }

    #[test]
    fn only_what_is_offered_is_chosen() {
        assert_eq!(Locale::choose(Some("en"), Some("en"), &[Locale::De]), Locale::De);
        assert_eq!(Locale::choose(None, None, &[]), Locale::En);
    }

    #[test]
    fn a_header_of_a_thousand_wishes_is_not_read_to_its_end() {
        let header = format!("{}de", "fr,".repeat(1000));
        chosen(None, Some(&header), Locale::En);
    }

    #[test]
    fn numbers_are_grouped() {
        for (value, english, german) in [
            (0, "0", "0"),
            (999, "999", "999"),
            (1_000, "1,000", "1.000"),
            (37_000, "37,000", "37.000"),
            (1_234_567, "1,234,567", "1.234.567"),
        ] {
            assert_eq!(number(Locale::En, value), english);
            assert_eq!(number(Locale::De, value), german);
        }
    }

    #[test]
    fn moments_name_their_zone() {
        let at = Timestamp::from_micros(1_780_495_320_000_000);
        assert_eq!(moment(Locale::En, at), "3 June 2026, 14:02 UTC");
        assert_eq!(moment(Locale::De, at), "3. Juni 2026, 14:02 UTC");
        assert_eq!(day(Locale::De, Timestamp::from_micros(0)), "1. Januar 1970");
        assert_eq!(machine_moment(at), "2026-06-03T14:02Z");
    }

    #[test]
    fn moments_beyond_the_calendar_do_not_panic() {
        assert!(moment(Locale::En, Timestamp::from_micros(i64::MAX)).contains("9999"));
        assert!(moment(Locale::En, Timestamp::from_micros(i64::MIN)).contains("-9999"));
    }

    #[test]
    fn a_wait_is_told_in_minutes_that_cover_it() {
        assert_eq!([0, 1, 60, 61, 3600].map(minutes_to_wait), [1, 1, 1, 2, 60]);
    }

    #[test]
    fn an_unknown_message_shows_its_id() {
        assert_eq!(
            text(Locale::De, "no-such-message", &FluentArgs::new()),
            "⟦no-such-message⟧"
        );
    }
}
