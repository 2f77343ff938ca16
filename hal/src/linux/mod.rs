//! Linux machines: DRM scan-out, frame buffers, uinput, evdev, and virtual terminals.

pub mod choose;
mod drm;
mod event_codes;
mod fbdev;
pub mod file_screen;
pub mod follow;
mod pixel_format;
mod rows;
mod sys;
pub mod uinput;
