//! Invented people: names as accounts and leaks have them. The same seed gives the same.

use rightful_leaks::sample::Dice;

/// Which of two crowds somebody belongs to. They share no surname, so no line about a stranger names an account.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crowd {
    /// They have an account.
    Accounts,
    /// They are in leaks only.
    Strangers,
}

const FIRST: [&str; 48] = [
    "anna", "maria", "jose", "david", "daniel", "michael", "laura", "julia", "thomas", "peter", "ivan", "olga",
    "ahmed", "fatima", "wei", "ling", "john", "james", "robert", "linda", "sarah", "emma", "lucas", "mateo", "sofia",
    "marco", "giulia", "pierre", "camille", "lars", "ingrid", "piotr", "kasia", "raj", "priya", "kenji", "yuki",
    "carlos", "ana", "paulo", "elena", "dmitri", "sergei", "natasha", "omar", "layla", "tom", "kim",
];

const SYLLABLES: [&str; 40] = [
    "ber", "man", "ko", "wal", "ski", "son", "ro", "dri", "guez", "mar", "tin", "lo", "pez", "hoff", "mei", "er",
    "sch", "nei", "der", "van", "dal", "ti", "no", "vak", "pe", "trov", "ki", "ta", "ha", "shi", "al", "ven", "ber",
    "li", "quist", "mor", "gan", "fer", "nan", "dez",
];

/// Where people have their mail, each as often as it stands here.
const HOSTS: [&str; 32] = [
    "gmail.com",
    "gmail.com",
    "gmail.com",
    "gmail.com",
    "gmail.com",
    "gmail.com",
    "gmail.com",
    "gmail.com",
    "yahoo.com",
    "yahoo.com",
    "yahoo.com",
    "yahoo.com",
    "hotmail.com",
    "hotmail.com",
    "hotmail.com",
    "mail.ru",
    "mail.ru",
    "mail.ru",
    "aol.com",
    "outlook.com",
    "yandex.ru",
    "web.de",
    "gmx.de",
    "libero.it",
    "orange.fr",
    "wp.pl",
    "icloud.com",
    "msn.com",
    "comcast.net",
    "yahoo.co.uk",
    "t-online.de",
    "live.com",
];

fn surname(dice: &mut Dice, crowd: Crowd, out: &mut Vec<u8>) {
    for _ in 0..2 {
        out.extend_from_slice(dice.pick(&SYLLABLES).as_bytes());
    }
    // One crowd's names end in letters that the other's never end in.
    let ends: [&str; 4] = match crowd {
        Crowd::Accounts => ["ow", "ax", "em", "ud"],
        Crowd::Strangers => ["is", "ek", "or", "ay"],
    };
    out.extend_from_slice(dice.pick(&ends).as_bytes());
}

/// Appends an e-mail address in small letters.
pub(crate) fn address(dice: &mut Dice, crowd: Crowd, out: &mut Vec<u8>) {
    let first = dice.pick(&FIRST).as_bytes();
    // The surname always stands right before the "@", the mark of the crowd at its end.
    match dice.below(8) {
        0..=2 => out.extend_from_slice(first),
        3 | 4 => {
            out.extend_from_slice(first);
            out.push(b'.');
        }
        5 => {
            out.extend_from_slice(first);
            out.push(b'_');
        }
        6 => out.push(first[0]),
        _ => {}
    }
    if dice.below(5) < 3 {
        out.extend_from_slice(dice.below(2020).to_string().as_bytes());
    }
    surname(dice, crowd, out);
    out.push(b'@');
    match dice.below(8) {
        0 => {
            out.extend_from_slice(dice.pick(&SYLLABLES).as_bytes());
            out.extend_from_slice(dice.pick(&SYLLABLES).as_bytes());
            out.extend_from_slice(
                dice.pick(&[".com", ".org", ".net", ".example", ".de", ".com.br"])
                    .as_bytes(),
            );
        }
        _ => out.extend_from_slice(dice.pick(&HOSTS).as_bytes()),
    }
}

/// Appends a user name.
pub(crate) fn username(dice: &mut Dice, crowd: Crowd, out: &mut Vec<u8>) {
    out.extend_from_slice(dice.pick(&FIRST).as_bytes());
    if dice.below(3) > 0 {
        out.extend_from_slice(dice.below(1000).to_string().as_bytes());
    }
    surname(dice, crowd, out);
}

/// The addresses of so many accounts, all different.
pub(crate) fn account_addresses(count: usize) -> impl Iterator<Item = String> {
    let mut dice = Dice::new(0xacc0);
    (0..count).map(move |number| {
        let mut name = Vec::with_capacity(40);
        // A number in base 36 and a mark that is no digit make every one the only one of its name.
        let mut rest = number;
        while rest > 0 {
            name.push(b"0123456789abcdefghijklmnopqrstuvwxyz"[rest % 36]);
            rest /= 36;
        }
        name.push(b'_');
        address(&mut dice, Crowd::Accounts, &mut name);
        String::from_utf8(name).expect("made of ASCII letters")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rightful_core::identifier::{Identifier, MatchKey};
    use std::collections::HashSet;

    #[test]
    fn accounts_have_names_of_their_own_that_are_addresses() {
        let names: HashSet<Vec<u8>> = account_addresses(20_000)
            .map(|name| Identifier::email(&name).expect("an address").match_keys()[0].clone())
            .collect();
        assert_eq!(names.len(), 20_000);
    }

    #[test]
    fn strangers_are_never_taken_for_account_holders() {
        let accounts: HashSet<Vec<u8>> = account_addresses(50_000)
            .filter_map(|name| MatchKey::of(name.as_bytes()).map(|key| key.as_bytes().to_vec()))
            .collect();
        let mut dice = Dice::new(3);
        for _ in 0..50_000 {
            let mut name = Vec::new();
            address(&mut dice, Crowd::Strangers, &mut name);
            let key = MatchKey::of(&name).expect("a key");
            assert!(!accounts.contains(key.as_bytes()));
        }
    }
}
