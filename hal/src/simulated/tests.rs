//! A simulated kiosk behaves as a machine does.

use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::*;
use crate::conformance;
use crate::{Button, Change, KeyCode, LocalEvent, Paint, Phase, Point, Rect, ScreenState, Strip};

/// A plain picture in one colour.
struct Plain([u8; 4]);

impl Paint for Plain {
    fn paint(&self, strip: &mut Strip<'_>) {
        for pixel in strip.pixels.chunks_exact_mut(4) {
            pixel.copy_from_slice(&self.0);
        }
    }
}

const BLUE: Plain = Plain([200, 0, 0, 255]);

fn still(size: Size) -> Simulated {
    let options = Options { size, gauge_period: None };
    open(options, Arc::new(ManualClock::new())).unwrap()
}

fn picture(machine: &mut Machine) -> Vec<u8> {
    let mut pixels = Vec::new();
    machine.screen.read(&mut |band| pixels.extend_from_slice(band.pixels)).unwrap();
    pixels
}

fn maybe_changed(machine: &mut Machine) -> bool {
    match machine.screen.poll().unwrap() {
        ScreenState::Shown { change, .. } => change != Change::None,
        ScreenState::Off => panic!("it is on"),
    }
}

fn inject_tap(machine: &mut Machine, kiosk: &Kiosk, target: Target) {
    let at = kiosk.place(target).unwrap();
    let size = machine.panel.size().unwrap();
    machine.input.contact(0, at, size).unwrap();
    machine.input.lift(0).unwrap();
}

fn inject_text(machine: &mut Machine, text: &str) {
    for (key, shift) in text.chars().filter_map(keys::key_for) {
        if shift {
            machine.input.key(keys::RIGHT_SHIFT, true).unwrap();
        }
        machine.input.key(key, true).unwrap();
        machine.input.key(key, false).unwrap();
        if shift {
            machine.input.key(keys::RIGHT_SHIFT, false).unwrap();
        }
    }
}

fn local_events(machine: &mut Machine) -> Vec<LocalEvent> {
    let size = machine.panel.size().unwrap();
    let mut events = Vec::new();
    machine.local.read(size, &mut events).unwrap();
    events
}

/// Whether who waits on the descriptor of local input would be woken.
fn is_readable(machine: &Machine, kiosk: &Kiosk) -> bool {
    let wake = Arc::clone(&world::lock(&kiosk.0).local.wake);
    let waited_on: Vec<_> = machine.local.descriptors().iter().map(AsRawFd::as_raw_fd).collect();
    assert_eq!(waited_on, [wake.as_fd().as_raw_fd()]);
    poll(&mut [PollFd::new(wake.as_fd(), PollFlags::POLLIN)], PollTimeout::ZERO).unwrap() == 1
}

#[test]
fn does_what_every_machine_must_do() {
    for size in [Size::new(1280, 800), Size::new(333, 201)] {
        let Simulated { mut machine, kiosk, .. } = still(size);
        let world = || Arc::clone(&kiosk.0);
        conformance::screen(machine.screen.as_mut());
        conformance::keyboard(&mut devices::SimulatedKeyboard(world()));
        conformance::pointer(&mut devices::SimulatedPointer::new(world()));
        conformance::touch(&mut devices::SimulatedTouch::new(world()));
        conformance::panel(machine.panel.as_mut());
    }
}

#[test]
fn bands_cover_the_picture_once_in_order() {
    let size = Size::new(333, 201);
    let mut simulated = still(size);
    let mut next = 0;
    simulated
        .machine
        .screen
        .read(&mut |band| {
            assert_eq!((band.size, band.y), (size, next));
            assert_eq!(band.pixels.len(), (band.rows * size.width * 4) as usize);
            assert!(band.pixels.chunks_exact(4).all(|pixel| pixel[3] == 0xff));
            next += band.rows;
        })
        .unwrap();
    assert_eq!(next, size.height);
}

#[test]
fn rejects_sizes_without_sense() {
    for size in [Size::new(0, 0), Size::new(199, 400), Size::new(8193, 400)] {
        let options = Options { size, gauge_period: None };
        assert!(open(options, Arc::new(SystemClock)).is_err(), "{size:?}");
    }
}

#[test]
fn a_still_kiosk_never_changes() {
    let clock = ManualClock::new();
    let options = Options { gauge_period: None, ..Options::default() };
    let mut machine = open(options, Arc::new(clock.clone())).unwrap().machine;
    assert!(maybe_changed(&mut machine), "nothing was read yet");
    let before = picture(&mut machine);
    clock.advance(Duration::from_secs(3600));
    assert!(!maybe_changed(&mut machine));
    assert!(picture(&mut machine) == before);
}

#[test]
fn the_gauge_moves_with_the_time_until_the_line_is_stopped() {
    let clock = ManualClock::new();
    let simulated = open(Options::default(), Arc::new(clock.clone())).unwrap();
    let mut machine = simulated.machine;
    let before = picture(&mut machine);
    assert!(!maybe_changed(&mut machine), "no time has passed");
    clock.advance(Duration::from_secs(3));
    assert!(maybe_changed(&mut machine));
    assert!(picture(&mut machine) != before);

    inject_tap(&mut machine, &simulated.kiosk, Target::Tab(Page::Settings));
    inject_tap(&mut machine, &simulated.kiosk, Target::Switch(0));
    inject_tap(&mut machine, &simulated.kiosk, Target::Tab(Page::Overview));
    assert!(!simulated.kiosk.is_running());
    picture(&mut machine);
    clock.advance(Duration::from_secs(3));
    assert!(!maybe_changed(&mut machine));
}

#[test]
fn the_same_time_gives_the_same_picture() {
    let run = || {
        let clock = ManualClock::new();
        let mut machine = open(Options::default(), Arc::new(clock.clone())).unwrap().machine;
        clock.advance(Duration::from_millis(12_345));
        picture(&mut machine)
    };
    assert!(run() == run());
}

#[test]
fn injected_touch_changes_the_page() {
    for size in [Size::new(1280, 800), Size::new(320, 240), Size::new(600, 1024)] {
        let Simulated { mut machine, kiosk, .. } = still(size);
        let before = picture(&mut machine);
        for page in [Page::Settings, Page::Orders, Page::Overview] {
            inject_tap(&mut machine, &kiosk, Target::Tab(page));
            assert_eq!(kiosk.page(), page);
            assert_eq!(picture(&mut machine) == before, page == Page::Overview);
        }
    }
}

#[test]
fn a_finger_that_leaves_the_button_does_nothing() {
    let Simulated { mut machine, kiosk, .. } = still(Size::new(1280, 800));
    let size = machine.panel.size().unwrap();
    let from = kiosk.place(Target::Tab(Page::Orders)).unwrap();
    machine.input.button(Button::Left, false).unwrap();
    machine.input.move_to(from, size).unwrap();
    machine.input.button(Button::Left, true).unwrap();
    machine.input.move_to(Point::new(0, 0), size).unwrap();
    machine.input.button(Button::Left, false).unwrap();
    assert_eq!(kiosk.page(), Page::Overview);
}

#[test]
fn the_injected_pointer_orders_crates() {
    let Simulated { mut machine, kiosk, .. } = still(Size::new(1280, 800));
    inject_tap(&mut machine, &kiosk, Target::Tab(Page::Orders));
    // Half the size: places are translated.
    let within = Size::new(640, 400);
    let at = kiosk.place(Target::More(2)).unwrap();
    machine.input.move_to(Point::new(at.x / 2, at.y / 2), within).unwrap();
    machine.input.button(Button::Left, true).unwrap();
    machine.input.button(Button::Left, false).unwrap();
    assert_eq!(kiosk.crates(), [12, 6, 1, 0]);
    machine.input.wheel(-300, 0).unwrap();
    assert_eq!(kiosk.crates(), [12, 6, 0, 0]);
    machine.input.wheel(i32::MAX, 0).unwrap();
    assert_eq!(kiosk.crates(), [12, 6, 99, 0]);
    inject_tap(&mut machine, &kiosk, Target::Start);
    assert_eq!(kiosk.orders_started(), 1);
}

#[test]
fn typed_text_appears_only_in_the_focused_field() {
    let Simulated { mut machine, kiosk, .. } = still(Size::new(1280, 800));
    inject_tap(&mut machine, &kiosk, Target::Tab(Page::Settings));
    inject_text(&mut machine, "lost");
    assert_eq!(kiosk.field(), "");
    inject_tap(&mut machine, &kiosk, Target::Field);
    let empty = picture(&mut machine);
    inject_text(&mut machine, "Batch #7_a?");
    assert_eq!(kiosk.field(), "Batch #7_a?");
    assert!(maybe_changed(&mut machine));
    assert!(picture(&mut machine) != empty);
    machine.input.key(keys::BACKSPACE, true).unwrap();
    assert_eq!(kiosk.field(), "Batch #7_a");
    inject_text(&mut machine, &"x".repeat(1000));
    assert_eq!(kiosk.field().len(), application::MAX_FIELD);
}

#[test]
fn hiding_the_panel_gives_back_the_picture() {
    let Simulated { mut machine, kiosk, .. } = still(Size::new(320, 240));
    let before = picture(&mut machine);
    let badge = Rect { x: 200, y: 10, width: 100, height: 30 };
    machine.panel.show(badge, &BLUE).unwrap();
    assert!(maybe_changed(&mut machine));
    let with_badge = picture(&mut machine);
    for (index, pixel) in with_badge.chunks_exact(4).enumerate() {
        let at = Point::new(index as u32 % 320, index as u32 / 320);
        let below = &before[index * 4..index * 4 + 4];
        assert!(pixel == if badge.contains(at) { &BLUE.0 } else { below }, "{at:?}");
    }
    assert!(machine.panel.verify(badge, &BLUE).unwrap());
    // The application goes on below it.
    inject_tap(&mut machine, &kiosk, Target::Tab(Page::Orders));
    assert!(machine.panel.verify(badge, &BLUE).unwrap());
    inject_tap(&mut machine, &kiosk, Target::Tab(Page::Overview));
    machine.panel.hide().unwrap();
    assert!(picture(&mut machine) == before);
}

#[test]
fn showing_the_same_again_changes_nothing() {
    let mut machine = still(Size::new(320, 240)).machine;
    let whole = machine.panel.size().unwrap().rect();
    machine.panel.show(whole, &BLUE).unwrap();
    picture(&mut machine);
    machine.panel.show(whole, &BLUE).unwrap();
    assert!(!maybe_changed(&mut machine));
    assert!(machine.panel.show(Rect { x: 320, y: 0, width: 9, height: 9 }, &BLUE).is_err());
}

#[test]
fn verify_notices_one_pixel_that_was_drawn_over() {
    let Simulated { mut machine, kiosk, .. } = still(Size::new(320, 240));
    let whole = machine.panel.size().unwrap().rect();
    assert!(!machine.panel.verify(whole, &BLUE).unwrap(), "it is not shown yet");
    machine.panel.show(whole, &BLUE).unwrap();
    assert!(machine.panel.verify(whole, &BLUE).unwrap());
    kiosk.draw_over(Some(Rect { x: 319, y: 239, width: 1, height: 1 }));
    assert!(!machine.panel.verify(whole, &BLUE).unwrap());
    kiosk.draw_over(None);
    assert!(machine.panel.verify(whole, &BLUE).unwrap());
}

#[test]
fn what_is_injected_never_looks_like_the_person() {
    let Simulated { mut machine, kiosk, .. } = still(Size::new(1280, 800));
    machine.local.grab(true).unwrap();
    inject_tap(&mut machine, &kiosk, Target::Tab(Page::Settings));
    inject_tap(&mut machine, &kiosk, Target::Field);
    inject_text(&mut machine, "abc");
    machine.input.move_to(Point::new(5, 5), Size::new(10, 10)).unwrap();
    machine.input.button(Button::Left, true).unwrap();
    machine.input.release_all().unwrap();
    assert_eq!(kiosk.field(), "abc");
    assert!(!is_readable(&machine, &kiosk));
    assert_eq!(local_events(&mut machine), []);
}

#[test]
fn the_person_wakes_whoever_waits() {
    let Simulated { mut machine, staff, kiosk } = still(Size::new(320, 240));
    assert!(!is_readable(&machine, &kiosk));
    staff.tap(Point::new(10, 20));
    staff.press(keys::ENTER);
    assert!(is_readable(&machine, &kiosk));
    let at = Point::new(10, 20);
    assert_eq!(
        local_events(&mut machine),
        [
            LocalEvent::Touch { contact: 0, at, phase: Phase::Down },
            LocalEvent::Touch { contact: 0, at, phase: Phase::Up },
            LocalEvent::Key { key: keys::ENTER, pressed: true },
            LocalEvent::Key { key: keys::ENTER, pressed: false },
        ]
    );
    assert!(!is_readable(&machine, &kiosk));
}

#[test]
fn touches_arrive_in_the_pixels_of_the_panel() {
    let Simulated { mut machine, staff, .. } = still(Size::new(320, 240));
    staff.finger(Point::new(160, 239), Phase::Down);
    let mut events = Vec::new();
    machine.local.read(Size::new(640, 480), &mut events).unwrap();
    let at = Point::new(320, 478);
    assert_eq!(events, [LocalEvent::Touch { contact: 0, at, phase: Phase::Down }]);
}

#[test]
fn the_person_reaches_the_application_unless_grabbed() {
    let Simulated { mut machine, staff, kiosk } = still(Size::new(1280, 800));
    staff.tap(kiosk.place(Target::Tab(Page::Orders)).unwrap());
    assert_eq!(kiosk.page(), Page::Orders);
    machine.local.grab(true).unwrap();
    staff.tap(kiosk.place(Target::Tab(Page::Settings)).unwrap());
    staff.press(KeyCode(keys::F1.0));
    assert_eq!(kiosk.page(), Page::Orders);
    machine.local.grab(false).unwrap();
    staff.press(KeyCode(keys::F1.0));
    assert_eq!(kiosk.page(), Page::Overview);
    assert_eq!(local_events(&mut machine).len(), 8);
}

#[test]
fn a_grab_waits_until_the_finger_is_lifted() {
    let Simulated { mut machine, staff, kiosk } = still(Size::new(1280, 800));
    let at = kiosk.place(Target::Tab(Page::Orders)).unwrap();
    staff.finger(at, Phase::Down);
    machine.local.grab(true).unwrap();
    staff.finger(at, Phase::Up);
    assert_eq!(
        kiosk.page(),
        Page::Orders,
        "the application saw the release of what it saw pressed"
    );
    staff.tap(kiosk.place(Target::Tab(Page::Settings)).unwrap());
    assert_eq!(kiosk.page(), Page::Orders);
}

#[test]
fn unread_events_are_bounded() {
    let Simulated { mut machine, staff, .. } = still(Size::new(320, 240));
    for x in 0..1000 {
        staff.finger(Point::new(x % 320, 0), Phase::Move);
    }
    let events = local_events(&mut machine);
    assert_eq!(events.len(), world::MAX_UNREAD);
    let at = Point::new(999 % 320, 0);
    assert_eq!(events.last(), Some(&LocalEvent::Touch { contact: 0, at, phase: Phase::Move }));
}

#[test]
fn fingers_beyond_the_last_slot_are_refused() {
    let mut machine = still(Size::new(320, 240)).machine;
    let size = machine.panel.size().unwrap();
    assert!(machine.input.contact(10, Point::new(0, 0), size).is_err());
    assert!(machine.input.contact(0, Point::new(0, 0), Size::new(0, 5)).is_err());
    assert!(machine.input.contact(0, Point::new(u32::MAX, 0), size).is_ok());
    assert!(machine.input.holds_anything());
}

#[test]
fn a_script_taps_types_waits_and_shoots() {
    let folder = std::env::temp_dir().join(format!("lotse-script-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let shot = folder.join("shot.ppm");
    let Simulated { mut machine, staff, kiosk } = still(Size::new(320, 240));
    let tab = kiosk.place(Target::Tab(Page::Settings)).unwrap();
    let text = format!(
        "# a person\ntap {} {}\nkey tab\nwait 15\ntype Hi 5!\njump\n\nshot {}\nshot /\nkey enter",
        tab.x,
        tab.y,
        shot.display(),
    );
    let (mut waited, mut complaints) = (Duration::ZERO, Vec::new());
    script::run(&staff, text.as_bytes(), |time| waited += time, |error| complaints.push(error))
        .unwrap();
    assert_eq!(kiosk.field(), "Hi 5!");
    assert_eq!(waited, Duration::from_millis(15));
    let complaints: Vec<String> = complaints.iter().map(ToString::to_string).collect();
    assert_eq!(complaints.len(), 2, "{complaints:?}");
    assert!(complaints[0].starts_with("line 6: \"jump\" is not one of"), "{complaints:?}");
    assert!(complaints[1].starts_with("write /: "), "{complaints:?}");

    let ppm = std::fs::read(&shot).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let header = b"P6\n320 240\n255\n";
    assert!(ppm.starts_with(header));
    assert_eq!(ppm.len(), header.len() + 320 * 240 * 3);
    machine.input.release_all().unwrap();
}
