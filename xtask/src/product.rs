//! The three programs of the product, built together and started for a demonstration or a measurement.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::host_process::HostProcess;
use crate::{cargo, say};

/// Lines of a program that wait to be read at most.
const MAX_LINES: usize = 1024;

/// The programs, built.
#[derive(Debug)]
pub(crate) struct Product {
    pub(crate) server: PathBuf,
    pub(crate) agent: PathBuf,
    pub(crate) console: PathBuf,
}

impl Product {
    /// Builds server, agent and console in one go, so that what they share is built once.
    ///
    /// # Errors
    /// When cargo can't be started or the build fails; cargo has then said why.
    pub(crate) fn build() -> Result<Self> {
        say::step("building server, agent and console");
        let output = cargo::command()
            .args(["build", "--workspace"])
            .args(["--bin", "lotse-server", "--bin", "lotse-agent", "--bin", "lotse-console"])
            .arg("--message-format=json-render-diagnostics")
            .stderr(Stdio::inherit())
            .output()
            .context("cargo can't be started")?;
        ensure!(output.status.success(), "the build failed");
        let messages = String::from_utf8_lossy(&output.stdout);
        let executables: Vec<PathBuf> = messages
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter_map(|message| message.get("executable")?.as_str().map(PathBuf::from))
            .collect();
        let find = |name: &str| {
            let found = executables.iter().find(|path| path.file_name().is_some_and(|n| n == name));
            found.cloned().with_context(|| format!("cargo built no {name}"))
        };
        Ok(Self {
            server: find("lotse-server")?,
            agent: find("lotse-agent")?,
            console: find("lotse-console")?,
        })
    }
}

/// A session server on a free port of this computer.
#[derive(Debug)]
pub(crate) struct Server {
    /// What agent and console are given.
    pub(crate) address: String,
    _process: HostProcess,
}

impl Server {
    /// Starts it; `folder` gets its data and its log.
    ///
    /// # Errors
    /// When it does not come up.
    pub(crate) fn start(program: &Path, folder: &Path) -> Result<Self> {
        let mut command = HostProcess::command(program);
        command.args(["--listen", "127.0.0.1:0", "--data"]).arg(folder.join("server-data"));
        let mut process = Talking::start(command, &folder.join("server.log"))?;
        let ready = process.wait_for(Duration::from_secs(20), |line| line.get("address").is_some());
        let ready = ready.context("the server does not come up")?;
        let address = ready.get("address").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Self { address, _process: process.process })
    }
}

/// A program that takes lines and answers with JSON, one object a line.
#[derive(Debug)]
pub(crate) struct Talking {
    process: HostProcess,
    input: ChildStdin,
    lines: Receiver<String>,
    log: PathBuf,
}

impl Talking {
    /// Starts it; what it writes to standard error goes to `log`.
    ///
    /// # Errors
    /// When it can't be started.
    pub(crate) fn start(mut command: Command, log: &Path) -> Result<Self> {
        let file = std::fs::File::create(log).with_context(|| log.display().to_string())?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(file);
        let mut process = HostProcess::start_as_is(command)?;
        let input = process.child().stdin.take().context("no standard input")?;
        let output = process.child().stdout.take().context("no standard output")?;
        let (sender, lines) = mpsc::sync_channel(MAX_LINES);
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(std::io::Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self { process, input, lines, log: log.to_owned() })
    }

    /// The process number.
    pub(crate) fn id(&mut self) -> u32 {
        self.process.child().id()
    }

    /// Sends a line.
    ///
    /// # Errors
    /// When the program is gone; with the end of its log.
    pub(crate) fn say(&mut self, line: &str) -> Result<()> {
        writeln!(self.input, "{line}")
            .and_then(|()| self.input.flush())
            .with_context(|| format!("the program is gone:\n{}", tail(&self.log)))
    }

    /// Waits for a line that fits; others are passed over.
    ///
    /// # Errors
    /// When none came in time, or the program ended; with the end of its log.
    pub(crate) fn wait_for(
        &mut self,
        time: Duration,
        fits: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let end = Instant::now() + time;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => match serde_json::from_str::<Value>(&line) {
                    Ok(value) if fits(&value) => return Ok(value),
                    _ => {}
                },
                Err(RecvTimeoutError::Timeout) => {
                    bail!("no answer within {} s:\n{}", time.as_secs(), tail(&self.log))
                }
                Err(RecvTimeoutError::Disconnected) => {
                    bail!("the program ended:\n{}", tail(&self.log))
                }
            }
        }
    }

    /// Sends a command of the console's and waits until it is done.
    ///
    /// # Errors
    /// What the console says against it.
    pub(crate) fn command(&mut self, line: &str, time: Duration) -> Result<Value> {
        self.say(line)?;
        let answer = self.wait_for(time, |value| value.get("command").is_some())?;
        match answer.get("error").and_then(Value::as_str) {
            None => Ok(answer),
            Some(error) => bail!("{line}: {error}"),
        }
    }
}

/// The last lines of a log.
fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(15)..).unwrap_or_default().join("\n")
}

/// A simulated kiosk and the person in front of it.
#[derive(Debug)]
pub(crate) struct Kiosk {
    process: Talking,
}

impl Kiosk {
    /// Starts an agent that simulates its machine; `arguments` come after those that are needed.
    ///
    /// # Errors
    /// When it can't be started or does not reach the server.
    pub(crate) fn start(
        program: &Path,
        server: &Server,
        folder: &Path,
        size: &str,
        arguments: &[&str],
    ) -> Result<Self> {
        let log = folder.join("agent.log");
        let mut command = HostProcess::command(program);
        command.args(["--simulated", size, "--server", &server.address]);
        command.args(["--name", "Bottling line 2"]);
        command.args(arguments);
        let process = Talking::start(command, &log)?;
        let end = Instant::now() + Duration::from_secs(30);
        while !std::fs::read_to_string(&log).unwrap_or_default().contains("connected to") {
            ensure!(Instant::now() < end, "the agent does not reach the server:\n{}", tail(&log));
            thread::sleep(Duration::from_millis(50));
        }
        Ok(Self { process })
    }

    /// The agent's process number.
    pub(crate) fn id(&mut self) -> u32 {
        self.process.id()
    }

    /// The person does something: a line of the simulated kiosk's script.
    ///
    /// # Errors
    /// When the agent is gone.
    pub(crate) fn staff(&mut self, line: &str) -> Result<()> {
        self.process.say(line)
    }

    /// The person types the number and confirms it.
    ///
    /// # Errors
    /// When the agent is gone.
    pub(crate) fn type_number(&mut self, number: &str) -> Result<()> {
        self.staff(&format!("type {number}"))?;
        self.staff("wait 300")?;
        self.staff("key ENTER")
    }

    /// The person reads the question, and accepts it with the keyboard: right, then Enter.
    ///
    /// # Errors
    /// When the agent is gone.
    pub(crate) fn accept(&mut self) -> Result<()> {
        for line in ["wait 2500", "key RIGHT", "wait 300", "key ENTER"] {
            self.staff(line)?;
        }
        Ok(())
    }
}

/// A console without a window, connected to a kiosk.
#[derive(Debug)]
pub(crate) struct Technician {
    console: Talking,
}

impl Technician {
    /// Opens a session, lets the kiosk's person join and accept, and waits for the first picture.
    ///
    /// # Errors
    /// When any of this does not work.
    pub(crate) fn connect(
        program: &Path,
        server: &Server,
        kiosk: &mut Kiosk,
        folder: &Path,
    ) -> Result<Self> {
        let mut command = HostProcess::command(program);
        command.args(["session", "--language", "en", "--name", "Technician"]);
        command.args(["--server", &server.address]);
        let console = Talking::start(command, &folder.join("console.log"))?;
        let mut technician = Self { console };
        let opened = technician.command("open", 30)?;
        let number = opened.get("number").and_then(Value::as_str).context("no number")?.to_owned();
        say::step(&format!("session {number} is open; the person at the kiosk types it"));
        kiosk.type_number(&number)?;
        technician.command("wait-join 60", 70)?;
        say::step("both sides show the same six digits; both people confirm");
        technician.command("confirm --codes-match", 10)?;
        kiosk.accept()?;
        technician.command("wait-connected 60", 70)?;
        technician.command("wait-picture 30", 40)?;
        Ok(technician)
    }

    /// Does one command of the console's; `seconds` bound the wait.
    ///
    /// # Errors
    /// What the console says against it.
    pub(crate) fn command(&mut self, line: &str, seconds: u64) -> Result<Value> {
        self.console.command(line, Duration::from_secs(seconds))
    }
}
