//! Picture to bytes: finds the tiles that changed and compresses them.

use std::fmt;

use rapidhash::v3::{RapidSecrets, rapidhash_v3_inline};
use zstd::zstd_safe::{
    CCtx, CParameter, InBuffer, OutBuffer, ResetDirective, get_error_name, zstd_sys,
};

use crate::geometry::{Grid, PIXEL, TILE};
use crate::wire::{self, HEADER, Header, KIND_PIXELS, KIND_SOLID, SAMPLE, TILE_OVERHEAD};
use crate::{Band, EncodeError, Size};

/// zstd's level: its fastest that still codes entropy well.
const LEVEL: i32 = 1;
/// How far back zstd looks, as a power of two, in bytes: half a band of 1920 pixels. Bounds its
/// memory to about 1.5 MB.
const WINDOW_LOG: u32 = 18;
/// The compressor's room is widened when less than this is left, in bytes.
const OUT_STEP: usize = 16 << 10;
/// Room kept for the next update, however small the last ones were, in bytes.
const OUT_KEEP: usize = 256 << 10;

/// What is remembered of a tile: 16 bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    /// Of the pixels last sent.
    hash: u64,
    /// Number of the update that held them last; 0 if the tile must be sent anyhow.
    sent: u32,
}

/// A changed tile of the picture that is being read.
#[derive(Debug, Clone, Copy)]
struct Pending {
    tile: u32,
    hash: u64,
}

/// An update, ready to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "an update that is not delivered must be made up for: see Encoder::resend_after"]
pub struct Update<'a> {
    /// Counted from 1 without gaps; what the viewer acknowledges. After the last that there is
    /// (two years at 60 a second) a full update counts from 1 again.
    pub number: u32,
    /// Whether it holds the whole picture, so that a viewer without any can begin with it.
    pub full: bool,
    /// How many tiles it holds.
    pub tiles: u32,
    /// The bytes, valid until the encoder is used again. At most [`crate::max_update_len`].
    pub bytes: &'a [u8],
}

/// Turns successive pictures of one screen into updates.
///
/// For each picture: [`Self::begin`], [`Self::push_band`] from top to bottom, [`Self::finish`].
/// Memory is a few hundred kilobytes for the tiles' hashes and one tile of scratch, zstd's
/// context, and the last update's bytes; never a picture. See [`Self::memory`].
///
/// # Nothing is lost
///
/// A change is marked as sent when [`Self::finish`] returns the update, not earlier: a picture
/// that is given up half-way (an error, or just another `begin`) leaves all of its changes to be
/// found by the next one. After that it is the caller's: if the update with number *n* does not
/// reach the viewer, call [`Self::resend_after`] with *n* − 1 (or the last number that the
/// viewer acknowledged), and the next picture sends the tiles as they are then. A caller that
/// paces simply reads no picture; what changes meanwhile is found by the next that it reads.
pub struct Encoder {
    secrets: RapidSecrets,
    zstd: CCtx<'static>,
    grid: Grid,
    known: Vec<Known>,
    /// Of the last update made.
    number: u32,
    frame: Frame,
    /// Hashes of one band, one for each row of each tile.
    row_hashes: Vec<u64>,
    /// One tile before compression.
    scratch: Vec<u8>,
    out: Vec<u8>,
}

/// The picture that is being read.
#[derive(Debug, Default)]
struct Frame {
    begun: bool,
    /// Row that is due.
    next_y: u32,
    /// Bytes of tiles before compression.
    raw_len: u32,
    /// The tiles that changed, in order.
    pending: Vec<Pending>,
    /// The first thing that went wrong.
    fault: Option<EncodeError>,
}

impl Encoder {
    /// An encoder that has sent nothing yet.
    ///
    /// `key` seeds the hash. It must be random and secret: whoever knows it could draw a change
    /// that goes unseen.
    ///
    /// # Errors
    /// [`EncodeError::Compression`] when zstd finds no memory.
    pub fn new(key: u64) -> Result<Self, EncodeError> {
        let mut zstd = CCtx::try_create().ok_or(EncodeError::Compression("no memory"))?;
        for parameter in [
            CParameter::CompressionLevel(LEVEL),
            CParameter::WindowLog(WINDOW_LOG),
            CParameter::ContentSizeFlag(false),
            CParameter::ChecksumFlag(false),
        ] {
            zstd.set_parameter(parameter).map_err(compression)?;
        }
        Ok(Self {
            secrets: RapidSecrets::seed(key),
            zstd,
            grid: Grid::default(),
            known: Vec::new(),
            number: 0,
            frame: Frame::default(),
            row_hashes: Vec::new(),
            scratch: Vec::new(),
            out: Vec::new(),
        })
    }

    /// Begins a picture; one that was begun before and not finished is forgotten.
    ///
    /// A size other than the last picture's makes the update a full one.
    ///
    /// # Errors
    /// [`EncodeError::Size`], [`EncodeError::Compression`].
    pub fn begin(&mut self, size: Size) -> Result<(), EncodeError> {
        self.frame.begun = false;
        if !size.is_plausible() {
            return Err(EncodeError::Size(size));
        }
        self.zstd.reset(ResetDirective::SessionOnly).map_err(compression)?;
        if size != self.grid.size() {
            self.grid = Grid::new(size);
            self.known.clear();
            self.known.resize(self.grid.tiles() as usize, Known::default());
            self.row_hashes.clear();
            self.row_hashes.resize(self.grid.columns() as usize * TILE as usize, 0);
        }
        if self.number == u32::MAX {
            self.request_full();
            self.number = 0;
        }
        self.frame.next_y = 0;
        self.frame.raw_len = 0;
        self.frame.pending.clear();
        self.frame.fault = None;
        let used = self.out.len();
        self.out.clear();
        if used < self.out.capacity() / 4 {
            self.out.shrink_to(OUT_KEEP.max(used * 2));
        }
        self.out.resize(HEADER, 0);
        self.frame.begun = true;
        Ok(())
    }

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

    /// Ends the picture. `None` means that nothing changed.
    ///
    /// # Errors
    /// What was wrong with the bands, [`EncodeError::Incomplete`] when some are missing, and
    /// [`EncodeError::Compression`]. The picture is then forgotten and none of its changes
    /// counts as sent.
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
            return Ok(None);
        }
        self.end_compression()?;
        let tiles = self.frame.pending.len() as u32;
        let header = Header {
            full: tiles == self.grid.tiles(),
            size,
            number: self.number + 1,
            raw_len: self.frame.raw_len,
            body_len: (self.out.len() - HEADER) as u32,
        };
        for (to, from) in self.out.iter_mut().zip(header.to_bytes()) {
            *to = from;
        }
        wire::write_runs(&mut self.out, self.frame.pending.iter().map(|pending| pending.tile));
        self.number = header.number;
        for pending in &self.frame.pending {
            if let Some(known) = self.known.get_mut(pending.tile as usize) {
                *known = Known { hash: pending.hash, sent: header.number };
            }
        }
        Ok(Some(Update { number: header.number, full: header.full, tiles, bytes: &self.out }))
    }

    /// Makes the next update a full one: for a new viewer, or one that lost its picture.
    pub fn request_full(&mut self) {
        self.resend_after(0);
    }

    /// Sends once more, with the next picture, every tile that was sent in an update later than
    /// number `seen`, whether or not it changes again.
    ///
    /// A viewer that has applied all updates up to `seen` is then up to date.
    pub fn resend_after(&mut self, seen: u32) {
        for known in &mut self.known {
            if known.sent > seen {
                known.sent = 0;
            }
        }
    }

    /// Number of the last update made; 0 before the first.
    pub const fn last_number(&self) -> u32 {
        self.number
    }

    /// Bytes of memory held now, zstd's context and the last update's bytes among them.
    pub fn memory(&self) -> usize {
        self.zstd.sizeof()
            + self.known.capacity() * size_of::<Known>()
            + self.frame.pending.capacity() * size_of::<Pending>()
            + self.row_hashes.capacity() * size_of::<u64>()
            + self.scratch.capacity()
            + self.out.capacity()
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
        self.hash_rows(band.pixels, stride);
        let first = expected / TILE * self.grid.columns();
        for tile in first..first + self.grid.columns() {
            self.look_at_tile(tile, first, band.pixels)?;
        }
        self.frame.next_y += rows;
        Ok(())
    }

    /// Hashes each row of each tile of a band, in the order in which they lie in memory.
    fn hash_rows(&mut self, pixels: &[u8], stride: usize) {
        let columns = self.grid.columns() as usize;
        let rows = pixels.chunks_exact(stride);
        for (hashes, row) in self.row_hashes.chunks_exact_mut(columns).zip(rows) {
            let segments = row.chunks(TILE as usize * PIXEL);
            for (hash, segment) in hashes.iter_mut().zip(segments) {
                *hash = keyed_hash(segment, &self.secrets);
            }
        }
    }

    /// Compresses one tile of the band that was just hashed, if it changed.
    fn look_at_tile(&mut self, tile: u32, first: u32, pixels: &[u8]) -> Result<(), EncodeError> {
        let columns = self.grid.columns() as usize;
        let rect = self.grid.rect(tile);
        let mut bytes = [0; TILE as usize * size_of::<u64>()];
        let of_tile = self.row_hashes.iter().skip((tile - first) as usize).step_by(columns);
        let (words, _) = bytes.as_chunks_mut();
        for (word, hash) in words.iter_mut().zip(of_tile.take(rect.height as usize)) {
            *word = hash.to_le_bytes();
        }
        let hash = keyed_hash(&bytes, &self.secrets);
        let unchanged = self
            .known
            .get(tile as usize)
            .is_some_and(|known| known.sent != 0 && known.hash == hash);
        if unchanged {
            return Ok(());
        }
        let stride = self.grid.size().width as usize * PIXEL;
        let (from, len) = (rect.x as usize * PIXEL, rect.width as usize * PIXEL);
        let rows = pixels.chunks_exact(stride).filter_map(|row| row.get(from..from + len));
        write_tile(&mut self.scratch, rows, rect.width as usize * rect.height as usize);
        self.frame.raw_len += self.scratch.len() as u32;
        self.compress_scratch()?;
        self.frame.pending.push(Pending { tile, hash });
        Ok(())
    }

    fn compress_scratch(&mut self) -> Result<(), EncodeError> {
        let mut input = InBuffer::around(&self.scratch);
        while input.pos() < self.scratch.len() {
            make_room(&mut self.out);
            let written = self.out.len();
            let mut output = OutBuffer::around_pos(&mut self.out, written);
            let directive = zstd_sys::ZSTD_EndDirective::ZSTD_e_continue;
            self.zstd.compress_stream2(&mut output, &mut input, directive).map_err(compression)?;
        }
        Ok(())
    }

    fn end_compression(&mut self) -> Result<(), EncodeError> {
        loop {
            make_room(&mut self.out);
            let written = self.out.len();
            let mut output = OutBuffer::around_pos(&mut self.out, written);
            if self.zstd.end_stream(&mut output).map_err(compression)? == 0 {
                return Ok(());
            }
        }
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

/// A hash that can't be foreseen without the key; its protected form, because what a kiosk
/// shows can be somebody else's choice.
fn keyed_hash(bytes: &[u8], secrets: &RapidSecrets) -> u64 {
    rapidhash_v3_inline::<true, false, true>(bytes, secrets)
}

/// Writes one tile as it is before compression.
fn write_tile<'a>(
    scratch: &mut Vec<u8>,
    rows: impl Iterator<Item = &'a [u8]> + Clone,
    pixels: usize,
) {
    scratch.clear();
    if let Some(colour) = only_colour(rows.clone()) {
        scratch.push(KIND_SOLID);
        scratch.extend_from_slice(&colour);
        return;
    }
    scratch.push(KIND_PIXELS);
    scratch.resize(TILE_OVERHEAD + pixels * SAMPLE, 0);
    let (_, samples) = scratch.split_at_mut(TILE_OVERHEAD);
    let mut samples = samples.as_chunks_mut::<SAMPLE>().0.iter_mut();
    for row in rows {
        // By reference: the iterator over the samples goes on from row to row.
        for ([blue, green, red, _], sample) in
            row.as_chunks::<PIXEL>().0.iter().zip(samples.by_ref())
        {
            *sample = [*red, *green, *blue];
        }
    }
}

/// The colour of all pixels, if it is one: red, green, blue.
fn only_colour<'a>(mut rows: impl Iterator<Item = &'a [u8]> + Clone) -> Option<[u8; SAMPLE]> {
    let [blue, green, red, _] = *rows.clone().next()?.first_chunk::<PIXEL>()?;
    let same = |pixel: &[u8; PIXEL]| pixel.starts_with(&[blue, green, red]);
    rows.all(|row| row.as_chunks::<PIXEL>().0.iter().all(same)).then_some([red, green, blue])
}

/// Widens the output by a quarter, rather than by as much again, when it is nearly full.
fn make_room(out: &mut Vec<u8>) {
    if out.capacity() - out.len() < OUT_STEP {
        out.reserve_exact(OUT_STEP.max(out.len() / 4));
    }
}

fn compression(code: usize) -> EncodeError {
    EncodeError::Compression(get_error_name(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_the_last_number_a_full_update_counts_anew() {
        let size = Size::new(70, 3);
        let mut encoder = Encoder::new(1).unwrap();
        let mut pixels = vec![0; 70 * 3 * PIXEL];
        let mut encode = |encoder: &mut Encoder| {
            pixels[0] += 1;
            encoder.begin(size).unwrap();
            encoder.push_band(Band { size, y: 0, rows: 3, pixels: &pixels });
            encoder.finish().unwrap().map(|update| (update.number, update.full))
        };
        assert_eq!(encode(&mut encoder), Some((1, true)));
        encoder.number = u32::MAX - 1;
        assert_eq!(encode(&mut encoder), Some((u32::MAX, false)));
        assert_eq!(encode(&mut encoder), Some((1, true)));
        assert_eq!(encode(&mut encoder), Some((2, false)));
    }
}
