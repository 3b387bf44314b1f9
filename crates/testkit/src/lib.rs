//! For tests only: databases to run on and to look into, programs to freeze and kill, connections to cut, disks to fill,
//! a browser to drive.

#[cfg(feature = "app")]
pub mod app;
pub mod browser;
pub mod databases;
pub mod disk;
pub mod dns;
pub mod door;
#[cfg(feature = "app")]
pub mod given;
pub mod process;
pub mod proxy;
#[cfg(feature = "app")]
pub mod served;
pub mod smtp;
