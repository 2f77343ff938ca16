//! Reading a file, as far as it is taken.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::os::unix::fs::MetadataExt as _;

use lotse_protocol::message::{
    FILE_WINDOW, FileBytes, FileError, FromFiles, MAX_FILE_BYTES, ToFiles,
};
use sha2::{Digest as _, Sha256};

use super::folder::{Use, open_file, open_parent};
use super::{Channel, Over, Pace};
use crate::config::FilesConfig;

/// Bytes that are hashed at a time.
const CHUNK: usize = 64 << 10;

/// Sends a file from a byte on, and then what hash the whole has.
pub(super) fn read(
    config: &FilesConfig,
    channel: &mut Channel,
    path: &str,
    at: u64,
    credit: u32,
) -> Result<(), Over> {
    let (folder, name) = open_parent(config, path, Use::Read)?;
    let mut file = open_file(&folder, name, Use::Read)?;
    let before = file.metadata()?;
    let size = before.len();
    if size > config.max_bytes {
        return Err(FileError::TooLarge.into());
    }
    if at > size {
        return Err(FileError::Changed.into());
    }
    channel.say(&FromFiles::Reading { size })?;
    let mut hash = Sha256::new();
    hash_into(&mut hash, &mut file, at)?;
    let (mut left, mut credit) = (size - at, credit.min(FILE_WINDOW));
    let (mut pace, mut piece) = (Pace::new(), [0; MAX_FILE_BYTES]);
    while left > 0 {
        while let Some(said) = channel.hear(credit == 0)? {
            if let ToFiles::Taken(count) = said {
                credit = credit.saturating_add(count).min(FILE_WINDOW);
            }
        }
        let most = u64::from(credit).min(left);
        let count = usize::try_from(most).unwrap_or(MAX_FILE_BYTES).min(MAX_FILE_BYTES);
        let bytes = piece.get_mut(..count).unwrap_or_default();
        // It is shorter than it was.
        file.read_exact(bytes).map_err(|_| FileError::Changed)?;
        hash.update(&*bytes);
        channel.say(&FromFiles::Data(FileBytes::of(bytes)))?;
        left -= bytes.len() as u64;
        credit = credit.saturating_sub(u32::try_from(count).unwrap_or(u32::MAX));
        pace.after(count);
    }
    let hash: [u8; 32] = hash.finalize().into();
    let after = file.metadata()?;
    let times = |meta: &std::fs::Metadata| (meta.len(), meta.mtime(), meta.mtime_nsec());
    // What only grows, as records do, is still what was sent.
    if times(&before) != times(&after) && hash_of(&mut file, size)? != hash {
        return Err(FileError::Changed.into());
    }
    channel.say(&FromFiles::Done { hash })
}

/// The hash of the first bytes of a file.
pub(super) fn hash_of(file: &mut File, size: u64) -> Result<[u8; 32], Over> {
    let mut hash = Sha256::new();
    file.rewind()?;
    hash_into(&mut hash, file, size)?;
    Ok(hash.finalize().into())
}

/// Hashes the next bytes of a file.
fn hash_into(hash: &mut Sha256, file: &mut File, size: u64) -> Result<(), Over> {
    let mut chunk = vec![0; CHUNK];
    let mut left = size;
    while left > 0 {
        let count = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        let bytes = chunk.get_mut(..count).unwrap_or_default();
        file.read_exact(bytes).map_err(|_| FileError::Changed)?;
        hash.update(&*bytes);
        left -= bytes.len() as u64;
    }
    Ok(())
}
