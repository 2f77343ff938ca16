//! A pseudo-terminal (pty(7)) with a program in it, and what is on its way to and from it.
//!
//! Nothing grows: output is read only as far as the other side has taken what came before, and at
//! a rate that leaves room for pictures; what is typed is held back when the program does not
//! read, and whoever types more than the window is not heard.

use std::collections::VecDeque;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lotse_hal::linux::pseudo_terminal::set_window_size;
use lotse_protocol::message::{
    FromTerminal, MAX_TERMINAL_BYTES, TERMINAL_WINDOW, TerminalBytes, TerminalEnd, TerminalSize,
};
use nix::fcntl::OFlag;
use nix::poll::PollFlags;
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::unistd::Pid;

use crate::config::ShellConfig;

/// Bytes of output in a second at most: a screen full ten times over, and no more of a narrow link
/// than pictures can spare.
const OUTPUT_PER_SECOND: f64 = 96.0 * 1024.0;

/// Bytes of output that may come at once.
const OUTPUT_AT_ONCE: f64 = 8.0 * 1024.0;

/// What the program wrote before it ended is still taken for so long.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The largest and smallest terminal, in characters on a side.
const SIDES: std::ops::RangeInclusive<u16> = 2..=1000;

/// A terminal with a program in it.
pub(super) struct Terminal {
    master: PtyMaster,
    child: Pid,
    /// Bytes that were typed and that the program has not read.
    typed: VecDeque<u8>,
    /// Bytes of output that were sent and not taken.
    untaken: u32,
    /// Bytes of output that may be read now, and when that was so.
    budget: (f64, Instant),
    /// How the program ended, and until when its last words are taken.
    ended: Option<(TerminalEnd, Instant)>,
    /// Bytes that were typed and read, to be told.
    read: u32,
}

fn failed(errno: nix::Error) -> io::Error {
    errno.into()
}

impl Terminal {
    /// Opens one and starts the program.
    ///
    /// # Errors
    /// When there is no terminal, or this program cannot be started anew.
    pub(super) fn open(shell: &ShellConfig, size: TerminalSize, now: Instant) -> io::Result<Self> {
        let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
        let master = posix_openpt(flags).map_err(failed)?;
        grantpt(&master).map_err(failed)?;
        unlockpt(&master).map_err(failed)?;
        resize(&master, size);
        let slave = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(OFlag::O_NOCTTY.bits())
            .open(ptsname_r(&master).map_err(failed)?)?;
        let settings = serde_json::to_string(shell).map_err(io::Error::other)?;
        let child = Command::new("/proc/self/exe")
            .args(["shell", &settings])
            .stdin(Stdio::from(slave.try_clone()?))
            .stdout(Stdio::from(slave.try_clone()?))
            .stderr(Stdio::from(slave))
            .spawn()?;
        let child = i32::try_from(child.id()).map_err(io::Error::other)?;
        Ok(Self {
            master,
            child: Pid::from_raw(child),
            typed: VecDeque::new(),
            untaken: 0,
            budget: (OUTPUT_AT_ONCE, now),
            ended: None,
            read: 0,
        })
    }

    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.master.as_fd()
    }

    /// What to wait for.
    pub(super) fn wants(&self, now: Instant) -> PollFlags {
        let mut wanted = PollFlags::empty();
        wanted.set(PollFlags::POLLIN, self.room(now) > 0 && self.ended.is_none());
        wanted.set(PollFlags::POLLOUT, !self.typed.is_empty());
        wanted
    }

    /// When [`Terminal::step`] is due although nothing happens.
    pub(super) fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        let waits = self.untaken < TERMINAL_WINDOW && self.room(now) == 0;
        let refill = Duration::from_secs_f64(MAX_TERMINAL_BYTES as f64 / OUTPUT_PER_SECOND);
        let refilled = waits.then(|| now + refill);
        refilled.into_iter().chain(self.ended.map(|(_, until)| until)).min()
    }

    /// How many bytes of output may be read now.
    fn room(&self, now: Instant) -> usize {
        let (left, at) = self.budget;
        let passed = now.saturating_duration_since(at).as_secs_f64();
        let left = (left + passed * OUTPUT_PER_SECOND).min(OUTPUT_AT_ONCE);
        // Not byte by byte: a piece of some size or nothing.
        let by_rate = if left >= MAX_TERMINAL_BYTES as f64 { MAX_TERMINAL_BYTES } else { 0 };
        let by_window = TERMINAL_WINDOW.saturating_sub(self.untaken);
        by_rate.min(usize::try_from(by_window).unwrap_or(0))
    }

    fn spend(&mut self, count: usize, now: Instant) {
        let (left, at) = self.budget;
        let passed = now.saturating_duration_since(at).as_secs_f64();
        let left = (left + passed * OUTPUT_PER_SECOND).min(OUTPUT_AT_ONCE);
        self.budget = (left - count as f64, now);
        // A piece is no longer than its bound.
        self.untaken = self.untaken.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
    }

    /// Something was typed. What is beyond the window is dropped: nobody who keeps to it types so
    /// much.
    pub(super) fn typed(&mut self, bytes: &[u8]) {
        let room = usize::try_from(TERMINAL_WINDOW).unwrap_or(0).saturating_sub(self.typed.len());
        if bytes.len() > room {
            log::warn!("more was typed into the terminal than it takes");
        }
        self.typed.extend(bytes.iter().take(room));
    }

    /// So many more bytes of output were taken.
    pub(super) fn taken(&mut self, count: u32) {
        self.untaken = self.untaken.saturating_sub(count);
    }

    pub(super) fn resize(&self, size: TerminalSize) {
        resize(&self.master, size);
    }

    /// A child of this process has ended.
    pub(super) fn child_ended(&mut self, child: Pid, end: TerminalEnd, now: Instant) {
        if child == self.child {
            self.ended.get_or_insert((end, now + LAST_WORDS));
        }
    }

    /// Does what can be done without waiting; call until it is `None`.
    pub(super) fn step(&mut self, now: Instant) -> Option<FromTerminal> {
        self.feed();
        if self.read > 0 {
            return Some(FromTerminal::Taken(std::mem::take(&mut self.read)));
        }
        let room = self.room(now);
        let mut bytes = [0; MAX_TERMINAL_BYTES];
        let read = match bytes.get_mut(..room) {
            Some(place) if !place.is_empty() => self.master.read(place),
            _ => Err(io::ErrorKind::WouldBlock.into()),
        };
        match read {
            Ok(count) if count > 0 => {
                self.spend(count, now);
                let written = bytes.get(..count).unwrap_or_default();
                return Some(FromTerminal::Output(TerminalBytes::of(written)));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return None,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let (end, until) = self.ended?;
                // Nothing is left, or nobody takes it; others may still hold the terminal.
                return (room > 0 || now >= until).then_some(FromTerminal::Ended(end));
            }
            // The kernel says so when nobody has the terminal any more (EIO).
            Ok(_) | Err(_) => {}
        }
        let (end, _) = self.ended?;
        Some(FromTerminal::Ended(end))
    }

    /// Gives the program what was typed, as far as it reads.
    fn feed(&mut self) {
        while !self.typed.is_empty() {
            let (first, _) = self.typed.as_slices();
            match self.master.write(first) {
                Ok(count) if count > 0 => {
                    self.typed.drain(..count);
                    self.read = self.read.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Ok(_) | Err(_) => {
                    self.typed.clear();
                    return;
                }
            }
        }
    }
}

fn resize(master: &PtyMaster, size: TerminalSize) {
    let side = |side: u16| side.clamp(*SIDES.start(), *SIDES.end());
    if let Err(error) = set_window_size(master, side(size.columns), side(size.rows)) {
        log::warn!("the terminal's size: {error}");
    }
}
