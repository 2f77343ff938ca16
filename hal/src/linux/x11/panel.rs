//! The panel on an X server: a window that no window manager touches, above all others.
//!
//! The server keeps the picture (as the window's background) and so repaints what comes out from
//! below another window by itself. Another window may still come above ours: the server tells,
//! and ours is raised again. Nothing that the server says is an answer: input comes from physical
//! devices alone, and whether the panel is seen is read from the screen.
//!
//! # Source
//! The X protocol's core: *override-redirect* of `CreateWindow`, `VisibilityNotify`.

use std::time::{Duration, Instant};

use x11rb::connection::{Connection as _, RequestConnection as _};
use x11rb::protocol::Event;
use x11rb::protocol::dpms::{ConnectionExt as _, DPMSMode};
use x11rb::protocol::shape::SK;
use x11rb::protocol::xfixes::ConnectionExt as _;
use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ConfigureWindowAux, ConnectionExt as _, CreateGCAux,
    CreateWindowAux, EventMask, Gcontext, ImageFormat, Pixmap, Rectangle, ScreenSaver, StackMode,
    Visibility, Window, WindowClass,
};

use super::link::{Link, connect, failed};
use super::root::{Root, pitch};
use super::{auth, displays};
use crate::linux::mounting::Mounting;
use crate::linux::panel::is_seen;
use crate::{Error, Paint, Panel, Rect, Size, Strip};

/// Rows that are painted and sent at once, if the server takes so many bytes.
const STRIP_ROWS: u32 = 16;

/// Bytes of a request beside its pixels, rounded up.
const REQUEST_HEAD: usize = 64;

/// How long the server may take to bring what was painted to the screen.
const SETTLE_TIME: Duration = Duration::from_millis(300);

/// A panel on an X server of this machine.
#[derive(Debug)]
pub(crate) struct X11Panel {
    /// The display; the first that lets us in if none is named.
    display: Option<u16>,
    mounting: Mounting,
    /// It shows a mark, which takes no input and may have any shape.
    is_mark: bool,
    shown: Option<Shown>,
}

/// What is shown now.
struct Shown {
    link: Link,
    display: u16,
    root: Root,
    area: Rect,
    is_mark: bool,
    window: Window,
    picture: Pixmap,
    context: Gcontext,
    painted_at: Instant,
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shown")
            .field("display", &self.display)
            .field("area", &self.area)
            .finish_non_exhaustive()
    }
}

impl X11Panel {
    /// A panel that shows nothing yet.
    pub(crate) fn new(display: Option<u16>, mounting: Mounting) -> Self {
        Self { display, mounting, is_mark: false, shown: None }
    }

    /// The same for a mark.
    pub(crate) fn mark(display: Option<u16>, mounting: Mounting) -> Self {
        Self { is_mark: true, ..Self::new(display, mounting) }
    }

    /// A connection to the server, and all of its picture.
    fn reach(&self) -> Result<(Link, u16, Root), Error> {
        let all = self.display.map_or_else(displays, |display| vec![display]);
        let mut first = None;
        for display in all {
            match connect(display).and_then(|link| Ok((Root::of(&link, display)?, link))) {
                Ok((root, link)) => return Ok((link, display, root)),
                Err(error) => first = first.or(Some(error)),
            }
        }
        Err(first.unwrap_or_else(|| Error::Unsupported("no X server is running".to_owned())))
    }
}

impl Shown {
    /// A window for a part of the screen, not yet seen.
    fn new(
        (link, display, root): (Link, u16, Root),
        area: Rect,
        is_mark: bool,
    ) -> Result<Self, Error> {
        let [window, picture, context, cursor, blank] = {
            let id = || link.generate_id().map_err(failed);
            [id()?, id()?, id()?, id()?, id()?]
        };
        let (x, y) = (area.x as i16, area.y as i16);
        let (width, height) = (area.width as u16, area.height as u16);
        // A cursor of which nothing is seen, where the server draws it into the picture.
        link.create_pixmap(1, blank, root.window, 1, 1)?;
        let clear = link.generate_id().map_err(failed)?;
        link.create_gc(clear, blank, &CreateGCAux::new().foreground(0))?;
        let all = Rectangle { x: 0, y: 0, width: 1, height: 1 };
        link.poly_fill_rectangle(blank, clear, &[all])?;
        link.create_cursor(cursor, blank, blank, 0, 0, 0, 0, 0, 0, 0, 0)?;
        let attributes = CreateWindowAux::new()
            .override_redirect(1)
            .background_pixel(0)
            .border_pixel(0)
            .cursor(cursor)
            .event_mask(EventMask::VISIBILITY_CHANGE);
        let copied = x11rb::COPY_FROM_PARENT;
        let class = WindowClass::INPUT_OUTPUT;
        link.create_window(
            root.depth,
            window,
            root.window,
            x,
            y,
            width,
            height,
            0,
            class,
            copied,
            &attributes,
        )?
        .check()
        .map_err(failed)?;
        link.create_pixmap(root.depth, picture, window, width, height)?.check().map_err(failed)?;
        let quiet = CreateGCAux::new().graphics_exposures(0);
        link.create_gc(context, picture, &quiet)?;
        if is_mark {
            link.xfixes_query_version(2, 0)?.reply().map_err(failed)?;
        }
        let painted_at = Instant::now();
        Ok(Self { link, display, root, area, is_mark, window, picture, context, painted_at })
    }

    /// Brings a mark to another place.
    fn move_to(&mut self, area: Rect) -> Result<(), Error> {
        if self.area != area {
            let place = ConfigureWindowAux::new().x(area.x as i32).y(area.y as i32);
            self.link.configure_window(self.window, &place)?;
            self.area = area;
        }
        Ok(())
    }

    /// Nothing but what was painted is there, and nothing of it is touched or clicked.
    fn shape(&self, painted: &[Rectangle]) -> Result<(), Error> {
        for (what, region) in [(SK::BOUNDING, painted), (SK::INPUT, &[])] {
            let id = self.link.generate_id().map_err(failed)?;
            self.link.xfixes_create_region(id, region)?;
            self.link.xfixes_set_window_shape_region(self.window, what, 0, 0, id)?;
            self.link.xfixes_destroy_region(id)?;
        }
        Ok(())
    }

    /// Paints the picture and brings it to the front.
    fn paint(&mut self, painter: &dyn Paint) -> Result<(), Error> {
        let Root { depth, size, format, bits_per_pixel, pad, .. } = &self.root;
        let pitch = pitch(self.area.width, *bits_per_pixel, *pad) as usize;
        let most = self.link.maximum_request_bytes().saturating_sub(REQUEST_HEAD) / pitch.max(1);
        let rows = STRIP_ROWS.min(u32::try_from(most).unwrap_or(STRIP_ROWS)).max(1);
        let row_bytes = self.area.width as usize * 4;
        let (mut pixels, mut raw) = (Vec::new(), Vec::new());
        let mut painted = Vec::new();
        let mut y = 0;
        while y < self.area.height {
            let height = rows.min(self.area.height - y);
            let area = Rect { y: self.area.y + y, height, ..self.area };
            pixels.clear();
            pixels.resize(row_bytes * height as usize, 0);
            painter.paint(&mut Strip { panel: *size, area, pixels: &mut pixels });
            if self.is_mark {
                runs(&pixels, row_bytes, y, &mut painted);
            }
            raw.clear();
            raw.resize(pitch * height as usize, 0);
            for (row, out) in pixels.chunks_exact(row_bytes).zip(raw.chunks_exact_mut(pitch)) {
                let bytes = format.row_bytes(self.area.width);
                if let Some(out) = out.get_mut(..bytes) {
                    format.encode_row(row, out);
                }
            }
            let (width, height_16) = (self.area.width as u16, height as u16);
            self.link.put_image(
                ImageFormat::Z_PIXMAP,
                self.picture,
                self.context,
                width,
                height_16,
                0,
                y as i16,
                0,
                *depth,
                &raw,
            )?;
            y += height;
        }
        let kept = ChangeWindowAttributesAux::new().background_pixmap(self.picture);
        self.link.change_window_attributes(self.window, &kept)?;
        if self.is_mark {
            self.shape(&painted)?;
        }
        self.link.map_window(self.window)?;
        self.raise()?;
        self.link.clear_area(false, self.window, 0, 0, 0, 0)?;
        if !self.is_mark {
            self.wake()?;
        }
        self.settle()?;
        self.painted_at = Instant::now();
        Ok(())
    }

    fn wake(&self) -> Result<(), Error> {
        // Wakes a display that sleeps; a server without the extension has nothing to wake.
        self.link.force_screen_saver(ScreenSaver::RESET)?;
        if self.link.dpms_get_version(1, 1).is_ok_and(|asked| asked.reply().is_ok()) {
            self.link.dpms_force_level(DPMSMode::ON)?;
        }
        Ok(())
    }

    fn raise(&self) -> Result<(), Error> {
        let above = ConfigureWindowAux::new().stack_mode(StackMode::ABOVE);
        self.link.configure_window(self.window, &above)?;
        Ok(())
    }

    /// Waits until the server has done all that it was asked for.
    fn settle(&self) -> Result<(), Error> {
        self.link.get_input_focus()?.reply().map_err(failed).map(drop)
    }

    /// Brings the window to the front again if something has come above it.
    fn keep(&mut self) -> Result<(), Error> {
        let mut is_covered = false;
        while let Some(event) = self.link.poll_for_event()? {
            match event {
                Event::VisibilityNotify(event) if event.window == self.window => {
                    is_covered = event.state != Visibility::UNOBSCURED;
                }
                Event::Error(error) => {
                    log::debug!("X server: {:?} of the panel", error.error_kind);
                }
                _ => {}
            }
        }
        if is_covered {
            self.raise()?;
            self.settle()?;
        }
        Ok(())
    }
}

/// The pixels of some rows that were painted, as pieces of rows from the row `y` on.
fn runs(pixels: &[u8], row_bytes: usize, y: u32, out: &mut Vec<Rectangle>) {
    for (y, row) in (y as i16..).zip(pixels.chunks_exact(row_bytes)) {
        let mut before = false;
        for (x, pixel) in (0..).zip(row.as_chunks::<4>().0) {
            let is_painted = pixel[3] != 0;
            match out.last_mut() {
                Some(run) if is_painted && before => run.width += 1,
                _ if is_painted => out.push(Rectangle { x, y, width: 1, height: 1 }),
                _ => {}
            }
            before = is_painted;
        }
    }
}

impl Panel for X11Panel {
    fn describe(&self) -> String {
        let shown = self.shown.as_ref().map(|shown| shown.display);
        match shown.or(self.display).or_else(|| auth::displays().first().copied()) {
            Some(display) => format!("x11:{display} above all windows"),
            None => "x11 above all windows".to_owned(),
        }
    }

    fn size(&mut self) -> Result<Size, Error> {
        match &self.shown {
            Some(shown) => {
                let asked = shown.link.get_geometry(shown.root.window)?.reply().map_err(failed)?;
                Ok(Size::new(asked.width.into(), asked.height.into()))
            }
            None => Ok(self.reach()?.2.size),
        }
    }

    fn show(&mut self, area: Rect, painter: &dyn Paint) -> Result<(), Error> {
        let size = self.size()?;
        let Some(area) = size.rect().intersection(area) else { return Ok(()) };
        let is_mark = self.is_mark;
        let fits = |shown: &Shown| {
            let has_size =
                (shown.area.width, shown.area.height) == (area.width, area.height) && is_mark;
            (shown.area == area || has_size) && shown.root.size == size
        };
        if !self.shown.as_ref().is_some_and(fits) {
            self.hide()?;
            self.shown = Some(Shown::new(self.reach()?, area, self.is_mark)?);
        }
        let Some(shown) = &mut self.shown else { return Ok(()) };
        let painted = shown.move_to(area).and_then(|()| shown.paint(painter));
        if painted.is_err() {
            self.shown = None;
        }
        painted
    }

    fn verify(&mut self, area: Rect, painter: &dyn Paint) -> Result<bool, Error> {
        let Some(shown) = &mut self.shown else { return Ok(false) };
        shown.keep()?;
        let deadline = shown.painted_at + SETTLE_TIME;
        let Root { size, format, .. } = &shown.root;
        is_seen(&self.mounting, *size, std::slice::from_ref(format), area, painter, deadline)
    }

    fn keep(&mut self) -> Result<(), Error> {
        self.shown.as_mut().map_or(Ok(()), Shown::keep)
    }

    fn hide(&mut self) -> Result<(), Error> {
        let Some(shown) = self.shown.take() else { return Ok(()) };
        shown.link.destroy_window(shown.window)?;
        // The rest goes with the connection.
        shown.settle()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_as_large_as_what_was_painted_of_it() {
        let pixel = |letter| [0, 0, 0, u8::from(letter == b'#') * 255];
        let pixels: Vec<u8> = "##.#....####".bytes().flat_map(pixel).collect();
        let mut found = Vec::new();
        runs(&pixels, 16, 7, &mut found);
        let found: Vec<_> = found.iter().map(|run| (run.x, run.y, run.width, run.height)).collect();
        assert_eq!(found, [(0, 7, 2, 1), (3, 7, 1, 1), (0, 9, 4, 1)]);
    }
}
