//! Every page in every state, with made-up content, in both languages.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rightful_testkit::browser::Browser;
use rightful_web::pages::samples::{Sample, samples};
use rightful_web::pages::{Branding, Shell, assets};
use rightful_web::words::Locale;

use crate::look::look;

#[test]
fn every_page_fits_the_smallest_phone_in_every_language() {
    let (folder, browser) = (tempfile::tempdir().unwrap(), Browser::start());
    let branding = Arc::new(Branding::named("Example"));
    write(folder.path(), &assets::stylesheet_path(), assets::STYLESHEET);
    write(folder.path(), &branding.stylesheet_path(), &branding.stylesheet());
    write(folder.path(), &branding.icon_path(), &branding.icon());
    for sample in samples() {
        for locale in Locale::ALL {
            let name = format!("{}-{}", sample.name, locale.tag());
            let html = render(&sample, locale, &branding);
            write(folder.path(), &format!("{name}.html"), &html);
            browser.open(&format!(
                "file://{}",
                folder.path().join(format!("{name}.html")).display()
            ));
            look(&browser, &name);
        }
    }
}

/// Opened as a file, a page finds its assets beside it and not at a root.
fn render(sample: &Sample, locale: Locale, branding: &Arc<Branding>) -> String {
    let shell = Shell {
        locale,
        branding: Arc::clone(branding),
        signed_in: sample.signed_in,
    };
    sample.page.render(&shell).replace("\"/assets/", "\"")
}

/// Writes a file into the folder, without the path that it is served below.
fn write(folder: &Path, path: &str, content: &str) {
    fs::write(folder.join(path.rsplit('/').next().unwrap_or(path)), content).expect("a page can be written");
}
