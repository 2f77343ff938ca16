//! From a path to what it names, without leaving the folder that is set up.
//!
//! A path is gone along name by name, and no name may be a link: what is opened is below the
//! folder, whatever is put in the way meanwhile.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt as _;

use lotse_protocol::message::{FileError, is_file_path};
use nix::fcntl::{AtFlags, OFlag, open, openat};
use nix::sys::stat::{Mode, SFlag, fstatat};

use super::Over;
use crate::config::FilesConfig;

/// Begins the name of a file that is not complete.
const PART_BEGINS: &str = ".";

/// Ends it.
const PART_ENDS: &str = ".lotse-part";

/// What is wanted of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Read,
    Write,
}

/// A folder that can be gone through.
const FOLDER: OFlag = OFlag::O_PATH.union(OFlag::O_DIRECTORY).union(OFlag::O_CLOEXEC);

/// Opens what is never waited for, is no link, and becomes nobody's terminal.
const FILE: OFlag =
    OFlag::O_NOFOLLOW.union(OFlag::O_CLOEXEC).union(OFlag::O_NONBLOCK).union(OFlag::O_NOCTTY);

/// The folder that a path leads to.
pub(super) fn open_folder(config: &FilesConfig, path: &str, what: Use) -> Result<OwnedFd, Over> {
    if !is_file_path(path) {
        return Err(FileError::NotFound.into());
    }
    let mut names = path.split('/');
    let root = names.next().and_then(|name| config.folders.get(name));
    let root = root.ok_or(FileError::NotFound)?;
    if !(match what {
        Use::Read => root.read,
        Use::Write => root.write,
    }) {
        return Err(FileError::NotAllowed.into());
    }
    let mut folder = open(&root.path, FOLDER, Mode::empty())?;
    for name in names {
        folder = openat(&folder, name, FOLDER | OFlag::O_NOFOLLOW, Mode::empty())?;
    }
    Ok(folder)
}

/// The folder of a file, and the file's name in it.
pub(super) fn open_parent<'a>(
    config: &FilesConfig,
    path: &'a str,
    what: Use,
) -> Result<(OwnedFd, &'a str), Over> {
    let (parent, name) = path.rsplit_once('/').ok_or(FileError::NotFound)?;
    let folder = open_folder(config, parent, what)?;
    if !is_file_path(name) || is_part(name) {
        return Err(FileError::NotFound.into());
    }
    Ok((folder, name))
}

/// Where a file is written until it is complete.
pub(super) fn part_of(name: &str) -> String {
    format!("{PART_BEGINS}{name}{PART_ENDS}")
}

/// Whether a file is one that is not complete.
pub(super) fn is_part(name: &str) -> bool {
    name.starts_with(PART_BEGINS) && name.ends_with(PART_ENDS)
}

/// What kind of thing a name is in a folder, and how large.
pub(super) fn kind(folder: &impl AsFd, name: &str) -> nix::Result<(SFlag, u64)> {
    let found = fstatat(folder, name, AtFlags::AT_SYMLINK_NOFOLLOW)?;
    let kind = SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT;
    Ok((kind, u64::try_from(found.st_size).unwrap_or(0)))
}

/// Opens a file; nothing else, and none that has other names, by which it may be elsewhere, to be
/// written. It is made if it is to be written.
pub(super) fn open_file(folder: &impl AsFd, name: &str, what: Use) -> Result<File, Over> {
    let (flags, is_there) = match what {
        // Opening may have an effect on what is no file: that is looked at before.
        Use::Read => (OFlag::O_RDONLY, Some(kind(folder, name)?.0)),
        Use::Write => (OFlag::O_RDWR | OFlag::O_CREAT, kind(folder, name).ok().map(|k| k.0)),
    };
    if is_there.is_some_and(|kind| kind != SFlag::S_IFREG) {
        return Err(FileError::NotFound.into());
    }
    let file = openat(folder, name, FILE | flags, Mode::from_bits_truncate(0o644))?;
    let file = File::from(file);
    let found = file.metadata()?;
    if !found.is_file() || (what == Use::Write && found.nlink() > 1) {
        return Err(FileError::NotFound.into());
    }
    Ok(file)
}
