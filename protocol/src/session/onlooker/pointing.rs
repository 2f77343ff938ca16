//! The arrow of one who looks on.

use std::time::Instant;

use super::{Onlooker, OnlookerEvent};
use crate::message::{Arrow, ArrowReport, FromMember, Place, Rights};
use crate::session::pointing::Pointing;

/// Where this side points, and what became of it.
#[derive(Debug, Default)]
pub(super) struct Arrows {
    own: Pointing,
    report: Option<ArrowReport>,
}

impl Arrows {
    pub(super) fn due(&self) -> Option<Instant> {
        self.own.due()
    }

    pub(super) fn pause(&mut self) {
        self.own.pause();
    }
}

impl Onlooker {
    /// Points at something on the screen of the device that is seen, or no longer; whether the
    /// device allows that. The moderator passes it on.
    pub fn point(&mut self, at: Option<Place>, now: Instant) -> bool {
        self.clock = Some(now);
        let Some(live) = &mut self.live else { return false };
        let roster = &live.seat.roster;
        let device = roster.presenter().and_then(|device| roster.get(device));
        if live.is_paused || !device.is_some_and(|entry| entry.rights.allows(Rights::POINTER)) {
            return false;
        }
        let arrow = live.arrows.own.point(at, now);
        self.send_arrow(arrow);
        true
    }

    fn send_arrow(&mut self, arrow: Option<Arrow>) {
        if let Some(arrow) = arrow {
            self.say(&FromMember::Point(arrow));
        }
    }

    /// Sends what is due.
    pub(super) fn point_on(&mut self, now: Instant) {
        let arrow = self.live.as_mut().and_then(|live| live.arrows.own.next(now));
        self.send_arrow(arrow);
    }

    pub(super) fn arrows_reported(&mut self, report: ArrowReport, now: Instant) {
        let Some(live) = &mut self.live else { return };
        let arrow = live.arrows.own.heard(&report, now);
        let said = |report: ArrowReport| (report.are_shown, report.dropped);
        if live.arrows.report.replace(report).map(said) != Some(said(report)) {
            let ArrowReport { are_shown, dropped, .. } = report;
            self.outputs.event(OnlookerEvent::Arrows { are_shown, dropped });
        }
        self.send_arrow(arrow);
    }
}
