//! The token in a return path: tells which notice a bounce is about, and that the path was made here.
//!
//! 35 bytes, as 56 characters of base32 (RFC 4648 §6) in lower case:
//!
//! | bytes | are |
//! |---|---|
//! | 16 | the notice's id, drawn at random |
//! | 12 | home (4, big-endian) and subject (8), XOR the first 12 bytes of a keyed digest of the id |
//! | 7 | the beginning of a keyed digest of id, home and subject |
//!
//! The subject is the account's number, which nobody outside may see, so it is masked; the id is used once, and so is its mask.
//! Two tokens of one account look unrelated. A forged one needs 2^56 mails on average, and then the id of a notice too.

use rightful_crypto::seal::Tagger;
use rightful_store::notice::Subject;
use uuid::Uuid;

const ID: usize = 16;
const PLACE: usize = 12;
const PROOF: usize = 7;
const BYTES: usize = ID + PLACE + PROOF;

/// 5 bytes are 8 characters, and 35 bytes are 7 times that: no padding, no bits left over.
const CHARACTERS: usize = BYTES / 5 * 8;

const SYMBOLS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// The token of a notice.
///
/// # Panics
/// When its home is not between 0 and 2^32 - 1, which the block of an account always is.
pub(crate) fn make(tagger: &Tagger, to: Subject, notice_id: Uuid) -> String {
    let home = u32::try_from(to.home).expect("a home is a block, between 0 and 2^32 - 1");
    let mut place = [0; PLACE];
    place[..4].copy_from_slice(&home.to_be_bytes());
    place[4..].copy_from_slice(&to.subject.to_be_bytes());
    let mut bytes = [0; BYTES];
    bytes[..ID].copy_from_slice(notice_id.as_bytes());
    bytes[ID..ID + PLACE].copy_from_slice(&masked(tagger, notice_id, place));
    bytes[ID + PLACE..].copy_from_slice(&proof(tagger, to.subject, notice_id, place));
    encode(&bytes)
}

/// The notice of a token, in either case; `None` for every token that was not made here.
pub(crate) fn read(tagger: &Tagger, token: &str) -> Option<(Subject, Uuid)> {
    let bytes = decode(token)?;
    let (id, rest) = bytes.split_first_chunk::<ID>()?;
    let (place, told) = rest.split_first_chunk::<PLACE>()?;
    let notice_id = Uuid::from_bytes(*id);
    let place = masked(tagger, notice_id, *place);
    let (home, subject) = place.split_first_chunk::<4>()?;
    let to = Subject {
        home: i64::from(u32::from_be_bytes(*home)),
        subject: i64::from_be_bytes(subject.try_into().ok()?),
    };
    // How long comparing takes is nothing that a sender of mail can measure.
    (proof(tagger, to.subject, notice_id, place) == told).then_some((to, notice_id))
}

/// Masks a place, or takes the mask off.
fn masked(tagger: &Tagger, notice_id: Uuid, mut place: [u8; PLACE]) -> [u8; PLACE] {
    let mask = tagger.return_path(0, notice_id.as_bytes());
    for (byte, mask) in place.iter_mut().zip(mask) {
        *byte ^= mask;
    }
    place
}

fn proof(tagger: &Tagger, subject: i64, notice_id: Uuid, place: [u8; PLACE]) -> [u8; PROOF] {
    let digest = tagger.return_path(subject, &[&notice_id.as_bytes()[..], &place].concat());
    *digest.first_chunk().expect("32 bytes hold 7")
}

fn encode(bytes: &[u8; BYTES]) -> String {
    let mut text = String::with_capacity(CHARACTERS);
    for group in bytes.as_chunks::<5>().0 {
        let bits = group.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        text.extend(
            (0..8)
                .rev()
                .map(|at| char::from(SYMBOLS[(bits >> (at * 5) & 31) as usize])),
        );
    }
    text
}

fn decode(text: &str) -> Option<[u8; BYTES]> {
    let (groups, rest) = text.as_bytes().as_chunks::<8>();
    if text.len() != CHARACTERS || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; BYTES];
    for (group, five) in groups.iter().zip(bytes.as_chunks_mut::<5>().0) {
        let mut bits = 0_u64;
        for symbol in group {
            let value = SYMBOLS.iter().position(|known| *known == symbol.to_ascii_lowercase())?;
            bits = bits << 5 | value as u64;
        }
        *five = *bits.to_be_bytes().last_chunk().expect("8 bytes hold 5");
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use rightful_crypto::seal::Key;

    use super::*;

    const TO: Subject = Subject {
        home: 7,
        subject: 30_000,
    };
    const STRANGER: Subject = Subject {
        home: 0xff_ffff,
        subject: i64::MIN >> 1,
    };
    const ID: Uuid = Uuid::from_bytes(*b"sixteen bytes ok");

    fn tagger(key: u8) -> Tagger {
        Tagger::new(&Key::from_bytes([key; 32]))
    }

    #[test]
    fn a_token_gives_its_notice_back_in_either_case() {
        for to in [TO, STRANGER] {
            let token = make(&tagger(1), to, ID);
            assert_eq!(token.len(), 56);
            assert!(rightful_notify::ReturnPath::make(&token, "example.org").is_ok());
            assert_eq!(read(&tagger(1), &token), Some((to, ID)));
            assert_eq!(read(&tagger(1), &token.to_uppercase()), Some((to, ID)));
        }
    }

    #[test]
    fn a_token_with_any_character_changed_is_none_of_ours() {
        let token = make(&tagger(1), TO, ID);
        for at in 0..token.len() {
            for symbol in SYMBOLS {
                let changed = format!("{}{}{}", &token[..at], char::from(*symbol), &token[at + 1..]);
                assert_eq!(read(&tagger(1), &changed).is_some(), changed == token, "{changed}");
            }
        }
    }

    #[test]
    fn a_token_of_another_site_or_none_at_all_is_none_of_ours() {
        let token = make(&tagger(1), TO, ID);
        assert_eq!(read(&tagger(2), &token), None);
        let odd = format!("{}1", &token[..55]);
        let wide = format!("{}é", &token[..54]);
        for text in ["", &token[..55], &format!("{token}a"), &odd, &wide] {
            assert_eq!(read(&tagger(1), text), None, "{text}");
        }
    }

    #[test]
    fn tokens_of_one_account_look_unrelated() {
        let (one, other) = (
            make(&tagger(1), TO, ID),
            make(&tagger(1), TO, Uuid::from_bytes([3; 16])),
        );
        let same = one
            .bytes()
            .zip(other.bytes())
            .filter(|(one, other)| one == other)
            .count();
        assert!(same < 12, "{same} of 56 characters are the same");
    }
}
