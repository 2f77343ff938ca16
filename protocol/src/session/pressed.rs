//! What a controller holds down.

use std::collections::BTreeSet;

use crate::message::InputEvent;

/// Things held at once that are kept account of; people have ten fingers, forgers have more.
const MAX_PRESSED: usize = 256;

/// What inputs have pressed and not released.
#[derive(Debug, Default)]
pub(super) struct Pressed {
    keys: BTreeSet<u16>,
    buttons: BTreeSet<u8>,
    slots: BTreeSet<u8>,
}

impl Pressed {
    pub(super) fn note(&mut self, event: &InputEvent) {
        match *event {
            InputEvent::Key { code, pressed } => set(&mut self.keys, code, pressed),
            InputEvent::Button { button, pressed } => set(&mut self.buttons, button, pressed),
            InputEvent::Touch { slot, .. } => set(&mut self.slots, slot, true),
            InputEvent::Lift { slot } => set(&mut self.slots, slot, false),
            InputEvent::ReleaseAll => *self = Self::default(),
            InputEvent::Text(_) | InputEvent::Pointer(_) | InputEvent::Wheel { .. } => {}
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.buttons.is_empty() && self.slots.is_empty()
    }
}

fn set<T: Ord>(all: &mut BTreeSet<T>, item: T, pressed: bool) {
    if !pressed {
        all.remove(&item);
    } else if all.len() < MAX_PRESSED {
        all.insert(item);
    }
}
