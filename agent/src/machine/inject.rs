//! From a technician's input to the machine's devices.

use lotse_hal::{Button, Error, Held, KeyCode, Point, Size};
use lotse_protocol::message::{InputEvent, Place};

/// Keys that no technician may press by accident from afar: power, sleep, wake-up.
/// `linux/input-event-codes.h`: `KEY_POWER`, `KEY_SLEEP`, `KEY_WAKEUP`, `KEY_POWER2`.
const FORBIDDEN_KEYS: [u16; 4] = [116, 142, 143, 0x164];

/// Notches of the wheel in one event at most.
const MAX_NOTCHES: i8 = 20;

/// Injects everything but text, which is the [`super::typing::Typist`]'s.
///
/// # Errors
/// When the device does not take it.
pub(super) fn inject(input: &mut Held, event: &InputEvent) -> Result<(), Error> {
    match *event {
        InputEvent::Key { code, .. } if FORBIDDEN_KEYS.contains(&code) => {
            log::info!("key {code} is not injected: it could switch the machine off");
            Ok(())
        }
        InputEvent::Key { code, pressed } => input.key(KeyCode(code), pressed),
        InputEvent::Pointer(place) => match place_on_screen(place) {
            Some((at, within)) => input.move_to(at, within),
            None => Ok(()),
        },
        InputEvent::Button { button, pressed } => match button {
            0 => input.button(Button::Left, pressed),
            1 => input.button(Button::Middle, pressed),
            2 => input.button(Button::Right, pressed),
            _ => Ok(()),
        },
        InputEvent::Wheel { vertical, horizontal } => {
            let notches = |n: i8| i32::from(n.clamp(-MAX_NOTCHES, MAX_NOTCHES));
            input.wheel(notches(vertical), notches(horizontal))
        }
        InputEvent::Touch { slot, at } => match place_on_screen(at) {
            Some((at, within)) => input.contact(slot, at, within),
            None => Ok(()),
        },
        InputEvent::Lift { slot } => input.lift(slot),
        InputEvent::ReleaseAll => input.release_all(),
        _ => Ok(()),
    }
}

/// A place as the devices take it; `None` if it is outside of its own picture.
fn place_on_screen(place: Place) -> Option<(Point, Size)> {
    (place.x < place.width && place.y < place.height).then(|| {
        (
            Point::new(place.x.into(), place.y.into()),
            Size::new(place.width.into(), place.height.into()),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_outside_of_its_picture_is_nowhere() {
        let place = |x, y| place_on_screen(Place { x, y, width: 800, height: 480 });
        assert!(place(799, 479).is_some());
        assert_eq!(place(800, 0), None);
        assert_eq!(place(0, 480), None);
        assert_eq!(place_on_screen(Place { x: 0, y: 0, width: 0, height: 0 }), None);
    }
}
