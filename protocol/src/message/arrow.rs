//! Arrows by which members point at something on a device's screen.

use serde::{Deserialize, Serialize};

use super::Place;
use crate::MemberId;

/// Colours of arrows: red, green, blue. Each has a contrast of at least 3:1 to black and is told
/// from its neighbours by people who see colours otherwise.
const COLORS: [[u8; 3]; 8] = [
    [0xff, 0xd1, 0x00],
    [0x4c, 0xc9, 0xff],
    [0xff, 0x8a, 0x3d],
    [0x8f, 0xe3, 0x88],
    [0xff, 0x9b, 0xd2],
    [0xb9, 0xa5, 0xff],
    [0xf2, 0xf2, 0xf2],
    [0x2d, 0xd4, 0xbf],
];

/// The colour of a member's arrow, as red, green and blue: everybody knows it without being told.
pub fn arrow_color(by: MemberId) -> [u8; 3] {
    COLORS.get(usize::from(by.0.wrapping_sub(1)) % COLORS.len()).copied().unwrap_or([0xff; 3])
}

/// Where somebody points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrow {
    /// The last [`ArrowReport::tick`] that whoever points knew; 0 if it is not known, or long ago.
    pub tick: u32,
    /// Where the arrow's tip is; nothing if it is to be seen no longer.
    pub at: Option<Place>,
}

/// What a device says of arrows, while somebody points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArrowReport {
    /// The device's time in [`crate::session::TICK`]s, from 1.
    pub tick: u32,
    /// Arrows that were not shown so far, because they came too late or the right was missing.
    pub dropped: u32,
    /// Whether the device's screen can show arrows, as far as is known.
    pub are_shown: bool,
}
