//! The pixels of the console's own window.

/// A rectangle of window pixels: `left ≤ x < right`, `top ≤ y < bottom`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PxRect {
    /// First column.
    pub left: i32,
    /// First row.
    pub top: i32,
    /// Column after the last.
    pub right: i32,
    /// Row after the last.
    pub bottom: i32,
}

impl PxRect {
    /// Nothing.
    pub const EMPTY: Self = Self { left: 0, top: 0, right: 0, bottom: 0 };

    /// Whether no pixel is inside.
    pub const fn is_empty(self) -> bool {
        self.left >= self.right || self.top >= self.bottom
    }

    /// The part that both cover.
    #[must_use]
    pub fn intersect(self, other: Self) -> Self {
        let rect = Self {
            left: self.left.max(other.left),
            top: self.top.max(other.top),
            right: self.right.min(other.right),
            bottom: self.bottom.min(other.bottom),
        };
        if rect.is_empty() { Self::EMPTY } else { rect }
    }

    /// The smallest rectangle that covers both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        if self.is_empty() {
            return other;
        }
        if other.is_empty() {
            return self;
        }
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    /// Columns.
    pub const fn width(self) -> i32 {
        self.right - self.left
    }

    /// Rows.
    pub const fn height(self) -> i32 {
        self.bottom - self.top
    }

    /// The pixels whose middles lie in a rectangle of points.
    pub fn from_points(rect: egui::Rect, pixels_per_point: f32) -> Self {
        // `as` saturates: an infinite clip rectangle becomes a very large one.
        let px = |points: f32| (points * pixels_per_point).round() as i32;
        Self {
            left: px(rect.min.x),
            top: px(rect.min.y),
            right: px(rect.max.x),
            bottom: px(rect.max.y),
        }
    }
}

/// `width × height` pixels, row 0 on top, `0x00RRGGBB` each.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Canvas {
    width: u32,
    height: u32,
    pixels: Vec<u32>,
}

impl std::fmt::Debug for Canvas {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Canvas({}×{})", self.width, self.height)
    }
}

impl Canvas {
    /// A black canvas. Each side is cut at 16384 pixels.
    pub fn new(width: u32, height: u32) -> Self {
        const MAX_SIDE: u32 = 16384;
        let (width, height) = (width.min(MAX_SIDE), height.min(MAX_SIDE));
        Self { width, height, pixels: vec![0; width as usize * height as usize] }
    }

    /// Columns.
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// All pixels, row after row.
    pub fn pixels(&self) -> &[u32] {
        &self.pixels
    }

    /// The whole of it.
    pub const fn bounds(&self) -> PxRect {
        // Sides are at most 16384.
        PxRect { left: 0, top: 0, right: self.width as i32, bottom: self.height as i32 }
    }

    /// The pixels of one row from `left` to before `right`; empty if not all of them exist.
    pub fn span_mut(&mut self, y: i32, left: i32, right: i32) -> &mut [u32] {
        let (Ok(y), Ok(left), Ok(right)) =
            (usize::try_from(y), usize::try_from(left), usize::try_from(right))
        else {
            return &mut [];
        };
        let width = self.width as usize;
        if right > width {
            return &mut [];
        }
        let start = y.saturating_mul(width);
        self.pixels.get_mut(start + left..start + right).unwrap_or_default()
    }

    /// One pixel; `None` outside.
    pub fn pixel(&self, x: u32, y: u32) -> Option<u32> {
        if x >= self.width {
            return None;
        }
        self.pixels.get(y as usize * self.width as usize + x as usize).copied()
    }
}

/// Lays a colour with premultiplied alpha (red, green, blue, alpha) over a pixel.
#[inline]
pub(super) fn blend(under: u32, [r, g, b, a]: [u8; 4]) -> u32 {
    if a == 255 {
        return u32::from_be_bytes([0, r, g, b]);
    }
    let keep = 255 - u32::from(a);
    let [_, ur, ug, ub] = under.to_be_bytes();
    let mix = |over: u8, under: u8| {
        // (v + 128 + ((v + 128) >> 8)) >> 8 is v / 255, rounded, for v up to 255².
        let v = u32::from(under) * keep + 128;
        (u32::from(over) + ((v + (v >> 8)) >> 8)).min(255) as u8
    };
    u32::from_be_bytes([0, mix(r, ur), mix(g, ug), mix(b, ub)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blending_keeps_or_replaces_at_the_ends() {
        assert_eq!(blend(0x0012_3456, [0, 0, 0, 0]), 0x0012_3456);
        assert_eq!(blend(0x0012_3456, [9, 8, 7, 255]), 0x0009_0807);
    }

    #[test]
    fn blending_halves_in_the_middle() {
        assert_eq!(blend(0x00ff_ffff, [0, 0, 0, 128]), 0x007f_7f7f);
        assert_eq!(blend(0x0000_0000, [128, 0, 0, 128]), 0x0080_0000);
    }

    #[test]
    fn spans_outside_are_empty() {
        let mut canvas = Canvas::new(4, 2);
        for (y, left, right) in [(-1, 0, 2), (2, 0, 2), (0, -1, 2), (0, 0, 5), (0, 3, 2)] {
            assert!(canvas.span_mut(y, left, right).is_empty(), "{y} {left} {right}");
        }
        assert_eq!(canvas.span_mut(1, 1, 4).len(), 3);
    }
}
