//! The envelope of an update: header and tile list. The table is in the crate's documentation.

use crate::geometry::{Grid, PIXEL, Size};
use crate::{DecodeError, Limits};

/// The only layout there is so far.
pub(crate) const VERSION: u8 = 1;
/// Flag: the update holds every tile of the picture.
pub(crate) const FLAG_FULL: u8 = 1;
/// Bytes in front of the compressed tiles.
pub(crate) const HEADER: usize = 18;
/// Bytes of a tile besides its pixels: what kind it is.
pub(crate) const TILE_OVERHEAD: usize = 1;
/// Bytes of a pixel within a tile: red, green, blue.
pub(crate) const SAMPLE: usize = 3;
/// Kind of a tile whose pixels follow, row by row.
pub(crate) const KIND_PIXELS: u8 = 0;
/// Kind of a tile of one colour, of which one pixel follows.
pub(crate) const KIND_SOLID: u8 = 1;

/// Tiles in a row that are all in the update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) first: u32,
    pub(crate) count: u32,
}

impl Run {
    /// The numbers of its tiles.
    pub(crate) fn tiles(self) -> std::ops::Range<u32> {
        self.first..self.first.saturating_add(self.count)
    }
}

/// The fields of the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) full: bool,
    pub(crate) size: Size,
    pub(crate) number: u32,
    pub(crate) raw_len: u32,
    pub(crate) body_len: u32,
}

impl Header {
    /// The header's bytes. The size must be plausible.
    pub(crate) fn to_bytes(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        let fields = [VERSION, if self.full { FLAG_FULL } else { 0 }]
            .into_iter()
            .chain((self.size.width as u16).to_le_bytes())
            .chain((self.size.height as u16).to_le_bytes())
            .chain(self.number.to_le_bytes())
            .chain(self.raw_len.to_le_bytes())
            .chain(self.body_len.to_le_bytes());
        for (to, from) in bytes.iter_mut().zip(fields) {
            *to = from;
        }
        bytes
    }

    fn parse(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let [version] = reader.take()?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let [flags] = reader.take()?;
        if flags & !FLAG_FULL != 0 {
            return Err(DecodeError::Flags(flags));
        }
        let width = u32::from(u16::from_le_bytes(reader.take()?));
        let height = u32::from(u16::from_le_bytes(reader.take()?));
        Ok(Self {
            full: flags & FLAG_FULL != 0,
            size: Size { width, height },
            number: u32::from_le_bytes(reader.take()?),
            raw_len: u32::from_le_bytes(reader.take()?),
            body_len: u32::from_le_bytes(reader.take()?),
        })
    }
}

/// An update whose envelope is sound; the compressed tiles are not yet looked at.
#[derive(Debug)]
pub(crate) struct Envelope<'a> {
    pub(crate) header: Header,
    pub(crate) body: &'a [u8],
    pub(crate) runs: Vec<Run>,
    /// How many tiles the runs name.
    pub(crate) tiles: u32,
}

impl<'a> Envelope<'a> {
    /// Reads all of `message`; allocates at most eight bytes for each of its tiles.
    pub(crate) fn parse(message: &'a [u8], limits: &Limits) -> Result<Self, DecodeError> {
        let mut reader = Reader(message);
        let header = Header::parse(&mut reader)?;
        let size = header.size;
        if !size.is_plausible() {
            return Err(DecodeError::Size(size));
        }
        if size.pixels() > limits.max_pixels {
            return Err(DecodeError::TooLarge { pixels: size.pixels(), limit: limits.max_pixels });
        }
        if header.number == 0 {
            return Err(DecodeError::NumberZero);
        }
        let body = reader.slice(header.body_len as usize)?;
        let grid = Grid::new(size);
        let runs = parse_runs(reader, grid.tiles())?;
        let tiles = runs.iter().map(|run| run.count).sum();
        if header.full && tiles != grid.tiles() {
            return Err(DecodeError::NotFull { tiles, of: grid.tiles() });
        }
        let max = raw_len_max(grid, &runs);
        if header.raw_len as usize > max {
            return Err(DecodeError::RawLength { claimed: header.raw_len as usize, max });
        }
        Ok(Self { header, body, runs, tiles })
    }
}

/// The most that the tiles of these runs can need before compression.
fn raw_len_max(grid: Grid, runs: &[Run]) -> usize {
    runs.iter().flat_map(|run| run.tiles()).map(|tile| raw_len_of(grid, tile)).sum()
}

/// Bytes before compression of a tile that is not of one colour.
fn raw_len_of(grid: Grid, tile: u32) -> usize {
    let rect = grid.rect(tile);
    TILE_OVERHEAD + rect.width as usize * rect.height as usize * SAMPLE
}

/// Reads the tile list to the message's end.
fn parse_runs(mut reader: Reader<'_>, tiles: u32) -> Result<Vec<Run>, DecodeError> {
    let mut runs = Vec::new();
    let mut next = 0_u32;
    while !reader.0.is_empty() {
        let skipped = reader.varint()?;
        if skipped == 0 && !runs.is_empty() {
            return Err(DecodeError::TileOrder);
        }
        let count = reader.varint()?.checked_add(1).ok_or(DecodeError::TileOutside)?;
        let first = next.checked_add(skipped).ok_or(DecodeError::TileOutside)?;
        next = first.checked_add(count).ok_or(DecodeError::TileOutside)?;
        if next > tiles {
            return Err(DecodeError::TileOutside);
        }
        runs.push(Run { first, count });
    }
    if runs.is_empty() { Err(DecodeError::Empty) } else { Ok(runs) }
}

/// Appends the tile list; `tiles` must be strictly increasing.
pub(crate) fn write_runs(out: &mut Vec<u8>, tiles: impl Iterator<Item = u32>) {
    let mut end = 0;
    let mut open: Option<Run> = None;
    for tile in tiles {
        match &mut open {
            Some(run) if run.first + run.count == tile => run.count += 1,
            _ => {
                end = close_run(out, open, end);
                open = Some(Run { first: tile, count: 1 });
            }
        }
    }
    close_run(out, open, end);
}

/// Writes one run; gives the number after its last tile.
fn close_run(out: &mut Vec<u8>, run: Option<Run>, end: u32) -> u32 {
    let Some(run) = run else { return end };
    write_varint(out, run.first - end);
    write_varint(out, run.count - 1);
    run.first + run.count
}

fn write_varint(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The longest that an update of a picture of this size can be, in bytes.
///
/// What no longer fits cannot have come from an [`crate::Encoder`]: receivers refuse it before
/// they collect it.
pub fn max_update_len(size: Size) -> usize {
    let grid = Grid::new(size);
    let tiles = grid.tiles() as usize;
    let pixels = size.width as usize * size.height as usize;
    let raw = pixels * (PIXEL - 1) + tiles * TILE_OVERHEAD;
    // A run takes at most 3 bytes for each of its two numbers, and two tiles at least.
    HEADER + zstd::zstd_safe::compress_bound(raw) + tiles * 3 + 6
}

/// Reads from the front of a slice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    /// The next `N` bytes.
    pub(crate) fn take<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (head, tail) = self.0.split_first_chunk().ok_or(DecodeError::Truncated)?;
        self.0 = tail;
        Ok(*head)
    }

    /// The next `len` bytes.
    pub(crate) fn slice(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (head, tail) = self.0.split_at_checked(len).ok_or(DecodeError::Truncated)?;
        self.0 = tail;
        Ok(head)
    }

    /// A number in groups of seven bits, the lowest first, in as few bytes as it needs.
    fn varint(&mut self) -> Result<u32, DecodeError> {
        let mut value = 0_u32;
        for shift in [0, 7, 14] {
            let [byte] = self.take()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let canonical = byte != 0 || shift == 0;
                return if canonical { Ok(value) } else { Err(DecodeError::TileOrder) };
            }
        }
        Err(DecodeError::TileOutside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs_of(tiles: &[u32]) -> Vec<u8> {
        let mut out = Vec::new();
        write_runs(&mut out, tiles.iter().copied());
        out
    }

    #[test]
    fn tile_lists_come_back() {
        for tiles in [&[0][..], &[5], &[0, 1, 2, 4], &[3, 4, 200, 201, 16_383]] {
            let runs = parse_runs(Reader(&runs_of(tiles)), 16_384).unwrap();
            let back: Vec<u32> = runs.iter().flat_map(|run| run.tiles()).collect();
            assert_eq!(back, tiles);
        }
    }

    #[test]
    fn a_tile_list_has_one_spelling() {
        // Two runs that touch would be one run.
        assert!(matches!(parse_runs(Reader(&[0, 0, 0, 0]), 9), Err(DecodeError::TileOrder)));
        // The number 0 in two bytes.
        assert!(matches!(parse_runs(Reader(&[0x80, 0, 0]), 9), Err(DecodeError::TileOrder)));
    }

    #[test]
    fn rejects_tiles_outside_the_picture() {
        assert!(parse_runs(Reader(&[0, 8]), 9).is_ok());
        assert!(matches!(parse_runs(Reader(&[1, 8]), 9), Err(DecodeError::TileOutside)));
        assert!(matches!(
            parse_runs(Reader(&[0xff, 0xff, 0xff, 0]), 9),
            Err(DecodeError::TileOutside)
        ));
    }

    #[test]
    fn rejects_an_update_without_tiles_and_half_a_run() {
        assert!(matches!(parse_runs(Reader(&[]), 9), Err(DecodeError::Empty)));
        assert!(matches!(parse_runs(Reader(&[1]), 9), Err(DecodeError::Truncated)));
    }

    #[test]
    fn the_header_comes_back() {
        let header = Header {
            full: true,
            size: Size::new(8192, 3),
            number: 0x0102_0304,
            raw_len: 77,
            body_len: 99,
        };
        assert_eq!(Header::parse(&mut Reader(&header.to_bytes())).unwrap(), header);
    }
}
