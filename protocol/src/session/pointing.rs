//! Pointing at a device's screen: how often, how late, and who hears what became of it.

use std::time::{Duration, Instant};

use super::{MAX_INPUT_AGE_TICKS, TICK};
use crate::message::{Arrow, ArrowReport, Place};

/// An arrow moves this often at most: 30 times a second.
pub const ARROW_INTERVAL: Duration = Duration::from_millis(33);

/// Arrows of so many members are shown at a time, and passed on.
pub const MAX_ARROWS: usize = 4;

/// What the device said of its time is believed for so long; then it is asked anew.
pub(super) const REPORT_LASTS: Duration = Duration::from_secs(1);

/// Nobody wants to know any more where somebody pointed so long ago.
const MAX_AGE: Duration = Duration::from_secs(2);

/// Where one who points wants the arrow, until that has left: the newest wins.
#[derive(Debug, Default)]
pub(super) struct Pointing {
    tick: u32,
    heard: Option<Instant>,
    asked: Option<Instant>,
    waiting: Option<(Option<Place>, Instant)>,
    free_at: Option<Instant>,
}

impl Pointing {
    /// The arrow is to be there; what to send now, if anything.
    pub(super) fn point(&mut self, at: Option<Place>, now: Instant) -> Option<Arrow> {
        self.waiting = Some((at, now));
        self.next(now)
    }

    /// The device has told its time.
    pub(super) fn heard(&mut self, report: &ArrowReport, now: Instant) -> Option<Arrow> {
        (self.tick, self.heard) = (report.tick, Some(now));
        if self.asked.take().is_some() {
            // What waits has waited for this.
            self.free_at = None;
        }
        self.next(now)
    }

    /// Nothing is to leave any more: the way is broken.
    pub(super) fn pause(&mut self) {
        self.waiting = None;
    }

    /// When [`Self::next`] has something.
    pub(super) fn due(&self) -> Option<Instant> {
        self.waiting.and(self.free_at)
    }

    /// What to send now. An arrow that asks for the device's time is not shown; it goes again
    /// when that is known.
    pub(super) fn next(&mut self, now: Instant) -> Option<Arrow> {
        self.waiting.take_if(|(_, since)| now.saturating_duration_since(*since) > MAX_AGE);
        let (at, _) = self.waiting?;
        if self.free_at.is_some_and(|free_at| now < free_at) {
            return None;
        }
        let is_known = self.heard.is_some_and(|heard| now < heard + REPORT_LASTS);
        if is_known || at.is_none() {
            self.waiting = None;
            self.free_at = Some(now + ARROW_INTERVAL);
            return Some(Arrow { tick: self.tick, at });
        }
        if let Some(again) = self.asked.map(|asked| asked + REPORT_LASTS).filter(|at| now < *at) {
            self.free_at = Some(again);
            return None;
        }
        self.asked = Some(now);
        self.free_at = Some(now + REPORT_LASTS);
        Some(Arrow { tick: 0, at })
    }
}

/// The device's end: its time, and what was not shown.
#[derive(Debug)]
pub(super) struct Pointed {
    since: Instant,
    told_at: Option<Instant>,
    dropped: u32,
    are_shown: bool,
}

impl Pointed {
    pub(super) const fn new(now: Instant) -> Self {
        Self { since: now, told_at: None, dropped: 0, are_shown: true }
    }

    fn tick(&self, now: Instant) -> u32 {
        let ticks = now.saturating_duration_since(self.since).as_millis() / TICK.as_millis();
        u32::try_from(ticks).unwrap_or(u32::MAX - 1) + 1
    }

    /// Whether an arrow comes in time to be shown. It is never too late to take one away.
    pub(super) fn takes(&mut self, arrow: &Arrow, now: Instant) -> bool {
        let is_late = self.tick(now).saturating_sub(arrow.tick) > MAX_INPUT_AGE_TICKS;
        let is_shown = arrow.at.is_none() || (arrow.tick != 0 && !is_late);
        // Without a time it only asks for one.
        self.dropped = self.dropped.saturating_add(u32::from(!is_shown && arrow.tick != 0));
        is_shown
    }

    /// An arrow came without the right.
    pub(super) fn deny(&mut self) {
        self.dropped = self.dropped.saturating_add(1);
    }

    /// Whether arrows are shown; what to tell if that is news.
    pub(super) fn are_shown(&mut self, are_shown: bool, now: Instant) -> Option<ArrowReport> {
        if std::mem::replace(&mut self.are_shown, are_shown) == are_shown {
            return None;
        }
        self.told_at = None;
        self.report(now)
    }

    /// What to tell whoever points, if that was not done just now.
    pub(super) fn report(&mut self, now: Instant) -> Option<ArrowReport> {
        if self.told_at.is_some_and(|at| now < at + TICK) {
            return None;
        }
        self.told_at = Some(now);
        let (dropped, are_shown) = (self.dropped, self.are_shown);
        Some(ArrowReport { tick: self.tick(now), dropped, are_shown })
    }
}
