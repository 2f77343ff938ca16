//! The panel on a plane of the graphics card, above what the owner of the screen shows and unknown to it.
//!
//! Only the plane with the owner's picture is read by an onlooker, so that what is read back here is the plane itself:
//! that the kernel scans it out, where, with which pixels, and that no other lies above it.

use std::time::{Duration, Instant};

use super::painted::Painted;
use super::read_back::compare_screen;
use crate::linux::drm::overlay::{Overlay, Site};
use crate::linux::mounting::Mounting;
use crate::linux::pixel_format::PixelFormat;
use crate::{Error, Paint, Panel, Rect, Size, Strip};

/// Rows that are painted at once.
const STRIP_ROWS: u32 = 16;

/// How long the kernel may take to bring what was drawn to the screen.
const SETTLE_TIME: Duration = Duration::from_millis(300);

/// How often it is looked at meanwhile.
const SETTLE_STEP: Duration = Duration::from_millis(20);

/// A part of a painter's picture, as a picture of its own.
struct Part<'a> {
    painter: &'a dyn Paint,
    panel: Size,
    area: Rect,
}

impl Paint for Part<'_> {
    fn paint(&self, strip: &mut Strip<'_>) {
        let (x, y) = (self.area.x + strip.area.x, self.area.y + strip.area.y);
        let area = Rect { x, y, ..strip.area };
        self.painter.paint(&mut Strip { panel: self.panel, area, pixels: &mut *strip.pixels });
    }
}

/// What is shown now.
#[derive(Debug)]
struct Shown {
    overlay: Overlay,
    area: Rect,
    drawn_at: Instant,
}

/// A panel on a plane of its own.
#[derive(Debug)]
pub(super) struct OverlayPanel {
    mounting: Mounting,
    shown: Option<Shown>,
}

impl OverlayPanel {
    /// Shows nothing yet.
    pub(super) fn new(mounting: Mounting) -> Self {
        Self { mounting, shown: None }
    }
}

impl Shown {
    fn draw(&mut self, painter: &dyn Paint) -> Result<(), Error> {
        let (size, orientation) = (self.overlay.native_size(), self.overlay.site().orientation());
        let part = Part { painter, panel: self.overlay.site().size(), area: self.area };
        let mut painted = Painted::new(&part, orientation, size);
        let mut y = 0;
        while y < size.height {
            let height = STRIP_ROWS.min(size.height - y);
            let strip = Rect { x: 0, y, width: size.width, height };
            self.overlay.write(y, painted.native(strip))?;
            y += height;
        }
        self.overlay.bind()?;
        self.drawn_at = Instant::now();
        Ok(())
    }
}

impl Panel for OverlayPanel {
    fn describe(&self) -> String {
        match &self.shown {
            Some(shown) => format!("overlay: {}", shown.overlay.site().describe()),
            None => match Site::find(&self.mounting) {
                Ok(site) => format!("overlay: {}", site.describe()),
                Err(error) => format!("overlay: {error}"),
            },
        }
    }

    fn size(&mut self) -> Result<Size, Error> {
        // What does not hold any more (another mode, somebody took the plane) is looked for anew.
        self.shown.take_if(|shown| shown.overlay.check().is_err());
        match &self.shown {
            Some(shown) => Ok(shown.overlay.site().size()),
            None => Ok(Site::find(&self.mounting)?.size()),
        }
    }

    fn show(&mut self, area: Rect, painter: &dyn Paint) -> Result<(), Error> {
        let Some(area) = self.size()?.rect().intersection(area) else { return Ok(()) };
        self.shown.take_if(|shown| shown.area != area);
        if self.shown.is_none() {
            let site = Site::find(&self.mounting)?;
            let overlay = Overlay::new(site, area)?;
            self.shown = Some(Shown { overlay, area, drawn_at: Instant::now() });
        }
        let outcome = self.shown.as_mut().map_or(Ok(()), |shown| shown.draw(painter));
        if outcome.is_err() {
            self.shown = None;
        }
        outcome
    }

    fn verify(&mut self, area: Rect, painter: &dyn Paint) -> Result<bool, Error> {
        let Some(shown) = self.shown.as_mut().filter(|shown| shown.area == area) else {
            return Ok(false);
        };
        let part = Part { painter, panel: shown.overlay.site().size(), area };
        let size = Size::new(area.width, area.height);
        loop {
            let formats = [PixelFormat::Bgrx];
            if compare_screen(&mut shown.overlay, size, &formats, size.rect(), &part)? {
                return Ok(true);
            }
            if shown.drawn_at.elapsed() >= SETTLE_TIME {
                return Ok(false);
            }
            std::thread::sleep(SETTLE_STEP);
        }
    }

    fn keep(&mut self) -> Result<(), Error> {
        self.shown.as_ref().map_or(Ok(()), |shown| shown.overlay.check())
    }

    fn hide(&mut self) -> Result<(), Error> {
        self.shown = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::TestPattern;
    use crate::linux::pixel_format::BGRX_BYTES;

    #[test]
    fn a_part_is_painted_as_it_is_within_the_whole() {
        let (panel, pattern) = (Size::new(40, 30), TestPattern { seed: 7 });
        let area = Rect { x: 11, y: 5, width: 20, height: 9 };
        let paint = |painter: &dyn Paint, panel: Size, area: Rect| {
            let mut pixels = vec![0; area.width as usize * area.height as usize * BGRX_BYTES];
            painter.paint(&mut Strip { panel, area, pixels: &mut pixels });
            pixels
        };
        let part = Part { painter: &pattern, panel, area };
        let all = Size::new(area.width, area.height);
        assert_eq!(paint(&part, all, all.rect()), paint(&pattern, panel, area));
        let rows = Rect { x: 0, y: 3, width: 20, height: 4 };
        assert_eq!(paint(&part, all, rows), paint(&pattern, panel, Rect { x: 11, y: 8, ..rows }));
    }
}
