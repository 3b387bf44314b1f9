//! A site in service for a test: a database of its own, a clock that is set, chance from a seed, and the mail that it sends.

use std::collections::{BTreeSet, HashMap};
use std::ops::{Deref, Range};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use rightful_app::app::{App, Policy};
use rightful_app::env::{Clock, Env, Uptime};
use rightful_app::outbox::{Post, SentCount};
use rightful_app::sign_up::NO_ROLE;
use rightful_app::site::{KeySource, Site};
use rightful_app::visitor::{Browser, Locale, Visitor};
use rightful_core::identifier::Identifier;
use rightful_core::{AccountNo, PublicId, Timestamp};
use rightful_crypto::pool::{HashPool, PoolSize};
use rightful_crypto::seal::KeyFile;
use rightful_crypto::testing::SeededChance;
use rightful_notify::{Channel, Folder, Kept, Relay, Security, Sender, Smtp, Timeouts, Trust};
use rightful_store::account::{NewAccount, NewContact, NewName};
use rightful_store::{Address, Tx};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection};
use tempfile::TempDir;
use tokio::sync::Mutex;

use crate::databases::{Engine, TestDatabase};
use crate::smtp::Sink;

/// When the clock of a test begins: 2026-11-24 14:02 UTC.
pub const BEGINNING: Timestamp = Timestamp::from_micros(1_795_528_920_000_000);

/// Messages of the mailbox that are read at once; a test that sends more counts them in another way.
const MOST: usize = 10_000;

/// A site in service. Derefs to the [`App`] of its first node.
pub struct TestApp {
    node: Arc<App>,
    policy: Policy,
    key: KeyFile,
    now: Arc<AtomicI64>,
    up: Arc<AtomicU64>,
    seed: Arc<AtomicU64>,
    mailbox: Folder,
    /// Names of messages that were read already.
    read: Mutex<BTreeSet<String>>,
    /// Numbers of accounts that were taken and not used yet.
    numbers: Mutex<Range<i64>>,
    database: TestDatabase,
    // Kept for its drop.
    _folder: TempDir,
}

/// A message that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// To whom.
    pub to: String,
    /// Its kind, as a stable word (`reset-code`).
    pub kind: String,
    /// Its subject.
    pub subject: String,
    /// Its plain text.
    pub text: String,
    /// The code in it, if it brings one.
    pub code: Option<String>,
    /// Its number, for "check a message".
    pub number: String,
}

impl Deref for TestApp {
    type Target = App;

    fn deref(&self) -> &App {
        &self.node
    }
}

impl TestApp {
    /// A new site called "Example" that takes sign-ups, on a database of this engine.
    ///
    /// # Panics
    /// When it cannot be set up.
    pub async fn new(engine: Engine) -> Self {
        let policy = Policy {
            site_name: "Example".to_owned(),
            sign_up: true,
            attempts_per_range: 60,
            codes_per_hour: 5000,
        };
        Self::with_policy(engine, policy).await
    }

    /// A new site with this policy.
    ///
    /// # Panics
    /// When it cannot be set up.
    pub async fn with_policy(engine: Engine, policy: Policy) -> Self {
        let database = TestDatabase::new(engine).await;
        let folder = TempDir::new().expect("a folder for the test");
        let key = KeyFile::mint(&mut SeededChance::new(0));
        let (now, up, seed) = (
            Arc::new(AtomicI64::new(BEGINNING.micros())),
            Arc::new(AtomicU64::new(0)),
            Arc::new(AtomicU64::new(1)),
        );
        Self {
            node: Arc::new(node(&database, &key, &policy, (&now, &up), &seed).await),
            mailbox: Folder::new(folder.path().join("mailbox")),
            policy,
            key,
            now,
            up,
            seed,
            read: Mutex::default(),
            numbers: Mutex::new(0..0),
            database,
            _folder: folder,
        }
    }

    /// The first node, to be shared between tasks.
    pub fn node(&self) -> Arc<App> {
        Arc::clone(&self.node)
    }

    /// Another node on the same database, with the same clock.
    ///
    /// # Panics
    /// When it cannot be set up.
    pub async fn another_node(&self) -> Arc<App> {
        Arc::new(
            node(
                &self.database,
                &self.key,
                &self.policy,
                (&self.now, &self.up),
                &self.seed,
            )
            .await,
        )
    }

    /// Where its rows are.
    pub const fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// Sets the clock of all nodes.
    pub fn set_now(&self, now: Timestamp) {
        self.now.store(now.micros(), Ordering::Relaxed);
    }

    /// Moves the clock of all nodes on.
    pub fn pass(&self, seconds: i64) {
        self.now.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
        self.up.fetch_add(seconds.unsigned_abs() * 1000, Ordering::Relaxed);
    }

    /// Lets the second go by after which every node knows what another one committed. The clock stands still.
    pub fn let_nodes_see(&self) {
        self.up.fetch_add(1000, Ordering::Relaxed);
    }

    /// Sends what is due and returns what is new in the mailbox, the earliest first. Messages of one moment come in no order.
    ///
    /// # Panics
    /// When something cannot be sent.
    pub async fn mails(&self) -> Vec<Mail> {
        let post = post(Channel::Folder(self.mailbox.clone()));
        let sent = self.send_all(&post).await;
        assert_eq!((sent.failed, sent.later, sent.unknown), (0, 0, 0), "{sent:?}");
        let mut read = self.read.lock().await;
        let mut kept = self.mailbox.newest(MOST).expect("the mailbox");
        kept.retain(|kept| read.insert(kept.name.clone()));
        kept.reverse();
        let id = match self.database.address() {
            Address::Sqlite(_) => "lower(hex(notice_id))",
            Address::Postgres(_) => "replace(CAST(notice_id AS TEXT), '-', '')",
        };
        let rows = self.texts(&format!("SELECT {id} || ' ' || kind FROM notice")).await;
        let pair = |row: String| row.split_once(' ').map(|(id, kind)| (id.to_owned(), kind.to_owned()));
        let kinds = rows.into_iter().filter_map(pair).collect();
        kept.into_iter().map(|kept| mail(kept, &kinds)).collect()
    }

    /// The first column, a text, of all rows: a look past the product.
    ///
    /// # Panics
    /// When the database refuses.
    pub async fn texts(&self, query: &str) -> Vec<String> {
        let query = AssertSqlSafe(query.to_owned());
        let rows: Result<Vec<String>, sqlx::Error> = match self.database.address() {
            Address::Sqlite(path) => {
                let mut on = sqlite(path).connect().await.expect("the database");
                sqlx::query_scalar(query).fetch_all(&mut on).await
            }
            Address::Postgres(url) => {
                let mut on = PgConnection::connect(url).await.expect("the database");
                sqlx::query_scalar(query).fetch_all(&mut on).await
            }
        };
        rows.expect("the rows of a query of a test")
    }

    /// Runs a statement as somebody who has got hold of the database.
    ///
    /// # Panics
    /// When the database refuses.
    pub async fn tamper(&self, statement: &str) {
        let statement = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()));
        let done = match self.database.address() {
            Address::Sqlite(path) => {
                let mut on = sqlite(path).connect().await.expect("the database");
                on.execute(statement).await.map(drop)
            }
            Address::Postgres(url) => {
                let mut on = PgConnection::connect(url).await.expect("the database");
                on.execute(statement).await.map(drop)
            }
        };
        done.expect("a statement of a test");
    }

    /// Adds an account as an import does, without a password, that has these addresses; the first is its name.
    ///
    /// # Panics
    /// When one of them has an account.
    pub async fn add_owner(&self, addresses: &[&str]) -> AccountNo {
        let email = |address: &str| Identifier::email(address).expect("an e-mail address of a test");
        let names = addresses.iter().map(|address| NewName {
            kind: "email".to_owned(),
            key: email(address).sign_in_key().text().to_owned(),
            given: (*address).to_owned(),
        });
        let contacts = addresses.iter().map(|address| NewContact {
            kind: "email".to_owned(),
            address: (*address).to_owned(),
            verified_at: None,
        });
        let (no, now) = (self.account_no().await, self.now());
        let account = NewAccount {
            no,
            public_id: PublicId(uuid::Uuid::from_u128(no.get().unsigned_abs().into())),
            reference: None,
            role: NO_ROLE.to_owned(),
            groups: "[]".to_owned(),
            names: names.collect(),
            match_keys: Vec::new(),
            contacts: contacts.collect(),
            former: Vec::new(),
            password: None,
            import_no: None,
            created_at: now,
            added_at: now,
        };
        let add = async move |tx: &mut Tx| tx.insert_accounts(std::slice::from_ref(&account)).await;
        self.site.store.write(add).await.expect("a new account");
        no
    }

    async fn account_no(&self) -> AccountNo {
        let mut numbers = self.numbers.lock().await;
        if numbers.is_empty() {
            let take = self.site.store.write(async |tx| tx.take_account_block().await);
            *numbers = take.await.expect("a block of numbers");
        }
        AccountNo::new(numbers.next().expect("a block has numbers"))
    }

    /// Sends what is due until nothing is.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn send_all(&self, post: &Post) -> SentCount {
        let mut all = SentCount::default();
        loop {
            let round = self.node.send_due(post).await.expect("a round of sending");
            all = all.and(round);
            if round.all() == 0 || round.is_way_down {
                return all;
            }
        }
    }
}

async fn node(
    database: &TestDatabase,
    key: &KeyFile,
    policy: &Policy,
    (now, up): (&Arc<AtomicI64>, &Arc<AtomicU64>),
    seed: &Arc<AtomicU64>,
) -> App {
    let told = Arc::clone(now);
    let clock: Clock = Arc::new(move || Timestamp::from_micros(told.load(Ordering::Relaxed)));
    let up = Arc::clone(up);
    let uptime: Uptime = Arc::new(move || Duration::from_millis(up.load(Ordering::Relaxed)));
    let drawn = Arc::clone(seed);
    let chance = move || SeededChance::new(drawn.fetch_add(1, Ordering::Relaxed));
    let mut env = Env {
        clock: Arc::clone(&clock),
        chance: Box::new(chance()),
    };
    let key = KeyFile::parse(&key.text()).expect("the text of a key file is one");
    // What makes a site new is the key file, not who holds it: here it is written nowhere.
    let site = Site::open(database.address(), KeySource::File(key), "test", &mut env);
    let size = PoolSize {
        workers: 2,
        queue: 1024,
    };
    let pool = HashPool::start(size, {
        let clock = Arc::clone(&clock);
        move || clock()
    });
    let (site, pool) = (site.await.expect("a site"), pool.expect("threads"));
    let app = App::new(
        site,
        policy.clone(),
        pool,
        clock,
        uptime,
        Box::new(move || Box::new(chance())),
    );
    app.await.expect("a site in service")
}

/// A post office of `Example <accounts@example.org>` without a signature.
pub fn post(channel: Channel) -> Post {
    let sender = Sender {
        name: "Example".to_owned(),
        address: rightful_notify::Address::parse("accounts@example.org").expect("an address"),
    };
    Post::new(channel, sender, None, Some("bounces.example.org")).expect("a domain")
}

/// The way to a sink, over so many connections at once.
///
/// # Panics
/// When the sink speaks TLS: that is for the tests of the channel.
pub fn to_sink(sink: &Sink, connections: usize) -> Channel {
    let relay = Relay {
        host: "127.0.0.1".to_owned(),
        port: sink.port(),
        security: Security::PlainToLoopback,
        trust: Trust::default(),
        credentials: None,
        hello: "id.example.org".to_owned(),
        timeouts: Timeouts::default(),
        connections,
    };
    Channel::Smtp(Smtp::new(relay).expect("a relay"))
}

fn mail(kept: Kept, kinds: &HashMap<String, String>) -> Mail {
    let id = kept
        .name
        .trim_end_matches(".eml")
        .rsplit('-')
        .next()
        .unwrap_or_default();
    let (codes, rest): (Vec<&str>, Vec<&str>) = kept.text.lines().partition(|line| line.starts_with("    "));
    let is_end = |c: char| c.is_whitespace() || ",.;:".contains(c);
    let words = rest.iter().flat_map(|line| line.split(is_end));
    let number = words.into_iter().find(|word| is_number(word));
    Mail {
        kind: kinds.get(id).cloned().expect("the kind of a notice that was sent"),
        code: codes.first().map(|code| code.trim().to_owned()),
        number: number.expect("every message has its number").to_owned(),
        to: kept.to,
        subject: kept.subject,
        text: kept.text,
    }
}

/// As notices are numbered: `K7M4-QX2P`.
fn is_number(word: &str) -> bool {
    let is_group = |group: &str| {
        group.len() == 4
            && group
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    word.split_once('-')
        .is_some_and(|(one, other)| is_group(one) && is_group(other))
}

fn sqlite(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(Duration::from_secs(10))
}

/// A visitor with Firefox on Windows at an address of a test network, who reads English.
pub fn visitor() -> Visitor {
    Visitor {
        address: "192.0.2.7".to_owned(),
        range: "192.0.2.0/24".to_owned(),
        browser: Browser {
            name: Some("Firefox".to_owned()),
            system: Some("Windows".to_owned()),
        },
        place: None,
        locale: Locale::En,
        browser_token: None,
    }
}
