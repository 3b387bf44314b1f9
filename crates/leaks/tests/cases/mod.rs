//! How many inputs a property is tried on.

use proptest::test_runner::Config;

/// A few by itself; what `PROPTEST_CASES` asks for where it is set, up to `most`: some inputs cost too much for more.
pub(crate) fn cases(few: u32, most: u32) -> Config {
    // What the library takes where nothing is asked for.
    const UNASKED: u32 = 256;
    let asked = Config::default();
    let cases = if asked.cases == UNASKED {
        few
    } else {
        asked.cases.min(most)
    };
    Config { cases, ..asked }
}
