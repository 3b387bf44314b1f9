//! Simple variations that people make of a password when they must change it.
//!
//! The list is ordered, most common first, and part of the product: `--variants N` tries the first N. It is documented in
//! `docs/reference/variations.md`; a change to the order changes what N means, so new rules go to the end.

/// The longest list that [`variations`] makes.
pub const MAX_VARIATIONS: usize = 128;

/// What people append.
const ENDINGS: [&[u8]; 20] = [
    b"1", b"!", b"123", b"2", b"12", b"01", b".", b"3", b"?", b"1!", b"#", b"@", b"*", b"1234", b"11", b"0", b"7",
    b"99", b"$", b"!!",
];

/// Letters that are commonly swapped for look-alikes, and back.
const SWAPS: [(u8, u8); 6] = [
    (b'a', b'@'),
    (b'o', b'0'),
    (b'i', b'1'),
    (b'e', b'3'),
    (b's', b'$'),
    (b'i', b'!'),
];

/// The first `most` variations of `password`, each different from it and from those before, most common first:
///
/// 1. the case of the first letter turned;
/// 2. the number at its end (up to four digits) one higher, one lower;
/// 3. the last digit or symbol dropped; two, three, four dropped;
/// 4. endings appended (`1`, `!`, `123`, ...);
/// 5. a year at its end moved by one or two; the endings of 4 with the first letter turned;
/// 6. doubled; all lower case; all upper case;
/// 7. common swaps (`a`/`@`, `o`/`0`, ...), each alone, then all together.
///
/// Works on bytes; only ASCII letters, digits and symbols are touched, so any encoding stays whole.
pub fn variations(password: &[u8], most: usize) -> Vec<Vec<u8>> {
    let mut list = Listing {
        password,
        found: Vec::new(),
        most: most.min(MAX_VARIATIONS),
    };
    let turned = turn_first_letter(password);
    list.add(turned.clone());
    for step in [1, -1] {
        list.add(move_number(password, step));
    }
    for dropped in 1..=4 {
        list.add(drop_ending(password, dropped));
    }
    for ending in ENDINGS {
        list.add(Some([password, ending].concat()));
    }
    for step in [2, -2] {
        list.add(has_year(password).then(|| move_number(password, step)).flatten());
    }
    if let Some(turned) = &turned {
        for ending in ENDINGS {
            list.add(Some([turned, ending].concat()));
        }
    }
    list.add(Some([password, password].concat()));
    list.add(Some(password.to_ascii_lowercase()));
    list.add(Some(password.to_ascii_uppercase()));
    for swap in SWAPS {
        list.add(Some(swap_letters(password, &[swap])));
        list.add(Some(swap_letters(password, &[(swap.1, swap.0)])));
    }
    list.add(Some(swap_letters(password, &SWAPS[..5])));
    list.found
}

struct Listing<'a> {
    password: &'a [u8],
    found: Vec<Vec<u8>>,
    most: usize,
}

impl Listing<'_> {
    fn add(&mut self, variation: Option<Vec<u8>>) {
        let Some(variation) = variation else { return };
        let known = variation.is_empty() || variation == self.password || self.found.contains(&variation);
        if !known && self.found.len() < self.most {
            self.found.push(variation);
        }
    }
}

fn turn_first_letter(password: &[u8]) -> Option<Vec<u8>> {
    let first = password.iter().position(u8::is_ascii_alphabetic)?;
    let mut turned = password.to_vec();
    turned[first] ^= 0x20;
    Some(turned)
}

/// The number of up to four digits at the end moved by `step`, with its leading zeros; `None` without one or below zero.
fn move_number(password: &[u8], step: i32) -> Option<Vec<u8>> {
    let digits = password
        .iter()
        .rev()
        .take(4)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let (stem, number) = password.split_at(password.len() - digits);
    let value: i32 = std::str::from_utf8(number).ok()?.parse().ok()?;
    let moved = u32::try_from(value + step).ok()?;
    Some([stem, format!("{moved:0digits$}").as_bytes()].concat())
}

fn has_year(password: &[u8]) -> bool {
    password.len() >= 4 && {
        let ending = &password[password.len() - 4..];
        (ending.starts_with(b"19") || ending.starts_with(b"20")) && ending.iter().all(u8::is_ascii_digit)
    }
}

fn drop_ending(password: &[u8], count: usize) -> Option<Vec<u8>> {
    let keep = password.len().checked_sub(count)?;
    let droppable = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_punctuation();
    password[keep..]
        .iter()
        .all(droppable)
        .then(|| password[..keep].to_vec())
}

fn swap_letters(password: &[u8], swaps: &[(u8, u8)]) -> Vec<u8> {
    let swap = |byte: u8| {
        swaps
            .iter()
            .find(|(from, _)| byte.to_ascii_lowercase() == *from)
            .map_or(byte, |(_, to)| *to)
    };
    password.iter().map(|&byte| swap(byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(password: &str, variation: &str) -> bool {
        variations(password.as_bytes(), MAX_VARIATIONS).contains(&variation.as_bytes().to_vec())
    }

    #[test]
    fn common_changes_are_listed() {
        for (password, variation) in [
            ("summer", "Summer"),
            ("Summer", "summer"),
            ("summer9", "summer10"),
            ("summer2025", "summer2026"),
            ("summer2025", "summer2023"),
            ("summer007", "summer008"),
            ("summer!", "summer"),
            ("summer2025", "summer"),
            ("summer", "summer1!"),
            ("summer", "Summer123"),
            ("summer", "summersummer"),
            ("password", "p@ssword"),
            ("password", "p@$$w0rd"),
            ("p@ssword", "password"),
            ("Müller", "Müller1"),
        ] {
            assert!(has(password, variation), "{password} -> {variation}");
        }
        assert!(!has("summer", "winter"));
    }

    #[test]
    fn the_first_is_the_turned_letter_and_no_number_falls_below_zero() {
        assert_eq!(
            variations(b"summer0", 3),
            [b"Summer0".to_vec(), b"summer1".to_vec(), b"summer".to_vec()]
        );
        assert_eq!(
            variations(b"", 5),
            [
                b"1".to_vec(),
                b"!".to_vec(),
                b"123".to_vec(),
                b"2".to_vec(),
                b"12".to_vec()
            ]
        );
    }

    proptest::proptest! {
        #[test]
        fn a_shorter_list_is_the_start_of_a_longer_one(password in proptest::collection::vec(proptest::num::u8::ANY, 0..40), n in 0usize..80) {
            let all = variations(&password, MAX_VARIATIONS);
            let some = variations(&password, n);
            proptest::prop_assert_eq!(&all[..some.len()], some.as_slice());
            proptest::prop_assert!(some.len() <= n && !all.contains(&password));
            let mut distinct = all.clone();
            distinct.sort();
            distinct.dedup();
            proptest::prop_assert_eq!(distinct.len(), all.len());
        }
    }
}
