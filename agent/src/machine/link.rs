//! The agent's other processes, as the machine process sees them.

use std::io::{self, Read as _, Write as _};
use std::marker::PhantomData;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};

use nix::unistd::Uid;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ipc::{self, FromPrograms, Message, Reader, ToMachine};
use crate::local_socket::ensure_peer;

/// Bytes that wait for another process at most; more, and it is taken for dead.
const MAX_WAITING: usize = 2 * ipc::MAX_PICTURE;

/// Room that is kept for the next message, in bytes.
const KEPT: usize = 64 << 10;

/// Bytes that are read at once.
const CHUNK: usize = 4096;

/// The network process.
pub(super) type NetworkLink = ProcessLink<ToMachine>;

/// The process that starts programs.
pub(super) type ProgramsLink = ProcessLink<FromPrograms>;

/// Lets another process connect, one at a time, talks to it, and notices when it is gone.
#[derive(Debug)]
pub(super) struct ProcessLink<T> {
    name: &'static str,
    listener: UnixListener,
    /// Whose process it must be.
    user: Uid,
    running: Option<Running>,
    /// It is gone, and nobody has been told yet.
    is_lost: bool,
    /// Somebody may wait outside.
    is_knocked: bool,
    says: PhantomData<T>,
}

#[derive(Debug)]
struct Running {
    socket: UnixStream,
    reader: Reader,
    waiting: Vec<u8>,
    written: usize,
}

impl<T: DeserializeOwned> ProcessLink<T> {
    /// A link that waits for a process of `user` at a listening, non-blocking socket.
    pub(super) fn new(name: &'static str, listener: UnixListener, user: Uid) -> Self {
        Self {
            name,
            listener,
            user,
            running: None,
            is_lost: false,
            is_knocked: true,
            says: PhantomData,
        }
    }

    /// Whether the process has gone since this was asked last. Reading and writing find that out
    /// alike, so it is to be asked after either.
    pub(super) fn take_lost(&mut self) -> bool {
        std::mem::take(&mut self.is_lost)
    }

    /// As if it had died.
    #[cfg(test)]
    pub(super) fn pretend_lost(&mut self) {
        self.is_lost = true;
    }

    /// Its socket can be read while no process is there.
    pub(super) fn knock(&mut self) {
        self.is_knocked = true;
    }

    /// Takes the process in that has connected, if there is none; whether it did. While one is
    /// there, others wait outside.
    pub(super) fn accept(&mut self) -> bool {
        if self.running.is_some() || !std::mem::take(&mut self.is_knocked) {
            return false;
        }
        let socket = match self.listener.accept() {
            Ok((socket, _)) => socket,
            Err(error) => {
                if error.kind() != io::ErrorKind::WouldBlock {
                    log::warn!("{} process: {error}", self.name);
                }
                return false;
            }
        };
        if let Err(error) = ensure_peer(&socket, self.user) {
            log::warn!("somebody else wants to be the {} process: {error}", self.name);
            return false;
        }
        if let Err(error) = socket.set_nonblocking(true) {
            log::warn!("{} process: {error}", self.name);
            return false;
        }
        log::info!("the {} process is there", self.name);
        let reader = Reader::without_pictures();
        self.running = Some(Running { socket, reader, waiting: Vec::new(), written: 0 });
        true
    }

    /// Whether one is there.
    pub(super) fn is_up(&self) -> bool {
        self.running.is_some()
    }

    /// The socket to wait on, and whether something waits to be written.
    pub(super) fn socket(&self) -> (BorrowedFd<'_>, bool) {
        match &self.running {
            Some(running) => (running.socket.as_fd(), !running.waiting.is_empty()),
            None => (self.listener.as_fd(), false),
        }
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
    pub(super) fn receive(&mut self) -> Vec<T> {
        let Some(running) = &mut self.running else { return Vec::new() };
        running.receive().unwrap_or_else(|error| {
            self.lost(&error.to_string());
            Vec::new()
        })
    }

    fn lost(&mut self, why: &str) {
        if self.running.take().is_some() {
            (self.is_lost, self.is_knocked) = (true, true);
            log::warn!("{} process: {why}", self.name);
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
        // What updates mostly need is kept, so that nothing is allocated for each.
        self.waiting.clear();
        self.waiting.shrink_to(KEPT);
        self.written = 0;
        Ok(())
    }

    fn receive<T: DeserializeOwned>(&mut self) -> io::Result<Vec<T>> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::ToNetwork;
    use crate::local_socket::LocalAddress;
    use nix::unistd::getuid;

    fn link(user: Uid) -> (NetworkLink, LocalAddress) {
        let address = LocalAddress::random();
        (NetworkLink::new("network", address.listen().unwrap(), user), address)
    }

    #[test]
    fn a_death_that_is_found_by_writing_is_told_once() {
        let (mut link, address) = link(getuid());
        assert!(!link.accept());
        let network = address.connect().unwrap();
        assert!(!link.accept(), "nobody looks before the socket can be read");
        link.knock();
        assert!(link.accept() && !link.take_lost());
        drop(network);
        link.send(&ToNetwork::Cancel);
        assert!(link.take_lost() && !link.take_lost() && !link.is_up());
    }

    #[test]
    fn only_one_is_let_in_and_the_next_one_after_it() {
        let (mut link, address) = link(getuid());
        let first = address.connect().unwrap();
        let _second = address.connect().unwrap();
        assert!(link.accept() && !link.accept());
        drop(first);
        assert!(link.receive().is_empty());
        assert!(link.take_lost());
        assert!(link.accept());
    }

    #[test]
    fn a_process_of_another_user_is_not_let_in() {
        if !getuid().is_root() {
            return;
        }
        let (mut link, address) = link(Uid::from_raw(65_534));
        let _root = address.connect().unwrap();
        assert!(!link.accept() && !link.is_up());
    }
}
