//! How the display is mounted, and input that follows it.
//!
//! What is on the panel and what the technician sees is upright; a touch screen is glued to the
//! display and reports places as the display was made. So places are turned on their way to
//! injected devices and from physical ones.

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::{
    Button, Error, KeyCode, LocalEvent, LocalInput, Orientation, Point, Pointer, Size, Touch,
};

/// The mounting of the display that is used now, known to all parts of a machine.
///
/// Cloning it gives another view of the same.
#[derive(Debug, Clone, Default)]
pub struct Mounting {
    configured: Option<Orientation>,
    /// Index in [`Orientation::TURNS`].
    found: Arc<AtomicU8>,
}

impl Mounting {
    /// As configured, or as the display says if nothing is.
    pub fn new(configured: Option<Orientation>) -> Self {
        Self { configured, found: Arc::default() }
    }

    /// How the display that is used now must be turned to be upright.
    pub fn orientation(&self) -> Orientation {
        let found = usize::from(self.found.load(Ordering::Relaxed));
        let found = Orientation::TURNS.get(found).copied().unwrap_or_default();
        self.configured.unwrap_or(found)
    }

    /// What counts for a display that says `found` of itself.
    pub(crate) fn of(&self, found: Orientation) -> Orientation {
        self.configured.unwrap_or(found)
    }

    /// Another display is used from now on.
    pub(crate) fn set(&self, mounting: Orientation) {
        let index = Orientation::TURNS.iter().position(|turn| *turn == mounting);
        self.found.store(index.unwrap_or(0) as u8, Ordering::Relaxed);
    }
}

/// An injected device whose places follow the mounting.
#[derive(Debug)]
pub struct Mounted<D> {
    device: D,
    mounting: Mounting,
}

impl<D> Mounted<D> {
    /// Lets a device follow.
    pub fn new(device: D, mounting: Mounting) -> Self {
        Self { device, mounting }
    }

    /// A place in the upright picture, as the display was made.
    fn native(&self, at: Point, within: Size) -> (Point, Size) {
        let way = self.mounting.orientation().inverse();
        (way.point(at, within), way.size(within))
    }
}

impl<P: Pointer> Pointer for Mounted<P> {
    fn move_to(&mut self, at: Point, within: Size) -> Result<(), Error> {
        let (at, within) = self.native(at, within);
        self.device.move_to(at, within)
    }

    fn button(&mut self, button: Button, pressed: bool) -> Result<(), Error> {
        self.device.button(button, pressed)
    }

    fn wheel(&mut self, vertical: i32, horizontal: i32) -> Result<(), Error> {
        self.device.wheel(vertical, horizontal)
    }

    fn stir(&mut self) -> Result<(), Error> {
        self.device.stir()
    }
}

impl<T: Touch> Touch for Mounted<T> {
    fn slots(&self) -> u8 {
        self.device.slots()
    }

    fn contact(&mut self, slot: u8, at: Point, within: Size) -> Result<(), Error> {
        let (at, within) = self.native(at, within);
        self.device.contact(slot, at, within)
    }

    fn lift(&mut self, slot: u8) -> Result<(), Error> {
        self.device.lift(slot)
    }
}

impl<L: LocalInput> LocalInput for Mounted<L> {
    fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        self.device.descriptors()
    }

    fn read(&mut self, panel: Size, events: &mut Vec<LocalEvent>) -> Result<(), Error> {
        let mounting = self.mounting.orientation();
        let native = mounting.inverse().size(panel);
        let first_new = events.len();
        let outcome = self.device.read(native, events);
        for event in events.iter_mut().skip(first_new) {
            if let LocalEvent::Touch { at, .. } = event {
                *at = mounting.point(*at, native);
            }
        }
        outcome
    }

    fn reserve(&mut self, key: KeyCode) {
        self.device.reserve(key);
    }

    fn grab(&mut self, exclusive: bool) -> Result<(), Error> {
        self.device.grab(exclusive)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Phase;

    /// Where a finger was put, heard again by a person's device at the same place of the glass.
    #[derive(Debug, Default)]
    struct Glass {
        touched: Option<(Point, Size)>,
    }

    impl Touch for Glass {
        fn slots(&self) -> u8 {
            1
        }

        fn contact(&mut self, _slot: u8, at: Point, within: Size) -> Result<(), Error> {
            self.touched = Some((at, within));
            Ok(())
        }

        fn lift(&mut self, _slot: u8) -> Result<(), Error> {
            Ok(())
        }
    }

    impl LocalInput for Glass {
        fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
            Vec::new()
        }

        fn read(&mut self, panel: Size, events: &mut Vec<LocalEvent>) -> Result<(), Error> {
            if let Some((at, within)) = self.touched {
                assert_eq!(panel, within, "both speak of the same glass");
                events.push(LocalEvent::Touch { contact: 0, at, phase: Phase::Down });
            }
            Ok(())
        }

        fn grab(&mut self, _exclusive: bool) -> Result<(), Error> {
            Ok(())
        }
    }

    #[test]
    fn what_is_injected_and_what_is_heard_follow_the_same_mounting() {
        let upright = Size::new(480, 800);
        for turn in Orientation::TURNS {
            let mounting = Mounting::default();
            let mut glass = Mounted::new(Glass::default(), mounting.clone());
            mounting.set(turn);
            let at = Point::new(17, 23);
            glass.contact(0, at, upright).unwrap();
            let (place, native) = glass.device.touched.unwrap();
            assert_eq!((turn.point(place, native), turn.size(native)), (at, upright));
            let mut events = vec![LocalEvent::Touch { contact: 9, at, phase: Phase::Up }];
            glass.read(upright, &mut events).unwrap();
            let heard = LocalEvent::Touch { contact: 0, at, phase: Phase::Down };
            assert_eq!(events[1], heard);
            assert_eq!(events[0], LocalEvent::Touch { contact: 9, at, phase: Phase::Up });
        }
    }

    #[test]
    fn the_configuration_wins_over_what_the_display_says() {
        let mounting = Mounting::new(Some(Orientation::HALF));
        mounting.set(Orientation::QUARTER);
        assert_eq!(mounting.orientation(), Orientation::HALF);
        assert_eq!(mounting.of(Orientation::QUARTER), Orientation::HALF);
        assert_eq!(Mounting::default().of(Orientation::QUARTER), Orientation::QUARTER);
    }
}
