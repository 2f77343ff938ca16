//! Input: what is injected for a technician, and what the person at the machine does.

use std::collections::BTreeSet;
use std::os::fd::BorrowedFd;

use crate::{Error, Point, Size};

/// A key by its place on the keyboard: the number of `linux/input-event-codes.h`, `KEY_*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyCode(pub u16);

impl KeyCode {
    /// The key of a name as in `linux/input-event-codes.h`, without `KEY_`: `F12`, `LEFTCTRL`.
    pub fn from_name(name: &str) -> Option<Self> {
        let key: evdev::KeyCode = format!("KEY_{name}").parse().ok()?;
        Some(Self(key.0))
    }
}

/// A mouse button.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Button {
    /// `BTN_LEFT`
    Left,
    /// `BTN_MIDDLE`
    Middle,
    /// `BTN_RIGHT`
    Right,
}

/// What the locking keys of a keyboard have done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Locks {
    /// Letters are capitals without Shift.
    pub caps: bool,
    /// The keypad writes digits.
    pub num: bool,
}

/// Presses keys.
pub trait Keyboard: Send {
    /// Presses or releases a key.
    ///
    /// # Errors
    /// When the device does not take it.
    fn key(&mut self, key: KeyCode, pressed: bool) -> Result<(), Error>;

    /// What the locking keys have done, as the machine's programs say by the lamps; none where
    /// they say nothing.
    fn locks(&mut self) -> Locks {
        Locks::default()
    }

    /// Gives a sign of life that presses nothing, so that a display that sleeps wakes up.
    ///
    /// # Errors
    /// When the device does not take it.
    fn stir(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

/// Moves an absolute pointer.
pub trait Pointer: Send {
    /// Puts the pointer on a pixel of a picture of the given size.
    ///
    /// # Errors
    /// When the device does not take it.
    fn move_to(&mut self, at: Point, within: Size) -> Result<(), Error>;

    /// Presses or releases a button where the pointer is.
    ///
    /// # Errors
    /// When the device does not take it.
    fn button(&mut self, button: Button, pressed: bool) -> Result<(), Error>;

    /// Turns the wheel by so many notches; positive is away from the user, and to the right.
    ///
    /// # Errors
    /// When the device does not take it.
    fn wheel(&mut self, vertical: i32, horizontal: i32) -> Result<(), Error>;

    /// Gives a sign of life, as [`Keyboard::stir`]: a movement by less than a pixel.
    ///
    /// # Errors
    /// When the device does not take it.
    fn stir(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

/// Puts fingers on the screen.
pub trait Touch: Send {
    /// How many fingers can be down at once.
    fn slots(&self) -> u8;

    /// Puts a finger down, or moves one that is down.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Unsupported`] if `slot` is not below [`Touch::slots`].
    fn contact(&mut self, slot: u8, at: Point, within: Size) -> Result<(), Error>;

    /// Lifts a finger; nothing happens if it is not down.
    ///
    /// # Errors
    /// When the device does not take it.
    fn lift(&mut self, slot: u8) -> Result<(), Error>;
}

/// What became of a finger or the left button of a local mouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It came down.
    Down,
    /// It moved while down.
    Move,
    /// It was lifted.
    Up,
}

/// Something the person at the machine did with a physical device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LocalEvent {
    /// A finger on the panel, or a mouse with its left button; `at` in pixels of the panel.
    Touch {
        /// Which finger; 0 for a mouse.
        contact: u8,
        /// Where, in pixels of the panel.
        at: Point,
        /// What it did.
        phase: Phase,
    },
    /// A key of a physical keyboard.
    Key {
        /// Which.
        key: KeyCode,
        /// Down or up.
        pressed: bool,
    },
}

/// Reads the physical devices of the machine, and nothing that could be injected.
pub trait LocalInput: Send {
    /// The descriptors to wait on until one is readable. May change after each
    /// [`LocalInput::read`].
    fn descriptors(&self) -> Vec<BorrowedFd<'_>>;

    /// Takes what happened since the last call, without waiting.
    ///
    /// `panel` is the size of the panel's picture, into whose pixels touches are translated.
    ///
    /// # Errors
    /// Devices that vanish are dropped silently; an error means that none can be read at all.
    fn read(&mut self, panel: Size, events: &mut Vec<LocalEvent>) -> Result<(), Error>;

    /// Keeps one key of all keyboards from everyone else for good, as far as the keyboards can: it
    /// is heard here as before.
    fn reserve(&mut self, _key: KeyCode) {}

    /// Keeps what happens from everyone else (`true`), or lets it through again.
    ///
    /// Takes effect for a device only once nothing is pressed on it.
    ///
    /// # Errors
    /// When a device belongs to someone else already.
    fn grab(&mut self, exclusive: bool) -> Result<(), Error>;
}

/// Injected input that knows what it holds, so that nothing stays pressed.
///
/// Dropping it releases everything too, as far as the devices still take it.
pub struct Held {
    keyboard: Box<dyn Keyboard>,
    pointer: Box<dyn Pointer>,
    touch: Box<dyn Touch>,
    keys: BTreeSet<KeyCode>,
    buttons: BTreeSet<Button>,
    contacts: BTreeSet<u8>,
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held")
            .field("keys", &self.keys.len())
            .field("buttons", &self.buttons)
            .field("contacts", &self.contacts)
            .finish_non_exhaustive()
    }
}

impl Held {
    /// Takes over the three devices, with nothing pressed.
    pub fn new(
        keyboard: Box<dyn Keyboard>,
        pointer: Box<dyn Pointer>,
        touch: Box<dyn Touch>,
    ) -> Self {
        Self {
            keyboard,
            pointer,
            touch,
            keys: BTreeSet::new(),
            buttons: BTreeSet::new(),
            contacts: BTreeSet::new(),
        }
    }

    /// Whether anything is pressed.
    pub fn holds_anything(&self) -> bool {
        !(self.keys.is_empty() && self.buttons.is_empty() && self.contacts.is_empty())
    }

    /// Presses or releases a key.
    ///
    /// # Errors
    /// As [`Keyboard::key`].
    pub fn key(&mut self, key: KeyCode, pressed: bool) -> Result<(), Error> {
        if pressed {
            self.keys.insert(key);
        } else {
            self.keys.remove(&key);
        }
        self.keyboard.key(key, pressed)
    }

    /// Moves the pointer.
    ///
    /// # Errors
    /// As [`Pointer::move_to`].
    pub fn move_to(&mut self, at: Point, within: Size) -> Result<(), Error> {
        self.pointer.move_to(at, within)
    }

    /// Presses or releases a button.
    ///
    /// # Errors
    /// As [`Pointer::button`].
    pub fn button(&mut self, button: Button, pressed: bool) -> Result<(), Error> {
        if pressed {
            self.buttons.insert(button);
        } else {
            self.buttons.remove(&button);
        }
        self.pointer.button(button, pressed)
    }

    /// Turns the wheel.
    ///
    /// # Errors
    /// As [`Pointer::wheel`].
    pub fn wheel(&mut self, vertical: i32, horizontal: i32) -> Result<(), Error> {
        self.pointer.wheel(vertical, horizontal)
    }

    /// Puts down or moves a finger.
    ///
    /// # Errors
    /// As [`Touch::contact`].
    pub fn contact(&mut self, slot: u8, at: Point, within: Size) -> Result<(), Error> {
        self.touch.contact(slot, at, within)?;
        self.contacts.insert(slot);
        Ok(())
    }

    /// Lifts a finger.
    ///
    /// # Errors
    /// As [`Touch::lift`].
    pub fn lift(&mut self, slot: u8) -> Result<(), Error> {
        self.contacts.remove(&slot);
        self.touch.lift(slot)
    }

    /// What the locking keys have done, as [`Keyboard::locks`].
    pub fn locks(&mut self) -> Locks {
        self.keyboard.locks()
    }

    /// Wakes a display that sleeps, without pressing anything on it.
    ///
    /// # Errors
    /// The first failure; the other device was tried all the same.
    pub fn stir(&mut self) -> Result<(), Error> {
        let keyboard = self.keyboard.stir();
        keyboard.and(self.pointer.stir())
    }

    /// Releases whatever is pressed, trying all of it even if a device fails.
    ///
    /// # Errors
    /// The first failure; the rest was tried all the same.
    pub fn release_all(&mut self) -> Result<(), Error> {
        let mut outcome = Ok(());
        for key in std::mem::take(&mut self.keys) {
            outcome = outcome.and(self.keyboard.key(key, false));
        }
        for button in std::mem::take(&mut self.buttons) {
            outcome = outcome.and(self.pointer.button(button, false));
        }
        for slot in std::mem::take(&mut self.contacts) {
            outcome = outcome.and(self.touch.lift(slot));
        }
        outcome
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Err(error) = self.release_all() {
            log::warn!("could not release everything that was pressed: {error}");
        }
    }
}
