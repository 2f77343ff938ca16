//! The window that is all of an X server's picture, and how its pixels are stored.

use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{ImageOrder, Window};

use super::link::Link;
use crate::linux::pixel_format::{Channel, PixelFormat};
use crate::{Error, Size};

/// An X server's root window.
#[derive(Debug, Clone)]
pub(super) struct Root {
    pub(super) window: Window,
    pub(super) size: Size,
    pub(super) depth: u8,
    pub(super) format: PixelFormat,
    /// Rows begin at multiples of so many bytes.
    pub(super) pad: u32,
    pub(super) bits_per_pixel: u32,
}

impl Root {
    /// That of the server's first screen, as it was when we connected.
    ///
    /// # Errors
    /// When it stores pixels in a way that is not known here.
    pub(super) fn of(link: &Link, display: u16) -> Result<Self, Error> {
        let setup = link.setup();
        let screen = setup
            .roots
            .first()
            .ok_or_else(|| Error::Unsupported("an X server without a screen".to_owned()))?;
        let (window, depth) = (screen.root, screen.root_depth);
        let size = Size::new(screen.width_in_pixels.into(), screen.height_in_pixels.into());
        let stored = setup.pixmap_formats.iter().find(|format| format.depth == depth);
        let visuals = screen.allowed_depths.iter().flat_map(|depth| &depth.visuals);
        let visual = visuals.clone().find(|visual| visual.visual_id == screen.root_visual);
        let unsupported =
            || Error::Unsupported(format!("the X server :{display} has a depth of {depth}"));
        let (stored, visual) = stored.zip(visual).ok_or_else(unsupported)?;
        if setup.image_byte_order != ImageOrder::LSB_FIRST {
            return Err(unsupported());
        }
        let masks = [visual.red_mask, visual.green_mask, visual.blue_mask];
        let format = pixel_format(stored.bits_per_pixel, masks).ok_or_else(unsupported)?;
        let pad = u32::from(stored.scanline_pad / 8).max(1);
        let bits_per_pixel = stored.bits_per_pixel.into();
        Ok(Self { window, size, depth, format, pad, bits_per_pixel })
    }
}

/// Bytes from a row to the next in what goes to and comes from the server.
pub(super) fn pitch(width: u32, bits_per_pixel: u32, pad: u32) -> u32 {
    (width * bits_per_pixel).div_ceil(8).next_multiple_of(pad)
}

/// How pixels of so many bits with these masks of red, green and blue are stored.
fn pixel_format(bits_per_pixel: u8, masks: [u32; 3]) -> Option<PixelFormat> {
    let channel =
        |mask: u32| Channel::new(mask.trailing_zeros(), mask.count_ones(), bits_per_pixel.into());
    let [red, green, blue] = masks.map(channel);
    PixelFormat::packed(bits_per_pixel / 8, red?, green?, blue?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_say_where_the_colours_are() {
        let fourcc = |code: &[u8; 4]| PixelFormat::from_fourcc(u32::from_le_bytes(*code));
        assert_eq!(pixel_format(32, [0xff_0000, 0xff00, 0xff]), Some(PixelFormat::Bgrx));
        assert_eq!(pixel_format(16, [0xf800, 0x7e0, 0x1f]), fourcc(b"RG16"));
        assert_eq!(pixel_format(32, [0x3ff0_0000, 0xf_fc00, 0x3ff]), fourcc(b"XR30"));
        assert_eq!(pixel_format(8, [0, 0, 0]), None);
        assert_eq!(pixel_format(32, [0, 0xff00, 0xff]), None);
    }
}
