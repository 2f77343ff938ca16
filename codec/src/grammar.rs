//! How the tiles of an update are said to have come about. The tables are in the crate's
//! documentation.

use std::ops::Range;

use crate::DecodeError;
use crate::geometry::{PART, TILE};
use crate::range::{Chance, Coder};
use crate::wire::{CACHE, CACHE_BITS, MOVE_BITS};

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
    /// It is told roughly.
    Coarse,
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
    /// By whether the tile before was.
    coarse: [Chance; 2],
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
            coarse: [Chance::of(800, 2), Chance::of(3000, 2)],
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

    /// How a tile has come about, `left` and `above` saying whether its neighbours have changed;
    /// roughly only if that may be.
    pub(crate) fn tile<C: Coder>(
        &mut self,
        coder: &mut C,
        (left, above, may_be_coarse): (bool, bool, bool),
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
            let after = usize::from(last == Told::Coarse);
            if may_be_coarse && coder.bit(&mut self.coarse[after], || told == Told::Coarse) {
                self.left.clear();
                return Told::Coarse;
            }
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
