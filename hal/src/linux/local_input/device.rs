//! One physical device: whether it is one, what it can do, and its events.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use evdev::raw_stream::RawDevice;
use evdev::{AbsoluteAxisCode, KeyCode as Code, PropType};
use nix::libc;

use super::decode::{Decoder, EVENT_BYTES, Protocol, Range, RawEvent, Snapshot, Surface};
use crate::linux::calibration::Calibration;
use crate::linux::event_codes::*;
use crate::linux::sys::{KeymapEntry, device_slots, keymap_entry, set_keymap_entry};
use crate::{LocalEvent, Size};

/// Events read at once.
const BATCH: usize = 64;

/// Entries of a keymap that are looked at.
const MAX_KEYMAP: u16 = 1024;

/// What a keyboard says instead of the key that is kept for us: `KEY_MACRO30`, which no keyboard
/// layout has a meaning for.
const RESERVED: u16 = 0x2ad;

/// Batches taken in one go from a device, so that one that never stops cannot keep the others
/// from being read.
const MAX_BATCHES: usize = 16;

/// Whether a device is kept from everyone else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grab {
    /// Everyone has its events.
    Shared,
    /// Only we have them.
    Exclusive,
}

/// A device of the machine.
#[derive(Debug)]
pub(crate) struct Device {
    path: PathBuf,
    raw: RawDevice,
    decoder: Decoder,
    surface: Option<Surface>,
    grab: Grab,
    /// Entries of its keymap as they were before one key was kept for us.
    reserved: Vec<KeymapEntry>,
}

/// Why a device is not read.
#[derive(Debug)]
pub(crate) enum NotRead {
    /// It is none that a person presses, or no physical one; it never will be.
    Unfit(&'static str),
    /// It cannot be opened now.
    Failed(io::Error),
}

impl From<io::Error> for NotRead {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

impl Device {
    /// Opens `/dev/input/eventN`, if it is physical and something to press.
    pub(crate) fn open(path: &Path) -> Result<Self, NotRead> {
        if !is_physical(path)? {
            return Err(NotRead::Unfit("it is virtual"));
        }
        let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
        let raw = RawDevice::from_fd(file.into())?;
        let surface = surface(&raw);
        let has_keys = raw
            .supported_keys()
            .is_some_and(|keys| keys.iter().any(|Code(code)| (1..BTN_MISC).contains(&code)));
        if surface.is_none() && !has_keys {
            return Err(NotRead::Unfit("it has neither keys nor positions"));
        }
        let decoder = Decoder::new(surface);
        let mut device = Self {
            path: path.to_owned(),
            raw,
            decoder,
            surface,
            grab: Grab::Shared,
            reserved: Vec::new(),
        };
        let now = device.snapshot(&device.raw)?;
        device.decoder.begin_with(&now);
        device.decoder.set_calibration(Calibration::of(path));
        Ok(device)
    }

    /// Has it say [`RESERVED`] instead of a key, so that nobody else hears that one. Not every
    /// keyboard can: those of virtual machines often have no keymap.
    pub(crate) fn reserve(&mut self, key: u16) {
        for entry in self.keymap_entries(key) {
            if set_keymap_entry(&self.raw, &entry.with_keycode(RESERVED)).is_ok() {
                self.reserved.push(entry);
                self.decoder.set_alias(RESERVED, key);
            }
        }
    }

    /// Takes over what another process reserved that died, so that it is undone.
    pub(crate) fn adopt(&mut self, key: u16) {
        let entries = self.keymap_entries(RESERVED);
        self.reserved.extend(entries.into_iter().map(|entry| entry.with_keycode(key)));
    }

    /// The entries of its keymap that say a key.
    fn keymap_entries(&self, key: u16) -> Vec<KeymapEntry> {
        let entries = (0..MAX_KEYMAP).map_while(|index| keymap_entry(&self.raw, index).ok());
        entries.filter(|entry| entry.keycode == u32::from(key)).collect()
    }

    /// Its node.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What it calls itself.
    pub(crate) fn name(&self) -> &str {
        self.raw.name().unwrap_or("unnamed")
    }

    /// To wait on until there is something to read.
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.raw.as_fd()
    }

    /// Takes what happened, without waiting.
    ///
    /// # Errors
    /// When the device is gone; everything is released then.
    pub(crate) fn read(&mut self, panel: Size, events: &mut Vec<LocalEvent>) -> io::Result<()> {
        let outcome = self.read_batches(panel, events);
        if outcome.is_err() {
            self.decoder.release(panel, events);
        }
        outcome
    }

    fn read_batches(&mut self, panel: Size, events: &mut Vec<LocalEvent>) -> io::Result<()> {
        let mut bytes = [0; BATCH * EVENT_BYTES];
        for _ in 0..MAX_BATCHES {
            let len = match nix::unistd::read(&self.raw, &mut bytes) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(len) => len,
                Err(nix::errno::Errno::EAGAIN) => return Ok(()),
                Err(nix::errno::Errno::EINTR) => continue,
                Err(errno) => return Err(errno.into()),
            };
            for event in RawEvent::parse(bytes.get(..len).unwrap_or_default()) {
                if self.decoder.event(event, panel, events) {
                    log::debug!("{} lost events", self.path.display());
                    let now = self.snapshot(&self.raw)?;
                    self.decoder.resync(&now, panel, events);
                }
            }
        }
        Ok(())
    }

    /// Asks the kernel what is pressed now, by a descriptor of the device: with its answer it
    /// throws away the keys that wait to be read there (`EVIOCGKEY`).
    fn snapshot(&self, raw: &RawDevice) -> io::Result<Snapshot> {
        let keys = match raw.supported_keys() {
            Some(_) => raw.get_key_state()?.iter().map(|Code(code)| code).collect(),
            None => Default::default(),
        };
        let mut now = Snapshot { keys, slot: 0, single: (0, 0), slots: Vec::new() };
        let Some(surface) = self.surface else { return Ok(now) };
        let axes = raw.get_abs_state()?;
        let value = |code: u16| axes.get(usize::from(code)).map_or(0, |axis| axis.value);
        match surface.protocol {
            Protocol::TypeB => {
                now.slot = value(ABS_MT_SLOT);
                let ids = device_slots(raw, ABS_MT_TRACKING_ID, -1)?;
                let xs = device_slots(raw, ABS_MT_POSITION_X, 0)?;
                let ys = device_slots(raw, ABS_MT_POSITION_Y, 0)?;
                let places = xs.into_iter().zip(ys);
                now.slots = ids.into_iter().zip(places).map(|(id, (x, y))| (id, x, y)).collect();
            }
            Protocol::TypeA => {}
            Protocol::Single(_) => now.single = (value(ABS_X), value(ABS_Y)),
        }
        Ok(now)
    }

    /// Whether anything is pressed, by what was read and by what the kernel says.
    ///
    /// The kernel is asked by a descriptor of its own, so that what waits to be read is not lost: a
    /// key that is pressed at the moment when the panel goes would never be heard.
    fn is_pressed(&self) -> io::Result<bool> {
        if self.decoder.is_pressed() {
            return Ok(true);
        }
        let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(&self.path)?;
        let now = self.snapshot(&RawDevice::from_fd(file.into())?)?;
        Ok(!now.keys.is_empty() || now.slots.iter().any(|&(id, ..)| id >= 0))
    }

    /// Grabs it or lets it go, if nothing is pressed on it now: whoever else reads it would
    /// otherwise never see the release. True if it is as wanted afterwards.
    ///
    /// # Errors
    /// `ResourceBusy` if someone else has grabbed it.
    pub(crate) fn set_grab(&mut self, wanted: Grab) -> io::Result<bool> {
        if self.grab == wanted {
            return Ok(true);
        }
        if wanted == Grab::Exclusive {
            // By now udev has looked at a device that was new when it was opened.
            self.decoder.set_calibration(Calibration::of(&self.path));
        }
        if self.is_pressed()? {
            return Ok(false);
        }
        match wanted {
            Grab::Exclusive => {
                self.raw.grab()?;
                // A press between looking and grabbing was seen by the others.
                if self.is_pressed()? {
                    self.raw.ungrab()?;
                    return Ok(false);
                }
            }
            Grab::Shared => self.raw.ungrab()?,
        }
        self.grab = wanted;
        Ok(true)
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        for entry in &self.reserved {
            // One that is gone needs it no more.
            set_keymap_entry(&self.raw, entry).ok();
        }
    }
}

/// Whether a node belongs to hardware, and not to a program.
///
/// Bluetooth keyboards whose protocol is spoken by a program (`uhid`) count as virtual: they
/// cannot be told from injected input.
fn is_physical(path: &Path) -> io::Result<bool> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let device = std::fs::canonicalize(Path::new("/sys/class/input").join(name))?;
    Ok(device.starts_with("/sys/devices") && !device.starts_with("/sys/devices/virtual"))
}

/// Where a device can point, if it does.
fn surface(raw: &RawDevice) -> Option<Surface> {
    let axes = raw.supported_absolute_axes()?;
    let has = |code: u16| axes.contains(AbsoluteAxisCode(code));
    let key = |code: u16| raw.supported_keys().is_some_and(|keys| keys.contains(Code(code)));
    let properties = raw.properties();
    if properties.contains(PropType::POINTER) && !properties.contains(PropType::DIRECT) {
        // The touch pad of a notebook: its positions are not places on the panel.
        return None;
    }
    let multi = has(ABS_MT_POSITION_X) && has(ABS_MT_POSITION_Y);
    let (protocol, x, y) = if multi {
        let protocol = if has(ABS_MT_SLOT) { Protocol::TypeB } else { Protocol::TypeA };
        (protocol, ABS_MT_POSITION_X, ABS_MT_POSITION_Y)
    } else if has(ABS_X) && has(ABS_Y) {
        let button = [BTN_TOUCH, BTN_LEFT].into_iter().find(|&button| key(button))?;
        (Protocol::Single(button), ABS_X, ABS_Y)
    } else {
        return None;
    };
    let state = raw.get_abs_state().ok()?;
    let range = |code: u16| {
        let axis = state.get(usize::from(code))?;
        (axis.minimum < axis.maximum).then_some(Range { min: axis.minimum, max: axis.maximum })
    };
    let calibration = Calibration::default();
    Some(Surface { protocol, x: range(x)?, y: range(y)?, calibration })
}
