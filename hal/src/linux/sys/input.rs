//! Input devices, real and virtual; see `linux/input.h` and `linux/uinput.h`.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use nix::errno::Errno;
use nix::libc::{self, c_char, c_int, c_ulong};

/// What a virtual device can do: one bit of one of its sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UinputBit {
    /// A kind of event, `EV_*`.
    Event(u16),
    /// A key or button, `KEY_*`, `BTN_*`.
    Key(u16),
    /// A relative axis, `REL_*`.
    Relative(u16),
    /// A lamp, `LED_*`.
    Led(u16),
    /// A miscellaneous event, `MSC_*`.
    Misc(u16),
    /// A property of the device, `INPUT_PROP_*`.
    Property(u16),
}

/// Who a virtual device says it is (`struct input_id`).
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeviceId {
    /// `BUS_*`
    pub(crate) bus: u16,
    /// Vendor.
    pub(crate) vendor: u16,
    /// Product of the vendor.
    pub(crate) product: u16,
    /// Version of the product.
    pub(crate) version: u16,
}

/// One axis (`struct input_absinfo`).
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct AbsoluteAxis {
    /// Where it is.
    pub(crate) value: i32,
    /// Its smallest value.
    pub(crate) minimum: i32,
    /// Its largest value.
    pub(crate) maximum: i32,
    /// Noise to filter.
    pub(crate) fuzz: i32,
    /// Dead zone.
    pub(crate) flat: i32,
    /// Units per millimetre.
    pub(crate) resolution: i32,
}

const NAME_LEN: usize = 80;

#[repr(C)]
struct UinputSetup {
    id: DeviceId,
    name: [c_char; NAME_LEN],
    ff_effects_max: u32,
}

#[repr(C)]
struct UinputAbsSetup {
    code: u16,
    // Two bytes of padding are here, as in C.
    axis: AbsoluteAxis,
}

nix::ioctl_none!(ioctl_dev_create, b'U', 1);
nix::ioctl_write_ptr!(ioctl_dev_setup, b'U', 3, UinputSetup);
nix::ioctl_write_ptr!(ioctl_abs_setup, b'U', 4, UinputAbsSetup);
nix::ioctl_read_buf!(ioctl_get_sysname, b'U', 44, u8);

// The UI_SET_* numbers are _IOW(…, int), whose size is that of an int and not that of the
// argument's register, which nix's macro would take.
macro_rules! set_bit {
    ($name:ident, $number:literal) => {
        fn $name(fd: c_int, bit: u16) -> nix::Result<c_int> {
            const REQUEST: c_ulong = nix::request_code_write!(b'U', $number, size_of::<c_int>());
            // SAFETY: the argument is a number; the kernel touches no memory of ours.
            Errno::result(unsafe { libc::ioctl(fd, REQUEST as _, c_int::from(bit)) })
        }
    };
}
set_bit!(set_event, 100);
set_bit!(set_key, 101);
set_bit!(set_relative, 102);
set_bit!(set_absolute, 103);
set_bit!(set_misc, 104);
set_bit!(set_led, 105);
set_bit!(set_property, 110);

/// Gives a device that is not created yet one more ability.
pub(crate) fn uinput_bit(uinput: impl AsFd, bit: UinputBit) -> io::Result<()> {
    let fd = uinput.as_fd().as_raw_fd();
    match bit {
        UinputBit::Event(bit) => set_event(fd, bit),
        UinputBit::Key(bit) => set_key(fd, bit),
        UinputBit::Relative(bit) => set_relative(fd, bit),
        UinputBit::Led(bit) => set_led(fd, bit),
        UinputBit::Misc(bit) => set_misc(fd, bit),
        UinputBit::Property(bit) => set_property(fd, bit),
    }?;
    Ok(())
}

/// Gives a device that is not created yet an absolute axis (`UI_ABS_SETUP`).
pub(crate) fn uinput_absolute(uinput: impl AsFd, code: u16, axis: AbsoluteAxis) -> io::Result<()> {
    let fd = uinput.as_fd().as_raw_fd();
    set_absolute(fd, code)?;
    // SAFETY: the kernel reads one struct uinput_abs_setup from a reference that is valid.
    unsafe { ioctl_abs_setup(fd, &UinputAbsSetup { code, axis })? };
    Ok(())
}

/// Names the device and creates it; a name longer than 79 bytes is cut.
pub(crate) fn uinput_create(uinput: impl AsFd, id: DeviceId, name: &str) -> io::Result<()> {
    let fd = uinput.as_fd().as_raw_fd();
    let mut setup = UinputSetup { id, name: [0; NAME_LEN], ff_effects_max: 0 };
    for (to, &from) in setup.name.iter_mut().take(NAME_LEN - 1).zip(name.as_bytes()) {
        *to = from as c_char;
    }
    // SAFETY: the kernel reads one struct uinput_setup from a reference that is valid.
    unsafe { ioctl_dev_setup(fd, &setup)? };
    // SAFETY: the call has no argument.
    unsafe { ioctl_dev_create(fd)? };
    Ok(())
}

/// The device's name below `/sys/devices/virtual/input/`, once created (`UI_GET_SYSNAME`).
pub(crate) fn uinput_sysname(uinput: impl AsFd) -> io::Result<String> {
    let mut name = [0u8; 64];
    // SAFETY: the kernel writes at most as many bytes as the slice has.
    unsafe { ioctl_get_sysname(uinput.as_fd().as_raw_fd(), &mut name)? };
    let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
    let name = name.get(..end).unwrap_or_default();
    String::from_utf8(name.to_vec()).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// How many slots [`device_slots`] asks for; no touch screen has more fingers.
const MAX_SLOTS: usize = 64;

/// The value of one multi-touch axis in each slot (`EVIOCGMTSLOTS`).
///
/// Slots that the device does not have keep the value `missing`.
pub(crate) fn device_slots(device: impl AsFd, code: u16, missing: i32) -> io::Result<Vec<i32>> {
    #[repr(C)]
    struct Request {
        code: u32,
        values: [i32; MAX_SLOTS],
    }
    let mut answer = Request { code: u32::from(code), values: [missing; MAX_SLOTS] };
    let request = nix::request_code_read!(b'E', 0x0a, size_of::<Request>());
    // SAFETY: the kernel writes at most the size in the request number through a pointer to a
    // struct of exactly that size.
    Errno::result(unsafe {
        libc::ioctl(device.as_fd().as_raw_fd(), request as _, &raw mut answer)
    })?;
    Ok(answer.values.to_vec())
}

/// One entry of a device's keymap (`struct input_keymap_entry`): what it says when a key is
/// pressed.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeymapEntry {
    flags: u8,
    len: u8,
    index: u16,
    /// `KEY_*`
    pub(crate) keycode: u32,
    scancode: [u8; 32],
}

impl KeymapEntry {
    /// The same entry for another key.
    pub(crate) fn with_keycode(self, keycode: u16) -> Self {
        Self { keycode: keycode.into(), ..self }
    }
}

/// `INPUT_KEYMAP_BY_INDEX`
const KEYMAP_BY_INDEX: u8 = 1;

/// An entry of a device's keymap, by its place in it (`EVIOCGKEYCODE_V2`).
///
/// # Errors
/// When there are not so many, or the device has none.
pub(crate) fn keymap_entry(device: impl AsFd, index: u16) -> io::Result<KeymapEntry> {
    let mut entry =
        KeymapEntry { flags: KEYMAP_BY_INDEX, len: 0, index, keycode: 0, scancode: [0; 32] };
    let request = nix::request_code_read!(b'E', 0x04, size_of::<KeymapEntry>());
    // SAFETY: the kernel reads and writes one struct input_keymap_entry through a pointer that is
    // valid.
    Errno::result(unsafe {
        libc::ioctl(device.as_fd().as_raw_fd(), request as _, &raw mut entry)
    })?;
    Ok(entry)
}

/// Changes what a device says for the key of an entry (`EVIOCSKEYCODE_V2`).
///
/// # Errors
/// When the device does not let it be changed.
pub(crate) fn set_keymap_entry(device: impl AsFd, entry: &KeymapEntry) -> io::Result<()> {
    let by_scancode = KeymapEntry { flags: 0, ..*entry };
    let request = nix::request_code_write!(b'E', 0x04, size_of::<KeymapEntry>());
    // SAFETY: the kernel reads one struct input_keymap_entry through a pointer that is valid.
    Errno::result(unsafe {
        libc::ioctl(device.as_fd().as_raw_fd(), request as _, &raw const by_scancode)
    })?;
    Ok(())
}
