//! The network process, as the machine process sees it.

use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde::Serialize;

use crate::ipc::{self, Message, Reader, ToMachine};

/// Bytes that wait for the network process at most; more, and it is taken for dead.
const MAX_WAITING: usize = 2 * ipc::MAX_PICTURE;

/// A network process that dies is started again after this time.
const RESTART: Duration = Duration::from_secs(2);

/// Bytes that are read at once.
const CHUNK: usize = 4096;

/// Starts the network process, talks to it, and starts it again when it dies.
#[derive(Debug)]
pub(super) struct NetworkChild {
    arguments: Vec<String>,
    running: Option<Running>,
    restart_at: Instant,
    /// It died, and nobody has been told yet.
    is_lost: bool,
}

#[derive(Debug)]
struct Running {
    child: Child,
    socket: UnixStream,
    reader: Reader,
    waiting: Vec<u8>,
    written: usize,
}

impl NetworkChild {
    /// A child that is started with these arguments at the next [`NetworkChild::keep_alive`].
    pub(super) fn new(arguments: Vec<String>, now: Instant) -> Self {
        Self { arguments, running: None, restart_at: now, is_lost: false }
    }

    /// Whether it has died since this was asked last. Reading and writing find that out alike, so
    /// it is to be asked after either.
    pub(super) fn take_lost(&mut self) -> bool {
        std::mem::take(&mut self.is_lost)
    }

    /// As if it had died.
    #[cfg(test)]
    pub(super) fn pretend_lost(&mut self) {
        self.is_lost = true;
    }

    /// When [`NetworkChild::keep_alive`] is due.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.running.is_none().then_some(self.restart_at)
    }

    /// Starts the process if it does not run and it is time; whether it was started just now.
    pub(super) fn keep_alive(&mut self, now: Instant) -> bool {
        if self.running.is_some() || now < self.restart_at {
            return false;
        }
        self.restart_at = now + RESTART;
        match self.start() {
            Ok(running) => {
                log::info!("network process {} started", running.child.id());
                self.running = Some(running);
                true
            }
            Err(error) => {
                log::error!("{error:#}");
                false
            }
        }
    }

    fn start(&self) -> anyhow::Result<Running> {
        let (ours, theirs) = UnixStream::pair().context("make a pair of sockets")?;
        ours.set_nonblocking(true).context("make a socket non-blocking")?;
        let child = Command::new("/proc/self/exe")
            .arg0("lotse-agent-network")
            .args(&self.arguments)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .spawn()
            .context("start the network process")?;
        let reader = Reader::without_pictures();
        Ok(Running { child, socket: ours, reader, waiting: Vec::new(), written: 0 })
    }

    /// The socket to wait on, and whether something waits to be written.
    pub(super) fn socket(&self) -> Option<(BorrowedFd<'_>, bool)> {
        self.running.as_ref().map(|running| (running.socket.as_fd(), !running.waiting.is_empty()))
    }

    /// Sends a message.
    pub(super) fn send(&mut self, message: &impl Serialize) {
        if let Some(running) = &mut self.running {
            ipc::encode(message, &mut running.waiting);
        }
        self.flush();
    }

    /// Sends an update of the picture.
    pub(super) fn send_picture(&mut self, update: &[u8]) {
        if let Some(running) = &mut self.running {
            ipc::encode_picture(update, &mut running.waiting);
        }
        self.flush();
    }

    /// Writes what waits, as far as the socket takes it.
    pub(super) fn flush(&mut self) {
        let Some(running) = &mut self.running else { return };
        if let Err(error) = running.flush() {
            self.lost(&format!("cannot be written to: {error}"));
        }
    }

    /// Reads what has come; nothing if the process is gone.
    pub(super) fn receive(&mut self) -> Vec<ToMachine> {
        let Some(running) = &mut self.running else { return Vec::new() };
        running.receive().unwrap_or_else(|error| {
            self.lost(&error.to_string());
            Vec::new()
        })
    }

    fn lost(&mut self, why: &str) {
        if let Some(mut running) = self.running.take() {
            self.is_lost = true;
            running.child.kill().ok();
            let status = running.child.wait();
            log::warn!(
                "network process: {why}; {}",
                status.map_or_else(|e| e.to_string(), |s| s.to_string())
            );
        }
    }
}

impl Running {
    fn flush(&mut self) -> io::Result<()> {
        while let Some(rest) = self.waiting.get(self.written..).filter(|rest| !rest.is_empty()) {
            match self.socket.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => self.written += n,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return if self.waiting.len() > MAX_WAITING {
                        Err(io::Error::other("it takes nothing any more"))
                    } else {
                        Ok(())
                    };
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.waiting = Vec::new();
        self.written = 0;
        Ok(())
    }

    fn receive(&mut self) -> io::Result<Vec<ToMachine>> {
        let mut messages = Vec::new();
        let mut chunk = [0; CHUNK];
        match self.socket.read(&mut chunk) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => self.reader.push(chunk.get(..n).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(messages),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(messages),
            Err(error) => return Err(error),
        }
        while let Some(message) = self.reader.take().map_err(io::Error::other)? {
            if let Message::Typed(message) = message {
                messages.push(message);
            }
        }
        Ok(messages)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It ends by itself when its socket closes; this is for one that hangs.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::ToNetwork;

    #[test]
    fn a_death_that_is_found_by_writing_is_told_once() {
        let start = Instant::now();
        // This test program, which lists its tests and ends.
        let mut child = NetworkChild::new(vec!["--list".to_owned()], start);
        assert!(child.keep_alive(start) && !child.take_lost());
        while child.socket().is_some() {
            assert!(start.elapsed() < Duration::from_secs(30), "it does not end");
            child.send(&ToNetwork::Cancel);
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(child.take_lost());
        assert!(!child.take_lost());
    }
}
