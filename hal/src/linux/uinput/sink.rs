//! What takes frames of events: a virtual device of our own, or a device that is there already.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use evdev::raw_stream::RawDevice;
use nix::libc;

use crate::Error;
use crate::linux::event_codes::*;
use crate::linux::sys::{
    AbsoluteAxis, DeviceId, UinputBit, device_slots, uinput_absolute, uinput_bit, uinput_create,
    uinput_sysname,
};

/// Where virtual devices are made.
const UINPUT: &str = "/dev/uinput";

/// How long a new device may take until its node is there.
const NODE_TIMEOUT: Duration = Duration::from_secs(2);

/// Something that takes frames of events.
#[derive(Debug)]
pub(super) struct Sink {
    file: File,
    name: String,
    node: PathBuf,
    frame: Vec<u8>,
    /// Where it is noted that a device which stays behind us may be held, for one that is not
    /// ours: the kernel lets go of our own when we die.
    note: Option<PathBuf>,
}

impl Sink {
    /// Makes a virtual device.
    pub(super) fn create(
        name: &str,
        product: u16,
        describe: impl FnOnce(&File) -> io::Result<()>,
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
        let node = wait_for_node(&file, name)?;
        Ok(Self { file, name: name.to_owned(), node, frame: Vec::new(), note: None })
    }

    /// Takes a device that is there. What a predecessor left pressed on it is let go; `note` is
    /// the file by which that is known.
    pub(super) fn open(node: &Path, note: PathBuf) -> Result<(Self, RawDevice), Error> {
        let doing = |what: &str| format!("{what} {}", node.display());
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(node)
            .map_err(|error| Error::io(doing("open"), error))?;
        let raw = file.try_clone().and_then(|file| RawDevice::from_fd(file.into()));
        let raw = raw.map_err(|error| Error::io(doing("ask what can be done with"), error))?;
        let name = node.display().to_string();
        let was_noted = note.exists();
        let node = node.to_owned();
        let mut sink = Self { file, name, node, frame: Vec::new(), note: Some(note) };
        if was_noted {
            log::warn!("{}: letting go of what was left pressed", sink.name);
            sink.let_go(&raw)?;
        }
        Ok((sink, raw))
    }

    /// Its node.
    pub(super) fn node(&self) -> &Path {
        &self.node
    }

    /// Adds an event to the frame.
    pub(super) fn push(&mut self, kind: u16, code: u16, value: i32) {
        // The time is two words, of the size that the kernel's long has; it fills them in.
        self.frame.extend_from_slice(&[0; 2 * size_of::<libc::c_ulong>()]);
        self.frame.extend_from_slice(&kind.to_ne_bytes());
        self.frame.extend_from_slice(&code.to_ne_bytes());
        self.frame.extend_from_slice(&value.to_ne_bytes());
    }

    /// Whether nothing was added.
    pub(super) fn is_empty(&self) -> bool {
        self.frame.is_empty()
    }

    /// Sends what was pushed, and the end of the frame, in one piece: readers never see a half.
    pub(super) fn send(&mut self) -> Result<(), Error> {
        self.push(EV_SYN, SYN_REPORT, 0);
        if let Some(note) = self.note.as_ref().filter(|note| !note.exists())
            && let Err(error) = std::fs::write(note, self.name.as_bytes())
        {
            log::warn!("{}: {error}; after a crash something may stay pressed", note.display());
        }
        let mut outcome = self.file.write_all(&self.frame);
        if outcome.as_ref().is_err_and(|error| error.raw_os_error() == Some(libc::ENODEV))
            && self.note.is_some()
        {
            // Plugged out and in again.
            outcome = OpenOptions::new().read(true).write(true).open(&self.node).and_then(|file| {
                self.file = file;
                self.file.write_all(&self.frame)
            });
        }
        self.frame.clear();
        outcome.map_err(|error| Error::io(format!("inject through {:?}", self.name), error))
    }

    fn let_go(&mut self, raw: &RawDevice) -> Result<(), Error> {
        let failed = |error| Error::io("ask what is pressed", error);
        if raw.supported_keys().is_some() {
            for key in raw.get_key_state().map_err(failed)?.iter() {
                self.push(EV_KEY, key.0, 0);
            }
        }
        let axes = raw.supported_absolute_axes();
        if axes.is_some_and(|axes| axes.contains(evdev::AbsoluteAxisCode(ABS_MT_SLOT))) {
            let ids = device_slots(raw, ABS_MT_TRACKING_ID, -1).map_err(failed)?;
            for (slot, _) in (0..).zip(ids).filter(|(_, id)| *id >= 0) {
                self.push(EV_ABS, ABS_MT_SLOT, slot);
                self.push(EV_ABS, ABS_MT_TRACKING_ID, -1);
            }
        }
        if self.is_empty() { Ok(()) } else { self.send() }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // Whoever holds us has released everything before.
        if let Some(note) = &self.note {
            std::fs::remove_file(note).ok();
        }
    }
}

/// Waits until readers can open the device, and tells its node.
fn wait_for_node(file: &File, name: &str) -> Result<PathBuf, Error> {
    let failed = |error| Error::io(format!("find the node of {name:?}"), error);
    let directory =
        Path::new("/sys/devices/virtual/input").join(uinput_sysname(file).map_err(failed)?);
    let deadline = Instant::now() + NODE_TIMEOUT;
    loop {
        if let Some(node) = node_of(&directory).filter(|node| node.exists()) {
            return Ok(node);
        }
        if Instant::now() >= deadline {
            return Err(failed(io::ErrorKind::TimedOut.into()));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn node_of(directory: &Path) -> Option<PathBuf> {
    let mut names = std::fs::read_dir(directory)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let event = names.find(|name| name.starts_with("event"))?;
    Some(Path::new("/dev/input").join(event))
}

/// Gives a device that is not created yet several abilities.
pub(super) fn bits(file: &File, bits: impl IntoIterator<Item = UinputBit>) -> io::Result<()> {
    bits.into_iter().try_for_each(|bit| uinput_bit(file, bit))
}

/// Values of an axis, and units per millimetre.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Axis {
    pub(super) minimum: i32,
    pub(super) maximum: i32,
    pub(super) resolution: i32,
}

impl Axis {
    /// From 0.
    pub(super) const fn to(maximum: i32, resolution: i32) -> Self {
        Self { minimum: 0, maximum, resolution }
    }

    /// How many values it has.
    pub(super) fn steps(self) -> i64 {
        (i64::from(self.maximum) - i64::from(self.minimum) + 1).max(1)
    }

    /// The middle of a pixel, as a step from the smallest value on: so readers find that very
    /// pixel however they round.
    pub(super) fn step(self, pixel: u32, pixels: u32) -> i64 {
        let pixels = i64::from(pixels.max(1));
        let pixel = i64::from(pixel).min(pixels - 1);
        (2 * pixel + 1) * self.steps() / (2 * pixels)
    }

    /// The value of a step.
    pub(super) fn value(self, step: i64) -> i32 {
        (i64::from(self.minimum) + step.clamp(0, self.steps() - 1)) as i32
    }

    /// Gives it to a device that is not created yet.
    pub(super) fn give(self, file: &File, code: u16) -> io::Result<()> {
        let Self { minimum, maximum, resolution } = self;
        let axis = AbsoluteAxis { minimum, maximum, resolution, ..AbsoluteAxis::default() };
        uinput_absolute(file, code, axis)
    }

    /// That of a device; `None` if it has none, or it makes no sense.
    pub(super) fn of(raw: &RawDevice, code: u16) -> Option<Self> {
        let axes = raw.supported_absolute_axes()?;
        axes.contains(evdev::AbsoluteAxisCode(code)).then_some(())?;
        let libc::input_absinfo { minimum, maximum, resolution, .. } =
            *raw.get_abs_state().ok()?.get(usize::from(code))?;
        (minimum < maximum).then_some(Self { minimum, maximum, resolution })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn readers_find_the_very_pixel_however_they_round(
            pixels in 1u32..=8192,
            pick: u32,
            minimum in -5000i32..5000,
        ) {
            let axis = Axis { minimum, maximum: minimum + 32767, resolution: 0 };
            let pixel = pick % pixels;
            let value = i64::from(axis.value(axis.step(pixel, pixels))) - i64::from(minimum);
            prop_assert!((0..=32767).contains(&value));
            let wide = i64::from(pixels);
            prop_assert_eq!(value * wide / 32768, i64::from(pixel), "as libinput does");
            prop_assert_eq!(value * wide / 32767, i64::from(pixel), "as others do");
        }
    }

    #[test]
    fn what_is_outside_becomes_the_edge() {
        let axis = Axis::to(32767, 0);
        assert_eq!(axis.step(u32::MAX, 100), axis.step(99, 100));
        assert_eq!(axis.step(5, 0), axis.step(0, 1));
        assert_eq!((axis.value(-5), axis.value(i64::MAX)), (0, 32767));
    }
}
