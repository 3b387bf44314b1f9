//! Bytes that may be text.

/// What the bytes 0x80 to 0x9F mean in Windows-1252 (WHATWG Encoding, index windows-1252); the rest of the upper half is Latin-1.
const WINDOWS_1252: [char; 32] = [
    '\u{20AC}', '\u{81}', '\u{201A}', '\u{192}', '\u{201E}', '\u{2026}', '\u{2020}', '\u{2021}', '\u{2C6}', '\u{2030}',
    '\u{160}', '\u{2039}', '\u{152}', '\u{8D}', '\u{17D}', '\u{8F}', '\u{90}', '\u{2018}', '\u{2019}', '\u{201C}',
    '\u{201D}', '\u{2022}', '\u{2013}', '\u{2014}', '\u{2DC}', '\u{2122}', '\u{161}', '\u{203A}', '\u{153}', '\u{9D}',
    '\u{17E}', '\u{178}',
];

/// Reads bytes as Windows-1252. Every byte has a meaning, so this never fails.
pub fn from_windows_1252(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|&byte| match byte {
            0x80..=0x9F => WINDOWS_1252[usize::from(byte - 0x80)],
            _ => char::from(byte),
        })
        .collect()
}

/// Reads bytes as UTF-8 where they are, else as Windows-1252.
pub fn from_unknown_encoding(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| from_windows_1252(bytes), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upper_half_follows_windows_1252() {
        assert_eq!(from_windows_1252(b"M\xFCller \x80 \x9F"), "Müller € Ÿ");
        assert_eq!(from_unknown_encoding("Müller".as_bytes()), "Müller");
    }
}
