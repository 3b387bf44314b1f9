//! The texts of notices: Fluent, from `locales/`, built into the binary.

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

use crate::locale::Locale;

pub(crate) const ENGLISH: &str = include_str!("../../../locales/en/notices.ftl");
pub(crate) const GERMAN: &str = include_str!("../../../locales/de/notices.ftl");

static EN: LazyLock<Texts> = LazyLock::new(|| Texts::read(Locale::En, ENGLISH));
static DE: LazyLock<Texts> = LazyLock::new(|| Texts::read(Locale::De, GERMAN));

/// All texts of one language.
pub(crate) struct Texts(FluentBundle<FluentResource>);

impl Texts {
    /// The texts of this language.
    pub(crate) fn of(locale: Locale) -> &'static Self {
        match locale {
            Locale::En => &EN,
            Locale::De => &DE,
        }
    }

    fn read(locale: Locale, source: &str) -> Self {
        let language: LanguageIdentifier = locale.word().parse().expect("our words are language tags");
        let resource =
            FluentResource::try_new(source.to_owned()).expect("the built-in texts are Fluent, as tests show");
        let mut bundle = FluentBundle::new_concurrent(vec![language]);
        // Isolation marks are invisible characters; in a subject and in plain text some clients show them as boxes.
        bundle.set_use_isolating(false);
        bundle
            .add_resource(resource)
            .expect("no id stands twice, as tests show");
        Self(bundle)
    }

    /// The text of an id. Arguments are put in as they are and never read as Fluent; escaping is up to who shows the text.
    ///
    /// # Panics
    /// When the text or one of its variables is missing: a mistake in this crate, which its tests find by saying everything.
    pub(crate) fn say(&self, id: &str, arguments: &[(&'static str, FluentValue<'_>)]) -> String {
        let pattern = self
            .0
            .get_message(id)
            .and_then(|message| message.value())
            .unwrap_or_else(|| panic!("there is no text `{id}` in {:?}", self.0.locales));
        let arguments: FluentArgs<'_> = arguments.iter().map(|(name, value)| (*name, value.clone())).collect();
        let mut errors = Vec::new();
        let text = self
            .0
            .format_pattern(pattern, Some(&arguments), &mut errors)
            .into_owned();
        assert!(
            errors.is_empty(),
            "`{id}` in {:?} misses an argument: {errors:?}",
            self.0.locales
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// Ids with the variables that their texts use.
    fn variables(source: &str) -> BTreeMap<String, BTreeSet<String>> {
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut id = String::new();
        for line in source.lines().filter(|line| !line.starts_with('#')) {
            if !line.starts_with([' ', '}', '\t'])
                && let Some((name, _)) = line.split_once(" =")
            {
                id = name.to_owned();
                assert!(
                    found.insert(id.clone(), BTreeSet::new()).is_none(),
                    "`{id}` stands twice"
                );
            }
            for part in line.split('$').skip(1) {
                let end = part
                    .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
                    .unwrap_or(part.len());
                found.get_mut(&id).unwrap().insert(part[..end].to_owned());
            }
        }
        found
    }

    #[test]
    fn every_language_has_the_same_texts_with_the_same_variables() {
        assert_eq!(variables(ENGLISH), variables(GERMAN));
    }

    #[test]
    fn every_text_is_used() {
        let code = concat!(include_str!("letter.rs"), include_str!("moment.rs"));
        for id in variables(ENGLISH).keys() {
            assert!(code.contains(&format!("\"{id}\"")), "nothing says `{id}`");
        }
    }
}
