//! What a test begins with: accounts from an import, leaks, holds; and the codes of an owner's authenticator app.

use std::io::Cursor;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use hmac::{Hmac, KeyInit, Mac};
use rightful_app::accounts_file::{Rejected, RowHints};
use rightful_app::app::App;
use rightful_app::import_accounts::{ImportRequest, RejectList, import_accounts};
use rightful_app::officer::{Officer, officer};
use rightful_app::scan_leak::{ScanRequest, scan_leak};
use rightful_app::second_factor::{Changed, EnrolOutcome};
use rightful_app::sign_in::{Attempt, SignInOutcome};
use rightful_app::wrap_passwords::wrap_passwords;
use rightful_core::audit::AuditSubject;
use rightful_core::leak::LeakNo;
use rightful_core::role::Power;
use rightful_core::{AccountNo, Kind, Timestamp};
use rightful_crypto::password::{Arena, Argon2Params, hash_new};
use rightful_crypto::pool::{HashPool, PoolSize};
use rightful_leaks::scan::Plan;
use rightful_leaks::unpack::{LeakSource, UnpackOptions};
use rightful_store::Tx;
use rightful_store::hold::NewHold;
pub use rightful_store::hold::{HoldAction, HoldSource};
use sha1::Sha1;
use tempfile::NamedTempFile;

use crate::app::{TestApp, visitor};

/// No row of a test's own file may be refused.
struct NoneRefused;

impl RejectList for NoneRefused {
    fn go_on_at(&mut self, _: u64) -> std::io::Result<bool> {
        Ok(true)
    }

    fn add(&mut self, rejected: &Rejected) -> std::io::Result<u64> {
        panic!(
            "line {} of the accounts of a test was refused: {}",
            rejected.line, rejected.reason
        )
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl TestApp {
    /// Imports accounts: CSV with its header, as `accounts import` takes it.
    ///
    /// # Panics
    /// When a row is refused.
    pub async fn import(&self, csv: &str) {
        static IMPORTS: AtomicU64 = AtomicU64::new(1);
        let mut identity = [0; 32];
        identity[..8].copy_from_slice(&IMPORTS.fetch_add(1, Ordering::Relaxed).to_le_bytes());
        let request = ImportRequest {
            source: Box::new(Cursor::new(csv.as_bytes().to_vec())),
            name: "accounts of a test",
            identity,
            hints: RowHints::default(),
        };
        let (mut env, stop) = (self.env(), AtomicBool::new(false));
        import_accounts(request, &self.site, &mut NoneRefused, &mut env, &stop, &mut |_| ())
            .await
            .expect("an import");
    }

    /// Scans a leak for all accounts, as `leak scan` does. For a runtime with several threads.
    ///
    /// # Panics
    /// When it cannot be read.
    pub async fn scan(&self, name: &str, lines: &str) -> LeakNo {
        let file = NamedTempFile::new().expect("a file for the leak");
        std::fs::write(file.path(), lines).expect("a leak");
        let pool = self.pool_of_its_own();
        let request = ScanRequest {
            name,
            received_from: "a test",
            leak_date: None,
            sources: &[LeakSource::Path(file.path().to_owned())],
            unpack: UnpackOptions::default(),
            plan: Plan {
                kind: None,
                variations: 0,
                readers: 1,
            },
        };
        let (mut env, stop) = (self.env(), AtomicBool::new(false));
        let report = scan_leak(request, &self.site, &mut env, &pool, &stop, &mut |_| ()).await;
        report.expect("a scan").leak
    }

    /// Wraps weak hashes of imports, as happens in the background after one.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn wrap(&self) {
        let (mut env, stop, pool) = (self.env(), AtomicBool::new(false), self.pool_of_its_own());
        let wrapped = wrap_passwords(&self.site, &mut env, &pool, &stop, &mut |_, _| ()).await;
        wrapped.expect("hashes that can be wrapped");
    }

    fn pool_of_its_own(&self) -> HashPool {
        let size = PoolSize { workers: 1, queue: 64 };
        let now = self.now();
        HashPool::start(size, move || now).expect("a thread")
    }

    /// Leaves an account without any address that it is written to.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn forget_contacts(&self, account: AccountNo) {
        let now = self.now();
        let forget = async move |tx: &mut Tx| {
            for contact in tx.contacts(account).await? {
                tx.replace_contact(account, contact.contact_no, now).await?;
            }
            Ok(())
        };
        self.site.store.write(forget).await.expect("a write");
    }

    /// Whose a name is.
    ///
    /// # Panics
    /// When it is nobody's.
    pub async fn account_of(&self, key: &str) -> AccountNo {
        let wanted = key.to_owned();
        let find = async move |tx: &mut Tx| tx.account_by_key(&wanted).await;
        let found = self.site.store.read(find).await.expect("a read");
        found.unwrap_or_else(|| panic!("{key} is nobody's"))
    }

    /// Places a hold, as a containment or an administrator does. Its number.
    ///
    /// # Panics
    /// When there is no such account.
    pub async fn hold(&self, account: AccountNo, source: HoldSource, action: HoldAction) -> i64 {
        let new = NewHold {
            account,
            action,
            source,
            // A containment answers a leak; an administrator may have any reason.
            kind: (source == HoldSource::Containment).then_some(Kind::Dump),
            leak: None,
            placed_by: "test".to_owned(),
            placed_at: self.now(),
        };
        let place = async move |tx: &mut Tx| tx.place_hold(&new).await;
        self.site.store.write(place).await.expect("a hold")
    }

    /// Lifts a hold, as an administrator does.
    ///
    /// # Panics
    /// When it does not lie there.
    pub async fn lift(&self, account: AccountNo, hold_no: i64) {
        let now = self.now();
        let lift = async move |tx: &mut Tx| tx.lift_hold(account, hold_no, "test", now).await;
        assert!(self.site.store.write(lift).await.expect("a write"), "no such hold");
    }

    /// How many holds and required changes lie on an account now.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn holds_on(&self, account: AccountNo) -> usize {
        let find = async move |tx: &mut Tx| tx.holds(account).await;
        let holds = self.site.store.read(find).await.expect("a read");
        holds.iter().filter(|hold| hold.lifted_at.is_none()).count()
    }

    /// Gives an account a role.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn give_role(&self, account: AccountNo, role: &'static str) {
        let give = async move |tx: &mut Tx| tx.set_role(account, role).await;
        self.site.store.write(give).await.expect("a write");
    }

    /// Signs somebody in with his password, who has no second factor. The token of the session.
    ///
    /// # Panics
    /// When that opens nothing.
    pub async fn sign_in_with(&self, name: &str, password: &str) -> String {
        let attempt = Attempt {
            identifier: name.to_owned(),
            password: password.to_owned().into(),
        };
        match self.sign_in(attempt, &visitor()).await.expect("an answer") {
            SignInOutcome::Open(opened) => opened.session.to_string(),
            other => panic!("{name} was to be signed in: {other:?}"),
        }
    }

    /// An account that acts for the site: with this role, an authenticator app, and a fresh session.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn officer(&self, name: &str, role: &'static str, power: Power) -> Officer {
        let session = self.officer_session(name, role).await;
        let owner = self.owner(&session).await.expect("an answer").expect("a session");
        officer(&owner, power, self.now()).expect("a role that may")
    }

    /// The same: the token of its session.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn officer_session(&self, name: &str, role: &'static str) -> String {
        let password = format!("the long password of {name}");
        let csv = format!("email,password\n{name},\"{}\"\n", cheap_hash(&password));
        self.import(&csv).await;
        let account = self.account_of(name).await;
        let token = self.sign_in_with(name, &password).await;
        let owner = self.owner(&token).await.expect("an answer").expect("a session");
        let Changed::Done(enrolment) = self.begin_app(&owner, name).await.expect("an answer") else {
            panic!("the proof is fresh")
        };
        let code = app_code(&enrolment.secret, self.now());
        let finished = self.finish_app(&owner, &enrolment.flow, &code, &visitor()).await;
        let EnrolOutcome::Enrolled { session, .. } = finished.expect("an answer") else {
            panic!("the code is right")
        };
        self.give_role(account, role).await;
        session.to_string()
    }

    /// Does what follows from orders about containments, until nothing does.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn run_all_containments(&self) {
        while self.run_containments(|| false).await.expect("the database") {}
    }

    /// Erases an account at once, without the wait.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn erase(&self, account: AccountNo) {
        let now = self.now();
        let plan = async move |tx: &mut Tx| tx.set_erase_at(account, Some(now)).await;
        self.site.store.write(plan).await.expect("a write");
        assert_eq!(self.erase_due(account.block()).await.expect("an erasure"), 1);
    }

    /// The kind of an account's current password hash, as a stable word, with its version.
    ///
    /// # Panics
    /// When it has none.
    pub async fn password_kind(&self, account: AccountNo) -> (String, i64) {
        let find = async move |tx: &mut Tx| tx.current_password(account).await;
        let found = self.site.store.read(find).await.expect("a read").expect("a password");
        let hash = self.site.open_hash(account, found.password_no, &found.sealed);
        (
            hash.expect("a hash that opens").kind().word().to_owned(),
            found.password_no,
        )
    }

    /// The grades of an account's exposures, as stable words.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn grades(&self, account: AccountNo) -> Vec<&'static str> {
        let reasons = rightful_app::accounts::why(&self.site, account).await.expect("a read");
        reasons.iter().map(|reason| reason.grade.word()).collect()
    }

    /// What was recorded about sign-ins of an account: `(why not, what was proved)`, the newest first. The first is empty where
    /// one opened.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn sign_ins(&self, account: AccountNo) -> Vec<(String, String)> {
        let find = async move |tx: &mut Tx| tx.sign_ins(account, Timestamp::from_micros(0), 10_000).await;
        let records = self.site.store.read(find).await.expect("a read");
        let told = records.into_iter().map(|record| (record.why, record.proofs.words()));
        told.collect()
    }

    /// What the audit log says of an account, the oldest first.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn audited(&self, account: AccountNo) -> Vec<String> {
        let find = async move |tx: &mut Tx| tx.audit_rows(AuditSubject::Account(account)).await;
        let rows = self.site.store.read(find).await.expect("a read");
        rows.into_iter().map(|row| row.event).collect()
    }
}

/// The sessions of an account that a request of theirs would be served with, against what the account is now: `true` for each
/// that carries the account's epoch, on an account that is open.
///
/// # Panics
/// When the database fails.
pub async fn sessions_in_epoch(app: &App, account: AccountNo) -> Vec<bool> {
    let now = app.now();
    let find = async move |tx: &mut Tx| Ok((tx.sessions(account, now).await?, tx.living(account).await?));
    let (sessions, living) = app.site.store.read(find).await.expect("a read");
    let living = living.expect("an account");
    let open = living.state.word() == "open";
    let in_epoch = sessions
        .iter()
        .map(|session| open && session.born.epoch == living.epoch);
    in_epoch.collect()
}

/// A hash of a password that is quickly computed, for tests of something else: Argon2id with 8 KiB and one pass.
///
/// # Panics
/// Never.
pub fn cheap_hash(password: &str) -> String {
    let params = Argon2Params::new(8, 1, 1).expect("within the caps");
    let hash = hash_new(password.as_bytes(), *b"salt for a test.", params, &mut Arena::default());
    hash.expect("a hash").text()
}

/// The code that an authenticator app with this secret (base32, blanks allowed) shows now (RFC 6238: SHA-1, six digits, 30
/// seconds). Written from the RFC, apart from the product's own.
///
/// # Panics
/// When the secret is no base32.
pub fn app_code(secret: &str, now: Timestamp) -> String {
    let mut key = Vec::new();
    let (mut held, mut bits) = (0_u32, 0);
    for symbol in secret.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        let value = match symbol {
            b'A'..=b'Z' => symbol - b'A',
            b'2'..=b'7' => symbol - b'2' + 26,
            _ => panic!("no base32"),
        };
        (held, bits) = (held << 5 | u32::from(value), bits + 5);
        if bits >= 8 {
            bits -= 8;
            key.push(u8::try_from(held >> bits & 0xff).expect("eight bits"));
        }
    }
    let mut mac = Hmac::<Sha1>::new_from_slice(&key).expect("HMAC takes keys of any length");
    mac.update(&now.micros().div_euclid(30_000_000).to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let at = usize::from(digest[19] & 0xf);
    let number = u32::from_be_bytes([digest[at] & 0x7f, digest[at + 1], digest[at + 2], digest[at + 3]]);
    format!("{:06}", number % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // Appendix B, the last six of eight digits, for the secret "12345678901234567890".
        let secret = "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ";
        for (second, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert_eq!(app_code(secret, Timestamp::from_micros(second * 1_000_000)), code);
        }
    }
}
