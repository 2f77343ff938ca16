//! The programs process: the only one of the agent's that starts programs.
//!
//! It starts what the configuration names, and nothing else: a shell in a pseudo-terminal, as the
//! user that is named there, itself as another one to read and write files, and what restarts the machine or its application. When, the machine process says, which holds the consent. It has no
//! network and reads no screen. What it starts is not confined, since it is there to be used; so
//! this process runs only where something of that is set up.

mod descendants;
mod files;
mod shell;
mod terminal;

use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use lotse_protocol::message::{FromTerminal, Rights, TerminalEnd, ToTerminal};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, Uid};
use serde::Serialize;

use crate::config::{FilesConfig, MaintenanceConfig, ShellConfig};
use crate::ipc::{self, FromPrograms, Message, Reader, ToPrograms};
use crate::local_socket::{LocalAddress, ensure_peer};
use files::Files;
use terminal::Terminal;

pub use shell::{become_shell, become_user_named};

/// The machine process opens its devices before it listens; it is looked for this often.
const RETRY: Duration = Duration::from_millis(500);

/// Bytes for the machine process that wait at most; more, and it is taken for dead. All that can
/// wait is bounded by the terminal's window.
const MAX_WAITING: usize = 256 << 10;

/// What is set up to be started.
#[derive(Debug)]
pub struct SetUp {
    /// A terminal.
    pub shell: Option<ShellConfig>,
    /// What restarts the machine or its application.
    pub maintenance: MaintenanceConfig,
    /// What reads and writes files.
    pub files: Option<FilesConfig>,
}

/// Runs until the process is told to stop.
///
/// # Errors
/// When the kernel refuses what is needed, or the machine process talks nonsense.
pub fn run(set_up: SetUp, machine: &LocalAddress) -> anyhow::Result<()> {
    let mut set = SigSet::empty();
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGCHLD] {
        set.add(signal);
    }
    set.thread_block().context("block signals")?;
    let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
    let signals = SignalFd::with_flags(&set, flags).context("signalfd")?;
    // What a technician's program leaves behind becomes a child of this process, and is found.
    prctl::set_child_subreaper(true).context("become the parent of orphans")?;
    let mut programs = Programs { set_up, signals, terminal: None, files: None, restart: None };
    loop {
        match machine.connect() {
            Ok(socket) => {
                ensure_peer(&socket, Uid::from_raw(0)).context("the machine process")?;
                log::info!("connected to the machine process");
                let outcome = programs.serve(socket);
                programs.end_files();
                programs.end_terminal();
                if outcome? == Served::Stop {
                    return Ok(());
                }
            }
            Err(error) => log::debug!("{error:#}"),
        }
        if programs.wait_for_stop(RETRY)? {
            return Ok(());
        }
    }
}

/// Why a connection is over.
#[derive(Debug, PartialEq, Eq)]
enum Served {
    /// This process is told to stop.
    Stop,
    /// The machine process is gone.
    Lost,
}

/// What happened while waiting.
#[derive(Debug, Default)]
struct Ready {
    stop: bool,
    machine: bool,
}

struct Programs {
    set_up: SetUp,
    signals: SignalFd,
    terminal: Option<Terminal>,
    /// What is being done with files.
    files: Option<Files>,
    /// What restarts the machine (`true`) or its application.
    restart: Option<Work>,
}

/// A program that restarts the machine, or its application.
struct Work {
    is_machine: bool,
    pid: Pid,
    /// Whether it did it, when it has ended.
    is_done: Option<bool>,
}

/// The connection to the machine process, or to one that does something with files.
struct Link {
    socket: UnixStream,
    reader: Reader,
    waiting: Vec<u8>,
}

impl Link {
    fn say(&mut self, message: &impl Serialize) {
        ipc::encode(message, &mut self.waiting);
    }

    /// Writes what waits, as far as the socket takes it.
    fn flush(&mut self) -> io::Result<()> {
        while !self.waiting.is_empty() {
            match self.socket.write(&self.waiting) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => drop(self.waiting.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if self.waiting.len() > MAX_WAITING {
            return Err(io::Error::other("it takes nothing any more"));
        }
        Ok(())
    }

    /// Reads what has come.
    fn receive(&mut self) -> io::Result<()> {
        let mut chunk = [0; 4096];
        match self.socket.read(&mut chunk) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                self.reader.push(chunk.get(..count).unwrap_or_default());
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl Programs {
    fn serve(&mut self, socket: UnixStream) -> anyhow::Result<Served> {
        let reader = Reader::without_pictures();
        let mut link = Link { socket, reader, waiting: Vec::new() };
        link.say(&FromPrograms::Ready {
            terminal: self.set_up.shell.is_some(),
            application: !self.set_up.maintenance.application.is_empty(),
            machine: !self.set_up.maintenance.reboot.is_empty(),
            files: self.set_up.files.as_ref().map_or(Rights::NONE, FilesConfig::rights),
        });
        loop {
            if let Err(error) = link.flush() {
                log::info!("machine process: {error}");
                return Ok(Served::Lost);
            }
            let ready = self.wait(&link)?;
            if ready.stop {
                return Ok(Served::Stop);
            }
            if ready.machine {
                if let Err(error) = link.receive() {
                    log::info!("machine process: {error}");
                    return Ok(Served::Lost);
                }
                while let Some(message) = link.reader.take()? {
                    match message {
                        Message::Typed(ToPrograms::Terminal(what)) => {
                            self.handle_terminal(what, &mut link);
                        }
                        Message::Typed(ToPrograms::Files { id, what }) => {
                            self.handle_files(id, &what, &mut link);
                        }
                        Message::Typed(ToPrograms::Restart { is_machine }) => {
                            self.restart(is_machine, &mut link);
                        }
                        Message::Picture(_) => bail!("the machine process sends pictures"),
                    }
                }
            }
            self.reap();
            self.tell_restart(&mut link);
            self.step(&mut link, Instant::now());
            self.step_files(&mut link);
        }
    }

    fn wait(&self, link: &Link) -> anyhow::Result<Ready> {
        let output = if link.waiting.is_empty() { PollFlags::empty() } else { PollFlags::POLLOUT };
        let mut polled = vec![
            PollFd::new(self.signals.as_fd(), PollFlags::POLLIN),
            PollFd::new(link.socket.as_fd(), PollFlags::POLLIN | output),
        ];
        let now = Instant::now();
        let mut time = PollTimeout::NONE;
        if let Some(terminal) = &self.terminal {
            let wanted = terminal.wants(now);
            polled.push(PollFd::new(terminal.descriptor(), wanted));
            if let Some(due) = terminal.poll_timeout(now) {
                let left = due.saturating_duration_since(now).as_micros().div_ceil(1000);
                time = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            }
            if wanted.is_empty() {
                // Nothing is wanted of it: a hangup would be told again and again.
                polled.pop();
            }
        }
        if let Some(files) = &self.files {
            let wanted = files.wants(link.waiting.len());
            if !wanted.is_empty() {
                polled.push(PollFd::new(files.descriptor(), wanted));
            }
        }
        match poll(&mut polled, time) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error).context("wait for what happens"),
        }
        let any = |index: usize| {
            let events = polled.get(index).and_then(PollFd::revents);
            events.is_some_and(|events| !events.is_empty())
        };
        // The terminal and files are looked at in any case.
        let (signals, machine) = (any(0), any(1));
        let stop = signals && self.is_stopped()?;
        Ok(Ready { stop, machine })
    }

    /// Whether one of the signals that came means the end.
    fn is_stopped(&self) -> anyhow::Result<bool> {
        while let Some(signal) = self.signals.read_signal().context("read a signal")? {
            if signal.ssi_signo != Signal::SIGCHLD as u32 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn wait_for_stop(&self, time: Duration) -> anyhow::Result<bool> {
        let mut polled = [PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        let time = PollTimeout::try_from(time.as_millis()).unwrap_or(PollTimeout::MAX);
        match poll(&mut polled, time) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => self.is_stopped(),
            Err(error) => Err(error).context("wait for the machine process"),
        }
    }

    fn handle_terminal(&mut self, what: ToTerminal, link: &mut Link) {
        let now = Instant::now();
        match (what, &mut self.terminal) {
            (ToTerminal::Open(size), None) => {
                let opened = match &self.set_up.shell {
                    Some(shell) => Terminal::open(shell, size, now),
                    None => Err(io::ErrorKind::Unsupported.into()),
                };
                let said = match opened {
                    Ok(terminal) => {
                        self.terminal = Some(terminal);
                        FromTerminal::Opened
                    }
                    Err(error) => {
                        log::error!("a terminal cannot be opened: {error}");
                        FromTerminal::Ended(TerminalEnd::Failed)
                    }
                };
                link.say(&FromPrograms::Terminal(said));
            }
            (ToTerminal::Typed(bytes), Some(terminal)) => terminal.typed(bytes.as_slice()),
            (ToTerminal::Resize(size), Some(terminal)) => terminal.resize(size),
            (ToTerminal::Taken(count), Some(terminal)) => terminal.taken(count),
            (ToTerminal::Close, Some(_)) => self.end_terminal(),
            _ => {}
        }
    }

    /// Starts what restarts the machine or its application.
    fn restart(&mut self, is_machine: bool, link: &mut Link) {
        let MaintenanceConfig { application, reboot } = &self.set_up.maintenance;
        let command = if is_machine { reboot } else { application };
        let started = match command.split_first() {
            Some((program, arguments)) if self.restart.is_none() => Command::new(program)
                .args(arguments)
                .env_clear()
                .env("PATH", shell::PATH)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .spawn(),
            _ => Err(io::ErrorKind::Unsupported.into()),
        };
        match started {
            Ok(child) => {
                // As the kernel counts them.
                let pid = Pid::from_raw(child.id().cast_signed());
                self.restart = Some(Work { is_machine, pid, is_done: None });
            }
            Err(error) => {
                log::error!("{command:?}: {error}");
                link.say(&FromPrograms::Restarted { is_machine, is_done: false });
            }
        }
    }

    /// Tells when that has ended, and how.
    fn tell_restart(&mut self, link: &mut Link) {
        if let Some(Work { is_machine, is_done: Some(is_done), .. }) = self.restart {
            link.say(&FromPrograms::Restarted { is_machine, is_done });
            self.restart = None;
        }
    }

    /// Brings what the terminal has written to the machine process, and what was typed to it.
    fn step(&mut self, link: &mut Link, now: Instant) {
        let Some(terminal) = &mut self.terminal else { return };
        while let Some(said) = terminal.step(now) {
            let is_over = matches!(said, FromTerminal::Ended(_));
            link.say(&FromPrograms::Terminal(said));
            if is_over {
                self.end_terminal();
                return;
            }
        }
    }

    /// Notes which children have ended.
    fn reap(&mut self) {
        while let Ok(status) = waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            let (child, end) = match status {
                WaitStatus::Exited(child, code) => (child, TerminalEnd::Exited(code)),
                WaitStatus::Signaled(child, signal, _) => {
                    (child, TerminalEnd::Killed(signal as i32))
                }
                _ => return,
            };
            if let Some(files) = &mut self.files {
                files.child_ended(child);
            }
            if let Some(work) = self.restart.as_mut().filter(|work| work.pid == child) {
                work.is_done = Some(end == TerminalEnd::Exited(0));
            } else if let Some(terminal) = &mut self.terminal {
                terminal.child_ended(child, end, Instant::now());
            }
        }
    }

    /// Nothing of what was started in the terminal goes on.
    fn end_terminal(&mut self) {
        // With its last descriptor the kernel hangs up (SIGHUP to whoever has the terminal).
        if self.terminal.take().is_some() {
            self.reap();
            descendants::end_all(self.files.as_ref().and_then(Files::pid));
            self.reap();
            if let Some(work) = &mut self.restart {
                work.is_done.get_or_insert(false);
            }
        }
    }
}

#[cfg(test)]
mod tests;
