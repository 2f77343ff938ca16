//! From raw events of one device to what a person did.
//!
//! Touch screens speak one of three languages. *Type B* names a slot and then changes it;
//! *type A* lists all fingers in every frame, each ended by `SYN_MT_REPORT`; the oldest have
//! one finger, `ABS_X`, `ABS_Y` and `BTN_TOUCH`. Mice of virtual machines and pen displays are
//! like the last, with `BTN_LEFT`. Nothing counts before the `SYN_REPORT` that ends a frame.
//!
//! # Source
//! The kernel's `Documentation/input/multi-touch-protocol.rst` and `event-codes.rst`.

use std::collections::BTreeSet;

use crate::linux::calibration::Calibration;
use crate::linux::event_codes::*;
use crate::{KeyCode, LocalEvent, Phase, Point, Size};

/// The most fingers that are followed; more are not seen.
pub(crate) const MAX_CONTACTS: usize = 16;

/// Bytes of an event as the kernel writes it: two longs of time, two 16-bit numbers, one of 32.
pub(crate) const EVENT_BYTES: usize = 2 * size_of::<nix::libc::c_ulong>() + 8;

/// An event of a device, without its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RawEvent {
    /// `EV_*`
    pub(crate) kind: u16,
    /// What it is about.
    pub(crate) code: u16,
    /// Its new value.
    pub(crate) value: i32,
}

impl RawEvent {
    /// Reads what the kernel wrote; a rest that is no whole event falls away.
    pub(crate) fn parse(bytes: &[u8]) -> impl Iterator<Item = Self> {
        bytes.chunks_exact(EVENT_BYTES).filter_map(|event| {
            let fields = event.last_chunk::<8>()?;
            let [k0, k1, c0, c1, v0, v1, v2, v3] = *fields;
            Some(Self {
                kind: u16::from_ne_bytes([k0, k1]),
                code: u16::from_ne_bytes([c0, c1]),
                value: i32::from_ne_bytes([v0, v1, v2, v3]),
            })
        })
    }
}

/// Smallest and largest value of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    /// Smallest.
    pub(crate) min: i32,
    /// Largest.
    pub(crate) max: i32,
}

impl Range {
    /// How many values there are.
    fn steps(self) -> i64 {
        (i64::from(self.max) - i64::from(self.min) + 1).max(1)
    }

    /// A value as a step from the smallest on; outside values become the edge.
    fn step(self, value: i32) -> i64 {
        (i64::from(value) - i64::from(self.min)).clamp(0, self.steps() - 1)
    }

    /// The pixel of `pixels` that a step is on.
    fn pixel(self, step: i64, pixels: u32) -> u32 {
        // Both factors are below 2^33, so that the product fits.
        (step * i64::from(pixels) / self.steps()) as u32
    }
}

/// How a device tells of positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Slots, `ABS_MT_SLOT`.
    TypeB,
    /// All fingers in each frame, `SYN_MT_REPORT`.
    TypeA,
    /// One finger, or the left button of an absolute pointer; this is its button.
    Single(u16),
}

/// Where a device can point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Surface {
    /// How it tells.
    pub(crate) protocol: Protocol,
    /// From left to right.
    pub(crate) x: Range,
    /// From top to bottom.
    pub(crate) y: Range,
    /// How it lies on the display.
    pub(crate) calibration: Calibration,
}

impl Surface {
    /// The pixel of the panel that a place is on.
    fn pixel(self, (x, y): (i32, i32), panel: Size) -> Point {
        let at = (self.x.step(x), self.y.step(y));
        let (x, y) = self.calibration.apply(at, (self.x.steps(), self.y.steps()));
        Point::new(self.x.pixel(x, panel.width), self.y.pixel(y, panel.height))
    }
}

/// One finger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Contact {
    down: bool,
    /// Lifted and put down again within one frame: another finger.
    renewed: bool,
    x: i32,
    y: i32,
}

/// What a device is like now, asked of the kernel after events were lost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// Keys and buttons that are down.
    pub(crate) keys: BTreeSet<u16>,
    /// Tracking number and position of each slot; only type B has any.
    pub(crate) slots: Vec<(i32, i32, i32)>,
    /// The slot that is being changed.
    pub(crate) slot: i32,
    /// Position of a single finger.
    pub(crate) single: (i32, i32),
}

/// Follows one device.
#[derive(Debug)]
pub(crate) struct Decoder {
    surface: Option<Surface>,
    /// As it will be at the end of the frame.
    contacts: [Contact; MAX_CONTACTS],
    /// As it was reported last.
    reported: [Contact; MAX_CONTACTS],
    /// The slot being changed (type B), or the fingers so far in this frame (type A).
    slot: usize,
    keys: BTreeSet<u16>,
    reported_keys: BTreeSet<u16>,
    /// Buttons that count as touching.
    touching: BTreeSet<u16>,
    /// Key changes of this frame, in their order.
    changes: Vec<(u16, bool)>,
    dropped: bool,
    /// A code of this device, and the key that it stands for.
    alias: Option<(u16, u16)>,
}

/// The most key changes in one frame; a device with more is not believed.
const MAX_CHANGES: usize = 256;

impl Decoder {
    /// Follows a device that can point there, or is a keyboard only, with nothing pressed.
    pub(crate) fn new(surface: Option<Surface>) -> Self {
        Self {
            surface,
            contacts: Default::default(),
            reported: Default::default(),
            slot: 0,
            keys: BTreeSet::new(),
            reported_keys: BTreeSet::new(),
            touching: BTreeSet::new(),
            changes: Vec::new(),
            dropped: false,
            alias: None,
        }
    }

    /// The device lies on the display in another way than was known.
    pub(crate) fn set_calibration(&mut self, calibration: Calibration) {
        if let Some(surface) = &mut self.surface {
            surface.calibration = calibration;
        }
    }

    /// From now on one code stands for another key.
    pub(crate) fn set_alias(&mut self, code: u16, key: u16) {
        self.alias = Some((code, key));
    }

    fn meant(&self, code: u16) -> u16 {
        self.alias.filter(|(alias, _)| *alias == code).map_or(code, |(_, key)| key)
    }

    /// Takes one event. True if events were lost and [`Decoder::resync`] must be called now.
    pub(crate) fn event(
        &mut self,
        event: RawEvent,
        panel: Size,
        events: &mut Vec<LocalEvent>,
    ) -> bool {
        let RawEvent { kind, code, value } = event;
        match (kind, code) {
            (EV_SYN, SYN_DROPPED) => self.dropped = true,
            (EV_SYN, SYN_REPORT) if self.dropped => {
                self.dropped = false;
                return true;
            }
            // What comes between is of a frame with a hole in it.
            _ if self.dropped => {}
            (EV_SYN, SYN_REPORT) => self.report(panel, events),
            (EV_SYN, SYN_MT_REPORT) => self.end_of_finger(),
            (EV_KEY, code) => self.key(self.meant(code), value),
            (EV_ABS, code) => self.absolute(code, value),
            _ => {}
        }
        false
    }

    fn key(&mut self, code: u16, value: i32) {
        if code < BTN_MISC {
            // 2 is a repeat, which is no change.
            if value != 2 && self.changes.len() < MAX_CHANGES {
                self.changes.push((code, value != 0));
            }
            return;
        }
        if value != 0 {
            self.touching.insert(code);
        } else {
            self.touching.remove(&code);
        }
    }

    fn absolute(&mut self, code: u16, value: i32) {
        let Some(surface) = self.surface else { return };
        let multi = surface.protocol == Protocol::TypeB || surface.protocol == Protocol::TypeA;
        if !multi {
            match code {
                ABS_X => self.contacts[0].x = value,
                ABS_Y => self.contacts[0].y = value,
                _ => {}
            }
            return;
        }
        if code == ABS_MT_SLOT {
            // Fingers beyond the last slot change nothing.
            self.slot = usize::try_from(value).unwrap_or(MAX_CONTACTS);
            return;
        }
        let type_b = surface.protocol == Protocol::TypeB;
        let Some(contact) = self.contacts.get_mut(self.slot) else { return };
        match code {
            ABS_MT_TRACKING_ID if type_b => {
                contact.renewed |= value >= 0 && contact.down;
                contact.down = value >= 0;
            }
            ABS_MT_POSITION_X => contact.x = value,
            ABS_MT_POSITION_Y => contact.y = value,
            _ => return,
        }
        if !type_b {
            contact.down = true;
        }
    }

    /// A type A finger is complete. An end without a finger says that there is none.
    fn end_of_finger(&mut self) {
        let is_type_a = self.surface.is_some_and(|surface| surface.protocol == Protocol::TypeA);
        if is_type_a && self.contacts.get(self.slot).is_some_and(|contact| contact.down) {
            self.slot += 1;
        }
    }

    fn report(&mut self, panel: Size, events: &mut Vec<LocalEvent>) {
        for (code, pressed) in std::mem::take(&mut self.changes) {
            if pressed {
                self.keys.insert(code);
            } else {
                self.keys.remove(&code);
            }
            self.report_key(code, pressed, events);
        }
        let Some(surface) = self.surface else { return };
        match surface.protocol {
            Protocol::Single(button) => {
                self.contacts[0].down = self.touching.contains(&button);
            }
            // A device that says both is believed where it says "nothing".
            Protocol::TypeA if self.slot == 0 => self.contacts = Default::default(),
            Protocol::TypeA | Protocol::TypeB => {}
        }
        self.report_contacts(surface, panel, events);
        if surface.protocol == Protocol::TypeA {
            // The next frame lists its fingers anew.
            self.slot = 0;
            for contact in &mut self.contacts {
                contact.down = false;
            }
        }
    }

    fn report_key(&mut self, code: u16, pressed: bool, events: &mut Vec<LocalEvent>) {
        let news = if pressed {
            self.reported_keys.insert(code)
        } else {
            self.reported_keys.remove(&code)
        };
        if news {
            events.push(LocalEvent::Key { key: KeyCode(code), pressed });
        }
    }

    fn report_contacts(&mut self, surface: Surface, panel: Size, events: &mut Vec<LocalEvent>) {
        for (index, (now, before)) in self.contacts.iter_mut().zip(&mut self.reported).enumerate() {
            let at = |contact: &Contact| surface.pixel((contact.x, contact.y), panel);
            let mut push = |at, phase| {
                events.push(LocalEvent::Touch { contact: index as u8, at, phase });
            };
            if before.down && (!now.down || now.renewed) {
                push(at(before), Phase::Up);
            }
            if now.down && (!before.down || now.renewed) {
                push(at(now), Phase::Down);
            } else if now.down && (now.x, now.y) != (before.x, before.y) {
                push(at(now), Phase::Move);
            }
            now.renewed = false;
            *before = *now;
        }
    }

    /// Makes up for lost events: tells of what changed meanwhile as if it had just happened.
    pub(crate) fn resync(&mut self, now: &Snapshot, panel: Size, events: &mut Vec<LocalEvent>) {
        self.changes.clear();
        let (keys, buttons): (BTreeSet<u16>, _) =
            now.keys.iter().map(|&code| self.meant(code)).partition(|&code| code < BTN_MISC);
        let released = self.keys.difference(&keys).map(|&code| (code, false));
        let pressed = keys.difference(&self.keys).map(|&code| (code, true));
        self.changes = released.chain(pressed).collect();
        self.touching = buttons;
        let type_b = self.surface.is_some_and(|surface| surface.protocol == Protocol::TypeB);
        if type_b {
            self.slot = usize::try_from(now.slot).unwrap_or(MAX_CONTACTS);
            for (index, contact) in self.contacts.iter_mut().enumerate() {
                let (id, x, y) = now.slots.get(index).copied().unwrap_or((-1, 0, 0));
                // Whether it is still the same finger is not known: it is another.
                *contact = Contact { down: id >= 0, renewed: contact.down && id >= 0, x, y };
            }
        } else {
            self.slot = 0;
            self.contacts = Default::default();
            (self.contacts[0].x, self.contacts[0].y) = now.single;
        }
        self.report(panel, events);
    }

    /// Takes what is pressed when the device is opened as having been so before: no event tells
    /// of it, and none of its release.
    pub(crate) fn begin_with(&mut self, now: &Snapshot) {
        self.resync(now, Size::new(1, 1), &mut Vec::new());
        self.reported_keys.clear();
        for contact in &mut self.contacts {
            contact.down = false;
        }
        self.reported = self.contacts;
        self.touching.clear();
    }

    /// Whether anything was pressed when it was last reported.
    pub(crate) fn is_pressed(&self) -> bool {
        !self.keys.is_empty()
            || !self.touching.is_empty()
            || self.reported.iter().any(|contact| contact.down)
    }

    /// Releases everything, for a device that is gone.
    pub(crate) fn release(&mut self, panel: Size, events: &mut Vec<LocalEvent>) {
        self.dropped = false;
        self.resync(&Snapshot::default(), panel, events);
    }
}
