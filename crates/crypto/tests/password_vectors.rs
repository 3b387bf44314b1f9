//! Every stored format against hashes that other software made: `vectors/README.md` says which and how.

use rightful_crypto::password::{Arena, FirebaseParameters, HashKind, ParseHints, StoredHash};
use serde_json::Value;

/// One hash of other software and the password it was made of.
struct Vector {
    file: &'static str,
    format: String,
    kind: String,
    hash: String,
    password: Vec<u8>,
    firebase: Option<FirebaseParameters>,
}

impl Vector {
    fn name(&self) -> String {
        format!("{}: {} {}", self.file, self.format, self.hash)
    }

    fn parse(&self) -> StoredHash {
        let how = ParseHints {
            bare_hex: None,
            firebase: self.firebase.as_ref(),
        };
        StoredHash::parse(&self.hash, &how).unwrap_or_else(|refused| panic!("{}: {refused}", self.name()))
    }
}

macro_rules! files {
    ($($name:literal),*) => {
        [$(($name, include_str!(concat!("vectors/", $name, ".json")))),*]
    };
}

fn vectors() -> Vec<Vector> {
    let files = files![
        "apache",
        "argon2-cffi",
        "bcrypt",
        "django",
        "firebase",
        "libxcrypt",
        "openldap",
        "passlib",
        "php",
        "published",
        "werkzeug"
    ];
    files.iter().flat_map(|(file, text)| read(file, text)).collect()
}

fn read(file: &'static str, text: &str) -> Vec<Vector> {
    let body: Value = serde_json::from_str(text).expect(file);
    for key in ["software", "version", "how"] {
        assert!(
            body[key].as_str().is_some_and(|text| !text.is_empty()),
            "{file} has no {key}"
        );
    }
    let firebase = body["firebase_parameters"]
        .as_str()
        .map(|text| FirebaseParameters::parse(text).expect(file));
    let vectors = body["vectors"].as_array().expect(file);
    vectors
        .iter()
        .map(|vector| Vector {
            file,
            format: vector["format"].as_str().expect(file).to_owned(),
            kind: vector["kind"].as_str().expect(file).to_owned(),
            hash: vector["hash"].as_str().expect(file).to_owned(),
            password: match (&vector["password"], &vector["password_hex"]) {
                (Value::String(text), Value::Null) => text.clone().into_bytes(),
                (Value::Null, Value::String(digits)) => unhex(digits),
                _ => panic!("{file}: a vector has one of password and password_hex"),
            },
            firebase: firebase.clone().filter(|_| vector["firebase"] == true),
        })
        .collect()
}

fn unhex(digits: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex digits");
    (0..digits.len()).step_by(2).map(byte).collect()
}

/// Passwords that differ from this one in a way that every format sees: none is cut off before the difference.
fn wrong(password: &[u8]) -> Vec<Vec<u8>> {
    let mut other = password.to_vec();
    match other.iter_mut().find(|byte| byte.is_ascii_alphanumeric()) {
        Some(byte) => *byte ^= 1,
        None => other.insert(0, b'x'),
    }
    vec![other, b"another password".to_vec(), "p\u{e4}ssw\u{f6}rt".into()]
}

#[test]
fn every_vector_is_read_as_its_kind_and_verifies_its_password_alone() {
    let mut arena = Arena::new();
    for vector in vectors() {
        let (name, hash) = (vector.name(), vector.parse());
        assert_eq!(hash.kind().word(), vector.kind, "{name}");
        let mut verify = |password: &[u8]| hash.verify(password, &mut arena).expect(&name);
        assert!(verify(&vector.password), "{name}");
        for wrong in wrong(&vector.password) {
            assert!(!verify(&wrong), "{name} with {wrong:?}");
        }
    }
}

#[test]
fn every_vector_survives_its_canonical_text() {
    let mut arena = Arena::new();
    for vector in vectors() {
        let (name, hash) = (vector.name(), vector.parse());
        let text = hash.text();
        let again = StoredHash::parse(&text, &ParseHints::default()).unwrap_or_else(|r| panic!("{name}: {text}: {r}"));
        assert!(again.equal(&hash), "{name}: {text}");
        assert_eq!(again.text(), text, "{name}");
        assert_eq!(again.kind(), hash.kind(), "{name}");
        assert_eq!(again.cost(), hash.cost(), "{name}");
        assert!(
            again.verify(&vector.password, &mut arena).expect(&name),
            "{name}: {text}"
        );
    }
}

#[test]
fn every_kind_but_the_wrapped_has_vectors_with_ascii_and_other_passwords() {
    let vectors = vectors();
    for kind in HashKind::ALL.into_iter().filter(|&kind| kind != HashKind::Wrapped) {
        let of_kind = || vectors.iter().filter(|vector| vector.kind == kind.word());
        assert!(
            of_kind().any(|vector| vector.password.is_ascii()),
            "{} with ASCII",
            kind.word()
        );
        assert!(
            of_kind().any(|vector| !vector.password.is_ascii()),
            "{} with other text",
            kind.word()
        );
    }
}

#[test]
fn hashes_of_different_passwords_or_salts_are_not_equal() {
    let parsed: Vec<_> = vectors()
        .iter()
        .map(|vector| (vector.hash.clone(), vector.parse()))
        .collect();
    for (text, hash) in &parsed {
        let equal: Vec<_> = parsed
            .iter()
            .filter(|(_, other)| hash.equal(other))
            .map(|(text, _)| text)
            .collect();
        assert!(equal.contains(&text));
        let digests: std::collections::BTreeSet<_> = equal.iter().map(|text| &text[text.len() - 6..]).collect();
        // The same unsalted digest in hex and in base64, the same Firebase hash in both orders: nothing else coincides.
        assert!(
            digests.len() == 1 || hash.is_weak_fast() || hash.kind() == HashKind::FirebaseScrypt,
            "{equal:?}"
        );
    }
}

#[test]
fn every_weak_vector_can_be_wrapped_and_still_verifies() {
    use rightful_crypto::password::Argon2Params;
    let params = Argon2Params::new(64, 1, 1).expect("within the caps");
    let mut arena = Arena::new();
    let mut count = 0;
    for vector in vectors() {
        let (name, hash) = (vector.name(), vector.parse());
        let wrapped = hash.wrap([7; 16], params, &mut arena).expect(&name);
        assert_eq!(wrapped.is_some(), hash.is_weak_fast(), "{name}");
        let Some(wrapped) = wrapped else { continue };
        count += 1;
        let text = wrapped.text();
        let again = StoredHash::parse(&text, &ParseHints::default()).unwrap_or_else(|r| panic!("{name}: {text}: {r}"));
        assert!(again.equal(&wrapped), "{name}: {text}");
        assert_eq!(again.kind(), HashKind::Wrapped, "{name}");
        assert!(again.verify(&vector.password, &mut arena).expect(&name), "{name}");
        assert!(!again.verify(b"another password", &mut arena).expect(&name), "{name}");
        assert!(again.matches_inner(&hash, &mut arena).expect(&name), "{name}");
    }
    assert!(count > 50, "only {count} weak vectors");
}
