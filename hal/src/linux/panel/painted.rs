//! What a painter draws upright, as a frame buffer that lies on its side takes it.

use crate::linux::pixel_format::BGRX_BYTES;
use crate::{Orientation, Paint, Point, Rect, Size, Strip};

/// A painter whose strips are wanted as they lie in memory.
pub(crate) struct Painted<'a> {
    painter: &'a dyn Paint,
    orientation: Orientation,
    /// Size of the picture in memory.
    native: Size,
    upright: Vec<u8>,
    turned: Vec<u8>,
}

impl<'a> Painted<'a> {
    /// `orientation` makes a picture in memory, of size `native`, upright.
    pub(crate) fn new(painter: &'a dyn Paint, orientation: Orientation, native: Size) -> Self {
        Self { painter, orientation, native, upright: Vec::new(), turned: Vec::new() }
    }

    /// The pixels of a strip of memory, which must be within the picture.
    pub(crate) fn native(&mut self, strip: Rect) -> &[u8] {
        let area = self.orientation.rect(strip, self.native);
        self.upright.clear();
        self.upright.resize(area.width as usize * area.height as usize * BGRX_BYTES, 0);
        let panel = self.orientation.size(self.native);
        self.painter.paint(&mut Strip { panel, area, pixels: &mut self.upright });
        if self.orientation == Orientation::UPRIGHT {
            return &self.upright;
        }
        self.turned.clear();
        self.turned.resize(self.upright.len(), 0);
        let (size, back) = (Size::new(area.width, area.height), self.orientation.inverse());
        let rows = self.upright.chunks_exact(area.width.max(1) as usize * BGRX_BYTES);
        for (y, row) in (0..).zip(rows) {
            for (x, pixel) in (0..).zip(row.as_chunks::<BGRX_BYTES>().0) {
                let to = back.point(Point::new(x, y), size);
                let index = (to.y * strip.width + to.x) as usize;
                if let Some(out) = self.turned.as_chunks_mut::<BGRX_BYTES>().0.get_mut(index) {
                    *out = *pixel;
                }
            }
        }
        &self.turned
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::TestPattern;

    #[test]
    fn strips_put_together_and_turned_are_the_painters_picture() {
        let native = Size::new(50, 70);
        let pattern = TestPattern { seed: 5 };
        let mirrored = Orientation::MIRROR_X.then(Orientation::QUARTER);
        for way in Orientation::TURNS.into_iter().chain([mirrored]) {
            let panel = way.size(native);
            let mut whole = vec![0; 50 * 70 * BGRX_BYTES];
            pattern.paint(&mut Strip { panel, area: panel.rect(), pixels: &mut whole });
            let mut painted = Painted::new(&pattern, way, native);
            for (x, y, width, height) in [(0, 0, 50, 16), (10, 16, 7, 16), (0, 64, 50, 6)] {
                let strip = Rect { x, y, width, height };
                let pixels = painted.native(strip).as_chunks::<BGRX_BYTES>().0.to_vec();
                assert_eq!(pixels.len(), (width * height) as usize);
                for (index, pixel) in (0..).zip(pixels) {
                    let at = Point::new(x + index % width, y + index / width);
                    let at = way.point(at, native);
                    let from = (at.y * panel.width + at.x) as usize * BGRX_BYTES;
                    assert_eq!(pixel, whole[from..from + BGRX_BYTES], "{way} {at:?}");
                }
            }
        }
    }
}
