//! Which screen is really shown, and why the others are not it.
//!
//! The node that exists is not the node that is shown. With a DRM driver, `/dev/fb0` is an
//! emulation that nobody sees while a compositor is master of the card; without one, it is all
//! there is. So a DRM connector that is being driven wins; a frame buffer is taken only if it
//! is no emulation, or its card has no master.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::drm::{Card, DrmScreen};
use super::fbdev::{FbdevScreen, FrameBuffer, Lies};
use super::file_screen::FileScreen;
use super::mounting::Mounting;
use super::wayland::WaylandScreen;
use super::x11::{self, X11Screen};
use crate::{Error, ErrorKind, Orientation, Screen, ScreenInfo, Size};

/// Which screen is to be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScreenChoice {
    /// `auto`: the one that is shown.
    #[default]
    Auto,
    /// `drm` or `drm:HDMI-A-1`: what a graphics card scans out.
    Drm {
        /// The connector; the first that is driven if none is named.
        connector: Option<String>,
    },
    /// `fbdev` or `fbdev:/dev/fb1`: a frame buffer, shown or not.
    Fbdev {
        /// The node; the first that there is if none is named.
        path: Option<PathBuf>,
    },
    /// `x11` or `x11:0`: what an X server of this machine shows.
    X11 {
        /// The display; the first that lets us in if none is named.
        display: Option<u16>,
    },
    /// `wayland` or `wayland:/run/user/1000/wayland-0`: what a Wayland compositor of this machine
    /// shows.
    Wayland {
        /// The compositor's socket; the first that may be believed if none is named.
        socket: Option<PathBuf>,
    },
    /// `file:PATH:WIDTHxHEIGHT`: a plain file of pixels, see [`FileScreen`].
    File {
        /// The file.
        path: PathBuf,
        /// Size of its picture.
        size: Size,
    },
}

/// Why a text is no [`ScreenChoice`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is none of auto, drm[:CONNECTOR], fbdev[:/dev/fbN], x11[:DISPLAY], wayland[:SOCKET], file:PATH:WIDTHxHEIGHT"
)]
pub struct ParseScreenChoiceError(String);

impl FromStr for ScreenChoice {
    type Err = ParseScreenChoiceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || ParseScreenChoiceError(text.to_owned());
        let (kind, rest) = match text.split_once(':') {
            Some((_, "")) => return Err(refused()),
            Some((kind, rest)) => (kind, Some(rest)),
            None => (text, None),
        };
        match (kind, rest) {
            ("auto", None) => Ok(Self::Auto),
            ("drm", connector) => Ok(Self::Drm { connector: connector.map(str::to_owned) }),
            ("fbdev", path) => Ok(Self::Fbdev { path: path.map(PathBuf::from) }),
            ("x11", display) => {
                let display = display.map(str::parse).transpose().map_err(|_| refused())?;
                Ok(Self::X11 { display })
            }
            ("wayland", socket) => Ok(Self::Wayland { socket: socket.map(PathBuf::from) }),
            ("file", Some(rest)) => {
                let (path, size) = rest.rsplit_once(':').ok_or_else(refused)?;
                let (width, height) = size.split_once('x').ok_or_else(refused)?;
                let side = |text: &str| text.parse().map_err(|_| refused());
                let size = Size::new(side(width)?, side(height)?);
                if path.is_empty() || !size.is_plausible() {
                    return Err(refused());
                }
                Ok(Self::File { path: path.into(), size })
            }
            _ => Err(refused()),
        }
    }
}

impl fmt::Display for ScreenChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Drm { connector: None } => f.write_str("drm"),
            Self::Drm { connector: Some(connector) } => write!(f, "drm:{connector}"),
            Self::Fbdev { path: None } => f.write_str("fbdev"),
            Self::Fbdev { path: Some(path) } => write!(f, "fbdev:{}", path.display()),
            Self::X11 { display: None } => f.write_str("x11"),
            Self::X11 { display: Some(display) } => write!(f, "x11:{display}"),
            Self::Wayland { socket: None } => f.write_str("wayland"),
            Self::Wayland { socket: Some(socket) } => write!(f, "wayland:{}", socket.display()),
            Self::File { path, size } => {
                write!(f, "file:{}:{}x{}", path.display(), size.width, size.height)
            }
        }
    }
}

/// A screen that was not chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Which, as in `/dev/fb0 (virtio_gpudrmfb)`.
    pub name: String,
    /// Why not.
    pub reason: String,
}

/// The screen that was chosen, and the rest.
pub struct Chosen {
    /// What is shown.
    pub screen: Box<dyn Screen>,
    /// What else there is, and why it is not that.
    pub rejected: Vec<Rejected>,
}

impl fmt::Debug for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chosen")
            .field("screen", &self.screen.info())
            .field("rejected", &self.rejected)
            .finish()
    }
}

/// A screen that there is, whether or not it shows anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The choice that means this one.
    pub choice: ScreenChoice,
    /// What is known of it, for people, as in `virtio_gpu, driven`.
    pub about: String,
    /// Whether it shows a picture of its own, as far as that is known without reading it.
    pub is_live: bool,
}

/// All screens of this machine: connectors of its cards, frame buffers, X servers.
///
/// What cannot be looked at is left out; [`choose`] tells why.
pub fn outputs() -> Vec<Output> {
    let mut outputs = Vec::new();
    for card in Card::paths().iter().filter_map(|path| Card::open(path).ok()) {
        for connector in card.connectors().unwrap_or_default() {
            let state = match (connector.crtc, connector.connected) {
                (Some(_), _) => "driven",
                (None, true) => "connected, but not driven",
                (None, false) => "not connected",
            };
            let (is_live, about) =
                (connector.crtc.is_some(), format!("{}, {state}", card.driver()));
            let choice = ScreenChoice::Drm { connector: Some(connector.name) };
            outputs.push(Output { choice, about, is_live });
        }
    }
    for path in FrameBuffer::paths() {
        let (about, is_live) = (frame_buffer_name(&path), card_of(&path).is_none());
        let choice = ScreenChoice::Fbdev { path: Some(path) };
        outputs.push(Output { choice, about, is_live });
    }
    for display in x11::displays() {
        let choice = ScreenChoice::X11 { display: Some(display) };
        outputs.push(Output { choice, about: "X server".to_owned(), is_live: false });
    }
    outputs
}

/// Opens the screen that is meant, upright by what is known of its mounting.
///
/// # Errors
/// [`ErrorKind::Permission`] if only a lack of rights is in the way, else
/// [`ErrorKind::Unsupported`] with all reasons; for a choice that names one screen, its error.
pub fn choose(choice: &ScreenChoice, mounting: &Mounting) -> Result<Chosen, Error> {
    let mut search = Search { mounting: mounting.clone(), ..Search::default() };
    let screen: Box<dyn Screen> = match choice {
        ScreenChoice::Auto => return search.automatic(),
        ScreenChoice::Drm { connector } => match search.drm(connector.as_deref()) {
            Some(screen) => Box::new(screen),
            None => return Err(search.failed()),
        },
        ScreenChoice::Fbdev { path: Some(path) } => {
            Box::new(FbdevScreen::open(path, lies(path, mounting))?)
        }
        ScreenChoice::Fbdev { path: None } => match search.any_frame_buffer() {
            Some(screen) => screen,
            None => return Err(search.failed()),
        },
        ScreenChoice::X11 { display: Some(display) } => {
            Box::new(X11Screen::open(*display, mounting)?)
        }
        ScreenChoice::X11 { display: None } => match search.any_x_server() {
            Some(screen) => screen,
            None => return Err(search.failed()),
        },
        ScreenChoice::Wayland { socket } => {
            Box::new(WaylandScreen::open(socket.as_deref(), mounting)?)
        }
        ScreenChoice::File { path, size } => {
            let mounting = mounting.of(Orientation::UPRIGHT);
            Box::new(FileScreen::open(path, *size, mounting)?)
        }
    };
    Ok(Chosen { screen, rejected: search.rejected })
}

/// A search for the screen, and what it met.
#[derive(Default)]
struct Search {
    mounting: Mounting,
    rejected: Vec<Rejected>,
    /// The first refusal for lack of rights.
    permission: Option<Error>,
    /// Whether a card shows something that only its own hardware can read.
    met_tiles: bool,
}

impl Search {
    fn reject(&mut self, name: impl Into<String>, reason: impl Into<String>) {
        self.rejected.push(Rejected { name: name.into(), reason: reason.into() });
    }

    fn reject_error(&mut self, name: impl Into<String>, error: Error) {
        self.reject(name, error.to_string());
        self.met_tiles |= matches!(error, Error::Tiled { .. });
        if error.kind() == ErrorKind::Permission && self.permission.is_none() {
            self.permission = Some(error);
        }
    }

    fn failed(self) -> Error {
        if let Some(error) = self.permission {
            return error;
        }
        let reasons: Vec<_> =
            self.rejected.iter().map(|one| format!("{}: {}", one.name, one.reason)).collect();
        if reasons.is_empty() {
            return Error::Unsupported("this machine has no screen".to_owned());
        }
        Error::Unsupported(format!("no screen can be read; {}", reasons.join("; ")))
    }

    fn automatic(mut self) -> Result<Chosen, Error> {
        let mut screen: Option<Box<dyn Screen>> =
            self.drm(None).map(|screen| Box::new(screen) as Box<dyn Screen>);
        if self.met_tiles {
            // Whoever drew that can be asked.
            screen = self.any_compositor().or_else(|| self.any_x_server());
        }
        for path in FrameBuffer::paths() {
            if screen.is_none() {
                screen = self.shown_frame_buffer(&path);
            } else {
                self.reject(frame_buffer_name(&path), "a graphics card shows something else");
            }
        }
        if screen.is_none() && !self.met_tiles {
            // No device shows anything that can be read; somebody may draw by other means.
            screen = self.any_compositor().or_else(|| self.any_x_server());
        }
        match screen {
            Some(screen) => Ok(Chosen { screen, rejected: self.rejected }),
            None => Err(self.failed()),
        }
    }

    /// The first connector that is driven and can be read.
    fn drm(&mut self, connector: Option<&str>) -> Option<DrmScreen> {
        let mut found = None;
        for path in Card::paths() {
            let name = path.display().to_string();
            if found.is_some() {
                self.reject(name, "another card shows something");
                continue;
            }
            let screen =
                Card::open(&path).and_then(|card| DrmScreen::new(card, connector, &self.mounting));
            match screen.and_then(DrmScreen::readable) {
                Ok(screen) => found = Some(screen),
                Err(error) => self.reject_error(name, error),
            }
        }
        found
    }

    /// A frame buffer, if it is what is shown as far as can be told.
    fn shown_frame_buffer(&mut self, path: &Path) -> Option<Box<dyn Screen>> {
        if let Some(card) = card_of(path) {
            match Card::open(&card) {
                Ok(card) if card.has_other_master() => {
                    let reason = format!("another program draws on {}", card.path().display());
                    self.reject(frame_buffer_name(path), reason);
                    return None;
                }
                Ok(_) => {}
                Err(error) => {
                    self.reject_error(frame_buffer_name(path), error);
                    return None;
                }
            }
        }
        self.frame_buffer(path)
    }

    fn frame_buffer(&mut self, path: &Path) -> Option<Box<dyn Screen>> {
        match FbdevScreen::open(path, lies(path, &self.mounting)) {
            Ok(screen) => Some(Box::new(screen)),
            Err(error) => {
                self.reject_error(frame_buffer_name(path), error);
                None
            }
        }
    }

    fn any_compositor(&mut self) -> Option<Box<dyn Screen>> {
        match WaylandScreen::open(None, &self.mounting) {
            Ok(screen) => Some(Box::new(screen)),
            Err(error) => {
                self.reject_error("Wayland compositors", error);
                None
            }
        }
    }

    fn any_x_server(&mut self) -> Option<Box<dyn Screen>> {
        for display in x11::displays() {
            match X11Screen::open(display, &self.mounting) {
                Ok(screen) => return Some(Box::new(screen)),
                Err(error) => self.reject_error(format!("X server :{display}"), error),
            }
        }
        if self.rejected.is_empty() {
            self.reject("X servers", "none is running");
        }
        None
    }

    fn any_frame_buffer(&mut self) -> Option<Box<dyn Screen>> {
        FrameBuffer::paths().iter().find_map(|path| self.frame_buffer(path))
    }
}

fn sysfs_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn frame_buffer_name(path: &Path) -> String {
    let name = sysfs_name(path);
    match std::fs::read_to_string(format!("/sys/class/graphics/{name}/name")) {
        Ok(driver) => format!("{} ({})", path.display(), driver.trim()),
        Err(_) => path.display().to_string(),
    }
}

/// The card that a frame buffer is an emulation of; `None` if it is none.
pub(crate) fn card_of(frame_buffer: &Path) -> Option<PathBuf> {
    let device = |class: &str, name: &str| {
        std::fs::canonicalize(format!("/sys/class/{class}/{name}/device")).ok()
    };
    let wanted = device("graphics", &sysfs_name(frame_buffer))?;
    Card::paths()
        .into_iter()
        .find(|card| device("drm", &sysfs_name(card)).as_ref() == Some(&wanted))
}

/// How the picture of a frame buffer lies. What its card says counts while the frame buffer is
/// what that card shows.
pub(crate) fn lies(frame_buffer: &Path, mounting: &Mounting) -> Lies {
    display_of(frame_buffer, mounting).0
}

/// How the picture of a frame buffer lies, and how large a part of it its card's first display
/// shows, as it is stored: where displays of several sizes show the same, the frame buffer's own
/// mode is the smallest of each side, but the memory has all that the largest shows.
pub(crate) fn display_of(frame_buffer: &Path, mounting: &Mounting) -> (Lies, Option<Size>) {
    let card = card_of(frame_buffer).and_then(|card| Card::open(&card).ok());
    let screen = card.and_then(|card| DrmScreen::new(card, None, mounting).ok());
    match screen {
        Some(screen) => {
            let ScreenInfo { mounting, size, .. } = screen.info();
            let lies = Lies { rotation: screen.rotation(), mounting };
            (lies, Some(lies.upright().inverse().size(size)))
        }
        None => (Lies { mounting: mounting.of(Orientation::UPRIGHT), ..Lies::default() }, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_written_as_they_are_read() {
        for text in [
            "auto",
            "drm",
            "drm:HDMI-A-1",
            "fbdev",
            "fbdev:/dev/fb1",
            "x11",
            "x11:1",
            "wayland",
            "wayland:/run/user/1000/wayland-0",
            "file:/a:b/c:800x480",
        ] {
            assert_eq!(text.parse::<ScreenChoice>().unwrap().to_string(), text);
        }
        let file = "file:/a:b/c:800x480".parse();
        assert_eq!(
            file,
            Ok(ScreenChoice::File { path: "/a:b/c".into(), size: Size::new(800, 480) })
        );
    }

    #[test]
    fn other_texts_are_refused() {
        let texts = [
            "",
            "Auto",
            "auto:",
            "drm:",
            "wayland:",
            "x11::0",
            "x11:a",
            "file",
            "file:/a",
            "file:/a:0x5",
            "file::5x5",
            "file:/a:5x-5",
        ];
        for text in texts {
            assert!(text.parse::<ScreenChoice>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_choice_that_names_one_screen_tells_of_that_alone() {
        let choice = ScreenChoice::File { path: "/nonexistent".into(), size: Size::new(5, 5) };
        assert_eq!(choose(&choice, &Mounting::default()).unwrap_err().kind(), ErrorKind::Gone);
    }
}
