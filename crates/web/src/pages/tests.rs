//! Every page, in every language: what must hold of all of them.

use super::{
    Branding, Shell,
    samples::{Sample, samples},
};
use crate::words::{self, Locale, MISSING};
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fs,
    path::Path,
    sync::Arc,
};

/// A name that would break out of any place where it is not escaped.
const HOSTILE_NAME: &str = r#"A&B "<i>'x"#;

fn shell(locale: Locale, site_name: &str, signed_in: bool) -> Shell {
    Shell {
        locale,
        branding: Arc::new(Branding::named(site_name)),
        signed_in,
    }
}

/// Renders every sample in every language and hands each to the check.
fn every_page(site_name: &str, check: impl Fn(&Sample, Locale, &str)) {
    for sample in samples() {
        for locale in Locale::ALL {
            check(
                &sample,
                locale,
                &sample.page.render(&shell(locale, site_name, sample.signed_in)),
            );
        }
    }
}

/// An element as it stands in the HTML.
#[derive(Debug)]
struct Tag<'a> {
    name: &'a str,
    attributes: BTreeMap<&'a str, &'a str>,
    /// What encloses it, outermost first.
    path: Vec<&'a str>,
}

impl Tag<'_> {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).copied()
    }

    fn has_class(&self, class: &str) -> bool {
        self.attribute("class")
            .is_some_and(|classes| classes.split(' ').any(|one| one == class))
    }
}

const VOID: [&str; 4] = ["meta", "link", "img", "input"];

/// Elements that may not hold themselves or one another in ours.
const NOT_NESTED: [&str; 5] = ["a", "button", "form", "p", "label"];

/// Reads the elements of a page; says what is not well formed.
fn tags(html: &str) -> Result<Vec<Tag<'_>>, String> {
    let body = html.strip_prefix("<!doctype html>").ok_or("no doctype")?;
    let (mut open, mut tags) = (Vec::new(), Vec::new());
    for piece in body.split('<').skip(1) {
        let (inside, text) = piece
            .split_once('>')
            .ok_or_else(|| format!("`<{piece}` is not closed"))?;
        if text.contains('>') {
            return Err(format!("a bare `>` in `{text}`"));
        }
        if let Some(name) = inside.strip_prefix('/') {
            let expected = open.pop();
            if expected != Some(name) {
                return Err(format!("`</{name}>` where {expected:?} is open"));
            }
            continue;
        }
        let closed = inside.ends_with('/');
        let inside = inside.strip_suffix('/').unwrap_or(inside);
        let (name, rest) = inside.split_once([' ', '\n']).unwrap_or((inside, ""));
        if NOT_NESTED.contains(&name) && open.contains(&name) {
            return Err(format!("`{name}` inside `{name}`"));
        }
        if open.contains(&"p") && ["ul", "ol", "div", "form", "h1", "h2", "dl", "section", "pre"].contains(&name) {
            return Err(format!("`{name}` inside `p`"));
        }
        tags.push(Tag {
            name,
            attributes: attributes(rest)?,
            path: open.clone(),
        });
        if !closed && !VOID.contains(&name) {
            open.push(name);
        }
    }
    if open.is_empty() {
        Ok(tags)
    } else {
        Err(format!("not closed: {open:?}"))
    }
}

fn attributes(text: &str) -> Result<BTreeMap<&str, &str>, String> {
    let mut found = BTreeMap::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
            .unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let (value, after) = match after.strip_prefix("=\"") {
            Some(after) => after
                .split_once('"')
                .ok_or_else(|| format!("`{rest}`: the value does not end"))?,
            None => ("", after),
        };
        if name.is_empty() || !(after.is_empty() || after.starts_with([' ', '\n'])) {
            return Err(format!("`{rest}` is no attribute"));
        }
        if found.insert(name, value).is_some() {
            return Err(format!("`{name}` stands twice in `{text}`"));
        }
        rest = after.trim_start();
    }
    Ok(found)
}

#[test]
fn every_page_is_well_formed() {
    every_page(HOSTILE_NAME, |sample, locale, html| {
        if let Err(wrong) = tags(html) {
            panic!("{} ({locale:?}): {wrong}\n{html}", sample.name);
        }
    });
}

#[test]
fn nothing_is_inline_and_nothing_comes_from_elsewhere() {
    every_page(HOSTILE_NAME, |sample, _, html| {
        for tag in tags(html).unwrap() {
            assert!(
                !["script", "style", "iframe", "object", "base"].contains(&tag.name),
                "{}: {}",
                sample.name,
                tag.name
            );
            for (name, value) in &tag.attributes {
                assert!(*name != "style" && !name.starts_with("on"), "{}: {name}", sample.name);
                if ["href", "src", "action"].contains(name) {
                    let ours = value.starts_with(['/', '#', '?']) && !value.starts_with("//");
                    assert!(ours, "{}: {name}={value}", sample.name);
                }
            }
        }
    });
}

#[test]
fn every_input_has_a_label_and_every_reference_a_target() {
    every_page("Example", |sample, _, html| {
        let tags = tags(html).unwrap();
        let ids: Vec<&str> = tags.iter().filter_map(|tag| tag.attribute("id")).collect();
        let distinct: HashSet<&str> = ids.iter().copied().collect();
        assert_eq!(
            ids.len(),
            distinct.len(),
            "{}: an id stands twice: {ids:?}",
            sample.name
        );
        let labelled: HashSet<&str> = tags.iter().filter_map(|tag| tag.attribute("for")).collect();
        for tag in &tags {
            if tag.name == "input" && tag.attribute("type") != Some("hidden") {
                let id = tag
                    .attribute("id")
                    .unwrap_or_else(|| panic!("{}: an input without an id", sample.name));
                assert!(labelled.contains(id), "{}: no label for {id}", sample.name);
                assert!(
                    tag.attribute("autocomplete").is_some(),
                    "{}: {id} without autocomplete",
                    sample.name
                );
            }
            let refers = ["for", "aria-describedby", "aria-labelledby"]
                .iter()
                .filter_map(|name| tag.attribute(name));
            for id in refers
                .flat_map(|ids| ids.split(' '))
                .chain(tag.attribute("href").and_then(|href| href.strip_prefix('#')))
            {
                assert!(distinct.contains(id), "{}: {id} is not there", sample.name);
            }
        }
    });
}

#[test]
fn headings_begin_with_one_and_leave_none_out() {
    every_page("Example", |sample, _, html| {
        let tags = tags(html).unwrap();
        let count = |name| tags.iter().filter(|tag| tag.name == name).count();
        assert_eq!(count("h1"), 1, "{}", sample.name);
        assert_eq!(count("h3"), 0, "{}", sample.name);
        assert_eq!((count("main"), count("title")), (1, 1), "{}", sample.name);
    });
}

#[test]
fn a_page_asks_for_one_thing() {
    every_page("Example", |sample, _, html| {
        let primary = tags(html)
            .unwrap()
            .iter()
            .filter(|tag| tag.has_class("primary"))
            .count();
        let reads_only = [
            "check-",
            "help",
            "error-",
            "login-approved",
            "login-refused",
            "login-gone",
            "dev-mailbox",
            "account",
        ];
        let least = usize::from(!reads_only.iter().any(|name| sample.name.starts_with(name)));
        assert!(
            (least..=1).contains(&primary),
            "{} has {primary} primary buttons",
            sample.name
        );
    });
}

#[test]
fn the_focus_goes_to_one_place_and_to_what_is_wrong_first() {
    every_page("Example", |sample, _, html| {
        let tags = tags(html).unwrap();
        let focused: Vec<&Tag<'_>> = tags.iter().filter(|tag| tag.attribute("autofocus").is_some()).collect();
        assert!(focused.len() <= 1, "{}: {focused:?}", sample.name);
        if let Some(alert) = tags.iter().find(|tag| tag.attribute("role") == Some("alert")) {
            assert!(
                alert.attribute("autofocus").is_some() && alert.attribute("tabindex") == Some("-1"),
                "{}",
                sample.name
            );
        }
    });
}

#[test]
fn what_is_wrong_stands_beside_its_field_and_on_top() {
    for sample in samples() {
        let html = sample.page.render(&shell(Locale::En, "Example", sample.signed_in));
        let tags = tags(&html).unwrap();
        let invalid: Vec<&str> = tags
            .iter()
            .filter(|tag| tag.attribute("aria-invalid") == Some("true"))
            .filter_map(|tag| tag.attribute("id"))
            .collect();
        let linked: Vec<&str> = tags
            .iter()
            .filter(|tag| tag.name == "a" && tag.path.contains(&"main") && tag.attribute("class").is_none())
            .filter_map(|tag| tag.attribute("href")?.strip_prefix('#'))
            .collect();
        assert_eq!(invalid, linked, "{}", sample.name);
    }
}

#[test]
fn the_fact_on_top_is_the_first_sentence() {
    let trouble = |text: &str| super::Trouble {
        field: "code",
        text: text.to_owned(),
    };
    assert_eq!(
        trouble("That code is not right. Codes have 8 characters.").fact(),
        "That code is not right"
    );
    assert_eq!(
        trouble("Type the code from our message.").fact(),
        "Type the code from our message."
    );
}

#[test]
fn forms_keep_what_is_typed_out_of_addresses() {
    every_page("Example", |sample, _, html| {
        for form in tags(html).unwrap().iter().filter(|tag| tag.name == "form") {
            assert_eq!(form.attribute("method"), Some("post"), "{}", sample.name);
            assert!(!form.attribute("action").unwrap().contains('?'), "{}", sample.name);
        }
    });
}

#[test]
fn no_message_is_missing_or_lacks_a_value() {
    every_page("Example", |sample, locale, html| {
        for hole in [MISSING, "{ $", "{$", "NaN"] {
            assert!(
                !html.contains(hole),
                "{} ({locale:?}) holds {hole}:\n{html}",
                sample.name
            );
        }
    });
}

#[test]
fn every_page_says_its_language_and_offers_the_others() {
    every_page("Example", |sample, locale, html| {
        assert!(
            html.contains(&format!(r#"<html lang="{}">"#, locale.tag())),
            "{}",
            sample.name
        );
        for other in Locale::ALL {
            assert!(
                html.contains(&format!(r#"href="?lang={}""#, other.tag())),
                "{}",
                sample.name
            );
        }
    });
}

#[test]
fn names_of_samples_are_told_apart() {
    let names: Vec<&str> = samples().iter().map(|sample| sample.name).collect();
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
}

/// What names wrong, unknown and held accounts alike.
#[test]
fn a_denied_sign_in_says_the_one_text() {
    let sample = samples()
        .into_iter()
        .find(|sample| sample.name == "sign-in-denied")
        .unwrap();
    let html = sample.page.render(&shell(Locale::En, "Example", false));
    assert!(html.contains(
        "That did not work. Check what you typed, or get a new password. If a leak made us turn yours off, a new one lets you back in."
    ));
    assert!(
        !html.contains("aria-invalid"),
        "neither field is told to be the wrong one"
    );
}

#[test]
fn our_own_leak_blames_nobody_else() {
    for locale in Locale::ALL {
        let args = fluent_bundle::FluentArgs::new();
        let text = words::text(locale, "leak-source-ours", &args).to_lowercase();
        for blame in ["another", "other site", "website", "anderen", "fremden"] {
            assert!(!text.contains(blame), "{text}");
        }
    }
    let sample = samples()
        .into_iter()
        .find(|sample| sample.name == "password-turned-off-ours")
        .unwrap();
    let html = sample.page.render(&shell(Locale::En, "Example", false));
    assert!(!html.contains("itself was not broken into"));
}

/// The messages of a language as they are written: id to text.
fn messages(locale: Locale) -> BTreeMap<&'static str, String> {
    let mut found = BTreeMap::new();
    let mut id = "";
    for line in words::source(locale).lines().filter(|line| !line.starts_with('#')) {
        if line.starts_with([' ', '\t']) {
            let text: &mut String = found.get_mut(id).expect("a text belongs to a message");
            text.push('\n');
            text.push_str(line.trim());
        } else if let Some((name, text)) = line.split_once(" =") {
            assert!(
                found.insert(name, text.trim().to_owned()).is_none(),
                "{name} stands twice ({locale:?})"
            );
            id = name;
        } else {
            assert!(line.trim().is_empty(), "`{line}` belongs to no message ({locale:?})");
        }
    }
    found
}

/// The variables of a text.
fn variables(text: &str) -> BTreeSet<&str> {
    text.split('$')
        .skip(1)
        .map(|rest| {
            rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                .next()
                .unwrap_or(rest)
        })
        .collect()
}

#[test]
fn every_language_has_the_same_messages_with_the_same_variables() {
    let source = messages(Locale::En);
    for locale in Locale::ALL {
        let translated = messages(locale);
        assert_eq!(
            source.keys().collect::<Vec<_>>(),
            translated.keys().collect::<Vec<_>>(),
            "{locale:?}"
        );
        for (id, text) in &source {
            assert_eq!(variables(text), variables(&translated[id]), "{id} ({locale:?})");
        }
    }
}

#[test]
fn every_message_parses_and_is_used() {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let used = ["src", "templates"]
        .map(|folder| written_in(&crate_folder.join(folder)))
        .concat();
    for locale in Locale::ALL {
        let source = words::source(locale).to_owned();
        assert!(
            fluent_bundle::FluentResource::try_new(source).is_ok(),
            "{locale:?} does not parse"
        );
    }
    for id in messages(Locale::En).keys() {
        assert!(used.contains(&format!("\"{id}\"")), "nothing says {id}");
    }
}

/// All that is written in the files of a folder.
fn written_in(folder: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        all += &if path.is_dir() {
            written_in(&path)
        } else {
            fs::read_to_string(&path).unwrap()
        };
    }
    all
}

#[test]
fn texts_do_not_shout() {
    let loud = [
        "!",
        "urgent",
        "immediately",
        "suspended",
        "dringend",
        "unverzüglich",
        "sofort",
        "gesperrt",
        "http",
        "www.",
    ];
    for locale in Locale::ALL {
        for (id, text) in messages(locale) {
            let text = text.to_lowercase();
            assert!(
                loud.iter().all(|word| !text.contains(word)),
                "{id} ({locale:?}): {text}"
            );
        }
    }
}

#[test]
fn what_others_wrote_is_escaped() {
    let page = super::sign_in::SignIn {
        identifier: r#""><img src=x onerror=alert(1)>"#.to_owned(),
        note: None,
        problem: None,
        sign_up: false,
    };
    let html = super::Page::render(&page, &shell(Locale::En, HOSTILE_NAME, false));
    assert!(!html.contains("<img") && !html.contains("<i>"));
    assert!(tags(&html).is_ok());
}

#[test]
fn what_is_not_well_formed_is_found() {
    for (html, wrong) in [
        ("<!doctype html><p>", "not closed"),
        ("<!doctype html><p></div>", "where"),
        ("<!doctype html><p><ul></ul></p>", "inside `p`"),
        ("<!doctype html><a href=x></a>", "no attribute"),
        ("<!doctype html><a b=\"1\" b=\"2\"></a>", "twice"),
        ("<!doctype html><a><a></a></a>", "inside `a`"),
    ] {
        let found = tags(html).unwrap_err();
        assert!(found.contains(wrong), "{html}: {found}");
    }
}
