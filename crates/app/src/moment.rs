//! Points in time as people write them.

use rightful_core::Timestamp;

/// What [`parse`] takes, for messages.
pub const FORMS: &str = "2026-11-23T14:02:00Z, 2026-11-23 14:02, 2026-11-23 or seconds since 1970";

/// RFC 3339, a date with or without a time (read as UTC), or seconds since 1970.
pub fn parse(text: &str) -> Option<Timestamp> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(Timestamp::from_micros(0).plus_seconds(seconds));
    }
    if let Ok(found) = text.parse::<jiff::Timestamp>() {
        return Some(Timestamp::from_micros(found.as_microsecond()));
    }
    let found: jiff::civil::DateTime = text.replacen(' ', "T", 1).parse().ok()?;
    let zoned = found.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(Timestamp::from_micros(zoned.timestamp().as_microsecond()))
}

/// RFC 3339 in UTC, to the second.
pub fn show(at: Timestamp) -> String {
    let whole = at.micros().div_euclid(1_000_000);
    jiff::Timestamp::from_second(whole).map_or_else(|_| format!("{whole} s since 1970"), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_write_time_in_several_ways() {
        let noon = Some(Timestamp::from_micros(1_767_355_200_000_000));
        for text in [
            "2026-01-02T12:00:00Z",
            "2026-01-02T13:00:00+01:00",
            "2026-01-02 12:00",
            "1767355200",
        ] {
            assert_eq!(parse(text), noon, "{text}");
        }
        assert_eq!(parse("2026-01-02").map(show).as_deref(), Some("2026-01-02T00:00:00Z"));
        assert_eq!(parse("yesterday"), None);
    }
}
