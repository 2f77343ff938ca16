//! Inputs of the one who controls a device.

use heapless::String;
use serde::{Deserialize, Serialize};

use super::{InvalidMessage, encode};
use crate::packet::INPUT_PADDING;

/// One input of the controller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// The last [`super::FromControlled::tick`] that the controller saw when it sent this.
    pub tick: u32,
    /// What the controller did.
    pub event: InputEvent,
}

/// A place in the device's picture. The size comes along, so that a place means the same pixel
/// after the picture's size has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Column in pixels.
    pub x: u16,
    /// Row in pixels.
    pub y: u16,
    /// Width in pixels of the picture that the controller saw.
    pub width: u16,
    /// Its height.
    pub height: u16,
}

/// What a controller can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum InputEvent {
    /// A key by its place on the keyboard.
    Key {
        /// Number of `linux/input-event-codes.h`.
        code: u16,
        /// Down or up.
        pressed: bool,
    },
    /// Text to be typed with the device's keyboard layout.
    Text(String<192>),
    /// The pointer is here.
    Pointer(Place),
    /// A mouse button where the pointer is: 0 left, 1 middle, 2 right.
    Button {
        /// Which.
        button: u8,
        /// Down or up.
        pressed: bool,
    },
    /// The wheel, in notches; positive is away from the user, and to the right.
    Wheel {
        /// Up and down.
        vertical: i8,
        /// Left and right.
        horizontal: i8,
    },
    /// A finger is down here.
    Touch {
        /// Which finger, from 0.
        slot: u8,
        /// Where.
        at: Place,
    },
    /// A finger is lifted.
    Lift {
        /// Which finger.
        slot: u8,
    },
    /// Everything is let go.
    ReleaseAll,
}

/// An input padded with zeros to a multiple of [`INPUT_PADDING`].
pub(crate) fn encode_input(input: &Input) -> Vec<u8> {
    let mut bytes = encode(input);
    bytes.resize(bytes.len().next_multiple_of(INPUT_PADDING), 0);
    bytes
}

/// The input in some bytes, padding included.
///
/// # Errors
/// [`InvalidMessage`] also when the padding is not all zeros.
pub fn decode_input(bytes: &[u8]) -> Result<Input, InvalidMessage> {
    match postcard::take_from_bytes(bytes) {
        Ok((input, padding)) if padding.iter().all(|&b| b == 0) => Ok(input),
        _ => Err(InvalidMessage),
    }
}
