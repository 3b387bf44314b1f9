//! Writes every sample page in every language, with the stylesheets and the icon, into a folder, so that they can be looked at.

use rightful_web::{
    pages::{Branding, Shell, assets, samples::samples},
    words::Locale,
};
use std::{env, error::Error, fs, io, path::Path, sync::Arc};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args_os()
        .nth(1)
        .ok_or("say the folder that the pages are written into")?;
    let folder = Path::new(&folder);
    let branding = Arc::new(Branding::named("Example"));
    fs::create_dir_all(folder)?;
    write(folder, &assets::stylesheet_path(), assets::STYLESHEET)?;
    write(folder, &branding.stylesheet_path(), &branding.stylesheet())?;
    write(folder, &branding.icon_path(), &branding.icon())?;
    for sample in samples() {
        for locale in Locale::ALL {
            let shell = Shell {
                locale,
                branding: Arc::clone(&branding),
                signed_in: sample.signed_in,
            };
            // Opened as files, the pages find their assets beside them and not at a root.
            let html = sample.page.render(&shell).replace("\"/assets/", "\"");
            write(folder, &format!("{}-{}.html", sample.name, locale.tag()), &html)?;
        }
    }
    Ok(())
}

/// Writes a file into the folder, without the path that it is served below.
fn write(folder: &Path, path: &str, content: &str) -> io::Result<()> {
    let name = path.rsplit('/').next().unwrap_or(path);
    fs::write(folder.join(name), content)
}
