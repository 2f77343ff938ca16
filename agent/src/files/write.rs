//! Writing a file: beside the place where it will be, until it is whole and what was announced.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::fd::AsFd;

use lotse_protocol::message::{FileError, FilePath, FromFiles, ToFiles};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, renameat};
use nix::sys::stat::SFlag;
use nix::unistd::{UnlinkatFlags, linkat, unlinkat};

use super::folder::{Use, kind, open_file, open_parent, part_of};
use super::read::hash_of;
use super::{Channel, Over, Pace};
use crate::config::FilesConfig;

/// So many bytes are written before they are brought to the disk, so that the machine's own
/// programs never wait for all of a large file.
const SYNC_EVERY: usize = 4 << 20;

/// What is to be written.
pub(super) struct Wanted {
    pub(super) path: Box<FilePath>,
    pub(super) size: u64,
    pub(super) hash: [u8; 32],
    pub(super) may_replace: bool,
}

/// Takes a file, from where an earlier time ended.
pub(super) fn write(
    config: &FilesConfig,
    channel: &mut Channel,
    wanted: &Wanted,
) -> Result<(), Over> {
    if wanted.size > config.max_bytes {
        return Err(FileError::TooLarge.into());
    }
    let (folder, name) = open_parent(config, &wanted.path, Use::Write)?;
    is_free(&folder, name, wanted.may_replace)?;
    let part = part_of(name);
    let mut file = open_file(&folder, &part, Use::Write)?;
    let mut at = file.metadata()?.len();
    if at > wanted.size {
        // Of another file.
        file.set_len(0)?;
        at = 0;
    }
    file.seek(SeekFrom::Start(at))?;
    channel.say(&FromFiles::Writing { at })?;
    let (mut unsynced, mut pace) = (0, Pace::new());
    while at < wanted.size {
        let Some(ToFiles::Data(bytes)) = channel.hear(true)? else { continue };
        let bytes = bytes.as_slice();
        if bytes.len() as u64 > wanted.size - at {
            return Err(FileError::Differs.into());
        }
        file.write_all(bytes)?;
        at += bytes.len() as u64;
        unsynced += bytes.len();
        if unsynced >= SYNC_EVERY {
            file.sync_data()?;
            unsynced = 0;
        }
        // A piece is no longer than its bound.
        let count = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        channel.say(&FromFiles::Taken(count))?;
        pace.after(bytes.len());
    }
    if hash_of(&mut file, wanted.size)? != wanted.hash {
        unlinkat(&folder, part.as_str(), UnlinkatFlags::NoRemoveDir)?;
        return Err(FileError::Differs.into());
    }
    file.sync_all()?;
    give_name(&folder, (&part, name), wanted.may_replace)?;
    channel.say(&FromFiles::Done { hash: wanted.hash })
}

/// Makes sure that a file may have this name.
fn is_free(folder: &impl AsFd, name: &str, may_replace: bool) -> Result<(), Over> {
    match kind(folder, name) {
        Err(Errno::ENOENT) => Ok(()),
        Err(error) => Err(error.into()),
        Ok((SFlag::S_IFREG, _)) if may_replace => Ok(()),
        Ok((SFlag::S_IFREG, _)) => Err(FileError::Exists.into()),
        Ok(_) => Err(FileError::NotAllowed.into()),
    }
}

/// The file is complete: it gets its name.
fn give_name(
    folder: &impl AsFd,
    (part, name): (&str, &str),
    may_replace: bool,
) -> Result<(), Over> {
    if !may_replace {
        // Unlike to rename, to link never replaces what has come meanwhile.
        match linkat(folder, part, folder, name, AtFlags::empty()) {
            Ok(()) => return Ok(unlinkat(folder, part, UnlinkatFlags::NoRemoveDir)?),
            // A file system without links.
            Err(Errno::EPERM | Errno::EOPNOTSUPP | Errno::ENOSYS) => {}
            Err(error) => return Err(error.into()),
        }
    }
    is_free(folder, name, may_replace)?;
    renameat(folder, part, folder, name)?;
    Ok(())
}
