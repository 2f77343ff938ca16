//! Pixels that a program has drawn: text, lines, plain areas, in few and repeated colours.
//!
//! Each pixel is foretold from those to the left and above. Most are told by the coarse questions:
//! is the row the one above once more, are the next eight pixels as plain as their surroundings.
//! Where something is drawn, what followed the same surroundings earlier on is tried
//! first, so that a letter costs little from its second appearance on; then the neighbours; then a
//! list of the colours met so far; only a new colour is spelt out. The idea of telling pixels by
//! their neighbours' equality is Ausbeck's *Piecewise-constant image model* (2000), that of
//! remembering what followed a context is prediction by partial matching.
//!
//! Pixels are numbers `0x00RRGGBB`.

use std::ops::Range;

use crate::geometry::TILE;
use crate::range::{Chance, Coder};

/// Side of a tile.
const SIDE: usize = TILE as usize;
/// Columns to the left of a tile and rows above it that are looked at.
pub(crate) const MARGIN: usize = 2;
/// Pixels from one row of an [`Area`] to the next: margin, tile, and one more to the right.
pub(crate) const STRIDE: usize = MARGIN + SIDE + 1;
/// Pixels that are told to be plain at once.
const CHUNK: usize = 8;
/// Slots of what followed wide surroundings; a power of two.
const WIDE: usize = 1 << 15;
/// Slots of what followed narrow surroundings; a power of two.
const NARROW: usize = 1 << 13;
/// How sure a slot can be.
const SUREST: u32 = 15;
/// Colours in the list.
const COLORS: usize = 256;
/// Slots of the index into the list; a power of two.
const INDEX: usize = 1 << 10;

/// A tile with what is to the left of it and above it: row 0 and 1 and columns 0 and 1 are the
/// neighbours', the last column that of the tile to the right, of which only row 1 is ever known.
pub(crate) type Area = [[u32; STRIDE]; MARGIN + SIDE];

/// Which tiles around one were told roughly: the one to the left, and those above, to the left of
/// that and to the right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Rough {
    pub(crate) left: bool,
    pub(crate) above: [bool; 3],
}

impl Rough {
    /// Of a tile in a column, with the marks of all tiles in order.
    pub(crate) fn around(marks: &[bool], tile: u32, columns: u32) -> Self {
        let (tile, columns) = (tile as usize, columns as usize);
        let column = tile % columns.max(1);
        let at = |place: Option<usize>| place.and_then(|place| marks.get(place)).copied();
        let up = tile.checked_sub(columns);
        let is_rough = |place, exists: bool| exists && at(place) == Some(true);
        let above = is_rough(up, true);
        // To the right of the picture is what is at its edge.
        let is_last = column + 1 >= columns;
        let right = if is_last { above } else { is_rough(up.map(|up| up + 1), true) };
        Self {
            left: is_rough(tile.checked_sub(1), column > 0),
            above: [is_rough(up.and_then(|up| up.checked_sub(1)), column > 0), above, right],
        }
    }

    /// Nothing is foretold from pixels that were told roughly: who writes does not know them.
    pub(crate) fn hide(self, area: &mut Area, width: usize) {
        let end = MARGIN + width;
        let places = [0..MARGIN, MARGIN..end, end..end + 1];
        for (rough, columns) in self.above.into_iter().zip(places) {
            for row in area.iter_mut().take(MARGIN).filter(|_| rough) {
                row[columns.clone()].fill(0);
            }
        }
        for row in area.iter_mut().skip(MARGIN).filter(|_| self.left) {
            row[..MARGIN].fill(0);
        }
    }
}

/// Pixels and nothing else: tells what follows what.
#[derive(Debug, Clone)]
struct Followers<const N: usize> {
    /// Colour in the lower 24 bits, sureness in the upper eight; 0 sure is an empty slot.
    slots: Box<[u32; N]>,
}

impl<const N: usize> Followers<N> {
    fn new() -> Self {
        Self { slots: Box::new([0; N]) }
    }

    fn slot(&mut self, hash: u32) -> &mut u32 {
        // N is a power of two, so that every index exists.
        &mut self.slots[hash as usize & (N - 1)]
    }
}

fn color_of(slot: u32) -> u32 {
    slot & 0xff_ffff
}

const fn sureness_of(slot: u32) -> u32 {
    slot >> 24
}

/// Remembers what came.
fn remember(slot: &mut u32, came: u32) {
    let sure = sureness_of(*slot);
    *slot = if sure > 0 && color_of(*slot) == came {
        came | (sure + 1).min(SUREST) << 24
    } else if sure > 3 {
        // Once wrong is not always wrong.
        color_of(*slot) | (sure / 2) << 24
    } else {
        came | 1 << 24
    };
}

/// Mixes numbers into a hash.
const fn mix(hash: u32, value: u32) -> u32 {
    (hash ^ value).wrapping_mul(0x9e37_79b1).rotate_left(15)
}

/// What is known after the pixels so far, those of earlier updates included; the same in who writes
/// and who reads.
#[derive(Debug)]
pub(crate) struct Model {
    chances: Box<Chances>,
    wide: Followers<WIDE>,
    narrow: Followers<NARROW>,
    colors: Box<[u32; COLORS]>,
    /// Where in the list a colour is: its place + 1, by its hash; 0 if unknown.
    index: Box<[u16; INDEX]>,
    /// Colours listed so far.
    listed: usize,
}

#[derive(Debug, Clone)]
struct Chances {
    /// By whether the row above was the same as its own above, and the one before it.
    row_as_above: [Chance; 4],
    /// By whether the chunk before was plain, and that above.
    plain: [Chance; 4],
    wide: [Chance; 16 * 8],
    narrow: [Chance; 16 * 8],
    west: [Chance; 64],
    north: [Chance; 64],
    north_east: [Chance; 64],
    north_west: [Chance; 64],
    listed: [Chance; 4],
    place: [Chance; COLORS],
    green: [Chance; 256],
    red: [Chance; 256],
    blue: [Chance; 256],
}

impl Chances {
    const NEW: Self = Self {
        row_as_above: [
            Chance::of(1400, 3),
            Chance::of(2600, 3),
            Chance::of(2600, 3),
            Chance::of(3900, 5),
        ],
        plain: [Chance::of(1600, 2), Chance::of(3000, 2), Chance::of(3000, 2), Chance::of(3800, 4)],
        wide: [Chance::of(3400, 1); 16 * 8],
        narrow: [Chance::of(2600, 1); 16 * 8],
        west: [Chance::of(2300, 1); 64],
        north: [Chance::of(2300, 1); 64],
        north_east: [Chance::of(800, 1); 64],
        north_west: [Chance::of(600, 1); 64],
        listed: [Chance::of(2500, 1); 4],
        place: [Chance::EVEN; COLORS],
        green: [Chance::EVEN; 256],
        red: [Chance::EVEN; 256],
        blue: [Chance::EVEN; 256],
    };
}

/// The neighbours of a pixel.
#[derive(Debug, Clone, Copy)]
struct Around {
    w: u32,
    ww: u32,
    n: u32,
    nn: u32,
    nw: u32,
    ne: u32,
}

impl Around {
    /// Which of them are the same: six bits.
    fn pattern(self) -> usize {
        let bits = [
            self.w == self.n,
            self.n == self.nw,
            self.n == self.ne,
            self.w == self.nw,
            self.w == self.ww,
            self.n == self.nn,
        ];
        bits.into_iter().fold(0, |all, bit| all << 1 | usize::from(bit))
    }

    fn wide(self) -> u32 {
        let hash = mix(mix(mix(self.w, self.n), self.nw), self.ne);
        let hash = mix(mix(hash, self.ww), self.nn);
        hash ^ hash >> 15
    }

    fn narrow(self) -> u32 {
        let hash = mix(mix(self.w, self.n), self.ne);
        hash ^ hash >> 13
    }
}

impl Model {
    pub(crate) fn new() -> Self {
        Self {
            chances: Box::new(Chances::NEW),
            wide: Followers::new(),
            narrow: Followers::new(),
            colors: Box::new([0; COLORS]),
            index: Box::new([0; INDEX]),
            listed: 0,
        }
    }

    /// Becomes as another, without allocating.
    pub(crate) fn clone_from(&mut self, other: &Self) {
        (*self.chances).clone_from(&other.chances);
        self.wide.slots.copy_from_slice(&*other.wide.slots);
        self.narrow.slots.copy_from_slice(&*other.narrow.slots);
        self.colors.copy_from_slice(&*other.colors);
        self.index.copy_from_slice(&*other.index);
        self.listed = other.listed;
    }

    /// Forgets everything, for an update that is read without those before it.
    pub(crate) fn reset(&mut self) {
        *self.chances = Chances::NEW;
        self.wide.slots.fill(0);
        self.narrow.slots.fill(0);
        self.index.fill(0);
        self.listed = 0;
    }

    /// Bytes that it takes.
    pub(crate) const fn memory() -> usize {
        size_of::<Chances>() + (WIDE + NARROW + COLORS) * 4 + INDEX * 2
    }

    /// Writes, or reads into `area`, the columns `columns` of the rows `rows` of a tile that is
    /// `width` pixels wide. Everything around them but what is below must be in `area` already.
    pub(crate) fn rows<C: Coder>(
        &mut self,
        coder: &mut C,
        area: &mut Area,
        rows: Range<usize>,
        columns: Range<usize>,
        width: usize,
    ) {
        let mut before = 0;
        let (start, end) = (MARGIN + columns.start, MARGIN + columns.end);
        for y in rows {
            let Some((above, rest)) = area.split_at_mut_checked(MARGIN + y) else { return };
            let ([.., nn, n], Some(row)) = (above, rest.first_mut()) else { return };
            if y > 0 {
                // What is to the right of it is not told yet.
                n[MARGIN + width] = n[MARGIN + width - 1];
            }
            let chance = &mut self.chances.row_as_above[before];
            let same = coder.bit(chance, || row[start..end] == n[start..end]);
            before = (before << 1 | usize::from(same)) & 3;
            if same {
                row[start..end].copy_from_slice(&n[start..end]);
            } else {
                self.row(coder, nn, n, row, start..end);
            }
        }
    }

    fn row<C: Coder>(
        &mut self,
        coder: &mut C,
        nn: &[u32; STRIDE],
        n: &[u32; STRIDE],
        row: &mut [u32; STRIDE],
        columns: Range<usize>,
    ) {
        let Range { start: mut x, end } = columns;
        let mut plain_before = true;
        while x < end {
            let chunk = CHUNK.min(end - x);
            let w = row[x - 1];
            let around = &n[x - 1..=x + chunk];
            if around.iter().all(|pixel| *pixel == w) {
                let plain_above = nn[x..x + chunk].iter().all(|pixel| *pixel == w);
                let context = usize::from(plain_before) << 1 | usize::from(plain_above);
                let chance = &mut self.chances.plain[context];
                plain_before =
                    coder.bit(chance, || row[x..x + chunk].iter().all(|pixel| *pixel == w));
                if plain_before {
                    row[x..x + chunk].fill(w);
                    x += chunk;
                    continue;
                }
            }
            for at in x..x + chunk {
                let around = Around {
                    w: row[at - 1],
                    ww: row[at - 2],
                    n: n[at],
                    nn: nn[at],
                    nw: n[at - 1],
                    ne: n[at + 1],
                };
                row[at] = self.pixel(coder, around, row[at]);
            }
            x += chunk;
        }
    }

    #[inline]
    fn pixel<C: Coder>(&mut self, coder: &mut C, around: Around, pixel: u32) -> u32 {
        let pattern = around.pattern();
        let (wide, narrow) = (around.wide(), around.narrow());
        let chances = &mut *self.chances;
        let told = *self.wide.slot(wide);
        let also = *self.narrow.slot(narrow);
        let mut ruled_out = [u32::MAX; 5];
        let sure = sureness_of(told);
        let came = 'found: {
            if sure > 0 {
                let guess = color_of(told);
                let context = (sure.min(15) as usize) << 3 | pattern >> 3;
                if coder.bit(&mut chances.wide[context], || pixel == guess) {
                    break 'found guess;
                }
                ruled_out[0] = guess;
            }
            let less_sure = sureness_of(also);
            if less_sure > 0 && color_of(also) != ruled_out[0] {
                let guess = color_of(also);
                let context = (less_sure.min(15) as usize) << 3 | pattern >> 3;
                if coder.bit(&mut chances.narrow[context], || pixel == guess) {
                    break 'found guess;
                }
                ruled_out[1] = guess;
            }
            let neighbours = [
                (around.w, &mut chances.west),
                (around.n, &mut chances.north),
                (around.ne, &mut chances.north_east),
                (around.nw, &mut chances.north_west),
            ];
            for (at, (guess, chances)) in neighbours.into_iter().enumerate() {
                if ruled_out.contains(&guess) {
                    continue;
                }
                if coder.bit(&mut chances[pattern], || pixel == guess) {
                    break 'found guess;
                }
                if at < 3 {
                    ruled_out[at + 2] = guess;
                }
            }
            self.color(coder, pixel)
        };
        remember(self.wide.slot(wide), came);
        remember(self.narrow.slot(narrow), came);
        came
    }

    /// A colour that no neighbour has.
    #[cold]
    fn color<C: Coder>(&mut self, coder: &mut C, pixel: u32) -> u32 {
        let chances = &mut *self.chances;
        let slot = mix(0, pixel) as usize >> 7 & (INDEX - 1);
        let place = self.index[slot].checked_sub(1).map(usize::from);
        let place = place.filter(|place| self.colors[*place] == pixel);
        let listed = &mut chances.listed[usize::from(self.listed > 16)];
        if self.listed > 0 && coder.bit(listed, || place.is_some()) {
            let place = coder.tree(&mut chances.place, place.unwrap_or(0) as u32);
            return self.colors[place as usize & (COLORS - 1)];
        }
        // Greys and what is near them: red and blue differ little from green.
        let green = coder.tree(&mut chances.green, pixel >> 8 & 0xff);
        let red = coder.tree(&mut chances.red, (pixel >> 16).wrapping_sub(green) & 0xff);
        let blue = coder.tree(&mut chances.blue, pixel.wrapping_sub(green) & 0xff);
        let came =
            (red.wrapping_add(green) & 0xff) << 16 | green << 8 | (blue.wrapping_add(green) & 0xff);
        let place = self.listed & (COLORS - 1);
        self.colors[place] = came;
        self.index[mix(0, came) as usize >> 7 & (INDEX - 1)] = place as u16 + 1;
        self.listed += 1;
        came
    }
}
