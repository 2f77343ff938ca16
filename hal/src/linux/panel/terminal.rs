//! A virtual terminal of our own, in front while the panel is shown.
//!
//! Changing the terminal is the one way to make a compositor let go of the screen that all of
//! them understand. The terminal is in graphics mode, so that the kernel's console draws
//! nothing on it; as a side effect, nobody can change away from it by keys. No signals are asked for (`VT_PROCESS`): they would make every later change
//! of terminal wait for an answer from a process that may be gone.
//!
//! If the process dies while its terminal is in front, the kernel closes the terminal but
//! leaves it in front, with the last picture. So the numbers are written to a small file before
//! the change, and [`restore`] undoes it at the next start.
//!
//! # Source
//! `ioctl_console(2)`, `linux/vt.h`, `linux/kd.h`

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::libc;

use crate::Error;
use crate::linux::sys::{
    TerminalMode, activate_terminal, free_terminal, release_terminal, set_terminal_mode,
    terminal_mode, terminals,
};

/// Any terminal, for asking about all.
const CONTROL: &str = "/dev/tty0";

/// How long a change may take. Whoever holds the terminal in front may refuse for ever.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(2);

/// Terminals that are tried first: on the lower ones, systems start login prompts.
const PREFERRED: std::ops::RangeInclusive<u16> = 8..=14;

/// A terminal that is ours until it is dropped.
#[derive(Debug)]
pub(crate) struct OwnTerminal {
    control: File,
    own: Option<File>,
    number: u16,
    /// The one that was in front.
    previous: u16,
    record: PathBuf,
}

/// Whether the machine has virtual terminals at all.
pub(crate) fn exist() -> bool {
    Path::new(CONTROL).exists()
}

/// Who draws on the terminal in front.
///
/// # Errors
/// When there are no virtual terminals, or the process lacks the right.
pub(crate) fn front_mode() -> Result<TerminalMode, Error> {
    let control = open(CONTROL)?;
    terminal_mode(&control).map_err(|error| Error::io("ask who draws on the terminal", error))
}

fn open(path: &str) -> Result<File, Error> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NOCTTY)
        .open(path)
        .map_err(|error| Error::io(format!("open {path}"), error))
}

fn change(control: &File, number: u16) -> io::Result<()> {
    activate_terminal(control, number)?;
    let deadline = Instant::now() + CHANGE_TIMEOUT;
    while terminals(control)?.active != number {
        if Instant::now() >= deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

impl OwnTerminal {
    /// Takes a free terminal, without bringing it to the front.
    ///
    /// `record` is the file that [`restore`] reads; its directory must exist.
    ///
    /// # Errors
    /// When there are no virtual terminals, none is free, or the process lacks the right.
    pub(crate) fn take(record: &Path) -> Result<Self, Error> {
        let control = open(CONTROL)?;
        let failed = |error| Error::io("look for a free terminal", error);
        let state = terminals(&control).map_err(failed)?;
        let preferred =
            PREFERRED.into_iter().find(|&number| !state.is_open(number) && number != state.active);
        let number = match preferred {
            Some(number) => number,
            None => free_terminal(&control)
                .map_err(failed)?
                .ok_or_else(|| Error::Unsupported("no virtual terminal is free".to_owned()))?,
        };
        let own = open(&format!("/dev/tty{number}"))?;
        set_terminal_mode(&own, TerminalMode::Graphics)
            .map_err(|error| Error::io(format!("draw on terminal {number}"), error))?;
        let record = record.to_owned();
        Ok(Self { control, own: Some(own), number, previous: state.active, record })
    }

    /// Whether it is in front.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub(crate) fn is_active(&self) -> Result<bool, Error> {
        let state = terminals(&self.control)
            .map_err(|error| Error::io("ask for the terminal in front", error))?;
        Ok(state.active == self.number)
    }

    /// Brings it to the front.
    ///
    /// # Errors
    /// When whoever is in front does not make way within 2 s.
    pub(crate) fn activate(&mut self) -> Result<(), Error> {
        let doing = || format!("bring terminal {} to the front", self.number);
        let state = terminals(&self.control).map_err(|error| Error::io(doing(), error))?;
        if state.active == self.number {
            return Ok(());
        }
        self.previous = state.active;
        let numbers = format!("{} {}\n", self.number, self.previous);
        if let Err(error) = std::fs::write(&self.record, numbers) {
            log::warn!("{}: {error}; after a crash the panel would stay", self.record.display());
        }
        change(&self.control, self.number).map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => Error::Unsupported(format!(
                "the program on terminal {} does not make way",
                self.previous
            )),
            _ => Error::io(doing(), error),
        })
    }

    /// Brings back what was in front before, if the terminal still is, and frees it.
    ///
    /// # Errors
    /// When what was in front does not come back within 2 s.
    pub(crate) fn give_back(mut self) -> Result<(), Error> {
        self.release()
    }

    fn release(&mut self) -> Result<(), Error> {
        let Some(own) = self.own.take() else { return Ok(()) };
        let outcome = leave(&self.control, &own, self.number, self.previous);
        drop(own);
        // Refused while it is in front; then the outcome says so.
        release_terminal(&self.control, self.number).ok();
        std::fs::remove_file(&self.record).ok();
        outcome
    }
}

/// Changes from our terminal to another, if ours is in front.
///
/// The kernel changes away from a terminal in graphics mode only if its owner takes part, so
/// that ours becomes one of text first.
fn leave(control: &File, own: &File, from: u16, to: u16) -> Result<(), Error> {
    let outcome = set_terminal_mode(own, TerminalMode::Text)
        .and_then(|()| terminals(control))
        .and_then(|state| if state.active == from { change(control, to) } else { Ok(()) });
    outcome.map_err(|error| Error::io(format!("bring terminal {to} back to the front"), error))
}

impl Drop for OwnTerminal {
    fn drop(&mut self) {
        if let Err(error) = self.release() {
            log::warn!("{error}");
        }
    }
}

/// Undoes what a process left behind that died while its panel was shown.
///
/// # Errors
/// When the terminal cannot be changed back.
pub(crate) fn restore(record: &Path) -> Result<(), Error> {
    let Some((own, previous)) = read_record(record) else { return Ok(()) };
    let control = open(CONTROL)?;
    log::warn!("the panel was left on terminal {own}; bringing back terminal {previous}");
    let outcome = open(&format!("/dev/tty{own}"))
        .and_then(|terminal| leave(&control, &terminal, own, previous));
    release_terminal(&control, own).ok();
    std::fs::remove_file(record).ok();
    outcome
}

/// The panel's terminal, and the one before it.
fn read_record(record: &Path) -> Option<(u16, u16)> {
    let text = std::fs::read_to_string(record).ok()?;
    let (own, previous) = text.trim().split_once(' ')?;
    let number = |text: &str| text.parse().ok().filter(|number| (1..=63).contains(number));
    Some((number(own)?, number(previous)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_makes_no_sense_is_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let record = directory.path().join("terminal");
        assert_eq!(read_record(&record), None);
        for text in ["", "8", "8 x", "0 1", "8 64", "8 1 1", "-8 1"] {
            std::fs::write(&record, text).unwrap();
            assert_eq!(read_record(&record), None, "{text:?}");
        }
        std::fs::write(&record, "8 1\n").unwrap();
        assert_eq!(read_record(&record), Some((8, 1)));
    }
}
