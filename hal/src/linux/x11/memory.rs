//! Where the server puts the rows that are asked for: memory shared with it, or its answers.

use std::io;

use x11rb::connection::Connection as _;
use x11rb::protocol::shm::{ConnectionExt as _, Seg};
use x11rb::protocol::xproto::{ConnectionExt as _, Drawable, ImageFormat};

use super::link::{Link, failed};
use crate::linux::rows::RowSource;
use crate::linux::sys::Mapping;
use crate::{Error, Size};

/// All bits of all colours.
const ALL_PLANES: u32 = u32::MAX;

/// Rows of a picture, as the server sends them.
#[derive(Debug, Default)]
pub(super) enum Memory {
    /// Not asked for yet.
    #[default]
    Unknown,
    /// In memory that server and we have in common.
    Shared { segment: Seg, mapping: Mapping },
    /// In its answers, copied twice; for servers that share no memory.
    Sent(Vec<u8>),
}

impl Memory {
    /// Has the server put rows of a drawable there, from `y` on; `len` bytes.
    ///
    /// # Errors
    /// When the server does not, or the drawable is smaller by now.
    pub(super) fn fetch(
        &mut self,
        link: &Link,
        drawable: Drawable,
        size: Size,
        y: u32,
        rows: u32,
        len: usize,
    ) -> Result<(), Error> {
        self.make_room(link, len)?;
        let (width, rows) = (size.width as u16, rows as u16);
        let y = y as i16;
        let format = ImageFormat::Z_PIXMAP;
        match self {
            Self::Shared { segment, .. } => {
                let asked = link.shm_get_image(
                    drawable,
                    0,
                    y,
                    width,
                    rows,
                    ALL_PLANES,
                    format.into(),
                    *segment,
                    0,
                )?;
                asked.reply().map_err(failed).map(drop)
            }
            Self::Sent(bytes) => {
                let asked = link.get_image(format, drawable, 0, y, width, rows, ALL_PLANES)?;
                *bytes = asked.reply().map_err(failed)?.data;
                Ok(())
            }
            Self::Unknown => Ok(()),
        }
    }

    /// What was fetched.
    pub(super) fn source(&self) -> &dyn RowSource {
        match self {
            Self::Shared { mapping, .. } => mapping,
            Self::Sent(bytes) => bytes,
            Self::Unknown => &NOTHING,
        }
    }

    fn make_room(&mut self, link: &Link, len: usize) -> Result<(), Error> {
        match self {
            Self::Shared { mapping, .. } if mapping.len() >= len => return Ok(()),
            Self::Sent(_) => return Ok(()),
            Self::Shared { segment, .. } => {
                link.shm_detach(*segment)?;
            }
            Self::Unknown => {}
        }
        *self = match share(link, len) {
            Ok((segment, mapping)) => Self::Shared { segment, mapping },
            Err(error) => {
                log::info!("the X server shares no memory: {error}");
                Self::Sent(Vec::new())
            }
        };
        Ok(())
    }
}

/// Memory that the server makes and lets us read.
fn share(link: &Link, len: usize) -> Result<(Seg, Mapping), Error> {
    let segment = link.generate_id().map_err(failed)?;
    let size = u32::try_from(len).unwrap_or(u32::MAX);
    let made = link.shm_create_segment(segment, size, false)?.reply().map_err(failed)?;
    // Touching what lies behind the end of a file would end this process.
    let given = nix::sys::stat::fstat(&made.shm_fd)
        .map_err(|errno| Error::io("look at the X server's memory", errno.into()))?;
    if u64::try_from(given.st_size).unwrap_or(0) < u64::from(size) {
        let short = io::ErrorKind::UnexpectedEof.into();
        return Err(Error::io("use the X server's memory, which is too short", short));
    }
    let mapping = Mapping::read_only(made.shm_fd, 0, len)
        .map_err(|error| Error::io("map the X server's memory", error))?;
    Ok((segment, mapping))
}

static NOTHING: Vec<u8> = Vec::new();

impl RowSource for Vec<u8> {
    fn copy_out(&self, offset: usize, into: &mut [u8]) -> io::Result<()> {
        let end = offset.checked_add(into.len()).ok_or(io::ErrorKind::InvalidData)?;
        let from = self.get(offset..end).ok_or(io::ErrorKind::UnexpectedEof)?;
        into.copy_from_slice(from);
        Ok(())
    }
}
