//! A plain file as a screen, written in place by whoever wants to show something.
//!
//! The file holds `height × width` pixels of four bytes, blue, green, red, and one that is not
//! looked at, row by row from the top without padding. It may be longer. Programs that draw
//! without any display (tests, signage players, emulators) are captured in this way.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::pixel_format::PixelFormat;
use super::rows::{BandReader, Layout};
use crate::{Band, Change, Error, Orientation, Rows, Screen, ScreenInfo, ScreenState, Size};

/// A file of pixels, as a [`Screen`].
#[derive(Debug)]
pub struct FileScreen {
    file: File,
    path: PathBuf,
    layout: Layout,
    mounting: Orientation,
    reader: BandReader,
}

impl FileScreen {
    /// Watches a file that holds a picture of the given size, which must be turned by `mounting`
    /// to be upright.
    ///
    /// # Errors
    /// When it cannot be opened or is too short, or the size is not plausible.
    pub fn open(path: &Path, size: Size, mounting: Orientation) -> Result<Self, Error> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| Error::io(format!("open {name}"), error))?;
        let len =
            file.metadata().map_err(|error| Error::io(format!("look at {name}"), error))?.len();
        let pitch = size.width.saturating_mul(4);
        let bytes = u64::from(pitch) * u64::from(size.height);
        if len < bytes {
            let problem = format!("{len} bytes are too few for {}x{}", size.width, size.height);
            return Err(Error::Broken { device: name, problem });
        }
        let layout = Layout::new(&PixelFormat::Bgrx, size, 0, pitch, bytes).ok_or_else(|| {
            Error::Broken { device: name, problem: format!("{size:?} is not believed") }
        })?;
        let (path, reader) = (path.to_owned(), BandReader::default());
        Ok(Self { file, path, layout, mounting, reader })
    }
}

impl Screen for FileScreen {
    fn info(&self) -> ScreenInfo {
        ScreenInfo {
            source: "file".to_owned(),
            name: self.path.display().to_string(),
            size: self.mounting.size(self.layout.size()),
            mounting: self.mounting,
            millimetres: None,
            covered: Vec::new(),
        }
    }

    fn poll(&mut self) -> Result<ScreenState, Error> {
        let gone = || Error::Gone(self.path.display().to_string());
        let named = std::fs::metadata(&self.path).map_err(|_| gone())?;
        let opened = self.file.metadata().map_err(|_| gone())?;
        if (named.dev(), named.ino()) != (opened.dev(), opened.ino()) {
            return Err(gone());
        }
        // The time of change does not tell: who draws through a mapping moves it with the first
        // stroke after the page was written back, and on a tmpfs never again.
        let size = self.mounting.size(self.layout.size());
        Ok(ScreenState::Shown { size, change: Change::Maybe })
    }

    fn glance(
        &mut self,
        rows: &mut dyn Iterator<Item = u32>,
        visit: &mut dyn FnMut(u32, &[u8]),
    ) -> Result<bool, Error> {
        let stored = (&self.layout, &PixelFormat::Bgrx);
        self.reader
            .glance(&self.file, stored, self.mounting, rows, visit)
            .map_err(|error| Error::io(format!("read {}", self.path.display()), error))
    }

    fn read_part(&mut self, rows: Rows, visit: &mut dyn FnMut(Band<'_>)) -> Result<bool, Error> {
        let stored = (&self.layout, &PixelFormat::Bgrx);
        self.reader
            .read(&self.file, stored, self.mounting, rows, visit)
            .map_err(|error| Error::io(format!("read {}", self.path.display()), error))?;
        Ok(true)
    }

    fn read(&mut self, visit: &mut dyn FnMut(Band<'_>)) -> Result<(), Error> {
        self.read_part(Rows::ALL, visit).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;
    use crate::ErrorKind;

    const SIZE: Size = Size::new(100, 130);

    #[test]
    fn behaves_as_every_screen_must() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(100 * 130 * 4).unwrap();
        let mut screen = FileScreen::open(file.path(), SIZE, Orientation::UPRIGHT).unwrap();
        crate::conformance::screen(&mut screen);
        let mut draw = |picture: &[u8]| file.as_file().write_all_at(picture, 0).unwrap();
        crate::conformance::screen_shows(&mut screen, SIZE, &mut draw);
    }

    #[test]
    fn a_file_that_is_too_short_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(100 * 130 * 4 - 1).unwrap();
        let error = FileScreen::open(file.path(), SIZE, Orientation::UPRIGHT).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Broken);
        let huge = FileScreen::open(file.path(), Size::new(0, u32::MAX), Orientation::UPRIGHT)
            .unwrap_err();
        assert_eq!(huge.kind(), ErrorKind::Broken);
    }

    #[test]
    fn a_file_that_was_replaced_or_cut_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("picture");
        std::fs::write(&path, vec![0; 100 * 130 * 4]).unwrap();
        let mut screen = FileScreen::open(&path, SIZE, Orientation::UPRIGHT).unwrap();
        std::fs::rename(&path, directory.path().join("old")).unwrap();
        assert_eq!(screen.poll().unwrap_err().kind(), ErrorKind::Gone);
        std::fs::write(&path, vec![0; 100 * 130 * 4]).unwrap();
        assert_eq!(screen.poll().unwrap_err().kind(), ErrorKind::Gone);
        let mut screen = FileScreen::open(&path, SIZE, Orientation::UPRIGHT).unwrap();
        File::options().write(true).open(&path).unwrap().set_len(100).unwrap();
        assert!(screen.read(&mut |_| {}).is_err());
    }
}
