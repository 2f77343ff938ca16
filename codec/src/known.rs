//! What the encoder remembers instead of pictures: hashes.

use std::collections::HashMap;

use rapidhash::v3::{RapidSecrets, rapidhash_v3_inline};

use crate::geometry::{Grid, PIXEL, TILE};
use crate::wire::CACHE;

/// A hash that can't be foreseen without the key; its protected form, because what a kiosk
/// shows can be somebody else's choice.
fn keyed_hash(bytes: &[u8], secrets: &RapidSecrets) -> u64 {
    rapidhash_v3_inline::<true, false, true>(bytes, secrets)
}

/// Hashes of all rows of all tiles of a picture, row of pixels by row of pixels.
#[derive(Debug, Default)]
pub(crate) struct RowHashes {
    columns: usize,
    hashes: Vec<u64>,
}

impl RowHashes {
    pub(crate) fn resize(&mut self, grid: Grid) {
        self.columns = grid.columns() as usize;
        self.hashes.clear();
        self.hashes.resize(self.columns * grid.size().height as usize, 0);
    }

    pub(crate) const fn memory(&self) -> usize {
        self.hashes.capacity() * size_of::<u64>()
    }

    /// Hashes of rows from row `y` on; all segments of a row in a row.
    pub(crate) fn rows(&self, y: u32, rows: u32) -> &[u64] {
        let start = y as usize * self.columns;
        self.hashes.get(start..start + rows as usize * self.columns).unwrap_or_default()
    }

    pub(crate) fn at(&self, column: u32, y: u32) -> Option<u64> {
        self.hashes.get(y as usize * self.columns + column as usize).copied()
    }

    /// Hashes a band of pixels, in the order in which they lie in memory.
    pub(crate) fn take(&mut self, y: u32, pixels: &[u8], stride: usize, secrets: &RapidSecrets) {
        let start = y as usize * self.columns;
        let hashes = self.hashes.get_mut(start..).unwrap_or_default();
        let rows = pixels.chunks_exact(stride);
        for (hashes, row) in hashes.chunks_exact_mut(self.columns.max(1)).zip(rows) {
            let segments = row.chunks(TILE as usize * PIXEL);
            for (hash, segment) in hashes.iter_mut().zip(segments) {
                *hash = keyed_hash(segment, secrets);
            }
        }
    }

    /// Where a row of this hash is: its column and row of pixels.
    pub(crate) fn find(&self, hash: u64) -> Option<(u32, u32)> {
        const LANES: usize = 32;
        let chunk = self.hashes.chunks(LANES).position(|chunk| {
            // Without a way out, so that the compiler compares several at once.
            chunk.iter().fold(false, |found, other| found | (*other == hash))
        })?;
        let place = self.hashes.iter().skip(chunk * LANES).position(|other| *other == hash)?;
        let place = chunk * LANES + place;
        Some(((place % self.columns) as u32, (place / self.columns) as u32))
    }

    /// A hash of a whole tile, and whether its rows differ at all.
    pub(crate) fn tile(&self, grid: Grid, tile: u32, secrets: &RapidSecrets) -> (u64, bool) {
        let rect = grid.rect(tile);
        let mut bytes = [0; TILE as usize * size_of::<u64>()];
        let (words, _) = bytes.as_chunks_mut();
        let mut varied = false;
        let mut first = None;
        for (word, y) in words.iter_mut().zip(rect.y..rect.y + rect.height) {
            let hash = self.at(tile % grid.columns(), y).unwrap_or(0);
            varied |= *first.get_or_insert(hash) != hash;
            *word = hash.to_le_bytes();
        }
        (keyed_hash(&bytes, secrets), varied)
    }

    /// A bit for each row of a tile that differs from the other picture's, the top one lowest.
    pub(crate) fn differing(&self, other: &Self, column: u32, y: u32, rows: u32) -> u64 {
        let mine = self.rows(y, rows).iter().skip(column as usize).step_by(self.columns.max(1));
        let theirs = other.rows(y, rows).iter().skip(column as usize).step_by(self.columns.max(1));
        let pairs = mine.zip(theirs).zip(0_u32..);
        pairs.fold(0, |mask, ((mine, theirs), row)| mask | u64::from(mine != theirs) << row)
    }
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
