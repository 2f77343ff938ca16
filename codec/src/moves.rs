//! Finds what has only moved: rows of pixels that are elsewhere in the old picture.
//!
//! There is no old picture, only the hashes of its rows, a tile wide each. So whatever moved up or
//! down is found, by any distance, and what moved sideways by whole tiles.

use crate::geometry::{Grid, TILE};
use crate::grammar::{Move, Origin, Runs};
use crate::known::Hashes;

/// Moves that are tried first, because they were right before.
const RECENT: usize = 4;
/// Searches of the whole old picture in one update; each reads all hashes once.
const SEARCHES: u32 = 48;
/// Fewer changed rows of a tile are sent rather than searched for.
const FEWEST_ROWS: u32 = 8;
/// Of the rows that a move explains so many must be unlike the row above them: plain areas look
/// alike everywhere.
const FEWEST_TELLING: u32 = 4;
/// Fewer rows between such that are not moved are not worth saying so.
const SHORTEST: u32 = 4;

/// The moves of a picture.
#[derive(Debug, Default)]
pub(crate) struct Moves {
    recent: [Option<Move>; RECENT],
    searches: u32,
}

/// The pictures as far as they are known, and which old tiles every viewer has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sight<'a> {
    pub(crate) grid: Grid,
    pub(crate) hashes: &'a Hashes,
    pub(crate) has: &'a dyn HasTile,
}

/// Says which old tiles every viewer has.
pub(crate) trait HasTile: std::fmt::Debug {
    /// Whether every viewer has this one.
    fn has(&self, tile: u32) -> bool;
}

impl Moves {
    /// A new picture begins.
    pub(crate) fn begin(&mut self) {
        *self = Self { recent: self.recent, searches: SEARCHES };
    }

    /// Rows of a tile that moved, and from where. `changed` has a bit for each row that changed.
    pub(crate) fn find(
        &mut self,
        sight: Sight<'_>,
        tile: u32,
        changed: u64,
    ) -> Option<(Move, u64)> {
        if changed.count_ones() < FEWEST_ROWS {
            return None;
        }
        let telling = telling(sight, tile) & changed;
        if telling.count_ones() < FEWEST_TELLING {
            return None;
        }
        let mut best: Option<(Move, u64)> = None;
        for place in 0..RECENT {
            let Some(Some(recent)) = self.recent.get(place).copied() else { break };
            let explained = explained(sight, tile, recent);
            let is_better = best.is_none_or(|(_, other)| {
                (explained & changed).count_ones() > (other & changed).count_ones()
            });
            if (explained & telling).count_ones() >= FEWEST_TELLING && is_better {
                best = Some((recent, explained));
            }
        }
        if best.is_none() && self.searches > 0 {
            best = self.search(sight, tile, telling);
        }
        if let Some((found, _)) = best {
            self.prefer(found);
        }
        best
    }

    /// Looks for one of the telling rows everywhere.
    fn search(&mut self, sight: Sight<'_>, tile: u32, telling: u64) -> Option<(Move, u64)> {
        let rect = sight.grid.rect(tile);
        let column = tile % sight.grid.columns();
        let middle = telling & (u64::MAX << 16);
        for rows in [telling, middle] {
            let row = rows.trailing_zeros();
            if row >= rect.height || self.searches == 0 {
                continue;
            }
            self.searches -= 1;
            let hash = sight.hashes.new_at(column, rect.y + row)?;
            let Some((from_column, from_y)) = sight.hashes.find_old(hash) else { continue };
            let dx = (from_column as i32 - column as i32) * TILE as i32;
            let found = Move { dx, dy: from_y as i32 - (rect.y + row) as i32 };
            if found == Move::default() {
                continue;
            }
            let explained = explained(sight, tile, found);
            if (explained & telling).count_ones() >= FEWEST_TELLING {
                return Some((found, explained));
            }
        }
        None
    }

    fn prefer(&mut self, found: Move) {
        let place = self.recent.iter().position(|recent| *recent == Some(found));
        if let Some(used) = self.recent.get_mut(..=place.unwrap_or(RECENT - 1)) {
            used.rotate_right(1);
            if let Some(first) = used.first_mut() {
                *first = Some(found);
            }
        }
    }
}

/// Rows of a tile that differ from the row above.
fn telling(sight: Sight<'_>, tile: u32) -> u64 {
    let rect = sight.grid.rect(tile);
    let column = tile % sight.grid.columns();
    let mut above = None;
    (0..rect.height).fold(0, |mask, row| {
        let hash = sight.hashes.new_at(column, rect.y + row);
        let differs = above.replace(hash).is_some_and(|above| above != hash);
        mask | u64::from(differs) << row
    })
}

/// Rows of a tile that are what a move brings.
fn explained(sight: Sight<'_>, tile: u32, by: Move) -> u64 {
    let (grid, rect) = (sight.grid, sight.grid.rect(tile));
    let column = tile % grid.columns();
    let from_column = column as i32 + by.dx / TILE as i32;
    if from_column < 0 || from_column >= grid.columns() as i32 {
        return 0;
    }
    let from_column = from_column as u32;
    let mut mask = 0;
    for row in 0..rect.height {
        let y = rect.y + row;
        let from_y = y as i32 + by.dy;
        if from_y < 0 || from_y >= grid.size().height as i32 {
            continue;
        }
        let from_tile = from_y as u32 / TILE * grid.columns() + from_column;
        if sight.has.has(from_tile)
            && sight.hashes.old_at(from_column, from_y as u32) == sight.hashes.new_at(column, y)
        {
            mask |= 1 << row;
        }
    }
    mask
}

/// Says of each row of a tile where it comes from: rows that `moved` explains, those that changed
/// otherwise, and the rest, which is kept.
pub(crate) fn write_runs(runs: &mut Runs, height: u32, changed: u64, moved: Option<(Move, u64)>) {
    runs.clear();
    let mut row = 0;
    while row < height {
        let moved_rows = moved.map_or(0, |(_, mask)| (mask >> row).trailing_ones());
        let moved_rows = moved_rows.min(height - row);
        let changed_rows = changed >> row;
        if let Some((by, _)) = moved
            && moved_rows >= SHORTEST
        {
            runs.push(Origin::Moved(by), moved_rows);
            row += moved_rows;
        } else {
            let origin = if changed_rows & 1 == 1 { Origin::Drawn } else { Origin::Kept };
            runs.push(origin, 1);
            row += 1;
        }
    }
    runs.bridge();
}
