//! Files that a technician reads and writes: one request, done by a process of its own.
//!
//! The programs process starts it anew for each request, with a socket as its standard input. It
//! becomes the user that is configured, gives up everything but the folders that are configured
//! and what it takes to read and write in them, does what it was asked for, and ends. Whoever
//! withdraws the right kills it; what it has written so far is kept.

mod folder;
mod list;
mod read;
mod write;

#[cfg(test)]
mod tests;

use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use lotse_protocol::message::{FileError, FromFiles, ToFiles};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;

use crate::config::FilesConfig;
use crate::ipc::{self, Message, Reader};
use crate::{programs, sandbox};

/// Bytes of a file in a second at most, so that the machine goes on with its own work.
const BYTES_PER_SECOND: u32 = 4 << 20;

/// Does what comes in by standard input, a socket.
///
/// # Errors
/// Says what could not be given up; nothing is done then. What cannot be done with a file is told
/// to the other end.
pub fn run(config: &FilesConfig) -> anyhow::Result<()> {
    let socket = io::stdin().as_fd().try_clone_to_owned().context("find the socket")?;
    programs::become_user_named(&config.user).context("files.user")?;
    prctl::set_no_new_privs().context("give up new privileges")?;
    sandbox::confine_files(config)?;
    serve(config, UnixStream::from(socket));
    Ok(())
}

/// Does one request.
fn serve(config: &FilesConfig, socket: UnixStream) {
    let mut channel = Channel { socket, reader: Reader::without_pictures() };
    let done = match channel.hear(true) {
        Ok(Some(ToFiles::List { path, after })) => list::list(config, &mut channel, &path, &after),
        Ok(Some(ToFiles::Read { path, at, credit })) => {
            read::read(config, &mut channel, &path, at, credit)
        }
        Ok(Some(ToFiles::Write { path, size, hash, may_replace })) => {
            write::write(config, &mut channel, &write::Wanted { path, size, hash, may_replace })
        }
        _ => return,
    };
    if let Err(Over::Failed(error)) = done {
        channel.say(&FromFiles::Failed(error)).ok();
    }
}

/// Why a request is over before it is done.
#[derive(Debug)]
enum Over {
    /// It cannot be done.
    Failed(FileError),
    /// Nobody is at the other end any more.
    Alone,
}

impl From<FileError> for Over {
    fn from(error: FileError) -> Self {
        Self::Failed(error)
    }
}

impl From<Errno> for Over {
    fn from(error: Errno) -> Self {
        Self::Failed(match error {
            Errno::ENOENT | Errno::ENOTDIR | Errno::EISDIR | Errno::ELOOP | Errno::ENAMETOOLONG => {
                FileError::NotFound
            }
            Errno::EACCES | Errno::EPERM | Errno::EROFS => FileError::NotAllowed,
            Errno::ENOSPC | Errno::EDQUOT | Errno::EFBIG => FileError::NoSpace,
            Errno::EEXIST => FileError::Exists,
            error => {
                log::warn!("files: {error}");
                FileError::Failed
            }
        })
    }
}

impl From<io::Error> for Over {
    fn from(error: io::Error) -> Self {
        Errno::from_raw(error.raw_os_error().unwrap_or_default()).into()
    }
}

/// The other end: the machine process, by way of the programs process.
struct Channel {
    socket: UnixStream,
    reader: Reader,
}

impl Channel {
    fn say(&mut self, what: &FromFiles) -> Result<(), Over> {
        let mut bytes = Vec::new();
        ipc::encode(what, &mut bytes);
        self.socket.write_all(&bytes).map_err(|_| Over::Alone)
    }

    /// What has been said; `None` if nothing has, which is only so without waiting.
    fn hear(&mut self, waits: bool) -> Result<Option<ToFiles>, Over> {
        loop {
            match self.reader.take() {
                Ok(Some(Message::Typed(what))) => return Ok(Some(what)),
                Ok(None) => {}
                _ => return Err(Over::Alone),
            }
            let mut polled = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
            if !waits && poll(&mut polled, PollTimeout::ZERO) == Ok(0) {
                return Ok(None);
            }
            let mut chunk = [0; 8192];
            match self.socket.read(&mut chunk) {
                Ok(count) if count > 0 => {
                    self.reader.push(chunk.get(..count).unwrap_or_default());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                _ => return Err(Over::Alone),
            }
        }
    }
}

/// Keeps to [`BYTES_PER_SECOND`].
struct Pace {
    due: Instant,
}

impl Pace {
    fn new() -> Self {
        Self { due: Instant::now() }
    }

    /// Waits until so many bytes more may follow what was before.
    fn after(&mut self, bytes: usize) {
        let share = bytes as f64 / f64::from(BYTES_PER_SECOND);
        let now = Instant::now();
        self.due = self.due.max(now) + Duration::from_secs_f64(share);
        std::thread::sleep(self.due.saturating_duration_since(now));
    }
}
