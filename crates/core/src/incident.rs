//! Incidents: how they are named.

/// What an incident is named by in addresses and commands: lower-case letters of ASCII, digits and single hyphens, 1 to 60 of them,
/// a letter or digit at both ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slug(String);

/// The most characters of a slug.
const MOST: usize = 60;

impl Slug {
    /// A slug that somebody wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let parts_are_plain = text.split('-').all(|part| !part.is_empty() && part.bytes().all(plain));
        (parts_are_plain && text.len() <= MOST).then(|| Self(text.to_owned()))
    }

    /// The slug of a title; `None` when nothing of it can stand in one.
    pub fn of_title(title: &str) -> Option<Self> {
        let lower = title.to_lowercase();
        let words = lower
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty());
        let mut slug = String::new();
        for word in words {
            let hyphen = usize::from(!slug.is_empty());
            if slug.len() + hyphen + word.len() > MOST {
                break;
            }
            if hyphen == 1 {
                slug.push('-');
            }
            slug.push_str(word);
        }
        Self::parse(&slug)
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_plain() {
        for good in ["a", "forum-breach-2026", "7"] {
            assert_eq!(Slug::parse(good).as_ref().map(Slug::text), Some(good));
        }
        for bad in ["", "-a", "a-", "a--b", "A", "a b", "ä", "a/b", "..", &"x".repeat(61)] {
            assert_eq!(Slug::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_title_becomes_a_slug() {
        let of = |title| Slug::of_title(title).map(|slug| slug.text().to_owned());
        assert_eq!(
            of("The forum's breach, 2026!").as_deref(),
            Some("the-forum-s-breach-2026")
        );
        assert_eq!(of("Überfall"), Some("berfall".to_owned()));
        assert_eq!(of("…"), None);
        assert!(of(&"word ".repeat(40)).is_some_and(|slug| slug.len() <= MOST));
    }
}
