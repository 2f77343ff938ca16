//! Commands that the host wants run.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use lotse_lab_guest::Reply;

/// Most that is kept of one output stream, in bytes; the command can write more, but it is dropped.
const MAX_OUTPUT_BYTES: u64 = 16 * 1024 * 1024;

/// How often to look whether a command has ended.
const POLL: Duration = Duration::from_millis(2);

/// After the command itself has ended, how long to wait for programs it left behind to close its output.
const LINGER: Duration = Duration::from_millis(200);

/// Runs `command` to its end, or kills its process group when `timeout` is over.
pub(crate) fn run(command: &str, stdin: Vec<u8>, timeout: Duration) -> io::Result<Reply> {
    let mut child = shell(command)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut pipe) = child.stdin.take() {
        // A command that does not read its input must not block the rest; the error is its business.
        thread::spawn(move || pipe.write_all(&stdin));
    }
    let stdout = child.stdout.take().map(Collector::start);
    let stderr = child.stderr.take().map(Collector::start);
    let (status, timed_out) = wait(&mut child, timeout)?;
    Ok(Reply::Ended {
        status: code(status),
        timed_out: timed_out.into(),
        stdout: stdout.map(Collector::finish).unwrap_or_default(),
        stderr: stderr.map(Collector::finish).unwrap_or_default(),
    })
}

/// Starts `command` and leaves it alone; a thread takes its exit status so that it does not stay as a zombie.
pub(crate) fn spawn(command: &str, log: &Path) -> io::Result<Reply> {
    let log = File::create(log)?;
    let mut child =
        shell(command).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
    let pid = child.id();
    thread::spawn(move || child.wait());
    Ok(Reply::Started { pid })
}

fn shell(command: &str) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", command]).current_dir("/root").env("HOME", "/root").process_group(0);
    shell
}

fn wait(child: &mut Child, timeout: Duration) -> io::Result<(ExitStatus, bool)> {
    let start = Instant::now();
    let mut timed_out = false;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok((status, timed_out));
        }
        if !timed_out && start.elapsed() >= timeout {
            timed_out = true;
            Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]).status()?;
        }
        thread::sleep(POLL);
    }
}

fn code(status: ExitStatus) -> u32 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u32::try_from(code).ok()).unwrap_or(u32::MAX)
}

/// Reads one output stream while the command runs, so that a full pipe does not stop it.
struct Collector {
    thread: thread::JoinHandle<()>,
    content: Arc<Mutex<Vec<u8>>>,
}

impl Collector {
    fn start(mut pipe: impl Read + Send + 'static) -> Self {
        let content = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&content);
        let thread = thread::spawn(move || {
            let mut chunk = [0; 16 * 1024];
            let mut room = MAX_OUTPUT_BYTES;
            while let Ok(count @ 1..) = pipe.read(&mut chunk) {
                let keep = (count as u64).min(room);
                room -= keep;
                let kept = chunk.get(..keep as usize).unwrap_or_default();
                if let Ok(mut content) = shared.lock() {
                    content.extend_from_slice(kept);
                }
            }
        });
        Self { thread, content }
    }

    /// What has come. A program left in the background may hold the pipe open: it is waited for only [`LINGER`].
    fn finish(self) -> Vec<u8> {
        let start = Instant::now();
        while !self.thread.is_finished() && start.elapsed() < LINGER {
            thread::sleep(POLL);
        }
        self.content.lock().map(|mut content| std::mem::take(&mut *content)).unwrap_or_default()
    }
}
