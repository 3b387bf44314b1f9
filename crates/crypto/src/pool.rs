//! The hash engine: one bounded pool that computes every password hash of the process.
//!
//! A password hash is meant to be dear: 19 MiB and 13 ms each. So they are computed on threads of their own, never on those
//! that answer requests, as many at once as there are cores, each in memory that is kept and used again: memory is workers
//! times the size of a hash, whatever the load. Work waits in one queue a priority: an owner at a browser that is recognised
//! goes before strangers, a sign-in before the tests of a leak. A queue that is full refuses at once, and work whose deadline
//! has passed is not begun.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rightful_core::Timestamp;

use crate::password::Arena;

/// What goes first. Within a priority, first come first served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Somebody waits at a page, in a browser that is recognised as the owner's: strangers cannot make work here.
    KnownBrowser,
    /// Somebody waits at a page.
    SignIn,
    /// Tests of leaked secrets.
    LeakTest,
    /// Wrapping and upgrading: whenever there is nothing else.
    Background,
}

impl Priority {
    const COUNT: usize = 4;
}

/// What work is told when its turn comes.
pub enum Turn<'a> {
    /// Begin, in this memory.
    Begin(&'a mut Arena),
    /// Its deadline has passed, or the pool is closing: do nothing but tell whoever waits.
    TooLate,
}

/// The queue of this priority is full: answer "busy, come back" instead of waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the queue for password hashes is full")]
pub struct PoolFull;

/// How large a pool is.
#[derive(Clone, Copy, Debug)]
pub struct PoolSize {
    /// Threads, each with memory for one hash; at least 1. One a core is right.
    pub workers: usize,
    /// How many pieces of work may wait in each priority; at least 1.
    pub queue: usize,
}

/// After this long without work a worker gives its memory back.
const IDLE: Duration = Duration::from_secs(10);

type Work = Box<dyn FnOnce(Turn<'_>) + Send>;

struct Waiting {
    work: Work,
    deadline: Option<Timestamp>,
}

struct Queues {
    waiting: [VecDeque<Waiting>; Priority::COUNT],
    closing: bool,
}

struct Shared {
    queues: Mutex<Queues>,
    work_came: Condvar,
    room_came: Condvar,
    size: PoolSize,
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queues> {
        // Work runs outside the lock, so a poisoned lock still guards whole queues.
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pool. Dropping it lets the work in hand finish, tells what waits that it is too late, and joins the threads.
pub struct HashPool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl HashPool {
    /// Starts the threads. `clock` is asked only for work that has a deadline.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(size: PoolSize, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            queues: Mutex::new(Queues {
                waiting: Default::default(),
                closing: false,
            }),
            work_came: Condvar::new(),
            room_came: Condvar::new(),
            size: PoolSize {
                workers: size.workers.max(1),
                queue: size.queue.max(1),
            },
            clock: Box::new(clock),
        });
        let mut pool = Self {
            shared,
            threads: Vec::new(),
        };
        for worker in 0..pool.shared.size.workers {
            let shared = Arc::clone(&pool.shared);
            let thread = std::thread::Builder::new()
                .name(format!("hash-{worker}"))
                .spawn(move || run(&shared))?;
            pool.threads.push(thread);
        }
        Ok(pool)
    }

    /// How many hashes are computed at once.
    pub fn workers(&self) -> usize {
        self.shared.size.workers
    }

    /// Hands in work; it is called exactly once, on a thread of the pool.
    ///
    /// # Errors
    /// [`PoolFull`] at once when its queue is full; the work is dropped uncalled.
    pub fn submit(
        &self,
        priority: Priority,
        deadline: Option<Timestamp>,
        work: impl FnOnce(Turn<'_>) + Send + 'static,
    ) -> Result<(), PoolFull> {
        let queues = self.shared.lock();
        if queues.waiting[priority as usize].len() >= self.shared.size.queue {
            return Err(PoolFull);
        }
        self.push(
            queues,
            priority,
            Waiting {
                work: Box::new(work),
                deadline,
            },
        );
        Ok(())
    }

    /// Hands in work without a deadline, waiting for room in its queue: for whoever makes work faster than it can be done.
    pub fn submit_when_room(&self, priority: Priority, work: impl FnOnce(Turn<'_>) + Send + 'static) {
        let mut queues = self.shared.lock();
        while queues.waiting[priority as usize].len() >= self.shared.size.queue {
            queues = self
                .shared
                .room_came
                .wait(queues)
                .unwrap_or_else(PoisonError::into_inner);
        }
        self.push(
            queues,
            priority,
            Waiting {
                work: Box::new(work),
                deadline: None,
            },
        );
    }

    fn push(&self, mut queues: MutexGuard<'_, Queues>, priority: Priority, waiting: Waiting) {
        queues.waiting[priority as usize].push_back(waiting);
        drop(queues);
        self.shared.work_came.notify_one();
    }
}

impl Drop for HashPool {
    fn drop(&mut self) {
        let left: Vec<Waiting> = {
            let mut queues = self.shared.lock();
            queues.closing = true;
            queues.waiting.iter_mut().flat_map(std::mem::take).collect()
        };
        self.shared.work_came.notify_all();
        for waiting in left {
            (waiting.work)(Turn::TooLate);
        }
        for thread in self.threads.drain(..) {
            // A worker does not panic: work is run under catch_unwind.
            let _ = thread.join();
        }
    }
}

fn run(shared: &Shared) {
    let mut arena = Arena::new();
    while let Some(waiting) = next(shared, &mut arena) {
        let late = waiting.deadline.is_some_and(|deadline| (shared.clock)() > deadline);
        let turn = if late { Turn::TooLate } else { Turn::Begin(&mut arena) };
        // A fault in one hash must not take the pool with it; whoever waits sees its channel closed.
        let _ = catch_unwind(AssertUnwindSafe(|| (waiting.work)(turn)));
    }
}

fn next(shared: &Shared, arena: &mut Arena) -> Option<Waiting> {
    let mut queues = shared.lock();
    loop {
        if let Some(waiting) = queues.waiting.iter_mut().find_map(VecDeque::pop_front) {
            drop(queues);
            shared.room_came.notify_all();
            return Some(waiting);
        }
        if queues.closing {
            return None;
        }
        let (woken, timeout) = shared
            .work_came
            .wait_timeout(queues, IDLE)
            .unwrap_or_else(PoisonError::into_inner);
        queues = woken;
        if timeout.timed_out() {
            arena.release();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    fn pool(workers: usize, queue: usize) -> HashPool {
        HashPool::start(PoolSize { workers, queue }, || Timestamp::from_micros(100)).expect("threads")
    }

    /// Occupies the only worker until the returned sender is dropped.
    fn occupy(pool: &HashPool) -> std::sync::mpsc::Sender<()> {
        let (hold, held) = channel::<()>();
        let (begun, has_begun) = channel();
        pool.submit_when_room(Priority::SignIn, move |_| {
            begun.send(()).expect("the test waits");
            let _ = held.recv();
        });
        has_begun.recv().expect("begins");
        hold
    }

    #[test]
    fn owners_go_before_strangers_and_a_sign_in_before_the_tests_of_a_leak() {
        let pool = pool(1, 8);
        let hold = occupy(&pool);
        let (order, seen) = channel();
        for (priority, name) in [
            (Priority::Background, "wrap"),
            (Priority::LeakTest, "test 1"),
            (Priority::LeakTest, "test 2"),
            (Priority::SignIn, "sign-in"),
            (Priority::KnownBrowser, "owner"),
        ] {
            let order = order.clone();
            pool.submit(priority, None, move |_| order.send(name).expect("the test waits"))
                .expect("room");
        }
        drop((hold, order));
        assert_eq!(
            seen.iter().collect::<Vec<_>>(),
            ["owner", "sign-in", "test 1", "test 2", "wrap"]
        );
    }

    #[test]
    fn a_full_queue_refuses_at_once_and_others_have_room() {
        let pool = pool(1, 2);
        let _hold = occupy(&pool);
        for _ in 0..2 {
            assert_eq!(pool.submit(Priority::SignIn, None, |_| ()), Ok(()));
        }
        assert_eq!(pool.submit(Priority::SignIn, None, |_| ()), Err(PoolFull));
        assert_eq!(pool.submit(Priority::LeakTest, None, |_| ()), Ok(()));
    }

    #[test]
    fn work_past_its_deadline_is_told_so_and_the_rest_is_done() {
        let pool = pool(1, 8);
        let (told, seen) = channel();
        for deadline in [Some(99), Some(100), None] {
            let told = told.clone();
            let work = move |turn: Turn<'_>| told.send(matches!(turn, Turn::Begin(_))).expect("the test waits");
            pool.submit(Priority::SignIn, deadline.map(Timestamp::from_micros), work)
                .expect("room");
        }
        drop(told);
        assert_eq!(seen.iter().collect::<Vec<_>>(), [false, true, true]);
    }

    #[test]
    fn c09_a_panic_in_one_hash_leaves_the_pool_working() {
        let pool = pool(1, 8);
        pool.submit(Priority::SignIn, None, |_| panic!("a malformed hash"))
            .expect("room");
        let (told, seen) = channel();
        pool.submit(Priority::SignIn, None, move |_| told.send(7).expect("the test waits"))
            .expect("room");
        assert_eq!(seen.recv(), Ok(7));
    }

    #[test]
    fn closing_tells_all_that_waits() {
        let pool = pool(1, 8);
        let hold = occupy(&pool);
        let (told, seen) = channel();
        for _ in 0..3 {
            let told = told.clone();
            pool.submit(Priority::LeakTest, None, move |turn| {
                told.send(matches!(turn, Turn::TooLate)).expect("the test waits");
            })
            .expect("room");
        }
        drop(told);
        let closing = std::thread::spawn(move || drop(pool));
        assert_eq!(seen.iter().collect::<Vec<_>>(), [true, true, true]);
        drop(hold);
        closing.join().expect("closes");
    }
}
