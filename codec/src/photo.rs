//! Pixels that no program has drawn: photographs, films, noise.
//!
//! Nothing repeats there, so each channel is foretold from three neighbours (the median predictor
//! of JPEG-LS, ITU-T T.87, A.4) and only the difference is told: green's, then red's and blue's
//! less green's. Differences are coded as in JPEG-LS, in Golomb codes (A.5.3) whose parameter
//! follows the differences that came before in like surroundings (A.5.1, A.6.1). Here these are
//! how restless the neighbours are, for red and blue how far off green was.
//!
//! A writer knows all pixels, so it looks at several at once; a reader learns one after the
//! other.

use std::ops::Range;

use crate::bits::{BitReader, BitWriter};
use crate::drawn::{Area, MARGIN, STRIDE};

/// Of the pixels, at least this many of 16 must be unlike both neighbours for a photograph.
const UNLIKE: usize = 6;
/// Fewer pixels are small pictures and letters, which come again: the model has learnt them then.
const FEWEST: usize = 1024;

/// Whether these rows are better sent as a photograph.
pub(crate) fn is_photo(area: &Area, rows: Range<usize>, width: usize) -> bool {
    let pixels = rows.len() * width;
    if pixels < FEWEST {
        return false;
    }
    let mut unlike = 0;
    for y in rows {
        let Some([n, row]) = area.get(y + MARGIN - 1..=y + MARGIN) else { return false };
        let (west, here) = (&row[MARGIN - 1..MARGIN - 1 + width], &row[MARGIN..MARGIN + width]);
        let north = &n[MARGIN..MARGIN + width];
        // Without branches, so that the compiler compares several at once.
        let differs = here.iter().zip(west).zip(north);
        unlike += differs.map(|((h, w), n)| u32::from(h != w) & u32::from(h != n)).sum::<u32>();
    }
    unlike as usize * 16 > pixels * UNLIKE
}

/// Kinds of surroundings of each channel.
const KINDS: usize = 8;

/// Longer codes than this many ones and a zero are spelt out instead.
const MAX_ONES: u32 = 12;

/// The parameter of differences by chance: they are spelt out.
const CHANCE: u32 = 8;

/// How large the differences in one kind of surroundings are, on average over the last ones, in
/// 16ths.
#[derive(Debug, Clone, Copy)]
struct Kind(u16);

impl Kind {
    /// Where a difference is this large on average, a Golomb code is longer than a byte.
    const CHANCE: u16 = 50 * 16;

    /// The Golomb parameter: the code has so many bits after its ones, the fewest that can say
    /// the average (T.87, A.5.1).
    #[inline]
    fn parameter(self) -> u32 {
        if self.0 >= Self::CHANCE {
            return CHANCE;
        }
        u16::BITS - (self.0.saturating_sub(1) >> 4).leading_zeros()
    }

    #[inline]
    fn learn(&mut self, mapped: u8) {
        // Of the mapped difference half is its magnitude.
        self.0 = self.0 - (self.0 >> 4) + u16::from(mapped).div_ceil(2);
    }
}

/// What is learnt of differences, over all updates.
#[derive(Debug, Clone)]
pub(crate) struct Learnt([[Kind; KINDS]; 3]);

impl Learnt {
    pub(crate) const fn new() -> Self {
        // The larger the difference that is expected, the later the kind.
        const fn kinds() -> [Kind; KINDS] {
            [Kind(8), Kind(16), Kind(24), Kind(48), Kind(96), Kind(192), Kind(384), Kind(600)]
        }
        Self([kinds(), kinds(), kinds()])
    }
}

/// A signed difference as a number that is small if it is (T.87, A.5.2).
#[inline]
const fn mapped(difference: u8) -> u8 {
    let signed = difference as i8;
    (signed << 1 ^ signed >> 7) as u8
}

#[inline]
const fn unmapped(mapped: u32) -> u8 {
    ((mapped >> 1) as i32 ^ -((mapped & 1) as i32)) as u8
}

/// What a channel is thought to be (T.87, A.4.1).
#[inline]
fn median(w: i16, n: i16, nw: i16) -> i16 {
    (w + n - nw).max(w.min(n)).min(w.max(n))
}

/// How restless the neighbours of a pixel are.
#[inline]
fn restless(w: i16, nw: i16, n: i16, ne: i16) -> i16 {
    (w - nw).abs() + (nw - n).abs() + (n - ne).abs()
}

/// 0 to 7 for how far apart things are, finer near zero.
#[inline]
const fn class(apart: u16) -> usize {
    // 0, 1, 2 to 3, 4 to 7, 8 to 15 and so on.
    let class = (u16::BITS - apart.leading_zeros()) as usize;
    if class > 7 { 7 } else { class }
}

/// One channel of a row of an [`Area`], in numbers that can be added and subtracted.
type Channel = [i16; STRIDE];

/// Green, red and blue of a row.
fn split(row: &[u32; STRIDE]) -> [Channel; 3] {
    [8, 16, 0].map(|shift| {
        let mut channel = [0; STRIDE];
        for (to, pixel) in channel.iter_mut().zip(row) {
            *to = (pixel >> shift & 0xff) as i16;
        }
        channel
    })
}

/// What a row's channel is more than thought, modulo 256; several pixels at once.
fn differences(above: &Channel, row: &Channel) -> [u8; STRIDE] {
    let mut out = [0; STRIDE];
    let around = row.iter().zip(&row[1..]).zip(above.iter().zip(&above[1..]));
    for (to, ((w, here), (nw, n))) in out[1..].iter_mut().zip(around) {
        *to = (here - median(*w, *n, *nw)) as u8;
    }
    out
}

/// The rows of a tile, with what is to their right where it is not told yet: the same as next to
/// it.
fn close_right(row: &mut [u32; STRIDE], width: usize) {
    row[MARGIN + width] = row[MARGIN + width - 1];
}

/// The code of a mapped difference, and how many bits it has.
#[inline]
fn code(kind: &mut Kind, mapped: u8) -> (u32, u32) {
    let (parameter, value) = (kind.parameter(), u32::from(mapped));
    kind.learn(mapped);
    let ones = value >> (parameter & 15);
    if parameter == CHANCE {
        (value, 8)
    } else if ones < MAX_ONES {
        // Ones, a zero, the rest.
        let rest = value & ((1 << parameter) - 1);
        (((1 << ones) - 1) << (parameter + 1) | rest, ones + 1 + parameter)
    } else {
        (((1 << MAX_ONES) - 1) << 8 | value, MAX_ONES + 8)
    }
}

/// Reads what [`code`] says.
#[inline]
fn decode(bits: &mut BitReader<'_>, kind: &mut Kind) -> u8 {
    let parameter = kind.parameter();
    let mapped = if parameter == CHANCE {
        bits.take(8)
    } else {
        let ones = bits.ones(MAX_ONES);
        if ones < MAX_ONES { ones << parameter | bits.take(parameter) } else { bits.take(8) }
    };
    kind.learn(mapped as u8);
    mapped as u8
}

/// Writes rows of an area.
pub(crate) fn write(
    bits: &mut BitWriter<'_>,
    learnt: &mut Learnt,
    area: &mut Area,
    rows: Range<usize>,
    width: usize,
) {
    for y in rows {
        let Some([above, row]) = area.get_mut(y + MARGIN - 1..=y + MARGIN) else { return };
        if y > 0 {
            close_right(above, width);
        }
        let (above, row) = (split(above), split(row));
        let [green, mut red, mut blue] =
            [0, 1, 2].map(|channel| differences(&above[channel], &row[channel]));
        for (green, (red, blue)) in green.iter().zip(red.iter_mut().zip(&mut blue)) {
            *red = mapped(red.wrapping_sub(*green));
            *blue = mapped(blue.wrapping_sub(*green));
        }
        let (mut kinds, green) = ([0; STRIDE], green.map(mapped));
        let (n, w) = (&above[0], &row[0]);
        let around = w.iter().zip(n.iter().zip(n[1..].iter().zip(&n[2..])));
        for (kind, (w, (nw, (n, ne)))) in kinds[1..].iter_mut().zip(around) {
            *kind = restless(*w, *nw, *n, *ne) as u16;
        }
        let told = green.iter().zip(red.iter().zip(&blue)).zip(&kinds);
        let Learnt([of_green, of_red, of_blue]) = learnt;
        for ((green, (red, blue)), kind) in told.skip(MARGIN).take(width) {
            let (g, g_len) = code(&mut of_green[class(*kind)], *green);
            let off = class(u16::from(*green));
            let (r, r_len) = code(&mut of_red[off], *red);
            let (b, b_len) = code(&mut of_blue[off], *blue);
            let len = g_len + r_len + b_len;
            if len <= 32 {
                bits.put((g << r_len | r) << b_len | b, len);
            } else {
                bits.put(g, g_len);
                bits.put(r, r_len);
                bits.put(b, b_len);
            }
        }
    }
}

/// Green, red and blue of a pixel.
#[inline]
fn channels(pixel: u32) -> [i16; 3] {
    [(pixel >> 8 & 0xff) as i16, (pixel >> 16 & 0xff) as i16, (pixel & 0xff) as i16]
}

/// Reads what [`write()`] has written.
pub(crate) fn read(
    bits: &mut BitReader<'_>,
    learnt: &mut Learnt,
    area: &mut Area,
    rows: Range<usize>,
    width: usize,
) {
    for y in rows {
        let Some([above, row]) = area.get_mut(y + MARGIN - 1..=y + MARGIN) else { return };
        if y > 0 {
            close_right(above, width);
        }
        let mut w = channels(row[MARGIN - 1]);
        let mut nw = channels(above[MARGIN - 1]);
        let around = above[MARGIN..].iter().zip(&above[MARGIN + 1..]).take(width);
        for (here, (n, ne)) in row[MARGIN..].iter_mut().zip(around) {
            let (n, ne) = (channels(*n), channels(*ne));
            let kind = restless(w[0], nw[0], n[0], ne[0]) as u16;
            let mapped = decode(bits, &mut learnt.0[0][class(kind)]);
            let off = class(u16::from(mapped));
            let green = i16::from(unmapped(mapped.into()));
            let red = decode(bits, &mut learnt.0[1][off]);
            let blue = decode(bits, &mut learnt.0[2][off]);
            let more = [0, i16::from(unmapped(red.into())), i16::from(unmapped(blue.into()))];
            w = [0, 1, 2].map(|at| (median(w[at], n[at], nw[at]) + green + more[at]) & 0xff);
            *here =
                u32::from(w[1] as u16) << 16 | u32::from(w[0] as u16) << 8 | u32::from(w[2] as u16);
            nw = n;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bits::BitState;
    use crate::geometry::TILE;
    use proptest::prelude::*;

    fn area(seed: u32, mask: u32) -> Box<Area> {
        let mut state = seed;
        let mut area: Box<Area> = Box::new([[0; STRIDE]; MARGIN + TILE as usize]);
        for pixel in area.as_flattened_mut() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *pixel = (state >> 8) & mask;
        }
        area
    }

    proptest! {
        #[test]
        fn rows_come_back(
            seed: u32,
            mask in prop::sample::select(vec![0, 0x1, 0x03_0303, 0x0f_3f0f, 0xff_ffff]),
            first in 0..60_usize, count in 1..64_usize, width in 1..=64_usize,
        ) {
            let rows_here = first..(first + count).min(64);
            let before = area(seed, mask);
            let mut written = before.clone();
            let mut out = Vec::new();
            let mut writer = BitWriter::resume(&mut out, BitState::EMPTY);
            write(&mut writer, &mut Learnt::new(), &mut written, rows_here.clone(), width);
            writer.finish();
            let mut read = before.clone();
            for row in &mut read[MARGIN + rows_here.start..MARGIN + rows_here.end] {
                row[MARGIN..MARGIN + width].fill(0x55_5555);
            }
            let mut reader = BitReader::new(&out);
            super::read(&mut reader, &mut Learnt::new(), &mut read, rows_here, width);
            prop_assert!(read == written);
            for (read, before) in read.iter().zip(before.iter()).skip(MARGIN) {
                prop_assert_eq!(&read[..MARGIN + width], &before[..MARGIN + width]);
            }
            prop_assert!(reader.is_at_end());
        }
    }

    #[test]
    fn chance_costs_hardly_more_than_its_bytes() {
        let mut noise = area(5, 0xff_ffff);
        let mut out = Vec::new();
        let mut writer = BitWriter::resume(&mut out, BitState::EMPTY);
        write(&mut writer, &mut Learnt::new(), &mut noise, 0..64, 64);
        writer.finish();
        let bytes = 64 * 64 * 3;
        assert!(out.len() < bytes + bytes / 100, "{} for {bytes}", out.len());
    }
}
