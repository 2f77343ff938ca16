//! Input devices: what each is, where it points, and whether the person's hand is heard on it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use evdev::raw_stream::RawDevice;
use nix::libc;

use crate::linux::event_codes::*;
use crate::linux::local_input;

/// What a device is, by what it can do: as udev and libinput sort it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Class {
    /// A finger points where it is on the display.
    TouchScreen,
    /// A finger moves a pointer.
    TouchPad,
    /// A pointer that knows where it is: a tablet, a virtual machine's mouse.
    AbsolutePointer,
    /// A pointer that knows how far it moved.
    Mouse,
    /// Letters and digits.
    Keyboard,
    /// A few keys: a power button, a remote control.
    Keys,
    /// Anything else: switches, sensors.
    Other,
}

impl Class {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TouchScreen => "touch screen",
            Self::TouchPad => "touch pad",
            Self::AbsolutePointer => "absolute pointer",
            Self::Mouse => "mouse",
            Self::Keyboard => "keyboard",
            Self::Keys => "keys",
            Self::Other => "other",
        }
    }
}

/// An axis of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AxisReport {
    /// Smallest value.
    pub minimum: i32,
    /// Largest value.
    pub maximum: i32,
    /// Units per millimetre; 0 if it does not tell.
    pub resolution: i32,
}

/// An input device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputReport {
    /// Its node.
    pub path: PathBuf,
    /// What it calls itself.
    pub name: String,
    /// What it is.
    pub class: Class,
    /// From left to right, of devices that point and can be opened.
    pub x: Option<AxisReport>,
    /// From top to bottom.
    pub y: Option<AxisReport>,
    /// How many fingers it can follow; 0 if it does not tell.
    pub fingers: u32,
    /// Whether the person's hand is heard on it, or why not.
    pub heard: Result<(), String>,
}

/// The input devices of this machine, in the order of their numbers.
pub fn inputs() -> Vec<InputReport> {
    local_input::event_nodes().into_iter().map(report).collect()
}

fn report(path: PathBuf) -> InputReport {
    let sysfs = Path::new("/sys/class/input").join(path.file_name().unwrap_or_default());
    let device = sysfs.join("device");
    let name = std::fs::read_to_string(device.join("name")).unwrap_or_default();
    let class = Abilities::read(&device).class();
    let raw = std::fs::File::open(&path).and_then(|file| RawDevice::from_fd(file.into()));
    let axes = raw.as_ref().ok().and_then(axes);
    InputReport {
        name: name.trim().to_owned(),
        class,
        x: axes.map(|(x, ..)| x),
        y: axes.map(|(_, y, _)| y),
        fingers: axes.map_or(0, |(.., fingers)| fingers),
        heard: local_input::is_heard(&path),
        path,
    }
}

/// Where a device points: its two axes, and how many fingers it follows.
fn axes(raw: &RawDevice) -> Option<(AxisReport, AxisReport, u32)> {
    let supported = raw.supported_absolute_axes()?;
    let has = |code: u16| supported.contains(evdev::AbsoluteAxisCode(code));
    let state = raw.get_abs_state().ok()?;
    let axis = |code: u16| {
        let libc::input_absinfo { minimum, maximum, resolution, .. } =
            *state.get(usize::from(code))?;
        Some(AxisReport { minimum, maximum, resolution })
    };
    let multi = has(ABS_MT_POSITION_X) && has(ABS_MT_POSITION_Y);
    let (x, y) = match multi {
        true => (ABS_MT_POSITION_X, ABS_MT_POSITION_Y),
        false if has(ABS_X) && has(ABS_Y) => (ABS_X, ABS_Y),
        false => return None,
    };
    let slots = axis(ABS_MT_SLOT).filter(|_| has(ABS_MT_SLOT));
    let fingers = slots.map_or(0, |slots| u32::try_from(slots.maximum).unwrap_or(0) + 1);
    Some((axis(x)?, axis(y)?, fingers))
}

/// What a device can do, as sysfs tells it: codes of keys and axes, and properties.
#[derive(Debug, Default)]
struct Abilities {
    keys: BTreeSet<u16>,
    absolute: BTreeSet<u16>,
    relative: BTreeSet<u16>,
    properties: BTreeSet<u16>,
}

impl Abilities {
    /// Reads those of a device's folder.
    fn read(device: &Path) -> Self {
        let bits = |file: &str| {
            let text = std::fs::read_to_string(device.join(file)).unwrap_or_default();
            bits(&text, libc::c_ulong::BITS as usize)
        };
        Self {
            keys: bits("capabilities/key"),
            absolute: bits("capabilities/abs"),
            relative: bits("capabilities/rel"),
            properties: bits("properties"),
        }
    }

    fn class(&self) -> Class {
        let key = |code| self.keys.contains(&code);
        let axes = |axes: &BTreeSet<u16>, x, y| axes.contains(&x) && axes.contains(&y);
        let is_direct = self.properties.contains(&INPUT_PROP_DIRECT);
        let multi = axes(&self.absolute, ABS_MT_POSITION_X, ABS_MT_POSITION_Y);
        let points = multi || axes(&self.absolute, ABS_X, ABS_Y);
        if points && key(BTN_TOOL_FINGER) && !is_direct {
            Class::TouchPad
        } else if points && (is_direct || key(BTN_TOUCH) || multi) {
            Class::TouchScreen
        } else if points && key(BTN_LEFT) {
            Class::AbsolutePointer
        } else if axes(&self.relative, REL_X, REL_Y) && key(BTN_LEFT) {
            Class::Mouse
        } else if LETTERS.into_iter().all(key) {
            Class::Keyboard
        } else if self.keys.iter().any(|code| (1..BTN_MISC).contains(code)) {
            Class::Keys
        } else {
            Class::Other
        }
    }
}

/// `KEY_Q`, `KEY_W`, `KEY_A`, `KEY_ENTER`: what every keyboard has, and no remote control.
const LETTERS: [u16; 4] = [16, 17, 30, 28];

/// The bits that are set in a row of numbers as sysfs writes them: the highest first, each of
/// `width` bits.
fn bits(text: &str, width: usize) -> BTreeSet<u16> {
    let words = text.split_whitespace().rev();
    let numbers = words.map(|word| u64::from_str_radix(word, 16).unwrap_or(0));
    let places = numbers.enumerate().flat_map(|(index, number)| {
        (0..width.min(64))
            .filter(move |bit| number >> bit & 1 == 1)
            .map(move |bit| index * width + bit)
    });
    places.filter_map(|place| u16::try_from(place).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A device's folder as sysfs has it.
    fn class(key: &str, abs: &str, rel: &str, properties: &str) -> Class {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("capabilities")).unwrap();
        for (file, text) in [
            ("capabilities/key", key),
            ("capabilities/abs", abs),
            ("capabilities/rel", rel),
            ("properties", properties),
        ] {
            std::fs::write(folder.path().join(file), format!("{text}\n")).unwrap();
        }
        Abilities::read(folder.path()).class()
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn devices_are_sorted_as_udev_sorts_them() {
        // As kernels write them, of real devices.
        let keyboard = "402000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe";
        assert_eq!(class(keyboard, "0", "0", "0"), Class::Keyboard);
        let touch = "400 0 0 0 0 0";
        assert_eq!(class(touch, "2618000 3", "0", "2"), Class::TouchScreen, "a touch panel");
        assert_eq!(class(touch, "3", "0", "0"), Class::TouchScreen, "a resistive one");
        let pad = "e520 10000 0 0 0 0";
        assert_eq!(class(pad, "2e08000 1000003", "0", "5"), Class::TouchPad);
        let buttons = "70000 0 0 0 0";
        assert_eq!(class(buttons, "3", "100", "0"), Class::AbsolutePointer, "usb-tablet");
        assert_eq!(class(buttons, "0", "103", "0"), Class::Mouse);
        let power = "10000000000000 0";
        assert_eq!(class(power, "0", "0", "0"), Class::Keys);
        assert_eq!(class("0", "0", "0", "0"), Class::Other);
        assert_eq!(class("what", "", "-", "…"), Class::Other);
    }

    #[test]
    fn the_highest_bits_come_first() {
        assert_eq!(bits("1 8000000000000001", 64), BTreeSet::from([0, 63, 64]));
        assert_eq!(bits("1 80000001", 32), BTreeSet::from([0, 31, 32]));
    }
}
