//! Cells of CSV files that people and programs read.

use std::borrow::Cow;

/// One cell of CSV (RFC 4180): quoted where it holds a comma, a quote or a line break.
///
/// With `spreadsheet`, what such a program would take for a formula gets an apostrophe in front (OWASP, CSV injection):
/// texts that begin with `=`, `+`, `-`, `@`, a tab or a line break. Programs want the text verbatim, people a safe one.
pub fn csv_field(text: &str, spreadsheet: bool) -> Cow<'_, str> {
    let formula = spreadsheet && text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let text = if formula {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    };
    if text.contains(['"', ',', '\n', '\r']) {
        return Cow::Owned(format!("\"{}\"", text.replace('"', "\"\"")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::csv_field;

    #[test]
    fn j06_cells_are_verbatim_or_safe_for_a_spreadsheet() {
        assert_eq!(csv_field("a,\"b\"\r\n", false), "\"a,\"\"b\"\"\r\n\"");
        for hostile in ["=cmd|' /C calc'!A0", "+1", "-1", "@sum", "\t=1", "\r=1"] {
            assert!(
                csv_field(hostile, true).trim_start_matches('"').starts_with('\''),
                "{hostile:?}"
            );
            assert!(!csv_field(hostile, false).contains("'="));
        }
        assert_eq!(csv_field("anna@example.org", true), "anna@example.org");
    }
}
