//! What a machine has, as the kernel tells it: for people who set one up.
//!
//! Everything is looked at and nothing is changed: no connector is probed, no mode set, no
//! virtual device made. What cannot be looked at is told with the reason, beside the rest.

mod inputs;

use std::path::PathBuf;

pub use self::inputs::{AxisReport, Class, InputReport, inputs};
use super::drm::Card;
use super::fbdev::FrameBuffer;
use super::x11::{self, X11Screen};
use crate::linux::choose::card_of;
use crate::linux::mounting::Mounting;
use crate::{Error, Orientation, Screen as _, Size};

/// A graphics card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardReport {
    /// The kernel's name of the driver.
    pub driver: String,
    /// Whether another program decides what is shown.
    pub has_other_master: bool,
    /// Its sockets and panels.
    pub connectors: Vec<ConnectorReport>,
    /// What feeds them with pixels.
    pub planes: Vec<PlaneReport>,
}

/// A connector of a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectorReport {
    /// As in `HDMI-A-1`.
    pub name: String,
    /// Whether something is plugged in.
    pub is_connected: bool,
    /// The number of the CRTC that drives it, if one does.
    pub crtc: Option<u32>,
    /// What makes its native picture upright, as it says itself.
    pub mounting: Orientation,
    /// Width and height as it says itself, native; zero if it does not.
    pub millimetres: Size,
}

/// A plane of a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaneReport {
    /// Its number.
    pub id: u32,
    /// `primary`, `cursor` or `overlay`.
    pub kind: &'static str,
    /// The CRTC that it feeds, if it does.
    pub crtc: Option<u32>,
    /// What it shows, if it does; or why that cannot be told.
    pub buffer: Option<Result<BufferReport, String>>,
    /// The formats that it could show, by their four letters.
    pub formats: Vec<String>,
    /// `DRM_FORMAT_MOD_*` that it could show; none if it does not say.
    pub modifiers: Vec<u64>,
}

/// What a plane shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BufferReport {
    /// Its number.
    pub id: u32,
    /// Its size in pixels.
    pub size: Size,
    /// Its format, by four letters.
    pub format: String,
    /// `DRM_FORMAT_MOD_*`; `None` if its owner left that to the driver.
    pub modifier: Option<u64>,
    /// Bytes from a row to the next.
    pub pitch: u32,
}

/// A frame buffer device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameBufferReport {
    /// What it calls itself, as in `VESA VGA`.
    pub driver: String,
    /// The card that it is an emulation of, if it is one.
    pub card: Option<PathBuf>,
    /// What is shown of it, in pixels.
    pub size: Size,
    /// All of it, in pixels.
    pub virtual_size: Size,
    /// Where what is shown begins, in pixels from the left and from the top.
    pub offset: (u32, u32),
    /// Bits of a pixel.
    pub bits: u32,
    /// Bytes from a row to the next.
    pub pitch: u32,
    /// Width and height of the display as the driver says; zero if it does not.
    pub millimetres: Size,
}

/// The graphics cards, each with what it has or why that cannot be told.
pub fn cards() -> Vec<(PathBuf, Result<CardReport, Error>)> {
    let report = |path: PathBuf| {
        let found = Card::open(&path).and_then(|card| card.report());
        (path, found)
    };
    Card::paths().into_iter().map(report).collect()
}

/// The frame buffer devices, each with its mode or why that cannot be told.
pub fn frame_buffers() -> Vec<(PathBuf, Result<FrameBufferReport, Error>)> {
    let report = |path: PathBuf| {
        let found = FrameBuffer::report(&path).map(|mut found| {
            found.card = card_of(&path);
            found
        });
        (path, found)
    };
    FrameBuffer::paths().into_iter().map(report).collect()
}

/// The X servers of this machine by their numbers, each with the size of its screen or why it
/// does not let us look.
pub fn x_displays() -> Vec<(u16, Result<Size, Error>)> {
    let report = |display: u16| {
        let screen = X11Screen::open(display, &Mounting::default());
        (display, screen.map(|screen| screen.info().size))
    };
    x11::displays().into_iter().map(report).collect()
}
