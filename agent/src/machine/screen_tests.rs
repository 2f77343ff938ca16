//! A machine whose display sleeps, and one with two of them.

use std::sync::{Arc, Mutex};

use lotse_hal::{Band, Change, Error, Orientation, Output, Rect, Screen, ScreenInfo, ScreenState};

use super::*;

/// What became of a display.
#[derive(Debug, Default)]
struct Fate {
    is_off: bool,
    woken: u32,
    read: &'static str,
    covered: Vec<Rect>,
}

/// Two displays that can sleep.
#[derive(Clone, Default)]
struct Displays(Arc<Mutex<Fate>>);

impl Screen for Displays {
    fn info(&self) -> ScreenInfo {
        ScreenInfo {
            source: "test".to_owned(),
            name: "test".to_owned(),
            size: SIZE,
            mounting: Orientation::UPRIGHT,
            millimetres: None,
            covered: self.0.lock().unwrap().covered.clone(),
        }
    }

    fn outputs(&mut self) -> Vec<Output> {
        let read = self.0.lock().unwrap().read;
        ["left", "right"]
            .map(|name| Output { name: name.to_owned(), is_read: name == read })
            .to_vec()
    }

    fn switch_to(&mut self, name: Option<&str>) -> Result<(), Error> {
        self.0.lock().unwrap().read = match name {
            None | Some("left") => "left",
            Some("right") => "right",
            Some(_) => return Err(Error::Unsupported("no such screen".to_owned())),
        };
        Ok(())
    }

    fn wake(&mut self) {
        self.0.lock().unwrap().woken += 1;
    }

    fn poll(&mut self) -> Result<ScreenState, Error> {
        let is_off = self.0.lock().unwrap().is_off;
        Ok(if is_off {
            ScreenState::Off
        } else {
            ScreenState::Shown { size: SIZE, change: Change::None }
        })
    }

    fn read(&mut self, visit: &mut dyn FnMut(Band<'_>)) -> Result<(), Error> {
        let pixels = vec![7; SIZE.width as usize * 64 * 4];
        for y in (0..SIZE.height).step_by(64) {
            let rows = 64.min(SIZE.height - y);
            let len = (rows * SIZE.width * 4) as usize;
            visit(Band { size: SIZE, y, rows, pixels: &pixels[..len] });
        }
        Ok(())
    }
}

/// A live session with a machine that has these displays.
fn live(is_off: bool) -> (Bench, Displays) {
    let mut bench = Bench::new(Rights::KNOWN);
    let displays = Displays::default();
    *displays.0.lock().unwrap() = Fate { is_off, read: "left", ..Fate::default() };
    bench.process.machine.screen = Box::new(displays.clone());
    bench.accept();
    bench.hears(connected());
    (bench, displays)
}

#[test]
fn a_display_that_sleeps_is_woken_once_by_who_watches() {
    let (mut bench, displays) = live(true);
    assert_eq!(displays.0.lock().unwrap().woken, 0, "nobody watches");
    bench.hears(ToMachine::Watch(true));
    bench.wait(Duration::from_secs(3));
    assert_eq!(displays.0.lock().unwrap().woken, 1);
}

#[test]
fn a_touch_on_a_display_that_sleeps_wakes_it_and_presses_nothing() {
    let (mut bench, displays) = live(true);
    bench.hears(ToMachine::Watch(true));
    bench.wait(Duration::from_secs(3));
    bench.attack();
    assert!(!bench.is_steered(), "nothing is pressed in the dark");
    assert_eq!(displays.0.lock().unwrap().woken, 2);
    displays.0.lock().unwrap().is_off = false;
    bench.wait(Duration::from_secs(3));
    bench.attack();
    assert!(bench.is_steered());
}

#[test]
fn another_display_is_read_when_the_technician_asks_and_the_first_after_the_session() {
    let (mut bench, displays) = live(false);
    let read = || displays.0.lock().unwrap().read;
    bench.hears(ToMachine::Show("right".try_into().unwrap()));
    assert_eq!(read(), "right");
    bench.hears(ToMachine::Show("third".try_into().unwrap()));
    assert_eq!(read(), "right");
    bench.hears(ToMachine::Ended(Ended::ByTechnician));
    assert_eq!(read(), "left");
    bench.hears(ToMachine::Show("right".try_into().unwrap()));
    assert_eq!(read(), "left", "nobody may look any more");
}

#[test]
fn nothing_is_injected_while_the_panel_has_something_to_answer() {
    let mut bench = Bench::new(Rights::KNOWN);
    bench.accept();
    bench.hears(connected());
    bench.process.panel.show(View::Message(crate::panel::Message::Refused), bench.now);
    bench.attack();
    assert!(!bench.is_steered());
    bench.process.panel.show(View::Hidden, bench.now);
    bench.attack();
    assert!(bench.is_steered());
}

#[test]
fn what_covers_the_picture_is_told_when_it_changes() {
    let displays = Displays::default();
    let mut screen = displays.clone();
    let mut details = details::Details::default();
    let now = Instant::now();
    displays.0.lock().unwrap().read = "left";
    let first = details.look(&mut screen, true, now);
    assert!(matches!(first.as_slice(), [ToNetwork::Outputs(all)] if all.len() == 2), "{first:?}");
    assert!(details.look(&mut screen, false, now + Duration::from_secs(5)).is_empty());
    displays.0.lock().unwrap().covered = vec![Rect { x: 1, y: 2, width: 3, height: 4 }];
    let then = details.look(&mut screen, false, now + Duration::from_secs(10));
    assert!(matches!(then.as_slice(), [ToNetwork::Covered(parts)] if parts[0].height == 4));
    displays.0.lock().unwrap().covered.clear();
    let then = details.look(&mut screen, false, now + Duration::from_secs(15));
    assert!(matches!(then.as_slice(), [ToNetwork::Covered(parts)] if parts.is_empty()));
}
