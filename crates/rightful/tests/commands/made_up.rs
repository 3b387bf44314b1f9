//! A made-up site and a leak about it, always the same: what every test of this folder imports, scans and matches.

use std::fmt::Write as _;
use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use hmac::{Hmac, KeyInit, Mac};
use rightful_leaks::sample::{Dice, Format, write_record};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// How much there is of it.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) accounts: usize,
    /// How many accounts have a weak hash, which the import wraps. The others have PBKDF2 with one iteration: quick, yet of a
    /// kind that is left alone.
    pub(crate) weak: usize,
    /// Records of the leak that name an account.
    pub(crate) named: usize,
    /// Records that name nobody.
    pub(crate) strangers: usize,
}

/// The password of an owner.
pub(crate) fn password(owner: usize) -> String {
    format!("Pass-{owner}-Word")
}

pub(crate) fn email(owner: usize) -> String {
    format!("Owner.{owner}@Mail.example")
}

/// The id under which an owner is imported: every third a UUID.
pub(crate) fn id(owner: usize) -> String {
    if owner.is_multiple_of(3) {
        format!("00000000-0000-4000-8000-{owner:012x}")
    } else {
        format!("r{owner}")
    }
}

pub(crate) fn weak_hash(password: &str) -> String {
    format!("{{SHA}}{}", BASE64.encode(Sha1::digest(password)))
}

/// PBKDF2 with HMAC-SHA256 and one iteration, as passlib writes it.
pub(crate) fn quick_hash(password: &str, salt: &str) -> String {
    // One block and one iteration of RFC 8018 is one HMAC of the salt and the number of the block.
    let mut mac = Hmac::<Sha256>::new_from_slice(password.as_bytes()).expect("HMAC takes any key");
    mac.update(salt.as_bytes());
    mac.update(&1_u32.to_be_bytes());
    let digest = adapted(&mac.finalize().into_bytes());
    format!("$pbkdf2-sha256$1${}${digest}", adapted(salt.as_bytes()))
}

/// Base64 in passlib's spelling.
fn adapted(bytes: &[u8]) -> String {
    BASE64.encode(bytes).trim_end_matches('=').replace('+', ".")
}

impl Size {
    /// Whether an owner has a weak hash: they are spread over all.
    pub(crate) fn is_weak(self, owner: usize) -> bool {
        self.weak > 0 && owner.is_multiple_of(self.accounts / self.weak)
    }

    fn hash(self, owner: usize) -> String {
        if self.is_weak(owner) {
            weak_hash(&password(owner))
        } else {
            quick_hash(&password(owner), &format!("salt{owner}"))
        }
    }

    /// The file of accounts. A few rows are wrong, and a few name an account again with another password: one that stands
    /// just before, or one of long before.
    pub(crate) fn accounts(self) -> String {
        let mut file = String::from("account,email,username,password,former_passwords,created_at\n");
        let line = |file: &mut String, owner: usize, hash: &str, former: &str| {
            let (id, email) = (id(owner), email(owner));
            writeln!(file, "{id},{email},owner_{owner},{hash},{former},2020-01-02T03:04:05Z").expect("a text grows");
        };
        for owner in 0..self.accounts {
            let former = if owner.is_multiple_of(50) {
                format!("\"[\"\"{}\"\"]\"", quick_hash(&format!("Former-{owner}"), "salt"))
            } else {
                String::new()
            };
            match owner % 5000 {
                4321 => line(&mut file, owner, "$2y$99$broken", ""),
                4998 => line(&mut file, owner - 1, &quick_hash("another", "salt"), ""),
                2500 if owner > 9000 => line(&mut file, owner - 9000, &quick_hash("another", "salt"), ""),
                _ => line(&mut file, owner, &self.hash(owner), &former),
            }
        }
        file
    }

    /// One record of the leak: whose, and the secret.
    fn record(self, at: usize, dice: &mut Dice) -> (String, String) {
        let owner = dice.below(self.accounts);
        let secret = match at % 10 {
            0..3 => password(owner),
            3 => format!("{}1", password(owner)),
            4 => format!("Former-{owner}"),
            5 => format!("{:040x}", u128::from(dice.number()) << 64),
            _ => format!("other-{}", dice.below(1000)),
        };
        (email(owner), secret)
    }

    /// Writes the leak: a folder of two files, one of them packed, in mixed formats.
    pub(crate) fn write_leak(self, folder: &Path) {
        let mut dice = Dice::new(2012);
        let formats = [
            Format::Colon,
            Format::Semicolon,
            Format::Tab,
            Format::UrlFirst,
            Format::JsonLine,
            Format::StealC,
        ];
        let mut halves = [Vec::new(), Vec::new()];
        let all = self.named + self.strangers;
        for at in 0..all {
            let (name, secret) = if at * self.named / all < (at + 1) * self.named / all {
                self.record(at, &mut dice)
            } else {
                (
                    format!("user{}@elsewhere.example", dice.below(1 << 30)),
                    format!("secret{at}"),
                )
            };
            let format = dice.pick(&formats);
            let url = "https://shop.example/login";
            let record = write_record(format, name.as_bytes(), secret.as_bytes(), url, &mut dice);
            halves[usize::from(at >= all / 2)].extend_from_slice(&record);
        }
        std::fs::create_dir(folder).expect("a folder for the leak");
        std::fs::write(folder.join("a.txt"), &halves[0]).expect("a leak");
        let packed = zstd::encode_all(halves[1].as_slice(), 1).expect("it can be packed");
        std::fs::write(folder.join("b.txt.zst"), packed).expect("a leak");
    }
}
