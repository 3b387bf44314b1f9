//! The site's name, logo and accent colour on our pages, and whether the colour can be read.

use super::assets::path_of;
use crate::words::Locale;
use std::fmt;
use std::sync::Arc;

/// How a site appears on its pages; from configuration, read once.
#[derive(Clone, Debug)]
pub struct Branding {
    /// The name that owners know the site by, as it stands in titles and sentences.
    pub site_name: String,
    /// The logo; `None` shows the name in letters. It is drawn 2.5 rem high.
    pub logo: Option<Logo>,
    /// The one colour that is not ours.
    pub accent: Accent,
    /// Languages that pages are offered in; the first is for visitors whose wishes we cannot meet.
    pub languages: Vec<Locale>,
}

impl Branding {
    /// A site with our own accent, no logo and every language.
    pub fn named(site_name: &str) -> Self {
        Self {
            site_name: site_name.to_owned(),
            logo: None,
            accent: Accent::default(),
            languages: Locale::ALL.to_vec(),
        }
    }

    /// The second, small stylesheet: the accent for both themes. Served at [`Branding::stylesheet_path`].
    pub fn stylesheet(&self) -> String {
        let (light, dark) = (self.accent.on(Theme::Light), self.accent.on(Theme::Dark));
        format!(":root {{ {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n")
    }

    /// Where [`Branding::stylesheet`] is served; changes with its content.
    pub fn stylesheet_path(&self) -> String {
        path_of("brand", self.stylesheet().as_bytes(), "css")
    }

    /// A small picture for tabs and bookmarks: the first letter of the name on the accent. Served at [`Branding::icon_path`].
    pub fn icon(&self) -> String {
        let tones = self.accent.on(Theme::Light);
        let letter = self
            .site_name
            .chars()
            .find(|letter| letter.is_alphanumeric())
            .unwrap_or('·');
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="{}"/><text x="16" y="22.5" font-family="Georgia,serif" font-size="19" text-anchor="middle" fill="{}">{}</text></svg>"#,
            tones.accent,
            tones.on_accent,
            letter.to_uppercase()
        )
    }

    /// Where [`Branding::icon`] is served; changes with its content.
    pub fn icon_path(&self) -> String {
        path_of("icon", self.icon().as_bytes(), "svg")
    }
}

/// A picture in the place of the site's name. Served at [`Logo::path`].
#[derive(Clone)]
pub struct Logo {
    bytes: Arc<[u8]>,
    is_svg: bool,
}

impl fmt::Debug for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Logo({})", self.content_type())
    }
}

impl Logo {
    /// The most bytes that it may have: it is on every page.
    pub const MOST_BYTES: usize = 256 * 1024;

    /// Reads PNG or SVG, told by what is in it and not by its name: what it is served as is what it is, so that no browser takes
    /// it for a page. `None` for anything else, and for what is too large.
    ///
    /// An SVG may hold scripts. In a page they do not run, for it is shown as a picture; opened by itself they do not either, for
    /// our content security policy knows none.
    pub fn read(bytes: Vec<u8>) -> Option<Self> {
        let is_png = bytes.starts_with(b"\x89PNG\r\n\x1a\n");
        let text = std::str::from_utf8(&bytes).unwrap_or_default();
        let text = text.trim_start_matches('\u{feff}').trim_start();
        let is_svg = text.starts_with("<svg") || text.starts_with("<?xml") && text.contains("<svg");
        ((is_png || is_svg) && bytes.len() <= Self::MOST_BYTES).then(|| Self {
            bytes: bytes.into(),
            is_svg,
        })
    }

    /// Where it is served; changes with its content.
    pub fn path(&self) -> String {
        path_of("logo", &self.bytes, if self.is_svg { "svg" } else { "png" })
    }

    pub(crate) fn content_type(&self) -> &'static str {
        if self.is_svg { "image/svg+xml" } else { "image/png" }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// An sRGB colour.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Color([u8; 3]);

impl Color {
    const BLACK: Self = Self([0; 3]);
    const WHITE: Self = Self([255; 3]);

    /// Reads `#rrggbb`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text
            .strip_prefix('#')
            .filter(|digits| digits.len() == 6 && digits.is_ascii())?;
        let part = |index: usize| u8::from_str_radix(digits.get(index..index + 2)?, 16).ok();
        // `from_str_radix` takes a sign, a colour has none.
        let all_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        all_hex.then_some(Self([part(0)?, part(2)?, part(4)?]))
    }

    /// Relative luminance, 0 to 1 (WCAG 2.2).
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// Contrast ratio with another colour, 1 to 21 (WCAG 2.2, success criterion 1.4.3).
    pub fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// This colour with its lightness moved by `percent` of the way to that of black or white. Mixing them in would make it grey.
    fn nearer(self, end: Self, percent: u32) -> Self {
        let [red, green, blue] = self.0.map(|part| f64::from(part) / 255.0);
        let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
        let lightness = f64::midpoint(most, least);
        let room = |lightness: f64| 1.0 - (2.0 * lightness - 1.0).abs();
        let moved = lightness + (end.luminance() - lightness) * f64::from(percent) / 100.0;
        // Hue and saturation (HSL) stay while every part keeps its place between least and most.
        let stretch = if room(lightness) > 0.0 {
            room(moved) / room(lightness)
        } else {
            0.0
        };
        Self([red, green, blue].map(|part| byte(moved + (part - lightness) * stretch)))
    }

    /// This colour with `percent` of another stirred in.
    fn mixed(self, other: Self, percent: u32) -> Self {
        let mut parts = [0; 3];
        for (part, (own, foreign)) in parts.iter_mut().zip(self.0.into_iter().zip(other.0)) {
            let sum = u32::from(own) * (100 - percent) + u32::from(foreign) * percent;
            *part = u8::try_from((sum + 50) / 100).expect("a mean of two bytes is a byte");
        }
        Self(parts)
    }
}

/// A part of a colour, from 0 to 1, as a byte.
fn byte(part: f64) -> u8 {
    // From 0 to 255 after the clamp, so the cast cuts nothing.
    (part.clamp(0.0, 1.0) * 255.0).round() as u8
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl fmt::Debug for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The least contrast of text with what it stands on (WCAG 2.2 AA, 1.4.3).
pub const LEAST_CONTRAST: f64 = 4.5;

/// Light or dark, as the visitor's system asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Theme {
    Light,
    Dark,
}

impl Theme {
    /// What accented text stands on: the values of `--card` and `--page` in the stylesheet.
    const fn surfaces(self) -> [Color; 2] {
        match self {
            Self::Light => [Color([0xff, 0xfd, 0xf9]), Color([0xf5, 0xf0, 0xe7])],
            Self::Dark => [Color([0x25, 0x22, 0x1f]), Color([0x1a, 0x18, 0x16])],
        }
    }

    /// Away from the surfaces: towards this a colour is moved until it can be read.
    const fn away(self) -> Color {
        match self {
            Self::Light => Color::BLACK,
            Self::Dark => Color::WHITE,
        }
    }
}

/// The accent colour. Whatever a site configures, what we draw with it has a contrast of at least [`LEAST_CONTRAST`]: a colour that
/// has less is darkened (light theme) or lightened (dark theme) just as far as that takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accent(Color);

impl Default for Accent {
    /// A quiet green, that of old bottles.
    fn default() -> Self {
        Self(Color([0x2c, 0x5f, 0x54]))
    }
}

impl Accent {
    /// Reads `#rrggbb`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        Color::parse(text).map(Self)
    }

    /// The colour that stands in for this one on light pages because this one could not be read there; `None` when it is used as it
    /// is. For the operator to be told at start.
    pub fn replaced_by(self) -> Option<Color> {
        Some(self.on(Theme::Light).accent).filter(|drawn| *drawn != self.0)
    }

    fn on(self, theme: Theme) -> Tones {
        let [card, _] = theme.surfaces();
        let accent = readable(self.0, theme);
        Tones {
            accent,
            on_accent: readable_on(accent),
            strong: accent.mixed(theme.away(), 18),
            soft: soft(accent, card),
        }
    }
}

/// The accent as a breath on the card, behind what we want to be seen first.
fn soft(accent: Color, card: Color) -> Color {
    card.mixed(accent, 11)
}

/// The colour, darker or lighter until it can be read on the theme's surfaces and on a breath of itself; its hue stays.
fn readable(color: Color, theme: Theme) -> Color {
    let [card, page] = theme.surfaces();
    (0..=100)
        .map(|percent| color.nearer(theme.away(), percent))
        .find(|tone| {
            [card, page, soft(*tone, card)]
                .iter()
                .all(|surface| tone.contrast(*surface) >= LEAST_CONTRAST)
        })
        .unwrap_or(theme.away())
}

/// Black or white, whichever is read better on the colour. One of them always has a contrast of at least 4.58.
fn readable_on(color: Color) -> Color {
    if color.contrast(Color::WHITE) >= LEAST_CONTRAST {
        Color::WHITE
    } else {
        Color([0x12, 0x11, 0x10])
    }
}

/// What is drawn with the accent in one theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tones {
    /// Links, buttons, the ring around what has the focus.
    accent: Color,
    /// Text on a button.
    on_accent: Color,
    /// A button under the pointer.
    strong: Color,
    /// Behind the one next thing.
    soft: Color,
}

impl fmt::Display for Tones {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            accent,
            on_accent,
            strong,
            soft,
        } = self;
        write!(
            f,
            "--accent: {accent}; --on-accent: {on_accent}; --accent-strong: {strong}; --accent-soft: {soft};"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::assets::STYLESHEET;

    const THEMES: [Theme; 2] = [Theme::Light, Theme::Dark];

    /// A grid over all colours, the corners included.
    fn colors() -> impl Iterator<Item = Color> {
        let steps = || (0..=255).step_by(15).map(|part| u8::try_from(part).unwrap());
        steps().flat_map(move |red| steps().flat_map(move |green| steps().map(move |blue| Color([red, green, blue]))))
    }

    #[test]
    fn contrasts_are_those_of_the_standard() {
        assert!((Color::BLACK.contrast(Color::WHITE) - 21.0).abs() < 1e-9);
        assert!((Color::WHITE.contrast(Color::WHITE) - 1.0).abs() < 1e-9);
        // A well-known pair: #767676 is the lightest grey that passes on white.
        assert!(Color([0x76; 3]).contrast(Color::WHITE) >= LEAST_CONTRAST);
        assert!(Color([0x77; 3]).contrast(Color::WHITE) < LEAST_CONTRAST);
    }

    #[test]
    fn whatever_the_accent_it_can_be_read() {
        for color in colors() {
            for theme in THEMES {
                let tones = Accent(color).on(theme);
                for surface in theme.surfaces().into_iter().chain([tones.soft]) {
                    let contrast = tones.accent.contrast(surface);
                    assert!(
                        contrast >= LEAST_CONTRAST,
                        "{color} on {surface}, {theme:?}: {contrast:.2}"
                    );
                }
                for button in [tones.accent, tones.strong] {
                    let contrast = tones.on_accent.contrast(button);
                    assert!(contrast >= LEAST_CONTRAST, "text on {button}, {theme:?}: {contrast:.2}");
                }
            }
        }
    }

    #[test]
    fn an_accent_that_can_be_read_is_left_alone() {
        assert_eq!(Accent::default().replaced_by(), None);
        assert_eq!(Accent::parse("#1a4fa0").unwrap().replaced_by(), None);
        assert!(Accent::parse("#ffd400").unwrap().replaced_by().is_some());
    }

    #[test]
    fn only_six_digits_are_a_color() {
        assert_eq!(Color::parse("#2C5f54"), Some(Color([0x2c, 0x5f, 0x54])));
        for wrong in [
            "",
            "2c5f54",
            "#2c5f5",
            "#2c5f544",
            "#gg0000",
            "#+1+1+1",
            "red",
            "#2c5f5é",
            "#000; } body { x:",
        ] {
            assert_eq!(Color::parse(wrong), None, "{wrong}");
        }
    }

    /// The value of a custom property in each theme, as the stylesheet has it.
    fn in_stylesheet(name: &str) -> [Color; 2] {
        let values: Vec<Color> = STYLESHEET
            .split(&format!("--{name}: "))
            .skip(1)
            .map(|rest| Color::parse(&rest[..7]).unwrap())
            .collect();
        values
            .try_into()
            .unwrap_or_else(|found: Vec<_>| panic!("--{name} is set {} times, not twice", found.len()))
    }

    #[test]
    fn the_surfaces_are_those_of_the_stylesheet() {
        for (index, theme) in THEMES.into_iter().enumerate() {
            let drawn = [in_stylesheet("card")[index], in_stylesheet("page")[index]];
            assert_eq!(theme.surfaces(), drawn, "{theme:?}");
        }
    }

    #[test]
    fn every_text_of_the_stylesheet_can_be_read() {
        for surface in ["page", "card", "well"] {
            for text in ["ink", "quiet", "wrong"] {
                for (surface, text) in in_stylesheet(surface).into_iter().zip(in_stylesheet(text)) {
                    assert!(
                        text.contrast(surface) >= LEAST_CONTRAST,
                        "{text} on {surface}: {:.2}",
                        text.contrast(surface)
                    );
                }
            }
            // The edge of a field must be seen (WCAG 2.2, 1.4.11).
            for (surface, edge) in in_stylesheet(surface).into_iter().zip(in_stylesheet("edge")) {
                assert!(
                    edge.contrast(surface) >= 3.0,
                    "{edge} on {surface}: {:.2}",
                    edge.contrast(surface)
                );
            }
        }
    }

    #[test]
    fn a_logo_is_png_or_svg_by_what_is_in_it() {
        let logo = |bytes: &[u8]| Logo::read(bytes.to_vec()).map(|logo| logo.content_type());
        assert_eq!(logo(b"\x89PNG\r\n\x1a\nand so on"), Some("image/png"));
        for svg in [
            "<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
            "\u{feff}\n <svg/>",
            "<?xml version=\"1.0\"?>\n<!-- ours -->\n<svg/>",
        ] {
            assert_eq!(logo(svg.as_bytes()), Some("image/svg+xml"), "{svg}");
        }
        for other in [
            &b""[..],
            b"GIF89a",
            b"\xff\xd8\xff\xe0",
            b"<html><svg/></html>",
            b"<!doctype html><svg/>",
            b"<?xml version=\"1.0\"?><html/>",
            b"PNG",
            b"<svg/>\xff",
        ] {
            assert_eq!(logo(other), None, "{other:?}");
        }
        let mut large = b"<svg/>".to_vec();
        large.resize(Logo::MOST_BYTES, b' ');
        assert!(Logo::read(large.clone()).is_some());
        large.push(b' ');
        assert!(Logo::read(large).is_none());
    }

    #[test]
    fn the_icon_escapes_nothing_because_it_shows_one_letter() {
        let icon = Branding::named("<Ünder & Co>").icon();
        assert!(icon.contains(">Ü</text>"));
        assert!(Branding::named("<>").icon().contains(">·</text>"));
    }
}
