//! What the machine process remembers over restarts and power cuts: a few small files that nobody
//! else may read.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Bytes of a file at most.
const MAX_FILE: u64 = 16 << 10;

/// A folder with small files, or nothing that lasts.
#[derive(Debug, Clone)]
pub(super) struct Keep {
    folder: Option<PathBuf>,
}

impl Keep {
    /// Files in `folder`, which is made if it is missing. With an empty path nothing is kept, as
    /// in a simulation.
    pub(super) fn open(folder: &Path) -> Self {
        if folder.as_os_str().is_empty() {
            return Self { folder: None };
        }
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        if let Err(error) = made {
            log::warn!("{}: {error}; nothing is remembered over a restart", folder.display());
        }
        Self { folder: Some(folder.to_owned()) }
    }

    /// What was written last under this name; `None` if nothing was.
    ///
    /// # Errors
    /// When it cannot be read, or is longer than anything that is written.
    pub(super) fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let Some(folder) = &self.folder else { return Ok(None) };
        let file = match File::open(folder.join(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(io::Error::other("too long"));
        }
        Ok(Some(bytes))
    }

    /// Writes it so that after a power cut either the old or the new content is there.
    ///
    /// # Errors
    /// When it could not be written for good.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let new = folder.join(format!("{name}.new"));
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, folder.join(name))?;
        File::open(folder)?.sync_all()
    }

    /// Deletes it for good; it may be missing.
    ///
    /// # Errors
    /// When it may still be there.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        match fs::remove_file(folder.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(()) => File::open(folder)?.sync_all(),
        }
    }

    /// Puts a file aside, so that the next look does not find it.
    pub(super) fn put_aside(&self, name: &str) {
        if let Some(folder) = &self.folder
            && let Err(error) = fs::rename(folder.join(name), folder.join(format!("{name}.old")))
        {
            log::warn!("{name}: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn what_is_kept_is_there_again_and_for_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made/when/missing");
        let keep = Keep::open(&path);
        assert_eq!(keep.read("it").unwrap(), None);
        keep.write("it", b"one").unwrap();
        keep.write("it", b"two").unwrap();
        assert_eq!(Keep::open(&path).read("it").unwrap().as_deref(), Some(&b"two"[..]));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&path.join("it"))), (0o700, 0o600));
        keep.put_aside("it");
        assert_eq!(keep.read("it").unwrap(), None);
        fs::write(path.join("long"), vec![0; MAX_FILE as usize + 1]).unwrap();
        assert!(keep.read("long").is_err());
        let nothing = Keep::open(Path::new(""));
        nothing.write("it", b"one").unwrap();
        assert_eq!(nothing.read("it").unwrap(), None);
    }
}
