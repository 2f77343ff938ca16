//! The devices of a simulated kiosk, as the rest of Lotse knows devices.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex};

use nix::sys::eventfd::EventFd;

use super::application::Presser;
use super::overlay::Overlay;
use super::world::{World, lock};
use crate::draw::paint_strips;
use crate::screen::BAND_ROWS;
use crate::{
    Band, Button, Change, Error, KeyCode, Keyboard, LocalEvent, LocalInput, Mark, Marks,
    Orientation, Paint, Panel, Point, Pointer, Rect, Screen, ScreenInfo, ScreenState, Size, Strip,
    Touch,
};

/// Fingers that can be injected at once.
const SLOTS: u8 = 10;

/// Reads the simulated screen.
pub(super) struct SimulatedScreen {
    world: Arc<Mutex<World>>,
    /// The picture that was read last.
    seen: Option<u64>,
    band: Vec<u8>,
}

impl SimulatedScreen {
    pub(super) fn new(world: Arc<Mutex<World>>) -> Self {
        Self { world, seen: None, band: Vec::new() }
    }
}

impl Screen for SimulatedScreen {
    fn info(&self) -> ScreenInfo {
        ScreenInfo {
            source: "simulated".to_owned(),
            name: "bottling line".to_owned(),
            size: lock(&self.world).size,
            mounting: Orientation::UPRIGHT,
            millimetres: None,
            covered: Vec::new(),
        }
    }

    fn poll(&mut self) -> Result<ScreenState, Error> {
        let mut world = lock(&self.world);
        let is_seen = self.seen == Some(world.generation());
        let change = if is_seen { Change::None } else { Change::Told };
        Ok(ScreenState::Shown { size: world.size, change })
    }

    fn read(&mut self, visit: &mut dyn FnMut(Band<'_>)) -> Result<(), Error> {
        let (size, generation) = {
            let mut world = lock(&self.world);
            (world.size, world.generation())
        };
        let mut y = 0;
        while y < size.height {
            let rows = BAND_ROWS.min(size.height - y);
            self.band.resize(rows as usize * size.width as usize * 4, u8::MAX);
            let area = Rect { x: 0, y, width: size.width, height: rows };
            lock(&self.world).compose(&mut Strip { panel: size, area, pixels: &mut self.band });
            visit(Band { size, y, rows, pixels: &self.band });
            y += rows;
        }
        self.seen = Some(generation);
        Ok(())
    }
}

/// Presses keys of the simulated kiosk's application.
pub(super) struct SimulatedKeyboard(pub(super) Arc<Mutex<World>>);

impl Keyboard for SimulatedKeyboard {
    fn key(&mut self, key: KeyCode, pressed: bool) -> Result<(), Error> {
        lock(&self.0).change(|application| application.key(key, pressed));
        Ok(())
    }
}

/// Moves the simulated kiosk's pointer.
pub(super) struct SimulatedPointer {
    world: Arc<Mutex<World>>,
    at: Point,
}

impl SimulatedPointer {
    pub(super) fn new(world: Arc<Mutex<World>>) -> Self {
        Self { world, at: Point::default() }
    }
}

impl Pointer for SimulatedPointer {
    fn move_to(&mut self, at: Point, within: Size) -> Result<(), Error> {
        let mut world = lock(&self.world);
        self.at = world.scale(at, within)?;
        world.change(|application| application.pointer = Some(self.at));
        Ok(())
    }

    fn button(&mut self, button: Button, pressed: bool) -> Result<(), Error> {
        if button == Button::Left {
            lock(&self.world).change(|application| match pressed {
                true => application.press(Presser::Pointer, self.at),
                false => application.release(Presser::Pointer, self.at),
            });
        }
        Ok(())
    }

    fn wheel(&mut self, vertical: i32, _horizontal: i32) -> Result<(), Error> {
        lock(&self.world).change(|application| application.wheel(self.at, vertical));
        Ok(())
    }
}

/// Puts a technician's fingers on the simulated kiosk's application.
pub(super) struct SimulatedTouch {
    world: Arc<Mutex<World>>,
    down: BTreeMap<u8, Point>,
}

impl SimulatedTouch {
    pub(super) fn new(world: Arc<Mutex<World>>) -> Self {
        Self { world, down: BTreeMap::new() }
    }
}

impl Touch for SimulatedTouch {
    fn slots(&self) -> u8 {
        SLOTS
    }

    fn contact(&mut self, slot: u8, at: Point, within: Size) -> Result<(), Error> {
        if slot >= SLOTS {
            return Err(Error::Unsupported(format!("finger {slot}: there are {SLOTS}")));
        }
        let mut world = lock(&self.world);
        let at = world.scale(at, within)?;
        if self.down.insert(slot, at).is_none() {
            world.change(|application| {
                application.pointer = None;
                application.press(Presser::Finger { injected: true, slot }, at);
            });
        }
        Ok(())
    }

    fn lift(&mut self, slot: u8) -> Result<(), Error> {
        if let Some(at) = self.down.remove(&slot) {
            lock(&self.world).change(|application| {
                application.release(Presser::Finger { injected: true, slot }, at);
            });
        }
        Ok(())
    }
}

/// Reads what the person at the simulated kiosk does.
pub(super) struct SimulatedLocal {
    world: Arc<Mutex<World>>,
    /// Kept beside the world, so that the descriptor lives as long as this does.
    wake: Arc<EventFd>,
}

impl SimulatedLocal {
    pub(super) fn new(world: &Arc<Mutex<World>>) -> Self {
        Self { world: Arc::clone(world), wake: Arc::clone(&lock(world).local.wake) }
    }
}

impl LocalInput for SimulatedLocal {
    fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        vec![self.wake.as_fd()]
    }

    fn read(&mut self, panel: Size, events: &mut Vec<LocalEvent>) -> Result<(), Error> {
        let mut world = lock(&self.world);
        match self.wake.read() {
            Ok(_) | Err(nix::errno::Errno::EAGAIN) => {}
            Err(errno) => return Err(Error::io("read an eventfd", errno.into())),
        }
        let size = world.size;
        for event in world.local.unread.drain(..) {
            events.push(match event {
                LocalEvent::Touch { contact, at, phase } => {
                    LocalEvent::Touch { contact, at: rescale(at, size, panel), phase }
                }
                other => other,
            });
        }
        Ok(())
    }

    fn grab(&mut self, exclusive: bool) -> Result<(), Error> {
        let local = &mut lock(&self.world).local;
        local.grab_wanted = exclusive;
        local.settle_grab();
        Ok(())
    }
}

/// A pixel of a picture of one size as a pixel of another.
fn rescale(at: Point, from: Size, to: Size) -> Point {
    let scale = |value: u32, from: u32, to: u32| {
        let scaled = u64::from(value) * u64::from(to) / u64::from(from.max(1));
        u32::try_from(scaled).unwrap_or(u32::MAX).min(to.saturating_sub(1))
    };
    Point::new(scale(at.x, from.width, to.width), scale(at.y, from.height, to.height))
}

fn painted(size: Size, area: Rect, painter: &dyn Paint) -> Result<Overlay, Error> {
    let mut overlay = Overlay::new(area);
    let mut strip = Vec::new();
    let push = |_, pixels: &[u8]| -> Result<(), Error> {
        overlay.push_rows(pixels);
        Ok(())
    };
    paint_strips(size, area, BAND_ROWS, painter, &mut strip, push)?;
    Ok(overlay)
}

/// Shows marks above the simulated kiosk's application, and below the panel.
pub(super) struct SimulatedMarks(pub(super) Arc<Mutex<World>>);

impl Marks for SimulatedMarks {
    fn size(&mut self) -> Result<Size, Error> {
        Ok(lock(&self.0).size)
    }

    fn show(&mut self, marks: &[Mark<'_>]) -> Result<(), Error> {
        let size = lock(&self.0).size;
        let overlays = marks.iter().map(|mark| painted(size, mark.area, mark.painter));
        let overlays = overlays.collect::<Result<Vec<_>, Error>>()?;
        let mut world = lock(&self.0);
        if world.marks != overlays {
            world.marks = overlays;
            world.redrawn();
        }
        Ok(())
    }

    fn keep(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

/// Shows Lotse's own picture above the simulated kiosk's application.
pub(super) struct SimulatedPanel(pub(super) Arc<Mutex<World>>);

impl Panel for SimulatedPanel {
    fn describe(&self) -> String {
        "simulated: above the bottling line".to_owned()
    }

    fn size(&mut self) -> Result<Size, Error> {
        Ok(lock(&self.0).size)
    }

    fn show(&mut self, area: Rect, painter: &dyn Paint) -> Result<(), Error> {
        let size = lock(&self.0).size;
        let Some(area) = area.intersection(size.rect()) else {
            return Err(Error::Unsupported("a panel outside of the screen".to_owned()));
        };
        let overlay = painted(size, area, painter)?;
        let mut world = lock(&self.0);
        if world.overlay.as_ref() != Some(&overlay) {
            world.overlay = Some(overlay);
            world.redrawn();
        }
        Ok(())
    }

    fn verify(&mut self, area: Rect, painter: &dyn Paint) -> Result<bool, Error> {
        /// The first strip that differs ends the comparison.
        struct Differs;
        let world = lock(&self.0);
        let size = world.size;
        let (mut strip, mut seen) = (Vec::new(), Vec::new());
        let compare = |area: Rect, wanted: &[u8]| {
            seen.resize(wanted.len(), 0);
            world.compose(&mut Strip { panel: size, area, pixels: &mut seen });
            if seen == wanted { Ok(()) } else { Err(Differs) }
        };
        Ok(paint_strips(size, area, BAND_ROWS, painter, &mut strip, compare).is_ok())
    }

    fn hide(&mut self) -> Result<(), Error> {
        let mut world = lock(&self.0);
        if world.overlay.take().is_some() {
            world.redrawn();
        }
        Ok(())
    }
}
