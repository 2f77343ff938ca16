//! What a device says about its screens.

use heapless::String;
use serde::{Deserialize, Serialize};

/// The name of one of a device's screens, as in `drm:HDMI-A-1`.
pub type OutputName = String<64>;

/// The screens of a device; more than eight are not told.
pub type OutputList = heapless::Vec<OutputReport, 8>;

/// Parts of a picture that are covered; more than four are not told.
pub type CoveredParts = heapless::Vec<Part, 4>;

/// One of a device's screens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputReport {
    /// By which it is asked for.
    pub name: OutputName,
    /// Whether it is the one that is read now.
    pub is_read: bool,
}

/// A rectangle in the device's picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// First column.
    pub x: u16,
    /// First row.
    pub y: u16,
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

/// What the device's screen is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ScreenReport {
    /// It shows a picture.
    Shown {
        /// Width in pixels.
        width: u16,
        /// Height in pixels.
        height: u16,
    },
    /// It shows nothing.
    Off,
    /// It cannot be read at the moment; the device looks for it again.
    Unreadable,
}
