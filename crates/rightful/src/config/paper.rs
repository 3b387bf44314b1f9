//! The table on paper: the sample file and the reference page.

use std::fmt::Write as _;

use super::layers::Start;
use super::table::{Key, SECTIONS};

/// The commented sample: `rightful config sample`, docs/reference/rightful.sample.toml.
pub(crate) fn sample() -> String {
    let mut text = String::from(
        "# The configuration of Rightful. What is commented out shows the default, or, where it says so, an example.\n\
         # Each key may also be set by a variable of the environment, such as RIGHTFUL_SITE__NAME, which goes before this file.\n\
         # Paths are relative to where Rightful is started. Check it with: rightful config check\n",
    );
    for section in SECTIONS {
        let _ = write!(text, "\n{}[{}]\n", commented(section.about), section.name);
        for key in section.keys {
            let example = if is_example(key) {
                "# Not set by default. Example:\n"
            } else {
                ""
            };
            let _ = write!(
                text,
                "\n{}{example}# {} = {}\n",
                commented(key.about),
                key.name,
                key.start.text()
            );
        }
    }
    text
}

/// The reference page: docs/reference/configuration.md.
pub(crate) fn reference() -> String {
    let mut text = String::from(
        "# Configuration\n\n\
         `rightful.toml` in the folder where Rightful is started, or the file that `--config` or `RIGHTFUL_CONFIG` names. Each key may also be set by a\n\
         variable of the environment, which goes before the file: `site.name` by `RIGHTFUL_SITE__NAME`; lists with commas. Unknown names\n\
         and values that do not go together are refused at the start with exit status 2, all at once; so is a file that holds a password and that\n\
         others may read. Secrets may stand in files of their own (`…_file`), one line each, mode 600. Paths are relative to where Rightful is started.\n\n\
         `rightful config sample` prints [a commented file](rightful.sample.toml) to begin with, `rightful config check` says what is wrong with yours.\n\
         This page is written from the code; a test holds it to that.\n",
    );
    for section in SECTIONS {
        let _ = write!(text, "\n## {}\n\n{}\n\n", section.name, joined(section.about));
        text.push_str("| key | | value | default |\n|---|---|---|---|\n");
        for key in section.keys {
            let start = match key.start {
                Start::Is(value) => format!("`{value}`"),
                Start::Absent { .. } => "not set".to_owned(),
            };
            let (name, about) = (key.name, joined(key.about));
            let _ = writeln!(
                text,
                "| `{}.{name}` | {about} | {} | {start} |",
                section.name, key.wanted
            );
        }
    }
    text
}

fn is_example(key: &Key) -> bool {
    matches!(key.start, Start::Absent { .. })
}

/// A doc comment as lines of a TOML comment.
fn commented(about: &str) -> String {
    about.lines().map(|line| format!("#{line}\n")).collect()
}

/// A doc comment as one line.
fn joined(about: &str) -> String {
    about.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}
