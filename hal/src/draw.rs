//! Drawing into a [`Strip`] with embedded-graphics, and what that library lacks: soft edges.
//!
//! A strip says that it is as large as the whole panel, so that painters use the panel's own
//! coordinates; whatever lies outside of the strip's area falls away.

use std::convert::Infallible;

use embedded_graphics::Pixel;
use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{OriginDimensions, Point as DrawPoint, Size as DrawSize};
use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
use embedded_graphics::primitives::Rectangle;

use crate::{Paint, Rect, Size, Strip};

/// Bytes of one pixel in a strip.
const PIXEL: usize = 4;

impl Strip<'_> {
    /// The strip's own area in the coordinates of embedded-graphics.
    pub fn bounds(&self) -> Rectangle {
        rectangle(self.area)
    }

    /// Mixes `color` into a pixel of the panel: 0 leaves it as it is, 255 replaces it.
    ///
    /// Nothing happens outside of the strip.
    pub fn blend(&mut self, x: i32, y: i32, color: Rgb888, coverage: u8) {
        let Some(pixel) = self.pixel(x, y) else { return };
        let share = u16::from(coverage);
        for (old, new) in pixel.iter_mut().zip([color.b(), color.g(), color.r()]) {
            let mixed = (u16::from(*old) * (255 - share) + u16::from(new) * share + 127) / 255;
            *old = u8::try_from(mixed).unwrap_or(u8::MAX);
        }
    }

    /// The four bytes of a pixel of the panel; `None` outside of the strip.
    fn pixel(&mut self, x: i32, y: i32) -> Option<&mut [u8]> {
        let column = u32::try_from(x).ok()?.checked_sub(self.area.x)?;
        let row = u32::try_from(y).ok()?.checked_sub(self.area.y)?;
        if column >= self.area.width || row >= self.area.height {
            return None;
        }
        let start = (row as usize * self.area.width as usize + column as usize) * PIXEL;
        self.pixels.get_mut(start..start + PIXEL)
    }
}

impl OriginDimensions for Strip<'_> {
    fn size(&self) -> DrawSize {
        DrawSize::new(self.panel.width, self.panel.height)
    }
}

impl DrawTarget for Strip<'_> {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Infallible>
    where
        I: IntoIterator<Item = Pixel<Rgb888>>,
    {
        for Pixel(at, color) in pixels {
            if let Some(pixel) = self.pixel(at.x, at.y) {
                pixel.copy_from_slice(&bgrx(color));
            }
        }
        Ok(())
    }

    fn fill_solid(&mut self, area: &Rectangle, color: Rgb888) -> Result<(), Infallible> {
        let seen = area.intersection(&self.bounds());
        if seen.size.width == 0 || seen.size.height == 0 {
            return Ok(());
        }
        let width = seen.size.width as usize * PIXEL;
        for y in seen.rows() {
            let Some(row) = u32::try_from(y).ok().and_then(|y| y.checked_sub(self.area.y)) else {
                continue;
            };
            let Some(column) =
                u32::try_from(seen.top_left.x).ok().and_then(|x| x.checked_sub(self.area.x))
            else {
                continue;
            };
            let start = (row as usize * self.area.width as usize + column as usize) * PIXEL;
            let Some(line) = self.pixels.get_mut(start..start + width) else { continue };
            // Of a length that the compiler knows: else each pixel is a call.
            line.as_chunks_mut::<PIXEL>().0.fill(bgrx(color));
        }
        Ok(())
    }
}

/// A rectangle in the coordinates of embedded-graphics.
pub fn rectangle(rect: Rect) -> Rectangle {
    Rectangle::new(
        DrawPoint::new(signed(rect.x), signed(rect.y)),
        DrawSize::new(rect.width, rect.height),
    )
}

/// Paints `area` strip by strip, at most `rows` rows at a time, and hands each to `visit`.
///
/// `scratch` is grown to one strip, `rows × area.width × 4` bytes, and can be used again. It
/// ends early when `visit` says so by an error.
///
/// # Errors
/// What `visit` returned.
pub fn paint_strips<E>(
    panel: Size,
    area: Rect,
    rows: u32,
    painter: &dyn Paint,
    scratch: &mut Vec<u8>,
    mut visit: impl FnMut(Rect, &[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let Some(area) = area.intersection(panel.rect()) else { return Ok(()) };
    let bottom = area.y + area.height;
    let mut y = area.y;
    while y < bottom {
        let part = Rect { y, height: rows.max(1).min(bottom - y), ..area };
        let length = part.width as usize * part.height as usize * PIXEL;
        scratch.clear();
        scratch.resize(length, 0);
        painter.paint(&mut Strip { panel, area: part, pixels: scratch });
        visit(part, scratch)?;
        y += part.height;
    }
    Ok(())
}

/// Blue, green, red, and the byte that means nothing.
fn bgrx(color: Rgb888) -> [u8; PIXEL] {
    [color.b(), color.g(), color.r(), u8::MAX]
}

/// Places on a panel are far below the largest `i32`.
fn signed(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_graphics::prelude::{Drawable as _, Primitive as _};
    use embedded_graphics::primitives::{Circle, PrimitiveStyle};

    struct Disc;

    impl Paint for Disc {
        fn paint(&self, strip: &mut Strip<'_>) {
            let whole = rectangle(strip.panel.rect());
            strip.fill_solid(&whole, Rgb888::new(1, 2, 3)).unwrap();
            Circle::new(DrawPoint::new(3, 5), 40)
                .into_styled(PrimitiveStyle::with_fill(Rgb888::new(200, 100, 50)))
                .draw(strip)
                .unwrap();
            for x in -5..70 {
                strip.blend(x, x, Rgb888::new(255, 255, 255), 128);
            }
        }
    }

    fn whole(panel: Size, area: Rect, rows: u32) -> Vec<u8> {
        let mut picture = Vec::new();
        let mut scratch = Vec::new();
        paint_strips(panel, area, rows, &Disc, &mut scratch, |_, pixels| {
            picture.extend_from_slice(pixels);
            Ok::<(), Infallible>(())
        })
        .unwrap();
        picture
    }

    #[test]
    fn strips_of_any_height_give_the_same_picture() {
        let panel = Size::new(61, 67);
        let once = whole(panel, panel.rect(), 67);
        assert_eq!(once.len(), 61 * 67 * 4);
        for rows in [1, 7, 64] {
            assert!(whole(panel, panel.rect(), rows) == once, "{rows} rows");
        }
    }

    #[test]
    fn a_part_is_cut_out_of_the_whole() {
        let panel = Size::new(61, 67);
        let once = whole(panel, panel.rect(), 67);
        let part = Rect { x: 11, y: 9, width: 20, height: 30 };
        let mut cut = Vec::new();
        for y in 9..39 {
            cut.extend_from_slice(&once[(y * 61 + 11) * 4..(y * 61 + 31) * 4]);
        }
        assert!(whole(panel, part, 8) == cut);
    }

    #[test]
    fn an_area_beyond_the_panel_is_clipped() {
        let panel = Size::new(10, 10);
        let beyond = Rect { x: 8, y: 8, width: u32::MAX, height: u32::MAX };
        assert_eq!(whole(panel, beyond, 64).len(), 2 * 2 * 4);
        assert!(whole(panel, Rect { x: 10, y: 0, width: 5, height: 5 }, 64).is_empty());
    }

    #[test]
    fn full_coverage_replaces_and_none_keeps() {
        let mut pixels = vec![10u8; 4];
        let mut strip =
            Strip { panel: Size::new(1, 1), area: Size::new(1, 1).rect(), pixels: &mut pixels };
        strip.blend(0, 0, Rgb888::new(9, 8, 7), 0);
        assert_eq!(strip.pixels, [10, 10, 10, 10]);
        strip.blend(0, 0, Rgb888::new(9, 8, 7), 255);
        assert_eq!(strip.pixels, [7, 8, 9, 10]);
    }
}
