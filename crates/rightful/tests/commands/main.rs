//! The program itself, from outside: what it says, what it leaves behind, and what it makes of being killed, of full disks and of
//! databases that go away. On SQLite and on PostgreSQL.
//!
//! Chance is seeded; the seed is printed, and `RIGHTFUL_TEST_SEED` sets it. `RIGHTFUL_SOAK=1` kills fifty times in each phase
//! instead of five.

mod containment;
mod damaged;
mod database_gone;
mod disk_full;
mod files;
mod hostile_files;
mod import_again;
mod kills;
mod login;
mod made_up;
mod mail;
mod matches;
mod migration;
mod scans;
mod site;
mod theft;
