//! Arrows on a pretended screen, with a clock that only moves when told.

use lotse_hal::{Error, Orientation};

use super::*;

const SIZE: Size = Size::new(800, 480);

/// What was shown, each time.
#[derive(Default)]
struct Seen {
    shown: Vec<Vec<Rect>>,
    fails: bool,
    is_drawn_over: bool,
}

impl Marks for Seen {
    fn size(&mut self) -> Result<Size, Error> {
        Ok(SIZE)
    }

    fn show(&mut self, marks: &[Mark<'_>]) -> Result<(), Error> {
        if self.fails && !marks.is_empty() {
            return Err(Error::Unsupported("no layers".to_owned()));
        }
        self.shown.push(marks.iter().map(|mark| mark.area).collect());
        Ok(())
    }

    fn keep(&mut self) -> Result<(), Error> {
        match std::mem::take(&mut self.is_drawn_over) {
            true => Err(Error::Gone("the arrow".to_owned())),
            false => Ok(()),
        }
    }
}

struct Bench {
    arrows: Arrows,
    seen: Seen,
    now: Instant,
    screen: ScreenInfo,
    news: Vec<bool>,
}

impl Bench {
    fn new() -> Self {
        let screen = ScreenInfo {
            source: "test".to_owned(),
            name: "panel".to_owned(),
            size: SIZE,
            mounting: Orientation::UPRIGHT,
            millimetres: None,
            covered: Vec::new(),
        };
        let mut arrows = Arrows::new(Duration::from_secs(4));
        arrows.begin(&screen);
        Self { arrows, seen: Seen::default(), now: Instant::now(), screen, news: Vec::new() }
    }

    fn point(&mut self, by: u16, x: u16) {
        let at = Place { x, y: 200, width: 800, height: 480 };
        let name = "Technician".try_into().unwrap();
        self.arrows.point(MemberId(by), &name, Some(at), self.now);
        self.draw();
    }

    fn draw(&mut self) {
        let screen = self.screen.clone();
        let news = self.arrows.draw(&mut self.seen, || screen, self.now);
        self.news.extend(news);
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.arrows.poll_timeout().filter(|due| *due <= end) {
            assert!(due >= self.now || !self.arrows.needs_drawing, "time stands still");
            self.now = self.now.max(due);
            self.draw();
        }
        self.now = end;
    }

    fn on_screen(&self) -> usize {
        self.seen.shown.last().map_or(0, Vec::len)
    }
}

#[test]
fn an_arrow_that_does_not_move_goes_after_its_time() {
    let mut bench = Bench::new();
    bench.point(1, 100);
    assert_eq!(bench.on_screen(), 1);
    bench.pass(Duration::from_millis(3900));
    assert_eq!(bench.on_screen(), 1);
    bench.pass(Duration::from_millis(200));
    assert_eq!(bench.on_screen(), 0);
    assert_eq!(bench.arrows.poll_timeout(), None, "and nothing is done any more");
}

#[test]
fn a_flood_of_arrows_is_drawn_thirty_times_a_second() {
    let mut bench = Bench::new();
    for x in 0..1000 {
        bench.point(1, x % 700);
        bench.pass(Duration::from_millis(1));
    }
    let count = bench.seen.shown.len();
    assert!((25..=32).contains(&count), "{count}");
    bench.pass(Duration::from_millis(40));
    let last = bench.seen.shown.last().unwrap()[0];
    assert!((296..=300).contains(&last.x), "the newest: {last:?}");
}

#[test]
fn more_than_four_are_never_shown_and_the_latest_are() {
    let mut bench = Bench::new();
    for by in 1..=6 {
        bench.point(by, 100 * by);
        bench.pass(Duration::from_millis(40));
    }
    assert_eq!(bench.on_screen(), MAX_ARROWS);
    let members: Vec<_> = bench.arrows.pointed.iter().map(|one| one.by.0).collect();
    assert_eq!(members, [3, 4, 5, 6]);
}

#[test]
fn no_arrow_touches_the_panel_and_it_makes_way_first() {
    let mut bench = Bench::new();
    bench.point(1, 100);
    let sign = Rect { x: 80, y: 150, width: 200, height: 100 };
    bench.arrows.make_way(Some(sign), &mut bench.seen);
    assert_eq!(bench.on_screen(), 0, "before the panel is drawn");
    bench.pass(Duration::from_millis(40));
    assert_eq!(bench.on_screen(), 0);
    bench.point(1, 500);
    bench.pass(Duration::from_millis(40));
    assert_eq!(bench.on_screen(), 1, "beside it");
    bench.arrows.make_way(Some(SIZE.rect()), &mut bench.seen);
    bench.point(1, 510);
    bench.pass(Duration::from_millis(40));
    assert_eq!(bench.on_screen(), 0, "nowhere while the person is asked something");
}

#[test]
fn a_machine_that_cannot_show_arrows_says_so_once_and_tries_again() {
    let mut bench = Bench::new();
    bench.seen.fails = true;
    for x in 0..100 {
        bench.point(1, x);
        bench.pass(Duration::from_millis(40));
    }
    assert_eq!(bench.news, [false]);
    bench.seen.fails = false;
    bench.pass(Duration::from_secs(2));
    bench.point(1, 100);
    assert_eq!(bench.news, [false, true]);
    assert_eq!(bench.on_screen(), 1);
}

#[test]
fn nobody_points_at_another_screen_than_the_one_with_the_panel() {
    let mut bench = Bench::new();
    bench.screen.name = "the other one".to_owned();
    bench.point(1, 100);
    assert_eq!((bench.news.as_slice(), bench.on_screen()), (&[false][..], 0));
}

#[test]
fn what_is_drawn_over_is_drawn_again() {
    let mut bench = Bench::new();
    bench.point(1, 100);
    bench.pass(Duration::from_millis(700));
    let before = bench.seen.shown.len();
    bench.seen.is_drawn_over = true;
    bench.pass(Duration::from_millis(700));
    assert_eq!(bench.seen.shown.len(), before + 1);
}

#[test]
fn places_outside_of_their_picture_and_empty_pictures_are_nowhere() {
    let mut bench = Bench::new();
    let name = "Technician".try_into().unwrap();
    for (x, y, width, height) in [(800, 0, 800, 480), (0, 480, 800, 480), (0, 0, 0, 0)] {
        let at = Some(Place { x, y, width, height });
        bench.arrows.point(MemberId(1), &name, at, bench.now);
    }
    bench.draw();
    assert_eq!(bench.on_screen(), 0);
}
