//! Of a picture of ten bands, only those that changed are read.

use std::cell::Cell;
use std::os::fd::{AsFd, BorrowedFd};

use lotse_codec::{Decoder, Limits};
use lotse_hal::{Band, Orientation, ScreenInfo, Size};

use super::*;

const SIZE: Size = Size::new(64, 640);
const MS: Duration = Duration::from_millis(1);

/// A screen whose rows are of one level each; it counts the bands that are read.
struct Levels {
    rows: Vec<u8>,
    /// What it tells of changes; what it does not is found by looking at rows.
    told: Option<Change>,
    cursor: Option<Cursor>,
    /// Becomes readable when something is told; that it does is left to the test.
    descriptor: Option<std::fs::File>,
    polls: u32,
    bands: u32,
    pixels: Vec<u8>,
}

impl Levels {
    fn visit(&mut self, rows: Rows, visit: &mut dyn FnMut(Band<'_>)) {
        self.told = self.told.map(|_| Change::None);
        let bands = rows.from / 64..rows.to.min(SIZE.height).div_ceil(64);
        for (y, levels) in
            bands.clone().map(|band| band * 64).zip(self.rows.chunks(64).skip(bands.start as usize))
        {
            self.bands += 1;
            self.pixels.clear();
            self.pixels.extend(levels.iter().flat_map(|level| [*level; 64 * 4]));
            visit(Band { size: SIZE, y, rows: 64, pixels: &self.pixels });
        }
    }
}

impl Screen for Levels {
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
        self.polls += 1;
        Ok(ScreenState::Shown { size: SIZE, change: self.told.unwrap_or(Change::Maybe) })
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.descriptor.as_ref().map(AsFd::as_fd)
    }

    fn cursor(&mut self) -> Result<Option<Cursor>, Error> {
        Ok(self.cursor.clone())
    }

    fn glance(
        &mut self,
        rows: &mut dyn Iterator<Item = u32>,
        visit: &mut dyn FnMut(u32, &[u8]),
    ) -> Result<bool, Error> {
        let levels = rows.filter_map(|y| Some((y, *self.rows.get(y as usize)?)));
        levels.for_each(|(y, level)| visit(y, &[level; 64 * 4]));
        Ok(self.told.is_none())
    }

    fn read_part(&mut self, rows: Rows, visit: &mut dyn FnMut(Band<'_>)) -> Result<bool, Error> {
        self.visit(rows, visit);
        Ok(true)
    }

    fn read(&mut self, visit: &mut dyn FnMut(Band<'_>)) -> Result<(), Error> {
        self.visit(Rows::ALL, visit);
        Ok(())
    }
}

thread_local! {
    static USED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

struct Watch {
    capture: Capture,
    screen: Levels,
    decoder: Decoder,
    now: Instant,
}

impl Watch {
    /// Somebody has watched for a while.
    fn new(told: Option<Change>) -> Self {
        let now = Instant::now();
        let mut capture = Capture::new(1, 0.5, Photographs::Exact, now).unwrap();
        // Whatever is done takes a little of the processor.
        capture.processor_time = || USED.with(|used| used.replace(used.get() + MS / 50));
        capture.watch(true, now);
        let rows = vec![1; SIZE.height as usize];
        let screen = Levels {
            rows,
            told,
            cursor: None,
            descriptor: None,
            polls: 0,
            bands: 0,
            pixels: Vec::new(),
        };
        let mut watch = Self { capture, screen, decoder: Decoder::new(Limits::default()), now };
        watch.pass(2000 * MS);
        watch
    }

    /// Lets time pass; how many bands were read.
    fn pass(&mut self, time: Duration) -> u32 {
        let (end, before) = (self.now + time, self.screen.bands);
        while let Some(due) = self.capture.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            let decoder = &mut self.decoder;
            self.capture.look(&mut self.screen, self.now, &mut |update| {
                decoder.decode(update).unwrap();
            });
            self.capture.shown(self.capture.sent, self.now);
        }
        self.now = end;
        self.screen.bands - before
    }

    fn seen(&self, y: usize) -> u8 {
        self.decoder.picture().0[y * 64 * 4]
    }

    /// Waits until everything is seen as it is; how long that took.
    fn wait(&mut self) -> Duration {
        let start = self.now;
        while (0..SIZE.height as usize).any(|y| self.seen(y) != self.screen.rows[y]) {
            assert!(self.now < start + 1000 * MS, "it is not seen");
            self.pass(MS);
        }
        self.now - start
    }
}

#[test]
fn what_changes_in_a_few_rows_costs_no_whole_reading() {
    let mut watch = Watch::new(None);
    let mut bands = 0;
    for letter in 0..20 {
        watch.screen.rows[300..320].fill(letter + 2);
        bands += watch.pass(50 * MS);
        assert_eq!(watch.seen(310), letter + 2);
    }
    assert!(bands <= 20 * 4 + 20, "{bands} bands were read, of 200 in whole pictures");
}

#[test]
fn what_is_passed_over_is_seen_soon_after() {
    let mut watch = Watch::new(None);
    for level in 2..40 {
        // Much that is found at once, and one row anywhere.
        watch.screen.rows[100..140].fill(level);
        let row = usize::from(level) * 97 % 640;
        watch.screen.rows[row] = level ^ 0x80;
        let took = watch.wait();
        assert!(took < 500 * MS, "row {row} took {took:?}");
    }
}

#[test]
fn of_what_is_told_only_the_rows_are_read() {
    let mut watch = Watch::new(Some(Change::Told));
    assert_eq!(watch.pass(1000 * MS), 0);
    watch.screen.rows[70..80].fill(9);
    watch.screen.told = Some(Change::ToldWithin(Rows { from: 70, to: 80 }));
    assert_eq!(watch.pass(20 * MS), 2, "that with the rows, and what is above it");
    assert_eq!(watch.wait(), Duration::ZERO);
    // What is told is not all there is: the band above is not as it was sent.
    (watch.screen.rows[60], watch.screen.rows[70]) = (5, 6);
    watch.screen.told = Some(Change::ToldWithin(Rows { from: 65, to: 80 }));
    assert!(watch.wait() < 100 * MS);
}

#[test]
fn of_a_pointer_that_moves_the_rows_before_and_after_are_read() {
    let mut watch = Watch::new(Some(Change::Told));
    let pixels = [9, 9, 9, 255].repeat(4);
    let cursor = |y| Some(Cursor { x: 0, y, size: Size::new(2, 2), pixels: pixels.clone() });
    watch.pass(1000 * MS);
    for (y, most) in [(200, 2), (300, 4), (-1, 10), (-50, 2), (9999, 0)] {
        watch.screen.cursor = cursor(y);
        let bands = watch.pass(500 * MS);
        assert!(bands <= most, "{bands} bands for a pointer at {y}");
        let shown = usize::try_from(y).ok().filter(|y| *y < 640);
        assert!(shown.is_none_or(|y| watch.seen(y) == 9), "it is drawn at {y}");
    }
    assert_eq!(watch.wait(), Duration::ZERO, "where it was is mended");
}

#[test]
fn who_is_woken_does_not_ask_and_waits_until_a_picture_is_drawn() {
    let mut watch = Watch::new(Some(Change::Told));
    watch.screen.descriptor = Some(tempfile::tempfile().unwrap());
    watch.pass(2000 * MS);
    let polls = watch.screen.polls;
    watch.pass(10_000 * MS);
    let polls = watch.screen.polls - polls;
    assert!((30..=50).contains(&polls), "asked {polls} times in 10 s");
    for level in 2..10 {
        assert!(watch.capture.waits_for_screen(watch.now));
        // Ten rows at a time, a millisecond apart.
        let before = watch.capture.sent;
        for bit in 0..5_u32 {
            let (from, to) = (200 + bit * 10, 210 + bit * 10);
            watch.screen.rows[from as usize..to as usize].fill(level);
            watch.screen.told = Some(Change::ToldWithin(Rows { from: 200, to }));
            if watch.capture.waits_for_screen(watch.now) {
                watch.capture.screen_told(watch.now);
            }
            watch.pass(MS);
        }
        watch.pass(6 * MS);
        assert_eq!((watch.wait(), watch.capture.sent), (Duration::ZERO, before + 1));
        watch.pass(500 * MS);
    }
}

#[test]
fn who_draws_without_end_is_seen_all_the_same() {
    let mut watch = Watch::new(Some(Change::Told));
    watch.screen.descriptor = Some(tempfile::tempfile().unwrap());
    watch.pass(2000 * MS);
    let before = watch.capture.sent;
    for step in 0..1000_u32 {
        let row = 64 + step % 500;
        watch.screen.rows[row as usize] = step as u8;
        let told = Rows { from: 64, to: 65 + step % 500 };
        watch.screen.told = Some(Change::ToldWithin(told));
        if watch.capture.waits_for_screen(watch.now) {
            watch.capture.screen_told(watch.now);
        }
        watch.pass(MS);
    }
    let count = watch.capture.sent - before;
    assert!((30..=66).contains(&count), "{count} pictures in a second");
}
