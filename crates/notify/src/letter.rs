//! A notice in words: subject, text and HTML that say the same.

use askama::Template;
use fluent_bundle::FluentValue;
use rightful_core::Timestamp;

use crate::locale::Locale;
use crate::moment::moment;
use crate::notice::{Browser, Code, FactorChange, LeakSource, Notice};
use crate::plain;
use crate::texts::Texts;

/// Minutes for which a code that is sent by mail works, as the messages say.
pub const CODE_MINUTES: u16 = 30;

/// The names that stand in a letter.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// The site's, as its operator wrote it.
    pub site: &'a str,
    /// The owner's, where the account has one. It may be anything: only what a name can hold is shown, and never in a message
    /// that may reach a stranger ([`Notice::is_to_stranger`]).
    pub owner: Option<&'a str>,
}

/// A notice in words. It may hold a code, so its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// One line, without a code.
    pub subject: String,
    /// Plain text; lines end in `\n`, a paragraph is one line.
    pub text: String,
    /// A whole document, everything escaped, without links, pictures or scripts.
    pub html: String,
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Letter(hidden)")
    }
}

/// Puts a notice into words. `number` is the notice's own number as it is shown ("K7M4-QX2P"), by which its owner can ask
/// the site whether the message is ours; only letters, digits and hyphens of it are shown.
pub fn render(notice: &Notice, number: &str, locale: Locale, names: &Names<'_>) -> Letter {
    let writer = Writer::new(locale, names, number);
    let (subject, body) = writer.write(notice);
    let greeting = match names.owner.filter(|_| !notice.is_to_stranger()).and_then(plain::name) {
        Some(name) => writer.say_with("hello-name", &[("name", name.into())]),
        None => writer.say("hello"),
    };
    let mut blocks = vec![Block::Text(greeting)];
    blocks.extend(body);
    let subject = writer.say(subject);
    let html = Page {
        lang: locale.word(),
        subject: &subject,
        blocks: &blocks,
    };
    Letter {
        text: text(&blocks),
        html: html
            .render()
            .expect("a template without custom filters cannot fail on a String"),
        subject,
    }
}

/// A part of a message that stands by itself.
enum Block {
    Text(String),
    /// The paragraph that tells the notice's number.
    Number {
        before: String,
        number: String,
        after: String,
    },
    /// A code, to be typed.
    Code(String),
    Facts(Vec<Fact>),
}

struct Fact {
    label: String,
    value: String,
}

#[derive(Template)]
#[template(path = "letter.html")]
struct Page<'a> {
    lang: &'a str,
    subject: &'a str,
    blocks: &'a [Block],
}

fn text(blocks: &[Block]) -> String {
    let paragraphs: Vec<String> = blocks.iter().map(Block::text).collect();
    let mut text = paragraphs.join("\n\n");
    text.push('\n');
    text
}

impl Block {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number { before, number, after } => format!("{before}{number}{after}"),
            Self::Code(code) => format!("    {code}"),
            Self::Facts(facts) => {
                let lines: Vec<String> = facts
                    .iter()
                    .map(|fact| format!("{}: {}", fact.label, fact.value))
                    .collect();
                lines.join("\n")
            }
        }
    }
}

/// Writes in one language, for one site, under one number.
struct Writer {
    texts: &'static Texts,
    locale: Locale,
    site: String,
    number: String,
}

impl Writer {
    fn new(locale: Locale, names: &Names<'_>, number: &str) -> Self {
        Self {
            texts: Texts::of(locale),
            locale,
            site: plain::site(names.site),
            number: plain::code(number),
        }
    }

    /// The id of the subject, and the message below the greeting.
    fn write(&self, notice: &Notice) -> (&'static str, Vec<Block>) {
        match notice {
            Notice::TurnedOff {
                at,
                source,
                site_not_broken_into,
            } => (
                "turned-off-subject",
                self.turned_off(*at, *source, *site_not_broken_into),
            ),
            Notice::PleaseChange { at, source } => ("please-change-subject", self.please_change(*at, *source)),
            Notice::TurnedOnAgain { at } => (
                "turned-on-again-subject",
                vec![
                    self.dated("turned-on-again", *at),
                    self.paragraph("turned-on-again-next"),
                    self.check(),
                ],
            ),
            Notice::ResetCode {
                code,
                asked_at,
                browser,
                place,
            } => (
                "reset-code-subject",
                vec![
                    self.paragraph("reset-code"),
                    Block::Code(plain::code(code.reveal())),
                    self.code_lasts(),
                    self.facts(*asked_at, browser, place.as_deref()),
                    self.paragraph("reset-code-not-you"),
                    self.check(),
                ],
            ),
            Notice::SignUpCode { code } => (
                "sign-up-code-subject",
                self.confirm("sign-up-code", code, "sign-up-code-not-you"),
            ),
            Notice::SignUpKnown => (
                "sign-up-known-subject",
                vec![
                    self.paragraph("sign-up-known"),
                    self.paragraph("sign-up-known-next"),
                    self.check(),
                ],
            ),
            Notice::AddressCode { code } => (
                "address-code-subject",
                self.confirm("address-code", code, "address-code-not-you"),
            ),
            Notice::PasswordChanged { at, browser, place } => (
                "password-changed-subject",
                self.was_it_you("password-changed", *at, browser, place.as_deref()),
            ),
            Notice::AddressChanged { at, masked_new, to_old } => self.address_changed(*at, masked_new, *to_old),
            Notice::SecondFactorChanged { at, change } => self.second_factor_changed(*at, *change),
            Notice::NewBrowser { at, browser, place } => (
                "new-browser-subject",
                self.was_it_you("new-browser", *at, browser, place.as_deref()),
            ),
            Notice::TooManyGuesses { at } => (
                "too-many-guesses-subject",
                vec![
                    self.dated("too-many-guesses", *at),
                    self.paragraph("too-many-guesses-next"),
                    self.check(),
                ],
            ),
            Notice::DeletionPlanned { at, on } => ("deletion-planned-subject", self.deletion_planned(*at, *on)),
            Notice::DeletionStopped { at } => (
                "deletion-stopped-subject",
                vec![
                    self.dated("deletion-stopped", *at),
                    self.paragraph("was-it-you"),
                    self.check(),
                ],
            ),
        }
    }

    fn turned_off(&self, at: Timestamp, source: LeakSource, site_not_broken_into: bool) -> Vec<Block> {
        let what = match source {
            LeakSource::Dump => "turned-off-dump",
            LeakSource::Stealer => "turned-off-stealer",
            LeakSource::Ours => "turned-off-ours",
        };
        let what = self.say_with(what, &[("at", self.at(at))]);
        // Our own table leaked: whatever a responder ticked, nothing here may sound as if it had been somebody else's fault.
        let what = match (source, site_not_broken_into) {
            (LeakSource::Ours, _) => what,
            (_, true) => format!("{what} {}", self.say("not-broken-into")),
            (_, false) => format!("{what} {}", self.say("finding-out")),
        };
        vec![
            Block::Text(what),
            self.paragraph("new-password"),
            self.check(),
            self.elsewhere(source),
        ]
    }

    fn please_change(&self, at: Timestamp, source: LeakSource) -> Vec<Block> {
        let what = match source {
            LeakSource::Dump => "please-change-dump",
            LeakSource::Stealer => "please-change-stealer",
            LeakSource::Ours => "please-change-ours",
        };
        vec![
            self.dated(what, at),
            self.paragraph("new-password"),
            self.check(),
            self.elsewhere(source),
        ]
    }

    fn elsewhere(&self, source: LeakSource) -> Block {
        self.paragraph(match source {
            LeakSource::Stealer => "elsewhere-stealer",
            LeakSource::Dump | LeakSource::Ours => "elsewhere",
        })
    }

    fn confirm(&self, what: &str, code: &Code, not_you: &str) -> Vec<Block> {
        vec![
            self.paragraph(what),
            Block::Code(plain::code(code.reveal())),
            self.code_lasts(),
            self.paragraph(not_you),
            self.check(),
        ]
    }

    fn was_it_you(&self, what: &str, at: Timestamp, browser: &Browser, place: Option<&str>) -> Vec<Block> {
        vec![
            self.paragraph(what),
            self.facts(at, browser, place),
            self.paragraph("was-it-you"),
            self.check(),
        ]
    }

    fn address_changed(&self, at: Timestamp, masked_new: &str, to_old: bool) -> (&'static str, Vec<Block>) {
        let (subject, what) = if to_old {
            ("address-changed-old-subject", "address-changed-old")
        } else {
            ("address-changed-new-subject", "address-changed-new")
        };
        let address = plain::address(masked_new);
        let what = self.say_with(what, &[("at", self.at(at)), ("address", address.into())]);
        let not_you = self.paragraph("address-changed-not-you");
        (subject, vec![Block::Text(what), not_you, self.check()])
    }

    fn second_factor_changed(&self, at: Timestamp, change: FactorChange) -> (&'static str, Vec<Block>) {
        let (subject, what) = match change {
            FactorChange::AppAdded => ("app-added-subject", "app-added"),
            FactorChange::AppRemoved => ("app-removed-subject", "app-removed"),
            FactorChange::RecoveryCodesMade => ("recovery-codes-made-subject", "recovery-codes-made"),
            FactorChange::RecoveryCodeUsed => ("recovery-code-used-subject", "recovery-code-used"),
        };
        let was_it_you = self.paragraph("was-it-you");
        (subject, vec![self.dated(what, at), was_it_you, self.check()])
    }

    fn deletion_planned(&self, at: Timestamp, on: Timestamp) -> Vec<Block> {
        let what = self.say_with("deletion-planned", &[("at", self.at(at)), ("on", self.at(on))]);
        vec![Block::Text(what), self.paragraph("deletion-planned-next"), self.check()]
    }

    /// How the owner finds out whether a message is ours. It stands in every one.
    fn check(&self) -> Block {
        let text = self.say_with("check", &[("number", self.number.as_str().into())]);
        match text.split_once(&self.number) {
            Some((before, after)) => Block::Number {
                before: before.to_owned(),
                number: self.number.clone(),
                after: after.to_owned(),
            },
            None => Block::Text(text),
        }
    }

    fn code_lasts(&self) -> Block {
        Block::Text(self.say_with("code-lasts", &[("minutes", CODE_MINUTES.to_string().into())]))
    }

    fn facts(&self, at: Timestamp, browser: &Browser, place: Option<&str>) -> Block {
        let when = Some(moment(at, self.locale));
        let facts = [
            ("fact-when", when),
            ("fact-browser", self.browser(browser)),
            ("fact-place", place.and_then(plain::words)),
        ];
        let known = facts.into_iter().filter_map(|(label, value)| {
            let label = self.say(label);
            value.map(|value| Fact { label, value })
        });
        Block::Facts(known.collect())
    }

    fn browser(&self, browser: &Browser) -> Option<String> {
        let (name, system) = (&browser.name, &browser.system);
        let name = name.as_deref().and_then(plain::words);
        let system = system.as_deref().and_then(plain::words);
        match (name, system) {
            (Some(name), Some(system)) => Some(self.say_with(
                "browser-on-system",
                &[("browser", name.into()), ("system", system.into())],
            )),
            (name, system) => name.or(system),
        }
    }

    fn at(&self, at: Timestamp) -> FluentValue<'static> {
        moment(at, self.locale).into()
    }

    fn dated(&self, id: &str, at: Timestamp) -> Block {
        Block::Text(self.say_with(id, &[("at", self.at(at))]))
    }

    fn paragraph(&self, id: &str) -> Block {
        Block::Text(self.say(id))
    }

    fn say(&self, id: &str) -> String {
        self.say_with(id, &[])
    }

    /// A text; the site's name is at hand in each.
    fn say_with(&self, id: &str, more: &[(&'static str, FluentValue<'_>)]) -> String {
        let mut arguments = vec![("site", FluentValue::from(self.site.as_str()))];
        arguments.extend_from_slice(more);
        self.texts.say(id, &arguments)
    }
}
