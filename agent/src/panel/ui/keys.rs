//! What the keys mean to the panel, and what they reach. Numbers from `linux/input-event-codes.h`.

use lotse_hal::KeyCode;

use super::PanelUi;
use crate::panel::layout::can_be_limited;
use crate::panel::scene::Button;
use crate::panel::view::{Message, View};

/// What a key means to the panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Back,
    Delete,
    Digit(u8),
    Enter,
    Next,
}

/// The digits of a keypad, from `KEY_KP7` on; 255 is another key.
const KEYPAD: [u8; 12] = [7, 8, 9, 255, 4, 5, 6, 255, 1, 2, 3, 0];

fn meaning(key: KeyCode) -> Option<Meaning> {
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

impl PanelUi {
    pub(super) fn key(&mut self, key: KeyCode, pressed: bool) {
        // The sign in the corner takes no keys: they are for the machine's own application.
        if matches!(self.view, View::Hidden | View::Session(_)) {
            return;
        }
        self.has_keyboard = true;
        match (meaning(key), pressed) {
            (Some(Meaning::Enter), _) => self.enter(pressed),
            (Some(Meaning::Next), true) => self.select_next(),
            (Some(Meaning::Back), true) => self.back(),
            (Some(Meaning::Delete), true) => self.activate_on_home(Button::Delete),
            (Some(Meaning::Digit(digit)), true) => {
                self.activate_on_home(Button::Digit(digit));
            }
            _ => {}
        }
    }

    /// Enter acts when it is released, on what was selected when it came down.
    fn enter(&mut self, pressed: bool) {
        if pressed {
            if !self.enter.is_down {
                let button = match self.view {
                    View::Home { .. } | View::Password { .. } => Some(Button::Connect),
                    _ => self.selected,
                };
                self.enter.button = button.filter(|button| self.is_awake(*button));
            }
            self.enter.is_down = true;
        } else {
            self.enter.is_down = false;
            if let Some(button) = self.enter.button.take() {
                self.activate(button);
            }
        }
    }

    /// What the keyboard can reach, in its order; the first is selected first.
    fn reachable(&self) -> Vec<Button> {
        match &self.view {
            View::Asking(ask) if self.is_choosing => {
                ask.rights.iter().map(Button::Tick).chain([Button::Chosen]).collect()
            }
            View::Asking(ask) if ask.rights.count() > 1 => {
                vec![Button::Refuse, Button::Accept, Button::Choose]
            }
            View::Asking(_) => vec![Button::Refuse, Button::Accept],
            View::Coming(_) => vec![Button::Prevent],
            View::Joining { .. } => vec![Button::Cancel],
            View::Message(Message::Interrupted) => vec![Button::Stop],
            View::Details(connected) if can_be_limited(connected) => {
                vec![Button::Close, Button::Stop, Button::LookOnly]
            }
            View::Details(_) => vec![Button::Close, Button::Stop],
            _ => Vec::new(),
        }
    }

    fn select_next(&mut self) {
        self.enter.button = None;
        let reachable = self.reachable();
        let at = reachable.iter().position(|button| Some(*button) == self.selected);
        let next = at.map_or(0, |at| (at + 1) % reachable.len().max(1));
        self.selected = reachable.get(next).copied().or(self.selected);
    }

    fn back(&mut self) {
        match self.view {
            View::Asking(_) if self.is_choosing => self.activate(Button::Chosen),
            View::Asking(_) => self.activate(Button::Refuse),
            View::Coming(_) => self.activate(Button::Prevent),
            View::Home { can_close: true, .. } | View::Details(_) => {
                self.activate(Button::Close);
            }
            View::Joining { .. } | View::Password { .. } => self.activate(Button::Cancel),
            _ => {}
        }
    }
}
