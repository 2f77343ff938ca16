//! The technician: the console by its command line.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::process::Process;
use super::programs::program;
use super::{PATIENCE, Picture, TECHNICIAN};

/// A console that runs a script as the test writes it.
pub(crate) struct Console {
    process: Process,
    folder: TempDir,
}

impl Console {
    /// Starts one.
    pub(crate) fn start(server: &str) -> Self {
        Self::start_with(server, &[])
    }

    /// Starts one with more options.
    pub(crate) fn start_with(server: &str, options: &[&str]) -> Self {
        Self::start_as(server, TECHNICIAN, options)
    }

    /// Starts one for somebody else.
    pub(crate) fn start_as(server: &str, name: &str, options: &[&str]) -> Self {
        let mut command = Command::new(program("lotse-console"));
        command.args(["--log", "info", "session", "--server", server, "--name", name]);
        command.args(options);
        let process = Process::start("console", &mut command);
        Self { process, folder: tempfile::tempdir().unwrap() }
    }

    /// How much it has said, for the waits.
    pub(crate) fn mark(&self) -> usize {
        self.process.mark()
    }

    /// Has a command done; its answer, which must be a success.
    pub(crate) fn command(&mut self, line: &str) -> Value {
        let answer = self.attempt(line);
        assert_eq!(answer["ok"], true, "{line}: {answer}");
        answer
    }

    /// Has a command done; its answer.
    pub(crate) fn attempt(&mut self, line: &str) -> Value {
        let word = line.split_whitespace().next().unwrap();
        let mark = self.mark();
        self.process.tell(line);
        // Longer than the longest wait that a scenario commands.
        self.process.wait_line(mark, PATIENCE * 2, line, |line| {
            let value: Value = serde_json::from_str(&line.text).ok()?;
            (value["command"] == word).then_some(value)
        })
    }

    /// Waits for an event from `mark` on; when it came, and what it says.
    pub(crate) fn wait_event(&self, mark: usize, event: &str, limit: Duration) -> (Instant, Value) {
        self.process.wait_line(mark, limit, &format!("event {event}"), |line| {
            let value: Value = serde_json::from_str(&line.text).ok()?;
            (value["event"] == event).then_some((line.at, value))
        })
    }

    /// Waits for an event of the terminal from `mark` on.
    pub(crate) fn wait_terminal(&self, mark: usize, what: &str, limit: Duration) -> Value {
        self.process.wait_line(mark, limit, &format!("terminal {what}"), |line| {
            // Nothing that a terminal writes comes out as it is.
            let is_plain = line.text.chars().all(|c| !c.is_control());
            assert!(!line.is_output || is_plain, "{:?}", line.text);
            let value: Value = serde_json::from_str(&line.text).ok()?;
            (value["event"] == "terminal" && value["terminal"] == what).then_some(value)
        })
    }

    /// All that the terminal has written from `mark` on.
    pub(crate) fn terminal_since(&self, mark: usize) -> String {
        let text = |line: &str| {
            let value: Value = serde_json::from_str(line).ok()?;
            Some(value["text"].as_str()?.to_owned())
        };
        self.process.lines_since(mark).iter().filter_map(|line| text(line)).collect()
    }

    /// Opens a session; its number.
    pub(crate) fn open(&mut self) -> String {
        let answer = self.command("open");
        answer["number"].as_str().expect("a number").to_owned()
    }

    /// Waits for a panel and its code.
    pub(crate) fn wait_code(&mut self) -> String {
        self.command("wait-join 20");
        let answer = self.command("code");
        answer["code"].as_str().expect("a code").to_owned()
    }

    /// Waits for the end of the session; when it came, and its reason. `happened` must be there,
    /// since that is what people read.
    pub(crate) fn wait_ended(&self, mark: usize, limit: Duration) -> (Instant, String) {
        let (at, value) = self.wait_event(mark, "ended", limit);
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        assert!(text("happened").ends_with('.'), "no plain words: {value}");
        (at, text("reason"))
    }

    /// The picture that it shows now.
    pub(crate) fn shot(&mut self) -> Picture {
        let path = self.folder.path().join("shot.png");
        self.command(&format!("shot {}", path.display()));
        Picture::from_png(&path)
    }

    /// A command that types a text as it is.
    pub(crate) fn type_text(&mut self, text: &str) {
        self.command(&format!("type {text}"));
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }
}
