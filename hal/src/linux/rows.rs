//! From raw rows somewhere in memory or a file to bands of the picture.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::pixel_format::{BGRX_BYTES, PixelFormat};
use super::sys::{Mapping, make_opaque};
use super::turned::{Scratch, Turned};
use crate::screen::{BAND_ROWS, Rows};
use crate::{Band, Orientation, Size};

/// The most bytes a picture's buffer may have; beyond it a device is not believed.
pub(crate) const MAX_BUFFER_BYTES: u64 = 1 << 30;

/// How much is copied at a time where rows have no gaps, in bytes: what was copied is still in
/// the nearest cache when it is looked at again. A multiple of [`BGRX_BYTES`].
const PIECE: usize = 16 << 10;

/// Bytes that can be copied from any place.
pub(crate) trait RowSource {
    /// Copies `into.len()` bytes from `offset` on.
    ///
    /// # Errors
    /// When that is not all there.
    fn copy_out(&self, offset: usize, into: &mut [u8]) -> io::Result<()>;
}

impl RowSource for Mapping {
    fn copy_out(&self, offset: usize, into: &mut [u8]) -> io::Result<()> {
        Self::copy_out(self, offset, into)
    }
}

impl RowSource for File {
    fn copy_out(&self, offset: usize, into: &mut [u8]) -> io::Result<()> {
        self.read_exact_at(into, offset as u64)
    }
}

/// Where the rows of a picture are within a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    size: Size,
    /// The byte with the upper left pixel.
    start: usize,
    /// Bytes from a row to the next.
    pitch: usize,
}

impl Layout {
    /// Checks that every row lies within a buffer of `buffer_bytes`.
    ///
    /// `first_pixel` is the byte with the upper left pixel, `pitch` the bytes from a row to the
    /// next. `None` if that cannot be.
    pub(crate) fn new(
        format: &PixelFormat,
        size: Size,
        first_pixel: u64,
        pitch: u32,
        buffer_bytes: u64,
    ) -> Option<Self> {
        let row = format.row_bytes(size.width) as u64;
        if !size.is_plausible() || u64::from(pitch) < row || buffer_bytes > MAX_BUFFER_BYTES {
            return None;
        }
        let last_row = u64::from(size.height - 1) * u64::from(pitch);
        let end = first_pixel.checked_add(last_row)?.checked_add(row)?;
        if end > buffer_bytes {
            return None;
        }
        Some(Self { size, start: usize::try_from(first_pixel).ok()?, pitch: pitch as usize })
    }

    /// The picture's size.
    pub(crate) fn size(&self) -> Size {
        self.size
    }

    /// The byte with a pixel; only for whole-byte formats, or an `x` that is a multiple of 8.
    pub(crate) fn offset_of(&self, format: &PixelFormat, x: u32, y: u32) -> usize {
        self.start + y as usize * self.pitch + format.row_bytes(x)
    }
}

/// The buffers with which pictures are read, kept from one to the next.
#[derive(Debug, Default)]
pub(crate) struct BandReader {
    band: Vec<u8>,
    row: Vec<u8>,
    turning: Scratch,
}

impl BandReader {
    /// Reads the bands of a picture in which some of these rows lie, and brings them upright, each
    /// byte of the source once.
    ///
    /// # Errors
    /// What the source says; bands already visited are valid.
    pub(crate) fn read(
        &mut self,
        source: &dyn RowSource,
        (layout, format): (&Layout, &PixelFormat),
        orientation: Orientation,
        wanted: Rows,
        visit: &mut dyn FnMut(Band<'_>),
    ) -> io::Result<()> {
        let size = orientation.size(layout.size);
        let width_bytes = size.width as usize * BGRX_BYTES;
        self.band.resize(BAND_ROWS.min(size.height) as usize * width_bytes, 0);
        let turned = Turned { source, layout, format, orientation };
        let mut y = wanted.from / BAND_ROWS * BAND_ROWS;
        while y < size.height.min(wanted.to) {
            let rows = BAND_ROWS.min(size.height - y);
            let band = self.band.get_mut(..rows as usize * width_bytes).unwrap_or_default();
            if orientation == Orientation::UPRIGHT {
                read_upright(source, layout, format, y, band, &mut self.row)?;
            } else {
                turned.read(y, band, &mut self.turning)?;
            }
            visit(Band { size, y, rows, pixels: band });
            y += rows;
        }
        Ok(())
    }
}

impl BandReader {
    /// Reads single rows; whether these can be had, which needs them to lie upright.
    ///
    /// # Errors
    /// What the source says; rows already visited are valid.
    pub(crate) fn glance(
        &mut self,
        source: &dyn RowSource,
        (layout, format): (&Layout, &PixelFormat),
        orientation: Orientation,
        rows: &mut dyn Iterator<Item = u32>,
        visit: &mut dyn FnMut(u32, &[u8]),
    ) -> io::Result<bool> {
        if orientation != Orientation::UPRIGHT {
            return Ok(false);
        }
        let width_bytes = layout.size.width as usize * BGRX_BYTES;
        self.band.resize(BAND_ROWS.min(layout.size.height) as usize * width_bytes, 0);
        let out = self.band.get_mut(..width_bytes).unwrap_or_default();
        for y in rows.filter(|y| *y < layout.size.height) {
            read_upright(source, layout, format, y, out, &mut self.row)?;
            visit(y, out);
        }
        Ok(true)
    }
}

/// Reads rows as they lie in memory, from `y` on as many as fill `band`.
pub(super) fn read_upright(
    source: &dyn RowSource,
    layout: &Layout,
    format: &PixelFormat,
    y: u32,
    band: &mut [u8],
    row: &mut Vec<u8>,
) -> io::Result<()> {
    let width_bytes = layout.size.width as usize * BGRX_BYTES;
    let first = layout.offset_of(format, 0, y);
    if format.is_bgrx() && layout.pitch == width_bytes {
        for (offset, out) in (first..).step_by(PIECE).zip(band.chunks_mut(PIECE)) {
            source.copy_out(offset, out)?;
            make_opaque(out);
        }
        return Ok(());
    }
    row.resize(if format.is_bgrx() { 0 } else { format.row_bytes(layout.size.width) }, 0);
    let offsets = (first..).step_by(layout.pitch);
    for (offset, out) in offsets.zip(band.chunks_exact_mut(width_bytes)) {
        if format.is_bgrx() {
            source.copy_out(offset, out)?;
            make_opaque(out);
        } else {
            source.copy_out(offset, row)?;
            format.decode_row(row, out);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIZE: Size = Size::new(4, 3);

    struct Bytes(Vec<u8>);

    impl RowSource for Bytes {
        fn copy_out(&self, offset: usize, into: &mut [u8]) -> io::Result<()> {
            let from = self.0.get(offset..offset + into.len());
            into.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
            Ok(())
        }
    }

    #[test]
    fn the_last_row_needs_no_padding() {
        let format = PixelFormat::Bgrx;
        assert!(Layout::new(&format, SIZE, 0, 20, 2 * 20 + 16).is_some());
        assert!(Layout::new(&format, SIZE, 0, 20, 2 * 20 + 15).is_none());
    }

    #[test]
    fn refuses_geometry_that_cannot_be() {
        let format = PixelFormat::Bgrx;
        assert!(Layout::new(&format, SIZE, 0, 15, 1000).is_none(), "pitch below a row");
        assert!(Layout::new(&format, Size::new(0, 3), 0, 16, 1000).is_none());
        assert!(Layout::new(&format, Size::new(9000, 1), 0, 65536, 1 << 20).is_none());
        assert!(Layout::new(&format, SIZE, u64::MAX, 16, 1000).is_none());
        assert!(Layout::new(&format, SIZE, 0, u32::MAX, u64::MAX).is_none());
    }

    #[test]
    fn bands_skip_padding_and_cover_every_row() {
        let (size, pitch) = (Size::new(3, 150), 10);
        let format = PixelFormat::from_fourcc(u32::from_le_bytes(*b"RG16")).unwrap();
        let bytes = (0..150u32).flat_map(|row| {
            let white = if row % 2 == 0 { 0xff } else { 0 };
            [white, white, white, white, white, white, 1, 2, 3, 4]
        });
        let source = Bytes(bytes.collect());
        let layout = Layout::new(&format, size, 0, pitch, 1500).unwrap();
        let mut seen = Vec::new();
        let mut check = |band: Band<'_>| {
            seen.push((band.y, band.rows));
            for (row, pixels) in (band.y..).zip(band.pixels.chunks_exact(12)) {
                let level = if row % 2 == 0 { 0xff } else { 0 };
                assert_eq!(pixels, [level, level, level, 0xff].repeat(3));
            }
        };
        BandReader::default()
            .read(&source, (&layout, &format), Orientation::UPRIGHT, Rows::ALL, &mut check)
            .unwrap();
        assert_eq!(seen, [(0, 64), (64, 64), (128, 22)]);
    }

    #[test]
    fn the_fourth_byte_means_nothing_and_is_always_set() {
        let source = Bytes(vec![0x11; 48]);
        let layout = Layout::new(&PixelFormat::Bgrx, SIZE, 0, 16, 48).unwrap();
        let mut read = |band: Band<'_>| {
            assert!(band.pixels.chunks(4).all(|pixel| pixel == [0x11, 0x11, 0x11, 0xff]));
        };
        BandReader::default()
            .read(
                &source,
                (&layout, &PixelFormat::Bgrx),
                Orientation::UPRIGHT,
                Rows::ALL,
                &mut read,
            )
            .unwrap();
    }

    proptest! {
        #[test]
        fn an_accepted_layout_is_never_read_outside_of_its_buffer(
            width in 0u32..20, height in 0u32..80, first in 0u64..100, pitch in 0u32..100, len in 0usize..2000,
        ) {
            let format = PixelFormat::Bgrx;
            let size = Size::new(width, height);
            if let Some(layout) = Layout::new(&format, size, first, pitch, len as u64) {
                let source = Bytes(vec![0; len]);
                let outcome = BandReader::default()
                    .read(&source, (&layout, &format), Orientation::UPRIGHT, Rows::ALL, &mut |_| {});
                prop_assert!(outcome.is_ok());
            }
        }
    }
}
