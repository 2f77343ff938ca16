//! The panel shown by the machine's own application.
//!
//! The application connects to a socket and is given pictures in shared memory, which it shows
//! above its own. That is all it does: what it says is not listened to. Whether the panel is seen
//! is read from the screen as with every other way, and only physical devices answer. So it needs
//! no trust, and cannot answer for the person. The messages are in `docs/asking.md`.

use std::fs::{self, File, Permissions};
use std::io::{self, IoSlice, Read as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::socket::{ControlMessage, MsgFlags, getsockopt, sendmsg, sockopt};

use super::read_back::is_seen;
use crate::linux::choose::{ScreenChoice, choose};
use crate::linux::mounting::Mounting;
use crate::linux::pixel_format::{BGRX_BYTES, PixelFormat};
use crate::linux::shared_memory;
use crate::{Error, Paint, Panel, Rect, ScreenState, Size, Strip};

/// Rows that are painted at once.
const STRIP_ROWS: u32 = 16;

/// How long the application may take to bring what was painted to the screen: a slow machine needs
/// more than a second for the first picture.
const SETTLE_TIME: Duration = Duration::from_secs(2);

/// The most that is taken at once of what an application says, in bytes.
const MAX_SAID: usize = 4096;

/// Where an application is waited for, and whose it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationConfig {
    /// The socket, made anew; its folder must let the user in.
    pub socket: PathBuf,
    /// The user that the application runs as.
    pub user: u32,
}

/// A panel that an application shows for us.
#[derive(Debug)]
pub(crate) struct ApplicationPanel {
    /// `None` if nobody can be waited for, and why.
    listener: Result<UnixListener, String>,
    user: u32,
    mounting: Mounting,
    application: Option<UnixStream>,
    shown: Option<Shown>,
}

/// What the application was given to show.
#[derive(Debug)]
struct Shown {
    panel: Size,
    area: Rect,
    memory: File,
    settled_at: Instant,
}

/// Listens where an application of any user can connect; whose it is, is asked then.
fn listen(path: &Path) -> io::Result<UnixListener> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o666))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

impl ApplicationPanel {
    /// Begins to wait for the application.
    pub(crate) fn new(config: &ApplicationConfig, mounting: Mounting) -> Self {
        let listener = listen(&config.socket).map_err(|error| {
            let problem = format!("listen on {}: {error}", config.socket.display());
            log::warn!("panel: {problem}");
            problem
        });
        Self { listener, user: config.user, mounting, application: None, shown: None }
    }

    /// The application, if one is there; the newest of several.
    fn application(&mut self) -> Result<&UnixStream, Error> {
        let listener =
            self.listener.as_ref().map_err(|problem| Error::Unsupported(problem.clone()))?;
        while let Ok((socket, _)) = listener.accept() {
            let user = getsockopt(&socket, sockopt::PeerCredentials).map(|peer| peer.uid());
            if user == Ok(self.user) && socket.set_nonblocking(true).is_ok() {
                self.application = Some(socket);
                self.shown = None;
            } else {
                log::warn!(
                    "panel: a program of another user than the application's wants to show it"
                );
            }
        }
        if self.application.as_mut().is_some_and(|socket| !is_there(socket)) {
            self.application = None;
            self.shown = None;
        }
        self.application.as_ref().ok_or_else(|| {
            Error::Unsupported("the machine's application does not offer to show it".to_owned())
        })
    }

    /// Sends a line; with the first one of a picture, its memory.
    fn tell(&mut self, line: &str, memory: Option<&File>) -> Result<(), Error> {
        let socket = self.application()?;
        let fds = memory.map(|memory| [memory.as_raw_fd()]);
        let rights = fds.as_ref().map(|fds| [ControlMessage::ScmRights(fds)]);
        let rights = rights.as_ref().map_or(&[][..], |rights| &rights[..]);
        let bytes = [IoSlice::new(line.as_bytes())];
        let flags = MsgFlags::MSG_NOSIGNAL;
        match sendmsg::<()>(socket.as_raw_fd(), &bytes, rights, flags, None) {
            Ok(sent) if sent == line.len() => Ok(()),
            // One that does not read is as good as none.
            _ => {
                self.application = None;
                self.shown = None;
                Err(Error::Gone("the application that shows the panel".to_owned()))
            }
        }
    }

    fn begin(&mut self, panel: Size, area: Rect) -> Result<Shown, Error> {
        let pitch = area.width as usize * BGRX_BYTES;
        let memory = shared_memory::make(pitch as u64 * u64::from(area.height))
            .map_err(|error| Error::io("make memory to share", error))?;
        Ok(Shown { panel, area, memory, settled_at: Instant::now() })
    }
}

/// Whether the other end is there; what it says is dropped.
fn is_there(socket: &mut UnixStream) -> bool {
    let mut said = [0; MAX_SAID];
    match socket.read(&mut said) {
        Ok(count) => count > 0,
        Err(error) => {
            matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
        }
    }
}

impl Shown {
    /// Paints into the memory; the rows that changed.
    fn paint(&mut self, painter: &dyn Paint) -> Result<Option<(u32, u32)>, Error> {
        let Rect { width, height: rows, .. } = self.area;
        let mut changed: Option<(u32, u32)> = None;
        let (mut pixels, mut y) = (Vec::new(), 0);
        while y < rows {
            let height = STRIP_ROWS.min(rows - y);
            let area = Rect { y: self.area.y + y, height, ..self.area };
            pixels.clear();
            pixels.resize(width as usize * height as usize * BGRX_BYTES, 0);
            painter.paint(&mut Strip { panel: self.panel, area, pixels: &mut pixels });
            let offset = y as usize * width as usize * BGRX_BYTES;
            let is_new = shared_memory::write(&self.memory, offset, &pixels)
                .map_err(|error| Error::io("write into shared memory", error))?;
            if is_new {
                changed = Some((changed.map_or(y, |(first, _)| first), y + height));
            }
            y += height;
        }
        self.settled_at = Instant::now() + SETTLE_TIME;
        Ok(changed)
    }
}

impl Panel for ApplicationPanel {
    fn describe(&self) -> String {
        "application, shown by itself".to_owned()
    }

    fn size(&mut self) -> Result<Size, Error> {
        self.application()?;
        if let Some(shown) = &self.shown {
            return Ok(shown.panel);
        }
        match choose(&ScreenChoice::Auto, &self.mounting)?.screen.poll()? {
            ScreenState::Shown { size, .. } => Ok(size),
            ScreenState::Off => Err(Error::Unsupported("the screen is off".to_owned())),
        }
    }

    fn show(&mut self, area: Rect, painter: &dyn Paint) -> Result<(), Error> {
        let panel = self.size()?;
        let Some(area) = panel.rect().intersection(area) else { return Ok(()) };
        let known = self.shown.take().filter(|shown| shown.area == area);
        let is_known = known.is_some();
        let mut shown = known.map_or_else(|| self.begin(panel, area), Ok)?;
        let changed = shown.paint(painter)?;
        if !is_known {
            let Rect { x, y, width, height } = area;
            let pitch = width as usize * BGRX_BYTES;
            let line = format!(
                "{{\"show\":{{\"x\":{x},\"y\":{y},\"width\":{width},\"height\":{height},\"pitch\":{pitch}}}}}\n"
            );
            self.tell(&line, Some(&shown.memory))?;
        } else if let Some((first, end)) = changed {
            let line = format!("{{\"changed\":{{\"y\":{first},\"height\":{}}}}}\n", end - first);
            self.tell(&line, None)?;
        }
        self.shown = Some(shown);
        Ok(())
    }

    fn verify(&mut self, area: Rect, painter: &dyn Paint) -> Result<bool, Error> {
        self.application()?;
        let Some(shown) = &self.shown else { return Ok(false) };
        // A screen may have fewer colours than the memory.
        let coarse = PixelFormat::from_fourcc(u32::from_le_bytes(*b"RG16"));
        let formats: Vec<_> = std::iter::once(PixelFormat::Bgrx).chain(coarse).collect();
        is_seen(&self.mounting, shown.panel, &formats, area, painter, shown.settled_at)
    }

    fn keep(&mut self) -> Result<(), Error> {
        self.application().map(drop)
    }

    fn hide(&mut self) -> Result<(), Error> {
        match self.shown.take() {
            Some(_) => self.tell("{\"hide\":{}}\n", None),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::IoSliceMut;
    use std::os::fd::RawFd;
    use std::os::unix::fs::FileExt as _;

    use nix::sys::socket::{ControlMessageOwned, recvmsg};
    use nix::unistd::geteuid;

    use super::*;
    use crate::conformance::TestPattern;
    use crate::linux::sys::adopt_descriptor;

    const PANEL: Size = Size::new(90, 140);

    fn panel(folder: &Path, user: u32) -> (ApplicationPanel, UnixStream) {
        let config = ApplicationConfig { socket: folder.join("panel.sock"), user };
        let panel = ApplicationPanel::new(&config, Mounting::default());
        let application = UnixStream::connect(&config.socket).unwrap();
        (panel, application)
    }

    /// As [`Panel::show`], on a machine whose screen has this size.
    fn show(panel: &mut ApplicationPanel, area: Rect, seed: u8) -> Result<(), Error> {
        let (memory, settled_at) = (shared_memory::make(1).unwrap(), Instant::now());
        panel.application()?;
        // The size comes from the screen, which a test has not.
        panel.shown.get_or_insert(Shown {
            panel: PANEL,
            area: Rect::default(),
            memory,
            settled_at,
        });
        panel.show(area, &TestPattern { seed })
    }

    fn hear(socket: &UnixStream) -> (String, Option<File>) {
        let mut bytes = [0; 200];
        let mut space = nix::cmsg_space!([RawFd; 1]);
        let mut slices = [IoSliceMut::new(&mut bytes)];
        let flags = MsgFlags::MSG_CMSG_CLOEXEC;
        let message =
            recvmsg::<()>(socket.as_raw_fd(), &mut slices, Some(&mut space), flags).unwrap();
        let file = message.cmsgs().unwrap().find_map(|control| match control {
            ControlMessageOwned::ScmRights(fds) => Some(adopt_descriptor(fds[0]).unwrap().into()),
            _ => None,
        });
        let count = message.bytes;
        (String::from_utf8(bytes[..count].to_vec()).unwrap(), file)
    }

    #[test]
    fn the_application_is_given_the_picture_and_told_what_changes() {
        let folder = tempfile::tempdir().unwrap();
        let (mut panel, application) = panel(folder.path(), geteuid().as_raw());
        let area = Rect { x: 10, y: 20, width: 30, height: 40 };
        show(&mut panel, area, 1).unwrap();
        let (line, memory) = hear(&application);
        assert_eq!(
            line,
            "{\"show\":{\"x\":10,\"y\":20,\"width\":30,\"height\":40,\"pitch\":120}}\n"
        );
        let (mut is, mut should) = (vec![0; 30 * 40 * 4], vec![0; 30 * 40 * 4]);
        memory.unwrap().read_exact_at(&mut is, 0).unwrap();
        TestPattern { seed: 1 }.paint(&mut Strip { panel: PANEL, area, pixels: &mut should });
        assert_eq!(is, should);
        show(&mut panel, area, 1).unwrap();
        show(&mut panel, area, 2).unwrap();
        assert_eq!(hear(&application).0, "{\"changed\":{\"y\":0,\"height\":40}}\n");
        panel.hide().unwrap();
        assert_eq!(hear(&application).0, "{\"hide\":{}}\n");
    }

    #[test]
    fn one_that_ends_or_is_another_users_shows_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (mut ours, application) = panel(folder.path(), geteuid().as_raw());
        let area = PANEL.rect();
        show(&mut ours, area, 1).unwrap();
        drop(application);
        assert!(ours.show(area, &TestPattern { seed: 1 }).is_err());
        let (mut others, _application) = panel(folder.path(), geteuid().as_raw() + 1);
        assert!(show(&mut others, area, 1).is_err());
    }
}
