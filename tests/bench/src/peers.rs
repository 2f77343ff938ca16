//! Other programs that show a screen from afar, on the same frames.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use lotse_bench::Workload;
use lotse_codec::Size;
use serde_json::{Value, json};

use crate::counter::Counter;
use crate::offered::Offered;
use crate::path::wait_for_last;
use crate::player::{FileStage, Film, Stage};
use crate::process::{MemoryWatch, Program, processor_time};
use crate::rfb;
use crate::x11::XStage;

/// How long a server may take to come up.
const PATIENCE: Duration = Duration::from_secs(20);

/// A way to send a screen without loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Peer {
    /// TigerVNC's own X server
    Xvnc,
    /// TigerVNC's server for a display that is there
    X0vnc,
    /// x11vnc on a display
    X11vnc,
    /// x11vnc on a mapped file of pixels
    X11vncFile,
}

impl Peer {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// Plays one workload through a peer.
///
/// # Errors
/// When a program does not do its part, or the last picture does not come.
pub(crate) fn measure(
    peer: Peer,
    folder: &Path,
    workload: &Workload,
    size: Size,
    seed: u64,
) -> Result<Value> {
    let film = Film::draw(workload, size, seed);
    let offered = Arc::new(Offered::default());
    let mut running = Running::start(peer, folder, size)?;
    film.begin(&mut *running.stage, &offered)?;
    let counter = Counter::start(SocketAddr::from((Ipv4Addr::LOCALHOST, running.port)), None)?;
    // The server may still be coming up, which is not what its first picture costs.
    running.wait_until_up()?;
    let processes = running.server.family();
    let memory = MemoryWatch::start(processes.clone());
    let watched = Instant::now();
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, counter.port()));
    rfb::watch(at, Arc::clone(&offered), PATIENCE)?;
    let context = || format!("{} through {}", workload.name, peer.name());
    wait_for_last(&offered).with_context(context)?;
    let (first, first_wait) = (counter.down(), watched.elapsed());
    thread::sleep(Duration::from_millis(500));
    offered.clear();
    let (before, before_back) = (counter.down(), counter.up());
    let (cpu, start) = (processor_time(&processes), Instant::now());
    film.play(&mut *running.stage, &offered)?;
    wait_for_last(&offered).with_context(context)?;
    let cpu = processor_time(&processes).saturating_sub(cpu);
    let mut report = offered.report();
    if let Value::Object(map) = &mut report {
        map.insert("bytes".into(), (counter.down() - before).into());
        map.insert("bytes_back".into(), (counter.up() - before_back).into());
        map.insert("first_bytes".into(), first.into());
        map.insert("first_ms".into(), (first_wait.as_secs_f64() * 1000.0).into());
        map.insert("cpu_s".into(), cpu.as_secs_f64().into());
        map.insert("wall_s".into(), start.elapsed().as_secs_f64().into());
        map.insert("memory".into(), memory.most().into());
    }
    Ok(json!({ "workload": workload.name, "way": peer.name(), "path": report }))
}

/// A server, and the screen that it shows.
struct Running {
    stage: Box<dyn Stage>,
    server: Program,
    port: u16,
    log: PathBuf,
    _display: Option<Program>,
}

impl Running {
    fn start(peer: Peer, folder: &Path, size: Size) -> Result<Self> {
        let port = free_port()?;
        let log = folder.join(format!("{}.log", peer.name()));
        let (display, number) = match peer {
            Peer::X0vnc | Peer::X11vnc => {
                let (display, number) = start_display(folder, size)?;
                (Some(display), number)
            }
            Peer::Xvnc => (None, free_display()),
            Peer::X11vncFile => (None, 0),
        };
        let name = format!(":{number}");
        let geometry = format!("{}x{}", size.width, size.height);
        let (mut command, file) = command_of(peer, &name, port, &geometry, folder);
        let stage: Option<Box<dyn Stage>> = match (peer, &file) {
            (Peer::X11vncFile, Some(file)) => Some(Box::new(FileStage::create(file, size)?)),
            (Peer::Xvnc, _) => None,
            _ => Some(Box::new(XStage::open(&name, size)?)),
        };
        command.env("DISPLAY", &name);
        let server = Program::start(command, &log, false)?;
        let stage = match stage {
            Some(stage) => stage,
            None => Box::new(open_when_up(&name, size)?),
        };
        Ok(Self { stage, server, port, log, _display: display })
    }

    fn wait_until_up(&mut self) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        while !is_listening(self.port) {
            if Instant::now() > end {
                bail!("no server came up; see {}", self.log.display());
            }
            thread::sleep(Duration::from_millis(50));
        }
        // It looks around before it serves.
        thread::sleep(Duration::from_millis(1000));
        Ok(())
    }
}

/// Starts a server with its usual settings: no password, no encryption, this computer only.
fn command_of(
    peer: Peer,
    display: &str,
    port: u16,
    geometry: &str,
    folder: &Path,
) -> (std::process::Command, Option<PathBuf>) {
    let port = port.to_string();
    let tiger = |command: &mut std::process::Command| {
        command.args(["-rfbport", &port, "-SecurityTypes", "None", "-localhost"]);
    };
    match peer {
        Peer::Xvnc => {
            let mut command = Program::command("Xvnc");
            command.args([display, "-geometry", geometry, "-depth", "24"]);
            tiger(&mut command);
            (command, None)
        }
        Peer::X0vnc => {
            let mut command = Program::command("X0tigervnc");
            command.args(["-display", display]);
            tiger(&mut command);
            (command, None)
        }
        Peer::X11vnc => {
            let mut command = Program::command("x11vnc");
            command.args(["-display", display, "-rfbport", &port, "-forever", "-nopw", "-quiet"]);
            command.args(["-localhost", "-nocursor"]);
            (command, None)
        }
        Peer::X11vncFile => {
            let file = folder.join("screen.bgrx");
            let mut command = Program::command("x11vnc");
            let map = format!("map:{}@{geometry}x32:ff0000/ff00/ff", file.display());
            command.args(["-rawfb", &map, "-rfbport", &port, "-forever", "-nopw", "-quiet"]);
            command.args(["-localhost", "-nocursor"]);
            (command, Some(file))
        }
    }
}

/// An X server without a screen.
pub(crate) fn start_display(folder: &Path, size: Size) -> Result<(Program, u32)> {
    let number = free_display();
    let name = format!(":{number}");
    let mut command = Program::command("Xvfb");
    let screen = format!("{}x{}x24", size.width, size.height);
    command.args([&name, "-screen", "0", &screen, "-nolisten", "tcp", "-noreset"]);
    let display = Program::start(command, &folder.join("xvfb.log"), false)?;
    open_when_up(&name, size)?;
    Ok((display, number))
}

/// Covers a display as soon as it is there.
pub(crate) fn open_when_up(name: &str, size: Size) -> Result<XStage> {
    let end = Instant::now() + PATIENCE;
    loop {
        match XStage::open(name, size) {
            Ok(stage) => return Ok(stage),
            Err(error) if Instant::now() > end => return Err(error),
            Err(_) => thread::sleep(Duration::from_millis(50)),
        }
    }
}

/// The number of an X display that nobody has.
fn free_display() -> u32 {
    let taken = |number: &u32| Path::new(&format!("/tmp/.X11-unix/X{number}")).exists();
    (60..200).find(|number| !taken(number)).unwrap_or(200)
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("a free port")?;
    Ok(listener.local_addr()?.port())
}

/// Whether anybody listens on a port of this computer, without connecting to it.
fn is_listening(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err()
}
