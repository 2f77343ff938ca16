//! Waiting for whatever happens first.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use anyhow::Context as _;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// What has happened.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ready {
    /// The process is told to stop.
    pub(super) stop: bool,
    /// The network process has said something, is gone, or wants to be let in.
    pub(super) network_readable: bool,
    /// The network process takes something.
    pub(super) network_writable: bool,
    /// The same of the process that starts programs.
    pub(super) programs_readable: bool,
    /// The same of the process that starts programs.
    pub(super) programs_writable: bool,
    /// The owner of the screen tells of something.
    pub(super) screen: bool,
    /// The person at the machine did something.
    pub(super) local: bool,
}

/// Waits for descriptors and for SIGTERM or SIGINT.
#[derive(Debug)]
pub(super) struct Waiter {
    signals: SignalFd,
}

impl Waiter {
    /// From here on the two signals no longer end the process.
    ///
    /// # Errors
    /// When the kernel gives no descriptor for them.
    pub(super) fn new() -> anyhow::Result<Self> {
        let mut set = SigSet::empty();
        set.add(Signal::SIGTERM);
        set.add(Signal::SIGINT);
        set.thread_block().context("block signals")?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        Ok(Self { signals: SignalFd::with_flags(&set, flags).context("signalfd")? })
    }

    /// Waits at most `time`.
    ///
    /// # Errors
    /// When the kernel cannot wait on these descriptors.
    pub(super) fn wait(
        &self,
        network: (BorrowedFd<'_>, bool),
        programs: (BorrowedFd<'_>, bool),
        screen: Option<BorrowedFd<'_>>,
        local: &[BorrowedFd<'_>],
        time: Duration,
    ) -> anyhow::Result<Ready> {
        let mut polled = vec![PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        for (socket, has_output) in [network, programs] {
            let output = if has_output { PollFlags::POLLOUT } else { PollFlags::empty() };
            polled.push(PollFd::new(socket, PollFlags::POLLIN | output));
        }
        polled.extend(screen.map(|fd| PollFd::new(fd, PollFlags::POLLIN)));
        let first_local = polled.len();
        polled.extend(local.iter().map(|fd| PollFd::new(*fd, PollFlags::POLLIN)));
        // Rounded up, so that nothing is due a moment after waking.
        let time =
            PollTimeout::try_from(time.as_micros().div_ceil(1000)).unwrap_or(PollTimeout::MAX);
        match poll(&mut polled, time) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error).context("wait for what happens"),
        }
        let mut ready = Ready::default();
        for (index, fd) in polled.iter().enumerate() {
            let events = fd.revents().unwrap_or(PollFlags::empty());
            if events.is_empty() {
                continue;
            }
            if index == 0 {
                ready.stop = true;
            } else if index >= first_local {
                ready.local = true;
            } else {
                // An end or an error is found by reading.
                let (writable, readable) =
                    (events.contains(PollFlags::POLLOUT), events != PollFlags::POLLOUT);
                match index {
                    3 => ready.screen = true,
                    1 => (ready.network_writable, ready.network_readable) = (writable, readable),
                    _ => (ready.programs_writable, ready.programs_readable) = (writable, readable),
                }
            }
        }
        Ok(ready)
    }
}
