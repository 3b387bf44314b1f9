//! What owners see. A page is a struct with everything it shows; [`Page::render`] makes the HTML, in the language and the look of a
//! [`Shell`].
//!
//! Pages decide nothing and know no requests. They have no JavaScript, no inline style, and every text comes from
//! `locales/*/pages.ftl`, escaped. What is wrong with what was typed is a value ([`problem`]), never a text.
//!
//! Forms post to the paths in [`paths`]; the fields of each are named at its page.

#![warn(missing_docs)]

pub mod account;
pub mod assets;
pub mod branding;
pub mod check;
pub mod dev_mailbox;
pub mod error;
pub mod factor;
pub mod help;
pub mod login;
pub mod mailed_code;
pub mod new_password;
pub mod paths;
pub mod problem;
pub mod qr;
pub mod recovery_codes;
pub mod samples;
pub mod setup;
pub mod sign_in;
pub mod sign_up;
pub mod step_up;
#[cfg(test)]
mod tests;

pub use branding::{Accent, Branding, Logo};
pub use problem::Tell;

use crate::words::{self, Locale};
use fluent_bundle::{FluentArgs, FluentValue};
use rightful_core::Timestamp;
use std::sync::Arc;

/// What stands around every page, and what its texts need.
#[derive(Clone, Debug)]
pub struct Shell {
    /// The language of the page.
    pub locale: Locale,
    /// Name, logo, colour, languages.
    pub branding: Arc<Branding>,
    /// Whether the header offers to sign out.
    pub signed_in: bool,
}

impl Shell {
    /// The name of the site.
    pub fn site(&self) -> &str {
        &self.branding.site_name
    }

    /// A message that needs nothing but the name of the site.
    pub fn t(&self, id: &str) -> String {
        self.text(id, [])
    }

    /// A message with one argument.
    pub fn t1<'v>(&self, id: &str, name: &'v str, value: impl Into<FluentValue<'v>>) -> String {
        self.text(id, [(name, value.into())])
    }

    /// A message with arguments; `site` is always among them.
    pub fn text<'v, const N: usize>(&self, id: &str, values: [(&'v str, FluentValue<'v>); N]) -> String {
        let mut args = FluentArgs::with_capacity(N + 1);
        args.set("site", self.site());
        for (name, value) in values {
            args.set(name, value);
        }
        words::text(self.locale, id, &args)
    }

    /// A message about a number of things: `count` chooses the form of the words, `shown` is the number as people write it.
    pub fn count(&self, id: &str, count: u64) -> String {
        self.text(
            id,
            [
                ("count", count.into()),
                ("shown", words::number(self.locale, count).into()),
            ],
        )
    }

    /// Something that can be told, in words.
    pub fn tell(&self, what: &impl Tell) -> String {
        what.tell(self)
    }

    /// A moment, to the minute, with its zone.
    pub fn moment(&self, at: Timestamp) -> String {
        words::moment(self.locale, at)
    }

    /// The day of a moment, in UTC.
    pub fn day(&self, at: Timestamp) -> String {
        words::day(self.locale, at)
    }
}

/// A page.
pub trait Page {
    /// The whole HTML document (`text/html; charset=utf-8`).
    fn render(&self, shell: &Shell) -> String;
}

/// What a page says of itself to the template around it.
trait Content {
    /// What the page is about: the heading, and the title of the window.
    fn title(&self, shell: &Shell) -> String;

    /// What is wrong with what was typed, if anything.
    fn trouble(&self, _shell: &Shell) -> Option<Trouble> {
        None
    }
}

/// What is wrong, in words, and with which field.
struct Trouble {
    /// The field's id; empty when it is said of the whole form, so as not to tell which part was right.
    field: &'static str,
    text: String,
}

impl Trouble {
    /// Of a problem that a page may have.
    fn of<P: Tell>(problem: Option<&P>, field: &'static str, shell: &Shell) -> Option<Self> {
        problem.map(|problem| Self {
            field,
            text: problem.tell(shell),
        })
    }

    /// Its first sentence: what happened, without what to do.
    fn fact(&self) -> &str {
        self.text.split_once(". ").map_or(self.text.as_str(), |(fact, _)| fact)
    }

    /// Whether this is about the field.
    fn is_at(&self, field: &str) -> bool {
        self.field == field
    }
}

/// Binds a page to its template, which sees `page`, `shell` and `trouble`.
macro_rules! page {
    ($page:ident, $template:tt) => {
        impl $crate::pages::Page for $page {
            fn render(&self, shell: &$crate::pages::Shell) -> String {
                use $crate::pages::Content as _;

                #[derive(askama::Template)]
                #[template(path = $template)]
                struct View<'a> {
                    page: &'a $page,
                    shell: &'a $crate::pages::Shell,
                    trouble: Option<$crate::pages::Trouble>,
                }
                let view = View {
                    page: self,
                    shell,
                    trouble: self.trouble(shell),
                };
                askama::Template::render(&view)
                    .expect("templates have no filter that fails, and a String takes whatever is written")
            }
        }
    };
}
use page;
