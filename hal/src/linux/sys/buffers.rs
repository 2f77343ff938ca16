//! Shared buffers and frame buffers.

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};

/// Takes ownership of a descriptor that the kernel has just handed out.
///
/// # Errors
/// `InvalidInput` if it is negative.
pub(crate) fn adopt_descriptor(fd: RawFd) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: callers pass what an ioctl returned as a new descriptor, and use it nowhere else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Start or end of reading a shared buffer with the CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DmaAccess {
    /// Reading starts.
    StartRead,
    /// Reading is over.
    EndRead,
}

/// `struct dma_buf_sync` of `linux/dma-buf.h`.
#[repr(C)]
struct DmaBufSync {
    flags: u64,
}

const DMA_BUF_SYNC_READ: u64 = 1;
const DMA_BUF_SYNC_END: u64 = 1 << 2;

nix::ioctl_write_ptr!(ioctl_dma_buf_sync, b'b', 0, DmaBufSync);

/// Brackets reading a shared buffer (`DMA_BUF_IOCTL_SYNC`). Each start must be followed by
/// one end.
pub(crate) fn dma_buf_sync(buffer: impl AsFd, access: DmaAccess) -> io::Result<()> {
    let flags = match access {
        DmaAccess::StartRead => DMA_BUF_SYNC_READ,
        DmaAccess::EndRead => DMA_BUF_SYNC_READ | DMA_BUF_SYNC_END,
    };
    // SAFETY: the kernel reads one struct dma_buf_sync from a reference that is valid.
    unsafe { ioctl_dma_buf_sync(buffer.as_fd().as_raw_fd(), &DmaBufSync { flags })? };
    Ok(())
}

/// `struct fb_cmap` of `linux/fb.h`.
#[repr(C)]
struct FbCmap {
    start: u32,
    len: u32,
    red: *mut u16,
    green: *mut u16,
    blue: *mut u16,
    transp: *mut u16,
}

nix::ioctl_read_bad!(ioctl_get_cmap, 0x4604, FbCmap);

/// The 256 colours of a frame buffer's palette, as 16-bit red, green and blue (`FBIOGETCMAP`).
pub(crate) fn frame_buffer_palette(device: impl AsFd) -> io::Result<[[u16; 3]; 256]> {
    let (mut red, mut green, mut blue) = ([0u16; 256], [0u16; 256], [0u16; 256]);
    let mut map = FbCmap {
        start: 0,
        len: 256,
        red: red.as_mut_ptr(),
        green: green.as_mut_ptr(),
        blue: blue.as_mut_ptr(),
        transp: std::ptr::null_mut(),
    };
    // SAFETY: the kernel writes at most `len` values through each pointer that is not null, and
    // all three arrays have that many and outlive the call.
    unsafe { ioctl_get_cmap(device.as_fd().as_raw_fd(), &raw mut map)? };
    let mut palette = [[0; 3]; 256];
    for (index, colour) in palette.iter_mut().enumerate() {
        *colour = [red[index], green[index], blue[index]];
    }
    Ok(palette)
}

nix::ioctl_write_int_bad!(ioctl_blank, 0x4611);

/// Wakes a frame buffer that was blanked (`FBIOBLANK`, `FB_BLANK_UNBLANK`).
pub(crate) fn frame_buffer_unblank(device: impl AsFd) -> io::Result<()> {
    // SAFETY: the argument is a number; the kernel touches no memory of ours.
    unsafe { ioctl_blank(device.as_fd().as_raw_fd(), 0)? };
    Ok(())
}
