//! The pointer's picture, which hardware often shows beside the screen's own.

use crate::{Band, Orientation, Point, Size};

/// Largest width and height of a cursor that is believed, in pixels.
pub const MAX_CURSOR_SIDE: u32 = 512;

/// A cursor above a screen's picture, upright.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cursor {
    /// Column of its left side in the picture; it may be partly outside.
    pub x: i32,
    /// Row of its upper side in the picture; it may be partly outside.
    pub y: i32,
    /// Its size, at most [`MAX_CURSOR_SIDE`] each way.
    pub size: Size,
    /// `height × width` pixels: blue, green, red, opacity; the colours are already multiplied by
    /// the opacity.
    pub pixels: Vec<u8>,
}

impl Cursor {
    /// Brings a cursor of a native picture of the given size upright.
    #[must_use]
    pub fn upright(self, orientation: Orientation, native: Size) -> Self {
        if orientation == Orientation::UPRIGHT {
            return self;
        }
        let far = |at: i32, own: u32, side: u32| {
            side.cast_signed().saturating_sub(at).saturating_sub(own.cast_signed())
        };
        let x = match orientation.flips_columns() {
            true => far(self.x, self.size.width, native.width),
            false => self.x,
        };
        let y = match orientation.flips_rows() {
            true => far(self.y, self.size.height, native.height),
            false => self.y,
        };
        let (x, y) = if orientation.swaps_sides() { (y, x) } else { (x, y) };
        let size = orientation.size(self.size);
        let mut pixels = vec![0; self.pixels.len()];
        let rows = self.pixels.chunks_exact(self.size.width.max(1) as usize * 4);
        for (from_y, row) in (0..).zip(rows) {
            for (from_x, pixel) in (0..).zip(row.as_chunks::<4>().0) {
                let to = orientation.point(Point::new(from_x, from_y), self.size);
                let index = (to.y * size.width + to.x) as usize;
                if let Some(out) = pixels.as_chunks_mut::<4>().0.get_mut(index) {
                    *out = *pixel;
                }
            }
        }
        Self { x, y, size, pixels }
    }

    /// Whether any row of it is within a band of the picture.
    pub fn meets(&self, band: &Band<'_>) -> bool {
        let (top, bottom) = (i64::from(self.y), i64::from(self.y) + i64::from(self.size.height));
        let rows = i64::from(band.y)..i64::from(band.y) + i64::from(band.rows);
        top < rows.end && bottom > rows.start
    }

    /// The pixels of a band with the cursor drawn above them; `into` is overwritten.
    pub fn draw_above<'a>(&self, band: &Band<'_>, into: &'a mut Vec<u8>) -> &'a [u8] {
        into.clear();
        into.extend_from_slice(band.pixels);
        let row_bytes = band.size.width as usize * 4;
        let own_row = self.size.width.max(1) as usize * 4;
        let left = usize::try_from(self.x).unwrap_or(0);
        let hidden = usize::try_from(-i64::from(self.x)).unwrap_or(0);
        for (row, out) in (i64::from(band.y)..).zip(into.chunks_exact_mut(row_bytes.max(1))) {
            let Ok(own) = usize::try_from(row - i64::from(self.y)) else { continue };
            let Some(own) = self.pixels.chunks_exact(own_row).nth(own) else { continue };
            let own = own.as_chunks::<4>().0.iter().skip(hidden);
            let out = out.as_chunks_mut::<4>().0.iter_mut().skip(left);
            for ([b, g, r, opacity], out) in own.zip(out) {
                let through = 255 - u32::from(*opacity);
                let mix = |own: u8, under: u8| {
                    let under = (u32::from(under) * through + 127) / 255;
                    (u32::from(own) + under).min(255) as u8
                };
                *out = [mix(*b, out[0]), mix(*g, out[1]), mix(*r, out[2]), 0xff];
            }
        }
        into
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::screen::BAND_ROWS;

    /// What a picture of one colour looks like with the cursor above it, put together from bands.
    fn compose(cursor: &Cursor, size: Size, under: [u8; 4]) -> Vec<[u8; 4]> {
        let mut all = Vec::new();
        let mut y = 0;
        while y < size.height {
            let rows = BAND_ROWS.min(size.height - y);
            let pixels = under.repeat((rows * size.width) as usize);
            let band = Band { size, y, rows, pixels: &pixels };
            let mut room = Vec::new();
            let drawn = cursor.draw_above(&band, &mut room).to_vec();
            assert!(cursor.meets(&band) || drawn == pixels, "it is only where it meets");
            all.extend_from_slice(drawn.as_chunks::<4>().0);
            y += rows;
        }
        all
    }

    fn noise(size: Size) -> Vec<u8> {
        let pixel = |n: u32| {
            let opacity = [0, 255, 128][n as usize % 3];
            [n as u8, (n / 3) as u8, 9, 255]
                .map(|level: u8| (u32::from(level) * opacity / 255) as u8)
        };
        (0..size.width * size.height).flat_map(pixel).collect()
    }

    #[test]
    fn opacity_decides_what_is_seen() {
        let size = Size::new(3, 1);
        let pixels = [[1, 2, 3, 255], [0, 0, 0, 0], [50, 0, 0, 128]].concat();
        let cursor = Cursor { x: 1, y: 64, size, pixels };
        let seen = compose(&cursor, Size::new(5, 66), [100, 100, 100, 255]);
        let row = &seen[64 * 5..65 * 5];
        let under = [100, 100, 100, 255];
        assert_eq!(row, [under, [1, 2, 3, 255], under, [100, 50, 50, 255], under]);
        assert!(seen[..64 * 5].iter().all(|pixel| *pixel == under));
    }

    proptest! {
        #[test]
        fn a_part_outside_of_the_picture_falls_away(
            x in -40i32..120, y in -40i32..120, width in 1u32..30, height in 1u32..30,
        ) {
            let (size, own) = (Size::new(90, 80), Size::new(width, height));
            let cursor = Cursor { x, y, size: own, pixels: [9, 9, 9, 255].repeat((width * height) as usize) };
            let seen = compose(&cursor, size, [1, 1, 1, 255]);
            for (index, pixel) in (0..).zip(seen) {
                let (column, row) = (index % 90, index / 90);
                let inside = (x..x + width.cast_signed()).contains(&column)
                    && (y..y + height.cast_signed()).contains(&row);
                prop_assert_eq!(pixel == [9, 9, 9, 255], inside);
            }
        }

        #[test]
        fn turning_before_or_after_makes_no_difference(
            x in -20i32..100, y in -20i32..100, width in 1u32..20, height in 1u32..20, turn in 0usize..4,
        ) {
            let (native, own) = (Size::new(90, 80), Size::new(width, height));
            let turn = Orientation::TURNS[turn];
            let cursor = Cursor { x, y, size: own, pixels: noise(own) };
            let before = compose(&cursor.clone().upright(turn, native), turn.size(native), [70, 80, 90, 255]);
            let after = compose(&cursor, native, [70, 80, 90, 255]);
            for (index, pixel) in (0..).zip(after) {
                let to = turn.point(Point::new(index % 90, index / 90), native);
                let at = (to.y * turn.size(native).width + to.x) as usize;
                prop_assert_eq!(before[at], pixel);
            }
        }
    }
}
