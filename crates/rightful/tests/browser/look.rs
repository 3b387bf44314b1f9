//! Looking at a page: nothing sticks out on the smallest phone; and where asked for, axe-core finds nothing, and pictures are taken.

use std::fs;
use std::path::{Path, PathBuf};

use rightful_testkit::browser::{Browser, Theme};
use serde_json::json;

/// The smallest window that a page must fit into, in CSS pixels.
const SMALLEST: u32 = 320;

/// Widths of pictures, in CSS pixels: a phone and a desk.
const WIDTHS: [u32; 2] = [360, 1280];

/// Calls axe-core, which stands before it, and hands back what it found, as short as it can be said.
const RUN_AXE: &str = "
    const [tags, done] = arguments;
    axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] }).then(
        found => done(found.violations.map(rule => rule.id + ': ' + rule.help + ' — ' + rule.nodes.map(node => node.html).join(' '))),
        error => done([String(error)]));
";

/// The rules: WCAG 2.2 to AA, and what axe-core holds to be good practice.
const AXE_RULES: [&str; 6] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/// Looks at the page that is open and leaves the browser as it was.
///
/// # Panics
/// When something is wrong with the page.
#[track_caller]
pub(crate) fn look(browser: &Browser, name: &str) {
    browser.window(SMALLEST);
    assert_eq!(browser.overhang(), 0, "{name} is wider than {SMALLEST} px");
    let (axe, pictures) = (asked("RIGHTFUL_TEST_AXE"), asked("RIGHTFUL_TEST_PICTURES"));
    if axe.is_some() || pictures.is_some() {
        for theme in Theme::ALL {
            browser.theme(theme);
            for width in WIDTHS {
                browser.window(width);
                if let Some(folder) = &pictures {
                    take(browser, folder, &format!("{name}-{width}-{}.png", theme.word()));
                }
            }
            if let Some(script) = &axe {
                ask_axe(browser, script, name);
            }
        }
    }
    browser.theme(Theme::Light);
    browser.window(1280);
}

/// The file or folder that a variable names, if it is set.
fn asked(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from)
}

fn take(browser: &Browser, folder: &Path, file: &str) {
    fs::create_dir_all(folder).expect("the folder for pictures");
    fs::write(folder.join(file), browser.picture()).expect("a picture can be written");
}

#[track_caller]
fn ask_axe(browser: &Browser, script: &Path, name: &str) {
    let source = fs::read_to_string(script).expect("the script of axe-core");
    browser.scripts(true);
    let found = browser.run_script(&format!("{source}\n;{RUN_AXE}"), &[json!(AXE_RULES)]);
    browser.scripts(false);
    assert_eq!(found, json!([]), "axe-core at {name}");
}
