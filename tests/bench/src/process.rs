//! Programs that are measured, and what they take.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context as _, Result};
use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

/// How often memory is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// A program that ends with this one (`setpriv --pdeathsig`), and when this is dropped.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
}

impl Program {
    /// Starts it; its log is `log`. Standard input and output are piped if `talks`.
    pub(crate) fn start(mut command: Command, log: &Path, talks: bool) -> Result<Self> {
        let file = File::create(log).with_context(|| log.display().to_string())?;
        let stream = || if talks { Stdio::piped() } else { Stdio::null() };
        command.stdin(stream()).stdout(stream()).stderr(file);
        let child = command.spawn().with_context(|| format!("{command:?} cannot be started"))?;
        Ok(Self { child })
    }

    /// A command that [`Program::start`] takes.
    pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program);
        command
    }

    /// Its streams.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// It and all that it has started.
    pub(crate) fn family(&self) -> Vec<u32> {
        let mut all = vec![self.child.id()];
        let mut next = 0;
        while let Some(process) = all.get(next).copied() {
            let file = format!("/proc/{process}/task/{process}/children");
            let children = fs::read_to_string(file).unwrap_or_default();
            all.extend(children.split_whitespace().filter_map(|id| id.parse::<u32>().ok()));
            next += 1;
        }
        all
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Processor time of these processes, user and system, threads that have ended included
/// (clock_getcpuclockid(3)). Those that are gone count for nothing.
pub(crate) fn processor_time(processes: &[u32]) -> Duration {
    let of_one = |process: &u32| {
        let id = Pid::from_raw(i32::try_from(*process).ok()?);
        let time = clock_gettime(clock_getcpuclockid(id).ok()?).ok()?;
        Some(Duration::from(time))
    };
    processes.iter().filter_map(of_one).sum()
}

/// Proportional set size of these processes, in bytes (`smaps_rollup`, proc(5)).
pub(crate) fn memory(processes: &[u32]) -> u64 {
    let of_one = |process: &u32| {
        let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    processes.iter().filter_map(of_one).sum::<u64>() * 1024
}

/// Watches the memory of processes.
#[derive(Debug)]
pub(crate) struct MemoryWatch {
    most: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl MemoryWatch {
    pub(crate) fn start(processes: Vec<u32>) -> Self {
        let most = Arc::new(AtomicU64::new(0));
        let is_over = Arc::new(AtomicBool::new(false));
        let (most_seen, over) = (Arc::clone(&most), Arc::clone(&is_over));
        let thread = thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                most_seen.fetch_max(memory(&processes), Ordering::Relaxed);
                thread::sleep(LOOK);
            }
        });
        Self { most, is_over, thread: Some(thread) }
    }

    /// The most that was seen, in bytes.
    pub(crate) fn most(&self) -> u64 {
        self.most.load(Ordering::Relaxed)
    }
}

impl Drop for MemoryWatch {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
