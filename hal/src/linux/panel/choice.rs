//! By which way the panel is to be shown.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// By which way the panel is to be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PanelChoice {
    /// `auto`: by the first that is seen.
    #[default]
    Auto,
    /// `wayland` or `wayland:/run/user/1000/wayland-0`: as a client of a Wayland compositor.
    Wayland {
        /// The compositor's socket; the first that may be believed if none is named.
        socket: Option<PathBuf>,
    },
    /// `x11` or `x11:0`: as a window of an X server.
    X11 {
        /// The display; the first that lets us in if none is named.
        display: Option<u16>,
    },
    /// `overlay`: on a free plane of the graphics card, above what its owner shows.
    Overlay,
    /// `fbdev`: drawn in the frame buffer, on a terminal of its own where there is one.
    FrameBuffer,
}

/// Why a text is no [`PanelChoice`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is none of auto, wayland[:SOCKET], x11[:DISPLAY], overlay, fbdev")]
pub struct ParsePanelChoiceError(String);

impl FromStr for PanelChoice {
    type Err = ParsePanelChoiceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || ParsePanelChoiceError(text.to_owned());
        match text.split_once(':').map_or((text, None), |(kind, rest)| (kind, Some(rest))) {
            ("auto", None) => Ok(Self::Auto),
            ("overlay", None) => Ok(Self::Overlay),
            ("fbdev", None) => Ok(Self::FrameBuffer),
            ("wayland", Some("")) => Err(refused()),
            ("wayland", socket) => Ok(Self::Wayland { socket: socket.map(PathBuf::from) }),
            ("x11", display) => {
                let display = display.map(str::parse).transpose().map_err(|_| refused())?;
                Ok(Self::X11 { display })
            }
            _ => Err(refused()),
        }
    }
}

impl fmt::Display for PanelChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Wayland { socket: None } => f.write_str("wayland"),
            Self::Wayland { socket: Some(socket) } => write!(f, "wayland:{}", socket.display()),
            Self::X11 { display: None } => f.write_str("x11"),
            Self::X11 { display: Some(display) } => write!(f, "x11:{display}"),
            Self::Overlay => f.write_str("overlay"),
            Self::FrameBuffer => f.write_str("fbdev"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_written_as_they_are_read() {
        let texts =
            ["auto", "wayland", "wayland:/run/wayland-0", "x11", "x11:1", "overlay", "fbdev"];
        for text in texts {
            assert_eq!(text.parse::<PanelChoice>().unwrap().to_string(), text);
        }
        for text in ["", "Auto", "auto:", "wayland:", "x11:", "x11:a", "overlay:", "fbdev:/dev/fb0"]
        {
            assert!(text.parse::<PanelChoice>().is_err(), "{text}");
        }
    }
}
