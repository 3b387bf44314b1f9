//! Accounts over their lives: what changes them, what is tidied up, what is left when they are gone.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod erasing;
mod meanwhile;
mod sweeping;

/// Declares each test for both engines.
macro_rules! on_both_engines {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $name() {
                super::$name(rightful_testkit::databases::Engine::Sqlite).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $name() {
                super::$name(rightful_testkit::databases::Engine::Postgres).await;
            })+
        }
    };
}
use on_both_engines;
