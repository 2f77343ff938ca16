//! What a pseudo-terminal needs that no crate offers safely; see pty(7).

use std::io;
use std::os::fd::AsFd;

/// Says how large a terminal is, in characters. Its programs get SIGWINCH.
///
/// # Errors
/// When the descriptor is no terminal.
pub fn set_window_size(terminal: impl AsFd, columns: u16, rows: u16) -> io::Result<()> {
    super::sys::set_window_size(terminal, columns, rows)
}
