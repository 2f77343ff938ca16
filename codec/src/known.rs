//! What the encoder remembers instead of pictures: hashes.

use std::collections::HashMap;

use rapidhash::v3::{RapidSecrets, rapidhash_v3_inline};

use crate::geometry::{Grid, PART, PIXEL, TILE};
use crate::wire::CACHE;

/// Parts of a whole tile side by side.
const PARTS: usize = (TILE / PART) as usize;

/// A hash that can't be foreseen without the key; its protected form, because what a kiosk
/// shows can be somebody else's choice.
fn keyed_hash(bytes: &[u8], secrets: &RapidSecrets) -> u64 {
    rapidhash_v3_inline::<true, false, true>(bytes, secrets)
}

/// Hashes of a picture, row of pixels by row of pixels: of whole rows, of a tile's part of each, and
/// of the quarters of those.
#[derive(Debug, Default)]
struct Table {
    rows: Vec<u64>,
    segments: Vec<u64>,
    parts: Vec<u64>,
}

impl Table {
    fn resize(&mut self, rows: usize, segments: usize, parts: usize) {
        for (table, width) in
            [(&mut self.rows, 1), (&mut self.segments, segments), (&mut self.parts, parts)]
        {
            table.clear();
            table.resize(rows * width, 0);
        }
    }

    const fn memory(&self) -> usize {
        let entries = self.rows.capacity() + self.segments.capacity() + self.parts.capacity();
        entries * size_of::<u64>()
    }
}

/// Hashes of the picture that the viewers have, and of the one that is being read as far as it
/// differs.
#[derive(Debug, Default)]
pub(crate) struct Hashes {
    /// Tiles side by side.
    columns: usize,
    /// Parts side by side.
    parts: usize,
    old: Table,
    new: Table,
    /// Rows of pixels that differ; only these are in `new`.
    changed: Vec<bool>,
    /// From the first to the last row that differed last.
    committed: (u32, u32),
}

/// The entries of row `y`.
fn row(table: &[u64], y: u32, width: usize) -> &[u64] {
    table.get(y as usize * width..(y as usize + 1) * width).unwrap_or_default()
}

impl Hashes {
    pub(crate) fn resize(&mut self, grid: Grid) {
        self.columns = grid.columns() as usize;
        self.parts = grid.size().width.div_ceil(PART) as usize;
        let rows = grid.size().height as usize;
        self.old.resize(rows, self.columns, self.parts);
        self.new.resize(rows, self.columns, self.parts);
        self.changed.clear();
        self.changed.resize(rows, false);
    }

    pub(crate) const fn memory(&self) -> usize {
        self.old.memory() + self.new.memory() + self.changed.capacity()
    }

    /// A picture begins.
    pub(crate) fn begin(&mut self) {
        self.changed.fill(false);
    }

    /// Hashes a band of pixels from row `y` on: whole rows, and those that differ part by part.
    pub(crate) fn take(&mut self, y: u32, pixels: &[u8], stride: usize, secrets: &RapidSecrets) {
        let (columns, parts) = (self.columns.max(1), self.parts.max(1));
        let (from, Table { rows, segments, parts: new_parts }) = (y as usize, &mut self.new);
        let tables = rows
            .iter_mut()
            .zip(segments.chunks_exact_mut(columns))
            .zip(new_parts.chunks_exact_mut(parts))
            .zip(self.old.rows.iter().zip(&mut self.changed));
        for ((((new, segments), parts), (old, changed)), row) in
            tables.skip(from).zip(pixels.chunks_exact(stride))
        {
            *new = keyed_hash(row, secrets);
            *changed = new != old;
            if !*changed {
                continue;
            }
            for (part, pixels) in parts.iter_mut().zip(row.chunks(PART as usize * PIXEL)) {
                *part = keyed_hash(pixels, secrets);
            }
            for (segment, parts) in segments.iter_mut().zip(parts.chunks(PARTS)) {
                let mut bytes = [0; PARTS * size_of::<u64>()];
                for (to, part) in bytes.as_chunks_mut().0.iter_mut().zip(parts) {
                    *to = part.to_le_bytes();
                }
                *segment = keyed_hash(&bytes, secrets);
            }
        }
    }

    /// The picture that was read is the one that the viewers have.
    pub(crate) fn commit(&mut self) {
        let first = self.changed.iter().position(|changed| *changed);
        let last = self.changed.iter().rposition(|changed| *changed);
        if let (Some(first), Some(last)) = (first, last) {
            self.committed = (first as u32, last as u32 + 1);
        }
        for (y, _) in self.changed.iter().enumerate().filter(|(_, changed)| **changed) {
            let Table { rows, segments, parts } = &mut self.new;
            let tables = [
                (&mut self.old.rows, rows, 1),
                (&mut self.old.segments, segments, self.columns),
                (&mut self.old.parts, parts, self.parts),
            ];
            for (old, new, width) in tables {
                let range = y * width..(y + 1) * width;
                if let (Some(old), Some(new)) = (old.get_mut(range.clone()), new.get(range)) {
                    old.copy_from_slice(new);
                }
            }
        }
        self.changed.fill(false);
    }

    /// Whether this is row `y` of the viewers' picture.
    pub(crate) fn is_old_row(&self, y: u32, pixels: &[u8], secrets: &RapidSecrets) -> bool {
        self.old.rows.get(y as usize).is_some_and(|old| *old == keyed_hash(pixels, secrets))
    }

    /// The rows that differed last, and those between them.
    pub(crate) const fn committed(&self) -> std::ops::Range<u32> {
        self.committed.0..self.committed.1
    }

    /// Whether any of these rows differs.
    pub(crate) fn is_changed(&self, y: u32, rows: u32) -> bool {
        let rows = self.changed.get(y as usize..(y + rows) as usize);
        rows.is_some_and(|rows| rows.contains(&true))
    }

    fn is_row_changed(&self, y: u32) -> bool {
        self.changed.get(y as usize).copied().unwrap_or(false)
    }

    /// A tile's part of a row of the viewers' picture.
    pub(crate) fn old_at(&self, column: u32, y: u32) -> Option<u64> {
        row(&self.old.segments, y, self.columns).get(column as usize).copied()
    }

    /// A tile's part of a row of the picture that is being read.
    pub(crate) fn new_at(&self, column: u32, y: u32) -> Option<u64> {
        let table = if self.is_row_changed(y) { &self.new } else { &self.old };
        row(&table.segments, y, self.columns).get(column as usize).copied()
    }

    /// Where a tile's part of a row of this hash is in the viewers' picture: column and row.
    pub(crate) fn find_old(&self, hash: u64) -> Option<(u32, u32)> {
        const LANES: usize = 32;
        let hashes = &self.old.segments;
        let chunk = hashes.chunks(LANES).position(|chunk| {
            // Without a way out, so that the compiler compares several at once.
            chunk.iter().fold(false, |found, other| found | (*other == hash))
        })?;
        let place = hashes.iter().skip(chunk * LANES).position(|other| *other == hash)?;
        let place = chunk * LANES + place;
        Some(((place % self.columns) as u32, (place / self.columns) as u32))
    }

    /// A hash of a whole tile of the viewers' picture, and whether its rows differ at all.
    pub(crate) fn old_tile(&self, grid: Grid, tile: u32, secrets: &RapidSecrets) -> (u64, bool) {
        tile_hash(grid, tile, secrets, |column, y| self.old_at(column, y))
    }

    /// The same of the picture that is being read.
    pub(crate) fn new_tile(&self, grid: Grid, tile: u32, secrets: &RapidSecrets) -> (u64, bool) {
        tile_hash(grid, tile, secrets, |column, y| self.new_at(column, y))
    }

    /// A bit for each row of a tile that differs, the top one lowest.
    pub(crate) fn differing(&self, column: u32, y: u32, rows: u32) -> u64 {
        (0..rows).filter(|row| self.is_row_changed(y + row)).fold(0, |mask, row| {
            let differs = self.new_at(column, y + row) != self.old_at(column, y + row);
            mask | u64::from(differs) << row
        })
    }

    /// The first and the last part of a tile in which any of these rows differs; all of it if none
    /// does.
    pub(crate) fn differing_parts(&self, column: u32, y: u32, mask: u64) -> (u32, u32) {
        let first = column as usize * PARTS;
        let here = first..(first + PARTS).min(self.parts);
        let mut differs = [false; PARTS];
        for row_in_tile in (0..TILE).filter(|row| mask >> row & 1 == 1) {
            let at = y + row_in_tile;
            let old = row(&self.old.parts, at, self.parts).get(here.clone()).unwrap_or_default();
            let new = row(&self.new.parts, at, self.parts).get(here.clone()).unwrap_or_default();
            let pairs = old.iter().zip(new).zip(&mut differs);
            pairs.for_each(|((old, new), differs)| *differs |= old != new);
        }
        let first = differs.iter().position(|differs| *differs);
        let last = differs.iter().rposition(|differs| *differs);
        let all = (0, (here.len() as u32).saturating_sub(1));
        first.zip(last).map_or(all, |(first, last)| (first as u32, last as u32))
    }
}

/// A hash of a whole tile, and whether its rows differ at all.
fn tile_hash(
    grid: Grid,
    tile: u32,
    secrets: &RapidSecrets,
    at: impl Fn(u32, u32) -> Option<u64>,
) -> (u64, bool) {
    let rect = grid.rect(tile);
    let mut bytes = [0; TILE as usize * size_of::<u64>()];
    let (words, _) = bytes.as_chunks_mut();
    let mut varied = false;
    let mut first = None;
    for (word, y) in words.iter_mut().zip(rect.y..rect.y + rect.height) {
        let hash = at(tile % grid.columns(), y).unwrap_or(0);
        varied |= *first.get_or_insert(hash) != hash;
        *word = hash.to_le_bytes();
    }
    (keyed_hash(&bytes, secrets), varied)
}

/// Which tiles the viewers remember; their pixels are nowhere here.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    /// By place: the tile's hash, and the number of the update that saved it; 0 if there is none.
    places: Vec<(u64, u32)>,
    /// Places by their hashes.
    index: HashMap<u64, u16>,
    /// Where the next one goes.
    next: u32,
}

impl Remembered {
    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.places.clear();
        self.places.resize(CACHE as usize, (0, 0));
        self.index.clear();
        // Once, so that nothing is allocated later.
        self.index.reserve(CACHE as usize);
        self.next = 0;
    }

    pub(crate) fn memory(&self) -> usize {
        let entry = size_of::<(u64, u16)>() + 1;
        self.places.capacity() * size_of::<(u64, u32)>() + self.index.capacity() * 8 / 7 * entry
    }

    /// Where the next one goes.
    pub(crate) const fn next(&self) -> u32 {
        self.next
    }

    /// The place of a tile.
    pub(crate) fn find(&self, hash: u64) -> Option<u32> {
        self.index.get(&hash).map(|place| u32::from(*place))
    }

    /// Remembers a tile in the next place, as of the update of this number.
    pub(crate) fn save(&mut self, hash: u64, number: u32) {
        let Some(place) = self.places.get_mut(self.next as usize) else { return };
        let old = std::mem::replace(place, (hash, number));
        if old.1 > 0 {
            self.index.remove(&old.0);
        }
        self.index.insert(hash, self.next as u16);
        self.next = (self.next + 1) % CACHE;
    }

    /// Forgets what was saved after update `seen`.
    pub(crate) fn forget_after(&mut self, seen: u32) {
        for place in &mut self.places {
            if place.1 > seen {
                self.index.remove(&place.0);
                *place = (0, 0);
            }
        }
    }
}
