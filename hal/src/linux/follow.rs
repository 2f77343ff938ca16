//! A screen that is looked for again when it goes away.
//!
//! Drivers replace each other while a machine starts, monitors are unplugged, compositors start
//! on another card. Whoever reads a [`FollowingScreen`] sees it go off and come back.

use std::os::fd::BorrowedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use super::choose::{self, ScreenChoice, choose};
use super::mounting::Mounting;
use crate::{Band, Cursor, Error, ErrorKind, Output, Rows, Screen, ScreenInfo, ScreenState};

/// How long a screen may be off before another is looked for, and how often that is repeated.
const OFF_BEFORE_SEARCH: Duration = Duration::from_secs(2);

/// The screen that a choice means at any time.
pub struct FollowingScreen {
    /// What is read; another than was meant if a technician asked for that.
    choice: ScreenChoice,
    meant: ScreenChoice,
    mounting: Mounting,
    current: Box<dyn Screen>,
    off_since: Option<Instant>,
    /// It cannot be read any more: another owner stores it otherwise.
    is_unreadable: bool,
}

impl std::fmt::Debug for FollowingScreen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FollowingScreen")
            .field("choice", &self.choice)
            .field("current", &self.current.info())
            .finish_non_exhaustive()
    }
}

impl FollowingScreen {
    /// Opens the screen that is meant now, and keeps `mounting` to what that says.
    ///
    /// # Errors
    /// As [`choose()`].
    pub fn open(choice: ScreenChoice, mounting: Mounting) -> Result<Self, Error> {
        let chosen = choose(&choice, &mounting)?;
        for rejected in &chosen.rejected {
            log::debug!("not reading {}: {}", rejected.name, rejected.reason);
        }
        mounting.set(chosen.screen.info().mounting);
        Ok(Self {
            meant: choice.clone(),
            choice,
            mounting,
            current: chosen.screen,
            off_since: None,
            is_unreadable: false,
        })
    }

    /// Reads another screen from now on, if that one can be read; else all stays as it was.
    ///
    /// # Errors
    /// As [`choose()`].
    pub fn switch(&mut self, choice: ScreenChoice) -> Result<(), Error> {
        let chosen = choose(&choice, &self.mounting)?;
        self.mounting.set(chosen.screen.info().mounting);
        self.choice = choice;
        self.current = chosen.screen;
        self.off_since = None;
        self.is_unreadable = false;
        Ok(())
    }

    fn search(&mut self) -> Result<ScreenState, Error> {
        self.off_since = Some(Instant::now());
        let mut screen = choose(&self.choice, &self.mounting)?.screen;
        let state = screen.poll()?;
        if state != ScreenState::Off {
            let (before, after) = (self.current.info(), screen.info());
            log::info!("reading {} {} after {}", after.source, after.name, before.name);
            self.mounting.set(after.mounting);
            self.current = screen;
            self.off_since = None;
        }
        Ok(state)
    }
}

impl Screen for FollowingScreen {
    fn info(&self) -> ScreenInfo {
        self.current.info()
    }

    fn outputs(&mut self) -> Vec<Output> {
        let info = self.current.info();
        let is_read = |choice: &ScreenChoice| match choice {
            ScreenChoice::Drm { connector } => connector.as_ref() == Some(&info.name),
            ScreenChoice::Fbdev { path } => {
                path.as_ref().is_some_and(|path| *path == Path::new(&info.name))
            }
            ScreenChoice::X11 { display } => {
                display.is_some_and(|display| info.name == format!(":{display}"))
            }
            _ => false,
        };
        choose::outputs()
            .into_iter()
            .map(|output| (is_read(&output.choice), output))
            .filter(|(is_read, output)| *is_read || output.is_live)
            .map(|(is_read, output)| Output { name: output.choice.to_string(), is_read })
            .collect()
    }

    fn switch_to(&mut self, name: Option<&str>) -> Result<(), Error> {
        let Some(name) = name else {
            let meant = self.meant.clone();
            return if self.choice == meant { Ok(()) } else { self.switch(meant) };
        };
        let known = self.outputs().into_iter().find(|output| output.name == name);
        let choice = known.and_then(|output| output.name.parse().ok());
        match choice {
            Some(choice) => self.switch(choice),
            None => Err(Error::Unsupported(format!("there is no screen {name:?}"))),
        }
    }

    fn wake(&mut self) {
        self.current.wake();
    }

    fn poll(&mut self) -> Result<ScreenState, Error> {
        if std::mem::take(&mut self.is_unreadable) {
            log::info!("looking for a way to read the screen again");
            return self.search();
        }
        let state = match self.current.poll() {
            Ok(state) => state,
            Err(error) if error.kind() == ErrorKind::Gone => {
                let searched = self.off_since.is_some_and(|at| at.elapsed() < OFF_BEFORE_SEARCH);
                if searched {
                    return Ok(ScreenState::Off);
                }
                log::info!("looking for the screen again: {error}");
                return self.search();
            }
            Err(error) => return Err(error),
        };
        if state != ScreenState::Off {
            self.off_since = None;
            return Ok(state);
        }
        if self.off_since.get_or_insert_with(Instant::now).elapsed() < OFF_BEFORE_SEARCH {
            return Ok(state);
        }
        // What is off may be all there is.
        Ok(self.search().unwrap_or(ScreenState::Off))
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.current.descriptor()
    }

    fn cursor(&mut self) -> Result<Option<Cursor>, Error> {
        self.current.cursor()
    }

    fn glance(
        &mut self,
        rows: &mut dyn Iterator<Item = u32>,
        visit: &mut dyn FnMut(u32, &[u8]),
    ) -> Result<bool, Error> {
        self.current.glance(rows, visit)
    }

    fn read_part(&mut self, rows: Rows, visit: &mut dyn FnMut(Band<'_>)) -> Result<bool, Error> {
        self.current.read_part(rows, visit)
    }

    fn read(&mut self, visit: &mut dyn FnMut(Band<'_>)) -> Result<(), Error> {
        let outcome = self.current.read(visit);
        self.is_unreadable =
            outcome.as_ref().is_err_and(|error| error.kind() == ErrorKind::Unsupported);
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;
    use crate::{Change, Size};

    #[test]
    fn another_screen_is_read_after_a_switch_and_the_old_one_if_that_fails() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, size: Size, level: u8| {
            let path = directory.path().join(name);
            std::fs::write(&path, vec![level; (size.width * size.height * 4) as usize]).unwrap();
            ScreenChoice::File { path, size }
        };
        let (small, large) = (Size::new(20, 10), Size::new(30, 70));
        let first = file("first", small, 1);
        let mut screen = FollowingScreen::open(first, Mounting::default()).unwrap();
        screen.switch(file("second", large, 2)).unwrap();
        let picture = conformance::Picture::read(&mut screen).unwrap();
        assert_eq!((picture.size, picture.pixels[0]), (large, 2));
        assert!(screen.switch_to(Some("drm:HDMI-A-9")).is_err());
        screen.switch_to(None).unwrap();
        assert_eq!(conformance::Picture::read(&mut screen).unwrap().size, small);
        screen.switch(file("second", large, 2)).unwrap();
        let missing = ScreenChoice::File { path: directory.path().join("none"), size: small };
        assert_eq!(screen.switch(missing).unwrap_err().kind(), ErrorKind::Gone);
        assert_eq!(conformance::Picture::read(&mut screen).unwrap().size, large);
    }

    #[test]
    fn a_screen_that_was_replaced_is_found_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("screen");
        let size = Size::new(20, 70);
        std::fs::write(&path, vec![1; 20 * 70 * 4]).unwrap();
        let choice = ScreenChoice::File { path: path.clone(), size };
        let mut screen = FollowingScreen::open(choice, Mounting::default()).unwrap();
        conformance::screen(&mut screen);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(screen.poll().unwrap_err().kind(), ErrorKind::Gone);
        std::fs::write(&path, vec![2; 20 * 70 * 4]).unwrap();
        screen.off_since = None;
        assert!(matches!(screen.poll(), Ok(ScreenState::Shown { change: Change::Maybe, .. })));
        let picture = conformance::Picture::read(&mut screen).unwrap();
        assert_eq!(picture.pixels[..4], [2, 2, 2, 0xff]);
    }
}
