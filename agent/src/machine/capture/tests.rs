//! The clock is the test's, and so is the screen.

use lotse_hal::{Band, Orientation, ScreenInfo, Size};

use super::*;

/// A screen of one band that says what the test wants of changes.
struct Told {
    change: Change,
    level: u8,
    reads: u32,
    cursor: Option<Cursor>,
    has_rows: bool,
    is_photograph: bool,
    pixels: Vec<u8>,
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

    fn glance(
        &mut self,
        rows: &mut dyn Iterator<Item = u32>,
        visit: &mut dyn FnMut(u32, &[u8]),
    ) -> Result<bool, Error> {
        if self.has_rows {
            rows.filter(|y| *y < SIZE.height).for_each(|y| visit(y, &[self.level; 64 * 4]));
        }
        Ok(self.has_rows)
    }

    fn read(&mut self, visit: &mut dyn FnMut(Band<'_>)) -> Result<(), Error> {
        self.reads += 1;
        self.pixels.fill(self.level);
        if self.is_photograph {
            let mut noise = u32::from(self.level);
            for byte in &mut self.pixels {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *byte = (noise >> 24) as u8;
            }
        }
        visit(Band { size: SIZE, y: 0, rows: 64, pixels: &self.pixels });
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
        let mut capture = Capture::new(1, 0.5, Photographs::RoughAtFirst, now).unwrap();
        capture.processor_time = || Duration::ZERO;
        capture.watch(true, now);
        let screen = Told {
            change,
            level: 1,
            reads: 0,
            cursor: None,
            has_rows: false,
            is_photograph: false,
            pixels: vec![0; 64 * 64 * 4],
        };
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
    let (reads, _) = watch.pass(Duration::from_millis(66));
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

#[test]
fn a_change_is_seen_soon_after_a_long_quiet_by_looking_at_rows() {
    let mut watch = Watch::new(Change::Maybe);
    watch.screen.has_rows = true;
    watch.pass(2 * SECOND);
    let (reads, looks) = watch.pass(8 * SECOND);
    assert!(reads <= 20, "{reads} needless reads in 8 s");
    assert!(looks >= 100, "{looks} looks in 8 s");
    watch.screen.level = 2;
    watch.pass(Duration::from_millis(60));
    assert_eq!(watch.updates, 2);
}

#[test]
fn what_stands_still_for_long_is_looked_at_less_until_something_goes_on() {
    let mut watch = Watch::new(Change::Maybe);
    watch.screen.has_rows = true;
    watch.pass(SECOND);
    let soon = watch.pass(SECOND).1;
    watch.pass(3 * SECOND);
    let late = watch.pass(SECOND).1;
    assert!(late * 3 < soon * 2, "{late} looks after a long quiet, {soon} after a short one");
    watch.capture.alert(watch.now);
    let lively = watch.pass(SECOND / 2).1;
    assert!(lively > soon, "{lively} looks in half a second after an input");
}

#[test]
fn no_more_than_sixty_pictures_a_second_but_the_first_at_once() {
    let mut watch = Watch::new(Change::Told);
    watch.pass(SECOND);
    let before = watch.updates;
    for _ in 0..1000 {
        watch.screen.level = watch.screen.level.wrapping_add(1);
        watch.pass(Duration::from_millis(1));
    }
    let count = watch.updates - before;
    assert!((40..=66).contains(&count), "{count} pictures in a second");
    watch.screen.change = Change::None;
    watch.pass(SECOND);
    watch.capture.alert(watch.now);
    (watch.screen.change, watch.screen.level) = (Change::Told, 0);
    let before = watch.updates;
    watch.pass(Duration::from_millis(3));
    assert_eq!(watch.updates, before + 1, "after an input it is looked at once");
}

#[test]
fn a_picture_is_read_when_there_is_room_and_not_before() {
    let mut watch = Watch::new(Change::Told);
    watch.pass(SECOND);
    let look = |watch: &mut Watch| {
        let (mut sent, level) = (0, watch.screen.level);
        watch.screen.level = level.wrapping_add(1);
        watch.now += Duration::from_millis(100);
        watch.capture.look(&mut watch.screen, watch.now, &mut |_| sent += 1);
        sent
    };
    assert_eq!((look(&mut watch), look(&mut watch)), (1, 1));
    let (reads, number) = (watch.screen.reads, watch.capture.sent);
    assert_eq!((look(&mut watch), watch.screen.reads), (0, reads), "two are on their way");
    assert_eq!(watch.capture.poll_timeout(), None);
    watch.capture.shown(number - 1, watch.now);
    watch.capture.way_is_free(false);
    assert_eq!(look(&mut watch), 0, "the network process is busy");
    watch.capture.way_is_free(true);
    assert!(watch.capture.poll_timeout().is_some_and(|due| due <= watch.now));
    assert_eq!(look(&mut watch), 1);
}

/// Somebody looks on whose line carries nothing: everything is lost on it, so that it is told anew as
/// often as it may be asked for.
#[test]
fn the_slowest_onlooker_does_not_slow_the_technician() {
    let film = |lost_by_onlooker: bool| {
        let mut watch = Watch::new(Change::Told);
        watch.pass(SECOND);
        let mut seen = 0;
        for frame in 0..200_u32 {
            if lost_by_onlooker && frame % 20 == 0 {
                let behind = watch.capture.sent.saturating_sub(20).max(1);
                watch.capture.refresh(behind, watch.now);
            }
            watch.screen.level = watch.screen.level.wrapping_add(1);
            let before = watch.updates;
            watch.pass(Duration::from_millis(25));
            seen += watch.updates - before;
            watch.pass(Duration::from_millis(25));
        }
        seen
    };
    assert_eq!(film(false), 200);
    assert!(film(true) >= 200, "no frame comes later than without it");
}

#[test]
fn who_lacks_nothing_is_told_nothing_and_who_lacks_something_is_told_it() {
    let mut watch = Watch::new(Change::Told);
    watch.pass(SECOND);
    watch.screen.level = 2;
    watch.pass(SECOND);
    let mut told = |after| {
        let mut bytes = Vec::new();
        watch.capture.refresh(after, watch.now);
        watch.now += SECOND;
        watch.capture.look(&mut watch.screen, watch.now, &mut |update| bytes = update.to_vec());
        let sent = watch.capture.sent;
        watch.capture.shown(sent, watch.now);
        bytes
    };
    let mut decoder = lotse_codec::Decoder::new(lotse_codec::Limits::default());
    assert!(decoder.decode(&told(0)).unwrap().full);
    let number = decoder.last_number();
    assert!(told(number).is_empty(), "it has all there is");
    let cure = told(number - 1);
    decoder.decode(&cure).unwrap();
    assert!(decoder.decode(&told(99)).unwrap().full, "of an update that never was");
}

#[test]
fn a_picture_allocates_nothing_once_things_have_settled() {
    let mut watch = Watch::new(Change::Maybe);
    watch.screen.has_rows = true;
    let film = |watch: &mut Watch| {
        for _ in 0..100 {
            watch.screen.level = watch.screen.level.wrapping_add(1);
            watch.pass(Duration::from_millis(40));
        }
    };
    film(&mut watch);
    let before = watch.updates;
    let count = allocation_counter::measure(|| film(&mut watch));
    assert_eq!((watch.updates - before, count.count_total), (100, 0));
}

#[test]
fn a_photograph_comes_roughly_and_is_exact_when_nothing_moves() {
    let mut watch = Watch::new(Change::Told);
    watch.screen.is_photograph = true;
    let mut decoder = lotse_codec::Decoder::new(lotse_codec::Limits::default());
    let mut look = |watch: &mut Watch, wait: Duration| {
        watch.now += wait;
        let seen = &mut decoder;
        watch.capture.look(&mut watch.screen, watch.now, &mut |update| {
            seen.decode(update).unwrap();
        });
        let sent = watch.capture.sent;
        watch.capture.shown(sent, watch.now + Duration::from_millis(30));
        decoder.coarse_tiles()
    };
    let moment = Duration::from_millis(50);
    assert_eq!(look(&mut watch, moment), 1, "the line is not known");
    for _ in 0..20 {
        watch.screen.level += 1;
        assert_eq!(look(&mut watch, moment), 1, "it moves");
    }
    let left: u32 = (0..20).map(|_| look(&mut watch, moment)).last().unwrap();
    assert_eq!(left, 0);
    let expected: Vec<u8> =
        watch.screen.pixels.chunks(4).flat_map(|p| [p[2], p[1], p[0], 255]).collect();
    assert_eq!(decoder.picture().0, expected);
}
