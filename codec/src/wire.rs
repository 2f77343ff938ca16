//! The envelope of an update, and how its tiles are said to have come about. The tables are in the
//! crate's documentation.

use std::ops::Range;

use crate::geometry::{Grid, PART, Size, TILE};
use crate::range::{Chance, Coder};
use crate::{DecodeError, Limits};

/// The layout that is written and read.
pub(crate) const VERSION: u8 = 3;
/// Flag: the update tells the whole picture and needs nothing of what was before.
pub(crate) const FLAG_FULL: u8 = 1;
/// Flag: the update follows another than the one before it.
pub(crate) const FLAG_CURE: u8 = 2;
/// Flag: there are photographs.
pub(crate) const FLAG_PHOTO: u8 = 4;
/// Flag: what was learnt from earlier updates is forgotten. Full updates and cures have it, too.
pub(crate) const FLAG_FRESH: u8 = 8;
/// The longest header, in bytes.
pub(crate) const MAX_HEADER: usize = 14;
/// Tiles that both sides remember, to be shown again. 16 KiB each where pixels are kept.
pub(crate) const CACHE: u32 = 4096;
/// Bits of a place in it.
pub(crate) const CACHE_BITS: u32 = CACHE.trailing_zeros();
/// The farthest that something moves within a picture, in pixels, as a number of bits.
pub(crate) const MOVE_BITS: u32 = 14;

/// The fields of the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) number: u32,
    /// The last update that must have been applied; none if the update is full.
    pub(crate) base: Option<u32>,
    /// Size of the picture, of a full update.
    pub(crate) size: Option<Size>,
    /// Whether what was learnt before is forgotten.
    pub(crate) fresh: bool,
    pub(crate) has_photos: bool,
    /// Bytes of the decisions.
    pub(crate) drawn_len: u32,
}

impl Header {
    /// Writes the header right before what follows the first [`MAX_HEADER`] bytes of `message`,
    /// and says where it begins.
    pub(crate) fn write_before(&self, message: &mut [u8]) -> usize {
        let (bytes, len) = self.to_bytes();
        let start = MAX_HEADER - len;
        message.iter_mut().skip(start).zip(bytes.iter().take(len)).for_each(|(to, b)| *to = *b);
        start
    }

    /// The header's bytes, and how many they are.
    fn to_bytes(self) -> ([u8; MAX_HEADER], usize) {
        let cure = self.base.filter(|base| base + 1 != self.number);
        let flags = if self.size.is_some() { FLAG_FULL } else { 0 }
            | if cure.is_some() { FLAG_CURE } else { 0 }
            | if self.has_photos { FLAG_PHOTO } else { 0 }
            | if self.fresh { FLAG_FRESH } else { 0 };
        let (mut bytes, mut len) = ([0; MAX_HEADER], 0);
        let mut put = |part: &[u8]| {
            for (to, from) in bytes.iter_mut().skip(len).zip(part) {
                *to = *from;
            }
            len += part.len();
        };
        put(&[VERSION, flags]);
        put(&self.number.to_le_bytes());
        if let Some(size) = self.size {
            put(&(size.width as u16).to_le_bytes());
            put(&(size.height as u16).to_le_bytes());
        }
        if let Some(base) = cure {
            put(&base.to_le_bytes());
        }
        let mut rest = self.drawn_len;
        while rest >= 0x80 {
            put(&[rest as u8 | 0x80]);
            rest >>= 7;
        }
        put(&[rest as u8]);
        (bytes, len)
    }

    fn parse(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let [version] = reader.take()?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let [flags] = reader.take()?;
        let (full, cure) = (flags & FLAG_FULL != 0, flags & FLAG_CURE != 0);
        let fresh = flags & FLAG_FRESH != 0;
        let known = FLAG_FULL | FLAG_CURE | FLAG_PHOTO | FLAG_FRESH;
        if flags & !known != 0 || (full && cure) || ((full || cure) && !fresh) {
            return Err(DecodeError::Flags(flags));
        }
        let number = u32::from_le_bytes(reader.take()?);
        if number == 0 {
            return Err(DecodeError::NumberZero);
        }
        let size = if full {
            let width = u32::from(u16::from_le_bytes(reader.take()?));
            let height = u32::from(u16::from_le_bytes(reader.take()?));
            Some(Size { width, height })
        } else {
            None
        };
        let base = if cure {
            let base = u32::from_le_bytes(reader.take()?);
            if base == 0 || base.checked_add(1).is_none_or(|next| next >= number) {
                return Err(DecodeError::Base { number, base });
            }
            Some(base)
        } else {
            (!full).then_some(number - 1)
        };
        let has_photos = flags & FLAG_PHOTO != 0;
        let drawn_len = reader.varint()?;
        Ok(Self { number, base, size, fresh, has_photos, drawn_len })
    }
}

/// An update whose envelope is sound; what is inside is not yet looked at.
#[derive(Debug)]
pub(crate) struct Envelope<'a> {
    pub(crate) header: Header,
    /// The decisions.
    pub(crate) drawn: &'a [u8],
    /// The bits of the photographs; empty if there are none.
    pub(crate) photos: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// Reads all of `message`; allocates nothing.
    pub(crate) fn parse(message: &'a [u8], limits: &Limits) -> Result<Self, DecodeError> {
        let mut reader = Reader(message);
        let header = Header::parse(&mut reader)?;
        if let Some(size) = header.size {
            if !size.is_plausible() {
                return Err(DecodeError::Size(size));
            }
            if size.pixels() > limits.max_pixels {
                return Err(DecodeError::TooLarge {
                    pixels: size.pixels(),
                    limit: limits.max_pixels,
                });
            }
        }
        let photos_len = reader.0.len().checked_sub(header.drawn_len as usize);
        let photos = reader.slice(photos_len.ok_or(DecodeError::Truncated)?)?;
        let drawn = reader.0;
        if header.has_photos == photos.is_empty() {
            return Err(DecodeError::Length);
        }
        Ok(Self { header, drawn, photos })
    }
}

/// How some rows of a tile have come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// They are as they were.
    Kept,
    /// They are told by the drawn model.
    Drawn,
    /// They are elsewhere in the old picture, so far to the right and down.
    Moved(Move),
    /// They are among the photographs.
    Photo,
}

/// From where to where something moved: what is at x, y was at x + `dx`, y + `dy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Move {
    pub(crate) dx: i32,
    pub(crate) dy: i32,
}

/// Rows of the same origin, one below the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) origin: Origin,
    pub(crate) rows: u32,
}

/// How a whole tile has come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// It is as it was.
    Kept,
    /// It is the remembered one of this place.
    Remembered(u32),
    /// Its rows are told by [`Runs`].
    Rows,
}

/// The runs of one tile, from the top; a row is in exactly one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Runs(Vec<Run>);

impl Runs {
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Adds rows below; next to such of the same origin they are one run.
    pub(crate) fn push(&mut self, origin: Origin, rows: u32) {
        match self.0.last_mut() {
            Some(last) if last.origin == origin => last.rows += rows,
            _ => self.0.push(Run { origin, rows }),
        }
    }

    /// Short kept runs between drawn ones become drawn, too: that costs less than to say that they
    /// are not.
    pub(crate) fn bridge(&mut self) {
        const GAP: u32 = 3;
        for at in 1..self.0.len().saturating_sub(1) {
            if let Some([above, run, below]) = self.0.get_mut(at - 1..=at + 1)
                && (above.origin, below.origin) == (Origin::Drawn, Origin::Drawn)
                && run.origin == Origin::Kept
                && run.rows <= GAP
            {
                run.origin = Origin::Drawn;
            }
        }
        self.join();
    }

    /// Has every run say anew where it comes from, given its rows.
    pub(crate) fn revise(&mut self, mut origin: impl FnMut(Origin, Range<usize>) -> Origin) {
        let mut row = 0;
        for run in &mut self.0 {
            let end = row + run.rows as usize;
            run.origin = origin(run.origin, row..end);
            row = end;
        }
        self.join();
    }

    /// Makes neighbours of the same origin one run.
    fn join(&mut self) {
        self.0.dedup_by(|below, above| {
            let same = below.origin == above.origin;
            if same {
                above.rows += below.rows;
            }
            same
        });
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Run> + '_ {
        self.0.iter().copied()
    }

    /// How many rows are neither kept nor moved.
    pub(crate) fn told_rows(&self) -> u32 {
        let told = self.0.iter().filter(|run| matches!(run.origin, Origin::Drawn | Origin::Photo));
        told.map(|run| run.rows).sum()
    }

    pub(crate) fn has(&self, origin: Origin) -> bool {
        self.0.iter().any(|run| run.origin == origin)
    }

    pub(crate) fn has_moved(&self) -> bool {
        self.0.iter().any(|run| matches!(run.origin, Origin::Moved(_)))
    }
}

/// What is learnt, over all updates, about the ways in which tiles come about; the same in who
/// writes and who reads.
#[derive(Debug, Clone)]
pub(crate) struct Grammar {
    band: [Chance; 2],
    /// By the tile to the left and the one above.
    kept: [Chance; 4],
    remembered: [Chance; 2],
    next_place: Chance,
    as_left: [Chance; 2],
    /// By the origin before: none, kept, drawn, moved, photo.
    drawn: [Chance; 5],
    moved: [Chance; 5],
    photo: [Chance; 5],
    to_the_end: [Chance; 4],
    rows: [Chance; TILE as usize],
    /// The first and the last part.
    parts: [Chance; 16],
    as_last_move: Chance,
    saved: [Chance; 2],
    any_saved: Chance,
    last_move: Move,
    /// The remembered tile that was last asked for.
    last_place: u32,
    /// Runs of the tile to the left, if it was told by rows.
    left: Runs,
}

impl Grammar {
    pub(crate) const fn new() -> Self {
        Self {
            band: [Chance::of(3000, 2), Chance::of(1600, 2)],
            kept: [
                Chance::of(3900, 6),
                Chance::of(2000, 2),
                Chance::of(2000, 2),
                Chance::of(700, 2),
            ],
            remembered: [Chance::of(300, 2), Chance::of(3000, 2)],
            next_place: Chance::of(3300, 2),
            as_left: [Chance::of(600, 2), Chance::of(2600, 2)],
            drawn: [Chance::of(2400, 2); 5],
            moved: [Chance::of(1000, 2); 5],
            photo: [Chance::of(800, 2); 5],
            to_the_end: [Chance::of(2400, 2); 4],
            rows: [Chance::EVEN; TILE as usize],
            parts: [Chance::EVEN; 16],
            as_last_move: Chance::of(3500, 2),
            saved: [Chance::of(2000, 1), Chance::of(3600, 2)],
            any_saved: Chance::of(1000, 2),
            last_move: Move { dx: 0, dy: 0 },
            last_place: CACHE - 1,
            left: Runs(Vec::new()),
        }
    }

    /// Forgets everything, for an update that is read without those before it.
    pub(crate) fn reset(&mut self) {
        let mut left = std::mem::take(&mut self.left);
        left.clear();
        *self = Self { left, ..Self::new() };
    }

    /// Whether anything in a band has changed.
    pub(crate) fn band<C: Coder>(&mut self, coder: &mut C, before: bool, changed: bool) -> bool {
        self.left.clear();
        !coder.bit(&mut self.band[usize::from(before)], || !changed)
    }

    /// How a tile has come about, `left` and `above` saying whether its neighbours have changed.
    pub(crate) fn tile<C: Coder>(
        &mut self,
        coder: &mut C,
        (left, above): (bool, bool),
        last: Told,
        told: Told,
    ) -> Told {
        let context = usize::from(left) << 1 | usize::from(above);
        if coder.bit(&mut self.kept[context], || told == Told::Kept) {
            self.left.clear();
            return Told::Kept;
        }
        let after = usize::from(matches!(last, Told::Remembered(_)));
        let place = if let Told::Remembered(place) = told { Some(place) } else { None };
        if !coder.bit(&mut self.remembered[after], || place.is_some()) {
            return Told::Rows;
        }
        self.left.clear();
        let next = (self.last_place + 1) % CACHE;
        let place = place.unwrap_or(0);
        let place = if coder.bit(&mut self.next_place, || place == next) {
            next
        } else {
            coder.raw(CACHE_BITS, place)
        };
        self.last_place = place;
        Told::Remembered(place)
    }

    /// The runs of a tile of `height` rows.
    ///
    /// # Errors
    /// What is read may be more than the tile has.
    pub(crate) fn runs<C: Coder>(
        &mut self,
        coder: &mut C,
        height: u32,
        runs: &mut Runs,
    ) -> Result<(), DecodeError> {
        let fits = self.left.0.iter().map(|run| run.rows).sum::<u32>() == height;
        let known = usize::from(self.left.has_moved());
        if fits && coder.bit(&mut self.as_left[known], || *runs == self.left) {
            runs.0.clone_from(&self.left.0);
            return Ok(());
        }
        let given = std::mem::take(&mut runs.0);
        let mut given_runs = given.iter().copied();
        let (mut left, mut before) = (height, 0);
        self.left.clear();
        while left > 0 {
            let run = given_runs.next();
            let run = self.run(coder, left, before, run)?;
            before = match run.origin {
                Origin::Kept => 1,
                Origin::Drawn => 2,
                Origin::Moved(_) => 3,
                Origin::Photo => 4,
            };
            left -= run.rows;
            self.left.0.push(run);
        }
        // The lent vector goes back, so that nothing is allocated.
        runs.0 = given;
        runs.0.clone_from(&self.left.0);
        Ok(())
    }

    /// The first and the last part, side by side, of the drawn rows of a tile of this width; what
    /// is beside them is kept.
    ///
    /// # Errors
    /// What is read may be beyond the tile.
    pub(crate) fn parts<C: Coder>(
        &mut self,
        coder: &mut C,
        width: u32,
        (first, last): (u32, u32),
    ) -> Result<(u32, u32), DecodeError> {
        let both = coder.tree(&mut self.parts, first << 2 | last);
        let (first, last) = (both >> 2, both & 3);
        let is_sound = first <= last && last < width.div_ceil(PART);
        if is_sound { Ok((first, last)) } else { Err(DecodeError::Rows) }
    }

    fn run<C: Coder>(
        &mut self,
        coder: &mut C,
        left: u32,
        before: usize,
        run: Option<Run>,
    ) -> Result<Run, DecodeError> {
        let origin = run.map(|run| run.origin);
        let is = |what: Origin| origin == Some(what);
        let origin = if before != 2 && coder.bit(&mut self.drawn[before], || is(Origin::Drawn)) {
            Origin::Drawn
        } else if coder.bit(&mut self.moved[before], || matches!(origin, Some(Origin::Moved(_)))) {
            let to = if let Some(Origin::Moved(to)) = origin { to } else { Move::default() };
            Origin::Moved(self.movement(coder, to))
        } else if before != 4 && coder.bit(&mut self.photo[before], || is(Origin::Photo)) {
            Origin::Photo
        } else {
            Origin::Kept
        };
        let kind = match origin {
            Origin::Kept => 0,
            Origin::Drawn => 1,
            Origin::Moved(_) => 2,
            Origin::Photo => 3,
        };
        let rows = run.map_or(0, |run| run.rows);
        let rows = if coder.bit(&mut self.to_the_end[kind], || rows == left) {
            left
        } else {
            coder.tree(&mut self.rows, rows) & (TILE - 1)
        };
        if rows == 0 || rows > left {
            return Err(DecodeError::Rows);
        }
        Ok(Run { origin, rows })
    }

    fn movement<C: Coder>(&mut self, coder: &mut C, to: Move) -> Move {
        if !coder.bit(&mut self.as_last_move, || to == self.last_move) {
            let signed = |coder: &mut C, value: i32| {
                let half = 1 << (MOVE_BITS - 1);
                coder.raw(MOVE_BITS, (value + half) as u32) as i32 - half
            };
            self.last_move = Move { dx: signed(coder, to.dx), dy: signed(coder, to.dy) };
        }
        self.last_move
    }

    /// Whether any tile is remembered as it was before the update, and from which place on.
    pub(crate) fn saving<C: Coder>(&mut self, coder: &mut C, from: Option<u32>) -> Option<u32> {
        coder
            .bit(&mut self.any_saved, || from.is_some())
            .then(|| coder.raw(CACHE_BITS, from.unwrap_or(0)))
    }

    /// Whether this tile is.
    pub(crate) fn saved<C: Coder>(&mut self, coder: &mut C, before: bool, saved: bool) -> bool {
        coder.bit(&mut self.saved[usize::from(before)], || saved)
    }
}

/// The longest that an update of a picture of this size can be, in bytes.
///
/// What no longer fits cannot have come from an [`crate::Encoder`]: receivers refuse it before
/// they collect it.
pub fn max_update_len(size: Size) -> usize {
    let grid = Grid::new(size);
    let pixels = size.width as usize * size.height as usize;
    // A pixel of a new colour takes some thirty decisions of about a bit, and is one of two at
    // most: else its rows count as a photograph. Of these a channel takes as many bits as all its
    // worth and one or two more, if it is foretold as badly as by chance. A tile takes some ten
    // bytes.
    MAX_HEADER + pixels * 4 + pixels * 2 + grid.tiles() as usize * 16
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
        for shift in [0, 7, 14, 21] {
            let [byte] = self.take()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let canonical = byte != 0 || shift == 0;
                return if canonical { Ok(value) } else { Err(DecodeError::Length) };
            }
        }
        Err(DecodeError::Length)
    }
}
