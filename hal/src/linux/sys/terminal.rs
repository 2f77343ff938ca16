//! Virtual terminals; see `linux/vt.h` and `linux/kd.h`.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use nix::libc::{c_int, c_ulong};

/// Who draws on a virtual terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TerminalMode {
    /// The kernel's console.
    Text,
    /// A program; the console leaves the picture alone.
    Graphics,
}

const KD_TEXT: c_ulong = 0;
const KD_GRAPHICS: c_ulong = 1;

/// `struct vt_stat` of `linux/vt.h`.
#[repr(C)]
#[derive(Default)]
struct VtStat {
    active: u16,
    signal: u16,
    state: u16,
}

nix::ioctl_write_ptr_bad!(ioctl_set_window_size, nix::libc::TIOCSWINSZ, nix::libc::winsize);
nix::ioctl_write_int_bad!(ioctl_kdsetmode, 0x4B3A);
nix::ioctl_read_bad!(ioctl_kdgetmode, 0x4B3B, c_int);
nix::ioctl_read_bad!(ioctl_vt_openqry, 0x5600, c_int);
nix::ioctl_read_bad!(ioctl_vt_getstate, 0x5603, VtStat);
nix::ioctl_write_int_bad!(ioctl_vt_activate, 0x5606);
nix::ioctl_write_int_bad!(ioctl_vt_disallocate, 0x5608);

/// Says how large a terminal is, in characters (`TIOCSWINSZ` of ioctl_tty(2)).
pub(crate) fn set_window_size(terminal: impl AsFd, columns: u16, rows: u16) -> io::Result<()> {
    let size = nix::libc::winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the kernel reads one struct through a pointer that is valid.
    unsafe { ioctl_set_window_size(terminal.as_fd().as_raw_fd(), &raw const size)? };
    Ok(())
}

/// Says who draws on a terminal (`KDSETMODE`).
pub(crate) fn set_terminal_mode(terminal: impl AsFd, mode: TerminalMode) -> io::Result<()> {
    let value = match mode {
        TerminalMode::Text => KD_TEXT,
        TerminalMode::Graphics => KD_GRAPHICS,
    };
    // SAFETY: the argument is a number; the kernel touches no memory of ours.
    unsafe { ioctl_kdsetmode(terminal.as_fd().as_raw_fd(), value as c_int)? };
    Ok(())
}

/// Who draws on a terminal (`KDGETMODE`).
pub(crate) fn terminal_mode(terminal: impl AsFd) -> io::Result<TerminalMode> {
    let mut mode: c_int = 0;
    // SAFETY: the kernel writes one int through a pointer that is valid.
    unsafe { ioctl_kdgetmode(terminal.as_fd().as_raw_fd(), &raw mut mode)? };
    Ok(if mode as c_ulong == KD_GRAPHICS { TerminalMode::Graphics } else { TerminalMode::Text })
}

/// The number of a terminal that nobody has open (`VT_OPENQRY`); `None` if there is none.
pub(crate) fn free_terminal(any: impl AsFd) -> io::Result<Option<u16>> {
    let mut number: c_int = -1;
    // SAFETY: the kernel writes one int through a pointer that is valid.
    unsafe { ioctl_vt_openqry(any.as_fd().as_raw_fd(), &raw mut number)? };
    Ok(u16::try_from(number).ok().filter(|&number| number > 0))
}

/// Which terminals are in use (`VT_GETSTATE`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terminals {
    /// The number of the one in front.
    pub(crate) active: u16,
    /// A bit for each of the first sixteen that some program has open.
    open: u16,
}

impl Terminals {
    /// Whether some program has a terminal open; only the first fifteen are known.
    pub(crate) fn is_open(self, number: u16) -> bool {
        self.open.checked_shr(number.into()).unwrap_or(1) & 1 == 1
    }
}

/// Asks which terminals are in use.
pub(crate) fn terminals(any: impl AsFd) -> io::Result<Terminals> {
    let mut state = VtStat::default();
    // SAFETY: the kernel writes one struct vt_stat through a pointer that is valid.
    unsafe { ioctl_vt_getstate(any.as_fd().as_raw_fd(), &raw mut state)? };
    Ok(Terminals { active: state.active, open: state.state })
}

/// Asks for a terminal to come to the front (`VT_ACTIVATE`); returns before it has.
pub(crate) fn activate_terminal(any: impl AsFd, number: u16) -> io::Result<()> {
    // SAFETY: the argument is a number; the kernel touches no memory of ours.
    unsafe { ioctl_vt_activate(any.as_fd().as_raw_fd(), c_int::from(number))? };
    Ok(())
}

/// Frees a terminal that nobody has open (`VT_DISALLOCATE`).
pub(crate) fn release_terminal(any: impl AsFd, number: u16) -> io::Result<()> {
    if number == 0 {
        // Zero would mean all of them.
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: the argument is a number; the kernel touches no memory of ours.
    unsafe { ioctl_vt_disallocate(any.as_fd().as_raw_fd(), c_int::from(number))? };
    Ok(())
}
