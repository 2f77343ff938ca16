//! How roughly photographs are told, and when they become exact. No clock: the time comes in.
//!
//! On a thin line the pixels of a photograph take seconds. So it is told roughly at first, as
//! finely as the line carries in an instant, and exactly when nothing moves and the line has
//! nothing else to do, the neighbourhood of what the technician does first. Drawings are always exact.

use std::time::{Duration, Instant};

use super::line::Line;
use crate::config::Photographs;

/// Bytes a second from which on a line takes photographs as they are.
const FAST: usize = 4_000_000;
/// An update is to be on its way for so long.
const INSTANT: Duration = Duration::from_millis(150);
/// Bytes of an update as long as nothing is known of the line.
const AT_FIRST: usize = 48 << 10;
/// What a tile takes exactly, in bytes, more or less.
const TILE: usize = 9 << 10;
/// After a change nothing is refined for so long: another one may follow.
const QUIET: Duration = Duration::from_millis(250);
/// The coarsest quality, the first, and the finest.
const QUALITY: [u8; 3] = [12, 55, 85];

/// What is decided from picture to picture.
#[derive(Debug)]
pub(super) struct Hurry {
    photographs: Photographs,
    quality: u8,
    changed_at: Option<Instant>,
    /// Where the technician is at work, in pixels.
    near: (u32, u32),
}

impl Hurry {
    pub(super) const fn new(photographs: Photographs) -> Self {
        Self { photographs, quality: QUALITY[1], changed_at: None, near: (0, 0) }
    }

    /// How roughly the next picture's photographs are to be told; `None` if exactly.
    pub(super) fn quality(&self, line: &Line) -> Option<u8> {
        let is_fast = line.carries(Duration::from_secs(1)).is_some_and(|bytes| bytes >= FAST);
        let may_be_rough = self.photographs == Photographs::RoughAtFirst;
        (may_be_rough && !is_fast).then_some(self.quality)
    }

    /// Where the technician is at work.
    pub(super) fn work_at(&mut self, near: (u32, u32)) {
        self.near = near;
    }

    /// An update was sent, `coarse` tiles of which are rough.
    pub(super) fn sent(&mut self, bytes: usize, coarse: u32, line: &Line, now: Instant) {
        if coarse == 0 {
            return;
        }
        self.changed_at = Some(now);
        let budget = line.carries(INSTANT).unwrap_or(AT_FIRST);
        let quality = u32::from(self.quality);
        let quality = if bytes > budget {
            quality * 3 / 4
        } else if bytes < budget / 2 {
            quality * 5 / 4
        } else {
            quality
        };
        let [least, _, most] = QUALITY;
        self.quality = u8::try_from(quality).unwrap_or(most).clamp(least, most);
    }

    /// From when on rough tiles may become exact.
    pub(super) fn quiet_at(&self) -> Option<Instant> {
        self.changed_at.map(|at| at + QUIET)
    }

    /// How many tiles to tell exactly now, and where first.
    pub(super) fn refines(&self, line: &Line, now: Instant) -> (u32, (u32, u32)) {
        let is_quiet = self.quiet_at().is_none_or(|quiet| quiet <= now) && line.is_idle();
        let budget = line.carries(INSTANT).unwrap_or(AT_FIRST);
        let tiles = (budget / TILE).clamp(1, 1 << 14) as u32;
        (if is_quiet { tiles } else { 0 }, self.near)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line that has carried so many bytes a second, with 10 ms there and back.
    fn line(rate: usize) -> (Line, Instant) {
        let (mut line, mut now) = (Line::new(), Instant::now());
        line.sent(1, 1, now);
        now += Duration::from_millis(10);
        line.shown(1, now);
        for number in 2..40 {
            line.sent(number, rate / 10, now);
            now += Duration::from_millis(110);
            line.shown(number, now);
        }
        (line, now)
    }

    #[test]
    fn a_fast_line_takes_everything_exactly_and_an_unknown_one_does_not() {
        let hurry = Hurry::new(Photographs::RoughAtFirst);
        assert_eq!(hurry.quality(&line(10_000_000).0), None);
        assert!(hurry.quality(&line(500_000).0).is_some());
        assert!(hurry.quality(&Line::new()).is_some());
        let never = Hurry::new(Photographs::Exact);
        assert_eq!(never.quality(&Line::new()), None);
    }

    #[test]
    fn an_update_becomes_as_long_as_the_line_carries_in_an_instant() {
        let (line, now) = line(500_000);
        let mut hurry = Hurry::new(Photographs::RoughAtFirst);
        // As if the bytes went with the quality.
        for _ in 0..20 {
            let bytes = usize::from(hurry.quality(&line).unwrap()) * 3000;
            hurry.sent(bytes, 9, &line, now);
        }
        let bytes = usize::from(hurry.quality(&line).unwrap()) * 3000;
        assert!((30_000..=80_000).contains(&bytes), "{bytes} for 75,000");
    }

    #[test]
    fn nothing_is_refined_while_something_moves_or_is_on_its_way() {
        let (mut line, now) = line(500_000);
        let mut hurry = Hurry::new(Photographs::RoughAtFirst);
        hurry.work_at((3, 4));
        hurry.sent(50_000, 9, &line, now);
        assert_eq!(hurry.refines(&line, now + QUIET / 2).0, 0);
        assert_eq!(hurry.refines(&line, now + QUIET), (8, (3, 4)));
        line.sent(99, 100, now);
        assert_eq!(hurry.refines(&line, now + QUIET).0, 0);
    }
}
