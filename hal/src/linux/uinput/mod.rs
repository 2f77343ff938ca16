//! Injected input: three devices, virtual ones of our own or ones that are there.
//!
//! They are three because udev and libinput sort a device into one class by what it can do, and
//! one that can do everything is sorted wrongly: a touch screen with mouse buttons becomes a
//! mouse, a pointer with relative axes too becomes one whose position jumps.
//!
//! Our own live as long as these values. When the process ends, however it ends, the kernel
//! removes them and releases every key. What is pressed on a device that was there stays pressed
//! if we die; so a note is kept of that, and the next start lets go.
//!
//! # Source
//! `linux/uinput.h`, `linux/input-event-codes.h`, and the kernel's
//! `Documentation/input/multi-touch-protocol.rst`.

mod keyboard;
mod pointer;
mod sink;
mod touch;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

pub use self::keyboard::UinputKeyboard;
pub use self::pointer::UinputPointer;
pub use self::touch::UinputTouch;
use super::mounting::{Mounted, Mounting};
use crate::{Button, Error, Held, KeyCode, Keyboard, Point, Pointer, Size, Touch};

/// Where one kind of input is injected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum InputWay {
    /// `uinput`: into a virtual device of our own.
    #[default]
    Uinput,
    /// `node:/dev/input/eventN`: into a device that is there, for programs that never look for
    /// new ones.
    Node(PathBuf),
    /// `none`: nowhere.
    None,
}

impl InputWay {
    /// Whether what is injected is heard as if a person had done it, since the device is there.
    pub const fn is_heard_again(&self) -> bool {
        matches!(self, Self::Node(_))
    }
}

/// Why a text is no [`InputWay`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is none of uinput, node:/dev/input/eventN, none")]
pub struct ParseInputWayError(String);

impl FromStr for InputWay {
    type Err = ParseInputWayError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match (text, text.strip_prefix("node:")) {
            ("uinput", _) => Ok(Self::Uinput),
            ("none", _) => Ok(Self::None),
            (_, Some(path)) if path.starts_with('/') => Ok(Self::Node(path.into())),
            _ => Err(ParseInputWayError(text.to_owned())),
        }
    }
}

impl fmt::Display for InputWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uinput => f.write_str("uinput"),
            Self::Node(path) => write!(f, "node:{}", path.display()),
            Self::None => f.write_str("none"),
        }
    }
}

/// Where everything is injected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InputWays {
    /// Fingers.
    pub touch: InputWay,
    /// The pointer.
    pub pointer: InputWay,
    /// Keys.
    pub keyboard: InputWay,
}

/// A device that is not to be.
#[derive(Debug)]
struct Absent(&'static str);

impl Absent {
    fn refuse<T>(&self) -> Result<T, Error> {
        Err(Error::Unsupported(format!("this machine is set to take no {}", self.0)))
    }
}

impl Keyboard for Absent {
    fn key(&mut self, _: KeyCode, _: bool) -> Result<(), Error> {
        self.refuse()
    }
}

impl Pointer for Absent {
    fn move_to(&mut self, _: Point, _: Size) -> Result<(), Error> {
        self.refuse()
    }

    fn button(&mut self, _: Button, _: bool) -> Result<(), Error> {
        self.refuse()
    }

    fn wheel(&mut self, _: i32, _: i32) -> Result<(), Error> {
        self.refuse()
    }
}

impl Touch for Absent {
    fn slots(&self) -> u8 {
        0
    }

    fn contact(&mut self, _: u8, _: Point, _: Size) -> Result<(), Error> {
        self.refuse()
    }

    fn lift(&mut self, _: u8) -> Result<(), Error> {
        Ok(())
    }
}

/// The file that tells that something may be pressed on a device which outlives this process.
fn note(state: &Path, what: &str) -> PathBuf {
    state.join(format!("injected-{what}"))
}

/// Lets go of what a process left pressed that died, on devices that are not its own.
pub(crate) fn let_go(state: &Path) {
    for note in ["touch", "pointer", "keyboard"].map(|what| note(state, what)) {
        let Ok(node) = std::fs::read_to_string(&note) else { continue };
        if let Err(error) = sink::Sink::open(Path::new(&node), note) {
            log::warn!("{error}");
        }
    }
}

/// Makes or opens all three devices; places follow the display's mounting. `state` is a directory
/// for notes that outlive this process.
///
/// Programs that learn of devices from udev see new ones only 0.1 to 0.6 s later and lose what
/// is injected before; so make them at start, not when they are needed.
///
/// # Errors
/// As [`UinputKeyboard::create`]; or when a device that is named is not there or not fit.
pub fn create(ways: &InputWays, mounting: &Mounting, state: &Path) -> Result<Held, Error> {
    let note = |what: &str| note(state, what);
    let touch: Box<dyn Touch> = match &ways.touch {
        InputWay::Uinput => Box::new(Mounted::new(UinputTouch::create()?, mounting.clone())),
        InputWay::Node(path) => {
            Box::new(Mounted::new(UinputTouch::open(path, note("touch"))?, mounting.clone()))
        }
        InputWay::None => Box::new(Absent("touch")),
    };
    let pointer: Box<dyn Pointer> = match &ways.pointer {
        InputWay::Uinput => Box::new(Mounted::new(UinputPointer::create()?, mounting.clone())),
        InputWay::Node(path) => {
            Box::new(Mounted::new(UinputPointer::open(path, note("pointer"))?, mounting.clone()))
        }
        InputWay::None => Box::new(Absent("pointer")),
    };
    let keyboard: Box<dyn Keyboard> = match &ways.keyboard {
        InputWay::Uinput => Box::new(UinputKeyboard::create()?),
        InputWay::Node(path) => Box::new(UinputKeyboard::open(path, note("keyboard"))?),
        InputWay::None => Box::new(Absent("keys")),
    };
    Ok(Held::new(keyboard, pointer, touch))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_are_written_as_they_are_read() {
        for text in ["uinput", "none", "node:/dev/input/event3", "node:/dev/input/by-path/x-event"]
        {
            assert_eq!(text.parse::<InputWay>().unwrap().to_string(), text);
        }
        for text in ["", "Uinput", "node:", "node:event3", "/dev/input/event3"] {
            assert!(text.parse::<InputWay>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_not_to_be_injected_is_refused_and_released_all_the_same() {
        let mut held = Held::new(
            Box::new(Absent("keys")),
            Box::new(Absent("pointer")),
            Box::new(Absent("touch")),
        );
        let size = Size::new(10, 10);
        assert!(held.contact(0, Point::new(1, 1), size).is_err());
        assert!(!held.holds_anything());
        held.stir().unwrap();
        held.release_all().unwrap();
    }
}
