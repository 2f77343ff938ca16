//! The update that is being read, before any of it is in the picture.

use std::ops::Range;

use crate::DecodeError;
use crate::drawn::{Area, MARGIN, Rough};
use crate::geometry::{Grid, PIXEL, TILE};
use crate::grammar::{Move, Runs};
use crate::{Rect, Size};

/// The update that is being read; nothing of it is in the picture yet.
pub(super) struct Stage {
    pub(super) grid: Grid,
    /// Bands that change, one after the other, as they will be.
    pub(super) bands: Vec<u8>,
    /// For each band of the picture: where in `bands` it is.
    pub(super) places: Vec<Option<usize>>,
    /// The changed tiles.
    pub(super) changed: Vec<u32>,
    pub(super) above_changed: Vec<bool>,
    /// Which tiles are told roughly.
    pub(super) rough: Vec<bool>,
    /// Which of the changed tiles are kept as they were, by their order, and from which place on.
    pub(super) saved: Vec<bool>,
    pub(super) saved_from: u32,
    pub(super) runs: Runs,
}

impl Stage {
    /// An update of a picture with these tiles begins, of which some are told roughly.
    pub(super) fn begin(&mut self, grid: Grid, rough: &[bool]) {
        self.rough.clear();
        self.rough.extend_from_slice(rough);
        self.rough.resize(grid.tiles() as usize, false);
        self.grid = grid;
        self.bands.clear();
        self.places.clear();
        self.places.resize(grid.size().height.div_ceil(TILE) as usize, None);
        self.changed.clear();
        self.above_changed.clear();
        self.above_changed.resize(grid.columns() as usize, false);
        self.saved.clear();
    }

    /// Says of a tile whether it is told roughly.
    pub(super) fn mark(&mut self, tile: u32, is_rough: bool) {
        if let Some(rough) = self.rough.get_mut(tile as usize) {
            *rough = is_rough;
        }
    }

    /// Which tiles around this one are told roughly.
    pub(super) fn rough_around(&self, tile: u32) -> Rough {
        Rough::around(&self.rough, tile, self.grid.columns())
    }

    pub(super) fn stride(&self) -> usize {
        self.grid.size().width as usize * PIXEL
    }

    /// Takes over a band as it is.
    pub(super) fn open_band(&mut self, band: u32, picture: &[u8], is_full: bool) {
        let size = self.grid.size();
        let rows = TILE.min(size.height.saturating_sub(band * TILE)) as usize;
        let (start, len) = (band as usize * TILE as usize * self.stride(), rows * self.stride());
        let place = self.bands.len();
        let old = if is_full { None } else { picture.get(start..start + len) };
        match old {
            Some(old) => self.bands.extend_from_slice(old),
            None => self.bands.resize(place + len, 255),
        }
        if let Some(known) = self.places.get_mut(band as usize) {
            *known = Some(place);
        }
    }

    /// A row of pixels as it will be, if its band changes.
    pub(super) fn staged_row(&self, y: u32) -> Option<&[u8]> {
        let place = (*self.places.get((y / TILE) as usize)?)?;
        let start = place + (y % TILE) as usize * self.stride();
        self.bands.get(start..start + self.stride())
    }

    /// The parts of staged rows that are in a rectangle, which must be within a band.
    pub(super) fn rows_mut(&mut self, rect: Rect) -> impl Iterator<Item = &mut [u8]> {
        let stride = self.stride();
        let place = self.places.get((rect.y / TILE) as usize).copied().flatten();
        let start = place.map_or(usize::MAX, |place| place + (rect.y % TILE) as usize * stride);
        let (from, len) = (rect.x as usize * PIXEL, rect.width as usize * PIXEL);
        let rows = self.bands.get_mut(start..).unwrap_or_default().chunks_exact_mut(stride.max(1));
        rows.take(rect.height as usize).filter_map(move |row| row.get_mut(from..from + len))
    }

    /// What moved here from elsewhere in the old picture.
    pub(super) fn copy(&mut self, picture: &[u8], to: Rect, by: Move) -> Result<(), DecodeError> {
        let size = self.grid.size();
        let x = i64::from(to.x) + i64::from(by.dx);
        let y = i64::from(to.y) + i64::from(by.dy);
        let is_inside = x >= 0
            && y >= 0
            && x + i64::from(to.width) <= i64::from(size.width)
            && y + i64::from(to.height) <= i64::from(size.height);
        if !is_inside {
            return Err(DecodeError::TileOutside);
        }
        let from = Rect { x: x as u32, y: y as u32, ..to };
        for (to, from) in self.rows_mut(to).zip(rows_of(picture, size, from)) {
            to.copy_from_slice(from);
        }
        Ok(())
    }

    /// Fills the area above a tile and to its left.
    pub(super) fn load_margin(&self, area: &mut Area, picture: &[u8], rect: Rect) {
        let width = self.grid.size().width;
        let (x, start) = (rect.x as usize, rect.x.saturating_sub(MARGIN as u32) as usize);
        let skipped = MARGIN - (x - start);
        let end = (rect.x + rect.width + 1).min(width) as usize;
        for (row, up) in area.iter_mut().zip([2, 1]) {
            row.fill(0);
            let Some(y) = rect.y.checked_sub(up) else { continue };
            let stride = self.stride();
            let old = || picture.get(y as usize * stride..(y as usize + 1) * stride);
            let from = self.staged_row(y).or_else(old).unwrap_or_default();
            let from = from.get(start * PIXEL..end * PIXEL).unwrap_or_default().as_chunks().0;
            row.iter_mut().skip(skipped).zip(from).for_each(|(to, from)| *to = pixel_of(*from));
            if end < x + rect.width as usize + 1 {
                row[MARGIN + rect.width as usize] = row[MARGIN + rect.width as usize - 1];
            }
        }
        for (row, y) in area.iter_mut().skip(MARGIN).zip(rect.y..rect.y + rect.height) {
            row[..skipped].fill(0);
            let from = self.staged_row(y).unwrap_or_default();
            let from = from.get(start * PIXEL..x * PIXEL).unwrap_or_default().as_chunks().0;
            row.iter_mut().skip(skipped).zip(from).for_each(|(to, from)| *to = pixel_of(*from));
        }
    }

    /// Fills the two rows above row `row` of the tile with what is staged there.
    pub(super) fn load_above(&self, area: &mut Area, rect: Rect, row: usize) {
        self.load_rows(area, rect, row.saturating_sub(MARGIN)..row);
    }

    /// Fills rows of the tile with what is staged there.
    pub(super) fn load_rows(&self, area: &mut Area, rect: Rect, rows: Range<usize>) {
        for at in rows {
            let staged = self.staged_row(rect.y + at as u32).unwrap_or_default();
            let from = rect.x as usize * PIXEL;
            let staged = staged.get(from..from + rect.width as usize * PIXEL).unwrap_or_default();
            if let Some(to) = area.get_mut(MARGIN + at) {
                let to = to.iter_mut().skip(MARGIN);
                to.zip(staged.as_chunks().0).for_each(|(to, from)| *to = pixel_of(*from));
            }
        }
    }

    /// Brings pixels from the area to their place; `column` and `row` are the first of them.
    pub(super) fn store(&mut self, area: &Area, part: Rect, column: usize, row: usize) {
        for (to, from) in self.rows_mut(part).zip(area.iter().skip(MARGIN + row)) {
            let from = from.get(MARGIN + column..).unwrap_or_default();
            for (to, from) in to.as_chunks_mut().0.iter_mut().zip(from) {
                let [_, red, green, blue] = from.to_be_bytes();
                *to = [red, green, blue, 255];
            }
        }
    }
}

/// The parts of a picture's rows that are in a rectangle.
pub(super) fn rows_of(picture: &[u8], size: Size, rect: Rect) -> impl Iterator<Item = &[u8]> {
    let stride = size.width as usize * PIXEL;
    let (from, len) = (rect.x as usize * PIXEL, rect.width as usize * PIXEL);
    let start = rect.y as usize * stride;
    let rows = picture.get(start..).unwrap_or_default().chunks_exact(stride.max(1));
    rows.take(rect.height as usize).filter_map(move |row| row.get(from..from + len))
}

/// Red, green, blue, 255 as `0x00RRGGBB`.
const fn pixel_of([red, green, blue, _]: [u8; PIXEL]) -> u32 {
    u32::from_be_bytes([0, red, green, blue])
}
