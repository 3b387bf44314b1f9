//! The sessions that this node has just read: what a check of a session is answered from, as long as that is true enough.
//!
//! Whatever ends a session is committed in the database, perhaps by another node. So what is remembered counts for less than a
//! second, by a clock that nobody sets, and then it is read again; where the database does not answer, nobody is signed in. What
//! this node itself commits is forgotten before whoever asked for it is answered.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rightful_core::AccountNo;
use rightful_store::Changed;
use rightful_store::session::Session;

use crate::env::Uptime;

/// How long what was read counts. "At once" means: on another node within a second; what is left of it is for the request that is
/// under way.
const COUNTS_FOR: Duration = Duration::from_millis(900);

/// Sessions that one of the parts remembers at most, in each of its two halves: 131,072 in all, about 40 MB when all are in use.
const MOST: usize = 4096;

/// Parts, each under its own lock.
const PARTS: usize = 16;

/// Accounts share the counters of their changes; who shares one with another is only read once more.
const COUNTERS: usize = 4096;

/// A session as it was read, and with it what decided that it lives.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) session: Session,
    /// The mark under which everything of this account is dead.
    pub(crate) floor: i64,
    /// Whether a second factor is enrolled.
    pub(crate) second_factor: bool,
}

/// The moment just before a session is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    at: Duration,
    changes: u64,
}

#[derive(Default)]
struct Part {
    young: HashMap<[u8; 32], (Known, Moment)>,
    old: HashMap<[u8; 32], (Known, Moment)>,
    turned_at: Duration,
}

impl Part {
    /// What is in the old half when the halves change places is too old to count.
    fn turn(&mut self, now: Duration) {
        if self.young.len() >= MOST || now.saturating_sub(self.turned_at) >= COUNTS_FOR {
            self.old = std::mem::take(&mut self.young);
            self.turned_at = now;
        }
    }
}

/// The sessions that this node has just read.
pub(crate) struct SessionView {
    parts: [Mutex<Part>; PARTS],
    /// Counts all changes of this process.
    changes: AtomicU64,
    /// The last change of each account.
    changed: Box<[AtomicU64]>,
    uptime: Uptime,
}

impl SessionView {
    pub(crate) fn new(uptime: Uptime) -> Self {
        Self {
            parts: std::array::from_fn(|_| Mutex::default()),
            changes: AtomicU64::new(0),
            changed: (0..COUNTERS).map(|_| AtomicU64::new(0)).collect(),
            uptime,
        }
    }

    /// To be taken before a session is read, and given to [`SessionView::remember`].
    pub(crate) fn moment(&self) -> Moment {
        Moment {
            at: (self.uptime)(),
            changes: self.changes.load(Ordering::Acquire),
        }
    }

    /// What is known of the session of a token, if it still counts.
    pub(crate) fn known(&self, token_hash: &[u8; 32]) -> Option<Known> {
        let now = (self.uptime)();
        let part = self.part(token_hash);
        let (known, read) = part.young.get(token_hash).or_else(|| part.old.get(token_hash))?;
        let counts = now.saturating_sub(read.at) < COUNTS_FOR
            && self.last_change(known.session.account).load(Ordering::Acquire) <= read.changes;
        counts.then(|| known.clone())
    }

    /// Remembers what was read just after `read`.
    pub(crate) fn remember(&self, token_hash: [u8; 32], known: Known, read: Moment) {
        let mut part = self.part(&token_hash);
        part.turn((self.uptime)());
        part.old.remove(&token_hash);
        part.young.insert(token_hash, (known, read));
    }

    /// Forgets what a transaction of this process changed. Whoever read before its COMMIT took his moment before this, and so what
    /// he remembers does not count either.
    pub(crate) fn forget(&self, changed: &Changed) {
        let change = self.changes.fetch_add(1, Ordering::AcqRel) + 1;
        match changed {
            Changed::Accounts(accounts) => {
                for account in accounts {
                    self.last_change(*account).fetch_max(change, Ordering::AcqRel);
                }
            }
            Changed::Everybody => {
                for counter in &self.changed {
                    counter.fetch_max(change, Ordering::AcqRel);
                }
            }
        }
    }

    fn last_change(&self, account: AccountNo) -> &AtomicU64 {
        let place = usize::try_from(account.get().unsigned_abs()).unwrap_or(usize::MAX) % COUNTERS;
        &self.changed[place]
    }

    fn part(&self, token_hash: &[u8; 32]) -> std::sync::MutexGuard<'_, Part> {
        let part = &self.parts[usize::from(token_hash[0]) % PARTS];
        part.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rightful_core::Timestamp;
    use rightful_core::assurance::{Acr, Born, Proofs};
    use rightful_store::session::SessionUse;

    use super::*;

    const TOKEN: [u8; 32] = [7; 32];

    fn view() -> (SessionView, Arc<AtomicU64>) {
        let now = Arc::new(AtomicU64::new(5_000));
        let clock = Arc::clone(&now);
        let uptime: Uptime = Arc::new(move || Duration::from_millis(clock.load(Ordering::Relaxed)));
        (SessionView::new(uptime), now)
    }

    fn known(account: i64) -> Known {
        let at = Timestamp::from_micros(0);
        Known {
            session: Session {
                account: AccountNo::new(account),
                session_id: uuid::Uuid::nil(),
                used_by: SessionUse::Browser,
                born: Born { epoch: 1, mark: 0 },
                acr: Acr::One,
                proofs: Proofs::NONE,
                proved_at: at,
                made_at: at,
                seen_at: at,
                expires_at: at,
                browser_id: None,
                account_epoch: 1,
                account_open: true,
                public_id: rightful_core::PublicId(uuid::Uuid::nil()),
                role: None,
            },
            floor: 0,
            second_factor: false,
        }
    }

    fn accounts(numbers: &[i64]) -> Changed {
        Changed::Accounts(numbers.iter().copied().map(AccountNo::new).collect())
    }

    #[test]
    fn what_was_read_counts_for_less_than_a_second() {
        let (view, now) = view();
        let read = view.moment();
        // The reading itself took a while: that counts too.
        now.store(5_300, Ordering::Relaxed);
        view.remember(TOKEN, known(1), read);
        assert!(view.known(&TOKEN).is_some() && view.known(&[8; 32]).is_none());
        now.store(5_899, Ordering::Relaxed);
        assert!(view.known(&TOKEN).is_some());
        now.store(5_900, Ordering::Relaxed);
        assert!(view.known(&TOKEN).is_none());
    }

    #[test]
    fn what_this_node_changed_counts_no_more_whoever_read_it_before() {
        let (view, _) = view();
        view.remember(TOKEN, known(1), view.moment());
        view.forget(&accounts(&[2, 3]));
        assert!(view.known(&TOKEN).is_some(), "somebody else");
        let before = view.moment();
        view.forget(&accounts(&[2, 1]));
        assert!(view.known(&TOKEN).is_none());
        view.remember(TOKEN, known(1), before);
        assert!(
            view.known(&TOKEN).is_none(),
            "read before the change, remembered after it"
        );
        view.remember(TOKEN, known(1), view.moment());
        assert!(view.known(&TOKEN).is_some());
        view.forget(&Changed::Everybody);
        assert!(view.known(&TOKEN).is_none());
    }

    #[test]
    fn memory_has_an_end() {
        let (view, _) = view();
        for number in 0..u32::try_from(PARTS * MOST * 5).expect("few") {
            let mut token = [0; 32];
            token[..4].copy_from_slice(&number.to_le_bytes());
            view.remember(token, known(1), view.moment());
        }
        let len = |part: &Mutex<Part>| {
            let part = part.lock().expect("no panic");
            part.young.len() + part.old.len()
        };
        let kept: usize = view.parts.iter().map(len).sum();
        assert!((PARTS * MOST..=PARTS * MOST * 2).contains(&kept), "{kept}");
    }
}
