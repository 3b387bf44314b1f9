//! What people see while they wait, and how numbers are written.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rightful_core::Grade;
use rightful_leaks::scan::Progress;
use rightful_leaks::tally::Tally;

/// One line on standard error that tells how far the work is; nothing where that is no terminal.
pub(crate) struct Line {
    bar: ProgressBar,
    begun: Instant,
}

impl Line {
    pub(crate) fn new() -> Self {
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr_with_hz(8)
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(ProgressStyle::with_template("{wide_msg}").expect("the template is right"));
        Self {
            bar,
            begun: Instant::now(),
        }
    }

    pub(crate) fn say(&self, text: String) {
        self.bar.set_message(text);
        self.bar.tick();
    }

    /// A line that stays, above the one that moves.
    pub(crate) fn keep(&self, text: &str) {
        self.bar.suspend(|| eprintln!("{text}"));
    }

    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }
}

/// 1234567 as 1,234,567.
pub(crate) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Bytes in the unit that reads best.
pub(crate) fn bytes(value: u64) -> String {
    let units = ["bytes", "kB", "MB", "GB", "TB"];
    let mut scaled = value as f64;
    let mut unit = 0;
    while scaled >= 1000.0 && unit + 1 < units.len() {
        scaled /= 1000.0;
        unit += 1;
    }
    if unit == 0 {
        format!("{value} bytes")
    } else {
        format!("{scaled:.1} {}", units[unit])
    }
}

/// A length of time in the words that people use.
pub(crate) fn duration(seconds: f64) -> String {
    let whole = Duration::from_secs_f64(seconds.clamp(0.0, 1e9)).as_secs();
    match whole {
        0..10 => format!("{seconds:.1} s"),
        10..120 => format!("{whole} s"),
        120..7200 => format!("{} min", whole / 60),
        _ => format!("{} h {} min", whole / 3600, whole / 60 % 60),
    }
}

/// How far a scan is: what was read, what was found, how long it will take.
pub(crate) fn progress(progress: &Progress, seconds: f64) -> String {
    let read = match progress.total_bytes {
        _ if progress.reading_done => "all read".to_owned(),
        Some(total) if total > 0 => format!("{:.0} % read", 100.0 * progress.bytes as f64 / total as f64),
        _ => format!("{} read", bytes(progress.bytes)),
    };
    let lines = number(progress.tally.lines());
    let exact = number(progress.exposures.grades[Grade::Exact as usize]);
    let mut text = format!(
        "{read} · {lines} lines · {} named · {exact} exact",
        number(progress.tally.named)
    );
    let about = if progress.reading_done { "" } else { "about " };
    if let Some(expected) = progress.tests_expected()
        && expected > 0
    {
        let rate = progress.tests as f64 / seconds.max(0.001);
        text.push_str(&format!(
            " · tested {} of {about}{}",
            number(progress.tests),
            number(expected)
        ));
        if progress.tests > 20 && expected > progress.tests {
            text.push_str(&format!(
                ", {about}{} left",
                duration((expected - progress.tests) as f64 / rate)
            ));
        }
    }
    text
}

/// What a grade means, in a few words.
pub(crate) const fn meaning(grade: Grade) -> &'static str {
    match grade {
        Grade::Exact => "the leaked secret is the current password",
        Grade::Variant => "a simple variation of it is",
        Grade::Former => "it was an earlier password",
        Grade::Untested => "a leaked hash, to be tried at the next sign-in",
        Grade::Named => "not theirs: no evidence, nothing to do",
    }
}

/// The table of exposures by grade.
pub(crate) fn grades(exposures: &[u64; Grade::ALL.len()], accounts: &[u64; Grade::ALL.len()]) -> String {
    let mut table = format!(
        "  {:<9} {:>10} {:>10}   {}\n",
        "grade", "exposures", "accounts", "what it means"
    );
    for grade in Grade::ALL {
        let (exposures, accounts) = (number(exposures[grade as usize]), number(accounts[grade as usize]));
        table.push_str(&format!(
            "  {:<9} {exposures:>10} {accounts:>10}   {}\n",
            grade.word(),
            meaning(grade)
        ));
    }
    table.push_str("  (each account counts once, at its best grade)\n");
    table
}

/// Where the lines went.
pub(crate) fn lines(tally: &Tally) -> String {
    use rightful_leaks::parse::Bin;
    let mut parts = vec![
        format!("{} name nobody", number(tally.names_nobody)),
        format!("{} name an account", number(tally.named)),
    ];
    for bin in Bin::ALL {
        if tally.of(bin) > 0 {
            let malformed = if matches!(bin, Bin::Malformed(_)) {
                "malformed: "
            } else {
                ""
            };
            parts.push(format!("{} {malformed}{}", number(tally.of(bin)), bin.word()));
        }
    }
    format!("{} lines read: {}", number(tally.lines()), parts.join(", "))
}

/// The same for programs.
pub(crate) fn lines_json(tally: &Tally) -> serde_json::Value {
    use rightful_leaks::parse::Bin;
    let mut bins = serde_json::Map::new();
    bins.insert("lines".to_owned(), tally.lines().into());
    bins.insert("names_nobody".to_owned(), tally.names_nobody.into());
    bins.insert("named".to_owned(), tally.named.into());
    let mut malformed = serde_json::Map::new();
    for bin in Bin::ALL {
        let word = bin.word().replace(' ', "_");
        let target = if matches!(bin, Bin::Malformed(_)) {
            &mut malformed
        } else {
            &mut bins
        };
        target.insert(word, tally.of(bin).into());
    }
    bins.insert("malformed".to_owned(), malformed.into());
    bins.into()
}

/// Counts by grade for programs.
pub(crate) fn grades_json(counts: &[u64; Grade::ALL.len()]) -> serde_json::Value {
    let by_grade = Grade::ALL
        .into_iter()
        .map(|grade| (grade.word().to_owned(), counts[grade as usize].into()));
    serde_json::Value::Object(by_grade.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_easy_to_read() {
        assert_eq!(
            (number(0), number(999), number(1_234_567)),
            ("0".into(), "999".into(), "1,234,567".into())
        );
        assert_eq!((bytes(999), bytes(1_500_000)), ("999 bytes".into(), "1.5 MB".into()));
        assert_eq!(
            (duration(3.21), duration(65.0), duration(7300.0)),
            ("3.2 s".into(), "65 s".into(), "2 h 1 min".into())
        );
    }
}
