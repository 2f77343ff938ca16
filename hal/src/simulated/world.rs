//! The one state that all parts of a simulated kiosk share.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use nix::sys::eventfd::{EfdFlags, EventFd};

use super::Options;
use super::application::{Application, Presser};
use super::clock::Clock;
use super::overlay::Overlay;
use crate::{Error, KeyCode, LocalEvent, Paint, Phase, Point, Rect, Size, Strip};

/// What the person did and nobody has read yet; the oldest is lost beyond that, as in the
/// kernel's buffers.
pub(super) const MAX_UNREAD: usize = 256;

/// The state of a simulated kiosk.
pub(super) struct World {
    pub(super) size: Size,
    pub(super) application: Application,
    /// Lotse's own picture above it.
    pub(super) overlay: Option<Overlay>,
    /// Marks, below that.
    pub(super) marks: Vec<Overlay>,
    /// What the application draws over everything, out of turn.
    pub(super) drawn_over: Option<Rect>,
    pub(super) local: Local,
    /// Counts the pictures that differ.
    generation: u64,
    clock: Arc<dyn Clock>,
    last: Instant,
}

/// What the person did, on its way to who reads it.
pub(super) struct Local {
    pub(super) unread: VecDeque<LocalEvent>,
    /// Readable while something is unread.
    pub(super) wake: Arc<EventFd>,
    pub(super) grab_wanted: bool,
    grabbed: bool,
    fingers: BTreeSet<u8>,
    keys: BTreeSet<KeyCode>,
}

/// The shared state, even if someone panicked while holding it.
pub(super) fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    pub(super) fn new(options: Options, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let flags = EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC;
        let wake = EventFd::from_value_and_flags(0, flags)
            .map_err(|errno| Error::io("make an eventfd", errno.into()))?;
        let last = clock.now();
        Ok(Self {
            size: options.size,
            application: Application::new(options.size, options.gauge_period),
            overlay: None,
            marks: Vec::new(),
            drawn_over: None,
            local: Local {
                unread: VecDeque::new(),
                wake: Arc::new(wake),
                grab_wanted: false,
                grabbed: false,
                fingers: BTreeSet::new(),
                keys: BTreeSet::new(),
            },
            generation: 0,
            clock,
            last,
        })
    }

    /// Which picture it is; the number changes whenever the picture does.
    pub(super) fn generation(&mut self) -> u64 {
        self.change(|_| ());
        self.generation
    }

    /// Lets the time pass that has passed, then does something to the application.
    pub(super) fn change(&mut self, act: impl FnOnce(&mut Application)) {
        let now = self.clock.now();
        let before = self.application.look();
        self.application.advance(now.saturating_duration_since(self.last));
        self.last = now;
        act(&mut self.application);
        if self.application.look() != before {
            self.generation += 1;
        }
    }

    /// Says that the picture changed by something other than the application.
    pub(super) fn redrawn(&mut self) {
        self.generation += 1;
    }

    /// Draws what is seen on the screen in the strip.
    pub(super) fn compose(&self, strip: &mut Strip<'_>) {
        self.application.paint(strip);
        for overlay in self.marks.iter().chain(&self.overlay) {
            overlay.cover(strip.area, strip.pixels);
        }
        if let Some(seen) = self.drawn_over.and_then(|area| area.intersection(strip.area)) {
            let mut over = Overlay::new(seen);
            over.push_rows(&vec![0xff; seen.width as usize * seen.height as usize * 4]);
            over.cover(strip.area, strip.pixels);
        }
    }

    /// The person does something: it can be read, and reaches the application if not grabbed.
    pub(super) fn physical(&mut self, event: LocalEvent) {
        if !self.local.grabbed {
            self.change(|application| match event {
                LocalEvent::Touch { contact, at, phase } => {
                    let presser = Presser::Finger { injected: false, slot: contact };
                    match phase {
                        Phase::Down => application.press(presser, at),
                        Phase::Move => {}
                        Phase::Up => application.release(presser, at),
                    }
                }
                LocalEvent::Key { key, pressed } => application.key(key, pressed),
            });
        }
        self.local.take(event);
    }

    /// A place in this screen's pixels.
    pub(super) fn scale(&self, at: Point, within: Size) -> Result<Point, Error> {
        if within.width == 0 || within.height == 0 {
            return Err(Error::Unsupported("a place in a picture without pixels".to_owned()));
        }
        let scale = |value: u32, from: u32, to: u32| {
            let value = u64::from(value.min(from - 1)) * u64::from(to) / u64::from(from);
            u32::try_from(value).unwrap_or(to - 1)
        };
        Ok(Point::new(
            scale(at.x, within.width, self.size.width),
            scale(at.y, within.height, self.size.height),
        ))
    }
}

impl Local {
    fn take(&mut self, event: LocalEvent) {
        match event {
            LocalEvent::Touch { contact, phase: Phase::Down, .. } => {
                self.fingers.insert(contact);
            }
            LocalEvent::Touch { contact, phase: Phase::Up, .. } => {
                self.fingers.remove(&contact);
            }
            LocalEvent::Touch { .. } => {}
            LocalEvent::Key { key, pressed: true } => {
                self.keys.insert(key);
            }
            LocalEvent::Key { key, pressed: false } => {
                self.keys.remove(&key);
            }
        }
        self.settle_grab();
        if self.unread.len() >= MAX_UNREAD {
            self.unread.pop_front();
        }
        self.unread.push_back(event);
        if let Err(errno) = self.wake.write(1) {
            log::warn!("cannot wake who reads the simulated local input: {errno}");
        }
    }

    /// A grab takes effect, and ends, only once nothing is pressed.
    pub(super) fn settle_grab(&mut self) {
        if self.fingers.is_empty() && self.keys.is_empty() {
            self.grabbed = self.grab_wanted;
        }
    }
}
