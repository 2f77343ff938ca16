//! Room that an encoder uses again and again.

use std::ops::Range;

use crate::bits::{BitState, BitWriter};
use crate::drawn::{Area, MARGIN};
use crate::geometry::{PART, PIXEL};
use crate::grammar::Runs;
use crate::photo;
use crate::wire::MAX_HEADER;

/// Room kept for the next update, however small the last ones were, in bytes.
const OUT_KEEP: usize = 256 << 10;

/// Room that is used again and again.
#[derive(Debug)]
pub(super) struct Scratch {
    pub(super) area: Box<Area>,
    pub(super) runs: Runs,
    /// The last two rows of the band before, one after the other, as pixels.
    pub(super) above: Vec<u32>,
}

/// The photographs of an update.
pub(super) struct Photos {
    pub(super) learnt: photo::Learnt,
    pub(super) state: BitState,
    /// Room for the header, then the photographs.
    pub(super) out: Vec<u8>,
}

impl Scratch {
    /// Fills the area with a tile and what is around it.
    pub(super) fn load(&mut self, x: usize, width: usize, pixels: &[u8], stride: usize) {
        let picture_width = stride / PIXEL;
        // One more to the right, where there is one.
        let end = (x + width + 1).min(picture_width);
        let start = x.saturating_sub(MARGIN);
        let skipped = MARGIN - (x - start);
        let mut rows = self.area.iter_mut();
        for (row, above) in rows.by_ref().take(MARGIN).zip(self.above.chunks_exact(picture_width)) {
            row[..skipped].fill(0);
            let above = above.get(start..end).unwrap_or_default();
            let to = row.get_mut(skipped..skipped + above.len()).unwrap_or_default();
            to.copy_from_slice(above);
            if end < x + width + 1 {
                row[MARGIN + width] = row[MARGIN + width - 1];
            }
        }
        let end = x + width;
        for (row, from) in rows.zip(pixels.chunks_exact(stride)) {
            row[..skipped].fill(0);
            let from = from.get(start * PIXEL..end * PIXEL).unwrap_or_default().as_chunks().0;
            let to = row.get_mut(skipped..).unwrap_or_default();
            to.iter_mut().zip(from).for_each(|(to, from)| *to = pixel_of(*from));
        }
    }
}

/// The columns of a tile of this width that are in its parts from the first to the last.
pub(crate) fn columns_of((first, last): (u32, u32), width: usize) -> Range<usize> {
    let part = PART as usize;
    first as usize * part..((last as usize + 1) * part).min(width)
}

/// Blue, green, red and one that means nothing, as `0x00RRGGBB`.
pub(super) const fn pixel_of(bytes: [u8; PIXEL]) -> u32 {
    u32::from_le_bytes(bytes) & 0xff_ffff
}

impl Photos {
    pub(super) const fn new() -> Self {
        let (learnt, state) = (photo::Learnt::new(), BitState::EMPTY);
        Self { learnt, state, out: Vec::new() }
    }

    pub(super) const fn memory(&self) -> usize {
        self.out.capacity()
    }

    pub(super) fn begin(&mut self, is_fresh: bool) {
        if is_fresh {
            self.learnt = photo::Learnt::new();
        }
        self.state = BitState::EMPTY;
        empty(&mut self.out);
        // The header's length is known at the end; it is written right before the rest.
        self.out.resize(MAX_HEADER, 0);
    }

    /// Writes rows of the area.
    pub(super) fn write(&mut self, area: &mut Area, rows: Range<usize>, width: usize) {
        let mut writer = BitWriter::resume(&mut self.out, self.state);
        photo::write(&mut writer, &mut self.learnt, area, rows, width);
        self.state = writer.pause();
    }

    /// Whether there is anything.
    pub(super) fn end(&mut self) -> bool {
        BitWriter::resume(&mut self.out, self.state).finish();
        self.out.len() > MAX_HEADER
    }
}

/// Empties an output, and gives memory back that the last update did not need.
pub(super) fn empty(out: &mut Vec<u8>) {
    let used = out.len();
    out.clear();
    if used < out.capacity() / 4 {
        out.shrink_to(OUT_KEEP.max(used * 2));
    }
}
