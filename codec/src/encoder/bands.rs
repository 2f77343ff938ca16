//! The rows of a picture on their way in: checked, hashed, or passed over.

use std::ops::Range;

use super::Encoder;
use super::scratch::pixel_of;
use crate::geometry::{PIXEL, TILE};
use crate::{Band, EncodeError};

impl Encoder {
    /// Takes the next rows of the picture.
    ///
    /// What is wrong with a band is told by [`Self::finish`], so that this can be called from a
    /// visitor; later bands are then ignored.
    pub fn push_band(&mut self, band: Band<'_>) {
        if self.frame.fault.is_some() {
            return;
        }
        if let Err(fault) = self.try_band(band) {
            self.frame.fault = Some(fault);
        }
    }

    /// Passes over the bands above row `y`, which begins a band or ends the picture: they are taken to
    /// be as they were sent, and what has changed in them is left for a later picture to find.
    ///
    /// The first band after them must be as it was sent, too, since what is below it is told by it;
    /// otherwise [`Self::finish`] says so, and the picture must be begun anew and read as a whole.
    pub fn skip_to(&mut self, y: u32) {
        let (from, size) = (self.frame.next_y, self.grid.size());
        if self.frame.fault.is_some() || y == from {
            return;
        }
        let is_edge = y.is_multiple_of(TILE) || y == size.height;
        let columns = self.grid.columns();
        let skipped = from / TILE * columns..y.div_ceil(TILE) * columns;
        let fault = if !self.frame.begun {
            Some(EncodeError::NotBegun)
        } else if y < from || y > size.height || !is_edge {
            Some(EncodeError::BandOrder { expected: from, got: y })
        } else if self.is_any_forced(skipped) {
            Some(EncodeError::Unread { y })
        } else {
            None
        };
        self.frame.unsaid += y.saturating_sub(from).div_ceil(TILE);
        self.frame.above_changed.fill(false);
        (self.frame.next_y, self.frame.is_after_gap) = (y, true);
        self.frame.fault = fault;
    }

    fn try_band(&mut self, band: Band<'_>) -> Result<(), EncodeError> {
        if !self.frame.begun {
            return Err(EncodeError::NotBegun);
        }
        let begun = self.grid.size();
        if band.size != begun {
            return Err(EncodeError::OtherSize { band: band.size, begun });
        }
        let expected = self.frame.next_y;
        if band.y != expected || expected >= begun.height {
            return Err(EncodeError::BandOrder { expected, got: band.y });
        }
        let stride = begun.width as usize * PIXEL;
        let rows = TILE.min(begun.height - expected);
        if band.rows != rows || band.pixels.len() != rows as usize * stride {
            return Err(EncodeError::BandLength { rows: band.rows, bytes: band.pixels.len() });
        }
        self.hashes.take(expected, band.pixels, stride, &self.secrets);
        let first = expected / TILE * self.grid.columns();
        let is_changed = self.is_any_forced(first..first + self.grid.columns())
            || self.hashes.is_changed(expected, rows);
        if std::mem::take(&mut self.frame.is_after_gap) && is_changed {
            return Err(EncodeError::Unread { y: expected });
        }
        self.look_at_band(expected, is_changed, band.pixels);
        self.keep_last_rows(band.pixels, stride);
        self.frame.next_y += rows;
        Ok(())
    }

    /// Remembers the band's last rows for what is below.
    fn keep_last_rows(&mut self, pixels: &[u8], stride: usize) {
        let rows = pixels.len() / stride;
        let width = stride / PIXEL;
        for (above, row) in self.scratch.above.chunks_exact_mut(width).zip([2, 1]) {
            let from = rows.checked_sub(row).and_then(|row| pixels.get(row * stride..));
            let from = from.unwrap_or_default().as_chunks().0;
            above.iter_mut().zip(from).for_each(|(above, pixel)| *above = pixel_of(*pixel));
        }
    }

    /// Whether any of these tiles must be told, changed or not.
    fn is_any_forced(&self, tiles: Range<u32>) -> bool {
        let tiles = self.known.get(tiles.start as usize..tiles.end as usize);
        tiles.is_none_or(|tiles| tiles.iter().any(|known| known.sent == 0 || known.is_refined))
    }
}
