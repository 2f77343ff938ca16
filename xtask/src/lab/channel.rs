//! The host's end of the channel to the guest.

use std::io::{ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow, bail};
use lotse_lab_guest::{Reply, Request};

use super::qmp;

/// Beyond the time that a command itself is given.
const GRACE: Duration = Duration::from_secs(60);

/// Bytes of randomness for a machine restored from a state.
const ENTROPY_BYTES: usize = 64;

/// What a command did.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    /// Exit status; 128 plus the signal's number when a signal ended it.
    pub(crate) status: u32,
    /// It was killed because its time was up.
    pub(crate) timed_out: bool,
    /// What it wrote, as text.
    pub(crate) stdout: String,
    /// What it complained about, as text.
    pub(crate) stderr: String,
}

/// The channel to one guest. After a time-out it is out of step and answers nothing but errors.
#[derive(Debug)]
pub(crate) struct Channel {
    stream: UnixStream,
}

impl Channel {
    /// Connects and waits until the guest answers.
    ///
    /// # Errors
    /// When it does not within `boot`.
    pub(crate) fn connect(socket: &Path, boot: Duration) -> Result<Self> {
        let mut channel = Self { stream: qmp::connect(socket, boot)? };
        channel.wait_for_boot(boot)?;
        Ok(channel)
    }

    /// Waits until a guest that boots, or boots again, answers.
    ///
    /// # Errors
    /// When it does not within `boot`.
    pub(crate) fn wait_for_boot(&mut self, boot: Duration) -> Result<()> {
        let nonce = u64::from(std::process::id());
        match self.ask(&Request::Ping { nonce }, boot) {
            Ok(Reply::Pong { nonce: answer }) if answer == nonce => Ok(()),
            Ok(other) => bail!("the guest answers a ping with {other:?}"),
            Err(error) => Err(error.context("the guest does not come up")),
        }
    }

    /// Runs a command line to its end.
    ///
    /// # Errors
    /// When the guest does not answer or can't run it. A command that fails is no error here.
    pub(crate) fn run(&mut self, command: &str, stdin: &[u8], timeout: Duration) -> Result<Ended> {
        let request = Request::Run {
            command: command.to_owned(),
            stdin: stdin.to_vec(),
            timeout_ms: u32::try_from(timeout.as_millis())?,
        };
        match self.ask(&request, timeout + GRACE)? {
            Reply::Ended { status, timed_out, stdout, stderr } => Ok(Ended {
                status,
                timed_out: timed_out != 0,
                stdout: String::from_utf8_lossy(&stdout).into_owned(),
                stderr: String::from_utf8_lossy(&stderr).into_owned(),
            }),
            other => Err(unexpected(&other)),
        }
    }

    /// Starts a command line and leaves it running; its process group has the number that is returned.
    ///
    /// # Errors
    /// When the guest does not answer or can't start it.
    pub(crate) fn spawn(&mut self, command: &str, log: &str) -> Result<u32> {
        let request = Request::Spawn { command: command.to_owned(), log: log.to_owned() };
        match self.ask(&request, GRACE)? {
            Reply::Started { pid } => Ok(pid),
            other => Err(unexpected(&other)),
        }
    }

    /// Writes a file.
    ///
    /// # Errors
    /// When the guest does not answer or can't write it.
    pub(crate) fn put(&mut self, path: &str, mode: u32, content: Vec<u8>) -> Result<()> {
        self.done(&Request::Put { path: path.to_owned(), mode, content })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When the guest does not answer or can't read it.
    pub(crate) fn get(&mut self, path: &str) -> Result<Vec<u8>> {
        match self.ask(&Request::Get { path: path.to_owned() }, GRACE)? {
            Reply::File { content } => Ok(content),
            other => Err(unexpected(&other).context(path.to_owned())),
        }
    }

    /// Gives the guest the time of day and fresh randomness.
    ///
    /// # Errors
    /// When the guest does not answer or can't take them.
    pub(crate) fn refresh(&mut self) -> Result<()> {
        let mut entropy = vec![0; ENTROPY_BYTES];
        std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, &mut entropy)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        self.done(&Request::Refresh { unix_ms: u64::try_from(now.as_millis())?, entropy })
    }

    fn done(&mut self, request: &Request) -> Result<()> {
        match self.ask(request, GRACE)? {
            Reply::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    fn ask(&mut self, request: &Request, timeout: Duration) -> Result<Reply> {
        self.stream.set_write_timeout(Some(GRACE))?;
        self.stream.set_read_timeout(Some(timeout))?;
        request.write_to(&mut self.stream)?;
        self.stream.flush()?;
        match Reply::read_from(&mut self.stream) {
            Ok(Some(reply)) => Ok(reply),
            Ok(None) => bail!("QEMU closed the channel"),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                // Its answer may still come: nothing after it would fit its question.
                let _ = self.stream.shutdown(std::net::Shutdown::Both);
                bail!("no answer within {} s", timeout.as_secs())
            }
            Err(error) => Err(error).context("the channel to the guest"),
        }
    }
}

fn unexpected(reply: &Reply) -> anyhow::Error {
    match reply {
        Reply::Failed { reason } => anyhow!("the guest says: {reason}"),
        other => anyhow!("the guest's answer does not fit: {other:?}"),
    }
}
