//! Files on their way to and from the panel.

use std::path::PathBuf;

/// What is done with files. One thing at a time; what comes next ends what was before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilesCommand {
    /// What is in a folder of the panel? With an empty path: which folders are there?
    List {
        /// The folder, as the panel calls it.
        path: String,
    },
    /// Fetch a file from the panel, from where an earlier time ended.
    Get {
        /// Which, as the panel calls it.
        path: String,
        /// Where it is put.
        local: PathBuf,
        /// Whether a file there may be replaced.
        may_replace: bool,
    },
    /// Send a file to the panel, from where an earlier time ended.
    Put {
        /// Which.
        local: PathBuf,
        /// Where it is put, as the panel calls it.
        path: String,
        /// Whether a file there may be replaced.
        may_replace: bool,
    },
    /// No more of it. What has arrived is kept, to go on later.
    Cancel,
}

/// Something in a folder of the panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What it is called.
    pub name: String,
    /// Its size in bytes; `None` of folders.
    pub size: Option<u64>,
}

/// What becomes of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilesEvent {
    /// This is in the folder.
    Listed(Vec<Listed>),
    /// So much has arrived.
    Progress {
        /// Bytes.
        at: u64,
        /// Of so many.
        size: u64,
    },
    /// The file is there, whole and as it was.
    Done {
        /// Its bytes.
        size: u64,
        /// So many of them were there from an earlier time.
        from: u64,
    },
    /// It is not.
    Failed(FilesEnd),
}

impl FilesEvent {
    /// Whether nothing more comes of what was asked for.
    pub const fn is_over(&self) -> bool {
        !matches!(self, Self::Progress { .. })
    }
}

/// Why nothing comes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilesEnd {
    /// No folder is set up at the panel.
    NotSetUp,
    /// The panel has no file or folder of that name.
    NotFound,
    /// The panel does not allow it there.
    NotAllowed,
    /// There is a file of that name already.
    Exists,
    /// The panel has no room for it; what has arrived is kept.
    NoSpace,
    /// It is larger than the panel allows.
    TooLarge,
    /// It was changed while it was read.
    Changed,
    /// What has arrived is not what was sent.
    Differs,
    /// It was stopped at the panel.
    Stopped,
    /// It was cancelled here; what has arrived is kept.
    Cancelled,
    /// The panel could not do it.
    Failed,
    /// This computer could not do it.
    Here(String),
}

impl FilesEnd {
    /// What happened, in words.
    pub fn words(&self) -> String {
        match self {
            Self::NotSetUp => "no folder is set up at the panel",
            Self::NotFound => "the panel has no file or folder of that name",
            Self::NotAllowed => "the panel does not allow that there",
            Self::Exists => "there is a file of that name; say replace to replace it",
            Self::NoSpace => {
                "the panel has no room for it; what has arrived is kept, and goes on when there is"
            }
            Self::TooLarge => "it is larger than the panel allows",
            Self::Changed => "it was changed while it was read",
            Self::Differs => "what has arrived is not what was sent, and is not kept",
            Self::Stopped => "it was stopped at the panel",
            Self::Cancelled => "it was cancelled; what has arrived is kept",
            Self::Failed => "the panel could not do it; what has arrived is kept",
            Self::Here(error) => error,
        }
        .to_owned()
    }
}
