//! When the screen is read, and what becomes of it.

mod hurry;
mod line;
mod pace;
#[cfg(test)]
mod part_tests;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::time::{Duration, Instant};

use lotse_codec::{Band, EncodeError, Encoder, Size};
use lotse_hal::{BAND_ROWS, Change, Cursor, Error, Rows, Screen, ScreenState};
use lotse_protocol::message::ScreenReport;
use nix::time::{ClockId, clock_gettime};

use crate::config::Photographs;

use self::hurry::Hurry;
use self::line::Line;
use self::pace::{Pace, Telling};

/// After a screen could not be read, it is tried again after this time.
const RETRY: Duration = Duration::from_secs(1);

/// Of the rows of a picture, one of so many is looked at at a time; which, goes round: soon evenly,
/// then more finely. A power of two.
const SPARSE: u32 = 32;

/// Where something changed last, about so many rows are looked at besides.
const RECENT: u32 = 8;

/// Rows above a band that changed that the encoder must see, too: it tells pixels by their neighbours.
const CONTEXT: u32 = 2;

/// Reads a screen for one viewer, as often as it is worth it.
pub(super) struct Capture {
    encoder: Encoder,
    watched: bool,
    pace: Pace,
    line: Line,
    hurry: Hurry,
    /// How much of the processor this thread has taken so far.
    processor_time: fn() -> Duration,
    /// The network process takes another picture.
    is_way_free: bool,
    /// Number of the last update.
    sent: u32,
    telling: Telling,
    /// Rows that were told, and not read since.
    told: Option<Rows>,
    /// Which rows are looked at next.
    round: u32,
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
            .finish_non_exhaustive()
    }
}

impl Capture {
    /// A capture that nobody watches yet. `key` is random and secret; `max_cpu` the share of one
    /// core that reading and encoding may take, 0.01 to 1.
    ///
    /// # Errors
    /// When there is no memory for the encoder.
    pub(super) fn new(
        key: u64,
        max_cpu: f32,
        photographs: Photographs,
        now: Instant,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            encoder: Encoder::new(key),
            watched: false,
            pace: Pace::new(max_cpu, now),
            line: Line::new(),
            hurry: Hurry::new(photographs),
            processor_time,
            is_way_free: true,
            sent: 0,
            telling: Telling::ByRows,
            told: None,
            round: 0,
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
            self.refresh(0, now);
        }
    }

    /// The next update holds all that was sent after the one of this number; all there is, if it is
    /// 0. Whoever has that one, or any later one, is up to date then: one update for all.
    pub(super) fn refresh(&mut self, after: u32, now: Instant) {
        if (1..=self.sent).contains(&after) {
            self.encoder.resend_after(after);
        } else {
            self.encoder.request_full();
            self.telling = Telling::ByRows;
        }
        self.must_read = true;
        self.line.forget();
        self.pace.alert(now);
    }

    /// The technician has the update of this number.
    pub(super) fn shown(&mut self, number: u32, now: Instant) {
        if number <= self.sent {
            let was_full = !self.line.has_room();
            self.line.shown(number, now);
            if was_full && self.line.has_room() {
                self.pace.room(now);
            }
        }
    }

    /// Whether the network process takes another picture; what it does not take would be old when it
    /// comes.
    pub(super) fn way_is_free(&mut self, is_free: bool) {
        self.is_way_free = is_free;
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
        self.pace.alert(now);
    }

    /// Whether the owner of the screen should wake us when it draws: not before that can be read.
    pub(super) fn waits_for_screen(&self, now: Instant) -> bool {
        let has_room = self.is_way_free && self.line.has_room();
        let may_read = self.watched && has_room && self.pace.may_read(now);
        may_read && self.telling == Telling::Waking && self.told.is_none()
    }

    /// The owner of the screen has drawn.
    pub(super) fn screen_told(&mut self, now: Instant) {
        self.pace.told(now);
    }

    /// When [`Capture::look`] is due; `None` while nobody watches or enough is on its way: what is
    /// read is read when it can leave.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let has_room = self.is_way_free && self.line.has_room();
        let due = self.pace.due();
        // What is rough becomes exact as soon as the line is quiet.
        let refined = self
            .hurry
            .quiet_at()
            .filter(|_| self.line.is_idle() && self.encoder.coarse_tiles() > 0);
        let due = refined.map_or(due, |at| due.min(self.pace.not_before(at)));
        (self.watched && has_room).then_some(due)
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
        let used = (self.processor_time)();
        let seen = match self.read(screen, now) {
            Ok(seen) => seen,
            Err(error) => {
                log::warn!("screen: {error}");
                self.must_read = true;
                self.pace.failed(now + RETRY);
                return self.news(ScreenReport::Unreadable);
            }
        };
        let cost = || (self.processor_time)().saturating_sub(used);
        let report = match seen {
            Seen::Off => {
                self.pace.still(Telling::ByItself, now);
                ScreenReport::Off
            }
            Seen::Still { size } => {
                self.pace.still(self.telling, now);
                shown_report(size)
            }
            Seen::Drawn { size } => shown_report(size),
            Seen::Glanced { size } => {
                let cost = cost();
                self.pace.glanced(cost, self.telling, now + cost);
                shown_report(size)
            }
            Seen::Read { size, whole } => {
                let changed = self.finish(now + cost(), send);
                let cost = (self.processor_time)().saturating_sub(used);
                self.pace.read(changed, whole, cost, self.telling, now + cost);
                if self.must_read {
                    self.pace.room(now + cost);
                }
                shown_report(size)
            }
        };
        self.news(report)
    }

    /// Ends the encoder's picture and sends what changed; whether anything did.
    fn finish(&mut self, now: Instant, send: &mut dyn FnMut(&[u8])) -> bool {
        let finished = self.encoder.finish();
        self.must_read = finished.is_err();
        match finished {
            Ok(Some(update)) => {
                if update.number <= self.sent {
                    // It counts anew.
                    self.line.forget();
                }
                self.sent = update.number;
                self.line.sent(update.number, update.bytes.len(), now);
                self.hurry.sent(update.bytes.len(), update.coarse, &self.line, now);
                send(update.bytes);
                true
            }
            Ok(None) | Err(EncodeError::Unread { .. }) => false,
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
        let mut part = None;
        if !self.must_read && !self.refines(now) {
            part = match change {
                Change::None => Some(NO_ROWS),
                Change::Maybe if self.pace.must_read(now) => None,
                Change::Maybe => self.sees_change(screen)?,
                Change::Told => None,
                Change::ToldWithin(rows) => Some(rows),
            };
            if change != Change::Maybe {
                // Of a pointer that moves nobody is told.
                let wakes = cursor.is_none() && screen.descriptor().is_some();
                self.telling = if wakes { Telling::Waking } else { Telling::ByItself };
            }
            if let (Change::ToldWithin(rows), Telling::Waking) = (change, self.telling)
                && self.pace.is_being_drawn(self.told.replace(rows) != Some(rows), now)
            {
                return Ok(Seen::Drawn { size });
            }
            if cursor != self.cursor {
                let moved = [&cursor, &self.cursor].into_iter().flatten();
                part = part
                    .map(|rows| moved.fold(rows, |rows, one| rows.and(rows_of(one, size.height))));
            }
            let is_nowhere = |rows: Rows| rows.from >= rows.to.min(size.height);
            if part.is_some_and(is_nowhere) {
                (self.cursor, self.told) = (cursor, None);
                return Ok(match change {
                    Change::None => Seen::Still { size },
                    _ => Seen::Glanced { size },
                });
            }
        }
        (self.cursor, self.told) = (cursor, None);
        self.encoder.hurry(self.hurry.quality(&self.line));
        // Most of a picture is read as quickly as all of it.
        let part = part.filter(|rows| rows.to.saturating_sub(rows.from) < size.height / 2);
        let whole = match part {
            Some(rows) => !self.read_part(screen, rows)?,
            None => true,
        };
        if whole {
            let mut take = Take::new(self);
            screen.read(&mut |band| take.band(band, false))?;
        }
        Ok(Seen::Read { size, whole })
    }

    /// Reads only some rows, and what the encoder needs around them; whether it could.
    fn read_part(&mut self, screen: &mut dyn Screen, rows: Rows) -> Result<bool, Error> {
        let from = rows.from / BAND_ROWS * BAND_ROWS;
        let with_context = Rows { from: from.saturating_sub(CONTEXT), ..rows };
        let mut take = Take::new(self);
        let can = screen.read_part(with_context, &mut |band| take.band(band, true))?;
        if can {
            let height = self.encoder.size().height;
            self.encoder.skip_to(height);
        }
        Ok(can)
    }

    /// Chooses what was told roughly and is now to be exact; whether there is anything.
    fn refines(&mut self, now: Instant) -> bool {
        if self.encoder.coarse_tiles() == 0 {
            return false;
        }
        let (tiles, near) = self.hurry.refines(&self.line, now);
        self.encoder.refine(tiles, near);
        tiles > 0
    }

    /// The technician is at work there, in pixels of the picture.
    pub(super) fn work_at(&mut self, place: (u32, u32)) {
        self.hurry.work_at(place);
    }

    /// Looks at some rows, if the screen tells nothing by itself: where they differ from what was sent,
    /// [`NO_ROWS`] if nowhere, and `None` if only reading tells.
    fn sees_change(&mut self, screen: &mut dyn Screen) -> Result<Option<Rows>, Error> {
        match self.telling {
            Telling::ByRows => {}
            Telling::ByItself | Telling::Waking => return Ok(Some(NO_ROWS)),
            Telling::Not => return Ok(None),
        }
        let (encoder, cursor) = (&self.encoder, self.cursor.as_ref());
        let first = (self.round / 2 % SPARSE).reverse_bits() >> (u32::BITS - SPARSE.ilog2());
        let height = encoder.size().height;
        // Every other time only where something changed last: there it goes on most often.
        let end = if self.round.is_multiple_of(2) { height } else { first };
        let recent = recent_rows(encoder.changed_rows(), self.round);
        // Rows with the pointer are not as they were read.
        let is_clear = |y: &u32| {
            let y = i64::from(*y);
            cursor.is_none_or(|cursor| {
                let top = i64::from(cursor.y);
                y < top || y >= top + i64::from(cursor.size.height)
            })
        };
        let mut rows = (first..end).step_by(SPARSE as usize).chain(recent).filter(is_clear);
        let mut differing = NO_ROWS;
        let can = screen.glance(&mut rows, &mut |y, pixels| {
            if !encoder.has_sent_row(y, pixels) {
                // What changed there may go on as far as no other row was looked at.
                let (from, to) = (y.saturating_sub(SPARSE - 1), (y + SPARSE).min(height));
                differing = differing.and(Rows { from, to });
            }
        })?;
        self.round = self.round.wrapping_add(1);
        if !can {
            self.telling = Telling::Not;
        }
        Ok(can.then_some(differing))
    }

    fn news(&mut self, report: ScreenReport) -> Option<ScreenReport> {
        (self.reported.replace(report) != Some(report)).then_some(report)
    }
}

/// None; with others, those.
const NO_ROWS: Rows = Rows { from: u32::MAX, to: 0 };

/// The rows of a picture that the pointer covers.
fn rows_of(cursor: &Cursor, height: u32) -> Rows {
    let row = |y: i64| y.clamp(0, height.into()) as u32;
    let top = i64::from(cursor.y);
    let (from, to) = (row(top), row(top + i64::from(cursor.size.height)));
    if from < to { Rows { from, to } } else { NO_ROWS }
}

/// Hands bands to the encoder, with the pointer above them.
struct Take<'a> {
    encoder: &'a mut Encoder,
    cursor: Option<&'a Cursor>,
    with_cursor: &'a mut Vec<u8>,
    begun: Option<Size>,
}

impl<'a> Take<'a> {
    fn new(capture: &'a mut Capture) -> Self {
        let Capture { encoder, cursor, with_cursor, .. } = capture;
        Self { encoder, cursor: cursor.as_ref(), with_cursor, begun: None }
    }

    fn band(&mut self, band: lotse_hal::Band<'_>, is_part: bool) {
        let size = Size { width: band.size.width, height: band.size.height };
        if self.begun.replace(size) != Some(size)
            && let Err(error) = self.encoder.begin(size)
        {
            log::warn!("picture: {error}");
        }
        if is_part {
            self.encoder.skip_to(band.y);
        }
        let pixels = match self.cursor {
            Some(cursor) if cursor.meets(&band) => cursor.draw_above(&band, self.with_cursor),
            _ => band.pixels,
        };
        self.encoder.push_band(Band { size, y: band.y, rows: band.rows, pixels });
    }
}

/// Some of the rows that changed last, others each time.
fn recent_rows(changed: Range<u32>, round: u32) -> impl Iterator<Item = u32> {
    let step = (changed.len() as u32 / RECENT).max(1);
    changed.skip((round % step) as usize).step_by(step as usize)
}

/// What one look found.
#[derive(Clone, Copy)]
enum Seen {
    Off,
    /// Certainly as it was.
    Still {
        size: lotse_hal::Size,
    },
    /// Somebody is drawing there.
    Drawn {
        size: lotse_hal::Size,
    },
    /// It told of nothing, and it is not yet time to read it all the same.
    Glanced {
        size: lotse_hal::Size,
    },
    /// Read, whole or in part, and handed to the encoder.
    Read {
        size: lotse_hal::Size,
        whole: bool,
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
