//! The pointer: a virtual tablet, or a device that is there.

use std::path::{Path, PathBuf};

use super::sink::{Axis, Sink, bits};
use crate::linux::event_codes::*;
use crate::linux::sys::UinputBit;
use crate::{Button, Error, Point, Pointer, Size};

/// Values of the axes of our own device.
const AXIS: Axis = Axis::to(32767, 0);

/// Hi-res units of one notch of a wheel.
const WHEEL_NOTCH: i32 = 120;

/// An absolute pointer that is injected into: our own, `Lotse pointer`, like the tablet of a
/// virtual machine, or another.
#[derive(Debug)]
pub struct UinputPointer {
    sink: Sink,
    x: Axis,
    y: Axis,
    has_wheel: bool,
    /// Where it is.
    at: (i32, i32),
}

impl UinputPointer {
    /// Creates a virtual pointer.
    ///
    /// # Errors
    /// As [`super::UinputKeyboard::create`].
    pub fn create() -> Result<Self, Error> {
        let sink = Sink::create("Lotse pointer", 2, |file| {
            bits(file, [EV_KEY, EV_REL, EV_ABS].map(UinputBit::Event))?;
            bits(file, [BTN_LEFT, BTN_RIGHT, BTN_MIDDLE].map(UinputBit::Key))?;
            let wheels = [REL_WHEEL, REL_HWHEEL, REL_WHEEL_HI_RES, REL_HWHEEL_HI_RES];
            bits(file, wheels.map(UinputBit::Relative))?;
            AXIS.give(file, ABS_X)?;
            AXIS.give(file, ABS_Y)
        })?;
        Ok(Self::new(sink, AXIS, AXIS, true))
    }

    /// Takes an absolute pointer that is there.
    ///
    /// # Errors
    /// When it cannot be written to, or points nowhere.
    pub(super) fn open(node: &Path, note: PathBuf) -> Result<Self, Error> {
        let (sink, raw) = Sink::open(node, note)?;
        let axes = Axis::of(&raw, ABS_X).zip(Axis::of(&raw, ABS_Y));
        let has_left =
            raw.supported_keys().is_some_and(|keys| keys.contains(evdev::KeyCode(BTN_LEFT)));
        let Some((x, y)) = axes.filter(|_| has_left) else {
            return Err(Error::Unsupported(format!("{} is no absolute pointer", node.display())));
        };
        let wheel = evdev::RelativeAxisCode(REL_WHEEL);
        let has_wheel = raw.supported_relative_axes().is_some_and(|axes| axes.contains(wheel));
        Ok(Self::new(sink, x, y, has_wheel))
    }

    /// It begins in the middle of the right edge, where nothing is and no corner is hot.
    fn new(sink: Sink, x: Axis, y: Axis, has_wheel: bool) -> Self {
        let at = (x.maximum, y.value(y.steps() / 2));
        Self { sink, x, y, has_wheel, at }
    }

    fn send_place(&mut self) -> Result<(), Error> {
        self.sink.push(EV_ABS, ABS_X, self.at.0);
        self.sink.push(EV_ABS, ABS_Y, self.at.1);
        self.sink.send()
    }
}

impl Pointer for UinputPointer {
    fn move_to(&mut self, at: Point, within: Size) -> Result<(), Error> {
        let x = self.x.value(self.x.step(at.x, within.width));
        self.at = (x, self.y.value(self.y.step(at.y, within.height)));
        self.send_place()
    }

    fn button(&mut self, button: Button, pressed: bool) -> Result<(), Error> {
        let code = match button {
            Button::Left => BTN_LEFT,
            Button::Middle => BTN_MIDDLE,
            Button::Right => BTN_RIGHT,
        };
        self.sink.push(EV_KEY, code, pressed.into());
        self.sink.send()
    }

    fn wheel(&mut self, vertical: i32, horizontal: i32) -> Result<(), Error> {
        let axes =
            [(vertical, REL_WHEEL, REL_WHEEL_HI_RES), (horizontal, REL_HWHEEL, REL_HWHEEL_HI_RES)];
        for (notches, coarse, fine) in axes.into_iter().filter(|_| self.has_wheel) {
            if notches != 0 {
                self.sink.push(EV_REL, coarse, notches);
                self.sink.push(EV_REL, fine, notches.saturating_mul(WHEEL_NOTCH));
            }
        }
        if self.sink.is_empty() { Ok(()) } else { self.sink.send() }
    }

    /// To the next value and back: less than a pixel, but a movement.
    fn stir(&mut self) -> Result<(), Error> {
        let (x, y) = self.at;
        let beside = if x > self.x.minimum { x - 1 } else { x + 1 };
        for x in [beside, x] {
            self.at = (x, y);
            self.send_place()?;
        }
        Ok(())
    }
}
