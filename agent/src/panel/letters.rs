//! Scalable letters: measuring, breaking and fitting text, and drawing it into strips.
//!
//! The fonts are DejaVu Sans, reduced when the agent is built (`build.rs`). Their licence is in
//! `FONT-LICENSE.txt` beside this file.

use std::collections::HashMap;
use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, PxScale, ScaleFont, point};
use embedded_graphics::pixelcolor::Rgb888;
use lotse_hal::{Rect, Strip};

/// Bytes of drawn letters that are kept for the next strip.
const MAX_CACHE: usize = 256 * 1024;
/// A line's height as a share of its letters' height.
const LINE: f32 = 1.04;
/// How much smaller the next size is that is tried.
const SHRINK: f32 = 0.95;
/// The smallest letters that are still read, in pixels from ascender to descender.
pub(super) const MIN_PX: f32 = 9.0;

/// How heavy letters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Weight {
    /// For text.
    Regular,
    /// For what must be seen first.
    Bold,
}

impl Weight {
    fn font(self) -> &'static FontRef<'static> {
        static REGULAR: LazyLock<FontRef<'static>> = LazyLock::new(|| {
            embedded(include_bytes!(concat!(env!("OUT_DIR"), "/panel-regular.ttf")))
        });
        static BOLD: LazyLock<FontRef<'static>> =
            LazyLock::new(|| embedded(include_bytes!(concat!(env!("OUT_DIR"), "/panel-bold.ttf"))));
        match self {
            Self::Regular => &REGULAR,
            Self::Bold => &BOLD,
        }
    }
}

#[expect(clippy::expect_used, reason = "build.rs makes the fonts; every test here reads them")]
fn embedded(font: &'static [u8]) -> FontRef<'static> {
    FontRef::try_from_slice(font).expect("the agent's own font")
}

/// Whether the panel can show a letter.
pub(super) fn has(letter: char) -> bool {
    [Weight::Regular, Weight::Bold].iter().all(|weight| weight.font().glyph_id(letter).0 != 0)
}

/// The width of a line in pixels, for letters that are `px` high from ascender to descender.
pub(super) fn width(text: &str, weight: Weight, px: f32) -> f32 {
    let font = weight.font().as_scaled(PxScale::from(px));
    text.chars().map(|letter| font.h_advance(font.glyph_id(letter))).sum()
}

/// The height of so many lines in pixels.
pub(super) fn height(lines: usize, px: f32) -> f32 {
    lines as f32 * px * LINE
}

/// Breaks a text into lines; a word that is too long alone sticks out.
fn wrap(text: &str, weight: Weight, px: f32, room: f32) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if !line.is_empty() && width(&longer, weight, px) > room {
                lines.push(std::mem::replace(&mut line, word.to_owned()));
            } else {
                line = longer;
            }
        }
        lines.push(line);
    }
    lines
}

/// The next size that is tried.
pub(super) fn smaller(px: f32) -> f32 {
    (px * SHRINK).max(MIN_PX)
}

/// A text in its final size and lines.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fitted {
    /// Pixels from ascender to descender.
    pub(super) px: f32,
    pub(super) lines: Vec<String>,
    /// Whether all of it is within its place.
    pub(super) fits: bool,
}

/// Breaks a text so that it fits in a place, as large as `px` allows and no smaller than needed.
pub(super) fn fit(text: &str, weight: Weight, px: f32, room: Rect) -> Fitted {
    let (across, down) = (room.width as f32, room.height as f32);
    let mut px = px.max(MIN_PX);
    loop {
        let lines = wrap(text, weight, px, across);
        let fits = height(lines.len(), px) <= down
            && lines.iter().all(|line| width(line, weight, px) <= across);
        if fits || px <= MIN_PX {
            return Fitted { px, lines, fits };
        }
        px = smaller(px);
    }
}

/// A line no wider than its room; what is cut off is replaced by an ellipsis.
pub(super) fn cut(text: &str, weight: Weight, px: f32, room: f32) -> String {
    let mut line = text.to_owned();
    let mut shown = text.trim_end();
    while width(&line, weight, px) > room && !shown.is_empty() {
        let mut letters = shown.chars();
        letters.next_back();
        shown = letters.as_str().trim_end();
        line = format!("{shown}…");
    }
    line
}

/// A letter's coverage, drawn once.
struct Drawn {
    /// From the pen's place to the left edge and, down, to the upper edge.
    left: i32,
    top: i32,
    width: usize,
    coverage: Vec<u8>,
}

/// A letter in one size: weight, glyph, and the bits of the size.
type Key = (Weight, u16, u32);

/// Letters that were drawn before, at most [`MAX_CACHE`] bytes of them.
#[derive(Default)]
pub(super) struct Letters {
    drawn: HashMap<Key, Drawn>,
    bytes: usize,
}

impl Letters {
    /// Draws one line with its upper left corner at a place, as far as the strip shows it.
    pub(super) fn draw(
        &mut self,
        strip: &mut Strip<'_>,
        line: &str,
        (weight, px): (Weight, f32),
        (x, y): (f32, f32),
        color: Rgb888,
    ) {
        let (top, bottom) = (strip.area.y as f32, (strip.area.y + strip.area.height) as f32);
        if y + px * 1.2 < top || y - px * 0.2 > bottom {
            return;
        }
        let font = weight.font().as_scaled(PxScale::from(px));
        let baseline = (y + font.ascent()).round() as i32;
        let mut pen = x;
        for letter in line.chars() {
            let glyph = font.glyph_id(letter);
            let at = (pen.round() as i32, baseline);
            pen += font.h_advance(glyph);
            self.put(strip, (weight, glyph.0, px.to_bits()), at, color);
        }
    }

    fn put(&mut self, strip: &mut Strip<'_>, key: Key, (x, y): (i32, i32), color: Rgb888) {
        if self.bytes > MAX_CACHE {
            self.drawn.clear();
            self.bytes = 0;
        }
        let drawn = self.drawn.entry(key).or_insert_with(|| {
            let drawn = draw_letter(key);
            self.bytes += drawn.coverage.len() + size_of::<(Key, Drawn)>();
            drawn
        });
        if drawn.width == 0 {
            return;
        }
        for (row, line) in drawn.coverage.chunks_exact(drawn.width).enumerate() {
            let y = y + drawn.top + row as i32;
            for (column, coverage) in line.iter().enumerate().filter(|(_, share)| **share > 0) {
                strip.blend(x + drawn.left + column as i32, y, color, *coverage);
            }
        }
    }

    /// Bytes of letters that are kept now.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

fn draw_letter((weight, glyph, px): Key) -> Drawn {
    let nothing = Drawn { left: 0, top: 0, width: 0, coverage: Vec::new() };
    let scale = PxScale::from(f32::from_bits(px));
    let glyph = ab_glyph::GlyphId(glyph).with_scale_and_position(scale, point(0.0, 0.0));
    let Some(outline) = weight.font().outline_glyph(glyph) else { return nothing };
    let bounds = outline.px_bounds();
    let (width, height) = (bounds.width() as usize, bounds.height() as usize);
    let mut coverage = vec![0; width * height];
    outline.draw(|x, y, share| {
        if let Some(pixel) = coverage.get_mut(y as usize * width + x as usize) {
            *pixel = (share.clamp(0.0, 1.0) * 255.0).round() as u8;
        }
    });
    Drawn { left: bounds.min.x as i32, top: bounds.min.y as i32, width, coverage }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fonts_have_what_europe_writes_and_stay_small() {
        for letter in "AzÄßłżůřñåøæœÞðçğşțőŸẞαΩЖїґỆ€„“”…–⌫✓✗\u{fffd}".chars()
        {
            assert!(has(letter), "{letter}");
        }
        assert!(!has('山'));
        let bytes = include_bytes!(concat!(env!("OUT_DIR"), "/panel-regular.ttf")).len()
            + include_bytes!(concat!(env!("OUT_DIR"), "/panel-bold.ttf")).len();
        assert!(bytes < 100_000, "{bytes} bytes");
    }

    #[test]
    fn composite_letters_have_the_outline_of_their_parts() {
        let key = |letter: char| {
            (Weight::Regular, Weight::Regular.font().glyph_id(letter).0, 40f32.to_bits())
        };
        let (plain, dotted) = (draw_letter(key('A')), draw_letter(key('Ä')));
        assert!(dotted.top < plain.top - 3);
        let rows = |drawn: &Drawn, count: usize| {
            drawn.coverage[drawn.coverage.len() - count * drawn.width..].to_vec()
        };
        assert_eq!(rows(&plain, 20), rows(&dotted, 20));
    }

    #[test]
    fn lines_are_no_wider_than_their_room() {
        let text = "Type the session number that the technician tells you.";
        let room = Rect { x: 0, y: 0, width: 200, height: 90 };
        let fitted = fit(text, Weight::Regular, 40.0, room);
        assert!(fitted.fits && fitted.px < 40.0);
        assert_eq!(fitted.lines.join(" "), text);
        for line in &fitted.lines {
            assert!(width(line, Weight::Regular, fitted.px) <= 200.0, "{line}");
        }
    }

    #[test]
    fn what_cannot_fit_is_reported() {
        let room = Rect { x: 0, y: 0, width: 20, height: 90 };
        assert!(!fit("Donaudampfschifffahrt", Weight::Bold, 40.0, room).fits);
    }

    #[test]
    fn the_cache_stays_bounded() {
        let mut letters = Letters::default();
        let mut pixels = vec![0; 64 * 64 * 4];
        for px in 20..400 {
            let panel = lotse_hal::Size::new(64, 64);
            let mut strip = Strip { panel, area: panel.rect(), pixels: &mut pixels };
            let font = (Weight::Bold, px as f32);
            letters.draw(&mut strip, "W8", font, (0.0, 0.0), Rgb888::new(1, 1, 1));
            // The largest letter may come on top of a full cache.
            assert!(letters.bytes() <= MAX_CACHE + 400 * 500 * 2);
        }
    }
}
