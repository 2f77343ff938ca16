//! A kiosk that needs no hardware: the operating panel of a bottling line.
//!
//! It is a whole [`Machine`] over one shared state: a screen with an application on it, input
//! that a technician injects, input of the person in front of it, and a panel above the
//! application. Demos, tests and newcomers run it; to the agent it is a machine like any other.
//!
//! # Who can do what
//! * What is injected ([`Held`]) reaches the application, and nothing else.
//! * What the person does ([`Staff`]) reaches [`crate::LocalInput`], and the application too
//!   unless local input is grabbed. Nothing else ever reaches `LocalInput`.
//! * [`Kiosk`] looks behind the scenes, and lets the application misbehave.
//!
//! The technician's picture is what the person sees: the panel is in it while it is shown.

mod application;
mod clock;
mod devices;
mod drawing;
pub mod keys;
mod layout;
mod overlay;
pub mod script;
mod staff;
#[cfg(test)]
mod tests;
mod world;

use std::sync::{Arc, Mutex};
use std::time::Duration;

pub use clock::{Clock, ManualClock, SystemClock};
pub use layout::{Page, Target};
pub use staff::{Kiosk, Staff};

use crate::{Error, Held, Machine, Size};
use world::World;

/// How a simulated kiosk is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Size of its screen, at least [`MIN_SIDE`] in each direction; 1280×800 by default.
    pub size: Size,
    /// How long the gauge's needle takes to swing once, 20 s by default; with `None` the picture
    /// stands still until somebody does something.
    pub gauge_period: Option<Duration>,
}

/// The smallest width and height of the screen, in pixels.
pub const MIN_SIDE: u32 = 200;

impl Default for Options {
    fn default() -> Self {
        Self { size: Size::new(1280, 800), gauge_period: Some(Duration::from_secs(20)) }
    }
}

/// A simulated kiosk in its three roles.
#[derive(Debug)]
pub struct Simulated {
    /// The machine, as the agent knows it.
    pub machine: Machine,
    /// The person in front of it.
    pub staff: Staff,
    /// The kiosk as only a test can see it.
    pub kiosk: Kiosk,
}

/// Switches a simulated kiosk on.
///
/// # Errors
/// When the size is smaller than [`MIN_SIDE`] or larger than is believed anywhere, or the
/// system has no descriptor left.
pub fn open(options: Options, clock: Arc<dyn Clock>) -> Result<Simulated, Error> {
    let Size { width, height } = options.size;
    if !options.size.is_plausible() || width < MIN_SIDE || height < MIN_SIDE {
        return Err(Error::Unsupported(format!(
            "a simulated screen of {width}×{height}: its sides are {MIN_SIDE} to {} pixels",
            crate::geometry::MAX_SIDE,
        )));
    }
    let world = Arc::new(Mutex::new(World::new(options, clock)?));
    let machine = Machine {
        screen: Box::new(devices::SimulatedScreen::new(Arc::clone(&world))),
        input: Held::new(
            Box::new(devices::SimulatedKeyboard(Arc::clone(&world))),
            Box::new(devices::SimulatedPointer::new(Arc::clone(&world))),
            Box::new(devices::SimulatedTouch::new(Arc::clone(&world))),
        ),
        local: Box::new(devices::SimulatedLocal::new(&world)),
        panel: Box::new(devices::SimulatedPanel(Arc::clone(&world))),
        marks: Box::new(devices::SimulatedMarks(Arc::clone(&world))),
    };
    Ok(Simulated { machine, staff: Staff::new(Arc::clone(&world)), kiosk: Kiosk::new(world) })
}
