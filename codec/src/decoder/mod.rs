//! Bytes to picture: reads what may come from anybody.

mod stage;

use std::fmt;

use crate::bits::BitReader;
use crate::coarse::{self, Quality};
use crate::drawn::{Area, MARGIN, Model, STRIDE};
use crate::encoder::columns_of;
use crate::geometry::{Grid, PIXEL, TILE};
use crate::grammar::{Grammar, Origin, Runs, Told};
use crate::photo;
use crate::range;
use crate::wire::{CACHE, Envelope, Header};
use crate::{DecodeError, Rect, Size};

use stage::{Stage, rows_of};

/// What a decoder lets the other side make it do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most pixels a picture may have. A pixel costs four bytes for the picture and up to
    /// seven while an update is read; what the viewer remembers of earlier pictures at most 67 MB
    /// besides. Default: 16 777 216, which is two screens of 3840 × 2160.
    pub max_pixels: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_pixels: 4096 * 4096 }
    }
}

/// What an update did to the picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Number of the update, to be acknowledged.
    pub number: u32,
    /// Whether the picture was replaced as a whole; its size may be another one now.
    pub full: bool,
    /// How many updates were never seen before this one, which makes up for them.
    pub missed: u32,
    /// What was written, without overlaps, from top to bottom.
    pub rects: Vec<Rect>,
}

/// A tile as it once was.
type Kept = Option<Box<[[u8; PIXEL]]>>;

/// Applies updates to a picture of its own.
///
/// An update is applied as a whole or not at all. Whatever the bytes are, it does not panic and
/// holds no more memory than [`Limits`] allows.
pub struct Decoder {
    limits: Limits,
    grid: Grid,
    /// Red, green, blue, 255.
    picture: Vec<u8>,
    /// Which tiles were told roughly.
    rough: Vec<bool>,
    /// Of the last update applied.
    last: u32,
    /// By place: tiles that may be asked for again.
    kept: Vec<Kept>,
    learnt: Learnt,
    /// What was learnt before the update that is being read.
    learnt_before: Learnt,
    /// The tile that is being read, and what is around it.
    area: Box<Area>,
    planes: coarse::Planes,
    stage: Stage,
}

/// What the updates so far have taught.
struct Learnt {
    model: Model,
    grammar: Grammar,
    photos: photo::Learnt,
    coarse: coarse::Learnt,
}

impl Learnt {
    fn new() -> Self {
        let (model, grammar) = (Model::new(), Grammar::new());
        let (photos, coarse) = (photo::Learnt::new(), coarse::Learnt::new());
        Self { model, grammar, photos, coarse }
    }

    fn clone_from(&mut self, other: &Self) {
        self.model.clone_from(&other.model);
        self.grammar.clone_from(&other.grammar);
        self.photos.clone_from(&other.photos);
        self.coarse.clone_from(&other.coarse);
    }
}

impl Decoder {
    /// A decoder without a picture.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            grid: Grid::default(),
            picture: Vec::new(),
            rough: Vec::new(),
            last: 0,
            kept: Vec::new(),
            learnt: Learnt::new(),
            learnt_before: Learnt::new(),
            area: Box::new([[0; STRIDE]; MARGIN + TILE as usize]),
            planes: coarse::Planes::new(),
            stage: Stage {
                grid: Grid::default(),
                bands: Vec::new(),
                places: Vec::new(),
                changed: Vec::new(),
                above_changed: Vec::new(),
                rough: Vec::new(),
                saved: Vec::new(),
                saved_from: 0,
                runs: Runs::default(),
            },
        }
    }

    /// The picture: `height × width` pixels of four bytes, red, green, blue, 255, row 0 on top,
    /// no padding. Empty, with a size of 0 × 0, before the first full update.
    pub fn picture(&self) -> (&[u8], Size) {
        (&self.picture, self.grid.size())
    }

    /// Number of the last update applied; 0 before the first.
    pub const fn last_number(&self) -> u32 {
        self.last
    }

    /// Tiles that were told roughly and are not yet exact.
    pub fn coarse_tiles(&self) -> u32 {
        self.rough.iter().filter(|rough| **rough).count() as u32
    }

    /// Applies one update.
    ///
    /// # Errors
    /// Any [`DecodeError`]; the picture is then untouched.
    pub fn decode(&mut self, message: &[u8]) -> Result<Changed, DecodeError> {
        let update = Envelope::parse(message, &self.limits)?;
        let header = update.header;
        let missed = self.fits(&header)?;
        let grid = header.size.map_or(self.grid, Grid::new);
        let rough: &[bool] = if header.size.is_some() { &[] } else { &self.rough };
        self.stage.begin(grid, rough);
        self.learnt_before.clone_from(&self.learnt);
        if let Err(error) = self.read(&update, grid) {
            std::mem::swap(&mut self.learnt, &mut self.learnt_before);
            return Err(error);
        }

        // From here on nothing fails.
        self.apply(header, grid);
        Ok(Changed {
            number: header.number,
            full: header.size.is_some(),
            missed,
            rects: rects_of(grid, &self.stage.changed),
        })
    }

    /// Reads all decisions.
    fn read(&mut self, update: &Envelope<'_>, grid: Grid) -> Result<(), DecodeError> {
        let is_full = update.header.size.is_some();
        if update.header.fresh {
            self.learnt.model.reset();
            self.learnt.grammar.reset();
            self.learnt.photos = photo::Learnt::new();
            self.learnt.coarse = coarse::Learnt::new();
        }
        let mut coder = range::Reader::new(update.drawn);
        let mut photos = BitReader::new(update.photos);
        self.read_bands(&mut coder, &mut photos, (is_full, update.header.quality))?;
        self.read_saved(&mut coder)?;
        if !coder.is_at_end() || !photos.is_at_end() {
            return Err(DecodeError::Length);
        }
        let tiles = self.stage.changed.len() as u32;
        if tiles == 0 {
            return Err(DecodeError::Empty);
        }
        if is_full && tiles != grid.tiles() {
            return Err(DecodeError::NotFull { tiles, of: grid.tiles() });
        }
        Ok(())
    }

    /// Whether the picture is one that the update can be applied to; how many it makes up for.
    fn fits(&self, header: &Header) -> Result<u32, DecodeError> {
        let Some(base) = header.base else { return Ok(0) };
        if self.picture.is_empty() {
            return Err(DecodeError::NoPicture);
        }
        if header.number <= self.last {
            return Err(DecodeError::OutOfOrder { number: header.number, last: self.last });
        }
        if base > self.last {
            return Err(DecodeError::Missing { base, last: self.last });
        }
        Ok(header.number - self.last - 1)
    }

    fn read_bands(
        &mut self,
        coder: &mut range::Reader<'_>,
        photos: &mut BitReader<'_>,
        (is_full, quality): (bool, Option<Quality>),
    ) -> Result<(), DecodeError> {
        let grid = self.stage.grid;
        let columns = grid.columns();
        let mut band_changed = true;
        for band in 0..grid.size().height.div_ceil(TILE) {
            band_changed = self.learnt.grammar.band(coder, !band_changed, true);
            if !band_changed {
                self.stage.above_changed.fill(false);
                continue;
            }
            self.stage.open_band(band, &self.picture, is_full);
            let (mut left, mut last) = (false, Told::Kept);
            for column in 0..columns {
                let above = self.stage.above_changed.get(column as usize).copied();
                let context = (left, above.unwrap_or(false), quality.is_some());
                last = self.learnt.grammar.tile(coder, context, last, Told::Kept);
                left = last != Told::Kept;
                let tile = band * columns + column;
                match last {
                    Told::Kept => {}
                    Told::Remembered(_) if is_full => return Err(DecodeError::NoPicture),
                    Told::Remembered(place) => self.show_remembered(tile, place)?,
                    Told::Rows => self.read_rows(coder, photos, tile, is_full)?,
                    Told::Coarse => self.read_coarse(coder, tile, quality),
                }
                if left {
                    self.stage.changed.push(tile);
                    self.stage.mark(tile, last == Told::Coarse);
                }
                if let Some(above) = self.stage.above_changed.get_mut(column as usize) {
                    *above = left;
                }
            }
        }
        Ok(())
    }

    fn read_coarse(&mut self, coder: &mut range::Reader<'_>, tile: u32, quality: Option<Quality>) {
        // Without one no tile is told so.
        let Some(quality) = quality else { return };
        let rect = self.stage.grid.rect(tile);
        let (learnt, planes) = (&mut self.learnt.coarse, &mut self.planes);
        let (width, height) = (rect.width as usize, rect.height as usize);
        coarse::Teller { learnt, planes, quality }.read(coder, &mut self.area, width, height);
        self.stage.store(&self.area, rect, 0, 0);
    }

    fn show_remembered(&mut self, tile: u32, place: u32) -> Result<(), DecodeError> {
        let rect = self.stage.grid.rect(tile);
        let kept = self.kept.get(place as usize).and_then(Option::as_deref);
        let kept = kept.ok_or(DecodeError::Place(place))?;
        if kept.len() != rect.width as usize * rect.height as usize {
            return Err(DecodeError::Place(place));
        }
        let rows = kept.chunks_exact(rect.width as usize);
        for (to, from) in self.stage.rows_mut(rect).zip(rows) {
            to.copy_from_slice(from.as_flattened());
        }
        Ok(())
    }

    fn read_rows(
        &mut self,
        coder: &mut range::Reader<'_>,
        photos: &mut BitReader<'_>,
        tile: u32,
        is_full: bool,
    ) -> Result<(), DecodeError> {
        let (stage, area) = (&mut self.stage, &mut self.area);
        let rect = stage.grid.rect(tile);
        let mut runs = std::mem::take(&mut stage.runs);
        let read = self.learnt.grammar.runs(coder, rect.height, &mut runs);
        let mut is_loaded = false;
        let mut row = 0;
        let width = rect.width as usize;
        let mut columns = 0..width;
        let mut outcome = read;
        if outcome.is_ok() && runs.has(Origin::Drawn) {
            match self.learnt.grammar.parts(coder, rect.width, (0, 0)) {
                Ok(parts) => columns = columns_of(parts, width),
                Err(error) => outcome = Err(error),
            }
            if is_full && columns != (0..width) {
                outcome = Err(DecodeError::NoPicture);
            }
        }
        for run in runs.iter() {
            let part = Rect { y: rect.y + row, height: run.rows, ..rect };
            let rows = row as usize..(row + run.rows) as usize;
            row += run.rows;
            if outcome.is_err() {
                break;
            }
            match run.origin {
                Origin::Kept | Origin::Moved(_) if is_full => outcome = Err(DecodeError::NoPicture),
                Origin::Kept => {}
                Origin::Moved(by) => outcome = stage.copy(&self.picture, part, by),
                Origin::Drawn | Origin::Photo => {
                    if !is_loaded {
                        stage.load_margin(area, &self.picture, rect);
                        stage.rough_around(tile).hide(area, width);
                        is_loaded = true;
                    }
                    stage.load_above(area, rect, rows.start);
                    if run.origin == Origin::Photo {
                        let learnt = &mut self.learnt.photos;
                        photo::read(photos, learnt, area, rows.clone(), width);
                        stage.store(area, part, 0, rows.start);
                    } else {
                        if columns != (0..width) {
                            stage.load_rows(area, rect, rows.clone());
                        }
                        let columns = columns.clone();
                        self.learnt.model.rows(coder, area, rows.clone(), columns.clone(), width);
                        let x = part.x + columns.start as u32;
                        let part = Rect { x, width: columns.len() as u32, ..part };
                        stage.store(area, part, columns.start, rows.start);
                    }
                }
            }
        }
        self.stage.runs = runs;
        outcome
    }

    fn read_saved(&mut self, coder: &mut range::Reader<'_>) -> Result<(), DecodeError> {
        let stage = &mut self.stage;
        stage.saved.clear();
        let Some(from) = self.learnt.grammar.saving(coder, None) else { return Ok(()) };
        stage.saved_from = from;
        let mut before = false;
        let mut count = 0;
        for _ in &stage.changed {
            before = self.learnt.grammar.saved(coder, before, false);
            count += u32::from(before);
            stage.saved.push(before);
        }
        if count <= CACHE { Ok(()) } else { Err(DecodeError::Place(count)) }
    }

    /// Makes the staged update the picture.
    fn apply(&mut self, header: Header, grid: Grid) {
        if header.size.is_some() {
            self.grid = grid;
            self.picture.clear();
            self.picture.resize(grid.size().pixels() as usize * PIXEL, 255);
            self.kept.clear();
        }
        self.last = header.number;
        self.rough.clone_from(&self.stage.rough);
        self.keep_saved();
        let band = grid.size().width as usize * PIXEL * TILE as usize;
        for (place, to) in self.stage.places.iter().zip(self.picture.chunks_mut(band.max(1))) {
            let from = place.and_then(|place| self.stage.bands.get(place..place + to.len()));
            if let Some(from) = from {
                to.copy_from_slice(from);
            }
        }
    }

    /// Keeps tiles as they are before the update is applied.
    fn keep_saved(&mut self) {
        if self.stage.saved.is_empty() {
            return;
        }
        if self.kept.is_empty() {
            self.kept.resize(CACHE as usize, None);
        }
        let mut place = self.stage.saved_from;
        let saved = self.stage.changed.iter().zip(&self.stage.saved);
        for tile in saved.filter_map(|(tile, saved)| saved.then_some(*tile)) {
            let rect = self.grid.rect(tile);
            let rows = rows_of(&self.picture, self.grid.size(), rect);
            let pixels = rows.flat_map(|row| row.as_chunks::<PIXEL>().0.iter().copied());
            if let Some(kept) = self.kept.get_mut(place as usize) {
                *kept = Some(pixels.collect());
            }
            place = (place + 1) % CACHE;
        }
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("limits", &self.limits)
            .field("size", &self.grid.size())
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}

/// What tiles in rising order cover: neighbours in a row as one, equal rows below each other as
/// one.
fn rects_of(grid: Grid, tiles: &[u32]) -> Vec<Rect> {
    let mut rects: Vec<Rect> = Vec::new();
    let mut last_in_row: Option<u32> = None;
    let mut tops = Vec::new();
    for tile in tiles.iter().copied() {
        let rect = grid.rect(tile);
        match (last_in_row, tops.last_mut()) {
            (Some(last), Some(open)) if last + 1 == tile && rect.x > 0 => widen(open, rect),
            _ => {
                if tops.first().is_some_and(|row: &Rect| row.y != rect.y) {
                    stack(&mut rects, &mut tops);
                }
                tops.push(rect);
            }
        }
        last_in_row = Some(tile);
    }
    stack(&mut rects, &mut tops);
    rects
}

fn widen(open: &mut Rect, by: Rect) {
    open.width += by.width;
}

/// Moves the rectangles of one row of tiles to the others; a row of just one that continues the
/// one above makes that higher.
fn stack(rects: &mut Vec<Rect>, row: &mut Vec<Rect>) {
    if let ([only], Some(above)) = (row.as_slice(), rects.last_mut())
        && above.x == only.x
        && above.width == only.width
        && above.y + above.height == only.y
    {
        above.height += only.height;
        row.clear();
    }
    rects.append(row);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rectangles_are_joined_sideways_and_downwards() {
        let grid = Grid::new(Size::new(150, 200));
        let all: Vec<u32> = (0..grid.tiles()).collect();
        assert_eq!(rects_of(grid, &all), [Rect { x: 0, y: 0, width: 150, height: 200 }]);
        // The second column of the first two rows, and the first tile of the last row.
        assert_eq!(
            rects_of(grid, &[1, 4, 9]),
            [
                Rect { x: 64, y: 0, width: 64, height: 128 },
                Rect { x: 0, y: 192, width: 64, height: 8 },
            ]
        );
    }

    #[test]
    fn a_run_that_turns_the_corner_is_two_rectangles() {
        let grid = Grid::new(Size::new(150, 200));
        assert_eq!(
            rects_of(grid, &[2, 3]),
            [
                Rect { x: 128, y: 0, width: 22, height: 64 },
                Rect { x: 0, y: 64, width: 64, height: 64 },
            ]
        );
    }
}
