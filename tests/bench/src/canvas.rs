//! What is drawn on: the memory of a screen.

use std::convert::Infallible;

use embedded_graphics::Pixel;
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;

/// Bytes of a pixel.
const PIXEL: usize = 4;

/// A picture of `height × width` pixels of four bytes, blue, green, red and 255, row 0 on top.
#[derive(Clone, PartialEq, Eq)]
pub struct Canvas {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

impl std::fmt::Debug for Canvas {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Canvas({}×{})", self.width, self.height)
    }
}

impl Canvas {
    /// A black picture.
    pub fn new(width: u32, height: u32) -> Self {
        Self { width, height, pixels: [0, 0, 0, 255].repeat(width as usize * height as usize) }
    }

    /// Pixels in a row.
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// All pixels.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// All of it.
    pub(crate) fn area(&self) -> Rectangle {
        Rectangle::new(Point::zero(), Size::new(self.width, self.height))
    }

    /// Fills a rectangle with one colour.
    pub(crate) fn fill(&mut self, area: Rectangle, color: Rgb888) {
        let bytes = [color.b(), color.g(), color.r(), 255];
        self.each_row(area, |row| row.fill(bytes));
    }

    /// Gives each pixel of an area the colour that `paint` says, by its place.
    pub(crate) fn paint(&mut self, area: Rectangle, mut paint: impl FnMut(u32, u32) -> Rgb888) {
        let area = area.intersection(&self.area());
        let (left, mut y) = (area.top_left.x.max(0) as u32, area.top_left.y.max(0) as u32);
        self.each_row(area, |row| {
            for (pixel, x) in row.iter_mut().zip(left..) {
                let color = paint(x, y);
                *pixel = [color.b(), color.g(), color.r(), 255];
            }
            y += 1;
        });
    }

    /// Mixes a colour into one pixel, `share` from 0 to 255.
    pub(crate) fn blend(&mut self, x: i32, y: i32, color: Rgb888, share: u8) {
        let area = Rectangle::new(Point::new(x, y), Size::new(1, 1));
        self.each_row(area, |row| {
            for [blue, green, red, _] in row {
                let mix = |under: &mut u8, over: u8| {
                    let (under_share, over_share) = (255 - u16::from(share), u16::from(share));
                    let sum = u16::from(*under) * under_share + u16::from(over) * over_share;
                    *under = ((sum + 127) / 255) as u8;
                };
                mix(blue, color.b());
                mix(green, color.g());
                mix(red, color.r());
            }
        });
    }

    /// Moves what is in `area` up by `by` rows (down if negative); what is uncovered stays.
    pub(crate) fn scroll(&mut self, area: Rectangle, by: i32) {
        let area = area.intersection(&self.area());
        let stride = self.width as usize * PIXEL;
        let from = area.top_left.x as usize * PIXEL;
        let len = area.size.width as usize * PIXEL;
        let (top, rows) = (area.top_left.y as usize, area.size.height as usize);
        let distance = by.unsigned_abs() as usize;
        let kept = rows.saturating_sub(distance);
        for step in 0..kept {
            let row = if by >= 0 { top + step } else { top + rows - 1 - step };
            let source = if by >= 0 { row + distance } else { row - distance };
            let start = source * stride + from;
            self.pixels.copy_within(start..start + len, row * stride + from);
        }
    }

    /// Copies an area of another picture of the same size to the same place.
    pub(crate) fn copy_from(&mut self, other: &Self, area: Rectangle) {
        let (width, source) = (other.width as usize, other.pixels.as_chunks::<PIXEL>().0);
        let area = area.intersection(&self.area());
        let (left, mut y) = (area.top_left.x as usize, area.top_left.y as usize);
        self.each_row(area, |row| {
            let start = y * width + left;
            if let Some(from) = source.get(start..start + row.len()) {
                row.copy_from_slice(from);
            }
            y += 1;
        });
    }

    fn each_row(&mut self, area: Rectangle, mut act: impl FnMut(&mut [[u8; PIXEL]])) {
        let area = area.intersection(&self.area());
        let (left, len) = (area.top_left.x.max(0) as usize, area.size.width as usize);
        let pixels = self.pixels.as_chunks_mut::<PIXEL>().0;
        let rows = pixels.chunks_exact_mut(self.width as usize);
        for row in rows.skip(area.top_left.y.max(0) as usize).take(area.size.height as usize) {
            if let Some(row) = row.get_mut(left..left + len) {
                act(row);
            }
        }
    }
}

impl OriginDimensions for Canvas {
    fn size(&self) -> Size {
        Size::new(self.width, self.height)
    }
}

impl DrawTarget for Canvas {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(
        &mut self,
        it: I,
    ) -> Result<(), Infallible> {
        let (width, height) = (self.width as i32, self.height as i32);
        for Pixel(Point { x, y }, color) in it {
            if (0..width).contains(&x)
                && (0..height).contains(&y)
                && let Some(pixel) =
                    self.pixels.as_chunks_mut::<PIXEL>().0.get_mut((y * width + x) as usize)
            {
                *pixel = [color.b(), color.g(), color.r(), 255];
            }
        }
        Ok(())
    }

    fn fill_solid(&mut self, area: &Rectangle, color: Rgb888) -> Result<(), Infallible> {
        self.fill(*area, color);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scrolling_moves_rows_of_the_area_only() {
        let mut canvas = Canvas::new(3, 4);
        let all = canvas.area();
        canvas.paint(all, |x, y| Rgb888::new(x as u8, y as u8, 0));
        let before = canvas.clone();
        let area = Rectangle::new(Point::new(1, 0), Size::new(1, 4));
        let at = |canvas: &Canvas, x: usize, y: usize| canvas.pixels[(y * 3 + x) * 4 + 1];
        canvas.scroll(area, 1);
        assert_eq!([0, 1, 2, 3].map(|y| at(&canvas, 1, y)), [1, 2, 3, 3]);
        assert_eq!([0, 1, 2, 3].map(|y| at(&canvas, 0, y)), [0, 1, 2, 3]);
        canvas.scroll(area, -1);
        assert_eq!([0, 1, 2, 3].map(|y| at(&canvas, 1, y)), [1, 1, 2, 3]);
        canvas.copy_from(&before, area);
        assert_eq!(canvas, before);
    }
}
