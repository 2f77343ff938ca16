//! What was on the screen before something was drawn over it.
//!
//! It is kept in a file in memory rather than in the process: so it does not count twice, and it
//! outlives a process that is killed. Then the next one puts it back, by [`restore`].

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::linux::fbdev::{Access, FrameBuffer, Mode};
use crate::linux::pixel_format::PixelFormat;
use crate::linux::shared_memory;
use crate::{Error, Rect};

/// The most bytes that are saved: 2560×1600 pixels of four bytes. They are held only while a
/// panel is shown.
pub(crate) const MAX_SAVED_BYTES: usize = 16 << 20;

/// In front of the pixels: which frame buffer, its layout, and the area, in words.
const HEAD_BYTES: usize = 512;

/// Rows from one that is looked at to the next, when only a part is.
const SAMPLED_ROWS: usize = 8;

/// The pixels of an area, as the screen stores them, and those drawn in their place.
///
/// The owner of the screen may draw there too while ours are shown. A pixel that is not what was
/// drawn was drawn by the owner since, and counts as what was there before.
#[derive(Debug)]
pub(crate) struct Saved {
    area: Rect,
    mode: Mode,
    /// The head, the pixels that were there, and those that were drawn.
    file: File,
    /// Where it lies, so that another process finds it.
    record: Option<PathBuf>,
}

/// The two pictures in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Under,
    Drawn,
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
    /// Saves an area, which must be within the mode's picture; with `record`, for [`restore`],
    /// too.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Unsupported`] if it is too large, or when it cannot be read.
    pub(crate) fn save(
        device: &FrameBuffer,
        mode: &Mode,
        area: Rect,
        record: Option<&Path>,
    ) -> Result<Self, Error> {
        let area = whole_bytes(&mode.format, area);
        let bytes = mode.format.row_bytes(area.width).saturating_mul(area.height as usize);
        if bytes > MAX_SAVED_BYTES {
            return Err(Error::Unsupported(format!("{bytes} bytes of the screen are too many")));
        }
        let len = (HEAD_BYTES + 2 * bytes) as u64;
        let recorded = record.and_then(|path| {
            let file = make(path, len);
            let problem = |error: &io::Error| {
                log::warn!("{}: {error}; after a crash the panel would stay", path.display());
            };
            Some((file.inspect_err(problem).ok()?, path.to_owned()))
        });
        let (file, record) = match recorded {
            Some((file, path)) => (file, Some(path)),
            None => (shared_memory::make(len).map_err(failed)?, None),
        };
        let saved = Self { area, mode: mode.clone(), file, record };
        saved.take(device, Part::Under)?;
        Ok(saved)
    }

    /// Whether it is of this area of this mode.
    pub(crate) fn is_of(&self, mode: &Mode, area: Rect) -> bool {
        self.mode == *mode && self.area == whole_bytes(&mode.format, area)
    }

    /// Takes over what the owner drew since.
    ///
    /// # Errors
    /// When the screen cannot be read.
    pub(crate) fn refresh(&self, device: &FrameBuffer) -> Result<(), Error> {
        self.each_row(device, 1, |y, under, drawn, now| {
            if now == drawn {
                return Ok(());
            }
            self.merge(under, drawn, now);
            self.write(Part::Under, y, under)
        })
    }

    /// Notes what is shown now as drawn by us.
    ///
    /// # Errors
    /// When the screen cannot be read.
    pub(crate) fn note_drawn(&self, device: &FrameBuffer) -> Result<(), Error> {
        self.take(device, Part::Drawn)?;
        match self.record {
            // Only now is it complete.
            Some(_) => {
                let head = head(device.path(), &self.mode, self.area);
                self.file.write_all_at(&head, 0).map_err(failed)
            }
            None => Ok(()),
        }
    }

    /// Whether the owner drew over it since, as far as some of the rows tell.
    ///
    /// # Errors
    /// When the screen cannot be read.
    pub(crate) fn is_drawn_over(&self, device: &FrameBuffer) -> Result<bool, Error> {
        let mut is_other = false;
        self.each_row(device, SAMPLED_ROWS, |_, _, drawn, now| {
            is_other |= drawn != now;
            Ok(())
        })?;
        Ok(is_other)
    }

    /// Puts everything back, whatever is shown now.
    ///
    /// # Errors
    /// When the screen does not take it.
    pub(crate) fn put_back(&self, device: &mut FrameBuffer) -> Result<(), Error> {
        let mut row = vec![0; self.row_bytes()];
        for y in 0..self.area.height {
            self.read(Part::Under, y, &mut row)?;
            device.write_raw(&self.mode, self.area.x, self.area.y + y, &row)?;
        }
        Ok(())
    }

    /// Nothing is covered any more.
    pub(crate) fn forget(self) {
        if let Some(record) = &self.record {
            std::fs::remove_file(record).ok();
        }
    }

    /// Puts back what was under the pixels that are still shown as they were drawn.
    fn put_back_undisturbed(&self, device: &mut FrameBuffer) -> Result<(), Error> {
        let row = || vec![0; self.row_bytes()];
        let (mut under, mut drawn, mut now) = (row(), row(), row());
        for y in 0..self.area.height {
            self.read(Part::Under, y, &mut under)?;
            self.read(Part::Drawn, y, &mut drawn)?;
            device.read_raw(&self.mode, self.area.x, self.area.y + y, &mut now)?;
            self.merge(&mut under, &drawn, &now);
            device.write_raw(&self.mode, self.area.x, self.area.y + y, &under)?;
        }
        Ok(())
    }

    /// Has `under` be what the owner shows in the end: what is shown `now`, where it is another
    /// pixel than was drawn.
    fn merge(&self, under: &mut [u8], drawn: &[u8], now: &[u8]) {
        let pixel = self.mode.format.row_bytes(1).max(1);
        let pixels = under.chunks_mut(pixel).zip(drawn.chunks(pixel)).zip(now.chunks(pixel));
        for ((under, _), now) in pixels.filter(|((_, drawn), now)| drawn != now) {
            under.copy_from_slice(now);
        }
    }

    /// Visits every `step`th row of the area: its number, what was there, what was drawn, what is
    /// there now.
    fn each_row(
        &self,
        device: &FrameBuffer,
        step: usize,
        mut visit: impl FnMut(u32, &mut [u8], &[u8], &[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let row = || vec![0; self.row_bytes()];
        let (mut under, mut drawn, mut now) = (row(), row(), row());
        for y in (0..self.area.height).step_by(step) {
            self.read(Part::Under, y, &mut under)?;
            self.read(Part::Drawn, y, &mut drawn)?;
            device.read_raw(&self.mode, self.area.x, self.area.y + y, &mut now)?;
            visit(y, &mut under, &drawn, &now)?;
        }
        Ok(())
    }

    fn take(&self, device: &FrameBuffer, part: Part) -> Result<(), Error> {
        let mut row = vec![0; self.row_bytes()];
        for y in 0..self.area.height {
            device.read_raw(&self.mode, self.area.x, self.area.y + y, &mut row)?;
            self.write(part, y, &row)?;
        }
        Ok(())
    }

    fn row_bytes(&self) -> usize {
        self.mode.format.row_bytes(self.area.width)
    }

    fn offset(&self, part: Part, y: u32) -> u64 {
        let rows = if part == Part::Drawn { u64::from(self.area.height) } else { 0 };
        HEAD_BYTES as u64 + (rows + u64::from(y)) * self.row_bytes() as u64
    }

    fn read(&self, part: Part, y: u32, row: &mut [u8]) -> Result<(), Error> {
        self.file.read_exact_at(row, self.offset(part, y)).map_err(failed)
    }

    fn write(&self, part: Part, y: u32, row: &[u8]) -> Result<(), Error> {
        self.file.write_all_at(row, self.offset(part, y)).map_err(failed)
    }
}

/// Which pixels these are, as [`restore`] must find them.
fn head(device: &Path, mode: &Mode, Rect { x, y, width, height }: Rect) -> Vec<u8> {
    let (format, layout) = (&mode.format, &mode.layout);
    let start = layout.offset_of(format, 0, 0);
    let pitch = layout.offset_of(format, 0, 1).saturating_sub(start);
    let (size, row) = (layout.size(), format.row_bytes(width));
    let (across, down, device) = (size.width, size.height, device.display());
    let words =
        format!("{x} {y} {width} {height} {across}x{down} {start} {pitch} {row} {device}\n");
    let mut head = words.into_bytes();
    head.resize(HEAD_BYTES, 0);
    head
}

/// The area and the device that a head names.
fn parse_head(head: &[u8]) -> Option<(Rect, PathBuf)> {
    let line = std::str::from_utf8(head).ok()?.split('\n').next()?;
    let mut words = line.splitn(9, ' ');
    let mut number = || words.next()?.parse::<u32>().ok();
    let area = Rect { x: number()?, y: number()?, width: number()?, height: number()? };
    Some((area, words.nth(4)?.into()))
}

fn failed(error: io::Error) -> Error {
    Error::io("keep what is under the panel", error)
}

/// A file that nobody else reads.
fn make(path: &Path, len: u64) -> io::Result<File> {
    std::fs::remove_file(path).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })?;
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?;
    file.set_len(len)?;
    Ok(file)
}

/// Puts back what a process left covered that died while its panel was shown above an
/// application, as far as the application has not drawn there since.
///
/// # Errors
/// When the frame buffer does not take it.
pub(crate) fn restore(record: &Path) -> Result<(), Error> {
    let Ok(file) = File::open(record) else { return Ok(()) };
    std::fs::remove_file(record).ok();
    let mut found = vec![0; HEAD_BYTES];
    // One that was never completed has no head.
    file.read_exact_at(&mut found, 0).map_err(failed)?;
    let Some((area, path)) = parse_head(&found) else { return Ok(()) };
    if !FrameBuffer::paths().contains(&path) {
        return Ok(());
    }
    let mut device = FrameBuffer::open(&path, Access::Draw)?;
    let mode = device.mode()?;
    let bytes = mode.format.row_bytes(area.width).saturating_mul(area.height as usize);
    let fits = mode.layout.size().rect().intersection(area) == Some(area);
    if !fits || bytes > MAX_SAVED_BYTES || head(&path, &mode, area) != found {
        // Another mode: whoever set it has drawn everything anew.
        return Ok(());
    }
    log::warn!("the panel was left on {}; putting back what is under it", path.display());
    let saved = Saved { area, mode, file, record: None };
    let outcome = saved.put_back_undisturbed(&mut device);
    device.flush();
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_makes_no_sense_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let record = folder.path().join("panel-covered");
        restore(&record).unwrap();
        for text in ["", "1 2 3", "a b c d 1x1 0 4 4 /dev/fb0\n", "0 0 1 1 1x1 0 4 4 /etc/passwd\n"]
        {
            let mut head = text.as_bytes().to_vec();
            head.resize(HEAD_BYTES, 0);
            std::fs::write(&record, head).unwrap();
            restore(&record).unwrap();
            assert!(!record.exists(), "{text:?}");
        }
        std::fs::write(&record, "short").unwrap();
        assert!(restore(&record).is_err());
    }

    #[test]
    fn a_head_tells_the_area_and_the_device() {
        let mut head = b"1 2 30 40 800x600 0 3200 120 /dev/fb1\n".to_vec();
        head.resize(HEAD_BYTES, 0);
        let area = Rect { x: 1, y: 2, width: 30, height: 40 };
        assert_eq!(parse_head(&head), Some((area, "/dev/fb1".into())));
    }
}
