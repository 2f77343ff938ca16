//! Sizes and places on a screen, in pixels, row 0 on top.

/// The largest width or height that is believed, in pixels.
pub const MAX_SIDE: u32 = 8192;

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Size {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// A pixel, counted from the upper left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Point {
    /// Column, from the left.
    pub x: u32,
    /// Row, from the top.
    pub y: u32,
}

/// A rectangle of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Rect {
    /// First column.
    pub x: u32,
    /// First row.
    pub y: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Size {
    /// A size.
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }

    /// The whole of it as a rectangle.
    pub const fn rect(self) -> Rect {
        Rect { x: 0, y: 0, width: self.width, height: self.height }
    }

    /// Whether neither side is zero nor beyond [`MAX_SIDE`].
    pub const fn is_plausible(self) -> bool {
        self.width > 0 && self.height > 0 && self.width <= MAX_SIDE && self.height <= MAX_SIDE
    }
}

/// Pixels per millimetre of a display at least and at most; what says otherwise is not believed.
const DENSITY: std::ops::RangeInclusive<f32> = 0.8..=40.0;

/// The size of a display of so many pixels in millimetres, if it can be true: small displays
/// often say nothing, and some say anything.
pub(crate) fn believed(millimetres: Size, pixels: Size) -> Option<Size> {
    let density = |pixels: u32, millimetres: u32| pixels as f32 / millimetres.max(1) as f32;
    let across = density(pixels.width, millimetres.width);
    let down = density(pixels.height, millimetres.height);
    // Pixels are nearly square.
    let is_square = (0.66..=1.5).contains(&(across / down));
    let is_sound = DENSITY.contains(&across) && DENSITY.contains(&down) && is_square;
    is_sound.then_some(millimetres)
}

impl Point {
    /// A point.
    pub const fn new(x: u32, y: u32) -> Self {
        Self { x, y }
    }
}

impl Rect {
    /// Whether the pixel is inside.
    pub const fn contains(&self, at: Point) -> bool {
        at.x >= self.x
            && at.y >= self.y
            && at.x - self.x < self.width
            && at.y - self.y < self.height
    }

    /// The part that both cover; `None` if they do not meet.
    pub fn intersection(&self, other: Self) -> Option<Self> {
        let x = self.x.max(other.x);
        let y = self.y.max(other.y);
        let right = self.x.saturating_add(self.width).min(other.x.saturating_add(other.width));
        let bottom = self.y.saturating_add(self.height).min(other.y.saturating_add(other.height));
        (x < right && y < bottom).then(|| Self { x, y, width: right - x, height: bottom - y })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_display_that_says_nonsense_of_its_size_is_not_believed() {
        let pixels = Size::new(1280, 800);
        assert_eq!(believed(Size::new(217, 136), pixels), Some(Size::new(217, 136)));
        for (width, height) in [(0, 0), (16, 9), (1700, 1000), (217, 0), (136, 217)] {
            let said = Size::new(width, height);
            assert_eq!(believed(said, pixels), None, "{said:?}");
        }
    }
}
