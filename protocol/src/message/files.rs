//! Files at a device: what folders hold, and files on their way in either direction.
//!
//! One thing at a time: whoever asks for the next ends what was before, and the number of each
//! request keeps answers to an earlier one apart. Both directions are bounded by what the other
//! side has taken.

use heapless::String;
use serde::{Deserialize, Serialize};

use super::List;

/// Bytes of a file in one message at most.
pub const MAX_FILE_BYTES: usize = 3072;

/// Bytes of a file that are on their way, and that the other side has not taken, at most.
pub const FILE_WINDOW: u32 = 64 << 10;

/// Bytes of a path at most.
pub const MAX_FILE_PATH: usize = 512;

/// Bytes of a file's name at most. The file that it is written to at first has a longer one.
pub const MAX_FILE_NAME: usize = 240;

/// Entries of a folder in one message at most.
pub const MAX_FILE_ENTRIES: usize = 12;

/// A path at a device: the name of a folder that is set up there, and what is in it, with `/` in
/// between. See [`is_file_path`].
pub type FilePath = String<MAX_FILE_PATH>;

/// A file's name.
pub type FileName = String<MAX_FILE_NAME>;

/// Whether a path has a folder's name and names below it, and nothing that leads elsewhere.
pub fn is_file_path(path: &str) -> bool {
    let is_name = |part: &str| {
        !matches!(part, "" | "." | "..") && part.len() <= MAX_FILE_NAME && !part.contains('\0')
    };
    path.len() <= MAX_FILE_PATH && path.split('/').all(is_name)
}

/// A piece of a file. Its `Debug` says how much, not what.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FileBytes(List<u8, MAX_FILE_BYTES>);

impl FileBytes {
    /// The first [`MAX_FILE_BYTES`] of these.
    pub fn of(bytes: &[u8]) -> Self {
        Self(List::of(bytes.iter().copied()))
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        self.0.iter().as_slice()
    }
}

impl std::fmt::Debug for FileBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FileBytes({})", self.as_slice().len())
    }
}

/// From the moderator to a device, about its files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ToFiles {
    /// What is in this folder? With an empty path: which folders are there?
    List {
        /// The folder.
        path: Box<FilePath>,
        /// Entries whose names come after this one, in the order of their bytes.
        after: Box<FileName>,
    },
    /// A file is wanted.
    Read {
        /// Which.
        path: Box<FilePath>,
        /// From this byte on; what comes before is there already.
        at: u64,
        /// So many bytes may be sent at once; see [`ToFiles::Taken`].
        credit: u32,
    },
    /// So many more bytes may be sent, never more than [`FILE_WINDOW`] at a time.
    Taken(u32),
    /// A file is to be written. The answer says from where on.
    Write {
        /// Which.
        path: Box<FilePath>,
        /// Its size, in bytes.
        size: u64,
        /// Its SHA-256.
        hash: [u8; 32],
        /// Whether one of this name may be replaced.
        may_replace: bool,
    },
    /// The next bytes of it.
    Data(FileBytes),
    /// Nothing more of it. What was written so far is kept, to go on later.
    Cancel,
}

/// From a device to the moderator, about its files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FromFiles {
    /// What was asked for, in the order of the names' bytes.
    Entries {
        /// As many as fit.
        entries: List<FileEntry, MAX_FILE_ENTRIES>,
        /// Whether there are more.
        has_more: bool,
    },
    /// The file is so large, and follows.
    Reading {
        /// In bytes.
        size: u64,
    },
    /// The next bytes of it.
    Data(FileBytes),
    /// The file is awaited from this byte on; what comes before was kept of an earlier time.
    Writing {
        /// In bytes.
        at: u64,
    },
    /// So many more bytes of it are written.
    Taken(u32),
    /// All is done: the whole file has this SHA-256.
    Done {
        /// Of the whole file, also of what was there before.
        hash: [u8; 32],
    },
    /// It does not come to be, or not to its end.
    Failed(FileError),
}

/// Something in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// What it is called.
    pub name: FileName,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// In bytes; 0 of folders.
    pub size: u64,
}

/// Why something about files is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FileError {
    /// No folder is set up at the device.
    NotSetUp,
    /// There is nothing of that name, or no file.
    NotFound,
    /// The right is missing, the folder is not for that, or its user may not.
    NotAllowed,
    /// There is a file of that name.
    Exists,
    /// The device has no room for it. What was written is kept.
    NoSpace,
    /// The file is larger than the device allows.
    TooLarge,
    /// The file was changed while it was read.
    Changed,
    /// What has arrived is not what was announced. It is not kept.
    Differs,
    /// It was stopped at the device, or something else was asked for.
    Stopped,
    /// The device cannot read or write it.
    Failed,
}
