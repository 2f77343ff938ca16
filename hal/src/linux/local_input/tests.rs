//! Reading of events, against streams made by hand and at random.

use proptest::prelude::*;

use super::decode::*;
use crate::linux::calibration::Calibration;
use crate::linux::event_codes::*;
use crate::{KeyCode, LocalEvent, Phase, Point, Size};

const PANEL: Size = Size::new(800, 480);
const AXIS: Range = Range { min: 0, max: 32767 };

fn surface(protocol: Protocol) -> Option<Surface> {
    Some(Surface { protocol, x: AXIS, y: AXIS, calibration: Calibration::default() })
}

/// The raw value in the middle of a pixel.
fn raw(pixel: i32, pixels: i32) -> i32 {
    (2 * pixel + 1) * 32768 / (2 * pixels)
}

fn x(pixel: i32) -> i32 {
    raw(pixel, 800)
}

fn y(pixel: i32) -> i32 {
    raw(pixel, 480)
}

fn feed(decoder: &mut Decoder, events: &[(u16, u16, i32)]) -> Vec<LocalEvent> {
    let mut out = Vec::new();
    for &(kind, code, value) in events {
        let lost = decoder.event(RawEvent { kind, code, value }, PANEL, &mut out);
        assert!(!lost, "no events were lost");
    }
    out
}

fn touch(contact: u8, x: u32, y: u32, phase: Phase) -> LocalEvent {
    LocalEvent::Touch { contact, at: Point::new(x, y), phase }
}

const END: (u16, u16, i32) = (EV_SYN, SYN_REPORT, 0);

#[test]
fn slots_are_followed_each_on_its_own() {
    let mut decoder = Decoder::new(surface(Protocol::TypeB));
    let down = feed(
        &mut decoder,
        &[
            (EV_ABS, ABS_MT_SLOT, 0),
            (EV_ABS, ABS_MT_TRACKING_ID, 7),
            (EV_ABS, ABS_MT_POSITION_X, x(10)),
            (EV_ABS, ABS_MT_POSITION_Y, y(20)),
            (EV_ABS, ABS_MT_SLOT, 1),
            (EV_ABS, ABS_MT_TRACKING_ID, 8),
            (EV_ABS, ABS_MT_POSITION_X, x(799)),
            (EV_ABS, ABS_MT_POSITION_Y, y(479)),
            (EV_KEY, BTN_TOUCH, 1),
            END,
        ],
    );
    assert_eq!(down, [touch(0, 10, 20, Phase::Down), touch(1, 799, 479, Phase::Down)]);
    // The slot stays the last that was named.
    let moved = feed(&mut decoder, &[(EV_ABS, ABS_MT_POSITION_X, x(700)), END]);
    assert_eq!(moved, [touch(1, 700, 479, Phase::Move)]);
    let lifted =
        feed(&mut decoder, &[(EV_ABS, ABS_MT_SLOT, 0), (EV_ABS, ABS_MT_TRACKING_ID, -1), END]);
    assert_eq!(lifted, [touch(0, 10, 20, Phase::Up)]);
    assert!(decoder.is_pressed());
}

#[test]
fn nothing_counts_before_the_frame_ends() {
    let mut decoder = Decoder::new(surface(Protocol::Single(BTN_LEFT)));
    let half = [(EV_ABS, ABS_X, x(5)), (EV_ABS, ABS_Y, y(6)), (EV_KEY, BTN_LEFT, 1)];
    assert_eq!(feed(&mut decoder, &half), []);
    assert_eq!(feed(&mut decoder, &[END]), [touch(0, 5, 6, Phase::Down)]);
}

#[test]
fn a_pointer_without_its_button_touches_nothing() {
    let mut decoder = Decoder::new(surface(Protocol::Single(BTN_LEFT)));
    assert_eq!(feed(&mut decoder, &[(EV_ABS, ABS_X, x(5)), END]), []);
    assert_eq!(feed(&mut decoder, &[(EV_KEY, BTN_RIGHT, 1), END]), []);
    feed(&mut decoder, &[(EV_KEY, BTN_LEFT, 1), END]);
    let up = feed(&mut decoder, &[(EV_KEY, BTN_LEFT, 0), END]);
    assert_eq!(up, [touch(0, 5, 0, Phase::Up)]);
}

#[test]
fn type_a_lists_its_fingers_in_each_frame() {
    let mut decoder = Decoder::new(surface(Protocol::TypeA));
    let finger = |at_x, at_y| {
        [
            (EV_ABS, ABS_MT_POSITION_X, x(at_x)),
            (EV_ABS, ABS_MT_POSITION_Y, y(at_y)),
            (EV_SYN, SYN_MT_REPORT, 0),
        ]
    };
    let two = [finger(1, 2), finger(3, 4)].concat();
    let down = feed(&mut decoder, &[two.as_slice(), &[END]].concat());
    assert_eq!(down, [touch(0, 1, 2, Phase::Down), touch(1, 3, 4, Phase::Down)]);
    let one = feed(&mut decoder, &[finger(1, 5).as_slice(), &[END]].concat());
    assert_eq!(one, [touch(0, 1, 5, Phase::Move), touch(1, 3, 4, Phase::Up)]);
    let none = feed(&mut decoder, &[(EV_SYN, SYN_MT_REPORT, 0), END]);
    assert_eq!(none, [touch(0, 1, 5, Phase::Up)]);
}

#[test]
fn type_a_may_end_with_the_button_alone() {
    let mut decoder = Decoder::new(surface(Protocol::TypeA));
    let down = [
        (EV_KEY, BTN_TOUCH, 1),
        (EV_ABS, ABS_MT_POSITION_X, x(1)),
        (EV_ABS, ABS_MT_POSITION_Y, y(2)),
        (EV_SYN, SYN_MT_REPORT, 0),
        END,
    ];
    feed(&mut decoder, &down);
    let up = feed(&mut decoder, &[(EV_KEY, BTN_TOUCH, 0), END]);
    assert_eq!(up, [touch(0, 1, 2, Phase::Up)]);
}

#[test]
fn another_finger_in_the_same_slot_is_another_touch() {
    let mut decoder = Decoder::new(surface(Protocol::TypeB));
    let id = |id| (EV_ABS, ABS_MT_TRACKING_ID, id);
    let place = [(EV_ABS, ABS_MT_POSITION_X, x(1)), (EV_ABS, ABS_MT_POSITION_Y, y(2))];
    feed(&mut decoder, &[id(1), place[0], place[1], END]);
    let again = feed(&mut decoder, &[id(2), (EV_ABS, ABS_MT_POSITION_X, x(9)), END]);
    assert_eq!(again, [touch(0, 1, 2, Phase::Up), touch(0, 9, 2, Phase::Down)]);
}

#[test]
fn keys_come_in_their_order_and_repeats_do_not() {
    let mut decoder = Decoder::new(None);
    let key = |code, pressed| LocalEvent::Key { key: KeyCode(code), pressed };
    let typed = feed(
        &mut decoder,
        &[(EV_KEY, 30, 1), END, (EV_KEY, 30, 2), END, (EV_KEY, 31, 1), (EV_KEY, 30, 0), END],
    );
    assert_eq!(typed, [key(30, true), key(31, true), key(30, false)]);
}

#[test]
fn a_key_that_is_kept_for_us_is_heard_as_what_it_is_also_after_lost_events() {
    let mut decoder = Decoder::new(None);
    decoder.set_alias(0x2ad, 88);
    let key = |pressed| LocalEvent::Key { key: KeyCode(88), pressed };
    let events = feed(&mut decoder, &[(EV_KEY, 0x2ad, 1), (EV_SYN, SYN_REPORT, 0)]);
    assert_eq!(events, [key(true)]);
    let mut events = Vec::new();
    decoder.resync(&Snapshot::default(), PANEL, &mut events);
    let down = Snapshot { keys: [0x2ad].into(), ..Snapshot::default() };
    decoder.resync(&down, PANEL, &mut events);
    assert_eq!(events, [key(false), key(true)]);
}

#[test]
fn lost_events_are_made_up_for() {
    let mut decoder = Decoder::new(surface(Protocol::TypeB));
    feed(&mut decoder, &[(EV_ABS, ABS_MT_TRACKING_ID, 1), (EV_KEY, 30, 1), END]);
    let mut out = Vec::new();
    let lost = [
        RawEvent { kind: EV_SYN, code: SYN_DROPPED, value: 0 },
        RawEvent { kind: EV_KEY, code: 48, value: 1 },
    ];
    for event in lost {
        assert!(!decoder.event(event, PANEL, &mut out));
    }
    assert_eq!(out, [], "a frame with a hole in it is not believed");
    assert!(decoder.event(RawEvent { kind: EV_SYN, code: SYN_REPORT, value: 0 }, PANEL, &mut out));
    let now = Snapshot {
        keys: [31].into(),
        slots: vec![(-1, 0, 0), (5, x(100), y(200))],
        slot: 1,
        single: (0, 0),
    };
    decoder.resync(&now, PANEL, &mut out);
    let key = |code, pressed| LocalEvent::Key { key: KeyCode(code), pressed };
    let expected =
        [key(30, false), key(31, true), touch(0, 0, 0, Phase::Up), touch(1, 100, 200, Phase::Down)];
    assert_eq!(out, expected);
    let moved = feed(&mut decoder, &[(EV_ABS, ABS_MT_POSITION_X, x(101)), END]);
    assert_eq!(moved, [touch(1, 101, 200, Phase::Move)]);
}

#[test]
fn what_was_pressed_before_is_neither_pressed_nor_released_by_a_person() {
    let mut decoder = Decoder::new(surface(Protocol::Single(BTN_TOUCH)));
    let now = Snapshot { keys: [28, BTN_TOUCH].into(), ..Snapshot::default() };
    decoder.begin_with(&now);
    assert!(decoder.is_pressed(), "and it is not taken for idle");
    let released = feed(&mut decoder, &[(EV_KEY, 28, 0), (EV_KEY, BTN_TOUCH, 0), END]);
    assert_eq!(released, []);
    assert!(!decoder.is_pressed());
    let pressed = feed(&mut decoder, &[(EV_KEY, 28, 1), (EV_KEY, BTN_TOUCH, 1), END]);
    assert_eq!(pressed.len(), 2);
}

#[test]
fn a_device_that_is_gone_lets_go_of_everything() {
    let mut decoder = Decoder::new(surface(Protocol::Single(BTN_TOUCH)));
    feed(&mut decoder, &[(EV_KEY, 28, 1), (EV_KEY, BTN_TOUCH, 1), END]);
    let mut out = Vec::new();
    decoder.release(PANEL, &mut out);
    let key = LocalEvent::Key { key: KeyCode(28), pressed: false };
    assert_eq!(out, [key, touch(0, 0, 0, Phase::Up)]);
    assert!(!decoder.is_pressed());
}

#[test]
fn events_are_found_in_what_the_kernel_writes() {
    let mut bytes = Vec::new();
    for value in [1, -5] {
        bytes.extend_from_slice(&[0xEE; EVENT_BYTES - 8]);
        bytes.extend_from_slice(&EV_ABS.to_ne_bytes());
        bytes.extend_from_slice(&ABS_Y.to_ne_bytes());
        bytes.extend_from_slice(&i32::to_ne_bytes(value));
    }
    bytes.extend_from_slice(&[1; EVENT_BYTES - 1]);
    let found: Vec<_> = RawEvent::parse(&bytes).collect();
    let event = |value| RawEvent { kind: EV_ABS, code: ABS_Y, value };
    assert_eq!(found, [event(1), event(-5)]);
}

proptest! {
    #[test]
    fn a_device_that_makes_no_sense_is_survived_and_balanced(
        protocol in 0..4u8,
        stream in proptest::collection::vec((0..5u16, prop_oneof![0..64u16, 0x100..0x160u16], any::<i32>()), 0..200),
    ) {
        let surface = match protocol {
            0 => None,
            1 => surface(Protocol::TypeA),
            2 => surface(Protocol::TypeB),
            _ => surface(Protocol::Single(BTN_TOUCH)),
        };
        let mut decoder = Decoder::new(surface);
        let mut out = Vec::new();
        for (kind, code, value) in stream {
            if decoder.event(RawEvent { kind, code, value }, PANEL, &mut out) {
                decoder.resync(&Snapshot::default(), PANEL, &mut out);
            }
        }
        decoder.release(PANEL, &mut out);
        let mut down = std::collections::BTreeSet::new();
        for event in out {
            match event {
                LocalEvent::Key { key, pressed: true } => prop_assert!(down.insert(key.0)),
                LocalEvent::Key { key, pressed: false } => prop_assert!(down.remove(&key.0)),
                LocalEvent::Touch { contact, at, phase } => {
                    prop_assert!(PANEL.rect().contains(at));
                    let key = 1000 + u16::from(contact);
                    match phase {
                        Phase::Down => prop_assert!(down.insert(key)),
                        Phase::Move => prop_assert!(down.contains(&key)),
                        Phase::Up => prop_assert!(down.remove(&key)),
                    }
                }
            }
        }
        prop_assert!(down.is_empty(), "everything that came down went up");
    }
}
