//! The process that does what is asked for with files: started for each request, listened to, and
//! ended.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use lotse_protocol::message::{FileError, FromFiles, ToFiles};
use nix::poll::PollFlags;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use std::os::fd::AsFd as _;

use super::{Link, Programs};
use crate::config::FilesConfig;
use crate::ipc::{FromPrograms, Message, Reader};

/// While more waits for the machine process, nothing more of a file is taken.
const MAX_AHEAD: usize = 32 << 10;

/// A request about files that is being done.
pub(super) struct Files {
    id: u16,
    pid: Pid,
    /// Whether it has ended, so that its number may be another's.
    is_reaped: bool,
    link: Link,
}

impl Files {
    fn start(config: &FilesConfig, id: u16, what: &ToFiles) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let settings = serde_json::to_string(config).map_err(io::Error::other)?;
        let child = Command::new("/proc/self/exe")
            .args(["files", &settings])
            .env_clear()
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .spawn()?;
        // As the kernel counts them.
        let pid = Pid::from_raw(child.id().cast_signed());
        let mut link =
            Link { socket: ours, reader: Reader::without_pictures(), waiting: Vec::new() };
        link.say(what);
        Ok(Self { id, pid, is_reaped: false, link })
    }

    /// What to wait for, when so much waits for the machine process.
    pub(super) fn wants(&self, ahead: usize) -> PollFlags {
        let mut wanted = PollFlags::empty();
        wanted.set(PollFlags::POLLIN, ahead <= MAX_AHEAD);
        wanted.set(PollFlags::POLLOUT, !self.link.waiting.is_empty());
        wanted
    }

    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.link.socket.as_fd()
    }

    /// The process, as long as its number is its own.
    pub(super) fn pid(&self) -> Option<Pid> {
        (!self.is_reaped).then_some(self.pid)
    }

    pub(super) fn child_ended(&mut self, pid: Pid) {
        self.is_reaped |= pid == self.pid;
    }

    /// What it says next; an error if it says nothing any more.
    fn next(&mut self) -> io::Result<Option<FromFiles>> {
        match self.link.reader.take().map_err(io::Error::other)? {
            Some(Message::Typed(what)) => Ok(Some(what)),
            _ => Ok(None),
        }
    }
}

impl Programs {
    pub(super) fn handle_files(&mut self, id: u16, what: &ToFiles, link: &mut Link) {
        match what {
            ToFiles::Taken(_) | ToFiles::Data(_) => {
                if let Some(files) = self.files.as_mut().filter(|files| files.id == id) {
                    files.link.say(what);
                }
            }
            ToFiles::List { .. } | ToFiles::Read { .. } | ToFiles::Write { .. } => {
                self.end_files();
                let started = match &self.set_up.files {
                    Some(config) => Files::start(config, id, what),
                    None => Err(io::ErrorKind::Unsupported.into()),
                };
                match started {
                    Ok(files) => self.files = Some(files),
                    Err(error) => {
                        log::error!("files: {error}");
                        let what = FromFiles::Failed(FileError::Failed);
                        link.say(&FromPrograms::Files { id, what });
                    }
                }
            }
            _ => self.end_files(),
        }
    }

    /// Brings what was asked for to the process that does it, and back what that says.
    pub(super) fn step_files(&mut self, link: &mut Link) {
        let Some(files) = &mut self.files else { return };
        let id = files.id;
        let mut outcome = files.link.flush();
        if outcome.is_ok() && link.waiting.len() <= MAX_AHEAD {
            outcome = files.link.receive();
        }
        loop {
            let what = match files.next() {
                Ok(Some(what)) => what,
                Ok(None) if outcome.is_ok() => return,
                _ => {
                    log::warn!("files: the process has ended");
                    FromFiles::Failed(FileError::Failed)
                }
            };
            let is_over = matches!(
                what,
                FromFiles::Entries { .. } | FromFiles::Done { .. } | FromFiles::Failed(_)
            );
            link.say(&FromPrograms::Files { id, what });
            if is_over {
                return self.end_files();
            }
        }
    }

    /// Nothing more of a file is read or written. What was written is kept.
    pub(super) fn end_files(&mut self) {
        if let Some(pid) = self.files.take().and_then(|files| files.pid()) {
            // Not reaped yet, so that nobody else has its number.
            kill(pid, Signal::SIGKILL).ok();
        }
    }
}
