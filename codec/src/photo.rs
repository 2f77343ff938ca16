//! Pixels that no program has drawn: photographs, films, noise.
//!
//! Nothing repeats there, so each channel is foretold from three neighbours (the median predictor
//! of JPEG-LS, ITU-T T.87, A.4) and only the differences are kept, plane by plane: green, then red
//! and blue less green's difference. zstd packs them.

use std::ops::Range;

use crate::drawn::{Area, MARGIN};

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
        let (Some(n), Some(row)) = (area.get(y + MARGIN - 1), area.get(y + MARGIN)) else {
            return false;
        };
        let west = row.iter().skip(MARGIN - 1);
        let here = row.iter().skip(MARGIN).take(width);
        let differs = here.zip(west).zip(n.iter().skip(MARGIN));
        unlike += differs.filter(|((here, w), n)| here != w && here != n).count();
    }
    unlike * 16 > pixels * UNLIKE
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
    for (y, ((greens, reds), blues)) in rows.zip(lines) {
        let (Some(n), Some(row)) = (area.get(y + MARGIN - 1), area.get(y + MARGIN)) else {
            return;
        };
        let around = row.windows(2).zip(n.windows(2)).skip(MARGIN - 1);
        let out = greens.iter_mut().zip(reds).zip(blues);
        for (pixels, ((green, red), blue)) in around.zip(out) {
            let ([w, here], [nw, n]) = pixels else { return };
            let ([g, r, b], [fg, fr, fb]) = (channels(*here), foretold(*w, *n, *nw));
            *green = g.wrapping_sub(fg);
            *red = r.wrapping_sub(fr).wrapping_sub(*green);
            *blue = b.wrapping_sub(fb).wrapping_sub(*green);
        }
    }
}

/// Reads what [`write`] has written; `planes` must be of the right length.
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
