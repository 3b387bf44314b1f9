//! What one leaked secret says about one account.

use rightful_core::variation::variations;
use rightful_core::{Grade, PasswordVersion};
use rightful_crypto::password::{Arena, StoredHash, VerifyFault, candidate_forms, leaked_readings};
use rightful_crypto::seal::Tagger;

use crate::account::Passwords;

/// What came of testing a secret against an account's passwords.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How strong the evidence is.
    pub grade: Grade,
    /// The leak holds our very hash: our own table is out.
    pub ours: bool,
    /// The password that was current when this was found out; none where the account had none.
    pub version: Option<PasswordVersion>,
}

/// Tests one leaked secret against one account. The best grade of all readings counts:
///
/// * as a hash: the very hash that we store, stored inside a wrapping, or replaced makes `exact` and `ours`; any other is
///   `untested` until the owner types the password;
/// * as a password, in each form of [`candidate_forms`]: `exact`, then the first `most_variations` variations (`variant`),
///   then the account's former passwords (`former`).
///
/// # Errors
/// When a stored hash cannot be computed: no memory for it.
pub fn grade(
    passwords: &Passwords,
    number: i64,
    secret: &[u8],
    most_variations: usize,
    tagger: &Tagger,
    arena: &mut Arena,
) -> Result<Verdict, VerifyFault> {
    let leaked = leaked_readings(secret);
    for hash in &leaked.hashes {
        if is_ours(passwords, number, hash, tagger, arena)? {
            return Ok(Verdict {
                grade: Grade::Exact,
                ours: true,
                version: passwords.version,
            });
        }
    }
    let mut best = if leaked.hashes.is_empty() {
        Grade::Named
    } else {
        Grade::Untested
    };
    if !leaked.is_hash() || secret.trim_ascii().iter().all(u8::is_ascii_hexdigit) {
        best = best.better(grade_password(passwords, secret, most_variations, arena)?);
    }
    Ok(Verdict {
        grade: best,
        ours: false,
        version: passwords.version,
    })
}

fn is_ours(
    passwords: &Passwords,
    number: i64,
    leaked: &StoredHash,
    tagger: &Tagger,
    arena: &mut Arena,
) -> Result<bool, VerifyFault> {
    for stored in passwords.current.iter().chain(&passwords.former) {
        if stored.equal(leaked) || stored.matches_inner(leaked, arena)? {
            return Ok(true);
        }
    }
    if passwords.replaced.is_empty() {
        return Ok(false);
    }
    let digest = tagger.replaced_hash(number, leaked.text().as_bytes());
    Ok(passwords.replaced.contains(&digest))
}

fn grade_password(
    passwords: &Passwords,
    secret: &[u8],
    most_variations: usize,
    arena: &mut Arena,
) -> Result<Grade, VerifyFault> {
    let forms = candidate_forms(secret);
    if let Some(current) = &passwords.current {
        for form in forms.iter() {
            if current.verify(form, arena)? {
                return Ok(Grade::Exact);
            }
        }
        if most_variations > 0 {
            // Of the form a person would have typed: the last, without outer blanks and in one normal form where those differ.
            let typed = forms.iter().last().unwrap_or(secret);
            for variation in variations(typed, most_variations) {
                if current.verify(&variation, arena)? {
                    return Ok(Grade::Variant);
                }
            }
        }
    }
    for former in &passwords.former {
        for form in forms.iter() {
            if former.verify(form, arena)? {
                return Ok(Grade::Former);
            }
        }
    }
    Ok(Grade::Named)
}

/// About how many nanoseconds [`grade`] takes, to cut work into pieces of like size.
pub fn cost(passwords: &Passwords, most_variations: usize) -> u64 {
    let current = passwords
        .current
        .as_ref()
        .map_or(0, |hash| hash.cost().work * (1 + most_variations as u64));
    let former: u64 = passwords.former.iter().map(|hash| hash.cost().work).sum();
    1_000 + current + former
}
