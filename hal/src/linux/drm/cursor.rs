//! The cursor plane: a small picture with opacity, which hardware shows above the others.

use super::buffer::BufferCache;
use super::card::{Card, PlaneNumbers};
use super::scanout::Tiling;
use crate::cursor::{Cursor, MAX_CURSOR_SIDE};
use crate::{Error, ErrorKind};

/// A plane that shows a cursor when there is one.
#[derive(Debug)]
pub(super) struct CursorPlane {
    plane: u32,
    numbers: PlaneNumbers,
    buffers: BufferCache,
    /// A cursor that cannot be read is told once, and then left alone until it is another.
    unreadable: Option<u32>,
}

impl CursorPlane {
    pub(super) fn new(card: &Card, plane: u32) -> Self {
        let numbers = card.plane_numbers(plane);
        Self { plane, numbers, buffers: BufferCache::default(), unreadable: None }
    }

    /// What it shows on a CRTC now, as the hardware has it.
    ///
    /// Its owner may draw a new shape into the same buffer, so that it is read each time; it is
    /// small.
    pub(super) fn read(&mut self, card: &Card, crtc: u32) -> Option<Cursor> {
        let shown = card.plane(self.plane).ok()?;
        if shown.crtc != crtc || shown.frame_buffer == 0 {
            self.buffers.keep_only(0);
            return None;
        }
        if self.unreadable == Some(shown.frame_buffer) {
            return None;
        }
        match self.read_buffer(card, crtc, shown.frame_buffer) {
            Ok(cursor) => cursor,
            // Its owner has changed it between two calls.
            Err(error) if error.kind() == ErrorKind::Gone => None,
            Err(error) => {
                log::info!("the cursor is not seen: {error}");
                self.unreadable = Some(shown.frame_buffer);
                None
            }
        }
    }

    fn read_buffer(
        &mut self,
        card: &Card,
        crtc: u32,
        frame_buffer: u32,
    ) -> Result<Option<Cursor>, Error> {
        let shown = card.shown_part(self.plane, crtc, self.numbers)?;
        if shown.part.width > MAX_CURSOR_SIDE || shown.part.height > MAX_CURSOR_SIDE {
            let size = format!("{}x{}", shown.part.width, shown.part.height);
            return Err(Error::Unsupported(format!("a cursor of {size} pixels")));
        }
        let (buffer, scanout) = self.buffers.open(card, frame_buffer, shown.part, Tiling::Never)?;
        if !buffer.has_alpha() {
            return Err(Error::Unsupported("a cursor without opacity".to_owned()));
        }
        let mut shape = Cursor { size: scanout.size, ..Cursor::default() };
        buffer.read_raw(card, &scanout, &mut shape.pixels)?;
        let is_seen = shape.pixels.as_chunks::<4>().0.iter().any(|pixel| pixel[3] != 0);
        let (x, y) = shown.place;
        // Its own turn is about its own middle, not the screen's.
        Ok(is_seen.then(|| Cursor { x, y, ..shape.upright(shown.rotation, scanout.size) }))
    }
}
