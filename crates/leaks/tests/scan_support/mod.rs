//! Sites and leaks whose truth is known, every way to pack a leak, and a ledger in memory.
//!
//! The truth is worked out from what was written, by the rules of the product in their simplest form: nothing here asks the
//! parser, the match keys or the grading.
#![expect(dead_code, reason = "each test binary uses a part of it")]

#[path = "../unpack_support/mod.rs"]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod unpack_support;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use md4::Md4;
use md5::{Digest, Md5};
use proptest::test_runner::{Config, RngSeed};
use rightful_core::identifier::{DefaultRegion, Identifier};
use rightful_core::{Grade, Kind, PasswordVersion, Timestamp};
use rightful_crypto::password::{Arena, Argon2Params, ParseHints, StoredHash};
use rightful_crypto::pool::{HashPool, PoolSize};
use rightful_crypto::seal::{Key, SecretTag, Tagger};
use rightful_leaks::account::{KnownName, NamedAccount, Passwords};
use rightful_leaks::grade::Verdict;
use rightful_leaks::index::{AccountIndex, IdentifierTable, ProbeKey, TableBuilder};
use rightful_leaks::sample::{Dice, Format, invent_identifier, invent_password, invent_url, write_record};
use rightful_leaks::scan::{
    Batch, Checkpoint, Decided, Exposure, Finished, Ledger, Place, Plan, Progress, Recalled, Scan, ScanFault,
    SourceRead,
};
use rightful_leaks::unpack::lines::Sizes;
use rightful_leaks::unpack::{LeakSource, UnpackOptions};
use sha1::Sha1;
use sha2::Sha256;
use tempfile::TempDir;
use unicode_normalization::UnicodeNormalization;

/// How many cases a property is tried on: few by themselves, more where `PROPTEST_CASES` asks for more, and the same ones
/// in every run.
pub(crate) fn cases(few: u32) -> Config {
    const LIBRARY_DEFAULT: u32 = 256;
    const MOST: u32 = 2000;
    let asked = Config::default();
    let seed = match asked.rng_seed {
        RngSeed::Random => RngSeed::Fixed(2012),
        given => given,
    };
    Config {
        cases: if asked.cases == LIBRARY_DEFAULT {
            few
        } else {
            asked.cases.min(MOST)
        },
        rng_seed: seed,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..asked
    }
}

// Hashes, as other programs would make them.

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn md5_hex(password: &[u8]) -> String {
    hex(&Md5::digest(password))
}

pub(crate) fn sha256_hex(password: &[u8]) -> String {
    hex(&Sha256::digest(password))
}

pub(crate) fn sha1_salted_hex(password: &[u8], salt: &str) -> String {
    hex(&Sha1::digest([password, salt.as_bytes()].concat()))
}

pub(crate) fn ntlm_hex(password: &str) -> String {
    let wide: Vec<u8> = password.encode_utf16().flat_map(u16::to_le_bytes).collect();
    hex(&Md4::digest(wide))
}

pub(crate) fn stored(text: &str) -> StoredHash {
    StoredHash::parse(text, &ParseHints::default()).expect("a hash of a known format")
}

/// The cheapest Argon2id that there is: what it wraps is what matters here.
pub(crate) fn wrapped(weak: &str) -> StoredHash {
    let cheap = Argon2Params::new(8, 1, 1).expect("within floor and cap");
    let wrapped = stored(weak).wrap([7; 16], cheap, &mut Arena::new());
    wrapped.expect("memory for 8 KiB").expect("a weak hash")
}

/// Ways to store a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storing {
    Md5,
    Sha1SaltLast,
    Ntlm,
    Sha256,
    WrappedMd5,
}

impl Storing {
    const ALL: [Self; 5] = [
        Self::Md5,
        Self::Sha1SaltLast,
        Self::Ntlm,
        Self::Sha256,
        Self::WrappedMd5,
    ];

    /// The stored hash of a password, and the text with which our own table would stand in a leak.
    fn store(self, password: &str, salt: &str) -> (StoredHash, String) {
        let md5 = md5_hex(password.as_bytes());
        match self {
            Self::Md5 => (stored(&format!("{{md5}}{md5}")), md5),
            Self::Sha1SaltLast => {
                let digits = sha1_salted_hex(password.as_bytes(), salt);
                (
                    stored(&format!("{{sha1:salt-last}}{salt}${digits}")),
                    format!("{digits}:{salt}"),
                )
            }
            Self::Ntlm => (stored(&format!("{{ntlm}}{}", ntlm_hex(password))), ntlm_hex(password)),
            Self::Sha256 => {
                let digits = sha256_hex(password.as_bytes());
                (stored(&format!("{{sha256}}{digits}")), digits)
            }
            Self::WrappedMd5 => (wrapped(&format!("{{md5}}{md5}")), md5),
        }
    }
}

// Sites.

/// What a secret says about one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Truth {
    pub(crate) grade: Grade,
    pub(crate) ours: bool,
}

/// One account.
pub(crate) struct Member {
    pub(crate) index: AccountIndex,
    pub(crate) number: i64,
    pub(crate) names: Vec<String>,
    pub(crate) passwords: Arc<Passwords>,
    /// What these secrets say about it; any other says nothing.
    pub(crate) truth: BTreeMap<Vec<u8>, Truth>,
    /// It is in the table, and was removed since.
    pub(crate) gone: bool,
}

impl Member {
    pub(crate) fn version(&self) -> Option<PasswordVersion> {
        self.passwords.version
    }

    fn knows(&mut self, secret: impl Into<Vec<u8>>, grade: Grade, ours: bool) {
        self.truth.insert(secret.into(), Truth { grade, ours });
    }
}

/// All accounts of a site.
pub(crate) struct Site {
    pub(crate) members: Vec<Member>,
    pub(crate) table: IdentifierTable,
    /// Secrets that are hashes, whoever they are written for.
    hashes: HashSet<Vec<u8>>,
}

/// How many variations of a secret are tried in these tests.
pub(crate) const VARIATIONS: usize = 20;

pub(crate) fn tagger() -> Tagger {
    Tagger::new(&Key::from_bytes([9; 32]))
}

fn germany() -> Option<DefaultRegion> {
    DefaultRegion::from_code("DE")
}

/// The names of an account as the matcher knows them.
pub(crate) fn known_name(given: &str) -> KnownName {
    let read = if given.contains('@') {
        Identifier::email(given)
    } else if given.starts_with('+') {
        Identifier::phone(given, germany())
    } else {
        Identifier::username(given)
    };
    KnownName::from(&read.expect("a name by our rules"))
}

/// Letters and digits that no other call gives.
fn token(dice: &mut Dice) -> String {
    const SIGNS: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let first = char::from(b'a' + dice.below(26) as u8);
    let rest: String = (0..9).map(|_| char::from(dice.pick(SIGNS))).collect();
    format!("{first}{rest}")
}

fn digits(dice: &mut Dice, bytes: usize) -> String {
    (0..bytes * 2)
        .map(|_| char::from(dice.pick(b"0123456789abcdef")))
        .collect()
}

impl Site {
    pub(crate) fn of(members: Vec<Member>) -> Self {
        let mut builder = TableBuilder::new(ProbeKey::from_bytes([3; 16]));
        for member in &members {
            for name in &member.names {
                for key in &known_name(name).match_keys {
                    builder.add(key, member.index);
                }
            }
        }
        Self {
            members,
            table: builder.build(),
            hashes: HashSet::new(),
        }
    }

    /// Accounts with one name each and no password.
    pub(crate) fn of_names(names: &[&str]) -> Self {
        let member = |(name, index): (&&str, u32)| Member {
            index,
            number: i64::from(index),
            names: vec![(*name).to_owned()],
            passwords: Arc::default(),
            truth: BTreeMap::new(),
            gone: false,
        };
        Self::of(names.iter().zip(0..).map(member).collect())
    }

    /// A site of about `size` accounts.
    pub(crate) fn invent(dice: &mut Dice, size: usize, hostile: bool) -> Self {
        let mut names = Vec::new();
        for group in 0..size {
            names.extend(invent_names(dice, group));
        }
        let mut hashes = HashSet::new();
        let members = names
            .into_iter()
            .zip(0..)
            .map(|(names, place): (Vec<String>, u32)| {
                // Neither is the place in the list, so that mixing them up shows.
                let (index, number) = (place * 3 + 1, 5000 + i64::from(place) * 7);
                invent_member(dice, index, number, names, hostile, &mut hashes)
            })
            .collect();
        Self {
            hashes,
            ..Self::of(members)
        }
    }

    pub(crate) fn member(&self, index: AccountIndex) -> &Member {
        self.members
            .iter()
            .find(|member| member.index == index)
            .expect("an account of the site")
    }

    fn named(&self, member: &Member) -> NamedAccount {
        NamedAccount {
            index: member.index,
            number: member.number,
            names: member.names.iter().map(|name| known_name(name)).collect(),
            passwords: Arc::clone(&member.passwords),
        }
    }

    /// What a secret says about an account.
    fn truth(&self, member: &Member, secret: &[u8]) -> Truth {
        let unknown = if self.hashes.contains(secret) {
            Grade::Untested
        } else {
            Grade::Named
        };
        let says_nothing = Truth {
            grade: unknown,
            ours: false,
        };
        member.truth.get(secret).copied().unwrap_or(says_nothing)
    }
}

/// The names of the accounts of one group: mostly one account, sometimes two that share a loose key.
fn invent_names(dice: &mut Dice, group: usize) -> Vec<Vec<String>> {
    let phone = format!("+49151{:08}", 23_000_000 + group);
    match dice.below(8) {
        0 => vec![vec![format!("Ann{group}@example.org")]],
        1 => vec![vec![format!("Vera.Lind{group}@gmail.com")]],
        2 => vec![
            vec![format!("kim{group}@post.example.net")],
            vec![format!("kim{group}+shop@post.example.net")],
        ],
        3 => vec![vec![phone]],
        4 => vec![vec![format!("Neo_{group}")]],
        5 => vec![vec![
            format!("olga{group}@example.com"),
            format!("olga.second{group}@example.org"),
            format!("Olga{group}"),
            phone,
        ]],
        6 => vec![vec![format!("zoë{group}@bücher.example")]],
        _ => vec![
            vec![format!("pat{group}+a@gmail.com"), format!("Pat{group}")],
            vec![format!("p.at{group}@gmail.com")],
            vec![format!("pat{group}+b@googlemail.com")],
        ],
    }
}

fn invent_member(
    dice: &mut Dice,
    index: AccountIndex,
    number: i64,
    names: Vec<String>,
    hostile: bool,
    hashes: &mut HashSet<Vec<u8>>,
) -> Member {
    let mut member = Member {
        index,
        number,
        names,
        passwords: Arc::default(),
        truth: BTreeMap::new(),
        gone: dice.below(12) == 0,
    };
    let mut passwords = Passwords::default();
    for _ in 0..dice.below(3) {
        let former = token(dice);
        let (hash, leaked) = dice.pick(&Storing::ALL).store(&former, &digits(dice, 4));
        member.knows(former, Grade::Former, false);
        member.knows(leaked.clone(), Grade::Exact, true);
        hashes.insert(leaked.into_bytes());
        passwords.former.push(hash);
    }
    if dice.below(8) > 0 {
        let current = invent_current(dice, &mut member, hostile);
        let (hash, leaked) = dice.pick(&Storing::ALL).store(&current, &digits(dice, 4));
        for leaked in [leaked.to_uppercase(), leaked] {
            // A salt of capitals is another salt.
            if leaked.contains(':') && leaked.contains(char::is_uppercase) {
                continue;
            }
            member.knows(leaked.clone(), Grade::Exact, true);
            hashes.insert(leaked.into_bytes());
        }
        if current.len() == 32 && current.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            // Anybody else's reader takes it for a hash.
            hashes.insert(current.into_bytes());
        }
        passwords.version = Some(PasswordVersion(1 + dice.below(5) as i64));
        passwords.current = Some(hash);
    }
    if dice.below(3) == 0 {
        let replaced = md5_hex(token(dice).as_bytes());
        let digest = tagger().replaced_hash(number, format!("{{md5}}{replaced}").as_bytes());
        passwords.replaced.push(digest);
        member.knows(replaced.clone(), Grade::Exact, true);
        hashes.insert(replaced.into_bytes());
    }
    for bytes in [16, 20, 32, 64] {
        let foreign = digits(dice, bytes);
        member.knows(foreign.clone(), Grade::Untested, false);
        hashes.insert(foreign.into_bytes());
    }
    let bcrypt = format!("$2y$10${}", "abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234");
    member.knows(bcrypt.clone(), Grade::Untested, false);
    hashes.insert(bcrypt.into_bytes());
    member.knows(token(dice), Grade::Named, false);
    member.passwords = Arc::new(passwords);
    member
}

/// A current password, and what leaked secrets near it say.
fn invent_current(dice: &mut Dice, member: &mut Member, hostile: bool) -> String {
    let base = token(dice);
    let case = if hostile { 7 } else { dice.below(7) };
    let (current, near) = match case {
        // The first letter turned; a number moved; a symbol dropped; the tenth of the endings: all among the first 20.
        0 => (
            format!("{}{}", base[..1].to_uppercase(), &base[1..]),
            Some(Grade::Variant),
        ),
        1 => (format!("{base}x18"), None),
        2 => (base.clone(), None),
        3 => (format!("{base}1!"), Some(Grade::Variant)),
        // Twice the same: far down the list.
        4 => (format!("{base}{base}"), Some(Grade::Named)),
        5 => (format!("{base}ä"), None),
        6 => (digits(dice, 16), None),
        _ => {
            let (before, after) = (invent_password(dice), invent_password(dice));
            match String::from_utf8([before, base.clone().into_bytes(), after].concat()) {
                Ok(text) if text.trim() == text => (text, None),
                _ => (base.clone(), None),
            }
        }
    };
    if let Some(near) = near {
        member.knows(base.clone(), near, false);
    }
    match case {
        1 => member.knows(format!("{base}x17"), Grade::Variant, false),
        2 => member.knows(format!("{base}!"), Grade::Variant, false),
        5 => {
            member.knows(current.nfd().collect::<String>(), Grade::Exact, false);
            member.knows([base.as_bytes(), b"\xe4"].concat(), Grade::Exact, false);
        }
        _ => {}
    }
    if case < 5 {
        member.knows(format!(" {current}  "), Grade::Exact, false);
    }
    member.knows(current.clone(), Grade::Exact, false);
    current
}

// Who is named, by the rules in their simplest form.

/// The loose form of a name.
fn loose(name: &str) -> String {
    let name = name.to_lowercase();
    if let Some((local, domain)) = name.rsplit_once('@') {
        let local = local.split('+').next().expect("a split has a first part");
        return match domain {
            "gmail.com" | "googlemail.com" => format!("{}@gmail.com", local.replace('.', "")),
            domain => format!("{local}@{}", domain.replace("bücher", "xn--bcher-kva")),
        };
    }
    if name
        .chars()
        .all(|sign| sign.is_ascii_digit() || "+ -()/".contains(sign))
    {
        let number: String = name.chars().filter(char::is_ascii_digit).collect();
        return match number.strip_prefix("00") {
            Some(rest) if !name.starts_with('+') => rest.to_owned(),
            _ => number,
        };
    }
    name
}

fn strict(name: &str) -> String {
    if name.contains('@') {
        return name.to_lowercase().replace("bücher", "xn--bcher-kva");
    }
    loose(name)
}

/// Which of the account's names a leaked name is, and whether it is that very name.
fn naming(member: &Member, leaked: &str) -> Option<(u8, bool)> {
    let mut resembles = None;
    for (name, at) in member.names.iter().zip(0..) {
        // Within Germany the number is dialled with a 0.
        let national = name.strip_prefix("+49").map(|rest| format!("0{rest}"));
        if strict(name) == strict(leaked) {
            return Some((at, true));
        }
        if loose(name) == loose(leaked) || national == Some(loose(leaked)) {
            resembles = resembles.or(Some((at, false)));
        }
    }
    resembles
}

/// A name as some leak may spell it.
fn spell(dice: &mut Dice, name: &str) -> String {
    if let Some(number) = name.strip_prefix("+49") {
        return match dice.below(4) {
            0 => name.to_owned(),
            1 => format!("0049{number}"),
            2 => format!("0{number}"),
            _ => format!("49{number}"),
        };
    }
    let Some((local, domain)) = name.split_once('@') else {
        return match dice.below(3) {
            0 => name.to_uppercase(),
            1 => name.to_lowercase(),
            _ => name.to_owned(),
        };
    };
    let gmail = matches!(domain, "gmail.com" | "googlemail.com");
    match dice.below(6) {
        0 => name.to_uppercase(),
        1 => format!("{local}+leak@{domain}"),
        2 if gmail => format!("{}@googlemail.com", local.replace('.', "")),
        3 => format!("{}@{domain}", local.split('+').next().expect("a first part")),
        4 => format!("{local}@{}", domain.replace("bücher", "xn--bcher-kva")),
        _ => name.to_owned(),
    }
}

// Leaks.

/// One record as it was written.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    /// Its first line within its section, from 0.
    line: u64,
    identifier: String,
    secret: Vec<u8>,
    stealer: bool,
    /// As messages show it.
    format: Option<Format>,
}

/// A piece of a leak that is read alike wherever it stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Section {
    text: Vec<u8>,
    records: Vec<Written>,
}

impl Section {
    pub(crate) fn lines(&self) -> u64 {
        self.text.iter().filter(|&&byte| byte == b'\n').count() as u64
    }

    fn line(&mut self, line: &str) {
        self.text.extend_from_slice(line.as_bytes());
        self.text.push(b'\n');
    }

    fn write(&mut self, format: Format, identifier: &str, secret: &[u8], dice: &mut Dice) {
        self.records.push(Written {
            line: self.lines(),
            identifier: identifier.to_owned(),
            secret: secret.to_vec(),
            stealer: format.is_stealer(),
            format: Some(format),
        });
        let url = invent_url(dice);
        self.text
            .extend(write_record(format, identifier.as_bytes(), secret, url, dice));
    }
}

/// A leak: sections, in their order.
#[derive(Clone, Debug)]
pub(crate) struct Leak {
    pub(crate) sections: Vec<Section>,
}

/// Formats in which a hash is written as a hash.
const OF_HASHES: [Format; 5] = [
    Format::Colon,
    Format::Semicolon,
    Format::Csv,
    Format::JsonLine,
    Format::MySqlInsert,
];

/// Formats that keep the blanks around a password.
const KEEPING_BLANKS: [Format; 5] = [
    Format::Colon,
    Format::QuotedCsv,
    Format::JsonLine,
    Format::NestedJson,
    Format::MySqlInsert,
];

impl Leak {
    /// About `count` records in sections of one format each. A hostile leak has strangers with hostile passwords between.
    pub(crate) fn invent(dice: &mut Dice, site: &Site, count: usize, hostile: bool) -> Self {
        let mut sections = Vec::new();
        let mut written = 0;
        while written < count {
            let format = dice.pick(&Format::ALL);
            let mut section = Section::default();
            for _ in 0..dice.below(3) {
                // A line of its own before a block of labelled lines keeps that apart from what came before.
                section.line(dice.pick(&["", "# a remark", "nothing to be read here"]));
            }
            section.line("");
            if let Some(header) = format.header() {
                section.line(header);
            }
            for _ in 0..1 + dice.below(12) {
                written += 1;
                let (identifier, secret) = invent_pair(dice, site, hostile);
                // Where a further column may as well belong to the password, only a proven one tells.
                let one_reading = hostile || !matches!(format, Format::NameBetween | Format::ForumRow);
                if one_reading && may_stand(format, site, &identifier, &secret) {
                    section.write(format, &identifier, &secret, dice);
                }
            }
            if let Some(footer) = format.footer() {
                section.line(footer);
            }
            sections.push(section);
        }
        Self { sections }
    }

    pub(crate) fn of(lines: &[u8], records: &[(u64, &str, &[u8], bool)]) -> Self {
        let records = records
            .iter()
            .map(|&(line, identifier, secret, stealer)| Written {
                line: line - 1,
                identifier: identifier.to_owned(),
                secret: secret.to_vec(),
                stealer,
                format: None,
            })
            .collect();
        let text = lines.to_vec();
        Self {
            sections: vec![Section { text, records }],
        }
    }

    pub(crate) fn lines(&self) -> u64 {
        self.sections.iter().map(Section::lines).sum()
    }
}

fn invent_pair(dice: &mut Dice, site: &Site, hostile: bool) -> (String, Vec<u8>) {
    if site.members.is_empty() || dice.below(3) == 0 {
        let identifier = String::from_utf8(invent_identifier(dice)).expect("names of strangers are UTF-8");
        let secret = if hostile {
            invent_password(dice)
        } else {
            token(dice).into_bytes()
        };
        return (identifier, secret);
    }
    let member = &site.members[dice.below(site.members.len())];
    let name = &member.names[dice.below(member.names.len())];
    // Mostly a secret of this account, sometimes another's.
    let other = &site.members[dice.below(site.members.len())];
    let known = if dice.below(8) == 0 {
        &other.truth
    } else {
        &member.truth
    };
    let secret = known
        .keys()
        .nth(dice.below(known.len()))
        .expect("it is below the length");
    (spell(dice, name), secret.clone())
}

/// Whether the format says exactly this, and nothing else besides.
fn may_stand(format: Format, site: &Site, identifier: &str, secret: &[u8]) -> bool {
    if !format.expresses(identifier.as_bytes(), secret) {
        return false;
    }
    let hash = site.hashes.contains(secret);
    let blanks = secret.trim_ascii() != secret;
    let separators = match format {
        Format::Comma => secret.contains(&b','),
        Format::Semicolon => secret.contains(&b';'),
        Format::Tab => secret.contains(&b'\t'),
        _ => false,
    };
    !separators && (!hash || OF_HASHES.contains(&format)) && (!blanks || KEEPING_BLANKS.contains(&format))
}

// Packing.

/// What a leak is packed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Plain,
    Gzip,
    Zstd,
    Xz,
    Bzip2,
    Folder,
    Tar,
    TarGz,
    Zip,
    SevenZip,
    ZipOfGzip,
}

impl Packing {
    pub(crate) const ALL: [Self; 11] = [
        Self::Plain,
        Self::Gzip,
        Self::Zstd,
        Self::Xz,
        Self::Bzip2,
        Self::Folder,
        Self::Tar,
        Self::TarGz,
        Self::Zip,
        Self::SevenZip,
        Self::ZipOfGzip,
    ];
}

/// A leak on disk.
pub(crate) struct Laid {
    pub(crate) folder: TempDir,
    pub(crate) sources: Vec<LeakSource>,
    /// Where each section begins: which text, and how many lines of it come before.
    starts: Vec<(u32, u64)>,
    /// Lines of each text.
    lines: Vec<u64>,
}

/// Lays a leak down as `texts` texts of about as many sections each.
pub(crate) fn lay(leak: &Leak, texts: usize, packing: Packing, crlf: bool) -> Laid {
    let per_text = leak.sections.len().div_ceil(texts.max(1)).max(1);
    let mut contents: Vec<Vec<u8>> = Vec::new();
    let (mut starts, mut lines) = (Vec::new(), Vec::new());
    for (text, sections) in leak.sections.chunks(per_text).enumerate() {
        let mut before = 0;
        for section in sections {
            starts.push((u32::try_from(text).expect("few texts"), before));
            before += section.lines();
        }
        lines.push(before);
        let text: Vec<u8> = sections
            .iter()
            .flat_map(|section| section.text.iter().copied())
            .collect();
        contents.push(if crlf { with_crlf(&text) } else { text });
    }
    if contents.is_empty() {
        // A leak without a line is one empty text: an archive with nothing in it would be something else.
        contents.push(Vec::new());
        lines.push(0);
    }
    let folder = tempfile::tempdir().expect("a folder for the test");
    let sources = pack(folder.path(), &contents, packing);
    Laid {
        folder,
        sources,
        starts,
        lines,
    }
}

fn with_crlf(text: &[u8]) -> Vec<u8> {
    text.iter()
        .flat_map(|&byte| if byte == b'\n' { vec![b'\r', b'\n'] } else { vec![byte] })
        .collect()
}

fn pack(folder: &Path, contents: &[Vec<u8>], packing: Packing) -> Vec<LeakSource> {
    use unpack_support::{bzip2, gzip, seven, tar, xz, zip, zstd};
    let names: Vec<String> = (0..contents.len()).map(|text| format!("part{text:03}.txt")).collect();
    let write = |name: &str, bytes: &[u8]| -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, bytes).expect("room for the leak");
        path
    };
    let each = |pack: fn(&[u8]) -> Vec<u8>| -> Vec<LeakSource> {
        let packed = names.iter().zip(contents);
        packed
            .map(|(name, text)| LeakSource::Path(write(name, &pack(text))))
            .collect()
    };
    let members: Vec<(&str, &[u8])> = names
        .iter()
        .zip(contents)
        .map(|(name, text)| (name.as_str(), text.as_slice()))
        .collect();
    let one = |bytes: Vec<u8>| vec![LeakSource::Path(write("leak", &bytes))];
    match packing {
        Packing::Plain => each(<[u8]>::to_vec),
        Packing::Gzip => each(gzip),
        Packing::Zstd => each(zstd),
        Packing::Xz => each(xz),
        Packing::Bzip2 => each(bzip2),
        Packing::Folder => {
            each(<[u8]>::to_vec);
            vec![LeakSource::Path(folder.to_owned())]
        }
        Packing::Tar => one(tar(&members)),
        Packing::TarGz => one(gzip(&tar(&members))),
        Packing::Zip => one(zip(&members)),
        Packing::SevenZip => one(seven(&members)),
        Packing::ZipOfGzip => {
            let packed: Vec<Vec<u8>> = contents.iter().map(|text| gzip(text)).collect();
            let members: Vec<(&str, &[u8])> = names
                .iter()
                .zip(&packed)
                .map(|(name, text)| (name.as_str(), text.as_slice()))
                .collect();
            one(zip(&members))
        }
    }
}

impl Laid {
    /// How many lines come before a checkpoint.
    pub(crate) fn lines_before(&self, checkpoint: &Checkpoint) -> u64 {
        let whole: u64 = self.lines.iter().take(checkpoint.text as usize).sum();
        whole + checkpoint.position.line - 1
    }
}

// What is to be found.

/// The exposures that a leak makes, in the order of accounts and tags, and how many lines name somebody.
pub(crate) fn expected(site: &Site, leak: &Leak, laid: &Laid) -> (Vec<Exposure>, u64) {
    struct Seen {
        /// Places and names of all lines, and whether each names strictly, and comes from a stealer.
        lines: Vec<(Place, u8, bool, bool)>,
        truth: Truth,
        version: Option<PasswordVersion>,
    }
    let tagger = tagger();
    let mut seen: BTreeMap<(AccountIndex, SecretTag), Seen> = BTreeMap::new();
    let mut lines = 0;
    for (section, &(text, before)) in leak.sections.iter().zip(&laid.starts) {
        for written in &section.records {
            let place = Place {
                text,
                line: before + written.line + 1,
            };
            let named: Vec<(&Member, (u8, bool))> = site
                .members
                .iter()
                .filter(|member| !member.gone)
                .filter_map(|member| naming(member, &written.identifier).map(|naming| (member, naming)))
                .collect();
            lines += u64::from(!named.is_empty());
            for (member, (name, strictly)) in named {
                let tag = tagger.pair(member.number, &written.secret);
                let entry = seen.entry((member.index, tag)).or_insert(Seen {
                    lines: Vec::new(),
                    truth: site.truth(member, &written.secret),
                    version: member.version(),
                });
                entry.lines.push((place, name, strictly, written.stealer));
            }
        }
    }
    let exposures = seen
        .into_iter()
        .filter_map(|((account, tag), mut seen)| {
            let loose = seen.lines.iter().all(|(.., strictly, _)| !strictly);
            if seen.truth.grade == Grade::Named {
                // It is not theirs, so where another may be meant it says nothing.
                seen.lines.retain(|(.., strictly, _)| *strictly);
            }
            let (place, name) = seen.lines.iter().map(|(place, name, ..)| (*place, *name)).min()?;
            let stealer = seen.lines.iter().any(|(.., stealer)| *stealer);
            let kind = match (seen.truth.ours, stealer) {
                (true, _) => Kind::Ours,
                (false, true) => Kind::Stealer,
                (false, false) => Kind::Dump,
            };
            Some(Exposure {
                account,
                tag,
                grade: seen.truth.grade,
                version: seen.version,
                kind,
                place,
                name,
                loose,
            })
        })
        .collect();
    (exposures, lines)
}

pub(crate) fn sorted(mut exposures: Vec<Exposure>) -> Vec<Exposure> {
    exposures.sort_by_key(|found| (found.account, found.tag));
    exposures
}

/// An exposure in words, with the line at which it stands and what was written there.
fn in_words(site: &Site, leak: &Leak, laid: &Laid, found: &Exposure) -> String {
    let member = site.member(found.account);
    let (section, &(_, before)) = leak
        .sections
        .iter()
        .zip(&laid.starts)
        .rfind(|(_, (text, before))| *text == found.place.text && *before < found.place.line)
        .expect("a line of the leak");
    let at = found.place.line - 1 - before;
    let line = section
        .text
        .split(|&byte| byte == b'\n')
        .nth(usize::try_from(at).expect("a short leak"))
        .unwrap_or_default();
    let written = section.records.iter().find(|written| written.line == at);
    let format = written.and_then(|written| written.format);
    let secret = written.map(|written| String::from_utf8_lossy(&written.secret));
    let line = String::from_utf8_lossy(line);
    format!("{:?} {found:?}\n  {secret:?} as {format:?} in {line:?}\n", member.names)
}

/// The difference between what was found and what is true, in words; empty where there is none.
pub(crate) fn difference(site: &Site, leak: &Leak, laid: &Laid, found: &[Exposure], truth: &[Exposure]) -> String {
    let words = |list: &[Exposure], other: &[Exposure], what: &str| -> String {
        list.iter()
            .filter(|one| !other.contains(one))
            .take(6)
            .map(|one| format!("{what} {}", in_words(site, leak, laid, one)))
            .collect()
    };
    words(found, truth, "found") + &words(truth, found, "true ")
}

// The ledger.

/// What a ledger in memory may be told to do wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fails {
    Never,
    /// At the commit with this number, from 1.
    Commit(usize),
    Accounts,
    Known,
    SourceRead,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failed;

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the ledger failed, as it was told to")
    }
}

impl std::error::Error for Failed {}

/// Looks at a checkpoint.
pub(crate) type Watch<'s> = Box<dyn Fn(&Checkpoint) + 's>;

/// Keeps in memory what a database would, through the text that it would write.
pub(crate) struct MemoryLedger<'s> {
    site: &'s Site,
    pub(crate) known: HashMap<(AccountIndex, SecretTag), Verdict>,
    pub(crate) fails: Fails,
    pub(crate) commits: usize,
    pub(crate) verdicts: BTreeMap<(AccountIndex, SecretTag), (Verdict, bool)>,
    pub(crate) exposures: BTreeMap<(AccountIndex, SecretTag), Exposure>,
    pub(crate) checkpoint: String,
    pub(crate) sources: Vec<SourceRead>,
    /// Every account's passwords from the second time on that accounts are asked for.
    pub(crate) later: Option<Arc<Passwords>>,
    asked: usize,
    /// Looks at every checkpoint.
    pub(crate) watch: Option<Watch<'s>>,
}

impl<'s> MemoryLedger<'s> {
    pub(crate) fn new(site: &'s Site) -> Self {
        Self {
            site,
            known: HashMap::new(),
            fails: Fails::Never,
            commits: 0,
            verdicts: BTreeMap::new(),
            exposures: BTreeMap::new(),
            checkpoint: serde_json::to_string(&Checkpoint::default()).expect("a checkpoint is JSON"),
            sources: Vec::new(),
            later: None,
            asked: 0,
            watch: None,
        }
    }

    /// What an interrupted run is gone on with.
    pub(crate) fn recalled(&self) -> Recalled {
        Recalled {
            verdicts: self
                .verdicts
                .iter()
                .map(|(&(account, tag), (verdict, _))| (account, tag, verdict.clone()))
                .collect(),
            exposures: self.exposures.values().cloned().collect(),
            checkpoint: self.checkpoint(),
        }
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        serde_json::from_str(&self.checkpoint).expect("what was written can be read")
    }

    fn keep_verdict(&mut self, decided: &Decided) {
        let member = self.site.member(decided.account);
        if self.later.is_none() {
            assert_eq!(decided.verdict.version, member.version());
        }
        assert_eq!(
            decided.leaked_hash.is_some(),
            decided.verdict.grade == Grade::Untested,
            "the hash is kept where it waits for a sign-in, and nowhere else"
        );
        if let Some(hash) = &decided.leaked_hash {
            assert_eq!(tagger().pair(member.number, hash), decided.tag);
        }
        let pair = (decided.account, decided.tag);
        assert!(!self.known.contains_key(&pair), "a pair that was known is not tested");
        let verdict = (decided.verdict.clone(), decided.leaked_hash.is_some());
        assert!(self.verdicts.insert(pair, verdict).is_none(), "no pair is tested twice");
    }
}

impl Ledger for MemoryLedger<'_> {
    type Error = Failed;

    fn accounts(&mut self, wanted: &[AccountIndex]) -> Result<Vec<NamedAccount>, Failed> {
        assert!(wanted.is_sorted_by(|a, b| a < b), "ascending, each once: {wanted:?}");
        if self.fails == Fails::Accounts {
            return Err(Failed);
        }
        self.asked += 1;
        let there = self.site.members.iter().filter(|member| !member.gone);
        let mut accounts: Vec<NamedAccount> = there
            .filter(|member| wanted.contains(&member.index))
            .map(|member| self.site.named(member))
            .collect();
        if let (2.., Some(later)) = (self.asked, &self.later) {
            for account in &mut accounts {
                account.passwords = Arc::clone(later);
            }
        }
        Ok(accounts)
    }

    fn known(&mut self, pairs: &[(AccountIndex, SecretTag)]) -> Result<Vec<Option<Verdict>>, Failed> {
        if self.fails == Fails::Known {
            return Err(Failed);
        }
        Ok(pairs.iter().map(|pair| self.known.get(pair).cloned()).collect())
    }

    fn commit(&mut self, batch: &Batch<'_>) -> Result<(), Failed> {
        self.commits += 1;
        if self.fails == Fails::Commit(self.commits) {
            return Err(Failed);
        }
        for decided in batch.decided {
            self.keep_verdict(decided);
        }
        for found in batch.exposures {
            assert!(
                !batch.texts[found.place.text as usize].is_empty(),
                "its text has a name"
            );
            self.exposures.insert((found.account, found.tag), found.clone());
        }
        if let Some(watch) = &self.watch {
            watch(batch.checkpoint);
        }
        self.checkpoint = serde_json::to_string(batch.checkpoint).expect("a checkpoint is JSON");
        Ok(())
    }

    fn source_read(&mut self, source: &SourceRead) -> Result<(), Failed> {
        if self.fails == Fails::SourceRead {
            return Err(Failed);
        }
        self.sources.push(source.clone());
        Ok(())
    }
}

// Running.

/// How a leak is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    pub(crate) readers: usize,
    pub(crate) workers: usize,
    pub(crate) queue: usize,
    pub(crate) sizes: Sizes,
    pub(crate) variations: usize,
    pub(crate) kind: Option<Kind>,
    /// How far the clock goes on whenever it is looked at, in microseconds.
    pub(crate) tick: i64,
}

impl Way {
    /// One thread for everything, one block.
    pub(crate) const PLAIN: Self = Self {
        readers: 1,
        workers: 1,
        queue: 64,
        sizes: Sizes {
            block: 1 << 20,
            max_line: 1 << 16,
            decide: 1 << 20,
        },
        variations: VARIATIONS,
        kind: None,
        tick: 0,
    };

    /// Threads, blocks and commits as the dice have it. The lines of these tests are shorter than 700 bytes.
    pub(crate) fn invent(dice: &mut Dice) -> Self {
        Self {
            readers: dice.pick(&[1, 2, 8]),
            workers: dice.pick(&[1, 2, 3]),
            queue: dice.pick(&[1, 2, 64]),
            sizes: Sizes {
                block: dice.pick(&[702, 703, 800, 1024, 4096]),
                max_line: 700,
                decide: 1 << 20,
            },
            tick: dice.pick(&[0, 300_000, 2_000_000]),
            ..Self::PLAIN
        }
    }
}

/// What a run needs besides the site and the leak.
pub(crate) struct Running<'r> {
    pub(crate) way: Way,
    pub(crate) recalled: Recalled,
    pub(crate) stop: &'r AtomicBool,
}

pub(crate) fn run_with(
    site: &Site,
    sources: &[LeakSource],
    running: Running<'_>,
    ledger: &mut MemoryLedger<'_>,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Finished, ScanFault<Failed>> {
    let way = running.way;
    let size = PoolSize {
        workers: way.workers,
        queue: way.queue,
    };
    let pool = HashPool::start(size, || Timestamp::from_micros(0)).expect("threads");
    let time = AtomicI64::new(1_800_000_000_000_000);
    let clock = || Timestamp::from_micros(time.fetch_add(way.tick, Ordering::Relaxed));
    let scan = Scan {
        sources,
        unpack: &UnpackOptions::default(),
        sizes: way.sizes,
        table: &site.table,
        tagger: &tagger(),
        pool: &pool,
        plan: Plan {
            kind: way.kind,
            variations: way.variations,
            readers: way.readers,
        },
        recalled: running.recalled,
        stop: running.stop,
        clock: &clock,
    };
    scan.run(ledger, progress)
}

/// Runs to the end.
pub(crate) fn run(site: &Site, sources: &[LeakSource], way: Way, ledger: &mut MemoryLedger<'_>) -> Finished {
    let stop = AtomicBool::new(false);
    let running = Running {
        way,
        recalled: Recalled::default(),
        stop: &stop,
    };
    let finished = run_with(site, sources, running, ledger, &mut |_| ()).expect("nothing fails");
    assert!(!finished.stopped && finished.progress.reading_done);
    finished
}
