//! The panel's colours: deep blue and paper white, one accent, red only for live and stop.

use embedded_graphics::pixelcolor::Rgb888;

/// The ground of everything.
pub(super) const DEEP: Rgb888 = Rgb888::new(0x0a, 0x26, 0x4a);
/// Buttons that are not pressed often, on the ground.
pub(super) const DEEP_RAISED: Rgb888 = Rgb888::new(0x16, 0x3a, 0x69);
/// Cards, and text on the ground.
pub(super) const PAPER: Rgb888 = Rgb888::new(0xfb, 0xf8, 0xf0);
/// Frames and fields on cards.
pub(super) const PAPER_DARK: Rgb888 = Rgb888::new(0xe9, 0xe4, 0xd6);
/// Text on cards.
pub(super) const INK: Rgb888 = Rgb888::new(0x0a, 0x1c, 0x36);
/// Text on cards that matters less.
pub(super) const INK_SOFT: Rgb888 = Rgb888::new(0x3a, 0x46, 0x58);
/// Text on the ground that matters less.
pub(super) const PAPER_SOFT: Rgb888 = Rgb888::new(0xc9, 0xd3, 0xe0);
/// The one accent: what to do next.
pub(super) const ACCENT: Rgb888 = Rgb888::new(0xff, 0xc8, 0x2e);
/// Live and stop.
pub(super) const RED: Rgb888 = Rgb888::new(0xa8, 0x12, 0x1e);
/// Text on red.
pub(super) const WHITE: Rgb888 = Rgb888::new(0xff, 0xff, 0xff);
/// The flags' own blue.
pub(super) const FLAG_BLUE: Rgb888 = Rgb888::new(0x1f, 0x5f, 0xbf);
/// The flags' own red.
pub(super) const FLAG_RED: Rgb888 = Rgb888::new(0xd0, 0x1f, 0x2e);

/// Every pair of a text's colour and what it stands on.
#[cfg(test)]
pub(super) const TEXT_PAIRS: [(&str, Rgb888, Rgb888); 10] = [
    ("text on the ground", PAPER, DEEP),
    ("soft text on the ground", PAPER_SOFT, DEEP),
    ("accent on the ground", ACCENT, DEEP),
    ("text on a raised button", PAPER, DEEP_RAISED),
    ("text on a card", INK, PAPER),
    ("soft text on a card", INK_SOFT, PAPER),
    ("text in a field", INK, PAPER_DARK),
    ("soft text in a field", INK_SOFT, PAPER_DARK),
    ("text on the accent", INK, ACCENT),
    ("text on red", WHITE, RED),
];

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_graphics::pixelcolor::RgbColor;

    /// Relative luminance. Source: WCAG 2.1.
    fn luminance(color: Rgb888) -> f64 {
        let channel = |value: u8| {
            let share = f64::from(value) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(color.r()) + 0.7152 * channel(color.g()) + 0.0722 * channel(color.b())
    }

    fn contrast(one: Rgb888, other: Rgb888) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn every_text_has_a_contrast_of_at_least_seven() {
        assert!((contrast(Rgb888::new(0, 0, 0), WHITE) - 21.0).abs() < 0.01);
        for (pair, text, ground) in TEXT_PAIRS {
            let contrast = contrast(text, ground);
            assert!(contrast >= 7.0, "{pair}: {contrast:.2}");
        }
    }
}
