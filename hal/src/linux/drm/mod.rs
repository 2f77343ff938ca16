//! The scan-out of a graphics card, read by an onlooker.
//!
//! What a DRM card shows is a *plane* with a *frame buffer*; whoever is master of the card
//! decides which. Reading it needs neither mastership nor the owner's help, only
//! `CAP_SYS_ADMIN`: ask the plane for its frame buffer, the frame buffer for its memory, map
//! that. On a bare console the owner is the kernel itself, and the buffer that of `/dev/fb0`.
//!
//! # Source
//! `drivers/gpu/drm/` and `include/uapi/drm/drm_mode.h` of the kernel.

mod buffer;
mod card;
mod cursor;
pub(crate) mod overlay;
mod report;
mod scanout;

use std::io;
use std::time::{Duration, Instant};

use nix::libc;

use self::buffer::{Buffer, BufferCache};
pub(crate) use self::card::Card;
use self::card::{PlaneNumbers, ShownPart};
use self::cursor::CursorPlane;
use self::scanout::{Scanout, Tiling};
use super::choose::card_of;
use super::fbdev::FrameBuffer;
use super::mounting::Mounting;
use super::rows::BandReader;
use crate::geometry::believed;
use crate::{
    Band, Change, Cursor, Error, ErrorKind, Orientation, Rect, Rows, Screen, ScreenInfo,
    ScreenState, Size,
};

/// How often a picture is looked for again when its buffer is removed between two calls.
const MAX_RETRIES: u32 = 4;

/// How often it is looked at what covers the picture.
const OVERLAYS_EVERY: Duration = Duration::from_secs(2);

/// One connector of a card, as a [`Screen`].
#[derive(Debug)]
pub(crate) struct DrmScreen {
    card: Card,
    connector: String,
    source: Source,
    cursor: Option<CursorPlane>,
    overlays: Overlays,
    size: Size,
    mounting: Orientation,
    /// As the connector says, native.
    millimetres: Size,
    buffers: BufferCache,
    /// What was shown when it was read last.
    read_last: Option<Shows>,
    reader: BandReader,
}

/// What a plane shows of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shows {
    frame_buffer: u32,
    part: ShownPart,
}

/// What feeds the connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Source {
    crtc: u32,
    plane: u32,
    /// The property that says whether the CRTC is lit.
    active: Option<u32>,
    /// The properties that say which part of a buffer the plane shows, and how.
    numbers: PlaneNumbers,
}

impl Source {
    fn new(card: &Card, crtc: u32, plane: u32) -> Self {
        let (active, numbers) = (card.active_number(crtc), card.plane_numbers(plane));
        Self { crtc, plane, active, numbers }
    }
}

/// Planes that may cover a part of the picture.
#[derive(Debug, Default)]
struct Overlays {
    planes: Vec<u32>,
    looked_at: Option<Instant>,
    covered: Vec<Rect>,
}

impl Overlays {
    /// Looks at what is covered, now and then: the picture does not depend on it.
    fn look(&mut self, card: &Card, crtc: u32, native: Size, mounting: Orientation) {
        if self.looked_at.is_some_and(|at| at.elapsed() < OVERLAYS_EVERY) {
            return;
        }
        self.looked_at = Some(Instant::now());
        let covers = |plane: &u32| {
            let shown = card.plane(*plane).ok()?;
            (shown.crtc == crtc && shown.frame_buffer != 0).then_some(())?;
            let place = card.covered_part(*plane)?;
            Some(mounting.rect(place, native))
        };
        let covered: Vec<Rect> = self.planes.iter().filter_map(covers).collect();
        if covered != self.covered {
            log::info!("{}: covered by video planes: {covered:?}", card.path().display());
            self.covered = covered;
        }
    }
}

impl DrmScreen {
    /// Watches a connector of a card, or the first that shows something; upright, if it is
    /// mounted as `mounting` or else the connector itself says.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] if no such connector shows anything.
    pub(crate) fn new(
        card: Card,
        connector: Option<&str>,
        mounting: &Mounting,
    ) -> Result<Self, Error> {
        let connectors = card.connectors()?;
        let wanted = |name: &str| connector.is_none_or(|wanted| wanted == name);
        let found = connectors.iter().filter(|found| wanted(&found.name));
        let mut reasons = Vec::new();
        for connector in found {
            let Some(crtc) = connector.crtc else {
                let state = if connector.connected { "not driven" } else { "not connected" };
                reasons.push(format!("{} is {state}", connector.name));
                continue;
            };
            let mut screen = Self {
                connector: connector.name.clone(),
                source: Source { crtc, plane: 0, active: None, numbers: PlaneNumbers::default() },
                cursor: None,
                overlays: Overlays::default(),
                size: Size::default(),
                mounting: mounting.of(connector.mounting),
                millimetres: connector.millimetres,
                buffers: BufferCache::default(),
                read_last: None,
                reader: BandReader::default(),
                card,
            };
            screen.find_planes(crtc)?;
            screen.poll()?;
            return Ok(screen);
        }
        let why =
            if reasons.is_empty() { "no such connector".to_owned() } else { reasons.join(", ") };
        Err(Error::Unsupported(format!("{}: {why}", card.path().display())))
    }

    /// Itself, if what it shows now can be read, or it shows nothing now.
    ///
    /// # Errors
    /// As [`Screen::read`].
    pub(crate) fn readable(mut self) -> Result<Self, Error> {
        if let Some(frame_buffer) = self.shown()? {
            let shown = self.shown_part()?;
            self.buffers.open(&self.card, frame_buffer, shown.part, Tiling::ByDriver)?;
        }
        Ok(self)
    }

    fn find_planes(&mut self, crtc: u32) -> Result<(), Error> {
        let planes = self.card.planes(crtc)?;
        self.source = Source::new(&self.card, crtc, planes.primary);
        self.cursor = planes.cursor.map(|plane| CursorPlane::new(&self.card, plane));
        self.overlays.planes = planes.overlays;
        Ok(())
    }

    /// The frame buffer that is shown now; `None` if none is.
    ///
    /// Planes change when a compositor starts or ends, so that they are looked for again
    /// whenever nothing seems to be shown.
    fn shown(&mut self) -> Result<Option<u32>, Error> {
        if let Some(shown) = self.shown_by_plane()? {
            return Ok(Some(shown));
        }
        self.buffers.keep_only(0);
        let connectors = self.card.connectors()?;
        let Some(connector) = connectors.iter().find(|found| found.name == self.connector) else {
            return Err(Error::Gone(self.connector.clone()));
        };
        let Some(crtc) = connector.crtc else { return Ok(None) };
        self.find_planes(crtc)?;
        self.shown_by_plane()
    }

    fn shown_by_plane(&self) -> Result<Option<u32>, Error> {
        let plane = match self.card.plane(self.source.plane) {
            Ok(plane) => plane,
            Err(error) if error.kind() == ErrorKind::Gone => return Ok(None),
            Err(error) => return Err(error),
        };
        let ours = plane.crtc == self.source.crtc && plane.frame_buffer != 0;
        let is_lit = ours && self.card.is_lit(self.source.crtc, self.source.active);
        Ok(is_lit.then_some(plane.frame_buffer))
    }

    /// What the hardware does to the buffer's picture; nothing if that cannot be found out.
    pub(crate) fn rotation(&self) -> Orientation {
        self.shown_part().map_or(Orientation::UPRIGHT, |shown| shown.rotation)
    }

    fn shown_part(&self) -> Result<ShownPart, Error> {
        self.card.shown_part(self.source.plane, self.source.crtc, self.source.numbers)
    }

    fn read_once(&mut self, visit: &mut dyn FnMut(Band<'_>)) -> Result<(), Attempt> {
        let frame_buffer = self.shown().map_err(Attempt::Failed)?;
        let frame_buffer = frame_buffer.ok_or_else(|| {
            let again = io::Error::from_raw_os_error(libc::EAGAIN);
            Attempt::Failed(Error::io(
                format!("read {}, which shows nothing", self.connector),
                again,
            ))
        })?;
        let shown = self.shown_part().map_err(Attempt::Failed)?;
        let (buffer, scanout) = self
            .buffers
            .open(&self.card, frame_buffer, shown.part, Tiling::ByDriver)
            .map_err(|error| {
                match error.kind() {
                    // Between two calls the owner may have shown another buffer, of another size.
                    ErrorKind::Gone | ErrorKind::Broken => Attempt::Again(error),
                    _ => Attempt::Failed(error),
                }
            })?;
        self.read_last = Some(Shows { frame_buffer, part: shown });
        let upright = shown.rotation.then(self.mounting);
        self.size = upright.size(scanout.size);
        let what = (&scanout, upright);
        buffer.read(&self.card, what, &mut self.reader, Rows::ALL, visit).map_err(Attempt::Failed)
    }
}

/// How an attempt at reading ended before the first band.
enum Attempt {
    /// Something changed underneath; another attempt may succeed.
    Again(Error),
    /// It cannot be read.
    Failed(Error),
}

/// The buffer that was found by `poll` and read last, as long as it can be opened.
fn open_last<'a>(
    last: Option<Shows>,
    buffers: &'a mut BufferCache,
    card: &Card,
) -> Option<(&'a Buffer, Scanout, Orientation)> {
    let Shows { frame_buffer, part } = last?;
    let opened = buffers.open(card, frame_buffer, part.part, Tiling::ByDriver);
    opened.ok().map(|(buffer, scanout)| (buffer, scanout, part.rotation))
}

impl Screen for DrmScreen {
    fn info(&self) -> ScreenInfo {
        ScreenInfo {
            source: format!("drm:{}", self.card.driver()),
            name: self.connector.clone(),
            size: self.size,
            mounting: self.mounting,
            millimetres: believed(self.mounting.size(self.millimetres), self.size),
            covered: self.overlays.covered.clone(),
        }
    }

    fn poll(&mut self) -> Result<ScreenState, Error> {
        let Some(frame_buffer) = self.shown()? else { return Ok(ScreenState::Off) };
        self.buffers.keep_only(frame_buffer);
        let shown = self.shown_part()?;
        let size = Size::new(shown.part.width, shown.part.height);
        let native = shown.rotation.size(size);
        self.size = self.mounting.size(native);
        self.overlays.look(&self.card, self.source.crtc, native, self.mounting);
        let shows = Shows { frame_buffer, part: shown };
        // That it is the same proves nothing: an owner may draw in the buffer that is shown, and
        // one with two of them may have shown the other in between.
        let change = if self.read_last == Some(shows) { Change::Maybe } else { Change::Told };
        Ok(ScreenState::Shown { size: self.size, change })
    }

    fn cursor(&mut self) -> Result<Option<Cursor>, Error> {
        let Some(plane) = &mut self.cursor else { return Ok(None) };
        let cursor = plane.read(&self.card, self.source.crtc);
        let native = self.mounting.inverse().size(self.size);
        Ok(cursor.map(|cursor| cursor.upright(self.mounting, native)))
    }

    /// The console's display is woken through its frame buffer. Whoever else draws wakes it by
    /// itself when input comes; nobody else may.
    fn wake(&mut self) {
        for path in FrameBuffer::paths() {
            if card_of(&path).is_some_and(|card| card == self.card.path()) {
                FrameBuffer::unblank_at(&path);
            }
        }
    }

    fn glance(
        &mut self,
        rows: &mut dyn Iterator<Item = u32>,
        visit: &mut dyn FnMut(u32, &[u8]),
    ) -> Result<bool, Error> {
        let Self { read_last, buffers, card, mounting, reader, .. } = self;
        match open_last(*read_last, buffers, card) {
            Some((buffer, scanout, rotation)) => {
                buffer.glance(card, (&scanout, rotation.then(*mounting)), reader, rows, visit)
            }
            None => Ok(false),
        }
    }

    fn read_part(&mut self, rows: Rows, visit: &mut dyn FnMut(Band<'_>)) -> Result<bool, Error> {
        let Self { read_last, buffers, card, mounting, reader, .. } = self;
        let Some((buffer, scanout, rotation)) = open_last(*read_last, buffers, card) else {
            return Ok(false);
        };
        buffer.read(card, (&scanout, rotation.then(*mounting)), reader, rows, visit)?;
        Ok(true)
    }

    fn read(&mut self, visit: &mut dyn FnMut(Band<'_>)) -> Result<(), Error> {
        for _ in 1..MAX_RETRIES {
            match self.read_once(visit) {
                Ok(()) => return Ok(()),
                Err(Attempt::Again(_)) => {}
                Err(Attempt::Failed(error)) => return Err(error),
            }
        }
        self.read_once(visit).map_err(|(Attempt::Again(error) | Attempt::Failed(error))| error)
    }
}
