//! Arrows of those who point from afar: shown on the machine's screen, and taken away again.
//!
//! They are never above what asks the person here something, nor above the sign of the session.

use std::time::{Duration, Instant};

use lotse_hal::{Mark, Marks, Paint, Point, Rect, ScreenInfo, Size};
use lotse_protocol::MemberId;
use lotse_protocol::message::{Name as NetworkName, Place, arrow_color};
use lotse_protocol::session::{ARROW_INTERVAL, MAX_ARROWS};

use crate::panel::{Arrow, Name};

/// Where arrows could not be shown, it is tried again after so long.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// They are looked after this often, in case the machine drew over them.
const KEEP: Duration = Duration::from_millis(500);

/// One arrow.
#[derive(Debug)]
struct Pointed {
    by: MemberId,
    name: NetworkName,
    at: Place,
    arrow: Arrow,
    until: Instant,
}

/// The arrows of the moment.
#[derive(Debug)]
pub(super) struct Arrows {
    pointed: Vec<Pointed>,
    /// An arrow goes when it has not moved for so long.
    time: Duration,
    /// The screen that those see who point.
    screen: String,
    /// The part of the screen that the panel had when they were drawn.
    panel: Option<Rect>,
    needs_drawing: bool,
    is_drawn: bool,
    free_at: Option<Instant>,
    keep_at: Option<Instant>,
    /// Those who point believe that arrows are shown.
    are_believed: bool,
}

impl Arrows {
    /// None, of which each will be shown for so long.
    pub(super) fn new(time: Duration) -> Self {
        Self {
            pointed: Vec::new(),
            time,
            screen: String::new(),
            panel: None,
            needs_drawing: false,
            is_drawn: false,
            free_at: None,
            keep_at: None,
            are_believed: true,
        }
    }

    /// A session begins, whose technician sees this screen.
    pub(super) fn begin(&mut self, screen: &ScreenInfo) {
        self.screen.clone_from(&screen.name);
        self.are_believed = true;
        self.free_at = None;
        self.clear();
    }

    /// None is to be seen any more.
    pub(super) fn clear(&mut self) {
        self.needs_drawing |= self.is_drawn;
        self.pointed.clear();
    }

    /// Somebody points, or no longer.
    pub(super) fn point(
        &mut self,
        by: MemberId,
        name: &NetworkName,
        at: Option<Place>,
        now: Instant,
    ) {
        let known = self.pointed.iter().position(|one| one.by == by);
        let at = at.filter(|at| at.x < at.width && at.y < at.height);
        let (Some(at), until) = (at, now + self.time) else {
            if let Some(index) = known {
                self.pointed.remove(index);
                self.needs_drawing = true;
            }
            return;
        };
        let is_same = |one: &&mut Pointed| one.by == by && one.name == *name;
        if let Some(one) = self.pointed.iter_mut().find(is_same) {
            one.until = until;
            self.needs_drawing |= one.at != at;
            one.at = at;
            return;
        }
        // Whoever points gets the place of who has not moved for longest.
        let oldest = (0..).zip(&self.pointed).min_by_key(|(_, one)| one.until).map(|(at, _)| at);
        let full = oldest.filter(|_| self.pointed.len() >= MAX_ARROWS);
        if let Some(index) = known.or(full) {
            self.pointed.remove(index);
        }
        let arrow = Arrow::new(Name::from_network(name), arrow_color(by));
        self.pointed.push(Pointed { by, name: name.clone(), at, arrow, until });
        self.needs_drawing = true;
    }

    /// When [`Arrows::draw`] has something to do.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let next = self.pointed.iter().map(|one| one.until).min();
        let draws = self.free_at.filter(|_| self.needs_drawing);
        [next, draws, self.keep_at].into_iter().flatten().min()
    }

    /// Takes arrows away before the panel takes this part of the screen.
    pub(super) fn make_way(&mut self, panel: Option<Rect>, marks: &mut dyn Marks) {
        if self.panel != panel && self.is_drawn {
            self.take_off(marks);
            self.needs_drawing = true;
        }
        self.panel = panel;
    }

    fn take_off(&mut self, marks: &mut dyn Marks) {
        (self.is_drawn, self.keep_at) = (false, None);
        if let Err(error) = marks.show(&[]) {
            log::warn!("arrows: {error}");
        }
    }

    /// Brings the screen up to date; whether arrows are shown, if that is news.
    pub(super) fn draw(
        &mut self,
        marks: &mut dyn Marks,
        screen: impl FnOnce() -> ScreenInfo,
        now: Instant,
    ) -> Option<bool> {
        let before = self.pointed.len();
        self.pointed.retain(|one| now < one.until);
        self.needs_drawing |= before != self.pointed.len();
        if self.keep_at.is_some_and(|at| at <= now) {
            self.keep_at = Some(now + KEEP);
            self.needs_drawing |= marks.keep().is_err();
        }
        if !self.needs_drawing {
            return None;
        }
        if self.pointed.is_empty() {
            self.needs_drawing = false;
            if self.is_drawn {
                self.take_off(marks);
            }
            return None;
        }
        if self.free_at.is_some_and(|at| now < at) {
            return None;
        }
        self.needs_drawing = false;
        let shown = self.show(marks, &screen(), now);
        if let Err(problem) = &shown {
            log::info!("arrows cannot be shown: {problem}");
            self.take_off(marks);
        }
        let are_shown = shown.is_ok();
        self.free_at = Some(now + if are_shown { ARROW_INTERVAL } else { TRY_AGAIN });
        let was_believed = std::mem::replace(&mut self.are_believed, are_shown);
        (was_believed != are_shown).then_some(are_shown)
    }

    fn show(
        &mut self,
        marks: &mut dyn Marks,
        screen: &ScreenInfo,
        now: Instant,
    ) -> Result<(), String> {
        let size = marks.size().map_err(|error| error.to_string())?;
        if screen.name != self.screen || screen.size != size {
            return Err("another screen is looked at".to_owned());
        }
        let panel = self.panel;
        for one in &mut self.pointed {
            one.arrow.point(scaled(one.at, size), size);
        }
        let seen = self.pointed.iter().map(|one| (one.arrow.area(), &one.arrow as &dyn Paint));
        let free = |area: Rect| panel.is_none_or(|panel| panel.intersection(area).is_none());
        let seen = seen.filter(|(area, _)| free(*area));
        let all: Vec<_> = seen.map(|(area, painter)| Mark { area, painter }).collect();
        self.is_drawn = true;
        marks.show(&all).map_err(|error| error.to_string())?;
        self.keep_at = Some(now + KEEP);
        Ok(())
    }
}

/// A place in the picture that was seen, on a screen of this size.
fn scaled(at: Place, size: Size) -> Point {
    let scale = |at: u16, from: u16, to: u32| u32::from(at) * to / u32::from(from.max(1));
    Point::new(scale(at.x, at.width, size.width), scale(at.y, at.height, size.height))
}

#[cfg(test)]
#[path = "arrow_tests.rs"]
mod tests;
