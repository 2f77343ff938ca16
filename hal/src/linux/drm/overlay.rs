//! A plane of our own above what the owner of the screen shows.
//!
//! Buffer and frame buffer belong to our own open card, so that the kernel takes the plane off when
//! we let go of them, and also when we are killed. To bind the plane to them takes the card's
//! master: ourselves for a moment, where nobody is.
//!
//! A frame buffer of the kernel's console is shown without a master; whenever it is set anew (a
//! change of terminals, a program that pans), the kernel takes all other planes off.
//!
//! # Source
//! `drivers/gpu/drm/drm_plane.c`, `drm_framebuffer.c` and `drm_client_modeset.c` of the kernel.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use drm_ffi::drm_sys::DRM_PLANE_TYPE_PRIMARY;
use drm_ffi::{gem, mode};

use super::buffer::BufferCache;
use super::card::Card;
use super::scanout::{Tiling, plane_rotation};
use crate::linux::choose::card_of;
use crate::linux::fbdev::FrameBuffer;
use crate::linux::mounting::Mounting;
use crate::linux::pixel_format::BGRX_BYTES;
use crate::linux::rows::BandReader;
use crate::linux::sys::Mapping;
use crate::{Band, Change, Error, Orientation, Rect, Rows, Screen, ScreenInfo, ScreenState, Size};

/// Formats to draw in, the opaque one first; pixels are blue, green, red and 0xff.
const FORMATS: [[u8; 4]; 2] = [*b"XR24", *b"AR24"];

/// The most formats of a plane that are looked at.
const MAX_FORMATS: usize = 256;

/// `alpha` of a plane that lets nothing through (`DRM_BLEND_ALPHA_OPAQUE`).
const OPAQUE: u64 = 0xffff;

/// An onlooker who asks whether there is a master is one for a moment.
const MASTER_TRIES: u32 = 5;
const MASTER_STEP: Duration = Duration::from_millis(4);

/// What decides which of two planes lies above the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Layer {
    plane: u32,
    /// `DRM_PLANE_TYPE_*`.
    kind: Option<u32>,
    /// The property `zpos`, where the driver tells it.
    height: Option<u64>,
}

impl Layer {
    fn of(card: &Card, plane: u32) -> Self {
        let properties = card.plane_properties(plane);
        let height = properties.and_then(|(ids, values)| card.property(&ids, &values, "zpos"));
        Self { plane, kind: card.plane_type(plane), height }
    }

    /// Whether this one certainly does not cover the other. By numbers where both have them, of
    /// which the kernel puts the higher plane above among equals; else a primary plane is below.
    fn is_below(self, other: Self) -> bool {
        match (self.height, other.height) {
            (Some(own), Some(others)) => (own, self.plane) < (others, other.plane),
            _ => self.kind == Some(DRM_PLANE_TYPE_PRIMARY),
        }
    }
}

/// A free plane, and the display that it can show something on.
#[derive(Debug)]
pub(crate) struct Site {
    card: Card,
    crtc: u32,
    /// Of the display, native.
    mode: Size,
    plane: u32,
    /// The format to draw in.
    fourcc: u32,
    /// What makes a native picture upright.
    orientation: Orientation,
}

impl Site {
    /// Looks for one on the first display that is driven.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Unsupported`] with the reason if there is none, or it may not be used.
    pub(crate) fn find(mounting: &Mounting) -> Result<Self, Error> {
        let none = || Error::Unsupported("no graphics card drives a display".to_owned());
        for path in Card::paths() {
            let Ok(card) = Card::open_to_draw(&path) else { continue };
            let connectors = card.connectors()?;
            let driven = connectors.iter().find_map(|found| Some((found, found.crtc?)));
            let Some((connector, crtc)) = driven else { continue };
            let mode = mode_of(&card, crtc)?;
            let (plane, fourcc) = free_plane(&card, crtc)?;
            let orientation = mounting.of(connector.mounting);
            let site = Self { card, crtc, mode, plane, fourcc, orientation };
            return if site.card.has_other_master() { Err(owned(&site.card)) } else { Ok(site) };
        }
        Err(none())
    }

    /// The display's size, upright.
    pub(crate) fn size(&self) -> Size {
        self.orientation.size(self.mode)
    }

    /// What makes a native picture upright.
    pub(crate) fn orientation(&self) -> Orientation {
        self.orientation
    }

    /// Which card and plane.
    pub(crate) fn describe(&self) -> String {
        format!("plane {} of {} ({})", self.plane, self.card.path().display(), self.card.driver())
    }

    /// Where a part of the upright display is on the native one.
    fn native(&self, area: Rect) -> Rect {
        self.orientation.inverse().rect(area, self.size())
    }
}

fn owned(card: &Card) -> Error {
    Error::Unsupported(format!(
        "another program is master of {}, and lets nobody else set its planes",
        card.path().display()
    ))
}

fn mode_of(card: &Card, crtc: u32) -> Result<Size, Error> {
    let found =
        mode::get_crtc(card.fd(), crtc).map_err(|error| card.error("look at a CRTC", error))?;
    if found.mode_valid == 0 {
        return Err(Error::Gone(format!("the mode of CRTC {crtc}")));
    }
    Ok(Size::new(found.mode.hdisplay.into(), found.mode.vdisplay.into()))
}

/// The first overlay plane that nobody uses and that shows our pixels as they are, above the picture;
/// and its format.
fn free_plane(card: &Card, crtc: u32) -> Result<(u32, u32), Error> {
    let planes = card.planes(crtc)?;
    let primary = Layer::of(card, planes.primary);
    let mut reasons = Vec::new();
    for &plane in &planes.overlays {
        match usable(card, plane, primary) {
            Ok(fourcc) => return Ok((plane, fourcc)),
            Err(reason) => reasons.push(format!("plane {plane} {reason}")),
        }
    }
    if reasons.is_empty() {
        reasons.push("it has none".to_owned());
    }
    let about = format!("{} ({})", card.path().display(), card.driver());
    Err(Error::Unsupported(format!("no overlay plane of {about} is free: {}", reasons.join(", "))))
}

/// The format to draw in on a plane, or why it is not used.
fn usable(card: &Card, plane: u32, primary: Layer) -> Result<u32, &'static str> {
    let mut formats = Vec::with_capacity(MAX_FORMATS);
    let found = mode::get_plane(card.fd(), plane, Some(&mut formats)).map_err(|_| "is gone")?;
    if found.crtc_id != 0 || found.fb_id != 0 {
        return Err("is in use");
    }
    if !primary.is_below(Layer::of(card, plane)) {
        return Err("lies below the picture");
    }
    shows_as_it_is(card, plane)?;
    let wanted = FORMATS.map(u32::from_le_bytes).into_iter().find(|one| formats.contains(one));
    wanted.ok_or("takes no 32 bits")
}

/// Whether a plane neither turns what it shows nor lets anything through: whoever had it before may have left that.
fn shows_as_it_is(card: &Card, plane: u32) -> Result<(), &'static str> {
    let (ids, values) = card.plane_properties(plane).ok_or("tells nothing of itself")?;
    let value = |name| card.property(&ids, &values, name);
    if value("rotation").is_some_and(|bits| plane_rotation(bits) != Orientation::UPRIGHT) {
        return Err("turns what it shows");
    }
    if value("alpha").is_some_and(|alpha| alpha != OPAQUE) {
        return Err("lets through what is below");
    }
    if value("CRTC_W").is_none() {
        return Err("does not tell where it is");
    }
    Ok(())
}

/// A plane with a buffer of our own, from [`Overlay::bind`] on until it is dropped.
#[derive(Debug)]
pub(crate) struct Overlay {
    site: Site,
    /// The part of the native display that it covers.
    place: Rect,
    frame_buffer: u32,
    handle: u32,
    pitch: u32,
    memory: Mapping,
    read_back: BufferCache,
    reader: BandReader,
}

impl Overlay {
    /// A buffer for a part of the upright display, of undefined content; it is not shown yet.
    ///
    /// # Errors
    /// When there is no memory for it, or the card takes no such buffer.
    pub(crate) fn new(site: Site, area: Rect) -> Result<Self, Error> {
        let place = site.native(area);
        let failed = |doing: &str, error| site.card.error(doing, error);
        let fd = site.card.fd();
        let made = mode::dumbbuffer::create(fd, place.width, place.height, 32, 0)
            .map_err(|error| failed("make a buffer", error))?;
        let prepared = prepare(fd, &made, place, site.fourcc);
        let (frame_buffer, memory) = prepared.map_err(|error| {
            gem::close(fd, made.handle).ok();
            failed("prepare a buffer", error)
        })?;
        Ok(Self {
            place,
            frame_buffer,
            handle: made.handle,
            pitch: made.pitch,
            memory,
            read_back: BufferCache::default(),
            reader: BandReader::default(),
            site,
        })
    }

    /// The display that it is on.
    pub(crate) fn site(&self) -> &Site {
        &self.site
    }

    /// Size of the buffer, native.
    pub(crate) fn native_size(&self) -> Size {
        Size::new(self.place.width, self.place.height)
    }

    /// Draws rows of the buffer from the row `y` on, each of its whole width.
    ///
    /// # Errors
    /// When they are not within it.
    pub(crate) fn write(&mut self, y: u32, pixels: &[u8]) -> Result<(), Error> {
        let row = self.place.width.max(1) as usize * BGRX_BYTES;
        for (y, pixels) in (y as usize..).zip(pixels.chunks_exact(row)) {
            let written = self.memory.copy_in(y * self.pitch as usize, pixels);
            written.map_err(|error| self.site.card.error("draw in a buffer", error))?;
        }
        Ok(())
    }

    /// Brings the buffer to the screen, also when it is there and was drawn in. A display that
    /// sleeps is woken.
    ///
    /// # Errors
    /// When another program owns the card, has taken the plane, or the card refuses it.
    pub(crate) fn bind(&self) -> Result<(), Error> {
        let Site { card, crtc, plane, .. } = &self.site;
        if !card.is_lit(*crtc, card.active_number(*crtc)) {
            // Before: it takes all planes off but the console's.
            let paths = FrameBuffer::paths();
            let own = paths.iter().filter(|path| card_of(path).is_some_and(|of| of == card.path()));
            own.for_each(|path| FrameBuffer::unblank_at(path));
        }
        let shown = card.plane(*plane)?;
        if shown.frame_buffer != 0 && shown.frame_buffer != self.frame_buffer {
            return Err(taken(*plane));
        }
        let Rect { x, y, width, height } = self.place;
        as_master(card, |fd| {
            let (place, frame_buffer) = ((x as i32, y as i32), self.frame_buffer);
            mode::set_plane(
                fd,
                *plane,
                *crtc,
                frame_buffer,
                0,
                place.0,
                place.1,
                width,
                height,
                0,
                0,
                width << 16,
                height << 16,
            )
            .map(drop)
        })
    }

    /// Makes sure that the plane shows our buffer where it was put, upright and opaque, on a display that is lit and
    /// has the size that it had, and that no other plane lies above it.
    ///
    /// A cursor is not counted: it is above everything, as on every other way.
    ///
    /// # Errors
    /// What is not so.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let Site { card, crtc, plane, mode, .. } = &self.site;
        let shown = card.plane(*plane)?;
        if shown.frame_buffer != self.frame_buffer || shown.crtc != *crtc {
            return Err(taken(*plane));
        }
        if mode_of(card, *crtc)? != *mode || !card.is_lit(*crtc, card.active_number(*crtc)) {
            return Err(Error::Gone(format!("the display of plane {plane}")));
        }
        let part = card.shown_part(*plane, *crtc, card.plane_numbers(*plane))?;
        let covered = card.covered_part(*plane).map(|part| Size::new(part.width, part.height));
        let is_placed = part.part == self.native_size().rect()
            && part.place == (self.place.x as i32, self.place.y as i32)
            && covered == Some(self.native_size());
        if !is_placed {
            return Err(Error::Unsupported(format!("plane {plane} was put elsewhere")));
        }
        shows_as_it_is(card, *plane)
            .map_err(|why| Error::Unsupported(format!("plane {plane} {why}")))?;
        self.nothing_above()
    }

    fn nothing_above(&self) -> Result<(), Error> {
        let Site { card, crtc, plane, .. } = &self.site;
        let own = Layer::of(card, *plane);
        let planes = card.planes(*crtc)?;
        for other in planes.overlays.into_iter().chain([planes.primary]) {
            let shown = card.plane(other)?;
            if other == *plane || shown.frame_buffer == 0 || shown.crtc != *crtc {
                continue;
            }
            let place = card.covered_part(other);
            let is_beside = place.is_some_and(|place| place.intersection(self.place).is_none());
            if !is_beside && !Layer::of(card, other).is_below(own) {
                return Err(Error::Unsupported(format!("plane {other} may lie above {plane}")));
            }
        }
        Ok(())
    }
}

fn taken(plane: u32) -> Error {
    Error::Gone(format!("plane {plane}, which shows something else or nothing,"))
}

/// A frame buffer for what was allocated, and its memory.
fn prepare(
    fd: BorrowedFd<'_>,
    made: &drm_ffi::drm_sys::drm_mode_create_dumb,
    place: Rect,
    fourcc: u32,
) -> io::Result<(u32, Mapping)> {
    let len = usize::try_from(made.size).map_err(|_| io::ErrorKind::OutOfMemory)?;
    let offset = mode::dumbbuffer::map(fd, made.handle, 0, 0)?.offset;
    let memory = Mapping::writable(fd, offset, len)?;
    let (handles, pitches) = ([made.handle, 0, 0, 0], [made.pitch, 0, 0, 0]);
    let (width, height) = (place.width, place.height);
    let added = mode::add_fb2(fd, width, height, fourcc, &handles, &pitches, &[0; 4], &[0; 4], 0)?;
    Ok((added.fb_id, memory))
}

/// Does something that the card's master alone may do.
fn as_master(card: &Card, act: impl FnOnce(BorrowedFd<'_>) -> io::Result<()>) -> Result<(), Error> {
    for _ in 0..MASTER_TRIES {
        if drm_ffi::auth::acquire_master(card.fd()).is_ok() {
            let outcome = act(card.fd());
            if let Err(error) = drm_ffi::auth::release_master(card.fd()) {
                log::warn!("{}: could not give up being master: {error}", card.path().display());
            }
            return outcome.map_err(|error| card.error("set an overlay plane", error));
        }
        std::thread::sleep(MASTER_STEP);
    }
    Err(owned(card))
}

impl Drop for Overlay {
    fn drop(&mut self) {
        let fd = self.site.card.fd();
        // Takes the plane off. What fails here, the kernel does when the card is closed.
        let off = mode::rm_fb(fd, self.frame_buffer);
        if let Err(error) = off.and_then(|()| gem::close(fd, self.handle).map(drop)) {
            log::warn!("{}: {error}", self.site.describe());
        }
    }
}

/// What the plane shows, read back: not our memory, but that of the frame buffer which the kernel says it scans out.
impl Screen for Overlay {
    fn info(&self) -> ScreenInfo {
        ScreenInfo {
            source: format!("drm:{}", self.site.card.driver()),
            name: self.site.describe(),
            size: self.site.orientation.size(self.native_size()),
            mounting: self.site.orientation,
            millimetres: None,
            covered: Vec::new(),
        }
    }

    fn poll(&mut self) -> Result<ScreenState, Error> {
        self.check()?;
        let size = self.site.orientation.size(self.native_size());
        Ok(ScreenState::Shown { size, change: Change::Maybe })
    }

    fn read(&mut self, visit: &mut dyn FnMut(Band<'_>)) -> Result<(), Error> {
        let card = &self.site.card;
        let shown = card.plane(self.site.plane)?;
        let part = Rect { x: 0, y: 0, ..self.place };
        let (buffer, scanout) =
            self.read_back.open(card, shown.frame_buffer, part, Tiling::Never)?;
        let what = (&scanout, self.site.orientation);
        buffer.read(card, what, &mut self.reader, Rows::ALL, visit)?;
        self.check()
    }
}

#[cfg(test)]
mod tests {
    use drm_ffi::drm_sys::DRM_PLANE_TYPE_OVERLAY;

    use super::*;

    fn layer(plane: u32, kind: u32, height: Option<u64>) -> Layer {
        Layer { plane, kind: Some(kind), height }
    }

    #[test]
    fn a_plane_is_below_only_if_that_is_certain() {
        let (primary, overlay) = (DRM_PLANE_TYPE_PRIMARY, DRM_PLANE_TYPE_OVERLAY);
        let own = layer(40, overlay, None);
        assert!(layer(31, primary, None).is_below(own), "as every driver has it");
        assert!(!layer(35, overlay, None).is_below(own), "nobody tells which is above");
        let own = layer(40, overlay, Some(2));
        assert!(layer(50, primary, Some(0)).is_below(own));
        assert!(!layer(31, primary, Some(3)).is_below(own), "a picture above its overlays");
        assert!(!layer(35, overlay, Some(3)).is_below(own));
        assert!(layer(35, overlay, Some(2)).is_below(own) && !own.is_below(own));
        assert!(!layer(45, overlay, Some(2)).is_below(own), "the higher number is above");
        assert!(!layer(35, overlay, None).is_below(own));
        assert!(!Layer { plane: 3, kind: None, height: None }.is_below(own));
    }
}
