//! Text with smooth edges, as panels show it.

use std::collections::HashMap;
use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, GlyphId, PxScale, ScaleFont, point};
use embedded_graphics::pixelcolor::Rgb888;

use crate::canvas::Canvas;

#[expect(clippy::expect_used, reason = "the font is part of the program")]
static FONT: LazyLock<FontRef<'static>> =
    LazyLock::new(|| FontRef::try_from_slice(dejavu::sans::regular()).expect("a sound font"));

/// A letter: where its upper left corner is against the pen, and its coverage, row by row.
#[derive(Debug)]
struct Drawn {
    dx: i32,
    dy: i32,
    width: usize,
    shares: Vec<u8>,
}

/// Draws text; keeps the letters that it has drawn.
#[derive(Debug, Default)]
pub(crate) struct Letters {
    drawn: HashMap<(GlyphId, u32), Drawn>,
}

impl Letters {
    /// Draws a line whose upper left corner is `x`, `y`, in letters of `px` pixels from ascender
    /// to descender; gives the column after it.
    pub(crate) fn line(
        &mut self,
        canvas: &mut Canvas,
        (x, y): (i32, i32),
        px: u32,
        color: Rgb888,
        text: &str,
    ) -> i32 {
        let font = FONT.as_scaled(PxScale::from(px as f32));
        let (mut pen, base) = (x, y + font.ascent().round() as i32);
        for letter in text.chars() {
            let id = font.glyph_id(letter);
            let drawn = self.drawn.entry((id, px)).or_insert_with(|| draw(id, px));
            if drawn.width > 0 {
                for (row, shares) in (0..).zip(drawn.shares.chunks(drawn.width)) {
                    for (column, share) in (0..).zip(shares) {
                        if *share > 0 {
                            let (x, y) = (pen + drawn.dx + column, base + drawn.dy + row);
                            canvas.blend(x, y, color, *share);
                        }
                    }
                }
            }
            pen += font.h_advance(id).round() as i32;
        }
        pen
    }
}

fn draw(id: GlyphId, px: u32) -> Drawn {
    let glyph = id.with_scale_and_position(PxScale::from(px as f32), point(0.0, 0.0));
    let Some(outline) = FONT.outline_glyph(glyph) else {
        return Drawn { dx: 0, dy: 0, width: 0, shares: Vec::new() };
    };
    let bounds = outline.px_bounds();
    let (width, height) = (bounds.width() as usize, bounds.height() as usize);
    let mut shares = vec![0; width * height];
    outline.draw(|x, y, share| {
        if let Some(to) = shares.get_mut(y as usize * width + x as usize) {
            *to = (share * 255.0).round() as u8;
        }
    });
    Drawn { dx: bounds.min.x as i32, dy: bounds.min.y as i32, width, shares }
}
