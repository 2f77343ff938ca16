//! Pixels that no program has drawn: photographs, films, noise.
//!
//! Nothing repeats there, so each channel is foretold from three neighbours (the median predictor
//! of JPEG-LS, ITU-T T.87, A.4) and only the differences are kept, plane by plane: green, then red
//! and blue less green's difference. zstd packs them.

use std::ops::Range;

use crate::drawn::{Area, MARGIN, STRIDE};

/// Of the pixels, at least this many of 16 must be unlike both neighbours for a photograph.
const UNLIKE: usize = 6;
/// Fewer pixels are not worth another section.
const FEWEST: usize = 256;

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

fn channels(pixel: u32) -> [u8; 3] {
    let [_, red, green, blue] = pixel.to_be_bytes();
    [green, red, blue]
}

/// What a channel is thought to be.
#[inline]
fn median(w: u8, n: u8, nw: u8) -> u8 {
    let (low, high) = (w.min(n), w.max(n));
    let plane = i16::from(w) + i16::from(n) - i16::from(nw);
    // Between the two, so it is a byte.
    plane.clamp(i16::from(low), i16::from(high)) as u8
}

#[inline]
fn foretold(w: u32, n: u32, nw: u32) -> [u8; 3] {
    let ([wg, wr, wb], [ng, nr, nb], [dg, dr, db]) = (channels(w), channels(n), channels(nw));
    [median(wg, ng, dg), median(wr, nr, dr), median(wb, nb, db)]
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

/// What a row's channel is more than foretold, modulo 256. The same as [`median`], several pixels
/// at once.
fn differences(above: &Channel, row: &Channel) -> [u8; STRIDE] {
    let mut out = [0; STRIDE];
    let around = row.iter().zip(&row[1..]).zip(above.iter().zip(&above[1..]));
    for (to, ((w, here), (nw, n))) in out[1..].iter_mut().zip(around) {
        let (low, high) = (*w.min(n), *w.max(n));
        *to = (here - (w + n - nw).max(low).min(high)) as u8;
    }
    out
}

/// Appends three planes of differences, `rows × width` bytes each.
pub(crate) fn write(area: &Area, rows: Range<usize>, width: usize, out: &mut Vec<u8>) {
    let start = out.len();
    let plane = rows.len() * width;
    out.resize(start + plane * 3, 0);
    let Some(planes) = out.get_mut(start..) else { return };
    let (greens, rest) = planes.split_at_mut(plane);
    let (reds, blues) = rest.split_at_mut(plane);
    let lines = greens
        .chunks_exact_mut(width)
        .zip(reds.chunks_exact_mut(width))
        .zip(blues.chunks_exact_mut(width));
    let Some(above) = area.get(rows.start + MARGIN - 1) else { return };
    let mut above = split(above);
    for (row, ((greens, reds), blues)) in area.iter().skip(rows.start + MARGIN).zip(lines) {
        let row = split(row);
        let [g, r, b] = [0, 1, 2].map(|channel| differences(&above[channel], &row[channel]));
        let told = g[MARGIN..].iter().zip(r[MARGIN..].iter().zip(&b[MARGIN..]));
        let out = greens.iter_mut().zip(reds.iter_mut().zip(blues));
        for ((green, (red, blue)), (g, (r, b))) in out.zip(told) {
            (*green, *red, *blue) = (*g, r.wrapping_sub(*g), b.wrapping_sub(*g));
        }
        above = row;
    }
}

/// Reads what [`write()`] has written; `planes` must be of the right length.
pub(crate) fn read(planes: &[u8], area: &mut Area, rows: Range<usize>, width: usize) {
    let plane = rows.len() * width;
    let Some((greens, rest)) = planes.split_at_checked(plane) else { return };
    let Some((reds, blues)) = rest.split_at_checked(plane) else { return };
    let lines = greens.chunks_exact(width).zip(reds.chunks_exact(width));
    for (y, ((greens, reds), blues)) in rows.zip(lines.zip(blues.chunks_exact(width))) {
        let Some((above, rest)) = area.split_at_mut_checked(y + MARGIN) else { return };
        let (Some(n), Some(row)) = (above.last(), rest.first_mut()) else { return };
        let mut w = row[MARGIN - 1];
        let told = greens.iter().zip(reds).zip(blues);
        let around = n.windows(2).zip(row.iter_mut().skip(1)).skip(MARGIN - 1);
        for ((above, here), ((green, red), blue)) in around.zip(told) {
            let [nw, n] = above else { return };
            let [fg, fr, fb] = foretold(w, *n, *nw);
            let g = green.wrapping_add(fg);
            let r = red.wrapping_add(*green).wrapping_add(fr);
            let b = blue.wrapping_add(*green).wrapping_add(fb);
            w = u32::from_be_bytes([0, r, g, b]);
            *here = w;
        }
    }
}
