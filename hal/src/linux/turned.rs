//! Bands of an upright picture out of memory that holds it turned or mirrored.
//!
//! A band of a picture that lies on its side is a strip of columns in memory. It is read in
//! pieces of rows, as wide as the band is high, so that each byte is still read once and no
//! whole picture is ever held; the pieces are turned in the cache, a block at a time, because
//! going down one column of the band after the other would touch a line of the cache for each
//! pixel.

use std::io;

use super::pixel_format::{BGRX_BYTES, PixelFormat};
use super::rows::{Layout, RowSource};
use crate::Orientation;
#[cfg(test)]
use crate::Rows;

/// Rows of memory that are turned at once: with four bytes a pixel, a line of the cache.
const BLOCK: u32 = 16;

/// Where a turned picture comes from.
pub(super) struct Turned<'a> {
    pub(super) source: &'a dyn RowSource,
    pub(super) layout: &'a Layout,
    pub(super) format: &'a PixelFormat,
    /// From what is in memory to what is upright.
    pub(super) orientation: Orientation,
}

/// Room for what is being turned, kept from one band to the next.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    raw: Vec<u8>,
    pixels: Vec<u8>,
}

impl Turned<'_> {
    /// Reads rows of the upright picture, from `y` on as many as fill `band`.
    ///
    /// # Errors
    /// What the source says.
    pub(super) fn read(&self, y: u32, band: &mut [u8], scratch: &mut Scratch) -> io::Result<()> {
        if self.orientation.swaps_sides() {
            self.read_columns(y, band, scratch)
        } else {
            self.read_rows(y, band, scratch)
        }
    }

    /// Upright rows are rows of memory, perhaps in the other order.
    fn read_rows(&self, y: u32, band: &mut [u8], scratch: &mut Scratch) -> io::Result<()> {
        let native = self.layout.size();
        scratch.raw.resize(self.format.row_bytes(native.width), 0);
        for (y, out) in (y..).zip(band.chunks_exact_mut(native.width as usize * BGRX_BYTES)) {
            let row = if self.orientation.flips_rows() { native.height - 1 - y } else { y };
            self.source.copy_out(self.layout.offset_of(self.format, 0, row), &mut scratch.raw)?;
            self.format.decode_row(&scratch.raw, out);
            if self.orientation.flips_columns() {
                out.as_chunks_mut::<BGRX_BYTES>().0.reverse();
            }
        }
        Ok(())
    }

    /// Upright rows are columns of memory.
    fn read_columns(&self, y: u32, band: &mut [u8], scratch: &mut Scratch) -> io::Result<()> {
        let native = self.layout.size();
        let row_bytes = native.height as usize * BGRX_BYTES;
        let columns = (band.len() / row_bytes) as u32;
        let flips = self.orientation.flips_columns();
        let first = if flips { native.width - y - columns } else { y };
        let mut block = 0;
        while block < native.height {
            let rows = BLOCK.min(native.height - block);
            let width = self.read_block(first, columns, block, rows, scratch)?;
            let lead = width - columns as usize;
            // Where the block's first row is in each row of the band.
            let left = match self.orientation.flips_rows() {
                true => native.height - block - rows,
                false => block,
            } as usize;
            for (column, out) in band.chunks_exact_mut(row_bytes).enumerate() {
                let column = lead + if flips { columns as usize - 1 - column } else { column };
                let out = out.as_chunks_mut::<BGRX_BYTES>().0;
                let Some(out) = out.get_mut(left..left + rows as usize) else { continue };
                let pixels = scratch.pixels.as_chunks::<BGRX_BYTES>().0;
                let pixels = pixels.iter().skip(column).step_by(width);
                if self.orientation.flips_rows() {
                    out.iter_mut().rev().zip(pixels).for_each(|(out, pixel)| *out = *pixel);
                } else {
                    out.iter_mut().zip(pixels).for_each(|(out, pixel)| *out = *pixel);
                }
            }
            block += rows;
        }
        Ok(())
    }

    /// Reads and decodes a part of some rows. How wide it is in the scratch: pixels that do not
    /// begin with a byte have others of that byte before them.
    fn read_block(
        &self,
        x: u32,
        columns: u32,
        y: u32,
        rows: u32,
        scratch: &mut Scratch,
    ) -> io::Result<usize> {
        let lead = if matches!(self.format, PixelFormat::Mono { .. }) { x % 8 } else { 0 };
        let width = columns + lead;
        scratch.raw.resize(self.format.row_bytes(width), 0);
        scratch.pixels.resize((width * rows) as usize * BGRX_BYTES, 0);
        let decoded = scratch.pixels.chunks_exact_mut(width as usize * BGRX_BYTES);
        for (y, out) in (y..y + rows).zip(decoded) {
            let offset = self.layout.offset_of(self.format, x - lead, y);
            self.source.copy_out(offset, &mut scratch.raw)?;
            self.format.decode_row(&scratch.raw, out);
        }
        Ok(width as usize)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use proptest::prelude::*;

    use super::*;
    use crate::linux::rows::BandReader;
    use crate::{Point, Size};

    /// Bytes that count how often each was read.
    struct Counted {
        bytes: Vec<u8>,
        reads: RefCell<Vec<u8>>,
    }

    impl RowSource for Counted {
        fn copy_out(&self, offset: usize, into: &mut [u8]) -> io::Result<()> {
            into.copy_from_slice(&self.bytes[offset..offset + into.len()]);
            self.reads.borrow_mut()[offset..offset + into.len()].iter_mut().for_each(|n| *n += 1);
            Ok(())
        }
    }

    fn read(
        source: &Counted,
        layout: &Layout,
        format: &PixelFormat,
        orientation: Orientation,
    ) -> (Size, Vec<u8>) {
        let (mut size, mut picture) = (Size::default(), Vec::new());
        BandReader::default()
            .read(source, (layout, format), orientation, Rows::ALL, &mut |band| {
                assert_eq!(picture.len(), band.y as usize * band.size.width as usize * 4);
                size = band.size;
                picture.extend_from_slice(band.pixels);
            })
            .unwrap();
        (size, picture)
    }

    fn formats() -> Vec<PixelFormat> {
        let fourcc = |code: &[u8; 4]| PixelFormat::from_fourcc(u32::from_le_bytes(*code)).unwrap();
        let mut formats = [b"XR24", b"XB24", b"RG24", b"RG16"].map(fourcc).to_vec();
        formats.push(PixelFormat::Mono { set_is_white: true });
        formats
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn every_pixel_is_where_the_orientation_says_and_read_once(
            width in 1u32..150, height in 1u32..150, gap in 0u32..9, format in 0usize..5,
            turn in 0usize..4, mirrored: bool, seed: u32,
        ) {
            let format = &formats()[format];
            let native = Size::new(width, height);
            let pitch = format.row_bytes(width) as u32 + gap;
            let noise = |n: u32| (n.wrapping_mul(0x9e37_79b9).wrapping_add(seed) >> 13) as u8;
            let bytes: Vec<u8> = (0..pitch * height).map(noise).collect();
            let source = Counted { reads: RefCell::new(vec![0; bytes.len()]), bytes };
            let len = source.bytes.len() as u64;
            let layout = Layout::new(format, native, 0, pitch, len).unwrap();
            let (_, plain) = read(&source, &layout, format, Orientation::UPRIGHT);

            source.reads.borrow_mut().fill(0);
            let mirror = if mirrored { Orientation::MIRROR_X } else { Orientation::UPRIGHT };
            let way = mirror.then(Orientation::TURNS[turn]);
            let (size, turned) = read(&source, &layout, format, way);
            // Of a pixel that is a bit, neighbours in two bands share the byte.
            let most = if matches!(format, PixelFormat::Mono { .. }) { 2 } else { 1 };
            prop_assert!(source.reads.borrow().iter().all(|&reads| reads <= most));
            prop_assert_eq!(size, way.size(native));
            prop_assert_eq!(turned.len(), plain.len());
            for y in 0..height {
                for x in 0..width {
                    let to = way.point(Point::new(x, y), native);
                    let pixel = |picture: &[u8], at: Point, width: u32| {
                        let at = (at.y * width + at.x) as usize * 4;
                        [picture[at], picture[at + 1], picture[at + 2], picture[at + 3]]
                    };
                    let from = pixel(&plain, Point::new(x, y), width);
                    prop_assert_eq!(pixel(&turned, to, size.width), from);
                }
            }
        }
    }
}
