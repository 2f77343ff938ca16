//! Starts the agent's two processes and starts them again, where no service manager does.

use std::collections::BTreeMap;
use std::os::fd::AsFd as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;

/// A process that ended is started again after this time.
const RESTART: Duration = Duration::from_secs(2);

/// A process that fails sooner than this after the very first start has no chance: a wrong setting, no screen.
const HOPELESS: Duration = Duration::from_secs(5);

/// Told to stop, both processes may take so long to say goodbye.
const GOODBYE: Duration = Duration::from_secs(4);

/// One of the two processes: what to call it, and its arguments.
#[derive(Debug, Clone)]
pub struct Role {
    /// As in `ps` and in the log.
    pub name: &'static str,
    /// Of this same program.
    pub arguments: Vec<String>,
    /// Whether standard input is for it.
    pub has_stdin: bool,
    /// Arguments with which this same program takes back what the role may leave behind when it dies.
    pub undo: Option<Vec<String>>,
}

/// What became of a role.
#[derive(Debug)]
enum Run {
    Up(Child),
    /// To be started then.
    Down(Instant),
}

/// Both processes, and the signals of this one.
struct Supervisor {
    roles: Vec<Role>,
    runs: BTreeMap<usize, Run>,
    signals: SignalFd,
    started: Instant,
}

/// What woke the supervisor.
#[derive(Debug, PartialEq, Eq)]
enum Wake {
    /// It is told to stop.
    Stop,
    /// A child may have ended, or one is due.
    Look,
}

/// Runs all roles until SIGTERM or SIGINT. They end with this process, whatever ends it.
///
/// # Errors
/// When one can't be started, or fails at once.
pub fn run(roles: Vec<Role>) -> anyhow::Result<()> {
    let mut set = SigSet::empty();
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGCHLD] {
        set.add(signal);
    }
    set.thread_block().context("block signals")?;
    let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
    let signals = SignalFd::with_flags(&set, flags).context("signalfd")?;
    let now = Instant::now();
    let runs = (0..roles.len()).map(|role| (role, Run::Down(now))).collect();
    let mut supervisor = Supervisor { roles, runs, signals, started: now };
    let outcome = supervisor.look_after();
    supervisor.stop();
    outcome
}

impl Supervisor {
    fn look_after(&mut self) -> anyhow::Result<()> {
        loop {
            self.start_due(Instant::now())?;
            if self.wait(self.next_due())? == Wake::Stop {
                return Ok(());
            }
            let now = Instant::now();
            for (role, status) in self.reap() {
                let name = self.role(role)?.name;
                // It gave up by itself; one that was killed is another matter.
                let gave_up = status.code().is_some_and(|code| code != 0);
                if gave_up && now.duration_since(self.started) < HOPELESS {
                    bail!("the {name} process failed: {status}");
                }
                log::warn!("the {name} process ended: {status}; it is started again");
                self.undo(role);
                self.runs.insert(role, Run::Down(now + RESTART));
            }
        }
    }

    fn role(&self, role: usize) -> anyhow::Result<&Role> {
        self.roles.get(role).context("there is no such role")
    }

    /// Takes back what a role that ended may have left behind.
    fn undo(&self, role: usize) {
        let Some(Role { name, undo: Some(arguments), .. }) = self.roles.get(role) else { return };
        let mut command = Command::new("/proc/self/exe");
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
        if let Err(error) = command.status() {
            log::warn!("take back what the {name} process left: {error}");
        }
    }

    fn start_due(&mut self, now: Instant) -> anyhow::Result<()> {
        for role in 0..self.roles.len() {
            if matches!(self.runs.get(&role), Some(Run::Down(due)) if *due <= now) {
                let Role { name, arguments, has_stdin, .. } = self.role(role)?;
                let mut command = Command::new("/proc/self/exe");
                // Both start with the signals of this process; each takes those it wants.
                command.args(arguments).stdout(Stdio::null());
                if !has_stdin {
                    command.stdin(Stdio::null());
                }
                let child = command.spawn().with_context(|| format!("start the {name} process"))?;
                log::debug!("the {name} process is {}", child.id());
                self.runs.insert(role, Run::Up(child));
            }
        }
        Ok(())
    }

    fn next_due(&self) -> Option<Instant> {
        let due = |run: &Run| if let Run::Down(due) = run { Some(*due) } else { None };
        self.runs.values().filter_map(due).min()
    }

    fn wait(&self, until: Option<Instant>) -> anyhow::Result<Wake> {
        let time = match until {
            Some(until) => {
                let left = until.saturating_duration_since(Instant::now());
                PollTimeout::try_from(left.as_micros().div_ceil(1000)).unwrap_or(PollTimeout::MAX)
            }
            None => PollTimeout::NONE,
        };
        let mut polled = [PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        match poll(&mut polled, time) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error).context("wait for the processes"),
        }
        while let Some(signal) = self.signals.read_signal().context("read a signal")? {
            if signal.ssi_signo != Signal::SIGCHLD as u32 {
                return Ok(Wake::Stop);
            }
        }
        Ok(Wake::Look)
    }

    /// Who has ended, and how.
    fn reap(&mut self) -> Vec<(usize, ExitStatus)> {
        let ended = |(role, run): (&usize, &mut Run)| match run {
            Run::Up(child) => child.try_wait().ok().flatten().map(|status| (*role, status)),
            Run::Down(_) => None,
        };
        self.runs.iter_mut().filter_map(ended).collect()
    }

    /// Tells the first role to stop: it tells the others what they need to know, and they end with it. Who does not is
    /// ended.
    fn stop(&mut self) {
        log::info!("stopping");
        if let Some(Run::Up(first)) = self.runs.get(&0)
            && let Ok(id) = i32::try_from(first.id())
        {
            kill(Pid::from_raw(id), Signal::SIGTERM).ok();
        }
        let end = Instant::now() + GOODBYE;
        while Instant::now() < end && self.runs.values().any(|run| matches!(run, Run::Up(_))) {
            self.wait(Some(Instant::now() + Duration::from_millis(100))).ok();
            for (role, _) in self.reap() {
                self.runs.insert(role, Run::Down(end));
            }
        }
        for run in self.runs.values_mut() {
            if let Run::Up(child) = run {
                child.kill().ok();
                child.wait().ok();
            }
        }
        for role in 0..self.roles.len() {
            self.undo(role);
        }
    }
}
