//! Which files a session may read and write.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::ensure;
use lotse_protocol::message::{Rights, is_file_path};
use serde::{Deserialize, Serialize};

/// Bytes of a file at most, unless the configuration says otherwise: 1 GiB.
const MAX_BYTES: u64 = 1 << 30;

/// Folders whose files a session may read or write, if some are set up: without a user there are
/// none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FilesConfig {
    /// The user that reads and writes them, an ordinary one; none if empty. An agent without
    /// root's power does it as its own user, which must be this one.
    pub user: String,
    /// Bytes of a file at most.
    pub max_bytes: u64,
    /// The folders, by the names that the technician sees.
    pub folders: BTreeMap<String, FolderConfig>,
}

/// A folder, with all that is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FolderConfig {
    /// Where it is.
    pub path: PathBuf,
    /// Whether it may be looked into, and files in it be read.
    pub read: bool,
    /// Whether files may be written in it.
    pub write: bool,
}

impl Default for FilesConfig {
    fn default() -> Self {
        Self { user: String::new(), max_bytes: MAX_BYTES, folders: BTreeMap::new() }
    }
}

impl FilesConfig {
    /// The settings, if folders are set up.
    ///
    /// # Errors
    /// When they cannot be used.
    pub fn check(&self) -> anyhow::Result<Option<Self>> {
        if self.user.is_empty() && self.folders.is_empty() {
            return Ok(None);
        }
        ensure!(!self.user.is_empty(), "files.user names nobody, who would read and write there");
        ensure!(self.user != "root", "files.user is an ordinary user, not root");
        for (name, folder) in &self.folders {
            let is_name = is_file_path(name) && !name.contains('/');
            ensure!(is_name, "files.folders: {name:?} cannot be a folder's name");
            let is_whole = folder.path.is_absolute();
            ensure!(is_whole, "files.folders.{name}.path is not the whole path of a folder");
        }
        Ok(Some(self.clone()))
    }

    /// What can be offered with these folders.
    pub fn rights(&self) -> Rights {
        self.folders.values().fold(Rights::NONE, |rights, folder| {
            let read = if folder.read { Rights::FILE_READ } else { Rights::NONE };
            rights.with(if folder.write { read.with(Rights::FILE_WRITE) } else { read })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_no_folders_unless_they_are_named_with_a_user() {
        assert_eq!(FilesConfig::default().check().unwrap(), None);
        let of = |text: &str| toml::from_str::<FilesConfig>(text).unwrap();
        let logs = "[folders.logs]\npath = \"/var/log\"\nread = true";
        let named = of(&format!("user = \"kiosk\"\n{logs}"));
        assert_eq!(named.check().unwrap(), Some(named.clone()));
        assert_eq!((named.rights(), named.max_bytes), (Rights::FILE_READ, MAX_BYTES));
        for wrong in [
            logs.to_owned(),
            format!("user = \"root\"\n{logs}"),
            "user = \"kiosk\"\n[folders.logs]\npath = \"log\"".to_owned(),
            "user = \"kiosk\"\n[folders.\"..\"]\npath = \"/var/log\"".to_owned(),
            "user = \"kiosk\"\n[folders.\"a/b\"]\npath = \"/var/log\"".to_owned(),
        ] {
            assert!(of(&wrong).check().is_err(), "{wrong}");
        }
    }
}
