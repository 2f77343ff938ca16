//! Sizes, bands and tiles, in pixels, row 0 on top.

/// Side of a tile in pixels; tiles at the right and lower edge of a picture may be smaller.
pub const TILE: u32 = 64;

/// The largest width or height of a picture, in pixels.
pub const MAX_SIDE: u32 = 8192;

/// Width of the parts of a tile that are told or left out, in pixels.
pub(crate) const PART: u32 = 16;

/// Bytes of a pixel in a [`Band`] and in a decoded picture.
pub(crate) const PIXEL: usize = 4;

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Size {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Size {
    /// A size.
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }

    /// Whether neither side is zero nor beyond [`MAX_SIDE`].
    pub const fn is_plausible(self) -> bool {
        self.width > 0 && self.height > 0 && self.width <= MAX_SIDE && self.height <= MAX_SIDE
    }

    /// How many pixels that are.
    pub const fn pixels(self) -> u64 {
        self.width as u64 * self.height as u64
    }
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

/// Some whole rows of a picture on their way into the encoder.
#[derive(Debug, Clone, Copy)]
pub struct Band<'a> {
    /// Size of the whole picture.
    pub size: Size,
    /// First row, a multiple of [`TILE`].
    pub y: u32,
    /// How many rows: [`TILE`], or what is left of the picture.
    pub rows: u32,
    /// `rows × size.width` pixels of four bytes, blue, green, red, and one that means nothing;
    /// no padding between rows.
    ///
    /// The fourth byte is not sent, but it should be constant: a tile in which it varies counts
    /// as changed.
    pub pixels: &'a [u8],
}

/// The tiles of a picture, numbered row by row from the upper left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Grid {
    size: Size,
}

impl Grid {
    /// The tiles of a picture of a plausible size.
    pub(crate) const fn new(size: Size) -> Self {
        Self { size }
    }

    pub(crate) const fn size(self) -> Size {
        self.size
    }

    /// Tiles side by side.
    pub(crate) const fn columns(self) -> u32 {
        self.size.width.div_ceil(TILE)
    }

    /// All tiles; at most 128 × 128.
    pub(crate) const fn tiles(self) -> u32 {
        self.columns() * self.size.height.div_ceil(TILE)
    }

    /// What a tile covers. `tile` must be less than [`Self::tiles`].
    pub(crate) fn rect(self, tile: u32) -> Rect {
        let (x, y) = (tile % self.columns() * TILE, tile / self.columns() * TILE);
        Rect {
            x,
            y,
            width: TILE.min(self.size.width.saturating_sub(x)),
            height: TILE.min(self.size.height.saturating_sub(y)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_cover_every_pixel_once() {
        for size in [Size::new(1, 1), Size::new(64, 64), Size::new(65, 129), Size::new(1920, 1080)]
        {
            let grid = Grid::new(size);
            let mut covered = vec![0_u8; usize::try_from(size.pixels()).unwrap()];
            for tile in 0..grid.tiles() {
                let rect = grid.rect(tile);
                for y in rect.y..rect.y + rect.height {
                    for x in rect.x..rect.x + rect.width {
                        covered[(y * size.width + x) as usize] += 1;
                    }
                }
            }
            assert!(covered.iter().all(|times| *times == 1), "{size:?}");
        }
    }

    #[test]
    fn the_largest_picture_has_16384_tiles() {
        assert_eq!(Grid::new(Size::new(MAX_SIDE, MAX_SIDE)).tiles(), 16_384);
        assert!(!Size::new(MAX_SIDE + 1, 1).is_plausible());
        assert!(!Size::new(1, 0).is_plausible());
    }
}
