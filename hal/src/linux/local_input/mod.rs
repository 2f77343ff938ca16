//! What the person at the machine does, read from the devices that are really there.
//!
//! Consent hangs on this: a device that a program can make (uinput, uhid) is never read, so
//! that whoever steers the machine from afar cannot answer a question that is put to the person
//! in front of it. Relative mice are not read either: their pointer is somebody else's, and
//! where it is on the panel is not known.

mod decode;
mod device;
#[cfg(test)]
mod tests;

use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use self::device::{Device, Grab, NotRead};
use crate::{Error, KeyCode, LocalEvent, LocalInput, Size};

/// Where the devices are.
const INPUT_DIRECTORY: &str = "/dev/input";

/// The most devices that are read.
const MAX_DEVICES: usize = 64;

/// The physical devices of this machine.
#[derive(Debug)]
pub struct EvdevInput {
    devices: Vec<Device>,
    /// Nodes that will never be read, so that they are not opened again and again.
    unfit: Vec<PathBuf>,
    news: Inotify,
    watches_inputs: bool,
    wanted: Grab,
    /// A key that is kept from everyone else.
    reserved: Option<KeyCode>,
    /// The file that tells which, for when this process dies.
    record: PathBuf,
}

impl EvdevInput {
    /// Opens all physical devices, and follows those that come and go.
    ///
    /// `record` is the file that remembers which key is kept from others;
    /// see [`crate::linux::restore`].
    ///
    /// # Errors
    /// When devices that come and go cannot be followed. A machine without any is no error.
    pub fn open(record: &Path) -> Result<Self, Error> {
        restore(record);
        let failed = |errno: nix::Error| Error::io("follow input devices", errno.into());
        let flags = InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC;
        let news = Inotify::init(flags).map_err(failed)?;
        // For a machine whose first device comes later.
        news.add_watch("/dev", AddWatchFlags::IN_CREATE).map_err(failed)?;
        let mut input = Self {
            devices: Vec::new(),
            unfit: Vec::new(),
            news,
            watches_inputs: false,
            wanted: Grab::Shared,
            reserved: None,
            record: record.to_owned(),
        };
        input.scan();
        Ok(input)
    }

    /// Names of the devices that are read, for people: name and node.
    pub fn names(&self) -> Vec<String> {
        let name = |device: &Device| format!("{} ({})", device.name(), device.path().display());
        self.devices.iter().map(name).collect()
    }

    /// Opens what is new.
    fn scan(&mut self) {
        if !self.watches_inputs {
            // IN_ATTRIB because udev gives a node its rights only after it was made.
            let changes =
                AddWatchFlags::IN_CREATE | AddWatchFlags::IN_ATTRIB | AddWatchFlags::IN_DELETE;
            self.watches_inputs = self.news.add_watch(INPUT_DIRECTORY, changes).is_ok();
        }
        let nodes = event_nodes();
        self.unfit.retain(|path| nodes.contains(path));
        for path in nodes {
            let known = self.devices.iter().any(|device| device.path() == path);
            if known || self.unfit.contains(&path) || self.devices.len() >= MAX_DEVICES {
                continue;
            }
            match Device::open(&path) {
                Ok(mut device) => {
                    log::info!("reading {} ({})", device.name(), path.display());
                    if let Some(KeyCode(key)) = self.reserved {
                        device.reserve(key);
                    }
                    self.devices.push(device);
                }
                Err(NotRead::Unfit(why)) => {
                    log::debug!("not reading {}: {why}", path.display());
                    self.unfit.push(path);
                }
                Err(NotRead::Failed(error)) => {
                    log::debug!("cannot read {}: {error}", path.display());
                }
            }
        }
    }

    /// Empties the news; true if there were any.
    fn has_news(&mut self) -> bool {
        let mut any = false;
        while let Ok(events) = self.news.read_events() {
            any |= !events.is_empty();
            for event in events {
                // The number may come back as something else.
                let path = event.name.map(|name| Path::new(INPUT_DIRECTORY).join(name));
                if event.mask.contains(AddWatchFlags::IN_DELETE) {
                    self.unfit.retain(|unfit| Some(unfit) != path.as_ref());
                }
            }
        }
        any
    }

    /// Brings the devices to what is wanted, as far as nothing is pressed on them.
    fn apply_grab(&mut self) -> Result<(), Error> {
        let mut outcome = Ok(());
        for device in &mut self.devices {
            match device.set_grab(self.wanted) {
                Ok(true) => {}
                Ok(false) => log::debug!("{} is still pressed", device.path().display()),
                Err(error) => {
                    let doing = format!("keep {} to ourselves", device.path().display());
                    outcome = outcome.and(Err(Error::io(doing, error)));
                }
            }
        }
        outcome
    }
}

impl Drop for EvdevInput {
    fn drop(&mut self) {
        // Each has others hear the key again.
        self.devices.clear();
        if self.reserved.is_some() {
            std::fs::remove_file(&self.record).ok();
        }
    }
}

/// Gives the key back to everybody that a process kept for itself which died.
pub(crate) fn restore(record: &Path) {
    let key = std::fs::read_to_string(record).ok().and_then(|text| text.trim().parse().ok());
    let Some(key) = key else { return };
    for mut device in event_nodes().iter().filter_map(|path| Device::open(path).ok()) {
        // When it is dropped, it says the key again.
        device.adopt(key);
    }
    std::fs::remove_file(record).ok();
}

/// Whether the person's hand is heard on a device, or why not.
pub(crate) fn is_heard(path: &Path) -> Result<(), String> {
    match Device::open(path) {
        Ok(_) => Ok(()),
        Err(NotRead::Unfit(why)) => Err(why.to_owned()),
        Err(NotRead::Failed(error)) => Err(error.to_string()),
    }
}

/// The nodes of all event devices, in the order of their numbers.
pub(crate) fn event_nodes() -> Vec<PathBuf> {
    let mut numbers: Vec<u32> = std::fs::read_dir(INPUT_DIRECTORY)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_prefix("event")?.parse().ok())
        .collect();
    numbers.sort_unstable();
    let node = |number| Path::new(INPUT_DIRECTORY).join(format!("event{number}"));
    numbers.into_iter().map(node).collect()
}

impl LocalInput for EvdevInput {
    fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        let news = self.news.as_fd();
        std::iter::once(news).chain(self.devices.iter().map(Device::descriptor)).collect()
    }

    fn read(&mut self, panel: Size, events: &mut Vec<LocalEvent>) -> Result<(), Error> {
        self.devices.retain_mut(|device| match device.read(panel, events) {
            Ok(()) => true,
            Err(error) => {
                log::info!("{} is gone: {error}", device.path().display());
                false
            }
        });
        if self.has_news() {
            self.scan();
        }
        // One that came later, or was pressed when it was asked for.
        if let Err(error) = self.apply_grab() {
            log::debug!("{error}");
        }
        Ok(())
    }

    fn reserve(&mut self, key: KeyCode) {
        self.reserved = Some(key);
        if let Err(error) = std::fs::write(&self.record, key.0.to_string()) {
            let record = self.record.display();
            log::warn!("{record}: {error}; after a crash nobody hears key {}", key.0);
        }
        self.devices.iter_mut().for_each(|device| device.reserve(key.0));
    }

    fn grab(&mut self, exclusive: bool) -> Result<(), Error> {
        self.wanted = if exclusive { Grab::Exclusive } else { Grab::Shared };
        self.apply_grab()
    }
}
