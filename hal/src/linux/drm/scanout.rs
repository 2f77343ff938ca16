//! What the kernel says of a scan-out buffer, turned into something that can be read, or refused.
//!
//! Nothing here does any I/O, and nothing it is told is believed without bounds.

use crate::linux::pixel_format::PixelFormat;
use crate::{Error, Orientation, Rect, Size};

/// A frame buffer as `GETFB2` describes it; only its first plane, for packed formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Description {
    /// Its size; what is shown of it is another matter.
    pub(crate) size: Size,
    /// `DRM_FORMAT_*`
    pub(crate) fourcc: u32,
    /// The tiling; `None` if the owner left it to the driver.
    pub(crate) modifier: Option<u64>,
    /// Bytes from a row to the next.
    pub(crate) pitch: u32,
    /// The byte of the buffer with the first pixel.
    pub(crate) offset: u32,
}

/// What is shown of a buffer, and where that begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scanout {
    /// How pixels are stored.
    pub(crate) format: PixelFormat,
    /// Size of the part that is shown.
    pub(crate) size: Size,
    /// The byte of the buffer with its upper left pixel.
    pub(crate) first_pixel: u64,
    /// Bytes from a row to the next.
    pub(crate) pitch: u32,
    /// How many bytes of the buffer must be mapped.
    pub(crate) end: u64,
}

/// `DRM_FORMAT_MOD_LINEAR`
const LINEAR: u64 = 0;
/// `DRM_FORMAT_MOD_INVALID`: the driver knows, nobody else does.
const INVALID: u64 = 0x00ff_ffff_ffff_ffff;

/// Drivers that never tile a buffer by themselves, so that "the driver knows" means rows.
///
/// Those of virtual machines, of USB and bus displays, and of display controllers on small
/// systems-on-chip that can scan out nothing but rows.
const ROW_DRIVERS: [&str; 34] = [
    "armada-drm",
    "aspeed-gfx-drm",
    "ast",
    "atmel-hlcdc",
    "bochs-drm",
    "cirrus",
    "cirrus-qemu",
    "fsl-dcu-drm",
    "gm12u320",
    "gud",
    "hx8357d",
    "hyperv_drm",
    "ili9225",
    "ili9341",
    "ili9486",
    "imx-drm",
    "imx-lcdc",
    "imx-lcdif",
    "ingenic-drm",
    "mgag200",
    "mi0283qt",
    "mxsfb-drm",
    "ofdrm",
    "panel-mipi-dbi",
    "pl111",
    "qxl",
    "simpledrm",
    "st7586",
    "st7735r",
    "stm",
    "tilcdc",
    "udl",
    "virtio_gpu",
    "vkms",
];

/// Whether the driver's buffers without a modifier are rows.
fn stores_rows(driver: &str) -> bool {
    ROW_DRIVERS.binary_search(&driver).is_ok()
}

/// Whether a buffer without a modifier may be tiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tiling {
    /// As its driver does.
    ByDriver,
    /// It is a cursor's or a dumb one, which all hardware reads by rows.
    Never,
}

/// The part `shown` of a buffer, as it can be read by the CPU.
///
/// # Errors
/// [`crate::ErrorKind::Unsupported`] for a format that is not read here, [`Error::Tiled`] for a
/// tiling;
/// [`crate::ErrorKind::Broken`] for a geometry that cannot be.
pub(crate) fn plan(
    driver: &str,
    buffer: &Description,
    shown: Rect,
    tiling: Tiling,
) -> Result<Scanout, Error> {
    let format = PixelFormat::from_fourcc(buffer.fourcc).ok_or_else(|| {
        let code = buffer.fourcc.to_le_bytes().escape_ascii().to_string();
        Error::Unsupported(format!("{driver} scans out the pixel format {code}"))
    })?;
    let modifier = buffer.modifier.filter(|&modifier| modifier != INVALID);
    let is_rows = match modifier {
        Some(modifier) => modifier == LINEAR,
        None => tiling == Tiling::Never || stores_rows(driver),
    };
    if !is_rows {
        return Err(Error::Tiled { driver: driver.to_owned(), modifier });
    }
    let broken = |problem: &str| Error::Broken {
        device: driver.to_owned(),
        problem: format!("{problem}: {shown:?} of {buffer:?}"),
    };
    if !buffer.size.is_plausible() || buffer.size.rect().intersection(shown) != Some(shown) {
        return Err(broken("what is shown is not within the buffer"));
    }
    let pitch = u64::from(buffer.pitch);
    if pitch < format.row_bytes(buffer.size.width) as u64 {
        return Err(broken("rows overlap"));
    }
    let first_pixel =
        u64::from(buffer.offset) + u64::from(shown.y) * pitch + format.row_bytes(shown.x) as u64;
    let end =
        first_pixel + u64::from(shown.height - 1) * pitch + format.row_bytes(shown.width) as u64;
    if end > crate::linux::rows::MAX_BUFFER_BYTES {
        return Err(broken("the buffer is too large"));
    }
    let size = Size::new(shown.width, shown.height);
    Ok(Scanout { format, size, first_pixel, pitch: buffer.pitch, end })
}

/// The rectangle of a plane's source properties, which are 16.16 fixed point; `None` if it is
/// empty. Parts of pixels fall away.
pub(crate) fn source_rectangle(x: u64, y: u64, width: u64, height: u64) -> Option<Rect> {
    let whole = |value: u64| u32::try_from(value >> 16).ok();
    let rect = Rect { x: whole(x)?, y: whole(y)?, width: whole(width)?, height: whole(height)? };
    Size::new(rect.width, rect.height).is_plausible().then_some(rect)
}

/// What a plane's `rotation` does to a picture (`DRM_MODE_ROTATE_*` and `DRM_MODE_REFLECT_*` of
/// `drm_mode.h`): it is mirrored first, then turned *counter-clockwise*.
pub(crate) fn plane_rotation(bits: u64) -> Orientation {
    let mirror = |bit, mirrored| if bits & bit != 0 { mirrored } else { Orientation::UPRIGHT };
    let turn = match bits & 0xf {
        2 => Orientation::THREE_QUARTERS,
        4 => Orientation::HALF,
        8 => Orientation::QUARTER,
        _ => Orientation::UPRIGHT,
    };
    mirror(1 << 4, Orientation::MIRROR_X).then(mirror(1 << 5, Orientation::MIRROR_Y)).then(turn)
}

/// What makes the picture of a panel upright whose connector has this `panel orientation`
/// (`enum drm_panel_orientation`: normal, upside down, left side up, right side up).
pub(crate) fn panel_orientation(value: u64) -> Orientation {
    match value {
        1 => Orientation::HALF,
        2 => Orientation::QUARTER,
        3 => Orientation::THREE_QUARTERS,
        _ => Orientation::UPRIGHT,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{ErrorKind, Point};

    fn plan(driver: &str, buffer: &Description, shown: Rect) -> Result<Scanout, Error> {
        super::plan(driver, buffer, shown, Tiling::ByDriver)
    }

    const XR24: u32 = u32::from_le_bytes(*b"XR24");

    fn buffer() -> Description {
        let size = Size::new(1280, 800);
        Description { size, fourcc: XR24, modifier: Some(LINEAR), pitch: 5120, offset: 0 }
    }

    #[test]
    fn the_list_of_row_drivers_is_sorted() {
        assert!(ROW_DRIVERS.is_sorted());
        assert!(stores_rows("virtio_gpu") && stores_rows("armada-drm") && stores_rows("vkms"));
    }

    #[test]
    fn no_modifier_means_rows_only_where_nothing_else_exists() {
        let plain = Description { modifier: None, ..buffer() };
        let whole = buffer().size.rect();
        assert!(plan("virtio_gpu", &plain, whole).is_ok());
        for driver in ["i915", "amdgpu", "nouveau", "vc4", "", "something-new"] {
            let error = plan(driver, &plain, whole).unwrap_err();
            assert!(matches!(error, Error::Tiled { modifier: None, .. }), "{driver}: {error}");
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            let cursor = super::plan(driver, &plain, whole, Tiling::Never);
            assert!(cursor.is_ok(), "{driver}: cursors are rows everywhere");
            assert!(plan(driver, &buffer(), whole).is_ok(), "{driver} says linear itself");
        }
    }

    #[test]
    fn tiles_are_refused_even_from_drivers_that_do_not_tile() {
        let tiled = Description { modifier: Some(0x0100_0000_0000_0001), ..buffer() };
        let error = plan("virtio_gpu", &tiled, buffer().size.rect()).unwrap_err();
        assert!(matches!(error, Error::Tiled { modifier: Some(0x0100_0000_0000_0001), .. }));
        assert!(
            error.to_string().contains("0x0100000000000001")
                && error.to_string().contains("pixman")
        );
        let cursor = super::plan("virtio_gpu", &tiled, buffer().size.rect(), Tiling::Never);
        assert!(cursor.is_err(), "a modifier that is told counts for cursors too");
    }

    #[test]
    fn a_part_of_a_large_buffer_begins_at_its_own_pixel() {
        let shown = Rect { x: 640, y: 100, width: 640, height: 480 };
        let wide = Description { offset: 512, ..buffer() };
        let found = plan("vkms", &wide, shown).unwrap();
        assert_eq!(found.first_pixel, 512 + 100 * 5120 + 640 * 4);
        assert_eq!(found.end, 512 + 579 * 5120 + 1280 * 4);
        assert_eq!(found.size, Size::new(640, 480));
    }

    #[test]
    fn source_properties_are_fixed_point() {
        let fixed = |value: u64| value << 16;
        let found = source_rectangle(fixed(5) | 0x8000, 0, fixed(800), fixed(600));
        assert_eq!(found, Some(Rect { x: 5, y: 0, width: 800, height: 600 }));
        assert_eq!(source_rectangle(0, 0, 0, fixed(600)), None);
        assert_eq!(source_rectangle(0, 0, u64::MAX, fixed(600)), None);
    }

    #[test]
    fn hardware_turns_against_the_clock_and_mirrors_before() {
        let native = Size::new(800, 480);
        let upper_left = |bits| plane_rotation(bits).point(Point::new(0, 0), native);
        assert_eq!(upper_left(1), Point::new(0, 0));
        assert_eq!(upper_left(2), Point::new(0, 799), "a quarter against the clock");
        assert_eq!(upper_left(4), Point::new(799, 479));
        assert_eq!(upper_left(8), Point::new(479, 0), "three quarters");
        assert_eq!(upper_left(0x11), Point::new(799, 0), "mirrored");
        assert_eq!(upper_left(0x12), Point::new(0, 0), "mirrored, then a quarter");
        assert_eq!(upper_left(0x22), Point::new(479, 799));
        assert_eq!(plane_rotation(0), Orientation::UPRIGHT, "a driver that says nothing");
    }

    #[test]
    fn hardware_that_undoes_the_mounting_leaves_the_buffer_upright() {
        // A panel with its left side up, and a plane that turns against the clock by a quarter.
        let seen = plane_rotation(2).then(panel_orientation(2));
        assert_eq!(seen, Orientation::UPRIGHT);
        assert_eq!(plane_rotation(4).then(panel_orientation(1)), Orientation::UPRIGHT);
        assert_eq!(plane_rotation(8).then(panel_orientation(3)), Orientation::UPRIGHT);
    }

    proptest! {
        #[test]
        fn hostile_geometry_never_panics_and_never_leaves_the_buffer(
            width: u32, height: u32, pitch: u32, offset: u32,
            x: u32, y: u32, w: u32, h: u32,
        ) {
            let hostile =
                Description { size: Size::new(width, height), pitch, offset, ..buffer() };
            let shown = Rect { x, y, width: w, height: h };
            if let Ok(found) = plan("vkms", &hostile, shown) {
                prop_assert!(found.size.is_plausible());
                prop_assert!(found.end <= crate::linux::rows::MAX_BUFFER_BYTES);
            }
        }

        #[test]
        fn small_geometries_agree_with_the_rows(
            width in 1u32..50, height in 1u32..50, extra in 0u32..20, offset in 0u32..600,
            x in 0u32..50, y in 0u32..50, w in 1u32..50, h in 1u32..50,
        ) {
            let size = Size::new(width, height);
            let odd = Description { size, pitch: width * 4 + extra, offset, ..buffer() };
            let shown = Rect { x, y, width: w, height: h };
            let inside = x + w <= width && y + h <= height;
            let found = plan("vkms", &odd, shown);
            prop_assert_eq!(found.is_ok(), inside);
            if let Ok(found) = found {
                let all = u64::from(offset) + u64::from(odd.pitch) * u64::from(height);
                prop_assert!(found.end <= all);
            }
        }
    }
}
