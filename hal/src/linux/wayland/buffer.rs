//! Memory with a picture that we share with a compositor.

use std::fs::File;
use std::os::fd::AsFd as _;

use super::interfaces::shm;
use super::link::Link;
use super::wire::{Id, Request};
use crate::linux::rows::MAX_BUFFER_BYTES;
use crate::linux::shared_memory;
use crate::{Error, Size};

/// A picture in shared memory.
#[derive(Debug)]
pub(super) struct Buffer {
    file: File,
    pub(super) id: Id,
    pub(super) size: Size,
    /// Bytes from a row to the next.
    pub(super) pitch: u32,
    /// `wl_shm.format`.
    pub(super) format: u32,
}

impl Buffer {
    /// Makes one and shares it.
    ///
    /// # Errors
    /// When there is no memory, or the compositor is gone.
    pub(super) fn new(
        link: &mut Link,
        shm: Id,
        size: Size,
        pitch: u32,
        format: u32,
    ) -> Result<Self, Error> {
        let bytes = u64::from(pitch) * u64::from(size.height);
        let is_plausible = size.is_plausible() && pitch >= size.width && bytes <= MAX_BUFFER_BYTES;
        let len = i32::try_from(bytes).ok().filter(|_| is_plausible).ok_or_else(|| {
            let problem = format!("asks for a picture of {size:?} in {bytes} bytes");
            Error::Broken { device: "the Wayland compositor".to_owned(), problem }
        })?;
        let file =
            shared_memory::make(bytes).map_err(|error| Error::io("make memory to share", error))?;
        let (pool, id) = (link.new_id(), link.new_id());
        let request = Request::new(shm, shm::CREATE_POOL).uint(pool);
        link.send_with(request.int(len), file.as_fd())?;
        let request = Request::new(pool, shm::POOL_CREATE_BUFFER).uint(id).int(0);
        link.send(request.side(size.width).side(size.height).side(pitch).uint(format))?;
        link.send(Request::new(pool, shm::POOL_DESTROY))?;
        Ok(Self { file, id, size, pitch, format })
    }

    /// The memory, to read.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// How many bytes it has.
    pub(super) fn len(&self) -> u64 {
        u64::from(self.pitch) * u64::from(self.size.height)
    }

    /// Puts pixels into it; whether they are others than before.
    ///
    /// # Errors
    /// When the kernel has no memory for them.
    pub(super) fn write(&self, offset: usize, pixels: &[u8]) -> Result<bool, Error> {
        shared_memory::write(&self.file, offset, pixels)
            .map_err(|error| Error::io("write into shared memory", error))
    }

    /// The compositor shall forget it.
    ///
    /// # Errors
    /// When it is gone.
    pub(super) fn destroy(self, link: &Link) -> Result<(), Error> {
        link.send(Request::new(self.id, shm::BUFFER_DESTROY))
    }
}
