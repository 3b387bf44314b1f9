//! UTF-16 to UTF-8, piece by piece.

/// A UTF-16 text on its way to UTF-8. Half a surrogate pair and an odd byte at the end become U+FFFD.
#[derive(Debug)]
pub(super) struct Utf16 {
    big_endian: bool,
    /// The first byte of a unit whose second has not come yet.
    odd: Option<u8>,
    /// The first half of a surrogate pair whose second has not come yet.
    high: Option<u16>,
}

impl Utf16 {
    pub(super) const fn new(big_endian: bool) -> Self {
        Self {
            big_endian,
            odd: None,
            high: None,
        }
    }

    /// Decodes what can be decoded of `bytes` and appends it to `out`.
    pub(super) fn push(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        if let (Some(first), Some((&second, rest))) = (self.odd, bytes.split_first()) {
            self.odd = None;
            bytes = rest;
            self.unit([first, second], out);
        }
        let (pairs, odd) = bytes.as_chunks::<2>();
        out.reserve(bytes.len());
        for pair in pairs {
            self.unit(*pair, out);
        }
        if let [odd] = odd {
            self.odd = Some(*odd);
        }
    }

    /// Ends the text: what is left over is a damaged character.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        if self.high.take().is_some() {
            append('\u{fffd}', out);
        }
        if self.odd.take().is_some() {
            append('\u{fffd}', out);
        }
    }

    #[inline]
    fn unit(&mut self, pair: [u8; 2], out: &mut Vec<u8>) {
        let unit = if self.big_endian {
            u16::from_be_bytes(pair)
        } else {
            u16::from_le_bytes(pair)
        };
        if unit < 0x80 && self.high.is_none() {
            out.push(pair[usize::from(self.big_endian)]);
        } else {
            self.wide(unit, out);
        }
    }

    fn wide(&mut self, unit: u16, out: &mut Vec<u8>) {
        let is_low = (0xdc00..0xe000).contains(&unit);
        match self.high.take() {
            Some(high) if is_low => {
                let code = 0x1_0000 + ((u32::from(high) & 0x3ff) << 10) + (u32::from(unit) & 0x3ff);
                return append(char::from_u32(code).unwrap_or('\u{fffd}'), out);
            }
            Some(_) => append('\u{fffd}', out),
            None => {}
        }
        if (0xd800..0xdc00).contains(&unit) {
            self.high = Some(unit);
        } else {
            append(char::from_u32(u32::from(unit)).unwrap_or('\u{fffd}'), out);
        }
    }
}

fn append(c: char, out: &mut Vec<u8>) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(bytes: &[u8], big_endian: bool, chunk: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let mut decoder = Utf16::new(big_endian);
        for piece in bytes.chunks(chunk) {
            decoder.push(piece, &mut out);
        }
        decoder.finish(&mut out);
        out
    }

    #[test]
    fn k02_damaged_utf16_becomes_replacement_characters() {
        let cases: [(&[u16], &str); 5] = [
            (&[0x61, 0xd83d, 0x62], "a\u{fffd}b"),
            (&[0x61, 0xde00, 0x62], "a\u{fffd}b"),
            (&[0xd83d, 0xd83d, 0xde00], "\u{fffd}😀"),
            (&[0x61, 0xd83d], "a\u{fffd}"),
            (&[0xfffe, 0x00], "\u{fffe}\0"),
        ];
        for (units, expected) in cases {
            let bytes: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            assert_eq!(String::from_utf8(decode(&bytes, false, 3)).unwrap(), expected);
        }
        assert_eq!(decode(&[0x61, 0, 0x62], false, 2), "a\u{fffd}".as_bytes());
    }

    proptest! {
        #[test]
        fn k02_utf16_decodes_alike_in_any_pieces(units in prop::collection::vec(any::<u16>(), 0..60), chunk in 1usize..9) {
            let expected = String::from_utf16_lossy(&units).into_bytes();
            let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
            prop_assert_eq!(&decode(&little, false, chunk), &expected);
            prop_assert_eq!(&decode(&big, true, chunk), &expected);
        }
    }
}
