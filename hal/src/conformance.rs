//! What every implementation of the traits must do, checked by calling it.
//!
//! Each function panics when a rule is broken, as a test does. They run against the plain file
//! and the simulated kiosk in unit tests, and against real devices in the lab.

use crate::input::{Keyboard, Pointer, Touch};
use crate::screen::BAND_ROWS;
use crate::{
    Band, Button, Change, ErrorKind, KeyCode, Paint, Panel, Point, Rect, Rows, Screen, ScreenState,
    Size, Strip,
};

/// A whole picture, put together from bands whose order and size were checked on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Its size.
    pub size: Size,
    /// `height × width` pixels: blue, green, red, 0xff.
    pub pixels: Vec<u8>,
}

impl Picture {
    /// Reads a screen once.
    ///
    /// # Errors
    /// What the screen says.
    ///
    /// # Panics
    /// If the bands are not as [`Screen::read`] promises.
    pub fn read(screen: &mut dyn Screen) -> Result<Self, crate::Error> {
        let mut picture: Option<Self> = None;
        let mut next_row = 0;
        screen.read(&mut |band: Band<'_>| {
            let picture =
                picture.get_or_insert_with(|| Self { size: band.size, pixels: Vec::new() });
            assert!(band.size.is_plausible(), "a picture has a plausible size");
            assert_eq!(band.size, picture.size, "all bands are of one picture");
            assert_eq!(band.y, next_row, "bands come in order, without gaps");
            let rows = BAND_ROWS.min(band.size.height - band.y);
            assert_eq!(band.rows, rows, "a band is as high as it can be");
            let bytes = rows as usize * band.size.width as usize * 4;
            assert_eq!(band.pixels.len(), bytes, "a band has all of its pixels");
            let opaque = band.pixels.chunks(4).all(|pixel| pixel.last() == Some(&0xff));
            assert!(opaque, "the fourth byte is always 0xff");
            picture.pixels.extend_from_slice(band.pixels);
            next_row += rows;
        })?;
        let picture = picture.unwrap_or_else(|| panic!("a screen that is read has bands"));
        assert_eq!(next_row, picture.size.height, "the bands cover the picture");
        Ok(picture)
    }
}

/// Checks a screen that shows something now.
///
/// # Panics
/// If a rule is broken.
pub fn screen(screen: &mut dyn Screen) {
    let polled = screen.poll();
    let Ok(ScreenState::Shown { size, .. }) = polled else {
        panic!("the screen must show something for this check: {polled:?}");
    };
    assert!(size.is_plausible(), "the size is plausible");
    let info = screen.info();
    assert_eq!(info.size, size, "the description follows what is seen");
    assert!(!info.source.is_empty() && !info.name.is_empty(), "a screen can be told from others");
    for _ in 0..3 {
        let picture = Picture::read(screen);
        assert_eq!(picture.map(|picture| picture.size).ok(), Some(size), "a picture can be read");
    }
}

/// Checks that a screen shows what is drawn on it, and nothing that was drawn before.
///
/// `draw` puts a whole picture of the given size there, blue, green, red, x.
///
/// # Panics
/// If a rule is broken.
pub fn screen_shows(screen: &mut dyn Screen, size: Size, draw: &mut dyn FnMut(&[u8])) {
    for seed in [1, 2, 1] {
        let pattern = TestPattern { seed };
        let mut pixels = vec![0; size.width as usize * size.height as usize * 4];
        pattern.paint(&mut Strip { panel: size, area: size.rect(), pixels: &mut pixels });
        draw(&pixels);
        let polled = screen.poll();
        let shown =
            matches!(polled, Ok(ScreenState::Shown { change, .. }) if change != Change::None);
        assert!(shown, "a screen that was drawn on may have changed: {polled:?}");
        let picture = Picture::read(screen).unwrap_or_else(|error| panic!("{error}"));
        assert!(picture == Picture { size, pixels }, "what was drawn is what is read");
        glances(screen, &picture);
        parts(screen, &picture);
    }
}

/// Checks that some rows, where they can be read alone, are those of the picture.
fn parts(screen: &mut dyn Screen, picture: &Picture) {
    let (size, stride) = (picture.size, picture.size.width as usize * 4);
    let last = Rows { from: size.height - 1, to: size.height };
    for rows in [Rows { from: 0, to: 1 }, last, Rows::ALL] {
        let mut seen: Option<Rows> = None;
        let can = screen.read_part(rows, &mut |band| {
            assert!(band.size == size && band.y.is_multiple_of(BAND_ROWS), "{band:?}");
            let to = band.y + band.rows;
            assert_eq!(seen.map_or(band.y, |seen| seen.to), band.y, "without gaps");
            let pixels = picture.pixels.get(band.y as usize * stride..to as usize * stride);
            assert!(pixels == Some(band.pixels), "the rows from {} on are the picture's", band.y);
            seen = Some(Rows { from: seen.map_or(band.y, |seen| seen.from), to });
        });
        match (can, seen) {
            (Ok(true), Some(seen)) => {
                let wanted = rows.to.min(size.height);
                assert!(seen.from <= rows.from && wanted <= seen.to, "{rows:?} are in {seen:?}");
            }
            (can, seen) => {
                assert!(can.is_ok_and(|can| !can) && seen.is_none(), "no way of reading parts");
            }
        }
    }
}

/// Checks that single rows, where they can be had, are those of the picture.
fn glances(screen: &mut dyn Screen, picture: &Picture) {
    let last = picture.size.height - 1;
    let mut seen = Vec::new();
    let stride = picture.size.width as usize * 4;
    let can = screen.glance(&mut [last, 0, last + 1].into_iter(), &mut |y, pixels| {
        let row = picture.pixels.get(y as usize * stride..(y as usize + 1) * stride);
        assert_eq!(Some(pixels), row, "row {y} is that of the picture");
        seen.push(y);
    });
    match can {
        Ok(true) => assert_eq!(seen, [last, 0], "all rows that there are, in their order"),
        can => assert!(can.is_ok() && seen.is_empty(), "no way of looking at rows: {can:?}"),
    }
}

/// A picture in which no two rows and no two columns are the same, so that any shift shows.
#[derive(Debug, Clone, Copy)]
pub struct TestPattern {
    /// Pictures of different seeds differ in most pixels.
    pub seed: u8,
}

impl TestPattern {
    fn pixel(self, x: u32, y: u32) -> [u8; 4] {
        let blue = x.wrapping_mul(3).wrapping_add(y.wrapping_mul(7)) as u8;
        let green = (y >> 1) as u8 ^ (x >> 3) as u8;
        [blue ^ self.seed.wrapping_mul(91), green, (x ^ y ^ u32::from(self.seed)) as u8, 0xff]
    }
}

impl Paint for TestPattern {
    fn paint(&self, strip: &mut Strip<'_>) {
        let width = strip.area.width as usize;
        for (row, pixels) in (strip.area.y..).zip(strip.pixels.chunks_mut(width.max(1) * 4)) {
            for (x, pixel) in (strip.area.x..).zip(pixels.as_chunks_mut::<4>().0) {
                *pixel = self.pixel(x, row);
            }
        }
    }
}

/// Checks a keyboard by pressing and releasing a few keys that type nothing (F13 and a shift).
///
/// # Panics
/// If a rule is broken.
pub fn keyboard(keyboard: &mut dyn Keyboard) {
    for key in [KeyCode(183), KeyCode(42)] {
        assert!(keyboard.key(key, true).is_ok(), "a key can be pressed");
        assert!(keyboard.key(key, false).is_ok(), "a key can be released");
        assert!(keyboard.key(key, false).is_ok(), "releasing twice is no error");
    }
}

/// Checks a pointer: it moves to every corner, and beyond the picture is an error or the edge.
///
/// # Panics
/// If a rule is broken.
pub fn pointer(pointer: &mut dyn Pointer) {
    let within = Size::new(640, 480);
    for at in [Point::new(0, 0), Point::new(639, 0), Point::new(639, 479), Point::new(0, 479)] {
        assert!(pointer.move_to(at, within).is_ok(), "{at:?} is within the picture");
    }
    // What happens outside is up to the machine, but it must not panic.
    pointer.move_to(Point::new(u32::MAX, u32::MAX), within).ok();
    pointer.move_to(Point::new(1, 1), Size::new(0, 0)).ok();
    for button in [Button::Left, Button::Middle, Button::Right] {
        assert!(pointer.button(button, true).is_ok() && pointer.button(button, false).is_ok());
    }
    assert!(pointer.wheel(1, 0).is_ok() && pointer.wheel(-1, 0).is_ok());
    assert!(pointer.wheel(0, 0).is_ok(), "no notch at all is no error");
}

/// Checks touch: every slot takes a finger, and no other slot does.
///
/// # Panics
/// If a rule is broken.
pub fn touch(touch: &mut dyn Touch) {
    let within = Size::new(640, 480);
    let slots = touch.slots();
    assert!(slots > 0, "a touch screen takes at least one finger");
    for slot in 0..slots {
        let at = Point::new(20 + u32::from(slot), 30);
        assert!(touch.contact(slot, at, within).is_ok(), "finger {slot} can come down");
        assert!(touch.contact(slot, at, within).is_ok(), "finger {slot} can stay");
    }
    let beyond = touch.contact(slots, Point::new(0, 0), within);
    assert_eq!(beyond.map_err(|error| error.kind()), Err(ErrorKind::Unsupported));
    for slot in 0..slots {
        assert!(touch.lift(slot).is_ok(), "finger {slot} can be lifted");
        assert!(touch.lift(slot).is_ok(), "lifting twice is no error");
    }
}

/// Checks a panel: what it shows is seen, anything else is not taken for it, and it goes away.
///
/// Shows two pictures on the whole panel.
///
/// # Panics
/// If a rule is broken.
pub fn panel(panel: &mut dyn Panel) {
    let size = panel.size().unwrap_or_else(|error| panic!("a panel has a size: {error}"));
    assert!(size.is_plausible() && !panel.describe().is_empty());
    for seed in [1, 2] {
        let (right, wrong) = (TestPattern { seed }, TestPattern { seed: seed + 7 });
        let show = panel.show(size.rect(), &right);
        assert!(show.is_ok(), "the whole panel can be shown: {show:?}");
        let verified = panel.verify(size.rect(), &right);
        assert!(matches!(verified, Ok(true)), "what was shown is seen: {verified:?}");
        let part = Rect { x: size.width / 4, y: size.height / 4, width: 16, height: 70 };
        assert!(matches!(panel.verify(part, &right), Ok(true)), "and so is a part of it");
        let verified = panel.verify(size.rect(), &wrong);
        assert!(matches!(verified, Ok(false)), "another picture is not seen: {verified:?}");
    }
    assert!(panel.hide().is_ok(), "it can be hidden");
    assert!(panel.hide().is_ok(), "hiding twice is no error");
    assert!(!matches!(panel.verify(size.rect(), &TestPattern { seed: 2 }), Ok(true)));
}
