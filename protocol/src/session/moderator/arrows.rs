//! Arrows at the device: those from here, and those of onlookers, which are passed on.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::{Moderator, ModeratorEvent, State};
use crate::header::MemberId;
use crate::message::{Arrow, ArrowReport, FromModerator, Place, Rights};
use crate::session::pointing::{ARROW_INTERVAL, MAX_ARROWS, Pointing, REPORT_LASTS};

/// Onlookers are told what becomes of their arrows until so long after the last.
const TOLD_FOR: Duration = Duration::from_secs(10);

/// Who points at the device that is seen.
#[derive(Debug, Default)]
pub(super) struct Arrows {
    own: Pointing,
    report: Option<(ArrowReport, Instant)>,
    /// Onlookers, and when they pointed last.
    others: BTreeMap<MemberId, Instant>,
    /// Theirs that wait; the newest of each.
    waiting: BTreeMap<MemberId, Arrow>,
    free_at: Option<Instant>,
}

impl Arrows {
    /// When [`Moderator::pass_arrows`] is due.
    pub(super) fn due(&self) -> Option<Instant> {
        let others = self.free_at.filter(|_| !self.waiting.is_empty());
        self.own.due().into_iter().chain(others).min()
    }
}

impl Moderator {
    /// Points at something on the screen of the device that is seen, or no longer; whether the
    /// device allows that. What it shows of it comes as [`ModeratorEvent::Arrows`].
    pub fn point(&mut self, at: Option<Place>, now: Instant) -> bool {
        self.clock = Some(now);
        if !self.may_point() {
            return false;
        }
        let State::Open(session) = &mut self.state else { return false };
        let (me, arrow) = (session.me, session.arrows.own.point(at, now));
        self.pass(me, arrow);
        true
    }

    fn may_point(&self) -> bool {
        self.focused().is_some_and(|device| device.rights.allows(Rights::POINTER))
    }

    fn pass(&mut self, by: MemberId, arrow: Option<Arrow>) {
        let is_there = self.focused().is_some_and(|device| !device.is_away);
        let is_reached = is_there && !self.outputs.is_paused && self.may_point();
        if let (Some(arrow), Some(device), true) = (arrow, self.focus(), is_reached) {
            self.control(device, &FromModerator::Point { by, arrow });
        }
    }

    /// An onlooker points.
    pub(super) fn pointed(&mut self, by: MemberId, arrow: Arrow, now: Instant) {
        if !self.may_point() || self.focus() == Some(by) {
            return;
        }
        let State::Open(session) = &mut self.state else { return };
        let arrows = &mut session.arrows;
        let is_new = arrows.others.insert(by, now).is_none_or(|last| now >= last + REPORT_LASTS);
        let known = arrows.report.filter(|(_, at)| now < *at + REPORT_LASTS);
        let answer = known.filter(|_| is_new || arrow.tick == 0);
        if arrows.waiting.len() < MAX_ARROWS || arrows.waiting.contains_key(&by) {
            arrows.waiting.insert(by, arrow);
        }
        arrows.free_at.get_or_insert(now);
        if let Some((report, _)) = answer {
            self.control(by, &FromModerator::Arrows(report));
        }
        self.pass_arrows(now);
    }

    /// Sends what is due.
    pub(super) fn pass_arrows(&mut self, now: Instant) {
        let State::Open(session) = &mut self.state else { return };
        let (me, arrows) = (session.me, &mut session.arrows);
        let own = arrows.own.next(now);
        let mut others = BTreeMap::new();
        if !arrows.waiting.is_empty() && arrows.free_at.is_none_or(|at| at <= now) {
            arrows.free_at = Some(now + ARROW_INTERVAL);
            others = std::mem::take(&mut arrows.waiting);
        }
        self.pass(me, own);
        others.into_iter().for_each(|(by, arrow)| self.pass(by, Some(arrow)));
    }

    /// The device says what it shows.
    pub(super) fn arrows_reported(&mut self, report: ArrowReport, now: Instant) {
        let State::Open(session) = &mut self.state else { return };
        let arrows = &mut session.arrows;
        let before = arrows.report.replace((report, now)).map(|(report, _)| report);
        let own = arrows.own.heard(&report, now);
        arrows.others.retain(|_, last| now < *last + TOLD_FOR);
        let (me, others) = (session.me, arrows.others.clone());
        let said = |report: ArrowReport| (report.are_shown, report.dropped);
        if before.map(said) != Some(said(report)) {
            let ArrowReport { are_shown, dropped, .. } = report;
            self.outputs.event(ModeratorEvent::Arrows { are_shown, dropped });
        }
        self.pass(me, own);
        for other in others.into_keys() {
            self.control(other, &FromModerator::Arrows(report));
        }
    }
}
