//! When the screen is looked at. No clock: the time comes in.
//!
//! Reading a whole picture costs more than looking at some of its rows, and that more than asking
//! the screen whether it knows of changes. What each of them takes of the processor says how
//! often it is done: more often while something goes on, seldom while nothing does.

use std::time::{Duration, Instant};

/// Pictures are apart by this much at least.
const APART: Duration = Duration::from_millis(4);
/// On average by so much: 60 a second.
const EVEN: Duration = Duration::from_micros(16_667);
/// So many may come sooner than that after a pause.
const BURST: u32 = 4;
/// Rows are looked at this often at most while something goes on, while nothing does, and when nothing
/// has for long.
const GLANCE: [Duration; 3] =
    [Duration::from_millis(7), Duration::from_millis(20), Duration::from_millis(40)];
/// One part of so many of a core is what looking at rows may take, in each case.
const GLANCE_SHARE: [u32; 3] = [40, 400, 1000];
/// The same for reading whole pictures in which nothing has changed.
const READ_SHARE: [u32; 3] = [200, 800, 1600];
/// A picture is read needlessly this often at most.
const READ: [Duration; 3] =
    [Duration::from_millis(200), Duration::from_millis(800), Duration::from_millis(800)];
/// It is read this often at least. By rows all of it is looked at in the same time, more or less.
const READ_AT_LEAST: [Duration; 3] =
    [Duration::from_millis(800), Duration::from_millis(800), Duration::from_millis(2000)];
/// A screen that cannot be looked at by rows is read this often at most in vain.
const READ_ALONE: [Duration; 3] =
    [Duration::from_millis(16), Duration::from_millis(33), Duration::from_millis(33)];
/// A screen that tells of changes is asked for them this often at least.
const ASK: [Duration; 3] =
    [Duration::from_millis(6), Duration::from_millis(20), Duration::from_millis(20)];
/// A screen whose owner wakes us is asked all the same: it may sleep, or another be in front.
const ASK_BESIDES: [Duration; 3] =
    [Duration::from_millis(100), Duration::from_millis(250), Duration::from_millis(250)];
/// An owner that draws a picture bit by bit has done so, if nothing was added for this long, and at the
/// latest after that time.
const SETTLE: [Duration; 2] = [Duration::from_millis(2), Duration::from_millis(8)];
/// After an input something will happen for so long.
const AFTER_INPUT: Duration = Duration::from_millis(700);
/// After a change, others will follow for so long.
const AFTER_CHANGE: Duration = Duration::from_millis(350);
/// Nothing has gone on for long.
const LONG: Duration = Duration::from_secs(2);
/// A program takes this long to draw what an input leads to.
const REACTION: Duration = Duration::from_millis(2);

/// What can be seen of changes without reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Telling {
    /// The screen itself says, if asked.
    ByItself,
    /// The screen itself says, and wakes us.
    Waking,
    /// Rows can be looked at.
    ByRows,
    /// Nothing.
    Not,
}

/// When to look next, and when to read whatever is seen.
#[derive(Debug)]
pub(super) struct Pace {
    max_cpu: f32,
    due: Instant,
    /// Reading earlier would take more of the core than is allowed, or send too many pictures.
    not_before: Instant,
    /// When it is read again though nothing is known of changes.
    read_due: Instant,
    /// Until when something goes on.
    lively_until: Instant,
    /// Since when the owner is drawing what is not read yet.
    drawing_since: Option<Instant>,
    /// When the next picture would be due if they came evenly.
    even: Instant,
}

impl Pace {
    /// `max_cpu` is the share of one core that reading and encoding may take, 0.01 to 1.
    pub(super) fn new(max_cpu: f32, now: Instant) -> Self {
        Self {
            max_cpu: max_cpu.clamp(0.01, 1.0),
            due: now,
            not_before: now,
            read_due: now,
            lively_until: now,
            drawing_since: None,
            even: now,
        }
    }

    /// When to look.
    pub(super) const fn due(&self) -> Instant {
        self.due
    }

    /// Whether reading is allowed.
    pub(super) fn may_read(&self, now: Instant) -> bool {
        self.not_before <= now
    }

    /// That time, or when reading is allowed again.
    pub(super) fn not_before(&self, at: Instant) -> Instant {
        self.not_before.max(at)
    }

    /// Whether it is to be read now though nothing is known of changes.
    pub(super) fn must_read(&self, now: Instant) -> bool {
        self.read_due <= now
    }

    /// Something will happen soon, or must be sent soon.
    pub(super) fn alert(&mut self, now: Instant) {
        self.lively_until = self.lively_until.max(now + AFTER_INPUT);
        self.read_due = self.read_due.min(now + REACTION);
        self.due = self.due.min(self.not_before.max(now + REACTION));
    }

    /// There is room for another picture.
    pub(super) fn room(&mut self, now: Instant) {
        self.due = self.due.min(self.not_before.max(now));
    }

    /// It could not be read: once more at that time.
    pub(super) fn failed(&mut self, again: Instant) {
        (self.due, self.read_due) = (again, again);
    }

    /// The owner of the screen began to draw, or goes on to.
    pub(super) fn told(&mut self, now: Instant) {
        self.due = self.due.min(self.not_before.max(now));
    }

    /// Whether the owner, which has just drawn something, may be in the midst of a picture; it is then
    /// looked at again soon. `is_more` if that is more than at the last look.
    pub(super) fn is_being_drawn(&mut self, is_more: bool, now: Instant) -> bool {
        let since = *self.drawing_since.get_or_insert(now);
        let is_unfinished = is_more && now.saturating_duration_since(since) < SETTLE[1];
        if is_unfinished {
            self.due = now + SETTLE[0];
        } else {
            self.drawing_since = None;
        }
        is_unfinished
    }

    /// It was asked, and is certainly as it was.
    pub(super) fn still(&mut self, telling: Telling, now: Instant) {
        self.due = now + self.ask(telling, now);
        self.read_due = self.due;
    }

    fn ask(&self, telling: Telling, now: Instant) -> Duration {
        self.choose(if telling == Telling::Waking { &ASK_BESIDES } else { &ASK }, now)
    }

    /// Some rows were looked at, which took `cost` of the processor, and nothing was seen.
    pub(super) fn glanced(&mut self, cost: Duration, telling: Telling, now: Instant) {
        let wait = if matches!(telling, Telling::ByItself | Telling::Waking) {
            self.ask(telling, now)
        } else {
            self.choose(&GLANCE, now).max(cost * self.choose(&GLANCE_SHARE, now))
        };
        self.due = (now + wait).min(self.read_due).max(now + APART);
    }

    /// It was read, the whole or a part, which took `cost` of the processor: what it had to wait for
    /// others is no reason to look less often.
    pub(super) fn read(
        &mut self,
        changed: bool,
        whole: bool,
        cost: Duration,
        telling: Telling,
        now: Instant,
    ) {
        self.not_before = now + APART.max(cost.div_f32(self.max_cpu));
        if changed {
            self.lively_until = self.lively_until.max(now + AFTER_CHANGE);
            self.even = self.even.max(now) + EVEN;
            self.not_before =
                self.not_before.max(self.even.checked_sub(EVEN * BURST).unwrap_or(now));
        }
        let share = cost * self.choose(&READ_SHARE, now);
        let [seldom, often] = [self.choose(&READ, now), self.choose(&READ_ALONE, now)];
        let least = self.choose(&READ_AT_LEAST, now);
        let wait = match telling {
            Telling::Not => share.clamp(often, READ_AT_LEAST[0]),
            Telling::ByRows | Telling::ByItself | Telling::Waking => share.clamp(seldom, least),
        };
        // After a change another one is likely.
        let wait = if changed && telling == Telling::Not { EVEN } else { wait };
        self.read_due = self.not_before.max(if whole { now + wait } else { self.read_due });
        self.due = match telling {
            Telling::Not => self.read_due,
            Telling::ByRows if changed => self.not_before,
            Telling::ByRows => {
                let wait =
                    self.choose(&GLANCE, now).max(cost / 8 * self.choose(&GLANCE_SHARE, now));
                self.read_due.min(self.not_before.max(now + wait))
            }
            // What was told while it was read wakes nobody.
            Telling::Waking => self.not_before,
            Telling::ByItself => {
                self.read_due.min(self.not_before.max(now + self.ask(telling, now)))
            }
        };
    }

    /// What counts while something goes on, while nothing does, or when nothing has for long.
    fn choose<T: Copy>(&self, [lively, quiet, still]: &[T; 3], now: Instant) -> T {
        if now < self.lively_until {
            *lively
        } else if now < self.lively_until + LONG {
            *quiet
        } else {
            *still
        }
    }
}
