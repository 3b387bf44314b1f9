//! Files that pages point at. Each lies at a path that changes with its content, so a browser may keep it for a year.

/// The stylesheet of every page.
pub const STYLESHEET: &str = include_str!("../../assets/rightful.css");

const STYLESHEET_HASH: [u8; 16] = hex(fingerprint(STYLESHEET.as_bytes()));

/// The part of [`stylesheet_path`] that changes with the content.
const STYLESHEET_TAG: &str = match str::from_utf8(&STYLESHEET_HASH) {
    Ok(tag) => tag,
    Err(_) => unreachable!(),
};

/// Where [`STYLESHEET`] is served.
pub fn stylesheet_path() -> String {
    hashed_path("rightful", STYLESHEET_TAG, "css")
}

/// Where a file made from configuration is served.
pub(super) fn path_of(name: &str, content: &[u8], extension: &str) -> String {
    let hash = hex(fingerprint(content));
    hashed_path(name, &String::from_utf8_lossy(&hash), extension)
}

fn hashed_path(name: &str, tag: &str, extension: &str) -> String {
    format!("{}/{name}-{tag}.{extension}", super::paths::ASSETS)
}

/// FNV-1a, 64 bits. It tells versions of our own files apart and guards nothing.
const fn fingerprint(bytes: &[u8]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut index = 0;
    while index < bytes.len() {
        hash = (hash ^ bytes[index] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        index += 1;
    }
    hash
}

const fn hex(value: u64) -> [u8; 16] {
    let mut digits = [0; 16];
    let mut index = 0;
    while index < digits.len() {
        digits[index] = b"0123456789abcdef"[((value >> (60 - 4 * index)) & 0xf) as usize];
        index += 1;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_those_of_fnv_1a() {
        // From the vectors of draft-eastlake-fnv.
        for (text, expected) in [
            ("", 0xcbf2_9ce4_8422_2325),
            ("a", 0xaf63_dc4c_8601_ec8c),
            ("foobar", 0x8594_4171_f739_67e8),
        ] {
            assert_eq!(fingerprint(text.as_bytes()), expected, "{text}");
        }
        assert_eq!(hex(0x0123_4567_89ab_cdef), *b"0123456789abcdef");
    }

    #[test]
    fn a_path_changes_with_the_content() {
        assert_ne!(path_of("brand", b"a", "css"), path_of("brand", b"b", "css"));
        assert!(stylesheet_path().starts_with("/assets/rightful-"));
    }
}
