//! The person in front of a simulated kiosk, and a look behind its scenes.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use super::keys;
use super::layout::{Page, Target};
use super::world::{World, lock};
use crate::screen::BAND_ROWS;
use crate::{KeyCode, LocalEvent, Phase, Point, Rect, Strip};

/// The person in front of a simulated kiosk, with fingers and a keyboard.
///
/// What they do arrives through [`crate::LocalInput`] and, unless that is grabbed, at the
/// application. Clones are the same person.
#[derive(Clone)]
pub struct Staff(Arc<Mutex<World>>);

impl std::fmt::Debug for Staff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Staff").finish()
    }
}

impl Staff {
    pub(super) fn new(world: Arc<Mutex<World>>) -> Self {
        Self(world)
    }

    /// Touches a place with one finger and lifts it again.
    pub fn tap(&self, at: Point) {
        self.finger(at, Phase::Down);
        self.finger(at, Phase::Up);
    }

    /// Puts the first finger down, moves it or lifts it.
    pub fn finger(&self, at: Point, phase: Phase) {
        lock(&self.0).physical(LocalEvent::Touch { contact: 0, at, phase });
    }

    /// Presses or releases a key.
    pub fn key(&self, key: KeyCode, pressed: bool) {
        lock(&self.0).physical(LocalEvent::Key { key, pressed });
    }

    /// Presses a key and releases it.
    pub fn press(&self, key: KeyCode) {
        self.key(key, true);
        self.key(key, false);
    }

    /// Types a text on a US keyboard; leaves out what that cannot write.
    pub fn type_text(&self, text: &str) {
        for (key, shift) in text.chars().filter_map(keys::key_for) {
            if shift {
                self.key(keys::LEFT_SHIFT, true);
            }
            self.press(key);
            if shift {
                self.key(keys::LEFT_SHIFT, false);
            }
        }
    }

    /// Writes what the person sees as a picture, in the format PPM (P6).
    ///
    /// # Errors
    /// What the writer says.
    pub fn shoot(&self, to: &mut dyn Write) -> io::Result<()> {
        let size = lock(&self.0).size;
        write!(to, "P6\n{} {}\n255\n", size.width, size.height)?;
        let mut pixels = Vec::new();
        for y in (0..size.height).step_by(BAND_ROWS as usize) {
            let area = Rect { x: 0, y, width: size.width, height: BAND_ROWS.min(size.height - y) };
            pixels.resize(area.width as usize * area.height as usize * 4, 0);
            lock(&self.0).compose(&mut Strip { panel: size, area, pixels: &mut pixels });
            let colors: Vec<u8> =
                pixels.as_chunks::<4>().0.iter().flat_map(|[b, g, r, _]| [*r, *g, *b]).collect();
            to.write_all(&colors)?;
        }
        Ok(())
    }
}

/// A simulated kiosk seen from behind: what its application knows, and what it does wrong.
#[derive(Clone)]
pub struct Kiosk(pub(super) Arc<Mutex<World>>);

impl std::fmt::Debug for Kiosk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Kiosk").finish()
    }
}

impl Kiosk {
    pub(super) fn new(world: Arc<Mutex<World>>) -> Self {
        Self(world)
    }

    /// The page that the application is on.
    pub fn page(&self) -> Page {
        lock(&self.0).application.page
    }

    /// What was typed into the text field.
    pub fn field(&self) -> String {
        lock(&self.0).application.field.clone()
    }

    /// How many crates of each drink are chosen.
    pub fn crates(&self) -> Vec<u8> {
        lock(&self.0).application.crates.to_vec()
    }

    /// How many orders were started.
    pub fn orders_started(&self) -> u32 {
        lock(&self.0).application.started.0
    }

    /// Whether the line runs; its gauge stands still while it does not.
    pub fn is_running(&self) -> bool {
        lock(&self.0).application.is_running()
    }

    /// Where something on the current page is to be pressed; `None` if it is not there.
    pub fn place(&self, target: Target) -> Option<Point> {
        let place = lock(&self.0).application.layout.place(target);
        (place.width > 0).then(|| Point::new(place.x + place.width / 2, place.y + place.height / 2))
    }

    /// Lets the application draw white over everything in an area, or stop doing so.
    pub fn draw_over(&self, area: Option<Rect>) {
        let mut world = lock(&self.0);
        world.drawn_over = area;
        world.redrawn();
    }
}
