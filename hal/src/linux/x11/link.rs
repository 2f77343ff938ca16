//! The connection to an X server, which never waits for long.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use x11rb::rust_connection::{
    ConnectError, ConnectionError, DefaultStream, PollMode, ReplyError, ReplyOrIdError,
    RustConnection, Stream,
};
use x11rb::utils::RawFdContainer;

use super::auth;
use crate::Error;
use crate::linux::peer;

/// How long a server may take to answer; one that hangs must not stop the panel for longer.
const PATIENCE: Duration = Duration::from_secs(1);

/// A stream whose waiting ends.
#[derive(Debug)]
pub(super) struct Patient(DefaultStream);

impl AsFd for Patient {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Stream for Patient {
    fn poll(&self, mode: PollMode) -> io::Result<()> {
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::POLLIN, mode.readable());
        flags.set(PollFlags::POLLOUT, mode.writable());
        let mut wanted = [PollFd::new(self.0.as_fd(), flags)];
        let time = PollTimeout::try_from(PATIENCE).unwrap_or(PollTimeout::ZERO);
        loop {
            match poll(&mut wanted, time) {
                Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
                Ok(_) => return Ok(()),
                Err(nix::Error::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn read(&self, into: &mut [u8], fds: &mut Vec<RawFdContainer>) -> io::Result<usize> {
        self.0.read(into, fds)
    }

    fn write(&self, from: &[u8], fds: &mut Vec<RawFdContainer>) -> io::Result<usize> {
        self.0.write(from, fds)
    }

    fn write_vectored(
        &self,
        from: &[IoSlice<'_>],
        fds: &mut Vec<RawFdContainer>,
    ) -> io::Result<usize> {
        self.0.write_vectored(from, fds)
    }
}

/// A connection to a server of this machine.
pub(super) type Link = RustConnection<Patient>;

/// Connects to a display.
///
/// # Errors
/// [`crate::ErrorKind::Gone`] when no server is there, [`crate::ErrorKind::Permission`] when it
/// lets us not in, or is not that of whoever has the screen.
pub(super) fn connect(display: u16) -> Result<Link, Error> {
    let path = auth::socket(display);
    let doing = || format!("reach the X server at {}", path.display());
    let socket = UnixStream::connect(&path).map_err(|error| Error::io(doing(), error))?;
    peer::ensure_owns_screen(&socket, &path)?;
    let stream =
        DefaultStream::from_unix_stream(socket).map_err(|error| Error::io(doing(), error))?;
    let (name, data) = auth::authorization(auth::cookie(display));
    RustConnection::connect_to_stream_with_auth_info(Patient(stream.0), 0, name, data).map_err(
        |error| {
            let source = match error {
                ConnectError::SetupFailed(_) | ConnectError::SetupAuthenticate(_) => {
                    io::ErrorKind::PermissionDenied.into()
                }
                ConnectError::IoError(error) => error,
                other => io::Error::other(other),
            };
            Error::io(doing(), source)
        },
    )
}

/// What a failed request means: a server that is gone or hangs, or one that refuses for now.
pub(super) fn failed(error: impl Into<ReplyOrIdError>) -> Error {
    match error.into() {
        ReplyOrIdError::X11Error(error) => {
            // Most often the screen has changed between two requests.
            let again = io::Error::from_raw_os_error(nix::libc::EAGAIN);
            Error::io(format!("read the X server's screen ({:?})", error.error_kind), again)
        }
        other => {
            log::info!("X server: {other}");
            Error::Gone("the X server".to_owned())
        }
    }
}

impl From<ConnectionError> for Error {
    fn from(error: ConnectionError) -> Self {
        failed(ReplyError::from(error))
    }
}
