//! QR codes for authenticator apps, as inline SVG without scripts or styles.

use qrcode::{Color, EcLevel, QrCode};
use std::fmt::Write as _;

/// Light modules that readers need around a code (ISO/IEC 18004 section 5.3.8).
const QUIET_ZONE: usize = 4;

/// A QR code, drawn. Pages write it as it is, so it holds nothing but what [`QrSvg::of`] draws.
pub struct QrSvg(String);

impl QrSvg {
    /// Draws the text (an `otpauth:` address). `None` when it is longer than a QR code of medium error correction holds, 2331 bytes.
    pub fn of(text: &str) -> Option<Self> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
        let side = code.width() + 2 * QUIET_ZONE;
        // Dark on white whatever the theme: many readers do not take an inverted code.
        Some(Self(format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges" aria-hidden="true"><path fill="#fff" d="M0 0h{side}v{side}H0z"/><path fill="#000" d="{}"/></svg>"##,
            outline(&code)
        )))
    }

    pub(super) fn svg(&self) -> &str {
        &self.0
    }
}

/// The dark modules, row by row, neighbours in one stroke.
fn outline(code: &QrCode) -> String {
    let mut path = String::new();
    for (row, modules) in code.to_colors().chunks(code.width()).enumerate() {
        let mut column = 0;
        for run in modules.chunk_by(|one, other| one == other) {
            if run.first() == Some(&Color::Dark) {
                let (x, y, length) = (column + QUIET_ZONE, row + QUIET_ZONE, run.len());
                write!(path, "M{x} {y}h{length}v1h-{length}z").expect("a String takes whatever is written");
            }
            column += run.len();
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dark_module_is_drawn_once() {
        let text = "otpauth://totp/Example:anna@example.com?secret=JBSWY3DPEHPK3PXP&issuer=Example";
        let code = QrCode::with_error_correction_level(text, EcLevel::M).unwrap();
        let dark = code
            .to_colors()
            .into_iter()
            .filter(|color| *color == Color::Dark)
            .count();
        let svg = QrSvg::of(text).unwrap();
        let drawn: usize = svg
            .svg()
            .split("v1h-")
            .skip(1)
            .map(|rest| rest.split('z').next().unwrap().parse::<usize>().unwrap())
            .sum();
        assert_eq!(drawn, dark);
    }

    #[test]
    fn the_text_itself_is_not_in_the_drawing() {
        let svg = QrSvg::of("<script>JBSWY3DPEHPK3PXP").unwrap();
        assert!(!svg.svg().contains("script") && !svg.svg().contains("JBSW") && !svg.svg().contains("style="));
    }

    #[test]
    fn what_no_code_holds_is_refused() {
        assert!(QrSvg::of(&"x".repeat(2331)).is_some());
        assert!(QrSvg::of(&"x".repeat(2332)).is_none());
    }
}
