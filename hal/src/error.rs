//! What can go wrong at the machine, sorted by what the caller should do about it.

use std::io;

/// What a caller should do about an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The device is gone or has changed; look for it again.
    Gone,
    /// The process lacks a right; the operator must act.
    Permission,
    /// Try the same call again later.
    Temporary,
    /// This machine cannot do it; choose another way.
    Unsupported,
    /// The device answered something that makes no sense.
    Broken,
}

/// An error of the machine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A system call failed.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done, as in "open /dev/fb0".
        doing: String,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// The machine cannot do what was asked, and why.
    #[error("{0}")]
    Unsupported(String),
    /// The screen's memory is not row by row, in a way that only its own hardware knows.
    #[error(
        "{driver} shows a picture that is stored in tiles ({}); let what draws it use plain rows \
         (weston: --renderer=pixman, or --use-pixman; wlroots compositors: WLR_RENDERER=pixman; \
         Xorg: Option \"AccelMethod\" \"none\"), or read an X server with screen.source = \"x11\"",
        match .modifier { Some(modifier) => format!("modifier {modifier:#018x}"), None => "how is not told".to_owned() }
    )]
    Tiled {
        /// The graphics driver.
        driver: String,
        /// `DRM_FORMAT_MOD_*`; `None` if the owner left it to the driver.
        modifier: Option<u64>,
    },
    /// The device described itself in a way that cannot be true, or that exceeds a bound.
    #[error("{device}: {problem}")]
    Broken {
        /// The device, as in "/dev/dri/card0".
        device: String,
        /// What is wrong with its answer.
        problem: String,
    },
    /// The device is gone or has changed its identity.
    #[error("{0} is gone")]
    Gone(String),
}

impl Error {
    /// An [`Error::Io`] with its context.
    pub fn io(doing: impl Into<String>, source: io::Error) -> Self {
        Self::Io { doing: doing.into(), source }
    }

    /// What the caller should do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { source, .. } => match source.raw_os_error() {
                Some(code) if code == nix::libc::ENODEV || code == nix::libc::ENXIO => {
                    ErrorKind::Gone
                }
                Some(code)
                    if code == nix::libc::EAGAIN
                        || code == nix::libc::EINTR
                        || code == nix::libc::EBUSY =>
                {
                    ErrorKind::Temporary
                }
                Some(code)
                    if code == nix::libc::ENOSYS
                        || code == nix::libc::EOPNOTSUPP
                        || code == nix::libc::ENOTTY =>
                {
                    ErrorKind::Unsupported
                }
                _ => match source.kind() {
                    io::ErrorKind::NotFound => ErrorKind::Gone,
                    io::ErrorKind::PermissionDenied => ErrorKind::Permission,
                    _ => ErrorKind::Broken,
                },
            },
            Self::Unsupported(_) | Self::Tiled { .. } => ErrorKind::Unsupported,
            Self::Broken { .. } => ErrorKind::Broken,
            Self::Gone(_) => ErrorKind::Gone,
        }
    }
}
