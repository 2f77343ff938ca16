//! What the keys mean to the panel. Numbers from `linux/input-event-codes.h`.

use lotse_hal::KeyCode;

/// What a key means to the panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Back,
    Delete,
    Digit(u8),
    Enter,
    Next,
}

/// The digits of a keypad, from `KEY_KP7` on; 255 is another key.
const KEYPAD: [u8; 12] = [7, 8, 9, 255, 4, 5, 6, 255, 1, 2, 3, 0];

pub(super) fn meaning(key: KeyCode) -> Option<Meaning> {
    match key.0 {
        1 => Some(Meaning::Back),
        2..=10 => u8::try_from(key.0 - 1).ok().map(Meaning::Digit),
        11 => Some(Meaning::Digit(0)),
        14 | 111 => Some(Meaning::Delete),
        15 | 103 | 105 | 106 | 108 => Some(Meaning::Next),
        28 | 96 => Some(Meaning::Enter),
        71..=82 => KEYPAD
            .get(usize::from(key.0 - 71))
            .filter(|digit| **digit < 10)
            .map(|digit| Meaning::Digit(*digit)),
        _ => None,
    }
}
