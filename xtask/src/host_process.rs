//! A program that runs beside this one and never outlives it.

use std::ffi::OsStr;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// A started program. Dropping this kills it.
///
/// It also dies when this program is killed: the kernel sees to that (`prctl(PR_SET_PDEATHSIG)`, set by util-linux's
/// `setpriv`). It counts as killed when the *thread* ends that started it, so start it in one that stays.
#[derive(Debug)]
pub(crate) struct HostProcess {
    child: Child,
}

impl HostProcess {
    /// A command that can be given arguments and then to [`HostProcess::start`].
    pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program).stdin(Stdio::null());
        command
    }

    /// Starts `command`; what it writes goes to `log` unless the command says otherwise.
    ///
    /// # Errors
    /// When the log can't be made or the program can't be started.
    pub(crate) fn start(mut command: Command, log: &Path) -> Result<Self> {
        let file = File::create(log).with_context(|| log.display().to_string())?;
        command.stderr(file.try_clone()?).stdout(file);
        Self::start_as_is(command)
    }

    /// Starts `command` with the standard streams that it has been given.
    ///
    /// # Errors
    /// When the program can't be started.
    pub(crate) fn start_as_is(mut command: Command) -> Result<Self> {
        let child = command.spawn().with_context(|| format!("{command:?} can't be started"))?;
        Ok(Self { child })
    }

    /// The process, for its streams and its number.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Waits until the program has ended by itself; `None` when it has not within `timeout`.
    ///
    /// # Errors
    /// When the kernel does not know it.
    pub(crate) fn wait(&mut self, timeout: Duration) -> Result<Option<ExitStatus>> {
        let start = Instant::now();
        loop {
            let status = self.child.try_wait()?;
            if status.is_some() || start.elapsed() > timeout {
                return Ok(status);
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Kills the program at once, as a crash would end it.
    pub(crate) fn kill(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for HostProcess {
    fn drop(&mut self) {
        self.kill();
    }
}
