//! A point in time as people read it: the date, and the time with its zone named.

use jiff::tz::TimeZone;
use rightful_core::Timestamp;

use crate::locale::Locale;
use crate::texts::Texts;

/// "24 November 2026 at 14:02 UTC", in the locale's order. A time outside of the years -9999 to 9999 is moved to their end.
pub(crate) fn moment(at: Timestamp, locale: Locale) -> String {
    let at = jiff::Timestamp::from_microsecond(at.micros()).unwrap_or(if at.micros() < 0 {
        jiff::Timestamp::MIN
    } else {
        jiff::Timestamp::MAX
    });
    let at = at.to_zoned(TimeZone::UTC).datetime();
    Texts::of(locale).say(
        "moment",
        &[
            ("day", at.day().to_string().into()),
            ("month", i64::from(at.month()).into()),
            ("year", at.year().to_string().into()),
            ("time", format!("{:02}:{:02}", at.hour(), at.minute()).into()),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_and_time_follow_the_locale_and_name_the_zone() {
        for (micros, en, de) in [
            (0, "1 January 1970 at 00:00 UTC", "1. Januar 1970 um 00:00 UTC"),
            (
                1_795_528_979_999_999,
                "24 November 2026 at 14:02 UTC",
                "24. November 2026 um 14:02 UTC",
            ),
            (
                i64::MAX,
                "30 December 9999 at 22:00 UTC",
                "30. Dezember 9999 um 22:00 UTC",
            ),
        ] {
            let at = Timestamp::from_micros(micros);
            assert_eq!(
                (moment(at, Locale::En).as_str(), moment(at, Locale::De).as_str()),
                (en, de)
            );
        }
    }
}
