//! Picture to bytes: finds what changed and says it in as few bytes as it can.

mod bands;
mod commit;
mod rough;
mod scratch;
mod tiles;

use std::fmt;
use std::ops::Range;

use rapidhash::v3::RapidSecrets;

use crate::coarse::{self, Quality};
use crate::drawn::{Area, MARGIN, Model, STRIDE};
use crate::geometry::{Grid, TILE};
use crate::grammar::{Grammar, Runs, Told};
use crate::known::{Hashes, Remembered};
use crate::moves::{HasTile, Moves};
use crate::range::{Writer, WriterState};
use crate::wire::Header;
use crate::{EncodeError, Size};

pub(crate) use scratch::columns_of;
use scratch::{Photos, Scratch, empty};

/// Room that an update begins with, in bytes.
const OUT_STEP: usize = 16 << 10;
/// Of all tiles, one of so many must be replaced for the old ones to be remembered: a page has
/// been left, to which somebody may return.
const PAGE: u32 = 4;
/// A tile that changed in so many pictures in a row is not worth remembering.
const RESTLESS: u8 = 4;
/// Rows of a tile that must be told anew before it is looked for among the remembered ones, or
/// remembered.
const FEWEST_ROWS: u32 = 8;

/// What is remembered of a tile.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    /// Number of the update that held it last; 0 if it must be sent anyhow.
    sent: u32,
    /// Pictures in a row in which it changed.
    restless: u8,
    /// It was told roughly, and is not known to the viewers as it is.
    is_coarse: bool,
    /// The next picture tells it exactly.
    is_refined: bool,
}

#[derive(Debug)]
struct KnownTiles<'a>(&'a [Known]);

impl HasTile for KnownTiles<'_> {
    fn has(&self, tile: u32) -> bool {
        self.0.get(tile as usize).is_some_and(|known| known.sent != 0 && !known.is_coarse)
    }
}

/// A changed tile of the picture that is being read.
#[derive(Debug, Clone, Copy)]
struct Pending {
    tile: u32,
    /// Whether what was there may be remembered.
    is_replaced: bool,
}

/// An update, ready to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "an update that is not delivered must be made up for: see Encoder::resend_after"]
pub struct Update<'a> {
    /// Counted from 1 without gaps; what the viewer acknowledges. After the last that there is
    /// (two years at 60 a second) a full update counts from 1 again.
    pub number: u32,
    /// Whether it tells the whole picture, so that a viewer without any can begin with it.
    pub full: bool,
    /// How many tiles it changes.
    pub tiles: u32,
    /// How many of these it tells roughly.
    pub coarse: u32,
    /// The bytes, valid until the encoder is used again. At most [`crate::max_update_len`].
    pub bytes: &'a [u8],
}

/// Turns successive pictures of one screen into updates.
///
/// For each picture: [`Self::begin`], [`Self::push_band`] from top to bottom, [`Self::finish`]. Bands
/// that are known to be as they were need not be read: [`Self::skip_to`].
/// Memory is some hundred kilobytes for hashes, what is learnt,
/// and the last update's bytes; never a picture. See [`Self::memory`].
///
/// # Nothing is lost
///
/// A change is marked as sent when [`Self::finish`] returns the update, not earlier: a picture
/// that is given up half-way (an error, or just another `begin`) leaves all of its changes to be
/// found by the next one. After that it is the caller's: if an update does not reach the viewer,
/// it can use none of those that follow, until [`Self::resend_after`] is called with the last
/// number that it acknowledged; the next picture then sends the tiles as they are. A caller that
/// paces simply reads no picture; what changes meanwhile is found by the next that it reads.
pub struct Encoder {
    secrets: RapidSecrets,
    grid: Grid,
    known: Vec<Known>,
    /// Of the picture that the viewers have, and of the one that is being read.
    hashes: Hashes,
    remembered: Remembered,
    /// Of the last update made.
    number: u32,
    /// The next update must be readable by who has applied all up to this one.
    base: u32,
    frame: Frame,
    moves: Moves,
    /// What was learnt is more than the viewers know: a picture was given up half-way.
    is_ahead: bool,
    grammar: Grammar,
    model: Model,
    photos: Photos,
    /// How roughly photographs are told, if they may be.
    quality: Option<Quality>,
    coarse: coarse::Learnt,
    planes: coarse::Planes,
    scratch: Scratch,
    out: Vec<u8>,
}

/// The picture that is being read.
#[derive(Debug)]
struct Frame {
    begun: bool,
    /// Row that is due.
    next_y: u32,
    /// Whether what was learnt before is forgotten.
    is_fresh: bool,
    /// Bands above that have not changed, which is not said yet: if nothing follows, nothing is
    /// said at all.
    unsaid: u32,
    /// Whether the band before, and the tiles of the row above, have changed.
    band_changed: bool,
    /// The band before was passed over: what its last rows show is not known here.
    is_after_gap: bool,
    /// The tiles that changed, in order.
    pending: Vec<Pending>,
    /// Which tiles of the row above have changed.
    above_changed: Vec<bool>,
    /// Which tiles are told roughly, in the picture as far as it is told.
    rough: Vec<bool>,
    /// How many of them in this update.
    coarse: u32,
    writer: WriterState,
    /// The first thing that went wrong.
    fault: Option<EncodeError>,
}

impl Encoder {
    /// An encoder that has sent nothing yet.
    ///
    /// `key` seeds the hash. It must be random and secret: whoever knows it could draw a change
    /// that goes unseen.
    ///
    pub fn new(key: u64) -> Self {
        Self {
            secrets: RapidSecrets::seed(key),
            grid: Grid::default(),
            known: Vec::new(),
            hashes: Hashes::default(),
            remembered: Remembered::default(),
            number: 0,
            base: 0,
            frame: Frame {
                begun: false,
                next_y: 0,
                is_fresh: true,
                unsaid: 0,
                band_changed: false,
                is_after_gap: false,
                pending: Vec::new(),
                above_changed: Vec::new(),
                rough: Vec::new(),
                coarse: 0,
                writer: WriterState::NEW,
                fault: None,
            },
            moves: Moves::default(),
            is_ahead: false,
            grammar: Grammar::new(),
            model: Model::new(),
            photos: Photos::new(),
            quality: None,
            coarse: coarse::Learnt::new(),
            planes: coarse::Planes::new(),
            scratch: Scratch {
                area: Box::new([[0; STRIDE]; MARGIN + TILE as usize]),
                runs: Runs::default(),
                above: Vec::new(),
            },
            out: Vec::new(),
        }
    }

    /// Begins a picture; one that was begun before and not finished is forgotten.
    ///
    /// A size other than the last picture's makes the update a full one.
    ///
    /// # Errors
    /// [`EncodeError::Size`].
    pub fn begin(&mut self, size: Size) -> Result<(), EncodeError> {
        self.frame.begun = false;
        if !size.is_plausible() {
            return Err(EncodeError::Size(size));
        }
        if size != self.grid.size() {
            self.grid = Grid::new(size);
            self.known.clear();
            self.known.resize(self.grid.tiles() as usize, Known::default());
            self.frame.pending.clear();
            self.frame.pending.reserve(self.grid.tiles() as usize);
            self.hashes.resize(self.grid);
            self.scratch.above.clear();
            self.scratch.above.resize(size.width as usize * MARGIN, 0);
            self.base = 0;
        }
        if self.number == u32::MAX {
            self.request_full();
            self.number = 0;
        }
        if self.known.iter().all(|known| known.sent == 0) {
            self.base = 0;
        }
        if self.base == 0 {
            // Whoever begins with this update remembers nothing.
            self.request_full();
            self.remembered.clear();
        }
        let frame = &mut self.frame;
        (frame.next_y, frame.unsaid, frame.band_changed) = (0, 0, true);
        frame.is_after_gap = false;
        frame.pending.clear();
        frame.above_changed.clear();
        frame.above_changed.resize(self.grid.columns() as usize, false);
        frame.rough.clear();
        let is_partial = self.base > 0;
        frame.rough.extend(self.known.iter().map(|known| known.is_coarse && is_partial));
        frame.coarse = 0;
        frame.writer = WriterState::NEW;
        frame.fault = None;
        self.hashes.begin();
        self.moves.begin();
        self.frame.is_fresh = self.is_ahead || self.base != self.number || self.base == 0;
        if self.frame.is_fresh {
            self.grammar.reset();
            self.model.reset();
            self.coarse = coarse::Learnt::new();
        }
        self.photos.begin(self.frame.is_fresh);
        self.scratch.above.fill(0);
        empty(&mut self.out);
        self.out.reserve(OUT_STEP);
        self.frame.begun = true;
        Ok(())
    }

    /// Ends the picture. `None` means that nothing changed.
    ///
    /// # Errors
    /// What was wrong with the bands, and [`EncodeError::Incomplete`] when some are missing. The
    /// picture is then forgotten and none of its changes counts as sent.
    pub fn finish(&mut self) -> Result<Option<Update<'_>>, EncodeError> {
        if let Some(fault) = self.frame.fault.take() {
            self.frame.begun = false;
            return Err(fault);
        }
        if !std::mem::take(&mut self.frame.begun) {
            return Err(EncodeError::NotBegun);
        }
        let size = self.grid.size();
        if self.frame.next_y < size.height {
            return Err(EncodeError::Incomplete { rows: self.frame.next_y, height: size.height });
        }
        if self.frame.pending.is_empty() {
            self.rest();
            return Ok(None);
        }
        let number = self.number + 1;
        let full = self.base == 0;
        self.say_bands(false);
        let has_photos = self.photos.end();
        let saved_from = self.remembered.next();
        let saves = self.save_replaced(number);
        self.say_saved(saves.then_some(saved_from));
        let header = Header {
            number,
            base: (!full).then_some(self.base),
            size: full.then_some(size),
            fresh: self.frame.is_fresh,
            has_photos,
            quality: self.quality,
            drawn_len: self.out.len() as u32,
        };
        // Photographs are long: the rest comes to them, not they to the rest.
        let message = &mut self.photos.out;
        let start = header.write_before(message);
        message.extend_from_slice(&self.out);
        self.commit(number);
        Ok(Some(Update {
            number,
            full,
            tiles: self.frame.pending.len() as u32,
            coarse: self.frame.coarse,
            bytes: self.photos.out.get(start..).unwrap_or_default(),
        }))
    }

    /// Makes the next update a full one: for a new viewer, or one that lost its picture.
    pub fn request_full(&mut self) {
        self.base = 0;
        self.resend_after(0);
    }

    /// Sends once more, with the next picture, every tile that was sent in an update later than
    /// number `seen`, whether or not it changes again.
    ///
    /// A viewer that has applied all updates up to `seen` can apply the next one and is then up
    /// to date.
    pub fn resend_after(&mut self, seen: u32) {
        self.base = self.base.min(seen);
        for known in &mut self.known {
            if known.sent > seen {
                known.sent = 0;
            }
        }
        self.remembered.forget_after(seen);
    }

    /// Size of the last picture; 0 × 0 before the first.
    pub const fn size(&self) -> Size {
        self.grid.size()
    }

    /// Whether row `y` of the last picture that was sent, or found to be as sent, had these pixels, in
    /// the order of a [`crate::Band`]'s.
    pub fn has_sent_row(&self, y: u32, pixels: &[u8]) -> bool {
        self.hashes.is_old_row(y, pixels, &self.secrets)
    }

    /// The rows between the first and the last that the last update has changed, both included.
    pub fn changed_rows(&self) -> Range<u32> {
        self.hashes.committed()
    }

    /// Number of the last update made; 0 before the first.
    pub const fn last_number(&self) -> u32 {
        self.number
    }

    /// Bytes of memory held now, what is learnt and the last update's bytes among them.
    pub fn memory(&self) -> usize {
        self.photos.memory()
            + self.known.capacity() * size_of::<Known>()
            + self.hashes.memory()
            + self.remembered.memory()
            + Model::memory()
            + self.frame.pending.capacity() * size_of::<Pending>()
            + size_of::<Area>()
            + coarse::Planes::memory()
            + self.scratch.above.capacity() * 4
            + self.out.capacity()
    }

    fn look_at_band(&mut self, y: u32, is_changed: bool, pixels: &[u8]) {
        let columns = self.grid.columns();
        let first = y / TILE * columns;
        if !is_changed {
            self.frame.unsaid += 1;
            self.frame.above_changed.fill(false);
            return;
        }
        self.say_bands(true);
        let (mut left, mut last) = (false, Told::Kept);
        for tile in first..first + columns {
            last = self.look_at_tile(tile, left, last, pixels);
            left = last != Told::Kept;
            if let Some(above) = self.frame.above_changed.get_mut((tile - first) as usize) {
                *above = left;
            }
        }
    }

    /// Says of the bands so far that they have not changed, and of the next that it has.
    fn say_bands(&mut self, next_changed: bool) {
        self.is_ahead = true;
        let mut writer = Writer::resume(&mut self.out, self.frame.writer);
        let unsaid = std::mem::take(&mut self.frame.unsaid);
        for changed in (0..unsaid).map(|_| false).chain(next_changed.then_some(true)) {
            self.grammar.band(&mut writer, !self.frame.band_changed, changed);
            self.frame.band_changed = changed;
        }
        self.frame.writer = writer.pause();
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder")
            .field("size", &self.grid.size())
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Band;
    use crate::geometry::PIXEL;

    #[test]
    fn after_the_last_number_a_full_update_counts_anew() {
        let size = Size::new(70, 3);
        let mut encoder = Encoder::new(1);
        let mut pixels = vec![0; 70 * 3 * PIXEL];
        let mut encode = |encoder: &mut Encoder| {
            pixels[0] += 1;
            encoder.begin(size).unwrap();
            encoder.push_band(Band { size, y: 0, rows: 3, pixels: &pixels });
            encoder.finish().unwrap().map(|update| (update.number, update.full))
        };
        assert_eq!(encode(&mut encoder), Some((1, true)));
        (encoder.number, encoder.base) = (u32::MAX - 1, u32::MAX - 1);
        assert_eq!(encode(&mut encoder), Some((u32::MAX, false)));
        assert_eq!(encode(&mut encoder), Some((1, true)));
        assert_eq!(encode(&mut encoder), Some((2, false)));
    }
}
