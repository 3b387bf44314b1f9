//! What is tried as the password when a leak, or an owner, gives a secret.

use std::borrow::Cow;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use zeroize::Zeroize;

/// The distinct forms of one secret, in the order in which they are tried. Borrowed where possible; no `Debug`.
pub struct CandidateForms<'a> {
    forms: [Option<Cow<'a, [u8]>>; 4],
}

impl<'a> CandidateForms<'a> {
    fn push(&mut self, form: Cow<'a, [u8]>) {
        if !self.iter().any(|known| known == &*form)
            && let Some(free) = self.forms.iter_mut().find(|place| place.is_none())
        {
            *free = Some(form);
        }
    }

    /// The forms, one to four.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.forms.iter().flatten().map(|form| &**form)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.iter().count()
    }
}

impl Drop for CandidateForms<'_> {
    /// Wipes the forms that were made here; the borrowed ones are the caller's.
    fn drop(&mut self) {
        for form in self.forms.iter_mut().flatten() {
            if let Cow::Owned(bytes) = form {
                bytes.zeroize();
            }
        }
    }
}

/// The bytes as they stand; their NFC form; if they are not UTF-8, the same read as Windows-1252; both without outer blanks;
/// each only if it differs from those before.
///
/// Blanks are the white space of Unicode, of ASCII in bytes that are no UTF-8. Plain ASCII allocates nothing.
pub fn candidate_forms(secret: &[u8]) -> CandidateForms<'_> {
    let mut forms = CandidateForms {
        forms: [Some(Cow::Borrowed(secret)), None, None, None],
    };
    if secret.is_ascii() {
        if let Ok(text) = str::from_utf8(secret) {
            forms.push(Cow::Borrowed(text.trim().as_bytes()));
        }
        return forms;
    }
    match str::from_utf8(secret) {
        Ok(text) => {
            for text in [text, text.trim()] {
                forms.push(Cow::Borrowed(text.as_bytes()));
                if is_nfc_quick(text.chars()) != IsNormalized::Yes {
                    forms.push(Cow::Owned(text.nfc().collect::<String>().into_bytes()));
                }
            }
        }
        Err(_) => {
            let text: String = secret.iter().map(|&byte| windows_1252(byte)).collect();
            let trimmed = text.trim().to_owned();
            forms.push(Cow::Owned(text.into_bytes()));
            forms.push(Cow::Borrowed(secret.trim_ascii()));
            forms.push(Cow::Owned(trimmed.into_bytes()));
        }
    }
    forms
}

/// The character of a byte in Windows-1252; the five bytes that it leaves open are read as controls, as browsers do.
const fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '\u{20ac}', '\u{81}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}', '\u{2021}', '\u{2c6}',
        '\u{2030}', '\u{160}', '\u{2039}', '\u{152}', '\u{8d}', '\u{17d}', '\u{8f}', '\u{90}', '\u{2018}', '\u{2019}',
        '\u{201c}', '\u{201d}', '\u{2022}', '\u{2013}', '\u{2014}', '\u{2dc}', '\u{2122}', '\u{161}', '\u{203a}',
        '\u{153}', '\u{9d}', '\u{17e}', '\u{178}',
    ];
    match byte {
        0x80..=0x9f => HIGH[(byte - 0x80) as usize],
        _ => byte as char,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(secret: &[u8], expected: &[&[u8]]) {
        assert_eq!(
            candidate_forms(secret).iter().collect::<Vec<_>>(),
            expected,
            "{secret:?}"
        );
    }

    #[test]
    fn plain_text_has_one_form_and_borrows_it() {
        check(b"hunter2", &[b"hunter2"]);
        check(b"", &[b""]);
        let forms = candidate_forms(b"hunter2");
        assert!(
            forms
                .forms
                .iter()
                .flatten()
                .all(|form| matches!(form, Cow::Borrowed(_)))
        );
    }

    #[test]
    fn outer_blanks_come_off_last() {
        check(b" a b ", &[b" a b ", b"a b"]);
        check(b" ", &[b" ", b""]);
        check(
            "\u{a0}p\u{e4}ss\u{a0}".as_bytes(),
            &["\u{a0}p\u{e4}ss\u{a0}".as_bytes(), "p\u{e4}ss".as_bytes()],
        );
    }

    #[test]
    fn decomposed_text_is_also_tried_composed() {
        check(
            "pa\u{308}ss".as_bytes(),
            &["pa\u{308}ss".as_bytes(), "p\u{e4}ss".as_bytes()],
        );
        check("p\u{e4}ss".as_bytes(), &["p\u{e4}ss".as_bytes()]);
        check(
            " a\u{308}".as_bytes(),
            &[
                " a\u{308}".as_bytes(),
                " \u{e4}".as_bytes(),
                "a\u{308}".as_bytes(),
                "\u{e4}".as_bytes(),
            ],
        );
    }

    #[test]
    fn what_is_no_utf8_is_also_read_as_windows_1252() {
        check(b"p\xe4ss\x80", &[b"p\xe4ss\x80", "p\u{e4}ss\u{20ac}".as_bytes()]);
        check(
            b"p\xe4 ",
            &[b"p\xe4 ", "p\u{e4} ".as_bytes(), b"p\xe4", "p\u{e4}".as_bytes()],
        );
        check(b"\x81\xff", &[b"\x81\xff", "\u{81}\u{ff}".as_bytes()]);
    }
}
