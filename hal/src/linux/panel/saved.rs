//! What was on the screen before something was drawn over it.

use crate::linux::fbdev::{FrameBuffer, Mode};
use crate::linux::pixel_format::PixelFormat;
use crate::{Error, Rect};

/// The most bytes that are saved: 2560×1600 pixels of four bytes. They are held only while a
/// panel is shown.
pub(crate) const MAX_SAVED_BYTES: usize = 16 << 20;

/// The pixels of an area, as the screen stores them, and those drawn in their place.
///
/// The owner of the screen may draw there too while ours are shown. A byte that is not what was
/// drawn was drawn by the owner since, and counts as what was there before.
#[derive(Debug)]
pub(crate) struct Saved {
    area: Rect,
    mode: Mode,
    under: Vec<u8>,
    drawn: Vec<u8>,
}

/// An area whose rows begin and end with whole bytes.
fn whole_bytes(format: &PixelFormat, area: Rect) -> Rect {
    match format {
        PixelFormat::Mono { .. } => {
            let x = area.x & !7;
            Rect { x, width: (area.x - x + area.width).next_multiple_of(8), ..area }
        }
        _ => area,
    }
}

impl Saved {
    /// Saves an area, which must be within the mode's picture.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Unsupported`] if it is too large, or when it cannot be read.
    pub(crate) fn save(device: &FrameBuffer, mode: &Mode, area: Rect) -> Result<Self, Error> {
        let area = whole_bytes(&mode.format, area);
        let row = mode.format.row_bytes(area.width);
        let bytes = row.saturating_mul(area.height as usize);
        if bytes > MAX_SAVED_BYTES {
            return Err(Error::Unsupported(format!("{bytes} bytes of the screen are too many")));
        }
        let mut under = vec![0; bytes];
        for (y, raw) in (area.y..).zip(under.chunks_mut(row.max(1))) {
            device.read_raw(mode, area.x, y, raw)?;
        }
        Ok(Self { area, mode: mode.clone(), under, drawn: Vec::new() })
    }

    /// Whether it is of this area of this mode.
    pub(crate) fn is_of(&self, mode: &Mode, area: Rect) -> bool {
        self.mode == *mode && self.area == whole_bytes(&mode.format, area)
    }

    /// Takes over what the owner drew since, and then what is shown now as drawn by us.
    ///
    /// # Errors
    /// When the screen cannot be read.
    pub(crate) fn refresh(&mut self, device: &FrameBuffer) -> Result<(), Error> {
        self.each_row(device, |under, drawn, now| {
            for ((under, drawn), now) in under.iter_mut().zip(drawn).zip(now) {
                if drawn != now {
                    *under = *now;
                }
            }
        })
    }

    /// Notes what is shown now as drawn by us.
    ///
    /// # Errors
    /// When the screen cannot be read.
    pub(crate) fn note_drawn(&mut self, device: &FrameBuffer) -> Result<(), Error> {
        self.drawn.clear();
        self.drawn.resize(self.under.len(), 0);
        let row = self.mode.format.row_bytes(self.area.width).max(1);
        for (y, raw) in (self.area.y..).zip(self.drawn.chunks_mut(row)) {
            device.read_raw(&self.mode, self.area.x, y, raw)?;
        }
        Ok(())
    }

    /// Puts everything back, whatever is shown now.
    ///
    /// # Errors
    /// When the screen does not take it.
    pub(crate) fn put_back(self, device: &mut FrameBuffer) -> Result<(), Error> {
        let row = self.mode.format.row_bytes(self.area.width).max(1);
        for (y, raw) in (self.area.y..).zip(self.under.chunks(row)) {
            device.write_raw(&self.mode, self.area.x, y, raw)?;
        }
        Ok(())
    }

    fn each_row(
        &mut self,
        device: &FrameBuffer,
        merge: impl Fn(&mut [u8], &[u8], &[u8]),
    ) -> Result<(), Error> {
        let row = self.mode.format.row_bytes(self.area.width).max(1);
        let mut now = vec![0; row];
        let rows = self.under.chunks_mut(row).zip(self.drawn.chunks(row));
        for (y, (under, drawn)) in (self.area.y..).zip(rows) {
            device.read_raw(&self.mode, self.area.x, y, &mut now)?;
            merge(under, drawn, &now);
        }
        Ok(())
    }
}
