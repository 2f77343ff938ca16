//! The machine: what is on its screens, what its people touch, and how to do both for them.
//!
//! # Words
//! * **screen**: something that shows a picture: a DRM connector, a framebuffer device, a
//!   simulated kiosk. [`Screen`] reads it.
//! * **injected input**: what a technician does, [`Keyboard`], [`Pointer`], [`Touch`].
//! * **local input**: what the person at the machine does with real devices, [`LocalInput`].
//!   Nothing that can be injected ever appears there.
//! * **native**, **upright**: as the display was made, and as the person in front of it sees it;
//!   an [`Orientation`] leads from the one to the other.
//! * **panel**: the picture that Lotse itself shows to the person at the machine, [`Panel`].
//!
//! Every trait has at least two implementations: the Linux ones in `linux`, and the
//! `simulated` kiosk that needs no hardware. All `unsafe` of the project is in
//! `hal/src/linux/sys/`.

#[cfg(any(test, feature = "test-util"))]
pub mod conformance;
pub mod cursor;
pub mod draw;
pub mod error;
pub mod geometry;
pub mod input;
#[cfg(target_os = "linux")]
pub mod linux;
pub mod machine;
pub mod orientation;
pub mod panel;
pub mod screen;
pub mod simulated;

pub use cursor::Cursor;
pub use error::{Error, ErrorKind};
pub use geometry::{Point, Rect, Size};
pub use input::{
    Button, Held, KeyCode, Keyboard, LocalEvent, LocalInput, Locks, Phase, Pointer, Touch,
};
pub use machine::Machine;
pub use orientation::Orientation;
pub use panel::{Mark, Marks, Paint, Panel, Strip};
pub use screen::{BAND_ROWS, Band, Change, Output, Rows, Screen, ScreenInfo, ScreenState};
