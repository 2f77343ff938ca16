//! The screen and the panel against a compositor that is played by a thread.

use std::collections::HashMap;
use std::fs::File;
use std::io::{IoSliceMut, Write as _};
use std::os::fd::{AsRawFd as _, RawFd};
use std::os::unix::fs::FileExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};

use super::desktop::Desktop;
use super::interfaces::*;
use super::link::Link;
use super::panel::Shown;
use super::screen::WaylandScreen;
use super::wire::{Event, Id, Request};
use crate::conformance::{self, TestPattern};
use crate::linux::mounting::Mounting;
use crate::linux::sys::adopt_descriptor;
use crate::{Change, Error, ErrorKind, Orientation, Paint as _, Rect, Screen as _, ScreenState};
use crate::{Size, Strip};

const SIZE: Size = Size::new(90, 140);

/// What the played compositor offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Offers {
    /// wlr-screencopy of this version.
    Wlr(u32),
    /// ext-image-copy-capture.
    Ext,
    /// Layers, and nothing to read the picture by; the output is turned so.
    Layers { transform: i32 },
    /// Nothing at all.
    Nothing,
}

/// What the test wants of the compositor.
enum Command {
    /// Show this picture from now on. Answered when all who wait for a change have it.
    Draw(Vec<u8>, SyncSender<()>),
    /// Tell what the surface showed at the last commit: width, and pixels.
    Surface(SyncSender<(u32, Vec<u8>)>),
    /// Send these bytes.
    Say(Vec<u8>),
}

/// A picture that somebody asked for.
#[derive(Debug, Default, Clone, Copy)]
struct Frame {
    id: Id,
    buffer: Id,
    waits: bool,
}

struct Played {
    socket: UnixStream,
    inbox: Vec<u8>,
    offers: Offers,
    kinds: HashMap<Id, &'static str>,
    files: Vec<File>,
    /// Of each buffer, its file, width and bytes from a row to the next.
    buffers: HashMap<Id, (usize, u32, u32)>,
    picture: Vec<u8>,
    frame: Option<Frame>,
    /// What was shown since the last copy.
    has_changed: bool,
    attached: Id,
}

/// Starts a compositor and connects to it.
fn play(offers: Offers) -> (Result<Desktop, Error>, SyncSender<Command>) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    let (sender, commands) = sync_channel(1);
    let mut played = Played {
        socket: theirs,
        inbox: Vec::new(),
        offers,
        kinds: HashMap::from([(display::ID, "wl_display")]),
        files: Vec::new(),
        buffers: HashMap::new(),
        picture: vec![7; (SIZE.width * SIZE.height * 4) as usize],
        frame: None,
        has_changed: true,
        attached: 0,
    };
    std::thread::spawn(move || played.run(&commands));
    let link = Link::over(ours, Path::new("played")).unwrap();
    (Desktop::over(link), sender)
}

impl Played {
    fn run(&mut self, commands: &Receiver<Command>) {
        loop {
            match commands.recv_timeout(Duration::from_millis(1)) {
                Ok(Command::Draw(picture, done)) => {
                    self.picture = picture;
                    self.has_changed = true;
                    self.receive();
                    self.copy_if_due();
                    done.send(()).unwrap();
                }
                Ok(Command::Surface(answer)) => {
                    self.receive();
                    let &(file, width, _) = &self.buffers[&self.attached];
                    let mut pixels = vec![0; self.files[file].metadata().unwrap().len() as usize];
                    self.files[file].read_exact_at(&mut pixels, 0).unwrap();
                    answer.send((width, pixels)).unwrap();
                }
                Ok(Command::Say(bytes)) => self.socket.write_all(&bytes).unwrap(),
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return,
            }
            self.receive();
            self.copy_if_due();
        }
    }

    fn receive(&mut self) {
        let mut bytes = [0; 4096];
        loop {
            let mut space = nix::cmsg_space!([RawFd; 4]);
            let mut slices = [IoSliceMut::new(&mut bytes)];
            let socket = self.socket.as_raw_fd();
            let flags = MsgFlags::MSG_CMSG_CLOEXEC;
            let Ok(message) = recvmsg::<()>(socket, &mut slices, Some(&mut space), flags) else {
                break;
            };
            for control in message.cmsgs().unwrap() {
                if let ControlMessageOwned::ScmRights(fds) = control {
                    self.files
                        .extend(fds.into_iter().map(|fd| adopt_descriptor(fd).unwrap().into()));
                }
            }
            let count = message.bytes;
            if count == 0 {
                break;
            }
            self.inbox.extend(&bytes[..count]);
        }
        while let Some(request) = Event::take(&mut self.inbox).unwrap() {
            self.handle(&request);
        }
    }

    fn say(&self, event: Request) {
        // The other end may have gone.
        (&self.socket).write_all(&event.finish()).ok();
    }

    fn globals(&self) -> Vec<(&'static str, u32)> {
        let mut globals =
            vec![(compositor::NAME, 5), (shm::NAME, 1), (output::NAME, 4), (seat::NAME, 7)];
        match self.offers {
            Offers::Wlr(version) => globals.push((screencopy::NAME, version)),
            Offers::Ext => globals.extend([(capture::SOURCES_NAME, 1), (capture::NAME, 1)]),
            Offers::Layers { .. } => globals.extend([(layer::NAME, 4), (xdg::NAME, 2)]),
            Offers::Nothing => globals.clear(),
        }
        globals
    }

    fn handle(&mut self, request: &Event) {
        let mut arguments = request.arguments();
        let object = request.object;
        match (self.kinds[&object], request.opcode) {
            ("wl_display", display::SYNC) => {
                let id = arguments.uint();
                self.say(Request::new(id, callback::DONE).uint(0));
                self.say(Request::new(display::ID, display::DELETE_ID).uint(id));
            }
            ("wl_display", _) => {
                let id = arguments.uint();
                self.kinds.insert(id, "wl_registry");
                for (name, (interface, version)) in (0..).zip(self.globals()) {
                    let event = Request::new(id, registry::GLOBAL).uint(name);
                    self.say(event.string(interface).uint(version));
                }
            }
            ("wl_registry", _) => {
                let (interface, version) = self.globals()[arguments.uint() as usize];
                assert_eq!(arguments.string(), interface);
                assert!(arguments.uint() <= version, "a version of {interface} that is offered");
                let id = arguments.uint();
                self.kinds.insert(id, interface);
                self.bound(interface, id);
            }
            (compositor::NAME, _) => drop(self.kinds.insert(arguments.uint(), "wl_surface")),
            (shm::NAME, _) => drop(self.kinds.insert(arguments.uint(), "wl_shm_pool")),
            ("wl_shm_pool", shm::POOL_CREATE_BUFFER) => {
                let (id, _) = (arguments.uint(), arguments.int());
                let (width, _, pitch) = (arguments.uint(), arguments.int(), arguments.uint());
                self.kinds.insert(id, "wl_buffer");
                self.buffers.insert(id, (self.files.len() - 1, width, pitch));
            }
            ("wl_surface", surface::ATTACH) => self.attached = arguments.uint(),
            (seat::NAME, _) => drop(self.kinds.insert(arguments.uint(), "wl_pointer")),
            (layer::NAME, _) => {
                let id = arguments.uint();
                self.kinds.insert(id, "layer");
                self.say(Request::new(id, layer::CONFIGURE).uint(3).uint(0).uint(0));
            }
            _ => self.handle_copy(object, request),
        }
    }

    fn bound(&self, interface: &str, id: Id) {
        if interface == output::NAME {
            let transform = match self.offers {
                Offers::Layers { transform } => transform,
                _ => 0,
            };
            let event = (0..5).fold(Request::new(id, output::GEOMETRY), Request::int);
            self.say(event.string("maker").string("model").int(transform));
            let mode = Request::new(id, output::MODE).uint(output::MODE_CURRENT);
            self.say(mode.side(SIZE.width).side(SIZE.height).int(60_000));
            self.say(Request::new(id, output::SCALE).int(1));
            self.say(Request::new(id, output::NAMED).string("HEADLESS-1"));
        }
        if interface == seat::NAME {
            self.say(Request::new(id, seat::CAPABILITIES).uint(seat::CAPABILITY_POINTER));
        }
    }

    fn handle_copy(&mut self, object: Id, request: &Event) {
        let mut arguments = request.arguments();
        match (self.kinds[&object], request.opcode) {
            (screencopy::NAME, screencopy::CAPTURE_OUTPUT) => {
                let id = arguments.uint();
                self.kinds.insert(id, "wlr frame");
                self.frame = Some(Frame { id, ..Frame::default() });
                let event = Request::new(id, screencopy::FRAME_BUFFER).uint(shm::XRGB8888);
                self.say(event.side(SIZE.width).side(SIZE.height).side(SIZE.width * 4));
                if self.offers == Offers::Wlr(3) {
                    self.say(Request::new(id, screencopy::FRAME_BUFFER_DONE));
                }
            }
            ("wlr frame", opcode) if opcode != screencopy::FRAME_DESTROY => {
                let waits = opcode == screencopy::FRAME_COPY_WITH_DAMAGE;
                self.frame = Some(Frame { id: object, buffer: arguments.uint(), waits });
            }
            (capture::SOURCES_NAME, _) => drop(self.kinds.insert(arguments.uint(), "source")),
            (capture::NAME, _) => {
                let id = arguments.uint();
                self.kinds.insert(id, "session");
                let event = Request::new(id, capture::SESSION_BUFFER_SIZE);
                self.say(event.side(SIZE.width).side(SIZE.height));
                for format in [shm::ARGB8888, shm::XRGB8888] {
                    self.say(Request::new(id, capture::SESSION_SHM_FORMAT).uint(format));
                }
                self.say(Request::new(id, capture::SESSION_DONE));
            }
            ("session", capture::SESSION_CREATE_FRAME) => {
                let id = arguments.uint();
                self.kinds.insert(id, "ext frame");
            }
            ("ext frame", capture::FRAME_ATTACH_BUFFER) => {
                self.frame = Some(Frame { id: object, buffer: arguments.uint(), waits: true });
            }
            _ => {}
        }
    }

    /// Copies the picture for whoever waits, at once or because it has changed.
    fn copy_if_due(&mut self) {
        let due = |frame: &Frame| frame.buffer != 0 && (!frame.waits || self.has_changed);
        let Some(frame) = self.frame.filter(due) else { return };
        self.has_changed = false;
        let (file, ..) = self.buffers[&frame.buffer];
        self.files[file].write_all_at(&self.picture, 0).unwrap();
        self.frame = None;
        self.say(match self.kinds[&frame.id] {
            "wlr frame" => Request::new(frame.id, screencopy::FRAME_READY).uint(0).uint(0).uint(0),
            _ => Request::new(frame.id, capture::FRAME_READY),
        });
    }
}

#[test]
fn what_is_drawn_is_copied_and_read() {
    for offers in [Offers::Wlr(1), Offers::Wlr(3), Offers::Ext] {
        let (desktop, compositor) = play(offers);
        let mut screen = WaylandScreen::of(desktop.unwrap(), &Mounting::default()).unwrap();
        assert_eq!(screen.info().name, "HEADLESS-1");
        conformance::screen(&mut screen);
        if offers == Offers::Wlr(1) {
            continue;
        }
        conformance::screen_shows(&mut screen, SIZE, &mut |pixels| {
            let (done, is_done) = sync_channel(1);
            compositor.send(Command::Draw(pixels.to_vec(), done)).unwrap();
            is_done.recv().unwrap();
        });
    }
}

#[test]
fn a_picture_that_stands_still_is_not_copied_again() {
    for offers in [Offers::Wlr(3), Offers::Ext] {
        let (desktop, _compositor) = play(offers);
        let mut screen = WaylandScreen::of(desktop.unwrap(), &Mounting::default()).unwrap();
        screen.read(&mut |_| {}).unwrap();
        for _ in 0..20 {
            let state = screen.poll().unwrap();
            assert_eq!(state, ScreenState::Shown { size: SIZE, change: Change::None });
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

#[test]
fn a_compositor_without_copies_or_without_anything_is_unsupported() {
    let (desktop, _compositor) = play(Offers::Layers { transform: 0 });
    let error = WaylandScreen::of(desktop.unwrap(), &Mounting::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let (desktop, _compositor) = play(Offers::Nothing);
    assert_eq!(desktop.unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn a_refused_request_garbage_and_silence_end_the_connection() {
    let refused = Request::new(display::ID, display::ERROR).uint(2).uint(1).string("no").finish();
    for said in [refused, vec![0; 64]] {
        let (desktop, compositor) = play(Offers::Wlr(3));
        let mut screen = WaylandScreen::of(desktop.unwrap(), &Mounting::default()).unwrap();
        compositor.send(Command::Say(said)).unwrap();
        let deadline = Instant::now() + Duration::from_secs(5);
        let error = loop {
            match screen.poll() {
                Err(error) => break error,
                Ok(_) => assert!(Instant::now() < deadline, "it goes on"),
            }
        };
        assert_eq!(error.kind(), ErrorKind::Broken);
    }
    let (ours, _theirs) = UnixStream::pair().unwrap();
    let silent = Desktop::over(Link::over(ours, Path::new("silent")).unwrap());
    assert_eq!(silent.unwrap_err().kind(), ErrorKind::Gone);
}

#[test]
fn a_part_of_the_panel_is_painted_as_the_output_is_turned() {
    // The output's owner turns windows a quarter against the clock, and so it is mounted.
    for (transform, mounting) in [(0, Orientation::UPRIGHT), (1, Orientation::QUARTER)] {
        let (desktop, compositor) = play(Offers::Layers { transform });
        let upright = if transform == 0 { SIZE } else { Size::new(SIZE.height, SIZE.width) };
        let area = Rect { x: 10, y: 20, width: 30, height: 40 };
        let mounting = Mounting::new(Some(mounting));
        let mut shown = Shown::new(desktop.unwrap(), &mounting, area, false).unwrap();
        let pattern = TestPattern { seed: 9 };
        shown.paint(&pattern).unwrap();
        let (answer, surface) = sync_channel(1);
        compositor.send(Command::Surface(answer)).unwrap();
        let mut expected = vec![0; 30 * 40 * 4];
        pattern.paint(&mut Strip { panel: upright, area, pixels: &mut expected });
        assert_eq!(surface.recv().unwrap(), (30, expected), "transform {transform}");
    }
}
