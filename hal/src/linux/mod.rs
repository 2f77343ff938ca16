//! Linux machines: DRM scan-out, frame buffers, X servers, Wayland compositors, uinput, evdev, and virtual terminals.
//!
//! [`open()`] gives a whole [`crate::Machine`]. What is public beside it is for programs that
//! need one part, or want to tell why a part is not there.

mod calibration;
pub mod choose;
mod drm;
mod event_codes;
mod fbdev;
pub mod file_screen;
pub mod follow;
pub mod inventory;
pub mod local_input;
pub mod mounting;
mod open;
pub mod panel;
mod peer;
mod pixel_format;
pub mod pseudo_terminal;
mod rows;
mod shared_memory;
mod sys;
mod turned;
pub mod uinput;
mod wayland;
mod x11;

pub use self::open::{MachineConfig, open, restore};
