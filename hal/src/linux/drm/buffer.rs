//! A scan-out buffer, found, mapped, and let go of again.
//!
//! Every `GETFB2` makes new handles that pin the buffer until they are closed, so that they are
//! closed on every path, each once. A frame buffer's number is used again after it is removed;
//! what a mapping belongs to is therefore told by the memory behind it: the inode of its dma-buf,
//! or, where a driver exports none, the place that the card's own address space gives it.
//! Both stay unique as long as the mapping lives.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;

use drm_ffi::drm_sys::{DRM_CLOEXEC, DRM_MODE_FB_MODIFIERS, DRM_RDWR};
use drm_ffi::{gem, mode};
use nix::libc;

use super::card::Card;
use super::scanout::{Description, Scanout, Tiling, plan};
use crate::linux::pixel_format::PixelFormat;
use crate::linux::rows::{BandReader, Layout};
use crate::linux::sys::{DmaAccess, Mapping, adopt_descriptor, dma_buf_sync};
use crate::{Band, Error, Orientation, Rect, Rows, Size};

/// Handles of one `GETFB2`, closed when dropped.
pub(super) struct Handles<'a> {
    card: &'a Card,
    /// That of the first plane; `None` if the kernel gave none for lack of rights.
    first: Option<u32>,
    /// All of them, each once.
    distinct: Vec<u32>,
}

impl Drop for Handles<'_> {
    fn drop(&mut self) {
        for &handle in &self.distinct {
            if let Err(error) = gem::close(self.card.fd(), handle) {
                log::warn!("{}: a buffer stays pinned: {error}", self.card.path().display());
            }
        }
    }
}

impl<'a> Handles<'a> {
    /// Planes in one object share a handle, which must be closed once.
    fn new(card: &'a Card, given: &[u32]) -> Self {
        let mut distinct = given.to_vec();
        distinct.retain(|&handle| handle != 0);
        distinct.sort_unstable();
        distinct.dedup();
        Self { card, first: given.first().copied().filter(|&handle| handle != 0), distinct }
    }
}

/// Which memory a mapping is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Memory {
    /// The inode of a dma-buf.
    DmaBuf(u64),
    /// Where the card's address space has it.
    Dumb(u64),
}

/// What a mapping was made for; anything else needs another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    frame_buffer: u32,
    description: Description,
    /// Bytes mapped.
    len: usize,
}

/// A mapped scan-out buffer.
#[derive(Debug)]
pub(crate) struct Buffer {
    key: Key,
    memory: Memory,
    mapping: Mapping,
    /// Kept open: brackets every read, and keeps the inode from being used again.
    dma_buf: Option<File>,
}

/// Ends what [`DmaAccess::StartRead`] began.
struct Reading<'a>(&'a File);

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        if let Err(error) = retry(|| dma_buf_sync(self.0, DmaAccess::EndRead)) {
            log::warn!("could not end reading a shared buffer: {error}");
        }
    }
}

fn retry(mut call: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    loop {
        match call() {
            Err(error) if matches!(error.raw_os_error(), Some(libc::EINTR | libc::EAGAIN)) => {}
            outcome => return outcome,
        }
    }
}

/// The buffer that was read last, kept mapped.
#[derive(Debug, Default)]
pub(crate) struct BufferCache {
    current: Option<Buffer>,
}

impl BufferCache {
    /// Lets go of the buffer unless it is this frame buffer's, so that its owner's memory is not
    /// held for longer than it is shown.
    pub(crate) fn keep_only(&mut self, frame_buffer: u32) {
        self.current.take_if(|buffer| buffer.key.frame_buffer != frame_buffer);
    }

    /// Opens the frame buffer's memory, or takes what is mapped already if it is still that.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Gone`] if the frame buffer was removed meanwhile: look at the plane
    /// again. [`crate::ErrorKind::Permission`] without `CAP_SYS_ADMIN`.
    /// [`crate::ErrorKind::Unsupported`] if the CPU cannot read it.
    pub(crate) fn open(
        &mut self,
        card: &Card,
        frame_buffer: u32,
        shown: Rect,
        tiling: Tiling,
    ) -> Result<(&Buffer, Scanout), Error> {
        let cached = self.current.take();
        let (description, handles) = describe(card, frame_buffer)?;
        let scanout = plan(card.driver(), &description, shown, tiling)?;
        let Some(handle) = handles.first else {
            let error = io::Error::from(io::ErrorKind::PermissionDenied);
            return Err(card.error("read the scan-out (which needs CAP_SYS_ADMIN)", error));
        };
        // Handles that are not closed again would show as numbers that grow.
        log::trace!("frame buffer {frame_buffer}: handle {handle}");
        let len = usize::try_from(scanout.end)
            .map_err(|_| Error::Unsupported("the scan-out is larger than memory".to_owned()))?;
        let key = Key { frame_buffer, description, len };
        let buffer = match cached {
            Some(buffer) if buffer.key == key && buffer.is_still(card, handle) => buffer,
            _ => Buffer::map(card, handle, key)?,
        };
        Ok((self.current.insert(buffer), scanout))
    }
}

impl Buffer {
    /// Maps a buffer: through its dma-buf, or else through the card's address space.
    ///
    /// Neither way alone is enough: some drivers export nothing or cannot map what they export,
    /// and buffers that come from another device cannot be mapped through the card.
    fn map(card: &Card, handle: u32, key: Key) -> Result<Self, Error> {
        let by_export = export(card, handle).and_then(|(dma_buf, inode)| {
            let mapping = Mapping::read_only(&dma_buf, 0, checked_len(&dma_buf, key.len)?)?;
            Ok(Self { key, memory: Memory::DmaBuf(inode), mapping, dma_buf: Some(dma_buf) })
        });
        let export_error = match by_export {
            Ok(buffer) => return Ok(buffer),
            Err(error) => error,
        };
        let by_card = dumb_offset(card, handle).and_then(|offset| {
            let mapping = Mapping::read_only(card.fd(), offset, key.len)?;
            Ok(Self { key, memory: Memory::Dumb(offset), mapping, dma_buf: None })
        });
        by_card.map_err(|error| {
            Error::Unsupported(format!(
                "{} does not let its scan-out be mapped: {export_error}; {error}",
                card.driver()
            ))
        })
    }

    /// Whether a handle is of the memory that is mapped.
    fn is_still(&self, card: &Card, handle: u32) -> bool {
        match self.memory {
            Memory::DmaBuf(inode) => export(card, handle).is_ok_and(|(_, other)| other == inode),
            Memory::Dumb(offset) => dumb_offset(card, handle).is_ok_and(|other| other == offset),
        }
    }

    /// Reads the bands of what is shown of it in which some of these rows lie, and brings them upright.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Broken`] if the scan-out does not fit the mapping.
    pub(crate) fn read(
        &self,
        card: &Card,
        (scanout, orientation): (&Scanout, Orientation),
        reader: &mut BandReader,
        rows: Rows,
        visit: &mut dyn FnMut(Band<'_>),
    ) -> Result<(), Error> {
        let Scanout { format, size, first_pixel, pitch, .. } = scanout;
        let layout = Layout::new(format, *size, *first_pixel, *pitch, self.mapping.len() as u64)
            .ok_or_else(|| Error::Broken {
                device: card.path().display().to_string(),
                problem: format!("{scanout:?} is not within its buffer"),
            })?;
        let reading = self.start_reading();
        let outcome = reader.read(&self.mapping, (&layout, format), orientation, rows, visit);
        drop(reading);
        outcome.map_err(|error| card.error("read the scan-out", error))
    }

    /// Reads single rows of what is shown of it; whether these can be had.
    ///
    /// # Errors
    /// As [`Buffer::read`].
    pub(crate) fn glance(
        &self,
        card: &Card,
        (scanout, orientation): (&Scanout, Orientation),
        reader: &mut BandReader,
        rows: &mut dyn Iterator<Item = u32>,
        visit: &mut dyn FnMut(u32, &[u8]),
    ) -> Result<bool, Error> {
        let Scanout { format, size, first_pixel, pitch, .. } = scanout;
        let bytes = self.mapping.len() as u64;
        let Some(layout) = Layout::new(format, *size, *first_pixel, *pitch, bytes) else {
            return Ok(false);
        };
        let reading = self.start_reading();
        let outcome = reader.glance(&self.mapping, (&layout, format), orientation, rows, visit);
        drop(reading);
        outcome.map_err(|error| card.error("read the scan-out", error))
    }

    /// Whether its pixels say how opaque they are.
    pub(crate) fn has_alpha(&self) -> bool {
        self.key.description.fourcc == u32::from_le_bytes(*b"AR24")
    }

    /// Reads what is shown of it as it is stored, row by row without padding.
    ///
    /// # Errors
    /// As [`Buffer::read`].
    pub(crate) fn read_raw(
        &self,
        card: &Card,
        scanout: &Scanout,
        into: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let row = scanout.format.row_bytes(scanout.size.width).max(1);
        into.resize(row * scanout.size.height as usize, 0);
        let first = usize::try_from(scanout.first_pixel).unwrap_or(usize::MAX);
        let reading = self.start_reading();
        let mut outcome = Ok(());
        for (index, out) in into.chunks_exact_mut(row).enumerate() {
            let offset = first.saturating_add(index * scanout.pitch as usize);
            outcome = outcome.and_then(|()| self.mapping.copy_out(offset, out));
        }
        drop(reading);
        outcome.map_err(|error| card.error("read the cursor", error))
    }

    /// Old kernels and some exporters need no brackets and say so; then there are none.
    fn start_reading(&self) -> Option<Reading<'_>> {
        let dma_buf = self.dma_buf.as_ref()?;
        match retry(|| dma_buf_sync(dma_buf, DmaAccess::StartRead)) {
            Ok(()) => Some(Reading(dma_buf)),
            Err(error) => {
                log::debug!("reading a shared buffer without brackets: {error}");
                None
            }
        }
    }
}

/// Asks for a frame buffer, by the old call where there is no new one.
pub(super) fn describe(
    card: &Card,
    frame_buffer: u32,
) -> Result<(Description, Handles<'_>), Error> {
    match mode::get_framebuffer2(card.fd(), frame_buffer) {
        Ok(found) => {
            // From here on the handles are closed whatever happens.
            let handles = Handles::new(card, &found.handles);
            // Without the flag the kernel writes 0, which would read as "linear".
            let says = found.flags & DRM_MODE_FB_MODIFIERS != 0;
            let description = Description {
                size: Size::new(found.width, found.height),
                fourcc: found.pixel_format,
                modifier: says.then_some(found.modifier[0]),
                pitch: found.pitches[0],
                offset: found.offsets[0],
            };
            Ok((description, handles))
        }
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Err(removed(frame_buffer)),
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EINVAL)) => {
            describe_legacy(card, frame_buffer)
        }
        Err(error) => Err(card.error("look at the frame buffer", error)),
    }
}

fn describe_legacy(card: &Card, frame_buffer: u32) -> Result<(Description, Handles<'_>), Error> {
    let found = mode::get_framebuffer(card.fd(), frame_buffer).map_err(|error| {
        match error.raw_os_error() {
            Some(libc::ENOENT) => removed(frame_buffer),
            _ => card.error("look at the frame buffer", error),
        }
    })?;
    let handles = Handles::new(card, &[found.handle]);
    let fourcc = PixelFormat::fourcc_of_legacy(found.bpp, found.depth).ok_or_else(|| {
        let (bits, depth) = (found.bpp, found.depth);
        Error::Unsupported(format!("{} scans out {bits} bits of depth {depth}", card.driver()))
    })?;
    let size = Size::new(found.width, found.height);
    let description = Description { size, fourcc, modifier: None, pitch: found.pitch, offset: 0 };
    Ok((description, handles))
}

fn removed(frame_buffer: u32) -> Error {
    Error::Gone(format!("frame buffer {frame_buffer}"))
}

/// Exports a buffer as a dma-buf, and tells its inode.
///
/// The first export of a buffer decides for good whether others can write through theirs. So
/// this asks for writing too, and never does it.
fn export(card: &Card, handle: u32) -> io::Result<(File, u64)> {
    let exported = gem::handle_to_fd(card.fd(), handle, DRM_CLOEXEC | DRM_RDWR)?;
    let dma_buf = File::from(adopt_descriptor(exported.fd)?);
    let inode = dma_buf.metadata()?.ino();
    Ok((dma_buf, inode))
}

/// `len`, if the dma-buf is that long; reading beyond its end would kill the process.
fn checked_len(mut dma_buf: &File, len: usize) -> io::Result<usize> {
    let size = dma_buf.seek(SeekFrom::End(0))?;
    if size < len as u64 {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the buffer is shorter than it says",
        ));
    }
    Ok(len)
}

/// Where the card's address space has a buffer.
fn dumb_offset(card: &Card, handle: u32) -> io::Result<u64> {
    Ok(mode::dumbbuffer::map(card.fd(), handle, 0, 0)?.offset)
}
