//! N02: what a thief of the database and its backups has without the key file.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use md5::Md5;
use rightful_testkit::process::Ended;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use crate::made_up::{quick_hash, weak_hash};
use crate::site::{Engine, Site, on_both_engines, read_bytes};

on_both_engines!(
    n02_a_stolen_database_tells_no_secret,
    n02_another_key_or_none_is_refused,
    n02_a_backup_restores_on_either_engine,
);

const OWNERS: usize = 8;

/// The password of an owner at this site, as only the owner and the leak know it.
fn password(owner: usize) -> String {
    format!("canary-{owner}-zebra-Quilt")
}

/// A password of somebody else that the leak has under an owner's name.
fn anothers(owner: usize) -> String {
    format!("canary-{owner}-other-Person")
}

fn untested(owner: usize) -> String {
    format!("{owner:02}c0ffee00c0ffee11c0ffee22c0ffee33c0ffee44")[..40].to_owned()
}

fn hash(owner: usize) -> String {
    if owner.is_multiple_of(2) {
        weak_hash(&password(owner))
    } else {
        quick_hash(&password(owner), "canary-salt")
    }
}

/// A site that has imported and scanned: passwords, earlier ones, leaked secrets and leaked hashes of every owner.
fn scanned(engine: Engine) -> Site {
    let site = Site::new(engine);
    let former = |owner: usize| quick_hash(&format!("canary-{owner}-former"), "canary-salt");
    let row = |owner: usize| {
        format!(
            "{owner},owner{owner}@example.org,{},\"[\"\"{}\"\"]\"\n",
            hash(owner),
            former(owner)
        )
    };
    let rows: String = (0..OWNERS).map(row).collect();
    site.write(
        "accounts.csv",
        format!("account,email,password,former_passwords\n{rows}"),
    );
    let lines = |owner: usize| {
        let (name, hash) = (format!("owner{owner}@example.org"), untested(owner));
        let [own, other] = [password(owner), anothers(owner)];
        format!("{name}:{own}\n{name}:{other}\n{name}:{hash}\n{name}:canary-{owner}-former\n")
    };
    site.write("canary-leak-name.txt", (0..OWNERS).map(lines).collect::<String>());
    site.says(&["accounts", "import", "accounts.csv"]);
    let found = site.json(&["leak", "scan", "canary-leak-name.txt", "--name", "leak"]);
    for (grade, exposures) in [
        ("exact", OWNERS),
        ("former", OWNERS),
        ("untested", OWNERS),
        ("named", OWNERS),
    ] {
        assert_eq!(found["exposures"][grade], exposures, "{found}");
    }
    site
}

/// Every text that must not be found, as somebody may look for it: hashes and secrets as they are, the digests by which a guess
/// could be tested, and where in the leak things stand.
fn needles() -> Vec<Vec<u8>> {
    let mut needles: Vec<Vec<u8>> = vec![b"canary-salt".to_vec()];
    for owner in 0..OWNERS {
        needles.push(hash(owner).into_bytes());
        needles.push(quick_hash(&format!("canary-{owner}-former"), "canary-salt").into_bytes());
        for secret in [
            password(owner),
            anothers(owner),
            untested(owner),
            format!("canary-{owner}-former"),
        ] {
            needles.push(Md5::digest(&secret).to_vec());
            needles.push(Sha1::digest(&secret).to_vec());
            needles.push(Sha256::digest(&secret).to_vec());
            needles.push(Sha512::digest(&secret).to_vec());
            needles.push(secret.into_bytes());
        }
        // The digest alone, without the word in front of it.
        let text = hash(owner);
        let digest = text.rsplit(['$', '}']).next().expect("a last part");
        needles.push(digest.as_bytes().to_vec());
    }
    needles
}

/// A needle as it is, in hex of either case, and in base64.
fn spellings(needle: &[u8]) -> [Vec<u8>; 5] {
    let hex: String = needle.iter().map(|byte| format!("{byte:02x}")).collect();
    [
        needle.to_vec(),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
        STANDARD_NO_PAD.encode(needle).into_bytes(),
        URL_SAFE_NO_PAD.encode(needle).into_bytes(),
    ]
}

fn contains(hay: &[u8], needle: &[u8]) -> bool {
    let first = needle[0];
    let mut rest = hay;
    while let Some(at) = rest.iter().position(|byte| *byte == first) {
        if rest[at..].starts_with(needle) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}

fn assert_tells_nothing(what: &str, stolen: &[u8], key: &[u8]) {
    assert!(stolen.len() > 10_000, "{what} is not empty");
    // That this finds anything at all: the names are no secret.
    assert!(contains(stolen, b"owner3@example.org"), "{what} holds the accounts");
    for needle in needles() {
        for spelling in spellings(&needle) {
            assert!(
                !contains(stolen, &spelling),
                "{what} holds {:?} of {:?}",
                String::from_utf8_lossy(&spelling),
                String::from_utf8_lossy(&needle)
            );
        }
    }
    for spelling in spellings(key) {
        assert!(!contains(stolen, &spelling), "{what} holds the key");
    }
}

/// The key in the key file: its longest word.
fn key_of(site: &Site) -> Vec<u8> {
    let text = String::from_utf8(read_bytes(&site.path("site.key"))).expect("a text");
    let word = text
        .split(|c: char| !c.is_ascii_alphanumeric() && !"+/=_-".contains(c))
        .max_by_key(|word| word.len());
    let word = word.expect("a word");
    assert!(word.len() >= 32, "{} is too short for a key", word.len());
    word.as_bytes().to_vec()
}

fn n02_a_stolen_database_tells_no_secret(engine: Engine) {
    let site = scanned(engine);
    let key = key_of(&site);
    let mut stolen = site.door().everything();
    assert_tells_nothing("the database", &stolen, &key);
    if engine == Engine::Sqlite {
        stolen.clear();
        for file in std::fs::read_dir(&site.data).expect("the data folder").flatten() {
            stolen.extend(read_bytes(&file.path()));
        }
        assert_tells_nothing("the data folder", &stolen, &key);
    }
    site.says(&["backup", "site.backup"]);
    let packed = read_bytes(&site.path("site.backup"));
    let backup = zstd::decode_all(packed.as_slice()).expect("a backup is packed");
    assert_tells_nothing("the backup", &backup, &key);
    // Decoded too, where a value was written in base64: the wrapped keys are, and they must not be the key itself.
    let raw = STANDARD.decode(&key).unwrap_or(key);
    assert!(!contains(&backup, &raw), "the backup holds the key");
}

fn refused(ended: &Ended, words: &str) {
    assert_eq!(ended.status, Some(2), "{ended:?}");
    assert!(ended.stderr.contains(words) && ended.stdout.is_empty(), "{ended:?}");
}

fn n02_another_key_or_none_is_refused(engine: Engine) {
    let (site, other) = (scanned(engine), Site::new(Engine::Sqlite));
    other.says(&["accounts", "list"]);
    let others_key = other.path("site.key").to_string_lossy().into_owned();
    for command in [
        &["accounts", "list"][..],
        &["leak", "export", "leak"],
        &["accounts", "import", "accounts.csv"],
        &["audit", "verify"],
        &["backup", "stolen.backup"],
    ] {
        refused(
            &site.run(&[command, &["--key", &others_key]].concat()),
            "does not open this database",
        );
        let missing = site.run(&[command, &["--key", "gone.key"]].concat());
        refused(&missing, "key file");
        assert!(
            !site.path("gone.key").exists(),
            "a database that is sealed gets no new key"
        );
    }
    assert!(!site.path("stolen.backup").exists());
    assert!(!site.path("stolen.backup.part").exists());
    site.says(&["backup", "site.backup"]);
    let backup = site.path("site.backup").to_string_lossy().into_owned();
    let empty = Site::new(engine);
    refused(&empty.run(&["restore", &backup]), "no key file");
    assert!(!empty.path("site.key").exists());
    let ended = empty.run(&["restore", &backup, "--key", &others_key]);
    assert_ne!(ended.status, Some(0));
    assert!(ended.stderr.contains("does not open this backup"), "{ended:?}");
}

fn n02_a_backup_restores_on_either_engine(engine: Engine) {
    let site = scanned(engine);
    let exports = |site: &Site, key: &str| {
        let says = |command: &[&str]| site.says(&[command, &["--key", key]].concat());
        [
            says(&["accounts", "export"]),
            says(&["leak", "export", "leak"]),
            says(&["leak", "show", "leak", "--json"]),
        ]
    };
    let wanted = exports(&site, "site.key");
    site.says(&["backup", "site.backup"]);
    let path = |name: &str| site.path(name).to_string_lossy().into_owned();
    let (backup, key) = (path("site.backup"), path("site.key"));
    for other in [Engine::Sqlite, Engine::Postgres] {
        let restored = Site::new(other);
        restored.says(&["restore", &backup, "--key", &key]);
        assert_eq!(exports(&restored, &key), wanted);
        let verdict = restored.json(&["audit", "verify", "--key", &key]);
        assert_eq!(verdict["holds"], true, "{verdict}");
        let twice = restored.run(&["restore", &backup, "--key", &key]);
        assert_ne!(twice.status, Some(0), "never into a database that holds something");
        assert_eq!(exports(&restored, &key), wanted);
        // What was tested is known there too.
        let leak = path("canary-leak-name.txt");
        let again = restored.json(&["leak", "scan", &leak, "--name", "again", "--key", &key]);
        assert_eq!(again["tests"], 0, "{again}");
        assert_eq!(again["exposures"]["exact"], OWNERS, "{again}");
    }
}
