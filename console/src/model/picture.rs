//! The remote picture, shared between the thread that decodes it and those that show it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Largest width or height that is shown, in pixels.
pub const MAX_SIDE: u32 = 8192;

/// Changed rectangles that are remembered one by one between two paintings; more become their
/// bounding box. A painting costs more than a slightly larger rectangle.
pub const MAX_DIRTY: usize = 64;

/// A rectangle of pixels of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PixelRect {
    /// First column.
    pub x: u32,
    /// First row.
    pub y: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl PixelRect {
    /// The smallest rectangle that covers both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let right = (self.x + self.width).max(other.x + other.width);
        let bottom = (self.y + self.height).max(other.y + other.height);
        Self { x, y, width: right - x, height: bottom - y }
    }
}

/// A size that cannot be a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a picture of {width}×{height} pixels is not believed")]
pub struct ImplausibleSize {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// The picture as it stands: `width × height` pixels, row 0 on top, `0x00RRGGBB` each.
#[derive(Default)]
pub struct Picture {
    width: u32,
    height: u32,
    pixels: Vec<u32>,
    dirty: Vec<PixelRect>,
    updates: u64,
    updated_at: Option<Instant>,
    exactness: Exactness,
}

/// How a picture is to the one on the panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Exactness {
    /// Every pixel is the same.
    #[default]
    Exact,
    /// Parts were told roughly, and are not yet the same.
    Rough,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Picture")
            .field("size", &(self.width, self.height))
            .field("updates", &self.updates)
            .finish_non_exhaustive()
    }
}

impl Picture {
    /// Columns; 0 while there is no picture.
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Rows; 0 while there is no picture.
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// All pixels, `0x00RRGGBB`, row after row.
    pub fn pixels(&self) -> &[u32] {
        &self.pixels
    }

    /// One row; empty beyond the last.
    pub fn row(&self, y: u32) -> &[u32] {
        let start = y as usize * self.width as usize;
        self.pixels.get(start..start + self.width as usize).unwrap_or_default()
    }

    /// Updates taken so far.
    pub const fn updates(&self) -> u64 {
        self.updates
    }

    /// When the last update was taken.
    pub const fn updated_at(&self) -> Option<Instant> {
        self.updated_at
    }

    /// Whether nothing can be shown yet.
    pub fn is_empty(&self) -> bool {
        self.pixels.is_empty()
    }

    /// Gives the picture a size; a new one makes it black and all of it dirty.
    ///
    /// # Errors
    /// [`ImplausibleSize`] if a side is 0 or beyond [`MAX_SIDE`].
    pub fn resize(&mut self, width: u32, height: u32) -> Result<(), ImplausibleSize> {
        if width == 0 || height == 0 || width > MAX_SIDE || height > MAX_SIDE {
            return Err(ImplausibleSize { width, height });
        }
        if (width, height) != (self.width, self.height) {
            (self.width, self.height) = (width, height);
            self.pixels.clear();
            self.pixels.resize(width as usize * height as usize, 0);
            self.mark(PixelRect { x: 0, y: 0, width, height });
        }
        Ok(())
    }

    /// Copies the rectangle `rect` out of a picture of the same size, given as bytes
    /// red, green, blue and one that means nothing.
    ///
    /// What lies outside is passed over.
    pub fn copy_rgbx(&mut self, source: &[u8], rect: PixelRect) {
        let stride = self.width as usize;
        let left = rect.x.min(self.width) as usize;
        let right = rect.x.saturating_add(rect.width).min(self.width) as usize;
        let bottom = rect.y.saturating_add(rect.height).min(self.height);
        for y in rect.y..bottom {
            let row = y as usize * stride;
            let (Some(from), Some(to)) = (
                source.get((row + left) * 4..(row + right) * 4),
                self.pixels.get_mut(row + left..row + right),
            ) else {
                return;
            };
            for (bytes, pixel) in from.chunks_exact(4).zip(to) {
                if let [r, g, b, _] = *bytes {
                    *pixel = u32::from_be_bytes([0, r, g, b]);
                }
            }
        }
        if left < right && rect.y < bottom {
            let (width, height) = ((right - left) as u32, bottom - rect.y);
            self.mark(PixelRect { x: rect.x, y: rect.y, width, height });
        }
    }

    /// Notes that an update is complete.
    pub fn finish_update(&mut self, now: Instant) {
        self.updates += 1;
        self.updated_at = Some(now);
    }

    /// How the picture is to the panel's own.
    pub const fn exactness(&self) -> Exactness {
        self.exactness
    }

    /// Says how the picture is to the panel's own.
    pub const fn set_exactness(&mut self, exactness: Exactness) {
        self.exactness = exactness;
    }

    /// Takes the rectangles that changed since the last call.
    pub fn take_dirty(&mut self) -> Vec<PixelRect> {
        std::mem::take(&mut self.dirty)
    }

    fn mark(&mut self, rect: PixelRect) {
        if self.dirty.len() >= MAX_DIRTY {
            let all = self.dirty.drain(..).fold(rect, PixelRect::union);
            self.dirty.push(all);
        } else {
            self.dirty.push(rect);
        }
    }
}

/// The picture, shared; clones are the same picture.
#[derive(Debug, Clone, Default)]
pub struct SharedPicture(Arc<Mutex<Picture>>);

impl SharedPicture {
    /// Looks at the picture, or changes it. Hold it shortly: the decoder waits.
    pub fn lock(&self) -> MutexGuard<'_, Picture> {
        // Pixels are never in a state that would be unsafe to show.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets the picture, for a new session.
    pub fn clear(&self) {
        *self.lock() = Picture::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rejects_sizes_beyond_the_bound() {
        let mut picture = Picture::default();
        for (w, h) in [(0, 5), (5, 0), (MAX_SIDE + 1, 5), (5, u32::MAX)] {
            assert!(picture.resize(w, h).is_err(), "{w}×{h}");
        }
        assert!(picture.is_empty());
    }

    #[test]
    fn copies_bytes_into_pixels() {
        let mut picture = Picture::default();
        picture.resize(2, 1).unwrap();
        picture.copy_rgbx(
            &[1, 2, 3, 255, 4, 5, 6, 255],
            PixelRect { x: 1, y: 0, width: 1, height: 1 },
        );
        assert_eq!(picture.pixels(), [0, 0x0004_0506]);
    }

    #[test]
    fn dirty_rectangles_are_bounded_and_still_cover_all() {
        let mut picture = Picture::default();
        picture.resize(100, 100).unwrap();
        picture.take_dirty();
        let source = vec![9; 100 * 100 * 4];
        for i in 0..100 {
            picture.copy_rgbx(&source, PixelRect { x: i, y: i, width: 1, height: 1 });
        }
        let dirty = picture.take_dirty();
        assert!(dirty.len() <= MAX_DIRTY);
        let all = dirty.into_iter().reduce(PixelRect::union).unwrap();
        assert_eq!(all, PixelRect { x: 0, y: 0, width: 100, height: 100 });
        assert!(picture.take_dirty().is_empty());
    }

    proptest! {
        #[test]
        fn no_rectangle_and_no_source_length_panics(
            x in any::<u32>(), y in 0_u32..40, width in any::<u32>(), height in 0_u32..40,
            bytes in 0_usize..2000,
        ) {
            let mut picture = Picture::default();
            picture.resize(16, 16).unwrap();
            picture.copy_rgbx(&vec![1; bytes], PixelRect { x, y, width, height });
        }
    }
}
