//! Wayland compositors: their picture, and the panel above it.
//!
//! A small client of our own instead of a library: it speaks of a dozen objects, waits for a
//! bounded time, and costs the agent some twenty kilobytes.

mod buffer;
mod desktop;
mod find;
mod frames;
mod interfaces;
mod link;
pub(crate) mod panel;
mod screen;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::screen::WaylandScreen;
