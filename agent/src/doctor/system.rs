//! The files by which a system tells what it is; in tests, a folder that plays one.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// A system, by its files.
#[derive(Debug, Clone)]
pub struct System {
    root: PathBuf,
}

impl System {
    /// This one.
    pub fn here() -> Self {
        Self::at("/")
    }

    /// One whose files are in a folder.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where a file of it is.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// Whether it has a file.
    pub(super) fn has(&self, path: &str) -> bool {
        self.path(path).exists()
    }

    /// What a file says; nothing if it is not there.
    pub(super) fn text(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap_or_default()
    }

    /// The names in a folder that begin so, in order.
    pub(super) fn names(&self, folder: &str, prefix: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(folder)).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> = names.filter(|name| name.starts_with(prefix)).collect();
        names.sort();
        names
    }

    /// Whether a device can be opened.
    ///
    /// # Errors
    /// What the system says instead.
    pub(super) fn open(&self, path: &str, is_written: bool) -> io::Result<()> {
        let path: &Path = &self.path(path);
        match is_written {
            true => OpenOptions::new().read(true).write(true).open(path).map(drop),
            false => File::open(path).map(drop),
        }
    }
}
