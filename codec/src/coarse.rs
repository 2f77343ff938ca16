//! Tiles told roughly: a first look at photographs and films on a line that would take long for
//! all of their pixels.
//!
//! As in JPEG (ITU-T T.81): brightness and two differences of colour, these at half the resolution;
//! blocks of 8 × 8 as sums of cosines (A.3.3), of which the fine ones are told in coarse steps
//! (tables K.1 and K.2, scaled by the quality as libjpeg does). In place of Huffman codes the numbers
//! are decisions like all others, with what was learnt of numbers in the same place.
//!
//! Whoever writes never needs to know what a reader makes of it: nothing exact is ever foretold from
//! pixels that were told roughly.

use crate::drawn::{Area, MARGIN};
use crate::range::{Chance, Coder};

/// Side of a block.
const BLOCK: usize = 8;
/// Blocks side by side of a tile's brightness.
const BLOCKS: usize = 8;
/// Side of a tile.
const SIDE: usize = BLOCK * BLOCKS;
/// Numbers of a block.
const NUMBERS: usize = BLOCK * BLOCK;
/// Bits of a number at most; larger ones cannot come of pixels.
const MAX_BITS: u32 = 12;
/// Bits of the fraction of cosines.
const FRACTION: u32 = 12;

/// One channel of a tile, 0 in the middle.
type Plane = [[i32; SIDE]; SIDE];

/// Steps of brightness at quality 50 (T.81, table K.1).
const BRIGHTNESS: [u8; NUMBERS] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113,
    92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];

/// Steps of colour at quality 50 (T.81, table K.2).
const COLOR: [u8; NUMBERS] = [
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99,
    47, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
];

/// The order of a block's numbers, from coarse to fine (T.81, figure A.6).
const ZIGZAG: [u8; NUMBERS] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// Half the cosine of the place and the frequency, times 2¹²; the first frequency's over √2.
const COSINES: [[i32; BLOCK]; BLOCK] = [
    [1448, 1448, 1448, 1448, 1448, 1448, 1448, 1448],
    [2009, 1703, 1138, 400, -400, -1138, -1703, -2009],
    [1892, 784, -784, -1892, -1892, -784, 784, 1892],
    [1703, -400, -2009, -1138, 1138, 2009, 400, -1703],
    [1448, -1448, -1448, 1448, 1448, -1448, -1448, 1448],
    [1138, -2009, 400, 1703, -1703, -400, 2009, -1138],
    [784, -1892, 1892, -784, -784, 1892, -1892, 784],
    [400, -1138, 1703, -2009, 2009, -1703, 1138, -400],
];

/// How roughly tiles are told, 1 to 100: as in JPEG.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quality(u8);

impl Quality {
    /// `None` if there is no such quality.
    pub(crate) const fn new(quality: u8) -> Option<Self> {
        if quality >= 1 && quality <= 100 { Some(Self(quality)) } else { None }
    }

    pub(crate) const fn get(self) -> u8 {
        self.0
    }

    fn steps(self, table: &[u8; NUMBERS]) -> [i32; NUMBERS] {
        let quality = i32::from(self.0);
        let scale = if quality < 50 { 5000 / quality } else { 200 - 2 * quality };
        table.map(|step| ((i32::from(step) * scale + 50) / 100).clamp(1, 255))
    }
}

/// What is learnt of numbers, by kind of plane.
#[derive(Debug, Clone)]
pub(crate) struct Learnt {
    planes: [Numbers; 2],
}

#[derive(Debug, Clone)]
struct Numbers {
    /// How many there are in a block but the first.
    count: [Chance; NUMBERS],
    /// By the place, and whether the one before was zero.
    is_zero: [[Chance; 2]; NUMBERS],
    /// Bits of the first one's difference, and of the others by their place.
    bits: [[Chance; 16]; 8],
    /// The bit after the highest.
    second: [Chance; 16],
}

impl Learnt {
    pub(crate) const fn new() -> Self {
        const NUMBERS_NEW: Numbers = Numbers {
            count: [Chance::EVEN; NUMBERS],
            is_zero: [[Chance::of(2400, 2); 2]; NUMBERS],
            bits: [[Chance::EVEN; 16]; 8],
            second: [Chance::EVEN; 16],
        };
        Self { planes: [NUMBERS_NEW; 2] }
    }
}

impl Numbers {
    /// A number that is not zero if `known` says so; of one kind out of eight.
    fn number<C: Coder>(&mut self, coder: &mut C, kind: usize, value: i32) -> i32 {
        let magnitude = value.unsigned_abs();
        let bits = u32::BITS - magnitude.leading_zeros();
        let bits = coder.tree(&mut self.bits[kind & 7], bits.min(MAX_BITS)).min(MAX_BITS);
        if bits == 0 {
            return 0;
        }
        let mut read = 1;
        for at in (0..bits - 1).rev() {
            let bit = || magnitude >> at & 1 == 1;
            let is_second = at + 2 == bits;
            let yes = if is_second {
                coder.bit(&mut self.second[bits as usize & 15], bit)
            } else {
                coder.bit(&mut Chance::EVEN.clone(), bit)
            };
            read = read << 1 | u32::from(yes);
        }
        let is_negative = coder.bit(&mut Chance::EVEN.clone(), || value < 0);
        if is_negative { -(read as i32) } else { read as i32 }
    }

    /// The numbers of a block in steps, the first one less `before`.
    fn block<C: Coder>(&mut self, coder: &mut C, before: i32, numbers: &mut [i32; NUMBERS]) {
        numbers[0] = self.number(coder, 0, numbers[0] - before).saturating_add(before);
        let last = ZIGZAG.iter().rposition(|place| numbers[usize::from(*place)] != 0);
        let count = coder.tree(&mut self.count, last.unwrap_or(0) as u32) as usize;
        let mut was_zero = false;
        for (at, place) in ZIGZAG.iter().enumerate().skip(1) {
            let number = &mut numbers[usize::from(*place)];
            if at > count {
                *number = 0;
                continue;
            }
            let value = *number;
            // The last one is none, and that is known.
            let chance = &mut self.is_zero[at][usize::from(was_zero)];
            was_zero = at < count && coder.bit(chance, || value == 0);
            let kind = 1 + (usize::BITS - at.leading_zeros()) as usize;
            *number = if was_zero { 0 } else { self.number(coder, kind.min(7), value) };
        }
    }
}

/// Sums of cosines from pixels.
fn analyse(block: &[[i32; BLOCK]; BLOCK]) -> [i32; NUMBERS] {
    let mut rows = [[0; BLOCK]; BLOCK];
    for (to, row) in rows.iter_mut().zip(block) {
        for (to, cosines) in to.iter_mut().zip(&COSINES) {
            *to = cosines.iter().zip(row).map(|(cosine, value)| cosine * value).sum::<i32>() >> 6;
        }
    }
    let mut out = [0; NUMBERS];
    for (to, cosines) in out.chunks_exact_mut(BLOCK).zip(&COSINES) {
        for (x, to) in to.iter_mut().enumerate() {
            let sum: i32 = cosines.iter().zip(&rows).map(|(cosine, row)| cosine * row[x]).sum();
            *to = (sum + (1 << 17)) >> 18;
        }
    }
    out
}

/// Pixels from sums of cosines; whatever these are, nothing overflows.
fn synthesise(numbers: &[i32; NUMBERS]) -> [[i32; BLOCK]; BLOCK] {
    let mut columns = [[0_i32; BLOCK]; BLOCK];
    for (row, cosines) in numbers.chunks_exact(BLOCK).zip(&COSINES) {
        for (to, cosine) in columns.iter_mut().zip(cosines) {
            for (to, number) in to.iter_mut().zip(row) {
                *to += cosine * (*number).clamp(-0x3fff, 0x3fff);
            }
        }
    }
    let mut out = [[0; BLOCK]; BLOCK];
    for (to, row) in out.iter_mut().zip(&columns) {
        let mut sums = [1 << (FRACTION + 5); BLOCK];
        for (number, cosines) in row.iter().zip(&COSINES) {
            let number = (number >> 6).clamp(-0xffff, 0xffff);
            for (sum, cosine) in sums.iter_mut().zip(cosines) {
                *sum += cosine * number;
            }
        }
        *to = sums.map(|sum| sum >> (FRACTION + 6));
    }
    out
}

/// A tile's planes, kept so that they need not be made anew for each.
#[derive(Debug)]
pub(crate) struct Planes {
    brightness: Box<Plane>,
    /// Blue and red, as far as they differ from brightness, in the upper left quarter.
    colors: [Box<Plane>; 2],
}

impl Planes {
    pub(crate) fn new() -> Self {
        let plane = || Box::new([[0; SIDE]; SIDE]);
        Self { brightness: plane(), colors: [plane(), plane()] }
    }

    /// Bytes of them.
    pub(crate) const fn memory() -> usize {
        3 * size_of::<Plane>()
    }

    /// Takes the pixels of a tile (T.871, 7); what lies beyond its edges is as next to it.
    fn take(&mut self, area: &Area, width: usize, height: usize) {
        for (y, brightness) in self.brightness.iter_mut().enumerate() {
            let row = &area[MARGIN + y.min(height - 1)];
            for (x, to) in brightness.iter_mut().enumerate() {
                let [red, green, blue] = channels(row[MARGIN + x.min(width - 1)]);
                *to = ((77 * red + 150 * green + 29 * blue + 128) >> 8) - 128;
            }
        }
        let [blues, reds] = &mut self.colors;
        let rows = blues.iter_mut().zip(reds.iter_mut()).take(SIDE / 2).enumerate();
        for (y, (blues, reds)) in rows {
            for (x, (to_blue, to_red)) in blues.iter_mut().zip(reds).take(SIDE / 2).enumerate() {
                let mut sums = [0; 3];
                for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                    let row = &area[MARGIN + (2 * y + dy).min(height - 1)];
                    let pixel = channels(row[MARGIN + (2 * x + dx).min(width - 1)]);
                    sums.iter_mut().zip(pixel).for_each(|(sum, channel)| *sum += channel);
                }
                let [red, green, blue] = sums;
                *to_blue = (-43 * red - 85 * green + 128 * blue + 512) >> 10;
                *to_red = (128 * red - 107 * green - 21 * blue + 512) >> 10;
            }
        }
    }

    /// Gives the pixels of a tile.
    fn give(&self, area: &mut Area, width: usize, height: usize) {
        let [blues, reds] = &self.colors;
        let rows = area.iter_mut().skip(MARGIN).zip(self.brightness.iter()).take(height);
        for (y, (row, brightness)) in rows.enumerate() {
            let (blues, reds) = (&blues[y / 2], &reds[y / 2]);
            let row = row.iter_mut().skip(MARGIN).zip(brightness).take(width);
            for (x, (pixel, bright)) in row.enumerate() {
                let (blue, red) = (blues[x / 2], reds[x / 2]);
                let bright = bright + 128;
                let channel = |value: i32| value.clamp(0, 255) as u32;
                let r = channel(bright + ((359 * red + 128) >> 8));
                let g = channel(bright - ((88 * blue + 183 * red + 128) >> 8));
                let b = channel(bright + ((454 * blue + 128) >> 8));
                *pixel = r << 16 | g << 8 | b;
            }
        }
    }
}

fn channels(pixel: u32) -> [i32; 3] {
    [(pixel >> 16 & 0xff) as i32, (pixel >> 8 & 0xff) as i32, (pixel & 0xff) as i32]
}

/// What a tile is told roughly with.
pub(crate) struct Teller<'a> {
    pub(crate) learnt: &'a mut Learnt,
    pub(crate) planes: &'a mut Planes,
    pub(crate) quality: Quality,
}

impl Teller<'_> {
    /// Tells the tile in the area; a writer's area is left as it is.
    pub(crate) fn write<C: Coder>(
        &mut self,
        coder: &mut C,
        area: &Area,
        width: usize,
        height: usize,
    ) {
        self.planes.take(area, width, height);
        self.planes(coder, width, height, |block, steps| {
            let numbers = analyse(block);
            let mut in_steps = [0; NUMBERS];
            for ((to, number), step) in in_steps.iter_mut().zip(numbers).zip(steps) {
                let half = if number < 0 { -step / 2 } else { step / 2 };
                *to = (number + half) / step;
            }
            in_steps
        });
    }

    /// Reads a tile into the area.
    pub(crate) fn read<C: Coder>(
        &mut self,
        coder: &mut C,
        area: &mut Area,
        width: usize,
        height: usize,
    ) {
        self.planes(coder, width, height, |_, _| [0; NUMBERS]);
        self.planes.give(area, width, height);
    }

    /// All blocks of a tile, brightness first; they become what is told.
    fn planes<C: Coder>(
        &mut self,
        coder: &mut C,
        width: usize,
        height: usize,
        numbers: impl Fn(&[[i32; BLOCK]; BLOCK], &[i32; NUMBERS]) -> [i32; NUMBERS],
    ) {
        let Planes { brightness, colors: [blue, red] } = &mut *self.planes;
        let [of_brightness, of_color] = &mut self.learnt.planes;
        let color = self.quality.steps(&COLOR);
        let half = (width.div_ceil(2), height.div_ceil(2));
        let bright = self.quality.steps(&BRIGHTNESS);
        plane(coder, of_brightness, brightness, (width, height), &bright, &numbers);
        plane(coder, of_color, blue, half, &color, &numbers);
        plane(coder, of_color, red, half, &color, &numbers);
    }
}

/// The blocks of a plane, row by row.
fn plane<C: Coder>(
    coder: &mut C,
    learnt: &mut Numbers,
    plane: &mut Plane,
    (width, height): (usize, usize),
    steps: &[i32; NUMBERS],
    numbers: &impl Fn(&[[i32; BLOCK]; BLOCK], &[i32; NUMBERS]) -> [i32; NUMBERS],
) {
    let mut above = [None; BLOCKS];
    for y in (0..height).step_by(BLOCK) {
        let mut left: Option<i32> = None;
        for (x, above) in (0..width).step_by(BLOCK).zip(&mut above) {
            let mut block = [[0; BLOCK]; BLOCK];
            for (to, row) in block.iter_mut().zip(&plane[y..y + BLOCK]) {
                to.copy_from_slice(&row[x..x + BLOCK]);
            }
            let mut told = numbers(&block, steps);
            let before = match (left, *above) {
                (Some(left), Some(above)) => (left + above) / 2,
                (Some(one), None) | (None, Some(one)) => one,
                (None, None) => 0,
            };
            learnt.block(coder, before, &mut told);
            left = Some(told[0].clamp(-0xffff, 0xffff));
            *above = left;
            for (number, step) in told.iter_mut().zip(steps) {
                *number = number.saturating_mul(*step);
            }
            for (row, pixels) in plane[y..y + BLOCK].iter_mut().zip(synthesise(&told)) {
                row[x..x + BLOCK].copy_from_slice(&pixels);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawn::STRIDE;
    use crate::range::{Reader, Writer, WriterState};
    use proptest::prelude::*;

    type Paint = fn(u32, u32) -> u32;

    fn area(paint: Paint) -> Box<Area> {
        let mut area: Box<Area> = Box::new([[0; STRIDE]; MARGIN + SIDE]);
        for (row, y) in area.iter_mut().skip(MARGIN).zip(0..) {
            for (pixel, x) in row.iter_mut().skip(MARGIN).zip(0..) {
                *pixel = paint(x, y);
            }
        }
        area
    }

    fn hills(x: u32, y: u32) -> u32 {
        let wave = |a: u32, b: u32| (a * a / 7 + b * 5) % 256;
        let slow = |v: u32| if v > 127 { 255 - v } else { v };
        slow(wave(x, y) / 2) << 16 | slow((x * 2 + y) % 256) << 8 | slow((y * 3) % 256)
    }

    /// Writes and reads; the bytes, and what came back.
    fn there_and_back(area: &Area, quality: u8, width: usize, height: usize) -> (usize, Box<Area>) {
        let quality = Quality::new(quality).unwrap();
        let (mut learnt, mut planes, mut out) = (Learnt::new(), Planes::new(), Vec::new());
        let mut writer = Writer::resume(&mut out, WriterState::NEW);
        Teller { learnt: &mut learnt, planes: &mut planes, quality }.write(
            &mut writer,
            area,
            width,
            height,
        );
        writer.finish();
        let mut read: Box<Area> = Box::new([[0; STRIDE]; MARGIN + SIDE]);
        let (mut learnt, mut planes) = (Learnt::new(), Planes::new());
        let mut reader = Reader::new(&out);
        Teller { learnt: &mut learnt, planes: &mut planes, quality }.read(
            &mut reader,
            &mut read,
            width,
            height,
        );
        assert!(reader.is_at_end());
        (out.len(), read)
    }

    fn mean_error(one: &Area, other: &Area, width: usize, height: usize) -> f64 {
        let mut sum = 0;
        for (one, other) in one.iter().zip(other).skip(MARGIN).take(height) {
            for (one, other) in one.iter().zip(other).skip(MARGIN).take(width) {
                let pairs = channels(*one).into_iter().zip(channels(*other));
                sum += pairs.map(|(one, other)| (one - other).abs()).sum::<i32>();
            }
        }
        f64::from(sum) / (width * height * 3) as f64
    }

    #[test]
    fn what_comes_back_is_like_what_was_told_and_the_finer_the_longer() {
        let mut last = 0;
        for (quality, error) in [(20, 14.0), (50, 9.0), (90, 5.0)] {
            let area = area(hills);
            let (bytes, read) = there_and_back(&area, quality, 64, 64);
            let found = mean_error(&area, &read, 64, 64);
            assert!(found < error, "{found} at quality {quality}");
            assert!(bytes > last && bytes < 64 * 64 * 3 / 4, "{bytes} at {quality}");
            last = bytes;
        }
    }

    #[test]
    fn a_plain_tile_comes_back_nearly_as_it_is_in_a_few_bytes() {
        for paint in [(|_, _| 0xff_ffff) as Paint, |_, _| 0, |_, _| 0x20_80_e0] {
            let area = area(paint);
            let (bytes, read) = there_and_back(&area, 75, 64, 64);
            assert!(bytes < 60, "{bytes} bytes");
            assert!(mean_error(&area, &read, 64, 64) < 3.0);
        }
    }

    proptest! {
        #[test]
        fn tiles_at_the_edges_come_back(width in 1..=64_usize, height in 1..=64_usize) {
            let area = area(hills);
            let (_, read) = there_and_back(&area, 80, width, height);
            prop_assert!(mean_error(&area, &read, width, height) < 12.0);
        }

        #[test]
        fn garbage_reads_as_something(
            bytes in prop::collection::vec(any::<u8>(), 0..3000), quality in 1..=100_u8,
        ) {
            let (mut learnt, mut planes) = (Learnt::new(), Planes::new());
            let quality = Quality::new(quality).unwrap();
            let mut reader = Reader::new(&bytes);
            let mut read: Box<Area> = Box::new([[0; STRIDE]; MARGIN + SIDE]);
            for _ in 0..4 {
                Teller { learnt: &mut learnt, planes: &mut planes, quality }
                    .read(&mut reader, &mut read, 64, 64);
            }
            prop_assert!(read.iter().flatten().all(|pixel| *pixel <= 0xff_ffff));
        }
    }
}
