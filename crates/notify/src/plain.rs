//! What others wrote, made harmless before it stands in a message.
//!
//! A mail client makes links of what looks like one: domains, addresses, telephone numbers. A stranger can choose a name, a
//! user agent or an address, and have us send it. So what is not needed to read such a text is taken out of it: controls,
//! marks that change direction, colons and slashes, dots inside words. What remains cannot be a link or a sentence of ours.

use unicode_normalization::char::is_combining_mark;

/// Longest name, browser or place, in characters.
const LONGEST: usize = 60;

/// Longest text of a mail server that is kept, in characters.
pub const LONGEST_REPLY: usize = 300;

/// Joins what it stands between and is not seen; a domain with it inside is none to a mail client.
const WORD_JOINER: char = '\u{2060}';

/// A person's name: letters, blanks, hyphens, apostrophes, and a dot at the end of a word. No digits: a name that is a
/// telephone number is an advertisement. `None` when nothing is left.
pub fn name(given: &str) -> Option<String> {
    clean(given, |c| c.is_alphabetic() || matches!(c, '-' | '\'' | '\u{2019}'))
}

/// A browser, a system or a place: as a name, with digits and `( ) , +` besides. `None` when nothing is left.
pub fn words(given: &str) -> Option<String> {
    clean(given, |c| {
        c.is_alphanumeric() || matches!(c, '-' | '\'' | '\u{2019}' | '(' | ')' | ',' | '+')
    })
}

/// A masked address: no blanks, and nothing a mail client would make a link of.
pub(crate) fn address(given: &str) -> String {
    let kept = given
        .chars()
        .filter(|&c| c.is_alphanumeric() || matches!(c, '@' | '.' | '-' | '_' | '+' | '*' | '\u{2022}' | '\u{2026}'));
    unlinked(kept.take(LONGEST))
}

/// The site's name as its operator wrote it, but for controls and what a mark-up begins with; "example.com" is written, not
/// linked.
pub(crate) fn site(given: &str) -> String {
    let line = one_line(given, LONGEST);
    unlinked(line.chars().filter(|c| !matches!(c, '<' | '>' | '"')))
}

/// A number or code: letters of ASCII, digits and hyphens.
pub(crate) fn code(given: &str) -> String {
    let kept = given.chars().filter(|&c| c.is_ascii_alphanumeric() || c == '-');
    kept.take(LONGEST).collect()
}

/// One line without controls and invisible marks, of at most so many characters: for replies of servers, which go to logs
/// and consoles and may hold anything.
pub fn one_line(given: &str, longest: usize) -> String {
    let visible = given.chars().map(|c| if is_hidden(c) { ' ' } else { c });
    let mut line = String::new();
    let mut count = 0;
    for c in visible {
        if c == ' ' && (line.is_empty() || line.ends_with(' ')) {
            continue;
        }
        if count == longest {
            break;
        }
        line.push(c);
        count += 1;
    }
    line.truncate(line.trim_end().len());
    line
}

/// Controls, separators of lines, marks of direction, and what has no width.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
                | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}'
        )
}

fn clean(given: &str, is_kept: impl Fn(char) -> bool) -> Option<String> {
    let mut text = String::new();
    let mut marks = 0;
    let mut rest = given.chars().peekable();
    while let Some(c) = rest.next() {
        let ends_word = rest.peek().is_none_or(|next| next.is_whitespace());
        if is_combining_mark(c) {
            // Two are enough for any script; a pile of them overprints the lines around it.
            marks += 1;
            if marks <= 2 && text.ends_with(|last: char| last.is_alphabetic() || is_combining_mark(last)) {
                text.push(c);
            }
            continue;
        }
        marks = 0;
        if is_kept(c) || (c == '.' && ends_word && text.ends_with(char::is_alphabetic)) {
            text.push(c);
        } else if !text.ends_with(' ') && !text.is_empty() {
            text.push(' ');
        }
    }
    let text: String = text.trim().chars().take(LONGEST).collect();
    let text = text.trim_end();
    text.chars().any(char::is_alphanumeric).then(|| text.to_owned())
}

/// Puts word joiners around each mark that would make a domain or an address of its neighbours.
fn unlinked(text: impl Iterator<Item = char>) -> String {
    let mut unlinked = String::new();
    for c in text {
        if matches!(c, '.' | '@' | ':' | '/') {
            unlinked.extend([WORD_JOINER, c, WORD_JOINER]);
        } else {
            unlinked.push(c);
        }
    }
    unlinked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_names_and_nothing_else() {
        for (given, kept) in [
            ("Anna", Some("Anna")),
            (
                "  Anna-Luise  O\u{2019}Neill Jr. ",
                Some("Anna-Luise O\u{2019}Neill Jr."),
            ),
            ("कृष्ण", Some("कृष्ण")),
            ("Zoe\u{308}", Some("Zoe\u{308}")),
            ("evil.example", Some("evil example")),
            ("https://evil.example/x?y", Some("https evil example x y")),
            ("you won: call +1 800 555 0199", Some("you won call")),
            ("Anna\r\nBcc: x@y.z", Some("Anna Bcc x y z")),
            ("{{7*7}} ${x} <b>", Some("x b")),
            ("\u{202E}gnp.exe", Some("gnp exe")),
            ("a\u{3002}example", Some("a example")),
            ("...", None),
            ("", None),
        ] {
            assert_eq!(name(given).as_deref(), kept, "{given:?}");
        }
        assert_eq!(name(&"x".repeat(10_000)).unwrap().len(), LONGEST);
        assert_eq!(name(&format!("a{}", "\u{301}".repeat(500))).unwrap().chars().count(), 3);
    }

    #[test]
    fn places_and_browsers_keep_their_digits() {
        assert_eq!(
            words("Firefox 142 (ESR), St. Louis").as_deref(),
            Some("Firefox 142 (ESR), St. Louis")
        );
        assert_eq!(words("www.evil.example").as_deref(), Some("www evil example"));
    }

    #[test]
    fn a_site_and_an_address_are_written_but_not_linked() {
        assert_eq!(site("Example"), "Example");
        assert_eq!(site("example.com\r\n"), "example\u{2060}.\u{2060}com");
        assert_eq!(
            address("a\u{2022}@e\u{2022}.org <x>"),
            "a\u{2022}\u{2060}@\u{2060}e\u{2022}\u{2060}.\u{2060}orgx"
        );
    }

    #[test]
    fn a_reply_becomes_one_bounded_line() {
        assert_eq!(
            one_line(" 550\u{1b}[31m no\r\n\r\nsuch \u{202E}user ", 99),
            "550 [31m no such user"
        );
        assert_eq!(
            one_line(&"é".repeat(5_000), LONGEST_REPLY).chars().count(),
            LONGEST_REPLY
        );
    }
}
