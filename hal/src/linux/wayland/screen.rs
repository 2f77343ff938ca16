//! The screen of a Wayland compositor, asked of the compositor itself.
//!
//! For machines whose scan-out is stored in tiles, which only the hardware can read. The
//! compositor copies its picture into memory that both share, and only when something has
//! changed since: a picture that stands still is neither copied nor read. What it copies is the
//! picture as the display gets it, so that it lies as a scan-out does.

use std::path::Path;
use std::time::{Duration, Instant};

use super::buffer::Buffer;
use super::desktop::Desktop;
use super::frames::{Frames, Told};
use super::link::PATIENCE;
use super::wire::Event;
use crate::geometry::believed;
use crate::linux::mounting::Mounting;
use crate::linux::pixel_format::PixelFormat;
use crate::linux::rows::{BandReader, Layout};
use crate::{Band, Change, Error, Orientation, Rows, Screen, ScreenInfo, ScreenState, Size};

/// The console that is in front, as in `tty7`.
const FRONT: &str = "/sys/class/tty/tty0/active";

/// After a copy that failed it is tried again no sooner: an output that sleeps copies nothing.
const RETRY: Duration = Duration::from_millis(500);

/// A compositor's output, as a [`Screen`].
#[derive(Debug)]
pub(crate) struct WaylandScreen {
    desktop: Desktop,
    frames: Frames,
    buffer: Option<Buffer>,
    /// Whether the buffer holds a whole picture.
    has_picture: bool,
    /// Whether that is another one than was read last.
    is_news: bool,
    /// Whether rows come from the bottom to the top.
    is_flipped: bool,
    mounting: Orientation,
    size: Size,
    reader: BandReader,
    /// What was in front when it was opened: the compositor's own terminal.
    terminal: Option<String>,
    failed_at: Option<Instant>,
}

fn front() -> Option<String> {
    std::fs::read_to_string(FRONT).ok()
}

impl WaylandScreen {
    /// Watches the first output of a compositor, and has it copy the first picture.
    ///
    /// # Errors
    /// When there is none, it does not let us in or is not to be believed, offers no copies, or
    /// shows nothing now.
    pub(crate) fn open(socket: Option<&Path>, mounting: &Mounting) -> Result<Self, Error> {
        Self::of(Desktop::open(socket)?, mounting)
    }

    /// As [`WaylandScreen::open`], of a desktop that is reached already.
    pub(super) fn of(mut desktop: Desktop, mounting: &Mounting) -> Result<Self, Error> {
        let frames = Frames::of(&mut desktop)?;
        let mut screen = Self {
            desktop,
            frames,
            buffer: None,
            has_picture: false,
            is_news: false,
            is_flipped: false,
            mounting: mounting.of(Orientation::UPRIGHT),
            size: Size::default(),
            reader: BandReader::default(),
            terminal: front(),
            failed_at: None,
        };
        screen.first_picture()?;
        Ok(screen)
    }

    /// Waits for the first picture.
    fn first_picture(&mut self) -> Result<(), Error> {
        let deadline = Instant::now() + PATIENCE;
        self.ask()?;
        while !self.has_picture {
            if self.failed_at.is_some() {
                return Err(Error::Unsupported(
                    "the Wayland compositor's output cannot be copied now".to_owned(),
                ));
            }
            let event = self.desktop.link.wait_next(deadline)?;
            self.handle(&event)?;
        }
        Ok(())
    }

    fn ask(&mut self) -> Result<(), Error> {
        let told = self.frames.ask(&mut self.desktop)?;
        self.follow(told)
    }

    /// Does what follows from something that was told.
    fn follow(&mut self, told: Told) -> Result<(), Error> {
        match told {
            Told::Nothing => {}
            Told::Wanted { size, pitch, format } => {
                let fits = |buffer: &Buffer| {
                    (buffer.size, buffer.pitch, buffer.format) == (size, pitch, format)
                };
                if !self.buffer.as_ref().is_some_and(fits) {
                    if let Some(old) = self.buffer.take() {
                        old.destroy(&self.desktop.link)?;
                    }
                    self.has_picture = false;
                    let shm = self.desktop.shm;
                    let new = Buffer::new(&mut self.desktop.link, shm, size, pitch, format)?;
                    self.buffer = Some(new);
                }
                if let Some(buffer) = &self.buffer {
                    self.frames.copy(&mut self.desktop, buffer, self.has_picture)?;
                }
            }
            Told::Copied { is_flipped } => {
                self.is_flipped = is_flipped;
                self.size = self
                    .orientation()
                    .size(self.buffer.as_ref().map_or_else(Size::default, |buffer| buffer.size));
                self.has_picture = true;
                self.is_news = true;
                self.failed_at = None;
            }
            Told::Failed => self.failed_at = Some(Instant::now()),
        }
        Ok(())
    }

    /// Asks for the next picture that is another one, and gives the memory for it.
    fn wait_for_change(&mut self) -> Result<(), Error> {
        if self.frames.is_asked() {
            return Ok(());
        }
        self.ask()?;
        let mut events = Vec::new();
        self.desktop.link.settle(&mut |_, event| events.push(event))?;
        events.iter().try_for_each(|event| self.handle(event))
    }

    fn handle(&mut self, event: &Event) -> Result<(), Error> {
        if self.desktop.handle(event) {
            return Ok(());
        }
        let told = self.frames.handle(&mut self.desktop, event)?;
        self.follow(told)
    }

    fn take_events(&mut self) -> Result<(), Error> {
        while let Some(event) = self.desktop.link.next()? {
            self.handle(&event)?;
        }
        Ok(())
    }

    /// From what is in the buffer to what is upright.
    fn orientation(&self) -> Orientation {
        let flip = if self.is_flipped { Orientation::MIRROR_Y } else { Orientation::UPRIGHT };
        flip.then(self.mounting)
    }
}

impl Screen for WaylandScreen {
    fn info(&self) -> ScreenInfo {
        let output = &self.desktop.output.name;
        let socket = self.desktop.link.path().display().to_string();
        ScreenInfo {
            source: format!("wayland:{socket}"),
            name: if output.is_empty() { socket } else { output.clone() },
            size: self.size,
            mounting: self.mounting,
            millimetres: believed(self.mounting.size(self.desktop.output.millimetres), self.size),
            covered: Vec::new(),
        }
    }

    fn poll(&mut self) -> Result<ScreenState, Error> {
        self.take_events()?;
        let may_ask = self.failed_at.is_none_or(|at| at.elapsed() >= RETRY);
        if !self.is_news && may_ask {
            self.wait_for_change()?;
        }
        if self.failed_at.is_some() || !self.has_picture || front() != self.terminal {
            return Ok(ScreenState::Off);
        }
        let change = if self.is_news { Change::Told } else { Change::None };
        Ok(ScreenState::Shown { size: self.size, change })
    }

    fn read(&mut self, visit: &mut dyn FnMut(Band<'_>)) -> Result<(), Error> {
        self.take_events()?;
        let Some(buffer) = self.buffer.as_ref().filter(|_| self.has_picture) else {
            return Err(Error::Gone("the Wayland compositor's picture".to_owned()));
        };
        let format = format(buffer.format)?;
        let layout =
            Layout::new(&format, buffer.size, 0, buffer.pitch, buffer.len()).ok_or_else(|| {
                let problem = format!("{:?} in rows of {} bytes", buffer.size, buffer.pitch);
                Error::Broken { device: "the Wayland compositor".to_owned(), problem }
            })?;
        self.is_news = false;
        self.reader
            .read(buffer.file(), (&layout, &format), self.orientation(), Rows::ALL, visit)
            .map_err(|error| Error::io("read what the Wayland compositor copied", error))?;
        // It goes into the same memory, but not before something has changed.
        self.wait_for_change()
    }
}

/// What a `wl_shm.format` means: DRM's code, but for the two usual ones.
fn format(code: u32) -> Result<PixelFormat, Error> {
    let fourcc = match code {
        super::interfaces::shm::ARGB8888 | super::interfaces::shm::XRGB8888 => {
            u32::from_le_bytes(*b"XR24")
        }
        other => other,
    };
    PixelFormat::from_fourcc(fourcc).ok_or_else(|| {
        Error::Unsupported(format!("the Wayland compositor copies in format {code:#010x}"))
    })
}
