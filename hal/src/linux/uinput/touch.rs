//! Fingers: on a virtual touch screen that is like the machine's own, or on that one itself.

use std::path::{Path, PathBuf};

use super::sink::{Axis, Sink, bits};
use crate::linux::calibration::Calibration;
use crate::linux::event_codes::*;
use crate::linux::inventory::{self, AxisReport, Class, InputReport};
use crate::linux::sys::{UinputBit, uinput_bit};
use crate::{Error, Point, Size, Touch};

/// How many fingers can be down at once on a virtual touch screen.
const SLOTS: u8 = 10;

/// Axes of a virtual touch screen on a machine that has none of its own: those of a panel of 256
/// × 160 mm. Readers that find no resolution invent one.
const DEFAULT_AXES: (Axis, Axis) = (Axis::to(32767, 128), Axis::to(32767, 205));

/// The least values of an axis that is copied; with fewer, pixels could not be told apart.
const MIN_STEPS: i64 = 256;

/// Numbers of fingers begin here on a device of somebody else, far from those that it gives.
const FIRST_FOREIGN_ID: u16 = 0x4000;

/// How a device tells of fingers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Slots from the first up, on a device of our own.
    Own,
    /// Slots from the last down, where a person's fingers are not.
    FromLast { last: u8 },
    /// One finger; this is its button.
    Single { button: u16 },
}

/// A touch screen that is injected into: our own, `Lotse touch`, or another.
#[derive(Debug)]
pub struct UinputTouch {
    sink: Sink,
    way: Way,
    x: Axis,
    y: Axis,
    slots: u8,
    /// Slots with a finger, the one that has been down longest first.
    down: Vec<u8>,
    next_id: u16,
    /// How the device lies on the display, undone; asked for anew with every first finger.
    uncalibrate: Calibration,
}

impl UinputTouch {
    /// Creates a virtual touch screen with the ranges and the resolution of the machine's own, so
    /// that what is set for that one fits, too.
    ///
    /// # Errors
    /// As [`super::UinputKeyboard::create`].
    pub fn create() -> Result<Self, Error> {
        let (x, y) = match own_touch_screen() {
            Some((found, axes)) => {
                log::info!("the virtual touch screen is like {}", found.name);
                axes
            }
            None => DEFAULT_AXES,
        };
        let sink = Sink::create("Lotse touch", 1, |file| {
            bits(file, [EV_KEY, EV_ABS].map(UinputBit::Event))?;
            uinput_bit(file, UinputBit::Key(BTN_TOUCH))?;
            uinput_bit(file, UinputBit::Property(INPUT_PROP_DIRECT))?;
            Axis::to(i32::from(SLOTS) - 1, 0).give(file, ABS_MT_SLOT)?;
            Axis::to(i32::from(u16::MAX), 0).give(file, ABS_MT_TRACKING_ID)?;
            for (single, multi, axis) in
                [(ABS_X, ABS_MT_POSITION_X, x), (ABS_Y, ABS_MT_POSITION_Y, y)]
            {
                axis.give(file, single)?;
                axis.give(file, multi)?;
            }
            Ok(())
        })?;
        Ok(Self::new(sink, Way::Own, (x, y), SLOTS))
    }

    /// Takes a touch screen that is there.
    ///
    /// # Errors
    /// When it cannot be written to, is none, or lists all fingers anew each time (type A), which
    /// leaves no place for another.
    pub(super) fn open(node: &Path, note: PathBuf) -> Result<Self, Error> {
        let (sink, raw) = Sink::open(node, note)?;
        let axis = |code| Axis::of(&raw, code);
        let key =
            |code| raw.supported_keys().is_some_and(|keys| keys.contains(evdev::KeyCode(code)));
        let unfit = |why: &str| Err(Error::Unsupported(format!("{} {why}", node.display())));
        if let Some(axes) = axis(ABS_MT_POSITION_X).zip(axis(ABS_MT_POSITION_Y)) {
            let Some(slots) = axis(ABS_MT_SLOT) else {
                return unfit("has no slots for fingers (type A)");
            };
            let last = u8::try_from(slots.maximum).unwrap_or(u8::MAX - 1).min(u8::MAX - 1);
            return Ok(Self::new(sink, Way::FromLast { last }, axes, last + 1));
        }
        let button = [BTN_TOUCH, BTN_LEFT].into_iter().find(|&button| key(button));
        match (axis(ABS_X).zip(axis(ABS_Y)), button) {
            (Some(axes), Some(button)) => Ok(Self::new(sink, Way::Single { button }, axes, 1)),
            _ => unfit("is no touch screen"),
        }
    }

    fn new(sink: Sink, way: Way, (x, y): (Axis, Axis), slots: u8) -> Self {
        let next_id = if way == Way::Own { 0 } else { FIRST_FOREIGN_ID };
        let uncalibrate = Calibration::default();
        Self { sink, way, x, y, slots, down: Vec::new(), next_id, uncalibrate }
    }

    /// A finger's place as the device has it.
    fn place(&self, at: Point, within: Size) -> (i32, i32) {
        let at = (self.x.step(at.x, within.width), self.y.step(at.y, within.height));
        let (x, y) = self.uncalibrate.apply(at, (self.x.steps(), self.y.steps()));
        (self.x.value(x), self.y.value(y))
    }

    /// Turns to the slot of a finger.
    fn push_slot(&mut self, slot: u8) {
        match self.way {
            Way::Own => self.sink.push(EV_ABS, ABS_MT_SLOT, slot.into()),
            Way::FromLast { last } => {
                self.sink.push(EV_ABS, ABS_MT_SLOT, last.saturating_sub(slot).into());
            }
            Way::Single { .. } => {}
        }
    }

    fn push_button(&mut self, is_down: bool) {
        let button = if let Way::Single { button } = self.way { button } else { BTN_TOUCH };
        self.sink.push(EV_KEY, button, is_down.into());
    }

    fn push_down(&mut self, slot: u8) {
        if !matches!(self.way, Way::Single { .. }) {
            self.sink.push(EV_ABS, ABS_MT_TRACKING_ID, self.next_id.into());
            // Never -1 in the 16 bits that some devices have.
            self.next_id = self.next_id.wrapping_add(1) & 0x7fff;
        }
        if self.down.is_empty() {
            self.push_button(true);
        }
        self.down.push(slot);
    }
}

impl Touch for UinputTouch {
    fn slots(&self) -> u8 {
        self.slots
    }

    fn contact(&mut self, slot: u8, at: Point, within: Size) -> Result<(), Error> {
        if slot >= self.slots {
            return Err(Error::Unsupported(format!("the touch screen has no finger {slot}")));
        }
        if self.down.is_empty() {
            self.uncalibrate = Calibration::of(self.sink.node()).inverse();
        }
        let (x, y) = self.place(at, within);
        self.push_slot(slot);
        if !self.down.contains(&slot) {
            self.push_down(slot);
        }
        if !matches!(self.way, Way::Single { .. }) {
            self.sink.push(EV_ABS, ABS_MT_POSITION_X, x);
            self.sink.push(EV_ABS, ABS_MT_POSITION_Y, y);
        }
        // Readers that know one finger only follow the one that was first.
        if self.down.first() == Some(&slot) {
            self.sink.push(EV_ABS, ABS_X, x);
            self.sink.push(EV_ABS, ABS_Y, y);
        }
        self.sink.send()
    }

    fn lift(&mut self, slot: u8) -> Result<(), Error> {
        let Some(index) = self.down.iter().position(|&down| down == slot) else { return Ok(()) };
        self.down.remove(index);
        self.push_slot(slot);
        if !matches!(self.way, Way::Single { .. }) {
            self.sink.push(EV_ABS, ABS_MT_TRACKING_ID, -1);
        }
        if self.down.is_empty() {
            self.push_button(false);
        }
        self.sink.send()
    }
}

/// The machine's own touch screen, if it has one whose axes are worth copying.
fn own_touch_screen() -> Option<(InputReport, (Axis, Axis))> {
    let is_own = |found: &InputReport| found.class == Class::TouchScreen && found.heard.is_ok();
    inventory::inputs().into_iter().filter(is_own).find_map(|found| {
        let axes = (copied(found.x?)?, copied(found.y?)?);
        Some((found, axes))
    })
}

fn copied(axis: AxisReport) -> Option<Axis> {
    let AxisReport { minimum, maximum, resolution } = axis;
    let axis = Axis { minimum, maximum, resolution: resolution.max(0) };
    (minimum < maximum && axis.steps() >= MIN_STEPS).then_some(axis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_that_cannot_tell_pixels_apart_are_not_copied() {
        let axis = |minimum, maximum| AxisReport { minimum, maximum, resolution: 10 };
        assert_eq!(copied(axis(-100, 4000)).map(Axis::steps), Some(4101));
        for (minimum, maximum) in [(0, 0), (5, -5), (0, 100)] {
            assert_eq!(copied(axis(minimum, maximum)), None);
        }
    }
}
