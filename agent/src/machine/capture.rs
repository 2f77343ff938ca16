//! When the screen is read, and what becomes of it.

use std::time::{Duration, Instant};

use lotse_codec::{Band, Encoder, Size};
use lotse_hal::{Change, Cursor, Error, Screen, ScreenState};
use lotse_protocol::message::ScreenReport;
use nix::time::{ClockId, clock_gettime};

/// Updates that may be on their way to the technician at once.
const MAX_IN_FLIGHT: u32 = 2;

/// Pictures a second at most: one every 16 ms.
const SHORTEST: Duration = Duration::from_millis(16);

/// A picture that stands still is looked at this often at least.
const LONGEST: Duration = Duration::from_millis(800);

/// A screen that tells of changes is asked for them this often at least: no pixel is read for it.
const GLANCE: Duration = Duration::from_millis(33);

/// While nothing changes, reading may take this part of one core: a third of a percent.
const STILL_SHARE: u32 = 300;

/// After an input the screen is read as often as it may be for so long: something will happen.
const ALERT: Duration = Duration::from_millis(700);

/// After a screen could not be read, it is tried again after this time.
const RETRY: Duration = Duration::from_secs(1);

/// Reads a screen for one viewer, as often as it is worth it.
pub(super) struct Capture {
    encoder: Encoder,
    watched: bool,
    max_cpu: f32,
    due: Instant,
    /// Looking earlier would take more of the core than is allowed.
    not_before: Instant,
    interval: Duration,
    /// When it is read again though it told of nothing.
    read_due: Instant,
    /// Whether it has told of changes by itself since somebody watches.
    tells: bool,
    alert_until: Option<Instant>,
    sent: u32,
    shown: u32,
    reported: Option<ScreenReport>,
    /// The next look must read, whatever the screen says of changes.
    must_read: bool,
    /// What the pointer looked like when the screen was read last.
    cursor: Option<Cursor>,
    /// Rows with the pointer drawn above them.
    with_cursor: Vec<u8>,
}

impl std::fmt::Debug for Capture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Capture")
            .field("watched", &self.watched)
            .field("sent", &self.sent)
            .field("shown", &self.shown)
            .finish_non_exhaustive()
    }
}

impl Capture {
    /// A capture that nobody watches yet. `key` is random and secret; `max_cpu` the share of one
    /// core that reading and encoding may take, 0.01 to 1.
    ///
    /// # Errors
    /// When there is no memory for the encoder.
    pub(super) fn new(key: u64, max_cpu: f32, now: Instant) -> anyhow::Result<Self> {
        Ok(Self {
            encoder: Encoder::new(key),
            watched: false,
            max_cpu,
            due: now,
            not_before: now,
            interval: SHORTEST,
            read_due: now,
            tells: false,
            alert_until: None,
            sent: 0,
            shown: 0,
            reported: None,
            must_read: true,
            cursor: None,
            with_cursor: Vec::new(),
        })
    }

    /// Whether somebody watches; who begins gets a complete picture.
    pub(super) fn watch(&mut self, watched: bool, now: Instant) {
        self.watched = watched;
        if watched {
            self.refresh(now);
        }
    }

    /// The next update is complete.
    pub(super) fn refresh(&mut self, now: Instant) {
        self.encoder.request_full();
        self.must_read = true;
        self.tells = false;
        self.shown = self.sent;
        self.soon(now);
    }

    /// The viewer has the update of this number.
    pub(super) fn shown(&mut self, number: u32, now: Instant) {
        if number > self.shown && number <= self.sent {
            self.shown = number;
            self.due = self.due.min(self.not_before.max(now + SHORTEST));
        }
    }

    /// Whether somebody watches.
    pub(super) fn is_watched(&self) -> bool {
        self.watched
    }

    /// Whether the screen shows nothing, as far as is known.
    pub(super) fn is_off(&self) -> bool {
        self.reported == Some(ScreenReport::Off)
    }

    /// An input was injected: the screen will change soon.
    pub(super) fn alert(&mut self, now: Instant) {
        self.alert_until = Some(now + ALERT);
        self.soon(now);
    }

    fn soon(&mut self, now: Instant) {
        self.interval = SHORTEST;
        self.read_due = now;
        self.due = self.due.min(self.not_before.max(now + Duration::from_millis(2)));
    }

    /// When [`Capture::look`] is due; `None` while nobody watches or enough is on its way.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let room = self.sent.saturating_sub(self.shown) < MAX_IN_FLIGHT;
        (self.watched && room).then_some(self.due)
    }

    /// Looks at the screen, if it is time, and reads it if it may have changed. An update goes to
    /// `send`; the report says what the screen does, if that is new.
    pub(super) fn look(
        &mut self,
        screen: &mut dyn Screen,
        now: Instant,
        send: &mut dyn FnMut(&[u8]),
    ) -> Option<ScreenReport> {
        if self.poll_timeout().is_none_or(|due| due > now) {
            return None;
        }
        let (started, used) = (Instant::now(), processor_time());
        let seen = match self.read(screen, now) {
            Ok(seen) => seen,
            Err(error) => {
                log::warn!("screen: {error}");
                self.must_read = true;
                self.due = now + RETRY;
                return self.news(ScreenReport::Unreadable);
            }
        };
        let (report, changed) = match seen {
            Seen::Off => (ScreenReport::Off, false),
            Seen::Still { size } => (shown_report(size), false),
            Seen::Glanced { size } => {
                self.due = self.read_due.min(now + GLANCE);
                return self.news(shown_report(size));
            }
            Seen::Read { size } => (shown_report(size), self.finish(send)),
        };
        let cost = processor_time().saturating_sub(used);
        self.pace(changed, cost, now + started.elapsed());
        self.news(report)
    }

    /// Ends the encoder's picture and sends what changed; whether anything did.
    fn finish(&mut self, send: &mut dyn FnMut(&[u8])) -> bool {
        let finished = self.encoder.finish();
        self.must_read = finished.is_err();
        match finished {
            Ok(Some(update)) => {
                self.sent = update.number;
                send(update.bytes);
                true
            }
            Ok(None) => false,
            Err(error) => {
                log::warn!("picture: {error}");
                false
            }
        }
    }

    fn read(&mut self, screen: &mut dyn Screen, now: Instant) -> Result<Seen, Error> {
        let ScreenState::Shown { size, change } = screen.poll()? else {
            return Ok(Seen::Off);
        };
        let cursor = screen.cursor()?;
        if !self.must_read && cursor == self.cursor {
            match change {
                Change::None => return Ok(Seen::Still { size }),
                Change::Maybe if now < self.read_due => return Ok(Seen::Glanced { size }),
                Change::Maybe => {}
                Change::Told => self.tells = true,
            }
        }
        self.cursor = cursor;
        let mut begun = None;
        let Self { encoder, cursor, with_cursor, .. } = self;
        screen.read(&mut |band| {
            let size = Size { width: band.size.width, height: band.size.height };
            if begun.replace(size) != Some(size)
                && let Err(error) = encoder.begin(size)
            {
                log::warn!("picture: {error}");
            }
            let pixels = match cursor {
                Some(cursor) if cursor.meets(&band) => cursor.draw_above(&band, with_cursor),
                _ => band.pixels,
            };
            encoder.push_band(Band { size, y: band.y, rows: band.rows, pixels });
        })?;
        Ok(Seen::Read { size })
    }

    /// Chooses when to look next. `cost` is what the look took of the processor: what it had to wait
    /// for others is no reason to look less often.
    fn pace(&mut self, changed: bool, cost: Duration, now: Instant) {
        if self.alert_until.is_some_and(|until| until <= now) {
            self.alert_until = None;
        }
        // Never more of the core than it may have.
        let floor = SHORTEST.max(cost.div_f32(self.max_cpu.clamp(0.01, 1.0)));
        self.interval = if changed || self.alert_until.is_some() {
            floor
        } else {
            let still = (cost * STILL_SHARE).clamp(GLANCE, LONGEST);
            (self.interval * 2).min(still).max(floor)
        };
        self.not_before = now + floor;
        self.read_due = self.not_before.max(now + self.interval);
        self.due = if self.tells {
            self.read_due.min(self.not_before.max(now + GLANCE))
        } else {
            self.read_due
        };
    }

    fn news(&mut self, report: ScreenReport) -> Option<ScreenReport> {
        (self.reported.replace(report) != Some(report)).then_some(report)
    }
}

/// What one look found.
#[derive(Clone, Copy)]
enum Seen {
    Off,
    /// Certainly as it was.
    Still {
        size: lotse_hal::Size,
    },
    /// It told of nothing, and it is not yet time to read it all the same.
    Glanced {
        size: lotse_hal::Size,
    },
    /// Read, and handed to the encoder.
    Read {
        size: lotse_hal::Size,
    },
}

/// Processor time of this thread so far.
fn processor_time() -> Duration {
    // Linux has this clock everywhere; without it nothing would be slowed down.
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}

fn shown_report(size: lotse_hal::Size) -> ScreenReport {
    let side = |pixels: u32| u16::try_from(pixels).unwrap_or(u16::MAX);
    ScreenReport::Shown { width: side(size.width), height: side(size.height) }
}

#[cfg(test)]
mod tests {
    use lotse_hal::{Band, Orientation, ScreenInfo, Size};

    use super::*;

    /// A screen of one band that says what the test wants of changes.
    struct Told {
        change: Change,
        level: u8,
        reads: u32,
        cursor: Option<Cursor>,
    }

    const SIZE: Size = Size::new(64, 64);

    impl Screen for Told {
        fn info(&self) -> ScreenInfo {
            ScreenInfo {
                source: "test".to_owned(),
                name: "test".to_owned(),
                size: SIZE,
                mounting: Orientation::UPRIGHT,
                millimetres: None,
                covered: Vec::new(),
            }
        }

        fn poll(&mut self) -> Result<ScreenState, Error> {
            Ok(ScreenState::Shown { size: SIZE, change: self.change })
        }

        fn cursor(&mut self) -> Result<Option<Cursor>, Error> {
            Ok(self.cursor.clone())
        }

        fn read(&mut self, visit: &mut dyn FnMut(Band<'_>)) -> Result<(), Error> {
            self.reads += 1;
            let pixels = vec![self.level; 64 * 64 * 4];
            visit(Band { size: SIZE, y: 0, rows: 64, pixels: &pixels });
            Ok(())
        }
    }

    /// A capture, its screen, and a clock that only the test moves.
    struct Watch {
        capture: Capture,
        screen: Told,
        now: Instant,
        updates: u32,
    }

    impl Watch {
        fn new(change: Change) -> Self {
            let now = Instant::now();
            let mut capture = Capture::new(1, 0.5, now).unwrap();
            capture.watch(true, now);
            let screen = Told { change, level: 1, reads: 0, cursor: None };
            Self { capture, screen, now, updates: 0 }
        }

        /// Lets time pass; how often the screen was read, and how often looked at.
        fn pass(&mut self, time: Duration) -> (u32, u32) {
            let (end, before, mut looks) = (self.now + time, self.screen.reads, 0);
            while let Some(due) = self.capture.poll_timeout().filter(|due| *due <= end) {
                self.now = self.now.max(due);
                let updates = &mut self.updates;
                self.capture.look(&mut self.screen, self.now, &mut |_| *updates += 1);
                let sent = self.capture.sent;
                self.capture.shown(sent, self.now);
                looks += 1;
            }
            self.now = end;
            (self.screen.reads - before, looks)
        }
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_certainly_stands_still_is_not_read() {
        let mut watch = Watch::new(Change::None);
        assert_eq!(watch.pass(SECOND).0, 1, "who begins to watch gets a picture");
        assert_eq!(watch.pass(10 * SECOND).0, 0);
        assert_eq!(watch.updates, 1);
    }

    #[test]
    fn what_may_change_is_read_now_and_then() {
        let mut watch = Watch::new(Change::Maybe);
        watch.pass(2 * SECOND);
        let (reads, looks) = watch.pass(8 * SECOND);
        assert!(reads >= 10, "read {reads} times in 8 s, at least every 800 ms");
        assert_eq!(reads, looks, "a screen that never tells is not asked in between");
        watch.screen.level = 2;
        watch.pass(SECOND);
        assert_eq!(watch.updates, 2);
    }

    #[test]
    fn a_flip_is_seen_soon_after_a_long_quiet() {
        let mut watch = Watch::new(Change::Told);
        watch.pass(SECOND);
        watch.screen.change = Change::Maybe;
        watch.pass(10 * SECOND);
        (watch.screen.change, watch.screen.level) = (Change::Told, 2);
        let before = watch.updates;
        let (reads, _) = watch.pass(2 * GLANCE);
        assert!(reads >= 1 && watch.updates == before + 1, "{reads} reads");
    }

    #[test]
    fn a_cursor_that_moves_is_sent() {
        let mut watch = Watch::new(Change::None);
        watch.pass(SECOND);
        let pixels = [9, 9, 9, 255].repeat(4);
        watch.screen.cursor = Some(Cursor { x: 5, y: 5, size: Size::new(2, 2), pixels });
        watch.pass(SECOND);
        assert_eq!(watch.updates, 2);
        watch.screen.cursor = None;
        watch.pass(SECOND);
        assert_eq!(watch.updates, 3, "where it was is mended");
    }

    #[test]
    fn nobody_who_watches_costs_nothing() {
        let mut watch = Watch::new(Change::Told);
        watch.capture.watch(false, watch.now);
        assert_eq!(watch.pass(10 * SECOND), (0, 0));
    }
}
