//! Injected input: three virtual devices.
//!
//! They are three because udev and libinput sort a device into one class by what it can do, and
//! one that can do everything is sorted wrongly: a touch screen with mouse buttons becomes a
//! mouse, a pointer with relative axes too becomes one whose position jumps.
//!
//! The devices live as long as these values. When the process ends, however it ends, the kernel
//! removes them and releases every key.
//!
//! # Source
//! `linux/uinput.h`, `linux/input-event-codes.h`, and the kernel's
//! `Documentation/input/multi-touch-protocol.rst`.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::event_codes::*;
use super::mounting::{Mounted, Mounting};
use super::sys::{
    AbsoluteAxis, DeviceId, UinputBit, uinput_absolute, uinput_bit, uinput_create, uinput_sysname,
};
use crate::{Button, Error, Held, KeyCode, Keyboard, Point, Pointer, Size, Touch};

/// Where virtual devices are made.
const UINPUT: &str = "/dev/uinput";

/// Largest value of an absolute axis; the smallest is 0.
const AXIS_MAX: i32 = 32767;

/// How many fingers can be down at once.
const SLOTS: u8 = 10;

/// Units per millimetre: a panel of 256 × 160 mm. Readers that find none invent one.
const TOUCH_RESOLUTION: (i32, i32) = (128, 205);

/// Hi-res units of one notch of a wheel.
const WHEEL_NOTCH: i32 = 120;

/// How long a new device may take until its node is there.
const NODE_TIMEOUT: Duration = Duration::from_secs(2);

/// The highest key that is offered without a gap; `KEY_MICMUTE`.
const LAST_COMMON_KEY: u16 = 248;

/// Keys beyond [`LAST_COMMON_KEY`] that panels and remote controls have: `KEY_OK`,
/// `KEY_SELECT`, `KEY_GOTO`, `KEY_CLEAR`, `KEY_INFO`, `KEY_ZOOM`, `KEY_RED`, `KEY_GREEN`,
/// `KEY_YELLOW`, `KEY_BLUE`, `KEY_CHANNELUP`, `KEY_CHANNELDOWN`, `KEY_NEXT`, `KEY_PREVIOUS`.
const FURTHER_KEYS: [u16; 14] = [
    0x160, 0x161, 0x162, 0x163, 0x166, 0x174, 0x18e, 0x18f, 0x190, 0x191, 0x192, 0x193, 0x197,
    0x19c,
];

/// A virtual device that takes frames of events.
#[derive(Debug)]
struct Device {
    file: File,
    name: &'static str,
    frame: Vec<u8>,
}

impl Device {
    fn create(
        name: &'static str,
        product: u16,
        describe: impl FnOnce(&File) -> std::io::Result<()>,
    ) -> Result<Self, Error> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(UINPUT)
            .map_err(|error| Error::io(format!("open {UINPUT}"), error))?;
        let id = DeviceId { bus: BUS_VIRTUAL, vendor: 0, product, version: 1 };
        describe(&file)
            .and_then(|()| uinput_create(&file, id, name))
            .map_err(|error| Error::io(format!("create {name:?}"), error))?;
        wait_for_node(&file, name)?;
        Ok(Self { file, name, frame: Vec::new() })
    }

    fn push(&mut self, kind: u16, code: u16, value: i32) {
        // The time is two words, of the size that the kernel's long has; it fills them in.
        self.frame.extend_from_slice(&[0; 2 * size_of::<nix::libc::c_ulong>()]);
        self.frame.extend_from_slice(&kind.to_ne_bytes());
        self.frame.extend_from_slice(&code.to_ne_bytes());
        self.frame.extend_from_slice(&value.to_ne_bytes());
    }

    /// Sends what was pushed, and the end of the frame, in one piece: readers never see a half.
    fn send(&mut self) -> Result<(), Error> {
        self.push(EV_SYN, SYN_REPORT, 0);
        let outcome = self.file.write_all(&self.frame);
        self.frame.clear();
        outcome.map_err(|error| Error::io(format!("inject through {:?}", self.name), error))
    }
}

/// Waits until readers can open the device.
fn wait_for_node(file: &File, name: &str) -> Result<(), Error> {
    let failed = |error| Error::io(format!("find the node of {name:?}"), error);
    let directory =
        Path::new("/sys/devices/virtual/input").join(uinput_sysname(file).map_err(failed)?);
    let deadline = Instant::now() + NODE_TIMEOUT;
    while node_of(&directory).is_none_or(|node| !node.exists()) {
        if Instant::now() >= deadline {
            return Err(failed(std::io::ErrorKind::TimedOut.into()));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

fn node_of(directory: &Path) -> Option<PathBuf> {
    let mut names = std::fs::read_dir(directory)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let event = names.find(|name| name.starts_with("event"))?;
    Some(Path::new("/dev/input").join(event))
}

fn bits(file: &File, bits: impl IntoIterator<Item = UinputBit>) -> std::io::Result<()> {
    bits.into_iter().try_for_each(|bit| uinput_bit(file, bit))
}

fn axis(maximum: i32, resolution: i32) -> AbsoluteAxis {
    AbsoluteAxis { maximum, resolution, ..AbsoluteAxis::default() }
}

/// The middle of a pixel on an axis, so that readers find that very pixel however they round.
fn scale(pixel: u32, pixels: u32) -> i32 {
    let pixels = u64::from(pixels.max(1));
    let pixel = u64::from(pixel).min(pixels - 1);
    let units = (AXIS_MAX + 1) as u64;
    ((2 * pixel + 1) * units / (2 * pixels)) as i32
}

/// A virtual keyboard, `Lotse keyboard`.
#[derive(Debug)]
pub struct UinputKeyboard {
    device: Device,
    down: BTreeSet<u16>,
}

impl UinputKeyboard {
    /// Creates the device.
    ///
    /// # Errors
    /// When `/dev/uinput` is missing (load the module `uinput`) or not writable.
    pub fn create() -> Result<Self, Error> {
        let device = Device::create("Lotse keyboard", 3, |file| {
            bits(file, [EV_KEY, EV_LED, EV_MSC].map(UinputBit::Event))?;
            bits(file, (1..=LAST_COMMON_KEY).chain(FURTHER_KEYS).map(UinputBit::Key))?;
            bits(file, [LED_NUML, LED_CAPSL, LED_SCROLLL].map(UinputBit::Led))?;
            uinput_bit(file, UinputBit::Misc(MSC_SCAN))
        })?;
        Ok(Self { device, down: BTreeSet::new() })
    }
}

impl Keyboard for UinputKeyboard {
    /// Pressing a key that is down repeats it, as holding it on a real keyboard does.
    fn key(&mut self, key: KeyCode, pressed: bool) -> Result<(), Error> {
        let KeyCode(code) = key;
        if !(1..=LAST_COMMON_KEY).contains(&code) && !FURTHER_KEYS.contains(&code) {
            return Err(Error::Unsupported(format!("the keyboard has no key {code}")));
        }
        let value = match (pressed, self.down.contains(&code)) {
            (true, true) => 2,
            (true, false) => 1,
            (false, true) => 0,
            (false, false) => return Ok(()),
        };
        self.device.push(EV_KEY, code, value);
        self.device.send()?;
        if pressed {
            self.down.insert(code);
        } else {
            self.down.remove(&code);
        }
        Ok(())
    }
}

/// A virtual absolute pointer, `Lotse pointer`: like the tablet of a virtual machine.
#[derive(Debug)]
pub struct UinputPointer {
    device: Device,
}

impl UinputPointer {
    /// Creates the device.
    ///
    /// # Errors
    /// As [`UinputKeyboard::create`].
    pub fn create() -> Result<Self, Error> {
        let device = Device::create("Lotse pointer", 2, |file| {
            bits(file, [EV_KEY, EV_REL, EV_ABS].map(UinputBit::Event))?;
            bits(file, [BTN_LEFT, BTN_RIGHT, BTN_MIDDLE].map(UinputBit::Key))?;
            let wheels = [REL_WHEEL, REL_HWHEEL, REL_WHEEL_HI_RES, REL_HWHEEL_HI_RES];
            bits(file, wheels.map(UinputBit::Relative))?;
            uinput_absolute(file, ABS_X, axis(AXIS_MAX, 0))?;
            uinput_absolute(file, ABS_Y, axis(AXIS_MAX, 0))
        })?;
        Ok(Self { device })
    }
}

impl Pointer for UinputPointer {
    fn move_to(&mut self, at: Point, within: Size) -> Result<(), Error> {
        self.device.push(EV_ABS, ABS_X, scale(at.x, within.width));
        self.device.push(EV_ABS, ABS_Y, scale(at.y, within.height));
        self.device.send()
    }

    fn button(&mut self, button: Button, pressed: bool) -> Result<(), Error> {
        let code = match button {
            Button::Left => BTN_LEFT,
            Button::Middle => BTN_MIDDLE,
            Button::Right => BTN_RIGHT,
        };
        self.device.push(EV_KEY, code, pressed.into());
        self.device.send()
    }

    fn wheel(&mut self, vertical: i32, horizontal: i32) -> Result<(), Error> {
        let axes =
            [(vertical, REL_WHEEL, REL_WHEEL_HI_RES), (horizontal, REL_HWHEEL, REL_HWHEEL_HI_RES)];
        for (notches, coarse, fine) in axes {
            if notches != 0 {
                self.device.push(EV_REL, coarse, notches);
                self.device.push(EV_REL, fine, notches.saturating_mul(WHEEL_NOTCH));
            }
        }
        if self.device.frame.is_empty() { Ok(()) } else { self.device.send() }
    }
}

/// A virtual touch screen, `Lotse touch`.
#[derive(Debug)]
pub struct UinputTouch {
    device: Device,
    /// Slots with a finger, the one that has been down longest first.
    down: Vec<u8>,
    next_id: u16,
}

impl UinputTouch {
    /// Creates the device.
    ///
    /// # Errors
    /// As [`UinputKeyboard::create`].
    pub fn create() -> Result<Self, Error> {
        let device = Device::create("Lotse touch", 1, |file| {
            bits(file, [EV_KEY, EV_ABS].map(UinputBit::Event))?;
            uinput_bit(file, UinputBit::Key(BTN_TOUCH))?;
            uinput_bit(file, UinputBit::Property(INPUT_PROP_DIRECT))?;
            let (horizontal, vertical) =
                (axis(AXIS_MAX, TOUCH_RESOLUTION.0), axis(AXIS_MAX, TOUCH_RESOLUTION.1));
            uinput_absolute(file, ABS_MT_SLOT, axis(i32::from(SLOTS) - 1, 0))?;
            uinput_absolute(file, ABS_MT_TRACKING_ID, axis(i32::from(u16::MAX), 0))?;
            for (single, multi, axis) in
                [(ABS_X, ABS_MT_POSITION_X, horizontal), (ABS_Y, ABS_MT_POSITION_Y, vertical)]
            {
                uinput_absolute(file, single, axis)?;
                uinput_absolute(file, multi, axis)?;
            }
            Ok(())
        })?;
        Ok(Self { device, down: Vec::with_capacity(usize::from(SLOTS)), next_id: 0 })
    }
}

impl Touch for UinputTouch {
    fn slots(&self) -> u8 {
        SLOTS
    }

    fn contact(&mut self, slot: u8, at: Point, within: Size) -> Result<(), Error> {
        if slot >= SLOTS {
            return Err(Error::Unsupported(format!("the touch screen has no finger {slot}")));
        }
        let (x, y) = (scale(at.x, within.width), scale(at.y, within.height));
        self.device.push(EV_ABS, ABS_MT_SLOT, slot.into());
        if !self.down.contains(&slot) {
            self.device.push(EV_ABS, ABS_MT_TRACKING_ID, self.next_id.into());
            self.next_id = self.next_id.wrapping_add(1);
            if self.down.is_empty() {
                self.device.push(EV_KEY, BTN_TOUCH, 1);
            }
            self.down.push(slot);
        }
        self.device.push(EV_ABS, ABS_MT_POSITION_X, x);
        self.device.push(EV_ABS, ABS_MT_POSITION_Y, y);
        // Readers that know one finger only follow the one that was first.
        if self.down.first() == Some(&slot) {
            self.device.push(EV_ABS, ABS_X, x);
            self.device.push(EV_ABS, ABS_Y, y);
        }
        self.device.send()
    }

    fn lift(&mut self, slot: u8) -> Result<(), Error> {
        let Some(index) = self.down.iter().position(|&down| down == slot) else { return Ok(()) };
        self.down.remove(index);
        self.device.push(EV_ABS, ABS_MT_SLOT, slot.into());
        self.device.push(EV_ABS, ABS_MT_TRACKING_ID, -1);
        if self.down.is_empty() {
            self.device.push(EV_KEY, BTN_TOUCH, 0);
        }
        self.device.send()
    }
}

/// Creates all three devices; places follow the display's mounting.
///
/// Programs that learn of devices from udev see new ones only 0.1 to 0.6 s later and lose what
/// is injected before; so make them at start, not when they are needed.
///
/// # Errors
/// As [`UinputKeyboard::create`].
pub fn create(mounting: &Mounting) -> Result<Held, Error> {
    let touch = Mounted::new(UinputTouch::create()?, mounting.clone());
    let pointer = Mounted::new(UinputPointer::create()?, mounting.clone());
    let keyboard = UinputKeyboard::create()?;
    Ok(Held::new(Box::new(keyboard), Box::new(pointer), Box::new(touch)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn readers_find_the_very_pixel_however_they_round(pixels in 1u32..=8192, pick: u32) {
            let pixel = pick % pixels;
            let value = i64::from(scale(pixel, pixels));
            prop_assert!((0..=i64::from(AXIS_MAX)).contains(&value));
            let (wide, max) = (i64::from(pixels), i64::from(AXIS_MAX));
            prop_assert_eq!(value * wide / (max + 1), i64::from(pixel), "as libinput does");
            prop_assert_eq!(value * wide / max, i64::from(pixel), "as others do");
        }
    }

    #[test]
    fn what_is_outside_becomes_the_edge() {
        assert_eq!(scale(u32::MAX, 100), scale(99, 100));
        assert_eq!(scale(5, 0), scale(0, 1));
    }
}
