//! What a frame buffer says of itself, turned into something that can be read and written, or
//! refused.
//!
//! # Source
//! `linux/fb.h`

use framebuffer::{Bitfield, FixScreeninfo, VarScreeninfo};

use crate::linux::pixel_format::{Channel, Palette, PixelFormat};
use crate::linux::rows::Layout;
use crate::{Error, Size};

/// `FB_VISUAL_MONO01`: a set bit is black.
const VISUAL_MONO01: u32 = 0;
/// `FB_VISUAL_MONO10`: a set bit is white.
const VISUAL_MONO10: u32 = 1;
/// `FB_VISUAL_PSEUDOCOLOR`
const VISUAL_PSEUDOCOLOR: u32 = 3;
/// `FB_VISUAL_STATIC_PSEUDOCOLOR`
const VISUAL_STATIC_PSEUDOCOLOR: u32 = 5;
/// `FB_TYPE_PACKED_PIXELS`: whole pixels one after the other, not planes of bits.
const TYPE_PACKED_PIXELS: u32 = 0;

/// The widest display that is believed.
const MAX_MILLIMETRES: u32 = 10_000;

/// What is shown of a frame buffer, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mode {
    /// How pixels are stored.
    pub(crate) format: PixelFormat,
    /// Where they are in the memory that is mapped.
    pub(crate) layout: Layout,
}

/// How many bytes there are before the first pixel in the memory that is mapped: video memory
/// need not begin with a page, mappings do.
pub(crate) fn page_offset(fixed: &FixScreeninfo, page: usize) -> usize {
    fixed.smem_start & (page - 1)
}

/// The device's own name, as in `VESA VGA`.
pub(crate) fn name(fixed: &FixScreeninfo) -> String {
    let end = fixed.id.iter().position(|&byte| byte == 0).unwrap_or(fixed.id.len());
    String::from_utf8_lossy(fixed.id.get(..end).unwrap_or_default()).trim().to_owned()
}

/// Width and height of the display as the driver says; zero if it does not know.
pub(crate) fn millimetres(variable: &VarScreeninfo) -> Size {
    // Drivers that do not know say 0 or -1.
    let known = |value: u32| if value > MAX_MILLIMETRES { 0 } else { value };
    Size::new(known(variable.width), known(variable.height))
}

/// The same frame buffer, of as many pixels as a display shows of it, if it has them.
pub(crate) fn shown_on(display: Option<Size>, variable: VarScreeninfo) -> VarScreeninfo {
    let has = |size: &Size| {
        (variable.xoffset, variable.yoffset) == (0, 0)
            && (variable.xres..=variable.xres_virtual).contains(&size.width)
            && (variable.yres..=variable.yres_virtual).contains(&size.height)
    };
    match display.filter(has) {
        Some(Size { width, height }) => VarScreeninfo { xres: width, yres: height, ..variable },
        None => variable,
    }
}

/// Works out what is shown.
///
/// `page_offset` is as above, or 0 where the memory is read through the descriptor; `palette`
/// is asked for only where there is one.
///
/// # Errors
/// [`crate::ErrorKind::Unsupported`] for layouts that are not read here,
/// [`crate::ErrorKind::Broken`] for what cannot be.
pub(crate) fn mode(
    device: &str,
    fixed: &FixScreeninfo,
    variable: &VarScreeninfo,
    page_offset: usize,
    palette: impl FnOnce() -> Result<Box<Palette>, Error>,
) -> Result<Mode, Error> {
    let bits = variable.bits_per_pixel;
    let unsupported = || {
        let (kind, visual) = (fixed.fb_type, fixed.visual);
        Error::Unsupported(format!(
            "{device} has {bits} bits per pixel (type {kind}, visual {visual})"
        ))
    };
    if fixed.fb_type != TYPE_PACKED_PIXELS || variable.nonstd != 0 {
        return Err(unsupported());
    }
    let format = match (bits, fixed.visual) {
        (1, VISUAL_MONO01) => PixelFormat::Mono { set_is_white: false },
        (1, VISUAL_MONO10) => PixelFormat::Mono { set_is_white: true },
        (8, VISUAL_PSEUDOCOLOR | VISUAL_STATIC_PSEUDOCOLOR) => PixelFormat::Indexed(palette()?),
        (8, _) if variable.grayscale == 1 => PixelFormat::Indexed(greys()),
        (15..=32, _) => channels(variable).ok_or_else(unsupported)?,
        _ => return Err(unsupported()),
    };
    let broken = || Error::Broken {
        device: device.to_owned(),
        problem: format!(
            "{}x{} at {},{} of {} bytes a row is not within {} bytes",
            variable.xres,
            variable.yres,
            variable.xoffset,
            variable.yoffset,
            fixed.line_length,
            fixed.smem_len
        ),
    };
    if bits < 8 && !variable.xoffset.is_multiple_of(8) {
        return Err(unsupported());
    }
    if variable.xoffset > crate::geometry::MAX_SIDE * 2 {
        return Err(broken());
    }
    let first_pixel = page_offset as u64
        + u64::from(variable.yoffset) * u64::from(fixed.line_length)
        + format.row_bytes(variable.xoffset) as u64;
    let size = Size::new(variable.xres, variable.yres);
    let end = page_offset as u64 + u64::from(fixed.smem_len);
    let layout =
        Layout::new(&format, size, first_pixel, fixed.line_length, end).ok_or_else(broken)?;
    Ok(Mode { format, layout })
}

/// The format of pixels that are made of channels.
fn channels(variable: &VarScreeninfo) -> Option<PixelFormat> {
    let bytes = variable.bits_per_pixel.div_ceil(8);
    let channel = |field: &Bitfield| {
        let forward = field.msb_right == 0;
        Channel::new(field.offset, field.length, bytes * 8).filter(|_| forward)
    };
    let (red, green, blue) =
        (channel(&variable.red)?, channel(&variable.green)?, channel(&variable.blue)?);
    PixelFormat::packed(u8::try_from(bytes).ok()?, red, green, blue)
}

/// A palette of all greys, black first.
fn greys() -> Box<Palette> {
    let mut palette = Box::new([[0; 4]; 256]);
    for (level, entry) in (0..=u8::MAX).zip(palette.iter_mut()) {
        *entry = [level, level, level, 0xff];
    }
    palette
}

/// A palette from 16-bit red, green and blue.
pub(crate) fn palette(colours: &[[u16; 3]; 256]) -> Box<Palette> {
    let mut palette = Box::new([[0; 4]; 256]);
    for ([red, green, blue], entry) in colours.iter().zip(palette.iter_mut()) {
        *entry = [(blue >> 8) as u8, (green >> 8) as u8, (red >> 8) as u8, 0xff];
    }
    palette
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ErrorKind;

    #[test]
    fn a_display_that_shows_more_than_the_mode_says_counts() {
        let mode = VarScreeninfo {
            xres: 1024,
            yres: 768,
            xres_virtual: 1920,
            yres_virtual: 1080,
            ..Default::default()
        };
        let shown = |width, height| {
            let shown = shown_on(Some(Size::new(width, height)), mode.clone());
            (shown.xres, shown.yres)
        };
        assert_eq!(shown(1920, 1080), (1920, 1080));
        for (width, height) in [(1921, 1080), (1920, 1081), (800, 600), (1920, 600)] {
            assert_eq!(shown(width, height), (1024, 768), "{width}x{height}");
        }
        let panned = VarScreeninfo { yoffset: 5, ..mode.clone() };
        assert_eq!(shown_on(Some(Size::new(1920, 1080)), panned).xres, 1024);
        assert_eq!(shown_on(None, mode).xres, 1024);
    }

    fn field(offset: u32, length: u32) -> Bitfield {
        Bitfield { offset, length, msb_right: 0 }
    }

    /// What `vesafb` says of 800x600 in 16 bits.
    fn vesa() -> (FixScreeninfo, VarScreeninfo) {
        let fixed = FixScreeninfo {
            id: *b"VESA VGA\0\0\0\0\0\0\0\0",
            smem_start: 0xfd00_0000,
            smem_len: 800 * 600 * 2,
            visual: 2,
            line_length: 1600,
            ..Default::default()
        };
        let variable = VarScreeninfo {
            xres: 800,
            yres: 600,
            bits_per_pixel: 16,
            red: field(11, 5),
            green: field(5, 6),
            blue: field(0, 5),
            ..Default::default()
        };
        (fixed, variable)
    }

    fn no_palette() -> Result<Box<Palette>, Error> {
        Err(Error::Unsupported("no palette was expected".to_owned()))
    }

    fn parse(fixed: &FixScreeninfo, variable: &VarScreeninfo) -> Result<Mode, Error> {
        mode("/dev/fb0", fixed, variable, 0, no_palette)
    }

    #[test]
    fn channels_are_as_the_device_says_not_as_is_usual() {
        let (fixed, mut variable) = vesa();
        let rgb = parse(&fixed, &variable).unwrap();
        assert_eq!(Some(rgb.format), PixelFormat::from_fourcc(u32::from_le_bytes(*b"RG16")));
        std::mem::swap(&mut variable.red, &mut variable.blue);
        let bgr = parse(&fixed, &variable).unwrap();
        assert_eq!(Some(bgr.format), PixelFormat::from_fourcc(u32::from_le_bytes(*b"BG16")));
    }

    #[test]
    fn fifteen_bits_take_two_bytes() {
        let (fixed, variable) = vesa();
        let variable = VarScreeninfo {
            bits_per_pixel: 15,
            red: field(10, 5),
            green: field(5, 5),
            blue: field(0, 5),
            ..variable
        };
        let found = parse(&fixed, &variable).unwrap();
        assert_eq!(Some(found.format), PixelFormat::from_fourcc(u32::from_le_bytes(*b"XR15")));
    }

    #[test]
    fn the_visible_page_begins_at_the_pan_offset() {
        let (mut fixed, mut variable) = vesa();
        fixed.smem_len *= 2;
        (variable.xoffset, variable.yoffset) = (0, 600);
        let found = mode("/dev/fb0", &fixed, &variable, 0x20, no_palette).unwrap();
        assert_eq!(found.layout.offset_of(&found.format, 3, 2), 0x20 + 602 * 1600 + 6);
        variable.yoffset = 601;
        assert_eq!(parse(&fixed, &variable).unwrap_err().kind(), ErrorKind::Broken);
    }

    #[test]
    fn memory_that_begins_within_a_page_is_found() {
        let (mut fixed, _) = vesa();
        fixed.smem_start = 0xfd00_0340;
        assert_eq!(page_offset(&fixed, 4096), 0x340);
        assert_eq!(name(&fixed), "VESA VGA");
    }

    #[test]
    fn a_palette_is_asked_for_only_where_there_is_one() {
        let (mut fixed, mut variable) = vesa();
        (variable.bits_per_pixel, fixed.visual, fixed.line_length) = (8, VISUAL_PSEUDOCOLOR, 800);
        assert_eq!(parse(&fixed, &variable).unwrap_err().kind(), ErrorKind::Unsupported);
        let mut colours = [[0; 3]; 256];
        colours[9] = [0xffff, 0x8000, 0x00ff];
        let found = mode("/dev/fb0", &fixed, &variable, 0, || Ok(palette(&colours))).unwrap();
        let mut pixel = [0; 4];
        found.format.decode_row(&[9], &mut pixel);
        assert_eq!(pixel, [0x00, 0x80, 0xff, 0xff]);
    }

    #[test]
    fn planes_of_bits_are_refused() {
        let (mut fixed, variable) = vesa();
        fixed.fb_type = 3;
        assert_eq!(parse(&fixed, &variable).unwrap_err().kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn one_bit_pixels_keep_their_sense() {
        let (mut fixed, mut variable) = vesa();
        (variable.bits_per_pixel, fixed.line_length) = (1, 100);
        for (visual, set_is_white) in [(VISUAL_MONO01, false), (VISUAL_MONO10, true)] {
            fixed.visual = visual;
            let found = parse(&fixed, &variable).unwrap();
            assert_eq!(found.format, PixelFormat::Mono { set_is_white });
        }
        variable.xoffset = 3;
        assert_eq!(parse(&fixed, &variable).unwrap_err().kind(), ErrorKind::Unsupported);
    }

    proptest! {
        #[test]
        fn hostile_answers_never_panic(
            sizes: [u32; 4], bits in 0u32..70, fields: [(u32, u32, u32); 3],
            visual in 0u32..8, line_length: u32, smem_len: u32, page_offset in 0usize..65536,
        ) {
            let fixed = FixScreeninfo { visual, line_length, smem_len, ..Default::default() };
            let field = |(offset, length, msb_right)| Bitfield { offset, length, msb_right };
            let [red, green, blue] = fields.map(field);
            let [xres, yres, xoffset, yoffset] = sizes;
            let variable = VarScreeninfo {
                xres, yres, xoffset, yoffset, bits_per_pixel: bits, red, green, blue,
                ..Default::default()
            };
            mode("/dev/fb0", &fixed, &variable, page_offset, || Ok(greys())).ok();
        }
    }
}
