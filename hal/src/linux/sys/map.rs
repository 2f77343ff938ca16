//! Memory of a device, mapped, and copied out of without ever being borrowed.
//!
//! The kernel, the hardware and other processes write to these pages at any time. A slice over
//! them would be undefined behaviour, so that there is none: everything goes through the copies
//! of [`super::copy`].

use std::ffi::c_void;
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::AsFd;
use std::ptr::NonNull;

use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

use super::copy;

/// A shared mapping of device memory.
///
/// A device that is unplugged while it is being read ends the process with `SIGBUS`; whoever
/// needs to survive that reads in a process of its own.
#[derive(Debug)]
pub(crate) struct Mapping {
    base: NonNull<c_void>,
    len: usize,
    writable: bool,
}

// SAFETY: the mapping belongs to the process, not to a thread, and `Mapping` is its only owner.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Maps `len` bytes from `offset` (a multiple of the page size) for reading.
    pub(crate) fn read_only(fd: impl AsFd, offset: u64, len: usize) -> io::Result<Self> {
        Self::map(fd, offset, len, false)
    }

    /// Maps `len` bytes from `offset` (a multiple of the page size) for reading and writing.
    pub(crate) fn writable(fd: impl AsFd, offset: u64, len: usize) -> io::Result<Self> {
        Self::map(fd, offset, len, true)
    }

    fn map(fd: impl AsFd, offset: u64, len: usize, writable: bool) -> io::Result<Self> {
        let invalid = || io::Error::from(io::ErrorKind::InvalidInput);
        let length = NonZeroUsize::new(len).ok_or_else(invalid)?;
        if len > isize::MAX as usize {
            return Err(invalid());
        }
        let offset = offset.try_into().map_err(|_| invalid())?;
        let mut protection = ProtFlags::PROT_READ;
        protection.set(ProtFlags::PROT_WRITE, writable);
        // SAFETY: the kernel chooses a free place, so that no memory in use is replaced.
        let base = unsafe { mmap(None, length, protection, MapFlags::MAP_SHARED, fd, offset)? };
        Ok(Self { base, len, writable })
    }

    /// How many bytes are mapped.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    fn check(&self, offset: usize, len: usize) -> io::Result<()> {
        match offset.checked_add(len) {
            Some(end) if end <= self.len => Ok(()),
            _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "outside of the mapped memory")),
        }
    }

    /// Copies `into.len()` bytes out, from `offset` on.
    ///
    /// # Errors
    /// `InvalidInput` if that is not all within the mapping; nothing is read then.
    pub(crate) fn copy_out(&self, offset: usize, into: &mut [u8]) -> io::Result<()> {
        self.check(offset, into.len())?;
        // SAFETY: `check` has shown that offset..offset + into.len() is mapped, and the mapping
        // lives as long as `self`. `into` is exclusively ours and cannot overlap with it.
        unsafe {
            let from = self.base.as_ptr().cast::<u8>().cast_const().add(offset);
            copy::load(from, into.as_mut_ptr(), into.len());
        }
        Ok(())
    }

    /// Copies bytes in, from `offset` on.
    ///
    /// # Errors
    /// `InvalidInput` if that is not all within the mapping; `PermissionDenied` if the mapping
    /// is for reading only.
    pub(crate) fn copy_in(&mut self, offset: usize, from: &[u8]) -> io::Result<()> {
        if !self.writable {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.check(offset, from.len())?;
        // SAFETY: as in `copy_out`, and the mapping was made writable.
        unsafe {
            let into = self.base.as_ptr().cast::<u8>().add(offset);
            copy::store(from.as_ptr(), into, from.len());
        }
        Ok(())
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped by `map` with this length, and no pointer into it outlives `self`.
        let outcome = unsafe { munmap(self.base, self.len) };
        debug_assert!(outcome.is_ok(), "a mapping of our own can be unmapped");
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn mapped(content: &[u8], writable: bool) -> Mapping {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        Mapping::map(&file, 0, content.len(), writable).unwrap()
    }

    #[test]
    fn copies_every_length_at_every_alignment() {
        let content: Vec<u8> = (0..=255).collect();
        let mapping = mapped(&content, false);
        for offset in 0..40 {
            for len in 0..70 {
                let mut out = vec![0xAA; len + 2];
                mapping.copy_out(offset, &mut out[1..=len]).unwrap();
                assert_eq!(out[1..=len], content[offset..offset + len]);
                assert_eq!((out[0], out[len + 1]), (0xAA, 0xAA));
            }
        }
    }

    #[test]
    fn stores_touch_nothing_beside_them() {
        for offset in 0..40 {
            for len in 0..70 {
                let mut mapping = mapped(&[7; 128], true);
                mapping.copy_in(offset, &vec![9; len]).unwrap();
                let mut all = [0; 128];
                mapping.copy_out(0, &mut all).unwrap();
                let changed = |at: &usize| (offset..offset + len).contains(at);
                assert!((0..128).all(|at| all[at] == if changed(&at) { 9 } else { 7 }));
            }
        }
    }

    #[test]
    fn refuses_what_is_not_mapped() {
        let mut mapping = mapped(&[0; 64], true);
        let mut out = [0; 8];
        assert!(mapping.copy_out(56, &mut out).is_ok());
        assert!(mapping.copy_out(57, &mut out).is_err());
        assert!(mapping.copy_out(usize::MAX, &mut out).is_err());
        assert!(mapping.copy_in(60, &out).is_err());
        assert!(Mapping::read_only(io::stdin(), 0, 0).is_err());
    }

    #[test]
    fn a_read_only_mapping_is_not_written() {
        let mut mapping = mapped(&[0; 64], false);
        assert!(mapping.copy_in(0, &[1]).is_err());
    }
}
