//! The screen of an X server, asked of the server itself.
//!
//! For machines whose scan-out is stored in tiles, which only the hardware can read, and for
//! servers without any. The server knows what it drew: with its damage extension, a picture that
//! stands still is never read again. Pictures come through shared memory that the server makes,
//! a band at a time, so that no whole picture is held. What is read is as people see it, also
//! where the server turns it for the display.
//!
//! # Source
//! The protocol's core, and its extensions MIT-SHM 1.2, DAMAGE, XFIXES and DPMS.

mod auth;
mod link;
mod memory;
pub(crate) mod panel;
mod root;

use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::{Duration, Instant};

use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::damage::{self, ConnectionExt as _};
use x11rb::protocol::dpms::{ConnectionExt as _, DPMSMode};
use x11rb::protocol::xfixes::{ConnectionExt as _, CursorNotifyMask};
use x11rb::protocol::xproto::{
    AtomEnum, ChangeWindowAttributesAux, ConnectionExt as _, EventMask, ScreenSaver, Window,
};

use self::link::{Link, connect, failed};
use self::memory::Memory;
use self::root::Root;
use super::mounting::Mounting;
use super::pixel_format::{BGRX_BYTES, PixelFormat};
use super::rows::{Layout, read_upright};
use crate::screen::BAND_ROWS;
use crate::{
    Band, Change, Cursor, Error, Orientation, Rows, Screen, ScreenInfo, ScreenState, Size,
    cursor::MAX_CURSOR_SIDE,
};

/// How often it is asked whether the display sleeps, and which console is in front.
const STATE_EVERY: Duration = Duration::from_millis(500);

/// The console that is in front, as in `tty7`.
const FRONT: &str = "/sys/class/tty/tty0/active";

/// An X server's root window, as a [`Screen`].
pub(crate) struct X11Screen {
    link: Link,
    display: u16,
    root: Window,
    size: Size,
    format: PixelFormat,
    /// Rows begin at multiples of so many bytes.
    pad: u32,
    bits_per_pixel: u32,
    mounting: Orientation,
    memory: Memory,
    band: Vec<u8>,
    row: Vec<u8>,
    /// What is told of changes; `None` where the server does not tell.
    damage: Option<damage::Damage>,
    /// The rows in which something was drawn since they were read.
    changed: Option<Rows>,
    shape: CursorShape,
    /// The terminal that the server draws on, as in `tty7`.
    terminal: Option<String>,
    has_dpms: bool,
    is_off: bool,
    state_due: Instant,
}

/// The pointer's picture as last told.
#[derive(Debug, Default)]
struct CursorShape {
    /// Whether the server tells of new shapes.
    told: bool,
    stale: bool,
    hot: (i32, i32),
    cursor: Option<Cursor>,
}

impl std::fmt::Debug for X11Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("X11Screen")
            .field("display", &self.display)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// The displays of this machine that show something on a screen.
pub(crate) fn displays() -> Vec<u16> {
    auth::displays_with_screen()
}

impl X11Screen {
    /// Watches a display of this machine.
    ///
    /// # Errors
    /// When no server is there, it does not let us in, or stores pixels in a way that is not
    /// read here.
    pub(crate) fn open(display: u16, mounting: &Mounting) -> Result<Self, Error> {
        let link = connect(display)?;
        let Root { window: root, size, format, pad, bits_per_pixel, .. } =
            Root::of(&link, display)?;
        let mut screen = Self {
            display,
            root,
            size,
            format,
            pad,
            bits_per_pixel,
            mounting: mounting.of(Orientation::UPRIGHT),
            memory: Memory::default(),
            band: Vec::new(),
            row: Vec::new(),
            damage: None,
            changed: Some(Rows::ALL),
            shape: CursorShape { stale: true, ..CursorShape::default() },
            terminal: None,
            has_dpms: false,
            is_off: false,
            state_due: Instant::now(),
            link,
        };
        screen.subscribe()?;
        Ok(screen)
    }

    /// Asks the server to tell what changes, as far as it can.
    fn subscribe(&mut self) -> Result<(), Error> {
        let events = ChangeWindowAttributesAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
        self.link.change_window_attributes(self.root, &events)?;
        if let Ok(version) = self.link.xfixes_query_version(5, 0)
            && version.reply().is_ok()
        {
            let mask = CursorNotifyMask::DISPLAY_CURSOR;
            self.link.xfixes_select_cursor_input(self.root, mask)?;
            self.shape.told = true;
        }
        if let Ok(version) = self.link.damage_query_version(1, 1)
            && version.reply().is_ok()
        {
            let id = self.link.generate_id().map_err(failed)?;
            let level = damage::ReportLevel::BOUNDING_BOX;
            self.link.damage_create(id, self.root, level)?;
            self.damage = Some(id);
        }
        self.has_dpms = self.link.dpms_get_version(1, 1).is_ok_and(|asked| asked.reply().is_ok());
        self.terminal = self.own_terminal()?;
        self.link.flush()?;
        Ok(())
    }

    /// The terminal of a server that has one, as it says on its root window.
    fn own_terminal(&self) -> Result<Option<String>, Error> {
        let name = self.link.intern_atom(true, b"XFree86_VT")?.reply().map_err(failed)?.atom;
        let asked = self.link.get_property(false, self.root, name, AtomEnum::INTEGER, 0, 1)?;
        let Ok(reply) = asked.reply() else { return Ok(None) };
        let number = reply.value32().and_then(|mut values| values.next());
        Ok(number.map(|number| format!("tty{number}")))
    }

    /// Takes what the server has told since.
    fn take_events(&mut self) -> Result<(), Error> {
        while let Some(event) = self.link.poll_for_event()? {
            match event {
                Event::DamageNotify(event) => {
                    // Of all that was drawn since it was read; the root's size never is negative.
                    let from = u32::try_from(event.area.y).unwrap_or(0);
                    self.changed(Rows { from, to: from + u32::from(event.area.height) });
                }
                Event::XfixesCursorNotify(_) => self.shape.stale = true,
                Event::ConfigureNotify(event) if event.window == self.root => {
                    self.size = Size::new(event.width.into(), event.height.into());
                    self.changed(Rows::ALL);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn changed(&mut self, rows: Rows) {
        self.changed = Some(self.changed.map_or(rows, |others| others.and(rows)));
    }

    /// Whether people see something else, or nothing.
    fn look_at_state(&mut self) -> Result<(), Error> {
        if Instant::now() < self.state_due {
            return Ok(());
        }
        self.state_due = Instant::now() + STATE_EVERY;
        let mut is_off = match (&self.terminal, std::fs::read_to_string(FRONT)) {
            (Some(own), Ok(front)) => front.trim() != own,
            _ => false,
        };
        if self.has_dpms {
            let info = self.link.dpms_info()?.reply().map_err(failed)?;
            is_off |= info.state && info.power_level != DPMSMode::ON;
        }
        // What was drawn meanwhile may not have been told.
        if self.is_off && !is_off {
            self.changed(Rows::ALL);
        }
        self.is_off = is_off;
        Ok(())
    }

    fn read_band(&mut self, y: u32, rows: u32) -> Result<(), Error> {
        let size = self.size;
        let pitch = root::pitch(size.width, self.bits_per_pixel, self.pad);
        let len = pitch as usize * rows as usize;
        self.memory.fetch(&self.link, self.root, size, y, rows, len)?;
        let part = Size::new(size.width, rows);
        let layout = Layout::new(&self.format, part, 0, pitch, len as u64).ok_or_else(|| {
            let problem = format!("{part:?} in {len} bytes");
            Error::Broken { device: "the X server".to_owned(), problem }
        })?;
        self.band.resize(size.width as usize * rows as usize * BGRX_BYTES, 0);
        let source = self.memory.source();
        read_upright(source, &layout, &self.format, 0, &mut self.band, &mut self.row)
            .map_err(|error| Error::io("read what the X server sent", error))
    }

    fn fetch_shape(&mut self) -> Result<(), Error> {
        self.shape.stale = !self.shape.told;
        let image = self.link.xfixes_get_cursor_image()?.reply().map_err(failed)?;
        let size = Size::new(image.width.into(), image.height.into());
        let pixels: Vec<u8> =
            image.cursor_image.iter().flat_map(|pixel| pixel.to_le_bytes()).collect();
        let fits = size.width <= MAX_CURSOR_SIDE && size.height <= MAX_CURSOR_SIDE;
        let is_seen = pixels.as_chunks::<4>().0.iter().any(|pixel| pixel[3] != 0);
        self.shape.hot = (image.xhot.into(), image.yhot.into());
        self.shape.cursor = (fits && is_seen).then(|| Cursor { size, pixels, ..Cursor::default() });
        Ok(())
    }
}

impl Screen for X11Screen {
    fn info(&self) -> ScreenInfo {
        ScreenInfo {
            source: "x11".to_owned(),
            name: format!(":{}", self.display),
            size: self.size,
            mounting: self.mounting,
            millimetres: None,
            covered: Vec::new(),
        }
    }

    fn poll(&mut self) -> Result<ScreenState, Error> {
        self.look_at_state()?;
        self.take_events()?;
        if self.is_off {
            return Ok(ScreenState::Off);
        }
        let change = match (self.damage, self.changed) {
            (None, _) => Change::Maybe,
            (Some(_), Some(Rows::ALL)) => Change::Told,
            (Some(_), Some(rows)) => Change::ToldWithin(rows),
            (Some(_), None) => Change::None,
        };
        Ok(ScreenState::Shown { size: self.size, change })
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.damage.map(|_| self.link.stream().as_fd())
    }

    fn cursor(&mut self) -> Result<Option<Cursor>, Error> {
        if !self.shape.told {
            return Ok(None);
        }
        if self.shape.stale {
            self.fetch_shape()?;
        }
        let Some(cursor) = self.shape.cursor.clone() else { return Ok(None) };
        let at = self.link.query_pointer(self.root)?.reply().map_err(failed)?;
        let (x, y) =
            (i32::from(at.root_x) - self.shape.hot.0, i32::from(at.root_y) - self.shape.hot.1);
        Ok(Some(Cursor { x, y, ..cursor }))
    }

    fn wake(&mut self) {
        // Where there is nothing to wake, the server says so, and nobody needs to hear it.
        self.link.force_screen_saver(ScreenSaver::RESET).ok();
        if self.has_dpms {
            self.link.dpms_force_level(DPMSMode::ON).ok();
        }
        self.link.flush().ok();
        self.state_due = Instant::now();
    }

    fn read_part(&mut self, rows: Rows, visit: &mut dyn FnMut(Band<'_>)) -> Result<bool, Error> {
        // Before the first byte is read: what is drawn from now on is told again.
        self.take_events()?;
        if let Some(damage) = self.damage {
            self.link.damage_subtract(damage, x11rb::NONE, x11rb::NONE)?;
        }
        let rows = self.changed.take().map_or(rows, |others| others.and(rows));
        let size = self.size;
        let mut y = rows.from / BAND_ROWS * BAND_ROWS;
        while y < size.height.min(rows.to) {
            let count = BAND_ROWS.min(size.height - y);
            if let Err(error) = self.read_band(y, count) {
                self.changed(Rows::ALL);
                return Err(error);
            }
            visit(Band { size, y, rows: count, pixels: &self.band });
            y += count;
        }
        Ok(true)
    }

    fn read(&mut self, visit: &mut dyn FnMut(Band<'_>)) -> Result<(), Error> {
        self.read_part(Rows::ALL, visit).map(drop)
    }
}
