//! Bytes to picture: reads what may come from anybody.

use std::fmt;

use zstd::zstd_safe::{DCtx, find_frame_compressed_size, get_error_name};

use crate::geometry::{Grid, PIXEL};
use crate::wire::{Envelope, KIND_PIXELS, KIND_SOLID, Reader, Run, SAMPLE};
use crate::{DecodeError, Rect, Size};

/// What a decoder lets the other side make it do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most pixels a picture may have. A pixel costs four bytes for the picture and three
    /// while an update is read. Default: 16 777 216, which is two screens of 3840 × 2160 and
    /// 117 MB.
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
    /// How many updates are missing before this one. If it is not 0, parts of the picture are
    /// old until they are sent again.
    pub missed: u32,
    /// What was written, without overlaps, from top to bottom.
    pub rects: Vec<Rect>,
}

/// Applies updates to a picture of its own.
///
/// An update is applied as a whole or not at all. Whatever the bytes are, it does not panic and
/// holds no more memory than [`Limits`] allows.
pub struct Decoder {
    limits: Limits,
    zstd: DCtx<'static>,
    grid: Grid,
    /// Red, green, blue, 255.
    picture: Vec<u8>,
    /// Of the last update applied.
    last: u32,
    /// The tiles of the update that is being read.
    raw: Vec<u8>,
}

impl Decoder {
    /// A decoder without a picture.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            zstd: DCtx::create(),
            grid: Grid::default(),
            picture: Vec::new(),
            last: 0,
            raw: Vec::new(),
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

    /// Applies one update.
    ///
    /// # Errors
    /// Any [`DecodeError`]; the picture is then untouched.
    pub fn decode(&mut self, message: &[u8]) -> Result<Changed, DecodeError> {
        let update = Envelope::parse(message, &self.limits)?;
        let header = update.header;
        if !header.full {
            if header.size != self.grid.size() {
                return Err(DecodeError::NoPicture);
            }
            if header.number <= self.last {
                return Err(DecodeError::OutOfOrder { number: header.number, last: self.last });
            }
        }
        let grid = Grid::new(header.size);
        self.decompress(update.body, header.raw_len as usize)?;
        check_tiles(&self.raw, grid, &update.runs)?;

        // From here on nothing fails.
        if grid != self.grid {
            self.grid = grid;
            self.picture = vec![0; header.size.pixels() as usize * PIXEL];
        }
        let missed = if header.full { 0 } else { header.number - self.last - 1 };
        self.last = header.number;
        write_tiles(&mut self.picture, &self.raw, grid, &update.runs);
        Ok(Changed {
            number: header.number,
            full: header.full,
            missed,
            rects: rects_of(grid, &update.runs, update.tiles),
        })
    }

    /// Fills `raw` with exactly `len` bytes out of exactly one zstd frame.
    fn decompress(&mut self, body: &[u8], len: usize) -> Result<(), DecodeError> {
        let frame = find_frame_compressed_size(body).map_err(damaged)?;
        if frame != body.len() {
            return Err(DecodeError::Compressed("more than one frame"));
        }
        self.raw.clear();
        self.raw.reserve_exact(len);
        // Writes at most the vector's capacity, which is bounded by the limits.
        let got = self.zstd.decompress(&mut self.raw, body).map_err(damaged)?;
        if got == len { Ok(()) } else { Err(DecodeError::Compressed("another length")) }
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

/// A tile of an update.
enum Tile<'a> {
    /// All of its pixels.
    Pixels(&'a [u8]),
    /// Its only colour.
    Solid([u8; SAMPLE]),
}

/// Reads one tile that covers `rect`.
fn read_tile<'a>(raw: &mut Reader<'a>, tile: u32, rect: Rect) -> Result<Tile<'a>, DecodeError> {
    let [kind] = raw.take()?;
    match kind {
        KIND_PIXELS => {
            let pixels = rect.width as usize * rect.height as usize;
            Ok(Tile::Pixels(raw.slice(pixels * SAMPLE)?))
        }
        KIND_SOLID => Ok(Tile::Solid(raw.take()?)),
        kind => Err(DecodeError::TileKind { tile, kind }),
    }
}

/// Whether the tiles fill `raw` to its last byte.
fn check_tiles(raw: &[u8], grid: Grid, runs: &[Run]) -> Result<(), DecodeError> {
    let mut reader = Reader(raw);
    for tile in runs.iter().flat_map(|run| run.tiles()) {
        match read_tile(&mut reader, tile, grid.rect(tile)) {
            Err(DecodeError::Truncated) => return Err(DecodeError::TileLength(raw.len())),
            other => other?,
        };
    }
    if reader.0.is_empty() { Ok(()) } else { Err(DecodeError::TileLength(raw.len())) }
}

/// Writes tiles that were checked.
fn write_tiles(picture: &mut [u8], raw: &[u8], grid: Grid, runs: &[Run]) {
    let mut reader = Reader(raw);
    let stride = grid.size().width as usize * PIXEL;
    for tile in runs.iter().flat_map(|run| run.tiles()) {
        let rect = grid.rect(tile);
        let Ok(content) = read_tile(&mut reader, tile, rect) else { return };
        let (from, len) = (rect.x as usize * PIXEL, rect.width as usize * PIXEL);
        let rows = picture
            .chunks_exact_mut(stride)
            .skip(rect.y as usize)
            .take(rect.height as usize)
            .filter_map(|row| row.get_mut(from..from + len))
            .map(|row| row.as_chunks_mut::<PIXEL>().0);
        match content {
            Tile::Solid([red, green, blue]) => {
                rows.for_each(|row| row.fill([red, green, blue, 255]))
            }
            Tile::Pixels(samples) => {
                let samples = samples.chunks_exact(rect.width as usize * SAMPLE);
                for (row, samples) in rows.zip(samples) {
                    for (pixel, [red, green, blue]) in
                        row.iter_mut().zip(samples.as_chunks::<SAMPLE>().0)
                    {
                        *pixel = [*red, *green, *blue, 255];
                    }
                }
            }
        }
    }
}

/// What the runs cover: neighbours in a row as one, equal rows below each other as one.
fn rects_of(grid: Grid, runs: &[Run], tiles: u32) -> Vec<Rect> {
    let mut rects: Vec<Rect> = Vec::new();
    let mut last_in_row: Option<u32> = None;
    let mut tops = Vec::with_capacity(tiles.min(grid.columns()) as usize);
    for tile in runs.iter().flat_map(|run| run.tiles()) {
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

fn damaged(code: usize) -> DecodeError {
    DecodeError::Compressed(get_error_name(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rectangles_are_joined_sideways_and_downwards() {
        let grid = Grid::new(Size::new(150, 200));
        let all = [Run { first: 0, count: grid.tiles() }];
        assert_eq!(
            rects_of(grid, &all, grid.tiles()),
            [Rect { x: 0, y: 0, width: 150, height: 200 }]
        );
        // The second column of the first two rows, and the first tile of the last row.
        let some =
            [Run { first: 1, count: 1 }, Run { first: 4, count: 1 }, Run { first: 9, count: 1 }];
        assert_eq!(
            rects_of(grid, &some, 3),
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
            rects_of(grid, &[Run { first: 2, count: 2 }], 2),
            [
                Rect { x: 128, y: 0, width: 22, height: 64 },
                Rect { x: 0, y: 64, width: 64, height: 64 },
            ]
        );
    }
}
