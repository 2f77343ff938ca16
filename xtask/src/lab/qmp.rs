//! QEMU's machine protocol: JSON over a socket. It is the lab's eye (screendump) and finger (input events).

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// How long QEMU may take to answer: a screendump of a busy machine waits for its display.
const ANSWER: Duration = Duration::from_secs(30);

/// A connection to one QEMU.
#[derive(Debug)]
pub(crate) struct Qmp {
    stream: BufReader<UnixStream>,
}

impl Qmp {
    /// Connects to the socket and agrees on capabilities. The socket appears when QEMU starts: it is waited for.
    ///
    /// # Errors
    /// When there is no QEMU behind the socket within `timeout`.
    pub(crate) fn connect(socket: &Path, timeout: Duration) -> Result<Self> {
        let stream = connect(socket, timeout)?;
        stream.set_read_timeout(Some(ANSWER))?;
        stream.set_write_timeout(Some(ANSWER))?;
        let mut qmp = Self { stream: BufReader::new(stream) };
        qmp.message()?;
        qmp.execute("qmp_capabilities", &json!({}))?;
        Ok(qmp)
    }

    /// Runs a command and gives what it returns.
    ///
    /// # Errors
    /// When QEMU is gone, does not answer, or refuses; its words are in the error.
    pub(crate) fn execute(&mut self, command: &str, arguments: &Value) -> Result<Value> {
        let request = json!({ "execute": command, "arguments": arguments });
        let sent = writeln!(self.stream.get_mut(), "{request}");
        sent.with_context(|| format!("QEMU is gone ({command})"))?;
        loop {
            let mut answer =
                self.message().with_context(|| format!("QEMU's answer to {command}"))?;
            if let Some(error) = answer.get("error") {
                bail!("QEMU refuses {command}: {error}");
            }
            // Whatever else comes is an event.
            if let Some(value) = answer.get_mut("return") {
                return Ok(value.take());
            }
        }
    }

    /// Saves the machine's memory and devices to a file. The machine stays stopped afterwards.
    ///
    /// # Errors
    /// When QEMU can't, or takes longer than `timeout`.
    pub(crate) fn save_state(&mut self, file: &Path, timeout: Duration) -> Result<()> {
        self.execute("stop", &json!({}))?;
        let uri = format!("exec:cat > {}", file.display());
        self.execute("migrate", &json!({ "uri": uri }))?;
        let start = Instant::now();
        loop {
            let progress = self.execute("query-migrate", &json!({}))?;
            match progress.get("status").and_then(Value::as_str) {
                Some("completed") => return Ok(()),
                Some("failed" | "cancelled") => bail!("the state can't be saved: {progress}"),
                _ if start.elapsed() > timeout => bail!("saving the state takes too long"),
                _ => thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    fn message(&mut self) -> Result<Value> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            bail!("QEMU closed the connection");
        }
        Ok(serde_json::from_str(&line)?)
    }
}

/// Connects to a socket that QEMU is about to make.
///
/// # Errors
/// When it does not exist, or nobody listens, after `timeout`.
pub(crate) fn connect(socket: &Path, timeout: Duration) -> Result<UnixStream> {
    let start = Instant::now();
    loop {
        match UnixStream::connect(socket) {
            Ok(stream) => return Ok(stream),
            Err(error) if start.elapsed() > timeout => {
                return Err(error).with_context(|| socket.display().to_string());
            }
            Err(_) => thread::sleep(Duration::from_millis(20)),
        }
    }
}
