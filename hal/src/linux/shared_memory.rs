//! Memory with a picture, shared with a program that shows or copies it.
//!
//! It is a file in memory that we read and write by calls and do not map: what the other program
//! does to it can never end this process, and it does not count twice.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};

/// Makes memory of so many bytes, all zero, which nobody can make shorter.
///
/// # Errors
/// When the kernel has none.
pub(crate) fn make(bytes: u64) -> io::Result<File> {
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    let file = File::from(memfd_create(c"lotse-picture", flags)?);
    file.set_len(bytes)?;
    fcntl(&file, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_SEAL))?;
    Ok(file)
}

/// Puts pixels into it; whether they are others than before.
///
/// # Errors
/// When the kernel has no memory for them.
pub(crate) fn write(file: &File, offset: usize, pixels: &[u8]) -> io::Result<bool> {
    let mut before = vec![0; pixels.len()];
    file.read_exact_at(&mut before, offset as u64)?;
    let is_new = before != pixels;
    if is_new {
        file.write_all_at(pixels, offset as u64)?;
    }
    Ok(is_new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_twice_is_new_once_and_the_memory_keeps_its_length() {
        let file = make(100).unwrap();
        assert!(write(&file, 10, &[1, 2, 3]).unwrap());
        assert!(!write(&file, 10, &[1, 2, 3]).unwrap());
        assert!(write(&file, 99, &[1, 2]).is_err(), "beyond the end");
        assert!(file.set_len(50).is_err());
    }
}
