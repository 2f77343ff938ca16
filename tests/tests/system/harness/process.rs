//! A program as a child process, all that it says, and its end.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use super::PATIENCE;

/// Lines of one program that are kept; more, and something runs wild.
const MAX_LINES: usize = 20_000;

/// A running program. It is killed when dropped; its output is printed if the test fails.
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    stdin: Option<ChildStdin>,
    said: Arc<Said>,
}

/// All lines that were said, in the order in which they came.
#[derive(Default)]
struct Said {
    lines: Mutex<Vec<Line>>,
    more: Condvar,
}

/// One line of a program.
#[derive(Clone)]
pub(crate) struct Line {
    /// When it came.
    pub(crate) at: Instant,
    /// Whether it is on standard output.
    pub(crate) is_output: bool,
    /// The line without its end.
    pub(crate) text: String,
}

impl Process {
    /// Starts a program.
    pub(crate) fn start(name: &'static str, command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let said = Arc::new(Said::default());
        let stdin = child.stdin.take();
        listen(child.stdout.take().unwrap(), true, Arc::clone(&said));
        listen(child.stderr.take().unwrap(), false, Arc::clone(&said));
        Self { name, child, stdin, said }
    }

    /// The process's number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Writes a line to its standard input.
    pub(crate) fn tell(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        writeln!(stdin, "{line}")
            .and_then(|()| stdin.flush())
            .unwrap_or_else(|error| panic!("{} does not listen to {line:?}: {error}", self.name));
    }

    /// How many lines it has said until now: to wait only for later ones.
    pub(crate) fn mark(&self) -> usize {
        self.said.lines.lock().unwrap().len()
    }

    /// What it has said on standard output from `mark` on.
    pub(crate) fn lines_since(&self, mark: usize) -> Vec<String> {
        let lines = self.said.lines.lock().unwrap();
        let new = lines.iter().skip(mark).filter(|line| line.is_output);
        new.map(|line| line.text.clone()).collect()
    }

    /// The first line from `mark` on of which something is true.
    ///
    /// # Panics
    /// When it does not come in time.
    pub(crate) fn wait_line<T>(
        &self,
        mark: usize,
        limit: Duration,
        what: &str,
        mut find: impl FnMut(&Line) -> Option<T>,
    ) -> T {
        let deadline = Instant::now() + limit;
        let mut next = mark;
        let mut lines = self.said.lines.lock().unwrap();
        loop {
            while let Some(line) = lines.get(next) {
                if let Some(found) = find(line) {
                    return found;
                }
                next += 1;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                // Free for whoever prints them.
                drop(lines);
                panic!("{} did not say within {limit:?}: {what}", self.name);
            }
            lines = self.said.more.wait_timeout(lines, left).unwrap().0;
        }
    }

    /// Waits for a line that contains a text; when it came.
    pub(crate) fn wait_text(&self, mark: usize, text: &str) -> Instant {
        self.wait_line(mark, PATIENCE, text, |line| line.text.contains(text).then_some(line.at))
    }

    /// Whether it runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Ends it without giving it a chance to say anything (SIGKILL).
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        let status = self.child.wait();
        if std::thread::panicking() {
            let lines = self.said.lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let first = lines.first().map(|line| line.at);
            eprintln!("---- {} said, and ended with {status:?}", self.name);
            for line in lines.iter() {
                let since = first.map_or(0.0, |first| (line.at - first).as_secs_f64());
                let mark = if line.is_output { '>' } else { '!' };
                eprintln!("{since:8.3} {mark} {}", line.text);
            }
        }
    }
}

/// Collects what comes out of a pipe until it closes.
fn listen(pipe: impl Read + Send + 'static, is_output: bool, said: Arc<Said>) {
    std::thread::spawn(move || {
        for text in BufReader::new(pipe).lines().map_while(Result::ok) {
            let mut lines = said.lines.lock().unwrap();
            if lines.len() < MAX_LINES {
                lines.push(Line { at: Instant::now(), is_output, text });
            }
            said.more.notify_all();
        }
    });
}
