//! The Tight encoding (rfbproto, "Tight Encoding"), without JPEG.

use std::io::Read;

use anyhow::{Context as _, Result, bail, ensure};
use flate2::{Decompress, FlushDecompress, Status};

use super::{Area, Picture, take};

/// Shorter data is not compressed.
const UNCOMPRESSED: usize = 12;

/// The four zlib streams, which go on from rectangle to rectangle.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    streams: [Option<Decompress>; 4],
}

/// What is done to the pixels before they are compressed.
enum Filter {
    Copy,
    Palette(Vec<[u8; 3]>),
    Gradient,
}

impl Decoder {
    /// Reads one rectangle.
    pub(super) fn read(
        &mut self,
        input: &mut impl Read,
        picture: &mut Picture,
        area: Area,
    ) -> Result<()> {
        let [control] = take(input)?;
        for (bit, stream) in self.streams.iter_mut().enumerate() {
            if control >> bit & 1 == 1 {
                *stream = None;
            }
        }
        let kind = control >> 4;
        if kind == 8 {
            let [red, green, blue] = take(input)?;
            picture.rows(area).for_each(|row| row.fill([red, green, blue, 255]));
            return Ok(());
        }
        ensure!(kind < 8, "kind {kind} loses something");
        let filter = if kind & 4 == 0 { Filter::Copy } else { read_filter(input)? };
        let bytes_per_row = match &filter {
            Filter::Palette(colors) if colors.len() <= 2 => area.width.div_ceil(8),
            Filter::Palette(_) => area.width,
            Filter::Copy | Filter::Gradient => area.width * 3,
        };
        let data = self.data(input, usize::from(kind & 3), bytes_per_row * area.height)?;
        let rows = picture.rows(area).zip(data.chunks_exact(bytes_per_row.max(1)));
        let mut above = vec![[0; 3]; area.width];
        for (row, data) in rows {
            match &filter {
                Filter::Copy => {
                    for (to, [red, green, blue]) in row.iter_mut().zip(data.as_chunks::<3>().0) {
                        *to = [*red, *green, *blue, 255];
                    }
                }
                Filter::Palette(colors) => palette(row, data, colors),
                Filter::Gradient => gradient(row, data, &mut above),
            }
        }
        Ok(())
    }

    fn data(&mut self, input: &mut impl Read, stream: usize, len: usize) -> Result<Vec<u8>> {
        if len < UNCOMPRESSED {
            let mut data = vec![0; len];
            input.read_exact(&mut data)?;
            return Ok(data);
        }
        let mut packed = vec![0; compact(input)?];
        input.read_exact(&mut packed)?;
        let stream = self.streams.get_mut(stream).context("no such stream")?;
        let stream = stream.get_or_insert_with(|| Decompress::new(true));
        let mut data = Vec::with_capacity(len);
        let (start, before) = (stream.total_in(), stream.total_out());
        while stream.total_out() - before < len as u64 {
            let used = (stream.total_in() - start) as usize;
            let rest = packed.get(used..).unwrap_or_default();
            let status = stream.decompress_vec(rest, &mut data, FlushDecompress::Sync)?;
            ensure!(status != Status::BufError, "the data ends too early");
        }
        Ok(data)
    }
}

fn read_filter(input: &mut impl Read) -> Result<Filter> {
    let [filter] = take(input)?;
    Ok(match filter {
        0 => Filter::Copy,
        1 => {
            let [less_one] = take(input)?;
            let colors = (0..=less_one).map(|_| take(input));
            Filter::Palette(colors.collect::<Result<_>>()?)
        }
        2 => Filter::Gradient,
        other => bail!("no filter {other}"),
    })
}

fn palette(row: &mut [[u8; 4]], data: &[u8], colors: &[[u8; 3]]) {
    let is_packed = colors.len() <= 2;
    for (x, to) in row.iter_mut().enumerate() {
        let index = if is_packed {
            data.get(x / 8).map(|byte| usize::from(byte >> (7 - x % 8) & 1))
        } else {
            data.get(x).map(|byte| usize::from(*byte))
        };
        let color = index.and_then(|index| colors.get(index));
        let [red, green, blue] = color.copied().unwrap_or_default();
        *to = [red, green, blue, 255];
    }
}

/// Each channel is told by its difference to left + above − above left, within a byte.
fn gradient(row: &mut [[u8; 4]], data: &[u8], above: &mut [[u8; 3]]) {
    let (mut left, mut above_left) = ([0_u8; 3], [0_u8; 3]);
    for ((to, differences), above) in row.iter_mut().zip(data.as_chunks::<3>().0).zip(above) {
        let mut color = [0; 3];
        for (channel, value) in color.iter_mut().enumerate() {
            let of = |pixel: &[u8; 3]| i16::from(pixel.get(channel).copied().unwrap_or(0));
            let foretold = (of(&left) + of(above) - of(&above_left)).clamp(0, 255) as u8;
            *value = foretold.wrapping_add(of(differences) as u8);
        }
        (above_left, left) = (*above, color);
        *above = color;
        let [red, green, blue] = color;
        *to = [red, green, blue, 255];
    }
}

/// A length of one to three bytes, seven bits in each of the first two.
fn compact(input: &mut impl Read) -> Result<usize> {
    let mut len = 0;
    for shift in [0, 7, 14] {
        let [byte] = take(input)?;
        let part = if shift == 14 { byte } else { byte & 0x7f };
        len |= usize::from(part) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    Ok(len)
}
