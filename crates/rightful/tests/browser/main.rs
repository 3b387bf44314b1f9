//! The site as people meet it: the program itself, driven in Chromium, whose scripts are off, through every flow.
//!
//! Chromium, chromedriver and oathtool are Debian's packages `chromium`, `chromium-driver` and `oathtool`; `cargo xtask test` installs
//! them where it may. Two variables make more of the same tests: `RIGHTFUL_TEST_PICTURES` names a folder for pictures of the pages,
//! `RIGHTFUL_TEST_AXE` the script of axe-core, which then looks at every page.

mod coming_back;
mod getting_in;
mod look;
mod owning;
mod people;
mod reading;
mod samples;
