//! The lab's hand inside a virtual machine: carries out what the host asks for over the virtio serial port.
//!
//! Started by a systemd unit of the lab's guest as root. It trusts the host completely, and nobody else can reach the port.

mod jobs;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use lotse_lab_guest::{MAX_FRAME_BYTES, PORT, Reply, Request};

/// How often to look whether the host has opened its end.
const RETRY: Duration = Duration::from_millis(50);

/// How long the port may take to appear while the machine boots.
const APPEARS: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let port = Path::new("/dev/virtio-ports").join(PORT);
    match serve(&port) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{}: {error}", port.display()));
            ExitCode::FAILURE
        }
    }
}

/// Answers requests for ever. The host may go and come back; the port then reads as ended for a while.
fn serve(port: &Path) -> io::Result<()> {
    let mut stream = open(port)?;
    loop {
        match Request::read_from(&mut stream) {
            Ok(Some(request)) => {
                if let Err(error) = answer(request).write_to(&mut stream) {
                    complain(&format!("the host left before its answer: {error}"));
                }
            }
            Ok(None) => thread::sleep(RETRY),
            Err(error) => {
                complain(&format!("starting over: {error}"));
                thread::sleep(RETRY);
            }
        }
    }
}

fn open(port: &Path) -> io::Result<File> {
    let start = Instant::now();
    loop {
        match OpenOptions::new().read(true).write(true).open(port) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && start.elapsed() < APPEARS => {
                thread::sleep(RETRY);
            }
            result => return result,
        }
    }
}

fn answer(request: Request) -> Reply {
    let result = match request {
        Request::Ping { nonce } => Ok(Reply::Pong { nonce }),
        Request::Run { command, stdin, timeout_ms } => {
            jobs::run(&command, stdin, Duration::from_millis(timeout_ms.into()))
        }
        Request::Spawn { command, log } => jobs::spawn(&command, Path::new(&log)),
        Request::Put { path, mode, content } => put(Path::new(&path), mode, &content),
        Request::Get { path } => get(Path::new(&path)),
        Request::Refresh { unix_ms, entropy } => refresh(unix_ms, &entropy),
        _ => Err(io::Error::from(io::ErrorKind::Unsupported)),
    };
    result.unwrap_or_else(|error| Reply::Failed { reason: error.to_string() })
}

/// Writes beside the place and renames, so that a program that is running can be replaced.
fn put(path: &Path, mode: u32, content: &[u8]) -> io::Result<Reply> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let mut file = File::create(&fresh)?;
    file.write_all(content)?;
    file.set_permissions(fs::Permissions::from_mode(mode & 0o7777))?;
    drop(file);
    fs::rename(&fresh, path)?;
    Ok(Reply::Done)
}

fn get(path: &Path) -> io::Result<Reply> {
    let content = fs::read(path)?;
    // Room for the reply's tag and length.
    if content.len() > MAX_FRAME_BYTES - 5 {
        return Err(io::Error::other(format!("{} bytes are too many", content.len())));
    }
    Ok(Reply::File { content })
}

fn refresh(unix_ms: u64, entropy: &[u8]) -> io::Result<Reply> {
    OpenOptions::new().write(true).open("/dev/urandom")?.write_all(entropy)?;
    let time = format!("@{}.{:03}", unix_ms / 1000, unix_ms % 1000);
    let done = Command::new("date").args(["--set", &time]).stdout(Stdio::null()).status()?;
    if done.success() { Ok(Reply::Done) } else { Err(io::Error::other("date --set failed")) }
}

/// To the journal, where the unit sends standard error.
fn complain(what: &str) {
    let _ = writeln!(io::stderr(), "lotse-lab-guest: {what}");
}
