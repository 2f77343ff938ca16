//! How each tile is told.

use super::scratch::columns_of;
use super::{Encoder, FEWEST_ROWS, KnownTiles, Pending, RESTLESS};
use crate::drawn::Rough;
use crate::geometry::{PART, PIXEL};
use crate::grammar::{Origin, Told};
use crate::moves::{self, Sight};
use crate::photo;
use crate::range::Writer;

impl Encoder {
    /// Says how one tile has come about.
    pub(super) fn look_at_tile(
        &mut self,
        tile: u32,
        left: bool,
        last: Told,
        pixels: &[u8],
    ) -> Told {
        let column = tile % self.grid.columns();
        let rect = self.grid.rect(tile);
        let known = self.known.get(tile as usize).copied().unwrap_or_default();
        let all = if rect.height == 64 { u64::MAX } else { (1 << rect.height) - 1 };
        let differing = self.hashes.differing(column, rect.y, rect.height);
        // Of what was told roughly nothing can be kept.
        let is_replaced_whole = known.is_coarse && (differing != 0 || known.is_refined);
        let is_forced = known.sent == 0 || is_replaced_whole;
        let changed = if is_forced { all } else { differing };
        let mut told = self.choose(tile, changed, is_forced);
        if !known.is_refined || differing != 0 {
            told = self.hurry_tile(tile, told, pixels);
        }
        let above = self.frame.above_changed.get(column as usize).copied().unwrap_or(false);
        let mut writer = Writer::resume(&mut self.out, self.frame.writer);
        let context = (left, above, self.quality.is_some());
        self.grammar.tile(&mut writer, context, last, told);
        self.frame.writer = writer.pause();
        if told == Told::Kept {
            return told;
        }
        let mut is_replaced = !is_forced && !known.is_coarse && changed.count_ones() >= FEWEST_ROWS;
        if let Some(rough) = self.frame.rough.get_mut(tile as usize) {
            *rough = told == Told::Coarse;
        }
        if told == Told::Coarse {
            self.write_coarse(tile);
        }
        if told == Told::Rows {
            is_replaced &= !self.scratch.runs.has_moved();
            let parts = if is_forced {
                (0, (rect.width - 1) / PART)
            } else {
                self.hashes.differing_parts(column, rect.y, changed)
            };
            self.write_rows(tile, parts, pixels);
        }
        is_replaced &= known.restless < RESTLESS;
        self.frame.pending.push(Pending { tile, is_replaced });
        told
    }

    /// Fills the area with a tile and with what of its neighbours is known to the viewers.
    pub(super) fn load_tile(&mut self, tile: u32, pixels: &[u8]) {
        let rect = self.grid.rect(tile);
        let stride = self.grid.size().width as usize * PIXEL;
        let (at, width) = (rect.x as usize, rect.width as usize);
        self.scratch.load(at, width, pixels, stride);
        let rough = Rough::around(&self.frame.rough, tile, self.grid.columns());
        rough.hide(&mut self.scratch.area, width);
    }

    /// Chooses how a tile is told; its runs, if by rows, are in the scratch.
    pub(super) fn choose(&mut self, tile: u32, changed: u64, is_forced: bool) -> Told {
        if changed == 0 {
            return Told::Kept;
        }
        let height = self.grid.rect(tile).height;
        if changed.count_ones() >= FEWEST_ROWS.min(height) && self.base > 0 {
            let (hash, varied) = self.hashes.new_tile(self.grid, tile, &self.secrets);
            let place = if varied { self.remembered.find(hash) } else { None };
            if let Some(place) = place {
                return Told::Remembered(place);
            }
        }
        let moved = if is_forced || self.base == 0 {
            None
        } else {
            let has = KnownTiles(&self.known);
            let sight = Sight { grid: self.grid, hashes: &self.hashes, has: &has };
            self.moves.find(sight, tile, changed)
        };
        moves::write_runs(&mut self.scratch.runs, height, changed, moved);
        Told::Rows
    }

    /// Writes the rows of a tile that are told by pixels, and before that which these are.
    pub(super) fn write_rows(&mut self, tile: u32, parts: (u32, u32), pixels: &[u8]) {
        let rect = self.grid.rect(tile);
        let width = rect.width as usize;
        if self.scratch.runs.told_rows() > 0 {
            self.load_tile(tile, pixels);
        }
        // A run of drawn rows may be a photograph after all.
        let area = &self.scratch.area;
        self.scratch.runs.revise(|origin, rows| {
            let is_photo = origin == Origin::Drawn && photo::is_photo(area, rows, width);
            if is_photo { Origin::Photo } else { origin }
        });
        let mut writer = Writer::resume(&mut self.out, self.frame.writer);
        // What is written is what was given: nothing can be wrong with it.
        let _ = self.grammar.runs(&mut writer, rect.height, &mut self.scratch.runs);
        let mut columns = 0..width;
        if self.scratch.runs.has(Origin::Drawn) {
            let _ = self.grammar.parts(&mut writer, rect.width, parts);
            columns = columns_of(parts, width);
        }
        let mut row = 0;
        for run in self.scratch.runs.iter() {
            let rows = row as usize..(row + run.rows) as usize;
            row += run.rows;
            match run.origin {
                Origin::Kept | Origin::Moved(_) => {}
                Origin::Drawn => {
                    let area = &mut self.scratch.area;
                    self.model.rows(&mut writer, area, rows, columns.clone(), width);
                }
                Origin::Photo => self.photos.write(&mut self.scratch.area, rows, width),
            }
        }
        self.frame.writer = writer.pause();
    }
}
