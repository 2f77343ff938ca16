//! The connection to a Wayland compositor, which never waits for long.
//!
//! Only the few objects are made that reading a screen and showing a panel need, so that
//! requests are written where they are used, by their numbers in [`super::interfaces`]. No
//! descriptor is ever received: none of these objects sends one.

use std::io::{self, IoSlice, Read as _};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};

use super::interfaces::{callback, display};
use super::wire::{Event, Id, Request};
use crate::Error;
use crate::linux::peer;

/// How long a compositor may take to answer; one that hangs must not stop the panel for longer.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// Bytes that are received at once.
const CHUNK: usize = 4096;

/// Numbers of objects that may be in use, and kept for use again.
const MAX_OBJECTS: u32 = 4096;

/// Whom a socket's owner is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// Found by us: whoever has the screen.
    Screen,
    /// Named by an operator: whoever owns its folder.
    Folder,
}

/// A connection to a compositor of this machine.
#[derive(Debug)]
pub(super) struct Link {
    socket: UnixStream,
    path: PathBuf,
    inbox: Vec<u8>,
    last: Id,
    free: Vec<Id>,
}

impl Link {
    /// Connects to a socket.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Gone`] when nobody listens there, [`crate::ErrorKind::Permission`]
    /// when we may not connect, or whoever listens is not to be believed.
    pub(super) fn connect(path: &Path, trust: Trust) -> Result<Self, Error> {
        let doing = || format!("reach the Wayland compositor at {}", path.display());
        let socket = UnixStream::connect(path).map_err(|error| Error::io(doing(), error))?;
        match trust {
            Trust::Screen => peer::ensure_owns_screen(&socket, path)?,
            Trust::Folder => peer::ensure_owns_folder(&socket, path)?,
        }
        Self::over(socket, path).map_err(|error| Error::io(doing(), error))
    }

    pub(super) fn over(socket: UnixStream, path: &Path) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let path = path.to_owned();
        Ok(Self { socket, path, inbox: Vec::new(), last: display::ID, free: Vec::new() })
    }

    /// Where it is connected to.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A number for a new object.
    pub(super) fn new_id(&mut self) -> Id {
        self.free.pop().unwrap_or_else(|| {
            self.last += 1;
            self.last
        })
    }

    /// Asks for something.
    ///
    /// # Errors
    /// When the compositor is gone, or does not take it in time.
    pub(super) fn send(&self, request: Request) -> Result<(), Error> {
        self.write(&request.finish(), None)
    }

    /// Asks for something that comes with a descriptor.
    ///
    /// # Errors
    /// As [`Link::send`].
    pub(super) fn send_with(&self, request: Request, fd: BorrowedFd<'_>) -> Result<(), Error> {
        self.write(&request.finish(), Some(fd))
    }

    fn write(&self, mut bytes: &[u8], fd: Option<BorrowedFd<'_>>) -> Result<(), Error> {
        let deadline = Instant::now() + PATIENCE;
        let fds = fd.map(|fd| [fd.as_raw_fd()]);
        while !bytes.is_empty() {
            let messages = fds.as_ref().map(|fds| [ControlMessage::ScmRights(fds)]);
            let messages = messages.as_ref().map_or(&[][..], |messages| &messages[..]);
            let flags = MsgFlags::MSG_NOSIGNAL;
            let socket = self.socket.as_raw_fd();
            match sendmsg::<()>(socket, &[IoSlice::new(bytes)], messages, flags, None) {
                Ok(sent) if sent == bytes.len() => return Ok(()),
                // A message that has a descriptor is far smaller than any socket's buffer.
                Ok(sent) if fds.is_none() => bytes = bytes.get(sent..).unwrap_or_default(),
                Ok(_) => return Err(self.broken("takes half of a message")),
                Err(nix::Error::EINTR) => {}
                Err(nix::Error::EAGAIN) => self.wait(PollFlags::POLLOUT, deadline)?,
                Err(error) => return Err(self.gone(error.into())),
            }
        }
        Ok(())
    }

    /// The next event that has come, without waiting.
    ///
    /// # Errors
    /// When the compositor is gone, says that we did something wrong, or what it says is no
    /// message.
    pub(super) fn next(&mut self) -> Result<Option<Event>, Error> {
        loop {
            let event = Event::take(&mut self.inbox)
                .map_err(|_| self.broken("says something that is no message"))?;
            if let Some(event) = event {
                if event.object == display::ID {
                    self.handle_display(&event)?;
                    continue;
                }
                return Ok(Some(event));
            }
            let mut chunk = [0; CHUNK];
            match self.socket.read(&mut chunk) {
                Ok(0) => return Err(self.gone(io::ErrorKind::UnexpectedEof.into())),
                Ok(count) => self.inbox.extend(chunk.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.gone(error)),
            }
        }
    }

    /// The next event, waited for until `deadline`.
    ///
    /// # Errors
    /// As [`Link::next`], and when none comes.
    pub(super) fn wait_next(&mut self, deadline: Instant) -> Result<Event, Error> {
        loop {
            if let Some(event) = self.next()? {
                return Ok(event);
            }
            self.wait(PollFlags::POLLIN, deadline)?;
        }
    }

    /// The next event, waited for until `deadline`; `None` if none has come.
    ///
    /// # Errors
    /// As [`Link::next`].
    pub(super) fn next_until(&mut self, deadline: Instant) -> Result<Option<Event>, Error> {
        while Instant::now() < deadline {
            if let Some(event) = self.next()? {
                return Ok(Some(event));
            }
            if !self.is_ready(PollFlags::POLLIN, deadline)? {
                break;
            }
        }
        Ok(None)
    }

    /// Waits until all requests have been done, and hands on what is told meanwhile.
    ///
    /// # Errors
    /// As [`Link::wait_next`].
    pub(super) fn settle(&mut self, handle: &mut dyn FnMut(&Self, Event)) -> Result<(), Error> {
        let done = self.new_id();
        self.send(Request::new(display::ID, display::SYNC).uint(done))?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let event = self.wait_next(deadline)?;
            if (event.object, event.opcode) == (done, callback::DONE) {
                return Ok(());
            }
            handle(self, event);
        }
    }

    fn handle_display(&mut self, event: &Event) -> Result<(), Error> {
        let mut arguments = event.arguments();
        match event.opcode {
            display::ERROR => {
                let (object, code) = (arguments.uint(), arguments.uint());
                let problem = format!(
                    "refuses a request (object {object}, code {code}: {})",
                    arguments.string().escape_default()
                );
                Err(self.broken(&problem))
            }
            display::DELETE_ID => {
                let id = arguments.uint();
                let is_ours = id > display::ID && id <= self.last && !self.free.contains(&id);
                if is_ours && self.free.len() < MAX_OBJECTS as usize {
                    self.free.push(id);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn wait(&self, flags: PollFlags, deadline: Instant) -> Result<(), Error> {
        match self.is_ready(flags, deadline)? {
            true => Ok(()),
            false => Err(self.gone(io::ErrorKind::TimedOut.into())),
        }
    }

    /// Whether the socket becomes ready until then.
    fn is_ready(&self, flags: PollFlags, deadline: Instant) -> Result<bool, Error> {
        let left = deadline.saturating_duration_since(Instant::now());
        let time =
            PollTimeout::try_from(left.as_micros().div_ceil(1000)).unwrap_or(PollTimeout::ZERO);
        let mut polled = [PollFd::new(self.socket.as_fd(), flags)];
        match poll(&mut polled, time) {
            Ok(0) => Ok(false),
            Ok(_) | Err(nix::Error::EINTR) => Ok(true),
            Err(error) => Err(self.gone(error.into())),
        }
    }

    fn gone(&self, error: io::Error) -> Error {
        log::info!("Wayland compositor at {}: {error}", self.path.display());
        Error::Gone(format!("the Wayland compositor at {}", self.path.display()))
    }

    fn broken(&self, problem: &str) -> Error {
        let device = format!("the Wayland compositor at {}", self.path.display());
        Error::Broken { device, problem: problem.to_owned() }
    }
}
