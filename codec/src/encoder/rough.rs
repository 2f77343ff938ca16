//! Photographs told roughly at first, and exactly when there is time.

use super::Encoder;
use crate::coarse::{self, Quality};
use crate::grammar::Told;
use crate::photo;
use crate::range::Writer;

/// Fewer rows of a tile are told exactly: they cost little.
const FEWEST_ROWS: u32 = 8;

impl Encoder {
    /// From the next picture on, tells photographs roughly: `quality` is as in JPEG, from 1 to 100,
    /// beyond which it is taken for the nearest. `None`, as at the beginning, tells all exactly.
    ///
    /// What was told roughly stays so until it changes or [`Self::refine`] says otherwise.
    pub fn hurry(&mut self, quality: Option<u8>) {
        self.quality = quality.and_then(|quality| Quality::new(quality.clamp(1, 100)));
    }

    /// How many tiles the viewers have roughly.
    pub fn coarse_tiles(&self) -> u32 {
        self.known.iter().filter(|known| known.is_coarse).count() as u32
    }

    /// Tells with the next picture so many tiles exactly that the viewers have roughly and that do not
    /// change, those first that are nearest to a place.
    pub fn refine(&mut self, tiles: u32, (x, y): (u32, u32)) {
        self.known.iter_mut().for_each(|known| known.is_refined = false);
        for _ in 0..tiles {
            let distance = |tile: u32| {
                let rect = self.grid.rect(tile);
                let off = |from: u32, length: u32, to: u32| {
                    let middle = i64::from(from) + i64::from(length / 2) - i64::from(to);
                    middle * middle
                };
                off(rect.x, rect.width, x) + off(rect.y, rect.height, y)
            };
            let waits =
                self.known.iter().zip(0..).filter(|(known, _)| {
                    known.is_coarse && !known.is_refined && known.restless == 0
                });
            let nearest = waits.map(|(_, tile)| tile).min_by_key(|tile| distance(*tile));
            let nearest = nearest.and_then(|tile| self.known.get_mut(tile as usize));
            let Some(nearest) = nearest else { return };
            nearest.is_refined = true;
        }
    }

    /// Tells a tile roughly rather than by its rows, if that may be and is worth it.
    pub(super) fn hurry_tile(&mut self, tile: u32, told: Told, pixels: &[u8]) -> Told {
        let is_worth_it = told == Told::Rows && self.scratch.runs.told_rows() >= FEWEST_ROWS;
        if self.quality.is_none() || !is_worth_it {
            return told;
        }
        let rect = self.grid.rect(tile);
        self.load_tile(tile, pixels);
        let (width, height) = (rect.width as usize, rect.height as usize);
        let is_photo = photo::is_photo(&self.scratch.area, 0..height, width);
        if is_photo { Told::Coarse } else { told }
    }

    /// Writes the tile that was loaded.
    pub(super) fn write_coarse(&mut self, tile: u32) {
        let Some(quality) = self.quality else { return };
        let rect = self.grid.rect(tile);
        let mut writer = Writer::resume(&mut self.out, self.frame.writer);
        let (learnt, planes) = (&mut self.coarse, &mut self.planes);
        let (width, height) = (rect.width as usize, rect.height as usize);
        coarse::Teller { learnt, planes, quality }.write(
            &mut writer,
            &self.scratch.area,
            width,
            height,
        );
        self.frame.writer = writer.pause();
        self.frame.coarse += 1;
    }
}
