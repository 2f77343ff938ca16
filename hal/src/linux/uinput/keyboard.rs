//! Keys: through a virtual keyboard, or one that is there.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use evdev::LedCode;
use evdev::raw_stream::RawDevice;

use super::sink::{Sink, bits};
use crate::linux::event_codes::*;
use crate::linux::sys::{UinputBit, uinput_bit};
use crate::{Error, KeyCode, Keyboard, Locks};

/// The highest key that is offered without a gap; `KEY_MICMUTE`.
const LAST_COMMON_KEY: u16 = 248;

/// Keys beyond [`LAST_COMMON_KEY`] that panels and remote controls have: `KEY_OK`,
/// `KEY_SELECT`, `KEY_GOTO`, `KEY_CLEAR`, `KEY_INFO`, `KEY_ZOOM`, `KEY_RED`, `KEY_GREEN`,
/// `KEY_YELLOW`, `KEY_BLUE`, `KEY_CHANNELUP`, `KEY_CHANNELDOWN`, `KEY_NEXT`, `KEY_PREVIOUS`.
const FURTHER_KEYS: [u16; 14] = [
    0x160, 0x161, 0x162, 0x163, 0x166, 0x174, 0x18e, 0x18f, 0x190, 0x191, 0x192, 0x193, 0x197,
    0x19c,
];

/// A keyboard that is injected into: our own, `Lotse keyboard`, or another.
#[derive(Debug)]
pub struct UinputKeyboard {
    sink: Sink,
    /// The keys that it has; `None` for our own, see [`LAST_COMMON_KEY`].
    keys: Option<BTreeSet<u16>>,
    /// Whether it can send the number of a key without the key.
    has_scan: bool,
    down: BTreeSet<u16>,
}

impl UinputKeyboard {
    /// Creates a virtual keyboard.
    ///
    /// # Errors
    /// When `/dev/uinput` is missing (load the module `uinput`) or not writable.
    pub fn create() -> Result<Self, Error> {
        let sink = Sink::create("Lotse keyboard", 3, |file| {
            bits(file, [EV_KEY, EV_LED, EV_MSC].map(UinputBit::Event))?;
            bits(file, (1..=LAST_COMMON_KEY).chain(FURTHER_KEYS).map(UinputBit::Key))?;
            bits(file, [LED_NUML, LED_CAPSL, LED_SCROLLL].map(UinputBit::Led))?;
            uinput_bit(file, UinputBit::Misc(MSC_SCAN))
        })?;
        Ok(Self { sink, keys: None, has_scan: true, down: BTreeSet::new() })
    }

    /// Takes a keyboard that is there.
    ///
    /// # Errors
    /// When it cannot be written to, or has no keys.
    pub(super) fn open(node: &Path, note: PathBuf) -> Result<Self, Error> {
        let (sink, raw) = Sink::open(node, note)?;
        let keys: BTreeSet<u16> = raw
            .supported_keys()
            .map(|keys| keys.iter().map(|key| key.0).filter(|key| *key < BTN_MISC).collect())
            .unwrap_or_default();
        if keys.is_empty() {
            return Err(Error::Unsupported(format!("{} has no keys", node.display())));
        }
        let has_scan =
            raw.misc_properties().is_some_and(|misc| misc.contains(evdev::MiscCode(MSC_SCAN)));
        Ok(Self { sink, keys: Some(keys), has_scan, down: BTreeSet::new() })
    }

    fn has(&self, code: u16) -> bool {
        match &self.keys {
            Some(keys) => keys.contains(&code),
            None => (1..=LAST_COMMON_KEY).contains(&code) || FURTHER_KEYS.contains(&code),
        }
    }
}

impl Keyboard for UinputKeyboard {
    /// Pressing a key that is down repeats it, as holding it on a real keyboard does.
    fn key(&mut self, key: KeyCode, pressed: bool) -> Result<(), Error> {
        let KeyCode(code) = key;
        if !self.has(code) {
            return Err(Error::Unsupported(format!("the keyboard has no key {code}")));
        }
        let value = match (pressed, self.down.contains(&code)) {
            (true, true) => 2,
            (true, false) => 1,
            (false, true) => 0,
            (false, false) => return Ok(()),
        };
        self.sink.push(EV_KEY, code, value);
        self.sink.send()?;
        if pressed {
            self.down.insert(code);
        } else {
            self.down.remove(&code);
        }
        Ok(())
    }

    /// Whoever turns letters into capitals tells all keyboards, so that their lamps agree.
    fn locks(&mut self) -> Locks {
        let lamps = File::open(self.sink.node())
            .and_then(|file| RawDevice::from_fd(file.into()))
            .and_then(|raw| raw.get_led_state());
        match lamps {
            Ok(lamps) => Locks {
                caps: lamps.contains(LedCode(LED_CAPSL)),
                num: lamps.contains(LedCode(LED_NUML)),
            },
            Err(error) => {
                log::debug!("{}: {error}", self.sink.node().display());
                Locks::default()
            }
        }
    }

    /// The number of no key: the console wakes at anything that a keyboard says.
    fn stir(&mut self) -> Result<(), Error> {
        if !self.has_scan {
            return Ok(());
        }
        self.sink.push(EV_MSC, MSC_SCAN, 0);
        self.sink.send()
    }
}
