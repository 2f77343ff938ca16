//! What a session may do at a device.

use serde::{Deserialize, Serialize};

/// What a session may do at a device, each named on its own when the person there is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "u16", into = "u16")]
pub struct Rights(u16);

impl Rights {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// See the screen.
    pub const VIEW: Self = Self(1);
    /// Use pointer, touch and keyboard.
    pub const CONTROL: Self = Self(1 << 1);
    /// Point at something for the others to see, without touching it.
    pub const POINTER: Self = Self(1 << 2);
    /// Read files.
    pub const FILE_READ: Self = Self(1 << 3);
    /// Write files.
    pub const FILE_WRITE: Self = Self(1 << 4);
    /// Read and write the clipboard.
    pub const CLIPBOARD: Self = Self(1 << 5);
    /// Use a terminal.
    pub const SHELL: Self = Self(1 << 6);
    /// Restart the device or its application.
    pub const REBOOT: Self = Self(1 << 7);
    /// Show the own screen to the others.
    pub const PRESENT: Self = Self(1 << 8);
    /// Keep what is seen.
    pub const RECORD: Self = Self(1 << 9);
    /// Every right that this version can name.
    pub const KNOWN: Self = Self((1 << 10) - 1);

    /// Both together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both: rights only ever get fewer on their way.
    #[must_use]
    pub const fn capped_by(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in here and not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all of `other` is in here.
    pub const fn allows(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl From<u16> for Rights {
    /// Rights that this version does not know are dropped: what cannot be named is not granted.
    fn from(bits: u16) -> Self {
        Self(bits & Self::KNOWN.0)
    }
}

impl From<Rights> for u16 {
    fn from(rights: Rights) -> Self {
        rights.0
    }
}
