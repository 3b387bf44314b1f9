//! A site in service: what every use case of the server works with.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rand_core::CryptoRng;
use rightful_core::{AccountNo, Timestamp};
use rightful_crypto::password::{Arena, StoredHash};
use rightful_crypto::pool::{HashPool, Priority, Turn};
use rightful_leaks::known::KnownLeaked;
use rightful_store::StoreError;

use crate::budgets::Exhausted;
use crate::env::{Clock, Env, Uptime};
use crate::session_view::SessionView;
use crate::site::Site;

/// How long somebody waits at a page for a password hash before "too busy, try again" is the better answer. Seconds.
const HASH_WAIT: i64 = 10;

/// What the operator decides about a site in service.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The name of the site, as pages and messages say it.
    pub site_name: String,
    /// Whether strangers may make accounts.
    pub sign_up: bool,
    /// Attempts of any account from one range of addresses at once; one more comes back each second. 60 where nobody says.
    pub attempts_per_range: u32,
    /// Codes by mail in an hour, to everybody together, that are asked for from browsers that are not recognised. At least 2;
    /// 5,000 where nobody says.
    pub codes_per_hour: u32,
}

/// Makes a source of chance for one use case.
pub type Chance = Box<dyn Fn() -> Box<dyn CryptoRng + Send> + Send + Sync>;

/// A site in service. Shared by all requests.
pub struct App {
    /// Rows and keys.
    pub site: Site,
    /// What the operator decided.
    pub policy: Policy,
    pub(crate) pool: HashPool,
    pub(crate) known_leaked: &'static KnownLeaked,
    pub(crate) decoys: RwLock<Vec<StoredHash>>,
    pub(crate) exhausted: Exhausted,
    pub(crate) sessions: Arc<SessionView>,
    numbers: Mutex<Range<i64>>,
    clock: Clock,
    chance: Chance,
}

/// Why a use case came to no decision. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// More hashes are asked for than can be computed in time: try again in a moment.
    #[error("too busy: no password hash could be computed in time")]
    Busy,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored value does not open, or is not one that Rightful writes.
    #[error("{0} cannot be read")]
    Broken(&'static str),
}

impl Fault {
    /// Whether trying again in a moment may help.
    pub const fn passes(&self) -> bool {
        matches!(
            self,
            Self::Busy
                | Self::Store(
                    StoreError::Changed { .. }
                        | StoreError::Contention { .. }
                        | StoreError::Unreachable { .. }
                        | StoreError::OutcomeUnknown { .. }
                        | StoreError::Full { .. }
                )
        )
    }
}

impl App {
    /// Puts a site into service.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn new(
        site: Site,
        policy: Policy,
        pool: HashPool,
        clock: Clock,
        uptime: Uptime,
        chance: Chance,
    ) -> Result<Self, Fault> {
        let sessions = Arc::new(SessionView::new(uptime));
        let view = Arc::clone(&sessions);
        site.store.watch(Box::new(move |changed| view.forget(changed)));
        let app = Self {
            site,
            policy,
            pool,
            known_leaked: KnownLeaked::built_in(),
            decoys: RwLock::default(),
            exhausted: Exhausted::default(),
            sessions,
            numbers: Mutex::new(0..0),
            clock,
            chance,
        };
        app.draw_decoys().await?;
        Ok(app)
    }

    /// Time and chance for one use case.
    pub fn env(&self) -> Env {
        Env {
            clock: self.clock.clone(),
            chance: (self.chance)(),
        }
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Computes hashes in the pool, off the threads that answer requests.
    pub(crate) async fn hash<T: Send + 'static>(
        &self,
        priority: Priority,
        work: impl FnOnce(&mut Arena) -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let (tell, told) = tokio::sync::oneshot::channel();
        let deadline = self.now().plus_seconds(HASH_WAIT);
        let queued = self.pool.submit(priority, Some(deadline), move |turn| {
            if let Turn::Begin(arena) = turn {
                // Whoever asked may have gone away meanwhile.
                let _ = tell.send(work(arena));
            }
        });
        queued.map_err(|_| Fault::Busy)?;
        told.await.map_err(|_| Fault::Busy)
    }

    /// The number of a new account. Numbers come in blocks, so that a block lies on one shard; those of a block that are not
    /// used before the process ends are lost, which does no harm.
    pub(crate) async fn new_account_no(&self) -> Result<AccountNo, StoreError> {
        if let Some(number) = self.number_in_hand() {
            return Ok(number);
        }
        let taken = self
            .site
            .store
            .write(async move |tx| tx.take_account_block().await)
            .await?;
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        if numbers.is_empty() {
            *numbers = taken;
        }
        let number = numbers.next().map(AccountNo::new);
        number.ok_or(StoreError::Corrupt {
            table: "counter",
            column: "next",
        })
    }

    fn number_in_hand(&self) -> Option<AccountNo> {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.next().map(AccountNo::new)
    }
}

/// A random UUID (version 4).
pub(crate) fn random_id(env: &mut Env) -> uuid::Uuid {
    uuid::Builder::from_random_bytes(env.random()).into_uuid()
}
