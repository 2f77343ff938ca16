//! What the technician holds down, so that nothing stays pressed at the panel.

use std::collections::{BTreeMap, BTreeSet};

use super::{Button, Command, KeyCode, PixelPoint, TouchPhase};

/// Most keys held at once; more are dropped (a keyboard has about as many).
pub const MAX_HELD_KEYS: usize = 64;

/// Most fingers held at once: the panel's touch screen has as many.
pub const MAX_FINGERS: u8 = 10;

/// The keys, buttons and fingers that are down.
#[derive(Debug, Default, Clone)]
pub struct Held {
    keys: BTreeSet<KeyCode>,
    buttons: BTreeSet<Button>,
    fingers: BTreeMap<u8, PixelPoint>,
}

impl Held {
    /// Notes a key. `None` if there is nothing to say: a repetition, or a release of a key that
    /// was not pressed here.
    pub fn key(&mut self, key: KeyCode, pressed: bool) -> Option<Command> {
        let changed = if pressed {
            self.keys.len() < MAX_HELD_KEYS && self.keys.insert(key)
        } else {
            self.keys.remove(&key)
        };
        changed.then_some(Command::Key { key, pressed })
    }

    /// Notes a mouse button, as [`Held::key`].
    pub fn button(&mut self, button: Button, pressed: bool) -> Option<Command> {
        let changed =
            if pressed { self.buttons.insert(button) } else { self.buttons.remove(&button) };
        changed.then_some(Command::PointerButton { button, pressed })
    }

    /// Notes what a finger does; `None` if it moves or is lifted without being down, or is one too
    /// many.
    pub fn finger(&mut self, contact: u8, phase: TouchPhase, at: PixelPoint) -> Option<Command> {
        match (phase, self.fingers.get(&contact)) {
            (TouchPhase::Down, None) if contact < MAX_FINGERS => {
                self.fingers.insert(contact, at);
            }
            (TouchPhase::Move, Some(last)) if *last != at => {
                self.fingers.insert(contact, at);
            }
            (TouchPhase::Up, Some(_)) => {
                self.fingers.remove(&contact);
            }
            _ => return None,
        }
        Some(Command::Touch { contact, phase, at })
    }

    /// The first finger that is not down; `None` if all are.
    pub fn free_finger(&self) -> Option<u8> {
        (0..MAX_FINGERS).find(|contact| !self.fingers.contains_key(contact))
    }

    /// Whether a mouse button is down.
    pub fn any_button(&self) -> bool {
        !self.buttons.is_empty()
    }

    /// Whether anything is down.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.buttons.is_empty() && self.fingers.is_empty()
    }

    /// Lets go of everything, and says so if there was anything.
    pub fn release(&mut self) -> Option<Command> {
        let held = !self.is_empty();
        *self = Self::default();
        held.then_some(Command::ReleaseAll)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_are_not_sent() {
        let mut held = Held::default();
        assert!(held.key(KeyCode(30), true).is_some());
        assert_eq!(held.key(KeyCode(30), true), None);
        assert!(held.key(KeyCode(30), false).is_some());
        assert_eq!(held.key(KeyCode(30), false), None);
    }

    #[test]
    fn losing_the_focus_releases_once() {
        let mut held = Held::default();
        held.key(KeyCode(29), true);
        held.button(Button::Left, true);
        assert_eq!(held.release(), Some(Command::ReleaseAll));
        assert_eq!(held.release(), None);
        assert_eq!(held.key(KeyCode(29), false), None, "was released already");
    }

    #[test]
    fn a_finger_moves_only_while_down() {
        let mut held = Held::default();
        let at = PixelPoint { x: 3, y: 4 };
        assert_eq!(held.finger(0, TouchPhase::Move, at), None);
        assert!(held.finger(0, TouchPhase::Down, at).is_some());
        assert_eq!(held.finger(0, TouchPhase::Move, at), None, "it did not move");
        assert!(held.finger(0, TouchPhase::Up, at).is_some());
        assert_eq!(held.finger(0, TouchPhase::Up, at), None);
    }

    #[test]
    fn ten_fingers_are_told_apart_and_an_eleventh_is_none() {
        let mut held = Held::default();
        let at = PixelPoint { x: 3, y: 4 };
        for expected in 0..MAX_FINGERS {
            let contact = held.free_finger().unwrap();
            assert_eq!(contact, expected);
            assert!(held.finger(contact, TouchPhase::Down, at).is_some());
        }
        assert_eq!(held.free_finger(), None);
        assert_eq!(held.finger(MAX_FINGERS, TouchPhase::Down, at), None);
        assert!(held.finger(4, TouchPhase::Up, at).is_some());
        assert_eq!(held.free_finger(), Some(4));
        assert_eq!(held.release(), Some(Command::ReleaseAll));
    }

    #[test]
    fn held_keys_are_bounded() {
        let mut held = Held::default();
        let sent = (0..1000).filter(|k| held.key(KeyCode(*k), true).is_some()).count();
        assert_eq!(sent, MAX_HELD_KEYS);
    }
}
