//! For tests only: databases to run on and to look into, programs to freeze and kill, connections to cut, disks to fill.

pub mod databases;
pub mod disk;
pub mod door;
pub mod process;
pub mod proxy;
