//! A program on the host that speaks JSON, one object a line.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::host_process::HostProcess;

/// Lines read ahead; a program that says more waits.
const MAX_LINES: usize = 1024;

/// A running program, what it said so far that nobody asked for, and a record of all of it.
#[derive(Debug)]
pub(crate) struct Talker {
    process: HostProcess,
    stdin: ChildStdin,
    lines: Receiver<String>,
    /// Heard, but not yet looked at.
    heard: VecDeque<Value>,
}

impl Talker {
    /// Starts `command`. What is said both ways goes to `NAME.jsonl` and complaints to `NAME.log` in `folder`.
    ///
    /// # Errors
    /// When it can't be started.
    pub(crate) fn start(mut command: Command, folder: &Path, name: &str) -> Result<Self> {
        let log =
            File::options().create(true).append(true).open(folder.join(format!("{name}.log")))?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut process = HostProcess::start_as_is(command)?;
        let stdin = process.child().stdin.take().context("no standard input")?;
        let stdout = process.child().stdout.take().context("no standard output")?;
        let record = folder.join(format!("{name}.jsonl"));
        let mut record = File::options().create(true).append(true).open(record)?;
        let (sender, lines) = sync_channel(MAX_LINES);
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // The record is for people; a full disk shows elsewhere.
                let _ = writeln!(record, "{line}");
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { process, stdin, lines, heard: VecDeque::new() })
    }

    /// Says a line to the program.
    ///
    /// # Errors
    /// When it has ended.
    pub(crate) fn say(&mut self, line: &str) -> Result<()> {
        writeln!(self.stdin, "{line}").context("the program does not listen any more")
    }

    /// The first object, of those not yet taken, that `is_meant`; others stay for later.
    ///
    /// # Errors
    /// When it does not come within `timeout` (`what` says what was waited for), or the program ends.
    pub(crate) fn hear(
        &mut self,
        what: &str,
        timeout: Duration,
        is_meant: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        if let Some(index) = self.heard.iter().position(&is_meant) {
            return self.heard.remove(index).context("an object that was there");
        }
        let start = Instant::now();
        loop {
            let line = match self.lines.recv_timeout(timeout.saturating_sub(start.elapsed())) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => {
                    bail!("{what}: not heard within {} s; but: {:?}", timeout.as_secs(), self.heard)
                }
                Err(RecvTimeoutError::Disconnected) => bail!("{what}: the program has ended"),
            };
            let value = serde_json::from_str(&line).with_context(|| format!("not JSON: {line}"))?;
            if is_meant(&value) {
                return Ok(value);
            }
            self.heard.push_back(value);
            if self.heard.len() > MAX_LINES {
                bail!("{what}: the program says too much");
            }
        }
    }

    /// Kills the program at once, as a crash would end it.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }
}
