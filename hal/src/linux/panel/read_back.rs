//! Whether what was painted is what is seen, told by reading the screen.
//!
//! Who shows the panel is never asked whether it is seen. The scan-out is read, which no other
//! program can pretend; where only its owner can read it, the owner is asked for the whole
//! picture that it shows, after it was made sure who that owner is.

use std::time::{Duration, Instant};

use crate::linux::choose::{ScreenChoice, choose};
use crate::linux::mounting::Mounting;
use crate::linux::pixel_format::{BGRX_BYTES, PixelFormat};
use crate::{Band, Error, Paint, Rect, Screen, ScreenState, Size, Strip};

/// How often it is looked at until what was painted has come to the screen.
const SETTLE_STEP: Duration = Duration::from_millis(30);

/// A picture may be torn by its owner who draws while it is read: it is looked at for so long at
/// least.
const TORN_TIME: Duration = Duration::from_millis(100);

/// Reads what is shown, until it is the painter's picture or `deadline` has come.
///
/// # Errors
/// When nothing can be read.
pub(crate) fn is_seen(
    mounting: &Mounting,
    panel: Size,
    formats: &[PixelFormat],
    area: Rect,
    painter: &dyn Paint,
    deadline: Instant,
) -> Result<bool, Error> {
    let mut screen = choose(&ScreenChoice::Auto, mounting)?.screen;
    let deadline = deadline.max(Instant::now() + TORN_TIME);
    loop {
        if compare_screen(screen.as_mut(), panel, formats, area, painter)? {
            return Ok(true);
        }
        if Instant::now() >= deadline {
            return Ok(false);
        }
        std::thread::sleep(SETTLE_STEP);
    }
}

/// Whether a screen of the given size shows an area of the painter's picture, to the depth of one
/// of the formats.
pub(super) fn compare_screen(
    screen: &mut dyn Screen,
    panel: Size,
    formats: &[PixelFormat],
    area: Rect,
    painter: &dyn Paint,
) -> Result<bool, Error> {
    match screen.poll()? {
        ScreenState::Shown { size, .. } if size == panel => {}
        _ => return Ok(false),
    }
    let mut same = vec![true; formats.len()];
    let (mut expected, mut rounded, mut scratch) = (Vec::new(), Vec::new(), Vec::new());
    screen.read(&mut |band: Band<'_>| {
        let rows = Rect { x: 0, y: band.y, width: band.size.width, height: band.rows };
        let Some(part) = rows.intersection(area).filter(|_| same.contains(&true)) else { return };
        expected.clear();
        expected.resize(part.width as usize * part.height as usize * BGRX_BYTES, 0);
        painter.paint(&mut Strip { panel, area: part, pixels: &mut expected });
        let width = band.size.width as usize * BGRX_BYTES;
        let (left, len) = (part.x as usize * BGRX_BYTES, part.width as usize * BGRX_BYTES);
        for (format, same) in formats.iter().zip(&mut same).filter(|(_, same)| **same) {
            rounded.clone_from(&expected);
            format.round_row(&mut rounded, &mut scratch);
            let shown = band.pixels.chunks_exact(width).skip((part.y - band.y) as usize);
            let wanted = rounded.chunks_exact(len).zip(expected.chunks_exact(len));
            *same = band.size == panel
                && wanted.zip(shown).all(|((rounded, painted), shown)| {
                    let shown = shown.get(left..left + len);
                    shown.is_some_and(|shown| shown == rounded || covers(painted, rounded, shown))
                });
        }
    })?;
    Ok(same.contains(&true))
}

/// Whether what is shown of a row is what was wanted, but for pixels that were not painted.
fn covers(painted: &[u8], wanted: &[u8], shown: &[u8]) -> bool {
    let [painted, wanted, shown] = [painted, wanted, shown].map(|row| row.as_chunks::<4>().0);
    let pixels = painted.iter().zip(wanted.iter().zip(shown));
    pixels.into_iter().all(|(painted, (wanted, shown))| painted[3] == 0 || wanted == shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Orientation;
    use crate::conformance::TestPattern;
    use crate::linux::file_screen::FileScreen;

    const SIZE: Size = Size::new(90, 140);

    /// A screen that shows a pattern as a screen of the given format would.
    fn screen(
        seed: u8,
        format: &PixelFormat,
        spoil: Option<usize>,
    ) -> (tempfile::NamedTempFile, FileScreen) {
        let mut pixels = vec![0; 90 * 140 * BGRX_BYTES];
        TestPattern { seed }.paint(&mut Strip {
            panel: SIZE,
            area: SIZE.rect(),
            pixels: &mut pixels,
        });
        for row in pixels.chunks_mut(90 * BGRX_BYTES) {
            format.round_row(row, &mut Vec::new());
        }
        if let Some(at) = spoil {
            pixels[at] ^= 0x80;
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), pixels).unwrap();
        let screen = FileScreen::open(file.path(), SIZE, Orientation::UPRIGHT).unwrap();
        (file, screen)
    }

    fn compare(screen: &mut FileScreen, format: &PixelFormat, area: Rect) -> bool {
        compare_screen(screen, SIZE, std::slice::from_ref(format), area, &TestPattern { seed: 3 })
            .unwrap()
    }

    #[test]
    fn what_is_seen_is_compared_to_the_depth_of_the_screen() {
        let coarse = PixelFormat::from_fourcc(u32::from_le_bytes(*b"RG16")).unwrap();
        let (_file, mut shown) = screen(3, &coarse, None);
        assert!(compare(&mut shown, &coarse, SIZE.rect()));
        assert!(!compare(&mut shown, &PixelFormat::Bgrx, SIZE.rect()));
    }

    #[test]
    fn one_wrong_pixel_is_noticed_inside_of_the_area_only() {
        let (x, y) = (50, 70);
        let format = PixelFormat::Bgrx;
        let (_file, mut shown) = screen(3, &format, Some((y * 90 + x) * BGRX_BYTES + 1));
        assert!(!compare(&mut shown, &format, SIZE.rect()));
        let (x, y) = (x as u32, y as u32);
        assert!(!compare(&mut shown, &format, Rect { x, y, width: 1, height: 1 }));
        assert!(compare(&mut shown, &format, Rect { x: 0, y: 0, width: 90, height: y }));
        assert!(compare(&mut shown, &format, Rect { x: x + 1, y: 0, width: 39, height: 140 }));
    }

    /// A pattern of which every other row is not painted.
    struct Striped;

    impl Paint for Striped {
        fn paint(&self, strip: &mut Strip<'_>) {
            TestPattern { seed: 3 }.paint(strip);
            let width = strip.area.width as usize * BGRX_BYTES;
            for (y, row) in (strip.area.y..).zip(strip.pixels.chunks_mut(width)) {
                if y % 2 == 1 {
                    row.fill(0);
                }
            }
        }
    }

    #[test]
    fn what_was_not_painted_may_be_anything_and_what_was_may_not() {
        for (row, is_seen) in [(70, false), (71, true)] {
            let format = PixelFormat::Bgrx;
            let (_file, mut shown) = screen(3, &format, Some((row * 90 + 50) * BGRX_BYTES + 1));
            let formats = [format];
            let seen = compare_screen(&mut shown, SIZE, &formats, SIZE.rect(), &Striped).unwrap();
            assert_eq!(seen, is_seen, "{row}");
        }
    }

    #[test]
    fn another_picture_or_another_size_is_not_the_panel() {
        let (_file, mut shown) = screen(4, &PixelFormat::Bgrx, None);
        assert!(!compare(&mut shown, &PixelFormat::Bgrx, SIZE.rect()));
        let (_file, mut shown) = screen(3, &PixelFormat::Bgrx, None);
        let other = Size::new(90, 139);
        let pattern = TestPattern { seed: 3 };
        let formats = [PixelFormat::Bgrx];
        let same = compare_screen(&mut shown, other, &formats, other.rect(), &pattern).unwrap();
        assert!(!same);
    }
}
